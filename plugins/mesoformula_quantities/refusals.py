"""Why a line of a formula cannot be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesoformula import Problem

if TYPE_CHECKING:
    from mesoformula import Formula


class LineError(Exception):
    """
    A line that cannot be worked out.

    Attributes:
        code: A stable word.
        reason: What was found, and what to do.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


def line_problem(formula: Formula, number: int, code: str, reason: str) -> Problem:
    """
    Name a line and what stands against it.

    Args:
        formula: Where the line is.
        number: Of the line, from 1.
        code: A stable word.
        reason: What was found, and what to do.

    Returns:
        The problem.
    """
    name = formula.lines[number - 1].product
    return Problem(
        code, f"formula {formula.id}: line {number} ({name}): {reason}", where=("line", number - 1)
    )
