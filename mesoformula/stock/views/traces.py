"""What following a lot, or a session, brings to light."""

from __future__ import annotations

from datetime import date, datetime

import attrs

from mesoformula.products import Product
from mesoformula.stock.records import Deviation, MovementKind, OnHand, Opened


@attrs.frozen
class TracedLot:
    """
    A lot that is followed, as it is known now.

    Attributes:
        product: As the stock keeps it.
        lot: The maker's lot number.
        expiry: The last day on which it may be used; None if none is printed.
        quarantined: Whether it is kept apart everywhere.
        recalled: Whether it is recalled.
        suppliers: Who delivered it.
    """

    product: Product
    lot: str
    expiry: date | None
    quarantined: bool
    recalled: bool
    suppliers: tuple[str, ...] = ()


@attrs.frozen
class Vessel:
    """
    An opened container or a mixture on the way of a lot.

    Attributes:
        id: Its number in this stock.
        name: Of a mixture; None for an opened container.
    """

    id: int
    name: str | None


@attrs.frozen
class Arrived:
    """
    Containers of a lot that came.

    Attributes:
        movement: Number of the receipt.
        at: When, in UTC.
        product: `vendor/sku@revision`.
        lot: The maker's lot number.
        containers: How many.
        location: Where they were put.
        supplier: Who delivered them.
        reversed_by: The movement that took it back.
    """

    movement: int
    at: datetime
    product: str
    lot: str
    containers: int
    location: str | None
    supplier: str | None
    reversed_by: int | None = None


@attrs.frozen
class Went:
    """
    A lot that went into a session.

    Attributes:
        movement: Number of the use.
        reference: Of the session.
        at: When, in UTC.
        product: `vendor/sku@revision` of the lot.
        lot: The maker's lot number.
        containers: Whole containers used; 0 if it was drawn from an opened container or a mixture.
        nanolitres: Volume drawn; of a mixture, all that was drawn, of which the lot is a part.
        nanograms: The same by mass.
        via: Opened containers and mixtures on the way, the one that was drawn from last.
        location: Where it was taken from.
        device: Device identifier (GTIN) of the pack.
        serial: Its serial number.
        deviations: Why this should not have happened.
        reversed_by: The movement that took it back: it did not happen.
    """

    movement: int
    reference: str | None
    at: datetime
    product: str
    lot: str
    containers: int
    nanolitres: int | None
    nanograms: int | None
    via: tuple[Vessel, ...] = ()
    location: str | None = None
    device: str | None = None
    serial: str | None = None
    deviations: tuple[Deviation, ...] = ()
    reversed_by: int | None = None


@attrs.frozen
class Changed:
    """
    What was wasted or returned, or turned out to be more or less than recorded.

    Attributes:
        movement: Its number.
        kind: What happened.
        at: When, in UTC.
        product: `vendor/sku@revision` of the lot.
        lot: The maker's lot number.
        containers: Whole containers that came (above zero) or went (below).
        nanolitres: Volume that came into an opened container or went out of it.
        nanograms: The same by mass.
        via: Opened containers and mixtures on the way, the one it is about last.
        location: Where.
        supplier: Of a return: who got it.
        reversed_by: The movement that took it back.
    """

    movement: int
    kind: MovementKind
    at: datetime
    product: str
    lot: str
    containers: int
    nanolitres: int | None
    nanograms: int | None
    via: tuple[Vessel, ...] = ()
    location: str | None = None
    supplier: str | None = None
    reversed_by: int | None = None


@attrs.frozen
class Kept:
    """
    What a pick keeps.

    Attributes:
        pick: Number of the pick.
        reference: Of the session that it is for.
        lapses_at: When it ends by itself, in UTC.
        lapsed: Whether that is past: it keeps nothing any more, and may be on a tray all the same.
        containers: Whole containers; 0 if it is about an opened one.
        opened: Number of an opened container or mixture.
        nanolitres: Volume to be drawn from it.
        product: `vendor/sku@revision`; None for a mixture.
        lot: The maker's lot number; None for a mixture.
        location: Where.
    """

    pick: int
    reference: str | None
    lapses_at: datetime
    lapsed: bool
    containers: int
    opened: int | None
    nanolitres: int | None
    product: str | None
    lot: str | None
    location: str


@attrs.frozen
class Trace:
    """
    Where lots came from and where they went; of a session, everything that went into it.

    Attributes:
        reference: Of the session; None if a lot is followed.
        lots: The lots: one under each revision of its product, or all that went into the session.
        arrived: Receipts of the lots, by moment.
        went: Uses, by moment.
        changed: What was wasted, returned or corrected, by moment; empty for a session.
        left: Whole containers that are there now; empty for a session.
        opened: Opened containers and mixtures with the lot in them that are there now; empty for a session.
        kept: What picks keep of it, or for the session.
    """

    reference: str | None
    lots: tuple[TracedLot, ...]
    arrived: tuple[Arrived, ...] = ()
    went: tuple[Went, ...] = ()
    changed: tuple[Changed, ...] = ()
    left: tuple[OnHand, ...] = ()
    opened: tuple[Opened, ...] = ()
    kept: tuple[Kept, ...] = ()

    @property
    def sessions(self) -> tuple[str, ...]:
        """References of the sessions, in the order of use; what was taken back does not count."""
        found = (one.reference for one in self.went if one.reversed_by is None)
        return tuple(dict.fromkeys(one for one in found if one is not None))
