"""What kind of code was scanned: GS1, or something that is refused by name."""

from __future__ import annotations

import re

from mesoformula.errors import Problem
from mesoformula.stock.arrivals.element_strings import GS
from mesoformula.words import shown

#: Symbology identifiers that announce GS1 element strings: GS1-128, GS1 DataMatrix, GS1 QR Code, GS1 DataBar,
#: GS1 DotCode (GS1 General Specifications, section 5.1.2; ISO/IEC 15424).
ELEMENT_STRINGS = ("]C1", "]d2", "]Q3", "]e0", "]J1")

#: Symbology identifiers that announce a GTIN and nothing else: EAN-13 and UPC, EAN-8, ITF-14.
PLAIN_GTINS = ("]E0", "]E4", "]I1")

#: What to do when no code can be read.
BY_HAND = "type lot and expiry by hand"

# Names by the letter of the symbology identifier (ISO/IEC 15424).
_NAMES = {
    "A": "Code 39",
    "C": "Code 128",
    "E": "EAN/UPC code with an add-on",
    "F": "Codabar",
    "G": "Code 93",
    "I": "Interleaved 2 of 5 code",
    "L": "PDF417",
    "Q": "QR code",
    "d": "Data Matrix",
    "e": "part of a GS1 composite code",
    "z": "Aztec code",
}

_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")
# Code 39 readers may type the asterisks that frame the code. Primary data begin with a letter, secondary data
# with a digit or $ (ANSI/HIBC 2.6).
_HIBC = re.compile(r"\*?\+[A-Z0-9$]")
# 9N, two digits of the registration agency, the product's number and two check digits (IFA, PPN-Code
# specification); in the envelope of ISO/IEC 15434 other fields may stand before it, and control characters
# may have got lost.
_PPN = re.compile(r"9N[0-9A-Z]{4}")
_PPN_ENVELOPE = re.compile(r"\[\)>\x1e?06(?:.*\x1d)?9N[0-9A-Z]", re.DOTALL)
_ENVELOPE = "[)>"


def split_identifier(line: str) -> tuple[str | None, str]:
    """
    Take off the symbology identifier that a scanner may send before the data.

    Args:
        line: As typed.

    Returns:
        The identifier, such as `]d2`, or None if there is none; and what follows.
    """
    mark = _IDENTIFIER.match(line)
    return (mark[0], line[mark.end() :]) if mark else (None, line)


def foreign(body: str, symbology: str | None) -> Problem | None:
    """
    Recognise what scanners read well, but is not GS1.

    Args:
        body: What follows the symbology identifier, GS as separator.
        symbology: The identifier; None if the scanner sends none.

    Returns:
        Why it is refused, with code `hibc`, `ppn` or `not-gs1`; None if it may be GS1.
    """
    if _HIBC.match(body):
        return Problem("hibc", f"{shown(body)} is an HIBC code, which is not read; {BY_HAND}")
    if _PPN.match(body) or _PPN_ENVELOPE.match(body):
        return Problem("ppn", f"{shown(body)} is a PPN code (IFA), which is not read; {BY_HAND}")
    if body.startswith(_ENVELOPE):
        return Problem("not-gs1", f"{shown(body)} is in the form of ISO/IEC 15434, not GS1; {BY_HAND}")
    if body[:8].lower().startswith(("http://", "https://")):
        return Problem(
            "not-gs1",
            f"{shown(body)} is a web address, not GS1 element strings; scan another code of the pack, or "
            f"{BY_HAND}",
        )
    if symbology is not None and symbology not in (*ELEMENT_STRINGS, *PLAIN_GTINS):
        return Problem(
            "not-gs1",
            f"the scanner says that this is a {_NAMES.get(symbology[1], 'code')} without GS1 data "
            f"({symbology}); expected one of {' '.join((*ELEMENT_STRINGS, *PLAIN_GTINS))}; scan another code "
            f"of the pack, or {BY_HAND}",
        )
    strange = next((char for char in body if not (" " <= char <= "~" or char == GS)), None)
    if strange is not None:
        return Problem(
            "not-gs1",
            f"{shown(body)} holds {shown(strange)}, which no GS1 code holds; set the scanner to the keyboard "
            f"layout of this computer and scan again, or {BY_HAND}",
        )
    return None
