"""
One write: judged as a whole, recorded once, as one movement or several linked ones, or not at all.

What happened before a count that is recorded already cannot change what that count found: the late entry gets
a linked compensating movement at the moment of the count. No balance is below zero now, nor at the end of any
past day at the site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from mesoformula.clock import day_start, site_day
from mesoformula.errors import OrderError, Problem, ShortStockError
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Heading, Lot, Places, append, lock
from mesoformula.stock.ledger.chain import Remark, canonical, content_hash, remark_hash
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import figure
from mesoformula.stock.ledger.tally import Tally
from mesoformula.stock.records import Anchor, MovementKind, Order, Receipt
from mesoformula.words import shown


class Posting:
    """
    A write in the making.

    Attributes:
        store: The stock.
        connection: In a writing transaction, locked.
        order: Who asks, why and when.
        head: Of the chain, with what was posted so far.
        recorded_at: Now, in microseconds since 1970.
        at: When it happened, in microseconds since 1970.
        main: Number of the movement that was asked for; None before it is posted.
        notes: What to know about it, in sentences.
    """

    def __init__(
        self, store: Store, connection: Connection, order: Order, content: str | None, head: Anchor
    ) -> None:
        self.store = store
        self.connection = connection
        self.order = order
        self.head = head
        self.recorded_at = from_moment(store.moment(connection))
        self.at = self.recorded_at if order.at is None else min(from_moment(order.at), self.recorded_at)
        self.main: int | None = None
        self.notes: list[str] = []
        self._content = content
        self._touched: dict[tuple[int, str], tuple[int, Lot]] = {}

    @property
    def late(self) -> bool:
        """Whether it happened before now."""
        return self.at < self.recorded_at

    def post(
        self,
        kind: MovementKind,
        entries: Sequence[Entry],
        *,
        at: int | None = None,
        session: str | None = None,
        pick: int | None = None,
        reverses: int | None = None,
        lapses_at: int | None = None,
        reason: str | None = None,
    ) -> int:
        """
        Append a movement, and whatever it makes necessary.

        Args:
            kind: What happened.
            entries: Its lines.
            at: When, in microseconds since 1970; None means when the order says.
            session: Opaque reference of a session.
            pick: The pick that it uses or frees.
            reverses: The movement that it takes back.
            lapses_at: Of a pick, when its reservation ends.
            reason: Of a movement after the first, where it has one of its own.

        Returns:
            Its number.

        Raises:
            ShortStockError: If more would go than is there.
        """
        at = self.at if at is None else at
        before, after = self._compensations(entries, at)
        number = self.head.seq + len(before) + 1
        first = self.main is None
        if first:
            self.main = number
        for moment, compensation in before:
            self._append(MovementKind.COMPENSATION, compensation, at=moment, cause=number)
        self._append(
            kind,
            entries,
            at=at,
            cause=None if first else self.main,
            session=session,
            pick=pick,
            reverses=reverses,
            lapses_at=lapses_at,
            reason=self.order.reason if first else reason,
            request=self.order.request_id if first else None,
            request_content=self._content if first and self.order.request_id is not None else None,
        )
        for moment, compensation in after:
            self._append(MovementKind.COMPENSATION, compensation, at=moment, cause=number)
        return number

    def close(self) -> None:
        """
        Judge the past days that were changed.

        Raises:
            ShortStockError: If a balance would have been below zero at the end of one.
        """
        problems = []
        for (lot, place), (at, what) in self._touched.items():
            day = self._short_day(lot, place, at)
            if day is not None:
                problems.append(
                    Problem(
                        "short",
                        f"lot {shown(what.number)} of {what.product_id}@{what.revision} at {shown(place)}: "
                        f"less than none would have been there at the end of {day}; record what is missing "
                        "first, or correct the moment",
                    )
                )
        if problems:
            raise ShortStockError(problems)

    def _append(self, kind: MovementKind, entries: Sequence[Entry], *, at: int, **said: Any) -> None:
        heading = Heading(kind.value, at, self.recorded_at, self.order.actor, **said)

        def judge(tally: Tally, places: Places) -> None:
            if any(one.containers < 0 for one in tally.balances.values()) or any(
                (one.nanolitres or 0) < 0 or (one.nanograms or 0) < 0 for one in tally.opened.values()
            ):
                raise ShortStockError(_short(tally, places, *_changes(entries)))

        self.head = append(self.connection, self.head, heading, entries, judge=judge)
        if at < self.recorded_at:
            changes, lots = _changes(entries)
            for key in changes:
                known = self._touched.get(key)
                moment = at if known is None else min(at, known[0])
                self._touched[key] = moment, lots[key[0]]

    def _compensations(
        self, entries: Sequence[Entry], at: int
    ) -> tuple[list[tuple[int, list[Entry]]], list[tuple[int, list[Entry]]]]:
        """Work out what keeps later counts true: what comes back before the entry, what goes after it."""
        if at >= self.recorded_at:
            return [], []
        changes, lots = _changes(entries)
        coming: dict[int, list[Entry]] = defaultdict(list)
        going: dict[int, list[Entry]] = defaultdict(list)
        for (lot, place), change in changes.items():
            counted = self._counted_after(lot, place, at) if change else None
            if counted is not None:
                side = coming if change < 0 else going
                side[counted].append(Entry(lots[lot], place, -change))
        return sorted(coming.items()), sorted(going.items())

    def _counted_after(self, lot: int, place: str, at: int) -> int | None:
        line, movement, location = schema.movement_line, schema.movement, schema.location
        found = self.connection.execute(
            select(func.min(movement.c.effective_at))
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .join(location, location.c.id == line.c.location)
            .where(
                line.c.lot == lot,
                location.c.name == place,
                line.c.counted.is_not(None),
                movement.c.effective_at > at,
            )
        ).scalar_one()
        return None if found is None else int(found)

    def _short_day(self, lot: int, place: str, since: int) -> date | None:
        """Find the first day, from a moment on, that ended with less than nothing."""
        zone = self.store.zone
        today = from_moment(day_start(site_day(to_moment(self.recorded_at), zone), zone))
        if since >= today:
            return None
        line, movement, location = schema.movement_line, schema.movement, schema.location
        rows = self.connection.execute(
            select(movement.c.effective_at, func.sum(line.c.containers))
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .join(location, location.c.id == line.c.location)
            .where(line.c.lot == lot, location.c.name == place, line.c.containers != 0)
            .group_by(movement.c.effective_at)
            .order_by(movement.c.effective_at)
        ).all()
        there = 0
        for n, (moment, change) in enumerate(rows):
            there += int(change)
            day = site_day(to_moment(moment), zone)
            last = n + 1 == len(rows) or site_day(to_moment(rows[n + 1][0]), zone) != day
            if there < 0 and last and moment >= since and moment < today:
                return day
        return None


def carry_out(
    store: Store,
    order: Order,
    content: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    work: Callable[[Posting], None],
    *,
    texts: Mapping[int, str] | None = None,
) -> Receipt:
    """
    Record what was asked for, all of it or nothing, and only once.

    Args:
        store: The stock; made if it does not exist yet.
        order: Who asks, why and when; checked.
        content: What is asked, as plain data, without free text: what the request id stands for. Where it is
            long and every text in it was checked, what puts it together, called only if there is such an id.
        work: Posts the movements.
        texts: Free text by line of the main movement, from 1; the reason is the order's.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    digest = _digest(order, content)
    said = dict(texts or {})
    if order.reason is not None:
        said[0] = order.reason
    with store.writing() as connection:
        head = lock(connection)
        if order.request_id is not None and digest is not None:
            before = _repeated(connection, order.request_id, digest, said)
            if before is not None:
                return before
        posting = Posting(store, connection, order, digest, head)
        work(posting)
        posting.close()
        if posting.main is None:
            raise OrderError([Problem("empty", "nothing to record")])
        return Receipt(
            movement=posting.main,
            anchor=posting.head,
            first=head.seq + 1,
            last=posting.head.seq,
            notes=tuple(posting.notes),
        )


def _digest(order: Order, content: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> str | None:
    if callable(content):
        if order.request_id is None:
            return None
        content = content()
    asked = {name: value for name, value in content.items() if value is not None}
    asked["actor"] = order.actor
    if order.at is not None:
        asked["at"] = from_moment(order.at)
    try:
        return content_hash(canonical(asked))
    except UnicodeEncodeError as err:
        found = figure(err.object[err.start : err.end])
        raise OrderError(
            [Problem("text", f"what is asked holds {found}, which is no character; type it anew")]
        ) from None


def _repeated(
    connection: Connection, request_id: str, content: str, texts: Mapping[int, str]
) -> Receipt | None:
    """Find what the same request did before; refuse the id if it was another request."""
    table = schema.movement
    row = connection.execute(
        select(table.c.seq, table.c.request_content).where(table.c.request_id == request_id)
    ).one_or_none()
    if row is None:
        return None
    if row.request_content != content or not _same_texts(connection, row.seq, texts):
        raise OrderError(
            [
                Problem(
                    "request",
                    f"request id {shown(request_id)} stands for movement {row.seq}, which says something "
                    f"else; give a new write an id of its own",
                )
            ]
        )
    first = last = int(row.seq)
    while _cause(connection, first - 1) == row.seq:
        first -= 1
    # What a later write compensates in advance names a cause that is still to come.
    while (cause := _cause(connection, last + 1)) is not None and cause <= last:
        last += 1
    found = connection.execute(select(table.c.hash).where(table.c.seq == last)).scalar_one()
    return Receipt(row.seq, Anchor(last, found), repeated=True, first=first, last=last)


def _cause(connection: Connection, seq: int) -> int | None:
    table = schema.movement
    found = connection.execute(select(table.c.cause).where(table.c.seq == seq)).scalar_one_or_none()
    return None if found is None else int(found)


def _same_texts(connection: Connection, seq: int, texts: Mapping[int, str]) -> bool:
    line, movement, remark = schema.movement_line, schema.movement, schema.remark
    rows = connection.execute(
        select(line.c.line, line.c.remark_hash).where(line.c.movement == seq, line.c.remark_hash.is_not(None))
    )
    hashes = {int(row.line): row.remark_hash for row in rows}
    reason = connection.execute(
        select(movement.c.reason_hash).where(movement.c.seq == seq)
    ).scalar_one_or_none()
    if reason is not None:
        hashes[0] = reason
    if hashes.keys() != texts.keys():
        return False
    salts = {
        int(row.line): row.salt
        for row in connection.execute(select(remark.c.line, remark.c.salt).where(remark.c.movement == seq))
    }
    # Without its salt a text is erased, and nobody can tell any more.
    return all(
        number not in salts or remark_hash(Remark(salts[number], text)) == hashes[number]
        for number, text in texts.items()
    )


def _changes(entries: Iterable[Entry]) -> tuple[dict[tuple[int, str], int], dict[int, Lot]]:
    """Add up what entries do to the balances, by lot and place, and keep the lots by number."""
    changes: dict[tuple[int, str], int] = defaultdict(int)
    lots: dict[int, Lot] = {}
    for entry in entries:
        if entry.lot is not None and entry.location is not None and entry.containers:
            changes[entry.lot.id, entry.location] += entry.containers
            lots[entry.lot.id] = entry.lot
    return changes, lots


def _short(
    tally: Tally, places: Places, changes: Mapping[tuple[int, str], int], lots: Mapping[int, Lot]
) -> Iterator[Problem]:
    for (lot, place), one in tally.balances.items():
        if one.containers < 0 and lot in lots:
            what, name = lots[lot], places.get(place, "?")
            wanted = -changes.get((lot, name), 0)
            yield Problem(
                "short",
                f"lot {shown(what.number)} of {what.product_id}@{what.revision} at {shown(name)}: "
                f"{_containers(one.containers + wanted)} there, {wanted} asked for",
            )
    for (number,), vessel in tally.opened.items():
        if (vessel.nanolitres or 0) < 0 or (vessel.nanograms or 0) < 0:
            yield Problem("short", f"opened container {number}: less is left in it than asked for")


def _containers(number: int) -> str:
    return f"{number} container is" if number == 1 else f"{number} containers are"
