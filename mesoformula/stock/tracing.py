"""
Both ways through the ledger: from a lot to every session, and from a session to every lot.

A lot is followed into opened containers, mixtures, and mixtures of mixtures, in a few queries per generation
however many rows there are. What was taken back by a reversal is listed as reversed, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock import schema
from mesoformula.stock.appending import batches
from mesoformula.stock.lineage import Path, ways_from, ways_into
from mesoformula.stock.lots import find_revisions
from mesoformula.stock.moments import from_moment, to_moment
from mesoformula.stock.orders import check_reference
from mesoformula.stock.reading import read_on_hand, read_opened, read_product
from mesoformula.stock.records import Deviation, MovementKind
from mesoformula.stock.store import Store
from mesoformula.stock.tally import RECEIPTS
from mesoformula.stock.traces import Arrived, Changed, Kept, Trace, TracedLot, Vessel, Went
from mesoformula.words import nearest, shown

_USE = MovementKind.USE.value
# Kinds whose whole containers came, went or turned out not to be there, without a session.
_CHANGES = frozenset(
    kind.value
    for kind in (
        MovementKind.WASTE,
        MovementKind.RETURN,
        MovementKind.ADJUST,
        MovementKind.COUNT,
        MovementKind.COMPENSATION,
    )
)


def trace_lot(store: Store, product: str, lot: str) -> Trace:
    """
    Follow a lot to every session, through every preparation.

    Args:
        store: The stock.
        product: `vendor/sku`, which means the lot under every revision, or `vendor/sku@revision`.
        lot: The maker's lot number.

    Returns:
        What came, what is left, and where the rest went.

    Raises:
        OrderError: If the stock never held it, with what comes near.
        StockError: If the store cannot be read.
    """
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", f"the stock is empty: {store}; is the path right?")])
        numbers = [one.id for one in find_revisions(connection, product, lot)]
        now = store.moment(connection)
        ways = ways_from(connection, numbers)
        names = _Names(store, connection, numbers, ways)
        rows = _rows(connection, numbers, ways)
        arrived, went, changed = _sorted_out(names, rows, ways)
        opened = _there(connection, ways)
        return Trace(
            reference=None,
            lots=names.traced(arrived),
            arrived=arrived,
            went=went,
            changed=changed,
            left=read_on_hand(store, connection, now, lots=numbers),
            opened=read_opened(store, connection, now, numbers=opened) if opened else (),
            kept=_kept(connection, now, lots=numbers, opened=ways),
        )


def trace_session(store: Store, reference: str) -> Trace:
    """
    Find everything that went into a session, through every preparation, back to who delivered it.

    Args:
        store: The stock.
        reference: Of the session.

    Returns:
        Lots, their receipts, and how each was used.

    Raises:
        OrderError: If it is no reference, or nothing was recorded for it, with what comes near.
        StockError: If the store cannot be read.
    """
    problems: list[Problem] = []
    reference = check_reference(problems, reference) or ""
    if problems:
        raise OrderError(problems)
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", f"the stock is empty: {store}; is the path right?")])
        rows = [
            row for row in connection.execute(_query(schema.movement.c.session == reference)) if _used(row)
        ]
        now = store.moment(connection)
        kept = _kept(connection, now, reference=reference)
        if not rows and not kept:
            _known(connection, reference)
        ways = ways_into(connection, dict.fromkeys(row.opened for row in rows if row.opened is not None))
        numbers = {row.lot for row in rows if row.opened is None and row.lot is not None}
        numbers.update(lot for found in ways.values() for lot in found)
        names = _Names(store, connection, sorted(numbers), ways)
        _none, went, _none_either = _sorted_out(names, rows, ways)
        arrived = _arrivals(names, connection, sorted(numbers))
        return Trace(reference, names.traced(arrived), arrived, went, kept=kept)


class _Names:
    """What lots, opened containers and mixtures are called."""

    def __init__(
        self,
        store: Store,
        connection: Connection,
        lots: Collection[int],
        ways: Mapping[int, Mapping[int, Path]],
    ) -> None:
        lot, state, table = schema.lot, schema.lot_state, schema.opened
        self.states: dict[int, Any] = {}
        self.lots: dict[int, tuple[str, str]] = {}
        self.products: dict[int, Product] = {}
        for batch in batches(lots):
            rows = connection.execute(
                select(
                    lot.c.id,
                    lot.c.product_hash,
                    lot.c.number,
                    state.c.expiry,
                    state.c.quarantined,
                    state.c.recalled,
                )
                .join(state, state.c.lot == lot.c.id)
                .where(lot.c.id.in_(batch))
                .order_by(lot.c.product_id, lot.c.number, lot.c.revision)
            )
            for row in rows:
                product = read_product(store, connection, row.product_hash)
                self.states[row.id], self.products[row.id] = row, product
                self.lots[row.id] = product.pinned_id, row.number
        passed = {number for found in ways.values() for way in found.values() for number in way}
        self.vessels: dict[int, Vessel] = {}
        for batch in batches(sorted(passed)):
            for number, name in connection.execute(
                select(table.c.id, table.c.name).where(table.c.id.in_(batch))
            ):
                self.vessels[number] = Vessel(number, name)

    def via(self, way: Path) -> tuple[Vessel, ...]:
        """Name what is on a way."""
        return tuple([self.vessels[number] for number in way])

    def traced(self, arrived: Iterable[Arrived]) -> tuple[TracedLot, ...]:
        """Tell what is known of the lots."""
        suppliers: dict[tuple[str, str], dict[str, None]] = {}
        for one in arrived:
            if one.supplier is not None and one.reversed_by is None:
                suppliers.setdefault((one.product, one.lot), {})[one.supplier] = None
        return tuple(
            TracedLot(
                product=self.products[number],
                lot=row.number,
                expiry=date.fromisoformat(row.expiry) if row.expiry is not None else None,
                quarantined=bool(row.quarantined),
                recalled=bool(row.recalled),
                suppliers=tuple(suppliers.get(self.lots[number], ())),
            )
            for number, row in self.states.items()
        )


def _query(*where: Any) -> Any:
    line, movement, place = schema.movement_line, schema.movement, schema.location
    back = movement.alias("back")
    return (
        select(
            line.c.movement,
            line.c.line,
            movement.c.kind,
            movement.c.effective_at,
            movement.c.session,
            line.c.lot,
            line.c.opened,
            line.c.containers,
            line.c.nanolitres,
            line.c.nanograms,
            line.c.fact,
            line.c.supplier,
            line.c.device,
            line.c.serial,
            line.c.deviation,
            place.c.name.label("place"),
            back.c.seq.label("reversed_by"),
        )
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .outerjoin(place, place.c.id == line.c.location)
        .outerjoin(back, back.c.reverses == line.c.movement)
        .where(*where)
        .order_by(movement.c.effective_at, line.c.movement, line.c.line)
    )


def _rows(connection: Connection, lots: Collection[int], ways: Mapping[int, Any]) -> list[Any]:
    """Read every line about lots, and about what they went into."""
    line = schema.movement_line
    found: dict[tuple[int, int], Any] = {}
    for column, values in ((line.c.lot, lots), (line.c.opened, ways)):
        for batch in batches(values):
            for row in connection.execute(_query(column.in_(batch))):
                found[row[0], row[1]] = row
    return sorted(found.values(), key=lambda row: (row[3], row[0], row[1]))


def _used(row: Any) -> bool:
    # What an opened container turned out to hold beyond its label comes into it, and is no use.
    return row.kind == _USE and row.fact is None


def _sorted_out(
    names: _Names, rows: Iterable[Any], ways: Mapping[int, Mapping[int, Path]]
) -> tuple[tuple[Arrived, ...], tuple[Went, ...], tuple[Changed, ...]]:
    """Tell lines that came from those that went, one entry for each lot that a line is about."""
    arrived, went, changed = [], [], []
    for row in rows:
        (
            seq,
            _line,
            kind,
            at,
            session,
            lot_id,
            opened,
            containers,
            nanolitres,
            nanograms,
            fact,
            supplier,
            device,
            serial,
            deviation,
            place,
            reversed_by,
        ) = row
        if kind in RECEIPTS:
            arrived.append(
                Arrived(seq, to_moment(at), *names.lots[lot_id], containers, place, supplier, reversed_by)
            )
        elif kind == _USE and fact is None:
            for lot, way in _about(lot_id, opened, ways):
                if lot in names.lots:
                    went.append(
                        Went(
                            seq,
                            session,
                            to_moment(at),
                            *names.lots[lot],
                            -containers,
                            -nanolitres if nanolitres is not None else None,
                            -nanograms if nanograms is not None else None,
                            names.via(way),
                            place,
                            device,
                            serial,
                            tuple(map(Deviation, deviation.split())) if deviation else (),
                            reversed_by,
                        )
                    )
        elif kind in _CHANGES and (containers or nanolitres or nanograms):
            for lot, way in _about(lot_id, opened, ways):
                if lot in names.lots:
                    changed.append(
                        Changed(
                            seq,
                            MovementKind(kind),
                            to_moment(at),
                            *names.lots[lot],
                            containers,
                            nanolitres,
                            nanograms,
                            names.via(way),
                            place,
                            supplier,
                            reversed_by,
                        )
                    )
    return tuple(arrived), tuple(went), tuple(changed)


def _about(
    lot: int | None, opened: int | None, ways: Mapping[int, Mapping[int, Path]]
) -> Iterable[tuple[int, Path]]:
    """Tell which lots a line is about, and by which way each got there."""
    if opened is not None:
        return ways.get(opened, {}).items()
    return ((lot, ()),) if lot is not None else ()


def _arrivals(names: _Names, connection: Connection, lots: Collection[int]) -> tuple[Arrived, ...]:
    found: list[Any] = []
    for batch in batches(lots):
        where = schema.movement_line.c.lot.in_(batch), schema.movement.c.kind.in_(sorted(RECEIPTS))
        found += connection.execute(_query(*where))
    found.sort(key=lambda row: (row[3], row[0], row[1]))
    arrived, _none, _none_either = _sorted_out(names, found, {})
    return arrived


def _there(connection: Connection, numbers: Collection[int]) -> list[int]:
    table = schema.opened
    found: list[int] = []
    for batch in batches(sorted(numbers)):
        found += connection.execute(
            select(table.c.id).where(table.c.id.in_(batch), table.c.gone == 0)
        ).scalars()
    return found


def _kept(
    connection: Connection,
    now: datetime,
    *,
    lots: Collection[int] = (),
    opened: Collection[int] = (),
    reference: str | None = None,
) -> tuple[Kept, ...]:
    """Find what picks keep: of lots and what they went into, or for a session."""
    table, lot, place = schema.reservation, schema.lot, schema.location
    query = (
        select(table, lot.c.product_id, lot.c.revision, lot.c.number, place.c.name)
        .select_from(table)
        .join(place, place.c.id == table.c.location)
        .outerjoin(lot, lot.c.id == table.c.lot)
        .order_by(table.c.movement, table.c.line)
    )
    moment = from_moment(now)
    rows: dict[tuple[int, int], Any] = {}
    if reference is not None:
        rows = {
            (row[0], row[1]): row for row in connection.execute(query.where(table.c.session == reference))
        }
    for column, values in ((table.c.lot, lots), (table.c.opened, opened)):
        for batch in batches(values):
            rows.update(((row[0], row[1]), row) for row in connection.execute(query.where(column.in_(batch))))
    return tuple(
        Kept(
            pick=row.movement,
            reference=row.session,
            lapses_at=to_moment(row.lapses_at),
            lapsed=row.lapses_at <= moment,
            containers=row.containers or 0,
            opened=row.opened,
            nanolitres=row.nanolitres,
            product=f"{row.product_id}@{row.revision}" if row.lot is not None else None,
            lot=row.number,
            location=row.name,
        )
        for _key, row in sorted(rows.items())
    )


def _known(connection: Connection, reference: str) -> None:
    """Refuse a reference that nothing was ever recorded for; one whose picks were freed is known."""
    table = schema.movement
    if (
        connection.execute(select(table.c.seq).where(table.c.session == reference).limit(1)).first()
        is not None
    ):
        return
    latest = connection.execute(
        select(table.c.session).where(table.c.session.is_not(None)).order_by(table.c.seq.desc()).limit(2000)
    ).scalars()
    close = nearest(reference, dict.fromkeys(latest))
    hint = f"; did you mean {' or '.join(shown(one) for one in close)}?" if close else ""
    raise OrderError([Problem("reference", f"nothing was recorded for {shown(reference)}{hint}")])
