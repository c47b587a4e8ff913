"""Everything on offer, found by name, and read no earlier than it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesoformula.errors import CatalogueError, Problem, UnknownNameError
from mesoformula.formulary import Formulary
from mesoformula.ingredients import Substance

PRODUCTS = """
schema = 1

[vendor]
id = "acme"
name = "Acme"

[[product]]
sku = "good"
name = "Good"
source = [{ kind = "IFU", where = "a fictional leaflet", read = 2026-11-23 }]
part = [{ container = "vial", form = "solution", volume = "5 mL" }]

[[product]]
sku = "bad"
name = "Bad"
source = [{ kind = "IFU", where = "a fictional leaflet", read = 2026-11-23 }]
part = [{ container = "vial", form = "solution", volume = "5,5 mL" }]

[[product]]
sku = "good"
revision = 3
name = "Better"
source = [{ kind = "IFU", where = "a fictional leaflet", read = 2026-11-23 }]
part = [{ container = "vial", form = "solution", volume = "10 mL" }]
"""


@pytest.fixture
def offered(tmp_path: Path) -> Formulary:
    """The products above, none of them read yet."""
    path = tmp_path / "acme.toml"
    path.write_text(PRODUCTS, encoding="utf-8")
    formulary = Formulary()
    formulary.add_catalogue(path)
    return formulary


class TestFinding:
    def test_a_product_without_a_revision_is_its_latest(self, offered: Formulary) -> None:
        assert offered.product("acme/good").pinned_id == "acme/good@3"
        assert offered.product("acme/good@1").name == "Good"
        assert offered.product("acme/good@3").name == "Better"

    def test_the_latest_revision_is_the_highest_number_and_not_the_last_word(
        self, make_catalogue: Callable[..., Any]
    ) -> None:
        text = PRODUCTS.replace("revision = 3", "revision = 10").replace("5,5 mL", "5.5 mL")
        text = text.replace('sku = "bad"', 'sku = "good"\nrevision = 9')

        assert make_catalogue(text).formulary.product("acme/good").pinned_id == "acme/good@10"

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("acme/godo", "acme/good"),
            ("ACME/Good", "acme/good"),
            ("acme/good@2", "acme/good"),
            ("acmegood", "acme/good"),
        ],
    )
    def test_a_product_that_nobody_offers_is_refused_with_the_nearest(
        self, offered: Formulary, name: str, near: str
    ) -> None:
        with pytest.raises(UnknownNameError) as caught:
            offered.product(name)

        assert caught.value.kind == "product"
        assert caught.value.name == name
        assert near in caught.value.nearest
        assert isinstance(caught.value, LookupError)

    @pytest.mark.parametrize("name", ["", "@", "acme/good@", "acme/good@x", "zzzzzz", "a\nb", "x" * 10_000])
    def test_any_text_may_be_asked_for(self, offered: Formulary, name: str) -> None:
        with pytest.raises(UnknownNameError) as caught:
            offered.product(name)

        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300

    @pytest.mark.parametrize(
        ("finder", "known", "typed"),
        [
            ("substance", "ascorbic-acid", "ascorbicacid"),
            ("substance", "retinyl-palmitate", "retinol palmitate"),
        ],
    )
    def test_a_bundled_name_comes_close_to_what_was_typed(
        self, formulary: Formulary, finder: str, known: str, typed: str
    ) -> None:
        with pytest.raises(UnknownNameError) as caught:
            getattr(formulary, finder)(typed)

        assert known in caught.value.nearest

    @pytest.mark.parametrize("finder", ["substance", "technique", "zone", "syringe", "needle", "formula"])
    def test_an_empty_formulary_knows_nothing_and_offers_nothing(self, finder: str) -> None:
        with pytest.raises(UnknownNameError) as caught:
            getattr(Formulary(), finder)("x")

        assert (caught.value.kind, caught.value.nearest) == (finder, ())

    def test_it_tells_whether_it_has_a_name(self, offered: Formulary) -> None:
        assert offered.has_product("acme/good")
        assert offered.has_product("acme/good@3")
        assert not offered.has_product("acme/good@2")
        assert not offered.has_substance("x")
        assert not offered.has_formula("x")


class TestLaziness:
    def test_a_broken_product_keeps_no_other_from_being_found(self, offered: Formulary) -> None:
        assert offered.problems == ()
        assert offered.product("acme/good@1").name == "Good"
        assert offered.problems == ()

    def test_a_broken_product_raises_its_problems_each_time_it_is_asked_for(self, offered: Formulary) -> None:
        for _ in range(2):
            with pytest.raises(CatalogueError) as caught:
                offered.product("acme/bad")
            assert [(problem.code, problem.line) for problem in caught.value.problems] == [
                ("decimal-comma", 18)
            ]
        assert len(offered.problems) == 1

    def test_a_broken_product_is_left_out_of_listings_and_reported(self, offered: Formulary) -> None:
        assert [product.pinned_id for product in offered.products()] == ["acme/good@1", "acme/good@3"]
        assert [problem.code for problem in offered.problems] == ["decimal-comma"]

    def test_a_record_is_read_once(self, offered: Formulary) -> None:
        assert offered.product("acme/good") is offered.product("acme/good@3")


class TestFilling:
    def test_one_id_offered_twice_names_both_places(self, tmp_path: Path) -> None:
        formulary = Formulary()
        for name in ("first", "second"):
            path = tmp_path / f"{name}.toml"
            path.write_text('# a comment\nschema = 1\n[[substance]]\nid = "x"\nname = "X"\n')
            formulary.add_catalogue(path)

        (problem,) = formulary.problems
        assert problem.code == "duplicate"
        assert (problem.path, problem.line) == (str(tmp_path / "second.toml"), 3)
        assert f"{tmp_path / 'first.toml'}:3" in problem.message

    def test_the_first_of_two_stays(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue(
            'schema = 1\n[[substance]]\nid = "x"\nname = "first"\n',
            'schema = 1\n[[substance]]\nid = "x"\nname = "second"\n',
        )

        assert made.formulary.substance("x").name == "first"

    def test_two_plugins_that_offer_one_id_are_named_with_a_way_out(self) -> None:
        formulary = Formulary()
        formulary.add_record("substance", Substance("x", "X"), "acme (mesoformula-acme 1.0)")
        formulary.add_record("substance", Substance("x", "Y"), "belle (mesoformula-belle 0.3)")

        (problem,) = formulary.problems
        assert (problem.code, problem.plugin) == ("duplicate", "belle (mesoformula-belle 0.3)")
        assert "acme (mesoformula-acme 1.0)" in problem.message
        assert "MESOFORMULA_BLOCK_PLUGINS" in problem.message

    def test_one_vendor_may_have_several_files(self, make_catalogue: Callable[..., Any]) -> None:
        text = PRODUCTS.replace("5,5 mL", "5.5 mL")
        made = make_catalogue(text, text.replace('sku = "', 'sku = "more-'))

        assert made.problems == ()
        assert len(made.formulary.products()) == 6

    def test_one_vendor_is_described_in_one_way(self, make_catalogue: Callable[..., Any]) -> None:
        text = PRODUCTS.replace("5,5 mL", "5.5 mL")
        made = make_catalogue(text, text.replace('sku = "', 'sku = "more-').replace('"Acme"', '"Acme Ltd"'))

        assert made.found == [(3, "duplicate")]

    @pytest.mark.parametrize(
        "change",
        [
            ('sku = "bad"', 'sku = "b@d"'),
            ('sku = "bad"', 'sku = "b@2"'),
            ('sku = "bad"', 'sku = "acme/bad"'),
            ('sku = "bad"', 'sku = ""'),
            ("revision = 3", "revision = true"),
            ("revision = 3", "revision = -3"),
            ("revision = 3", "revision = 0"),
            ("revision = 3", "revision = 9223372036854775807"),
            ("revision = 3", 'revision = "3"'),
            ("revision = 3", "revision = 3.5"),
            ("revision = 3", "revision = [3]"),
        ],
        ids=lambda change: change[1],
    )
    def test_a_strange_identity_is_a_problem_and_never_an_exception(
        self, make_catalogue: Callable[..., Any], change: tuple[str, str]
    ) -> None:
        made = make_catalogue(PRODUCTS.replace("5,5 mL", "5.5 mL").replace(*change))

        assert made.problems
        assert made.formulary.product("acme/good@1").name == "Good"

    def test_what_was_met_on_the_way_is_kept(self) -> None:
        formulary = Formulary()
        formulary.report(Problem("x", "y"))

        assert formulary.check() == (Problem("x", "y"),)


class TestChecking:
    def test_every_problem_of_every_record_is_found(self, make_catalogue: Callable[..., Any]) -> None:
        made = make_catalogue(PRODUCTS, 'schema = 1\n[[substance]]\nid = "x"\n')

        assert made.found == [(17, "decimal-comma"), (2, "missing")]

    def test_the_bundled_catalogues_have_no_problem(self, formulary: Formulary) -> None:
        assert formulary.check() == ()
