"""The inner arithmetic of a session: plain Decimals, no records, no units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from mesoformula_quantities.plan import Plan


class LineRate(NamedTuple):
    """
    What one line takes per mL of mixture.

    Attributes:
        volume: mL.
        containers: To open, in fractions of one.
        unit_volume: mL that one container yields.
    """

    volume: Decimal
    containers: Decimal
    unit_volume: Decimal


class DoseRate(NamedTuple):
    """
    How much of one substance there is per mL of mixture.

    Attributes:
        low: None where nothing is known.
        high: The very same object as low where there is no range; None where there is no upper end.
    """

    low: Decimal | None
    high: Decimal | None


class Scale(NamedTuple):
    """A syringe's scale, in mL."""

    capacity: Decimal
    graduation: Decimal


class LineFigures(NamedTuple):
    """
    What one line takes, in mL.

    Attributes:
        volume: Exact.
        scale: Index of the syringe that measures it; -1 if there is none.
        measured: Rounded half up to the syringe's graduation.
        error: Measured less exact.
        containers: To open, rounded up.
        left: In them.
    """

    volume: Decimal
    scale: int
    measured: Decimal
    error: Decimal
    containers: int
    left: Decimal


#: Low and high of what is prepared, then low and high of what is injected.
DoseFigures: TypeAlias = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]


class Figures(NamedTuple):
    """
    Every number of a session.

    Attributes:
        lines: In formula order.
        doses: In plan order.
    """

    lines: list[LineFigures]
    doses: list[DoseFigures]


_NOT_KNOWN = (None, None, None, None)


def work_out_figures(plan: Plan, prepared: Decimal, injected: Decimal, scales: Sequence[Scale]) -> Figures:
    """
    Compute every number of a session, at the precision of the context.

    Args:
        plan: The solved formula.
        prepared: mL to prepare.
        injected: mL of it that are injected.
        scales: Syringes to measure with, smallest first: the first that holds a volume measures it, the last
            measures what none holds.

    Returns:
        The numbers, unrounded but for what a syringe measures.
    """
    last = len(scales) - 1
    lines = []
    for volume_rate, container_rate, unit_volume in plan.line_rates:
        measured = volume = volume_rate * prepared
        index = last
        for number, scale in enumerate(scales):
            if volume <= scale[0]:
                index = number
                break
        if index >= 0:
            graduation = scales[index][1]
            measured = (volume / graduation).to_integral_value(ROUND_HALF_UP) * graduation
        filled = container_rate * prepared
        opened = filled.to_integral_value(ROUND_CEILING)
        left = (opened - filled) * unit_volume
        lines.append(LineFigures(volume, index, measured, measured - volume, int(opened), left))
    doses: list[DoseFigures] = []
    for low, high in plan.dose_rates:
        if low is None:
            doses.append(_NOT_KNOWN)
            continue
        made, given = low * prepared, low * injected
        if high is low:
            doses.append((made, made, given, given))
        elif high is None:
            doses.append((made, None, given, None))
        else:
            doses.append((made, high * prepared, given, high * injected))
    return Figures(lines, doses)
