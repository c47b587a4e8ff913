"""`mesoformula stock forecast`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, counted, print_json, print_table, print_wrapped, report_problems
from mesoformula.cli.course_options import DaysType
from mesoformula.cli.course_working import product_finder
from mesoformula.cli.options import DayType, Type, example, json_option, option_name, stock_option
from mesoformula.cli.stock.common import open_store, settings_of
from mesoformula.settings import Sharing
from mesoformula.stock.demand.forecasting import Forecast, Terms
from mesoformula.stock.demand.forecasting import forecast as foretell
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.products import Product

_MOST_CONTAINERS = 1_000_000


class LeadTimeType(Type):
    """How long a delivery takes: `5d`, or `VENDOR=5d`, or `VENDOR/SKU=5d`."""

    name = "lead time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        if not isinstance(value, str):
            return value
        of, equals, days = value.rpartition("=")
        if equals and not of.strip():
            expected = "expected such as 5d, acme=10d or acme/c-500=10d"
            raise click.UsageError(f"{option_name(param)}{shown(value)}: {expected}", ctx)
        return of.strip(), DaysType().convert(days, param, ctx)


class SafetyType(Type):
    """What is to be there beside what is needed: `2` containers, or what `14d` of sessions take."""

    name = "safety stock"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it, as containers and days."""
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.isascii() and text.isdigit():
            if len(text) > 7 or int(text) > _MOST_CONTAINERS:
                expected = f"expected up to {_MOST_CONTAINERS} containers"
                raise click.UsageError(f"{option_name(param)}{shown(text)}: {expected}", ctx)
            return int(text), 0
        return 0, DaysType().convert(text, param, ctx)


@click.command(
    "forecast", epilog=example("mesoformula stock forecast --lead-time 5d --lead-time fillmed=10d")
)
@click.option("--until", type=DayType(), metavar="DATE", help="The last day; else that of the last session.")
@click.option(
    "--lead-time",
    "lead_times",
    type=LeadTimeType(),
    multiple=True,
    metavar="[WHOSE=]DAYS",
    help="From order to delivery: 5d; of a vendor or product: fillmed=10d. Repeat for more.",
)
@click.option(
    "--safety-stock",
    type=SafetyType(),
    default=(0, 0),
    metavar="N|DAYS",
    help="Keep N containers of each booked product, or what the sessions of so many days take.",
)
@stock_option
@json_option
def forecast(
    until: date | None,
    lead_times: tuple[tuple[str, int], ...],
    safety_stock: tuple[int, int],
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Rehearse the booked courses on the stock: what runs short, what expires unused, what to order.

    Every booked session is picked and used on its day, on a copy of the shelf: lots by the site's policy,
    opened containers as long as they keep. A session without a time of day counts as at noon. What is short
    is taken as delivered in time; least numbers (stock level) are kept up, too.
    """
    app = app_of()
    settings = settings_of()
    find = product_finder(app)
    terms = Terms(
        lead_times={of: days for of, days in lead_times if of},
        lead_time=next((days for of, days in reversed(lead_times) if not of), None),
        safety_containers=safety_stock[0],
        safety_days=safety_stock[1],
    )
    with closing(open_store(app, stock)) as store:
        found = foretell(
            store,
            rules=app.formulary.beyond_use_rules(),
            products=find,
            until=until,
            terms=terms,
            policy=app.lot_policy(settings.lot_policy),
            minimum_days_left=settings.minimum_days_left,
            sharing_forbidden=settings.share_multi_dose is Sharing.FORBID,
        )
        place = str(store)
    if as_json:
        print_json(_plain(found) | {"stock": place})
    else:
        _print(found, find)
    report_problems(app)
    return 0


def _print(found: Forecast, find: Callable[[str], Product | None]) -> None:
    def name(product: str) -> str:
        known = find(product)
        return product if known is None else f"{known.name}\n  {product}"

    sessions = counted(len(found.outcomes), "booked session")
    click.echo(f"from {found.as_of} until {found.until}: {sessions}")
    if found.short:
        click.echo("\nRuns short")
        print_table(
            ("product", "from", "missing then", "in all", "sessions"),
            (
                (
                    name(one.product),
                    f"{one.first_on:%a} {one.first_on}",
                    one.first_missing,
                    one.missing,
                    one.sessions,
                )
                for one in found.short
            ),
            right=(2, 3, 4),
            whole=(1,),
        )
    elif found.outcomes:
        click.echo("nothing runs short")
    if found.purchases:
        click.echo("\nTo order")
        print_table(
            ("order by", "needed on", "product", "containers", "packs"),
            (
                (
                    "not known" if one.order_by is None else f"{one.order_by}{' LATE' if one.late else ''}",
                    one.needed_on,
                    name(one.product),
                    one.containers,
                    "not stated" if one.packs is None else one.packs,
                )
                for one in found.purchases
            ),
            right=(3, 4),
            whole=(0, 1),
        )
        if any(one.order_by is None for one in found.purchases):
            click.echo("how long a delivery takes is not known of all: --lead-time 5d")
    if found.unused:
        click.echo("\nExpires unused")
        print_table(
            ("expiry", "product", "lot", "place", "containers"),
            ((one.expiry, name(one.product), one.lot, one.location, one.containers) for one in found.unused),
            right=(4,),
            whole=(0, 2),
        )
    for note in found.notes:
        print_wrapped(note, first="note: ")


def _plain(found: Forecast) -> dict[str, Any]:
    return {
        "as_of": found.as_of.isoformat(),
        "until": found.until.isoformat(),
        "sessions": len(found.outcomes),
        "takes": dict(found.whole),
        "short": [
            {
                "product": one.product,
                "first_on": one.first_on.isoformat(),
                "first_missing": one.first_missing,
                "missing": one.missing,
                "sessions": one.sessions,
            }
            for one in found.short
        ],
        "short_sessions": [
            {
                "reference": outcome.visit.reference,
                "session": outcome.visit.number,
                "on": outcome.visit.on.isoformat(),
                "missing": outcome.short,
            }
            for outcome in found.outcomes
            if outcome.short
        ],
        "expires_unused": [
            {
                "product": one.product,
                "lot": one.lot,
                "location": one.location,
                "containers": one.containers,
                "expiry": one.expiry.isoformat(),
            }
            for one in found.unused
        ],
        "order": [
            {
                "product": one.product,
                "needed_on": one.needed_on.isoformat(),
                "order_by": one.order_by.isoformat() if one.order_by is not None else None,
                "containers": one.containers,
                "packs": one.packs,
                "late": one.late,
            }
            for one in found.purchases
        ],
        "notes": list(found.notes),
    }
