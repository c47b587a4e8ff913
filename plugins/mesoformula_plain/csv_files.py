"""
One table as a CSV file: UTF-8 with a byte-order mark, fields between commas, as RFC 4180 says.

Spreadsheet programs take what looks like a formula, a number or a day for one, also where it is the number of
a lot. Such a text is written as `="2401E3"`, which they and mesoformula read back to the letter.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from mesoformula import Problem, Sheet, SheetError, plain
from mesoformula.sheets import Live, Value, plain_value
from mesoformula_plain.placing import placed

# Without the mark, Excel takes UTF-8 for the code page of the machine.
_ENCODING = "utf-8-sig"
#: The longest text that a formula of Excel holds.
_LONGEST_KEPT = 255

# What no text file should hold: control characters but the line feed, and halves of characters.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Texts that begin like none of these are formulas, numbers or days to some program.
_LETTER_FIRST = re.compile(r"[^\W\d_]")
_WORD_TAKEN = re.compile(
    r"(true|false|vrai|faux)"
    r"|(jan(v|uary|vier)?|feb(ruary)?|f[eé]v(r|rier)?|mar(ch|s)?|apr(il)?|avr(il)?|may|mai|june?|juin"
    r"|july?|juil(let)?|aug(ust)?|ao[uû]t|sept?(embre|ember)?|oct(obre|ober)?|nov(embre|ember)?"
    r"|d[eé]c(embre|ember)?)\W*\d.*",
    re.IGNORECASE | re.DOTALL,
)


def write_csv(sheets: Sequence[Sheet], path: Path) -> None:
    """
    Write one table as a CSV file, whole or not at all.

    Its first line holds the headings. Numbers have a decimal point and all their digits, days and moments are
    written as ISO 8601 says. Facts, notes and totals are left out: a table is all that such a file holds.

    Args:
        sheets: One that is a table.
        path: Where it goes; what stands there is replaced.

    Raises:
        SheetError: If there are several sheets, or the one is a page.
        OSError: If the file cannot be written there.
    """
    sheet = _one_table(sheets)
    with placed(path, _ENCODING) as target:
        # Quoted, so that a comma or semicolon in a heading does not pass for what stands between fields.
        headings = csv.writer(target, quoting=csv.QUOTE_ALL)
        headings.writerow([_text(column.heading) for column in sheet.columns])
        csv.writer(target).writerows([_field(value) for value in row.values] for row in sheet.rows)


def _one_table(sheets: Sequence[Sheet]) -> Sheet:
    if len(sheets) == 1 and sheets[0].columns:
        return sheets[0]
    if len(sheets) == 1:
        message = f"{sheets[0].title!r} is a page of several parts; a .csv file holds one table"
    else:
        titles = ", ".join(repr(sheet.title) for sheet in sheets)
        message = f"a .csv file holds one table; there are {len(sheets)} sheets: {titles}"
    raise SheetError([Problem("one-table", f"{message}; .json holds everything")])


def _field(value: Value | Live) -> str | int:
    value = plain_value(value)
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Write a text so that a program that opens the file takes it for a text."""
    text = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text or (_LETTER_FIRST.match(text) and not _WORD_TAKEN.fullmatch(text)):
        return text
    if len(text) > _LONGEST_KEPT:
        return f"'{text}"
    return '="' + text.replace('"', '""') + '"'
