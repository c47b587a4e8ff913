"""Tables fit the terminal, and what a person will copy stays in one piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.cli.tables import cells_wide, table

words = st.text(alphabet="abcdefgh/-0123 é字", max_size=60)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=5), st.integers(40, 120))
def test_no_line_is_wider_than_the_terminal(rows, width):
    lines = table(("one", "two", "three"), rows, width).split("\n")
    assert max(map(cells_wide, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5), st.integers(40, 120))
def test_no_character_is_lost_but_blanks(rows, width):
    text = table(("one", "two"), rows, width)
    kept = sorted(text.replace(" ", "").replace("\n", "").replace("─", ""))
    assert kept == sorted("".join(("one", "two", *(cell for row in rows for cell in row))).replace(" ", ""))


@pytest.mark.parametrize("width", [80, 100])
def test_an_id_below_a_name_is_never_broken(width):
    id_ = "galderma/restylane-skinboosters-vital-light"
    rows = [(f"A name of several words that is long enough to wrap\n  {id_}", "x " * 60, "y " * 60)]
    lines = table(("product", "container", "note"), rows, width).splitlines()
    assert any(line.startswith(f"  {id_}") for line in lines)
    assert max(map(len, lines)) <= width


def test_whole_columns_and_numbers_do_not_wrap():
    rows = [("word " * 30, "10 ampoules", "-12")]
    lines = table(("text", "on hand", "days"), rows, 80, right=(2,), whole=(1,)).splitlines()
    assert lines[2].endswith("10 ampoules   -12")


def test_numbers_stand_under_each_other():
    text = table(("name", "days"), [("a", "5"), ("b", "1000")], 80, right=(1,))
    assert text.splitlines()[2:] == ["a        5", "b     1000"]


def test_a_wide_character_takes_two_cells_and_an_accent_none():
    assert cells_wide("字") == 2
    assert cells_wide("é") == 1
    assert table(("a", "b"), [("字", "x"), ("ab", "x")], 80).splitlines()[2:] == ["字  x", "ab  x"]


def test_the_second_line_of_a_wrapped_set_in_line_is_set_in_too():
    lines = table(("a",), [("name\n  " + "word " * 30,)], 40).splitlines()
    assert len(lines) > 4
    assert all(line.startswith("  ") for line in lines[3:])
