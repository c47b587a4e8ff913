"""
A vendor's own table turned into a catalogue: what can be read in one way is taken, all else stays a comment.

Nothing is invented: a cell that cannot be read, a column that nobody is sure of and a fact that the format
needs and the table lacks stand in the file as comments, with the cell they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from mesoformula.catalogue.cells import names_of_substances
from mesoformula.catalogue.columns import LEFT_OUT, Column, Headings, How, check_below
from mesoformula.catalogue.files import MAX_BYTES, CatalogueFile, parse
from mesoformula.catalogue.import_rows import MADE, Block, RowReader
from mesoformula.catalogue.toml_text import comment, quoted
from mesoformula.errors import GridError, Problem
from mesoformula.grids import Grid
from mesoformula.sources import Source
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.products import Vendor


@attrs.frozen
class Draft:
    """
    A catalogue made from a table.

    Attributes:
        grid: The table.
        headings: What its columns were taken for.
        head: Lines above the products.
        blocks: One for each row that says anything.
        missing: What `catalogue check` says of it, by the number of the block; of -1 of the whole file.
    """

    grid: Grid
    headings: Headings
    head: tuple[str, ...]
    blocks: tuple[Block, ...]
    missing: Mapping[int, tuple[Problem, ...]] = attrs.field(factory=dict)

    @property
    def flags(self) -> tuple[Problem, ...]:
        """Everything that stayed a comment, with the cell it came from."""
        return tuple(flag for block in self.blocks for flag in block.flags)

    @property
    def products(self) -> int:
        """How many products it holds."""
        return sum(1 for block in self.blocks if block.lines)

    @property
    def left_out(self) -> int:
        """How many rows became no product."""
        return len(self.blocks) - self.products

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(line for _number, line in self._lines()) + "\n"

    def _lines(self) -> Iterator[tuple[int, str]]:
        """List its lines, each with the number of the block it belongs to."""
        for problem in self.missing.get(-1, ()):
            yield -1, comment(f"to do: [{problem.code}] {problem.message}")
        for line in self.head:
            yield -1, line
        for number, block in enumerate(self.blocks):
            yield number, ""
            yield number, comment(block.place)
            for flag in block.flags:
                yield number, comment(told(flag))
            for text in block.whole:
                yield number, comment(text)
            for problem in self.missing.get(number, ()):
                yield number, comment(f"to do: [{problem.code}] {problem.message}")
            for line in block.lines:
                yield number, line

    @property
    def owners(self) -> tuple[int, ...]:
        """The number of the block that each line of the file belongs to; -1 above all."""
        return tuple(number for number, _line in self._lines())


def import_table(
    grid: Grid, headings: Headings, formulary: Formulary, vendor: Vendor, source: Source | None
) -> Draft:
    """
    Turn a table into a catalogue.

    Args:
        grid: The table.
        headings: What its columns stand for.
        formulary: Where substances are found by their names.
        vendor: Who sells what it lists.
        source: Who says so, as the user names it; None leaves that to be filled in.

    Returns:
        The catalogue, not yet checked.

    Raises:
        GridError: If no row says anything, no column says what a product is called, or a second table stands
            below the first.
    """
    taken = headings.taken
    if Column.NAME not in taken:
        near = [one.text for one in headings.all if one.could_be is Column.NAME]
        asked = shown(f"{near[0] if near else 'HEADING'}=name", 80)
        message = (
            f"no column says for sure what the products are called; say which does, such as --map {asked} "
            f"(headings: {', '.join(shown(one.text, 30) for one in headings.all[:20])})"
        )
        raise GridError([grid.problem("name", message, headings.all[0].cell)])
    check_below(grid, headings)
    names = names_of_substances(formulary) if Column.COMPOSITION in taken else {}
    reader = RowReader(grid, taken, vendor, source, names)
    blocks = tuple(
        block for row in grid.rows[headings.place + 1 :] if (block := reader.read(row)) is not None
    )
    if not blocks:
        raise GridError([grid.problem("empty", "holds no row below its headings that says anything")])
    return Draft(grid, headings, tuple(_head(grid, headings, vendor, source)), blocks)


def _head(grid: Grid, headings: Headings, vendor: Vendor, source: Source | None) -> Iterator[str]:
    sheet = f", sheet {grid.title}" if grid.is_sheet else ""
    yield comment(f"Made from {Path(grid.path).name}{sheet}{read_as(grid)}, by these columns:")
    for one in headings.all:
        where = f"{one.cell.place} {one.text!r}" if grid.is_sheet else repr(one.text)
        yield comment(f"  {where}: {said_of(one.column, one.how, one.could_be)}")
    above = grid.rows[: headings.place]
    if above:
        yield comment("Not read, as it stands above the headings:")
    for row in above:
        texts = [shown(str(cell.value), 200) for cell in row if cell.value is not None]
        line = f"row {row[0].row}" if grid.is_sheet else f"line {row[0].row}"
        yield comment(f"  {line}: {', '.join(texts) or 'a formula'}")
    yield "#"
    yield comment(
        "What could not be read in one way was not taken, and stands above its product with its cell."
    )
    if any(one.column is Column.PRICE for one in headings.all):
        yield comment("Prices stand in no catalogue: the stock keeps what was paid for each lot.")
    if source is None:
        yield "#"
        yield comment("to do: say where these facts come from, below every product, for instance:")
        yield comment("    [[product.source]]")
        yield comment('    kind = "DIST"   # a distributor; other kinds: catalogues/README.md')
        yield comment('    where = "which document or address"')
        yield comment("    read = 2026-11-23")
        yield comment("or import the table again with --source KIND --where TEXT --read DAY.")
    yield from (
        "",
        "schema = 1",
        "",
        "[vendor]",
        f"id = {quoted(vendor.id)}",
        f"name = {quoted(vendor.name)}",
    )
    if vendor.synonyms:
        yield f"synonyms = [{', '.join(map(quoted, vendor.synonyms))}]"


def read_as(grid: Grid) -> str:
    """
    Say what a text file was taken for: another encoding would give other letters.

    Args:
        grid: Any table.

    Returns:
        Words that go on after its name; none for a workbook.
    """
    if grid.encoding is None or grid.delimiter is None:
        return ""
    between = "tab" if grid.delimiter == "\t" else f"'{grid.delimiter}'"
    return f", read as {grid.encoding} with {between} between fields"


def told(flag: Problem) -> str:
    """
    Say what became of a cell.

    Args:
        flag: Of a draft.

    Returns:
        One line.
    """
    return f"{'look at' if flag.code == MADE else 'not taken'}: {flag.message}"


def said_of(column: Column, how: How, could_be: Column | None) -> str:
    """
    Say what a column was taken for, and why.

    Args:
        column: What it was taken for.
        how: Why.
        could_be: What it may be instead.

    Returns:
        Text such as `name, by its heading`.
    """
    match how:
        case How.UNSURE:
            return f"not taken; it may be {could_be}"
        case How.SECOND:
            return f"not taken; another column is {could_be}"
        case How.UNKNOWN:
            return "not taken; nothing that a catalogue holds is called so"
    if column is Column.PRICE:
        return "price: left out, as prices stand in no catalogue"
    if column in LEFT_OUT:
        return f"left out, {how}"
    return f"{column}, {how}"


def verified(draft: Draft, path: str, formulary: Formulary) -> Draft:
    """
    Check a draft as `catalogue check` does, and note above each product what that says.

    Args:
        draft: Not yet checked.
        path: What the file will be called.
        formulary: What the check compares it with; it is filled with the draft.

    Returns:
        The draft, in which every problem that a check of the file finds is said.

    Raises:
        GridError: If it is larger than a catalogue may be.
    """
    content = draft.text.encode()
    if len(content) > MAX_BYTES:
        message = f"makes a catalogue larger than {MAX_BYTES // 1_000_000} MB; split the table"
        raise GridError([draft.grid.problem("too-large", message)])
    parsed = parse(content, path)
    if isinstance(parsed, Problem):
        return attrs.evolve(draft, missing={-1: (parsed,)})
    missing: dict[int, list[Problem]] = {}
    owners = draft.owners
    for problem in _problems(parsed, formulary):
        place = owners[problem.line - 1] if problem.line is not None and problem.line <= len(owners) else -1
        missing.setdefault(place, []).append(problem)
    return attrs.evolve(draft, missing={number: tuple(found) for number, found in missing.items()})


def _problems(file: CatalogueFile, formulary: Formulary) -> Iterable[Problem]:
    formulary.add_file(file)
    return dict.fromkeys(one for one in formulary.check([file]) if one.path == file.path)
