"""What expires when, as a sheet: products by months."""

from __future__ import annotations

from collections import Counter
from datetime import date

from mesoformula import Column, Row, Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import Apply, Function, Holds, InRow, Live, Value, row
from mesoformula.stock.records import OnHand
from mesoformula_excel.stock_words import origin, stock_of

#: Months that have a column of their own, the present one included.
MONTHS = 12
_EXPIRED, _LATER, _NONE = "expired", "later", "none"


def expiry_sheet(request: SheetRequest) -> Sheet:
    """
    Make the sheet of what expires when.

    Args:
        request: The stock to show.

    Returns:
        A sheet with one row per product: containers that are expired, that expire in each of twelve months,
        later, and without an expiry date.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    months = _months(stock.as_of)
    columns = _columns(months, stock.as_of, say)
    periods = (_EXPIRED, *months, _LATER, _NONE)
    return Sheet(
        key="expiry",
        title=say("Expiry"),
        columns=columns,
        rows=tuple(
            _row(columns, entries, periods, months, stock.as_of) for entries in _by_product(stock.on_hand)
        ),
        facts=((say("As of"), stock.as_of), *origin(request, say), *request.facts),
        notes=(
            say("Containers by the month in which their last day of use lies; an empty cell means none."),
            say(
                "Expired are those whose last day of use lies before {day}, on which the sheet was made; "
                "they do not count in its month.",
                day=stock.as_of.isoformat(),
            ),
            say("All whole containers count, those that are reserved, quarantined or recalled too."),
            *request.notes,
        ),
        empty=say("There is no stock on hand."),
        order=40,
        language=request.language,
    )


def _months(as_of: date) -> tuple[str, ...]:
    first = as_of.year * 12 + as_of.month - 1
    return tuple(f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, first + MONTHS))


def _columns(months: tuple[str, ...], as_of: date, say: Words) -> tuple[Column, ...]:
    return (
        Column("vendor", say("Vendor"), widest=20),
        Column("product", say("Product"), widest=32),
        Column(_EXPIRED, say("Expired before {day}", day=as_of.isoformat()), Holds.WHOLE, total=True),
        *(Column(month, month, Holds.WHOLE, total=True) for month in months),
        Column(_LATER, say("Later than {month}", month=months[-1]), Holds.WHOLE, total=True),
        Column(_NONE, say("No expiry date"), Holds.WHOLE, total=True),
        Column("total", say("Total"), Holds.WHOLE, total=True),
    )


def _by_product(on_hand: tuple[OnHand, ...]) -> list[list[OnHand]]:
    found: dict[str, list[OnHand]] = {}
    for entry in on_hand:
        found.setdefault(entry.product.id, []).append(entry)
    return list(found.values())


def _period(entry: OnHand, months: tuple[str, ...], as_of: date) -> str:
    if entry.expiry is None:
        return _NONE
    if entry.expiry < as_of:
        return _EXPIRED
    month = f"{entry.expiry.year:04}-{entry.expiry.month:02}"
    return month if month in months else _LATER


def _row(
    columns: tuple[Column, ...],
    entries: list[OnHand],
    periods: tuple[str, ...],
    months: tuple[str, ...],
    as_of: date,
) -> Row:
    counts: Counter[str] = Counter()
    for entry in entries:
        counts[_period(entry, months, as_of)] += entry.containers
    newest = max((entry.product for entry in entries), key=lambda product: product.revision)
    values: dict[str, Value | Live] = {
        "vendor": newest.vendor.name,
        "product": newest.name,
        "total": Live(counts.total(), Apply(Function.SUM, tuple(InRow(period) for period in periods))),
        **{period: counts[period] or None for period in periods},
    }
    return row(columns, values)
