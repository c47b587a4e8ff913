"""Where everything of a workbook stands, row by row, before any of it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs

from mesoformula import Column, Row, Sheet
from mesoformula.sheets import (
    Chart,
    Facts,
    Labels,
    Live,
    Picture,
    Rows,
    Table,
    Texts,
    Value,
    plain_value,
    total,
)


@attrs.frozen
class Place:
    """
    A cell.

    Attributes:
        tab: Title of its tab.
        column: From 0.
        row: From 0.
    """

    tab: str
    column: int
    row: int


@attrs.frozen
class Total:
    """
    The sum of a column of a table.

    Attributes:
        value: What it comes to.
        column: From 0.
        first: Row of the first value, from 0.
        last: Row of the last value.
    """

    value: Value
    column: int
    first: int
    last: int


@attrs.frozen
class Computed:
    """
    A cell that follows from others of its row in the way of its column.

    Attributes:
        value: What it comes to.
        column: Of the table.
    """

    value: Value
    column: Column


Held: TypeAlias = Value | Live | Total | Computed


@attrs.define
class Line:
    """
    One row of a tab.

    Attributes:
        cells: From the left.
        keys: Where the columns of its table stand; empty outside of tables.
        is_heading: Whether it is written in bold.
    """

    cells: list[Held]
    keys: Mapping[str, int] = attrs.field(factory=dict)
    is_heading: bool = False


@attrs.define
class Tab:
    """
    One sheet of the file.

    Attributes:
        title: Unlike that of any other.
        lines: From the top.
        as_of: The cell of the day that days left are counted from.
    """

    title: str
    lines: list[Line] = attrs.field(factory=list)
    as_of: Place | None = None


@attrs.define
class Layout:
    """
    All that is to be written.

    Attributes:
        tabs: In order.
        names: Cells by the names that expressions use.
        columns: Of tables, by the keys of both: tab, column, first and last row.
    """

    tabs: list[Tab] = attrs.field(factory=list)
    names: dict[str, Place] = attrs.field(factory=dict)
    columns: dict[tuple[str, str], tuple[str, int, int, int]] = attrs.field(factory=dict)


def laid_out(sheets: Sequence[Sheet]) -> Layout:
    """
    Find a place for everything.

    Args:
        sheets: Rows that memory might not hold are read once, here.

    Returns:
        The layout.
    """
    layout = Layout()
    for sheet in sheets:
        tab = Tab(_title(sheet.title, {one.title for one in layout.tabs}))
        layout.tabs.append(tab)
        _lay_out(sheet, tab, layout)
    return layout


def _title(text: str, taken: set[str]) -> str:
    """Make a title that spreadsheet programs accept on a tab, unlike any other."""
    line = "".join(char if char.isprintable() and char not in "[]*?:/\\'" else " " for char in text)
    # A blank at the end would be lost, and with it whatever refers to the tab.
    line = " ".join(line.split())[:31].rstrip() or "Sheet"
    number, title = 1, line
    while title.casefold() in {one.casefold() for one in taken}:
        number += 1
        title = f"{line[:26].rstrip()} ({number})"
    return title


def _lay_out(sheet: Sheet, tab: Tab, layout: Layout) -> None:
    tab.lines.append(Line([sheet.title], is_heading=True))
    if sheet.as_of is not None:
        tab.as_of = Place(tab.title, 1, len(tab.lines))
        tab.lines.append(Line(["As of", sheet.as_of]))
    for word, value in sheet.facts:
        if (word, value) != ("As of", sheet.as_of):
            tab.lines.append(Line([word, value]))
    for block in sheet.blocks:
        tab.lines.append(Line([]))
        match block:
            case Table():
                _titled(block.title, tab)
                _table(block.key, block.columns, block.rows, block.empty, tab, layout)
            case Facts():
                _titled(block.title, tab)
                for fact in block.facts:
                    _named(fact.name, Place(tab.title, 1, len(tab.lines)), layout)
                    _named(_name(fact.value), Place(tab.title, 1, len(tab.lines)), layout)
                    tab.lines.append(Line([fact.word, fact.value]))
            case Texts():
                _titled(block.title, tab)
                tab.lines.extend(Line([text]) for text in block.texts)
            case Labels():
                for label in block.labels:
                    tab.lines.append(Line([label.heading], is_heading=True))
                    tab.lines.extend(Line([text]) for text in label.lines)
            case Picture():
                tab.lines.append(Line([block.text]))
            case Chart():
                tab.lines.append(Line([block.title]))
    if sheet.columns:
        tab.lines.append(Line([]))
        _table(sheet.key, sheet.columns, sheet.rows, sheet.empty, tab, layout)
    tab.lines.extend(Line([note]) for note in sheet.notes)


def _titled(title: str, tab: Tab) -> None:
    if title:
        tab.lines.append(Line([title], is_heading=True))


def _table(
    key: str, columns: Sequence[Column], rows: Sequence[Row] | Rows, empty: str, tab: Tab, layout: Layout
) -> None:
    keys = {column.key: place for place, column in enumerate(columns)}
    tab.lines.append(Line([column.heading for column in columns], keys, is_heading=True))
    first = len(tab.lines)
    kept: list[Row] = []
    for row in rows:
        for place, value in enumerate(row.values):
            _named(_name(value), Place(tab.title, place, len(tab.lines)), layout)
        tab.lines.append(Line(list(_cells(columns, row)), keys))
        kept.append(row)
    last = len(tab.lines) - 1
    if last < first:
        tab.lines.append(Line([empty]))
        return
    for column in columns:
        layout.columns[key, column.key] = (tab.title, keys[column.key], first, last)
    if any(column.total for column in columns):
        tab.lines.append(Line(list(_totals(columns, kept, first, last)), is_heading=True))


def _cells(columns: Sequence[Column], row: Row) -> Iterator[Held]:
    for column, value in zip(columns, row.values, strict=True):
        if column.computed is not None and not isinstance(value, Live):
            yield Computed(value, column)
        else:
            yield value


def _totals(columns: Sequence[Column], rows: list[Row], first: int, last: int) -> Iterator[Held]:
    for place, column in enumerate(columns):
        if not column.total:
            yield "Total" if place == 0 else None
            continue
        value = total(columns, rows, column.key)
        unknown = any(plain_value(row.values[place]) is None for row in rows)
        if column.at_least and unknown:
            # A bare number here would say that nothing is unknown.
            yield f"at least {value:f}" if value is not None else "not known"
        else:
            yield Total(value, place, first, last)


def _name(value: Value | Live) -> str | None:
    return value.name if isinstance(value, Live) else None


def _named(name: str | None, place: Place, layout: Layout) -> None:
    if name is not None:
        layout.names.setdefault(name, place)
