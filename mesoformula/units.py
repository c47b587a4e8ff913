"""
The strict grammar for quantities, and the one registry behind it.

A quantity is a number, a unit and at most one "per" part: `5 mg`, `500 mg/5 mL`, `20 % w/v`, `1:1000 w/v`,
`113 mg per container`. pint never reads a user's text: it takes `5,5 mg` for 55 mg and `1:1000` for 1000.
Whatever this grammar refuses, it refuses with the right spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, localcontext
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from mesoformula.definitions import ready_made
from mesoformula.errors import QuantityError
from mesoformula.grammar import EXAMPLES as EXAMPLES
from mesoformula.grammar import (
    PERCENT,
    QUANTITY,
    RATIO,
    UNIT,
    believable,
    clean,
    number_of,
    refusal,
)
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    import pint
    from pint.facets.plain import PlainUnit

    Quantity: TypeAlias = pint.Quantity[Any]
    Unit: TypeAlias = PlainUnit

#: Far more digits than the 1e-20 that is promised, whatever the caller's decimal context.
EXACT = Context(prec=50)

#: Spellings that are common, wrong here, and what to write instead.
_INSTEAD = {
    "cc": "write mL",
    "gr": "this may mean grains or grams; write g or mg",
    "gm": "write g",
    "gamma": "write µg",
    "IE": "international units are written IU",
    "UI": "international units are written IU",
    "I": "international units are written IU",
    "iu": "international units are written IU",
    "Iu": "international units are written IU",
    "month": "months differ in length; write days, such as '28 d'",
    "months": "months differ in length; write days, such as '28 d'",
    "C": "write °C",
    "ppm": "write the mass per mass, such as '5 mg/kg'",
}
_BASES = {"w/v": ("g", "mL"), "w/w": ("g", "g"), "v/v": ("mL", "mL")}
_ACTIVITY = {"U", "u", "unit", "units", "Unit", "Units", "E", "MU", "mU", "kU", "TRU"}


@attrs.frozen
class Strength:
    """
    How much of something there is in how much of a product: `500 mg/5 mL`.

    Attributes:
        amount: Mass, amount of substance, equivalents, activity or volume.
        per: Volume or mass of product; None means per container.
        basis: `w/v`, `w/w` or `v/v` where it was written as a percentage or ratio.
        written: The text it was read from.
    """

    amount: Quantity
    per: Quantity | None
    basis: str | None = None
    written: str = ""

    def __str__(self) -> str:
        """Write it so that the grammar reads it back."""
        if self.per is None:
            return f"{show(self.amount)} per container"
        if self.per.magnitude == 1:
            return f"{show(self.amount)}/{symbol(self.per.units)}"
        return f"{show(self.amount)}/{show(self.per)}"


@attrs.frozen
class _Units:
    """What units.txt and the plugins define, and the registry made of it."""

    registry: pint.UnitRegistry[Any]
    by_spelling: dict[str, Unit]
    compounds: dict[str, Unit]
    symbols: dict[str, str]
    kinds: dict[Unit, str]


def _definitions() -> list[str]:
    text = files("mesoformula").joinpath("units.txt").read_text(encoding="utf-8")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def _spellings(definition: str) -> tuple[str, list[str]]:
    name, _value, *spellings = (part.strip() for part in definition.split("="))
    return name, spellings


def _define(units: _Units, definition: str) -> None:
    name, spellings = _spellings(definition)
    units.registry.define(ready_made(definition) or definition)
    unit = units.registry.Unit(name)
    dimension = str(unit.dimensionality)
    units.kinds[unit] = _KINDS.get(dimension, dimension.strip("[]"))
    units.symbols[name] = spellings[0] if spellings else name
    for spelling in spellings or [name]:
        units.by_spelling[spelling] = unit


_KINDS = {
    "[mass]": "mass",
    "[length] ** 3": "volume",
    "[length]": "length",
    "[length] ** 2": "area",
    "[time]": "time",
    "[temperature]": "temperature",
    "[substance]": "amount of substance",
    "[equivalents]": "equivalents",
    "[osmoles]": "osmoles",
    "[activity]": "activity",
    "[molecular_weight]": "molecular weight",
    "[container]": "containers",
    "[points]": "points",
}
_COMPOUND = {
    ("mass", "volume"): "density",
    ("osmoles", "mass"): "osmolality",
    ("osmoles", "volume"): "osmolarity",
    ("points", "area"): "points per area",
    ("volume", "mass"): "volume per mass",
    ("activity", "mass"): "activity per mass",
    ("volume", "points"): "volume per point",
}


@cache
def _units() -> _Units:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Decimal, cache_folder=None)
    units = _Units(registry, {}, {}, {}, {})
    for definition in _definitions():
        _define(units, definition)
    return units


def registry() -> pint.UnitRegistry[Any]:
    """
    Return the one registry that every quantity of mesoformula belongs to.

    Returns:
        A pint registry with Decimal magnitudes, made on first use from units.txt alone.
    """
    return _units().registry


def define_unit(definition: str) -> None:
    """
    Add one unit to the registry and the grammar.

    Args:
        definition: One line in the form of units.txt, such as `speyu = [spe_activity] = SPEYU`.

    Raises:
        QuantityError: If the line cannot be read, or a name or spelling in it is taken: a unit is never
            redefined.
    """
    units = _units()
    parts = definition.split("=")
    if len(parts) < 2 or len(definition) > 200 or "\n" in definition or not parts[0].strip().isidentifier():
        raise QuantityError(
            f"{shown(definition)}: expected one line such as 'speyu = [spe_activity] = SPEYU'", "unit"
        )
    name, spellings = _spellings(definition)
    taken = [word for word in (name, *spellings) if word in units.by_spelling or word in units.symbols]
    if taken:
        raise QuantityError(f"unit {taken[0]!r} is defined already; a unit is never redefined", "taken")
    if {name, *spellings} & _ACTIVITY:
        raise QuantityError(
            f"{shown(definition)}: 'U' and its kin name no unit; give yours a name of its own", "unit"
        )
    wrong = [spelling for spelling in spellings or [name] if not re.fullmatch(UNIT, spelling)]
    if wrong:
        raise QuantityError(f"{shown(wrong[0])}: a spelling is letters only", "unit")
    try:
        _define(units, definition)
    except Exception as err:
        raise QuantityError(f"{shown(definition)}: {err}", "unit") from err


def unit(spelling: str) -> Unit:
    """
    Return the unit of a spelling, compound ones such as `mg/mL` included.

    Args:
        spelling: A unit that the grammar knows.

    Returns:
        The unit of the one registry.

    Raises:
        QuantityError: If the grammar does not know it.
    """
    units = _units()
    known = units.by_spelling.get(spelling) or units.compounds.get(spelling)
    if known is not None:
        return known
    top, slash, bottom = spelling.partition("/")
    if not slash:
        raise _unknown_unit(spelling, spelling)
    compound = _compound(_known(top.strip(), spelling), _known(bottom.strip(), spelling))
    units.compounds[spelling] = compound
    return compound


@cache
def _compound(top: Unit, bottom: Unit) -> Unit:
    return registry().Unit(f"{top} / {bottom}")


def _known(spelling: str, text: str) -> Unit:
    found = _units().by_spelling.get(spelling)
    if found is None:
        raise _unknown_unit(spelling, text)
    return found


def kind_of(value: Unit) -> str:
    """
    Name the dimension of a unit in plain words.

    Args:
        value: A unit of the registry.

    Returns:
        A word such as `mass`, or `mass per volume` for a compound one.
    """
    kinds = _units().kinds
    try:
        return kinds[value]
    except KeyError:
        pass
    dimension = str(value.dimensionality)
    kind = _KINDS.get(dimension)
    if kind is None:
        kind = next(
            (name for name in EXAMPLES if name in _COMPOUND.values() and _same(value, EXAMPLES[name])),
            dimension,
        )
    kinds[value] = kind
    return kind


def _same(value: Unit, example: str) -> bool:
    match = QUANTITY.fullmatch(example)
    return match is not None and bool(value.dimensionality == unit(f"{match[2]}/{match[4]}").dimensionality)


def quantity(value: Decimal | int | str, spelling: str) -> Quantity:
    """
    Make a quantity in code, where the unit is the programmer's and not a user's.

    Args:
        value: A finite number; never a float.
        spelling: A unit that the grammar knows, such as `mg/mL`.

    Returns:
        A quantity of the one registry with a Decimal magnitude.

    Raises:
        TypeError: If value is a binary float or a flag.
        QuantityError: If it is no finite number, or the unit is not known.
    """
    if isinstance(value, float | bool):
        raise TypeError(f"{value!r} is a binary float or a flag; use Decimal or a string")
    try:
        number = Decimal(value)
    except ArithmeticError as err:
        raise QuantityError(f"{shown(str(value))} is no number such as '5.5'", "grammar") from err
    if not number.is_finite():
        raise QuantityError(f"{number} is not a finite number", "not-finite")
    return registry().Quantity(number, unit(spelling))


@cache
def quantities_in(spelling: str) -> Callable[[Decimal], Quantity]:
    """
    Make the function that makes quantities of one unit, for code that makes hundreds at a time.

    pint looks at every number and unit anew to find out what they might be. Here both are known, so that only
    what makes up one of its quantities is filled in; should that ever be something else, pint does it.

    Args:
        spelling: A unit that the grammar knows, such as `mg/mL`.

    Returns:
        A function from a Decimal to a quantity of the one registry.
    """
    of = unit(spelling)
    pattern = registry().Quantity(Decimal(1), of)
    kind, units = type(pattern), pattern._units
    if vars(pattern) != {"_magnitude": Decimal(1), "_units": units}:
        return lambda value: registry().Quantity(value, of)

    def make(value: Decimal) -> Quantity:
        made: Quantity = object.__new__(kind)
        made._magnitude = value
        made._units = units
        return made

    return make


def parse_quantity(text: str, dimension: str | None = None, *, picograms: bool = False) -> Quantity:
    """
    Read a quantity that a person wrote.

    Args:
        text: A number and a unit, such as `5 mg`; compound units such as `1.05 g/mL` where the dimension
            allows one.
        dimension: What is expected, a key of `EXAMPLES`; None takes any.
        picograms: Whether `pg` is believable here. It mostly is a misprint of `µg`.

    Returns:
        The quantity, zero or above, exactly as written.

    Raises:
        QuantityError: If anything else than the grammar allows was written.
    """
    text = clean(text)
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise refusal(text, dimension)
    number, top, per_number, bottom = match.groups()
    top_unit = _checked_unit(top, text, picograms)
    value = number_of(number, text)
    if bottom is None:
        result: Quantity = registry().Quantity(value, top_unit)
        kind = kind_of(top_unit)
    else:
        bottom_unit = _checked_unit(bottom, text, picograms)
        if per_number is not None:
            per = number_of(per_number, text)
            if not per:
                raise QuantityError(f"{shown(text)}: nothing can be per 0", "zero")
            value = believable(EXACT.divide(value, per), text)
        result = registry().Quantity(value, _compound(top_unit, bottom_unit))
        kind = _COMPOUND.get((kind_of(top_unit), kind_of(bottom_unit)), "compound quantity")
    if dimension is not None and kind != dimension:
        raise _wrong_kind(text, kind, dimension)
    if dimension is None and kind == "compound quantity":
        raise QuantityError(
            f"{shown(text)}: a {kind_of(top_unit)} per {kind_of(bottom_unit)} means nothing here", "dimension"
        )
    return result


def parse_strength(text: str, *, picograms: bool = False) -> Strength:
    """
    Read how much of something there is in how much of a product.

    Args:
        text: `5 mg/mL`, `500 mg/5 mL`, `20 % w/v`, `1:1000 w/v`, `15 mg/g`, `2 mmol/mL`, `8.1 mEq/g`,
            `1500 IU/mL`, `113 mg per container`.
        picograms: Whether `pg` is believable here.

    Returns:
        The strength, above zero, exactly as written.

    Raises:
        QuantityError: If it is no strength, or has no basis (`20 %`, `1:1000`).
    """
    text = clean(text)
    make = registry().Quantity
    if match := PERCENT.fullmatch(text):
        value, basis = number_of(match[1], text), match[2]
        if value > 100:
            raise QuantityError(f"{shown(text)}: more than 100 %", "range")
        amount_unit, per_unit = _BASES[basis]
        strength = Strength(make(value, unit(amount_unit)), make(Decimal(100), unit(per_unit)), basis, text)
    elif match := RATIO.fullmatch(text):
        value, basis = number_of(match[1], text), match[2]
        amount_unit, per_unit = _BASES[basis]
        strength = Strength(make(Decimal(1), unit(amount_unit)), make(value, unit(per_unit)), basis, text)
    else:
        match = QUANTITY.fullmatch(text)
        if match is None:
            raise refusal(text, "strength")
        strength = _strength(match, text, picograms)
    if not strength.amount.magnitude or (strength.per is not None and not strength.per.magnitude):
        raise QuantityError(f"{shown(text)}: a strength is above zero", "zero")
    return strength


def _strength(match: re.Match[str], text: str, picograms: bool) -> Strength:
    number, top, per_number, bottom = match.groups()
    make = registry().Quantity
    top_unit = _checked_unit(top, text, picograms)
    if kind_of(top_unit) in _NO_AMOUNT_KINDS:
        raise _wrong_kind(text, kind_of(top_unit), "strength")
    amount = make(number_of(number, text), top_unit)
    if bottom is None:
        raise QuantityError(
            f"{shown(text)}: how much product holds it is missing; "
            f"write '{text}/mL', '{text}/5 mL' or '{text} per container'",
            "basis",
        )
    bottom_unit = _checked_unit(bottom, text, picograms)
    per_kind = kind_of(bottom_unit)
    per_value = number_of(per_number, text) if per_number is not None else Decimal(1)
    if per_kind == "containers":
        if per_value != 1:
            raise QuantityError(f"{shown(text)}: say it for one container", "basis")
        return Strength(amount, None, None, text)
    if per_kind not in ("volume", "mass"):
        raise QuantityError(
            f"{shown(text)}: a strength is per volume, per mass or per container, not per {per_kind}",
            "dimension",
        )
    return Strength(amount, make(per_value, bottom_unit), None, text)


#: Dimensions of the core that no amount of a substance has. A unit of activity that a product or a standard
#: declares has a dimension of its own, and amounts may be told in it.
_NO_AMOUNT_KINDS = frozenset(_KINDS.values()) - {
    "mass",
    "amount of substance",
    "equivalents",
    "activity",
    "volume",
}


def _checked_unit(spelling: str, text: str, picograms: bool) -> Unit:
    found = _known(spelling, text)
    if not picograms and spelling == "pg":
        raise QuantityError(
            f"{shown(text)}: pg (picograms) is mostly a misprint of µg; "
            f"write '{text.replace('pg', 'µg')}', or ng if it really is so little",
            "picograms",
        )
    return found


def _unknown_unit(spelling: str, text: str) -> QuantityError:
    if spelling in _ACTIVITY:
        return QuantityError(
            f"{shown(text)}: units of activity belong to a product or a standard; declare which, and write "
            f"the unit that it defines",
            "activity",
        )
    if spelling in _INSTEAD:
        return QuantityError(f"{shown(text)}: unit {spelling!r}: {_INSTEAD[spelling]}", "unit")
    known = list(_units().by_spelling)
    same = [word for word in known if word.casefold() == spelling.casefold()]
    close = same or nearest(spelling, known)
    hint = f"; did you mean {' or '.join(close)}?" if close else f"; expected one such as {_SOME_UNITS}"
    return QuantityError(f"{shown(text)}: unit {shown(spelling)} is not known{hint}", "unit")


_SOME_UNITS = "mg, µg, mL, mmol, mEq, IU"


def _wrong_kind(text: str, kind: str, dimension: str) -> QuantityError:
    article = "an" if kind[0] in "aeio" else "a"
    if dimension == "strength":
        return QuantityError(
            f"{shown(text)} is {article} {kind}; expected a strength such as '5 mg/mL'", "dimension"
        )
    expected = "an" if dimension[0] in "aeio" else "a"
    return QuantityError(
        f"{shown(text)} is {article} {kind}; expected {expected} {dimension} such as '{EXAMPLES[dimension]}'",
        "dimension",
    )


def symbol(value: Unit) -> str:
    """
    Write a unit with its preferred symbols.

    Args:
        value: A unit of the registry.

    Returns:
        Text such as `mg/mL`, which the grammar reads back.
    """
    symbols = _units().symbols
    top: list[str] = []
    bottom: list[str] = []
    for name, exponent in value._units.items():
        power = int(str(exponent))
        sign = symbols[name] + {1: "", 2: "²", 3: "³"}.get(abs(power), f"^{abs(power)}")
        (top if power > 0 else bottom).append(sign)
    return "·".join(top) + ("/" + "·".join(bottom) if bottom else "")


def plain(value: Decimal) -> str:
    """
    Write a Decimal without an exponent and without trailing zeros.

    Args:
        value: Any finite number.

    Returns:
        Text such as `0.3`, unrounded.
    """
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def show(value: Quantity) -> str:
    """
    Write a quantity unrounded, so that the grammar reads it back.

    Args:
        value: A quantity of the registry.

    Returns:
        Text such as `2.5 mL`.
    """
    return f"{plain(value.magnitude)} {symbol(value.units)}"


@cache
def _factor(source: Unit, target: Unit) -> Decimal:
    if _KINDS.get(str(target.dimensionality)) == "temperature":
        raise QuantityError("temperatures have no factor between them", "dimension")
    make = registry().Quantity
    with localcontext(EXACT):
        # Both over the root unit: pint multiplies by a reciprocal, and an hour would not have 60 minutes.
        factor: Decimal = (
            make(Decimal(1), source).to_root_units().magnitude
            / make(Decimal(1), target).to_root_units().magnitude
        )
    return factor


def magnitude(value: Quantity, spelling: str) -> Decimal:
    """
    Return a quantity's number in a given unit.

    Args:
        value: A quantity of a ratio scale (not a temperature).
        spelling: The unit, of the same dimension.

    Returns:
        The exact number.

    Raises:
        QuantityError: If the dimensions differ, or it is a temperature in another unit.
    """
    target = unit(spelling)
    if not isinstance(value.magnitude, Decimal) or not value.magnitude.is_finite():
        raise QuantityError(
            f"{value.magnitude!r:.40} is no finite Decimal; make quantities with parse_quantity or quantity",
            "not-decimal",
        )
    if value._units is target._units:  # as good as always, and pint's own comparison is slow
        return value.magnitude
    source = value.units
    if source == target:
        return value.magnitude
    if source.dimensionality != target.dimensionality:
        raise QuantityError(f"{show(value)} is no {kind_of(target)}", "dimension")
    return EXACT.multiply(value.magnitude, _factor(source, target))


def known_units() -> Iterable[str]:
    """
    List every spelling that the grammar accepts.

    Returns:
        Symbols such as `mg`.
    """
    return tuple(_units().by_spelling)
