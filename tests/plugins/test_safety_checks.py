"""What the safety plugin says of labels, patients and amounts, and what it says it cannot tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations, pairwise
from typing import Any

import attrs
import pytest

from mesoformula import (
    Finding,
    Formula,
    Formulary,
    Keep,
    Line,
    LineKind,
    LineQuantities,
    Missing,
    PastDose,
    Product,
    ProductKind,
    Route,
    Session,
    SessionQuantities,
    Severity,
    parse_quantity,
    quantity,
)
from mesoformula.products import ContainerKind, Doses, Permission, Status
from mesoformula_safety.checking import check

DAY = date(2026, 11, 23)
C, HA = "ascorbic-acid 100 mg/mL", "sodium-hyaluronate 5 mg/mL"
SELENITE = "sodium-selenite-anhydrous 0.1 mg/mL"


def coded(findings: Iterable[Finding], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


def weights(findings: Iterable[Finding], code: str) -> list[Severity]:
    return [finding.severity for finding in coded(findings, code)]


def facts(findings: Iterable[Finding], code: str) -> set[str]:
    return {missing.fact for finding in coded(findings, code) for missing in finding.missing}


# ---- routes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "intended", "code", "severity"),
    [
        ((Route.INTRADERMAL,), Route.INTRADERMAL, None, None),
        ((Route.INTRAVENOUS, Route.INTRADERMAL), Route.INTRADERMAL, None, None),
        ((Route.INTRAVENOUS,), Route.INTRADERMAL, "route-off-label", Severity.OVERRIDE),
        ((Route.INTRADERMAL,), Route.SUBCUTANEOUS, "route-off-label", Severity.OVERRIDE),
        ((), Route.INTRADERMAL, "route-not-stated", Severity.OVERRIDE),
        ((Route.EXTERNAL,), Route.INTRADERMAL, "route-external-only", Severity.BLOCK),
        ((Route.EXTERNAL, Route.ORAL), Route.INTRADERMAL, "route-off-label", Severity.OVERRIDE),
        ((Route.EXTERNAL,), Route.EXTERNAL, None, None),
        ((Route.EXTERNAL,), Route.ORAL, "route-off-label", Severity.OVERRIDE),
    ],
)
def test_the_intended_route_is_held_against_the_labelled_ones(bench, routes, intended, code, severity):
    product = bench.made(C, routes=routes)
    found = bench.check(product, route=intended)
    said = [one for one in found if one.code.startswith("route-")]
    assert [(one.code, one.severity, one.subject) for one in said] == (
        [(code, severity, product.id)] if code else []
    )
    assert all(one.sources == product.sources for one in said)


@pytest.mark.parametrize(
    ("container", "route", "blocked"),
    [
        (ContainerKind.VIAL, Route.INTRADERMAL, True),
        (ContainerKind.AMPOULE, Route.SUBCUTANEOUS, True),
        (ContainerKind.BOTTLE, Route.INTRADERMAL, False),
        (ContainerKind.VIAL, Route.EXTERNAL, False),
    ],
)
def test_what_is_sold_as_a_cosmetic_in_a_vial_is_never_injected(bench, container, route, blocked):
    found = bench.check(bench.made(C, kind=ProductKind.COSMETIC, container=container), route=route)
    assert weights(found, "cosmetic-in-a-vial") == ([Severity.BLOCK] if blocked else [])


@pytest.mark.parametrize(
    ("region", "fires"), [("KR", True), ("FR", False), (None, True)], ids=["there", "elsewhere", "nowhere"]
)
def test_a_cosmetic_in_one_region_is_one_where_the_region_is_not_known(bench, region, fires):
    status = (Status("KR", ProductKind.COSMETIC), Status("EU", ProductKind.DEVICE))
    product = bench.made(C, kind=ProductKind.NOT_STATED, status=status, container=ContainerKind.VIAL)
    assert bool(coded(bench.check(product, region=region), "cosmetic-in-a-vial")) is fires


# ---- mixing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mixing", "code", "severity"),
    [
        (ProductKind.DEVICE, Permission.YES, None, None),
        (ProductKind.DEVICE, Permission.NO, "mixing-not-permitted", Severity.OVERRIDE),
        (ProductKind.DEVICE, Permission.NOT_STATED, "mixing-not-stated", Severity.OVERRIDE),
        (ProductKind.NOT_STATED, Permission.NOT_STATED, "mixing-not-stated", Severity.OVERRIDE),
        (ProductKind.MEDICINE, Permission.NO, "mixing-not-permitted", Severity.OVERRIDE),
        (ProductKind.MEDICINE, Permission.NOT_STATED, "mixing-unknown", Severity.UNCHECKED),
    ],
)
def test_permission_to_mix_is_asked_where_two_products_meet(bench, kind, mixing, code, severity):
    product = bench.made(HA, kind=kind, mixing=mixing)
    alone = bench.check(product)
    mixed = bench.check(product, bench.made(C))
    assert [one for one in alone if one.code.startswith("mixing-")] == []
    said = [(one.code, one.severity, one.subject) for one in mixed if one.code.startswith("mixing-")]
    assert said == ([(code, severity, product.id)] if code else [])


def test_one_product_from_two_lines_is_no_mixture(bench):
    product = bench.made(HA, kind=ProductKind.DEVICE, mixing=Permission.NO)
    assert coded(bench.check((product, "1 mL"), (product, "2 mL")), "mixing-not-permitted") == []


def test_what_one_maker_put_into_one_container_is_not_held_against_it(bench):
    both = bench.made("copper-sulfate-pentahydrate 0.1 mg/mL", C)
    assert coded(bench.check(both), "copper-with-ascorbate") == []
    assert coded(bench.check(both, bench.made("glycine 1 mg/mL")), "copper-with-ascorbate") == []
    assert weights(bench.check(both, bench.made(C)), "copper-with-ascorbate") == [Severity.WARN]


def test_ph_and_osmolality_are_shown_and_never_computed_for_a_mixture(bench):
    first, second = bench.made(C, ph="6.2 to 7.0", osmolality="1500 mOsm/kg"), bench.made(HA, ph=None)
    (alone,) = coded(bench.check(first), "ph-and-osmolality")
    assert "pH 6.2 to 7.0, osmolality 1500 mOsm/kg" in alone.message
    assert "computed" not in alone.message
    (mixed,) = coded(bench.check(first, second), "ph-and-osmolality")
    assert f"neither pH nor osmolality is stated for {second.name}" in mixed.message
    assert "neither is computed for the mixture" in mixed.message


# ---- patients ---------------------------------------------------------------------------------------------


def test_where_nothing_is_given_about_the_patient_it_is_said_once(bench):
    (finding,) = coded(bench.check(bench.made("glycine 1 mg/mL")), "patient-not-asked")
    assert finding.severity is Severity.UNCHECKED
    assert "nothing was given" in finding.message
    assert len(finding.missing) == 3


def test_what_is_given_about_the_patient_is_not_repeated(bench):
    found = bench.check(bench.made("glycine 1 mg/mL"), conditions=("porphyria",), allergies=("fish",), age=34)
    for finding in found:
        assert "orphyria" not in finding.message
        assert "34" not in finding.message
    (finding,) = coded(found, "patient-not-asked")
    assert "only the conditions and allergies that were named" in finding.message


@pytest.mark.parametrize(
    ("holds", "given", "allergy", "code", "severity"),
    [
        ("lidocaine-hydrochloride 10 mg/mL", {}, "amide-anaesthetics", "allergy-to-an-ingredient", "block"),
        ("procaine-hydrochloride 10 mg/mL", {}, "amide-anaesthetics", None, None),
        ("procaine-hydrochloride 10 mg/mL", {}, "parabens", "cross-allergy", "block"),
        ("sodium-dna", {}, "fish", "cross-allergy", "warn"),
        ("glycine 1 mg/mL", {"auxiliaries": ("soy-lecithin",)}, "soy", "allergy-to-an-ingredient", "block"),
        ("glycine 1 mg/mL", {"auxiliaries": ("soy-lecithin",)}, "peanut", "cross-allergy", "block"),
        (
            "glycine 1 mg/mL",
            {"auxiliaries": ("propylparaben",)},
            "parabens",
            "allergy-to-an-ingredient",
            "block",
        ),
        ("sodium-ascorbate 1 mg/mL", {}, "ascorbic-acid", "allergy-to-an-ingredient", "block"),
        ("glycine 1 mg/mL", {}, "glycine", "allergy-to-an-ingredient", "block"),
        (HA, {}, "gram-positive-proteins", "cross-allergy", "override"),
        ("class:hyaluronic_acid", {}, "hyaluronic-acid", "allergy-to-an-ingredient", "block"),
        ("class:vitamin", {}, "thiamine", "allergy-to-an-ingredient", "unchecked"),
        ("class:amino_acid", {}, "thiamine", None, None),
    ],
)
def test_allergies_are_held_against_everything_a_product_holds(bench, holds, given, allergy, code, severity):
    product = bench.made(holds, **given)
    found = bench.check(product, allergies=(allergy,))
    said = [one for one in found if one.code in ("allergy-to-an-ingredient", "cross-allergy")]
    heavy = [(one.code, one.severity.value, one.subject) for one in said if one.code == code]
    assert heavy == ([(code, severity, product.id)] if code else [])
    if code is None:
        assert said == []
    elif severity != "unchecked":
        assert all(one.sources for one in said)


def name_of(bench: Any, substance: str) -> str:
    return bench.formulary.substance(substance).name.lower()


def test_a_species_that_a_product_states_decides_and_nothing_crosses(bench, formulary):
    fish, stated = bench.made("sodium-dna"), formulary.product("mastelli/placentex-5625")
    content = stated.parts[0].composition[0]
    assert content.attributes is not None
    sold = bench.bundled("mastelli/placentex-5625")
    found = bench.check(sold, allergies=("fish",))
    assert weights(found, "allergy-to-an-ingredient") == [Severity.BLOCK]
    assert coded(found, "cross-allergy") == []
    unsaid = bench.check(fish, allergies=("fish",))
    assert facts(unsaid, "allergy-to-an-ingredient") == {f"origin of {name_of(bench, 'sodium-dna')}"}
    assert weights(unsaid, "cross-allergy") == [Severity.WARN]


def test_a_product_that_lists_no_auxiliaries_may_hold_what_sets_an_allergy_off(bench):
    found = bench.check(bench.made(C, auxiliaries=()), allergies=("parabens",))
    assert weights(found, "allergy-to-an-ingredient") == [Severity.UNCHECKED]
    assert facts(found, "allergy-to-an-ingredient") == {"auxiliaries, of which none is listed,"}


def test_a_product_that_lists_nothing_may_hold_anything(bench):
    product = bench.made(auxiliaries=())
    found = bench.check(product, allergies=("hyaluronidase",), conditions=("hyperoxaluria",))
    for code in ("allergy-to-an-ingredient", "ascorbate-and-hyperoxaluria", "light-and-vitamins"):
        assert weights(found, code) == [Severity.UNCHECKED]
        assert coded(found, code)[0].missing == (Missing("composition", product.name),)


# ---- what cannot be told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "given", "asked", "code", "missing"),
    [
        ((SELENITE, C), {"ph": None}, {}, "selenite-with-acidic-ascorbate", "pH"),
        (("caffeine 10 mg/mL",), {}, {}, "fr-lipolytic-mixtures", "region"),
        (("biotin 1 mg/mL",), {}, {}, "vitamins-around-the-eyes", "zone"),
        ((HA,), {}, {"region": "US"}, "us-needle-free-fillers", "technique"),
        ((HA,), {}, {}, "filler-labels-and-age", "age of the patient"),
        (("tranexamic-acid",), {}, {}, "tranexamic-acid-strength", "concentration of tranexamic acid"),
        (("glycine 1 mg/mL",), {"kind": ProductKind.NOT_STATED}, {}, "cosmetic-injected", "legal status"),
        (("glycine 1 mg/mL",), {"doses": Doses.NOT_STATED}, {}, "multi-dose-lots", "doses per container"),
        (
            ("procaine-hydrochloride",), {}, {}, "procaine-per-session", "amount of procaine hydrochloride",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_names_the_missing_fact(bench, holds, given, asked, code, missing):
    products = [bench.made(one, **given) for one in holds]
    found = bench.check(*products, **asked)
    assert weights(found, code) == [Severity.UNCHECKED]
    assert missing in facts(found, code)
    assert coded(found, code)[0].sources == bench.formulary.rule(code).sources


def test_disputed_amounts_count_at_their_highest_and_say_so(bench):
    below = bench.check(bench.made("tranexamic-acid 4 or 9 mg/mL"))
    assert coded(below, "tranexamic-acid-strength") == []
    (above,) = coded(bench.check(bench.made("tranexamic-acid 4 or 12 mg/mL")), "tranexamic-acid-strength")
    assert above.severity is Severity.INFO
    assert "the highest figure counts" in above.message


def test_amounts_add_up_over_all_products_of_a_session(bench):
    one, other = bench.made("procaine-hydrochloride 10 mg/mL"), bench.made("procaine-hydrochloride 20 mg/mL")
    assert coded(bench.check((one, "20 mL"), (other, "15 mL")), "procaine-per-session") == []
    found = bench.check((one, "20 mL"), (other, "15.1 mL"))
    assert weights(found, "procaine-per-session") == [Severity.OVERRIDE]


def test_what_is_known_may_be_too_much_whatever_is_not(bench):
    known, hidden = bench.made("procaine-hydrochloride 10 mg/mL"), bench.made("procaine-hydrochloride")
    assert weights(bench.check((known, "51 mL"), hidden), "procaine-per-session") == [Severity.OVERRIDE]
    assert weights(bench.check((known, "50 mL"), hidden), "procaine-per-session") == [Severity.UNCHECKED]


VITAMIN = "phoenix-labs/ascorbic-acid-500"


@pytest.mark.parametrize(
    ("past", "day", "severity"),
    [
        (None, None, Severity.UNCHECKED),
        ((), None, None),
        ("9.5 mL", DAY, Severity.OVERRIDE),
        ("9.5 mL", date(2026, 11, 22), None),
        ("9.5 mL", date(2026, 11, 24), None),
    ],
    ids=["nobody knows", "nothing", "the same day", "the day before", "the day after"],
)
def test_a_limit_over_a_period_counts_what_was_given_before(bench, past, day, severity):
    product = bench.bundled(VITAMIN)
    if isinstance(past, str):
        past = (PastDose(product, parse_quantity(past), day),)
    found = bench.check(product, past=past)
    assert weights(found, "ascorbic-acid-bpc-per-day") == ([severity] if severity else [])


def test_a_limit_that_today_alone_exceeds_needs_no_past(bench):
    found = bench.check((bench.bundled(VITAMIN), "10.1 mL"))
    assert weights(found, "ascorbic-acid-bpc-per-day") == [Severity.OVERRIDE]


def test_an_amount_given_before_that_nobody_states_is_missing(bench):
    hidden = bench.made("ascorbic-acid")
    past = (PastDose(hidden, parse_quantity("1 mL"), DAY),)
    found = bench.check(bench.bundled(VITAMIN), past=past)
    assert facts(found, "ascorbic-acid-bpc-per-day") == {"amount that was given before"}


def test_the_decree_holds_as_long_as_it_is_in_force(bench):
    product = bench.made("sodium-deoxycholate 10 mg/mL")
    held = {
        day: bool(coded(bench.check(product, region="FR", on=day), "fr-lipolytic-injections"))
        for day in (
            date(2011, 4, 11), date(2011, 4, 12), date(2011, 6, 16), date(2011, 6, 17),
            date(2012, 2, 16), date(2012, 2, 17), DAY,
        )
    }  # fmt: skip
    assert list(held.values()) == [False, True, True, False, False, True, True]


def test_a_rule_of_the_union_holds_in_its_members(bench):
    product = bench.made("glycine 1 mg/mL", kind=ProductKind.COSMETIC, container=ContainerKind.VIAL)
    held = {
        region: bool(coded(bench.check(product, region=region), "eu-cosmetic-in-a-vial"))
        for region in ("EU", "FR", "DE", "UK", "US")
    }
    assert held == {"EU": True, "FR": True, "DE": True, "UK": False, "US": False}


def test_findings_are_sorted_and_each_stands_once(bench):
    found = bench.check(bench.made(C), bench.bundled("fillmed/nctf-135ha"), allergies=("fish", "fish"))
    order = list(Severity)
    assert [order.index(one.severity) for one in found] == sorted(order.index(one.severity) for one in found)
    assert len(set(found)) == len(found)


def test_a_rule_that_cannot_be_read_is_said_to_be_unchecked(make_catalogue):
    broken = """
        schema = 1
        [[rule]]
        id = "broken"
        looks_at = "mixture"
        severity = "warm"
        message = "never"
        zones = ["face"]
        source = [{ kind = "PR", where = "made up", read = 2026-01-05 }]
    """
    formulary = make_catalogue(broken).formulary
    session = Session(Formula("asked", "Asked", ()))
    nothing = quantity(1, "mL")
    worked = SessionQuantities(session, (), nothing, nothing, nothing, None, None, None, ())
    (finding,) = coded(check(session, worked, formulary, DAY), "rule-not-read")
    assert (finding.severity, finding.subject) == (Severity.UNCHECKED, "broken")


def test_without_any_rules_an_allergy_still_blocks(make_catalogue):
    formulary = make_catalogue(
        """
        schema = 1
        [[substance]]
        id = "glycine"
        name = "Glycine"
        class = "amino_acid"
        [vendor]
        id = "acme"
        name = "Acme"
        [[product]]
        sku = "g"
        name = "G"
        [[product.part]]
        container = "vial"
        form = "solution"
        volume = "5 mL"
        composition = [{ substance = "glycine", amount = "1 mg/mL" }]
        [[product.source]]
        kind = "IFU"
        where = "made up"
        read = 2026-01-05
        """
    ).formulary
    found = checked(formulary, formulary.product("acme/g"), allergies=("glycine",))
    assert weights(found, "allergy-to-an-ingredient") == [Severity.BLOCK]
    assert "no rules are on offer" in coded(found, "rules-checked")[0].message


# ---- pairs ------------------------------------------------------------------------------------------------


def line_of(number: int, product: Product) -> LineQuantities:
    volume = quantity(1, "mL")
    return LineQuantities(
        number, product, None, LineKind.VOLUME, volume, None, None, None, 1, volume, Keep.DISCARD, None, None
    )


def checked(formulary: Formulary, *products: Product, **asked: Any) -> tuple[Finding, ...]:
    """Check 1 mL of each, whatever its volume; no dose is known."""
    volume = quantity(len(products), "mL")
    lines = tuple(Line(product.id, volume=quantity(1, "mL")) for product in products)
    session = Session(Formula("pair", "Pair", lines), **asked)
    taken = tuple(line_of(number, product) for number, product in enumerate(products, start=1))
    worked = SessionQuantities(session, taken, volume, 0 * volume, volume, None, None, None, ())
    return check(session, worked, formulary, DAY)


def assert_nothing_is_silent(formulary: Formulary, first: Product, second: Product) -> None:
    found = checked(formulary, first, second)
    for product in (first, second):
        (told,) = [one for one in coded(found, "product-status") if one.subject == product.id]
        routes = ", ".join(product.routes) or "not stated"
        assert f"labelled routes: {routes}; status: " in told.message
        for status in product.status:
            assert f"{status.kind} in {status.region}" in told.message
        said = {
            Permission.YES: "permits mixing",
            Permission.NO: "does not permit mixing",
            Permission.NOT_STATED: "whether it may be mixed is not stated",
        }
        assert said[product.mixing] in told.message
        mine = {one.code for one in found if one.subject == product.id}
        if Route.INTRADERMAL not in product.routes:
            assert mine & {"route-not-stated", "route-off-label", "route-external-only"}
        if product.mixing is not Permission.YES:
            assert mine & {"mixing-not-stated", "mixing-not-permitted", "mixing-unknown"}
    (acidity,) = coded(found, "ph-and-osmolality")
    assert "neither is computed for the mixture" in acidity.message


def test_of_every_product_in_a_mixture_route_status_and_mixing_are_named(formulary):
    products = formulary.products()
    assert len(products) > 100
    for first, second in pairwise((*products, products[0])):
        assert_nothing_is_silent(formulary, first, second)


@pytest.mark.slow
def test_of_every_pair_of_products_route_status_and_mixing_are_named(formulary):
    for first, second in combinations(formulary.products(), 2):
        assert_nothing_is_silent(formulary, first, second)


def test_a_plugins_check_leaves_a_session_without_a_day_to_today(bench):
    import mesoformula_safety

    session, quantities = bench.work_out(bench.made("sodium-deoxycholate 10 mg/mL"), region="FR")
    undated = attrs.evolve(session, on=None)
    found = mesoformula_safety.mesoformula_check_session(undated, quantities, bench.formulary)
    assert weights(found, "fr-lipolytic-injections") == [Severity.BLOCK]


def test_a_limit_is_not_exceeded_by_what_rounding_adds(bench):
    product = bench.bundled("ibsa/viscoderm-hydrobooster")
    third = bench.made("glycine 1 mg/mL")
    for parts in ("0.7 mL", "1.3 mL", "3 mL"):
        share = parse_quantity(parts)
        whole = quantity("1.1", "mL") * (1 + share.magnitude)
        found = bench.check((product, "1 mL"), (third, parts), volume=whole)
        assert coded(found, "hydrobooster-per-session") == []


def test_what_stays_in_syringes_is_not_counted(bench):
    syringe = bench.formulary.syringe("1-ml")
    asked = {"volume": parse_quantity("1.1 mL"), "syringe": syringe}
    _session, quantities = bench.work_out(bench.bundled("ibsa/viscoderm-hydrobooster"), **asked)
    assert quantities.prepared > quantities.injected
    found = bench.check(bench.bundled("ibsa/viscoderm-hydrobooster"), **asked)
    assert coded(found, "hydrobooster-per-session") == []
