"""`mesoformula course`: plan a course, and list, move and cancel what is booked."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.course_options import (
    calendar_options,
    check_calendar,
    closed_days,
    spacing_options,
    write_calendar,
)
from mesoformula.cli.options import DayType, NounGroup, WholeType, example, json_option, stock_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from mesoformula.courses import Interval
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.demand.bookings import Bookings
    from mesoformula.stock.records import Receipt

#: What the command does if no verb is named.
DEFAULT = "plan"


class CourseGroup(NounGroup):
    """The verbs of a course; without one, a course is planned."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what names no verb for the formula to plan."""
        first = args[0] if args else None
        if first is not None and first not in self.list_commands(ctx) and first not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """List the verbs in the order of the work."""
        return [DEFAULT, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the planning when it is used: it needs all that a session needs."""
        if cmd_name == DEFAULT:
            found: click.Command = import_module("mesoformula.cli.course_plan").plan
            return found
        return super().get_command(ctx, cmd_name)


@click.group(
    "course",
    cls=CourseGroup,
    epilog=example(
        "mesoformula course teaching-nctf-vitamin-c --start 2027-01-11",
        "--volume '3 mL' --sessions 3 --every 14d",
    ),
)
def command() -> None:
    """
    Plan a course, and keep it in the stock.

    To plan one, name its formula: mesoformula course FORMULA --start DATE. All that may be said of it lists:
    mesoformula course plan -h
    """


@command.command("list", epilog=example("mesoformula course list"))
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@stock_option
@json_option
def list_(everything: bool, stock: str | None, as_json: bool) -> int:
    """List the courses that are booked, by their next session."""
    from mesoformula.cli.course_telling import bookings_plain
    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.demand.bookings import Status, bookings

    app = app_of()
    with closing(open_store(app, stock)) as store:
        found = bookings(store)
        place = str(store)
    if not everything:
        over = (Status.DONE, Status.CANCELLED)
        found = tuple(one for one in found if any(session.status not in over for session in one.sessions))
    if as_json:
        print_json({"stock": place, "bookings": [bookings_plain(one) for one in found]})
    elif found:
        rows = []
        for of in found:
            for course in of.courses:
                ahead = [one for one in course.sessions if one.to_come]
                late = sum(one.status is Status.PASSED for one in course.sessions)
                done = sum(one.status is Status.DONE for one in course.sessions)
                if not everything and not ahead and not late:
                    continue
                upcoming = f"{ahead[0].on:%a} {ahead[0].on}" if ahead else "none"
                note = f"{late} passed without a recorded use" if late else ""
                counts = f"{done} of {len([one for one in course.sessions if not one.cancelled])}"
                rows.append(
                    (ahead[0].on if ahead else date.max, of.reference, course, upcoming, counts, note)
                )
        rows.sort(key=lambda row: (row[0], row[1]))
        print_table(
            ("reference", "next", "done", "formula", "note"),
            (
                (reference, upcoming, counts, course.formula, note)
                for _on, reference, course, upcoming, counts, note in rows
            ),
            whole=(0, 1, 2),
        )
    else:
        click.echo(safe(f"no course is booked: {place}"))
        click.echo("book one with: mesoformula course FORMULA --start DATE … --book --reference REF")
    report_problems(app)
    return 0


@command.command("show", epilog=example("mesoformula course show S-2026-001"))
@click.argument("reference", metavar="REF")
@calendar_options
@stock_option
@json_option
def show(reference: str, ics: Path | None, replace: bool, stock: str | None, as_json: bool) -> int:
    """Show every session that is booked under a reference, and what has become of it."""
    from mesoformula.cli.course_telling import appointments_booked, bookings_plain, print_bookings
    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.demand.bookings import bookings

    check_calendar(ics, replace)
    app = app_of()
    with closing(open_store(app, stock)) as store:
        (found,) = bookings(store, [reference.strip()])
        if ics is not None:
            from mesoformula.calendars import calendar_file

            write_calendar(ics, calendar_file(appointments_booked(found), store.zone, store.moment()))
    if as_json:
        print_json(bookings_plain(found) | {"calendar": str(ics) if ics is not None else None})
    else:
        print_bookings(found)
        click.echo(f"last changed by movement {found.movement}")
        if ics is not None:
            click.echo(f"calendar written to {safe(ics)}")
    report_problems(app)
    return 0


def _writing(function: Callable[..., int]) -> Callable[..., int]:
    """Add who changes a booking and why; a booking counts from now on, so that no moment is asked for."""
    for option in (
        json_option,
        stock_option,
        click.option("--request-id", metavar="ID", help="The same id again changes nothing."),
        click.option("--reason", metavar="TEXT", help="Why; kept apart from the ledger, and erasable."),
        click.option("--by", metavar="NAME", help="Who records it; else MESOFORMULA_ACTOR, or you."),
    ):
        function = option(function)
    return function


@command.command("move", epilog=example("mesoformula course move S-2026-001 3 --to 2027-02-10"))
@click.argument("reference", metavar="REF")
@click.argument("session", metavar="SESSION", type=WholeType(1, 100_000))
@click.option("--to", type=DayType(), required=True, metavar="DATE", help="The new day.")
@click.option("--shift-rest", is_flag=True, help="Move the sessions after it by as many days.")
@spacing_options
@_writing
def move(
    reference: str,
    session: int,
    to: date,
    shift_rest: bool,
    at_least: Interval | None,
    closed: Path | None,
    weekends: bool,
    by: str | None,
    reason: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Move a booked session to another day.

    SESSION is its number, as `course show` lists it. The day is taken as given, on a weekend too; sessions
    that are shifted with it keep off weekends and closed days. No two may come closer than was booked.
    """
    from mesoformula.cli.stock.common import actor
    from mesoformula.courses import OpenDays
    from mesoformula.stock.demand import booking
    from mesoformula.stock.records import Order

    order = Order(by or actor(), reason, request_id=request_id)
    days = OpenDays(closed_days(closed), weekends)
    return _change(
        reference,
        stock,
        as_json,
        lambda store: booking.move(
            store,
            reference,
            session,
            to,
            order=order,
            shift_rest=shift_rest,
            at_least=at_least,
            days=days,
        ),
    )


@command.command("cancel", epilog=example("mesoformula course cancel S-2026-001 --reason 'moved away'"))
@click.argument("reference", metavar="REF")
@click.option("--session", type=WholeType(1, 100_000), metavar="N", help="Only this one; else all to come.")
@_writing
def cancel(
    reference: str,
    session: int | None,
    by: str | None,
    reason: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """Cancel a booked session, or all that are still to come; --reason says why."""
    from mesoformula.cli.stock.common import actor
    from mesoformula.stock.demand import booking
    from mesoformula.stock.records import Order

    order = Order(by or actor(), reason, request_id=request_id)
    return _change(
        reference,
        stock,
        as_json,
        lambda store: booking.cancel(store, reference, order=order, session=session),
    )


def _change(reference: str, stock: str | None, as_json: bool, work: Callable[[Store], Receipt]) -> int:
    """Change a booking, and show it as it is then."""
    from mesoformula.cli.course_telling import bookings_plain, print_bookings
    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.demand.bookings import bookings

    app = app_of()
    with closing(open_store(app, stock)) as store:
        receipt = work(store)
        found: Bookings
        (found,) = bookings(store, [reference.strip()])
        if as_json:
            print_json(
                bookings_plain(found)
                | {
                    "movement": receipt.movement,
                    "anchor": str(receipt.anchor),
                    "repeated": receipt.repeated,
                    "notes": list(receipt.notes),
                    "stock": str(store),
                }
            )
        else:
            if receipt.repeated:
                click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
            print_bookings(found)
            for note in receipt.notes:
                print_wrapped(note, first="note: ")
            click.echo(f"movement {receipt.movement}")
            click.echo(safe(f"stock {store}"))
            click.echo(f"anchor {receipt.anchor}")
    report_problems(app)
    return 0
