"""Where a stock is kept: a SQLite file or a PostgreSQL database, found and opened here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import sqlalchemy

from mesoformula.clock import MachineZone, local_zone_name, zone_named
from mesoformula.errors import StockError
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.places import Place
from mesoformula.stock.database.sqlite_file import EXPECTED, SqliteFile
from mesoformula.words import shown


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

    Close it, or use it in a `with` statement. A stock that an older version wrote is upgraded before it is
    read or written, with a backup of what it was.

    Attributes:
        place: The database.
        classes: Attribute types of the ingredient classes that plugins offer, by class id.
        products: Product records that were read already, by content hash.
    """

    def __init__(
        self,
        location: str | Path | Place | None,
        classes: Mapping[str, type[Any]] | None = None,
        *,
        zone: tzinfo | None = None,
        clock: Callable[[], datetime] | None = None,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.place = location if isinstance(location, Place) else place_at(location)
        self.classes = dict(classes or {})
        self.products: dict[str, Product] = {}
        self._zone = zone
        self._clock = clock
        self._notify = notify
        self._checked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return str(self.place)

    @property
    def path(self) -> Path | None:
        """The file; None if it is no file."""
        return self.place.path if isinstance(self.place, SqliteFile) else None

    @property
    def dialect(self) -> str:
        """The kind of database: `sqlite` or `postgresql`."""
        return self.place.dialect

    @cached_property
    def zone(self) -> tzinfo:
        """The time zone of the site, by default this machine's."""
        if self._zone is not None:
            return self._zone
        name = local_zone_name(os.environ)
        return (zone_named(name) if name is not None else None) or MachineZone()

    def moment(self, connection: sqlalchemy.Connection | None = None) -> datetime:
        """
        Tell the time by the one clock that everybody who writes to this stock shares.

        Args:
            connection: In a transaction of this stock; saves a connection.

        Returns:
            The moment in UTC: of the clock that was given, else of the database server; a file has none but
            this machine's.

        Raises:
            StockError: If the database does not answer.
        """
        if self._clock is not None:
            return self._clock().astimezone(UTC)
        return self.place.moment(connection)

    def close(self) -> None:
        """Let go of the database."""
        self.place.close()

    @contextmanager
    def reading(self) -> Iterator[sqlalchemy.Connection | None]:
        """
        Read from one moment's state, whatever is written meanwhile.

        Yields:
            A connection in a transaction; None if there is no stock yet.

        Raises:
            LedgerError: If what is there is no stock that can be read.
            StockError: If the database does not answer.
        """
        if not self._found():
            yield None
            return
        with self.place.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """
        Write all or nothing; make the stock if there is none.

        On SQLite nobody else writes meanwhile; on PostgreSQL not once the head of the chain is locked.

        Yields:
            A connection in a transaction, committed at the end.

        Raises:
            LedgerError: If what is there is no stock that can be written to.
            StockError: If the database does not answer, or the disk does not take it.
        """
        if not self._found():
            self.place.make()
            self._checked = True
        with self.place.writing() as connection:
            yield connection

    def check(self) -> None:
        """
        Make sure that what is there, if anything, is a stock of this version or an older one.

        Raises:
            LedgerError: If it is something else.
            StockError: If the database does not answer.
        """
        self._checked = self.place.version() == schema.SCHEMA_VERSION

    def _found(self) -> bool:
        """Tell whether there is a stock; upgrade one that an older version wrote."""
        if self._checked:
            return True
        version = self.place.version()
        if version is None:
            return False
        if version < schema.SCHEMA_VERSION:
            from mesoformula.stock.database.upgrading import upgrade

            try:
                upgrade(self.place, self._notify)
            except StockError as err:
                raise type(err)(
                    f"{err}; a stock of an older version (schema {version}) is upgraded before it is used"
                ) from err
        self._checked = True
        return True


def open_stock(
    location: str | Path | None,
    *,
    classes: Mapping[str, type[Any]] | None = None,
    zone: tzinfo | None = None,
    clock: Callable[[], datetime] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Store:
    """
    Open a stock; one that does not exist yet is made by the first write.

    Args:
        location: A file, or a `sqlite:///` or `postgresql://user:password@host/database` URL; None means the
            file in the platform's data folder.
        classes: Attribute types of the ingredient classes that plugins offer, by class id.
        zone: The time zone of the site; None means this machine's.
        clock: Tells the time instead of the database, with a time zone.
        notify: Is told, in a sentence, that the stock is being upgraded and where its backup is.

    Returns:
        The store.

    Raises:
        LedgerError: If something is there and no stock that this version can use.
        StockError: If the location is none, or its database does not answer.
    """
    store = Store(location, classes, zone=zone, clock=clock, notify=notify)
    try:
        store.check()
    except StockError:
        store.close()
        raise
    return store


def place_at(location: str | Path | None) -> Place:
    """
    Find the database that a location names.

    Args:
        location: As `open_stock` takes it.

    Returns:
        The place, of which nothing was asked yet.

    Raises:
        StockError: If the location is none.
    """
    if location is None:
        from platformdirs import user_data_path

        return SqliteFile(user_data_path("mesoformula", appauthor=False) / "stock.sqlite")
    text = str(location)
    if isinstance(location, str) and "://" in text:
        scheme, _, rest = text.partition("://")
        if scheme in ("postgresql", "postgres"):
            return _postgres(rest)
        # What stands behind the scheme may hold a password, and is not repeated.
        if scheme != "sqlite" or not rest.startswith("/") or "?" in rest:
            raise StockError(f"{shown(scheme + '://…')}: {EXPECTED}")
        text = rest[1:]
    if not text or text == ":memory:" or not text.isprintable():
        raise StockError(f"{shown(text)}: {EXPECTED}")
    try:
        return SqliteFile(Path(text).expanduser().absolute())
    except RuntimeError as err:
        raise StockError(f"{shown(text)}: {err}") from err


def _postgres(rest: str) -> Place:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from mesoformula.stock.database.postgres import PostgresDatabase

    expected = (
        "expected postgresql://user:password@host:port/database, with %40 for @ and %2F for / in a password"
    )
    try:
        url = make_url(f"postgresql://{rest}")
        # What follows an @ within a password would be taken for the host, and shown.
        if rest.isprintable() and "@" not in (url.host or ""):
            return PostgresDatabase(url)
    except (ArgumentError, ValueError):
        # The cause would repeat the URL, and what it holds.
        pass
    raise StockError(f"'postgresql://…': {expected}")
