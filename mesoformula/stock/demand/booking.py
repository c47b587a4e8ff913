"""Booking courses, moving and cancelling their sessions: each change is a movement of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import attrs

from mesoformula.clock import site_day
from mesoformula.courses import (
    FIRST_DAY,
    LAST_DAY,
    MOST_SESSIONS,
    CourseError,
    Interval,
    OpenDays,
    next_open,
)
from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database.store import Store
from mesoformula.stock.demand.bookings import (
    COURSE,
    BookedCourse,
    BookedSession,
    Bookings,
    Status,
    course_plain,
    held,
    judged,
    read_text,
    unknown,
    written_text,
)
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.orders import check_order, check_reference
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.words import shown

_MOST_COURSES = 20


def book(store: Store, reference: str, course: BookedCourse, *, order: Order) -> Receipt:
    """
    Book a course; its sessions are numbered on from those that the reference has already.

    Args:
        store: The stock; made if it does not exist yet.
        reference: Of the sessions, opaque.
        course: What to book.
        order: Who books, and why.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If a day has passed or is taken by another session of the reference, or anything else
            stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order, name = _checked(problems, store, order, reference)
    problems.extend(_objections(course, site_day(store.moment(), store.zone)))
    if problems:
        raise OrderError(problems)

    def change(_posting: Posting, before: Bookings) -> Bookings:
        taken = {one.on: (one, of) for of in before.courses for one in of.sessions if not one.cancelled}
        clashes = [
            Problem(
                "overlap",
                f"{name}: session {number} of {course.formula} falls on {one.on}, as does session "
                f"{taken[one.on][0].number} of {taken[one.on][1].formula}; move or cancel one of them first",
            )
            for number, one in enumerate(course.sessions, start=1)
            if one.on in taken
        ]
        if len(before.courses) >= _MOST_COURSES:
            message = f"{name} has {_MOST_COURSES} courses; book more under another reference"
            clashes.append(Problem("courses", message))
        if clashes:
            raise OrderError(clashes)
        first = max((one.number for one in before.sessions), default=0) + 1
        sessions = tuple(
            attrs.evolve(one, number=first + n, status=Status.BOOKED, pick=None)
            for n, one in enumerate(course.sessions)
        )
        return attrs.evolve(before, courses=(*before.courses, attrs.evolve(course, sessions=sessions)))

    return _change(store, order, name, {"book": course_plain(course)}, change)


def move(
    store: Store,
    reference: str,
    number: int,
    to: date,
    *,
    order: Order,
    shift_rest: bool = False,
    at_least: Interval | None = None,
    days: OpenDays | None = None,
) -> Receipt:
    """
    Move a session of a booked course to another day.

    Args:
        store: The stock.
        reference: Of the sessions.
        number: Of the session.
        to: The day.
        order: Who moves it, and why.
        shift_rest: Whether the sessions after it move by as many days, on to open ones.
        at_least: What must lie between two sessions; None for what the course was booked with.
        days: On which there are sessions, for those that are shifted; None for all but weekends.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If there is no such session, it is over, the day has passed or is taken, or two sessions
            would come too close; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order, name = _checked(problems, store, order, reference)
    if not FIRST_DAY <= to <= LAST_DAY:
        problems.append(Problem("to", f"to {to}: expected a day from {FIRST_DAY} to {LAST_DAY}"))
    if problems:
        raise OrderError(problems)

    def change(posting: Posting, before: Bookings) -> Bookings:
        today = site_day(to_moment(posting.recorded_at), store.zone)
        if to < today:
            raise OrderError([Problem("to", f"{to} has passed; expected {today} or later")])
        course, session = _open_session(before, number)
        if session.on == to:
            raise OrderError([Problem("unchanged", f"session {number} of {name} is on {to} already")])
        moved = _moved(course, session, to, shift_rest=shift_rest, days=days or OpenDays())
        after = _replaced(before, course, moved)
        problems = [*_close(course, moved, at_least), *_doubled(after)]
        if problems:
            raise OrderError(problems)
        for was, now in zip(course.sessions, moved.sessions, strict=True):
            if was.on != now.on:
                posting.notes.append(f"session {now.number}: {was.on} -> {now.on:%A} {now.on}")
                if was.pick is not None:
                    posting.notes.append(
                        f"pick {was.pick} keeps stock for {name}; free it and pick anew for the new day"
                    )
        return after

    content = {"move": number, "to": to.isoformat(), "shift": shift_rest or None}
    return _change(store, order, name, {key: one for key, one in content.items() if one is not None}, change)


def cancel(store: Store, reference: str, *, order: Order, session: int | None = None) -> Receipt:
    """
    Call off a booked session, or all that are still to come.

    Args:
        store: The stock.
        reference: Of the sessions.
        order: Who cancels, and why: a reason is needed.
        session: Its number; None for all that are not over.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If there is nothing to cancel, or no reason; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order, name = _checked(problems, store, order, reference, needs_reason=True)
    if problems:
        raise OrderError(problems)

    def change(posting: Posting, before: Bookings) -> Bookings:
        if session is not None:
            gone = {_open_session(before, session)[1].number}
        else:
            gone = {one.number for one in before.sessions if one.to_come or one.status is Status.PASSED}
        if not gone:
            raise OrderError([Problem("empty", f"{name}: no session is left to cancel")])
        posting.notes.extend(
            f"pick {one.pick} still keeps stock for {name}; free it: stock release {one.pick}"
            for one in before.sessions
            if one.number in gone and one.pick is not None
        )
        return attrs.evolve(
            before,
            courses=tuple(
                attrs.evolve(
                    course,
                    sessions=tuple(
                        attrs.evolve(one, cancelled=True) if one.number in gone else one
                        for one in course.sessions
                    ),
                )
                for course in before.courses
            ),
        )

    return _change(store, order, name, {"cancel": session or "all"}, change)


def _checked(
    problems: list[Problem], store: Store, order: Order, reference: str, *, needs_reason: bool = False
) -> tuple[Order, str]:
    order = check_order(problems, order, store.moment(), needs_reason=needs_reason)
    if order.at is not None:
        problems.append(Problem("at", "a booking counts from now on; leave out the moment"))
    name = check_reference(problems, reference)
    if name is None:
        problems.append(Problem("reference", "a booking is kept by a session reference; give one"))
    return order, name or ""


def _objections(course: BookedCourse, today: date) -> Iterator[Problem]:
    if not 1 <= len(course.sessions) <= MOST_SESSIONS:
        yield Problem("sessions", f"{len(course.sessions)} sessions: expected 1 to {MOST_SESSIONS}")
    for number, one in enumerate(course.sessions, start=1):
        if one.on < today:
            yield Problem("day", f"session {number} is on {one.on}, which has passed; today is {today}")
        elif one.on > LAST_DAY:
            yield Problem("day", f"session {number} is on {one.on}; expected days up to {LAST_DAY}")
        if not one.wants:
            yield Problem("empty", f"session {number} takes nothing from the stock")
    days = [one.on for one in course.sessions]
    if any(after <= before for before, after in pairwise(days)):
        yield Problem("day", "the sessions of a course come one after another, each on a day of its own")


def _change(
    store: Store,
    order: Order,
    reference: str,
    asked: dict[str, Any],
    change: Callable[[Posting, Bookings], Bookings],
) -> Receipt:
    """Replace what is held of a reference, under the lock."""

    def work(posting: Posting) -> None:
        old = held(posting.connection, reference)
        before = Bookings(reference)
        if old is not None:
            before = judged(
                store, posting.connection, [read_text(store, reference, *old)], to_moment(posting.recorded_at)
            )[0]
        elif "book" not in asked:
            raise OrderError([unknown(posting.connection, reference)])
        new = written_text(change(posting, before))
        entry = Entry(subject=reference, fact=COURSE, old=old[0] if old is not None else None, new=new)
        posting.post(MovementKind.SETTING, [entry])

    if "book" not in asked:
        with store.reading() as connection:
            if connection is None:
                raise OrderError([Problem("reference", f"no course is booked for {shown(reference)}")])
    return carry_out(store, order, {"kind": COURSE, "reference": reference, **asked}, work)


def _open_session(bookings: Bookings, number: int) -> tuple[BookedCourse, BookedSession]:
    """Find a session that can still be changed."""
    for course in bookings.courses:
        for one in course.sessions:
            if one.number != number:
                continue
            if one.status in (Status.DONE, Status.CANCELLED):
                message = f"session {number} of {bookings.reference} is {one.status.value} already"
                raise OrderError([Problem("session", message)])
            return course, one
    known = ", ".join(str(one.number) for one in bookings.sessions[:20])
    message = f"{bookings.reference} has no session {number}; expected one of {known}"
    raise OrderError([Problem("session", message)])


def _moved(
    course: BookedCourse, session: BookedSession, to: date, *, shift_rest: bool, days: OpenDays
) -> BookedCourse:
    sessions = []
    for one in course.sessions:
        on = one.on
        if one.number == session.number:
            on = to
        elif shift_rest and one.number > session.number and one.to_come:
            try:
                on = next_open(one.on + (to - session.on), days)
            except CourseError as err:
                raise OrderError([Problem("to", f"session {one.number} cannot be shifted: {err}")]) from err
        sessions.append(attrs.evolve(one, on=on))
    return attrs.evolve(course, sessions=tuple(sessions))


def _close(course: BookedCourse, moved: BookedCourse, at_least: Interval | None) -> Iterator[Problem]:
    """Refuse sessions out of order, or closer than the course was booked with."""
    there = [one for one in moved.sessions if not one.cancelled]
    was = {one.number: one.on for one in course.sessions}
    for one, after in pairwise(there):
        if was[one.number] == one.on and was[after.number] == after.on:
            continue
        spacing = at_least or (course.then_every if after.maintenance else course.every)
        if after.on <= one.on:
            yield Problem(
                "order",
                f"session {after.number} would be on {after.on}, not after session {one.number} on {one.on}; "
                "give another day, or shift the rest too (--shift-rest)",
            )
        elif spacing is not None and after.on < spacing.after(one.on):
            yield Problem(
                "spacing",
                f"sessions {one.number} and {after.number} would be {(after.on - one.on).days} days apart, "
                f"on {one.on} and {after.on}; expected {spacing} or more: shift the rest too (--shift-rest), "
                "or say what is enough (--at-least)",
            )


def _doubled(bookings: Bookings) -> Iterator[Problem]:
    """Refuse two courses on one day."""
    seen: dict[date, tuple[BookedCourse, int]] = {}
    for course in bookings.courses:
        for one in course.sessions:
            if one.cancelled:
                continue
            other, number = seen.setdefault(one.on, (course, one.number))
            if other is not course:
                yield Problem(
                    "overlap",
                    f"{bookings.reference}: session {one.number} of {course.formula} would fall on {one.on}, "
                    f"as does session {number} of {other.formula}",
                )


def _replaced(bookings: Bookings, old: BookedCourse, new: BookedCourse) -> Bookings:
    courses = tuple(new if course is old else course for course in bookings.courses)
    return attrs.evolve(bookings, courses=courses)
