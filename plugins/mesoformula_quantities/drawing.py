"""A product as a line of a formula draws from it: which parts, how many millilitres, and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import Form, Method, Permission, show
from mesoformula_quantities.precision import number
from mesoformula_quantities.refusals import LineError
from mesoformula_quantities.strengths import (
    Holding,
    Place,
    exact,
    holdings,
    moieties,
    of_unknown_part,
)

if TYPE_CHECKING:
    from mesoformula import Formulary, Line, Part, Product


class Drawn(NamedTuple):
    """
    A product as a line draws from it.

    Attributes:
        product: What is drawn from.
        part: Name of the kit's part, if only one is drawn from.
        unit_volume: mL that one container (of a mixed kit: one kit) yields.
        holdings: What it holds per mL.
        moieties: For each holding, what it counts as in its moieties.
        reconstitution: How to dissolve each container, in words; None for liquids.
    """

    product: Product
    part: str | None
    unit_volume: Fraction
    holdings: tuple[Holding, ...]
    moieties: tuple[tuple[Holding, ...], ...]
    reconstitution: str | None

    @property
    def is_mixed_kit(self) -> bool:
        """Whether a kit is opened as a whole."""
        return self.product.is_kit and self.part is None


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
    of_kit = len(parts) > 1
    unit_volume = _kit_volume(parts, line) if of_kit else _volume(parts[0], line)
    if not of_kit and line.part is None:
        unit_volume *= parts[0].per_kit
    found: list[Holding] = []
    for part in parts:
        count = 1 if line.part is not None else part.per_kit
        within = f" in {part.name}, mixed to {number(unit_volume)} mL" if of_kit else ""
        place = Place(product, part, _solution(part), count / unit_volume, within)
        found += holdings(place, formulary)
    if line.part is None:
        found += holdings(Place(product, None, unit_volume, 1 / unit_volume), formulary)
    else:
        found += [of_unknown_part(content, product, parts[0], formulary) for content in product.composition]
    return Drawn(
        product,
        line.part,
        unit_volume,
        tuple(found),
        tuple(tuple(moieties(holding, formulary)) for holding in found),
        "; ".join(filter(None, (_how(part, line, of_kit, formulary) for part in parts))) or None,
    )


def _parts(line: Line, product: Product) -> tuple[Part, ...]:
    if line.part is not None:
        found = [part for part in product.parts if part.name == line.part]
        if not found:
            names = ", ".join(part.name for part in product.parts if part.name) or "none has a name"
            raise LineError("part", f"has no part called {line.part!r}; its parts: {names}")
        return tuple(found)
    if len(product.parts) > 1 and product.kit_is_mixed is not Permission.YES:
        names = " or ".join(repr(part.name) for part in product.parts)
        stated = "says no" if product.kit_is_mixed is Permission.NO else "does not say so"
        raise LineError(
            "kit",
            "is a kit; whether its parts are mixed before use: its maker "
            f"{stated}; name the part to draw from, with part = {names}",
        )
    return product.parts


def _volume(part: Part, line: Line) -> Fraction:
    """Tell how many mL one container of a part yields."""
    if part.form is Form.POWDER:
        if line.make_up_to is not None:
            made = part.reconstitution
            if made is not None and line.make_up_to < made.volume:
                raise LineError(
                    "make-up-to",
                    f"make_up_to = '{show(line.make_up_to)}' is less than the {show(made.volume)} that the "
                    "label dissolves it in; take that much or more",
                )
            return exact(line.make_up_to, "mL")
        volume = part.usable_volume
        if volume is None:
            raise LineError("no-volume", _undissolved(part))
        return exact(volume, "mL")
    if line.make_up_to is not None:
        raise LineError("make-up-to", f"make_up_to is for powders; {_named(part)} is a {part.form}")
    return _liquid(part)


def _undissolved(part: Part) -> str:
    if part.reconstitution is None:
        return (
            f"{_named(part)} is a powder, and no source says how to dissolve it: "
            "measure it yourself with make_up_to = '… mL'"
        )
    added = show(part.reconstitution.volume)
    return (
        f"{_named(part)} is a powder with {added} added, and the volume that it displaces is not stated, "
        "so that no one knows how much there is: make it up to a volume you measure, "
        f"with make_up_to = '{added}' or more"
    )


def _named(part: Part) -> str:
    return f"part {part.name}" if part.name else "it"


def _liquid(part: Part) -> Fraction:
    if part.volume is not None:
        return exact(part.volume, "mL")
    if part.mass is None:
        raise LineError(
            "no-volume",
            f"how much {_named(part)} holds is not stated, so that no one knows how many to open",
        )
    if part.density is None:
        raise LineError(
            "no-density",
            f"{_named(part)} is sold by mass, and its density is not stated, so that it has no volume",
        )
    return exact(part.mass, "mg") / exact(part.density, "mg/mL")


def _check_solvent(powder: Part, liquids: Sequence[Part]) -> None:
    """Refuse to take a kit's liquid for the powder's solvent where its label says otherwise."""
    made = powder.reconstitution
    if made is None:
        return
    if made.method is Method.MAKE_UP_TO:
        raise LineError(
            "kit",
            f"{_named(powder)} is made up to {show(made.volume)}, so that not all of the kit's liquid "
            "fits, and no source says how much does; name the part to draw from",
        )
    held = {content.substance for part in liquids for content in part.composition}
    if made.diluents and not held <= {*made.diluents}:
        raise LineError(
            "kit",
            f"{_named(powder)} is dissolved in {' or '.join(made.diluents)} as labelled, and the kit's "
            "liquid is something else; name the part to draw from",
        )


def _kit_volume(parts: Sequence[Part], line: Line) -> Fraction:
    """
    Tell how many mL a kit makes, all of its parts mixed.

    Powders are dissolved in the liquids of the kit. That is only taken for granted where the liquids are just
    what the powders need.
    """
    powders = [part for part in parts if part.form is Form.POWDER]
    liquids = sum((part.per_kit * _liquid(part) for part in parts if part not in powders), Fraction(0))
    if not powders:
        if line.make_up_to is not None:
            raise LineError("make-up-to", "make_up_to is for powders; the kit has none")
        return liquids
    if line.make_up_to is not None:
        names = " or ".join(repr(part.name) for part in powders)
        raise LineError("part", f"make_up_to goes with a single powder; name it, with part = {names}")
    needed = made = Fraction(0)
    for part in powders:
        volume = part.usable_volume
        if part.reconstitution is None or volume is None:
            raise LineError("no-volume", f"{_undissolved(part)} and part = {part.name!r}")
        if liquids:
            _check_solvent(part, [other for other in parts if other not in powders])
        needed += part.per_kit * exact(part.reconstitution.volume, "mL")
        made += part.per_kit * exact(volume, "mL")
    if liquids and liquids != needed:
        raise LineError(
            "kit",
            "has powder and liquid parts, and no source says how much of the liquid dissolves the powder; "
            f"name the part to draw from, such as part = {powders[0].name!r}",
        )
    return made


def _solution(part: Part) -> Fraction | None:
    """Tell how many mL a container holds as labelled, which is what a label's strength per mL is of."""
    if part.form is Form.POWDER:
        return None if part.usable_volume is None else exact(part.usable_volume, "mL")
    return _liquid(part)


def _how(part: Part, line: Line, of_kit: bool, formulary: Formulary) -> str | None:
    """Say how a powder is dissolved: adding and making up to differ."""
    if part.form is not Form.POWDER:
        return None
    named = f"{part.name}: " if of_kit and part.name else ""
    rec = part.reconstitution
    diluents = rec.diluents if rec is not None else ()
    liquid = " or ".join(_name(diluent, formulary) for diluent in diluents) or "the diluent"
    if line.make_up_to is not None:
        return f"{named}make up to {show(line.make_up_to)} with {liquid}, measured"
    if rec is None:
        return None
    joined = "of" if rec.method is Method.ADD else "with"
    text = f"{named}{rec.method} {show(rec.volume)} {joined} {liquid}"
    if rec.labelled_volume is not None:
        return f"{text}; the label counts the container as {show(rec.labelled_volume)}"
    if rec.displacement is not None:
        return f"{text}; the powder displaces {show(rec.displacement)}"
    return text


def _name(substance: str, formulary: Formulary) -> str:
    return formulary.substance(substance).name if formulary.has_substance(substance) else substance
