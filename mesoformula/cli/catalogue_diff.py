"""`mesoformula catalogue diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mesoformula.app import App
from mesoformula.catalogue.differing import Comparison, Difference, Side, compare, side
from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, safe
from mesoformula.cli.options import example, json_option
from mesoformula.encoding import to_plain
from mesoformula.formulary import Formulary


@click.command("diff", epilog=example("mesoformula catalogue diff acme-2025.toml acme.toml"))
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@json_option
def diff(old: Path, new: Path, as_json: bool) -> int:
    """
    Say what NEW changes against OLD, two files or folders, for stock and formulas.

    A product whose contents differ needs a new revision, as lots pin the revision they were received by; a
    typing error that was mended says so in 'corrected'. Ends with 3 if anything needs what it lacks.
    """
    app = app_of()
    compared = compare(_side(app, old), _side(app, new))
    if as_json:
        print_json(_plain(compared))
    else:
        _tell(compared)
    return 3 if compared.problems else 0


def _side(app: App, path: Path) -> Side:
    """Read one catalogue beside those of plugins, so that formulas elsewhere that name its products count."""
    return side(Formulary(app.formulary.classes.values()), path, app.manager.catalogues())


def _tell(compared: Comparison) -> None:
    for one in compared.differences:
        print_wrapped(_title(one))
        for change in one.changes:
            mark = " (!)" if change.makes_another and one.needs is not None else ""
            was = change.old if change.old is not None else "not there"
            now = change.new if change.new is not None else "not there"
            print_wrapped(f"{change.field}: {was} → {now}{mark}", first="  ", rest="      ")
        if one.corrected is not None:
            print_wrapped(f"a typing error, as it says: {one.corrected}", first="  ", rest="      ")
        if one.formulas:
            print_wrapped(f"formulas that name it: {', '.join(one.formulas)}", first="  ", rest="      ")
    if compared.differences:
        click.echo()
    for problem in compared.problems:
        click.echo(safe(problem))
    counts = {what: sum(one.what == what for one in compared.differences) for what in _WORDS}
    said = ", ".join(f"{number} {what}" for what, number in counts.items() if number) or "no difference"
    click.echo(f"{said}; {counted(len(compared.problems), 'problem')}")


_WORDS = ("added", "removed", "changed", "revised")


def _title(one: Difference) -> str:
    word = "version" if one.section == "formula" else "revision"
    counted_as = f", {word} {one.revision}" if one.revision not in (None, 1) else ""
    title = f"{one.what}: {one.section} {one.name}{counted_as}"
    if one.needs is not None:
        return f"{title}: needs {word} {one.needs}"
    return title


def _plain(compared: Comparison) -> dict[str, Any]:
    return {
        "differences": to_plain(compared.differences, full=True),
        "problems": to_plain(compared.problems, full=True),
    }
