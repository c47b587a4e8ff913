"""What the certificates of lots say, as factors of what the labels state."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from mesoformula.conversions import moiety_factor
from mesoformula.elements import EXACT, molar_mass
from mesoformula.errors import CatalogueError, FormulaError, Problem, QuantityError, UnknownNameError
from mesoformula.sessions import LotAssay
from mesoformula.units import plain
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.conversions import Lookup
    from mesoformula.formulary import Formulary
    from mesoformula.ingredients import Substance
    from mesoformula.products import Product
    from mesoformula.stock.records import Assay

_HUNDRED = Decimal(100)
_READ_ALONG = Context(prec=6)
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_CRYSTAL_WATER = re.compile(r"[1-9]?[0-9]*H2O")
_UNRECORDED = "no assay of it recorded, counted as labelled"


def factor_of(assay: Assay, lookup: Lookup) -> Decimal:
    """
    Tell how much of a substance a lot holds, as a factor of what the label states.

    What the certificate counts is brought to the form that the label counts:

    - `as is`: percent ÷ 100. 98.5 % is a factor of 0.985.
    - `anhydrous`: percent ÷ 100 × (1 − water ÷ 100), and for a hydrate ÷ its share without crystal water,
      as its label counts that water and the certificate does not. 99.4 % with 2 % water of a form without
      crystal water is a factor of 0.97412; 99.5 % with 6.3 % water of lidocaine hydrochloride monohydrate
      (270.80 of 288.81 g/mol are not water) is one of 0.9943.
    - `base`: percent ÷ 100 ÷ the mass of base in the labelled form. 86.6 mg of lidocaine found per 100 mg
      of lidocaine hydrochloride on the label (234.34 of 270.80 g/mol are lidocaine) is a factor of 1.0007.

    Args:
        assay: What the certificate says.
        lookup: Finds substances by id.

    Returns:
        The factor, mass (or activity) per mass (or activity); above zero.

    Raises:
        QuantityError: If a figure or a fact is missing that the basis needs; the message names it.
        UnknownNameError: If the substance or the base is not known.
        CatalogueError: If the entry of either has problems.
    """
    with localcontext(EXACT):
        return _counted(assay, lookup)[0]


def assays_of(
    taken: Iterable[tuple[Product, str, Assay | None]], formulary: Formulary
) -> tuple[LotAssay, ...]:
    """
    Bring what is known of the lots that a session takes to factors of what the labels state.

    A lot without an assay of a substance counts as labelled, a factor of 1, beside lots that have one. Where
    lots of a product differ, low and high are the extremes: who draws from several cannot tell how much
    comes from which.

    Args:
        taken: Product, lot and what its certificate says, of every lot; in any order, twice or not.
        formulary: Where substances are found.

    Returns:
        One per product and substance of which any lot has an assay, in the order taken.

    Raises:
        FormulaError: If an assay cannot be counted, naming each lot and what is missing.
    """
    lots: dict[str, list[tuple[str, Assay | None]]] = {}
    for product, lot, assay in taken:
        lots.setdefault(product.id, []).append((lot, assay))
    found: list[LotAssay] = []
    problems: list[Problem] = []
    with localcontext(EXACT):
        for product_id, entries in lots.items():
            substances = dict.fromkeys(assay.substance for _lot, assay in entries if assay is not None)
            for substance in substances:
                factors: list[Decimal] = []
                said: dict[str, dict[str, None]] = {}
                for lot, assay in entries:
                    factor, text = Decimal(1), _UNRECORDED
                    if assay is not None and assay.substance == substance:
                        try:
                            factor, text = _counted(assay, formulary.substance)
                        except (QuantityError, UnknownNameError, CatalogueError) as err:
                            problems.append(_problem(product_id, lot, substance, err))
                            continue
                    factors.append(factor)
                    said.setdefault(text, {})[shown(lot)] = None
                if factors:
                    whole = "; ".join(f"{_lots(names)}: {text}" for text, names in said.items())
                    found.append(LotAssay(product_id, substance, min(factors), max(factors), whole))
    if problems:
        raise FormulaError(dict.fromkeys(problems))
    return tuple(found)


def _lots(names: Iterable[str]) -> str:
    listed = list(names)
    return f"lot{'s' if len(listed) > 1 else ''} {', '.join(listed)}"


def _problem(product_id: str, lot: str, substance: str, err: Exception) -> Problem:
    return Problem(
        "assay", f"lot {shown(lot)} of {product_id}: its assay of {shown(substance)} cannot be counted: {err}"
    )


def _counted(assay: Assay, lookup: Lookup) -> tuple[Decimal, str]:
    """Find the factor and say how it came about."""
    percent = _number(assay.percent, "the assay")
    if not percent:
        raise QuantityError("the assay is 0 %; expected a figure above zero", "assay")
    share = percent / _HUNDRED
    if assay.basis == "as is":
        return share, f"{plain(percent)} % of label (certificate, as is)"
    labelled = lookup(assay.substance)
    if assay.basis == "anhydrous":
        factor, how = _without_water(assay, labelled)
        factor *= share
    elif assay.basis == "base":
        factor, how = _as_base(assay, labelled, lookup)
        factor = share / factor
    else:
        raise QuantityError(
            f"its basis is {shown(assay.basis)}; expected 'as is', 'anhydrous' or 'base'", "basis"
        )
    of_label = _short(factor * _HUNDRED)
    return factor, f"{plain(percent)} % {how} = {of_label} % of label (certificate, {assay.basis})"


def _without_water(assay: Assay, labelled: Substance) -> tuple[Decimal, str]:
    """Find what an anhydrous percent is multiplied by."""
    if assay.water is None:
        raise QuantityError(
            "it counts the substance without water, and how much water there is is not recorded; record the "
            "water of the certificate with it, or a figure whose basis is 'as is'",
            "water",
        )
    water = _number(assay.water, "the water")
    if water >= _HUNDRED:
        raise QuantityError(f"the water is {plain(water)} %; expected less than 100 %", "water")
    formula = labelled.formula or labelled.repeat_unit
    if formula is None:
        raise QuantityError(
            "it counts the substance without water, and whether the label counts crystal water is not "
            f"known, as {labelled.name} has no formula; record a figure whose basis is 'as is'",
            "formula",
        )
    factor = 1 - water / _HUNDRED
    how = f"× (1 − {plain(water)} % water)"
    dry = ".".join(part for part in re.split(r"[.·]", formula) if not _CRYSTAL_WATER.fullmatch(part))
    if not dry:
        raise QuantityError(
            f"{labelled.name} is nothing but water; record a figure whose basis is 'as is'", "formula"
        )
    if dry != ".".join(re.split(r"[.·]", formula)):
        without, whole = molar_mass(dry), molar_mass(formula)
        factor *= whole / without
        how += f" × {plain(whole)} g/mol ÷ {plain(without)} g/mol without its crystal water"
    return factor, how


def _as_base(assay: Assay, labelled: Substance, lookup: Lookup) -> tuple[Decimal, str]:
    """Find what a percent of base is divided by."""
    if assay.moiety is None:
        raise QuantityError(
            "it counts the base, and which one is not recorded; record the substance that it is counted as, "
            "or a figure whose basis is 'as is'",
            "moiety",
        )
    factor, _step, base = moiety_factor(labelled, assay.moiety, lookup)
    return factor, f"as {base.name} ÷ {_short(factor)} {base.name} per {labelled.name}"


def _short(value: Decimal) -> str:
    """Write six digits, marked where more were left out."""
    short = _READ_ALONG.plus(value)
    return plain(short) if short == value else f"≈{plain(short)}"


def _number(text: str, what: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise QuantityError(f"{what} is {shown(text)}; expected a plain number such as 98.5", "number")
    return Decimal(text)
