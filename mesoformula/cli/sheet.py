"""`mesoformula sheet`."""

from __future__ import annotations

from pathlib import Path

import click

from mesoformula.app import App
from mesoformula.cli.common import app_of, counted, report_problems, safe
from mesoformula.cli.options import NounGroup, WholeType, example, stock_option
from mesoformula.cli.stock.listing import read_stock
from mesoformula.errors import PluginError, Problem, UnknownNameError
from mesoformula.sheets import SheetRequest


@click.group("sheet", cls=NounGroup, epilog=example("mesoformula sheet stock stock.xlsx"))
def command() -> None:
    """Write sheets to a workbook."""


@command.command("stock", epilog=example("mesoformula sheet stock stock.xlsx --warn 90"))
@click.argument("out", metavar="OUT.xlsx", type=click.Path(path_type=Path))
@click.option("--warn", "warn_days", type=WholeType(0, 3650), default=60, show_default=True,
              metavar="DAYS", help="Up to how many days left count as expiring soon.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
@stock_option
def stock_sheet(out: Path, warn_days: int, replace: bool, stock: str | None) -> int:
    """Write the stock sheet: one row per product, lot and place."""
    app = app_of()
    try:
        app.exporter(out)
    except UnknownNameError as err:
        raise click.UsageError(
            f"{safe(out)}: expected a name that ends in {' or '.join(err.nearest)}"
        ) from None
    if out.is_dir():
        raise click.UsageError(f"{safe(out)} is a folder; expected the name of a file")
    if out.exists() and not replace:
        raise click.UsageError(f"{safe(out)} is there already; choose another name, or give --replace")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(out.parent)} is no folder; make it first")
    view = read_stock(app, stock)
    write(app, SheetRequest("stock", view, warn_days, app.formulary), out)
    click.echo(f"written to {safe(out)}")
    click.echo(f"{counted(len(view.on_hand), 'row')}, as of {view.as_of}")
    if not view.on_hand:
        click.echo(safe(f"the stock is empty: {view.store}"))
    if view.anchor is not None:
        click.echo(f"anchor {view.anchor}")
    report_problems(app)
    return 0


def write(app: App, request: SheetRequest, out: Path) -> None:
    """
    Write the sheets of one topic to a file.

    Args:
        app: Knows the plugins that make sheets and write them.
        request: What they are about.
        out: Where; what is there is replaced.

    Raises:
        PluginError: If no plugin has a sheet for the topic.
        OSError: If the file cannot be written.
    """
    sheets = app.sheets(request)
    if not sheets:
        raise PluginError(
            Problem(
                "nobody",
                f"no plugin offers a sheet about {request.topic}: "
                + ("; ".join(app.missing_plugins()) or "see 'mesoformula plugin list'"),
            )
        )
    try:
        app.export(sheets, out, replace=True)
    except OSError as err:
        # The name that the user gave, not that of a file which the exporter works in.
        raise OSError(err.errno, err.strerror or str(err), str(out)) from err
