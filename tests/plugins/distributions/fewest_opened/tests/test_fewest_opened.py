from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import mesoformula_fewest_opened
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesoformula_fewest_opened.choosing import fewest_first

from mesoformula import Candidate, Choice, Need
from mesoformula.testing import LotPolicyConformance, PluginConformance

MOMENT = datetime(2026, 5, 4, tzinfo=UTC)


class TestFewestOpened(PluginConformance, LotPolicyConformance):
    @pytest.fixture
    def plugin(self):
        return mesoformula_fewest_opened


def lots(*given: tuple[int, int]) -> list[Candidate]:
    return [
        Candidate(f"k{place}", "a/b", f"L{place}", "main", date(2026, 5, 4) + timedelta(days), MOMENT, number)
        for place, (number, days) in enumerate(given)
    ]


def test_one_large_lot_is_taken_rather_than_two_that_expire_first():
    assert list(fewest_first(Need("a/b", 6), lots((3, 10), (3, 20), (9, 300)))) == [Choice("k2", 6)]


def test_of_as_few_lots_those_that_expire_first_are_taken():
    taken = list(fewest_first(Need("a/b", 6), lots((6, 300), (8, 200), (4, 10), (2, 20))))

    assert taken == [Choice("k1", 6)]


SHELVES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), min_size=1, max_size=7)


@given(SHELVES, st.integers(1, 30))
def test_no_other_choice_is_of_fewer_lots_nor_of_as_few_that_expire_sooner(shelf, wanted):
    candidates = lots(*shelf)
    chosen = [choice.key for choice in fewest_first(Need("a/b", wanted), candidates)]
    enough = min(wanted, sum(one.containers for one in candidates))
    ways = [
        way
        for number in range(len(candidates) + 1)
        for way in combinations(candidates, number)
        if sum(one.containers for one in way) >= enough
    ]
    fewest = min(len(way) for way in ways)
    soonest = min(sorted((one.expiry, one.lot) for one in way) for way in ways if len(way) == fewest)

    assert [(one.expiry, one.lot) for one in (next(c for c in candidates if c.key == k) for k in chosen)] == (
        soonest
    )
