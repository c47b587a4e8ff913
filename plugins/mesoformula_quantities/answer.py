"""From the numbers of a session to its answer."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import partial
from typing import TYPE_CHECKING

from mesoformula import (
    Dose,
    Doses,
    FormulaError,
    Keep,
    LineQuantities,
    Problem,
    SessionQuantities,
    magnitude,
    registry,
    show,
)
from mesoformula_quantities.figures import Figures, LineFigures, Scale, work_out_figures
from mesoformula_quantities.plan import PRECISION, Plan, PlannedLine, amount, line_problem, plan
from mesoformula_quantities.volumes import Volumes, volumes
from mesoformula_quantities.working import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mesoformula import Formulary, Quantity, Session, Syringe


def work_out(session: Session, formulary: Formulary) -> SessionQuantities:
    """
    Work out what a session takes.

    Args:
        session: What was asked.
        formulary: Where products, substances and syringes are found.

    Returns:
        What to draw, open and keep, and the dose and concentration of every substance.

    Raises:
        FormulaError: If the wish is impossible, naming the line and the reason.
    """
    planned = plan(session.formula, formulary)
    syringes = measuring_syringes(session, formulary)
    with localcontext(PRECISION):
        needed = volumes(session, planned)
        scales = [
            Scale(magnitude(item.capacity, "mL"), magnitude(item.graduation, "mL")) for item in syringes
        ]
        figures = work_out_figures(planned, needed.prepared, needed.injected, scales)
        return answer(session, planned, needed, figures, syringes)


def measuring_syringes(session: Session, formulary: Formulary) -> Sequence[Syringe]:
    """
    List the syringes that volumes may be measured with, smallest first.

    Args:
        session: May name one.
        formulary: Offers all others.

    Returns:
        The one named for measuring, else the one for injecting, else all.
    """
    named = session.measuring_syringe or session.syringe
    if named is not None:
        return (named,)
    return sorted(formulary.syringes(), key=lambda item: magnitude(item.capacity, "mL"))


def answer(
    session: Session, planned: Plan, needed: Volumes, figures: Figures, syringes: Sequence[Syringe]
) -> SessionQuantities:
    """
    Put numbers into records.

    Args:
        session: What was asked.
        planned: The solved formula.
        needed: The volumes of the session.
        figures: Every number of it.
        syringes: What the numbers were measured with.

    Returns:
        The answer.

    Raises:
        FormulaError: If a volume is too small for the syringe that measures it.
    """
    make = registry().Quantity
    ml = registry().Unit("milliliter")
    problems: list[Problem] = []
    lines = []
    for line, numbers in zip(planned.lines, figures.lines, strict=True):
        syringe = syringes[numbers.scale] if numbers.scale >= 0 else None
        if syringe is not None and not numbers.measured:
            problems.append(_unmeasurable(planned, line, numbers, syringe))
            continue
        keep, keep_for = _keep(line, numbers.left)
        lines.append(
            LineQuantities(
                line.number,
                line.drawn.product,
                line.drawn.part,
                line.line.kind,
                make(numbers.volume, ml),
                syringe,
                None if syringe is None else make(numbers.measured, ml),
                None if syringe is None else make(numbers.measured - numbers.volume, ml),
                numbers.containers,
                make(numbers.left, ml),
                keep,
                keep_for,
                line.drawn.reconstitution,
            )
        )
    if problems:
        raise FormulaError(problems)
    doses = []
    for dose, (made_low, made_high, given_low, given_high) in zip(planned.doses, figures.doses, strict=True):
        kind = dose.kind
        doses.append(
            Dose(
                dose.substance,
                dose.name,
                dose.ingredient_class,
                dose.as_moiety,
                amount(kind, given_low, given_high, dose.unit),
                amount(kind, made_low, made_high, dose.unit),
                dose.concentration,
                dose.products,
                dose.note,
            )
        )
    return SessionQuantities(
        session,
        tuple(lines),
        make(needed.injected, ml),
        make(needed.lost, ml),
        make(needed.prepared, ml),
        needed.points,
        None if needed.per_point is None else make(needed.per_point, ml),
        needed.syringes,
        tuple(doses),
        (*planned.findings, *needed.findings),
        partial(steps, planned, needed, figures, syringes),
    )


def _unmeasurable(planned: Plan, line: PlannedLine, numbers: LineFigures, syringe: Syringe) -> Problem:
    exact = numbers.volume.normalize(PRECISION)
    return line_problem(
        planned.formula,
        line.number,
        "unmeasurable",
        f"{exact:.3g} mL is less than half a graduation of {syringe.name} ({show(syringe.graduation)}); "
        "prepare more, dilute it first, or name a finer syringe",
    )


def _keep(line: PlannedLine, left: Decimal) -> tuple[Keep, Quantity | None]:
    """Say what becomes of the rest: only a multi-dose container may be kept."""
    if not left:
        return Keep.NOTHING_LEFT, None
    product = line.drawn.product
    if product.doses is Doses.MULTI and product.in_use_period is not None:
        return Keep.MAY_BE_KEPT, product.in_use_period
    return Keep.DISCARD, None
