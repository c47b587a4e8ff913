"""`mesoformula stock`."""

from __future__ import annotations

import calendar
import getpass
import re
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import (
    app_of,
    counted,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    safe,
)
from mesoformula.cli.options import (
    NounGroup,
    Type,
    WholeType,
    example,
    json_option,
    option_name,
    stock_option,
)
from mesoformula.encoding import to_plain
from mesoformula.presentation import container_text, storage_text
from mesoformula.sessions import Amount, AmountKind
from mesoformula.sheets import Mark
from mesoformula.stock.figures import (
    days_left,
    in_major_units,
    minor_digits,
    states_mass,
    states_volume,
    supplied_mass,
    supplied_volume,
)
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mesoformula.app import App
    from mesoformula.products import Product
    from mesoformula.stock.records import OnHand, StockView
    from mesoformula.stock.store import Store
    from mesoformula.units import Quantity


class ExpiryType(Type):
    """An expiry as printed on a box: a day, or a month, which means its last day."""

    name = "expiry"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read `2027-05-31`, `2027-05` or `05/2027`."""
        if isinstance(value, date):
            return value
        text = value.strip()
        month = re.fullmatch(r"(\d{4})-(\d{2})", text) or re.fullmatch(r"(\d{2})/(\d{4})", text)
        try:
            if month is None:
                return date.fromisoformat(text)
            first, second = int(month[1]), int(month[2])
            year, number = (first, second) if first > 12 else (second, first)
            # A month alone means its last day: leaflets say so, and so does GS1 with day 00.
            return date(year, number, calendar.monthrange(year, number)[1])
        except (ValueError, calendar.IllegalMonthError):
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no expiry; expected 2027-05-31, 2027-05 or 05/2027 "
                "(its last day)",
                ctx,
            ) from None


class CostType(Type):
    """A price on the command line, in major units with its currency."""

    name = "cost"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `12.50 EUR`."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,9}(?:\.(\d+))?) ?([A-Z]{3})", value.strip())
        if match is None or len(match[2] or "") > minor_digits(match[3]):
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no price; expected such as '12.50 EUR'", ctx
            )
        return int(Decimal(match[1]).scaleb(minor_digits(match[3]))), match[3]


class MomentType(Type):
    """A moment on the command line, in local time unless it says otherwise."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read `2026-11-23 14:30`."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no moment; expected such as '2026-11-23 14:30'", ctx
            ) from None
        return moment.astimezone() if moment.tzinfo is None else moment


@click.group("stock", cls=NounGroup, epilog=example("mesoformula stock list"))
def command() -> None:
    """Receive stock, and see what is there: an append-only ledger."""


def open_store(app: App, location: str | None) -> Store:
    """
    Open the stock that a user chose.

    Args:
        app: Knows the ingredient classes of plugins.
        location: As given; None for the platform's data folder.

    Returns:
        The store.
    """
    from mesoformula.stock.store import open_stock

    classes = {known.id: known.attributes for known in app.formulary.classes.values()}
    return open_stock(location, classes=classes)


@command.command(
    "receive",
    epilog=example(
        "mesoformula stock receive fillmed/nctf-135ha", "--lot 4711 --containers 5 --expiry 05/2028"
    ),
)
@click.argument("product", metavar="ID")
@click.option("--lot", required=True, metavar="LOT", help="The maker's lot number, as printed.")
@click.option("--containers", type=WholeType(1, 1_000_000), metavar="N", help="How many (of a kit: kits).")
@click.option("--packs", type=WholeType(1, 100_000), metavar="N", help="How many packs, instead.")
@click.option("--expiry", type=ExpiryType(), metavar="DAY", help="2027-05-31; 05/2027 means its last day.")
@click.option("--no-expiry", is_flag=True, help="None is printed.")
@click.option("--location", default="main", show_default=True, metavar="PLACE", help="Where it is put.")
@click.option("--supplier", metavar="NAME", help="Who delivered it.")
@click.option("--cost", type=CostType(), metavar="PRICE", help="Of one container, such as '12.50 EUR'.")
@click.option("--received", type=MomentType(), metavar="MOMENT", help="When, if not now.")
@click.option("--by", envvar="MESOFORMULA_ACTOR", metavar="NAME", help="Who records it; else your user name.")
@click.option("--remark", metavar="TEXT", help="Kept apart from the ledger, and erasable.")
@click.option("--request-id", metavar="ID", help="The same id again changes nothing.")
@stock_option
@json_option
def receive_stock(
    product: str,
    lot: str,
    containers: int | None,
    packs: int | None,
    expiry: date | None,
    no_expiry: bool,
    location: str,
    supplier: str | None,
    cost: tuple[int, str] | None,
    received: datetime | None,
    by: str | None,
    remark: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """Record a delivery of one lot of a product."""
    from mesoformula.stock.receiving import receive
    from mesoformula.stock.records import Delivery

    app = app_of()
    item = app.formulary.product(product)
    if (containers is None) == (packs is None):
        raise click.UsageError("how many? expected either --containers, such as 5, or --packs")
    if (expiry is None) != no_expiry:
        raise click.UsageError("expected either --expiry, such as 05/2028, or --no-expiry if none is printed")
    if packs is not None:
        if item.containers_per_pack is None:
            raise click.UsageError(
                f"how many containers a pack of {item.id} holds is not stated; count them, and give "
                "--containers"
            )
        containers = packs * item.containers_per_pack
    assert containers is not None  # noqa: S101 (one of the two is given)
    delivery = Delivery(
        product=item,
        lot=lot,
        containers=containers,
        expiry=expiry,
        location=location,
        supplier=supplier,
        unit_cost=cost[0] if cost is not None else None,
        currency=cost[1] if cost is not None else None,
        received_at=received,
        remark=remark,
    )
    with closing(open_store(app, stock)) as store:
        receipt = receive(store, [delivery], actor=by or _user(), request_id=request_id)
        where = str(store)
    if as_json:
        print_json(
            {
                "movement": receipt.movement,
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "product": item.pinned_id,
                "lot": lot.strip(),
                "containers": containers,
                "expiry": expiry.isoformat() if expiry is not None else None,
                "stock": where,
            }
        )
    elif receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
        click.echo(f"anchor {receipt.anchor}")
    else:
        print_wrapped(f"received {_counted(item, containers)} of {item.name} ({item.pinned_id})")
        until = f"usable through {expiry}" if expiry is not None else "no expiry"
        print_wrapped(f"lot {lot.strip()}, {until}, at {location}")
        if expiry is not None and expiry < date.today():  # noqa: DTZ011 (the site's own day)
            click.echo("attention: this lot has EXPIRED; keep it apart from what is used")
        click.echo(safe(f"stock {where}"))
        click.echo(f"anchor {receipt.anchor}")
    report_problems(app)
    return 0


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise click.UsageError("who records it? expected --by NAME") from None


@command.command(
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
                _counted(entry.product, entry.containers),
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
        return stock_view(store, as_of=date.today())  # noqa: DTZ011 (the site's own day)


def _matches(entry: OnHand, text: str | None) -> bool:
    if text is None:
        return True
    wanted = folded(text)
    product = entry.product
    words = (product.id, product.name, product.vendor.name, entry.lot, *product.nicknames)
    return any(wanted in folded(word) for word in words)


def _counted(product: Product, number: int) -> str:
    return counted(number, "kit" if product.is_kit else product.parts[0].container.word)


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
