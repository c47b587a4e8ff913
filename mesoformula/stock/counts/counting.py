"""
Counts of the shelf: what should be there at one moment, what was found, and what differs.

A count is opened with a snapshot. What is found is compared with what the ledger says of the moment of the
snapshot, or of a later one that is named, so that whatever was moved meanwhile stays as it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.counts.count_figures import Asked, Found, check_figures, of_found
from mesoformula.stock.counts.count_sheets import (
    EXPECTED,
    POSTED,
    Spot,
    balances_at,
    balances_now,
    lots_of_count,
    moved_since,
    opened_count,
    posting_of,
    subject_of,
)
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import check_name, check_order
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import YES
from mesoformula.stock.lots.finding import find_lot, place_id
from mesoformula.stock.records import Movement, MovementKind, Order, Receipt
from mesoformula.stock.views.reading import reserved
from mesoformula.words import nearest, shown


@attrs.frozen
class Difference:
    """
    What was counted of one lot in one place, and what that changes.

    Attributes:
        line: Of the count; None for what was found beside it.
        product: `vendor/sku@revision`.
        lot: The maker's lot number.
        location: Where.
        there: How many the ledger says were there when it was counted.
        counted: How many were.
        now: How many are there now, by the ledger, once this is posted.
    """

    line: int | None
    product: str
    lot: str
    location: str
    there: int
    counted: int
    now: int

    @property
    def containers(self) -> int:
        """How many more (above zero) or fewer (below) were found."""
        return self.counted - self.there


@attrs.frozen
class _Result:
    """What one line comes to."""

    lot: Lot
    difference: Difference


def open_count(
    store: Store, *, location: str | None = None, product: str | None = None, order: Order
) -> Receipt:
    """
    Open a count: keep what should be there, lot by lot and place by place.

    Args:
        store: The stock.
        location: Only this place.
        product: Only this one: `vendor/sku`, or with its revision.
        order: Who opens it, why, and of which moment the snapshot is.

    Returns:
        The movement, whose number is that of the count.

    Raises:
        OrderError: If anything stands against it, or nothing is there to count; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    if location is not None:
        location = check_name(problems, "location", location)
    product = product.strip(" ") if product is not None else None
    if problems:
        raise OrderError(problems)

    def work(posting: Posting) -> None:
        connection = posting.connection
        lots = _lots(connection, location, product)
        late = posting.late
        there = balances_at(connection, lots, posting.at) if late else balances_now(connection, lots)
        entries = [
            Entry(lot=lots[lot], location=place, fact=EXPECTED, new=str(containers))
            for (lot, place), containers in there.items()
            if containers > 0 and location in (None, place)
        ]
        if not entries:
            raise OrderError([Problem("empty", _nothing(connection, location, product))])
        posting.post(MovementKind.COUNT_OPENED, sorted(entries, key=_walk))

    content = {"kind": MovementKind.COUNT_OPENED.value, "location": location, "product": product}
    return carry_out(store, order, content, work)


def _walk(entry: Entry) -> tuple[Any, ...]:
    """Put lines in the order in which somebody walks along the shelves."""
    lot = entry.lot
    assert lot is not None  # noqa: S101 (every line of a snapshot is about a lot)
    return entry.location, lot.product_id, lot.revision, lot.expiry is None, lot.expiry, lot.number


def _lots(connection: Connection, location: str | None, product: str | None) -> dict[int, Lot]:
    """Find the lots that are or were in a place."""
    balance, lot, place = schema.balance, schema.lot, schema.location
    query = select(lot).where(lot.c.id.in_(select(balance.c.lot)))
    if location is not None:
        named = select(place.c.id).where(place.c.name == location)
        query = query.where(lot.c.id.in_(select(balance.c.lot).where(balance.c.location.in_(named))))
    if product is not None:
        product_id, _, revision = product.partition("@")
        query = query.where(lot.c.product_id == product_id)
        if revision:
            query = query.where(lot.c.revision == (int(revision) if revision.isdecimal() else 0))
    return {
        row.id: Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)
        for row in connection.execute(query)
    }


def _nothing(connection: Connection, location: str | None, product: str | None) -> str:
    """Say that there is nothing to count, and whether that is for a name that nothing answers to."""
    places = list(connection.execute(select(schema.location.c.name)).scalars())
    if location is not None and location not in places:
        hint = " or ".join(map(shown, nearest(location, places) or sorted(places)[:3]))
        return f"nothing was ever at {shown(location)}" + (f"; did you mean {hint}?" if hint else "")
    products = list(connection.execute(select(schema.lot.c.product_id).distinct()).scalars())
    if product is not None and product.partition("@")[0] not in products:
        hint = " or ".join(map(shown, nearest(product, products)))
        return f"product {shown(product)} is not in the stock" + (f"; did you mean {hint}?" if hint else "")
    where = f" at {shown(location)}" if location is not None else ""
    return f"no whole container is there{where} by the ledger: nothing to count"


# ---- posting -------------------------------------------------------------------------------------------


def count_differences(
    store: Store,
    number: int,
    counted: Mapping[int, int | None],
    *,
    order: Order,
    found: Sequence[Found] = (),
    remarks: Mapping[int, str] | None = None,
) -> tuple[Difference, ...]:
    """
    Work out what posting a count would change, and change nothing.

    Args:
        store: The stock.
        number: Of the count.
        counted: As `post_count` takes it.
        order: As `post_count` takes it; it needs no reason.
        found: As `post_count` takes it.
        remarks: As `post_count` takes it.

    Returns:
        One entry for each figure, by line, then what was found beside the count.

    Raises:
        OrderError: If anything stands against it; `line` of its problems is a line of the count.
    """
    moment = store.moment()
    order, asked = check_figures(counted, found, remarks or {}, order, moment, needs_reason=False)
    with store.reading() as connection:
        count = opened_count(store, connection, number)
        assert connection is not None  # noqa: S101 (there is a count)
        at = _moment_of(count, order)
        return tuple(one.difference for one in _work_out(connection, count, asked, at))


def post_count(
    store: Store,
    number: int,
    counted: Mapping[int, int | None],
    *,
    order: Order,
    found: Sequence[Found] = (),
    remarks: Mapping[int, str] | None = None,
) -> Receipt:
    """
    Post what was counted: what differs from the ledger at that moment is corrected.

    Args:
        store: The stock.
        number: Of the count.
        counted: How many containers were found, by line of the count: None, and a line left out, leave the
            stock alone; zero empties it.
        order: Who posts it, why (needed), and when it was counted if not when the count was opened.
        found: What was on the shelf beside it.
        remarks: Free text by line of the count.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it; nothing is written. `line` of its problems is a line of
            the count; `where` of those about what was found is `("found", 1)` for the first.
        StockError: If the store cannot be opened or written to.
    """
    order, asked = check_figures(counted, found, remarks or {}, order, store.moment())

    def work(posting: Posting) -> None:
        connection = posting.connection
        count = opened_count(store, connection, number)
        at = _moment_of(count, order)
        results = _work_out(connection, count, asked, at)
        posting.notes.extend(_notes(connection, posting.recorded_at, results))
        posting.post(
            MovementKind.COUNT, list(_entries(number, _spots(connection, count), asked, results)), at=at
        )

    content = {
        "kind": MovementKind.COUNT.value,
        "count": number,
        "counted": [[line, containers] for line, containers in sorted(asked.counted.items())],
        "found": [[one.product, one.lot, one.location or "", one.containers] for one in asked.found],
    }
    return carry_out(store, order, content, work, texts=asked.texts)


def _moment_of(count: Movement, order: Order) -> int:
    """Decide on the moment whose stock was counted: between the snapshot and now."""
    opened = from_moment(count.effective_at)
    if order.at is None:
        return opened
    at = from_moment(order.at)
    if at < opened:
        message = (
            f"counted at {order.at.isoformat()}: count {count.seq} was opened later, at "
            f"{count.effective_at.astimezone(order.at.tzinfo).isoformat(timespec='minutes')}; leave out the "
            "moment, or open a count of that moment"
        )
        raise OrderError([Problem("at", message)])
    return at


def _work_out(connection: Connection, count: Movement, asked: Asked, at: int) -> list[_Result]:
    """Compare every figure with the ledger, and refuse what cannot be."""
    posted = posting_of(connection, count.seq)
    if posted is not None:
        message = f"count {count.seq} was posted already, by movement {posted}; open another count"
        raise OrderError([Problem("posted", message)])
    problems: list[Problem] = []
    lines = _spots(connection, count)
    for line in asked.lines:
        if line not in lines:
            message = f"line {line}: count {count.seq} has lines 1 to {len(lines)}"
            problems.append(Problem("line", message, line=line))
    extra = _found_spots(connection, problems, asked, lines)
    if problems:
        raise OrderError(problems)
    wanted: list[tuple[int | None, Lot, str, int]] = [
        (line, *lines[line], containers) for line, containers in sorted(asked.counted.items())
    ]
    wanted += [(None, *spot, one.containers) for spot, one in zip(extra, asked.found, strict=True)]
    ids = {lot.id for _line, lot, _place, _containers in wanted}
    then, now = balances_at(connection, ids, at, count), balances_now(connection, ids)
    since = moved_since(connection, ids, count, at)
    results = []
    for n, (number, lot, place, containers) in enumerate(wanted):
        spot = lot.id, place
        there, after = then.get(spot, 0), now.get(spot, 0)
        gone = there - after
        if containers != there and not _counted_since(connection, spot, at):
            after += containers - there
        pinned = f"{lot.product_id}@{lot.revision}"
        what = f"lot {shown(lot.number)} of {pinned} at {shown(place)}"
        moves = ", ".join(map(str, since.get(spot, ())))
        if number is None and moves:
            message = (
                f"{what} was moved since (movement {moves}): if that is what was found, leave it out; else "
                "say with the moment when it was counted"
            )
            problems.append(of_found(n - len(asked.counted) + 1, Problem("found", message)))
        elif after < 0:
            message = (
                f"line {number}: {containers} counted of {what}, and {gone} more have gone since than came "
                f"(movement {moves}); count again, or say with the moment when it was counted"
            )
            problems.append(Problem("counted", message, line=number))
        difference = Difference(number, pinned, lot.number, place, there, containers, after)
        results.append(_Result(lot, difference))
    if problems:
        raise OrderError(problems)
    return results


def _spots(connection: Connection, count: Movement) -> dict[int, tuple[Lot, str]]:
    """Find the lot and place of each line of a count."""
    by_key = {lot.key: lot for lot in lots_of_count(connection, count.seq).values()}
    return {
        line.line: (by_key[line.product.id, line.product.revision, line.lot], line.location)
        for line in count.lines
        if line.product is not None and line.lot is not None and line.location is not None
    }


def _found_spots(
    connection: Connection, problems: list[Problem], asked: Asked, lines: Mapping[int, tuple[Lot, str]]
) -> list[tuple[Lot, str]]:
    """Find the lots and places of what was found beside the count."""
    places = sorted({place for _lot, place in lines.values()})
    expected = {(lot.id, place): line for line, (lot, place) in lines.items()}
    spots: list[tuple[Lot, str]] = []
    seen: dict[Spot, int] = {}
    for index, one in enumerate(asked.found, start=1):
        try:
            lot = find_lot(connection, one.product, one.lot)
        except OrderError as err:
            problems += [
                of_found(
                    index,
                    attrs.evolve(
                        problem, message=f"{problem.message}; if it is new, receive it or take it over first"
                    ),
                )
                for problem in err.problems
            ]
            continue
        place = one.location if one.location is not None else places[0] if len(places) == 1 else None
        message = None
        if place is None:
            message = f"at which place? This count is of {', '.join(map(shown, places))}"
        elif (line := expected.get((lot.id, place))) is not None:
            message = f"lot {shown(one.lot)} is line {line} of this count; give its figure there"
        elif place_id(connection, place) is None:
            message = f"nothing was ever at {shown(place)}; name a place that the stock knows"
        elif (before := seen.setdefault((lot.id, place), index)) != index:
            message = f"lot {shown(one.lot)} is given by found {before} already; add them up"
        if message is not None:
            problems.append(of_found(index, Problem("found", message)))
        else:
            spots.append((lot, str(place)))
    return spots


def _counted_since(connection: Connection, spot: Spot, at: int) -> bool:
    """Tell whether a later count was posted, which keeps what is there now as it is."""
    line, movement, place = schema.movement_line, schema.movement, schema.location
    found = connection.execute(
        select(movement.c.seq)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .join(place, place.c.id == line.c.location)
        .where(
            line.c.lot == spot[0],
            place.c.name == spot[1],
            line.c.counted.is_not(None),
            movement.c.effective_at > at,
        )
        .limit(1)
    ).scalar_one_or_none()
    return found is not None


def _entries(
    number: int, lines: Mapping[int, tuple[Lot, str]], asked: Asked, results: Sequence[_Result]
) -> Iterable[Entry]:
    """Write the lines in the order in which `Asked.texts` counts them."""
    by_line = {one.difference.line: one for one in results if one.difference.line is not None}
    for line in asked.lines:
        result = by_line.get(line)
        if result is not None:
            yield _entry(result, asked.remarks.get(line))
        else:
            lot, place = lines[line]
            yield Entry(lot=lot, location=place, remark=asked.remarks[line])
    extra = [one for one in results if one.difference.line is None]
    for result, one in zip(extra, asked.found, strict=True):
        yield _entry(result, one.remark)
    yield Entry(subject=subject_of(number), fact=POSTED, new=YES)


def _entry(result: _Result, remark: str | None) -> Entry:
    one = result.difference
    return Entry(
        lot=result.lot, location=one.location, containers=one.containers, counted=one.counted, remark=remark
    )


def _notes(connection: Connection, recorded_at: int, results: Sequence[_Result]) -> Iterable[str]:
    """Point out what is kept for picks and is no longer there."""
    kept, _volumes = reserved(connection, to_moment(recorded_at))
    for result in results:
        one = result.difference
        place = place_id(connection, one.location)
        wanted = kept.get((result.lot.id, place), 0) if place is not None else 0
        if wanted > one.now:
            yield (
                f"{wanted} containers of lot {shown(one.lot)} of {one.product} at {shown(one.location)} are "
                f"kept for picks, and {one.now} are there: pick again"
            )
