"""
The fixtures for whoever tests a plugin of mesoformula; pytest finds them by itself.

Everything of mesoformula is imported in the fixtures: pytest imports this module at its start, whatever is
tested, and what is imported then is also hidden from whoever measures coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mesoformula.plugins import PluginManager
    from mesoformula.stock.database.store import Store
    from mesoformula.testing.fixtures import Made


@pytest.fixture
def mesoformula_manager() -> PluginManager:
    """A manager that knows the hooks and no plugin, and refuses to look for any: register yours by hand."""
    from mesoformula.plugins import empty_manager

    return empty_manager()


@pytest.fixture
def make_catalogue(tmp_path: Path) -> Callable[..., Made]:
    """Makes a formulary of the texts of catalogues; `problems` says what is wrong with them."""
    from mesoformula.testing.fixtures import made_of

    return lambda *texts: made_of(texts, tmp_path)


@pytest.fixture
def mesoformula_stock(tmp_path: Path) -> Iterator[Store]:
    """A stock that does not exist yet: the first write makes it, in a file that goes with the test."""
    from mesoformula.stock.database.store import open_stock

    with open_stock(tmp_path / "mesoformula-stock.sqlite") as store:
        yield store
