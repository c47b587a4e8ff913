"""Which column of a vendor's own table holds what: by its heading, as the user says, or not taken."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

import attrs

from mesoformula.errors import GridError
from mesoformula.grids import Cell, Grid
from mesoformula.words import folded, nearest, shown

#: How many rows may stand above the headings.
MOST_ABOVE = 50
#: How many different things a row of headings must name at least.
FEWEST_HEADINGS = 2

_UNIT_AT_END = re.compile(r"(.+?)\s*[\[(/,]?\s*\b(mL|ml|ML|L|l|mg|g|µg)\s*[\])]?")


class Column(enum.StrEnum):
    """What a column of a vendor's table may hold."""

    SKU = "sku"
    NAME = "name"
    GTIN = "gtin"
    VENDOR = "vendor"
    PER_PACK = "per_pack"
    PRESENTATION = "presentation"
    CONTAINER = "container"
    FORM = "form"
    VOLUME = "volume"
    MASS = "mass"
    COMPOSITION = "composition"
    KIND = "kind"
    ROUTES = "routes"
    STORAGE = "storage"
    NICKNAME = "nickname"
    PRICE = "price"
    IGNORED = "ignored"


#: What is not taken into a catalogue.
LEFT_OUT = (Column.PRICE, Column.IGNORED)
_IDENTITY = {Column.SKU, Column.NAME}


class How(enum.StrEnum):
    """Why a column was taken for what it was."""

    KNOWN = "by its heading"
    SAID = "as you say"
    UNSURE = "not sure"
    UNKNOWN = "not known"
    SECOND = "a second column for the same"


@attrs.frozen
class Heading:
    """
    One column.

    Attributes:
        text: Its heading, as it stands there.
        cell: Where.
        column: What it is taken for.
        how: Why.
        could_be: What it may be, where that is not sure.
        unit: That the heading names for numbers without one.
    """

    text: str
    cell: Cell
    column: Column
    how: How
    could_be: Column | None = None
    unit: str | None = None


@attrs.frozen
class Headings:
    """
    The row of headings.

    Attributes:
        place: Its place among the rows of the grid, from 0.
        all: Left to right.
    """

    place: int
    all: tuple[Heading, ...]

    @property
    def taken(self) -> Mapping[Column, Heading]:
        """The columns that go into the catalogue, by what they hold."""
        return {one.column: one for one in self.all if one.column not in LEFT_OUT}


@attrs.frozen
class Vocabulary:
    """
    The words of all languages, folded.

    Attributes:
        headings: What each heading stands for.
        unsure: What a heading may stand for.
        words: What a word in a cell says, by what it is about.
    """

    headings: Mapping[str, Column]
    unsure: Mapping[str, Column]
    words: Mapping[str, Mapping[str, str]]


@cache
def vocabulary() -> Vocabulary:
    """
    Read what columns are called, and what words say.

    Returns:
        The words of all languages.
    """
    text = files("mesoformula.catalogue").joinpath("price_lists.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    words: dict[str, dict[str, str]] = {}
    for language in tables["words"].values():
        for about, meanings in language.items():
            known = words.setdefault(about, {})
            known.update({folded(one): meaning for meaning, said in meanings.items() for one in said})
    return Vocabulary(_headings(tables["headings"]), _headings(tables["unsure"]), words)


def _headings(languages: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Column]:
    return {
        folded(heading): Column(column)
        for language in languages.values()
        for column, known in language.items()
        for heading in known
    }


def find_headings(
    grid: Grid,
    mapping: Mapping[str, str] | None = None,
    ask: Callable[[str, Column], bool] | None = None,
) -> Headings:
    """
    Find the row of headings, and what each of them stands for.

    Args:
        grid: The table.
        mapping: What headings stand for, as the user says; the others are known by their words.
        ask: Asked whether a heading means what it may mean; None takes no such column.

    Returns:
        The headings; one that is not known, or not sure, is not taken.

    Raises:
        GridError: If there is no such row, or the mapping names what is not there.
    """
    given = _given(grid, mapping or {})
    best: tuple[int, int] = (-1, 0)
    for place, row in enumerate(grid.rows[:MOST_ABOVE]):
        headings = [_heading(cell, given) for cell in row if isinstance(cell.value, str)]
        known = {one.column for one in headings} - {Column.IGNORED}
        if known & _IDENTITY and len(known) > best[1]:
            best = (place, len(known))
    if best[1] < FEWEST_HEADINGS:
        read = f", read as {grid.encoding} with {grid.delimiter!r} between fields" if grid.encoding else ""
        message = (
            f"no row of headings among the first {MOST_ABOVE} rows{read}; expected such as 'Reference', "
            "'Name' and 'Volume', or say which column holds what: --map 'HEADING=name'"
        )
        raise GridError([grid.problem("headings", message)])
    row = grid.rows[best[0]]
    headings = [_heading(cell, given) for cell in row if isinstance(cell.value, str) and cell.value.strip()]
    _check_given(grid, mapping or {}, headings)
    return Headings(best[0], tuple(_each_once(headings, ask)))


def check_below(grid: Grid, headings: Headings) -> None:
    """
    Refuse a second table below the first: its numbers would be read by headings that are not theirs.

    Args:
        grid: The table.
        headings: Its first.

    Raises:
        GridError: If other headings stand further down; the same ones may be repeated.
    """
    first = {one.cell.column: folded(one.text) for one in headings.all}
    known = vocabulary().headings
    problems = []
    for row in grid.rows[headings.place + 1 :]:
        texts = {cell.column: folded(cell.value) for cell in row if isinstance(cell.value, str)}
        columns = {known[text] for text in texts.values() if text in known}
        differ = any(text and first.get(column) != text for column, text in texts.items())
        if differ and columns & _IDENTITY and len(columns) >= FEWEST_HEADINGS:
            message = (
                "other headings than the first begin here, so what is below cannot be read by those; move it "
                "to a sheet or file of its own"
            )
            problems.append(grid.problem("headings", message, row[0]))
    if problems:
        raise GridError(problems)


def _given(grid: Grid, mapping: Mapping[str, str]) -> dict[str, Column]:
    problems = []
    given: dict[str, Column] = {}
    for heading, name in mapping.items():
        try:
            given[folded(heading) or heading.strip()] = Column(name.strip().casefold().replace(" ", "_"))
        except ValueError:
            close = nearest(name, list(Column), most=1)
            hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(Column)}"
            problems.append(
                grid.problem("mapping", f"column {shown(heading)} cannot be {shown(name)}; {hint}")
            )
    if problems:
        raise GridError(problems)
    return given


def _check_given(grid: Grid, mapping: Mapping[str, str], headings: list[Heading]) -> None:
    there = {folded(one.text) or one.text.strip(): one.text.strip() for one in headings}
    problems = []
    for heading in mapping:
        if (folded(heading) or heading.strip()) not in there:
            close = nearest(heading, there.values())
            hint = (
                f"did you mean {' or '.join(map(shown, close))}?" if close else "look at the headings again"
            )
            problems.append(grid.problem("mapping", f"no column is called {shown(heading)}; {hint}"))
    if problems:
        raise GridError(problems)


def _heading(cell: Cell, given: Mapping[str, Column]) -> Heading:
    text = str(cell.value).strip()
    form, known = folded(text) or text, vocabulary()
    at_end = _UNIT_AT_END.fullmatch(text)
    unit = at_end[2] if at_end is not None else form if form == "ml" else None
    bare = folded(at_end[1]) if at_end is not None else form
    if form in given:
        return Heading(text, cell, given[form], How.SAID, unit=unit)
    column = known.headings.get(form)
    if column is not None:
        return Heading(text, cell, column, How.KNOWN, unit=unit)
    column = known.headings.get(bare)
    if column in (Column.VOLUME, Column.MASS):
        return Heading(text, cell, column, How.KNOWN, unit=unit)
    could_be = known.unsure.get(form) or known.unsure.get(bare) or _resembled(form)
    if could_be is Column.PRICE:  # left out either way
        return Heading(text, cell, Column.PRICE, How.KNOWN)
    if could_be is not None:
        return Heading(text, cell, Column.IGNORED, How.UNSURE, could_be, unit)
    return Heading(text, cell, Column.IGNORED, How.UNKNOWN)


def _resembled(form: str) -> Column | None:
    """Find what a heading may be that begins or ends with one that is known, or is nearly one."""
    known = vocabulary().headings
    longest = max((one for one in known if len(one) >= 4 and (form.startswith(one) or form.endswith(one))),
                  key=len, default=None)  # fmt: skip
    if longest is not None:
        return known[longest]
    from difflib import get_close_matches

    close = get_close_matches(form, known, n=1, cutoff=0.85)
    return known[close[0]] if close else None


def _each_once(headings: list[Heading], ask: Callable[[str, Column], bool] | None) -> list[Heading]:
    """Take one column for each thing: first what was said, then what is known, then what is answered."""
    taken: dict[Column, Heading] = {}
    for how in (How.SAID, How.KNOWN):
        for one in headings:
            if one.how is how and one.column not in LEFT_OUT:
                taken.setdefault(one.column, one)
    answered: dict[int, Heading] = {}
    for one in headings:
        number = one.cell.column
        if one.how is How.UNSURE and one.could_be is not None and ask is not None:
            free = one.could_be in LEFT_OUT or one.could_be not in taken
            if free and ask(one.text, one.could_be):
                answered[number] = attrs.evolve(one, column=one.could_be, how=How.SAID)
                taken.setdefault(one.could_be, answered[number])
        elif one.column not in LEFT_OUT and taken[one.column] is not one:
            answered[number] = attrs.evolve(one, column=Column.IGNORED, how=How.SECOND, could_be=one.column)
    return [answered.get(one.cell.column, one) for one in headings]
