"""Rows of sheets: what is worked out from what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mesoformula.sheets import Column, DaysUntil, Holds, Mark, MarkOfDays, Sheet, Times, row

TODAY = date(2026, 5, 4)
COLUMNS = (
    Column("name", "Name"),
    Column("expiry", "Expiry", Holds.DAY),
    Column("left", "Days left", Holds.WHOLE, DaysUntil("expiry")),
    Column("note", "Note", computed=MarkOfDays("left", 60)),
    Column("count", "Count", Holds.WHOLE),
    Column("cost", "Cost", Holds.DECIMAL),
    Column("value", "Value", Holds.DECIMAL, Times("count", "cost"), total=True),
)


@pytest.mark.parametrize(
    ("expiry", "days", "mark"),
    [
        (date(2026, 5, 3), -1, Mark.EXPIRED),
        (date(2026, 5, 4), 0, Mark.SOON),
        (date(2026, 7, 3), 60, Mark.SOON),
        (date(2026, 7, 4), 61, Mark.NONE),
    ],
)
def test_days_and_mark_follow_from_the_expiry(expiry: date, days: int, mark: Mark) -> None:
    made = row(COLUMNS, {"expiry": expiry}, TODAY)

    assert made.values[2:4] == (days, mark.value or None)
    assert made.mark is mark


def test_what_cannot_be_worked_out_is_empty() -> None:
    made = row(COLUMNS, {"name": "x", "count": 3}, TODAY)

    assert made.values == ("x", None, None, None, 3, None, None)
    assert row(COLUMNS, {"expiry": TODAY}).values[2:4] == (None, None)


def test_products_and_totals_are_exact() -> None:
    rows = tuple(row(COLUMNS, {"count": n, "cost": Decimal("0.1")}) for n in (1, 2))

    assert rows[1].values[-1] == Decimal("0.2")
    sheet = Sheet("s", "S", COLUMNS, rows)
    assert sheet.total("value") == Decimal("0.3")
    assert sheet.total("left") is None


def test_a_value_for_no_column_or_for_a_computed_one_is_refused() -> None:
    for wrong in ("left", "lot"):
        with pytest.raises(KeyError, match=wrong):
            row(COLUMNS, {wrong: 1})


def test_a_computed_column_refers_to_the_left_only() -> None:
    with pytest.raises(KeyError, match="expiry"):
        row((COLUMNS[2], COLUMNS[1]), {}, TODAY)
