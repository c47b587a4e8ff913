"""A stock in one SQLite file: opened, made and locked."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import sqlalchemy
from sqlalchemy import Connection, event
from sqlalchemy.pool import NullPool, QueuePool

from mesoformula.errors import LedgerError, StockError
from mesoformula.stock.database import guards, making, places, schema, statements

# Enforcement of foreign keys and recursive triggers belong to a connection, not to the file.
_SETTINGS = (
    "PRAGMA recursive_triggers = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",
)

# What a read-only file in write-ahead mode says where its folder takes no new files.
_NO_ROOM_BESIDE = ("SQLITE_READONLY", "SQLITE_CANTOPEN")

#: What SQLite puts beside a file; left behind without it, it would be taken for part of the next file there.
BESIDE = ("-wal", "-shm", "-journal")

EXPECTED = "expected a SQLite file, or a sqlite:/// or postgresql:// URL"


def strict_tables() -> bool:
    """
    Tell whether this SQLite has strict tables.

    Returns:
        True from 3.37 on.
    """
    return sqlite3.sqlite_version_info >= (3, 37)


class SqliteFile(places.Place):
    """
    A file that holds a stock, or will.

    Attributes:
        path: The file.
    """

    dialect = guards.SQLITE
    driver = "sqlite3"
    reasons: ClassVar[Mapping[str, tuple[type[StockError], str]]] = {
        "SQLITE_BUSY": (StockError, "in use by another program; try again"),
        "SQLITE_LOCKED": (StockError, "in use by another program; try again"),
        "SQLITE_READONLY": (StockError, "may not be written to; nothing was changed"),
        "SQLITE_FULL": (StockError, "the disk is full; nothing was changed"),
        "SQLITE_IOERR": (StockError, "the disk does not answer or is full; nothing was changed"),
        "SQLITE_CANTOPEN": (StockError, "cannot be opened; check the folder and the rights to it"),
        "SQLITE_PERM": (StockError, "cannot be opened; check the rights to it"),
        "SQLITE_NOTADB": (LedgerError, f"no SQLite database; {EXPECTED}"),
        "SQLITE_CORRUPT": (LedgerError, "damaged; restore a backup"),
    }

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[Connection] = []
        self._unchanging: tuple[int, ...] | None = None
        self._logs_ahead = False
        self._engine = sqlalchemy.create_engine(
            "sqlite+pysqlite://", creator=self.connect, poolclass=QueuePool
        )
        self._alone = sqlalchemy.create_engine(
            "sqlite+pysqlite://", creator=self._connect_alone, poolclass=NullPool
        )
        event.listen(self._alone, "begin", _begin)

    def __str__(self) -> str:
        return str(self.path)

    def version(self) -> int | None:
        """Find out what is there; see `Place`."""
        with self.plain_errors():
            if not self.path.exists():
                return None
            if not self.path.is_file():
                raise LedgerError(f"{self.path}: {EXPECTED}; this is no file")
            try:
                return self._version()
            except sqlite3.OperationalError as err:
                if not self._only_readable(err):
                    raise
            return self._version()

    def version_seen(self, connection: Connection) -> int | None:
        """Find out the same in a transaction."""
        return self._version_in(_raw(connection))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment's state."""
        with self.plain_errors():
            try:
                with self._connected() as connection, connection.begin():
                    statements.send(connection, "BEGIN", ())
                    self._current(connection)
                    yield connection
            finally:
                self.unchanged()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may append, under the one lock of the file."""
        with self.plain_errors():
            self._writable()
            if not self._logs_ahead:
                self._log_ahead()
            with self._connected() as connection, connection.begin():
                statements.send(connection, "BEGIN IMMEDIATE", ())
                self._current(connection)
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Lend a connection that nobody uses: to take one out of a pool takes longer than a small query."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _let_go(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Open a transaction that may make or rewrite tables, without enforcing foreign keys meanwhile."""
        with self.plain_errors():
            self._writable()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone.connect() as connection, connection.begin():
                yield connection

    def make(self) -> None:
        """Make an empty stock, unless another program just did."""
        with self.plain_errors():
            with self.alone() as connection:
                if self.version_seen(connection) is None:
                    making.make(connection, strict=strict_tables())
            with closing(self.connect()) as raw:
                _log_ahead_patiently(raw)
            self._logs_ahead = True

    def moment(self, connection: Connection | None) -> datetime:  # noqa: ARG002
        """Tell the time, which for a file is this machine's."""
        return datetime.now(UTC)

    def close(self) -> None:
        """Let go of the file."""
        self._let_go()
        self._alone.dispose()

    def error_name(self, err: BaseException | None) -> str:
        """Name an error by SQLite's own code."""
        return str(getattr(err, "sqlite_errorname", ""))

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Say in plain words what SQLite or the disk refuses."""
        with super().plain_errors():
            try:
                yield
            except sqlite3.Error as err:
                raise self.said(err) from err

    def connect(self, mode: str = "rw") -> sqlite3.Connection:
        """
        Open the file with our settings.

        Args:
            mode: As SQLite's URIs have it.

        Returns:
            A connection that begins no transaction of its own accord.
        """
        if self._unchanging is not None:
            mode = "ro&immutable=1"
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=places.PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for setting in ("PRAGMA foreign_keys = ON", *_SETTINGS):
                connection.execute(setting)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _connect_alone(self) -> sqlite3.Connection:
        connection = self.connect("rwc")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"PRAGMA busy_timeout = {int(places.UPGRADE_PATIENCE * 1000)}")
        return connection

    def _version(self) -> int | None:
        with closing(self.connect()) as connection:
            return self._version_in(connection)

    def _version_in(self, connection: sqlite3.Connection) -> int | None:
        # One statement, and so one moment, while another program may be making the stock.
        application, version, tables = connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if (application, version, tables) == (0, 0, 0):
            return None
        if application != schema.APPLICATION_ID:
            raise self.foreign()
        return self.known(version)

    def _current(self, connection: Connection) -> None:
        (version,) = _raw(connection).execute("PRAGMA user_version").fetchone()
        if version != schema.SCHEMA_VERSION:
            self.current(version)

    def _only_readable(self, err: sqlite3.Error) -> bool:
        """Turn to reading the file as it lies there, if it cannot be written and nothing stands beside it."""
        if not self.error_name(err).startswith(_NO_ROOM_BESIDE) or self._unchanging is not None:
            return False
        if os.access(self.path.parent, os.W_OK) or self._beside("-wal") or self._beside("-journal"):
            return False
        self._unchanging = self._state()
        return True

    def unchanged(self) -> None:
        """
        Make sure that a file read without locks was not written by somebody with more rights.

        Raises:
            StockError: If it was.
        """
        if self._unchanging is None:
            return
        before, self._unchanging = self._unchanging, self._state()
        if before != self._unchanging or self._beside("-wal"):
            self._let_go()
            raise StockError(f"{self.path}: was written to while it was read; try again")

    def _writable(self) -> None:
        if self._unchanging is not None:
            raise StockError(f"{self.path}: {self.reasons['SQLITE_READONLY'][1]}")

    def _state(self) -> tuple[int, ...]:
        found = self.path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _beside(self, ending: str) -> bool:
        beside = Path(f"{self.path}{ending}")
        return beside.exists() and beside.stat().st_size > 0

    def _log_ahead(self) -> None:
        """Finish what a program that died right after making the stock left undone; never wait for it."""
        with closing(self.connect()) as raw:
            try:
                (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
                if mode != "wal":
                    raw.execute("PRAGMA busy_timeout = 0")
                    (mode,) = raw.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as err:
                if not self.error_name(err).startswith(("SQLITE_BUSY", "SQLITE_READONLY")):
                    raise
            else:
                self._logs_ahead = mode == "wal"


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("no connection of SQLite")
    return raw


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _log_ahead_patiently(connection: sqlite3.Connection) -> None:
    """Turn on write-ahead logging, which SQLite refuses at once, without patience, while others read."""
    until = time.monotonic() + places.PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as err:
            if not str(getattr(err, "sqlite_errorname", "")).startswith("SQLITE_BUSY"):
                raise
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
