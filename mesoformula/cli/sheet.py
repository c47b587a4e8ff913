"""`mesoformula sheet`."""

from __future__ import annotations

from pathlib import Path

import click

from mesoformula.app import App
from mesoformula.cli.common import app_of, report_problems, safe, stock_option
from mesoformula.cli.stock import read_stock
from mesoformula.errors import PluginError, Problem
from mesoformula.sheets import SheetRequest


@click.group("sheet", epilog="Example: mesoformula sheet stock stock.xlsx")
def command() -> None:
    """Write sheets to a workbook."""


@command.command("stock", epilog="Example: mesoformula sheet stock stock.xlsx --warn 90")
@click.argument("out", metavar="OUT.xlsx", type=click.Path(path_type=Path))
@click.option("--warn", "warn_days", type=click.IntRange(0, 3650), default=60, show_default=True,
              metavar="DAYS", help="Up to how many days left count as expiring soon.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
@stock_option
def stock_sheet(out: Path, warn_days: int, replace: bool, stock: str | None) -> int:
    """Write the stock sheet: one row per product, lot and place."""
    app = app_of()
    if out.exists() and not replace:
        raise click.UsageError(f"{safe(out)} is there already; choose another name, or give --replace")
    app.exporter(out)
    view = read_stock(app, stock)
    write(app, SheetRequest("stock", view, warn_days, app.formulary), out)
    click.echo(safe(f"{out}: {len(view.on_hand)} rows, as of {view.as_of}"))
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
    """
    sheets = app.sheets(request)
    if not sheets:
        raise PluginError(
            Problem(
                "nobody",
                f"no plugin offers a sheet about {request.topic}; see 'mesoformula plugin list' for what is blocked "
                "or failed",
            )
        )
    app.export(sheets, out, replace=True)
