"""What sessions took: refused, recorded, and counted to the nanolitre."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from mesoformula import Formulary, Part, Product, quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.products import ContainerKind, Doses, Form, ProductKind, Vendor
from mesoformula.settings import Sharing
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.opened.implants import implant_cards
from mesoformula.stock.opened.mixing import Drawn, Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened, use_pick
from mesoformula.stock.records import Delivery, Deviation, MovementKind, Opened, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA = Order("anna")
ONE, TWO = "S-2026-001", "S-2026-002"


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **units: float) -> datetime:
        self.now += timedelta(**units)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(place: str, clock: Clock) -> Iterator[Store]:
    """A stock in Paris, on either database, whose time a test sets."""
    with closing(open_stock(place, zone=PARIS, clock=clock)) as store:
        yield store
        assert verify(store).problems == ()


@pytest.fixture(scope="session")
def rules(formulary: Formulary) -> tuple[BeyondUseRule, ...]:
    return formulary.beyond_use_rules()


@pytest.fixture(scope="session")
def sharing(formulary: Formulary) -> tuple[SharingRule, ...]:
    return formulary.sharing_rules()


def vial(sku: str = "vial", volume: str | None = "10", doses: Doses = Doses.MULTI, **more: Any) -> Product:
    part = Part(
        ContainerKind.VIAL, Form.SOLUTION, volume=quantity(volume, "mL") if volume is not None else None
    )
    given: dict[str, Any] = {"parts": (part,), **more}
    label = Source(SourceKind.IFU, "a fictional leaflet", date(2026, 1, 1))
    return Product(Vendor("acme", "Acme"), sku, sku, given.pop("parts"), (label,), doses=doses, **given)


def deliver(
    store: Store, product: Product, lot: str = "L1", expiry: date | None = date(2028, 1, 31), **more: Any
) -> None:
    receive(store, [Delivery(product, lot, more.pop("containers", 5), expiry, **more)], actor="anna")


def say(store: Store, fact: str, new: str, lot: str = "L1", sku: str = "acme/vial") -> None:
    """Record that a lot is quarantined or recalled, or expires on another day."""

    def work(posting: Posting) -> None:
        posting.post(MovementKind.FACT, [Entry(find_lot(posting.connection, sku, lot), fact=fact, new=new)])

    carry_out(store, ANNA, {"fact": fact, "new": new}, work)


def keep(
    store: Store,
    *,
    containers: int | None = None,
    volume: str | None = None,
    opened: int | None = None,
    session: str | None = ONE,
    hours: int = 24,
    sku: str = "acme/vial",
    lot: str = "L1",
) -> int:
    """Pick by hand: containers of a lot, or some of an opened one."""

    def work(posting: Posting) -> None:
        until = posting.recorded_at + hours * 3600 * 1_000_000
        entry = Entry(
            find_lot(posting.connection, sku, lot),
            "main",
            opened=opened,
            reserved=containers,
            reserved_nanolitres=ml(volume) if volume is not None else None,
        )
        posting.post(MovementKind.PICK, [entry], session=session, lapses_at=until)

    return carry_out(store, ANNA, {"pick": containers}, work).movement


def ml(text: str) -> int:
    """Nanolitres in so many millilitres."""
    return int(quantity(text, "mL").magnitude * 1_000_000)


def there(store: Store) -> dict[str, int]:
    return {one.lot: one.containers for one in stock_view(store).on_hand}


def opened(store: Store, number: int = 1) -> Opened:
    return next(one for one in stock_view(store).opened if one.id == number)


def numbers(store: Store) -> list[int]:
    return [one.id for one in stock_view(store).opened]


def codes(error: pytest.ExceptionInfo[OrderError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def deviations(store: Store, receipt: Receipt) -> set[Deviation]:
    found = movements_of(store, receipt.movements)
    return {one for movement in found for line in movement.lines for one in line.deviations}


def kinds(store: Store, receipt: Receipt) -> list[MovementKind]:
    return [one.kind for one in movements_of(store, receipt.movements)]


class TestWholeContainers:
    def test_a_use_takes_them_for_its_session(self, stock: Store) -> None:
        deliver(stock, vial())
        receipt = use(stock, "acme/vial", "L1", containers=2, reference=ONE, order=ANNA)
        movement = movements_of(stock, [receipt.movement])[0]
        assert there(stock) == {"L1": 3}
        assert (movement.kind, movement.session) == (MovementKind.USE, ONE)

    @pytest.mark.parametrize(
        "reference", [None, "", "anna", "S 1", "Anna Smith", "S-2026-001\n", "s-2026-001"]
    )
    def test_a_session_has_a_reference_and_never_a_name(self, stock: Store, reference: Any) -> None:
        deliver(stock, vial())
        with pytest.raises(OrderError) as error:
            use(stock, "acme/vial", "L1", containers=1, reference=reference, order=ANNA)
        assert codes(error) == ["reference"]
        assert there(stock) == {"L1": 5}

    @pytest.mark.parametrize("containers", [0, -1, 1.5, True, "1", 10**9])
    def test_a_number_of_containers_is_whole_and_above_zero(self, stock: Store, containers: Any) -> None:
        with pytest.raises(OrderError) as error:
            use(stock, "acme/vial", "L1", containers=containers, reference=ONE, order=ANNA)
        assert codes(error) == ["containers"]

    def test_expired_stock_is_usable_through_its_day_and_not_after(self, stock: Store, clock: Clock) -> None:
        deliver(stock, vial(), expiry=date(2026, 3, 3))
        clock.now = datetime(2026, 3, 3, 22, 59, tzinfo=UTC)
        use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA)
        clock.wait(minutes=1)
        with pytest.raises(ShortStockError) as error:
            use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA)
        assert codes(error) == ["expired"]
        assert "usable through 2026-03-03" in str(error.value)

    def test_all_that_stands_against_it_is_said_at_once_and_recorded_at_once(self, stock: Store) -> None:
        deliver(stock, vial(), expiry=date(2026, 3, 1))
        say(stock, "recalled", "yes")
        say(stock, "quarantined", "yes")
        keep(stock, containers=5, session=TWO)
        with pytest.raises(ShortStockError) as error:
            use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA)
        assert set(codes(error)) == {"expired", "recalled", "quarantined", "reserved"}
        receipt = use(
            stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA, deviation="it was used"
        )
        assert deviations(stock, receipt) == {
            Deviation.EXPIRED,
            Deviation.RECALLED,
            Deviation.QUARANTINED,
            Deviation.RESERVED,
        }

    def test_a_deviation_never_takes_what_is_not_there(self, stock: Store) -> None:
        deliver(stock, vial(), expiry=date(2026, 3, 1))
        with pytest.raises(ShortStockError) as error:
            use(stock, "acme/vial", "L1", containers=6, reference=ONE, order=ANNA, deviation="it was used")
        assert codes(error) == ["short"]
        assert there(stock) == {"L1": 5}

    def test_a_deviation_has_one_reason(self, stock: Store) -> None:
        deliver(stock, vial())
        with pytest.raises(OrderError) as error:
            use(
                stock,
                "acme/vial",
                "L1",
                containers=1,
                reference=ONE,
                order=Order("anna", "one"),
                deviation="two",
            )
        assert codes(error) == ["deviation"]

    def test_a_late_use_is_judged_by_the_state_of_its_moment(self, stock: Store, clock: Clock) -> None:
        deliver(stock, vial(), expiry=date(2026, 3, 4))
        happened = clock.wait(hours=1)
        clock.wait(days=3)
        say(stock, "recalled", "yes")
        clock.wait(hours=1)
        order = Order("anna", at=happened)
        receipt = use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=order)
        assert deviations(stock, receipt) == {Deviation.RECALLED_SINCE}
        order = Order("anna", at=clock.now - timedelta(minutes=30))
        with pytest.raises(ShortStockError) as error:
            use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=order)
        assert set(codes(error)) == {"expired", "recalled"}

    def test_what_is_kept_for_the_same_session_is_no_objection(self, stock: Store) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=5)
        receipt = use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA)
        assert any(f"pick {pick} for {ONE} still keeps some" in note for note in receipt.notes)

    def test_the_same_request_uses_nothing_again(self, stock: Store) -> None:
        deliver(stock, vial())
        order = Order("anna", request_id="u1")
        use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=order)
        assert use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=order).repeated
        for changed in ({"containers": 2}, {"reference": TWO}, {"deviation": "why"}):
            given: dict[str, Any] = {"containers": 1, "reference": ONE, **changed}
            with pytest.raises(OrderError) as error:
                use(stock, "acme/vial", "L1", order=order, **given)
            assert codes(error) == ["request"]
        assert there(stock) == {"L1": 4}


class TestOpenedContainers:
    @pytest.fixture
    def full(self, stock: Store, rules: Any) -> Store:
        """Opened container 1: a multi-dose vial of 10 mL."""
        deliver(stock, vial())
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        return stock

    @pytest.fixture
    def single(self, stock: Store, rules: Any) -> Store:
        """Opened container 1: a single-dose vial of 10 mL."""
        deliver(stock, vial(doses=Doses.SINGLE))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        return stock

    def draw(
        self, store: Store, volume: str | None = "3", reference: str = ONE, number: int = 1, **more: Any
    ) -> Receipt:
        given: dict[str, Any] = {"order": ANNA, **more}
        if volume is not None:
            given["volume"] = quantity(volume, "mL")
        return use_opened(store, number, reference=reference, **given)

    def test_what_is_left_is_a_lower_bound(self, full: Store) -> None:
        receipt = self.draw(full)
        assert opened(full).nanolitres == ml("7")
        assert opened(full).sessions == (ONE,)
        assert "at least 7 mL is left by its label; use before 2026-03-30 00:00" in receipt.notes[-1]

    def test_tenths_add_up_exactly_and_the_last_of_it_is_the_end_of_it(self, full: Store) -> None:
        for _ in range(99):
            self.draw(full, "0.1")
        assert opened(full).nanolitres == ml("0.1")
        self.draw(full, "0.1")
        assert numbers(full) == []
        with pytest.raises(OrderError) as error:
            self.draw(full, "0.1")
        assert "is gone with movement 102 (use)" in str(error.value)

    def test_more_than_the_label_says_is_overfill_and_must_be_called_so(self, full: Store) -> None:
        with pytest.raises(ShortStockError) as error:
            self.draw(full, "10.4")
        assert "10 mL is left in it by its label, 10.4 mL asked for" in str(error.value)
        assert "--overfill" in str(error.value)
        receipt = self.draw(full, "10.4", overfill=True)
        lines = movements_of(full, [receipt.movement])[0].lines
        assert [(line.fact, line.nanolitres) for line in lines] == [
            ("overfill", ml("0.4")),
            (None, -ml("10.4")),
        ]
        assert (lines[0].old, lines[0].new) == ("10 mL", "10.4 mL")
        assert numbers(full) == []

    def test_overfill_may_be_found_after_the_last_of_the_labelled_volume(self, full: Store) -> None:
        self.draw(full, "10")
        self.draw(full, "0.3", overfill=True)
        assert numbers(full) == []

    def test_the_rest_may_be_used_or_thrown_away(self, full: Store) -> None:
        receipt = self.draw(full, "4", discard=True)
        use_, waste = movements_of(full, receipt.movements)
        assert (use_.kind, waste.kind, waste.cause) == (MovementKind.USE, MovementKind.WASTE, use_.seq)
        assert waste.lines[0].nanolitres == -ml("6")
        assert waste.reason == "what was left, thrown away after use"
        assert numbers(full) == []

    def test_all_that_is_left_is_used(self, full: Store) -> None:
        self.draw(full, "4")
        receipt = self.draw(full, None, rest=True)
        assert movements_of(full, [receipt.movement])[0].lines[0].nanolitres == -ml("6")
        assert numbers(full) == []

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"volume": quantity("1", "mL"), "rest": True},
            {"volume": quantity("0.0000001", "mL")},
            {"volume": quantity("0", "mL")},
            {"volume": quantity("-1", "mL")},
            {"volume": quantity("1", "mg")},
        ],
    )
    def test_how_much_is_said_once_and_is_a_volume(self, full: Store, given: dict[str, Any]) -> None:
        with pytest.raises(OrderError) as error:
            use_opened(full, 1, reference=ONE, order=ANNA, **given)
        assert codes(error) == ["volume"]
        assert opened(full).nanolitres == ml("10")

    def test_what_is_measured_by_volume_is_not_drawn_by_mass(self, full: Store) -> None:
        with pytest.raises(OrderError) as error:
            use_opened(full, 1, reference=ONE, order=ANNA, mass=quantity("1", "mg"))
        assert "is measured by volume" in str(error.value)

    def test_what_is_measured_by_mass_is_drawn_by_mass(self, stock: Store, rules: Any) -> None:
        gel = Part(ContainerKind.SYRINGE, Form.GEL, mass=quantity("2", "g"))
        deliver(stock, vial(parts=(gel,)))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        use_opened(stock, 1, reference=ONE, order=ANNA, mass=quantity("500", "mg"))
        assert opened(stock).nanograms == 1_500_000_000

    def test_of_what_states_no_volume_any_may_be_drawn_and_how_much_is_left_is_not_known(
        self, stock: Store, rules: Any
    ) -> None:
        deliver(stock, vial(volume=None))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        receipt = self.draw(stock, "2")
        assert "how much is left is not known" in receipt.notes[-1]
        self.draw(stock, "3", discard=True)
        assert numbers(stock) == []

    def test_past_its_beyond_use_date_nothing_of_it_is_used(self, full: Store, clock: Clock) -> None:
        clock.now = datetime(2026, 3, 29, 21, 59, tzinfo=UTC)
        self.draw(full)
        clock.wait(minutes=1)
        with pytest.raises(ShortStockError) as error:
            self.draw(full)
        assert codes(error) == ["beyond-use"]
        assert deviations(full, self.draw(full, deviation="nobody looked")) == {Deviation.BEYOND_USE}

    def test_a_use_before_the_opening_cannot_be(self, full: Store) -> None:
        order = Order("anna", at=START - timedelta(hours=1))
        with pytest.raises(OrderError) as error:
            self.draw(full, order=order, deviation="why")
        assert codes(error) == ["opened"]

    def test_sharing_a_multi_dose_container_is_pointed_out_with_its_sources(
        self, full: Store, sharing: Any
    ) -> None:
        assert not any("served" in note for note in self.draw(full, sharing=sharing).notes)
        assert not any("served" in note for note in self.draw(full, sharing=sharing).notes)
        notes = " ".join(self.draw(full, reference=TWO, sharing=sharing).notes)
        assert f"warn: opened container 1 served {ONE} before" in notes
        assert "outbreaks of mycobacteria" in notes
        assert "https://elsevier.es/" in notes

    def test_a_site_may_forbid_sharing(self, full: Store, sharing: Any) -> None:
        self.draw(full, sharing=sharing, share=Sharing.FORBID)
        with pytest.raises(ShortStockError) as error:
            self.draw(full, reference=TWO, sharing=sharing, share=Sharing.FORBID)
        assert codes(error) == ["shared"]
        receipt = self.draw(full, reference=TWO, share=Sharing.FORBID, deviation="it was shared")
        assert deviations(full, receipt) == {Deviation.SHARED}

    def test_a_single_dose_container_serves_one_session(self, single: Store) -> None:
        self.draw(single)
        receipt = self.draw(single)
        assert "it may be used again in this session only" in receipt.notes[-1]
        with pytest.raises(ShortStockError) as error:
            self.draw(single, reference=TWO)
        assert codes(error) == ["shared"]
        assert deviations(single, self.draw(single, reference=TWO, deviation="shared")) == {Deviation.SHARED}

    def test_a_container_opened_for_a_session_is_that_sessions(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial(doses=Doses.SINGLE))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA, reference=ONE)
        with pytest.raises(ShortStockError) as error:
            self.draw(stock, reference=TWO)
        assert codes(error) == ["shared"]

    def test_a_single_dose_container_does_not_wait_for_the_next_day(
        self, single: Store, clock: Clock
    ) -> None:
        clock.now = datetime(2026, 3, 2, 22, 59, tzinfo=UTC)
        self.draw(single)
        clock.wait(minutes=1)
        with pytest.raises(ShortStockError) as error:
            self.draw(single)
        assert codes(error) == ["beyond-use"]

    def test_sharing_is_found_through_mixtures(self, single: Store, rules: Any, clock: Clock) -> None:
        """A mixture holds some of a single-dose vial, and what is left of the vial served somebody else."""
        mix(
            single, "m", [Drawn(1, quantity("2", "mL"))], rules=rules, location="main", order=ANNA,
            volume=quantity("2", "mL"),
        )  # fmt: skip
        self.draw(single)
        with pytest.raises(ShortStockError) as error:
            self.draw(single, "1", reference=TWO, number=2)
        assert codes(error) == ["shared"]
        assert "opened container 1 served" in str(error.value)
        self.draw(single, "1", number=2)

    def test_what_is_kept_for_others_is_left(self, full: Store) -> None:
        pick = keep(full, opened=1, volume="8", session=TWO)
        self.draw(full, "2")
        with pytest.raises(ShortStockError) as error:
            self.draw(full, "0.1")
        assert codes(error) == ["reserved"]
        assert f"pick {pick} for {TWO}" in str(error.value)
        with pytest.raises(ShortStockError):
            self.draw(full, None, rest=True)
        assert deviations(full, self.draw(full, "0.1", deviation="in a hurry")) == {Deviation.RESERVED}

    def test_throwing_away_what_is_kept_for_others_is_refused(self, full: Store) -> None:
        keep(full, opened=1, volume="5", session=TWO)
        with pytest.raises(ShortStockError) as error:
            self.draw(full, "2", discard=True)
        assert codes(error) == ["reserved"]

    def test_the_same_request_draws_nothing_again(self, full: Store) -> None:
        order = Order("anna", request_id="d1")
        self.draw(full, order=order)
        assert self.draw(full, order=order).repeated
        with pytest.raises(OrderError):
            self.draw(full, order=order, discard=True)
        assert opened(full).nanolitres == ml("7")

    @pytest.mark.parametrize("number", [0, -1, 2**70, True, "1"])
    def test_a_number_that_is_none_is_refused(self, full: Store, number: Any) -> None:
        with pytest.raises(OrderError) as error:
            self.draw(full, number=number)
        assert codes(error) == ["opened"]


class TestPicks:
    def test_whole_containers_of_a_single_dose_product_are_used_up(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial(doses=Doses.SINGLE))
        pick = keep(stock, containers=2, volume="15")
        receipt = use_pick(stock, pick, rules=rules, order=ANNA)
        assert there(stock) == {"L1": 3}
        assert numbers(stock) == []
        assert any("5 mL that was not drawn is thrown away" in note for note in receipt.notes)
        movement = movements_of(stock, [receipt.movement])[0]
        assert (movement.kind, movement.session, movement.pick) == (MovementKind.USE, ONE, pick)

    def test_the_last_container_of_a_multi_dose_product_is_opened_and_keeps_the_rest(
        self, stock: Store, rules: Any
    ) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=2, volume="13")
        receipt = use_pick(stock, pick, rules=rules, order=Order("anna", "as planned"))
        assert there(stock) == {"L1": 3}
        assert opened(stock).nanolitres == ml("7")
        assert opened(stock).sessions == (ONE,)
        assert opened(stock).rule == "multi-dose-28-days"
        assert kinds(stock, receipt) == [MovementKind.OPEN, MovementKind.USE]
        movement = movements_of(stock, [receipt.movement])[0]
        assert (movement.kind, movement.cause) == (MovementKind.USE, receipt.movement - 1)
        assert movement.reason == "as planned"
        assert stock_view(stock).on_hand[0].reserved == 0

    def test_the_rest_may_be_thrown_away_at_once(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        receipt = use_pick(
            stock, keep(stock, containers=1, volume="3"), rules=rules, order=ANNA, discard=True
        )
        assert kinds(stock, receipt) == [MovementKind.OPEN, MovementKind.USE, MovementKind.WASTE]
        assert numbers(stock) == []
        assert movements_of(stock, receipt.movements)[-1].lines[0].nanolitres == -ml("7")

    def test_what_takes_whole_containers_opens_none(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        receipt = use_pick(stock, keep(stock, containers=2, volume="20"), rules=rules, order=ANNA)
        assert kinds(stock, receipt) == [MovementKind.USE]
        assert numbers(stock) == []

    def test_volumes_are_drawn_from_opened_containers(self, stock: Store, rules: Any, sharing: Any) -> None:
        deliver(stock, vial())
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        use_opened(stock, 1, reference=TWO, order=ANNA, volume=quantity("1", "mL"))
        pick = keep(stock, opened=1, volume="4")
        receipt = use_pick(stock, pick, rules=rules, order=ANNA, sharing=sharing)
        assert opened(stock).nanolitres == ml("5")
        assert any("outbreaks" in note for note in receipt.notes)

    def test_a_pick_is_used_once(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=1)
        use_pick(stock, pick, rules=rules, order=ANNA)
        with pytest.raises(OrderError) as error:
            use_pick(stock, pick, rules=rules, order=ANNA)
        assert codes(error) == ["pick"]
        assert "was used by movement 3 already" in str(error.value)
        with pytest.raises(OrderError):
            use_pick(stock, 1, rules=rules, order=ANNA)
        assert there(stock) == {"L1": 4}

    def test_the_same_request_names_the_use_again(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=1, volume="3")
        order = Order("anna", "as planned", request_id="p1")
        first = use_pick(stock, pick, rules=rules, order=order)
        again = use_pick(stock, pick, rules=rules, order=order)
        assert again.repeated
        assert (again.movement, again.movements) == (first.movement, first.movements)
        assert numbers(stock) == [1]

    def test_a_lapsed_pick_is_used_as_long_as_nobody_else_has_picked_it(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial())
        mine, late = keep(stock, containers=3, hours=1), keep(stock, containers=2, hours=1)
        clock.wait(hours=2)
        receipt = use_pick(stock, mine, rules=rules, order=ANNA)
        assert any(f"pick {mine} had lapsed" in note for note in receipt.notes)
        keep(stock, containers=1, session=TWO)
        with pytest.raises(ShortStockError) as error:
            use_pick(stock, late, rules=rules, order=ANNA)
        assert codes(error) == ["reserved"]

    def test_what_came_to_light_since_the_pick_stands_against_its_use(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=1, volume="3")
        say(stock, "recalled", "yes")
        with pytest.raises(ShortStockError) as error:
            use_pick(stock, pick, rules=rules, order=ANNA)
        assert codes(error) == ["recalled"]
        receipt = use_pick(stock, pick, rules=rules, order=ANNA, deviation="the letter came too late")
        assert deviations(stock, receipt) == {Deviation.RECALLED}

    def test_a_pick_is_for_its_own_session(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        pick = keep(stock, containers=1)
        with pytest.raises(ShortStockError) as error:
            use_pick(stock, pick, rules=rules, order=ANNA, reference=TWO)
        assert codes(error) == ["reserved"]
        receipt = use_pick(stock, pick, rules=rules, order=ANNA, reference=TWO, deviation="mixed up")
        assert deviations(stock, receipt) == {Deviation.RESERVED}
        assert movements_of(stock, [receipt.movement])[0].session == TWO


class TestImplantCards:
    FILLER = "filler"

    def filler(self, **more: Any) -> Product:
        return vial(self.FILLER, "1", Doses.SINGLE, kind=ProductKind.DEVICE, **more)

    def use(self, store: Store, **more: Any) -> Receipt:
        given: dict[str, Any] = {"containers": 1, "reference": ONE, "order": ANNA, **more}
        return use(store, "acme/filler", "F1", **given)

    def test_the_one_pack_of_a_lot_is_taken_by_itself(self, stock: Store) -> None:
        deliver(stock, self.filler(), "F1", device="05060131261973", serial="P1", containers=2)
        receipt = self.use(stock)
        line = movements_of(stock, [receipt.movement])[0].lines[0]
        assert (line.device, line.serial) == ("05060131261973", "P1")
        (card,) = implant_cards(stock, ONE)
        assert (card.product.id, card.device, card.lot, card.serial) == (
            "acme/filler",
            "05060131261973",
            "F1",
            "P1",
        )
        assert (card.expiry, card.day, card.containers) == (date(2028, 1, 31), date(2026, 3, 2), 1)

    def test_of_several_packs_one_must_be_named(self, stock: Store) -> None:
        for serial in ("P1", "P2"):
            deliver(stock, self.filler(), "F1", device="05060131261973", serial=serial, containers=2)
        receipt = self.use(stock)
        assert any("say which with --serial" in note for note in receipt.notes)
        self.use(stock, serial="P2")
        assert [card.serial for card in implant_cards(stock, ONE)] == [None, "P2"]
        with pytest.raises(OrderError) as error:
            self.use(stock, serial="P3")
        assert "received were 'P1' and 'P2'" in str(error.value)

    def test_a_pack_holds_no_more_than_was_received_with_it(self, stock: Store) -> None:
        for serial in ("P1", "P2"):
            deliver(stock, self.filler(), "F1", device="05060131261973", serial=serial, containers=1)
        self.use(stock, serial="P1")
        with pytest.raises(OrderError) as error:
            self.use(stock, serial="P1")
        assert codes(error) == ["serial"]

    def test_cards_reach_through_opened_containers_and_mixtures(self, stock: Store, rules: Any) -> None:
        deliver(stock, self.filler(), "F1", device="05060131261973", serial="P1", containers=3)
        open_container(stock, "acme/filler", "F1", rules=rules, order=ANNA)
        use_opened(stock, 1, reference=ONE, order=ANNA, volume=quantity("0.5", "mL"))
        mix(
            stock, "m", [Whole("acme/filler", "F1")], rules=rules, location="main", order=ANNA,
            volume=quantity("1", "mL"),
        )  # fmt: skip
        use_opened(stock, 2, reference=ONE, order=ANNA, rest=True)
        assert [(card.opened, card.lot, card.serial) for card in implant_cards(stock, ONE)] == [
            (1, "F1", "P1"),
            (2, "F1", "P1"),
        ]

    def test_medicines_have_no_implant_card(self, stock: Store) -> None:
        deliver(stock, vial(kind=ProductKind.MEDICINE))
        use(stock, "acme/vial", "L1", containers=1, reference=ONE, order=ANNA)
        assert implant_cards(stock, ONE) == ()
        assert implant_cards(stock, TWO) == ()


RULE = BeyondUseRule(
    "kept",
    "28 days",
    (Source(SourceKind.REG, "a fictional law", date(2026, 1, 1)),),
    period=quantity("28", "d"),
)


class Vials(RuleBasedStateMachine):
    """Volumes drawn at random, beside what a careful person would have written down."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_stock(Path(self.folder.name) / "stock.sqlite", zone=PARIS, clock=Clock())
        self.whole = 0
        self.left: dict[int, int] = {}
        self.thrown: set[int] = set()
        self.used = self.overfilled = self.wasted = 0
        self.receive()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule()
    def receive(self) -> None:
        deliver(self.store, vial(volume="5"), containers=2)
        self.whole += 2

    @precondition(lambda self: self.whole)
    @rule()
    def open_one(self) -> None:
        open_container(self.store, "acme/vial", "L1", rules=(RULE,), order=ANNA)
        self.whole -= 1
        self.left[len(self.left) + 1] = ml("5")

    @precondition(lambda self: self.left)
    @rule(
        choose=st.integers(0, 5),
        nanolitres=st.integers(1, 6_000_000),
        overfill=st.booleans(),
        discard=st.booleans(),
    )
    def draw(self, choose: int, nanolitres: int, overfill: bool, discard: bool) -> None:
        number = list(self.left)[choose % len(self.left)]
        left = self.left[number]
        volume = quantity(f"{nanolitres}e-6", "mL")
        asked: dict[str, Any] = {"volume": volume, "overfill": overfill, "discard": discard}
        if (nanolitres > left and not overfill) or number in self.thrown:
            with pytest.raises(OrderError):
                use_opened(self.store, number, reference=ONE, order=ANNA, **asked)
            return
        use_opened(self.store, number, reference=ONE, order=ANNA, **asked)
        self.used += nanolitres
        self.overfilled += max(0, nanolitres - left)
        rest = max(0, left - nanolitres)
        if discard and rest:
            self.thrown.add(number)
            self.wasted += rest
            rest = 0
        self.left[number] = rest

    @precondition(lambda self: self.whole > 1)
    @rule(nanolitres=st.integers(5_000_001, 9_999_999), discard=st.booleans())
    def use_a_pick(self, nanolitres: int, discard: bool) -> None:
        """Of two containers the first is used up, and the second keeps the rest."""
        pick = keep(self.store, containers=2, volume=f"{nanolitres}e-6")
        use_pick(self.store, pick, rules=(RULE,), order=ANNA, discard=discard)
        self.whole -= 2
        number, rest = len(self.left) + 1, ml("10") - nanolitres
        self.used += ml("5") - rest
        self.left[number] = 0 if discard else rest
        if discard:
            self.thrown.add(number)
            self.wasted += rest

    @invariant()
    def nothing_is_lost_and_nothing_is_below_zero(self) -> None:
        if not hasattr(self, "store"):
            return
        assert sum(there(self.store).values()) == self.whole
        kept = {one.id: one.nanolitres for one in stock_view(self.store).opened}
        assert kept == {number: left for number, left in self.left.items() if left}
        supplied = ml("5") * len(self.left)
        assert supplied + self.overfilled == self.used + sum(self.left.values()) + self.wasted
        sums = {"use": 0, "waste": 0, "open": 0, "overfill": 0}
        line, movement = schema.movement_line, schema.movement
        with self.store.reading() as connection:
            assert connection is not None
            rows = connection.execute(
                select(movement.c.kind, line.c.fact, line.c.nanolitres)
                .join(movement, movement.c.seq == line.c.movement)
                .where(line.c.nanolitres.is_not(None))
            )
            for row in rows:
                sums[row.fact or row.kind] += abs(row.nanolitres)
        said = {"use": self.used, "waste": self.wasted, "open": supplied, "overfill": self.overfilled}
        assert sums == said
        assert verify(self.store).problems == ()


Vials.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestVials = Vials.TestCase


def test_opening_by_a_late_use_of_a_pick_keeps_a_count_true(stock: Store, rules: Any, clock: Clock) -> None:
    """The shelf was counted after the use, and before anybody recorded it."""
    deliver(stock, vial())
    pick = keep(stock, containers=1, volume="3", hours=100)
    happened = clock.wait(hours=1)
    clock.wait(hours=1)

    def count(posting: Posting) -> None:
        lot = find_lot(posting.connection, "acme/vial", "L1")
        posting.post(MovementKind.COUNT, [Entry(lot, "main", -1, counted=4)])

    carry_out(stock, ANNA, {"count": 1}, count)
    clock.wait(hours=1)
    order = Order("anna", at=happened, request_id="late")
    receipt = use_pick(stock, pick, rules=rules, order=order)
    assert there(stock) == {"L1": 4}
    assert opened(stock).nanolitres == ml("7")
    assert opened(stock).opened_at == happened
    assert movements_of(stock, [receipt.movement])[0].kind is MovementKind.USE
    again = use_pick(stock, pick, rules=rules, order=order)
    assert (again.movement, again.movements) == (receipt.movement, receipt.movements)
    assert attrs.evolve(again, repeated=False, notes=receipt.notes) == receipt
