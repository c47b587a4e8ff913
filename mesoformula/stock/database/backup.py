"""Backups of a stock, each a stock in one SQLite file, and what is made from them."""

from __future__ import annotations

from pathlib import Path

import attrs
from sqlalchemy import Connection, select

from mesoformula.errors import StockError
from mesoformula.stock.database import schema
from mesoformula.stock.database.copying import copy_pages, fill, new_file, refuse_taken, write_copy
from mesoformula.stock.database.places import Place
from mesoformula.stock.database.sqlite_file import SqliteFile
from mesoformula.stock.database.store import Store, place_at
from mesoformula.stock.records import Anchor


@attrs.frozen
class BackupMade:
    """
    What a backup holds.

    Attributes:
        path: The file, itself a stock.
        movements: How many movements.
        anchor: Head of its chain; None for an empty ledger.
    """

    path: Path
    movements: int
    anchor: Anchor | None


@attrs.frozen
class Restored:
    """
    What was made from a backup.

    Attributes:
        store: Where the stock is now, without secrets.
        movements: How many movements it has.
        anchor: Head of its chain; None for an empty ledger.
    """

    store: str
    movements: int
    anchor: Anchor | None


def backup(store: Store, target: Path) -> BackupMade:
    """
    Copy a stock as it stands in one moment, whatever is written meanwhile.

    Args:
        store: The stock.
        target: The SQLite file to make; nothing is there yet.

    Returns:
        What the copy holds, read from the copy.

    Raises:
        StockError: If there is no stock, the target is taken, or the disk does not take it; no part of
            the file is left behind.
    """
    target = target.expanduser().absolute()
    with store.reading() as connection:
        if connection is None:
            raise StockError(f"{store}: no stock is there yet, and so nothing to back up")
        with new_file(target) as part:
            write_copy(store.place, part, schema.metadata, schema.SCHEMA_VERSION, connection)
            anchor = _anchor_of(SqliteFile(part))
    return BackupMade(target, anchor.seq if anchor is not None else 0, anchor)


def restore(source: Path, target: str | Path | None) -> Restored:
    """
    Make a stock from a backup, where there is none.

    Whether the backup still says what was recorded is for `verify` to tell, before or after.

    Args:
        source: A backup, or any stock in a SQLite file; one of an older version is upgraded on the way, and
            itself left as it is.
        target: Where the stock is to be, as `open_stock` takes it: a file that is not there, or an empty
            PostgreSQL database.

    Returns:
        What the stock holds, read from it.

    Raises:
        LedgerError: If the source is no stock that this version can read.
        StockError: If there is something at the target, or it does not take the stock; it is as it was.
    """
    from_place, to_place = SqliteFile(source.expanduser().absolute()), place_at(target)
    try:
        version = from_place.version()
        if version is None:
            raise StockError(f"{from_place}: no stock is there; expected a backup")
        _refuse_taken(to_place)
        if isinstance(to_place, SqliteFile):
            with to_place.plain_errors():
                to_place.path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(to_place.path) as part:
                _copy(from_place, part)
        elif version == schema.SCHEMA_VERSION:
            _pour(from_place, to_place)
        else:
            _pour_upgraded(from_place, to_place)
        anchor = _anchor_of(to_place)
    finally:
        from_place.close()
        to_place.close()
    return Restored(str(to_place), anchor.seq if anchor is not None else 0, anchor)


def _refuse_taken(place: Place) -> None:
    if isinstance(place, SqliteFile):
        refuse_taken(place.path)
    elif place.version() is not None:
        raise StockError(f"{place}: holds a stock already; a backup is restored into an empty database")


def _copy(source: SqliteFile, part: Path) -> None:
    """Copy a stock into a file, and bring the copy to the current schema."""
    copy_pages(source, part)
    copy = SqliteFile(part)
    try:
        if copy.version() != schema.SCHEMA_VERSION:
            from mesoformula.stock.database.upgrading import rewrite

            with copy.alone() as connection:
                rewrite(connection)
    finally:
        copy.close()


def _pour(source: SqliteFile, target: Place) -> None:
    with source.reading() as rows, target.alone() as connection:
        if target.version_seen(connection) is not None:
            raise StockError(f"{target}: holds a stock already; a backup is restored into an empty database")
        fill(rows, connection, schema.metadata, schema.SCHEMA_VERSION)


def _pour_upgraded(source: SqliteFile, target: Place) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="mesoformula-") as folder:
        part = Path(folder) / "stock.sqlite"
        _copy(source, part)
        copy = SqliteFile(part)
        try:
            _pour(copy, target)
        finally:
            copy.close()


def _anchor_of(place: Place) -> Anchor | None:
    try:
        with place.reading() as connection:
            return _anchor(connection)
    finally:
        place.close()


def _anchor(connection: Connection) -> Anchor | None:
    row = connection.execute(select(schema.chain_head.c.seq, schema.chain_head.c.hash)).one_or_none()
    return Anchor(row.seq, row.hash) if row is not None and row.seq else None
