"""Movements read back in the form in which they are hashed and added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import attrs
from sqlalchemy import Connection, Select, select

from mesoformula.stock.database import schema
from mesoformula.stock.ledger.chain import LINE_FACTS, LineFacts, MovementFacts

# Rows fetched at a time: a ledger of any length goes through memory of one size.
_AT_ONCE = 2_000

# What a fact of a line or of a movement is called among the columns that it is read from.
_CALLED = {
    "product": "product_hash",
    "lot": "number",
    "location": "name",
    "remark": "remark_hash",
    "previous": "previous_hash",
    "request": "request_id",
    "reason": "reason_hash",
}
_NAMED = (
    schema.lot.c.product_hash,
    schema.lot.c.product_id,
    schema.lot.c.revision,
    schema.lot.c.number,
    schema.lot.c.expiry,
    schema.location.c.name,
)


def _order(facts: Sequence[str], columns: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Pick the facts out of a row, in their own order: by number, which takes half as long as by name."""
    places = list(columns)
    # Among the columns of a line, the names of its lot and place stand behind their numbers.
    return itemgetter(*(len(places) - 1 - places[::-1].index(_CALLED.get(one, one)) for one in facts))


_MOVEMENT_FACTS = tuple(field.name for field in attrs.fields(MovementFacts) if field.name != "lines")
_line_values = _order(LINE_FACTS, (*schema.movement_line.c.keys(), *(column.key for column in _NAMED)))
_movement_values = _order(_MOVEMENT_FACTS, schema.movement.c.keys())
_LINES_AT = [field.name for field in attrs.fields(MovementFacts)].index("lines")


def streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """
    Read rows without holding them all.

    Args:
        connection: In a transaction.
        query: Of them.

    Yields:
        Rows.
    """
    yield from connection.execute(query, execution_options={"yield_per": _AT_ONCE})


def lines_query() -> Select[Any]:
    """
    Write the query for lines with the names of their lots and places.

    Returns:
        Lines in the order of recording.
    """
    line, lot, place = schema.movement_line, schema.lot, schema.location
    return (
        select(line, *_NAMED)
        .select_from(line)
        .outerjoin(lot, lot.c.id == line.c.lot)
        .outerjoin(place, place.c.id == line.c.location)
        .order_by(line.c.movement, line.c.line)
    )


def grouped(rows: Iterator[Any]) -> Iterator[tuple[int, list[Any]]]:
    """
    Put the lines of each movement together.

    Args:
        rows: Of `lines_query`.

    Yields:
        Number of the movement, and its lines.
    """
    for seq, group in groupby(rows, key=lambda row: int(row.movement)):
        yield seq, list(group)


def line_facts(row: Any) -> LineFacts:
    """
    Bring a line to the form in which it is hashed.

    Args:
        row: Of `lines_query`.

    Returns:
        All that it says.
    """
    return LineFacts(*_line_values(row))


def movement_facts(row: Any, lines: tuple[LineFacts, ...]) -> MovementFacts:
    """
    Bring a movement to the form in which it is hashed.

    Args:
        row: Of the table of movements.
        lines: Its lines.

    Returns:
        All that it says.
    """
    values: list[Any] = list(_movement_values(row))
    values.insert(_LINES_AT, lines)
    return MovementFacts(*values)
