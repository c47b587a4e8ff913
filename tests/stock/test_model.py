"""
Random weeks in a pharmacy: the ledger beside what a careful person would have written down.

`Book` is that person. It keeps a page of dated lines for every lot in every place, a card for every opened
container, a slip for every pick, and says beforehand whether something can be done:

- Nothing may be below zero now, nor at the end of any past day at the site.
- What happened before a count does not change what that count found: what it changes is made up for at the
  moment of the count.
- What is expired, quarantined, recalled, past its beyond-use date, kept for others, or opened for another
  session is not taken, by what held at the moment of taking; what has happened all the same is put down as a
  deviation.
- What leaves one place or container turns up in another, or was used, wasted or returned.

`Pharmacy` does random things to the ledger and to the book, and compares the two after each.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from mesoformula import quantity
from mesoformula.errors import OrderError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.count_sheets import count_sheet
from mesoformula.stock.counting import open_count, post_count
from mesoformula.stock.facts import set_fact
from mesoformula.stock.history import movements_of
from mesoformula.stock.holding import (
    quarantine,
    quarantine_excursion,
    quarantine_opened,
    recall_lot,
    release_lot,
    release_opened,
)
from mesoformula.stock.mixing import Drawn, Whole, mix
from mesoformula.stock.moving import adjust, move, return_stock, waste
from mesoformula.stock.moving_opened import move_opened, waste_opened
from mesoformula.stock.openings import open_container
from mesoformula.stock.picking import pick
from mesoformula.stock.reading import stock_view
from mesoformula.stock.receiving import receive
from mesoformula.stock.records import Anchor, Delivery, LotFact, Order, Receipt
from mesoformula.stock.reservations import free
from mesoformula.stock.reversing import reverse
from mesoformula.stock.shortage import Want
from mesoformula.stock.store import Store, open_stock
from mesoformula.stock.using import use, use_opened, use_pick
from mesoformula.stock.verifying import verify

Lot: TypeAlias = tuple[str, str]
Spot: TypeAlias = tuple[Lot, str]

ZONE = timezone(timedelta(hours=2))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN = datetime(2026, 5, 4, 6, tzinfo=UTC)
ML = 1_000_000
PLACES = ("main", "fridge", "away")
SESSIONS = ("S-0001", "S-0002", "S-0003")
DEVICE = "05060131261973"

#: A vial of 10 mL serves many for 28 days; an ampoule of 5 mL serves one session.
HOLDS = {"vial": 10 * ML, "ampoule": 5 * ML}
KEEPS = {"vial": 28}
PRINTED: dict[Lot, date | None] = {
    ("vial", "A"): date(2026, 6, 10),
    ("vial", "B"): None,
    ("ampoule", "A"): date(2026, 5, 7),
    ("ampoule", "B"): date(2027, 1, 31),
}
PRODUCTS = {
    sku: Product(
        vendor=Vendor("acme", "Acme"),
        sku=sku,
        name=sku,
        parts=(Part(kind, Form.SOLUTION, volume=quantity(str(HOLDS[sku] // ML), "mL")),),
        doses=doses,
        in_use_period=quantity("28", "d") if sku in KEEPS else None,
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )
    for sku, kind, doses in (
        ("vial", ContainerKind.VIAL, Doses.MULTI),
        ("ampoule", ContainerKind.AMPOULE, Doses.SINGLE),
    )
}


def day(moment: datetime) -> date:
    """The day at the site."""
    return moment.astimezone(ZONE).date()


def end_of(last: date) -> datetime:
    """The moment with which a day ends at the site."""
    return datetime.combine(last + timedelta(1), time(), ZONE)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


# ---- the book ----------------------------------------------------------------------------------------------


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


REVERSIBLE = ("receipt", "use", "waste", "return", "move", "adjust", "open", "mix")


# ---- the pharmacy ------------------------------------------------------------------------------------------

LOTS = st.sampled_from(sorted(PRINTED))
WHERE = st.sampled_from(["main", "main", "main", "fridge", "fridge", "away"])
WHICH = st.integers(0, 11)
FEW = st.sampled_from([1, 1, 1, 2, 2, 3, 7, 0])
VOLUME = st.sampled_from([ML, 2 * ML, 5 * ML, 10 * ML, 12 * ML])
SESSION = st.sampled_from(SESSIONS)
ALL_THE_SAME = st.sampled_from([False, False, True])
HOUR = timedelta(hours=1)
#: How long ago something was that is told now; mostly it has just happened.
AGO = st.sampled_from([None, None, None, None, HOUR, 5 * HOUR, 30 * HOUR, 9 * 24 * HOUR])


def in_ml(volume: int | None) -> Any:
    return None if volume is None else quantity(str(volume // ML), "mL")


def name(lot: Lot) -> tuple[str, str]:
    return PRODUCTS[lot[0]].id, lot[1]


class Pharmacy(RuleBasedStateMachine):
    """Does things, after asking the book, and looks whether the ledger agrees."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place
        self.book = Book()
        self.store = self.opened_store()
        self.asked: list[tuple[Callable[[Order], Any], Order, Receipt]] = []
        self.numbers = count(1)

    def opened_store(self) -> Store:
        return open_stock(self.place, zone=ZONE, clock=lambda: self.book.now)

    def teardown(self) -> None:
        self.look_closely()
        self.store.close()

    def plan(self, kind: str, ago: timedelta | None = None, **said: Any) -> Plan:
        """Begin to plan something; no two things happen at one moment."""
        self.book.now += timedelta(seconds=1)
        at = self.book.now
        if ago is not None:
            at -= ago - timedelta(microseconds=next(self.numbers))
        return Plan(kind, at, **said)

    def head(self) -> Anchor | None:
        with self.store.reading() as connection:
            if connection is None:
                return None
            row = connection.execute(text("SELECT seq, hash FROM chain_head")).one()
            return Anchor(row.seq, row.hash) if row.seq else None

    def ask(
        self,
        think: Callable[[], None],
        act: Callable[[Order], Any],
        *plans: Plan,
        at: datetime | None = None,
    ) -> Receipt | None:
        """Do what the book allows; what it refuses the ledger refuses, and nothing is changed."""
        refused = None
        try:
            think()
        except Refused as err:
            refused = err
        at = at or next((one.at for one in plans), None)
        moment = None if at in (None, self.book.now) else at
        order = Order("anna", "because", moment, f"request {next(self.numbers)}")
        before = self.head()
        if refused is not None:
            try:
                act(order)
            except OrderError:
                pass
            else:
                raise AssertionError(f"the book says: {refused}")
            assert self.head() == before
            return None
        receipt = act(order)
        assert not receipt.repeated
        assert receipt.anchor == self.head()
        assert receipt.movements[0] == (before.seq if before is not None else 0) + 1
        self.asked.append((act, order, receipt))
        codes = {
            code.value
            for movement in movements_of(self.store, receipt.movements)
            for line in movement.lines
            for code in line.deviations
        }
        reasons = {code for one in plans if one.kind != "reversal" for code in one.against}
        assert codes == reasons | ({"recalled-since"} if any(one.since for one in plans) else set())
        return receipt

    def simply(self, plan: Plan, think: Callable[[], None], act: Callable[[Order], Receipt]) -> bool:
        """Do what is one movement."""

        def check() -> None:
            think()
            self.book.check(plan)

        receipt = self.ask(check, act, plan)
        if receipt is not None:
            self.book.put_down(plan, receipt.movement)
        return receipt is not None

    def vessel(self, which: int) -> int:
        """Point at an opened container; now and then at one that is gone, or never was."""
        there = [number for number, one in self.book.vessels.items() if not one.gone]
        return there[which % len(there)] if which < 10 and there else 1 + which % (len(self.book.vessels) + 1)

    def spot(self, which: int) -> Spot:
        """Point at containers; now and then at what may be an empty place."""
        there = [spot for spot in sorted(self.book.pages) if self.book.there(spot)]
        if which < 10 and there:
            return there[which % len(there)]
        return sorted(PRINTED)[which % 4], PLACES[which % 3]

    def held(self) -> list[tuple[Any, ...]]:
        """What of lots is held now."""
        return [key for key in self.book.said if key[0] != "expiry" and self.book.holds(key, self.book.now)]

    # -- coming

    @initialize()
    def begin(self) -> None:
        for lot in sorted(PRINTED):
            self.deliver([(lot, 9, "main", True, None, 100)], None)
        for which in (0, 3):
            self.open(which, 1, None, None, deviating=False)

    @rule(
        lines=st.lists(
            st.tuples(
                LOTS,
                FEW,
                WHERE,
                st.sampled_from([True] * 9 + [False]),
                st.sampled_from([None, None, None, "s1", "s2", "s3"]),
                st.sampled_from([None, 100, 100, 150]),
            ),
            min_size=1,
            max_size=2,
        ),
        ago=AGO,
    )
    def deliver(
        self, lines: list[tuple[Lot, int, str, bool, str | None, int | None]], ago: timedelta | None
    ) -> None:
        book, plan = self.book, self.plan("receipt", ago)
        known = {lot: ("expiry", lot) in book.said for lot in PRINTED}
        printed = {lot: book.expiry(lot, book.now) if known[lot] else PRINTED[lot] for lot in PRINTED}
        deliveries = [
            Delivery(
                PRODUCTS[lot[0]],
                lot[1],
                containers,
                printed[lot] if right else date(2028, 2, 29),
                location=place,
                unit_cost=cost,
                currency="EUR" if cost is not None else None,
                device=DEVICE if serial is not None else None,
                serial=serial,
            )
            for lot, containers, place, right, serial, cost in lines
        ]

        def think() -> None:
            expiries = dict(printed)
            for (lot, containers, place, _right, serial, cost), one in zip(lines, deliveries, strict=True):
                if not known[lot]:
                    expiries.setdefault(lot, one.expiry)
                if containers < 1 or one.expiry != expiries[lot]:
                    raise Refused("that is not what is on the pack")
                if serial is not None and serial in book.serials | plan.serials:
                    raise Refused("the same pack again")
                plan.serials |= {serial} - {None}  # type: ignore[operator]
                plan.costs.append((lot, cost))
                plan.changes[lot, place] += containers

        def act(order: Order) -> Receipt:
            told = [attrs.evolve(one, received_at=order.at) for one in deliveries]
            return receive(self.store, told, actor=order.actor, request_id=order.request_id)

        if self.simply(plan, think, act):
            for lot in {line[0] for line in lines}:
                book.received_at[lot] = min(plan.at, book.received_at.get(lot, plan.at))
                if not known[lot]:
                    book.say(("expiry", lot), datetime.min.replace(tzinfo=UTC), printed[lot])

    # -- being kept

    @rule(
        wants=st.lists(
            st.tuples(st.sampled_from(sorted(HOLDS)), FEW.filter(bool), VOLUME | st.none()),
            min_size=1,
            max_size=2,
        ),
        place=WHERE | st.none(),
        session=SESSION,
        lapses=st.sampled_from([3 * HOUR, 48 * HOUR]),
    )
    def pick(
        self,
        wants: list[tuple[str, int, int | None]],
        place: str | None,
        session: str,
        lapses: timedelta,
    ) -> None:
        book, plan = self.book, self.plan("pick", session=session)
        kept: list[Kept] = []
        asked = [
            Want(PRODUCTS[sku].id, many) if volume is None else Want(PRODUCTS[sku].id, nanolitres=volume)
            for sku, many, volume in wants
        ]
        picked: list[Any] = []

        def act(order: Order) -> Receipt:
            found = pick(
                self.store, asked, order=order, reference=session, location=place, lapses_after=lapses
            )
            picked[:] = [taken for line in found.lines for taken in line.taken]
            return found.receipt

        receipt = self.ask(
            lambda: kept.extend(
                book.choose(
                    [(sku, many if not volume else None, volume) for sku, many, volume in wants], place
                )
            ),
            act,
        )
        if receipt is not None:
            assert [
                Kept((one.product.sku, one.lot), one.location, one.containers, one.nanolitres, one.opened)
                for one in picked
            ] == kept
            book.slips[receipt.movement] = Slip(session, book.now, book.now + lapses, kept)
            book.put_down(plan, receipt.movement)

    def slip(self, which: int) -> int:
        """Point at a pick, at one that was used already, or at what is none."""
        standing = [number for number, slip in self.book.slips.items() if not slip.ended]
        among = standing if which < 10 and standing else sorted(self.book.movements)
        return among[which % len(among)]

    @precondition(lambda self: self.book.slips)
    @rule(which=WHICH)
    def free(self, which: int) -> None:
        number, plan = self.slip(which), self.plan("free")

        def think() -> None:
            if number not in self.book.slips or self.book.slips[number].ended:
                raise Refused("it is no pick, or not any more")
            plan.pick = number

        self.simply(plan, think, lambda order: free(self.store, number, order=order))

    @precondition(lambda self: self.book.slips)
    @rule(which=WHICH, ago=AGO, deviating=ALL_THE_SAME)
    def use_pick(self, which: int, ago: timedelta | None, deviating: bool) -> None:
        book, number = self.book, self.slip(which)
        plan, opening = (self.plan(kind, ago, deviating=deviating) for kind in ("use", "open"))
        opening.at = plan.at
        book.now -= timedelta(seconds=1)
        if ago is None:
            opening.at = plan.at = book.now
        drawn: list[int] = []

        def think() -> None:
            slip = book.slips.get(number)
            if slip is None or slip.ended:
                raise Refused("it is no pick, or not any more")
            plan.pick, plan.session, opening.session = number, slip.session, slip.session
            for one in slip.kept:
                if one.vessel is not None:
                    book.draw(plan, one.vessel, one.volume)
                    continue
                rest = one.containers * HOLDS[one.lot[0]] - one.volume if one.volume is not None else 0
                vessel = book.opened(one.lot, one.place, plan.at)
                # The last container is opened and kept, if it may be and something is left in it.
                opens = bool(rest) and vessel.until is not None and vessel.until > plan.at
                if one.containers - opens:
                    book.take(plan, one.lot, one.place, one.containers - opens)
                if opens:
                    book.take(plan, one.lot, one.place, 1)
                    plan.changes[one.lot, one.place] += 1
                    opening.changes[one.lot, one.place] -= 1
                    opening.opens.append(vessel)
                    drawn.append(vessel.supplied - rest)
            book.check(opening, plan)

        why = "because" if deviating else None
        receipt = self.ask(
            think,
            lambda order: use_pick(self.store, number, rules=(), order=order, deviation=why),
            plan,
            at=plan.at,
        )
        if receipt is not None:
            if opening.opens:
                kinds = {one.kind.value: one.seq for one in movements_of(self.store, receipt.movements)}
                book.put_down(opening, kinds["open"])
                plan.pours += [(one, -volume) for one, volume in zip(opening.numbers, drawn, strict=True)]
            book.put_down(plan, receipt.movement)

    # -- being used

    @rule(which=WHICH, containers=FEW, session=SESSION, ago=AGO, deviating=ALL_THE_SAME)
    def use(self, which: int, containers: int, session: str, ago: timedelta | None, deviating: bool) -> None:
        lot, place = self.spot(which)
        plan = self.plan("use", ago, session=session, deviating=deviating)
        why = "because" if deviating else None
        self.simply(
            plan,
            lambda: self.take(plan, lot, place, containers),
            lambda order: use(
                self.store,
                *name(lot),
                containers=containers,
                reference=session,
                location=place,
                order=order,
                deviation=why,
            ),
        )

    def take(self, plan: Plan, lot: Lot, place: str, containers: int) -> None:
        if containers < 1:
            raise Refused("that is no number of containers")
        self.book.take(plan, lot, place, containers)

    @precondition(lambda self: self.book.vessels)
    @rule(
        which=WHICH,
        volume=VOLUME | st.none(),
        overfill=ALL_THE_SAME,
        discard=ALL_THE_SAME,
        session=SESSION,
        ago=AGO,
        deviating=ALL_THE_SAME,
    )
    def use_opened(
        self,
        which: int,
        volume: int | None,
        overfill: bool,
        discard: bool,
        session: str,
        ago: timedelta | None,
        deviating: bool,
    ) -> None:
        book, number = self.book, self.vessel(which)
        plan = self.plan("use", ago, session=session, deviating=deviating)
        rest = Plan("waste", plan.at)
        overfill = overfill and volume is not None

        def think() -> None:
            book.draw(plan, number, volume, overfill=overfill, all_of_it=discard)
            left = plan.left(book, number)
            if discard and left:
                rest.pours.append((number, -left))
                rest.empties[number] = "waste"
            book.check(plan)

        receipt = self.ask(
            think,
            lambda order: use_opened(
                self.store,
                number,
                reference=session,
                volume=in_ml(volume),
                rest=volume is None,
                discard=discard,
                overfill=overfill,
                order=order,
                deviation="because" if deviating else None,
            ),
            plan,
        )
        if receipt is not None:
            book.put_down(plan, receipt.movement)
            if rest.pours:
                book.put_down(rest, receipt.movement + 1)

    @rule(
        which=WHICH,
        containers=st.sampled_from([1, 1, 2]),
        session=SESSION | st.none(),
        ago=AGO,
        deviating=ALL_THE_SAME,
    )
    def open(
        self, which: int, containers: int, session: str | None, ago: timedelta | None, deviating: bool
    ) -> None:
        lot, place = self.spot(which)
        book, plan = self.book, self.plan("open", ago, session=session, deviating=deviating)

        def think() -> None:
            book.take(plan, lot, place, containers)
            plan.opens += [book.opened(lot, place, plan.at) for _ in range(containers)]

        self.simply(
            plan,
            think,
            lambda order: open_container(
                self.store,
                *name(lot),
                rules=(),
                location=place,
                containers=containers,
                reference=session,
                order=order,
                deviation="because" if deviating else None,
            ),
        )

    @rule(
        wholes=st.lists(WHICH, max_size=1),
        parts=st.lists(st.tuples(WHICH, VOLUME | st.none()), max_size=2),
        lost=st.sampled_from([0, 0, 0, ML, ML, -ML]),
        keep=st.booleans(),
        place=WHERE,
        session=SESSION | st.none(),
        ago=AGO,
        deviating=ALL_THE_SAME,
    )
    def mix(
        self,
        wholes: list[int],
        parts: list[tuple[int, int | None]],
        lost: int,
        keep: bool,
        place: str,
        session: str | None,
        ago: timedelta | None,
        deviating: bool,
    ) -> None:
        book, plan = self.book, self.plan("mix", ago, session=session, deviating=deviating)
        from_vessels = [(self.vessel(which), volume) for which, volume in parts]
        from_spots = [self.spot(which) for which in wholes]
        made = [ML]

        def think() -> None:
            total, lots, bounds = 0, set[Lot](), list[datetime | None]()
            for lot, where in from_spots:
                book.take(plan, lot, where, 1)
                total += HOLDS[lot[0]]
                lots.add(lot)
                bounds.append(book.opened(lot, where, plan.at).until)
            for number, volume in from_vessels:
                total += book.draw(plan, number, volume)
                vessel = book.vessels[number]
                lots |= vessel.lots
                bounds.append(vessel.until)
                ends = [book.expiry(lot, book.now) for lot in vessel.lots]
                bounds += [end_of(one) for one in ends if one is not None]
            made[0] = max(total - lost, ML)
            if made[0] > total:
                raise Refused("more than went in")
            until = None
            if keep and None not in bounds:
                four = (plan.at + 4 * HOUR).replace(second=0, microsecond=0)
                until = earliest([four, *bounds])
            into = frozenset(number for number, _volume in from_vessels)
            plan.opens.append(Vessel(frozenset(lots), None, place, plan.at, until, made[0], made_from=into))

        self.simply(
            plan,
            think,
            lambda order: mix(
                self.store,
                "mixture",
                [
                    *(Whole(*name(lot), location=where) for lot, where in from_spots),
                    *(Drawn(number, in_ml(volume)) for number, volume in from_vessels),
                ],
                rules=(),
                location=place,
                volume=in_ml(made[0]),
                keep=quantity("4", "h") if keep else None,
                reference=session,
                order=order,
                deviation="because" if deviating else None,
            ),
        )

    # -- going otherwise

    @rule(
        which=WHICH,
        containers=FEW,
        ago=AGO,
        how=st.sampled_from([("waste", waste), ("return", return_stock)]),
    )
    def give_away(self, which: int, containers: int, ago: timedelta | None, how: tuple[str, Any]) -> None:
        lot, place = self.spot(which)
        plan = self.plan(how[0], ago)

        def think() -> None:
            if containers < 1:
                raise Refused("that is no number of containers")
            plan.changes[lot, place] -= containers

        self.simply(
            plan, think, lambda order: how[1](self.store, *name(lot), containers, location=place, order=order)
        )

    @rule(which=WHICH, change=st.sampled_from([-7, -2, -1, 1, 2]), ago=AGO)
    def adjust(self, which: int, change: int, ago: timedelta | None) -> None:
        lot, place = self.spot(which)
        plan = self.plan("adjust", ago)
        plan.changes[lot, place] += change
        self.simply(
            plan,
            lambda: None,
            lambda order: adjust(self.store, *name(lot), change, location=place, order=order),
        )

    @rule(which=WHICH, containers=FEW.filter(bool), to=WHERE, ago=AGO)
    def move(self, which: int, containers: int, to: str, ago: timedelta | None) -> None:
        lot, place = self.spot(which)
        book, plan = self.book, self.plan("move", ago)

        def think() -> None:
            if place == to:
                raise Refused("it is there already")
            plan.changes[lot, place] -= containers
            plan.changes[lot, to] += containers
            held = [bool(book.holds(("quarantined", lot, one), plan.at)) for one in (place, to)]
            plan.carried = (lot, to) if held == [True, False] else None

        act = lambda order: move(self.store, *name(lot), containers, location=place, to=to, order=order)  # noqa: E731
        if self.simply(plan, think, act) and plan.carried:
            book.say(("quarantined", *plan.carried), plan.at, value=True)

    @precondition(lambda self: self.book.vessels)
    @rule(which=WHICH, volume=VOLUME | st.none(), ago=AGO)
    def waste_opened(self, which: int, volume: int | None, ago: timedelta | None) -> None:
        number, plan = self.vessel(which), self.plan("waste", ago)

        def think() -> None:
            left = self.there_then(number, plan).left
            wanted = left if volume is None else volume
            if wanted > left:
                raise Refused("less is left in it")
            plan.pours.append((number, -wanted))
            if wanted == left:
                plan.empties[number] = "waste"

        self.simply(
            plan, think, lambda order: waste_opened(self.store, number, volume=in_ml(volume), order=order)
        )

    def there_then(self, number: int, plan: Plan) -> Vessel:
        vessel = self.book.vessels.get(number)
        if vessel is None or vessel.gone or plan.at < vessel.opened_at:
            raise Refused("there is no such container")
        return vessel

    @precondition(lambda self: self.book.vessels)
    @rule(which=WHICH, to=WHERE, ago=AGO)
    def move_opened(self, which: int, to: str, ago: timedelta | None) -> None:
        number, plan = self.vessel(which), self.plan("move", ago)

        def think() -> None:
            vessel = self.there_then(number, plan)
            if vessel.place == to:
                raise Refused("it is there already")
            plan.moved = number, vessel.place, to

        if self.simply(plan, think, lambda order: move_opened(self.store, number, to=to, order=order)):
            self.book.vessels[number].place = to

    # -- being held

    @precondition(lambda self: len(self.held()) < 4)
    @rule(which=WHICH, everywhere=st.booleans(), ago=AGO)
    def quarantine(self, which: int, everywhere: bool, ago: timedelta | None) -> None:
        lot, place = (self.spot(which)[0], None) if everywhere else self.spot(which)
        book, plan = self.book, self.plan("quarantine", ago)
        key = "quarantined", lot, place

        def think() -> None:
            if (place is not None and (lot, place) not in book.pages) or book.holds(key, plan.at):
                raise Refused("it was never there, or is quarantined already")

        act = lambda order: quarantine(self.store, *name(lot), location=place, order=order)  # noqa: E731
        if self.simply(plan, think, act):
            book.say(key, plan.at, value=True)

    @rule(which=WHICH, everywhere=st.booleans(), ago=AGO)
    def release(self, which: int, everywhere: bool, ago: timedelta | None) -> None:
        lots = [key for key in self.held() if not isinstance(key[1], int)]
        if which < 10 and lots:
            _what, lot, place = (*lots[which % len(lots)], None)[:3]
        else:
            lot, place = (self.spot(which)[0], None) if everywhere else self.spot(which)
        book, plan = self.book, self.plan("release", ago)
        keys: list[tuple[Any, ...]] = [("quarantined", lot, place)]
        if place is None:
            keys.append(("recalled", lot))
        held = [key for key in keys if book.holds(key, plan.at)]

        def think() -> None:
            if not held:
                raise Refused("nothing holds it")

        act = lambda order: release_lot(self.store, *name(lot), location=place, order=order)  # noqa: E731
        if self.simply(plan, think, act):
            for key in held:
                book.say(key, plan.at, value=False)

    @precondition(lambda self: self.book.vessels)
    @rule(which=WHICH, ago=AGO, held=st.booleans())
    def hold_opened(self, which: int, ago: timedelta | None, held: bool) -> None:
        book, number, plan = self.book, self.vessel(which), self.plan("quarantine", ago)
        key = "quarantined", number

        def think() -> None:
            vessel = book.vessels.get(number)
            if vessel is None or vessel.gone or bool(book.holds(key, plan.at)) is held:
                raise Refused("it is gone, or so already")

        act = quarantine_opened if held else release_opened
        if self.simply(plan, think, lambda order: act(self.store, number, order=order)):
            book.say(key, plan.at, value=held)

    @precondition(lambda self: len(self.held()) < 2)
    @rule(place=WHERE)
    def excursion(self, place: str) -> None:
        book, plan = self.book, self.plan("quarantine")
        keys: list[tuple[Any, ...]] = [
            ("quarantined", *spot) for spot in book.pages if spot[1] == place and book.there(spot)
        ]
        keys += [
            ("quarantined", number)
            for number, vessel in book.vessels.items()
            if vessel.place == place and not vessel.gone
        ]
        new = [key for key in keys if not book.holds(key, plan.at)]

        def think() -> None:
            if not new:
                raise Refused("nothing is there that is not held already")

        if self.simply(plan, think, lambda order: quarantine_excursion(self.store, place, order=order)):
            for key in new:
                book.say(key, plan.at, value=True)

    @precondition(lambda self: len(self.held()) < 4)
    @rule(lot=LOTS, ago=AGO)
    def recall(self, lot: Lot, ago: timedelta | None) -> None:
        book, plan = self.book, self.plan("recall", ago)
        key = "recalled", lot
        if book.holds(key, plan.at) and book.holds(key, book.now):
            before = self.head()
            order = Order("anna", at=None if ago is None else plan.at)
            assert recall_lot(self.store, *name(lot), order=order).repeated
            assert self.head() == before
            return

        def think() -> None:
            if book.holds(key, plan.at):
                raise Refused("it was recalled then, and was released since")

        if self.simply(plan, think, lambda order: recall_lot(self.store, *name(lot), order=order)):
            book.say(key, plan.at, value=True)

    @rule(
        lot=LOTS,
        expiry=st.sampled_from([None, date(2026, 5, 7), date(2026, 6, 10), date(2027, 1, 31)]),
        ago=AGO,
    )
    def change_expiry(self, lot: Lot, expiry: date | None, ago: timedelta | None) -> None:
        book, plan = self.book, self.plan("fact", ago)
        key = "expiry", lot
        if not any(
            one.at <= plan.at and not one.back and lot in dict(one.costs) for one in book.movements.values()
        ):
            return

        def think() -> None:
            if book.holds(key, plan.at) == expiry:
                raise Refused("it is that already")

        act = lambda order: set_fact(self.store, *name(lot), LotFact.EXPIRY, expiry, order=order)  # noqa: E731
        if self.simply(plan, think, act):
            book.say(key, plan.at, expiry)

    # -- being counted

    @rule(place=WHERE | st.none(), ago=AGO)
    def open_count(self, place: str | None, ago: timedelta | None) -> None:
        book, plan = self.book, self.plan("count opened", ago)
        expected = {
            spot: book.there(spot, plan.at)
            for spot in book.pages
            if place in (None, spot[1]) and book.there(spot, plan.at) > 0
        }

        def think() -> None:
            if not expected:
                raise Refused("nothing is there to count")

        if self.simply(plan, think, lambda order: open_count(self.store, location=place, order=order)):
            number = max(book.movements)
            sheet = count_sheet(self.store, number)
            spots = [((line.product.sku, line.lot), line.location) for line in sheet.lines]
            assert {spot: line.expected for spot, line in zip(spots, sheet.lines, strict=True)} == expected
            book.sheets[number] = Sheet(plan.at, spots)

    @precondition(lambda self: self.book.sheets)
    @rule(
        which=WHICH, found=st.lists(st.sampled_from([None, 0, 1, 2, 3, 5]), min_size=1, max_size=4), ago=AGO
    )
    def post_count(self, which: int, found: list[int | None], ago: timedelta | None) -> None:
        book, plan = self.book, self.plan("count", ago)
        number = sorted(book.sheets)[which % len(book.sheets)]
        sheet = book.sheets[number]
        told = plan.at if ago is not None else None
        figures = {line: found[line % len(found)] for line in range(1, len(sheet.spots) + 1)}
        plan.at = told or sheet.at

        def think() -> None:
            if sheet.posted or plan.at < sheet.at or set(figures.values()) == {None}:
                raise Refused("it is posted, was not open then, or says nothing")
            for line, containers in figures.items():
                spot = sheet.spots[line - 1]
                if containers is not None:
                    plan.changes[spot] += containers - book.there(spot, plan.at)
                    plan.counts.append(spot)
            book.check(plan)

        receipt = self.ask(
            think, lambda order: post_count(self.store, number, figures, order=order), at=told or book.now
        )
        if receipt is not None:
            sheet.posted = True
            book.put_down(plan, receipt.movement)

    # -- being taken back, and asked again

    @rule(which=st.integers(0, 40))
    def reverse(self, which: int) -> None:
        book = self.book
        self.plan("reversal")
        right = [number for number, one in book.movements.items() if one.kind in REVERSIBLE and not one.back]
        number = right[which % len(right)] if which < 36 and right else which
        plans: list[Plan] = []
        receipt = self.ask(
            lambda: plans.append(book.reversal(number)),
            lambda order: reverse(self.store, number, order=order),
        )
        if receipt is not None:
            book.take_back(plans[0], number, receipt.movement)

    @rule(which=st.integers(0, 40), other=st.booleans())
    def ask_again(self, which: int, other: bool) -> None:
        before = self.head()
        act, order, receipt = self.asked[which % len(self.asked)]
        if other:
            with pytest.raises(OrderError, match="stands for movement"):
                act(attrs.evolve(order, actor="berta"))
        else:
            again = act(order)
            assert again.repeated
            assert (again.movement, again.movements) == (receipt.movement, receipt.movements)
        assert self.head() == before

    @rule(much=st.sampled_from([HOUR, 5 * HOUR, 26 * HOUR, 9 * 24 * HOUR]))
    def let_time_pass(self, much: timedelta) -> None:
        self.book.now += much

    @rule()
    def start_the_program_again(self) -> None:
        self.store.close()
        self.store = self.opened_store()

    # -- looking

    @invariant()
    def look(self) -> None:
        """The ledger says of today what the book says."""
        book, now = self.book, self.book.now
        view = stock_view(self.store)
        assert {
            ((one.product.sku, one.lot), one.location): (
                one.containers,
                one.reserved,
                one.expiry,
                one.quarantined,
                one.recalled,
                one.unit_cost,
            )
            for one in view.on_hand
        } == {
            spot: (
                book.there(spot),
                book.reserved(spot),
                book.expiry(spot[0], now),
                bool(
                    book.holds(("quarantined", spot[0], None), now) or book.holds(("quarantined", *spot), now)
                ),
                bool(book.holds(("recalled", spot[0]), now)),
                book.cost(spot[0]),
            )
            for spot in book.pages
            if book.there(spot)
        }
        assert {
            one.id: (
                one.location,
                one.nanolitres,
                one.supplied_nanolitres,
                one.beyond_use_at,
                one.reserved_nanolitres,
                one.quarantined,
                one.recalled,
                set(one.sessions),
            )
            for one in view.opened
        } == {
            number: (
                one.place,
                one.left,
                one.supplied,
                one.until,
                book.reserved(vessel=number),
                "quarantined" in book.against_vessel(number, now),
                "recalled" in book.against_vessel(number, now),
                book.served(number),
            )
            for number, one in book.vessels.items()
            if not one.gone
        }
        if next(self.numbers) % 7 == 0:
            self.look_closely()

    def look_closely(self) -> None:
        """Nothing was lost, every count is still true, the chain holds, and every anchor is found again."""
        book = self.book
        with self.store.reading() as connection:
            if connection is None:
                return
            lines = connection.execute(text(LINES)).all()
            pours = connection.execute(text(POURS)).all()
            gone = connection.execute(text("SELECT id, nanolitres FROM opened WHERE gone = 1")).all()
        written: Counter[tuple[Spot, int]] = Counter()
        for row in lines:
            spot = (row.product_id.partition("/")[2], row.number), row.name
            written[spot, row.effective_at] += row.containers
        noted: Counter[tuple[Spot, int]] = Counter()
        for spot, page in book.pages.items():
            for at, change in page:
                noted[spot, (at - EPOCH) // timedelta(microseconds=1)] += change
        assert {key: one for key, one in written.items() if one} == {
            k: one for k, one in noted.items() if one
        }
        by_kind: Counter[str] = Counter()
        for row in lines:
            by_kind[row.kind] += row.containers
        assert +by_kind == +book.containers
        assert sum(by_kind.values()) == sum(map(book.there, book.pages))
        assert {row.kind: row.volume for row in pours if row.volume} == {
            k: v for k, v in book.volume.items() if v
        }
        assert sum(row.volume for row in pours) == sum(one.left for one in book.vessels.values())
        assert {row.id: row.nanolitres for row in gone} == {
            number: 0 for number, one in book.vessels.items() if one.gone
        }
        for spot, figures in book.counted.items():
            assert all(book.there(spot, at) == containers for at, containers in figures.items())
        anchors = [receipt.anchor for _act, _order, receipt in self.asked]
        found = verify(self.store, against=anchors[next(self.numbers) % len(anchors)] if anchors else None)
        assert found.problems == ()
        assert found.anchor == self.head() == (anchors[-1] if anchors else None)


LINES = (
    "SELECT m.kind, lot.product_id, lot.number, location.name, m.effective_at, l.containers"
    " FROM movement_line l JOIN movement m ON m.seq = l.movement JOIN lot ON lot.id = l.lot"
    " JOIN location ON location.id = l.location WHERE l.containers <> 0"
)
POURS = (
    "SELECT m.kind, CAST(sum(l.nanolitres) AS bigint) AS volume FROM movement_line l"
    " JOIN movement m ON m.seq = l.movement WHERE l.nanolitres IS NOT NULL GROUP BY m.kind"
)

QUICK = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=400, stateful_step_count=80)


def run(new_place: Callable[[], str], how: settings) -> None:
    run_state_machine_as_test(lambda: Pharmacy(new_place()), settings=how)


def files(folder: Path) -> Callable[[], str]:
    return lambda: str(Path(tempfile.mkdtemp(dir=folder)) / "stock.sqlite")


def schemas(url: str) -> Callable[[], str]:
    """Give each pharmacy a schema of its own in one database, as that is made faster than a database."""
    numbers = count(1)

    def make() -> str:
        import psycopg

        schema = f"pharmacy_{next(numbers)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"{url}&options=-csearch_path%3D{schema}"

    return make


def test_the_ledger_says_what_a_careful_person_would_have_written_down(tmp_path: Path) -> None:
    run(files(tmp_path), QUICK)


@pytest.mark.slow
def test_the_ledger_says_so_through_long_and_many_weeks(tmp_path: Path) -> None:
    run(files(tmp_path), LONG)


@pytest.mark.postgres
def test_the_ledger_on_a_server_says_what_a_careful_person_would_have_written_down(postgres_url: str) -> None:
    run(schemas(postgres_url), settings(QUICK, max_examples=15))


@pytest.mark.slow
@pytest.mark.postgres
def test_the_ledger_on_a_server_says_so_through_long_weeks(postgres_url: str) -> None:
    run(schemas(postgres_url), settings(LONG, max_examples=60))
