"""What leaves the stock without a session, and what changes its place: waste, return, move and adjust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.orders import (
    MOST_CONTAINERS,
    check_name,
    check_order,
    containers_objections,
    figure,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import NO, QUARANTINED, YES
from mesoformula.stock.lots.finding import (
    find_lot,
    find_place,
    place_id,
    places_of,
)
from mesoformula.stock.lots.held import held_at
from mesoformula.stock.lots.lots import (
    check_lot,
    lot_text,
    require_stock,
    short_picks,
)
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.words import shown


@attrs.frozen
class _Asked:
    """Containers of a lot, with every name and figure cleaned."""

    product: str
    lot: str
    containers: int
    location: str | None
    order: Order

    def content(self, kind: MovementKind, **more: Any) -> dict[str, Any]:
        return {
            "kind": kind.value,
            "product": self.product,
            "lot": self.lot,
            "containers": self.containers,
            "location": self.location,
            **more,
        }


def waste(
    store: Store, product: str, lot: str, containers: int, *, location: str | None = None, order: Order
) -> Receipt:
    """
    Record that whole containers were thrown away.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        containers: How many.
        location: Where they were; None if they are all in one place.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ShortStockError: If fewer are there.
        OrderError: If anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    asked = _checked(store, product, lot, containers, location, order)
    return carry_out(
        store, asked.order, asked.content(MovementKind.WASTE), _taking(MovementKind.WASTE, asked)
    )


def return_stock(
    store: Store,
    product: str,
    lot: str,
    containers: int,
    *,
    location: str | None = None,
    supplier: str | None = None,
    order: Order,
) -> Receipt:
    """
    Record that whole containers went back to whoever delivered them.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        containers: How many.
        location: Where they were; None if they are all in one place.
        supplier: Who gets them; None means who delivered the lot, as far as that is known.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ShortStockError: If fewer are there.
        OrderError: If anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    whom = check_name(problems, "supplier", supplier) if supplier is not None else None
    asked = _checked(store, product, lot, containers, location, order, problems)
    work = _taking(MovementKind.RETURN, asked, supplier=whom)
    return carry_out(store, asked.order, asked.content(MovementKind.RETURN, supplier=whom), work)


def move(
    store: Store,
    product: str,
    lot: str,
    containers: int,
    *,
    to: str,
    location: str | None = None,
    order: Order,
) -> Receipt:
    """
    Record that whole containers were moved to another place, their quarantine with them.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        containers: How many.
        to: Where they are now.
        location: Where they were; None if they are all in one place.
        order: Who asks, when and why.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ShortStockError: If fewer are there.
        OrderError: If anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    goal = check_name(problems, "location", to, place="to: ")
    asked = _checked(store, product, lot, containers, location, order, problems, needs_reason=False)

    def work(posting: Posting) -> None:
        connection = posting.connection
        found = find_lot(connection, asked.product, asked.lot)
        place = find_place(connection, found, asked.location)
        refuse_same_place(place, goal, lot_text(found))
        note_if_new(posting, goal)
        carried = _carried(posting, found, place, goal)
        posting.post(
            MovementKind.MOVE,
            [Entry(found, place, -asked.containers), Entry(found, goal, asked.containers), *carried],
        )
        _note_short(posting, found, place)

    return carry_out(store, asked.order, asked.content(MovementKind.MOVE, to=goal), work)


def adjust(
    store: Store, product: str, lot: str, change: int, *, location: str | None = None, order: Order
) -> Receipt:
    """
    Correct a number of containers that is known to be wrong.

    What was counted is recorded by counting, what was delivered by receiving it, and a movement that should
    not be there by reversing it.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        change: How many containers more (above zero) or fewer (below) there are.
        location: Where; None if they are all in one place.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ShortStockError: If fewer are there.
        OrderError: If anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    if type(change) is not int or not change or abs(change) > MOST_CONTAINERS:
        problems.append(
            Problem(
                "containers",
                f"change {figure(change)}: expected a whole number with its sign, such as -1 or +2, up to "
                f"{MOST_CONTAINERS}",
            )
        )
        change = 1
    asked = _checked(store, product, lot, abs(change), location, order, problems)

    def work(posting: Posting) -> None:
        found = find_lot(posting.connection, asked.product, asked.lot)
        if change > 0 and asked.location is None and not places_of(posting.connection, found):
            raise OrderError(
                [Problem("location", f"nothing of {lot_text(found)} is anywhere; say where with --location")]
            )
        place = find_place(posting.connection, found, asked.location)
        if change > 0:
            note_if_new(posting, place)
        posting.post(MovementKind.ADJUST, [Entry(found, place, change)])
        _note_short(posting, found, place)

    content = {**asked.content(MovementKind.ADJUST), "containers": change}
    return carry_out(store, asked.order, content, work)


def _checked(
    store: Store,
    product: str,
    lot: str,
    containers: int,
    location: str | None,
    order: Order,
    problems: list[Problem] | None = None,
    *,
    needs_reason: bool = True,
) -> _Asked:
    """Clean what was asked, and refuse it with everything that can be said without the ledger."""
    found = list(problems or ())
    order = check_order(found, order, store.moment(), needs_reason=needs_reason)
    name, number = check_lot(found, product, lot)
    place = check_name(found, "location", location) if location is not None else None
    found.extend(Problem(code, text) for code, text in containers_objections(containers))
    if found:
        raise OrderError(found)
    require_stock(store)
    return _Asked(name, number, containers, place, order)


def _taking(kind: MovementKind, asked: _Asked, *, supplier: str | None = None) -> Callable[[Posting], None]:
    """Take whole containers out of the stock."""

    def work(posting: Posting) -> None:
        found = find_lot(posting.connection, asked.product, asked.lot)
        place = find_place(posting.connection, found, asked.location)
        whom = supplier
        if kind is MovementKind.RETURN and whom is None:
            whom = _supplier_of(posting.connection, found)
        posting.post(kind, [Entry(found, place, -asked.containers, supplier=whom)])
        if kind is MovementKind.RETURN:
            posting.notes.append(f"returned to {whom}" if whom is not None else "to whom is not recorded")
        _note_short(posting, found, place)

    return work


def _supplier_of(connection: Connection, lot: Lot) -> str | None:
    table = schema.lot_state
    found = connection.execute(select(table.c.supplier).where(table.c.lot == lot.id)).scalar_one_or_none()
    return None if found is None else str(found)


def refuse_same_place(place: str, goal: str, what: str) -> None:
    """
    Refuse to move something to where it is.

    Args:
        place: Where it is.
        goal: Where it is to be.
        what: Such as `opened container 3`.

    Raises:
        OrderError: If that is the same place.
    """
    if place == goal:
        raise OrderError([Problem("location", f"{what} is at {shown(goal)} already; name another place")])


def note_if_new(posting: Posting, place: str) -> None:
    """
    Point out a place that nothing was ever at, as its name may be mistyped.

    Args:
        posting: Its notes are added to.
        place: Name of the place.
    """
    if place_id(posting.connection, place) is None:
        posting.notes.append(f"{shown(place)} is a new place: nothing was ever there before")


def _note_short(posting: Posting, lot: Lot, place: str) -> None:
    number = place_id(posting.connection, place)
    text = None if number is None else short_picks(posting.connection, posting.recorded_at, lot, number)
    if text is not None:
        posting.notes.append(text)


def _carried(posting: Posting, lot: Lot, place: str, goal: str) -> list[Entry]:
    """Carry a quarantine that holds in the place along with what is moved, so that moving does not end it."""
    connection = posting.connection
    here, there = place_id(connection, place), place_id(connection, goal)
    if here is None or held_at(connection, posting.at, lot=lot.id, place=here) is None:
        if here is not None and held_at(connection, posting.recorded_at, lot=lot.id, place=here) is not None:
            posting.notes.append(
                f"{lot_text(lot)} was quarantined at {shown(place)} after that; what was moved is not"
            )
        return []
    posting.notes.append(
        f"{lot_text(lot)} is quarantined at {shown(place)}, and so it is now at {shown(goal)}"
    )
    if there is not None and held_at(connection, posting.at, lot=lot.id, place=there) is not None:
        return []
    return [Entry(lot, goal, fact=QUARANTINED, old=NO, new=YES)]
