"""What went into what: lots, opened containers of them, mixtures, and mixtures of mixtures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, and_, bindparam, select

from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.records import MovementKind

#: Numbers of opened containers and mixtures, from the first one that a lot went into to the last.
Path: TypeAlias = tuple[int, ...]

# Statements are made once: to make one takes longer than to carry it out.
_line, _movement, _opened = schema.movement_line, schema.movement, schema.opened
_GIVEN: BindParameter[Any] = bindparam("given", expanding=True)
_PARTS = (
    select(_opened.c.id, _opened.c.lot, _line.c.lot, _line.c.opened)
    .select_from(_opened)
    .outerjoin(_line, and_(_line.c.movement == _opened.c.movement, _opened.c.lot.is_(None)))
    .where(_opened.c.id.in_(_GIVEN))
)
_OPENED_OF = select(_opened.c.id, _opened.c.lot).where(_opened.c.lot.in_(_GIVEN)).order_by(_opened.c.id)
_IN_MIXTURES = (
    select(_line.c.movement, _line.c.lot, _line.c.opened)
    .select_from(_line)
    .join(_movement, _movement.c.seq == _line.c.movement)
    .where(_movement.c.kind == MovementKind.MIX.value)
)
_MIXED_WHOLE = _IN_MIXTURES.where(_line.c.lot.in_(_GIVEN), _line.c.opened.is_(None))
_MIXED_PARTS = _IN_MIXTURES.where(_line.c.opened.in_(_GIVEN))
_MADE = (
    select(_line.c.movement, _opened.c.id)
    .select_from(_line)
    .join(_opened, and_(_opened.c.id == _line.c.opened, _opened.c.movement == _line.c.movement))
    .where(_line.c.movement.in_(_GIVEN), _opened.c.lot.is_(None))
)


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
    lots: dict[int, dict[int, None]] = defaultdict(dict)
    parts: dict[int, dict[int, None]] = defaultdict(dict)
    seen = set(numbers)
    todo = list(numbers)
    while todo:
        found: dict[int, None] = {}
        for batch in batches(todo):
            for number, lot, part_lot, part in connection.execute(_PARTS, {"given": batch}):
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
    found: dict[int, dict[int, Path]] = defaultdict(dict)
    mixed: list[tuple[int, int, Path]] = []
    for batch in batches(lots):
        for number, lot in connection.execute(_OPENED_OF, {"given": batch}):
            found[number][lot] = (number,)
        mixed += [(seq, lot, ()) for seq, lot, _none in connection.execute(_MIXED_WHOLE, {"given": batch})]
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
    result = []
    for batch in batches(new):
        rows = connection.execute(_MIXED_PARTS, {"given": batch})
        result += [(seq, lot, way) for seq, _lot, number in rows for lot, way in new[number].items()]
    return result


def _made(connection: Connection, movements: Collection[int]) -> dict[int, list[int]]:
    """Tell which mixtures mixings made."""
    result: dict[int, list[int]] = defaultdict(list)
    for batch in batches(sorted(movements)):
        for seq, number in connection.execute(_MADE, {"given": batch}):
            result[seq].append(number)
    return result
