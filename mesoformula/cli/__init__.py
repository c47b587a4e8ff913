"""
The command line: nouns, then verbs.

A command's module is imported when the command is used, so that `mesoformula --version` costs no more than
the library that parses it.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from mesoformula import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mesoformula.app import App
    from mesoformula.errors import Problem

#: Command, its module (with its name there, if that is not `command`), and its line in the list of commands.
COMMANDS = {
    "demo": ("demo", "Run the main job on bundled products and fictional stock."),
    "classes": ("classes", "List the ingredient classes."),
    "substances": ("substances", "List substances, or find some."),
    "products": ("products", "List products, or find some."),
    "product": ("product", "Show everything known of one product."),
    "convert": ("convert", "Convert a quantity of a substance."),
    "formulas": ("treatments:formulas", "List the formulas on offer."),
    "formula": ("formula", "Write, check and show formulas."),
    "zones": ("treatments:zones", "List zones."),
    "techniques": ("treatments:techniques", "List techniques, with what each source says."),
    "protocols": ("treatments:protocols", "List published schedules of sessions."),
    "syringes": ("treatments:equipment", "List syringes and needles."),
    "rules": ("rules", "List the rules of safety, with who says so."),
    "session": ("session", "Work out what a session takes."),
    "course": ("course", "Plan a course of sessions, and keep it in the stock."),
    "stock": ("stock", "Receive stock and list it."),
    "sheet": ("sheet", "Write sheets to a workbook."),
    "catalogue": ("catalogue", "Write, check and compare catalogues."),
    "plugin": ("plugin", "List, write and test plugins."),
}

OK, STANDS_AGAINST, USAGE, BAD_DATA, INTERRUPTED = 0, 1, 2, 3, 130


class Group(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands of the core, then those of plugins."""
        return [*COMMANDS, *(command.name or "" for command in _plugin_commands(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or ask plugins for it."""
        if cmd_name in COMMANDS:
            home, _, name = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(f"mesoformula.cli.{home}"), name or "command")
            return command
        return next((command for command in _plugin_commands(ctx) if command.name == cmd_name), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from mesoformula.words import nearest

            close = nearest(args[0], self.list_commands(ctx))
            hint = f"did you mean {' or '.join(close)}?" if close else "see 'mesoformula -h'"
            raise click.UsageError(f"no command is called {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing their modules."""
        rows = [(name, text) for name, (_module, text) in COMMANDS.items()]
        rows += [(command.name or "", command.get_short_help_str()) for command in _plugin_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _plugin_commands(ctx: click.Context) -> tuple[click.Command, ...]:
    from mesoformula.cli.common import app_of

    return tuple(one.value for one in app_of(ctx).manager.commands(tuple(COMMANDS)))


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample: mesoformula demo\n\n"
    "The software supports a professional's decision; it gives no medical advice.",
)
@click.version_option(__version__, "--version", prog_name="mesoformula", message="%(prog)s %(version)s")
@click.option("--strict", is_flag=True, help="Stop at the first broken plugin.")
@click.option(
    "--catalogue",
    "catalogues",
    multiple=True,
    metavar="PATH",
    help="Read this TOML file or folder too; may be given again.",
)
def cli(strict: bool, catalogues: tuple[str, ...]) -> None:
    """Work out mesotherapy sessions, and keep the stock they draw on."""


def main(arguments: list[str] | None = None) -> None:
    """
    Run the command line and leave with its exit code.

    Args:
        arguments: Words after the program's name; None for those of the process.
    """
    # A command is over before there is any garbage worth collecting; a long one collects all the same.
    gc.set_threshold(100_000, 50, 50)
    for stream in (sys.stdout, sys.stderr):
        # Where the terminal has no µ, it is written as \xb5: never left out, and no reason to stop.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    words = sys.argv[1:] if arguments is None else arguments
    if "_MESOFORMULA_COMPLETE" in os.environ:
        cli.main(words, prog_name="mesoformula")  # a shell asks for completions
    code = run(words)
    # All that is left is about to go: without this, leaving takes a seventh of the time of a session.
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """
    Run the command line.

    Args:
        arguments: Words after the program's name.

    Returns:
        0 done; 1 something stands against it; 2 wrong usage; 3 bad data in a file, or a broken plugin.
    """
    given: dict[str, Any] = {}
    try:
        with cli.make_context("mesoformula", list(arguments), obj=given) as ctx:
            result = cli.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as err:
        if err.format_message().startswith("Usage: "):  # the help, where a verb is missing
            click.echo(err.format_message(), err=True)
            return USAGE
        where = err.ctx.command_path if err.ctx is not None else "mesoformula"
        return _say([f"{where}: {_with_example(err)}"], USAGE)
    except click.ClickException as err:
        return _say([f"mesoformula: {err.format_message()}"], USAGE)
    except (click.Abort, KeyboardInterrupt, EOFError) as err:
        # A plugin whose code was running stands in the notes, with how to do without it.
        return _say(["interrupted", *getattr(err, "__notes__", ())], INTERRUPTED)
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as err:
        return _refused(err, given.get("app"))
    return result if isinstance(result, int) else OK


def _nobody_reads() -> int:
    """Say nothing more, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _with_example(err: click.UsageError) -> str:
    """Point to the example of the command where click itself found something missing or too much."""
    message = err.format_message()
    missing = isinstance(err, click.MissingParameter | click.NoSuchOption | click.BadOptionUsage)
    if err.ctx is None or not (missing or "unexpected extra argument" in message):
        return message
    return f"{message.rstrip('.')}; see '{err.ctx.command_path} -h' for an example"


def _refused(err: Exception, app: App | None) -> int:
    """Say what went wrong, and choose the exit code."""
    from mesoformula import errors

    match err:
        case errors.FormulaError():
            in_file = any(problem.path is not None for problem in err.problems)
            return _say(map(_placed, err.problems), BAD_DATA if in_file else USAGE)
        case errors.CatalogueError() | errors.GridError():
            return _say(map(_placed, err.problems), BAD_DATA)
        case errors.ShortStockError():
            return _say(map(_placed, err.problems), STANDS_AGAINST)
        case errors.OrderError() | errors.ScanError() | errors.ChoiceError() | errors.SheetError():
            in_file = any(problem.path is not None for problem in err.problems)
            return _say(map(_placed, err.problems), BAD_DATA if in_file else USAGE)
        case errors.PluginError():
            return _say([_placed(err.problem)], BAD_DATA)
        case errors.UnknownNameError():
            if app is not None:
                from mesoformula.cli.common import report_problems

                report_problems(app)
            return _say([f"mesoformula: {err}{_missing(app)}"], USAGE)
        case errors.QuantityError():
            return _say([f"mesoformula: {err}"], USAGE)
        case errors.MesoformulaError():
            return _say([f"mesoformula: {err}"], BAD_DATA)
        case OSError():
            return _say([f"mesoformula: {_file_error(err)}"], BAD_DATA)
    if os.environ.get("MESOFORMULA_DEBUG"):
        raise err
    message = (
        f"mesoformula: internal error: {type(err).__name__}: {err}. This is a mistake in mesoformula "
        f"{__version__}; MESOFORMULA_DEBUG=1 shows where; please report it"
    )
    return _say([message], BAD_DATA)


def _placed(problem: Problem) -> str:
    """Write a problem as a clickable line where it has a place, else for whoever typed the command."""
    if problem.path is not None or problem.plugin is not None:
        return str(problem)
    return f"mesoformula: {problem.message}"


def _missing(app: App | None) -> str:
    """Name the plugins that are missing: what they would offer cannot be found."""
    why = app.missing_plugins() if app is not None else ()
    return f" ({'; '.join(why)})" if why else ""


def _file_error(err: OSError) -> str:
    reason = err.strerror or str(err)
    return f"{err.filename}: {reason}" if err.filename else f"cannot be written: {reason}"


def _say(messages: Iterable[str], code: int) -> int:
    for message in messages:
        for line in message.splitlines() or [""]:
            safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
            print(safe, file=sys.stderr)  # noqa: T201
    return code


__all__ = ["COMMANDS", "cli", "main", "run"]
