"""`mesoformula sheet formula`: the master formulation record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, print_json, report_problems, safe
from mesoformula.cli.options import WholeType, example
from mesoformula.cli.sheet import check_out, out_argument, sheet_options, sheets_as_json, write
from mesoformula.cli.stock.common import settings_of
from mesoformula.encoding import to_plain
from mesoformula.formulas import LineKind
from mesoformula.preparing import preparation
from mesoformula.sessions import Session
from mesoformula.sheets import SheetRequest
from mesoformula.units import quantity

if TYPE_CHECKING:
    from mesoformula.formulas import Formula
    from mesoformula.units import Quantity


@click.command("formula", epilog=example("mesoformula sheet formula record.xlsx teaching-all-lines"))
@out_argument
@click.argument("formula")
@click.option("--version", type=WholeType(1, 9999), metavar="N", help="Which version it must be.")
@sheet_options
def formula(out: Path, formula: str, version: int | None, language: str, replace: bool, as_json: bool) -> int:
    """
    Write the master formulation record of a formula.

    FORMULA is a formula's id, a product's id, or a file. What it does not say stands there as not stated, or
    blank to be written.
    """
    app = app_of()
    check_out(app, out, replace)
    found = app.formula(formula)
    if version is not None and found.version != version:
        raise click.UsageError(
            f"--version {version}: {safe(found.id)} is version {found.version} here; name the file or the "
            "catalogue that holds the other"
        )
    volume = size_of(found)
    answer = app.work_out(Session(found, volume=volume))
    zone = settings_of().zone()
    prepared = preparation(answer, app.formulary.beyond_use_rules(), zone=zone)
    request = SheetRequest(
        "formula",
        None,
        formulary=app.formulary,
        language=language,
        zone=zone,
        preparation=prepared,
        formula=found,
    )
    sheets = write(app, request, out)
    if as_json:
        from mesoformula.cli.session_telling import session_plain

        print_json(
            {
                "written": str(out),
                "language": language,
                "formula": to_plain(found, full=True),
                "as_written": session_plain(answer, explain=True),
                "limits": to_plain(prepared.limits, full=True),
                "sheets": sheets_as_json(sheets),
            }
        )
    else:
        click.echo(f"written to {safe(out)}")
        click.echo(safe(f"{found.name}: {found.id}, version {found.version}"))
    report_problems(app)
    return 0


def size_of(formula: Formula) -> Quantity | None:
    """
    Choose a size for a formula that has none of its own.

    Args:
        formula: Any formula.

    Returns:
        10 mL for each part of a formula that is all in parts, so that syringes can measure it; else None.
    """
    if formula.total is None and all(line.kinds == (LineKind.PARTS,) for line in formula.lines):
        return quantity(10 * sum(line.parts or 0 for line in formula.lines), "mL")
    return None
