"""Which column of a delivery note holds what: by its heading, or as the user says."""

from __future__ import annotations

import enum
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import attrs

from mesoformula.catalogue.lines import line_numbers, line_of
from mesoformula.errors import GridError, Problem
from mesoformula.grids import Cell, Grid, read_content
from mesoformula.words import folded, nearest, shown

#: How many rows may stand above the headings.
MOST_ABOVE = 50
#: How many different things a row of headings must name at least.
FEWEST_HEADINGS = 3
MAPPING_SCHEMA = 1

_CURRENCY_AT_END = re.compile(r"(.+?)[\s(\[/]+([A-Z]{3}|€)[)\]]?")


class Field(enum.StrEnum):
    """What a column of a delivery note may hold."""

    PRODUCT = "product"
    GTIN = "gtin"
    VENDOR = "vendor"
    SKU = "sku"
    NAME = "name"
    LOT = "lot"
    CONTAINERS = "containers"
    PACKS = "packs"
    QUANTITY = "quantity"
    UNIT = "unit"
    EXPIRY = "expiry"
    NO_EXPIRY = "no_expiry"
    LOCATION = "location"
    SUPPLIER = "supplier"
    UNIT_COST = "unit_cost"
    PACK_COST = "pack_cost"
    COST = "cost"
    CURRENCY = "currency"
    SERIAL = "serial"
    REMARK = "remark"
    IGNORED = "ignored"


class Word(enum.StrEnum):
    """What a word in a cell may say."""

    NO_EXPIRY = "no_expiry"
    YES = "yes"
    NO = "no"
    TOTAL = "total"
    PACK = "pack"
    CONTAINER = "container"


IDENTITY = (Field.PRODUCT, Field.GTIN, Field.SKU, Field.NAME)
COUNTS = (Field.CONTAINERS, Field.PACKS, Field.QUANTITY)
COSTS = (Field.UNIT_COST, Field.PACK_COST, Field.COST)


@attrs.frozen
class Vocabulary:
    """
    The words of all languages, folded.

    Attributes:
        headings: What each heading stands for.
        words: By what they say.
        currencies: That may stand at the end of a heading.
    """

    headings: Mapping[str, Field]
    words: Mapping[Word, frozenset[str]]
    currencies: frozenset[str]

    def says(self, word: Word, text: str | None) -> bool:
        """Tell whether a cell says something, in any language."""
        return text is not None and folded(text) in self.words[word]


@cache
def vocabulary() -> Vocabulary:
    """
    Read what columns are called: one file for each language.

    Returns:
        The words of all languages.
    """
    folder = files("mesoformula.stock.arrivals")
    common = tomllib.loads(folder.joinpath("delivery_notes.toml").read_text(encoding="utf-8"))
    languages = [
        tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.joinpath("headings").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".toml")
    ]
    headings = {
        folded(heading): Field(field)
        for language in languages
        for field, known in language["headings"].items()
        for heading in known
    }
    words: dict[Word, frozenset[str]] = {
        word: frozenset(
            folded(one) for language in languages for one in language["words"].get(word.value, ())
        )
        for word in Word
    }
    return Vocabulary(headings, words, frozenset(common["currencies"]))


@attrs.frozen
class Header:
    """
    The row of headings.

    Attributes:
        place: Its place among the rows of the grid, from 0.
        columns: By what they hold, counted from 1.
        headings: As they stand there, by what their columns hold.
        mapping: What every heading was taken for, left to right.
        currency: Of the prices, if their heading says so.
    """

    place: int
    columns: Mapping[Field, int]
    headings: Mapping[Field, str]
    mapping: Mapping[str, Field]
    currency: str | None = None


@attrs.frozen
class _Heading:
    text: str
    cell: Cell
    field: Field | None
    is_given: bool = False
    currency: str | None = None


def find_header(grid: Grid, mapping: Mapping[str, str] | None = None, *, needs_lot: bool = True) -> Header:
    """
    Find the row of headings, and what each of them stands for.

    Args:
        grid: The table.
        mapping: What headings stand for, as the user says; the others are known by their words.
        needs_lot: Whether there must be a column of lot numbers.

    Returns:
        The headings.

    Raises:
        GridError: If there is no such row, or a column that is needed is missing or not clear.
    """
    given = _given(grid, mapping or {})
    needed = {form for form, field in given.items() if field is not Field.IGNORED}
    best: tuple[int, list[_Heading]] = (0, [])
    for place, row in enumerate(grid.rows[:MOST_ABOVE]):
        headings = [_heading(cell, given) for cell in row if isinstance(cell.value, str)]
        known = {one.field for one in headings if one.field not in (None, Field.IGNORED)}
        found = {_form(one.text) for one in headings}
        if needed <= found and len(known) >= FEWEST_HEADINGS and known & {*IDENTITY}:
            return _header(grid, place, headings, needs_lot=needs_lot)
        if len(known) > len({one.field for one in best[1]} - {None, Field.IGNORED}):
            best = (place, headings)
    raise GridError(list(_no_header(grid, best[1], [one for one in mapping or () if _form(one) in needed])))


def _form(heading: str) -> str:
    return folded(heading) or heading.strip()


def _given(grid: Grid, mapping: Mapping[str, str]) -> dict[str, Field]:
    problems = []
    given: dict[str, Field] = {}
    for heading, name in mapping.items():
        try:
            given[_form(heading)] = Field(name)
        except ValueError:
            close = nearest(name, [field.value for field in Field], most=1)
            hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(Field)}"
            message = f"column {shown(heading)} cannot be {shown(name)}; {hint}"
            problems.append(grid.problem("mapping", message))
    if problems:
        raise GridError(problems)
    return given


def _heading(cell: Cell, given: Mapping[str, Field]) -> _Heading:
    text = str(cell.value)
    form = _form(text)
    known = vocabulary()
    if form in given or form in known.headings:
        field = given.get(form, known.headings.get(form))
        if field not in COSTS:
            return _Heading(text, cell, field, form in given)
        with_currency = _CURRENCY_AT_END.fullmatch(text.strip())
        currency = _currency(with_currency[2]) if with_currency is not None else None
        return _Heading(text, cell, field, form in given, currency)
    at_end = _CURRENCY_AT_END.fullmatch(text.strip())
    if at_end is not None and (currency := _currency(at_end[2])) is not None:
        field = known.headings.get(_form(at_end[1]))
        if field in COSTS:
            return _Heading(text, cell, field, currency=currency)
    return _Heading(text, cell, None)


def _currency(word: str) -> str | None:
    code = "EUR" if word == "€" else word
    return code if code in vocabulary().currencies else None


def _no_header(grid: Grid, best: Iterable[_Heading], needed: Iterable[str]) -> Iterator[Problem]:
    present = {_form(one.text): one.text for one in best if one.text.strip()}
    missing = [heading for heading in needed if _form(heading) not in present]
    for heading in missing:
        close = nearest(heading, present.values(), most=3)
        hint = f"did you mean {' or '.join(map(shown, close))}?" if close else "look at the headings again"
        yield grid.problem("mapping", f"no column is called {shown(heading)}; {hint}")
    if missing:
        return
    taken = f", read as {grid.encoding} with {grid.delimiter!r} between fields" if grid.encoding else ""
    yield grid.problem(
        "headings",
        f"no row of headings among the first {MOST_ABOVE} rows{taken}; expected such as 'product', 'lot', "
        "'containers' and 'expiry', or say which column holds what",
    )


def _header(grid: Grid, place: int, headings: list[_Heading], *, needs_lot: bool) -> Header:
    problems: list[Problem] = []
    taken: dict[Field, _Heading] = {}
    mapping: dict[str, Field] = {}
    for one in headings:
        mapping.setdefault(one.text.strip(), one.field or Field.IGNORED)
        if one.field in (None, Field.IGNORED):
            continue
        assert one.field is not None  # noqa: S101 (for the type checker)
        other = taken.get(one.field)
        if other is None or (one.is_given and not other.is_given):
            taken[one.field] = one
        if other is None:
            continue
        if one.is_given == other.is_given:
            problems.append(
                grid.problem(
                    "headings",
                    f"{shown(other.text)} and {shown(one.text)} could both be {one.field}; say which column "
                    "is, and that the other is ignored",
                    one.cell,
                )
            )
        else:
            loser = other if one.is_given else one
            mapping[loser.text.strip()] = Field.IGNORED
    line = headings[0].cell
    wanted = (
        ("product", IDENTITY, "'product', 'gtin' or 'name'"),
        ("lot", (Field.LOT,) if needs_lot else (), "'lot'"),
        ("containers", COUNTS, "'containers' or 'packs'"),
        ("expiry", (Field.EXPIRY, Field.NO_EXPIRY), "'expiry'"),
    )
    for code, fields, expected in wanted:
        if fields and not any(field in taken for field in fields):
            problems.append(
                grid.problem(
                    code,
                    f"no column says it; expected a heading such as {expected}, or say which it is",
                    line,
                )
            )
    currencies = {one.currency for one in taken.values() if one.currency is not None}
    if len(currencies) > 1:
        problems.append(grid.problem("currency", f"headings name {', '.join(sorted(currencies))}", line))
    if problems:
        raise GridError(problems)
    return Header(
        place,
        {field: one.cell.column for field, one in taken.items()},
        {field: one.text.strip() for field, one in taken.items()},
        mapping,
        currencies.pop() if currencies else None,
    )


# ---- saved mappings ------------------------------------------------------------------------------------


def write_mapping(path: Path, mapping: Mapping[str, str]) -> None:
    """
    Save what headings stand for, to be used again for notes of the same supplier.

    Args:
        path: The TOML file; replaced if it is there.
        mapping: What headings stand for.
    """
    lines = [f"schema = {MAPPING_SCHEMA}", "", "[columns]"]
    lines += [f"{_quoted(heading)} = {_quoted(str(field))}" for heading, field in mapping.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    # JSON text is TOML text but for this one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_mapping(path: Path) -> dict[str, Field]:
    """
    Read what headings stand for.

    Args:
        path: A file that `write_mapping` wrote, or a person.

    Returns:
        What headings stand for.

    Raises:
        GridError: If anything is wrong with it, with the line.
    """
    try:
        text = read_content(path).decode("utf-8-sig")
        tables = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as err:
        raise GridError([Problem("toml", f"is no TOML: {err}", str(path))]) from err
    lines = line_numbers(text)
    problems: list[Problem] = []

    def wrong(message: str, *where: str) -> None:
        problems.append(Problem("mapping", message, str(path), line_of(lines, where)))

    for key in tables.keys() - {"schema", "columns"}:
        wrong(f"unknown key {shown(key)}; expected schema and columns", key)
    if tables.get("schema") != MAPPING_SCHEMA:
        wrong(f"expected schema = {MAPPING_SCHEMA}", "schema")
    columns = tables.get("columns")
    if not isinstance(columns, dict) or not columns:
        wrong('expected a table [columns] with lines such as "Batch no" = "lot"', "columns")
        columns = {}
    mapping: dict[str, Field] = {}
    for heading, name in columns.items():
        try:
            mapping[heading] = Field(name)
        except ValueError:
            close = nearest(str(name), [field.value for field in Field], most=1)
            hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(Field)}"
            wrong(f"column {shown(heading)} cannot be {shown(str(name))}; {hint}", "columns", heading)
    if problems:
        raise GridError(problems)
    return mapping
