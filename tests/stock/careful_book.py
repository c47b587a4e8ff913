"""
What a careful person writes down of a stock, kept apart from the program that it is held against.

`Book` keeps a page of dated lines for every lot in every place, a card for every opened container, a slip for
every pick, and says beforehand whether something can be done:

- Nothing may be below zero now, nor at the end of any past day at the site.
- What happened before a count does not change what that count found: what it changes is made up for at the
  moment of the count.
- What is expired, quarantined, recalled, past its beyond-use date, kept for others, or opened for another
  session is not taken, by what held at the moment of taking; what has happened all the same is put down as a
  deviation.
- What leaves one place or container turns up in another, or was used, wasted or returned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, TypeAlias

import attrs

Lot: TypeAlias = tuple[str, str]
Spot: TypeAlias = tuple[Lot, str]

ZONE = timezone(timedelta(hours=2))
BEGIN = datetime(2026, 5, 4, 6, tzinfo=UTC)
ML = 1_000_000
PLACES = ("main", "fridge", "away")

#: A vial of 10 mL serves many for 28 days; an ampoule of 5 mL serves one session.
HOLDS = {"vial": 10 * ML, "ampoule": 5 * ML}
KEEPS = {"vial": 28}
#: What may be taken back; the rest is undone by its opposite.
REVERSIBLE = ("receipt", "use", "waste", "return", "move", "adjust", "open", "mix")
#: What is printed on the packs of each lot.
PRINTED: dict[Lot, date | None] = {
    ("vial", "A"): date(2026, 5, 20),
    ("vial", "B"): None,
    ("ampoule", "A"): date(2026, 6, 10),
    ("ampoule", "B"): date(2026, 6, 10),
}


def day(moment: datetime) -> date:
    """The day at the site."""
    return moment.astimezone(ZONE).date()


def end_of(last: date) -> datetime:
    """The moment with which a day ends at the site."""
    return datetime.combine(last + timedelta(1), time(), ZONE)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


class Refused(Exception):  # noqa: N818
    """The careful person says no, and why."""


@attrs.define
class Vessel:
    """
    An opened container or a mixture, on a card of its own.

    Attributes:
        lots: What is in it.
        lot: Of an opened container.
        until: When it must be gone; None if it serves one session, on the day on which it was opened.
        made_from: Of a mixture: the vessels that it was made from.
        gone: How it went: by a use, a mix, a waste or a reversal; None while it is there.
    """

    lots: frozenset[Lot]
    lot: Lot | None
    place: str
    opened_at: datetime
    until: datetime | None
    supplied: int
    left: int = 0
    by: int = 0
    made_from: frozenset[int] = frozenset()
    gone: str | None = None


@attrs.frozen
class Kept:
    """What a pick keeps: containers of a lot in a place, or a volume in a vessel."""

    lot: Lot
    place: str
    containers: int
    volume: int | None
    vessel: int | None = None


@attrs.define
class Slip:
    """A pick."""

    session: str
    made_at: datetime
    lapses_at: datetime
    kept: list[Kept]
    ended: bool = False


@attrs.define
class Sheet:
    """A count: the moment at which it was opened, and what is to be counted, line by line."""

    at: datetime
    spots: list[Spot]
    posted: bool = False


@attrs.define
class Plan:
    """
    One movement, before it is put down and after.

    Attributes:
        changes: Containers that come or go.
        pours: What comes into vessels or goes out, with what kind of thing it is.
        empties: Vessels that are gone with it.
        against: Why it should not be.
        since: Whether a lot was recalled after it.
    """

    kind: str
    at: datetime
    session: str | None = None
    pick: int | None = None
    deviating: bool = False
    changes: Counter[Spot] = attrs.field(factory=Counter)
    pours: list[tuple[int, int]] = attrs.field(factory=list)
    empties: dict[int, str] = attrs.field(factory=dict)
    opens: list[Vessel] = attrs.field(factory=list)
    numbers: list[int] = attrs.field(factory=list)
    counts: list[Spot] = attrs.field(factory=list)
    serials: set[str] = attrs.field(factory=set)
    costs: list[tuple[Lot, int | None]] = attrs.field(factory=list)
    moved: tuple[int, str, str] | None = None
    carried: Spot | None = None
    against: set[str] = attrs.field(factory=set)
    since: bool = False
    taken: Counter[Spot] = attrs.field(factory=Counter)
    back: bool = False

    def left(self, book: Book, number: int) -> int:
        """What a vessel would hold after it."""
        return book.vessels[number].left + sum(volume for one, volume in self.pours if one == number)


class Book:
    """What a careful person writes down."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.pages: dict[Spot, list[tuple[datetime, int]]] = {}
        self.counted: dict[Spot, dict[datetime, int]] = {}
        self.said: dict[tuple[Any, ...], list[tuple[datetime, int, Any]]] = {}
        self.vessels: dict[int, Vessel] = {}
        self.slips: dict[int, Slip] = {}
        self.movements: dict[int, Plan] = {}
        self.sheets: dict[int, Sheet] = {}
        self.received_at: dict[Lot, datetime] = {}
        self.containers: Counter[str] = Counter()
        self.volume: Counter[str] = Counter()

    # -- what is known

    def there(self, spot: Spot, at: datetime | None = None) -> int:
        """Containers of a lot in a place, now or by a moment."""
        return sum(change for moment, change in self.pages.get(spot, ()) if at is None or moment <= at)

    def say(self, key: tuple[Any, ...], at: datetime, value: Any) -> None:
        """Note what holds from a moment on."""
        lines = self.said.setdefault(key, [])
        lines.append((at, len(lines), value))

    def holds(self, key: tuple[Any, ...], at: datetime) -> Any:
        """What holds at a moment: what was said of the latest one before it."""
        known = [one for one in self.said.get(key, ()) if one[0] <= at]
        return max(known, key=lambda one: one[:2])[2] if known else None

    def expiry(self, lot: Lot, at: datetime) -> date | None:
        found: date | None = self.holds(("expiry", lot), at)
        return found

    def against_lot(self, lot: Lot, place: str | None, at: datetime) -> set[str]:
        """Why containers of a lot should not be taken."""
        expiry = self.expiry(lot, at)
        found = {"expired"} if expiry is not None and day(at) > expiry else set()
        if self.holds(("quarantined", lot, None), at) or (
            place and self.holds(("quarantined", lot, place), at)
        ):
            found.add("quarantined")
        if self.holds(("recalled", lot), at):
            found.add("recalled")
        return found

    def against_vessel(self, number: int, at: datetime) -> set[str]:
        """Why nothing should be drawn from a vessel."""
        vessel = self.vessels[number]
        found = {code for lot in vessel.lots for code in self.against_lot(lot, None, at)}
        if self.holds(("quarantined", number), at):
            found.add("quarantined")
        if at >= vessel.until if vessel.until is not None else day(at) != day(vessel.opened_at):
            found.add("beyond-use")
        return found

    def kept(self, plan: Plan, spot: Spot | None = None, vessel: int | None = None) -> int:
        """How much is kept for others than whom a plan is for."""
        return sum(
            (one.containers if vessel is None else one.volume) or 0
            for number, slip in self.slips.items()
            for one in slip.kept
            if not slip.ended
            and number != plan.pick
            and slip.made_at <= plan.at < slip.lapses_at
            and (plan.session is None or slip.session != plan.session)
            and (
                one.vessel == vessel
                if vessel is not None
                else one.vessel is None and (one.lot, one.place) == spot
            )
        )

    def reserved(self, spot: Spot | None = None, vessel: int | None = None) -> int:
        """How much is kept for anybody."""
        return self.kept(Plan("", self.now), spot, vessel)

    def served(self, number: int) -> set[str]:
        """The sessions that a vessel was used in."""
        return {
            one.session
            for one in self.movements.values()
            if one.kind == "use" and not one.back and one.session and number in dict(one.pours)
        }

    def shares(self, number: int, session: str) -> bool:
        """Whether something for one session that is in a vessel went to another session, by whatever way."""
        above = {number} | self._into(number)
        for one in above:
            below = {other for other in self.vessels if one == other or one in self._into(other)}
            sessions = {who for other in below for who in self.served(other)}
            sessions |= {self.movements[self.vessels[other].by].session or session for other in below}
            if self.vessels[one].until is None and sessions - {session}:
                return True
        return False

    def _into(self, number: int) -> set[int]:
        vessel = self.vessels[number]
        if self.movements[vessel.by].back:
            return set()
        return {part for one in vessel.made_from for part in ({one} | self._into(one))}

    # -- what is planned

    def take(self, plan: Plan, lot: Lot, place: str, containers: int) -> None:
        """Take whole containers."""
        spot = lot, place
        plan.against |= self.against_lot(lot, place, plan.at)
        plan.since |= self._recalled_since({lot}, plan.at)
        plan.taken[spot] += containers
        there = self.there(spot)
        if there >= plan.taken[spot] > there - self.kept(plan, spot):
            plan.against.add("reserved")
        plan.changes[spot] -= containers

    def draw(
        self,
        plan: Plan,
        number: int,
        volume: int | None,
        *,
        overfill: bool = False,
        all_of_it: bool = False,
    ) -> int:
        """Draw a volume, or the rest; tell how much that is."""
        vessel = self.vessels.get(number)
        if vessel is None or plan.at < vessel.opened_at:
            raise Refused("there is no such container, or was none then")
        gone = plan.empties.get(number, vessel.gone)
        if gone and not (overfill and vessel.gone in ("use", "mix")):
            raise Refused("it is gone")
        left = plan.left(self, number)
        wanted = left if volume is None else volume
        if wanted > left and not overfill:
            raise Refused("less is left in it")
        plan.against |= self.against_vessel(number, plan.at)
        plan.since |= self._recalled_since(vessel.lots, plan.at)
        kept = self.kept(plan, vessel=number)
        if kept and (left if all_of_it else wanted) > left - kept:
            plan.against.add("reserved")
        if plan.session is not None and self.shares(number, plan.session):
            plan.against.add("shared")
        if wanted > left:
            plan.pours.append((number, wanted - left))
        plan.pours.append((number, -wanted))
        if volume is None or wanted >= left:
            plan.empties[number] = plan.kind
        return wanted

    def _recalled_since(self, lots: Iterable[Lot], at: datetime) -> bool:
        now = any(self.holds(("recalled", lot), self.now) for lot in lots)
        return at < self.now and now and not any(self.holds(("recalled", lot), at) for lot in lots)

    def opened(self, lot: Lot, place: str, at: datetime) -> Vessel:
        """A container as it is when it has just been opened."""
        sku = lot[0]
        until = None
        if sku in KEEPS:
            expiries = [self.expiry(lot, moment) for moment in (at, self.now)]
            ends = [end_of(one) for one in expiries if one is not None]
            until = earliest([end_of(day(at) + timedelta(KEEPS[sku] - 1)), *ends])
        return Vessel(frozenset([lot]), lot, place, at, until, HOLDS[sku])

    def lines(self, plan: Plan) -> Iterator[tuple[Spot, datetime, int, str]]:
        """The lines of a plan, with what makes up for them at later counts."""
        for spot, change in plan.changes.items():
            later = [moment for moment in self.counted.get(spot, ()) if moment > plan.at]
            yield spot, plan.at, change, plan.kind
            if later and plan.at < self.now and change:
                yield spot, min(later), -change, "compensation"

    def check(self, *plans: Plan) -> None:
        """Refuse what stands against plans, and what cannot be."""
        if any(plan.against and not plan.deviating for plan in plans):
            raise Refused("it should not be")
        pages: dict[Spot, list[tuple[datetime, int]]] = {}
        for plan in plans:
            for spot, at, change, _kind in self.lines(plan):
                pages.setdefault(spot, [*self.pages.get(spot, ())]).append((at, change))
            for number, _volume in plan.pours:
                if (
                    sum(one.left(self, number) - self.vessels[number].left for one in plans)
                    < -self.vessels[number].left
                ):
                    raise Refused("less is left in it")
        for page in pages.values():
            if sum(change for _at, change in page) < 0:
                raise Refused("less is there now")
            days = {day(at) for at, _change in page if day(at) < day(self.now)}
            if any(sum(change for at, change in page if day(at) <= one) < 0 for one in days):
                raise Refused("less was there at the end of a past day")

    def put_down(self, plan: Plan, number: int) -> None:
        """Put down a movement that was recorded."""
        for spot, at, change, kind in list(self.lines(plan)):
            self.pages.setdefault(spot, []).append((at, change))
            self.containers[kind] += change
        for spot in plan.counts:
            self.counted.setdefault(spot, {})[plan.at] = self.there(spot, plan.at)
        for vessel in plan.opens:
            vessel.by = number
            plan.numbers.append(len(self.vessels) + 1)
            self.vessels[plan.numbers[-1]] = vessel
            plan.pours.append((plan.numbers[-1], vessel.supplied))
        for one, volume in plan.pours:
            self.vessels[one].left += volume
            self.volume[plan.kind] += volume
        for one, how in plan.empties.items():
            self.vessels[one].gone = how
        if plan.pick is not None:
            self.slips[plan.pick].ended = True
        self.movements[number] = plan

    # -- what a pick takes

    def choose(self, wants: Iterable[tuple[str, int | None, int | None]], place: str | None) -> list[Kept]:
        """What is taken for wants: what is open first, then what expires first; all of it or nothing."""
        found: list[Kept] = []
        for sku, containers, volume in wants:
            rest = volume
            for number in sorted(self.vessels, key=self._goes_first):
                vessel = self.vessels[number]
                if not rest or vessel.gone or not self._may_be_picked(number, sku, place):
                    continue
                taken = sum(one.volume or 0 for one in found if one.vessel == number)
                much = min(rest, vessel.left - self.reserved(vessel=number) - taken)
                if much > 0 and vessel.lot is not None:
                    found.append(Kept(vessel.lot, vessel.place, 0, much, number))
                    rest -= much
            needed = containers if volume is None else -(-(rest or 0) // HOLDS[sku])
            for spot in sorted(self.pages, key=self._expires_first):
                if not needed or spot[0][0] != sku or place not in (None, spot[1]):
                    continue
                if self.against_lot(*spot, self.now):
                    continue
                taken = sum(
                    one.containers for one in found if one.vessel is None and (one.lot, one.place) == spot
                )
                many = min(needed, self.there(spot) - self.reserved(spot) - taken)
                if many > 0:
                    much = None if volume is None else min(rest or 0, many * HOLDS[sku])
                    found.append(Kept(*spot, many, much))
                    needed -= many
                    rest = None if rest is None else rest - (much or 0)
            if needed:
                raise Refused("a shortage")
        return found

    def _may_be_picked(self, number: int, sku: str, place: str | None) -> bool:
        vessel = self.vessels[number]
        right = vessel.lot is not None and vessel.lot[0] == sku and place in (None, vessel.place)
        return right and vessel.until is not None and not self.against_vessel(number, self.now)

    def _goes_first(self, number: int) -> tuple[datetime, int]:
        return self.vessels[number].until or datetime.max.replace(tzinfo=UTC), number

    def _expires_first(self, spot: Spot) -> tuple[Any, ...]:
        expiry = self.expiry(spot[0], self.now)
        return expiry is None, expiry or date.max, self.received_at[spot[0]], spot[0][1], spot[1]

    # -- what is taken back

    def reversal(self, number: int) -> Plan:
        """The opposite of a movement."""
        before = self.movements.get(number)
        if before is None or before.kind not in REVERSIBLE or before.back:
            raise Refused("it cannot be taken back")
        plan = Plan("reversal", before.at, deviating=True)
        for spot, change in before.changes.items():
            plan.changes[spot] -= change
        for one in before.numbers:
            if self._touched(one, but=number) or self.vessels[one].left != self.vessels[one].supplied:
                raise Refused("something was drawn from it since")
            if self.holds(("quarantined", one), self.now):
                raise Refused("it is quarantined")
            plan.empties[one] = "reversal"
        for one, volume in before.pours:
            gone = self.vessels[one].gone
            last = max(self._touched(one, but=number, emptying=True), default=0)
            if one not in before.numbers and gone and last and self.movements[last].kind == "waste":
                raise Refused("what is left was thrown away since")
            plan.pours.append((one, -volume))
        if before.moved is not None:
            one, old, new = before.moved
            if self.vessels[one].place != new:
                raise Refused("it was moved again since")
            plan.moved = one, new, old
        self.check(plan)
        return plan

    def _touched(self, vessel: int, *, but: int, emptying: bool = False) -> list[int]:
        """The movements that drew from a vessel and still stand."""
        return [
            number
            for number, one in self.movements.items()
            if number != but
            and not one.back
            and one.kind in ("use", "waste", "mix")
            and (
                vessel in one.empties if emptying else vessel in dict(one.pours) and vessel not in one.numbers
            )
        ]

    def take_back(self, plan: Plan, number: int, by: int) -> None:
        """Put down a reversal."""
        before = self.movements[number]
        before.back = True
        came = before.carried is not None and self.there(before.carried) <= before.changes[before.carried]
        self.put_down(plan, by)
        for one, _volume in before.pours:
            if one not in before.numbers and self.vessels[one].left:
                self.vessels[one].gone = None
        if plan.moved is not None:
            self.vessels[plan.moved[0]].place = plan.moved[2]
        if before.carried is not None and came:
            self.say(("quarantined", *before.carried), before.at, value=False)

    @property
    def serials(self) -> set[str]:
        """Packs that were received."""
        return {one for plan in self.movements.values() if not plan.back for one in plan.serials}

    def cost(self, lot: Lot) -> int | None:
        """What a container of a lot cost, if the receipts that still stand all say the same."""
        standing = [one for plan in self.movements.values() if not plan.back for one in plan.costs]
        costs = {cost for one, cost in standing if one == lot}
        return costs.pop() if len(costs) == 1 else None
