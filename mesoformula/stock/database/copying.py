"""Whole copies of a stock: into a file of its own, and from one database into another."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, select

from mesoformula.errors import StockError
from mesoformula.stock.database import guards, making
from mesoformula.stock.database.places import Place
from mesoformula.stock.database.sqlite_file import BESIDE, SqliteFile, strict_tables
from mesoformula.words import shown

# Rows held in memory at a time.
_BATCH = 5_000


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """
    Let a file appear whole, on the disk and under its name, or not at all.

    Args:
        target: Its name; nothing is there yet.

    Yields:
        Where to write it meanwhile, in the same folder.

    Raises:
        StockError: If something is there already, or the folder does not take it.
    """
    place = SqliteFile(target)
    refuse_taken(target)
    if not target.parent.is_dir():
        raise StockError(
            f"{target}: the folder {shown(str(target.parent), 200)} does not exist; make it first"
        )
    part = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        with place.plain_errors():
            yield part
            _flush(part)
            _name(part, target)
            _flush(target.parent)
    finally:
        for ending in ("", *BESIDE):
            with suppress(OSError):
                Path(f"{part}{ending}").unlink()


def refuse_taken(target: Path) -> None:
    """
    Make sure that a new file would stand alone.

    Args:
        target: Where it is to be.

    Raises:
        StockError: If it, or what SQLite may have left beside one of that name, is there.
    """
    if os.path.lexists(target):
        raise StockError(f"{target}: is there already; nothing was written over it, choose another name")
    for ending in BESIDE:
        if os.path.lexists(f"{target}{ending}"):
            raise StockError(
                f"{target}{ending}: left by a stock that was here; SQLite would mix it into the new one, "
                "so move it away first"
            )


def write_copy(place: Place, target: Path, metadata: MetaData, version: int, connection: Connection) -> None:
    """
    Copy a stock into a SQLite file, as it stands in one moment.

    Args:
        place: The stock.
        target: A file that is not there yet.
        metadata: The tables of its version.
        version: Of its schema.
        connection: In a transaction of the stock, whose view is copied unless SQLite copies pages.
    """
    if isinstance(place, SqliteFile):
        copy_pages(place, target)
        return
    copy = SqliteFile(target)
    try:
        with copy.alone() as made:
            fill(connection, made, metadata, version)
    finally:
        copy.close()


def copy_pages(source: SqliteFile, target: Path) -> None:
    """
    Copy a file of SQLite as it stands in one moment, whatever is written meanwhile.

    Args:
        source: The file.
        target: A file that is not there yet.
    """
    with source.plain_errors():
        with closing(source.connect()) as opened, closing(sqlite3.connect(target)) as made:
            opened.backup(made)
            # Without a write-ahead log beside it one file is all there is, wherever it is carried.
            made.execute("PRAGMA journal_mode = DELETE")
        source.unchanged()


def fill(source: Connection, target: Connection, metadata: MetaData, version: int) -> None:
    """
    Make a stock of an empty database out of another's rows.

    Args:
        source: In a transaction of a stock.
        target: In a transaction that may make tables, in a database that holds nothing.
        metadata: The tables of the stock's version.
        version: Of its schema.
    """
    dialect = target.dialect.name
    for statement in making.table_statements(metadata.sorted_tables, dialect, strict=strict_tables()):
        target.exec_driver_sql(statement)
    raw: Any = target.connection.driver_connection
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        rows = source.execute(select(table).order_by(*keys), execution_options={"yield_per": _BATCH})
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        # The drivers' own ways, as both take millions of rows one by one without keeping them.
        if dialect == guards.POSTGRESQL:
            with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" for _ in table.columns)
            statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608
            raw.executemany(statement, (tuple(row) for row in rows))
    making.guard(target, version)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(part: Path, target: Path) -> None:
    """Give a finished file its name, unless somebody else took it meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise StockError(
            f"{target}: is there already; nothing was written over it, choose another name"
        ) from None
    except OSError:
        # A file system without links; there the check and the naming are two steps.
        refuse_taken(target)
        part.rename(target)
