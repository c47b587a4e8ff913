"""A stock in PostgreSQL: what its server says reaches people in plain words, and no secret does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from mesoformula.errors import LedgerError, StockError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import places, postgres, schema
from mesoformula.stock.database.store import Store, open_stock, place_at
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Delivery


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://user:secret@host:port/stock",
        "postgresql://user:top@secret@host/stock",
        "postgresql://user:secret@host/st\nock",
        "postgresql://user:secret@host/stock\x1b[31m",
    ],
)
def test_a_url_that_is_none_is_refused_without_repeating_it(location: str) -> None:
    with pytest.raises(StockError, match="expected postgresql://") as error:
        open_stock(location)
    assert "secret" not in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (
            "postgresql://user:secret@127.0.0.1:1/stock",
            "postgresql://user@127.0.0.1:1/stock: no server answers",
        ),
        (
            "postgres://user:secret@127.0.0.1:1/stock",
            "postgresql://user@127.0.0.1:1/stock: no server answers",
        ),
        ("postgresql:///stock?host=/nowhere&password=secret", "postgresql:///stock?host=/nowhere: no server"),
        (
            "postgresql://host.invalid/stock?password=secret",
            "postgresql://host.invalid/stock: no host of that",
        ),
        ("postgresql://127.0.0.1:1/stock?secret=1", "the URL has an option that PostgreSQL does not know"),
        ("postgresql://127.0.0.1:1/stock?connect_timeout=x&password=secret", "connect_timeout"),
    ],
)
def test_a_server_that_cannot_be_reached_is_said_without_a_secret(location: str, said: str) -> None:
    with pytest.raises(StockError) as error:
        open_stock(location)
    assert said in str(error.value)
    assert "secret" not in str(error.value)


def test_a_missing_driver_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StockError, match=r"pip install 'mesoformula\[postgres\]'") as error:
        open_stock("postgresql://user:secret@host/stock")
    assert "secret" not in str(error.value)


@pytest.mark.postgres
class TestServer:
    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.fixture
    def delivery(self, make_product: Callable[..., Product]) -> Delivery:
        return Delivery(make_product(), "L1", 10, date(2027, 3, 31))

    @pytest.fixture
    def made(self, any_store: Store, delivery: Delivery) -> Store:
        """A stock of one movement."""
        receive(any_store, [delivery], actor="anna")
        return any_store

    @pytest.fixture
    def raw(self, connect_raw: Callable[[], Any]) -> Iterator[Any]:
        with closing(connect_raw()) as connection:
            yield connection

    @pytest.fixture
    def database(self, place: str) -> str:
        return str(make_url(place).database)

    def fails(self, store: Store, delivery: Delivery) -> str:
        """What a write that must fail says, having changed nothing."""
        with pytest.raises(StockError) as error:
            receive(store, [delivery], actor="anna", request_id="again")
        assert str(error.value).startswith(f"{store}: ")
        assert str(error.value).isprintable()
        return str(error.value).removeprefix(f"{store}: ")

    def test_it_tells_where_and_what_it_is_and_the_servers_time(self, made: Store, raw: Any) -> None:
        assert made.dialect == "postgresql"
        assert made.path is None
        (before,) = raw.execute("SELECT clock_timestamp()").fetchone()
        assert before <= made.moment()
        assert made.moment().tzinfo is UTC
        with made.writing() as connection:
            first, second = made.moment(connection), made.moment(connection)
        (after,) = raw.execute("SELECT clock_timestamp()").fetchone()
        assert before < first < second < after

    def test_a_clock_that_is_given_goes_before_the_servers(self, place: str) -> None:
        noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
        with open_stock(place, clock=lambda: noon) as store:
            assert store.moment() == noon

    def test_a_session_writes_durably_whatever_the_database_is_set_to(
        self, made: Store, raw: Any, database: str, place: str
    ) -> None:
        raw.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
        raw.execute(f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
        with open_stock(place) as store:
            with store.writing() as connection:
                shown = [
                    connection.execute(text(f"SHOW {name}")).scalar_one()
                    for name in ("synchronous_commit", "transaction_isolation", "lock_timeout")
                ]
            assert shown == ["on", "read committed", "30s"]
            with store.reading() as connection:
                assert connection is not None
                assert (
                    connection.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
                )
                assert connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"

    def test_a_password_that_is_wrong_or_missing_is_said(self, place: str, postgres_server: str) -> None:
        import psycopg

        url = make_url(place).set(username="meso_locked")
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute("CREATE ROLE meso_locked LOGIN PASSWORD 'right'")
            try:
                for password, said in (
                    ("wr0ng", "does not accept this user or password"),
                    (None, "asks for a"),
                ):
                    asked = url.set(password=password) if password else url
                    with pytest.raises(StockError, match=said) as error:
                        open_stock(asked.render_as_string(hide_password=False))
                    assert "wr0ng" not in str(error.value)
                right = url.set(password="right").render_as_string(hide_password=False)  # noqa: S106
                with open_stock(right) as store:
                    assert "right" not in str(store)
                    assert "right" not in repr(store)
                    with (
                        pytest.raises(StockError, match="permission denied for schema public"),
                        store.writing(),
                    ):
                        pass
            finally:
                admin.execute("DROP ROLE meso_locked")

    def test_a_database_or_user_that_is_not_there_is_said(self, place: str) -> None:
        nowhere = make_url(place).set(database="nowhere").render_as_string(hide_password=False)
        with pytest.raises(StockError, match="no database of that name"):
            open_stock(nowhere)
        nobody = make_url(place).set(username="nobody-here").render_as_string(hide_password=False)
        with pytest.raises(StockError, match="does not accept this user"):
            open_stock(nobody)

    def test_a_server_that_is_too_old_is_said(self, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "_OLDEST", 99)
        with pytest.raises(StockError, match=r"PostgreSQL \d+.*; expected 99 or later"):
            open_stock(place)

    def test_an_encoding_that_cannot_hold_every_name_is_refused(self, postgres_server: str) -> None:
        import psycopg

        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute("CREATE DATABASE meso_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
            try:
                url = make_url(postgres_server).set(database="meso_latin")
                with pytest.raises(StockError, match="its encoding is LATIN1; expected UTF8"):
                    open_stock(url.render_as_string(hide_password=False))
            finally:
                admin.execute("DROP DATABASE meso_latin WITH (FORCE)")

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE recipes (name text)",
            "CREATE VIEW recipes AS SELECT 1 AS name",
            "CREATE SEQUENCE recipes",
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0002')",
            "CREATE TABLE chain_head (id integer)",
        ],
    )
    def test_a_database_of_another_program_is_refused(
        self, any_store: Store, raw: Any, delivery: Delivery, place: str, statement: str
    ) -> None:
        raw.execute(statement)
        with pytest.raises(LedgerError, match="another program"):
            open_stock(place)
        assert "another program" in self.fails(any_store, delivery)

    def test_other_schemas_and_extensions_are_no_hindrance(
        self, any_store: Store, raw: Any, delivery: Delivery
    ) -> None:
        raw.execute("CREATE SCHEMA other")
        raw.execute("CREATE TABLE other.movement (seq integer)")
        raw.execute("CREATE EXTENSION pg_buffercache")
        receive(any_store, [delivery], actor="anna")
        assert verify(any_store).problems == ()

    def test_a_stock_may_have_a_schema_of_its_own(
        self, place: str, raw: Any, delivery: Delivery, database: str
    ) -> None:
        raw.execute('CREATE SCHEMA "The Pharmacy"')
        raw.execute(f'ALTER DATABASE {database} SET search_path = "The Pharmacy"')
        with open_stock(place) as store:
            receive(store, [delivery], actor="anna")
            assert raw.execute('SELECT count(*) FROM "The Pharmacy".movement').fetchone() == (1,)
            assert verify(store).problems == ()

    def test_a_search_path_that_leads_nowhere_is_said(
        self, any_store: Store, raw: Any, delivery: Delivery
    ) -> None:
        raw.execute("DROP SCHEMA public")
        assert "no schema of its search path is there" in self.fails(any_store, delivery)

    @pytest.mark.parametrize(
        ("version", "said"), [("0999", "upgrade mesoformula"), ("abc", "schema abc"), ("0000", "schema 0")]
    )
    def test_a_stock_from_the_future_is_refused(
        self, made: Store, raw: Any, place: str, version: str, said: str
    ) -> None:
        raw.execute("UPDATE alembic_version SET version_num = %s", (version,))
        with pytest.raises(LedgerError, match=said):
            open_stock(place)
        for transaction in (made.reading, made.writing):
            with pytest.raises(LedgerError, match=said), transaction():
                pass

    def test_a_database_that_only_reads_can_be_listed(
        self, made: Store, raw: Any, place: str, database: str, delivery: Delivery
    ) -> None:
        raw.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        with open_stock(place) as store:
            assert self.fails(store, delivery) == "may not be written to; nothing was changed"
            assert verify(store).movements == 1

    def test_waiting_for_another_program_ends(
        self, made: Store, raw: Any, place: str, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(places, "PATIENCE", 0.1)
        raw.execute("BEGIN")
        raw.execute("SELECT * FROM chain_head FOR UPDATE")
        with open_stock(place) as store:
            assert self.fails(store, delivery) == "in use by another program; try again"
            assert verify(store).movements == 1
            raw.execute("COMMIT")
            assert receive(store, [delivery], actor="anna").movement == 2

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ("53100", "the server's disk is full; nothing was changed"),
            ("53200", "the server is out of memory; nothing was changed"),
            ("40001", "in use by another program; try again"),
            ("40P01", "in use by another program; try again"),
            ("57014", "took longer than the server allows; nothing was changed"),
            ("58030", "the server's disk does not answer; nothing was changed"),
            ("XX001", "damaged; restore a backup"),
            ("P0001", "odd secret …"),
        ],
    )
    def test_what_the_server_refuses_is_said_and_changes_nothing(
        self, made: Store, raw: Any, place: str, delivery: Delivery, state: str, said: str
    ) -> None:
        raw.execute(
            "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE EXCEPTION E'odd\\nsecret pass-word' USING ERRCODE = '{state}'; END$$"
        )
        raw.execute("CREATE TRIGGER odd BEFORE UPDATE ON chain_head FOR EACH ROW EXECUTE FUNCTION odd()")
        url = make_url(place).set(password="pass-word")  # noqa: S106
        with open_stock(url.render_as_string(hide_password=False)) as store:
            assert self.fails(store, delivery) == said
            raw.execute("DROP TRIGGER odd ON chain_head")
            raw.execute("DROP FUNCTION odd")
            assert verify(store).movements == 1
            assert verify(store).problems == ()

    def test_a_statement_that_takes_too_long_is_said(
        self, made: Store, raw: Any, place: str, database: str
    ) -> None:
        raw.execute(f"ALTER DATABASE {database} SET statement_timeout = 100")
        with open_stock(place) as store:
            with pytest.raises(StockError) as error, store.reading() as connection:  # noqa: PT012
                assert connection is not None
                connection.execute(text("SELECT pg_sleep(5)"))
            assert str(error.value) == f"{store}: took longer than the server allows; nothing was changed"

    def test_a_connection_that_is_lost_says_that_the_outcome_is_unknown(
        self, made: Store, raw: Any, delivery: Delivery
    ) -> None:
        with pytest.raises(StockError) as error, made.writing() as connection:  # noqa: PT012
            raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'mesoformula' AND datname = current_database()"
            )
            connection.execute(text("SELECT 1"))
        assert "whether the last write was kept is not known" in str(error.value)
        assert receive(made, [delivery], actor="anna").movement == 2

    def test_a_table_that_is_gone_is_said(self, made: Store, raw: Any, delivery: Delivery) -> None:
        raw.execute("DROP TABLE standing, balance")
        assert self.fails(made, delivery) == "a table is missing; restore a backup"

    def test_many_programs_write_without_a_gap(self, made: Store, place: str, delivery: Delivery) -> None:
        failed: list[BaseException] = []

        def write() -> None:
            try:
                with open_stock(place) as store:
                    for _ in range(10):
                        receive(store, [delivery], actor="anna")
            except BaseException as err:
                failed.append(err)

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(timeout=60)
        assert failed == []
        found = verify(made)
        assert (found.movements, found.problems) == (41, ())

    def test_the_tables_are_those_of_sqlite(self, made: Store, raw: Any) -> None:
        names = {
            name
            for (name,) in raw.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
        }
        assert names == set(schema.metadata.tables)


@pytest.mark.parametrize(
    "said",
    [
        "sending query failed: cannot exit pipeline mode while busy",
        "PQsendQuery not allowed in pipeline mode",
        "consuming input failed: server closed the connection unexpectedly",
        "the connection is closed",
    ],
)
def test_however_the_driver_says_it_a_broken_connection_is_a_lost_one(said: str) -> None:
    database = place_at("postgresql://anna@localhost/pharmacy")
    error = database.said(psycopg.OperationalError(said))
    assert "the connection to the server was lost" in str(error)
    assert "same request id" in str(error)
