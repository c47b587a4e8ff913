"""
GS1 element strings: how a scanned text is cut into application identifiers (AIs) and their values.

The rules are those of the GS1 General Specifications: an AI of predefined length ends by itself, every other
one ends at a separator (FNC1, transmitted as GS, 0x1D) or with the text (section 7.8); a date is YYMMDD, day
00 meaning the last of the month and the century following from today (section 7.12); check digits are those
of section 7.9. Which AIs there are, and what each may hold, comes from the table that the library biip takes
from GS1.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date

import attrs

from mesoformula.words import shown

#: The separator as it must be transmitted (GS1 General Specifications, section 7.8).
GS = "\x1d"

#: AIs of predefined length, by their first two digits: characters of AI and value together. The list will not
#: grow (GS1 General Specifications, section 7.8, "Element strings with predefined length").
PREDEFINED_LENGTH = {
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10),
    **dict.fromkeys(("01", "02", "03", "41"), 16),
    "04": 18,
    "00": 20,
    "20": 4,
}

#: AIs that hold one date as YYMMDD (GS1 General Specifications, section 3.4): production, due, packaging,
#: best before, sell by, expiration.
DATES = ("11", "12", "13", "15", "16", "17")

#: AIs, by their first two digits, whose value ends in a check digit: SSCC, the three GTINs, places (410 to
#: 417); see GS1 General Specifications, section 7.9.
CHECKED = ("00", "01", "02", "03", "41")

#: The 82 characters that a lot or serial number may hold (GS1 General Specifications, figure 7.11-1).
CHARACTERS = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")

#: Dates that a stock can plausibly meet; others are asked about.
FIRST_YEAR, LAST_YEAR = 2000, 2099

_BRACKETED_AI = re.compile(r"\(([0-9]{2,4})\)")
# What may follow a swallowed date or GTIN to the end: lots, serials, counts, references, national numbers and
# company information, all of variable length.
_VARIABLE = re.compile(r"(10|21|22|30|37|9[0-9]|24[01]|71[0-7])(.+)", re.DOTALL)
# Longer texts are no single value: nothing is gained by searching them.
_SEARCHED = 100
# "21" stands in many honest lot numbers (LOT210315): what precedes and follows must be long enough to be a
# lot and a serial number.
_LEAST_HEAD, _LEAST_TAIL = 3, 6


@attrs.frozen
class Element:
    """
    One application identifier with its value, not yet checked.

    Attributes:
        ai: The application identifier, 2 to 4 digits.
        value: What stands after it, up to its length or the separator.
    """

    ai: str
    value: str

    def __str__(self) -> str:
        """Write it as below a bar code."""
        return f"({self.ai}) {shown(self.value)}"


def known_ai(text: str) -> str | None:
    """
    Find the application identifier with which a text begins.

    Args:
        text: Element strings.

    Returns:
        The AI, or None if GS1 has none that begins so.
    """
    from biip import ParseError
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier

    try:
        return GS1ApplicationIdentifier.extract(text).ai
    except ParseError:
        return None


def cut(text: str) -> tuple[tuple[Element, ...], str]:
    """
    Cut element strings apart, by length and separators alone.

    Args:
        text: ASCII without symbology identifier, GS as separator.

    Returns:
        The elements in order, and the rest from where no known AI stands; empty if all was read.
    """
    elements: list[Element] = []
    rest = text.lstrip(GS)
    while rest:
        ai = known_ai(rest)
        if ai is None:
            return tuple(elements), rest
        body = rest[len(ai) :]
        value, _, after = body.partition(GS)
        length = PREDEFINED_LENGTH.get(ai[:2])
        if length is not None and len(value) > length - len(ai):
            value, after = body[: length - len(ai)], body[length - len(ai) :]
        elements.append(Element(ai, value))
        rest = after.lstrip(GS)
    return tuple(elements), ""


def cut_bracketed(text: str) -> tuple[tuple[Element, ...], str]:
    """
    Cut apart what is printed below a code, such as `(01)09506000134352(10)ABC`.

    A bracket that holds no known AI belongs to the value it stands in: lots may hold brackets.

    Args:
        text: ASCII that begins with a bracket.

    Returns:
        The elements in order, and the whole text if it does not begin with a known AI; else empty.
    """
    marks = [mark for mark in _BRACKETED_AI.finditer(text) if known_ai(mark[1]) == mark[1]]
    if not marks or marks[0].start() != 0:
        return (), text
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return tuple(
        Element(mark[1], text[mark.end() : end].strip(f" {GS}"))
        for mark, end in zip(marks, ends, strict=True)
    ), ""


def format_of(ai: str) -> str:
    """
    Say what an application identifier may hold, as GS1 writes it.

    Args:
        ai: A known AI.

    Returns:
        Such as `N2+X..20`: an AI of two digits, then up to 20 characters.
    """
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier

    return GS1ApplicationIdentifier.extract(ai).format


def fits(element: Element) -> bool:
    """
    Tell whether a value has the length and the characters that its AI asks for.

    Args:
        element: With a known AI and an ASCII value.

    Returns:
        Whether it does; dates and check digits are not looked at.
    """
    from biip.gs1_application_identifiers import GS1ApplicationIdentifier

    pattern = GS1ApplicationIdentifier.extract(element.ai).pattern
    return element.value != "" and re.fullmatch(pattern, element.ai + element.value) is not None


def most(ai: str) -> int | None:
    """
    Tell how many characters the value of an AI of variable length may have.

    Args:
        ai: A known AI.

    Returns:
        The number, or None for an AI of fixed length.
    """
    found = re.search(r"\+[NXYZ]\.\.([0-9]+)$", format_of(ai))
    return int(found[1]) if found else None


def check_digit_holds(digits: str) -> bool:
    """
    Verify the check digit of a GTIN, SSCC or place (GS1 General Specifications, section 7.9).

    Args:
        digits: ASCII digits, the last of which is the check digit.

    Returns:
        Whether it is right; a number of zeros alone is nobody's, and wrong.
    """
    from biip.checksums import gs1_standard_check_digit

    return digits.strip("0") != "" and gs1_standard_check_digit(digits[:-1]) == int(digits[-1])


def is_gtin(text: str) -> bool:
    """
    Tell whether a text is a GTIN of 14 digits with a right check digit.

    Args:
        text: Any ASCII.

    Returns:
        Whether it is one.
    """
    return re.fullmatch(r"[0-9]{14}", text) is not None and check_digit_holds(text)


def read_date(digits: str, today: date) -> date | None:
    """
    Read a date as GS1 writes it (GS1 General Specifications, sections 3.4 and 7.12).

    Args:
        digits: YYMMDD; day 00 means the last day of the month.
        today: Decides the century: the year lies from 49 years back to 50 years ahead.

    Returns:
        The date, or None if there is no such day.
    """
    if re.fullmatch(r"[0-9]{6}", digits) is None:
        return None
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    year = today.year - today.year % 100 + short
    ahead = short - today.year % 100
    if ahead >= 51:
        year -= 100
    elif ahead <= -50:
        year += 100
    try:
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except ValueError:
        return None


def swallowed(value: str, today: date, other: str | None = None) -> tuple[str, tuple[str, ...]] | None:
    """
    Look for elements at the end of a value that a missing separator would have left there.

    A date (11, 15, 17) from 2000 to 2099 or a GTIN (01) with a right check digit, up to the end or up to an
    AI of variable length, is rarely chance. A serial number in a lot, or a lot in a serial number, has
    nothing that could be verified: it is taken for one only if at least 3 characters precede its AI and 6
    follow. An internal variant (20) at the end of a lot is not looked for:
    too many lots end in a year.

    Args:
        value: Of an AI of variable length.
        today: Decides the century of dates.
        other: `21` to look for a serial number too, `10` for a lot; None for neither.

    Returns:
        What may be the value alone, and what may follow as people read it, such as `(17) 2028-12-31`; None
        if nothing is suspicious.
    """
    if len(value) > _SEARCHED:
        return None
    for start in range(1, len(value)):
        if tail := _tail(value[start:], today):
            return value[:start], tail
    at = value.find(other, _LEAST_HEAD) if other is not None else -1
    if other is not None and at >= 0 and len(value) - at - len(other) >= _LEAST_TAIL:
        return value[:at], (f"({other}) {shown(value[at + len(other) :])}",)
    return None


def _tail(text: str, today: date) -> tuple[str, ...]:
    """Read a text that consists of dates and GTINs, and at most one value of variable length after them."""
    found: list[str] = []
    while text:
        ai, rest = text[:2], text[2:]
        day = read_date(rest[:6], today) if ai in ("11", "15", "17") else None
        if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR:
            found.append(f"({ai}) {day}")
            text = rest[6:]
        elif ai == "01" and is_gtin(rest[:14]):
            found.append(f"(01) {rest[:14]}")
            text = rest[14:]
        elif found and (last := _VARIABLE.fullmatch(text)):
            found.append(f"({last[1]}) {shown(last[2])}")
            break
        else:
            return ()
    return tuple(found)


def listed(parts: Sequence[str]) -> str:
    """
    Join words for a sentence.

    Args:
        parts: At least one.

    Returns:
        Such as `a, b and c`.
    """
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
