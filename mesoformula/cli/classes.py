"""`mesoformula classes`."""

from __future__ import annotations

import click

from mesoformula.catalogue.reading import written_fields
from mesoformula.cli.common import app_of, print_json, print_table, report_problems
from mesoformula.cli.options import example, json_option
from mesoformula.ingredients import CORE_CLASSES


@click.command("classes", epilog=example("mesoformula classes --json"))
@json_option
def command(as_json: bool) -> None:
    """List the ingredient classes: the seven of the core and those of plugins."""
    app = app_of()
    core = {known.id for known in CORE_CLASSES}
    classes = app.formulary.classes.values()
    if as_json:
        print_json(
            [
                {
                    "id": known.id,
                    "name": known.name,
                    "role": known.role,
                    "attributes": [field.key for field in written_fields(known.attributes)],
                    "core": known.id in core,
                }
                for known in classes
            ]
        )
    else:
        print_table(
            ("class", "role as claimed", "what tells one from another"),
            (
                (
                    known.id + ("" if known.id in core else " *"),
                    known.role,
                    ", ".join(field.key.replace("_", " ") for field in written_fields(known.attributes)),
                )
                for known in classes
            ),
        )
        if len(core) < len(app.formulary.classes):
            click.echo("* offered by a plugin")
    report_problems(app)
