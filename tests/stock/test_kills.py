"""
Writers that are killed again and again.

One script of steps is carried out by writers that are killed at random moments. Each successor goes on with
the first step that was not answered, under the same request id. Whatever was answered is there, nothing is
there by half, nothing is there twice, and in the end the stock is what the script says.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import attrs
import pytest

from mesoformula import quantity
from mesoformula.errors import StockError
from mesoformula.products import ContainerKind, Doses, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.moves.moving import adjust, move, waste
from mesoformula.stock.opened.openings import open_container
from mesoformula.stock.opened.using import use_opened, use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.reservations import free
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Anchor, Delivery, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes and signals")

PRODUCT = Product(
    vendor=Vendor("acme", "Acme"),
    sku="vial",
    name="Vial",
    parts=(Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL")),),
    doses=Doses.MULTI,
    in_use_period=quantity("28", "d"),
    sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
)
EXPIRY = date(2090, 1, 31)
STEPS = 10


@attrs.frozen
class Answer:
    """What a writer was told of a step before it told us."""

    step: int
    movement: int
    anchor: Anchor

    def written(self) -> bytes:
        """One line, short enough for a pipe to take it whole."""
        return f"{self.step} {self.movement} {self.anchor}\n".encode()

    @classmethod
    def read(cls, line: str) -> Answer:
        step, movement, anchor = line.split()
        seq, _, digest = anchor.partition(":")
        return cls(int(step), int(movement), Anchor(int(seq), digest))


def carry_out_step(store: Store, number: int, movements: dict[int, int]) -> Receipt:
    """Do one step of the script; whoever does it again asks for exactly the same."""
    round_, what = divmod(number, STEPS)
    lot, reference = f"L{round_}", f"S-{round_:04}"
    order = Order("anna", "the script says so", request_id=f"step-{number}")
    match what:
        case 0:
            deliveries = [
                Delivery(PRODUCT, lot, 6, EXPIRY, remark="one of its own"),
                Delivery(PRODUCT, "shared", 2, EXPIRY),
            ]
            return receive(store, deliveries, actor="anna", request_id=order.request_id)
        case 1:
            wanted = [Want(PRODUCT.id, 2, lots=(lot,))]
            return pick(store, wanted, order=order, reference=reference, lapses_after=timedelta(7)).receipt
        case 2:
            return use_pick(store, movements[number - 1], rules=(), order=order)
        case 3:
            return waste(store, PRODUCT.id, lot, 1, order=order)
        case 4:
            return move(store, PRODUCT.id, lot, 2, location="main", to="fridge", order=order)
        case 5:
            return open_container(store, PRODUCT.id, lot, location="main", rules=(), order=order)
        case 6:
            volume = quantity("2.5", "mL")
            return use_opened(store, round_ + 1, volume=volume, reference=reference, order=order)
        case 7:
            return adjust(store, PRODUCT.id, lot, 1, location="main", order=order)
        case 8:
            wanted = [Want(PRODUCT.id, 1, lots=("shared",))]
            return pick(store, wanted, order=order, reference=reference, lapses_after=timedelta(7)).receipt
        case _:
            return free(store, movements[number - 1], order=order)


#: What each step does to containers of the round's own lot at main and in the fridge, and of the shared lot.
CHANGES = ((6, 0, 2), (0,) * 3, (-2, 0, 0), (-1, 0, 0), (-2, 2, 0), (-1, 0, 0), (0,) * 3, (1, 0, 0))


def containers_after(steps: int) -> Counter[tuple[str, str]]:
    """What is there once so many steps are done, added up by hand."""
    there: Counter[tuple[str, str]] = Counter()
    for number in range(steps):
        round_, what = divmod(number, STEPS)
        main, fridge, shared = CHANGES[what] if what < len(CHANGES) else (0, 0, 0)
        there[f"L{round_}", "main"] += main
        there[f"L{round_}", "fridge"] += fridge
        there["shared", "main"] += shared
    return +there


def write_on(place: str, first: int, movements: dict[int, int], pipe: int) -> None:
    """Do step after step, and answer each; only being killed ends it."""
    try:
        with open_stock(place) as store:
            for number in range(first, first + 100_000):
                receipt = carry_out_step(store, number, movements)
                movements[number] = receipt.movement
                os.write(pipe, Answer(number, receipt.movement, receipt.anchor).written())
    except BaseException as err:
        os.write(pipe, f"failed: {err!r}\n".encode()[:4000])
    os._exit(1)


class Script:
    """The steps, as far as they were done by writers that are all dead."""

    def __init__(self, place: str, chance: random.Random) -> None:
        self.place = place
        self.answers: list[Answer] = []
        self._movements: dict[int, int] = {}
        self._chance = chance

    def kill_a_writer(self) -> None:
        """Start a writer and kill it: any time after its start, or just after it has answered."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            write_on(self.place, len(self.answers), dict(self._movements), writer)
        os.close(writer)
        if self._chance.random() < 0.8:
            select.select([reader], [], [], 30)
        time.sleep(self._chance.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        assert "failed" not in said, said
        assert os.WIFSIGNALED(status)
        for line in said[: said.rfind("\n") + 1].splitlines():
            self._note(Answer.read(line))

    def _note(self, answer: Answer) -> None:
        assert answer.step == len(self.answers)
        self.answers.append(answer)
        self._movements[answer.step] = answer.movement

    def look(self, store: Store) -> None:
        """Everything that was answered is there, and nothing by half."""
        found = verify(store)
        assert found.problems == ()
        hashes = {one.seq: one.anchor.hash for one in movements_of(store, range(1, found.movements + 1))}
        assert all(hashes[one.anchor.seq] == one.anchor.hash for one in self.answers)

    def do_a_step(self, store: Store) -> Receipt:
        """Do the step that nobody answered, which may have been done or not."""
        number = len(self.answers)
        receipt = carry_out_step(store, number, self._movements)
        self._note(Answer(number, receipt.movement, receipt.anchor))
        return receipt

    def go_on(self, store: Store) -> None:
        """The next command works at once, and knows whether it was carried out before."""
        before = stock_view(store).anchor
        receipt = self.do_a_step(store)
        after = stock_view(store).anchor
        assert receipt.repeated == (before == after)
        assert receipt.anchor == after

    def look_at_the_end(self, store: Store) -> None:
        """Every step was done once, and the stock is what they add up to."""
        found = verify(store, against=self.answers[-1].anchor)
        assert (found.problems, found.anchor) == ((), self.answers[-1].anchor)
        requests = [
            one.request_id
            for one in movements_of(store, range(1, found.movements + 1))
            if one.request_id is not None
        ]
        assert requests == [f"step-{number}" for number in range(len(self.answers))]
        on_hand = {(one.lot, one.location): one.containers for one in stock_view(store).on_hand}
        assert on_hand == containers_after(len(self.answers))


def kill_writers(place: str, kills: int, seed: int) -> int:
    """Let a script be carried out by writers that are killed so many times; tell how many steps were done."""
    script = Script(place, random.Random(seed))  # noqa: S311
    for _ in range(kills):
        script.kill_a_writer()
        with open_stock(place) as store:
            script.look(store)
            script.go_on(store)
    with open_stock(place) as store:
        script.look_at_the_end(store)
    return len(script.answers)


def test_what_a_killed_writer_had_answered_is_there_and_the_next_command_works_at_once(path: Path) -> None:
    assert kill_writers(str(path), 8, seed=0) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 14))
def test_three_hundred_killed_writers_lose_nothing_and_leave_nothing_by_half(path: Path, seed: int) -> None:
    assert kill_writers(str(path), 25, seed) > 25


@pytest.mark.postgres
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_killed_clients_of_a_server_lose_nothing_and_leave_nothing_by_half(
    postgres_url: str, seed: int
) -> None:
    assert kill_writers(postgres_url, 15, seed) >= 15


def cut_connections(url: str, seed: int) -> None:
    """Have the server end every connection of ours, again and again at random moments."""
    import psycopg

    chance = random.Random(seed)  # noqa: S311
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            time.sleep(0.02 + chance.random() * 0.1)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'mesoformula'"
            )


@pytest.mark.postgres
@pytest.mark.parametrize("steps", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_a_client_that_loses_its_connection_repeats_the_request_and_it_is_done_once(
    postgres_url: str, steps: int
) -> None:
    script = Script(postgres_url, random.Random(steps))  # noqa: S311
    child = os.fork()
    if not child:
        try:
            cut_connections(postgres_url, steps)
        finally:
            os._exit(1)
    lost: list[StockError] = []
    try:
        while len(script.answers) < steps:
            try:
                with open_stock(postgres_url) as store:
                    while len(script.answers) < steps:
                        script.do_a_step(store)
            except StockError as err:
                lost.append(err)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert lost
    assert [err for err in lost if type(err) is not StockError or "lost" not in str(err)] == []
    with open_stock(postgres_url) as store:
        script.look(store)
        script.look_at_the_end(store)


@pytest.mark.postgres
def test_what_the_driver_notes_of_a_lost_connection_does_not_reach_a_terminal(postgres_url: str) -> None:
    # Where nobody listens to logs, Python writes warnings to standard error.
    program = (
        "import logging, sys\n"
        "from mesoformula.stock.database.store import open_stock\n"
        "open_stock(sys.argv[1]).close()\n"
        "for name in ('psycopg', 'psycopg.pool', 'sqlalchemy.pool.impl.QueuePool'):\n"
        "    logging.getLogger(name).error('ignored', exc_info=ValueError())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, postgres_url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
