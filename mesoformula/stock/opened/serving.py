"""Which sessions an opened container served, directly and through mixtures made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import attrs
from sqlalchemy import Connection, select

from mesoformula.stock.database import schema
from mesoformula.stock.records import MovementKind
from mesoformula.stock.views.reading import sessions_of


@attrs.frozen
class Served:
    """
    An opened container, or one that went into it, and whom it served.

    Attributes:
        opened: Its number.
        lot: Number of its lot; None for a mixture.
        session_only: Whether it serves one session only.
        sessions: References of all sessions that got something out of it, in no order that matters.
    """

    opened: int
    lot: int | None
    session_only: bool
    sessions: tuple[str, ...]


def served_by(connection: Connection, number: int) -> tuple[Served, ...]:
    """
    Find whom an opened container served, and everything that went into it.

    What is left of a vial and a mixture made from it are one thing where two sessions must not share.

    Args:
        connection: In a transaction.
        number: Of an opened container or mixture.

    Returns:
        The container itself first, then what it was mixed from, through mixtures of mixtures.
    """
    table = schema.opened
    up = _reached(connection, number, up=True)
    below = {one: _reached(connection, one, up=False) for one in up}
    sessions = _sessions(connection, {down for found in below.values() for down in found})
    rows = {
        row.id: row
        for row in connection.execute(
            select(table.c.id, table.c.lot, table.c.beyond_use_at).where(table.c.id.in_(up))
        )
    }
    return tuple(
        Served(
            one,
            rows[one].lot,
            rows[one].beyond_use_at is None,
            tuple(dict.fromkeys(session for down in below[one] for session in sessions.get(down, ()))),
        )
        for one in up
    )


def _reached(connection: Connection, number: int, *, up: bool) -> list[int]:
    """Walk from one opened container to all that went into it, or that took from it, the nearest first."""
    found = [number]
    for one in found:  # grows meanwhile
        found += [other for other in _next(connection, one, up=up) if other not in found]
    return found


def _next(connection: Connection, number: int, *, up: bool) -> list[int]:
    """Follow the mixings that were not taken back, by one step."""
    table, line, movement = schema.opened, schema.movement_line, schema.movement
    back = movement.alias("back")
    query = (
        select(line.c.opened if up else table.c.id)
        .distinct()
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .join(table, table.c.movement == line.c.movement)
        .where(
            (table.c.id if up else line.c.opened) == number,
            movement.c.kind == MovementKind.MIX.value,
            table.c.lot.is_(None),
            line.c.opened.is_not(None),
            line.c.opened != table.c.id,
            ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
        )
    )
    return [int(one) for one in connection.execute(query).scalars()]


def _sessions(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
    """List the sessions of each, the one that it was opened or mixed for included."""
    table, movement = schema.opened, schema.movement
    found: dict[int, dict[str, None]] = defaultdict(dict)
    rows = connection.execute(
        select(table.c.id, movement.c.session)
        .select_from(table)
        .join(movement, movement.c.seq == table.c.movement)
        .where(table.c.id.in_(list(numbers)), movement.c.session.is_not(None))
    )
    for row in rows:
        found[row.id][row.session] = None
    for number, sessions in sessions_of(connection, numbers).items():
        found[number].update(dict.fromkeys(sessions))
    return {number: tuple(sessions) for number, sessions in found.items()}
