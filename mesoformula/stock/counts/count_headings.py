"""Which column of a table to fill in holds what: by its heading, in any language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from mesoformula.errors import GridError
from mesoformula.grids import Cell, Grid
from mesoformula.words import folded, shown

#: What the columns of a table to fill in may hold.
FIELDS = ("count", "line", "product", "name", "lot", "expiry", "place", "expected", "counted", "remark")
#: Without which no such table can be read.
NEEDED = ("count", "line", "product", "lot", "place", "counted")
#: How many rows may stand above the headings.
MOST_ABOVE = 50


@cache
def headings() -> Mapping[str, str]:
    """
    Read what columns are called: one file for each language.

    Returns:
        What each heading stands for, folded.
    """
    known: dict[str, str] = {}
    for path in files("mesoformula.stock.counts").joinpath("headings").iterdir():
        if path.name.endswith(".toml"):
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            for field, called in tables["headings"].items():
                known |= {folded(heading): field for heading in called}
    return known


def find_columns(grid: Grid) -> tuple[int, dict[str, int]]:
    """
    Find the row of headings, and what each of them stands for.

    Args:
        grid: The table.

    Returns:
        Its place among the rows of the grid, from 0, and the columns by what they hold, counted from 1.

    Raises:
        GridError: If there is no such row, or a heading stands in it twice.
    """
    known = headings()
    best = list(NEEDED)
    for place, row in enumerate(grid.rows[:MOST_ABOVE]):
        columns: dict[str, int] = {}
        twice: Cell | None = None
        for cell in row:
            field = known.get(folded(cell.value)) if isinstance(cell.value, str) else None
            if field is not None:
                twice = cell if field in columns else twice
                columns.setdefault(field, cell.column)
        missing = [field for field in NEEDED if field not in columns]
        if not missing:
            if twice is not None:
                message = f"the heading {shown(str(twice.value))} stands here twice; remove one"
                raise GridError([grid.problem("headings", message, twice)])
            return place, columns
        best = min(best, missing, key=len)
    message = (
        f"no row of headings: {', '.join(map(shown, best))} missing; expected a file that 'sheet count' or "
        "'stock count open --to' wrote"
    )
    raise GridError([grid.problem("headings", message)])
