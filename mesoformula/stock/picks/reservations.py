"""What picks keep: read back, listed and given free."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import check_order, figure
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.finding import lot_by_id, place_name
from mesoformula.stock.picks.availability import local
from mesoformula.stock.records import Assay, MovementKind, Order, Receipt
from mesoformula.stock.views.reading import read_assay, read_product


@attrs.frozen
class Taken:
    """
    What a pick keeps of one lot in one place, or of one opened container.

    Attributes:
        product: As it was when the lot was first received.
        lot: The maker's lot number.
        location: Where it was when it was picked.
        containers: Whole containers (of a kit: kits); 0 of an opened one.
        nanolitres: Volume to be drawn; None if whole containers were asked for.
        expiry: The last day on which it may be used; None if none is printed.
        opened: Number of the opened container.
        beyond_use_at: When that must be gone, in UTC.
        assay: What the lot's certificate says.
    """

    product: Product
    lot: str
    location: str
    containers: int
    nanolitres: int | None
    expiry: date | None
    opened: int | None = None
    beyond_use_at: datetime | None = None
    assay: Assay | None = None


@attrs.frozen
class Pick:
    """
    A pick that was neither used nor freed.

    Attributes:
        number: Of its movement.
        reference: Of the session that it is for.
        actor: Who picked.
        picked_at: When, in UTC.
        lapses_at: When its reservations end by themselves, in UTC.
        lapsed: Whether they have.
        taken: What it keeps.
    """

    number: int
    reference: str | None
    actor: str
    picked_at: datetime
    lapses_at: datetime
    lapsed: bool
    taken: tuple[Taken, ...]


def taken_by(store: Store, connection: Connection, picks: Collection[int]) -> dict[int, tuple[Taken, ...]]:
    """
    Read what picks took, whatever became of it.

    Args:
        store: The stock.
        connection: In a transaction.
        picks: Numbers of movements.

    Returns:
        What each took, in the order in which it was asked for.

    Raises:
        LedgerError: If a product record cannot be read.
    """
    line, lot, state = schema.movement_line, schema.lot, schema.lot_state
    place, opened = schema.location, schema.opened
    found: dict[int, list[Taken]] = {number: [] for number in picks}
    for batch in batches(sorted(picks)):
        rows = connection.execute(
            select(
                line,
                lot.c.product_hash,
                lot.c.number,
                state.c.expiry,
                state.c.assay,
                place.c.name,
                opened.c.beyond_use_at.label("until"),
            )
            .select_from(line)
            .join(lot, lot.c.id == line.c.lot)
            .join(state, state.c.lot == line.c.lot)
            .join(place, place.c.id == line.c.location)
            .outerjoin(opened, opened.c.id == line.c.opened)
            .where(line.c.movement.in_(batch))
            .order_by(line.c.movement, line.c.line)
        ).all()
        for row in rows:
            if row.reserved is None and row.reserved_nanolitres is None:
                continue
            found[row.movement].append(
                Taken(
                    product=read_product(store, connection, row.product_hash),
                    lot=row.number,
                    location=row.name,
                    containers=row.reserved or 0,
                    nanolitres=row.reserved_nanolitres,
                    expiry=date.fromisoformat(row.expiry) if row.expiry is not None else None,
                    opened=row.opened,
                    beyond_use_at=to_moment(row.until) if row.until is not None else None,
                    assay=read_assay(row.assay),
                )
            )
    return {number: tuple(taken) for number, taken in found.items()}


def picks(store: Store) -> tuple[Pick, ...]:
    """
    List the picks that were neither used nor freed.

    Args:
        store: The stock.

    Returns:
        The picks by number, lapsed ones among them; none if there is no stock yet.

    Raises:
        LedgerError: If a product record cannot be read.
    """
    table, movement = schema.reservation, schema.movement
    with store.reading() as connection:
        if connection is None:
            return ()
        moment = store.moment(connection)
        open_ones = select(table.c.movement).distinct()
        rows = connection.execute(
            select(movement).where(movement.c.seq.in_(open_ones)).order_by(movement.c.seq)
        ).all()
        taken = taken_by(store, connection, [row.seq for row in rows])
    return tuple(
        Pick(
            number=row.seq,
            reference=row.session,
            actor=row.actor,
            picked_at=to_moment(row.effective_at),
            lapses_at=to_moment(row.lapses_at),
            lapsed=row.lapses_at <= from_moment(moment),
            taken=taken[row.seq],
        )
        for row in rows
    )


def ended_by(connection: Connection, pick: int) -> tuple[MovementKind, int] | None:
    """
    Find what became of a pick.

    Args:
        connection: In a transaction.
        pick: Number of its movement.

    Returns:
        The kind and number of the movement that used or freed it; None while it is open.
    """
    table, movement = schema.reservation, schema.movement
    still = select(table.c.line).where(table.c.movement == pick).limit(1)
    if connection.execute(still).first() is not None:
        return None
    row = connection.execute(
        select(movement.c.kind, movement.c.seq)
        .where(movement.c.pick == pick)
        .order_by(movement.c.seq)
        .limit(1)
    ).first()
    return None if row is None else (MovementKind(row.kind), int(row.seq))


def free(store: Store, pick: int, *, order: Order) -> Receipt:
    """
    Give free what a pick keeps.

    Args:
        store: The stock.
        pick: Number of the pick's movement; one that has lapsed may be freed too.
        order: Who asks and why; it happens now.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If there is no such pick, or it was used or freed already.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    if order.at is not None:
        problems.append(Problem("at", "a pick is freed now; leave out the moment"))
    if type(pick) is not int or not 0 < pick < 2**63:
        problems.append(Problem("pick", f"pick {figure(pick)}: expected the number of a pick, such as 7"))
    if problems:
        raise OrderError(problems)
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("pick", f"there is no pick {pick}: the stock is empty")])

    def work(posting: Posting) -> None:
        row = open_pick(posting.connection, pick)
        if row.lapses_at <= posting.recorded_at:
            posting.notes.append(f"it had lapsed on {local(store, to_moment(row.lapses_at))} already")
        posting.post(MovementKind.FREE, _freed(posting.connection, pick), session=row.session, pick=pick)

    return carry_out(store, order, {"kind": MovementKind.FREE.value, "pick": pick}, work)


def open_pick(connection: Connection, pick: int) -> Any:
    """
    Find a pick that was neither used nor freed.

    Args:
        connection: In a transaction.
        pick: Number of its movement.

    Returns:
        Its row of the table of movements.

    Raises:
        OrderError: If there is none, saying what became of it.
    """
    table = schema.movement
    row = connection.execute(select(table).where(table.c.seq == pick)).one_or_none()
    if row is None or row.kind != MovementKind.PICK.value:
        what = "is not there" if row is None else f"is no pick but says {row.kind!r}"
        raise OrderError([Problem("pick", f"movement {pick} {what}; list the picks: stock pick --list")])
    ended = ended_by(connection, pick)
    if ended is not None:
        kind, number = ended
        how = "freed" if kind is MovementKind.FREE else "used"
        raise OrderError([Problem("pick", f"pick {pick} was {how} by movement {number} already")])
    return row


def _freed(connection: Connection, pick: int) -> list[Entry]:
    """Name every lot that a pick kept; an opened container may be in another place by now."""
    table = schema.reservation
    rows = connection.execute(select(table).where(table.c.movement == pick).order_by(table.c.line))
    return [
        Entry(
            lot=lot_by_id(connection, row.lot) if row.lot is not None else None,
            location=place_name(connection, row.location) if row.opened is None else None,
        )
        for row in rows.all()
    ]
