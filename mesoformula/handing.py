"""
Run the functions that plugins hand over: exporters, importers, lot policies and commands.

They run long after the hook that handed them over, and are watched and answered for like a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from mesoformula.calling import Caller, Implementation
from mesoformula.errors import ChoiceError, MesoformulaError, PluginResultError, Problem
from mesoformula.provenance import Offered
from mesoformula.words import shown

if TYPE_CHECKING:
    import click

    from mesoformula.grids import Grid, Importer
    from mesoformula.sheets import Exporter
    from mesoformula.stock.picks.policies import Candidate, Choice, LotPolicy, Need


class Runner(Caller):
    """
    Calls hooks, and runs what they hand over.

    Attributes:
        strict: Whether the first problem is raised instead of kept.
        contract: That holds with plugins.
    """

    def _write_sheets(self, offered: Offered[Exporter], *arguments: Any, **options: Any) -> None:
        """Let the exporter of a plugin write: a failure names the plugin, and a refusal passes unchanged."""
        implementation = Implementation(
            "mesoformula_exporters",
            offered.plugin,
            offered.value.write,
            (),
            False,
            f"exporter {shown(offered.value.suffix)}",
        )
        try:
            # Ours may write a million rows, and shows how far it has come.
            with self._watch.over(offered.plugin, implementation.said, may_last=offered.plugin.first_party):
                offered.value.write(*arguments, **options)
        except (KeyboardInterrupt, MesoformulaError, OSError):
            raise
        except BaseException as err:
            raise PluginResultError(self._failed(implementation, err)) from err

    def _read_tables(self, offered: Offered[Importer], *arguments: Any, **options: Any) -> tuple[Grid, ...]:
        """Let the importer of a plugin read, all of it while it is watched."""
        with self._watch.over(offered.plugin, f"importer {shown(offered.value.suffix)}") as call:
            grids = tuple(offered.value.read(*arguments, **options))
            call.gave(grids)
        return grids

    def _choose_lots(
        self, offered: Offered[LotPolicy], need: Need, candidates: Sequence[Candidate]
    ) -> tuple[Choice, ...]:
        """Let the policy of a plugin choose: a refusal is an answer, as long as it says why."""
        from mesoformula.stock.picks.policies import validated

        implementation = Implementation(
            "mesoformula_lot_policies",
            offered.plugin,
            offered.value.choose,
            ("need", "candidates"),
            False,
            f"lot policy {shown(offered.value.id)}",
        )
        arguments = {"need": need, "candidates": tuple(candidates)}
        try:
            return self._call_one(implementation, arguments, partial(validated, need, candidates))
        except KeyboardInterrupt:
            raise
        except BaseException as err:
            if isinstance(err, ChoiceError) and _says_why(err):
                raise
            raise PluginResultError(self._failed(implementation, err)) from err

    def _guarded(self, offered: Offered[click.Command]) -> click.Command:
        """
        Make a copy of a command that runs while it is watched, for as long as it likes.

        What it says of itself and how it reads its arguments is code of the plugin too.
        """
        command = copy(offered.value)
        command.get_short_help_str = partial(  # type: ignore[method-assign]
            self._short_help, offered, command.get_short_help_str
        )
        command.make_context = partial(  # type: ignore[method-assign]
            self._answered_for, offered, "arguments of ", command.make_context
        )
        command.invoke = partial(  # type: ignore[method-assign]
            self._answered_for, offered, "", offered.value.invoke
        )
        return command

    def _short_help(
        self, offered: Offered[click.Command], read: Callable[..., str], *arguments: Any, **options: Any
    ) -> str:
        """Read the line of a command in the list of all, which is no place to fail."""
        try:
            return str(self._answered_for(offered, "help of ", read, *arguments, **options))
        except PluginResultError as err:
            if self.strict:
                raise
            return f"cannot be shown: {err}"

    def _answered_for(
        self,
        offered: Offered[click.Command],
        part: str,
        function: Callable[..., Any],
        *arguments: Any,
        **options: Any,
    ) -> Any:
        """Run a part of a command: a failure names the plugin, and what click raises passes unchanged."""
        import click

        what = f"{part}command {shown(str(offered.value.name))}"
        implementation = Implementation("mesoformula_commands", offered.plugin, function, (), False, what)
        try:
            with self._watch.over(offered.plugin, what, may_last=True):
                return function(*arguments, **options)
        except (
            MesoformulaError,
            OSError,
            EOFError,
            click.ClickException,
            click.Abort,
            click.exceptions.Exit,
        ):
            raise
        except Exception as err:
            raise PluginResultError(self._failed(implementation, err)) from err


def _says_why(err: ChoiceError) -> bool:
    return bool(err.problems) and all(isinstance(problem, Problem) for problem in err.problems)
