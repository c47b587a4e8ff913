"""History cannot be rewritten, not even by a program that knows nothing of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from mesoformula.products import Product
from mesoformula.stock.receiving import receive
from mesoformula.stock.records import Delivery
from mesoformula.stock.schema import APPEND_ONLY
from mesoformula.stock.store import Store
from mesoformula.stock.verifying import verify

TABLES = ("product_record", "location", "lot", "movement", "movement_line", "remark")
HASH = "f" * 64


@pytest.fixture
def raw(store: Store, path: Path, make_product: Callable[..., Product]) -> Iterator[sqlite3.Connection]:
    """The file of a stock with two movements, opened without any of our settings."""
    product = make_product()
    for number, request in (("L1", "r1"), ("L2", "r2")):
        delivery = Delivery(product, number, 5, date(2027, 1, 31), location=number, remark="as found")
        receive(store, [delivery], actor="anna", request_id=request)
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def rows(connection: sqlite3.Connection) -> list[object]:
    return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]  # noqa: S608


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def every_table_and_column(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return [(table, column) for table in TABLES for column in columns(connection, table)]


def test_no_column_of_the_ledger_can_be_updated(raw: sqlite3.Connection) -> None:
    before = rows(raw)
    for table, column in every_table_and_column(raw):
        for verb in ("UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"):
            with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
                raw.execute(f"{verb} {table} SET {column} = {column}")
    assert rows(raw) == before


@pytest.mark.parametrize("table", [table for table in TABLES if table != "remark"])
def test_no_row_of_the_ledger_can_be_deleted(raw: sqlite3.Connection, table: str) -> None:
    before = rows(raw)
    with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
        raw.execute(f"DELETE FROM {table}")  # noqa: S608
    assert rows(raw) == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"])
def test_no_row_can_be_put_in_the_place_of_another(raw: sqlite3.Connection, table: str, verb: str) -> None:
    before = rows(raw)
    with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
        raw.execute(f"{verb} INTO {table} SELECT * FROM {table}")  # noqa: S608
    assert rows(raw) == before


@pytest.mark.parametrize("verb", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    ("table", "values"),
    [
        # A free id with a taken unique key, or a taken id with a free key; gaps; what is sealed.
        ("location", "(3, 'L1')"),
        ("location", "(1, 'elsewhere')"),
        ("location", "(9, 'elsewhere')"),
        ("location", "(NULL, 'elsewhere')"),
        ("lot", "(3, '{product}', 'acme/c-500', 1, 'L1', NULL)"),
        ("lot", "(1, '{product}', 'acme/c-500', 1, 'L9', NULL)"),
        ("lot", "(NULL, '{product}', 'acme/c-500', 1, 'L9', NULL)"),
        ("movement", "(3, 'receipt', 0, 0, 'x', 'r1', NULL, '{head}', '{hash}')"),
        ("movement", "(1, 'receipt', 0, 0, 'x', 'r9', NULL, '{head}', '{hash}')"),
        ("movement", "(4, 'receipt', 0, 0, 'x', 'r9', NULL, '{head}', '{hash}')"),
        ("movement", "(NULL, 'receipt', 0, 0, 'x', 'r9', NULL, '{head}', '{hash}')"),
        ("movement", "(3, 'receipt', 0, 0, 'x', 'r9', NULL, '{hash}', '{hash}')"),
        ("movement_line", "(1, 2, 1, 1, 7, NULL, NULL, NULL, NULL)"),
        ("movement_line", "(2, 1, 1, 1, 7, NULL, NULL, NULL, NULL)"),
        ("remark", "(1, 1, 'salt', 'other')"),
        ("remark", "(2, 2, 'salt', 'other')"),
    ],
)
def test_only_what_follows_and_is_new_can_be_inserted(
    raw: sqlite3.Connection, verb: str, table: str, values: str
) -> None:
    (product,) = raw.execute("SELECT hash FROM product_record").fetchone()
    (head,) = raw.execute("SELECT hash FROM chain_head").fetchone()
    before = rows(raw)
    with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
        raw.execute(f"{verb} INTO {table} VALUES {values.format(product=product, head=head, hash=HASH)}")
    assert rows(raw) == before


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("product_record", "hash"),
        ("location", "name"),
        ("lot", "product_id, number, revision"),
        ("movement", "request_id"),
        ("movement_line", "movement, line"),
    ],
)
def test_an_upsert_changes_nothing(raw: sqlite3.Connection, table: str, key: str) -> None:
    column = columns(raw, table)[-1]
    before = rows(raw)
    with pytest.raises(sqlite3.IntegrityError, match=APPEND_ONLY):
        raw.execute(
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true "  # noqa: S608
            f"ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}"
        )
    assert rows(raw) == before


@pytest.mark.parametrize("table", ["product_record", "movement_line", "remark"])
def test_no_hidden_row_number_can_be_replaced(raw: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="rowid"):
        raw.execute(f"SELECT rowid FROM {table}")  # noqa: S608


def test_a_balance_cannot_fall_below_zero(raw: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        raw.execute("UPDATE balance SET containers = -1")


@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 37), reason="this SQLite has no strict tables")
def test_a_figure_is_a_whole_number(raw: sqlite3.Connection) -> None:
    for figure in ("2.5", "'five'"):
        with pytest.raises(sqlite3.IntegrityError, match="INTEGER"):
            raw.execute(f"UPDATE balance SET containers = {figure}")  # noqa: S608


def test_a_remark_can_be_erased_and_the_chain_stays_whole(raw: sqlite3.Connection, path: Path) -> None:
    raw.execute("DELETE FROM remark WHERE movement = 1")
    with Store(path) as store:
        assert verify(store).problems == ()
