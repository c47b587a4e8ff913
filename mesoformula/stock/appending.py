"""The one way in which a movement gets into the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, TypeAlias

import attrs
from sqlalchemy import Connection, Table, func, insert, select, update

from mesoformula.errors import LedgerError
from mesoformula.stock import schema
from mesoformula.stock.chain import (
    LINE_FACTS,
    LineFacts,
    MovementFacts,
    Remark,
    movement_hash,
    remark_hash,
)
from mesoformula.stock.records import Anchor
from mesoformula.stock.tally import TABLES, Tally

# Below the number of parameters that any SQLite takes in one statement.
_BATCH = 500

#: Product id, revision and lot number: what is one lot.
LotKey: TypeAlias = tuple[str, int, str]

#: Content hash of the product record, product id, revision, lot number and expiry of a lot to be.
NewLot: TypeAlias = tuple[str, str, int, str, str | None]

#: Names of locations by their numbers.
Places: TypeAlias = Mapping[int, str]


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
    row = connection.execute(
        select(schema.chain_head.c.seq, schema.chain_head.c.hash).with_for_update()
    ).one_or_none()
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
    table = schema.lot
    by_product: dict[tuple[str, int], set[str]] = {}
    for product_id, revision, number in keys:
        by_product.setdefault((product_id, revision), set()).add(number)
    found: dict[LotKey, Lot] = {}
    for (product_id, revision), numbers in by_product.items():
        for batch in batches(sorted(numbers)):
            rows = connection.execute(
                select(table).where(
                    table.c.product_id == product_id,
                    table.c.revision == revision,
                    table.c.number.in_(batch),
                )
            )
            for row in rows:
                lot = Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)
                found[lot.key] = lot
    return found


def keep_products(connection: Connection, records: Mapping[str, str]) -> None:
    """
    Keep product records that the ledger does not hold yet.

    Args:
        connection: In a writing transaction, locked.
        records: Canonical JSON by content hash.
    """
    table = schema.product_record
    known = _known(connection, table, "hash", "hash", records)
    _insert(connection, table, ("hash", "record"), [pair for pair in records.items() if pair[0] not in known])


def add_lots(connection: Connection, lots: Iterable[NewLot]) -> dict[LotKey, Lot]:
    """
    Add lots that the ledger does not hold yet.

    Args:
        connection: In a writing transaction, locked.
        lots: Content hash of the product record, product id, revision, lot number and expiry of each.

    Returns:
        The lots by key, with their ids.
    """
    after = _last(connection, schema.lot)
    rows = [(number, *lot) for number, lot in enumerate(lots, start=after + 1)]
    _insert(
        connection, schema.lot, ("id", "product_hash", "product_id", "revision", "number", "expiry"), rows
    )
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
        _keep(connection, schema.metadata.tables[name], sums, before[name])
    connection.execute(update(schema.chain_head).values(seq=anchor.seq, hash=anchor.hash))
    return anchor


def batches(values: Iterable[Any]) -> Iterable[list[Any]]:
    """
    Cut values into lists short enough for one statement.

    Args:
        values: Any number of them.

    Yields:
        Lists.
    """
    rest = iter(values)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def load(
    connection: Connection,
    tally: Tally,
    *,
    lots: Collection[int] = (),
    opened: Collection[int] = (),
    picks: Collection[int] = (),
    serials: Collection[str] = (),
    subjects: Collection[str] = (),
) -> None:
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
    """
    wanted: tuple[tuple[str, str, Collection[Any]], ...] = (
        ("balance", "lot", lots),
        ("lot_state", "lot", lots),
        ("opened", "id", opened),
        ("reservation", "movement", picks),
        ("pack_serial", "serial", serials),
        ("standing", "subject", subjects),
    )
    sums = tally.tables()
    for name, by, values in wanted:
        if not values:
            continue
        table = schema.metadata.tables[name]
        keys, kind = TABLES[name]
        columns = [table.c[key] for key in keys] + [table.c[one.name] for one in attrs.fields(kind)]
        for batch in batches(sorted(values)):
            for row in connection.execute(select(*columns).where(table.c[by].in_(batch))):
                sums[name][tuple(row[: len(keys)])] = kind(*row[len(keys) :])


def _load(
    connection: Connection, movement: MovementFacts, lots: Sequence[int | None]
) -> tuple[Tally, dict[str, dict[Any, tuple[Any, ...]]]]:
    """Load the sums that a movement changes, and remember what they were."""
    tally = Tally()
    load(
        connection,
        tally,
        lots={lot for lot in lots if lot is not None},
        opened={line.opened for line in movement.lines if line.opened is not None},
        picks=() if movement.pick is None else (movement.pick,),
        serials={line.serial for line in movement.lines if line.serial is not None},
        subjects={line.subject for line in movement.lines if line.subject is not None},
    )
    before = {
        name: {key: attrs.astuple(one, recurse=False) for key, one in sums.items()}
        for name, sums in tally.tables().items()
    }
    return tally, before


def _facts(number: int, entry: Entry, remark: str | None) -> LineFacts:
    lot = entry.lot
    said = dict(zip(_ENTRY_NAMES, _said_of(entry), strict=True))
    if lot is None:
        return LineFacts(
            line=number, product=None, product_id=None, revision=None, lot=None, expiry=None,
            remark=remark, **said,
        )  # fmt: skip
    return LineFacts(
        line=number,
        product=lot.product,
        product_id=lot.product_id,
        revision=lot.revision,
        lot=lot.number,
        expiry=lot.expiry,
        remark=remark,
        **said,
    )


# The facts of a line that an entry says itself.
_ENTRY_NAMES = tuple(name for name in LINE_FACTS[LINE_FACTS.index("location") :] if name != "remark")
_said_of = attrgetter(*_ENTRY_NAMES)
_HEADING_NAMES = tuple(field.name for field in attrs.fields(Heading) if field.name != "reason")
# Columns of movement_line that hold what LineFacts says under the same name; those before them do not.
_SAID_COLUMNS = tuple(
    name for name in LINE_FACTS if name in schema.movement_line.c and name not in ("lot", "location")
)
_LINE_COLUMNS = ("movement", "lot", "location", "remark_hash", *_SAID_COLUMNS)
_column_values = attrgetter(*_SAID_COLUMNS)


def _write(
    connection: Connection,
    movement: MovementFacts,
    anchor: Anchor,
    lots: Sequence[int | None],
    places: Sequence[int | None],
    remarks: Mapping[int, Remark],
) -> None:
    seq = movement.seq
    _insert(
        connection,
        schema.movement_line,
        _LINE_COLUMNS,
        [
            (seq, lot, place, line.remark, *_column_values(line))
            for line, lot, place in zip(movement.lines, lots, places, strict=True)
        ],
    )
    _insert(
        connection,
        schema.remark,
        ("movement", "line", "salt", "text"),
        [(seq, number, remark.salt, remark.text) for number, remark in remarks.items()],
    )
    connection.execute(
        insert(schema.movement).values(
            seq=movement.seq,
            kind=movement.kind,
            effective_at=movement.effective_at,
            recorded_at=movement.recorded_at,
            actor=movement.actor,
            request_id=movement.request,
            request_content=movement.request_content,
            session=movement.session,
            pick=movement.pick,
            reverses=movement.reverses,
            cause=movement.cause,
            lapses_at=movement.lapses_at,
            reason_hash=movement.reason,
            previous_hash=movement.previous,
            hash=anchor.hash,
        )
    )


def _keep(
    connection: Connection,
    table: Table,
    sums: Mapping[Any, Any],
    before: Mapping[Any, tuple[Any, ...]],
) -> None:
    keys, kind = TABLES[table.name]
    names = [field.name for field in attrs.fields(kind)]
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
    lost = sorted(before.keys() - sums.keys())
    if lost:
        connection.exec_driver_sql(_delete(connection, table, keys), lost)
    if changed:
        connection.exec_driver_sql(_update(connection, table, names, keys), changed)
    _insert(connection, table, (*keys, *names), new)


def _places(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    table = schema.location
    wanted = sorted(names)
    known = _known(connection, table, "name", "id", wanted)
    new = [name for name in wanted if name not in known]
    if new:
        after = _last(connection, table)
        ids = {name: after + n for n, name in enumerate(new, start=1)}
        _insert(connection, table, ("name", "id"), list(ids.items()))
        known.update(ids)
    return known


def _known(connection: Connection, table: Table, key: str, value: str, keys: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for batch in batches(keys):
        rows = connection.execute(select(table.c[key], table.c[value]).where(table.c[key].in_(batch)))
        found.update((row[0], row[1]) for row in rows)
    return found


def _last(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())


# Rows by the thousand are handed to the driver as tuples: SQLAlchemy would take each apart and put it
# together again. Names come from the tables, and values are bound as ever.


def _insert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        marks = ", ".join([_mark(connection)] * len(columns))
        names = ", ".join(f'"{name}"' for name in columns)
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(rows))  # noqa: S608


def _update(connection: Connection, table: Table, columns: Sequence[str], keys: Sequence[str]) -> str:
    mark = _mark(connection)
    said = ", ".join(f'"{name}" = {mark}' for name in columns)
    return f'UPDATE "{table.name}" SET {said} WHERE {_at(keys, mark)}'  # noqa: S608


def _delete(connection: Connection, table: Table, keys: Sequence[str]) -> str:
    return f'DELETE FROM "{table.name}" WHERE {_at(keys, _mark(connection))}'  # noqa: S608


def _at(keys: Sequence[str], mark: str) -> str:
    return " AND ".join(f'"{key}" = {mark}' for key in keys)


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"
