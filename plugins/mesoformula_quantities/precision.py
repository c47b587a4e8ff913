"""
How exactly is counted: fractions while a formula is solved, Decimals in a session.

A plan hands its fractions over with more digits than a session keeps. What is whole in truth, such as two
thirds of 30 mL in vials of 20 mL, is therefore whole in the session too, and opens no vial too many.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from mesoformula import plain

#: Of what a plan hands over.
PLAN = Context(prec=60, rounding=ROUND_HALF_EVEN)
#: Of every operation in a session: far more than the 1e-20 that is promised.
SESSION = Context(prec=40, rounding=ROUND_HALF_EVEN)

_READ_ALONG = Context(prec=6, rounding=ROUND_HALF_EVEN)


def decimal(value: Fraction) -> Decimal:
    """
    Bring a fraction to a Decimal.

    Args:
        value: Any fraction.

    Returns:
        The nearest Decimal of the digits that a plan hands over.
    """
    return PLAN.divide(Decimal(value.numerator), Decimal(value.denominator))


def number(value: Decimal | Fraction) -> str:
    """
    Write a number for reading along: six digits, no exponent.

    Args:
        value: Any finite number.

    Returns:
        The number, with a leading `≈` where digits were left out.
    """
    exact = decimal(value) if isinstance(value, Fraction) else value
    short = _READ_ALONG.plus(exact)
    return plain(short) if short == exact else f"≈{plain(short)}"
