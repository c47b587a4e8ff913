"""
Many programs that pick and use from the same few lots at once.

Each is a process of its own. Nothing is sold twice, nobody meets an error of the database, and everybody gets
either containers or a clear answer that none are left.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest

from mesoformula import quantity
from mesoformula.errors import OrderError, ShortStockError
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.moves.moving import move, waste
from mesoformula.stock.opened.using import use, use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.reservations import free, picks
from mesoformula.stock.picks.shortage import ShortageError, Want
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")

PRODUCTS = tuple(
    Product(
        vendor=Vendor("acme", "Acme"),
        sku=sku,
        name=sku,
        parts=(Part(ContainerKind.AMPOULE, Form.SOLUTION, volume=quantity("5", "mL")),),
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )
    for sku in ("one", "two")
)
PROGRAMS = 8


def at_once(programs: int, work: Callable[[int], str]) -> list[str]:
    """What each of several processes answers that begin at the same moment, with no connection shared."""
    gate, opener = os.pipe()
    answers, children = [], []
    for number in range(programs):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(opener)
            os.read(gate, 1)
            try:
                said = work(number)
            except BaseException as err:
                said = f"failed: {type(err).__name__} {err}"
            os.write(writer, said.encode()[:60_000])
            os._exit(0)
        os.close(writer)
        answers.append(reader)
        children.append(child)
    os.close(opener)
    os.close(gate)
    said = []
    for reader in answers:
        with os.fdopen(reader) as pipe:
            said.append(pipe.read())
    for child in children:
        os.waitpid(child, 0)
    return said


def fill(store: Store, containers: int) -> int:
    """Receive three lots of each product, in two places; tell how many containers there are of each."""
    deliveries = [
        Delivery(product, f"L{n}", containers + n, date(2090, 1 + n, 28), location=place)
        for product in PRODUCTS
        for n, place in enumerate(("main", "fridge", "main"))
    ]
    receive(store, deliveries, actor="anna")
    return 3 * containers + 3


def pick_and_use_until_nothing_is_left(place: str, number: int) -> str:
    """Pick one to three of both products; use the pick, or give it free; end with the second shortage."""
    got: Counter[str] = Counter()
    short, turn = 0, 0
    with open_stock(place) as store:
        while short < 2:
            turn += 1
            many = 1 + (number + turn) % 3 if not short else 1
            reference = f"S-{number}-{turn:04}"
            order = Order(f"writer {number}")
            wants = [Want(product.id, many) for product in PRODUCTS[:: 1 if number % 2 else -1]]
            try:
                picked = pick(store, wants, order=order, reference=reference)
            except ShortageError as err:
                got["short"] += bool(err.missing) and all(one.missing for one in err.missing)
                short += 1
                continue
            got["picked"] += all(
                sum(taken.containers for taken in line.taken) == many for line in picked.lines
            )
            if turn % 4 == 3:
                free(store, picked.receipt.movement, order=order)
                got["freed"] += 1
            else:
                use_pick(store, picked.receipt.movement, rules=(), order=order)
                got["used"] += many
    return f"{got['picked']} {got['freed']} {got['used']} {got['short']}"


def everybody_picks(store: Store, place: str, containers: int) -> None:
    there = fill(store, containers)
    store.close()
    said = at_once(PROGRAMS, lambda number: pick_and_use_until_nothing_is_left(place, number))
    assert not [one for one in said if one.startswith("failed")]
    figures = zip(*(map(int, one.split()) for one in said), strict=True)
    picked, freed, used, short = (sum(of_all) for of_all in figures)
    assert short == 2 * PROGRAMS
    found = verify(store)
    assert found.problems == ()
    kinds = Counter(movement.kind for movement in movements_of(store, range(1, found.movements + 1)))
    assert kinds[MovementKind.PICK] == picked
    assert kinds[MovementKind.FREE] == freed
    assert kinds[MovementKind.USE] == picked - freed
    assert picks(store) == ()
    on_hand: Counter[str] = Counter()
    for one in stock_view(store).on_hand:
        assert one.reserved == 0
        on_hand[one.product.sku] += one.containers
    # A request is granted whole or not at all, so that both products go down together.
    assert used <= there
    assert on_hand == +Counter({product.sku: there - used for product in PRODUCTS})


def test_eight_programs_pick_and_use_from_the_same_lots_and_nothing_is_sold_twice(
    any_store: Store, place: str
) -> None:
    everybody_picks(any_store, place, 10)


@pytest.mark.slow
def test_eight_programs_pick_and_use_hundreds_of_times_and_nothing_is_sold_twice(
    any_store: Store, place: str
) -> None:
    everybody_picks(any_store, place, 150)


def test_of_eight_programs_that_use_one_pick_one_does_and_the_others_are_told_by_which_movement(
    any_store: Store, place: str
) -> None:
    fill(any_store, 10)
    number = pick(
        any_store, [Want(PRODUCTS[0].id, 4)], order=Order("anna"), reference="S-1000"
    ).receipt.movement
    any_store.close()

    def use_or_free(who: int) -> str:
        with open_stock(place) as store:
            try:
                if who % 2:
                    return f"done {use_pick(store, number, rules=(), order=Order('anna')).movement}"
                return f"done {free(store, number, order=Order('anna')).movement}"
            except OrderError as err:
                return f"refused {err}"

    said = at_once(PROGRAMS, use_or_free)
    (done,) = [one for one in said if one.startswith("done")]
    refused = [one for one in said if one != done]
    assert all(f"by movement {done.split()[1]} already" in one for one in refused), said
    assert verify(any_store).problems == ()


def test_of_eight_programs_that_ask_for_the_last_containers_by_hand_nobody_gets_what_is_gone(
    any_store: Store, place: str
) -> None:
    receive(any_store, [Delivery(PRODUCTS[0], "L0", 10, None)], actor="anna")
    any_store.close()

    def take(who: int) -> str:
        got = 0
        with open_stock(place) as store:
            for turn in range(3):
                order = Order("anna", "a test")
                try:
                    if who % 3 == 0:
                        reference = f"S-{who}-{turn}"
                        use(
                            store,
                            PRODUCTS[0].id,
                            "L0",
                            containers=1,
                            location="main",
                            reference=reference,
                            order=order,
                        )
                    elif who % 3 == 1:
                        waste(store, PRODUCTS[0].id, "L0", 1, location="main", order=order)
                    else:
                        move(store, PRODUCTS[0].id, "L0", 1, location="main", to="away", order=order)
                except ShortStockError:
                    pass
                else:
                    got += 1
        return str(got)

    said = at_once(PROGRAMS, take)
    assert not [one for one in said if not one.isdecimal()], said
    assert sum(map(int, said)) == 10
    on_hand = {one.location: one.containers for one in stock_view(any_store).on_hand}
    assert on_hand == +Counter({"away": sum(int(one) for one in said[2::3])})
    assert verify(any_store).problems == ()


def test_the_same_request_from_eight_programs_at_once_is_carried_out_once(
    any_store: Store, place: str
) -> None:
    fill(any_store, 10)
    any_store.close()
    order = Order("anna", "a test", request_id="the same")

    def same(who: int) -> str:
        with open_stock(place) as store:
            if who % 2:
                wants = [Want(PRODUCTS[0].id, 5)]
                mine = Order("anna", request_id="a pick")
                receipt = pick(store, wants, order=mine, reference="S-1000").receipt
            else:
                receipt = waste(store, PRODUCTS[0].id, "L0", 2, order=order)
            return f"{receipt.movement} {receipt.repeated}"

    said = at_once(PROGRAMS, same)
    for mine in (said[::2], said[1::2]):
        movements = {one.split()[0] for one in mine}
        assert len(movements) == 1, said
        assert sorted(one.split()[1] for one in mine) == ["False", *["True"] * 3], said
    (first,) = [one for one in stock_view(any_store).on_hand if (one.product.sku, one.lot) == ("one", "L0")]
    assert first.containers == 8
    assert sum(taken.containers for one in picks(any_store) for taken in one.taken) == 5
    found = verify(any_store)
    assert (found.movements, found.problems) == (3, ())
