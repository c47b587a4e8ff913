"""A count as a sheet to fill in: one locked row per lot and place, and spare ones for what else is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import TYPE_CHECKING

from mesoformula import Column, Sheet, SheetRequest, __version__
from mesoformula.languages import words
from mesoformula.sheets import Allowed, Holds, Row, Value

if TYPE_CHECKING:
    from mesoformula.languages import Words
    from mesoformula.stock.counts.count_sheets import CountSheet

#: Rows for what is on the shelf and stands in no line.
SPARE_ROWS = 10
#: What the ledger takes.
MOST_CONTAINERS = 1_000_000
LONGEST_REMARK = 2_000
_OF_SPARE_ROWS = ("place", "lot", "product")


def count_sheets(request: SheetRequest) -> Iterable[Sheet]:
    """
    Make the sheet of a count that was opened.

    Args:
        request: The count, and whether it is blind.

    Returns:
        One sheet; none without a count.
    """
    count = request.count
    if count is None:
        return ()
    say = words("mesoformula_excel", request.language)
    columns = tuple(_columns(say, blind=request.is_blind))
    return (
        Sheet(
            key="count",
            title=say("Count"),
            columns=columns,
            rows=tuple(_rows(columns, count)),
            facts=(*_facts(say, request, count), *request.facts),
            notes=(
                say("Counted by: {line}   on: {line}", line="…" * 20),
                say(
                    "Whole containers are counted, of a kit whole kits. Opened ones are not: what is left in "
                    "them is corrected one by one."
                ),
                say(
                    "The sheet is locked without a password. Rows may be put in another order, and notes "
                    "beside the table; no row may be removed."
                ),
                *request.notes,
            ),
            empty=say("There is nothing to count."),
            is_locked=True,
            language=request.language,
        ),
    )


def _facts(say: Words, request: SheetRequest, count: CountSheet) -> Iterator[tuple[str, Value]]:
    zone = request.zone or UTC
    yield say("Count"), count.number
    # The zone is named, and cells know none.
    yield say("Opened at ({zone})", zone=zone), count.opened_at.astimezone(zone).replace(tzinfo=None)
    yield say("Opened by"), count.actor
    yield say("Snapshot"), count.identity
    yield (
        say("To fill in"),
        say("Counted: how many are there. A blank leaves the stock as it is, and 0 says that none is there."),
    )
    yield (
        say("Not listed"),
        say("An empty row at the end is for it: place, lot, product, and how many are there."),
    )
    yield say("Written by"), f"mesoformula {__version__}"


def _columns(say: Words, *, blind: bool) -> Iterator[Column]:
    yield Column("line", say("Line"), Holds.WHOLE)
    yield Column("place", say("Place"), widest=16, allowed=Allowed(longest=100))
    yield Column("name", say("Product name"), widest=32)
    yield Column("lot", say("Lot"), widest=18, allowed=Allowed(longest=100))
    yield Column("expiry", say("Expiry"), Holds.DAY)
    if not blind:
        yield Column("expected", say("Expected"), Holds.WHOLE)
    whole = Allowed(low=0, high=MOST_CONTAINERS)
    yield Column("counted", say("Counted"), Holds.WHOLE, editable=True, allowed=whole)
    remark = Allowed(longest=LONGEST_REMARK)
    yield Column("remark", say("Remark"), editable=True, allowed=remark, widest=28)
    yield Column("product", say("Product"), widest=28, allowed=Allowed(longest=200))
    yield Column("count", say("Count"), Holds.WHOLE)


def _rows(columns: tuple[Column, ...], count: CountSheet) -> Iterator[Row]:
    for line in count.lines:
        values: dict[str, Value] = {
            "line": line.line,
            "place": line.location,
            "name": line.product.name,
            "lot": line.lot,
            "expiry": line.expiry,
            "expected": line.expected,
            "product": line.product.pinned_id,
            "count": count.number,
        }
        yield Row(tuple(values.get(column.key) for column in columns))
    for _spare in range(SPARE_ROWS):
        spare = tuple(count.number if column.key == "count" else None for column in columns)
        yield Row(spare, editable=_OF_SPARE_ROWS)
