"""
Rules of safety as data: what speaks against a session, when, how heavily, and who says so.

A rule speaks where every one of its conditions holds. A condition that is a list holds where any of its
items does; one that is left out says nothing. The conditions on a product (`products`, `kinds`, `containers`,
`doses`, `mixing`) hold where one and the same product meets them all. Where a fact is missing that a
condition asks for, nobody may take it for one that does not hold: the finding is `unchecked`.

No condition is an exception, and none has an upper end: more of anything never makes a rule fall silent.
"""

from __future__ import annotations

import enum
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.fields import (
    IDENTIFIER,
    Choice,
    Day,
    Flag,
    ListOf,
    QuantityOf,
    RecordOf,
    StrengthText,
    Text,
    Whole,
    written,
)
from mesoformula.findings import Severity
from mesoformula.formulas import PRODUCT_ID
from mesoformula.ingredients import Substance
from mesoformula.products import ContainerKind, Doses, Permission, ProductKind, Route
from mesoformula.sources import Source, SourceKind
from mesoformula.words import folded

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength

#: Where nobody answers for what is said: such a source alone carries a warning at the most.
WEAK = frozenset({SourceKind.REPO, SourceKind.CLINIC, SourceKind.BLOG})

#: The member states of the European Union since 2020, where its law holds too.
EU_MEMBERS = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
        "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip

#: Regions that a rule may name: the Union, its members, and other states whose law or practice is asked for.
REGIONS = EU_MEMBERS | {
    "EU", "UK", "US", "AE", "AL", "AM", "AR", "AU", "AZ", "BA", "BD", "BR", "BY", "CA", "CH", "CL", "CN",
    "CO", "DZ", "EC", "EG", "GE", "HK", "ID", "IL", "IN", "IS", "JP", "KE", "KR", "KW", "KZ", "LI", "MA",
    "MD", "ME", "MK", "MX", "MY", "NG", "NO", "NZ", "PE", "PH", "PK", "QA", "RS", "RU", "SA", "SG", "TH",
    "TN", "TR", "TW", "UA", "UY", "UZ", "VN", "ZA",
}  # fmt: skip

SELECTOR = r"(?:(?:moiety|class|role|origin):)?[a-z0-9]+(?:[ _-][a-z0-9]+)*"


class LooksAt(enum.StrEnum):
    """What a rule is about, for whoever reads a list of them."""

    PATIENT = "patient"
    MIXTURE = "mixture"
    PRODUCT = "product"
    AMOUNT = "amount"
    LAW = "law"
    EVIDENCE = "evidence"


class SelectorKind(enum.StrEnum):
    """By what a selector finds substances."""

    SUBSTANCE = "substance"
    MOIETY = "moiety"
    CLASS = "class"
    ROLE = "role"
    ORIGIN = "origin"


@attrs.frozen
class Selector:
    """
    Which substances are meant: one, or all that have something in common.

    Attributes:
        kind: By what they are found.
        name: The id of a substance or moiety, or a class, role or origin.
    """

    kind: SelectorKind
    name: str

    @classmethod
    def of(cls, text: str) -> Selector:
        """
        Read a selector as catalogues write it.

        Args:
            text: Such as `ascorbic-acid`, `moiety:ascorbic-acid`, `class:hyaluronic_acid`, `origin:fish`.

        Returns:
            The selector; a text without a kind is one exact substance.
        """
        kind, colon, name = text.partition(":")
        return cls(SelectorKind(kind), name) if colon else cls(SelectorKind.SUBSTANCE, text)

    def selects(self, substance: Substance, attributes: Any = None) -> bool:
        """
        Tell whether a substance is meant.

        Args:
            substance: Any; ingredient or auxiliary.
            attributes: What is particular to its class in one product, such as where that takes it from.

        Returns:
            Whether it is. Of a moiety: whether it is that, or yields it.
        """
        match self.kind:
            case SelectorKind.SUBSTANCE:
                return substance.id == self.name
            case SelectorKind.MOIETY:
                return self.name in (substance.id, *(moiety.substance for moiety in substance.moieties))
            case SelectorKind.CLASS:
                return substance.ingredient_class == self.name
            case SelectorKind.ROLE:
                return substance.role == self.name
            case SelectorKind.ORIGIN:
                return folded(self.name) in {folded(origin) for origin in origins_of(substance, attributes)}

    def selects_class(self, ingredient_class: str) -> bool:
        """
        Tell whether all substances of a class are meant, where a label names the class alone.

        Args:
            ingredient_class: Its id.

        Returns:
            Whether they are. If not, something of that class may still be meant: nobody knows.
        """
        return self.kind is SelectorKind.CLASS and self.name == ingredient_class


def origins_of(substance: Substance, attributes: Any = None) -> tuple[str, ...]:
    """
    List where a substance comes from.

    Args:
        substance: Any.
        attributes: What is particular to its class in one product.

    Returns:
        Species and sources as records name them; empty where none is stated.
    """
    stated = (
        substance.origin,
        getattr(substance.attributes, "origin", None),
        getattr(attributes, "origin", None),
    )
    return tuple(dict.fromkeys(origin for origin in stated if isinstance(origin, str)))


@attrs.frozen
class Presence:
    """
    Something that is in the mixture.

    Attributes:
        any_of: Selectors; any of what they mean, as ingredient or auxiliary.
        concentration_from: In the finished mixture, of each substance that is meant; this much or more.
    """

    any_of: tuple[str, ...] = attrs.field(
        metadata=written(ListOf(Text(SELECTOR, "moiety:ascorbic-acid")), "Any of what these selectors mean.")
    )
    concentration_from: Strength | None = attrs.field(
        default=None, metadata=written(StrengthText(), "In the finished mixture, this much or more.")
    )


class Per(enum.StrEnum):
    """Over what a limit counts."""

    POINT = "point"
    SESSION = "session"
    PERIOD = "period"


@attrs.frozen
class Limit:
    """
    How much is too much.

    Attributes:
        above: More than this: a dose, or a volume where no substance is named.
        per: Over what it counts.
        of: Selectors; doses of what they mean add up, counted in the moiety where one is named. Where there
            is none, the volume of the rule's products counts, or of everything where it names none.
        period: Such as `1 d`, where it counts over one.
    """

    above: Quantity = attrs.field(metadata=written(QuantityOf(None), "More than this: a dose, or a volume."))
    per: Per = attrs.field(metadata=written(Choice(Per), "Over what it counts."))
    of: tuple[str, ...] = attrs.field(
        default=(),
        metadata=written(
            ListOf(Text(SELECTOR, "moiety:glutathione")), "What is counted; leave out for a volume."
        ),
    )
    period: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("time"), "Where it counts over one, such as '1 d'.")
    )


@attrs.frozen
class Period:
    """
    When a rule is in force.

    Attributes:
        start: The first day.
        end: The first day after it; None for one that lasts.
    """

    start: date = attrs.field(metadata=written(Day(), "The first day."))
    end: date | None = attrs.field(
        default=None, metadata=written(Day(), "The first day after it; leave out if it lasts.")
    )

    def holds(self, on: date) -> bool:
        """Tell whether a day lies in it."""
        return self.start <= on and (self.end is None or on < self.end)


@attrs.frozen
class Rule:
    """
    What speaks against a session, and when; it speaks where every condition holds that is given.

    Attributes:
        id: Such as `selenite-with-acidic-ascorbate`; the code of the finding.
        looks_at: What it is about.
        severity: How much weight the finding has.
        message: For a professional, with what to do.
        sources: Who says so, the most important first.
        present: What is in the mixture, all of it. What one maker put into one container is that maker's:
            unless `one_container`, a rule on several speaks where not all of them come from the same part of
            the same product.
        one_container: Whether it speaks also where one container brings all of it.
        ph_below: The mixture may be more acidic than this. It may where any of its parts is, as published,
            lower end of a range: the pH of a mixture is never computed.
        products: Any of these is taken, `vendor/sku`, every revision.
        kinds: What the law takes the product for, in the session's region or everywhere.
        containers: What the product comes in.
        doses: How often a container of the product serves.
        mixing: What the maker of the product says of mixing, where it is mixed with another product.
        routes: Intended for the session, any of them.
        zones: Zone ids, any of them.
        techniques: Technique ids, any of them.
        conditions: Ids of conditions that the patient has, any of them.
        allergies: Ids of allergens that the patient is allergic to, any of them.
        allergic: Whether the patient is allergic to something that a product of the session holds.
        age_below: Of the patient, whole years.
        limit: An amount that is too much.
        region: Where it holds, its members included; None for everywhere.
        periods: When it is in force; empty for always.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "hyaluronidase-with-filler"), "Unique name."))
    looks_at: LooksAt = attrs.field(metadata=written(Choice(LooksAt), "What it is about."))
    severity: Severity = attrs.field(
        metadata=written(Choice(Severity), "How much weight the finding has; never unchecked.")
    )
    message: str = attrs.field(metadata=written(Text(longest=600), "For a professional, with what to do."))
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "Who says so.", key="source")
    )
    present: tuple[Presence, ...] = attrs.field(
        default=(),
        metadata=written(ListOf(RecordOf(Presence), most=10), "What is in the mixture, all of it."),
    )
    one_container: bool = attrs.field(
        default=False, metadata=written(Flag(), "Whether it speaks also where one container brings it all.")
    )
    ph_below: str | None = attrs.field(
        default=None,
        metadata=written(
            Text(r"\d{1,2}(?:\.\d+)?", "5.0"), "A part of the mixture is more acidic than this."
        ),
    )
    products: tuple[str, ...] = attrs.field(
        default=(),
        metadata=written(ListOf(Text(PRODUCT_ID, "ibsa/profhilo-2ml")), "Any of these is taken."),
    )
    kinds: tuple[ProductKind, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(ProductKind)), "What the law takes the product for.")
    )
    containers: tuple[ContainerKind, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(ContainerKind)), "What the product comes in.")
    )
    doses: tuple[Doses, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Doses)), "How often a container of it serves.")
    )
    mixing: tuple[Permission, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Permission)), "What its maker says, where it is mixed.")
    )
    routes: tuple[Route, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Route)), "Intended for the session, any of them.")
    )
    zones: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(IDENTIFIER, "face")), "Zone ids, any of them.")
    )
    techniques: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(IDENTIFIER, "micropapules")), "Technique ids, any of them.")
    )
    conditions: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(IDENTIFIER, "pregnancy")), "Of the patient, any of them.")
    )
    allergies: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(IDENTIFIER, "fish")), "Of the patient, any of them.")
    )
    allergic: bool = attrs.field(
        default=False,
        metadata=written(Flag(), "Whether the patient is allergic to something that a product holds."),
    )
    age_below: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 120), "Of the patient, whole years.")
    )
    limit: Limit | None = attrs.field(
        default=None, metadata=written(RecordOf(Limit), "An amount that is too much.")
    )
    region: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]{2}", "EU"), "Two letters; leave out for everywhere.")
    )
    periods: tuple[Period, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Period)), "When it is in force; leave out for always.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))

    @property
    def selectors(self) -> tuple[str, ...]:
        """Every selector in it."""
        found = [text for presence in self.present for text in presence.any_of]
        return (*found, *(self.limit.of if self.limit is not None else ()))

    def in_force(self, on: date) -> bool:
        """
        Tell whether the rule is in force.

        Args:
            on: The day.

        Returns:
            Whether the day lies in one of its periods, or it has none.
        """
        return not self.periods or any(period.holds(on) for period in self.periods)

    def holds_in(self, region: str) -> bool:
        """
        Tell whether the rule holds in a region.

        Args:
            region: Such as `FR`; where none is set, rules that name one are `unchecked`.

        Returns:
            Whether it holds everywhere, there, or in the Union that the region is a member of.
        """
        return self.region in (None, region) or (self.region == "EU" and region in EU_MEMBERS)


@attrs.frozen
class Condition:
    """
    Something about a patient that a rule may ask for.

    Attributes:
        id: Such as `breast-feeding`.
        name: For people.
        synonyms: Other names, in any language; each leads to one condition only.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "breast-feeding"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, in any language.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class Cross:
    """
    What else somebody with an allergy may react to.

    Attributes:
        any_of: Selectors; any of what they mean.
        severity: How much weight the finding has.
        message: For a professional, with what to do.
        sources: Who says so.
    """

    any_of: tuple[str, ...] = attrs.field(
        metadata=written(ListOf(Text(SELECTOR, "origin:soybean")), "Any of what these selectors mean.")
    )
    severity: Severity = attrs.field(metadata=written(Choice(Severity), "How much weight the finding has."))
    message: str = attrs.field(metadata=written(Text(longest=600), "For a professional, with what to do."))
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "Who says so.", key="source")
    )


@attrs.frozen
class Allergen:
    """
    Something that a patient may be allergic to.

    Attributes:
        id: Such as `fish`.
        name: For people.
        selectors: What holds it: the rule with `allergic` speaks.
        synonyms: Other names, in any language; each leads to one allergen only.
        crosses: What else may set the allergy off.
        note: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "fish"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    selectors: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text(SELECTOR, "origin:fish")), "What holds it.")
    )
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, in any language.")
    )
    crosses: tuple[Cross, ...] = attrs.field(
        default=(),
        metadata=written(ListOf(RecordOf(Cross), most=20), "What else may set it off.", key="cross"),
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


def words_of(one: Condition | Allergen) -> tuple[str, ...]:
    """
    List what leads to a condition or an allergen.

    Args:
        one: Either.

    Returns:
        Its id, name and synonyms.
    """
    return (one.id, one.name, *one.synonyms)
