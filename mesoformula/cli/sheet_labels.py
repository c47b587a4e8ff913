"""`mesoformula sheet labels` and `mesoformula sheet grids`."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import app_of, counted, print_json, print_table, report_problems, safe
from mesoformula.cli.options import QuantityType, WholeType, example, json_option, stock_option
from mesoformula.cli.session_asking import Asked, session_options, worked_out
from mesoformula.cli.sheet import check_out, out_argument, sheet_options, sheets_as_json, write
from mesoformula.cli.sheet_session import prepared_for, stability_of
from mesoformula.cli.stock.common import MomentType, open_store, settings_of
from mesoformula.encoding import to_plain
from mesoformula.errors import UnknownNameError
from mesoformula.findings import standing
from mesoformula.sheets import USUAL_GRID, LabelGrid, SheetRequest, label_grid, label_grids, read_label_grid

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.preparations import Preparation
    from mesoformula.stock.records import StockView
    from mesoformula.units import Quantity

_ALL = "all"


@click.command(
    "labels",
    epilog=example(
        "mesoformula sheet labels labels.xlsx teaching-volumes",
        "--syringe 1-ml --reference S-2026-001",
    ),
)
@out_argument
@click.argument("formula", required=False)
@session_options
@click.option(
    "--reference", metavar="REF", help="Of the session: the code on the labels; names the lots used for it."
)
@click.option("--by", metavar="NAME", help="Who prepares it, and decides on overrides.")
@click.option(
    "--prepared-at", type=MomentType(), metavar="MOMENT", help="When, such as '2026-11-23 14:30'; else blank."
)
@click.option(
    "--keeps", type=QuantityType("time"), metavar="PERIOD",
    help="How long the mixture is stable, such as '24 h'; needs --keeps-says.",
)  # fmt: skip
@click.option("--keeps-says", metavar="SOURCE", help="Who says how long it is stable.")
@click.option(
    "--opened", "numbers", multiple=True, metavar="NUMBER",
    help="Also, or only: a label for this opened container; repeatable; or all.",
)  # fmt: skip
@click.option(
    "--grid", "grid_name", default=USUAL_GRID, show_default=True, metavar="GRID",
    help="The page of labels: one of 'sheet grids', or a TOML file with your own.",
)  # fmt: skip
@click.option(
    "--skip", type=WholeType(0, 9_999), default=0, metavar="N",
    help="Places of the first page that are used up already.",
)  # fmt: skip
@stock_option
@sheet_options
def labels(
    out: Path,
    formula: str | None,
    reference: str | None,
    by: str | None,
    prepared_at: datetime | None,
    keeps: Quantity | None,
    keeps_says: str | None,
    numbers: tuple[str, ...],
    grid_name: str,
    skip: int,
    stock: str | None,
    language: str,
    replace: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """
    Write labels for the syringes of a session, for opened containers, or both.

    FORMULA and the options are those of 'mesoformula session'; one label for each syringe. A session that is
    not ready gets none. Print at 100 %, never fitted to the page.
    """
    if formula is None and not numbers:
        raise click.UsageError("labels for what? give a FORMULA, --opened NUMBER, or --opened all")
    stability = stability_of(keeps, keeps_says)
    grid = _grid(grid_name)
    asked = Asked(**given)
    asked.overrides(by)
    app = app_of()
    check_out(app, out, replace)
    zone = settings_of().zone()
    prepared = None
    if formula is not None:
        answer = worked_out(app, formula, asked, by=by, reference=reference, stock=stock)
        prepared = prepared_for(
            app,
            answer,
            zone,
            reference=reference,
            by=by,
            prepared_at=prepared_at,
            keeps=stability,
            stock=stock,
        )
        if not prepared.ready:
            return _not_ready(prepared)
    request = SheetRequest(
        "labels",
        _opened(app, stock, numbers) if numbers else None,
        formulary=app.formulary,
        language=language,
        zone=zone,
        preparation=prepared,
        label_grid=grid,
        skip_labels=skip,
    )
    sheets = write(app, request, out)
    figures = sheets_as_json(sheets)
    if as_json:
        print_json({"written": str(out), "language": language, "grid": to_plain(grid), "sheets": figures})
    else:
        count = sum(len(one.get("labels", ())) for one in figures.values())
        click.echo(f"written to {safe(out)}")
        click.echo(safe(f"{counted(count, 'label')} on {grid.name}; print at 100 %"))
    report_problems(app)
    return 0


def _grid(name: str) -> LabelGrid:
    if name.lower().endswith(".toml"):
        return read_label_grid(Path(name))
    try:
        return label_grid(name)
    except UnknownNameError as err:
        known = " or ".join(err.nearest)
        raise click.UsageError(
            f"no label grid is called {safe(repr(name))}; expected {known}, or a .toml file"
        ) from None


def _not_ready(prepared: Preparation) -> int:
    codes = ", ".join(dict.fromkeys(one.code for one in prepared.standing))
    click.echo(safe(f"NOT READY: {codes}"), err=True)
    of_lots = standing(prepared.lot_findings)
    for one in of_lots:
        click.echo(safe(one.message), err=True)
    why = "" if len(of_lots) == len(prepared.standing) else "; 'mesoformula session' says why"
    click.echo(f"what may not be used gets no label{why}", err=True)
    return 1


def _opened(app: App, stock: str | None, numbers: tuple[str, ...]) -> StockView:
    """Read the stock, with the opened containers that are asked for."""
    from mesoformula.stock.views.reading import stock_view

    with closing(open_store(app, stock)) as store:
        view = stock_view(store)
    if _ALL in numbers:
        return view
    known = {str(one.id): one for one in view.opened}
    unknown = [number for number in numbers if number not in known]
    if unknown:
        there = ", ".join(known) or "nothing"
        raise click.UsageError(f"{safe(', '.join(unknown))}: no opened container here; opened: {there}")
    return attrs.evolve(view, opened=tuple(known[number] for number in dict.fromkeys(numbers)))


@click.command("grids", epilog=example("mesoformula sheet grids"))
@json_option
def grids(as_json: bool) -> int:
    """List the pages of labels that are known, with their measures in millimetres."""
    if as_json:
        print_json([to_plain(one) for one in label_grids()])
        return 0
    print_table(
        ("grid", "labels", "each (mm)", "page (mm)"),
        [
            (
                one.id,
                f"{one.columns} × {one.rows}",
                f"{one.width} × {one.height}",
                f"{one.page_width} × {one.page_height}",
            )
            for one in label_grids()
        ],
    )
    return 0
