"""`mesoformula stock level`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, print_json, print_table, report_problems, safe
from mesoformula.cli.options import NounGroup, WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store, write, write_options
from mesoformula.errors import UnknownNameError

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Order, Receipt, StockView


@click.group("level", cls=NounGroup, epilog=example("mesoformula stock level set fillmed/nctf-135ha 10"))
def level() -> None:
    """Set and list the least stock of products."""


@level.command("set", epilog=example("mesoformula stock level set fillmed/nctf-135ha 10"))
@click.argument("product", metavar="ID")
@click.argument("least", metavar="CONTAINERS", type=WholeType(1, 1_000_000))
@write_options
def set_(product: str, least: int, order: Order, stock: str | None, as_json: bool) -> int:
    """
    Set the least number of containers to keep of a product, whatever its revision.

    Expired, quarantined and recalled containers do not count, and opened ones neither; what is kept for picks
    counts as there. Products below it are listed by: mesoformula stock list --below
    """
    from mesoformula.stock.lots.levels import set_level

    def work(app: App, store: Store) -> Receipt:
        name, known = _named(app, product)
        return set_level(store, name, least, order=order, known=known)

    return write(stock, as_json, work)


@level.command("clear", epilog=example("mesoformula stock level clear fillmed/nctf-135ha"))
@click.argument("product", metavar="ID")
@write_options
def clear(product: str, order: Order, stock: str | None, as_json: bool) -> int:
    """Set no least number of containers for a product any more."""
    from mesoformula.stock.lots.levels import clear_level

    return write(
        stock,
        as_json,
        lambda app, store: clear_level(store, _named(app, product)[0], order=order),
    )


@level.command("list", epilog=example("mesoformula stock level list"))
@stock_option
@json_option
def list_(stock: str | None, as_json: bool) -> int:
    """List the least numbers that are set, with what can be used now."""
    from mesoformula.stock.views.reading import stock_view

    app = app_of()
    with closing(open_store(app, stock)) as store:
        view = stock_view(store)
    rows = _rows(view)
    if as_json:
        print_json(
            {
                "as_of": view.as_of.isoformat(),
                "stock": view.store,
                "anchor": str(view.anchor) if view.anchor is not None else None,
                "levels": rows,
            }
        )
    elif rows:
        print_table(
            ("product", "least", "usable", "reserved", "note"),
            (
                (
                    row["product"],
                    row["least"],
                    row["usable"],
                    row["reserved"],
                    "BELOW" if row["below"] else "",
                )
                for row in rows
            ),
            right=(1, 2, 3),
            whole=(0,),
        )
        click.echo(f"as of {view.as_of}")
    else:
        click.echo(safe(f"no least stock is set: {view.store}"))
        click.echo("set one with: mesoformula stock level set (-h shows an example)")
    report_problems(app)
    return 0


def _rows(view: StockView) -> list[dict[str, Any]]:
    from mesoformula.stock.lots.levels import Usable, usable

    there = usable(view)
    rows = []
    for product, least in view.levels:
        found = there.get(product, Usable())
        rows.append(
            {
                "product": product,
                "least": least,
                "usable": found.containers,
                "reserved": found.reserved,
                "below": found.containers < least,
            }
        )
    return rows


def _named(app: App, product: str) -> tuple[str, tuple[str, ...]]:
    """Find what the catalogues call a product; what they do not know may be in the stock."""
    try:
        found = app.formulary.product(product.strip()).id
    except UnknownNameError as err:
        return product, tuple(err.nearest)
    return found, (found,)
