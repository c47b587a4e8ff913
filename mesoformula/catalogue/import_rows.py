"""One row of a vendor's own table turned into the lines of one product."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import attrs

from mesoformula.catalogue.cells import (
    Item,
    Presentation,
    UnreadError,
    composition_in,
    number_with,
    plain_text,
    presentation_in,
    quantity_in,
    routes_in,
    storage_in,
    word_in,
)
from mesoformula.catalogue.columns import Column, Heading
from mesoformula.catalogue.toml_text import quoted, slug
from mesoformula.errors import Problem
from mesoformula.fields import IDENTIFIER
from mesoformula.grids import Cell, Grid
from mesoformula.sources import Source
from mesoformula.stock.arrivals.note_values import (
    WrongValueError,
    gtin_in,
    is_blank,
    objection,
    text_in,
    whole_in,
)
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from mesoformula.products import Vendor

T = TypeVar("T")

#: Code of what was made of something else, and should be looked at.
MADE = "made"

#: What a text of a catalogue may hold.
_LONGEST = 2000


@attrs.frozen
class Block:
    """
    What one row became.

    Attributes:
        place: Of the row, for people.
        sku: Of the product; None if it became none.
        flags: What was not taken.
        lines: TOML; none if the row became no product.
    """

    place: str
    sku: str | None = None
    flags: tuple[Problem, ...] = ()
    lines: tuple[str, ...] = ()


@attrs.define
class RowReader:
    """
    Reads rows, and knows those that it has read.

    Attributes:
        grid: The table.
        columns: What is taken from it.
        vendor: Who sells what it lists.
        source: Who says so.
        names: What substances are called.
    """

    grid: Grid
    columns: Mapping[Column, Heading]
    vendor: Vendor
    source: Source | None
    names: Mapping[str, frozenset[str]]
    _skus: dict[str, int] = attrs.field(factory=dict)
    _gtins: dict[str, int] = attrs.field(factory=dict)

    def read(self, cells: Sequence[Cell]) -> Block | None:
        """
        Read one row.

        Args:
            cells: Of the row.

        Returns:
            The product it became, or why it became none; None if it says nothing in the columns taken.
        """
        row = _Row(self.grid, {one.column: one for one in cells}, self.columns)
        if not row.filled:
            return None
        number = cells[0].row
        place = f"{self.grid.title}, row {number}" if self.grid.is_sheet else f"line {number}"
        sku, name = self._identity(row)
        if sku is None or name is None:
            return Block(place, flags=(*row.flags, *row.rest()))
        self._skus[sku] = number
        lines = tuple(self._lines(row, sku, name))
        return Block(place, sku, tuple(row.flags), lines)

    def _identity(self, row: _Row) -> tuple[str | None, str | None]:
        """Read who it is; without that it is no product."""
        name = row.taken(Column.NAME, _name)
        code = row.taken(Column.SKU, _name)
        if name is None:
            if not row.has(Column.NAME):
                row.flag(None, "row", "no name: no product was made of this row")
            return None, None
        if len(row.filled) == 1 and len(self.columns) > 1:
            row.flag(Column.NAME, "row", "nothing else stands in this row: no product was made of it")
            return None, None
        if row.has(Column.VENDOR) and not self._is_vendor(row):
            row.flag(Column.VENDOR, "vendor", f"is another vendor than {self.vendor.id}; import it apart")
            return None, None
        if code is None:
            if row.has(Column.SKU):
                return None, None  # the reference is there and cannot be read
            sku = slug(name)
            if sku:
                row.flag(Column.NAME, MADE, f"has no reference; sku = {quoted(sku)} is made of the name")
        else:
            sku = code if re.fullmatch(IDENTIFIER, code) is not None else slug(code)
        if not sku:
            row.flag(Column.SKU if code is not None else Column.NAME, "sku", "no sku can be made of it")
            return None, None
        if sku in self._skus:
            where = Column.SKU if code is not None else Column.NAME
            row.flag(where, "duplicate", f"sku {quoted(sku)} is that of row {self._skus[sku]} already")
            return None, None
        return sku, name

    def _is_vendor(self, row: _Row) -> bool:
        said = folded(str(row.value(Column.VENDOR)))
        return said in map(folded, (self.vendor.id, self.vendor.name, *self.vendor.synonyms))

    def _lines(self, row: _Row, sku: str, name: str) -> Iterator[str]:
        presentation = row.taken(Column.PRESENTATION, _of_text(presentation_in)) or Presentation()
        per_pack = self._agreed(
            row, Column.PER_PACK, row.taken(Column.PER_PACK, _per_pack), presentation.per_pack
        )
        container = self._agreed(
            row,
            Column.CONTAINER,
            row.taken(Column.CONTAINER, _of_text(lambda text: word_in(text, "container"))),
            presentation.container,
        )
        yield "[[product]]"
        yield f"sku = {quoted(sku)}"
        yield f"name = {quoted(name)}"
        kind = row.taken(Column.KIND, _of_text(lambda text: word_in(text, "kind")))
        if kind is not None:
            yield f"kind = {quoted(kind)}"
        if per_pack is not None:
            yield f"containers_per_pack = {per_pack}"
        routes = row.taken(Column.ROUTES, _of_text(routes_in))
        if routes:
            yield f"routes = [{', '.join(map(quoted, routes))}]"
        nickname = row.taken(Column.NICKNAME, _name)
        if nickname is not None:
            yield f"nicknames = [{quoted(nickname)}]"
        gtin = self._gtin(row)
        if gtin is not None:
            yield f"gtin = {quoted(gtin)}"
        storage = row.taken(Column.STORAGE, _of_text(storage_in))
        if storage:
            yield f"storage = {{ {', '.join(f'{key} = {_plain(value)}' for key, value in storage.items())} }}"
        yield from ("", "[[product.part]]", f"container = {quoted(container or 'not stated')}")
        form = row.taken(Column.FORM, _of_text(lambda text: word_in(text, "form")))
        yield f"form = {quoted(form or 'not stated')}"
        for column, dimension, other in (
            (Column.VOLUME, "volume", presentation.volume),
            (Column.MASS, "mass", presentation.mass),
        ):
            stated = self._agreed(row, column, row.taken(column, self._quantity(column, dimension)), other)
            if stated is not None:
                yield f"{dimension} = {quoted(stated)}"
        items = self._composition(row)
        if items:
            yield "composition = ["
            for item in items:
                yield (
                    f"  {{ substance = {quoted(item.substance)}, amount = {quoted(item.amount)}, "
                    f"as_published = {quoted(item.as_published)} }},"
                )
            yield "]"
        if self.source is not None:
            yield from self._source(row)

    def _agreed(self, row: _Row, column: Column, stated: T | None, presented: T | None) -> T | None:
        """Take what two columns say, if they do not contradict each other."""
        if stated is None or presented is None:
            # What stands there and cannot be read may contradict the other column.
            return None if presented is not None and row.has(column) else stated or presented
        if _same(stated, presented):
            return stated
        row.flag(column, "contradiction", f"{column} is {presented} by its presentation; neither was taken")
        return None

    def _quantity(self, column: Column, dimension: str) -> Callable[[Cell], str | None]:
        unit = self.columns[column].unit if column in self.columns else None

        def read(cell: Cell) -> str | None:
            text = number_with(cell, unit)
            if text is None:
                text = str(cell.value) if isinstance(cell.value, str) else text_in(cell, column) or ""
            return quantity_in(text, dimension)

        return read

    def _gtin(self, row: _Row) -> str | None:
        gtin = row.taken(Column.GTIN, gtin_in)
        if gtin is None:
            return None
        cell = row.cell(Column.GTIN)
        if gtin in self._gtins:
            row.flag(Column.GTIN, "gtin", f"is that of row {self._gtins[gtin]} already")
            return None
        self._gtins[gtin] = cell.row if cell is not None else 0
        return gtin

    def _composition(self, row: _Row) -> list[Item]:
        items = row.taken(Column.COMPOSITION, _of_text(lambda text: composition_in(text, self.names)))
        if items and self.source is not None and not self.source.kind.may_state_amounts:
            why = f"a {self.source.kind} source states no amounts; find a label or the maker's own page"
            row.flag(Column.COMPOSITION, "source", why)
            return []
        return items or []

    def _source(self, row: _Row) -> Iterator[str]:
        source = self.source
        if source is None:
            return
        yield from ("", "[[product.source]]", f"kind = {quoted(source.kind.value)}")
        yield f"where = {quoted(source.where)}"
        yield f"read = {source.read.isoformat()}"
        if source.note is not None:
            yield f"note = {quoted(f'{source.note}, {row.place}')}"


def _same(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str) and left[:1].isdigit():
        from mesoformula.units import parse_quantity

        return bool(parse_quantity(left) == parse_quantity(right))
    return left == right


def _plain(value: str | bool) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()


# ---- cells ---------------------------------------------------------------------------------------------


class _Row:
    """The cells of a row by what they hold, and what was wrong with them."""

    def __init__(self, grid: Grid, cells: Mapping[int, Cell], columns: Mapping[Column, Heading]) -> None:
        self.flags: list[Problem] = []
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

    def has(self, column: Column) -> bool:
        return column in self.filled

    def cell(self, column: Column) -> Cell | None:
        return self._cells.get(column)

    def value(self, column: Column) -> object:
        cell = self._cells.get(column)
        return cell.value if cell is not None else None

    def flag(self, column: Column | None, code: str, why: str) -> None:
        """Note what was not taken, with its cell, its heading and what stands there."""
        cell = self._cells.get(column) if column is not None else None
        if column is None or cell is None:
            message = f"{self.place}: {why}"
            self.flags.append(Problem(code, message, self._grid.path, self._first.row))
            return
        heading = self._columns[column].text
        where = f"{self._grid.title}!{cell.place}" if self._grid.is_sheet else f"line {cell.row}"
        said = shown(str(cell.value), 200)
        self.flags.append(
            Problem(
                code,
                f"{where} {shown(heading)} {said}: {why}",
                self._grid.path,
                None if self._grid.is_sheet else cell.row,
                where=(self._grid.title, cell.place),
            )
        )

    def rest(self) -> Iterator[Problem]:
        """Repeat what stands in a row of which no product was made."""
        texts = [f"{column} {shown(str(self._cells[column].value), 100)}" for column in self.filled]
        yield Problem("row", f"{self.place}: {', '.join(texts)}", self._grid.path, self._first.row)

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


def _name(cell: Cell) -> str | None:
    text = plain_text(text_in(cell, "text") or "")
    if not text.isprintable():
        raise UnreadError("has characters that do not print")
    if len(text) > _LONGEST:
        raise UnreadError(f"has more than {_LONGEST} characters")
    return text or None


def _per_pack(cell: Cell) -> int | None:
    number = whole_in(cell, "per_pack")
    if number is not None and not 1 <= number <= 1000:
        raise UnreadError("expected a whole number from 1 to 1000")
    return number


def _of_text(read: Callable[[str], T]) -> Callable[[Cell], T | None]:
    def of_cell(cell: Cell) -> T | None:
        text = text_in(cell, "text")
        if text is None:
            return None
        if any(not char.isprintable() and not char.isspace() for char in text):
            raise UnreadError("has characters that do not print")
        return read(str(cell.value))

    return of_cell
