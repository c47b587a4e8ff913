"""Where a stock may be, and what happens where it may not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import attrs
import platformdirs
import pytest

from mesoformula.errors import LedgerError, StockError
from mesoformula.products import Product
from mesoformula.stock import store as store_module
from mesoformula.stock.reading import stock_view
from mesoformula.stock.receiving import receive
from mesoformula.stock.records import Delivery
from mesoformula.stock.schema import APPLICATION_ID, REVISION, SCHEMA_VERSION
from mesoformula.stock.store import Store, open_stock
from mesoformula.stock.verifying import verify

TODAY = date(2026, 5, 4)


@pytest.fixture
def delivery(make_product: Callable[..., Product]) -> Delivery:
    return Delivery(make_product(), "L1", 10, date(2027, 3, 31))


def test_the_default_is_a_file_in_the_platforms_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def data_path(name: str, appauthor: object = None) -> Path:
        return tmp_path / name

    monkeypatch.setattr(platformdirs, "user_data_path", data_path)
    with open_stock(None) as store:
        assert store.path == tmp_path / "mesoformula" / "stock.sqlite"
        assert not store.path.parent.exists()


def test_a_file_is_named_by_its_path_or_by_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = tmp_path / "a.sqlite"
    for location in (here, str(here), "a.sqlite", "~/a.sqlite", "sqlite:///a.sqlite", f"sqlite:///{here}"):
        with open_stock(location) as store:
            assert store.path == here
            assert str(store) == str(here)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/file",
        "sqlite:///file.sqlite?mode=memory",
        ":memory:",
        "sqlite:///:memory:",
        "postgresql://user:secret@host/stock",
        "mysql://user:secret@host/stock",
        "http://example.org/?secret",
        "a\0b",
        "a\nb",
    ],
)
def test_anything_else_is_refused_without_repeating_a_secret(location: str) -> None:
    with pytest.raises(StockError, match="expected a SQLite file or a sqlite:/// URL") as error:
        open_stock(location)
    assert "secret" not in str(error.value)
    assert str(error.value).isprintable()


def test_the_first_write_makes_the_file_and_its_folders(tmp_path: Path, delivery: Delivery) -> None:
    path = tmp_path / "a folder" / "100 % ünï?#" / "stock.sqlite"
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
    with open_stock(path) as store:
        assert len(stock_view(store, as_of=TODAY).on_hand) == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["stock.sqlite"]


def test_the_file_says_what_it_is(path: Path, delivery: Delivery) -> None:
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
        with store.writing() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("foreign_keys", "recursive_triggers", "synchronous", "busy_timeout")
            }
    assert settings == {
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "synchronous": 2,
        "busy_timeout": 30_000,
    }
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]
        assert raw.execute("SELECT count(*) FROM pragma_foreign_key_check").fetchone() == (0,)


def test_an_empty_file_is_a_stock_to_be(path: Path, delivery: Delivery) -> None:
    path.touch()
    with open_stock(path) as store:
        assert stock_view(store, as_of=TODAY).on_hand == ()
        assert path.stat().st_size == 0
        receive(store, [delivery], actor="anna")
        assert verify(store).problems == ()


def refused(path: Path, delivery: Delivery) -> str:
    """The one line that opening answers with, having changed nothing."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerError) as error:
        open_stock(path)
    late = Store(path)
    for attempt in (
        lambda: stock_view(late, as_of=TODAY),
        lambda: receive(late, [delivery], actor="anna"),
        lambda: verify(late),
    ):
        with pytest.raises(LedgerError) as again:
            attempt()
        assert str(again.value) == str(error.value)
    late.close()
    assert (path.read_bytes() if path.is_file() else None) == before
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize("content", [b"hello", b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_refused(path: Path, delivery: Delivery, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(path, delivery).startswith(f"{path}: ")


def test_a_database_of_another_program_is_refused(path: Path, delivery: Delivery) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
    assert "another program" in refused(path, delivery)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA application_id = 7")
    assert "another program" in refused(path, delivery)


def test_a_stock_from_the_future_is_refused(path: Path, delivery: Delivery) -> None:
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert "upgrade mesoformula" in refused(path, delivery)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 0")
    assert "schema 0" in refused(path, delivery)


def test_a_folder_is_refused(tmp_path: Path, delivery: Delivery) -> None:
    assert "no file" in refused(tmp_path, delivery)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, delivery: Delivery) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "stock.sqlite", tmp_path / ("x" * 300) / "stock.sqlite"):
        with pytest.raises(StockError, match=r"stock\.sqlite: "), open_stock(path) as store:
            receive(store, [delivery], actor="anna")


def test_a_damaged_stock_is_said_to_be_damaged(path: Path, delivery: Delivery) -> None:
    with open_stock(path) as store:
        receive(store, [attrs.evolve(delivery, lot=f"L{n}") for n in range(500)], actor="anna")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    with open_stock(path) as store:
        for attempt in (lambda: stock_view(store, as_of=TODAY), lambda: verify(store)):
            with pytest.raises(LedgerError, match="damaged"):
                attempt()


def test_a_stock_that_is_written_to_elsewhere_is_waited_for_and_then_given_up(
    path: Path, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
    monkeypatch.setattr(store_module, "PATIENCE", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw, open_stock(path) as store:
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(StockError, match="in use by another program"):
            receive(store, [delivery], actor="anna")
        assert stock_view(store, as_of=TODAY).on_hand[0].containers == 10
        raw.execute("ROLLBACK")
        receive(store, [delivery], actor="anna")
        assert verify(store).problems == ()


def test_what_fails_half_way_leaves_nothing(path: Path, delivery: Delivery) -> None:
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute(
                "CREATE TRIGGER late BEFORE UPDATE ON chain_head BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            with pytest.raises(StockError, match=r"stock\.sqlite: no"):
                receive(store, [attrs.evolve(delivery, lot="L2", location="new")], actor="anna")
            raw.execute("DROP TRIGGER late")
        assert verify(store).movements == 1
        assert verify(store).problems == ()
        receive(store, [attrs.evolve(delivery, lot="L2", location="new")], actor="anna")
        assert verify(store).problems == ()


def test_a_head_that_does_not_fit_its_ledger_takes_no_more_movements(path: Path, delivery: Delivery) -> None:
    with open_stock(path) as store:
        receive(store, [delivery], actor="anna")
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("UPDATE chain_head SET hash = ?", ("0" * 64,))
        with pytest.raises(LedgerError, match=r"append-only.*run verify"):
            receive(store, [delivery], actor="anna")
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("DELETE FROM chain_head")
        with pytest.raises(LedgerError, match="head of the chain is missing"):
            receive(store, [delivery], actor="anna")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits and rights")
class TestBadDisks:
    """Run in a child process, whose limits and rights can be taken away."""

    @staticmethod
    def answer(path: Path, delivery: Delivery, before: Callable[[], None]) -> str:
        """What receiving and listing say in a process that has lost something."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            said = "nothing"
            try:
                with Store(path) as store:
                    before()
                    try:
                        receive(store, [delivery], actor="anna")
                        said = "received"
                    except StockError as err:
                        said = f"{type(err).__name__} {err}"
            except BaseException as err:
                said = f"traceback {err!r}"
            os.write(writer, said.encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        return said

    def test_a_full_disk_is_said_and_changes_nothing(self, path: Path, delivery: Delivery) -> None:
        with open_stock(path) as store:
            receive(store, [delivery], actor="anna")
        limit = path.stat().st_size

        def no_more_room() -> None:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))

        said = self.answer(path, attrs.evolve(delivery, remark="x" * 2000, lot="L2"), no_more_room)
        assert "StockError" in said
        assert "disk" in said
        assert path.stat().st_size == limit
        with open_stock(path) as store:
            assert verify(store).movements == 1
            assert verify(store).problems == ()

    def test_a_file_that_may_not_be_written_is_said_and_can_still_be_listed(self, delivery: Delivery) -> None:
        # Not below pytest's folder, which is closed to the user that root turns into.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stock.sqlite"
            with open_stock(path) as store:
                receive(store, [delivery], actor="anna")
                stock_view(store, as_of=TODAY)
            path.chmod(0o444)
            Path(folder).chmod(0o777)

            def no_rights() -> None:
                if os.geteuid() == 0:
                    os.setuid(65534)

            assert "may not be written to" in self.answer(path, delivery, no_rights)
            path.chmod(0o644)
            with open_stock(path) as store:
                assert verify(store).movements == 1


def test_importing_the_stock_loads_no_database_toolkit() -> None:
    code = (
        "import sys, mesoformula.stock, mesoformula.stock.records;"
        "sys.exit(','.join(sorted({'sqlalchemy', 'pint', 'sqlite3'} & set(sys.modules))) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
