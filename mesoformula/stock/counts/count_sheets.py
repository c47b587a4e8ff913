"""What counts of the shelf were opened, and what has moved since."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Any, TypeAlias

import attrs
from sqlalchemy import Connection, and_, func, or_, select

from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Lot
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.records import Anchor, Movement, MovementKind
from mesoformula.stock.views.history import read_movements

#: The fact of each line of a snapshot: how many containers should be there.
EXPECTED = "expected"
#: The fact that a count was posted.
POSTED = "posted"

#: How a table to fill in names its count, and the form that such tables have now.
IDENTITY = "mesoformula-count"
FORM = 1
#: How much of the chain's hash it says: enough to tell one stock from another, and short enough to print.
DIGITS = 16

#: Number of a lot in this store, and the name of a place.
Spot: TypeAlias = tuple[int, str]


@attrs.frozen
class CountLine:
    """
    One lot in one place, to be counted.

    Attributes:
        line: Its number in the count, from 1.
        product: As the stock keeps it.
        lot: The maker's lot number.
        expiry: The last day on which it may be used, as known now; None if none is printed.
        location: Where.
        expected: How many containers were there when the count was opened, by the ledger.
        moved: How many came (above zero) or went (below) since, a posting of this count included.
        movements: The movements that did so.
    """

    line: int
    product: Product
    lot: str
    expiry: date | None
    location: str
    expected: int
    moved: int = 0
    movements: tuple[int, ...] = ()


@attrs.frozen
class CountSheet:
    """
    An opened count, with what has happened since.

    Attributes:
        number: Of the movement that opened it.
        opened_at: The moment of the snapshot, in UTC.
        actor: Who opened it.
        lines: What is to be counted.
        posted_by: The movement that posted what was found; None if it is still open.
        anchor: The chain after the movement that opened it, which no other stock has.
    """

    number: int
    opened_at: datetime
    actor: str
    lines: tuple[CountLine, ...]
    posted_by: int | None = None
    anchor: Anchor | None = None

    @property
    def identity(self) -> str | None:
        """What a table to fill in names it by, to be known again; None if it has no anchor."""
        if self.anchor is None:
            return None
        return f"{IDENTITY}-{FORM} {self.number}:{self.anchor.hash[:DIGITS]}"


def count_sheet(store: Store, number: int | None = None) -> CountSheet:
    """
    Read an opened count.

    Args:
        store: The stock.
        number: Of the count; None for the one opened last.

    Returns:
        Its lines, and what has moved since.

    Raises:
        OrderError: If there is no such count.
        LedgerError: If a product record in it cannot be read.
    """
    with store.reading() as connection:
        movement = opened_count(store, connection, number)
        assert connection is not None  # noqa: S101 (there is a count)
        lots = lots_of_count(connection, movement.seq)
        now, since = balances_now(connection, lots), moved_since(connection, lots, movement)
        expiries = _expiries(connection, lots)
        ids = {lot.key: lot.id for lot in lots.values()}
        lines = []
        for line in movement.lines:
            product, lot, place = line.product, line.lot, line.location
            assert product is not None and lot is not None and place is not None  # noqa: S101, PT018
            key = ids[product.id, product.revision, lot], place
            expected = int(line.new or 0)
            lines.append(
                CountLine(
                    line=line.line,
                    product=product,
                    lot=lot,
                    expiry=expiries.get(key[0]),
                    location=place,
                    expected=expected,
                    moved=now.get(key, 0) - expected,
                    movements=since.get(key, ()),
                )
            )
        return CountSheet(
            movement.seq,
            movement.effective_at,
            movement.actor,
            tuple(lines),
            posting_of(connection, movement.seq),
            movement.anchor,
        )


def opened_count(store: Store, connection: Connection | None, number: int | None) -> Movement:
    """
    Read the movement that opened a count.

    Args:
        store: The stock.
        connection: In a transaction; None for a stock that does not exist yet.
        number: Of the count; None for the one opened last.

    Returns:
        The movement.

    Raises:
        OrderError: If there is none.
    """
    table, latest = schema.movement, None
    if connection is not None:
        latest = connection.execute(
            select(func.max(table.c.seq)).where(table.c.kind == MovementKind.COUNT_OPENED.value)
        ).scalar_one()
    if connection is None or latest is None:
        raise OrderError([Problem("count", "no count was opened yet; open one: stock count open")])
    wanted = latest if number is None else number
    found = read_movements(store, connection, [wanted]) if 0 < wanted <= latest else ()
    if not found or found[0].kind is not MovementKind.COUNT_OPENED:
        message = f"movement {wanted} opened no count; the latest count is {latest}"
        raise OrderError([Problem("count", message)])
    return found[0]


def lots_of_count(connection: Connection, number: int) -> dict[int, Lot]:
    """
    Find the lots that a count expects.

    Args:
        connection: In a transaction.
        number: Of the count.

    Returns:
        Lots by their numbers in this store.
    """
    line, lot = schema.movement_line, schema.lot
    rows = connection.execute(
        select(lot).where(lot.c.id.in_(select(line.c.lot).where(line.c.movement == number)))
    )
    return {
        row.id: Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)
        for row in rows
    }


def balances_now(connection: Connection, lots: Collection[int]) -> dict[Spot, int]:
    """
    Read what is there now.

    Args:
        connection: In a transaction.
        lots: Numbers of lots.

    Returns:
        Containers by lot and place, places that are empty now included.
    """
    balance, place = schema.balance, schema.location
    found: dict[Spot, int] = {}
    for batch in batches(sorted(lots)):
        rows = connection.execute(
            select(balance.c.lot, place.c.name, balance.c.containers)
            .select_from(balance)
            .join(place, place.c.id == balance.c.location)
            .where(balance.c.lot.in_(batch))
        )
        found.update(((row.lot, row.name), int(row.containers)) for row in rows)
    return found


def balances_at(
    connection: Connection, lots: Collection[int], at: int, count: Movement | None = None
) -> dict[Spot, int]:
    """
    Add up what was there at a moment, as far as is known now.

    Args:
        connection: In a transaction.
        lots: Numbers of lots.
        at: The moment, in microseconds since 1970.
        count: A count whose snapshot had seen what was recorded before it.

    Returns:
        Containers by lot and place.
    """
    line, movement = schema.movement_line, schema.movement
    # A clock that was put back must not make the snapshot forget what it had seen.
    seen = movement.c.seq < (count.seq if count is not None and not _is_late(count) else 0)
    return {
        (row.lot, row.name): int(row.containers)
        for row in _moves(
            connection,
            lots,
            or_(movement.c.effective_at <= at, seen),
            func.sum(line.c.containers).label("containers"),
        )
    }


def moved_since(
    connection: Connection, lots: Collection[int], count: Movement, at: int | None = None
) -> dict[Spot, tuple[int, ...]]:
    """
    Find the movements of containers after a count was opened.

    Args:
        connection: In a transaction.
        lots: Numbers of lots.
        count: The count.
        at: Only those that happened after this moment, in microseconds since 1970; None means all that were
            recorded after the snapshot, whenever they happened.

    Returns:
        Numbers of movements by lot and place.
    """
    movement = schema.movement
    recorded = movement.c.seq > count.seq
    if at is not None:
        after = movement.c.effective_at > at
        after = after if _is_late(count) else and_(after, recorded)
    elif _is_late(count):
        after = or_(movement.c.effective_at > from_moment(count.effective_at), recorded)
    else:
        after = recorded
    found: dict[Spot, set[int]] = {}
    for row in _moves(connection, lots, after, movement.c.seq, movement.c.seq):
        found.setdefault((row.lot, row.name), set()).add(int(row.seq))
    return {spot: tuple(sorted(numbers)) for spot, numbers in found.items()}


def _moves(
    connection: Connection, lots: Collection[int], which: Any, wanted: Any, *groups: Any
) -> Iterator[Any]:
    line, movement, place = schema.movement_line, schema.movement, schema.location
    for batch in batches(sorted(lots)):
        yield from connection.execute(
            select(line.c.lot, place.c.name, wanted)
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .join(place, place.c.id == line.c.location)
            .where(line.c.lot.in_(batch), line.c.containers != 0, which)
            .group_by(line.c.lot, place.c.name, *groups)
        )


def _is_late(count: Movement) -> bool:
    return count.effective_at < count.recorded_at


def _expiries(connection: Connection, lots: Collection[int]) -> dict[int, date | None]:
    table = schema.lot_state
    found: dict[int, date | None] = {}
    for batch in batches(sorted(lots)):
        rows = connection.execute(select(table.c.lot, table.c.expiry).where(table.c.lot.in_(batch)))
        found.update((row.lot, date.fromisoformat(row.expiry) if row.expiry else None) for row in rows)
    return found


def subject_of(number: int) -> str:
    """
    Name a count as what something was said of.

    Args:
        number: Of the count.

    Returns:
        Such as `count 12`.
    """
    return f"count {number}"


def posting_of(connection: Connection, number: int) -> int | None:
    """
    Find the movement that posted a count.

    Args:
        connection: In a transaction.
        number: Of the count.

    Returns:
        Its number; None if the count is still open.
    """
    table = schema.standing
    found = connection.execute(
        select(table.c.movement).where(table.c.fact == POSTED, table.c.subject == subject_of(number))
    ).scalar_one_or_none()
    return None if found is None else int(found)
