"""What a page is made of."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import TypeAlias

import attrs

from mesoformula.sheets.expressions import Live, Value
from mesoformula.sheets.tables import Allowed, Column, Holds, Mark, Row


@attrs.frozen
class Table:
    """
    A table on a page.

    Attributes:
        key: By which expressions and charts name it; unique in the workbook.
        columns: What it holds, left to right.
        rows: Top to bottom.
        title: That stands above it.
        empty: What stands in place of rows where there are none.
    """

    key: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    title: str = ""
    empty: str = "Nothing to show."


@attrs.frozen
class Fact:
    """
    A word and its value.

    Attributes:
        word: What it is, with the unit if it has one.
        value: Of it; None is empty.
        holds: What its cell holds.
        places: Decimal places to show.
        name: By which expressions refer to it; unique in the workbook.
        is_input: Whether a person may change it, so that what follows from it changes too.
        to_fill_in: Whether it stands empty on paper, to be written on by hand.
        mark: What it is marked as.
        allowed: What may be entered, if it is an input; None for anything.
    """

    word: str
    value: Value | Live = None
    holds: Holds = Holds.TEXT
    places: int = 0
    name: str | None = None
    is_input: bool = False
    to_fill_in: bool = False
    mark: Mark = Mark.NONE
    allowed: Allowed | None = None


@attrs.frozen
class Facts:
    """
    Words and values, side by side.

    Attributes:
        facts: In reading order.
        title: That stands above them.
        across: How many pairs stand beside each other.
    """

    facts: tuple[Fact, ...]
    title: str = ""
    across: int = 2


@attrs.frozen
class Texts:
    """
    Paragraphs.

    Attributes:
        texts: One paragraph each.
        title: That stands above them.
        mark: What they are marked as.
    """

    texts: tuple[str, ...]
    title: str = ""
    mark: Mark = Mark.NONE


class ChartKind(enum.StrEnum):
    """How a chart shows numbers."""

    BARS = "bars"
    COLUMNS = "columns"


@attrs.frozen
class Chart:
    """
    A chart of a table in the same workbook, drawn by the program that opens it.

    Attributes:
        title: What it shows.
        table: Key of the table.
        labels: Key of the column that names each row.
        values: Keys of the columns of numbers.
        kind: How it shows them.
        unit: Of the numbers, for the axis.
    """

    title: str
    table: str
    labels: str
    values: tuple[str, ...]
    kind: ChartKind = ChartKind.COLUMNS
    unit: str = ""


@attrs.frozen
class Picture:
    """
    A picture.

    Attributes:
        png: The file.
        text: What it shows, for whoever does not see it.
        width: Printed, in millimetres.
        height: Printed, in millimetres.
    """

    png: bytes
    text: str
    width: Decimal
    height: Decimal


@attrs.frozen
class LabelGrid:
    """
    A page of labels that are stuck on; lengths in millimetres.

    Attributes:
        id: Such as `a4-3x8`.
        name: For people.
        page_width: Of the page.
        page_height: Of the page.
        columns: Labels side by side.
        rows: Labels below each other.
        width: Of one label.
        height: Of one label.
        left: From the page's edge to the first label.
        top: From the page's edge to the first label.
        between_columns: Gap between two labels side by side.
        between_rows: Gap between two labels below each other.
        source: Who gives these measures.
    """

    id: str
    name: str
    page_width: Decimal
    page_height: Decimal
    columns: int
    rows: int
    width: Decimal
    height: Decimal
    left: Decimal
    top: Decimal
    between_columns: Decimal = Decimal(0)
    between_rows: Decimal = Decimal(0)
    source: str = ""


@attrs.frozen
class Label:
    """
    One label.

    Attributes:
        heading: Its first line, in bold.
        lines: What else it says, the most important first.
        picture: Such as a code to scan.
    """

    heading: str
    lines: tuple[str, ...]
    picture: Picture | None = None


@attrs.frozen
class Labels:
    """
    Labels on a grid.

    Attributes:
        grid: The page.
        labels: In reading order; more than a page holds go on to the next.
        skip: How many places of the first page are used up already.
    """

    grid: LabelGrid
    labels: tuple[Label, ...]
    skip: int = 0


Block: TypeAlias = Table | Facts | Texts | Chart | Picture | Labels
