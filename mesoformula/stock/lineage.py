"""What went into what: lots, opened containers of them, mixtures, and mixtures of mixtures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import TypeAlias

from sqlalchemy import Connection, and_, select

from mesoformula.stock import schema
from mesoformula.stock.appending import batches
from mesoformula.stock.records import MovementKind

#: Numbers of opened containers and mixtures, from the first one that a lot went into to the last.
Path: TypeAlias = tuple[int, ...]

_MIX = MovementKind.MIX.value


def lots_in(connection: Connection, numbers: Iterable[int]) -> dict[int, frozenset[int]]:
    """
    Find every lot that went into opened containers and mixtures, through mixtures of mixtures.

    Args:
        connection: In a transaction.
        numbers: Of opened containers and mixtures.

    Returns:
        Numbers of lots by number.
    """
    return {number: frozenset(found) for number, found in ways_into(connection, numbers).items()}


def ways_into(connection: Connection, numbers: Iterable[int]) -> dict[int, dict[int, Path]]:
    """
    Find every lot that went into opened containers and mixtures, and through which others.

    Args:
        connection: In a transaction.
        numbers: Of opened containers and mixtures.

    Returns:
        By number: its lots, each with the way from there, which ends with the number itself.
    """
    wanted = list(dict.fromkeys(numbers))
    lots, parts = _parts(connection, wanted)
    found: dict[int, dict[int, Path]] = {}
    for number in wanted:
        ways: dict[int, Path] = {}
        seen = {number}
        todo: list[Path] = [(number,)]
        for way in todo:  # grows meanwhile, so that the shortest way comes first
            for lot in lots[way[0]]:
                ways.setdefault(lot, way)
            for part in parts[way[0]]:
                if part not in seen:
                    seen.add(part)
                    todo.append((part, *way))
        found[number] = ways
    return found


def _parts(
    connection: Connection, numbers: Collection[int]
) -> tuple[dict[int, dict[int, None]], dict[int, dict[int, None]]]:
    """Read what was put into opened containers and mixtures: lots, and other opened ones."""
    table, line = schema.opened, schema.movement_line
    lots: dict[int, dict[int, None]] = defaultdict(dict)
    parts: dict[int, dict[int, None]] = defaultdict(dict)
    seen = set(numbers)
    todo = list(numbers)
    while todo:
        found: dict[int, None] = {}
        for batch in batches(todo):
            rows = connection.execute(
                select(table.c.id, table.c.lot, line.c.lot, line.c.opened)
                .select_from(table)
                .outerjoin(line, and_(line.c.movement == table.c.movement, table.c.lot.is_(None)))
                .where(table.c.id.in_(batch))
            )
            for number, lot, part_lot, part in rows:
                if lot is not None:
                    lots[number][lot] = None
                elif part is None and part_lot is not None:
                    lots[number][part_lot] = None
                elif part is not None and part != number:
                    parts[number][part] = None
                    found[part] = None
        todo = [part for part in found if part not in seen]
        seen.update(todo)
    return lots, parts


def ways_from(connection: Connection, lots: Collection[int]) -> dict[int, dict[int, Path]]:
    """
    Find every opened container and mixture that lots went into, through mixtures of mixtures.

    Args:
        connection: In a transaction.
        lots: Numbers of lots.

    Returns:
        By number of the opened container or mixture: the lots in it, each with the way from there, which
        ends with the number itself.
    """
    table, line, movement = schema.opened, schema.movement_line, schema.movement
    found: dict[int, dict[int, Path]] = defaultdict(dict)
    mixed: list[tuple[int, int, Path]] = []
    for batch in batches(lots):
        for number, lot in connection.execute(
            select(table.c.id, table.c.lot).where(table.c.lot.in_(batch)).order_by(table.c.id)
        ):
            found[number][lot] = (number,)
        whole = (
            select(line.c.movement, line.c.lot)
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .where(line.c.lot.in_(batch), line.c.opened.is_(None), movement.c.kind == _MIX)
        )
        mixed += [(seq, lot, ()) for seq, lot in connection.execute(whole)]
    new = {number: dict(ways) for number, ways in found.items()}
    while new or mixed:
        mixed += _mixed(connection, new)
        made = _made(connection, {seq for seq, _lot, _way in mixed})
        new = defaultdict(dict)
        for seq, lot, way in mixed:
            for number in made.get(seq, ()):
                if number not in way and lot not in found[number]:
                    found[number][lot] = new[number][lot] = (*way, number)
        mixed = []
    return dict(found)


def _mixed(connection: Connection, new: dict[int, dict[int, Path]]) -> list[tuple[int, int, Path]]:
    """Find the mixings that drew on opened containers and mixtures."""
    line, movement = schema.movement_line, schema.movement
    result = []
    for batch in batches(new):
        rows = connection.execute(
            select(line.c.movement, line.c.opened)
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .where(line.c.opened.in_(batch), movement.c.kind == _MIX)
        )
        result += [(seq, lot, way) for seq, number in rows for lot, way in new[number].items()]
    return result


def _made(connection: Connection, movements: Collection[int]) -> dict[int, list[int]]:
    """Tell which mixtures mixings made."""
    table, line = schema.opened, schema.movement_line
    result: dict[int, list[int]] = defaultdict(list)
    for batch in batches(sorted(movements)):
        rows = connection.execute(
            select(line.c.movement, table.c.id)
            .select_from(line)
            .join(table, and_(table.c.id == line.c.opened, table.c.movement == line.c.movement))
            .where(line.c.movement.in_(batch), table.c.lot.is_(None))
        )
        for seq, number in rows:
            result[seq].append(number)
    return result
