"""From a lot to every session, and from a session back to every lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula import Formulary, quantity
from mesoformula.errors import OrderError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.counting import open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.holding import recall_lot
from mesoformula.stock.moves.moving import adjust, move, return_stock, waste
from mesoformula.stock.moves.moving_opened import waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.mixing import Drawn, Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened
from mesoformula.stock.picks.reservations import free
from mesoformula.stock.records import Delivery, Deviation, MovementKind, Order
from mesoformula.stock.views.lineage import lots_in, ways_from, ways_into
from mesoformula.stock.views.traces import Trace
from mesoformula.stock.views.tracing import trace_lot, trace_session

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA = Order("anna", "because")
EXPIRY = date(2028, 1, 31)


class Clock:
    """Tells a time that moves by a minute whenever it is asked for."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def vial(sku: str, **more: Any) -> Product:
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    label = Source(SourceKind.IFU, "a fictional leaflet", date(2026, 1, 1))
    return Product(Vendor("acme", "Acme"), sku, sku.upper(), (part,), (label,), doses=Doses.MULTI, **more)


@pytest.fixture(scope="session")
def rules(formulary: Formulary) -> Any:
    return formulary.beyond_use_rules()


@pytest.fixture
def stock(place: str) -> Iterator[Store]:
    """Ten vials of lot L1, five of lot X and two of a newer L1, on either database."""
    with open_stock(place, zone=UTC, clock=Clock()) as store:
        deliveries = [
            Delivery(vial("a"), "L1", 10, EXPIRY, supplier="Wholesale"),
            Delivery(vial("b"), "X", 5, EXPIRY, supplier="Maker"),
        ]
        receive(store, deliveries, actor="anna")
        receive(store, [Delivery(vial("a", revision=2), "L1", 2, EXPIRY, supplier="Other")], actor="anna")
        yield store
        assert verify(store).problems == ()


OLD = "acme/a@1"


def mixed(store: Store, rules: Any) -> None:
    """L1 goes into opened container 1, that into mixture 2 with X, and that into mixture 3."""
    open_container(store, OLD, "L1", rules=rules, order=ANNA)
    for name, inputs in (
        ("first", [Drawn(1, quantity("4", "mL")), Whole("acme/b", "X", 1)]),
        ("second", [Drawn(2, quantity("3", "mL")), Whole("acme/b", "X", 1)]),
    ):
        mix(
            store,
            name,
            inputs,
            rules=rules,
            location="main",
            order=ANNA,
            volume=quantity("10", "mL"),
            keep=quantity("4", "h"),
        )


def uses(trace: Trace) -> list[tuple[str | None, str, str, int, int | None, tuple[int, ...]]]:
    return [
        (one.reference, one.product, one.lot, one.containers, one.nanolitres, tuple(v.id for v in one.via))
        for one in trace.went
    ]


def test_a_lot_is_followed_to_every_session_through_every_preparation(stock: Store, rules: Any) -> None:
    use(stock, OLD, "L1", containers=2, reference="S-0001", order=ANNA)
    mixed(stock, rules)
    use_opened(stock, 1, volume=quantity("1", "mL"), reference="S-0002", order=ANNA)
    use_opened(stock, 3, volume=quantity("2.5", "mL"), reference="S-0003", order=ANNA)
    trace = trace_lot(stock, OLD, "L1")
    assert uses(trace) == [
        ("S-0001", OLD, "L1", 2, None, ()),
        ("S-0002", OLD, "L1", 0, 1_000_000, (1,)),
        ("S-0003", OLD, "L1", 0, 2_500_000, (1, 2, 3)),
    ]
    assert trace.sessions == ("S-0001", "S-0002", "S-0003")
    assert [vessel.name for vessel in trace.went[-1].via] == [None, "first", "second"]
    assert [(one.location, one.containers) for one in trace.left] == [("main", 7)]
    assert [(one.id, one.nanolitres) for one in trace.opened] == [
        (1, 5_000_000),
        (2, 7_000_000),
        (3, 7_500_000),
    ]
    assert [(one.containers, one.supplier) for one in trace.arrived] == [(10, "Wholesale")]
    assert trace_lot(stock, "acme/b", "X").sessions == ("S-0003",)


def test_a_recall_of_a_lot_covers_every_revision_of_its_product(stock: Store) -> None:
    use(stock, "acme/a@2", "L1", containers=1, reference="S-0001", order=ANNA)
    use(stock, OLD, "L1", containers=1, reference="S-0002", order=ANNA)
    trace = trace_lot(stock, "acme/a", "L1")
    assert trace.sessions == ("S-0001", "S-0002")
    assert [one.product.pinned_id for one in trace.lots] == [OLD, "acme/a@2"]
    assert [one.suppliers for one in trace.lots] == [("Wholesale",), ("Other",)]
    assert [one.containers for one in trace.left] == [9, 1]
    assert not any(one.recalled for one in trace.lots)
    recall_lot(stock, "acme/a", "L1", order=ANNA)
    again = trace_lot(stock, "acme/a", "L1")
    assert all(one.recalled for one in again.lots)
    assert all(one.recalled for one in again.left)


def test_a_session_is_followed_back_to_who_delivered_what_went_into_it(stock: Store, rules: Any) -> None:
    mixed(stock, rules)
    use_opened(stock, 3, volume=quantity("2", "mL"), reference="S-0001", order=ANNA)
    use(stock, "acme/a@2", "L1", containers=1, reference="S-0001", order=ANNA)
    use(stock, "acme/b", "X", containers=1, reference="S-0002", order=ANNA)
    trace = trace_session(stock, "S-0001")
    assert uses(trace) == [
        ("S-0001", "acme/b@1", "X", 0, 2_000_000, (3,)),
        ("S-0001", OLD, "L1", 0, 2_000_000, (1, 2, 3)),
        ("S-0001", "acme/a@2", "L1", 1, None, ()),
    ]
    assert [(one.product.pinned_id, one.expiry, one.suppliers) for one in trace.lots] == [
        (OLD, EXPIRY, ("Wholesale",)),
        ("acme/a@2", EXPIRY, ("Other",)),
        ("acme/b@1", EXPIRY, ("Maker",)),
    ]
    assert {(one.lot, one.supplier) for one in trace.arrived} == {
        ("L1", "Wholesale"),
        ("L1", "Other"),
        ("X", "Maker"),
    }
    assert (trace.left, trace.opened, trace.changed) == ((), (), ())


def test_device_and_serial_of_an_implant_are_found_again(stock: Store) -> None:
    pack = Delivery(vial("c"), "I1", 1, EXPIRY, device="05060131261973", serial="S-77")
    receive(stock, [pack], actor="anna")
    use(stock, "acme/c", "I1", containers=1, reference="S-0001", order=ANNA)
    (went,) = trace_session(stock, "S-0001").went
    assert (went.device, went.serial) == ("05060131261973", "S-77")


def test_a_use_that_was_taken_back_is_listed_as_such_and_not_counted(stock: Store) -> None:
    taken_back = use(stock, OLD, "L1", containers=2, reference="S-0001", order=ANNA).movement
    use(stock, OLD, "L1", containers=1, reference="S-0002", order=ANNA)
    back = reverse(stock, taken_back, order=ANNA).movement
    trace = trace_lot(stock, OLD, "L1")
    assert [(one.reference, one.reversed_by) for one in trace.went] == [("S-0001", back), ("S-0002", None)]
    assert trace.sessions == ("S-0002",)
    (went,) = trace_session(stock, "S-0001").went
    assert went.reversed_by == back
    receipt = receive(stock, [Delivery(vial("a"), "L1", 3, EXPIRY, supplier="Wrong")], actor="anna").movement
    undone = reverse(stock, receipt, order=ANNA).movement
    trace = trace_lot(stock, OLD, "L1")
    assert [one.reversed_by for one in trace.arrived] == [None, undone]
    assert trace.lots[0].suppliers == ("Wholesale",)


def test_what_did_not_go_to_a_session_is_accounted_for(stock: Store, rules: Any) -> None:
    waste(stock, OLD, "L1", 1, order=ANNA)
    return_stock(stock, OLD, "L1", 2, order=ANNA)
    adjust(stock, OLD, "L1", 1, order=ANNA)
    move(stock, OLD, "L1", 3, to="fridge", order=ANNA)
    open_container(stock, OLD, "L1", rules=rules, order=ANNA, location="main")
    waste_opened(stock, 1, volume=quantity("2", "mL"), order=ANNA)
    count = open_count(stock, location="fridge", order=ANNA).movement
    post_count(stock, count, {1: 2}, order=ANNA)
    trace = trace_lot(stock, OLD, "L1")
    found = [(one.kind, one.containers, one.nanolitres, one.supplier) for one in trace.changed]
    assert found == [
        (MovementKind.WASTE, -1, None, None),
        (MovementKind.RETURN, -2, None, "Wholesale"),
        (MovementKind.ADJUST, 1, None, None),
        (MovementKind.WASTE, 0, -2_000_000, None),
        (MovementKind.COUNT, -1, None, None),
    ]
    left = sum(one.containers for one in trace.left)
    opened = 1
    came = sum(one.containers for one in trace.arrived)
    assert came + sum(one.containers for one in trace.changed) - opened == left == 6
    assert trace.went == ()
    assert trace.sessions == ()


def test_what_picks_keep_of_a_recalled_lot_is_listed_with_its_session(stock: Store) -> None:
    from mesoformula.stock.picks.picking import Want, pick

    first = pick(stock, [Want("acme/b", containers=2)], order=ANNA, reference="S-0001").receipt.movement
    second = pick(stock, [Want("acme/b", containers=1)], order=ANNA, reference="S-0002").receipt.movement
    kept = trace_lot(stock, "acme/b", "X").kept
    assert [(one.pick, one.reference, one.containers, one.lapsed) for one in kept] == [
        (first, "S-0001", 2, False),
        (second, "S-0002", 1, False),
    ]
    assert [one.pick for one in trace_session(stock, "S-0002").kept] == [second]
    free(stock, first, order=ANNA)
    assert [one.pick for one in trace_lot(stock, "acme/b", "X").kept] == [second]
    freed = trace_session(stock, "S-0001")
    assert (freed.kept, freed.went) == ((), ())


def test_a_deviation_stays_with_its_use(stock: Store) -> None:
    recall_lot(stock, "acme/b", "X", order=ANNA)
    order = Order("anna")
    use(stock, "acme/b", "X", containers=1, reference="S-0001", order=order, deviation="the call came late")
    (went,) = trace_lot(stock, "acme/b", "X").went
    assert went.deviations == (Deviation.RECALLED,)


def test_what_was_never_there_is_answered_with_what_comes_near(stock: Store) -> None:
    use(stock, "acme/b", "X", containers=1, reference="S-2026-001", order=ANNA)
    with pytest.raises(OrderError, match="did you mean 'S-2026-001'"):
        trace_session(stock, "S-2026-002")
    with pytest.raises(OrderError, match="expected 4 to 32"):
        trace_session(stock, "Mrs. Smith")
    with pytest.raises(OrderError, match="not in the stock; did you mean 'L1'"):
        trace_lot(stock, "acme/a", "L2")


def test_an_empty_stock_says_so(store: Store, path: Path) -> None:
    for attempt in (lambda: trace_lot(store, "acme/a", "L1"), lambda: trace_session(store, "S-0001")):
        with pytest.raises(OrderError, match="the stock is empty"):
            attempt()
    assert not path.exists()


@settings(max_examples=15)
@given(
    plan=st.lists(
        st.tuples(st.sets(st.integers(0, 5), min_size=1, max_size=3), st.booleans()), min_size=1, max_size=6
    )
)
def test_both_ways_agree_with_what_was_put_together(
    plan: list[tuple[set[int], bool]], rules: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each step mixes lots 0 to 2 or earlier mixtures, and may use the mixture in a session of its own."""
    folder: Callable[..., Path] = tmp_path_factory.mktemp
    with open_stock(folder("traces") / "stock.sqlite", zone=UTC, clock=Clock()) as store:
        deliveries = [Delivery(vial("a"), f"L{n}", 20, EXPIRY) for n in range(3)]
        receive(store, deliveries, actor="anna")
        inside: dict[int, set[str]] = {}
        sessions: dict[str, set[str]] = {}
        for step, (numbers, used) in enumerate(plan, start=1):
            inputs: list[Any] = [Whole("acme/a", f"L{step % 3}", 1)]
            holds = {f"L{step % 3}"}
            for number in sorted(numbers):
                if number < 3:
                    inputs.append(Whole("acme/a", f"L{number}", 1))
                    holds.add(f"L{number}")
                elif number - 2 in inside:
                    inputs.append(Drawn(number - 2, quantity("0.1", "mL")))
                    holds |= inside[number - 2]
            inputs = list({str(one): one for one in inputs}.values())
            mix(
                store,
                f"mixture {step}",
                inputs,
                rules=rules,
                location="main",
                order=ANNA,
                volume=quantity("5", "mL"),
                keep=quantity("4", "h"),
            )
            inside[step] = holds
            if used:
                reference = f"S-{step:04}"
                use_opened(store, step, volume=quantity("1", "mL"), reference=reference, order=ANNA)
                sessions[reference] = holds
        for lot in ("L0", "L1", "L2"):
            expected = tuple(reference for reference, holds in sessions.items() if lot in holds)
            assert trace_lot(store, "acme/a", lot).sessions == expected
        for reference, holds in sessions.items():
            assert {one.lot for one in trace_session(store, reference).went} == holds
        with store.reading() as connection:
            assert connection is not None
            named = {
                number: {f"L{lot - 1}" for lot in lots}
                for number, lots in lots_in(connection, inside).items()
            }
            assert named == inside
            forwards = ways_from(connection, [1, 2, 3])
            assert {number: set(ways) for number, ways in forwards.items()} == {
                number: set(ways) for number, ways in ways_into(connection, inside).items()
            }
        assert verify(store).problems == ()
