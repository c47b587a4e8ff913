"""A formula, solved once: what its lines take, and the concentration of everything in the mixture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import (
    CatalogueError,
    Finding,
    FormulaError,
    Problem,
    Severity,
    SourceKind,
    UnknownNameError,
)
from mesoformula_quantities.doses import PlannedDose, Term, planned_doses
from mesoformula_quantities.drawing import Drawn, drawn
from mesoformula_quantities.figures import DoseRate, LineRate, Scale
from mesoformula_quantities.mixture import Mixture, check_lines, mix
from mesoformula_quantities.precision import PLAN, decimal
from mesoformula_quantities.refusals import LineError, line_problem
from mesoformula_quantities.strengths import Holding, exact

if TYPE_CHECKING:
    from mesoformula import Formula, Formulary, Line, LineKind, LotAssay, Product, Syringe

_PLANS_KEPT = 64


class PlannedLine(NamedTuple):
    """
    One line, solved.

    Attributes:
        number: From 1.
        line: As the formula says.
        kind: How it says how much.
        drawn: The product as the line draws from it.
        product: That product.
        volume: mL in the formula as written.
    """

    number: int
    line: Line
    kind: LineKind
    drawn: Drawn
    product: Product
    volume: Decimal


class Measure(NamedTuple):
    """
    A syringe, ready to measure.

    Attributes:
        syringe: The syringe.
        scale: Its scale, in mL.
    """

    syringe: Syringe
    scale: Scale


class Plan(NamedTuple):
    """
    A formula, solved, in numbers that a session only multiplies.

    Attributes:
        formula: What was solved.
        total: mL of the formula as written.
        has_size: False if it is all parts, so that only a session gives it a size.
        lines: In formula order.
        doses: Exact forms first, then moieties.
        line_rates: What each line takes per mL of mixture.
        dose_rates: How much of each dose there is per mL of mixture.
        measures: Every syringe of the formulary, smallest first.
        findings: What is known before any session.
        labelled: Of a plan that counts assays of lots, the dose rates by the labels alone; else empty.
    """

    formula: Formula
    total: Decimal
    has_size: bool
    lines: tuple[PlannedLine, ...]
    doses: tuple[PlannedDose, ...]
    line_rates: tuple[LineRate, ...]
    dose_rates: tuple[DoseRate, ...]
    measures: tuple[Measure, ...]
    findings: tuple[Finding, ...]
    labelled: tuple[DoseRate, ...] = ()


_plans: OrderedDict[tuple[int, int, int, tuple[LotAssay, ...]], tuple[Formula, Formulary, Plan]] = (
    OrderedDict()
)


def plan(formula: Formula, formulary: Formulary, assays: tuple[LotAssay, ...] = ()) -> Plan:
    """
    Solve a formula, once for all its sessions.

    Args:
        formula: What to solve.
        formulary: Where products and substances are found.
        assays: Of the lots that are taken: doses count them, volumes do not.

    Returns:
        The plan; the same one for the same formula and assays, as long as nothing is added to the formulary.

    Raises:
        FormulaError: If it cannot be carried out, naming each line and the reason.
    """
    key = (id(formula), id(formulary), formulary.edition, assays)
    kept = _plans.get(key)
    if kept is not None:
        return kept[2]
    with localcontext(PLAN):
        made = _make(formula, formulary, assays)
    # Both are kept with the plan, so that neither id can come to mean another object.
    _plans[key] = (formula, formulary, made)
    while len(_plans) > _PLANS_KEPT:
        _plans.popitem(last=False)
    return made


def _make(formula: Formula, formulary: Formulary, assays: tuple[LotAssay, ...]) -> Plan:
    check_lines(formula)
    draws = _draws(formula, formulary)
    mixture = mix(formula, draws, formulary)
    lines = tuple(
        PlannedLine(number, line, line.kind, draw, draw.product, decimal(volume))
        for number, (line, draw, volume) in enumerate(
            zip(formula.lines, draws, mixture.volumes, strict=True), start=1
        )
    )
    doses = planned_doses(_terms(draws, mixture), mixture.total)
    findings = _findings(draws)
    labelled: tuple[DoseRate, ...] = ()
    if assays:
        from mesoformula_quantities.assays import assay_findings, by_content, counting

        known = by_content(formula, assays)
        labelled = _rates(doses)
        doses = planned_doses(_terms([counting(draw, known) for draw in draws], mixture), mixture.total)
        findings += assay_findings(draws, assays)
    return Plan(
        formula,
        decimal(mixture.total),
        mixture.has_size,
        lines,
        doses,
        tuple(
            LineRate(
                decimal(volume / mixture.total),
                decimal(volume / mixture.total / draw.unit_volume),
                decimal(draw.unit_volume),
            )
            for draw, volume in zip(draws, mixture.volumes, strict=True)
        ),
        _rates(doses),
        tuple(sorted(map(measure, formulary.syringes()), key=lambda item: item.scale.capacity)),
        findings,
        labelled,
    )


def _rates(doses: Sequence[PlannedDose]) -> tuple[DoseRate, ...]:
    return tuple(DoseRate(dose.low, dose.high) for dose in doses)


def measure(syringe: Syringe) -> Measure:
    """
    Make a syringe ready to measure.

    Args:
        syringe: The syringe.

    Returns:
        The syringe with its scale.
    """
    return Measure(
        syringe, Scale(decimal(exact(syringe.capacity, "mL")), decimal(exact(syringe.graduation, "mL")))
    )


def _draws(formula: Formula, formulary: Formulary) -> list[Drawn]:
    draws: list[Drawn] = []
    problems: list[Problem] = []
    for number, line in enumerate(formula.lines, start=1):
        try:
            draws.append(drawn(line, formulary))
        except LineError as err:
            problems.append(line_problem(formula, number, err.code, err.reason))
        except (UnknownNameError, CatalogueError) as err:
            problems.append(line_problem(formula, number, "product", str(err)))
    if problems:
        raise FormulaError(problems)
    return draws


def _terms(draws: Sequence[Drawn], mixture: Mixture) -> list[tuple[Term, tuple[Holding, ...]]]:
    return [
        (Term(number, draw.product, holding, None, volume), moieties)
        for number, (draw, volume) in enumerate(zip(draws, mixture.volumes, strict=True), start=1)
        for holding, moieties in zip(draw.holdings, draw.moieties, strict=True)
    ]


def _findings(draws: Sequence[Drawn]) -> tuple[Finding, ...]:
    """Say what is known of the amounts before any session."""
    found: dict[tuple[str, str], Finding] = {}
    for draw in draws:
        product = draw.product
        ingredients = [holding for holding in draw.holdings if not holding.is_auxiliary]
        hidden = list(dict.fromkeys(holding.name for holding in ingredients if not holding.amounts))
        if hidden:
            listed = ", ".join(hidden[:4]) + (f" and {len(hidden) - 4} more" if len(hidden) > 4 else "")
            found["undisclosed-amount", product.id] = Finding(
                "undisclosed-amount",
                Severity.INFO,
                product.id,
                f"{product.name}: no usable amount of {listed}; totals over it read 'at least'",
            )
        disputed = [holding for holding in ingredients if holding.is_disputed]
        if disputed:
            names = ", ".join(dict.fromkeys(holding.name for holding in disputed))
            found["disputed-amount", product.id] = Finding(
                "disputed-amount",
                Severity.WARN,
                product.id,
                f"{product.name}: sources disagree on {names}; the range is shown",
                tuple(dict.fromkeys(source for holding in disputed for source in holding.sources)),
            )
        weak = [
            source
            for holding in ingredients
            for source in holding.sources
            if source.kind.rank >= SourceKind.DIST.rank
        ]
        if weak:
            found["distributor-figure", product.id] = Finding(
                "distributor-figure",
                Severity.WARN,
                product.id,
                f"{product.name}: its amounts are a distributor's, not the maker's; compare with the label",
                tuple(dict.fromkeys(weak)),
            )
    return tuple(found.values())
