"""Movements, told to people and to machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from mesoformula.cli.common import counted
from mesoformula.products import Product
from mesoformula.stock.figures import in_major_units, in_millionths
from mesoformula.stock.ledger.costs import cost_text, read_cost
from mesoformula.stock.lots.judging import said_of
from mesoformula.stock.records import Assay, LotFact, Movement, MovementKind, MovementLine, Opened


def containers_text(product: Product, number: int) -> str:
    """
    Count containers of a product.

    Args:
        product: What is counted.
        number: How many.

    Returns:
        Such as `5 vials`.
    """
    return counted(number, "kit" if product.is_kit else product.parts[0].container.word)


def volume_text(nanolitres: int) -> str:
    """
    Write a volume.

    Args:
        nanolitres: How much.

    Returns:
        In mL, exactly.
    """
    return f"{in_millionths(nanolitres)} mL"


def mass_text(nanograms: int) -> str:
    """
    Write a mass.

    Args:
        nanograms: How much.

    Returns:
        In mg, exactly.
    """
    return f"{in_millionths(nanograms)} mg"


def amount_text(nanolitres: int | None, nanograms: int | None) -> str:
    """
    Write a volume or a mass, whichever is known.

    Args:
        nanolitres: Volume.
        nanograms: Mass.

    Returns:
        Such as `2.5 mL`; nothing if neither is known.
    """
    texts = []
    if nanolitres is not None:
        texts.append(volume_text(nanolitres))
    if nanograms is not None:
        texts.append(mass_text(nanograms))
    return " and ".join(texts)


def left_text(opened: Opened) -> str:
    """
    Write what is left in an opened container.

    Args:
        opened: The container or mixture.

    Returns:
        Such as `2.5 mL`; nothing if nobody knows what was in it, whatever was drawn from it since.
    """
    if opened.supplied_nanolitres is None and opened.supplied_nanograms is None:
        return ""
    return amount_text(opened.nanolitres, opened.nanograms)


def local_text(moment: datetime, zone: tzinfo) -> str:
    """
    Write a moment in the site's time, to the minute.

    Args:
        moment: With a time zone.
        zone: Of the site.

    Returns:
        Such as `2026-11-23 14:30`.
    """
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def volume_plain(nanolitres: int | None) -> dict[str, str] | None:
    """
    Write a volume for JSON.

    Args:
        nanolitres: How much; None if it is not known.

    Returns:
        Value and unit.
    """
    if nanolitres is None:
        return None
    return {"value": in_millionths(nanolitres), "unit": "mL"}


def mass_plain(nanograms: int | None) -> dict[str, str] | None:
    """
    Write a mass for JSON.

    Args:
        nanograms: How much; None if it is not known.

    Returns:
        Value and unit.
    """
    if nanograms is None:
        return None
    return {"value": in_millionths(nanograms), "unit": "mg"}


def movement_plain(movement: Movement) -> dict[str, Any]:
    """
    Bring a movement to plain data for JSON.

    Args:
        movement: As read back.

    Returns:
        What it says, what it does not say left out.
    """
    plain: dict[str, Any] = {
        "movement": movement.seq,
        "kind": movement.kind.value,
        "effective_at": movement.effective_at.isoformat(),
        "recorded_at": movement.recorded_at.isoformat(),
        "by": movement.actor,
        "anchor": str(movement.anchor),
        "reference": movement.session,
        "pick": movement.pick,
        "reverses": movement.reverses,
        "reversed_by": movement.reversed_by,
        "cause": movement.cause,
        "lapses_at": movement.lapses_at.isoformat() if movement.lapses_at is not None else None,
        "reason": movement.reason,
        "request_id": movement.request_id,
        "lines": [_line_plain(line) for line in movement.lines],
    }
    return {name: value for name, value in plain.items() if value is not None}


def _line_plain(line: MovementLine) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "product": line.product.pinned_id if line.product is not None else None,
        "lot": line.lot,
        "location": line.location,
        "containers": line.containers or None,
        "opened": line.opened,
        "volume": volume_plain(line.nanolitres),
        "mass": mass_plain(line.nanograms),
        "becomes": line.becomes,
        "beyond_use_at": line.beyond_use_at.isoformat() if line.beyond_use_at is not None else None,
        "rule": line.rule,
        "reserved": line.reserved,
        "to_draw": volume_plain(line.reserved_nanolitres),
        "counted": line.counted,
        "device": line.device,
        "serial": line.serial,
        "supplier": line.supplier,
        "unit_cost": money_plain(line.unit_cost, line.currency),
        "subject": line.subject,
        "fact": line.fact,
        "old": line.old,
        "new": line.new,
        "deviations": [one.value for one in line.deviations] or None,
        "remark": line.remark,
    }
    return {name: value for name, value in plain.items() if value is not None}


def money_plain(minor: int | None, currency: str | None) -> dict[str, str] | None:
    """
    Write an amount of money for JSON.

    Args:
        minor: In minor units; None if it is not known.
        currency: ISO 4217 code.

    Returns:
        Value and unit.
    """
    if minor is None or currency is None:
        return None
    return {"value": f"{in_major_units(minor, currency):f}", "unit": currency}


def assay_text(assay: Assay) -> str:
    """
    Write an assay.

    Args:
        assay: Of a lot.

    Returns:
        Such as `98.5 % of sodium-ascorbate, as is`.
    """
    text = f"{assay.percent} % of {assay.substance}, {assay.basis}"
    if assay.moiety is not None:
        text += f" {assay.moiety}"
    return text + (f", water {assay.water} %" if assay.water is not None else "")


def fact_text(fact: str, value: str | None) -> str:
    """
    Write the value of a fact for people; one that cannot be read is shown as it is.

    Args:
        fact: Which fact.
        value: As the ledger keeps it; None if there is none.

    Returns:
        Words; nothing without a value.
    """
    if value is None:
        return ""
    try:
        if fact == LotFact.COST.value:
            return cost_text(read_cost(value))
        if fact == LotFact.ASSAY.value:
            from mesoformula.stock.views.reading import read_assay

            assay = read_assay(value)
            return assay_text(assay) if assay is not None else ""
        if fact == "gtin":
            meaning = json.loads(value)
            number = counted(int(meaning["containers"]), "container")
            return f"{meaning['level']} of {number} of {meaning['product']}"
    except (ValueError, TypeError, KeyError):
        pass
    return value


def _change_text(line: MovementLine) -> str:
    """Say what a line states: the change, or only what is new where nothing can have been before."""
    fact = line.fact or ""
    if fact == LotFact.REMARK.value:
        return fact if line.remark is not None else f"{fact} (erased)"
    if fact == "posted":
        return fact
    new = fact_text(fact, line.new)
    if fact == "expected":
        return f"{fact} {new}"
    if fact == "course":
        from mesoformula.stock.demand.bookings import changes

        return "; ".join((fact, *changes(line.old, line.new)))
    none = "not known" if fact == LotFact.COST.value else "none"
    return f"{fact}: {fact_text(fact, line.old) or none} -> {new or none}"


def compensation_texts(movements: Iterable[Movement], zone: tzinfo) -> list[str]:
    """
    Tell why something that is recorded late changes nothing of what is there now.

    Args:
        movements: Of one write.
        zone: Of the site.

    Returns:
        A sentence for each line that keeps a count true.
    """
    return [
        f"what was counted {local_text(one.effective_at, zone)} stays true: movement {one.seq} "
        f"{'gives back' if line.containers > 0 else 'takes off'} "
        f"{containers_text(line.product, abs(line.containers))} of lot {line.lot} at {line.location}, so "
        "that what is there since then is as before"
        for one in movements
        if one.kind is MovementKind.COMPENSATION
        for line in one.lines
        if line.product is not None and line.containers
    ]


def movement_texts(movement: Movement, zone: tzinfo, *, when: bool = False) -> list[str]:
    """
    Tell a movement to people.

    Args:
        movement: As read back.
        zone: Of the site.
        when: Whether to say when it was recorded, too.

    Returns:
        A line that says what it is, and one for each of its lines.
    """
    head = f"movement {movement.seq}: {movement.kind.value}"
    if movement.session is not None:
        head += f" for {movement.session}"
    if movement.reverses is not None:
        head += f" of movement {movement.reverses}"
    if movement.pick is not None:
        head += f" of pick {movement.pick}"
    if movement.cause is not None:
        head += f", with movement {movement.cause}"
    head += f", by {movement.actor}"
    if when:
        head += f", recorded {local_text(movement.recorded_at, zone)}"
    if movement.effective_at != movement.recorded_at:
        head += f", effective {local_text(movement.effective_at, zone)}"
    if movement.lapses_at is not None:
        head += f", kept until {local_text(movement.lapses_at, zone)}"
    if movement.reversed_by is not None:
        head += f", REVERSED by movement {movement.reversed_by}"
    if movement.reason is not None:
        head += f" ({movement.reason})"
    return [head, *(f"  {_line_text(line, zone)}" for line in movement.lines)]


def _line_text(line: MovementLine, zone: tzinfo) -> str:
    parts = []
    if line.product is not None:
        parts.append(f"{line.product.name} ({line.product.pinned_id}) lot {line.lot}")
    if line.opened is not None:
        mixture = line.product is None and line.subject is not None
        parts.append(
            f"mixture {line.opened} {line.subject}" if mixture else f"opened container {line.opened}"
        )
    elif line.subject is not None:
        parts.append(line.subject)
    if line.containers and line.product is not None:
        sign = "+" if line.containers > 0 else "-"
        parts.append(f"{sign}{containers_text(line.product, abs(line.containers))}")
    if line.nanolitres:
        parts.append(f"{'+' if line.nanolitres > 0 else '-'}{volume_text(abs(line.nanolitres))}")
    if line.nanograms:
        parts.append(f"{'+' if line.nanograms > 0 else '-'}{mass_text(abs(line.nanograms))}")
    if line.reserved is not None and line.product is not None:
        parts.append(f"{containers_text(line.product, line.reserved)} kept")
    if line.reserved_nanolitres is not None:
        parts.append(f"{volume_text(line.reserved_nanolitres)} to draw")
    if line.location is not None:
        parts.append(f"at {line.location}")
    if line.counted is not None:
        parts.append(f"counted {line.counted}")
    if line.fact is not None:
        parts.append(_change_text(line))
    if line.beyond_use_at is not None:
        parts.append(f"use before {local_text(line.beyond_use_at, zone)}")
    if line.becomes == "gone":
        parts.append("gone")
    if line.serial is not None:
        parts.append(f"pack {line.serial}")
    if line.deviations:
        parts.append(f"DEVIATION: {said_of(line.deviations)}")
    if line.remark is not None:
        parts.append(f"({line.remark})")
    return ", ".join(parts)
