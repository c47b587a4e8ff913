"""All checks of all records: in files, between records, and between the figures of one substance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mesoformula.catalogue.figures import Figures
from mesoformula.catalogue.files import CatalogueFile
from mesoformula.catalogue.filling import Entry
from mesoformula.catalogue.index import SECTIONS
from mesoformula.catalogue.outliers import Outliers
from mesoformula.catalogue.plausibility import check_plausibility
from mesoformula.catalogue.references import check_references
from mesoformula.catalogue.wording import Where, path_text
from mesoformula.errors import Problem
from mesoformula.products import CheckCode, Product

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary


class Checker:
    """Checks a formulary, each record once."""

    def __init__(self, formulary: Formulary) -> None:
        """
        Start.

        Args:
            formulary: What is checked; it may be filled further.
        """
        self._formulary = formulary
        self._figures = Figures()
        self._outliers = Outliers(self._figures)
        self._followed: set[Entry] = set()
        self._compared: set[Entry] = set()
        self._judged: set[Entry] = set()
        self._reported: set[tuple[str, Where]] = set()

    def check(self, files: Iterable[CatalogueFile] | None = None) -> Iterator[Problem]:
        """
        Check what was not checked before.

        Args:
            files: Only what these hold; None for everything.

        Yields:
            Problems that reading the records has not reported already.
        """
        wanted = None if files is None else {id(file) for file in files}
        products: list[Entry] = []
        for section in SECTIONS:
            for entry in list(self._formulary.entries(section).values()):
                if wanted is not None and id(entry.file) not in wanted:
                    continue
                record = self._formulary.read(entry)
                if record is None:
                    if entry.sketch is not None and entry not in self._followed:
                        yield from self._follow_sketch(entry)
                    continue
                if section == "product":
                    products.append(entry)
                if entry not in self._followed:
                    yield from self._follow(entry)
        if products:
            yield from self._compare(products)
            yield from self._unused(products)
        self._followed.update(products)

    def _follow_sketch(self, entry: Entry) -> Iterator[Problem]:
        """Follow the names in a record of which not all could be read."""
        self._followed.add(entry)
        for code, message, where in check_references(entry.sketch, self._formulary):
            if not entry.is_unread((*entry.where, *where)):
                yield _problem(entry, code, message, where)

    def _follow(self, entry: Entry) -> Iterator[Problem]:
        record = entry.record
        for code, message, where in check_references(record, self._formulary):
            yield _problem(entry, code, message, where)
        if not isinstance(record, Product):
            self._followed.add(entry)
            return
        for code, message, where in check_plausibility(record, self._formulary, self._figures):
            if code in record.excepted:
                entry.excepted |= {code}
            else:
                yield _problem(entry, code, message, where)

    def _compare(self, wanted: list[Entry]) -> Iterator[Problem]:
        """Compare the amounts of some products with those of all."""
        fresh = [one for one in self._formulary.entries("product").values() if one not in self._compared]
        if fresh:
            self._judged.clear()  # they may lie far from those, or those from them
        if self._judged.issuperset(wanted):
            return
        self._judged.update(wanted)
        for entry in fresh:
            self._compared.add(entry)
            product = self._formulary.read(entry)
            if product is not None:
                self._outliers.add(product)
        by_name = {entry.name: entry for entry in wanted}
        for outlier in self._outliers.found():
            one = by_name.get(outlier.product)
            if one is None or (outlier.product, outlier.where) in self._reported:
                continue
            if CheckCode.OUTLIER in one.record.excepted:
                one.excepted |= {CheckCode.OUTLIER.value}
            else:
                self._reported.add((outlier.product, outlier.where))
                yield _problem(one, CheckCode.OUTLIER.value, outlier.message, outlier.where)

    def _unused(self, products: list[Entry]) -> Iterator[Problem]:
        for entry in products:
            if entry in self._followed or not entry.record.exceptions:
                continue
            for number, exception in enumerate(entry.record.exceptions):
                code = exception.code.value
                if code in entry.excepted:
                    continue
                if exception.code is CheckCode.OUTLIER and not self._outliers.comparable(entry.record):
                    continue  # what it was compared with is not on offer here
                message = f"no problem {code} is left; leave the exception out"
                yield _problem(entry, "exception-unused", message, ("exception", number))


def _problem(entry: Entry, code: str, message: str, where: Where) -> Problem:
    return entry.problem(code, f"{entry.title}: {path_text(where)}{message}", where)
