"""The bundled rules: somebody answers for each, each leads somewhere, and none that is due is missing."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import Formulary, LooksAt, Selector, Severity
from mesoformula.errors import UnknownNameError
from mesoformula.rules import words_of

FOLDER = Path(str(files("mesoformula_catalogues"))) / "rules"
TABLES = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
#: As the files have them, read by the standard library alone.
WRITTEN: dict[str, dict[str, Any]] = {rule["id"]: rule for table in TABLES for rule in table.get("rule", [])}

#: The contraindications of the two clinic pages that define the field, with the rule that says each.
FOUNDING = {
    "rosacea": "rosacea",
    "acute-skin-infection": "skin-infection",
    "bacterial-skin-infection": "skin-infection",
    "blood-clotting-disorder": "blood-clotting-disorder",
    "broken-veins": "broken-veins",
    "sensitive-skin-with-redness": "sensitive-skin-with-redness",
    "pregnancy": "pregnancy",
    "breast-feeding": "breast-feeding",
    "autoimmune-disease": "autoimmune-disease",
    "diabetes": "diabetes",
}

#: What published sources say of mixtures, products and claims, each with the rule that says it.
PUBLISHED = {
    "hyaluronic acid precipitates with quaternary ammonium": "hyaluronate-with-quaternary-ammonium",
    "ascorbate reduces selenite where acidic": "selenite-with-acidic-ascorbate",
    "copper catalyses the oxidation of ascorbate": "copper-with-ascorbate",
    "calcium precipitates with phosphate": "calcium-with-phosphate",
    "iron precipitates with phosphate": "iron-with-phosphate",
    "copper precipitates with cysteine": "copper-with-cysteine",
    "metabisulfite destroys thiamine": "thiamine-with-metabisulfite",
    "light destroys retinol and riboflavin": "light-and-vitamins",
    "B12 is lost beside much thiamine and nicotinamide": "b12-with-thiamine-and-nicotinamide",
    "B1, B2, B6 and C kept 72 h cold": "b-vitamins-and-ascorbate-kept",
    "an NMR study disagrees": "vitamins-with-trace-elements",
    "extremes: Addaven": "addaven-undiluted",
    "extremes: selenious acid": "selenious-acid-is-acidic",
    "extremes: pyridoxine": "pyridoxine-is-acidic",
    "extremes: Pascoe": "pascoe-is-concentrated",
    "extremes: Soluvit": "soluvit-is-concentrated",
    "glutathione in solution": "glutathione-in-solution",
    "Pabrinex is mixed just before use": "pabrinex-pair",
    "anaesthetics inhibit lipolysis": "anaesthetic-with-lipolytic",
    "hyaluronidase breaks hyaluronic acid down": "hyaluronidase-with-hyaluronate",
    "Plinest: intradermal only": "plinest-route",
    "Soluvit: intravenous only": "soluvit-intradermal",
    "Placentex: intramuscular": "placentex-intradermal",
    "Hyalase: not intravenous": "hyalase-intravenous",
    "Hydro Deluxe: face and neck": "hydro-deluxe-zones",
    "Structura: fat, not dermis": "structura-intradermal",
    "outbreaks of mycobacteria": "multi-dose-lots",
    "shallow lipolytics": "lipolytics-in-the-dermis",
    "scalp abscesses": "scalp-abscesses",
    "vitamins killed fibroblasts": "vitamin-solutions-on-fibroblasts",
    "hyaluronic acid alone did as well": "hyaluronate-alone-did-as-well",
    "nothing changed around the eyes": "vitamins-around-the-eyes",
    "EU: vials": "eu-cosmetic-in-a-vial",
    "KR: cosmetics into the skin": "kr-cosmetic-into-the-skin",
    "US: fat-dissolving": "us-fat-dissolving-injections",
    "US: needle-free": "us-needle-free-fillers",
    "FR: lipolytics": "fr-lipolytic-injections",
    "FR: mixtures": "fr-lipolytic-mixtures",
    "Rejuran in the US": "us-rejuran",
}


def test_the_files_hold_as_many_rules_as_are_read(formulary: Formulary) -> None:
    assert len(WRITTEN) == sum(len(table.get("rule", [])) for table in TABLES)
    assert {rule.id for rule in formulary.rules()} == set(WRITTEN)
    assert len(WRITTEN) >= 95


@pytest.mark.parametrize("name", sorted(WRITTEN))
class TestEveryRule:
    def test_names_a_source_that_carries_its_weight(self, name: str) -> None:
        kinds = {source["kind"] for source in WRITTEN[name]["source"]}

        assert kinds
        if kinds <= {"CLINIC", "BLOG", "REPO"}:
            assert WRITTEN[name]["severity"] in ("warn", "info")

    def test_says_what_is_so_and_then_what_to_do(self, name: str) -> None:
        fact, _colon, advice = WRITTEN[name]["message"].partition(":")

        assert len(fact) > 10
        assert len(advice) > 10
        assert not WRITTEN[name]["message"].endswith(".")

    def test_selects_something_with_each_selector(self, formulary: Formulary, name: str) -> None:
        for text in formulary.rule(name).selectors:
            assert any(Selector.of(text).selects(one) for one in formulary.substances()), text

    def test_forgets_no_form_of_what_it_names_by_moiety(self, formulary: Formulary, name: str) -> None:
        """A form that converts to nothing, as its label leaves the hydrate open, is easily forgotten."""
        rule = formulary.rule(name)
        groups = [presence.any_of for presence in rule.present]
        for group in groups:
            moieties = [Selector.of(text).name for text in group if text.startswith("moiety:")]
            for one in formulary.substances():
                if any(one.id.startswith(f"{moiety}-") for moiety in moieties):
                    assert any(Selector.of(text).selects(one) for text in group), (group, one.id)


@pytest.mark.parametrize(("condition", "name"), FOUNDING.items())
def test_every_founding_contraindication_warns_whatever_is_injected(
    formulary: Formulary, condition: str, name: str
) -> None:
    rule = formulary.rule(name)

    assert condition in rule.conditions
    assert rule.severity is Severity.WARN
    assert {str(source.kind) for source in rule.sources} == {"CLINIC"}
    assert (rule.products, rule.present, rule.region) == ((), (), None)


def test_an_allergy_to_an_ingredient_blocks_and_labels_answer_for_it(formulary: Formulary) -> None:
    (rule,) = [rule for rule in formulary.rules() if rule.allergic]

    assert rule.severity is Severity.BLOCK
    assert [str(source.kind) for source in rule.sources].count("SmPC") >= 3


@pytest.mark.parametrize("name", PUBLISHED.values(), ids=list(PUBLISHED))
def test_what_sources_say_is_a_rule(formulary: Formulary, name: str) -> None:
    assert formulary.rule(name).id == name


def test_rules_on_law_and_no_others_depend_on_dates(formulary: Formulary) -> None:
    for rule in formulary.rules():
        assert bool(rule.periods) is (rule.looks_at is LooksAt.LAW)


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2011, 4, 11), False),
        (date(2011, 4, 12), True),
        (date(2011, 6, 16), True),
        (date(2011, 6, 17), False),
        (date(2012, 2, 16), False),
        (date(2012, 2, 17), True),
        (date(2026, 11, 23), True),
    ],
)
@pytest.mark.parametrize("name", ["fr-lipolytic-injections", "fr-lipolytic-mixtures"])
def test_the_french_decree_was_suspended_and_holds_again(
    formulary: Formulary, name: str, day: date, holds: bool
) -> None:
    assert formulary.rule(name).in_force(day) is holds


@pytest.mark.parametrize(
    ("name", "region", "holds"),
    [
        ("eu-cosmetic-in-a-vial", "EU", True),
        ("eu-cosmetic-in-a-vial", "FR", True),
        ("eu-cosmetic-in-a-vial", "UK", False),
        ("eu-cosmetic-in-a-vial", "KR", False),
        ("fr-lipolytic-injections", "FR", True),
        ("fr-lipolytic-injections", "EU", False),
        ("fr-lipolytic-injections", "DE", False),
        ("cosmetic-injected", "KR", True),
        ("us-needle-free-fillers", "US", True),
    ],
)
def test_a_rule_holds_in_its_region_and_in_the_members_of_the_union(
    formulary: Formulary, name: str, region: str, holds: bool
) -> None:
    assert formulary.rule(name).holds_in(region) is holds


# ---- vocabularies --------------------------------------------------------------------------------------


def test_a_condition_is_there_because_a_rule_asks_for_it(formulary: Formulary) -> None:
    asked = {name for rule in formulary.rules() for name in rule.conditions}

    assert {one.id for one in formulary.conditions()} == asked


def test_every_word_leads_to_its_own_condition_or_allergen(formulary: Formulary) -> None:
    for condition in formulary.conditions():
        for word in words_of(condition):
            assert formulary.find_condition(word) == condition
    for allergen in formulary.allergens():
        for word in words_of(allergen):
            assert formulary.find_allergen(word) == allergen


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("Grossesse", "pregnancy"),
        ("ALLAITEMENT", "breast-feeding"),
        ("diabete", "diabetes"),
        ("rosacée", "rosacea"),
        ("wilsons disease", "wilsons-disease"),
        ("haemophilia", "blood-clotting-disorder"),
        ("Maladie auto-immune", "autoimmune-disease"),
    ],
)
def test_a_condition_is_found_whatever_the_language_accents_and_case(
    formulary: Formulary, word: str, found: str
) -> None:
    assert formulary.find_condition(word).id == found


@pytest.mark.parametrize(
    ("word", "holds", "lacks"),
    [
        ("fish", "polynucleotides", "egf"),
        ("poisson", "pdrn", "sodium-hyaluronate"),
        ("salmon", "pdrn", "procaine"),
        ("soja", "soy-lecithin", "polynucleotides"),
        ("Lidocaïne", "lidocaine-hydrochloride", "procaine"),
        ("lignocaine", "lidocaine-hydrochloride-monohydrate", "procaine-hydrochloride"),
        ("novocaine", "procaine-hydrochloride", "lidocaine"),
        ("paraben", "methylparaben", "benzyl-alcohol"),
        ("methylparaben", "propylparaben", "benzyl-alcohol"),
        ("vitamin B1", "cocarboxylase-tetrahydrate", "riboflavin"),
        ("thiamine hydrochloride", "thiamine-nitrate", "sodium-chloride"),
        ("sodium ascorbate", "ascorbic-acid", "sodium-chloride"),
        ("sodium selenite pentahydrate", "selenious-acid", "sodium-ascorbate"),
        ("cobalt", "cyanocobalamin", "nicotinamide"),
        ("hyaluronan", "sodium-hyaluronate", "hyaluronidase"),
        ("polynucleotides", "pdrn", "egf"),
        ("50-81-7", "sodium-ascorbate", "folic-acid"),
    ],
)
def test_an_allergen_holds_all_forms_and_not_what_only_shares_a_counter_ion(
    formulary: Formulary, word: str, holds: str, lacks: str
) -> None:
    selectors = [Selector.of(text) for text in formulary.find_allergen(word).selectors]

    assert any(one.selects(formulary.substance(holds)) for one in selectors)
    assert not any(one.selects(formulary.substance(lacks)) for one in selectors)


def test_every_substance_is_an_allergen_that_holds_itself(formulary: Formulary) -> None:
    for substance in formulary.substances():
        for word in (substance.id, substance.name):
            selectors = formulary.find_allergen(word).selectors
            assert any(Selector.of(text).selects(substance) for text in selectors), word


@pytest.mark.parametrize(
    ("word", "crosses"),
    [
        ("peanut", "soy-lecithin"),
        ("paraben", "procaine-hydrochloride"),
        ("propylparaben", "procaine"),
        ("sulfonamides", "procaine-hydrochloride"),
        ("streptococcus", "sodium-hyaluronate"),
        ("fish", "sodium-dna"),
    ],
)
def test_an_allergy_crosses_to_what_labels_name(formulary: Formulary, word: str, crosses: str) -> None:
    allergen = formulary.find_allergen(word)
    met = [
        cross
        for cross in allergen.crosses
        if any(Selector.of(text).selects(formulary.substance(crosses)) for text in cross.any_of)
    ]

    assert met
    assert all(cross.sources for cross in met)


@pytest.mark.parametrize(
    ("word", "near"), [("pregnency", "pregnancy"), ("diabtes", "diabetes"), ("rosacee acne", "acne rosacea")]
)
def test_an_unknown_condition_is_refused_with_the_nearest(formulary: Formulary, word: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        formulary.find_condition(word)

    assert near in caught.value.nearest


@pytest.mark.parametrize(
    ("word", "near"), [("fsh", "fish"), ("lidocane", "lidocaine"), ("parabin", "paraben")]
)
def test_an_unknown_allergen_is_refused_with_the_nearest(formulary: Formulary, word: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        formulary.find_allergen(word)

    assert near in caught.value.nearest


@pytest.mark.parametrize("word", ["", " ", "-", "…", "vitamin", "amino acid"])
def test_what_names_nothing_or_a_whole_class_is_no_allergen(formulary: Formulary, word: str) -> None:
    with pytest.raises(UnknownNameError):
        formulary.find_allergen(word)
    with pytest.raises(UnknownNameError):
        formulary.find_condition(word)


@given(st.text(max_size=30))
def test_no_word_is_ignored_and_none_breaks_the_search(formulary: Formulary, word: str) -> None:
    known = {section: formulary.names(section) for section in ("condition", "allergen", "substance")}
    with suppress(UnknownNameError):
        assert formulary.find_condition(word).id in known["condition"]
    with suppress(UnknownNameError):
        assert formulary.find_allergen(word).id in (*known["allergen"], *known["substance"])
