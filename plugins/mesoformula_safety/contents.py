"""What is in the syringe: every substance with the container it comes from, and what may be hidden there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mesoformula import Missing, SelectorKind
from mesoformula.rules import origins_of
from mesoformula_safety.verdicts import once

if TYPE_CHECKING:
    from mesoformula import Content, Formulary, LineQuantities, Part, Product, Selector, Substance
    from mesoformula_safety.vocabulary import Vocabulary

#: Number of a part where no source says which part of a kit it is, and where the diluent of a powder counts.
ANY_PART, DILUENT = -1, -2


class Place(NamedTuple):
    """
    A container that something comes from.

    Attributes:
        product: Id of the product.
        part: Its number among the product's parts, or one of the constants above.
    """

    product: str
    part: int


class Hit(NamedTuple):
    """
    Something that a selector means, or may mean.

    Attributes:
        place: Where it comes from.
        product: Name of the product.
        product_id: Its id.
        name: Of the substance, or of what hides it.
        substance: Its id; None where none is named.
        missing: What is missing to tell whether it is meant; empty where it is.
    """

    place: Place
    product: str
    product_id: str
    name: str
    substance: str | None
    missing: tuple[Missing, ...] = ()


class Named(NamedTuple):
    """
    A substance that a product lists.

    Attributes:
        place: Where it comes from.
        product: That lists it.
        id: Of the substance.
        substance: Its record; None if the formulary does not know it.
        attributes: What is particular to its class in this product.
        missing: What is missing to tell whether it is in the mixture; empty where it is.
    """

    place: Place
    product: Product
    id: str
    substance: Substance | None
    attributes: Any = None
    missing: tuple[Missing, ...] = ()

    def hit(self, selector: Selector, known: Vocabulary) -> Hit | None:
        """Tell whether it is what a selector means, or may be."""
        substance = self.substance
        if substance is None:
            meant = selector.kind is SelectorKind.SUBSTANCE and selector.name == self.id
            return self._hit(()) if meant else None
        if selector.selects(substance, self.attributes):
            return self._hit(())
        if selector.kind is not SelectorKind.ORIGIN or origins_of(substance, self.attributes):
            return None
        own = substance.ingredient_class
        if own is None or not known.may_be_of_class(selector, own):
            return None
        return self._hit((Missing(f"origin of {substance.name.lower()}", self.product.name),))

    def _hit(self, missing: tuple[Missing, ...]) -> Hit:
        name = self.substance.name if self.substance is not None else self.id
        product = self.product
        return Hit(self.place, product.name, product.id, name, self.id, once((*self.missing, *missing)))


class Hidden(NamedTuple):
    """
    What a product does not name.

    Attributes:
        place: Where it comes from.
        product: That does not name it.
        classes: Of which it lists no substance; empty if it lists nothing at all, or no auxiliaries.
        everything: Whether it lists nothing at all.
    """

    place: Place
    product: Product
    classes: tuple[str, ...] = ()
    everything: bool = False

    @property
    def missing(self) -> Missing:
        """The fact that would tell."""
        name = self.product.name
        if self.everything:
            return Missing("composition", name)
        if self.classes:
            return Missing("substances behind the classes", name)
        return Missing("auxiliaries, of which none is listed,", name)

    def hit(self, selector: Selector, known: Vocabulary) -> Hit | None:
        """Tell whether a selector may mean something in it, or means all of a class in it."""
        name = self.product.name
        for one in self.classes:
            if selector.selects_class(one):
                return Hit(self.place, name, self.product.id, one.replace("_", " "), None)
        if self.classes:
            found = any(known.may_be_of_class(selector, one) for one in self.classes)
        else:
            found = self.everything or known.may_be_auxiliary(selector)
        if not found:
            return None
        return Hit(self.place, name, self.product.id, "something not named", None, (self.missing,))


def contents(
    lines: Sequence[LineQuantities], formulary: Formulary
) -> tuple[tuple[Named, ...], tuple[Hidden, ...]]:
    """
    List what the lines of a session bring.

    Args:
        lines: What is taken.
        formulary: Where substances are found.

    Returns:
        What is named, and what is not.
    """
    taken = once((line.product.pinned_id, line.part) for line in lines)
    products = {line.product.pinned_id: line.product for line in lines}
    named: list[Named] = []
    hidden: list[Hidden] = []
    for pinned, wanted in taken:
        product = products[pinned]
        for one in _of_product(product, wanted, formulary):
            if isinstance(one, Named):
                named.append(one)
            else:
                hidden.append(one)
    return tuple(named), tuple(hidden)


def parts_of(product: Product, wanted: str | None) -> tuple[tuple[int, Part], ...]:
    """
    List the parts of a product that a line takes.

    Args:
        product: The product.
        wanted: Name of the one that is taken; None for all.

    Returns:
        Their numbers and the parts.
    """
    return tuple(
        (number, part) for number, part in enumerate(product.parts) if wanted is None or part.name == wanted
    )


def _of_product(product: Product, wanted: str | None, formulary: Formulary) -> Iterator[Named | Hidden]:
    parts = parts_of(product, wanted)
    first = Place(product.id, parts[0][0] if len(product.parts) == 1 and parts else ANY_PART)
    unsure: tuple[Missing, ...] = ()
    if wanted is not None and len(product.parts) > 1:
        unsure = (Missing(f"contents of part {wanted}", product.name),)
    classes: dict[Place, list[str]] = {}
    entries: list[tuple[Place, Content, tuple[Missing, ...]]] = [
        (Place(product.id, number), content, ()) for number, part in parts for content in part.composition
    ]
    entries += [(first, content, unsure) for content in product.composition]
    for place, content, missing in entries:
        if content.substance is None:
            classes.setdefault(place, []).append(content.ingredient_class or "")
        else:
            found = _known(content.substance, formulary)
            yield Named(place, product, content.substance, found, content.attributes, missing)
    for place, names in classes.items():
        yield Hidden(place, product, once(names))
    listed = False
    for number, part in parts:
        for auxiliary in part.auxiliaries:
            listed = True
            found = _known(auxiliary.substance, formulary)
            yield Named(Place(product.id, number), product, auxiliary.substance, found)
        if part.reconstitution is not None:
            diluents = part.reconstitution.diluents
            choice = (Missing("diluent that is taken", product.name),) if len(diluents) > 1 else ()
            for name in diluents:
                yield Named(Place(product.id, DILUENT), product, name, _known(name, formulary), None, choice)
    if not product.contents():
        yield Hidden(first, product, everything=True)
    elif not listed:
        yield Hidden(first, product)


def _known(name: str, formulary: Formulary) -> Substance | None:
    return formulary.substance(name) if formulary.has_substance(name) else None
