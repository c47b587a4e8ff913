"""`mesoformula stock receive`: packs, delivery notes, opening lists, and files that mean harm."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

NCTF = "fillmed/nctf-135ha"
MAGNESIUM = "torbay/magnesium-sulfate-50-10ml"
JALUPRO = "professional-derma/jalupro-hmw"
FREE = "09506000134352"
HEADINGS = "product,lot,containers,expiry\n"


@pytest.fixture
def receive(meso):
    def call(*words: str):
        given = list(words)
        if not {"--containers", "--packs"} & set(words):
            given += ["--containers", "5"]
        return meso("stock", "receive", NCTF, "--lot", "4711", "--expiry", "05/2099", *given)

    return call


@pytest.fixture
def note(meso):
    def call(content, *words, name="note.csv", option="--from"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return meso("stock", "receive", option, name, *words)

    return call


def listed(meso):
    return meso("stock", "list", "--json").json


def there(meso):
    return {(one["lot"], one["location"]): one["containers"] for one in listed(meso)["on_hand"]}


# ---- one delivery --------------------------------------------------------------------------------------


def test_a_pack_is_counted_by_its_containers_and_says_so(receive, meso):
    ran = receive("--packs", "2")
    assert ran.out.startswith(f"received 10 vials (2 packs of 5) of NCTF 135HA ({NCTF}@1)\n")
    assert "movement 1\n" in ran.out
    assert there(meso) == {("4711", "main"): 10}
    assert "(1 pack of 5)" in receive("--packs", "1").out


def test_the_place_is_the_one_that_the_site_has_set(receive, meso, monkeypatch):
    monkeypatch.setenv("MESOFORMULA_LOCATION", "fridge")
    receive()
    receive("--location", "cabinet")
    assert set(there(meso)) == {("4711", "fridge"), ("4711", "cabinet")}


def test_a_serial_number_is_kept_with_the_gtin_of_its_pack(receive, meso):
    ran = receive("--packs", "1", "--serial", "S1", "--device", "9506000134352", "--json")
    assert (ran.json["device"], ran.json["serial"]) == (FREE, "S1")
    assert "pack S2" in receive("--packs", "1", "--serial", "S2", "--device", FREE).out
    ran = receive("--packs", "1", "--serial", "S1", "--device", FREE)
    assert ran.code == 2
    assert "movement 1 received it; the same pack cannot arrive twice" in ran.err
    ran = meso("stock", "receive", MAGNESIUM, "--lot", "1", "--no-expiry", "--containers", "10",
               "--serial", "S1", "--json")  # fmt: skip
    assert ran.json["device"] == "05060131261973"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--serial", "S1"], "--serial is unique only with the GTIN of the pack"),
        (["--serial", "S1", "--device", "1"], "--device: '1' is no GTIN"),
        (["--device", "09506000134353"], "--device: GTIN 09506000134353: the check digit is wrong"),
        (["--serial", "S1", "--device", FREE, "--packs", "2"], "--serial is of one pack, not of 2"),
        (["--serial", "a\x07", "--device", FREE], "serial number 'a\\x07' has characters that do not print"),
        (["--mapping", "m.toml"], "--mapping is of a file; expected with --from or --opening"),
        (["--unknown-lot", "x"], "--unknown-lot is of a file"),
        (["--from", "note.csv"], f"'{NCTF}': products stand in the file"),
        (["--containers", "1.5"], "expected a whole number from 1"),
        (["--containers", "-1"], "expected a whole number from 1"),
        (["--expiry", "1900-01-01"], "expected a day from 2000-01-01 to 2100-12-31"),
        (["--expiry", "9999-12-31"], "expected a day from 2000-01-01 to 2100-12-31"),
        (["--lot", "x" * 10_000], "has 10000 characters; expected 1 to 100"),
        (["--reason", "\x00"], "reason '\\x00' has characters that do not print"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_the_ledger_is_untouched(receive, meso, words, said):
    ran = receive(*words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert len(ran.err) < 300
    assert listed(meso)["anchor"] is None


def test_what_is_received_must_be_said(meso):
    assert "what is received? expected a product's id" in meso("stock", "receive").err
    assert "which lot? expected --lot LOT" in meso("stock", "receive", NCTF).err
    assert "either --from or --opening" in meso("stock", "receive", "--from", "a", "--opening", "b").err
    assert "--lot is of a single delivery" in meso("stock", "receive", "--from", "a", "--lot", "1").err
    assert (
        "--unknown-lot is of an opening list"
        in meso("stock", "receive", "--from", "a", "--unknown-lot", "1").err
    )


def test_a_dry_run_records_nothing(receive, meso):
    ran = receive("--dry-run")
    assert "dry run: nothing was recorded; 5 containers of 1 lot" in ran.out
    assert receive("--dry-run", "--json").json["deliveries"][0]["containers"] == 5
    assert listed(meso)["anchor"] is None


# ---- delivery notes ------------------------------------------------------------------------------------


def test_a_delivery_note_is_received_as_one_movement(meso, note):
    content = "Product;LOT;Packs;Expiry;Place;Batch colour\n" + "".join(
        f"{NCTF};A{n};{n};05/2099;fridge;red\n" for n in (1, 2)
    )
    ran = note(content, "--supplier", "Acme", "--reason", "delivery 17")
    assert (ran.code, ran.err) == (0, "")
    assert "movement 1: received 15 containers of 2 lots" in ran.out
    assert "Batch colour ignored" in ran.said
    assert "Place location" in ran.said
    assert there(meso) == {("A1", "fridge"): 5, ("A2", "fridge"): 10}
    assert {one["supplier"] for one in listed(meso)["on_hand"]} == {"Acme"}


def test_the_same_request_for_the_same_note_changes_nothing(meso, note):
    content = HEADINGS + f"{NCTF},A,1,05/2099\n"
    first = note(content, "--request-id", "17", "--json").json
    again = note(content, "--request-id", "17", "--json").json
    assert (first["repeated"], again["repeated"], first["anchor"]) == (False, True, again["anchor"])
    assert (first["mapping"]["lot"], first["rows"]) == ("lot", [2])
    ran = note(content + f"{NCTF},B,1,05/2099\n", "--request-id", "17")
    assert ran.code == 2
    assert "says something else" in ran.err


def test_the_same_note_twice_is_received_once_however_it_was_saved(meso, note):
    content = HEADINGS + f"{NCTF},A,1,05/2099\n"
    assert note(content).code == 0
    first = listed(meso)["anchor"]
    for again in (
        note(content, name="copy.csv"),
        note(content.replace(",", ";"), "--by", "ben", "--reason", "for sure"),
        note(content, "--location", "fridge"),
        note(content, "--dry-run"),
    ):
        assert (again.code, again.err) == (0, "")
        assert "nothing changed: movement 1 received this file before (" in again.said
        assert "--again receives it once more" in again.said
    ran = note(content, "--json")
    assert (ran.json["repeated"], ran.json["movement"], ran.json["anchor"]) == (True, 1, first)
    planned = note(content, "--json", "--dry-run").json
    assert (planned["dry_run"], planned["received_by"]) == (True, 1)
    assert listed(meso)["anchor"] == first


def test_a_note_may_be_received_again_on_purpose(meso, note):
    content = HEADINGS + f"{NCTF},A,1,05/2099\n"
    note(content)
    assert meso("stock", "reverse", "1", "--reason", "wrong place").code == 0
    assert "and movement 2 took it back; --again" in note(content).said
    assert note(content, "--again", "--location", "fridge").code == 0
    assert there(meso) == {("A", "fridge"): 1}
    assert meso("stock", "receive", NCTF, "--again").code == 2


def test_two_notes_of_the_same_goods_are_two(meso, note):
    goods = HEADINGS + f"{NCTF},A,1,05/2099\n"
    for number in (17, 18):
        assert note(f"Delivery note,{number}\n{goods}").code == 0
    assert there(meso) == {("A", "main"): 2}
    assert note(goods, option="--opening").code == 0
    assert "nothing changed" in note(goods, option="--opening").said
    assert there(meso) == {("A", "main"): 3}


def test_what_nobody_may_guess_does_not_name_a_note(meso, note):
    head = HEADINGS.strip() + ",remark,colour\n"
    assert note(f"{head}{NCTF},A,1,05/2099,for Ms X,red\n").code == 0
    assert "nothing changed" in note(f"{head}{NCTF},A,1,05/2099,for Ms Y,blue\n").said


def test_rows_that_a_filter_hides_are_received_and_counted(meso):
    book = openpyxl.Workbook()
    for row in (
        ["product", "lot", "containers", "expiry"],
        [NCTF, "A", 1, "05/2099"],
        [NCTF, "B", 2, "05/2099"],
    ):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.save("note.xlsx")
    ran = meso("stock", "receive", "--from", "note.xlsx", "--dry-run")
    assert "1 row was not shown, by a filter or by hand, and read as well" in ran.said
    assert meso("stock", "receive", "--from", "note.xlsx", "--json").json["hidden_rows"] == 1
    assert there(meso) == {("A", "main"): 1, ("B", "main"): 2}


def test_a_mapping_is_saved_and_used_again(meso, note):
    content = f"Artikel-Bez.,Ch.-B.,Menge Stk,Haltbar\n{NCTF},A,3,05/2099\n"
    Path("map.toml").write_text(
        'schema = 1\n[columns]\n"Artikel-Bez." = "product"\n"Ch.-B." = "lot"\n"Menge Stk" = "containers"\n'
        '"Haltbar" = "expiry"\n'
    )
    assert note(content, "--mapping", "map.toml", "--dry-run", "--save-mapping", "kept.toml").code == 0
    assert listed(meso)["anchor"] is None
    assert note(content, "--mapping", "kept.toml").code == 0
    assert there(meso) == {("A", "main"): 3}
    ran = note(content, "--mapping", "kept.toml", "--save-mapping", "kept.toml")
    assert (ran.code, "is there already" in ran.err) == (2, True)
    ran = note(content, "--mapping", "kept.toml", "--save-mapping", "no/kept.toml")
    assert (ran.code, "is no folder" in ran.err) == (2, True)


def test_every_problem_is_said_with_its_row_and_nothing_is_received(meso, note):
    ran = note(
        HEADINGS
        + f"{NCTF},A,0,05/2099\n{NCTF},B,-1,05/2099\n{NCTF},C,1.5,05/2099\n{NCTF},D,1,1900-01-01\n"
        + f"{NCTF},E,1,9999-12-31\n{NCTF},{'x' * 5000},1,05/2099\n{NCTF},a\x1b[31m,1,05/2099\n"
        + f"none/x,F,1,05/2099\n{NCTF},good,1,05/2099\n"
    )
    assert ran.code == 3
    assert [line.split(":")[:2] for line in ran.err.splitlines()] == [
        ["note.csv", str(row)] for row in range(2, 10)
    ]
    assert all(len(line) < 250 and line.isprintable() for line in ran.err.splitlines())
    assert listed(meso)["anchor"] is None


@pytest.mark.parametrize("lot", ["'; DROP TABLE lot; --", "=HYPERLINK(1)", "@SUM(A1)", "+1", "💉"])
def test_a_lot_number_is_kept_to_the_letter_whatever_it_looks_like(meso, note, lot):
    assert note(HEADINGS + f'{NCTF},"{lot}",1,05/2099\n').code == 0
    assert there(meso) == {(lot, "main"): 1}


def test_what_the_ledger_refuses_is_said_with_the_row(meso, receive, note):
    receive("--serial", "S1", "--device", FREE, "--packs", "1")
    ran = note(
        f"product,lot,packs,expiry,gtin,serial\n{NCTF},X,1,05/2099,,\n{NCTF},4711,1,06/2099,,\n"
        f"{NCTF},Y,1,05/2099,{FREE},S1\n"
    )
    assert ran.code == 3
    first, second = ran.err.splitlines()
    assert first.startswith("note.csv:3: [expiry] lot '4711' of fillmed/nctf-135ha@1 is in the stock with")
    assert second.startswith(f"note.csv:4: [serial] pack 'S1' of GTIN {FREE}: movement 1 received it")
    assert listed(meso)["anchor"].startswith("1:")


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ";"), ("windows-1252", ";"), ("utf-16", "\t"), ("utf-8", ",")]
)
def test_whatever_a_spreadsheet_program_saves_is_read(meso, note, encoding, delimiter):
    rows = [("Product", "Lot", "Containers", "Expiry", "Place"), (NCTF, "é1", "3", "05/2099", "Kühlschrank")]
    content = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    assert note(content).code == 0
    assert there(meso) == {("é1", "Kühlschrank"): 3}


def test_prices_and_days_are_read_as_the_user_says(meso, note):
    content = f"product;lot;containers;expiry;unit cost\n{NCTF};A;2;03/04/2099;12,50\n"
    ran = note(content)
    assert ran.code == 3
    assert ran.err.count("\n") == 2
    assert note(content, "--day-first", "--decimal-comma", "--currency", "EUR").code == 0
    (entry,) = listed(meso)["on_hand"]
    assert (entry["expiry"], entry["unit_cost"]) == ("2099-04-03", {"value": "12.50", "unit": "EUR"})


def test_a_long_note_prints_its_beginning(note):
    ran = note(HEADINGS + "".join(f"{NCTF},L{n},1,05/2099\n" for n in range(120)))
    assert ran.code == 0
    assert "and 70 more lines; --json has them all" in ran.out
    assert ran.out.count("\n") < 80


def test_what_to_look_at_is_said(note):
    ran = note(HEADINGS + f"{NCTF},A,1,05/2099\n{NCTF},A,1,05/2099\n")
    assert "look at note.csv:3: [repeated] says the same as row 2" in ran.said
    ran = note(HEADINGS + f"{NCTF},old,1,05/2019\n{NCTF},B,1,05/2099\n", name="other.csv")
    assert "attention: lots that have EXPIRED: 'old'; keep them apart" in ran.said


# ---- the first day -------------------------------------------------------------------------------------


def test_an_opening_list_takes_over_what_is_there(meso, note):
    content = f"Product,Lot,Containers,Expiry\n{NCTF},A,4,05/2099\n{NCTF},B,0,05/2099\n{JALUPRO},,2,none\n"
    ran = note(content, option="--opening")
    assert ran.code == 3
    assert "note.csv:4: [lot] the lot number is missing" in ran.err
    ran = note(content, "--unknown-lot", "UNKNOWN", option="--opening")
    assert ran.code == 0
    assert "1 row left out, as nothing is there" in ran.out
    assert there(meso) == {("A", "main"): 4, ("UNKNOWN", "main"): 2}
    assert "2 kits" in ran.out


def test_an_opening_list_is_a_takeover_not_a_delivery(meso, note):
    from mesoformula.stock.database.store import open_stock
    from mesoformula.stock.views.history import movements_of

    note(HEADINGS + f"{NCTF},A,4,05/2099\n", "--stock", "s.sqlite", option="--opening")
    note(HEADINGS + f"{NCTF},A,4,05/2099\n", "--stock", "s.sqlite")
    with open_stock("s.sqlite") as store:
        assert [one.kind.value for one in movements_of(store, [1, 2])] == ["takeover", "receipt"]


# ---- files that mean harm ------------------------------------------------------------------------------


def workbook(name="note.xlsx"):
    book = openpyxl.Workbook()
    for row in (("product", "lot", "containers", "expiry"), (NCTF, "A", 3, "05/2099")):
        book.active.append(row)
    book.save(name)
    return name


def rewritten(part, change):
    """Write a workbook of which one part is something else."""
    with (
        zipfile.ZipFile(workbook("plain.xlsx")) as plain,
        zipfile.ZipFile("note.xlsx", "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in plain.namelist():
            content = plain.read(name)
            made.writestr(name, change(content) if name == part else content)


def test_a_workbook_is_received(meso):
    assert meso("stock", "receive", "--from", workbook()).code == 0
    assert there(meso) == {("A", "main"): 3}


def bomb(content):
    return content.replace(b"</sheetData>", b"</sheetData>" + b" " * 300_000_000)


def entity(content):
    declared = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return content.replace(b"<worksheet", declared + b"<worksheet", 1).replace(b">A<", b">&e;<")


@pytest.mark.parametrize(
    "make",
    [
        lambda: rewritten("xl/worksheets/sheet1.xml", bomb),
        lambda: rewritten("xl/worksheets/sheet1.xml", entity),
        lambda: rewritten("xl/workbook.xml", lambda content: content[:50]),
        lambda: Path("note.xlsx").write_bytes(b"PK\x03\x04rubbish"),
        lambda: Path("note.xlsx").write_bytes(b""),
        lambda: Path("note.xlsx").mkdir(),
        lambda: None,
    ],
    ids=["bomb", "entity", "cut", "rubbish", "empty", "folder", "missing"],
)
def test_a_workbook_that_means_harm_is_one_clear_line(meso, make):
    make()
    ran = meso("stock", "receive", "--from", "note.xlsx")
    assert ran.code == 3
    assert ran.err.startswith("note.xlsx: [")
    assert ran.err.count("\n") == 1
    assert ran.out == ""
    assert listed(meso)["anchor"] is None


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff\xfe\x00", b'"', b"a\n" * 3, b"x" * 20_000])
def test_a_text_that_is_no_note_is_one_clear_line(meso, note, content):
    ran = note(content)
    assert ran.code == 3
    assert ran.err.startswith("note.csv:")
    assert ran.err.count("\n") == 1
    assert listed(meso)["anchor"] is None


def test_a_mapping_that_is_none_is_bad_data(note):
    Path("m.toml").write_text("[columns]\nlot = 'lt'\n")
    ran = note(HEADINGS + f"{NCTF},A,4,05/2099\n", "--mapping", "m.toml")
    assert ran.code == 3
    assert "m.toml:2: [mapping] column 'lot' cannot be 'lt'; did you mean lot?" in ran.err
    assert note(HEADINGS, "--mapping", "none.toml").code == 3
