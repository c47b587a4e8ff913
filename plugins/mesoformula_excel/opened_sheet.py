"""Opened containers and mixtures as a sheet, with the time that is left for their use."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from mesoformula import Column, Row, Sheet, SheetRequest
from mesoformula.languages import Words, words
from mesoformula.sheets import Apply, Function, Holds, InRow, Live, Mark, Named, Value, row
from mesoformula.stock.records import Opened, StockView
from mesoformula_excel.stock_words import local, product_name, rule_words, stock_of, zone_name

#: By which expressions find the moment that hours left are counted from.
MOMENT = "as_of_moment"
#: Hours.
_SOON = 24
_HUNDREDTH = Decimal("0.01")
_NANO = -6


def opened_sheet(request: SheetRequest) -> Sheet:
    """
    Make the sheet of what is opened.

    Args:
        request: The stock to show.

    Returns:
        A sheet with one row per opened container or mixture, the first to be used up on top; it refers to the
        cell `as_of_moment`.
    """
    stock, say = stock_of(request), words("mesoformula_excel", request.language)
    seen = seen_at(request)
    columns = _columns(stock, zone_name(request.zone, say), say)
    ends = sorted(((use_before(one, request, say), one) for one in stock.opened), key=_in_order)
    return Sheet(
        key="opened",
        title=say("Opened"),
        columns=columns,
        rows=tuple(_row(columns, one, end, reason, seen, request, say) for (end, reason), one in ends),
        facts=((say("Counted from"), seen),),
        notes=(
            say("From the moment in 'Use before' on, a container may not be used any more."),
            say(
                "Hours left are counted on the site's clock, from the moment in the cell 'Moment' of the "
                "summary: change it, and hours and notes follow."
            ),
            say("What is left is by the label: a container may hold more. An empty cell is not known."),
            *request.notes,
        )
        if ends
        else request.notes,
        empty=say("Nothing is opened."),
        order=30,
        language=request.language,
    )


def seen_at(request: SheetRequest) -> datetime:
    """
    Find the moment that hours left are counted from.

    Args:
        request: With the stock.

    Returns:
        When the stock was read, on the site's clock; the end of its day if that is past.
    """
    stock = stock_of(request)
    read = local(stock.made_at, request.zone)
    if read.date() <= stock.as_of:
        return read
    return datetime.combine(stock.as_of, time(23, 59))


def hours_left(end: datetime, seen: datetime) -> Decimal:
    """
    Count the hours between two moments on one clock.

    Args:
        end: To the minute.
        seen: To the minute.

    Returns:
        Hours, rounded half up to a hundredth; below 0 if the end is past.
    """
    minutes = (end - seen) // timedelta(minutes=1)
    # Between minutes no hundredth of an hour lies just in the middle, so that a workbook rounds the same way.
    return (Decimal(minutes) / 60).quantize(_HUNDREDTH, ROUND_HALF_UP)


def past_use(request: SheetRequest) -> int:
    """
    Count the opened containers that may not be used any more.

    Args:
        request: With the stock.

    Returns:
        How many there are.
    """
    say, seen = words("mesoformula_excel", request.language), seen_at(request)
    return sum(use_before(one, request, say)[0] <= seen for one in stock_of(request).opened)


def use_before(one: Opened, request: SheetRequest, say: Words) -> tuple[datetime, str | None]:
    """
    Tell the moment from which on an opened container may not be used, and what says so.

    Args:
        one: The container or mixture.
        request: For the zone, and the rules of catalogues.
        say: The language.

    Returns:
        The moment on the site's clock, and the rule in words; None where nothing was recorded.
    """
    if one.beyond_use_at is not None:
        end, reason = local(one.beyond_use_at, request.zone), rule_words(one.rule, request.formulary, say)
    else:
        end = _midnight_after(local(one.opened_at, request.zone))
        reason = rule_words(one.rule, request.formulary, say) or say("for one session only")
    if one.expiry is not None:
        expired = _midnight_after(datetime.combine(one.expiry, time()))
        if expired < end:
            return expired, say("expiry of the lot")
    return end, reason


def _midnight_after(moment: datetime) -> datetime:
    return datetime.combine(moment.date() + timedelta(days=1), time())


def _in_order(given: tuple[tuple[datetime, str | None], Opened]) -> tuple[datetime, int]:
    return given[0][0], given[1].id


def _columns(stock: StockView, zone: str, say: Words) -> tuple[Column, ...]:
    numbers = {
        key: max((_places(getattr(one, key)) for one in stock.opened), default=0)
        for key in ("nanolitres", "nanograms", "reserved_nanolitres")
    }
    return (
        Column("id", say("No."), Holds.WHOLE),
        Column("what", say("Product or mixture"), widest=30),
        Column("lot", say("Lot"), widest=14),
        Column("location", say("Location"), widest=12),
        Column("opened_at", say("Opened at ({zone})", zone=zone), Holds.MOMENT),
        Column("use_before", say("Use before ({zone})", zone=zone), Holds.MOMENT),
        Column("hours_left", say("Hours left"), Holds.DECIMAL, places=2),
        Column("note", say("Note"), widest=12),
        Column("rule", say("Rule"), widest=34),
        Column("expiry", say("Expiry of the lot"), Holds.DAY),
        Column("state", say("State"), widest=14),
        Column("left_volume", say("Left (mL)"), Holds.DECIMAL, places=numbers["nanolitres"]),
        Column("left_mass", say("Left (mg)"), Holds.DECIMAL, places=numbers["nanograms"]),
        Column("reserved", say("Reserved (mL)"), Holds.DECIMAL, places=numbers["reserved_nanolitres"]),
        Column("sessions", say("Used in"), widest=20),
    )


def _places(millionths: int | None) -> int:
    if not millionths:
        return 0
    exponent = _in_units(millionths).normalize().as_tuple().exponent
    return min(max(-exponent, 0), 3) if isinstance(exponent, int) else 0


def _in_units(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(_NANO)


def _row(
    columns: tuple[Column, ...],
    one: Opened,
    end: datetime,
    reason: str | None,
    seen: datetime,
    request: SheetRequest,
    say: Words,
) -> Row:
    hours = hours_left(end, seen)
    past, soon = say("beyond use"), say("within a day")
    note = past if hours <= 0 else soon if hours <= _SOON else None
    nearly = Apply(Function.IF, (Apply(Function.AT_MOST, (InRow("hours_left"), _SOON)), soon, ""))
    span = Apply(Function.TIMES, (Apply(Function.SUBTRACT, (InRow("use_before"), Named(MOMENT))), 24))
    states = [say("recalled")] * one.recalled + [say("quarantined")] * one.quarantined
    mixture = say("mixture {name}", name=one.name) if one.name is not None else say("mixture")
    values: dict[str, Value | Live] = {
        "id": one.id,
        "what": product_name(one.product, say) if one.product is not None else mixture,
        "lot": one.lot,
        "location": one.location,
        "opened_at": local(one.opened_at, request.zone),
        "use_before": end,
        "hours_left": Live(hours, Apply(Function.ROUND, (span, 2))),
        "note": Live(
            note,
            Apply(Function.IF, (Apply(Function.AT_MOST, (InRow("hours_left"), 0)), past, nearly)),
            is_vital=True,
        ),
        "rule": reason,
        "expiry": one.expiry,
        "state": ", ".join(states) or None,
        "left_volume": _in_units(one.nanolitres) if one.nanolitres is not None else None,
        "left_mass": _in_units(one.nanograms) if one.nanograms is not None else None,
        "reserved": _in_units(one.reserved_nanolitres) if one.reserved_nanolitres else None,
        "sessions": ", ".join(one.sessions) or None,
    }
    made = row(columns, values)
    if hours <= 0:
        return Row(made.values, Mark.EXPIRED)
    return Row(made.values, Mark.ATTENTION if states else Mark.SOON if note is not None else Mark.NONE)
