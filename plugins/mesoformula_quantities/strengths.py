"""How much of every substance one millilitre of a product holds, as far as anybody says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from mesoformula import (
    ConversionError,
    Form,
    Permission,
    Strength,
    UnknownNameError,
    iu_per_mg,
    magnitude,
    moiety_factor,
    show,
)

if TYPE_CHECKING:
    from mesoformula import Content, Formulary, Line, Part, Product, Source


class LineError(Exception):
    """A line that cannot be worked out: code and reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@attrs.frozen
class Holding:
    """
    What a product holds of one thing, per mL drawn.

    Attributes:
        substance: Its id, or an ingredient class where no substance is named.
        name: For people.
        ingredient_class: Of the substance.
        unit: `mg`, `IU` or `mL`; empty where nothing is known.
        low: Per mL; None where not disclosed or not usable.
        high: Per mL; above low where sources disagree.
        note: Why it is not known better.
        written: What the source says, with the source, for the working.
        is_class: Whether only the class is named.
        sources: Where the amounts come from.
    """

    substance: str
    name: str
    ingredient_class: str | None
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    note: str | None = None
    written: str = ""
    is_class: bool = False
    sources: tuple[Source, ...] = ()


@attrs.frozen
class Drawn:
    """
    A product as a line draws from it.

    Attributes:
        product: What is drawn from.
        part: Name of the kit's part, if only one is drawn from.
        unit_volume: mL that one container (of a mixed kit: one kit) yields.
        holdings: What it holds per mL.
        reconstitution: How to dissolve each container, in words; None for liquids.
    """

    product: Product
    part: str | None
    unit_volume: Decimal
    holdings: tuple[Holding, ...]
    reconstitution: str | None


def drawn(line: Line, formulary: Formulary) -> Drawn:
    """
    Find out what one millilitre of a line's product holds.

    Args:
        line: The line.
        formulary: Where products and substances are found.

    Returns:
        The product as the line draws from it.

    Raises:
        LineError: If its volume is not known, or the parts of a kit must not be mixed unasked.
    """
    product = formulary.product(line.product)
    parts = _parts(line, product)
    volumes = [_volume(part, line, product, len(parts) > 1) for part in parts]
    unit_volume = sum(
        (part.per_kit * volume for part, volume in zip(parts, volumes, strict=True)), Decimal(0)
    )
    if line.part is not None:
        unit_volume = volumes[0]
    holdings: list[Holding] = []
    for part, volume in zip(parts, volumes, strict=True):
        count = 1 if line.part is not None else part.per_kit
        share = count * volume / unit_volume
        for content in part.composition:
            holdings.extend(_holdings(content, product, part, volume, share, formulary))
    if line.part is None:
        for content in product.composition:
            holdings.extend(_holdings(content, product, None, unit_volume, Decimal(1), formulary))
    return Drawn(
        product,
        line.part,
        unit_volume,
        tuple(holdings),
        "; ".join(filter(None, (_how(part, line, len(parts) > 1) for part in parts))) or None,
    )


def _parts(line: Line, product: Product) -> tuple[Part, ...]:
    if line.part is not None:
        found = [part for part in product.parts if part.name == line.part]
        if not found:
            names = ", ".join(part.name for part in product.parts if part.name) or "none has a name"
            raise LineError("part", f"has no part called {line.part!r}; its parts: {names}")
        return tuple(found)
    if product.is_kit and product.kit_is_mixed is not Permission.YES:
        names = ", ".join(repr(part.name) for part in product.parts)
        stated = "says no" if product.kit_is_mixed is Permission.NO else "does not say so"
        raise LineError(
            "kit",
            f"is a kit; whether its parts are mixed before use, its maker {stated}: name one with part = {names}",
        )
    return product.parts


def _volume(part: Part, line: Line, product: Product, of_kit: bool) -> Decimal:
    """Tell how many mL one container of a part yields."""
    which = f"part {part.name}" if of_kit or line.part is not None else "it"
    if part.form is Form.POWDER:
        if line.make_up_to is not None:
            if of_kit:
                raise LineError("part", "make_up_to goes with a single powder; name the part with part = '…'")
            return magnitude(line.make_up_to, "mL")
        volume = part.usable_volume
        if volume is None:
            if part.reconstitution is None:
                raise LineError(
                    "no-volume",
                    f"{which} is a powder, and no source says how to dissolve it: "
                    "measure it yourself with make_up_to = '… mL'",
                )
            raise LineError(
                "no-volume",
                f"{which} is a powder with {show(part.reconstitution.volume)} added, and the volume that the powder "
                f"displaces is not stated, so that no one knows how much there is: make it up to a volume you measure, "
                f"with make_up_to = '{show(part.reconstitution.volume)}' or more",
            )
        return magnitude(volume, "mL")
    if line.make_up_to is not None:
        raise LineError("make-up-to", f"make_up_to is for powders; {which} is a {part.form}")
    if part.volume is not None:
        return magnitude(part.volume, "mL")
    if part.mass is None:
        raise LineError(
            "no-volume", f"how much {which} holds is not stated, so that no one knows how many to open"
        )
    if part.density is not None:
        return magnitude(part.mass, "mg") / magnitude(part.density, "mg/mL")
    raise LineError(
        "no-density", f"{which} is sold by mass, and its density is not stated, so that it has no volume"
    )


def _how(part: Part, line: Line, of_kit: bool) -> str | None:
    """Say how a powder is dissolved: adding and making up to differ."""
    if part.form is not Form.POWDER:
        return None
    named = f"{part.name}: " if of_kit and part.name else ""
    rec = part.reconstitution
    liquid = " or ".join(rec.diluents) if rec is not None and rec.diluents else "the diluent"
    if line.make_up_to is not None:
        return f"{named}make up to {show(line.make_up_to)} with {liquid}, measured"
    if rec is None:
        return None
    text = f"{named}{rec.method} {show(rec.volume)} of {liquid}"
    if rec.labelled_volume is not None:
        return f"{text}; the label counts the container as {show(rec.labelled_volume)}"
    if rec.displacement is not None:
        return f"{text}; the powder displaces {show(rec.displacement)}"
    return text


def _holdings(
    content: Content,
    product: Product,
    part: Part | None,
    volume: Decimal,
    share: Decimal,
    formulary: Formulary,
) -> Iterator[Holding]:
    """Bring one composition entry to amounts per mL drawn, in every unit that it can be told in."""
    if content.substance is None:
        known = formulary.classes.get(content.ingredient_class or "")
        yield Holding(
            content.ingredient_class or "",
            f"{known.name if known else content.ingredient_class} (not named)",
            content.ingredient_class,
            note=f"{product.name} lists the class without naming substances",
            is_class=True,
        )
        return
    try:
        substance = formulary.substance(content.substance)
    except UnknownNameError as err:
        raise LineError("substance", str(err)) from err
    bare = Holding(substance.id, substance.name, substance.ingredient_class)
    if content.undisclosed:
        why = content.reason or f"{product.name} lists it without an amount"
        yield attrs.evolve(bare, note=why)
        return
    entries = [(content.strength, content.source)] if content.strength is not None else [
        (stated.strength, stated.source) for stated in content.disputed
    ]  # fmt: skip
    figures: dict[str, list[Decimal]] = {}
    for strength, _source in entries:
        try:
            unit, per_ml = _per_ml(strength, part, volume)
        except LineError as err:
            yield attrs.evolve(bare, note=f"{product.name}: {err.reason}")
            return
        if unit == "mmol":
            if substance.molar_mass is None:
                yield attrs.evolve(
                    bare, note=f"{product.name} states mmol, and {substance.name} has no molar mass"
                )
                return
            unit, per_ml = "mg", per_ml * substance.molar_mass
        figures.setdefault(unit, []).append(per_ml * share)
    sources = tuple(product.source(key) for _strength, key in entries)
    written = " / ".join(
        f"{strength.written or strength} ({source.kind}: {source.where})"
        for (strength, _key), source in zip(entries, sources, strict=True)
    )
    if len(figures) > 1:
        yield attrs.evolve(bare, note=f"{product.name}: sources state it in different dimensions")
        return
    ((unit, numbers),) = figures.items()
    note = f"{product.name}: sources disagree" if len(numbers) > 1 else None
    stated = attrs.evolve(
        bare, unit=unit, low=min(numbers), high=max(numbers), note=note, written=written, sources=sources
    )
    yield stated
    if unit == "IU":
        per_mg = _iu_per_mg(content, substance.id, formulary)
        if per_mg is not None:
            yield attrs.evolve(stated, unit="mg", low=min(numbers) / per_mg, high=max(numbers) / per_mg)


def _iu_per_mg(content: Content, substance: str, formulary: Formulary) -> Decimal | None:
    if content.specific_activity is not None:
        return magnitude(content.specific_activity, "IU/mg")
    try:
        return iu_per_mg(formulary.substance(substance), formulary.substance)
    except ConversionError:
        return None


def _per_ml(strength: Strength, part: Part | None, volume: Decimal) -> tuple[str, Decimal]:
    """Bring a strength to its amount per mL of its part, in mg, mmol, IU or mL."""
    unit, amount = _amount(strength)
    if strength.per is None:
        return unit, amount / volume
    if strength.per.check("[mass]"):
        if part is None or part.density is None:
            raise LineError("no-density", f"{strength} is per mass, and the density is not stated")
        return unit, amount / magnitude(strength.per, "mg") * magnitude(part.density, "mg/mL")
    return unit, amount / magnitude(strength.per, "mL")


def _amount(strength: Strength) -> tuple[str, Decimal]:
    for dimension, unit in _UNITS:
        if strength.amount.check(dimension):
            return unit, magnitude(strength.amount, unit)
    raise LineError(
        "dimension", f"{strength} is stated in equivalents, which belong to an ion that is not named"
    )


_UNITS = (("[mass]", "mg"), ("[substance]", "mmol"), ("[activity]", "IU"), ("[volume]", "mL"))


def as_moieties(holding: Holding, formulary: Formulary) -> Iterator[Holding]:
    """
    Count a holding in each of its moieties, and in itself.

    Args:
        holding: An exact form, in mg or undisclosed.
        formulary: Where substances are found.

    Yields:
        What it holds of each moiety; its own holding unchanged comes first.
    """
    yield holding
    if holding.is_class or holding.unit not in ("mg", ""):
        return
    substance = formulary.substance(holding.substance)
    for moiety in substance.moieties:
        factor, step, counted = moiety_factor(substance, moiety.substance, formulary.substance)
        yield attrs.evolve(
            holding,
            substance=counted.id,
            name=counted.name,
            ingredient_class=counted.ingredient_class or holding.ingredient_class,
            low=None if holding.low is None else holding.low * factor,
            high=None if holding.high is None else holding.high * factor,
            written=f"{holding.written} {step}" if holding.written else "",
        )
