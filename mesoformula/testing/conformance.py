"""
Tests that a plugin inherits: one class per kind of plugin, and one fixture to override.

Every test is one rule of the kit; what fails names the hook, what was found and what to do. The fixtures of
`Conformance` say what to try the plugin with, and what it does not claim to do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mesoformula.products import Product
from mesoformula.provenance import PluginInfo
from mesoformula.sessions import Session
from mesoformula.sheets import Sheet, SheetRequest
from mesoformula.testing.reports import reference_of, rules_of
from mesoformula.testing.rules import HOOKS_OF, Kind, Rule, State, judged
from mesoformula.testing.subject import Subject

C = TypeVar("C", bound=type)

#: The classes by what they are for; filled where they are made.
_CLASSES: dict[Kind, type] = {}


class Conformance:
    """What every conformance class has: the plugin, and what to try it with."""

    @pytest.fixture
    def plugin(self) -> object:
        """The plugin, as its entry point names it: a module, a class or an instance. Override this."""
        raise NotImplementedError(
            f"{type(self).__name__} names no plugin: override the fixture `plugin` to return your module"
        )

    @pytest.fixture
    def plugin_name(self, plugin: object) -> str:
        """What the plugin is called in messages."""
        name = str(getattr(plugin, "__name__", None) or type(plugin).__name__)
        return name.rpartition(".")[2].removeprefix("mesoformula_")

    @pytest.fixture
    def example_sessions(self) -> tuple[Session, ...]:
        """Sessions to have worked out and checked; none for those of the kit."""
        return ()

    @pytest.fixture
    def example_products(self) -> tuple[Product, ...]:
        """Products to have checked; none for the plugin's own and some bundled ones."""
        return ()

    @pytest.fixture
    def example_requests(self) -> tuple[SheetRequest, ...]:
        """What to have sheets made for; none for a stock of the kit."""
        return ()

    @pytest.fixture
    def example_sheets(self) -> tuple[Sheet, ...]:
        """Sheets to have written or annotated; none for those of the kit, which hold every kind of value."""
        return ()

    @pytest.fixture
    def scales_with_volume(self) -> bool:
        """Whether twice the volume takes twice of every line; False if the plugin does not claim that."""
        return True

    @pytest.fixture
    def needs_bundled_catalogues(self) -> bool:
        """Whether the plugin's catalogues name bundled substances; False if they take bundled names."""
        return True

    @pytest.fixture
    def conformance_subject(
        self,
        plugin: object,
        plugin_name: str,
        example_sessions: tuple[Session, ...],
        example_products: tuple[Product, ...],
        example_requests: tuple[SheetRequest, ...],
        example_sheets: tuple[Sheet, ...],
        scales_with_volume: bool,
        needs_bundled_catalogues: bool,
        tmp_path: Path,
    ) -> Subject:
        """The plugin with all that it is tried with."""
        folder = tmp_path / "conformance"
        folder.mkdir()
        return Subject(
            plugin,
            PluginInfo(plugin_name),
            folder.resolve(),
            reference_of(plugin),
            example_sessions=tuple(example_sessions),
            example_products=tuple(example_products),
            example_requests=tuple(example_requests),
            example_sheets=tuple(example_sheets),
            scales_with_volume=scales_with_volume,
            needs_bundled=needs_bundled_catalogues,
        )


def _demanded(rule: Rule, subject: Subject) -> None:
    """Fail the test, or skip it, as the rule says."""
    __tracebackhide__ = True
    hooks = HOOKS_OF[rule.kind]
    if hooks and subject.is_registered and not set(hooks) & set(subject.hooks):
        found = ", ".join(subject.hooks) or "none"
        pytest.fail(
            f"{rule.kind}: implements none of {', '.join(hooks)} (found: {found}); "
            f"implement one, or do not inherit from {_CLASSES[rule.kind].__name__}",
            pytrace=False,
        )
    verdict = judged(rule, subject)
    if verdict.state is State.FAILED:
        problems = "\n".join(f"- {problem}" for problem in verdict.problems)
        pytest.fail(f"{rule.sentence}.\n{problems}", pytrace=False)
    if verdict.state is State.NOT_APPLICABLE:
        pytest.skip(verdict.reason)


def _test_of(rule: Rule) -> Callable[[Any, Subject], None]:
    def test(self: Any, conformance_subject: Subject) -> None:  # noqa: ARG001 (a method)
        __tracebackhide__ = True
        _demanded(rule, conformance_subject)

    test.__name__ = rule.test
    test.__doc__ = rule.sentence
    return test


def _tests(kind: Kind) -> Callable[[C], C]:
    """Give a class a test for every rule of a kind, so that both can never be different."""

    def fill(cls: C) -> C:
        for rule in rules_of(kind):
            setattr(cls, rule.test, _test_of(rule))
        _CLASSES[kind] = cls
        return cls

    return fill


@_tests(Kind.PLUGIN)
class PluginConformance(Conformance):
    """What every plugin obeys, whatever it offers."""

    def test_every_kind_of_thing_that_it_offers_is_tested(
        self, conformance_subject: Subject, request: pytest.FixtureRequest
    ) -> None:
        """Every kind of thing that it offers is tested, by a class in the same module."""
        classes = [one for one in vars(request.module).values() if isinstance(one, type)]
        missing = [
            _CLASSES[kind].__name__
            for kind, hooks in HOOKS_OF.items()
            if set(hooks) & set(conformance_subject.hooks)
            and not any(issubclass(one, _CLASSES[kind]) and one is not _CLASSES[kind] for one in classes)
        ]
        if missing:
            pytest.fail(
                f"implements {', '.join(conformance_subject.hooks)}; let a test class also inherit from "
                f"{', '.join(missing)}",
                pytrace=False,
            )


@_tests(Kind.CATALOGUE)
class CatalogueConformance(Conformance):
    """What a plugin obeys that offers products, techniques or zones, in catalogues or in code."""


@_tests(Kind.QUANTITIES)
class QuantitiesConformance(Conformance):
    """What a plugin obeys that works out sessions."""


@_tests(Kind.CHECKS)
class ChecksConformance(Conformance):
    """What a plugin obeys that checks products or sessions."""


@_tests(Kind.SHEETS)
class SheetsConformance(Conformance):
    """What a plugin obeys that offers sheets."""


@_tests(Kind.EXPORTER)
class ExporterConformance(Conformance):
    """What a plugin obeys that writes sheets to files."""


@_tests(Kind.IMPORTER)
class ImporterConformance(Conformance):
    """What a plugin obeys that reads tables from files."""


@_tests(Kind.INGREDIENT_CLASS)
class IngredientClassConformance(Conformance):
    """What a plugin obeys that offers ingredient classes."""


@_tests(Kind.LOT_POLICY)
class LotPolicyConformance(Conformance):
    """What a plugin obeys that chooses lots."""
