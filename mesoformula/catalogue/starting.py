"""The file that a vendor begins with: right as it stands, with every field that matters explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files

from mesoformula.catalogue.toml_text import comment, quoted

#: The product that stands in it as an example.
SKU = "example"


def starter(vendor: str, name: str, *, today: date, synonyms: Sequence[str] = (), file: str = "") -> str:
    """
    Write a catalogue to begin with.

    Args:
        vendor: Its id.
        name: For people.
        today: The day that the example's source is said to be read on.
        synonyms: Other names of the vendor, where it is known already.
        file: What the file will be called, for the command in its first lines.

    Returns:
        TOML that passes `catalogue check`, and still does with every field switched on.
    """
    text = files("mesoformula.catalogue").joinpath("starter.txt").read_text(encoding="utf-8")
    written = ", ".join(map(quoted, synonyms)) or '"another name"'
    values = {
        "{NAME}": comment(name)[2:],
        "{FILE}": comment(file or f"{vendor}.toml")[2:],
        "{ID}": vendor,
        "{ID_TEXT}": quoted(vendor),
        "{NAME_TEXT}": quoted(name),
        "{SYNONYMS}": f"{'' if synonyms else '#'}synonyms = [{written}]",
        "{SUBSTANCE}": quoted(f"{vendor}-extract"),
        "{TODAY}": today.isoformat(),
    }
    return "\n".join(_filled(line, values) for line in text.splitlines()) + "\n"


def _filled(line: str, values: dict[str, str]) -> str:
    """Fill in one line from left to right, so that what a name holds is never filled in again."""
    filled, rest = "", line
    while True:
        at, mark = min(((rest.find(mark), mark) for mark in values if mark in rest), default=(-1, ""))
        if at < 0:
            return filled + rest
        filled, rest = filled + rest[:at] + values[mark], rest[at + len(mark) :]
