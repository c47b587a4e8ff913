"""Which movement a request id stands for."""

from __future__ import annotations

from sqlalchemy import func, select

from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.records import Anchor, Receipt


def recorded(store: Store, request_id: str) -> Receipt | None:
    """
    Find what a request did, whoever made it and why.

    Args:
        store: The stock.
        request_id: Of the request.

    Returns:
        The movement, with the chain after all that came with it; None if there is none yet.
    """
    table = schema.movement
    with store.reading() as connection:
        if connection is None:
            return None
        number = connection.execute(
            select(table.c.seq).where(table.c.request_id == request_id)
        ).scalar_one_or_none()
        if number is None:
            return None
        caused = select(func.max(table.c.seq)).where(table.c.cause == number)
        last = max(int(number), int(connection.execute(caused).scalar_one_or_none() or 0))
        head = connection.execute(select(table.c.hash).where(table.c.seq == last)).scalar_one()
    return Receipt(int(number), Anchor(last, head), repeated=True)
