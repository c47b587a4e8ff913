"""Molar masses, against those that references print and against an independent library."""

from __future__ import annotations

from decimal import Decimal, localcontext

import molmass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.elements import ATOMIC_WEIGHTS, atoms, molar_mass
from mesoformula.errors import ConversionError


@pytest.mark.parametrize("element", sorted(ATOMIC_WEIGHTS))
def test_atomic_weights_are_those_of_an_independent_table(element: str) -> None:
    assert float(ATOMIC_WEIGHTS[element]) == pytest.approx(molmass.ELEMENTS[element].mass, rel=2e-4)


@pytest.mark.parametrize(
    ("formula", "printed"),
    [  # as PubChem and the pharmacopoeias print them
        ("C6H8O6", "176.12"),
        ("C6H7NaO6", "198.11"),
        ("C9H19NO4", "205.25"),
        ("C9H17NO5", "219.23"),
        ("C20H30O", "286.5"),
        ("MgSO4.7H2O", "246.5"),
        ("MgSO4·7H2O", "246.5"),
        ("MgSO4", "120.37"),
        ("Na2SeO3", "172.95"),
        ("Na2SeO3.5H2O", "263.0"),
        ("CuCl2.2H2O", "170.5"),
        ("Ca(C6H11O7)2", "430.4"),
        ("C63H88CoN14O14P", "1355.4"),
        ("C12H17N4OS+", "265.35"),
        ("((CH3)2CH)2O", "102.17"),
        ("H2O", "18.015"),
    ],
)
def test_a_molar_mass_is_the_one_that_references_print(formula: str, printed: str) -> None:
    # The conventional atomic weight of sulfur is 32.06; references differ from it in the fifth figure.
    assert float(molar_mass(formula)) == pytest.approx(float(printed), rel=2e-4)


def test_a_hydrate_counts_its_water() -> None:
    assert atoms("MgSO4.7H2O") == {"Mg": 1, "S": 1, "O": 11, "H": 14}


def test_groups_multiply() -> None:
    assert atoms("Ca(C6H11O7)2") == {"Ca": 1, "C": 12, "H": 22, "O": 14}
    assert atoms("((CH3)2N)3P") == {"C": 6, "H": 18, "N": 3, "P": 1}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("Na+", {"Na": 1}),
        ("Cl-", {"Cl": 1}),
        ("NH4^+", {"N": 1, "H": 4}),
        ("SO4^2-", {"S": 1, "O": 4}),
        ("C12H17N4OS+", {"C": 12, "H": 17, "N": 4, "O": 1, "S": 1}),
    ],
)
def test_a_charge_is_no_atom(formula: str, expected: dict[str, int]) -> None:
    assert atoms(formula) == expected


@pytest.mark.parametrize("formula", ["NH4+", "SO42-", "C7H16NO2+"])
def test_a_charge_after_a_count_is_refused_since_it_may_be_read_in_two_ways(formula: str) -> None:
    with pytest.raises(ConversionError, match=r"SO4\^2-") as caught:
        atoms(formula)

    assert caught.value.code == "formula"


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "+",
        ".",
        "7H2O.",
        "Xx2",
        "mgso4",
        "MgSO4)",
        "(MgSO4",
        "()",
        "H-O",
        "Mg SO4",
        "C6H8O6!",
        "2",
        "💉",
        "H2O\nC6",
        "H２O",
        "C0",
        "0H2O",
        "H01",
        "H99999",
        "H" + "9" * 1999,
        "(" * 1000,
        "D2O",
    ],
)
def test_what_is_no_formula_is_refused(formula: str) -> None:
    with pytest.raises(ConversionError) as caught:
        atoms(formula)

    assert caught.value.code == "formula"
    assert str(caught.value).isprintable()


@given(st.text(alphabet="CHNOMgSa0123456789().·^+- \n", max_size=30))
def test_any_text_is_a_formula_with_atoms_or_is_refused(text: str) -> None:
    try:
        counts = atoms(text)
    except ConversionError:
        return
    assert counts
    assert all(count > 0 for count in counts.values())
    assert molar_mass(text) > 0


def test_a_molar_mass_does_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 4
        mass = molar_mass("C6H7NaO6NaNaF")  # no other test asks for it: nothing is remembered yet

    # 6 × 12.011 + 7 × 1.008 + 3 × 22.98976928 + 6 × 15.999 + 18.998403162
    assert mass == Decimal("263.083711002")
