"""Counts as tables: written to be filled in with a spreadsheet program, and read back row by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TypeVar

import attrs

from mesoformula.errors import GridError, Problem
from mesoformula.grids import Cell, Grid
from mesoformula.stock.arrivals.note_values import (
    WrongValueError,
    expiry_in,
    is_blank,
    objection,
    text_in,
    whole_in,
)
from mesoformula.stock.counts.count_figures import Found
from mesoformula.stock.counts.count_headings import find_columns
from mesoformula.stock.counts.count_sheets import CountLine, CountSheet
from mesoformula.stock.ledger.orders import check_name, containers_objections, text_objections
from mesoformula.words import shown

T = TypeVar("T")

#: Of a CSV file, left to right.
COLUMNS = ("count", "line", "product", "lot", "expiry", "place", "expected", "counted", "remark")
#: What a row of something found says; where all of it is blank, the row is a spare one.
_OF_FOUND = ("product", "lot", "place", "counted", "remark")
#: A text that a CSV file keeps from being taken for a number, a day or a formula.
_KEPT = re.compile(r'="((?:[^"]|"")*)"')
#: Texts that no spreadsheet program takes for anything else.
_PLAIN = re.compile(r"[a-z][a-z ]*|[a-z0-9-]+/[a-z0-9-]+@[0-9]+")
#: What stands where no expiry is printed.
NO_EXPIRY = "none"
_TAKE_BACK = (
    "take the change back; what is on the shelf and stands in no row goes on a row of its own, without a "
    "line number"
)


@attrs.frozen
class CountFile:
    """
    A table that was filled in, read.

    Attributes:
        grid: The table.
        columns: Of each heading, counted from 1.
        counted: Containers by line of the count; None is a blank.
        remarks: Free text by line of the count.
        found: What stands in rows of its own.
        rows: The row of each line, and of each thing found as `("found", 1)`, counted from 1.
    """

    grid: Grid
    columns: Mapping[str, int]
    counted: Mapping[int, int | None]
    remarks: Mapping[int, str]
    found: tuple[Found, ...]
    rows: Mapping[int | tuple[str | int, ...], int]

    @property
    def hidden(self) -> int:
        """How many of the rows were not shown, and were read all the same."""
        return len(self.grid.hidden & set(self.rows.values()))

    def placed(self, problem: Problem) -> Problem:
        """
        Say where in the file a problem of the ledger stands.

        Args:
            problem: Of `post_count`.

        Returns:
            The problem with its place in the file; as it is if it is about no row.
        """
        key = problem.where or problem.line
        row = self.rows.get(key) if key is not None else None
        if row is None:
            return problem
        message = re.sub(r"^(?:line|found) \d+: ", "", problem.message)
        column = self.columns.get({"lot": "lot", "location": "place"}.get(problem.code, "counted"), 1)
        return self.grid.problem(problem.code, message, Cell(None, row, column))

    def refusal(self, problems: Iterable[Problem]) -> GridError:
        """
        Make the refusal of a file whose figures the ledger refuses.

        Args:
            problems: Of `post_count`.

        Returns:
            All of them, with their places in the file.
        """
        return GridError([self.placed(one) for one in problems])


# ---- writing -------------------------------------------------------------------------------------------


def count_csv(sheet: CountSheet, *, blind: bool = False) -> str:
    """
    Write a count to be filled in.

    Args:
        sheet: The count.
        blind: Whether to leave out what is expected.

    Returns:
        CSV; lot numbers are marked as text, so that a spreadsheet program keeps them to the letter.
    """
    columns = [name for name in COLUMNS if not (blind and name == "expected")]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for line in sheet.lines:
        said = _said(sheet, line)
        writer.writerow(_marked(said.get(name, "")) for name in columns)
    return text.getvalue()


def _said(sheet: CountSheet, line: CountLine) -> dict[str, str | int]:
    return {
        "count": sheet.number,
        "line": line.line,
        "product": line.product.pinned_id,
        "name": line.product.name,
        "lot": line.lot,
        "expiry": line.expiry.isoformat() if line.expiry is not None else NO_EXPIRY,
        "place": line.location,
        "expected": line.expected,
    }


def _marked(value: str | int) -> str | int:
    if isinstance(value, int) or not value or _PLAIN.fullmatch(value):
        return value
    return '="' + value.replace('"', '""') + '"'


# ---- reading -------------------------------------------------------------------------------------------


def read_count_file(grid: Grid, sheet: CountSheet) -> CountFile:
    """
    Read a count that was filled in, whole or not at all.

    Rows may stand in another order, and whatever else stands beside the table, above it or in a line of its
    own below it is left alone.

    Args:
        grid: The table.
        sheet: The count that it should be of.

    Returns:
        What was counted.

    Raises:
        GridError: With every problem of every row, or of the headings if those cannot be read.
    """
    place, columns = find_columns(grid)
    reader = _Reader(grid, columns, sheet, {line.line: line for line in sheet.lines})
    for cells in grid.rows[place + 1 :]:
        reader.read(cells)
    reader.finish()
    if reader.problems:
        raise GridError(reader.problems)
    return CountFile(grid, columns, reader.counted, reader.remarks, tuple(reader.found), reader.rows)


@attrs.define
class _Reader:
    """Reads row after row, and keeps everything that is wrong."""

    grid: Grid
    columns: Mapping[str, int]
    sheet: CountSheet
    lines: Mapping[int, CountLine]
    problems: list[Problem] = attrs.field(factory=list)
    counted: dict[int, int | None] = attrs.field(factory=dict)
    remarks: dict[int, str] = attrs.field(factory=dict)
    found: list[Found] = attrs.field(factory=list)
    rows: dict[int | tuple[str | int, ...], int] = attrs.field(factory=dict)

    def read(self, cells: tuple[Cell, ...]) -> None:
        row = {name: self._cell(cells, column) for name, column in self.columns.items()}
        filled = [name for name, cell in row.items() if _is_filled(cell)]
        if not filled or self._is_note(row, filled):
            return
        if not _is_filled(row["line"]):
            if any(name in filled for name in _OF_FOUND):
                self._beside(row)
            return
        line = self._value(row["line"], "line", lambda cell: whole_in(cell, "line"))
        if line is None:
            return
        known = self.lines.get(line)
        if known is None:
            message = f"line {line}: count {self.sheet.number} has lines 1 to {len(self.lines)}"
            self._wrong("line", message, row["line"])
            return
        before = self.rows.setdefault(line, row["line"].row)
        if line in self.counted:
            message = f"line {line} stands in row {before} already; remove one"
            self._wrong("line", message, row["line"])
            return
        self._compare(row, known)
        self.counted[line] = self._figure(row["counted"], least=0)
        remark = self._remark(row)
        if remark is not None:
            self.remarks[line] = remark

    def finish(self) -> None:
        """Refuse a table in which a line is missing: whether it was counted cannot be told."""
        for number, line in self.lines.items():
            if number not in self.rows:
                what = f"lot {shown(line.lot)} of {line.product.pinned_id} at {shown(line.location)}"
                message = (
                    f"line {number} is missing: {what}; put the row back, and leave 'counted' blank if it "
                    "was not counted"
                )
                self.problems.append(self.grid.problem("missing", message))

    def _cell(self, cells: tuple[Cell, ...], column: int) -> Cell:
        return cells[column - 1] if column <= len(cells) else Cell(None, cells[0].row, column)

    def _is_note(self, row: Mapping[str, Cell], filled: list[str]) -> bool:
        """Tell whether a row is a sentence below the table: a text in its first column, or by its name."""
        first = min(self.columns, key=lambda name: self.columns[name])
        cell = row[filled[0]]
        return (
            len(filled) == 1
            and filled[0] in (first, "name")
            and isinstance(cell.value, str)
            and any(map(str.isalpha, cell.value))
            and not cell.is_error
        )

    def _wrong(self, code: str, message: str, cell: Cell) -> None:
        self.problems.append(self.grid.problem(code, message, cell))

    def _value(self, cell: Cell, code: str, read: Callable[[Cell], T | None]) -> T | None:
        refused = objection(cell)
        if refused is not None:
            self._wrong(code, f"{code} {refused}", cell)
            return None
        try:
            return read(cell)
        except WrongValueError as err:
            self._wrong(err.code, f"{code}: {err.message}", cell)
            return None

    def _figure(self, cell: Cell, *, least: int) -> int | None:
        figure = self._value(cell, "counted", lambda one: whole_in(one, "counted"))
        if figure is not None:
            for code, message in containers_objections(figure, least=least):
                self._wrong(code, message, cell)
        return figure

    def _remark(self, row: Mapping[str, Cell]) -> str | None:
        cell = row.get("remark")
        if cell is None:
            return None
        text = self._value(cell, "remark", _text)
        for code, message in text_objections("remark", text):
            self._wrong(code, message, cell)
        return text

    def _compare(self, row: Mapping[str, Cell], line: CountLine) -> None:
        """Refuse a row that is not as it was written: its figure may belong to something else."""
        for name, written in _said(self.sheet, line).items():
            cell = row.get(name)
            if cell is None or name == "line":
                continue
            refused = objection(cell)
            if refused is not None:
                self._wrong("edited", f"{name} {refused}", cell)
                continue
            if name == "expiry" and _is_expiry(cell, line.expiry):
                continue
            found = "" if cell.value is None else str(_text(cell) or "")
            if name == "name":
                found, written = _settled(found), _settled(str(written))
            if found != str(written):
                message = f"{name} {shown(found)} was {shown(str(written))} when it was written; {_TAKE_BACK}"
                if name == "expiry":
                    message = (
                        f"expiry {shown(found)}: the ledger says {written}; take the change back; the "
                        "expiry of a lot is corrected with 'stock fact'"
                    )
                self._wrong("edited", message, cell)

    def _beside(self, row: Mapping[str, Cell]) -> None:
        """Read a row of something that the count does not expect."""
        number = self._value(row["count"], "count", lambda cell: whole_in(cell, "count"))
        if number is not None and number != self.sheet.number:
            self._wrong("count", f"is of count {number}, not of count {self.sheet.number}", row["count"])
        before = len(self.problems)
        product, lot, place = (self._name(row[name], name) for name in ("product", "lot", "place"))
        figure = self._figure(row["counted"], least=1)
        remark = self._remark(row)
        for name in ("product", "lot", "counted"):
            if is_blank(row[name]) and objection(row[name]) is None:
                missing = "say how many were found" if name == "counted" else f"{name} must be given"
                self._wrong(name, f"without a line number, {missing}", row[name])
        if len(self.problems) == before and product is not None and lot is not None and figure is not None:
            self.found.append(Found(product, lot, figure, place, remark))
            self.rows["found", len(self.found)] = row["counted"].row

    def _name(self, cell: Cell, column: str) -> str | None:
        text = self._value(cell, column, lambda one: _name_in(one, column))
        code = {"lot": "lot", "place": "location"}.get(column)
        if code is not None and text is not None:
            problems: list[Problem] = []
            check_name(problems, code, text)
            for problem in problems:
                self._wrong(problem.code, problem.message, cell)
        return text


def _is_filled(cell: Cell) -> bool:
    return not is_blank(cell) or cell.is_formula


def _settled(text: str) -> str:
    """Leave out how blanks stand: programs join them, and keep no other character that does not print."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _text(cell: Cell) -> str | None:
    """Read a text, with the mark taken off that kept it to the letter."""
    value = cell.value
    if value is None:
        return None
    text = str(value)
    if isinstance(value, str):
        text = text.strip(" \t\r\n\u00a0\ufeff")
        kept = _KEPT.fullmatch(text)
        text = kept[1].replace('""', '"') if kept is not None else text
    return text or None


def _name_in(cell: Cell, code: str) -> str | None:
    """Read a name; a day or a fraction cannot be what was typed."""
    return _text(cell) if isinstance(cell.value, str) else text_in(cell, code)


def _is_expiry(cell: Cell, expiry: date | None) -> bool:
    """Tell whether an expiry is the one written, in whichever form a program has brought it."""
    text = _text(cell)
    if text is None:
        return expiry is None
    if isinstance(cell.value, str):
        cell = attrs.evolve(cell, value=text)
    for day_first in (True, False):
        try:
            if expiry_in(cell, day_first=day_first) == expiry:
                return True
        except WrongValueError:
            continue
    return False
