"""`mesoformula sheet stock`, `expiry`, `movements` and `reorder`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from mesoformula.cli.common import app_of
from mesoformula.cli.options import DayType, WholeType, example, stock_option
from mesoformula.cli.sheet import check_out, out_argument, sheet_options, write_sheets
from mesoformula.cli.stock.common import open_store, settings_of
from mesoformula.sheets import SheetRequest

if TYPE_CHECKING:
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Movement, StockView

F = TypeVar("F", bound=Callable[..., Any])

#: Days of movements, the last one included, where nothing else is asked for.
PERIOD = 30
#: So many lines are written before anybody could look at a bar.
_WITHOUT_BAR = 5_000


def _warn_option(function: F) -> F:
    return click.option(
        "--warn", "warn_days", type=WholeType(0, 3650), default=60, show_default=True,
        metavar="DAYS", help="Up to how many days left count as expiring soon.",
    )(function)  # fmt: skip


def _day_option(function: F) -> F:
    return click.option(
        "--on", "day", type=DayType(), metavar="DAY", help="As it stood at the end of this day; else now."
    )(function)


def _period_options(function: F) -> F:
    until = click.option(
        "--until", type=DayType(), metavar="DAY", help="Last day of the movements; else the day of the sheet."
    )
    since = click.option(
        "--since", type=DayType(), metavar="DAY",
        help=f"First day of the movements; else {PERIOD} days, the last one included.",
    )  # fmt: skip
    return since(until(function))


@click.command("stock", epilog=example("mesoformula sheet stock stock.xlsx --warn 90"))
@out_argument
@_period_options
@_warn_option
@_day_option
@sheet_options
@stock_option
def stock(**given: Any) -> int:
    """
    Write the stock as a workbook: what is there, what runs out, what was done.

    Sheets: a summary with charts, what is on hand by lot, what is opened, what expires in which month, the
    movements of a period, what to reorder, and notes on how to read them.
    """
    return _write("stock", **given)


@click.command("expiry", epilog=example("mesoformula sheet expiry expiry.xlsx --lang fr"))
@out_argument
@_day_option
@sheet_options
@stock_option
def expiry(**given: Any) -> int:
    """Write what expires in which month, by product, and what is past it."""
    return _write("expiry", **given)


@click.command("movements", epilog=example("mesoformula sheet movements year.xlsx --since 2026-01-01"))
@out_argument
@_period_options
@sheet_options
@stock_option
def movements(**given: Any) -> int:
    """
    Write what was recorded in a period, one row for each line of a movement.

    A long period takes its time and little memory; past the rows that one sheet holds, it goes on in another.
    """
    return _write("movements", **given)


@click.command("reorder", epilog=example("mesoformula sheet reorder order.xlsx"))
@out_argument
@_day_option
@sheet_options
@stock_option
def reorder(**given: Any) -> int:
    """Write what is short of its least stock, and how many packs that is."""
    return _write("reorder", **given)


def _write(
    topic: str,
    *,
    out: Path,
    language: str,
    replace: bool,
    as_json: bool,
    stock: str | None,
    warn_days: int = 60,
    day: date | None = None,
    since: date | None = None,
    until: date | None = None,
) -> int:
    if since is not None and until is not None and since > until:
        raise click.UsageError(f"the period from {since} to {until} ends before it begins")
    app = app_of()
    check_out(app, out, replace)
    with closing(open_store(app, stock)) as store:
        view = _view(store, day)
        request = SheetRequest(
            topic, view, warn_days, app.formulary, language=language, zone=settings_of().zone()
        )
        if topic in ("stock", "movements"):
            request = with_movements(request, store, since, until, progress=True)
        write_sheets(app, request, out, as_json=as_json)
    return 0


def with_movements(
    request: SheetRequest, store: Store, since: date | None, until: date | None, *, progress: bool = False
) -> SheetRequest:
    """
    Give a request the movements of a period.

    Args:
        request: With the stock.
        store: Which must stay open until the sheets are written.
        since: The first day; None for thirty days, the last one included.
        until: The last day; None for the day of the stock.
        progress: Whether a terminal is shown how far it has come.

    Returns:
        The request with its period.

    Raises:
        OrderError: If the period ends before it begins.
    """
    from mesoformula.stock.views.periods import period

    view = request.stock
    if view is None:
        return request
    until = until if until is not None else view.as_of
    since = since if since is not None else until - timedelta(days=PERIOD - 1)
    asked = period(store, since, until, view.anchor.seq if view.anchor is not None else 0)
    lines = asked.count_lines()
    read = functools.partial(_told, asked.read, lines) if progress else asked.read
    return attrs.evolve(request, since=since, until=until, movements=read, movement_lines=lines)


def _told(read: Callable[[], Iterator[Movement]], lines: int) -> Iterator[Movement]:
    """Read movements, and show on a terminal how far it has come."""
    if lines < _WITHOUT_BAR or not sys.stderr.isatty():
        yield from read()
        return
    with click.progressbar(length=lines, label="movements", file=sys.stderr) as bar:
        for one in read():
            yield one
            bar.update(max(1, len(one.lines)))


def _view(store: Store, day: date | None) -> StockView:
    from mesoformula.stock.views.periods import last_suppliers

    if day is None:
        from mesoformula.stock.views.reading import stock_view

        view = stock_view(store)
    else:
        from mesoformula.stock.views.past import stock_on

        view = stock_on(store, day)
    found = last_suppliers(store, [product for product, _least in view.levels])
    return attrs.evolve(view, suppliers=tuple(sorted(found.items())))


__all__ = ["expiry", "movements", "reorder", "stock", "with_movements"]
