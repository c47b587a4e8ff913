"""What is kept apart, exactly: a lot everywhere, a lot in one place, or an opened container."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import attrs
from sqlalchemy import Connection, func, or_, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.posting import Posting
from mesoformula.stock.ledger.tally import NO, QUARANTINED, RECALLED, YES
from mesoformula.stock.lots.finding import place_id, place_name
from mesoformula.stock.lots.lots import listed, local, lot_text
from mesoformula.stock.records import MovementKind
from mesoformula.words import shown


@attrs.frozen
class Held:
    """
    Since when something is kept apart.

    Attributes:
        movement: The movement that says so.
        since: From when it holds, in microseconds since 1970.
    """

    movement: int
    since: int


def held_at(
    connection: Connection,
    at: int,
    *,
    lot: int | None = None,
    place: int | None = None,
    opened: int | None = None,
    fact: str = QUARANTINED,
) -> Held | None:
    """
    Tell whether exactly this was kept apart at a moment, whatever holds for more or for less than it.

    Args:
        connection: In a transaction.
        at: The moment, in microseconds since 1970.
        lot: Number of a lot.
        place: Number of the place where the lot is; None means that it holds everywhere.
        opened: Number of an opened container, instead.
        fact: `quarantined` or `recalled`.

    Returns:
        Since when it was; None if it was not.
    """
    line, movement = schema.movement_line, schema.movement
    query = (
        select(line.c.new, movement.c.seq, movement.c.effective_at)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(line.c.fact == fact, movement.c.effective_at <= at)
        .order_by(movement.c.effective_at.desc(), movement.c.seq.desc(), line.c.line.desc())
        .limit(1)
    )
    if opened is not None:
        query = query.where(line.c.opened == opened)
    else:
        where = line.c.location.is_(None) if place is None else line.c.location == place
        query = query.where(line.c.lot == lot, where, line.c.opened.is_(None))
    row = connection.execute(query).one_or_none()
    return Held(row.seq, row.effective_at) if row is not None and row.new == YES else None


def held_lots(store: Store, lots: Collection[tuple[str, str, str]]) -> tuple[str, ...]:
    """
    Say which lots are kept apart now, under whatever revision of their product.

    Args:
        store: The stock.
        lots: `vendor/sku`, lot number and place of each.

    Returns:
        A sentence for each that cannot be picked, reserved or issued.

    Raises:
        StockError: If the store cannot be read.
    """
    lot, state, balance, place = schema.lot, schema.lot_state, schema.balance, schema.location
    name = (lot.c.product_id, lot.c.revision, lot.c.number)
    everywhere = (
        select(*name, state.c.quarantined, state.c.recalled)
        .join(state, state.c.lot == lot.c.id)
        .where(or_(state.c.quarantined == 1, state.c.recalled == 1))
        .order_by(*name)
    )
    in_one_place = (
        select(*name, place.c.name.label("place"))
        .join(balance, balance.c.lot == lot.c.id)
        .join(place, place.c.id == balance.c.location)
        .where(balance.c.quarantined == 1)
        .order_by(*name, place.c.name)
    )
    numbers = {(product, number) for product, number, _place in lots}
    found: list[tuple[Any, str]] = []
    with store.reading() as connection:
        if connection is None:
            return ()
        for one in connection.execute(everywhere):
            if (one.product_id, one.number) in numbers:
                states = [fact for fact in (QUARANTINED, RECALLED) if getattr(one, fact)]
                found.append((one, " and ".join(states).upper()))
        found += (
            (one, f"{QUARANTINED.upper()} at {shown(one.place)}")
            for one in connection.execute(in_one_place)
            if (one.product_id, one.number, one.place) in lots
        )
    return tuple(
        f"lot {shown(row.number)} of {row.product_id}@{row.revision} is {state}: it cannot be picked, "
        "reserved or issued"
        for row, state in found
    )


def hold_new(posting: Posting, lots: Collection[Lot]) -> None:
    """
    Keep new lots apart where the same lot is kept apart under another revision of its product.

    To its maker it is one lot, and whoever recalled it recalled all of it.

    Args:
        posting: The write that received them; linked movements are added to it.
        lots: What was received.
    """
    connection = posting.connection
    lot, state, line = schema.lot, schema.lot_state, schema.movement_line
    mine: dict[tuple[str, str], list[Lot]] = defaultdict(list)
    for one in dict.fromkeys(lots):
        mine[one.product_id, one.number].append(one)
    rows = connection.execute(
        select(lot.c.product_id, lot.c.revision, lot.c.number, state)
        .join(state, state.c.lot == lot.c.id)
        .where(or_(state.c.quarantined == 1, state.c.recalled == 1))
        .order_by(lot.c.id)
    ).all()
    entries: dict[tuple[MovementKind, int], dict[int, Entry]] = defaultdict(dict)
    for row in rows:
        for one in mine.get((row.product_id, row.number), ()):
            first = connection.execute(select(func.min(line.c.movement)).where(line.c.lot == one.id)).scalar()
            # What came before may have been released on its own, and stays so.
            if one.revision == row.revision or first != posting.main:
                continue
            for fact, kind in ((QUARANTINED, MovementKind.QUARANTINE), (RECALLED, MovementKind.RECALL)):
                if getattr(row, fact):
                    at = max(posting.at, getattr(row, f"{fact}_since"))
                    entries[kind, at].setdefault(one.id, Entry(one, fact=fact, old=NO, new=YES))
                    posting.notes.append(
                        f"{lot_text(one)} is {fact}: it is under revision {row.revision} of its product"
                    )
    for (kind, at), held in sorted(entries.items(), key=lambda pair: pair[0]):
        posting.post(kind, list(held.values()), at=at)


def place_with(connection: Connection, lot: Lot, name: str) -> int:
    """
    Find a place where a lot is or was, so that a mistyped one is not taken for another.

    Args:
        connection: In a transaction.
        lot: The lot.
        name: Of the place.

    Returns:
        Its number.

    Raises:
        OrderError: If the lot was never there.
    """
    number = place_id(connection, name)
    table, place = schema.balance, schema.location
    names = list(
        connection.execute(
            select(place.c.name)
            .select_from(table)
            .join(place, place.c.id == table.c.location)
            .where(table.c.lot == lot.id)
            .order_by(place.c.name)
        ).scalars()
    )
    if number is None or name not in names:
        where = listed(shown(one) for one in names) or "nowhere"
        raise OrderError(
            [Problem("location", f"{lot_text(lot)} was never at {shown(name)}; it was at {where}")]
        )
    return number


def note_if_later(posting: Posting, entry: Entry, *, held: bool) -> None:
    """
    Say so where something later holds already, which an entry of an earlier moment does not undo.

    Args:
        posting: Its notes are added to.
        entry: What was said of a lot or an opened container.
        held: Whether the entry ends what it is about.
    """
    if not posting.late or entry.fact is None:
        return
    place = place_id(posting.connection, entry.location) if entry.location is not None else None
    now = held_at(
        posting.connection,
        posting.recorded_at,
        lot=entry.lot.id if entry.lot is not None else None,
        place=place,
        opened=entry.opened,
        fact=entry.fact,
    )
    if (now is not None) is held:
        what = f"opened container {entry.opened}" if entry.opened is not None else "it"
        state = entry.fact if held else f"no longer {entry.fact}"
        posting.notes.append(f"{what} is {state} now, by a later movement")


def still_held(posting: Posting, lot: Lot, place: str | None) -> list[str]:
    """
    Say what keeps a lot apart besides what is being released.

    Args:
        posting: The write.
        lot: The lot.
        place: Where it is being released; None for everywhere.

    Returns:
        A sentence for each.
    """
    connection, at = posting.connection, posting.at
    if place is not None:
        return [
            f"{lot_text(lot)} is {fact} everywhere: release it without a place"
            for fact in (QUARANTINED, RECALLED)
            if held_at(connection, at, lot=lot.id, fact=fact) is not None
        ]
    balance, opened = schema.balance, schema.opened
    rows = connection.execute(
        select(balance.c.location).where(balance.c.lot == lot.id, balance.c.quarantined == 1)
    ).scalars()
    found = [
        f"{lot_text(lot)} is quarantined at {shown(place_name(connection, row))}: release it there"
        for row in sorted(rows)
    ]
    numbers = connection.execute(
        select(opened.c.id)
        .where(opened.c.lot == lot.id, opened.c.quarantined == 1, opened.c.gone == 0)
        .order_by(opened.c.id)
    ).scalars()
    found.extend(f"opened container {number} of it is quarantined on its own" for number in numbers)
    return found


def said_of_lot(lot: Lot, place: str | None) -> str:
    """
    Name a lot, and the place that is meant.

    Args:
        lot: The lot.
        place: Where; None for everywhere.

    Returns:
        Such as `lot '4711' of acme/c-500 at 'fridge'`.
    """
    return lot_text(lot) + (f" at {shown(place)}" if place is not None else "")


def said_since(posting: Posting, held: Held) -> str:
    """
    Say since when something is kept apart.

    Args:
        posting: Knows the site's time zone.
        held: Since when.

    Returns:
        Such as `since 2026-11-23 14:30 (movement 12)`.
    """
    return f"since {local(held.since, posting.store.zone)} (movement {held.movement})"
