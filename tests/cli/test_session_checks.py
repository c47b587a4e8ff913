"""What `mesoformula session` says of its checks: route, region, patient, overrides, and what is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

SESSION = ("session", "teaching-nctf-vitamin-c", "--volume", "3 mL", "--points", "100", "--syringe", "1-ml")
DECIDED = (
    "--override", "route-not-stated", "--override", "mixing-not-stated",
    "--reason", "as in the published protocol", "--by", "N. Roux",
)  # fmt: skip
COSMETIC = """
schema = 1

[vendor]
id = "acme"
name = "Acme"

[[product]]
sku = "glow"
name = "Glow"
kind = "cosmetic"
routes = ["external"]
doses = "single"

[[product.part]]
container = "vial"
form = "solution"
volume = "5 mL"
composition = [{ substance = "ascorbic-acid", amount = "100 mg/mL" }]

[[product.source]]
kind = "IFU"
where = "made up"
read = 2026-01-05
"""


def codes(plain, severity):
    return {one["code"] for one in plain["findings"] if one["severity"] == severity}


def test_without_overrides_the_session_is_not_ready_and_says_how_to_go_on(meso):
    ran = meso(*SESSION)
    assert (ran.code, ran.err) == (1, "")
    assert "\nNOT READY: mixing-not-stated, route-not-stated\n" in ran.out
    assert "go on with --override CODE for each of them, --reason and --by" in ran.said
    plain = meso(*SESSION, "--json")
    assert (plain.code, plain.json["ready"], plain.json["overrides"]) == (1, False, [])


def test_an_override_is_kept_with_its_reason_and_name_and_the_finding_stays(meso):
    ran = meso(*SESSION, *DECIDED)
    assert (ran.code, ran.err) == (0, "")
    assert (
        "OVERRIDDEN: route-not-stated, mixing-not-stated by N. Roux: as in the published protocol" in ran.said
    )
    assert ran.out.endswith("Ready as far as it was checked: what is listed as not checked was not.\n")
    plain = meso(*SESSION, *DECIDED, "--json").json
    assert plain["ready"] is True
    assert plain["overrides"][0] == {
        "code": "route-not-stated",
        "reason": "as in the published protocol",
        "by": "N. Roux",
        "subject": None,
    }
    assert {"route-not-stated", "mixing-not-stated"} <= codes(plain, "override")


def test_an_override_may_name_one_subject(meso):
    one = (
        "--override",
        "route-not-stated=fillmed/nctf-135ha",
        "--override",
        "mixing-not-stated",
        *DECIDED[4:],
    )
    ran = meso(*SESSION, *one)
    assert ran.code == 1
    assert "\nNOT READY: route-not-stated\n" in ran.out
    both = ("--override", "route-not-stated=phoenix-labs/ascorbic-acid-500", *one)
    assert meso(*SESSION, *both).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--override", "route-not-stated"), "expected --reason TEXT and --by NAME as well"),
        (("--override", "route-not-stated", "--by", "N. Roux"), "expected --reason TEXT as well"),
        (("--reason", "so"), "--reason is that of an override"),
        (("--override", "route", *DECIDED[4:]), "no finding is called 'route'; what needs an override: "),
        (("--override", "product-status", *DECIDED[4:]), "is of severity info and needs no override"),
        (
            ("--override", "route-not-stated=x/y", *DECIDED[4:]),
            "no finding is called 'route-not-stated' of 'x/y'",
        ),
        (("--override", "route-not-stated", "--reason", " ", "--by", "N. Roux"), "nothing is no reason"),
        (("--override", "route-not-stated", "--reason", "so", "--by", "\x1b"), "is no name of who decides"),
        (("--condition", "pregnant lady"), "no condition is called 'pregnant lady'; did you mean pregnan"),
        (("--allergy", "fishes and chips"), "no allergen or substance is called 'fishes and chips'"),
        (("--region", "XX"), "--region 'XX' is not known; expected such as "),
        (("--route", "nasal"), "--route 'nasal' is not known; expected one of intradermal, "),
        (("--age", "-1"), "--age '-1': expected a whole number from 0 to 120"),
    ],
)
def test_what_cannot_be_taken_is_wrong_usage(meso, words, said):
    ran = meso(*SESSION, *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_block_cannot_be_overridden(meso, write):
    path = write("cosmetic.toml", COSMETIC)
    words = ("--catalogue", str(path), "session", "acme/glow")
    ran = meso(*words)
    assert ran.code == 1
    assert "Blocked: no reason overrides it\n" in ran.out
    assert "go on with --override" not in ran.said
    ran = meso(*words, "--override", "cosmetic-in-a-vial", "--reason", "so", "--by", "N. Roux")
    assert (ran.code, ran.out) == (2, "")
    assert "cosmetic-in-a-vial is a block, and no block can be overridden: change the session" in ran.err
    plain = meso(*words, "--json").json
    assert codes(plain, "block") == {"cosmetic-in-a-vial", "cosmetic-injected", "route-external-only"}


def test_the_route_is_asked_of_the_labels(meso):
    plain = meso("session", "b-braun/sodium-chloride-0-9-10ml", "--route", "Subcutaneous", "--json").json
    assert plain["route"] == "subcutaneous"
    assert plain["ready"] is True
    dermis = meso("session", "b-braun/sodium-chloride-0-9-10ml", "--json").json
    assert codes(dermis, "override") == {"route-off-label"}


def test_a_patient_is_asked_by_any_name_and_never_shown(meso):
    words = (*SESSION, "--condition", "Grossesse", "--allergy", "vitamine B1", "--age", "17")
    plain = meso(*words, "--json").json
    assert {"pregnancy", "filler-labels-and-patients", "filler-labels-and-age"} <= codes(plain, "warn")
    assert "allergy-to-an-ingredient" in codes(plain, "unchecked")
    assert "conditions" not in plain
    assert "allergies" not in plain
    assert "age" not in plain
    assert "Grossesse" not in meso(*words).out


def test_an_allergy_blocks(meso):
    ran = meso(*SESSION, "--allergy", "hyaluronan")
    assert ran.code == 1
    assert "NCTF 135HA holds hyaluronic acid (allergy: Hyaluronic acid)" in ran.said
    assert "NOT READY: allergy-to-an-ingredient" in ran.out


def test_the_region_comes_from_the_option_the_environment_or_the_settings(meso, monkeypatch, write):
    def region(*words):
        return meso(*SESSION, *words, "--json").json["region"]

    assert region() is None
    monkeypatch.setenv("MESOFORMULA_SETTINGS", str(write("settings.toml", 'region = "UK"\n')))
    assert region() == "UK"
    monkeypatch.setenv("MESOFORMULA_REGION", "FR")
    assert region() == "FR"
    assert region("--region", "kr") == "KR"
    monkeypatch.setenv("MESOFORMULA_REGION", "ZZ")
    assert "MESOFORMULA_REGION 'ZZ' is not known" in meso(*SESSION).err


def test_where_a_region_is_set_the_law_is_no_longer_unchecked(meso):
    def unchecked(*words):
        plain = meso(*SESSION, "--technique", "papule", *words, "--json").json
        return {
            one["code"] for one in plain["findings"] if any(m["fact"] == "region" for m in one["missing"])
        }

    assert unchecked()
    assert unchecked("--region", "FR") == set()


def test_what_is_not_known_is_one_line_for_each_fact(meso):
    out = meso(*SESSION).out
    section = out.partition("\nNot checked, as this is not known\n")[2].partition("\n\n")[0]
    facts = [line for line in section.splitlines() if line.startswith("  - ")]
    assert 5 <= len(facts) <= 16
    assert len(section.splitlines()) <= 40
    assert any(line.startswith("  - region: ") for line in facts)
    assert " and " in section
    assert "\nChecked: " in out


def test_the_text_says_the_heaviest_first(meso):
    out = meso(*SESSION, "--condition", "pregnancy", "--allergy", "hyaluronan").out
    headings = (
        "Blocked: no reason overrides it",
        "Needs an override, with a reason and a name",
        "Look out",
        "Good to know",
        "Not checked, as this is not known",
        "Checked: ",
        "NOT READY: ",
    )
    places = [out.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)
    assert max(map(len, out.splitlines())) <= 80


def test_a_pick_records_who_overrode_what_and_why(meso, monkeypatch, tmp_path):
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    for product in ("fillmed/nctf-135ha", "phoenix-labs/ascorbic-acid-500"):
        words = ("--lot", "L1", "--containers", "3", "--expiry", "05/2099")
        assert meso("stock", "receive", product, *words).code == 0
    picked = (*SESSION, "--pick", "--reference", "S-2026-001", "--condition", "diabetes", "--allergy", "fish")
    ran = meso(*picked)
    assert ran.code == 1
    assert ran.out.endswith("NOT PICKED: the session is not ready.\n")
    ran = meso(*picked, *DECIDED)
    assert (ran.code, ran.err) == (0, "")
    assert "OVERRIDDEN: " in ran.out
    told = meso("stock", "history", "--json")
    assert told.code == 0
    overridden = "overridden: route-not-stated, mixing-not-stated by N. Roux: as in the published protocol"
    assert overridden in told.out
    stored = Path(tmp_path / "stock.sqlite").read_bytes().lower()
    assert b"diabetes" not in stored
    assert b"fish" not in stored
