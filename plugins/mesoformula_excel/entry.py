"""What a person may enter: validation of cells, and locked sheets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from openpyxl.worksheet.datavalidation import DataValidation

from mesoformula.languages import Words
from mesoformula.sheets import Allowed, Column, Holds
from mesoformula_excel.book import Book
from mesoformula_excel.formulas import number_text
from mesoformula_excel.texts import clean, shortened

_MOST_TITLE, _MOST_MESSAGE, _MOST_LIST = 32, 255, 255
#: Beyond every number that means anything.
_ANY = Decimal(10) ** 12
_FIRST_DAY, _LAST_DAY = date(1900, 3, 1), date(9999, 12, 31)


class Entry:
    """The cells of one sheet that a person fills in."""

    def __init__(self, book: Book, worksheet: Any, say: Words) -> None:
        self._book = book
        self._worksheet = worksheet
        self.say = say

    def column(self, column: Column, cells: str) -> None:
        """
        Say what may be entered into a column.

        Args:
            column: With what it allows; nothing is said if it allows anything.
            cells: Its ranges, blanks between them.
        """
        if column.allowed is not None:
            self.allow(column.allowed, column.holds, column.heading, cells)

    def day(self, cells: str) -> None:
        """
        Let cells take a day.

        Args:
            cells: Their range.
        """
        self.allow(Allowed(), Holds.DAY, "", cells)

    def allow(self, allowed: Allowed, holds: Holds, title: str, cells: str) -> None:
        """
        Say what may be entered into cells, and refuse anything else.

        Args:
            allowed: What.
            holds: What the cells hold.
            title: Of the message.
            cells: Their ranges, blanks between them.
        """
        found = self._rule(allowed, holds)
        if found is None:
            return
        rule, message = found
        rule.allow_blank = True
        rule.showErrorMessage = rule.showInputMessage = True
        rule.errorTitle = shortened(clean(title) or self.say("Not possible"), _MOST_TITLE, "…")
        rule.error = shortened(clean(message), _MOST_MESSAGE, "…")
        rule.prompt = rule.error
        if title:
            rule.promptTitle = rule.errorTitle
        for area in cells.split():
            rule.add(area)
        self._worksheet.add_data_validation(rule)

    def lock(self) -> None:
        """
        Let nothing be changed but cells that are open.

        Without a password: what is locked is locked against a slip, not against a person. Filters and widths
        may be changed. Programs refuse to sort a range with locked cells, so that sorting takes unlocking.
        """
        protection = self._worksheet.protection
        protection.sheet = True
        # Each of these says what is locked.
        protection.formatColumns = protection.formatRows = False
        protection.autoFilter = protection.sort = False
        protection.selectLockedCells = protection.selectUnlockedCells = False
        protection.objects = protection.scenarios = True

    def _rule(self, allowed: Allowed, holds: Holds) -> tuple[DataValidation, str] | None:
        say = self.say
        if allowed.longest is not None:
            rule = DataValidation("textLength", operator="lessThanOrEqual", formula1=str(allowed.longest))
            return rule, say("At most {count} characters.", count=allowed.longest)
        if allowed.choices:
            return DataValidation("list", formula1=self._choices(allowed.choices)), say(
                "One of: {choices}.", choices=", ".join(allowed.choices)
            )
        match holds:
            case Holds.DAY | Holds.MOMENT:
                rule = DataValidation("date", operator="between", formula1=_serial(_FIRST_DAY))
                rule.formula2 = _serial(_LAST_DAY)
                return rule, say("A day, such as 2026-05-04.")
            case Holds.WHOLE | Holds.DECIMAL:
                kind = "whole" if holds is Holds.WHOLE else "decimal"
                low = -_ANY if allowed.low is None else Decimal(allowed.low)
                high = _ANY if allowed.high is None else Decimal(allowed.high)
                rule = DataValidation(kind, operator="between", formula1=number_text(low))
                rule.formula2 = number_text(high)
                return rule, self._number(allowed, is_whole=holds is Holds.WHOLE)
        return None

    def _number(self, allowed: Allowed, *, is_whole: bool) -> str:
        say, low, high = self.say, allowed.low, allowed.high
        if low is None and high is None:
            return say("A whole number.") if is_whole else say("A number.")
        if high is None:
            if is_whole:
                return say("A whole number, at least {low}.", low=low)
            return say("A number, at least {low}.", low=low)
        if low is None:
            if is_whole:
                return say("A whole number, at most {high}.", high=high)
            return say("A number, at most {high}.", high=high)
        if is_whole:
            return say("A whole number from {low} to {high}.", low=low, high=high)
        return say("A number from {low} to {high}.", low=low, high=high)

    def _choices(self, choices: tuple[str, ...]) -> str:
        listed = ",".join(choices)
        # A list within the rule is short and cannot hold commas, quotes, or blanks at an end.
        if len(listed) <= _MOST_LIST and not any(
            "," in choice or '"' in choice or choice != clean(choice).strip() for choice in choices
        ):
            return f'"{listed}"'
        return self._book.choices(choices)


def runs_of(rows: Sequence[int]) -> list[tuple[int, int]]:
    """
    Join rows that follow each other.

    Args:
        rows: In order.

    Returns:
        First and last of each run.
    """
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _serial(day: date) -> str:
    return str((day - date(1899, 12, 30)).days)
