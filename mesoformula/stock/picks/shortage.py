"""What a pick wants, and the answer where that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from mesoformula.errors import Problem, ShortStockError
from mesoformula.stock.figures import in_millionths
from mesoformula.stock.picks.availability import Skipped, Why
from mesoformula.words import shown

# What a message lists of what was passed over.
_MOST_LISTED = 8


@attrs.frozen
class Want:
    """
    What is wanted of one product.

    With a volume, containers that are open already go first, and whole ones yield the rest, as many as it
    takes by the labelled volume.

    Attributes:
        product: `vendor/sku`, or `vendor/sku@revision` for lots of that revision only.
        containers: Whole containers (of a kit: kits); beside a volume, how many to take where no label says
            what one holds.
        nanolitres: Volume to be drawn; None to take whole containers.
        lots: Lot numbers that may be taken; empty leaves the choice open.
    """

    product: str
    containers: int | None = None
    nanolitres: int | None = None
    lots: tuple[str, ...] = ()

    @property
    def product_id(self) -> str:
        """The product without its revision."""
        return self.product.partition("@")[0]

    @property
    def revision(self) -> int | None:
        """The revision that it is pinned to."""
        pinned = self.product.partition("@")[2]
        return int(pinned) if pinned else None


@attrs.frozen
class Missing:
    """
    What is short of one product.

    Attributes:
        product: As asked for.
        wanted: Whole containers; None where nothing says how many make up the volume.
        available: How many of them may be picked.
        missing: How many are not there.
        wanted_nanolitres: The volume that was asked for; None if whole containers were, in any line.
        opened_nanolitres: What of that is in opened containers that may be picked.
        skipped: What was passed over, and why.
        next_lapse: When the next reservation that was passed over lapses, in UTC.
        first_expiry: Of what may be picked: the first day on which some of it expires.
        location: Where it was looked for; None for anywhere.
    """

    product: str
    wanted: int | None
    available: int
    missing: int | None
    wanted_nanolitres: int | None = None
    opened_nanolitres: int = 0
    skipped: tuple[Skipped, ...] = ()
    next_lapse: datetime | None = None
    first_expiry: date | None = None
    location: str | None = None


class ShortageError(ShortStockError):
    """
    A pick for which there is not enough: nothing has been reserved.

    Attributes:
        missing: What is short, by product.
    """

    def __init__(self, missing: Iterable[Missing], local: Callable[[datetime], str] = str) -> None:
        self.missing = tuple(missing)
        super().__init__(Problem("short", _said(one, local)) for one in self.missing)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.missing,)


def merged(missing: Sequence[Missing]) -> tuple[Missing, ...]:
    """
    Add up what is short of the same product in several lines of a request.

    Args:
        missing: In the order of the request.

    Returns:
        One for each product.
    """
    found: dict[str, Missing] = {}
    for one in missing:
        before = found.get(one.product)
        found[one.product] = one if before is None else _sum(before, one)
    return tuple(found.values())


def _sum(first: Missing, second: Missing) -> Missing:
    skipped = dict.fromkeys((*first.skipped, *second.skipped))
    return attrs.evolve(
        first,
        wanted=_added(first.wanted, second.wanted),
        available=first.available + second.available,
        missing=_added(first.missing, second.missing),
        wanted_nanolitres=all_of(first.wanted_nanolitres, second.wanted_nanolitres),
        opened_nanolitres=first.opened_nanolitres + second.opened_nanolitres,
        skipped=tuple(skipped),
        first_expiry=min((day for day in (first.first_expiry, second.first_expiry) if day), default=None),
    )


def _added(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)


def all_of(*volumes: int | None) -> int | None:
    """
    Add up volumes.

    Args:
        volumes: In nanolitres; None where it is not by volume.

    Returns:
        None if any is.
    """
    known = [volume for volume in volumes if volume is not None]
    return sum(known) if len(known) == len(volumes) else None


def millilitres(nanolitres: int) -> str:
    """
    Write a volume.

    Args:
        nanolitres: How much.

    Returns:
        Exactly, in mL.
    """
    return f"{in_millionths(nanolitres)} mL"


def skipped_text(one: Skipped) -> str:
    """
    Say what is passed over, and why.

    Args:
        one: What.

    Returns:
        Such as `3 of lot 4711 at fridge (expired on 2026-10-31)`.
    """
    what = f"{one.containers}"
    if one.opened is not None:
        much = f"{millilitres(one.nanolitres)} in " if one.nanolitres is not None else ""
        what = f"{much}opened container {one.opened}"
    return f"{what} of lot {shown(one.lot)} at {shown(one.location)} ({one.why})"


def _said(one: Missing, local: Callable[[datetime], str]) -> str:
    parts = [f"{one.product}: {_wanted(one)}"]
    if one.missing is not None:
        parts[0] += f", {one.available or 'none'} may be picked, {one.missing} missing"
    if one.location is not None:
        parts[0] += f" at {shown(one.location)}"
    if one.skipped:
        listed = ", ".join(skipped_text(each) for each in one.skipped[:_MOST_LISTED])
        more = len(one.skipped) - _MOST_LISTED
        parts.append(f"passed over: {listed}{f', and {more} more' if more > 0 else ''}")
    elif not one.available and not one.opened_nanolitres:
        parts.append("the stock holds none of it")
    if one.next_lapse is not None:
        parts.append(f"the next reservation lapses on {local(one.next_lapse)}")
    if one.first_expiry is not None:
        parts.append(f"the first of what may be picked expires on {one.first_expiry}")
    return "; ".join(parts)


def _wanted(one: Missing) -> str:
    containers = "container" if one.wanted == 1 else "containers"
    if one.wanted_nanolitres is None:
        return f"{one.wanted} {containers} wanted"
    text = f"{millilitres(one.wanted_nanolitres)} wanted"
    if one.opened_nanolitres:
        text += f", of which {millilitres(one.opened_nanolitres)} in opened containers"
    if one.wanted is not None:
        rest = "for the rest of it " if one.opened_nanolitres else ""
        text += f": {rest}{one.wanted} {containers}"
    return text


def next_lapse(skipped: Iterable[Skipped]) -> datetime | None:
    """
    Tell when the first of the reservations that were passed over lapses.

    Args:
        skipped: What was passed over.

    Returns:
        The moment, in UTC; None if nothing is reserved.
    """
    return min((one.until for one in skipped if one.reason is Why.RESERVED and one.until), default=None)
