"""What the commands share: options, the app, text and JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mesoformula.app import App
from mesoformula.errors import QuantityError
from mesoformula.units import parse_quantity, parse_strength, plain, symbol

if TYPE_CHECKING:
    from mesoformula.sessions import Amount
    from mesoformula.units import Quantity

F = TypeVar("F", bound=Callable[..., Any])


def app_of(ctx: click.Context | None = None) -> App:
    """
    Return the app of this run.

    Args:
        ctx: The click context; None for the current one.

    Returns:
        The same app for the whole run.
    """
    root = (ctx or click.get_current_context()).find_root()
    given = root.ensure_object(dict)
    if "app" not in given:
        catalogues = [Path(path) for path in given.get("catalogues", ())]
        given["app"] = App(catalogues, strict=given.get("strict", False))
    app: App = given["app"]
    return app


class QuantityType(click.ParamType):
    """A quantity of one dimension on the command line, read by the strict grammar."""

    name = "quantity"

    def __init__(self, dimension: str | None = None, *, picograms: bool = False) -> None:
        """
        Say what is expected.

        Args:
            dimension: As for `parse_quantity`.
            picograms: As for `parse_quantity`.
        """
        self.dimension = dimension
        self.picograms = picograms

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text, or refuse it with the right form."""
        if not isinstance(value, str):
            return value
        try:
            result = parse_quantity(value, self.dimension, picograms=self.picograms)
        except QuantityError as err:
            raise click.UsageError(str(err), ctx) from None
        if not result.magnitude:
            raise click.UsageError(f"{value!r}: expected more than 0", ctx)
        return result


class StrengthType(click.ParamType):
    """A strength on the command line, read by the strict grammar."""

    name = "strength"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text, or refuse it with the right form."""
        if not isinstance(value, str):
            return value
        try:
            return parse_strength(value)
        except QuantityError as err:
            raise click.UsageError(str(err), ctx) from None


class DayType(click.ParamType):
    """A calendar day on the command line."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `2026-11-23`."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise click.UsageError(f"{value!r} is no day; expected such as 2026-11-23", ctx) from None


def json_option(function: F) -> F:
    """
    Add `--json`.

    Args:
        function: The command.

    Returns:
        The command with the option.
    """
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def stock_option(function: F) -> F:
    """
    Add `--stock`.

    Args:
        function: The command.

    Returns:
        The command with the option.
    """
    return click.option(
        "--stock",
        envvar="MESOFORMULA_STOCK",
        metavar="PATH",
        help="The stock; else MESOFORMULA_STOCK, else a file in your data folder.",
    )(function)


def print_json(value: Any) -> None:
    """
    Print plain data as JSON.

    Args:
        value: Dictionaries, lists, text, whole numbers, booleans and None.
    """
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def width() -> int:
    """
    Tell how wide text may be.

    Returns:
        The terminal's width, at most 120; 80 in a pipe.
    """
    try:
        return max(40, min(120, os.get_terminal_size().columns))
    except OSError:
        return 80


def safe(text: object) -> str:
    """
    Escape what could steer a terminal.

    Args:
        text: Anything from a catalogue, a label or a user.

    Returns:
        Text of which every character prints, line breaks kept.
    """
    return "".join(
        char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in str(text)
    )


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[int] = (),
    whole: Iterable[int] = (),
) -> None:
    """
    Print a table that fits the terminal: long cells wrap.

    Args:
        headings: Of the columns.
        rows: Cells, left to right.
        right: Columns to align at the right, from 0.
        whole: Columns that never wrap, as a person will copy from them.
    """
    from mesoformula.cli.tables import table

    texts = [[safe("" if cell is None else cell) for cell in row] for row in rows]
    click.echo(table(headings, texts, width(), tuple(right), tuple(whole)))


def print_wrapped(text: str, *, first: str = "", rest: str | None = None) -> None:
    """
    Print a paragraph that fits the terminal.

    Args:
        text: The paragraph.
        first: What its first line begins with.
        rest: What its other lines begin with; blanks of the same width if None.
    """
    import textwrap

    follow = " " * len(first) if rest is None else rest
    click.echo(
        textwrap.fill(
            safe(text),
            width(),
            initial_indent=first,
            subsequent_indent=follow,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


def rounded(value: Decimal, digits: int = 4) -> str:
    """
    Write a number for reading: significant digits, half up, no exponent.

    Args:
        value: Any finite number.
        digits: How many to keep.

    Returns:
        Text such as `100.5`.
    """
    return plain(Context(prec=digits, rounding=ROUND_HALF_UP).plus(value))


_SMALLER = {"mg": ("µg", "ng"), "mg/mL": ("µg/mL", "ng/mL")}


def brief(value: Quantity, digits: int = 4) -> str:
    """
    Write a quantity for reading, in a unit that keeps its number handy.

    Args:
        value: Any quantity.
        digits: How many significant digits to keep.

    Returns:
        Text such as `206.7 µg`.
    """
    number, unit = value.magnitude, symbol(value.units)
    for smaller in _SMALLER.get(unit, ()):
        if not number or number >= Decimal("0.1"):
            break
        number, unit = number * 1000, smaller
    return f"{rounded(number, digits)} {unit}"


def amount_text(amount: Amount) -> str:
    """
    Write an amount with what is known of it.

    Args:
        amount: A dose or a concentration.

    Returns:
        Text such as `at least 50 mg`, `45 to 90 mg` or `not disclosed`.
    """
    if amount.low is None:
        return "not disclosed"
    if amount.kind == "at_least":
        return f"at least {brief(amount.low)}"
    if amount.kind == "disputed" and amount.high is not None:
        return f"{brief(amount.low)} to {brief(amount.high)} (disputed)"
    return brief(amount.low)


def report_problems(app: App) -> None:
    """
    Say on the error stream that plugins or catalogues have problems.

    Args:
        app: Of this run.
    """
    problems = app.problems
    for problem in problems[:5]:
        click.echo(safe(f"warning: {problem}"), err=True)
    if len(problems) > 5:
        click.echo(f"warning: and {len(problems) - 5} more problems; see 'mesoformula plugin list'", err=True)
