"""`mesoformula stock list`."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, tzinfo
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
from mesoformula.cli.options import DayType, Type, WholeType, example, json_option, option_name, stock_option
from mesoformula.cli.stock.common import open_store
from mesoformula.cli.stock.telling import amount_text, containers_text, left_text, local_text
from mesoformula.cli.stock.valuing import value
from mesoformula.clock import day_end, site_day
from mesoformula.sheets import Mark
from mesoformula.stock.figures import days_left
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.lots.levels import Below
    from mesoformula.stock.records import OnHand, Opened, StockView

#: Beyond that, no day is there to count to.
_MOST_DAYS = 36_500


class DaysType(Type):
    """A number of days on the command line."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read `60d`, `60 d`, `60 days` or `60`."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,6}) ?(?:d|days?)?", value.strip(), re.ASCII)
        if match is None or int(match[1]) > _MOST_DAYS:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no number of days; expected such as 60d, up to "
                f"{_MOST_DAYS}",
                ctx,
            )
        return int(match[1])


@click.command(
    "list", short_help="List what is there, by lot and place.", epilog=example("mesoformula stock list nctf")
)
@click.argument("text", required=False)
@click.option("--expiring", type=DaysType(), metavar="DAYS", help="Only what expires within, such as 60d.")
@click.option("--expired", is_flag=True, help="Only what has expired.")
@click.option("--quarantined", is_flag=True, help="Only what is kept apart: quarantined or recalled.")
@click.option("--location", metavar="PLACE", help="Only what is in this place.")
@click.option("--opened", "opened_only", is_flag=True, help="Opened containers and mixtures instead.")
@click.option("--below", "below_only", is_flag=True, help="Products below their least stock instead.")
@click.option("--on", "day", type=DayType(), metavar="DAY", help="As it stood at the end of this day.")
@click.option("--known-on", type=DayType(), metavar="DAY", help="As it was recorded by the end of this day.")
@click.option("--warn", "warn_days", type=WholeType(0, 3650), default=60, show_default=True,
              metavar="DAYS", help="Up to how many days left count as expiring soon.")  # fmt: skip
@stock_option
@json_option
def list_stock(
    text: str | None,
    expiring: int | None,
    expired: bool,
    quarantined: bool,
    location: str | None,
    opened_only: bool,
    below_only: bool,
    day: date | None,
    known_on: date | None,
    warn_days: int,
    stock: str | None,
    as_json: bool,
) -> int:
    """List what is there by product, lot and place; TEXT finds names, vendors, ids and lots."""
    from mesoformula.stock.lots.levels import below

    if below_only and (opened_only or expired or quarantined or expiring is not None or location is not None):
        raise click.UsageError("--below is about whole products; expected it alone, or with TEXT or --on")
    if opened_only and expiring is not None:
        raise click.UsageError("--opened and --expiring do not go together; expected one of them")
    app = app_of()
    with closing(open_store(app, stock)) as store:
        view = _view(store, day, known_on)
        zone = store.zone
    # Of a past day its end counts, of today this moment.
    seen = min(view.made_at, day_end(view.as_of, zone).astimezone(UTC) - timedelta(microseconds=1))
    found = [
        one
        for one in view.on_hand
        if _matches(one, text)
        and (location is None or one.location == location.strip(" "))
        and (not quarantined or one.quarantined or one.recalled)
        and _expires(one, view.as_of, expiring, expired=expired)
    ]
    opened = [
        one
        for one in view.opened
        if _matches(one, text)
        and (location is None or one.location == location.strip(" "))
        and (not quarantined or one.quarantined or one.recalled)
        and (not expired or is_past(one, seen, zone))
    ]
    short = [one for one in below(view) if text is None or folded(text) in folded(one.product)]
    if as_json:
        from mesoformula.cli.stock.listed import list_plain

        plain = list_plain(view, found, opened, short, {one.id for one in opened if is_past(one, seen, zone)})
        plain["known_on"] = known_on.isoformat() if known_on is not None else None
        print_json(plain)
    elif below_only:
        _print_below(view, short)
    elif opened_only:
        _print_opened(view, opened, seen, zone)
    elif found:
        print_stock(found, view.as_of, warn_days)
        _print_hints(
            view, found, opened, short, seen, zone, narrowed=expired or quarantined or location is not None
        )
        _print_end(view, known_on)
    elif view.on_hand or view.opened:
        _print_none(text, narrowed=expiring is not None or expired or quarantined or location is not None)
        _print_hints(view, view.on_hand, opened, short, seen, zone, narrowed=True)
        _print_end(view, known_on)
    else:
        _print_empty(view, stock, day, known_on)
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
                ", ".join(_words(entry, as_of, warn_days)),
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
    with closing(open_store(app, location)) as store:
        return _view(store, None, None)


def is_past(one: Opened, seen: datetime, zone: tzinfo) -> bool:
    """
    Tell whether an opened container must be gone by now.

    Args:
        one: An opened container or a mixture.
        seen: Now.
        zone: Of the site.

    Returns:
        True past its beyond-use moment or the expiry of what is in it; one that is for a single session only,
        from the day after it was opened.
    """
    today = site_day(seen, zone)
    if one.expiry is not None and today > one.expiry:
        return True
    if one.beyond_use_at is None:
        return today > site_day(one.opened_at, zone)
    return seen >= one.beyond_use_at


def _view(store: Store, day: date | None, known_on: date | None) -> StockView:
    if day is None and known_on is None:
        from mesoformula.stock.views.reading import stock_view

        return stock_view(store)
    from mesoformula.stock.views.past import stock_on

    today = site_day(store.moment(), store.zone)
    known = day_end(known_on, store.zone) if known_on is not None else None
    return stock_on(store, day or min(known_on or today, today), recorded_until=known)


def _matches(entry: OnHand | Opened, text: str | None) -> bool:
    if text is None:
        return True
    wanted = folded(text)
    product = entry.product
    words: tuple[str | None, ...] = (entry.lot, getattr(entry, "name", None))
    if product is not None:
        words = (product.id, product.name, product.vendor.name, *words, *product.nicknames)
    return any(wanted in folded(word) for word in words if word is not None)


def _expires(entry: OnHand, as_of: date, within: int | None, *, expired: bool) -> bool:
    left = days_left(entry.expiry, as_of)
    if within is None and not expired:
        return True
    if left is None:
        return False
    return (expired and left < 0) or (within is not None and 0 <= left <= within)


def _words(entry: OnHand, as_of: date, soon: int) -> list[str]:
    """Say everything that stands against a lot, and what is kept of it."""
    words = []
    left = days_left(entry.expiry, as_of)
    if entry.recalled:
        words.append("RECALLED")
    if entry.quarantined:
        words.append("QUARANTINED")
    if left is None:
        words.append("no expiry")
    else:
        mark = Mark.of_days(left, soon)
        if mark is not Mark.NONE:
            words.append(mark.upper() if mark is Mark.EXPIRED else str(mark))
    if entry.reserved:
        words.append(f"reserved {entry.reserved}")
    return words


def _print_opened(view: StockView, opened: Sequence[Opened], seen: datetime, zone: tzinfo) -> None:
    if not opened:
        click.echo("no opened container or mixture is there" + (" that matches" if view.opened else ""))
        _print_end(view, None)
        return
    rows = []
    for one in opened:
        words = []
        if one.recalled:
            words.append("RECALLED")
        if one.quarantined:
            words.append("QUARANTINED")
        if is_past(one, seen, zone):
            words.append("PAST its beyond-use date")
        if one.reserved_nanolitres:
            words.append(f"{amount_text(one.reserved_nanolitres, None)} reserved")
        if one.sessions:
            words.append(f"used in {', '.join(one.sessions)}")
        rest = left_text(one)
        name = f"{one.product.name} ({one.product.vendor.name})" if one.product else f"mixture {one.name}"
        rows.append(
            (
                one.id,
                name,
                one.lot,
                f"at least {rest}" if rest else "not known",
                local_text(one.beyond_use_at, zone) if one.beyond_use_at is not None else "this session only",
                ", ".join(words),
                one.location,
            )
        )
    print_table(("no", "opened", "lot", "left", "use before", "note", "place"), rows, right=(0,))
    click.echo("what is left is by the label: a container may hold more")
    _print_end(view, None)


def _print_below(view: StockView, short: Sequence[Below]) -> None:
    if short:
        names = {one.product.id: one.product.name for one in view.on_hand}
        print_table(
            ("product", "usable", "least", "missing"),
            (
                (f"{names.get(one.product, '')} ({one.product})".strip(), one.there, one.minimum,
                 one.minimum - one.there)
                for one in short
            ),
            right=(1, 2, 3),
        )  # fmt: skip
        click.echo("usable: neither expired nor quarantined nor recalled; reserved ones count")
    elif view.levels:
        click.echo("every product has its least stock")
    else:
        click.echo("no least stock is set; set one with: mesoformula stock level set")
    _print_end(view, None)


def _print_hints(
    view: StockView,
    found: Iterable[OnHand],
    opened: Sequence[Opened],
    short: Sequence[Below],
    seen: datetime,
    zone: tzinfo,
    *,
    narrowed: bool,
) -> None:
    """Point to what the table does not show."""
    past = sum(is_past(one, seen, zone) for one in view.opened)
    if past:
        are = "opened container is past its" if past == 1 else "opened containers are past their"
        print_wrapped(f"{past} {are} beyond-use date: stock list --opened")
    elif opened:
        is_there = "is" if len(opened) == 1 else "are"
        what = counted(len(opened), "opened container")
        click.echo(f"{what} {is_there} there too: stock list --opened")
    if short:
        are = "product is" if len(short) == 1 else "products are"
        print_wrapped(f"{len(short)} {are} below the least stock: stock list --below")
    if narrowed:
        return
    listed = {id(one) for one in found}
    expired = sum(
        (days_left(one.expiry, view.as_of) or 0) < 0 for one in view.on_hand if id(one) not in listed
    )
    if expired:
        print_wrapped(f"expired and not listed here: {expired}; see them with: stock list --expired")


def _print_none(text: str | None, *, narrowed: bool) -> None:
    what = f" matches {shown(text)}" if text is not None else ""
    if narrowed:
        what += " and the options given" if text is not None else " matches the options given"
    print_wrapped(f"nothing in stock{what}; list all with: mesoformula stock list")


def _print_empty(view: StockView, stock: str | None, day: date | None, known_on: date | None) -> None:
    when = f" at the end of {day}" if day is not None else ""
    known = f", as recorded by the end of {known_on}" if known_on is not None else ""
    click.echo(safe(f"the stock is empty{when}{known}: {view.store}"))
    if view.anchor is None and stock is not None and known_on is None:
        click.echo("nothing was ever recorded there; is the path right?")
    if day is None and known_on is None:
        click.echo("record a delivery with: mesoformula stock receive (-h shows an example)")


def _print_end(view: StockView, known_on: date | None) -> None:
    known = f", as recorded by the end of {known_on}" if known_on is not None else ""
    click.echo(f"as of {view.as_of}{known}")
    click.echo(f"anchor {view.anchor}")


__all__ = ["is_past", "list_stock", "print_stock", "read_stock", "value"]
