"""What the commands share: the app, text and JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesoformula.app import App
from mesoformula.catalogue.places import named_in, own_folder
from mesoformula.units import plain, symbol

if TYPE_CHECKING:
    from mesoformula.sessions import Amount
    from mesoformula.units import Quantity


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
        named = [Path(path) for path in root.params.get("catalogues", ())]
        catalogues = [*named_in(os.environ), *named]
        given["app"] = App(catalogues, dropped=own_folder(), strict=root.params.get("strict", False))
    app: App = given["app"]
    return app


def print_json(value: Any) -> None:
    """
    Print plain data as JSON.

    Args:
        value: Dictionaries, lists, text, whole numbers, booleans and None.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if not text.replace("\n", "").isprintable():  # line breaks between lines are those of the layout
        text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    click.echo(text)


def _escaped(char: str) -> str:
    """Write a character that could steer a terminal as JSON does."""
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"


def width() -> int:
    """
    Tell how wide text may be.

    Returns:
        COLUMNS, else the terminal's width, at most 120; 80 in a pipe.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given[:6]) > 0:
        return max(40, min(120, int(given[:6])))
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        return 80
    return max(40, min(120, columns)) if columns else 80


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
    text = table(headings, texts, width(), tuple(right), tuple(whole))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.replace("─", "-")
    click.echo(text)


def named(name: str, id_: str) -> str:
    """
    Write a name for one cell of a table, and its id on a line of its own, to be copied.

    Args:
        name: For people.
        id_: For commands.

    Returns:
        Two lines.
    """
    return f"{' '.join(name.split())}\n  {id_}"


def counted(number: int, noun: str) -> str:
    """
    Write a number of things.

    Args:
        number: How many.
        noun: What, in the singular.

    Returns:
        Text such as `1 product` or `2 products`.
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def nothing_offered(app: App, noun: str) -> str:
    """
    Say why a list is empty where nothing is on offer at all.

    Args:
        app: Of this run.
        noun: What nobody offers, such as `products`.

    Returns:
        A sentence that names the plugins that are blocked or have failed.
    """
    why = "; ".join(app.missing_plugins()) or "see 'mesoformula plugin list'"
    return f"no plugin or catalogue offers any {noun}: {why}"


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
