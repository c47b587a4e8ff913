"""Which products hold a substance, and how much, as their labels print it."""

from __future__ import annotations

import pytest

from mesoformula import Amount, AmountKind, Formulary, show
from mesoformula.holdings import Holding, holdings
from mesoformula.presentation import held_classes


def held(formulary: Formulary, substance: str, product: str) -> list[Holding]:
    return [one for one in holdings(formulary, substance) if one.product.id == product]


def said(amount: Amount) -> str:
    if amount.low is None:
        return amount.kind.value
    if amount.kind is AmountKind.DISPUTED and amount.high is not None:
        return f"{show(amount.low)} to {show(amount.high)}"
    return show(amount.low)


@pytest.mark.parametrize(
    ("substance", "product", "per_container", "per_ml"),
    [
        ("ascorbic-acid", "phoenix-labs/ascorbic-acid-500", "500 mg", "100 mg/mL"),
        # 7.5 g in 50 mL, as the label prints beside 150 mg/mL
        ("ascorbic-acid", "pascoe/ascorbic-acid-150", "7500 mg", "150 mg/mL"),
        # the label counts a vial as 10 mL: one tenth in each
        ("biotin", "fresenius-kabi/soluvit-n", "0.06 mg", "0.006 mg/mL"),
        ("ascorbic-acid", "kyowa-kirin/pabrinex-im", "500 mg", "250 mg/mL"),
        ("sodium-hyaluronate", "ibsa/profhilo-structura", "90 mg to 180 mg", "45 mg/mL to 90 mg/mL"),
        # per gram, without a density: nobody knows how much a millilitre holds
        ("hyaluronic-acid", "teoxane/redensity-1-1ml", "undisclosed", "undisclosed"),
        ("hyaluronic-acid", "fillmed/nctf-135ha", "undisclosed", "undisclosed"),
        # a powder that nobody says how to dissolve to a volume holds what it holds
        ("hyaluronidase", "wockhardt/hyalase-1500", "1500 IU", "undisclosed"),
    ],
)
def test_a_container_and_a_millilitre_hold_what_the_label_prints(
    formulary: Formulary, substance: str, product: str, per_container: str, per_ml: str
) -> None:
    (one,) = held(formulary, substance, product)

    assert (said(one.per_container), said(one.per_ml)) == (per_container, per_ml)


def test_a_form_that_yields_the_substance_is_listed_as_itself(formulary: Formulary) -> None:
    (one,) = held(formulary, "ascorbic-acid", "fresenius-kabi/soluvit-n")

    assert (one.substance, said(one.per_container)) == ("sodium-ascorbate", "113 mg")


def test_the_part_of_a_kit_is_named(formulary: Formulary) -> None:
    (one,) = held(formulary, "ascorbic-acid", "kyowa-kirin/pabrinex-im")

    assert one.part == "no-2"


def test_every_product_is_found_by_everything_it_lists(formulary: Formulary) -> None:
    listed = {
        (content.substance, product.pinned_id)
        for product in formulary.products()
        for _part, content in product.contents()
        if content.substance is not None
    }

    assert len(listed) > 100
    for substance in {substance for substance, _product in listed}:
        found = {one.product.pinned_id for one in holdings(formulary, substance)}
        assert {product for name, product in listed if name == substance} <= found


def test_classes_published_without_substances_count_too(formulary: Formulary) -> None:
    classes = held_classes(formulary.product("fillmed/nctf-135ha"), formulary)

    assert {"vitamin", "mineral", "amino_acid", "coenzyme", "hyaluronic_acid"} <= classes


FICTIONAL = """
schema = 1

[vendor]
id = "made-up"
name = "Made up"

[[product]]
sku = "powder"
name = "A powder with a density"
source = [{ kind = "IFU", where = "made up", read = 2026-01-05 }]

[[product.part]]
container = "vial"
form = "powder"
mass = "1 g"
density = "0.5 g/mL"
reconstitution = { volume = "10 mL", method = "make up to" }
composition = [{ substance = "glycine", amount = "500 mg/g" }]

[[product]]
sku = "gel"
name = "A gel by mass"
source = [{ kind = "IFU", where = "made up", read = 2026-01-05 }]

[[product.part]]
container = "syringe"
form = "gel"
mass = "2 g"
density = "1.25 g/mL"
composition = [{ substance = "glycine", amount = "20 mg/g" }]
"""


@pytest.mark.parametrize(
    ("product", "per_container", "per_ml"),
    [
        ("made-up/powder", "500 mg", "50 mg/mL"),  # half of 1 g, in 10 mL
        ("made-up/gel", "40 mg", "25 mg/mL"),  # 20 mg in each of 2 g, which are 1.6 mL
    ],
)
def test_what_is_stated_per_gram_follows_the_mass(product: str, per_container: str, per_ml: str) -> None:
    from importlib.resources import files

    from mesoformula.catalogue.files import CatalogueFile, parse

    made = Formulary()
    made.add_catalogue(files("mesoformula_catalogues"))
    file = parse(FICTIONAL.encode(), "made-up.toml")
    assert isinstance(file, CatalogueFile)
    made.add_file(file)
    (one,) = held(made, "glycine", product)

    assert (said(one.per_container), said(one.per_ml)) == (per_container, per_ml)
