"""What commands take: quantities, whole numbers and days, shared options, and examples for their help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from mesoformula.errors import QuantityError
from mesoformula.units import parse_quantity, parse_strength
from mesoformula.words import shown

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    #: What a parameter of a command is read by.
    Type: TypeAlias = click.ParamType[Any]
else:
    Type = click.ParamType  # generic since click 8.3 only

#: Stands for the hyphen of a negative quantity until it is read: click would take it for an option.
MINUS = "\N{MINUS SIGN}"


class NounGroup(click.Group):
    """The verbs of one noun; a mistyped one is answered with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from mesoformula.words import nearest

            known = self.list_commands(ctx)
            close = nearest(args[0], known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
            raise click.UsageError(f"no command is called {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


class LazyNounGroup(NounGroup):
    """
    A noun whose verbs are imported when they are used.

    Attributes:
        verbs: Verb, its module below `mesoformula.cli` with its name there, and its line in the list of
            commands; in the order of the work.
    """

    verbs: Mapping[str, tuple[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """List the verbs in the order of the work."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a verb."""
        if cmd_name not in self.verbs:
            return None
        home, _, name = self.verbs[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"mesoformula.cli.{home}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of verbs without importing their modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_home, text) in self.verbs.items()])


def lazy_noun(verbs: Mapping[str, tuple[str, str]]) -> type[LazyNounGroup]:
    """
    Make the class of a noun.

    Args:
        verbs: As `LazyNounGroup` says.

    Returns:
        For `click.group(cls=…)`.
    """
    return type("LazyNoun", (LazyNounGroup,), {"verbs": verbs})


class QuantityType(Type):
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
        if value.startswith(MINUS):
            value = "-" + value[1:]
        try:
            result = parse_quantity(value, self.dimension, picograms=self.picograms)
        except QuantityError as err:
            raise click.UsageError(f"{option_name(param)}{err}", ctx) from None
        if not result.magnitude:
            raise click.UsageError(f"{option_name(param)}{shown(value)}: expected more than 0", ctx)
        return result


class StrengthType(Type):
    """A strength on the command line, read by the strict grammar."""

    name = "strength"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text, or refuse it with the right form."""
        if not isinstance(value, str):
            return value
        try:
            return parse_strength(value)
        except QuantityError as err:
            raise click.UsageError(f"{option_name(param)}{err}", ctx) from None


class WholeType(Type):
    """A whole number within bounds on the command line."""

    name = "number"

    def __init__(self, lowest: int, highest: int) -> None:
        """
        Say what is expected.

        Args:
            lowest: That is right.
            highest: That is right.
        """
        self.lowest, self.highest = lowest, highest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read digits, or refuse them with the bounds."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if text.isascii() and text.isdigit() and len(text) < 20 and self.lowest <= int(text) <= self.highest:
            return int(text)
        bounds = f"from {self.lowest} to {self.highest}"
        raise click.UsageError(f"{option_name(param)}{shown(text)}: expected a whole number {bounds}", ctx)


class DayType(Type):
    """A calendar day on the command line."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `2026-11-23`."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)} is no day; expected such as 2026-11-23", ctx
            ) from None


def option_name(param: click.Parameter | None) -> str:
    """
    Name the option that a message is about.

    Args:
        param: What is being read.

    Returns:
        Text such as `--volume ` to begin a message with; nothing for an argument.
    """
    return f"{param.opts[0]} " if isinstance(param, click.Option) else ""


def example(*lines: str) -> str:
    """
    Write the example of a command's help so that it can be copied as it stands.

    Args:
        lines: One command, broken where a shell allows it.

    Returns:
        The epilog.
    """
    if len(lines) == 1:
        return f"\b\nExample: {lines[0]}"
    return "\b\nExample:\n  " + " \\\n      ".join(lines)


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
