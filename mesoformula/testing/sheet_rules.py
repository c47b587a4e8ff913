"""What a plugin obeys that offers sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import attrs

from mesoformula.provenance import said
from mesoformula.sheets import (
    Column,
    Fact,
    Facts,
    Holds,
    Labels,
    Live,
    Row,
    Rows,
    Sheet,
    SheetRequest,
    Table,
    Texts,
    plain_value,
    row,
)
from mesoformula.stock.records import StockView
from mesoformula.testing.example_sheets import empty_shelf, requests_of
from mesoformula.testing.examples import ODD_TEXTS, fictional_product
from mesoformula.testing.rules import Kind, rule
from mesoformula.testing.subject import Subject, first_party
from mesoformula.testing.timing import too_slow
from mesoformula.words import shown

_HOOK = "mesoformula_sheets"

#: What a spreadsheet program would take for a formula, were it typed into a cell.
_FORMULA = re.compile(r"\s*(?:=|[+@][A-Za-z(])")

_KINDS: dict[Holds, tuple[tuple[type[Any], ...], str]] = {
    Holds.TEXT: ((str,), "text"),
    Holds.WHOLE: ((int,), "a whole number"),
    Holds.DECIMAL: ((int, Decimal), "a Decimal"),
    Holds.DAY: ((date,), "a day"),
    Holds.MOMENT: ((datetime,), "a moment"),
}

#: So many rows of a table that is read as needed are looked at.
_MOST_ROWS = 2000


@rule("sheets-shape", Kind.SHEETS)
def every_row_fits_its_columns(subject: Subject) -> Iterator[str]:
    """Every row fits its columns, whose keys are unique, and carries what its columns compute."""
    for place, sheet in _sheets(subject):
        if not sheet.title.strip():
            yield f"{place}: has no title; say what it shows"
        for about, columns, rows in _tables(sheet):
            keys = [column.key for column in columns]
            if len(set(keys)) != len(keys):
                yield f"{place}{about}: two columns bear one key; make keys unique"
                continue
            if any(not column.heading.strip() for column in columns):
                yield f"{place}{about}: a column has no heading; say what it holds, with the unit"
            for number, one in enumerate(islice(rows, _MOST_ROWS), 1):
                if len(one.values) != len(columns):
                    yield (
                        f"{place}{about}: row {number} has {len(one.values)} values for {len(columns)} "
                        "columns; make rows with mesoformula.sheets.row"
                    )
                else:
                    yield from _wrongly_computed(f"{place}{about}, row {number}", columns, one, sheet.as_of)


@rule("sheets-values", Kind.SHEETS)
def cells_hold_plain_values_of_the_kind_that_their_column_says(subject: Subject) -> Iterator[str]:
    """Cells hold plain values of the kind that their column says: no binary float, no number as text."""
    for place, sheet in _sheets(subject):
        for about, columns, rows in _tables(sheet):
            for number, one in enumerate(islice(rows, _MOST_ROWS), 1):
                for column, value in zip(columns, one.values, strict=False):
                    yield from _wrong_value(
                        f"{place}{about}, row {number}, {column.key}", column.holds, plain_value(value)
                    )
        for fact in _facts(sheet):
            value = plain_value(fact.value)
            if value is not None and not _is_plain(value):
                yield f"{place}, {shown(fact.word)}: is a {type(value).__name__}; expected a plain value"


@rule("sheets-formulas", Kind.SHEETS)
def no_text_is_a_formula(subject: Subject) -> Iterator[str]:
    """No text is a formula: what follows from other cells is said by `Live` and `computed`, as data."""
    for place, sheet in _sheets(subject):
        for about, text in _texts(sheet):
            if _FORMULA.match(text) and text not in ODD_TEXTS:  # which a wrapper is handed
                yield (
                    f"{place}{about}: the text {shown(text)} looks like a formula; "
                    "say it with Live or computed"
                )


@rule("sheets-topics", Kind.SHEETS)
def a_topic_that_is_not_its_own_gets_no_sheet(subject: Subject) -> Iterator[str]:
    """A topic that is not its own gets no sheet, and is no reason to raise."""
    for request in (
        SheetRequest("kit-no-such-topic", subject.stock),
        SheetRequest("kit-no-such-topic", None),
    ):
        outcome = subject.call(_HOOK, request=request).made()
        if outcome.raised is not None:
            yield f"{_HOOK}, an unknown topic: raised {said(outcome.raised)}; answer with nothing"
        elif _own(subject, outcome.value):
            yield f"{_HOOK}, an unknown topic: answered with a sheet; look at request.topic"


@rule("sheets-junk", Kind.SHEETS)
def an_empty_or_odd_stock_gets_its_sheet_too(subject: Subject) -> Iterator[str]:
    """An empty stock, and one with odd texts in it, gets its sheets too, and texts stay as they are."""
    for request in requests_of(subject):
        if request.stock is None:
            continue
        for about, stock in (("an empty stock", empty_shelf()), ("odd texts", _odd_shelf(subject.stock))):
            outcome = subject.call(_HOOK, request=attrs.evolve(request, stock=stock, formulary=None)).made()
            if outcome.raised is not None:
                yield (
                    f"{_HOOK}, topic {request.topic}, {about}: raised {said(outcome.raised)}; "
                    "show what is there"
                )


@rule("sheets-time", Kind.SHEETS)
def a_sheet_takes_no_longer_than_a_bundled_one(subject: Subject) -> Iterator[str]:
    """Making sheets takes about as long as the bundled plugin takes for a stock sheet."""
    standard = SheetRequest("stock", subject.stock, formulary=subject.formulary)
    for request in requests_of(subject)[:2]:
        call = subject.call(_HOOK, request=request)
        yield from too_slow(
            f"{_HOOK}, topic {request.topic}",
            call.made,
            "the stock sheet of the bundled plugin",
            lambda: first_party().sheets(standard),
        )


# ---- what is looked at ----------------------------------------------------------------------------------


def _sheets(subject: Subject) -> Iterator[tuple[str, Sheet]]:
    found = [
        (f"{call.label}, sheet {shown(sheet.key)}", sheet)
        for call in subject.calls_of(_HOOK)
        for sheet in call.made().value or ()
        if isinstance(sheet, Sheet)
    ]
    subject.needed(found, "it offers no sheet for the kit's requests; give some in example_requests")
    return iter(found)


def _own(subject: Subject, sheets: Any) -> bool:
    """Whether there are sheets, those left out that a wrapper was handed."""
    given = {one.key for one in subject.base_sheets} if subject.wraps(_HOOK) else set()
    return any(getattr(one, "key", None) not in given for one in sheets or ())


def _tables(sheet: Sheet) -> Iterator[tuple[str, tuple[Column, ...], Sequence[Row] | Rows]]:
    if sheet.columns:
        yield "", sheet.columns, sheet.rows
    for block in sheet.blocks:
        if isinstance(block, Table):
            yield f", table {shown(block.key)}", block.columns, block.rows


def _facts(sheet: Sheet) -> Iterator[Fact]:
    yield from (Fact(word, value) for word, value in sheet.facts)
    for block in sheet.blocks:
        if isinstance(block, Facts):
            yield from block.facts


def _texts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Find every text that stands in a cell."""
    yield ", title", sheet.title
    yield from ((f", note {number}", note) for number, note in enumerate(sheet.notes, 1))
    for fact in _facts(sheet):
        yield f", fact {shown(fact.word)}", fact.word
        value = plain_value(fact.value)
        if isinstance(value, str):
            yield f", fact {shown(fact.word)}", value
    for about, columns, rows in _tables(sheet):
        yield from ((f"{about}, heading of {column.key}", column.heading) for column in columns)
        for number, one in enumerate(islice(rows, _MOST_ROWS), 1):
            for column, held in zip(columns, one.values, strict=False):
                value = plain_value(held)
                if isinstance(value, str):
                    yield f"{about}, row {number}, {column.key}", value
                if isinstance(held, Live) and isinstance(held.how, str):
                    yield f"{about}, row {number}, {column.key}", held.how
    for block in sheet.blocks:
        if isinstance(block, Texts):
            yield from ((", paragraph", text) for text in block.texts)
        elif isinstance(block, Labels):
            for label in block.labels:
                yield from ((", label", text) for text in (label.heading, *label.lines))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | Decimal | date) and not isinstance(value, bool)


def _wrong_value(place: str, holds: Holds, value: Any) -> Iterator[str]:
    if value is None:
        return
    types, words = _KINDS[holds]
    right = isinstance(value, types) and _is_plain(value)
    if holds is Holds.DAY and isinstance(value, datetime):
        right = False
    if not right:
        yield (
            f"{place}: is {shown(repr(value))}, a {type(value).__name__}; "
            f"expected {words}, or None for nothing"
        )
    elif isinstance(value, Decimal) and not value.is_finite():
        yield f"{place}: is {value}; expected a finite number, or None for nothing"


def _wrongly_computed(place: str, columns: tuple[Column, ...], one: Row, as_of: date | None) -> Iterator[str]:
    given = {
        column.key: value
        for column, value in zip(columns, one.values, strict=True)
        if column.computed is None
    }
    try:
        again = row(columns, given, as_of)
    except KeyError as err:
        yield f"{place}: a computed column names {err}, which does not stand left of it"
        return
    for column, value, expected in zip(columns, one.values, again.values, strict=True):
        if column.computed is not None and plain_value(value) != plain_value(expected):
            yield (
                f"{place}, {column.key}: carries {shown(repr(plain_value(value)))}, and comes to "
                f"{shown(repr(plain_value(expected)))}; make rows with mesoformula.sheets.row"
            )


def _odd_shelf(stock: StockView) -> StockView:
    lots = tuple(
        attrs.evolve(
            stock.on_hand[number % len(stock.on_hand)],
            product=fictional_product(text, sku=f"odd-{number}"),
            lot=text[:100],
            location=text[:100],
        )
        for number, text in enumerate(ODD_TEXTS, 1)
    )
    return attrs.evolve(stock, on_hand=lots)
