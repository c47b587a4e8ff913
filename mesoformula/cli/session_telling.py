"""What a session answers, for a person and as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

import click

from mesoformula.app import Answer
from mesoformula.cli.checked import print_checks
from mesoformula.cli.common import amount_text, brief, counted, print_table, print_wrapped, rounded, safe
from mesoformula.encoding import to_plain
from mesoformula.sessions import Dose, LineQuantities, SessionQuantities
from mesoformula.units import kind_of, magnitude, show, symbol

if TYPE_CHECKING:
    from mesoformula.units import Quantity


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
            "teaching": session.formula.teaching,
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
        "route": session.route.value,
        "region": session.region,
        "findings": [to_plain(finding, full=True) for finding in answer.findings],
        "overrides": [to_plain(override, full=True) for override in answer.overrides],
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


def print_session(
    answer: Answer, *, explain: bool = False, beside: Mapping[int, Sequence[str]] | None = None
) -> None:
    """
    Print an answer for a person.

    Args:
        answer: A session, worked out and checked.
        explain: Whether to add the working.
        beside: What to say of a line, by its number: the lots that were picked for it.
    """
    worked = answer.quantities
    session = worked.session
    formula = session.formula
    print_wrapped(formula.name)
    if "/" in formula.id:
        click.echo(safe(worked.lines[0].product.pinned_id))
    else:
        click.echo(safe(f"{formula.id}, version {formula.version}"))
    if formula.teaching:
        click.echo("A teaching example: it describes no published mixture.")
    where = [item.name for item in (session.zone, session.technique) if item is not None]
    if where:
        print_wrapped(", ".join(where))
    click.echo()
    _print_volumes(worked)
    click.echo("\nTake")
    print_table(
        ("#", "draw", "product", "open", "left"),
        (
            (
                line.number,
                _drawn(line),
                "\n  ".join((_taken(line), *(beside or {}).get(line.number, ()))),
                _containers(line),
                _left(line),
            )
            for line in worked.lines
        ),
        right=(0,),
        whole=(1, 3),
    )
    for line in worked.lines:
        if line.reconstitution is not None:
            print_wrapped(f"{line.product.name}: {line.reconstitution}.", first=f"Line {line.number}: ")
    click.echo("\nInjected")
    _print_doses(worked)
    if explain:
        _print_working(worked)
    print_checks(answer)


def _print_volumes(worked: SessionQuantities) -> None:
    filled = f" in {counted(worked.syringes, 'syringe')}" if worked.syringes else ""
    if worked.lost.magnitude:
        print_wrapped(
            f"Prepare {_exactly(worked.prepared)}: {_exactly(worked.injected)} to inject{filled}, and "
            f"{_exactly(worked.lost)} that stays behind in syringe and needle."
        )
    else:
        click.echo(f"Prepare {_exactly(worked.prepared)}, and inject it{filled}.")
    if worked.points is not None:
        each = f" of {brief(worked.volume_per_point)}" if worked.volume_per_point is not None else ""
        click.echo(f"{counted(worked.points, 'point')}{each}.")


def _drawn(line: LineQuantities) -> str:
    if line.measured is not None:
        return show(line.measured)
    return "?" if line.left.magnitude else "all"


def _taken(line: LineQuantities) -> str:
    """Name the product and, below it, how its volume is measured."""
    name = line.product.name + (f", part {line.part}" if line.part else "")
    if not line.left.magnitude:
        return f"{name}\n  {_exactly(line.volume)}, the whole of it"
    if line.measured is None or line.measured_with is None:
        return f"{name}\n  {_exactly(line.volume)}; no syringe is known to measure it"
    how = line.measured_with.name
    each = magnitude(line.measured_with.capacity, "mL")
    fills = int((magnitude(line.measured, "mL") / each).to_integral_value(ROUND_CEILING))
    if fills > 1:
        how += f", {fills} fills"
    unrounded = _exactly(line.volume)
    if unrounded.removeprefix("≈") != show(line.measured):
        how += f"; unrounded {unrounded}"
    return f"{name}\n  {how}"


def _print_doses(worked: SessionQuantities) -> None:
    """Print what is known in a table, exact forms first, and what is not disclosed below it."""
    rows: list[tuple[str, str, str]] = []
    before: Dose | None = None
    for dose in worked.doses:
        if dose.dose.low is None:
            continue
        if dose.as_moiety and not (before is not None and before.as_moiety):
            rows.append(("counted over all forms as", "", ""))
        key = (dose.substance, dose.as_moiety)
        again = before is not None and (before.substance, before.as_moiety) == key
        name = f"  in {kind_of(dose.dose.low.units)}" if again else dose.name
        concentration = amount_text(dose.concentration).removesuffix(" (disputed)")
        rows.append((f"  {name}" if dose.as_moiety else name, amount_text(dose.dose), concentration))
        before = dose
    if rows:
        print_table(("substance", "dose", "in the mixture"), rows)
    elif not worked.doses:
        click.echo("  no substance is listed")
    _print_undisclosed(worked)


def _print_undisclosed(worked: SessionQuantities) -> None:
    names = {line.product.id: line.product.name for line in worked.lines}
    unknown: dict[str, list[str]] = {}
    for dose in worked.doses:
        if dose.dose.low is None:
            sources = [names.get(product.partition("@")[0], product) for product in dose.products]
            unknown.setdefault(" and ".join(sources), []).append(dose.name)
    for source, found in unknown.items():
        listed = ", ".join(dict.fromkeys(found))
        print_wrapped(f"{listed} (from {source}).", first="Amount not disclosed: ", rest="  ")


def _print_working(worked: SessionQuantities) -> None:
    click.echo("\nWorking")
    subject = None
    for step in worked.working():
        if step.subject != subject:
            subject = step.subject
            click.echo(safe(f"  {subject}"))
        print_wrapped(step.text, first="    ", rest="      ")


def _exactly(value: Quantity) -> str:
    """Write a volume in full if it is short, else rounded and marked so."""
    text = show(value)
    if len(text) <= 13:
        return text
    short = rounded(value.magnitude)
    return f"{'' if Decimal(short) == value.magnitude else '≈'}{short} {symbol(value.units)}"


def _containers(line: LineQuantities) -> str:
    if line.product.is_kit and line.part is None:
        return counted(line.containers, "kit")
    part = next((part for part in line.product.parts if part.name == line.part), line.product.parts[0])
    return counted(line.containers, part.container.word)


def _left(line: LineQuantities) -> str:
    if not line.left.magnitude:
        return "nothing"
    kept = f"keep {show(line.keep_for)}" if line.keep_for is not None else line.keep.value
    return f"{_exactly(line.left)}\n  {kept}"
