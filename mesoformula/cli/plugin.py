"""`mesoformula plugin`: each verb but `list` in a module of its own, imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mesoformula import __version__
from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, safe
from mesoformula.cli.options import example, json_option, lazy_noun
from mesoformula.contract_version import written
from mesoformula.encoding import to_plain
from mesoformula.offering import Offering, offerings
from mesoformula.provenance import BLOCK_VARIABLE, State

if TYPE_CHECKING:
    from mesoformula.provenance import PluginStatus

#: Verb, its module with its name there, and its line in the list of commands.
VERBS = {
    "list": ("plugin:list_plugins", "List the plugins, what they offer, and what went wrong."),
    "hooks": ("plugin_hooks:hooks", "Show the hooks that a plugin may implement."),
    "check": ("plugin_check:check", "Test a plugin by the rules that ours obey."),
    "new": ("plugin_new:new", "Write a plugin to start from."),
}

_PLURALS = {"ingredient class": "ingredient classes", "lot policy": "lot policies"}

#: More names of one kind are not listed in text.
_MOST_NAMES = 6


@click.group("plugin", cls=lazy_noun(VERBS), epilog=example("mesoformula plugin list"))
def command() -> None:
    """See which plugins are there, and what has become of them; write and test one."""


@click.command(
    "list",
    short_help="List the plugins, what they offer, and what went wrong.",
    epilog=example("MESOFORMULA_BLOCK_PLUGINS=excel mesoformula plugin list"),
)
@json_option
def list_plugins(as_json: bool) -> int:
    """
    List plugins with their state, what they offer, and every problem with what to do.

    States: active; conflict (something is offered by others too); failed (it, or one of its hooks);
    incompatible (written for another contract); blocked.
    """
    from mesoformula.cli import COMMANDS

    app = app_of()
    # Everything is asked for, so that a plugin that fails only then is shown as failed.
    app.formulary.check()
    offered = offerings(app.manager, app.formulary, tuple(COMMANDS))
    statuses = app.manager.report()
    problems = app.problems
    if as_json:
        plugins = [_plain(status, offered.get(status.title, ())) for status in statuses]
        contract = written(app.manager.contract.version)
        print_json(
            {
                "version": __version__,
                "contract": contract,
                "plugins": plugins,
                "problems": to_plain(problems, full=True),
            }
        )
        return 0
    click.echo(f"mesoformula {__version__}, plugin contract {written(app.manager.contract.version)}")
    for status in statuses:
        _print(status, offered.get(status.title, ()))
    if any(status.state is State.BLOCKED for status in statuses):
        click.echo(f"\nA name is blocked as long as {BLOCK_VARIABLE} holds it.")
    # In a conflict the reason of every party names the first of them.
    said = {status.reason for status in statuses} | {
        f"{status.title}: {status.reason}" for status in statuses
    }
    others = [problem for problem in problems if f"{problem.plugin}: {problem.message}" not in said]
    if others:
        click.echo("\nProblems")
        for problem in others:
            print_wrapped(str(problem), first="- ")
    return 0


def _plain(status: PluginStatus, offered: tuple[Offering, ...]) -> dict[str, Any]:
    return {
        "name": status.name,
        "distribution": status.distribution,
        "version": status.version,
        "first_party": status.first_party,
        "state": status.state.value,
        "reason": status.reason or None,
        "contract": status.contract,
        "hooks": list(status.hooks),
        "offers": [{"kind": one.kind, "count": one.count, "names": list(one.names)} for one in offered],
        "load_ms": round(status.load_seconds * 1000, 3),
    }


def _print(status: PluginStatus, offered: tuple[Offering, ...]) -> None:
    """Print one plugin as a block: a table of so many columns would be wider than a terminal."""
    click.echo(f"\n{safe(status.title)}: {status.state}")
    hooks = ", ".join(hook.removeprefix("mesoformula_") for hook in status.hooks)
    contract = f"written for {status.contract}" if status.contract else "not stated"
    lines = {
        "reason": status.reason,
        "offers": ", ".join(map(_offering, offered)),
        "hooks": hooks,
        "contract": contract if status.hooks or status.contract else "",
        "loaded": f"in {status.load_seconds * 1000:.1f} ms" if status.hooks else "",
    }
    for word, text in lines.items():
        if text:
            print_wrapped(text, first=f"  {word:<10}")


def _offering(one: Offering) -> str:
    names = f" ({', '.join(one.names)})" if 0 < len(one.names) <= _MOST_NAMES else ""
    if one.count != 1 and one.kind in _PLURALS:
        return f"{one.count} {_PLURALS[one.kind]}{names}"
    return f"{counted(one.count, one.kind)}{names}"
