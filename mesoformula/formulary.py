"""The formulary: every substance, product, technique, zone and formula that is on offer, found by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from mesoformula.catalogue.files import (
    MAX_FILES,
    SCHEMA,
    SECTIONS,
    CatalogueFile,
    find,
    parse_all,
    read_bytes,
)
from mesoformula.errors import CatalogueError, Problem, UnknownNameError
from mesoformula.formulas import Formula
from mesoformula.ingredients import CORE_CLASSES, IngredientClass, Substance
from mesoformula.products import Product, Vendor
from mesoformula.treatments import Needle, Protocol, Syringe, Technique, Zone
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

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
}


@attrs.define(eq=False)
class _Entry:
    """One record of a file, read when it is first asked for."""

    section: str
    name: str
    file: CatalogueFile | None = None
    table: Any = None
    where: tuple[str | int, ...] = ()
    record: Any = None
    problems: tuple[Problem, ...] = ()
    plugin: str | None = None

    def place(self) -> str:
        if self.file is None:
            return f"plugin {self.plugin}"
        problem = self.file.problem("", "", self.where)
        return f"{problem.path}:{problem.line}"


class Formulary:
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
        self.classes: dict[str, IngredientClass] = {item.id: item for item in classes}
        self._entries: dict[str, dict[str, _Entry]] = {section: {} for section in SECTIONS}
        self._revisions: dict[str, list[int]] = {}
        self._vendors: dict[str, Vendor] = {}
        self._problems: list[Problem] = []
        #: Rises with every record that is added, for whoever keeps what was made of them.
        self.edition = 0
        self._followed: set[_Entry] = set()

    # ---- filling -------------------------------------------------------------------------------------------

    def add_catalogue(self, root: Path | Traversable, plugin: str | None = None) -> tuple[CatalogueFile, ...]:
        """
        Add the TOML files at or below a place.

        Args:
            root: A file or a folder.
            plugin: Who offers it; None for what the user named.

        Returns:
            The files that could be parsed. What could not is among `problems`.
        """
        added = []
        try:
            found = list(islice(find(root), MAX_FILES + 1))
        except OSError as err:
            self._problems.append(
                Problem("file", f"cannot be read: {err.strerror or err}", str(root), None, plugin)
            )
            return ()
        if not found:
            self._problems.append(
                Problem("file", "holds no .toml file; expected a catalogue", str(root), None, plugin)
            )
        if len(found) > MAX_FILES:
            self._problems.append(
                Problem(
                    "file", f"more than {MAX_FILES:,} files; expected a catalogue", str(root), None, plugin
                )
            )
            return ()
        contents = []
        for shown_path, path in found:
            content = read_bytes(path, shown_path)
            if isinstance(content, Problem):
                self._problems.append(attrs.evolve(content, plugin=plugin))
            else:
                contents.append((content, shown_path))
        for file in parse_all(contents, plugin):
            if isinstance(file, Problem):
                self._problems.append(file)
            else:
                self.add_file(file)
                added.append(file)
        return tuple(added)

    def add_file(self, file: CatalogueFile) -> None:
        """
        Add one parsed file.

        Args:
            file: What was parsed.
        """
        tables = file.tables
        if tables.get("schema") != SCHEMA:
            found = "is missing" if "schema" not in tables else f"= {tables['schema']!r:.20}"
            self._problems.append(
                file.problem("schema", f"schema {found}; expected schema = {SCHEMA} at the top", ("schema",))
            )
            return
        known = ("schema", "vendor", *SECTIONS)
        for key in tables:
            if key not in known:
                close = nearest(key, known)
                hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
                self._problems.append(
                    file.problem("unknown-key", f"{shown(key)} is not known here; {hint}", (key,))
                )
        vendor = self._vendor(file) if "vendor" in tables or "product" in tables else None
        for section in SECTIONS:
            for number, table in enumerate(self._tables(file, section)):
                where = (section, number)
                key = "sku" if section == "product" else "id"
                name = table.get(key) if isinstance(table, dict) else None
                if not isinstance(name, str):
                    self._problems.append(
                        file.problem("missing", f"{section} {number + 1}: {key} is missing", where)
                    )
                    continue
                if section == "product":
                    if vendor is None:
                        continue
                    revision = table.get("revision", 1)
                    name = f"{vendor}/{name}@{revision if type(revision) is int else 1}"
                self._add(_Entry(section, name, file, table, where, plugin=file.plugin))

    def _tables(self, file: CatalogueFile, section: str) -> Iterator[Any]:
        value = file.tables.get(section, [])
        if not isinstance(value, list):
            self._problems.append(
                file.problem("type", f"{section}: expected [[{section}]], a list of tables", (section,))
            )
            return
        yield from value

    def _vendor(self, file: CatalogueFile) -> str | None:
        from mesoformula.catalogue.reading import Reader

        table = file.tables.get("vendor")
        if table is None:
            self._problems.append(
                file.problem("missing", "products without a vendor; expected a [vendor] table", ("product",))
            )
            return None
        reader = Reader(file, self.classes, "vendor")
        vendor = reader.record(Vendor, table, ("vendor",))
        self._problems.extend(reader.problems)
        if reader.problems or not isinstance(vendor, Vendor):
            return None
        known = self._vendors.setdefault(vendor.id, vendor)
        if known != vendor:
            self._problems.append(
                file.problem(
                    "duplicate", f"vendor {vendor.id!r} is described differently elsewhere", ("vendor",)
                )
            )
        return vendor.id

    def add_record(self, section: str, record: Any, plugin: str) -> None:
        """
        Add a record made in code.

        Args:
            section: Such as `product`.
            record: The record.
            plugin: Who offers it.
        """
        name = record.pinned_id if section == "product" else record.id
        if section == "product":
            self._vendors.setdefault(record.vendor.id, record.vendor)
        self._add(_Entry(section, name, record=record, plugin=plugin))

    def _add(self, entry: _Entry) -> None:
        entries = self._entries[entry.section]
        first = entries.get(entry.name)
        if first is not None:
            message = f"{entry.section} {entry.name!r} is also offered by {first.place()}; rename one"
            if entry.plugin != first.plugin:
                message += " or block one with MESOFORMULA_BLOCK_PLUGINS"
            self._problems.append(
                entry.file.problem("duplicate", message, entry.where)
                if entry.file is not None
                else Problem("duplicate", message, plugin=entry.plugin)
            )
            return
        entries[entry.name] = entry
        self.edition += 1
        if entry.section == "product":
            bare, _at, revision = entry.name.rpartition("@")
            self._revisions.setdefault(bare, []).append(int(revision))

    def report(self, problem: Problem) -> None:
        """
        Note a problem that was met while filling.

        Args:
            problem: What happened.
        """
        self._problems.append(problem)

    # ---- reading -------------------------------------------------------------------------------------------

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found wrong so far; `check` finds everything."""
        return tuple(self._problems)

    def _read(self, entry: _Entry) -> Any:
        if entry.record is None and not entry.problems:
            from mesoformula.catalogue.checks import check_record
            from mesoformula.catalogue.reading import FAILED, Reader

            assert entry.file is not None  # noqa: S101 (an entry has a record or a file)
            reader = Reader(entry.file, self.classes, f"{entry.section} {_short(entry.name)}")
            given = {}
            if entry.section == "product":
                given["vendor"] = self._vendors[entry.name.partition("/")[0]]
            record = reader.record(RECORDS[entry.section], entry.table, entry.where, **given)
            if record is not FAILED:
                check_record(
                    record,
                    lambda code, message, where: reader.problem(
                        code, f"{_path(where)}{message}", (*entry.where, *where)
                    ),
                )
            if reader.problems:
                entry.problems = tuple(reader.problems)
                self._problems.extend(entry.problems)
            else:
                entry.record = record
        return entry.record

    def _named(self, section: str, name: str, kind: type[T]) -> T:  # noqa: ARG002 (for the type checker)
        entry = self._entries[section].get(name)
        if entry is None:
            raise UnknownNameError(section, name, self.nearest(section, name))
        record = self._read(entry)
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
        return tuple(record for _name, entry in entries if (record := self._read(entry)) is not None)

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

    # ---- checking ------------------------------------------------------------------------------------------

    def check(self, files: Iterable[CatalogueFile] | None = None) -> tuple[Problem, ...]:
        """
        Read every record, and follow every name that one record gives another.

        Args:
            files: Only what these hold; None for everything.

        Returns:
            Every problem so far.
        """
        from mesoformula.catalogue.references import check_references

        wanted = None if files is None else {id(file) for file in files}
        for section in SECTIONS:
            for entry in list(self._entries[section].values()):
                if wanted is not None and id(entry.file) not in wanted:
                    continue
                record = self._read(entry)
                if record is None or entry in self._followed:
                    continue
                self._followed.add(entry)
                for code, message, where in check_references(record, self):
                    text = f"{section} {_short(entry.name)}: {_path(where)}{message}"
                    self._problems.append(self._placed(entry, Problem(code, text, where=where)))
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
        return problem if entry is None or not problem.where else self._placed(entry, problem)

    def _placed(self, entry: _Entry, problem: Problem) -> Problem:
        if entry.file is None:
            return attrs.evolve(problem, plugin=entry.plugin)
        return entry.file.problem(problem.code, problem.message, (*entry.where, *problem.where))


def _short(name: str) -> str:
    """Leave out a first revision, which nobody writes."""
    return name.removesuffix("@1")


def _path(where: tuple[str | int, ...]) -> str:
    """Name a place below its record, where it is more than one key deep."""
    from mesoformula.catalogue.reading import place

    return f"{place(where)}: " if len(where) > 1 else ""
