"""The stock as a sheet: one row per product, lot and location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from mesoformula import Column, Quantity, Sheet, SheetRequest, __version__, magnitude
from mesoformula.presentation import class_names, container_text, storage_text
from mesoformula.sheets import DaysUntil, Holds, Mark, MarkOfDays, Row, Times, Value, row
from mesoformula.stock.figures import (
    in_major_units,
    minor_digits,
    states_mass,
    states_volume,
    supplied_mass,
    supplied_volume,
)
from mesoformula.stock.records import OnHand

#: Places that amounts are shown with at most; the cells hold them in full.
_MOST_PLACES = 3


def stock_sheet(request: SheetRequest) -> Sheet:
    """
    Make the stock sheet.

    Args:
        request: The stock to show, and up to how many days left count as expiring soon.

    Returns:
        A sheet with one row per product, lot and location, in the order of the stock.
    """
    stock = request.stock
    given = [_values(entry, request) for entry in stock.on_hand]
    columns = _columns(stock.on_hand, given, request.warn_days)
    rows = tuple(row(columns, values, stock.as_of) for values in given)
    return Sheet(
        key="stock",
        title="Stock on hand",
        columns=columns,
        rows=rows,
        as_of=stock.as_of,
        facts=(
            ("Read at (UTC)", stock.made_at),
            ("Store", stock.store),
            ("Ledger", str(stock.anchor) if stock.anchor is not None else "empty"),
            ("Written by", f"mesoformula {__version__}"),
            *_marked(rows, request.warn_days),
            *request.facts,
        ),
        notes=(*_notes(stock.on_hand, request.warn_days), *request.notes) if rows else request.notes,
        empty="There is no stock on hand.",
    )


def _columns(
    on_hand: Sequence[OnHand], given: Sequence[Mapping[str, Value]], warn_days: int
) -> tuple[Column, ...]:
    money = (
        column
        for currency in _currencies(on_hand)
        for column in (
            Column(
                f"unit_cost_{currency}",
                f"Unit cost ({currency})",
                Holds.DECIMAL,
                places=minor_digits(currency),
            ),
            Column(
                f"value_{currency}",
                f"Value ({currency})",
                Holds.DECIMAL,
                Times("containers", f"unit_cost_{currency}"),
                total=True,
                at_least=any(entry.unit_cost is None or not entry.currency for entry in on_hand),
                places=minor_digits(currency),
            ),
        )
    )
    return (
        Column("vendor", "Vendor", widest=16),
        Column("product", "Product", widest=24),
        Column("classes", "Class", widest=22),
        Column("lot", "Lot", widest=14),
        Column("location", "Location", widest=12),
        Column("containers", "Containers", Holds.WHOLE, total=True),
        Column("container", "Container", widest=20),
        Column(
            "volume",
            "Total volume (mL)",
            Holds.DECIMAL,
            total=True,
            at_least=not all(states_volume(entry.product) for entry in on_hand),
            places=_places(given, "volume"),
        ),
        Column(
            "mass",
            "Total mass (mg)",
            Holds.DECIMAL,
            total=True,
            at_least=not all(states_mass(entry.product) for entry in on_hand),
            places=_places(given, "mass"),
        ),
        Column("expiry", "Expiry", Holds.DAY),
        Column("days_left", "Days left", Holds.WHOLE, DaysUntil("expiry")),
        Column("note", "Note", computed=MarkOfDays("days_left", warn_days), widest=12),
        Column("storage", "Storage", widest=17),
        *money,
    )


def _values(entry: OnHand, request: SheetRequest) -> dict[str, Value]:
    product = entry.product
    values: dict[str, Value] = {
        "vendor": product.vendor.name,
        "product": product.name if product.revision == 1 else f"{product.name} (revision {product.revision})",
        "classes": ", ".join(class_names(product, request.formulary)) or None,
        "lot": entry.lot,
        "location": entry.location,
        "containers": entry.containers,
        "container": container_text(product),
        "volume": _total(supplied_volume(product), "mL", entry.containers),
        "mass": _total(supplied_mass(product), "mg", entry.containers),
        "expiry": entry.expiry,
        "storage": storage_text(product.storage),
    }
    if entry.unit_cost is not None and entry.currency is not None:
        values[f"unit_cost_{entry.currency}"] = in_major_units(entry.unit_cost, entry.currency)
    return values


def _total(each: Quantity | None, unit: str, containers: int) -> Decimal | None:
    return None if each is None else magnitude(each, unit) * containers


def _places(given: Iterable[Mapping[str, Value]], key: str) -> int:
    numbers = (values[key] for values in given)
    return max((min(_digits(n), _MOST_PLACES) for n in numbers if isinstance(n, Decimal)), default=0)


def _digits(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _currencies(on_hand: Iterable[OnHand]) -> tuple[str, ...]:
    return tuple(
        sorted({entry.currency for entry in on_hand if entry.unit_cost is not None and entry.currency})
    )


def _marked(rows: Iterable[Row], warn_days: int) -> tuple[tuple[str, Value], ...]:
    # Plain text on purpose: it stands where a viewer that calculates nothing shows it.
    marks = [line.mark for line in rows]
    if not marks:
        return ()
    expired, soon = marks.count(Mark.EXPIRED), marks.count(Mark.SOON)
    return (("When written", f"{_rows(expired)} expired, {soon} more within {warn_days} days of expiry"),)


def _notes(on_hand: tuple[OnHand, ...], warn_days: int) -> tuple[str, ...]:
    notes = [
        "Expiry is the last day of use: with 0 days left a lot may still be used, with fewer it may not.",
        f"Note says 'expired' below 0 days left, and 'expires soon' from 0 to {warn_days}. "
        "Days left are counted from the day in the cell 'As of': change it, and days and notes follow.",
        "Containers are whole ones; of a kit, whole kits, each with the volume and mass of all its parts. "
        "Volume is that of liquids and gels as supplied, mass that of powders and of gels labelled by mass.",
        "Totals add up the rows that the filter shows.",
    ]
    unstated = sum(not (states_volume(entry.product) and states_mass(entry.product)) for entry in on_hand)
    if unstated:
        notes.append(
            f"In {_rows(unstated)} the label does not state every volume or mass: "
            "the empty cells are unknown, not zero, and a total that leaves them out is marked ≥ (at least)."
        )
    undated = sum(entry.expiry is None for entry in on_hand)
    if undated:
        notes.append(f"{_rows(undated).capitalize()} without an expiry date: look at the pack.")
    currencies = _currencies(on_hand)
    unpriced = sum(entry.unit_cost is None or not entry.currency for entry in on_hand)
    if currencies and unpriced:
        notes.append(
            f"{_rows(unpriced).capitalize()} without a cost: the total value is at least (≥) what it says."
        )
    if len(currencies) > 1:
        notes.append("Each currency has a total of its own; nothing is converted.")
    return tuple(notes)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
