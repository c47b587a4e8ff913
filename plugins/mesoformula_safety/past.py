"""What earlier sessions gave, for limits over a period."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from mesoformula import (
    ConversionError,
    Missing,
    Selector,
    SelectorKind,
    magnitude,
    moiety_factor,
    show,
)
from mesoformula_safety.sums import DISPUTED, NONE, NOTHING, Sum, unit_of

if TYPE_CHECKING:
    from mesoformula import Content, Limit, Part, PastDose, Quantity, Rule, Strength, Substance
    from mesoformula_safety.situation import Situation


def past_doses(rule: Rule, limit: Limit, unit: str, situation: Situation) -> Sum:
    """
    Count what was given earlier in the period that ends with the session's day.

    Args:
        rule: Whose products count, where a volume is limited.
        limit: Over a period.
        unit: To count in.
        situation: The session, with its past.

    Returns:
        What is known of it; where nobody knows the past, that is missing.
    """
    if limit.period is None:
        return NONE
    past = situation.session.past
    if past is None:
        return Sum(NOTHING, (Missing(f"what was given before, within {show(limit.period)}"),))
    total = NONE
    for one in past:
        if 0 <= (situation.on - one.day).days < days(limit.period):
            total += _volume(one, rule) if not limit.of else _dose(one, limit.of, unit, situation)
    return total


def days(period: Quantity) -> int:
    """
    Count the days that a period covers.

    Args:
        period: [time].

    Returns:
        Whole days, the present one included; one at least.
    """
    return max(1, math.ceil(magnitude(period, "h") / 24))


def _volume(past: PastDose, rule: Rule) -> Sum:
    counts = not rule.products or past.product.id in rule.products
    return Sum(magnitude(past.volume, "mL")) if counts else NONE


def _dose(past: PastDose, selectors: tuple[str, ...], unit: str, situation: Situation) -> Sum:
    total = NONE
    product = past.product
    missing = Missing("amount that was given before", product.name)
    if not product.contents():
        return Sum(NOTHING, (Missing("composition", product.name),))
    for part, content in product.contents():
        if content.substance is None or not situation.formulary.has_substance(content.substance):
            total += Sum(NOTHING, (missing,)) if _may_be_meant(content, selectors, situation) else NONE
            continue
        substance = situation.formulary.substance(content.substance)
        factor = _factor(substance, content, selectors, situation)
        if factor is None:
            continue
        each = [_per_ml(one, product.parts, part, unit) for one in _strengths(content)]
        known = [one for one in each if one is not None]
        if not factor or not known or len(known) < len(each):
            total += Sum(NOTHING, (missing,))
            continue
        dose = max(known) * factor * Fraction(magnitude(past.volume, "mL"))
        notes = (DISPUTED,) if len(set(known)) > 1 else ()
        total += Sum(Decimal(dose.numerator) / Decimal(dose.denominator), (), notes)
    return total


def _may_be_meant(content: Content, selectors: tuple[str, ...], situation: Situation) -> bool:
    name = content.ingredient_class
    chosen = [Selector.of(text) for text in selectors]
    return name is None or any(
        one.selects_class(name) or situation.vocabulary.may_be_of_class(one, name) for one in chosen
    )


def _factor(
    substance: Substance, content: Content, selectors: tuple[str, ...], situation: Situation
) -> Fraction | None:
    """Say how much of what is counted one part of a substance is; None if it is not meant, 0 if unknown."""
    for text in selectors:
        selector = Selector.of(text)
        if not selector.selects(substance, content.attributes):
            continue
        if selector.kind is not SelectorKind.MOIETY or selector.name == substance.id:
            return Fraction(1)
        try:
            return Fraction(moiety_factor(substance, selector.name, situation.formulary.substance)[0])
        except ConversionError:
            return Fraction(0)
    return None


def _strengths(content: Content) -> tuple[Strength, ...]:
    if content.strength is not None:
        return (content.strength,)
    return tuple(one.strength for one in content.disputed)


def _per_ml(strength: Strength, parts: tuple[Part, ...], part: Part | None, unit: str) -> Fraction | None:
    """Bring a strength to what one mL holds; None where that cannot be told."""
    if unit_of(strength.amount) != unit:
        return None
    amount = Fraction(magnitude(strength.amount, unit))
    if strength.per is not None:
        if not strength.per.check("[length] ** 3") or len(parts) > 1:
            return None
        return amount / Fraction(magnitude(strength.per, "mL"))
    volume = part.usable_volume if part is not None and len(parts) == 1 else None
    return None if volume is None else amount / Fraction(magnitude(volume, "mL"))
