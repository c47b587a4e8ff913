"""The stock as it stood on a day, or as it was known to stand, worked out from the ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from mesoformula.clock import day_end, site_day
from mesoformula.errors import LedgerError, OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.replaying import grouped, line_facts, lines_query, movement_facts, streamed
from mesoformula.stock.ledger.tally import RECEIPTS, LotSum, OpenedSum, Tally
from mesoformula.stock.records import Anchor, MovementKind, OnHand, Opened, StockView
from mesoformula.stock.views.lineage import lots_in
from mesoformula.stock.views.reading import head_of, read_assay, read_product, read_remarks, sessions_of


@attrs.frozen
class _Then:
    """
    What counts: what had happened by a moment, and was recorded by another.

    Attributes:
        until: What happened from then on does not count; microseconds since 1970.
        known: What was recorded from then on does not count; None for everything recorded.
    """

    until: int
    known: int | None

    def holds(self, movement: Any = schema.movement) -> ColumnElement[bool]:
        """Write the condition that a movement counts."""
        happened: ColumnElement[bool] = movement.c.effective_at < self.until
        return happened if self.known is None else and_(happened, movement.c.recorded_at < self.known)


def stock_on(store: Store, day: date, *, recorded_until: datetime | None = None) -> StockView:
    """
    Work out the stock as it stood at the end of a day at the site.

    Args:
        store: The stock; one that does not exist yet is empty.
        day: On the site's calendar; of today, what has happened so far.
        recorded_until: Leaves out what was recorded from this moment on, with a time zone; None counts late
            entries and corrections too.

    Returns:
        Lots, places, opened containers, facts and reservations as they held then.

    Raises:
        OrderError: If the day is yet to come.
        LedgerError: If the ledger, or a product record in it, cannot be read.
    """
    with store.reading() as connection:
        made_at = store.moment(connection).astimezone(UTC)
        today = site_day(made_at, store.zone)
        if day > today:
            raise OrderError(
                [Problem("on", f"{day} is yet to come; expected {today} or a day before, at the site")]
            )
        if connection is None:
            return StockView((), day, made_at, str(store), None)
        then = _Then(
            from_moment(day_end(day, store.zone)),
            from_moment(recorded_until) if recorded_until is not None else None,
        )
        try:
            return _view(store, connection, then, day, made_at)
        except (ValueError, TypeError, KeyError, OverflowError) as err:
            raise LedgerError(f"{store}: holds a day or moment that is none; run verify") from err


def _view(store: Store, connection: Connection, then: _Then, day: date, made_at: datetime) -> StockView:
    tally = _facts(connection, then)
    # Of today's picks, those that have lapsed by now keep nothing.
    moment = min(then.until, from_moment(made_at))
    kept: dict[tuple[int | None, int], int] = {}
    volumes: dict[int, int] = {}
    for one in tally.reservations.values():
        if one.lapses_at > moment:
            if one.opened is not None:
                volumes[one.opened] = volumes.get(one.opened, 0) + (one.nanolitres or 0)
            else:
                kept[one.lot, one.location] = kept.get((one.lot, one.location), 0) + (one.containers or 0)
    least = (
        (subject, int(one.value)) for (fact, subject), one in tally.standing.items() if fact == "minimum"
    )
    return StockView(
        _on_hand(store, connection, then, tally, kept),
        day,
        made_at,
        str(store),
        head_of(connection) if then.known is None else _head_then(connection, then.known),
        _opened(store, connection, then, tally, volumes),
        tuple(sorted(least)),
    )


def _head_then(connection: Connection, known: int) -> Anchor | None:
    table = schema.movement
    row = connection.execute(
        select(table.c.seq, table.c.hash)
        .where(table.c.recorded_at < known)
        .order_by(table.c.seq.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Anchor(row.seq, row.hash)


def _facts(connection: Connection, then: _Then) -> Tally:
    """Add up, in the order of recording, everything but whole containers that merely come and go."""
    movement, line = schema.movement, schema.movement_line
    tells = or_(
        movement.c.kind.in_(sorted((*RECEIPTS, MovementKind.PICK.value))),
        line.c.fact.is_not(None),
        line.c.opened.is_not(None),
    )
    lines = lines_query().join(movement, movement.c.seq == line.c.movement).where(then.holds(), tells)
    ends = and_(then.holds(), movement.c.pick.is_not(None))
    numbers = (
        select(line.c.movement).join(movement, movement.c.seq == line.c.movement).where(then.holds(), tells)
    )
    heads = select(movement).where(or_(movement.c.seq.in_(numbers), ends)).order_by(movement.c.seq)
    tally = Tally()
    found = grouped(streamed(connection, lines))
    pending = next(found, None)
    for row in streamed(connection, heads):
        mine: list[Any] = []
        if pending is not None and pending[0] == row.seq:
            mine, pending = pending[1], next(found, None)
        facts = movement_facts(row, ())
        tally.begin(facts)
        for one in mine:
            tally.add(facts, line_facts(one), one.lot, one.location)
    return tally


def _on_hand(
    store: Store,
    connection: Connection,
    then: _Then,
    tally: Tally,
    kept: dict[tuple[int | None, int], int],
) -> tuple[OnHand, ...]:
    line, movement, place, lot = schema.movement_line, schema.movement, schema.location, schema.lot
    containers = func.sum(line.c.containers).label("containers")
    rows = connection.execute(
        select(line.c.lot, line.c.location, containers)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(then.holds(), line.c.containers != 0, line.c.lot.is_not(None), line.c.location.is_not(None))
        .group_by(line.c.lot, line.c.location)
        .having(containers > 0)
    ).all()
    names = {row.id: row.name for row in connection.execute(select(place))}
    lots = _lots(connection, lot, {row.lot for row in rows})
    # What was found before the lot is known to have come has no delivery to tell its cost by.
    states = {
        row.lot: tally.lots.get((row.lot,)) or LotSum(then.until - 1, lots[row.lot].expiry, unpriced=1)
        for row in rows
    }
    remarks = read_remarks(connection, {one.remark for one in states.values() if one.remark is not None})
    found = []
    for row in rows:
        mine, state = lots[row.lot], states[row.lot]
        balance = tally.balances.get((row.lot, row.location))
        low, high = state.cost_low, state.cost_high
        found.append(
            OnHand(
                product=read_product(store, connection, mine.product_hash),
                lot=mine.number,
                location=names[row.location],
                containers=int(row.containers),
                expiry=_day(state.expiry),
                received_at=to_moment(state.received_at),
                supplier=state.supplier,
                unit_cost=low if low == high and not state.unpriced else None,
                currency=state.currency,
                reserved=kept.get((row.lot, row.location), 0),
                quarantined=bool(state.quarantined or (balance is not None and balance.quarantined)),
                recalled=bool(state.recalled),
                cost_range=(low, high)
                if low is not None and high is not None and (low != high or state.unpriced)
                else None,
                assay=read_assay(state.assay),
                remark=remarks.get(state.remark),
                partly_priced=bool(state.unpriced and low is not None),
            )
        )
    return tuple(sorted(found, key=_order))


def _order(entry: OnHand) -> tuple[str, int, bool, date, str, str]:
    product, expiry = entry.product, entry.expiry
    return product.id, product.revision, expiry is None, expiry or date.max, entry.lot, entry.location


def _opened(
    store: Store, connection: Connection, then: _Then, tally: Tally, volumes: dict[int, int]
) -> tuple[Opened, ...]:
    there = {number: one for (number,), one in sorted(tally.opened.items()) if not _gone(one)}
    inside = lots_in(connection, there)
    lots = _lots(connection, schema.lot, {one.lot for one in there.values() if one.lot is not None})
    names = {row.id: row.name for row in connection.execute(select(schema.location))}
    sessions = sessions_of(connection, there, until=then.until, known=then.known)
    result = []
    for number, one in there.items():
        states = [tally.lots[(lot,)] for lot in inside[number] if (lot,) in tally.lots]
        mine = lots.get(one.lot)
        result.append(
            Opened(
                id=number,
                product=read_product(store, connection, mine.product_hash) if mine is not None else None,
                lot=mine.number if mine is not None else None,
                name=one.name if mine is None else None,
                location=names[one.location],
                opened_at=to_moment(one.opened_at),
                beyond_use_at=to_moment(one.beyond_use_at) if one.beyond_use_at is not None else None,
                rule=one.rule,
                supplied_nanolitres=one.supplied_nanolitres,
                nanolitres=one.nanolitres,
                supplied_nanograms=one.supplied_nanograms,
                nanograms=one.nanograms,
                expiry=_earliest(states),
                reserved_nanolitres=volumes.get(number, 0),
                quarantined=_held(one, states),
                recalled=any(state.recalled for state in states),
                sessions=sessions.get(number, ()),
            )
        )
    return tuple(result)


def _gone(vessel: OpenedSum) -> bool:
    # The last of it may have gone with a late entry, of a moment when what was drawn later was still in it.
    return bool(vessel.gone) and not vessel.nanolitres and not vessel.nanograms


def _held(vessel: OpenedSum, states: Collection[LotSum]) -> bool:
    return bool(vessel.quarantined) or any(state.quarantined for state in states)


def _earliest(states: Collection[LotSum]) -> date | None:
    return _day(min((state.expiry for state in states if state.expiry is not None), default=None))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _lots(connection: Connection, table: Any, numbers: Collection[int]) -> dict[int | None, Any]:
    found: dict[int | None, Any] = {}
    for batch in batches(sorted(numbers)):
        rows = connection.execute(select(table).where(table.c.id.in_(batch)))
        found.update((row.id, row) for row in rows)
    return found
