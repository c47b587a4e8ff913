"""The least stock of products, and which of them are below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.errors import OrderError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.holding import quarantine, recall_lot
from mesoformula.stock.lots.levels import Below, Usable, below, clear_level, set_level, usable
from mesoformula.stock.records import Delivery, OnHand, Order, StockView
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
ANNA = Order("anna")
NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.fixture
def stock(place: str, make_product: Callable[..., Product]) -> Iterator[Store]:
    """Ten ampoules in three lots, of which one has expired, on either database."""
    with open_stock(place, zone=UTC, clock=lambda: NOW) as store:
        product = make_product()
        receive(
            store,
            [
                Delivery(product, "L1", 4, date(2027, 3, 31)),
                Delivery(product, "L2", 3, date(2027, 3, 31), location="fridge"),
                Delivery(product, "L3", 3, date(2026, 5, 3)),
            ],
            actor="anna",
        )
        yield store
        assert verify(store).problems == ()


def codes(error: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_level_is_set_changed_and_cleared(stock: Store) -> None:
    set_level(stock, ID, 5, order=ANNA)
    assert stock_view(stock).levels == ((ID, 5),)
    set_level(stock, ID, 8, order=ANNA)
    assert stock_view(stock).levels == ((ID, 8),)
    with pytest.raises(OrderError, match="is 8 already") as error:
        set_level(stock, ID, 8, order=ANNA)
    assert codes(error) == ["unchanged"]
    clear_level(stock, ID, order=ANNA)
    assert stock_view(stock).levels == ()
    with pytest.raises(OrderError, match="no least stock is set"):
        clear_level(stock, ID, order=ANNA)


def test_only_what_can_be_used_counts(stock: Store) -> None:
    set_level(stock, ID, 8, order=ANNA)
    assert below(stock_view(stock)) == (Below(ID, 7, 8),)
    set_level(stock, ID, 7, order=ANNA)
    assert below(stock_view(stock)) == ()
    quarantine(stock, ID, "L2", location="fridge", order=Order("anna", "warm"))
    assert below(stock_view(stock)) == ((ID, 4, 7),)
    recall_lot(stock, ID, "L1", order=ANNA)
    assert below(stock_view(stock)) == ((ID, 0, 7),)


def test_a_product_that_is_only_in_the_catalogue_may_have_a_level(path: Any) -> None:
    with open_stock(path) as store:
        with pytest.raises(OrderError, match=r"no product 'acme/d-1' .*; did you mean acme/d-10\?") as error:
            set_level(store, "acme/d-1", 2, order=ANNA, known={"acme/d-10"})
        assert codes(error) == ["product"]
        with pytest.raises(OrderError, match="no least stock is set"):
            clear_level(store, "acme/d-1", order=ANNA)
        assert not path.exists()
        set_level(store, " acme/d-10 ", 2, order=ANNA, known={"acme/d-10"})
        assert below(stock_view(store)) == (("acme/d-10", 0, 2),)


def test_revisions_of_a_product_count_together(stock: Store, make_product: Callable[..., Product]) -> None:
    receive(stock, [Delivery(attrs.evolve(make_product(), revision=2), "L9", 1, None)], actor="anna")
    assert usable(stock_view(stock)) == {ID: Usable(8, 0)}


@pytest.mark.parametrize("least", [0, -1, 1.5, True, "3", None, 10**9])
def test_a_level_is_a_whole_number_above_zero(stock: Store, least: Any) -> None:
    with pytest.raises(OrderError) as error:
        set_level(stock, ID, least, order=ANNA)
    assert codes(error) == ["containers"]


def test_a_level_counts_from_now_on(stock: Store) -> None:
    with pytest.raises(OrderError) as error:
        set_level(stock, ID, 3, order=Order("anna", at=NOW - timedelta(days=1)))
    assert codes(error) == ["at"]


@pytest.mark.parametrize(
    "text", ["", "a\nb", "\x1b[31m", "\udcff", "x" * 10_000, "'; DROP TABLE lot; --", "=1+1"]
)
def test_hostile_names_are_answered_in_one_line(stock: Store, text: str) -> None:
    for work in (
        lambda: set_level(stock, text, 1, order=ANNA),
        lambda: clear_level(stock, text, order=ANNA),
    ):
        with pytest.raises(OrderError) as error:
            work()
        assert len(str(error.value)) < 300
        assert str(error.value).isprintable()


def test_the_same_request_changes_nothing(stock: Store) -> None:
    first = set_level(stock, ID, 5, order=Order("anna", request_id="r1"))
    cleared = clear_level(stock, ID, order=Order("anna", request_id="r2"))
    assert set_level(stock, ID, 5, order=Order("anna", request_id="r1")).movement == first.movement
    assert clear_level(stock, ID, order=Order("anna", request_id="r2")).movement == cleared.movement
    assert stock_view(stock).levels == ()
    with pytest.raises(OrderError, match="says something else"):
        set_level(stock, ID, 6, order=Order("anna", request_id="r1"))


@given(
    entries=st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.integers(1, 9),
            st.sampled_from([None, date(2026, 5, 3), date(2026, 5, 4)]),
            st.booleans(),
            st.booleans(),
        )
    ),
    least=st.integers(1, 30),
)
def test_below_is_what_is_left_after_all_that_cannot_be_used(
    entries: list[Any], least: int, products: dict[str, Product]
) -> None:
    on_hand = tuple(
        OnHand(products[sku], "L", "main", n, expiry, NOW, quarantined=quarantined, recalled=recalled)
        for sku, n, expiry, quarantined, recalled in entries
    )
    levels = (("acme/a", least), ("acme/b", least))
    view = StockView(on_hand, date(2026, 5, 4), NOW, "here", None, levels=levels)
    there = dict.fromkeys("ab", 0)
    for sku, n, expiry, quarantined, recalled in entries:
        if expiry != date(2026, 5, 3) and not quarantined and not recalled:
            there[sku] += n
    expected = tuple((f"acme/{sku}", n, least) for sku, n in there.items() if n < least)
    assert below(view) == expected


@pytest.fixture(scope="module")
def products() -> dict[str, Product]:
    from mesoformula.products import ContainerKind, Form, Part, Vendor
    from mesoformula.sources import Source, SourceKind

    return {
        sku: Product(
            Vendor("acme", "Acme"),
            sku,
            sku,
            parts=(Part(ContainerKind.VIAL, Form.POWDER),),
            sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
        )
        for sku in "ab"
    }
