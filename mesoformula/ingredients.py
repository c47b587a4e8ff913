"""Ingredient classes, each a type of its own, and substances as exact chemical forms."""

from __future__ import annotations

import enum
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.elements import EXACT, atoms, molar_mass
from mesoformula.fields import (
    IDENTIFIER,
    Choice,
    ClassAttributes,
    Flag,
    ListOf,
    QuantityOf,
    RangeOf,
    RecordOf,
    StrengthText,
    Text,
    Whole,
    written,
)
from mesoformula.sources import Source

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength


@attrs.frozen
class Range:
    """
    A published range: both ends are quantities of one dimension, low not above high.

    Attributes:
        low: The lower end.
        high: The upper end.
    """

    low: Quantity
    high: Quantity


class Solubility(enum.StrEnum):
    """What a vitamin dissolves in."""

    WATER = "water"
    FAT = "fat"


class NucleicKind(enum.StrEnum):
    """What a nucleic-acid ingredient is."""

    BASE = "base"
    NUCLEOSIDE = "nucleoside"
    NUCLEOTIDE = "nucleotide"
    DNA = "DNA"
    RNA = "RNA"
    POLYNUCLEOTIDE = "polynucleotide"
    PDRN = "PDRN"


@attrs.frozen
class HyaluronicAcid:
    """
    What tells one hyaluronic acid from another.

    Attributes:
        molecular_weight: Of the chains.
        cross_linked: None where the source does not say.
        cross_linker: What holds the chains together.
        origin: Such as `biofermentation`.
        counter_ion: `hydrogen` for the acid, `sodium` for the salt.
    """

    molecular_weight: Range | None = attrs.field(
        default=None, metadata=written(RangeOf("molecular weight"), "Of the chains, such as '50 kDa'.")
    )
    cross_linked: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "Leave out where the source does not say.")
    )
    cross_linker: str | None = attrs.field(
        default=None, metadata=written(Text(), "What holds the chains together.")
    )
    origin: str | None = attrs.field(default=None, metadata=written(Text(), "Such as 'biofermentation'."))
    counter_ion: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "sodium"), "'hydrogen' for the acid.")
    )


@attrs.frozen
class Vitamin:
    """
    What tells one vitamin from another.

    Attributes:
        vitamin: Its letter, such as `C` or `B12`.
        solubility: In water or in fat.
        provitamin: Whether the body makes the vitamin from it.
    """

    vitamin: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]\d{0,2}", "B12"), "Its letter.")
    )
    solubility: Solubility | None = attrs.field(
        default=None, metadata=written(Choice(Solubility), "What it dissolves in.")
    )
    provitamin: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "Whether the body makes the vitamin from it.")
    )


@attrs.frozen
class AminoAcid:
    """
    What tells one amino acid from another.

    Attributes:
        chirality: `L`, `D`, `DL`, or `none` (glycine).
        salt: The acid it is a salt of, such as `hydrochloride`.
        essential: Whether the body cannot make it.
    """

    chirality: str | None = attrs.field(
        default=None, metadata=written(Text(r"L|D|DL|none", "L"), "L, D, DL or none.")
    )
    salt: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "hydrochloride"), "Such as 'hydrochloride'.")
    )
    essential: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "Whether the body cannot make it.")
    )


@attrs.frozen
class Mineral:
    """
    What tells one mineral salt from another; its elemental fraction follows from the formula.

    Attributes:
        element: The substance id of the element, such as `magnesium`.
        salt: The counter-ion, such as `sulfate`.
        hydrate: Molecules of water per formula unit; 0 for the anhydrous form.
    """

    element: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "magnesium"), "Substance id of the element.")
    )
    salt: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "sulfate"), "The counter-ion.")
    )
    hydrate: int | None = attrs.field(
        default=None, metadata=written(Whole(0, 20), "Molecules of water; 0 for anhydrous.")
    )


@attrs.frozen
class Coenzyme:
    """
    What tells one coenzyme from another.

    Attributes:
        vitamin_precursor: The vitamin it is made from, such as `B1`.
        transfers: What it carries, such as `electrons`.
    """

    vitamin_precursor: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z]\d{0,2}", "B1"), "The vitamin it is made from.")
    )
    transfers: str | None = attrs.field(
        default=None, metadata=written(Text(), "What it carries, such as 'electrons'.")
    )


@attrs.frozen
class NucleicAcid:
    """
    What tells one nucleic acid from another.

    Attributes:
        kind: From single base to polymer.
        fragment_length: Of the chains, as molecular weight.
        origin: The species it comes from: fish matters for allergies.
    """

    kind: NucleicKind | None = attrs.field(
        default=None, metadata=written(Choice(NucleicKind), "From single base to polymer.")
    )
    fragment_length: Range | None = attrs.field(
        default=None, metadata=written(RangeOf("molecular weight"), "Of the chains, as molecular weight.")
    )
    origin: str | None = attrs.field(
        default=None, metadata=written(Text(), "The species it comes from, such as 'salmon'.")
    )


@attrs.frozen
class GrowthFactor:
    """
    What tells one growth factor from another.

    Attributes:
        recombinant: Whether it is made by an engineered organism.
        host: That organism.
        specific_activity: IU per mass, which belongs to one product or standard.
        form: The length or variant, such as `1-52`: unit scales differ by it.
    """

    recombinant: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "Whether it is made by an engineered organism.")
    )
    host: str | None = attrs.field(default=None, metadata=written(Text(), "That organism."))
    specific_activity: Quantity | None = attrs.field(
        default=None, metadata=written(QuantityOf("activity per mass"), "IU per mass of this product.")
    )
    form: str | None = attrs.field(
        default=None, metadata=written(Text(), "Length or variant, such as '1-52'.")
    )


@attrs.frozen
class IngredientClass:
    """
    One kind of active ingredient.

    Attributes:
        id: Such as `hyaluronic_acid`.
        name: For people.
        role: What it is injected for, as the founding clinic pages put it.
        attributes: The attrs type that holds what is particular to the class.
        picograms: Whether amounts in picograms are believable.
    """

    id: str
    name: str
    role: str
    attributes: type[Any]
    picograms: bool = False


#: The classes of the core. Roles as the clinic pages that define the field describe them (claims, not
#: evidence).
CORE_CLASSES = (
    IngredientClass("hyaluronic_acid", "hyaluronic acid", "hydration, plumping", HyaluronicAcid),
    IngredientClass(
        "vitamin", "vitamin", "A: collagen and hyaluronic acid synthesis; C and E: antioxidants", Vitamin
    ),
    IngredientClass("amino_acid", "amino acid", "building blocks of collagen and elastin", AminoAcid),
    IngredientClass("mineral", "mineral", "ionic balance of the dermis", Mineral),
    IngredientClass("coenzyme", "coenzyme", "activate biochemical reactions", Coenzyme),
    IngredientClass(
        "nucleic_acid", "nucleic acid", "stimulate synthesis of collagen and elastin", NucleicAcid
    ),
    IngredientClass("growth_factor", "growth factor", "regeneration, healing", GrowthFactor, picograms=True),
)


@attrs.frozen
class Moiety:
    """
    What a label may count a substance in: always named, never guessed.

    Attributes:
        substance: The id of the moiety, a substance itself.
        count: How many of it one molecule (or repeat unit) yields.
    """

    substance: str = attrs.field(
        metadata=written(Text(IDENTIFIER, "ascorbic-acid"), "Id of the moiety.", key="of")
    )
    count: int = attrs.field(default=1, metadata=written(Whole(1, 1000), "How many one molecule yields."))


@attrs.frozen
class Ion:
    """
    An ion that a substance yields in water.

    Attributes:
        name: Such as `magnesium`.
        count: How many of it per molecule.
        valence: Its charge number; None where it depends on the pH (phosphate).
    """

    name: str = attrs.field(metadata=written(Text(IDENTIFIER, "magnesium"), "Name of the ion."))
    count: int = attrs.field(default=1, metadata=written(Whole(1, 1000), "How many per molecule."))
    valence: int | None = attrs.field(
        default=None, metadata=written(Whole(1, 10), "Charge number; leave out if it depends on the pH.")
    )


@attrs.frozen
class Activity:
    """
    The international unit of one form of one substance.

    Attributes:
        per: IU per mass, such as `1 IU/0.3 µg`.
        moiety: The substance that the mass counts, if not the form itself.
        source: Who defines it so.
    """

    per: Strength = attrs.field(metadata=written(StrengthText(), "IU per mass, such as '1 IU/0.3 µg'."))
    source: Source = attrs.field(metadata=written(RecordOf(Source), "Who defines it so."))
    moiety: str | None = attrs.field(
        default=None,
        metadata=written(Text(IDENTIFIER, "retinol"), "Substance that the mass counts.", key="of"),
    )


@attrs.frozen
class Substance:
    """
    One exact chemical form: a salt, a hydrate or a stereoisomer is a substance of its own.

    Attributes:
        id: Such as `magnesium-sulfate-heptahydrate`.
        name: For people.
        ingredient_class: One of the seven or a plugin's; None for auxiliaries, elements and moieties.
        role: Of an auxiliary: diluent, buffer, preservative…
        attributes: What is particular to the class.
        formula: Chemical formula; the molar mass is computed from it.
        repeat_unit: Of a polymer, which has no molar mass.
        cas: CAS registry number.
        pubchem: PubChem compound id.
        unii: FDA substance identifier.
        synonyms: Other names.
        origin: The species or source that an allergy may ask for.
        moieties: What labels count it in.
        ions: What it yields in water, for mEq.
        activity: Its international unit, if it has one.
        no_activity: Why it has none, where that is often asked.
        sources: Where the facts come from.
        notes: What to know.
    """

    id: str = attrs.field(metadata=written(Text(IDENTIFIER, "sodium-ascorbate"), "Unique name."))
    name: str = attrs.field(metadata=written(Text(), "Name for people."))
    ingredient_class: str | None = attrs.field(
        default=None,
        metadata=written(Text(r"[a-z]+(?:_[a-z]+)*", "vitamin"), "Ingredient class.", key="class"),
    )
    role: str | None = attrs.field(
        default=None, metadata=written(Text(IDENTIFIER, "preservative"), "Of an auxiliary.")
    )
    attributes: Any = attrs.field(
        default=None, metadata=written(ClassAttributes(), "Table named after the class.")
    )
    formula: str | None = attrs.field(
        default=None, metadata=written(Text(example="MgSO4.7H2O"), "Chemical formula.")
    )
    repeat_unit: str | None = attrs.field(
        default=None, metadata=written(Text(example="C14H21NO11"), "Of a polymer.")
    )
    cas: str | None = attrs.field(
        default=None, metadata=written(Text(r"\d{2,7}-\d\d-\d", "50-81-7"), "CAS registry number.")
    )
    pubchem: int | None = attrs.field(default=None, metadata=written(Whole(1, 10**9), "PubChem compound id."))
    unii: str | None = attrs.field(
        default=None, metadata=written(Text(r"[A-Z0-9]{10}", "S270N0TRQY"), "FDA substance identifier.")
    )
    synonyms: tuple[str, ...] = attrs.field(
        default=(), metadata=written(ListOf(Text()), "Other names, for searching.")
    )
    origin: str | None = attrs.field(
        default=None, metadata=written(Text(), "Species or source that an allergy may ask for.")
    )
    moieties: tuple[Moiety, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Moiety)), "What labels count it in.")
    )
    ions: tuple[Ion, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Ion)), "What it yields in water.")
    )
    activity: Activity | None = attrs.field(
        default=None, metadata=written(RecordOf(Activity), "Its international unit.")
    )
    no_activity: str | None = attrs.field(
        default=None, metadata=written(Text(), "Why it has no IU, where that is often asked.")
    )
    sources: tuple[Source, ...] = attrs.field(
        default=(), metadata=written(ListOf(RecordOf(Source)), "Where the facts come from.", key="source")
    )
    notes: str | None = attrs.field(default=None, metadata=written(Text(), "What to know."))

    @property
    def is_polymer(self) -> bool:
        """Whether it is made of repeat units and so has no molar mass."""
        return self.repeat_unit is not None

    @property
    def molar_mass(self) -> Decimal | None:
        """Grams per mole, computed from the formula; None for a polymer or an unknown structure."""
        return molar_mass(self.formula) if self.formula is not None else None

    def element_fraction(self, element: str) -> Decimal:
        """
        Compute which part of the mass an element makes up.

        Args:
            element: Its symbol, such as `Mg`.

        Returns:
            A number from 0 to 1, mass per mass.

        Raises:
            KeyError: If the formula is unknown or does not hold the element.
        """
        if self.formula is None:
            raise KeyError(element)
        count = atoms(self.formula)[element]
        with localcontext(EXACT):
            return molar_mass(element) * count / molar_mass(self.formula)
