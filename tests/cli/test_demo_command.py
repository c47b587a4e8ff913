"""`mesoformula demo`, and every first-party plugin blocked in turn."""

from __future__ import annotations

import os
from importlib.metadata import distribution
from pathlib import Path

import openpyxl
import pytest

FIRST_PARTY = sorted(
    point.name for point in distribution("mesoformula").entry_points if point.group == "mesoformula"
)
WORKBOOK = "mesoformula-demo-stock.xlsx"
#: Decisions without which the session of teaching-parts is not ready.
DECIDED = (
    "--override", "route-not-stated", "--override", "route-off-label", "--override", "mixing-not-stated",
    "--reason", "a test", "--by", "N. Roux",
)  # fmt: skip


def test_the_demo_does_the_main_job_and_says_where_the_workbook_is(meso):
    ran = meso("demo")
    assert (ran.code, ran.err) == (0, "")
    assert "The products are real, the lots fictional. Your own stock is not touched." in ran.out
    assert "NOT READY: mixing-not-stated, route-not-stated" in ran.out
    assert "at least" in ran.out
    assert "not disclosed" in ran.out
    assert "EXPIRED" in ran.out
    assert f"written to {Path(WORKBOOK).absolute()}" in ran.out
    lots = {cell.value for row in openpyxl.load_workbook(WORKBOOK)["On hand"].iter_rows() for cell in row}
    assert {"DEMO-N1", "DEMO-C1", "DEMO-J1"} <= lots
    assert [line for line in ran.out.splitlines() if len(line) > 80 and "written to" not in line] == []


def test_the_demo_twice_is_the_same_and_never_touches_the_users_stock(meso):
    first = meso("demo", "out/deeper")
    again = meso("demo", "out/deeper")
    assert first == again
    assert first.code == 0
    assert [path.name for path in Path("out/deeper").iterdir()] == [WORKBOOK]
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()


def test_the_demo_leaves_a_stock_of_the_users_alone(meso, monkeypatch):
    words = ("stock", "receive", "fillmed/nctf-135ha", "--lot", "MINE", "--containers", "1", "--no-expiry")
    monkeypatch.setenv("MESOFORMULA_STOCK", "mine.sqlite")
    assert meso(*words).code == 0
    before = Path("mine.sqlite").read_bytes()
    ran = meso("demo", "out")
    assert ran.code == 0
    assert "MINE" not in ran.out
    assert Path("mine.sqlite").read_bytes() == before


def test_the_demo_into_a_file_is_wrong_usage(meso):
    Path("file").touch()
    ran = meso("demo", "file")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "mesoformula demo: file is a file; expected a folder\n"


def test_the_demo_into_a_folder_that_cannot_be_made_says_so_at_once(meso):
    Path("file").touch()
    ran = meso("demo", "file/folder")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "mesoformula: file/folder: Not a directory\n"


# ---- blocked plugins --------------------------------------------------------------------------------------


@pytest.fixture(params=FIRST_PARTY)
def blocked(request, monkeypatch):
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", request.param)
    return request.param


def test_first_party_plugins_are_found_to_be_blocked():
    assert {"excel", "formulary", "quantities"} <= set(FIRST_PARTY)


def test_a_blocked_plugin_is_listed_as_blocked_and_the_others_are_active(meso, blocked):
    ran = meso("plugin", "list", "--json")
    assert ran.code == 0
    states = {plugin["name"]: plugin["state"] for plugin in ran.json["plugins"]}
    assert states.pop(blocked) == "blocked"
    assert set(states.values()) == {"active"}
    assert [problem for problem in ran.json["problems"] if problem["path"] is None] == []
    assert "MESOFORMULA_BLOCK_PLUGINS" in meso("plugin", "list").out


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["classes"], {}),
        (["stock", "list"], {}),
        (["products", "nctf"], {"formulary": 0}),
        (["substances", "retinol"], {"formulary": 0}),
        (["product", "baxter/cernevit"], {"formulary": 2}),
        (["convert", "5 mg", "--substance", "retinol", "--to", "µg"], {"formulary": 2}),
        (["formula", "show", "teaching-parts"], {"formulary": 2}),
        (["session", "teaching-parts", *DECIDED], {"formulary": 2, "quantities": 3, "safety": 2}),
        (["formula", "new", "x.toml", "--line", "baxter/cernevit=1 mL"], {"formulary": 2, "quantities": 3}),
        (["sheet", "stock", "x.xlsx"], {"excel": 2}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_needs_a_blocked_plugin_says_so_and_the_rest_works(meso, blocked, words, codes):
    ran = meso(*words)
    assert "internal error" not in ran.err
    if blocked in codes:
        assert ran.code == codes[blocked]
        said = " ".join((ran.out + ran.err).split())
        # An override of what nobody checks is refused, and what is missing is said with it.
        assert f"plugin {blocked} is blocked" in said or "see 'mesoformula plugin list'" in said
    else:
        assert (ran.code, ran.err) == (0, "")


def test_the_demo_does_what_is_left_and_says_what_is_missing(meso, blocked):
    ran = meso("demo", "out")
    if blocked not in {"formulary", "quantities", "excel"}:
        assert ran.code == 0
        return
    assert ran.code == 3
    assert "internal error" not in ran.err
    if blocked == "formulary":
        assert "the demo needs: plugin formulary is blocked" in ran.err
        return
    assert ran.out.count("not done: ") == 1
    assert "DEMO-N1" in ran.out
    assert ("Prepare 3.21 mL" in ran.out) == (blocked != "quantities")
    assert Path("out", WORKBOOK).exists() == (blocked != "excel")


def test_a_misspelt_name_to_block_is_a_warning(meso, monkeypatch):
    monkeypatch.setenv("MESOFORMULA_BLOCK_PLUGINS", "exel")
    ran = meso("products", "nctf")
    assert ran.code == 0
    assert "warning: [unknown-plugin] 'exel'" in ran.err
    assert meso("--strict", "products", "nctf").code == 3


def test_a_plugin_that_failed_is_listed_with_its_reason(meso, install_plugin):
    install_plugin("broken", "raise RuntimeError('out of order')")
    plain = meso("plugin", "list", "--json").json
    (broken,) = [plugin for plugin in plain["plugins"] if plugin["name"] == "broken"]
    assert (broken["state"], broken["first_party"]) == ("failed", False)
    assert "out of order" in broken["reason"]
    ran = meso("plugin", "list")
    assert "\nbroken (fake-broken 1.0): failed\n  reason" in ran.out
