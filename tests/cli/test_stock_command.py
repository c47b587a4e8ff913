"""`mesoformula stock` and `mesoformula sheet`."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

NCTF = "fillmed/nctf-135ha"
#: As the commands see it: the site's own day.
TODAY = datetime.now().astimezone().date()
JALUPRO = "professional-derma/jalupro-hmw"


@pytest.fixture
def receive(meso):
    def call(*words: str, product: str = NCTF, lot: str = "4711"):
        given = list(words)
        if not {"--containers", "--packs"} & set(words):
            given += ["--containers", "5"]
        if not {"--expiry", "--no-expiry"} & set(words):
            given += ["--expiry", "05/2099"]
        return meso("stock", "receive", product, "--lot", lot, *given)

    return call


def on_hand(meso, *words):
    return meso("stock", "list", *words, "--json").json["on_hand"]


def test_an_empty_stock_says_where_it_is_and_what_to_do(meso):
    ran = meso("stock", "list")
    assert ran.code == 0
    assert ran.out.startswith("the stock is empty: ")
    assert "mesoformula stock receive" in ran.out
    assert meso("stock", "list", "--json").json["on_hand"] == []
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()


def test_a_delivery_is_confirmed_in_words_and_with_its_anchor(receive, meso):
    ran = receive()
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"received 5 vials of NCTF 135HA ({NCTF}@1)"
    assert lines[1] == "lot 4711, usable through 2099-05-31, at main"
    assert lines[-1].startswith("anchor 1:")
    assert max(map(len, (*lines[:2], lines[-1]))) <= 80
    listed = meso("stock", "list", "--json").json
    assert listed["anchor"] == lines[-1].removeprefix("anchor ")
    assert listed["totals"]["containers"] == 5


@pytest.mark.parametrize("expiry", ["05/2099", "2099-05", "2099-05-31", " 2099-05-31 "])
def test_a_month_means_its_last_day(receive, meso, expiry):
    assert receive("--expiry", expiry).code == 0
    assert on_hand(meso)[0]["expiry"] == "2099-05-31"


@pytest.mark.parametrize("expiry", ["13/2099", "2099-13", "2099-02-30", "5/99", "tomorrow", "", "31.05.2099"])
def test_an_expiry_that_is_none_is_refused_with_the_right_forms(receive, expiry):
    ran = receive("--expiry", expiry)
    assert ran.code == 2
    assert f"--expiry {expiry!r} is no expiry; expected 2027-05-31, 2027-05 or 05/2027" in ran.err


def test_packs_count_their_containers_and_kits_are_kits(receive, meso):
    receive("--packs", "2")
    assert on_hand(meso)[0]["containers"] == 10
    assert "received 3 kits of Jalupro HMW" in receive("--containers", "3", product=JALUPRO).out
    ran = receive("--packs", "1", product=JALUPRO, lot="other")
    assert ran.code == 2
    assert "is not stated; count them, and give --containers" in ran.err


@pytest.mark.parametrize(
    "lot", ["-4711", "--lot", "=1+1", "💉", "a b", "ΑΒΓ-1", "−4711", "0" * 100, "@SUM(A1)"]
)
def test_a_lot_number_is_kept_to_the_letter(receive, meso, lot):
    assert receive(lot=lot).code == 0
    assert [entry["lot"] for entry in on_hand(meso)] == [lot]
    assert meso("stock", "list").code == 0


@pytest.mark.parametrize("lot", ["", "  ", "a\x1b[31mb", "a\nb", "x" * 300, "\udcff"])
def test_a_lot_number_that_nobody_could_read_is_refused(receive, meso, lot):
    ran = receive(lot=lot)
    assert ran.code == 2
    assert "lot number" in ran.err
    assert "\x1b" not in ran.err
    assert len(ran.err) < 250
    assert on_hand(meso) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--containers", "0"], "--containers '0': expected a whole number from 1 to 1000000"),
        (["--containers", "5", "--packs", "1"], "either --containers, such as 5, or --packs"),
        (["--expiry", "05/2099", "--no-expiry"], "either --expiry, such as 05/2028, or --no-expiry"),
        (["--cost", "12,50"], "--cost '12,50' is no price; expected such as '12.50 EUR'"),
        (["--cost", "12.505 EUR"], "is no price"),
        (["--cost", "-1 EUR"], "is no price"),
        (["--received", "yesterday"], "--received 'yesterday' is no moment"),
        (["--received", "2099-01-01"], "lies in the future"),
    ],
)
def test_a_delivery_that_cannot_be_is_wrong_usage(receive, meso, words, said):
    ran = receive(*words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.startswith("mesoformula")
    assert on_hand(meso) == []


def test_how_many_and_until_when_must_be_said(meso):
    assert "how many?" in meso("stock", "receive", NCTF, "--lot", "1", "--no-expiry").err
    assert "expected either --expiry" in meso("stock", "receive", NCTF, "--lot", "1", "--containers", "1").err


def test_a_product_that_is_not_known_suggests_those_that_come_near(receive):
    ran = receive(product="nctf-135ha")
    assert ran.code == 2
    assert f"did you mean {NCTF}" in ran.err


def test_the_same_lot_with_another_expiry_is_refused(receive, meso):
    receive()
    ran = receive("--expiry", "06/2099")
    assert ran.code == 2
    assert "expiry 2099-05-31" in ran.err
    assert "look at the pack again" in ran.err
    assert receive().code == 0
    assert on_hand(meso)[0]["containers"] == 10


def test_the_same_request_twice_changes_nothing(receive, meso):
    first = receive("--request-id", "abc", "--json").json
    again = receive("--request-id", "abc", "--json").json
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["anchor"] == again["anchor"]
    assert receive("--request-id", "abc").out.startswith("nothing changed: movement 1 recorded this request")
    assert on_hand(meso)[0]["containers"] == 5
    ran = receive("--request-id", "abc", "--containers", "6")
    assert ran.code == 2
    assert "says something else" in ran.err


def test_what_has_expired_already_is_received_with_a_warning(receive, meso):
    ran = receive("--expiry", "2020-01")
    assert ran.code == 0
    assert "attention: this lot has EXPIRED" in ran.out
    assert on_hand(meso)[0]["days_left"] < 0


def test_the_list_marks_what_has_expired_and_what_soon_will(receive, meso):
    for lot, days in (("old", -1), ("today", 0), ("soon", 60), ("late", 61)):
        receive("--expiry", (TODAY + timedelta(days=days)).isoformat(), lot=lot)
    receive("--no-expiry", lot="never")
    ran = meso("stock", "list")
    marks = {lot: next(line for line in ran.out.splitlines() if f" {lot} " in line) for lot in
             ("old", "today", "soon", "late", "never")}  # fmt: skip
    assert "EXPIRED" in marks["old"]
    assert "expires soon" in marks["today"]
    assert "expires soon" in marks["soon"]
    assert "soon" not in marks["late"].replace("late", "")
    assert "no expiry" in marks["never"]
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "expires soon" not in meso("stock", "list", "late", "--warn", "0").out
    assert "expires soon" in meso("stock", "list", "late", "--warn", "61").out


def test_the_list_finds_names_vendors_ids_nicknames_and_lots(receive, meso):
    receive("--location", "fridge", "--supplier", "Acme", "--cost", "12.5 EUR", "--remark", "x", "--by", "me")
    receive(product=JALUPRO, lot="J-1")
    for text in ("nctf", "FILLMED", NCTF, "chanel", "4711"):
        (entry,) = on_hand(meso, text)
        assert entry["product"] == f"{NCTF}@1"
    assert entry["unit_cost"] == {"value": "12.50", "unit": "EUR"}
    assert (entry["location"], entry["supplier"], entry["container"]) == ("fridge", "Acme", "vial 3 mL")
    ran = meso("stock", "list", "zzz")
    assert ran.said == "nothing in stock matches 'zzz'; list all with: mesoformula stock list"


def test_the_stock_is_chosen_by_option_or_environment(receive, meso, monkeypatch):
    receive("--stock", "one.sqlite")
    assert on_hand(meso) == []
    assert len(on_hand(meso, "--stock", "one.sqlite")) == 1
    monkeypatch.setenv("MESOFORMULA_STOCK", "one.sqlite")
    assert len(on_hand(meso)) == 1
    assert on_hand(meso, "--stock", "two.sqlite") == []
    assert not Path("two.sqlite").exists()


def test_what_is_no_stock_is_bad_data_and_stays_as_it_is(receive, meso):
    Path("folder").mkdir()
    Path("text.txt").write_text("hello")
    for where, said in (
        ("folder", "expected a SQLite file"),
        ("text.txt", "no SQLite database"),
        ("postgresql://localhost/x", "expected a SQLite file"),
    ):
        for ran in (meso("stock", "list", "--stock", where), receive("--stock", where)):
            assert ran.code == 3
            assert said in ran.err
            assert ran.err.count("\n") == 1
    assert Path("text.txt").read_text() == "hello"


def test_a_stock_that_cannot_be_made_says_why(receive):
    Path("file").touch()
    ran = receive("--stock", "file/stock.sqlite")
    assert ran.code == 3
    assert "file/stock.sqlite" in ran.err
    assert "internal error" not in ran.err


# ---- sheets -----------------------------------------------------------------------------------------------


def test_the_stock_sheet_has_a_row_per_lot_and_says_where_it_is(receive, meso):
    receive()
    receive(lot="=1+1")
    ran = meso("sheet", "stock", "stock.xlsx")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"written to stock.xlsx\n2 rows, as of {TODAY}\nanchor 2:")
    sheet = openpyxl.load_workbook("stock.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"]
    assert [cell.data_type for cell in cells] == ["s"]


def test_a_sheet_that_is_there_is_replaced_on_request_only(meso):
    assert meso("sheet", "stock", "stock.xlsx").code == 0
    before = Path("stock.xlsx").read_bytes()
    ran = meso("sheet", "stock", "stock.xlsx")
    assert ran.code == 2
    assert "stock.xlsx is there already; choose another name, or give --replace" in ran.err
    assert Path("stock.xlsx").read_bytes() == before
    assert meso("sheet", "stock", "stock.xlsx", "--replace").code == 0


def test_a_sheet_of_an_empty_stock_says_so(meso):
    ran = meso("sheet", "stock", "STOCK.XLSX")
    assert ran.code == 0
    assert "0 rows" in ran.out
    assert "the stock is empty: " in ran.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stock.csv", "stock.csv: expected a name that ends in .xlsx"),
        ("stock", "stock: expected a name that ends in .xlsx"),
        ("none/stock.xlsx", "none is no folder; make it first"),
        ("folder.xlsx", "folder.xlsx is a folder"),
    ],
)
def test_a_sheet_that_cannot_be_written_there_is_wrong_usage(meso, name, said):
    Path("folder.xlsx").mkdir()
    ran = meso("sheet", "stock", name, "--replace")
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write to")
def test_a_folder_that_cannot_be_written_to_is_named_by_the_users_own_name(meso):
    ran = meso("sheet", "stock", "/proc/stock.xlsx")
    assert ran.code == 3
    assert ran.err.startswith("mesoformula: /proc/stock.xlsx: ")
