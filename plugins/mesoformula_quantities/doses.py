"""The amount of every substance in a mixture, as itself and by moiety."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import Amount, AmountKind, quantities_in
from mesoformula_quantities.precision import SESSION, decimal
from mesoformula_quantities.strengths import Holding, PerMl
from mesoformula_quantities.wishes import unknown

if TYPE_CHECKING:
    from mesoformula import Product, Quantity


class Term(NamedTuple):
    """
    What one line brings of a substance.

    Attributes:
        line: Its number.
        product: What it draws from.
        holding: What that holds.
        amount: Per mL of the product, in the unit of the sum; None where it cannot be told.
        volume: mL of the line in the formula as written.
    """

    line: int
    product: Product
    holding: Holding
    amount: PerMl | None
    volume: Fraction


class PlannedDose(NamedTuple):
    """
    One substance in the finished mixture.

    Attributes:
        substance: Its id, or that of a class.
        name: For people.
        ingredient_class: Of the substance.
        as_moiety: Whether it is summed over all forms that yield it.
        kind: How much is known.
        unit: Of the amount: mg, IU or mL.
        make: Makes quantities of that unit.
        low: Per mL of mixture; None where nothing is known.
        high: Per mL of mixture, the same as low where it is stated; None where it has no upper end.
        concentration: In the mixture, as a result.
        products: Where it comes from.
        note: Why it is not known better.
        terms: What every line brings, for the working.
    """

    substance: str
    name: str
    ingredient_class: str | None
    as_moiety: bool
    kind: AmountKind
    unit: str
    make: Callable[[Decimal], Quantity]
    low: Decimal | None
    high: Decimal | None
    concentration: Amount
    products: tuple[str, ...]
    note: str | None
    terms: tuple[Term, ...]


#: The unit of a concentration, and how many mL it is per. mL per mL would be no unit.
_PER_VOLUME = {"mg": ("mg/mL", 1), "IU": ("IU/mL", 1), "mL": ("mL/L", 1000)}


def planned_doses(
    terms: Sequence[tuple[Term, Sequence[Holding]]], total: Fraction
) -> tuple[PlannedDose, ...]:
    """
    Sum every substance over the lines, as itself and by moiety.

    Args:
        terms: What every line brings, in formula order, each with its moieties; amounts left open.
        total: mL of the mixture as written.

    Returns:
        Exact forms in formula order, then moieties, then classes of which no substance is named.
    """
    by_form: dict[str, list[Term]] = {}
    by_moiety: dict[str, list[Term]] = {}
    forms: dict[str, dict[str, str | None]] = {}
    unnamed: dict[str, list[Term]] = {}
    for term, counted in terms:
        holding = term.holding
        if holding.is_class:
            unnamed.setdefault(holding.substance, []).append(term)
            continue
        by_form.setdefault(holding.substance, []).append(term)
        for item in (holding, *counted):
            by_moiety.setdefault(item.substance, []).append(term._replace(holding=item))
            forms.setdefault(item.substance, {})[holding.substance] = holding.ingredient_class
    hidden = [term for terms_of_class in unnamed.values() for term in terms_of_class]
    rows = []
    for found in by_form.values():
        if _has_ingredient(found):
            maybe = [term for term in hidden if term.holding.substance == found[0].holding.ingredient_class]
            rows += [_row(found, False, measure, maybe, total) for measure in _units(found)]
    for name, found in by_moiety.items():
        if _has_ingredient(found) and set(forms[name]) != {name}:
            rows.append(_row(found, True, "mg", _may_hold(found, forms[name], hidden), total))
    rows += [_row(found, False, "mg", [], total) for found in unnamed.values()]
    return tuple(rows)


def _has_ingredient(terms: Sequence[Term]) -> bool:
    return any(not term.holding.is_auxiliary for term in terms)


def _may_hold(terms: Sequence[Term], forms: dict[str, str | None], hidden: Sequence[Term]) -> list[Term]:
    """Find the unnamed that may hold a moiety; an element has no class, and any salt may hold it."""
    own = terms[0].holding.ingredient_class
    if own is None:
        return list(hidden)
    return [term for term in hidden if term.holding.substance in {own, *forms.values()}]


def _units(terms: Sequence[Term]) -> list[str]:
    """List the units in which a substance is stated; what nobody states has a row in mg without a number."""
    told = [amount for term in terms for amount in term.holding.amounts]
    return list(dict.fromkeys(amount.unit for amount in told if not amount.derived)) or ["mg"]


def _row(
    found: Sequence[Term], as_moiety: bool, measure: str, hidden: Sequence[Term], total: Fraction
) -> PlannedDose:
    """Add up what the lines bring of one substance; what is not known makes the sum a lower end."""
    first = next(term.holding for term in found if not term.holding.is_auxiliary or as_moiety)
    terms = [term._replace(amount=term.holding.told_in(measure)) for term in found]
    known = [(term.amount, term.volume) for term in terms if term.amount is not None]
    low = high = None
    kind = AmountKind.UNDISCLOSED
    if known:
        lowest = sum((amount.low * volume for amount, volume in known), Fraction(0)) / total
        highest = sum((amount.high * volume for amount, volume in known), Fraction(0)) / total
        low = high = decimal(lowest)
        kind = AmountKind.STATED
        if lowest != highest:
            kind, high = AmountKind.DISPUTED, decimal(highest)
        if hidden or len(known) < len(terms):
            kind, high = AmountKind.AT_LEAST, None
    notes = [_note(term, measure) for term in terms]
    notes += [f"{term.holding.note}, so that there may be more" for term in hidden]
    return PlannedDose(
        first.substance,
        first.name,
        first.ingredient_class,
        as_moiety,
        kind,
        measure,
        quantities_in(measure),
        low,
        high,
        _concentration(kind, low, high, measure),
        tuple(dict.fromkeys(term.product.id for term in (*terms, *hidden))),
        "; ".join(dict.fromkeys(filter(None, notes))) or None,
        tuple(terms),
    )


def _note(term: Term, measure: str) -> str | None:
    return term.holding.note if term.amount is not None else unknown(term.holding, measure)


def _concentration(kind: AmountKind, low: Decimal | None, high: Decimal | None, measure: str) -> Amount:
    if low is None:
        return Amount(kind)
    spelling, per = _PER_VOLUME[measure]
    make = quantities_in(spelling)
    lower = make(SESSION.multiply(low, Decimal(per)))
    if kind is AmountKind.STATED:
        return Amount(kind, lower, lower)
    return Amount(kind, lower, None if high is None else make(SESSION.multiply(high, Decimal(per))))
