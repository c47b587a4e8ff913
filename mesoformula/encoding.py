"""
Records as plain data that JSON can hold, and back.

Two forms. The *stored* form leaves out what is None or at its default, so that a field added to a record
later does not change the content hash of what was stored before; for the same reason a field's default never
changes. The *full* form keeps everything and is what `--json` prints. In both a quantity is
`{"value": "2.5", "unit": "mL"}`, with an unrounded decimal string.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias, TypeVar

import attrs

from mesoformula import units
from mesoformula.errors import MesoformulaError
from mesoformula.fields import ClassAttributes
from mesoformula.ingredients import CORE_CLASSES
from mesoformula.sessions import Amount, AmountKind

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"
T = TypeVar("T")

# What attrs keeps as the default of a field with a factory; its stub calls the class a function.
_FACTORY: type[Any] = type(attrs.Factory(list))

#: Under which the attributes of an ingredient class carry the class's id: no field can be called so.
CLASS_KEY = "class"

_CORE: Mapping[str, type[Any]] = {known.id: known.attributes for known in CORE_CLASSES}


def to_plain(value: Any, *, full: bool = False, classes: Mapping[str, type[Any]] | None = None) -> Plain:
    """
    Turn a record, or anything that records hold, into plain data.

    Args:
        value: An attrs record, quantity, amount, enum, date, tuple, mapping, text or whole number.
        full: Keep fields that are None or at their default.
        classes: Attribute types of ingredient classes by class id, beside those of the core.

    Returns:
        Dictionaries, lists, text, whole numbers, booleans and None.

    Raises:
        TypeError: If something in it has no plain form; a binary float never has one.
    """
    return _Encoder(full, classes).plain(value)


def from_plain(plain: Any, record: type[T], *, classes: Mapping[str, type[Any]] | None = None) -> T:
    """
    Rebuild a record from either plain form.

    Attributes of an ingredient class that nobody offers any more stay the plain mapping that they are. An
    `Amount` is an answer and is not read back.

    Args:
        plain: What `to_plain` returned, or JSON of it.
        record: The attrs class to rebuild.
        classes: Attribute types of ingredient classes by class id, beside those of the core.

    Returns:
        A record equal to the one that was turned into plain data.

    Raises:
        ValueError: If the data does not fit the record; the message names the place.
    """
    result: T = _Decoder(classes).record(plain, record, record.__name__)
    return result


def _known(classes: Mapping[str, type[Any]] | None) -> dict[str, type[Any]]:
    return {**_CORE, **dict(sorted((classes or {}).items()))}


class _Encoder:
    """What the two forms have in common, and where they differ."""

    def __init__(self, full: bool, classes: Mapping[str, type[Any]] | None) -> None:
        self._full = full
        # Where two classes share a type, the first keeps it, so that a plugin cannot rename the core's.
        self._ids: dict[type[Any], str] = {}
        for name, attributes in _known(classes).items():
            self._ids.setdefault(attributes, name)

    def plain(self, value: Any) -> Plain:
        if value is None:
            return None
        if isinstance(value, enum.Enum):
            return self.plain(value.value)
        if isinstance(value, bool | int | str):
            return value
        if isinstance(value, Decimal):
            return _number(value)
        if isinstance(value, date):  # a datetime is one
            return value.isoformat()
        if isinstance(value, Amount):
            return _amount(value)
        if attrs.has(type(value)):
            return self._record(value)
        if isinstance(value, tuple | list):
            return [self.plain(item) for item in value]
        if isinstance(value, Mapping):
            return {_key(key): self.plain(item) for key, item in value.items()}
        if _is_quantity(type(value)):
            return _quantity(value)
        raise TypeError(f"a {type(value).__name__} has no plain form")

    def _record(self, value: Any) -> Plain:
        result: dict[str, Plain] = {}
        class_id = self._ids.get(type(value))
        if class_id is not None:
            result[CLASS_KEY] = class_id
        for field in attrs.fields(type(value)):
            held = getattr(value, field.name)
            if not self._full and _is_default(field, held):
                continue
            if not self._full and isinstance(field.metadata.get("kind"), ClassAttributes):
                self._check_attributes(held)
            result[field.name] = self.plain(held)
        return result

    def _check_attributes(self, held: Any) -> None:
        if isinstance(held, Mapping):
            if isinstance(held.get(CLASS_KEY), str):
                return
        elif type(held) in self._ids:
            return
        raise TypeError(f"{type(held).__name__} belongs to no ingredient class that is offered")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a mapping is a {type(key).__name__}; expected text")
    return key


def _is_default(field: attrs.Attribute[Any], held: Any) -> bool:
    default: Any = field.default
    if default is attrs.NOTHING:
        return held is None
    if isinstance(default, _FACTORY):
        default = None if default.takes_self else default.factory()
    return type(held) is type(default) and bool(held == default)


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError(f"{value} has no plain form")
    return units.plain(value)


def _quantity(value: units.Quantity) -> dict[str, Plain]:
    number, unit = value.magnitude, _unit(value)
    if not isinstance(number, Decimal):
        raise TypeError(f"{value} is not exact: its number is a {type(number).__name__}")
    return {"value": _number(number), "unit": unit}


def _unit(value: units.Quantity) -> str:
    unit: Any = value.units
    return units.symbol(unit)


def _amount(amount: Amount) -> Plain:
    kind: dict[str, Plain] = {"kind": amount.kind.value}
    if amount.kind is AmountKind.UNDISCLOSED or amount.low is None:
        return kind
    low = _quantity(amount.low)
    if amount.kind is AmountKind.STATED:
        return kind | low
    kind["low"], unit = low["value"], _unit(amount.low)
    if amount.kind is AmountKind.DISPUTED and amount.high is not None:
        kind["high"] = _number(units.magnitude(amount.high, unit))
    kind["unit"] = unit
    return kind


def _is_quantity(kind: Any) -> bool:
    import pint

    return isinstance(kind, type) and issubclass(kind, pint.Quantity)


@cache
def _hints(record: Any) -> dict[str, Any]:
    import pint

    # Records import these for type checkers alone: pint must not load with them.
    return typing.get_type_hints(record, localns={"Quantity": pint.Quantity, "Strength": units.Strength})


class _Decoder:
    """Plain data read as what the annotations of a record ask for."""

    def __init__(self, classes: Mapping[str, type[Any]] | None) -> None:
        self._classes = _known(classes)

    def record(self, plain: Any, record: Any, place: str) -> Any:
        if not isinstance(plain, Mapping):
            raise _misfit(place, plain, "a table")
        hints = _hints(record)
        fields = {field.name: field for field in attrs.fields(record)}
        unknown = sorted(set(plain) - set(fields) - {CLASS_KEY})
        if unknown:
            raise ValueError(f"{place}: {', '.join(unknown)}: not known; was it written by a newer version?")
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in plain:
                values[field.alias or name] = self.value(plain[name], hints[name], f"{place}.{name}")
            elif field.default is attrs.NOTHING:
                values[field.alias or name] = self.value(None, hints[name], f"{place}.{name}")
        return record(**values)

    def value(self, plain: Any, hint: Any, place: str) -> Any:
        if hint is Any:
            return self._attributes(plain, place)
        origin = typing.get_origin(hint) or hint
        if origin in (typing.Union, types.UnionType):
            inner = [choice for choice in typing.get_args(hint) if choice is not type(None)]
            if plain is None and len(inner) < len(typing.get_args(hint)):
                return None
            if len(inner) == 1:
                return self.value(plain, inner[0], place)
        elif origin is tuple:
            item, *rest = typing.get_args(hint)
            if rest == [...]:
                if not isinstance(plain, list | tuple):
                    raise _misfit(place, plain, "a list")
                return tuple(self.value(one, item, f"{place}[{n}]") for n, one in enumerate(plain))
        elif isinstance(origin, type):
            return self._single(plain, origin, place)
        raise TypeError(f"{place}: {hint} cannot be read back")

    def _single(self, plain: Any, kind: type[Any], place: str) -> Any:
        if _is_quantity(kind):
            return _read_quantity(plain, place)
        if attrs.has(kind):
            return self.record(plain, kind, place)
        if kind in (bool, int, str):
            if type(plain) is not kind:
                raise _misfit(place, plain, {bool: "true or false", int: "a whole number", str: "text"}[kind])
            return plain
        if not isinstance(plain, str):
            raise _misfit(place, plain, "text")
        try:
            if issubclass(kind, datetime | date):
                return kind.fromisoformat(plain)
            if issubclass(kind, enum.Enum | Decimal):
                return kind(plain)
        except (ValueError, ArithmeticError) as err:
            raise _misfit(place, plain, f"a {kind.__name__}") from err
        raise TypeError(f"{place}: a {kind.__name__} cannot be read back")

    def _attributes(self, plain: Any, place: str) -> Any:
        if not isinstance(plain, Mapping) or plain.get(CLASS_KEY) not in self._classes:
            return plain
        attributes = self._classes[plain[CLASS_KEY]]
        if attributes in _CORE.values():
            return self.record(plain, attributes, place)
        try:
            return self.record(plain, attributes, place)
        except (ValueError, TypeError, NameError):
            # The plugin has changed its class since: what was recorded stays readable as it was.
            return plain


def _read_quantity(plain: Any, place: str) -> units.Quantity:
    if not isinstance(plain, Mapping) or set(plain) != {"value", "unit"}:
        raise _misfit(place, plain, "a value with its unit")
    try:
        number = Decimal(plain["value"]) if isinstance(plain["value"], str) else Decimal("nan")
        if not number.is_finite():
            raise _misfit(place, plain["value"], "a decimal number as text")
        return units.quantity(number, plain["unit"])
    except (ArithmeticError, MesoformulaError) as err:
        raise ValueError(f"{place}: {err}") from err


def _misfit(place: str, plain: Any, expected: str) -> ValueError:
    said = repr(plain)
    return ValueError(f"{place}: expected {expected}, not {said[:40]}{'…' if len(said) > 40 else ''}")
