"""
How the fields of a record are written in a catalogue.

A record says it once, in the metadata of its attrs fields; the reader, the check and the published schema are
all made from that.
"""

from __future__ import annotations

import enum
from typing import Any

import attrs

IDENTIFIER = r"[a-z0-9]+(?:-[a-z0-9]+)*"


@attrs.frozen
class Kind:
    """What a field holds."""


@attrs.frozen
class Text(Kind):
    """Text; pattern is a regular expression that all of it must match, example one that does."""

    pattern: str | None = None
    example: str = ""
    longest: int = 2000


@attrs.frozen
class Whole(Kind):
    """A whole number within bounds."""

    lowest: int = 0
    highest: int = 1_000_000


@attrs.frozen
class Flag(Kind):
    """True or false."""


@attrs.frozen
class Day(Kind):
    """A calendar day, as TOML writes it."""


@attrs.frozen
class QuantityOf(Kind):
    """A quantity of one dimension, a key of `mesoformula.units.EXAMPLES`, or of any; zero where allowed."""

    dimension: str | None
    zero: bool = False


@attrs.frozen
class StrengthText(Kind):
    """A strength such as `5 mg/mL`."""


@attrs.frozen
class RangeOf(Kind):
    """
    One quantity, or a table with `low` and `high`.

    Read as `mesoformula.ingredients.Range`.
    """

    dimension: str


@attrs.frozen
class Choice(Kind):
    """One word of a vocabulary."""

    words: type[enum.StrEnum]


@attrs.frozen
class ListOf(Kind):
    """Any number of something."""

    item: Kind
    most: int = 200


@attrs.frozen
class RecordOf(Kind):
    """A table that is a record of its own."""

    record: type[Any]


@attrs.frozen
class ClassAttributes(Kind):
    """A table named after an ingredient class, read as the attributes of that class."""


def written(kind: Kind, help: str, *, key: str | None = None) -> dict[str, Any]:  # noqa: A002
    """
    Describe how a field is written.

    Args:
        kind: What it holds.
        help: One sentence for whoever fills it in.
        key: Its name in the file, if that differs from the attribute.

    Returns:
        Metadata for `attrs.field`.
    """
    return {"kind": kind, "help": help, "key": key}
