"""Stocks of any size, written straight into the tables, with every hash and every sum in its place."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import attrs

from mesoformula import parse_strength, quantity
from mesoformula.contents import Content
from mesoformula.encoding import to_plain
from mesoformula.ingredients import Vitamin
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import open_stock
from mesoformula.stock.ledger.chain import (
    GENESIS,
    LINE_FACTS,
    LineFacts,
    MovementFacts,
    canonical,
    content_hash,
    movement_hash,
)
from mesoformula.stock.ledger.tally import TABLES, Tally

PRODUCTS, LOTS = 100, 1000
BATCH = 5000
FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
LAST = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1_000_000)


def product(number: int) -> Product:
    """One vitamin in an ampoule."""
    return Product(
        vendor=Vendor("acme", "Acme"),
        sku=f"product-{number}",
        name=f"Product {number}",
        parts=(
            Part(
                ContainerKind.AMPOULE,
                Form.SOLUTION,
                volume=quantity("5", "mL"),
                composition=(
                    Content(
                        substance="sodium-ascorbate",
                        strength=parse_strength("500 mg/5 mL"),
                        attributes=Vitamin("C"),
                    ),
                ),
            ),
        ),
        sources=(Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
    )


def make(path: Path, movements: int, *, lots: int = LOTS) -> None:
    """Write a stock: every lot is received, then used, thrown away and received again at random."""
    with open_stock(path) as store, store.writing():
        pass  # the tables and their guards
    connection = sqlite3.connect(path, isolation_level=None)
    # Lines by the thousand before their movements: looking after their keys would take the square of that.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    records = {}
    for number in range(min(PRODUCTS, lots)):
        record = canonical(to_plain(product(number))).decode()
        records[number] = content_hash(record.encode())
        connection.execute("INSERT INTO product_record VALUES (?, ?)", (records[number], record))
    connection.execute("INSERT INTO location VALUES (1, 'main')")
    known = []
    for number in range(lots):
        which = number % len(records)
        expiry = date(2027 + number % 3, 1 + number % 12, 28).isoformat()
        row = (number + 1, records[which], f"acme/product-{which}", 1, f"L{number}", expiry)
        connection.execute("INSERT INTO lot VALUES (?, ?, ?, ?, ?, ?)", row)
        known.append(row)
    tally = Tally()
    head = _movements(connection, tally, known, movements)
    for name, sums in tally.tables().items():
        keys, kind = TABLES[name]
        names = [field.name for field in attrs.fields(kind)]
        if sums:
            rows = [(*key, *attrgetter(*names)(one)) for key, one in sums.items()]
            connection.executemany(_insert(name, [*keys, *names]), rows)
    connection.execute("UPDATE chain_head SET seq = ?, hash = ?", head)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _insert(table: str, names: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table} ({quoted}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


_LINE_NAMES = [
    name for name in LINE_FACTS if name in schema.movement_line.c and name not in ("lot", "location")
]
_line_values = attrgetter(*_LINE_NAMES)


def _movements(
    connection: sqlite3.Connection, tally: Tally, lots: list[tuple[Any, ...]], movements: int
) -> tuple[int, str]:
    lines_in = _insert("movement_line", [*_LINE_NAMES, "movement", "lot", "location"])
    names = ["seq", "kind", "effective_at", "recorded_at", "actor", "session", "previous_hash", "hash"]
    movements_in = _insert("movement", names)
    previous = GENESIS
    count = 0
    made = _facts(lots, movements)
    while batch := list(islice(made, BATCH)):
        lines, heads = [], []
        for movement, line, lot in batch:
            movement = attrs.evolve(movement, previous=previous)
            previous = movement_hash(movement)
            tally.begin(movement)
            tally.add(movement, line, lot, 1)
            lines.append((*_line_values(line), movement.seq, lot, 1))
            heads.append(
                (
                    movement.seq,
                    movement.kind,
                    movement.effective_at,
                    movement.recorded_at,
                    movement.actor,
                    movement.session,
                    movement.previous,
                    previous,
                )
            )
            count = movement.seq
        connection.executemany(lines_in, lines)
        connection.executemany(movements_in, heads)
    return count, previous


def _facts(lots: list[tuple[Any, ...]], movements: int) -> Iterator[tuple[MovementFacts, LineFacts, int]]:
    chosen = random.Random(1)  # noqa: S311 (the same stock every time)
    there = [0] * len(lots)
    step = (LAST - FIRST) // movements
    for seq in range(1, movements + 1):
        at = FIRST + seq * step
        which = seq - 1 if seq <= len(lots) else chosen.randrange(len(lots))
        kind, containers, session = "use", -1, f"S-{seq:08d}"
        if there[which] < 2:
            kind, containers, session = "receipt", 40, None
        elif chosen.random() < 0.02:
            kind, session = "waste", None
        there[which] += containers
        lot, record, product_id, revision, number, expiry = lots[which]
        line = LineFacts(1, record, product_id, revision, number, expiry, "main", containers)
        if kind == "receipt":
            line = attrs.evolve(line, supplier="Wholesale", unit_cost=1250, currency="EUR")
        yield MovementFacts(seq, kind, at, at, "anna", "", (line,), session=session), line, lot


def copy(source: Path, target: Path) -> None:
    """Copy a stock, with what is in its log."""
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    other.execute("PRAGMA journal_mode = WAL")
    one.close()
    other.close()


if __name__ == "__main__":
    import sys
    from time import perf_counter

    start = perf_counter()
    make(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({"seconds": round(perf_counter() - start, 1)}))
