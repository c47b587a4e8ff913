"""Which products hold a substance, and how much: per container and per millilitre."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import attrs

from mesoformula.catalogue.figures import CONTAINER, UNITS, Figures
from mesoformula.contents import Content
from mesoformula.products import Form, Part, Permission, Product
from mesoformula.sessions import Amount, AmountKind
from mesoformula.units import EXACT, magnitude, quantity

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary


@attrs.frozen
class Holding:
    """
    How much of one substance a product holds.

    Attributes:
        product: Which product.
        part: The name of the part of a kit that holds it, if it is one and a source says which.
        substance: The exact form that is in it.
        content: The entry of the composition.
        per_container: In one container, as labelled.
        per_ml: In one mL of it, dissolved as labelled if it is a powder.
    """

    product: Product
    part: str | None
    substance: str
    content: Content
    per_container: Amount
    per_ml: Amount


def holdings(formulary: Formulary, substance: str) -> tuple[Holding, ...]:
    """
    List the products that hold a substance, or a form that yields it.

    Args:
        formulary: Where to look.
        substance: Its id.

    Returns:
        One entry per product, part and form, sorted by product.
    """
    forms = {substance}
    forms.update(
        one.id
        for one in formulary.substances()
        if any(moiety.substance == substance for moiety in one.moieties)
    )
    figures = Figures()
    with localcontext(EXACT):
        return tuple(
            _holding(product, part, content, figures)
            for product in formulary.products()
            for part, content in product.contents()
            if content.substance in forms
        )


def _holding(product: Product, part: Part | None, content: Content, figures: Figures) -> Holding:
    strengths = (
        [content.strength] if content.strength is not None else [one.strength for one in content.disputed]
    )
    ml = _volume(product, part)
    mass = magnitude(part.mass, "mg") if part is not None and part.mass is not None else None
    per_container: list[tuple[str, Decimal]] = []
    per_ml: list[tuple[str, Decimal]] = []
    for strength in strengths:
        figure = figures.of(strength)
        unit = UNITS.get(figure.kind, figure.kind)
        each = figure.value / figure.per
        whole = strong = None
        if figure.per_kind == CONTAINER:
            whole = each
        elif figure.per_kind != "mass":
            strong = each
        elif mass is not None:
            whole = each * mass
        elif part is not None and part.density is not None:
            strong = each * magnitude(part.density, "mg/mL")
        if ml and whole is None and strong is not None:
            whole = strong * ml
        elif ml and strong is None and whole is not None:
            strong = whole / ml
        if whole is not None:
            per_container.append((unit, whole))
        if strong is not None:
            per_ml.append((unit, strong))
    all_of_them = len(strengths)
    return Holding(
        product,
        part.name if part is not None and product.is_kit else None,
        content.substance or "",
        content,
        _amount(per_container, all_of_them, ""),
        _amount(per_ml, all_of_them, "/mL"),
    )


def _volume(product: Product, part: Part | None) -> Decimal | None:
    """Tell how many mL one container yields; of a mixed kit, all of its parts."""
    if part is None:
        if product.kit_is_mixed is not Permission.YES:
            return None
        each = [(one.per_kit, _volume(product, one)) for one in product.parts]
        if any(volume is None for _count, volume in each):
            return None
        return sum((count * volume for count, volume in each if volume is not None), Decimal(0))
    if part.usable_volume is not None:
        return magnitude(part.usable_volume, "mL")
    if part.form is not Form.POWDER and part.mass is not None and part.density is not None:
        return magnitude(part.mass, "mg") / magnitude(part.density, "mg/mL")
    return None


def _amount(numbers: list[tuple[str, Decimal]], expected: int, per: str) -> Amount:
    """Make an amount of one figure, a range of several, and nothing where any of them is missing."""
    units = {unit for unit, _number in numbers}
    if not numbers or len(numbers) < expected or len(units) != 1:
        return Amount(AmountKind.UNDISCLOSED)
    (unit,) = units
    low = quantity(min(number for _unit, number in numbers), f"{unit}{per}")
    high = quantity(max(number for _unit, number in numbers), f"{unit}{per}")
    return Amount(AmountKind.STATED if low == high else AmountKind.DISPUTED, low, high)
