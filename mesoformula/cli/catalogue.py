"""`mesoformula catalogue`: each verb in a module of its own, imported when it is used."""

from __future__ import annotations

import click

from mesoformula.cli.options import example, lazy_noun

#: Verb, its module and its name there, and its line in the list of commands.
VERBS = {
    "check": ("catalogue_check:check", "Say all that is wrong with files and folders."),
    "new": ("catalogue_new:new", "Write a file to begin with, with every field explained."),
    "import": ("catalogue_import:import_table_", "Turn a table of products into a catalogue."),
    "diff": ("catalogue_diff:diff", "Say what a new catalogue changes for stock and formulas."),
    "schema": ("catalogue_check:schema", "Print the format as JSON Schema, for editors."),
}


@click.group("catalogue", cls=lazy_noun(VERBS), epilog=example("mesoformula catalogue check my.toml"))
def command() -> None:
    """
    Write, check and compare catalogues: the products of a vendor.

    A catalogue is read with --catalogue PATH, or without being named if MESOFORMULA_CATALOGUES names it, or
    if it lies in the folder 'catalogues' of your data folder, where the stock is too.
    """
