"""The volume of every line of a formula, and of the mixture they make."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import FormulaError, LineKind, Problem, check_line, show
from mesoformula_quantities.precision import number
from mesoformula_quantities.refusals import LineError, line_problem
from mesoformula_quantities.solving import NoSolution, solve
from mesoformula_quantities.strengths import exact
from mesoformula_quantities.wishes import concentration, volume_of_dose

if TYPE_CHECKING:
    from mesoformula import Formula, Formulary
    from mesoformula_quantities.drawing import Drawn

ONE = Fraction(1)


class Mixture(NamedTuple):
    """
    The volumes of a formula as written, in mL.

    Attributes:
        volumes: Of its lines.
        total: Of all together.
        has_size: False if it is all parts, so that only a session gives it a size.
    """

    volumes: Sequence[Fraction]
    total: Fraction
    has_size: bool


def check_lines(formula: Formula) -> None:
    """
    Refuse a formula whose lines do not each say how much in one way.

    Args:
        formula: Read from a file, or made in code.

    Raises:
        FormulaError: Naming each line and the reason.
    """
    problems: list[Problem] = []
    if not formula.lines:
        problems.append(Problem("line", f"formula {formula.id}: it has no line", where=("line",)))
    for place, line in enumerate(formula.lines, start=1):

        def report(code: str, message: str, _where: object, place: int = place) -> None:
            problems.append(line_problem(formula, place, code, message))

        check_line(line, report, ())
    fills = [place for place, line in enumerate(formula.lines, start=1) if line.fill_to is not None]
    in_parts = [place for place, line in enumerate(formula.lines, start=1) if line.parts is not None]
    problems += [
        line_problem(formula, place, "line", "a second line with fill_to; expected at most one")
        for place in fills[1:]
    ]
    if fills and in_parts:
        reason = (
            f"parts and fill_to (line {fills[0]}) both take what the other lines leave; expected one of them"
        )
        problems.append(line_problem(formula, in_parts[0], "line", reason))
    if fills and formula.total is not None:
        problems.append(
            Problem(
                "total",
                f"formula {formula.id}: total and fill_to together; expected one of them",
                where=("total",),
            )
        )
    if problems:
        raise FormulaError(problems)


def mix(formula: Formula, draws: Sequence[Drawn], formulary: Formulary) -> Mixture:
    """
    Solve for the volume of every line, and of the mixture.

    Every line gives one equation, and so does the sum of all; the unknowns are the volumes.

    Args:
        formula: The formula.
        draws: Its products as the lines draw from them.
        formulary: Where substances are found.

    Returns:
        The volumes.

    Raises:
        FormulaError: If there is no mixture, or more than one, that meets every line.
    """
    count = total = len(formula.lines)  # the last column is the mixture's
    equations: list[list[Fraction]] = []

    def equation(coefficients: dict[int, Fraction], right: Fraction = Fraction(0)) -> None:
        equations.append([coefficients.get(column, Fraction(0)) for column in range(count + 1)] + [right])

    equation({**dict.fromkeys(range(count), ONE), total: -ONE})
    whole = next((line.fill_to for line in formula.lines if line.fill_to is not None), formula.total)
    shares = {
        place: Fraction(line.parts) for place, line in enumerate(formula.lines) if line.parts is not None
    }
    has_size = whole is not None or len(shares) < count
    if whole is not None:
        equation({total: ONE}, exact(whole, "mL"))
    elif not has_size:
        equation({total: ONE}, sum(shares.values(), Fraction(0)))
    elif shares:
        reason = "parts beside other lines need a total; give the formula total = '… mL'"
        raise FormulaError([line_problem(formula, min(shares) + 1, "total", reason)])
    for first, second in zip(shares, list(shares)[1:], strict=False):
        equation({first: shares[second], second: -shares[first]})
    problems: list[Problem] = []
    for place, (line, draw) in enumerate(zip(formula.lines, draws, strict=True)):
        try:
            if line.volume is not None:
                equation({place: ONE}, exact(line.volume, "mL"))
            elif line.containers is not None:
                equation({place: ONE}, line.containers * draw.unit_volume)
            elif line.dose is not None:
                equation({place: ONE}, volume_of_dose(line, draw, formulary))
            elif line.concentration is not None:
                wanted, held = concentration(place, formula, draws, formulary)
                equation({**dict(enumerate(held)), total: -wanted})
        except LineError as err:
            problems.append(line_problem(formula, place + 1, err.code, err.reason))
    if problems:
        raise FormulaError(problems)
    try:
        solved = solve(equations)
    except NoSolution:
        raise FormulaError([_unsolvable(formula)]) from None
    _check_fit(formula, solved)
    return Mixture(solved[:-1], solved[-1], has_size)


def _unsolvable(formula: Formula) -> Problem:
    """Say why the lines contradict each other, or leave a volume open."""
    wished: dict[str | None, int] = {}
    for place, line in enumerate(formula.lines, start=1):
        if line.concentration is None:
            continue
        first = wished.setdefault(line.substance, place)
        if first != place:
            reason = f"line {first} says already what the concentration of {line.substance} is"
            return line_problem(formula, place, "concentration", reason)
    takes_the_rest = any(line.kind in (LineKind.PARTS, LineKind.FILL_TO) for line in formula.lines)
    if formula.total is not None and not takes_the_rest:
        return Problem(
            "total",
            f"formula {formula.id}: its lines do not add up to its total of {show(formula.total)}; "
            "change one, or let a diluent fill up with fill_to",
            where=("total",),
        )
    return Problem(
        "total",
        f"formula {formula.id}: its lines do not settle how much there is; give at least one line a volume, "
        "or let a diluent fill up with fill_to",
    )


def _check_fit(formula: Formula, solved: Sequence[Fraction]) -> None:
    """Refuse a mixture in which a line would take nothing, or less."""
    total = solved[-1]
    if not total and all(line.concentration is not None for line in formula.lines):
        raise FormulaError([_unsolvable(formula)])
    problems = []
    for place, (line, volume) in enumerate(zip(formula.lines, solved, strict=False), start=1):
        if volume > 0:
            continue
        if line.concentration is not None:
            code = "concentration"
            reason = f"{line.concentration} of {line.substance} cannot be met: " + (
                "the other lines bring it already"
                if volume == 0
                else "the product is not strong enough, or the other lines bring more"
            )
        elif line.fill_to is not None or line.parts is not None:
            code = "total"
            reason = (
                f"the other lines take {number(_others(formula, solved))} mL of {number(total)} mL, "
                "which leaves nothing for it"
            )
        else:
            code, reason = "volume", f"would take {number(volume)} mL"
        problems.append(line_problem(formula, place, code, reason))
    if problems:
        raise FormulaError(problems)


def _others(formula: Formula, solved: Sequence[Fraction]) -> Fraction:
    """Add up the lines that do not take what the others leave."""
    return sum(
        (
            volume
            for line, volume in zip(formula.lines, solved, strict=False)
            if line.fill_to is None and line.parts is None
        ),
        Fraction(0),
    )
