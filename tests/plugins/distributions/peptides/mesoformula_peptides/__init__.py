"""
Peptides: a class of ingredients with their sequences, and a check that a formula is that of its sequence.

A fictional product shows how a catalogue uses the class.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

from mesoformula import Finding, Formulary, IngredientClass, SessionQuantities, hookimpl

mesoformula_contract = "1.2"


@hookimpl
def mesoformula_ingredient_classes() -> Iterable[IngredientClass]:
    from mesoformula_peptides.peptides import Peptide

    return [IngredientClass("peptide", "peptide", "signals to cells", Peptide)]


@hookimpl
def mesoformula_catalogues() -> Iterable[Traversable]:
    return [files(__name__) / "catalogue"]


@hookimpl
def mesoformula_check_session(quantities: SessionQuantities, formulary: Formulary) -> Iterable[Finding]:
    from mesoformula_peptides.checking import check_sequences

    return check_sequences(quantities, formulary)
