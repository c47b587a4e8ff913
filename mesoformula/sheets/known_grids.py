"""Pages of labels: those that come along, and those of a file."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs

from mesoformula.errors import Problem, SheetError, UnknownNameError
from mesoformula.sheets.blocks import LabelGrid
from mesoformula.words import nearest, shown

#: Used where nobody chooses another.
USUAL_GRID = "avery-l7160"

_SCHEMA = 1
_MOST_BYTES = 1_000_000
_TEXTS = ("id", "name", "source")
_COUNTS = ("columns", "rows")
_OPTIONAL = ("between_columns", "between_rows", "source", "name")
#: No printer takes a larger page, and no label is more than a page.
_LONGEST, _MOST = 2_000, 100


@cache
def label_grids() -> tuple[LabelGrid, ...]:
    """
    List the pages of labels that come along.

    Returns:
        In the order of their file.
    """
    text = (files("mesoformula.sheets") / "label_grids.toml").read_text(encoding="utf-8")
    return _read(text, "label_grids.toml")


def label_grid(name: str) -> LabelGrid:
    """
    Find a page of labels.

    Args:
        name: Its id, in any case; its last part, such as `L7160`, is enough.

    Returns:
        The page.

    Raises:
        UnknownNameError: If there is none; with those that come near, or all.
    """
    wanted = name.strip().casefold()
    known = {one.id: one for one in label_grids()}
    for id_, one in known.items():
        if wanted in (id_, id_.rpartition("-")[2]):
            return one
    raise UnknownNameError("label grid", name, nearest(wanted, known) or sorted(known))


def read_label_grid(path: Path) -> LabelGrid:
    """
    Read a page of labels from a file.

    Args:
        path: A TOML file in the form of `label_grids.toml`, with one page.

    Returns:
        The page.

    Raises:
        SheetError: With everything that is wrong in the file.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise _refusal(path, "is too large; expected a few lines about one page of labels")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal(path, "is no text in UTF-8; expected a TOML file") from None
    found = _read(text, str(path))
    if len(found) != 1:
        ids = ", ".join(shown(one.id) for one in found) or "none"
        raise _refusal(path, f"holds {len(found)} grids ({ids}); expected one")
    return found[0]


def _refusal(path: Path, message: str) -> SheetError:
    return SheetError([Problem("grid", message, str(path))])


def _read(text: str, path: str) -> tuple[LabelGrid, ...]:
    import tomllib

    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as err:
        raise SheetError([Problem("toml", f"is no TOML: {err}", path)]) from err
    reader = _Reader(text, path)
    found = reader.read(data)
    if reader.problems:
        raise SheetError(reader.problems)
    return tuple(found)


@attrs.define
class _Reader:
    """Reads grids, and keeps everything that is wrong with them."""

    text: str
    path: str
    problems: list[Problem] = attrs.field(factory=list)

    def read(self, data: dict[str, Any]) -> list[LabelGrid]:
        if data.get("schema") != _SCHEMA:
            self._wrong("schema", f"expected schema = {_SCHEMA}", "schema")
        for key in data.keys() - {"schema", "grid"}:
            self._wrong("unknown-key", f"{shown(key)} is no key; expected schema and [[grid]]", key)
        grids = data.get("grid", [])
        if not isinstance(grids, list) or not all(isinstance(one, dict) for one in grids):
            self._wrong("grid", "expected [[grid]] with its measures below", "grid")
            return []
        found = [self._grid(one, number) for number, one in enumerate(grids)]
        return [one for one in found if one is not None]

    def _grid(self, given: dict[str, Any], number: int) -> LabelGrid | None:
        before = len(self.problems)
        known = [field.name for field in attrs.fields(LabelGrid)]
        for key in given.keys() - set(known):
            expected = ", ".join(nearest(key, known) or known)
            self._wrong("unknown-key", f"{shown(key)} is no key; expected {expected}", "grid", number, key)
        values: dict[str, Any] = {}
        for key in known:
            if key in given:
                values[key] = self._value(given[key], key, number)
            elif key not in _OPTIONAL:
                self._wrong("missing", f"{key} is missing", "grid", number)
        if len(self.problems) > before:
            return None
        values.setdefault("name", values["id"])
        grid = LabelGrid(**values)
        for message in _objections(grid):
            self._wrong("too-large", message, "grid", number)
        return grid

    def _value(self, value: Any, key: str, number: int) -> Any:
        place = ("grid", number, key)
        if key in _TEXTS:
            if not isinstance(value, str) or not value.strip() or not value.isprintable():
                self._wrong("text", f"{key} is {shown(str(value))}; expected a text on one line", *place)
            return value
        if key in _COUNTS:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
                expected = f"expected a whole number from 1 to {_MOST}"
                self._wrong("count", f"{key} is {shown(str(value))}; {expected}", *place)
            return value
        least = 0 if key in ("left", "top", "between_columns", "between_rows") else Decimal("0.01")
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if not is_number or not Decimal(value).is_finite() or not least <= value <= _LONGEST:
            expected = "expected millimetres as a number, such as 63.5"
            self._wrong("length", f"{key} is {shown(str(value))}; {expected}", *place)
            return value
        return Decimal(value)

    def _wrong(self, code: str, message: str, *place: str | int) -> None:
        from mesoformula.catalogue.lines import line_numbers, line_of

        line = line_of(line_numbers(self.text), place)
        self.problems.append(Problem(code, message, self.path, line))


def _objections(grid: LabelGrid) -> list[str]:
    across = grid.left + grid.columns * grid.width + (grid.columns - 1) * grid.between_columns
    down = grid.top + grid.rows * grid.height + (grid.rows - 1) * grid.between_rows
    found = []
    if across > grid.page_width:
        found.append(f"labels reach {across} mm to the right; the page is {grid.page_width} mm wide")
    if down > grid.page_height:
        found.append(f"labels reach {down} mm down; the page is {grid.page_height} mm high")
    return found
