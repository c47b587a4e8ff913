import mesoformula_belle
import pytest

from mesoformula.testing import CatalogueConformance, PluginConformance


class TestBelle(PluginConformance, CatalogueConformance):
    @pytest.fixture
    def plugin(self):
        return mesoformula_belle
