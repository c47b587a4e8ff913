"""The rules for plugins that choose lots: a right one passes, a wrong one fails the rule it breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from mesoformula import Candidate, Choice, ChoiceError, LotPolicy, Need, hookimpl
from mesoformula.testing import LotPolicyConformance, PluginConformance, check_plugin
from mesoformula.testing.rules import State

Choose = Callable[[Need, Sequence[Candidate]], Iterable[Choice]]


def largest_first(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    left = need.containers
    for one in sorted(candidates, key=lambda one: (-one.containers, one.key)):
        if left and (not need.lots or one.lot in need.lots):
            taken = min(left, one.containers)
            left -= taken
            yield Choice(one.key, taken)


def plugin_with(choose: Choose) -> ModuleType:
    module = ModuleType("acme_lots")

    @hookimpl
    def mesoformula_lot_policies() -> list[LotPolicy]:
        return [LotPolicy("acme-largest", "largest lot first", "takes from few lots", choose)]

    module.mesoformula_lot_policies = mesoformula_lot_policies  # type: ignore[attr-defined]
    return module


class TestARightPolicy(PluginConformance, LotPolicyConformance):
    @pytest.fixture
    def plugin(self) -> ModuleType:
        return plugin_with(largest_first)


def as_they_come(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    left = need.containers
    for one in candidates:
        if left and (not need.lots or one.lot in need.lots):
            taken = min(left, one.containers)
            left -= taken
            yield Choice(one.key, taken)


def too_many(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    return [Choice(one.key, one.containers) for one in candidates]


def deaf_to_names(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    return largest_first(Need(need.product, need.containers), candidates)


def sorting_in_place(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    candidates.sort(key=lambda one: (one.containers, one.key))  # type: ignore[attr-defined]
    return largest_first(need, candidates)


def stumbling_over_nothing(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    candidates[0]
    return largest_first(need, candidates)


def speechless(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    raise ChoiceError([])


def slow(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    if len(candidates) > 500:
        time.sleep(1)
    return largest_first(need, candidates)


@pytest.mark.parametrize(
    ("choose", "rule"),
    [
        (as_they_come, "policy-order"),
        (too_many, "policy-valid"),
        (deaf_to_names, "policy-valid"),
        (sorting_in_place, "mutates"),
        (stumbling_over_nothing, "policy-junk"),
        (speechless, "policy-junk"),
        pytest.param(slow, "policy-time", marks=pytest.mark.slow),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_wrong_policy_fails_the_rule_that_it_breaks(choose: Choose, rule: str) -> None:
    report = check_plugin(plugin_with(choose))

    failed = {one.rule.code: one for one in report.verdicts if one.state is State.FAILED}
    assert rule in failed
    assert all("acme-largest" in problem.message for problem in failed[rule].problems)


def test_what_speaks_of_other_kinds_is_not_applicable_and_says_why(tmp_path: Path) -> None:
    report = check_plugin(plugin_with(largest_first))

    (rule,) = [one for one in report.verdicts if one.rule.code == "export-file"]
    assert rule.state is State.NOT_APPLICABLE
    assert rule.reason == "it does not implement mesoformula_exporters"
    assert report.is_right
