"""What was recorded, read back as it stands in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
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
        select(line, lot.c.product_hash, lot.c.number, place.c.name.label("place"))
        .select_from(line)
        .outerjoin(lot, lot.c.id == line.c.lot)
        .outerjoin(place, place.c.id == line.c.location)
        .where(line.c.movement.in_(numbers))
        .order_by(line.c.movement, line.c.line)
    ).all()
    for seq, group in groupby(rows, key=lambda row: int(row.movement)):
        lines[seq] = [_line(store, connection, row, texts.get((seq, row.line))) for row in group]
    back = table.alias("back")
    heads = connection.execute(
        select(table, back.c.seq.label("reversed_by"))
        .select_from(table)
        .outerjoin(back, back.c.reverses == table.c.seq)
        .where(table.c.seq.in_(numbers))
        .order_by(table.c.seq)
    ).all()
    return [
        Movement(
            seq=row.seq,
            kind=MovementKind(row.kind),
            effective_at=to_moment(row.effective_at),
            recorded_at=to_moment(row.recorded_at),
            actor=row.actor,
            anchor=Anchor(row.seq, row.hash),
            lines=tuple(lines.get(row.seq, ())),
            session=row.session,
            pick=row.pick,
            reverses=row.reverses,
            cause=row.cause,
            lapses_at=to_moment(row.lapses_at) if row.lapses_at is not None else None,
            reason=texts.get((row.seq, 0)),
            request_id=row.request_id,
            reversed_by=row.reversed_by,
        )
        for row in heads
    ]


def _line(store: Store, connection: Connection, row: Any, remark: str | None) -> MovementLine:
    return MovementLine(
        line=row.line,
        product=read_product(store, connection, row.product_hash) if row.lot is not None else None,
        lot=row.number,
        location=row.place,
        containers=row.containers,
        opened=row.opened,
        nanolitres=row.nanolitres,
        nanograms=row.nanograms,
        becomes=row.becomes,
        beyond_use_at=to_moment(row.beyond_use_at) if row.beyond_use_at is not None else None,
        rule=row.rule,
        reserved=row.reserved,
        reserved_nanolitres=row.reserved_nanolitres,
        counted=row.counted,
        device=row.device,
        serial=row.serial,
        supplier=row.supplier,
        unit_cost=row.unit_cost,
        currency=row.currency,
        subject=row.subject,
        fact=row.fact,
        old=row.old,
        new=row.new,
        deviations=tuple(Deviation(code) for code in (row.deviation or "").split()),
        remark=remark,
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
