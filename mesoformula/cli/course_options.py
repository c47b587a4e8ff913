"""What the commands of courses take: intervals, times of day, closed days and calendar files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click

from mesoformula.cli.common import safe
from mesoformula.cli.options import QuantityType, Type, option_name
from mesoformula.courses import CourseError, Interval, read_closed_days, read_interval
from mesoformula.errors import Problem, UnknownNameError
from mesoformula.units import magnitude
from mesoformula.words import shown

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_LONGEST_SESSION = 24 * 60


class IntervalType(Type):
    """How far apart sessions are, on the command line."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `14d`, `2 weeks` or `1month`."""
        if isinstance(value, Interval):
            return value
        try:
            return read_interval(value)
        except CourseError as err:
            raise click.UsageError(f"{option_name(param)}{err.problems[0].message}", ctx) from None


class DaysType(IntervalType):
    """A number of days on the command line."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `5d` or `2 weeks`; months differ in length."""
        if isinstance(value, int):
            return value
        interval: Interval = super().convert(value, param, ctx)
        if interval.months:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)}: months differ in length; expected days, such as 30d",
                ctx,
            )
        return interval.days


class TimeType(Type):
    """A time of day on the command line."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `10:00`."""
        if isinstance(value, time):
            return value
        text = value.strip()
        try:
            if len(text) != 5 or text[2] != ":":
                raise ValueError(text)
            return time(int(text[:2]), int(text[3:]))
        except ValueError:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no time of day; expected such as 10:00", ctx
            ) from None


class DurationType(Type):
    """How long a session takes, on the command line, in whole minutes."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `45min`."""
        if isinstance(value, int):
            return value
        minutes: Decimal = magnitude(QuantityType("time").convert(value, param, ctx), "min")
        if minutes != int(minutes) or not 1 <= minutes <= _LONGEST_SESSION:
            expected = "expected whole minutes, up to a day, such as 45min"
            raise click.UsageError(f"{option_name(param)}{shown(value)}: {expected}", ctx)
        return int(minutes)


def spacing_options(function: F) -> F:
    """
    Add what keeps sessions apart and off closed days.

    Args:
        function: The command.

    Returns:
        The command with the options, handed on as `at_least`, `closed` and `weekends`.
    """
    for option in (
        click.option("--weekends", is_flag=True, help="Saturdays and Sundays are open."),
        click.option(
            "--closed-days",
            "closed",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A day or range on each line: 2026-12-24 to 2027-01-03",
        ),
        click.option(
            "--at-least",
            type=IntervalType(),
            metavar="INTERVAL",
            help="Between two sessions, if less than the interval will do.",
        ),
    ):
        function = option(function)
    return function


def calendar_options(function: F) -> F:
    """
    Add the calendar file.

    Args:
        function: The command.

    Returns:
        The command with the options, handed on as `ics` and `replace`.
    """
    for option in (
        click.option("--replace", is_flag=True, help="Replace the calendar file if it is there."),
        click.option(
            "--ics", type=click.Path(path_type=Path), metavar="FILE.ics", help="Write a calendar file."
        ),
    ):
        function = option(function)
    return function


def closed_days(path: Path | None) -> frozenset[Any]:
    """
    Read the days on which the site is closed.

    Args:
        path: The file; None if there is none.

    Returns:
        The days.

    Raises:
        CourseError: If the file cannot be read, or a line of it.
    """
    if path is None:
        return frozenset()
    from mesoformula.catalogue.files import read_bytes

    content = read_bytes(path, str(path))
    if isinstance(content, Problem):
        raise CourseError(
            [Problem("closed-days", content.message.replace("TOML file", "text file"), str(path))]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        raise CourseError([Problem("encoding", "not UTF-8; save it as UTF-8", str(path), line)]) from None
    return read_closed_days(text, str(path))


def check_calendar(ics: Path | None, replace: bool) -> None:
    """
    Refuse a calendar file that cannot be written, before anything is worked out or booked.

    Args:
        ics: The file; None if none is asked for.
        replace: Whether one that is there may be replaced.

    Raises:
        click.UsageError: If it is there already, or its folder is not.
    """
    if ics is None:
        if replace:
            raise click.UsageError("--replace is about the calendar file; give --ics FILE.ics as well")
        return
    if ics.suffix.lower() != ".ics":
        raise click.UsageError(f"--ics {safe(ics)}: expected a name that ends in .ics")
    if ics.is_dir():
        raise click.UsageError(f"--ics {safe(ics)} is a folder; expected the name of a file")
    if ics.exists() and not replace:
        raise click.UsageError(f"--ics {safe(ics)} is there already; choose another name, or give --replace")
    if not ics.absolute().parent.is_dir():
        raise click.UsageError(f"--ics {safe(ics.parent)} is no folder; make it first")


def write_calendar(ics: Path, content: bytes) -> None:
    """
    Write a calendar file, whole or not at all.

    Args:
        ics: The file; what is there is replaced.
        content: What it holds.

    Raises:
        OSError: If it cannot be written.
    """
    beside = ics.with_name(f".{ics.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(ics)
    except OSError as err:
        beside.unlink(missing_ok=True)
        raise OSError(err.errno, err.strerror or str(err), str(ics)) from err


def named(option: str, name: str | None, find: Callable[[str], T], known: Sequence[str]) -> T | None:
    """
    Find what an option names.

    Args:
        option: Its name.
        name: As given; None if it was not.
        find: Finds it by its id.
        known: All ids.

    Returns:
        The record; None without a name.

    Raises:
        click.UsageError: If there is none; with those that come near, or all.
    """
    if name is None:
        return None
    try:
        return find(name)
    except UnknownNameError as err:
        close = f"did you mean {' or '.join(err.nearest)}?" if err.nearest else f"known: {', '.join(known)}"
        raise click.UsageError(f"{option} {shown(name)} is not known; {close}") from None
