"""Waste, return, move and adjust: what goes where, with whose reason, and what counts keep true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.holding import quarantine, quarantine_opened
from mesoformula.stock.lots.lots import in_smallest
from mesoformula.stock.moves.moving import adjust, move, return_stock, waste
from mesoformula.stock.moves.moving_opened import move_opened, waste_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
WHY = Order("anna", "because")


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
    """Ten ampoules of lot L1 at main and two at the fridge, on either database."""
    with open_stock(place, zone=UTC, clock=clock) as store:
        product = make_product()
        expiry = date(2027, 3, 31)
        receive(
            store,
            [
                Delivery(product, "L1", 10, expiry, supplier="Wholesale", unit_cost=100, currency="EUR"),
                Delivery(product, "L1", 2, expiry, location="fridge", unit_cost=100, currency="EUR"),
            ],
            actor="anna",
        )
        yield store
        assert verify(store).problems == ()


def there(store: Store) -> dict[str, int]:
    return {entry.location: entry.containers for entry in stock_view(store).on_hand}


def kinds(store: Store, numbers: range) -> list[str]:
    return [one.kind.value for one in movements_of(store, numbers)]


def codes(error: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def late(clock: Clock, **ago: float) -> Order:
    return Order("anna", "because", clock.now - timedelta(**ago))


def count(store: Store, place: str, counted: int, clock: Clock) -> None:
    """Post a count of what is there, as counting does."""

    def work(posting: Any) -> None:
        lot = find_lot(posting.connection, ID, "L1")
        change = counted - there_now
        posting.post(MovementKind.COUNT, [Entry(lot, place, change, counted=counted)])

    there_now = there(store).get(place, 0)
    carry_out(store, Order("anna", "count"), {"kind": "count", "n": clock.now.isoformat()}, work)


def reserve(store: Store, containers: int, session: str = "S-001") -> None:
    """Keep containers for a session, as picking does."""

    def work(posting: Any) -> None:
        lot = find_lot(posting.connection, ID, "L1")
        entry = Entry(lot, "main", reserved=containers)
        posting.post(
            MovementKind.PICK, [entry], session=session, lapses_at=posting.recorded_at + 86_400_000_000
        )

    carry_out(store, Order("anna"), {"kind": "pick", "session": session}, work)


def test_waste_return_and_adjust_change_what_is_there_and_say_why(stock: Store) -> None:
    receipt = waste(stock, ID, "L1", 3, location="main", order=Order("ben", "dropped"))
    (movement,) = movements_of(stock, receipt.movements)
    assert (movement.kind, movement.actor, movement.reason) == (MovementKind.WASTE, "ben", "dropped")
    assert movement.lines[0].containers == -3
    back = return_stock(stock, ID, "L1", 2, location="main", order=WHY)
    assert back.notes == ("returned to Wholesale",)
    assert movements_of(stock, back.movements)[0].lines[0].supplier == "Wholesale"
    adjust(stock, ID, "L1", 1, location="fridge", order=WHY)
    adjust(stock, ID, "L1", -2, location="main", order=WHY)
    assert there(stock) == {"main": 3, "fridge": 3}


def test_a_return_may_go_to_somebody_else(stock: Store) -> None:
    receipt = return_stock(stock, ID, "L1", 1, location="main", supplier="Maker", order=WHY)
    assert receipt.notes == ("returned to Maker",)


def test_what_is_moved_is_neither_lost_nor_found(stock: Store) -> None:
    receipt = move(stock, ID, "L1", 4, to="fridge", location="main", order=Order("anna"))
    assert there(stock) == {"main": 6, "fridge": 6}
    assert receipt.notes == ()
    receipt = move(stock, ID, "L1", 6, to="cabinet", location="main", order=Order("anna"))
    assert receipt.notes == ("'cabinet' is a new place: nothing was ever there before",)
    assert there(stock) == {"cabinet": 6, "fridge": 6}
    with pytest.raises(OrderError, match="is at 'fridge' already") as error:
        move(stock, ID, "L1", 1, to=" fridge", location="fridge", order=Order("anna"))
    assert codes(error) == ["location"]


def test_where_it_was_must_be_said_if_there_are_several_places(stock: Store) -> None:
    with pytest.raises(OrderError, match=r"2 at 'fridge', 10 at 'main'") as error:
        waste(stock, ID, "L1", 1, order=WHY)
    assert codes(error) == ["location"]
    move(stock, ID, "L1", 2, to="main", location="fridge", order=WHY)
    waste(stock, ID, "L1", 12, order=WHY)
    assert there(stock) == {}
    with pytest.raises(OrderError, match="no whole container is left anywhere"):
        waste(stock, ID, "L1", 1, order=WHY)
    with pytest.raises(OrderError, match="say where with --location"):
        adjust(stock, ID, "L1", 1, order=WHY)
    adjust(stock, ID, "L1", 1, location="main", order=WHY)


def test_more_than_is_there_cannot_go(stock: Store) -> None:
    before = stock_view(stock).anchor
    for work in (
        lambda: waste(stock, ID, "L1", 3, location="fridge", order=WHY),
        lambda: return_stock(stock, ID, "L1", 3, location="fridge", order=WHY),
        lambda: move(stock, ID, "L1", 3, to="main", location="fridge", order=WHY),
        lambda: adjust(stock, ID, "L1", -3, location="fridge", order=WHY),
        lambda: waste(stock, ID, "L1", 1, location="nowhere", order=WHY),
    ):
        with pytest.raises(ShortStockError, match="asked for"):
            work()
    assert stock_view(stock).anchor == before


def test_what_leaves_without_a_session_needs_a_reason(stock: Store) -> None:
    for work in (
        lambda order: waste(stock, ID, "L1", 1, location="main", order=order),
        lambda order: return_stock(stock, ID, "L1", 1, location="main", order=order),
        lambda order: adjust(stock, ID, "L1", 1, location="main", order=order),
        lambda order: waste_opened(stock, 1, order=order),
    ):
        with pytest.raises(OrderError, match="a reason is missing") as error:
            work(Order("anna"))
        assert codes(error) == ["reason"]


@pytest.mark.parametrize("containers", [0, -1, 1.5, "1", True, None, 10**30])
def test_figures_that_cannot_be_are_refused(stock: Store, containers: Any) -> None:
    for work in (
        lambda: waste(stock, ID, "L1", containers, location="main", order=WHY),
        lambda: move(stock, ID, "L1", containers, to="fridge", location="main", order=WHY),
    ):
        with pytest.raises(OrderError) as error:
            work()
        assert codes(error) == ["containers"]
    if containers != -1:
        with pytest.raises(OrderError, match="with its sign"):
            adjust(stock, ID, "L1", containers, location="main", order=WHY)


HOSTILE = ["", "  ", "a\nb", "\x1b[31m", "x" * 10_000, "\u202e", "\udcff", None, 7]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_that_nobody_could_read_are_refused_all_at_once(stock: Store, text: Any) -> None:
    with pytest.raises(OrderError) as error:
        move(stock, ID, text, 1, to=text, location="main", order=Order("anna"))
    assert sorted(codes(error)) == ["location", "lot"]
    assert all(len(line) < 300 and line.isprintable() for line in str(error.value).splitlines())


@pytest.mark.parametrize("text", ["'; DROP TABLE movement; --", '=HYPERLINK("x")', "{0.__class__}", "日本"])
def test_a_text_that_prints_is_a_name_like_any_other(stock: Store, text: str) -> None:
    receipt = move(stock, ID, "L1", 1, to=text, location="main", order=Order(text, text, None, text))
    assert there(stock)[text] == 1
    assert movements_of(stock, receipt.movements)[0].reason == text
    with pytest.raises(OrderError, match="is not in the stock"):
        waste(stock, ID, text, 1, order=WHY)
    with pytest.raises(OrderError, match="is not in the stock"):
        waste(stock, text, "L1", 1, order=WHY)


def test_nothing_is_made_where_there_is_no_stock(tmp_path: Any) -> None:
    with open_stock(tmp_path / "none.sqlite") as store:
        for work in (
            lambda: waste(store, ID, "L1", 1, order=WHY),
            lambda: waste_opened(store, 1, order=WHY),
            lambda: move_opened(store, 1, to="main", order=WHY),
        ):
            with pytest.raises(OrderError, match="is the path right"):
                work()
    assert list(tmp_path.iterdir()) == []


def test_the_same_request_changes_nothing(stock: Store) -> None:
    def asked(request: str) -> Order:
        return Order("anna", "because", None, request)

    works = {
        "w": lambda order: waste(stock, ID, "L1", 1, location="main", order=order),
        "r": lambda order: return_stock(stock, ID, "L1", 1, location="main", order=order),
        "m": lambda order: move(stock, ID, "L1", 1, to="fridge", location="main", order=order),
        "a": lambda order: adjust(stock, ID, "L1", -1, location="main", order=order),
    }
    first = {name: work(asked(name)) for name, work in works.items()}
    before = there(stock)
    for name, work in works.items():
        again = work(asked(name))
        assert (again.repeated, again.movement) == (True, first[name].movement)
    assert there(stock) == before == {"main": 6, "fridge": 3}
    others = {
        "w": lambda order: waste(stock, ID, "L1", 2, location="main", order=order),
        "r": lambda order: return_stock(stock, ID, "L1", 1, location="main", supplier="X", order=order),
        "m": lambda order: move(stock, ID, "L1", 1, to="other", location="main", order=order),
        "a": lambda order: adjust(stock, ID, "L1", 1, location="main", order=order),
    }
    for name, work in others.items():
        with pytest.raises(OrderError, match="says something else") as error:
            work(asked(name))
        assert codes(error) == ["request"]


def test_a_late_waste_before_a_count_is_compensated_and_the_count_stays_true(
    stock: Store, clock: Clock
) -> None:
    clock.skip(days=1)
    count(stock, "main", 9, clock)
    clock.skip(days=1)
    receipt = waste(stock, ID, "L1", 4, location="main", order=late(clock, days=1, hours=20))
    assert kinds(stock, receipt.movements) == ["compensation", "waste"]
    assert there(stock)["main"] == 9
    receipt = adjust(stock, ID, "L1", 3, location="main", order=late(clock, days=1, hours=20))
    assert kinds(stock, receipt.movements) == ["adjust", "compensation"]
    assert there(stock)["main"] == 9
    receipt = move(stock, ID, "L1", 2, to="fridge", location="main", order=late(clock, days=1, hours=20))
    assert kinds(stock, receipt.movements) == ["compensation", "move"]
    assert there(stock) == {"main": 9, "fridge": 4}


def test_a_late_entry_does_not_empty_a_past_day_twice(stock: Store, clock: Clock) -> None:
    clock.skip(days=1)
    use(stock, ID, "L1", containers=2, reference="S-0001", location="fridge", order=Order("anna"))
    clock.skip(days=1)
    move(stock, ID, "L1", 5, to="fridge", location="main", order=WHY)
    clock.skip(days=1)
    with pytest.raises(ShortStockError, match="at the end of 2026-05-05"):
        waste(stock, ID, "L1", 1, location="fridge", order=late(clock, days=3))
    waste(stock, ID, "L1", 1, location="fridge", order=late(clock, hours=20))
    with pytest.raises(OrderError, match="lies in the future"):
        waste(stock, ID, "L1", 1, location="fridge", order=late(clock, days=-1))


def test_what_was_kept_for_picks_may_go_and_the_picks_are_named(stock: Store) -> None:
    reserve(stock, 8, "S-001")
    assert waste(stock, ID, "L1", 2, location="main", order=WHY).notes == ()
    (note,) = waste(stock, ID, "L1", 1, location="main", order=WHY).notes
    assert note.startswith("7 of lot 'L1' of acme/c-500 are left there and 8 kept for pick 2 for S-001")
    assert "kept for pick 2" in move(stock, ID, "L1", 1, to="fridge", location="main", order=WHY).notes[0]
    assert "kept for pick 2" in return_stock(stock, ID, "L1", 1, location="main", order=WHY).notes[1]
    assert "kept for pick 2" in adjust(stock, ID, "L1", -1, location="main", order=WHY).notes[0]
    assert adjust(stock, ID, "L1", 4, location="main", order=WHY).notes == ()


def test_expired_quarantined_and_recalled_stock_can_be_wasted_returned_and_moved(stock: Store) -> None:
    quarantine(stock, ID, "L1", order=WHY)
    waste(stock, ID, "L1", 1, location="main", order=WHY)
    return_stock(stock, ID, "L1", 1, location="main", order=WHY)
    move(stock, ID, "L1", 1, to="cabinet", location="main", order=WHY)
    assert all(entry.quarantined for entry in stock_view(stock).on_hand)


def test_moving_carries_the_quarantine_of_the_place_along(stock: Store) -> None:
    quarantine(stock, ID, "L1", location="fridge", order=WHY)
    receipt = move(stock, ID, "L1", 1, to="main", location="fridge", order=WHY)
    assert receipt.notes == ("lot 'L1' of acme/c-500 is quarantined at 'fridge', and so it is now at 'main'",)
    (movement,) = movements_of(stock, receipt.movements)
    assert [(line.location, line.containers, line.fact, line.new) for line in movement.lines] == [
        ("fridge", -1, None, None),
        ("main", 1, None, None),
        ("main", 0, "quarantined", "yes"),
    ]
    assert {entry.location: entry.quarantined for entry in stock_view(stock).on_hand} == {
        "fridge": True,
        "main": True,
    }
    again = move(stock, ID, "L1", 1, to="main", location="fridge", order=WHY)
    assert len(movements_of(stock, again.movements)[0].lines) == 2


def test_what_was_moved_before_the_quarantine_is_not_in_it(stock: Store, clock: Clock) -> None:
    clock.skip(days=1)
    quarantine(stock, ID, "L1", location="fridge", order=WHY)
    receipt = move(stock, ID, "L1", 1, to="main", location="fridge", order=late(clock, hours=5))
    assert receipt.notes == (
        "lot 'L1' of acme/c-500 was quarantined at 'fridge' after that; what was moved is not",
    )
    assert {entry.location: entry.quarantined for entry in stock_view(stock).on_hand} == {
        "fridge": True,
        "main": False,
    }


@pytest.fixture
def opened(stock: Store, make_product: Callable[..., Product]) -> Store:
    """The same with an opened vial of 10 mL, number 1, and one of unknown volume, number 2."""
    vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
    lidocaine = make_product("lido", parts=(vial,), doses=Doses.MULTI)
    unknown = make_product("odd", parts=(Part(ContainerKind.VIAL, Form.SOLUTION),))
    receive(stock, [Delivery(lidocaine, "V1", 1, None), Delivery(unknown, "U1", 1, None)], actor="anna")
    for product, lot in (("acme/lido", "V1"), ("acme/odd", "U1")):
        open_container(stock, product, lot, rules=(), order=Order("anna"))
    return stock


def test_a_part_of_an_opened_container_may_be_thrown_away_and_then_the_rest(opened: Store) -> None:
    receipt = waste_opened(opened, 1, volume=quantity("2.5", "mL"), order=WHY)
    assert receipt.notes == ("7.5 mL by the label is left in opened container 1",)
    assert [(one.id, one.nanolitres) for one in stock_view(opened).opened] == [(1, 7_500_000), (2, None)]
    receipt = waste_opened(opened, 1, order=WHY)
    line = movements_of(opened, receipt.movements)[0].lines[0]
    assert (line.nanolitres, line.becomes) == (-7_500_000, "gone")
    assert [one.id for one in stock_view(opened).opened] == [2]
    with pytest.raises(OrderError, match="opened container 1 is gone"):
        waste_opened(opened, 1, order=WHY)


def test_throwing_away_exactly_what_is_left_leaves_nothing(opened: Store) -> None:
    waste_opened(opened, 1, volume=quantity("10", "mL"), order=WHY)
    assert [one.id for one in stock_view(opened).opened] == [2]


def test_an_opened_container_of_unknown_volume_goes_as_a_whole(opened: Store) -> None:
    for part in ({"volume": quantity("1", "mL")}, {"mass": quantity("1", "mg")}):
        with pytest.raises(OrderError, match="measured neither way"):
            waste_opened(opened, 2, **part, order=WHY)
    waste_opened(opened, 2, order=WHY)
    assert [one.id for one in stock_view(opened).opened] == [1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"volume": quantity("10.000001", "mL")}, "10 mL is left by the label"),
        ({"mass": quantity("1", "mg")}, "is measured by volume, not by mass"),
        ({"volume": quantity("1", "mg")}, "1 mg is no volume"),
        ({"volume": quantity("0", "mL")}, "above 0"),
        ({"volume": quantity("0.0000001", "mL")}, "a whole number of nL"),
        ({"volume": quantity("1", "mL"), "mass": quantity("1", "mg")}, "not both"),
    ],
)
def test_what_cannot_go_out_of_an_opened_container_is_refused(
    opened: Store, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(OrderError, match=said):
        waste_opened(opened, 1, **given, order=WHY)


@pytest.mark.parametrize("number", [0, -1, 2**70, 1.0, True, "1", None])
def test_a_number_that_is_none_is_refused(stock: Store, number: Any) -> None:
    for work in (
        lambda: waste_opened(stock, number, order=WHY),
        lambda: move_opened(stock, number, to="fridge", order=WHY),
    ):
        with pytest.raises(OrderError) as error:
            work()
        assert codes(error) == ["opened"]


def test_an_opened_container_is_moved_with_its_quarantine(opened: Store) -> None:
    quarantine_opened(opened, 1, order=WHY)
    receipt = move_opened(opened, 1, to="fridge", order=Order("anna"))
    line = movements_of(opened, receipt.movements)[0].lines[0]
    assert (line.location, line.fact, line.old, line.new) == ("fridge", "moved", "main", "fridge")
    moved = stock_view(opened).opened[0]
    assert (moved.location, moved.quarantined, moved.nanolitres) == ("fridge", True, 10_000_000)
    with pytest.raises(OrderError, match="is at 'fridge' already"):
        move_opened(opened, 1, to="fridge", order=Order("anna"))
    with pytest.raises(OrderError, match="no opened container has the number 9"):
        move_opened(opened, 9, to="main", order=Order("anna"))


def test_nothing_is_thrown_away_before_it_was_opened(opened: Store, clock: Clock) -> None:
    clock.skip(days=2)
    with pytest.raises(OrderError, match=r"was opened on 2026-05-04 \d\d:\d\d; expected a later") as error:
        waste_opened(opened, 1, order=late(clock, days=3))
    assert codes(error) == ["at"]
    waste_opened(opened, 1, order=late(clock, days=1))


@pytest.mark.parametrize("number", range(2))
def test_requests_on_opened_containers_are_repeated_too(opened: Store, number: int) -> None:
    order = Order("anna", "because", None, "r1")
    works = (
        lambda to: waste_opened(opened, 1, volume=quantity(to, "mL"), order=order),
        lambda to: move_opened(opened, 1, to=to, order=order),
    )
    first = works[number]("1")
    assert works[number]("1").movement == first.movement
    with pytest.raises(OrderError, match="says something else"):
        works[number]("2")


@given(st.integers(1, 10**15 - 1))
def test_every_whole_number_of_nanolitres_goes_in_and_comes_out_unchanged(number: int) -> None:
    problems: list[Any] = []
    assert in_smallest(problems, quantity(Decimal(number).scaleb(-6), "mL"), "mL") == number
    assert in_smallest(problems, quantity(Decimal(number).scaleb(-12), "kg"), "mg") == number
    assert problems == []


def test_an_opened_container_stays_where_its_last_move_took_it(opened: Store, clock: Clock) -> None:
    clock.now += timedelta(days=3)
    last = move_opened(opened, 1, to="fridge", order=Order("anna"))
    with pytest.raises(OrderError, match=r"was moved to 'fridge' after that, .* \(movement \d+\)") as error:
        move_opened(opened, 1, to="room 2", order=late(clock, days=1))
    assert codes(error) == ["at"]
    assert stock_view(opened).opened[0].location == "fridge"
    reverse(opened, last.movement, order=WHY)
    move_opened(opened, 1, to="room 2", order=late(clock, days=1))
    assert stock_view(opened).opened[0].location == "room 2"
