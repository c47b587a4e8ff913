"""
Where the blocks of a page stand.

A page is measured in units of one character. Each block says at which units its columns begin and end; the
columns of the worksheet lie between those, so that a page has as few as its blocks allow, and tables of
different shapes stand below each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import attrs

from mesoformula.sheets import (
    Block,
    Chart,
    Facts,
    Holds,
    Labels,
    Live,
    Picture,
    Table,
    Texts,
    plain_value,
    total,
)
from mesoformula_excel.layout import breadth, column_width, shown

#: Units across A4 at full size within its margins.
UPRIGHT, ACROSS = 100, 148
#: Points down A4 within its margins, a little less than there are.
ROOM_UPRIGHT, ROOM_ACROSS = 730.0, 485.0
#: Millimetres of one unit: seven pixels.
UNIT = 7 * 25.4 / 96
#: Points of one millimetre.
POINTS = 72 / 25.4

_GUTTER = 2
_TITLE_AND_NOTES = 90
#: How many times smaller than at full size a page is made at most.
_SMALLEST = 1.7
#: Edges this close are brought together.
_NEAR = 2
#: Of the page's width: what a table may take beside a chart, and what a lone table is stretched from.
_BESIDE_CHART = 0.6
_STRETCHED_FROM = 0.5
#: A cell to enter a number or a day into.
_SHORT = 14
_LEAST = 6
_TWO_LINES = 16


@attrs.frozen
class Placed:
    """
    A block and the units where its columns begin and end.

    Attributes:
        block: Which.
        edges: From left to right. Of facts, per pair: where the word, the value, what stands beside it, and
            the gap to the next pair begin.
    """

    block: Block
    edges: tuple[int, ...]


@attrs.frozen
class Band:
    """
    What stands side by side.

    Attributes:
        blocks: From left to right.
    """

    blocks: tuple[Placed, ...]


def plan(blocks: Sequence[Block], width: int, sizes: Mapping[str, int]) -> tuple[Band, ...]:
    """
    Place the blocks of a page.

    Args:
        blocks: Top to bottom.
        width: Of the page, in units.
        sizes: Rows of each table in the workbook; a chart of none is left out.

    Returns:
        Bands, top to bottom.
    """
    shown_blocks = [
        block for block in blocks if not (isinstance(block, Chart) and sizes.get(block.table) == 0)
    ]
    words = _words(shown_blocks, width)
    wide = _beside_charts(shown_blocks, width)
    known: set[int] = {0, width}
    bands: list[Band] = []
    place = 0
    while place < len(shown_blocks):
        block = shown_blocks[place]
        after = shown_blocks[place + 1] if place + 1 < len(shown_blocks) else None
        side = _room_of(after, block, width, wide)
        if isinstance(block, Chart):
            band = _charts(block, after, width)
        elif side and after is not None:
            room = width - side - _GUTTER
            main = Placed(block, _edges(block, room, words, known, is_alone=False))
            # A chart takes the room that its table leaves, a picture has its size.
            start = width - side if isinstance(after, Picture) else main.edges[-1] + _GUTTER
            band = Band((main, Placed(after, (start, width))))
        else:
            band = Band((Placed(block, _edges(block, width, words, known, is_alone=True)),))
        bands.append(band)
        known.update(edge for placed in band.blocks for edge in placed.edges)
        place += len(band.blocks)
    return tuple(bands)


def fitting(blocks: Sequence[Block]) -> int:
    """
    Choose the width of an upright page that is made to fit one sheet of paper.

    What is longer than the paper is printed smaller: a page that is wider by as much fills the paper then,
    and its texts wrap less.

    Args:
        blocks: Top to bottom.

    Returns:
        Its width, in units.
    """
    tall = sum(_about_as_tall(block) for block in blocks) + _TITLE_AND_NOTES
    return round(UPRIGHT * min(max(tall / ROOM_UPRIGHT, 1.0), _SMALLEST))


def _about_as_tall(block: Block) -> float:
    """Estimate the height of a block in points, before it is known how its texts wrap."""
    match block:
        case Table():
            return 52 + 20 * max(len(block.rows), 1)
        case Facts():
            each = 24 if any(fact.to_fill_in for fact in block.facts) else 18
            return (24 if block.title else 0) + each * math.ceil(len(block.facts) / block.across) + 8
        case Texts():
            return 22 * (len(block.texts) + bool(block.title))
    return 0


def units_of(millimetres: float) -> int:
    """
    Measure in units of the page.

    Args:
        millimetres: Any length.

    Returns:
        Units that it takes, whole ones.
    """
    return math.ceil(millimetres / UNIT)


def _beside_charts(blocks: Sequence[Block], width: int) -> int:
    """Find the width of tables that a chart stands beside: one for all, so that the charts are aligned."""
    pairs = pairwise(blocks)
    tables = [
        sum(_natural(one)) for one, after in pairs if isinstance(one, Table) and isinstance(after, Chart)
    ]
    return max((taken for taken in tables if taken <= width * _BESIDE_CHART), default=0)


def _room_of(side: Block | None, main: Block, width: int, wide: int) -> int:
    """Say how much of the page a chart or picture takes beside the block before it; 0 if it stands below."""
    match side, main:
        case Chart(), Table():
            return width - wide - _GUTTER if sum(_natural(main)) <= wide else 0
        case Picture(), Facts() | Texts():
            taken = units_of(float(side.width)) + 1
            return taken if taken <= width / 2 else 0
    return 0


def _charts(chart: Chart, after: Block | None, width: int) -> Band:
    if not isinstance(after, Chart):
        return Band((Placed(chart, (0, round(width * 0.65))),))
    half = (width - _GUTTER) // 2
    return Band((Placed(chart, (0, half)), Placed(after, (width - half, width))))


def _edges(
    block: Block, room: int, words: Mapping[int, int], known: set[int], *, is_alone: bool
) -> tuple[int, ...]:
    match block:
        case Table():
            return _near(_of_table(block, room, is_alone=is_alone), known)
        case Facts():
            return _of_facts(block, room, words)
        case Picture():
            return (0, min(units_of(float(block.width)) + 1, room))
        case Labels():
            raise ValueError("labels stand on a sheet of their own, with no other block")
    return (0, room)


# ---- tables --------------------------------------------------------------------------------------------


def _natural(table: Table) -> list[int]:
    widths = []
    for place, column in enumerate(table.columns):
        cells = [breadth(shown(plain_value(row.values[place]), column.places)) for row in table.rows]
        if column.total:
            cells.append(breadth(shown(total(table.columns, table.rows, column.key), column.places)) + 2)
        # A heading stands on two lines rather than on one for each of its words.
        two_lines = min(breadth(column.heading) / 2 + 4, _TWO_LINES)
        widths.append(math.ceil(max(column_width(column, cells), two_lines)))
    return widths


def _of_table(table: Table, room: int, *, is_alone: bool) -> list[int]:
    widths = [float(width) for width in _natural(table)]
    taken = sum(widths)
    if taken > room:
        _shrink(table, widths, taken - room)
    elif taken >= room * _STRETCHED_FROM or not table.rows or not is_alone:
        # Text takes most of the room that is left: numbers should not drift apart.
        weights = [
            width * (3 if column.holds is Holds.TEXT else 1)
            for width, column in zip(widths, table.columns, strict=True)
        ]
        spare = (room - taken) / sum(weights)
        widths = [width + weight * spare for width, weight in zip(widths, weights, strict=True)]
    edges, at = [0], 0.0
    for width in widths:
        at += width
        edges.append(round(at))
    return edges


def _shrink(table: Table, widths: list[float], excess: float) -> None:
    """Take what is too much from the widest columns of text, as their text can wrap."""
    texts = [place for place, column in enumerate(table.columns) if column.holds is Holds.TEXT]
    least = {place: column_width(attrs.evolve(table.columns[place], widest=8), ()) for place in texts}
    while excess > 0:
        wide = [place for place in texts if widths[place] > least[place] + 0.5]
        if not wide:
            return  # the page becomes wider, and is printed smaller
        widest = max(wide, key=lambda place: widths[place])
        widths[widest] -= 1
        excess -= 1


def _near(edges: list[int], known: set[int]) -> tuple[int, ...]:
    """Bring edges together with those that are there, so that what is nearly aligned is aligned."""
    found = [edges[0]]
    for place, edge in enumerate(edges[1:], start=1):
        close = [one for one in known if abs(one - edge) <= _NEAR]
        best = min(close, key=lambda one: abs(one - edge), default=edge)
        following = edges[place + 1] if place + 1 < len(edges) else None
        fits = best >= found[-1] + _LEAST and (following is None or best <= following - _LEAST)
        found.append(best if fits else max(edge, found[-1] + 1))
    return tuple(found)


# ---- facts ---------------------------------------------------------------------------------------------


def _words(blocks: Sequence[Block], width: int) -> dict[int, int]:
    """Find how much room words need, one measure for all facts that stand in as many columns."""
    found: dict[int, int] = {}
    for block in blocks:
        if isinstance(block, Facts):
            longest = max((breadth(fact.word) for fact in block.facts), default=0) + 2
            most = round(width / block.across * 0.45)
            found[block.across] = max(found.get(block.across, _LEAST), min(longest, most))
    return found


def _of_facts(facts: Facts, room: int, words: Mapping[int, int]) -> tuple[int, ...]:
    is_vital = any(isinstance(fact.value, Live) and fact.value.is_vital for fact in facts.facts)
    is_short = is_vital or any(fact.is_input and fact.holds is not Holds.TEXT for fact in facts.facts)
    edges: list[int] = []
    for pair in range(facts.across):
        start = round(room * pair / facts.across)
        end = round(room * (pair + 1) / facts.across) - (_GUTTER if pair + 1 < facts.across else 0)
        value = min(start + words[facts.across], end - (2 if is_vital else 1) * _LEAST)
        short = value + _SHORT
        if is_vital:
            short = min(short, max((value + end) // 2, value + _LEAST))
        edges += [start, value, short if is_short and short <= end - _LEAST else end, end]
    return tuple(edges)
