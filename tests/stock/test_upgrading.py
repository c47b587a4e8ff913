"""A stock of an older version is brought to this one, whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from mesoformula.errors import LedgerError, StockError
from mesoformula.stock.database import making, schema, upgrading
from mesoformula.stock.database.backup import restore
from mesoformula.stock.database.copying import fill
from mesoformula.stock.database.guards import guard_problems
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.database.upgrading import tables_of
from mesoformula.stock.ledger.verifying import verify

OLD = Path(__file__).parent.parent / "data" / "stores" / "schema-0001.sqlite"

CHAIN = "SELECT seq, previous_hash, hash FROM movement ORDER BY seq"


@pytest.fixture
def old(path: Path) -> Path:
    """A stock of schema 1, as the version that had it wrote it."""
    shutil.copyfile(OLD, path)
    return path


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(query).fetchall()


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob("stock.schema-0001.*.sqlite"))


def made_by(path: Path) -> set[tuple[str, str, str]]:
    return set(rows(path, "SELECT type, name, sql FROM sqlite_master"))


def test_an_old_stock_is_upgraded_when_it_is_read(old: Path) -> None:
    chain = rows(old, CHAIN)
    said: list[str] = []
    with open_stock(old, notify=said.append) as store:
        assert said == []
        with store.reading() as connection:
            assert connection is not None
            assert [tuple(row) for row in connection.execute(text(CHAIN))] == chain
            assert list(guard_problems(connection)) == []
        with store.reading():
            pass
        assert verify(store).problems == ()
        assert verify(store).movements == 3
    (kept,) = backups(old)
    (line,) = said
    assert (
        line
        == f"{old}: being upgraded from schema 1 to {schema.SCHEMA_VERSION}; as it was it is kept in {kept}"
    )
    assert [entry.name for entry in old.parent.iterdir() if entry not in (old, kept)] == []


def test_an_old_stock_is_upgraded_when_it_is_written(old: Path) -> None:
    with open_stock(old) as store:
        with store.writing() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [
                schema.REVISION
            ]
        assert verify(store).problems == ()
    assert len(backups(old)) == 1


def test_the_backup_is_what_the_stock_was(old: Path) -> None:
    with open_stock(old) as store, store.reading():
        pass
    (kept,) = backups(old)
    assert made_by(kept) == made_by(OLD)
    for table in tables_of(1).sorted_tables:
        query = f"SELECT * FROM {table.name}"  # noqa: S608
        assert rows(kept, query) == rows(OLD, query)
    shutil.copyfile(kept, old)
    with open_stock(old) as store:
        assert verify(store).problems == ()


def test_an_upgraded_stock_is_made_like_a_new_one(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.sqlite"
    for path in (old, new):
        with open_stock(path) as store, store.writing():
            pass
    assert made_by(old) == made_by(new)
    for pragma in ("application_id", "user_version", "journal_mode"):
        assert rows(old, f"PRAGMA {pragma}") == rows(new, f"PRAGMA {pragma}")
    assert rows(old, "PRAGMA foreign_key_check") == []


def test_what_lots_cost_is_taken_from_every_line(old: Path) -> None:
    # Two deliveries of the second lot in two currencies, as schema 1 would have taken them.
    with closing(sqlite3.connect(old, isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE movement_line SET unit_cost = 300, currency = 'CHF' WHERE lot = 2")
        raw.execute("INSERT INTO movement_line VALUES (3, 2, 2, 1, 1, NULL, 200, 'EUR', NULL)")
    with open_stock(old) as store, store.reading() as connection:
        assert connection is not None
        states = connection.execute(
            text("SELECT lot, cost_low, cost_high, currency, unpriced FROM lot_state ORDER BY lot")
        ).all()
    assert [tuple(row) for row in states] == [
        (1, 250, 250, "EUR", 1),
        (2, 200, 300, "EUR", 0),
        (3, None, None, None, 1),
    ]


def test_what_fails_leaves_the_old_stock_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        upgrading.making, "guard", lambda connection, version: connection.exec_driver_sql("x")
    )
    with open_stock(old) as store, pytest.raises(StockError, match=r"stock\.sqlite: near"), store.reading():
        pass
    assert rows(old, "PRAGMA user_version") == [(1,)]
    assert made_by(old) == made_by(OLD)
    assert rows(old, CHAIN) == rows(OLD, CHAIN)
    monkeypatch.undo()
    with open_stock(old) as store:
        assert verify(store).problems == ()
    assert len(backups(old)) == 2


def test_a_backup_that_cannot_be_written_stops_the_upgrade(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upgrading, "write_copy", full)
    with open_stock(old) as store, pytest.raises(StockError, match="No space left"), store.reading():
        pass
    assert rows(old, "PRAGMA user_version") == [(1,)]
    assert backups(old) == []
    assert [entry.name for entry in old.parent.iterdir()] == [old.name]


_DIES = """
import os, signal, sys
from mesoformula.stock.database import making
from mesoformula.stock.database.store import open_stock
making.guard = lambda connection, version: os.kill(os.getpid(), signal.SIGKILL)
with open_stock(sys.argv[1]) as store, store.reading():
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_upgrade_that_is_killed_half_way_can_be_done_again(old: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DIES, str(old)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert rows(old, "PRAGMA user_version") == [(1,)]
    assert made_by(old) == made_by(OLD)
    assert rows(old, CHAIN) == rows(OLD, CHAIN)
    with open_stock(old) as store:
        assert verify(store).problems == ()


_UPGRADES = """
import sys
from mesoformula.stock.database.store import open_stock
said = []
with open_stock(sys.argv[1], notify=said.append) as store:
    sys.stdin.readline()
    with store.writing() as connection:
        pass
print(len(said))
"""


def upgrade_at_once(place: str) -> list[str]:
    """What two programs say that open a stock and then upgrade it at the same time."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _UPGRADES, place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    return sorted(program.communicate(timeout=60)[0].strip() for program in programs)


def test_of_two_programs_one_upgrades_and_the_other_waits(old: Path) -> None:
    assert upgrade_at_once(str(old)) == ["0", "1"]
    assert len(backups(old)) == 1
    with open_stock(old) as store:
        assert verify(store).problems == ()


def test_an_old_backup_is_restored_as_a_stock_of_this_version(tmp_path: Path) -> None:
    before = OLD.read_bytes()
    done = restore(OLD, tmp_path / "new.sqlite")
    assert done.movements == 3
    assert OLD.read_bytes() == before
    assert backups(tmp_path / "new.sqlite") == []
    with open_stock(tmp_path / "new.sqlite") as store:
        assert verify(store).problems == ()


def test_a_program_notices_that_another_upgraded_the_stock(path: Path) -> None:
    with open_stock(path) as store:
        with store.writing():
            pass
        with closing(sqlite3.connect(path)) as raw:
            raw.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        for transaction in (store.reading, store.writing):
            with pytest.raises(LedgerError, match="upgrade mesoformula"), transaction():
                pass


@pytest.mark.postgres
class TestPostgres:
    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.fixture
    def old_there(self, any_store: Store) -> Store:
        """A stock as schema 1 would be on PostgreSQL."""
        engine = create_engine(f"sqlite:///file:{OLD}?mode=ro&uri=true")
        with any_store.place.alone() as connection, engine.connect() as source:
            fill(source, connection, tables_of(1), 1)
        engine.dispose()
        return any_store

    def test_an_old_stock_is_upgraded_with_a_backup_in_the_data_folder(
        self, old_there: Store, place: str
    ) -> None:
        said: list[str] = []
        with open_stock(place, notify=said.append) as store, store.reading() as connection:
            assert connection is not None
            assert [tuple(row) for row in connection.execute(text(CHAIN))] == rows(OLD, CHAIN)
            assert list(guard_problems(connection)) == []
        assert len(said) == 1
        kept = Path(said[0].partition("it is kept in ")[2])
        assert kept.is_relative_to(os.environ["XDG_DATA_HOME"])
        assert rows(kept, CHAIN) == rows(OLD, CHAIN)
        with open_stock(place) as store:
            assert verify(store).problems == ()
        with open_stock(kept) as store:
            assert verify(store).problems == ()

    def test_an_upgraded_stock_is_made_like_a_new_one(
        self, old_there: Store, place: str, request: pytest.FixtureRequest
    ) -> None:
        def reflected() -> dict[str, Any]:
            with old_there.reading() as connection:
                assert connection is not None
                known = inspect(connection)
                return {
                    table.name: (
                        [
                            {name: str(value) for name, value in column.items()}
                            for column in known.get_columns(table.name)
                        ],
                        known.get_pk_constraint(table.name),
                        sorted(known.get_foreign_keys(table.name), key=str),
                        sorted(known.get_unique_constraints(table.name), key=str),
                        sorted(known.get_check_constraints(table.name), key=str),
                        sorted(known.get_indexes(table.name), key=str),
                    )
                    for table in schema.metadata.sorted_tables
                }

        upgraded = reflected()
        with old_there.place.alone() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            making.make(connection)
        old_there.place.close()
        assert reflected() == upgraded

    def test_of_two_programs_one_upgrades_and_the_other_waits(self, old_there: Store, place: str) -> None:
        old_there.close()
        assert upgrade_at_once(place) == ["0", "1"]
        with open_stock(place) as store:
            assert verify(store).problems == ()

    def test_what_fails_leaves_the_old_stock_as_it_was(
        self, old_there: Store, place: str, monkeypatch: pytest.MonkeyPatch, connect_raw: Any
    ) -> None:
        monkeypatch.setattr(
            upgrading.making, "guard", lambda connection, version: connection.exec_driver_sql("x")
        )
        with open_stock(place) as store, pytest.raises(StockError, match="syntax"), store.reading():
            pass
        with closing(connect_raw()) as raw:
            assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
            assert raw.execute("SELECT unit_cost FROM lot_state ORDER BY lot").fetchall() == [
                (250,),
                (None,),
                (None,),
            ]
