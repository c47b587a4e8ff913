"""
Courses: on which days their sessions fall.

A session falls as many intervals after the first as sessions lie between them, so that a day that was moved
never shifts the rest: monthly from 31 January is 28 February and 31 March. A session that falls on a closed
day moves to an open one, and no two sessions come closer than the interval, unless that is asked for.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta

import attrs

from mesoformula.errors import FormulaError, Problem
from mesoformula.words import shown

MOST_SESSIONS = 200
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)

#: How far from where it should fall an open day is looked for.
_FARTHEST = timedelta(days=366)
_INTERVAL = re.compile(r"(\d{1,3}) ?(d|days?|wk|weeks?|months?)")
INTERVAL_FORMS = "14d, 2 weeks or 1 month"
_DAY = r"(\d{4}-\d{2}-\d{2})"
_CLOSED = re.compile(rf"{_DAY}(?: to {_DAY})?")
_SATURDAY = 5
#: Longer than any calendar of a site.
_MOST_LINES = 5000


class CourseError(FormulaError):
    """A course that cannot be planned: each problem says what stands against it."""


@attrs.frozen
class Interval:
    """
    How far apart sessions are: in days, or in calendar months, which differ in length.

    Attributes:
        days: Whole days; 0 if it is in months.
        months: Calendar months; 0 if it is in days.
    """

    days: int = 0
    months: int = 0

    def after(self, day: date, times: int = 1) -> date:
        """
        Count it from a day.

        Args:
            day: Where to begin.
            times: How often.

        Returns:
            The day; in a month that is too short, its last day.
        """
        if not self.months:
            return day + timedelta(days=self.days * times)
        months = day.year * 12 + day.month - 1 + self.months * times
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        number, unit = (self.months, "month") if self.months else (self.days, "day")
        return f"{number} {unit}{'' if number == 1 else 's'}"


@attrs.frozen
class OpenDays:
    """
    On which days there are sessions.

    Attributes:
        closed: Days on which there are none.
        weekends: Whether there are any on Saturdays and Sundays.
    """

    closed: frozenset[date] = frozenset()
    weekends: bool = False

    def why_not(self, day: date) -> str | None:
        """
        Say why there is no session on a day.

        Args:
            day: Any day.

        Returns:
            Such as `a Saturday`; None if there may be one.
        """
        if day in self.closed:
            return "closed"
        if not self.weekends and day.weekday() >= _SATURDAY:
            return f"a {day:%A}"
        return None


@attrs.frozen
class Plan:
    """
    How often and how far apart.

    Attributes:
        sessions: Of the series.
        every: Between them; None of a single one.
        then_every: Between the maintenance sessions that follow; None without any.
        until: The last day for a maintenance session.
        at_least: What lies between two sessions at the least; None for the interval itself.
        earlier: Whether a session that falls on a closed day moves to an earlier day if it can.
    """

    sessions: int
    every: Interval | None = None
    then_every: Interval | None = None
    until: date | None = None
    at_least: Interval | None = None
    earlier: bool = False


@attrs.frozen
class PlannedSession:
    """
    One session of a course.

    Attributes:
        number: From 1.
        on: The day.
        falls_on: The day by the interval alone.
        maintenance: Whether it comes after the series.
        moved: Why it is on another day, in words; None if it is not.
    """

    number: int
    on: date
    falls_on: date
    maintenance: bool = False
    moved: str | None = None


def read_interval(text: str) -> Interval:
    """
    Read how far apart sessions are.

    Args:
        text: Such as `14d`, `2 weeks` or `1 month`.

    Returns:
        The interval.

    Raises:
        CourseError: If it is none.
    """
    match = _INTERVAL.fullmatch(text.strip())
    if match is None or not match[1].isascii() or not int(match[1]):
        raise CourseError([Problem("interval", f"{shown(text)} is no interval; expected {INTERVAL_FORMS}")])
    number, unit = int(match[1]), match[2]
    if unit.startswith("month"):
        return Interval(months=number)
    return Interval(days=number * (1 if unit.startswith("d") else 7))


def is_shorter(one: Interval, other: Interval) -> bool:
    """
    Tell whether an interval is shorter than another, counted from 31 January: a month then has 28 days.

    Args:
        one: An interval.
        other: Another.

    Returns:
        False if both end on the same day.
    """
    january = date(2026, 1, 31)
    return one.after(january) < other.after(january)


def read_closed_days(text: str, path: str) -> frozenset[date]:
    """
    Read the days on which a site is closed: a day or a range on each line.

    Args:
        text: Lines such as `2026-12-25` or `2026-12-24 to 2027-01-03`; what follows a `#` is a comment.
        path: Of the file, for messages.

    Returns:
        Every day, ranges with both of their ends.

    Raises:
        CourseError: If a line is anything else; with all that is wrong.
    """
    found: set[date] = set()
    problems = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        told = line.partition("#")[0].strip()
        if not told:
            continue
        try:
            found.update(_closed(told))
        except ValueError as err:
            problems.append(Problem("closed-days", str(err), path, number))
    if len(lines) > _MOST_LINES:
        problems.append(
            Problem("closed-days", f"{len(lines)} lines: expected at most {_MOST_LINES}; use ranges", path)
        )
    if problems:
        raise CourseError(problems)
    return frozenset(found)


def _closed(text: str) -> Iterator[date]:
    match = _CLOSED.fullmatch(text)
    if match is None:
        expected = "expected a day such as 2026-12-25, or a range such as 2026-12-24 to 2027-01-03"
        raise ValueError(f"{shown(text)}: {expected}")
    ends = []
    for day in (match[1], match[2] or match[1]):
        try:
            ends.append(date.fromisoformat(day))
        except ValueError:
            raise ValueError(f"{shown(day)}: the calendar has no such day") from None
    first, last = ends
    if not FIRST_DAY <= first <= last <= LAST_DAY:
        if last < first:
            raise ValueError(f"{shown(text)}: ends before it begins")
        raise ValueError(f"{shown(text)}: expected days from {FIRST_DAY} to {LAST_DAY}")
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


# ---- on which days -----------------------------------------------------------------------------------------


def schedule(start: date, plan: Plan, days: OpenDays = OpenDays()) -> tuple[PlannedSession, ...]:
    """
    Find the days of a course.

    Args:
        start: The first day on which the first session may be.
        plan: How often and how far apart.
        days: On which there are sessions.

    Returns:
        The sessions in order, none before the start, none on a closed day, none closer than planned.

    Raises:
        CourseError: If a day is out of bounds, a site never opens, or there are too many sessions.
    """
    problems = [
        Problem(code, f"{code} {day}: expected a day from {FIRST_DAY} to {LAST_DAY}")
        for code, day in (("start", start), ("until", plan.until))
        if day is not None and not FIRST_DAY <= day <= LAST_DAY
    ]
    if not 1 <= plan.sessions <= MOST_SESSIONS:
        problems.append(Problem("sessions", f"{plan.sessions} sessions: expected 1 to {MOST_SESSIONS}"))
    if plan.sessions > 1 and plan.every is None:
        problems.append(Problem("every", "several sessions: how far apart?"))
    if not problems and plan.until is not None and plan.until < start:
        problems.append(Problem("until", f"until {plan.until}: lies before the start, {start}"))
    if plan.at_least is not None:
        for interval in (plan.every, plan.then_every):
            if interval is not None and is_shorter(interval, plan.at_least):
                message = f"at least {plan.at_least} between two sessions is longer than every {interval}"
                problems.append(Problem("at-least", message))
    if problems:
        raise CourseError(problems)
    return tuple(_scheduled(start, plan, days))


def _scheduled(start: date, plan: Plan, days: OpenDays) -> Iterator[PlannedSession]:
    before: PlannedSession | None = None
    # All count from the first session: a start on a closed day moves the course as a whole.
    begin = next_open(start, days)
    for number, (falls_on, interval) in enumerate(_falling(begin, plan), start=1):
        if number == 1:
            falls_on = start
        maintenance = number > plan.sessions
        lowest = start
        spacing = plan.at_least or interval
        if before is not None and spacing is not None:
            lowest = spacing.after(before.on)
        on = _settled(falls_on, lowest, plan, days)
        if plan.until is not None and on > plan.until:
            if maintenance:
                return
            message = f"session {number} would be on {on}, after {plan.until}: {plan.sessions} do not fit"
            raise CourseError([Problem("until", message)])
        if number > MOST_SESSIONS:
            message = f"more than {MOST_SESSIONS} sessions until {plan.until}; plan fewer, or a shorter time"
            raise CourseError([Problem("sessions", message)])
        moved = None
        if on != falls_on:
            moved = f"moved from {falls_on:%A} {falls_on}{_because(falls_on, lowest, spacing, number, days)}"
        before = PlannedSession(number, on, falls_on, maintenance, moved)
        yield before


def _because(falls_on: date, lowest: date, spacing: Interval | None, number: int, days: OpenDays) -> str:
    """Say why a session is moved, where its weekday does not tell."""
    if falls_on < lowest:
        return f", {spacing} after session {number - 1}"
    return ", closed" if falls_on in days.closed else ""


def _falling(start: date, plan: Plan) -> Iterator[tuple[date, Interval | None]]:
    """Count the days by the intervals alone, each from the start of its series."""
    last = start
    for n in range(plan.sessions):
        last = start if plan.every is None else plan.every.after(start, n)
        yield _within(last), plan.every
    if plan.then_every is None or plan.until is None:
        return
    n = 1
    while (day := plan.then_every.after(last, n)) <= plan.until:
        yield day, plan.then_every
        n += 1


def _within(day: date) -> date:
    if day > LAST_DAY:
        message = (
            f"a session would fall on {day}; expected days up to {LAST_DAY}: plan fewer, or closer together"
        )
        raise CourseError([Problem("days", message)])
    return day


def _settled(falls_on: date, lowest: date, plan: Plan, days: OpenDays) -> date:
    """Find the open day for a session: its own, an earlier one if that is asked for, else the next."""
    day = max(falls_on, lowest)
    if plan.earlier:
        back = falls_on
        while back >= lowest:
            if days.why_not(back) is None:
                return back
            back -= timedelta(days=1)
    return next_open(day, days)


def next_open(day: date, days: OpenDays) -> date:
    """
    Find the first open day from a day on.

    Args:
        day: Where to begin.
        days: On which there are sessions.

    Returns:
        That day, if it is open; else the next one that is.

    Raises:
        CourseError: If there is none within a year, or before days are out of bounds.
    """
    found = day
    while days.why_not(found) is not None:
        found += timedelta(days=1)
        if found - day > _FARTHEST:
            raise CourseError([Problem("closed-days", f"no day is open from {day} to {found}")])
    return _within(found)
