"""What cells look like."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import attrs
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

from mesoformula.sheets import Column, Fact, Holds, Mark, MarkOfDays

DAY = "yyyy-mm-dd"
MOMENT = "yyyy-mm-dd hh:mm"
#: Pixels of one character, in which widths are measured.
CHARACTER = 7
#: Points that one line of the body's letters takes.
LINE = 13.0
GAP = 5.0
#: The tallest row that Excel draws, in points.
TALLEST = 409.0

DARK = "1F3864"
QUIET = "595959"
HEAD_GROUND = "D9E2F3"
#: Of cells to fill in: blue letters are the habit of spreadsheets for what may be changed.
INPUT, INPUT_GROUND = "0000FF", "FFFDE7"
#: Colour of letters and of the ground; dark enough and far enough apart to differ on a grey printer too.
COLOURS: Mapping[Mark, tuple[str, str]] = {
    Mark.EXPIRED: ("9C0006", "FFC7CE"),
    Mark.SOON: ("4D3300", "FFEB9C"),
    Mark.ATTENTION: ("1F3864", "DDEBF7"),
}

_SIDES = {
    "": Side(),
    "hair": Side(style="hair", color="A6A6A6"),
    "faint": Side(style="hair", color="D9D9D9"),
    "thin": Side(style="thin", color="7F7F7F"),
    "double": Side(style="double", color="7F7F7F"),
    "rule": Side(style="thin", color="000000"),
    "white": Side(style="thin", color="FFFFFF"),
    "bar": Side(style="thick", color=DARK),
}
_BESIDE = {Holds.TEXT: "left", Holds.DAY: "center", Holds.MOMENT: "center"}


@attrs.frozen(cache_hash=True)
class Look:
    """
    How a cell looks.

    Attributes:
        size: Of its letters, in points.
        colour: Of its letters.
        bold: Whether they are.
        ground: Colour behind them; None for none.
        left: Line at its left: none, hair, faint, thin, double, rule, white or bar.
        right: Line at its right.
        top: Line at its top.
        bottom: Line at its bottom.
        beside: Where its content stands from left to right.
        upright: Where it stands from top to bottom.
        wraps: Whether long text goes on below.
        format: Of numbers and days.
        indent: How far its text stands off the edge.
        is_quoted: Whether the program takes what is there as text when somebody edits it.
        is_open: Whether it can be changed on a locked sheet.
    """

    size: float = 10
    colour: str = "000000"
    bold: bool = False
    ground: str | None = None
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    beside: str = "left"
    upright: str = "top"
    wraps: bool = False
    format: str = "General"
    indent: int = 0
    is_quoted: bool = False
    is_open: bool = False

    def but(self, **changes: Any) -> Look:
        """
        Change some of it.

        Args:
            changes: By the names of attributes.

        Returns:
            The changed look.
        """
        return attrs.evolve(self, **changes)


TITLE = Look(size=16, colour=DARK, bold=True)
SUBTITLE = Look(size=11, colour=DARK, bold=True)
BODY = Look(wraps=True)
BOLD = Look(bold=True)
QUIET_TEXT = Look(size=9, colour=QUIET, wraps=True)
HEAD = Look(
    colour=DARK,
    bold=True,
    ground=HEAD_GROUND,
    left="white",
    right="white",
    top="thin",
    bottom="thin",
    upright="center",
    wraps=True,
    indent=1,
)
INPUT_CELL = Look(
    colour=INPUT,
    bold=True,
    ground=INPUT_GROUND,
    left="thin",
    right="thin",
    top="thin",
    bottom="thin",
    upright="center",
    is_open=True,
)


def head_look(column: Column) -> Look:
    """
    Find the look of a heading: it stands where its values do.

    Args:
        column: Which.

    Returns:
        The look.
    """
    side = beside(column.holds)
    return HEAD.but(beside=side, indent=0 if side == "center" else 1)


def number_format(holds: Holds, places: int = 0, *, is_formula: bool = False) -> str:
    """
    Find the format of a cell.

    Args:
        holds: What the cell holds.
        places: Decimal places to show.
        is_formula: Whether it follows from other cells: in a cell formatted as text a formula would be text.

    Returns:
        A format code.
    """
    match holds:
        case Holds.WHOLE | Holds.DECIMAL:
            # The room of two brackets keeps numbers off the text to their right; LibreOffice loses indents.
            return f"#,##0.{'0' * places}_)_)" if places else "#,##0_)_)"
        case Holds.DAY:
            return DAY
        case Holds.MOMENT:
            return MOMENT
    return "General" if is_formula else "@"


def beside(holds: Holds) -> str:
    """
    Say where a value stands in its cell.

    Args:
        holds: What the cell holds.

    Returns:
        Left, center, or right for numbers.
    """
    return _BESIDE.get(holds, "right")


def body_look(column: Column, mark: Mark, *, is_formula: bool, is_open: bool) -> Look:
    """
    Find the look of a cell in the body of a table.

    Args:
        column: It stands in.
        mark: Of its row.
        is_formula: Whether it follows from other cells.
        is_open: Whether a person fills it in.

    Returns:
        The look.
    """
    letters, ground = COLOURS.get(mark, ("000000", None))
    is_word = isinstance(column.computed, MarkOfDays)
    if is_open:
        letters, ground = INPUT, INPUT_GROUND
    edge = "thin" if is_open else "faint"
    return Look(
        colour=letters,
        bold=mark is Mark.EXPIRED or (is_word and bool(mark)),
        ground=ground,
        left=edge,
        right=edge,
        top="thin" if is_open else "",
        bottom="thin" if is_open else "hair",
        beside=beside(column.holds),
        upright="center",
        wraps=column.holds is Holds.TEXT,
        indent=1 if column.holds is Holds.TEXT else 0,
        format=number_format(column.holds, column.places, is_formula=is_formula),
        is_quoted=column.holds is Holds.TEXT and not is_formula and not is_open,
        is_open=is_open,
    )


def fact_look(fact: Fact, *, is_formula: bool) -> Look:
    """
    Find the look of the value of a fact.

    Args:
        fact: Which.
        is_formula: Whether it follows from other cells.

    Returns:
        The look.
    """
    shown_as = number_format(fact.holds, fact.places, is_formula=is_formula)
    if fact.is_input:
        return INPUT_CELL.but(format=shown_as, wraps=fact.holds is Holds.TEXT)
    if fact.to_fill_in:
        return BODY.but(bottom="rule", upright="bottom", format=shown_as, is_open=True)
    letters, ground = COLOURS.get(fact.mark, ("000000" if not is_formula else DARK, None))
    look = BODY.but(
        upright="center", colour=letters, ground=ground, bold=bool(fact.mark) or is_formula, format=shown_as
    )
    return look.but(wraps=fact.holds is Holds.TEXT)


def height(lines: int) -> float:
    """
    Find the height of a row.

    Args:
        lines: Of text in its fullest cell.

    Returns:
        Points; Excel draws none above 409.
    """
    return min(lines * LINE + 3, TALLEST)


class Wardrobe:
    """
    The looks of one workbook, each made once.

    Setting six properties of every cell takes ten times as long as copying a style.
    """

    def __init__(self) -> None:
        self._styles: dict[Look, Any] = {}

    def dress(self, cell: Any, look: Look) -> None:
        """
        Give a cell its look.

        Args:
            cell: Of any sheet of the workbook.
            look: What it is to look like.
        """
        style = self._styles.get(look)
        if style is None:
            style = self._styles[look] = self._style(cell.parent, look)
        cell._style = copy(style)

    def _style(self, worksheet: Any, look: Look) -> Any:
        model = Cell(worksheet, row=1, column=1)
        model.font = Font(name="Calibri", size=look.size, color=look.colour, bold=look.bold)
        if look.ground is not None:
            model.fill = PatternFill("solid", fgColor=look.ground)
        sides = (look.left, look.right, look.top, look.bottom)
        if any(sides):
            left, right, top, bottom = (_SIDES[side] for side in sides)
            model.border = Border(left=left, right=right, top=top, bottom=bottom)
        model.alignment = Alignment(
            horizontal=look.beside, vertical=look.upright, wrap_text=look.wraps, indent=look.indent
        )
        model.number_format = look.format
        if look.is_quoted:
            # Otherwise Excel would read `=…` as a formula, and `2401E3` as a number, once somebody edits it.
            model.quotePrefix = True
        if look.is_open:
            model.protection = Protection(locked=False)
        return model._style
