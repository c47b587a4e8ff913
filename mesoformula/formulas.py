"""The recipe of a cocktail: lines of products, with amounts that scale."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from mesoformula.fields import (
    IDENTIFIER,
    Flag,
    ListOf,
    QuantityOf,
    RecordOf,
    StrengthText,
    Text,
    Whole,
    written,
)
from mesoformula.sources import Source

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength

PRODUCT_ID = rf"{IDENTIFIER}/{IDENTIFIER}(?:@[1-9]\d{{0,3}})?"


class LineKind(enum.StrEnum):
    """How a line says how much it takes."""

    VOLUME = "volume"
    CONTAINERS = "containers"
    DOSE = "dose"
    CONCENTRATION = "concentration"
    PARTS = "parts"
    FILL_TO = "fill_to"


@attrs.frozen
class Line:
    """
    One line of a formula: a product, and exactly one way of saying how much.

    Attributes:
        product: `vendor/sku`, or `vendor/sku@revision`.
        part: The part of a kit, where its parts are not mixed.
        volume: To take of the product.
        containers: Whole containers (or kits) to take.
        dose: Of a substance, taken from this product.
        concentration: Of a substance in the finished mixture, all lines counted.
        substance: What a dose or concentration is of: a substance or a moiety, always named.
        parts: A share of what the other lines leave of the total.
        fill_to: The total that this line, a diluent, fills the mixture up to.
        make_up_to: Volume that a powder is made up to, where the preparer measures it.
    """

    product: str = attrs.field(
        metadata=written(Text(PRODUCT_ID, "fresenius-kabi/soluvit-n"), "vendor/sku, or with @revision.")
    )
    part: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "gel"), "Part of a kit that is not mixed.")
    )
    volume: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume"), "To take of the product.")
    )
    containers: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 1000), "Whole containers, or kits, to take.")
    )
    dose: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf(None), "Of a substance, from this product.")
    )
    concentration: Strength | None = attrs.field(
        default=None, metadata=written(StrengthText(), "Of a substance in the finished mixture.")
    )
    substance: str | None = attrs.field(
        default=None,
        metadata=written(Text(IDENTIFIER, "ascorbic-acid"), "What a dose or concentration is of."),
    )
    parts: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 1000), "Share of what the other lines leave of the total.")
    )
    fill_to: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume"), "Total that this diluent fills up to.")
    )
    make_up_to: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume"), "Volume that a powder is made up to.")
    )

    @property
    def kinds(self) -> tuple[LineKind, ...]:
        """Which ways of saying how much are filled in; exactly one in a right line."""
        return tuple(kind for kind in LineKind if getattr(self, kind.value) is not None)

    @property
    def kind(self) -> LineKind:
        """The way in which this line says how much it takes."""
        return self.kinds[0]


@attrs.frozen
class Formula:
    """
    The recipe of a cocktail; a published version never changes.

    Attributes:
        id: Such as `vitamin-c-teaching`.
        name: For people.
        lines: What goes in.
        version: Rises with every change.
        total: Volume of the finished mixture, where `parts` need one and no line fills up.
        teaching: Whether it only shows how formulas work and describes no published mixture.
        description: What it is for, as its source says.
        sources: Where it was published.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "vitamin-c-teaching"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    lines: tuple[Line, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Line), most=50), "What goes in.", key="line")
    )
    version: int = attrs.field(default=1, metadata=written(Whole(1, 9999), "Rises with every change."))
    total: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume"), "Volume of the finished mixture.")
    )
    teaching: bool = attrs.field(
        default=False, metadata=written(Flag(), "true if it describes no published mixture.")
    )
    description: str | None = attrs.field(default=None, metadata=written(Text(), "What it is for."))
    sources: tuple[Source, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Source)), "Where it was published.", key="source")
    )
