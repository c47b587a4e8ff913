"""One row of a vendor's own table turned into the lines of one product."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import attrs

from mesoformula.catalogue.cells import (
    Item,
    Presentation,
    composition_in,
    number_with,
    presentation_in,
    quantity_in,
    routes_in,
    storage_in,
    word_in,
)
from mesoformula.catalogue.columns import Column, Heading
from mesoformula.catalogue.import_cells import (
    Row,
    name_of,
    per_pack_of,
    text_reader,
    without_thousands,
)
from mesoformula.catalogue.toml_text import quoted, slug
from mesoformula.errors import Problem
from mesoformula.fields import IDENTIFIER
from mesoformula.grids import Cell, Grid
from mesoformula.sources import Source
from mesoformula.stock.arrivals.note_values import gtin_in, text_in
from mesoformula.words import folded

if TYPE_CHECKING:
    from mesoformula.products import Vendor

T = TypeVar("T")

#: Code of what was made of something else, and should be looked at.
MADE = "made"

#: Forms whose containers are filled by mass.
_BY_MASS = ("powder", "gel")


@attrs.frozen
class Block:
    """
    What one row became.

    Attributes:
        place: Of the row, for people.
        sku: Of the product; None if it became none.
        flags: What was not taken.
        lines: TOML; none if the row became no product.
        whole: Cells that the flags repeat only the beginning of.
    """

    place: str
    sku: str | None = None
    flags: tuple[Problem, ...] = ()
    lines: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


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
    _has_zeros: bool = attrs.field(init=False)

    @_has_zeros.default
    def _look_for_zeros(self) -> bool:
        """Tell whether references begin with a zero, which those that stand as numbers have lost."""
        heading = self.columns.get(Column.SKU)
        return heading is not None and any(
            isinstance(cell.value, str) and re.fullmatch(r"0\d+", cell.value.strip())
            for row in self.grid.rows
            for cell in row[heading.cell.column - 1 : heading.cell.column]
        )

    def read(self, cells: Sequence[Cell]) -> Block | None:
        """
        Read one row.

        Args:
            cells: Of the row.

        Returns:
            The product it became, or why it became none; None if it says nothing in the columns taken.
        """
        row = Row(self.grid, {one.column: one for one in cells}, self.columns)
        if not row.filled:
            return None
        number = cells[0].row
        place = f"{self.grid.title}, row {number}" if self.grid.is_sheet else f"line {number}"
        if row.is_headings:
            row.flag(None, "row", "repeats the headings: no product was made of it")
            return Block(place, flags=tuple(row.flags))
        sku, name = self._identity(row)
        if sku is None or name is None:
            return Block(place, flags=(*row.flags, *row.rest()), whole=tuple(row.whole))
        self._skus[sku] = number
        if row.is_hidden:
            row.flag(None, MADE, "this row is not shown in the workbook; is the product still sold?")
        lines = tuple(self._lines(row, sku, name))
        return Block(place, sku, tuple(row.flags), lines, tuple(row.whole))

    def _identity(self, row: Row) -> tuple[str | None, str | None]:
        """Read who it is; without that it is no product."""
        name = row.taken(Column.NAME, name_of)
        code = row.taken(Column.SKU, name_of)
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
            if self._has_zeros and isinstance(row.value(Column.SKU), int):
                row.flag(
                    Column.SKU,
                    MADE,
                    "stands as a number, others begin with 0: has it lost its leading zeros?",
                )
        if not sku:
            row.flag(Column.SKU if code is not None else Column.NAME, "sku", "no sku can be made of it")
            return None, None
        if sku in self._skus:
            where = Column.SKU if code is not None else Column.NAME
            row.flag(
                where, "duplicate", f"sku {quoted(sku)} is that of {self._line_of(self._skus[sku])} already"
            )
            return None, None
        return sku, name

    def _line_of(self, number: int) -> str:
        return f"row {number}" if self.grid.is_sheet else f"line {number}"

    def _is_vendor(self, row: Row) -> bool:
        said = folded(str(row.value(Column.VENDOR)))
        return said in map(folded, (self.vendor.id, self.vendor.name, *self.vendor.synonyms))

    def _lines(self, row: Row, sku: str, name: str) -> Iterator[str]:
        form = row.taken(Column.FORM, text_reader(lambda text: word_in(text, "form")))
        presentation = self._presentation(row, form)
        per_pack = self._agreed(
            row, Column.PER_PACK, row.taken(Column.PER_PACK, per_pack_of), presentation.per_pack
        )
        container = self._agreed(
            row,
            Column.CONTAINER,
            row.taken(Column.CONTAINER, text_reader(lambda text: word_in(text, "container"))),
            presentation.container,
        )
        yield "[[product]]"
        yield f"sku = {quoted(sku)}"
        yield f"name = {quoted(name)}"
        kind = row.taken(Column.KIND, text_reader(lambda text: word_in(text, "kind")))
        if kind is not None:
            yield f"kind = {quoted(kind)}"
        if per_pack is not None:
            yield f"containers_per_pack = {per_pack}"
        routes = row.taken(Column.ROUTES, text_reader(routes_in))
        if routes:
            yield f"routes = [{', '.join(map(quoted, routes))}]"
        nickname = row.taken(Column.NICKNAME, name_of)
        if nickname is not None:
            yield f"nicknames = [{quoted(nickname)}]"
        gtin = self._gtin(row)
        if gtin is not None:
            yield f"gtin = {quoted(gtin)}"
        storage = row.taken(Column.STORAGE, text_reader(storage_in))
        if storage:
            yield f"storage = {{ {', '.join(f'{key} = {_plain(value)}' for key, value in storage.items())} }}"
        yield from ("", "[[product.part]]", f"container = {quoted(container or 'not stated')}")
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

    def _presentation(self, row: Row, form: str | None) -> Presentation:
        read = text_reader(lambda text: presentation_in(without_thousands(text)))
        presentation = row.taken(Column.PRESENTATION, read) or Presentation()
        if presentation.mass is None or form in _BY_MASS:
            return presentation
        why = f"{presentation.mass} may be the powder in a container, or a dose: that was not taken"
        row.flag(Column.PRESENTATION, "mass", why)
        return attrs.evolve(presentation, mass=None)

    def _agreed(self, row: Row, column: Column, stated: T | None, presented: T | None) -> T | None:
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
            if isinstance(cell.value, str):
                text = without_thousands(text or text_in(cell, column) or "")
            elif text is None:
                text = text_in(cell, column) or ""
            return quantity_in(text, dimension)

        return read

    def _gtin(self, row: Row) -> str | None:
        gtin = row.taken(Column.GTIN, gtin_in)
        if gtin is None:
            return None
        cell = row.cell(Column.GTIN)
        if gtin in self._gtins:
            row.flag(Column.GTIN, "gtin", f"is that of {self._line_of(self._gtins[gtin])} already")
            return None
        self._gtins[gtin] = cell.row if cell is not None else 0
        return gtin

    def _composition(self, row: Row) -> list[Item]:
        items = row.taken(
            Column.COMPOSITION, text_reader(lambda text: composition_in(without_thousands(text), self.names))
        )
        if items and self.source is not None and not self.source.kind.may_state_amounts:
            why = f"a {self.source.kind} source states no amounts; find a label or the maker's own page"
            row.flag(Column.COMPOSITION, "source", why)
            return []
        return items or []

    def _source(self, row: Row) -> Iterator[str]:
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
