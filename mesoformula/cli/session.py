"""`mesoformula session`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import evolve

from mesoformula.app import Answer
from mesoformula.cli.checked import (
    allergies_named,
    check_options,
    conditions_named,
    overrides_given,
    print_checks,
    region_of,
    route_named,
)
from mesoformula.cli.common import (
    amount_text,
    app_of,
    brief,
    counted,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    rounded,
    safe,
)
from mesoformula.cli.options import DayType, QuantityType, WholeType, example, json_option, stock_option
from mesoformula.encoding import to_plain
from mesoformula.errors import FormulaError, OverrideError, Problem, UnknownNameError
from mesoformula.products import Product
from mesoformula.sessions import Dose, LineQuantities, Session, SessionQuantities
from mesoformula.units import kind_of, magnitude, show, symbol
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.sessions import PastDose
    from mesoformula.units import Quantity

T = TypeVar("T")


@click.command(
    "session",
    epilog=example(
        "mesoformula session teaching-nctf-vitamin-c",
        "--zone face --points 100 --volume '3 mL' --syringe 1-ml",
    ),
)
@click.argument("formula")
@click.option("--zone", metavar="ZONE", help="Where, such as face.")
@click.option("--technique", metavar="TECHNIQUE", help="How; may say how much goes into each point.")
@click.option(
    "--volume", type=QuantityType("volume"), metavar="VOLUME", help="Injected in all, such as '3 mL'."
)
@click.option("--points", type=WholeType(1, 100_000), metavar="N", help="Number of injection points.")
@click.option("--area", type=QuantityType("area"), metavar="AREA", help="Of the zone, such as '150 cm²'.")
@click.option("--points-per-cm2", type=WholeType(1, 100), metavar="N", help="Instead of the technique's.")
@click.option(
    "--volume-per-point", type=QuantityType("volume"), metavar="VOLUME", help="Instead of the technique's."
)
@click.option("--syringe", metavar="SYRINGE", help="Injected with, such as 1-ml; its losses are added.")
@click.option("--needle", metavar="NEEDLE", help="Injected through; its losses are added.")
@click.option("--measure-with", metavar="SYRINGE", help="Measured with, if not the same.")
@click.option("--on", type=DayType(), metavar="DAY", help="The day, such as 2026-11-23.")
@click.option("--explain", is_flag=True, help="Show the working.")
@click.option(
    "--pick", "picks", is_flag=True, help="Reserve what it takes from the stock; needs --reference."
)
@click.option(
    "--reference",
    metavar="REF",
    help="Of the session, such as S-2026-001: to pick for, and to know what was given.",
)
@click.option("--location", metavar="PLACE", help="Where to pick; else anywhere.")
@click.option("--by", metavar="NAME", help="Who decides on overrides, or picks; for picking, else you.")
@click.option("--request-id", metavar="ID", help="Of the pick: the same id again changes nothing.")
@check_options
@stock_option
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
    picks: bool,
    reference: str | None,
    location: str | None,
    by: str | None,
    request_id: str | None,
    route: str,
    region: str | None,
    conditions: tuple[str, ...],
    allergies: tuple[str, ...],
    age: int | None,
    codes: tuple[str, ...],
    reason: str | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Work out what a session takes, and check it.

    FORMULA is a formula's id, a product's id (a formula of one line), or a file. Say how much is injected by
    --volume, by --points with --volume-per-point, or by --area with a technique; without any of them the
    formula is prepared as written. With --pick the stock keeps what it takes, all of it or nothing.
    """
    from mesoformula.units import quantity

    if picks and reference is None:
        raise click.UsageError("--pick: for which session? expected --reference, such as S-2026-001")
    overrides = overrides_given(codes, reason, by)

    app = app_of()
    known = app.formulary
    session = Session(
        formula=app.formula(formula),
        zone=_named("--zone", zone, known.zone, known.names("zone")),
        technique=_named("--technique", technique, known.technique, known.names("technique")),
        volume=volume,
        points=points,
        area=area,
        points_per_area=quantity(points_per_cm2, "point/cm²") if points_per_cm2 is not None else None,
        volume_per_point=volume_per_point,
        syringe=_named("--syringe", syringe, known.syringe, known.names("syringe")),
        measuring_syringe=_named("--measure-with", measure_with, known.syringe, known.names("syringe")),
        needle=_named("--needle", needle, known.needle, known.names("needle")),
        on=on,
        route=route_named(route),
        region=region_of(region),
        conditions=conditions_named(conditions, known),
        allergies=allergies_named(allergies, known),
        age=age,
        past=_past(app, reference, stock) if reference is not None else None,
    )
    try:
        answer = app.work_out(session, overrides)
    except OverrideError as err:
        why = "".join(f" ({plugin})" for plugin in app.missing_plugins())
        messages = "; ".join(problem.message for problem in err.problems)
        raise click.UsageError(f"--override: {messages}{why}") from err
    except FormulaError as err:
        if not known.has_product(formula):
            raise
        raise FormulaError(_of_product(known.product(formula), err.problems)) from err
    if picks and reference is not None and answer.ready:
        from mesoformula.cli.picked import answer_picked
        from mesoformula.cli.stock.common import actor
        from mesoformula.stock.records import Order

        order = Order(by or actor(), request_id=request_id)
        code = answer_picked(app, answer, order, reference, location, stock, explain=explain, as_json=as_json)
        report_problems(app)
        return code
    if as_json:
        print_json(session_plain(answer, explain=explain) | ({"pick": None} if picks else {}))
    else:
        print_session(answer, explain=explain)
        if picks:
            click.echo("NOT PICKED: the session is not ready.")
    report_problems(app)
    return 0 if answer.ready else 1


def _past(app: App, reference: str, stock: str | None) -> tuple[PastDose, ...] | None:
    """Read what earlier sessions of the reference took, for limits over a period."""
    from contextlib import closing

    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.views.past_doses import past_doses

    with closing(open_store(app, stock)) as store:
        return past_doses(store, reference)


def _named(option: str, name: str | None, find: Callable[[str], T], known: Sequence[str]) -> T | None:
    """Find what an option names; there are few of each, so that all are told."""
    if name is None:
        return None
    try:
        return find(name)
    except UnknownNameError:
        expected = f"expected one of {', '.join(known)}" if known else "no plugin or catalogue offers any"
        raise click.UsageError(f"{option} {shown(name)} is not known; {expected}") from None


def _of_product(product: Product, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Say what stands against a product as a formula of one line, and how a formula could say more."""
    for problem in problems:
        message = problem.message.removeprefix(f"formula {product.id}: line 1 ({product.id}): ")
        yield evolve(problem, message=f"{product.id}: {message}")
    several = len(product.parts) > 1
    for part in product.parts:
        made = part.reconstitution
        if made is not None or several:
            chosen = f", part {part.name}" if several else ""
            up_to = f" made up to {show(made.volume)}" if made is not None else ""
            line = f"{product.id}{chosen}=1 container{up_to}"
            yield Problem("try", f"write it as a formula: mesoformula formula new my.toml --line '{line}'")
            return
        if part.volume is None:
            message = (
                "if the pack says it, a catalogue of your own can state it as a new revision: --catalogue"
            )
            yield Problem("try", message)
            return


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
