"""
What the assays of lots change: how much of a substance a product holds, and so the doses.

Volumes stay those of the labels: lots are picked for a volume, and could not be picked before it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from mesoformula import Finding, FormulaError, Problem, Severity
from mesoformula_quantities.precision import number
from mesoformula_quantities.strengths import Holding

if TYPE_CHECKING:
    from mesoformula import Formula, LotAssay
    from mesoformula_quantities.doses import PlannedDose
    from mesoformula_quantities.drawing import Drawn
    from mesoformula_quantities.plan import Plan

#: Product id and substance.
Content: TypeAlias = tuple[str, str]

#: A dose that differs from the label's by more than one part in so many is a warning, 5 %; a choice of ours,
#: as no source sets one.
NOTICEABLE = 20

#: Factors outside are asked about. A potency may truly be anything, so that none is refused; but a figure on
#: the wrong basis mostly lies outside: the base is 0.87 of lidocaine hydrochloride. A choice of ours.
USUAL = (Decimal("0.9"), Decimal("1.1"))


def by_content(formula: Formula, assays: Iterable[LotAssay]) -> dict[Content, LotAssay]:
    """
    Sort assays by what they are of.

    Args:
        formula: Named where they cannot be used.
        assays: Of the lots that are taken.

    Returns:
        The assay of each substance in each product.

    Raises:
        FormulaError: If a factor is no range above zero, or there are two for one substance of a product.
    """
    found: dict[Content, LotAssay] = {}
    problems = []
    for assay in assays:
        key = (assay.product, assay.substance)
        what = f"formula {formula.id}: assay of {assay.substance} in {assay.product}"
        if not (assay.low.is_finite() and assay.high.is_finite() and 0 < assay.low <= assay.high):
            reason = f"its factors are {assay.low} to {assay.high}; expected a range above zero"
            problems.append(Problem("assay", f"{what}: {reason}", where=("assays",)))
        elif key in found:
            reason = "there are two; expected one with the lowest and the highest factor"
            problems.append(Problem("assay", f"{what}: {reason}", where=("assays",)))
        found[key] = assay
    if problems:
        raise FormulaError(problems)
    return found


def counting(draw: Drawn, assays: Mapping[Content, LotAssay]) -> Drawn:
    """
    Count the assays of lots in what a product holds.

    Args:
        draw: The product by its label.
        assays: By product id and substance.

    Returns:
        The same with every amount of an assayed substance, in itself and in its moieties, times its factor.
        What has no amount still has none.
    """
    own = {name: assay for (product, name), assay in assays.items() if product == draw.product.id}
    if not own:
        return draw
    pairs = [
        _counted(own.get(holding.substance) if not holding.is_class else None, (holding, *moieties))
        for holding, moieties in zip(draw.holdings, draw.moieties, strict=True)
    ]
    return draw._replace(
        holdings=tuple(first for first, *_rest in pairs),
        moieties=tuple(tuple(rest) for _first, *rest in pairs),
    )


def _counted(assay: LotAssay | None, found: Sequence[Holding]) -> Sequence[Holding]:
    return found if assay is None else [_scaled(holding, assay) for holding in found]


def _scaled(holding: Holding, assay: LotAssay) -> Holding:
    if not holding.amounts:
        return holding
    low, high = Fraction(assay.low), Fraction(assay.high)
    by = _ends(assay.low, assay.high)
    note = holding.note
    if low != high:
        note = "; ".join(filter(None, (note, f"lots of {assay.product} differ ({assay.text})")))
    amounts = tuple(
        amount._replace(
            low=amount.low * low, high=amount.high * high, written=f"{amount.written} × {by} ({assay.text})"
        )
        for amount in holding.amounts
    )
    return holding._replace(amounts=amounts, note=note)


def assay_findings(draws: Sequence[Drawn], assays: Iterable[LotAssay]) -> tuple[Finding, ...]:
    """
    Say what is odd about assays before any session.

    Args:
        draws: The products as the lines draw from them, by their labels.
        assays: Of the lots that are taken.

    Returns:
        Which of them change nothing, and which are far from the label.
    """
    amounts = {
        (draw.product.id, holding.substance)
        for draw in draws
        for holding in draw.holdings
        if holding.amounts and not holding.is_class
    }
    found = []
    for assay in assays:
        what = f"{assay.product}, {assay.substance}, {assay.text}"
        if (assay.product, assay.substance) not in amounts:
            found.append(
                Finding(
                    "assay-not-counted",
                    Severity.INFO,
                    assay.product,
                    f"{what}: nothing that is drawn states an amount of it, so that no dose changes",
                )
            )
        elif assay.low < USUAL[0] or assay.high > USUAL[1]:
            found.append(
                Finding(
                    "unusual-assay",
                    Severity.WARN,
                    assay.product,
                    f"{what}: more than 10 % off the label; compare figure and basis with the certificate",
                )
            )
    return tuple(found)


def dose_findings(assays: Iterable[LotAssay], planned: Plan, injected: Decimal) -> tuple[Finding, ...]:
    """
    Say which doses are not what the labels promise.

    Args:
        assays: Of the lots that are taken.
        planned: The formula, solved with them.
        injected: mL of the mixture that are injected.

    Returns:
        One for every dose that differs: of the assayed forms, and of what lines ask for.
    """
    by = {(assay.product, assay.substance): assay for assay in assays}
    found = []
    for dose, (label_low, label_high) in zip(planned.doses, planned.labelled, strict=True):
        asked = [line.number for line in planned.lines if line.line.substance == dose.substance]
        if dose.low is None or label_low is None or (dose.as_moiety and not asked):
            continue
        if (dose.low, dose.high) == (label_low, label_high):
            continue
        high = None if dose.high is None else dose.high * injected
        by_label = None if label_high is None else label_high * injected
        least = "at least " if high is None else ""
        message = (
            f"{dose.name}: {least}{_ends(dose.low * injected, high)} {dose.unit} injected, not "
            f"{least}{_ends(label_low * injected, by_label)} {dose.unit} as labelled: "
            + "; ".join(f"{one.product}, {one.text}" for one in _behind(dose, planned, by))
        )
        if asked:
            lines = f"line{'s' if len(asked) > 1 else ''} {', '.join(map(str, asked))}"
            message += f". The volume of {lines} is worked out from the label"
        far = _is_far(dose.low, label_low) or _is_far(dose.high, label_high)
        severity = Severity.WARN if far else Severity.INFO
        found.append(Finding("lot-assay", severity, dose.substance, message))
    return tuple(found)


def _behind(dose: PlannedDose, planned: Plan, assays: Mapping[Content, LotAssay]) -> list[LotAssay]:
    """List the assays that a dose counts, in the order of the lines."""
    keys = dict.fromkeys(
        (line.product.id, holding.substance)
        for line in planned.lines
        for holding, moieties in zip(line.drawn.holdings, line.drawn.moieties, strict=True)
        if holding.amounts
        and dose.substance in {holding.substance, *(one.substance for one in moieties if dose.as_moiety)}
    )
    return [assays[key] for key in keys if key in assays]


def _is_far(value: Decimal | None, label: Decimal | None) -> bool:
    return value is not None and label is not None and abs(value - label) * NOTICEABLE > label


def _ends(low: Decimal, high: Decimal | None) -> str:
    return number(low) if high is None or high == low else f"{number(low)} to {number(high)}"
