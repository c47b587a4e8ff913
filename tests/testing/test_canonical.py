"""Values are written alike exactly where they are alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import Source, SourceKind, quantity
from mesoformula.testing.canonical import canonical, digest
from mesoformula.testing.examples import DAY

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(plain, plain)
def test_plain_values_are_written_alike_exactly_where_they_are_alike(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (repr(one) == repr(other))


@given(st.sets(st.text()))
def test_the_order_of_a_set_does_not_count(words: set[str]) -> None:
    backwards: set[str] = set()
    for word in sorted(words, reverse=True):
        backwards.add(word)

    assert canonical(words) == canonical(backwards)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (quantity("1.0", "mL"), quantity("1", "mL")),
        (quantity(1, "mL"), quantity(1, "L")),
        (Decimal("0.1"), 0.1),
        ([1, 2], [2, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (True, 1),
        (Source(SourceKind.IFU, "a", DAY), Source(SourceKind.IFU, "b", DAY)),
        (ValueError("a"), ValueError("b")),
    ],
)
def test_what_differs_is_written_differently(one: object, other: object) -> None:
    assert digest(one) != digest(other)


def test_no_address_in_memory_is_written() -> None:
    class Anything:
        def __init__(self) -> None:
            self.held = lambda: None
            self.itself = self

    assert canonical(Anything()) == canonical(Anything())
