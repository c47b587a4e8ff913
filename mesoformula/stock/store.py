"""Where a stock is kept: one SQLite file, opened, made and locked here and nowhere else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy
from sqlalchemy import event, exc
from sqlalchemy.pool import QueuePool

from mesoformula.errors import LedgerError, StockError
from mesoformula.products import Product
from mesoformula.stock import schema
from mesoformula.words import shown

#: Seconds that a write waits for another program's.
PATIENCE = 30.0

_EXPECTED = "expected a SQLite file or a sqlite:/// URL"

# Enforcement of foreign keys and recursive triggers belong to a connection, not to the file.
_SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA synchronous = FULL",
    "PRAGMA trusted_schema = OFF",
)


def utc_now() -> datetime:
    """
    Tell the time.

    Returns:
        The moment, in UTC.
    """
    return datetime.now(UTC)


class Store:
    """
    A stock, which need not exist yet: reading does not make it, the first write does.

    Close it, or use it in a `with` statement.

    Attributes:
        path: The file.
        classes: Attribute types of the ingredient classes that plugins offer, by class id.
    """

    def __init__(self, path: Path, classes: Mapping[str, type[Any]] | None = None) -> None:
        self.path = path
        self.classes = dict(classes or {})
        self.products: dict[str, Product] = {}
        self._checked = False
        self._engine = sqlalchemy.create_engine(
            "sqlite+pysqlite://", creator=self._connect, poolclass=QueuePool, pool_reset_on_return=None
        )
        event.listen(self._engine, "begin", _begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return str(self.path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sqlalchemy.Connection | None]:
        """
        Read from one moment's state, whatever is written meanwhile.

        Yields:
            A connection in a transaction; None if there is no stock yet.

        Raises:
            LedgerError: If the file is no stock that can be read.
            StockError: If the database does not answer.
        """
        with self._plain_errors():
            if not (self._checked or self._found()):
                yield None
                return
            with self._engine.connect() as connection, connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """
        Write under the one lock, all or nothing; make the stock if there is none.

        Yields:
            A connection in a transaction, committed at the end.

        Raises:
            LedgerError: If the file is no stock that can be written to.
            StockError: If the database does not answer, or the disk does not take it.
        """
        with self._plain_errors():
            if not (self._checked or self._found()):
                self._make()
            with self._engine.connect() as connection:
                connection = connection.execution_options(stock_writes=True)
                with connection.begin():
                    yield connection

    def check(self) -> None:
        """
        Make sure that the file, if it is there, is a stock of this version.

        Raises:
            LedgerError: If it is something else.
        """
        with self._plain_errors():
            self._found()

    def _connect(self, mode: str = "rw") -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={mode}",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _found(self) -> bool:
        """Tell whether the file holds a stock; refuse it if it holds anything else."""
        if not self.path.exists():
            return False
        if not self.path.is_file():
            raise LedgerError(f"{self.path}: {_EXPECTED}; this is no file")
        connection = self._connect()
        try:
            self._checked = self._is_stock(connection)
        finally:
            connection.close()
        return self._checked

    def _is_stock(self, connection: sqlite3.Connection) -> bool:
        # One statement, and so one moment, while another program may be making the stock.
        application, version, tables = connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchone()
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != schema.APPLICATION_ID:
            raise LedgerError(f"{self.path}: a database of another program, no stock of mesoformula")
        if version > schema.SCHEMA_VERSION:
            raise LedgerError(
                f"{self.path}: written by a newer mesoformula (schema {version}, this one knows up to "
                f"{schema.SCHEMA_VERSION}); upgrade mesoformula to use it"
            )
        if version < schema.SCHEMA_VERSION:
            raise LedgerError(f"{self.path}: no stock of mesoformula that can be read (schema {version})")
        return True

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect("rwc")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not self._is_stock(connection):
                    for statement in schema.statements(strict=sqlite3.sqlite_version_info >= (3, 37)):
                        connection.execute(statement)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            _read_while_writing(connection)
        finally:
            connection.close()
        self._checked = True

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as err:
            raise self._said(err.orig) from err
        except sqlite3.Error as err:
            raise self._said(err) from err
        except (FileExistsError, NotADirectoryError) as err:
            raise StockError(f"{self.path}: a folder on the way to it is a file") from err
        except OSError as err:
            raise StockError(f"{self.path}: {err.strerror or type(err).__name__}") from err

    def _said(self, err: BaseException | None) -> StockError:
        name = str(getattr(err, "sqlite_errorname", ""))
        text = "".join(char if char.isprintable() else " " for char in str(err)[:300])
        for start, (kind, reason) in _REASONS.items():
            if name.startswith(start):
                return kind(f"{self.path}: {reason}")
        if text.startswith(schema.APPEND_ONLY):
            return LedgerError(f"{self.path}: {text}; run verify")
        return StockError(f"{self.path}: {text}")


_REASONS: Mapping[str, tuple[type[StockError], str]] = {
    "SQLITE_BUSY": (StockError, "in use by another program; try again"),
    "SQLITE_LOCKED": (StockError, "in use by another program; try again"),
    "SQLITE_READONLY": (StockError, "may not be written to; nothing was changed"),
    "SQLITE_FULL": (StockError, "the disk is full; nothing was changed"),
    "SQLITE_IOERR": (StockError, "the disk does not answer or is full; nothing was changed"),
    "SQLITE_CANTOPEN": (StockError, "cannot be opened; check the folder and the rights to it"),
    "SQLITE_PERM": (StockError, "cannot be opened; check the rights to it"),
    "SQLITE_NOTADB": (LedgerError, f"no SQLite database; {_EXPECTED}"),
    "SQLITE_CORRUPT": (LedgerError, "damaged; restore a backup"),
}


def _begin(connection: sqlalchemy.Connection) -> None:
    writes = connection.get_execution_options().get("stock_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _read_while_writing(connection: sqlite3.Connection) -> None:
    """Turn on write-ahead logging, which SQLite refuses at once, without patience, while others read."""
    until = time.monotonic() + PATIENCE
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


def open_stock(location: str | Path | None, *, classes: Mapping[str, type[Any]] | None = None) -> Store:
    """
    Open a stock; one that does not exist yet is made by the first write.

    Args:
        location: A file or a `sqlite:///` URL; None means the file in the platform's data folder.
        classes: Attribute types of the ingredient classes that plugins offer, by class id.

    Returns:
        The store.

    Raises:
        LedgerError: If the file is there and no stock that this version can use.
        StockError: If the location is none.
    """
    store = Store(_path(location), classes)
    try:
        store.check()
    except StockError:
        store.close()
        raise
    return store


def _path(location: str | Path | None) -> Path:
    if location is None:
        from platformdirs import user_data_path

        return user_data_path("mesoformula", appauthor=False) / "stock.sqlite"
    text = str(location)
    if isinstance(location, str) and "://" in text:
        scheme, _, rest = text.partition("://")
        # What stands behind the scheme may hold a password, and is not repeated.
        if scheme != "sqlite" or not rest.startswith("/") or "?" in rest:
            raise StockError(f"{shown(scheme + '://…')}: {_EXPECTED}")
        text = rest[1:]
    if not text or text == ":memory:" or not text.isprintable():
        raise StockError(f"{shown(text)}: {_EXPECTED}")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as err:
        raise StockError(f"{shown(text)}: {err}") from err
