"""Compare how long two calls take, in one run on one machine: never against a number of seconds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from time import perf_counter

#: A plugin may take so many times as long as the one of mesoformula that does the like.
MOST_TIMES = 20

#: The best of so many counts: what else the machine does only ever makes a call slower.
_TRIES = 4


def best_of(call: Callable[[], object], enough: float = 0.0) -> float:
    """
    Time a call.

    Args:
        call: What to time; it is called several times.
        enough: Seconds; a try that takes no more is as good as any.

    Returns:
        Seconds that the fastest took.
    """
    found: list[float] = []
    was_on = gc.isenabled()
    gc.disable()
    try:
        while len(found) < _TRIES and not (found and found[-1] <= enough):
            started = perf_counter()
            call()
            found.append(perf_counter() - started)
    finally:
        if was_on:
            gc.enable()
    return min(found)


def too_slow(
    what: str,
    call: Callable[[], object],
    like: str,
    standard: Callable[[], object],
    shares: tuple[int, int] = (1, 1),
) -> Iterator[str]:
    """
    Compare a plugin's call with the like of it.

    Args:
        what: Is timed, in words.
        call: Of the plugin.
        like: What it is compared with, in words.
        standard: That call.
        shares: How many things either of them deals with.

    Yields:
        What is wrong, if it takes more than `MOST_TIMES` as long for one of them.
    """
    usual = best_of(standard) / shares[1]
    taken = best_of(call, MOST_TIMES * usual * shares[0]) / shares[0]
    if taken > MOST_TIMES * usual:
        yield (
            f"{what}: takes {taken / usual:.0f} times as long as {like} ({taken * 1e3:.2f} ms, "
            f"{usual * 1e3:.2f} ms); at most {MOST_TIMES} times is right: compute once what does not change"
        )
