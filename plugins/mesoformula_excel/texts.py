"""Texts from outside, made safe for a workbook."""

from __future__ import annotations

import re
from collections.abc import Collection

#: What stands for a character that a workbook cannot hold, or that would deceive the eye.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: What stands for the rest of a text that is too long.
CUT = "…[cut]"
#: The longest text that a cell holds, counted as Excel counts: in UTF-16 units.
LONGEST = 32_767
LONGEST_TITLE = 31
LONGEST_HEADING = 255

# Control characters but the line feed, lone surrogates, what XML forbids, and the overrides of direction with
# which a text can pass for another one.
_UNFIT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
# Excel reads `_x0041_` in a file as the letter A.
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def clean(text: str, longest: int = LONGEST) -> str:
    """
    Make a text fit for a cell, every change visible.

    Args:
        text: Anything.
        longest: How many UTF-16 units it may have.

    Returns:
        The text, unfit characters replaced, and what is too long cut off with a mark.
    """
    return shortened(_ESCAPE.sub("_x005F_", plain(text)), longest)


def plain(text: str) -> str:
    """
    Replace what a workbook cannot hold.

    Args:
        text: Anything.

    Returns:
        The text with line feeds only, unfit characters replaced.
    """
    return _UNFIT.sub(REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))


def shortened(text: str, longest: int, mark: str = CUT) -> str:
    """
    Cut a text to a length.

    Args:
        text: Of any length.
        longest: How many UTF-16 units it may have.
        mark: What stands for the rest.

    Returns:
        The text itself, or its beginning with the mark.
    """
    if len(text) * 2 <= longest:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= longest * 2:
        return text
    # Half a character at the cut is dropped.
    return units[: (longest - len(mark)) * 2].decode("utf-16-le", "ignore") + mark


def heading(text: str, taken: Collection[str]) -> str:
    """
    Make a heading that a table accepts: one line, not empty, unlike any other.

    Args:
        text: As the sheet has it.
        taken: Headings that stand already.

    Returns:
        The heading, numbered if need be.
    """
    line = " ".join(plain(text).split()) or "Column"
    return _unlike(line, taken, LONGEST_HEADING)


def tab_title(text: str, taken: Collection[str]) -> str:
    """
    Make a title that Excel accepts on a tab.

    Args:
        text: As the sheet has it.
        taken: Titles that stand already.

    Returns:
        At most 31 characters without brackets, slashes and wildcards, unlike any other, numbered if need be.
    """
    line = re.sub(r"[\[\]:*?/\\]", " ", _UNFIT.sub(REPLACEMENT, text))
    line = " ".join(line.split()).strip("' ") or "Sheet"
    if line.casefold() == "history":
        line += " sheet"  # Excel keeps the bare word for itself
    return _unlike(line, taken, LONGEST_TITLE, "…")


def table_name(key: str, taken: Collection[str]) -> str:
    """
    Make a name that Excel accepts for a table.

    Args:
        key: Of the sheet.
        taken: Names that stand already.

    Returns:
        Letters, digits and underscores that cannot be taken for a cell, unlike any other.
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", key)[:200]
    if not re.match(r"[A-Za-z_]", name) or re.fullmatch(r"[A-Za-z]{1,3}\d+|[RrCc]\d*|[Rr]\d*[Cc]\d*", name):
        name = f"_{name}"
    number = 1
    unlike = name
    while unlike.casefold() in {other.casefold() for other in taken}:
        number += 1
        unlike = f"{name}_{number}"
    return unlike


def in_header(text: str, longest: int = 80) -> str:
    """
    Make a text fit for the head or foot of a printed page.

    Args:
        text: Anything.
        longest: How many UTF-16 units to keep.

    Returns:
        One line, in which `&` is no code.
    """
    line = " ".join(_UNFIT.sub(REPLACEMENT, text).split())
    return shortened(line, longest, "…").replace("&", "&&")


def _unlike(text: str, taken: Collection[str], longest: int, mark: str = CUT) -> str:
    others = {other.casefold() for other in taken}
    unlike = shortened(text, longest, mark)
    number = 1
    while unlike.casefold() in others:
        number += 1
        ending = f" ({number})"
        unlike = shortened(text, longest - len(ending), mark) + ending
    return unlike
