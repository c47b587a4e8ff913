"""`mesoformula formula`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ASCORBIC = "phoenix-labs/ascorbic-acid-500"
SALINE = "b-braun/sodium-chloride-0-9-10ml"


def nothing_written() -> bool:
    return list(Path().iterdir()) == []


def test_new_writes_a_formula_that_the_other_commands_read(meso):
    ran = meso("formula", "new", "my-mix.toml", "--line", f"{ASCORBIC}=0.5 mL",
               "--line", f"{SALINE}=fill to 3 mL", "--name", "My “mix”",
               "--description", "for a test")  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "written to my-mix.toml\nwork out a session with: mesoformula session my-mix.toml\n"
    table = tomllib.loads(Path("my-mix.toml").read_text(encoding="utf-8"))["formula"][0]
    assert (table["id"], table["name"], table["description"]) == ("my-mix", "My “mix”", "for a test")
    assert table["line"] == [
        {"product": ASCORBIC, "volume": "0.5 mL"},
        {"product": SALINE, "fill_to": "3 mL"},
    ]
    assert meso("formula", "check", "my-mix.toml").out == "1 formula checked, 0 problems\n"
    ran = meso("session", "my-mix.toml")
    assert (ran.code, ran.err) == (1, "")
    assert "Prepare 3 mL" in ran.out
    assert "0.5 mL" in meso("formula", "show", "my-mix.toml").out


@pytest.mark.parametrize(
    "lines",
    [
        [f"{ASCORBIC}=2 ampoules"],
        [f"{ASCORBIC}=50 mg of ascorbic-acid"],
        [f"{ASCORBIC}=1 part", f"{SALINE}=2 parts"],
        [f"{ASCORBIC}=10 mg/mL of ascorbic-acid", f"{SALINE}=fill to 10 mL"],
        [f"{ASCORBIC}=10 mg per mL of ascorbic-acid", f"{SALINE}=fill to 10 mL"],
        [f"{ASCORBIC}=1 % w/v of ascorbic-acid", f"{SALINE}=fill to 10 mL"],
        ["wockhardt/hyalase-1500=1 container made up to 1 mL"],
        ["laboratorio-ct/gluthion-300, part powder=1 container made up to 3 mL"],
        [f"{ASCORBIC}=1 mL", f"{ASCORBIC}=1 mL"],
    ],
    ids=lambda lines: lines[0].partition("=")[2],
)
def test_every_way_of_saying_how_much_can_be_written(meso, lines):
    words = [word for line in lines for word in ("--line", line)]
    ran = meso("formula", "new", "mix.toml", *words)
    assert (ran.code, ran.err) == (0, "")
    assert meso("formula", "check", "mix.toml").code == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (ASCORBIC, "is no line; expected such as 'vendor/sku=2 mL'"),
        (f"{ASCORBIC}=", "is no line"),
        ("=2 mL", "is no product id"),
        ("nctf=2 mL", "'nctf' is no product id; expected vendor/sku"),
        (f"{ASCORBIC}=5,5 mL", "write '5.5 mL'"),
        (f"{ASCORBIC}=-3 mL", "a negative amount"),
        (f"{ASCORBIC}=2 mg", "is a mass; expected a volume"),
        (f"{ASCORBIC}=0 mL", "expected more than 0"),
        (f"{ASCORBIC}=0 mg of ascorbic-acid", "expected more than 0"),
        (f"{ASCORBIC}=0 containers", "expected from 1 to 1000"),
        (f"{ASCORBIC}=10000 containers", "expected from 1 to 1000"),
        (f"{ASCORBIC}=3 boxes", "unit 'boxes' is not known"),
        (f"{ASCORBIC}=half", "expected a number and a unit"),
        (f"{ASCORBIC}=💉", "expected a number and a unit"),
        (f"{ASCORBIC}=5 % of ascorbic-acid", "write '5 % w/v'"),
        (f"{ASCORBIC}=5 mg of Ascorbic acid", "expected the id of a substance"),
        (f"{ASCORBIC}=5 mg of nix", "no substance is called 'nix'"),
        (f"{ASCORBIC}=5 mg of ascorbic", "did you mean ascorbic-acid"),
        ("acme/none=2 mL", "no product is called 'acme/none'"),
        ("phoenix-labs/ascorbic-acid-50=2 mL", f"did you mean {ASCORBIC}"),
        (f"{ASCORBIC}=50 mg of magnesium", "holds no magnesium"),
        (f"{ASCORBIC}=500 mg/mL of ascorbic-acid", "is not below the product's own 100 mg/mL"),
        (f"{ASCORBIC}=5 mg per container of ascorbic-acid", "a concentration in the mixture is per volume"),
        (f"{ASCORBIC}=2 mL made up to 5 mL", "for powders"),
        ("fillmed/nctf-135ha=5 mg of hyaluronic-acid", "without an amount"),
    ],
    ids=lambda text: text.rpartition("/")[2][:40],
)
def test_a_line_that_cannot_be_is_refused_by_number_and_nothing_is_written(meso, line, said):
    ran = meso("formula", "new", "mix.toml", "--line", line)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err
    assert "line 1" in ran.err
    assert ran.err.count("\n") == 1
    assert nothing_written()


def test_a_formula_whose_total_cannot_fit_is_refused(meso):
    ran = meso("formula", "new", "mix.toml", "--line", f"{ASCORBIC}=5 mL", "--line", f"{SALINE}=fill to 3 mL")
    assert ran.code == 2
    assert nothing_written()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mix.txt"], "mix.txt: expected a name that ends in .toml"),
        (["none/mix.toml"], "none is no folder; make it first"),
        (["💉.toml"], "makes no id; give --id"),
        (["mix.toml", "--id", "Böse ID"], "--id 'Böse ID': expected lower-case words joined by '-'"),
        (["teaching-parts.toml"], "a formula is called 'teaching-parts' already"),
        (["mix.toml", "--name", "a\nb"], "--name 'a\\x0ab': expected one line of text that prints"),
        (["mix.toml", "--name", "a\udcffb"], "expected one line of text that prints"),
        (["mix.toml", "--name", " "], "expected one line of text that prints"),
        (["mix.toml", "--description", "\x1b[31m"], "--description '\\x1b[31m'"),
        (["mix.toml", "--name", "x" * 3000], "expected 1 to 2000 characters"),
        (["mix.toml", "--total", "5,5 mL"], "--total '5,5 mL': a decimal comma"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_a_file_that_could_not_be_read_back_is_not_written(meso, words, said):
    ran = meso("formula", "new", *words, "--line", f"{ASCORBIC}=1 mL")
    assert ran.code == 2
    assert said in ran.err
    assert nothing_written()


def test_a_file_that_is_there_stays_as_it_is(meso):
    Path("mix.toml").write_text("mine")
    ran = meso("formula", "new", "mix.toml", "--line", f"{ASCORBIC}=1 mL")
    assert ran.code == 2
    assert "mix.toml is there already; choose another name" in ran.err
    assert Path("mix.toml").read_text() == "mine"


def test_without_lines_and_without_a_terminal_there_is_nobody_to_ask(meso):
    ran = meso("formula", "new", "mix.toml")
    assert ran.code == 2
    assert "no --line given, and nobody to ask" in ran.err


def test_check_says_every_problem_of_every_file_by_line(meso, write):
    write("good.toml", formula("good", 'volume = "1 mL"'))
    write("bad.toml", formula("bad", 'volume = "5,5 mL"').replace("[[formula]]", "[[formula]]\nfoo = 1", 1))
    write("worse.toml", "[[formula]")
    write("empty.toml", "schema = 1\n")
    ran = meso(
        "formula", "check", "good.toml", "bad.toml", "worse.toml", "empty.toml", "none.toml", "good.toml"
    )
    assert ran.code == 3
    places = [line.partition("] ")[0] + "]" for line in ran.out.splitlines()[:-1]]
    assert places == [
        "bad.toml:4: [unknown-key]",
        "bad.toml:11: [decimal-comma]",
        "worse.toml:1: [toml]",
        "empty.toml: [formula]",
        "none.toml: [file]",
    ]
    assert ran.out.splitlines()[-1] == "1 formula checked, 5 problems"


def test_check_also_works_a_formula_out(meso, write):
    write("mix.toml", formula("mix", 'dose = "5 mg"\nsubstance = "magnesium"'))
    ran = meso("formula", "check", "mix.toml", "--json")
    assert ran.code == 3
    (problem,) = ran.json["problems"]
    assert problem["path"] == "mix.toml"
    assert problem["line"] in range(8, 12)
    assert "holds no magnesium" in problem["message"]


def test_show_says_what_new_would_be_told(meso):
    ran = meso("formula", "show", "teaching-all-lines")
    options = [line.strip() for line in ran.out.splitlines() if line.startswith("  --line ")]
    words = [word for option in options for word in ("--line", option.removeprefix("--line ").strip("'"))]
    assert meso("formula", "new", "copy.toml", *words).code == 0
    shown = meso("formula", "show", "teaching-all-lines", "--json").json
    assert meso("formula", "show", "copy.toml", "--json").json["lines"] == shown["lines"]


def test_show_of_a_product_and_of_what_is_not_there(meso):
    assert "1 container" in meso("formula", "show", "baxter/cernevit").out
    assert meso("formula", "show", "none").code == 2
    assert meso("formula", "show", "none.toml").code == 3


def test_show_cites_where_a_formula_was_published(meso):
    assert "Source: SmPC, https://" in meso("formula", "show", "pabrinex-im-pair").said


def formula(name: str, how_much: str) -> str:
    return (
        f'schema = 1\n\n[[formula]]\nid = "{name}"\nname = "{name}"\ndescription = "of my own"\n\n'
        f'[[formula.line]]\nproduct = "{ASCORBIC}"\n{how_much}\n'
    )
