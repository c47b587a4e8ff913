"""What was recorded of a period, read without holding all of it in memory."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from datetime import date

import attrs
from sqlalchemy import ColumnElement, func, select

from mesoformula.clock import day_end, day_start
from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.records import Movement
from mesoformula.stock.views.history import read_movements

#: How many numbers of movements are fetched at once.
_AT_ONCE = 10_000


@attrs.frozen
class Period:
    """
    Movements of some days.

    Attributes:
        store: The stock.
        since: The first day on which they happened, at the site; None means from the start.
        until: The last such day; None means to the end.
        through: Number of the last movement that counts, so that what is recorded meanwhile does not.
    """

    store: Store
    since: date | None
    until: date | None
    through: int

    def count_lines(self) -> int:
        """
        Count what there is to show.

        Returns:
            The lines of all its movements; one that has none counts for one.
        """
        table, line = schema.movement, schema.movement_line
        both = table.outerjoin(line, line.c.movement == table.c.seq)
        with self.store.reading() as connection:
            if connection is None:
                return 0
            query = select(func.count()).select_from(both).where(*self._conditions())
            return int(connection.execute(query).scalar_one())

    def read(self) -> Iterator[Movement]:
        """
        Read its movements, some at a time.

        Yields:
            Movements in the order of recording, as they stood when the last one was recorded.

        Raises:
            LedgerError: If a product record in it cannot be read.
        """
        for batch in batches(self._numbers()):
            # No transaction stays open while somebody takes the movements at leisure.
            with self.store.reading() as connection:
                found = read_movements(self.store, connection, batch) if connection is not None else ()
            for one in found:
                later = one.reversed_by is not None and one.reversed_by > self.through
                yield attrs.evolve(one, reversed_by=None) if later else one

    def _numbers(self) -> array[int]:
        """List the movements: eight bytes each."""
        number = schema.movement.c.seq
        query = select(number).where(*self._conditions()).order_by(number)
        with self.store.reading() as connection:
            if connection is None:
                return array("q")
            rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
            return array("q", rows.scalars())

    def _conditions(self) -> Iterator[ColumnElement[bool]]:
        table, zone = schema.movement, self.store.zone
        yield table.c.seq <= self.through
        if self.since is not None:
            yield table.c.effective_at >= from_moment(day_start(self.since, zone))
        if self.until is not None:
            yield table.c.effective_at < from_moment(day_end(self.until, zone))


def period(store: Store, since: date | None, until: date | None, through: int) -> Period:
    """
    Choose the movements of some days.

    Args:
        store: The stock.
        since: The first day, at the site; None means from the start.
        until: The last day; None means to the end.
        through: Number of the last movement that counts.

    Returns:
        What counts and reads them.

    Raises:
        OrderError: If it ends before it begins.
    """
    if since is not None and until is not None and since > until:
        raise OrderError([Problem("since", f"the period from {since} to {until} ends before it begins")])
    return Period(store, since, until, through)


def last_suppliers(store: Store, products: Collection[str]) -> dict[str, str]:
    """
    Find out who delivered products last.

    Args:
        store: The stock.
        products: Their ids, `vendor/sku`.

    Returns:
        Suppliers by product id; a product that nobody is known to have delivered is left out.
    """
    line, lot = schema.movement_line, schema.lot
    found: dict[str, str] = {}
    with store.reading() as connection:
        if connection is None:
            return found
        for batch in batches(sorted(products)):
            latest = (
                select(lot.c.product_id, func.max(line.c.movement).label("movement"))
                .select_from(line)
                .join(lot, lot.c.id == line.c.lot)
                .where(line.c.supplier.is_not(None), lot.c.product_id.in_(batch))
                .group_by(lot.c.product_id)
                .subquery()
            )
            rows = connection.execute(
                select(latest.c.product_id, func.max(line.c.supplier))
                .select_from(latest)
                .join(line, line.c.movement == latest.c.movement)
                .join(lot, lot.c.id == line.c.lot)
                .where(line.c.supplier.is_not(None), lot.c.product_id == latest.c.product_id)
                .group_by(latest.c.product_id)
            )
            found.update((str(product), str(supplier)) for product, supplier in rows)
    return found
