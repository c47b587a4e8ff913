"""What is known of an amount: the highest figure, and what there may be beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import AmountKind, Missing, magnitude
from mesoformula_safety.verdicts import once

if TYPE_CHECKING:
    from mesoformula import Amount, Quantity

NOTHING = Decimal(0)

#: Figures of a session are right to this much of themselves: what differs by less is the same.
TINY = Decimal("1e-20")

DISPUTED = "sources disagree on the amount: the highest figure counts"


class Sum(NamedTuple):
    """
    What is known of an amount.

    Attributes:
        counted: The highest figure where sources disagree.
        missing: What there may be beside it; empty if that is all.
        notes: How it was counted.
    """

    counted: Decimal
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Sum) -> Sum:  # type: ignore[override]
        """Add what is known of another."""
        return Sum(
            self.counted + other.counted,
            once((*self.missing, *other.missing)),
            once((*self.notes, *other.notes)),
        )


NONE = Sum(NOTHING)


def unit_of(above: Quantity) -> str | None:
    """
    Choose the unit that doses of this kind are counted in.

    Args:
        above: What a rule names.

    Returns:
        `mg`, `IU` or `mL`; None for what doses are not worked out in.
    """
    for dimension, unit in (("[mass]", "mg"), ("[activity]", "IU"), ("[length] ** 3", "mL")):
        if above.check(dimension):
            return unit
    return None


def counted(amount: Amount, unit: str, missing: Missing) -> Sum:
    """
    Say what is known of an amount.

    Args:
        amount: Of a dose or a concentration.
        unit: To count it in.
        missing: What is missing where it is not known in full.

    Returns:
        The sum of one.
    """
    if amount.low is None:
        return Sum(NOTHING, (missing,))
    if amount.kind is AmountKind.DISPUTED and amount.high is not None:
        return Sum(magnitude(amount.high, unit), (), (DISPUTED,))
    more = (missing,) if amount.kind is AmountKind.AT_LEAST else ()
    return Sum(magnitude(amount.low, unit), more)
