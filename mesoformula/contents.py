"""What is in a product: the entries of a composition, as a source states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.fields import (
    IDENTIFIER,
    ClassAttributes,
    Flag,
    ListOf,
    QuantityOf,
    RecordOf,
    StrengthText,
    Text,
    written,
)

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength


@attrs.frozen
class Stated:
    """
    An amount that a source states.

    Attributes:
        strength: How much in how much product.
        source: The key of the source, if not the product's first.
        as_published: The label's own words, where they matter.
    """

    strength: Strength = attrs.field(
        metadata=written(StrengthText(), "Such as '5 mg/mL' or '60 µg per container'.", key="amount")
    )
    source: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "label"), "Key of the source.")
    )
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The label's own words."))


@attrs.frozen
class LabelEquivalent:
    """
    An equivalence that the label prints: `= 15 mg pantothenic acid`.

    Attributes:
        of: The moiety or element, a substance id; None if it is the substance itself, in another unit.
        amount: What the label says it is equal to, per the same amount of product as the entry's.
        holds: False where the two printed numbers cannot both be right; `why` says so.
        why: The reason why it does not hold.
    """

    amount: Quantity = attrs.field(metadata=written(QuantityOf(None), "What the label says it is equal to."))
    of: str | None = attrs.field(
        default=None,
        metadata=written(Text(IDENTIFIER, "pantothenic-acid"), "Moiety or ion it is counted in."),
    )
    holds: bool = attrs.field(
        default=True, metadata=written(Flag(), "False where the printed numbers contradict each other.")
    )
    why: str | None = attrs.field(default=None, metadata=written(Text(), "Why it does not hold."))


@attrs.frozen
class Content:
    """
    One entry of a composition: exactly one of a strength, disputed strengths, or undisclosed.

    Attributes:
        substance: The exact form; None where only the class is published.
        ingredient_class: The class, where no substance is named.
        strength: The amount, if one is stated.
        disputed: All amounts, if sources disagree.
        undisclosed: True if listed without an amount. Never zero.
        reason: Why a printed figure is not usable as an amount, such as a percentage without basis.
        source: The key of the source, if not the product's first.
        as_published: The label's own words for this entry.
        attributes: What is particular to the class in this product (cross-linked, molecular weight…).
        specific_activity: IU per mass, where it belongs to the product.
        equivalents: Equivalences that the label prints.
        total: What the label says one container holds in all, beside the amount.
    """

    substance: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "sodium-ascorbate"), "Id of the exact form.")
    )
    ingredient_class: str | None = attrs.field(
        default=None,
        metadata=written(
            Text(r"[a-z]+(?:_[a-z]+)*", "vitamin"), "Where only the class is published.", key="class"
        ),
    )
    strength: Strength | None = attrs.field(
        default=None,
        metadata=written(StrengthText(), "Such as '5 mg/mL' or '60 µg per container'.", key="amount"),
    )
    disputed: tuple[Stated, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Stated)), "All amounts, where sources disagree.")
    )
    undisclosed: bool = attrs.field(
        default=False, metadata=written(Flag(), "true if listed without an amount.")
    )
    reason: str | None = attrs.field(
        default=None, metadata=written(Text(), "Why a printed figure is not usable as an amount.")
    )
    source: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "label"), "Key of the source.")
    )
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The label's own words."))
    attributes: Any = attrs.field(
        default=None, metadata=written(ClassAttributes(), "Table named after the class.")
    )
    specific_activity: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("activity per mass"), "IU per mass of this product.")
    )
    equivalents: tuple[LabelEquivalent, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(LabelEquivalent)), "Equivalences the label prints.")
    )
    total: Quantity | None = attrs.field(
        default=None,
        metadata=written(QuantityOf(None), "What the label says one container holds in all."),
    )


@attrs.frozen
class Auxiliary:
    """
    Something in a product that is no ingredient, declared because allergies live there.

    Attributes:
        substance: Its id.
        strength: How much, if stated.
        as_published: The label's own words.
    """

    substance: str = attrs.field(metadata=written(Text(IDENTIFIER, "methylparaben"), "Its id."))
    strength: Strength | None = attrs.field(
        default=None, metadata=written(StrengthText(), "How much, if stated.", key="amount")
    )
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The label's own words."))
    source: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "label"), "Key of the source.")
    )
