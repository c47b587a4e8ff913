"""What stock amounts to: what can be used, volume, mass, days left and money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import attrs

from mesoformula.products import Form, Part, Product

if TYPE_CHECKING:
    from mesoformula.stock.records import StockView
    from mesoformula.units import Quantity

#: ISO 4217 currencies whose minor unit is not the hundredth, by decimal places.
_MINOR_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


class Below(NamedTuple):
    """
    A product of which there is too little.

    Attributes:
        product: Its id, `vendor/sku`.
        there: How many containers can be used, reserved ones included.
        minimum: How many there should be.
    """

    product: str
    there: int
    minimum: int


@attrs.frozen
class Usable:
    """
    What there is of a product that can be used.

    Attributes:
        containers: Whole containers that are neither expired nor quarantined nor recalled.
        reserved: How many of those are kept for picks.
    """

    containers: int = 0
    reserved: int = 0


def days_left(expiry: date | None, as_of: date) -> int | None:
    """
    Count the days until the last day of use.

    Args:
        expiry: The last day on which a lot may be used; None if none is printed.
        as_of: The day to count from.

    Returns:
        0 on the last day itself, negative after it; None without an expiry.
    """
    return None if expiry is None else (expiry - as_of).days


def supplied_volume(product: Product) -> Quantity | None:
    """
    Add up the volume of liquid or gel in one container, or in all parts of one kit, as supplied.

    Args:
        product: Any product.

    Returns:
        The labelled volume, a powder's solution not counted; None if a part does not state it, or no part
        is measured by volume.
    """
    return _sum(
        (part, part.volume) for part in product.parts if part.form is not Form.POWDER and not _by_mass(part)
    )


def supplied_mass(product: Product) -> Quantity | None:
    """
    Add up the mass of powder, or of gel labelled by mass, in one container or in all parts of one kit.

    Args:
        product: Any product.

    Returns:
        The labelled mass; None if a part does not state it, or no part is measured by mass.
    """
    return _sum((part, part.mass) for part in product.parts if part.form is Form.POWDER or _by_mass(part))


def states_volume(product: Product) -> bool:
    """
    Tell whether every liquid or gel of a product states how much it is.

    Args:
        product: Any product.

    Returns:
        False if a total of volumes leaves something of it out.
    """
    return all(
        part.volume is not None or part.mass is not None
        for part in product.parts
        if part.form is not Form.POWDER
    )


def states_mass(product: Product) -> bool:
    """
    Tell whether every powder of a product states its mass.

    Args:
        product: Any product.

    Returns:
        False if a total of masses leaves something of it out.
    """
    return all(part.mass is not None for part in product.parts if part.form is Form.POWDER)


def in_millionths(number: int) -> str:
    """
    Write nanolitres in mL, or nanograms in mg.

    Args:
        number: Of the smallest unit that the ledger knows.

    Returns:
        The exact decimal number, without zeros at its end and without a unit.
    """
    text = f"{Decimal(number).scaleb(-6):f}"
    return text.rstrip("0").rstrip(".")


def in_major_units(minor: int, currency: str) -> Decimal:
    """
    Bring an amount of money to the unit that prices are written in.

    Args:
        minor: In minor units (cents).
        currency: ISO 4217 code.

    Returns:
        The exact amount, with as many decimal places as the currency has.
    """
    return Decimal(minor).scaleb(-minor_digits(currency))


def minor_digits(currency: str) -> int:
    """
    Tell how many decimal places a currency has.

    Args:
        currency: ISO 4217 code.

    Returns:
        2 for most.
    """
    return next((digits for digits, codes in _MINOR_DIGITS.items() if currency in codes.split()), 2)


def usable(view: StockView) -> dict[str, Usable]:
    """
    Count what can be used, by product.

    Args:
        view: The stock as it stands; expired is what cannot be used on its day.

    Returns:
        Counts by product id; a product of which nothing can be used is left out.
    """
    found: dict[str, Usable] = {}
    for entry in view.on_hand:
        expired = entry.expiry is not None and entry.expiry < view.as_of
        if expired or entry.quarantined or entry.recalled:
            continue
        before = found.get(entry.product.id, Usable())
        found[entry.product.id] = Usable(
            before.containers + entry.containers,
            before.reserved + min(entry.reserved, entry.containers),
        )
    return found


def below(view: StockView) -> tuple[Below, ...]:
    """
    Find the products of which there is less than the least that was set.

    Args:
        view: The stock as it stands.

    Returns:
        Those products, by id; what is opened does not count.
    """
    there = usable(view)
    found = (Below(product, there.get(product, Usable()).containers, least) for product, least in view.levels)
    return tuple(one for one in found if one.there < one.minimum)


def _by_mass(part: Part) -> bool:
    return part.volume is None and part.mass is not None


def _sum(parts: Iterable[tuple[Part, Quantity | None]]) -> Quantity | None:
    total: Quantity | None = None
    for part, amount in parts:
        if amount is None:
            return None
        amount = amount * part.per_kit
        total = amount if total is None else total + amount
    return total
