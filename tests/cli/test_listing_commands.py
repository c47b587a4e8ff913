"""`mesoformula classes`, `substances`, `products` and `product`."""

from __future__ import annotations

import shlex

import pytest

from mesoformula.ingredients import CORE_CLASSES


def test_classes_lists_the_seven(meso):
    ran = meso("classes", "--json")
    assert [known["id"] for known in ran.json] == [known.id for known in CORE_CLASSES]
    assert all(known["core"] and known["attributes"] for known in ran.json)
    text = meso("classes").out
    assert all(known.id in text for known in CORE_CLASSES)


def test_classes_marks_those_of_plugins(meso, install_plugin):
    install_plugin(
        "peptides",
        """
        import attrs
        from mesoformula import IngredientClass, hookimpl

        @attrs.frozen
        class Peptide:
            pass

        @hookimpl
        def mesoformula_ingredient_classes():
            return [IngredientClass("signal_peptide", "signal peptide", "signals", Peptide)]
        """,
    )
    ran = meso("classes")
    assert "signal_peptide *" in ran.out
    assert "* offered by a plugin" in ran.out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ascorb"], {"ascorbic-acid", "sodium-ascorbate"}),
        (["50-81-7"], {"ascorbic-acid"}),
        (["vitamin c"], {"ascorbic-acid"}),
        (["ASCORBIC ACID"], {"ascorbic-acid"}),
    ],
)
def test_substances_are_found_by_name_number_and_synonym(meso, words, found):
    assert found <= {substance["id"] for substance in meso("substances", *words, "--json").json}


def test_substances_of_a_class(meso):
    ran = meso("substances", "--class", "coenzyme", "--json")
    assert ran.json
    assert {substance["ingredient_class"] for substance in ran.json} == {"coenzyme"}
    mass = next(one["molar_mass"] for one in ran.json if one["id"] == "atp")
    assert mass["unit"] == "g/mol"
    assert mass["value"].startswith("507.18")


@pytest.mark.parametrize("noun", ["substances", "products"])
def test_a_class_that_nobody_knows_is_wrong_usage(meso, noun):
    ran = meso(noun, "--class", "vitamins")
    assert ran.code == 2
    assert "no ingredient class is called 'vitamins'" in ran.err


@pytest.mark.parametrize(
    ("noun", "more"),
    [("substances", ""), ("products", "; a file of your own is read with --catalogue FILE")],
)
def test_what_is_not_found_says_what_to_do_next(meso, noun, more):
    ran = meso(noun, "zzzzzz")
    assert ran.code == 0
    assert ran.said == f"no {noun[:-1]} found; list them all with: mesoformula {noun}{more}"
    assert meso(noun, "zzzzzz", "--json").json == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["nctf"], {"fillmed/nctf-135ha", "fillmed/nctf-135ha-plus"}),
        (["chanel injection"], {"fillmed/nctf-135ha"}),
        (["polynucleotides"], {"mastelli/plinest"}),
        (["--vendor", "ibsa"], {"ibsa/profhilo-2ml"}),
        (["--vendor", "Fresenius Kabi"], {"fresenius-kabi/soluvit-n"}),
        (["--class", "vitamin"], {"fresenius-kabi/soluvit-n", "fillmed/nctf-135ha"}),
        (["--class", "vitamin", "--vendor", "baxter"], {"baxter/cernevit"}),
    ],
)
def test_products_are_found_by_what_people_call_them(meso, words, found):
    assert found <= {product["id"] for product in meso("products", *words, "--json").json}


def test_products_are_sorted_and_say_how_much_is_known(meso):
    listed = meso("products", "--json").json
    ids = [product["id"] for product in listed]
    assert ids == sorted(ids)
    amounts = {product["id"]: product["amounts"] for product in listed}
    assert amounts["fillmed/nctf-135ha"] == {"stated": 0, "disputed": 0, "undisclosed": 6}
    assert amounts["mastelli/plinest"]["disputed"] == 1
    assert amounts["baxter/cernevit"]["undisclosed"] == 0
    text = meso("products").said
    assert "none disclosed" in text
    assert "all stated" in text
    assert f"{len(ids)} products" in text


def test_every_id_of_a_table_stands_whole_on_a_line_of_its_own(meso):
    lines = [line.strip() for line in meso("products").out.splitlines()]
    words = {word for line in lines for word in line.split("  ")[:1]}
    assert {product["id"] for product in meso("products", "--json").json} <= words


def test_an_unknown_vendor_is_wrong_usage(meso):
    assert "did you mean mastelli" in meso("products", "--vendor", "mastely").err
    ran = meso("products", "--vendor", "zzz")
    assert ran.code == 2
    assert "; known: " in ran.err
    assert "fresenius-kabi, " in ran.err


@pytest.mark.parametrize(
    "command",
    [
        "classes", "substances", "products", "products vitamin", "product baxter/cernevit",
        "product fillmed/nctf-135ha", "product kyowa-kirin/pabrinex-im", "product mastelli/plinest",
        "session teaching-nctf-vitamin-c", "session teaching-all-lines --explain", "session baxter/cernevit",
        "formula show teaching-all-lines", "plugin list",
        "convert '113 mg' --substance sodium-ascorbate --to mg --as ascorbic-acid",
    ],
)  # fmt: skip
def test_text_fits_80_columns_but_for_addresses(meso, command):
    ran = meso(*shlex.split(command))
    # A session that needs overrides says so with 1.
    assert ran.code == (1 if command.startswith("session ") else 0)
    too_long = [line for line in ran.out.splitlines() if len(line) > 80 and "://" not in line]
    assert too_long == []


def test_a_product_is_shown_with_what_is_known_disputed_and_unknown(meso):
    text = meso("product", "fillmed/nctf-135ha").said
    assert text.startswith("NCTF 135HA — Fillmed fillmed/nctf-135ha, revision 1")
    assert "not stated kind, routes, legal status" in text
    assert "Hyaluronic acid not disclosed" in text
    assert "also called Chanel injection" in text
    disputed = meso("product", "mastelli/plinest").said
    assert "disputed: 20 mg/2 mL DIST 20 mg/mL PR" in disputed


def test_a_powder_says_how_to_dissolve_it_with_names_for_people(meso):
    text = meso("product", "fresenius-kabi/soluvit-n").said
    assert "dissolve add 10 mL of Water for injections" in text
    assert "displacement not stated" in text
    assert "auxiliaries Methylparaben 0.5 mg per container" in text


def test_a_product_in_json_is_whole(meso):
    plain = meso("product", "baxter/cernevit", "--json").json
    assert plain["id"] == "baxter/cernevit"
    amount = plain["parts"][0]["composition"][0]["strength"]
    assert amount["amount"] == {"value": "3500", "unit": "IU"}
    assert plain["sources"]


@pytest.mark.parametrize("name", ["nctf", "fillmed/nctf", "nctf-135ha", "fillmed/nctf-135ha@2"])
def test_a_product_that_is_not_known_suggests_those_that_come_near(meso, name):
    ran = meso("product", name)
    assert ran.code == 2
    assert "did you mean" in ran.err
    assert "fillmed/nctf-135ha" in ran.err


def test_every_product_can_be_shown(meso, product_id):
    ran = meso("product", product_id)
    assert (ran.code, ran.err) == (0, "")
    assert "\nSources\n" in ran.out
