"""What the stock is worth and what was wasted, to the cent and never more than is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mesoformula import Formulary, quantity
from mesoformula.errors import OrderError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.costs import Cost
from mesoformula.stock.lots.facts import set_fact
from mesoformula.stock.moves.moving import waste
from mesoformula.stock.moves.moving_opened import waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use
from mesoformula.stock.records import Delivery, LotFact, Order
from mesoformula.stock.views.worth import LotWorth, Sum, total, totals_by, worth

ANNA = Order("anna", "because")
EXPIRY = date(2028, 1, 31)
ID = "acme/c-500"


class Clock:
    """Tells the time that it was set to, a second later each time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(place: str, clock: Clock) -> Iterator[Store]:
    """A stock on either database, whose time a test sets."""
    with open_stock(place, zone=UTC, clock=clock) as store:
        yield store


@pytest.fixture
def deliver(stock: Store, make_product: Callable[..., Product]) -> Callable[..., None]:
    def call(lot: str, containers: int, cost: int | None, currency: str = "EUR", **more: Any) -> None:
        product = more.pop("product", None) or make_product()
        money = {} if cost is None else {"unit_cost": cost, "currency": currency}
        receive(stock, [Delivery(product, lot, containers, EXPIRY, **money, **more)], actor="anna")

    return call


def figures(parts: tuple[LotWorth, ...]) -> list[tuple[str, int, int | None, int | None, str | None]]:
    return [(one.lot, one.containers, one.low, one.high, one.currency) for one in parts]


def test_each_lot_counts_at_what_it_cost_and_currencies_are_never_added_up(
    stock: Store, deliver: Callable[..., None], make_product: Callable[..., Product]
) -> None:
    other = make_product("other", vendor=Vendor("belle", "Belle"))
    deliver("L1", 10, 125)
    deliver("L1", 5, 125, location="fridge")
    deliver("L2", 2, 150)
    deliver("J1", 3, 1000, "JPY", product=other)
    found = worth(stock)
    assert figures(found.on_hand) == [
        ("L1", 15, 1875, 1875, "EUR"),
        ("L2", 2, 300, 300, "EUR"),
        ("J1", 3, 3000, 3000, "JPY"),
    ]
    assert total(found.on_hand) == (Sum("EUR", 2175, 2175), Sum("JPY", 3000, 3000))
    assert totals_by(found.on_hand, lambda one: one.product.vendor.id) == (
        ("acme", (Sum("EUR", 2175, 2175),)),
        ("belle", (Sum("JPY", 3000, 3000),)),
    )
    assert (found.wasted, found.rests) == ((), ())


def test_what_has_no_price_makes_a_total_at_least(stock: Store, deliver: Callable[..., None]) -> None:
    deliver("L1", 10, 100)
    deliver("L2", 3, None)
    found = worth(stock).on_hand
    assert figures(found) == [("L1", 10, 1000, 1000, "EUR"), ("L2", 3, None, None, None)]
    assert found[1].why == "it came without a price"
    assert total(found) == (Sum("EUR", 1000, None),)


def test_a_lot_that_came_at_two_prices_is_worth_something_in_between(
    stock: Store, deliver: Callable[..., None]
) -> None:
    deliver("L1", 10, 100)
    deliver("L1", 10, 120)
    use(stock, ID, "L1", containers=12, reference="S-0001", order=ANNA)
    (one,) = worth(stock).on_hand
    # Eight are left: all of the cheap ones, all of the dear ones, or anything in between.
    assert (one.low, one.high) == (800, 960)
    assert one.why is not None
    assert "receipts differ in cost" in one.why
    assert total([one]) == (Sum("EUR", 800, 960),)
    set_fact(stock, ID, "L1", LotFact.COST, Cost(110, 110, "EUR", unpriced=False), order=ANNA)
    assert figures(worth(stock).on_hand) == [("L1", 8, 880, 880, "EUR")]


@pytest.mark.parametrize("prices", [(100, None), (100, 120, None)])
def test_a_lot_of_which_some_came_without_a_price_may_be_worth_nothing_that_is_known(
    stock: Store, deliver: Callable[..., None], prices: tuple[int | None, ...]
) -> None:
    for price in prices:
        deliver("L1", 10, price)
    (one,) = worth(stock).on_hand
    assert (one.low, one.high, one.currency) == (0, None, "EUR")
    assert one.why == "some of it came without a price"


def test_what_was_wasted_is_told_by_period_and_rests_without_a_value(
    stock: Store, clock: Clock, deliver: Callable[..., None], formulary: Formulary, make_product: Any
) -> None:
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    multi = make_product("multi", parts=(part,), doses=Doses.MULTI)
    deliver("L1", 10, 125)
    deliver("M1", 3, 200, product=multi)
    waste(stock, ID, "L1", 1, order=ANNA)
    clock.now += timedelta(days=1)
    waste(stock, ID, "L1", 2, order=ANNA)
    taken_back = waste(stock, ID, "L1", 3, order=ANNA).movement
    reverse(stock, taken_back, order=ANNA)
    open_container(stock, "acme/multi", "M1", rules=formulary.beyond_use_rules(), order=ANNA)
    waste_opened(stock, 1, volume=quantity("2.5", "mL"), order=ANNA)
    everything = worth(stock)
    assert figures(everything.wasted) == [("L1", 3, 375, 375, "EUR")]
    assert [(one.opened, one.nanolitres, one.lot) for one in everything.rests] == [(1, 2_500_000, "M1")]
    # The opened vial is spent: two of three are left.
    assert figures(everything.on_hand) == [("L1", 7, 875, 875, "EUR"), ("M1", 2, 400, 400, "EUR")]
    first, second = date(2026, 3, 2), date(2026, 3, 3)
    assert figures(worth(stock, until=first).wasted) == [("L1", 1, 125, 125, "EUR")]
    assert figures(worth(stock, since=second).wasted) == [("L1", 2, 250, 250, "EUR")]
    assert worth(stock, until=first).rests == ()
    assert figures(worth(stock, day=first).on_hand) == [
        ("L1", 9, 1125, 1125, "EUR"),
        ("M1", 3, 600, 600, "EUR"),
    ]


def test_a_period_that_ends_before_it_begins_is_refused(stock: Store) -> None:
    with pytest.raises(OrderError, match="ends before it begins"):
        worth(stock, since=date(2026, 3, 3), until=date(2026, 3, 2))


def test_nothing_is_worth_nothing(store: Store) -> None:
    found = worth(store)
    assert (found.on_hand, found.wasted, found.rests, found.anchor) == ((), (), (), None)
    assert total(found.on_hand) == ()
