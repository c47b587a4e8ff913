"""Find the conditions and allergens of a patient by what people call them: exactly, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from mesoformula.elements import atoms
from mesoformula.errors import UnknownNameError
from mesoformula.ingredients import Substance
from mesoformula.lookup import find_substances
from mesoformula.rules import Allergen, Condition, Selector, SelectorKind, words_of
from mesoformula.search import EXACT
from mesoformula.words import folded, nearest

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary

T = TypeVar("T", Condition, Allergen)

#: By which a search for substances finds one of them; a class is none.
_OWN_NAMES = frozenset({"name", "synonym", "id", "CAS", "UNII"})


def find_condition(formulary: Formulary, word: str) -> Condition:
    """
    Find a condition by its id, name or a synonym.

    Args:
        formulary: Where to look.
        word: What was typed; accents, case and punctuation do not matter.

    Returns:
        The condition.

    Raises:
        UnknownNameError: If none is called so; with the nearest words.
    """
    known = formulary.conditions()
    found = _called(known, word)
    if found is None:
        raise UnknownNameError("condition", word, nearest(word, _words(known)))
    return found


def find_allergen(formulary: Formulary, word: str) -> Allergen:
    """
    Find an allergen by its id, name or a synonym, or make one of a substance.

    Args:
        formulary: Where to look.
        word: What was typed; accents, case and punctuation do not matter.

    Returns:
        The allergen.

    Raises:
        UnknownNameError: If neither an allergen nor a substance is called so; with the nearest words.
    """
    known = formulary.allergens()
    found = _called(known, word)
    if found is not None:
        return found
    meant = [
        one.record
        for one in find_substances(formulary, word)
        if one.match.how == EXACT and one.match.name.kind in _OWN_NAMES
    ]
    if meant:
        return _of_substances(meant, known, formulary)
    names = [name for one in formulary.substances() for name in (one.id, one.name, *one.synonyms)]
    raise UnknownNameError("allergen or substance", word, nearest(word, (*_words(known), *names)))


def _called(known: Iterable[T], word: str) -> T | None:
    wanted = folded(word)
    if not wanted:
        return None
    return next((one for one in known if wanted in map(folded, words_of(one))), None)


def _words(known: Iterable[Condition | Allergen]) -> list[str]:
    return [word for one in known for word in words_of(one)]


def _of_substances(meant: list[Substance], known: tuple[Allergen, ...], formulary: Formulary) -> Allergen:
    """Make an allergen: all forms of the substances, and what the allergens select that they belong to."""
    selectors: list[str] = []
    for one in meant:
        selectors.append(f"{SelectorKind.MOIETY}:{one.id}")
        selectors += [
            f"{SelectorKind.MOIETY}:{moiety.substance}"
            for moiety in one.moieties
            if not _is_counter_ion(moiety.substance, one, formulary)
        ]
    groups = [
        allergen
        for allergen in known
        if any(Selector.of(text).selects(one) for text in allergen.selectors for one in meant)
    ]
    for group in groups:
        selectors += group.selectors
    first = meant[0]
    return Allergen(
        first.id,
        first.name,
        tuple(dict.fromkeys(selectors)),
        crosses=tuple(dict.fromkeys(cross for group in groups for cross in group.crosses)),
        note=f"belongs to {', '.join(group.name for group in groups)}" if groups else None,
    )


def _is_counter_ion(moiety: str, substance: Substance, formulary: Formulary) -> bool:
    """Tell whether a moiety is an element that only balances a charge: nobody is allergic to sodium."""
    if moiety == getattr(substance.attributes, "element", None):
        return False
    formula = formulary.substance(moiety).formula
    return formula is not None and len(atoms(formula)) == 1
