"""`mesoformula convert`: the numbers that a pharmacist can check with a pencil."""

from __future__ import annotations

from decimal import Decimal

import pytest

#: Each with what its refusal must name: the right form, or the reason.
BAD_QUANTITIES = {
    "5,5 mg": "write '5.5 mg'",
    "20 %": "write '20 % w/v', '20 % w/w' or '20 % v/v'",
    "1:1000": "write '1:1000 w/v'",
    "5 mg / / mL": "write such as '5 mg/2 mL'",
    "nan mL": "not a number",
    "inf mg": "not a number",
    "-inf mg": "not a number",
    "-3 mL": "expected one above zero such as '3 mL'",
    "- 3 mL": "expected one above zero such as '3 mL'",
    "-3": "a negative amount",
    "--3 mL": "expected a number and a unit",
    "9**9**9 mg": "no calculations",
    "1e999 mg": "no exponents",
    "100 U": "units of activity belong to a product or a standard",
    "5": "a number without a unit",
    "💉": "expected a number and a unit",
    "": "nothing written",
    "5 mg\n": "characters that do not print",
    "9" * 1_000_000: "too long; expected such as",
    "0 mg": "expected more than 0",
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["113 mg", "--substance", "sodium-ascorbate", "--to", "mg", "--as", "ascorbic-acid"],
         "= 100.46 mg Ascorbic acid"),
        (["5000 IU", "--substance", "retinol", "--to", "µg"], "= 1500.00 µg Retinol"),
        (["2 mL", "--strength", "500 mg/mL", "--substance", "magnesium-sulfate-heptahydrate", "--to", "mEq",
          "--as", "magnesium"], "= 8.11 mEq Magnesium"),
        (["17.3 µg", "--substance", "sodium-selenite-anhydrous", "--to", "µg", "--as", "selenium"],
         "= 7.90 µg Selenium"),
        (["5 mg", "--substance", "sodium-hyaluronate", "--to", "mg", "--as", "hyaluronic-acid"],
         "= 4.73 mg Hyaluronic acid"),
    ],
)  # fmt: skip
def test_it_ends_with_two_decimals_after_the_working(meso, words, said):
    ran = meso("convert", *words)
    assert (ran.code, ran.err) == (0, "")
    *working, result = ran.out.splitlines()
    assert result == said
    assert working
    assert all(line.startswith("  ") for line in working)


def test_a_small_result_keeps_three_digits(meso):
    assert meso("convert", "1 µg", "--substance", "retinol", "--to", "mg").out.endswith(
        "= 0.001 mg Retinol\n"
    )


def test_json_gives_the_unrounded_number_and_the_working(meso):
    ran = meso("convert", "113 mg", "--substance", "sodium-ascorbate", "--to", "mg", "--as", "ascorbic-acid",
               "--json")  # fmt: skip
    assert ran.code == 0
    result = ran.json["result"]
    assert result["unit"] == "mg"
    assert result["value"].startswith("100.46")
    assert len(Decimal(result["value"]).as_tuple().digits) > 20
    assert ran.json["as"] == "ascorbic-acid"
    assert len(ran.json["working"]) == 2


@pytest.mark.parametrize("text", BAD_QUANTITIES, ids=lambda text: repr(text[:20]))
def test_a_bad_quantity_is_wrong_usage_and_one_line_names_the_right_form(meso, text):
    ran = meso("convert", text, "--substance", "retinol", "--to", "mg")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("mesoformula convert: ")
    assert BAD_QUANTITIES[text] in ran.err
    assert len(ran.err) < 250


@pytest.mark.parametrize("text", BAD_QUANTITIES, ids=lambda text: repr(text[:20]))
def test_a_bad_volume_of_a_session_names_its_option_too(meso, text):
    ran = meso("session", "teaching-nctf-vitamin-c", "--volume", text)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("mesoformula session: --volume ")
    assert meso("session", "teaching-nctf-vitamin-c", f"--volume={text}").err == ran.err


@pytest.mark.parametrize("option", ["--volume", "--area", "--volume-per-point"])
def test_a_quantity_of_another_dimension_is_refused(meso, option):
    ran = meso("session", "teaching-nctf-vitamin-c", option, "5 mg")
    assert ran.code == 2
    assert f"{option} '5 mg' is a mass; expected" in ran.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["5 mg", "--substance", "magnesium-sulfate-heptahydrate", "--to", "IU"], "has no IU"),
        (["5 mg", "--substance", "hyaluronic-acid", "--to", "mol"], "is a polymer"),
        (["5 mg", "--substance", "magnesium-sulfate-heptahydrate", "--to", "mEq"], "such as --as magnesium"),
        (["5 mg", "--substance", "retinol", "--to", "mEq"], "none of Retinol is known"),
        (["2 mL", "--substance", "retinol", "--to", "mg"], "give --strength, such as '5 mg/mL'"),
        (["2 mL", "--strength", "20 %", "--substance", "retinol", "--to", "mg"], "--strength '20 %'"),
        (["2 mL", "--strength", "5 mg per container", "--substance", "retinol", "--to", "mg"],
         "give the amount itself"),
        (["2 mg", "--strength", "5 mg/mL", "--substance", "retinol", "--to", "mg"], "do not go together"),
        (["5 mg", "--substance", "retinol", "--to", "foo"], "--to 'foo'"),
        (["5 mg", "--substance", "retino", "--to", "mg"], "did you mean retinol?"),
        (["5 mg", "--substance", "retinol", "--to", "mg", "--as", "nix"], "no substance is called 'nix'"),
        (["5 mg", "--substance", "retinol", "--to", "mL"], "cannot be told in mL"),
        (["5 pg", "--substance", "retinol", "--to", "mg"], "a misprint of µg"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused_with_the_reason(meso, words, reason):
    ran = meso("convert", *words)
    assert ran.code == 2
    assert reason in ran.err
    assert ran.err.count("\n") == 1
