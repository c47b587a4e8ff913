"""Every bundled substance: its formula, its numbers and its ids, against independent references."""

from __future__ import annotations

import re

import attrs
import molmass
import pytest

from mesoformula.formulary import Formulary
from mesoformula.units import kind_of


def independent_mass(formula: str) -> float:
    """Ask the molmass library, which writes a hydrate's water in brackets and knows no charge sign."""
    main, *waters = re.split(r"[.·]", re.sub(r"(\^[0-9]?)?[+-]$", "", formula))
    for water in waters:
        match = re.fullmatch(r"([0-9]*)(.+)", water)
        assert match is not None
        main += f"({match[2]}){match[1]}"
    return float(molmass.Formula(main).mass)


def check_digit_holds(number: str) -> bool:
    """Verify a CAS number as the registry describes it, place by place from the right."""
    first, second, check = number.split("-")
    total, weight = 0, 1
    for char in (first + second)[::-1]:
        total += weight * int(char)
        weight += 1
    return str(total)[-1] == check


def test_the_oracles_know_what_they_are_for() -> None:
    assert independent_mass("MgSO4.7H2O") == pytest.approx(246.47, abs=0.02)
    assert independent_mass("C12H17N4OS+") == pytest.approx(265.35, abs=0.02)
    assert check_digit_holds("7732-18-5")
    assert not check_digit_holds("7732-18-6")


def test_every_class_of_the_core_has_substances(formulary: Formulary) -> None:
    found = {substance.ingredient_class for substance in formulary.substances()}

    assert found >= set(formulary.classes)


def test_no_two_substances_share_a_registry_number(formulary: Formulary) -> None:
    """Two forms under one number would be one form, or a mix-up of salt, hydrate or stereoisomer."""
    for field in ("cas", "unii", "pubchem"):
        seen: dict[object, str] = {}
        for substance in formulary.substances():
            number = getattr(substance, field)
            if number is not None:
                assert seen.setdefault(number, substance.id) == substance.id, (field, number)


def test_no_two_substances_share_a_name(formulary: Formulary) -> None:
    names = [substance.name.casefold() for substance in formulary.substances()]

    assert len(names) == len(set(names))


class TestEverySubstance:
    def test_is_found_by_its_id(self, formulary: Formulary, substance_id: str) -> None:
        substance = formulary.substance(substance_id)

        assert substance.id == substance_id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", substance_id)
        assert substance.name.strip() == substance.name

    def test_weighs_what_an_independent_library_says(self, formulary: Formulary, substance_id: str) -> None:
        substance = formulary.substance(substance_id)
        if substance.formula is not None:
            assert float(substance.molar_mass or 0) == pytest.approx(
                independent_mass(substance.formula), rel=2e-4
            )
        else:
            assert substance.molar_mass is None

    def test_has_a_cas_number_whose_check_digit_holds(self, formulary: Formulary, substance_id: str) -> None:
        number = formulary.substance(substance_id).cas
        if number is not None:
            assert check_digit_holds(number)

    def test_has_a_source_where_it_claims_a_number(self, formulary: Formulary, substance_id: str) -> None:
        substance = formulary.substance(substance_id)
        if substance.cas or substance.unii or substance.pubchem:
            assert substance.sources

    def test_belongs_to_a_class_and_has_no_attributes_of_another(
        self, formulary: Formulary, substance_id: str
    ) -> None:
        substance = formulary.substance(substance_id)
        if substance.attributes is not None:
            assert substance.ingredient_class is not None
            assert isinstance(substance.attributes, formulary.classes[substance.ingredient_class].attributes)

    def test_has_moieties_that_are_described(self, formulary: Formulary, substance_id: str) -> None:
        for moiety in formulary.substance(substance_id).moieties:
            assert formulary.substance(moiety.substance).id != substance_id

    def test_has_an_activity_per_mass_with_a_source(self, formulary: Formulary, substance_id: str) -> None:
        activity = formulary.substance(substance_id).activity
        if activity is not None:
            assert kind_of(activity.per.amount.units) == "activity"
            assert activity.per.per is not None
            assert kind_of(activity.per.per.units) == "mass"
            assert activity.source.where

    def test_is_neutral_where_its_ions_are_known_in_full(
        self, formulary: Formulary, substance_id: str
    ) -> None:
        """Of a salt with two known ions, the charges balance."""
        ions = formulary.substance(substance_id).ions
        signs = {"sodium": 1, "potassium": 1, "magnesium": 1, "calcium": 1, "zinc": 1, "copper": 1, "iron": 1,
                 "manganese": 1, "chromium": 1}  # fmt: skip
        if (
            len(ions) == 2
            and sum(ion.name in signs for ion in ions) == 1
            and all(ion.valence for ion in ions)
        ):
            charges = [ion.count * (ion.valence or 0) for ion in ions]
            assert charges[0] == charges[1]


def test_hydrates_are_entries_of_their_own_and_say_how_much_water_they_hold(formulary: Formulary) -> None:
    found = 0
    for substance in formulary.substances():
        match = re.search(r"[.·]([0-9]*)H2O$", substance.formula or "")
        water = getattr(substance.attributes, "hydrate", None)
        if match is not None and water is not None:
            assert water == int(match[1] or 1), substance.id
            found += 1
    assert found >= 5


def test_records_of_one_kind_are_all_frozen(formulary: Formulary) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        formulary.substance("retinol").name = "other"  # type: ignore[misc]


def test_an_element_that_labels_count_is_counted_in_everything_that_holds_it(formulary: Formulary) -> None:
    """A sum over all forms that leaves one out would be a wrong number that looks exact."""
    from mesoformula.elements import atoms

    counted = {moiety.substance for one in formulary.substances() for moiety in one.moieties}
    elements = {
        one.id: next(iter(atoms(one.formula)))
        for one in formulary.substances()
        if one.id in counted and one.formula is not None and len(atoms(one.formula)) == 1
    }
    missing = {
        (one.id, element)
        for one in formulary.substances()
        for element, symbol in elements.items()
        if one.id != element
        and (text := one.formula or one.repeat_unit) is not None
        and symbol in atoms(text)
        and {moiety.substance: moiety.count for moiety in one.moieties}.get(element) != atoms(text)[symbol]
    }

    assert "sodium" in elements
    assert missing == set()


def test_forms_of_one_moiety_are_counted_in_the_same_others(formulary: Formulary) -> None:
    """What one thiamine salt is counted in, every thiamine salt is."""
    by_id = {one.id: {moiety.substance for moiety in one.moieties} for one in formulary.substances()}
    for form, moieties in by_id.items():
        for target in moieties:
            shared = by_id[target] & moieties if by_id[target] else set()
            for other, others in by_id.items():
                if other != target and shared & others and other != form:
                    assert target in others, (form, target, other)
