"""`mesoformula rules`: all rules, some of them, or one with everything that is known of it."""

from __future__ import annotations

from typing import Any

import pytest


def test_every_rule_is_listed_with_its_weight_and_what_it_looks_at(meso: Any) -> None:
    text, rules = meso("rules"), meso("rules", "--json").json

    assert (text.code, text.err) == (0, "")
    assert len(rules) >= 95
    for rule in rules:
        assert f"  {rule['id']} " in text.out
    assert f"{len(rules)} rules" in text.out


def test_lines_fit_the_terminal(meso: Any) -> None:
    for words in ((), ("--conditions",), ("--allergens",), ("selenite",)):
        assert max(map(len, meso("rules", *words).out.splitlines())) <= 80


def test_one_rule_by_its_id_shows_sources_region_dates_and_conditions(meso: Any) -> None:
    said = meso("rules", "fr-lipolytic-injections").said

    assert "fr-lipolytic-injections: block, looks at law" in said
    assert "holds: phosphatidylcholine or moiety:deoxycholic-acid" in said
    assert "where: FR" in said
    assert "in force: from 2011-04-12 until before 2011-06-17 and from 2012-02-17" in said
    assert "REG: http://legifrance.gouv.fr/affichTexte.do?cidTexte=JORFTEXT000023845272" in said
    assert "article 2 alone" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("b12-with-thiamine-and-nicotinamide", "nicotinamide, 25 mg/mL or more in the mixture"),
        ("selenite-with-acidic-ascorbate", "pH: below 5.0 in any part of the mixture"),
        ("glutathione-per-day", "more than 1200 mg of moiety:glutathione per 1 d"),
        ("volite-per-point", "more than 0.05 mL per point"),
        ("plinest-age", "age: below 18 years"),
        ("allergy-to-an-ingredient", "allergy: to anything that a product holds"),
        ("skinboosters-mixed", "mixed although its maker says: no or not stated"),
        ("rosacea", "where: everywhere in force: always"),
    ],
)
def test_what_must_hold_is_said_in_words(meso: Any, name: str, words: str) -> None:
    assert words in meso("rules", name).said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("selenite", "selenase-with-vitamin-c"),
        ("grossesse", "plinest-patients"),
        ("profhilo", "structura-intradermal"),
        ("microneedling", "kr-cosmetic-with-microneedles"),
        ("argireline", None),
        ("lignocaine", "anaesthetic-with-lipolytic"),
        ("KR", "kr-cosmetic-into-the-skin"),
        ("block", "hyalase-intravenous"),
        ("precipitates", "calcium-with-phosphate"),
    ],
)
def test_a_text_finds_rules_by_what_they_say_and_name(meso: Any, text: str, found: str | None) -> None:
    ids = [rule["id"] for rule in meso("rules", text, "--json").json]

    assert (found in ids) if found is not None else ids == []


def test_the_words_for_patients_are_listed_with_their_synonyms(meso: Any) -> None:
    conditions, allergens = meso("rules", "--conditions"), meso("rules", "--allergens")

    assert "grossesse" in conditions.said
    assert "breast-feeding" in conditions.out
    assert "Peanut" in allergens.said
    assert "any substance is an allergen too" in allergens.said
    assert [one["id"] for one in meso("rules", "--conditions", "wilson", "--json").json] == [
        "wilsons-disease"
    ]
    (fish,) = meso("rules", "--allergens", "poisson", "--json").json
    assert "origin:fish" in fish["selectors"]


def test_two_lists_at_once_are_refused(meso: Any) -> None:
    ran = meso("rules", "--conditions", "--allergens")

    assert ran.code == 2
    assert "ask for one of them" in ran.err


def test_what_is_not_found_leads_back_to_the_list(meso: Any) -> None:
    assert meso("rules", "rosaceaa-rule").code == 0
    assert "list them all with: mesoformula rules" in meso("rules", "qqqqqq").out
    assert (
        "no condition found; list them all with: mesoformula rules --conditions"
        in meso("rules", "--conditions", "qqqqqq").out
    )


def test_rules_of_your_own_are_listed_beside_the_bundled_ones(meso: Any, write: Any) -> None:
    path = write(
        "mine.toml",
        """
        schema = 1
        [[rule]]
        id = "mine"
        looks_at = "product"
        severity = "warn"
        message = "mine: take care"
        products = ["mastelli/plinest"]
        source = [{ kind = "IFU", where = "my own leaflet", read = 2026-11-23 }]
        """,
    )

    assert "my own leaflet" in meso("--catalogue", str(path), "rules", "mine").said


def test_without_any_catalogue_it_says_why(meso: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "formulary")

    assert "no plugin or catalogue offers any rule" in meso("rules").said
