"""Sessions in a calendar file (RFC 5545) that calendar programs read: days and references, never names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import attrs


@attrs.frozen
class Appointment:
    """
    One session in a calendar.

    Attributes:
        uid: Stays the same when the session moves.
        title: What the calendar shows.
        on: The day, at the site.
        at: Time of day at the site; None for all day.
        minutes: How long it takes; None if that is not said.
        cancelled: Whether it was called off.
        sequence: Rises with every change.
    """

    uid: str
    title: str
    on: date
    at: time | None = None
    minutes: int | None = None
    cancelled: bool = False
    sequence: int = 0


def uid_of(*parts: object) -> str:
    """
    Make an identifier that is the same whenever it is made of the same parts.

    Args:
        parts: What tells a session from all others.

    Returns:
        A unique identifier.
    """
    text = "\n".join(map(str, parts))
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}@mesoformula"


def calendar_file(appointments: Sequence[Appointment], zone: tzinfo, stamp: datetime) -> bytes:
    """
    Write a calendar file.

    Args:
        appointments: The sessions.
        zone: Of the site; one that the tz database does not name is written in UTC.
        stamp: When it is written, with a time zone.

    Returns:
        The file.
    """
    # It costs as much as all the rest of a command: only who writes calendars pays for it.
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//mesoformula//courses//EN")
    calendar.add("version", "2.0")
    named = getattr(zone, "key", None) is not None
    for one in appointments:
        event = Event()
        event.add("uid", one.uid)
        event.add("dtstamp", stamp.astimezone(UTC))
        event.add("sequence", one.sequence)
        event.add("summary", one.title)
        if one.at is None:
            event.add("dtstart", one.on)
            event.add("dtend", one.on + timedelta(days=1))
        else:
            begin = datetime.combine(one.on, one.at, zone)
            # In elapsed time: 45 minutes are 45 minutes on the night when clocks change, too.
            begins = begin.astimezone(UTC)
            ends = begins + timedelta(minutes=one.minutes or 0)
            event.add("dtstart", begin if named else begins)
            if one.minutes:
                event.add("dtend", ends.astimezone(zone) if named else ends)
        if one.cancelled:
            event.add("status", "CANCELLED")
        calendar.add_component(event)
    if named and any(one.at is not None for one in appointments):
        years = [one.on.year for one in appointments]
        calendar.add_missing_timezones(date(min(years), 1, 1), date(max(years) + 1, 12, 31))
    return bytes(calendar.to_ical())
