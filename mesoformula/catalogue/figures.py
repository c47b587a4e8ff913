"""Printed figures as plain numbers in fixed units, with what they may have been before they were rounded."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from mesoformula.units import EXACT, kind_of, magnitude, registry, symbol

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength

#: The unit in which amounts of one kind are compared; others keep their own.
UNITS = {
    "mass": "mg",
    "volume": "mL",
    "activity": "IU",
    "amount of substance": "mmol",
    "equivalents": "mEq",
}

CONTAINER = "container"


@attrs.frozen
class Figure:
    """
    A strength in fixed units.

    Attributes:
        kind: Of the amount: a key of `UNITS`, or the unit itself where there is no other.
        value: The amount.
        low: The least that rounds to it.
        high: The most that rounds to it.
        per_kind: `volume`, `mass` or `container`.
        per: How much product holds it, in mL or mg; 1 container.
    """

    kind: str
    value: Decimal
    low: Decimal
    high: Decimal
    per_kind: str
    per: Decimal


def printed(value: Decimal) -> tuple[Decimal, Decimal]:
    """
    Find everything that rounds to a printed number.

    Args:
        value: With every digit that is printed, zeros at its end included.

    Returns:
        Half a unit of its last digit less, and more.
    """
    exponent = value.as_tuple().exponent
    half = Decimal(5).scaleb(exponent - 1) if isinstance(exponent, int) else Decimal(0)
    return value - half, value + half


def ends(strength: Strength) -> tuple[Decimal, Decimal]:
    """
    Find everything that rounds to the amount of a strength, as it is printed.

    Args:
        strength: Any.

    Returns:
        The least and the most, in the amount's own unit.
    """
    number = strength.amount.magnitude
    # 1:1000 is a ratio, of which the 1 was never rounded.
    is_ratio = strength.basis is not None and strength.per is not None and strength.per.magnitude != 100
    return (number, number) if is_ratio else printed(number)


class Figures:
    """Strengths and quantities as numbers, worked out once: the same text is read into the same object."""

    def __init__(self) -> None:
        """Start empty."""
        self._strengths: dict[int, tuple[Strength, Figure]] = {}
        self._numbers: dict[tuple[int, str], tuple[Quantity, Decimal]] = {}
        self._rates: dict[Hashable, Decimal] = {}

    def of(self, strength: Strength) -> Figure:
        """
        Return a strength in fixed units.

        Args:
            strength: Any.

        Returns:
            The figure.
        """
        known = self._strengths.get(id(strength))
        if known is None:
            # The strength is kept with it, so that its id is not given to another.
            known = self._strengths[id(strength)] = (strength, _figure(strength))
        return known[1]

    def number(self, value: Quantity, unit: str) -> Decimal:
        """
        Return a quantity's number.

        Args:
            value: Any.
            unit: Of the same dimension.

        Returns:
            The exact number.
        """
        known = self._numbers.get((id(value), unit))
        if known is None:
            known = self._numbers[id(value), unit] = (value, magnitude(value, unit))
        return known[1]

    def rate(self, key: Hashable, make: Callable[[], Decimal]) -> Decimal:
        """
        Return what one unit of something comes to in another, found once.

        Args:
            key: Of what, from which unit to which.
            make: Finds it.

        Returns:
            The factor.
        """
        known = self._rates.get(key)
        if known is None:
            known = self._rates[key] = make()
        return known


def _figure(strength: Strength) -> Figure:
    amount, per = strength.amount, strength.per
    kind = kind_of(amount.units)
    unit = UNITS.get(kind)
    if unit is None:
        kind = symbol(amount.units)
        unit = kind
    low, high = ends(strength)
    factor = magnitude(registry().Quantity(Decimal(1), amount.units), unit)
    low, value, high = (EXACT.multiply(number, factor) for number in (low, amount.magnitude, high))
    if per is None:
        return Figure(kind, value, low, high, CONTAINER, Decimal(1))
    per_kind = kind_of(per.units)
    return Figure(kind, value, low, high, per_kind, magnitude(per, UNITS[per_kind]))
