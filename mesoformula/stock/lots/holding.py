"""
Keeping stock apart, and letting it go again: quarantine, what an excursion touched, release and recall.

A lot that came under several revisions of its product is one lot to its maker: what is said of it without a
revision is said of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.ledger.orders import check_name, check_number, check_order, moment_objections
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import NO, QUARANTINED, RECALLED, YES
from mesoformula.stock.lots.excursions import Touched, touched_by
from mesoformula.stock.lots.finding import find_opened, lot_by_id, place_id, place_name
from mesoformula.stock.lots.held import (
    held_at,
    note_if_later,
    place_with,
    said_of_lot,
    said_since,
    still_held,
)
from mesoformula.stock.lots.lots import (
    check_lot,
    find_revisions,
    listed,
    local,
    lot_text,
    picks_of,
    require_stock,
)
from mesoformula.stock.records import Anchor, MovementKind, Order, Receipt
from mesoformula.words import shown


class _AlreadyRecalledError(Exception):
    """Nothing is to be recorded: the movement that said so before is its argument."""


def quarantine(store: Store, product: str, lot: str, *, location: str | None = None, order: Order) -> Receipt:
    """
    Keep a lot apart, everywhere or in one place: it cannot be picked, reserved or issued.

    Args:
        store: The stock.
        product: `vendor/sku`, for all its revisions, or `vendor/sku@revision`.
        lot: The maker's lot number.
        location: Where; None means everywhere, what is opened and what is still to come included.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    name, number = check_lot(problems, product, lot)
    order, place = _checked(store, order, location, problems)

    def work(posting: Posting) -> None:
        entries = []
        for one in find_revisions(posting.connection, name, number):
            where = None if place is None else place_with(posting.connection, one, place)
            before = held_at(posting.connection, posting.at, lot=one.id, place=where)
            if before is not None:
                posting.notes.append(
                    f"{said_of_lot(one, place)} is quarantined already, {said_since(posting, before)}"
                )
                continue
            entries.append(Entry(one, place, fact=QUARANTINED, old=NO, new=YES))
        if not entries:
            raise _refusal("quarantined", posting.notes)
        posting.post(MovementKind.QUARANTINE, entries)
        for entry in entries:
            if entry.lot is not None:
                note_if_later(posting, entry, held=False)
                _note_picks(posting, entry.lot, place)
                _note_opened(posting, entry.lot, place)

    content = {"kind": "quarantine", "product": name, "lot": number, "location": place}
    return carry_out(store, order, content, work)


def quarantine_opened(store: Store, number: int, *, order: Order) -> Receipt:
    """
    Keep an opened container or a mixture apart.

    Args:
        store: The stock.
        number: Its number in this stock.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    check_number(problems, "opened", number)
    order, _place = _checked(store, order, None, problems)

    def work(posting: Posting) -> None:
        entry = _opened_entry(posting.connection, number, old=NO, new=YES)
        before = held_at(posting.connection, posting.at, opened=number)
        if before is not None:
            said = f"opened container {number} is quarantined already, {said_since(posting, before)}"
            raise _refusal("quarantined", [said])
        posting.post(MovementKind.QUARANTINE, [entry])
        note_if_later(posting, entry, held=False)
        picks = picks_of(posting.connection, posting.recorded_at, lot=0, opened=number)
        if picks:
            posting.notes.append(f"some of it is kept for {listed(picks)}, and cannot be issued")

    return carry_out(store, order, {"kind": "quarantine", "opened": number}, work)


def quarantine_excursion(
    store: Store, location: str, *, since: datetime | None = None, order: Order
) -> Receipt:
    """
    Keep apart all that was in one place when it got too warm or too cold there.

    What left the place since then is followed: it is quarantined where it was moved to, and so are mixtures
    made of it; which sessions used it stands in the notes.

    Args:
        store: The stock.
        location: Where it happened.
        since: When it began, with a time zone; None leaves out what left the place.
        order: Who asks, when and why; a reason is needed.

    Returns:
        One movement with a line for each lot and each opened container, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    moment = store.moment()
    problems.extend(Problem(code, text) for code, text in moment_objections("since", since, moment))
    if not problems and since is not None and since > (order.at or moment):
        problems.append(Problem("since", f"since {since.isoformat()}: lies after the quarantine itself"))
    order, place = _checked(store, order, location, problems)

    def work(posting: Posting) -> None:
        number = place_id(posting.connection, place or "")
        if number is None:
            raise OrderError([Problem("location", f"nothing was ever at {shown(place or '')}")])
        begun = posting.at if since is None else from_moment(since)
        touched = touched_by(posting.connection, number, begun, posting.at, follow=since is not None)
        entries = _excursion_entries(posting, touched)
        posting.notes.extend(touched.told(store.zone))
        if not entries:
            raise _refusal(
                "quarantined", [f"nothing at {shown(place or '')} has to be quarantined", *posting.notes]
            )
        posting.post(MovementKind.QUARANTINE, entries)

    content = {
        "kind": "quarantine",
        "excursion": place,
        "since": from_moment(since) if since is not None else None,
    }
    return carry_out(store, order, content, work)


def release_lot(
    store: Store, product: str, lot: str, *, location: str | None = None, order: Order
) -> Receipt:
    """
    Let a lot go that was quarantined or recalled.

    Args:
        store: The stock.
        product: `vendor/sku`, for all its revisions, or `vendor/sku@revision`.
        lot: The maker's lot number.
        location: Ends the quarantine in this place only; None ends what holds everywhere, a recall included,
            and leaves alone what holds in single places or for opened containers.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If nothing keeps it apart, or anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    name, number = check_lot(problems, product, lot)
    order, place = _checked(store, order, location, problems)

    def work(posting: Posting) -> None:
        connection = posting.connection
        revisions = find_revisions(connection, name, number)
        entries = []
        for one in revisions:
            where = None if place is None else place_with(connection, one, place)
            entries += [
                Entry(one, place, fact=fact, old=YES, new=NO)
                for fact in ((QUARANTINED,) if place is not None else (QUARANTINED, RECALLED))
                if held_at(connection, posting.at, lot=one.id, place=where, fact=fact) is not None
            ]
        left = [text for one in revisions for text in still_held(posting, one, place)]
        if not entries:
            said = f"{said_of_lot(revisions[0], place)} is neither quarantined nor recalled"
            raise _refusal("released", [f"{said}; {listed(left)}" if left else said])
        posting.post(MovementKind.RELEASE, entries)
        for entry in entries:
            if entry.lot is not None:
                ended = "the recall" if entry.fact == RECALLED else "the quarantine"
                posting.notes.append(f"{said_of_lot(entry.lot, place)}: {ended} ends")
                note_if_later(posting, entry, held=True)
        posting.notes.extend(left)

    content = {"kind": "release", "product": name, "lot": number, "location": place}
    return carry_out(store, order, content, work)


def release_opened(store: Store, number: int, *, order: Order) -> Receipt:
    """
    Let an opened container or a mixture go that was quarantined on its own.

    Args:
        store: The stock.
        number: Its number in this stock.
        order: Who asks, when and why; a reason is needed.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If it is not quarantined on its own, or anything else stands against it.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    check_number(problems, "opened", number)
    order, _place = _checked(store, order, None, problems)

    def work(posting: Posting) -> None:
        entry = _opened_entry(posting.connection, number, old=YES, new=NO)
        if held_at(posting.connection, posting.at, opened=number) is None:
            raise _refusal(
                "released",
                [f"opened container {number} is not quarantined on its own; release its lot, if that is"],
            )
        posting.post(MovementKind.RELEASE, [entry])
        note_if_later(posting, entry, held=True)

    return carry_out(store, order, {"kind": "release", "opened": number}, work)


def recall_lot(store: Store, product: str, lot: str, *, order: Order) -> Receipt:
    """
    Block a recalled lot everywhere, under every revision of its product.

    Args:
        store: The stock.
        product: `vendor/sku`, for all its revisions, or `vendor/sku@revision`.
        lot: The maker's lot number.
        order: Who asks, when and why.

    Returns:
        The movement; if the lot is recalled already the one that recalled it, as repeated.

    Raises:
        OrderError: If anything stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    name, number = check_lot(problems, product, lot)
    order, _place = _checked(store, order, None, problems, needs_reason=False)

    def work(posting: Posting) -> None:
        revisions = find_revisions(posting.connection, name, number)
        before = [held_at(posting.connection, posting.at, lot=one.id, fact=RECALLED) for one in revisions]
        entries = [
            Entry(one, fact=RECALLED, old=NO, new=YES)
            for one, known in zip(revisions, before, strict=True)
            if known is None
        ]
        if not entries and any(
            held_at(posting.connection, posting.recorded_at, lot=one.id, fact=RECALLED) is None
            for one in revisions
        ):
            said = f"{lot_text(revisions[0])} was recalled then, and was released since"
            raise _refusal("recalled", [f"{said}: leave out the moment to recall it again"])
        if not entries:
            raise _AlreadyRecalledError(max(known.movement for known in before if known is not None))
        posting.post(MovementKind.RECALL, entries)
        for entry in entries:
            if entry.lot is not None:
                note_if_later(posting, entry, held=False)

    content = {"kind": "recall", "product": name, "lot": number}
    try:
        return carry_out(store, order, content, work)
    except _AlreadyRecalledError as known:
        return _recalled_by(store, int(known.args[0]))


def _recalled_by(store: Store, number: int) -> Receipt:
    table = schema.movement
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", "the stock is empty")])
        row = connection.execute(
            select(table.c.hash, table.c.effective_at).where(table.c.seq == number)
        ).one()
    note = f"recalled already, since {local(row.effective_at, store.zone)}: movement {number}"
    return Receipt(number, Anchor(number, row.hash), repeated=True, notes=(note,))


def _checked(
    store: Store,
    order: Order,
    location: str | None,
    problems: list[Problem] | None = None,
    *,
    needs_reason: bool = True,
) -> tuple[Order, str | None]:
    found = list(problems or ())
    order = check_order(found, order, store.moment(), needs_reason=needs_reason)
    place = check_name(found, "location", location) if location is not None else None
    if found:
        raise OrderError(found)
    require_stock(store)
    return order, place


def _opened_entry(connection: Connection, number: int, *, old: str, new: str) -> Entry:
    vessel = find_opened(connection, number)
    lot = lot_by_id(connection, vessel.lot) if vessel.lot is not None else None
    place = place_name(connection, vessel.location)
    return Entry(lot, place, opened=number, subject=vessel.name, fact=QUARANTINED, old=old, new=new)


def _excursion_entries(posting: Posting, touched: Touched) -> list[Entry]:
    connection = posting.connection
    entries = []
    for lot, place in touched.balances:
        if held_at(connection, posting.at, lot=lot, place=place) is None:
            where = place_name(connection, place)
            entries.append(Entry(lot_by_id(connection, lot), where, fact=QUARANTINED, old=NO, new=YES))
    entries += [
        _opened_entry(connection, number, old=NO, new=YES)
        for number in touched.opened
        if held_at(connection, posting.at, opened=number) is None
    ]
    already = len(touched.balances) + len(touched.opened) - len(entries)
    if already:
        posting.notes.append(
            f"{already} of what it touched {'was' if already == 1 else 'were'} quarantined already"
        )
    return entries


def _note_picks(posting: Posting, lot: Lot, place: str | None) -> None:
    number = place_id(posting.connection, place) if place is not None else None
    picks = picks_of(posting.connection, posting.recorded_at, lot=lot.id, place=number)
    if picks:
        posting.notes.append(f"some of {lot_text(lot)} is kept for {listed(picks)}, and cannot be issued")


def _note_opened(posting: Posting, lot: Lot, place: str | None) -> None:
    """Point out what is open in the one place whose whole containers are kept apart."""
    table = schema.opened
    number = place_id(posting.connection, place) if place is not None else None
    rows = posting.connection.execute(
        select(table.c.id)
        .where(table.c.lot == lot.id, table.c.location == number, table.c.gone == 0, table.c.quarantined == 0)
        .order_by(table.c.id)
    ).scalars()
    posting.notes.extend(
        f"opened container {one} of it at {shown(place or '')} is not kept apart by that: quarantine it by "
        "its number, if it has to be"
        for one in rows
    )


def _refusal(code: str, texts: Sequence[str]) -> OrderError:
    return OrderError([Problem(code, text) for text in texts])
