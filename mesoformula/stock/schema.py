"""
The tables of the stock, and the triggers that keep its history from being rewritten.

The ledger (`product_record`, `location`, `lot`, `movement_line`, `movement`) only ever grows. `balance` and
`lot_state` are what it adds up to, kept in the same transaction and recomputed by `verify`. A remark may be
erased, never changed. Figures are whole numbers: containers, minor units of money, microseconds.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from mesoformula.stock.chain import GENESIS

#: `MESO`, which tells a stock from any other SQLite file.
APPLICATION_ID = 0x4D45534F
SCHEMA_VERSION = 1
#: The same for tools that migrate by named revision.
REVISION = "0001"

# A strict table of SQLite knows no BIGINT; its INTEGER has 64 bits anyway.
_Whole = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

product_record = Table(
    "product_record",
    metadata,
    Column("hash", Text, CheckConstraint("length(hash) = 64"), primary_key=True),
    Column("record", Text, nullable=False),
    sqlite_with_rowid=False,
)

location = Table(
    "location",
    metadata,
    Column("id", _Whole, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
)

lot = Table(
    "lot",
    metadata,
    Column("id", _Whole, primary_key=True, autoincrement=False),
    Column("product_hash", Text, ForeignKey("product_record.hash"), nullable=False),
    Column("product_id", Text, nullable=False),
    Column("revision", _Whole, nullable=False),
    Column("number", Text, nullable=False),
    Column("expiry", Text),
    # In this order it also finds a lot of a product under whichever revision.
    UniqueConstraint("product_id", "number", "revision"),
)

movement = Table(
    "movement",
    metadata,
    Column("seq", _Whole, CheckConstraint("seq > 0"), primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("effective_at", _Whole, nullable=False),
    Column("recorded_at", _Whole, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_id", Text, unique=True),
    Column("request_content", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, CheckConstraint("length(hash) = 64"), nullable=False),
)

movement_line = Table(
    "movement_line",
    metadata,
    # Lines are written before their movement, which seals them.
    Column(
        "movement",
        _Whole,
        ForeignKey("movement.seq", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("line", _Whole, primary_key=True, autoincrement=False),
    Column("lot", _Whole, ForeignKey("lot.id"), nullable=False),
    Column("location", _Whole, ForeignKey("location.id"), nullable=False),
    Column("containers", _Whole, nullable=False),
    Column("supplier", Text),
    Column("unit_cost", _Whole, CheckConstraint("unit_cost >= 0")),
    Column("currency", Text),
    Column("remark_hash", Text),
    CheckConstraint("(unit_cost IS NULL) = (currency IS NULL)"),
    Index("movement_line_lot", "lot"),
    sqlite_with_rowid=False,
)

remark = Table(
    "remark",
    metadata,
    Column("movement", _Whole, primary_key=True, autoincrement=False),
    Column("line", _Whole, primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
    Column("text", Text, nullable=False),
    ForeignKeyConstraint(["movement", "line"], ["movement_line.movement", "movement_line.line"]),
    sqlite_with_rowid=False,
)

balance = Table(
    "balance",
    metadata,
    Column("lot", _Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("location", _Whole, ForeignKey("location.id"), primary_key=True, autoincrement=False),
    Column("containers", _Whole, CheckConstraint("containers >= 0"), nullable=False),
    sqlite_with_rowid=False,
)

lot_state = Table(
    "lot_state",
    metadata,
    Column("lot", _Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("expiry", Text),
    Column("received_at", _Whole, nullable=False),
    Column("supplier", Text),
    Column("unit_cost", _Whole),
    Column("currency", Text),
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("id", _Whole, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", _Whole, nullable=False),
    Column("hash", Text, nullable=False),
)

# The name and shape that Alembic looks for.
alembic_version = Table("alembic_version", metadata, Column("version_num", Text, primary_key=True))

# Refusing what is there already, by whatever key, is what stops REPLACE and ON CONFLICT too: a replaced row
# fires no DELETE trigger unless the connection has asked for recursive triggers, and that is the writer's
# choice. For the same reason no table of the ledger has a hidden row number that could be replaced instead.
_REFUSED_INSERTS = {
    "product_record": "EXISTS (SELECT 1 FROM product_record WHERE hash = NEW.hash)",
    "location": (
        "NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM location)"
        " OR EXISTS (SELECT 1 FROM location WHERE name = NEW.name)"
    ),
    "lot": (
        "NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM lot)"
        " OR EXISTS (SELECT 1 FROM lot WHERE product_id = NEW.product_id AND number = NEW.number"
        " AND revision = NEW.revision)"
    ),
    "movement_line": (
        "EXISTS (SELECT 1 FROM movement WHERE seq >= NEW.movement)"
        " OR EXISTS (SELECT 1 FROM movement_line WHERE movement = NEW.movement AND line = NEW.line)"
    ),
    "movement": (
        "NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM movement)"  # noqa: S608
        " OR NEW.previous_hash IS NOT coalesce("
        f"(SELECT hash FROM movement ORDER BY seq DESC LIMIT 1), '{GENESIS}')"
        " OR EXISTS (SELECT 1 FROM movement WHERE request_id = NEW.request_id)"
    ),
    "remark": (
        "EXISTS (SELECT 1 FROM movement WHERE seq >= NEW.movement)"
        " OR EXISTS (SELECT 1 FROM remark WHERE movement = NEW.movement AND line = NEW.line)"
    ),
}

#: What every refusal of a trigger begins with.
APPEND_ONLY = "the ledger is append-only"


def guards() -> dict[str, str]:
    """
    Write the triggers that refuse to change history, for SQLite.

    Returns:
        Statements by name of the trigger.
    """
    result = {}

    def guard(table: str, event: str, when: str, reason: str) -> None:
        name = f"{table}_guards_{event.lower()}"
        condition = f" WHEN {when}" if when else ""
        result[name] = (
            f"CREATE TRIGGER {name} BEFORE {event} ON {table}{condition}"
            f" BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: {reason}'); END"
        )

    for table, refused in _REFUSED_INSERTS.items():
        guard(table, "INSERT", refused, f"{table} takes only what follows and is new")
        guard(table, "UPDATE", "", f"{table} is never changed")
        if table != "remark":
            guard(table, "DELETE", "", f"{table} is never deleted from")
    return result


def statements(*, strict: bool) -> list[str]:
    """
    Write all that makes an empty SQLite database a stock.

    Args:
        strict: Whether this SQLite has strict tables (3.37 and later).

    Returns:
        Statements in order.
    """
    dialect = sqlite.dialect()
    result = []
    for table in metadata.sorted_tables:
        text = str(CreateTable(table).compile(dialect=dialect)).strip()
        if strict:
            text += " STRICT" if text.endswith(")") else ", STRICT"
        result.append(text)
        result.extend(
            str(CreateIndex(index).compile(dialect=dialect)).strip()
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    result.extend(guards().values())
    result.append(f"INSERT INTO chain_head (id, seq, hash) VALUES (1, 0, '{GENESIS}')")  # noqa: S608
    result.append(f"INSERT INTO alembic_version (version_num) VALUES ('{REVISION}')")  # noqa: S608
    result.append(f"PRAGMA application_id = {APPLICATION_ID}")
    result.append(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return result
