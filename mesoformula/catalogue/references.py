"""Names that one record gives another: each must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mesoformula.catalogue.reading import Where
from mesoformula.contents import Content
from mesoformula.errors import CatalogueError
from mesoformula.formulas import Formula
from mesoformula.ingredients import Substance
from mesoformula.products import Product
from mesoformula.rules import Allergen, Condition, Rule, Selector, SelectorKind, origins_of, words_of
from mesoformula.treatments import Protocol
from mesoformula.words import folded, nearest, shown

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary

Found = tuple[str, str, Where]


def check_references(record: Any, formulary: Formulary) -> Iterator[Found]:
    """
    Follow the names in one record.

    Args:
        record: Any record of a catalogue.
        formulary: Where the names must lead.

    Yields:
        Code, message and place of every name that leads nowhere.
    """
    match record:
        case Product():
            yield from _product(record, formulary)
        case Substance():
            yield from _substance(record, formulary)
        case Formula():
            for number, line in enumerate(record.lines):
                if not formulary.has_product(line.product):
                    yield _unknown(formulary, "product", line.product, ("line", number, "product"))
                yield from _known_substance(line.substance, formulary, ("line", number, "substance"))
        case Protocol():
            yield from _protocol(record, formulary)
        case Rule():
            yield from _rule(record, formulary)
        case Condition():
            yield from _one_meaning(record, "condition", formulary.conditions(), formulary)
        case Allergen():
            yield from _one_meaning(record, "allergen", formulary.allergens(), formulary)
            yield from _selectors(record.selectors, formulary, ("selectors",))
            for number, cross in enumerate(record.crosses):
                yield from _selectors(cross.any_of, formulary, ("cross", number, "any_of"))
        case _:
            pass


def _protocol(protocol: Protocol, formulary: Formulary) -> Iterator[Found]:
    for number, product in enumerate(protocol.products):
        if not formulary.has_product(product):
            yield _unknown(formulary, "product", product, ("products", number))
    for number, zone in enumerate(protocol.zones):
        if zone not in formulary.names("zone"):
            yield _unknown(formulary, "zone", zone, ("zones", number))
    technique = protocol.technique
    if technique is not None and technique not in formulary.names("technique"):
        yield _unknown(formulary, "technique", technique, ("technique",))


def _rule(rule: Rule, formulary: Formulary) -> Iterator[Found]:
    for number, product in enumerate(rule.products):
        if not formulary.has_product(product):
            yield _unknown(formulary, "product", product, ("products", number))
    for key, section, names in (
        ("zones", "zone", rule.zones),
        ("techniques", "technique", rule.techniques),
        ("conditions", "condition", rule.conditions),
        ("allergies", "allergen", rule.allergies),
    ):
        for number, name in enumerate(names):
            if name not in formulary.names(section):
                yield _unknown(formulary, section, name, (key, number))
    for number, presence in enumerate(rule.present):
        yield from _selectors(presence.any_of, formulary, ("present", number, "any_of"))
    if rule.limit is not None:
        yield from _selectors(rule.limit.of, formulary, ("limit", "of"))


def _selectors(texts: tuple[str, ...], formulary: Formulary, where: Where) -> Iterator[Found]:
    for number, text in enumerate(texts):
        selector, place = Selector.of(text), (*where, number)
        match selector.kind:
            case SelectorKind.SUBSTANCE | SelectorKind.MOIETY:
                yield from _known_substance(selector.name, formulary, place)
            case SelectorKind.CLASS:
                yield from _known_class(selector.name, formulary, place)
            case SelectorKind.ROLE | SelectorKind.ORIGIN:
                known = _known_words(selector.kind, formulary)
                if folded(selector.name) not in map(folded, known):
                    close = nearest(selector.name, known)
                    hint = (
                        f"did you mean {' or '.join(close)}?"
                        if close
                        else f"known: {', '.join(sorted(known))}"
                    )
                    message = f"no substance has the {selector.kind} {shown(selector.name)}; {hint}"
                    yield (f"unknown-{selector.kind}", message, place)


def _known_words(kind: SelectorKind, formulary: Formulary) -> set[str]:
    """List roles, or origins: those that substances have, and what allergens are called."""
    if kind is SelectorKind.ROLE:
        return {one.role for one in formulary.substances() if one.role is not None}
    stated = {origin for one in formulary.substances() for origin in origins_of(one)}
    return stated | {word.lower() for one in formulary.allergens() for word in words_of(one)}


def _one_meaning(
    record: Condition | Allergen,
    section: str,
    known: tuple[Condition | Allergen, ...],
    formulary: Formulary,
) -> Iterator[Found]:
    """Find words that lead to two records: a patient's word must have one meaning."""
    own = {folded(word) for word in words_of(record)}
    order = list(formulary.entries(section))
    for other in known:
        if order.index(other.id) >= order.index(record.id):
            continue  # the later one is at fault
        shared = [word for word in words_of(other) if folded(word) in own]
        if shared:
            yield (
                "duplicate",
                f"{shown(shared[0])} also leads to the {section} {other.id}; leave it out in one",
                ("synonyms",),
            )


def _unknown(formulary: Formulary, section: str, name: str, where: Where) -> Found:
    close = formulary.nearest(section, name)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return (f"unknown-{section}", f"no {section} is called {shown(name)}{hint}", where)


def _known_substance(name: str | None, formulary: Formulary, where: Where) -> Iterator[Found]:
    if name is not None and not formulary.has_substance(name):
        yield _unknown(formulary, "substance", name, where)


def _known_class(name: str | None, formulary: Formulary, where: Where) -> Iterator[Found]:
    if name is not None and name not in formulary.classes:
        close = nearest(name, formulary.classes)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(formulary.classes)}"
        yield ("unknown-class", f"no ingredient class is called {shown(name)}; {hint}", where)


def _product(product: Product, formulary: Formulary) -> Iterator[Found]:
    for number, part in enumerate(product.parts):
        for place, content in enumerate(part.composition):
            yield from _content(content, formulary, ("part", number, "composition", place))
        for place, auxiliary in enumerate(part.auxiliaries):
            where = ("part", number, "auxiliaries", place, "substance")
            yield from _known_substance(auxiliary.substance, formulary, where)
        if part.reconstitution is not None:
            for place, diluent in enumerate(part.reconstitution.diluents):
                named = ("part", number, "reconstitution", "diluents", place)
                yield from _known_substance(diluent, formulary, named)
    for number, content in enumerate(product.composition):
        yield from _content(content, formulary, ("composition", number))


def _content(content: Content, formulary: Formulary, where: Where) -> Iterator[Found]:
    yield from _known_substance(content.substance, formulary, (*where, "substance"))
    yield from _known_class(content.ingredient_class, formulary, (*where, "class"))
    for number, equivalent in enumerate(content.equivalents):
        of = equivalent.of
        substance = _readable(content.substance, formulary)
        if of is None or substance is None:
            continue
        known = {moiety.substance for moiety in substance.moieties} | {ion.name for ion in substance.ions}
        if of not in known:
            close = nearest(of, known)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            yield (
                "unknown-moiety",
                f"{substance.id} has no moiety or ion called {shown(of)}{hint}",
                (*where, "equivalents", number, "of"),
            )


def _readable(name: str | None, formulary: Formulary) -> Substance | None:
    """Find a substance; none if it has problems, which are reported in their own place."""
    if name is None or not formulary.has_substance(name):
        return None
    try:
        return formulary.substance(name)
    except CatalogueError:
        return None


def _substance(substance: Substance, formulary: Formulary) -> Iterator[Found]:
    yield from _known_class(substance.ingredient_class, formulary, ("class",))
    for number, moiety in enumerate(substance.moieties):
        yield from _known_substance(moiety.substance, formulary, ("moieties", number, "of"))
    if substance.activity is not None and substance.activity.moiety is not None:
        known = {moiety.substance for moiety in substance.moieties}
        if substance.activity.moiety not in known:
            yield (
                "unknown-moiety",
                f"activity counts {shown(substance.activity.moiety)}, which is no moiety of it",
                ("activity", "of"),
            )
