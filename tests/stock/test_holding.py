"""Quarantine, excursions, release and recall: what is kept apart, since when, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from mesoformula import quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.holding import (
    quarantine,
    quarantine_excursion,
    quarantine_opened,
    recall_lot,
    release_lot,
    release_opened,
)
from mesoformula.stock.moves.moving import move, return_stock
from mesoformula.stock.moves.moving_opened import move_opened
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.mixing import Drawn, mix
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use, use_opened
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

ID = "acme/c-500"
START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
WHY = Order("anna", "the maker wrote")


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
    """Lot L1 under two revisions, at main and at the fridge, and a vial for many doses at the fridge."""
    with open_stock(place, zone=UTC, clock=clock) as store:
        product = make_product()
        vial = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL"))
        lidocaine = make_product("lido", parts=(vial,), doses=Doses.MULTI, in_use_period=quantity("28", "d"))
        receive(
            store,
            [
                Delivery(product, "L1", 10, date(2027, 3, 31)),
                Delivery(product, "L1", 5, date(2027, 3, 31), location="fridge"),
                Delivery(attrs.evolve(product, revision=2), "L1", 3, date(2027, 3, 31)),
                Delivery(lidocaine, "V1", 4, None, location="fridge"),
            ],
            actor="anna",
        )
        yield store
        assert verify(store).problems == ()


def late(clock: Clock, **ago: float) -> Order:
    return Order("anna", "because", clock.now - timedelta(**ago))


def held(store: Store) -> set[tuple[str, int, str]]:
    """Product, revision and place of what is quarantined."""
    return {
        (one.product.sku, one.product.revision, one.location)
        for one in stock_view(store).on_hand
        if one.quarantined
    }


def recalled(store: Store) -> set[tuple[str, int]]:
    return {(one.product.sku, one.product.revision) for one in stock_view(store).on_hand if one.recalled}


def codes(error: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_lot_is_quarantined_everywhere_under_every_revision(stock: Store) -> None:
    receipt = quarantine(stock, ID, "L1", order=WHY)
    assert held(stock) == {("c-500", 1, "main"), ("c-500", 1, "fridge"), ("c-500", 2, "main")}
    (movement,) = movements_of(stock, receipt.movements)
    assert (movement.kind, movement.reason) == (MovementKind.QUARANTINE, "the maker wrote")
    assert [(line.old, line.new, line.location) for line in movement.lines] == [("no", "yes", None)] * 2
    with pytest.raises(OrderError, match="quarantined already, since 2026-05-04") as error:
        quarantine(stock, ID, "L1", order=WHY)
    assert codes(error) == ["quarantined", "quarantined"]


def test_a_revision_or_a_place_may_be_quarantined_alone(stock: Store) -> None:
    quarantine(stock, f"{ID}@2", "L1", order=WHY)
    assert held(stock) == {("c-500", 2, "main")}
    quarantine(stock, f"{ID}@1", "L1", location="fridge", order=WHY)
    assert held(stock) == {("c-500", 2, "main"), ("c-500", 1, "fridge")}
    with pytest.raises(OrderError, match=r"was never at 'frigde'; it was at 'fridge' and 'main'"):
        quarantine(stock, f"{ID}@1", "L1", location="frigde", order=WHY)


def test_what_is_quarantined_cannot_be_used_until_it_is_released(stock: Store) -> None:
    quarantine(stock, f"{ID}@1", "L1", location="fridge", order=WHY)

    def used(place: str) -> Any:
        return use(
            stock, f"{ID}@1", "L1", containers=1, reference="S-001", location=place, order=Order("anna")
        )

    with pytest.raises(ShortStockError, match="quarantined"):
        used("fridge")
    used("main")
    receipt = release_lot(stock, f"{ID}@1", "L1", location="fridge", order=WHY)
    assert receipt.notes == ("lot 'L1' of acme/c-500 at 'fridge': the quarantine ends",)
    used("fridge")


def test_what_comes_into_a_quarantined_place_is_quarantined_too(stock: Store) -> None:
    quarantine(stock, f"{ID}@1", "L1", order=WHY)
    move(stock, f"{ID}@1", "L1", 1, to="cabinet", location="main", order=WHY)
    assert ("c-500", 1, "cabinet") in held(stock)


def test_quarantine_and_release_need_a_reason_and_a_recall_does_not(stock: Store) -> None:
    for work in (
        lambda: quarantine(stock, ID, "L1", order=Order("anna")),
        lambda: quarantine_opened(stock, 1, order=Order("anna")),
        lambda: quarantine_excursion(stock, "main", order=Order("anna")),
        lambda: release_lot(stock, ID, "L1", order=Order("anna")),
        lambda: release_opened(stock, 1, order=Order("anna")),
    ):
        with pytest.raises(OrderError) as error:
            work()
        assert codes(error) == ["reason"]
    recall_lot(stock, ID, "L1", order=Order("anna"))


def test_a_release_ends_what_holds_everywhere_and_says_what_is_still_held(stock: Store) -> None:
    open_container(stock, "acme/lido", "V1", rules=(), order=Order("anna"))
    quarantine(stock, "acme/lido", "V1", location="fridge", order=WHY)
    quarantine_opened(stock, 1, order=WHY)
    with pytest.raises(OrderError, match=r"neither .*; .* is quarantined at 'fridge': release it there and"):
        release_lot(stock, "acme/lido", "V1", order=WHY)
    quarantine(stock, "acme/lido", "V1", order=WHY)
    recall_lot(stock, "acme/lido", "V1", order=WHY)
    with pytest.raises(OrderError, match="is neither quarantined nor recalled"):
        release_lot(stock, ID, "L1", order=WHY)
    receipt = release_lot(stock, "acme/lido", "V1", order=WHY)
    assert receipt.notes == (
        "lot 'V1' of acme/lido: the quarantine ends",
        "lot 'V1' of acme/lido: the recall ends",
        "lot 'V1' of acme/lido is quarantined at 'fridge': release it there",
        "opened container 1 of it is quarantined on its own",
    )
    release_lot(stock, "acme/lido", "V1", location="fridge", order=WHY)
    assert held(stock) == set()
    assert stock_view(stock).opened[0].quarantined
    release_opened(stock, 1, order=WHY)
    assert not stock_view(stock).opened[0].quarantined
    with pytest.raises(OrderError, match="is not quarantined on its own"):
        release_opened(stock, 1, order=WHY)


def test_a_place_cannot_be_released_from_what_holds_everywhere(stock: Store) -> None:
    quarantine(stock, f"{ID}@1", "L1", order=WHY)
    with pytest.raises(OrderError, match="is quarantined everywhere: release it without a place"):
        release_lot(stock, f"{ID}@1", "L1", location="fridge", order=WHY)


def test_a_recall_blocks_every_revision_and_is_said_once(stock: Store, clock: Clock) -> None:
    first = recall_lot(stock, f"{ID}@2", "L1", order=WHY)
    assert recalled(stock) == {("c-500", 2)}
    second = recall_lot(stock, ID, "L1", order=WHY)
    assert recalled(stock) == {("c-500", 1), ("c-500", 2)}
    assert [line.product.revision for line in movements_of(stock, second.movements)[0].lines] == [1]
    head = stock_view(stock).anchor
    again = recall_lot(stock, ID, "L1", order=Order("ben", "again"))
    assert (again.repeated, again.movement, again.anchor) == (True, second.movement, second.anchor)
    assert again.notes[0].startswith("recalled already, since 2026-05-04 08:")
    assert again.notes[0].endswith(f"movement {second.movement}")
    assert stock_view(stock).anchor == head
    assert first.movement < second.movement
    with pytest.raises(ShortStockError, match="recalled"):
        use(stock, f"{ID}@1", "L1", containers=1, reference="S-001", location="main", order=Order("anna"))
    release_lot(stock, ID, "L1", order=WHY)
    assert recalled(stock) == set()
    with pytest.raises(OrderError, match="was recalled then, and was released since"):
        recall_lot(stock, ID, "L1", order=late(clock, minutes=4))
    assert not recall_lot(stock, ID, "L1", order=WHY).repeated


def test_an_earlier_entry_does_not_undo_a_later_one(stock: Store, clock: Clock) -> None:
    clock.skip(days=1)
    quarantine(stock, f"{ID}@1", "L1", order=WHY)
    clock.skip(days=1)
    release_lot(stock, f"{ID}@1", "L1", order=WHY)
    receipt = quarantine(stock, f"{ID}@1", "L1", order=late(clock, days=2))
    assert receipt.notes == ("it is no longer quarantined now, by a later movement",)
    assert held(stock) == set()
    with pytest.raises(OrderError, match="is neither quarantined"):
        release_lot(stock, f"{ID}@1", "L1", order=late(clock, days=3))
    recall_lot(stock, f"{ID}@1", "L1", order=late(clock, days=2))
    assert recalled(stock) == {("c-500", 1)}


def test_picks_that_keep_some_of_it_are_named(stock: Store) -> None:
    def work(posting: Any) -> None:
        lot = find_lot(posting.connection, f"{ID}@1", "L1")
        lapses = posting.recorded_at + 86_400_000_000
        posting.post(MovementKind.PICK, [Entry(lot, "main", reserved=1)], session="S-001", lapses_at=lapses)

    carry_out(stock, Order("anna"), {"kind": "pick"}, work)
    assert quarantine(stock, f"{ID}@1", "L1", location="fridge", order=WHY).notes == ()
    (note,) = quarantine(stock, f"{ID}@1", "L1", order=WHY).notes
    assert note == ("some of lot 'L1' of acme/c-500 is kept for pick 2 for S-001, and cannot be issued")


def test_an_excursion_quarantines_all_that_is_in_the_place(stock: Store) -> None:
    open_container(stock, "acme/lido", "V1", rules=(), order=Order("anna"))
    quarantine(stock, "acme/lido", "V1", location="fridge", order=WHY)
    receipt = quarantine_excursion(stock, "fridge", order=Order("anna", "12 °C over night"))
    (movement,) = movements_of(stock, receipt.movements)
    assert [(line.lot, line.opened, line.location) for line in movement.lines] == [
        ("L1", None, "fridge"),
        ("V1", 1, "fridge"),
    ]
    assert receipt.notes == ("1 of what it touched was quarantined already",)
    assert held(stock) == {("c-500", 1, "fridge"), ("lido", 1, "fridge")}
    with pytest.raises(OrderError, match="nothing at 'fridge' has to be quarantined") as error:
        quarantine_excursion(stock, "fridge", order=WHY)
    assert set(codes(error)) == {"quarantined"}
    with pytest.raises(OrderError, match="nothing was ever at 'frigde'"):
        quarantine_excursion(stock, "frigde", order=WHY)


def test_an_excursion_follows_what_left_the_place_since(stock: Store, clock: Clock) -> None:
    product = f"{ID}@1"
    nobody = Order("anna")
    use(stock, product, "L1", containers=1, reference="S-BEFORE", location="fridge", order=nobody)
    begun = clock.now + timedelta(hours=1)
    clock.skip(hours=2)
    use(stock, product, "L1", containers=1, reference="S-AFTER", location="fridge", order=nobody)
    wrong = use(stock, product, "L1", containers=1, reference="S-WRONG", location="fridge", order=nobody)
    move(stock, product, "L1", 2, to="cabinet", location="fridge", order=nobody)
    move(stock, product, "L1", 1, to="drawer", location="cabinet", order=nobody)
    use(stock, product, "L1", containers=1, reference="S-DRAWER", location="drawer", order=nobody)
    use(stock, product, "L1", containers=1, reference="S-MAIN", location="main", order=nobody)
    return_stock(stock, "acme/lido", "V1", 1, order=WHY)
    open_container(stock, "acme/lido", "V1", rules=(), order=nobody)
    use_opened(stock, 1, volume=quantity("1.5", "mL"), reference="S-VIAL", order=nobody)
    move_opened(stock, 1, to="room 2", order=nobody)
    mix(
        stock,
        "blend",
        [Drawn(1, quantity("2", "mL"))],
        rules=(),
        location="room 3",
        order=Order("anna", "leaflet"),
        volume=quantity("2", "mL"),
        reference="S-MIX",
    )
    use_opened(stock, 2, volume=quantity("1", "mL"), reference="S-MIX", order=nobody)
    reverse(stock, wrong.movement, order=WHY)
    receipt = quarantine_excursion(stock, "fridge", since=begun, order=WHY)
    (movement,) = movements_of(stock, receipt.movements)
    assert {(line.lot, line.opened, line.location) for line in movement.lines} == {
        ("L1", None, "fridge"),
        ("L1", None, "cabinet"),
        ("V1", None, "fridge"),
        ("V1", 1, "room 2"),
        (None, 2, "room 3"),
    }
    told = [note.partition(", 2026")[0] for note in receipt.notes]
    assert told == [
        "used since: 1 of lot 'L1' of acme/c-500 for S-AFTER",
        "moved since: 2 of lot 'L1' of acme/c-500 to cabinet, quarantined there too if any is left",
        "moved since: 1 of lot 'L1' of acme/c-500 to drawer, quarantined there too if any is left",
        "used since: 1 of lot 'L1' of acme/c-500 for S-DRAWER",
        "returned since: 1 of lot 'V1' of acme/lido",
        "used since: 1.5 mL from opened container 1 for S-VIAL",
        "used since: 1 mL from opened container 2 for S-MIX",
    ]


def test_an_excursion_begins_in_the_past(stock: Store, clock: Clock) -> None:
    with pytest.raises(OrderError, match="lies in the future") as error:
        quarantine_excursion(stock, "fridge", since=clock.now + timedelta(days=1), order=WHY)
    assert codes(error) == ["since"]
    clock.skip(days=2)
    with pytest.raises(OrderError, match="after the quarantine itself"):
        quarantine_excursion(stock, "fridge", since=clock.now - timedelta(hours=1), order=late(clock, days=1))
    with pytest.raises(OrderError, match="with its time zone"):
        quarantine_excursion(stock, "fridge", since=datetime(2026, 5, 4, 8), order=WHY)  # noqa: DTZ001


def test_the_same_request_changes_nothing(stock: Store) -> None:
    open_container(stock, "acme/lido", "V1", rules=(), order=Order("anna"))

    def asked(request: str) -> Order:
        return Order("anna", "because", None, request)

    works: dict[str, Callable[[Order], Any]] = {
        "q": lambda order: quarantine(stock, ID, "L1", order=order),
        "o": lambda order: quarantine_opened(stock, 1, order=order),
        "e": lambda order: quarantine_excursion(stock, "fridge", order=order),
        "r": lambda order: recall_lot(stock, ID, "L1", order=order),
        "l": lambda order: release_lot(stock, ID, "L1", order=order),
        "p": lambda order: release_opened(stock, 1, order=order),
    }
    first = {name: work(asked(name)) for name, work in works.items()}
    head = stock_view(stock).anchor
    for name, work in works.items():
        again = work(asked(name))
        assert (again.repeated, again.movement) == (True, first[name].movement)
    assert stock_view(stock).anchor == head
    with pytest.raises(OrderError, match="says something else"):
        quarantine(stock, ID, "L1", location="main", order=asked("q"))


@pytest.mark.parametrize(
    "text", ["", "a\nb", "\x1b[31m", "\udcff", "x" * 10_000, "'; DROP TABLE lot; --", "=1+1"]
)
def test_hostile_names_are_answered_in_one_line_each(stock: Store, text: str) -> None:
    for work in (
        lambda: quarantine(stock, ID, text, order=WHY),
        lambda: quarantine(stock, text, "L1", order=WHY),
        lambda: recall_lot(stock, text, text, order=WHY),
        lambda: quarantine_excursion(stock, text, order=WHY),
        lambda: release_lot(stock, ID, "L1", location=text, order=WHY),
    ):
        with pytest.raises(OrderError) as error:
            work()
        assert all(len(line) < 300 and line.isprintable() for line in str(error.value).splitlines())


@pytest.mark.parametrize("number", [0, -1, 2**70, 1.0, True, "1", None])
def test_a_number_that_is_none_is_refused(stock: Store, number: Any) -> None:
    for work in (quarantine_opened, release_opened):
        with pytest.raises(OrderError) as error:
            work(stock, number, order=WHY)
        assert codes(error) == ["opened"]


def test_nothing_is_made_where_there_is_no_stock(tmp_path: Any) -> None:
    with open_stock(tmp_path / "none.sqlite") as store, pytest.raises(OrderError, match="is the path right"):
        recall_lot(store, ID, "L1", order=WHY)
    assert list(tmp_path.iterdir()) == []
