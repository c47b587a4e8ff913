"""What a label cannot mean is told from what its rounding allows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.catalogue.figures import Figures, ends, printed
from mesoformula.catalogue.plausibility import check_plausibility
from mesoformula.encoding import to_plain
from mesoformula.formulary import Formulary
from mesoformula.products import CheckCode, CheckException, Product
from mesoformula.units import parse_strength

HEAD = """
schema = 1
vendor = { id = "acme", name = "Acme" }
[[substance]]
id = "ascorbic-acid"
name = "Ascorbic acid"
formula = "C6H8O6"
[[substance]]
id = "sodium-ascorbate"
name = "Sodium ascorbate"
formula = "C6H7NaO6"
moieties = [{ of = "ascorbic-acid" }]
[[substance]]
id = "egf"
name = "EGF"
class = "growth_factor"
"""
SOURCE = 'source = [{ kind = "SmPC", where = "a fictional label", read = 2026-11-23 }]'


def product(
    sku: str, entries: str, part: str = 'volume = "2 mL"', more: str = "", form: str = "solution"
) -> str:
    return f"""
[[product]]
sku = "{sku}"
name = "{sku}"
{SOURCE}
{more}
[[product.part]]
container = "vial"
form = "{form}"
{part}
composition = [{entries}]
"""


def entry(amount: str, more: str = "", substance: str = "ascorbic-acid") -> str:
    return f'{{ substance = "{substance}", amount = "{amount}"{", " if more else ""}{more} }},'


Codes = Callable[..., list[str]]


@pytest.fixture
def codes(make_catalogue: Callable[..., Any]) -> Codes:
    def found(*products: str) -> list[str]:
        return [problem.code for problem in make_catalogue(HEAD + "".join(products)).problems]

    return found


class TestPrintedNumbers:
    @pytest.mark.parametrize(
        ("number", "low", "high"),
        [
            ("11.20", "11.195", "11.205"),
            ("113", "112.5", "113.5"),
            ("0", "-0.5", "0.5"),
            ("1E+2", "50", "150"),
        ],
    )
    def test_a_number_stands_for_what_rounds_to_it(self, number: str, low: str, high: str) -> None:
        assert printed(Decimal(number)) == (Decimal(low), Decimal(high))

    @given(st.decimals(0, 10**6, places=3))
    def test_a_number_stands_for_itself(self, number: Decimal) -> None:
        low, high = printed(number)

        assert low < number < high

    def test_a_ratio_was_never_rounded(self) -> None:
        assert ends(parse_strength("1:1000 w/v")) == (1, 1)
        assert ends(parse_strength("0.9 % w/v")) == (Decimal("0.85"), Decimal("0.95"))

    @pytest.mark.parametrize(
        ("strength", "figure"),
        [
            ("5 mg/mL", ("mass", 5, "volume", 1)),
            ("0.5 g/5 mL", ("mass", 500, "volume", 5)),
            ("0.9 % w/v", ("mass", 900, "volume", 100)),
            ("60 µg per container", ("mass", Decimal("0.06"), "container", 1)),
            ("15 mg/g", ("mass", 15, "mass", 1000)),
            ("1500 IU/mL", ("activity", 1500, "volume", 1)),
            ("2 mol/L", ("amount of substance", 2000, "volume", 1000)),
        ],
    )
    def test_a_strength_is_told_in_fixed_units(self, strength: str, figure: tuple[Any, ...]) -> None:
        found = Figures().of(parse_strength(strength))

        assert (found.kind, found.value, found.per_kind, found.per) == figure
        assert found.low < found.value < found.high


class TestLabelEquivalents:
    def test_every_bundled_one_is_found_right(self, formulary: Formulary) -> None:
        """An independent way of working them out stands in tests/catalogues/test_label_equivalences.py."""
        for one in formulary.products():
            assert "label-equivalent" not in {
                c for c, _m, _w in check_plausibility(one, formulary, Figures())
            }

    def test_each_of_them_is_found_wrong_once_its_verdict_is_turned_round(self, formulary: Formulary) -> None:
        turned = 0
        for one in formulary.products():
            for number, part in enumerate(one.parts):
                for place, content in enumerate(part.composition):
                    for at, equivalent in enumerate(content.equivalents):
                        other = attrs.evolve(equivalent, holds=not equivalent.holds, why="turned round")
                        found = set(self.problems(one, number, place, at, other, formulary))
                        where = ("part", number, "composition", place, "equivalents", at)
                        assert found == {("label-equivalent", where)}
                        turned += 1
        assert turned >= 25

    @staticmethod
    def problems(
        one: Product, number: int, place: int, at: int, other: Any, formulary: Formulary
    ) -> list[tuple[str, Any]]:
        def replaced(items: tuple[Any, ...], where: int, item: Any) -> tuple[Any, ...]:
            return (*items[:where], item, *items[where + 1 :])

        part = one.parts[number]
        content = part.composition[place]
        content = attrs.evolve(content, equivalents=replaced(content.equivalents, at, other))
        part = attrs.evolve(part, composition=replaced(part.composition, place, content))
        changed = attrs.evolve(one, parts=replaced(one.parts, number, part))
        found = check_plausibility(changed, formulary, Figures())
        return [(code, where) for code, _message, where in found if code not in one.excepted]

    def test_the_message_says_what_it_comes_to(self, make_catalogue: Callable[..., Any]) -> None:
        more = 'equivalents = [{ of = "ascorbic-acid", amount = "113 mg" }]'
        made = make_catalogue(HEAD + product("a", entry("113 mg/mL", more, "sodium-ascorbate")))

        (problem,) = made.problems
        assert problem.message == (
            "product acme/a: part 1: composition 1: equivalents 1: 113 mg sodium-ascorbate are 100.017 to "
            "100.906 mg ascorbic-acid, not 113 mg"
        )

    def test_the_products_own_specific_activity_counts(self, codes: Codes) -> None:
        more = 'specific_activity = "500 IU/µg", equivalents = [{{ amount = "{} IU" }}]'

        assert codes(product("a", entry("2.0 µg/mL", more.format(1000), "egf"))) == []
        assert codes(product("a", entry("2.0 µg/mL", more.format(2000), "egf"))) == ["label-equivalent"]
        back = 'specific_activity = "500 IU/µg", equivalents = [{ amount = "2.0 µg" }]'
        assert codes(product("a", entry("1000 IU/mL", back, "egf"))) == []

    def test_of_a_disputed_amount_one_reading_is_enough(self, codes: Codes) -> None:
        text = '{{ substance = "sodium-ascorbate", disputed = [{{ amount = "113 mg/mL" }}, '
        text += '{{ amount = "{}" }}], equivalents = [{{ of = "ascorbic-acid", amount = "90 mg" }}] }},'

        assert codes(product("a", text.format("101.5 mg/mL"))) == []
        assert codes(product("a", text.format("120 mg/mL"))) == ["label-equivalent"]

    def test_of_a_class_nothing_can_be_worked_out(self, codes: Codes) -> None:
        text = '{ class = "vitamin", disputed = [{ amount = "1 mg/mL" }, { amount = "2 mg/mL" }], '
        text += 'total = "4 mg", equivalents = [{ amount = "1 IU" }] },'

        assert codes(product("a", text)) == ["label-equivalent"]

    def test_a_broken_substance_is_reported_once(self, codes: Codes) -> None:
        more = 'equivalents = [{ of = "ascorbic-acid", amount = "1 mg" }]'

        broken = '[[substance]]\nid = "broken"\nname = "Broken"\nformula = "nonsense"\n'

        assert codes(broken, product("a", entry("1 mg/mL", more, "broken"))) == ["formula"]


class TestTotals:
    @pytest.mark.parametrize(
        ("amount", "part", "total", "right"),
        [
            ("20 mg/mL", 'volume = "1.5 mL"', "30 mg", True),
            ("3.3 mg/mL", 'volume = "3 mL"', "10 mg", True),
            ("20 mg/mL", 'volume = "1.5 mL"', "20 mg", False),
            ("500 mg/5 mL", 'volume = "10 mL"', "1 g", True),
            ("20 % w/v", 'volume = "5 mL"', "1 g", True),
            ("20 % w/v", 'volume = "5 mL"', "2 g", False),
            ("1:1000 w/v", 'volume = "1 mL"', "1 mg", True),
            ("1:1000 w/v", 'volume = "1 mL"', "2 mg", False),
            ("30 mg per container", "", "30 mg", True),
            ("30 mg per container", "", "3 mg", False),
            ("15 mg/g", 'volume = "2 mL"\ndensity = "1.0 g/mL"', "30 mg", True),
            ("15 mg/g", 'volume = "2 mL"\ndensity = "1.0 g/mL"', "15 mg", False),
            ("15 mg/g", 'volume = "2 mL"', "15 mg", True),
            ("20 mg/mL", "", "999 mg", True),
        ],
    )
    def test_a_total_is_strength_times_fill(
        self, codes: Codes, amount: str, part: str, total: str, right: bool
    ) -> None:
        found = codes(product("a", entry(amount, f'total = "{total}"'), part))

        assert found == ([] if right else ["total"])

    def test_a_total_in_another_unit_is_converted_through_the_substance(self, codes: Codes) -> None:
        assert codes(product("a", entry("88.06 mg/mL", 'total = "1.000 mmol"'))) == []
        assert codes(product("a", entry("88.06 mg/mL", 'total = "2.000 mmol"'))) == ["total"]


class TestKits:
    @pytest.mark.parametrize(
        ("parts", "mixed", "right"),
        [
            (("1.5 mL", "2.5 mL"), "4 mL", True),
            (("1.5 mL", "2.5 mL"), "4.0 mL", True),
            (("1.5 mL", "2.5 mL"), "3 mL", False),
            (("5 mL", None), "8 mL", True),
            (("5 mL", None), "4 mL", False),
        ],
    )
    def test_parts_add_up(self, codes: Codes, parts: tuple[str | None, ...], mixed: str, right: bool) -> None:
        text = f'[[product]]\nsku = "a"\nname = "A"\nmixed_volume = "{mixed}"\n{SOURCE}\n'
        for number, volume in enumerate(parts):
            text += f'[[product.part]]\nname = "p{number}"\ncontainer = "vial"\nform = "gel"\n'
            text += f'volume = "{volume}"\n' if volume is not None else ""

        assert codes(text) == ([] if right else ["kit-volume"])

    def test_several_of_one_kind_count(self, codes: Codes) -> None:
        more = 'mixed_volume = "6 mL"'

        assert codes(product("a", "", 'volume = "2 mL"\nper_kit = 3', more)) == []
        assert codes(product("a", "", 'volume = "2 mL"\nper_kit = 2', more)) == ["kit-volume"]

    @pytest.mark.parametrize(("mixed", "right"), [("8 mL", True), ("8.5 mL", True), ("9 mL", False)])
    def test_a_powder_may_be_counted_or_not(self, codes: Codes, mixed: str, right: bool) -> None:
        text = product("a", "", 'name = "solvent"\nvolume = "8 mL"', f'mixed_volume = "{mixed}"')
        text += '[[product.part]]\nname = "powder"\ncontainer = "vial"\nform = "powder"\n'
        text += 'reconstitution = { volume = "8 mL", method = "add", displacement = "0.5 mL" }\n'

        assert codes(text) == ([] if right else ["kit-volume"])


class TestRoom:
    @pytest.mark.parametrize(
        ("entries", "part", "right"),
        [
            (entry("600 mg/g") + entry("400 mg/g", "", "egf"), "", True),
            (entry("600 mg/g") + entry("500 mg/g", "", "egf"), "", False),
            (entry("50 % w/w") + entry("500 mg/g", "", "egf"), "", True),
            (entry("900 mg/mL"), "", True),
            (entry("1000 mg/mL"), "", True),
            (entry("1001 mg/mL"), "", False),
            (entry("1001 mg/mL"), 'density = "1.2 g/mL"', True),
            (entry("1300 mg/mL"), 'density = "1.2 g/mL"', False),
            (entry("3 g per container"), 'volume = "2 mL"', False),
            (entry("2 g per container"), 'volume = "2 mL"', True),
            (entry("60 % v/v") + entry("60 % v/v", "", "egf"), "", False),
            (entry("2 mmol/mL") + entry("5000 IU/mL", "", "egf"), "", True),
        ],
    )
    def test_no_more_goes_in_than_there_is_room_for(
        self, codes: Codes, entries: str, part: str, right: bool
    ) -> None:
        assert codes(product("a", entries, part)) == ([] if right else ["above-100"])

    @pytest.mark.parametrize(
        ("mass", "auxiliary", "right"),
        [("500 mg", "", True), ("499 mg", "", False), ("500 mg", "2 mg", False), ("502 mg", "2 mg", True)],
    )
    def test_a_powder_weighs_what_it_holds(
        self, codes: Codes, mass: str, auxiliary: str, right: bool
    ) -> None:
        part = f'mass = "{mass}"\nreconstitution = {{ volume = "5 mL", method = "add" }}\n'
        if auxiliary:
            part += f'auxiliaries = [{{ substance = "egf", amount = "{auxiliary} per container" }}]'

        found = codes(product("a", entry("500.0 mg per container"), part, form="powder"))
        assert found == ([] if right else ["above-100"])

    def test_of_a_disputed_amount_the_least_counts(self, codes: Codes) -> None:
        text = '{ substance = "egf", disputed = [{ amount = "600 mg/g" }, { amount = "900 mg/g" }] },'

        assert codes(product("a", text + entry("400 mg/g"), "")) == []
        assert codes(product("a", text + entry("500 mg/g"), "")) == ["above-100"]


class TestOutliers:
    @staticmethod
    def three(*amounts: str) -> list[str]:
        return [product(f"p{number}", entry(amount)) for number, amount in enumerate(amounts)]

    @pytest.mark.parametrize(
        ("amounts", "found"),
        [
            (("4 mg/mL", "5 mg/mL", "6 mg/mL", "5 µg/mL"), 1),
            (("4 µg/mL", "5 µg/mL", "6 µg/mL", "5 mg/mL"), 1),
            (("4 mg/mL", "5 mg/mL", "6 mg/mL", "6 µg/mL"), 0),
            (("4 mg/mL", "5 mg/mL", "5 µg/mL"), 0),
            (("4 mg/mL", "5 mg/mL", "6 mg/mL", "10 µg per container"), 1),
            (("4 mg/mL", "5 mg/mL", "6 mg/mL", "0.5 IU/mL"), 0),
            (("4 mg/mL", "5 mg/mL", "4 µg/mL", "5 µg/mL"), 2),
            (("4 mg/mL", "4 mg/mL", "5 µg/mL", "5 µg/mL"), 0),
        ],
    )
    def test_a_thousandfold_of_three_others_is_one(
        self, codes: Codes, amounts: tuple[str, ...], found: int
    ) -> None:
        assert codes(*self.three(*amounts)) == ["outlier"] * found

    def test_between_two_in_the_middle_the_geometric_mean_counts(self, codes: Codes) -> None:
        assert codes(*self.three("1 mg/mL", "1 mg/mL", "4 mg/mL", "4 mg/mL", "2 µg/mL")) == ["outlier"]
        assert codes(*self.three("1 mg/mL", "1 mg/mL", "4 mg/mL", "4 mg/mL", "2.1 µg/mL")) == []

    def test_the_message_says_what_it_is_compared_with(self, make_catalogue: Callable[..., Any]) -> None:
        amounts = ("4 mg/mL", "5 mg/mL", "6 mg/mL", "5 mg/mL", "5 µg/mL")
        (problem,) = make_catalogue(HEAD + "".join(self.three(*amounts))).problems

        assert problem.message == (
            "product acme/p4: part 1: composition 1: 5 µg/mL is 1,000 times below the median of acme/p0, "
            "acme/p1, acme/p3 and 1 more, 5 mg/mL; is the unit right?"
        )

    def test_powders_and_gels_are_compared_with_their_like(self, codes: Codes) -> None:
        gel = product("gel", entry("5 µg/mL"), form="gel")

        assert codes(*self.three("4 mg/mL", "5 mg/mL", "6 mg/mL"), gel) == []

    def test_a_revision_is_no_other_product(self, codes: Codes) -> None:
        two = self.three("4 mg/mL", "5 mg/mL")
        again = product("p1", entry("6 mg/mL"), more="revision = 2")

        assert codes(*two, again, product("x", entry("5 µg/mL"))) == []

    def test_only_what_was_asked_for_is_reported_and_only_once(self, tmp_path: Path) -> None:
        formulary = Formulary()
        texts = (HEAD + "".join(self.three("4 mg/mL", "5 mg/mL", "6 mg/mL")), product("x", entry("5 µg/mL")))
        files = []
        for number, text in enumerate(texts):
            path = tmp_path / f"{number}.toml"
            top = "" if number == 0 else HEAD.partition("[[substance]]")[0]
            path.write_text(top + text, encoding="utf-8")
            files.append(formulary.add_catalogue(path))

        assert formulary.check(files[0]) == ()
        assert [problem.code for problem in formulary.check(files[1])] == ["outlier"]
        assert [problem.code for problem in formulary.check()] == ["outlier"]

    def test_what_is_added_later_is_compared_too(self, tmp_path: Path) -> None:
        formulary = Formulary()
        for number, amount in enumerate(("5 µg/mL", "4 mg/mL", "5 mg/mL", "6 mg/mL")):
            path = tmp_path / f"{number}.toml"
            top = HEAD if number == 0 else HEAD.partition("[[substance]]")[0]
            path.write_text(top + product(f"p{number}", entry(amount)), encoding="utf-8")
            assert formulary.problems == ()
            formulary.add_catalogue(path)
            formulary.check()

        assert [problem.code for problem in formulary.problems] == ["outlier"]


class TestExceptions:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (product("a", "", more='gtin = "05060131261974"{}'), "gtin"),
            (product("a", "", more='doses = "multi"{}'), "in-use"),
            (product("a", "", more='doses = "single"\nin_use_period = "1 d"{}'), "in-use"),
            (product("a", "", "", "{}", "powder"), "powder"),
            (product("a", entry("1200 mg/mL"), "", "{}"), "above-100"),
            (product("a", entry("1 mg/mL", 'total = "7 mg"'), more="{}"), "total"),
            (product("a", "", more='mixed_volume = "2 mL"{}'), "kit-volume"),
        ],
    )
    def test_an_exception_suppresses_its_problem_and_is_needed(
        self, codes: Codes, text: str, code: str
    ) -> None:
        exception = f'\nexception = [{{ code = "{code}", why = "it is so" }}]'

        assert codes(text.replace("{}", "")) == [code]
        assert codes(text.replace("{}", exception)) == []

    def test_one_that_is_not_needed_is_a_problem(self, codes: Codes) -> None:
        more = 'exception = [{ code = "total", why = "x" }, { code = "gtin", why = "y" }]'

        assert codes(product("a", "", more=more)) == ["exception-unused"] * 2

    def test_it_excepts_from_nothing_else(self, codes: Codes) -> None:
        more = 'doses = "multi"\ngtin = "05060131261974"\nexception = [{ code = "in-use", why = "x" }]'

        assert codes(product("a", "", more=more)) == ["gtin"]

    def test_every_code_is_one_that_checks_report(self) -> None:
        texts = [
            path.read_text(encoding="utf-8")
            for path in (Path(__file__).parents[1] / "data/broken").glob("*.toml")
            if path.stem not in ("not-utf-8",)
        ]
        for code in CheckCode:
            assert any(f" {code}\n" in text for text in texts), code

    def test_a_product_without_any_is_stored_as_before(self, formulary: Formulary) -> None:
        """What a lot pins is the hash of what is kept of a product: new fields must not change it."""
        one = formulary.product("fillmed/nctf-135ha")
        plain = to_plain(one)

        assert isinstance(plain, dict)
        assert not plain.keys() & {"exceptions", "mixed_volume"}
        assert "total" not in str(plain)
        excepted = attrs.evolve(one, exceptions=(CheckException(CheckCode.GTIN, "x"),))
        assert to_plain(excepted) != plain


class TestPicograms:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('{ substance = "egf", amount = "5 pg/mL" },', []),
            ('{ substance = "egf", amount = "5 pg/mL", equivalents = [{ amount = "5 pg" }] },', []),
            ('{ substance = "egf", disputed = [{ amount = "5 pg/mL" }, { amount = "6 pg/mL" }] },', []),
            ('{ substance = "ascorbic-acid", amount = "5 pg/mL" },', ["picograms"]),
            ('{ substance = "nobody", amount = "5 pg/mL" },', ["picograms", "unknown-substance"]),
            ('{ substance = "egf", amount = "5 pgs/mL" },', ["unit"]),
            ('{ substance = "egf", amount = "5 pg" },', ["picograms"]),
            ('{ substance = 5, amount = "5 pg/mL" },', ["picograms", "type"]),
        ],
    )
    def test_they_are_believed_of_growth_factors_alone(
        self, codes: Codes, text: str, found: list[str]
    ) -> None:
        assert sorted(codes(product("a", text))) == found

    def test_a_formula_may_ask_for_them_too(self, codes: Codes) -> None:
        formula = """
[[formula]]
id = "f"
name = "F"
teaching = true
line = [{{ product = "acme/a", dose = "5 pg", substance = "{}" }}]
"""
        base = product("a", entry("5 pg/mL", "", "egf"))

        assert codes(base, formula.format("egf")) == []
        assert codes(base, formula.format("ascorbic-acid")) == ["picograms"]
