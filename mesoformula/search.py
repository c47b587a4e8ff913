"""Find things by what people call them: tolerant of accents, case and small typos, best first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import attrs

from mesoformula.words import folded

#: How good a match is, worst first; the names stand in JSON.
EXACT, START, WORD, WITHIN, CLOSE = "exact", "start", "word", "within", "close"
_RANKS = {EXACT: 0, START: 1, WORD: 2, WITHIN: 3, CLOSE: 4}


@attrs.frozen
class Name:
    """
    One thing that something is called.

    Attributes:
        text: As it is written.
        kind: What sort of name it is, such as `nickname` or `CAS`.
    """

    text: str
    kind: str


@attrs.frozen
class Match:
    """
    How a text met a name.

    Attributes:
        name: The name that matched best.
        how: `exact`, `start`, `word`, `within` or `close`.
        weight: For sorting, the best lowest.
    """

    name: Name
    how: str
    weight: tuple[int, int, int]


def match(text: str, names: Sequence[Name]) -> Match | None:
    """
    Compare what somebody typed with everything that a thing is called.

    Args:
        text: What was typed; several words must all occur among the names.
        names: In order of importance.

    Returns:
        The best match, or None.
    """
    wanted = folded(text)
    if not wanted:
        return None
    found = [one for place, name in enumerate(names) if (one := _match(wanted, name, place)) is not None]
    if found:
        return min(found, key=lambda one: one.weight)
    words = [folded(word) for word in text.split()]
    if len(words) > 1:
        parts = [
            min(
                (one for place, name in enumerate(names) if (one := _match(word, name, place)) is not None),
                key=lambda one: one.weight,
                default=None,
            )
            for word in words
            if word
        ]
        if all(part is not None for part in parts):
            worst = max((part for part in parts if part is not None), key=lambda one: one.weight)
            return attrs.evolve(worst, weight=(worst.weight[0] + 1, *worst.weight[1:]))
    return None


def _match(wanted: str, name: Name, place: int) -> Match | None:
    how = _how(wanted, name.text)
    return None if how is None else Match(name, how, (_RANKS[how], place, len(form_of(name.text))))


@lru_cache(65_536)
def _how(wanted: str, text: str) -> str | None:
    """Tell how a text meets a name; many products hold a substance of the same names."""
    form = form_of(text)
    if form == wanted:
        return EXACT
    if form.startswith(wanted):
        return START
    if wanted in form:
        return WORD if any(word.startswith(wanted) for word in words_of(text)) else WITHIN
    return CLOSE if _is_close(wanted, text) else None


@cache
def form_of(text: str) -> str:
    """
    Bring a name to the form in which it is compared.

    Args:
        text: A name, or what somebody typed.

    Returns:
        The same as `mesoformula.words.folded`, remembered.
    """
    return folded(text)


@cache
def words_of(text: str) -> tuple[str, ...]:
    """
    Split a name into words, each in the form in which it is compared.

    Args:
        text: A name.

    Returns:
        Its words, without what stands between them.
    """
    parts = "".join(char if char.isalnum() else " " for char in text).split()
    return tuple(form_of(part) for part in parts)


def slips_in(wanted: str) -> int:
    """
    Tell how many slips of the finger are forgiven.

    Args:
        wanted: What was typed, in the form in which it is compared.

    Returns:
        0 to 2: none in a short word or a number, where a slip makes another one.
    """
    if len(wanted) < 4 or any(char.isdigit() for char in wanted):
        return 0
    return 1 if len(wanted) < 8 else 2


def is_near(wanted: str, form: str, slips: int) -> bool:
    """
    Tell whether a word differs by so many slips at the most.

    Args:
        wanted: What was typed, in the form in which it is compared.
        form: A name, or a word of it, in that form.
        slips: How many are forgiven.

    Returns:
        Whether somebody may have meant it.
    """
    return abs(len(form) - len(wanted)) <= slips and distance(wanted, form, slips) <= slips


def _is_close(wanted: str, text: str) -> bool:
    """Tell whether a name, or a word of it, differs by one slip of the finger; by two in a long word."""
    slips = slips_in(wanted)
    return slips > 0 and any(is_near(wanted, form, slips) for form in (form_of(text), *words_of(text)))


def distance(left: str, right: str, most: int) -> int:
    """
    Count the slips between two words: letters left out, added, changed, or two swapped.

    Args:
        left: One word.
        right: The other.
        most: Beyond this many it does not matter how many.

    Returns:
        The number of slips, or `most + 1`.
    """
    before: list[int] = []
    row = list(range(len(right) + 1))
    for place, char in enumerate(left, start=1):
        earlier, before, row = before, row, [place]
        for other, letter in enumerate(right, start=1):
            cost = min(before[other] + 1, row[-1] + 1, before[other - 1] + (char != letter))
            if earlier and other > 1 and place > 1 and char == right[other - 2] and left[place - 2] == letter:
                cost = min(cost, earlier[other - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
