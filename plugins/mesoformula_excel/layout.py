"""Where things stand on a sheet: widths, spans and heights, in characters and lines."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from mesoformula.sheets import Column, Holds, Sheet, Value, plain_value

#: What stands before a total that leaves out what is not known.
AT_LEAST = "≥ "

#: Lines that one row shows, within what Excel draws.
_MOST_LINES = 28
#: What text in a table stands off the edge.
INDENT = 1.2
_PADDING = 1.2
#: Lots are written in capitals, which are wider than digits.
_CAPITAL = 1.15
_WIDEST = frozenset("MWmw@%")
#: Numbers stand off the edge, and their totals are bold.
_OF_NUMBERS = 3.2
#: Characters of the text's size to one unit of width, which counts digits of the larger default size.
_DENSITY = 1.2
#: By how much digits are wider than the letters that this density is of.
_OVER = 0.2
_NARROWEST = 7.0
#: Facts and notes have at least this much room, also above a narrow table.
_PAGE = 80.0
#: From here on, facts stand in two columns.
_TWO_UP = 120.0
_SPARE_COLUMN = 13.0
#: What a person who fills in a text needs at least.
_TO_WRITE_IN = 24


def shown(value: Value, places: int = 0) -> str:
    """
    Write a value about as a cell shows it.

    Args:
        value: Any value of a sheet.
        places: Decimal places of numbers.

    Returns:
        Text, good for measuring.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return f"{value:,.{places}f}"
    return value


def breadth(text: str) -> int:
    """
    Measure a text in characters of average width.

    Args:
        text: One line or several.

    Returns:
        The breadth of its longest line; wide characters count twice, combining ones not at all.
    """
    return max((math.ceil(sum(map(_wide, line))) for line in text.split("\n")), default=0)


@cache
def _wide(char: str) -> float:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me", "Mn"):
        return 0
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 1.5 if char in _WIDEST else _CAPITAL if char.isupper() else 1


def column_widths(sheet: Sheet) -> tuple[float, ...]:
    """
    Find widths from what the columns hold, with room for facts and notes.

    Args:
        sheet: Any sheet.

    Returns:
        A width for each column, then for as many empty ones as the page needs.
    """
    widths = []
    for place, column in enumerate(sheet.columns):
        cells = [breadth(shown(plain_value(row.values[place]), column.places)) for row in sheet.rows]
        if column.total:
            total = breadth(shown(sheet.total(column.key), column.places))
            cells.append(total + len(AT_LEAST) if column.at_least else total)
        widths.append(column_width(column, cells))
    while sum(widths) < _PAGE:
        widths.append(_SPARE_COLUMN)
    return tuple(widths)


def column_width(column: Column, cells: Iterable[int]) -> float:
    """
    Find the width of a column.

    Args:
        column: Which.
        cells: The breadths of what stands in it.

    Returns:
        Enough for its widest cell and the longest word of its heading, within bounds.
    """
    content = min(max(cells, default=0), column.widest)
    if column.editable:
        content = max(content, min(column.widest, _TO_WRITE_IN if column.holds is Holds.TEXT else 0))
    padding = _OF_NUMBERS if column.holds in (Holds.WHOLE, Holds.DECIMAL) else _PADDING + INDENT
    return max(content + padding, _of_heading(column.heading), _NARROWEST)


def _of_heading(text: str) -> float:
    """Measure the longest word of a heading: the rest of it wraps."""
    return min(max((breadth(word) for word in text.split()), default=0), 40) + _PADDING + INDENT + 1


def lines(text: str, width: float) -> int:
    """
    Estimate on how many lines a text stands that wraps at spaces.

    Args:
        text: Any text.
        width: Of its cell.

    Returns:
        At least 1; rather one too many, as a reader would sooner see a gap than miss a word.
    """
    room = max(width * _DENSITY - _PADDING / 2, 1.0)
    count = 0
    for line in text.split("\n"):
        count += 1
        used = 0.0
        for word in line.split(" "):
            length = breadth(word) + _OVER * sum(map(str.isdigit, word))
            if used and used + 1 + length > room:
                count += 1
                used = 0.0
            elif used:
                used += 1
            over = math.ceil(length / room) - 1 if length > room else 0
            count += over
            used += length - over * room
    return count


def reach(widths: Sequence[float], start: int, needed: float) -> int:
    """
    Find how far a text reaches.

    Args:
        widths: Of all columns.
        start: The first column, counted from 0.
        needed: The width that it takes.

    Returns:
        The last column, the last of all if there is no room.
    """
    room = 0.0
    for place in range(start, len(widths)):
        room += widths[place]
        if room >= needed:
            return place
    return len(widths) - 1


def halves(widths: Sequence[float]) -> tuple[tuple[int, int], ...]:
    """
    Divide a page for facts.

    Args:
        widths: Of all columns.

    Returns:
        First and last column of one or two blocks.
    """
    last = len(widths) - 1
    middle = reach(widths, 0, sum(widths) / 2) + 1
    if sum(widths) < _TWO_UP or middle < 2 or last - middle < 1:
        return ((0, last),)
    return ((0, middle - 1), (middle, last))


def pieces(text: str, width: float) -> tuple[str, ...]:
    """
    Divide a text that is longer than one row can show.

    Args:
        text: Any.
        width: Of its cell.

    Returns:
        The text, or its parts between words.
    """
    if lines(text, width) <= _MOST_LINES:
        return (text,)
    found = [""]
    for word in text.split(" "):
        longer = f"{found[-1]} {word}" if found[-1] else word
        if found[-1] and lines(longer, width) > _MOST_LINES:
            found.append(word)
        else:
            found[-1] = longer
    return tuple(found)
