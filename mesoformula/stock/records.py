"""What goes into the ledger, and what can be read out of it."""

from __future__ import annotations

import enum
from datetime import date, datetime

import attrs

from mesoformula.errors import Problem
from mesoformula.products import Product


class MovementKind(enum.StrEnum):
    """What happened to containers of a lot."""

    RECEIPT = "receipt"


@attrs.frozen
class Delivery:
    """
    Containers of one lot, arriving at one place.

    Attributes:
        product: The product with its revision; its whole record is kept with the lot.
        lot: The maker's lot number, exactly as printed.
        containers: How many containers (of a kit: kits) arrived; above zero.
        expiry: The last day on which it may be used; None if none is printed.
        location: Where it is put.
        supplier: Who delivered it.
        unit_cost: Cost of one container in minor units of the currency (cents).
        currency: ISO 4217 code, such as `EUR`.
        received_at: When it arrived, with a time zone; None means now.
        remark: Free text, kept erasable and apart from the chain.
    """

    product: Product
    lot: str
    containers: int
    expiry: date | None
    location: str = "main"
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    received_at: datetime | None = None
    remark: str | None = None


@attrs.frozen
class Anchor:
    """
    The head of the chain of movements, printed with every write: `seq:hash`.

    Attributes:
        seq: Number of the movement.
        hash: SHA-256 over it and everything before it, in hexadecimal.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@attrs.frozen
class Receipt:
    """
    What a write did.

    Attributes:
        movement: Number of the movement.
        anchor: Head of the chain after it.
        repeated: True if the same request had been carried out before, so that nothing changed.
    """

    movement: int
    anchor: Anchor
    repeated: bool = False


@attrs.frozen
class OnHand:
    """
    What is there of one lot in one place.

    Attributes:
        product: As it was when the lot was first received.
        lot: The maker's lot number.
        location: Where it is.
        containers: How many whole containers (of a kit: kits).
        expiry: The last day on which it may be used; None if none is printed.
        received_at: When the first of them arrived, in UTC.
        supplier: Who delivered them first.
        unit_cost: Cost of one container in minor units of the currency, the first recorded.
        currency: ISO 4217 code.
    """

    product: Product
    lot: str
    location: str
    containers: int
    expiry: date | None
    received_at: datetime
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None


@attrs.frozen
class StockView:
    """
    The stock as it stands at one moment, for checks and sheets.

    Attributes:
        on_hand: One entry per product, lot and location, sorted by product, expiry (none last), lot, place.
        as_of: The day it is seen from, at the site.
        made_at: The moment at which it was read, in UTC.
        store: The place it was read from, without secrets.
        anchor: Head of the chain then; None for an empty ledger.
    """

    on_hand: tuple[OnHand, ...]
    as_of: date
    made_at: datetime
    store: str
    anchor: Anchor | None


@attrs.frozen
class Verification:
    """
    What recomputing a ledger found.

    Attributes:
        movements: How many movements were read.
        anchor: Head of the chain as recomputed; None for an empty ledger.
        problems: What does not agree, the first bad movement first; empty if all does.
    """

    movements: int
    anchor: Anchor | None
    problems: tuple[Problem, ...] = ()
