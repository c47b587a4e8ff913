"""What was recorded, read back as it stands in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Connection, func, select, union

from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.records import Anchor, Deviation, Movement, MovementKind, MovementLine
from mesoformula.stock.views.lineage import ways_from
from mesoformula.stock.views.reading import read_product
from mesoformula.words import nearest

_BACK = schema.movement.alias("back")
#: What is read of a movement, in order: last, what takes it back.
_HEAD = (
    schema.movement.c.seq,
    schema.movement.c.kind,
    schema.movement.c.effective_at,
    schema.movement.c.recorded_at,
    schema.movement.c.actor,
    schema.movement.c.hash,
    schema.movement.c.session,
    schema.movement.c.pick,
    schema.movement.c.reverses,
    schema.movement.c.cause,
    schema.movement.c.lapses_at,
    schema.movement.c.request_id,
    _BACK.c.seq,
)
#: What is read of a line, in order: its movement first.
_LINE = (
    schema.movement_line.c.movement,
    schema.movement_line.c.line,
    schema.lot.c.product_hash,
    schema.lot.c.number,
    schema.location.c.name,
    *(
        schema.movement_line.c[name]
        for name in (
            "containers",
            "opened",
            "nanolitres",
            "nanograms",
            "becomes",
            "reserved",
            "reserved_nanolitres",
            "counted",
            "device",
            "serial",
            "supplier",
            "unit_cost",
            "currency",
            "subject",
            "fact",
            "old",
            "new",
            "beyond_use_at",
            "rule",
            "deviation",
        )
    ),
)


def read_movements(store: Store, connection: Connection, numbers: Iterable[int]) -> tuple[Movement, ...]:
    """
    Read movements back.

    Args:
        store: The stock.
        connection: In a transaction.
        numbers: Of movements; those that there are none of are left out.

    Returns:
        The movements, by number.

    Raises:
        LedgerError: If a product record in it cannot be read.
    """
    found: list[Movement] = []
    for batch in batches(sorted(set(numbers))):
        found.extend(_read(store, connection, batch))
    return tuple(found)


def movements_of(store: Store, numbers: Iterable[int]) -> tuple[Movement, ...]:
    """
    Read movements back, from a stock that is not being written to.

    Args:
        store: The stock.
        numbers: Of movements.

    Returns:
        The movements, by number; none if there is no stock yet.
    """
    with store.reading() as connection:
        return () if connection is None else read_movements(store, connection, numbers)


def _read(store: Store, connection: Connection, numbers: list[int]) -> list[Movement]:
    table, line, remark = schema.movement, schema.movement_line, schema.remark
    lot, place = schema.lot, schema.location
    texts = {
        (row.movement, row.line): row.text
        for row in connection.execute(select(remark).where(remark.c.movement.in_(numbers)))
    }
    lines: dict[int, list[MovementLine]] = {}
    rows = connection.execute(
        select(*_LINE)
        .select_from(line)
        .outerjoin(lot, lot.c.id == line.c.lot)
        .outerjoin(place, place.c.id == line.c.location)
        .where(line.c.movement.in_(numbers))
        .order_by(line.c.movement, line.c.line)
    ).all()
    for seq, group in groupby(rows, key=itemgetter(0)):
        lines[seq] = [_line(store, connection, row, texts.get((seq, row[1]))) for row in group]
    heads = connection.execute(
        select(*_HEAD)
        .select_from(table)
        .outerjoin(_BACK, _BACK.c.reverses == table.c.seq)
        .where(table.c.seq.in_(numbers))
        .order_by(table.c.seq)
    ).all()
    # In the order of the attributes, as with the lines.
    return [
        Movement(
            seq,
            MovementKind(kind),
            to_moment(effective_at),
            to_moment(recorded_at),
            actor,
            Anchor(seq, hash_),
            tuple(lines.get(seq, ())),
            session,
            pick,
            reverses,
            cause,
            None if lapses_at is None else to_moment(lapses_at),
            texts.get((seq, 0)),
            request_id,
            reversed_by,
        )
        for (
            seq,
            kind,
            effective_at,
            recorded_at,
            actor,
            hash_,
            session,
            pick,
            reverses,
            cause,
            lapses_at,
            request_id,
            reversed_by,
        ) in heads
    ]


def _line(store: Store, connection: Connection, row: Sequence[Any], remark: str | None) -> MovementLine:
    _movement, number, product, *known, beyond_use_at, rule, deviation = row
    (
        lot,
        place,
        containers,
        opened,
        nanolitres,
        nanograms,
        becomes,
        reserved,
        reserved_nanolitres,
        counted,
        device,
        serial,
        supplier,
        unit_cost,
        currency,
        subject,
        fact,
        old,
        new,
    ) = known
    # In the order of the attributes: a long history is made of a million of these.
    return MovementLine(
        number,
        None if product is None else store.products.get(product) or read_product(store, connection, product),
        lot,
        place,
        containers,
        opened,
        nanolitres,
        nanograms,
        becomes,
        None if beyond_use_at is None else to_moment(beyond_use_at),
        rule,
        reserved,
        reserved_nanolitres,
        counted,
        device,
        serial,
        supplier,
        unit_cost,
        currency,
        subject,
        fact,
        old,
        new,
        () if deviation is None else tuple(Deviation(code) for code in deviation.split()),
        remark,
    )


def products_with(connection: Connection, number: str) -> tuple[list[str], tuple[str, ...]]:
    """
    Find the products that a lot number belongs to.

    Args:
        connection: In a transaction.
        number: The maker's lot number.

    Returns:
        Product ids, and where there are none, lot numbers that come near.
    """
    table = schema.lot
    query = select(table.c.product_id).where(table.c.number == number).distinct()
    found = sorted(str(one) for one in connection.execute(query).scalars())
    if found:
        return found, ()
    rows = connection.execute(select(table.c.number).distinct().order_by(table.c.number).limit(20_000))
    known = [str(one) for one in rows.scalars()]
    return [], nearest(number, known) or tuple(known[:3])


@attrs.frozen
class Asked:
    """
    Which movements are looked for; whatever is given must hold.

    Attributes:
        lots: Numbers of lots, one of which it is about, or an opened container or mixture with it inside.
        product: `vendor/sku`, or `vendor/sku@revision`.
        reference: Of a session.
        actor: Who recorded it.
        opened: Number of an opened container or mixture.
        movement: Its number.
        since: When it happened at the earliest, with a time zone.
        until: Before when it happened, with a time zone.
    """

    lots: tuple[int, ...] = ()
    product: str | None = None
    reference: str | None = None
    actor: str | None = None
    opened: int | None = None
    movement: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@attrs.frozen
class Found:
    """
    Movements that were looked for.

    Attributes:
        movements: In the order of recording, the newest last.
        more: How many older ones were left out.
    """

    movements: tuple[Movement, ...]
    more: int = 0


def find_movements(store: Store, asked: Asked, *, limit: int | None = None) -> Found:
    """
    Find movements.

    Args:
        store: The stock; one that does not exist yet has none.
        asked: Which ones.
        limit: How many of the newest at most; None means all.

    Returns:
        The movements.

    Raises:
        LedgerError: If a product record in it cannot be read.
    """
    with store.reading() as connection:
        if connection is None:
            return Found(())
        number = schema.movement.c.seq
        where = list(_conditions(connection, asked))
        query = select(number).where(*where).order_by(number.desc())
        newest = list(connection.execute(query if limit is None else query.limit(limit)).scalars())
        more = 0
        if limit is not None and len(newest) == limit:
            counted = select(func.count()).select_from(schema.movement).where(*where)
            more = connection.execute(counted).scalar_one() - len(newest)
        return Found(read_movements(store, connection, newest), more)


def _conditions(connection: Connection, asked: Asked) -> Iterator[ColumnElement[bool]]:
    table, line, lot = schema.movement, schema.movement_line, schema.lot
    if asked.movement is not None:
        yield table.c.seq == asked.movement
    if asked.reference is not None:
        yield table.c.session == asked.reference
    if asked.actor is not None:
        yield table.c.actor == asked.actor
    if asked.since is not None:
        yield table.c.effective_at >= from_moment(asked.since)
    if asked.until is not None:
        yield table.c.effective_at < from_moment(asked.until)
    if asked.opened is not None:
        yield table.c.seq.in_(select(line.c.movement).where(line.c.opened == asked.opened))
    if asked.lots:
        inside = ways_from(connection, asked.lots)
        yield table.c.seq.in_(
            union(
                select(line.c.movement).where(line.c.lot.in_(asked.lots)),
                *(select(line.c.movement).where(line.c.opened.in_(batch)) for batch in batches(inside)),
            )
        )
    if asked.product is not None:
        name, _, revision = asked.product.partition("@")
        lots = select(lot.c.id).where(lot.c.product_id == name)
        if revision.isascii() and revision.isdigit() and len(revision) < 10:
            lots = lots.where(lot.c.revision == int(revision))
        about = select(line.c.movement).where(line.c.lot.in_(lots))
        yield table.c.seq.in_(union(about, select(line.c.movement).where(line.c.subject == name)))
