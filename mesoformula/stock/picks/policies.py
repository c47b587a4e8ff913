"""
Which lots a pick takes: the policies of the core, and what the answer of any policy must be like.

Only lots that may be picked at all come before a policy: what is expired, quarantined, recalled, reserved or
short of the wanted shelf life is left out beforehand, whoever chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from mesoformula.contract import WrongAnswerError, drained
from mesoformula.errors import ChoiceError, Problem
from mesoformula.words import shown

#: A message that asks for a lot lists at most so many.
_MOST_LISTED = 8


@attrs.frozen
class Candidate:
    """
    Containers of one lot in one place, of which some may be chosen.

    Attributes:
        key: Names it in a `Choice`; unique within a request.
        product: Id of the product.
        lot: The maker's lot number.
        location: Where it is.
        expiry: The last day on which it may be used; None if none is printed.
        received_at: When the first of its containers arrived, in UTC.
        containers: How many may be chosen; above zero.
        days_left: Days from the day of use to the expiry; None without one.
    """

    key: str
    product: str
    lot: str
    location: str
    expiry: date | None
    received_at: datetime
    containers: int
    days_left: int | None = None


@attrs.frozen
class Need:
    """
    What is to be chosen.

    Attributes:
        product: Id of the product.
        containers: How many are wanted; above zero.
        lots: Lot numbers that the user has named: only these may be chosen; empty leaves the choice open.
        location: Where to take them; None for anywhere.
        on: The day of use, at the site.
    """

    product: str
    containers: int
    lots: tuple[str, ...] = ()
    location: str | None = None
    on: date | None = None


@attrs.frozen
class Choice:
    """
    Containers that are chosen.

    Attributes:
        key: Of the candidate.
        containers: How many of it; above zero.
    """

    key: str
    containers: int


@attrs.frozen
class LotPolicy:
    """
    A named way of choosing lots.

    Attributes:
        id: By which a user selects it.
        name: For people.
        description: What it does, in one sentence.
        choose: Answers what to take for a need, of the candidates in no particular order. It chooses as many
            as are wanted, or all that may be chosen if they are fewer, or raises `ChoiceError`.
    """

    id: str
    name: str
    description: str
    choose: Callable[[Need, Sequence[Candidate]], Iterable[Choice]]


def first_expired_first_out(need: Need, candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    """
    Take what expires first; of one expiry what was received first, then by lot number and location.

    A lot without an expiry comes last.

    Args:
        need: What is wanted.
        candidates: What may be chosen, in any order.

    Returns:
        What is chosen, in the order in which to take it; less than wanted if less is there.
    """
    return tuple(_filled(need.containers, sorted(_open_to(need, candidates), key=_expiring)))


def named_or_clear(need: Need, candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    """
    Take the lots that were named, or those that leave no choice: the only one, or all that there are.

    Args:
        need: What is wanted.
        candidates: What may be chosen, in any order.

    Returns:
        What is chosen, as `first_expired_first_out` orders it; less than wanted if less is there.

    Raises:
        ChoiceError: If no lot was named and there is a choice.
    """
    there = sum(one.containers for one in candidates)
    if not need.lots and len({one.lot for one in candidates}) > 1 and need.containers < there:
        raise ChoiceError([Problem("lot-choice", _which(need, candidates))])
    return first_expired_first_out(need, candidates)


FEFO = LotPolicy(
    "fefo",
    "first expired, first out",
    "takes what expires first; ties by receipt, then lot number; lots without an expiry last",
    first_expired_first_out,
)

STRICT = LotPolicy(
    "strict",
    "named lots only",
    "wants a lot named, unless only one is there or the request takes all",
    named_or_clear,
)

#: Policies of the core, whose ids no plugin may take.
BUILT_IN = (FEFO, STRICT)


def validated(need: Need, candidates: Sequence[Candidate], answer: object) -> tuple[Choice, ...]:
    """
    Check what a policy answers.

    Args:
        need: What it was asked.
        candidates: What it might choose.
        answer: Whatever it returned.

    Returns:
        The choices, in its order: whole containers that are there, of lots that were named if any were, each
        candidate once, and together as many as wanted, or all.

    Raises:
        WrongAnswerError: If the answer is anything else.
    """
    known = {one.key: one for one in candidates}
    chosen: dict[str, Choice] = {}
    for choice in drained(answer):
        candidate = known[_proper(choice, known)]
        if choice.key in chosen:
            raise WrongAnswerError(f"chose {shown(choice.key)} twice")
        if need.lots and candidate.lot not in need.lots:
            named = ", ".join(map(shown, need.lots))
            raise WrongAnswerError(f"chose lot {shown(candidate.lot)} although {named} was named")
        if choice.containers > candidate.containers:
            raise WrongAnswerError(
                f"chose {choice.containers} of {shown(choice.key)}, of which {candidate.containers} are there"
            )
        chosen[choice.key] = choice
    total = sum(choice.containers for choice in chosen.values())
    there = sum(one.containers for one in _open_to(need, candidates))
    if total > need.containers:
        raise WrongAnswerError(f"chose {total} although {need.containers} are wanted")
    if total < min(need.containers, there):
        raise WrongAnswerError(f"chose {total} of {need.containers} although {there} are there")
    return tuple(chosen.values())


def _proper(choice: Any, known: Iterable[str]) -> str:
    """Return the key of one choice, if it is one, of something that is there."""
    if not isinstance(choice, Choice):
        raise WrongAnswerError(f"answered with {shown(repr(choice))}; expected a Choice")
    if type(choice.key) is not str or choice.key not in known:
        raise WrongAnswerError(f"chose {shown(str(choice.key))}, which is none of the candidates")
    if type(choice.containers) is not int or choice.containers < 1:
        raise WrongAnswerError(
            f"chose {shown(str(choice.containers))} containers of {shown(choice.key)}; expected a whole "
            "number above 0"
        )
    return choice.key


def _open_to(need: Need, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    return (one for one in candidates if not need.lots or one.lot in need.lots)


def _expiring(candidate: Candidate) -> tuple[bool, date, datetime, str, str, str]:
    return (
        candidate.expiry is None,
        candidate.expiry or date.max,
        candidate.received_at,
        candidate.lot,
        candidate.location,
        candidate.key,
    )


def _filled(wanted: int, ordered: Iterable[Candidate]) -> Iterator[Choice]:
    for candidate in ordered:
        if wanted <= 0:
            return
        taken = min(wanted, candidate.containers)
        wanted -= taken
        yield Choice(candidate.key, taken)


def _which(need: Need, candidates: Sequence[Candidate]) -> str:
    ordered = sorted(candidates, key=_expiring)
    listed = "; ".join(
        f"{shown(one.lot)} ({one.containers} in {shown(one.location)}, "
        f"{f'expires {one.expiry}' if one.expiry is not None else 'no expiry'})"
        for one in ordered[:_MOST_LISTED]
    )
    more = f"; and {len(ordered) - _MOST_LISTED} more" if len(ordered) > _MOST_LISTED else ""
    containers = f"{need.containers} container{'' if need.containers == 1 else 's'}"
    return (
        f"{need.product}: {containers} of which lot? The policy 'strict' leaves that to you; name one "
        f"or several of {listed}{more}"
    )
