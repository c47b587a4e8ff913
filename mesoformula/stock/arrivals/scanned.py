"""Scanned codes: what a line typed by a bar code scanner says, and what must be asked about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import attrs

from mesoformula.errors import Problem, ScanError
from mesoformula.stock.arrivals.element_strings import (
    CHARACTERS,
    CHECKED,
    DATES,
    FIRST_YEAR,
    GS,
    LAST_YEAR,
    Element,
    check_digit_holds,
    cut,
    cut_bracketed,
    fits,
    format_of,
    listed,
    most,
    read_date,
    swallowed,
)
from mesoformula.stock.arrivals.symbologies import BY_HAND, PLAIN_GTINS, foreign, split_identifier
from mesoformula.words import shown

#: What the largest GS1 DataMatrix holds, in digits (GS1 DataMatrix Guideline, section 2.2).
LONGEST = 3116

#: National healthcare numbers (GS1 General Specifications, section 3.8): 710 Germany PZN, 711 France CIP,
#: 712 Spain CN, 713 Brazil DRN, 714 Portugal AIM, 715 United States NDC, 716 Italy AIC.
NATIONAL_NUMBERS = ("710", "711", "712", "713", "714", "715", "716")

#: AIs of variable length whose values are searched for elements that a missing separator left in them: those
#: that stand on products. Company information (90 to 99) may hold anything, and is left alone.
_SEARCHED = ("10", "21", "22", "240", "241", *NATIONAL_NUMBERS, "717")

_LOOK = "look at the pack and type it"
_TYPED = (
    f"does the scanner type it for GS? Name it as substitute, configure the scanner to send GS, or {BY_HAND}"
)
_ASK = f"is a separator missing? Configure the scanner to send GS, or {BY_HAND}"

_GTIN = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_TYPED_SEPARATOR = re.compile(r"<GS>|\(GS\)|<FNC1>", re.IGNORECASE)


@attrs.frozen
class Count:
    """
    How many are in what was scanned.

    Attributes:
        number: As the code says.
        ai: `30` (items of this very product) or `37` (trade items in a shipping unit).
        gtin: What is counted: (01) for 30, (02) for 37; None if the code does not say it.
    """

    number: int
    ai: str
    gtin: str | None


@attrs.frozen
class Scanned:
    """
    What a scanned code says.

    A field is None if the code does not give it, or not so that it could be read; then a question says so. A
    lot or serial number that may have swallowed what followed is kept as it was read, with a question.

    Attributes:
        raw: The line as typed, unprintable characters escaped.
        symbology: The symbology identifier in front of it, such as `]d2`; None if the scanner sends none.
        gtin: (01), or the number of a plain EAN, UPC or ITF-14 code: 14 digits, check digit verified.
        lot: (10), as encoded.
        expiry: (17), the last day on which it may be used; day 00 is the last of the month.
        serial: (21), of the single pack.
        production_date: (11).
        best_before: (15), which is no expiry.
        count: (30), or (37) with the (02) that it counts.
        national_numbers: (710) to (716) as pairs of AI and number, in order.
        others: Every other element as a pair of AI and value, in order.
        questions: What is suspicious. While one stands unanswered, nothing of this may be stored.
    """

    raw: str
    symbology: str | None = None
    gtin: str | None = None
    lot: str | None = None
    expiry: date | None = None
    serial: str | None = None
    production_date: date | None = None
    best_before: date | None = None
    count: Count | None = None
    national_numbers: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    questions: tuple[Problem, ...] = ()


def read_code(text: str, *, substitutes: Sequence[str] = (), today: date | None = None) -> Scanned:
    """
    Read one line as a bar code scanner types it.

    GS1 element strings are read if something says that they are some: a symbology identifier, a separator,
    brackets around the application identifiers, or a GTIN or SSCC whose check digit is right. 8, 12, 13 or 14
    digits alone are a GTIN. Anything else is refused: a lot number cannot be told from a scrap of text. The
    application identifiers are those of the GS1 General Specifications.

    Args:
        text: The line; white space around it is ignored.
        substitutes: What this scanner types instead of GS (0x1D), such as `|` or `<GS>`; nothing is assumed.
        today: Decides the century of dates (GS1 General Specifications, section 7.12); None means today.

    Returns:
        What the code says, with the questions that it leaves.

    Raises:
        ScanError: If nothing of it can be used, with a problem of code `substitute`, `empty`, `too-long`,
            `hibc`, `ppn`, `not-gs1`, `gtin` (a plain code of digits of another length) or `checksum`.
    """
    _check_substitutes(substitutes)
    line = text.strip(" \t\r\n")
    if len(line) > LONGEST:
        raise _refusal(
            "too-long",
            f"the line is {len(line)} characters long; expected one code of {LONGEST} at most: scan one code "
            "at a time",
        )
    symbology, body = split_identifier(line)
    for substitute in sorted(substitutes, key=len, reverse=True):
        body = body.replace(substitute, GS)
    if not body.strip(f" {GS}"):
        raise _refusal("empty", "the line is empty; expected a scanned code: scan again")
    if problem := foreign(body, symbology):
        raise ScanError([problem])
    raw = shown(line, width=len(line))[1:-1]
    if symbology in PLAIN_GTINS or (symbology is None and _GTIN.fullmatch(body)):
        return Scanned(raw, symbology, gtin=_plain_gtin(body))
    if re.match(r"\([0-9]{2,4}\)", body):
        elements, rest = cut_bracketed(body)
    else:
        elements, rest = cut(body)
        if symbology is None:
            _refuse_doubtful(body, elements)
    if not elements:
        raise _refusal(
            "not-gs1",
            f"{shown(body)} begins with no GS1 application identifier; expected something like (01) and a "
            f"GTIN: scan another code of the pack, or {BY_HAND}",
        )
    return _Reading(today if today is not None else datetime.now(UTC).date()).of(
        raw, symbology, elements, rest
    )


def _refusal(code: str, message: str) -> ScanError:
    return ScanError([Problem(code, message)])


def _check_substitutes(substitutes: Iterable[str]) -> None:
    """Refuse substitutes that would tear lot numbers apart."""
    problems = [
        Problem(
            "substitute",
            f"{shown(one)} cannot stand for GS, as a lot number may hold it; configure the scanner to type a "
            "sign that no GS1 code holds, such as '|'",
        )
        for one in substitutes
        if not one or one in CHARACTERS or one.isalnum()
    ]
    if problems:
        raise ScanError(problems)


def _plain_gtin(digits: str) -> str:
    """Read the digits of an EAN, UPC or ITF-14 code."""
    if not _GTIN.fullmatch(digits):
        raise _refusal(
            "gtin", f"{shown(digits)} is no GTIN; expected 8, 12, 13 or 14 digits: scan again, or {BY_HAND}"
        )
    if not check_digit_holds(digits):
        raise _refusal(
            "checksum",
            f"{digits} is no GTIN, as its check digit is wrong: scan again; if it is another number, "
            f"{BY_HAND}",
        )
    return digits.zfill(14)


def _refuse_doubtful(body: str, elements: Sequence[Element]) -> None:
    """Refuse what only looks like element strings: any scrap of digits does."""
    keys = [one for one in elements if one.ai in ("00", "01", "02") and fits(one)]
    if GS in body or any(check_digit_holds(one.value) for one in keys):
        return
    if keys and keys[0] == elements[0]:
        raise _refusal(
            "checksum",
            f"{keys[0]} has a wrong check digit: scan again; if {shown(body)} is another number, {BY_HAND}",
        )
    raise _refusal(
        "not-gs1",
        f"nothing says that {shown(body)} is a GS1 code; expected a symbology identifier such as ]d2 in "
        "front, or a GTIN (01) in it: configure the scanner to send symbology identifiers, scan another code "
        f"of the pack, or {BY_HAND}",
    )


class _Reading:
    """Reads the elements of one code, and gathers the questions."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.questions: dict[Problem, None] = {}
        self.values: dict[str, str] = {}
        self.rejected: set[str] = set()

    def of(self, raw: str, symbology: str | None, elements: Sequence[Element], rest: str) -> Scanned:
        for element in dict.fromkeys(elements):
            self._take(element, elements)
        if rest:
            self._ask(
                "unread",
                f"after {elements[-1]} stands {shown(rest)}, which begins with no application identifier: "
                f"{_ASK}",
            )
        kept = [one for one in dict.fromkeys(elements) if one.ai not in self.rejected]
        dates = {ai: self._date(ai) for ai in DATES}
        self._compare_dates(dates)
        own = {"01", "10", "11", "15", "17", "21", "30", "37", *NATIONAL_NUMBERS}
        count = self._count()
        if count is not None and count.ai == "37":
            own.add("02")
        return Scanned(
            raw,
            symbology,
            gtin=self.values.get("01"),
            lot=self.values.get("10"),
            expiry=dates["17"],
            serial=self.values.get("21"),
            production_date=dates["11"],
            best_before=dates["15"],
            count=count,
            national_numbers=tuple((one.ai, one.value) for one in kept if one.ai in NATIONAL_NUMBERS),
            others=tuple((one.ai, one.value) for one in elements if one.ai not in own),
            questions=tuple(self.questions),
        )

    def _ask(self, code: str, message: str) -> None:
        self.questions[Problem(code, message)] = None

    def _take(self, element: Element, elements: Sequence[Element]) -> None:
        """Keep a value that can be read, and ask about one that cannot be trusted."""
        ai = element.ai
        known = self.values.get(ai)
        if ai in self.rejected:
            return
        if known is not None and known != element.value:
            self._ask(
                "twice",
                f"the code gives ({ai}) twice: {shown(known)} and {shown(element.value)}; expected one: "
                f"{_LOOK}",
            )
        elif not fits(element):
            self._ask(*self._misfit(element))
        elif ai[:2] in CHECKED and not check_digit_holds(element.value):
            self._ask("checksum", f"{element} has a wrong check digit: scan again, or type it")
        elif ai in DATES and read_date(element.value, self.today) is None:
            self._ask(_date_code(ai), f"{element} is no date; expected YYMMDD: {_LOOK}")
        else:
            self.values[ai] = element.value
            self._suspect(element, {one.ai for one in elements})
            return
        self.rejected.add(ai)
        self.values.pop(ai, None)

    def _misfit(self, element: Element) -> tuple[str, str]:
        """Say why a value has not the form of its AI, and what may have happened."""
        ai, value = element.ai, element.value
        if not value:
            return _code(ai), f"({ai}) is empty; expected {format_of(ai)}: {_LOOK}"
        longest = most(ai)
        if longest is not None and len(value) > longest:
            found = swallowed(value, self.today, _other(ai))
            seems = f", and seems to hold {listed(found[1])}" if found else ""
            return "separator", (
                f"{element} is {len(value)} characters long, more than the {longest} it may have{seems}: "
                f"{_ASK}"
            )
        strange = next((char for char in value if char not in CHARACTERS), None)
        if longest is not None and strange is not None:
            return "separator", f"{element} holds {shown(strange)}, which no GS1 value holds: {_TYPED}"
        what = "is no date; expected YYMMDD" if ai in DATES else f"does not fit; expected {format_of(ai)}"
        return _code(ai), f"{element} {what}: {_LOOK}"

    def _suspect(self, element: Element, present: set[str]) -> None:
        """Ask about a value that may have swallowed a separator with what followed."""
        ai, value = element.ai, element.value
        if ai not in _SEARCHED:
            return
        if typed := _TYPED_SEPARATOR.search(value):
            self._ask("separator", f"{element} holds {shown(typed[0])}: {_TYPED}")
            return
        other = _other(ai)
        found = swallowed(value, self.today, other if other not in present else None)
        if found:
            name = {"10": "lot", "21": "serial number"}.get(ai, f"({ai})")
            self._ask(
                "separator", f"{name} {shown(value)} ends in what looks like {listed(found[1])}: {_ASK}"
            )

    def _date(self, ai: str) -> date | None:
        digits = self.values.get(ai)
        if digits is None:
            return None
        found = read_date(digits, self.today)
        if found is not None and not FIRST_YEAR <= found.year <= LAST_YEAR:
            self._ask(
                _date_code(ai),
                f"({ai}) {digits} means {found} by the century rule of GS1; expected a date from "
                f"{FIRST_YEAR} to {LAST_YEAR}: {_LOOK}",
            )
        return found

    def _compare_dates(self, dates: dict[str, date | None]) -> None:
        expiry, produced = dates["17"], dates["11"]
        if expiry is not None and produced is not None and expiry < produced:
            self._ask(
                "expiry", f"expiry (17) {expiry} lies before the production date (11) {produced}: {_LOOK}"
            )
        if expiry is None and "7003" in self.values:
            self._ask(
                "expiry",
                f"the expiry is given to the minute: (7003) {self.values['7003']} (YYMMDDHHMM), and a lot "
                "keeps days: type the last full day",
            )

    def _count(self) -> Count | None:
        given = [ai for ai in ("30", "37") if ai in self.values]
        if len(given) > 1:
            self._ask("count", "the code gives two counts, (30) and (37); expected one: count, and type it")
            return None
        if not given:
            if "02" in self.values:
                self._ask(
                    "count", "the code says what is contained (02), not how many (37): count, and type it"
                )
            return None
        ai = given[0]
        count = Count(int(self.values[ai]), ai, self.values.get("02" if ai == "37" else "01"))
        if count.number == 0:
            self._ask("count", f"the code counts none: ({ai}) 0; count, and type it")
        if ai == "37" and count.gtin is None:
            self._ask("count", f"the code says how many (37), not of what (02): {_LOOK}")
        return count


def _other(ai: str) -> str | None:
    """Name what commonly stands behind a lot or serial number, and cannot be recognised by itself."""
    return {"10": "21", "21": "10"}.get(ai)


def _date_code(ai: str) -> str:
    return "expiry" if ai == "17" else "date"


def _code(ai: str) -> str:
    """Choose the code of a question about the value of an AI."""
    codes = {
        "01": "gtin",
        "02": "gtin",
        "03": "gtin",
        "10": "lot",
        "21": "serial",
        "30": "count",
        "37": "count",
    }
    return _date_code(ai) if ai in DATES else codes.get(ai, "element")
