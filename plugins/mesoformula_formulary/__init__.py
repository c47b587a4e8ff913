"""Offer the catalogues that come with mesoformula."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable


@hookimpl
def mesoformula_catalogues() -> Iterable[Traversable]:
    """
    Offer the bundled catalogues.

    Returns:
        The folder of the data package.
    """
    return (files("mesoformula_catalogues"),)
