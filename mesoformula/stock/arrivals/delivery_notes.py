"""Delivery notes and stock lists: a table from outside read as deliveries, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import attrs

from mesoformula.errors import GridError, Problem
from mesoformula.grids import Cell, Grid
from mesoformula.stock.arrivals.note_figures import cost_in, count_in
from mesoformula.stock.arrivals.note_headings import (
    COSTS,
    COUNTS,
    IDENTITY,
    Field,
    Header,
    Word,
    find_header,
    read_mapping,
    vocabulary,
    write_mapping,
)
from mesoformula.stock.arrivals.note_lines import Findings, Line
from mesoformula.stock.arrivals.note_products import Identity, ProductFinder
from mesoformula.stock.arrivals.note_values import (
    EXPECTED_EXPIRY,
    WrongValueError,
    expiry_in,
    flag_in,
    gtin_in,
    is_blank,
    objection,
)
from mesoformula.stock.ledger.orders import (
    check_name,
    containers_objections,
    cost_objections,
    expiry_objections,
    text_objections,
)
from mesoformula.stock.records import Delivery
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.products import Product

__all__ = ["Field", "Note", "read_mapping", "read_note", "write_mapping"]

#: Where the value stands that a problem is about.
_FIELDS_OF_CODE: Mapping[str, tuple[Field, ...]] = {
    "product": IDENTITY,
    "lot": (Field.LOT,),
    "containers": COUNTS,
    "expiry": (Field.EXPIRY, Field.NO_EXPIRY),
    "location": (Field.LOCATION,),
    "supplier": (Field.SUPPLIER,),
    "cost": COSTS,
    "currency": (Field.CURRENCY, *COSTS),
    "serial": (Field.SERIAL,),
    "device": (Field.GTIN,),
    "remark": (Field.REMARK,),
}


@attrs.frozen
class Note:
    """
    A delivery note, read.

    Attributes:
        grid: The table.
        header: Its headings.
        deliveries: One per line, in order.
        rows: The row of each delivery, counted from 1.
        skipped: How many lines were left out as nothing is there of their lot.
        attention: What to look at before it is recorded.
    """

    grid: Grid
    header: Header
    deliveries: tuple[Delivery, ...]
    rows: tuple[int, ...]
    skipped: int = 0
    attention: tuple[Problem, ...] = ()

    @property
    def mapping(self) -> Mapping[str, Field]:
        """What every heading was taken for, left to right."""
        return self.header.mapping

    @property
    def hidden(self) -> int:
        """How many of its rows were not shown, and were read all the same."""
        return len(self.grid.hidden & set(self.rows))

    def placed(self, problem: Problem) -> Problem:
        """
        Say where in the file the delivery stands that a problem of the ledger is about.

        Args:
            problem: Whose `line` counts the deliveries from 1, as those of `ReceiptError` do.

        Returns:
            The problem with its place in the file; as it is if it is about no one delivery.
        """
        number = problem.line
        if number is None or not 1 <= number <= len(self.rows):
            return problem
        fields = _FIELDS_OF_CODE.get(problem.code, ())
        column = next((self.header.columns[one] for one in fields if one in self.header.columns), 1)
        message = problem.message.removeprefix(f"delivery {number}: ")
        return self.grid.problem(problem.code, message, Cell(None, self.rows[number - 1], column))

    def refusal(self, problems: Iterable[Problem]) -> GridError:
        """
        Make the refusal of a file whose deliveries the ledger refuses.

        Args:
            problems: Of a `ReceiptError`.

        Returns:
            All of them with their places in the file.
        """
        return GridError([self.placed(one) for one in problems])


def read_note(
    grid: Grid,
    formulary: Formulary,
    *,
    mapping: Mapping[str, str] | None = None,
    opening: bool = False,
    unknown_lot: str | None = None,
    location: str = "main",
    supplier: str | None = None,
    currency: str | None = None,
    day_first: bool = False,
    decimal_comma: bool = False,
) -> Note:
    """
    Read a delivery note, all lines or none.

    Args:
        grid: The table.
        formulary: Where the products are found.
        mapping: What headings stand for (values of `Field`); the others are known by their words.
        opening: Whether it is a list of stock that was there before the ledger: lines with a blank or zero
            count are then left out.
        unknown_lot: What stands for a lot number that an opening list leaves blank; None refuses a blank.
        location: Where things are put whose line does not say it.
        supplier: Who delivered things whose line does not say it.
        currency: ISO 4217 code of prices that do not say theirs.
        day_first: Whether `03/04/2028` is 3 April; without it such a day is questioned.
        decimal_comma: Whether `12,50` is a price of twelve and a half; without it such a price is questioned.

    Returns:
        The note, with at least one delivery.

    Raises:
        GridError: With every problem of every line, or of the headings if those cannot be read.
    """
    needs_lot = not (opening and unknown_lot is not None)
    header = find_header(grid, mapping, needs_lot=needs_lot)
    reader = _Reader(
        finder=ProductFinder(formulary),
        opening=opening,
        unknown_lot=unknown_lot if opening else None,
        location=location,
        supplier=supplier,
        currency=header.currency or currency,
        day_first=day_first,
        decimal_comma=decimal_comma,
    )
    findings = reader.findings
    for cells in grid.rows[header.place + 1 :]:
        reader.read(Line(grid, header, cells, findings))
    if not findings.problems and not reader.deliveries:
        message = "holds no line below its headings that says what is there"
        findings.problems.append(grid.problem("empty", message))
    if findings.problems:
        raise GridError(findings.problems)
    return Note(
        grid, header, tuple(reader.deliveries), tuple(reader.rows), reader.skipped, tuple(findings.attention)
    )


@attrs.define(kw_only=True)
class _Reader:
    """Reads line after line, and keeps everything that is wrong."""

    finder: ProductFinder
    opening: bool
    unknown_lot: str | None
    location: str
    supplier: str | None
    currency: str | None
    day_first: bool
    decimal_comma: bool
    findings: Findings = attrs.field(factory=Findings)
    deliveries: list[Delivery] = attrs.field(factory=list)
    rows: list[int] = attrs.field(factory=list)
    skipped: int = 0
    _expiries: dict[tuple[str, str], tuple[date | None, int]] = attrs.field(factory=dict)
    _serials: dict[tuple[str | None, str], int] = attrs.field(factory=dict)
    _alike: dict[tuple[object, ...], int] = attrs.field(factory=dict)

    def read(self, line: Line) -> None:
        filled = line.filled
        if not filled or _is_total(line):
            return
        if self.opening and _is_nothing(line):
            self.skipped += 1
            return
        if len(filled) == 1 and filled[0] in (*IDENTITY, Field.REMARK, Field.LOCATION):
            cell = line.at(filled[0])
            message = f"only {shown(str(cell.value))} stands here; complete the line or remove it"
            line.wrong("line", message, cell)
            return
        delivery = self._delivery(line)
        if delivery is not None:
            self._compare(line, delivery)
            self.deliveries.append(delivery)
            self.rows.append(line.row)

    def _delivery(self, line: Line) -> Delivery | None:
        product, gtin = self._product(line)
        packs, containers = count_in(line, product)
        lot = self._lot(line)
        expiry = self._expiry(line)
        cost, currency = cost_in(line, product, packs, usual=self.currency, decimal_comma=self.decimal_comma)
        serial = line.text(Field.SERIAL)
        if serial is not None:
            gtin = _gtin_of_pack(line, product, gtin, packs)
        names = {
            "lot": lot,
            "location": line.text(Field.LOCATION) or self.location,
            "supplier": line.text(Field.SUPPLIER) or self.supplier,
            "serial": serial,
        }
        remark = line.text(Field.REMARK)
        found: list[Problem] = []
        cleaned = {
            code: check_name(found, code, text) if text is not None else None for code, text in names.items()
        }
        objections = [
            *((one.code, one.message) for one in found),
            *(containers_objections(containers) if containers is not None else ()),
            *expiry_objections(expiry),
            *cost_objections(cost, currency),
            *text_objections("remark", remark),
        ]
        for code, message in objections:
            line.wrong(code, message, line.at(*_FIELDS_OF_CODE[code]))
        if line.is_refused or product is None or containers is None or cleaned["lot"] is None:
            return None
        return Delivery(
            product=product,
            lot=cleaned["lot"],
            containers=containers,
            expiry=expiry,
            location=cleaned["location"] or self.location,
            supplier=cleaned["supplier"],
            unit_cost=cost,
            currency=currency,
            remark=remark,
            device=gtin,
            serial=cleaned["serial"],
        )

    def _product(self, line: Line) -> tuple[Product | None, str | None]:
        gtin = line.value(Field.GTIN, gtin_in)
        identity = Identity(
            product=line.text(Field.PRODUCT),
            gtin=gtin,
            sku=line.text(Field.SKU),
            name=line.text(Field.NAME),
            vendor=line.text(Field.VENDOR),
        )
        if line.is_refused and identity == Identity(vendor=identity.vendor):
            return None, None  # why it cannot be read is said already
        try:
            return self.finder.find(identity), gtin
        except WrongValueError as err:
            line.wrong(err.code, err.message, line.at(*IDENTITY))
            return None, None

    def _lot(self, line: Line) -> str | None:
        cell = line.cell(Field.LOT)
        if cell is None or (is_blank(cell) and objection(cell) is None):
            if self.unknown_lot is None:
                message = "the lot number is missing; write it as it is printed"
                line.wrong("lot", message, line.at(Field.LOT))
            return self.unknown_lot
        lot = line.text(Field.LOT)
        if lot is not None and type(cell.value) is int:
            message = f"lot {lot} stands as a number: zeros that lead it on the pack are lost; compare them"
            line.look("lot", message, cell)
        return lot

    def _expiry(self, line: Line) -> date | None:
        found = line.sound(
            lambda: (
                line.value(Field.NO_EXPIRY, lambda cell: flag_in(cell, "expiry")),
                line.value(Field.EXPIRY, lambda cell: expiry_in(cell, day_first=self.day_first)),
            )
        )
        if found is None:
            return None
        has_none, expiry = found
        where = line.at(Field.EXPIRY, Field.NO_EXPIRY)
        cell = line.cell(Field.EXPIRY)
        if has_none and expiry is not None:
            line.wrong("expiry", f"says both {expiry} and that none is printed; correct one", where)
        elif not has_none and (cell is None or is_blank(cell)):
            message = f"the expiry is missing; {EXPECTED_EXPIRY}, or 'none' if none is printed"
            line.wrong("expiry", message, where)
        return expiry

    def _compare(self, line: Line, delivery: Delivery) -> None:
        """Compare a line with those above it."""
        key = (delivery.product.pinned_id, delivery.lot)
        expiry, row = self._expiries.setdefault(key, (delivery.expiry, line.row))
        if expiry != delivery.expiry:
            line.wrong(
                "expiry",
                f"lot {shown(delivery.lot)} of {delivery.product.id} has expiry {delivery.expiry or 'none'} "
                f"here and {expiry or 'none'} in row {row}; look at the packs again",
                line.at(Field.EXPIRY, Field.NO_EXPIRY),
            )
        if delivery.serial is not None:
            row = self._serials.setdefault((delivery.device, delivery.serial), line.row)
            if row != line.row:
                line.wrong(
                    "serial",
                    f"pack {shown(delivery.serial)} stands in row {row} already; the same pack cannot arrive "
                    "twice",
                    line.at(Field.SERIAL),
                )
        facts = (
            delivery.containers,
            delivery.location,
            delivery.supplier,
            delivery.unit_cost,
            delivery.serial,
        )
        row = self._alike.setdefault((*key, *facts), line.row)
        if row != line.row:
            message = f"says the same as row {row}, and is counted as well; remove it if it is a copy"
            line.look("repeated", message, line.at(Field.LOT))


def _is_total(line: Line) -> bool:
    """Tell whether a line adds up those above it."""
    if not is_blank(line.at(Field.LOT)):
        return False
    first = next((cell for cell in line.cells if not is_blank(cell)), None)
    return first is not None and vocabulary().says(Word.TOTAL, str(first.value))


def _is_nothing(line: Line) -> bool:
    """Tell whether a line says that nothing is there."""
    counts = [cell for field in COUNTS if (cell := line.cell(field)) is not None]
    return all(
        objection(cell) is None and (is_blank(cell) or str(cell.value).strip() == "0") for cell in counts
    )


def _gtin_of_pack(line: Line, product: Product | None, gtin: str | None, packs: int | None) -> str | None:
    """Find the GTIN with which a serial number is unique, and see that the line is of one pack."""
    where = line.at(Field.SERIAL)
    if packs is not None and packs > 1:
        message = f"a serial number is of one pack, and this line has {packs}; write a line for each"
        line.wrong("serial", message, where)
    if gtin is None and product is not None:
        if product.gtin is not None:
            return product.gtin.zfill(14)
        message = "a serial number is unique only with its GTIN, which is missing; give both or neither"
        line.wrong("serial", message, where)
    return gtin
