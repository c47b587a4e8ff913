"""`mesoformula stock pick`, `stock release` and `session --pick`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mesoformula.stock.database.store import open_stock
from mesoformula.stock.lots.holding import quarantine
from mesoformula.stock.records import Order

NCTF = "fillmed/nctf-135ha"
VITAMIN = "phoenix-labs/ascorbic-acid-500"
MULTI = "fresenius-kabi/pyridoxine-100"
REF = ("--reference", "S-2026-001")
TODAY = datetime.now().astimezone().date()
SESSION = ("session", "teaching-nctf-vitamin-c", "--volume", "3 mL", "--syringe", "1-ml")


@pytest.fixture(autouse=True)
def _a_stock_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    # What the checks say is tested in test_session_checks.py.
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "safety")


@pytest.fixture
def put(meso):
    def call(lot, containers=3, expiry="05/2099", product=NCTF, location="main"):
        until = ["--expiry", expiry] if expiry else ["--no-expiry"]
        ran = meso("stock", "receive", product, "--lot", lot, "--containers", str(containers), *until,
                   "--location", location)  # fmt: skip
        assert ran.code == 0

    return call


def picks(meso):
    return meso("stock", "pick", "--list", "--json").json["picks"]


def test_a_pick_says_what_it_keeps_until_when_and_what_comes_next(meso, put):
    put("L1", 2, "04/2099", location="fridge")
    put("L2", 3, "05/2020")
    put("L3", 3)
    ran = meso("stock", "pick", f"{NCTF}=3", *REF, "--lapse", "90 min")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("pick 4 for S-2026-001, kept until ")
    assert lines[1:4] == [
        f"NCTF 135HA ({NCTF}@1)",
        "  2 vials of lot L1 at fridge, usable through 2099-04-30",
        "  1 vial of lot L3 at main, usable through 2099-05-31",
    ]
    assert "passed over: 3 of lot 'L2' at 'main' (expired on 2020-05-31)" in ran.said
    assert "next: mesoformula stock use --pick 4, or stock release 4" in lines
    assert lines[-1].startswith("anchor 4:")
    assert max(map(len, lines[:-2])) <= 80


def test_json_says_the_same(meso, put):
    put("L1", 2)
    plain = meso("stock", "pick", f"{NCTF}=1", *REF, "--json").json
    assert (plain["movement"], plain["repeated"]) == (2, False)
    assert plain["pick"]["reference"] == "S-2026-001"
    (line,) = plain["pick"]["lines"]
    assert (line["wanted"], line["containers"], line["volume"]) == (NCTF, 1, None)
    assert line["taken"] == [
        {
            "product": f"{NCTF}@1",
            "lot": "L1",
            "location": "main",
            "containers": 1,
            "volume": None,
            "expiry": "2099-05-31",
            "opened": None,
            "beyond_use_at": None,
        }
    ]
    assert picks(meso)[0]["lapses_at"] == plain["pick"]["lapses_at"]


def test_a_volume_is_rounded_up_to_containers(meso, put):
    put("L1", 3)
    ran = meso("stock", "pick", f"{NCTF}=4.5 mL", *REF)
    assert ran.code == 0
    assert "2 vials of lot L1 at main, usable through 2099-05-31; draw 4.5 mL" in ran.said


def test_a_shortage_is_an_answer(meso, put):
    put("L1", 2)
    put("L2", 3, "05/2020")
    meso("stock", "pick", f"{NCTF}=1", "--reference", "OTHER-1")
    ran = meso("stock", "pick", f"{NCTF}=2", f"{VITAMIN}=1", *REF)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("NOT PICKED, the stock is short:\n")
    assert f"{NCTF}: 2 containers wanted, 1 may be picked, 1 missing; passed over: 1 of lot 'L1'" in ran.said
    assert "(reserved by pick 3 for OTHER-1 until " in ran.said
    assert "the next reservation lapses on " in ran.said
    assert f"{VITAMIN}: 1 container wanted, none may be picked, 1 missing; the stock holds none" in ran.said
    plain = meso("stock", "pick", f"{NCTF}=2", *REF, "--json")
    assert plain.code == 1
    (short,) = plain.json["shortage"]
    assert (short["wanted"], short["available"], short["missing"]) == (2, 1, 1)
    assert [one["reason"] for one in short["skipped"]] == ["reserved", "expired"]
    assert short["skipped"][0]["reference"] == "OTHER-1"
    assert len(picks(meso)) == 1


def test_a_product_that_nobody_knows_is_a_misspelt_one(meso, put):
    ran = meso("stock", "pick", "fillmed/nctf=1", *REF)
    assert ran.code == 2
    assert f"no product is called 'fillmed/nctf'; did you mean fillmed/nctf-135 or {NCTF}" in ran.err
    put("L1")
    ran = meso("stock", "pick", f"{NCTF}=1", *REF, "--lot", "L11")
    assert ran.code == 2
    assert "lot 'L11' of 'fillmed/nctf-135ha' is not in the stock; did you mean 'L1'?" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "what is to be picked? expected such as fillmed/nctf-135ha=2"),
        ([NCTF, *REF], "expected ID=2 for containers, or ID='1.5 mL' for a volume"),
        ([f"{NCTF}=", *REF], "expected ID=2 for containers"),
        ([f"{NCTF}=1"], "for which session? expected --reference"),
        ([f"{NCTF}=0", *REF], "'0': expected a whole number from 1 to 1000000"),
        ([f"{NCTF}=-1", *REF], "'-1': expected a whole number"),
        ([f"{NCTF}=1.5", *REF], "'1.5': expected a whole number"),
        ([f"{NCTF}=1,5 mL", *REF], "a decimal comma; write '1.5 mL'"),
        ([f"{NCTF}=-3 mL", *REF], "-3 mL"),
        ([f"{NCTF}=0 mL", *REF], "expected more than 0"),
        ([f"{NCTF}=2 mg", *REF], "'2 mg' is a mass; expected a volume such as '2 mL'"),
        ([f"{NCTF}=0.0000001 mL", *REF], "no whole number of nanolitres"),
        ([f"{NCTF}=1", "--reference", "Anna Smith"], "'Anna Smith': expected 4 to 32 of A-Z"),
        ([f"{NCTF}=1", *REF, "--lapse", "0.5 min"], "--lapse '0.5 min': expected whole minutes"),
        ([f"{NCTF}=1", *REF, "--lapse", "9999 d"], "from '1 min' to '366 d'"),
        ([f"{NCTF}=1", *REF, "--policy", "fifo"], "no lot policy is called 'fifo'; did you mean fefo"),
        ([f"{NCTF}=1", *REF, "--on", "2020-01-01"], "2020-01-01 has passed"),
        ([f"{NCTF}=1", *REF, "--at", "2026-01-01"], "a pick is made now"),
        ([f"{NCTF}=1", f"{VITAMIN}=1", *REF, "--lot", "L1"], "--lot is for one product"),
        ([f"{NCTF}=1", "--list"], "--list picks nothing"),
        (["\x1b[31m=1", *REF], "product '\\x1b[31m': expected vendor/sku"),
    ],
)  # fmt: skip
def test_what_cannot_be_picked_is_wrong_usage(meso, put, words, said):
    put("L1")
    ran = meso("stock", "pick", *words)
    assert ran.code == 2
    assert said in ran.err
    assert "\x1b" not in ran.err
    assert picks(meso) == []


def test_policy_days_left_day_and_place_come_from_the_command(meso, put):
    put("L1", 2, str(TODAY + timedelta(days=10)))
    put("L2", 2, str(TODAY + timedelta(days=50)), location="fridge")
    assert meso("stock", "pick", f"{NCTF}=1", *REF, "--policy", "strict").code == 2
    for words, lot in (
        ([], "L1"),
        (["--days-left", "11"], "L2"),
        (["--on", str(TODAY + timedelta(days=11))], "L2"),
        (["--location", "fridge"], "L2"),
        (["--policy", "strict", "--lot", "L2"], "L2"),
    ):
        plain = meso("stock", "pick", f"{NCTF}=1", *REF, *words, "--json").json
        assert [one["lot"] for one in plain["pick"]["lines"][0]["taken"]] == [lot]
        meso("stock", "release", str(plain["movement"]))


def test_the_settings_of_the_site_hold_where_the_command_says_nothing(meso, put, monkeypatch):
    put("L1", 2, str(TODAY + timedelta(days=10)))
    monkeypatch.setenv("MESOFORMULA_MINIMUM_DAYS_LEFT", "30")
    assert meso("stock", "pick", f"{NCTF}=1", *REF).code == 1
    assert meso("stock", "pick", f"{NCTF}=1", *REF, "--days-left", "0").code == 0


def test_the_same_request_changes_nothing(meso, put):
    put("L1")
    words = ("stock", "pick", f"{NCTF}=1", *REF, "--request-id", "r1")
    first, again = meso(*words), meso(*words)
    assert again.code == 0
    assert again.out.startswith("nothing changed: movement 2 recorded this request before\n")
    assert again.out.splitlines()[1:4] == first.out.splitlines()[:3]
    assert len(picks(meso)) == 1


def test_picks_are_listed(meso, put):
    assert meso("stock", "pick", "--list").out.startswith("nothing is kept for a session")
    put("L1")
    meso("stock", "pick", f"{NCTF}=2", *REF)
    ran = meso("stock", "pick", "--list")
    assert ran.code == 0
    assert "S-2026-001" in ran.out
    assert "NCTF 135HA: 2 vials of lot L1 at main" in ran.said


# ---- release -----------------------------------------------------------------------------------------------


def test_a_pick_is_released_once(meso, put):
    put("L1")
    meso("stock", "pick", f"{NCTF}=2", *REF)
    ran = meso("stock", "release", "2", "--by", "anna", "--reason", "no show")
    assert ran.code == 0
    assert ran.out.startswith("movement 3: free for S-2026-001 of pick 2, by anna (no show)\n")
    assert picks(meso) == []
    ran = meso("stock", "release", "2")
    assert (ran.code, ran.err) == (2, "mesoformula: pick 2 was freed by movement 3 already\n")


def test_a_lot_is_released(meso, put, tmp_path):
    put("L1")
    put("L1", location="fridge")
    with open_stock(tmp_path / "stock.sqlite") as store:
        quarantine(store, NCTF, "L1", location="fridge", order=Order("anna", "left in the sun"))
    assert meso("stock", "pick", f"{NCTF}=4", *REF).code == 1
    ran = meso("stock", "release", NCTF, "L1", "--location", "fridge", "--reason", "checked")
    assert ran.code == 0
    assert "movement 4: release" in ran.out
    assert meso("stock", "pick", f"{NCTF}=4", *REF).code == 0
    ran = meso("stock", "release", NCTF, "L1", "--reason", "checked")
    assert ran.code == 2
    assert "neither quarantined nor recalled" in ran.err


@pytest.mark.parametrize("words", [[], ["x"], ["1", "2", "3"], ["2", "--location", "main"], ["99"], ["-1"]])
def test_what_cannot_be_released_is_wrong_usage(meso, put, words):
    put("L1")
    ran = meso("stock", "release", *words)
    assert ran.code == 2
    assert ran.err.count("\n") == 1


# ---- sessions ----------------------------------------------------------------------------------------------


def test_a_session_is_picked_and_its_lots_stand_beside_its_lines(meso, put):
    put("L1", 1)
    put("L2", 3, "05/2020")
    put("C1", 1, product=VITAMIN, location="shelf A")
    ran = meso(*SESSION, "--pick", *REF)
    assert (ran.code, ran.err) == (0, "")
    take = ran.out.partition("\nTake\n")[2].partition("\nInjected\n")[0].splitlines()
    first = next(n for n, line in enumerate(take) if line.startswith("1 "))
    second = next(n for n, line in enumerate(take) if line.startswith("2 "))
    assert any("1 vial of lot L1 at main" in line for line in take[first:second])
    assert any("1 ampoule of lot C1 at shelf A" in line for line in take[second:])
    assert "pick 4 for S-2026-001, kept until " in ran.said
    assert f"passed over: {NCTF}@1: 3 of lot 'L2' at 'main' (expired on 2020-05-31)" in ran.said
    assert [one["reference"] for one in picks(meso)] == ["S-2026-001"]


def test_the_session_says_in_json_what_was_picked(meso, put):
    put("L1", 1)
    put("C1", 1, product=VITAMIN)
    plain = meso(*SESSION, "--pick", *REF, "--json").json
    assert plain["ready"] is True
    assert [line["of_lines"] for line in plain["pick"]["lines"]] == [[1], [2]]
    assert [line["taken"][0]["lot"] for line in plain["pick"]["lines"]] == ["L1", "C1"]
    assert plain["pick"]["anchor"].startswith("3:")
    assert "pick" not in meso(*SESSION, "--json").json


def test_a_session_for_which_the_stock_is_short_keeps_nothing(meso, put):
    put("L1", 1)
    ran = meso(*SESSION, "--pick", *REF)
    assert ran.code == 1
    assert "NOT PICKED, the stock is short:" in ran.out
    assert f"{VITAMIN}@1: 1 container wanted, none may be picked, 1 missing" in ran.said
    assert ran.out.index("\nTake\n") < ran.out.index("NOT PICKED")
    plain = meso(*SESSION, "--pick", *REF, "--json")
    assert plain.code == 1
    assert plain.json["pick"] is None
    assert [one["product"] for one in plain.json["shortage"]] == [f"{VITAMIN}@1"]
    assert picks(meso) == []


BLOCKS = """
from mesoformula import Finding, Severity, hookimpl

@hookimpl
def mesoformula_check_session(session):
    return [Finding("no-go", Severity.BLOCK, "x", "not like this")]
"""


def test_a_session_that_is_not_ready_is_not_picked(meso, put, install_plugin):
    put("L1", 1)
    put("C1", 1, product=VITAMIN)
    install_plugin("checks", BLOCKS)
    ran = meso(*SESSION, "--pick", *REF)
    assert ran.code == 1
    assert ran.out.endswith("NOT PICKED: the session is not ready.\n")
    assert meso(*SESSION, "--pick", *REF, "--json").json["pick"] is None
    assert picks(meso) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--pick"], "for which session? expected --reference"),
     (["--reference", "Anna"], "session reference 'Anna'"),
     (["--pick", "--reference", "Anna"], "session reference 'Anna'")],
)  # fmt: skip
def test_a_session_is_picked_for_a_reference(meso, words, said):
    ran = meso(*SESSION, *words)
    assert ran.code == 2
    assert said in ran.err


def test_the_volume_of_a_multi_dose_product_is_picked(meso, put):
    put("P1", 3, product=MULTI)
    plain = meso("session", MULTI, "--pick", *REF, "--json").json
    (line,) = plain["pick"]["lines"]
    assert line["volume"] == plain["lines"][0]["volume"]


def test_a_session_without_pick_opens_no_stock(meso, tmp_path):
    assert meso(*SESSION).code == 0
    assert not Path(tmp_path / "stock.sqlite").exists()


def test_the_policy_of_a_plugin_picks(meso, put, install_plugin):
    install_plugin(
        "policy",
        """
        from mesoformula import Choice, LotPolicy, hookimpl

        def latest(need, candidates):
            one = max(candidates, key=lambda one: one.lot)
            return [Choice(one.key, need.containers)]

        @hookimpl
        def mesoformula_lot_policies():
            return [LotPolicy("latest", "latest", "the last lot number", latest)]
        """,
    )
    put("L1")
    put("L2")
    plain = meso("stock", "pick", f"{NCTF}=2", *REF, "--policy", "latest", "--json").json
    assert [one["lot"] for one in plain["pick"]["lines"][0]["taken"]] == ["L2"]
    ran = meso("stock", "pick", f"{NCTF}=4", *REF, "--policy", "latest")
    assert ran.code == 3
    assert "lot policy 'latest'" in ran.err
