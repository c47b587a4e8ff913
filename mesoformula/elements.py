"""Molar masses from chemical formulas, in Decimal."""

from __future__ import annotations

import re
from decimal import Context, Decimal, localcontext
from functools import cache

from mesoformula.errors import ConversionError
from mesoformula.words import shown

#: Standard atomic weights 2021 of the Commission on Isotopic Abundances and Atomic Weights of IUPAC
#: (https://www.ciaaw.org/atomic-weights.htm, read 2026-11-23); where the standard is an interval, the
#: conventional value. Elements that occur in what is injected.
ATOMIC_WEIGHTS = {
    symbol: Decimal(weight)
    for symbol, weight in {
        "H": "1.008",
        "Li": "6.94",
        "B": "10.81",
        "C": "12.011",
        "N": "14.007",
        "O": "15.999",
        "F": "18.998403162",
        "Na": "22.98976928",
        "Mg": "24.305",
        "Al": "26.9815384",
        "Si": "28.085",
        "P": "30.973761998",
        "S": "32.06",
        "Cl": "35.45",
        "K": "39.0983",
        "Ca": "40.078",
        "Cr": "51.9961",
        "Mn": "54.938043",
        "Fe": "55.845",
        "Co": "58.933194",
        "Ni": "58.6934",
        "Cu": "63.546",
        "Zn": "65.38",
        "Ge": "72.630",
        "Se": "78.971",
        "Br": "79.904",
        "Mo": "95.95",
        "I": "126.90447",
    }.items()
}

#: Enough that no sum of atomic weights is rounded, whatever the caller's decimal context.
EXACT = Context(prec=50)

_COUNT = "(|[1-9][0-9]{0,3})"
_TOKEN = re.compile(rf"([A-Z][a-z]?){_COUNT}(?![0-9])|(\()|\){_COUNT}(?![0-9])")
_PART = re.compile(rf"{_COUNT}(?![0-9])(.*)", re.DOTALL)
_CHARGE = re.compile(r"(?<=[A-Za-z)])[+-]$|\^[1-9]?[+-]$")


@cache
def atoms(formula: str) -> dict[str, int]:
    """
    Count the atoms in a chemical formula.

    Args:
        formula: Such as `MgSO4.7H2O` or `Ca(C6H11O7)2`; a charge may end it: `+` after a letter, `^+` or
            `^2-` after a count, which `NH4+` would leave in doubt.

    Returns:
        How many atoms of each element.

    Raises:
        ConversionError: If it is no formula, or holds an element that is not listed.
    """
    counts: dict[str, int] = {}
    for part in re.split(r"[.·]", _CHARGE.sub("", formula)):
        match = _PART.fullmatch(part)
        if match is None:
            raise _refusal(formula)
        for element, count in _count(match[2], formula).items():
            counts[element] = counts.get(element, 0) + int(match[1] or 1) * count
    return counts


def _count(text: str, formula: str) -> dict[str, int]:
    stack: list[dict[str, int]] = [{}]
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refusal(formula)
        element, count, opened, closed = match.groups()
        if element:
            if element not in ATOMIC_WEIGHTS:
                raise ConversionError(f"{shown(formula)}: element {element!r} is not known", "formula")
            stack[-1][element] = stack[-1].get(element, 0) + int(count or 1)
        elif opened:
            stack.append({})
        else:
            if len(stack) == 1:
                raise ConversionError(f"{shown(formula)}: a bracket closes that never opened", "formula")
            group = stack.pop()
            for name, number in group.items():
                stack[-1][name] = stack[-1].get(name, 0) + number * int(closed or 1)
        place = match.end()
    if len(stack) > 1 or not stack[0]:
        raise _refusal(formula)
    return stack[0]


def _refusal(formula: str) -> ConversionError:
    hint = " (a charge after a count is written 'NH4^+' or 'SO4^2-')" if formula[-1:] in ("+", "-") else ""
    return ConversionError(f"{shown(formula)} is no chemical formula such as 'MgSO4.7H2O'{hint}", "formula")


@cache
def molar_mass(formula: str) -> Decimal:
    """
    Compute a molar mass.

    Args:
        formula: A chemical formula; of a polymer, its repeat unit.

    Returns:
        Grams per mole, from `ATOMIC_WEIGHTS`; the mass of electrons is left out.

    Raises:
        ConversionError: If it is no formula.
    """
    with localcontext(EXACT):
        return sum((ATOMIC_WEIGHTS[element] * count for element, count in atoms(formula).items()), Decimal(0))
