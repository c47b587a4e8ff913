"""What was recorded is read back as it was said, and found by everything that it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.moves.moving import waste
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.using import use
from mesoformula.stock.records import Delivery, Movement, MovementKind, MovementLine, Order
from mesoformula.stock.views.history import Asked, Found, find_movements, movements_of, products_with

ANNA = Order("anna", "because")


def numbers(found: Found) -> list[int]:
    return [one.seq for one in found.movements]


def test_a_movement_is_read_back_as_it_was_said(
    any_store: Store, make_product: Callable[..., Product]
) -> None:
    product = make_product()
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    delivery = Delivery(
        product,
        "L1",
        5,
        date(2099, 1, 31),
        supplier="Wholesale",
        unit_cost=125,
        currency="EUR",
        received_at=at,
        remark="one box torn",
        device="05060131261973",
        serial="S1",
    )
    receipt = receive(any_store, [delivery], actor="anna", request_id="r1", reason="ordered by phone")
    (found,) = movements_of(any_store, [1, 99])
    assert found == Movement(
        seq=1,
        kind=MovementKind.RECEIPT,
        effective_at=at,
        recorded_at=found.recorded_at,
        actor="anna",
        anchor=receipt.anchor,
        lines=(
            MovementLine(
                1,
                product,
                "L1",
                "main",
                5,
                device="05060131261973",
                serial="S1",
                supplier="Wholesale",
                unit_cost=125,
                currency="EUR",
                remark="one box torn",
            ),
        ),
        reason="ordered by phone",
        request_id="r1",
    )
    assert found.recorded_at > at


def test_a_movement_that_was_taken_back_says_by_which(
    any_store: Store, make_product: Callable[..., Product]
) -> None:
    receive(any_store, [Delivery(make_product(), "L1", 5, None)], actor="anna")
    wasted = waste(any_store, "acme/c-500", "L1", 1, order=ANNA).movement
    back = reverse(any_store, wasted, order=ANNA).movement
    first, second = movements_of(any_store, [wasted, back])
    assert (first.reversed_by, second.reverses) == (back, wasted)


@pytest.fixture
def filled(any_store: Store, make_product: Callable[..., Product]) -> Store:
    """Ten receipts, by two people, of two products."""
    for n in range(10):
        product = make_product("a" if n % 2 else "b")
        receive(any_store, [Delivery(product, f"L{n}", 1, None)], actor="anna" if n < 5 else "ben")
    return any_store


def test_the_newest_are_kept_and_the_others_counted(filled: Store) -> None:
    found = find_movements(filled, Asked(), limit=3)
    assert (numbers(found), found.more) == ([8, 9, 10], 7)
    assert find_movements(filled, Asked(), limit=10).more == 0
    assert numbers(find_movements(filled, Asked())) == list(range(1, 11))


def test_everything_that_is_asked_for_must_hold(filled: Store) -> None:
    assert numbers(find_movements(filled, Asked(actor="anna", product="acme/a"))) == [2, 4]
    assert numbers(find_movements(filled, Asked(actor="ben", product="acme/a@1"))) == [6, 8, 10]
    assert numbers(find_movements(filled, Asked(product="acme/a@2"))) == []
    assert numbers(find_movements(filled, Asked(lots=(1, 3), actor="anna"))) == [1, 3]
    assert numbers(find_movements(filled, Asked(reference="S-0001"))) == []
    use(filled, "acme/a", "L1", containers=1, reference="S-0001", order=ANNA)
    assert numbers(find_movements(filled, Asked(reference="S-0001"))) == [11]
    hostile = "' OR 1=1 --"
    assert find_movements(filled, Asked(actor=hostile, product=hostile, reference=hostile)) == Found(())


def test_a_period_is_that_of_what_happened_not_of_when_it_was_recorded(
    any_store: Store, make_product: Callable[..., Product]
) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    for n in (2, 0, 1):
        delivery = Delivery(make_product(), f"L{n}", 1, None, received_at=start + timedelta(days=n))
        receive(any_store, [delivery], actor="anna")
    day = timedelta(days=1)
    assert numbers(find_movements(any_store, Asked(since=start + day))) == [1, 3]
    assert numbers(find_movements(any_store, Asked(until=start + day))) == [2]
    assert numbers(find_movements(any_store, Asked(since=start + day, until=start + 2 * day))) == [3]


def test_a_lot_number_tells_its_products(filled: Store) -> None:
    with filled.reading() as connection:
        assert connection is not None
        assert products_with(connection, "L1") == (["acme/a"], ())
        found, close = products_with(connection, "L10")
        assert found == []
        assert "L1" in close


def test_a_stock_that_does_not_exist_has_no_history(path: Path) -> None:
    with open_stock(path) as store:
        assert find_movements(store, Asked(), limit=5) == Found(())
        assert movements_of(store, [1]) == ()
    assert not path.exists()
