"""
Courses that are booked: what each session will take and when, kept under the session reference.

A booking is a setting of the stock: every change of it is a movement that says what held before. It names no
person; what is written there is the products, their amounts and the days.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.clock import site_day
from mesoformula.courses import Interval, read_interval
from mesoformula.errors import LedgerError, OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.chain import canonical
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import MovementKind
from mesoformula.stock.views.reading import standing
from mesoformula.words import nearest, shown

#: The fact that is held of a session reference.
COURSE = "course"

_FORM = 1


class Status(enum.StrEnum):
    """What has become of a booked session."""

    BOOKED = "booked"
    PICKED = "picked"
    DONE = "done"
    PASSED = "passed"
    CANCELLED = "cancelled"


@attrs.frozen
class BookedSession:
    """
    One session of a booked course.

    Attributes:
        number: Unique under its reference.
        on: The day, at the site.
        wants: What it takes from the stock.
        maintenance: Whether it comes after the series.
        cancelled: Whether it was called off.
        status: What has become of it, as the ledger tells.
        pick: The open pick that keeps stock for it.
    """

    number: int
    on: date
    wants: tuple[Want, ...]
    maintenance: bool = False
    cancelled: bool = False
    status: Status = Status.BOOKED
    pick: int | None = None

    @property
    def to_come(self) -> bool:
        """Whether it is still expected."""
        return self.status in (Status.BOOKED, Status.PICKED)


@attrs.frozen
class BookedCourse:
    """
    A course that is booked.

    Attributes:
        formula: Its id.
        version: Of the formula.
        sessions: In order.
        every: What lies between two sessions of the series at the least; None where nothing is asked.
        then_every: The same before a maintenance session.
        protocol: Id of the protocol.
        zone: Id of the zone.
        technique: Id of the technique.
        at: Time of day at the site; None for any.
        minutes: How long a session takes.
    """

    formula: str
    version: int
    sessions: tuple[BookedSession, ...]
    every: Interval | None = None
    then_every: Interval | None = None
    protocol: str | None = None
    zone: str | None = None
    technique: str | None = None
    at: time | None = None
    minutes: int | None = None


@attrs.frozen
class Bookings:
    """
    All courses that are booked under one reference.

    Attributes:
        reference: Of the sessions.
        courses: In the order of booking.
        movement: The one that changed them last; 0 before any.
    """

    reference: str
    courses: tuple[BookedCourse, ...] = ()
    movement: int = 0

    @property
    def sessions(self) -> tuple[BookedSession, ...]:
        """All sessions, by number."""
        return tuple(session for course in self.courses for session in course.sessions)


def bookings(store: Store, references: Collection[str] | None = None) -> tuple[Bookings, ...]:
    """
    Read what is booked, with what has become of it.

    Args:
        store: The stock; one that does not exist yet has nothing booked.
        references: Which ones; None means all.

    Returns:
        By reference.

    Raises:
        OrderError: If nothing is booked under a reference that was named.
        LedgerError: If a booking cannot be read.
    """
    with store.reading() as connection:
        if connection is None:
            if references:
                raise OrderError(
                    Problem("reference", f"no course is booked for {shown(one)}") for one in references
                )
            return ()
        return read_bookings(store, connection, references)


def read_bookings(
    store: Store, connection: Connection, references: Collection[str] | None = None
) -> tuple[Bookings, ...]:
    """
    Read what is booked, in a transaction.

    Args:
        store: The stock.
        connection: In a transaction.
        references: Which ones; None means all.

    Returns:
        By reference.

    Raises:
        OrderError: If nothing is booked under a reference that was named.
        LedgerError: If a booking cannot be read.
    """
    table = schema.standing
    query = select(table).where(table.c.fact == COURSE).order_by(table.c.subject)
    rows = {row.subject: row for row in connection.execute(query)}
    if references is not None:
        missing = [one for one in references if one not in rows]
        if missing:
            raise OrderError(unknown(connection, one) for one in missing)
        rows = {name: row for name, row in rows.items() if name in references}
    found = [read_text(store, name, row.value, row.movement) for name, row in rows.items()]
    return judged(store, connection, found, store.moment(connection))


def unknown(connection: Connection, reference: str) -> Problem:
    """
    Say that nothing is booked under a reference.

    Args:
        connection: In a transaction.
        reference: As asked for.

    Returns:
        The problem, with what comes near.
    """
    close = nearest(reference, sorted(standing(connection, COURSE)))
    hint = f"; did you mean {' or '.join(close)}?" if close else "; see: mesoformula course list"
    return Problem("reference", f"no course is booked for {shown(reference)}{hint}")


def held(connection: Connection, reference: str) -> tuple[str, int] | None:
    """
    Read what the ledger holds of a reference, as it stands there.

    Args:
        connection: In a transaction.
        reference: Of the sessions.

    Returns:
        The text, and the movement that said so; None if there is none.
    """
    table = schema.standing
    row = connection.execute(
        select(table.c.value, table.c.movement).where(table.c.fact == COURSE, table.c.subject == reference)
    ).one_or_none()
    return None if row is None else (str(row.value), int(row.movement))


def judged(
    store: Store, connection: Connection, found: Sequence[Bookings], moment: datetime
) -> tuple[Bookings, ...]:
    """
    Tell of every session what has become of it.

    Args:
        store: The stock.
        connection: In a transaction.
        found: As booked.
        moment: Now.

    Returns:
        The same, with statuses and open picks.
    """
    names = [one.reference for one in found]
    done = _days_of_use(store, connection, names)
    picks = _open_picks(store, connection, names, moment)
    today = site_day(moment, store.zone)
    return tuple(_with_status(one, done, picks.get(one.reference, ()), today) for one in found)


def _with_status(
    found: Bookings,
    done: Collection[tuple[str, date]],
    picks: Sequence[tuple[int, date, date]],
    today: date,
) -> Bookings:
    kept: dict[int, int] = {}
    by_day = sorted(
        (one for one in found.sessions if not one.cancelled and (found.reference, one.on) not in done),
        key=lambda one: one.on,
    )
    for pick, first, last in picks:
        serves = (one for one in by_day if first <= one.on <= last and one.number not in kept)
        session = next(serves, None)
        if session is not None:
            kept[session.number] = pick

    def told(one: BookedSession) -> BookedSession:
        if one.cancelled:
            status = Status.CANCELLED
        elif (found.reference, one.on) in done:
            status = Status.DONE
        elif one.number in kept:
            status = Status.PICKED
        else:
            status = Status.PASSED if one.on < today else Status.BOOKED
        return attrs.evolve(one, status=status, pick=kept.get(one.number))

    return attrs.evolve(
        found,
        courses=tuple(
            attrs.evolve(course, sessions=tuple(map(told, course.sessions))) for course in found.courses
        ),
    )


def _days_of_use(store: Store, connection: Connection, names: Iterable[str]) -> set[tuple[str, date]]:
    """Find the days on which something was used for a reference; what was taken back does not count."""
    table = schema.movement
    back = table.alias("back")
    found: set[tuple[str, date]] = set()
    for batch in batches(names):
        rows = connection.execute(
            select(table.c.session, table.c.effective_at).where(
                table.c.session.in_(batch),
                table.c.kind == MovementKind.USE.value,
                ~select(back.c.seq).where(back.c.reverses == table.c.seq).exists(),
            )
        )
        found.update((row.session, site_day(to_moment(row.effective_at), store.zone)) for row in rows)
    return found


def _open_picks(
    store: Store, connection: Connection, names: Iterable[str], moment: datetime
) -> dict[str, list[tuple[int, date, date]]]:
    """Find the picks that keep stock for a reference: number, first and last day on which they do."""
    table, movement = schema.reservation, schema.movement
    found: dict[str, list[tuple[int, date, date]]] = {}
    for batch in batches(names):
        rows = connection.execute(
            select(movement.c.seq, movement.c.session, movement.c.effective_at, movement.c.lapses_at)
            .where(
                movement.c.session.in_(batch),
                movement.c.lapses_at > from_moment(moment),
                movement.c.seq.in_(select(table.c.movement)),
            )
            .order_by(movement.c.seq)
        )
        for row in rows:
            first, last = (
                site_day(to_moment(one), store.zone) for one in (row.effective_at, row.lapses_at - 1)
            )
            found.setdefault(row.session, []).append((row.seq, first, last))
    return found


# ---- as it is kept -----------------------------------------------------------------------------------------


def written_text(bookings: Bookings) -> str:
    """
    Write what is booked under a reference as the ledger keeps it.

    Args:
        bookings: All of it.

    Returns:
        Canonical JSON.
    """
    return canonical(
        {"form": _FORM, "courses": [course_plain(course) for course in bookings.courses]}
    ).decode()


def changes(old: str | None, new: str | None) -> tuple[str, ...]:
    """
    Say what a movement changed of what is booked under a reference.

    Args:
        old: As the ledger held it before; None if there was nothing.
        new: As it holds it from then on.

    Returns:
        Such as `session 2: 2027-01-25 -> 2027-01-27`; nothing where it cannot be read.
    """
    try:
        before, after = (_all_sessions(text) for text in (old, new))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
    said = []
    added: dict[str, list[str]] = {}
    for number, (formula, on, cancelled) in after.items():
        was = before.get(number)
        if was is None:
            added.setdefault(formula, []).append(on)
        elif was[1] != on:
            said.append(f"session {number}: {was[1]} -> {on}")
        elif cancelled and not was[2]:
            said.append(f"session {number} on {on}: cancelled")
    for formula, days in added.items():
        many = f"{len(days)} sessions from {days[0]} to {days[-1]}" if len(days) > 1 else f"on {days[0]}"
        said.append(f"{formula} booked, {many}")
    return tuple(said)


def _all_sessions(text: str | None) -> dict[int, tuple[str, str, bool]]:
    if text is None:
        return {}
    return {
        one["number"]: (course["formula"], one["on"], one.get("cancelled", False))
        for course in json.loads(text)["courses"]
        for one in course["sessions"]
    }


def course_plain(course: BookedCourse) -> dict[str, Any]:
    """
    Write a course as plain data; sessions that take the same share one list of it.

    Args:
        course: The course.

    Returns:
        What it says, what it does not say left out.
    """
    wants = list(dict.fromkeys(one.wants for one in course.sessions))
    plain: dict[str, Any] = {
        "formula": course.formula,
        "version": course.version,
        "every": str(course.every) if course.every is not None else None,
        "then_every": str(course.then_every) if course.then_every is not None else None,
        "protocol": course.protocol,
        "zone": course.zone,
        "technique": course.technique,
        "at": f"{course.at:%H:%M}" if course.at is not None else None,
        "minutes": course.minutes,
        "takes": [[_want_plain(want) for want in group] for group in wants],
        "sessions": [_session_plain(one, wants.index(one.wants)) for one in course.sessions],
    }
    return {name: value for name, value in plain.items() if value is not None}


def _want_plain(want: Want) -> dict[str, Any]:
    plain = {"product": want.product, "containers": want.containers, "nanolitres": want.nanolitres}
    return {name: value for name, value in plain.items() if value is not None}


def _session_plain(session: BookedSession, group: int) -> dict[str, Any]:
    plain: dict[str, Any] = {"number": session.number, "on": session.on.isoformat()}
    if group:
        plain["takes"] = group
    if session.maintenance:
        plain["maintenance"] = True
    if session.cancelled:
        plain["cancelled"] = True
    return plain


def read_text(store: Store, reference: str, text: str, movement: int) -> Bookings:
    """
    Read what is booked under a reference, without what has become of it.

    Args:
        store: The stock.
        reference: Of the sessions.
        text: As the ledger keeps it.
        movement: The one that said so.

    Returns:
        Every session as booked.

    Raises:
        LedgerError: If it cannot be read.
    """
    try:
        plain = json.loads(text)
        if plain["form"] != _FORM:
            raise LedgerError(f"{store}: the booking of {reference} was written by a newer version")
        courses = tuple(_read_course(one) for one in plain["courses"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as err:
        raise LedgerError(f"{store}: the booking of {reference} cannot be read; run verify") from err
    return Bookings(reference, courses, movement)


def _read_course(plain: dict[str, Any]) -> BookedCourse:
    groups = [tuple(Want(**want) for want in group) for group in plain["takes"]]
    return BookedCourse(
        formula=plain["formula"],
        version=plain["version"],
        sessions=tuple(
            BookedSession(
                one["number"],
                date.fromisoformat(one["on"]),
                groups[one.get("takes", 0)],
                maintenance=one.get("maintenance", False),
                cancelled=one.get("cancelled", False),
            )
            for one in plain["sessions"]
        ),
        every=read_interval(plain["every"]) if "every" in plain else None,
        then_every=read_interval(plain["then_every"]) if "then_every" in plain else None,
        protocol=plain.get("protocol"),
        zone=plain.get("zone"),
        technique=plain.get("technique"),
        at=time.fromisoformat(plain["at"]) if "at" in plain else None,
        minutes=plain.get("minutes"),
    )
