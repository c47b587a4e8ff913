"""Doses and concentrations that lines ask for, and what the products have to meet them with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context
from fractions import Fraction
from typing import TYPE_CHECKING

from mesoformula import (
    CatalogueError,
    ConversionError,
    UnknownNameError,
    convert,
    quantity,
    show,
)
from mesoformula_quantities.precision import decimal
from mesoformula_quantities.refusals import LineError
from mesoformula_quantities.strengths import Holding, exact

if TYPE_CHECKING:
    from mesoformula import Formula, Formulary, Line, Quantity
    from mesoformula_quantities.drawing import Drawn


def volume_of_dose(line: Line, draw: Drawn, formulary: Formulary) -> Fraction:
    """
    Find the volume that holds a dose of a substance.

    Args:
        line: Asks for a dose.
        draw: The product as the line draws from it.
        formulary: Where substances are found.

    Returns:
        The volume in mL.

    Raises:
        LineError: If the product does not hold the substance in one known amount.
    """
    dose, substance = line.dose, line.substance
    if dose is None or substance is None:
        raise LineError("line", "expected a dose and its substance")
    unit, wanted = _wish(dose, substance, draw, formulary)
    return wanted / _strength(substance, unit, draw, f"a dose of {substance} cannot be drawn from it")


def concentration(
    number: int, formula: Formula, draws: Sequence[Drawn], formulary: Formulary
) -> tuple[Fraction, list[Fraction]]:
    """
    Find the concentration that a line asks for, and what every line holds of that substance.

    Args:
        number: Of the line, from 0.
        formula: The formula.
        draws: Its products as the lines draw from them.
        formulary: Where substances are found.

    Returns:
        The concentration wished for, and the amount in one mL of every line, all in one unit per mL.

    Raises:
        LineError: If the product is too weak, or any line holds an unknown amount of the substance.
    """
    line = formula.lines[number]
    strength, substance = line.concentration, line.substance
    if strength is None or strength.per is None or substance is None:
        raise LineError("line", "expected a concentration per volume and its substance")
    if not strength.per.check("[length] ** 3"):
        raise LineError("basis", f"{strength} is per mass; a mixture is measured by volume")
    unit, wanted = _wish(strength.amount, substance, draws[number], formulary)
    wanted /= exact(strength.per, "mL")
    refusal = f"{strength} of {substance} in the mixture cannot be met"
    own = _strength(substance, unit, draws[number], refusal)
    if wanted > own or (wanted == own and len(draws) > 1):
        has = show(quantity(Context(prec=5).plus(decimal(own)), f"{unit}/mL"))
        raise LineError(
            "concentration",
            f"{strength} of {substance} is not below the product's own {has}, and mixing only dilutes",
        )
    classes = _classes(substance, draws, formulary)
    amounts = []
    for place, draw in enumerate(draws):
        where = f"{refusal}: line {place + 1} ({formula.lines[place].product})"
        amounts.append(_counted(substance, unit, draw, where))
        for item in draw.holdings:
            if item.is_class and item.substance in classes:
                raise LineError("undisclosed", f"{where} may hold it too: {item.note}")
    return wanted, amounts


def _wish(amount: Quantity, substance: str, draw: Drawn, formulary: Formulary) -> tuple[str, Fraction]:
    """Bring what is wished for to the unit in which the product tells what it holds."""
    try:
        known = formulary.substance(substance)
    except (UnknownNameError, CatalogueError) as err:
        raise LineError("substance", str(err)) from err
    if amount.check("[length] ** 3"):
        return "mL", exact(amount, "mL")
    if amount.check("[activity]") and any(held.told_in("IU") for held in _held(substance, draw)):
        return "IU", exact(amount, "IU")
    try:
        return "mg", exact(convert(amount, known, "mg", formulary.substance).result, "mg")
    except ConversionError as err:
        raise LineError("dose", str(err)) from err


def _held(substance: str, draw: Drawn) -> list[Holding]:
    """List what a product holds of a substance, in itself and counted from other forms."""
    return [
        held
        for holding, counted in zip(draw.holdings, draw.moieties, strict=True)
        for held in (holding, *counted)
        if held.substance == substance and not held.is_class
    ]


def _classes(substance: str, draws: Sequence[Drawn], formulary: Formulary) -> set[str | None]:
    """List the classes whose unnamed members would count in the sum of a substance, as its dose says."""
    forms = {
        holding.substance: holding.ingredient_class
        for draw in draws
        for holding, counted in zip(draw.holdings, draw.moieties, strict=True)
        if any(item.substance == substance for item in (holding, *counted))
    }
    own = formulary.substance(substance).ingredient_class
    if own is None and set(forms) != {substance}:
        return set(formulary.classes)
    return {own, *forms.values()}


def _strength(substance: str, unit: str, draw: Drawn, refusal: str) -> Fraction:
    """Find the one strength, per mL, that a wish can be met by; refuse what is not one."""
    held = _held(substance, draw)
    if not held:
        others = sorted(
            {item.substance for item in (*draw.holdings, *(one for more in draw.moieties for one in more))}
        )
        listed = ", ".join(others[:6]) + (", …" if len(others) > 6 else "")
        raise LineError(
            "substance", f"holds no {substance}; it holds {listed or 'nothing that is disclosed'}"
        )
    hint = "; take a volume or containers instead"
    total = Fraction(0)
    for item in held:
        amount = item.told_in(unit)
        if amount is None:
            raise LineError("undisclosed", f"{refusal}: {unknown(item, unit)}{hint}")
        if amount.low != amount.high:
            raise LineError("disputed", f"{refusal}: sources disagree ({amount.written}){hint}")
        total += amount.low
    return total


def _counted(substance: str, unit: str, draw: Drawn, refusal: str) -> Fraction:
    """Count what another line brings of the substance, which may be nothing."""
    total = Fraction(0)
    for item in _held(substance, draw):
        amount = item.told_in(unit)
        if amount is None:
            raise LineError("undisclosed", f"{refusal} holds it too: {unknown(item, unit)}")
        if amount.low != amount.high:
            raise LineError("disputed", f"{refusal} holds it too: sources disagree ({amount.written})")
        total += amount.low
    return total


def unknown(holding: Holding, unit: str) -> str:
    """
    Say why an amount is not known in a unit.

    Args:
        holding: What a product holds.
        unit: What it should be told in.

    Returns:
        The reason.
    """
    if holding.amounts:
        return f"{holding.name} is stated in {holding.amounts[0].unit}, which cannot be told in {unit}"
    return holding.note or "the amount is not disclosed"
