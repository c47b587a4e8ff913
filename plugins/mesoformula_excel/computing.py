"""Computed columns as live values."""

from __future__ import annotations

from mesoformula.sheets import (
    Apply,
    Computed,
    DaysUntil,
    Expression,
    Function,
    InRow,
    Live,
    MarkOfDays,
    Named,
    Times,
    Value,
    plain_value,
)
from mesoformula_excel.book import AS_OF


def live(computed: Computed, value: Value | Live) -> Live:
    """
    Say how a value of a computed column follows from others.

    Args:
        computed: How the column does.
        value: What it comes to.

    Returns:
        The value with its expression, which counts days from the cell that is called `as_of`.
    """
    match computed:
        case DaysUntil(column):
            day = InRow(column)
            how = _if_numbers(Apply(Function.SUBTRACT, (day, Named(AS_OF))), day)
        case Times(left, right):
            how = _if_numbers(Apply(Function.TIMES, (InRow(left), InRow(right))), InRow(left), InRow(right))
        case MarkOfDays(column, soon):
            days = InRow(column)
            nearly = Apply(Function.IF, (Apply(Function.AT_MOST, (days, soon)), computed.soon_word, ""))
            word = Apply(Function.IF, (Apply(Function.BELOW, (days, 0)), computed.expired_word, nearly))
            how = _if_numbers(word, days)
    return Live(plain_value(value), how)


def _if_numbers(how: Expression, *parts: Expression) -> Apply:
    tests = tuple(Apply(Function.IS_NUMBER, (part,)) for part in parts)
    test = tests[0] if len(tests) == 1 else Apply(Function.AND, tests)
    return Apply(Function.IF, (test, how, ""))
