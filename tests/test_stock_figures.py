"""What stock amounts to in money and days; volume and mass are tested with the stock sheet."""

from __future__ import annotations

from datetime import date

import pytest

from mesoformula.stock.figures import days_left, in_major_units, in_millionths


@pytest.mark.parametrize(
    ("minor", "currency", "major"),
    [(4150, "EUR", "41.50"), (1, "CHF", "0.01"), (1200, "KRW", "1200"), (1500, "KWD", "1.500")],
)
def test_money_has_as_many_places_as_its_currency(minor: int, currency: str, major: str) -> None:
    assert str(in_major_units(minor, currency)) == major


def test_the_expiry_day_itself_has_no_days_left_and_the_day_before_has_one() -> None:
    expiry = date(2026, 5, 4)

    assert days_left(expiry, expiry) == 0
    assert days_left(expiry, date(2026, 5, 3)) == 1
    assert days_left(expiry, date(2026, 5, 5)) == -1
    assert days_left(None, expiry) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (2_500_000, "2.5"),
        (10_000_000, "10"),
        (-300_000, "-0.3"),
        (10**18, f"{10**12}"),
    ],
)
def test_nanolitres_are_written_exactly_in_millilitres(number: int, text: str) -> None:
    assert in_millionths(number) == text
