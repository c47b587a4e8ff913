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
from mesoformula.treatments import Protocol
from mesoformula.words import nearest, shown

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
