"""Measure the stock against the same statements through raw `sqlite3`, as the README here says."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import sqlalchemy
from ledgers import copy, make, product
from results import Result
from sqlalchemy import event

from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import statements
from mesoformula.stock.database.store import open_stock
from mesoformula.stock.ledger import appending
from mesoformula.stock.ledger.chain import MovementFacts, movement_bytes
from mesoformula.stock.picks.picking import Want, pick
from mesoformula.stock.picks.policies import FEFO
from mesoformula.stock.records import Delivery, Order
from mesoformula.stock.views.reading import stock_view
from mesoformula.stock.views.tracing import trace_lot

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 15
# What is over in milliseconds meets a busy machine more often than not; the middle of many shows it quiet.
READING_ROUNDS = 45
BULK = 10_000
BULK_ROUNDS = 3


class Recorder:
    """
    What our code sent to the database, to be sent again without our code.

    Attributes:
        statements: SQL, its parameters, and whether there are many sets of them.
        hashed: The movements that were hashed.
    """

    def __init__(self) -> None:
        self.statements: list[tuple[str, Any, bool]] = []
        self.hashed: list[MovementFacts] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """
        Take down every statement of every connection, and every movement that is hashed.

        Both by reference only, as our side is timed meanwhile.
        """

        def heard(
            _connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool
        ) -> None:
            self.statements.append((statement, given, many))
            if statement.startswith("BEGIN"):
                # Every transaction of ours asks for it next, of the driver itself, where nobody listens.
                self.statements.append(("PRAGMA user_version", (), False))

        def sent(connection: Any, text: str, given: Any, *, many: bool = False) -> list[Any]:
            heard(None, None, text, given, None, many)
            return send(connection, text, given, many=many)

        def hashed(movement: MovementFacts) -> str:
            self.hashed.append(movement)
            return movement_hash(movement)

        send, movement_hash = statements.send, appending.movement_hash
        event.listen(sqlalchemy.Engine, "before_cursor_execute", heard)
        statements.send, appending.movement_hash = sent, hashed
        try:
            yield
        finally:
            statements.send, appending.movement_hash = send, movement_hash
            event.remove(sqlalchemy.Engine, "before_cursor_execute", heard)

    def plain(self) -> list[dict[str, Any]]:
        """Take the movements apart, so that to hash them again needs none of our code."""
        return [json.loads(movement_bytes(movement)) for movement in self.hashed]

    def again(self, connection: sqlite3.Connection, movements: Sequence[dict[str, Any]] = ()) -> None:
        """Send the same statements, fetch what they find, and hash the same movements."""
        for facts in movements:
            text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            hashlib.sha256(text.encode()).hexdigest()
        for statement, given, many in self.statements:
            if statement.startswith("BEGIN") and connection.in_transaction:
                connection.execute("ROLLBACK")  # of what only read
            if many:
                connection.executemany(statement, given)
            else:
                connection.execute(statement, given).fetchall()
        if connection.in_transaction:
            connection.execute("COMMIT")


def raw(path: Path) -> sqlite3.Connection:
    """Connect as our store does: the same settings, the same durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in ("foreign_keys = ON", "recursive_triggers = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def seconds(work: Callable[[], object]) -> float:
    """Time one call, from a clean heap."""
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def reading(name: str, path: Path, work: Callable[[Any], object]) -> tuple[Result, float]:
    """Compare something that only reads; turn by turn, on the same file."""
    with open_stock(path) as store:
        recorder = Recorder()
        with recorder.listening():
            work(store)
        floor = raw(path)
        recorder.again(floor)
        pairs = [
            (seconds(lambda: work(store)), seconds(lambda: recorder.again(floor)))
            for _ in range(READING_ROUNDS)
        ]
        floor.close()
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    return Result(name, ours / theirs, 3, f"{ours * 1000:.2f} ms : {theirs * 1000:.2f} ms"), ours


def writing(name: str, path: Path, rounds: int, asked: Callable[[Any, int], Callable[[], object]]) -> Result:
    """
    Compare something that writes: each on a copy of its own, in the same state at every turn.

    What is asked for at each turn is put together beforehand; only what is done with it is timed.
    """
    mirror = path.with_suffix(".mirror")
    mine = path.with_suffix(".mine")
    for target in (mirror, mine):
        copy(path, target)
    pairs = []
    with open_stock(mine) as store:
        floor = raw(mirror)
        for turn in range(rounds + 1):
            plain = Recorder()
            with plain.listening():
                ours = seconds(asked(store, turn))
            movements = plain.plain()
            theirs = seconds(lambda plain=plain, movements=movements: plain.again(floor, movements))  # type: ignore[misc]
            if turn:  # the first warms both up
                pairs.append((ours, theirs))
        floor.close()
    for target in (mirror, mine):
        for ending in ("", "-wal", "-shm"):
            target.with_name(target.name + ending).unlink(missing_ok=True)
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    return Result(name, ours / theirs, 3, f"{ours * 1000:.2f} ms : {theirs * 1000:.2f} ms")


def six_lines(store: Any, _turn: int) -> Callable[[], object]:
    """One pick of six products, first expired first out."""
    wants = [Want(f"acme/product-{number}", containers=1) for number in range(6)]
    return lambda: pick(
        store,
        wants,
        order=Order("anna"),
        reference="S-2026-1",
        policy=FEFO,
        lapses_after=timedelta(hours=24),
    )


def in_bulk(store: Any, turn: int) -> Callable[[], object]:
    """Ten thousand lines of one delivery."""
    products = [product(number) for number in range(100)]
    deliveries = [
        Delivery(products[n % 100], f"B{turn}-{n}", 5, date(2028, 5, 31), "main", "Wholesale", 1250, "EUR")
        for n in range(BULK)
    ]
    return lambda: receive(store, deliveries, actor="anna")


def main() -> int:
    """
    Measure everything.

    Returns:
        1 if a limit is exceeded, else 0.
    """
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    broken = 0
    on_hand: dict[int, float] = {}

    def show(result: Result) -> None:
        nonlocal broken
        print(result, flush=True)
        broken += not result.holds

    with tempfile.TemporaryDirectory(dir=os.environ.get("MESOFORMULA_BENCHMARKS")) as folder:
        for size in sizes:
            path = Path(folder, f"{size}.sqlite")
            make(path, size)
            result, on_hand[size] = reading(f"on hand {size:,}", path, stock_view)
            show(result)
            show(reading(f"trace {size:,}", path, lambda store: trace_lot(store, "acme/product-7", "L7"))[0])
            show(writing(f"pick {size:,}", path, ROUNDS, six_lines))
            show(writing(f"bulk {size:,}", path, BULK_ROUNDS, in_bulk))
        least, most = min(sizes), max(sizes)
        ratio = on_hand[most] / on_hand[least]
        show(Result("on hand grows", ratio, 1.2, f"{most:,} movements : {least:,}"))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
