"""Where and how a cocktail is injected, and what it is measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from mesoformula.fields import (
    IDENTIFIER,
    ListOf,
    QuantityOf,
    RangeOf,
    RecordOf,
    Text,
    Whole,
    written,
)
from mesoformula.formulas import PRODUCT_ID
from mesoformula.ingredients import Range
from mesoformula.sources import Source

if TYPE_CHECKING:
    from mesoformula.units import Quantity


@attrs.frozen
class Geometry:
    """
    What one source says of a technique.

    Attributes:
        source: Who says so.
        depth: Of the needle's tip.
        volume_per_point: Injected at each point.
        spacing: Between points.
        points_per_area: Where published instead of a spacing.
        note: What to know.
    """

    source: Source = attrs.field(metadata=written(RecordOf(Source), "Who says so."))
    depth: Range | None = attrs.field(
        default=None, metadata=written(RangeOf("length"), "Of the needle's tip.")
    )
    volume_per_point: Range | None = attrs.field(
        default=None, metadata=written(RangeOf("volume"), "Injected at each point.")
    )
    spacing: Range | None = attrs.field(default=None, metadata=written(RangeOf("length"), "Between points."))
    points_per_area: Quantity | None = attrs.field(
        default=None,
        metadata=written(QuantityOf("points per area"), "Where published instead of a spacing."),
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class Technique:
    """
    A way of injecting.

    Attributes:
        id: Such as `micropapules`.
        name: For people.
        published: What the sources say, side by side, the one followed first.
        synonyms: Other names.
        reason: Why the first source is the one followed, where they disagree.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "micropapules"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    published: tuple[Geometry, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Geometry)), "What the sources say, the one followed first.")
    )
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, for searching.")
    )
    reason: str | None = attrs.field(
        default=None, metadata=written(Text(), "Why the first source is the one followed.")
    )

    @property
    def points_per_area(self) -> Quantity | None:
        """Points per area of the source followed; None where it publishes none."""
        return self.published[0].points_per_area

    @property
    def volume_per_point(self) -> Range | None:
        """Volume per point of the source followed; None where it publishes none."""
        return self.published[0].volume_per_point


#: How far apart sessions are: months differ in length, so that they are no quantity.
INTERVAL = r"\d{1,3} (?:d|days?|weeks?|months?)(?: to \d{1,3} (?:d|days?|weeks?|months?))?"


@attrs.frozen
class Protocol:
    """
    A schedule of sessions as somebody published it.

    Attributes:
        id: Such as `sunekos-200-four-sessions`.
        name: For people.
        source: Who published it.
        sessions: How many; the lower number of a range.
        sessions_at_most: The upper number of a range.
        interval: Between sessions, such as `14 days` or `1 month`.
        then_every: Between maintenance sessions, such as `2 months`.
        products: Product ids that it was published for; empty if for none in particular.
        zones: Zone ids.
        technique: Technique id.
        volume: Injected per session.
        steps: Around the injection, in order, such as `cleanse`.
        as_published: The source's own words.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "profhilo-two-sessions"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    source: Source = attrs.field(metadata=written(RecordOf(Source), "Who published it."))
    sessions: int = attrs.field(metadata=written(Whole(1, 100), "How many; of a range, the lower number."))
    sessions_at_most: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 100), "Of a range, the upper number.")
    )
    interval: str | None = attrs.field(
        default=None, metadata=written(Text(INTERVAL, "14 days"), "Between sessions.")
    )
    then_every: str | None = attrs.field(
        default=None, metadata=written(Text(INTERVAL, "2 months"), "Between maintenance sessions.")
    )
    products: tuple[str, ...] = attrs.field(
        default=(),
        metadata=written(ListOf(Text(PRODUCT_ID, "ibsa/profhilo-2ml")), "What it was published for."),
    )
    zones: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(IDENTIFIER, "face")), "Zone ids.")
    )
    technique: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "micropapules"), "Technique id.")
    )
    volume: Range | None = attrs.field(
        default=None, metadata=written(RangeOf("volume"), "Injected per session.")
    )
    steps: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Around the injection, in order.")
    )
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The source's own words."))
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class Zone:
    """
    Where on the body; its area is asked for, as no source publishes one.

    Attributes:
        id: Such as `face`.
        name: For people.
        synonyms: Other names.
        sources: Who names it.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "face"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "Who names it.", key="source")
    )
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, for searching.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class Syringe:
    """
    What a volume is measured and injected with.

    Attributes:
        id: Such as `1-ml`.
        name: For people.
        capacity: Largest volume on its scale.
        graduation: Smallest division of its scale.
        source: Who says so.
        dead_volume: What stays in it when empty, at most; None where not stated.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "1-ml"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    capacity: Quantity = attrs.field(metadata=written(QuantityOf("volume"), "Largest volume on its scale."))
    graduation: Quantity = attrs.field(
        metadata=written(QuantityOf("volume"), "Smallest division of its scale.")
    )
    source: Source = attrs.field(metadata=written(RecordOf(Source), "Who says so."))
    dead_volume: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume", zero=True), "What stays in it, at most.")
    )


@attrs.frozen
class Needle:
    """
    What it is injected through.

    Attributes:
        id: Such as `21g`.
        name: For people.
        source: Who says so.
        dead_volume: What stays in it.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "21g"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    dead_volume: Quantity = attrs.field(
        metadata=written(QuantityOf("volume", zero=True), "What stays in it.")
    )
    source: Source = attrs.field(metadata=written(RecordOf(Source), "Who says so."))
