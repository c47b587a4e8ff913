"""
What an export says, not how it is written.

A sheet is plain data: columns that each hold one kind of value, rows of plain values, and sums and
differences as data too, so that a workbook can carry them as live formulas and a text format as their values.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.stock.records import StockView

Value: TypeAlias = str | int | Decimal | date | datetime | None


class Holds(enum.StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    DECIMAL = "decimal number"
    DAY = "day"
    MOMENT = "moment"


class Mark(enum.StrEnum):
    """What a row is marked as, by a word and a colour."""

    NONE = ""
    EXPIRED = "expired"
    SOON = "expires soon"
    ATTENTION = "attention"

    @classmethod
    def of_days(cls, days: int, soon: int) -> Mark:
        """
        Find the mark for a number of days left.

        Args:
            days: Until the last day of use; 0 on that day itself.
            soon: Up to how many days count as soon.

        Returns:
            Expired below 0, soon up to `soon`, else none.
        """
        if days < 0:
            return cls.EXPIRED
        return cls.SOON if days <= soon else cls.NONE


@attrs.frozen
class DaysUntil:
    """
    Days from the sheet's as-of day to another column of the same row.

    Attributes:
        column: Key of a column that holds days; where it is empty, so is the result.
    """

    column: str


@attrs.frozen
class Times:
    """
    One column of the same row times another; empty where either is empty.

    Attributes:
        left: Key of a column that holds numbers.
        right: Key of a column that holds numbers.
    """

    left: str
    right: str


@attrs.frozen
class MarkOfDays:
    """
    The word for a number of days left: `expired` below 0, `expires soon` up to `soon`, else empty.

    Attributes:
        column: Key of a column that holds the days left.
        soon: Up to how many days count as soon.
    """

    column: str
    soon: int


Computed: TypeAlias = DaysUntil | Times | MarkOfDays


@attrs.frozen
class Column:
    """
    One column.

    Attributes:
        key: By which rows and other columns name it.
        heading: With the unit, as the cells hold bare numbers.
        holds: What its cells hold.
        computed: How its cells follow from others further left; rows carry the values all the same.
        total: Whether its sum stands below.
        at_least: Whether its empty cells stand for numbers that are not known, so that the sum is `at least`.
        places: Decimal places to show.
        widest: The widest it may become, in characters; longer text wraps.
    """

    key: str
    heading: str
    holds: Holds = Holds.TEXT
    computed: Computed | None = None
    total: bool = False
    at_least: bool = False
    places: int = 0
    widest: int = 40


@attrs.frozen
class Row:
    """
    One row.

    Attributes:
        values: In the order of the columns, computed ones included.
        mark: What it is marked as.
    """

    values: tuple[Value, ...]
    mark: Mark = Mark.NONE


def row(columns: Sequence[Column], given: Mapping[str, Value], as_of: date | None = None) -> Row:
    """
    Make a row, working out the computed columns and the mark.

    Args:
        columns: Of the sheet, left to right.
        given: Values by the keys of their columns; a key left out is an empty cell.
        as_of: The day that days left are counted from.

    Returns:
        The row, marked as its last column of marks says.

    Raises:
        KeyError: If a value is for no column, or a computed column names one that does not stand left of it.
    """
    unknown = given.keys() - {column.key for column in columns if column.computed is None}
    if unknown:
        raise KeyError(min(unknown))
    values: dict[str, Value] = {}
    mark = Mark.NONE
    for column in columns:
        if column.computed is None:
            values[column.key] = given.get(column.key)
        else:
            values[column.key] = _work_out(column.computed, values, as_of)
            if isinstance(column.computed, MarkOfDays):
                mark = Mark(str(values[column.key] or ""))
    return Row(tuple(values.values()), mark)


def _work_out(computed: Computed, values: Mapping[str, Value], as_of: date | None) -> Value:
    match computed:
        case DaysUntil(column):
            day = values[column]
            return (day - as_of).days if isinstance(day, date) and as_of is not None else None
        case Times(left, right):
            one, other = values[left], values[right]
            if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
                return one * other
            return None
        case MarkOfDays(column, soon):
            days = values[column]
            return (Mark.of_days(days, soon).value or None) if isinstance(days, int) else None


@attrs.frozen
class Sheet:
    """
    One sheet of an export.

    Attributes:
        key: Such as `stock`.
        title: For the tab and the head of the page.
        columns: What it holds, left to right.
        rows: Top to bottom.
        as_of: The day that days left are counted from.
        facts: Pairs of word and value that stand above the table: store, moment, version.
        notes: Sentences that stand below it.
        empty: What stands in place of rows where there are none.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    as_of: date | None = None
    facts: tuple[tuple[str, Value], ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = "Nothing to show."

    def total(self, key: str) -> Decimal | int | None:
        """
        Add up one column.

        Args:
            key: Of a column that holds numbers.

        Returns:
            The sum over all rows, empty cells left out; None if all are empty, which is not the same as 0.
        """
        place = [column.key for column in self.columns].index(key)
        values = [row.values[place] for row in self.rows]
        numbers = [value for value in values if isinstance(value, int | Decimal)]
        return sum(numbers) if numbers else None


@attrs.frozen
class SheetRequest:
    """
    What a sheet is asked for.

    Attributes:
        topic: What it is about: `stock`.
        stock: The stock to show.
        warn_days: Up to how many days left count as expiring soon.
        formulary: Everything that plugins offer; None leaves out what only it knows, such as the class of a
            substance.
        facts: Pairs of word and value for every sheet to show, such as that the data are fictional.
        notes: Sentences for every sheet to show.
    """

    topic: str
    stock: StockView
    warn_days: int = 60
    formulary: Formulary | None = None
    facts: tuple[tuple[str, Value], ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen
class Exporter:
    """
    A format that sheets can be written in.

    Attributes:
        suffix: Of the file, such as `.xlsx`; unique.
        name: For people.
        write: Writes the sheets to a path, whole or not at all; what stands there is replaced, so that asking
            first is up to the caller.
    """

    suffix: str
    name: str
    write: Callable[[Sequence[Sheet], Path], None]
