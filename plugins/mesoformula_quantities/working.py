"""The working of a session, in words, for whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from mesoformula import LineKind, Step, show

if TYPE_CHECKING:
    from mesoformula import Syringe
    from mesoformula_quantities.figures import Figures
    from mesoformula_quantities.plan import Plan, PlannedLine
    from mesoformula_quantities.volumes import Volumes

_DIGITS = Context(prec=6)


def number(value: Decimal) -> str:
    """
    Write a number for reading along: six digits, no exponent.

    Args:
        value: Any finite number.

    Returns:
        The number, with a leading `≈` where digits were left out.
    """
    short = _DIGITS.plus(value)
    text = format(short, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if short == value else f"≈{text}"


def steps(planned: Plan, needed: Volumes, figures: Figures, syringes: Sequence[Syringe]) -> tuple[Step, ...]:
    """
    Write down how the answer came about.

    Args:
        planned: The solved formula.
        needed: The volumes of the session.
        figures: Every number of it.
        syringes: What the numbers were measured with.

    Returns:
        Inputs with their sources, each step, and the rounding.
    """
    said = [Step("session", text) for text in needed.steps]
    total = f"{number(planned.total)} mL"
    if needed.prepared != planned.total:
        said.append(
            Step(
                "formula",
                f"as written it makes {total}; everything × {number(needed.prepared)} ÷ {number(planned.total)}",
            )
        )
    for line, numbers in zip(planned.lines, figures.lines, strict=True):
        subject = f"line {line.number}"
        name = line.drawn.product.name
        said.append(Step(subject, f"{name}: {_asked(line)} → {number(line.volume)} mL of {total}"))
        if needed.prepared != planned.total:
            said.append(
                Step(
                    subject,
                    f"{number(line.volume)} mL × {number(needed.prepared)} ÷ {number(planned.total)} = "
                    f"{number(numbers.volume)} mL",
                )
            )
        if numbers.scale >= 0:
            syringe = syringes[numbers.scale]
            error = numbers.measured - numbers.volume
            said.append(
                Step(
                    subject,
                    f"measured on {syringe.name} (graduation {show(syringe.graduation)}, half up): "
                    f"{number(numbers.measured)} mL, error {number(error)} mL",
                )
            )
        said.append(
            Step(
                subject,
                f"÷ {number(line.drawn.unit_volume)} mL per {'kit' if _is_kit(line) else 'container'}, rounded up: "
                f"{numbers.containers} to open, {number(numbers.left)} mL left",
            )
        )
    for dose, (_low, _high, given_low, given_high) in zip(planned.doses, figures.doses, strict=True):
        if given_low is None:
            said.append(Step(dose.substance, f"not known: {dose.note}"))
            continue
        unit = _symbol(dose.unit)
        for line_number, holding, volume in dose.terms:
            if holding.low is not None:
                said.append(
                    Step(
                        dose.substance,
                        f"line {line_number}: {holding.written} = {_ends(holding.low, holding.high)} {holding.unit}/mL "
                        f"× {number(volume)} mL",
                    )
                )
        least = "at least " if dose.high is None else ""
        said.append(
            Step(
                dose.substance,
                f"{least}{_ends(dose.low, dose.high)} {unit} in {total}; × {number(needed.injected)} mL injected ÷ {total} "
                f"= {least}{_ends(given_low, given_high)} {unit}",
            )
        )
    return tuple(said)


def _is_kit(line: PlannedLine) -> bool:
    return line.drawn.product.is_kit and line.drawn.part is None


def _asked(line: PlannedLine) -> str:
    asked = line.line
    match asked.kind:
        case LineKind.VOLUME:
            return show(asked.volume) if asked.volume is not None else ""
        case LineKind.CONTAINERS:
            unit = "kit(s)" if _is_kit(line) else "container(s)"
            return f"{asked.containers} {unit} of {number(line.drawn.unit_volume)} mL"
        case LineKind.DOSE:
            return f"{show(asked.dose) if asked.dose is not None else ''} of {asked.substance}"
        case LineKind.CONCENTRATION:
            return f"{asked.concentration} of {asked.substance} in the mixture"
        case LineKind.PARTS:
            return f"{asked.parts} part(s)"
        case _:
            return f"fill to {show(asked.fill_to) if asked.fill_to is not None else ''}"


def _ends(low: Decimal | None, high: Decimal | None) -> str:
    if low is None:
        return "?"
    if high is None or high == low:
        return number(low)
    return f"{number(low)} to {number(high)}"


def _symbol(unit: object) -> str:
    from mesoformula.units import symbol

    return symbol(unit)  # type: ignore[arg-type]
