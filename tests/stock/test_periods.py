"""The movements of a period are counted and read, some at a time, as they stood at the head of the chain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from mesoformula.errors import OrderError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import statements
from mesoformula.stock.database.store import Store
from mesoformula.stock.moves.moving import waste
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.records import Delivery, Order
from mesoformula.stock.views.periods import last_suppliers, period

ANNA = Order("anna", "because")


@pytest.fixture
def filled(any_store: Store, make_product: Callable[..., Product]) -> Store:
    """Four deliveries on four days, the second of two lines."""
    product = make_product()
    for day in (1, 2, 3, 4):
        at = datetime(2026, 3, day, 23, 30, tzinfo=UTC)
        receive(
            any_store,
            [
                Delivery(product, f"L{day}{n}", 5, date(2099, 1, 31), received_at=at, supplier=f"from {day}")
                for n in range(2 if day == 2 else 1)
            ],
            actor="anna",
        )
    return any_store


def seqs(store: Store, since: int | None, until: int | None, through: int = 99) -> list[int]:
    days = [date(2026, 3, day) if day is not None else None for day in (since, until)]
    return [one.seq for one in period(store, days[0], days[1], through).read()]


def test_a_period_is_of_whole_days_at_the_site(filled: Store) -> None:
    every = seqs(filled, None, None)

    assert seqs(filled, 1, 4) == every
    assert seqs(filled, None, 2) + seqs(filled, 3, None) == every
    assert seqs(filled, 2, 2) == [2]
    assert seqs(filled, 5, 9) == []


def test_as_many_lines_are_counted_as_are_read(filled: Store) -> None:
    for since, until in ((None, None), (date(2026, 3, 2), date(2026, 3, 3)), (date(2026, 3, 5), None)):
        asked = period(filled, since, until, 99)

        assert asked.count_lines() == sum(max(1, len(one.lines)) for one in asked.read())


def test_what_is_recorded_later_does_not_count(filled: Store, make_product: Callable[..., Product]) -> None:
    before = period(filled, None, None, 3)
    told = list(before.read())
    reverse(filled, 3, order=ANNA)

    assert list(before.read()) == told
    assert [one.reversed_by for one in told] == [None] * 3
    assert list(period(filled, None, None, 99).read())[2].reversed_by is not None


def test_it_is_read_in_batches_and_as_often_as_wanted(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = period(filled, None, None, 99)
    whole = list(asked.read())
    monkeypatch.setattr(statements, "_BATCH", 2)

    assert list(asked.read()) == whole
    assert next(asked.read()) == whole[0]


def test_a_stock_that_is_not_there_has_no_movements(any_store: Store) -> None:
    asked = period(any_store, None, None, 99)

    assert (asked.count_lines(), list(asked.read())) == (0, [])
    assert last_suppliers(any_store, ["acme/c-500"]) == {}


def test_a_period_that_ends_before_it_begins_is_refused(any_store: Store) -> None:
    with pytest.raises(OrderError, match="ends before it begins"):
        period(any_store, date(2026, 3, 2), date(2026, 3, 1), 1)


def test_the_last_supplier_is_who_delivered_last_also_when_nothing_is_left(
    filled: Store, make_product: Callable[..., Product]
) -> None:
    receive(filled, [Delivery(make_product("d-1"), "X", 1, date(2099, 1, 31))], actor="anna")
    waste(filled, "acme/c-500", "L40", 5, order=ANNA)

    assert last_suppliers(filled, ["acme/c-500", "acme/d-1", "acme/none"]) == {"acme/c-500": "from 4"}
