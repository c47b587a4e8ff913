"""What the stock says it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import attrs
import pytest

from mesoformula import Formulary, parse_strength, quantity
from mesoformula.contents import Content
from mesoformula.errors import LedgerError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.lots.facts import set_fact
from mesoformula.stock.lots.holding import quarantine, recall_lot
from mesoformula.stock.lots.levels import set_level
from mesoformula.stock.opened.mixing import Whole, mix
from mesoformula.stock.opened.using import use_opened
from mesoformula.stock.picks.picking import Want, pick
from mesoformula.stock.records import Delivery, LotFact, Order, StockView
from mesoformula.stock.views.reading import stock_view

TODAY = date(2026, 5, 4)
NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


@attrs.frozen
class Peptide:
    """What a plugin's class might hold."""

    sequence: str
    residues: int = 3


def test_a_stock_that_does_not_exist_is_empty_and_is_not_made(path: Path) -> None:
    with open_stock(path, zone=UTC, clock=lambda: NOW) as store:
        assert stock_view(store) == StockView((), TODAY, NOW, str(path), None)
        assert stock_view(store, as_of=date(2026, 1, 1)).as_of == date(2026, 1, 1)
    assert not path.exists()


def test_lots_stand_in_the_order_in_which_they_are_looked_for(
    store: Store, make_product: Callable[..., Product]
) -> None:
    first, second = make_product("a"), make_product("b")
    newer = make_product("a", revision=2)
    deliveries = [
        Delivery(second, "B", 1, date(2026, 1, 1)),
        Delivery(first, "none", 1, None),
        Delivery(first, "late", 1, date(2028, 1, 1)),
        Delivery(newer, "soon", 1, date(2026, 6, 1)),
        Delivery(first, "soon-2", 1, date(2026, 6, 1)),
        Delivery(first, "soon-1", 1, date(2026, 6, 1), location="z"),
        Delivery(first, "soon-1", 1, date(2026, 6, 1), location="c"),
    ]
    receive(store, deliveries, actor="anna")
    on_hand = stock_view(store, as_of=TODAY).on_hand
    assert [(entry.product.pinned_id, entry.lot, entry.location) for entry in on_hand] == [
        ("acme/a@1", "soon-1", "c"),
        ("acme/a@1", "soon-1", "z"),
        ("acme/a@1", "soon-2", "main"),
        ("acme/a@1", "late", "main"),
        ("acme/a@1", "none", "main"),
        ("acme/a@2", "soon", "main"),
        ("acme/b@1", "B", "main"),
    ]


def test_the_view_is_made_in_utc_and_its_day_is_the_sites(path: Path) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    with open_stock(path, zone=timezone(timedelta(hours=14)), clock=lambda: local) as store:
        view = stock_view(store)
    assert (view.made_at, view.made_at.tzinfo) == (NOW, UTC)
    assert view.as_of == date(2026, 5, 5)


def test_everything_that_holds_of_a_lot_is_read(
    any_store: Store, make_product: Callable[..., Product]
) -> None:
    product, anna = make_product(), Order("anna", "because")
    receive(
        any_store, [Delivery(product, "L1", 5, date(2099, 1, 1), unit_cost=100, currency="EUR")], actor="a"
    )
    receive(any_store, [Delivery(product, "L1", 2, date(2099, 1, 1), location="fridge")], actor="a")
    pick(any_store, [Want(product.id, containers=2)], order=anna, reference="S-0001", location="main")
    quarantine(any_store, product.id, "L1", location="fridge", order=anna)
    set_fact(any_store, product.id, "L1", LotFact.REMARK, "one box torn", order=anna)
    set_level(any_store, product.id, 9, order=anna)
    view = stock_view(any_store)
    fridge, main = view.on_hand
    assert (main.reserved, fridge.reserved) == (2, 0)
    assert (main.quarantined, fridge.quarantined) == (False, True)
    assert (main.unit_cost, main.cost_range, main.partly_priced) == (None, (100, 100), True)
    assert main.remark == "one box torn"
    assert view.levels == ((product.id, 9),)
    recall_lot(any_store, product.id, "L1", order=anna)
    assert all(entry.recalled for entry in stock_view(any_store).on_hand)


def test_a_mixture_expires_with_the_first_lot_in_it_and_is_held_with_any(
    any_store: Store, make_product: Callable[..., Product], formulary: Formulary
) -> None:
    anna = Order("anna", "because")
    deliveries = [
        Delivery(make_product(), "early", 1, date(2098, 1, 1)),
        Delivery(make_product(), "late", 1, date(2099, 1, 1)),
    ]
    receive(any_store, deliveries, actor="anna")
    mix(
        any_store,
        "cocktail",
        [Whole("acme/c-500", "early", 1), Whole("acme/c-500", "late", 1)],
        rules=formulary.beyond_use_rules(),
        location="main",
        order=anna,
        volume=quantity("10", "mL"),
        reference="S-0001",
    )
    use_opened(any_store, 1, volume=quantity("4", "mL"), reference="S-0001", order=anna)
    (one,) = stock_view(any_store).opened
    assert (one.product, one.lot, one.name) == (None, None, "cocktail")
    assert (one.supplied_nanolitres, one.nanolitres) == (10_000_000, 6_000_000)
    assert (one.expiry, one.sessions) == (date(2098, 1, 1), ("S-0001",))
    assert (one.quarantined, one.recalled) == (False, False)
    recall_lot(any_store, "acme/c-500", "late", order=anna)
    assert stock_view(any_store).opened[0].recalled


def test_a_product_of_a_plugin_that_is_gone_stays_readable(
    path: Path, make_product: Callable[..., Product]
) -> None:
    content = Content(
        ingredient_class="peptide", strength=parse_strength("1 mg/mL"), attributes=Peptide("GHK")
    )
    product = make_product()
    product = attrs.evolve(product, parts=(attrs.evolve(product.parts[0], composition=(content,)),))
    with open_stock(path, classes={"peptide": Peptide}) as store:
        receive(store, [Delivery(product, "L1", 1, None)], actor="anna")
        assert stock_view(store, as_of=TODAY).on_hand[0].product == product
    with open_stock(path) as store:
        kept = stock_view(store, as_of=TODAY).on_hand[0].product
        assert kept.parts[0].composition[0].attributes == {"class": "peptide", "sequence": "GHK"}
        receive(store, [Delivery(kept, "L2", 1, None)], actor="anna")
    with open_stock(path, classes={"peptide": Peptide}) as store:
        assert {entry.product for entry in stock_view(store, as_of=TODAY).on_hand} == {product}


@pytest.mark.parametrize("change", ["replace(record, '500', '600')", "'{}'", "'not JSON'"])
def test_a_product_record_that_was_changed_is_not_believed(
    path: Path, make_product: Callable[..., Product], change: str
) -> None:
    with open_stock(path) as store:
        receive(store, [Delivery(make_product(), "L1", 1, None)], actor="anna")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER product_record_guards_update")
        raw.execute(f"UPDATE product_record SET record = {change}")  # noqa: S608
    with open_stock(path) as store, pytest.raises(LedgerError, match="run verify"):
        stock_view(store, as_of=TODAY)


@pytest.mark.parametrize("change", ["expiry = 'never'", "received_at = 9000000000000000000"])
def test_a_day_or_moment_that_is_none_is_said(
    store: Store, path: Path, make_product: Callable[..., Product], change: str
) -> None:
    receive(store, [Delivery(make_product(), "L1", 1, None)], actor="anna")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(f"UPDATE lot_state SET {change}")  # noqa: S608
    with pytest.raises(LedgerError, match="run verify"):
        stock_view(store, as_of=TODAY)


@pytest.mark.parametrize("microseconds", [0, 1, -1, 1_777_890_600_123_456, 4_102_444_800_000_000 - 1])
def test_moments_are_kept_to_the_microsecond(microseconds: int) -> None:
    assert from_moment(to_moment(microseconds)) == microseconds


def test_a_moment_is_the_same_in_every_zone() -> None:
    assert from_moment(NOW) == from_moment(NOW.astimezone(timezone(timedelta(hours=-5))))
