"""`mesoformula stock list` and `value`."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.options import WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store
from mesoformula.cli.stock.telling import containers_text
from mesoformula.encoding import to_plain
from mesoformula.presentation import container_text, storage_text
from mesoformula.sessions import Amount, AmountKind
from mesoformula.sheets import Mark
from mesoformula.stock.figures import (
    days_left,
    in_major_units,
    states_mass,
    states_volume,
    supplied_mass,
    supplied_volume,
)
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mesoformula.app import App
    from mesoformula.stock.records import OnHand, StockView
    from mesoformula.units import Quantity


@click.command(
    "list", short_help="List what is there, by lot and place.", epilog=example("mesoformula stock list nctf")
)
@click.argument("text", required=False)
@click.option("--warn", "warn_days", type=WholeType(0, 3650), default=60, show_default=True,
              metavar="DAYS", help="Up to how many days left count as expiring soon.")  # fmt: skip
@stock_option
@json_option
def list_stock(text: str | None, warn_days: int, stock: str | None, as_json: bool) -> int:
    """List what is there by product, lot and place; TEXT finds names, vendors, ids and lots."""
    app = app_of()
    view = read_stock(app, stock)
    found = [entry for entry in view.on_hand if _matches(entry, text)]
    if as_json:
        print_json(
            {
                "as_of": view.as_of.isoformat(),
                "made_at": view.made_at.isoformat(),
                "stock": view.store,
                "anchor": str(view.anchor) if view.anchor is not None else None,
                "on_hand": [_plain(entry, view) for entry in found],
                "totals": _totals(found),
            }
        )
    elif found:
        print_stock(found, view.as_of, warn_days)
        click.echo(f"as of {view.as_of}")
        click.echo(f"anchor {view.anchor}")
    elif text is not None and view.on_hand:
        print_wrapped(f"nothing in stock matches {shown(text)}; list all with: mesoformula stock list")
    else:
        click.echo(safe(f"the stock is empty: {view.store}"))
        if view.anchor is None and stock is not None:
            click.echo("nothing was ever recorded there; is the path right?")
        click.echo("record a delivery with: mesoformula stock receive (-h shows an example)")
    report_problems(app)
    return 0


def print_stock(found: Iterable[OnHand], as_of: date, warn_days: int = 60) -> None:
    """
    Print what is on hand, as a table.

    Args:
        found: By product, lot and place.
        as_of: The day for which days left are counted.
        warn_days: Up to how many days left count as expiring soon.
    """
    print_table(
        ("product", "lot", "on hand", "expiry", "days", "note", "place"),
        (
            (
                f"{entry.product.name} ({entry.product.vendor.name})",
                entry.lot,
                containers_text(entry.product, entry.containers),
                entry.expiry.isoformat() if entry.expiry is not None else "none",
                days_left(entry.expiry, as_of),
                _word(entry, as_of, warn_days),
                entry.location,
            )
            for entry in found
        ),
        right=(4,),
        whole=(2, 3),
    )


def read_stock(app: App, location: str | None) -> StockView:
    """
    Read the stock that a user chose, as of today.

    Args:
        app: Knows the ingredient classes of plugins.
        location: As given; None for the platform's data folder.

    Returns:
        What is there.
    """
    from mesoformula.stock.reading import stock_view

    with closing(open_store(app, location)) as store:
        return stock_view(store)


def _matches(entry: OnHand, text: str | None) -> bool:
    if text is None:
        return True
    wanted = folded(text)
    product = entry.product
    words = (product.id, product.name, product.vendor.name, entry.lot, *product.nicknames)
    return any(wanted in folded(word) for word in words)


def _word(entry: OnHand, as_of: date, soon: int) -> str:
    left = days_left(entry.expiry, as_of)
    if left is None:
        return "no expiry"
    mark = Mark.of_days(left, soon)
    return mark.upper() if mark is Mark.EXPIRED else mark


def _plain(entry: OnHand, view: StockView) -> dict[str, Any]:
    product = entry.product
    return {
        "product": product.pinned_id,
        "name": product.name,
        "vendor": product.vendor.name,
        "container": container_text(product),
        "lot": entry.lot,
        "location": entry.location,
        "containers": entry.containers,
        "volume": to_plain(_all(supplied_volume(product), entry)),
        "mass": to_plain(_all(supplied_mass(product), entry)),
        "expiry": entry.expiry.isoformat() if entry.expiry is not None else None,
        "days_left": days_left(entry.expiry, view.as_of),
        "storage": storage_text(product.storage),
        "received_at": entry.received_at.isoformat(),
        "supplier": entry.supplier,
        "unit_cost": _money(entry.unit_cost, entry.currency),
        "value": _money(entry.unit_cost and entry.unit_cost * entry.containers, entry.currency),
    }


def _all(each: Quantity | None, entry: OnHand) -> Quantity | None:
    return None if each is None else each * entry.containers


def _money(minor: int | None, currency: str | None) -> dict[str, str] | None:
    if minor is None or currency is None:
        return None
    return {"value": f"{in_major_units(minor, currency):f}", "unit": currency}


def _totals(found: Sequence[OnHand]) -> dict[str, Any]:
    """Add up what is known; what leaves something out says so by its kind, as every amount does."""
    volumes = [(_all(supplied_volume(one.product), one), states_volume(one.product)) for one in found]
    masses = [(_all(supplied_mass(one.product), one), states_mass(one.product)) for one in found]
    currencies = sorted({one.currency for one in found if one.currency is not None})
    return {
        "containers": sum(one.containers for one in found),
        "volume": to_plain(_total(volumes, "mL")),
        "mass": to_plain(_total(masses, "mg")),
        "value": [_value(found, name) for name in currencies],
    }


def _value(found: Sequence[OnHand], currency: str) -> dict[str, Any]:
    """Add up one currency; what has no price may belong to any of them."""
    total = sum((one.unit_cost or 0) * one.containers for one in found if one.currency == currency)
    kind = AmountKind.AT_LEAST if any(one.unit_cost is None for one in found) else AmountKind.STATED
    return {"kind": kind.value, **(_money(total, currency) or {})}


def _total(parts: Sequence[tuple[Quantity | None, bool]], unit: str) -> Amount | None:
    from mesoformula.units import magnitude, quantity

    known = [magnitude(part, unit) for part, _all_of_it in parts if part is not None]
    if not known:
        return None
    total = quantity(sum(known, Decimal(0)), unit)
    if all(all_of_it for _part, all_of_it in parts):
        return Amount(AmountKind.STATED, total, total)
    return Amount(AmountKind.AT_LEAST, total)
