"""What a plugin obeys that chooses lots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from mesoformula.contract import WrongAnswerError
from mesoformula.errors import ChoiceError, Problem
from mesoformula.provenance import said
from mesoformula.stock.picks.policies import FEFO, LotPolicy, Need, validated
from mesoformula.testing.example_lots import candidates_of, needs_of
from mesoformula.testing.examples import DAY, ODD_TEXTS
from mesoformula.testing.rules import Kind, rule
from mesoformula.testing.subject import Call, Outcome, Subject
from mesoformula.testing.timing import too_slow
from mesoformula.words import shown

_HOOK = "mesoformula_lot_policies"

#: Enough lots for a time that can be compared.
_MANY = 1000


@rule("policy-valid", Kind.LOT_POLICY)
def it_chooses_what_is_there_and_as_much_as_is_wanted(subject: Subject) -> Iterator[str]:
    """It chooses containers that are there, of lots that were named if any, as many as wanted or all."""
    for policy in _policies(subject):
        for number in (1, 2, 9, 40):
            candidates = candidates_of(number)
            for about, need in needs_of(candidates):
                yield from _wrong_choice(policy, f"{number} lots, {about}", need, candidates)


@rule("policy-order", Kind.LOT_POLICY)
def its_choice_does_not_depend_on_the_order_of_lots(subject: Subject) -> Iterator[str]:
    """Its choice does not depend on the order in which the lots come before it."""
    for policy in _policies(subject):
        candidates = candidates_of(9)
        for about, need in needs_of(candidates):
            orders = (candidates, candidates[::-1], (*candidates[4:], *candidates[:4]))
            choices = {repr(_chosen(policy, need, order).value) for order in orders}
            if len(choices) > 1:
                yield (
                    f"{_HOOK}, {policy.id}, {about}: chose differently when the lots came in another order; "
                    "sort them by what tells them apart, the key last"
                )


@rule("policy-junk", Kind.LOT_POLICY)
def where_nothing_can_be_chosen_it_chooses_nothing(subject: Subject) -> Iterator[str]:
    """Where nothing can be chosen it chooses nothing, or raises ChoiceError with the reason."""
    candidates = candidates_of(9)
    cases: list[tuple[str, Need, tuple[Any, ...]]] = [
        ("no lots", Need("kit-fictional/fictional", 3, on=DAY), ()),
        ("no lots, no day", Need("kit-fictional/fictional", 3), ()),
        ("nothing wanted", Need("kit-fictional/fictional", 0, on=DAY), candidates),
        ("a lot that is not there", Need("kit-fictional/fictional", 3, ("NOT-THERE",), on=DAY), candidates),
    ]
    for policy in _policies(subject):
        for about, need, lots in cases:
            outcome = _chosen(policy, need, lots)
            if outcome.raised is not None:
                yield from _wrong_refusal(policy, about, outcome.raised)
            elif outcome.value:
                yield (
                    f"{_HOOK}, {policy.id}, {about}: chose {shown(repr(outcome.value[0]))}; expected nothing"
                )
        for number, text in enumerate(ODD_TEXTS, 1):
            odd = tuple(attrs.evolve(one, lot=f"{text}{one.key}", location=text) for one in candidates)
            need = Need("kit-fictional/fictional", 3, on=DAY)
            yield from _wrong_choice(policy, f"lots called by odd text {number}", need, odd)


@rule("policy-time", Kind.LOT_POLICY)
def it_takes_no_longer_than_first_expired_first_out(subject: Subject) -> Iterator[str]:
    """It takes about as long as first expired, first out."""
    candidates = candidates_of(_MANY)
    need = Need("kit-fictional/fictional", sum(one.containers for one in candidates) // 2, on=DAY)
    for policy in _policies(subject):
        yield from too_slow(
            f"{_HOOK}, {policy.id}, {_MANY} lots",
            lambda policy=policy: _chosen(policy, need, candidates),  # type: ignore[misc]
            "first expired, first out",
            lambda: _chosen(FEFO, need, candidates),
        )


def _policies(subject: Subject) -> tuple[LotPolicy, ...]:
    return subject.offered(_HOOK)


def _chosen(policy: LotPolicy, need: Need, candidates: tuple[Any, ...]) -> Outcome:
    return Call(_HOOK, policy.id, policy.choose, (need, list(candidates))).made()


def _wrong_choice(policy: LotPolicy, about: str, need: Need, candidates: tuple[Any, ...]) -> Iterator[str]:
    outcome = _chosen(policy, need, candidates)
    if outcome.raised is not None:
        yield from _wrong_refusal(policy, about, outcome.raised)
        return
    try:
        validated(need, candidates, outcome.value)
    except WrongAnswerError as err:
        yield f"{_HOOK}, {policy.id}, {about}: {err}"


def _wrong_refusal(policy: LotPolicy, about: str, raised: BaseException) -> Iterator[str]:
    place = f"{_HOOK}, {policy.id}, {about}"
    if not isinstance(raised, ChoiceError):
        yield f"{place}: raised {said(raised)}; leave the choice to the user with ChoiceError, or choose"
    elif not raised.problems or not all(isinstance(one, Problem) and one.message for one in raised.problems):
        yield f"{place}: left the choice to the user without a reason; name the lots to choose from"
