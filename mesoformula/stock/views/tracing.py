"""
Both ways through the ledger: from a lot to every session, and from a session to every lot.

A lot is followed into opened containers, mixtures, and mixtures of mixtures, in a few queries per generation
however many rows there are. What was taken back by a reversal is listed as reversed, and counts for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import check_reference
from mesoformula.stock.ledger.tally import RECEIPTS
from mesoformula.stock.lots.lots import find_revisions
from mesoformula.stock.records import Deviation, MovementKind
from mesoformula.stock.views import trace_queries as queries
from mesoformula.stock.views.lineage import Path, ways_from, ways_into
from mesoformula.stock.views.reading import read_on_hand, read_opened, read_product
from mesoformula.stock.views.traces import Arrived, Changed, Kept, Trace, TracedLot, Vessel, Went
from mesoformula.words import nearest, shown

_USE = MovementKind.USE.value
_MIX = MovementKind.MIX.value
_LOT, _KIND, _OPENED, _FACT = queries.LOT, queries.KIND, queries.OPENED, queries.FACT
# By moment, movement and line.
_moment = itemgetter(queries.AT, queries.MOVEMENT, queries.LINE)
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
        now = store.moment(connection)
        found = queries.NAMES_OF.named(connection, product=product.strip(" "), number=lot.strip(" "))
        if not found:
            one_revision = [one.id for one in find_revisions(connection, product, lot)]
            found = queries.NAMES.named(connection, given=one_revision)
        numbers = [row.id for row in found]
        rows = _about_lots(connection, numbers)
        # What was never opened nor mixed went nowhere but where its lines say.
        prepared = any(row[_OPENED] is not None or row[_KIND] == _MIX for row in rows)
        ways = ways_from(connection, numbers) if prepared else {}
        if ways:
            rows = _with_opened(connection, rows, ways)
        names = _Names(store, connection, found, ways)
        arrived, went, changed = _sorted_out(names, rows, ways)
        kept, held = _kept(connection, now, lots=numbers, opened=ways)
        opened = _there(connection, ways) if ways else ()
        return Trace(
            reference=None,
            lots=names.traced(arrived),
            arrived=arrived,
            went=went,
            changed=changed,
            left=read_on_hand(store, connection, now, lots=numbers, kept=held),
            opened=read_opened(store, connection, now, numbers=opened) if opened else (),
            kept=kept,
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
        lines = queries.LINES_OF_SESSION.rows(connection, given=reference)
        rows = [row for row in lines if _used(row)]
        now = store.moment(connection)
        kept, _held = _kept(connection, now, reference=reference)
        if not rows and not kept:
            _known(connection, reference)
        drawn = dict.fromkeys(row[_OPENED] for row in rows if row[_OPENED] is not None)
        ways = ways_into(connection, drawn)
        numbers = {row[_LOT] for row in rows if row[_OPENED] is None and row[_LOT] is not None}
        numbers.update(lot for found in ways.values() for lot in found)
        names = _Names(store, connection, queries.NAMES.named_of_many(connection, sorted(numbers)), ways)
        _none, went, _none_either = _sorted_out(names, rows, ways)
        arrived = _arrivals(names, connection, sorted(numbers))
        return Trace(reference, names.traced(arrived), arrived, went, kept=kept)


class _Names:
    """What lots, opened containers and mixtures are called."""

    def __init__(
        self,
        store: Store,
        connection: Connection,
        rows: Iterable[Any],
        ways: Mapping[int, Mapping[int, Path]],
    ) -> None:
        self.states: dict[int, Any] = {}
        self.lots: dict[int, tuple[str, str]] = {}
        self.products: dict[int, Product] = {}
        for row in rows:
            product = read_product(store, connection, row.product_hash)
            self.states[row.id], self.products[row.id] = row, product
            self.lots[row.id] = product.pinned_id, row.number
        self.vessels: dict[int, Vessel] = {}
        if ways:
            passed = {number for found in ways.values() for way in found.values() for number in way}
            for number, name in queries.VESSELS.of_many(connection, sorted(passed)):
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


def _about_lots(connection: Connection, lots: Collection[int]) -> list[Any]:
    """Read every line about lots, by moment."""
    parts = [queries.LINES_OF_LOT.rows(connection, given=lot) for lot in lots]
    return parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts), key=_moment)


def _with_opened(connection: Connection, rows: Iterable[Any], numbers: Collection[int]) -> list[Any]:
    """Add every line about opened containers and mixtures."""
    found: dict[tuple[int, int], Any] = {(row[0], row[1]): row for row in rows}
    for row in queries.LINES_OF_OPENED.of_many(connection, numbers):
        found[row[0], row[1]] = row
    return sorted(found.values(), key=_moment)


def _used(row: Any) -> bool:
    # What an opened container turned out to hold beyond its label comes into it, and is no use.
    return row[_KIND] == _USE and row[_FACT] is None


def _sorted_out(
    names: _Names, rows: Iterable[Any], ways: Mapping[int, Mapping[int, Path]]
) -> tuple[tuple[Arrived, ...], tuple[Went, ...], tuple[Changed, ...]]:
    """Tell lines that came from those that went, one entry for each lot that a line is about."""
    arrived, went, changed = [], [], []
    lots = names.lots
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
                Arrived(seq, to_moment(at), *lots[lot_id], containers, place, supplier, reversed_by)
            )
        elif kind == _USE and fact is None:
            for lot, way in _about(lot_id, opened, ways):
                if lot in lots:
                    went.append(
                        Went(
                            seq,
                            session,
                            to_moment(at),
                            *lots[lot],
                            -containers,
                            -nanolitres if nanolitres is not None else None,
                            -nanograms if nanograms is not None else None,
                            names.via(way) if way else (),
                            place,
                            device,
                            serial,
                            tuple(map(Deviation, deviation.split())) if deviation else (),
                            reversed_by,
                        )
                    )
        elif kind in _CHANGES and (containers or nanolitres or nanograms):
            for lot, way in _about(lot_id, opened, ways):
                if lot in lots:
                    changed.append(
                        Changed(
                            seq,
                            MovementKind(kind),
                            to_moment(at),
                            *lots[lot],
                            containers,
                            nanolitres,
                            nanograms,
                            names.via(way) if way else (),
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
    found = queries.ARRIVALS.of_many(connection, lots)
    found.sort(key=_moment)
    arrived, _none, _none_either = _sorted_out(names, found, {})
    return arrived


def _there(connection: Connection, numbers: Collection[int]) -> list[int]:
    return [number for (number,) in queries.THERE.of_many(connection, sorted(numbers))]


def _kept(
    connection: Connection,
    now: datetime,
    *,
    lots: Collection[int] = (),
    opened: Collection[int] = (),
    reference: str | None = None,
) -> tuple[tuple[Kept, ...], dict[tuple[int, int], int]]:
    """Find what picks keep, of lots and what they went into or for a session; add up whole containers."""
    found = [row for lot in lots for row in queries.KEPT_OF_LOT.named(connection, given=lot)]
    found += queries.KEPT_OF_OPENED.named_of_many(connection, opened)
    if reference is not None:
        found += queries.KEPT_FOR.named(connection, given=reference)
    if not found:
        return (), {}
    moment = from_moment(now)
    rows = {(row.movement, row.line): row for row in found}
    held: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows.values():
        if row.opened is None and row.lapses_at > moment:
            held[row.lot, row.location] += row.containers or 0
    kept = tuple(
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
    return kept, dict(held)


def _known(connection: Connection, reference: str) -> None:
    """Refuse a reference that nothing was ever recorded for; one whose picks were freed is known."""
    if queries.KNOWN.rows(connection, given=reference):
        return
    latest = [session for (session,) in queries.LATEST.rows(connection)]
    close = nearest(reference, dict.fromkeys(latest))
    hint = f"; did you mean {' or '.join(shown(one) for one in close)}?" if close else ""
    raise OrderError([Problem("reference", f"nothing was recorded for {shown(reference)}{hint}")])
