"""Filling a formulary: the records of files and of plugins, each under its name, none of them read yet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.files import MAX_FILES, CatalogueFile, Shelf, find, parse_all, read_bytes
from mesoformula.catalogue.index import SCHEMA, SECTIONS, product_name
from mesoformula.catalogue.reading import Reader
from mesoformula.errors import Problem
from mesoformula.ingredients import IngredientClass
from mesoformula.products import Vendor
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@attrs.define(eq=False)
class Entry:
    """
    One record on offer, read when it is first asked for.

    Attributes:
        section: Such as `product`.
        name: Under which it is found; of products with their revision.
        file: Where it stands; None for a record made in code.
        number: Its place in that section of the file, from 0.
        record: The record, once it is read and nothing is wrong with it.
        problems: What is wrong with it.
        plugin: Who offers it.
        excepted: Codes of problems that the record excepts, and that were met.
        sketch: What of a record with problems could be read, to look for more; never offered.
        unread: Places in the file that the sketch leaves out.
    """

    section: str
    name: str
    file: CatalogueFile | None = None
    number: int = 0
    record: Any = None
    problems: tuple[Problem, ...] = ()
    plugin: str | None = None
    excepted: frozenset[str] = frozenset()
    sketch: Any = None
    unread: tuple[tuple[str | int, ...], ...] = ()

    def is_unread(self, where: tuple[str | int, ...]) -> bool:
        """Tell whether a place of the file holds something that the sketch leaves out."""
        return any(place[: len(where)] == where for place in self.unread)

    @property
    def where(self) -> tuple[str | int, ...]:
        """Its place in the file."""
        return (self.section, self.number)

    @property
    def title(self) -> str:
        """What messages call it; a first revision, which nobody writes, is left out."""
        return f"{self.section} {shown(self.name.removesuffix('@1'), 150)[1:-1]}"

    def place(self) -> str:
        """Name the place for a message."""
        if self.file is None:
            return f"plugin {self.plugin}"
        problem = self.file.problem("", "", self.where)
        return f"{problem.path}:{problem.line}"

    def problem(self, code: str, message: str, where: tuple[str | int, ...] = ()) -> Problem:
        """
        Make a problem of this record.

        Args:
            code: A stable word.
            message: What was found, what was expected, and what to do.
            where: Its place below the record.

        Returns:
            The problem, with file and line or with the plugin.
        """
        if self.file is None:
            return Problem(code, message, plugin=self.plugin, where=where)
        return self.file.problem(code, message, (*self.where, *where))


class Filling:
    """Where records are put, and found by name."""

    def __init__(self, classes: Iterable[IngredientClass]) -> None:
        """
        Start empty.

        Args:
            classes: The ingredient classes that records may use.
        """
        self.classes: dict[str, IngredientClass] = {item.id: item for item in classes}
        self._entries: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
        self._revisions: dict[str, list[int]] = {}
        self._vendors: dict[str, Vendor] = {}
        self._described: dict[str, CatalogueFile] = {}
        self._problems: list[Problem] = []
        self._loaded: dict[str, CatalogueFile] = {}
        self._shelves: list[Shelf] = []
        #: Whose records nobody can contest; None if no two plugins can contest each other's.
        self.first_party: frozenset[str] | None = None
        #: Rises with every record that is added, for whoever keeps what was made of them.
        self.edition = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found wrong so far; `check` finds everything."""
        return tuple(self._problems)

    def add_catalogue(
        self, root: Path | Traversable, plugin: str | None = None, *, needed: bool = True
    ) -> tuple[CatalogueFile, ...]:
        """
        Add the TOML files at or below a place.

        Args:
            root: A file or a folder.
            plugin: Who offers it; None for what the user named.
            needed: Whether it is a problem if nothing is there, or no catalogue.

        Returns:
            The files that could be parsed, those that were there already included, which are not added again.
            What could not is among `problems`.
        """
        added = []
        try:
            if not needed and isinstance(root, Path) and not root.exists():
                return ()
            found = list(islice(find(root), MAX_FILES + 1))
        except OSError as err:
            self._problems.append(
                Problem("file", f"cannot be read: {err.strerror or err}", str(root), None, plugin)
            )
            return ()
        if not found and needed:
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
        contents, places, seen = [], {}, set()
        for shown_path, path in found:
            place = _real(path)
            if place in self._loaded:
                added.append(self._loaded[place])
                continue
            if place in seen:
                continue  # a folder that a link leads back to
            content = read_bytes(path, shown_path)
            if isinstance(content, Problem):
                self._problems.append(attrs.evolve(content, plugin=plugin))
            else:
                contents.append((content, shown_path))
                places[shown_path] = place
                seen.add(place)
        shelf = parse_all(contents, plugin)
        self._problems.extend(shelf.problems)
        self._shelves.append(shelf)
        for file in shelf.files:
            self.add_file(file)
            added.append(file)
            self._loaded[places[file.path]] = file
        return tuple(added)

    def add_file(self, file: CatalogueFile) -> None:
        """
        Add one parsed file.

        Args:
            file: What was parsed.
        """
        index = file.index
        if index is None:
            self._look_closer(file)
            return
        vendor = self._vendor(file, index["vendor"]) if index["vendor"] is not None else None
        for section, names in index["names"].items():
            if section == "product":
                if vendor is None:
                    continue
                names = [f"{vendor}/{name}" for name in names]
            for number, name in enumerate(names):
                self._add(Entry(section, name, file, number, plugin=file.plugin))

    def _look_closer(self, file: CatalogueFile) -> None:
        """Add a file in which something is not as it should be, and say what."""
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
        vendor = None
        if "vendor" in tables:
            vendor = self._vendor(file, tables["vendor"])
        elif "product" in tables:
            self._problems.append(
                file.problem("missing", "products without a vendor; expected a [vendor] table", ("product",))
            )
        for section in SECTIONS:
            for number, table in enumerate(self._tables(file, section)):
                name = None
                if isinstance(table, dict):
                    name = product_name(table) if section == "product" else table.get("id")
                if not isinstance(name, str):
                    key = "sku" if section == "product" else "id"
                    message = f"{section} {number + 1}: {key} is missing"
                    self._problems.append(file.problem("missing", message, (section, number)))
                elif section != "product":
                    self._add(Entry(section, name, file, number, plugin=file.plugin))
                elif vendor is not None:
                    self._add(Entry(section, f"{vendor}/{name}", file, number, plugin=file.plugin))

    def _tables(self, file: CatalogueFile, section: str) -> Iterator[Any]:
        value = file.tables.get(section, [])
        if not isinstance(value, list):
            self._problems.append(
                file.problem("type", f"{section}: expected [[{section}]], a list of tables", (section,))
            )
            return
        yield from value

    def _vendor(self, file: CatalogueFile, table: Any) -> str | None:
        reader = Reader(file, self.classes, "vendor")
        vendor = reader.record(Vendor, table, ("vendor",))
        self._problems.extend(reader.problems)
        if reader.problems or not isinstance(vendor, Vendor):
            return None
        known = self._vendors.setdefault(vendor.id, vendor)
        first = self._described.setdefault(vendor.id, file)
        if known != vendor:
            place = first.problem("", "", ("vendor",))
            where = "by a plugin" if first is file else f"in {place.path}:{place.line}"
            message = (
                f"vendor {vendor.id!r} is described differently {where}; give it the same name and synonyms, "
                "or an id of its own"
            )
            self._problems.append(file.problem("duplicate", message, ("vendor",)))
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
        self._add(Entry(section, name, record=record, plugin=plugin))

    def _add(self, entry: Entry) -> None:
        entries = self._entries[entry.section]
        first = entries.get(entry.name)
        if first is not None:
            is_contested = self._is_contested(first, entry)
            problem = entry.problem("duplicate", _doubled(first, entry, is_contested))
            self._problems.append(problem)
            if is_contested:
                # No choice between the two could be justified: whoever asks for it is told so.
                first.record, first.problems = None, first.problems or (problem,)
            return
        entries[entry.name] = entry
        self.edition += 1
        if entry.section == "product":
            bare, _at, revision = entry.name.rpartition("@")
            self._revisions.setdefault(bare, []).append(int(revision))

    def forget(self, path: Path) -> None:
        """
        Leave out a file that is about to be replaced; one that was not added changes nothing.

        Args:
            path: The file.
        """
        file = self._loaded.pop(_real(path), None)
        if file is None:
            return
        for entries in self._entries.values():
            for name in [name for name, entry in entries.items() if entry.file is file]:
                del entries[name]
        self._revisions.clear()
        for name in self._entries["product"]:
            bare, _at, revision = name.rpartition("@")
            self._revisions.setdefault(bare, []).append(int(revision))
        for vendor in [name for name, first in self._described.items() if first is file]:
            del self._described[vendor]
            self._vendors.pop(vendor, None)
        self.edition += 1

    def _is_contested(self, first: Entry, second: Entry) -> bool:
        """Tell whether two plugins of one standing offer a record."""
        parties = {first.plugin, second.plugin}
        if self.first_party is None or None in parties or len(parties) == 1:
            return False
        return not parties & self.first_party

    def report(self, problem: Problem) -> None:
        """
        Note a problem that was met while filling.

        Args:
            problem: What happened.
        """
        self._problems.append(problem)


def _doubled(first: Entry, second: Entry, is_contested: bool) -> str:
    """Say who offers a record first, and how to choose."""
    place = first.place()
    if first.file is not None and first.plugin is not None and first.plugin != second.plugin:
        place = f"plugin {first.plugin} ({place})"
    message = f"{second.section} {second.name!r} is also offered by {place}"
    if is_contested:
        message += "; neither is used"
    names = [one.partition(" (")[0] for one in (first.plugin, second.plugin) if one is not None]
    if first.plugin == second.plugin or not names:
        return f"{message}; rename one"
    ways = " or ".join(f"MESOFORMULA_BLOCK_PLUGINS={name}" for name in dict.fromkeys(names))
    return f"{message}; rename one, or block {'one' if len(names) > 1 else 'the plugin'} with {ways}"


def _real(path: Path | Traversable) -> str:
    """Name the place where a file really is, so that it is not added twice."""
    try:
        return os.path.realpath(path) if isinstance(path, Path) else f"within {path}"
    except (OSError, ValueError):
        return str(path)
