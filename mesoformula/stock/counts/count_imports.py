"""Which count a table that comes back is of: by what it names itself, never by its file name or its tab."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from mesoformula.errors import GridError, OrderError, Problem
from mesoformula.grids import Cell, Grid, chosen
from mesoformula.stock.counts.count_files import CountFile, read_count_file
from mesoformula.stock.counts.count_sheets import DIGITS, FORM, IDENTITY, CountSheet, count_sheet
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.chain import canonical, content_hash
from mesoformula.words import shown

_NAMED = re.compile(rf"{IDENTITY}-([1-9][0-9]{{0,5}}) ([1-9][0-9]{{0,14}}):([0-9a-f]{{{DIGITS}}})")
_KEPT = re.compile(r'="(.*)"')


@attrs.frozen
class Identity:
    """
    What a table says of the count that it is of.

    Attributes:
        grid: The table.
        cell: Where it says so.
        count: Number of the count.
        hash: How that of the chain began when it was opened.
    """

    grid: Grid
    cell: Cell
    count: int
    hash: str

    def check(self, sheet: CountSheet) -> None:
        """
        Refuse the table if it is of a count of another stock.

        Args:
            sheet: The count that bears this number here.

        Raises:
            GridError: If its snapshot is another.
        """
        if sheet.number != self.count or sheet.anchor is None or not sheet.anchor.hash.startswith(self.hash):
            raise GridError([self.foreign("of this stock is another")])

    def foreign(self, why: str) -> Problem:
        """
        Say that the table is of another stock.

        Args:
            why: What count this stock has instead.

        Returns:
            The problem, with its cell.
        """
        message = (
            f"is of count {self.count} of another stock: count {self.count} {why}; name the stock that it "
            "was written from, with --stock"
        )
        return self.grid.problem("stock", message, self.cell)


def read_back(
    store: Store, grids: Sequence[Grid], path: Path, title: str | None = None
) -> tuple[CountSheet, CountFile]:
    """
    Read a table that was filled in, and find its count in this stock.

    Args:
        store: The stock.
        grids: All tables of the file.
        path: The file, for messages.
        title: Of the sheet, if the user named one.

    Returns:
        The count, and what was counted.

    Raises:
        GridError: If it is of another stock, or with every problem of every row.
    """
    identity = identity_of(counted_grid(grids, path, title))
    try:
        sheet = count_sheet(store, identity.count)
    except OrderError as err:
        raise GridError([identity.foreign("is not in this one")]) from err
    identity.check(sheet)
    return sheet, read_count_file(identity.grid, sheet)


def counted_grid(grids: Sequence[Grid], path: Path, title: str | None = None) -> Grid:
    """
    Choose the table of a file that is a count, whatever else the file holds.

    Args:
        grids: All tables of the file.
        path: The file, for messages.
        title: Of the sheet, if the user named one.

    Returns:
        The one that names a count, else the only one that is shown and not blank.

    Raises:
        GridError: If there is none, or the choice is open.
    """
    if title is None:
        naming = [grid for grid in grids if not grid.is_hidden and _cells(grid)]
        if naming:
            return chosen(naming, path)
    return chosen(grids, path, title)


def identity_of(grid: Grid) -> Identity:
    """
    Read which count a table is of.

    Args:
        grid: The table.

    Returns:
        What it names.

    Raises:
        GridError: If it names none, several, or is of a form that only a later version writes.
    """
    cells = _cells(grid)
    if not cells:
        message = (
            "no snapshot is named; put back the line that 'sheet count' wrote above the table, or post it "
            "with 'stock count post N --from FILE'"
        )
        raise GridError([grid.problem("snapshot", message)])
    found: Identity | None = None
    for cell in cells:
        named = _NAMED.fullmatch(_said(cell))
        if named is None or cell.is_formula:
            message = f"the snapshot {shown(_said(cell))} was changed; put back what 'sheet count' wrote here"
            raise GridError([grid.problem("snapshot", message, cell)])
        if int(named[1]) > FORM:
            message = f"is of form {named[1]}, and this version reads forms 1 to {FORM}; update mesoformula"
            raise GridError([grid.problem("version", message, cell)])
        one = Identity(grid, cell, int(named[2]), named[3])
        if found is not None and (one.count, one.hash) != (found.count, found.hash):
            message = f"names count {one.count}, and {found.cell.place} names count {found.count}; remove one"
            raise GridError([grid.problem("snapshot", message, cell)])
        found = found or one
    assert found is not None  # noqa: S101 (there are cells)
    return found


def request_of(read: CountFile, sheet: CountSheet) -> str:
    """
    Name a write by what is posted, so that the same table twice is one write.

    Args:
        read: What was counted.
        sheet: The count.

    Returns:
        A request id, the same for the same figures; remarks apart, as a plain hash of them could be guessed.
    """
    counted = sorted((line, figure) for line, figure in read.counted.items() if figure is not None)
    found = sorted([one.product, one.lot, one.location or "", one.containers] for one in read.found)
    plain = {
        "snapshot": str(sheet.anchor),
        "counted": [[line, figure] for line, figure in counted],
        "found": found,
    }
    return f"count-{content_hash(canonical(plain))[:40]}"


def _cells(grid: Grid) -> list[Cell]:
    """Find where a table names its count."""
    return [
        cell
        for row in grid.rows
        for cell in row
        if isinstance(cell.value, str) and _said(cell).startswith(IDENTITY)
    ]


def _said(cell: Cell) -> str:
    text = " ".join(str(cell.value).split())
    kept = _KEPT.fullmatch(text)
    return kept[1] if kept is not None else text
