"""`mesoformula demo`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from mesoformula.app import App
from mesoformula.cli.common import app_of, nothing_offered, print_wrapped, report_problems, safe
from mesoformula.cli.options import example
from mesoformula.cli.session_telling import print_session
from mesoformula.cli.sheet import write
from mesoformula.cli.sheet_stock import with_movements
from mesoformula.cli.stock.common import open_store
from mesoformula.cli.stock.listing import print_stock
from mesoformula.errors import PluginError, Problem
from mesoformula.sessions import Session
from mesoformula.sheets import SheetRequest
from mesoformula.units import quantity

if TYPE_CHECKING:
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import StockView

FORMULA = "teaching-nctf-vitamin-c"
WORKBOOK = "mesoformula-demo-stock.xlsx"

#: Fictional lots: product, lot, containers, days until expiry, place.
DELIVERY = (
    ("fillmed/nctf-135ha", "DEMO-N1", 4, 45, "fridge"),
    ("fillmed/nctf-135ha", "DEMO-N2", 10, 410, "fridge"),
    ("phoenix-labs/ascorbic-acid-500", "DEMO-C1", 3, -12, "shelf A"),
    ("phoenix-labs/ascorbic-acid-500", "DEMO-C2", 10, 300, "shelf A"),
    ("fresenius-kabi/soluvit-n", "DEMO-S1", 10, 200, "fridge"),
    ("torbay/magnesium-sulfate-50-10ml", "DEMO-M1", 10, 700, "shelf A"),
    ("ibsa/profhilo-2ml", "DEMO-P1", 2, 520, "shelf B"),
    ("professional-derma/jalupro-hmw", "DEMO-J1", 3, 90, "shelf B"),
)

#: The least stock of products, so that something falls short.
LEVELS = (("fillmed/nctf-135ha", 20), ("ibsa/profhilo-2ml", 2))

#: The product and lot of which a container is open.
OPENED = ("fillmed/nctf-135ha", "DEMO-N1")


@click.command("demo", epilog=example("mesoformula demo /tmp/demo"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> int:
    """
    Run the main job: a session worked out, the stock it draws on, and a workbook in DIR.

    The products are real, the lots fictional. Your own stock is not touched.
    """
    app = app_of()
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{safe(folder)} is a file; expected a folder")
    if not app.formulary.has_formula(FORMULA):
        raise PluginError(Problem("nobody", nothing_offered(app, "bundled products, which the demo needs")))
    folder.mkdir(parents=True, exist_ok=True)
    click.echo("The products are real, the lots fictional. Your own stock is not touched.")
    click.echo("\n1. A session, worked out\n")
    missing = [_attempt(lambda: _show_session(app))]
    # A stock of its own, gone when the demo ends: the user's is never opened.
    with (
        tempfile.TemporaryDirectory(prefix="mesoformula-demo-") as place,
        closing(open_store(app, str(Path(place) / "stock.sqlite"))) as store,
    ):
        view = _receive(app, store)
        click.echo("\n2. A delivery of fictional lots, received into a stock of its own\n")
        print_stock(view.on_hand, view.as_of)
        click.echo("\n3. The stock as a workbook\n")
        missing.append(_attempt(lambda: _write_sheet(app, store, view, folder / WORKBOOK)))
    report_problems(app)
    return 3 if any(missing) else 0


def _attempt(step: Callable[[], None]) -> bool:
    """Do one step; where a plugin for it is missing, say so, and let the others go on."""
    try:
        step()
    except PluginError as err:
        print_wrapped(f"not done: {err.problem.message if err.problem.plugin is None else err.problem}")
        return True
    return False


def _show_session(app: App) -> None:
    session = Session(
        formula=app.formula(FORMULA),
        zone=app.formulary.zone("face"),
        volume=quantity(3, "mL"),
        points=100,
        syringe=app.formulary.syringe("1-ml"),
    )
    print_session(app.work_out(session))


def _receive(app: App, store: Store) -> StockView:
    from mesoformula.stock.arrivals.receiving import receive
    from mesoformula.stock.lots.levels import set_level
    from mesoformula.stock.opened.openings import open_container
    from mesoformula.stock.records import Delivery, Order
    from mesoformula.stock.views.reading import stock_view

    today = date.today()  # noqa: DTZ011 (the site's own day)
    deliveries = [
        Delivery(
            product=app.formulary.product(name),
            lot=lot,
            containers=containers,
            expiry=today + timedelta(days=days),
            location=place,
            supplier="a fictional supplier",
        )
        for name, lot, containers, days, place in DELIVERY
        if app.formulary.has_product(name)
    ]
    receive(store, deliveries, actor="demo")
    for name, least in LEVELS:
        if app.formulary.has_product(name):
            set_level(store, name, least, order=Order("demo"))
    if app.formulary.has_product(OPENED[0]):
        open_container(store, *OPENED, rules=app.formulary.beyond_use_rules(), order=Order("demo"))
    view = stock_view(store, as_of=today)
    # Its file is gone when the sheet is read; its path would only puzzle.
    return attrs.evolve(view, store="made for this demonstration")


def _write_sheet(app: App, store: Store, view: StockView, workbook: Path) -> None:
    note = "Demonstration: the products are real, the lots, places and quantities are fictional."
    request = SheetRequest("stock", view, formulary=app.formulary, notes=(note,), zone=store.zone)
    sheets = write(app, with_movements(request, store, None, None), workbook)
    click.echo(f"written to {safe(workbook.absolute())}")
    print_wrapped(f"sheets: {', '.join(sheet.title for sheet in sheets)}")
