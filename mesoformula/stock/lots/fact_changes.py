"""Who changed what is known of a lot, when and why."""

from __future__ import annotations

from datetime import datetime

import attrs
from sqlalchemy import select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.tally import QUARANTINED, RECALLED
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.lots import check_lot
from mesoformula.stock.records import LotFact

_FACTS = (*(fact.value for fact in LotFact), QUARANTINED, RECALLED)


@attrs.frozen
class FactChange:
    """
    A change of what is known of a lot.

    Attributes:
        movement: Number of the movement.
        effective_at: From when it holds, in UTC.
        recorded_at: When it was recorded, in UTC.
        actor: Who recorded it.
        fact: `expiry`, `assay`, `cost`, `remark`, `quarantined` or `recalled`.
        old: What was held before, as the ledger keeps it.
        new: What holds from then on.
        reason: Why; None if none was given or it was erased.
        remark: Of a remark: the text, unless it was erased.
        location: Of a quarantine: where; None if it holds everywhere.
        opened: Of a quarantine: the opened container.
        cause: The movement that made it necessary.
    """

    movement: int
    effective_at: datetime
    recorded_at: datetime
    actor: str
    fact: str
    old: str | None
    new: str | None
    reason: str | None = None
    remark: str | None = None
    location: str | None = None
    opened: int | None = None
    cause: int | None = None


def fact_history(store: Store, product: str, lot: str) -> tuple[FactChange, ...]:
    """
    List every change of what is known of a lot.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.

    Returns:
        The changes, in the order in which they were recorded.

    Raises:
        OrderError: If there is no such lot.
        StockError: If the store cannot be read.
    """
    line, movement, place, remark = (
        schema.movement_line,
        schema.movement,
        schema.location,
        schema.remark,
    )
    why = remark.alias("why")
    problems: list[Problem] = []
    name, number = check_lot(problems, product, lot)
    if problems:
        raise OrderError(problems)
    with store.reading() as connection:
        found = find_lot(connection, name, number)
        if connection is None:
            return ()
        rows = connection.execute(
            select(
                movement.c.seq,
                movement.c.effective_at,
                movement.c.recorded_at,
                movement.c.actor,
                movement.c.cause,
                line.c.fact,
                line.c.old,
                line.c.new,
                line.c.opened,
                place.c.name,
                why.c.text.label("reason"),
                remark.c.text,
            )
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .outerjoin(place, place.c.id == line.c.location)
            .outerjoin(why, (why.c.movement == movement.c.seq) & (why.c.line == 0))
            .outerjoin(remark, (remark.c.movement == movement.c.seq) & (remark.c.line == line.c.line))
            .where(line.c.lot == found.id, line.c.fact.in_(_FACTS))
            .order_by(movement.c.seq, line.c.line)
        ).all()
    return tuple(
        FactChange(
            movement=row.seq,
            effective_at=to_moment(row.effective_at),
            recorded_at=to_moment(row.recorded_at),
            actor=row.actor,
            fact=row.fact,
            old=row.old,
            new=row.new,
            reason=row.reason,
            remark=row.text,
            location=row.name,
            opened=row.opened,
            cause=row.cause,
        )
        for row in rows
    )
