"""Lots to choose from, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mesoformula.stock.picks.policies import Candidate, Need
from mesoformula.testing.examples import DAY, MOMENT


def candidates_of(number: int) -> tuple[Candidate, ...]:
    """
    Make lots to choose from.

    Args:
        number: How many.

    Returns:
        Candidates in an order that is nobody's policy: expiries, receipts and sizes go up and down.
    """
    return tuple(
        Candidate(
            key=f"k{place * 13 % number:05}",
            product="kit-fictional/fictional",
            lot=f"L-{place * 7 % number:05}",
            location=("main", "fridge")[place % 2],
            expiry=DAY + timedelta(place * 13 % 900) if place % 5 else None,
            received_at=MOMENT - timedelta(place * 11 % 200),
            containers=1 + place * 3 % 7,
            days_left=place * 13 % 900 if place % 5 else None,
        )
        for place in range(number)
    )


def needs_of(candidates: tuple[Candidate, ...]) -> Iterator[tuple[str, Need]]:
    """
    Make up what is wanted of some lots.

    Args:
        candidates: The lots.

    Yields:
        Each need, with what it is in words.
    """
    there = sum(one.containers for one in candidates)
    product = "kit-fictional/fictional"
    for wanted in sorted({1, max(1, there // 2), max(1, there), there + 5}):
        yield f"{wanted} of {there} containers", Need(product, wanted, on=DAY)
    if candidates:
        named = (candidates[-1].lot, candidates[0].lot)
        yield "lots that are named", Need(product, 2, named, on=DAY)
