"""What the lots of a preparation say against it: the checks of a session know products, not lots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo

from mesoformula.findings import Finding, Severity
from mesoformula.preparations import FEWER_LOTS, KeptUntil, LotTaken
from mesoformula.sessions import SessionQuantities
from mesoformula.stock.records import Deviation

# Of what was used, the ledger tells what it was at that moment; of what is kept, this module does.
_RECALLED, _QUARANTINED = "lot-recalled", "lot-quarantined"
_EXPIRED, _BEYOND_USE = "lot-expired", "lot-beyond-use"
_DEVIATIONS = {
    Deviation.RECALLED: (_RECALLED, "was recalled when it was used"),
    Deviation.RECALLED_SINCE: (_RECALLED, "has been recalled since it was used"),
    Deviation.QUARANTINED: (_QUARANTINED, "was in quarantine when it was used"),
    Deviation.EXPIRED: (_EXPIRED, "was expired when it was used"),
    Deviation.BEYOND_USE: (_BEYOND_USE, "was beyond its use when it was used"),
}


def lot_findings(
    quantities: SessionQuantities,
    lots: Sequence[LotTaken],
    limits: Sequence[KeptUntil],
    *,
    day: date,
    at: datetime,
    prepared_at: datetime | None,
    zone: tzinfo,
) -> tuple[Finding, ...]:
    """
    Tell what speaks against preparing a session from its lots.

    Args:
        quantities: Of the session.
        lots: That are kept or used for it.
        limits: All that limits how long the preparation keeps, the one that governs first.
        day: On which lots must not have expired.
        at: The moment at which opened containers must not be beyond use.
        prepared_at: When it is prepared; None if that is not known.
        zone: Of the site.

    Returns:
        A block for each lot that must not be used, and a warning for each product of which the ledger names
        less than the session takes, the blocks first.
    """
    found = [one for lot in lots for one in _of_lot(lot, day, at, zone)]
    until = limits[0].until if limits else None
    if not found and prepared_at is not None and until is not None and until <= prepared_at:
        message = (
            f"it would be beyond use at {_moment(until, zone)}, before it is prepared: {limits[0].reason}"
        )
        found.append(Finding(_BEYOND_USE, Severity.BLOCK, quantities.session.formula.id, message))
    return (*dict.fromkeys(found), *_fewer(quantities, lots))


def _of_lot(lot: LotTaken, day: date, at: datetime, zone: tzinfo) -> Iterator[Finding]:
    called = f"{lot.product.name}: lot {lot.lot}"
    told = {_DEVIATIONS[one][0]: _DEVIATIONS[one][1] for one in lot.deviations if one in _DEVIATIONS}
    if lot.is_recalled:
        told.setdefault(_RECALLED, "is recalled")
    if lot.is_quarantined:
        told.setdefault(_QUARANTINED, "is in quarantine")
    if lot.used_at is None and lot.expiry is not None and lot.expiry < day:
        told.setdefault(_EXPIRED, f"may be used through {lot.expiry}, which is before {day}")
    if lot.used_at is None and lot.beyond_use_at is not None and lot.beyond_use_at <= at:
        moment = _moment(lot.beyond_use_at, zone)
        told.setdefault(_BEYOND_USE, f"opened container {lot.opened}, was to be used before {moment}")
    for code, text in told.items():
        comma = "," if text.startswith("opened") else ""
        yield Finding(code, Severity.BLOCK, lot.product.id, f"{called}{comma} {text}")


def _fewer(quantities: SessionQuantities, lots: Sequence[LotTaken]) -> Iterator[Finding]:
    """Compare what the ledger names of each product with what the session takes of it."""
    if not lots:
        return
    from mesoformula.stock.picks.choosing import container_volume
    from mesoformula.stock.picks.picking import wants_of

    products = {line.product.id: line.product for line in quantities.lines}
    wants = [want for want, _lines in wants_of(quantities)]
    for id_, product in products.items():
        taken = [one for one in lots if one.product.id == id_]
        of_product = [one for one in wants if one.product == product.pinned_id]
        if not taken:
            continue
        containers = sum(one.containers for one in taken)
        needed = sum(one.containers or 0 for one in of_product)
        volumes = [one.nanolitres for one in of_product if one.nanolitres is not None]
        each = container_volume(product)
        if each is not None and len(volumes) == len(of_product):
            # Lines share what is opened of a multi-dose product, so that volumes count.
            held = containers * each + sum(one.nanolitres or 0 for one in taken)
            is_fewer, names, takes = held < sum(volumes), f"{_ml(held)} mL", f"{_ml(sum(volumes))} mL"
        elif all(one.opened is None for one in taken):
            is_fewer, names, takes = containers < needed, _containers(containers), str(needed)
        else:
            continue
        if is_fewer:
            message = f"{product.name}: the ledger names {names} for it, and it takes {takes}: pick the rest"
            yield Finding(FEWER_LOTS, Severity.WARN, id_, message)


def _containers(count: int) -> str:
    return "1 container" if count == 1 else f"{count} containers"


def _ml(nanolitres: int) -> str:
    from decimal import Decimal

    from mesoformula.units import plain

    return plain(Decimal(nanolitres).scaleb(-6))


def _moment(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
