"""Backups are whole, stand alone, and can be turned into a stock again on either database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import select

from mesoformula.errors import LedgerError, StockError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import copying, schema
from mesoformula.stock.database.backup import backup, restore
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Delivery

WRITER = Path(__file__).with_name("writes_receipts.py")


@pytest.fixture
def delivery(make_product: Callable[..., Product]) -> Delivery:
    return Delivery(
        make_product(), "L1", 10, date(2027, 3, 31), remark="box dented", unit_cost=1, currency="EUR"
    )


@pytest.fixture
def filled(any_store: Store, delivery: Delivery) -> Store:
    """A stock of some movements, with a remark that was erased."""
    for number in range(3):
        receive(
            any_store, [attrs.evolve(delivery, lot=f"Löt {number}")], actor="Zoë", request_id=f"r{number}"
        )
    with any_store.writing() as connection:
        connection.execute(schema.remark.delete().where(schema.remark.c.movement == 2))
    return any_store


def content(store: Store) -> dict[str, list[Any]]:
    with store.reading() as connection:
        assert connection is not None
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in schema.metadata.sorted_tables
        }


def test_a_backup_is_itself_a_stock_of_one_file(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "backups ü" / "monday.sqlite"
    target.parent.mkdir()
    made = backup(filled, target)
    found = verify(filled)
    assert (made.path, made.movements, made.anchor) == (target, 3, found.anchor)
    assert [entry.name for entry in target.parent.iterdir()] == [target.name]
    with open_stock(target) as copy:
        assert content(copy) == content(filled)
        assert verify(copy) == found
        assert found.problems == ()
    assert [entry.name for entry in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("batch", [1, 2, 5_000])
def test_a_stock_goes_through_a_backup_and_back_unchanged(
    filled: Store, tmp_path: Path, target_place: str, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(copying, "_BATCH", batch)
    made = backup(filled, tmp_path / "backup.sqlite")
    done = restore(made.path, target_place)
    assert (done.movements, done.anchor) == (made.movements, made.anchor)
    assert "secret" not in done.store
    with open_stock(target_place) as store:
        assert done.store == str(store)
        assert content(store) == content(filled)
        assert verify(store) == verify(filled)
        assert verify(store).problems == ()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def target_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a stock is restored to."""
    if request.param == "sqlite":
        return str(tmp_path / "a new folder" / "restored.sqlite")
    return str(request.getfixturevalue("another_postgres_url"))


def test_a_restored_stock_takes_movements_again(
    filled: Store, tmp_path: Path, target_place: str, delivery: Delivery
) -> None:
    restore(backup(filled, tmp_path / "backup.sqlite").path, target_place)
    with open_stock(target_place) as store:
        assert receive(store, [attrs.evolve(delivery, lot="new")], actor="anna").movement == 4
        assert verify(store).problems == ()


def test_an_empty_stock_can_be_backed_up_and_restored(
    any_store: Store, tmp_path: Path, target_place: str
) -> None:
    with any_store.writing():
        pass
    made = backup(any_store, tmp_path / "backup.sqlite")
    assert (made.movements, made.anchor) == (0, None)
    assert restore(made.path, target_place).anchor is None


def test_no_stock_cannot_be_backed_up(any_store: Store, tmp_path: Path) -> None:
    with pytest.raises(StockError, match="no stock is there yet"):
        backup(any_store, tmp_path / "backup.sqlite")
    assert list(tmp_path.glob("*backup*")) == []


def test_nothing_is_overwritten(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite"
    target.write_text("precious")
    with pytest.raises(StockError, match="is there already"):
        backup(filled, target)
    assert target.read_text() == "precious"
    target.unlink()
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StockError, match="is there already"):
        backup(filled, target)
    assert not (tmp_path / "nowhere").exists()
    target.unlink()
    made = backup(filled, target)
    for taken in (str(filled.path or ""), str(target)):
        if taken:
            with pytest.raises(StockError, match="is there already"):
                restore(made.path, taken)
    assert verify(filled).problems == ()


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_what_another_stock_left_behind_is_not_mixed_in(filled: Store, tmp_path: Path, ending: str) -> None:
    made = backup(filled, tmp_path / "backup.sqlite")
    left = tmp_path / f"restored.sqlite{ending}"
    left.write_bytes(b"x")
    with pytest.raises(StockError, match=f"restored.sqlite{ending}: left by a stock"):
        restore(made.path, tmp_path / "restored.sqlite")
    assert left.read_bytes() == b"x"
    assert not (tmp_path / "restored.sqlite").exists()


def test_a_folder_that_is_not_there_is_said(filled: Store, tmp_path: Path) -> None:
    with pytest.raises(StockError, match=r"the folder .*nowhere' does not exist"):
        backup(filled, tmp_path / "nowhere" / "backup.sqlite")


def test_a_backup_that_fails_leaves_nothing_behind(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(copying, "_flush", fails)
    with pytest.raises(StockError, match=r"backup\.sqlite: No space left on device"):
        backup(filled, tmp_path / "backup.sqlite")
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backup.sqlite"
    monkeypatch.setattr(copying, "_flush", lambda path: target.write_text("precious"))
    with pytest.raises(StockError, match="is there already"):
        backup(filled, target)
    assert target.read_text() == "precious"


@pytest.mark.parametrize("content", [None, b"", b"hello" * 100])
def test_what_is_no_backup_is_not_restored(tmp_path: Path, target_place: str, content: bytes | None) -> None:
    source = tmp_path / "source.sqlite"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(StockError, match=r"source\.sqlite: "):
        restore(source, target_place)
    with open_stock(target_place) as store, store.reading() as connection:
        assert connection is None


def test_a_backup_from_the_future_is_not_restored(filled: Store, tmp_path: Path) -> None:
    made = backup(filled, tmp_path / "backup.sqlite")
    with closing(sqlite3.connect(made.path)) as raw:
        raw.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    with pytest.raises(LedgerError, match="upgrade mesoformula"):
        restore(made.path, tmp_path / "restored.sqlite")
    assert not (tmp_path / "restored.sqlite").exists()


def test_a_backup_made_while_others_write_is_whole(store: Store, path: Path, tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, str(WRITER), str(path), "writer", "100000"], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    program.stdout.readline()
    try:
        made = []
        for number in range(3):
            made.append(backup(store, tmp_path / f"{number}.sqlite"))
            time.sleep(0.05)
    finally:
        program.kill()
        program.communicate(timeout=60)
    assert made[0].movements < made[-1].movements
    for one in made:
        with open_stock(one.path) as copy:
            found = verify(copy)
            assert (found.movements, found.anchor, found.problems) == (one.movements, one.anchor, ())
        assert verify(store, against=one.anchor).problems == ()


@pytest.mark.postgres
class TestPostgres:
    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    def test_a_database_that_holds_anything_is_not_restored_into(
        self, filled: Store, place: str, tmp_path: Path, another_postgres_url: str
    ) -> None:
        import psycopg

        made = backup(filled, tmp_path / "backup.sqlite")
        with pytest.raises(StockError, match="holds a stock already"):
            restore(made.path, place)
        with psycopg.connect(another_postgres_url, autocommit=True) as raw:
            raw.execute("CREATE TABLE recipes (name text)")
        with pytest.raises(LedgerError, match="another program"):
            restore(made.path, another_postgres_url)

    def test_what_is_written_while_a_backup_is_made_is_not_in_it(
        self, filled: Store, tmp_path: Path, delivery: Delivery, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        monkeypatch.setattr(copying, "_BATCH", 1)
        found = verify(filled)
        really = copying.fill

        def slowly(*arguments: Any) -> None:
            with open_stock(place) as other:
                receive(other, [attrs.evolve(delivery, lot="meanwhile")], actor="anna")
            really(*arguments)

        monkeypatch.setattr(copying, "fill", slowly)
        made = backup(filled, tmp_path / "backup.sqlite")
        assert made.anchor == found.anchor
        with open_stock(made.path) as copy:
            assert verify(copy) == found

    def test_an_old_backup_is_restored_as_a_stock_of_this_version(self, place: str) -> None:
        old = Path(__file__).parent.parent / "data" / "stores" / "schema-0001.sqlite"
        assert restore(old, place).movements == 3
        with open_stock(place) as store:
            assert verify(store).problems == ()

    def test_a_restore_that_fails_leaves_the_database_empty(
        self, filled: Store, tmp_path: Path, another_postgres_url: str
    ) -> None:
        made = backup(filled, tmp_path / "backup.sqlite")
        with closing(sqlite3.connect(made.path)) as raw:
            raw.execute("DROP TRIGGER movement_line_guards_delete")
            raw.execute("DROP TRIGGER movement_guards_delete")
            raw.execute("DELETE FROM movement WHERE seq = 3")
            raw.commit()
        with pytest.raises(StockError, match="foreign key"):
            restore(made.path, another_postgres_url)
        with open_stock(another_postgres_url) as store, store.reading() as connection:
            assert connection is None

    def test_a_text_that_the_server_cannot_hold_is_said(
        self, filled: Store, tmp_path: Path, another_postgres_url: str
    ) -> None:
        made = backup(filled, tmp_path / "backup.sqlite")
        with closing(sqlite3.connect(made.path, isolation_level=None)) as raw:
            raw.execute("INSERT INTO location VALUES (2, 'a' || char(0) || 'b')")
        with pytest.raises(StockError, match="NUL"):
            restore(made.path, another_postgres_url)
