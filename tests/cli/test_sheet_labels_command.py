"""`mesoformula sheet labels` and `mesoformula sheet grids`; sheets as CSV and JSON files."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest

VITAMIN = "phoenix-labs/ascorbic-acid-500"
SESSION = ("teaching-nctf-vitamin-c", "--volume", "3 mL", "--syringe", "1-ml")
OVERRIDES = (
    *("--override", "mixing-not-stated", "--override", "route-not-stated"),
    *("--reason", "asked", "--by", "anna"),
)


@pytest.fixture
def opened(meso):
    expiry = (date.today() + timedelta(400)).isoformat()  # noqa: DTZ011 (the site's own day)
    words = ("--lot", "C1", "--expiry", expiry, "--containers", "3", "--by", "anna")
    assert meso("stock", "receive", VITAMIN, *words).code == 0
    for _ in range(2):
        assert meso("stock", "open", VITAMIN, "C1", "--by", "anna").code == 0


def test_a_session_gets_a_label_for_each_syringe(meso):
    ran = meso("sheet", "labels", "l.xlsx", *SESSION, *OVERRIDES, "--reference", "S-2026-001", "--skip", "2")

    assert (ran.code, ran.err) == (0, "")
    assert "3 labels on Avery L7160" in ran.out
    assert "100 %" in ran.out
    (worksheet,) = openpyxl.load_workbook("l.xlsx").worksheets
    texts = [str(cell.value) for row in worksheet.iter_rows() for cell in row if cell.value]
    assert len(texts) == 3
    with zipfile.ZipFile("l.xlsx") as file:
        drawing = file.read("xl/drawings/drawing1.xml")
    assert drawing.count(b"code of session S-2026-001") == 3


def test_a_session_that_is_not_ready_gets_none(meso):
    ran = meso("sheet", "labels", "l.xlsx", *SESSION)

    assert ran.code == 1
    assert "NOT READY: mixing-not-stated, route-not-stated" in ran.err
    assert not Path("l.xlsx").exists()


@pytest.mark.usefixtures("opened")
def test_opened_containers_get_labels(meso):
    found = meso("sheet", "labels", "l.xlsx", "--opened", "all", "--json").json["sheets"]["labels"]["labels"]
    assert [label["lines"][1].split(", ")[1] for label in found] == ["no. 1", "no. 2"]
    found = meso("sheet", "labels", "m.xlsx", "--opened", "2", "--json").json["sheets"]["labels"]["labels"]
    assert [label["lines"][1].split(", ")[1] for label in found] == ["no. 2"]

    ran = meso("sheet", "labels", "n.xlsx", "--opened", "9")
    assert ran.code == 2
    assert "9: no opened container here; opened: 1, 2" in ran.err


def test_labels_of_nothing_are_refused(meso):
    ran = meso("sheet", "labels", "l.xlsx")
    assert ran.code == 2
    assert "give a FORMULA, --opened NUMBER, or --opened all" in ran.err
    assert meso("sheet", "labels", "l.xlsx", "--opened", "all").code == 2


def test_a_page_that_is_too_small_is_refused_with_larger_ones(meso):
    ran = meso("sheet", "labels", "l.xlsx", *SESSION, *OVERRIDES, "--grid", "l7651")

    assert ran.code == 2
    assert "avery-l7160" in ran.err
    assert not Path("l.xlsx").exists()


def test_the_pages_are_listed(meso):
    ran = meso("sheet", "grids")
    assert ran.code == 0
    assert "avery-l7160" in ran.out

    grids = {one["id"]: one for one in meso("sheet", "grids", "--json").json}
    assert grids["avery-l7160"]["columns"] == 3
    assert grids["avery-l7160"]["source"]


def test_an_unknown_page_is_refused_with_those_that_are_known(meso):
    ran = meso("sheet", "labels", "l.xlsx", *SESSION, "--grid", "avery-l7162")

    assert ran.code == 2
    assert "avery-l7161" in ran.err


def test_a_page_of_ones_own_is_read_from_a_file(meso):
    text = (
        'schema = 1\n[[grid]]\nid = "ours"\npage_width = 210\npage_height = 297\ncolumns = 2\nrows = 4\n'
        "width = 105\nheight = 74\nleft = 0\ntop = 0\n"
    )
    Path("ours.toml").write_text(text)
    ran = meso("sheet", "labels", "l.xlsx", *SESSION, *OVERRIDES, "--grid", "ours.toml")
    assert (ran.code, ran.err) == (0, "")

    Path("ours.toml").write_text(text.replace("width = 105", "width = 106"))
    ran = meso("sheet", "labels", "m.xlsx", *SESSION, *OVERRIDES, "--grid", "ours.toml")
    assert ran.code == 3
    assert ran.err.startswith("ours.toml:2: [too-large]")
    ran = meso("sheet", "labels", "m.xlsx", *SESSION, *OVERRIDES, "--grid", "none.toml")
    assert ran.code == 3


# ---- plain files ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("opened")
def test_the_stock_as_a_csv_file_is_its_main_table(meso):
    ran = meso("sheet", "stock", "stock.csv")
    assert (ran.code, ran.err) == (0, "")
    assert "On hand: 1 row" in ran.out

    with Path("stock.csv").open(encoding="utf-8-sig", newline="") as file:
        headings, row = csv.reader(file)
    values = dict(zip(headings, row, strict=True))
    assert (values["Lot"], values["Containers"]) == ("C1", "1")


@pytest.mark.usefixtures("opened")
def test_a_json_file_says_what_the_command_says(meso):
    said = meso("sheet", "movements", "m.json", "--json").json["sheets"]

    written = json.loads(Path("m.json").read_text(encoding="utf-8"))["sheets"]
    for one in written.values():
        one.pop("follows", None)
    assert written == said


def test_a_page_is_no_csv_file(meso):
    ran = meso("sheet", "session", "s.csv", *SESSION)

    assert ran.code == 2
    assert "a .csv file holds one table" in ran.err
    assert not Path("s.csv").exists()
