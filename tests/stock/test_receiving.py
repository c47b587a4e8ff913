"""Deliveries: what is recorded, what is refused, and that it is all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest

from mesoformula.errors import ReceiptError, StockError
from mesoformula.products import Product, Vendor
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.holding import quarantine, recall_lot
from mesoformula.stock.records import Anchor, Delivery, OnHand, Order, Receipt
from mesoformula.stock.views.reading import stock_view

TODAY = date(2026, 5, 4)
NOW = datetime(2026, 5, 4, 10, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """A stock that does not exist yet, at a moment that stands still."""
    with open_stock(path, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def product(make_product: Callable[..., Product]) -> Product:
    return make_product()


@pytest.fixture
def delivery(product: Product) -> Delivery:
    return Delivery(product, "L1", 10, date(2027, 3, 31))


def on_hand(store: Store) -> tuple[OnHand, ...]:
    return stock_view(store, as_of=TODAY).on_hand


def codes(error: pytest.ExceptionInfo[ReceiptError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_what_is_received_is_on_hand(store: Store, product: Product) -> None:
    full = Delivery(
        product,
        "L1",
        10,
        date(2027, 3, 31),
        location="fridge",
        supplier="Wholesale",
        unit_cost=1250,
        currency="EUR",
        remark="one box dented",
    )
    receipt = receive(store, [full], actor="anna")
    assert (receipt.movement, receipt.anchor.seq, receipt.repeated) == (1, 1, False)
    assert on_hand(store) == (
        OnHand(product, "L1", "fridge", 10, date(2027, 3, 31), NOW, "Wholesale", 1250, "EUR"),
    )
    assert stock_view(store, as_of=TODAY).anchor == receipt.anchor
    assert verify(store).problems == ()


def test_one_receipt_is_one_movement_with_a_line_for_each_delivery(
    store: Store, delivery: Delivery, make_product: Callable[..., Product]
) -> None:
    second = Delivery(make_product("other"), "L1", 1, None)
    first = receive(store, [delivery, second, delivery], actor="anna")
    then = receive(store, [delivery], actor="anna")
    assert (first.movement, then.movement) == (1, 2)
    assert [(entry.product.sku, entry.containers) for entry in on_hand(store)] == [
        ("c-500", 30),
        ("other", 1),
    ]


def test_the_same_lot_in_two_places_is_one_lot(store: Store, delivery: Delivery) -> None:
    elsewhere = attrs.evolve(delivery, location="fridge", containers=2)
    receive(store, [delivery, elsewhere], actor="anna")
    assert [(entry.location, entry.containers) for entry in on_hand(store)] == [("fridge", 2), ("main", 10)]


def test_an_expired_lot_can_be_recorded(store: Store, delivery: Delivery) -> None:
    receive(store, [attrs.evolve(delivery, expiry=date(2020, 1, 1))], actor="anna")
    assert on_hand(store)[0].expiry == date(2020, 1, 1)


def test_blanks_around_names_are_taken_off(store: Store, delivery: Delivery) -> None:
    padded = attrs.evolve(delivery, lot="  L1 ", location=" main ", supplier=" W ")
    receive(store, [delivery, padded], actor="anna")
    assert [(entry.lot, entry.location, entry.supplier) for entry in on_hand(store)] == [("L1", "main", "W")]


def test_the_moment_of_arrival_is_kept_apart_from_that_of_recording(
    store: Store, delivery: Delivery, path: Path
) -> None:
    arrived = datetime(2026, 5, 1, 9, 0, tzinfo=timezone(timedelta(hours=2)))
    receive(store, [attrs.evolve(delivery, received_at=arrived)], actor="anna")
    assert on_hand(store)[0].received_at == datetime(2026, 5, 1, 7, 0, tzinfo=UTC)
    with closing(sqlite3.connect(path)) as raw:
        moments = raw.execute("SELECT effective_at, recorded_at FROM movement").fetchone()
    assert moments == (1777618800000000, 1777890600123456)


def test_a_lots_first_arrival_may_be_recorded_later(store: Store, delivery: Delivery) -> None:
    receive(store, [delivery], actor="anna")
    earlier = NOW - timedelta(days=3)
    receive(store, [attrs.evolve(delivery, received_at=earlier, supplier="W")], actor="anna")
    assert (on_hand(store)[0].received_at, on_hand(store)[0].supplier) == (earlier, "W")
    assert verify(store).problems == ()


def test_a_lot_that_was_bought_at_two_prices_costs_a_range(store: Store, delivery: Delivery) -> None:
    for cost in (100, 90, 120):
        receive(store, [attrs.evolve(delivery, unit_cost=cost, currency="EUR")], actor="anna")
    found = on_hand(store)[0]
    assert (found.unit_cost, found.cost_range, found.currency) == (None, (90, 120), "EUR")


def test_a_price_is_not_that_of_what_came_without_one(store: Store, delivery: Delivery) -> None:
    receive(store, [attrs.evolve(delivery, unit_cost=100, currency="EUR")], actor="anna")
    assert (on_hand(store)[0].unit_cost, on_hand(store)[0].cost_range) == (100, None)
    receive(store, [delivery], actor="anna")
    found = on_hand(store)[0]
    assert (found.unit_cost, found.cost_range, found.currency) == (None, (100, 100), "EUR")


@pytest.mark.parametrize("together", [True, False])
def test_a_lot_is_never_priced_in_two_currencies(store: Store, delivery: Delivery, together: bool) -> None:
    euros = attrs.evolve(delivery, unit_cost=100, currency="EUR")
    dollars = attrs.evolve(delivery, unit_cost=100, currency="USD")
    if not together:
        receive(store, [euros], actor="anna")
    with pytest.raises(ReceiptError) as error:
        receive(store, [euros, dollars] if together else [dollars], actor="anna")
    assert codes(error) == ["currency"]
    assert sum(entry.containers for entry in on_hand(store)) == (0 if together else 10)


def test_the_same_pack_cannot_arrive_twice(store: Store, delivery: Delivery) -> None:
    pack = attrs.evolve(delivery, device="05060131261973", serial="S1")
    with pytest.raises(ReceiptError) as error:
        receive(store, [pack, attrs.evolve(pack, lot="L2")], actor="anna")
    assert (codes(error), error.value.problems[0].line) == (["serial"], 2)
    receive(store, [pack], actor="anna")
    with pytest.raises(ReceiptError) as error:
        receive(store, [pack], actor="anna")
    assert codes(error) == ["serial"]
    receive(store, [attrs.evolve(pack, device="00000000000017")], actor="anna")
    assert not verify(store).problems


def test_a_serial_number_without_its_gtin_is_refused(store: Store, delivery: Delivery) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [attrs.evolve(delivery, serial="S1")], actor="anna")
    assert codes(error) == ["serial"]


def test_a_lot_keeps_the_product_record_that_it_was_first_received_with(
    store: Store, delivery: Delivery
) -> None:
    corrected = attrs.evolve(delivery.product, name="Vitamin C", corrected="name")
    receive(store, [delivery], actor="anna")
    receive(store, [attrs.evolve(delivery, product=corrected)], actor="anna")
    receive(store, [attrs.evolve(delivery, product=corrected, lot="L2")], actor="anna")
    assert [(entry.lot, entry.containers, entry.product) for entry in on_hand(store)] == [
        ("L1", 20, delivery.product),
        ("L2", 10, corrected),
    ]


def test_a_new_revision_of_a_product_has_lots_of_its_own(store: Store, delivery: Delivery) -> None:
    newer = attrs.evolve(delivery.product, revision=2)
    receive(store, [delivery, attrs.evolve(delivery, product=newer, expiry=None)], actor="anna")
    assert [(entry.product.revision, entry.expiry) for entry in on_hand(store)] == [
        (1, date(2027, 3, 31)),
        (2, None),
    ]


@pytest.mark.parametrize("other", [date(2027, 4, 30), None])
def test_receiving_never_changes_the_expiry_of_a_lot(
    store: Store, delivery: Delivery, other: date | None
) -> None:
    receive(store, [delivery], actor="anna")
    with pytest.raises(ReceiptError, match="2027-03-31") as error:
        receive(store, [attrs.evolve(delivery, expiry=other)], actor="anna")
    assert codes(error) == ["expiry"]
    both = [attrs.evolve(delivery, lot="L2"), attrs.evolve(delivery, lot="L2", expiry=other)]
    with pytest.raises(ReceiptError, match=r"delivery 2: .* stands in delivery 1"):
        receive(store, both, actor="anna")
    assert [(entry.lot, entry.containers) for entry in on_hand(store)] == [("L1", 10)]


HOSTILE = {
    "lot": [
        "", "   ", "L\x001", "L\n1", "L1\r", "\x1dL1", "\x1b[31mred", "L\u200b1", "L\u202e1", "\ud800",
        "\ufeffL1", "x" * 101, "x" * 10_000, None, 7, b"L1",
    ],
    "containers": [0, -1, 1_000_001, 2.5, 2.0, "3", True, None, 10**30],
    "expiry": [
        date(1900, 1, 1), date(1999, 12, 31), date(2101, 1, 1), date(9999, 12, 31), NOW, "2027-01-01", 2027,
    ],
    "location": ["", "\t", "x" * 101, None],
    "supplier": ["", "\n", "x" * 101, 5],
    "remark": ["", "x" * 2001, "bell\a", "\ud800", 5],
    "received_at": [
        NOW.replace(tzinfo=None), NOW + timedelta(minutes=6), datetime(1999, 1, 1, tzinfo=UTC), TODAY, "now",
    ],
}  # fmt: skip
CODES = {"received_at": "received-at"}


@pytest.mark.parametrize(("field", "value"), [(field, one) for field in HOSTILE for one in HOSTILE[field]])
def test_what_cannot_be_right_is_refused_in_one_line_and_nothing_is_made(
    store: Store, path: Path, delivery: Delivery, field: str, value: Any
) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [attrs.evolve(delivery, **{field: value})], actor="anna")
    assert codes(error) == [CODES.get(field, field)]
    assert len(str(error.value)) < 300
    assert str(error.value).isprintable()
    assert not path.exists()


@pytest.mark.parametrize(
    ("cost", "currency", "code"),
    [
        (100, None, "cost"),
        (None, "EUR", "cost"),
        (-1, "EUR", "cost"),
        (1.5, "EUR", "cost"),
        (True, "EUR", "cost"),
        (10**13, "EUR", "cost"),
        (100, "eur", "currency"),
        (100, "EURO", "currency"),
        (100, "€", "currency"),
        (100, "EUR\n", "currency"),
        (100, 978, "currency"),
    ],
)
def test_a_cost_is_whole_minor_units_of_a_currency(
    store: Store, delivery: Delivery, cost: Any, currency: Any, code: str
) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [attrs.evolve(delivery, unit_cost=cost, currency=currency)], actor="anna")
    assert codes(error) == [code]


def test_a_clock_may_be_a_little_ahead(store: Store, delivery: Delivery) -> None:
    ahead = NOW + timedelta(minutes=4)
    receive(store, [attrs.evolve(delivery, received_at=ahead)], actor="anna")
    assert on_hand(store)[0].received_at == NOW


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, None])
def test_who_records_and_under_which_id_must_be_readable(store: Store, delivery: Delivery, name: Any) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [delivery], actor=name)
    assert codes(error) == ["actor"]
    if name is not None:
        with pytest.raises(ReceiptError) as error:
            receive(store, [delivery], actor="anna", request_id=name)
        assert codes(error) == ["request"]


def test_every_problem_is_said_at_once_with_its_delivery(store: Store, delivery: Delivery) -> None:
    wrong = attrs.evolve(delivery, lot="", containers=0)
    with pytest.raises(ReceiptError) as error:
        receive(store, [wrong, delivery, attrs.evolve(delivery, expiry=date(1900, 1, 1))], actor="")
    assert [(problem.code, problem.line) for problem in error.value.problems] == [
        ("actor", None),
        ("lot", 1),
        ("containers", 1),
        ("expiry", 3),
    ]
    assert "delivery 3: expiry 1900-01-01" in str(error.value)
    assert isinstance(error.value, StockError)


def test_an_empty_delivery_is_refused(store: Store) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [], actor="anna")
    assert codes(error) == ["empty"]


def test_deliveries_of_two_moments_are_two_receipts(store: Store, delivery: Delivery) -> None:
    with pytest.raises(ReceiptError) as error:
        receive(store, [delivery, attrs.evolve(delivery, received_at=NOW)], actor="anna")
    assert codes(error) == ["received-at"]


def test_a_product_that_cannot_be_stored_is_refused(store: Store, delivery: Delivery, path: Path) -> None:
    odd = attrs.evolve(delivery.product, name=1.5)
    with pytest.raises(ReceiptError, match="float") as error:
        receive(store, [attrs.evolve(delivery, product=odd)], actor="anna")
    assert codes(error) == ["product"]
    odd = attrs.evolve(delivery.product, name="\ud800")
    with pytest.raises(ReceiptError) as error:
        receive(store, [attrs.evolve(delivery, product=odd)], actor="anna")
    assert codes(error) == ["product"]
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE movement; --",
        '=HYPERLINK("http://evil","x")',
        "@SUM(1+1)",
        "%s %(x)s :lot ?",
        "{0.__class__}",
        "日本語ロット",
        "L\\1\"'`",
        "x" * 100,
    ],
)
def test_any_text_that_prints_is_kept_as_it_is(store: Store, delivery: Delivery, text: str) -> None:
    odd = attrs.evolve(delivery, lot=text, location=text, supplier=text, remark=text)
    receive(store, [odd], actor=text, request_id=text)
    assert receive(store, [odd], actor=text, request_id=text).repeated
    (entry,) = on_hand(store)
    assert (entry.lot, entry.location, entry.supplier) == (text, text, text)
    assert verify(store).problems == ()


def test_the_same_request_changes_nothing_and_says_so(store: Store, delivery: Delivery) -> None:
    first = receive(store, [delivery], actor="anna", request_id="r1")
    receive(store, [delivery], actor="anna", request_id="r2")
    again = receive(store, [delivery], actor="anna", request_id="r1")
    assert again == Receipt(1, first.anchor, repeated=True, first=1, last=1)
    assert again.anchor == Anchor(1, first.anchor.hash)
    assert on_hand(store)[0].containers == 20


@pytest.mark.parametrize(
    "change",
    [
        {"lot": "L2"},
        {"containers": 11},
        {"expiry": None},
        {"location": "fridge"},
        {"supplier": "W"},
        {"unit_cost": 1, "currency": "EUR"},
        {"received_at": NOW},
        {"remark": "other"},
        {"remark": None},
    ],
)
def test_the_same_request_id_with_other_content_is_refused(
    store: Store, delivery: Delivery, change: dict[str, Any]
) -> None:
    delivery = attrs.evolve(delivery, remark="as ordered")
    receive(store, [delivery], actor="anna", request_id="r1")
    with pytest.raises(ReceiptError, match="movement 1") as error:
        receive(store, [attrs.evolve(delivery, **change)], actor="anna", request_id="r1")
    assert codes(error) == ["request"]
    for deliveries, actor in (([delivery, delivery], "anna"), ([delivery], "ben")):
        with pytest.raises(ReceiptError):
            receive(store, deliveries, actor=actor, request_id="r1")
    assert on_hand(store)[0].containers == 10


def test_a_repeated_request_survives_a_corrected_catalogue_and_an_erased_remark(
    store: Store, delivery: Delivery, path: Path
) -> None:
    delivery = attrs.evolve(delivery, remark="for Ms Example")
    receive(store, [delivery], actor="anna", request_id="r1")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("DELETE FROM remark")
    corrected = attrs.evolve(delivery.product, name="Vitamin C", corrected="name")
    assert receive(store, [attrs.evolve(delivery, product=corrected)], actor="anna", request_id="r1").repeated


def test_a_remark_stands_nowhere_but_where_it_can_be_erased(
    store: Store, delivery: Delivery, path: Path
) -> None:
    receive(store, [attrs.evolve(delivery, remark="for Ms Example")], actor="anna", request_id="r1")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        assert raw.execute("SELECT text FROM remark").fetchone() == ("for Ms Example",)
        raw.execute("DELETE FROM remark")
        assert not any("Example" in line for line in raw.iterdump())


def test_vendors_with_the_same_sku_and_lot_number_are_kept_apart(store: Store, delivery: Delivery) -> None:
    other = attrs.evolve(delivery.product, vendor=Vendor("zeta", "Zeta"))
    receive(store, [delivery, attrs.evolve(delivery, product=other, expiry=None)], actor="anna")
    assert [entry.product.id for entry in on_hand(store)] == ["acme/c-500", "zeta/c-500"]


def test_thousands_of_lines_are_one_movement(store: Store, delivery: Delivery) -> None:
    deliveries = [
        attrs.evolve(delivery, lot=f"L{n % 1200}", location=f"shelf {n % 700}") for n in range(2000)
    ]
    receive(store, deliveries, actor="anna")
    receive(store, deliveries, actor="anna")
    assert sum(entry.containers for entry in on_hand(store)) == 40_000
    assert verify(store).movements == 2
    assert verify(store).problems == ()


@pytest.mark.parametrize("held", [quarantine, recall_lot])
def test_a_held_lot_is_held_under_a_revision_that_comes_later(
    store: Store, delivery: Delivery, held: Callable[..., Receipt]
) -> None:
    receive(store, [delivery], actor="anna")
    held(store, delivery.product.id, "L1", order=Order("anna", "letter of the maker"))
    newer = attrs.evolve(delivery, product=attrs.evolve(delivery.product, revision=2))
    receipt = receive(store, [newer, attrs.evolve(newer, lot="L2")], actor="anna")
    state = {
        (entry.product.revision, entry.lot): entry.quarantined or entry.recalled for entry in on_hand(store)
    }
    assert state == {(1, "L1"): True, (2, "L1"): True, (2, "L2"): False}
    assert receipt.notes
    assert not verify(store).problems
