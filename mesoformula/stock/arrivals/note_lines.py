"""The cells of one line of a delivery note by what they hold, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from mesoformula.errors import Problem
from mesoformula.grids import Cell, Grid
from mesoformula.stock.arrivals.note_headings import Field, Header
from mesoformula.stock.arrivals.note_values import WrongValueError, is_blank, objection, text_in
from mesoformula.words import shown

T = TypeVar("T")


@attrs.define
class Findings:
    """
    What was found in a table, so far.

    Attributes:
        problems: That stand against it.
        attention: What to look at.
        asked: Messages about a whole column, of which the first line that meets them says it for all.
    """

    problems: list[Problem] = attrs.field(factory=list)
    attention: list[Problem] = attrs.field(factory=list)
    asked: set[str] = attrs.field(factory=set)


@attrs.define
class Line:
    """
    One line below the headings.

    Attributes:
        grid: The table.
        header: Its headings.
        cells: The whole row, left to right.
        findings: Where to note what is found.
        is_refused: Whether anything is wrong with it.
    """

    grid: Grid
    header: Header
    cells: tuple[Cell, ...]
    findings: Findings
    is_refused: bool = False

    @property
    def row(self) -> int:
        """Counted from 1."""
        return self.cells[0].row

    @property
    def filled(self) -> list[Field]:
        """What the line says anything about."""
        return [
            field
            for field in self.header.columns
            if (cell := self.cell(field)) is not None and (not is_blank(cell) or cell.is_formula)
        ]

    def cell(self, field: Field) -> Cell | None:
        """Find the cell that holds something; None if no column does."""
        column = self.header.columns.get(field)
        if column is None:
            return None
        if column <= len(self.cells):
            return self.cells[column - 1]
        return Cell(None, self.row, column)

    def at(self, *fields: Field) -> Cell:
        """Find where something stands, or should."""
        present = [cell for field in fields if (cell := self.cell(field)) is not None]
        filled = [cell for cell in present if not is_blank(cell)]
        return (filled or present or [Cell(None, self.row, 1)])[0]

    def named(self, field: Field) -> str:
        """Quote the heading of a column."""
        return shown(self.header.headings[field])

    def wrong(self, code: str, message: str, cell: Cell) -> None:
        """
        Note what stands against the line.

        Args:
            code: A stable word.
            message: What was found, what was expected, and what to do.
            cell: Where.
        """
        self.is_refused = True
        self.findings.problems.append(self.grid.problem(code, message, cell))

    def ask(self, code: str, message: str, cell: Cell) -> None:
        """
        Note what stands against the line and is to be settled for the whole column, once.

        Args:
            code: A stable word.
            message: What is not clear, and how to say it.
            cell: Where.
        """
        if message in self.findings.asked:
            self.is_refused = True
            return
        self.findings.asked.add(message)
        self.wrong(code, message, cell)

    def look(self, code: str, message: str, cell: Cell) -> None:
        """
        Note what somebody should look at.

        Args:
            code: A stable word.
            message: What was found, and what to do.
            cell: Where.
        """
        self.findings.attention.append(self.grid.problem(code, message, cell))

    def value(self, field: Field, read: Callable[[Cell], T | None]) -> T | None:
        """
        Read a cell.

        Args:
            field: What it holds.
            read: Reads it, or raises `WrongValueError`.

        Returns:
            Its value; None if it is blank, is not there, or was refused.
        """
        cell = self.cell(field)
        if cell is None:
            return None
        refused = objection(cell)
        if refused is not None:
            self.wrong(field.value.replace("_", "-"), f"{self.named(field)} {refused}", cell)
            return None
        if is_blank(cell):
            return None
        try:
            return read(cell)
        except WrongValueError as err:
            self.wrong(err.code, f"{self.named(field)}: {err.message}", cell)
            return None

    def text(self, field: Field) -> str | None:
        """
        Read a text.

        Args:
            field: What it says.

        Returns:
            The text; None if the cell is blank, is not there, or was refused.
        """
        return self.value(field, lambda cell: text_in(cell, field.value.replace("_", "-")))

    def sound(self, read: Callable[[], T]) -> T | None:
        """
        Read several cells that only make sense together.

        Args:
            read: Reads them.

        Returns:
            What it returns; None if any of them was refused.
        """
        before, self.is_refused = self.is_refused, False
        found = read()
        is_sound = not self.is_refused
        self.is_refused |= before
        return found if is_sound else None
