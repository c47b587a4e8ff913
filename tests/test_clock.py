"""The site's days begin and end where its clocks say, whatever they do at midnight."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesoformula.clock import (
    MachineZone,
    day_end,
    day_start,
    local_zone_name,
    site_day,
    zone_named,
    zone_names,
)

PARIS = ZoneInfo("Europe/Paris")
TICK = timedelta(microseconds=1)

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
days = st.dates(date(1900, 1, 1), date(2100, 1, 1))
#: From 2012 on no zone puts its clocks back over midnight, so that a day would begin twice.
moments = st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(zones, days)
@example(ZoneInfo("America/Toronto"), date(1919, 3, 31))
@example(ZoneInfo("America/St_Johns"), date(2000, 10, 29))
@example(ZoneInfo("Pacific/Apia"), date(2011, 12, 30))
def test_a_day_starts_at_the_first_moment_that_its_calendar_shows_it(zone: tzinfo, day: date) -> None:
    start = day_start(day, zone)

    assert start.tzinfo is UTC
    assert site_day(start, zone) >= day > site_day(start - TICK, zone)


@given(zones, days)
def test_days_follow_each_other_without_gap_or_overlap(zone: tzinfo, day: date) -> None:
    assert day_end(day, zone) == day_start(day + timedelta(days=1), zone) >= day_start(day, zone)


@given(zones, moments)
def test_every_moment_lies_within_its_day(zone: tzinfo, moment: datetime) -> None:
    day = site_day(moment, zone)

    assert day_start(day, zone) <= moment < day_end(day, zone)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Europe/Paris", "2026-11-28", "2026-11-28T23:00Z"),
        ("Europe/Paris", "2026-03-28", "2026-03-28T23:00Z"),  # clocks go forward on the 29th
        ("Europe/Paris", "2026-03-29", "2026-03-29T22:00Z"),
        ("Europe/Paris", "2026-10-24", "2026-10-24T22:00Z"),  # and back on the 25th
        ("Europe/Paris", "2026-10-25", "2026-10-25T23:00Z"),
        ("Asia/Beirut", "2024-03-30", "2024-03-30T22:00Z"),  # 24:00 is 01:00
        ("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00Z"),  # 24:00 is 01:00
        ("America/Sao_Paulo", "2018-02-17", "2018-02-18T03:00Z"),  # 24:00 is 23:00 again
        ("America/Havana", "2024-11-02", "2024-11-03T04:00Z"),  # 00:00 comes twice on the 3rd
        ("America/Toronto", "1919-03-30", "1919-03-31T04:30Z"),  # 23:30 is 00:30
        ("America/St_Johns", "2000-10-28", "2000-10-29T03:30Z"),  # 00:01 is 23:01 again
        ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00Z"),  # the 30th is left out
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z"),
        ("Pacific/Kiritimati", "2026-06-30", "2026-06-30T10:00Z"),
        ("Etc/GMT+12", "2026-06-30", "2026-07-01T12:00Z"),
        ("UTC", "2026-06-30", "2026-07-01T00:00Z"),
    ],
)
def test_the_end_of_a_day_is_known_for_zones_with_odd_midnights(zone: str, day: str, end: str) -> None:
    assert day_end(date.fromisoformat(day), ZoneInfo(zone)) == datetime.fromisoformat(end)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC", "America/Toronto"])
def test_the_first_and_the_last_day_of_the_calendar_are_no_failure(zone: str) -> None:
    assert day_end(date.max, ZoneInfo(zone)) == datetime.max.replace(tzinfo=UTC)
    assert day_end(date(9999, 12, 30), ZoneInfo(zone)).year == 9999
    assert day_start(date.min, ZoneInfo(zone)) < datetime(1, 1, 3, tzinfo=UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        site_day(datetime(2026, 11, 23, 12), PARIS)  # noqa: DTZ001


def test_the_day_at_the_site_is_not_the_day_in_utc() -> None:
    moment = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    assert site_day(moment, PARIS) == date(2026, 11, 24)
    assert site_day(moment.astimezone(ZoneInfo("Asia/Tokyo")), PARIS) == date(2026, 11, 24)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Pari", "../etc/passwd", "/etc/localtime", "a\x00b", "tzdata.zi", "é" * 999]
)
def test_a_name_of_no_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_zones_are_known_by_their_names() -> None:
    assert zone_named("UTC") is UTC
    assert zone_named("Europe/Paris") == PARIS
    assert {"UTC", "Europe/Paris"} <= zone_names()


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("Europe/Paris", "Europe/Paris"),
        (":Europe/Paris", "Europe/Paris"),
        ("/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
        ("UTC", "UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_the_environment_names_the_zone_of_the_machine(given_name: str, found: str | None) -> None:
    assert local_zone_name({"TZ": given_name}, Path("/nowhere")) == found


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
        ("../usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/right/Asia/Tokyo", "Asia/Tokyo"),
        ("/var/db/timezone/zoneinfo/America/Havana", "America/Havana"),
        ("/usr/share/zoneinfo/Mars/Olympus", None),
    ],
)
def test_the_systems_link_names_the_zone_of_the_machine(
    tmp_path: Path, target: str, found: str | None
) -> None:
    link = tmp_path / "localtime"
    link.symlink_to(target)

    assert local_zone_name({}, link) == found
    assert local_zone_name({"TZ": "Europe/Rome"}, link) == "Europe/Rome"


def test_a_copied_zone_file_and_none_at_all_have_no_name(tmp_path: Path) -> None:
    (tmp_path / "copied").write_bytes(b"TZif2")

    assert local_zone_name({}, tmp_path / "copied") is None
    assert local_zone_name({}, tmp_path / "missing") is None


def test_the_zone_of_the_machine_keeps_the_rules_of_its_system() -> None:
    """Against the tz database, each in a process that runs in that zone."""
    program = """
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo
from mesoformula.clock import MachineZone, day_end, site_day
named, own = ZoneInfo(sys.argv[1]), MachineZone()
for number in range(0, 24 * 366, 1):
    moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    here, there = moment.astimezone(own), moment.astimezone(named)
    assert here.replace(tzinfo=None) == there.replace(tzinfo=None), moment
    assert (here.fold, here.utcoffset()) == (there.fold, there.utcoffset()), moment
    assert here.astimezone(UTC) == moment
for number in range(366):
    day = date(2024, 1, 1) + timedelta(days=number)
    assert day_end(day, own) == day_end(day, named), day
print(own, datetime(2024, 7, 1, tzinfo=own).tzname())
"""
    for name, rules, summer in (
        ("Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3", "CEST"),
        ("America/Havana", "America/Havana", "CDT"),
        ("Asia/Beirut", "Asia/Beirut", "EEST"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, name],
            capture_output=True,
            text=True,
            env={"TZ": rules, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"the local time of this machine {summer}"


def test_the_zone_of_the_machine_knows_nothing_without_a_moment() -> None:
    zone = MachineZone()

    assert (zone.utcoffset(None), zone.tzname(None), zone.dst(None)) == (None, None, None)
