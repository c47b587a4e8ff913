"""On which terms something is taken from the stock, and how much of an opened container."""

from __future__ import annotations

import attrs

from mesoformula.errors import Problem
from mesoformula.findings import Finding
from mesoformula.keeping import SharingRule
from mesoformula.settings import Sharing
from mesoformula.stock.records import Order


@attrs.frozen
class Terms:
    """
    On which terms something is taken.

    Attributes:
        reference: Of the session it is for.
        pick: The pick that kept it.
        deviating: Whether it has happened, and is recorded whatever stands against it.
        sharing: Rules of the catalogues on containers that serve two sessions.
        share: What the site does where two sessions share a multi-dose container.
    """

    reference: str | None = None
    pick: int | None = None
    deviating: bool = False
    sharing: tuple[SharingRule, ...] = ()
    share: Sharing = Sharing.WARN


@attrs.frozen
class Amount:
    """
    How much is drawn from an opened container: one of the first three.

    Attributes:
        nanolitres: By volume.
        nanograms: By mass.
        rest: All that is left by its label.
        discard: Whether what is left after that is thrown away.
        overfill: Whether more may be drawn than is left by the label, as more was in it.
    """

    nanolitres: int | None = None
    nanograms: int | None = None
    rest: bool = False
    discard: bool = False
    overfill: bool = False


def check_deviation(problems: list[Problem], order: Order, deviation: str | None) -> Order:
    """
    Make the reason of a deviation the reason of the write.

    Args:
        problems: Added to.
        order: As asked.
        deviation: Why it happened all the same; None if nothing stands against it.

    Returns:
        The order with its reason.
    """
    if deviation is None:
        return order
    text = deviation.strip()
    if not text:
        problems.append(Problem("deviation", "a deviation needs its reason; say in a few words why"))
    elif order.reason is not None and order.reason.strip() != text:
        problems.append(
            Problem("deviation", "the reason of a deviation is that of the write; give one of the two")
        )
    return attrs.evolve(order, reason=text)


def said_of_finding(finding: Finding) -> str:
    """
    Write a finding with its sources.

    Args:
        finding: The finding.

    Returns:
        One sentence.
    """
    sources = "; ".join(f"{one.kind.value}: {one.where}" for one in finding.sources)
    return f"{finding.message} ({sources})" if sources else finding.message
