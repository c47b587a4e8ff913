"""Columns and rows."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import attrs

from mesoformula.sheets.expressions import Live, Value, plain_value


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
        expired_word: In the language of the sheet.
        soon_word: In the language of the sheet.
    """

    column: str
    soon: int
    expired_word: str = Mark.EXPIRED.value
    soon_word: str = Mark.SOON.value

    def mark(self, days: Value | Live) -> Mark:
        """
        Find the mark for a number of days left.

        Args:
            days: Until the last day of use; None if nobody knows.

        Returns:
            It; none for None.
        """
        number = plain_value(days)
        return Mark.of_days(number, self.soon) if isinstance(number, int) else Mark.NONE

    def word(self, mark: Mark) -> str | None:
        """
        Say a mark in the language of the sheet.

        Args:
            mark: Any.

        Returns:
            Its word; None for any but expired and soon.
        """
        return {Mark.EXPIRED: self.expired_word, Mark.SOON: self.soon_word}.get(mark)


Computed: TypeAlias = DaysUntil | Times | MarkOfDays


@attrs.frozen
class Allowed:
    """
    What a person may enter into a cell.

    Attributes:
        low: The smallest number.
        high: The largest number.
        choices: Texts of which it must be one; then the numbers do not count.
        longest: The longest text; then neither numbers nor choices count.
    """

    low: Decimal | int | None = None
    high: Decimal | int | None = None
    choices: tuple[str, ...] = ()
    longest: int | None = None


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
        editable: Whether a person fills it in; on a locked sheet only such cells can be changed.
        allowed: What may be entered there; None for anything.
    """

    key: str
    heading: str
    holds: Holds = Holds.TEXT
    computed: Computed | None = None
    total: bool = False
    at_least: bool = False
    places: int = 0
    widest: int = 40
    editable: bool = False
    allowed: Allowed | None = None


@attrs.frozen
class Row:
    """
    One row.

    Attributes:
        values: In the order of the columns, computed ones included.
        mark: What it is marked as.
        editable: Keys of further columns that a person fills in here, as in a spare row of a locked sheet.
    """

    values: tuple[Value | Live, ...]
    mark: Mark = Mark.NONE
    editable: tuple[str, ...] = ()


@attrs.frozen
class Rows:
    """
    Rows that are read as they are needed, for exports that memory would not hold.

    Attributes:
        count: How many there are.
        read: Reads them once more from the first.
    """

    count: int
    read: Callable[[], Iterator[Row]]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        return self.read()


def row(columns: Sequence[Column], given: Mapping[str, Value | Live], as_of: date | None = None) -> Row:
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
    values: dict[str, Value | Live] = {}
    mark = Mark.NONE
    for column in columns:
        if column.computed is None:
            values[column.key] = given.get(column.key)
        else:
            values[column.key] = _work_out(column.computed, values, as_of)
            if isinstance(column.computed, MarkOfDays):
                mark = column.computed.mark(values[column.computed.column])
    return Row(tuple(values.values()), mark)


def _work_out(computed: Computed, values: Mapping[str, Value | Live], as_of: date | None) -> Value:
    match computed:
        case DaysUntil(column):
            day = plain_value(values[column])
            return (day - as_of).days if isinstance(day, date) and as_of is not None else None
        case Times(left, right):
            one, other = plain_value(values[left]), plain_value(values[right])
            if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
                return one * other
            return None
        case MarkOfDays(column):
            return computed.word(computed.mark(values[column]))


def total(columns: Sequence[Column], rows: Sequence[Row] | Rows, key: str) -> Decimal | int | None:
    """
    Add up one column.

    Args:
        columns: Of the table.
        rows: Of the table.
        key: Of a column that holds numbers.

    Returns:
        The sum over all rows, empty cells left out; None if all are empty, which is not the same as 0.
    """
    place = [column.key for column in columns].index(key)
    values = (plain_value(row.values[place]) for row in rows)
    numbers = [value for value in values if isinstance(value, int | Decimal)]
    return sum(numbers) if numbers else None
