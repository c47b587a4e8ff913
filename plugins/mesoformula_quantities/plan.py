"""A formula, solved once: base volumes of its lines, and the concentration of everything in the mixture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs

from mesoformula import (
    Amount,
    AmountKind,
    CatalogueError,
    ConversionError,
    Finding,
    FormulaError,
    LineKind,
    Problem,
    Severity,
    UnknownNameError,
    convert,
    magnitude,
    quantity,
    registry,
    show,
)
from mesoformula_quantities.solving import NoSolution, solve
from mesoformula_quantities.strengths import Drawn, Holding, LineError, as_moieties, drawn

if TYPE_CHECKING:
    from mesoformula import Formula, Formulary, Line
    from mesoformula.units import Unit

#: Far more digits than the 1e-20 that is promised.
PRECISION = Context(prec=50)
_PLANS_KEPT = 64


@attrs.frozen
class PlannedDose:
    """
    One substance in the finished mixture.

    Attributes:
        substance: Its id, or that of a class.
        name: For people.
        ingredient_class: Of the substance.
        as_moiety: Whether it is summed over all forms that yield it.
        kind: How much is known.
        unit: Of the amount: mg, IU or mL.
        low: In the formula as written.
        high: In the formula as written; None where it has no upper end.
        concentration: In the mixture, as a result.
        products: Where it comes from.
        note: Why it is not known better.
        terms: Line number, holding and mL of that line in the formula as written, for the working.
    """

    substance: str
    name: str
    ingredient_class: str | None
    as_moiety: bool
    kind: AmountKind
    unit: Unit
    low: Decimal | None
    high: Decimal | None
    concentration: Amount
    products: tuple[str, ...]
    note: str | None
    terms: tuple[tuple[int, Holding, Decimal], ...]


@attrs.frozen
class PlannedLine:
    """
    One line, solved.

    Attributes:
        number: From 1.
        line: As the formula says.
        drawn: The product as the line draws from it.
        volume: mL in the formula as written.
        exact: The same without rounding.
    """

    number: int
    line: Line
    drawn: Drawn
    volume: Decimal
    exact: Fraction


@attrs.frozen
class Plan:
    """
    A formula, solved.

    Attributes:
        formula: What was solved.
        total: mL of the formula as written.
        has_size: False if it is all parts, so that only a session gives it a size.
        lines: In formula order.
        doses: Exact forms first, then moieties.
        findings: What is known before any session.
    """

    formula: Formula
    total: Decimal
    has_size: bool
    lines: tuple[PlannedLine, ...]
    doses: tuple[PlannedDose, ...]
    findings: tuple[Finding, ...]


_plans: OrderedDict[tuple[int, int], tuple[Formula, Formulary, Plan]] = OrderedDict()


def plan(formula: Formula, formulary: Formulary) -> Plan:
    """
    Solve a formula, once for all its sessions.

    Args:
        formula: What to solve.
        formulary: Where products and substances are found.

    Returns:
        The plan; the same one for the same formula and formulary.

    Raises:
        FormulaError: If it cannot be carried out, naming each line and the reason.
    """
    key = (id(formula), id(formulary))
    kept = _plans.get(key)
    if kept is not None:
        return kept[2]
    with localcontext(PRECISION):
        made = _make(formula, formulary)
    # Both are kept with the plan, so that neither id can come to mean another object.
    _plans[key] = (formula, formulary, made)
    while len(_plans) > _PLANS_KEPT:
        _plans.popitem(last=False)
    return made


def _make(formula: Formula, formulary: Formulary) -> Plan:
    problems: list[Problem] = []
    draws: list[Drawn] = []
    for number, line in enumerate(formula.lines, start=1):
        try:
            draws.append(drawn(line, formulary))
        except LineError as err:
            problems.append(line_problem(formula, number, err.code, err.reason))
        except (UnknownNameError, CatalogueError) as err:
            problems.append(line_problem(formula, number, "product", str(err)))
    if problems:
        raise FormulaError(problems)
    volumes, total, has_size = _volumes(formula, draws, formulary)
    lines = tuple(
        PlannedLine(number, line, draw, decimal(volume), volume)
        for number, (line, draw, volume) in enumerate(
            zip(formula.lines, draws, volumes, strict=True), start=1
        )
    )
    doses = _doses(lines, total, formulary)
    return Plan(formula, decimal(total), has_size, lines, doses, _findings(lines))


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


# ---- volumes ------------------------------------------------------------------------------------------------


def _volumes(
    formula: Formula, draws: Sequence[Drawn], formulary: Formulary
) -> tuple[list[Fraction], Fraction, bool]:
    """Solve for the volume of every line, and of the mixture."""
    count = len(formula.lines)
    problems: list[Problem] = []
    equations: list[list[Fraction]] = []

    def equation(coefficients: dict[int, Fraction], right: Fraction = Fraction(0)) -> None:
        row = [Fraction(0)] * (count + 2)
        for column, value in coefficients.items():
            row[column] = value
        row[-1] = right
        equations.append(row)

    one = Fraction(1)
    total = count  # the column of the mixture's volume
    in_parts = [number for number, line in enumerate(formula.lines) if line.parts is not None]
    fills = [line.fill_to for line in formula.lines if line.fill_to is not None]
    given_total = fills[0] if fills else formula.total
    equation({**dict.fromkeys(range(count), one), total: -one})
    if given_total is not None:
        equation({total: one}, Fraction(magnitude(given_total, "mL")))
    has_size = True
    if in_parts and given_total is None:
        if len(in_parts) == count:
            has_size = False
            equation({total: one}, Fraction(sum(line.parts or 0 for line in formula.lines)))
        else:
            problems.append(
                line_problem(formula, in_parts[0] + 1, "total",
                             "parts beside other lines need a total; give the formula total = '… mL'")
            )  # fmt: skip
    for first, second in zip(in_parts, in_parts[1:], strict=False):
        a, b = formula.lines[first].parts or 1, formula.lines[second].parts or 1
        equation({first: Fraction(b), second: Fraction(-a)})
    for number, (line, draw) in enumerate(zip(formula.lines, draws, strict=True)):
        try:
            if line.volume is not None:
                equation({number: one}, Fraction(magnitude(line.volume, "mL")))
            elif line.containers is not None:
                equation({number: one}, line.containers * Fraction(draw.unit_volume))
            elif line.dose is not None:
                equation({number: one}, _volume_of_dose(line, draw, formulary))
            elif line.concentration is not None:
                wanted, held = _concentrations(number, formula, draws, formulary)
                equation({**dict(enumerate(held)), total: -wanted})
        except LineError as err:
            problems.append(line_problem(formula, number + 1, err.code, err.reason))
    if problems:
        raise FormulaError(problems)
    try:
        solved = solve(equations)
    except NoSolution:
        raise FormulaError([_unsolvable(formula)]) from None
    _check_fit(formula, solved, given_total is not None)
    return solved[:-1], solved[-1], has_size


def decimal(value: Fraction) -> Decimal:
    """
    Bring a fraction to a Decimal, at the precision of the context.

    Args:
        value: Any fraction.

    Returns:
        The nearest Decimal.
    """
    return Decimal(value.numerator) / Decimal(value.denominator)


def _unsolvable(formula: Formula) -> Problem:
    if formula.total is not None and not any(
        line.kind in (LineKind.PARTS, LineKind.FILL_TO) for line in formula.lines
    ):
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


def _check_fit(formula: Formula, solved: list[Fraction], has_total: bool) -> None:
    """Refuse a mixture in which a line would take less than nothing."""
    problems = []
    for number, (line, volume) in enumerate(zip(formula.lines, solved, strict=False), start=1):
        if volume > 0:
            continue
        others = _ml(sum(value for place, value in enumerate(solved[:-1], start=1) if place != number))
        if line.concentration is not None:
            reason = (
                f"{line.concentration} of {line.substance} cannot be met: "
                + ("the other lines bring as much or more" if volume == 0 else "the product is not strong enough, "
                   "or the other lines bring more")
            )  # fmt: skip
            code = "concentration"
        elif line.fill_to is not None or line.parts is not None:
            reason = f"the other lines take {others} mL of {_ml(solved[-1])} mL, which leaves nothing for it"
            code = "total"
        else:
            reason, code = f"would take {_ml(volume)} mL", "volume"
        problems.append(line_problem(formula, number, code, reason))
    if not problems and solved[-1] <= 0:
        problems.append(_unsolvable(formula))
    if problems:
        raise FormulaError(problems)


def _ml(value: Fraction | int) -> str:
    return f"{float_free(Fraction(value), 3)}"


def float_free(value: Fraction, places: int) -> str:
    """
    Write a fraction rounded half up, without binary floats.

    Args:
        value: Any fraction.
        places: After the point, at most.

    Returns:
        Text such as `3.5`.
    """
    scaled = value * 10**places
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    text = f"{whole // 10**places}.{whole % 10**places:0{places}d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and whole else text


def _held(draw: Drawn, substance: str, unit: str, formulary: Formulary) -> list[Holding]:
    """List what a product holds of a substance, in itself and counted from other forms."""
    return [
        counted
        for holding in draw.holdings
        for counted in as_moieties(holding, formulary)
        if counted.substance == substance and not counted.is_class and counted.unit in (unit, "")
    ]


def _volume_of_dose(line: Line, draw: Drawn, formulary: Formulary) -> Fraction:
    """Find the volume that holds a dose of a substance."""
    assert line.dose is not None and line.substance is not None  # noqa: S101, PT018 (checked when read)
    wanted, unit = _wanted(line, line.dose, formulary)
    low = _strength(line, draw, unit, formulary)
    if unit == "IU" and low is None:
        wanted = magnitude(_converted(line, line.dose, formulary), "mg")
        low = _strength(line, draw, "mg", formulary)
    if low is None:
        raise LineError("substance", f"holds no {line.substance} that is told in {unit}")
    return Fraction(wanted) / Fraction(low)


def _strength(line: Line, draw: Drawn, unit: str, formulary: Formulary) -> Decimal | None:
    """Find the one strength that a dose can be drawn by, per mL; refuse what is not one."""
    assert line.substance is not None  # noqa: S101 (checked when read)
    held = _held(draw, line.substance, unit, formulary)
    if not held:
        others = sorted(
            {counted.substance for holding in draw.holdings for counted in as_moieties(holding, formulary)}
        )
        if any(holding.substance == line.substance for holding in draw.holdings):
            return None
        listed = ", ".join(others[:6]) + (", …" if len(others) > 6 else "")
        raise LineError(
            "substance", f"holds no {line.substance}; it holds {listed or 'nothing that is disclosed'}"
        )
    for holding in held:
        if holding.low is None or holding.high is None:
            raise LineError(
                "undisclosed",
                f"a dose of {line.substance} cannot be drawn from it: {holding.note or 'the amount is not disclosed'}; "
                "take a volume or containers instead",
            )
        if holding.low != holding.high:
            raise LineError(
                "disputed",
                f"a dose of {line.substance} cannot be drawn from it: sources disagree ({holding.written}); "
                "take a volume or containers instead",
            )
    return sum((holding.low for holding in held if holding.low is not None), Decimal(0))


def _wanted(line: Line, amount: object, formulary: Formulary) -> tuple[Decimal, str]:
    """Bring what is wished for to mg, IU or mL."""
    assert line.dose is not None  # noqa: S101 (called for doses)
    if line.dose.check("[activity]"):
        return magnitude(line.dose, "IU"), "IU"
    if line.dose.check("[length] ** 3"):
        return magnitude(line.dose, "mL"), "mL"
    return magnitude(_converted(line, line.dose, formulary), "mg"), "mg"


def _converted(line: Line, amount: object, formulary: Formulary) -> object:
    assert line.dose is not None and line.substance is not None  # noqa: S101, PT018 (checked when read)
    try:
        return convert(line.dose, formulary.substance(line.substance), "mg", formulary.substance).result
    except UnknownNameError as err:
        raise LineError("substance", str(err)) from err
    except ConversionError as err:
        raise LineError("dose", str(err)) from err


def _concentrations(
    number: int, formula: Formula, draws: Sequence[Drawn], formulary: Formulary
) -> tuple[Fraction, list[Fraction]]:
    """Find the concentration wished for and what every line holds of that substance, per mL."""
    line = formula.lines[number]
    concentration, substance = line.concentration, line.substance
    assert concentration is not None and concentration.per is not None and substance is not None  # noqa: S101, PT018
    as_dose = attrs.evolve(line, concentration=None, dose=concentration.amount)
    wanted, unit = _wanted(as_dose, concentration.amount, formulary)
    if not concentration.per.check("[length] ** 3"):
        raise LineError("basis", f"{concentration} is per mass; a mixture is measured by volume")
    wanted /= magnitude(concentration.per, "mL")
    own = _strength(as_dose, draws[number], unit, formulary)
    if own is None:
        raise LineError("substance", f"holds no {substance} that is told in {unit}")
    if wanted > own or (wanted == own and len(draws) > 1):
        raise LineError(
            "concentration",
            f"{concentration} of {substance} is not below the product's own "
            f"{show(quantity(_five(own), f'{unit}/mL'))}, and mixing only dilutes",
        )
    held = []
    for place, draw in enumerate(draws):
        holdings = _held(draw, substance, unit, formulary)
        if any(holding.low is None or holding.low != holding.high for holding in holdings):
            raise LineError(
                "undisclosed",
                f"{concentration} of {substance} in the mixture cannot be met: line {place + 1} "
                f"({formula.lines[place].product}) holds it too, in an amount that is not known",
            )
        held.append(
            Fraction(sum((holding.low for holding in holdings if holding.low is not None), Decimal(0)))
        )
    return Fraction(wanted), held


def _five(value: Decimal) -> Decimal:
    return Context(prec=5).plus(value)


# ---- doses --------------------------------------------------------------------------------------------------


def _doses(lines: Sequence[PlannedLine], total: Fraction, formulary: Formulary) -> tuple[PlannedDose, ...]:
    """Sum every substance over the lines, as itself and by moiety."""
    exact: dict[tuple[str, str], list[tuple[PlannedLine, Holding]]] = {}
    moiety: dict[str, list[tuple[PlannedLine, Holding]]] = {}
    forms: dict[str, set[str]] = {}
    unnamed: list[tuple[PlannedLine, Holding]] = []
    for line in lines:
        for holding in line.drawn.holdings:
            if holding.is_class:
                unnamed.append((line, holding))
                continue
            exact.setdefault((holding.substance, holding.unit), []).append((line, holding))
            for counted in as_moieties(holding, formulary):
                if counted.unit in ("mg", ""):
                    moiety.setdefault(counted.substance, []).append((line, counted))
                    forms.setdefault(counted.substance, set()).add(holding.substance)
    rows = [_row(entries, False, unit, unnamed, total) for (_name, unit), entries in _merged(exact).items()]
    rows += [
        _row(entries, True, "mg" if any(holding.unit for _line, holding in entries) else "", unnamed, total)
        for name, entries in moiety.items()
        if forms[name] != {name}
    ]
    by_class: dict[str, list[tuple[PlannedLine, Holding]]] = {}
    for line, holding in unnamed:
        by_class.setdefault(holding.substance, []).append((line, holding))
    rows += [_row(entries, False, "", [], total) for entries in by_class.values()]
    return tuple(rows)


def _merged(
    exact: dict[tuple[str, str], list[tuple[PlannedLine, Holding]]],
) -> dict[tuple[str, str], list[tuple[PlannedLine, Holding]]]:
    """Count a substance that one line does not disclose into every unit in which another states it."""
    merged = {key: list(entries) for key, entries in exact.items() if key[1]}
    for (name, unit), entries in exact.items():
        if unit:
            continue
        stated = [key for key in merged if key[0] == name]
        for key in stated:
            merged[key].extend(entries)
        if not stated:
            merged[name, unit] = entries
    return merged


def _row(
    entries: Sequence[tuple[PlannedLine, Holding]],
    as_moiety: bool,
    unit: str,
    unnamed: Sequence[tuple[PlannedLine, Holding]],
    total: Fraction,
) -> PlannedDose:
    first = entries[0][1]
    classes = {holding.ingredient_class for _line, holding in entries}
    hidden = [(line, holding) for line, holding in unnamed if holding.ingredient_class in classes]
    known = [(line, holding) for line, holding in entries if holding.low is not None]
    unknown = [holding for _line, holding in entries if holding.low is None]
    low = high = low_per_ml = high_per_ml = None
    kind = AmountKind.UNDISCLOSED
    if known:
        exact_low = sum((line.exact * Fraction(holding.low or 0) for line, holding in known), Fraction(0))
        exact_high = sum((line.exact * Fraction(holding.high or 0) for line, holding in known), Fraction(0))
        low = high = decimal(exact_low)
        low_per_ml = high_per_ml = decimal(exact_low / total)
        kind = AmountKind.STATED
        if exact_low != exact_high:
            kind, high, high_per_ml = AmountKind.DISPUTED, decimal(exact_high), decimal(exact_high / total)
        if unknown or hidden:
            kind, high, high_per_ml = AmountKind.AT_LEAST, None, None
    notes = [holding.note for _line, holding in entries if holding.note]
    notes += [f"{holding.note}, so that there may be more" for _line, holding in hidden]
    amount_unit = registry().Unit("milligram") if unit in ("mg", "") else registry().Unit(_UNIT_NAMES[unit])
    per_ml = quantity(1, f"{unit or 'mg'}/mL").units
    return PlannedDose(
        first.substance,
        first.name,
        first.ingredient_class,
        as_moiety,
        kind,
        amount_unit,
        low,
        high,
        amount(kind, low_per_ml, high_per_ml, per_ml),
        tuple(dict.fromkeys(line.drawn.product.id for line, _holding in (*entries, *hidden))),
        "; ".join(dict.fromkeys(notes)) or None,
        tuple((line.number, holding, line.volume) for line, holding in entries),
    )


_UNIT_NAMES = {"IU": "international_unit", "mL": "milliliter"}


def amount(kind: AmountKind, low: Decimal | None, high: Decimal | None, unit: Unit) -> Amount:
    """
    Make a result of what is known.

    Args:
        kind: How much is known.
        low: The number, or the lower end.
        high: The upper end.
        unit: Of both.

    Returns:
        The amount.
    """
    if low is None:
        return Amount(kind)
    make = registry().Quantity
    lower = make(low, unit)
    if kind is AmountKind.STATED:
        return Amount(kind, lower, lower)
    return Amount(kind, lower, None if high is None else make(high, unit))


# ---- findings -----------------------------------------------------------------------------------------------


def _findings(lines: Sequence[PlannedLine]) -> tuple[Finding, ...]:
    """Say what is known of the amounts before any session."""
    found: dict[tuple[str, str], Finding] = {}
    for line in lines:
        product = line.drawn.product
        holdings = line.drawn.holdings
        hidden = [holding.name for holding in holdings if holding.low is None]
        if hidden:
            listed = ", ".join(hidden[:4]) + (f" and {len(hidden) - 4} more" if len(hidden) > 4 else "")
            found["undisclosed-amount", product.id] = Finding(
                "undisclosed-amount",
                Severity.INFO,
                product.id,
                f"{product.name}: no usable amount of {listed}; totals over it read 'at least'",
            )
        disputed = [holding for holding in holdings if holding.low != holding.high]
        if disputed:
            found["disputed-amount", product.id] = Finding(
                "disputed-amount",
                Severity.WARN,
                product.id,
                f"{product.name}: sources disagree on {', '.join(dict.fromkeys(item.name for item in disputed))}; "
                "the range is shown",
                tuple(source for item in disputed for source in item.sources),
            )
        weak = [
            source for holding in holdings for source in holding.sources if source.kind.rank >= _DISTRIBUTOR
        ]
        if weak:
            found["distributor-figure", product.id] = Finding(
                "distributor-figure",
                Severity.WARN,
                product.id,
                f"{product.name}: its amounts are a distributor's, not the maker's; compare with the label",
                tuple(dict.fromkeys(weak)),
            )
    return tuple(found.values())


def _distributor_rank() -> int:
    from mesoformula import SourceKind

    return SourceKind.DIST.rank


_DISTRIBUTOR = _distributor_rank()
