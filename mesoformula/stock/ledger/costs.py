"""What containers of a lot cost: one figure, or the lowest and the highest that was paid."""

from __future__ import annotations

import re

import attrs

from mesoformula.stock.figures import in_major_units

_FORM = re.compile(r"(?:(\d+)\.\.(\d+) ([A-Z]{3}))?( ?unpriced)?")


@attrs.frozen
class Cost:
    """
    What one container costs, in minor units of a currency.

    Attributes:
        low: The lowest that was paid; None if nothing is known.
        high: The highest.
        currency: ISO 4217 code.
        unpriced: Whether some came without a price.
    """

    low: int | None = None
    high: int | None = None
    currency: str | None = None
    unpriced: bool = True


def write_cost(cost: Cost) -> str:
    """
    Write a cost as the ledger keeps it.

    Args:
        cost: Any.

    Returns:
        Such as `1250..1250 EUR`.
    """
    known = f"{cost.low}..{cost.high} {cost.currency}" if cost.currency is not None else ""
    return f"{known}{' unpriced' if cost.unpriced else ''}".strip()


def read_cost(text: str) -> Cost:
    """
    Read a cost as the ledger keeps it.

    Args:
        text: What `write_cost` wrote.

    Returns:
        The cost.

    Raises:
        ValueError: If it is none.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"no cost: {text[:40]}")
    low, high, currency, unpriced = match.groups()
    if currency is None:
        return Cost(unpriced=unpriced is not None)
    return Cost(int(low), int(high), currency, unpriced is not None)


def cost_text(cost: Cost) -> str:
    """
    Write what a container costs.

    Args:
        cost: Of a lot.

    Returns:
        Such as `12.50 EUR a container`.
    """
    if cost.low is None or cost.high is None or cost.currency is None:
        return "not known"
    low, high = (f"{in_major_units(one, cost.currency):f}" for one in (cost.low, cost.high))
    text = f"{low} {cost.currency}" if low == high else f"{low} to {high} {cost.currency}"
    return f"{text} a container" + (", and some came without a price" if cost.unpriced else "")
