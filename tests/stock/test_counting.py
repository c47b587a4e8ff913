"""Counts: a snapshot, what was found, and a ledger that agrees with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoformula.errors import OrderError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.count_figures import Found
from mesoformula.stock.counts.count_sheets import CountSheet, count_sheet
from mesoformula.stock.counts.counting import count_differences, open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.records import Delivery, MovementKind, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WHO = Order("ana")
WHY = Order("ana", "yearly count")


@attrs.define
class Clock:
    """Tells what it is set to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: int) -> datetime:
        self.now += timedelta(**by)
        return self.now


@attrs.define
class Shelf:
    """A stock with a clock, and a few words for what happens in it."""

    store: Store
    clock: Clock
    product: Product

    def receive(self, lot: str, containers: int, location: str = "main", **facts: object) -> Receipt:
        expiry = facts.pop("expiry", date(2028, 5, 31))
        delivery = Delivery(self.product, lot, containers, expiry, location, **facts)  # type: ignore[arg-type]
        return receive(self.store, [delivery], actor="ana")

    def move(self, lot: str, containers: int, location: str = "main", at: datetime | None = None) -> Receipt:
        """Record that containers came or went, as any other use case would."""

        def work(posting: object) -> None:
            found = find_lot(posting.connection, self.product.id, lot)  # type: ignore[attr-defined]
            posting.post(  # type: ignore[attr-defined]
                MovementKind.WASTE, [Entry(lot=found, location=location, containers=containers)]
            )

        return carry_out(self.store, Order("ben", at=at), {"kind": "waste", "lot": lot}, work)

    def there(self, lot: str, location: str = "main") -> int:
        view = stock_view(self.store)
        return sum(one.containers for one in view.on_hand if (one.lot, one.location) == (lot, location))

    def sheet(self, number: int | None = None) -> CountSheet:
        return count_sheet(self.store, number)


@pytest.fixture
def shelf(path: Path, make_product: Callable[..., Product]) -> Iterator[Shelf]:
    clock = Clock()
    with open_stock(path, zone=UTC, clock=clock) as store:
        yield Shelf(store, clock, make_product())
        assert verify(store).problems == ()


def refused(call: Callable[[], object]) -> list[str]:
    with pytest.raises(OrderError) as caught:
        call()
    return [problem.message for problem in caught.value.problems]


# ---- opening -------------------------------------------------------------------------------------------


def test_a_count_lists_every_lot_and_place_with_containers_in_walking_order(shelf):
    shelf.receive("B", 2, "fridge", expiry=None)
    shelf.receive("A", 3, "main")
    shelf.receive("C", 4, "fridge")
    shelf.receive("gone", 1)
    shelf.move("gone", -1)
    receipt = open_count(shelf.store, order=WHO)
    sheet = shelf.sheet(receipt.movement)

    assert [(one.line, one.location, one.lot, one.expected) for one in sheet.lines] == [
        (1, "fridge", "C", 4),
        (2, "fridge", "B", 2),
        (3, "main", "A", 3),
    ]
    assert (sheet.number, sheet.opened_at, sheet.posted_by) == (receipt.movement, NOON, None)
    assert shelf.sheet() == sheet


def test_opening_changes_nothing_that_is_there(shelf):
    shelf.receive("A", 3)
    before = stock_view(shelf.store).on_hand
    open_count(shelf.store, order=WHO)

    assert stock_view(shelf.store).on_hand == before


def test_a_count_may_be_of_one_place_or_one_product(shelf, make_product):
    other = Delivery(make_product("b-1"), "X", 1, None, "main")
    shelf.receive("A", 3, "main")
    shelf.receive("A", 4, "fridge")
    receive(shelf.store, [other], actor="ana")

    def lots(**which: str) -> list[tuple[str, str]]:
        open_count(shelf.store, order=WHO, **which)
        return [(one.lot, one.location) for one in shelf.sheet().lines]

    assert lots(location="main") == [("X", "main"), ("A", "main")]
    assert lots(product="acme/c-500") == [("A", "fridge"), ("A", "main")]
    assert lots(product="acme/c-500@1", location=" fridge ") == [("A", "fridge")]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ({"location": "fridg"}, "did you mean 'fridge'?"),
        ({"location": "x\ny"}, "characters that do not print"),
        ({"product": "acme/c-50"}, "did you mean 'acme/c-500'?"),
        ({"product": "acme/c-500@7"}, "no whole container is there by the ledger"),
        ({"product": "acme/c-500@x"}, "no whole container is there by the ledger"),
        ({"location": "empty"}, "no whole container is there at 'empty' by the ledger"),
    ],
)
def test_where_nothing_is_there_is_nothing_to_count(shelf, which, said):
    shelf.receive("A", 3, "fridge")
    shelf.receive("A", 1, "empty")
    shelf.move("A", -1, "empty")
    (message,) = refused(lambda: open_count(shelf.store, order=WHO, **which))

    assert said in message


def test_a_count_can_be_of_a_moment_that_has_passed(shelf):
    shelf.receive("A", 3)
    evening = shelf.clock.forward(hours=6)
    shelf.clock.forward(hours=12)
    shelf.move("A", -1)
    number = open_count(shelf.store, order=attrs.evolve(WHO, at=evening)).movement
    (line,) = shelf.sheet(number).lines

    assert (line.expected, line.moved, line.movements) == (3, -1, (2,))
    post_count(shelf.store, number, {1: 5}, order=WHY)
    assert shelf.there("A") == 4


def test_a_stock_that_does_not_exist_has_no_count(shelf):
    assert "no count was opened yet" in refused(shelf.sheet)[0]
    shelf.receive("A", 3)
    assert "no count was opened yet" in refused(shelf.sheet)[0]
    number = open_count(shelf.store, order=WHO).movement
    for wrong in (0, 1, -5, 10**30):
        message = refused(lambda wrong=wrong: shelf.sheet(wrong))[0]
        assert message == f"movement {wrong} opened no count; the latest count is {number}"


# ---- posting -------------------------------------------------------------------------------------------


def test_a_blank_leaves_the_stock_alone_and_a_zero_empties_it(shelf):
    for lot in "ABCD":
        shelf.receive(lot, 5)
    number = open_count(shelf.store, order=WHO).movement
    receipt = post_count(shelf.store, number, {1: None, 2: 0, 3: 7}, order=WHY)

    assert [shelf.there(lot) for lot in "ABCD"] == [5, 0, 7, 5]
    (movement,) = movements_of(shelf.store, receipt.movements)
    assert movement.kind is MovementKind.COUNT
    assert movement.reason == "yearly count"
    assert movement.effective_at == NOON
    assert [(one.lot, one.containers, one.counted) for one in movement.lines] == [
        ("B", -5, 0),
        ("C", 2, 7),
        (None, 0, None),
    ]
    assert shelf.sheet(number).posted_by == receipt.movement


def test_what_was_moved_meanwhile_stays_as_recorded(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(minutes=30)
    shelf.move("A", -3)
    shelf.receive("A", 5)
    shelf.clock.forward(minutes=30)
    (line,) = shelf.sheet(number).lines
    assert (line.expected, line.moved, line.movements) == (10, 2, (3, 4))
    post_count(shelf.store, number, {1: 9}, order=WHY)

    assert shelf.there("A") == 9 - 3 + 5


def test_a_later_moment_can_be_named_as_that_of_the_counting(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(minutes=30)
    shelf.move("A", -3)
    counted_at = shelf.clock.forward(minutes=5)
    shelf.clock.forward(minutes=5)
    shelf.move("A", -1)
    order = attrs.evolve(WHY, at=counted_at)
    (difference,) = count_differences(shelf.store, number, {1: 6}, order=order)
    assert (difference.there, difference.containers, difference.now) == (7, -1, 5)
    post_count(shelf.store, number, {1: 6}, order=order)

    assert shelf.there("A") == 5


def test_a_moment_before_the_snapshot_or_in_the_future_is_refused(shelf):
    shelf.receive("A", 10)
    shelf.clock.forward(hours=1)
    number = open_count(shelf.store, order=WHO).movement
    for moment, said in (
        (NOON, "was opened later"),
        (NOON + timedelta(hours=2), "lies in the future"),
        (NOON.replace(tzinfo=None), "expected a moment with its time zone"),
    ):
        order = attrs.evolve(WHY, at=moment)
        assert said in refused(lambda order=order: post_count(shelf.store, number, {1: 1}, order=order))[0]
    assert shelf.there("A") == 10


def test_what_is_recorded_late_does_not_change_what_was_counted(shelf):
    shelf.receive("A", 10)
    morning = shelf.clock.forward(minutes=1)
    shelf.clock.forward(hours=1)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(hours=1)
    shelf.move("A", -2, at=morning)
    (difference,) = count_differences(shelf.store, number, {1: 8}, order=WHO)
    assert (difference.there, difference.containers) == (8, 0)
    post_count(shelf.store, number, {1: 8}, order=WHY)
    shelf.move("A", -3, at=morning)

    assert shelf.there("A") == 8


def test_a_clock_that_was_put_back_does_not_count_anything_twice(shelf):
    shelf.receive("A", 10)
    shelf.clock.forward(seconds=-30)
    number = open_count(shelf.store, order=WHO).movement
    post_count(shelf.store, number, {1: 9}, order=WHY)

    assert shelf.there("A") == 9


def test_a_count_older_than_another_one_leaves_the_stock_of_today_as_the_later_one_found_it(shelf):
    shelf.receive("A", 10)
    first = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(hours=1)
    second = open_count(shelf.store, order=WHO).movement
    post_count(shelf.store, second, {1: 8}, order=WHY)
    (difference,) = count_differences(shelf.store, first, {1: 0}, order=WHO)
    assert (difference.containers, difference.now) == (-10, 8)
    post_count(shelf.store, first, {1: 0}, order=WHY)

    assert shelf.there("A") == 8


def test_less_than_what_has_gone_since_is_refused_with_the_movements(shelf):
    shelf.receive("A", 10)
    shelf.receive("B", 10)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(minutes=1)
    shelf.move("A", -4)
    shelf.move("A", -2)
    before = stock_view(shelf.store).anchor
    with pytest.raises(OrderError) as caught:
        post_count(shelf.store, number, {1: 5, 2: 3}, order=WHY)
    (problem,) = caught.value.problems

    assert problem.line == 1
    assert "5 counted of lot 'A' of acme/c-500@1 at 'main', and 6 more have gone since" in problem.message
    assert "(movement 4, 5)" in problem.message
    assert stock_view(shelf.store).anchor == before
    post_count(shelf.store, number, {1: 6, 2: 3}, order=WHY)
    assert (shelf.there("A"), shelf.there("B")) == (0, 3)


def test_a_count_is_posted_once(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    once = attrs.evolve(WHY, request_id="count-1")
    first = post_count(shelf.store, number, {1: 8}, order=once)
    message = refused(lambda: post_count(shelf.store, number, {1: 7}, order=WHY))[0]
    assert f"count {number} was posted already, by movement {first.movement}" in message
    again = post_count(shelf.store, number, {1: 8, 2: None}, order=once)

    assert (again.repeated, again.movement, again.anchor) == (True, first.movement, first.anchor)
    message = refused(lambda: post_count(shelf.store, number, {1: 7}, order=once))[0]
    assert "says something else" in message
    assert shelf.there("A") == 8


@pytest.mark.parametrize("wrong", [-1, 1.5, 1_000_001, "3", True])
def test_a_figure_that_is_no_whole_number_is_refused_with_its_line(shelf, wrong):
    shelf.receive("A", 10)
    shelf.receive("B", 10)
    number = open_count(shelf.store, order=WHO).movement
    with pytest.raises(OrderError) as caught:
        post_count(shelf.store, number, {1: 5, 2: wrong}, order=WHY)
    (problem,) = caught.value.problems

    assert (problem.code, problem.line) == ("containers", 2)
    assert problem.message.startswith("line 2: containers")


def test_everything_that_is_wrong_is_said_at_once(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    order = Order(" ", None)
    found = [Found("acme/c-500", "x\x1b", 0, remark="y" * 3000)]
    with pytest.raises(OrderError) as caught:
        post_count(shelf.store, number, {1: -1}, order=order, found=found, remarks={1: "\x00"})
    codes = [problem.code for problem in caught.value.problems]

    assert codes == ["actor", "reason", "containers", "remark", "lot", "containers", "remark"]
    assert [one.where for one in caught.value.problems[-3:]] == [("found", 1)] * 3


def test_lines_that_the_count_has_not_and_nothing_at_all_are_refused(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    assert refused(lambda: post_count(shelf.store, number, {0: 1, 2: 1, 10**30: 1}, order=WHY)) == [
        f"line {line}: count {number} has lines 1 to 1" for line in (0, 2, 10**30)
    ]
    assert "nothing was counted" in refused(lambda: post_count(shelf.store, number, {1: None}, order=WHY))[0]


def test_remarks_are_kept_also_of_lines_that_were_not_counted(shelf):
    shelf.receive("A", 10)
    shelf.receive("B", 10)
    number = open_count(shelf.store, order=WHO).movement
    once = attrs.evolve(WHY, request_id="r")
    remarks = {1: "behind the door", 2: "two are dusty"}
    receipt = post_count(shelf.store, number, {2: 10}, order=once, remarks=remarks)
    (movement,) = movements_of(shelf.store, [receipt.movement])

    assert [(one.lot, one.counted, one.remark) for one in movement.lines[:2]] == [
        ("A", None, "behind the door"),
        ("B", 10, "two are dusty"),
    ]
    assert post_count(shelf.store, number, {2: 10}, order=once, remarks=remarks).repeated


def test_what_is_kept_for_picks_and_not_there_is_pointed_out(shelf):
    shelf.receive("A", 10)

    def work(posting: object) -> None:
        found = find_lot(posting.connection, "acme/c-500", "A")  # type: ignore[attr-defined]
        lapses_at = posting.at + 10**12  # type: ignore[attr-defined]
        posting.post(  # type: ignore[attr-defined]
            MovementKind.PICK, [Entry(lot=found, location="main", reserved=4)], lapses_at=lapses_at
        )

    carry_out(shelf.store, WHO, {"kind": "pick"}, work)
    number = open_count(shelf.store, order=WHO).movement
    receipt = post_count(shelf.store, number, {1: 3}, order=WHY)

    assert receipt.notes == (
        "4 containers of lot 'A' of acme/c-500@1 at 'main' are kept for picks, and 3 are there: pick again",
    )


# ---- what was found beside it --------------------------------------------------------------------------


def test_a_lot_that_should_be_used_up_and_is_found_is_put_back(shelf):
    shelf.receive("A", 10)
    shelf.receive("old", 1)
    shelf.move("old", -1)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(minutes=1)
    found = [Found("acme/c-500", "old", 2, remark="under the tray")]
    receipt = post_count(shelf.store, number, {}, order=WHY, found=found)
    (movement,) = movements_of(shelf.store, [receipt.movement])

    assert shelf.there("old") == 2
    assert [(one.lot, one.containers, one.counted, one.remark) for one in movement.lines] == [
        ("old", 2, 2, "under the tray"),
        (None, 0, None, None),
    ]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Found("acme/c-500", "new", 1), "found 1: lot 'new' of 'acme/c-500' is not in the stock"),
        (Found("acme/c-500", "new", 1), "if it is new, receive it or take it over first"),
        (Found("acme/zzz", "A", 1), "found 1: product 'acme/zzz' is not in the stock"),
        (Found("acme/c-500", "A", 1, "main"), "lot 'A' is line 2 of this count; give its figure there"),
        (Found("acme/c-500", "A", 1), "at which place? This count is of 'fridge', 'main'"),
        (Found("acme/c-500", "A", 1, "cellar"), "nothing was ever at 'cellar'"),
    ],
)
def test_what_cannot_be_found_there_is_refused(shelf, found, said):
    shelf.receive("A", 10)
    shelf.receive("B", 10, "fridge")
    number = open_count(shelf.store, order=WHO).movement
    (message,) = refused(lambda: post_count(shelf.store, number, {}, order=WHY, found=[found]))

    assert said in message


def test_what_came_after_the_count_was_opened_is_not_found(shelf):
    shelf.receive("A", 10)
    number = open_count(shelf.store, order=WHO).movement
    shelf.clock.forward(minutes=1)
    shelf.receive("new", 4)
    found = [Found("acme/c-500", "new", 4)]
    (message,) = refused(lambda: post_count(shelf.store, number, {}, order=WHY, found=found))

    assert "was moved since (movement 3)" in message
    counted_at = attrs.evolve(WHY, at=shelf.clock.forward(minutes=1))
    post_count(shelf.store, number, {}, order=counted_at, found=found)
    assert shelf.there("new") == 4


def test_the_same_lot_found_twice_is_refused(shelf):
    shelf.receive("A", 10)
    shelf.receive("B", 1, "fridge")
    number = open_count(shelf.store, location="main", order=WHO).movement
    found = [Found("acme/c-500", "B", 1), Found("acme/c-500@1", "B", 2, "main")]
    (message,) = refused(lambda: post_count(shelf.store, number, {}, order=WHY, found=found))

    assert message == "found 2: lot 'B' is given by found 1 already; add them up"


# ---- on both databases, and at random ------------------------------------------------------------------


def test_a_count_works_on_either_database(any_store, make_product):
    delivery = Delivery(make_product(), "A", 5, None)
    receive(any_store, [delivery], actor="ana")
    number = open_count(any_store, order=WHO).movement
    post_count(any_store, number, {1: 3}, order=WHY)

    assert [one.containers for one in stock_view(any_store).on_hand] == [3]
    assert count_sheet(any_store).posted_by == 3
    assert verify(any_store).problems == ()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_happens_between_snapshot_and_posting_what_is_there_is_counted_plus_moved(
    data, tmp_path_factory, make_product
):
    """The oracle is one sum: what was counted, and every movement that happened after that."""
    clock = Clock()
    path = tmp_path_factory.mktemp("random") / "stock.sqlite"
    with open_stock(path, zone=UTC, clock=clock) as store:
        shelf = Shelf(store, clock, make_product())
        shelf.receive("A", 50)
        start = clock.forward(minutes=10)
        number = open_count(store, order=WHO).movement
        counted_at = start + timedelta(minutes=data.draw(st.integers(0, 20)))
        moved = 0
        for _ in range(data.draw(st.integers(0, 5))):
            now = clock.forward(minutes=data.draw(st.integers(1, 9)))
            change = data.draw(st.integers(-5, 5).filter(bool))
            at = now - timedelta(minutes=data.draw(st.integers(0, 15)))
            shelf.move("A", change, at=at)
            moved += change if at > counted_at else 0
        clock.forward(hours=1)
        figure = data.draw(st.integers(30, 60))
        post_count(store, number, {1: figure}, order=attrs.evolve(WHY, at=counted_at))

        assert shelf.there("A") == figure + moved
        shelf.move("A", data.draw(st.integers(-3, 3).filter(bool)), at=NOON + timedelta(minutes=1))
        assert shelf.there("A") == figure + moved
        assert verify(store).problems == ()
