"""Whether a text fits on a label, and how large its letters may be."""

from __future__ import annotations

from mesoformula.sheets import Label, LabelGrid
from mesoformula_excel.layout import lines

#: Sizes of letters that are tried, in points.
LARGEST, SMALLEST = 10.0, 5.0
_STEP = 0.5

#: Millimetres that stay free at the left of a text, at its right, and above and below it together.
LEFT, RIGHT, UPRIGHT = 2.0, 1.0, 1.5
#: Millimetres around a picture.
AROUND = 1.0

_POINT = 25.4 / 72
#: Of the size of letters: the width of an average one, in wide fonts that stand in for Calibri, and a line.
_WIDE, _TALL = 0.55, 1.25


def size_that_fits(label: Label, grid: LabelGrid) -> float | None:
    """
    Find the largest letters in which a label can be written.

    Args:
        label: What it says.
        grid: Where it stands.

    Returns:
        Points; None if it does not fit in the smallest that people read.
    """
    room = text_width(label, grid)
    height = float(grid.height) - UPRIGHT
    size = LARGEST
    while size >= SMALLEST:
        # As many characters as this to a line; `lines` takes widths in units of a table.
        units = room / (_WIDE * size * _POINT) / 1.2
        count = sum(lines(text, units) for text in (label.heading, *label.lines))
        longest = max(
            (len(word) for text in (label.heading, *label.lines) for word in text.split()), default=0
        )
        if count * _TALL * size * _POINT <= height and longest * _WIDE * size * _POINT <= room:
            return size
        size -= _STEP
    return None


def text_width(label: Label, grid: LabelGrid) -> float:
    """
    Measure the room for text on a label.

    Args:
        label: With its picture, if it has one.
        grid: Where it stands.

    Returns:
        Millimetres.
    """
    picture = float(label.picture.width) + 2 * AROUND if label.picture is not None else 0.0
    return float(grid.width) - LEFT - RIGHT - picture
