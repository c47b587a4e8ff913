"""What was in a place while it was too warm or too cold there, and where that has got to since."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

import attrs
from sqlalchemy import Connection, or_, select

from mesoformula.stock.database import schema
from mesoformula.stock.lots.finding import lot_by_id, place_name
from mesoformula.stock.lots.lots import MOVED, amount_text, local, lot_text
from mesoformula.stock.records import MovementKind

_WENT = {
    MovementKind.USE.value: "used since",
    MovementKind.RETURN.value: "returned since",
    MovementKind.MOVE.value: "moved since",
}


@attrs.frozen
class Went:
    """
    Something that left the place.

    Attributes:
        kind: How: a use, a return or a move.
        movement: Number of the movement.
        at: When, in microseconds since 1970.
        what: Such as `2 of lot '4711' of acme/c-500`.
        session: Reference of the session that used it.
        place: Where it was moved to.
    """

    kind: str
    movement: int
    at: int
    what: str
    session: str | None
    place: str | None = None


@attrs.frozen
class Touched:
    """
    What an excursion touched.

    Attributes:
        balances: Numbers of lots and of the places where containers of them are now.
        opened: Numbers of opened containers and mixtures that are still there.
        went: What was used, returned or moved since, in the order in which that happened.
    """

    balances: tuple[tuple[int, int], ...]
    opened: tuple[int, ...]
    went: tuple[Went, ...]

    def told(self, zone: tzinfo) -> list[str]:
        """
        Say what left the place.

        Args:
            zone: Of the site.

        Returns:
            A sentence for each.
        """
        texts = []
        for one in self.went:
            text = f"{_WENT[one.kind]}: {one.what}"
            if one.session is not None:
                text += f" for {one.session}"
            if one.place is not None:
                text += f" to {one.place}, quarantined there too if any is left"
            texts.append(f"{text}, {local(one.at, zone)} (movement {one.movement})")
        return texts


def touched_by(connection: Connection, place: int, since: int, until: int, *, follow: bool) -> Touched:
    """
    Find what an excursion touched.

    Args:
        connection: In a transaction.
        place: Number of the place.
        since: When it began, in microseconds since 1970.
        until: When it was over, or found out.
        follow: Whether to follow what left the place since.

    Returns:
        What is kept there now, and what has become of the rest.
    """
    balance, opened = schema.balance, schema.opened
    lots = connection.execute(
        select(balance.c.lot).where(balance.c.location == place, balance.c.containers > 0)
    ).scalars()
    vessels = connection.execute(
        select(opened.c.id).where(opened.c.location == place, opened.c.gone == 0)
    ).scalars()
    trail = _Trail(connection, {(lot, place) for lot in lots}, set(vessels))
    if follow:
        trail.follow(place, since, until)
    there = connection.execute(
        select(opened.c.id).where(opened.c.id.in_(sorted(trail.opened)), opened.c.gone == 0)
    )
    went = sorted(trail.went.values(), key=lambda one: (one.at, one.movement))
    return Touched(tuple(sorted(trail.balances)), tuple(sorted(there.scalars())), tuple(went))


class _Trail:
    """Whereabouts, from the earliest moment on."""

    def __init__(self, connection: Connection, balances: set[tuple[int, int]], opened: set[int]) -> None:
        self.connection = connection
        self.balances = balances
        self.opened = opened
        self.went: dict[tuple[int, int], Went] = {}
        self._until = 0
        # A moment, then what to look at from it on: a place with one lot of it (0 is all), or a container.
        self._todo: list[tuple[int, int, int, int]] = []
        self._seen: set[tuple[int, int, int]] = set()

    def follow(self, place: int, since: int, until: int) -> None:
        self._until = until
        self._push(since, place=place)
        for number in sorted(self.opened):
            self._push(since, opened=number)
        while self._todo:
            moment, where, lot, number = heapq.heappop(self._todo)
            if (where, lot, number) in self._seen:
                continue
            self._seen.add((where, lot, number))
            if number:
                self._from_opened(number, moment)
            else:
                self._from_place(where, lot or None, moment)

    def _push(self, since: int, *, place: int = 0, lot: int = 0, opened: int = 0) -> None:
        heapq.heappush(self._todo, (since, place, lot, opened))

    def _from_place(self, place: int, lot: int | None, since: int) -> None:
        line = schema.movement_line
        moved = (line.c.fact == MOVED) & (line.c.old == place_name(self.connection, place))
        there = (line.c.location == place) & ((line.c.containers < 0) | line.c.opened.is_not(None))
        condition = or_(there, moved) if lot is None else there & (line.c.lot == lot)
        for row in self._rows(condition, since):
            if row.containers < 0:
                self._went(row)
                self._arrived(row)
            if row.opened is not None and lot is None:
                self.opened.add(row.opened)
                self._push(since, opened=row.opened)

    def _from_opened(self, number: int, since: int) -> None:
        for row in self._rows(schema.movement_line.c.opened == number, since):
            if row.kind == MovementKind.USE.value:
                self._went(row)
            elif row.kind == MovementKind.MIX.value:
                self._made(row)

    def _went(self, row: Any) -> None:
        key = row.movement, row.line
        found_first = (row.nanolitres or 0) > 0 or (row.nanograms or 0) > 0
        if row.kind not in _WENT or key in self.went or found_first:
            return
        place = None
        if row.opened is not None:
            volume = -row.nanolitres if row.nanolitres is not None else None
            mass = -row.nanograms if row.nanograms is not None else None
            what = f"{amount_text(volume, mass)} from opened container {row.opened}"
        else:
            what = f"{-row.containers} of {lot_text(lot_by_id(self.connection, row.lot))}"
        if row.kind == MovementKind.MOVE.value:
            places = [place_name(self.connection, number) for number in self._destinations(row)]
            place = " and ".join(places) or None
        self.went[key] = Went(row.kind, row.movement, row.effective_at, what, row.session, place)

    def _arrived(self, row: Any) -> None:
        """Go on where containers went: to another place, into an opened container or a mixture."""
        balance = schema.balance
        if row.kind == MovementKind.MOVE.value:
            for place in self._destinations(row):
                there = self.connection.execute(
                    select(balance.c.containers).where(balance.c.lot == row.lot, balance.c.location == place)
                ).scalar_one_or_none()
                if there:
                    self.balances.add((row.lot, place))
                self._push(row.effective_at, place=place, lot=row.lot)
        else:
            self._made(row)

    def _made(self, row: Any) -> None:
        opened = schema.opened
        made = self.connection.execute(
            select(opened.c.id, opened.c.lot).where(opened.c.movement == row.movement)
        )
        for one in made:
            if one.lot is None or one.lot == row.lot:
                self.opened.add(one.id)
                self._push(row.effective_at, opened=one.id)

    def _destinations(self, row: Any) -> list[int]:
        line = schema.movement_line
        found: Iterable[int] = self.connection.execute(
            select(line.c.location).where(
                line.c.movement == row.movement, line.c.lot == row.lot, line.c.containers > 0
            )
        ).scalars()
        return list(found)

    def _rows(self, condition: Any, since: int) -> list[Any]:
        """Read lines that were not taken back."""
        line, movement = schema.movement_line, schema.movement
        back = movement.alias("back")
        return list(
            self.connection.execute(
                select(line, movement.c.kind, movement.c.effective_at, movement.c.session)
                .select_from(line)
                .join(movement, movement.c.seq == line.c.movement)
                .where(
                    condition,
                    movement.c.effective_at >= since,
                    movement.c.effective_at <= self._until,
                    movement.c.kind != MovementKind.REVERSAL.value,
                    ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
                )
                .order_by(movement.c.effective_at, movement.c.seq, line.c.line)
            )
        )
