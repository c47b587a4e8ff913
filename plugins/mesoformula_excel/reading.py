"""
Excel workbooks as grids, read so that a hostile file costs one clear line.

Before openpyxl sees a file, every part of it is taken out within limits, and refused if it declares a
document type: what openpyxl gets is an archive of exactly those parts.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.parsers import expat

import attrs
from openpyxl import load_workbook

from mesoformula import Cell, Grid, GridError, Problem
from mesoformula.grids import LONGEST_CELL, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, read_content

MOST_PARTS = 2000
MOST_UNPACKED = 100_000_000
#: How many times smaller a part may be packed; of small parts anything is believed.
MOST_RATIO = 200
SMALL_PART = 1_000_000
#: Tags in all parts: what a tree of them takes in memory is far more than their text.
MOST_TAGS = 5_000_000
DEEPEST = 64
#: Rows that merged cells reach over, added up.
MOST_MERGED_ROWS = 2_000_000

_CHUNK = 1 << 16
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_NUMBERED = re.compile(rb'<row\b[^<>]*?\sr="[0-9]+"')
_EMPTY_ROW = re.compile(rb"<row\b[^<>]*/>|<row\b[^<>]*[^<>/]>(?:<c\b[^<>]*/>)*</row>")
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6}):([A-Z]{1,3})([1-9][0-9]{0,6})")
_ENCODING = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
# What a number format shows as it stands: quoted or escaped text, padding, colours and conditions.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
# How a file writes an underscore that would else begin the code of a character.
_ESCAPED = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")
_SAVE_AS = "save it as an Excel workbook (.xlsx)"


def read_workbook(path: Path) -> tuple[Grid, ...]:
    """
    Read all sheets of a workbook.

    Args:
        path: The file.

    Returns:
        One grid per sheet, hidden ones marked. Whole numbers are `int`, others `Decimal` as they are written;
        truth values and times of day are text.

    Raises:
        GridError: If it is no workbook, holds macros, is locked, damaged or built to do harm, or exceeds a
            limit.
    """
    content = read_content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a reader of values does not need
            return tuple(_grids(_checked(content, path), path))
    except GridError:
        raise
    except Exception as err:
        # openpyxl answers to a damaged file with whatever exception comes first.
        raise _refusal(path, "damaged", f"cannot be read as a workbook; open it and {_SAVE_AS}") from err


def _refusal(path: Path, code: str, message: str) -> GridError:
    return GridError([Problem(code, message, str(path))])


# ---- the archive ---------------------------------------------------------------------------------------


def _checked(content: bytes, path: Path) -> BytesIO:
    """Take out the parts that a workbook is made of, and refuse what could do harm."""
    if content.startswith(_COMPOUND):
        if _ENCRYPTED in content:
            raise _refusal(path, "locked", f"is locked with a password; open it and {_SAVE_AS} without one")
        raise _refusal(path, "old-format", f"is in the format of Excel 97 to 2003; open it and {_SAVE_AS}")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except zipfile.BadZipFile as err:
        raise _refusal(path, "no-workbook", f"is no Excel workbook; {_SAVE_AS}") from err
    kept = BytesIO()
    tags = 0
    with archive, zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as copy:
        parts = [part for part in archive.infolist() if not part.is_dir()]
        _check_parts(parts, path)
        for part in parts:
            if not part.filename.lower().endswith((".xml", ".rels")):
                continue  # pictures and the like: not in the copy, so that nothing reads them
            data = _taken(archive, part, path)
            _check_xml(data, part.filename, path)
            data = _without_empty_rows(data)
            tags += data.count(b"<")
            if tags > MOST_TAGS:
                raise _refusal(path, "too-large", f"holds more than {MOST_TAGS} tags; split it")
            copy.writestr(part.filename, data)
    return kept


def _check_parts(parts: list[zipfile.ZipInfo], path: Path) -> None:
    names = [part.filename.lower() for part in parts]
    if len(names) > MOST_PARTS or len(set(names)) < len(names):
        raise _refusal(path, "archive", f"has parts of one name, or more than {MOST_PARTS} parts; {_SAVE_AS}")
    if any(part.flag_bits & 1 for part in parts):
        raise _refusal(path, "locked", f"is an archive locked with a password; {_SAVE_AS} without one")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED or any(
        part.file_size > max(SMALL_PART, MOST_RATIO * part.compress_size) for part in parts
    ):
        raise _refusal(
            path,
            "bomb",
            f"unpacks to {unpacked} bytes, far more than it should; at most {MOST_UNPACKED // 1_000_000} MB "
            f"and {MOST_RATIO} times its size are read",
        )
    if any(name.endswith("vbaproject.bin") for name in names):
        raise _refusal(path, "macros", f"holds macros, which are never run; {_SAVE_AS}, which has none")
    if "xl/workbook.bin" in names or "mimetype" in names:
        raise _refusal(path, "no-workbook", f"is a spreadsheet of another format; open it and {_SAVE_AS}")
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise _refusal(path, "no-workbook", f"is an archive, and no Excel workbook; {_SAVE_AS}")


def _taken(archive: zipfile.ZipFile, part: zipfile.ZipInfo, path: Path) -> bytes:
    """Unpack a part piece by piece, as its size may be a lie."""
    pieces = []
    left = part.file_size
    with archive.open(part) as stream:
        while piece := stream.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise _refusal(path, "bomb", "has a part that is larger than it says")
            pieces.append(piece)
    return b"".join(pieces)


def _check_xml(data: bytes, name: str, path: Path) -> None:
    """Refuse document types, and encodings in which one could hide."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    declared = _ENCODING.match(text)
    if not text.lstrip().startswith(b"<") or b"\0" in text:
        raise _refusal(path, "xml", f"has a part {name[:60]!r} that is no XML in UTF-8; {_SAVE_AS}")
    if declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise _refusal(path, "xml", f"has a part {name[:60]!r} that is not in UTF-8; {_SAVE_AS}")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise _refusal(
            path,
            "entities",
            f"has a part {name[:60]!r} with a document type, which no workbook needs; it is not read",
        )


def _without_empty_rows(data: bytes) -> bytes:
    """Take out the rows of a large sheet that hold nothing: some programs write a million of them."""
    # Rows without a number are counted from the one before, and what is no markup may look like it.
    if len(data) < SMALL_PART or b"<!" in data or len(_NUMBERED.findall(data)) != data.count(b"<row"):
        return data
    return _EMPTY_ROW.sub(b"", data)


# ---- sheets --------------------------------------------------------------------------------------------


@attrs.define
class _Survey:
    """
    What a look at the XML of a sheet shows that its values do not.

    Attributes:
        title: Of the sheet.
        path: Of the file.
        last_row: The last with a value.
        last_column: The last with a value.
        formulas: Row and column of each.
        hidden: Rows that are not shown.
        merged: By row, a number with one bit per merged column.
    """

    title: str
    path: Path
    last_row: int = 0
    last_column: int = 0
    formulas: set[tuple[int, int]] = attrs.field(factory=set)
    hidden: set[int] = attrs.field(factory=set)
    merged: dict[int, int] = attrs.field(factory=dict)
    _ranges: list[tuple[int, int, int, int]] = attrs.field(factory=list)
    _row: int = 0
    _column: int = 0
    _filled_row: int = 0
    _rows: int = 0
    _cells: int = 0
    _depth: int = 0
    _in_cell: bool = False
    _is_filled: bool = False

    def look(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.Parse(data, True)
        self._merge()

    def _refused(self, code: str, message: str) -> GridError:
        return _refusal(self.path, code, f"sheet {self.title[:40]!r} {message}")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._refused("damaged", f"is nested deeper than any spreadsheet; {_SAVE_AS}")
        match tag.rpartition(" ")[2]:
            case "row":
                self._begin_row(attributes.get("r"))
                if attributes.get("hidden") in ("1", "true"):
                    self.hidden.add(self._row)
            case "c":
                self._begin_cell(attributes.get("r"))
            case "f" if self._in_cell:
                self.formulas.add((self._row, self._column))
                self._fill()
            case "v" | "is" if self._in_cell:
                self._fill()
            case "mergeCell":
                found = _RANGE.fullmatch(attributes.get("ref", ""))
                if found is not None:
                    self._ranges.append((int(found[2]), _number(found[1]), int(found[4]), _number(found[3])))

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag.rpartition(" ")[2] == "c":
            self._in_cell = False

    def _begin_row(self, given: str | None) -> None:
        number = int(given) if given is not None else self._row + 1
        # openpyxl would leave out a row that comes too late, and nobody would know.
        if not self._row < number <= 1_048_576:
            raise self._refused("damaged", f"has rows out of order; open it and {_SAVE_AS}")
        self._row, self._column = number, 0

    def _begin_cell(self, given: str | None) -> None:
        column = self._column + 1
        if given is not None:
            found = _CELL.fullmatch(given)
            if found is None or int(found[2]) != self._row or _number(found[1]) < column:
                raise self._refused("damaged", f"has cells out of order; open it and {_SAVE_AS}")
            column = _number(found[1])
        self._column, self._in_cell, self._is_filled = column, True, False

    def _fill(self) -> None:
        """Count a cell with a value, once."""
        if self._is_filled:
            return
        self._is_filled = True
        self._cells += 1
        if self._row != self._filled_row:
            self._filled_row = self._row
            self._rows += 1
        if self._column > MOST_COLUMNS:
            raise self._refused("too-large", f"has more than {MOST_COLUMNS} columns; remove some")
        if self._rows > MOST_ROWS or self._cells > MOST_CELLS:
            raise self._refused(
                "too-large", f"has more than {MOST_ROWS} rows or {MOST_CELLS} cells; split it"
            )
        self.last_row, self.last_column = self._row, max(self.last_column, self._column)

    def _merge(self) -> None:
        reached = 0
        for top, left, bottom, right in self._ranges:
            bits = (1 << min(right, MOST_COLUMNS) + 1) - (1 << left) if left <= MOST_COLUMNS else 0
            bottom = min(bottom, self.last_row)
            reached += max(0, bottom - top + 1)
            if reached > MOST_MERGED_ROWS:
                raise self._refused("too-large", "has too many merged cells; unmerge them")
            for row in range(top, bottom + 1):
                self.merged[row] = self.merged.get(row, 0) | bits


def _number(letters: str) -> int:
    """Count a column from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _grids(archive: BytesIO, path: Path) -> Iterator[Grid]:
    book = load_workbook(archive, read_only=True, data_only=True, keep_links=False)
    try:
        if not book.worksheets:
            raise _refusal(path, "no-workbook", f"holds no sheet that can be read; open it and {_SAVE_AS}")
        with zipfile.ZipFile(archive) as parts:
            for sheet in book.worksheets:
                survey = _Survey(sheet.title, path)
                survey.look(parts.read(sheet._worksheet_path))
                rows = tuple(_rows(sheet, survey)) if survey.last_row else ()
                numbers = {row[0].row for row in rows}
                yield Grid(
                    sheet.title,
                    rows,
                    str(path),
                    is_sheet=True,
                    is_hidden=sheet.sheet_state != "visible",
                    hidden=frozenset(survey.hidden & numbers),
                )
    finally:
        book.close()


def _rows(sheet: Any, survey: _Survey) -> Iterator[tuple[Cell, ...]]:
    sheet.reset_dimensions()  # what a file says of its own size may be wrong
    found = sheet.iter_rows(min_row=1, max_row=survey.last_row, min_col=1, max_col=max(survey.last_column, 1))
    for number, cells in enumerate(found, start=1):
        merged = survey.merged.get(number, 0)
        row = [
            _cell(cell, number, column, survey, bool(merged >> column & 1))
            for column, cell in enumerate(cells, start=1)
        ]
        while row and row[-1].value is None and not (row[-1].is_formula or row[-1].is_merged):
            row.pop()
        if any(cell.value is not None or cell.is_formula for cell in row):
            yield tuple(row)


def _cell(cell: Any, row: int, column: int, survey: _Survey, is_merged: bool) -> Cell:
    value, is_error = cell.value, cell.data_type == "e"
    is_month = False
    if isinstance(value, str):
        if len(value) > LONGEST_CELL:
            place = Cell(None, row, column).place
            raise survey._refused("too-large", f"has more than {LONGEST_CELL} characters in {place}")
        value = _ESCAPED.sub("_", value) or None
    elif isinstance(value, bool):
        value = "TRUE" if value else "FALSE"
    elif isinstance(value, float):
        value = Decimal(repr(value))
        if not value.is_finite():
            value, is_error = "#NUM!", True
        elif value == value.to_integral_value() and abs(value) < 10**15:
            value = int(value)
    elif isinstance(value, datetime):
        is_month = _shows_month(cell.number_format)
        if value.time() == time():
            value = value.date()
    elif isinstance(value, date):
        is_month = _shows_month(cell.number_format)
    elif value is not None and not isinstance(value, int):
        value = str(value)  # a time of day, or a span of time
    return Cell(value, row, column, (row, column) in survey.formulas, is_merged, is_error, is_month)


def _shows_month(number_format: str) -> bool:
    """Tell whether a number format shows month and year, and no day."""
    letters = set(_LITERAL.sub("", number_format).partition(";")[0].lower())
    return {"m", "y"} <= letters and not letters & set("dhs")
