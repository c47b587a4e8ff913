"""The one way in which a movement gets into the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import attrs
from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from mesoformula.errors import LedgerError
from mesoformula.stock import schema
from mesoformula.stock.chain import (
    LineFacts,
    LotState,
    MovementFacts,
    Remark,
    movement_hash,
    remark_hash,
    state_after,
)
from mesoformula.stock.records import Anchor

# Below the number of parameters that any SQLite takes in one statement.
_BATCH = 500

#: Product id, revision and lot number: what is one lot.
LotKey: TypeAlias = tuple[str, int, str]


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
    What one line of a new movement says.

    Attributes:
        lot: The lot, which the ledger holds already.
        location: Where, by name.
        containers: Containers that come (above zero) or go (below).
        supplier: Who delivered them.
        unit_cost: Of one container, in minor units.
        currency: Of the cost.
        remark: Free text, erasable.
    """

    lot: Lot
    location: str
    containers: int
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    remark: str | None = None


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
    """

    kind: str
    effective_at: int
    recorded_at: int
    actor: str
    request: str | None = None
    request_content: str | None = None


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
    new = [{"hash": key, "record": record} for key, record in records.items() if key not in known]
    _insert(connection, table, new)


def add_lots(connection: Connection, lots: Iterable[Lot]) -> dict[LotKey, Lot]:
    """
    Add lots that the ledger does not hold yet.

    Args:
        connection: In a writing transaction, locked.
        lots: With any id: theirs is assigned here.

    Returns:
        The lots by key, with their ids.
    """
    after = _last(connection, schema.lot)
    added = {lot.key: attrs.evolve(lot, id=after + n) for n, lot in enumerate(lots, start=1)}
    _insert(
        connection,
        schema.lot,
        [
            {
                "id": lot.id,
                "product_hash": lot.product,
                "product_id": lot.product_id,
                "revision": lot.revision,
                "number": lot.number,
                "expiry": lot.expiry,
            }
            for lot in added.values()
        ],
    )
    return added


def append(connection: Connection, head: Anchor, heading: Heading, entries: Sequence[Entry]) -> Anchor:
    """
    Append one movement, and keep what the ledger adds up to.

    Args:
        connection: In a writing transaction, locked.
        head: What `lock` returned.
        heading: What the movement says as a whole.
        entries: Its lines.

    Returns:
        The new head.
    """
    remarks = {
        number: Remark(secrets.token_hex(16), entry.remark)
        for number, entry in enumerate(entries, start=1)
        if entry.remark is not None
    }
    movement = MovementFacts(
        seq=head.seq + 1,
        previous=head.hash,
        lines=tuple(
            _facts(number, entry, remarks.get(number)) for number, entry in enumerate(entries, start=1)
        ),
        **attrs.asdict(heading),
    )
    anchor = Anchor(movement.seq, movement_hash(movement))
    places = _places(connection, {entry.location for entry in entries})
    _write(connection, movement, anchor, entries, places, remarks)
    _carry(connection, movement, entries, places)
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


def _facts(number: int, entry: Entry, remark: Remark | None) -> LineFacts:
    return LineFacts(
        line=number,
        product=entry.lot.product,
        product_id=entry.lot.product_id,
        revision=entry.lot.revision,
        lot=entry.lot.number,
        expiry=entry.lot.expiry,
        location=entry.location,
        containers=entry.containers,
        supplier=entry.supplier,
        unit_cost=entry.unit_cost,
        currency=entry.currency,
        remark=remark_hash(remark) if remark is not None else None,
    )


def _write(
    connection: Connection,
    movement: MovementFacts,
    anchor: Anchor,
    entries: Sequence[Entry],
    places: Mapping[str, int],
    remarks: Mapping[int, Remark],
) -> None:
    _insert(
        connection,
        schema.movement_line,
        [
            {
                "movement": movement.seq,
                "line": line.line,
                "lot": entry.lot.id,
                "location": places[line.location],
                "containers": line.containers,
                "supplier": line.supplier,
                "unit_cost": line.unit_cost,
                "currency": line.currency,
                "remark_hash": line.remark,
            }
            for line, entry in zip(movement.lines, entries, strict=True)
        ],
    )
    _insert(
        connection,
        schema.remark,
        [
            {"movement": movement.seq, "line": number, "salt": remark.salt, "text": remark.text}
            for number, remark in remarks.items()
        ],
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
            previous_hash=movement.previous,
            hash=anchor.hash,
        )
    )


def _carry(
    connection: Connection, movement: MovementFacts, entries: Sequence[Entry], places: Mapping[str, int]
) -> None:
    """Bring balances and lot states up to the movement."""
    lots = sorted({entry.lot.id for entry in entries})
    balances: dict[tuple[int, int], int] = {}
    states: dict[int, LotState] = {}
    for batch in batches(lots):
        for row in connection.execute(select(schema.balance).where(schema.balance.c.lot.in_(batch))):
            balances[row.lot, row.location] = row.containers
        for row in connection.execute(select(schema.lot_state).where(schema.lot_state.c.lot.in_(batch))):
            states[row.lot] = LotState(row.expiry, row.received_at, row.supplier, row.unit_cost, row.currency)
    known_balances, known_states = dict(balances), dict(states)
    for line, entry in zip(movement.lines, entries, strict=True):
        key = entry.lot.id, places[entry.location]
        balances[key] = balances.get(key, 0) + entry.containers
        states[entry.lot.id] = state_after(states.get(entry.lot.id), movement, line)
    _keep(
        connection,
        schema.balance,
        {key: {"containers": containers} for key, containers in balances.items()},
        {key: {"containers": containers} for key, containers in known_balances.items()},
    )
    _keep(
        connection,
        schema.lot_state,
        {(key,): attrs.asdict(state) for key, state in states.items()},
        {(key,): attrs.asdict(state) for key, state in known_states.items()},
    )


def _keep(
    connection: Connection,
    table: Table,
    now: Mapping[tuple[int, ...], Mapping[str, Any]],
    before: Mapping[tuple[int, ...], Mapping[str, Any]],
) -> None:
    keys = list(table.primary_key.columns)
    new, changed = [], []
    for key, values in now.items():
        if key not in before:
            new.append({**{column.name: part for column, part in zip(keys, key, strict=True)}, **values})
        elif before[key] != values:
            changed.append({**{f"at_{n}": part for n, part in enumerate(key)}, **values})
    _insert(connection, table, new)
    if changed:
        at = [column == bindparam(f"at_{n}") for n, column in enumerate(keys)]
        values = {name: bindparam(name) for name in next(iter(now.values()))}
        connection.execute(update(table).where(*at).values(values), changed)


def _places(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    table = schema.location
    wanted = sorted(names)
    known = _known(connection, table, "name", "id", wanted)
    new = [name for name in wanted if name not in known]
    if new:
        after = _last(connection, table)
        ids = {name: after + n for n, name in enumerate(new, start=1)}
        _insert(connection, table, [{"id": id_, "name": name} for name, id_ in ids.items()])
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


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)
