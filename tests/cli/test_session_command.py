"""`mesoformula session`."""

from __future__ import annotations

from decimal import Decimal

import pytest

#: Of the text, up to the findings, which belong to the plugins that make them.
GOLDEN = """\
NCTF 135HA with vitamin C
teaching-nctf-vitamin-c, version 1
A teaching example: it describes no published mixture.
Face

Prepare 3.21 mL: 3 mL to inject in 3 syringes, and 0.21 mL that stays behind in
syringe and needle.
100 points of 0.03 mL.

Take
#  draw     product                                        open       left
────────────────────────────────────────────────────────────────────────────────
1  2.75 mL  NCTF 135HA                                     1 vial     ≈0.2486 mL
              BD Plastipak 1 mL, 3 fills; unrounded                     discard
              ≈2.751 mL
2  0.46 mL  Ascorbic Acid Injection BPC 500 mg/5 mL        1 ampoule  ≈4.541 mL
              BD Plastipak 1 mL; unrounded ≈0.4586 mL                   discard

Injected
substance      dose               in the mixture
──────────────────────────────────────────────────────
Ascorbic acid  at least 42.86 mg  at least 14.29 mg/mL
Amount not disclosed: Hyaluronic acid, vitamin (not named), mineral (not named),
  amino acid (not named), nucleic acid (not named), coenzyme (not named) (from
  NCTF 135HA).

Good to know
"""
WORDS = (
    "teaching-nctf-vitamin-c",
    "--zone",
    "face",
    "--points",
    "100",
    "--volume",
    "3 mL",
    "--syringe",
    "1-ml",
)

LINE = """
schema = 1

[[formula]]
id = "mine"
name = "Mine"
description = "of my own"

[[formula.line]]
product = "phoenix-labs/ascorbic-acid-500"
volume = "1 mL"
"""


@pytest.fixture(autouse=True)
def _nobody_checks(monkeypatch):
    """What the checks say is tested in test_session_checks.py; here they would only stand in the way."""
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "safety")


def test_the_text_of_a_session(meso):
    ran = meso("session", *WORDS)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out[: len(GOLDEN)] == GOLDEN
    assert ran.out.endswith("Ready as far as it was checked: what is listed as not checked was not.\n")


def test_json_says_what_the_text_says_unrounded(meso):
    plain = meso("session", *WORDS, "--json").json
    assert plain["formula"] == {
        "id": "teaching-nctf-vitamin-c",
        "name": "NCTF 135HA with vitamin C",
        "version": 1,
        "teaching": True,
    }
    assert plain["prepared"] == {"value": "3.21", "unit": "mL"}
    assert plain["injected"] == {"value": "3", "unit": "mL"}
    assert plain["lost"] == {"value": "0.21", "unit": "mL"}
    assert (plain["points"], plain["syringes"], plain["ready"]) == (100, 3, True)
    first = plain["lines"][0]
    assert first["product"] == "fillmed/nctf-135ha@1"
    assert first["measured"] == {"value": "2.75", "unit": "mL"}
    assert len(Decimal(first["volume"]["value"]).as_tuple().digits) > 15
    doses = {dose["substance"]: dose["dose"] for dose in plain["doses"]}
    assert doses["hyaluronic-acid"] == {"kind": "undisclosed"}
    assert doses["ascorbic-acid"]["kind"] == "at_least"
    assert "working" not in plain


def test_the_working_is_shown_on_request_grouped_by_what_it_is_about(meso):
    ran = meso("session", "teaching-all-lines", "--explain")
    working = ran.out.partition("\nWorking\n")[2].partition("\nFindings\n")[0]
    assert working.count("\n  line 1\n") == 1
    assert "    measured on BD Plastipak" in working
    plain = meso("session", "teaching-all-lines", "--explain", "--json").json
    assert {"line 1", "session", "ascorbic-acid"} <= {step["subject"] for step in plain["working"]}


def test_iu_and_mass_of_one_substance_stand_together(meso):
    lines = meso("session", "baxter/cernevit").out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("Retinyl palmitate"))
    assert "3500 IU" in lines[place]
    assert lines[place + 1].startswith("  in mass")


def test_sums_over_all_forms_stand_apart_from_the_exact_forms(meso):
    lines = meso("session", "teaching-all-lines").out.splitlines()
    place = lines.index("counted over all forms as")
    assert any(line.startswith("Ascorbic acid") for line in lines[:place])
    assert any(line.startswith("  Ascorbic acid") for line in lines[place:])


def test_a_disputed_amount_is_a_range(meso):
    ran = meso("session", "mastelli/plinest")
    assert "20 mg to 40 mg (disputed)" in ran.out
    dose = meso("session", "mastelli/plinest", "--json").json["doses"][0]["dose"]
    assert dose["kind"] == "disputed"
    assert (dose["low"], dose["high"], dose["unit"]) == ("20", "40", "mg")


def test_every_bundled_product_is_a_session_or_says_why_not_and_what_to_do(meso, product_id):
    ran = meso("session", product_id)
    assert "internal error" not in ran.err
    if ran.code:
        assert ran.code == 2
        assert ran.out == ""
        assert product_id.partition("@")[0] in ran.err
        assert "formula new my.toml --line '" in ran.err or "--catalogue" in ran.err
    else:
        assert "\nTake\n" in ran.out


def test_what_is_proposed_instead_of_a_product_can_be_copied(meso):
    ran = meso("session", "wockhardt/hyalase-1500")
    line = ran.err.partition("--line '")[2].partition("'")[0]
    made = meso("formula", "new", "my.toml", "--line", line)
    assert (made.code, made.err) == (0, "")
    assert meso("session", "my.toml").code == 0


@pytest.mark.parametrize("name", ["pabrinex-im-pair", "teaching-nctf-vitamin-c", "teaching-all-lines",
                                  "teaching-parts"])  # fmt: skip
def test_the_bundled_formulas_work_out(meso, name):
    assert meso("session", name).code == 0


def test_a_file_and_one_formula_of_a_file(meso, write):
    path = write("mine.toml", LINE)
    assert meso("session", "mine.toml").out.startswith("Mine\nmine, version 1\n")
    assert meso("session", f"{path}#mine").code == 0
    ran = meso("session", "mine.toml#other")
    assert ran.code == 2
    assert "no formula is called 'other'" in ran.err


def test_a_file_of_several_formulas_asks_which(meso, write):
    write("two.toml", LINE + LINE.replace("schema = 1", "").replace('"mine"', '"second"'))
    ran = meso("session", "two.toml")
    assert ran.code == 3
    assert "expected one formula, found mine, second; name one, such as two.toml#mine" in ran.err
    assert meso("session", "two.toml#second").code == 0


def test_a_formula_that_is_not_known_suggests_those_that_come_near(meso):
    ran = meso("session", "teaching-nctf")
    assert ran.code == 2
    assert "no formula or product is called 'teaching-nctf'; did you mean teaching-nctf-vitamin-c" in ran.err


@pytest.mark.parametrize(
    ("option", "known"),
    [("--zone", "face"), ("--technique", "nappage"), ("--syringe", "1-ml"), ("--needle", "23g"),
     ("--measure-with", "20-ml")],
)  # fmt: skip
def test_a_name_out_of_few_is_answered_with_all_of_them(meso, option, known):
    ran = meso("session", "teaching-parts", option, "zzz")
    assert ran.code == 2
    assert f"{option} 'zzz' is not known; expected one of " in ran.err
    assert known in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--points", "0"], "--points '0': expected a whole number from 1 to 100000"),
        (["--points", "1.5"], "--points '1.5': expected a whole number"),
        (["--points", "-1"], "--points '-1': expected a whole number"),
        (["--points-per-cm2", "x"], "--points-per-cm2 'x': expected a whole number from 1 to 100"),
        (["--on", "tomorrow"], "--on 'tomorrow' is no day; expected such as 2026-11-23"),
        (["--points", "100"], "give --volume-per-point or --volume"),
        (["--area", "150 cm²", "--technique", "nappage"], "--points-per-cm2"),
    ],
)
def test_a_wish_that_cannot_be_read_is_wrong_usage(meso, words, said):
    ran = meso("session", "teaching-nctf-vitamin-c", *words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.startswith("mesoformula")
    assert "[" not in ran.err.partition(":")[0]


def test_every_option_reaches_the_answer(meso):
    plain = meso(
        "session", "teaching-nctf-vitamin-c", "--zone", "face",
        "--technique", "one-prick-per-square-centimetre", "--area", "150 cm²",
        "--volume-per-point", "0.02 mL", "--syringe", "2-ml", "--needle", "23g",
        "--measure-with", "5-ml", "--on", "2026-11-23", "--json",
    ).json  # fmt: skip
    assert (plain["zone"], plain["technique"]) == ("face", "one-prick-per-square-centimetre")
    assert plain["on"] == "2026-11-23"
    assert plain["points"] == 150
    assert plain["injected"] == {"value": "3", "unit": "mL"}
    assert plain["volume_per_point"] == {"value": "0.02", "unit": "mL"}
    assert plain["lines"][0]["measured_with"] == "5-ml"


@pytest.mark.parametrize(
    "text",
    ["5,5 mg", "20 %", "1:1000", "5 mg / / mL", "nan mL", "inf mg", "-3 mL", "9**9**9 mg", "1e999 mg",
     "100 U", "5", "💉", "9" * 1_000_000],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_a_bad_quantity_in_a_file_is_bad_data_with_path_and_line(meso, write, tmp_path, text):
    path = write("mine.toml", LINE.replace("1 mL", text))
    before = sorted(tmp_path.rglob("*"))
    for words in (["session"], ["formula", "show"]):
        ran = meso(*words, str(path))
        assert ran.code == 3
        assert ran.out == ""
        assert ran.err.startswith(f"{path}:10: ")
        assert ran.err.count("\n") == 1
        assert len(ran.err) < 400 + len(str(path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('product = "phoenix-labs/ascorbic-acid-500"\n'
         'concentration = "200 mg/mL"\nsubstance = "ascorbic-acid"\n'
         '[[formula.line]]\nproduct = "b-braun/sodium-chloride-0-9-10ml"\nfill_to = "5 mL"',
         "200 mg/mL"),
        ('product = "fillmed/nctf-135ha"\ndose = "5 mg"\nsubstance = "hyaluronic-acid"', "without an amount"),
    ],
)  # fmt: skip
def test_an_impossible_wish_names_the_line_of_the_file(meso, write, line, said):
    path = write("mine.toml", LINE.partition("product =")[0] + line + "\n")
    ran = meso("session", str(path))
    assert ran.code == 3
    assert ran.err.startswith(f"{path}:")
    assert said in ran.err


BLOCKS = """
from mesoformula import Finding, Severity, hookimpl

@hookimpl
def mesoformula_check_session(session):
    return [
        Finding("looked", Severity.INFO, "x", "looked at it"),
        Finding("no-go", Severity.{severity}, "x", "not like this"),
    ]
"""


@pytest.mark.parametrize(("severity", "code"), [("BLOCK", 1), ("OVERRIDE", 1), ("WARN", 0), ("UNCHECKED", 0)])
def test_what_stands_against_a_session_decides_the_exit_code(meso, install_plugin, severity, code):
    install_plugin("checks", BLOCKS.format(severity=severity))
    ran = meso("session", *WORDS)
    assert ran.code == code
    assert ("\nNOT READY: no-go\n" in ran.out) == bool(code)
    if code:
        assert ran.out.index("not like this") < ran.out.index("looked at it")
    plain = meso("session", *WORDS, "--json")
    assert (plain.code, plain.json["ready"]) == (code, not code)


def test_checks_that_exist_take_the_place_of_the_hint_that_nobody_checks(meso, install_plugin):
    assert "not-checked" in {found["code"] for found in meso("session", *WORDS, "--json").json["findings"]}
    install_plugin("checks", BLOCKS.format(severity="WARN"))
    assert "not-checked" not in {
        found["code"] for found in meso("session", *WORDS, "--json").json["findings"]
    }
