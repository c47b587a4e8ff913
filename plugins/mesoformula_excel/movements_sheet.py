"""Movements of a period as a sheet: one row for each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from mesoformula import Column, Row, Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import Holds, Mark, Rows, Value
from mesoformula.stock.figures import in_major_units
from mesoformula.stock.records import Movement, MovementLine
from mesoformula_excel.stock_words import (
    DEVIATIONS,
    FACTS,
    MOVEMENTS,
    local,
    origin,
    product_name,
    stock_of,
    zone_name,
)

if TYPE_CHECKING:
    from mesoformula import Product

_NANO = -6
# As the ledger keeps the cost of a container, in minor units.
_COST = re.compile(r"(\d+)\.\.(\d+) ([A-Z]{3})(?: unpriced)?")
#: Facts whose values are records of their own, or free text that stands beside.
_WITHOUT_VALUES = frozenset({"assay", "remark", "posted", "course", "gtin"})
#: Places that volumes and masses are shown with; the cells hold them in full.
_PLACES = 3


def movements_sheet(request: SheetRequest) -> Sheet:
    """
    Make the sheet of what was recorded in a period.

    Args:
        request: With the period, and what reads its movements.

    Returns:
        A sheet whose rows are read as they are needed, in the order of recording.
    """
    stock_of(request)
    say = words("mesoformula_excel", request.language)
    read = request.movements
    return Sheet(
        key="movements",
        title=say("Movements"),
        columns=_columns(zone_name(request.zone, say), say),
        rows=Rows(request.movement_lines, lambda: _rows(read(), request.zone, say))
        if read is not None
        else (),
        facts=(
            (say("First day"), request.since),
            (say("Last day"), request.until),
            *origin(request, say),
            *request.facts,
        ),
        notes=(
            say("One row for each line of a movement, in the order of recording; times are the site's."),
            say(
                "Containers and amounts that came are above zero, those that went below. Nothing is ever "
                "deleted: what turned out wrong is taken back by a movement of its own."
            ),
            *request.notes,
        ),
        empty=say("Nothing was recorded for these days."),
        order=50,
        language=request.language,
    )


def _columns(zone: str, say: Words) -> tuple[Column, ...]:
    return (
        Column("number", say("Movement"), Holds.WHOLE),
        Column("kind", say("Kind"), widest=14),
        Column("effective_at", say("Happened at ({zone})", zone=zone), Holds.MOMENT),
        Column("recorded_at", say("Recorded at ({zone})", zone=zone), Holds.MOMENT),
        Column("product", say("Product"), widest=28),
        Column("lot", say("Lot"), widest=14),
        Column("location", say("Location"), widest=12),
        Column("containers", say("Containers"), Holds.WHOLE),
        Column("opened", say("Opened container no."), Holds.WHOLE),
        Column("volume", say("Volume (mL)"), Holds.DECIMAL, places=_PLACES),
        Column("mass", say("Mass (mg)"), Holds.DECIMAL, places=_PLACES),
        Column("session", say("Session"), widest=16),
        Column("actor", say("Recorded by"), widest=14),
        Column("reason", say("Reason"), widest=30),
        Column("detail", say("Detail"), widest=30),
        Column("cause", say("Caused by movement"), Holds.WHOLE),
        Column("reverses", say("Takes back movement"), Holds.WHOLE),
        Column("reversed_by", say("Taken back by movement"), Holds.WHOLE),
        Column("deviation", say("Deviation"), widest=24),
    )


def _rows(movements: Iterator[Movement], zone: tzinfo | None, say: Words) -> Iterator[Row]:
    kinds = {kind: say(text) for kind, text in MOVEMENTS.items()}
    deviations = {code: say(text) for code, text in DEVIATIONS.items()}
    # Neighbouring movements share their minute, and all of them a few products.
    at_site = lru_cache(maxsize=64)(partial(local, zone=zone))
    names: dict[str, str] = {}
    for movement in movements:
        head: tuple[Value, ...] = (
            movement.seq,
            kinds[movement.kind],
            at_site(movement.effective_at),
            at_site(movement.recorded_at),
        )
        for line in movement.lines or (None,):
            said = ", ".join(deviations[one] for one in line.deviations) if line is not None else ""
            yield Row(
                (
                    *head,
                    *_of_line(line, names, say),
                    movement.session,
                    movement.actor,
                    movement.reason,
                    _detail(movement, line, zone, say),
                    movement.cause,
                    movement.reverses,
                    movement.reversed_by,
                    said or None,
                ),
                Mark.ATTENTION if said else Mark.NONE,
            )


def _of_line(line: MovementLine | None, names: dict[str, str], say: Words) -> tuple[Value, ...]:
    if line is None:
        return (None,) * 7
    return (
        _name(line.product, names, say) if line.product is not None else line.subject,
        line.lot,
        line.location,
        line.containers or None,
        line.opened,
        _amount(line.nanolitres),
        _amount(line.nanograms),
    )


def _name(product: Product, names: dict[str, str], say: Words) -> str:
    found = names.get(product.pinned_id)
    if found is None:
        found = names[product.pinned_id] = product_name(product, say)
    return found


def _amount(millionths: int | None) -> Decimal | None:
    return Decimal(millionths).scaleb(_NANO) if millionths else None


def _detail(movement: Movement, line: MovementLine | None, zone: tzinfo | None, say: Words) -> str | None:
    """Say what the other columns leave out."""
    found: list[str] = []
    if movement.lapses_at is not None:
        found.append(say("kept until {moment}", moment=f"{local(movement.lapses_at, zone):%Y-%m-%d %H:%M}"))
    if movement.pick is not None:
        found.append(say("of pick {number}", number=movement.pick))
    if line is not None:
        found += _of_what(line, zone, say)
    return "; ".join(found) or None


def _of_fact(fact: str, value: str | None, say: Words) -> str:
    """Write the value of a fact as a person would; one that cannot be read as it is."""
    if value is None:
        return "–"
    if value in ("yes", "no"):
        return say("yes") if value == "yes" else say("no")
    price = _COST.fullmatch(value) if fact == "cost" else None
    if price is None:
        return value
    low, high = (f"{in_major_units(int(price[place]), price[3]):f}" for place in (1, 2))
    return f"{low} {price[3]}" if low == high else say("{low} to {high}", low=low, high=f"{high} {price[3]}")


def _of_what(line: MovementLine, zone: tzinfo | None, say: Words) -> Iterator[str]:
    if line.reserved is not None:
        yield say("kept: {count}", count=line.reserved)
    if line.reserved_nanolitres is not None:
        yield say(
            "kept: {volume} mL", volume=f"{Decimal(line.reserved_nanolitres).scaleb(_NANO).normalize():f}"
        )
    if line.counted is not None:
        yield say("counted: {count}", count=line.counted)
    if line.fact is not None:
        fact = say(FACTS[line.fact]) if line.fact in FACTS else line.fact
        if line.fact in _WITHOUT_VALUES:
            yield fact
        else:
            old, new = (_of_fact(line.fact, value, say) for value in (line.old, line.new))
            yield say("{fact}: {old} → {new}", fact=fact, old=old, new=new)
    if line.beyond_use_at is not None:
        yield say("use before {moment}", moment=f"{local(line.beyond_use_at, zone):%Y-%m-%d %H:%M}")
    if line.supplier is not None:
        yield say("from {supplier}", supplier=line.supplier)
    if line.serial is not None:
        yield say("serial {number}", number=line.serial)
    if line.remark is not None:
        yield line.remark
