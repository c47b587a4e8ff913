"""Opened containers: their numbers, what is in them, and how long they keep; and mixtures of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoformula import Formulary, Part, Product, quantity
from mesoformula.clock import day_end
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import ContainerKind, Doses, Form, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.opened.mixing import Drawn, Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.records import (
    Delivery,
    Deviation,
    MovementKind,
    Opened,
    Order,
    Receipt,
)
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA = Order("anna")


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


def say(
    store: Store, fact: str, new: str, lot: str = "L1", sku: str = "acme/vial", at: datetime | None = None
) -> None:
    """Record that a lot is quarantined or recalled, or expires on another day."""

    def work(posting: Posting) -> None:
        posting.post(MovementKind.FACT, [Entry(find_lot(posting.connection, sku, lot), fact=fact, new=new)])

    carry_out(store, attrs.evolve(ANNA, at=at), {"fact": fact, "new": new}, work)


def keep(
    store: Store, containers: int, lapses: timedelta = timedelta(hours=24), session: str = "S-OTHER"
) -> int:
    """Pick containers of lot L1 by hand."""

    def work(posting: Posting) -> None:
        lot = find_lot(posting.connection, "acme/vial", "L1")
        until = posting.recorded_at + lapses // timedelta(microseconds=1)
        posting.post(
            MovementKind.PICK, [Entry(lot, "main", reserved=containers)], session=session, lapses_at=until
        )

    return carry_out(store, ANNA, {"pick": containers}, work).movement


def there(store: Store) -> dict[str, int]:
    return {one.lot: one.containers for one in stock_view(store).on_hand}


def opened(store: Store, number: int) -> Opened:
    return next(one for one in stock_view(store).opened if one.id == number)


def codes(error: pytest.ExceptionInfo[OrderError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def deviations(store: Store, receipt: Receipt) -> set[Deviation]:
    found = movements_of(store, receipt.movements)
    return {one for movement in found for line in movement.lines for one in line.deviations}


class TestOpening:
    def test_each_container_gets_a_number_its_labelled_volume_and_a_beyond_use_date(
        self, stock: Store, rules: Any
    ) -> None:
        deliver(stock, vial())
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA, containers=2)

        assert there(stock) == {"L1": 3}
        one, two = stock_view(stock).opened
        assert (one.id, two.id) == (1, 2)
        assert one.nanolitres == one.supplied_nanolitres == 10_000_000
        assert one.opened_at == START
        # 28 days, the day of opening the first: through 29 March, the clocks having been put forward.
        assert one.beyond_use_at == datetime(2026, 3, 29, 22, tzinfo=UTC)
        assert one.rule == "multi-dose-28-days"
        assert receipt.movement == 2

    def test_the_governing_rule_is_named_with_its_source_and_the_others_beside_it(
        self, stock: Store, rules: Any
    ) -> None:
        deliver(stock, vial())
        notes = " ".join(open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA).notes)

        assert "use before 2026-03-30 00:00, by multi-dose-28-days: 28 days after opening" in notes
        assert "REG: https://" in notes
        assert "considered besides: lot:expiry (until 2028-02-01 00:00)" in notes

    def test_it_is_never_kept_past_the_expiry_of_its_lot(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial(), expiry=date(2026, 3, 10))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)

        assert opened(stock, 1).beyond_use_at == datetime(2026, 3, 10, 23, tzinfo=UTC)
        assert opened(stock, 1).rule == "lot:expiry"

    def test_a_changed_expiry_counts_where_it_is_the_shorter(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial())
        happened = clock.wait(hours=1)
        clock.wait(hours=1)
        say(stock, "expiry", "2026-03-10")
        clock.wait(hours=1)
        open_container(stock, "acme/vial", "L1", rules=rules, order=Order("anna", at=happened))

        assert opened(stock, 1).beyond_use_at == datetime(2026, 3, 10, 23, tzinfo=UTC)

    @pytest.mark.parametrize("doses", [Doses.SINGLE, Doses.NOT_STATED])
    def test_a_single_dose_container_is_for_this_session_only(
        self, stock: Store, rules: Any, doses: Doses
    ) -> None:
        deliver(stock, vial(doses=doses))
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)

        assert opened(stock, 1).beyond_use_at is None
        assert "this session only, never kept" in " ".join(receipt.notes)

    def test_a_powder_is_prepared_by_being_opened_and_unstated_stability_means_this_session(
        self, stock: Store, rules: Any
    ) -> None:
        powder = Part(ContainerKind.VIAL, Form.POWDER, mass=quantity("100", "mg"))
        deliver(stock, vial(parts=(powder,)))
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)

        one = opened(stock, 1)
        assert (one.beyond_use_at, one.nanolitres, one.nanograms) == (None, None, 100_000_000)

    def test_the_clock_starts_at_the_real_moment_of_opening(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial(in_use_period=quantity("24", "h")))
        clock.wait(hours=30)
        happened = START + timedelta(hours=2)
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=Order("anna", at=happened))

        assert opened(stock, 1).opened_at == happened
        assert opened(stock, 1).beyond_use_at == happened + timedelta(hours=24)
        assert "past its beyond-use date already" in receipt.notes[-1]

    def test_what_is_not_there_is_refused_and_no_stock_is_made(self, stock: Store, rules: Any) -> None:
        with pytest.raises(OrderError) as error:
            open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        assert codes(error) == ["empty"]
        assert verify(stock).movements == 0
        deliver(stock, vial())
        with pytest.raises(ShortStockError):
            open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA, containers=6)
        assert there(stock) == {"L1": 5}

    def test_everything_that_is_wrong_is_said_at_once(self, stock: Store, rules: Any) -> None:
        with pytest.raises(OrderError) as error:
            open_container(
                stock,
                "acme/vial",
                "L1",
                rules=rules,
                order=Order("", "because"),
                containers=0,
                location="a\nb",
                reference="anna smith",
                serial="",
                deviation=" ",
            )
        assert set(codes(error)) == {
            "actor", "containers", "location", "reference", "serial", "deviation",
        }  # fmt: skip

    def test_the_same_request_opens_nothing_again(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        order = Order("anna", request_id="r1")
        first = open_container(stock, "acme/vial", "L1", rules=rules, order=order)
        again = open_container(stock, "acme/vial", "L1", rules=rules, order=order)
        assert (again.repeated, again.movement, again.anchor) == (True, first.movement, first.anchor)
        with pytest.raises(OrderError) as error:
            open_container(stock, "acme/vial", "L1", rules=rules, order=order, prepared=True)
        assert codes(error) == ["request"]
        assert there(stock) == {"L1": 4}

    @pytest.mark.parametrize(
        ("fact", "new", "code"),
        [
            ("quarantined", "yes", "quarantined"),
            ("recalled", "yes", "recalled"),
            ("expiry", "2026-03-01", "expired"),
        ],
    )
    def test_what_may_not_be_used_is_not_opened_unless_it_has_happened(
        self, stock: Store, rules: Any, fact: str, new: str, code: str
    ) -> None:
        deliver(stock, vial())
        say(stock, fact, new)
        with pytest.raises(ShortStockError) as error:
            open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        assert codes(error) == [code]
        assert "record it with --deviation 'why'" in str(error.value)
        assert there(stock) == {"L1": 5}

        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA, deviation="overlooked")
        assert deviations(stock, receipt) == {Deviation(code)}
        assert movements_of(stock, [receipt.movement])[0].reason == "overlooked"
        assert there(stock) == {"L1": 4}

    def test_what_is_kept_for_others_is_not_opened_until_that_lapses(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial())
        pick = keep(stock, 4)
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        with pytest.raises(ShortStockError) as error:
            open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)
        assert codes(error) == ["reserved"]
        assert f"pick {pick} for S-OTHER until 2026-03-03 10:00" in str(error.value)
        clock.wait(hours=24)
        open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA)

    def test_a_pick_made_after_a_late_opening_is_only_pointed_out(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial())
        happened = clock.wait(hours=1)
        clock.wait(hours=1)
        pick = keep(stock, 5)
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=Order("anna", at=happened))
        assert deviations(stock, receipt) == set()
        assert f"pick {pick} for S-OTHER was made after this, and may be short now" in receipt.notes

    def test_a_late_opening_is_judged_by_then_and_flagged_if_recalled_since(
        self, stock: Store, rules: Any, clock: Clock
    ) -> None:
        deliver(stock, vial())
        happened = clock.wait(hours=1)
        clock.wait(hours=1)
        say(stock, "recalled", "yes")
        clock.wait(hours=1)
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=Order("anna", at=happened))
        assert deviations(stock, receipt) == {Deviation.RECALLED_SINCE}
        assert any("was recalled since" in note for note in receipt.notes)

    def test_a_deviation_that_is_none_is_recorded_as_none(self, stock: Store, rules: Any) -> None:
        deliver(stock, vial())
        receipt = open_container(stock, "acme/vial", "L1", rules=rules, order=ANNA, deviation="in doubt")
        assert deviations(stock, receipt) == set()
        assert any("nothing stood against it" in note for note in receipt.notes)

    @given(
        hours=st.integers(1, 2000),
        expires=st.integers(0, 60),
        opened_after=st.integers(0, 30 * 24),
        doses=st.sampled_from(list(Doses)),
        prepared=st.booleans(),
    )
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_no_beyond_use_date_is_longer_than_anything_that_limits_it(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        rules: Any,
        hours: int,
        expires: int,
        opened_after: int,
        doses: Doses,
        prepared: bool,
    ) -> None:
        path = tmp_path_factory.mktemp("stock") / "stock.sqlite"
        clock = Clock()
        expiry = START.date() + timedelta(days=expires)
        with open_stock(path, zone=PARIS, clock=clock) as store:
            deliver(store, vial(doses=doses, in_use_period=quantity(hours, "h")), expiry=expiry)
            moment = clock.wait(hours=opened_after)
            open_container(
                store, "acme/vial", "L1", rules=rules, order=ANNA, prepared=prepared, deviation="a test"
            )
            one = opened(store, 1)
        if doses is not Doses.MULTI:
            assert one.beyond_use_at is None
        else:
            assert one.beyond_use_at is not None
            assert one.beyond_use_at <= moment + timedelta(hours=hours)
            assert one.beyond_use_at <= day_end(expiry, PARIS)


class TestMixing:
    @pytest.fixture
    def two(self, stock: Store, rules: Any) -> Store:
        """Five multi-dose vials of A in lot L1, five of B in lot L2; the first of A is open."""
        deliver(stock, vial("a"))
        deliver(stock, vial("b", "5"), "L2", expiry=date(2026, 3, 20))
        open_container(stock, "acme/a", "L1", rules=rules, order=ANNA)
        return stock

    def mix(self, store: Store, rules: Any, *inputs: Any, **more: Any) -> Receipt:
        given: dict[str, Any] = {"location": "main", "order": ANNA, "volume": quantity("5", "mL"), **more}
        return mix(store, "cocktail", inputs, rules=rules, **given)

    def test_it_takes_from_what_it_is_made_of_and_gets_a_number(self, two: Store, rules: Any) -> None:
        inputs = (Whole("acme/b", "L2"), Drawn(1, quantity("2", "mL")))
        receipt = self.mix(two, rules, *inputs, volume=quantity("7", "mL"))

        assert there(two) == {"L1": 4, "L2": 4}
        assert opened(two, 1).nanolitres == 8_000_000
        made = opened(two, 2)
        assert (made.name, made.product, made.lot) == ("cocktail", None, None)
        assert made.nanolitres == made.supplied_nanolitres == 7_000_000
        assert made.expiry == date(2026, 3, 20)
        assert movements_of(two, [receipt.movement])[0].kind is MovementKind.MIX

    def test_without_a_stated_period_it_is_for_this_session(self, two: Store, rules: Any) -> None:
        receipt = self.mix(two, rules, Drawn(1, quantity("5", "mL")))
        assert opened(two, 2).beyond_use_at is None
        assert "this session only, never kept, by mixture:not-stated" in receipt.notes[-1]

    def test_a_stated_period_counts_with_its_source(self, two: Store, rules: Any) -> None:
        with pytest.raises(OrderError) as error:
            self.mix(two, rules, Drawn(1, quantity("5", "mL")), keep=quantity("4", "h"))
        assert codes(error) == ["reason"]
        order = Order("anna", "stability study 12")
        self.mix(two, rules, Drawn(1, quantity("5", "mL")), keep=quantity("4", "h"), order=order)
        assert opened(two, 2).beyond_use_at == START + timedelta(hours=4)

    def test_it_never_keeps_longer_than_anything_in_it(self, two: Store, rules: Any) -> None:
        order = Order("anna", "stability study 12")
        self.mix(
            two,
            rules,
            Drawn(1, quantity("1", "mL")),
            Whole("acme/b", "L2"),
            keep=quantity("60", "d"),
            order=order,
        )
        assert opened(two, 2).beyond_use_at == datetime(2026, 3, 20, 23, tzinfo=UTC)
        # And a mixture of that mixture, neither.
        self.mix(two, rules, Drawn(2, quantity("5", "mL")), keep=quantity("60", "d"), order=order)
        assert opened(two, 3).beyond_use_at == datetime(2026, 3, 20, 23, tzinfo=UTC)

    def test_one_single_dose_container_in_it_makes_it_for_this_session(self, two: Store, rules: Any) -> None:
        deliver(two, vial("c", doses=Doses.SINGLE), "L3")
        order = Order("anna", "stability study 12")
        receipt = self.mix(
            two,
            rules,
            Drawn(1, quantity("1", "mL")),
            Whole("acme/c", "L3"),
            keep=quantity("4", "h"),
            order=order,
        )
        assert opened(two, 2).beyond_use_at is None
        assert any("4 h was stated, and does not count" in note for note in receipt.notes)

    def test_more_than_went_in_cannot_come_out(self, two: Store, rules: Any) -> None:
        with pytest.raises(ShortStockError) as error:
            self.mix(two, rules, Drawn(1, quantity("4.999999", "mL")))
        assert codes(error) == ["volume"]
        deliver(two, vial("unknown", None), "L4")
        self.mix(two, rules, Drawn(1, quantity("1", "mL")), Whole("acme/unknown", "L4"))

    def test_no_more_is_drawn_than_there_is_even_in_two_lines(self, two: Store, rules: Any) -> None:
        with pytest.raises(ShortStockError):
            self.mix(two, rules, Drawn(1, quantity("6", "mL")), Drawn(1, quantity("6", "mL")))
        self.mix(two, rules, Drawn(1, quantity("6", "mL")), Drawn(1))
        assert [one.id for one in stock_view(two).opened] == [2]

    def test_recalled_inputs_are_refused_all_at_once(self, two: Store, rules: Any) -> None:
        say(two, "recalled", "yes", "L1", "acme/a")
        say(two, "quarantined", "yes", "L2", "acme/b")
        inputs = (Whole("acme/b", "L2"), Drawn(1, quantity("2", "mL")))
        with pytest.raises(ShortStockError) as error:
            self.mix(two, rules, *inputs)
        assert codes(error) == ["quarantined", "recalled"]
        receipt = self.mix(two, rules, *inputs, deviation="made before the letter came")
        assert deviations(two, receipt) == {Deviation.RECALLED, Deviation.QUARANTINED}
        assert opened(two, 2).recalled

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"location": "x" * 101}, "location"),
            ({"volume": quantity("1", "mg")}, "volume"),
            ({"volume": quantity("0.0000001", "mL")}, "volume"),
            ({"keep": quantity("1", "s"), "order": Order("anna", "why")}, "keep"),
            ({"keep": quantity("1", "mL"), "order": Order("anna", "why")}, "keep"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, two: Store, rules: Any, changed: dict[str, Any], code: str
    ) -> None:
        with pytest.raises(OrderError) as error:
            self.mix(two, rules, Drawn(1, quantity("5", "mL")), **changed)
        assert codes(error) == [code]

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x1b[31m", "a\nb"])
    def test_a_name_that_nobody_could_read_is_refused(self, two: Store, rules: Any, name: str) -> None:
        with pytest.raises(OrderError) as error:
            mix(two, name, [Drawn(1)], rules=rules, location="main", order=ANNA, volume=None)
        assert codes(error) == ["name"]
        with pytest.raises(OrderError) as error:
            mix(two, "m", [], rules=rules, location="main", order=ANNA, volume=None)
        assert codes(error) == ["empty"]

    def test_the_same_request_mixes_nothing_again(self, two: Store, rules: Any) -> None:
        order = Order("anna", request_id="m1")
        self.mix(two, rules, Drawn(1, quantity("5", "mL")), order=order)
        assert self.mix(two, rules, Drawn(1, quantity("5", "mL")), order=order).repeated
        with pytest.raises(OrderError) as error:
            self.mix(two, rules, Drawn(1, quantity("6", "mL")), order=order)
        assert codes(error) == ["request"]
        assert [one.id for one in stock_view(two).opened] == [1, 2]


def test_movements_of_an_opening_carry_the_container_out_and_the_volume_in(
    stock: Store, rules: Any, make_product: Callable[..., Product]
) -> None:
    deliver(stock, make_product())
    receipt = open_container(stock, "acme/c-500", "L1", rules=rules, order=ANNA, reference="S-0001")
    movement = movements_of(stock, [receipt.movement])[0]
    assert (movement.kind, movement.session) == (MovementKind.OPEN, "S-0001")
    assert [(line.containers, line.opened, line.nanolitres) for line in movement.lines] == [
        (-1, None, None),
        (0, 1, 5_000_000),
    ]
