"""What cells that follow from others have in common."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from mesoformula.sheets import Apply, Expression, Function

#: As exact as the figures that are shown: the answer to a session keeps 40 digits.
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)

# A cell holds a number with about 15 digits. What is whole, or half a graduation, is so again after this many
# places: without, a third and two thirds of a vial would open two.
TIDY = 10

#: A difference that is smaller is none.
_NOTHING = Decimal("1e-11")


def apply(function: Function, *parts: Expression) -> Apply:
    """
    Apply a function.

    Args:
        function: Which.
        parts: In order.

    Returns:
        The expression.
    """
    return Apply(function, parts)


def whole_up(value: Expression) -> Apply:
    """
    Round up to a whole number, what is whole but for the last digits of a cell left alone.

    Args:
        value: What to round.

    Returns:
        The expression.
    """
    return apply(Function.ROUND_UP, apply(Function.ROUND, value, TIDY), 0)


def less(one: Expression, other: Expression) -> Apply:
    """
    Subtract, so that what is equal but for the last digits of a cell leaves nothing.

    Args:
        one: From which.
        other: What is taken away.

    Returns:
        The expression.
    """
    difference = apply(Function.SUBTRACT, one, other)
    is_nothing = apply(Function.BELOW, apply(Function.ABSOLUTE, difference), _NOTHING)
    return apply(Function.IF, is_nothing, 0, difference)
