"""What stands in one cell of a delivery note: read strictly, or refused with the right spelling."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from decimal import Decimal

from mesoformula.catalogue.checks import gtin_is_valid
from mesoformula.grids import Cell
from mesoformula.stock.arrivals.note_headings import Word, vocabulary
from mesoformula.stock.figures import minor_digits
from mesoformula.words import shown

#: Around a value they say nothing; other characters that do not print are left for whoever checks names.
BLANKS = " \t\r\n\u00a0\u202f\ufeff"
#: A number that a CSV file marks as text, as Excel reads it.
_AS_TEXT = re.compile(r'="([^"]*)"')
#: GTIN-8, the shortest, has seven digits when its leading zero is lost.
_SHORTEST_GTIN = 7
#: Spreadsheets show a long number with six digits: 5.06013E+12.
_ZEROS_OF_ROUNDING = "000000"
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{2})(?:\2([0-9]{2})(?:[ T]00:00(?::00)?)?)?")
_MONTH = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})")
_DAY = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_SHORT_YEAR = re.compile(r"(?:[0-9]{1,2}[-/. ]){1,2}[0-9]{2}")
_PRICE = re.compile(r"(?:([A-Z]{3}|€) ?)?(-?[0-9]{1,12}(?:[.,][0-9]{1,12})?)(?: ?([A-Z]{3}|€))?")

EXPECTED_EXPIRY = "expected 2028-05-31, or 2028-05 or 05/2028 for its last day"


class WrongValueError(Exception):
    """A value that cannot be read: a code, and what was found and expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


def objection(cell: Cell) -> str | None:
    """
    Say what keeps a cell from being read at all.

    Args:
        cell: Any cell.

    Returns:
        The reason and what to do; None if it can be read.
    """
    if cell.is_formula:
        return "holds a formula, whose result nobody has checked; paste its value in its place"
    if cell.is_merged:
        return "belongs to merged cells, of which only the first has a value; unmerge them and fill in each"
    if cell.is_error:
        return f"holds the error {shown(str(cell.value))}; correct it"
    return None


def is_blank(cell: Cell) -> bool:
    """Tell whether nothing stands in a cell."""
    return cell.value is None or (isinstance(cell.value, str) and not cell.value.strip(BLANKS))


def text_in(cell: Cell, code: str) -> str | None:
    """
    Read a text, such as a name or a lot number.

    Args:
        cell: Where it stands.
        code: Of the problem.

    Returns:
        The text, a whole number written out; None if the cell is blank.

    Raises:
        WrongValueError: If it is a day or a number that cannot be what was typed.
    """
    value = cell.value
    if isinstance(value, str):
        text = value.strip(BLANKS)
        as_text = _AS_TEXT.fullmatch(text)
        return (as_text[1].strip(BLANKS) if as_text is not None else text) or None
    if value is None or type(value) is int:
        return None if value is None else str(value)
    kind = "day" if isinstance(value, date) else "number"
    raise WrongValueError(
        code, f"stands as the {kind} {value}, which may not be what was typed; format the cell as text"
    )


def whole_in(cell: Cell, code: str) -> int | None:
    """
    Read a whole number.

    Args:
        cell: Where it stands.
        code: Of the problem.

    Returns:
        The number; None if the cell is blank.

    Raises:
        WrongValueError: If it is anything else.
    """
    if is_blank(cell):
        return None
    if type(cell.value) is int:
        return cell.value
    text = text_in(cell, code) if isinstance(cell.value, str) else str(cell.value)
    if text is None or not _WHOLE.fullmatch(text):
        raise WrongValueError(code, f"{shown(text or '')} is no whole number; expected such as 5")
    return int(text)


def gtin_in(cell: Cell) -> str | None:
    """
    Read a trade item number that no program can have shortened.

    Args:
        cell: Where it stands; as a number it has lost its leading zeros, which change nothing.

    Returns:
        14 digits; None if the cell is blank.

    Raises:
        WrongValueError: If it has another length or a wrong check digit, or too few digits are there to be
            sure of it.
    """
    if is_blank(cell):
        return None
    text = (text_in(cell, "gtin") or "").replace(" ", "")
    is_number = type(cell.value) is int
    if not re.fullmatch(r"[0-9]{1,14}" if is_number else r"[0-9]{8}|[0-9]{12,14}", text):
        hint = "; a program has shortened it, type it as text" if "E+" in text.upper() else ""
        raise WrongValueError("gtin", f"{shown(text)} is no GTIN; expected 8, 12, 13 or 14 digits{hint}")
    # Zeros alone, and other short numbers, have check digits that hold by chance.
    if len(text.lstrip("0")) < _SHORTEST_GTIN:
        raise WrongValueError(
            "gtin", f"{shown(text)}: is too short for a GTIN; expected 8, 12, 13 or 14 digits"
        )
    if text.endswith(_ZEROS_OF_ROUNDING):
        raise WrongValueError(
            "gtin",
            f"{shown(text)}: ends in zeros, as if a program had rounded it; compare it with the pack, and if "
            "it is right leave it out here",
        )
    gtin = text.zfill(14)
    if not gtin_is_valid(gtin):
        raise WrongValueError("gtin", f"{shown(text)}: the check digit is wrong; compare it with the pack")
    return gtin


def flag_in(cell: Cell, code: str) -> bool:
    """
    Read a yes or no.

    Args:
        cell: Where it stands.
        code: Of the problem.

    Returns:
        False also if the cell is blank.

    Raises:
        WrongValueError: If it is neither.
    """
    text = text_in(cell, code)
    if text is None or vocabulary().says(Word.NO, text):
        return False
    if vocabulary().says(Word.YES, text):
        return True
    raise WrongValueError(code, f"{shown(text)} is neither yes nor no")


# ---- days ----------------------------------------------------------------------------------------------


def expiry_in(cell: Cell, *, day_first: bool = False) -> date | None:
    """
    Read an expiry.

    Args:
        cell: Where it stands; it must not be blank.
        day_first: Whether `03/04/2028` is 3 April.

    Returns:
        The last day of use; of a month its last day. None if it says that none is printed.

    Raises:
        WrongValueError: If it cannot be read, or in two ways.
    """
    value = cell.value
    if isinstance(value, datetime):
        raise WrongValueError("expiry", f"{value} is a moment; {EXPECTED_EXPIRY}")
    if isinstance(value, date):
        return _last_day(value.year, value.month, str(value)) if cell.is_month else value
    if not isinstance(value, str):
        raise WrongValueError(
            "expiry", f"the number {value} is no day; format the cell as a date: {EXPECTED_EXPIRY}"
        )
    text = text_in(cell, "expiry") or ""
    if vocabulary().says(Word.NO_EXPIRY, text):
        return None
    if (found := _YEAR_FIRST.fullmatch(text)) is not None:
        if found[4] is None:
            return _last_day(int(found[1]), int(found[3]), text)
        return _day(int(found[1]), int(found[3]), int(found[4]), text)
    if (found := _MONTH.fullmatch(text)) is not None:
        return _last_day(int(found[2]), int(found[1]), text)
    if (found := _DAY.fullmatch(text)) is not None:
        return _day_of_two(int(found[1]), int(found[3]), int(found[4]), text, day_first=day_first)
    if _SHORT_YEAR.fullmatch(text):
        raise WrongValueError("expiry", f"{shown(text)}: a year has four digits; {EXPECTED_EXPIRY}")
    raise WrongValueError("expiry", f"{shown(text)} is no expiry; {EXPECTED_EXPIRY}")


def _day_of_two(first: int, second: int, year: int, text: str, *, day_first: bool) -> date:
    """Read a day of which only the year is sure to be the year."""
    if day_first or first > 12 or first == second:
        return _day(year, second, first, text)
    if second > 12:
        found = _day(year, first, second, text)
        raise WrongValueError("expiry", f"{shown(text)} puts the month first; write {found}")
    by_day, by_month = _day(year, second, first, text), _day(year, first, second, text)
    raise WrongValueError(
        "expiry-ambiguous",
        f"{shown(text)} may be {by_day} or {by_month}; write the one that is meant, or say that days come "
        "first in this file: --day-first",
    )


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise WrongValueError("expiry", f"{shown(text)} is no day; {EXPECTED_EXPIRY}") from None


def _last_day(year: int, month: int, text: str) -> date:
    # A month alone means its last day: leaflets say so, and so does GS1 with day 00.
    if not 1 <= month <= 12 or year < 1:
        raise WrongValueError("expiry", f"{shown(text)} is no month; {EXPECTED_EXPIRY}")
    return date(year, month, calendar.monthrange(year, month)[1])


# ---- money ---------------------------------------------------------------------------------------------


def price_in(cell: Cell, *, decimal_comma: bool = False) -> tuple[Decimal, str | None] | None:
    """
    Read a price.

    Args:
        cell: Where it stands.
        decimal_comma: Whether `12,50` is twelve and a half; a point is then refused.

    Returns:
        The amount in major units, with its currency if the cell names one; None if the cell is blank.

    Raises:
        WrongValueError: If it cannot be read, or in two ways.
    """
    if is_blank(cell):
        return None
    value = cell.value
    if isinstance(value, int | Decimal):
        amount, currency = Decimal(value), None
    else:
        text = (text_in(cell, "cost") or "").replace("\u00a0", " ").replace("\u202f", " ")
        found = _PRICE.fullmatch(text)
        if found is None or (found[1] and found[3]):
            raise WrongValueError("cost", f"{shown(text)} is no price; expected such as '12.50 EUR'")
        mark, other = (",", ".") if decimal_comma else (".", ",")
        if other in found[2]:
            what = "a point" if decimal_comma else "a comma"
            hint = "" if decimal_comma else ", or say that this file has decimal commas: --decimal-comma"
            raise WrongValueError(
                "decimal-point" if decimal_comma else "decimal-comma",
                f"{shown(text)}: {what} may mark thousands or decimals; write "
                f"{shown(text.replace(other, mark))}{hint}",
            )
        amount = Decimal(found[2].replace(",", "."))
        named = found[1] or found[3]
        currency = "EUR" if named == "€" else named
    if amount < 0:
        raise WrongValueError("cost", f"{amount} is below zero; expected such as '12.50 EUR'")
    return amount, currency


def currency_in(cell: Cell) -> str | None:
    """
    Read a currency.

    Args:
        cell: Where it stands.

    Returns:
        ISO 4217 code; None if the cell is blank.

    Raises:
        WrongValueError: If it is none.
    """
    text = text_in(cell, "currency")
    if text is None or text == "€":
        return "EUR" if text is not None else None
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise WrongValueError("currency", f"{shown(text)} is no currency; expected three letters such as EUR")
    return text.upper()


def in_minor_units(amount: Decimal, currency: str) -> int:
    """
    Bring a price to the smallest unit of its currency.

    Args:
        amount: In major units.
        currency: ISO 4217 code.

    Returns:
        Such as cents.

    Raises:
        WrongValueError: If it has more decimal places than the currency.
    """
    digits = minor_digits(currency)
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise WrongValueError(
            "cost", f"{amount} {currency} has more decimal places than the {digits} of the currency"
        )
    return int(minor)
