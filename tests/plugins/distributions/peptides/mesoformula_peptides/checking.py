"""Whether the peptides of a session are what they say they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesoformula import Finding, Formulary, Missing, SessionQuantities, Severity, Substance
from mesoformula_peptides.peptides import Peptide, atoms, formula_of, in_hill_order


def check_sequences(quantities: SessionQuantities, formulary: Formulary) -> Iterator[Finding]:
    """
    Compare the formula of every peptide with its sequence.

    Args:
        quantities: What is injected.
        formulary: Where its substances are described.

    Yields:
        A warning where they differ; what cannot be compared is `unchecked`, with what is missing.
    """
    substances = {one.id: one for one in formulary.substances()}
    for dose in quantities.doses:
        if dose.ingredient_class != "peptide" or dose.as_moiety:
            continue
        substance = substances.get(dose.substance)
        attributes = substance.attributes if substance is not None else None
        if substance is None or not isinstance(attributes, Peptide) or attributes.sequence is None:
            yield _unchecked(dose.substance, dose.name, "sequence")
        elif substance.formula is None or not re.fullmatch(r"([A-Z][a-z]?\d*)+", substance.formula):
            yield _unchecked(dose.substance, dose.name, "formula")
        elif attributes.is_modified is None:
            yield _unchecked(dose.substance, dose.name, "modification")
        elif not attributes.is_modified:
            yield from _differing(substance, substance.formula, attributes.sequence)


def _unchecked(substance: str, name: str, fact: str) -> Finding:
    return Finding(
        "peptide-sequence",
        Severity.UNCHECKED,
        substance,
        f"whether the formula of {name} is that of its sequence was not checked",
        missing=(Missing(fact, name),),
    )


def _differing(substance: Substance, formula: str, sequence: str) -> Iterator[Finding]:
    expected = formula_of(sequence)
    if atoms(formula) != expected:
        yield Finding(
            "peptide-sequence",
            Severity.WARN,
            substance.id,
            f"{substance.name} is {formula}; its sequence {sequence} is {in_hill_order(expected)}: "
            "one of the two is wrong, or it is modified",
            substance.sources,
        )
