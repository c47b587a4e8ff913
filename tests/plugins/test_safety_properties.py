"""How findings change with what is asked: more of anything never makes less said against it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoformula import Finding, Permission, Product, ProductKind, Route, Severity, quantity
from mesoformula.products import Doses
from mesoformula.rules import REGIONS

#: The lightest first. What cannot be told weighs least: it gives way to what is known to stand against it.
WEIGHTS = (Severity.UNCHECKED, Severity.INFO, Severity.WARN, Severity.OVERRIDE, Severity.BLOCK)

HELD = (
    ("ascorbic-acid 100 mg/mL",),
    ("sodium-ascorbate 10 or 20 mg/mL",),
    ("sodium-hyaluronate 5 mg/mL",),
    ("sodium-hyaluronate", "biotin 1 mg/mL"),
    ("sodium-selenite-anhydrous 0.1 mg/mL",),
    ("copper-sulfate-pentahydrate 0.1 mg/mL", "l-cysteine 1 mg/mL"),
    ("thiamine-hydrochloride 90 mg/mL", "nicotinamide 90 mg/mL"),
    ("cyanocobalamin 1 mg/mL",),
    ("class:vitamin", "class:mineral"),
    ("lidocaine-hydrochloride 10 mg/mL",),
    ("procaine-hydrochloride 20 mg/mL",),
    ("sodium-dna 1 mg/mL",),
    ("caffeine 10 mg/mL",),
    ("tranexamic-acid 9 mg/mL",),
    ("glycine 1 mg/mL",),
    (),
)
AUXILIARIES = (
    (),
    ("water-for-injections",),
    ("methylparaben",),
    ("benzalkonium-chloride",),
    ("soy-lecithin",),
)
BUNDLED = (
    "fillmed/nctf-135ha",
    "phoenix-labs/ascorbic-acid-500",
    "fresenius-kabi/soluvit-n",
    "mastelli/plinest",
    "galderma/restylane-vital-lidocaine",
    "b-braun/sodium-chloride-0-9-10ml",
)

#: Said of the whole: they count, and change with everything.
COUNTED = {"rules-checked", "ph-and-osmolality"}

many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def recipes(draw: st.DrawFn) -> tuple[Any, ...]:
    """Describe a product: bundled, or made to order."""
    if draw(st.booleans()):
        return ("bundled", draw(st.sampled_from(BUNDLED)))
    return (
        draw(st.sampled_from(HELD)),
        {
            "auxiliaries": draw(st.sampled_from(AUXILIARIES)),
            "ph": draw(st.sampled_from((None, "4.0", "4.5 to 7.0", "6.5"))),
            "kind": draw(st.sampled_from(ProductKind)),
            "mixing": draw(st.sampled_from(Permission)),
            "doses": draw(st.sampled_from(Doses)),
            "routes": draw(
                st.sampled_from(((), (Route.INTRADERMAL,), (Route.INTRAVENOUS,), (Route.EXTERNAL,)))
            ),
        },
    )


def product_of(bench: Any, recipe: tuple[Any, ...]) -> Product:
    if recipe[0] == "bundled":
        return bench.bundled(recipe[1])
    contents, given_ = recipe
    return bench.made(*contents, **given_)


CONDITIONS = st.lists(
    st.sampled_from(("pregnancy", "porphyria", "hyperoxaluria", "rosacea", "diabetes", "thrombosis")),
    unique=True,
)
ALLERGIES = st.lists(
    st.sampled_from(("fish", "soy", "peanut", "parabens", "amide-anaesthetics", "thiamine", "glycine")),
    unique=True,
)
ASKED = st.fixed_dictionaries(
    {
        "conditions": CONDITIONS.map(tuple),
        "allergies": ALLERGIES.map(tuple),
        "region": st.sampled_from((None, "FR", "US", "KR")),
        "age": st.sampled_from((None, 10, 17, 40)),
        "zone": st.sampled_from((None, "face", "scalp", "periorbital")),
        "technique": st.sampled_from((None, "papule", "microneedling", "needle-free")),
        "route": st.sampled_from((Route.INTRADERMAL, Route.SUBCUTANEOUS)),
    }
)
MIXTURES = st.lists(recipes(), min_size=1, max_size=3, unique_by=str)


def heaviest(findings: Iterable[Finding]) -> dict[tuple[str, str], Severity]:
    """Keep the heaviest finding of each code and subject."""
    found: dict[tuple[str, str], Severity] = {}
    for one in findings:
        key = (one.code, one.subject)
        found[key] = max(found.get(key, one.severity), one.severity, key=WEIGHTS.index)
    return found


def assert_none_lighter(before: Iterable[Finding], after: Iterable[Finding]) -> None:
    now = heaviest(after)
    for key, severity in heaviest(before).items():
        assert key in now, key
        assert WEIGHTS.index(now[key]) >= WEIGHTS.index(severity), key


@many
@given(mixture=MIXTURES, asked=ASKED, conditions=CONDITIONS, allergies=ALLERGIES)
def test_another_condition_or_allergy_never_removes_a_finding(bench, mixture, asked, conditions, allergies):
    products = [product_of(bench, one) for one in mixture]
    before = bench.check(*products, **asked)
    more = {
        "conditions": (*asked["conditions"], *conditions),
        "allergies": (*asked["allergies"], *allergies),
    }
    after = bench.check(*products, **(asked | more))
    assert_none_lighter(before, after)
    kept = set(after)
    assert [
        one for one in before if one not in kept and one.code not in {*COUNTED, "patient-not-asked"}
    ] == []


@many
@given(mixture=MIXTURES, asked=ASKED, more=recipes())
def test_another_product_never_removes_a_finding_of_an_unconditional_rule(bench, mixture, asked, more):
    conditional = {
        rule.id
        for rule in bench.formulary.rules()
        if rule.limit is not None or any(one.concentration_from is not None for one in rule.present)
    }
    products = [product_of(bench, one) for one in mixture]
    added = product_of(bench, more)
    before = [one for one in bench.check(*products, **asked) if one.code not in conditional]
    assert_none_lighter(before, bench.check(*products, added, **asked))


@many
@given(mixture=MIXTURES, asked=ASKED, factor=st.integers(2, 200), points=st.sampled_from((None, 10)))
def test_injecting_more_of_the_same_never_lowers_a_severity(bench, mixture, asked, factor, points):
    products = [product_of(bench, one) for one in mixture]
    volumes = [quantity(len(products), "mL"), quantity(len(products) * factor, "mL")]
    before, after = (bench.check(*products, **asked, volume=volume, points=points) for volume in volumes)
    assert_none_lighter(before, after)


B12 = "cyanocobalamin 1 mg/mL"
AMOUNTS = {
    "tranexamic-acid": (),
    "procaine-hydrochloride": (),
    "thiamine-hydrochloride": ("nicotinamide 100 mg/mL", B12),
    "nicotinamide": ("thiamine-hydrochloride 150 mg/mL", B12),
}


@many
@given(
    substance=st.sampled_from(sorted(AMOUNTS)),
    amounts=st.lists(st.integers(1, 600), min_size=2, max_size=2).map(sorted),
    volume=st.integers(1, 100),
)
def test_a_stronger_product_never_lowers_a_severity(bench, substance, amounts, volume):
    others = [bench.made(one) for one in AMOUNTS[substance]]
    found = []
    for amount in amounts:
        product = bench.made(f"{substance} {amount} mg/mL")
        said = bench.check((product, f"{volume} mL"), *others, zone="face")
        found.append([one for one in said if one.subject == "asked"])
    assert_none_lighter(*found)


#: Facts of a session: what is missing without one, and what may be said instead.
FACTS: dict[str, tuple[str, Any]] = {
    "region": ("region", sorted(REGIONS)),
    "zone": ("zone", ("face", "scalp", "periorbital", "hands")),
    "technique": ("technique", ("papule", "microneedling", "needle-free")),
    "age": ("age of the patient", (10, 17, 40)),
}


@many
@given(mixture=MIXTURES, asked=ASKED, data=st.data())
def test_an_unchecked_disappears_only_with_the_fact_that_was_missing(bench, mixture, asked, data):
    key = data.draw(st.sampled_from(sorted(FACTS)))
    fact, values = FACTS[key]
    products = [product_of(bench, one) for one in mixture]
    before = bench.check(*products, **(asked | {key: None}))
    after = heaviest(bench.check(*products, **(asked | {key: data.draw(st.sampled_from(values))})))
    for one in before:
        if one.severity is Severity.UNCHECKED and (one.code, one.subject) not in after:
            assert fact in {missing.fact for missing in one.missing}, one


@pytest.mark.parametrize(
    ("code", "unsaid", "said", "fact"),
    [
        ("selenite-with-acidic-ascorbate", {"ph": None}, {"ph": "6.5"}, "pH"),
        ("multi-dose-lots", {"doses": Doses.NOT_STATED}, {"doses": Doses.SINGLE}, "doses per container"),
        ("cosmetic-injected", {"kind": ProductKind.NOT_STATED}, {"kind": ProductKind.DEVICE}, "legal status"),
        (
            "hyaluronate-with-quaternary-ammonium",
            {"auxiliaries": ()},
            {"auxiliaries": ("water-for-injections",)},
            "auxiliaries, of which none is listed,",
        ),
    ],
)
def test_a_fact_of_a_product_settles_what_was_unchecked_for_want_of_it(bench, code, unsaid, said, fact):
    other = bench.made("sodium-selenite-anhydrous 0.1 mg/mL", "sodium-hyaluronate 1 mg/mL")
    before = bench.check(bench.made("ascorbic-acid 1 mg/mL", **unsaid), other)
    after = bench.check(bench.made("ascorbic-acid 1 mg/mL", **said), other)
    (unchecked,) = [one for one in before if one.code == code]
    assert {missing.fact for missing in unchecked.missing} == {fact}
    assert [one for one in after if one.code == code] == []


@many
@given(mixture=MIXTURES, asked=ASKED)
def test_the_order_of_lines_and_words_changes_no_weight(bench, mixture, asked):
    products = [product_of(bench, one) for one in mixture]
    turned = asked | {"conditions": asked["conditions"][::-1], "allergies": asked["allergies"][::-1]}
    forwards = heaviest(bench.check(*products, **asked))
    assert forwards == heaviest(bench.check(*products[::-1], **turned))
