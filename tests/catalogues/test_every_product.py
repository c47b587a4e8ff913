"""Every bundled product: there, sourced, and right as far as it can be told."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from mesoformula.formulary import Formulary
from mesoformula.products import Form
from mesoformula.sources import SourceKind
from mesoformula.units import kind_of, parse_strength

#: Products that the project promises, by what is printed on them.
PROMISED = (
    "Soluvit N",
    "Cernevit",
    "Addaven",
    "Ascorbic Acid.*500 mg/5 ?mL",
    "Magnesium sul(f|ph)ate.*50 ?%",
    "Placentex",
    "Profhilo",
    "Restylane (Skinboosters )?Vital( Lidocaine)?$",
    "Restylane (Skinboosters )?Vital Light",
    "RX.HA.12",
    "SKformula",
    "Redensity (II|2)",
    "Ejal ?40",
    "Newgyn",
    "NCTF 135 ?HA",
)


def test_at_least_twenty_products_of_ten_vendors_are_bundled(formulary: Formulary) -> None:
    products = formulary.products()

    assert len({product.id for product in products}) >= 20
    assert len({product.vendor.id for product in products}) >= 10


def test_every_product_of_the_files_is_found(formulary: Formulary, pytestconfig: pytest.Config) -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for path in files("mesoformula_catalogues").joinpath("products").iterdir()
        if path.name.endswith(".toml")
    ]
    written = sum(len(re.findall(r"^\[\[product\]\]", text, re.MULTILINE)) for text in texts)

    assert len(formulary.products()) == written > 0


@pytest.mark.parametrize("printed", PROMISED)
def test_a_promised_product_is_there(formulary: Formulary, printed: str) -> None:
    assert [product.id for product in formulary.products() if re.search(printed, product.name, re.IGNORECASE)]


@pytest.mark.parametrize("printed", ["Ejal ?40", "Newgyn"])
def test_a_distributors_figure_is_marked_as_such(formulary: Formulary, printed: str) -> None:
    for product in formulary.products():
        if re.search(printed, product.name, re.IGNORECASE):
            stated = [content for _part, content in product.contents() if content.strength is not None]
            assert stated
            assert {product.source(content.source).kind for content in stated} == {SourceKind.DIST}


def test_a_kit_of_unequal_parts_a_dispute_and_undisclosed_amounts_are_among_them(
    formulary: Formulary,
) -> None:
    products = formulary.products()
    contents = [(product.id, content) for product in products for _part, content in product.contents()]

    assert any(
        len({(part.container, part.volume, part.form) for part in p.parts}) > 1 for p in products if p.is_kit
    )
    assert any(content.disputed for _id, content in contents)
    assert len({name for name, content in contents if content.undisclosed}) >= 3
    assert any(part.form is Form.POWDER and part.reconstitution for p in products for part in p.parts)


def test_nctf_135_ha_tells_no_amount(formulary: Formulary) -> None:
    (product,) = (p for p in formulary.products() if re.search(r"NCTF.?135 ?HA$", p.name))

    assert product.contents()
    assert not any(content.strength for _part, content in product.contents())


class TestEveryProduct:
    def test_is_found_by_its_id_and_says_what_the_file_says(
        self, formulary: Formulary, product_id: str
    ) -> None:
        product = formulary.product(product_id)

        assert product.pinned_id == product_id
        assert formulary.product(product.id).revision >= product.revision

    def test_has_sources_with_a_place_and_a_day(self, formulary: Formulary, product_id: str) -> None:
        product = formulary.product(product_id)

        assert product.sources
        for source in product.sources:
            assert source.where.strip()
            assert date(2020, 1, 1) < source.read <= date(2100, 1, 1)

    def test_takes_its_amounts_only_from_sources_that_answer_for_them(
        self, formulary: Formulary, product_id: str
    ) -> None:
        product = formulary.product(product_id)
        answerable = {"IFU", "SmPC", "REG", "STD", "PR", "CALC", "DIST"}
        for _part, content in product.contents():
            if content.strength is not None:
                assert product.source(content.source).kind in answerable
            for stated in content.disputed:
                assert product.source(stated.source).kind in answerable

    def test_names_only_substances_that_are_described(self, formulary: Formulary, product_id: str) -> None:
        product = formulary.product(product_id)
        for part, content in product.contents():
            if content.substance is not None:
                assert formulary.substance(content.substance)
            for auxiliary in part.auxiliaries if part is not None else ():
                assert formulary.substance(auxiliary.substance)

    def test_says_of_each_ingredient_how_much_that_sources_disagree_or_that_nobody_says(
        self, formulary: Formulary, product_id: str
    ) -> None:
        for _part, content in formulary.product(product_id).contents():
            assert [content.strength is not None, bool(content.disputed), content.undisclosed].count(
                True
            ) == 1

    def test_has_strengths_that_are_read_again_as_they_were_written(
        self, formulary: Formulary, product_id: str
    ) -> None:
        for _part, content in formulary.product(product_id).contents():
            strengths = (
                [content.strength] if content.strength else [stated.strength for stated in content.disputed]
            )
            for strength in strengths:
                assert strength.written
                assert parse_strength(strength.written) == strength
                assert type(strength.amount.magnitude) is Decimal

    def test_holds_no_more_of_an_ingredient_than_there_is_room_for(
        self, formulary: Formulary, product_id: str
    ) -> None:
        """Nothing dissolves at more than two grams per millilitre, nor fills more than its own container."""
        for part, content in formulary.product(product_id).contents():
            strength = content.strength
            if strength is None or kind_of(strength.amount.units) != "mass":
                continue
            mass = strength.amount
            if strength.per is not None and kind_of(strength.per.units) == "volume":
                assert (mass / strength.per).to("gram / milliliter").magnitude <= 2
            elif strength.per is not None:
                assert (mass / strength.per).to("gram / gram").magnitude <= 1
            elif part is not None and part.mass is not None:
                assert mass <= part.mass
