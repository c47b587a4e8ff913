"""Expressions as OpenFormula (OpenDocument 1.3, part 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from mesoformula import plain
from mesoformula.sheets import (
    Apply,
    DaysUntil,
    Expression,
    Function,
    InRow,
    InTable,
    MarkOfDays,
    Named,
    Times,
)
from mesoformula_open_document.layout import Computed, Layout, Place, Tab, Total


class NotExpressibleError(Exception):
    """An expression that this format cannot hold; its value is written instead."""


def formula_of(how: Expression, layout: Layout, keys: Mapping[str, int], row: int) -> str:
    """
    Write an expression.

    Args:
        how: The expression.
        layout: Where everything stands.
        keys: Columns of the table that its cell stands in.
        row: Of its cell.

    Returns:
        The formula with its prefix.

    Raises:
        NotExpressibleError: If it names what is not there.
    """
    return f"of:={_text(how, layout, keys, row)}"


def computed_formula(cell: Computed, tab: Tab, keys: Mapping[str, int], row: int) -> str:
    """
    Write how a cell follows from its row.

    Args:
        cell: The cell.
        tab: Where it stands.
        keys: Columns of its table.
        row: Of the cell.

    Returns:
        The formula with its prefix.

    Raises:
        NotExpressibleError: If days are counted from a day that the sheet does not have.
    """

    def at(column: str) -> str:
        if column not in keys:
            raise NotExpressibleError(column)
        return f"[.{letters(keys[column])}{row + 1}]"

    match cell.column.computed:
        case DaysUntil(column):
            if tab.as_of is None:
                raise NotExpressibleError(column)
            return f'of:=IF(ISNUMBER({at(column)});{at(column)}-{absolute(tab.as_of)};"")'
        case Times(left, right):
            both = f"AND(ISNUMBER({at(left)});ISNUMBER({at(right)}))"
            return f'of:=IF({both};{at(left)}*{at(right)};"")'
        case MarkOfDays(column, soon, expired, soon_word):
            words = f'IF({at(column)}<0;{_quoted(expired)};IF({at(column)}<={soon};{_quoted(soon_word)};""))'
            return f'of:=IF(ISNUMBER({at(column)});{words};"")'
    raise NotExpressibleError(cell.column.key)


def total_formula(cell: Total) -> str:
    """
    Write a sum.

    Args:
        cell: The sum.

    Returns:
        The formula with its prefix.
    """
    letter = letters(cell.column)
    return f"of:=SUM([.{letter}{cell.first + 1}:.{letter}{cell.last + 1}])"


def absolute(place: Place) -> str:
    """
    Write a reference to a cell of any tab.

    Args:
        place: The cell.

    Returns:
        Such as `[$'On hand'.$B$2]`.
    """
    return f"[$'{place.tab}'.${letters(place.column)}${place.row + 1}]"


def letters(column: int) -> str:
    """
    Name a column.

    Args:
        column: From 0.

    Returns:
        `A` to `Z`, `AA` and so on.
    """
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def _text(how: Expression, layout: Layout, keys: Mapping[str, int], row: int) -> str:
    match how:
        case str():
            return _quoted(how)
        case datetime():
            raise NotExpressibleError("a moment")
        case date():
            return f"DATE({how.year};{how.month};{how.day})"
        case int() | Decimal():
            return f"({plain(Decimal(how))})"
        case Named(name):
            if name not in layout.names:
                raise NotExpressibleError(name)
            return absolute(layout.names[name])
        case InRow(column):
            if column not in keys:
                raise NotExpressibleError(column)
            return f"[.{letters(keys[column])}{row + 1}]"
        case InTable(table, column):
            if (table, column) not in layout.columns:
                raise NotExpressibleError(table)
            tab, place, first, last = layout.columns[table, column]
            letter = letters(place)
            return f"[$'{tab}'.${letter}${first + 1}:.${letter}${last + 1}]"
        case Apply(function, parts):
            return _applied(function, [_text(part, layout, keys, row) for part in parts])
    raise NotExpressibleError(repr(how))


def _applied(function: Function, parts: list[str]) -> str:
    if function.value.isalpha():
        if function in (Function.SUM_IF, Function.COUNT_IF):
            # Programs differ in which signs of a criterion are wildcards.
            raise NotExpressibleError(function.value)
        return f"{function.value}({';'.join(parts)})"
    if len(parts) == 1:
        return f"({function.value}{parts[0]})"
    return f"({function.value.join(parts)})"


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise NotExpressibleError("a control character")
    return '"' + text.replace('"', '""') + '"'
