"""How problems speak of places, values and what was expected."""

from __future__ import annotations

from typing import Any, TypeAlias

from mesoformula import fields, units
from mesoformula.catalogue.files import BARE
from mesoformula.words import shown

Where: TypeAlias = tuple[str | int, ...]


def place(where: Where) -> str:
    """
    Name a place below its record.

    Args:
        where: Keys and indices below the record.

    Returns:
        Such as `part 2: volume`.
    """
    words: list[str] = []
    for step in where:
        if isinstance(step, int) and words:
            words[-1] += f" {step + 1}"
        else:
            words.append(str(step))
    return ": ".join(words)


def path_text(where: Where) -> str:
    """
    Begin a message with a place below a record, where it is more than one key deep.

    Args:
        where: Keys and indices below the record.

    Returns:
        Text such as `part 2: `, or nothing.
    """
    return f"{place(where)}: " if len(where) > 1 else ""


def key_of(where: Where) -> str:
    """
    Name the key of a value as its file does.

    Args:
        where: Keys and indices from the top of the file.

    Returns:
        Such as `part 2: volume`, without section and number.
    """
    return place(where[2:]) if len(where) > 2 else str(where[-1])


def said(value: Any) -> str:
    """
    Repeat a value from a file.

    Args:
        value: Anything that TOML may hold.

    Returns:
        Text that fits a line.
    """
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return f"{shown(str(value[BARE]))[1:-1]} (a bare number)" if BARE in value else "a table"
    if isinstance(value, list):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else f"{value!s:.40} (a bare number)"


def expected(kind: fields.Kind) -> str:
    """
    Say what a field holds.

    Args:
        kind: Its kind.

    Returns:
        Text such as `a whole number from 1 to 100`.
    """
    match kind:
        case fields.Text():
            return f"text such as '{kind.example}'" if kind.example else "text"
        case fields.Whole():
            return f"a whole number from {kind.lowest} to {kind.highest}"
        case fields.Flag():
            return "true or false"
        case fields.Day():
            return "a day such as 2026-11-23"
        case fields.QuantityOf():
            example = units.EXAMPLES[kind.dimension] if kind.dimension else "5 mg"
            return f"text with a number and its unit such as '{example}'"
        case fields.StrengthText():
            return "text such as '5 mg/mL' or '60 µg per container'"
        case fields.RangeOf():
            example = units.EXAMPLES[kind.dimension]
            return f"text such as '{example}', or a table with low and high"
        case fields.Choice():
            return f"one of {', '.join(str(word) for word in kind.words)}"
        case fields.ListOf():
            return "a list"
        case _:
            return "a table"
