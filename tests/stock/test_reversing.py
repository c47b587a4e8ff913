"""Taking movements back: what is as if it had never been, what stands against it, and what to do instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula import quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.costs import Cost
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.facts import facts_on, set_fact
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.holding import quarantine, quarantine_opened, recall_lot, release_lot
from mesoformula.stock.lots.levels import set_level
from mesoformula.stock.moves.moving import adjust, move, return_stock, waste
from mesoformula.stock.moves.moving_opened import move_opened, waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.mixing import Drawn, Whole, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened, use_pick
from mesoformula.stock.picks.picking import Want, pick
from mesoformula.stock.records import Delivery, LotFact, MovementKind, Order
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
VIAL = "acme/lido"
START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
EXPIRY = date(2027, 3, 31)
ANNA = Order("anna")
WHY = Order("anna", "mistyped")


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
def vial(make_product: Callable[..., Product]) -> Product:
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    return make_product("lido", parts=(part,), doses=Doses.MULTI, in_use_period=quantity("28", "d"))


@pytest.fixture
def stock(place: str, clock: Clock, make_product: Callable[..., Product], vial: Product) -> Iterator[Store]:
    """Ten ampoules of L1 and four vials of V1 at main, on either database."""
    with open_stock(place, zone=UTC, clock=clock) as store:
        delivery = Delivery(make_product(), "L1", 10, EXPIRY, unit_cost=100, currency="EUR")
        receive(store, [delivery, Delivery(vial, "V1", 4, EXPIRY)], actor="anna")
        yield store
        assert verify(store).problems == ()


def there(store: Store) -> dict[tuple[str, str], int]:
    return {(entry.lot, entry.location): entry.containers for entry in stock_view(store).on_hand}


def left(store: Store) -> dict[int, int | None]:
    return {one.id: one.nanolitres for one in stock_view(store).opened}


def codes(error: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def kinds(store: Store, numbers: range) -> list[str]:
    return [one.kind.value for one in movements_of(store, numbers)]


def count(store: Store, counted: int) -> int:
    """Post a count of lot L1 at main, as counting does."""
    change = counted - there(store).get(("L1", "main"), 0)

    def work(posting: Any) -> None:
        lot = find_lot(posting.connection, ID, "L1")
        posting.post(MovementKind.COUNT, [Entry(lot, "main", change, counted=counted)])

    return carry_out(store, Order("anna", "count"), {"kind": "count"}, work).movement


@pytest.mark.parametrize(
    "work",
    [
        lambda store: use(store, ID, "L1", containers=3, reference="S-001", order=ANNA),
        lambda store: waste(store, ID, "L1", 3, order=WHY),
        lambda store: return_stock(store, ID, "L1", 3, order=WHY),
        lambda store: move(store, ID, "L1", 3, to="fridge", order=ANNA),
        lambda store: adjust(store, ID, "L1", -3, order=WHY),
        lambda store: adjust(store, ID, "L1", 3, order=WHY),
        lambda store: open_container(store, VIAL, "V1", rules=(), order=ANNA, containers=2),
        lambda store: mix(
            store, "blend", [Whole(ID, "L1", 2)], rules=(), location="main", order=ANNA, volume=None
        ),
    ],
    ids=["use", "waste", "return", "move", "less", "more", "open", "mix"],
)
def test_what_is_taken_back_is_as_if_it_had_never_been(
    stock: Store, clock: Clock, work: Callable[[Store], Any]
) -> None:
    before = there(stock), left(stock)
    receipt = work(stock)
    assert (there(stock), left(stock)) != before
    clock.skip(days=3)
    back = reverse(stock, receipt.movement, order=WHY)
    assert (there(stock), left(stock)) == before
    first, second = movements_of(stock, [receipt.movement, back.movement])
    assert (second.kind, second.reverses, first.reversed_by) == (
        MovementKind.REVERSAL,
        first.seq,
        second.seq,
    )
    assert (second.effective_at, second.session, second.reason) == (
        first.effective_at,
        first.session,
        "mistyped",
    )
    assert [-line.containers for line in second.lines] == [line.containers for line in first.lines]
    with pytest.raises(OrderError, match=f"is reversed already, by movement {back.movement}") as error:
        reverse(stock, receipt.movement, order=WHY)
    assert codes(error) == ["reversed"]
    with pytest.raises(OrderError, match="record again what it took back"):
        reverse(stock, back.movement, order=WHY)


def test_a_receipt_is_taken_back_only_while_it_is_all_there(
    stock: Store, clock: Clock, make_product: Callable[..., Product]
) -> None:
    used = use(stock, ID, "L1", containers=1, reference="S-001", order=ANNA)
    with pytest.raises(ShortStockError, match="9 containers are there, 10 asked for"):
        reverse(stock, 1, order=WHY)
    reverse(stock, used.movement, order=WHY)
    reverse(stock, 1, order=WHY)
    assert there(stock) == {}


def test_a_receipt_whose_stock_was_used_since_stands_even_if_more_came_later(
    stock: Store, clock: Clock, make_product: Callable[..., Product]
) -> None:
    clock.skip(days=1)
    use(stock, ID, "L1", containers=1, reference="S-001", order=ANNA)
    clock.skip(days=1)
    receive(stock, [Delivery(make_product(), "L1", 20, EXPIRY)], actor="anna")
    clock.skip(days=1)
    with pytest.raises(ShortStockError, match="at the end of 2026-05-05"):
        reverse(stock, 1, order=WHY)


def test_a_pack_may_arrive_again_once_its_receipt_is_taken_back(
    stock: Store, make_product: Callable[..., Product]
) -> None:
    pack = Delivery(make_product("boxed"), "B1", 2, EXPIRY, device="09506000134352", serial="S1")
    receipt = receive(stock, [pack], actor="anna")
    with pytest.raises(OrderError, match="cannot arrive twice"):
        receive(stock, [pack], actor="anna")
    back = reverse(stock, receipt.movement, order=WHY)
    assert movements_of(stock, back.movements)[0].lines[0].serial == "S1"
    receive(stock, [pack], actor="anna")


def test_a_reversal_before_a_count_leaves_what_was_counted(stock: Store, clock: Clock) -> None:
    used = use(stock, ID, "L1", containers=3, reference="S-001", order=ANNA)
    clock.skip(days=1)
    count(stock, 5)
    clock.skip(days=1)
    back = reverse(stock, used.movement, order=WHY)
    assert kinds(stock, back.movements) == ["reversal", "compensation"]
    assert there(stock)["L1", "main"] == 5
    compensation = back.movement + 1
    with pytest.raises(OrderError, match=f"reverse what made it necessary: movement {back.movement}"):
        reverse(stock, compensation, order=WHY)


def test_a_late_entry_and_its_compensation_are_taken_back_together(stock: Store, clock: Clock) -> None:
    clock.skip(days=1)
    before = clock.now
    clock.skip(days=1)
    count(stock, 9)
    late = waste(stock, ID, "L1", 4, order=attrs.evolve(WHY, at=before))
    assert kinds(stock, late.movements) == ["compensation", "waste"]
    clock.skip(days=1)
    back = reverse(stock, late.movement, order=WHY)
    assert kinds(stock, back.movements) == ["reversal", "compensation"]
    assert there(stock)["L1", "main"] == 9


def test_what_cannot_be_taken_back_says_what_to_do_instead(stock: Store) -> None:
    quarantine(stock, ID, "L1", order=WHY)
    release_lot(stock, ID, "L1", order=WHY)
    recall_lot(stock, ID, "L1", order=WHY)
    set_fact(stock, ID, "L1", LotFact.EXPIRY, None, order=WHY)
    set_level(stock, ID, 5, order=ANNA)
    count(stock, 9)
    pick(stock, [Want(VIAL, containers=1)], order=ANNA, reference="S-001")
    ways = ["release", "quarantine or recall it again", "release the lot", "stock fact", "set it again"]
    ways += ["count again", "stock release 8"]
    before = stock_view(stock).anchor
    for number, way in enumerate(ways, start=2):
        with pytest.raises(
            OrderError, match=f"movement {number} is a .* cannot be reversed; .*{way}"
        ) as error:
            reverse(stock, number, order=WHY)
        assert codes(error) == ["kind"]
    assert stock_view(stock).anchor == before


@pytest.mark.parametrize("number", [0, -1, 1.0, True, "1", None, 2**70])
def test_a_number_that_is_none_is_refused(stock: Store, number: Any) -> None:
    with pytest.raises(OrderError) as error:
        reverse(stock, number, order=WHY)
    assert codes(error) == ["movement"]


def test_a_reversal_needs_a_reason_a_movement_and_no_moment(stock: Store) -> None:
    with pytest.raises(OrderError) as error:
        reverse(stock, 1, order=Order("", None, START))
    assert sorted(codes(error)) == ["actor", "at", "reason"]
    with pytest.raises(OrderError, match="there is no movement 99; the latest is 1"):
        reverse(stock, 99, order=WHY)


def test_the_same_request_changes_nothing(stock: Store) -> None:
    one = waste(stock, ID, "L1", 1, order=WHY)
    other = waste(stock, ID, "L1", 1, order=WHY)
    asked = attrs.evolve(WHY, request_id="r1")
    first = reverse(stock, one.movement, order=asked)
    again = reverse(stock, one.movement, order=asked)
    assert (again.repeated, again.movement) == (True, first.movement)
    with pytest.raises(OrderError, match="says something else"):
        reverse(stock, other.movement, order=asked)
    assert there(stock)["L1", "main"] == 9


# ---- opened containers -------------------------------------------------------------------------------------


def test_an_opening_is_taken_back_once_nothing_was_drawn_from_it(stock: Store) -> None:
    opening = open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    drawn = use_opened(stock, 1, volume=quantity("1", "mL"), reference="S-001", order=ANNA)
    with pytest.raises(OrderError, match=r"drawn from since, by movement 3 \(use for S-001\)") as error:
        reverse(stock, opening.movement, order=WHY)
    assert codes(error) == ["opened"]
    reverse(stock, drawn.movement, order=WHY)
    assert left(stock) == {1: 10_000_000}
    move_opened(stock, 1, to="fridge", order=ANNA)
    reverse(stock, opening.movement, order=WHY)
    assert (left(stock), there(stock)["V1", "main"]) == ({}, 4)


def test_a_quarantined_container_is_not_closed_again(stock: Store) -> None:
    opening = open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    quarantine_opened(stock, 1, order=WHY)
    with pytest.raises(OrderError, match="opened container 1 is quarantined"):
        reverse(stock, opening.movement, order=WHY)


def test_taking_back_a_use_opens_again_what_it_had_emptied(stock: Store) -> None:
    open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    first = use_opened(stock, 1, volume=quantity("4", "mL"), reference="S-001", order=ANNA)
    rest = use_opened(stock, 1, rest=True, reference="S-001", order=ANNA)
    assert left(stock) == {}
    reverse(stock, first.movement, order=WHY)
    assert left(stock) == {1: 4_000_000}
    reverse(stock, rest.movement, order=WHY)
    assert left(stock) == {1: 10_000_000}


def test_what_was_thrown_away_since_is_not_filled_again(stock: Store) -> None:
    open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    used = use_opened(stock, 1, volume=quantity("4", "mL"), reference="S-001", order=ANNA)
    gone = waste_opened(stock, 1, order=WHY)
    with pytest.raises(OrderError, match=f"thrown away by movement {gone.movement}: reverse that first"):
        reverse(stock, used.movement, order=WHY)
    reverse(stock, gone.movement, order=WHY)
    assert left(stock) == {1: 6_000_000}
    reverse(stock, used.movement, order=WHY)
    assert left(stock) == {1: 10_000_000}


def test_overfill_that_was_found_by_mistake_is_taken_back(stock: Store) -> None:
    open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    rest = use_opened(stock, 1, rest=True, reference="S-001", order=ANNA)
    more = use_opened(stock, 1, volume=quantity("0.5", "mL"), overfill=True, reference="S-001", order=ANNA)
    reverse(stock, more.movement, order=WHY)
    assert left(stock) == {}
    more = use_opened(stock, 1, volume=quantity("0.5", "mL"), overfill=True, reference="S-001", order=ANNA)
    reverse(stock, rest.movement, order=WHY)
    assert left(stock) == {1: 10_000_000}
    reverse(stock, more.movement, order=WHY)
    assert left(stock) == {1: 10_000_000}


def test_a_move_of_an_opened_container_is_taken_back_from_the_latest_on(stock: Store) -> None:
    open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    first = move_opened(stock, 1, to="fridge", order=ANNA)
    second = move_opened(stock, 1, to="room", order=ANNA)
    with pytest.raises(OrderError, match="was moved again since"):
        reverse(stock, first.movement, order=WHY)
    used = use_opened(stock, 1, volume=quantity("1", "mL"), reference="S-001", order=ANNA)
    reverse(stock, second.movement, order=WHY)
    reverse(stock, used.movement, order=WHY)
    assert stock_view(stock).opened[0].location == "fridge"
    reverse(stock, first.movement, order=WHY)
    assert stock_view(stock).opened[0].location == "main"


def test_a_mixture_is_taken_apart_once_nothing_was_drawn_from_it(stock: Store) -> None:
    open_container(stock, VIAL, "V1", rules=(), order=ANNA)
    before = there(stock), left(stock)
    inputs = [Whole(ID, "L1", 1), Drawn(1, None)]
    mixed = mix(stock, "blend", inputs, rules=(), location="main", order=ANNA, volume=quantity("14", "mL"))
    assert left(stock) == {2: 14_000_000}
    drawn = use_opened(stock, 2, volume=quantity("3", "mL"), reference="S-001", order=ANNA)
    with pytest.raises(OrderError, match="opened container 2 was drawn from since"):
        reverse(stock, mixed.movement, order=WHY)
    reverse(stock, drawn.movement, order=WHY)
    reverse(stock, mixed.movement, order=WHY)
    assert (there(stock), left(stock)) == before


# ---- picks, quarantine and cost ----------------------------------------------------------------------------


def test_a_used_pick_is_not_kept_again_and_what_came_with_it_is_named(stock: Store) -> None:
    picked = pick(stock, [Want(VIAL, nanolitres=3_000_000)], order=ANNA, reference="S-001")
    receipt = use_pick(stock, picked.receipt.movement, rules=(), order=ANNA)
    assert kinds(stock, receipt.movements) == ["open", "use"]
    back = reverse(stock, receipt.movement, order=WHY)
    opening = next(iter(receipt.movements))
    assert back.notes == (
        f"pick {picked.receipt.movement}, which it had used, is not kept again: pick anew if need be",
        f"movement {opening} (open) came with it and still stands: reverse what did not happen",
    )
    assert left(stock) == {1: 10_000_000}
    reverse(stock, opening, order=WHY)
    assert there(stock) == {("L1", "main"): 10, ("V1", "main"): 4}
    assert all(not entry.reserved for entry in stock_view(stock).on_hand)


def test_picks_that_come_short_are_named(stock: Store) -> None:
    more = adjust(stock, ID, "L1", 2, order=WHY)
    pick(stock, [Want(ID, containers=11)], order=ANNA, reference="S-001")
    (note,) = reverse(stock, more.movement, order=WHY).notes
    assert "10 of lot 'L1' of acme/c-500 are left there and 11 kept for pick 3 for S-001" in note


def test_a_quarantine_that_was_carried_along_goes_back_unless_more_of_it_is_there(stock: Store) -> None:
    quarantine(stock, ID, "L1", location="main", order=WHY)
    moved = move(stock, ID, "L1", 3, to="fridge", order=ANNA)
    reverse(stock, moved.movement, order=WHY)
    adjust(stock, ID, "L1", 1, location="fridge", order=WHY)
    held = {one.location: one.quarantined for one in stock_view(stock).on_hand if one.lot == "L1"}
    assert held == {"main": True, "fridge": False}
    moved = move(stock, ID, "L1", 3, to="fridge", location="main", order=ANNA)
    (note,) = reverse(stock, moved.movement, order=WHY).notes
    assert note.startswith("lot 'L1' of acme/c-500 stays quarantined at fridge, where more of it is")
    held = {one.location: one.quarantined for one in stock_view(stock).on_hand if one.lot == "L1"}
    assert held == {"main": True, "fridge": True}


def test_a_cost_that_a_wrong_receipt_had_widened_is_put_right(
    stock: Store, clock: Clock, make_product: Callable[..., Product]
) -> None:
    dear = Delivery(make_product(), "L1", 1, EXPIRY, unit_cost=9000, currency="EUR")
    wrong = receive(stock, [dear], actor="anna")
    clock.skip(days=1)
    meanwhile = clock.now
    receive(stock, [attrs.evolve(dear, unit_cost=110)], actor="anna")
    back = reverse(stock, wrong.movement, order=WHY)
    assert kinds(stock, back.movements) == ["reversal", "fact"]
    assert back.notes == (
        "the cost of lot 'L1' of acme/c-500 is put right: 1.00 to 1.10 EUR a container instead of "
        "1.00 to 90.00 EUR a container",
    )
    assert stock_view(stock).on_hand[0].cost_range == (100, 110)
    assert facts_on(stock, ID, "L1", meanwhile).cost == Cost(100, 110, "EUR", False)
    with pytest.raises(OrderError, match="is a fact and cannot be reversed"):
        reverse(stock, back.movement + 1, order=WHY)


def test_a_receipt_with_a_wrong_price_leaves_no_trace_in_the_cost_once_received_again(
    stock: Store, make_product: Callable[..., Product]
) -> None:
    wrong = Delivery(make_product("d"), "D1", 5, EXPIRY, unit_cost=125_000, currency="USD")
    receipt = receive(stock, [wrong], actor="anna")
    reverse(stock, receipt.movement, order=WHY)
    receive(stock, [attrs.evolve(wrong, unit_cost=1250, currency="EUR")], actor="anna")
    entry = next(one for one in stock_view(stock).on_hand if one.lot == "D1")
    assert (entry.unit_cost, entry.currency, entry.cost_range) == (1250, "EUR", None)


def test_a_cost_that_was_corrected_by_hand_stays(stock: Store, make_product: Callable[..., Product]) -> None:
    dear = Delivery(make_product(), "L1", 1, EXPIRY, unit_cost=9000, currency="EUR")
    wrong = receive(stock, [dear], actor="anna")
    set_fact(stock, ID, "L1", LotFact.COST, Cost(120, 120, "EUR", False), order=WHY)
    back = reverse(stock, wrong.movement, order=WHY)
    assert kinds(stock, back.movements) == ["reversal"]
    assert stock_view(stock).on_hand[0].unit_cost == 120


def test_a_cost_that_was_put_right_before_is_worked_out_anew_from_the_receipts_that_stand(
    stock: Store, make_product: Callable[..., Product]
) -> None:
    priced = Delivery(make_product("d"), "D1", 5, EXPIRY, unit_cost=100, currency="EUR")
    first = receive(stock, [priced], actor="anna")
    second = receive(stock, [attrs.evolve(priced, unit_cost=None, currency=None)], actor="anna")
    for receipt in (first, second):
        reverse(stock, receipt.movement, order=WHY)
    receive(stock, [priced], actor="anna")
    entry = next(one for one in stock_view(stock).on_hand if one.lot == "D1")
    assert (entry.unit_cost, entry.cost_range) == (100, None)


# ---- any order ---------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "waste", "move", "adjust", "open", "draw", "throw", "reverse"]),
        st.integers(1, 6),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=25)
@given(steps=STEPS)
def test_the_stock_is_the_sum_of_what_was_not_taken_back(
    steps: list[tuple[str, int]], tmp_path_factory: Any
) -> None:
    """Against adding up the lines of every movement that stands, whatever was refused meanwhile."""
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    source = Source(SourceKind.IFU, "leaflet", date(2025, 1, 31))
    product = Product(
        Vendor("acme", "Acme"), "lido", "Lido", parts=(part,), doses=Doses.MULTI, sources=(source,)
    )
    with open_stock(tmp_path_factory.mktemp("any") / "s.sqlite", zone=UTC, clock=Clock()) as store:
        receive(store, [Delivery(product, "V1", 5, EXPIRY)], actor="anna")
        works: dict[str, Callable[[int], Any]] = {
            "receive": lambda n: receive(store, [Delivery(product, "V1", n, EXPIRY)], actor="anna"),
            "waste": lambda n: waste(store, VIAL, "V1", n, location="main", order=WHY),
            "move": lambda n: move(store, VIAL, "V1", n, to="b", location="main", order=ANNA),
            "adjust": lambda n: adjust(store, VIAL, "V1", n - 3, location="main", order=WHY),
            "open": lambda n: open_container(store, VIAL, "V1", rules=(), order=ANNA, location="main"),
            "draw": lambda n: use_opened(store, 1, volume=quantity(n, "mL"), reference="S-001", order=ANNA),
            "throw": lambda n: waste_opened(store, 1, order=WHY),
            "reverse": lambda n: reverse(store, n, order=WHY),
        }
        for name, number in steps:
            try:
                works[name](number)
            except OrderError:
                continue
            containers, volumes = Counter[str](), Counter[int]()
            head = stock_view(store).anchor
            for one in movements_of(store, range(1, head.seq + 1)):
                if one.reversed_by is not None or one.kind is MovementKind.REVERSAL:
                    continue
                for line in one.lines:
                    containers[line.location] += line.containers
                    if line.opened is not None:
                        volumes[line.opened] += line.nanolitres or 0
            assert +containers == Counter({place: n for (_lot, place), n in there(store).items()})
            assert +volumes == Counter({n: volume for n, volume in left(store).items() if volume})
        assert verify(store).problems == ()
