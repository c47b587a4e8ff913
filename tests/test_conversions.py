"""Mass, amount of substance, equivalents, international units and moieties, against published figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import molmass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import units
from mesoformula.conversions import Conversion, convert, convert_strength, iu_per_mg, moiety_factor
from mesoformula.elements import atoms, molar_mass
from mesoformula.errors import ConversionError, UnknownNameError
from mesoformula.formulary import Formulary
from mesoformula.ingredients import Activity, Substance
from mesoformula.sources import Source
from mesoformula.units import define_unit, magnitude, parse_quantity, parse_strength, quantity

Ask = Callable[..., Conversion]


@pytest.fixture
def ask(formulary: Formulary) -> Ask:
    """Convert as a person asks for it."""

    def convert_text(text: str, substance: str, to: str, as_: str | None = None) -> Conversion:
        return convert(parse_quantity(text), formulary.substance(substance), to, formulary.substance, as_)

    return convert_text


def rounds_to(value: Decimal, printed: str) -> bool:
    """Tell whether a person who rounds half up to as many decimals as are printed gets what is printed."""
    return value.quantize(Decimal(printed), ROUND_HALF_UP) == Decimal(printed)


def library_mass(formula: str) -> float:
    """Ask an independent library, which writes hydrates in its own way."""
    text = re.sub(r"\^?[0-9]?[+-]$", "", formula) if formula[-1:] in "+-" else formula
    main, *waters = re.split(r"[.·]", text)
    for water in waters:
        count, rest = re.fullmatch(r"([0-9]*)(.+)", water).groups()  # type: ignore[union-attr]
        main += f"({rest}){count}"
    return float(molmass.Formula(main).mass)


class TestWhatTheIssuePromises:
    @pytest.mark.parametrize(
        ("text", "substance", "to", "as_", "printed"),
        [
            ("113 mg", "sodium-ascorbate", "mg", "ascorbic-acid", "100.46"),
            ("5000 IU", "retinol", "µg", None, "1500"),
            ("1000 mg", "magnesium-sulfate-heptahydrate", "mEq", "magnesium", "8.11"),  # 2 mL of 500 mg/mL
            ("17.3 µg", "sodium-selenite-anhydrous", "µg", "selenium", "7.90"),
            ("643 mg", "glutathione-sodium", "mg", "glutathione", "600.08"),
            ("65.4 µg", "selenious-acid", "µg", "selenium", "40.04"),
            ("0.102 mg", "copper-chloride-dihydrate", "µg", "copper", "38.0"),
            ("1.05 mg", "zinc-chloride", "mg", "zinc", "0.5037"),
            ("1 g", "magnesium-sulfate-heptahydrate", "mg", "magnesium", "98.6"),
            ("1 g", "calcium-chloride-dihydrate", "mEq", "calcium", "13.60"),
            ("1 g", "calcium-gluconate", "mEq", "calcium", "4.65"),
        ],
    )
    def test_a_figure_is_the_published_one(
        self, ask: Ask, text: str, substance: str, to: str, as_: str | None, printed: str
    ) -> None:
        assert rounds_to(ask(text, substance, to, as_).result.magnitude, printed)

    def test_the_working_names_both_forms_their_molar_masses_and_the_factor(self, ask: Ask) -> None:
        steps = " ".join(ask("113 mg", "sodium-ascorbate", "mg", "ascorbic-acid").steps)

        for said in ("113 mg Sodium ascorbate", "176.12", "198.10", "0.88904", "Ascorbic acid"):
            assert said in steps

    def test_the_working_of_a_unit_of_activity_names_its_source(self, ask: Ask) -> None:
        steps = " ".join(ask("5000 IU", "retinol", "µg").steps)

        assert "0.3 µg" in steps
        assert "http" in steps

    @pytest.mark.parametrize("to", ["mol", "mmol", "µmol"])
    def test_a_polymer_has_no_mol(self, ask: Ask, to: str) -> None:
        with pytest.raises(ConversionError, match="polymer") as caught:
            ask("5 mg", "hyaluronic-acid", to)

        assert caught.value.code == "polymer"

    def test_a_polymer_has_no_equivalents_either(self, ask: Ask) -> None:
        with pytest.raises(ConversionError):
            ask("5 mg", "sodium-hyaluronate", "mEq", "sodium")

    @pytest.mark.parametrize("substance", ["hyaluronic-acid", "ascorbic-acid", "glycine", "phytomenadione"])
    def test_what_has_no_international_unit_says_so(self, ask: Ask, substance: str) -> None:
        for call in (("5 IU", substance, "mg"), ("5 mg", substance, "IU")):
            with pytest.raises(ConversionError, match="has no IU") as caught:
                ask(*call)
            assert caught.value.code == "activity"


class TestMoieties:
    @pytest.mark.parametrize(
        ("substance", "moiety", "factor"),
        [  # mass per mass, from published molar masses
            ("sodium-ascorbate", "ascorbic-acid", "0.88904"),
            ("thiamine-hydrochloride", "thiamine-cation", "0.78678"),
            ("thiamine-nitrate", "thiamine-cation", "0.81059"),
            ("thiamine-nitrate", "thiamine-hydrochloride", "1.03027"),
            ("cocarboxylase-tetrahydrate", "thiamine-cation", "0.53459"),
            ("cocarboxylase-tetrahydrate", "thiamine-chloride", "0.60602"),
            ("riboflavin-sodium-phosphate-anhydrous", "riboflavin", "0.78684"),
            ("riboflavin-sodium-phosphate-dihydrate", "riboflavin", "0.73172"),
            ("pyridoxine-hydrochloride", "pyridoxine", "0.82269"),
            ("sodium-pantothenate", "pantothenic-acid", "0.90887"),
            ("dexpanthenol", "pantothenic-acid", "1.06813"),
            ("calcium-pantothenate", "pantothenic-acid", "0.92013"),  # 2 × 219.235 / 476.533
            ("retinyl-acetate", "retinol", "0.87203"),
            ("retinyl-palmitate", "retinol", "0.54577"),
            ("l-lysine-hydrochloride", "l-lysine", "0.80038"),
            ("l-arginine-hydrochloride", "l-arginine", "0.82692"),
            ("glutathione-sodium", "glutathione", "0.93325"),
            ("sodium-hyaluronate", "hyaluronic-acid", "0.94522"),
            ("magnesium-sulfate-heptahydrate", "magnesium", "0.09861"),
            ("magnesium-chloride-hexahydrate", "magnesium", "0.11955"),
            ("zinc-gluconate", "zinc", "0.14348"),
            ("zinc-sulfate-heptahydrate", "zinc", "0.22737"),
            ("zinc-chloride", "zinc", "0.47973"),
            ("copper-chloride-dihydrate", "copper", "0.37274"),
            ("copper-sulfate-pentahydrate", "copper", "0.25450"),
            ("sodium-selenite-anhydrous", "selenium", "0.45662"),
            ("sodium-selenite-pentahydrate", "selenium", "0.30024"),
            ("selenious-acid", "selenium", "0.61225"),
            ("calcium-chloride-dihydrate", "calcium", "0.27261"),
            ("calcium-gluconate", "calcium", "0.09312"),
            ("sodium-fluoride", "fluoride", "0.4525"),
        ],
    )
    def test_the_factor_is_the_published_one_both_ways(
        self, formulary: Formulary, substance: str, moiety: str, factor: str
    ) -> None:
        there, _step, counted = moiety_factor(formulary.substance(substance), moiety, formulary.substance)
        back, _step, form = moiety_factor(formulary.substance(moiety), substance, formulary.substance)

        assert float(there) == pytest.approx(float(factor), rel=2e-4)
        assert float(back) == pytest.approx(1 / float(factor), rel=2e-4)
        assert (counted.id, form.id) == (moiety, substance)

    def test_a_moiety_may_weigh_more_than_what_it_comes_from(self, ask: Ask) -> None:
        result = ask("1 mg", "dexpanthenol", "mg", "pantothenic-acid").result

        assert rounds_to(result.magnitude, "1.068")

    def test_hydrates_are_kept_apart(self, formulary: Formulary, ask: Ask) -> None:
        hydrate = ask("1 g", "magnesium-sulfate-heptahydrate", "mg", "magnesium").result.magnitude
        anhydrous = ask("1 g", "magnesium-sulfate-anhydrous", "mg", "magnesium").result.magnitude

        assert rounds_to(anhydrous / hydrate, "2.05")
        with pytest.raises(ConversionError, match="not counted as"):
            ask("1 g", "magnesium-sulfate-heptahydrate", "mg", "magnesium-sulfate-anhydrous")

    def test_sodium_hyaluronate_and_hyaluronic_acid_convert_by_repeat_unit_and_say_so(self, ask: Ask) -> None:
        there = ask("32 mg", "sodium-hyaluronate", "mg", "hyaluronic-acid")
        back = ask("32 mg", "hyaluronic-acid", "mg", "sodium-hyaluronate")

        assert rounds_to(there.result.magnitude, "30.25")  # 32 × 0.94522
        assert rounds_to(back.result.magnitude, "33.85")  # 32 ÷ 0.94522
        assert "repeat unit" in " ".join(there.steps)

    def test_a_moiety_that_is_none_is_refused_and_the_known_ones_are_named(self, ask: Ask) -> None:
        with pytest.raises(ConversionError, match="ascorbic-acid") as caught:
            ask("1 mg", "sodium-ascorbate", "mg", "glycine")

        assert caught.value.code == "moiety"

    def test_a_moiety_that_nobody_knows_is_refused_with_the_nearest(self, ask: Ask) -> None:
        with pytest.raises(UnknownNameError) as caught:
            ask("1 mg", "sodium-ascorbate", "mg", "ascorbicacid")

        assert "ascorbic-acid" in caught.value.nearest

    @given(st.data())
    def test_there_and_back_is_identity(self, formulary: Formulary, data: st.DataObject) -> None:
        pairs = [
            (substance, moiety.substance)
            for substance in formulary.substances()
            for moiety in substance.moieties
            if substance.formula or substance.repeat_unit
        ]
        substance, moiety = data.draw(st.sampled_from(pairs))
        number = data.draw(st.decimals("0.000001", "1000000", places=6).filter(bool))

        there = convert(quantity(number, "mg"), substance, "µg", formulary.substance, moiety).result
        back = convert(there, formulary.substance(moiety), "mg", formulary.substance, substance.id).result

        assert abs(Fraction(back.magnitude) / Fraction(number) - 1) < Fraction(1, 10**20)

    def test_every_bundled_factor_agrees_with_an_independent_library(self, formulary: Formulary) -> None:
        found = 0
        for substance in formulary.substances():
            for moiety in substance.moieties:
                other = formulary.substance(moiety.substance)
                own, its = substance.formula or substance.repeat_unit, other.formula or other.repeat_unit
                if own is None or its is None:
                    continue
                factor, _step, _counted = moiety_factor(substance, other.id, formulary.substance)
                expected = library_mass(its) * moiety.count / library_mass(own)
                assert float(factor) == pytest.approx(expected, rel=2e-4), (substance.id, other.id)
                found += 1
        assert found >= 40

    def test_no_moiety_holds_more_of_an_element_than_the_form_has(self, formulary: Formulary) -> None:
        """A count too many would show here; hydrogen and oxygen come and go with water."""
        for substance in formulary.substances():
            for moiety in substance.moieties:
                own = substance.formula or substance.repeat_unit
                other = formulary.substance(moiety.substance)
                its = other.formula or other.repeat_unit
                if own is None or its is None:
                    continue
                have, need = atoms(own), atoms(its)
                exchanged = {"H", "O", "N", "Cl", "Na"}  # of salts and acids, and the amide of dexpanthenol
                for element in need.keys() - exchanged:
                    assert need[element] * moiety.count <= have.get(element, 0), (substance.id, other.id)


class TestAmountOfSubstance:
    @pytest.mark.parametrize(
        ("text", "substance", "to", "as_", "printed"),
        [
            ("1 g", "magnesium-sulfate-heptahydrate", "mmol", None, "4.057"),
            ("1 g", "magnesium-sulfate-heptahydrate", "mmol", "magnesium", "4.057"),
            ("5.33 µg", "chromium-chloride-hexahydrate", "µmol", "chromium", "0.020"),
            ("16.6 µg", "potassium-iodide", "µmol", "iodide", "0.10"),
            ("1.05 mg", "zinc-chloride", "µmol", "zinc", "7.7"),
            ("0.9 g", "sodium-chloride", "mmol", None, "15.40"),
        ],
    )
    def test_mol_is_mass_over_molar_mass(
        self, ask: Ask, text: str, substance: str, to: str, as_: str | None, printed: str
    ) -> None:
        assert rounds_to(ask(text, substance, to, as_).result.magnitude, printed)

    def test_mol_comes_back_as_mass(self, ask: Ask) -> None:
        assert rounds_to(ask("1 mmol", "sodium-chloride", "mg").result.magnitude, "58.44")

    def test_a_salt_with_two_of_an_ion_has_twice_as_many_mol_of_it(self, ask: Ask) -> None:
        salt = ask("1 g", "calcium-pantothenate", "mmol").result.magnitude
        acid = ask("1 g", "calcium-pantothenate", "mmol", "pantothenic-acid").result.magnitude

        assert abs(acid / salt - 2) < Decimal("1e-20")

    def test_a_substance_without_a_formula_has_no_mol(self, ask: Ask, formulary: Formulary) -> None:
        unknown = next(s for s in formulary.substances() if s.formula is None and s.repeat_unit is None)

        with pytest.raises(ConversionError) as caught:
            ask("1 mg", unknown.id, "mmol")

        assert caught.value.code == "formula"


class TestEquivalents:
    @pytest.mark.parametrize(
        ("text", "substance", "ion", "printed"),
        [
            ("1 g", "magnesium-sulfate-heptahydrate", "magnesium", "8.11"),
            ("1 g", "sodium-chloride", "sodium", "17.11"),
            ("1 g", "potassium-chloride", "potassium", "13.41"),
            ("1 g", "calcium-gluconate", "calcium", "4.65"),
            ("1 mmol", "magnesium-chloride-hexahydrate", "magnesium", "2"),
            ("1 mmol", "magnesium-chloride-hexahydrate", "chloride", "2"),
        ],
    )
    def test_equivalents_count_charges_of_the_named_ion(
        self, ask: Ask, text: str, substance: str, ion: str, printed: str
    ) -> None:
        assert rounds_to(ask(text, substance, "mEq", ion).result.magnitude, printed)

    def test_equivalents_come_back_as_mass(self, ask: Ask) -> None:
        there = ask("1 g", "magnesium-sulfate-heptahydrate", "mEq", "magnesium").result
        text = units.show(there)
        back = ask(text, "magnesium-sulfate-heptahydrate", "g", "magnesium").result

        assert abs(back.magnitude - 1) < Decimal("1e-20")

    def test_equivalents_without_an_ion_are_refused_and_the_ions_are_named(self, ask: Ask) -> None:
        with pytest.raises(ConversionError, match="magnesium") as caught:
            ask("1 g", "magnesium-sulfate-heptahydrate", "mEq")

        assert caught.value.code == "ion"

    def test_an_ion_that_the_salt_does_not_yield_is_refused(self, ask: Ask) -> None:
        with pytest.raises(ConversionError, match="magnesium") as caught:
            ask("1 g", "magnesium-sulfate-heptahydrate", "mEq", "calcium")

        assert caught.value.code == "ion"

    def test_phosphate_is_refused_without_a_ph(self, ask: Ask, formulary: Formulary) -> None:
        salts = [s.id for s in formulary.substances() if any(ion.name == "phosphate" for ion in s.ions)]
        assert salts

        for salt in salts:
            with pytest.raises(ConversionError, match="pH") as caught:
                ask("1 g", salt, "mEq", "phosphate")
            assert caught.value.code == "valence"


class TestInternationalUnits:
    @pytest.mark.parametrize(
        ("text", "substance", "to", "printed"),
        [
            ("1 IU", "retinol", "µg", "0.3"),
            ("1 IU", "retinyl-acetate", "µg", "0.344"),
            ("1 IU", "retinyl-palmitate", "µg", "0.55"),
            ("220 IU", "colecalciferol", "µg", "5.5"),
            ("40 IU", "colecalciferol", "µg", "1"),
            ("10.20 mg", "all-rac-alpha-tocopherol", "IU", "11.22"),
            ("1 mg", "all-rac-alpha-tocopheryl-acetate", "IU", "1"),
            ("1 mg", "rrr-alpha-tocopherol", "IU", "1.49"),
            ("1 mg", "rrr-alpha-tocopheryl-acetate", "IU", "1.36"),
        ],
    )
    def test_each_form_has_its_own_published_factor(
        self, ask: Ask, text: str, substance: str, to: str, printed: str
    ) -> None:
        assert rounds_to(ask(text, substance, to).result.magnitude, printed)

    def test_an_ester_may_be_counted_in_its_vitamin(self, ask: Ask) -> None:
        assert rounds_to(ask("3500 IU", "retinyl-palmitate", "µg", "retinol").result.magnitude, "1050")

    def test_units_of_two_vitamins_never_become_each_other(self, ask: Ask) -> None:
        with pytest.raises(ConversionError):
            ask("1 IU", "retinol", "IU", "rrr-alpha-tocopherol")

    def test_a_multiple_of_the_unit_is_that_many_units(self, formulary: Formulary) -> None:
        define_unit("xqkilo_international_unit = 1000 * international_unit = xqkIU")
        retinol = formulary.substance("retinol")

        mass = convert(parse_quantity("5 xqkIU"), retinol, "µg", formulary.substance).result
        back = convert(parse_quantity("1500 µg"), retinol, "xqkIU", formulary.substance).result

        assert mass.magnitude == 1500
        assert back.magnitude == 5

    def test_an_activity_that_is_not_per_mass_is_refused(self, formulary: Formulary) -> None:
        source = formulary.substance("retinol").activity.source  # type: ignore[union-attr]
        wrong = Substance("x", "X", activity=Activity(parse_strength("5 mg/mL"), source))

        with pytest.raises(ConversionError) as caught:
            iu_per_mg(wrong, formulary.substance)

        assert caught.value.code == "activity"


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "to"),
        [("5 mL", "mg"), ("5 mg", "mL"), ("5 mg", "cm"), ("5 °C", "mg"), ("5 mg/mL", "mg"), ("5 mg", "mOsm")],
    )
    def test_a_dimension_that_a_substance_does_not_come_in_is_refused(
        self, ask: Ask, text: str, to: str
    ) -> None:
        with pytest.raises(ConversionError) as caught:
            ask(text, "ascorbic-acid", to)

        assert caught.value.code == "dimension"
        assert str(caught.value).isprintable()

    def test_a_conversion_that_needs_no_substance_needs_no_fact_of_it(self, ask: Ask) -> None:
        assert ask("5 mg", "hyaluronic-acid", "µg").result.magnitude == 5000


class TestExactness:
    def test_the_callers_decimal_context_does_not_change_a_result(
        self, formulary: Formulary, ask: Ask
    ) -> None:
        calls = [
            ("113.123456789 mg", "sodium-ascorbate", "mg", "ascorbic-acid"),
            ("5000.00001 IU", "retinyl-palmitate", "µg", "retinol"),
            ("1.23456789 g", "calcium-gluconate", "mEq", "calcium"),
            ("1.23456789 g", "zinc-gluconate", "nmol", None),
            ("12345678.9 mg", "hyaluronic-acid", "g", "sodium-hyaluronate"),
        ]
        rich = [ask(*call) for call in calls]
        molar_mass.cache_clear()
        atoms.cache_clear()
        units._factor.cache_clear()
        with localcontext() as context:
            context.prec = 6
            factor, _step, _counted = moiety_factor(
                formulary.substance("magnesium"), "magnesium-sulfate-heptahydrate", formulary.substance
            )
            fraction = formulary.substance("zinc-gluconate").element_fraction("Zn")
            poor = [ask(*call) for call in calls]

        assert poor == rich
        assert len(factor.as_tuple().digits) > 20
        assert len(fraction.as_tuple().digits) > 20
        assert molar_mass("C12H17N4OS+") == Decimal("265.355")

    @given(number=st.decimals("0.001", "100000", places=3).filter(bool))
    def test_conversion_is_linear(self, formulary: Formulary, number: Decimal) -> None:
        salt = formulary.substance("sodium-ascorbate")

        one = convert(quantity(1, "mg"), salt, "mg", formulary.substance, "ascorbic-acid").result.magnitude
        many = convert(
            quantity(number, "mg"), salt, "mg", formulary.substance, "ascorbic-acid"
        ).result.magnitude

        assert abs(Fraction(many) / (Fraction(one) * Fraction(number)) - 1) < Fraction(1, 10**40)

    def test_results_are_decimal(self, ask: Ask) -> None:
        for call in (
            ("5000 IU", "retinol", "µg"),
            ("1 g", "sodium-chloride", "mmol"),
            ("5 mg", "glycine", "g"),
        ):
            assert type(ask(*call).result.magnitude) is Decimal


def test_a_strength_converts_its_amount_and_keeps_what_it_is_per(formulary: Formulary) -> None:
    strength, steps = convert_strength(
        parse_strength("500 mg/mL"),
        formulary.substance("magnesium-sulfate-heptahydrate"),
        "mmol",
        formulary.substance,
        "magnesium",
    )

    assert rounds_to(strength.amount.magnitude, "2.03")
    assert strength.per == parse_quantity("1 mL")
    assert steps


def test_an_element_makes_up_its_published_share(formulary: Formulary) -> None:
    salt = formulary.substance("magnesium-sulfate-heptahydrate")

    assert rounds_to(salt.element_fraction("Mg"), "0.0986")
    for wrong in ("Fe", "Xx"):
        with pytest.raises(KeyError):
            salt.element_fraction(wrong)
    with pytest.raises(KeyError):
        formulary.substance("hyaluronic-acid").element_fraction("C")


def test_a_source_is_what_the_working_cites() -> None:
    assert Source  # the record that Activity demands: an IU factor without one cannot be made
    with pytest.raises(TypeError):
        Activity(parse_strength("1 IU/0.3 µg"))  # type: ignore[call-arg]


def test_magnitudes_of_results_can_be_asked_for_in_any_unit(ask: Ask) -> None:
    assert magnitude(ask("5000 IU", "retinol", "µg").result, "mg") == Decimal("1.5")


@pytest.mark.parametrize(
    ("given", "to", "number", "of"),
    [
        # 8.1 mEq of magnesium are 4.05 mmol of the salt: 4.05 × 246.466 mg
        ("8.1 mEq", "mg", "998.19", "Magnesium sulfate heptahydrate"),
        ("8.1 mEq", "mmol", "4.05", "Magnesium sulfate heptahydrate"),
        ("1 g", "mEq", "8.11", "magnesium"),
    ],
)
def test_what_equivalents_become_is_named_for_what_it_counts(
    formulary: Formulary, given: str, to: str, number: str, of: str
) -> None:
    salt = formulary.substance("magnesium-sulfate-heptahydrate")
    converted = convert(parse_quantity(given), salt, to, formulary.substance, "magnesium")

    assert (str(round(converted.result.magnitude, 2)), converted.of) == (number, of)
