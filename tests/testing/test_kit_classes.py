"""The rules for plugins that offer ingredient classes, and for their catalogues."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import attrs
import pytest

from mesoformula import IngredientClass, hookimpl
from mesoformula.fields import Flag, Text, Whole, written
from mesoformula.testing import IngredientClassConformance, PluginConformance, check_plugin
from mesoformula.testing.rules import State


@attrs.frozen
class Peptide:
    sequence: str | None = attrs.field(default=None, metadata=written(Text(), "One-letter codes."))
    length: int | None = attrs.field(default=None, metadata=written(Whole(2, 200), "Amino acids in it."))
    acetylated: bool | None = attrs.field(default=None, metadata=written(Flag(), "At its end."))


def plugin_with(attributes: Any, name: str = "peptide") -> ModuleType:
    module = ModuleType("acme_classes")

    @hookimpl
    def mesoformula_ingredient_classes() -> list[IngredientClass]:
        return [IngredientClass(name, "peptide", "signals to fibroblasts", attributes)]

    module.mesoformula_ingredient_classes = mesoformula_ingredient_classes  # type: ignore[attr-defined]
    return module


class TestARightClass(PluginConformance, IngredientClassConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return plugin_with(Peptide)


@attrs.define
class Changeable:
    sequence: str | None = attrs.field(default=None, metadata=written(Text(), "One-letter codes."))


@attrs.frozen
class Demanding:
    sequence: str = attrs.field(metadata=written(Text(), "One-letter codes."))


@attrs.frozen
class Unwritten:
    sequence: str | None = None


def no_formula(instance: object, attribute: object, value: object) -> None:
    if value is not None and str(value).startswith("="):
        raise RuntimeError("no formula")


@attrs.frozen
class Raising:
    sequence: str | None = attrs.field(
        default=None, metadata=written(Text(), "One-letter codes."), validator=no_formula
    )


@attrs.frozen
class NotKept:
    sequence: list[str] | None = attrs.field(default=None, metadata=written(Text(), "One-letter codes."))


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        (Changeable, "class-attributes"),
        (Demanding, "class-attributes"),
        (Demanding, "class-catalogue"),
        (Unwritten, "class-attributes"),
        (dict, "class-attributes"),
        (Raising, "class-junk"),
    ],
)
def test_a_wrong_class_fails_the_rule_that_it_breaks(attributes: type[Any], rule: str) -> None:
    report = check_plugin(plugin_with(attributes))

    assert rule in {one.rule.code for one in report.verdicts if one.state is State.FAILED}


def test_a_name_that_no_catalogue_could_use_is_refused() -> None:
    report = check_plugin(plugin_with(Peptide, "Peptide 2"))

    assert "names" in {one.rule.code for one in report.verdicts if one.state is State.FAILED}
