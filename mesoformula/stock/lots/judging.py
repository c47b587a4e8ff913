"""Whether a lot may be used at a moment, by what was known to hold then."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

import attrs
from sqlalchemy import Connection, select

from mesoformula.clock import site_day
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.tally import QUARANTINED, RECALLED, YES
from mesoformula.stock.records import Deviation, LotFact
from mesoformula.stock.views.lineage import lots_in

_FACTS = (LotFact.EXPIRY.value, QUARANTINED, RECALLED)


@attrs.frozen
class Condition:
    """
    What stands for or against a lot in one place, or an opened container of it.

    Attributes:
        expiry: The last day on which it may be used; None if none is printed.
        quarantined: Whether it is kept apart.
        recalled: Whether it is recalled.
        beyond_use_at: Of an opened container: when it must be gone, in microseconds since 1970.
    """

    expiry: date | None = None
    quarantined: bool = False
    recalled: bool = False
    beyond_use_at: int | None = None


def condition_of(
    connection: Connection, lot: int, location: int | None, at: int, *, opened: int | None = None
) -> Condition:
    """
    Work out what held for a lot at a moment, whenever it was recorded.

    Args:
        connection: In a transaction.
        lot: Number of the lot.
        location: Number of the place; None leaves out what holds in one place only.
        at: The moment, in microseconds since 1970.
        opened: Number of an opened container of it.

    Returns:
        The condition, without a beyond-use moment.
    """
    line, movement, table = schema.movement_line, schema.movement, schema.lot
    expiry = connection.execute(select(table.c.expiry).where(table.c.id == lot)).scalar_one()
    rows = connection.execute(
        select(line.c.fact, line.c.new, line.c.location, line.c.opened)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(line.c.lot == lot, line.c.fact.in_(_FACTS), movement.c.effective_at <= at)
        .order_by(movement.c.effective_at, movement.c.seq, line.c.line)
    )
    held: dict[tuple[int | None, int | None], bool] = {}
    recalled = False
    for row in rows:
        if row.fact == LotFact.EXPIRY.value:
            expiry = row.new
        elif row.fact == RECALLED:
            recalled = row.new == YES
        else:
            # What is said of an opened container is not said of the whole ones beside it.
            held[None if row.opened is not None else row.location, row.opened] = row.new == YES
    keys = {(None, None), (location, None) if opened is None else (None, opened)}
    return Condition(
        expiry=date.fromisoformat(expiry) if expiry is not None else None,
        quarantined=any(held.get(key, False) for key in keys),
        recalled=recalled,
    )


def condition_of_opened(connection: Connection, number: int, at: int) -> Condition:
    """
    Work out what held for an opened container, or for everything in a mixture, at a moment.

    Args:
        connection: In a transaction.
        number: Of the opened container or mixture.
        at: The moment, in microseconds since 1970.

    Returns:
        The condition: the earliest expiry, and whether any lot in it is kept apart or recalled.
    """
    table, line, movement = schema.opened, schema.movement_line, schema.movement
    beyond = connection.execute(select(table.c.beyond_use_at).where(table.c.id == number)).scalar_one()
    lots = sorted(lots_in(connection, [number])[number])
    all_of_it = [condition_of(connection, lot, None, at, opened=number) for lot in lots]
    # A mixture has no lot, so that a line about it is found by its number only.
    said = connection.execute(
        select(line.c.new)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(line.c.opened == number, line.c.fact == QUARANTINED, movement.c.effective_at <= at)
        .order_by(movement.c.effective_at.desc(), movement.c.seq.desc())
        .limit(1)
    ).scalar_one_or_none()
    return Condition(
        expiry=min((one.expiry for one in all_of_it if one.expiry is not None), default=None),
        quarantined=said == YES or any(one.quarantined for one in all_of_it),
        recalled=any(one.recalled for one in all_of_it),
        beyond_use_at=beyond,
    )


def deviations_of(store: Store, condition: Condition, at: int) -> tuple[Deviation, ...]:
    """
    Say why a lot may not be used at a moment: through its expiry day it may, at the site.

    Args:
        store: Knows the site's time zone.
        condition: Of the lot then.
        at: The moment, in microseconds since 1970.

    Returns:
        Nothing if it may.
    """
    found = []
    if condition.expiry is not None and site_day(to_moment(at), store.zone) > condition.expiry:
        found.append(Deviation.EXPIRED)
    if condition.quarantined:
        found.append(Deviation.QUARANTINED)
    if condition.recalled:
        found.append(Deviation.RECALLED)
    if condition.beyond_use_at is not None and at >= condition.beyond_use_at:
        found.append(Deviation.BEYOND_USE)
    return tuple(found)


def since_recalled(then: Condition, now: Condition) -> bool:
    """
    Tell whether a recall came after something that is recorded late.

    Args:
        then: The condition when it happened.
        now: The condition now.

    Returns:
        True if it has to be looked into.
    """
    return now.recalled and not then.recalled


#: What each deviation is called where it stands against something.
SAID = {
    Deviation.EXPIRED: "expired",
    Deviation.QUARANTINED: "quarantined",
    Deviation.RECALLED: "recalled",
    Deviation.BEYOND_USE: "past its beyond-use date",
    Deviation.RESERVED: "reserved for another session",
    Deviation.SHARED: "opened for another session, and single-dose containers are never shared",
    Deviation.RECALLED_SINCE: "recalled since",
}


def codes_of(deviations: Collection[Deviation]) -> str | None:
    """
    Write deviations as a line keeps them.

    Args:
        deviations: Any.

    Returns:
        Codes with blanks between them; None if there are none.
    """
    return " ".join(sorted(one.value for one in deviations)) or None


def said_of(deviations: Iterable[Deviation]) -> str:
    """
    Say deviations in words.

    Args:
        deviations: At least one.

    Returns:
        Such as `expired and recalled`.
    """
    return " and ".join(SAID[one] for one in deviations)
