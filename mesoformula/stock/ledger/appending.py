"""The one way in which a movement gets into the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import attrs
from sqlalchemy import BindParameter, Connection, Table, bindparam, func, literal_column, select, update

from mesoformula.errors import LedgerError
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import Prepared, delete_rows, insert_rows, update_rows
from mesoformula.stock.ledger.chain import (
    LINE_FACTS,
    LineFacts,
    MovementFacts,
    Remark,
    movement_hash,
    remark_hash,
)
from mesoformula.stock.ledger.tally import TABLES, Tally
from mesoformula.stock.records import Anchor

#: Product id, revision and lot number: what is one lot.
LotKey: TypeAlias = tuple[str, int, str]

#: Content hash of the product record, product id, revision, lot number and expiry of a lot to be.
NewLot: TypeAlias = tuple[str, str, int, str, str | None]

#: Names of locations by their numbers.
Places: TypeAlias = Mapping[int, str]


_LOT_COLUMNS = ("id", "product_hash", "product_id", "revision", "number", "expiry")
_GIVEN: BindParameter[Any] = bindparam("given", expanding=True)
_HEAD = Prepared(select(schema.chain_head.c.seq, schema.chain_head.c.hash).with_for_update())
_MOVE_HEAD = Prepared(update(schema.chain_head).values(seq=bindparam("new_seq"), hash=bindparam("new_hash")))
_LOTS = Prepared(
    select(*(schema.lot.c[name] for name in _LOT_COLUMNS)).where(
        schema.lot.c.product_id == bindparam("product"),
        schema.lot.c.revision == bindparam("revision"),
        schema.lot.c.number.in_(_GIVEN),
    )
)
_RECORDS = Prepared(select(schema.product_record.c.hash).where(schema.product_record.c.hash.in_(_GIVEN)))
_PLACES = Prepared(
    select(schema.location.c.name, schema.location.c.id).where(schema.location.c.name.in_(_GIVEN))
)
_LAST_LOT = Prepared(select(func.coalesce(func.max(schema.lot.c.id), literal_column("0"))))
_LAST_PLACE = Prepared(select(func.coalesce(func.max(schema.location.c.id), literal_column("0"))))

# The columns of the tables of sums, those of the key first, as `Tally` holds them.
_SUM_COLUMNS = {name: tuple(field.name for field in attrs.fields(kind)) for name, (_, kind) in TABLES.items()}


def _sums_by(name: str, by: str) -> Prepared:
    table = schema.metadata.tables[name]
    columns = [table.c[one] for one in (*TABLES[name][0], *_SUM_COLUMNS[name])]
    return Prepared(select(*columns).where(table.c[by].in_(_GIVEN)))


_SUMS = {
    "balance": _sums_by("balance", "lot"),
    "lot_state": _sums_by("lot_state", "lot"),
    "opened": _sums_by("opened", "id"),
    "reservation": _sums_by("reservation", "movement"),
    "pack_serial": _sums_by("pack_serial", "serial"),
    "standing": _sums_by("standing", "subject"),
}


@attrs.frozen
class Lot:
    """
    A lot as the ledger keeps it.

    Attributes:
        id: Its number in this store.
        product: Content hash of its product record.
        product_id: `vendor/sku`.
        revision: Of the product.
        number: The maker's lot number.
        expiry: As first received, an ISO day.
    """

    id: int
    product: str
    product_id: str
    revision: int
    number: str
    expiry: str | None

    @property
    def key(self) -> LotKey:
        """What tells it from other lots."""
        return self.product_id, self.revision, self.number


@attrs.frozen
class Entry:
    """
    What one line of a new movement says; `LineFacts` tells what each means.

    Attributes:
        lot: The lot, which the ledger holds already; None where the line is about none.
        location: Where, by name.
        containers: Containers that come (above zero) or go (below).
        supplier: Who delivered them.
        unit_cost: Of one container, in minor units.
        currency: Of the cost.
        remark: Free text, erasable.
        opened: Number of an opened container or mixture.
        nanolitres: Volume that comes into it or goes out.
        nanograms: Mass that comes into it or goes out.
        becomes: `open` or `gone`.
        beyond_use_at: When it must be gone.
        rule: Which rule says so.
        reserved: Containers kept for a pick.
        reserved_nanolitres: Volume to be drawn for a pick.
        counted: What a count found.
        device: Device identifier (GTIN) of a pack.
        serial: Its serial number.
        subject: What a fact is about, if no lot; the name of a mixture.
        fact: Which fact.
        old: What was held before.
        new: What holds from then on.
        deviation: Why this should not have happened, codes with blanks between them.
    """

    lot: Lot | None = None
    location: str | None = None
    containers: int = 0
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    remark: str | None = None
    opened: int | None = None
    nanolitres: int | None = None
    nanograms: int | None = None
    becomes: str | None = None
    beyond_use_at: int | None = None
    rule: str | None = None
    reserved: int | None = None
    reserved_nanolitres: int | None = None
    counted: int | None = None
    device: str | None = None
    serial: str | None = None
    subject: str | None = None
    fact: str | None = None
    old: str | None = None
    new: str | None = None
    deviation: str | None = None


@attrs.frozen
class Heading:
    """
    What a new movement says as a whole; moments are microseconds since 1970 in UTC.

    Attributes:
        kind: What happened.
        effective_at: When it happened.
        recorded_at: When it is recorded.
        actor: Who records it.
        request: The id that makes it idempotent.
        request_content: Hash of what is asked under that id.
        session: Opaque reference of a session.
        pick: The pick that it uses or frees.
        reverses: The movement that it takes back.
        cause: The movement of the same write that made it necessary.
        lapses_at: Of a pick, when its reservation ends.
        reason: Free text, erasable.
    """

    kind: str
    effective_at: int
    recorded_at: int
    actor: str
    request: str | None = None
    request_content: str | None = None
    session: str | None = None
    pick: int | None = None
    reverses: int | None = None
    cause: int | None = None
    lapses_at: int | None = None
    reason: str | None = None


def lock(connection: Connection) -> Anchor:
    """
    Take the chain's head, so that nobody else can append before this transaction ends.

    Args:
        connection: In a writing transaction.

    Returns:
        The head; 0 and the genesis hash for an empty ledger.

    Raises:
        LedgerError: If there is none.
    """
    row = _HEAD.first(connection)
    if row is None:
        raise LedgerError("the head of the chain is missing; run verify")
    return Anchor(row.seq, row.hash)


def find_lots(connection: Connection, keys: Iterable[LotKey]) -> dict[LotKey, Lot]:
    """
    Look up lots.

    Args:
        connection: In a transaction.
        keys: Of the lots.

    Returns:
        Those that the ledger holds.
    """
    by_product: dict[tuple[str, int], set[str]] = {}
    for product_id, revision, number in keys:
        by_product.setdefault((product_id, revision), set()).add(number)
    found: dict[LotKey, Lot] = {}
    for (product_id, revision), numbers in by_product.items():
        rows = _LOTS.of_many(connection, sorted(numbers), product=product_id, revision=revision)
        for row in rows:
            lot = Lot(*row)
            found[lot.key] = lot
    return found


def keep_products(connection: Connection, records: Mapping[str, str]) -> None:
    """
    Keep product records that the ledger does not hold yet.

    Args:
        connection: In a writing transaction, locked.
        records: Canonical JSON by content hash.
    """
    known = {row[0] for row in _RECORDS.of_many(connection, records)}
    new = [pair for pair in records.items() if pair[0] not in known]
    insert_rows(connection, schema.product_record, ("hash", "record"), new)


def add_lots(connection: Connection, lots: Iterable[NewLot]) -> dict[LotKey, Lot]:
    """
    Add lots that the ledger does not hold yet.

    Args:
        connection: In a writing transaction, locked.
        lots: Content hash of the product record, product id, revision, lot number and expiry of each.

    Returns:
        The lots by key, with their ids.
    """
    ((after,),) = _LAST_LOT.rows(connection)
    rows = [(number, *lot) for number, lot in enumerate(lots, start=after + 1)]
    insert_rows(connection, schema.lot, _LOT_COLUMNS, rows)
    return {(row[2], row[3], row[4]): Lot(*row) for row in rows}


def append(
    connection: Connection,
    head: Anchor,
    heading: Heading,
    entries: Sequence[Entry],
    *,
    judge: Callable[[Tally, Places], None] | None = None,
) -> Anchor:
    """
    Append one movement, and keep what the ledger adds up to.

    Args:
        connection: In a writing transaction, locked.
        head: What `lock` returned.
        heading: What the movement says as a whole.
        entries: Its lines.
        judge: Refuses sums that must not be, before anything is written.

    Returns:
        The new head.
    """
    remarks = {
        number: Remark(secrets.token_hex(16), text)
        for number, text in enumerate((heading.reason, *(entry.remark for entry in entries)))
        if text is not None
    }
    hashes = {number: remark_hash(remark) for number, remark in remarks.items()}
    lines = [_facts(number, entry, hashes.get(number)) for number, entry in enumerate(entries, start=1)]
    said = {name: getattr(heading, name) for name in _HEADING_NAMES}
    movement = MovementFacts(
        seq=head.seq + 1, previous=head.hash, lines=tuple(lines), reason=hashes.get(0), **said
    )
    anchor = Anchor(movement.seq, movement_hash(movement))
    names = _places(connection, {entry.location for entry in entries if entry.location is not None})
    lots = [entry.lot.id if entry.lot is not None else None for entry in entries]
    places = [names[entry.location] if entry.location is not None else None for entry in entries]
    tally, before = _load(connection, movement, lots)
    tally.begin(movement)
    for line, lot, place in zip(lines, lots, places, strict=True):
        tally.add(movement, line, lot, place)
    if judge is not None:
        judge(tally, {number: name for name, number in names.items()})
    _write(connection, movement, anchor, lots, places, remarks)
    for name, sums in tally.tables().items():
        if sums or before[name]:
            _keep(connection, schema.metadata.tables[name], sums, before[name])
    _MOVE_HEAD.rows(connection, new_seq=anchor.seq, new_hash=anchor.hash)
    return anchor


def load(
    connection: Connection,
    tally: Tally,
    *,
    lots: Collection[int] = (),
    opened: Collection[int] = (),
    picks: Collection[int] = (),
    serials: Collection[str] = (),
    subjects: Collection[str] = (),
) -> dict[str, dict[Any, tuple[Any, ...]]]:
    """
    Load sums as they are kept.

    Args:
        connection: In a transaction.
        tally: What they are loaded into.
        lots: Numbers of lots, for what is known of them and their balances.
        opened: Numbers of opened containers.
        picks: Movements that reserved.
        serials: Serial numbers of packs, under whichever GTIN.
        subjects: Of what holds until it is said otherwise.

    Returns:
        What was loaded, by table and key, as plain values.
    """
    wanted: tuple[tuple[str, Collection[Any]], ...] = (
        ("balance", lots),
        ("lot_state", lots),
        ("opened", opened),
        ("reservation", picks),
        ("pack_serial", serials),
        ("standing", subjects),
    )
    before: dict[str, dict[Any, tuple[Any, ...]]] = {}
    for name, values in wanted:
        keys, kind = TABLES[name]
        first = len(keys)
        rows = _SUMS[name].of_many(connection, sorted(values)) if values else ()
        found = before[name] = {row[:first]: row[first:] for row in rows}
        tally.tables()[name].update((key, kind(*sums)) for key, sums in found.items())
    return before


def _load(
    connection: Connection, movement: MovementFacts, lots: Sequence[int | None]
) -> tuple[Tally, dict[str, dict[Any, tuple[Any, ...]]]]:
    """Load the sums that a movement changes, and remember what they were."""
    tally = Tally()
    before = load(
        connection,
        tally,
        lots={lot for lot in lots if lot is not None},
        opened={line.opened for line in movement.lines if line.opened is not None},
        picks=() if movement.pick is None else (movement.pick,),
        serials={line.serial for line in movement.lines if line.serial is not None},
        subjects={line.subject for line in movement.lines if line.subject is not None},
    )
    return tally, before


def _facts(number: int, entry: Entry, remark: str | None) -> LineFacts:
    lot = entry.lot
    about = _NO_LOT if lot is None else (lot.product, lot.product_id, lot.revision, lot.number, lot.expiry)
    facts: tuple[Any, ...] = (number, *about, *_said_before(entry), remark, *_said_after(entry))
    return LineFacts(*facts)


_NO_LOT = (None, None, None, None, None)
# The facts of a line that an entry says itself, in their order: those before the remark, and those after it.
_said_before = attrgetter(*LINE_FACTS[LINE_FACTS.index("location") : LINE_FACTS.index("remark")])
_said_after = attrgetter(*LINE_FACTS[LINE_FACTS.index("remark") + 1 :])
_HEADING_NAMES = tuple(field.name for field in attrs.fields(Heading) if field.name != "reason")
# Columns of movement_line that hold what LineFacts says under the same name; those before them do not.
_SAID_COLUMNS = tuple(
    name for name in LINE_FACTS if name in schema.movement_line.c and name not in ("lot", "location")
)
_LINE_COLUMNS = ("movement", "lot", "location", "remark_hash", *_SAID_COLUMNS)
_column_values = attrgetter(*_SAID_COLUMNS)
# Columns of movement, and the facts that they hold; the hash, which is none of them, comes last.
_MOVEMENT_COLUMNS = (
    *("seq", "kind", "effective_at", "recorded_at", "actor", "request_id", "request_content", "session"),
    *("pick", "reverses", "cause", "lapses_at", "reason_hash", "previous_hash", "hash"),
)
_FACT_OF = {"request_id": "request", "reason_hash": "reason", "previous_hash": "previous"}
_movement_values = attrgetter(*(_FACT_OF.get(name, name) for name in _MOVEMENT_COLUMNS[:-1]))


def _write(
    connection: Connection,
    movement: MovementFacts,
    anchor: Anchor,
    lots: Sequence[int | None],
    places: Sequence[int | None],
    remarks: Mapping[int, Remark],
) -> None:
    seq = movement.seq
    insert_rows(
        connection,
        schema.movement_line,
        _LINE_COLUMNS,
        [
            (seq, lot, place, line.remark, *_column_values(line))
            for line, lot, place in zip(movement.lines, lots, places, strict=True)
        ],
    )
    insert_rows(
        connection,
        schema.remark,
        ("movement", "line", "salt", "text"),
        [(seq, number, remark.salt, remark.text) for number, remark in remarks.items()],
    )
    row = (*_movement_values(movement), anchor.hash)
    insert_rows(connection, schema.movement, _MOVEMENT_COLUMNS, [row])


def _keep(
    connection: Connection,
    table: Table,
    sums: Mapping[Any, Any],
    before: Mapping[Any, tuple[Any, ...]],
) -> None:
    keys, names = TABLES[table.name][0], _SUM_COLUMNS[table.name]
    values_of = attrgetter(*names)
    new = []
    changed = []
    for key, one in sums.items():
        values = values_of(one)
        known = before.get(key)
        if known is None:
            new.append((*key, *values))
        elif known != values:
            changed.append((*values, *key))
    delete_rows(connection, table, keys, sorted(before.keys() - sums.keys()))
    update_rows(connection, table, names, keys, changed)
    insert_rows(connection, table, (*keys, *names), new)


def _places(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    wanted = sorted(names)
    known: dict[str, int] = dict(_PLACES.of_many(connection, wanted))
    new = [name for name in wanted if name not in known]
    if new:
        ((after,),) = _LAST_PLACE.rows(connection)
        ids = {name: after + n for n, name in enumerate(new, start=1)}
        insert_rows(connection, schema.location, ("name", "id"), list(ids.items()))
        known.update(ids)
    return known
