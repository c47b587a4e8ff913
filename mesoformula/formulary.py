"""The formulary: every substance, product, technique, zone and formula that is on offer, found by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mesoformula.catalogue.checks import check_record
from mesoformula.catalogue.files import CatalogueFile, Shelf
from mesoformula.catalogue.filling import Entry, Filling
from mesoformula.catalogue.reading import FAILED, Reader, pruned
from mesoformula.catalogue.wording import path_text
from mesoformula.errors import CatalogueError, Problem, UnknownNameError
from mesoformula.formulas import Formula
from mesoformula.ingredients import CORE_CLASSES, IngredientClass, Substance
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.products import Product, Vendor
from mesoformula.rules import Allergen, Condition, Rule
from mesoformula.treatments import Needle, Protocol, Syringe, Technique, Zone
from mesoformula.words import nearest

if TYPE_CHECKING:
    from mesoformula.catalogue.checking import Checker
    from mesoformula.lookup import Found

T = TypeVar("T")

RECORDS: Mapping[str, type[Any]] = {
    "substance": Substance,
    "product": Product,
    "technique": Technique,
    "zone": Zone,
    "syringe": Syringe,
    "needle": Needle,
    "formula": Formula,
    "protocol": Protocol,
    "beyond_use": BeyondUseRule,
    "sharing": SharingRule,
    "rule": Rule,
    "condition": Condition,
    "allergen": Allergen,
}


class Formulary(Filling):
    """
    Everything on offer, by name.

    Records are read when they are first asked for, so that one session does not pay for ten thousand
    products. A record with problems raises them when it is asked for by name, and is left out of listings.
    """

    def __init__(self, classes: Iterable[IngredientClass] = CORE_CLASSES) -> None:
        """
        Start empty.

        Args:
            classes: The ingredient classes that records may use.
        """
        super().__init__(classes)
        self._checker: Checker | None = None

    # ---- reading -------------------------------------------------------------------------------------------

    def read(self, entry: Entry) -> Any:
        """
        Read one record; what is wrong with it is among the problems from then on.

        Args:
            entry: Where it stands.

        Returns:
            The record; None if it has problems.
        """
        if entry.record is None and not entry.problems:
            assert entry.file is not None  # noqa: S101 (an entry has a record or a file)
            reader = Reader(entry.file, self.classes, entry.title)
            given = {}
            if entry.section == "product":
                given["vendor"] = self._vendors[entry.name.partition("/")[0]]
            table = entry.file.table(entry.section, entry.number)
            record = reader.record(RECORDS[entry.section], table, entry.where, **given)
            reader.settle_picograms(table, len(entry.where), self._in_picograms)
            sketch = record
            if record is FAILED:
                sketch = self._sketch(entry, table, reader.places, given)
            if sketch is not FAILED:
                excepted = sketch.excepted if isinstance(sketch, Product) else frozenset()

                def report(code: str, message: str, where: tuple[str | int, ...]) -> None:
                    place = (*entry.where, *where)
                    if code in excepted:
                        entry.excepted |= {code}
                    elif not entry.is_unread(place):
                        reader.problem(code, f"{path_text(where)}{message}", place)

                check_record(sketch, report)
                entry.sketch = sketch if reader.problems else None
            if reader.problems:
                entry.problems = tuple(reader.problems)
                self._problems.extend(entry.problems)
            else:
                entry.record = record
        return entry.record

    def _sketch(
        self, entry: Entry, table: Any, places: list[tuple[str | int, ...]], given: dict[str, Any]
    ) -> Any:
        """Read a record without what could not be read, so that more is found wrong at once."""
        assert entry.file is not None  # noqa: S101 (only what stands in a file is read)
        entry.unread = tuple(places)
        rest = pruned(table, [place[len(entry.where) :] for place in places])
        reader = Reader(entry.file, self.classes, entry.title)
        return reader.record(RECORDS[entry.section], rest, entry.where, **given)

    def _in_picograms(self, key: str, name: str) -> bool:
        """Tell whether amounts of a class, or of a substance by its class, are believable in picograms."""
        if key == "substance":
            entry = self._entries["substance"].get(name)
            if entry is None:
                return False
            if entry.file is not None:  # not read: it may be what is being read
                table = entry.file.table("substance", entry.number)
                name = str(table.get("class")) if isinstance(table, dict) else ""
            else:
                name = str(entry.record.ingredient_class)
        known = self.classes.get(name)
        return known is not None and known.picograms

    def _named(self, section: str, name: str, kind: type[T]) -> T:  # noqa: ARG002 (for the type checker)
        entry = self._entries[section].get(name)
        if entry is None:
            raise UnknownNameError(section, name, self.nearest(section, name))
        record = self.read(entry)
        if record is None:
            raise CatalogueError(entry.problems)
        return record  # type: ignore[no-any-return]

    def nearest(self, section: str, name: str) -> tuple[str, ...]:
        """
        Find names that come close to one that is not known.

        Args:
            section: Such as `product`.
            name: What was typed.

        Returns:
            Known names, best first.
        """
        return nearest(name, self.names(section))

    def _all(self, section: str, kind: type[T]) -> tuple[T, ...]:  # noqa: ARG002 (for the type checker)
        entries = sorted(self._entries[section].items())
        return tuple(record for _name, entry in entries if (record := self.read(entry)) is not None)

    def product(self, name: str) -> Product:
        """
        Find a product.

        Args:
            name: `vendor/sku` for its latest revision, or `vendor/sku@revision`.

        Returns:
            The product.

        Raises:
            UnknownNameError: If there is none; with the nearest ids.
            CatalogueError: If its entry has problems.
        """
        if "@" not in name and name in self._revisions:
            name = f"{name}@{max(self._revisions[name])}"
        return self._named("product", name, Product)

    def substance(self, name: str) -> Substance:
        """
        Find a substance.

        Args:
            name: Its id.

        Returns:
            The substance.

        Raises:
            UnknownNameError: If there is none; with the nearest ids.
            CatalogueError: If its entry has problems.
        """
        return self._named("substance", name, Substance)

    def technique(self, name: str) -> Technique:
        """
        Find a technique by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The technique.
        """
        return self._named("technique", name, Technique)

    def zone(self, name: str) -> Zone:
        """
        Find a zone by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The zone.
        """
        return self._named("zone", name, Zone)

    def syringe(self, name: str) -> Syringe:
        """
        Find a syringe by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The syringe.
        """
        return self._named("syringe", name, Syringe)

    def needle(self, name: str) -> Needle:
        """
        Find a needle by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The needle.
        """
        return self._named("needle", name, Needle)

    def formula(self, name: str) -> Formula:
        """
        Find a formula by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The formula.
        """
        return self._named("formula", name, Formula)

    def protocol(self, name: str) -> Protocol:
        """
        Find a protocol by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The protocol.
        """
        return self._named("protocol", name, Protocol)

    def entries(self, section: str) -> Mapping[str, Entry]:
        """
        List what is on offer without reading it.

        Args:
            section: Such as `product`.

        Returns:
            Entries by name.
        """
        return self._entries[section]

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        """The files that were added, as they were found together."""
        return tuple(self._shelves)

    @property
    def vendors(self) -> tuple[Vendor, ...]:
        """The vendors of all products, by id; none of the products is read."""
        return tuple(vendor for _id, vendor in sorted(self._vendors.items()))

    def names(self, section: str) -> tuple[str, ...]:
        """
        List names without reading the records.

        Args:
            section: Such as `formula` or `product`.

        Returns:
            Ids, of products without revision, sorted.
        """
        return tuple(sorted(self._revisions if section == "product" else self._entries[section]))

    def has_formula(self, name: str) -> bool:
        """Tell whether a formula bears a name."""
        return name in self._entries["formula"]

    def has_substance(self, name: str) -> bool:
        """Tell whether a substance bears a name."""
        return name in self._entries["substance"]

    def has_product(self, name: str) -> bool:
        """Tell whether a product bears a name, with or without its revision."""
        return name in self._revisions or name in self._entries["product"]

    def products(self) -> tuple[Product, ...]:
        """List all products, every revision, by id."""
        return self._all("product", Product)

    def substances(self) -> tuple[Substance, ...]:
        """List all substances by id."""
        return self._all("substance", Substance)

    def techniques(self) -> tuple[Technique, ...]:
        """List all techniques by id."""
        return self._all("technique", Technique)

    def zones(self) -> tuple[Zone, ...]:
        """List all zones by id."""
        return self._all("zone", Zone)

    def syringes(self) -> tuple[Syringe, ...]:
        """List all syringes by id."""
        return self._all("syringe", Syringe)

    def needles(self) -> tuple[Needle, ...]:
        """List all needles by id."""
        return self._all("needle", Needle)

    def formulas(self) -> tuple[Formula, ...]:
        """List all formulas by id."""
        return self._all("formula", Formula)

    def protocols(self) -> tuple[Protocol, ...]:
        """List all protocols by id."""
        return self._all("protocol", Protocol)

    def beyond_use_rules(self) -> tuple[BeyondUseRule, ...]:
        """List all rules on how long an opened container keeps, by id."""
        return self._all("beyond_use", BeyondUseRule)

    def sharing_rules(self) -> tuple[SharingRule, ...]:
        """List all rules on containers that serve two sessions, by id."""
        return self._all("sharing", SharingRule)

    def rule(self, name: str) -> Rule:
        """
        Find a rule of safety by its id, as `substance` finds a substance.

        Args:
            name: Its id.

        Returns:
            The rule.
        """
        return self._named("rule", name, Rule)

    def rules(self) -> tuple[Rule, ...]:
        """List all rules of safety by id."""
        return self._all("rule", Rule)

    def conditions(self) -> tuple[Condition, ...]:
        """List all conditions of a patient that rules may ask for, by id."""
        return self._all("condition", Condition)

    def allergens(self) -> tuple[Allergen, ...]:
        """List all allergens that have rules of their own, by id."""
        return self._all("allergen", Allergen)

    def find_condition(self, word: str) -> Condition:
        """
        Find a condition by what people call it, whatever the accents and case.

        Args:
            word: Its id, name or a synonym.

        Returns:
            The condition.

        Raises:
            UnknownNameError: If none is called so; with the nearest words. Nothing is guessed.
        """
        from mesoformula.patients import find_condition

        return find_condition(self, word)

    def find_allergen(self, word: str) -> Allergen:
        """
        Find an allergen by what people call it, whatever the accents and case; any substance may be one.

        Args:
            word: An id, name or synonym of an allergen or a substance.

        Returns:
            The allergen. For a substance it is made: it selects every form of it, and what the allergens
            select that it belongs to.

        Raises:
            UnknownNameError: If none is called so; with the nearest words. Nothing is guessed.
        """
        from mesoformula.patients import find_allergen

        return find_allergen(self, word)

    def find_products(self, text: str) -> tuple[Found[Product], ...]:
        """
        Find products by what people call them or what they hold.

        Args:
            text: What somebody typed.

        Returns:
            Products with what matched, the best first; no others are read.
        """
        from mesoformula.lookup import find_products

        return find_products(self, text)

    def find_substances(self, text: str) -> tuple[Found[Substance], ...]:
        """
        Find substances by what people call them.

        Args:
            text: What somebody typed.

        Returns:
            Substances with what matched, the best first; no others are read.
        """
        from mesoformula.lookup import find_substances

        return find_substances(self, text)

    # ---- checking ------------------------------------------------------------------------------------------

    def check(self, files: Iterable[CatalogueFile] | None = None) -> tuple[Problem, ...]:
        """
        Read every record, and follow every name that one record gives another.

        Args:
            files: Only what these hold; None for everything.

        Returns:
            Every problem so far.
        """
        from mesoformula.catalogue.checking import Checker

        if self._checker is None:
            self._checker = Checker(self)
        self._problems.extend(self._checker.check(files))
        return self.problems

    def placed(self, section: str, name: str, problem: Problem) -> Problem:
        """
        Add file and line to a problem of a record.

        Args:
            section: Such as `formula`.
            name: Of the record.
            problem: With its place below the record in `where`.

        Returns:
            The problem with file and line, if the record stands in a file.
        """
        entry = self._entries[section].get(name)
        if entry is None or not problem.where:
            return problem
        return entry.problem(problem.code, problem.message, problem.where)
