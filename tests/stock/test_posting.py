"""Late entries, counts that stay true, past days that stay possible, and requests that count once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.records import Delivery, MovementKind, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


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


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product()


def post(
    store: Store,
    containers: int,
    *,
    at: datetime | None = None,
    kind: MovementKind = MovementKind.ADJUST,
    counted: int | None = None,
    location: str = "main",
    request_id: str | None = None,
    reason: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> Receipt:
    """Post one line of lot L1."""

    def work(posting: Posting) -> None:
        lot = find_lot(posting.connection, "acme/c-500", "L1")
        posting.post(kind, [Entry(lot, location, containers, counted=counted)])

    order = Order("anna", reason, at, request_id)
    return carry_out(store, order, content or {"containers": containers}, work)


def there(store: Store, location: str = "main") -> int:
    return sum(one.containers for one in stock_view(store).on_hand if one.location == location)


@pytest.fixture
def full(stock: Store, product: Product, clock: Clock) -> Store:
    """Ten containers since the first of March; now it is the tenth."""
    receive(stock, [Delivery(product, "L1", 10, date(2028, 3, 31))], actor="anna")
    clock.now = START + timedelta(days=9)
    return stock


def test_a_late_entry_keeps_both_its_moments(full: Store, clock: Clock) -> None:
    happened = START + timedelta(days=2)
    receipt = post(full, -3, at=happened)
    found = movements_of(full, [receipt.movement])[0]
    assert (found.effective_at, found.recorded_at) == (happened, clock.now)
    assert there(full) == 7
    assert not verify(full).problems


def test_nothing_goes_below_zero_now(full: Store) -> None:
    with pytest.raises(ShortStockError) as error:
        post(full, -11)
    assert "10 containers are there, 11 asked for" in str(error.value)
    assert there(full) == 10


def test_nothing_goes_below_zero_at_the_end_of_a_past_day(full: Store, clock: Clock) -> None:
    post(full, -8, at=START + timedelta(days=1))
    post(full, 20, at=START + timedelta(days=5))
    with pytest.raises(ShortStockError) as error:
        post(full, -3, at=START + timedelta(days=3))
    assert "2026-03-04" in str(error.value)
    assert there(full) == 22
    post(full, -3, at=START + timedelta(days=5, hours=1))
    assert there(full) == 19


def test_a_past_day_ends_at_the_site(full: Store) -> None:
    """23:30 UTC is the next day in Paris: the day before still ends with what was there."""
    post(full, -10, at=datetime(2026, 3, 4, 22, 30, tzinfo=UTC))  # 23:30 on the fourth
    post(full, 5, at=datetime(2026, 3, 4, 23, 30, tzinfo=UTC))  # 00:30 on the fifth
    with pytest.raises(ShortStockError) as error:
        post(full, -2, at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    assert "2026-03-04" in str(error.value)


def test_the_order_within_a_past_day_does_not_matter(full: Store) -> None:
    post(full, -10, at=datetime(2026, 3, 4, 9, tzinfo=UTC))
    post(full, 4, at=datetime(2026, 3, 4, 15, tzinfo=UTC))
    post(full, -4, at=datetime(2026, 3, 4, 10, tzinfo=UTC))
    assert there(full) == 0


@pytest.mark.parametrize("change", [-3, 3])
def test_a_count_stays_true_whatever_is_recorded_late(full: Store, clock: Clock, change: int) -> None:
    counted_at = START + timedelta(days=5)
    post(full, -2, at=counted_at, kind=MovementKind.COUNT, counted=8)
    assert there(full) == 8

    receipt = post(full, change, at=START + timedelta(days=3))
    assert there(full) == 8
    found = {one.seq: one for one in movements_of(full, receipt.movements)}
    assert len(found) == 2
    compensation = next(one for one in found.values() if one.kind is MovementKind.COMPENSATION)
    assert compensation.cause == receipt.movement
    assert compensation.effective_at == counted_at
    assert [line.containers for line in compensation.lines] == [-change]
    assert not verify(full).problems


def test_only_the_first_count_after_a_late_entry_compensates_it(full: Store) -> None:
    for day, counted in ((4, 9), (6, 9)):
        post(full, counted - there(full), at=START + timedelta(days=day), kind=MovementKind.COUNT, counted=9)
    receipt = post(full, -1, at=START + timedelta(days=3))
    assert there(full) == 9
    assert len(receipt.movements) == 2


def test_what_happened_after_a_count_is_not_compensated(full: Store) -> None:
    post(full, 0, at=START + timedelta(days=4), kind=MovementKind.COUNT, counted=10)
    receipt = post(full, -1, at=START + timedelta(days=5))
    assert (there(full), len(receipt.movements)) == (9, 1)


def test_a_late_use_of_what_a_count_found_missing_is_possible(full: Store) -> None:
    """The shelf was empty when it was counted; the use that emptied it is recorded afterwards."""
    post(full, -10, at=START + timedelta(days=5), kind=MovementKind.COUNT, counted=0)
    receipt = post(full, -10, at=START + timedelta(days=3))
    assert (there(full), len(receipt.movements)) == (0, 2)
    assert not verify(full).problems


def test_a_count_elsewhere_compensates_nothing(full: Store) -> None:
    post(full, 4, kind=MovementKind.COUNT, counted=4, location="fridge")
    receipt = post(full, -1, at=START + timedelta(days=2))
    assert (there(full), there(full, "fridge"), len(receipt.movements)) == (9, 4, 1)


def test_a_repeated_request_names_all_that_it_did(full: Store) -> None:
    post(full, 0, at=START + timedelta(days=5), kind=MovementKind.COUNT, counted=10)
    first = post(full, -1, at=START + timedelta(days=3), request_id="r1", reason="forgotten")
    post(full, -2, at=START + timedelta(days=4))
    again = post(full, -1, at=START + timedelta(days=3), request_id="r1", reason="forgotten")
    assert (again.movement, again.movements, again.anchor) == (first.movement, first.movements, first.anchor)
    assert again.repeated
    assert there(full) == 10


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "other"},
        {"reason": None},
        {"at": START + timedelta(days=4)},
        {"at": None},
        {"content": {"containers": -2}},
    ],
)
def test_a_request_id_stands_for_one_request_only(full: Store, changed: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"at": START + timedelta(days=3), "reason": "forgotten"}
    post(full, -1, request_id="r1", **asked)
    with pytest.raises(OrderError) as error:
        post(full, -1, request_id="r1", **{**asked, **changed})
    assert [problem.code for problem in error.value.problems] == ["request"]
    assert there(full) == 9


def test_a_write_that_posts_nothing_is_refused(full: Store) -> None:
    with pytest.raises(OrderError):
        carry_out(full, Order("anna"), {}, lambda posting: None)


def test_a_write_that_fails_half_way_leaves_nothing(full: Store) -> None:
    def work(posting: Posting) -> None:
        lot = find_lot(posting.connection, "acme/c-500", "L1")
        posting.post(MovementKind.ADJUST, [Entry(lot, "main", -1)])
        posting.post(MovementKind.ADJUST, [Entry(lot, "main", -100)])

    with pytest.raises(ShortStockError):
        carry_out(full, Order("anna"), {}, work)
    assert (there(full), verify(full).movements) == (10, 1)


def test_movements_of_one_write_are_linked(full: Store) -> None:
    def work(posting: Posting) -> None:
        lot = find_lot(posting.connection, "acme/c-500", "L1")
        posting.post(MovementKind.ADJUST, [Entry(lot, "main", -1)])
        posting.post(MovementKind.ADJUST, [Entry(lot, "main", -2)], reason="of its own")

    receipt = carry_out(full, Order("anna", "together"), {}, work)
    first, second = movements_of(full, receipt.movements)
    assert (first.cause, second.cause) == (None, first.seq)
    assert (first.reason, second.reason) == ("together", "of its own")
