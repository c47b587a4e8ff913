"""`mesoformula stock count`, over the command line."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import openpyxl
import pytest

from mesoformula.stock.counts.count_files import COLUMNS

NCTF = "fillmed/nctf-135ha"


class Typed(io.StringIO):
    """A terminal at which somebody has typed already."""

    def isatty(self):
        return True


@pytest.fixture
def on_shelf(meso):
    def call(lot: str, containers: int = 5, *words: str):
        given = ["--lot", lot, "--containers", str(containers), "--expiry", "05/2099", *words]
        assert meso("stock", "receive", NCTF, *given).code == 0

    return call


@pytest.fixture
def opened(meso, on_shelf):
    """A count of three lots in two places, opened by movement 4 and written to a file."""
    on_shelf("A", 5)
    on_shelf("0012", 6)
    on_shelf('=x"y', 7, "--location", "fridge")
    ran = meso("stock", "count", "open", "--to", "count.csv")
    assert (ran.code, ran.err) == (0, "")
    return 4


def anchor(meso):
    return meso("stock", "list", "--json").json["anchor"]


def there(meso):
    return {one["lot"]: one["containers"] for one in meso("stock", "list", "--json").json["on_hand"]}


def filled(figures, name="filled.csv", **changes):
    """Fill in the file that the count wrote."""
    with Path("count.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    for row in rows[1:]:
        row[7] = str(figures.get(int(row[1]), ""))
    for (number, column), value in changes.get("cells", {}).items():
        rows[number][column] = value
    rows += changes.get("more", [])
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=changes.get("delimiter", ",")).writerows(rows)
    Path(name).write_bytes(text.getvalue().encode(changes.get("encoding", "utf-8-sig")))
    return name


def post(meso, *words):
    return meso("stock", "count", "post", "4", "--reason", "May", *words)


def test_a_count_is_listed_with_what_is_expected_and_how_to_go_on(meso, on_shelf):
    on_shelf("A")
    ran = meso("stock", "count", "open")
    assert (ran.code, ran.err) == (0, "")
    assert "count 2: 1 line, opened " in ran.out
    assert "post it: mesoformula stock count post 2 --reason TEXT" in ran.out
    assert ran.out.splitlines()[-1].startswith("anchor 2:")
    assert "expected" in ran.out
    shown = meso("stock", "count", "show", "--json").json
    assert (shown["count"], shown["lines"][0]["lot"], shown["lines"][0]["expected"]) == (2, "A", 5)


def test_a_blind_count_tells_nowhere_what_is_expected(meso, on_shelf):
    on_shelf("A", 987654)
    ran = meso("stock", "count", "open", "--blind", "--to", "blind.csv")
    assert "expected" not in ran.out
    assert "987654" not in ran.out
    assert "expected" not in Path("blind.csv").read_text(encoding="utf-8")
    assert "987654" not in Path("blind.csv").read_text(encoding="utf-8")
    assert "987654" not in meso("stock", "count", "open", "--blind", "--json").out
    assert "expected" not in meso("stock", "count", "show", "2", "--blind").out


def test_the_file_keeps_lot_numbers_to_the_letter_and_runs_no_formula(opened):
    with Path("count.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == list(COLUMNS)
    assert rows[1] == ["4", "1", f"{NCTF}@1", '="=x""y"', '="2099-05-31"', "fridge", "7", "", ""]
    assert [row[3] for row in rows[2:]] == ['="0012"', "A".join(('="', '"'))]


def test_a_file_that_is_there_is_not_replaced_and_no_count_is_opened(meso, on_shelf):
    on_shelf("A")
    Path("count.csv").write_text("mine")
    for name, said in (
        ("count.csv", "is there already"),
        ("c.xlsx", "ends in .csv"),
        ("no/c.csv", "is no folder"),
    ):
        ran = meso("stock", "count", "open", "--to", name)
        assert ran.code == 2
        assert said in ran.err
    assert anchor(meso).startswith("1:")


def test_a_filled_file_is_posted_once(meso, opened):
    name = filled({1: 7, 2: 0, 3: ""}, cells={(1, 8): "under the tray"})
    ran = meso("stock", "count", "post", "4", "--from", name, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "1 difference; 1 counted as the ledger says" in ran.said
    assert "dry run: nothing was recorded" in ran.out
    assert anchor(meso).startswith("4:")
    ran = post(meso, "--from", name)
    assert ran.code == 0
    assert "movement 5: count" in ran.out
    assert "(under the tray)" in ran.said
    assert there(meso) == {'=x"y': 7, "A": 5}
    before = anchor(meso)
    again = post(meso, "--from", name)
    assert again.code == 2
    assert "count 4 was posted already, by movement 5" in again.err
    assert anchor(meso) == before
    assert "posted by movement 5" in meso("stock", "count", "show", "4").out


def test_the_same_request_may_be_made_twice(meso, opened):
    name = filled({1: 3})
    first = post(meso, "--from", name, "--request-id", "c", "--json").json
    again = post(meso, "--from", name, "--request-id", "c", "--json").json
    assert (first["anchor"], first["repeated"]) == (again["anchor"], not again["repeated"])


def test_figures_may_be_given_as_options(meso, opened):
    ran = post(meso, "--counted", "1=0", "--counted", "3=9", "--json")
    assert ran.code == 0
    assert ran.json["count"] == 4
    assert there(meso) == {"0012": 6, "A": 9}


def test_what_was_moved_since_is_shown_and_respected(meso, opened, on_shelf):
    on_shelf("A", 10)
    ran = meso("stock", "count", "show", "4")
    assert "+10 (movement 5)" in ran.said
    assert post(meso, "--counted", "3=4").code == 0
    assert there(meso)["A"] == 14


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--counted", "3"], "--counted '3': expected LINE=CONTAINERS, such as 3=12"),
        (["--counted", "1=-1"], "--counted '-1': expected a whole number from 0"),
        (["--counted", "1=1.5"], "--counted '1.5': expected a whole number"),
        (["--counted", "1=1", "--counted", "1=2"], "line 1 is given already"),
        (["--counted", "9=1"], "line 9: count 4 has lines 1 to 3"),
        ([], "no figures, and nobody to ask"),
        (["--sheet", "x", "--counted", "1=1"], "--sheet is of a workbook"),
        (["--from", "count.csv", "--counted", "1=1"], "either --from or --counted"),
        (["--from", "count.csv"], "nothing was counted"),
        (["--counted", "1=1", "--reason", ""], "a reason is missing"),
        (["--counted", "1=1", "--at", "2020-01-01"], "was opened later"),
        (["--from", "count.pdf"], "no import format is called '.pdf'"),
    ],
)
def test_wrong_usage_is_refused_and_nothing_changes(meso, opened, words, said):
    before = anchor(meso)
    ran = post(meso, *words)
    assert ran.code == 2
    assert said in ran.err
    assert anchor(meso) == before


def test_a_count_that_is_none_is_refused(meso, on_shelf):
    assert "no count was opened yet" in meso("stock", "count", "show").err
    on_shelf("A")
    ran = meso("stock", "count", "post", "1", "--counted", "1=1", "--reason", "x")
    assert (ran.code, "no count was opened yet" in ran.err) == (2, True)
    assert meso("stock", "count", "show", "9" * 40).code == 2


# ---- files ---------------------------------------------------------------------------------------------


def test_every_problem_of_a_file_is_said_with_its_row(meso, opened):
    name = filled(
        {1: -1, 2: "1.5", 3: "many"},
        cells={(1, 3): "B", (2, 0): "3", (3, 8): "\x07"},
        more=[
            ["4", "1", f"{NCTF}@1", "", "", "", "", "1"],
            ["4", "7", f"{NCTF}@1", "", "", "", "", "1"],
            ["4", "", f"{NCTF}@1", "", "", "", "", "1"],
            ["4", "", NCTF, "A", "", "", "", ""],
            ["9", "", NCTF, "A\x1b", "", "main", "", "0"],
        ],
    )
    before = anchor(meso)
    ran = post(meso, "--from", name)
    assert ran.code == 3
    lines = ran.err.splitlines()
    assert [(int(line.split(":")[1]), line.split("[")[1].split("]")[0]) for line in lines] == [
        (2, "edited"),
        (2, "containers"),
        (3, "edited"),
        (3, "counted"),
        (4, "counted"),
        (4, "remark"),
        (5, "line"),
        (6, "line"),
        (7, "lot"),
        (8, "counted"),
        (9, "count"),
        (9, "lot"),
        (9, "containers"),
    ]
    assert all(line.startswith("filled.csv:") and line.isprintable() for line in lines)
    assert "lot 'B' was '=x\"y' when it was written; take the change back" in lines[0]
    assert "line 1 stands in row 2 already; remove one" in ran.err
    assert anchor(meso) == before


def test_what_the_ledger_refuses_is_said_with_the_row(meso, opened):
    more = [["4", "", NCTF, "new", "", "main", "", "2"], ["4", "", NCTF, "A", "", "main", "", "2"]]
    ran = post(meso, "--from", filled({1: 7}, more=more))
    assert ran.code == 3
    first, second = ran.err.splitlines()
    assert first.startswith("filled.csv:5: [lot] lot 'new' of 'fillmed/nctf-135ha' is not in the stock")
    assert "receive it or take it over first" in first
    assert second.startswith("filled.csv:6: [found] lot 'A' is line 3 of this count; give its figure there")


def test_a_lot_that_was_used_up_and_is_found_stands_in_a_row_of_its_own(meso, on_shelf):
    on_shelf("A")
    on_shelf("old", 1)
    meso("stock", "count", "open", "--location", "main")
    meso("stock", "count", "post", "3", "--counted", "2=0", "--reason", "x")
    meso("stock", "count", "open", "--to", "count.csv")
    name = filled({}, more=[["5", "", NCTF, "old", "", "", "", "2", "behind A"]])
    ran = meso("stock", "count", "post", "5", "--from", name, "--reason", "x")
    assert ran.code == 0
    assert there(meso) == {"A": 5, "old": 2}


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ","), ("utf-8", ";"), ("utf-16", "\t"), ("windows-1252", ";")],
)
def test_whatever_a_spreadsheet_program_saves_is_read(meso, opened, encoding, delimiter):
    name = filled({1: 1}, encoding=encoding, delimiter=delimiter, cells={(1, 8): "gezählt"})
    ran = post(meso, "--from", name)
    assert (ran.code, ran.err) == (0, "")
    assert "gezählt" in ran.out


def test_a_program_that_turns_texts_into_numbers_and_days_is_noticed_or_understood(meso, opened):
    """What stays the same is understood, in any form; a lot number that lost its zeros is not."""
    days = {(row, 4): "31.05.2099" for row in (1, 2, 3)}
    lots = {(1, 3): '=x"y', (2, 3): "0012", (3, 3): "A"}
    assert post(meso, "--from", filled({1: 1}, cells={**days, **lots}), "--dry-run").code == 0
    ran = post(meso, "--from", filled({1: 1}, cells={(2, 3): "12"}))
    assert ran.code == 3
    assert "lot '12' was '0012' when it was written" in ran.err


def test_a_workbook_made_of_the_file_works_too(meso, opened):
    from datetime import date

    with Path("count.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Shelf count of May"])
    sheet.append(rows[0])
    for figure, row in zip((1, None, 3), rows[1:], strict=True):
        lot = row[3][2:-1].replace('""', '"')
        sheet.append([4, int(row[1]), row[2], None, date(2099, 5, 31), row[5], int(row[6]), figure])
        cell = sheet.cell(sheet.max_row, 4, lot)
        cell.data_type = "s"
    book.save("count.xlsx")
    assert post(meso, "--from", "count.xlsx").code == 0
    assert there(meso) == {'=x"y': 1, "0012": 6, "A": 3}
    sheet["H3"] = "=1+1"
    book.save("formula.xlsx")
    ran = post(meso, "--from", "formula.xlsx")
    assert ran.code == 3
    assert "counted holds a formula" in ran.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no sheet that is shown holds anything"),
        (b"a,b\n1,2\n", "no row of headings"),
        (b"count,line,product,lot,place,counted,counted\n", "stands here twice"),
        (b"\x00\x01", "NUL characters"),
        (b'count,"line\n', "quotation mark"),
        (b"PK\x03\x04", "is a workbook or an archive"),
    ],
)
def test_what_is_no_count_is_one_clear_line(meso, opened, content, said):
    Path("bad.csv").write_bytes(content)
    before = anchor(meso)
    ran = post(meso, "--from", "bad.csv")
    assert ran.code == 3
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert anchor(meso) == before


# ---- at a terminal -------------------------------------------------------------------------------------


def test_at_a_terminal_each_line_is_asked_for(meso, opened, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Typed("4\n\nmany\n-1\n9\nMay\ny\n"))
    ran = meso("stock", "count", "post", "4")
    assert ran.code == 0
    assert '1: NCTF 135HA, lot =x"y, 2099-05-31, at fridge: ' in ran.err
    assert ran.err.count("3: NCTF 135HA, lot A") == 3
    assert "'many': expected a whole number" in " ".join(ran.err.split())
    assert there(meso) == {'=x"y': 4, "0012": 6, "A": 9}
    assert "(May)" in ran.out


@pytest.mark.parametrize(
    ("typed", "said"),
    [("4\n\n\nMay\nn\n", "not posted; nothing"), ("\n\n\n", "nothing was counted"), ("", "")],
)
def test_at_a_terminal_nothing_is_posted_without_a_yes(meso, opened, monkeypatch, typed, said):
    before = anchor(meso)
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    ran = meso("stock", "count", "post", "4")
    assert ran.code == 0
    assert said in ran.out
    assert anchor(meso) == before
