"""Where a lot went and what a session was made of, told to people and to machines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from mesoformula.cli.common import counted
from mesoformula.cli.stock.telling import (
    amount_text,
    containers_text,
    left_text,
    local_text,
    mass_plain,
    volume_plain,
    volume_text,
)
from mesoformula.stock.lots.judging import said_of
from mesoformula.stock.records import MovementKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mesoformula.products import Product
    from mesoformula.stock.records import OnHand, Opened
    from mesoformula.stock.views.traces import Arrived, Changed, Kept, Trace, TracedLot, Vessel, Went

#: What each kind of change is called where its containers are added up.
_CALLED = {MovementKind.WASTE: "wasted", MovementKind.RETURN: "returned"}


def trace_texts(trace: Trace, zone: tzinfo) -> Iterator[str]:
    """
    Tell a trace, but for the table of uses.

    Args:
        trace: Of a lot or a session.
        zone: Of the site.

    Yields:
        Sentences.
    """
    products = {one.product.pinned_id: one.product for one in trace.lots}
    for lot in trace.lots:
        yield _lot_text(lot)
    for one in trace.arrived:
        yield _arrived_text(one, products[one.product], zone, named=trace.reference is not None)
    for place in trace.left:
        yield _left_text(place)
    for vessel in trace.opened:
        yield _opened_text(vessel, zone)
    for change in trace.changed:
        yield _changed_text(change, products[change.product], zone)
    for kept in trace.kept:
        yield _kept_text(kept, products.get(kept.product or ""), zone)


def used_rows(trace: Trace, zone: tzinfo) -> list[tuple[str, ...]]:
    """
    Write the rows of the table of uses.

    Args:
        trace: Of a lot or a session.
        zone: Of the site.

    Returns:
        When, whom for (of a session: what), how much, through what, and what there is to say.
    """
    lots = {(one.product.pinned_id, one.lot): one for one in trace.lots}
    rows: list[tuple[str, ...]] = []
    for one in trace.went:
        lot = lots[one.product, one.lot]
        notes = []
        if one.reversed_by is not None:
            notes.append(f"REVERSED by movement {one.reversed_by}, not counted")
        if one.deviations:
            notes.append(f"DEVIATION: {said_of(one.deviations)}")
        if trace.reference is not None and lot.recalled:
            notes.append("RECALLED")
        if trace.reference is not None and lot.quarantined:
            notes.append("QUARANTINED")
        if one.device is not None:
            notes.append(f"device {one.device}" + (f", serial {one.serial}" if one.serial else ""))
        what = one.reference or "no session"
        if trace.reference is not None:
            what = f"{lot.product.name} lot {one.lot}"
        rows.append(
            (
                local_text(one.at, zone),
                what,
                _quantity_text(one, lot.product),
                _via_text(one.via),
                str(one.movement),
                "; ".join(notes),
            )
        )
    return rows


def summary(trace: Trace) -> str:
    """
    Say in one sentence how far a lot went.

    Args:
        trace: Of a lot.

    Returns:
        Such as `used in 2 sessions: S-0001, S-0002`.
    """
    sessions = trace.sessions
    if not sessions:
        return "used in no session"
    return f"used in {counted(len(sessions), 'session')}: {', '.join(sessions)}"


def _lot_text(lot: TracedLot) -> str:
    text = f"lot {lot.lot} of {lot.product.name} ({lot.product.pinned_id})"
    text += f", usable through {lot.expiry}" if lot.expiry is not None else ", no expiry"
    if lot.recalled:
        text += ": RECALLED, blocked everywhere"
    elif lot.quarantined:
        text += ": QUARANTINED everywhere"
    return text


def _arrived_text(one: Arrived, product: Product, zone: tzinfo, *, named: bool) -> str:
    text = f"came: {containers_text(product, one.containers)}"
    if named:
        text += f" of {product.name} lot {one.lot}"
    text += f" on {local_text(one.at, zone)}"
    text += f" from {one.supplier}" if one.supplier is not None else ", supplier not recorded"
    text += f" (movement {one.movement})"
    return text + _reversed_text(one.reversed_by)


def _left_text(one: OnHand) -> str:
    text = f"left: {containers_text(one.product, one.containers)} at {one.location}"
    if one.reserved:
        text += f", {one.reserved} of them kept for picks"
    if one.recalled or one.quarantined:
        text += ": blocked"
    return text


def _opened_text(one: Opened, zone: tzinfo) -> str:
    what = f"mixture {one.id} {one.name}" if one.name is not None else f"opened container {one.id}"
    text = f"left: {what} at {one.location}"
    rest = left_text(one)
    text += f" with at least {rest}" if rest else ", how much is not known"
    if one.beyond_use_at is not None:
        text += f", use before {local_text(one.beyond_use_at, zone)}"
    if one.recalled or one.quarantined:
        text += ": blocked"
    return text


def _changed_text(one: Changed, product: Product, zone: tzinfo) -> str:
    called = _CALLED.get(one.kind, one.kind.value)
    sign = "" if one.kind in _CALLED else "+" if one.containers > 0 or (one.nanolitres or 0) > 0 else "-"
    amounts = []
    if one.containers:
        amounts.append(f"{sign}{containers_text(product, abs(one.containers))}")
    rest = amount_text(
        abs(one.nanolitres) if one.nanolitres is not None else None,
        abs(one.nanograms) if one.nanograms is not None else None,
    )
    if rest:
        amounts.append(f"{sign}{rest}")
    text = f"{called}: {' and '.join(amounts)}"
    if one.via:
        text += f" of {_via_text(one.via)}"
    text += f" on {local_text(one.at, zone)}"
    if one.kind is MovementKind.RETURN and one.supplier is not None:
        text += f" to {one.supplier}"
    return f"{text} (movement {one.movement}){_reversed_text(one.reversed_by)}"


def _kept_text(one: Kept, product: Product | None, zone: tzinfo) -> str:
    whom = f" for {one.reference}" if one.reference is not None else ""
    what = []
    if one.containers:
        what.append(
            containers_text(product, one.containers) if product else counted(one.containers, "container")
        )
    if one.opened is not None:
        drawn = f"{volume_text(one.nanolitres)} of " if one.nanolitres is not None else ""
        what.append(f"{drawn}opened container {one.opened}")
    until = local_text(one.lapses_at, zone)
    when = f"lapsed on {until}" if one.lapsed else f"until {until}"
    return f"kept by pick {one.pick}{whom}: {' and '.join(what)} at {one.location}, {when}"


def _reversed_text(reversed_by: int | None) -> str:
    return "" if reversed_by is None else f": REVERSED by movement {reversed_by}, not counted"


def _quantity_text(one: Went, product: Product) -> str:
    if one.containers:
        return containers_text(product, one.containers)
    return amount_text(one.nanolitres, one.nanograms) or "not measured"


def _via_text(via: Sequence[Vessel]) -> str:
    return ", then ".join(
        f"mixture {one.id} {one.name}" if one.name is not None else f"opened container {one.id}"
        for one in via
    )


def trace_plain(trace: Trace) -> dict[str, Any]:
    """
    Bring a trace to plain data for JSON.

    Args:
        trace: Of a lot or a session.

    Returns:
        All of it.
    """
    plain: dict[str, Any] = {
        "reference": trace.reference,
        "lots": [
            {
                "product": one.product.pinned_id,
                "name": one.product.name,
                "lot": one.lot,
                "expiry": one.expiry.isoformat() if one.expiry is not None else None,
                "quarantined": one.quarantined,
                "recalled": one.recalled,
                "suppliers": list(one.suppliers),
            }
            for one in trace.lots
        ],
        "sessions": list(trace.sessions),
        "arrived": [
            {
                "movement": one.movement,
                "at": one.at.isoformat(),
                "product": one.product,
                "lot": one.lot,
                "containers": one.containers,
                "location": one.location,
                "supplier": one.supplier,
                "reversed_by": one.reversed_by,
            }
            for one in trace.arrived
        ],
        "went": [_went_plain(one) for one in trace.went],
        "changed": [_changed_plain(one) for one in trace.changed],
        "left": [
            {
                "product": one.product.pinned_id,
                "lot": one.lot,
                "location": one.location,
                "containers": one.containers,
                "reserved": one.reserved,
                "quarantined": one.quarantined,
                "recalled": one.recalled,
            }
            for one in trace.left
        ],
        "opened": [opened_plain(one) for one in trace.opened],
        "kept": [
            {
                "pick": one.pick,
                "reference": one.reference,
                "lapses_at": one.lapses_at.isoformat(),
                "lapsed": one.lapsed,
                "product": one.product,
                "lot": one.lot,
                "location": one.location,
                "containers": one.containers or None,
                "opened": one.opened,
                "volume": volume_plain(one.nanolitres),
            }
            for one in trace.kept
        ],
    }
    return plain


def opened_plain(one: Opened) -> dict[str, Any]:
    """
    Bring an opened container to plain data for JSON.

    Args:
        one: An opened container or a mixture.

    Returns:
        All of it; what is left is `at_least`, as overfill is not known.
    """
    left = (volume_plain(one.nanolitres) or mass_plain(one.nanograms)) if left_text(one) else None
    return {
        "opened": one.id,
        "product": one.product.pinned_id if one.product is not None else None,
        "name": one.product.name if one.product is not None else one.name,
        "mixture": one.product is None,
        "lot": one.lot,
        "location": one.location,
        "opened_at": one.opened_at.isoformat(),
        "beyond_use_at": one.beyond_use_at.isoformat() if one.beyond_use_at is not None else None,
        "rule": one.rule,
        "supplied": volume_plain(one.supplied_nanolitres) or mass_plain(one.supplied_nanograms),
        "left": {"kind": "at_least", **left} if left is not None else None,
        "reserved": volume_plain(one.reserved_nanolitres or None),
        "expiry": one.expiry.isoformat() if one.expiry is not None else None,
        "quarantined": one.quarantined,
        "recalled": one.recalled,
        "sessions": list(one.sessions),
    }


def _went_plain(one: Went) -> dict[str, Any]:
    return {
        "movement": one.movement,
        "reference": one.reference,
        "at": one.at.isoformat(),
        "product": one.product,
        "lot": one.lot,
        "containers": one.containers or None,
        "volume": volume_plain(one.nanolitres),
        "mass": mass_plain(one.nanograms),
        "via": _via_plain(one.via),
        "location": one.location,
        "device": one.device,
        "serial": one.serial,
        "deviations": [deviation.value for deviation in one.deviations],
        "reversed_by": one.reversed_by,
    }


def _changed_plain(one: Changed) -> dict[str, Any]:
    return {
        "movement": one.movement,
        "kind": one.kind.value,
        "at": one.at.isoformat(),
        "product": one.product,
        "lot": one.lot,
        "containers": one.containers or None,
        "volume": volume_plain(one.nanolitres),
        "mass": mass_plain(one.nanograms),
        "via": _via_plain(one.via),
        "location": one.location,
        "supplier": one.supplier,
        "reversed_by": one.reversed_by,
    }


def _via_plain(via: Sequence[Vessel]) -> list[dict[str, Any]]:
    return [{"opened": one.id, "mixture": one.name} for one in via]
