"""
Bringing a stock that an older version wrote to the current schema, whole or not at all.

Every change of the schema is a module in `revisions/versions`, which keeps the tables as they are from then
on, apart from those of the current schema.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData

from mesoformula.errors import StockError
from mesoformula.stock.database import guards, making, schema
from mesoformula.stock.database.copying import new_file, write_copy
from mesoformula.stock.database.places import Place
from mesoformula.stock.database.postgres import PostgresDatabase
from mesoformula.stock.database.sqlite_file import SqliteFile

_REVISIONS = "mesoformula.stock.database:revisions"


def upgrade(place: Place, notify: Callable[[str], None] | None = None) -> Path | None:
    """
    Upgrade a stock, after writing a backup of it.

    Of two programs that do so at once, one waits for the other and finds the work done.

    Args:
        place: The stock.
        notify: Is told, in a sentence, what happens and where the backup is.

    Returns:
        The backup; None if the stock was upgraded meanwhile.

    Raises:
        StockError: If it cannot be upgraded; it is as it was.
    """
    with place.plain_errors(), place.alone() as connection:
        version = place.version_seen(connection)
        if version is None or version == schema.SCHEMA_VERSION:
            return None
        kept = _backup(place, version, connection)
        if notify is not None:
            notify(
                f"{place}: being upgraded from schema {version} to {schema.SCHEMA_VERSION}; "
                f"as it was it is kept in {kept}"
            )
        rewrite(connection)
        return kept


def rewrite(connection: Connection) -> None:
    """
    Run every revision that a stock lacks, and renew its guards.

    Args:
        connection: In a transaction that may rewrite tables and enforces no foreign keys.
    """
    guards.drop_guards(connection)
    run_revisions(connection, schema.REVISION)
    making.guard(connection, schema.SCHEMA_VERSION)


def run_revisions(connection: Connection, revision: str) -> None:
    """
    Run revisions, in the transaction that is open.

    Args:
        connection: Of an older stock, or of an empty database.
        revision: The last one to run.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _REVISIONS)
    config.set_main_option("path_separator", "os")
    command.upgrade(config, revision)


def tables_of(version: int) -> MetaData:
    """
    Find the tables that a version of the schema has.

    Args:
        version: The current one or an older one.

    Returns:
        Its tables.
    """
    if version == schema.SCHEMA_VERSION:
        return schema.metadata
    module: Any = importlib.import_module(
        f"mesoformula.stock.database.revisions.versions.revision_{version:04}"
    )
    metadata: MetaData = module.metadata
    return metadata


def _backup(place: Place, version: int, connection: Connection) -> Path:
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if isinstance(place, SqliteFile):
        folder, name = place.path.parent, place.path.stem
    elif isinstance(place, PostgresDatabase):
        from platformdirs import user_data_path

        folder, name = user_data_path("mesoformula", appauthor=False), place.name
        folder.mkdir(parents=True, exist_ok=True)
    else:
        raise StockError(f"{place}: a stock of this kind cannot be upgraded")
    name = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
    target = folder / f"{name}.schema-{version:04}.{stamp}.sqlite"
    again = 1
    while target.exists():
        again += 1
        target = folder / f"{name}.schema-{version:04}.{stamp}-{again}.sqlite"
    with new_file(target) as part:
        write_copy(place, part, tables_of(version), version, connection)
    return target
