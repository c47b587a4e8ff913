"""What is thrown away of an opened container or a mixture, and what becomes of its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.orders import check_name, check_number, check_order
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import OpenedSum
from mesoformula.stock.lots.finding import find_opened, lot_by_id, place_name
from mesoformula.stock.lots.lots import (
    MOVED,
    amount_text,
    in_smallest,
    listed,
    local,
    picks_of,
    require_stock,
)
from mesoformula.stock.moves.moving import note_if_new, refuse_same_place
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity


def waste_opened(
    store: Store,
    number: int,
    *,
    volume: Quantity | None = None,
    mass: Quantity | None = None,
    order: Order,
) -> Receipt:
    """
    Record that what is left in an opened container, or a part of it, was thrown away.

    Args:
        store: The stock.
        number: Of the opened container or mixture, in this stock.
        volume: How much; [length]**3, above zero. None with no mass means all that is left: it is gone then.
        mass: The same, for what is measured by mass; [mass].
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If there is no such container, less is left in it, or anything else stands against it.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment(), needs_reason=True)
    check_number(problems, "opened", number)
    nanolitres, nanograms = in_smallest(problems, volume, "mL"), in_smallest(problems, mass, "mg")
    if volume is not None and mass is not None:
        problems.append(Problem("volume", "give a volume or a mass, not both"))
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        vessel = _opened_then(posting, number)
        left = vessel.nanolitres, vessel.nanograms
        part = _part(number, left, nanolitres, nanograms)
        gone = part == left
        entry = Entry(
            _lot_of(posting.connection, vessel),
            place_name(posting.connection, vessel.location),
            opened=number,
            subject=vessel.name,
            nanolitres=-part[0] if part[0] is not None else None,
            nanograms=-part[1] if part[1] is not None else None,
            becomes="gone" if gone else None,
        )
        posting.post(MovementKind.WASTE, [entry])
        rest = (left[0] or 0) - (part[0] or 0), (left[1] or 0) - (part[1] or 0)
        if not gone:
            text = amount_text(
                rest[0] if left[0] is not None else None, rest[1] if left[1] is not None else None
            )
            posting.notes.append(f"{text} by the label is left in opened container {number}")
        _note_short_opened(posting, number, 0 if gone else rest[0])

    content = {"kind": "waste", "opened": number, "nanolitres": nanolitres, "nanograms": nanograms}
    return carry_out(store, order, content, work)


def move_opened(store: Store, number: int, *, to: str, order: Order) -> Receipt:
    """
    Record that an opened container or a mixture was moved to another place.

    Args:
        store: The stock.
        number: Its number in this stock.
        to: Where it is now.
        order: Who asks, when and why.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If there is no such container, or anything else stands against it.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    goal = check_name(problems, "location", to, place="to: ")
    order = check_order(problems, order, store.moment())
    check_number(problems, "opened", number)
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        vessel = _opened_then(posting, number)
        _refuse_if_moved_since(posting, number)
        place = place_name(posting.connection, vessel.location)
        refuse_same_place(place, goal, f"opened container {number}")
        note_if_new(posting, goal)
        lot = _lot_of(posting.connection, vessel)
        entry = Entry(lot, goal, opened=number, subject=vessel.name, fact=MOVED, old=place, new=goal)
        posting.post(MovementKind.MOVE, [entry])
        picks = picks_of(posting.connection, posting.recorded_at, lot=0, opened=number)
        if picks:
            posting.notes.append(
                f"some of it is kept for {listed(picks)}, which look for it at {shown(place)}"
            )

    return carry_out(store, order, {"kind": "move", "opened": number, "to": goal}, work)


def _refuse_if_moved_since(posting: Posting, number: int) -> None:
    """Refuse a move of an earlier moment: a container is where its last move took it."""
    if not posting.late:
        return
    line, movement = schema.movement_line, schema.movement
    back = movement.alias("back")
    row = posting.connection.execute(
        select(movement.c.seq, movement.c.effective_at, line.c.new)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(
            line.c.opened == number,
            line.c.fact == MOVED,
            movement.c.kind == MovementKind.MOVE.value,
            movement.c.effective_at > posting.at,
            ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
        )
        .order_by(movement.c.effective_at.desc(), movement.c.seq.desc())
        .limit(1)
    ).one_or_none()
    if row is not None:
        when = local(row.effective_at, posting.store.zone)
        raise OrderError(
            [
                Problem(
                    "at",
                    f"opened container {number} was moved to {shown(row.new)} after that, on {when} "
                    f"(movement {row.seq}): reverse that first, then record both moves in their order",
                )
            ]
        )


def _opened_then(posting: Posting, number: int) -> OpenedSum:
    """Find an opened container that is still there, and was opened by the moment that is told."""
    vessel = find_opened(posting.connection, number)
    if posting.at < vessel.opened_at:
        when = local(vessel.opened_at, posting.store.zone)
        raise OrderError(
            [Problem("at", f"opened container {number} was opened on {when}; expected a later moment")]
        )
    return vessel


def _lot_of(connection: Connection, vessel: OpenedSum) -> Lot | None:
    return lot_by_id(connection, vessel.lot) if vessel.lot is not None else None


def _part(
    number: int, left: tuple[int | None, int | None], nanolitres: int | None, nanograms: int | None
) -> tuple[int | None, int | None]:
    """Work out what goes: all that is left where nothing is said."""
    if nanolitres is None and nanograms is None:
        return left
    code, wanted, there = (
        ("volume", nanolitres, left[0]) if nanolitres is not None else ("mass", nanograms, left[1])
    )
    if there is None:
        other = "mass" if code == "volume" else "volume"
        measured = "neither way" if left == (None, None) else f"by {other}"
        raise OrderError(
            [
                Problem(
                    code,
                    f"opened container {number} is measured {measured}, not by {code}; leave it out to throw "
                    "away all that is left",
                )
            ]
        )
    if (wanted or 0) > there:
        raise OrderError(
            [
                Problem(
                    code,
                    f"opened container {number}: {amount_text(*left)} is left by the label; leave out the "
                    f"{code} to throw away all of it",
                )
            ]
        )
    return nanolitres, nanograms


def _note_short_opened(posting: Posting, number: int, left: int) -> None:
    table = schema.reservation
    kept = sum(
        int(volume or 0)
        for volume in posting.connection.execute(
            select(table.c.nanolitres).where(
                table.c.opened == number, table.c.lapses_at > posting.recorded_at
            )
        ).scalars()
    )
    if kept > left:
        picks = listed(picks_of(posting.connection, posting.recorded_at, lot=0, opened=number))
        posting.notes.append(f"{amount_text(kept, None)} of it was kept for {picks}: free it, and pick anew")
