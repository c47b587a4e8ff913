"""What a catalogue says of a peptide, and what follows from its sequence."""

from __future__ import annotations

import re
from collections import Counter

import attrs

from mesoformula.fields import Flag, Text, written

#: The amino acids by their one-letter codes, each less the water that a peptide bond sets free. Codes:
#: IUPAC-IUB JCBN, Nomenclature and symbolism for amino acids and peptides (1983), 3AA-1.
RESIDUES = {
    "A": "C3H5NO",
    "R": "C6H12N4O",
    "N": "C4H6N2O2",
    "D": "C4H5NO3",
    "C": "C3H5NOS",
    "Q": "C5H8N2O2",
    "E": "C5H7NO3",
    "G": "C2H3NO",
    "H": "C6H7N3O",
    "I": "C6H11NO",
    "L": "C6H11NO",
    "K": "C6H12N2O",
    "M": "C5H9NOS",
    "F": "C9H9NO",
    "P": "C5H7NO",
    "S": "C3H5NO2",
    "T": "C4H7NO2",
    "W": "C11H10N2O",
    "Y": "C9H9NO2",
    "V": "C5H9NO",
}
WATER = "H2O"

_ATOM = re.compile(r"([A-Z][a-z]?)(\d*)")
SEQUENCE = f"[{''.join(RESIDUES)}]{{2,50}}"


@attrs.frozen
class Peptide:
    """
    What is known of a peptide.

    Attributes:
        sequence: From the amino to the carboxyl end, in one-letter codes.
        is_modified: Whether anything but the amino acids is part of it, such as an acyl chain or a metal.
    """

    sequence: str | None = attrs.field(
        default=None, metadata=written(Text(SEQUENCE, "GHK"), "One-letter codes.")
    )
    is_modified: bool | None = attrs.field(
        default=None, metadata=written(Flag(), "true if acylated, amidated, or a salt.", key="modified")
    )


def atoms(formula: str) -> Counter[str]:
    """
    Count the atoms of a formula without brackets.

    Args:
        formula: Such as `C14H24N6O4`.

    Returns:
        How many there are of each element.
    """
    found: Counter[str] = Counter()
    for element, number in _ATOM.findall(formula):
        found[element] += int(number or 1)
    return found


def formula_of(sequence: str) -> Counter[str]:
    """
    Count the atoms of a peptide without modifications.

    Args:
        sequence: One-letter codes.

    Returns:
        How many there are of each element.
    """
    found = atoms(WATER)
    for code in sequence:
        found += atoms(RESIDUES[code])
    return found


def in_hill_order(found: Counter[str]) -> str:
    """
    Write a formula: carbon, hydrogen, then by letter.

    Args:
        found: Atoms by element.

    Returns:
        Such as `C14H24N6O4`.
    """
    ordered = sorted(found, key=lambda element: (element != "C", element != "H", element))
    return "".join(f"{element}{found[element] if found[element] > 1 else ''}" for element in ordered)
