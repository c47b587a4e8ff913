"""
Tables from outside as plain data, and the reading of CSV files.

A grid says what stands in which cell, and nothing about what it means. Whoever reads a format hands over
values as they are: a formula, a merged cell or an error is marked, and left to whoever uses the table to
refuse.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from mesoformula.errors import GridError, Problem
from mesoformula.sheets import Value
from mesoformula.words import shown

MOST_BYTES = 10_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_CELLS = 1_000_000
LONGEST_CELL = 10_000
#: What may stand between the fields of a CSV file.
DELIMITERS = (";", ",", "\t")

#: How far to look for the line that tells the delimiter.
_HEAD = 100_000
_ARCHIVE = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PLAIN_TITLE = re.compile(r"\w{1,31}")
_SEPARATOR_LINE = re.compile(r"sep=([;,\t])(?:\r\n|\r|\n)", re.IGNORECASE)


@attrs.frozen
class Cell:
    """
    One cell.

    Attributes:
        value: As it stands there; None if the cell is blank.
        row: Counted from 1; of a text file the line in which the row begins.
        column: Counted from 1.
        is_formula: Whether the value is what a program has worked out last, if it has.
        is_merged: Whether it is one of several that look like one; only the first of them has a value.
        is_error: Whether it is the name of an error, such as `#N/A`.
        is_month: Whether it is a day of which only month and year are shown.
    """

    value: Value
    row: int
    column: int
    is_formula: bool = False
    is_merged: bool = False
    is_error: bool = False
    is_month: bool = False

    @property
    def place(self) -> str:
        """Where it stands, as spreadsheets name it: `B12`."""
        letters, rest = "", self.column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}{self.row}"


@attrs.frozen
class Grid:
    """
    One table as it stands in a file.

    Attributes:
        title: Of the sheet; of a text file its name.
        rows: Top to bottom, those left out that are blank; of each the cells up to the last that is not.
        path: The file, as problems name it.
        is_sheet: Whether it is one sheet of a workbook, whose cells have names such as `B12`.
        is_hidden: Whether it is a sheet that is not shown.
        encoding: Of a text file, as it was taken to be.
        delimiter: Of a text file, as it was taken to be.
        hidden: Numbers of rows that are not shown, by a filter or by hand; they stand among the rows.
    """

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    path: str
    is_sheet: bool = False
    is_hidden: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    hidden: frozenset[int] = frozenset()

    def problem(self, code: str, message: str, cell: Cell | None = None) -> Problem:
        """
        Make a problem that names this grid and one of its cells.

        Args:
            code: A stable word.
            message: What was found, what was expected, and what to do.
            cell: Where; None for the whole grid.

        Returns:
            The problem, with the line of a text file, or the sheet and cell of a workbook.
        """
        if not self.is_sheet:
            return Problem(code, message, self.path, cell.row if cell is not None else None)
        title = self.title if _PLAIN_TITLE.fullmatch(self.title) else shown(self.title)
        if cell is None:
            return Problem(code, f"sheet {title}: {message}", self.path, where=(self.title,))
        return Problem(code, f"{title}!{cell.place}: {message}", self.path, where=(self.title, cell.place))


@attrs.frozen
class Importer:
    """
    A format that tables can be read from.

    Attributes:
        suffix: Of the file, such as `.xlsx`; unique.
        name: For people.
        read: Reads all tables of a file; raises `GridError` for whatever is wrong with it, and nothing else.
    """

    suffix: str
    name: str
    read: Callable[[Path], tuple[Grid, ...]]


def read_content(path: Path) -> bytes:
    """
    Read a file within limits, and never one without an end.

    Args:
        path: The file.

    Returns:
        What it holds.

    Raises:
        GridError: If it cannot be read, is no regular file, or is too large.
    """
    try:
        # Opened without blocking and looked at before it is read: a pipe or a device never ends.
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(opened, "rb", closefd=True) as stream:
            is_regular = stat.S_ISREG(os.fstat(opened).st_mode)
            content = stream.read(MOST_BYTES + 1) if is_regular else b""
    except IsADirectoryError:
        is_regular = False
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or err
        raise GridError([Problem("file", f"cannot be read: {reason}", str(path))]) from err
    if not is_regular:
        raise GridError([Problem("file", "is no regular file; expected a CSV file or a workbook", str(path))])
    if len(content) > MOST_BYTES:
        raise _refusal(path, "too-large", f"is larger than {MOST_BYTES // 1_000_000} MB; split it")
    return content


def read_csv(path: Path) -> tuple[Grid, ...]:
    """
    Read a text file of which each line holds fields between delimiters.

    The encoding is told by the byte-order mark (UTF-8, UTF-16), and without one is UTF-8 if the file can be
    read so, else Windows-1252. The delimiter is the one of `;`, `,` and tab that occurs most often in the
    first line with three fields or more, or the one that a first line such as `sep=;` names.

    Args:
        path: The file.

    Returns:
        One grid; every value is text.

    Raises:
        GridError: If the file cannot be read, is no such text, or exceeds a limit.
    """
    text, encoding = _decoded(read_content(path), path)
    first = 1
    if (named := _SEPARATOR_LINE.match(text)) is not None:
        delimiter, text, first = named[1], text[named.end() :], 2
    else:
        delimiter = _delimiter(text, path)
    rows = tuple(_csv_rows(text, delimiter, first, path))
    return (Grid(path.name, rows, str(path), encoding=encoding, delimiter=delimiter),)


#: What the core reads itself.
CORE_IMPORTERS = (
    Importer(".csv", "comma-separated values", read_csv),
    Importer(".tsv", "tab-separated values", read_csv),
    Importer(".txt", "text with delimiters", read_csv),
)


def chosen(grids: Sequence[Grid], path: Path, title: str | None = None) -> Grid:
    """
    Choose the one table of a file that is meant.

    Args:
        grids: All tables of the file.
        path: The file, for messages.
        title: Of the sheet, if the user named one.

    Returns:
        The one with that title, in any case; without a title the only one that is shown and not blank.

    Raises:
        GridError: If there is none, or the choice is open; with the titles to choose from.
    """
    filled = [grid for grid in grids if grid.rows and not grid.is_hidden]
    if title is not None:
        titled = [grid for grid in grids if grid.title == title]
        found = titled or [grid for grid in grids if grid.title.casefold() == title.casefold()]
        missing = f"no sheet is called {shown(title)}"
        filled = list(grids)
    else:
        found = filled
        missing = "no sheet that is shown holds anything"
    if len(found) == 1:
        return found[0]
    titles = ", ".join(shown(grid.title) for grid in filled[:20])
    choice = f"name one with --sheet: {titles}"
    if not found:
        raise _refusal(path, "sheet", f"{missing}; {choice}" if titles else missing)
    raise _refusal(path, "sheet", f"{len(found)} sheets could be meant; {choice}")


# ---- text ----------------------------------------------------------------------------------------------


def _refusal(path: Path, code: str, message: str, line: int | None = None) -> GridError:
    return GridError([Problem(code, message, str(path), line)])


def _decoded(content: bytes, path: Path) -> tuple[str, str]:
    """Decode a text, and name the encoding that it was taken to have."""
    if content.startswith((_ARCHIVE, _COMPOUND)):
        raise _refusal(path, "binary", "is a workbook or an archive, no CSV file; name it by its own suffix")
    if content.startswith(codecs.BOM_UTF8):
        tried = [("utf-8-sig", "UTF-8")]
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tried = [("utf-16", "UTF-16")]
    else:
        tried = [("utf-8", "UTF-8"), ("windows-1252", "Windows-1252")]
    for codec, name in tried:
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise _refusal(path, "binary", "holds NUL characters: no CSV file; save it as CSV in UTF-8")
        return text, name
    raise _refusal(
        path, "encoding", f"is no text in {' or '.join(name for _codec, name in tried)}; save it in UTF-8"
    )


def _delimiter(text: str, path: Path) -> str:
    """Tell the delimiter by the line that holds the headings."""
    header: dict[str, int] = {}
    for counts in _counts(text[:_HEAD]):
        most = max(counts.values())
        if most and not header:
            header = counts
        if most >= 2:
            header = counts
            break
    if not header:
        return ","
    first, second = sorted(DELIMITERS, key=lambda one: header[one], reverse=True)[:2]
    if header[first] == header[second]:
        raise _refusal(
            path,
            "delimiter",
            f"its headings hold {first!r} and {second!r} equally often; put 'sep={first}' or 'sep={second}' "
            "on a line above them",
        )
    return first


def _counts(text: str) -> Iterator[dict[str, int]]:
    """Count the delimiters outside quotation marks, line by line."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted, at_start = False, True
    for char in text:
        if char == '"' and (quoted or at_start):
            # Two in a row close and open again: what is between them is nothing.
            quoted, at_start = not quoted, quoted
        elif quoted:
            continue
        elif char in counts:
            counts[char] += 1
            at_start = True
        elif char in "\r\n":
            yield counts
            counts = dict.fromkeys(DELIMITERS, 0)
            at_start = True
        else:
            at_start = False
    yield counts


def _csv_rows(text: str, delimiter: str, first: int, path: Path) -> Iterator[tuple[Cell, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line, rows, cells = first, 0, 0
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            code, reason = _csv_reason(err)
            raise _refusal(path, code, reason, line) from err
        while fields and not fields[-1].strip():
            fields.pop()
        if fields:
            rows, cells = rows + 1, cells + len(fields)
            _within_limits(fields, rows, cells, line, path)
            yield tuple(Cell(field or None, line, number) for number, field in enumerate(fields, start=1))
        line = first + reader.line_num


def _within_limits(fields: Sequence[str], rows: int, cells: int, line: int, path: Path) -> None:
    longest = max(map(len, fields))
    if longest > LONGEST_CELL:
        raise _refusal(
            path, "too-large", f"a field has {longest} characters; at most {LONGEST_CELL} are read", line
        )
    if len(fields) > MOST_COLUMNS:
        raise _refusal(
            path, "too-large", f"{len(fields)} columns; at most {MOST_COLUMNS} are read; remove some", line
        )
    if rows > MOST_ROWS or cells > MOST_CELLS:
        raise _refusal(
            path,
            "too-large",
            f"more than {MOST_ROWS} rows or {MOST_CELLS} fields; split the file",
            line,
        )


def _csv_reason(err: csv.Error) -> tuple[str, str]:
    words = str(err)
    if "field limit" in words:
        return "too-large", (
            f"a field has more than {LONGEST_CELL} characters; does a quotation mark open and never close?"
        )
    if "end of data" in words:
        return "csv", "a quotation mark opens here and never closes"
    if "expected after" in words:
        return "csv", "a field goes on after its closing quotation mark; within a field, write the mark twice"
    return "csv", f"cannot be split into fields: {words}"
