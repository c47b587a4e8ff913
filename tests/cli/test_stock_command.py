"""`mesoformula stock` and `mesoformula sheet`."""

from __future__ import annotations

import os
import sqlite3
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
    assert ran.said.startswith("nothing in stock matches 'zzz'; list all with: mesoformula stock list")


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
        ("mysql://localhost/x", "expected a SQLite file"),
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


# ---- other lists ------------------------------------------------------------------------------------------


@pytest.fixture
def stocked(receive, meso):
    """Lots in every condition, a pick, an opened vial and a level."""

    def day(days: int) -> str:
        return (TODAY + timedelta(days=days)).isoformat()

    receive("--expiry", day(-1), "--containers", "2", lot="old")
    receive("--expiry", day(30), "--cost", "10 EUR", lot="soon")
    receive("--expiry", day(900), "--cost", "12 EUR", lot="late")
    receive("--expiry", day(900), "--location", "fridge", lot="apart")
    receive("--expiry", day(900), lot="bad")
    receive(product="fresenius-kabi/soluvit-n", lot="S1")
    for words in (
        ("quarantine", NCTF, "apart", "--reason", "box torn"),
        ("recall", NCTF, "bad", "--reason", "letter of the maker"),
        ("pick", f"{NCTF}=2", "--reference", "S-0001", "--lot", "late"),
        ("level", "set", NCTF, "12"),
        ("open", NCTF, "soon"),
    ):
        ran = meso("stock", *words)
        assert ran.code == 0, ran.err


def lots(meso, *words):
    return [entry["lot"] for entry in on_hand(meso, *words)]


@pytest.mark.usefixtures("stocked")
def test_the_list_marks_everything_that_stands_against_a_lot(meso):
    said = meso("stock", "list").said
    for mark in ("RECALLED", "QUARANTINED", "EXPIRED", "expires soon", "reserved 2"):
        assert mark in said
    assert "1 opened container is there too: stock list --opened" in said
    assert "1 product is below the least stock: stock list --below" in said


@pytest.mark.usefixtures("stocked")
def test_lists_can_be_narrowed(meso):
    assert lots(meso, "--expired") == ["old"]
    assert lots(meso, "--expiring", "60d") == lots(meso, "--expiring", "60 d") == ["soon"]
    assert lots(meso, "--expiring", "60", "--expired") == ["old", "soon"]
    assert lots(meso, "--expiring", "0") == []
    assert sorted(lots(meso, "--quarantined")) == ["apart", "bad"]
    assert lots(meso, "--location", "fridge") == ["apart"]
    assert lots(meso, "soluvit") == ["S1"]
    ran = meso("stock", "list", "--expiring", "60d")
    assert "expired and not listed here: 1; see them with: stock list --expired" in ran.said
    assert "nothing in stock matches the options given" in meso("stock", "list", "--location", "x").said


@pytest.mark.usefixtures("stocked")
def test_the_json_list_says_everything(meso):
    listed = meso("stock", "list", "--json").json
    by_lot = {one["lot"]: one for one in listed["on_hand"]}
    assert by_lot["late"]["reserved"] == 2
    assert (by_lot["apart"]["quarantined"], by_lot["apart"]["recalled"]) == (True, False)
    assert by_lot["bad"]["recalled"] is True
    assert by_lot["soon"]["unit_cost"] == {"value": "10.00", "unit": "EUR"}
    assert by_lot["soon"]["cost_range"] is None
    assert (by_lot["soon"]["assay"], by_lot["soon"]["remark"]) == (None, None)
    assert listed["below"] == [{"product": NCTF, "usable": 9, "least": 12}]
    (opened,) = listed["opened"]
    assert (opened["opened"], opened["lot"], opened["past"]) == (1, "soon", False)
    assert opened["left"] == {"kind": "at_least", "value": "3", "unit": "mL"}
    # Lots without a price may be worth anything.
    assert listed["totals"]["value"] == [{"kind": "at_least", "value": "100.00", "unit": "EUR"}]


@pytest.mark.usefixtures("stocked")
def test_opened_containers_are_listed_with_what_is_left_at_least(meso):
    said = meso("stock", "list", "--opened").said
    assert "at least 3 mL" in said
    assert "by the label" in said
    assert meso("stock", "list", "--opened", "--location", "fridge").said.startswith("no opened container")
    assert meso("stock", "list", "--below").said.startswith("product usable least missing")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--expiring", "soon"], "'soon' is no number of days; expected such as 60d"),
        (["--expiring", "-1"], "is no number of days"),
        (["--on", "yesterday"], "--on 'yesterday' is no day"),
        (["--on", "2099-01-01"], "yet to come"),
        (["--below", "--opened"], "--below is about whole products"),
        (["--opened", "--expiring", "60d"], "do not go together"),
    ],
)
def test_a_list_that_cannot_be_is_wrong_usage(receive, meso, words, said):
    receive()
    ran = meso("stock", "list", *words)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())


def test_the_stock_of_a_past_day_is_listed(receive, meso):
    before = (datetime.now().astimezone() - timedelta(days=3)).isoformat()
    receive("--received", before, lot="early")
    receive(lot="now")
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert lots(meso, "--on", yesterday) == ["early"]
    assert sorted(lots(meso, "--on", TODAY.isoformat())) == ["early", "now"]
    # Yesterday nobody had recorded it.
    assert lots(meso, "--on", yesterday, "--known-on", yesterday) == []
    assert f"as of {yesterday}" in meso("stock", "list", "--on", yesterday).said
    ran = meso("stock", "list", "--on", "2020-01-01")
    assert ran.out.startswith("the stock is empty at the end of 2020-01-01: ")


# ---- value ------------------------------------------------------------------------------------------------


def test_value_is_told_by_lot_product_vendor_and_currency(receive, meso):
    receive("--cost", "10.50 EUR", "--containers", "4", lot="A")
    receive("--cost", "11 EUR", "--containers", "2", lot="A2")
    receive("--cost", "11 EUR", "--containers", "2", lot="B")
    receive("--cost", "12 EUR", "--containers", "2", lot="B")
    receive("--cost", "900 JPY", "--containers", "3", product=JALUPRO, lot="J")
    assert meso("stock", "waste", NCTF, "A", "--containers", "1", "--reason", "broken").code == 0
    found = meso("stock", "value", "--json").json
    assert {one["lot"]: one["value"] for one in found["on_hand"]["lots"]} == {
        "A": {"kind": "stated", "value": "31.50", "unit": "EUR"},
        "A2": {"kind": "stated", "value": "22.00", "unit": "EUR"},
        "B": {"kind": "disputed", "low": "44.00", "high": "48.00", "unit": "EUR"},
        "J": {"kind": "stated", "value": "2700", "unit": "JPY"},
    }
    assert found["on_hand"]["total"] == [
        {"kind": "disputed", "low": "97.50", "high": "101.50", "unit": "EUR"},
        {"kind": "stated", "value": "2700", "unit": "JPY"},
    ]
    assert found["wasted"]["total"] == [{"kind": "stated", "value": "10.50", "unit": "EUR"}]
    said = meso("stock", "value").said
    assert "97.50 to 101.50 EUR; 2700 JPY" in said
    assert "its receipts differ in cost" in said
    assert "an opened container counts as spent" in said
    assert (
        "no whole container was wasted through 2020-01-01"
        in meso("stock", "value", "--until", "2020-01-01").said
    )


def test_the_value_of_an_empty_stock(meso):
    assert meso("stock", "value").said.startswith("nothing is on hand")
    ran = meso("stock", "value", "--since", "2026-02-02", "--until", "2026-01-01")
    assert (ran.code, "ends before it begins" in ran.err) == (2, True)


# ---- verify, backup, restore, erase -----------------------------------------------------------------------


def test_a_sound_ledger_is_told_with_its_anchor(receive, meso):
    anchor = receive("--json").json["anchor"]
    ran = meso("stock", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.said.startswith("1 movement says what was recorded")
    assert ran.out.splitlines()[-1] == f"anchor {anchor}"
    assert meso("stock", "verify", "--against", anchor).code == 0
    assert meso("stock", "verify", "--json").json == {
        "stock": ran.out.splitlines()[-2].removeprefix("stock "),
        "movements": 1,
        "anchor": anchor,
        "against": None,
        "sound": True,
        "problems": [],
    }


def test_a_changed_ledger_is_bad_data_and_every_problem_is_listed(receive, meso):
    receive("--stock", "stock.sqlite")
    raw = sqlite3.connect("stock.sqlite", isolation_level=None)
    raw.execute("UPDATE balance SET containers = 6")
    raw.execute("DROP TRIGGER lot_guards_update")
    raw.close()
    ran = meso("stock", "verify", "--stock", "stock.sqlite")
    assert ran.code == 3
    assert "[balance] balance (lot 1, location 1): containers is kept as 6, the movements" in ran.said
    assert "[guard] trigger lot_guards_update is missing" in ran.said
    found = meso("stock", "verify", "--stock", "stock.sqlite", "--json")
    assert (found.code, found.json["sound"]) == (3, False)
    assert [one["code"] for one in found.json["problems"]] == ["balance", "guard"]


def test_an_anchor_that_is_not_in_the_ledger_is_bad_data_and_one_that_is_none_wrong_usage(receive, meso):
    receive()
    ran = meso("stock", "verify", "--against", "9:" + "ab" * 32)
    assert ran.code == 3
    assert "ends with movement 1: its end was cut off" in ran.said
    for given in ("9", "9:abc", "x:" + "ab" * 32):
        ran = meso("stock", "verify", "--against", given)
        assert ran.code == 2
        assert "64 hexadecimal digits" in ran.err


def test_a_backup_is_written_verified_and_restored(receive, meso):
    anchor = receive("--json").json["anchor"]
    ran = meso("stock", "backup", "kept.sqlite")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"anchor {anchor}"
    assert meso("stock", "verify", "--stock", "kept.sqlite", "--against", anchor).code == 0
    assert meso("stock", "backup", "kept.sqlite").code == 3
    assert meso("stock", "restore", "kept.sqlite", "--stock", "new.sqlite").code == 0
    assert len(on_hand(meso, "--stock", "new.sqlite")) == 1
    again = meso("stock", "restore", "kept.sqlite", "--stock", "new.sqlite")
    assert (again.code, again.err.count("\n")) == (3, 1)
    assert meso("stock", "restore", "none.sqlite", "--stock", "other.sqlite").code == 3


def test_a_remark_is_erased_and_only_when_it_is_meant(receive, meso):
    anchor = receive("--remark", "Mrs. Example", "--json").json["anchor"]
    ran = meso("stock", "erase", "1", "--line", "1")
    assert ran.code == 2
    assert "expected --yes" in ran.err
    assert "Mrs. Example" in meso("stock", "history").out
    ran = meso("stock", "erase", "1", "--line", "1", "--yes")
    assert ran.code == 0
    assert ran.said.startswith("erased the remark of line 1 of movement 1")
    assert "a backup" in ran.said
    assert "Mrs. Example" not in meso("stock", "history").out
    assert meso("stock", "verify", "--against", anchor).code == 0
    again = meso("stock", "erase", "1", "--line", "1", "--json")
    assert (again.code, again.json["repeated"]) == (0, True)
    assert meso("stock", "erase", "1", "--yes").code == 2
    assert meso("stock", "erase", "7", "--yes").code == 2


# ---- sheets -----------------------------------------------------------------------------------------------


def test_the_stock_sheet_has_a_row_per_lot_and_says_where_it_is(receive, meso):
    receive()
    receive(lot="=1+1")
    ran = meso("sheet", "stock", "stock.xlsx")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("written to stock.xlsx\n  Summary\n  On hand: 2 rows\n")
    assert f"as of {TODAY}\nanchor 2:" in ran.out
    sheet = openpyxl.load_workbook("stock.xlsx")["On hand"]
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
        ("stock.ods", "stock.ods: expected a name that ends in .csv or .json or .xlsx"),
        ("stock", "stock: expected a name that ends in .csv or .json or .xlsx"),
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
