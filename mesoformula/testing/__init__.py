"""
The kit for whoever writes a plugin: fixtures, conformance classes, and the rules themselves without pytest.

```python
import mesoformula_acme
import pytest

from mesoformula.testing import CatalogueConformance, PluginConformance


class TestAcme(PluginConformance, CatalogueConformance):
    @pytest.fixture
    def plugin(self):
        return mesoformula_acme
```

`mesoformula plugin check mesoformula_acme` tries the same rules where there is no pytest. The classes need
pytest, which they import; nothing else here does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesoformula.testing.conformance import CatalogueConformance as CatalogueConformance
    from mesoformula.testing.conformance import ChecksConformance as ChecksConformance
    from mesoformula.testing.conformance import ExporterConformance as ExporterConformance
    from mesoformula.testing.conformance import ImporterConformance as ImporterConformance
    from mesoformula.testing.conformance import IngredientClassConformance as IngredientClassConformance
    from mesoformula.testing.conformance import LotPolicyConformance as LotPolicyConformance
    from mesoformula.testing.conformance import PluginConformance as PluginConformance
    from mesoformula.testing.conformance import QuantitiesConformance as QuantitiesConformance
    from mesoformula.testing.conformance import SheetsConformance as SheetsConformance
    from mesoformula.testing.fixtures import Made as Made
    from mesoformula.testing.reports import Report as Report
    from mesoformula.testing.reports import check_plugin as check_plugin
    from mesoformula.testing.reports import reports_of as reports_of
    from mesoformula.testing.rules import State as State
    from mesoformula.testing.rules import Verdict as Verdict

_HOMES = {
    "conformance": (
        "CatalogueConformance",
        "ChecksConformance",
        "ExporterConformance",
        "ImporterConformance",
        "IngredientClassConformance",
        "LotPolicyConformance",
        "PluginConformance",
        "QuantitiesConformance",
        "SheetsConformance",
    ),
    "fixtures": ("Made",),
    "reports": ("Report", "check_plugin", "reports_of"),
    "rules": ("State", "Verdict"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
