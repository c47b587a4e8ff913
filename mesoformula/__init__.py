"""
mesoformula: cocktails, sessions and stock for mesotherapy.

Everything public is importable from here; names are resolved on first use, so that importing the package
costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Quantity": "units",
    "Strength": "units",
    "parse_quantity": "units",
    "parse_strength": "units",
    "quantity": "units",
    "registry": "units",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'mesoformula' has no attribute {name!r}") from None
    value = getattr(import_module(f"mesoformula.{home}"), name)
    globals()[name] = value
    return value
