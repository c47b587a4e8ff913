"""What the verbs of the stock share: the store, who records what, and telling what a write did."""

from __future__ import annotations

import calendar
import functools
import getpass
import os
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mesoformula.cli.common import app_of, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import Type, json_option, option_name, stock_option
from mesoformula.settings import Settings, load_settings
from mesoformula.stock.figures import minor_digits
from mesoformula.stock.records import Order
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Receipt

F = TypeVar("F", bound=Callable[..., Any])


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
    """A moment on the command line, in the site's time unless it says otherwise."""

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
        return _at_site(moment, param, ctx) if moment.tzinfo is None else moment


def _at_site(moment: datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
    """Give a moment the site's zone; where its clocks are set forward or back, it may be none, or two."""
    first = moment.replace(tzinfo=settings_of().zone())
    second = first.replace(fold=1)
    try:
        offsets = [one.utcoffset() for one in (first, second)]
        there = first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return first  # what is wrong with it is said where its year is checked
    if offsets[0] == offsets[1]:
        return first
    called = f"{option_name(param)}{shown(moment.isoformat(' '))}"
    if there != moment:
        raise click.UsageError(
            f"{called}: there was no such time at the site, as its clocks were set forward; expected one "
            "before or after",
            ctx,
        )
    either = " or ".join(shown(one.isoformat(" ", "minutes")) for one in (first, second))
    raise click.UsageError(
        f"{called} came twice at the site, as its clocks were set back; expected {either}", ctx
    )


def settings_of(ctx: click.Context | None = None) -> Settings:
    """
    Return the site's settings.

    Args:
        ctx: The click context; None for the current one, if any.

    Returns:
        The same for the whole run.
    """
    context = ctx or click.get_current_context(silent=True)
    given = context.find_root().ensure_object(dict) if context is not None else {}
    if "settings" not in given:
        given["settings"] = load_settings(os.environ)
    settings: Settings = given["settings"]
    return settings


def open_store(app: App, location: str | None) -> Store:
    """
    Open the stock that a user chose.

    Args:
        app: Knows the ingredient classes of plugins.
        location: As given; None for the settings, or the platform's data folder.

    Returns:
        The store.
    """
    from mesoformula.stock.database.store import open_stock

    settings = settings_of()
    classes = {known.id: known.attributes for known in app.formulary.classes.values()}
    return open_stock(
        location or settings.stock,
        classes=classes,
        zone=settings.zone(),
        notify=lambda text: click.echo(safe(text), err=True),
    )


def write_options(function: F) -> F:
    """
    Add what every write takes, and hand it on as `order`, `stock` and `as_json`.

    Args:
        function: The command.

    Returns:
        The command with `--by`, `--reason`, `--at`, `--request-id`, `--stock` and `--json`.
    """

    @functools.wraps(function)
    def command(
        *args: Any,
        by: str | None,
        reason: str | None,
        at: datetime | None,
        request_id: str | None,
        **given: Any,
    ) -> Any:
        return function(*args, order=Order(by or actor(), reason, at, request_id), **given)

    for option in (
        json_option,
        stock_option,
        click.option("--request-id", metavar="ID", help="The same id again changes nothing."),
        click.option("--at", type=MomentType(), metavar="MOMENT", help="When it happened, if not now."),
        click.option("--reason", metavar="TEXT", help="Why; kept apart from the ledger, and erasable."),
        click.option(
            "--by", metavar="NAME", help="Who records it; else MESOFORMULA_ACTOR, or your user name."
        ),
    ):
        command = option(command)
    return command  # type: ignore[return-value]


def actor() -> str:
    """
    Tell who records something, where the command does not say.

    Returns:
        As set, or the user's name on this machine.
    """
    settings = settings_of()
    if settings.actor is not None:
        return settings.actor
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise click.UsageError("who records it? expected --by NAME") from None


def write(
    stock: str | None,
    as_json: bool,
    work: Callable[[App, Store], Receipt],
    *,
    extra: dict[str, Any] | None = None,
) -> int:
    """
    Carry out a write, and tell what it did.

    Args:
        stock: The stock, as given.
        as_json: Whether to tell it to a machine.
        work: Writes.
        extra: What JSON says beside.

    Returns:
        The exit code.
    """
    app = app_of()
    with closing(open_store(app, stock)) as store:
        receipt = work(app, store)
        print_receipt(store, receipt, as_json, extra=extra)
    report_problems(app)
    return 0


def print_receipt(
    store: Store, receipt: Receipt, as_json: bool, *, extra: dict[str, Any] | None = None
) -> None:
    """
    Tell what a write did.

    Args:
        store: The stock.
        receipt: Of the write.
        as_json: Whether to tell it to a machine.
        extra: What JSON says beside.
    """
    from mesoformula.cli.stock.telling import compensation_texts, movement_plain, movement_texts
    from mesoformula.stock.views.history import movements_of

    movements = movements_of(store, receipt.movements)
    if as_json:
        print_json(
            {
                "movement": receipt.movement,
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "movements": [movement_plain(one) for one in movements],
                "notes": list(receipt.notes),
                "stock": str(store),
                **(extra or {}),
            }
        )
        return
    if receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
    for one in movements:
        for text in movement_texts(one, store.zone):
            print_wrapped(text, rest="    ")
    for note in (*receipt.notes, *compensation_texts(movements, store.zone)):
        print_wrapped(f"note: {note}")
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {receipt.anchor}")
