"""The stock as it stood on any day, and as it was known to stand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from mesoformula import Formulary, quantity
from mesoformula.clock import day_end, site_day
from mesoformula.errors import OrderError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.counting import open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.costs import Cost
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.facts import set_fact
from mesoformula.stock.lots.holding import quarantine, quarantine_opened, recall_lot, release_lot
from mesoformula.stock.lots.levels import set_level
from mesoformula.stock.moves.moving import adjust, move, waste
from mesoformula.stock.moves.moving_opened import move_opened, waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.mixing import Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened
from mesoformula.stock.picks.picking import Want, pick
from mesoformula.stock.picks.reservations import free
from mesoformula.stock.records import Assay, Delivery, LotFact, Order, StockView
from mesoformula.stock.views.past import stock_on
from mesoformula.stock.views.reading import stock_view

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 26, 8, tzinfo=UTC)
ANNA = Order("anna", "because")
EXPIRY = date(2028, 1, 31)
ID = "acme/c-500"


class Clock:
    """Tells the time that it was set to, a second later each time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(place: str, clock: Clock) -> Iterator[Store]:
    """A stock in Paris, on either database, whose time a test sets."""
    with open_stock(place, zone=PARIS, clock=clock) as store:
        yield store
        assert verify(store).problems == ()


@pytest.fixture
def multi(make_product: Callable[..., Product]) -> Product:
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    return make_product("multi", parts=(part,), doses=Doses.MULTI)


def held(view: StockView) -> StockView:
    """A view without what says when and from which head it was read."""
    return attrs.evolve(view, made_at=START, anchor=None)


def test_every_past_day_is_reproduced_whatever_happens_later(
    stock: Store, clock: Clock, make_product: Callable[..., Product], multi: Product, formulary: Formulary
) -> None:
    rules = formulary.beyond_use_rules()
    single = make_product()
    seen: dict[date, StockView] = {}
    picked: list[int] = []

    def evening() -> None:
        """Note what is there in the last minute of the day in Paris, and go on in the next morning."""
        today = site_day(clock.now, PARIS)
        clock.now = day_end(today, PARIS) - timedelta(seconds=30)
        seen[today] = stock_view(stock)
        clock.now += timedelta(hours=9)

    def deliver(lot: str, containers: int, product: Product = single, **more: Any) -> None:
        receive(stock, [Delivery(product, lot, containers, EXPIRY, **more)], actor="anna")

    deliver("L1", 10, supplier="Wholesale", unit_cost=100, currency="EUR", remark="one box torn")
    deliver("M1", 5, multi)
    set_level(stock, ID, 3, order=ANNA)
    evening()
    picked.append(pick(stock, [Want(ID, containers=2)], order=ANNA, reference="S-0001").receipt.movement)
    open_container(stock, "acme/multi", "M1", rules=rules, order=ANNA)
    deliver("L1", 2, location="fridge", unit_cost=120, currency="EUR")
    evening()
    free(stock, picked[0], order=ANNA)
    use(stock, ID, "L1", containers=1, location="main", reference="S-0001", order=ANNA)
    use_opened(stock, 1, volume=quantity("2", "mL"), reference="S-0002", order=ANNA)
    quarantine(stock, ID, "L1", location="fridge", order=ANNA)
    set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 5, 31), order=ANNA)
    set_fact(stock, ID, "L1", LotFact.ASSAY, Assay("sodium-ascorbate", "98.5", "as is"), order=ANNA)
    evening()
    inputs = [Whole("acme/multi", "M1", 1)]
    mix(stock, "cocktail", inputs, rules=rules, location="main", order=ANNA, volume=quantity("8", "mL"),
        keep=quantity("30", "day"))  # fmt: skip
    move(stock, ID, "L1", 4, location="main", to="van", order=ANNA)
    quarantine_opened(stock, 2, order=ANNA)
    set_fact(stock, ID, "L1", LotFact.COST, Cost(110, 110, "EUR", unpriced=False), order=ANNA)
    set_level(stock, ID, 8, order=ANNA)
    evening()
    recall_lot(stock, "acme/multi", "M1", order=ANNA)
    move_opened(stock, 1, to="van", order=ANNA)
    waste_opened(stock, 2, order=ANNA)
    adjust(stock, ID, "L1", -1, location="van", order=ANNA)
    evening()
    release_lot(stock, "acme/multi", "M1", order=ANNA)
    wasted = waste(stock, ID, "L1", 1, location="main", order=ANNA).movement
    counted = open_count(stock, location="van", order=ANNA).movement
    post_count(stock, counted, {1: 2}, order=ANNA)
    evening()
    for day, view in seen.items():
        assert held(stock_on(stock, day)) == held(view), day
    # What is learnt late changes what is known of the past, and not what was known then.
    late = Order("anna", "found in the diary", at=day_end(next(iter(seen)), PARIS) + timedelta(hours=10))
    waste(stock, ID, "L1", 1, location="main", order=late)
    reverse(stock, wasted, order=ANNA)
    for day, view in seen.items():
        known = stock_on(stock, day, recorded_until=day_end(day, PARIS))
        assert (held(known), known.anchor) == (held(view), view.anchor), day
    second = list(seen)[1]
    at_main = {one.location: one.containers for one in stock_on(stock, second).on_hand if one.lot == "L1"}
    assert at_main == {"main": 9, "fridge": 2}
    assert held(stock_on(stock, site_day(clock.now, PARIS))) == held(stock_view(stock))


def test_random_days_are_reproduced(store: Store, path: Path, make_product: Callable[..., Product]) -> None:
    chance = random.Random(7)  # noqa: S311
    clock = Clock()
    with open_stock(path, zone=PARIS, clock=clock) as stock:
        seen: dict[date, StockView] = {}
        receive(stock, [Delivery(make_product(), f"L{n}", 30, EXPIRY) for n in range(3)], actor="anna")
        for _day in range(12):
            for _write in range(chance.randint(0, 4)):
                lot, many = f"L{chance.randint(0, 2)}", chance.randint(1, 3)
                where = chance.choice([one.location for one in stock_view(stock).on_hand if one.lot == lot])
                do = chance.choice(
                    [
                        lambda lot=lot, many=many, where=where: move(
                            stock, ID, lot, many, location=where, to=chance.choice(["x", "y"]), order=ANNA
                        ),
                        lambda lot=lot, many=many, where=where: waste(
                            stock, ID, lot, many, location=where, order=ANNA
                        ),
                        lambda lot=lot, many=many: receive(
                            stock,
                            [Delivery(make_product(), lot, many, EXPIRY, unit_cost=many, currency="EUR")],
                            actor="anna",
                        ),
                    ]
                )
                try:
                    do()
                except OrderError:
                    continue  # more than is there, or to where it is
            today = site_day(clock.now, PARIS)
            clock.now = day_end(today, PARIS) - timedelta(seconds=30)
            seen[today] = stock_view(stock)
            clock.now += timedelta(hours=9)
        for day, view in seen.items():
            assert held(stock_on(stock, day)) == held(view)
        assert verify(stock).problems == ()


def test_days_end_with_the_sites_own_midnight(
    stock: Store, clock: Clock, make_product: Callable[..., Product]
) -> None:
    # On 29 March 2026 Paris puts its clocks forward: the day ends at 22:00 UTC, the one before at 23:00.
    for lot, hour in (("before", 22), ("after", 23)):
        clock.now = datetime(2026, 3, 28, hour, 30, tzinfo=UTC)
        receive(stock, [Delivery(make_product(), lot, 1, EXPIRY)], actor="anna")
    clock.now = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
    receive(stock, [Delivery(make_product(), "next", 1, EXPIRY)], actor="anna")
    assert [one.lot for one in stock_on(stock, date(2026, 3, 28)).on_hand] == ["before"]
    assert [one.lot for one in stock_on(stock, date(2026, 3, 29)).on_hand] == ["after", "before"]
    assert len(stock_on(stock, date(2026, 3, 30)).on_hand) == 3
    assert stock_on(stock, date(2026, 3, 27)).on_hand == ()


def test_a_day_to_come_is_refused(stock: Store, clock: Clock, make_product: Callable[..., Product]) -> None:
    receive(stock, [Delivery(make_product(), "L1", 1, EXPIRY)], actor="anna")
    with pytest.raises(OrderError, match="yet to come; expected 2026-03-26 or a day before"):
        stock_on(stock, date(2026, 3, 27))


def test_a_stock_that_does_not_exist_was_always_empty(store: Store, path: Path) -> None:
    view = stock_on(store, date(2020, 1, 1))
    assert (view.on_hand, view.opened, view.anchor, view.as_of) == ((), (), None, date(2020, 1, 1))
    assert not path.exists()


def test_what_was_still_in_an_opened_container_is_there_though_the_last_is_recorded_late(
    stock: Store, clock: Clock, multi: Product, formulary: Formulary
) -> None:
    rules = formulary.beyond_use_rules()
    receive(stock, [Delivery(multi, "M1", 1, EXPIRY)], actor="anna")
    open_container(stock, multi.id, "M1", rules=rules, order=ANNA)
    clock.now = START + timedelta(days=5)
    use_opened(stock, 1, volume=quantity("8", "mL"), reference="S-0001", order=Order("anna"))
    late = Order("anna", at=START + timedelta(days=2))
    use_opened(stock, 1, volume=quantity("2", "mL"), reference="S-0001", order=late)
    (one,) = stock_on(stock, site_day(START + timedelta(days=3), PARIS)).opened
    assert one.nanolitres == 8_000_000
    assert stock_on(stock, site_day(clock.now, PARIS)).opened == ()
    assert stock_view(stock).opened == ()
