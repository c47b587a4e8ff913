"""History cannot be rewritten, not even by a program that knows nothing of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import schema
from mesoformula.stock.database.guards import APPEND_ONLY
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Delivery

TABLES = [table.name for table in schema.LEDGER]
HASH = "f" * 64


@pytest.fixture
def written(any_store: Store, make_product: Callable[..., Product]) -> Store:
    """A stock with two movements."""
    product = make_product()
    for number, request in (("L1", "r1"), ("L2", "r2")):
        delivery = Delivery(product, number, 5, date(2027, 1, 31), location=number, remark="as found")
        receive(any_store, [delivery], actor="anna", request_id=request)
    any_store.close()
    return any_store


@pytest.fixture
def raw(written: Store, connect_raw: Callable[[], Any]) -> Iterator[Any]:
    """The database of that stock, opened without any of our settings."""
    connection = connect_raw()
    yield connection
    connection.close()


@pytest.fixture
def verbs(written: Store) -> list[str]:
    """Ways of inserting: what stands before the table, and what stands at the end."""
    if written.dialect == "sqlite":
        return ["INSERT INTO {}", "INSERT OR REPLACE INTO {}", "INSERT OR IGNORE INTO {}", "REPLACE INTO {}"]
    return ["INSERT INTO {}", "INSERT INTO {} ON CONFLICT DO NOTHING"]


@pytest.fixture
def refused(raw: Any) -> Callable[[str], str]:
    """Make sure that a statement is refused by a guard and changes nothing; tell what is said."""

    def refuse(statement: str) -> str:
        before = rows(raw)
        with pytest.raises(Exception, match=APPEND_ONLY) as error:
            raw.execute(statement)
        assert type(error.value).__name__ in ("IntegrityError", "RestrictViolation")
        assert rows(raw) == before
        return str(error.value)

    return refuse


def rows(connection: Any) -> list[Any]:
    return [sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES]  # noqa: S608


def inserting(verb: str, table: str, rest: str) -> str:
    """Write an insert with the end of its verb behind everything."""
    start, _, end = verb.format(f"{table}\0").partition("\0")
    return f"{start} {rest}{end}"


@pytest.mark.parametrize("table", schema.LEDGER, ids=str)
def test_no_column_of_the_ledger_can_be_updated(
    raw: Any, refused: Callable[[str], str], written: Store, table: Any
) -> None:
    more = ["UPDATE OR REPLACE", "UPDATE OR IGNORE"] if written.dialect == "sqlite" else []
    for column in table.columns:
        for verb in ("UPDATE", *more):
            refused(f'{verb} {table} SET "{column.name}" = "{column.name}"')


@pytest.mark.parametrize("table", [table for table in TABLES if table != "remark"])
def test_no_row_of_the_ledger_can_be_deleted(refused: Callable[[str], str], table: str) -> None:
    refused(f"DELETE FROM {table}")  # noqa: S608


@pytest.mark.parametrize("table", TABLES)
def test_no_row_can_be_put_in_the_place_of_another(
    refused: Callable[[str], str], verbs: list[str], table: str
) -> None:
    for verb in verbs:
        refused(inserting(verb, table, f"SELECT * FROM {table} WHERE true"))  # noqa: S608


_MOVEMENT = (
    "(seq, kind, effective_at, recorded_at, actor, request_id, reverses, previous_hash, hash)"
    " VALUES ({seq}, 'receipt', 0, 0, 'x', '{request}', {reverses}, '{previous}', '{hash}')"
)


def a_movement(seq: str = "3", request: str = "r9", reverses: str = "NULL", previous: str = "{head}") -> str:
    return _MOVEMENT.format(seq=seq, request=request, reverses=reverses, previous=previous, hash=HASH)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        # A free id with a taken unique key, or a taken id with a free key; gaps; what is sealed.
        ("product_record", "(hash, record) VALUES ('{product}', '[]')"),
        ("location", "(id, name) VALUES (3, 'L1')"),
        ("location", "(id, name) VALUES (1, 'elsewhere')"),
        ("location", "(id, name) VALUES (9, 'elsewhere')"),
        ("location", "(id, name) VALUES (NULL, 'elsewhere')"),
        (
            "lot",
            "(id, product_hash, product_id, revision, number) VALUES (3, '{product}', 'acme/c-500', 1, 'L1')",
        ),
        (
            "lot",
            "(id, product_hash, product_id, revision, number) VALUES (1, '{product}', 'acme/c-500', 1, 'L9')",
        ),
        ("lot", "(product_hash, product_id, revision, number) VALUES ('{product}', 'acme/c-500', 1, 'L9')"),
        ("movement", a_movement(request="r1")),
        ("movement", a_movement("1")),
        ("movement", a_movement("4")),
        ("movement", a_movement("NULL")),
        ("movement", a_movement(previous=HASH)),
        ("movement_line", "(movement, line, containers) VALUES (1, 2, 7)"),
        ("movement_line", "(movement, line, containers) VALUES (2, 1, 7)"),
        ("remark", "(movement, line, salt, text) VALUES (1, 1, 'salt', 'other')"),
        ("remark", "(movement, line, salt, text) VALUES (2, 2, 'salt', 'other')"),
        ("remark", "(movement, line, salt, text) VALUES (2, 0, 'salt', 'other')"),
    ],
)
def test_only_what_follows_and_is_new_can_be_inserted(
    raw: Any, refused: Callable[[str], str], verbs: list[str], table: str, values: str
) -> None:
    (product,) = raw.execute("SELECT hash FROM product_record").fetchone()
    (head,) = raw.execute("SELECT hash FROM chain_head").fetchone()
    for verb in verbs:
        refused(inserting(verb, table, values.format(product=product, head=head)))


def test_a_remark_that_was_erased_cannot_be_written_anew(
    raw: Any, refused: Callable[[str], str], verbs: list[str]
) -> None:
    raw.execute("DELETE FROM remark")
    for verb in verbs:
        refused(inserting(verb, "remark", "(movement, line, salt, text) VALUES (2, 1, 'salt', 'other')"))


def test_a_movement_can_be_reversed_only_once(
    raw: Any, refused: Callable[[str], str], verbs: list[str]
) -> None:
    (head,) = raw.execute("SELECT hash FROM chain_head").fetchone()
    raw.execute(f"INSERT INTO movement {a_movement(reverses='1', previous=head)}")
    for verb in verbs:
        refused(inserting(verb, "movement", a_movement("4", request="r8", reverses="1", previous=HASH)))


@pytest.mark.parametrize(
    ("table", "key", "column"),
    [
        ("product_record", "hash", "record"),
        ("location", "name", "name"),
        ("lot", "product_id, number, revision", "expiry"),
        ("movement", "request_id", "hash"),
        ("movement_line", "movement, line", "containers"),
        ("remark", "movement, line", "text"),
    ],
)
def test_an_upsert_changes_nothing(refused: Callable[[str], str], table: str, key: str, column: str) -> None:
    refused(
        f"INSERT INTO {table} SELECT * FROM {table} WHERE true "  # noqa: S608
        f"ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}"
    )


def test_a_balance_cannot_fall_below_zero(raw: Any) -> None:
    with pytest.raises(Exception, match=r"CHECK|check constraint"):
        raw.execute("UPDATE balance SET containers = -1")


def test_a_remark_can_be_erased_and_the_chain_stays_whole(raw: Any, place: str) -> None:
    raw.execute("DELETE FROM remark WHERE movement = 1")
    with open_stock(place) as store:
        assert verify(store).problems == ()


class TestSqlite:
    """What only SQLite could be talked into."""

    @pytest.fixture
    def place(self, path: object) -> str:
        return str(path)

    @pytest.mark.parametrize("table", ["product_record", "movement_line", "remark"])
    def test_no_hidden_row_number_can_be_replaced(self, raw: sqlite3.Connection, table: str) -> None:
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            raw.execute(f"SELECT rowid FROM {table}")  # noqa: S608

    @pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 37), reason="this SQLite has no strict tables")
    def test_a_figure_is_a_whole_number(self, raw: sqlite3.Connection) -> None:
        for figure in ("2.5", "'five'"):
            with pytest.raises(sqlite3.IntegrityError, match="INTEGER"):
                raw.execute(f"UPDATE balance SET containers = {figure}")  # noqa: S608


@pytest.mark.postgres
class TestPostgres:
    """What only PostgreSQL could be talked into."""

    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.mark.parametrize("table", TABLES)
    def test_no_table_of_the_ledger_can_be_emptied(self, refused: Callable[[str], str], table: str) -> None:
        refused(f"TRUNCATE {table} CASCADE")

    def test_a_merge_changes_nothing(self, refused: Callable[[str], str]) -> None:
        refused(
            "MERGE INTO lot USING (SELECT 1 AS id) AS other ON lot.id = other.id"
            " WHEN MATCHED THEN UPDATE SET expiry = NULL"
        )
        refused(
            "MERGE INTO lot USING (SELECT 1 AS id) AS other ON lot.id = other.id WHEN MATCHED THEN DELETE"
        )

    def test_a_copy_is_an_insert_like_any_other(self, raw: Any) -> None:
        before = rows(raw)
        with (
            pytest.raises(Exception, match=APPEND_ONLY),
            raw.cursor() as cursor,
            cursor.copy("COPY location FROM STDIN") as copy,
        ):
            copy.write_row((9, "elsewhere"))
        assert rows(raw) == before

    def test_a_session_that_plays_a_replica_is_guarded_too(
        self, raw: Any, refused: Callable[[str], str]
    ) -> None:
        raw.execute("SET session_replication_role = replica")
        refused("UPDATE movement SET actor = 'somebody else'")
        refused("TRUNCATE remark")

    def test_tables_that_hide_the_ledger_do_not_hide_it_from_the_guards(
        self, raw: Any, refused: Callable[[str], str]
    ) -> None:
        raw.execute(
            "CREATE TEMPORARY TABLE movement (seq bigint, hash text, request_id text, reverses bigint)"
        )
        raw.execute("CREATE SCHEMA elsewhere")
        raw.execute("CREATE TABLE elsewhere.movement (LIKE pg_temp.movement)")
        for path in ("elsewhere, public", "public, elsewhere", "pg_temp, elsewhere"):
            raw.execute(f"SET search_path = {path}")
            with pytest.raises(Exception, match=APPEND_ONLY):
                raw.execute("INSERT INTO public.movement_line (movement, line, containers) VALUES (1, 9, 1)")

    def test_a_line_waits_for_who_is_about_to_seal_its_movement(
        self, raw: Any, connect_raw: Callable[[], Any]
    ) -> None:
        (head,) = raw.execute("SELECT hash FROM chain_head").fetchone()
        other = connect_raw()
        other.execute("SET lock_timeout = 200")
        raw.execute("BEGIN")
        raw.execute(f"INSERT INTO movement {a_movement(previous=head)}")
        with pytest.raises(Exception, match="lock timeout"):
            other.execute("INSERT INTO movement_line (movement, line, containers) VALUES (3, 1, 1)")
        raw.execute("COMMIT")
        with pytest.raises(Exception, match=APPEND_ONLY):
            other.execute("INSERT INTO movement_line (movement, line, containers) VALUES (3, 1, 1)")
        other.close()
