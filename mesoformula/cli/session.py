"""`mesoformula session`."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING
from typing import TYPE_CHECKING, Any

import click

from mesoformula.app import Answer
from mesoformula.cli.common import (
    DayType,
    QuantityType,
    amount_text,
    app_of,
    brief,
    json_option,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    rounded,
    safe,
)
from mesoformula.encoding import to_plain
from mesoformula.sessions import Dose, LineQuantities, Session
from mesoformula.units import magnitude, show

if TYPE_CHECKING:
    from mesoformula.units import Quantity


@click.command(
    "session",
    epilog="Example: mesoformula session teaching-nctf-vitamin-c --points 100 --volume '3 mL' --syringe 1-ml",
)
@click.argument("formula")
@click.option("--zone", metavar="ZONE", help="Where, such as face.")
@click.option("--technique", metavar="TECHNIQUE", help="How; may say how much goes into each point.")
@click.option(
    "--volume", type=QuantityType("volume"), metavar="VOLUME", help="Injected in all, such as '3 mL'."
)
@click.option("--points", type=click.IntRange(1, 100_000), metavar="N", help="Number of injection points.")
@click.option("--area", type=QuantityType("area"), metavar="AREA", help="Of the zone, such as '150 cm²'.")
@click.option(
    "--points-per-cm2", type=click.IntRange(1, 100), metavar="N", help="Instead of the technique's."
)
@click.option(
    "--volume-per-point", type=QuantityType("volume"), metavar="VOLUME", help="Instead of the technique's."
)
@click.option("--syringe", metavar="SYRINGE", help="Injected with, such as 1-ml; its losses are added.")
@click.option("--needle", metavar="NEEDLE", help="Injected through; its losses are added.")
@click.option("--measure-with", metavar="SYRINGE", help="Measured with, if not the same.")
@click.option("--on", type=DayType(), metavar="DAY", help="The day, such as 2026-11-23.")
@click.option("--explain", is_flag=True, help="Show the working.")
@json_option
def command(
    formula: str,
    zone: str | None,
    technique: str | None,
    volume: Quantity | None,
    points: int | None,
    area: Quantity | None,
    points_per_cm2: int | None,
    volume_per_point: Quantity | None,
    syringe: str | None,
    needle: str | None,
    measure_with: str | None,
    on: date | None,
    explain: bool,
    as_json: bool,
) -> int:
    """
    Work out what a session takes.

    FORMULA is a formula's id, a product's id (a formula of one line), or a file. Say how much is injected by
    --volume, by --points with --volume-per-point, or by --area with a technique; without any of them the
    formula is prepared as written.
    """
    from mesoformula.units import quantity

    app = app_of()
    known = app.formulary
    session = Session(
        formula=app.formula(formula),
        zone=known.zone(zone) if zone is not None else None,
        technique=known.technique(technique) if technique is not None else None,
        volume=volume,
        points=points,
        area=area,
        points_per_area=quantity(points_per_cm2, "point/cm²") if points_per_cm2 is not None else None,
        volume_per_point=volume_per_point,
        syringe=known.syringe(syringe) if syringe is not None else None,
        measuring_syringe=known.syringe(measure_with) if measure_with is not None else None,
        needle=known.needle(needle) if needle is not None else None,
        on=on,
    )
    answer = app.work_out(session)
    if as_json:
        print_json(session_plain(answer, explain=explain))
    else:
        print_session(answer, explain=explain)
    report_problems(app)
    return 0 if answer.ready else 1


def session_plain(answer: Answer, *, explain: bool = False) -> dict[str, Any]:
    """
    Bring an answer to plain data for JSON.

    Args:
        answer: A session, worked out and checked.
        explain: Whether to add the working.

    Returns:
        Formula and products by id, every quantity unrounded.
    """
    worked = answer.quantities
    session = worked.session
    plain: dict[str, Any] = {
        "formula": {
            "id": session.formula.id,
            "name": session.formula.name,
            "version": session.formula.version,
        },
        "zone": session.zone.id if session.zone is not None else None,
        "technique": session.technique.id if session.technique is not None else None,
        "on": session.on.isoformat() if session.on is not None else None,
        "injected": to_plain(worked.injected),
        "lost": to_plain(worked.lost),
        "prepared": to_plain(worked.prepared),
        "points": worked.points,
        "volume_per_point": to_plain(worked.volume_per_point),
        "syringes": worked.syringes,
        "lines": [_line_plain(line) for line in worked.lines],
        "doses": [to_plain(dose, full=True) for dose in worked.doses],
        "findings": [to_plain(finding, full=True) for finding in answer.findings],
        "ready": answer.ready,
    }
    if explain:
        plain["working"] = [{"subject": step.subject, "step": step.text} for step in worked.working()]
    return plain


def _line_plain(line: LineQuantities) -> dict[str, Any]:
    return {
        "line": line.number,
        "product": line.product.pinned_id,
        "part": line.part,
        "kind": line.kind.value,
        "volume": to_plain(line.volume),
        "measured_with": line.measured_with.id if line.measured_with is not None else None,
        "measured": to_plain(line.measured),
        "error": to_plain(line.error),
        "containers": line.containers,
        "left": to_plain(line.left),
        "keep": line.keep.value,
        "keep_for": to_plain(line.keep_for),
        "reconstitution": line.reconstitution,
    }


def print_session(answer: Answer, *, explain: bool = False) -> None:
    """
    Print an answer for a person.

    Args:
        answer: A session, worked out and checked.
        explain: Whether to add the working.
    """
    worked = answer.quantities
    session = worked.session
    formula = session.formula
    click.echo(safe(f"{formula.name} ({formula.id}, version {formula.version})"))
    if formula.teaching:
        click.echo("Teaching example: it describes no published mixture.")
    where = [item.name for item in (session.zone, session.technique) if item is not None]
    if where:
        click.echo(safe(", ".join(where)))
    click.echo()
    lost = f" + {_exactly(worked.lost)} lost" if worked.lost.magnitude else ""
    filled = f" in {worked.syringes} syringe{'s' if worked.syringes != 1 else ''}" if worked.syringes else ""
    click.echo(f"Inject {_exactly(worked.injected)}{filled}{lost}: prepare {_exactly(worked.prepared)}.")
    if worked.points is not None:
        each = f", {brief(worked.volume_per_point)} each" if worked.volume_per_point is not None else ""
        click.echo(f"{worked.points} points{each}.")
    click.echo("\nTake")
    print_table(
        ("#", "product", "draw", "exact", "open", "left"),
        (
            (
                line.number,
                line.product.name + (f", part {line.part}" if line.part else ""),
                _measured(line),
                _exactly(line.volume),
                _containers(line),
                _left(line),
            )
            for line in worked.lines
        ),
        right=(0,),
    )
    for line in worked.lines:
        if line.reconstitution is not None:
            print_wrapped(f"{line.product.name}: {line.reconstitution}.", first=f"Line {line.number}: ")
    click.echo("\nInjected")
    _print_doses(worked.doses)
    if explain:
        click.echo("\nWorking")
        for step in worked.working():
            print_wrapped(step.text, first=f"  {safe(step.subject)}: ", rest="    ")
    _print_findings(answer)


def _print_doses(doses: tuple[Dose, ...]) -> None:
    rows = [
        (
            ("counted as " if dose.as_moiety else "") + dose.name,
            amount_text(dose.dose),
            ""
            if dose.concentration.low is None
            else amount_text(dose.concentration).removesuffix(" (disputed)"),
        )
        for dose in doses
    ]
    if rows:
        print_table(("substance", "dose", "in the mixture"), rows)
    else:
        click.echo("  no substance is listed")


def _print_findings(answer: Answer) -> None:
    click.echo("\nFindings" if answer.findings else "")
    for finding in answer.findings:
        print_wrapped(finding.message, first=f"  {finding.severity.value:<9} ", rest=" " * 12)
    standing = [finding.code for finding in answer.findings if finding.severity in ("block", "override")]
    unchecked = sum(1 for finding in answer.findings if finding.severity == "unchecked")
    if standing:
        click.echo(f"\nNOT READY: {', '.join(standing)}")
    else:
        but = " What is listed as unchecked was not." if unchecked else ""
        click.echo(f"\nReady, as far as it was checked.{but}")


def _exactly(value: Quantity) -> str:
    """Write a volume in full if it is short, else shortened with a mark."""
    text = show(value)
    return text if len(text) <= 10 else f"≈{rounded(value.magnitude)} mL"


def _measured(line: LineQuantities) -> str:
    if line.measured is None or line.measured_with is None or line.error is None:
        return "?"
    text = show(line.measured)
    each = magnitude(line.measured_with.capacity, "mL")
    fills = int((magnitude(line.measured, "mL") / each).to_integral_value(ROUND_CEILING))
    if fills > 1:
        text += f" in {fills} fills"
    return f"{text} ({line.measured_with.name})"


def _containers(line: LineQuantities) -> str:
    if line.product.is_kit and line.part is None:
        return f"{line.containers} kit{'s' if line.containers != 1 else ''}"
    part = next((part for part in line.product.parts if part.name == line.part), line.product.parts[0])
    return f"{line.containers} {part.container.word}{'s' if line.containers != 1 else ''}"


def _left(line: LineQuantities) -> str:
    if not line.left.magnitude:
        return "nothing"
    kept = f", keep {show(line.keep_for)}" if line.keep_for is not None else f", {line.keep.value}"
    return f"{_exactly(line.left)}{kept}"
