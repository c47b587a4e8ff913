"""What a new catalogue changes: for lots, which pin the revision of a product, and for formulas."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from mesoformula.catalogue.files import CatalogueFile
from mesoformula.catalogue.filling import Entry
from mesoformula.catalogue.index import SECTIONS
from mesoformula.catalogue.reading import written_fields
from mesoformula.contents import Auxiliary, Content, LabelEquivalent, Stated
from mesoformula.errors import CatalogueError, Problem
from mesoformula.formulas import Formula
from mesoformula.products import Part, Product, Status
from mesoformula.sources import Source
from mesoformula.units import Strength, kind_of, show

if TYPE_CHECKING:
    from pathlib import Path

    from mesoformula.formulary import Formulary

Where: TypeAlias = tuple[str, ...]

#: Fields of a product that make it another one: what is in the pack, and how much of it. The rest is what is
#: known of it, such as storage or routes, and may become known later.
_OF_THE_PACK = frozenset({"part", "composition", "containers_per_pack", "kit_is_mixed", "mixed_volume"})
#: Fields within these that only say where a figure stands, or how it is worded.
_WORDING = frozenset({"as_published", "source", "reason", "why", "holds", "total", "ph", "osmolality"})


@attrs.frozen
class Change:
    """
    One field that differs.

    Attributes:
        field: Where, such as `part 1: volume`.
        old: What it held; None if it was not there.
        new: What it holds; None if it is not there any more.
        makes_another: Whether the product is another one with it: lots need a new revision.
    """

    field: str
    old: str | None
    new: str | None
    makes_another: bool = False


@attrs.frozen
class Difference:
    """
    What became of one record.

    Attributes:
        section: Such as `product`.
        name: Of a product `vendor/sku`.
        what: `added`, `removed`, `changed`, or `revised` where a new revision or version stands beside it.
        changes: Field by field; none where it was added or removed.
        revision: Of a product, that is compared; of one revised, the new one.
        needs: The revision or version that the change needs, and lacks.
        corrected: The typing error that the new record says was mended.
        formulas: That name the product.
    """

    section: str
    name: str
    what: str
    changes: tuple[Change, ...] = ()
    revision: int | None = None
    needs: int | None = None
    corrected: str | None = None
    formulas: tuple[str, ...] = ()


@attrs.frozen
class Comparison:
    """
    What a new catalogue changes.

    Attributes:
        differences: By section and name.
        problems: What must not change as it did.
    """

    differences: tuple[Difference, ...]
    problems: tuple[Problem, ...]


@attrs.frozen
class Side:
    """
    One of two catalogues.

    Attributes:
        formulary: That holds it, and all else that is known.
        files: Of the catalogue itself.
    """

    formulary: Formulary
    files: tuple[CatalogueFile, ...]

    def entries(self, section: str) -> dict[str, Entry]:
        """List its own records of a section by name."""
        own = {id(file) for file in self.files}
        entries = self.formulary.entries(section)
        return {name: entry for name, entry in entries.items() if id(entry.file) in own}


def side(formulary: Formulary, path: Path, known: Iterable[Any] = ()) -> Side:
    """
    Read one of two catalogues.

    Args:
        formulary: Empty; it is filled.
        path: A file or a folder.
        known: Other catalogues, for what its records name; what both offer is taken from the path.

    Returns:
        The catalogue.

    Raises:
        CatalogueError: If anything in it cannot be read: a comparison would pass over it.
    """
    files = formulary.add_catalogue(path)
    problems = list(formulary.problems)
    for one in known:
        formulary.add_catalogue(one.value, str(one.plugin))
    found = Side(formulary, files)
    for section in SECTIONS:
        for entry in found.entries(section).values():
            formulary.read(entry)
            problems += entry.problems
    if problems:
        raise CatalogueError(sorted(dict.fromkeys(problems), key=lambda one: (one.path or "", one.line or 0)))
    return found


def compare(old: Side, new: Side) -> Comparison:
    """
    Compare two catalogues, record by record and field by field.

    Args:
        old: As it was.
        new: As it is to be.

    Returns:
        All differences, and what must not change as it did: a product whose contents differ without a new
        revision, a revision that is gone while lots may pin it, a formula that differs under one version.
    """
    differences: list[Difference] = []
    problems: list[Problem] = []
    for section in SECTIONS:
        before, after = old.entries(section), new.entries(section)
        compared = _products if section == "product" else _records
        for difference, found in compared(section, before, after, old, new):
            differences.append(difference)
            problems += found
    return Comparison(tuple(differences), tuple(problems))


_Found: TypeAlias = Iterator[tuple[Difference, list[Problem]]]


def _records(
    section: str, before: Mapping[str, Entry], after: Mapping[str, Entry], _old: Side, _new: Side
) -> _Found:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield Difference(section, name, "removed"), []
        elif name not in before:
            yield Difference(section, name, "added"), []
        else:
            was, now = before[name].record, after[name].record
            changes = changes_between(was, now)
            if not changes:
                continue
            if not isinstance(now, Formula):
                yield Difference(section, name, "changed", changes), []
            elif now.version != was.version:
                yield Difference(section, name, "revised", changes, now.version), []
            else:
                needs = now.version + 1
                message = (
                    f"formula {name}: {_listed(changes)} changed under version {now.version}; sessions were "
                    f"recorded with it: give it version = {needs}"
                )
                problem = after[name].problem("version", message)
                yield Difference(section, name, "changed", changes, now.version, needs), [problem]


def _products(
    section: str, before: Mapping[str, Entry], after: Mapping[str, Entry], old: Side, new: Side
) -> _Found:
    was, now = _by_id(before), _by_id(after)
    named = _named_by_formulas(old, new)
    for name in sorted(was.keys() | now.keys()):
        formulas = named.get(name, ())
        if name not in now:
            yield Difference(section, name, "removed", revision=max(was[name]), formulas=formulas), []
            continue
        if name not in was:
            yield Difference(section, name, "added", revision=max(now[name])), []
            continue
        highest = max({*was[name], *now[name]})
        for revision in sorted(was[name].keys() | now[name].keys()):
            if revision not in now[name]:
                latest = now[name][max(now[name])]
                message = (
                    f"product {name}: revision {revision} is gone; lots that were received point to it: keep "
                    "its [[product]] beside the new one"
                )
                yield (
                    Difference(section, name, "removed", revision=revision, formulas=formulas),
                    [latest.problem("revision-gone", message, ("revision",))],
                )
            elif revision not in was[name]:
                earlier = max((one for one in was[name] if one < revision), default=max(was[name]))
                changes = changes_between(was[name][earlier].record, now[name][revision].record)
                yield Difference(section, name, "revised", changes, revision, formulas=formulas), []
            else:
                yield from _same_revision(name, was[name][revision], now[name][revision], highest, formulas)


def _same_revision(name: str, was: Entry, now: Entry, highest: int, formulas: tuple[str, ...]) -> _Found:
    changes = changes_between(was.record, now.record)
    if not changes:
        return
    revision, corrected = now.record.revision, now.record.corrected
    mended = corrected if corrected is not None and corrected != was.record.corrected else None
    another = tuple(change for change in changes if change.makes_another)
    if not another or mended is not None:
        yield Difference("product", name, "changed", changes, revision, None, mended, formulas), []
        return
    needs = highest + 1
    message = (
        f"product {name}: {_listed(another)} changed, and lots that were received pin revision {revision}: "
        f"needs revision {needs}, a new [[product]] with revision = {needs} beside the old one; if only a "
        "typing error was mended, say which in 'corrected'"
    )
    problem = now.problem("needs-revision", message)
    yield Difference("product", name, "changed", changes, revision, needs, None, formulas), [problem]


def _listed(changes: Iterable[Change]) -> str:
    fields = [change.field for change in changes]
    return ", ".join(fields[:5]) + (f" and {len(fields) - 5} more" if len(fields) > 5 else "")


def _by_id(entries: Mapping[str, Entry]) -> dict[str, dict[int, Entry]]:
    found: dict[str, dict[int, Entry]] = {}
    for entry in entries.values():
        found.setdefault(entry.record.id, {})[entry.record.revision] = entry
    return found


def _named_by_formulas(*sides: Side) -> dict[str, tuple[str, ...]]:
    """List the formulas, of either side and of all that is known, by the products they name."""
    named: dict[str, dict[str, None]] = {}
    for one in sides:
        for formula in one.formulary.formulas():
            for line in formula.lines:
                named.setdefault(line.product.partition("@")[0], {})[formula.id] = None
    return {product: tuple(sorted(formulas)) for product, formulas in named.items()}


# ---- field by field ------------------------------------------------------------------------------------


def changes_between(old: Any, new: Any) -> tuple[Change, ...]:
    """
    Compare two records of one kind.

    Args:
        old: As it was.
        new: As it is.

    Returns:
        The fields that differ, in the order of the record.
    """
    before, after = dict(_fields(old)), dict(_fields(new))
    places = list(before) + [place for place in after if place not in before]
    return tuple(
        Change(
            ": ".join(place),
            _text(before.get(place)),
            _text(after.get(place)),
            isinstance(new, Product) and _makes_another(place, before.get(place), after.get(place)),
        )
        for place in places
        if _text(before.get(place)) != _text(after.get(place))
        and place not in (("corrected",), ("revision",), ("version",))
    )


def _makes_another(place: Where, old: Any, new: Any) -> bool:
    if place[0].split(" ")[0] not in _OF_THE_PACK or _WORDING.intersection(
        step.split(" ")[0] for step in place
    ):
        return False
    return not _equal(old, new)


def _equal(old: Any, new: Any) -> bool:
    """Tell whether two values are the same however they are written: 5 mg/mL is 50 mg/10 mL."""
    if isinstance(old, Strength) and isinstance(new, Strength):
        if (old.per is None) != (new.per is None) or old.basis != new.basis:
            return False
        if old.per is None or new.per is None:
            return _same(old.amount, new.amount)
        if not _like(old.amount, new.amount) or not _like(old.per, new.per):
            return False
        return bool(old.amount * new.per == new.amount * old.per)
    if hasattr(old, "units") and hasattr(new, "units"):
        return _same(old, new)
    return bool(old == new)


def _like(old: Any, new: Any) -> bool:
    return kind_of(old.units) == kind_of(new.units)


def _same(old: Any, new: Any) -> bool:
    return _like(old, new) and bool(old == new)


def _fields(record: Any, above: Where = ()) -> Iterator[tuple[Where, Any]]:
    """List what a record says, with its place; what is not said is left out."""
    for field in written_fields(type(record)):
        value = getattr(record, field.name)
        if value is None or value == () or value is False:
            continue
        yield from _value(value, (*above, field.key))


def _value(value: Any, place: Where) -> Iterator[tuple[Where, Any]]:
    if isinstance(value, Strength) or hasattr(value, "units"):
        yield place, value
    elif isinstance(value, tuple) and value and attrs.has(type(value[0])):
        yield from _items(value, place)
    elif attrs.has(type(value)):
        if not written_fields(type(value)):
            yield place, value
        yield from _fields(value, place)
    else:
        yield place, value


def _items(values: tuple[Any, ...], place: Where) -> Iterator[tuple[Where, Any]]:
    """Name the items of a list by what tells them apart, so that one more in the middle is only that."""
    met: dict[str, int] = {}
    for number, item in enumerate(values, start=1):
        name = _name_of(item, number)
        met[name] = met.get(name, 0) + 1
        if met[name] > 1:
            name = f"{name} ({met[name]})"
        where = (*place[:-1], f"{place[-1]} {name}")
        fields = list(_fields(item, where))
        yield from fields if fields else [(where, item)]


def _name_of(item: Any, number: int) -> str:
    match item:
        case Part():
            return item.name or str(number)
        case Content():
            return item.substance or item.ingredient_class or str(number)
        case Auxiliary():
            return item.substance
        case Status():
            return item.region
        case LabelEquivalent():
            return item.of or str(number)
        case Stated() | Source():
            key = item.source if isinstance(item, Stated) else item.key
            return key or str(number)
        case _:
            return str(number)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Strength):
        return value.written or str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, enum.Enum):
        return str(value.value)
    if hasattr(value, "units"):
        return show(value)
    if isinstance(value, tuple):
        return "; ".join(_text(one) or "" for one in value)
    return str(value)
