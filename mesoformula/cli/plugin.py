"""`mesoformula plugin`."""

from __future__ import annotations

import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped
from mesoformula.cli.options import NounGroup, example, json_option
from mesoformula.encoding import to_plain
from mesoformula.provenance import State


@click.group("plugin", cls=NounGroup, epilog=example("mesoformula plugin list"))
def command() -> None:
    """See which plugins are there, and what has become of them."""


@command.command(
    "list",
    short_help="List the plugins, and what went wrong.",
    epilog=example("MESOFORMULA_BLOCK_PLUGINS=excel mesoformula plugin list"),
)
@json_option
def list_plugins(as_json: bool) -> int:
    """List plugins with their state, and every problem with its reason and what to do."""
    app = app_of()
    # Offers are asked for, so that a plugin that fails only then is shown as failed.
    app.formulary.check()
    app.manager.exporters()
    app.manager.importers()
    app.manager.lot_policies()
    statuses = app.manager.report()
    problems = app.problems
    if as_json:
        plugins = [
            {
                "name": status.name,
                "distribution": status.distribution,
                "version": status.version,
                "first_party": status.first_party,
                "state": status.state.value,
                "reason": status.reason or None,
                "hooks": list(status.hooks),
            }
            for status in statuses
        ]
        print_json({"plugins": plugins, "problems": to_plain(problems, full=True)})
        return 0
    print_table(
        ("plugin", "distribution", "state", "hooks"),
        (
            (
                status.name,
                " ".join(word for word in (status.distribution, status.version) if word),
                status.state.value,
                ", ".join(hook.removeprefix("mesoformula_") for hook in status.hooks),
            )
            for status in statuses
        ),
    )
    if any(status.state is State.BLOCKED for status in statuses):
        click.echo("A name is blocked as long as MESOFORMULA_BLOCK_PLUGINS holds it.")
    if problems:
        click.echo("\nProblems")
        for problem in problems:
            print_wrapped(str(problem), first="- ")
    return 0
