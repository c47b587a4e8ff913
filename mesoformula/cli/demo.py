"""`mesoformula demo`."""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import click

from mesoformula.app import App
from mesoformula.cli.common import app_of, print_table, report_problems, safe
from mesoformula.cli.session import print_session
from mesoformula.cli.sheet import write
from mesoformula.sessions import Session
from mesoformula.sheets import SheetRequest
from mesoformula.units import quantity

FORMULA = "teaching-nctf-vitamin-c"
WORKBOOK = "mesoformula-demo-stock.xlsx"

#: Fictional lots: product, lot, containers, days until expiry (None: none printed), place.
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


@click.command("demo", epilog="Example: mesoformula demo /tmp/demo")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> int:
    """
    Run the main job: a session worked out, the stock it draws on, and a workbook in DIR.

    The products are real, the lots fictional. Your own stock is not touched.
    """
    app = app_of()
    session = Session(
        formula=app.formula(FORMULA),
        zone=app.formulary.zone("face"),
        volume=quantity(3, "mL"),
        points=100,
        syringe=app.formulary.syringe("1-ml"),
    )
    answer = app.work_out(session)
    click.echo("1. A session, worked out from real products\n")
    print_session(answer)
    folder.mkdir(parents=True, exist_ok=True)
    # A stock of its own, gone when the demo ends: the user's is never opened.
    with tempfile.TemporaryDirectory(prefix="mesoformula-demo-") as place:
        _show_stock(app, Path(place) / "stock.sqlite", folder / WORKBOOK)
    report_problems(app)
    return 0


def _show_stock(app: App, stock: Path, workbook: Path) -> None:
    from mesoformula.cli.stock import open_store
    from mesoformula.stock.reading import stock_view
    from mesoformula.stock.receiving import receive
    from mesoformula.stock.records import Delivery

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
    with closing(open_store(app, str(stock))) as store:
        receipt = receive(store, deliveries, actor="demo")
        view = stock_view(store, as_of=today)
    click.echo(f"\n2. A delivery of fictional lots, received as movement {receipt.movement}\n")
    print_table(
        ("product", "lot", "place", "containers", "expiry"),
        (
            (entry.product.name, entry.lot, entry.location, entry.containers, entry.expiry)
            for entry in view.on_hand
        ),
        right=(3,),
    )
    click.echo("\n3. The stock sheet\n")
    write(
        app,
        SheetRequest(
            "stock",
            view,
            formulary=app.formulary,
            notes=("Demonstration: the products are real, the lots, places and quantities are fictional.",),
        ),
        workbook,
    )
    click.echo(safe(f"written to {workbook.absolute()}"))
