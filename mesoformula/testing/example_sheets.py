"""A shelf full of examples, what sheets are asked for, and sheets that hold every kind of value."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from mesoformula.errors import MesoformulaError
from mesoformula.preparations import Preparation
from mesoformula.sheets import Column, DaysUntil, Holds, MarkOfDays, Sheet, SheetRequest, Times, row
from mesoformula.stock.records import Anchor, OnHand, StockView
from mesoformula.testing.examples import DAY, MOMENT, ODD_TEXTS, fictional_product, sessions_of
from mesoformula.testing.subject import first_party

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.testing.subject import Subject


def shelf(formulary: Formulary) -> StockView:
    """
    Make a stock.

    Args:
        formulary: Where its products come from.

    Returns:
        Twelve lots of up to six products: expired, soon to expire, without expiry, with and without a price.
    """
    known = formulary.products()
    products = known[:: max(1, len(known) // 6)][:6] or (fictional_product(),)
    days = (-20, 0, 1, 33, 60, 310, 480, 700, None, 95, 61, 400)
    lots = [
        OnHand(
            products[number % len(products)],
            f"L-{number:04}",
            ("main", "fridge 1")[number % 2],
            number + 1,
            None if left is None else DAY + timedelta(left),
            MOMENT - timedelta(30 + number),
            unit_cost=1000 + number if number % 3 else None,
            currency="EUR" if number % 3 else None,
        )
        for number, left in enumerate(days)
    ]
    lots.sort(key=lambda one: (one.product.pinned_id, one.expiry or date.max, one.lot, one.location))
    anchor = Anchor(len(lots), "0123456789abcdef" * 4)
    return StockView(tuple(lots), DAY, MOMENT, "/home/pharmacy/stock.sqlite", anchor)


def empty_shelf() -> StockView:
    """
    Make a stock in which nothing is.

    Returns:
        The stock.
    """
    return StockView((), DAY, MOMENT, "/home/pharmacy/stock.sqlite", None)


def requests_of(subject: Subject) -> tuple[SheetRequest, ...]:
    """
    List what to have sheets made for.

    Args:
        subject: The plugin.

    Returns:
        The examples given, or the stock and the topics that need nothing else.
    """
    if subject.example_requests:
        return subject.example_requests
    formulary = subject.formulary
    preparation = _preparation(subject)
    return (
        *(
            SheetRequest(topic, subject.stock, formulary=formulary)
            for topic in ("stock", "expiry", "reorder")
        ),
        *(
            SheetRequest(
                topic,
                None,
                formulary=formulary,
                preparation=one,
                formula=one.quantities.session.formula if topic == "formula" else None,
            )
            for topic in ("session", "formula")
            for one in preparation
        ),
    )


def _preparation(subject: Subject) -> tuple[Preparation, ...]:
    """Prepare the first session that the bundled plugin can work out."""
    for session in sessions_of(subject):
        try:
            answer = first_party().work_out_session(session, subject.formulary).value
        except MesoformulaError:
            continue
        return (Preparation(answer, answer.findings, (), ready=True, reference="KIT-0001"),)
    return ()


def sheets_to_write() -> tuple[Sheet, ...]:
    """
    Make sheets that hold every kind of plain value.

    Returns:
        One with rows of all kinds, odd texts among them, and one without rows.
    """
    columns = (
        Column("text", "Text"),
        Column("whole", "Containers", Holds.WHOLE, total=True),
        Column("decimal", "Volume (mL)", Holds.DECIMAL, places=3),
        Column("product", "Together (mL)", Holds.DECIMAL, Times("whole", "decimal"), total=True, places=3),
        Column("day", "Expiry", Holds.DAY),
        Column("moment", "Received at (UTC)", Holds.MOMENT),
        Column("left", "Days left", Holds.WHOLE, DaysUntil("day")),
        Column("mark", "Mark", computed=MarkOfDays("left", 60)),
    )
    plain = ("Vitamin C", "Solution µg/mL ²", "0012345", "-", "1e5", "")
    rows = tuple(
        row(
            columns,
            {
                "text": text or None,
                "whole": number,
                "decimal": Decimal("0.1") * number,
                "day": DAY + timedelta(40 * number - 40) if text else None,
                "moment": MOMENT.replace(tzinfo=None) if text else None,
            },
            DAY,
        )
        for number, text in enumerate((*plain, *ODD_TEXTS))
    )
    facts = (("Store", "/home/pharmacy/stock.sqlite"), ("As of", DAY), ("Lots", len(rows)))
    return (
        Sheet("kit-full", "Every kind of value", columns, rows, DAY, facts, ("A note.",)),
        Sheet("kit-empty", "No rows", columns, (), DAY),
    )
