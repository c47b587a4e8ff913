"""What a plugin obeys that offers products, techniques or zones, in catalogues or in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.catalogue.checks import check_record
from mesoformula.fields import IDENTIFIER, QuantityOf, RangeOf
from mesoformula.formulary import RECORDS, Formulary
from mesoformula.ingredients import CORE_CLASSES, Range, Substance
from mesoformula.plugins import PluginManager, empty_manager
from mesoformula.testing.canonical import digest, is_quantity
from mesoformula.testing.rules import Kind, NotApplicableError, rule
from mesoformula.testing.subject import Subject, first_party
from mesoformula.testing.timing import too_slow
from mesoformula.treatments import Technique
from mesoformula.units import kind_of
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: What tells the place of a record that was made in code.
_HOOKS = {
    "product": "mesoformula_products",
    "technique": "mesoformula_techniques",
    "zone": "mesoformula_zones",
}

#: Reading any catalogue takes as long as a few records, however few are in it.
_FEW = 20


@rule("catalogue-reads", Kind.CATALOGUE)
def every_record_can_be_read_and_names_only_what_is_there(subject: Subject) -> Iterator[str]:
    """Every record can be read, agrees with itself, and names only what is there."""
    files = {file.path for file in _own_files(subject)}
    for problem in (*subject.manager.problems, *subject.formulary.check()):
        if problem.plugin == str(subject.info) or problem.path in files:
            yield str(problem)
    for where, record in _made_in_code(subject):
        yield from (f"{where}: {text}" for text in _disagreeing(record))
    if not (files or any(_made_in_code(subject))):
        yield "mesoformula_catalogues: nothing is offered; put a .toml file where it looks for one"


@rule("catalogue-sources", Kind.CATALOGUE)
def every_record_says_who_says_so(subject: Subject) -> Iterator[str]:
    """Every product, rule, technique, zone and published formula says where it was read, and when."""
    for where, record in _records(subject):
        if getattr(record, "teaching", False):
            continue
        for holder, sources in _sources(record):
            if not sources:
                yield f"{where}{holder}: names no source; add where it was read, of which kind, and when"
            for source in sources:
                if not source.where.strip():
                    yield f"{where}{holder}: a source is blank; say where it was read"


@rule("catalogue-figures", Kind.CATALOGUE)
def every_figure_has_the_dimension_of_its_field(subject: Subject) -> Iterator[str]:
    """Every figure has the dimension of its field, and is a decimal number."""
    for where, record in _records(subject):
        for field, value, expected in _figures(record):
            if not isinstance(value.magnitude, Decimal) or not value.magnitude.is_finite():
                yield (
                    f"{where}: {field} is {value.magnitude!r}; "
                    "expected a finite Decimal, such as quantity('2', 'mL')"
                )
            elif expected is not None and kind_of(value.units) != expected:
                yield f"{where}: {field} is a {kind_of(value.units)}; expected a {expected}"


@rule("catalogue-ids", Kind.CATALOGUE)
def ids_are_well_formed_and_the_same_in_every_load(subject: Subject) -> Iterator[str]:
    """Ids are well formed, and are the same in every load, with the same records behind them."""
    product = rf"{IDENTIFIER}/{IDENTIFIER}@[1-9][0-9]*"
    first, second = (dict(_records(subject, afresh=True)) for _load in range(2))
    for where in first.keys() ^ second.keys():
        yield f"{where}: is offered in one load and not in another; make ids of what the record says"
    for where, record in first.items():
        name = record.pinned_id if hasattr(record, "pinned_id") else record.id
        if not re.fullmatch(product if hasattr(record, "pinned_id") else IDENTIFIER, name):
            yield f"{where}: the id is {shown(name)}; expected lower case, digits and single hyphens"
        if where in second and digest(second[where]) != digest(record):
            yield f"{where}: differs from load to load; a changed product is a new revision"


@rule("catalogue-time", Kind.CATALOGUE)
def a_record_takes_no_longer_than_a_bundled_one(subject: Subject) -> Iterator[str]:
    """Reading and checking a record takes about as long as one of the bundled catalogues."""
    own, bundled = len(_records(subject)), len(_everything_in(_loaded(first_party())))
    if not (own and bundled):
        raise NotApplicableError("there is nothing to read")
    # A small catalogue is not blamed for what reading any catalogue takes.
    yield from too_slow(
        "reading one record",
        lambda: _loaded(_registered(subject)).check(),
        "one of the bundled catalogues",
        lambda: _loaded(first_party()).check(),
        (max(own, _FEW), bundled),
    )


# ---- what is offered ------------------------------------------------------------------------------------


def _registered(subject: Subject) -> PluginManager:
    """Register the plugin once more, so that it is asked once more."""
    manager = empty_manager()
    manager.register(subject.plugin, subject.info.name, distribution=subject.info.distribution)
    return manager


def _loaded(manager: PluginManager) -> Formulary:
    """Read what plugins offer, and nothing else."""
    formulary = Formulary((*CORE_CLASSES, *(one.value for one in manager.ingredient_classes())))
    for catalogue in manager.catalogues():
        formulary.add_catalogue(catalogue.value, str(catalogue.plugin))
    for section, hook in _HOOKS.items():
        for one in manager.offers(hook):
            formulary.add_record(section, one.value, str(one.plugin))
    return formulary


def _everything_in(formulary: Formulary) -> list[tuple[str, Any]]:
    return [
        (f"{section} {shown(name, 80)}", record)
        for section in RECORDS
        for name, entry in sorted(formulary.entries(section).items())
        if (record := formulary.read(entry)) is not None
    ]


def _records(subject: Subject, *, afresh: bool = False) -> list[tuple[str, Any]]:
    """List the plugin's own records that could be read, with what they are in words."""
    if not afresh:
        subject.manager.define_units()
    return _everything_in(_loaded(_registered(subject) if afresh else subject.manager))


def _own_files(subject: Subject) -> list[Any]:
    return [
        file
        for shelf in subject.formulary.shelves
        for file in shelf.files
        if file.plugin == str(subject.info)
    ]


def _disagreeing(record: Any) -> list[str]:
    """Look for what reading a catalogue would find wrong with a record."""
    found: list[str] = []

    def report(code: str, message: str, _where: tuple[str | int, ...]) -> None:
        found.append(f"[{code}] {message}")

    check_record(record, report)
    return found


def _made_in_code(subject: Subject) -> Iterator[tuple[str, Any]]:
    for hook in _HOOKS.values():
        for record in subject.offered(hook):
            yield f"{hook}: {shown(getattr(record, 'pinned_id', None) or record.id, 80)}", record


# ---- what stands in a record ----------------------------------------------------------------------------


def _sources(record: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Find the lists of sources of a record, or of what it is made of."""
    names = {one.name for one in attrs.fields(type(record))}
    if "sources" in names and not isinstance(record, Substance):
        yield "", record.sources
    if "source" in names:
        yield "", (record.source,)
    if isinstance(record, Technique):
        yield from (
            (f", published {number}", (one.source,)) for number, one in enumerate(record.published, 1)
        )
        if not record.published and not record.reason:
            yield "", ()


def _figures(record: Any, place: str = "") -> Iterator[tuple[str, Quantity, str | None]]:
    """Find the quantities in a record, and the dimension that each should have."""
    for field in attrs.fields(type(record)):
        value, kind = getattr(record, field.name), field.metadata.get("kind")
        where = f"{place}{field.name}"
        if isinstance(value, Range):
            expected = kind.dimension if isinstance(kind, RangeOf) else None
            yield f"{where}.low", value.low, expected
            yield f"{where}.high", value.high, expected
        elif is_quantity(value):
            yield where, value, kind.dimension if isinstance(kind, QuantityOf) else None
        elif isinstance(value, tuple):
            for number, one in enumerate(value, 1):
                if attrs.has(type(one)):
                    yield from _figures(one, f"{where}[{number}].")
        elif attrs.has(type(value)):
            yield from _figures(value, f"{where}.")
