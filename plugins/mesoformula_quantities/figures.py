"""The inner arithmetic of a session: plain Decimals, no records, no units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mesoformula_quantities.plan import Plan

_ONE = Decimal(1)


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
        containers: To open, rounded up.
        left: In them.
    """

    volume: Decimal
    scale: int
    measured: Decimal
    containers: int
    left: Decimal


class Figures(NamedTuple):
    """
    Every number of a session.

    Attributes:
        lines: In formula order.
        doses: Low and high of what is prepared, then low and high of what is injected, in plan order.
    """

    lines: list[LineFigures]
    doses: list[tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]]


def work_out_figures(plan: Plan, prepared: Decimal, injected: Decimal, scales: Sequence[Scale]) -> Figures:
    """
    Compute every number of a session.

    Args:
        plan: The solved formula.
        prepared: mL to prepare.
        injected: mL of it that are injected.
        scales: Syringes to measure with, smallest first: the first that holds a volume measures it, the last
            measures what none holds.

    Returns:
        The numbers, unrounded but for what a syringe measures.
    """
    total = plan.total
    last = len(scales) - 1
    lines = []
    for line in plan.lines:
        volume = line.volume * prepared / total
        measured = volume
        index = last
        for number, scale in enumerate(scales):
            if volume <= scale.capacity:
                index = number
                break
        if index >= 0:
            graduation = scales[index].graduation
            measured = (volume / graduation).quantize(_ONE, ROUND_HALF_UP) * graduation
        unit_volume = line.drawn.unit_volume
        containers = int((max(volume, measured) / unit_volume).quantize(_ONE, ROUND_CEILING))
        lines.append(LineFigures(volume, index, measured, containers, containers * unit_volume - volume))
    doses: list[tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]] = []
    for dose in plan.doses:
        low, high = dose.low, dose.high
        if low is None:
            doses.append((None, None, None, None))
        elif high is None:
            doses.append((low * prepared / total, None, low * injected / total, None))
        elif high is low:
            made, given = low * prepared / total, low * injected / total
            doses.append((made, made, given, given))
        else:
            doses.append(
                (
                    low * prepared / total,
                    high * prepared / total,
                    low * injected / total,
                    high * injected / total,
                )
            )
    return Figures(lines, doses)
