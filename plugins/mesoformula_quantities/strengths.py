"""How much of every substance one millilitre of a product holds, as far as anybody says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import (
    ConversionError,
    Form,
    Strength,
    UnknownNameError,
    iu_per_mg,
    magnitude,
    moiety_factor,
)
from mesoformula_quantities.refusals import LineError

if TYPE_CHECKING:
    from mesoformula import Content, Formulary, Part, Product, Quantity, Source, Substance


class PerMl(NamedTuple):
    """
    What one mL holds of something, in one unit.

    Attributes:
        unit: `mg`, `IU` or `mL`.
        low: The amount, or the lowest where sources disagree.
        high: The amount, or the highest.
        written: What the source says, and which source, for the working.
        derived: Whether it follows from another unit by a factor of the substance.
    """

    unit: str
    low: Fraction
    high: Fraction
    written: str
    derived: bool = False


class Holding(NamedTuple):
    """
    One thing that a product holds.

    Attributes:
        substance: Its id, or an ingredient class where no substance is named.
        name: For people.
        ingredient_class: Of the substance.
        amounts: Per mL drawn, in every unit that it can be told in; empty where nothing is known.
        note: Why it is not known better.
        is_class: Whether only the class is named.
        is_auxiliary: Whether it is no ingredient: it counts in sums, and gets no row of its own.
        sources: Where the amounts come from.
    """

    substance: str
    name: str
    ingredient_class: str | None
    amounts: tuple[PerMl, ...] = ()
    note: str | None = None
    is_class: bool = False
    is_auxiliary: bool = False
    sources: tuple[Source, ...] = ()

    def told_in(self, unit: str) -> PerMl | None:
        """
        Find the amount in one unit.

        Args:
            unit: `mg`, `IU` or `mL`.

        Returns:
            The amount; None where it cannot be told in that unit.
        """
        for amount in self.amounts:
            if amount.unit == unit:
                return amount
        return None

    @property
    def is_disputed(self) -> bool:
        """Whether sources disagree on it."""
        return any(amount.low != amount.high for amount in self.amounts)


class Place(NamedTuple):
    """
    Where in a product something is.

    Attributes:
        product: The product.
        part: The part of it; None for the mixture that a kit makes.
        solution: mL of solution in one container of the part as labelled; None where not known.
        share: Containers of the part in one mL drawn.
        within: Where that is, in words that follow a strength; empty for a product of one part.
    """

    product: Product
    part: Part | None
    solution: Fraction | None
    share: Fraction
    within: str = ""


def exact(value: Quantity, unit: str) -> Fraction:
    """
    Bring a quantity to a fraction of a unit.

    Args:
        value: Any quantity of the unit's dimension.
        unit: Such as `mL`.

    Returns:
        The exact number.
    """
    return Fraction(magnitude(value, unit))


def holdings(place: Place, formulary: Formulary) -> Iterator[Holding]:
    """
    Bring everything in a part to amounts per mL drawn.

    Args:
        place: The part, or the mixture of a kit.
        formulary: Where substances are found.

    Yields:
        Ingredients as listed, then auxiliaries.

    Raises:
        LineError: If an ingredient is not known to the formulary.
    """
    product, part = place.product, place.part
    for content in product.composition if part is None else part.composition:
        yield _ingredient(content, place, formulary)
    if part is None:
        return
    for auxiliary in part.auxiliaries:
        entries = [] if auxiliary.strength is None else [(auxiliary.strength, auxiliary.source)]
        why = f"{product.name} holds it as an auxiliary, without an amount"
        yield _auxiliary(auxiliary.substance, entries, why, place, formulary)
    if part.reconstitution is not None:
        for diluent in part.reconstitution.diluents:
            yield _auxiliary(diluent, [], f"{product.name} may be dissolved in it", place, formulary)


def of_unknown_part(content: Content, product: Product, part: Part, formulary: Formulary) -> Holding:
    """
    Tell what one part of a kit holds of something that no source says which part holds.

    Args:
        content: An entry of the whole kit.
        product: The kit.
        part: The part that is drawn from.
        formulary: Where substances are found.

    Returns:
        The holding, without an amount: it may be none, it may be all.
    """
    place = Place(product, part, None, Fraction(0))
    why = f"no source says whether it is in part {part.name} of {product.name}"
    return _ingredient(content, place, formulary)._replace(amounts=(), sources=(), note=why)


def _ingredient(content: Content, place: Place, formulary: Formulary) -> Holding:
    product = place.product
    if content.substance is None:
        name = content.ingredient_class or ""
        known = formulary.classes.get(name)
        return Holding(
            name,
            f"{known.name if known else name} (not named)",
            name,
            note=f"{product.name} lists the class without naming substances",
            is_class=True,
        )
    try:
        substance = formulary.substance(content.substance)
    except UnknownNameError as err:
        raise LineError("substance", str(err)) from err
    bare = Holding(substance.id, substance.name, substance.ingredient_class)
    if content.strength is not None:
        return _stated(bare, substance, [(content.strength, content.source)], content, place, formulary)
    if content.disputed:
        entries = [(stated.strength, stated.source) for stated in content.disputed]
        return _stated(bare, substance, entries, content, place, formulary)
    return bare._replace(note=content.reason or f"{product.name} lists it without an amount")


def _auxiliary(
    name: str, entries: list[tuple[Strength, str | None]], why: str, place: Place, formulary: Formulary
) -> Holding:
    if not formulary.has_substance(name):
        return Holding(name, name, None, note=why, is_auxiliary=True)
    substance = formulary.substance(name)
    bare = Holding(substance.id, substance.name, substance.ingredient_class, is_auxiliary=True)
    if not entries:
        return bare._replace(note=why)
    return _stated(bare, substance, entries, None, place, formulary)


def _stated(
    bare: Holding,
    substance: Substance,
    entries: list[tuple[Strength, str | None]],
    content: Content | None,
    place: Place,
    formulary: Formulary,
) -> Holding:
    """Fill in what one or several sources state."""
    product = place.product
    found: dict[str, list[Fraction]] = {}
    try:
        for strength, _key in entries:
            unit, per_container = _per_container(strength, substance, place)
            found.setdefault(unit, []).append(per_container * place.share)
    except LineError as err:
        return bare._replace(note=f"{product.name}: {err.reason}")
    if len(found) > 1:
        return bare._replace(note=f"{product.name}: sources state it in different dimensions")
    ((unit, numbers),) = found.items()
    sources = tuple(product.source(key) for _strength, key in entries)
    written = " / ".join(
        f"{strength.written or strength} ({source.kind}: {source.where})"
        for (strength, _key), source in zip(entries, sources, strict=True)
    )
    amount = PerMl(unit, min(numbers), max(numbers), f"{written}{place.within}")
    return bare._replace(
        amounts=(amount, *_other_units(amount, substance, content, formulary)),
        note=f"{product.name}: sources disagree" if amount.low != amount.high else None,
        sources=sources,
    )


def _other_units(
    amount: PerMl, substance: Substance, content: Content | None, formulary: Formulary
) -> Iterator[PerMl]:
    """Tell international units by mass, and the other way round, where a factor is known."""
    if amount.unit not in ("mg", "IU"):
        return
    own = content.specific_activity if content is not None else None
    if own is not None:
        per_mg = exact(own, "IU/mg")
    elif substance.activity is not None:
        try:
            per_mg = Fraction(iu_per_mg(substance, formulary.substance))
        except ConversionError:
            return
    else:
        return
    if amount.unit == "IU":
        yield PerMl("mg", amount.low / per_mg, amount.high / per_mg, amount.written)
    else:
        yield PerMl("IU", amount.low * per_mg, amount.high * per_mg, amount.written, derived=own is None)


def _per_container(strength: Strength, substance: Substance, place: Place) -> tuple[str, Fraction]:
    """Bring a strength to what one container holds, in mg, IU or mL."""
    unit, amount = _amount(strength, substance)
    if strength.per is None:
        return unit, amount
    if strength.per.check("[mass]"):
        return unit, amount / exact(strength.per, "mg") * _mass(strength, place)
    if place.solution is None:
        raise LineError(
            "no-volume", f"{strength} is of the solution, and no source says how much of it there is"
        )
    return unit, amount / exact(strength.per, "mL") * place.solution


def _mass(strength: Strength, place: Place) -> Fraction:
    """Find the mass, in mg, that a strength per mass is of: a powder's own, or that of a liquid or gel."""
    part = place.part
    if part is not None and part.mass is not None:
        return exact(part.mass, "mg")
    if part is not None and part.form is Form.POWDER:
        raise LineError("no-mass", f"{strength} is per mass, and the mass of the powder is not stated")
    if part is None or part.density is None or place.solution is None:
        raise LineError("no-density", f"{strength} is per mass, and the density is not stated")
    return place.solution * exact(part.density, "mg/mL")


def _amount(strength: Strength, substance: Substance) -> tuple[str, Fraction]:
    amount = strength.amount
    if amount.check("[mass]"):
        return "mg", exact(amount, "mg")
    if amount.check("[activity]"):
        return "IU", exact(amount, "IU")
    if amount.check("[length] ** 3"):
        return "mL", exact(amount, "mL")
    if amount.check("[substance]"):
        if substance.molar_mass is None:
            raise LineError("no-molar-mass", f"{strength} is in mol, and {substance.name} has no molar mass")
        return "mg", exact(amount, "mmol") * Fraction(substance.molar_mass)
    raise LineError(
        "dimension", f"{strength} is stated in equivalents, which belong to an ion that is not named"
    )


def moieties(holding: Holding, formulary: Formulary) -> Iterator[Holding]:
    """
    Count a holding in each of its moieties.

    Args:
        holding: An exact form.
        formulary: Where substances are found.

    Yields:
        What it holds of each moiety, by mass; without an amount where it has no mass that could be counted.

    Raises:
        LineError: If a moiety is not known to the formulary.
    """
    if holding.is_class or not formulary.has_substance(holding.substance):
        return
    substance = formulary.substance(holding.substance)
    for moiety in substance.moieties:
        try:
            counted = formulary.substance(moiety.substance)
            factor, step, _counted = moiety_factor(substance, moiety.substance, formulary.substance)
        except UnknownNameError as err:
            raise LineError("substance", f"moiety of {substance.id}: {err}") from err
        except ConversionError as err:
            yield holding._replace(
                substance=counted.id,
                name=counted.name,
                ingredient_class=counted.ingredient_class,
                amounts=(),
                note=str(err),
            )
            continue
        mass = holding.told_in("mg")
        amounts: tuple[PerMl, ...] = ()
        if mass is not None:
            by = Fraction(factor)
            amounts = (PerMl("mg", mass.low * by, mass.high * by, f"{mass.written} {step}"),)
        yield holding._replace(
            substance=counted.id,
            name=counted.name,
            ingredient_class=counted.ingredient_class,
            amounts=amounts,
            note=holding.note if amounts or not holding.amounts else _no_mass(holding),
        )


def _no_mass(holding: Holding) -> str:
    return f"{holding.name} is stated in {holding.amounts[0].unit}, and its mass is not known"
