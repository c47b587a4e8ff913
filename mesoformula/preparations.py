"""What is prepared for one session, for its record and its labels."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from mesoformula.findings import Finding, Override
from mesoformula.products import Product
from mesoformula.sessions import SessionQuantities

if TYPE_CHECKING:
    from mesoformula.stock.records import Anchor


@attrs.frozen
class LotTaken:
    """
    One lot that a line of a preparation is taken from.

    Attributes:
        product: As the stock keeps it.
        lot: The maker's lot number.
        expiry: Its last day of use; None if none is printed.
        containers: Whole containers that are kept or used; 0 if all comes from an opened one.
        location: Where they are taken.
        opened: Number of the opened container, if it is one.
        nanolitres: Drawn from that, in nanolitres; None if whole containers are taken.
        beyond_use_at: When the opened container must be gone, in UTC.
        rule: Which rule says so.
    """

    product: Product
    lot: str
    expiry: date | None
    containers: int
    location: str
    opened: int | None = None
    nanolitres: int | None = None
    beyond_use_at: datetime | None = None
    rule: str | None = None


@attrs.frozen
class Preparation:
    """
    A session as it is prepared: what was worked out, from which lots, and until when it may be used.

    Attributes:
        quantities: What was asked and answered.
        findings: Of the working out and of all checks, the heaviest first, what is overridden included.
        overrides: What a professional has decided against findings.
        ready: Whether nothing stands against it.
        reference: Of the session; None if none was given.
        lots: What is kept or used for it, by the ledger; none if nothing is.
        by: Who prepares it; None leaves a line to write on.
        prepared_at: When, in UTC; None leaves a line to write on.
        beyond_use_at: When the mixture must be gone, in UTC; None if nobody can tell.
        beyond_use_rule: Which rule governs, in words; why nobody can tell, if so.
        anchor: Head of the ledger's chain; None without a ledger.
        store: The place of the ledger, without secrets.
    """

    quantities: SessionQuantities
    findings: tuple[Finding, ...]
    overrides: tuple[Override, ...]
    ready: bool
    reference: str | None = None
    lots: tuple[LotTaken, ...] = ()
    by: str | None = None
    prepared_at: datetime | None = None
    beyond_use_at: datetime | None = None
    beyond_use_rule: str | None = None
    anchor: Anchor | None = None
    store: str | None = None
