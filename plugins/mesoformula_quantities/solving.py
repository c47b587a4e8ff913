"""Volumes of a formula's lines, from what each line asks for: one small linear system, in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Row = list[Fraction]


class NoSolution(Exception):  # noqa: N818 (an answer, not an error)
    """The equations contradict each other, or leave a volume open."""


def solve(equations: Sequence[Row]) -> list[Fraction]:
    """
    Solve linear equations exactly.

    Args:
        equations: Coefficients of every unknown, then the right-hand side.

    Returns:
        The unknowns.

    Raises:
        NoSolution: If there is none, or more than one.
    """
    rows = [list(row) for row in equations]
    unknowns = len(rows[0]) - 1
    top = 0
    for column in range(unknowns):
        pivot = next((number for number in range(top, len(rows)) if rows[number][column]), None)
        if pivot is None:
            raise NoSolution
        rows[top], rows[pivot] = rows[pivot], rows[top]
        lead = rows[top][column]
        rows[top] = [value / lead for value in rows[top]]
        for number, row in enumerate(rows):
            if number != top and row[column]:
                factor = row[column]
                rows[number] = [value - factor * above for value, above in zip(row, rows[top], strict=True)]
        top += 1
    if any(row[-1] for row in rows[top:]):
        raise NoSolution
    return [rows[number][-1] for number in range(unknowns)]
