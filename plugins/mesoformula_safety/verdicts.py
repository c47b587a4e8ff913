"""Whether a condition holds, does not hold, or cannot be told, and what is missing to tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from mesoformula import Missing

T = TypeVar("T")


class Verdict(NamedTuple):
    """
    What came of one condition.

    Attributes:
        holds: None where it cannot be told.
        missing: What would have to be known to tell.
        about: Names of the products that it is about.
        notes: How it was counted, for the message.
    """

    holds: bool | None
    missing: tuple[Missing, ...] = ()
    about: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


NO = Verdict(False)
YES = Verdict(True)


def unknown(*missing: Missing, about: Iterable[str] = (), notes: Iterable[str] = ()) -> Verdict:
    """
    Say that a condition cannot be told.

    Args:
        missing: For want of what; at least one.
        about: Names of products.
        notes: How it was counted.

    Returns:
        The verdict.
    """
    return Verdict(None, once(missing), once(about), tuple(notes))


def is_one_of(value: object, wanted: Iterable[object], fact: Missing) -> Verdict:
    """
    Tell whether a value is among those that a rule names.

    Args:
        value: None where it is not known.
        wanted: Those of the rule; empty if it does not ask.
        fact: What is missing where it is not known.

    Returns:
        The verdict.
    """
    expected = tuple(wanted)
    if not expected:
        return YES
    if value is None:
        return unknown(fact)
    return Verdict(value in expected)


def every(verdicts: Iterable[Verdict]) -> Verdict:
    """
    Tell whether all conditions hold.

    Args:
        verdicts: Of each; those after one that does not hold are not asked for.

    Returns:
        No if any does not; else what cannot be told, with all that is missing; else yes.
    """
    kept: list[Verdict] = []
    for verdict in verdicts:
        if verdict.holds is False:
            return NO
        kept.append(verdict)
    return _joined(kept, None if any(one.holds is None for one in kept) else True)


def _joined(verdicts: list[Verdict], holds: bool | None) -> Verdict:
    missing = (fact for one in verdicts for fact in one.missing) if holds is None else ()
    return Verdict(
        holds,
        once(missing),
        once(name for one in verdicts for name in one.about),
        tuple(dict.fromkeys(note for one in verdicts for note in one.notes)),
    )


def once(items: Iterable[T]) -> tuple[T, ...]:
    """
    Leave out what was there before.

    Args:
        items: In any order.

    Returns:
        Each item once, in the order given.
    """
    return tuple(dict.fromkeys(items))
