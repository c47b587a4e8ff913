"""What is prepared for one session, for its record and its labels."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from mesoformula.findings import Finding, Override, decisions, standing
from mesoformula.products import Product
from mesoformula.sessions import SessionQuantities

if TYPE_CHECKING:
    from mesoformula.stock.records import Anchor, Deviation

#: Code of the finding that the ledger names less of a product than a session takes.
FEWER_LOTS = "fewer-lots"


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
        suppliers: Who delivered it.
        used_at: When it was used, in UTC; None while it is only kept.
        has_lapsed: Whether it was kept, and is so no longer; it may be on a tray all the same.
        is_recalled: Whether the lot is recalled now.
        is_quarantined: Whether the lot is in quarantine now.
        deviations: Why it should not have been used, by the ledger.
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
    suppliers: tuple[str, ...] = ()
    used_at: datetime | None = None
    has_lapsed: bool = False
    is_recalled: bool = False
    is_quarantined: bool = False
    deviations: tuple[Deviation, ...] = ()


@attrs.frozen
class KeptUntil:
    """
    One thing that limits how long a preparation keeps.

    Attributes:
        rule: The id of a rule of a catalogue, or `mixture:not-stated`, `lot:expiry` and the like.
        reason: For people, with what it is about.
        until: The moment from which on nothing of it may be used, in UTC; None for this session only, or
            where the moment of preparation is not known.
        is_session_only: Whether it may not be kept beyond the session.
        source: Who says so, such as `REG: https://…`; None where it is printed on the lot, or nobody does.
    """

    rule: str
    reason: str
    until: datetime | None = None
    is_session_only: bool = False
    source: str | None = None


@attrs.frozen
class Preparation:
    """
    A session as it is prepared: what was worked out, from which lots, and until when it may be used.

    Attributes:
        quantities: What was asked and answered.
        findings: Of the working out, of all checks and of the lots, the heaviest first, what is overridden
            included.
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
        limits: All that limits how long it keeps, the one that governs first.
        left_out: How many uses the ledger has under the same reference on other days.
        day: By which lots are judged; None if that is not known.
        lot_findings: Those of the findings that are about lots.
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
    limits: tuple[KeptUntil, ...] = ()
    left_out: int = 0
    day: date | None = None
    lot_findings: tuple[Finding, ...] = ()

    @property
    def is_session_only(self) -> bool:
        """Whether it serves this session and is never kept; also where nothing says that it keeps."""
        return not self.limits or self.limits[0].is_session_only

    @property
    def standing(self) -> tuple[Finding, ...]:
        """What stands against it: every block, and every override that is not given."""
        return standing(self.findings, self.overrides)

    @property
    def decisions(self) -> tuple[str, ...]:
        """The overrides as records keep them, those of one person and reason together."""
        return decisions(self.overrides)
