"""What a course is to be: as a protocol was published, as it is asked for, and where the two differ."""

from __future__ import annotations

from datetime import date

from mesoformula.courses import INTERVAL_FORMS, CourseError, Interval, Plan, is_shorter, read_interval
from mesoformula.errors import Problem
from mesoformula.treatments import Protocol


def plan_of(
    protocol: Protocol | None = None,
    *,
    sessions: int | None = None,
    every: Interval | None = None,
    then_every: Interval | None = None,
    until: date | None = None,
    at_least: Interval | None = None,
    earlier: bool = False,
) -> tuple[Plan, tuple[str, ...]]:
    """
    Settle how often and how far apart, choosing nothing where a protocol leaves a choice.

    Args:
        protocol: As published; None for what is given alone.
        sessions: Instead of the published number, or one out of its range.
        every: Instead of the published interval, or one out of its range.
        then_every: Instead of the published interval of maintenance sessions.
        until: The last day for a maintenance session.
        at_least: What lies between two sessions at the least.
        earlier: Whether a session on a closed day moves to an earlier day if it can.

    Returns:
        The plan, and what to know about it: where it is not what was published, and what is left out.

    Raises:
        CourseError: If something is left open; with everything that is.
    """
    problems: list[Problem] = []
    notes: list[str] = []
    if protocol is not None:
        sessions = _published_number(protocol, sessions, problems, notes)
        if sessions is None or sessions > 1:
            every = _published(protocol.interval, every, "every", protocol.id, problems, notes)
        if protocol.then_every is not None and until is None and then_every is None:
            notes.append(
                f"{protocol.id} goes on every {protocol.then_every}; to plan that too, say until when "
                "with --until"
            )
        elif protocol.then_every is not None:
            then_every = _published(
                protocol.then_every, then_every, "then-every", protocol.id, problems, notes
            )
    elif sessions is None:
        problems.append(Problem("sessions", "how many sessions? expected --sessions, or a --protocol"))
    if protocol is None and every is None and (sessions or 0) > 1:
        problems.append(Problem("every", f"how far apart? expected --every, such as {INTERVAL_FORMS}"))
    if then_every is not None and until is None:
        problems.append(
            Problem("until", f"every {then_every} until when? expected the last day, --until DATE")
        )
    if until is not None and then_every is None and not problems:
        problems.append(
            Problem("until", "--until bounds the maintenance sessions; expected --then-every with it")
        )
    if problems:
        raise CourseError(problems)
    return Plan(sessions or 1, every, then_every, until, at_least, earlier), tuple(notes)


def _published_number(
    protocol: Protocol, given: int | None, problems: list[Problem], notes: list[str]
) -> int | None:
    low, high = protocol.sessions, protocol.sessions_at_most or protocol.sessions
    said = str(low) if low == high else f"{low} to {high}"
    if given is None and low != high:
        message = f"{protocol.id}: {said} sessions are published; choose with --sessions"
        problems.append(Problem("sessions", message))
        return None
    if given is not None and not low <= given <= high:
        notes.append(f"{given} sessions are asked for; {protocol.id} publishes {said}")
    return low if given is None else given


def _published(
    text: str | None,
    given: Interval | None,
    option: str,
    called: str,
    problems: list[Problem],
    notes: list[str],
) -> Interval | None:
    """Take the published interval, or note how the one that is given differs from it."""
    if text is None:
        if given is None:
            message = f"{called}: the interval is not published; say how far apart with --{option}"
            problems.append(Problem(option, message))
        return given
    first, _to, last = text.partition(" to ")
    low, high = read_interval(first), read_interval(last or first)
    if given is None:
        if low == high:
            return low
        problems.append(Problem(option, f"{called}: {text} is published; choose with --{option}"))
        return None
    if is_shorter(given, low):
        notes.append(f"warn: every {given} is shorter than {called} publishes: {text}")
    elif is_shorter(high, given):
        notes.append(f"every {given} is longer than {called} publishes: {text}")
    return given
