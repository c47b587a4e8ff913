"""`mesoformula course FORMULA`: the days of a course, and all that it takes."""

from __future__ import annotations

from contextlib import closing
from datetime import date, time
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
from mesoformula.cli.common import app_of, print_json, report_problems, safe
from mesoformula.cli.course_options import (
    DurationType,
    IntervalType,
    TimeType,
    calendar_options,
    check_calendar,
    closed_days,
    named,
    spacing_options,
    write_calendar,
)
from mesoformula.cli.course_telling import (
    appointments_booked,
    appointments_planned,
    plan_plain,
    print_plan,
)
from mesoformula.cli.course_working import Worked, counted, wanted
from mesoformula.cli.options import DayType, QuantityType, WholeType, example, json_option, stock_option
from mesoformula.course_plans import plan_of
from mesoformula.courses import MOST_SESSIONS, Interval, OpenDays, schedule
from mesoformula.errors import OverrideError
from mesoformula.findings import Override, decisions
from mesoformula.sessions import Session
from mesoformula.units import magnitude, quantity, show

if TYPE_CHECKING:
    from mesoformula.app import Answer, App
    from mesoformula.formulas import Formula
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Receipt
    from mesoformula.treatments import Protocol


@click.command(
    "plan",
    epilog=example(
        "mesoformula course plan teaching-nctf-vitamin-c --start 2027-01-11",
        "--volume '3 mL' --sessions 3 --every 14d",
        "--then-every 1month --until 2027-06-30",
    ),
)
@click.argument("formula")
@click.option("--start", type=DayType(), required=True, metavar="DATE", help="The first day it may begin.")
@click.option("--protocol", metavar="ID", help="A published schedule; see: mesoformula protocols")
@click.option("--sessions", type=WholeType(1, MOST_SESSIONS), metavar="N", help="Of the series.")
@click.option("--every", type=IntervalType(), metavar="INTERVAL", help="Such as 14d, '2 weeks' or 1month.")
@click.option("--then-every", type=IntervalType(), metavar="INTERVAL", help="Of maintenance sessions.")
@click.option("--until", type=DayType(), metavar="DATE", help="The last day for a maintenance session.")
@click.option(
    "--move",
    type=click.Choice(["later", "earlier"]),
    default="later",
    show_default=True,
    help="Where a session on a closed day goes.",
)
@spacing_options
@click.option("--zone", metavar="ZONE", help="Where, such as face.")
@click.option("--technique", metavar="TECHNIQUE", help="How; may say how much goes into each point.")
@click.option("--volume", type=QuantityType("volume"), metavar="VOLUME", help="Injected in each session.")
@click.option("--points", type=WholeType(1, 100_000), metavar="N", help="Number of injection points.")
@click.option("--area", type=QuantityType("area"), metavar="AREA", help="Of the zone, such as '150 cm²'.")
@click.option("--points-per-cm2", type=WholeType(1, 100), metavar="N", help="Instead of the technique's.")
@click.option(
    "--volume-per-point", type=QuantityType("volume"), metavar="VOLUME", help="Instead of the technique's."
)
@click.option("--syringe", metavar="SYRINGE", help="Injected with, such as 1-ml; its losses are added.")
@click.option("--needle", metavar="NEEDLE", help="Injected through; its losses are added.")
@click.option("--measure-with", metavar="SYRINGE", help="Measured with, if not the same.")
@check_options
@click.option("--time", "at", type=TimeType(), metavar="HH:MM", help="Time of day, such as 10:00.")
@click.option("--duration", type=DurationType(), metavar="TIME", help="Of a session, such as 45min.")
@calendar_options
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
    codes: tuple[str, ...],
    reason: str | None,
    at: time | None,
    duration: int | None,
    ics: Path | None,
    replace: bool,
    book: bool,
    reference: str | None,
    by: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """
    Plan a course: its days, what each session takes, and what it takes in all.

    The word plan may be left out. FORMULA is a formula's id, a product's id, or a file. How often and how far
    apart says a published protocol, or --sessions with --every; where a protocol leaves a range, you choose.
    A session that falls on a weekend or a closed day moves to an open one, and no two come closer than the
    interval.
    """
    if book and reference is None:
        raise click.UsageError("--book: under which reference? expected --reference, such as S-2026-001")
    if duration is not None and at is None:
        raise click.UsageError("--duration is from a time of day on; give --time as well")
    check_calendar(ics, replace)
    overrides = overrides_given(codes, reason, by)
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
    session = _session(app, found, **asked)
    answers = tuple(_worked_out(app, attrs.evolve(session, on=day.on), overrides) for day in days)
    worked = Worked(
        found,
        published,
        planned,
        days,
        answers,
        tuple(map(wanted, answers)),
        at,
        duration,
        (*notes, *_beside(published, session)),
    )
    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.views.reading import stock_view

    with closing(open_store(app, stock)) as store:
        worked = counted(worked, app, store, stock_view(store))
        receipt = None
        if book and reference is not None and worked.ready:
            receipt = _book(store, worked, overrides, reference, by, request_id)
        if ics is not None:
            _export(store, worked, ics, reference, booked=receipt is not None)
        if as_json:
            plain = plan_plain(worked)
            if book:
                plain["booking"] = _receipt_plain(store, receipt, reference)
            print_json(plain | {"calendar": str(ics) if ics is not None else None})
        else:
            print_plan(worked)
            if book:
                _print_receipt(store, receipt, reference)
            if ics is not None:
                click.echo(f"calendar written to {safe(ics)}")
    report_problems(app)
    return 0 if worked.ready else 1


def _session(
    app: App,
    formula: Formula,
    *,
    zone: str | None,
    technique: str | None,
    syringe: str | None,
    needle: str | None,
    measure_with: str | None,
    points_per_cm2: int | None,
    route: str,
    region: str | None,
    conditions: tuple[str, ...],
    allergies: tuple[str, ...],
    **asked: Any,
) -> Session:
    """Ask for one session; volume, points, area, volume per point and age are handed on as they are."""
    known = app.formulary
    return Session(
        formula=formula,
        zone=named("--zone", zone, known.zone, known.names("zone")),
        technique=named("--technique", technique, known.technique, known.names("technique")),
        points_per_area=quantity(points_per_cm2, "point/cm²") if points_per_cm2 is not None else None,
        syringe=named("--syringe", syringe, known.syringe, known.names("syringe")),
        measuring_syringe=named("--measure-with", measure_with, known.syringe, known.names("syringe")),
        needle=named("--needle", needle, known.needle, known.names("needle")),
        route=route_named(route),
        region=region_of(region),
        conditions=conditions_named(conditions, known),
        allergies=allergies_named(allergies, known),
        **asked,
    )


def _worked_out(app: App, session: Session, overrides: tuple[Override, ...]) -> Answer:
    try:
        return app.work_out(session, overrides)
    except OverrideError as err:
        messages = "; ".join(problem.message for problem in err.problems)
        raise click.UsageError(f"--override: {messages}") from err


def _which_schedule(app: App, formula: Formula) -> str:
    """Ask for a schedule, with those that were published for what the formula holds."""
    products = {line.product.partition("@")[0] for line in formula.lines if line.product is not None}
    fitting = [one.id for one in app.formulary.protocols() if products & set(one.products)]
    listed = f" (published for what it holds: {', '.join(fitting)})" if fitting else ""
    return f"how often and how far apart? expected --sessions with --every, or --protocol{listed}"


def _beside(protocol: Protocol | None, session: Session) -> list[str]:
    """Say where what is asked differs from what the protocol was published for."""
    if protocol is None:
        return []
    said = []
    products = {line.product.partition("@")[0] for line in session.formula.lines if line.product is not None}
    if protocol.products and not products & set(protocol.products):
        said.append(f"{protocol.id} was published for {', '.join(protocol.products)}, not for this formula")
    if protocol.zones and (session.zone is None or session.zone.id not in protocol.zones):
        given = session.zone.id if session.zone is not None else "no zone"
        said.append(f"{protocol.id} was published for {', '.join(protocol.zones)}; {given} is given")
    if protocol.technique is not None:
        given = session.technique.id if session.technique is not None else "no technique"
        if given != protocol.technique:
            said.append(f"{protocol.id} was published with {protocol.technique}; {given} is given")
    if protocol.volume is not None:
        low, high = protocol.volume.low, protocol.volume.high
        told = show(low) if low == high else f"{show(low)} to {show(high)}"
        given_volume = session.volume
        fits = given_volume is not None and magnitude(low, "mL") <= magnitude(
            given_volume, "mL"
        ) <= magnitude(high, "mL")
        if not fits:
            given = show(given_volume) if given_volume is not None else "no --volume"
            said.append(f"{protocol.id} was published with {told} per session; {given} is given")
    if protocol.note is not None:
        said.append(f"{protocol.id}: {protocol.note}")
    return said


# ---- booking -----------------------------------------------------------------------------------------------


def _book(
    store: Store,
    worked: Worked,
    overrides: tuple[Override, ...],
    reference: str,
    by: str | None,
    request_id: str | None,
) -> Receipt:
    from mesoformula.cli.stock.common import actor
    from mesoformula.stock.demand.booking import book
    from mesoformula.stock.records import Order

    told = "; ".join(f"overridden: {decision}" for decision in decisions(overrides))
    order = Order(by or actor(), told or None, request_id=request_id)
    return book(store, reference, worked.booked(), order=order)


def _export(store: Store, worked: Worked, ics: Path, reference: str | None, *, booked: bool) -> None:
    from mesoformula.calendars import calendar_file

    entries = appointments_planned(worked, reference)
    if booked and reference is not None:
        from mesoformula.stock.demand.bookings import bookings

        (found,) = bookings(store, [reference.strip()])
        entries = appointments_booked(found, found.courses[-1])
    write_calendar(ics, calendar_file(entries, store.zone, store.moment()))


def _receipt_plain(store: Store, receipt: Receipt | None, reference: str | None) -> dict[str, Any] | None:
    if receipt is None:
        return None
    return {
        "reference": reference,
        "movement": receipt.movement,
        "anchor": str(receipt.anchor),
        "repeated": receipt.repeated,
        "stock": str(store),
    }


def _print_receipt(store: Store, receipt: Receipt | None, reference: str | None) -> None:
    if receipt is None:
        click.echo("NOT BOOKED: the course is not ready.")
        return
    if receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
    else:
        click.echo(safe(f"booked for {reference}: movement {receipt.movement}"))
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {receipt.anchor}")
