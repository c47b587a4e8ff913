"""Where a stock may be, and what happens where it may not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import platformdirs
import pytest
from sqlalchemy import text

from mesoformula.errors import LedgerError, StockError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import places
from mesoformula.stock.database.guards import guard_problems
from mesoformula.stock.database.schema import APPLICATION_ID, REVISION, SCHEMA_VERSION
from mesoformula.stock.database.sqlite_file import SqliteFile
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Delivery
from mesoformula.stock.views.reading import stock_view

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
        "mysql://user:secret@host/stock",
        "http://example.org/?secret",
        "a\0b",
        "a\nb",
    ],
)
def test_anything_else_is_refused_without_repeating_a_secret(location: str) -> None:
    with pytest.raises(
        StockError, match="expected a SQLite file, or a sqlite:/// or postgresql:// URL"
    ) as error:
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
    monkeypatch.setattr(places, "PATIENCE", 0.1)
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


def test_a_stock_tells_where_it_is_what_it_is_and_what_time_it_is(path: Path) -> None:
    with open_stock(path) as store:
        assert store.path == path
        assert store.dialect == "sqlite"
        before = datetime.now(UTC)
        assert before <= store.moment() <= datetime.now(UTC)
        assert store.moment().utcoffset() == timedelta(0)
        assert store.moment().astimezone(store.zone).utcoffset() == store.moment().astimezone().utcoffset()
    paris = ZoneInfo("Europe/Paris")
    noon = datetime(2026, 7, 1, 12, tzinfo=paris)
    with open_stock(path, zone=paris, clock=lambda: noon) as store:
        assert store.zone is paris
        assert store.moment() == noon
        assert store.moment().tzinfo is UTC


def test_a_stock_whose_maker_died_early_is_read_while_written_from_the_next_write_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_stock(path) as store, store.writing():
        pass
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    with open_stock(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM movement").fetchall()
            monkeypatch.setattr(places, "PATIENCE", 0.1)
            with pytest.raises(StockError, match="in use"), store.writing():
                pass
        with closing(sqlite3.connect(path)) as raw:
            assert raw.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        with store.writing():
            pass
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


_MAKES = """
import sys
from mesoformula.stock.database.store import open_stock
with open_stock(sys.argv[1]) as store:
    sys.stdin.readline()
    with store.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
print("made")
"""


def test_programs_that_write_first_at_once_make_one_stock(any_store: Store, place: str) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _MAKES, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    assert [program.communicate(timeout=60)[0] for program in programs] == ["made\n"] * 4
    with any_store.reading() as connection:
        assert connection is not None
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [
            REVISION
        ]
        assert connection.execute(text("SELECT seq FROM chain_head")).scalars().all() == [0]
        assert list(guard_problems(connection)) == []


def test_who_reads_sees_one_moment_while_others_write(
    any_store: Store, place: str, delivery: Delivery
) -> None:
    receive(any_store, [delivery], actor="anna")
    count = text("SELECT count(*) FROM movement")
    with open_stock(place) as other, other.reading() as connection:
        assert connection is not None
        assert connection.execute(count).scalar() == 1
        receive(any_store, [attrs.evolve(delivery, lot="L2")], actor="anna")
        assert connection.execute(count).scalar() == 1
    with any_store.reading() as connection:
        assert connection is not None
        assert connection.execute(count).scalar() == 2


def test_whoever_reads_changes_nothing(any_store: Store) -> None:
    assert stock_view(any_store, as_of=TODAY).on_hand == ()
    with any_store.reading() as connection:
        assert connection is None
    assert any_store.place.version() is None


def in_a_child(answer: Callable[[], str]) -> str:
    """What a function answers in a process of its own, whose limits and rights it may take away."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        said = "nothing"
        try:
            said = answer()
        except BaseException as err:
            said = f"traceback {err!r}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits and rights")
class TestBadDisks:
    """What a child process says that has lost limits or rights."""

    @staticmethod
    def answer(path: Path, delivery: Delivery, before: Callable[[], None]) -> str:
        """What receiving says in a process that has lost something."""

        def attempt() -> str:
            with Store(path) as store:
                before()
                try:
                    receive(store, [delivery], actor="anna")
                except StockError as err:
                    return f"{type(err).__name__} {err}"
                return "received"

        return in_a_child(attempt)

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

    @staticmethod
    def listed(path: Path) -> str:
        """What opening, listing and receiving say to a user without any rights to the folder."""

        def look() -> str:
            if os.geteuid() == 0:
                os.setuid(65534)
            try:
                with open_stock(path) as store:
                    said = str(len(stock_view(store, as_of=TODAY).on_hand))
                    try:
                        with store.writing():
                            pass
                    except StockError as err:
                        said += f" {err}"
                    return said
            except StockError as err:
                return f"{type(err).__name__} {err}"

        return in_a_child(look)

    @pytest.fixture
    def closed(self, delivery: Delivery) -> Iterator[Path]:
        """A stock in a folder that takes no new files."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stock.sqlite"
            with open_stock(path) as store:
                receive(store, [delivery], actor="anna")
            path.chmod(0o444)
            Path(folder).chmod(0o555)
            yield path
            Path(folder).chmod(0o755)

    def test_a_read_only_stock_in_a_read_only_folder_can_be_listed(self, closed: Path) -> None:
        assert self.listed(closed) == f"1 {closed}: may not be written to; nothing was changed"

    def test_it_is_not_read_past_what_another_program_has_yet_to_file(self, closed: Path) -> None:
        log = Path(f"{closed}-wal")
        log.write_bytes(b"x" * 100)
        said = self.listed(closed)
        log.unlink()
        assert said.startswith("StockError")
        assert "stock.sqlite: " in said

    def test_it_is_not_believed_if_it_was_written_to_meanwhile(self, closed: Path) -> None:
        place = SqliteFile(closed)
        place._unchanging = place._state()
        with pytest.raises(StockError, match="written to while it was read"), place.reading():
            os.utime(closed, ns=(1, 1))
        with place.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM movement")).scalar() == 1
        place.close()

    def test_an_old_stock_that_may_not_be_written_to_is_not_upgraded(self, closed: Path) -> None:
        old = Path(__file__).parent.parent / "data" / "stores" / "schema-0001.sqlite"
        closed.unlink()
        closed.write_bytes(old.read_bytes())
        closed.chmod(0o444)
        import_module(
            "mesoformula.stock.database.revisions.versions.revision_0001"
        )  # the child cannot read it

        said = self.listed(closed)
        assert said.startswith("StockError")
        assert "a stock of an older version (schema 1) is upgraded before it is used" in said


def test_importing_the_stock_loads_no_database_toolkit() -> None:
    code = (
        "import sys, mesoformula.stock, mesoformula.stock.records;"
        "sys.exit(','.join(sorted({'sqlalchemy', 'pint', 'sqlite3'} & set(sys.modules))) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stock_in_a_file_loads_no_other_database_and_no_tool_for_upgrades(path: Path) -> None:
    code = (
        "import sys; from mesoformula.stock.database.store import open_stock\n"
        "with open_stock(sys.argv[1]) as store, store.writing(): pass\n"
        "sys.exit(','.join(sorted({'alembic', 'psycopg'} & set(sys.modules))) or None)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
