"""The stock as a sheet: one row per product, lot and location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import attrs

from mesoformula import Column, Quantity, Row, Sheet, SheetRequest, magnitude
from mesoformula.languages import Words, words
from mesoformula.sheets import DaysUntil, Holds, Mark, MarkOfDays, Times, Value, row
from mesoformula.stock.figures import (
    in_major_units,
    minor_digits,
    states_mass,
    states_volume,
    supplied_mass,
    supplied_volume,
)
from mesoformula.stock.records import OnHand
from mesoformula_excel.stock_words import (
    class_words,
    container_words,
    origin,
    product_name,
    stock_of,
    storage_words,
)

#: Places that amounts are shown with at most; the cells hold them in full.
_MOST_PLACES = 3


def stock_sheet(request: SheetRequest) -> Sheet:
    """
    Make the sheet of what is on hand.

    Args:
        request: The stock to show, and up to how many days left count as expiring soon.

    Returns:
        A sheet with one row per product, lot and location, in the order of the stock.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    given = [_values(entry, request, say) for entry in stock.on_hand]
    columns = _columns(stock.on_hand, given, request.warn_days, say)
    rows = tuple(
        _marked(row(columns, values, stock.as_of), entry)
        for entry, values in zip(stock.on_hand, given, strict=True)
    )
    return Sheet(
        key="stock",
        title=say("On hand"),
        columns=columns,
        rows=rows,
        as_of=stock.as_of,
        facts=(*origin(request, say), *_when_written(rows, request.warn_days, say), *request.facts),
        notes=(*_notes(stock.on_hand, request.warn_days, say), *request.notes) if rows else request.notes,
        empty=say("There is no stock on hand."),
        order=20,
        language=request.language,
    )


def state_words(entry: OnHand, say: Words) -> tuple[str, ...]:
    """
    Say what keeps a lot from being used, its expiry left aside.

    Args:
        entry: What is there of the lot in one place.
        say: The language.

    Returns:
        Words; none if nothing does.
    """
    found = []
    if entry.recalled:
        found.append(say("recalled"))
    if entry.quarantined:
        found.append(say("quarantined"))
    return tuple(found)


def currencies(on_hand: Iterable[OnHand]) -> tuple[str, ...]:
    """
    List the currencies that lots were paid in.

    Args:
        on_hand: What is there.

    Returns:
        ISO 4217 codes, sorted.
    """
    return tuple(
        sorted({entry.currency for entry in on_hand if entry.unit_cost is not None and entry.currency})
    )


def unpriced(on_hand: Iterable[OnHand]) -> int:
    """
    Count the rows whose cost is not one known figure.

    Args:
        on_hand: What is there.

    Returns:
        How many there are.
    """
    return sum(entry.unit_cost is None or not entry.currency for entry in on_hand)


def _columns(
    on_hand: Sequence[OnHand], given: Sequence[Mapping[str, Value]], warn_days: int, say: Words
) -> tuple[Column, ...]:
    money = (
        column
        for currency in currencies(on_hand)
        for column in (
            Column(
                f"unit_cost_{currency}",
                say("Unit cost ({currency})", currency=currency),
                Holds.DECIMAL,
                places=minor_digits(currency),
            ),
            Column(
                f"value_{currency}",
                say("Value ({currency})", currency=currency),
                Holds.DECIMAL,
                Times("containers", f"unit_cost_{currency}"),
                total=True,
                at_least=unpriced(on_hand) > 0,
                places=minor_digits(currency),
            ),
        )
    )
    return (
        Column("vendor", say("Vendor"), widest=16),
        Column("product", say("Product"), widest=24),
        Column("classes", say("Class"), widest=22),
        Column("lot", say("Lot"), widest=14),
        Column("location", say("Location"), widest=12),
        Column("containers", say("Containers"), Holds.WHOLE, total=True),
        Column("container", say("Container"), widest=20),
        Column(
            "volume",
            say("Total volume (mL)"),
            Holds.DECIMAL,
            total=True,
            at_least=not all(states_volume(entry.product) for entry in on_hand),
            places=_places(given, "volume"),
        ),
        Column(
            "mass",
            say("Total mass (mg)"),
            Holds.DECIMAL,
            total=True,
            at_least=not all(states_mass(entry.product) for entry in on_hand),
            places=_places(given, "mass"),
        ),
        Column("expiry", say("Expiry"), Holds.DAY),
        Column("days_left", say("Days left"), Holds.WHOLE, DaysUntil("expiry")),
        Column(
            "note",
            say("Note"),
            computed=MarkOfDays("days_left", warn_days, say("expired"), say("expires soon")),
            widest=12,
        ),
        Column("state", say("State"), widest=14),
        Column("reserved", say("Reserved"), Holds.WHOLE),
        Column("storage", say("Storage"), widest=17),
        *money,
    )


def _values(entry: OnHand, request: SheetRequest, say: Words) -> dict[str, Value]:
    product = entry.product
    values: dict[str, Value] = {
        "vendor": product.vendor.name,
        "product": product_name(product, say),
        "classes": ", ".join(class_words(product, request.formulary, say)) or None,
        "lot": entry.lot,
        "location": entry.location,
        "containers": entry.containers,
        "container": container_words(product, say),
        "volume": _total(supplied_volume(product), "mL", entry.containers),
        "mass": _total(supplied_mass(product), "mg", entry.containers),
        "expiry": entry.expiry,
        "state": ", ".join(state_words(entry, say)) or None,
        "reserved": entry.reserved or None,
        "storage": storage_words(product, say),
    }
    if entry.unit_cost is not None and entry.currency is not None:
        values[f"unit_cost_{entry.currency}"] = in_major_units(entry.unit_cost, entry.currency)
    return values


def _marked(made: Row, entry: OnHand) -> Row:
    """Mark what is kept apart, unless its days say more."""
    if made.mark is not Mark.NONE or not (entry.recalled or entry.quarantined):
        return made
    return attrs.evolve(made, mark=Mark.ATTENTION)


def _total(each: Quantity | None, unit: str, containers: int) -> Decimal | None:
    return None if each is None else magnitude(each, unit) * containers


def _places(given: Iterable[Mapping[str, Value]], key: str) -> int:
    numbers = (values[key] for values in given)
    return max((min(digits(n), _MOST_PLACES) for n in numbers if isinstance(n, Decimal)), default=0)


def digits(number: Decimal) -> int:
    """
    Count the decimal places of a number.

    Args:
        number: Finite.

    Returns:
        How many it has, zeros at its end left out.
    """
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _when_written(rows: Iterable[Row], warn_days: int, say: Words) -> tuple[tuple[str, Value], ...]:
    # Plain text on purpose: it stands where a viewer that calculates nothing shows it.
    marks = [line.mark for line in rows]
    if not marks:
        return ()
    expired, soon = marks.count(Mark.EXPIRED), marks.count(Mark.SOON)
    text = say(
        "{expired} expired, {soon} more within {days} days of expiry",
        expired=_rows(expired, say),
        soon=soon,
        days=warn_days,
    )
    return ((say("When written"), text),)


def _notes(on_hand: tuple[OnHand, ...], warn_days: int, say: Words) -> tuple[str, ...]:
    notes = [
        say("Expiry is the last day of use: with 0 days left a lot may be used, with fewer it may not."),
        say(
            "Note says '{expired}' below 0 days left, and '{soon}' from 0 to {days}. "
            "Days left are counted from the day in the cell 'As of': change it, and days and notes follow.",
            expired=say("expired"),
            soon=say("expires soon"),
            days=warn_days,
        ),
        say(
            "Containers are whole ones; of a kit, whole kits, each with the volume and mass of all its "
            "parts. "
            "Volume is that of liquids and gels as supplied, mass that of powders and of gels "
            "labelled by mass."
        ),
        say("Reserved ones are among the containers, kept for a session."),
        say("Totals add up the rows that the filter shows."),
    ]
    unstated = sum(not (states_volume(entry.product) and states_mass(entry.product)) for entry in on_hand)
    if unstated:
        notes.append(
            say.plural(
                "In {count} row the label does not state every volume or mass: the empty cells are unknown, "
                "not zero, and a total that leaves them out is marked ≥ (at least).",
                "In {count} rows the label does not state every volume or mass: the empty cells are unknown, "
                "not zero, and a total that leaves them out is marked ≥ (at least).",
                unstated,
            )
        )
    undated = sum(entry.expiry is None for entry in on_hand)
    if undated:
        notes.append(
            say.plural(
                "{count} row without an expiry date: look at the pack.",
                "{count} rows without an expiry date: look at the pack.",
                undated,
            )
        )
    held = currencies(on_hand)
    if held and unpriced(on_hand):
        notes.append(
            say.plural(
                "{count} row without a single known cost (none stated, or receipts that differ) is left out: "
                "the total value is at least (≥) what it says.",
                "{count} rows without a single known cost (none stated, or receipts that differ) are left "
                "out: the total value is at least (≥) what it says.",
                unpriced(on_hand),
            )
        )
    if len(held) > 1:
        notes.append(say("Each currency has a total of its own; nothing is converted."))
    return tuple(notes)


def _rows(count: int, say: Words) -> str:
    return say.plural("{count} row", "{count} rows", count)
