"""Write any value as a text that is the same exactly where the value is the same, in every process."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeGuard

import attrs

from mesoformula.formulary import RECORDS, Formulary

if TYPE_CHECKING:
    from mesoformula.units import Quantity


def canonical(value: object) -> str:
    """
    Write a value as text, everything in it included.

    Args:
        value: Anything: records, quantities, collections; functions count by their names.

    Returns:
        A text without addresses in memory. The order of a list or mapping counts, that of a set does not.
    """
    return "".join(_pieces(value, ()))


def digest(value: object) -> str:
    """
    Write a value as a short text.

    Args:
        value: As for `canonical`.

    Returns:
        64 hexadecimal digits.
    """
    return sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def is_quantity(value: object) -> TypeGuard[Quantity]:
    """
    Tell whether a value is a quantity, whichever registry it belongs to.

    Args:
        value: Anything.

    Returns:
        Whether it has a magnitude and units.
    """
    return hasattr(value, "magnitude") and hasattr(value, "units")


def _pieces(value: Any, above: tuple[int, ...]) -> Iterator[str]:
    if value is None or (
        isinstance(value, bool | int | float | str | bytes) and not isinstance(value, enum.Enum)
    ):
        yield f"{type(value).__name__}:{value!r}"
        return
    if id(value) in above:
        yield "…"
        return
    above = (*above, id(value))
    if isinstance(value, enum.Enum):
        yield f"{type(value).__qualname__}.{value.name}"
    elif isinstance(value, ModuleType):
        yield f"module:{value.__name__}"
    elif isinstance(value, type | FunctionType) or (callable(value) and hasattr(value, "__qualname__")):
        yield f"{value.__module__}.{value.__qualname__}"
    elif isinstance(value, BaseException):
        yield f"{type(value).__qualname__}:{value}"
    elif isinstance(value, Formulary):
        # Its records are read when somebody asks for them: what counts is what is on offer.
        offers = {section: tuple(value.entries(section)) for section in RECORDS}
        yield from _pieces((offers, tuple(value.classes), value.vendors), above)
    elif attrs.has(type(value)):
        yield from _named(
            value, {one.name: getattr(value, one.name) for one in attrs.fields(type(value))}, above
        )
    elif isinstance(value, Mapping):
        yield f"{type(value).__name__}{{"
        for key, held in value.items():
            yield from _pieces(key, above)
            yield "="
            yield from _pieces(held, above)
            yield ","
        yield "}"
    elif isinstance(value, AbstractSet):
        yield f"set({sorted(''.join(_pieces(one, above)) for one in value)})"
    elif isinstance(value, list | tuple):
        yield "["
        for one in value:
            yield from _pieces(one, above)
            yield ","
        yield "]"
    elif is_quantity(value):
        yield f"{value.magnitude!r} {value.units}"
    elif type(value).__module__ in ("decimal", "datetime", "fractions"):
        yield repr(value)
    elif isinstance(value, PurePath | Traversable):
        yield f"path:{value}"
    else:
        yield from _named(value, getattr(value, "__dict__", {}), above)


def _named(value: Any, held: Mapping[str, Any], above: tuple[int, ...]) -> Iterator[str]:
    yield f"{type(value).__qualname__}("
    for name, one in held.items():
        yield f"{name}="
        yield from _pieces(one, above)
        yield ","
    yield ")"
