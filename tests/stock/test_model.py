"""
Random weeks in a pharmacy: the ledger beside what a careful person would have written down.

`Pharmacy` does random things to the ledger and to the book of `careful_book.py`, and compares the two after
each. What the book refuses the ledger must refuse, and leave everything as it was; what the book allows must
be done.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType
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
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.count_sheets import count_sheet
from mesoformula.stock.counts.counting import open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.facts import set_fact
from mesoformula.stock.lots.holding import (
    quarantine,
    quarantine_excursion,
    quarantine_opened,
    recall_lot,
    release_lot,
    release_opened,
)
from mesoformula.stock.moves.moving import adjust, move, return_stock, waste
from mesoformula.stock.moves.moving_opened import move_opened, waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.mixing import Drawn, Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened, use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.reservations import free
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Anchor, Delivery, LotFact, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.past import stock_on
from mesoformula.stock.views.reading import stock_view


def _beside(name: str) -> ModuleType:
    """Load a module that lies beside this one: tests are no package."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Where attrs looks for what annotations name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_book = _beside("careful_book")
Book, Kept, Plan, Refused = _book.Book, _book.Kept, _book.Plan, _book.Refused
Sheet, Slip, Vessel = _book.Sheet, _book.Slip, _book.Vessel
BEGIN, ML, PLACES, ZONE = _book.BEGIN, _book.ML, _book.PLACES, _book.ZONE
HOLDS, KEEPS, PRINTED, REVERSIBLE = _book.HOLDS, _book.KEEPS, _book.PRINTED, _book.REVERSIBLE
day, earliest, end_of = _book.day, _book.earliest, _book.end_of

Lot: TypeAlias = tuple[str, str]
Spot: TypeAlias = tuple[Lot, str]
SESSIONS = ("S-0001", "S-0002", "S-0003")
DEVICE = "05060131261973"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

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


LOTS = st.sampled_from(sorted(PRINTED))
WHERE = st.sampled_from(["main", "main", "main", "fridge", "fridge", "away"])
WHICH = st.integers(0, 11)
FEW = st.sampled_from([1, 1, 1, 2, 2, 3, 4, 0])
VOLUME = st.sampled_from([ML, 2 * ML, 5 * ML, 10 * ML, 12 * ML])
SESSION = st.sampled_from(SESSIONS)
ALL_THE_SAME = st.sampled_from([False, False, True])
HOUR = timedelta(hours=1)
#: How long ago something was that is told now; None if it has just happened.
AGO = st.sampled_from([None, None, None, HOUR, 5 * HOUR, 30 * HOUR, 8 * 24 * HOUR])


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
        self.looked_at: tuple[int, datetime] | None = None
        self.remembered: list[tuple[datetime, dict[Spot, int]]] = []

    def opened_store(self) -> Store:
        return open_stock(self.place, zone=ZONE, clock=lambda: self.book.now)

    def teardown(self) -> None:
        if self.asked:
            self.look_closely()
            self.look_back()
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
        return (
            there[-1 - which % len(there)]
            if which < 10 and there
            else 1 + which % (len(self.book.vessels) + 1)
        )

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
        for lot in sorted(PRINTED, reverse=True):
            self.deliver([(lot, 4, "main", True, None, 100)], None)
        for which in (0, 3):
            self.open(which, 1, None, None, deviating=False)
        self.book.now += timedelta(9)

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
        place=st.sampled_from([None, None, None, "main", "fridge"]),
        session=SESSION,
        lapses=st.sampled_from([3 * HOUR, 3 * HOUR, 48 * HOUR]),
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
            moves = [one for one in self.book.movements.values() if one.kind == "move" and not one.back]
            if any(one.moved and one.moved[0] == number and one.at > plan.at for one in moves):
                raise Refused("it was moved again after that")
            if vessel.place == to:
                raise Refused("it is there already")
            plan.moved = number, vessel.place, to

        if self.simply(plan, think, lambda order: move_opened(self.store, number, to=to, order=order)):
            self.book.vessels[number].place = to

    # -- being held

    @precondition(lambda self: len(self.held()) < 2)
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

    @precondition(lambda self: len(self.held()) < 2)
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
        expiry=st.sampled_from([None, date(2026, 5, 20), date(2026, 6, 10), date(2027, 1, 31)]),
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
        which=WHICH,
        differences=st.lists(st.sampled_from([None, 0, 0, 1, -1, -9]), min_size=1, max_size=4),
        ago=AGO,
    )
    def post_count(self, which: int, differences: list[int | None], ago: timedelta | None) -> None:
        book, plan = self.book, self.plan("count", ago)
        unposted = [number for number, sheet in book.sheets.items() if not sheet.posted]
        among = unposted if which < 10 and unposted else sorted(book.sheets)
        number = among[-1 - which % len(among)]
        sheet = book.sheets[number]
        told = plan.at if ago is not None else None
        plan.at = told or sheet.at
        figures: dict[int, int | None] = {}
        for line, spot in enumerate(sheet.spots, start=1):
            change = differences[line % len(differences)]
            figures[line] = None if change is None else max(0, book.there(spot, plan.at) + change)

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

    # What a stock is there for is done more often.
    pick_too, use_pick_too, use_pick_again = pick, use_pick, use_pick
    use_too, use_opened_too, use_opened_again = use, use_opened, use_opened

    # -- looking

    @invariant()
    def look(self) -> None:
        """The ledger says of today what the book says."""
        book, now = self.book, self.book.now
        if self.looked_at == (len(self.asked), now.replace(minute=0, second=0)):
            return
        self.looked_at = len(self.asked), now.replace(minute=0, second=0)
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
            self.look_back()
            self.remembered.append((now, {spot: book.there(spot) for spot in book.pages if book.there(spot)}))

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

    def look_back(self) -> None:
        """The stock of a past day is what the book says of it now, or said of it then."""
        book = self.book
        first = day(BEGIN) - timedelta(10)
        past = first + timedelta(next(self.numbers) % ((day(book.now) - first).days + 1))
        end = min(end_of(past) - timedelta(microseconds=1), book.now)
        assert {
            ((one.product.sku, one.lot), one.location): (
                one.containers,
                one.expiry,
                one.quarantined,
                one.recalled,
            )
            for one in stock_on(self.store, past).on_hand
        } == {
            spot: (
                book.there(spot, end),
                book.expiry(spot[0], end),
                "quarantined" in book.against_lot(*spot, end),
                "recalled" in book.against_lot(*spot, end),
            )
            for spot in book.pages
            if book.there(spot, end)
        }
        if self.remembered:
            then, there = self.remembered[next(self.numbers) % len(self.remembered)]
            view = stock_on(self.store, day(then), recorded_until=then + timedelta(milliseconds=500))
            found = {((one.product.sku, one.lot), one.location): one.containers for one in view.on_hand}
            assert found == there


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
    # Chances that do not depend on each other: everything happens, and not one thing again and again.
    backend="hypothesis-urandom",
    max_examples=25,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(QUICK, max_examples=200, stateful_step_count=70)


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
    run(schemas(postgres_url), settings(QUICK, max_examples=10))


@pytest.mark.slow
@pytest.mark.postgres
def test_the_ledger_on_a_server_says_so_through_long_weeks(postgres_url: str) -> None:
    run(schemas(postgres_url), settings(LONG, max_examples=40))
