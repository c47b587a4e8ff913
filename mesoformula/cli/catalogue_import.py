"""`mesoformula catalogue import`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesoformula.app import App
from mesoformula.catalogue.columns import Column, Headings, How, find_headings
from mesoformula.catalogue.importing import Draft, import_table, read_as, said_of, told, verified
from mesoformula.cli.catalogue_new import file_to_write, say_what_next, vendor_id
from mesoformula.cli.common import app_of, counted, print_table, print_wrapped, safe
from mesoformula.cli.options import DayType, example
from mesoformula.cli.stock.asking import Dialogue
from mesoformula.grids import Grid, chosen
from mesoformula.products import Vendor
from mesoformula.sources import Source, SourceKind
from mesoformula.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many of the cells that were not taken are listed; all stand in the file.
MOST_LISTED = 20


@click.command(
    "import",
    epilog=example(
        "mesoformula catalogue import prices.xlsx --vendor acme",
        "--source DIST --where 'price list 2026' --read 2026-11-23",
    ),
)
@click.argument("table", type=click.Path(path_type=Path), metavar="TABLE")
@click.option("--vendor", required=True, metavar="ID", help="Who sells what the table lists.")
@click.option("--name", metavar="NAME", help="Of the vendor, for people.")
@click.option(
    "--to", "path", type=click.Path(path_type=Path), metavar="FILE", help="Where; else ID.toml, here."
)
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
@click.option("--map", "mapping", multiple=True, metavar="HEADING=FIELD",
              help="What a column holds, or 'ignored'; may be given again.")  # fmt: skip
@click.option("--sheet", metavar="TITLE", help="Which sheet of the workbook.")
@click.option("--source", "kind", type=click.Choice(list(SourceKind)), metavar="KIND",
              help="Who says so, such as DIST for a distributor.")  # fmt: skip
@click.option("--where", metavar="TEXT", help="Address or title of that source.")
@click.option("--read", type=DayType(), metavar="DAY", help="The day on which it was read.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken, and write nothing.")
def import_table_(
    table: Path,
    vendor: str,
    name: str | None,
    path: Path | None,
    replace: bool,
    mapping: tuple[str, ...],
    sheet: str | None,
    kind: str | None,
    where: str | None,
    read: date | None,
    dry_run: bool,
) -> int:
    """
    Turn TABLE, a price list or the like (.xlsx, .csv), into a catalogue.

    Columns are known by their headings in English and French; of one that is not sure you are asked at a
    terminal, and elsewhere it is not taken. What cannot be read in one way stays in the file as a comment
    with its cell: nothing is invented. Fields that a column may hold: sku, name, gtin, vendor, per_pack,
    presentation, container, form, volume, mass, composition, kind, routes, storage, nickname; price or
    ignored leave it out.
    """
    id_ = vendor_id(vendor)
    path = file_to_write(path, id_, replace=replace or dry_run)
    source = _source(kind, where, read, table)
    given = _mapping(mapping)
    app = app_of()
    app.formulary.forget(path)  # what is about to be replaced is no double of itself
    grid = chosen(app.read_grids(table), table, sheet)
    headings = find_headings(grid, given, _asked(grid))
    draft = import_table(grid, headings, app.formulary, _vendor(app, id_, name), source)
    draft = verified(draft, str(path), app.formulary)
    if not dry_run:
        path.write_text(draft.text, encoding="utf-8")
    _tell(draft, path, id_, source, dry_run=dry_run)
    return 0


def _source(kind: str | None, where: str | None, read: date | None, table: Path) -> Source | None:
    given = {"--source": kind, "--where": where, "--read": read}
    missing = [option for option, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if missing or kind is None or where is None or read is None:
        raise click.UsageError(
            f"{' and '.join(missing)} missing: a source is named by --source, --where and --read together"
        )
    for option, text in (("--where", where), ("TABLE", table.name)):
        if not (text.strip() and text.isprintable()) or len(text) > 1000:
            raise click.UsageError(f"{option} {shown(text)}: expected one line of text that prints")
    return Source(SourceKind(kind), where, read, note=f"taken from {table.name}")


def _mapping(words: tuple[str, ...]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for word in words:
        heading, equals, field = word.rpartition("=")
        if not equals or not heading.strip() or not field.strip():
            raise click.UsageError(f"--map {shown(word)}: expected such as --map 'Désignation=name'")
        mapping[heading.strip()] = field.strip()
    return mapping


def _vendor(app: App, id_: str, name: str | None) -> Vendor:
    known = next((one for one in app.formulary.vendors if one.id == id_), None)
    if known is None:
        return Vendor(id_, name or id_)
    if name is not None and name != known.name:
        raise click.UsageError(
            f"vendor {id_!r} is known already, as {shown(known.name)}: leave --name out, or choose another id"
        )
    return known


def _asked(grid: Grid) -> Callable[[str, Column], bool] | None:
    """Ask at a terminal whether a heading means what it may mean."""
    dialogue = Dialogue()
    if not dialogue.is_terminal:
        return None

    def ask(heading: str, column: Column) -> bool:
        answer = dialogue.ask(f"Is column {shown(heading)} of {safe(grid.title)} the {column}? [y/N]")
        return answer.casefold() in ("y", "yes", "o", "oui")

    return ask


def _tell(draft: Draft, path: Path, id_: str, source: Source | None, *, dry_run: bool) -> None:
    print_table(
        ("column", "taken for"),
        [(one.text, said_of(one.column, one.how, one.could_be)) for one in draft.headings.all],
    )
    if draft.grid.encoding is not None:
        print_wrapped(f"{draft.grid.title}{read_as(draft.grid)}", rest="  ")
    if draft.headings.place:
        print_wrapped(
            f"above the headings, not read: {counted(draft.headings.place, 'row')}; the file repeats them",
            rest="  ",
        )
    _tell_unsure(draft.headings)
    flags, rows = draft.flags, draft.left_out
    for flag in flags[:MOST_LISTED]:
        print_wrapped(told(flag), rest="  ")
    if len(flags) > MOST_LISTED:
        click.echo(f"and {len(flags) - MOST_LISTED} more")
    missing = [problem for found in draft.missing.values() for problem in found]
    codes: dict[str, list[str]] = {}
    for problem in missing:
        codes.setdefault(problem.code, []).append(problem.message)
    for code, messages in codes.items():
        print_wrapped(f"to do [{code}], {counted(len(messages), 'time')}: {messages[0]}", rest="  ")
    if source is None:
        print_wrapped(
            "nobody is named who says so: import it again with --source KIND --where TEXT --read DAY, or "
            "write a [[product.source]] below each product",
            rest="  ",
        )
    print_wrapped(
        f"{counted(draft.products, 'product')}; {counted(len(flags), 'note')} on cells not taken "
        f"or to look at; {counted(rows, 'row')} without a product; {counted(len(missing), 'problem')} to do"
    )
    if dry_run:
        click.echo("nothing was written (--dry-run)")
        return
    click.echo(f"written to {safe(path)}; the notes stand in it")
    say_what_next(path, id_)


def _tell_unsure(headings: Headings) -> None:
    for one in headings.all:
        if one.how is How.UNSURE:
            print_wrapped(
                f"column {shown(one.text)} may be {one.could_be}; if it is: --map "
                f"{shown(f'{one.text}={one.could_be}', 100)}",
                rest="  ",
            )
