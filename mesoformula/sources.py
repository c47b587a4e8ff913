"""Where a figure comes from, and how far that can be trusted."""

from __future__ import annotations

import enum
from datetime import date

import attrs

from mesoformula.fields import IDENTIFIER, Choice, Day, Text, written


class SourceKind(enum.StrEnum):
    """Who says so, most trusted first."""

    IFU = "IFU"  # the manufacturer's instructions, leaflet or own page
    SMPC = "SmPC"  # an authorised medicine label
    REG = "REG"  # a regulator or legislator
    STD = "STD"  # a standards body or pharmacopoeia
    PR = "PR"  # a peer-reviewed paper
    CALC = "CALC"  # arithmetic on the above
    DIST = "DIST"  # a distributor or wholesaler: kept and marked
    REPO = "REPO"  # text found in a public repository
    CLINIC = "CLINIC"  # a clinic's page
    BLOG = "BLOG"  # a blog or exam-preparation page

    @property
    def may_state_amounts(self) -> bool:
        """Whether an amount may come from here, a distributor's only as marked."""
        return self in _MAY_STATE_AMOUNTS

    @property
    def rank(self) -> int:
        """The place in order of trust, 0 the best."""
        return list(SourceKind).index(self)


_MAY_STATE_AMOUNTS = frozenset(
    {
        SourceKind.IFU,
        SourceKind.SMPC,
        SourceKind.REG,
        SourceKind.STD,
        SourceKind.PR,
        SourceKind.CALC,
        SourceKind.DIST,
    }
)


@attrs.frozen
class Source:
    """
    One place where something was read.

    Attributes:
        kind: How far it can be trusted.
        where: An address or a bibliographic reference.
        read: The day on which it was read.
        key: A short name by which entries of the same record refer to it.
        note: What to know about it.
    """

    kind: SourceKind = attrs.field(metadata=written(Choice(SourceKind), "Who says so."))
    where: str = attrs.field(metadata=written(Text(), "Address or bibliographic reference."))
    read: date = attrs.field(metadata=written(Day(), "The day on which it was read."))
    key: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "label"), "Short name for entries to refer to.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know about it."))
