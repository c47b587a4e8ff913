"""Schema 1: receipts."""

from __future__ import annotations

from alembic import op
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

from mesoformula.stock.database.making import table_statements
from mesoformula.stock.database.sqlite_file import strict_tables

revision = "0001"
down_revision = None

Whole = BigInteger().with_variant(Integer(), "sqlite")

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
    Column("id", Whole, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
)

lot = Table(
    "lot",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=False),
    Column("product_hash", Text, ForeignKey("product_record.hash"), nullable=False),
    Column("product_id", Text, nullable=False),
    Column("revision", Whole, nullable=False),
    Column("number", Text, nullable=False),
    Column("expiry", Text),
    UniqueConstraint("product_id", "number", "revision"),
)

movement = Table(
    "movement",
    metadata,
    Column("seq", Whole, CheckConstraint("seq > 0"), primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("effective_at", Whole, nullable=False),
    Column("recorded_at", Whole, nullable=False),
    Column("actor", Text, nullable=False),
    Column("request_id", Text, unique=True),
    Column("request_content", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, CheckConstraint("length(hash) = 64"), nullable=False),
)

movement_line = Table(
    "movement_line",
    metadata,
    Column(
        "movement",
        Whole,
        ForeignKey("movement.seq", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("lot", Whole, ForeignKey("lot.id"), nullable=False),
    Column("location", Whole, ForeignKey("location.id"), nullable=False),
    Column("containers", Whole, nullable=False),
    Column("supplier", Text),
    Column("unit_cost", Whole, CheckConstraint("unit_cost >= 0")),
    Column("currency", Text),
    Column("remark_hash", Text),
    CheckConstraint("(unit_cost IS NULL) = (currency IS NULL)"),
    Index("movement_line_lot", "lot"),
    sqlite_with_rowid=False,
)

remark = Table(
    "remark",
    metadata,
    Column("movement", Whole, primary_key=True, autoincrement=False),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
    Column("text", Text, nullable=False),
    ForeignKeyConstraint(["movement", "line"], ["movement_line.movement", "movement_line.line"]),
    sqlite_with_rowid=False,
)

balance = Table(
    "balance",
    metadata,
    Column("lot", Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("location", Whole, ForeignKey("location.id"), primary_key=True, autoincrement=False),
    Column("containers", Whole, CheckConstraint("containers >= 0"), nullable=False),
    sqlite_with_rowid=False,
)

lot_state = Table(
    "lot_state",
    metadata,
    Column("lot", Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("expiry", Text),
    Column("received_at", Whole, nullable=False),
    Column("supplier", Text),
    Column("unit_cost", Whole),
    Column("currency", Text),
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("id", Whole, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", Whole, nullable=False),
    Column("hash", Text, nullable=False),
)

alembic_version = Table("alembic_version", metadata, Column("version_num", Text, primary_key=True))


def upgrade() -> None:
    """Make the tables; the one with the version is the tool's to make."""
    connection = op.get_bind()
    tables = [table for table in metadata.sorted_tables if table is not alembic_version]
    for statement in table_statements(tables, connection.dialect.name, strict=strict_tables()):
        connection.exec_driver_sql(statement)
    connection.execute(chain_head.insert().values(id=1, seq=0, hash="0" * 64))
