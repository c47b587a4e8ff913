from collections import Counter

import attrs
import mesoformula_peptides
import pytest
from mesoformula_peptides.peptides import RESIDUES, Peptide, atoms, formula_of, in_hill_order

from mesoformula import Session
from mesoformula.app import App
from mesoformula.testing import (
    CatalogueConformance,
    ChecksConformance,
    IngredientClassConformance,
    PluginConformance,
)


class TestPeptides(PluginConformance, CatalogueConformance, ChecksConformance, IngredientClassConformance):
    @pytest.fixture
    def plugin(self):
        return mesoformula_peptides


def test_a_formula_follows_from_a_sequence():
    # Oxytocin, C43H66N12O12S2 in PubChem, without its disulfide bond (two hydrogens more) and its amide.
    assert in_hill_order(formula_of("CYIQNCPLG")) == "C43H67N11O13S2"
    assert atoms("C14H24N6O4") == Counter({"C": 14, "H": 24, "N": 6, "O": 4})
    assert len(RESIDUES) == 20


def test_a_sequence_that_disagrees_with_the_formula_is_found():
    app = App()
    answer = app.work_out(Session(app.formula("peptix-neat")))
    found = [one for one in answer.findings if one.code == "peptide-sequence"]

    assert [(one.severity.value, one.subject) for one in found] == [
        ("warn", "peptix-ghk-mistyped"),
        ("unchecked", "peptide"),
    ]
    assert "its sequence GHK is C14H24N6O4" in found[0].message


def test_what_is_not_known_of_a_peptide_is_unchecked():
    assert attrs.asdict(Peptide()) == {"sequence": None, "is_modified": None}
