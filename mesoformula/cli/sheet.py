"""`mesoformula sheet`: each verb in a module of its own, imported when it is used, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mesoformula.app import App
from mesoformula.cli.common import counted, print_json, report_problems, safe
from mesoformula.cli.options import Type, example, lazy_noun
from mesoformula.errors import PluginError, Problem, UnknownNameError

if TYPE_CHECKING:
    from mesoformula.sheets import Sheet, SheetRequest

F = TypeVar("F", bound=Callable[..., Any])

#: Verb, its module and its name there, and its line in the list of commands.
VERBS = {
    "stock": ("sheet_stock:stock", "What is there, what runs out, and what was done, as one workbook."),
    "expiry": ("sheet_stock:expiry", "What expires in which month, and what is past it."),
    "movements": ("sheet_stock:movements", "What was recorded in a period, line by line."),
    "reorder": ("sheet_stock:reorder", "What is short of its least stock, and how many packs to order."),
    "count": ("sheet_count:count", "Open a count, and write it as a sheet to fill in."),
    "import": ("sheet_count:import_", "Read back a count that was filled in, and post it."),
    "session": ("sheet_session:session", "The compounding record of one session, on one page."),
    "formula": ("sheet_formula:formula", "The master formulation record of a formula."),
    "labels": ("sheet_labels:labels", "Labels for syringes and opened containers, with a code to scan."),
    "grids": ("sheet_labels:grids", "The pages of labels that are known."),
}

#: The package of the first-party sheets: an export can be had in every language that it speaks.
SPEAKER = "mesoformula_excel"


@click.group("sheet", cls=lazy_noun(VERBS), epilog=example("mesoformula sheet stock stock.xlsx"))
def command() -> None:
    """Write sheets to a workbook, to print, to work in, or to fill in and read back."""


# ---- options ----------------------------------------------------------------------------------------------


class LanguageType(Type):
    """A language that sheets are written in."""

    name = "language"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Take a language that is spoken, or name those that are."""
        from mesoformula.languages import languages, spoken

        found = spoken(SPEAKER, str(value))
        if found is None:
            known = " or ".join(languages(SPEAKER))
            raise click.UsageError(f"sheets do not speak {safe(repr(value))}; expected {known}", ctx)
        return found


def _set_language() -> str:
    from mesoformula.cli.stock.common import settings_of

    return settings_of().language


def out_argument(function: F) -> F:
    """
    Add the argument `out`.

    Args:
        function: The command.

    Returns:
        The command with the name of the file to write.
    """
    return click.argument("out", metavar="OUT.xlsx", type=click.Path(path_type=Path))(function)


def sheet_options(function: F) -> F:
    """
    Add what every verb that writes sheets takes, as `language`, `replace` and `as_json`.

    Args:
        function: The command.

    Returns:
        The command with `--lang`, `--replace` and `--json`.
    """
    options = (
        click.option("--json", "as_json", is_flag=True, help="Print the figures of the sheets as JSON too."),
        click.option("--replace", is_flag=True, help="Replace the file if it is there."),
        click.option(
            "--lang", "language", type=LanguageType(), default=_set_language, metavar="LANGUAGE",
            help="Of headings and sentences, such as fr; else as the site has set it.",
        ),
    )  # fmt: skip
    for option in options:
        function = option(function)
    return function


# ---- writing ----------------------------------------------------------------------------------------------


def check_out(app: App, out: Path, replace: bool) -> None:
    """
    Refuse a file that could not be written, before anything is read for it.

    Args:
        app: Knows the formats.
        out: As the user gave it.
        replace: Whether a file that is there may be replaced.

    Raises:
        click.UsageError: If it cannot be written there, or is there already.
        PluginError: If no plugin writes files.
    """
    try:
        app.exporter(out)
    except UnknownNameError as err:
        # The format may be that of a plugin which takes no part.
        why = "; ".join(app.missing_plugins())
        raise click.UsageError(
            f"{safe(out)}: expected a name that ends in {' or '.join(err.nearest)}"
            + (f" ({why})" if why else "")
        ) from None
    if out.is_dir():
        raise click.UsageError(f"{safe(out)} is a folder; expected the name of a file")
    if out.exists() and not replace:
        raise click.UsageError(f"{safe(out)} is there already; choose another name, or give --replace")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(out.parent)} is no folder; make it first")


def write_sheets(
    app: App, request: SheetRequest, out: Path, *, as_json: bool = False, notes: Sequence[str] = ()
) -> tuple[Sheet, ...]:
    """
    Write the sheets of one topic to a file, and tell what was written.

    Args:
        app: Knows the plugins that make sheets and write them.
        request: What they are about.
        out: Where, as `check_out` accepts it.
        as_json: Whether to tell it to a machine, with all figures.
        notes: Sentences that stand below.

    Returns:
        What was written, in the order of the tabs.

    Raises:
        PluginError: If no plugin has a sheet for the topic.
        OSError: If the file cannot be written.
    """
    sheets = write(app, request, out)
    anchor = request.stock.anchor if request.stock is not None else None
    if as_json:
        print_json(
            {
                "written": str(out),
                "language": request.language,
                "anchor": str(anchor) if anchor is not None else None,
                "sheets": sheets_as_json(sheets),
                "notes": list(notes),
            }
        )
    else:
        _tell(request, sheets, out, notes)
    report_problems(app)
    return sheets


def _tell(request: SheetRequest, sheets: Sequence[Sheet], out: Path, notes: Sequence[str]) -> None:
    click.echo(f"written to {safe(out)}")
    for sheet in sheets:
        rows = f": {counted(len(sheet.rows), 'row')}" if sheet.columns else ""
        click.echo(safe(f"  {sheet.title}{rows}"))
    stock = request.stock
    if stock is not None:
        click.echo(f"as of {stock.as_of}")
        if not stock.on_hand:
            click.echo(safe(f"the stock is empty: {stock.store}"))
    for note in notes:
        click.echo(safe(note))
    if stock is not None and stock.anchor is not None:
        click.echo(f"anchor {stock.anchor}")


def write(app: App, request: SheetRequest, out: Path) -> tuple[Sheet, ...]:
    """
    Write the sheets of one topic to a file.

    Args:
        app: Knows the plugins that make sheets and write them.
        request: What they are about.
        out: Where; what is there is replaced.

    Returns:
        What was written, in the order of the tabs.

    Raises:
        PluginError: If no plugin has a sheet for the topic.
        OSError: If the file cannot be written.
    """
    sheets = tuple(sorted(app.sheets(request), key=lambda sheet: (sheet.order, sheet.key)))
    if not sheets:
        raise PluginError(
            Problem(
                "nobody",
                f"no plugin offers a sheet about {request.topic}: "
                + ("; ".join(app.missing_plugins()) or "see 'mesoformula plugin list'"),
            )
        )
    sheets = app.exporter(out).held(sheets, request.topic)
    try:
        app.export(sheets, out, replace=True)
    except OSError as err:
        # The name that the user gave, not that of a file which the exporter works in.
        raise OSError(err.errno, err.strerror or str(err), str(out)) from err
    return sheets


def sheets_as_json(sheets: Sequence[Sheet]) -> dict[str, Any]:
    """
    Bring every figure of an export to plain data, unrounded.

    Args:
        sheets: As they were written.

    Returns:
        By the key of each sheet: rows by the keys of their columns with totals, facts, the same of every
        table on a page, and by its name every cell that has one. Decimal numbers are decimal strings.
    """
    from mesoformula.cli.sheet_figures import plain_sheet

    return {sheet.key: plain_sheet(sheet) for sheet in sheets}
