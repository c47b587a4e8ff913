"""Searching forgives accents, case and slips of the finger, and puts the best first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.search import Name, distance, match

NAMES = [Name("Ascorbic acid", "name"), Name("vitamin C", "synonym"), Name("50-81-7", "CAS")]


@pytest.mark.parametrize(
    ("typed", "how", "kind"),
    [
        ("ascorbic acid", "exact", "name"),
        ("ASCORBIC-ACID", "exact", "name"),
        ("ascorb", "start", "name"),
        ("acid", "word", "name"),
        ("corbic", "within", "name"),
        ("Vitamin c", "exact", "synonym"),
        ("50817", "exact", "CAS"),
        ("ascrobic", "close", "name"),
        ("asorbic acid", "close", "name"),
        ("vítamin c", "exact", "synonym"),
        ("acid ascorbic", "word", "name"),
    ],
)
def test_a_name_is_found_by_what_people_type(typed: str, how: str, kind: str) -> None:
    found = match(typed, NAMES)

    assert found is not None
    assert (found.how, found.name.kind) == (how, kind)


@pytest.mark.parametrize("typed", ["", "  ", "!!", "zinc", "50-81-8", "asc0rbic acid 17", "acid zinc"])
def test_what_is_something_else_is_not_found(typed: str) -> None:
    assert match(typed, NAMES) is None


def test_an_exact_name_comes_before_one_that_begins_so_and_that_before_one_that_is_close() -> None:
    names = ["Biotin", "Biotin sulfone", "Iobiotin", "Biotim"]
    found = {name: match("biotin", [Name(name, "name")]) for name in names}
    order = sorted(names, key=lambda name: found[name].weight if found[name] else (9, 9, 9))  # type: ignore[union-attr]

    assert order == ["Biotin", "Biotin sulfone", "Iobiotin", "Biotim"]


@pytest.mark.parametrize(
    ("left", "right", "slips"),
    [("kitten", "sitting", 3), ("ac", "ca", 1), ("", "abc", 3), ("same", "same", 0), ("flaw", "lawn", 2)],
)
def test_slips_are_counted_as_published_examples_count_them(left: str, right: str, slips: int) -> None:
    assert distance(left, right, 9) == slips


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
def test_the_order_of_the_words_does_not_matter_and_the_bound_only_cuts_off(
    left: str, right: str, most: int
) -> None:
    exact = distance(left, right, 20)

    assert distance(right, left, 20) == exact
    assert distance(left, right, most) == min(exact, most + 1)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_makes_searching_fail(typed: str, name: str) -> None:
    match(typed, [Name(name, "name")])
