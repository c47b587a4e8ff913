"""The contract has a version that plugins may name, and nothing goes without a warning first."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import hookspecs
from mesoformula.app import App
from mesoformula.contract_version import (
    DEPRECATIONS,
    Contract,
    DeclarationError,
    Deprecation,
    declared_contract,
)
from mesoformula.errors import PluginLoadError
from mesoformula.hookspecs import CONTRACT_VERSION, hookimpl
from mesoformula.plugins import PluginManager, State
from mesoformula.treatments import Zone

#: A fictional future, in which an argument and a hook of today are on their way out.
GOING = (
    Deprecation("mesoformula_check_session", "formulary", (1, 8), (2, 0), "take session instead"),
    Deprecation("mesoformula_zones", None, (1, 9), (2, 0), "offer a catalogue instead"),
)


def plugin(declared: object = None, **hooks: Any) -> ModuleType:
    module = ModuleType("made_for_a_test")
    if declared is not None:
        module.mesoformula_contract = declared  # type: ignore[attr-defined]
    for name, function in hooks.items():
        setattr(module, f"mesoformula_{name}", hookimpl(function))
    return module


def manager_at(version: tuple[int, int], **options: Any) -> PluginManager:
    return PluginManager(contract=Contract(version, GOING), discovers=False, **options)


def nothing() -> list[Any]:
    return []


def offers_a_zone() -> list[Zone]:
    return [Zone("z", "z", ())]


@pytest.mark.parametrize("declared", [None, "1.0", "1.8", "1.9"])
def test_a_plugin_of_this_contract_or_an_earlier_one_is_used(declared: str | None) -> None:
    manager = manager_at((1, 9))
    manager.register(plugin(declared, exporters=nothing), "p")

    (status,) = manager.report()
    assert (status.state, status.contract) == (State.ACTIVE, declared)


@pytest.mark.parametrize(
    ("declared", "advice"),
    [("1.10", "update mesoformula"), ("2.0", "update mesoformula"), ("0.9", "update the plugin")],
)
def test_a_plugin_of_a_newer_contract_or_another_first_number_is_incompatible(
    declared: str, advice: str
) -> None:
    manager = manager_at((1, 9))
    manager.register(plugin(declared, zones=offers_a_zone, newer_hook=offers_a_zone), "p", distribution="d")

    (status,) = manager.report()
    assert (status.state, status.contract, status.hooks) == (State.INCOMPATIBLE, declared, ())
    assert manager.zones() == ()
    (problem,) = manager.problems
    assert (problem.code, problem.message) == ("incompatible", status.reason)
    assert f"contract {declared}" in status.reason
    assert status.reason.endswith(advice)
    assert "plugin p is incompatible" in App(manager=manager).missing_plugins()


def test_an_incompatible_plugin_is_fatal_if_strict() -> None:
    with pytest.raises(PluginLoadError) as caught:
        manager_at((1, 9), strict=True).register(plugin("2.0", zones=offers_a_zone))

    assert caught.value.problem.code == "incompatible"


def test_a_class_may_say_its_contract_and_is_not_made_if_it_does_not_fit() -> None:
    class Plugin:
        mesoformula_contract = "2.0"

        def __init__(self) -> None:
            raise AssertionError

    manager = manager_at((1, 9))
    manager.register(Plugin)

    assert manager.report()[0].state is State.INCOMPATIBLE


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_of_all_versions_only_earlier_ones_of_one_first_number_fit(major: int, minor: int) -> None:
    declared = declared_contract(plugin(f"{major}.{minor}"))

    assert declared == (major, minor)
    assert (Contract((7, 70)).refusal(declared) is None) == (major == 7 and minor <= 70)


@pytest.mark.parametrize("declared", [1.1, (1, 1), "1", "v1.1", "1.1.0", "one", "", "1.1\n", "³.1"])
def test_a_contract_in_another_form_is_a_fault(declared: object) -> None:
    manager = manager_at((1, 9))
    manager.register(plugin(declared, zones=offers_a_zone), "p")

    (problem,) = manager.problems
    assert problem.code == "contract"
    assert "expected text such as '" in problem.message
    assert problem.message.isprintable()
    assert manager.report()[0].state is State.FAILED
    with pytest.raises(DeclarationError):
        declared_contract(plugin(declared))


def test_a_name_that_cannot_be_imported_from_mesoformula_hints_at_another_version(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint

    (tmp_path / "fake_from_the_future.py").write_text("from mesoformula import NotYetThere\n")
    monkeypatch.syspath_prepend(tmp_path)
    manager = PluginManager()
    manager.discover(entry_points=[EntryPoint("future", "fake_from_the_future", "mesoformula")])

    assert "was it written for another?" in manager.problems[0].message


# ---- deprecation ---------------------------------------------------------------------------------


def uses_both() -> ModuleType:
    return plugin(zones=offers_a_zone, check_session=lambda session, formulary: [])


def test_what_is_deprecated_works_and_is_named_with_what_to_do() -> None:
    manager = manager_at((1, 9), strict=True)
    with pytest.warns(DeprecationWarning, match="is deprecated since") as warned:
        manager.register(uses_both(), "p", distribution="d", version="1")

    (status,) = manager.report()
    assert (status.state, status.reason) == (State.ACTIVE, "")
    assert [str(problem) for problem in manager.problems] == [
        "plugin p (d 1): [deprecated] 'mesoformula_zones': mesoformula_zones is deprecated since contract "
        "1.9 and goes with 2.0; offer a catalogue instead",
        "plugin p (d 1): [deprecated] 'mesoformula_check_session': argument 'formulary' of "
        "mesoformula_check_session is deprecated since contract 1.8 and goes with 2.0; take session instead",
    ]
    assert {warning.filename for warning in warned} == {__file__}
    assert [one.value.id for one in manager.zones()] == ["z"]
    arguments: tuple[Any, ...] = (None, None, None)
    assert manager.check_session(*arguments) == ()


def test_who_does_not_use_what_is_deprecated_hears_nothing() -> None:
    manager = manager_at((1, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        manager.register(plugin(check_session=lambda session: [], exporters=nothing), "p")

    assert manager.problems == ()


def test_nothing_is_said_before_it_is_deprecated() -> None:
    manager = manager_at((1, 7))
    manager.register(uses_both(), "p")

    assert manager.problems == ()


def test_what_was_removed_is_told_with_what_to_do() -> None:
    """The hook and the argument are there in truth, so that only the words for what is gone are tried."""
    contract = Contract((2, 0), GOING)

    assert contract.removed("mesoformula_zones") == ("was removed in contract 2.0; offer a catalogue instead")
    assert contract.removed("mesoformula_check_session", "formulary") == (
        "was removed in contract 2.0; take session instead"
    )
    assert contract.removed("mesoformula_check_session") is None
    assert Contract((1, 9), GOING).removed("mesoformula_zones") is None


def test_a_plugin_that_uses_what_was_removed_is_set_aside_with_what_to_do() -> None:
    gone = (
        Deprecation("mesoformula_places", None, (1, 8), (2, 0), "offer zones instead"),
        Deprecation("mesoformula_check_session", "patient", (1, 8), (2, 0), "take session instead"),
    )
    manager = PluginManager(contract=Contract((2, 0), gone), discovers=False)
    manager.register(plugin(places=offers_a_zone, check_session=lambda patient: []), "p")

    messages = [problem.message for problem in manager.problems]
    assert messages == [
        "'mesoformula_places' is no hook: it was removed in contract 2.0; offer zones instead",
        "'mesoformula_check_session' wants 'patient', which was removed in contract 2.0; take session "
        "instead",
    ]


def test_nothing_may_go_within_one_first_number() -> None:
    with pytest.raises(ValueError, match=r"2\.0 at the earliest"):
        Deprecation("mesoformula_zones", None, (1, 8), (1, 9), "x")


def test_what_is_deprecated_now_is_there_still() -> None:
    for one in DEPRECATIONS:
        if one.removed_in <= CONTRACT_VERSION:
            continue
        spec = getattr(hookspecs.Specs, one.hook)
        assert one.argument is None or one.argument in spec.__code__.co_varnames
        assert one.since <= CONTRACT_VERSION
