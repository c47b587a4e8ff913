"""Our own plugins are tested by the kit, as anybody's."""

from __future__ import annotations

from types import ModuleType

import pytest

import mesoformula_excel
import mesoformula_formulary
import mesoformula_plain
import mesoformula_quantities
import mesoformula_safety
from mesoformula.testing import (
    CatalogueConformance,
    ChecksConformance,
    ExporterConformance,
    ImporterConformance,
    PluginConformance,
    QuantitiesConformance,
    SheetsConformance,
)


class TestFormulary(PluginConformance, CatalogueConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return mesoformula_formulary


class TestQuantities(PluginConformance, QuantitiesConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return mesoformula_quantities


class TestSafety(PluginConformance, ChecksConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return mesoformula_safety


class TestExcel(PluginConformance, SheetsConformance, ExporterConformance, ImporterConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return mesoformula_excel


class TestPlain(PluginConformance, ExporterConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return mesoformula_plain
