"""The stock at a glance: a page of live figures over the other sheets of the workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal

from mesoformula import Column, Row, Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import (
    Apply,
    Block,
    Chart,
    ChartKind,
    Expression,
    Fact,
    Facts,
    Function,
    Holds,
    InRow,
    InTable,
    Live,
    Mark,
    Named,
    Table,
    Texts,
    Value,
)
from mesoformula.stock.figures import days_left, in_major_units, minor_digits
from mesoformula.stock.records import OnHand
from mesoformula_excel.opened_sheet import MOMENT, past_use, seen_at
from mesoformula_excel.reorder_sheet import Need, needs
from mesoformula_excel.stock_sheet import currencies, unpriced
from mesoformula_excel.stock_words import class_words, origin, stock_of, zone_name

#: The cell that days left are counted from, as the writer of workbooks calls it.
_DAY = Named("as_of")
_EXPIRY, _CONTAINERS = InTable("stock", "expiry"), InTable("stock", "containers")
#: Days ahead.
_WITHIN = (30, 60, 90)


def summary_sheet(request: SheetRequest) -> Sheet:
    """
    Make the page that sums up a stock.

    Args:
        request: The stock; the sheets `stock`, `opened` and `reorder` must stand in the same workbook.

    Returns:
        A page whose figures follow from those sheets.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    found = needs(request)
    blocks: list[Block] = [
        Facts(
            (
                Fact(
                    say("Moment ({zone})", zone=zone_name(request.zone, say)),
                    seen_at(request),
                    Holds.MOMENT,
                    name=MOMENT,
                    is_input=True,
                ),
                *(
                    Fact(word, value, _holds(value))
                    for word, value in (*origin(request, say), *request.facts)
                ),
            )
        ),
        Facts(_to_look_at(request, found, say), say("To look at"), across=1),
        Facts(_worth(stock.on_hand, say), say("What it is worth")),
    ]
    if stock.on_hand:
        blocks += [
            _expiring(request, say),
            Chart(
                say("Containers that expire soon"),
                "expiring",
                "period",
                ("containers",),
                unit=say("containers"),
            ),
        ]
    short = tuple(need for need in found if need.missing)
    if short:
        blocks.append(_shortages(short, say))
    if stock.on_hand:
        blocks += [
            _by_class(request, say),
            Chart(
                say("Containers by class"),
                "by_class",
                "class",
                ("containers",),
                ChartKind.BARS,
                say("containers"),
            ),
            _by_vendor(stock.on_hand, say),
        ]
    blocks.append(Texts((*_notes(request, say), *request.notes)))
    return Sheet(
        key="summary",
        title=say("Summary"),
        as_of=stock.as_of,
        blocks=tuple(blocks),
        is_upright=True,
        order=10,
        language=request.language,
    )


def _holds(value: Value) -> Holds:
    return Holds.MOMENT if type(value).__name__ == "datetime" else Holds.TEXT


# ---- what needs somebody ----------------------------------------------------------------------------------


def _to_look_at(request: SheetRequest, found: Iterable[Need], say: Words) -> tuple[Fact, ...]:
    stock = stock_of(request)
    expired = _count(stock.on_hand, lambda entry: _days(entry, request) < 0)
    figures: list[tuple[str, str, int, Expression | None]] = [
        (
            "expired",
            say("Expired (containers)"),
            expired,
            Apply(Function.SUM_IF, (_CONTAINERS, _EXPIRY, _than(Function.BELOW, _DAY))),
        ),
        (
            "recalled",
            say("Recalled (containers)"),
            _count(stock.on_hand, lambda entry: entry.recalled),
            _with_state(say("recalled")),
        ),
        (
            "quarantined",
            say("Quarantined (containers)"),
            _count(stock.on_hand, lambda entry: entry.quarantined),
            _with_state(say("quarantined")),
        ),
    ]
    if not stock.on_hand:
        figures = [(name, word, value, None) for name, word, value, _how in figures]
    past = Apply(Function.COUNT_IF, (InTable("opened", "hours_left"), _than(Function.AT_MOST, 0)))
    figures.append(("past_use", say("Opened, beyond use"), past_use(request), past if stock.opened else None))
    short = Apply(Function.COUNT_IF, (InTable("reorder", "missing"), _than(Function.ABOVE, 0)))
    figures.append(
        (
            "short",
            say("Products short of their least stock"),
            sum(need.missing > 0 for need in found),
            short if stock.levels else None,
        )
    )
    return tuple(
        Fact(
            word,
            value if how is None else Live(value, how, name, is_vital=True),
            Holds.WHOLE,
            name=name if how is None else None,
            mark=Mark.EXPIRED if value else Mark.NONE,
        )
        for name, word, value, how in figures
    )


def _count(on_hand: Iterable[OnHand], matches: Callable[[OnHand], bool]) -> int:
    return sum(entry.containers for entry in on_hand if matches(entry))


def _days(entry: OnHand, request: SheetRequest) -> int:
    left = days_left(entry.expiry, stock_of(request).as_of)
    return left if left is not None else 0


def _than(sign: Function, other: Expression) -> Expression:
    """Write a criterion: everything that compares so with another value."""
    return Apply(Function.JOIN, (sign.value, other))


def _with_state(word: str) -> Expression:
    return Apply(
        Function.SUM_PRODUCT,
        (
            Apply(
                Function.TIMES,
                (
                    Apply(Function.IS_NUMBER, (Apply(Function.FIND, (word, InTable("stock", "state"))),)),
                    _CONTAINERS,
                ),
            ),
        ),
    )


# ---- money ------------------------------------------------------------------------------------------------


def _worth(on_hand: tuple[OnHand, ...], say: Words) -> tuple[Fact, ...]:
    left_out = unpriced(on_hand)
    facts: list[Fact] = []
    for currency in currencies(on_hand):
        total = sum(
            (
                entry.containers * in_major_units(entry.unit_cost, currency)
                for entry in on_hand
                if entry.unit_cost is not None and entry.currency == currency
            ),
            Decimal(0),
        )
        word = (
            say("Stock value, at least ({currency})", currency=currency)
            if left_out
            else say("Stock value ({currency})", currency=currency)
        )
        how = Apply(Function.SUM, (InTable("stock", f"value_{currency}"),))
        facts.append(
            Fact(word, Live(total, how, f"value_{currency}"), Holds.DECIMAL, places=minor_digits(currency))
        )
    if on_hand:
        facts.append(Fact(say("Rows without a single known cost"), left_out, Holds.WHOLE))
    containers = sum(entry.containers for entry in on_hand)
    counted = Live(containers, Apply(Function.SUM, (_CONTAINERS,)), "containers") if on_hand else containers
    facts.append(Fact(say("Containers on hand"), counted, Holds.WHOLE))
    return tuple(facts)


# ---- tables -----------------------------------------------------------------------------------------------


def _expiring(request: SheetRequest, say: Words) -> Table:
    stock = stock_of(request)
    columns = (
        Column("period", say("Expires"), widest=24),
        Column("until", say("Until"), Holds.DAY),
        Column("lots", say("Rows"), Holds.WHOLE),
        Column("containers", say("Containers"), Holds.WHOLE),
    )
    rows = []
    for days in _WITHIN:
        within = [entry for entry in stock.on_hand if _is_within(entry, request, days)]
        last = Apply(Function.ADD, (_DAY, days))
        ahead = (
            _EXPIRY,
            _than(Function.AT_LEAST, _DAY),
            _EXPIRY,
            _than(Function.AT_MOST, Apply(Function.ADD, (_DAY, days))),
        )
        containers = sum(entry.containers for entry in within)
        rows.append(
            Row(
                (
                    say("within {days} days", days=days),
                    Live(stock.as_of + timedelta(days), last),
                    Live(len(within), Apply(Function.COUNT_IF, ahead)),
                    Live(
                        containers,
                        Apply(Function.SUM_IF, (_CONTAINERS, *ahead)),
                        f"expiring_{days}",
                        is_vital=True,
                    ),
                )
            )
        )
    return Table("expiring", columns, tuple(rows), say("Expiring soon"))


def _is_within(entry: OnHand, request: SheetRequest, days: int) -> bool:
    left = days_left(entry.expiry, stock_of(request).as_of)
    return left is not None and 0 <= left <= days


def _shortages(short: tuple[Need, ...], say: Words) -> Table:
    columns = (
        Column("product", say("Product"), widest=36),
        Column("minimum", say("Least stock (containers)"), Holds.WHOLE),
        Column("usable", say("Usable (containers)"), Holds.WHOLE),
        Column("missing", say("Missing (containers)"), Holds.WHOLE),
    )
    rows = tuple(
        Row(
            (
                need.name,
                need.minimum,
                need.usable,
                Live(
                    need.missing,
                    Apply(Function.SUBTRACT, (InRow("minimum"), InRow("usable"))),
                    is_vital=True,
                ),
            ),
            Mark.ATTENTION,
        )
        for need in short
    )
    return Table("shortages", columns, rows, say("Short of their least stock"))


def _by_class(request: SheetRequest, say: Words) -> Table:
    on_hand = stock_of(request).on_hand
    rows: dict[str, list[OnHand]] = {}
    nameless: list[OnHand] = []
    for entry in on_hand:
        names = class_words(entry.product, request.formulary, say)
        for name in names:
            rows.setdefault(name, []).append(entry)
        if not names:
            nameless.append(entry)
    # With its commas around it, a name is found only where it stands whole.
    between = Apply(Function.JOIN, (", ", Apply(Function.JOIN, (InTable("stock", "classes"), ", "))))
    wanted = Apply(Function.JOIN, (", ", Apply(Function.JOIN, (InRow("class"), ", "))))
    is_in = Apply(Function.IS_NUMBER, (Apply(Function.FIND, (wanted, between)),))
    lines = [_counted(name, entries, is_in) for name, entries in sorted(rows.items(), key=_by_number)]
    if nameless:
        is_empty = Apply(Function.EQUAL, (InTable("stock", "classes"), ""))
        lines.append(_counted(say("no class known"), nameless, is_empty))
    columns = (
        Column("class", say("Class"), widest=30),
        Column("lots", say("Rows"), Holds.WHOLE),
        Column("containers", say("Containers"), Holds.WHOLE),
    )
    return Table("by_class", columns, tuple(lines), say("By class"))


def _by_vendor(on_hand: tuple[OnHand, ...], say: Words) -> Table:
    # As a workbook compares texts: capitals and small letters are the same.
    names: dict[str, str] = {}
    rows: dict[str, list[OnHand]] = {}
    for entry in on_hand:
        name = names.setdefault(entry.product.vendor.name.lower(), entry.product.vendor.name)
        rows.setdefault(name, []).append(entry)
    is_same = Apply(Function.EQUAL, (InTable("stock", "vendor"), InRow("vendor")))
    columns = (
        Column("vendor", say("Vendor"), widest=36),
        Column("lots", say("Rows"), Holds.WHOLE),
        Column("containers", say("Containers"), Holds.WHOLE),
    )
    lines = tuple(_counted(name, entries, is_same) for name, entries in sorted(rows.items(), key=_by_number))
    return Table("by_vendor", columns, lines, say("By vendor"))


def _by_number(item: tuple[str, list[OnHand]]) -> tuple[int, str]:
    name, entries = item
    return -sum(entry.containers for entry in entries), name.casefold()


def _counted(name: str, entries: list[OnHand], matches: Expression) -> Row:
    """Count rows and containers by a condition on each row of the stock, exact whatever a name holds."""
    lots = Apply(Function.SUM_PRODUCT, (Apply(Function.TIMES, (matches, 1)),))
    containers = Apply(Function.SUM_PRODUCT, (Apply(Function.TIMES, (matches, _CONTAINERS)),))
    return Row(
        (
            name,
            Live(len(entries), lots),
            Live(sum(entry.containers for entry in entries), containers),
        )
    )


def _notes(request: SheetRequest, say: Words) -> tuple[str, ...]:
    notes = [
        say(
            "The figures follow from the other sheets. Those that expire are counted from the day in the "
            "cell 'As of', and those beyond use from the cell 'Moment': change them, and the figures follow."
        ),
        say("Each period includes the one above it; what is expired is in none. All whole containers count."),
    ]
    if stock_of(request).on_hand:
        notes.append(
            say(
                "A product that holds several classes counts in each of them, so that the classes add up to "
                "more than there is."
            )
        )
    return tuple(notes)


__all__ = ["summary_sheet"]
