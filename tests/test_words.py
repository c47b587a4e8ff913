"""Names that come close, and text that is safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.words import folded, nearest, shown


@given(st.text(max_size=200), st.integers(1, 60))
def test_what_is_shown_is_printable_and_on_one_line(text: str, width: int) -> None:
    said = shown(text, width)

    assert said.isprintable()
    assert len(said.splitlines()) == 1
    assert said[0] == said[-1] == "'"


def test_a_text_that_fits_is_shown_as_it_is() -> None:
    assert shown("5,5 mg") == "'5,5 mg'"


def test_a_long_text_is_cut_and_the_cut_is_marked() -> None:
    assert shown("x" * 1_000_000) == "'" + "x" * 40 + "…'"


@pytest.mark.parametrize("steering", ["\x1b[2J", "a\nb", "a\rb", "\u202eab", "\u2028", "\x7f", "\ud800"])
def test_a_text_cannot_steer_a_terminal(steering: str) -> None:
    assert shown(steering).isprintable()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Magnésium", "magnesium"),
        ("α-Tocopherol", "Α tocopherol"),
        ("NCTF 135-HA", "nctf135ha"),
        ("Straße", "STRASSE"),
        ("ｖｉｔａｍｉｎ", "vitamin"),
    ],
)
def test_accents_case_width_and_punctuation_do_not_tell_names_apart(left: str, right: str) -> None:
    assert folded(left) == folded(right)


def test_the_nearest_name_comes_first() -> None:
    known = ["sodium-ascorbate", "ascorbic-acid", "folic-acid", "magnesium"]

    assert nearest("ascorbicacid", known)[0] == "ascorbic-acid"
    assert nearest("Sodium Ascorbat", known)[0] == "sodium-ascorbate"


def test_nothing_comes_close_to_something_else() -> None:
    assert nearest("zzzz", ["sodium-ascorbate", "magnesium"]) == ()


def test_no_more_names_are_offered_than_asked_for() -> None:
    assert len(nearest("aaaa", ["aaab", "aaac", "aaad", "aaae"], most=2)) == 2


@given(st.text(max_size=100), st.lists(st.text(max_size=20), max_size=8))
def test_only_known_names_are_offered(word: str, known: list[str]) -> None:
    assert set(nearest(word, known)) <= set(known)


def test_a_megabyte_comes_close_to_nothing() -> None:
    assert nearest("x" * 1_000_000, ["magnesium"]) == ()
