"""
The form of a quantity: number, unit, at most one "per"; and why a text outside it is refused.

No unit is looked up here: `mesoformula.units` does that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from mesoformula.errors import QuantityError
from mesoformula.words import shown

#: What `show` writes stays within these, a figure of 50 digits with its zeros included.
MAX_TEXT = 100
MAX_DIGITS = 70
LARGEST = Decimal("1e12")
SMALLEST = Decimal("1e-12")

#: What a field may ask for, and an example that is right.
EXAMPLES: Mapping[str, str] = {
    "mass": "5 mg",
    "volume": "2 mL",
    "length": "4 mm",
    "area": "150 cm²",
    "time": "28 d",
    "temperature": "25 °C",
    "amount of substance": "2 mmol",
    "equivalents": "8.1 mEq",
    "osmoles": "10 mOsm",
    "activity": "1500 IU",
    "molecular weight": "50 kDa",
    "containers": "2 containers",
    "points": "100 points",
    "density": "1.05 g/mL",
    "osmolality": "490 mOsm/kg",
    "osmolarity": "490 mOsm/L",
    "points per area": "1 point/cm²",
    "volume per mass": "0.6 mL/g",
    "activity per mass": "1.1 IU/mg",
    "volume per point": "0.05 mL/point",
}

NUMBER = r"\d+(?:\.\d+)?"
UNIT = r"[^\W\d_]+[²2]?|°C"
QUANTITY = re.compile(rf"({NUMBER})\s*({UNIT})(?:\s*(?:/|\bper\b)\s*(?:({NUMBER})\s*)?({UNIT}))?", re.UNICODE)
PERCENT = re.compile(rf"({NUMBER})\s*%\s*(w/v|w/w|v/v)")
RATIO = re.compile(r"1\s?:\s?(\d+)\s*(w/v|w/w|v/v)")


def clean(text: str) -> str:
    """
    Take away what may stand around a quantity, and refuse what is no text for one.

    Args:
        text: What was written.

    Returns:
        The text with plain blanks, none at its ends.

    Raises:
        QuantityError: If it is no text, too long, or holds what does not print or digits other than 0 to 9.
    """
    if not isinstance(text, str):
        raise QuantityError(f"{text!r:.40}: a quantity is written as text, such as '5 mg'", "type")
    if len(text) > MAX_TEXT:
        raise QuantityError(
            f"{shown(text)}: {len(text)} characters are too long; expected such as '5 mg'", "long"
        )
    text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ").strip(" ")
    if not text.isprintable():
        raise QuantityError(
            f"{shown(text)}: has characters that do not print; expected such as '5 mg'", "characters"
        )
    if any(char.isdecimal() and not char.isascii() for char in text):
        raise QuantityError(f"{shown(text)}: write the digits 0 to 9, such as '5 mg'", "digits")
    return text


def number_of(digits: str, text: str) -> Decimal:
    """
    Read a number exactly.

    Args:
        digits: What `NUMBER` matched.
        text: The quantity it stands in, for the message.

    Returns:
        The number, zero or above.

    Raises:
        QuantityError: If it is too long, begins with a zero too many, or has no believable size.
    """
    if len(digits) > MAX_DIGITS:
        raise QuantityError(f"{shown(text)}: more than {MAX_DIGITS} digits", "long")
    if len(digits) > 1 and digits[0] == "0" and digits[1] != ".":
        raise QuantityError(
            f"{shown(text)}: a leading zero; is it {shown(text.replace(digits, '0.' + digits[1:], 1))} "
            f"or {shown(text.replace(digits, digits.lstrip('0') or '0', 1))}?",
            "leading-zero",
        )
    return believable(Decimal(digits), text)


def believable(value: Decimal, text: str) -> Decimal:
    """
    Refuse what nobody weighs or measures.

    Args:
        value: A number, zero or above.
        text: The quantity it stands in, for the message.

    Returns:
        The same number.

    Raises:
        QuantityError: If it is above `LARGEST`, or above zero but below `SMALLEST`.
    """
    if value and not SMALLEST <= value <= LARGEST:
        raise QuantityError(
            f"{shown(text)}: no believable size; expected between {SMALLEST} and {LARGEST}", "range"
        )
    return value


_WRITTEN_OUT = re.compile(r"[\d.]+\s*[eE]\s*[+-]?\d+")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}((?:,\d{3})+)(\.\d+)?(?![\d.])[^,]*")
_DOUBTFUL = re.compile(r"[1-9]\d{0,2},\d{3}(?!\d)|\d[.,]\d+[.,]")
_GROUPED = re.compile(r"\d[ '’_]\d")


def refusal(text: str, dimension: str | None) -> QuantityError:
    """
    Say why a text is outside the grammar, and what would be right.

    Args:
        text: What `clean` left.
        dimension: What was expected, a key of `EXAMPLES` or `strength`; None for any quantity.

    Returns:
        The error to raise.
    """
    example = "5 mg/mL" if dimension == "strength" else EXAMPLES.get(dimension or "", "5 mg")
    said = shown(text)

    def error(reason: str, code: str) -> QuantityError:
        return QuantityError(f"{said}: {reason}", code)

    bare = text.casefold()
    if not text:
        return error(f"nothing written; expected such as '{example}'", "empty")
    if bare.lstrip("+-").startswith(("nan", "inf")):
        return error(f"not a number; expected such as '{example}'", "not-finite")
    if text[0] in "-−–" and len(text) > 1 and (text[1].isdigit() or text[1] == " "):
        return error(f"a negative amount; expected one above zero such as '{text[1:].strip()}'", "negative")
    if "*" in text or "^" in text:
        return error(f"no calculations; write the number out, such as '{example}'", "calculation")
    if _WRITTEN_OUT.match(text):
        return error(f"no exponents; write the number out, such as '{example}'", "exponent")
    if re.search(r"\d,\d", text):
        return error(_about_comma(text, example), "decimal-comma")
    if _GROUPED.search(text) and not re.search(r"/", text[: text.find(" ") + 1]):
        return error("no separators within a number; write such as '1000 mg'", "grouping")
    if re.match(r"[.]\d", text):
        return error(f"write the zero before the point: '0{text}'", "leading-zero")
    if "‰" in text:
        return error("write it as a strength, such as '9 mg/mL'", "percent")
    if re.search(r"[a-zµ]+\s*%", bare):
        return error("mg% has several readings; write '5 mg/100 mL'", "percent")
    if dimension != "strength" and (PERCENT.fullmatch(text) or RATIO.fullmatch(text)):
        return error(f"a strength; expected a number and a unit, such as '{example}'", "dimension")
    if "%" in text:
        number = text.partition("%")[0].strip()
        if not re.fullmatch(NUMBER, number):
            number = "20"
        return error(
            f"a percentage needs its basis; write '{number} % w/v', '{number} % w/w' or '{number} % v/v'",
            "basis",
        )
    if re.fullmatch(r"\d+\s*:\s*[\d ]+", text):
        return error("a ratio needs its basis; write '1:1000 w/v', 'w/w' or 'v/v'", "basis")
    if re.fullmatch(NUMBER, text):
        return error(f"a number without a unit; write such as '{text} {example.split(' ', 1)[1]}'", "bare")
    if text.count("/") > 1:
        return error("at most one 'per'; write such as '5 mg/2 mL'", "grammar")
    if dimension == "strength":
        return error(
            "expected a strength such as '5 mg/mL', '500 mg/5 mL', '20 % w/v' or '60 µg per container'",
            "grammar",
        )
    return error(f"expected a number and a unit, such as '{example}'", "grammar")


def _about_comma(text: str, example: str) -> str:
    """Say what a comma within a number may mean, and offer only readings that the grammar takes."""
    grouped, decimal = text.replace(",", ""), text.replace(",", ".")
    if match := _THOUSANDS.fullmatch(text):
        if match[1].count(",") > 1 or match[2] is not None:
            return f"no separators within a number; write '{grouped}'"
        return f"a comma that may mark thousands or decimals; write '{grouped}' or '{decimal}'"
    if _DOUBTFUL.search(text):
        return f"commas that may mark thousands or decimals; write such as '{example}'"
    return f"a decimal comma; write '{decimal}'"
