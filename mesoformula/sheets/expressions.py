"""Values of cells, and how some follow from others."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

import attrs

Value: TypeAlias = str | int | Decimal | date | datetime | None


class Function(enum.StrEnum):
    """What an expression does with its parts, by the name that every spreadsheet program knows it by."""

    ADD = "+"
    SUBTRACT = "-"
    TIMES = "*"
    DIVIDE = "/"
    JOIN = "&"
    EQUAL = "="
    UNEQUAL = "<>"
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    IF = "IF"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    IS_NUMBER = "ISNUMBER"
    SUM = "SUM"
    SUM_IF = "SUMIFS"
    SUM_PRODUCT = "SUMPRODUCT"
    COUNT = "COUNT"
    COUNT_IF = "COUNTIFS"
    FIND = "FIND"
    LEAST = "MIN"
    MOST = "MAX"
    ROUND = "ROUND"
    ROUND_UP = "ROUNDUP"
    ABSOLUTE = "ABS"


@attrs.frozen
class Named:
    """
    One cell of the same workbook that has a name.

    Attributes:
        name: Of a `Fact` or a `Live` value; unique in the workbook.
    """

    name: str


@attrs.frozen
class InRow:
    """
    The cell of another column in the same row of the same table.

    Attributes:
        column: Its key.
    """

    column: str


@attrs.frozen
class InTable:
    """
    All cells of one column of a table in the same workbook.

    Attributes:
        table: Key of the table; of a sheet that is one table, the key of the sheet.
        column: Key of the column.
    """

    table: str
    column: str


@attrs.frozen
class Apply:
    """
    A function of other expressions.

    Attributes:
        function: Which.
        parts: In the order in which spreadsheet programs take them.
    """

    function: Function
    parts: tuple[Expression, ...]


Expression: TypeAlias = str | int | Decimal | date | Named | InRow | InTable | Apply


@attrs.frozen
class Live:
    """
    A value that follows from others.

    Attributes:
        value: What it comes to now, worked out by whoever makes the sheet, not from the expression.
        how: How it follows.
        name: By which other expressions may refer to it; None if none does.
        is_vital: Whether safety hangs on it, so that its value also stands beside it as plain text, for
            previews that show no result of a formula.
    """

    value: Value
    how: Expression
    name: str | None = None
    is_vital: bool = False


def plain_value(value: Value | Live) -> Value:
    """
    Take the value out of what may follow from others.

    Args:
        value: Of a row or a fact.

    Returns:
        What it is, or comes to.
    """
    return value.value if isinstance(value, Live) else value
