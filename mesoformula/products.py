"""What vendors sell: presentation, composition and what the label says about using it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

from mesoformula.contents import Auxiliary, Content
from mesoformula.fields import (
    IDENTIFIER,
    Choice,
    Flag,
    ListOf,
    QuantityOf,
    RecordOf,
    Text,
    Whole,
    written,
)
from mesoformula.sources import Source

if TYPE_CHECKING:
    from mesoformula.units import Quantity


class ContainerKind(enum.StrEnum):
    """What is opened."""

    VIAL = "vial"
    AMPOULE = "ampoule"
    SYRINGE = "syringe"
    BOTTLE = "bottle"
    NOT_STATED = "not stated"

    @property
    def word(self) -> str:
        """The word for one of it: where no source names the kind, `container`."""
        return "container" if self is ContainerKind.NOT_STATED else self.value


class Form(enum.StrEnum):
    """What is in the container."""

    SOLUTION = "solution"
    GEL = "gel"
    POWDER = "powder"
    SUSPENSION = "suspension"
    EMULSION = "emulsion"
    NOT_STATED = "not stated"


class ProductKind(enum.StrEnum):
    """What the law takes the product for, as far as the sources say."""

    MEDICINE = "medicine"
    DEVICE = "device"
    COSMETIC = "cosmetic"
    NOT_STATED = "not stated"


class Route(enum.StrEnum):
    """A way of administration that a label names."""

    INTRADERMAL = "intradermal"
    SUBCUTANEOUS = "subcutaneous"
    INTRAMUSCULAR = "intramuscular"
    INTRAVENOUS = "intravenous"
    EXTERNAL = "external"
    ORAL = "oral"


class Doses(enum.StrEnum):
    """Whether a container may serve more than once."""

    SINGLE = "single"
    MULTI = "multi"
    NOT_STATED = "not stated"


class Permission(enum.StrEnum):
    """Whether the maker permits something."""

    YES = "yes"
    NO = "no"
    NOT_STATED = "not stated"


class Method(enum.StrEnum):
    """How a powder is dissolved: the two differ by the volume that the powder displaces."""

    ADD = "add"
    MAKE_UP_TO = "make up to"


@attrs.frozen
class Reconstitution:
    """
    How a powder becomes a solution.

    Attributes:
        volume: Of diluent to add, or to make up to.
        method: Which of the two.
        diluents: What the label names, substance ids; empty where it names none.
        displacement: Volume that the powder of one container takes up; None is `not stated`.
        labelled_volume: What the label counts the prepared container as, if it says so
            (`each mL of reconstituted solution contains …`).
        as_published: The label's own words.
    """

    volume: Quantity = attrs.field(metadata=written(QuantityOf("volume"), "Of diluent."))
    method: Method = attrs.field(metadata=written(Choice(Method), "add, or make up to."))
    diluents: tuple[str, ...] = attrs.field(
        default=(),
        metadata=written(ListOf(Text(IDENTIFIER, "water-for-injections")), "What the label names."),
    )
    displacement: Quantity | None = attrs.field(
        default=None,
        metadata=written(
            QuantityOf("volume", zero=True), "Of the powder of one container; leave out if not stated."
        ),
    )
    labelled_volume: Quantity | None = attrs.field(
        default=None,
        metadata=written(QuantityOf("volume"), "What the label counts the prepared container as."),
    )
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The label's own words."))

    @property
    def final_volume(self) -> Quantity | None:
        """Volume of the prepared container; None where the displacement is not stated."""
        if self.labelled_volume is not None:
            return self.labelled_volume
        if self.method is Method.MAKE_UP_TO:
            return self.volume
        if self.displacement is not None:
            prepared: Quantity = self.volume + self.displacement
            return prepared
        return None


@attrs.frozen
class Part:
    """
    One kind of container of a product; a kit has several.

    Attributes:
        container: What is opened.
        form: What is in it.
        name: What tells it from the other parts of a kit.
        per_kit: How many of it make up one kit.
        volume: Labelled fill of a liquid; overfill is unknown.
        mass: Powder or gel by mass.
        density: Where strength is per gram.
        reconstitution: Of a powder.
        composition: What is in it.
        auxiliaries: Diluents, buffers, preservatives.
        ph: As published.
        osmolality: As published.
        as_published: The label's own words for the presentation.
    """

    container: ContainerKind = attrs.field(metadata=written(Choice(ContainerKind), "What is opened."))
    form: Form = attrs.field(metadata=written(Choice(Form), "What is in it."))
    name: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "powder"), "What tells it from the other parts.")
    )
    per_kit: int = attrs.field(default=1, metadata=written(Whole(1, 100), "How many of it make up one kit."))
    volume: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("volume"), "Labelled fill of a liquid.")
    )
    mass: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("mass"), "Powder, or gel by mass.")
    )
    density: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("density"), "Where strength is per gram.")
    )
    reconstitution: Reconstitution | None = attrs.field(
        default=None, metadata=written(RecordOf(Reconstitution), "Of a powder.")
    )
    composition: tuple[Content, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Content)), "What is in it.")
    )
    auxiliaries: tuple[Auxiliary, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Auxiliary)), "Diluents, buffers, preservatives.")
    )
    ph: str | None = attrs.field(
        default=None,
        metadata=written(
            Text(r"\d{1,2}(?:\.\d+)?(?: to \d{1,2}(?:\.\d+)?)?", "5.8"), "'5.8' or '6.2 to 7.0'."
        ),
    )
    osmolality: str | None = attrs.field(
        default=None, metadata=written(Text(), "As published, such as '490 mOsm/kg'.")
    )
    as_published: str | None = attrs.field(
        default=None, metadata=written(Text(), "The label's own words for the presentation.")
    )

    @property
    def usable_volume(self) -> Quantity | None:
        """Volume that one container yields: the labelled fill, or the powder's once dissolved."""
        if self.reconstitution is not None:
            return self.reconstitution.final_volume
        return self.volume


@attrs.frozen
class Storage:
    """
    How to keep it, as labelled.

    Attributes:
        low: Lowest temperature.
        high: Highest temperature.
        protect_from_light: As labelled; None where not stated.
        do_not_freeze: As labelled; None where not stated.
        as_published: The label's own words.
    """

    low: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("temperature", zero=True), "Lowest temperature.")
    )
    high: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("temperature", zero=True), "Highest temperature.")
    )
    protect_from_light: bool | None = attrs.field(default=None, metadata=written(Flag(), "As labelled."))
    do_not_freeze: bool | None = attrs.field(default=None, metadata=written(Flag(), "As labelled."))
    as_published: str | None = attrs.field(default=None, metadata=written(Text(), "The label's own words."))


@attrs.frozen
class Status:
    """
    What the product is in one region.

    Attributes:
        region: Such as `EU`, `FR`, `UK`, `KR`.
        kind: What the law takes it for there.
        device_class: Of a device, such as `III`.
        note: What to know.
    """

    region: str = attrs.field(metadata=written(Text(r"[A-Z]{2}", "EU"), "Two letters."))
    kind: ProductKind = attrs.field(metadata=written(Choice(ProductKind), "What the law takes it for."))
    device_class: str | None = attrs.field(
        default=None, metadata=written(Text(r"I|IIa|IIb|III", "III"), "Of a device.")
    )
    note: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))


@attrs.frozen
class Vendor:
    """
    Who sells it.

    Attributes:
        id: Such as `fresenius-kabi`.
        name: For people.
        synonyms: Other names.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "fresenius-kabi"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, for searching.")
    )


class CheckCode(enum.StrEnum):
    """A check that a product may be excepted from, as what is printed on it is so."""

    GTIN = "gtin"
    IN_USE = "in-use"
    POWDER = "powder"
    LABEL_EQUIVALENT = "label-equivalent"
    TOTAL = "total"
    KIT_VOLUME = "kit-volume"
    ABOVE_100 = "above-100"
    OUTLIER = "outlier"


@attrs.frozen
class CheckException:
    """
    A check that a product fails, and rightly so.

    Attributes:
        code: The code of its problems.
        why: Why they are none.
    """

    code: CheckCode = attrs.field(metadata=written(Choice(CheckCode), "The code of the problem."))
    why: str = attrs.field(metadata=written(Text(), "Why it is none here."))


@attrs.frozen
class Product:
    """
    What a vendor sells.

    Attributes:
        vendor: Who sells it.
        sku: The vendor's item, unique with the vendor.
        name: For people.
        parts: What is in the pack; several make a kit, which is used as a unit.
        revision: Rises with every change of the product itself.
        kind: What the law takes it for, where the sources agree.
        containers_per_pack: Containers, or kits, in one pack; None where not stated.
        kit_is_mixed: Whether the parts of a kit are mixed before use, as its maker says.
        mixed_volume: What the label says a kit makes in all, once mixed.
        composition: Of the whole kit, where no source says which part holds what.
        routes: Labelled ways of administration; empty means not stated.
        status: By region.
        storage: As labelled.
        doses: Whether a container may serve more than once.
        in_use_period: Of a multi-dose container, after first opening.
        stability_after_preparation: Of a powder or mixture, once prepared.
        mixing: Whether the maker permits mixing with other products.
        warnings: As labelled.
        contraindications: As labelled.
        protocol: As published.
        nicknames: What people call it; may be shared.
        gtin: Trade item number of the pack.
        sources: Where the facts come from, the most important first.
        notes: What to know.
        corrected: Which typing error was mended without a new revision.
        exceptions: Checks that it fails, and why rightly so.
    """

    vendor: Vendor
    sku: str = attrs.field(metadata=written(Text(IDENTIFIER, "soluvit-n"), "Unique with the vendor."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    parts: tuple[Part, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Part), most=10), "What is in the pack.", key="part")
    )
    sources: tuple[Source, ...] = attrs.field(
        metadata=written(ListOf(RecordOf(Source)), "The most important first.", key="source")
    )
    revision: int = attrs.field(
        default=1, metadata=written(Whole(1, 9999), "Rises with every change of the product itself.")
    )
    kind: ProductKind = attrs.field(
        default=ProductKind.NOT_STATED,
        metadata=written(Choice(ProductKind), "What the law takes it for."),
    )
    containers_per_pack: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 1000), "Containers, or kits, in one pack.")
    )
    kit_is_mixed: Permission = attrs.field(
        default=Permission.NOT_STATED,
        metadata=written(Choice(Permission), "Whether the parts of a kit are mixed before use."),
    )
    mixed_volume: Quantity | None = attrs.field(
        default=None,
        metadata=written(QuantityOf("volume"), "What the label says a kit makes in all, once mixed."),
    )
    composition: tuple[Content, ...] = attrs.field(
        default=(),
        metadata=written(
            ListOf(RecordOf(Content)), "Of the whole kit, where no source says which part holds what."
        ),
    )
    routes: tuple[Route, ...] = attrs.field(
        default=(), metadata=written(ListOf(Choice(Route)), "Labelled ways of administration.")
    )
    status: tuple[Status, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Status)), "By region.")
    )
    storage: Storage | None = attrs.field(default=None, metadata=written(RecordOf(Storage), "As labelled."))
    doses: Doses = attrs.field(
        default=Doses.NOT_STATED, metadata=written(Choice(Doses), "single, multi or not stated.")
    )
    in_use_period: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("time"), "Of a multi-dose container, after opening.")
    )
    stability_after_preparation: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("time"), "Of a powder or mixture, once prepared.")
    )
    mixing: Permission = attrs.field(
        default=Permission.NOT_STATED,
        metadata=written(Choice(Permission), "Whether the maker permits mixing with other products."),
    )
    warnings: tuple[str, ...] = attrs.field(default=(), metadata=written(ListOf(Text()), "As labelled."))
    contraindications: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "As labelled.")
    )
    protocol: str | None = attrs.field(default=None, metadata=written(Text(), "As published."))
    nicknames: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "What people call it; may be shared.")
    )
    gtin: str | None = attrs.field(
        default=None,
        metadata=written(Text(r"\d{8}|\d{12,14}", "05060131261973"), "Trade item number of the pack."),
    )
    corrected: str | None = attrs.field(
        default=None,
        metadata=written(Text(), "Which typing error was mended without a new revision."),
    )
    exceptions: tuple[CheckException, ...] = attrs.field(
        default=(),
        metadata=written(
            ListOf(RecordOf(CheckException), most=10),
            "Checks that it fails, and why rightly so.",
            key="exception",
        ),
    )
    notes: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))

    @property
    def excepted(self) -> frozenset[str]:
        """The codes of the checks that it may fail."""
        return frozenset(one.code.value for one in self.exceptions)

    @property
    def id(self) -> str:
        """The identity that formulas name: `vendor/sku`."""
        return f"{self.vendor.id}/{self.sku}"

    @property
    def pinned_id(self) -> str:
        """The identity that lots pin: `vendor/sku@revision`."""
        return f"{self.vendor.id}/{self.sku}@{self.revision}"

    @property
    def is_kit(self) -> bool:
        """Whether it has parts of different kinds or sizes, or several of one, used as a unit."""
        return len(self.parts) > 1 or self.parts[0].per_kit > 1

    def source(self, key: str | None) -> Source:
        """
        Find the source that an entry refers to.

        Args:
            key: The entry's source key; None means the product's first source.

        Returns:
            The source.

        Raises:
            KeyError: If no source of the product bears the key.
        """
        if key is None:
            return self.sources[0]
        for source in self.sources:
            if source.key == key:
                return source
        raise KeyError(key)

    def contents(self) -> tuple[tuple[Part | None, Content], ...]:
        """
        List every composition entry with the part that holds it.

        Returns:
            Pairs of part and content; the part is None where no source says which one it is.
        """
        pairs: list[tuple[Part | None, Content]] = [
            (part, content) for part in self.parts for content in part.composition
        ]
        pairs.extend((None, content) for content in self.composition)
        return tuple(pairs)
