"""What is said of containers once they are opened: how long they keep, and who may share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from mesoformula.fields import IDENTIFIER, Choice, Flag, ListOf, QuantityOf, RecordOf, Text, written
from mesoformula.findings import Severity
from mesoformula.products import ContainerKind, Doses
from mesoformula.sources import Source

if TYPE_CHECKING:
    from mesoformula.units import Quantity


@attrs.frozen
class BeyondUseRule:
    """
    How long an opened container keeps, where its maker does not say.

    Attributes:
        id: Such as `multi-dose-28-days`; the ledger keeps it.
        message: What it says, for a professional.
        sources: Who says so.
        doses: Which containers it is for, by how often they serve; empty for all.
        containers: Which containers it is for, by kind; empty for all.
        prepared: Whether it is for what was dissolved or mixed, or only for what was not; None for both.
        period: After opening.
        session_only: Whether it is never kept beyond the session.
        unless_stated: Whether the in-use period of a product takes its place, be it shorter or longer.
        region: Where it is law or practice, if it is so in one region only.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "multi-dose-28-days"), "Unique name."))
    message: str = attrs.field(metadata=written(Text(longest=300), "What it says, for a professional."))
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "Who says so.", key="source")
    )
    doses: tuple[Doses, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Doses)), "How often they serve; leave out for all.")
    )
    containers: tuple[ContainerKind, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(ContainerKind)), "Kinds; leave out for all.")
    )
    prepared: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "Dissolved or mixed, or not; leave out for both.")
    )
    period: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("time"), "After opening.")
    )
    session_only: bool = attrs.field(
        default=False, metadata=written(Flag(), "Whether it is never kept beyond the session.")
    )
    unless_stated: bool = attrs.field(
        default=False, metadata=written(Flag(), "Whether a stated in-use period takes its place.")
    )
    region: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]{2}", "US"), "Two letters, if it holds in one only.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class SharingRule:
    """
    What to say when one container serves two sessions.

    Attributes:
        id: Such as `multi-dose-shared`; the code of the finding.
        severity: How much weight it has.
        message: For a professional, with what to do.
        sources: Who says so.
        doses: Which containers it is for, by how often they serve; empty for all.
        region: Where it is law or practice, if it is so in one region only.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "multi-dose-shared"), "Unique name."))
    severity: Severity = attrs.field(metadata=written(Choice(Severity), "How much weight it has."))
    message: str = attrs.field(metadata=written(Text(), "For a professional, with what to do."))
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "Who says so.", key="source")
    )
    doses: tuple[Doses, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Doses)), "How often they serve; leave out for all.")
    )
    region: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]{2}", "US"), "Two letters, if it holds in one only.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))
