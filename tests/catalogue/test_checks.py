"""What is wrong with a catalogue is said, all of it, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.catalogue.checks import cas_is_valid, gtin_is_valid
from mesoformula.formulary import Formulary

BROKEN = sorted((Path(__file__).parent.parent / "data" / "broken").glob("*.toml"))
EXPECT = re.compile(rb"^# expect: (\d+|-) ([a-z0-9-]+)\r?$", re.MULTILINE)


def test_there_are_broken_catalogues_and_each_says_what_is_wrong_with_it() -> None:
    assert len(BROKEN) >= 62
    for path in BROKEN:
        assert EXPECT.search(path.read_bytes()), path.name


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_catalogue_reports_exactly_the_problems_that_it_has(path: Path) -> None:
    expected = [
        (None if line == b"-" else int(line), code.decode())
        for line, code in EXPECT.findall(path.read_bytes())
    ]

    formulary = Formulary()
    formulary.add_catalogue(path)
    problems = formulary.check()

    assert sorted(((problem.line, problem.code) for problem in problems), key=str) == sorted(
        expected, key=str
    )
    for problem in problems:
        assert problem.path == str(path)
        assert str(problem).isprintable()
        assert len(problem.message) < 500


SOURCE = 'source = [{ kind = "SmPC", where = "a fictional label", read = 2026-11-23 }]'


class TestProducts:
    """What a product must obey."""

    @staticmethod
    def text(more: str = "", part: str = "") -> str:
        return f"""
schema = 1
vendor = {{ id = "acme", name = "Acme" }}
[[substance]]
id = "x"
name = "X"
[[product]]
sku = "a"
name = "A"
{SOURCE}
{more}
[[product.part]]
container = "vial"
form = "solution"
{part}
"""

    @pytest.mark.parametrize(
        ("more", "part"),
        [
            ("", ""),
            ('in_use_period = "28 d"\ndoses = "multi"', ""),
            ('in_use_period = "28 d"', ""),
            ('stability_after_preparation = "24 h"\ndoses = "single"', ""),
            ('gtin = "05060131261973"', ""),
            ('gtin = "4006381333931"', ""),
            ("", 'composition = [{ substance = "x", amount = "0.9 % w/v" }]'),
            ("", 'composition = [{ substance = "x", undisclosed = true }]'),
            ("", 'composition = [{ class = "vitamin", undisclosed = true }]'),
            (
                "",
                'composition = [{ substance = "x", disputed = [{ amount = "1 g/L" }, { amount = "2 g/L" }]}]',
            ),
        ],
    )
    def test_what_is_right_is_left_alone(
        self, make_catalogue: Callable[..., Any], more: str, part: str
    ) -> None:
        assert make_catalogue(self.text(more, part)).problems == ()

    @pytest.mark.parametrize("kind", ["REPO", "CLINIC", "BLOG"])
    def test_an_amount_never_comes_from_a_page_that_nobody_answers_for(
        self, make_catalogue: Callable[..., Any], kind: str
    ) -> None:
        text = self.text("", 'composition = [{ substance = "x", amount = "1 mg/mL" }]').replace("SmPC", kind)

        assert [problem.code for problem in make_catalogue(text).problems] == ["source"]

    @pytest.mark.parametrize("kind", ["IFU", "SmPC", "PR", "REG", "STD", "DIST", "CALC"])
    def test_an_amount_may_come_from_whoever_answers_for_it(
        self, make_catalogue: Callable[..., Any], kind: str
    ) -> None:
        text = self.text("", 'composition = [{ substance = "x", amount = "1 mg/mL" }]').replace("SmPC", kind)

        assert make_catalogue(text).problems == ()

    def test_a_product_of_one_part_lists_its_composition_there(
        self, make_catalogue: Callable[..., Any]
    ) -> None:
        text = self.text('composition = [{ substance = "x", undisclosed = true }]')

        assert [problem.code for problem in make_catalogue(text).problems] == ["composition"]

    def test_a_product_without_parts_is_no_product(self, make_catalogue: Callable[..., Any]) -> None:
        text = self.text().partition("[[product.part]]")[0]

        assert [problem.code for problem in make_catalogue(text).problems] == ["missing"]


class TestCheckDigits:
    """Check digits, against published numbers."""

    @pytest.mark.parametrize(
        "number", ["50-81-7", "134-03-2", "7732-18-5", "58-08-2", "9004-61-9", "10034-99-8"]
    )
    def test_a_published_cas_number_is_valid(self, number: str) -> None:
        assert cas_is_valid(number)

    @pytest.mark.parametrize("number", ["05060131261973", "4006381333931", "96385074", "036000291452"])
    def test_a_published_trade_item_number_is_valid(self, number: str) -> None:
        assert gtin_is_valid(number)

    @given(st.sampled_from(["50-81-7", "7732-18-5", "10034-99-8"]), st.data())
    def test_one_wrong_digit_in_a_cas_number_shows(self, number: str, data: st.DataObject) -> None:
        digits = [place for place, char in enumerate(number) if char.isdigit()]
        # A digit is weighted by its place; weights that share a factor with ten let some errors through.
        place = data.draw(
            st.sampled_from(digits[-4:]).filter(lambda at: (len(digits) - 1 - digits.index(at)) in (0, 1, 3))
        )
        wrong = data.draw(st.sampled_from("0123456789").filter(lambda char: char != number[place]))

        assert not cas_is_valid(number[:place] + wrong + number[place + 1 :])

    @given(st.sampled_from(["05060131261973", "4006381333931", "96385074"]), st.data())
    def test_one_wrong_digit_in_a_trade_item_number_shows(self, number: str, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(number) - 1))
        wrong = data.draw(st.sampled_from("0123456789").filter(lambda char: char != number[place]))

        assert not gtin_is_valid(number[:place] + wrong + number[place + 1 :])


class TestReferences:
    """A name that one record gives another leads somewhere."""

    BASE = """
    schema = 1
    [vendor]
    id = "acme"
    name = "Acme"
    [[product]]
    sku = "a"
    name = "A"
    [[product.part]]
    container = "vial"
    form = "solution"
    composition = [
      { substance = "salt", amount = "1 mg/mL", equivalents = [{ of = "sodium", amount = "1 mg" }] },
    ]
    [[product.source]]
    kind = "SmPC"
    where = "a fictional label"
    read = 2026-11-23
    [[substance]]
    id = "salt"
    name = "Salt"
    """

    def test_a_product_that_names_a_broken_substance_is_checked_all_the_same(
        self, make_catalogue: Callable[..., Any]
    ) -> None:
        made = make_catalogue(self.BASE + '    formula = "nonsense"\n')

        assert made.found == [(21, "formula")]

    def test_the_nearest_name_is_offered(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue(self.BASE.replace('"salt", amount', '"sallt", amount'))

        (problem,) = made.problems
        assert problem.code == "unknown-substance"
        assert "did you mean salt?" in problem.message

    def test_checking_twice_finds_the_same(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue(self.BASE.replace('"salt", amount', '"sallt", amount'))

        assert made.formulary.check() == made.problems
        assert made.formulary.problems == made.problems

    def test_an_ion_is_enough_for_an_equivalence(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue(self.BASE + '    ions = [{ name = "sodium", valence = 1 }]\n')

        assert made.problems == ()

    def test_an_activity_counts_a_moiety_of_the_substance(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue("""
        schema = 1
        [[substance]]
        id = "ester"
        name = "Ester"
        [substance.activity]
        per = "1 IU/0.3 µg"
        of = "vitamin"
        source = { kind = "REG", where = "a regulator", read = 2026-11-23 }
        """)

        assert made.found == [(7, "unknown-moiety")]
