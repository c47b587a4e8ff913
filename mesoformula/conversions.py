"""
Mass ↔ amount of substance ↔ equivalents ↔ international units ↔ moiety, through a named substance.

Every way leads over the mass of the exact form. A way that needs a fact which the substance does not have is
refused, and the message names the fact.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

import attrs

from mesoformula.elements import molar_mass
from mesoformula.errors import ConversionError
from mesoformula.ingredients import Ion, Substance
from mesoformula.units import (
    EXACT,
    Strength,
    kind_of,
    magnitude,
    plain,
    quantity,
    registry,
    show,
    symbol,
    unit,
)
from mesoformula.words import nearest

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Unit

Lookup = Callable[[str], Substance]


@attrs.frozen
class Conversion:
    """
    A converted quantity, with the way it took.

    Attributes:
        result: The quantity asked for, unrounded.
        steps: The working, line by line.
        of: What the result counts, for people. Equivalents belong to an ion, but a mass or an amount of
            substance that they are converted to is that of the whole form.
    """

    result: Quantity
    steps: tuple[str, ...]
    of: str = ""


@attrs.frozen
class _Amount:
    """A mass of the exact form, in mg, and the steps that led there."""

    mass: Decimal
    steps: tuple[str, ...]


def convert(
    value: Quantity, substance: Substance, to: str, lookup: Lookup, as_: str | None = None
) -> Conversion:
    """
    Convert a quantity of one substance.

    Args:
        value: Mass, amount of substance, equivalents or activity.
        substance: The exact form that it is a quantity of.
        to: The unit asked for.
        lookup: Finds substances by id; called for moieties.
        as_: What the result counts: a moiety of the substance, a form that has the substance as its moiety,
            or, for equivalents, an ion.

    Returns:
        The result, unrounded, and the working.

    Raises:
        ConversionError: If a fact is missing: a molar mass of a polymer, a valence, an IU factor.
    """
    target = unit(to)
    wanted = kind_of(target)
    with localcontext(EXACT):
        if wanted == "equivalents" or kind_of(value.units) == "equivalents":
            return _with_equivalents(value, substance, to, lookup, as_)
        steps: tuple[str, ...] = ()
        if kind_of(value.units) == wanted and as_ is None:
            return Conversion(value.to(target), (f"{show(value)} {substance.name}",), substance.name)
        form = _mass(value, substance, lookup)
        steps = form.steps
        mass, counted = form.mass, substance
        if as_ is not None and as_ != substance.id:
            factor, step, counted = moiety_factor(substance, as_, lookup)
            mass *= factor
            steps += (step,)
        number, more = _from_mass(mass, counted, wanted, target, lookup)
        steps += more
        return Conversion(registry().Quantity(number, target), steps, counted.name)


def moiety_factor(substance: Substance, to: str, lookup: Lookup) -> tuple[Decimal, str, Substance]:
    """
    Find by which factor a mass of one form becomes a mass of another.

    Args:
        substance: The form at hand.
        to: Id of a moiety of it, or of a form whose moiety it is.
        lookup: Finds substances by id.

    Returns:
        The factor (mass per mass), the step in words, and what the mass then counts.

    Raises:
        ConversionError: If neither is a moiety of the other, or a formula is missing.
    """
    other = lookup(to)
    if substance.id == to:
        return Decimal(1), f"counted as {other.name} itself", other
    for moiety in substance.moieties:
        if moiety.substance == to:
            own, its, unit_word = _masses(substance, other)
            factor = EXACT.divide(its * moiety.count, own)
            times = f"{moiety.count} × " if moiety.count > 1 else ""
            return (
                factor,
                f"× {times}{plain(its)} g/mol {other.name} ÷ {plain(own)} g/mol {substance.name}{unit_word} "
                f"(factor {_short(factor)})",
                other,
            )
    for moiety in other.moieties:
        if moiety.substance == substance.id:
            own, its, unit_word = _masses(substance, other)
            factor = EXACT.divide(its, own * moiety.count)
            times = f"{moiety.count} × " if moiety.count > 1 else ""
            return (
                factor,
                f"× {plain(its)} g/mol {other.name} ÷ {times}{plain(own)} g/mol {substance.name}{unit_word} "
                f"(factor {_short(factor)})",
                other,
            )
    known = ", ".join(moiety.substance for moiety in substance.moieties)
    raise ConversionError(
        f"{substance.name} is not counted as {other.name}"
        + (f"; it can be counted as {known}" if known else "; no moiety of it is known"),
        "moiety",
    )


def _masses(substance: Substance, other: Substance) -> tuple[Decimal, Decimal, str]:
    own, its = _formula_mass(substance), _formula_mass(other)
    return own, its, ", by repeat unit" if substance.is_polymer or other.is_polymer else ""


def _formula_mass(substance: Substance) -> Decimal:
    text = substance.formula or substance.repeat_unit
    if text is None:
        raise ConversionError(
            f"the formula of {substance.name} is not known, so that nothing can be counted in it", "formula"
        )
    return molar_mass(text)


def _mass(value: Quantity, substance: Substance, lookup: Lookup) -> _Amount:
    """Bring a quantity to the mass of the exact form."""
    kind = kind_of(value.units)
    start = f"{show(value)} {substance.name}"
    if kind == "mass":
        return _Amount(magnitude(value, "mg"), (start,))
    if kind == "amount of substance":
        mass = _molar_mass(substance)
        return _Amount(magnitude(value, "mmol") * mass, (start, f"× {plain(mass)} g/mol {substance.name}"))
    if kind == "activity":
        per_mg, text = _activity(substance, lookup)
        return _Amount(magnitude(value, "IU") / per_mg, (start, f"÷ {text}"))
    raise ConversionError(
        f"{show(value)} is {_article(kind)}; expected a mass, mmol, mEq or IU of {substance.name}",
        "dimension",
    )


def _from_mass(
    mass: Decimal, substance: Substance, wanted: str, target: Unit, lookup: Lookup
) -> tuple[Decimal, tuple[str, ...]]:
    """Bring a mass of a form, in mg, to the unit asked for."""
    if wanted == "mass":
        number = quantity(mass, "mg").to(target).magnitude
        return number, ()
    if wanted == "amount of substance":
        own = _molar_mass(substance)
        number = quantity(mass / own, "mmol").to(target).magnitude
        return number, (f"÷ {plain(own)} g/mol {substance.name}",)
    if wanted == "activity":
        per_mg, text = _activity(substance, lookup)
        return quantity(mass * per_mg, "IU").to(target).magnitude, (f"× {text}",)
    raise ConversionError(
        f"{substance.name} cannot be told in {symbol(target)}, {_article(wanted)}; "
        "expected a unit of mass, mmol, mEq or IU",
        "dimension",
    )


def _molar_mass(substance: Substance) -> Decimal:
    mass = substance.molar_mass
    if mass is not None:
        return mass
    if substance.is_polymer:
        raise ConversionError(
            f"{substance.name} is a polymer: its molecules differ in size, so that it has no molar mass "
            "and no mol; use mass",
            "polymer",
        )
    raise ConversionError(f"the formula of {substance.name} is not known, so that it has no mol", "formula")


def iu_per_mg(substance: Substance, lookup: Lookup) -> Decimal:
    """
    Tell how many international units a mass of one form has.

    Args:
        substance: The exact form.
        lookup: Finds substances by id.

    Returns:
        IU per mg of that form.

    Raises:
        ConversionError: If it has no international unit.
    """
    with localcontext(EXACT):
        return _activity(substance, lookup)[0]


def _activity(substance: Substance, lookup: Lookup) -> tuple[Decimal, str]:
    activity = substance.activity
    if activity is None:
        why = (
            substance.no_activity
            or "an IU belongs to one substance or product, and none is defined for this one"
        )
        raise ConversionError(f"{substance.name} has no IU: {why}", "activity")
    per = activity.per
    if per.per is None or kind_of(per.amount.units) != "activity":
        raise ConversionError(f"{substance.name}: {per.written} is not IU per mass", "activity")
    per_mg = magnitude(per.amount, "IU") / magnitude(per.per, "mg")
    text = f"{per}"
    if activity.moiety is not None and activity.moiety != substance.id:
        factor, _step, counted = moiety_factor(substance, activity.moiety, lookup)
        per_mg *= factor
        text = f"{per} {counted.name} × {_short(factor)} {counted.name} per {substance.name}"
    return per_mg, f"{text} ({activity.source.kind}: {activity.source.where})"


def _with_equivalents(
    value: Quantity, substance: Substance, to: str, lookup: Lookup, as_: str | None
) -> Conversion:
    """Convert from or to equivalents, which belong to a named ion."""
    if as_ is None:
        known = ", ".join(ion.name for ion in substance.ions)
        raise ConversionError(
            f"equivalents of {substance.name} belong to an ion; name it: {known}"
            if known
            else f"equivalents belong to an ion, and none of {substance.name} is known",
            "ion",
        )
    ion = _ion(substance, as_)
    assert ion.valence is not None  # noqa: S101 (_ion refuses others)
    charge = ion.count * ion.valence
    named = f"{ion.count} × " if ion.count > 1 else ""
    step = f"{named}{ion.name} of valence {ion.valence} per molecule"
    if kind_of(value.units) == "equivalents":
        if kind_of(unit(to)) == "equivalents":
            return Conversion(value.to(unit(to)), (f"{show(value)} {ion.name}",), ion.name)
        moles = quantity(magnitude(value, "mEq") / charge, "mmol")
        first = (f"{show(value)} {ion.name}", f"÷ {charge} ({step})")
        rest = convert(moles, substance, to, lookup)
        return Conversion(rest.result, first + rest.steps[1:], substance.name)
    rest = convert(value, substance, "mmol", lookup)
    number = quantity(rest.result.magnitude * charge, "mEq").to(unit(to)).magnitude
    return Conversion(registry().Quantity(number, unit(to)), (*rest.steps, f"× {charge} ({step})"), ion.name)


def _ion(substance: Substance, name: str) -> Ion:
    for ion in substance.ions:
        if ion.name == name:
            if ion.valence is None:
                raise ConversionError(
                    f"the valence of {name} depends on the pH, which is not given; use mmol instead of mEq",
                    "valence",
                )
            return ion
    known = [ion.name for ion in substance.ions]
    close = nearest(name, known) or tuple(known)
    raise ConversionError(
        f"{substance.name} yields no ion called {name}"
        + (f"; it yields {', '.join(close)}" if close else ""),
        "ion",
    )


def convert_strength(
    value: Strength, substance: Substance, to: str, lookup: Lookup, as_: str | None = None
) -> tuple[Strength, tuple[str, ...]]:
    """
    Convert the amount in a strength, and leave what it is per.

    Args:
        value: A strength of the substance.
        substance: The exact form.
        to: The unit asked for, of the amount alone, such as `mmol`.
        lookup: Finds substances by id.
        as_: What the result counts, as for `convert`.

    Returns:
        The strength and the working.

    Raises:
        ConversionError: If a fact is missing.
    """
    converted = convert(value.amount, substance, to, lookup, as_)
    return attrs.evolve(value, amount=converted.result, basis=None, written=""), converted.steps


def _short(factor: Decimal) -> str:
    if factor < 1:
        return plain(Context(prec=5).plus(factor))
    return plain(factor.quantize(Decimal("0.00001"), context=EXACT))


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
