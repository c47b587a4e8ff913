"""`mesoformula course FORMULA`: the days of a course, and all that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.checked import (
    allergies_named,
    check_options,
    conditions_named,
    overrides_given,
    region_of,
    route_named,
)
from mesoformula.cli.common import app_of, print_json, report_problems
from mesoformula.cli.course_options import (
    DurationType,
    IntervalType,
    TimeType,
    check_calendar,
    closed_days,
    named,
    schedule_options,
)
from mesoformula.cli.course_telling import Worked, plan_plain, print_plan
from mesoformula.cli.options import DayType, QuantityType, WholeType, example, json_option, stock_option
from mesoformula.courses import MOST_SESSIONS, Interval, OpenDays, Plan, schedule
from mesoformula.errors import OverrideError
from mesoformula.sessions import Session

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.findings import Override
    from mesoformula.formulas import Formula
    from mesoformula.stock.store import Store
    from mesoformula.treatments import Protocol
    from mesoformula.units import Quantity


@click.command(
    "plan",
    epilog=example(
        "mesoformula course nctf-135ha-microneedling-face --start 2027-01-11",
        "--sessions 3 --every 14d --then-every 1month --until 2027-06-30",
    ),
)
@click.argument("formula")
@click.option("--start", type=DayType(), required=True, metavar="DATE", help="The first day it may begin.")
@click.option("--protocol", metavar="ID", help="A published schedule; see: mesoformula protocols")
@click.option("--sessions", type=WholeType(1, MOST_SESSIONS), metavar="N", help="Of the series.")
@click.option("--every", type=IntervalType(), metavar="INTERVAL", help="Such as 14d, '2 weeks' or 1month.")
@click.option("--then-every", type=IntervalType(), metavar="INTERVAL", help="Of maintenance sessions.")
@click.option("--until", type=DayType(), metavar="DATE", help="The last day for a maintenance session.")
@click.option("--move", type=click.Choice(["later", "earlier"]), default="later", show_default=True,
              help="Where a session on a closed day goes.")  # fmt: skip
@schedule_options
@click.option("--zone", metavar="ZONE", help="Where, such as face.")
@click.option("--technique", metavar="TECHNIQUE", help="How; may say how much goes into each point.")
@click.option("--volume", type=QuantityType("volume"), metavar="VOLUME", help="Injected in each session.")
@click.option("--points", type=WholeType(1, 100_000), metavar="N", help="Number of injection points.")
@click.option("--area", type=QuantityType("area"), metavar="AREA", help="Of the zone, such as '150 cm²'.")
@click.option("--points-per-cm2", type=WholeType(1, 100), metavar="N", help="Instead of the technique's.")
@click.option("--volume-per-point", type=QuantityType("volume"), metavar="VOLUME",
              help="Instead of the technique's.")  # fmt: skip
@click.option("--syringe", metavar="SYRINGE", help="Injected with, such as 1-ml; its losses are added.")
@click.option("--needle", metavar="NEEDLE", help="Injected through; its losses are added.")
@click.option("--measure-with", metavar="SYRINGE", help="Measured with, if not the same.")
@check_options
@click.option("--time", "at", type=TimeType(), metavar="HH:MM", help="Time of day, such as 10:00.")
@click.option("--duration", type=DurationType(), metavar="TIME", help="Of a session, such as 45min.")
@click.option("--ics", type=click.Path(path_type=Path), metavar="FILE.ics", help="Write a calendar file.")
@click.option("--replace", is_flag=True, help="Replace the calendar file if it is there.")
@click.option("--book", is_flag=True, help="Keep the course in the stock; needs --reference.")
@click.option("--reference", metavar="REF", help="Of the sessions, such as S-2026-001; never a name.")
@click.option("--by", metavar="NAME", help="Who decides on overrides, or books; for booking, else you.")
@click.option("--request-id", metavar="ID", help="Of the booking: the same id again changes nothing.")
@stock_option
@json_option
def plan(
    formula: str,
    start: date,
    protocol: str | None,
    sessions: int | None,
    every: Interval | None,
    then_every: Interval | None,
    until: date | None,
    move: str,
    at_least: Interval | None,
    closed: Path | None,
    weekends: bool,
    at: time | None,
    duration: int | None,
    ics: Path | None,
    replace: bool,
    book: bool,
    reference: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """
    Plan a course: its days, what each session takes, and what it takes in all.

    FORMULA is a formula's id, a product's id, or a file. How often and how far apart says a published
    protocol, or --sessions with --every; where a protocol leaves a range, you choose. A session that falls on
    a weekend or a closed day moves to an open one, and no two come closer than the interval.
    """
    from mesoformula.course_plans import plan_of
    from mesoformula.cli.stock.common import actor, open_store
    from mesoformula.stock.records import Order

    if book and reference is None:
        raise click.UsageError("--book: under which reference? expected --reference, such as S-2026-001")
    if duration is not None and at is None:
        raise click.UsageError("--duration is from a time of day on; give --time as well")
    check_calendar(ics, replace)
    overrides = overrides_given(asked.pop("codes"), asked["reason"], asked["by"])
    app = app_of()
    found = app.formula(formula)
    published = named("--protocol", protocol, app.formulary.protocol, app.formulary.names("protocol"))
    if published is None and sessions is None:
        raise click.UsageError(_which_schedule(app, found))
    planned, notes = plan_of(
        published,
        sessions=sessions,
        every=every,
        then_every=then_every,
        until=until,
        at_least=at_least,
        earlier=move == "earlier",
    )
    days = schedule(start, planned, OpenDays(closed_days(closed), weekends))
    session = _session(app, found, asked)
    answers = []
    for one in days:
        answers.append(_worked_out(app, attrs.evolve(session, on=one.on), overrides))
    with closing(open_store(app, stock)) as store:
        worked = Worked(
            found,
            published,
            planned,
            days,
            tuple(answers),
            (*notes, *_published_for(published, found, session)),
        )
        worked = worked.counted(app, store, at, reference)
        booked = None
        if book and reference is not None and worked.ready:
            from mesoformula.findings import decisions

            told = [f"overridden: {decision}" for decision in decisions(overrides)]
            order = Order(asked["by"] or actor(), "; ".join(told) or None, request_id=request_id)
            booked = _book(store, worked, order, reference, at, duration)
        if ics is not None:
            _write(store, worked, ics, reference, at, duration, booked is not None)
        if as_json:
            plain = plan_plain(worked, app)
            if book:
                plain["booking"] = booked
            plain["calendar"] = str(ics) if ics is not None else None
            print_json(plain)
        else:
            print_plan(worked, app)
            if book:
                _say_booked(store, booked, reference)
            if ics is not None:
                from mesoformula.cli.common import safe

                click.echo(f"calendar written to {safe(ics)}")
    report_problems(app)
    return 0 if worked.ready else 1
