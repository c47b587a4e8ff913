"""Schema 2: everything that happens to stock, not receipts alone."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mesoformula.stock.database.making import table_statements
from mesoformula.stock.database.sqlite_file import strict_tables

revision = "0002"
down_revision = "0001"

Whole = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()


def _seq(name: str, *constraints: CheckConstraint, primary: bool = False) -> Column[int]:
    """Name a movement that is written later in the same transaction, or was before."""
    key = ForeignKey("movement.seq", deferrable=True, initially="DEFERRED")
    return Column(name, Whole, key, *constraints, primary_key=primary, autoincrement=False)


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
    Column("session", Text),
    _seq("pick", CheckConstraint("pick < seq")),
    _seq("reverses", CheckConstraint("reverses < seq")),
    _seq("cause", CheckConstraint("cause <> seq")),
    Column("lapses_at", Whole),
    Column("reason_hash", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, CheckConstraint("length(hash) = 64"), nullable=False),
    Index("movement_effective_at", "effective_at"),
    Index(
        "movement_session",
        "session",
        sqlite_where=text("session IS NOT NULL"),
        postgresql_where=text("session IS NOT NULL"),
    ),
    Index(
        "movement_reverses",
        "reverses",
        unique=True,
        sqlite_where=text("reverses IS NOT NULL"),
        postgresql_where=text("reverses IS NOT NULL"),
    ),
    Index(
        "movement_cause",
        "cause",
        sqlite_where=text("cause IS NOT NULL"),
        postgresql_where=text("cause IS NOT NULL"),
    ),
)

movement_line = Table(
    "movement_line",
    metadata,
    _seq("movement", primary=True),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("lot", Whole, ForeignKey("lot.id")),
    Column("location", Whole, ForeignKey("location.id")),
    Column("containers", Whole, nullable=False),
    Column("opened", Whole),
    Column("nanolitres", Whole),
    Column("nanograms", Whole),
    Column("becomes", Text, CheckConstraint("becomes IN ('open', 'gone')")),
    Column("beyond_use_at", Whole),
    Column("rule", Text),
    Column("reserved", Whole, CheckConstraint("reserved > 0")),
    Column("reserved_nanolitres", Whole, CheckConstraint("reserved_nanolitres > 0")),
    Column("counted", Whole, CheckConstraint("counted >= 0")),
    Column("device", Text),
    Column("serial", Text),
    Column("supplier", Text),
    Column("unit_cost", Whole, CheckConstraint("unit_cost >= 0")),
    Column("currency", Text),
    Column("subject", Text),
    Column("fact", Text),
    Column("old", Text),
    Column("new", Text),
    Column("deviation", Text),
    Column("remark_hash", Text),
    CheckConstraint("(unit_cost IS NULL) = (currency IS NULL)"),
    CheckConstraint("(device IS NOT NULL) OR (serial IS NULL)"),
    Index("movement_line_lot", "lot"),
    Index(
        "movement_line_opened",
        "opened",
        sqlite_where=text("opened IS NOT NULL"),
        postgresql_where=text("opened IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

remark = Table(
    "remark",
    metadata,
    _seq("movement", primary=True),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)

balance = Table(
    "balance",
    metadata,
    Column("lot", Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("location", Whole, ForeignKey("location.id"), primary_key=True, autoincrement=False),
    Column("containers", Whole, CheckConstraint("containers >= 0"), nullable=False),
    Column("quarantined", Whole, nullable=False),
    Column("quarantined_since", Whole),
    Index(
        "balance_on_hand",
        "lot",
        "location",
        "containers",
        "quarantined",
        sqlite_where=text("containers > 0"),
        postgresql_where=text("containers > 0"),
    ),
    sqlite_with_rowid=False,
)

lot_state = Table(
    "lot_state",
    metadata,
    Column("lot", Whole, ForeignKey("lot.id"), primary_key=True, autoincrement=False),
    Column("expiry", Text),
    Column("expiry_since", Whole),
    Column("received_at", Whole, nullable=False),
    Column("supplier", Text),
    Column("cost_low", Whole),
    Column("cost_high", Whole),
    Column("cost_since", Whole),
    Column("unpriced", Whole, nullable=False),
    Column("currency", Text),
    Column("assay", Text),
    Column("assay_since", Whole),
    Column("remark", Whole),
    Column("quarantined", Whole, nullable=False),
    Column("quarantined_since", Whole),
    Column("recalled", Whole, nullable=False),
    Column("recalled_since", Whole),
)

opened = Table(
    "opened",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=False),
    Column("lot", Whole, ForeignKey("lot.id")),
    Column("name", Text),
    Column("location", Whole, ForeignKey("location.id"), nullable=False),
    Column("movement", Whole, nullable=False),
    Column("opened_at", Whole, nullable=False),
    Column("beyond_use_at", Whole),
    Column("rule", Text),
    Column("supplied_nanolitres", Whole),
    Column("supplied_nanograms", Whole),
    Column("nanolitres", Whole, CheckConstraint("nanolitres >= 0")),
    Column("nanograms", Whole, CheckConstraint("nanograms >= 0")),
    Column("quarantined", Whole, nullable=False),
    Column("quarantined_since", Whole),
    Column("gone", Whole, nullable=False),
    Index("opened_lot", "lot"),
    Index("opened_there", "id", sqlite_where=text("gone = 0"), postgresql_where=text("gone = 0")),
)

reservation = Table(
    "reservation",
    metadata,
    Column("movement", Whole, primary_key=True, autoincrement=False),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("lot", Whole, ForeignKey("lot.id")),
    Column("location", Whole, ForeignKey("location.id"), nullable=False),
    Column("opened", Whole),
    Column("containers", Whole),
    Column("nanolitres", Whole),
    Column("lapses_at", Whole, nullable=False),
    Column("session", Text),
    Index("reservation_lot", "lot"),
    sqlite_with_rowid=False,
)

pack_serial = Table(
    "pack_serial",
    metadata,
    Column("device", Text, primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("lot", Whole, ForeignKey("lot.id"), nullable=False),
    Column("movement", Whole, nullable=False),
    sqlite_with_rowid=False,
)

standing = Table(
    "standing",
    metadata,
    Column("fact", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("movement", Whole, nullable=False),
    sqlite_with_rowid=False,
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("id", Whole, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", Whole, nullable=False),
    Column("hash", Text, nullable=False),
)

alembic_version = Table("alembic_version", metadata, Column("version_num", Text, primary_key=True))

#: Statements that fill a table of schema 2 from the copy of it that schema 1 had.
_FILLED = {
    "movement": (
        "INSERT INTO movement (seq, kind, effective_at, recorded_at, actor, request_id, request_content,"
        " previous_hash, hash)"
        " SELECT seq, kind, effective_at, recorded_at, actor, request_id, request_content,"
        " previous_hash, hash FROM kept_movement ORDER BY seq"
    ),
    "movement_line": (
        "INSERT INTO movement_line (movement, line, lot, location, containers, supplier, unit_cost, currency,"
        " remark_hash)"
        " SELECT movement, line, lot, location, containers, supplier, unit_cost, currency, remark_hash"
        " FROM kept_movement_line ORDER BY movement, line"
    ),
    "remark": (
        "INSERT INTO remark (movement, line, salt, text)"
        " SELECT movement, line, salt, text FROM kept_remark ORDER BY movement, line"
    ),
    "balance": (
        "INSERT INTO balance (lot, location, containers, quarantined)"
        " SELECT lot, location, containers, 0 FROM kept_balance ORDER BY lot, location"
    ),
    # Schema 1 knew the first cost of a lot; the lines know all of them.
    "lot_state": (
        "INSERT INTO lot_state (lot, expiry, received_at, supplier, cost_low, cost_high, unpriced, currency,"
        " quarantined, recalled)"
        " SELECT k.lot, k.expiry, k.received_at, k.supplier,"
        " (SELECT min(l.unit_cost) FROM movement_line l WHERE l.lot = k.lot),"
        " (SELECT max(l.unit_cost) FROM movement_line l WHERE l.lot = k.lot),"
        " CASE WHEN EXISTS (SELECT 1 FROM movement_line l WHERE l.lot = k.lot AND l.unit_cost IS NULL)"
        " THEN 1 ELSE 0 END,"
        " (SELECT l.currency FROM movement_line l WHERE l.lot = k.lot AND l.currency IS NOT NULL"
        " ORDER BY l.movement DESC, l.line DESC LIMIT 1), 0, 0"
        " FROM kept_lot_state k ORDER BY k.lot"
    ),
}

_ADDED = ("opened", "reservation", "pack_serial", "standing")


def upgrade() -> None:
    """Copy the tables that changed, make them anew, fill them, and add the others."""
    connection = op.get_bind()
    for name in _FILLED:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE kept_{name} AS SELECT * FROM {name}")  # noqa: S608
    for name in ("remark", "movement_line", "movement", "balance", "lot_state"):
        connection.exec_driver_sql(f"DROP TABLE {name}")
    tables = [table for table in metadata.sorted_tables if table.name in _FILLED or table.name in _ADDED]
    for statement in table_statements(tables, connection.dialect.name, strict=strict_tables()):
        connection.exec_driver_sql(statement)
    for name, statement in _FILLED.items():
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"DROP TABLE kept_{name}")
