"""What earlier sessions of a reference took, for limits over a period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mesoformula import PastDose, quantity
from mesoformula.errors import OrderError
from mesoformula.products import ContainerKind, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.using import use
from mesoformula.stock.records import Delivery, Order
from mesoformula.stock.views.past_doses import past_doses

NOW = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)


@pytest.fixture
def full(path: Path, make_product: Callable[..., Product]) -> Iterator[Store]:
    """Ampoules of 5 mL, and vials of which nobody says how much is in them."""
    from zoneinfo import ZoneInfo

    store = open_stock(path, clock=lambda: NOW, zone=ZoneInfo("Europe/Paris"))
    vague = make_product("vague", parts=(Part(ContainerKind.VIAL, Form.SOLUTION),))
    deliveries = [Delivery(product, "L1", 10, date(2028, 5, 31)) for product in (make_product(), vague)]
    with store:
        receive(store, deliveries, actor="anna")
        yield store


def take(store: Store, product: str, containers: int, reference: str = "S-001") -> int:
    receipt = use(store, product, "L1", containers=containers, reference=reference, order=Order("anna"))
    return receipt.movement


def test_all_that_whole_containers_hold_counts_on_the_day_at_the_site(
    full: Store, make_product: Callable[..., Product]
) -> None:
    take(full, "acme/c-500", 2)
    assert past_doses(full, "S-001") == (PastDose(make_product(), quantity("10", "mL"), date(2026, 5, 5)),)


def test_other_references_do_not_count(full: Store) -> None:
    take(full, "acme/c-500", 2, "S-002")
    assert past_doses(full, "S-001") == ()


def test_what_was_taken_back_was_not_injected(full: Store) -> None:
    reverse(full, take(full, "acme/c-500", 2), order=Order("anna", "mistyped"))
    assert past_doses(full, "S-001") == ()


def test_a_volume_that_nobody_knows_makes_the_past_unknown(full: Store) -> None:
    take(full, "acme/c-500", 1)
    take(full, "acme/vague", 1)
    assert past_doses(full, "S-001") is None


def test_without_a_stock_nobody_knows(path: Path) -> None:
    with open_stock(path) as store:
        assert past_doses(store, "S-001") is None


def test_a_name_is_no_reference(full: Store) -> None:
    with pytest.raises(OrderError):
        past_doses(full, "Anna Smith")
