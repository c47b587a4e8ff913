"""Courses, told to people, to machines and to calendars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mesoformula.calendars import Appointment, uid_of
from mesoformula.cli.common import brief, counted, print_table, print_wrapped, safe
from mesoformula.cli.course_working import Cost, Need, Worked, all_costs
from mesoformula.cli.session_telling import session_plain
from mesoformula.cli.stock.telling import containers_text, money_plain, volume_plain
from mesoformula.findings import Severity, standing
from mesoformula.sessions import LineQuantities
from mesoformula.stock.demand.bookings import BookedCourse, BookedSession, Bookings
from mesoformula.stock.figures import in_major_units
from mesoformula.units import show

if TYPE_CHECKING:
    from mesoformula.app import Answer
    from mesoformula.courses import PlannedSession
    from mesoformula.stock.picks.shortage import Want


def print_plan(worked: Worked) -> None:
    """
    Print a course for a person.

    Args:
        worked: The course.
    """
    formula = worked.formula
    print_wrapped(formula.name)
    click.echo(safe(formula.id if "/" in formula.id else f"{formula.id}, version {formula.version}"))
    if formula.teaching:
        click.echo("A teaching example: it describes no published mixture.")
    if worked.protocol is not None:
        print_wrapped(f"{worked.protocol.name} ({worked.protocol.id})")
        print_wrapped(f"{worked.protocol.source.kind}: {worked.protocol.source.where}", first="  ")
    click.echo()
    time = f" at {worked.at:%H:%M}" if worked.at is not None else ""
    print_table(
        ("#", "day", "note"),
        ((day.number, f"{day.on:%a} {day.on}{time}", _said(day)) for day in worked.days),
        right=(0,),
        whole=(1,),
    )
    _print_sessions(worked)
    click.echo("\nIn all")
    print_table(
        ("product", "containers", "packs", "cost"),
        (
            (
                f"{need.product.name}\n  {need.product.pinned_id}",
                containers_text(need.product, need.containers),
                _packs(need),
                _cost(need.costs),
            )
            for need in worked.needs
        ),
        whole=(1, 2),
    )
    costs, whole = all_costs(worked.needs)
    if costs and len(worked.needs) > 1:
        print_wrapped(f"{'' if whole else 'at least '}{_cost(costs.values())}", first="  together ")
    for need in worked.needs:
        if need.saved:
            print_wrapped(
                f"{need.product.name}: what is left in opened containers is kept for later sessions as long "
                f"as it may be, which saves {containers_text(need.product, need.saved)}."
            )
    _print_steps(worked)
    for note in worked.notes:
        print_wrapped(note, first="note: ")
    _print_findings(worked)


def _said(day: PlannedSession) -> str:
    return "; ".join(filter(None, ("maintenance" if day.maintenance else None, day.moved)))


def _print_sessions(worked: Worked) -> None:
    """Print what a session takes; those that take something else stand on their own."""
    groups: dict[tuple[tuple[object, ...], ...], list[int]] = {}
    rows: dict[tuple[tuple[object, ...], ...], Answer] = {}
    for day, answer in zip(worked.days, worked.answers, strict=True):
        key = tuple(_row(line) for line in answer.quantities.lines)
        groups.setdefault(key, []).append(day.number)
        rows.setdefault(key, answer)
    for key, numbers in groups.items():
        which = "Each session" if len(groups) == 1 else f"Session {', '.join(map(str, numbers))}"
        quantities = rows[key].quantities
        injected = f"inject {brief(quantities.injected)}"
        lost = f", {brief(quantities.lost)} stays behind" if quantities.lost.magnitude else ""
        click.echo(f"\n{which}: {injected}{lost}")
        print_table(("draw", "product", "open"), key, whole=(0, 2))


def _row(line: LineQuantities) -> tuple[object, ...]:
    drawn = show(line.measured) if line.measured is not None else brief(line.volume)
    name = line.product.name + (f", part {line.part}" if line.part else "")
    return drawn, name, containers_text(line.product, line.containers)


def _packs(need: Need) -> str:
    if need.packs is None:
        return "not stated"
    return f"{counted(need.packs, 'pack')} of {need.product.containers_per_pack}"


def _cost(costs: Iterable[Cost]) -> str:
    texts = []
    for cost in costs:
        low, high = (f"{in_major_units(end, cost.currency):f}" for end in (cost.low, cost.high))
        texts.append(f"{low if low == high else f'{low} to {high}'} {cost.currency}")
    return " or ".join(texts) or "not known"


def _print_steps(worked: Worked) -> None:
    protocol = worked.protocol
    if protocol is None:
        return
    if not protocol.steps:
        click.echo(f"\n{safe(protocol.id)} names no steps around the injection.")
        return
    click.echo(f"\nAround each session ({protocol.source.kind})")
    for step in protocol.steps:
        print_wrapped(step, first="  [ ] ", rest="      ")


def _print_findings(worked: Worked) -> None:
    first = worked.answers[0]
    click.echo("\nFindings of session 1" if first.findings else "")
    for severity in Severity:
        codes = Counter(finding.code for finding in first.findings if finding.severity is severity)
        if not codes:
            continue
        listed = ", ".join(f"{code} ({n})" if n > 1 else code for code, n in codes.items())
        if severity is Severity.UNCHECKED:
            listed = f"{counted(codes.total(), 'check')} for which a fact is missing"
        print_wrapped(listed, first=f"  {severity.value:<9} ", rest=" " * 12)
    for day, answer in zip(worked.days, worked.answers, strict=True):
        new = sorted(_codes(answer) - _codes(first))
        if new:
            print_wrapped(f"session {day.number} has besides: {', '.join(new)}", first="  ")
    click.echo("what each says: mesoformula session, on the same day and terms\n")
    against: dict[str, list[str]] = {}
    for day, answer in zip(worked.days, worked.answers, strict=True):
        codes_of = dict.fromkeys(one.code for one in standing(answer.findings, answer.overrides))
        if codes_of:
            against.setdefault(", ".join(codes_of), []).append(str(day.number))
    if not against:
        click.echo("Ready as far as it was checked.")
    for listed, numbers in against.items():
        which = "every session" if len(numbers) == len(worked.days) else f"session {', '.join(numbers)}"
        print_wrapped(f"{listed} ({which})", first="NOT READY: ")


def _codes(answer: Answer) -> set[str]:
    return {finding.code for finding in answer.findings}


# ---- for machines ------------------------------------------------------------------------------------------


def plan_plain(worked: Worked) -> dict[str, Any]:
    """
    Bring a course to plain data for JSON.

    Args:
        worked: The course.

    Returns:
        Days, quantities, needs and findings; every quantity unrounded.
    """
    protocol = worked.protocol
    costs, whole = all_costs(worked.needs)
    plan = worked.plan
    return {
        "formula": {
            "id": worked.formula.id,
            "name": worked.formula.name,
            "version": worked.formula.version,
            "teaching": worked.formula.teaching,
        },
        "protocol": None
        if protocol is None
        else {
            "id": protocol.id,
            "name": protocol.name,
            "source": {"kind": protocol.source.kind.value, "where": protocol.source.where},
            "steps": list(protocol.steps),
        },
        "plan": {
            "sessions": plan.sessions,
            "every": _text(plan.every),
            "then_every": _text(plan.then_every),
            "until": plan.until.isoformat() if plan.until is not None else None,
            "at_least": _text(plan.at_least),
        },
        "sessions": [
            _planned_plain(day, answer, wants, worked)
            for day, answer, wants in zip(worked.days, worked.answers, worked.wants, strict=True)
        ],
        "needs": [_need_plain(need) for need in worked.needs],
        "cost": {"at_least": not whole, "by_currency": [_cost_plain(cost) for cost in costs.values()]},
        "findings": dict(Counter(finding.code for finding in worked.answers[0].findings)),
        "notes": list(worked.notes),
        "ready": worked.ready,
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _planned_plain(
    day: PlannedSession, answer: Answer, wants: Sequence[Want], worked: Worked
) -> dict[str, Any]:
    plain = session_plain(answer)
    return {
        "session": day.number,
        "on": day.on.isoformat(),
        "weekday": f"{day.on:%A}",
        "at": f"{worked.at:%H:%M}" if worked.at is not None else None,
        "falls_on": day.falls_on.isoformat(),
        "moved": day.moved,
        "maintenance": day.maintenance,
        "injected": plain["injected"],
        "prepared": plain["prepared"],
        "lines": plain["lines"],
        "takes": [want_plain(want) for want in wants],
        "findings": dict(Counter(finding.code for finding in answer.findings)),
        "ready": answer.ready,
    }


def want_plain(want: Want) -> dict[str, Any]:
    """
    Bring what is wanted of one product to plain data for JSON.

    Args:
        want: Of a session.

    Returns:
        Product, containers and volume.
    """
    return {
        "product": want.product,
        "containers": want.containers,
        "volume": volume_plain(want.nanolitres),
    }


def _need_plain(need: Need) -> dict[str, Any]:
    return {
        "product": need.product.pinned_id,
        "name": need.product.name,
        "containers": need.containers,
        "saved_by_keeping": need.saved,
        "containers_per_pack": need.product.containers_per_pack,
        "packs": need.packs,
        "cost": [_cost_plain(cost) for cost in need.costs],
    }


def _cost_plain(cost: Cost) -> dict[str, Any]:
    return {"low": money_plain(cost.low, cost.currency), "high": money_plain(cost.high, cost.currency)}


# ---- what is booked ----------------------------------------------------------------------------------------


def bookings_plain(bookings: Bookings) -> dict[str, Any]:
    """
    Bring what is booked under a reference to plain data for JSON.

    Args:
        bookings: As read.

    Returns:
        Courses with their sessions.
    """
    return {
        "reference": bookings.reference,
        "movement": bookings.movement,
        "courses": [_course_plain(course) for course in bookings.courses],
    }


def _course_plain(course: BookedCourse) -> dict[str, Any]:
    return {
        "formula": course.formula,
        "version": course.version,
        "protocol": course.protocol,
        "zone": course.zone,
        "technique": course.technique,
        "at": f"{course.at:%H:%M}" if course.at is not None else None,
        "minutes": course.minutes,
        "every": _text(course.every),
        "then_every": _text(course.then_every),
        "sessions": [_booked_plain(session) for session in course.sessions],
    }


def _booked_plain(session: BookedSession) -> dict[str, Any]:
    return {
        "session": session.number,
        "on": session.on.isoformat(),
        "weekday": f"{session.on:%A}",
        "maintenance": session.maintenance,
        "status": session.status.value,
        "pick": session.pick,
        "takes": [want_plain(want) for want in session.wants],
    }


def print_bookings(bookings: Bookings) -> None:
    """
    Print what is booked under a reference for a person.

    Args:
        bookings: As read.
    """
    for course in bookings.courses:
        where = ", ".join(filter(None, (course.zone, course.technique)))
        click.echo(safe(f"{bookings.reference}: {course.formula}{f', {where}' if where else ''}"))
        time = f" {course.at:%H:%M}" if course.at is not None else ""
        print_table(
            ("#", "day", "status", "takes"),
            (
                (
                    one.number,
                    f"{one.on:%a} {one.on}{time}",
                    one.status.value + (f" ({one.pick})" if one.pick is not None else ""),
                    "" if one.cancelled else "\n".join(map(_taken, one.wants)),
                )
                for one in course.sessions
            ),
            right=(0,),
            whole=(1, 2),
        )


def _taken(want: Want) -> str:
    volume = volume_plain(want.nanolitres)
    if volume is not None:
        return f"{volume['value']} {volume['unit']} of {want.product}"
    return f"{want.containers} of {want.product}"


# ---- for calendars -----------------------------------------------------------------------------------------


def appointments_planned(worked: Worked, reference: str | None) -> tuple[Appointment, ...]:
    """
    Bring a planned course to a calendar.

    Args:
        worked: The course.
        reference: Of the sessions; None to leave it out.

    Returns:
        One entry per session.
    """
    return tuple(
        Appointment(
            uid_of(reference or "", worked.formula.id, worked.days[0].falls_on, day.number),
            _title(reference, day.number, len(worked.days)),
            day.on,
            worked.at,
            worked.minutes,
        )
        for day in worked.days
    )


def appointments_booked(bookings: Bookings, course: BookedCourse | None = None) -> tuple[Appointment, ...]:
    """
    Bring what is booked to a calendar; cancelled sessions too, so that calendars take them out.

    Args:
        bookings: As read.
        course: One of its courses; None for all.

    Returns:
        One entry per session, under an identifier that stays the same when it moves.
    """
    return tuple(
        Appointment(
            uid_of(bookings.reference, one.number),
            _title(bookings.reference, number, len(of.sessions)),
            one.on,
            of.at,
            of.minutes,
            one.cancelled,
            bookings.movement,
        )
        for of in bookings.courses
        if course is None or of is course
        for number, one in enumerate(of.sessions, start=1)
    )


def _title(reference: str | None, number: int, sessions: int) -> str:
    said = f"session {number} of {sessions}"
    return said if reference is None else f"{reference}: {said}"
