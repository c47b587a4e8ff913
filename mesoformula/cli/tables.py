"""
Tables of text that fit a terminal.

A library for this takes longer to import than a session takes to work out, which is why these few lines
exist.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

_GAP = "  "


def cells_wide(text: str) -> int:
    """
    Count the terminal cells that a text takes.

    Args:
        text: One line.

    Returns:
        2 for each wide character, 0 for each that stands on another, else 1.
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    right: Collection[int] = (),
    whole: Collection[int] = (),
) -> str:
    """
    Lay out a table.

    Args:
        headings: Of the columns.
        rows: Cells, left to right; every character prints, but for line breaks.
        width: Terminal cells that a line may take.
        right: Columns to align at the right, from 0; they never wrap.
        whole: Columns that never wrap.

    Returns:
        Lines joined by line breaks; columns that are too wide together wrap at words.
    """
    widths = _widths(headings, rows, width, {*right, *whole})
    lines = [_line([[heading] for heading in _fit(headings, widths)], widths, right)]
    lines.append("─" * min(width, sum(widths) + len(_GAP) * (len(widths) - 1)))
    for row in rows:
        cells = [_wrapped(cell, columns) for cell, columns in zip(row, widths, strict=True)]
        lines.append(_line(cells, widths, right))
    return "\n".join(lines)


def _widths(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int, fixed: Collection[int]
) -> list[int]:
    """Give every column what it needs; where that is too much, take from the widest that may wrap."""
    columns = list(zip(headings, *rows, strict=True))
    natural = [max(cells_wide(line) for cell in column for line in cell.split("\n")) for column in columns]
    least = [
        needed if place in fixed else min(needed, max(_least(cell) for cell in column))
        for place, (needed, column) in enumerate(zip(natural, columns, strict=True))
    ]
    widths = list(natural)
    room = width - len(_GAP) * (len(widths) - 1)
    ids = [
        needed if place in fixed else max(8, *map(_id, columns[place])) for place, needed in enumerate(least)
    ]
    for floor in (least, ids, [needed if place in fixed else 8 for place, needed in enumerate(least)]):
        while sum(widths) > room:
            loose = [place for place in range(len(widths)) if widths[place] > floor[place]]
            if not loose:
                break
            widest = max(loose, key=lambda place: widths[place])
            widths[widest] -= 1
    return widths


def _least(cell: str) -> int:
    """Tell how narrow a cell may be: words break only where they are very long."""
    return max(_id(cell), min(24, max(map(cells_wide, cell.split()), default=0)))


def _id(cell: str) -> int:
    """Measure the id in a cell: one word on a line of its own, set in, for a person to copy."""
    lines = [line for line in cell.split("\n") if line.startswith("  ") and len(line.split()) == 1]
    return max(map(cells_wide, lines), default=0)


def _wrapped(text: str, columns: int) -> list[str]:
    """Wrap at blanks, and within words that are longer than a line; what is set in stays so."""
    lines: list[str] = []
    for line in text.split("\n"):
        if cells_wide(line) <= columns:
            lines.append(line)
            continue
        indent = " " * min(len(line) - len(line.lstrip()), columns // 2)
        written = indent
        for word in line.split():
            longer = f"{written} {word}" if written.strip() else indent + word
            if cells_wide(longer) > columns and written.strip():
                lines.append(written)
                longer = indent + word
            while cells_wide(longer) > columns:
                kept = max(_first(longer, columns), len(indent) + 1)
                lines.append(longer[:kept])
                longer = indent + longer[kept:]
            written = longer
        lines.append(written)
    return lines


def _first(text: str, columns: int) -> int:
    """Count the characters of a text that fit."""
    kept = len(text)
    while kept > 1 and cells_wide(text[:kept]) > columns:
        kept -= 1
    return kept


def _fit(headings: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [heading[:columns] for heading, columns in zip(headings, widths, strict=True)]


def _line(cells: Sequence[Sequence[str]], widths: Sequence[int], right: Collection[int]) -> str:
    """Put wrapped cells side by side."""
    lines = []
    for number in range(max(len(cell) for cell in cells)):
        parts = []
        for place, (cell, columns) in enumerate(zip(cells, widths, strict=True)):
            text = cell[number] if number < len(cell) else ""
            padding = " " * (columns - cells_wide(text))
            parts.append(padding + text if place in right else text + padding)
        lines.append(_GAP.join(parts).rstrip())
    return "\n".join(lines)
