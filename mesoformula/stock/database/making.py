"""What makes an empty database a stock."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateIndex, CreateTable

from mesoformula.stock.database import schema
from mesoformula.stock.database.guards import POSTGRESQL, SQLITE, guard_statements, place_of
from mesoformula.stock.ledger.chain import GENESIS

#: The comment on `chain_head`, which tells a stock from any other PostgreSQL database.
MARK = "stock of mesoformula"


def statements(dialect: str, *, strict: bool = True, place: str = "public") -> list[str]:
    """
    Write all that makes an empty database a stock.

    Args:
        dialect: `sqlite` or `postgresql`.
        strict: Whether this SQLite has strict tables (3.37 and later).
        place: The schema of PostgreSQL that the tables are in, quoted where it must be.

    Returns:
        Statements in order.
    """
    return [
        *table_statements(schema.metadata.sorted_tables, dialect, strict=strict),
        *guard_statements(dialect, place=place),
        f"INSERT INTO chain_head (id, seq, hash) VALUES (1, 0, '{GENESIS}')",  # noqa: S608
        f"INSERT INTO alembic_version (version_num) VALUES ('{schema.REVISION}')",  # noqa: S608
        *mark_statements(dialect, schema.SCHEMA_VERSION),
    ]


def make(connection: Connection, *, strict: bool = True) -> None:
    """
    Make an empty stock.

    Args:
        connection: In a transaction that may make tables, in a database that holds nothing.
        strict: Whether this SQLite has strict tables.
    """
    dialect = connection.dialect.name
    place = place_of(connection) if dialect == POSTGRESQL else ""
    for statement in statements(dialect, strict=strict, place=place):
        connection.exec_driver_sql(statement)


def table_statements(tables: Iterable[Table], dialect: str, *, strict: bool = True) -> list[str]:
    """
    Write what makes tables and their indexes.

    Args:
        tables: Of this version or an older one, those that others refer to first.
        dialect: `sqlite` or `postgresql`.
        strict: Whether this SQLite has strict tables.

    Returns:
        Statements in order.
    """
    compiler = URL.create(dialect).get_dialect()()
    result = []
    for table in tables:
        said = str(CreateTable(table).compile(dialect=compiler)).strip()
        if dialect == SQLITE and strict:
            said += " STRICT" if said.endswith(")") else ", STRICT"
        result.append(said)
        result.extend(
            str(CreateIndex(index).compile(dialect=compiler)).strip()
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    return result


def mark_statements(dialect: str, version: int) -> list[str]:
    """
    Write what tells a stock, and its version, from any other database.

    Args:
        dialect: `sqlite` or `postgresql`.
        version: Of the schema.

    Returns:
        Statements.
    """
    if dialect == SQLITE:
        return [f"PRAGMA application_id = {schema.APPLICATION_ID}", f"PRAGMA user_version = {version}"]
    return [f"COMMENT ON TABLE chain_head IS '{MARK}'"]


def guard(connection: Connection, version: int) -> None:
    """
    Guard tables that were filled before, and mark them as a stock.

    Args:
        connection: In the transaction that filled them.
        version: Of their schema.
    """
    dialect, place = connection.dialect.name, ""
    if dialect == POSTGRESQL:
        # A table of which checks are still due takes no triggers.
        connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        place = place_of(connection)
    for statement in (*guard_statements(dialect, place=place), *mark_statements(dialect, version)):
        connection.exec_driver_sql(statement)
