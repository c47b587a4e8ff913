"""The site's clock: which zone it runs in, and when its days begin and end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path

_TICK = timedelta(microseconds=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


class MachineZone(tzinfo):
    """The zone of this machine, by its operating system, where its name in the tz database is not known."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Tell how far local time is ahead of UTC."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:  # noqa: ARG002
        """Leave open how much of that is summer time, as the system does not tell."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """Tell how the system calls local time."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        """Bring a moment in UTC to local time."""
        local = moment.replace(tzinfo=UTC).astimezone()
        naive = local.replace(tzinfo=None)
        # An hour that comes twice is told apart by its fold, which the system does not give.
        again = naive.astimezone().utcoffset() != local.utcoffset()
        return naive.replace(tzinfo=self, fold=int(again))

    def __str__(self) -> str:
        return "the local time of this machine"


def zone_named(name: str) -> tzinfo | None:
    """
    Find a zone.

    Args:
        name: In the IANA tz database, such as `Europe/Paris`.

    Returns:
        The zone; None if there is none of that name.
    """
    if name == "UTC":  # known even where no tz database is installed
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a name that is unknown, leaves the database, or is a folder
        return None


def zone_names() -> frozenset[str]:
    """
    List the zones that are known here.

    Returns:
        Names in the IANA tz database, and `UTC`.
    """
    from zoneinfo import available_timezones

    return frozenset({"UTC", *available_timezones()})


def local_zone_name(environ: Mapping[str, str], link: Path = Path("/etc/localtime")) -> str | None:
    """
    Find out in which zone this machine runs.

    Args:
        environ: Environment variables: `TZ` goes before the system's own setting.
        link: To the system's zone, as most systems but Windows have it.

    Returns:
        Its name in the IANA tz database; None if only the system knows its rules, as with
        `TZ=CET-1CEST,M3.5.0,M10.5.0/3` or a zone file that was copied.
    """
    given = environ.get("TZ")
    if given is None:
        try:
            given = str(link.readlink())
        except (OSError, ValueError):
            return None
    place = given.removeprefix(":").rpartition("zoneinfo/")[2]
    name = place.removeprefix("posix/").removeprefix("right/")
    return name if zone_named(name) is not None else None


def site_day(moment: datetime, zone: tzinfo) -> date:
    """
    Tell which day it is at the site.

    Args:
        moment: With a time zone, whichever.
        zone: Of the site.

    Returns:
        The day on the site's calendar.

    Raises:
        ValueError: If the moment has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; a moment needs one")
    return moment.astimezone(zone).date()


def day_start(day: date, zone: tzinfo) -> datetime:
    """
    Find the first moment of a day at the site.

    It is not always midnight: where clocks are put forward at midnight, the day begins at one o'clock. Days
    follow each other without gap or overlap, and a day that a zone leaves out begins and ends in one moment.
    Where clocks are put back over midnight, so that the new day begins twice, the second time counts.

    Args:
        day: On the site's calendar.
        zone: Of the site.

    Returns:
        The moment, in UTC; of the first and last days that a calendar has, the nearest moment there is.
    """
    midnight = datetime.combine(day, time(), zone)
    try:
        turns = [midnight.replace(fold=fold).astimezone(UTC) for fold in (1, 0)]
        for turn in turns:
            if site_day(turn, zone) >= day > site_day(turn - _TICK, zone):
                return turn
        # Midnight lies within what clocks leave out, and both readings of it beside the moment they change.
        before, after = min(turns), max(turns)
        while after - before > _TICK:
            middle = before + (after - before) // 2
            if site_day(middle, zone) >= day:
                after = middle
            else:
                before = middle
    except OverflowError:
        return _EARLIEST if day.year == 1 else _LATEST
    return after


def day_end(day: date, zone: tzinfo) -> datetime:
    """
    Find the first moment after a day at the site.

    Args:
        day: On the site's calendar.
        zone: Of the site.

    Returns:
        The moment, in UTC: the start of the next day.
    """
    return day_start(day + timedelta(days=1), zone) if day < date.max else _LATEST
