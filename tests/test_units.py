"""The strict grammar, and the one registry behind it."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesoformula import units
from mesoformula.errors import QuantityError
from mesoformula.units import (
    EXAMPLES,
    Strength,
    define_unit,
    kind_of,
    known_units,
    magnitude,
    parse_quantity,
    parse_strength,
    plain,
    quantity,
    registry,
    show,
    symbol,
    unit,
)

MASSES = {"kg": 10**3, "g": 1, "mg": Fraction(1, 10**3), "µg": Fraction(1, 10**6), "ng": Fraction(1, 10**9)}
VOLUMES = {"L": 1, "dL": Fraction(1, 10), "mL": Fraction(1, 10**3), "µL": Fraction(1, 10**6)}


def refusal(text: object, dimension: str | None = None, *, strength: bool = False) -> QuantityError | None:
    """Parse, and return the refusal, if it is one; every refusal is one short line that prints."""
    try:
        if strength:
            parse_strength(text)  # type: ignore[arg-type]
        else:
            parse_quantity(text, dimension)  # type: ignore[arg-type]
    except QuantityError as err:
        error = err
    else:
        return None
    assert str(error).isprintable()
    assert len(str(error)) <= 400
    assert error.code
    return error


def refused(text: object, dimension: str | None = None, *, strength: bool = False) -> QuantityError:
    error = refusal(text, dimension, strength=strength)
    assert error is not None, f"{text!r:.80} is taken"
    return error


class TestRefusals:
    """What the grammar refuses, it refuses with the right form."""

    @pytest.mark.parametrize(
        ("text", "code", "right_form"),
        [
            ("5,5 mg", "decimal-comma", "'5.5 mg'"),
            ("0,125 mg", "decimal-comma", "'0.125 mg'"),
            ("5,5 mg/2,5 mL", "decimal-comma", "'5.5 mg/2.5 mL'"),
            ("1,000 mg", "decimal-comma", "'1000 mg' or '1.000 mg'"),
            ("1,000 mg/0.5 mL", "decimal-comma", "'1000 mg/0.5 mL'"),
            ("1,000.5 mg", "decimal-comma", "'1000.5 mg'"),
            ("1,000,000 mg", "decimal-comma", "'1000000 mg'"),
            ("1,000 mg/5,5 mL", "decimal-comma", "such as '5 mg'"),
            ("1.000,5 mg", "decimal-comma", "such as '5 mg'"),
            ("20 %", "basis", "'20 % w/v'"),
            ("20%", "basis", "'20 % w/v'"),
            ("%", "basis", "'20 % w/v'"),
            ("1:1000", "basis", "'1:1000 w/v'"),
            ("5 mg / / mL", "grammar", "'5 mg/2 mL'"),
            ("nan mL", "not-finite", "'5 mg'"),
            ("NaN mL", "not-finite", "'5 mg'"),
            ("-nan mL", "not-finite", "'5 mg'"),
            ("inf mg", "not-finite", "'5 mg'"),
            ("infinity mg", "not-finite", "'5 mg'"),
            ("-3 mL", "negative", "'3 mL'"),
            ("- 3 mL", "negative", "'3 mL'"),
            ("−3 mL", "negative", "'3 mL'"),
            ("9**9**9 mg", "calculation", "'5 mg'"),
            ("2^3 mg", "calculation", "'5 mg'"),
            ("2*3 mg", "calculation", "'5 mg'"),
            ("1e999 mg", "exponent", "'5 mg'"),
            ("1e-3 mg", "exponent", "'5 mg'"),
            ("1E5 mg", "exponent", "'5 mg'"),
            ("5", "bare", "'5 mg'"),
            ("0.5", "bare", "'0.5 mg'"),
            ("💉", "grammar", "'5 mg'"),
            ("5 💉", "grammar", "'5 mg'"),
            ("5 mg%", "percent", "'5 mg/100 mL'"),
            ("9 ‰", "percent", "'9 mg/mL'"),
            ("5 pg", "picograms", "'5 µg'"),
            ("5 cc", "unit", "mL"),
            ("5 gr", "unit", "g or mg"),
            ("5 gm", "unit", "write g"),
            ("2 months", "unit", "'28 d'"),
            ("5 ppm", "unit", "'5 mg/kg'"),
            ("5 MG", "unit", "mg"),
            ("5 mgg", "unit", "mg"),
            ("5 iu", "unit", "IU"),
            ("5 IE", "unit", "IU"),
            ("25 C", "unit", "°C"),
            ("５ mg", "digits", "0 to 9"),
            ("٥ mg", "digits", "0 to 9"),
            ("５,５ mg", "digits", "0 to 9"),
            ("007 mg", "leading-zero", "'7 mg'"),
            (".5 mg", "leading-zero", "'0.5 mg'"),
            ("1 000 mg", "grouping", "'1000 mg'"),
            ("1'000 mg", "grouping", "'1000 mg'"),
            ("1_000 mg", "grouping", "'1000 mg'"),
            ("1000000000000000 mg", "range", "between"),
            ("0.0000000000000001 mg", "range", "between"),
            ("0.000001 mg/1000000000 mL", "range", "between"),
            ("5 mg/0 mL", "zero", "per 0"),
            ("", "empty", "'5 mg'"),
            ("   ", "empty", "'5 mg'"),
            ("5 mg\n", "characters", "'5 mg'"),
            ("5\nmg", "characters", "'5 mg'"),
            ("5\tmg", "characters", "'5 mg'"),
            ("5\x1fmg", "characters", "'5 mg'"),
            ("5 mg\x00", "characters", "'5 mg'"),
            ("5 m\u200bg", "characters", "'5 mg'"),
            ("5\u3000mg", "characters", "'5 mg'"),
            ("\u202e5 mg", "characters", "'5 mg'"),
            ("5 mg\x1b[2J", "characters", "'5 mg'"),
            ("5 mg mL", "grammar", "'5 mg'"),
            ("5 mg to 6 mg", "grammar", "'5 mg'"),
            ("mg", "grammar", "'5 mg'"),
            ("mg 5", "grammar", "'5 mg'"),
            ("five mg", "grammar", "'5 mg'"),
            ("5 mg + 5 mg", "grammar", "'5 mg'"),
            ("5 mg; import os", "grammar", "'5 mg'"),
            ("+5 mg", "grammar", "'5 mg'"),
            ("~5 mg", "grammar", "'5 mg'"),
            ("5 milligram", "unit", "mg"),
        ],
    )
    def test_is_refused_with_the_right_form(self, text: str, code: str, right_form: str) -> None:
        error = refused(text)

        assert error.code == code
        assert right_form in str(error)

    @pytest.mark.parametrize("word", ["U", "u", "unit", "units", "Units", "MU", "kU", "E"])
    def test_a_unit_of_activity_without_a_standard_is_refused_and_never_taken_for_iu(self, word: str) -> None:
        error = refused(f"100 {word}")

        assert error.code == "activity"
        assert "product or a standard" in str(error)
        assert "IU" not in str(error)

    @pytest.mark.parametrize(
        "junk",
        [
            "5" * 1_000_000,
            "5" * 1_000_000 + " mg",
            "💉" * 250_000,
            "," * 1_000_000,
            "1,000" * 200_000,
            " " * 1_000_000 + "\n",
            "(" * 1_000_000,
        ],
    )
    def test_a_megabyte_is_refused_by_its_length_before_anything_else(self, junk: str) -> None:
        assert refused(junk).code == "long"
        assert refused(junk, strength=True).code == "long"

    def test_more_digits_than_anybody_measures_are_refused(self) -> None:
        assert refused("0." + "1" * 80 + " mg").code == "long"

    @pytest.mark.parametrize("value", [None, 5, 5.5, b"5 mg", Decimal(5), ["5 mg"], True])
    def test_what_is_no_text_is_refused(self, value: object) -> None:
        assert refused(value).code == "type"

    @pytest.mark.parametrize(
        ("text", "dimension"),
        [
            ("5 mL", "mass"),
            ("5 mg", "volume"),
            ("5 mg/mL", "mass"),
            ("5 mg", "temperature"),
            ("5 cm", "area"),
            ("5 IU", "mass"),
            ("5 mmol", "equivalents"),
            ("20 % w/v", "mass"),
            ("1:1000 w/v", "volume"),
        ],
    )
    def test_a_quantity_of_another_dimension_is_refused_with_an_example(
        self, text: str, dimension: str
    ) -> None:
        error = refused(text, dimension)

        assert error.code == "dimension"
        assert EXAMPLES[dimension] in str(error)

    @pytest.mark.parametrize("text", ["5 mg/cm", "5 °C/mL", "5 mL/d", "5 d/d"])
    def test_a_compound_that_means_nothing_is_refused(self, text: str) -> None:
        assert refused(text).code == "dimension"

    @given(st.text(max_size=120))
    @example("5\x85mg")
    @example("5 mg per 0 mL")
    @example("1,1,1 mg")
    @example("５,５ mg")
    def test_any_text_is_a_quantity_or_is_refused(self, text: str) -> None:
        if refusal(text) is None:
            value = parse_quantity(text)
            assert type(value.magnitude) is Decimal
            assert value.magnitude.is_finite()

    @given(
        st.from_regex(r"\A[0-9]{1,4}([.,][0-9]{1,4}){0,3} ?mg ?(/ ?([0-9]{1,2}([.,][0-9]{1,3})?)? ?mL)?\Z")
    )
    @example("1,000 mg/5,5 mL")
    @example("1,000.5 mg")
    @example("1,2,3 mg")
    @example("0,125 mg")
    def test_what_is_suggested_for_a_comma_is_taken(self, text: str) -> None:
        error = refusal(text)
        if error is not None and error.code == "decimal-comma":
            suggestions = re.findall(r"'([^']*)'", str(error).partition("write ")[2])
            assert suggestions
            for suggestion in suggestions:
                again = refusal(suggestion)
                # A part of it may be wrong in another way, such as 007 or nothing per 0.
                assert again is None or again.code in {"leading-zero", "zero", "dimension"}, suggestion


class TestQuantities:
    """A quantity is exactly what was written."""

    @pytest.mark.parametrize(
        ("text", "number", "sign"),
        [
            ("5 mg", "5", "mg"),
            ("5mg", "5", "mg"),
            ("5.50 mg", "5.50", "mg"),
            ("0 mL", "0", "mL"),
            ("60 ug", "60", "µg"),
            ("60 mcg", "60", "µg"),
            ("60 μg", "60", "µg"),  # the Greek letter instead of the micro sign
            ("2 ml", "2", "mL"),
            ("150 cm2", "150", "cm²"),
            ("150 cm²", "150", "cm²"),
            ("25 °C", "25", "°C"),
            ("28 days", "28", "d"),
            ("1.05 g/mL", "1.05", "g/mL"),
            ("1.05 g per mL", "1.05", "g/mL"),
            ("0.05 mL/point", "0.05", "mL/point"),
            ("1 point/cm²", "1", "point/cm²"),
            ("490 mosmol/kg", "490", "mOsm/kg"),
            ("1.1 IU/mg", "1.1", "IU/mg"),
            ("8.1 mEq", "8.1", "mEq"),
            ("500 mg/5 mL", "100", "mg/mL"),
        ],
    )
    def test_is_read_exactly(self, text: str, number: str, sign: str) -> None:
        value = parse_quantity(text)

        assert value.magnitude == Decimal(number)
        assert symbol(value.units) == sign

    @pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009", " ", "", "  "])
    def test_any_blank_that_a_text_program_writes_may_stand_before_the_unit(self, space: str) -> None:
        assert show(parse_quantity(f"5{space}mg")) == "5 mg"

    @pytest.mark.parametrize(("dimension", "text"), EXAMPLES.items())
    def test_the_example_of_each_dimension_is_right(self, dimension: str, text: str) -> None:
        assert kind_of(parse_quantity(text, dimension).units) == dimension

    def test_trailing_zeros_stay_since_they_tell_how_exactly_a_label_prints(self) -> None:
        assert parse_quantity("11.20 IU").magnitude.as_tuple().exponent == -2

    def test_picograms_are_taken_where_they_are_believable(self) -> None:
        assert show(parse_quantity("5 pg", picograms=True)) == "5 pg"

    @given(
        st.decimals("0.000000000001", "1000000000000", allow_nan=False, allow_infinity=False, places=12),
        st.sampled_from([*known_units(), "g/mL", "IU/mg", "point/cm²", "mOsm/kg"]),
    )
    def test_what_show_writes_is_read_back_equal(self, number: Decimal, spelling: str) -> None:
        value = quantity(number, spelling)
        again = parse_quantity(show(value), picograms=True)

        assert again.magnitude == value.magnitude
        assert again.units == value.units

    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_what_is_left_of_a_division_is_read_back_equal_and_is_exact_to_forty_digits(
        self, top: int, bottom: int
    ) -> None:
        value = parse_quantity(f"{top} mg/{bottom} mL")

        assert abs(Fraction(value.magnitude) / Fraction(top, bottom) - 1) < Fraction(1, 10**40)
        assert parse_quantity(show(value)) == value

    def test_the_callers_decimal_context_does_not_change_what_is_read(self) -> None:
        with localcontext() as context:
            context.prec = 3
            value = parse_quantity("1 mg/3 mL")
            strength = parse_strength("123.456789 mg/1.23456789 mL")

        assert abs(Fraction(value.magnitude) * 3 - 1) < Fraction(1, 10**40)
        assert strength.amount.magnitude == Decimal("123.456789")
        assert strength.per is not None
        assert strength.per.magnitude == Decimal("1.23456789")


class TestStrengths:
    """How much in how much."""

    @pytest.mark.parametrize(
        ("text", "amount", "per", "basis"),
        [
            ("5 mg/mL", "5 mg", "1 mL", None),
            ("500 mg/5 mL", "500 mg", "5 mL", None),
            ("500 mg / 5 mL", "500 mg", "5 mL", None),
            ("500 mg per 5 mL", "500 mg", "5 mL", None),
            ("20 % w/v", "20 g", "100 mL", "w/v"),
            ("20% w/v", "20 g", "100 mL", "w/v"),
            ("2 % w/w", "2 g", "100 g", "w/w"),
            ("70 % v/v", "70 mL", "100 mL", "v/v"),
            ("1:1000 w/v", "1 g", "1000 mL", "w/v"),
            ("1 : 1000 w/w", "1 g", "1000 g", "w/w"),
            ("1:4 v/v", "1 mL", "4 mL", "v/v"),
            ("15 mg/g", "15 mg", "1 g", None),
            ("2 mmol/mL", "2 mmol", "1 mL", None),
            ("8.1 mEq/g", "8.1 mEq", "1 g", None),
            ("1500 IU/mL", "1500 IU", "1 mL", None),
            ("60 µg per container", "60 µg", None, None),
            ("60 µg/container", "60 µg", None, None),
            ("60 µg per vial", "60 µg", None, None),
            ("113 mg per ampoule", "113 mg", None, None),
            ("1 IU/0.3 µg", "1 IU", "0.3 µg", None),
        ],
    )
    def test_is_read_exactly(self, text: str, amount: str, per: str | None, basis: str | None) -> None:
        strength = parse_strength(text)

        assert show(strength.amount) == amount
        assert (None if strength.per is None else show(strength.per)) == per
        assert strength.basis == basis
        assert strength.written == text

    @pytest.mark.parametrize(
        ("percentage", "mass_per_volume"),
        [
            ("20 % w/v", "200 mg/mL"),
            ("0.9 % w/v", "9 mg/mL"),
            ("1:1000 w/v", "1 mg/mL"),
            ("1:100000 w/v", "10 µg/mL"),
            ("50 % w/v", "500 mg/mL"),
        ],
    )
    def test_a_percentage_or_ratio_by_volume_is_grams_per_so_many_millilitres(
        self, percentage: str, mass_per_volume: str
    ) -> None:
        left, right = parse_strength(percentage), parse_strength(mass_per_volume)
        assert left.per is not None
        assert right.per is not None

        assert left.amount * right.per == right.amount * left.per

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("20 %", "basis"),
            ("1:1000", "basis"),
            ("5 mg", "basis"),
            ("5 mg per 2 containers", "basis"),
            ("120 % w/v", "range"),
            ("0 mg/mL", "zero"),
            ("5 mg/0 mL", "zero"),
            ("0 % w/v", "zero"),
            ("1:0 w/v", "zero"),
            ("5 mg/cm²", "dimension"),
            ("5 mg/d", "dimension"),
            ("5 cm/mL", "dimension"),
            ("5 °C/mL", "dimension"),
            ("5 d/mL", "dimension"),
            ("5 points/mL", "dimension"),
            ("5 pg/mL", "picograms"),
            ("5 U/mL", "activity"),
            ("5,5 mg/mL", "decimal-comma"),
            ("5 mg%", "percent"),
            ("5", "bare"),
            ("2:1000 w/v", "grammar"),
            ("5 mg//mL", "grammar"),
            ("5\nmg/mL", "characters"),
            ("5\n mg", "characters"),
            ("1e3 mg/mL", "exponent"),
            ("-5 mg/mL", "negative"),
            ("nan mg/mL", "not-finite"),
            ("１:1000 w/v", "digits"),
        ],
    )
    def test_what_is_no_strength_is_refused(self, text: str, code: str) -> None:
        assert refused(text, strength=True).code == code

    def test_a_mass_alone_is_told_how_to_become_a_strength(self) -> None:
        said = str(refused("5 mg", strength=True))

        assert "'5 mg/mL'" in said
        assert "'5 mg per container'" in said

    @given(st.text(max_size=120))
    def test_any_text_is_a_strength_or_is_refused(self, text: str) -> None:
        if refusal(text, strength=True) is None:
            strength = parse_strength(text)
            assert type(strength.amount.magnitude) is Decimal
            assert strength.amount.magnitude > 0

    @given(
        st.decimals("0.000001", "1000000", places=6).filter(bool),
        st.sampled_from(["mg", "µg", "g", "mmol", "mEq", "IU", "mL"]),
        st.sampled_from(["1 mL", "5 mL", "2.5 mL", "100 g", "container"]),
    )
    def test_a_strength_as_it_is_written_is_read_back_equal(
        self, number: Decimal, sign: str, per: str
    ) -> None:
        strength = parse_strength(f"{number:f} {sign} per {per}")
        again = parse_strength(str(strength))

        assert again.amount == strength.amount
        assert again.per == strength.per


class TestRegistry:
    """There is one registry, in Decimal, and what it knows stays as it is."""

    def test_a_tenth_of_a_millilitre_three_times_is_three_tenths(self) -> None:
        assert parse_quantity("0.1 mL") * 3 == parse_quantity("0.3 mL")
        assert show(parse_quantity("0.1 mL") * 3) == "0.3 mL"

    def test_there_is_one_registry(self) -> None:
        assert registry() is registry()
        assert parse_quantity("1 mg") + quantity(1, "mg") == quantity("2", "mg")

    @pytest.mark.parametrize("value", [0.1, 5.0, float("nan")])
    def test_a_binary_float_never_becomes_a_quantity(self, value: float) -> None:
        with pytest.raises(TypeError, match="binary float"):
            quantity(value, "mg")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "definition",
        [
            "international_unit = 3 * milligram = IU",
            "milligram = 5 * gram = mg",
            "new_name = 3 * milligram = IU",
            "new_name = 3 * gram = xmg = mg",
            "new_name = 3 * gram = milligram",
            "IU = 3 * milligram",
            "mL = 3 * milligram",
            "gram = [mass] = g",
        ],
    )
    def test_a_unit_is_never_redefined(self, definition: str) -> None:
        with pytest.raises(QuantityError) as caught:
            define_unit(definition)

        assert caught.value.code == "taken"
        assert parse_quantity("1 g") == parse_quantity("1000 mg")
        assert magnitude(parse_quantity("1 IU"), "IU") == 1

    def test_a_unit_can_be_added_once_with_a_dimension_of_its_own(self) -> None:
        define_unit("xqa_unit = [xqa_activity] = XQA")

        assert show(parse_quantity("5 XQA")) == "5 XQA"
        assert parse_quantity("5 XQA").dimensionality != parse_quantity("5 IU").dimensionality
        with pytest.raises(QuantityError) as caught:
            define_unit("xqa_unit = [xqa_activity] = XQA")
        assert caught.value.code == "taken"

    def test_a_strength_may_be_told_in_the_unit_that_a_product_declares(self) -> None:
        define_unit("xqb_unit = [xqb_activity] = XQB")

        strength = parse_strength("50 XQB/mL")

        assert show(strength.amount) == "50 XQB"
        assert show(parse_strength("100 XQB per vial").amount) == "100 XQB"

    @pytest.mark.parametrize(
        "definition",
        [
            "U = [xqc_activity]",
            "unit = [xqc_activity]",
            "xqc = [xqc_activity] = U",
            "xqc = [xqc_activity] = XQC = E",
        ],
    )
    def test_u_never_becomes_a_unit(self, definition: str) -> None:
        with pytest.raises(QuantityError) as caught:
            define_unit(definition)

        assert caught.value.code == "unit"
        assert refused("100 U").code == "activity"

    @pytest.mark.parametrize(
        "definition",
        [
            "",
            "xqd",
            "=",
            " = = ",
            "xqd = [a] = X Q",
            "xqd = [a] = x9",
            "xqd = [a] = _",
            "xqd_ = [xqd]",
            "kilo- = 1000 = k-",
            "@alias mg = mgg",
            "[xqd] = [mass]",
            "xqd = 3 * nothing = XQD",
            "xqd = [a] = X\nmg = 5 * gram",
            "x" * 300 + " = [a]",
            "xqd = 1 / 0 = XQD",
            "import os = 1",
            "9 = [a]",
        ],
    )
    def test_what_is_no_definition_is_refused_and_leaves_nothing_behind(self, definition: str) -> None:
        before = set(known_units())
        with pytest.raises(QuantityError) as caught:
            define_unit(definition)

        assert caught.value.code in {"unit", "taken"}
        assert str(caught.value).isprintable()
        assert set(known_units()) == before

    def test_only_units_that_are_listed_exist(self) -> None:
        text = units.files("mesoformula").joinpath("units.txt").read_text(encoding="utf-8")
        listed = {
            word.strip()
            for line in text.splitlines()
            if "=" in line and not line.startswith("#")
            for word in line.split("=")[2:]
        }

        assert listed <= set(known_units())
        assert {"Mg", "hg", "kilogram", "megagram", "pint", "ounce", "enzyme_unit"}.isdisjoint(known_units())

    @pytest.mark.parametrize("spelling", [*MASSES, *VOLUMES])
    def test_factors_are_powers_of_ten(self, spelling: str) -> None:
        table, base = (MASSES, "g") if spelling in MASSES else (VOLUMES, "L")

        assert Fraction(magnitude(quantity(1, spelling), base)) == table[spelling]

    @pytest.mark.parametrize(
        ("text", "spelling", "number"),
        [
            ("1 L", "mL", "1000"),
            ("1 mL", "µL", "1000"),
            ("1 cm²", "mm²", "100"),
            ("1 m²", "cm²", "10000"),
            ("1 d", "h", "24"),
            ("1 week", "d", "7"),
            ("1 h", "min", "60"),
            ("1 mmol", "µmol", "1000"),
            ("1 Eq", "mEq", "1000"),
            ("1 Osm", "mOsm", "1000"),
            ("1 kDa", "Da", "1000"),
            ("1 g/mL", "mg/mL", "1000"),
            ("1 mg/mL", "g/L", "1"),
        ],
    )
    def test_units_of_one_dimension_convert(self, text: str, spelling: str, number: str) -> None:
        assert magnitude(parse_quantity(text), spelling) == Decimal(number)

    def test_a_litre_is_a_cubic_decimetre(self) -> None:
        assert parse_quantity("1 L") == (parse_quantity("1 cm") ** 3) * 1000

    @pytest.mark.parametrize(
        ("text", "spelling"), [("5 mg", "mL"), ("5 IU", "mg"), ("5 mmol", "mEq"), ("5 mmol", "mOsm")]
    )
    def test_what_has_another_dimension_does_not_convert(self, text: str, spelling: str) -> None:
        with pytest.raises(QuantityError) as caught:
            magnitude(parse_quantity(text), spelling)

        assert caught.value.code == "dimension"

    def test_a_temperature_has_no_factor(self) -> None:
        assert magnitude(parse_quantity("25 °C"), "°C") == 25
        with pytest.raises(QuantityError):
            magnitude(parse_quantity("25 °C"), "K")

    def test_a_factor_found_under_a_poor_decimal_context_is_still_exact(self) -> None:
        units._factor.cache_clear()
        with localcontext() as context:
            context.prec = 4
            poor = magnitude(parse_quantity("123456789 min"), "week")

        assert abs(Fraction(poor) / Fraction(123456789, 7 * 24 * 60) - 1) < Fraction(1, 10**40)

    @pytest.mark.parametrize(
        "spelling", ["", "U", "mg//mL", "mg/", "/mL", "mg/mL/L", "Mg", "mg mL", "💉", "x" * 10**6]
    )
    def test_a_unit_that_the_grammar_does_not_know_is_refused(self, spelling: str) -> None:
        unit("mL/L")  # an earlier compound is no unit that others may be made of
        with pytest.raises(QuantityError) as caught:
            unit(spelling)

        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    def test_a_dose_is_a_strength_times_a_volume(self) -> None:
        dose = parse_quantity("2.5 mg/mL") * parse_quantity("0.4 mL")

        assert magnitude(dose.to("milligram"), "mg") == 1

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
    def test_plain_writes_every_digit_and_no_exponent(self, number: Decimal) -> None:
        text = plain(number)

        assert Decimal(text) == number
        assert "e" not in text.lower()
        assert not (("." in text) and text.endswith(("0", ".")))


def test_strengths_are_told_as_people_write_them() -> None:
    assert str(parse_strength("500 mg/5 mL")) == "500 mg/5 mL"
    assert str(parse_strength("5.0 mg/mL")) == "5 mg/mL"
    assert str(parse_strength("60 mcg per vial")) == "60 µg per container"
    assert isinstance(parse_strength("5 mg/mL"), Strength)


def test_making_the_registry_redefines_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from mesoformula import units

    with caplog.at_level("WARNING", logger="pint"):
        units._units.__wrapped__()

    assert caplog.records == []


@pytest.mark.parametrize("value", [0.3, True])
def test_a_float_or_a_flag_makes_no_quantity(value: object) -> None:
    with pytest.raises(TypeError):
        quantity(value, "mL")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "code"), [("5,5", "grammar"), ("NaN", "not-finite"), ("inf", "not-finite")]
)
def test_what_is_no_finite_number_makes_no_quantity(value: str, code: str) -> None:
    with pytest.raises(QuantityError) as refused:
        quantity(value, "mL")

    assert refused.value.code == code


def test_a_quantity_with_a_float_inside_is_not_taken_for_exact() -> None:
    with pytest.raises(QuantityError) as refused:
        magnitude(registry().Quantity(0.3, "milliliter"), "mL")

    assert refused.value.code == "not-decimal"
