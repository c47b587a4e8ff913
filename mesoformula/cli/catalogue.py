"""`mesoformula catalogue`: each verb in a module of its own, imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from mesoformula.cli.options import NounGroup, example

#: Verb, its module and its name there, and its line in the list of commands.
VERBS = {
    "check": ("catalogue_check:check", "Say all that is wrong with files and folders."),
    "new": ("catalogue_new:new", "Write a file to begin with, with every field explained."),
    "import": ("catalogue_import:import_table_", "Turn a table of products into a catalogue."),
    "diff": ("catalogue_diff:diff", "Say what a new catalogue changes for stock and formulas."),
    "schema": ("catalogue_check:schema", "Print the format as JSON Schema, for editors."),
}


class CatalogueGroup(NounGroup):
    """The verbs, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """List the verbs in the order of the work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        home, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"mesoformula.cli.{home}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of verbs without importing their modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_home, text) in VERBS.items()])


@click.group("catalogue", cls=CatalogueGroup, epilog=example("mesoformula catalogue check my.toml"))
def command() -> None:
    """
    Write, check and compare catalogues: the products of a vendor.

    A catalogue is read with --catalogue PATH, or without being named if MESOFORMULA_CATALOGUES names it, or
    if it lies in the folder 'catalogues' of your data folder, where the stock is too.
    """
