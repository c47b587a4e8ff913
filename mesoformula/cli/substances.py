"""`mesoformula substances`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import (
    app_of,
    counted,
    named,
    nothing_offered,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    rounded,
)
from mesoformula.cli.options import example, json_option
from mesoformula.cli.products import matched, matched_plain
from mesoformula.encoding import to_plain
from mesoformula.ingredients import Substance

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.search import Match


@click.command("substances", epilog=example("mesoformula substances ascorb"))
@click.argument("text", required=False)
@click.option("--class", "class_id", metavar="CLASS", help="Only of this ingredient class.")
@json_option
def command(text: str | None, class_id: str | None, as_json: bool) -> None:
    """List substances, each an exact chemical form; TEXT finds names, synonyms, CAS numbers and ids."""
    app = app_of()
    if class_id is not None and class_id not in app.formulary.classes:
        known = ", ".join(app.formulary.classes)
        raise click.UsageError(f"no ingredient class is called {class_id!r}; known: {known}")
    found = [
        (substance, match)
        for substance, match in _searched(app.formulary, text)
        if class_id is None or substance.ingredient_class == class_id
    ]
    if as_json:
        classes = {known.id: known.attributes for known in app.formulary.classes.values()}
        print_json([_plain(substance, match, classes) for substance, match in found])
    elif found:
        print_table(
            ("substance", "class or role", "g/mol", "counted as"),
            (
                (
                    named(substance.name, substance.id) + matched(match),
                    (substance.ingredient_class or substance.role or "").replace("_", " "),
                    "polymer"
                    if substance.is_polymer
                    else rounded(substance.molar_mass, 6)
                    if substance.molar_mass is not None
                    else "",
                    "\n".join(moiety.substance for moiety in substance.moieties),
                )
                for substance, match in found
            ),
            right=(2,),
        )
        click.echo(f"{counted(len(found), 'substance')}; what holds one: mesoformula products --substance ID")
    elif not app.formulary.names("substance"):
        print_wrapped(nothing_offered(app, "substance"))
    else:
        near = app.formulary.nearest("substance", text or "")
        hint = f"did you mean {' or '.join(near)}?" if near else "list them all with: mesoformula substances"
        print_wrapped(f"no substance found; {hint}")
    report_problems(app)


def _searched(formulary: Formulary, text: str | None) -> Iterable[tuple[Substance, Match | None]]:
    if text is None:
        return [(substance, None) for substance in formulary.substances()]
    return [(one.record, one.match) for one in formulary.find_substances(text)]


def _plain(substance: Substance, match: Match | None, classes: dict[str, type]) -> object:
    plain = to_plain(substance, full=True, classes=classes)
    if isinstance(plain, dict):
        mass = substance.molar_mass
        plain["molar_mass"] = None if mass is None else {"value": f"{mass:f}", "unit": "g/mol"}
        plain["matched"] = None if match is None else {**matched_plain(match)}
    return plain
