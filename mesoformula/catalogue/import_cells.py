"""The cells of one row of a vendor's own table: what is taken from them, and what is noted instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import attrs

from mesoformula.catalogue.cells import UnreadError, plain_text
from mesoformula.catalogue.columns import Column, Heading
from mesoformula.errors import Problem
from mesoformula.grids import Cell, Grid
from mesoformula.stock.arrivals.note_values import (
    WrongValueError,
    is_blank,
    objection,
    text_in,
    whole_in,
)
from mesoformula.words import folded, shown

T = TypeVar("T")

#: What a text of a catalogue may hold.
_LONGEST = 2000
#: How much of a cell a note repeats; the whole stands below it.
_REPEATED = 70


class Row:
    """The cells of a row by what they hold, and what was wrong with them."""

    def __init__(self, grid: Grid, cells: Mapping[int, Cell], columns: Mapping[Column, Heading]) -> None:
        """
        Look at a row.

        Args:
            grid: The table.
            cells: Of the row, by their columns.
            columns: What is taken from it.
        """
        self.flags: list[Problem] = []
        self.whole: list[str] = []
        self._grid = grid
        self._columns = columns
        self._cells = {
            column: cell
            for column, heading in columns.items()
            if (cell := cells.get(heading.cell.column)) is not None
        }
        self.filled = [
            column
            for column, cell in self._cells.items()
            if not is_blank(cell) or objection(cell) is not None
        ]
        self._first = next(iter(cells.values()))

    @property
    def place(self) -> str:
        """Where the row stands."""
        if not self._grid.is_sheet:
            return f"line {self._first.row}"
        return f"{self._grid.title}!{attrs.evolve(self._first, column=1).place}"

    @property
    def is_hidden(self) -> bool:
        """Whether the row is not shown."""
        return self._first.row in self._grid.hidden

    @property
    def is_headings(self) -> bool:
        """Whether it repeats the headings, as at the top of every printed page."""
        repeated = [folded(str(self.value(one))) == folded(self._columns[one].text) for one in self.filled]
        return len(repeated) > 1 and all(repeated)

    def has(self, column: Column) -> bool:
        """Tell whether anything stands in a column."""
        return column in self.filled

    def cell(self, column: Column) -> Cell | None:
        """Return the cell of a column; None if the row ends before it."""
        return self._cells.get(column)

    def value(self, column: Column) -> object:
        """Return what stands in a column."""
        cell = self._cells.get(column)
        return cell.value if cell is not None else None

    def flag(self, column: Column | None, code: str, why: str) -> None:
        """Note what was not taken, with its cell, its heading and what stands there."""
        cell = self._cells.get(column) if column is not None else None
        if column is None or cell is None:
            message = f"{self.place}: {why}"
            self.flags.append(Problem(code, message, self._grid.path, self._first.row))
            return
        heading = shown(self._columns[column].text)
        where = f"{self._grid.title}!{cell.place}" if self._grid.is_sheet else f"line {cell.row}"
        said = f" {self._repeated(column)}" if cell.value is not None else ""
        self.flags.append(
            Problem(
                code,
                f"{where} {heading}{said}: {why}",
                self._grid.path,
                None if self._grid.is_sheet else cell.row,
                where=(self._grid.title, cell.place),
            )
        )

    def rest(self) -> Iterator[Problem]:
        """Repeat what stands in a row of which no product was made."""
        texts = [f"{one} {self._repeated(one)}" for one in self.filled if self.value(one) is not None]
        if texts:
            yield Problem("row", f"{self.place}: {', '.join(texts)}", self._grid.path, self._first.row)

    def _repeated(self, column: Column) -> str:
        """Quote a cell; of a long one the beginning, and the whole is kept."""
        text = str(self.value(column))
        if len(text) > _REPEATED:
            whole = f"in full, {shown(self._columns[column].text)}: {shown(text, len(text))}"
            if whole not in self.whole:
                self.whole.append(whole)
        return shown(text, _REPEATED)

    def taken(self, column: Column, read: Callable[[Cell], T | None]) -> T | None:
        """Read a cell; None if it is blank, or cannot be read, which is noted."""
        if column not in self.filled:
            return None
        cell = self._cells[column]
        reason = objection(cell)
        if reason is None:
            try:
                return read(cell)
            except WrongValueError as err:
                reason = err.message.removeprefix(f"{shown(str(cell.value))}: ")
            except UnreadError as err:
                reason = str(err)
        self.flag(column, column.value, reason)
        return None


def name_of(cell: Cell) -> str | None:
    """
    Read a name or a reference.

    Args:
        cell: Where it stands.

    Returns:
        The text on one line; None if the cell is blank.

    Raises:
        UnreadError: If it does not print, or is too long.
        WrongValueError: If it is a day or a number that cannot be what was typed.
    """
    text = plain_text(text_in(cell, "text") or "")
    if not text.isprintable():
        raise UnreadError("has characters that do not print")
    if len(text) > _LONGEST:
        raise UnreadError(f"has more than {_LONGEST} characters")
    return text or None


def per_pack_of(cell: Cell) -> int | None:
    """
    Read how many containers a pack holds.

    Args:
        cell: Where it stands.

    Returns:
        The number; None if the cell is blank.

    Raises:
        UnreadError: If a pack cannot hold so many.
        WrongValueError: If it is no whole number.
    """
    number = whole_in(cell, "per_pack")
    if number is not None and not 1 <= number <= 1000:
        raise UnreadError("expected a whole number from 1 to 1000")
    return number


def text_reader(read: Callable[[str], T]) -> Callable[[Cell], T | None]:
    """
    Make a reader of cells of a reader of texts.

    Args:
        read: Takes a text that prints, line breaks and tabs apart.

    Returns:
        Takes a cell; None if it is blank.
    """

    def of_cell(cell: Cell) -> T | None:
        text = text_in(cell, "text")
        if text is None:
            return None
        if any(not char.isprintable() and not char.isspace() for char in text):
            raise UnreadError("has characters that do not print")
        return read(text)

    return of_cell


_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?!\d)")


def without_thousands(text: str) -> str:
    """
    Refuse a number whose point may separate thousands, as in many countries' tables.

    Args:
        text: As somebody typed it; what stands as a number in its cell is in no doubt.

    Returns:
        The same text.

    Raises:
        UnreadError: If a number such as `1.500` stands in it.
    """
    found = _THOUSANDS.search(text)
    if found is not None:
        number = found[0]
        plainly = number.rstrip("0").rstrip(".") if number.endswith("0") else f"{number}0"
        raise UnreadError(
            f"the point in {number} may mark thousands or decimals; write {plainly!r} or "
            f"{number.replace('.', '')!r}"
        )
    return text
