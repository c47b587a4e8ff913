"""Expressions as the formulas of spreadsheet programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

import attrs

from mesoformula.sheets import Apply, Expression, Function, InRow, InTable, Named
from mesoformula_excel.texts import plain

#: The longest formula that Excel reads, and the longest text within one.
LONGEST_FORMULA = 8192
LONGEST_TEXT = 255
#: Significant digits that spreadsheet programs keep of a number.
DIGITS = 15

_STRENGTH = {
    Function.EQUAL: 1,
    Function.UNEQUAL: 1,
    Function.BELOW: 1,
    Function.AT_MOST: 1,
    Function.ABOVE: 1,
    Function.AT_LEAST: 1,
    Function.JOIN: 2,
    Function.ADD: 3,
    Function.SUBTRACT: 3,
    Function.TIMES: 4,
    Function.DIVIDE: 4,
}
_OF_CRITERIA = (Function.SUM_IF, Function.COUNT_IF)
# What a criterion of SUMIFS takes for more than a letter.
_WILD = re.compile(r"[*?~]|^[=<>]")
# A text in a formula in which Excel would read `_x0041_` as the letter A.
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


@attrs.frozen
class Span:
    """
    Where a column of a table stands.

    Attributes:
        sheet: Title of the tab.
        letter: Of the column.
        first: Row of the first value.
        last: Row of the last value.
    """

    sheet: str
    letter: str
    first: int
    last: int


@attrs.frozen
class Spot:
    """
    Where a cell stands that has a name.

    Attributes:
        sheet: Title of the tab.
        letter: Of its column.
        row: Its row.
    """

    sheet: str
    letter: str
    row: int


@attrs.frozen
class Around:
    """
    What an expression sees from its cell.

    Attributes:
        sheet: Title of the tab that the cell stands on.
        spot: Finds a named cell; raises KeyError.
        span: Finds a column of a table by the keys of both; raises KeyError.
        row: The cells of its own row by their columns' keys; empty outside of tables.
        wild: Keys of those columns that hold texts which a criterion would take for more than letters.
    """

    sheet: str
    spot: Callable[[str], Spot]
    span: Callable[[str, str], Span]
    row: Mapping[str, str] = attrs.field(factory=dict)
    wild: frozenset[str] = frozenset()


def formula(how: Expression, around: Around) -> str:
    """
    Write an expression as a formula.

    Args:
        how: The expression.
        around: What it sees from its cell.

    Returns:
        The formula with its equals sign.

    Raises:
        ValueError: If it names what is not there, or is longer than Excel reads.
    """
    text = f"={_text(how, around)}"
    if len(text) > LONGEST_FORMULA:
        raise ValueError(f"a formula of {len(text)} characters; Excel reads {LONGEST_FORMULA}")
    return text


def number_text(value: Decimal | int) -> str:
    """
    Write a number for a file: exactly, as long as spreadsheet programs keep all its digits.

    Args:
        value: Finite.

    Returns:
        Digits with a point; beyond 15 significant digits those of the nearest binary number, which is what
        every spreadsheet program works with.
    """
    exact = Decimal(value)
    digits = exact.as_tuple().digits
    significant = len("".join(map(str, digits)).strip("0"))
    if significant > DIGITS:
        return repr(float(exact))
    if not exact:
        return "0"
    shown = format(exact.normalize(), "f")
    return shown if len(shown) <= 2 * DIGITS else repr(float(exact))


def quoted(title: str) -> str:
    """
    Write the title of a tab for a formula.

    Args:
        title: Of the tab.

    Returns:
        It in quotes.
    """
    return "'" + title.replace("'", "''") + "'"


def text_in_formula(text: str) -> str:
    """
    Write a text for a formula.

    Args:
        text: Any.

    Returns:
        It in quotes; of parts that are joined where it is longer than Excel reads in one.
    """
    pieces = []
    for part in _ESCAPE.sub("_\0", plain(text)).split("\0"):
        pieces += [part[n : n + LONGEST_TEXT] for n in range(0, len(part), LONGEST_TEXT)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def _text(how: Expression, around: Around) -> str:
    match how:
        case str():
            text = text_in_formula(how)
            return f"({text})" if '"&"' in text else text
        case datetime():
            raise ValueError(f"{how} is a moment; a formula holds days")
        case date():
            return f"DATE({how.year},{how.month},{how.day})"
        case int() | Decimal():
            return number_text(how)
        case Named(name):
            return _named(name, around)
        case InRow(column):
            if column not in around.row:
                raise ValueError(f"an expression names the column {column!r}, which its row does not have")
            return around.row[column]
        case InTable(table, column):
            return _range(table, column, around)
        case Apply():
            return _applied(how, around)
    raise TypeError(f"{how!r} is no expression")


def _named(name: str, around: Around) -> str:
    try:
        spot = around.spot(name)
    except KeyError:
        raise ValueError(f"an expression names {name!r}, which no cell of the workbook is called") from None
    prefix = "" if spot.sheet == around.sheet else f"{quoted(spot.sheet)}!"
    return f"{prefix}${spot.letter}${spot.row}"


def _range(table: str, column: str, around: Around) -> str:
    # A range of cells rather than `table[heading]`, which not every program reads; a program that inserts
    # rows into the table widens it.
    try:
        span = around.span(table, column)
    except KeyError:
        raise ValueError(
            f"an expression names the column {column!r} of the table {table!r}, which the workbook has not"
        ) from None
    prefix = "" if span.sheet == around.sheet else f"{quoted(span.sheet)}!"
    return f"{prefix}${span.letter}${span.first}:${span.letter}${span.last}"


def _applied(how: Apply, around: Around) -> str:
    function, parts = how.function, how.parts
    if function not in _STRENGTH:
        texts = [_text(part, around) for part in parts]
        if function in _OF_CRITERIA:
            # SUMIFS takes the numbers first; then pairs of a range and its criterion follow.
            for place in range(2 if function is Function.SUM_IF else 1, len(parts), 2):
                texts[place] = _criterion(parts[place], texts[place], around)
        return f"{function.value}({','.join(texts)})"
    if function is Function.SUBTRACT and len(parts) == 1:
        return f"-{_operand(parts[0], function, 1, around)}"
    return function.value.join(_operand(part, function, place, around) for place, part in enumerate(parts))


def _operand(part: Expression, function: Function, place: int, around: Around) -> str:
    text = _text(part, around)
    if isinstance(part, Apply) and part.function in _STRENGTH:
        own, other = _STRENGTH[function], _STRENGTH[part.function]
        # `a - (b - c)` and `a = (b = c)` need their brackets, `a + b + c` does not.
        loose = other < own or (other == own and (place > 0 or own == 1 or part.function is not function))
        if loose or len(part.parts) == 1:
            return f"({text})"
    elif isinstance(part, int | Decimal) and part < 0:
        return f"({text})"
    return text


def _criterion(part: Expression, text: str, around: Around) -> str:
    """Let a cell of text that is looked for be looked for as it stands, whatever signs it holds."""
    if isinstance(part, InRow) and part.column in around.wild:
        for sign in "~*?":
            text = f'SUBSTITUTE({text},"{sign}","~{sign}")'
        return f'"="&{text}'
    return text


def is_wild(text: object) -> bool:
    """
    Ask whether a criterion would take a text for more than its letters.

    Args:
        text: Of a cell.

    Returns:
        Whether it holds wildcards, or begins with a sign of comparison.
    """
    return isinstance(text, str) and _WILD.search(text) is not None
