"""From the answer to a session to its preparation: lots by the ledger, and until when it may be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple

import attrs

from mesoformula.clock import day_end, day_start, site_day
from mesoformula.errors import OrderError, Problem
from mesoformula.findings import Severity, standing
from mesoformula.lot_findings import lot_findings
from mesoformula.preparations import KeptUntil, LotTaken, Preparation
from mesoformula.products import Form, Product
from mesoformula.stock.opened.beyond_use import EXPIRY, STABILITY, Bound, beyond_use, end_of_period
from mesoformula.units import magnitude, show

if TYPE_CHECKING:
    from mesoformula.app import Answer
    from mesoformula.keeping import BeyondUseRule
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Anchor
    from mesoformula.stock.views.traces import Trace, TracedLot, Went
    from mesoformula.units import Quantity

#: What governs a mixture where it is no rule of a catalogue; the ledger says the same of one that it keeps.
STATED = "mixture:stated-period"
NOT_STATED = "mixture:not-stated"
#: What governs what is drawn from an opened container that serves one session.
OPENED = "opened:session"

#: A mixture that is said to keep for less is none.
_LEAST_SECONDS = 60


@attrs.frozen
class Stability:
    """
    How long somebody says that a preparation keeps.

    Attributes:
        period: After it is prepared; [time].
        says: Who says so.
    """

    period: Quantity
    says: str


def preparation(
    answer: Answer,
    rules: Sequence[BeyondUseRule],
    *,
    zone: tzinfo,
    store: Store | None = None,
    reference: str | None = None,
    by: str | None = None,
    prepared_at: datetime | None = None,
    keeps: Stability | None = None,
) -> Preparation:
    """
    Say how a session is prepared: from which lots, and until when it may be used.

    A mixture keeps no longer than anything that goes into it, and only for as long as somebody says: without
    that it serves this session. What is said of its stability never lengthens what a rule allows.

    Args:
        answer: The session, worked out and checked.
        rules: Of the catalogues, on how long opened containers keep.
        zone: Of the site.
        store: The stock; None to name no lots.
        reference: Of the session; what the stock keeps for it, or has recorded as used, is named.
        by: Who prepares it.
        prepared_at: When, with a time zone; None if that is not known yet.
        keeps: How long somebody says that it keeps.

    Returns:
        The preparation, which is not ready if a lot must not be used. Uses under the same reference on other
        days than the session's are only counted; a session without a day is today's.

    Raises:
        OrderError: If the reference is none, the moment has no time zone or is after the day of the session,
            or the period is too short.
        QuantityError: If the period is no time.
        StockError: If the store cannot be read.
    """
    session = answer.quantities.session
    _check(prepared_at, keeps, session.on, zone)
    now = datetime.now(UTC)
    day = session.on or site_day(prepared_at or now, zone)
    lots: tuple[LotTaken, ...] = ()
    anchor, left_out = None, 0
    if store is not None:
        anchor = _head(store)
        if reference is not None:
            lots, left_out = lots_of(store, reference, day)
    limits = _limits(answer, lots, rules, zone, prepared_at, keeps)
    governs = limits[0]
    start = day_start(day, zone)
    at = max(prepared_at or (now if day == site_day(now, zone) else start), start)
    of_lots = lot_findings(
        answer.quantities, lots, limits, day=day, at=at, prepared_at=prepared_at, zone=zone
    )
    weights = list(Severity)
    findings = sorted((*of_lots, *answer.findings), key=lambda one: weights.index(one.severity))
    return Preparation(
        quantities=answer.quantities,
        findings=tuple(findings),
        overrides=answer.overrides,
        ready=answer.ready and not standing(of_lots),
        reference=reference,
        lots=lots,
        by=by,
        prepared_at=prepared_at.astimezone(UTC) if prepared_at is not None else None,
        beyond_use_at=governs.until,
        beyond_use_rule=governs.reason,
        anchor=anchor,
        store=str(store) if store is not None else None,
        limits=limits,
        left_out=left_out,
        day=day,
        lot_findings=of_lots,
    )


def _check(prepared_at: datetime | None, keeps: Stability | None, day: date | None, zone: tzinfo) -> None:
    problems = []
    if prepared_at is not None and prepared_at.utcoffset() is None:
        problems.append(
            Problem("at", "the moment of preparation has no time zone; expected one, such as +01:00")
        )
    elif prepared_at is not None and day is not None and site_day(prepared_at, zone) > day:
        moment = f"{prepared_at.astimezone(zone):%Y-%m-%d %H:%M}"
        problems.append(
            Problem(
                "at", f"prepared {moment} for a session on {day}; expected a moment of that day or before"
            )
        )
    if keeps is not None:
        if magnitude(keeps.period, "s") < _LEAST_SECONDS:
            problems.append(Problem("keep", f"{show(keeps.period)}: expected at least 1 min"))
        if not keeps.says.strip() or not keeps.says.isprintable():
            problems.append(Problem("keep", f"who says that it keeps {show(keeps.period)}? name the source"))
    if problems:
        raise OrderError(problems)


# ---- lots --------------------------------------------------------------------------------------------------


def _head(store: Store) -> Anchor | None:
    from mesoformula.stock.views.reading import head_of

    with store.reading() as connection:
        return None if connection is None else head_of(connection)


def lots_of(store: Store, reference: str, day: date | None = None) -> tuple[tuple[LotTaken, ...], int]:
    """
    List the lots that the ledger names for a session.

    Args:
        store: The stock.
        reference: Of the session.
        day: At the site; uses on other days are only counted. None counts in all.

    Returns:
        What was used, then what picks keep, and how many uses were left out. A use that was taken back does
        not count; nothing recorded is no lots.

    Raises:
        OrderError: If it is no reference.
        StockError: If the store cannot be read.
    """
    from mesoformula.stock.ledger.orders import check_reference
    from mesoformula.stock.picks.reservations import picks
    from mesoformula.stock.views.tracing import trace_session

    problems: list[Problem] = []
    checked = check_reference(problems, reference)
    if problems or checked is None:
        raise OrderError(problems)
    try:
        trace = trace_session(store, checked)
    except OrderError:
        return (), 0  # nothing was recorded for it
    went = [one for one in trace.went if one.reversed_by is None]
    of_day = [one for one in went if day is None or site_day(one.at, store.zone) == day]
    found = list(_used(store, trace, of_day))
    for pick in picks(store):
        if pick.reference == checked:
            for one in pick.taken:
                known = _traced(store, one.product, one.lot)
                found.append(
                    LotTaken(
                        product=one.product,
                        lot=one.lot,
                        expiry=one.expiry,
                        containers=one.containers,
                        location=one.location,
                        opened=one.opened,
                        nanolitres=one.nanolitres if one.opened is not None else None,
                        beyond_use_at=one.beyond_use_at,
                        suppliers=known.suppliers if known is not None else (),
                        has_lapsed=pick.lapsed,
                        is_recalled=known is not None and known.recalled,
                        is_quarantined=known is not None and known.quarantined,
                    )
                )
    return tuple(found), len(went) - len(of_day)


def _used(store: Store, trace: Trace, went: Iterable[Went]) -> Iterator[LotTaken]:
    """Tell what was used of each lot, with the opened container that it came from."""
    lots = {(one.product.pinned_id, one.lot): one for one in trace.lots}
    went = list(went)
    opened = _opened(store, {one.via[-1].id for one in went if one.via})
    for one in went:
        lot = lots[one.product, one.lot]
        vessel = opened.get(one.via[-1].id) if one.via else None
        yield LotTaken(
            product=lot.product,
            lot=one.lot,
            expiry=lot.expiry,
            containers=one.containers,
            location=one.location or "",
            opened=one.via[-1].id if one.via else None,
            nanolitres=one.nanolitres if one.via else None,
            beyond_use_at=vessel[0] if vessel is not None else None,
            rule=vessel[1] if vessel is not None else None,
            suppliers=lot.suppliers,
            used_at=one.at,
            is_recalled=lot.recalled,
            is_quarantined=lot.quarantined,
            deviations=one.deviations,
        )


def _opened(store: Store, numbers: set[int]) -> dict[int, tuple[datetime | None, str | None]]:
    """Read when opened containers must be gone, and by which rule, those that are gone included."""
    if not numbers:
        return {}
    from mesoformula.stock.views.reading import read_opened

    with store.reading() as connection:
        if connection is None:
            return {}
        found = read_opened(store, connection, store.moment(connection), numbers=numbers)
    return {one.id: (one.beyond_use_at, one.rule) for one in found}


def _traced(store: Store, product: Product, lot: str) -> TracedLot | None:
    from mesoformula.stock.views.tracing import trace_lot

    traced = trace_lot(store, product.pinned_id, lot).lots
    return next((one for one in traced if one.product.pinned_id == product.pinned_id), None)


# ---- beyond use --------------------------------------------------------------------------------------------


class _Limit(NamedTuple):
    """A bound, and whether it is the same whenever the preparation is made."""

    bound: Bound
    is_fixed: bool = False


def _limits(
    answer: Answer,
    lots: Sequence[LotTaken],
    rules: Sequence[BeyondUseRule],
    zone: tzinfo,
    prepared_at: datetime | None,
    keeps: Stability | None,
) -> tuple[KeptUntil, ...]:
    """List all that limits how long the preparation keeps, the one that governs first."""
    # Whether something serves one session does not depend on the moment: any will do to find that out.
    at = prepared_at if prepared_at is not None else datetime.now(UTC)
    lines = answer.quantities.lines
    is_mixed = len({(line.product.pinned_id, line.part) for line in lines}) > 1
    limits: list[_Limit] = []
    for product in {line.product.pinned_id: line.product for line in lines}.values():
        of_product = [one for one in lots if one.product.id == product.id]
        limits += _of_product(product, of_product, rules, zone, at, is_mixed=is_mixed)
    if keeps is not None:
        reason = f"{show(keeps.period)} after preparation, as {keeps.says.strip()} says"
        limits.append(_Limit(Bound(STATED, end_of_period(keeps.period, at, zone), reason)))
    elif is_mixed:
        reason = "how long the mixture keeps is not stated: this session only"
        limits.append(_Limit(Bound(NOT_STATED, None, reason)))
    limits.sort(key=lambda limit: _order(limit.bound, at))
    return tuple(dict.fromkeys(_kept_until(limit, prepared_at) for limit in limits))


def _of_product(
    product: Product,
    lots: Sequence[LotTaken],
    rules: Sequence[BeyondUseRule],
    zone: tzinfo,
    at: datetime,
    *,
    is_mixed: bool,
) -> Iterator[_Limit]:
    """Bound the preparation by one product, and by the lots of it."""
    called = product.name
    prepared = any(part.form is Form.POWDER for part in product.parts)
    if not lots or any(one.opened is None for one in lots):
        fresh = beyond_use(product, at, None, zone, rules, prepared=prepared)
        first = Bound(fresh.rule, fresh.until, fresh.reason, fresh.source)
        for bound in (first, *fresh.others):
            if bound.applies:
                yield _Limit(attrs.evolve(bound, reason=f"{called}: {bound.reason}"))
    if is_mixed and not prepared and product.stability_after_preparation is not None:
        period = product.stability_after_preparation
        reason = f"{called}: {show(period)} after preparation, as the maker states"
        source = product.sources[0] if product.sources else None
        yield _Limit(Bound(STABILITY, end_of_period(period, at, zone), reason, source))
    for one in lots:
        if one.expiry is not None:
            reason = f"{called}: lot {one.lot} may be used through {one.expiry}"
            yield _Limit(Bound(EXPIRY, day_end(one.expiry, zone), reason), is_fixed=True)
        if one.opened is not None:
            kept = "serves one session" if one.beyond_use_at is None else "was opened before"
            reason = f"{called}: opened container {one.opened} of lot {one.lot} {kept}"
            yield _Limit(Bound(one.rule or OPENED, one.beyond_use_at, reason), is_fixed=True)


def _order(bound: Bound, at: datetime) -> tuple[int, datetime]:
    """Put first what had passed before, then the session, then the earliest moment."""
    if bound.until is None:
        return 1, at
    return (0 if bound.until <= at else 2), bound.until


def _kept_until(limit: _Limit, prepared_at: datetime | None) -> KeptUntil:
    bound, source = limit.bound, limit.bound.source
    return KeptUntil(
        rule=bound.rule,
        reason=bound.reason,
        until=bound.until if limit.is_fixed or prepared_at is not None else None,
        is_session_only=bound.until is None,
        source=f"{source.kind.value}: {source.where}" if source is not None else None,
    )
