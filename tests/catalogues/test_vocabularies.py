"""Vocabularies hold what the bundled catalogues need, and nothing else without a reason."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import pytest

from mesoformula import Formulary
from mesoformula.ingredients import NucleicKind, Solubility
from mesoformula.products import (
    ContainerKind,
    Doses,
    Form,
    Method,
    Permission,
    ProductKind,
    Route,
)
from mesoformula.sources import SourceKind

ROOT = Path(str(files("mesoformula_catalogues")))

#: Terms that no bundled record uses, and why they are there all the same.
KEPT_FOR_OTHERS = {
    Form.SUSPENSION: "calcium hydroxyapatite and other particles in a carrier",
    Form.EMULSION: "fat-soluble vitamins for injection",
    ProductKind.COSMETIC: "a vial sold as a cosmetic must be told from what may be injected",
    Route.EXTERNAL: "what is labelled for the skin's surface must be told from what may be injected",
    Route.ORAL: "drinkable ampoules are labelled so",
    Permission.NO: "a maker who forbids mixing must be able to say so",
    Method.MAKE_UP_TO: "differs from adding by what the powder displaces",
    NucleicKind.NUCLEOTIDE: "the founding pages name nucleotides; bundled ones act as coenzymes",
    NucleicKind.RNA: "the founding pages name RNA; no bundled product states it",
}


def used(formulary: Formulary) -> Iterable[enum.StrEnum | None]:
    for product in formulary.products():
        yield from (product.kind, product.doses, product.mixing, product.kit_is_mixed, *product.routes)
        yield from (status.kind for status in product.status)
        yield from (source.kind for source in product.sources)
        for part in product.parts:
            yield from (part.container, part.form)
            if part.reconstitution is not None:
                yield part.reconstitution.method
    for substance in formulary.substances():
        yield from (source.kind for source in substance.sources)
        yield getattr(substance.attributes, "kind", None)
        yield getattr(substance.attributes, "solubility", None)
    for technique in formulary.techniques():
        yield from (item.source.kind for item in technique.published)


VOCABULARIES = (
    ContainerKind,
    Form,
    ProductKind,
    Route,
    Doses,
    Permission,
    Method,
    NucleicKind,
    Solubility,
    SourceKind,
)


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.__name__)
def test_every_term_is_used_or_kept_for_a_reason_and_never_both(
    formulary: Formulary, vocabulary: type[enum.StrEnum]
) -> None:
    seen = {(type(term), str(term)) for term in used(formulary) if term is not None}
    kept = {(type(term), str(term)) for term in KEPT_FOR_OTHERS}
    terms = {(vocabulary, str(term)) for term in vocabulary}

    assert terms - seen - kept == set()
    assert terms & seen & kept == set()


def test_a_vendors_products_stand_in_the_file_of_its_name(formulary: Formulary) -> None:
    stems = {path.stem for path in (ROOT / "products").glob("*.toml")}

    assert len(stems) >= 25
    assert {vendor.id for vendor in formulary.vendors} == stems


def test_every_ingredient_class_of_a_substance_is_one_that_is_offered(formulary: Formulary) -> None:
    classes = {substance.ingredient_class for substance in formulary.substances()} - {None}

    assert classes == set(formulary.classes)


def test_the_formulary_is_as_large_as_promised(formulary: Formulary) -> None:
    published = [formula for formula in formulary.formulas() if not formula.teaching]

    assert len({product.id for product in formulary.products()}) >= 75
    assert len(formulary.vendors) >= 25
    assert len(formulary.substances()) >= 150
    assert len(published) >= 8
    assert all(formula.sources for formula in published)
    assert len([formula for formula in formulary.formulas() if formula.teaching]) >= 2
    assert len(formulary.protocols()) >= 20


def test_every_rule_on_opened_containers_names_who_says_so(formulary: Formulary) -> None:
    rules = formulary.beyond_use_rules()

    assert {rule.id for rule in rules} == {
        "ampoule-never-kept",
        "doses-not-stated-this-session",
        "multi-dose-28-days",
        "single-dose-this-session",
    }
    assert {doses for rule in rules for doses in rule.doses} == set(Doses)
    for rule in (*rules, *formulary.sharing_rules()):
        assert rule.sources[0].kind in (SourceKind.REG, SourceKind.PR)
    for rule in rules:
        assert rule.region == "US"
    assert [rule.id for rule in formulary.sharing_rules()] == ["multi-dose-shared"]


def test_every_published_formula_works_out(formulary: Formulary) -> None:
    from mesoformula import Session
    from mesoformula.app import App

    app = App()
    for formula in formulary.formulas():
        volume = None
        answer = app.work_out(Session(app.formula(formula.id), volume=volume))
        assert answer.quantities.lines
