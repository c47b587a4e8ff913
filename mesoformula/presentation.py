"""Products in words that fit one cell of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesoformula.errors import CatalogueError
from mesoformula.products import Form, Method, Part, Product, Storage
from mesoformula.units import plain, show

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary

NOT_STATED = "not stated"


def container_text(product: Product) -> str:
    """
    Say what one container, or one kit, holds.

    Args:
        product: Any product.

    Returns:
        Text such as `vial 500 mg powder, makes 10 mL` or `kit: 2 × vial 1.5 mL + vial 1 mL`.
    """
    if not product.is_kit:
        return _part_text(product.parts[0])
    return "kit: " + " + ".join(
        f"{part.per_kit} × {_part_text(part)}" if part.per_kit > 1 else _part_text(part)
        for part in product.parts
    )


def _part_text(part: Part) -> str:
    form = "" if part.form in (Form.SOLUTION, Form.NOT_STATED) else f" {part.form}"
    by_mass = part.form is Form.POWDER or part.volume is None
    size = part.mass if by_mass else part.volume
    if size is not None:
        text = f"{part.container.word} {show(size)}{form}"
    elif part.form is Form.POWDER:
        text = f"{part.container.word} of powder"
    else:
        text = f"{part.container.word}{form}, size {NOT_STATED}"
    made = part.reconstitution
    if made is None:
        return text
    if made.final_volume is not None:
        return f"{text}, makes {show(made.final_volume)}"
    verb = "add" if made.method is Method.ADD else "make up to"
    return f"{text}, {verb} {show(made.volume)}"


def storage_text(storage: Storage | None) -> str:
    """
    Say how to keep a product, as labelled.

    Args:
        storage: What its label says; None if nothing.

    Returns:
        Text such as `2 to 8 °C, protect from light`, or `not stated`.
    """
    if storage is None:
        return NOT_STATED
    low, high = storage.low, storage.high
    parts = []
    if low is not None and high is not None:
        parts.append(f"{plain(low.magnitude) if low.units == high.units else show(low)} to {show(high)}")
    elif high is not None:
        parts.append(f"up to {show(high)}")
    elif low is not None:
        parts.append(f"from {show(low)}")
    if storage.protect_from_light:
        parts.append("protect from light")
    if storage.do_not_freeze:
        parts.append("do not freeze")
    return ", ".join(parts) or storage.as_published or NOT_STATED


def held_classes(product: Product, formulary: Formulary | None) -> frozenset[str]:
    """
    List the ids of the ingredient classes that a product holds.

    Args:
        product: Any product.
        formulary: What knows the classes of substances; None leaves those out.

    Returns:
        Ids, of classes that are published without substances too; a substance that is no longer on offer
        counts for nothing.
    """
    found = set()
    for _part, content in product.contents():
        name = content.ingredient_class
        if name is None and content.substance is not None and formulary is not None:
            name = _class_of(content.substance, formulary)
        if name is not None:
            found.add(name)
    return frozenset(found)


def class_names(product: Product, formulary: Formulary | None) -> tuple[str, ...]:
    """
    Name the ingredient classes that a product holds.

    Args:
        product: Any product.
        formulary: What knows the classes of substances; None leaves those out.

    Returns:
        Names for people, in the order of the formulary.
    """
    found = held_classes(product, formulary)
    if formulary is None:
        return tuple(sorted(name.replace("_", " ") for name in found))
    known = tuple(item.name for item in formulary.classes.values() if item.id in found)
    return known + tuple(sorted(name.replace("_", " ") for name in found - formulary.classes.keys()))


def _class_of(substance: str, formulary: Formulary) -> str | None:
    if not formulary.has_substance(substance):
        return None
    try:
        return formulary.substance(substance).ingredient_class
    except CatalogueError:
        return None
