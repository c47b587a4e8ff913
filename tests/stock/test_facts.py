"""What is known of a lot: changed with who, when and why, and told as it was on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula import quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.costs import Cost, read_cost, write_cost
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.fact_changes import fact_history
from mesoformula.stock.lots.facts import facts_on, set_fact
from mesoformula.stock.lots.holding import recall_lot
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened
from mesoformula.stock.records import Assay, Delivery, LotFact, Order
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
WHY = Order("anna", "certificate")
EXPIRY = date(2027, 3, 31)
FOUND = Assay("sodium-ascorbate", "98.5", "as is")


class Clock:
    """Tells a time that moves by a minute whenever it is asked for, and further when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def skip(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(place: str, clock: Clock, make_product: Callable[..., Product]) -> Iterator[Store]:
    """Ten ampoules of lot L1, on either database."""
    with open_stock(place, zone=UTC, clock=clock) as store:
        receive(store, [Delivery(make_product(), "L1", 10, EXPIRY, unit_cost=100, currency="EUR")], actor="a")
        yield store
        assert verify(store).problems == ()


def codes(error: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def late(clock: Clock, **ago: float) -> Order:
    return Order("anna", "because", clock.now - timedelta(**ago))


def test_a_changed_expiry_keeps_who_when_why_old_and_new(stock: Store) -> None:
    receipt = set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 6, 30), order=Order("ben", "relabelled"))
    (entry,) = stock_view(stock).on_hand
    assert entry.expiry == date(2027, 6, 30)
    (change,) = fact_history(stock, ID, "L1")
    assert (change.movement, change.actor, change.reason) == (receipt.movement, "ben", "relabelled")
    assert (change.fact, change.old, change.new) == ("expiry", "2027-03-31", "2027-06-30")
    with pytest.raises(OrderError, match="is '2027-06-30' already") as error:
        set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 6, 30), order=WHY)
    assert codes(error) == ["unchanged"]
    set_fact(stock, ID, "L1", LotFact.EXPIRY, None, order=WHY)
    assert stock_view(stock).on_hand[0].expiry is None
    with pytest.raises(OrderError, match="is unknown already"):
        set_fact(stock, ID, "L1", LotFact.EXPIRY, None, order=WHY)


@pytest.mark.parametrize("fact", [LotFact.EXPIRY, LotFact.ASSAY, LotFact.COST])
def test_a_change_needs_a_reason(stock: Store, fact: LotFact) -> None:
    value: Any = {LotFact.EXPIRY: None, LotFact.ASSAY: FOUND, LotFact.COST: Cost(1, 1, "EUR", False)}[fact]
    with pytest.raises(OrderError) as error:
        set_fact(stock, ID, "L1", fact, value, order=Order("anna"))
    assert codes(error) == ["reason"]


def test_an_expiry_that_has_passed_keeps_the_lot_from_being_used(stock: Store) -> None:
    receipt = set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2026, 5, 3), order=WHY)
    assert receipt.notes == (
        "lot 'L1' of acme/c-500 is EXPIRED by that: it cannot be picked, reserved or issued",
    )
    with pytest.raises(ShortStockError, match="expired"):
        use(stock, ID, "L1", containers=1, reference="S-001", order=Order("anna"))
    set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2026, 5, 4), order=WHY)
    use(stock, ID, "L1", containers=1, reference="S-001", order=Order("anna"))


def test_a_shorter_expiry_bounds_what_is_open(
    stock: Store, clock: Clock, make_product: Callable[..., Product]
) -> None:
    vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    kept = make_product("lido", parts=(vial,), doses=Doses.MULTI, in_use_period=quantity("28", "d"))
    receive(stock, [Delivery(kept, "V1", 2, EXPIRY)], actor="anna")
    open_container(stock, "acme/lido", "V1", rules=(), order=Order("anna"))
    receipt = set_fact(stock, "acme/lido", "V1", LotFact.EXPIRY, date(2026, 5, 31), order=WHY)
    assert receipt.notes == ()
    receipt = set_fact(stock, "acme/lido", "V1", LotFact.EXPIRY, date(2026, 5, 10), order=WHY)
    assert receipt.notes == (
        "opened container 1 (2026-06-01 00:00) may be used through 2026-05-10 at most, whatever its "
        "beyond-use date says",
    )
    clock.skip(days=6, hours=10)
    use_opened(stock, 1, volume=quantity("1", "mL"), reference="S-001", order=Order("anna"))
    clock.skip(days=1)
    with pytest.raises(ShortStockError, match="expired"):
        use_opened(stock, 1, volume=quantity("1", "mL"), reference="S-001", order=Order("anna"))


def test_an_assay_is_kept_with_its_basis(stock: Store) -> None:
    set_fact(stock, ID, "L1", LotFact.ASSAY, FOUND, order=WHY)
    assert stock_view(stock).on_hand[0].assay == FOUND
    dry = Assay("sodium-ascorbate", "099.10", "anhydrous", water="1.2")
    set_fact(stock, ID, "L1", LotFact.ASSAY, dry, order=WHY)
    assert stock_view(stock).on_hand[0].assay == attrs.evolve(dry, percent="99.10")
    with pytest.raises(OrderError, match="already"):
        set_fact(stock, ID, "L1", LotFact.ASSAY, attrs.evolve(dry, percent="99.10"), order=WHY)
    set_fact(stock, ID, "L1", LotFact.ASSAY, None, order=WHY)
    assert stock_view(stock).on_hand[0].assay is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"percent": "0"}, "assay"),
        ({"percent": "0.000"}, "assay"),
        ({"percent": "-1"}, "assay"),
        ({"percent": "98,5"}, "assay"),
        ({"percent": "1e3"}, "assay"),
        ({"percent": "nan"}, "assay"),
        ({"percent": "٩٨"}, "assay"),
        ({"percent": 98.5}, "assay"),
        ({"basis": "wet"}, "basis"),
        ({"basis": "anhydrous"}, "water"),
        ({"basis": "anhydrous", "water": "100"}, "water"),
        ({"basis": "anhydrous", "water": "-1"}, "water"),
        ({"water": "1"}, "water"),
        ({"basis": "base"}, "moiety"),
        ({"basis": "base", "moiety": "Not An Id"}, "moiety"),
        ({"moiety": "ascorbic-acid"}, "moiety"),
        ({"substance": "lidocaine"}, "substance"),
        ({"substance": "sodium-ascorbat"}, "substance"),
    ],
)
def test_an_assay_that_says_too_little_or_too_much_is_refused(
    stock: Store, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(OrderError) as error:
        set_fact(stock, ID, "L1", LotFact.ASSAY, attrs.evolve(FOUND, **change), order=WHY)
    assert codes(error) == [code]


def test_a_cost_is_corrected_and_replaces_a_range(stock: Store, make_product: Callable[..., Product]) -> None:
    receive(stock, [Delivery(make_product(), "L1", 1, EXPIRY, unit_cost=140, currency="EUR")], actor="a")
    assert stock_view(stock).on_hand[0].cost_range == (100, 140)
    set_fact(stock, ID, "L1", LotFact.COST, Cost(120, 120, "EUR", False), order=WHY)
    (entry,) = stock_view(stock).on_hand
    assert (entry.unit_cost, entry.currency, entry.cost_range) == (120, "EUR", None)
    assert fact_history(stock, ID, "L1")[0].old == "100..140 EUR"


@pytest.mark.parametrize(
    "cost",
    [
        None,
        "12.50",
        12,
        Cost(1, None, "EUR"),
        Cost(2, 1, "EUR"),
        Cost(-1, 1, "EUR"),
        Cost(1, 1, "eur"),
        Cost(1, 1),
    ],
)
def test_a_cost_that_is_none_is_refused(stock: Store, cost: Any) -> None:
    with pytest.raises(OrderError) as error:
        set_fact(stock, ID, "L1", LotFact.COST, cost, order=WHY)
    assert set(codes(error)) <= {"cost", "currency"}


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.booleans())
def test_a_cost_is_read_as_it_was_written(low: int, more: int, unpriced: bool) -> None:
    for cost in (Cost(low, low + more, "EUR", unpriced), Cost(unpriced=unpriced)):
        assert read_cost(write_cost(cost)) == cost


def test_a_remark_needs_no_other_reason_and_the_latest_is_shown(stock: Store) -> None:
    set_fact(stock, ID, "L1", LotFact.REMARK, " box dented ", order=Order("anna"))
    assert stock_view(stock).on_hand[0].remark == "box dented"
    set_fact(stock, ID, "L1", LotFact.REMARK, "=1+1; DROP TABLE lot", order=Order("anna"))
    assert facts_on(stock, ID, "L1").remark == "=1+1; DROP TABLE lot"
    assert [one.remark for one in fact_history(stock, ID, "L1")] == ["box dented", "=1+1; DROP TABLE lot"]
    for text in ("", "bell\a", "x" * 2001, None):
        with pytest.raises(OrderError) as error:
            set_fact(stock, ID, "L1", LotFact.REMARK, text, order=Order("anna"))
        assert codes(error) == ["remark"]


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(9999, 12, 31), "2027-01-01", START, 2027])
def test_an_expiry_that_cannot_be_is_refused(stock: Store, day: Any) -> None:
    with pytest.raises(OrderError) as error:
        set_fact(stock, ID, "L1", LotFact.EXPIRY, day, order=WHY)
    assert codes(error) == ["expiry"]


def test_facts_are_told_as_they_held_on_a_day_and_as_they_were_known_then(stock: Store, clock: Clock) -> None:
    days = []
    for expiry in (date(2027, 4, 30), date(2027, 5, 31)):
        days.append(clock.now)
        clock.skip(days=1)
        set_fact(stock, ID, "L1", LotFact.EXPIRY, expiry, order=WHY)
    clock.skip(days=1)
    before = clock.now
    receipt = set_fact(
        stock,
        ID,
        "L1",
        LotFact.EXPIRY,
        date(2027, 1, 1),
        order=attrs.evolve(WHY, at=days[0] + timedelta(hours=1)),
    )
    assert receipt.notes[0].startswith("this held until 2026-05-05 08:")
    assert receipt.notes[0].endswith("from then on it is '2027-04-30' (movement 2)")
    assert facts_on(stock, ID, "L1").expiry == date(2027, 5, 31)
    assert facts_on(stock, ID, "L1", days[1]).expiry == date(2027, 4, 30)
    assert facts_on(stock, ID, "L1", days[0]).expiry == EXPIRY
    between = days[0] + timedelta(hours=2)
    assert facts_on(stock, ID, "L1", between).expiry == date(2027, 1, 1)
    assert facts_on(stock, ID, "L1", between, recorded_until=before).expiry == EXPIRY
    assert facts_on(stock, ID, "L1", recorded_until=days[1]).expiry == date(2027, 4, 30)
    with pytest.raises(OrderError, match="was not in the stock on 2026-05-03 08:00"):
        facts_on(stock, ID, "L1", START - timedelta(days=1))
    recall_lot(stock, ID, "L1", order=WHY)
    assert facts_on(stock, ID, "L1").recalled
    assert not facts_on(stock, ID, "L1", before).recalled


@settings(max_examples=15)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([date(2027, 1, 31), date(2027, 2, 28), None])),
        max_size=6,
    ),
    on=st.integers(0, 9),
)
def test_the_facts_of_a_day_are_the_last_that_held_by_then(
    changes: list[tuple[int, date | None]], on: int, tmp_path_factory: Any, product: Product
) -> None:
    """Against the plainest way to say it: of all that holds from then or before, the latest moment counts."""
    later = START + timedelta(days=30)
    path = tmp_path_factory.mktemp("facts") / "stock.sqlite"
    moments = iter([START] * 2)
    with open_stock(path, zone=UTC, clock=lambda: next(moments, later)) as store:
        receive(store, [Delivery(product, "L1", 1, EXPIRY)], actor="anna")
        known: list[tuple[int, date | None]] = [(-1, EXPIRY)]
        for day, expiry in changes:
            moment = START + timedelta(days=day, hours=1)
            held = max(
                (one for one in enumerate(known) if one[1][0] <= day), key=lambda one: (one[1][0], one[0])
            )
            if held[1][1] == expiry:
                continue
            set_fact(store, ID, "L1", LotFact.EXPIRY, expiry, order=Order("anna", "why", moment))
            known.append((day, expiry))
        for day in (on, 40):
            held = max(
                (one for one in enumerate(known) if one[1][0] <= day), key=lambda one: (one[1][0], one[0])
            )
            assert facts_on(store, ID, "L1", START + timedelta(days=day, hours=1)).expiry == held[1][1]
        assert stock_view(store).on_hand[0].expiry == held[1][1]


@pytest.fixture(scope="module")
def product() -> Product:
    from mesoformula.products import Vendor
    from mesoformula.sources import Source, SourceKind

    return Product(
        Vendor("acme", "Acme"),
        "c-500",
        "Vitamin C",
        parts=(Part(ContainerKind.VIAL, Form.POWDER),),
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )


def test_the_same_request_changes_nothing(stock: Store) -> None:
    order = Order("anna", "because", None, "r1")
    first = set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 6, 30), order=order)
    assert (
        set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 6, 30), order=order).movement == first.movement
    )
    with pytest.raises(OrderError, match="says something else"):
        set_fact(stock, ID, "L1", LotFact.EXPIRY, date(2027, 7, 31), order=order)
    order = Order("anna", None, None, "r2")
    first = set_fact(stock, ID, "L1", LotFact.REMARK, "dented", order=order)
    assert set_fact(stock, ID, "L1", LotFact.REMARK, "dented", order=order).repeated
    with pytest.raises(OrderError, match="says something else"):
        set_fact(stock, ID, "L1", LotFact.REMARK, "wet", order=order)


@pytest.mark.parametrize(
    "text", ["", "a\nb", "\x1b[31m", "\udcff", "x" * 10_000, "'; DROP TABLE lot; --", "=1+1"]
)
def test_hostile_names_are_answered_in_one_line_each(stock: Store, text: str) -> None:
    for product, lot in ((ID, text), (text, "L1")):
        for work in (
            lambda: set_fact(stock, product, lot, LotFact.EXPIRY, None, order=WHY),  # noqa: B023
            lambda: facts_on(stock, product, lot),  # noqa: B023
            lambda: fact_history(stock, product, lot),  # noqa: B023
        ):
            with pytest.raises(OrderError) as error:
                work()
            assert all(len(line) < 300 and line.isprintable() for line in str(error.value).splitlines())


def test_nothing_is_made_where_there_is_no_stock(tmp_path: Any) -> None:
    with open_stock(tmp_path / "none.sqlite") as store:
        with pytest.raises(OrderError, match="is the path right"):
            set_fact(store, ID, "L1", LotFact.EXPIRY, None, order=WHY)
        with pytest.raises(OrderError, match="the stock is empty"):
            facts_on(store, ID, "L1")
    assert list(tmp_path.iterdir()) == []
