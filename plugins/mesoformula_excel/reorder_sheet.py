"""What is short of its least stock, as a sheet: and how many packs that is."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mesoformula import Column, MesoformulaError, Product, Row, Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import Apply, Function, Holds, InRow, Live, Mark, Value, row
from mesoformula.stock.figures import Usable, usable
from mesoformula_excel.stock_words import origin, stock_of


@attrs.frozen
class Need:
    """
    A product of which a least stock is set.

    Attributes:
        id: Of the product, `vendor/sku`.
        name: Of the product; its id where nobody knows more.
        vendor: Who makes it.
        minimum: How many containers there should be.
        usable: How many can be used.
        reserved: How many of those are kept for picks.
        pack: Containers in a pack; None where nobody says.
        supplier: Who delivered it last.
    """

    id: str
    name: str
    vendor: str | None
    minimum: int
    usable: int
    reserved: int
    pack: int | None
    supplier: str | None

    @property
    def missing(self) -> int:
        """How many containers there are too few."""
        return max(0, self.minimum - self.usable)

    @property
    def packs(self) -> int | None:
        """How many whole packs make that up; None where nobody says what a pack holds."""
        return None if self.pack is None else -(-self.missing // self.pack)


def needs(request: SheetRequest) -> tuple[Need, ...]:
    """
    Compare what can be used with the least stock that is set.

    Args:
        request: With the stock.

    Returns:
        Every product that a least stock is set of, those that are short first, by name.
    """
    stock = stock_of(request)
    there, suppliers = usable(stock), _suppliers(request)
    found = []
    for name, minimum in stock.levels:
        product = _product(name, request)
        count = there.get(name, Usable())
        found.append(
            Need(
                name,
                product.name if product is not None else name,
                product.vendor.name if product is not None else None,
                minimum,
                count.containers,
                count.reserved,
                product.containers_per_pack if product is not None else None,
                suppliers.get(name),
            )
        )
    return tuple(sorted(found, key=lambda need: (need.missing == 0, need.name.casefold(), need.id)))


def reorder_sheet(request: SheetRequest) -> Sheet:
    """
    Make the sheet of what to reorder.

    Args:
        request: The stock to show, with the least stock that is set.

    Returns:
        A sheet with one row per product that a least stock is set of, those that are short first.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    columns = _columns(say)
    return Sheet(
        key="reorder",
        title=say("Reorder"),
        columns=columns,
        rows=tuple(_row(columns, need, say) for need in needs(request)),
        facts=((say("As of"), stock.as_of), *origin(request, say), *request.facts),
        notes=(
            say(
                "Usable are whole containers that are neither expired nor quarantined nor recalled; reserved "
                "ones are among them, opened ones are not."
            ),
            say("Packs are whole ones, rounded up; where nobody says what a pack holds, the cell is empty."),
            say("What is on order already is not known here."),
            *request.notes,
        )
        if stock.levels
        else request.notes,
        empty=say(
            "No least stock is set. Set one with: mesoformula stock level set vendor/sku 10; the products "
            "that fall short of it then stand here."
        ),
        order=60,
        language=request.language,
    )


def _suppliers(request: SheetRequest) -> Mapping[str, str]:
    """Tell who delivered a product last; what is on hand says so too."""
    stock = stock_of(request)
    arrived = sorted(stock.on_hand, key=lambda entry: entry.received_at)
    found = {entry.product.id: entry.supplier for entry in arrived if entry.supplier is not None}
    return {**found, **dict(stock.suppliers)}


def _product(name: str, request: SheetRequest) -> Product | None:
    """Find a product as it is sold today, else as the stock keeps it."""
    formulary = request.formulary
    if formulary is not None and formulary.has_product(name):
        try:
            return formulary.product(name)
        except MesoformulaError:
            pass  # a broken entry is reported elsewhere; the ledger's own record will do
    held = [entry.product for entry in stock_of(request).on_hand if entry.product.id == name]
    return max(held, key=lambda product: product.revision, default=None)


def _columns(say: Words) -> tuple[Column, ...]:
    return (
        Column("product", say("Product"), widest=34),
        Column("id", say("Product id"), widest=26),
        Column("vendor", say("Vendor"), widest=20),
        Column("minimum", say("Least stock (containers)"), Holds.WHOLE),
        Column("usable", say("Usable (containers)"), Holds.WHOLE),
        Column("reserved", say("Reserved (containers)"), Holds.WHOLE),
        Column("missing", say("Missing (containers)"), Holds.WHOLE, total=True),
        Column("note", say("Note"), widest=16),
        Column("pack", say("Containers per pack"), Holds.WHOLE),
        Column("packs", say("Packs to order"), Holds.WHOLE),
        Column("supplier", say("Last supplier"), widest=20),
    )


def _row(columns: tuple[Column, ...], need: Need, say: Words) -> Row:
    short = say("too few")
    difference = Apply(Function.SUBTRACT, (InRow("minimum"), InRow("usable")))
    values: dict[str, Value | Live] = {
        "product": need.name,
        "id": need.id,
        "vendor": need.vendor,
        "minimum": need.minimum,
        "usable": need.usable,
        "reserved": need.reserved or None,
        "missing": Live(need.missing, Apply(Function.MOST, (0, difference)), is_vital=True),
        "note": Live(
            short if need.missing else None,
            Apply(Function.IF, (Apply(Function.ABOVE, (InRow("missing"), 0)), short, "")),
        ),
        "pack": need.pack,
        "packs": Live(
            need.packs,
            Apply(Function.ROUND_UP, (Apply(Function.DIVIDE, (InRow("missing"), InRow("pack"))), 0)),
        )
        if need.pack is not None
        else None,
        "supplier": need.supplier,
    }
    made = row(columns, values)
    return Row(made.values, Mark.ATTENTION if need.missing else Mark.NONE)
