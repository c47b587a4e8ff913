"""`mesoformula sheet stock`, `expiry`, `movements` and `reorder`."""

from __future__ import annotations

import io
import json
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from libreoffice import Office

from mesoformula.cli import sheet_stock

TODAY = date.today()  # noqa: DTZ011 (the site's own day)
NCTF, VITAMIN = "fillmed/nctf-135ha", "phoenix-labs/ascorbic-acid-500"


@pytest.fixture
def receive(meso):
    def call(product=NCTF, lot="A1", days=400, containers="5", *more):
        expiry = (TODAY + timedelta(days)).isoformat()
        words = ("--lot", lot, "--expiry", expiry, "--containers", containers, *more)
        ran = meso("stock", "receive", product, *words, "--by", "anna")
        assert ran.code == 0, ran.err

    return call


@pytest.fixture
def filled(receive, meso):
    receive(NCTF, "A1", 400, "5", "--cost", "12.50 EUR", "--supplier", "Wholesale")
    receive(NCTF, "A0", -3, "2", "--cost", "12.50 EUR")
    receive(VITAMIN, "C1", 20, "10", "--cost", "1.10 EUR", "--location", "shelf A")
    assert meso("stock", "level", "set", NCTF, "12", "--by", "anna").code == 0
    assert meso("stock", "open", VITAMIN, "C1", "--by", "anna").code == 0
    assert meso("stock", "recall", NCTF, "A0", "--by", "anna").code == 0


def tabs(name):
    return openpyxl.load_workbook(name).sheetnames


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("stock", ["Summary", "On hand", "Opened", "Expiry", "Movements", "Reorder", "Notes"]),
        ("expiry", ["Expiry", "Notes"]),
        ("movements", ["Movements", "Notes"]),
        ("reorder", ["Reorder", "Notes"]),
    ],
)
@pytest.mark.usefixtures("filled")
def test_each_verb_writes_its_sheets_and_says_what_it_wrote(meso, verb, expected):
    ran = meso("sheet", verb, "x.xlsx")
    assert (ran.code, ran.err) == (0, "")
    assert tabs("x.xlsx") == expected
    assert [
        line.strip().partition(":")[0] for line in ran.out.splitlines()[1 : len(expected) + 1]
    ] == expected
    assert f"as of {TODAY}\nanchor 6:" in ran.out


@pytest.mark.usefixtures("filled")
def test_json_holds_the_figures_that_the_other_commands_tell(meso):
    sheets = meso("sheet", "stock", "x.xlsx", "--json").json["sheets"]
    listed = meso("stock", "list", "--expired", "--json").json
    every = meso("stock", "list", "--json").json
    below = meso("stock", "list", "--below", "--json").json

    cells = sheets["summary"]["cells"]
    assert cells["expired"] == sum(one["containers"] for one in listed["on_hand"]) == 2
    assert cells["containers"] == sum(one["containers"] for one in every["on_hand"]) == 16
    assert Decimal(cells["value_EUR"]) == Decimal(every["totals"]["value"][0]["value"]) == Decimal("97.4")
    assert cells["recalled"] == 2
    (short,) = [row for row in sheets["reorder"]["rows"] if row["missing"]]
    assert (short["id"], short["usable"], short["missing"]) == (NCTF, 5, 7)
    assert short["supplier"] == "Wholesale"
    assert [(one["product"], one["least"]) for one in below["below"]] == [(NCTF, 12)]


@pytest.mark.usefixtures("filled")
def test_json_says_where_the_file_is_and_the_anchor(meso):
    told = meso("sheet", "expiry", "x.xlsx", "--json").json

    assert told["written"] == "x.xlsx"
    assert told["language"] == "en"
    assert told["anchor"].startswith("6:")
    assert Path("x.xlsx").is_file()


# ---- languages --------------------------------------------------------------------------------------------


def test_a_language_may_be_given_or_set(meso, monkeypatch):
    assert meso("sheet", "stock", "a.xlsx", "--lang", "fr").code == 0
    monkeypatch.setenv("MESOFORMULA_LANGUAGE", "fr-CA")
    assert meso("sheet", "stock", "b.xlsx").code == 0
    assert meso("sheet", "stock", "c.xlsx", "--lang", "en").code == 0

    assert tabs("a.xlsx")[0] == tabs("b.xlsx")[0] == "Synthèse"
    assert tabs("c.xlsx")[0] == "Summary"


def test_an_unknown_language_is_refused_with_those_that_are_spoken(meso, monkeypatch):
    for words in (("--lang", "tlh"), ()):
        ran = meso("sheet", "stock", "x.xlsx", *words)
        assert ran.code == 2
        assert "sheets do not speak 'tlh'; expected en or fr" in ran.err
        assert not Path("x.xlsx").exists()
        monkeypatch.setenv("MESOFORMULA_LANGUAGE", "tlh")


# ---- periods ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("filled")
def test_the_period_is_thirty_days_unless_it_is_said(meso):
    def numbers(*words):
        found = meso("sheet", "movements", "x.xlsx", "--replace", "--json", *words).json["sheets"]
        return found["movements"]

    usual = numbers()
    assert [one["value"] for one in usual["facts"][:2]] == [
        (TODAY - timedelta(29)).isoformat(),
        TODAY.isoformat(),
    ]
    assert sorted({row["number"] for row in usual["rows"]}) == [1, 2, 3, 4, 5, 6]
    assert numbers("--until", (TODAY - timedelta(1)).isoformat())["rows"] == []
    assert numbers("--since", "2020-01-01")["rows"] == usual["rows"]


def test_a_period_that_ends_before_it_begins_is_wrong_usage(meso):
    ran = meso("sheet", "movements", "x.xlsx", "--since", "2026-02-01", "--until", "2026-01-01")
    assert ran.code == 2
    assert "the period from 2026-02-01 to 2026-01-01 ends before it begins" in ran.err


@pytest.mark.usefixtures("filled")
def test_a_past_day_shows_the_stock_as_it_was(meso):
    yesterday = (TODAY - timedelta(1)).isoformat()
    found = meso("sheet", "stock", "x.xlsx", "--on", yesterday, "--json").json["sheets"]

    assert found["stock"]["as_of"] == yesterday
    assert found["stock"]["rows"] == []
    ran = meso("sheet", "stock", "y.xlsx", "--on", (TODAY + timedelta(1)).isoformat())
    assert ran.code == 2
    assert "is yet to come" in ran.err


# ---- the file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["stock", "expiry", "movements", "reorder"])
def test_the_name_of_the_file_is_checked_before_the_stock_is_read(meso, verb):
    Path("there.xlsx").write_text("mine")
    for name, said in (("x.ods", "expected a name that ends in"), ("there.xlsx", "is there already")):
        ran = meso("sheet", verb, name, "--stock", "/none/stock.sqlite")
        assert ran.code == 2
        assert said in ran.err
    assert Path("there.xlsx").read_text() == "mine"


def test_a_site_without_levels_is_told_how_to_set_one(meso):
    assert meso("sheet", "reorder", "x.xlsx").code == 0
    sheet = openpyxl.load_workbook("x.xlsx")["Reorder"]
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]

    assert any("mesoformula stock level set" in text for text in texts)


# ---- long work --------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.usefixtures("filled")
def test_long_work_shows_how_far_it_has_come_on_a_terminal_and_is_silent_in_a_pipe(meso, monkeypatch):
    monkeypatch.setattr(sheet_stock, "_WITHOUT_BAR", 1)
    assert meso("sheet", "movements", "a.xlsx").err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    ran = meso("sheet", "movements", "b.xlsx", "--json")

    assert "movements" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert json.loads(ran.out)["sheets"]["movements"]["rows"]


@pytest.mark.libreoffice
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("verb", ["stock", "expiry", "movements", "reorder"])
def test_what_libreoffice_works_out_is_what_json_says(meso, verb, office: Office):
    assert meso("sheet", verb, f"{verb}.xlsx", "--json").code == 0

    office.check(Path(f"{verb}.xlsx").absolute())


@pytest.mark.libreoffice
@pytest.mark.usefixtures("filled")
def test_the_named_cells_of_the_workbook_hold_the_figures_of_json(meso, office: Office):
    told = meso("sheet", "stock", "x.xlsx", "--json").json["sheets"]
    workbook = openpyxl.load_workbook(office.recalculated(Path("x.xlsx").absolute()), data_only=True)
    compared = 0
    for name, value in told["summary"]["cells"].items():
        if name not in workbook.defined_names or name == "as_of_moment":
            continue
        title, _, cell = workbook.defined_names[name].attr_text.replace("$", "").rpartition("!")
        found = workbook[title.strip("'")][cell].value
        assert Decimal(str(found)) == Decimal(str(value)), name
        compared += 1

    assert compared >= 9
