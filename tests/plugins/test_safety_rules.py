"""Every bundled rule: a session in which it speaks, and one beside it in which it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mesoformula import Finding, PastDose, Product, ProductKind, Route, parse_quantity
from mesoformula.products import ContainerKind, Doses

Taken = tuple["Product | tuple[Product, str]", ...]
#: Products and what else is asked, told to a `Bench`.
Asked = Callable[[Any], tuple[Taken, dict[str, Any]]]

DAY = date(2026, 11, 23)


def of(*names: str | tuple[str, str], **asked: Any) -> Asked:
    """Ask for bundled products by id, others by what they hold, with 1 mL of each unless it is said."""

    def told(bench: Any) -> tuple[Taken, dict[str, Any]]:
        taken = []
        for one in names:
            name, volume = one if isinstance(one, tuple) else (one, "1 mL")
            product = bench.bundled(name) if "/" in name.split(" ")[0] else bench.made(name)
            taken.append((product, volume))
        return tuple(taken), asked

    return told


def made(*specs: tuple[tuple[str, ...], dict[str, Any]], **asked: Any) -> Asked:
    """Ask for products made to order."""
    return lambda bench: (tuple(bench.made(*contents, **given) for contents, given in specs), asked)


def patient(*conditions: str, taking: str = "glycine 1 mg/mL", **asked: Any) -> Asked:
    return of(taking, conditions=conditions, **asked)


PLAIN = "glycine 1 mg/mL"
C, HA, B1 = "ascorbic-acid 100 mg/mL", "sodium-hyaluronate 5 mg/mL", "thiamine-hydrochloride 50 mg/mL"
COSMETIC = {"kind": ProductKind.COSMETIC, "container": ContainerKind.AMPOULE}
IN_EU = {"region": "FR", "technique": "microneedling"}
SKINBOOSTER = "galderma/restylane-vital-lidocaine"
WHEALS = {"technique": "wheals", "points": 10}


def aux(name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    return (("glycine 1 mg/mL",), {"auxiliaries": (name,)})


def holds(name: str, **given: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return ((name,), given)


def past(name: str, volume: str, day: date = DAY) -> Asked:
    """Ask for 1 mL of a bundled product that was given before."""

    def told(bench: Any) -> tuple[Taken, dict[str, Any]]:
        product = bench.bundled(name)
        return (product,), {"past": (PastDose(product, parse_quantity(volume), day),)}

    return told


YESTERDAY = date(2026, 11, 22)

#: For every rule: where it speaks, and a near miss.
CASES: dict[str, tuple[Asked, Asked]] = {
    "addaven-patients": (
        patient("wilsons-disease", taking="fresenius-kabi/addaven"),
        patient("wilsons-disease"),
    ),
    "addaven-undiluted": (of("fresenius-kabi/addaven"), of(PLAIN)),
    "air-and-ascorbate": (of("sodium-ascorbate 10 mg/mL"), of("nicotinamide 10 mg/mL")),
    "allergy-to-an-ingredient": (
        made(aux("methylparaben"), allergies=("parabens",)),
        made(aux("benzyl-alcohol"), allergies=("parabens",)),
    ),
    "anaesthetic-with-lipolytic": (
        of("lidocaine-hydrochloride 10 mg/mL", "sodium-deoxycholate 10 mg/mL"),
        of("lidocaine-hydrochloride 10 mg/mL", PLAIN),
    ),
    "aqualuna-intravenous": (
        of("biohyalux/aqualuna-aqua", route=Route.INTRAVENOUS),
        of("biohyalux/aqualuna-aqua"),
    ),
    "ascorbate-and-g6pd": (patient("g6pd-deficiency", taking=C), patient("renal-failure", taking=C)),
    "ascorbate-and-hyperoxaluria": (patient("hyperoxaluria", taking=C), patient("hyperoxaluria")),
    "ascorbate-and-renal-failure": (patient("renal-failure", taking=C), patient("renal-failure")),
    "ascorbic-acid-bpc-per-day": (
        past("phoenix-labs/ascorbic-acid-500", "9.1 mL"),
        past("phoenix-labs/ascorbic-acid-500", "9 mL"),
    ),
    "autoimmune-disease": (patient("autoimmune-disease"), patient("diabetes")),
    "b-vitamins-and-ascorbate-kept": (of(B1, C), of(B1, PLAIN)),
    "b12-with-thiamine-and-nicotinamide": (
        of(
            "cyanocobalamin 1 mg/mL",
            "thiamine-hydrochloride 150 mg/mL",
            "nicotinamide 100 mg/mL",
        ),
        of("cyanocobalamin 1 mg/mL", "thiamine-hydrochloride 150 mg/mL", "nicotinamide 74 mg/mL"),
    ),
    "blood-clotting-disorder": (patient("blood-clotting-disorder"), patient("anticoagulants")),
    "breast-feeding": (patient("breast-feeding"), patient("pregnancy")),
    "broken-veins": (patient("broken-veins"), patient("rosacea")),
    "calcium-with-phosphate": (
        made(holds("calcium-pantothenate 5 mg/mL"), aux("disodium-phosphate")),
        made((("calcium-pantothenate 5 mg/mL",), {"auxiliaries": ("disodium-phosphate",)})),
    ),
    "cernevit-and-hypervitaminosis": (
        patient("hypervitaminosis", taking="baxter/cernevit"),
        patient("hypervitaminosis"),
    ),
    "copper-with-ascorbate": (
        of("copper-sulfate-pentahydrate 0.1 mg/mL", C),
        of("zinc-sulfate-heptahydrate 0.1 mg/mL", C),
    ),
    "copper-with-cysteine": (
        of("copper-sulfate-pentahydrate 0.1 mg/mL", "l-cysteine 1 mg/mL"),
        of("copper-sulfate-pentahydrate 0.1 mg/mL", "l-lysine 1 mg/mL"),
    ),
    "cosmetic-injected": (
        made(holds(PLAIN, **COSMETIC)),
        made(holds(PLAIN, **COSMETIC), route=Route.EXTERNAL),
    ),
    "cyklokapron-intradermal": (
        of("pfizer/cyklokapron-10ml"),
        of("pfizer/cyklokapron-10ml", route=Route.INTRAVENOUS),
    ),
    "diabetes": (patient("diabetes"), patient("hyperoxaluria")),
    "dutasteride-and-pregnancy": (
        patient("pregnancy-potential", taking="dutasteride 0.1 mg/mL"),
        patient("breast-feeding", taking="dutasteride 0.1 mg/mL"),
    ),
    "eu-cosmetic-in-a-vial": (
        made(holds(PLAIN, **COSMETIC), region="FR"),
        made(holds(PLAIN, **COSMETIC), region="FR", on=date(2024, 11, 21)),
    ),
    "eu-cosmetic-with-a-device": (
        made(holds(PLAIN, **COSMETIC), **IN_EU),
        made(holds(PLAIN, kind=ProductKind.COSMETIC), **IN_EU),
    ),
    "filler-labels-and-age": (of(HA, age=17), of(HA, age=18)),
    "filler-labels-and-patients": (patient("pregnancy", taking=HA), patient("pregnancy")),
    "filler-labels-and-skin": (patient("recent-resurfacing", taking=HA), patient("recent-resurfacing")),
    "fr-lipolytic-injections": (
        of("sodium-deoxycholate 10 mg/mL", region="FR", on=date(2012, 2, 17)),
        of("sodium-deoxycholate 10 mg/mL", region="FR", on=date(2012, 2, 16)),
    ),
    "fr-lipolytic-mixtures": (of("caffeine 10 mg/mL", region="FR"), of("caffeine 10 mg/mL", region="UK")),
    "glutathione-in-solution": (of("glutathione-sodium 60 mg/mL"), of("acetylcysteine 60 mg/mL")),
    "glutathione-per-day": (past("tationil/tationil-600", "100 mL"), past("tationil/tationil-600", "0.1 mL")),
    "hyalase-intravenous": (
        of("wockhardt/hyalase-1500", route=Route.INTRAVENOUS),
        of("wockhardt/hyalase-1500", route=Route.SUBCUTANEOUS),
    ),
    "hyalase-shared": (of("wockhardt/hyalase-1500"), of("hyaluronidase 1500 IU/mL")),
    "hyalase-sites": (
        patient("malignancy-at-site", taking="wockhardt/hyalase-1500"),
        patient("earlier-filler", taking="wockhardt/hyalase-1500"),
    ),
    "hyaluronate-alone-did-as-well": (
        made((("sodium-hyaluronate 5 mg/mL", "biotin 1 mg/mL"), {})),
        of(HA, "lidocaine 1 mg/mL"),
    ),
    "hyaluronate-with-quaternary-ammonium": (
        made(holds(HA), aux("benzalkonium-chloride")),
        made(holds(HA), aux("methylparaben")),
    ),
    "hyaluronidase-with-hyaluronate": (
        of("hyaluronidase 150 IU/mL", HA),
        of("hyaluronidase 150 IU/mL", PLAIN),
    ),
    "hydro-deluxe-age": (
        of("neauvia/hydro-deluxe-1ml", age=27),
        of("neauvia/hydro-deluxe-1ml", age=28),
    ),
    "hydro-deluxe-patients": (
        patient("pregnancy", taking="neauvia/hydro-deluxe-1ml"),
        patient("diabetes", taking="neauvia/hydro-deluxe-1ml"),
    ),
    "hydro-deluxe-zones": (
        of("neauvia/hydro-deluxe-1ml", zone="hands"),
        of("neauvia/hydro-deluxe-1ml", zone="face"),
    ),
    "hydrobooster-per-point": (
        of(("ibsa/viscoderm-hydrobooster", "1.1 mL"), points=21),
        of(("ibsa/viscoderm-hydrobooster", "1.1 mL"), points=22),
    ),
    "hydrobooster-per-session": (
        of(("ibsa/viscoderm-hydrobooster", "1.11 mL")),
        of(("ibsa/viscoderm-hydrobooster", "1.1 mL")),
    ),
    "iron-with-phosphate": (
        made(holds("iron-chloride-hexahydrate 1 mg/mL"), aux("monosodium-phosphate")),
        made(holds("iron-chloride-hexahydrate 1 mg/mL"), aux("sodium-bicarbonate")),
    ),
    "kr-cosmetic-into-the-skin": (
        made(holds(PLAIN, **COSMETIC), region="KR"),
        made(holds(PLAIN, **COSMETIC), region="KR", on=date(2025, 10, 13)),
    ),
    "kr-cosmetic-with-microneedles": (
        made(holds(PLAIN, **COSMETIC), region="KR", technique="microneedling"),
        made(holds(PLAIN, **COSMETIC), region="KR", technique="papule"),
    ),
    "lidocaine-and-porphyria": (
        patient("porphyria", taking="lidocaine-hydrochloride 10 mg/mL"),
        patient("porphyria", taking="procaine-hydrochloride 10 mg/mL"),
    ),
    "light-and-vitamins": (of("riboflavin 1 mg/mL"), of("biotin 1 mg/mL")),
    "lipolytics-in-the-dermis": (
        of("caffeine 10 mg/mL"),
        of("caffeine 10 mg/mL", route=Route.SUBCUTANEOUS),
    ),
    "local-therapy-per-site": (
        of((PLAIN, "1 mL"), points=4, technique="local-intradermal-therapy"),
        of((PLAIN, "1 mL"), points=5, technique="local-intradermal-therapy"),
    ),
    "multi-dose-lots": (made(holds(PLAIN, doses=Doses.MULTI)), made(holds(PLAIN))),
    "pabrinex-pair": (of("kyowa-kirin/pabrinex-im"), of(PLAIN)),
    "pascoe-and-children": (of("pascoe/ascorbic-acid-150", age=11), of("pascoe/ascorbic-acid-150", age=12)),
    "pascoe-is-concentrated": (of("pascoe/ascorbic-acid-150"), of(C)),
    "pascoe-per-day": (
        past("pascoe/ascorbic-acid-150", "49.1 mL"),
        past("pascoe/ascorbic-acid-150", "49.1 mL", YESTERDAY),
    ),
    "pdrn-given-apart": (of("alphamedshop/pdrn-solution-5ml", PLAIN), of("alphamedshop/pdrn-solution-5ml")),
    "placentex-intradermal": (
        of("mastelli/placentex-5625"),
        of("mastelli/placentex-5625", route=Route.INTRAMUSCULAR),
    ),
    "placentex-per-day": (past("mastelli/placentex-5625", "2.1 mL"), past("mastelli/placentex-5625", "2 mL")),
    "plinest-age": (of("mastelli/plinest", age=17), of("mastelli/plinest", age=18)),
    "plinest-patients": (
        patient("breast-feeding", taking="mastelli/plinest"),
        patient("diabetes", taking="mastelli/plinest"),
    ),
    "plinest-route": (of("mastelli/plinest", route=Route.SUBCUTANEOUS), of("mastelli/plinest")),
    "plinest-skin": (
        patient("earlier-filler", taking="mastelli/plinest"),
        patient("rosacea", taking="mastelli/plinest"),
    ),
    "pregnancy": (patient("pregnancy"), patient("pregnancy-potential")),
    "procaine-and-caution": (
        patient("myasthenia-gravis", taking="procaine-hydrochloride 10 mg/mL"),
        patient("myasthenia-gravis"),
    ),
    "procaine-and-pseudocholinesterase": (
        patient("pseudocholinesterase-deficiency", taking="procaine-hydrochloride 10 mg/mL"),
        patient("pseudocholinesterase-deficiency", taking="lidocaine 10 mg/mL"),
    ),
    "procaine-on-head-and-neck": (
        of(("procaine-hydrochloride 10 mg/mL", "20.1 mL"), zone="face"),
        of(("procaine-hydrochloride 10 mg/mL", "20 mL"), zone="face"),
    ),
    "procaine-per-session": (
        of(("procaine-hydrochloride 10 mg/mL", "50.1 mL")),
        of(("procaine-hydrochloride 10 mg/mL", "50 mL")),
    ),
    "procaine-per-wheal": (
        of(("mibe/procain-1-5ml", "10.1 mL"), **WHEALS),
        of(("mibe/procain-1-5ml", "10 mL"), **WHEALS),
    ),
    "pyridoxine-and-levodopa": (
        patient("levodopa", taking="pyridoxine-hydrochloride 10 mg/mL"),
        patient("levodopa"),
    ),
    "pyridoxine-is-acidic": (of("mylan/pyridoxine-100"), of("pyridoxine-hydrochloride 100 mg/mL")),
    "retinol-with-metabisulfite": (
        made(holds("retinyl-palmitate 1 mg/mL"), aux("sodium-metabisulfite")),
        made((("retinyl-palmitate 1 mg/mL",), {"auxiliaries": ("sodium-metabisulfite",)})),
    ),
    "revive-per-point": (
        of(("merz/belotero-revive", "1 mL"), points=19),
        of(("merz/belotero-revive", "1 mL"), points=20),
    ),
    "revive-per-visit": (of(("merz/belotero-revive", "1.01 mL")), of(("merz/belotero-revive", "1 mL"))),
    "rosacea": (patient("rosacea"), patient("broken-veins")),
    "scalp-abscesses": (of(PLAIN, zone="scalp"), of(PLAIN, zone="face")),
    "selenase-with-vitamin-c": (of("biosyn/selenase-100", C), of("biosyn/selenase-100", PLAIN)),
    "selenious-acid-is-acidic": (
        of("american-regent/selenious-acid-40"),
        of("sodium-selenite-anhydrous 0.1 mg/mL"),
    ),
    "selenite-with-acidic-ascorbate": (
        made(holds("sodium-selenite-anhydrous 0.1 mg/mL", ph="7.0"), holds(C, ph="4.9 to 7.0")),
        made(holds("sodium-selenite-anhydrous 0.1 mg/mL", ph="7.0"), holds(C, ph="5.0 to 7.0")),
    ),
    "sensitive-skin-with-redness": (patient("sensitive-skin-with-redness"), patient("rosacea")),
    "similar-lists-differ-in-effect": (of("fillmed/nctf-135ha"), of(HA)),
    "skin-infection": (patient("bacterial-skin-infection"), patient("skin-inflammation")),
    "skinboosters-and-bleeding": (
        patient("anticoagulants", taking=SKINBOOSTER),
        patient("platelet-inhibitors", taking=SKINBOOSTER),
    ),
    "skinboosters-and-disease-at-the-site": (
        patient("skin-inflammation", taking=SKINBOOSTER),
        patient("rosacea", taking=SKINBOOSTER),
    ),
    "skinboosters-and-platelets": (
        patient("platelet-inhibitors", taking=SKINBOOSTER),
        patient("platelet-inhibitors", taking=HA),
    ),
    "skinboosters-around-the-eyes": (of(SKINBOOSTER, zone="periorbital"), of(SKINBOOSTER, zone="face")),
    "skinboosters-mixed": (of(SKINBOOSTER, PLAIN), of(SKINBOOSTER)),
    "soluvit-intradermal": (
        of("fresenius-kabi/soluvit-n"),
        of("fresenius-kabi/soluvit-n", route=Route.INTRAVENOUS),
    ),
    "soluvit-is-concentrated": (of("fresenius-kabi/soluvit-n"), of(PLAIN)),
    "structura-intradermal": (
        of("ibsa/profhilo-structura"),
        of("ibsa/profhilo-structura", route=Route.SUBCUTANEOUS),
    ),
    "tationil-and-pregnancy": (
        patient("breast-feeding", taking="tationil/tationil-600"),
        patient("diabetes", taking="tationil/tationil-600"),
    ),
    "thiamine-with-metabisulfite": (
        made(holds(B1), aux("sodium-metabisulfite")),
        made(holds(B1), aux("benzyl-alcohol")),
    ),
    "tranexamic-acid-and-clotting": (
        patient("thrombosis", taking="tranexamic-acid 5 mg/mL"),
        patient("thrombosis"),
    ),
    "tranexamic-acid-strength": (of("tranexamic-acid 10 mg/mL"), of("tranexamic-acid 9.99 mg/mL")),
    "us-fat-dissolving-injections": (
        of("phosphatidylcholine 50 mg/mL", region="US"),
        of("phosphatidylcholine 50 mg/mL", region="US", on=date(2023, 12, 19)),
    ),
    "us-needle-free-fillers": (
        of(HA, region="US", technique="needle-free"),
        of(HA, region="US", technique="papule"),
    ),
    "us-rejuran": (
        of("pharmaresearch/rejuran-healer", region="US"),
        of("pharmaresearch/rejuran-healer", region="KR"),
    ),
    "vitamin-solutions-on-fibroblasts": (of("biotin 1 mg/mL"), of(PLAIN)),
    "vitamins-around-the-eyes": (
        of("biotin 1 mg/mL", zone="periorbital"),
        of("biotin 1 mg/mL", zone="face"),
    ),
    "vitamins-with-trace-elements": (
        of("biotin 1 mg/mL", "zinc-sulfate-heptahydrate 0.1 mg/mL"),
        of("biotin 1 mg/mL", "magnesium-sulfate-heptahydrate 0.1 mg/mL"),
    ),
    "volite-full-face": (
        of(("allergan/juvederm-volite", "2.1 mL"), zone="face"),
        of(("allergan/juvederm-volite", "2 mL"), zone="face"),
    ),
    "volite-per-point": (
        of(("allergan/juvederm-volite", "1 mL"), points=19),
        of(("allergan/juvederm-volite", "1 mL"), points=20),
    ),
}


def said(bench: Any, asked: Asked, rule: str) -> list[Finding]:
    products, given = asked(bench)
    return [finding for finding in bench.check(*products, **given) if finding.code == rule]


def test_every_rule_has_a_case_that_fires_and_a_near_miss(bench):
    assert len(CASES) >= 100
    assert sorted(CASES) == sorted(bench.formulary.names("rule"))


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_rule_speaks_with_its_weight_and_its_sources(bench, rule):
    record = bench.formulary.rule(rule)
    found = said(bench, CASES[rule][0], rule)
    assert [finding.severity for finding in found] == [record.severity]
    assert found[0].sources == record.sources
    assert record.message in found[0].message
    assert found[0].missing == ()


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_rule_is_silent_in_a_near_miss(bench, rule):
    assert said(bench, CASES[rule][1], rule) == []


def test_rules_that_were_not_read_yet_speak_as_well(fresh_bench):
    """Most rules are passed over by their tables alone; each is asked here of a formulary of its own."""
    for rule, (fires, _misses) in CASES.items():
        assert said(fresh_bench(), fires, rule), rule
