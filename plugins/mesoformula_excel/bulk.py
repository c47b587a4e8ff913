"""
Tables too long for memory: openpyxl writes all that is around the rows, and these are streamed in.

openpyxl keeps every cell that it writes, or in its write-only mode takes most of its time for objects that
live for one cell. Here it writes a sample of a long table with everything around it: widths, styles, the
table, its filter, what stands below. When the workbook is saved, all rows take the place of the sample,
styled like it, so that long and short tables look alike and stand in one workbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice, repeat
from typing import Any
from xml.sax.saxutils import escape

import attrs
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from mesoformula import Column, Problem, Sheet, SheetError
from mesoformula.sheets import Holds, Live, Mark, Row, Rows, plain_value
from mesoformula_excel.formulas import number_text
from mesoformula_excel.texts import clean

#: Up to how many rows a table is written like any other, and how many tell the widths of a longer one.
SAMPLE = 500
#: Of zlib: the file is a fifth larger than by its own choice, and written in two thirds of the time.
LEVEL = 3

#: Characters: ten, a sign, and what keeps numbers off the text beside them.
_ROOM = 14.0
#: Rows that are joined before they are compressed.
_AT_ONCE = 500
#: Lots and names repeat; a cell with more characters is not worth remembering.
_REMEMBERED, _MOST_REMEMBERED = 200, 10_000
# Day 60 of Excel is the 29th of February 1900, which never was: only from the next day on is counting true.
_UNTRUE_DAYS = 61
_DAY_0 = date(1899, 12, 30)
_MOMENT_0 = datetime.combine(_DAY_0, datetime.min.time())
_FIRST_TRUE_DAY = _DAY_0 + timedelta(days=_UNTRUE_DAYS)
_MICROSECONDS = 86_400_000_000
#: The smallest whole number with more digits than spreadsheet programs keep.
_MOST_EXACT = 10**15

_STYLED = re.compile(rb'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?')
_DIMENSION = re.compile(rb'<dimension ref="([A-Z]+[0-9]+:[A-Z]+)([0-9]+)"\s*/>')


@attrs.define
class Tail:
    """
    All rows of a long table, of which a worksheet has a sample so far.

    Attributes:
        key: Of the sheet.
        columns: How many it has.
        sample: How many rows stand in the worksheet.
        count: How many rows there are.
        rows: Of which the first so many are meant.
        models: Places in the sample whose style stands for rows with a mark.
        is_last: Whether nothing may come after them.
        first: The row of the worksheet that the first of them is; whoever writes the sample says so.
    """

    key: str
    columns: int
    sample: int
    count: int
    rows: Iterator[Row]
    models: Mapping[Mark, int]
    is_last: bool
    first: int = 0

    @property
    def more(self) -> int:
        """How many rows there are beyond the sample."""
        return self.count - self.sample


def with_room(columns: Sequence[Column], widths: Sequence[float]) -> tuple[float, ...]:
    """
    Widen the columns of a long table, as its sample may hold none of the large numbers.

    Args:
        columns: Of the table.
        widths: By the sample; those after the columns stay as they are.

    Returns:
        Widths with room for numbers up to 99,999,999: what does not fit would be shown as `####`.
    """
    least = (
        _ROOM + column.places if column.holds in (Holds.WHOLE, Holds.DECIMAL) else 0.0 for column in columns
    )
    return tuple(map(max, widths, chain(least, repeat(0.0))))


@contextmanager
def parts(sheets: Sequence[Sheet], most: int) -> Iterator[list[tuple[Sheet, Tail | None]]]:
    """
    Divide sheets into what worksheets can hold.

    Args:
        sheets: Any.
        most: How many rows of a table a worksheet holds.

    Yields:
        Sheets with plain rows, which of a long table are a sample, with all of its rows beside it. A table
        with too many rows is several, numbered from the second; they share one reader, so that they must be
        written in order. A long table has no totals, as it is read once, and what follows from other cells
        stands in it as plain values.
    """
    found: list[tuple[Sheet, Tail | None]] = []
    readers: list[Iterator[Row]] = []
    try:
        for sheet in sheets:
            if not isinstance(sheet.rows, Rows):
                found.append((sheet, None))
                continue
            reader = sheet.rows.read()
            readers.append(reader)
            count = len(sheet.rows)
            head = tuple(islice(reader, SAMPLE + 1 if count <= SAMPLE else SAMPLE))
            if len(head) != min(count, SAMPLE):
                raise _changed(sheet.key)
            if count <= SAMPLE:
                found.append((attrs.evolve(sheet, rows=head), None))
            else:
                found.extend(_divided(sheet, head, count, chain(head, reader), most))
        yield found
    finally:
        for reader in readers:
            # A generator holds what it reads from: a connection, a file.
            if callable(close := getattr(reader, "close", None)):
                close()


def _divided(
    sheet: Sheet, head: tuple[Row, ...], count: int, rows: Iterator[Row], most: int
) -> Iterator[tuple[Sheet, Tail]]:
    columns = tuple(attrs.evolve(column, total=False) for column in sheet.columns)
    for number, start in enumerate(range(0, count, most), start=1):
        size = min(most, count - start)
        sample = head[:size]
        part = attrs.evolve(sheet, columns=columns, rows=sample)
        if number > 1:
            part = attrs.evolve(part, key=f"{sheet.key}_{number}", title=f"{sheet.title} ({number})")
        models = {row.mark: place for place, row in enumerate(sample)}
        is_last = start + size == count
        yield part, Tail(sheet.key, len(columns), len(sample), size, rows, models, is_last)


def with_rows(xml: bytes, tail: Tail) -> Iterator[bytes]:
    """
    Put all rows of a long table into a worksheet, in place of the sample.

    Args:
        xml: The worksheet as openpyxl saved it.
        tail: Its rows, of which the place is known.

    Yields:
        The worksheet, piece by piece.

    Raises:
        SheetError: If there are more or fewer rows than was said.
        ValueError: If a number is none that a cell can hold.
    """
    last = tail.first + tail.sample - 1
    start = xml.index(b'<row r="%d"' % tail.first)
    end = xml.index(b"</row>", xml.index(b'<row r="%d"' % last)) + len(b"</row>")
    styles = {
        mark: _styles(xml, tail.first + place, start, end, tail.columns)
        for mark, place in tail.models.items()
    }
    reach = tail.first + tail.count - 1
    yield _DIMENSION.sub(lambda found: _dimension(found, reach), xml[:start])
    written = 0
    for piece in _pieces(islice(tail.rows, tail.count), tail.first, styles):
        written += len(piece)
        yield "".join(piece).encode("utf-8")
    if written != tail.count or (tail.is_last and next(tail.rows, None) is not None):
        raise _changed(tail.key)
    yield xml[end:]


def _dimension(found: re.Match[bytes], reach: int) -> bytes:
    return b'<dimension ref="%s%d"/>' % (found[1], max(int(found[2]), reach))


def _changed(key: str) -> SheetError:
    message = f"sheet {key!r}: its rows have changed while they were read; nothing was written, try again"
    return SheetError([Problem("rows-changed", message)])


def _styles(xml: bytes, row: int, start: int, end: int, columns: int) -> tuple[str, ...]:
    """Read the style of each cell of a row, as attributes."""
    begin = xml.index(b'<row r="%d"' % row, start, end)
    cells = _STYLED.finditer(xml, begin, xml.index(b"</row>", begin))
    found = {letters.decode("ascii"): style for letters, style in (cell.groups() for cell in cells)}
    styles = (found.get(get_column_letter(number)) for number in range(1, columns + 1))
    return tuple(f' s="{style.decode("ascii")}"' if style else "" for style in styles)


def _pieces(rows: Iterator[Row], first: int, styles: Mapping[Mark, tuple[str, ...]]) -> Iterator[list[str]]:
    """Write rows, some at once."""
    usual = styles.get(Mark.NONE) or next(iter(styles.values()))
    letters = [get_column_letter(number) for number in range(1, len(usual) + 1)]
    starts = {
        mark: [(f'<c r="{letter}', f'"{style}') for letter, style in zip(letters, of_mark, strict=True)]
        for mark, of_mark in {**dict.fromkeys(Mark, usual), **styles}.items()
    }
    number = first
    while piece := list(islice(rows, _AT_ONCE)):
        lines = []
        for row in piece:
            cells = [
                f"{start}{number}{style}{_KINDS[type(value)](value)}"
                for (start, style), value in zip(starts[row.mark], row.values, strict=True)
            ]
            lines.append(f'<row r="{number}">{"".join(cells)}</row>')
            number += 1
        yield lines


# ---- cells -----------------------------------------------------------------------------------------------


class _Remembered(dict[Any, str]):
    """Cells by their values, of which most in a long table were there before; found without a call."""

    def __init__(self, written: Callable[[Any], str]) -> None:
        super().__init__()
        self._written = written

    def __missing__(self, value: Any) -> str:
        text = self._written(value)
        if len(text) <= _REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[value] = text
        return text


def _blank(_value: object) -> str:
    return "/>"


def _whole(value: int) -> str:
    return f"><v>{int(value) if -_MOST_EXACT < value < _MOST_EXACT else number_text(value)}</v></c>"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no number that a cell can hold")
    return f"><v>{number_text(value)}</v></c>"


def _day(value: date) -> str:
    number = value.toordinal() - _DAY_0.toordinal() if value >= _FIRST_TRUE_DAY else to_excel(value)
    return f"><v>{number}</v></c>"


def _moment(value: datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    since = value - _MOMENT_0
    if since.days < _UNTRUE_DAYS:
        return f"><v>{to_excel(value)}</v></c>"
    fraction = (since.seconds * 1_000_000 + since.microseconds) / _MICROSECONDS
    return f"><v>{since.days + fraction}</v></c>"


def _text(value: str) -> str:
    if not value:
        return "/>"
    text = clean(value)
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text or "  " in text else ""
    return f' t="inlineStr"><is><t{space}>{escape(text)}</t></is></c>'


def _live(value: Live) -> str:
    plain = plain_value(value)
    return _KINDS[type(plain)](plain)


class _Kinds(dict[type, Callable[[Any], str]]):
    """How cells are written by the type of their value."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        # The words of an enumeration are texts, as a moment is a day: what is narrower comes first.
        for known in (str, datetime, date, int, Decimal, Live):
            if issubclass(kind, known):
                self[kind] = self[known]
                return self[known]
        raise TypeError(f"a cell holds no {kind.__name__}")


_KINDS = _Kinds(
    {
        type(None): _blank,
        str: _Remembered(_text).__getitem__,
        int: _whole,
        Decimal: _Remembered(_decimal).__getitem__,
        date: _Remembered(_day).__getitem__,
        datetime: _moment,
        Live: _live,
    }
)
