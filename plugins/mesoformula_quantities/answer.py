"""From the numbers of a session to its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from mesoformula import (
    Amount,
    AmountKind,
    Dose,
    Doses,
    Finding,
    FormulaError,
    Keep,
    LineQuantities,
    Problem,
    SessionQuantities,
    Severity,
    quantities_in,
    show,
)
from mesoformula_quantities.figures import DoseFigures, Figures, LineFigures, work_out_figures
from mesoformula_quantities.plan import Measure, Plan, PlannedLine, measure, plan
from mesoformula_quantities.precision import SESSION, number
from mesoformula_quantities.refusals import line_problem
from mesoformula_quantities.volumes import Volumes, volumes

if TYPE_CHECKING:
    from mesoformula import Formulary, Product, Quantity, Session, Step

    MakeQuantity: TypeAlias = Callable[[Decimal], Quantity]


#: Beyond this a volume is a slip of the keyboard, such as L for mL; a line may name as many.
MOST_CONTAINERS = 1_000


#: Errors above one part in so many are pointed out, 5 %; a choice of ours, as no source sets one.
NOTICEABLE = 20


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
    planned = plan(session.formula, formulary, session.assays)
    with localcontext(SESSION):
        needed = volumes(session, planned)
        measures = measuring(session, planned)
        figures = work_out_figures(
            planned, needed.prepared, needed.injected, [item.scale for item in measures]
        )
        return answer(session, planned, needed, figures, measures)


def measuring(session: Session, planned: Plan) -> Sequence[Measure]:
    """
    List the syringes that volumes may be measured with, smallest first.

    Args:
        session: May name one.
        planned: Offers all others.

    Returns:
        The one named for measuring, else the one for injecting, else all.
    """
    named = session.measuring_syringe or session.syringe
    return planned.measures if named is None else (measure(named),)


def answer(
    session: Session, planned: Plan, needed: Volumes, figures: Figures, measures: Sequence[Measure]
) -> SessionQuantities:
    """
    Put numbers into records, at the precision of the context.

    Args:
        session: What was asked.
        planned: The solved formula.
        needed: The volumes of the session.
        figures: Every number of it.
        measures: What the numbers were measured with.

    Returns:
        The answer.

    Raises:
        FormulaError: If a volume is too small for the syringe that measures it.
    """
    ml = quantities_in("mL")
    if any(figure.containers > MOST_CONTAINERS for figure in figures.lines):
        raise FormulaError(_unbelievable(planned, figures))
    if not all(figure.measured for figure in figures.lines):
        raise FormulaError(_unmeasurable(planned, figures, measures))
    return SessionQuantities(
        session,
        tuple([_line(*pair, measures, ml) for pair in zip(planned.lines, figures.lines, strict=True)]),
        ml(needed.injected),
        ml(needed.lost),
        ml(+needed.prepared),
        needed.points,
        None if needed.per_point is None else ml(needed.per_point),
        needed.syringes,
        _doses(planned, figures.doses),
        (
            *planned.findings,
            *needed.findings,
            *(_told(session, planned, needed) if session.assays else ()),
            *_misread(planned, figures, measures),
        ),
        partial(_working, session, planned, needed, figures, measures),
    )


def _working(
    session: Session, planned: Plan, needed: Volumes, figures: Figures, measures: Sequence[Measure]
) -> tuple[Step, ...]:
    from mesoformula_quantities.working import steps

    return steps(session, planned, needed, figures, measures)


def _told(session: Session, planned: Plan, needed: Volumes) -> tuple[Finding, ...]:
    from mesoformula_quantities.assays import dose_findings

    return dose_findings(session.assays, planned, needed.injected)


def _line(
    line: PlannedLine, figure: LineFigures, measures: Sequence[Measure], ml: MakeQuantity
) -> LineQuantities:
    volume, scale, measured, error, containers, left = figure
    product = line.product
    syringe = measured_quantity = error_quantity = None
    if scale >= 0 and left:  # what takes whole containers is not measured: all of it is drawn
        syringe = measures[scale].syringe
        measured_quantity, error_quantity = ml(measured), ml(error)
    keep, keep_for = _keep(product, left)
    return LineQuantities(
        line.number,
        product,
        line.drawn.part,
        line.kind,
        ml(volume),
        syringe,
        measured_quantity,
        error_quantity,
        containers,
        ml(left),
        keep,
        keep_for,
        line.drawn.reconstitution,
    )


def _doses(planned: Plan, figures: Sequence[DoseFigures]) -> tuple[Dose, ...]:
    stated = AmountKind.STATED
    doses = []
    for dose, (made_low, made_high, given_low, given_high) in zip(planned.doses, figures, strict=True):
        kind, make = dose.kind, dose.make
        if made_low is None or given_low is None:
            prepared = injected = Amount(kind)
        else:
            made, given = make(made_low), make(given_low)
            if kind is stated:
                prepared, injected = Amount(kind, made, made), Amount(kind, given, given)
            elif made_high is None or given_high is None:
                prepared, injected = Amount(kind, made), Amount(kind, given)
            else:
                prepared = Amount(kind, made, make(made_high))
                injected = Amount(kind, given, make(given_high))
        doses.append(
            Dose(
                dose.substance,
                dose.name,
                dose.ingredient_class,
                dose.as_moiety,
                injected,
                prepared,
                dose.concentration,
                dose.products,
                dose.note,
            )
        )
    return tuple(doses)


def _misread(planned: Plan, figures: Figures, measures: Sequence[Measure]) -> tuple[Finding, ...]:
    """Point out every line of which the syringe shows noticeably more or less than is wanted."""
    found = []
    for line, figure in zip(planned.lines, figures.lines, strict=True):
        if figure.scale < 0 or not figure.left or abs(figure.error) * NOTICEABLE <= figure.volume:
            continue
        percent = (100 * figure.error / figure.volume).quantize(Decimal(1))
        found.append(
            Finding(
                "measuring-error",
                Severity.WARN,
                line.product.id,
                f"line {line.number} ({line.product.name}): {number(figure.measured)} mL on "
                f"{measures[figure.scale].syringe.name} is {percent:+} % of what is wanted; the doses are "
                "those of the unrounded volume: name a finer syringe, or dilute it first",
            )
        )
    return tuple(found)


def _unbelievable(planned: Plan, figures: Figures) -> list[Problem]:
    """Name every line that takes more containers than one treatment ever could."""
    return [
        line_problem(
            planned.formula,
            line.number,
            "containers",
            f"takes {figure.containers:,} containers; expected at most {MOST_CONTAINERS:,} for one session: "
            "is the volume right?",
        )
        for line, figure in zip(planned.lines, figures.lines, strict=True)
        if figure.containers > MOST_CONTAINERS
    ]


def _unmeasurable(planned: Plan, figures: Figures, measures: Sequence[Measure]) -> list[Problem]:
    """Name every line that takes less than its syringe can show."""
    problems = []
    for line, figure in zip(planned.lines, figures.lines, strict=True):
        if not figure.measured:
            syringe = measures[figure.scale].syringe
            reason = (
                f"{number(figure.volume)} mL is less than half a graduation of {syringe.name} "
                f"({show(syringe.graduation)}); prepare more, dilute it first, or name a finer syringe"
            )
            problems.append(line_problem(planned.formula, line.number, "unmeasurable", reason))
    return problems


def _keep(product: Product, left: Decimal) -> tuple[Keep, Quantity | None]:
    """Say what becomes of the rest: only a multi-dose container may be kept."""
    if not left:
        return Keep.NOTHING_LEFT, None
    if product.doses is Doses.MULTI and product.in_use_period is not None:
        return Keep.MAY_BE_KEPT, product.in_use_period
    return Keep.DISCARD, None
