"""A substance is found by what French labels call it, and an exact form only by the name of that form."""

from __future__ import annotations

import re

import pytest

from mesoformula.catalogue.cells import UnreadError, composition_in, names_of_substances
from mesoformula.formulary import Formulary
from mesoformula.lookup import find_substances
from mesoformula.words import folded

CALLED = [
    ("acide hyaluronique", "hyaluronic-acid"),
    ("Acide Hyaluronique", "hyaluronic-acid"),
    ("hyaluronate de sodium", "sodium-hyaluronate"),
    ("acide ascorbique", "ascorbic-acid"),
    ("vitamine C", "ascorbic-acid"),
    ("acide L-glutamique", "l-glutamic-acid"),
    ("L-tryptophane", "l-tryptophan"),
    ("chlorhydrate de L-lysine", "l-lysine-hydrochloride"),
    ("eau pour préparations injectables", "water-for-injections"),
    ("EPPI", "water-for-injections"),
    ("chlorure de sodium", "sodium-chloride"),
    ("sérum physiologique", "sodium-chloride-0-9"),
    ("alcool benzylique", "benzyl-alcohol"),
    ("parahydroxybenzoate de méthyle", "methylparaben"),
    ("sulfate de magnésium heptahydraté", "magnesium-sulfate-heptahydrate"),
    ("sulfate de magnesium anhydre", "magnesium-sulfate-anhydrous"),
    ("gluconate de zinc", "zinc-gluconate"),
    ("sélénite de sodium pentahydraté", "sodium-selenite-pentahydrate"),
    ("cuivre", "copper"),
    ("fer", "iron"),
    ("polydésoxyribonucléotide", "pdrn"),
    ("ADN sodique", "sodium-dna"),
    ("chlorhydrate de lidocaïne", "lidocaine-hydrochloride"),
    ("chlorhydrate de lidocaïne monohydraté", "lidocaine-hydrochloride-monohydrate"),
    ("glutathion réduit", "glutathione"),
    ("caféine", "caffeine"),
    ("silicium organique", "organic-silicon"),
    ("extrait d’artichaut", "artichoke-extract"),
    ("riboflavine", "riboflavin"),
    ("biotine", "biotin"),
    ("acide folique", "folic-acid"),
    ("cyanocobalamine", "cyanocobalamin"),
    ("palmitate de rétinol", "retinyl-palmitate"),
    ("colécalciférol", "colecalciferol"),
    ("phytoménadione", "phytomenadione"),
    ("ubidécarénone", "ubidecarenone"),
    ("lidocaïne", "lidocaine"),
]

#: Names that people use for more than one form: they find all of them, and are read as none.
SHARED = {folded("vitamin B1"), folded("vitamine B1")}

WATERS = {"mono": 1, "di": 2, "tri": 3, "tetra": 4, "penta": 5, "hexa": 6, "hepta": 7}
HYDRATE = re.compile(rf"({'|'.join(WATERS)})hydrat(?!e?d)", re.IGNORECASE)


@pytest.mark.parametrize(("name", "id_"), CALLED)
def test_a_french_name_finds_its_substance_and_no_other(formulary: Formulary, name: str, id_: str) -> None:
    exact = [one.record.id for one in find_substances(formulary, name) if one.match.how == "exact"]

    assert exact == [id_]


def test_a_french_composition_is_read(formulary: Formulary) -> None:
    text = (
        "Acide hyaluronique 5 mg/mL; Acide ascorbique 0.5 mg/mL; Sulfate de magnésium heptahydraté 1 mg/mL; "
        "Chlorhydrate de lidocaïne monohydraté 3 mg/mL"
    )

    assert [item.substance for item in composition_in(text, names_of_substances(formulary))] == [
        "hyaluronic-acid",
        "ascorbic-acid",
        "magnesium-sulfate-heptahydrate",
        "lidocaine-hydrochloride-monohydrate",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "sulfate de magnésium",
        "chlorure de calcium",
        "gluconate de calcium",
        "sélénite de sodium",
        "vitamine B1",
        "vitamine E",
        "thiamine",
    ],
)
def test_a_french_name_of_several_forms_is_read_as_none(formulary: Formulary, name: str) -> None:
    with pytest.raises(UnreadError, match="name the exact form"):
        composition_in(f"{name} 1 mg/mL", names_of_substances(formulary))


def test_no_two_substances_are_called_the_same(formulary: Formulary) -> None:
    names = names_of_substances(formulary)

    assert {name for name, ids in names.items() if len(ids) > 1} == SHARED


def test_a_name_says_as_much_water_as_the_form_holds(formulary: Formulary) -> None:
    looked_at = 0
    for substance in formulary.substances():
        found = re.search(r"[.·]([0-9]*)H2O$", substance.formula or "")
        water = int(found[1] or 1) if found is not None else 0
        for name in (substance.name, *substance.synonyms):
            plain = name.casefold().replace("é", "e")
            if (said := HYDRATE.search(plain)) is not None:
                assert WATERS[said[1]] == water, name
                looked_at += 1
            if "anhydr" in plain:
                assert substance.formula is not None, name
                assert not water, name
                looked_at += 1

    assert looked_at > 50


def test_every_ingredient_that_french_writes_otherwise_has_a_french_name(formulary: Formulary) -> None:
    """English words for salts and acids stand in no French name: whoever bears one needs another."""
    english = re.compile(
        r"\b(acid|\S+ (hydrochloride|sulfate|chloride|gluconate)|sodium (?!dna)\w+|(calcium|potassium) \w+)\b"
    )
    french = re.compile(r"\b(acide|chlorhydrate|de|du|d'|d’|sodique|disodique|monosodique)\b|anhydre|hydraté")
    without = {
        substance.id
        for substance in formulary.substances()
        if english.search(substance.name.casefold())
        and not any(french.search(name.casefold()) for name in substance.synonyms)
    }

    assert without == set()
