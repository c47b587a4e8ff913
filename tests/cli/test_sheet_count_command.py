"""`mesoformula sheet count` and `sheet import`: from an open count to its posting, over the command line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

NCTF = "fillmed/nctf-135ha"


class Typed(io.StringIO):
    """A terminal at which somebody has typed already."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shelf(meso: Any) -> Any:
    """Three lots in two places."""
    for lot, containers, place in (("A", 5, "main"), ("0012", 6, "main"), ('=x"y', 7, "fridge")):
        given = ["--lot", lot, "--containers", str(containers), "--expiry", "05/2099", "--location", place]
        assert meso("stock", "receive", NCTF, *given).code == 0
    return meso


@pytest.fixture
def opened(shelf: Any) -> Any:
    """Their count, written to a sheet."""
    ran = shelf("sheet", "count", "count.xlsx")
    assert (ran.code, ran.err) == (0, "")
    return shelf


def fill_in(figures: dict[str, Any], name: str = "count.xlsx", **cells: Any) -> dict[str, str]:
    """Fill in figures by lot, and say where they stand."""
    book = openpyxl.load_workbook(name)
    (sheet,) = book.worksheets
    where = {}
    head: dict[Any, int] = {}
    for row in sheet.iter_rows():
        if not head and row[0].value in ("Line", "Ligne"):
            head = {cell.value: number for number, cell in enumerate(row)}
            lot = next(head[one] for one in ("Lot",))
            column = next(head[one] for one in ("Counted", "Compté") if one in head)
        elif head and row[lot].value in figures:
            row[column].value = figures[row[lot].value]
            where[row[lot].value] = row[column].coordinate
    for cell, value in cells.items():
        sheet[cell] = value
    book.save(name)
    book.close()
    return where


def anchor(meso: Any) -> Any:
    return meso("stock", "list", "--json").json["anchor"]


def there(meso: Any) -> dict[str, int]:
    return {one["lot"]: one["containers"] for one in meso("stock", "list", "--json").json["on_hand"]}


def test_a_count_is_opened_written_filled_in_and_posted_once(shelf: Any) -> None:
    ran = shelf("sheet", "count", "count.xlsx", "--location", "main")
    assert (ran.code, ran.err) == (0, "")
    assert "count 4: 2 lines, opened " in ran.out
    assert "mesoformula sheet import count.xlsx --reason TEXT" in ran.said
    assert ran.out.splitlines()[-1].startswith("anchor 4:")
    fill_in({"A": 3, "0012": "6"})

    tried = shelf("sheet", "import", "count.xlsx", "--dry-run")
    assert (tried.code, tried.err) == (0, "")
    assert "1 difference; 1 counted as the ledger says" in tried.said
    assert "dry run: nothing was recorded" in tried.out
    assert anchor(shelf).startswith("4:")

    posted = shelf("sheet", "import", "count.xlsx", "--reason", "May")
    assert (posted.code, posted.err) == (0, "")
    assert "movement 5: count" in posted.out
    assert there(shelf) == {"A": 3, "0012": 6, '=x"y': 7}

    before = anchor(shelf)
    for words in (["--reason", "May"], ["--reason", "another", "--by", "ben"], ["--dry-run"], []):
        again = shelf("sheet", "import", "count.xlsx", *words)
        assert (again.code, again.err) == (0, "")
        assert "nothing changed: movement 5 posted this sheet before" in again.out
    assert shelf("sheet", "import", "count.xlsx", "--json").json["repeated"] is True
    assert anchor(shelf) == before

    fill_in({"A": 4})
    other = shelf("sheet", "import", "count.xlsx", "--reason", "May")
    assert other.code == 2
    assert "count 4 was posted already, by movement 5, and not with these figures" in other.err
    assert anchor(shelf) == before
    assert shelf("sheet", "count", "again.xlsx", "--count", "4").code == 2


def test_a_french_sheet_of_a_count_that_is_open_already_is_blind(shelf: Any) -> None:
    assert shelf("stock", "count", "open").code == 0
    ran = shelf("sheet", "count", "count.xlsx", "--count", "4", "--blind", "--lang", "fr", "--json")
    assert (ran.code, ran.err) == (0, "")
    rows = ran.json["sheets"]["count"]["rows"]
    assert [row["lot"] for row in rows if row["line"] is not None] == ['=x"y', "0012", "A"]
    assert "expected" not in rows[0]
    assert ran.json["anchor"].startswith("4:")
    book = openpyxl.load_workbook("count.xlsx")
    assert [sheet.title for sheet in book.worksheets] == ["Inventaire"]
    book.close()
    fill_in({"A": 0})
    assert shelf("sheet", "import", "count.xlsx", "--reason", "mai").code == 0
    assert there(shelf) == {"0012": 6, '=x"y': 7}
    assert anchor(shelf).startswith("5:")


def test_json_says_what_changes_and_what_was_hidden(opened: Any) -> None:
    where = fill_in({"A": 3, "0012": 6})
    book = openpyxl.load_workbook("count.xlsx")
    book.active.row_dimensions[book.active[where["A"]].row].hidden = True
    book.save("count.xlsx")
    book.close()
    said = opened("sheet", "import", "count.xlsx", "--dry-run", "--json").json
    assert (said["count"], said["hidden_rows"], said["blank_lines"]) == (4, 1, 1)
    assert {one["lot"]: one["difference"] for one in said["differences"]} == {"A": -2, "0012": 0}
    ran = opened("sheet", "import", "count.xlsx", "--reason", "x")
    assert "1 row was not shown, by a filter or by hand, and read as well" in ran.said
    assert "1 line left blank: nothing changes there" in ran.said


def test_every_problem_is_said_with_its_cell_and_nothing_is_posted(opened: Any) -> None:
    before = anchor(opened)
    where = fill_in({"A": "12 boxes", "0012": "=1+1", '=x"y': -1})
    ran = opened("sheet", "import", "count.xlsx", "--reason", "May")
    assert ran.code == 3
    found = {line.split("] ")[1].split(":")[0] for line in ran.err.splitlines()}
    assert found == {f"Count!{cell}" for cell in where.values()}
    assert "'12 boxes' is no whole number; expected such as 5" in ran.err
    assert all(line.startswith("count.xlsx: [") for line in ran.err.splitlines())
    assert anchor(opened) == before


def test_what_the_ledger_refuses_is_said_with_the_cell(opened: Any) -> None:
    where = fill_in({"A": 1})
    assert opened("stock", "waste", NCTF, "A", "--containers", "5", "--reason", "broken").code == 0
    ran = opened("sheet", "import", "count.xlsx", "--reason", "May")
    assert ran.code == 3
    assert f"count.xlsx: [counted] Count!{where['A']}: 1 counted of lot 'A'" in ran.err


def test_a_sheet_as_csv_is_read_as_well(opened: Any) -> None:
    """As a phone or another program saves it, the lines above the table included."""
    book = openpyxl.load_workbook("count.xlsx")
    lines = [[str(cell.value) if cell.value is not None else "" for cell in row] for row in book.active.rows]
    book.close()
    head = next(row for row in lines if row[0] == "Line")
    for row in lines:
        if row[head.index("Lot")] == "A":
            row[head.index("Counted")] = "2"
    Path("count.csv").write_text("\n".join(";".join(f'"{one.replace(chr(34), chr(34) * 2)}"' for one in row)
                                           for row in lines), encoding="utf-8")  # fmt: skip
    ran = opened("sheet", "import", "count.csv", "--reason", "May")
    assert (ran.code, ran.err) == (0, "")
    assert there(opened)["A"] == 2


def test_the_sheet_can_be_posted_by_its_number_too(opened: Any) -> None:
    fill_in({"A": 2})
    assert opened("stock", "count", "post", "4", "--from", "count.xlsx", "--reason", "May").code == 0
    assert there(opened)["A"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sheet", "count", "c.pdf"], "expected a name that ends in"),
        (["sheet", "count", "no/c.xlsx"], "is no folder"),
        (["sheet", "count", "count.xlsx"], "is there already"),
        (["sheet", "count", "c.xlsx", "--count", "4", "--location", "main"], "--count is of a count"),
        (["sheet", "count", "c.xlsx", "--count", "3"], "movement 3 opened no count"),
        (["sheet", "count", "c.xlsx", "--location", "nowhere"], "nothing was ever at 'nowhere'"),
        (["sheet", "count", "c.xlsx", "--lang", "xx"], "sheets do not speak"),
        (["sheet", "import", "count.xlsx", "--reason", "x"], "nothing was counted"),
        (["sheet", "import", "none.pdf", "--reason", "x"], "no import format is called '.pdf'"),
    ],
)
def test_wrong_usage_is_refused_and_nothing_changes(opened: Any, words: list[str], said: str) -> None:
    before = anchor(opened)
    ran = opened(*words)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert anchor(opened) == before


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [("y\n", 0, "movement 5: count"), ("n\n", 0, "not posted; nothing was recorded"), ("", 0, "not posted")],
)
def test_at_a_terminal_it_is_asked_for_a_yes(
    opened: Any, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, said: str
) -> None:
    fill_in({"A": 2})
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    ran = opened("sheet", "import", "count.xlsx", "--reason", "May")
    assert ran.code == code
    assert said in ran.out
    assert "post these differences?" in ran.err


def test_at_a_terminal_nothing_is_asked_with_yes(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_in({"A": 2})
    monkeypatch.setattr(sys, "stdin", Typed(""))
    ran = opened("sheet", "import", "count.xlsx", "--reason", "May", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert there(opened)["A"] == 2
