"""
The tables of the stock.

The ledger (`product_record`, `location`, `lot`, `movement_line`, `movement`) only ever grows. Everything from
`balance` on is what it adds up to, kept in the same transaction and recomputed by `verify`. A remark may be
erased, never changed. Figures are whole numbers: containers, nanolitres, nanograms, minor units of money,
microseconds since 1970.
"""

from __future__ import annotations

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

#: `MESO`, which tells a stock from any other SQLite file.
APPLICATION_ID = 0x4D45534F
SCHEMA_VERSION = 2
#: The same for the tool that migrates, by named revision.
REVISION = "0002"

# A strict table of SQLite knows no BIGINT; its INTEGER has 64 bits anyway.
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
    # In this order it also finds a lot of a product under whichever revision.
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
    # The opaque reference of a session.
    Column("session", Text),
    # The pick that this uses or frees.
    _seq("pick", CheckConstraint("pick < seq")),
    # The movement that this takes back.
    _seq("reverses", CheckConstraint("reverses < seq")),
    # The movement of the same transaction that made this one necessary.
    _seq("cause", CheckConstraint("cause <> seq")),
    # Of a pick: when its reservation ends by itself.
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
    # Lines are written before their movement, which seals them.
    _seq("movement", primary=True),
    Column("line", Whole, primary_key=True, autoincrement=False),
    Column("lot", Whole, ForeignKey("lot.id")),
    Column("location", Whole, ForeignKey("location.id")),
    # Whole containers that came (above zero) or went (below).
    Column("containers", Whole, nullable=False),
    # An opened container or a mixture, what came into it (above zero) or went out (below), and whether it is
    # open or gone from now on.
    Column("opened", Whole),
    Column("nanolitres", Whole),
    Column("nanograms", Whole),
    Column("becomes", Text, CheckConstraint("becomes IN ('open', 'gone')")),
    Column("beyond_use_at", Whole),
    Column("rule", Text),
    # Of a pick: what is kept for it.
    Column("reserved", Whole, CheckConstraint("reserved > 0")),
    Column("reserved_nanolitres", Whole, CheckConstraint("reserved_nanolitres > 0")),
    # Of a count: what was there.
    Column("counted", Whole, CheckConstraint("counted >= 0")),
    # The device identifier (GTIN) and serial number of a pack.
    Column("device", Text),
    Column("serial", Text),
    Column("supplier", Text),
    Column("unit_cost", Whole, CheckConstraint("unit_cost >= 0")),
    Column("currency", Text),
    # What was said of a lot, or of a subject that is none (a product, a GTIN).
    Column("subject", Text),
    Column("fact", Text),
    Column("old", Text),
    Column("new", Text),
    # Why this should not have happened, as codes.
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

# Line 0 is the reason of the movement as a whole.
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
    # Whether some of it came without a price.
    Column("unpriced", Whole, nullable=False),
    Column("currency", Text),
    Column("assay", Text),
    Column("assay_since", Whole),
    # The movement that holds the latest remark on it.
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
    # None for a mixture, which has a name instead.
    Column("lot", Whole, ForeignKey("lot.id")),
    Column("name", Text),
    Column("location", Whole, ForeignKey("location.id"), nullable=False),
    Column("movement", Whole, nullable=False),
    Column("opened_at", Whole, nullable=False),
    Column("beyond_use_at", Whole),
    Column("rule", Text),
    # What it held by its label, and what is left of that; None where it is not measured so.
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

# What holds until it is said otherwise: the least stock of a product, what a GTIN stands for.
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

# The name and shape that Alembic looks for.
alembic_version = Table("alembic_version", metadata, Column("version_num", Text, primary_key=True))

#: Tables that only ever grow; `remark` may lose rows and nothing else.
LEDGER = (product_record, location, lot, movement_line, movement, remark)

#: Tables of what the ledger adds up to.
SUMS = (balance, lot_state, opened, reservation, pack_serial, standing)
