"""What was recorded, read back as it stands in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from mesoformula.stock import schema
from mesoformula.stock.appending import batches
from mesoformula.stock.moments import to_moment
from mesoformula.stock.reading import read_product
from mesoformula.stock.records import Anchor, Deviation, Movement, MovementKind, MovementLine
from mesoformula.stock.store import Store


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
