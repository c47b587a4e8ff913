"""The forecast: by hand, and against the same year played through the ledger day by day."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula import Formulary, Part, Product, quantity
from mesoformula.courses import Interval, Plan, schedule
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import ContainerKind, Doses, Form, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.demand.booking import book
from mesoformula.stock.demand.bookings import BookedCourse, BookedSession, bookings
from mesoformula.stock.demand.forecasting import Forecast, Terms, forecast, needed_by, totals
from mesoformula.stock.demand.rehearsing import Visit
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.holding import quarantine
from mesoformula.stock.lots.levels import set_level
from mesoformula.stock.opened.using import use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.shortage import ShortageError, Want
from mesoformula.stock.records import Delivery, Order
from mesoformula.stock.views.reading import stock_view

PARIS = ZoneInfo("Europe/Paris")
ANNA = Order("anna")
START = date(2027, 1, 4)


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.now = datetime(2027, 1, 4, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def at(self, day: date, hour: time = time(12)) -> None:
        self.now = datetime.combine(day, hour, PARIS).astimezone(UTC)


def made(sku: str, volume: str = "5", doses: Doses = Doses.SINGLE, **more: Any) -> Product:
    kind = ContainerKind.VIAL if doses is Doses.MULTI else ContainerKind.AMPOULE
    part = Part(kind, Form.SOLUTION, volume=quantity(volume, "mL"))
    label = Source(SourceKind.IFU, "a fictional leaflet", date(2026, 1, 1))
    return Product(Vendor("acme", "Acme"), sku, sku, (part,), (label,), doses=doses, **more)


AMPOULE = made("ampoule", containers_per_pack=5)
VIAL = made("vial", "10", Doses.MULTI, in_use_period=quantity("28", "d"), containers_per_pack=2)
HOURS = made("hours", "10", Doses.MULTI, in_use_period=quantity("6", "h"))
PRODUCTS = {name: one for one in (AMPOULE, VIAL, HOURS) for name in (one.id, one.pinned_id)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(path: Path, clock: Clock) -> Iterator[Store]:
    """A stock in Paris, whose time a test sets."""
    with closing(open_stock(path, zone=PARIS, clock=clock)) as store:
        yield store
        assert verify(store).problems == ()


@pytest.fixture(scope="session")
def rules(formulary: Formulary) -> tuple[BeyondUseRule, ...]:
    return formulary.beyond_use_rules()


def put(store: Store, product: Product, lot: str, containers: int, expiry: date | None = None) -> None:
    receive(store, [Delivery(product, lot, containers, expiry)], actor="anna")


def booked(
    store: Store, reference: str, start: date, sessions: int, every: int, *wants: Want, at=None
) -> None:
    days = schedule(start, Plan(sessions, Interval(days=every)))
    course = BookedCourse("glow", 1, tuple(BookedSession(one.number, one.on, wants) for one in days), at=at)
    book(store, reference, course, order=ANNA)


def seen(store: Store, **more: Any) -> Forecast:
    return forecast(store, **{"rules": (), "products": PRODUCTS.get, **more})


def ampoules(number: int) -> Want:
    return Want(AMPOULE.pinned_id, containers=number)


def millilitres(product: Product, number: int) -> Want:
    return Want(product.pinned_id, containers=1, nanolitres=number * 1_000_000)


# ---- by hand -----------------------------------------------------------------------------------------------


def test_without_a_stock_nothing_is_to_come(stock):
    found = seen(stock)
    assert (found.as_of, found.until, found.outcomes, found.short) == (START, START, (), ())


def test_a_product_runs_short_on_a_day_and_by_a_number(stock):
    put(stock, AMPOULE, "L1", 5)
    booked(stock, "S-0001", date(2027, 1, 11), 4, 7, ampoules(2))
    found = seen(stock)
    (short,) = found.short
    assert (short.product, short.first_on, short.first_missing) == ("acme/ampoule", date(2027, 1, 25), 1)
    assert (short.missing, short.sessions) == (3, 2)
    assert found.until == date(2027, 2, 1)
    assert found.whole == {"acme/ampoule": 8}


def test_what_expires_first_goes_first_and_what_is_left_of_it_is_told(stock):
    put(stock, AMPOULE, "LATE", 5, date(2028, 1, 31))
    put(stock, AMPOULE, "SOON", 5, date(2027, 1, 20))
    booked(stock, "S-0001", date(2027, 1, 11), 3, 7, ampoules(2))
    found = seen(stock)
    assert found.short == ()
    (unused,) = found.unused
    assert (unused.lot, unused.containers, unused.expiry) == ("SOON", 1, date(2027, 1, 20))
    assert seen(stock, minimum_days_left=5).unused[0].containers == 3


def test_an_opened_container_is_carried_on_as_long_as_it_keeps(stock):
    put(stock, VIAL, "L1", 10)
    booked(stock, "S-0001", date(2027, 1, 11), 5, 14, millilitres(VIAL, 4))
    # 28 days end with the 28th: opened on 11 January, of use on 25 January, gone by 8 February.
    assert [one.whole.get("acme/vial", 0) for one in seen(stock).outcomes] == [1, 0, 1, 0, 1]


def test_hours_count_only_between_sessions_that_have_a_time(stock):
    put(stock, HOURS, "L1", 10)
    for number, at in enumerate((None, None), start=1):
        booked(stock, f"S-000{number}", date(2027, 1, 11), 1, 7, millilitres(HOURS, 4), at=at)
    for number, at in enumerate((time(9), time(14, 59), time(15)), start=3):
        booked(stock, f"S-000{number}", date(2027, 1, 18), 1, 7, millilitres(HOURS, 2), at=at)
    assert [one.whole.get("acme/hours", 0) for one in seen(stock).outcomes] == [1, 1, 1, 0, 1]


def test_sharing_can_be_forbidden(stock):
    put(stock, VIAL, "L1", 10)
    for number in (1, 2):
        booked(stock, f"S-000{number}", date(2027, 1, 11), 1, 7, millilitres(VIAL, 4))
    assert seen(stock).whole == {"acme/vial": 1}
    assert seen(stock, sharing_forbidden=True).whole == {"acme/vial": 2}


def test_what_is_kept_apart_does_not_count_and_is_told(stock):
    put(stock, AMPOULE, "L1", 5)
    quarantine(stock, "acme/ampoule", "L1", order=Order("anna", "warm"))
    booked(stock, "S-0001", date(2027, 1, 11), 1, 7, ampoules(2))
    found = seen(stock)
    assert found.short[0].missing == 2
    assert found.notes == ("5 containers are quarantined or recalled, and not counted",)


def test_a_pick_serves_its_own_session_and_keeps_others_off(stock):
    put(stock, AMPOULE, "L1", 3)
    booked(stock, "S-0001", START, 1, 7, ampoules(2))
    booked(stock, "S-0002", date(2027, 1, 5), 1, 7, ampoules(2))
    pick(stock, [ampoules(2)], order=ANNA, reference="S-0001", lapses_after=timedelta(hours=1))
    short = seen(stock).short[0]
    assert (short.first_on, short.missing) == (date(2027, 1, 5), 1)


def test_a_pick_for_nobody_booked_keeps_until_it_lapses(stock):
    put(stock, AMPOULE, "L1", 3)
    booked(stock, "S-0001", date(2027, 1, 5), 1, 7, ampoules(2))
    booked(stock, "S-0002", date(2027, 1, 12), 1, 7, ampoules(1))
    pick(stock, [ampoules(2)], order=ANNA, reference="S-9999", lapses_after=timedelta(days=3))
    found = seen(stock)
    assert [(one.visit.reference, one.short) for one in found.outcomes] == [
        ("S-0001", {"acme/ampoule": 1}),
        ("S-0002", {}),
    ]


def test_a_session_that_passed_without_use_is_told_and_does_not_count(stock, clock):
    put(stock, AMPOULE, "L1", 1)
    booked(stock, "S-0001", date(2027, 1, 11), 2, 7, ampoules(1))
    clock.at(date(2027, 1, 12))
    found = seen(stock)
    assert (found.short, len(found.outcomes)) == ((), 1)
    assert found.notes[0].startswith("1 booked session has passed without a recorded use")


def test_a_product_that_nobody_knows_is_counted_by_containers(stock):
    booked(stock, "S-0001", date(2027, 1, 11), 2, 7, Want("acme/gone@1", containers=2, nanolitres=1))
    found = seen(stock)
    assert found.whole == {"acme/gone": 4}
    assert found.notes == ("acme/gone@1: no catalogue knows it; counted by containers alone",)
    assert found.purchases[0].packs is None


# ---- what to order -----------------------------------------------------------------------------------------


def orders(found: Forecast) -> list[tuple[Any, ...]]:
    return [(one.product, one.needed_on, one.order_by, one.containers, one.packs, one.late)
            for one in found.purchases]  # fmt: skip


def test_whole_packs_are_ordered_in_time_and_what_they_leave_over_counts(stock):
    put(stock, AMPOULE, "L1", 3)
    booked(stock, "S-0001", date(2027, 1, 11), 5, 14, ampoules(2))
    found = seen(stock, terms=Terms({"acme": 10, "acme/vial": 3}, lead_time=1))
    # Short by 1 on 25 January and by 2 on each of three days after: 7 in all, two packs of 5.
    assert orders(found) == [
        ("acme/ampoule", date(2027, 1, 25), date(2027, 1, 15), 1, 1, False),
        ("acme/ampoule", date(2027, 3, 8), date(2027, 2, 26), 2, 1, False),
    ]


def test_an_order_that_comes_too_late_is_told(stock):
    booked(stock, "S-0001", date(2027, 1, 11), 1, 7, ampoules(2))
    assert orders(seen(stock, terms=Terms({"acme/ampoule": 8, "acme": 1})))[0][-1] is True
    assert orders(seen(stock, terms=Terms({"acme": 7})))[0][2:] == (START, 2, 1, False)
    assert orders(seen(stock))[0][2] is None


def test_least_numbers_are_kept_up_even_of_what_nobody_booked(stock):
    put(stock, AMPOULE, "L1", 6, date(2027, 1, 31))
    set_level(stock, "acme/ampoule", 4, order=ANNA)
    booked(stock, "S-0001", date(2027, 1, 11), 2, 7, ampoules(2))
    found = seen(stock, until=date(2027, 3, 1))
    # 4 are left on 11 January, 2 on 18 January, and those expire with January.
    assert orders(found) == [
        ("acme/ampoule", date(2027, 1, 18), None, 2, 1, False),
    ]


def test_safety_stock_is_a_number_or_what_some_days_take(stock):
    put(stock, AMPOULE, "L1", 10)
    booked(stock, "S-0001", date(2027, 1, 11), 4, 7, ampoules(2))
    assert orders(seen(stock)) == []
    by_number = seen(stock, terms=Terms(safety_containers=3))
    assert orders(by_number) == [("acme/ampoule", date(2027, 2, 1), None, 1, 1, False)]
    put(stock, VIAL, "V1", 1)
    booked(stock, "S-0002", date(2027, 1, 12), 1, 7, millilitres(VIAL, 9))
    booked(stock, "S-0003", date(2027, 1, 22), 1, 7, millilitres(VIAL, 9))
    by_days = seen(stock, terms=Terms(safety_days=14))
    # From 8 January on, the second vial is among what 14 days take.
    assert orders(by_days) == [("acme/vial", date(2027, 1, 8), None, 1, 1, False)]


def test_what_a_course_takes_of_nothing_is_what_it_needs(stock, rules):
    visits = [
        Visit("S-0001", START + timedelta(days=14 * n), (millilitres(VIAL, 4), ampoules(2)), number=n)
        for n in range(4)
    ]
    assert totals(needed_by(stock, visits, rules=rules, products=PRODUCTS.get)) == {
        "acme/vial": 2,
        "acme/ampoule": 8,
    }


# ---- against the ledger ------------------------------------------------------------------------------------


def make_year(store: Store, courses: int, seed: int) -> None:
    """Fill a shelf and book courses at random: few enough lots that things expire and run short."""
    chosen = random.Random(seed)  # noqa: S311 (the same year every time)
    products = [AMPOULE, VIAL]
    for number in range(8):
        product = products[number % 2]
        expiry = START + timedelta(days=chosen.randrange(20, 500)) if chosen.random() < 0.9 else None
        put(store, product, f"L{number}", max(1, courses * chosen.randrange(1, 5) // 4), expiry)
    for number in range(courses):
        start = START + timedelta(days=chosen.randrange(0, 300))
        wants = [ampoules(chosen.randrange(1, 4)), millilitres(VIAL, chosen.randrange(1, 25))]
        chosen.shuffle(wants)
        at = chosen.choice([None, None, time(9), time(16, 30)])
        every, sessions = chosen.choice([7, 10, 14, 30]), chosen.randrange(1, 5)
        booked(store, f"S-{number:04}", start, sessions, every, *wants[: chosen.randrange(1, 3)], at=at)


def replay(store: Store, clock: Clock, rules: tuple[BeyondUseRule, ...]) -> tuple[Any, ...]:
    """Pick and use every booked session on its day; what is missing is received just before."""
    visits = [
        (one.on, course.at or time(12), of.reference, one.number, one.wants)
        for of in bookings(store)
        for course in of.courses
        for one in course.sessions
    ]
    short: Counter[tuple[str, date]] = Counter()
    whole: Counter[str] = Counter()
    delivered = 0
    for on, at, reference, _number, wants in sorted(visits, key=lambda one: one[:4]):
        clock.at(on, at)
        picked = None
        while picked is None:
            try:
                picked = pick(store, wants, order=ANNA, reference=reference)
            except ShortageError as err:
                for one in err.missing:
                    assert one.missing is not None
                    delivered += 1
                    product = PRODUCTS[one.product]
                    put(store, product, f"NEW{delivered}", one.missing)
                    short[product.id, on] += one.missing
        for line in picked.lines:
            for taken in line.taken:
                whole[taken.product.id] += taken.containers
        use_pick(store, picked.receipt.movement, rules=rules, order=ANNA)
    view = stock_view(store)
    left = {(one.product.id, one.lot): one.containers for one in view.on_hand}
    return dict(short), dict(whole), left


def agrees(path: Path, courses: int, seed: int, rules: tuple[BeyondUseRule, ...]) -> None:
    clock = Clock()
    with closing(open_stock(path, zone=PARIS, clock=clock)) as store:
        make_year(store, courses, seed)
        found = forecast(store, rules=rules, products=PRODUCTS.get)
        before = stock_view(store)
        expiring = {(one.product.id, one.lot): one.expiry for one in before.on_hand}
        short, whole, left = replay(store, clock, rules)
        told: Counter[tuple[str, date]] = Counter()
        for outcome in found.outcomes:
            for product, missing in outcome.short.items():
                told[product, outcome.visit.on] += missing
        assert dict(told) == short
        assert found.whole == whole
        assert {(one.product, one.lot): one.containers for one in found.unused} == {
            key: containers
            for key, containers in left.items()
            if (expiry := expiring.get(key)) is not None and expiry <= found.until
        }


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**9), courses=st.integers(1, 8))
def test_the_forecast_agrees_with_the_ledger(seed, courses, rules):
    with tempfile.TemporaryDirectory() as folder:
        agrees(Path(folder, "stock.sqlite"), courses, seed, rules)


@pytest.mark.slow
def test_the_forecast_of_500_courses_agrees_with_a_year_in_the_ledger(path, rules):
    agrees(path, 500, 1, rules)
