"""Which lots to take."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from mesoformula import Candidate, Choice, Need


def fewest_first(need: Need, candidates: Sequence[Candidate]) -> Iterator[Choice]:
    """
    Take from as few lots as possible; where several ways are as few, from those that expire first.

    Args:
        need: What is wanted.
        candidates: What may be chosen, in any order.

    Yields:
        What to take, in order of expiry.
    """
    open_to = [one for one in candidates if not need.lots or one.lot in need.lots]
    wanted = min(need.containers, sum(one.containers for one in open_to))
    for one in sorted(_few(wanted, sorted(open_to, key=_expiring)), key=_expiring):
        taken = min(wanted, one.containers)
        wanted -= taken
        yield Choice(one.key, taken)


def _few(wanted: int, by_expiry: list[Candidate]) -> list[Candidate]:
    """Choose the fewest lots that hold what is wanted: the largest, changed for those that expire sooner."""
    largest: list[Candidate] = []
    spare = -wanted
    for one in sorted(by_expiry, key=lambda one: -one.containers):
        if spare >= 0:
            break
        largest.append(one)
        spare += one.containers
    free = {one.key: one for one in largest}
    # The smallest first, and of one size the one that expires last: what is best given up.
    order = {one.key: place for place, one in enumerate(by_expiry)}
    heap = [(one.containers, -order[one.key], one.key) for one in largest]
    heapq.heapify(heap)
    chosen: list[Candidate] = []
    for one in by_expiry:
        if not free:
            break
        if one.key in free:
            chosen.append(free.pop(one.key))
            continue
        while heap[0][2] not in free:
            heapq.heappop(heap)
        containers, _place, key = heap[0]
        if containers - one.containers <= spare:
            spare -= containers - one.containers
            del free[key]
            chosen.append(one)
    return chosen


def _expiring(one: Candidate) -> tuple[bool, date, datetime, str, str, str]:
    known = one.expiry is None, one.expiry or date.max
    return *known, one.received_at, one.lot, one.location, one.key
