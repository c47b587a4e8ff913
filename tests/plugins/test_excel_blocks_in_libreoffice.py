"""Pages, live values, locked lists and labels as LibreOffice opens, recalculates, saves and prints them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from libreoffice import Office, colours, errors, figures, pages, same, text_of
from python_calamine import CalamineWorkbook
from sample_sheets import DAY, GRID, label_sheet, record_sheet, shelf_sheet, summary_sheet

from mesoformula.sheets import (
    Apply,
    Column,
    Fact,
    Facts,
    Function,
    Holds,
    InRow,
    InTable,
    Live,
    Named,
    Row,
    Sheet,
    Table,
)
from mesoformula_excel.writer import write_workbook

pytestmark = pytest.mark.libreoffice

CHART = bytes.fromhex("1F3864")


def everything(language: str = "en", day: date = DAY) -> list[Sheet]:
    shelf = shelf_sheet(language, day)
    return [shelf, summary_sheet(shelf), record_sheet(language), label_sheet()]


def written(path: Path, *sheets: Sheet) -> Path:
    write_workbook(sheets, path)
    return path


def changed(path: Path, cells: Mapping[str, Any]) -> Path:
    """Change named cells as a person would; openpyxl drops all results, so that they are worked out anew."""
    workbook = openpyxl.load_workbook(path)
    for name, value in cells.items():
        title, address = workbook.defined_names[name].attr_text.replace("$", "").split("!")
        workbook[title.strip("'")][address].value = value
    target = path.with_name(f"changed-{path.name}")
    workbook.save(target)
    return target


def differing(expected: Path, recalculated: Path) -> list[str]:
    found = [one for one in figures(expected, recalculated) if not same(one[3], one[4])]
    return [f"{title}!{cell}: {found!r}, expected {value!r}" for title, cell, _formula, value, found in found]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_formula_comes_to_the_figure_of_python_and_a_second_reader_sees_the_same(
    tmp_path: Path, office: Office, language: str
) -> None:
    path = written(tmp_path / f"everything-{language}.xlsx", *everything(language))
    recalculated = office.check(path)
    second = CalamineWorkbook.from_path(str(recalculated))

    assert len(list(figures(path, recalculated))) == 50
    for worksheet in openpyxl.load_workbook(recalculated, data_only=True).worksheets:
        rows = second.get_sheet_by_name(worksheet.title).to_python(skip_empty_area=False)
        for cell in (cell for row in worksheet.iter_rows() for cell in row if cell.value is not None):
            seen = rows[cell.row - 1][cell.column - 1]
            if isinstance(cell.value, datetime):
                assert seen in (cell.value, cell.value.date()), cell.coordinate
            else:
                assert seen == cell.value, cell.coordinate


@pytest.mark.parametrize("later", [date(2026, 6, 20), date(2020, 2, 29)])
def test_all_sheets_follow_the_day_that_is_changed_in_one_place(
    tmp_path: Path, office: Office, later: date
) -> None:
    path = written(tmp_path / "s.xlsx", *everything())
    expected = written(tmp_path / "later.xlsx", *everything(day=later))
    moment = datetime(later.year, later.month, later.day)  # noqa: DTZ001 (a cell has no time zone)

    assert differing(expected, office.saved(changed(path, {"as_of": moment}))) == []


@pytest.mark.parametrize("volume", ["0.04", "2.75", "50"])
def test_doses_follow_the_volume_that_is_changed(tmp_path: Path, office: Office, volume: str) -> None:
    path = written(tmp_path / "s.xlsx", record_sheet())
    expected = written(tmp_path / "other.xlsx", record_sheet(volume=Decimal(volume)))

    assert differing(expected, office.saved(changed(path, {"injected": float(volume)}))) == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_print_whole_and_are_kept_to_be_looked_at(
    tmp_path: Path, office: Office, language: str
) -> None:
    path = written(tmp_path / f"everything-{language}.xlsx", *everything(language))
    pdf = office.pdf(path)
    count = pages(pdf)
    texts = [text_of(pdf, number) for number in range(1, count + 1)]
    record = "Fiche de préparation" if language == "fr" else "Compounding record"

    assert len(office.pictures(path)) == count == 6
    assert CHART in colours(pdf, 1)
    assert sum(record in text for text in texts) == 1
    assert not any("###" in text or "Err:" in text for text in texts)
    assert ("Page 1 sur 6" if language == "fr" else "Page 1 of 6") in texts[0]
    assert "S-2026-0024" in texts[-1]


def test_what_is_locked_checked_and_a_table_is_so_after_libreoffice_has_saved_it(
    tmp_path: Path, office: Office
) -> None:
    path = written(tmp_path / "s.xlsx", shelf_sheet())
    before = openpyxl.load_workbook(path).worksheets[0]
    after = openpyxl.load_workbook(office.saved(path)).worksheets[0]

    def rules(worksheet: Any) -> set[tuple[str, str, str, str]]:
        return {
            (rule.type, re.sub("[$']", "", str(rule.formula1)), str(rule.error), str(rule.sqref))
            for rule in worksheet.data_validations.dataValidation
        }

    assert after.protection.sheet
    assert not after.protection.autoFilter
    assert [[cell.protection.locked for cell in row] for row in after["A1:K20"]] == [
        [cell.protection.locked for cell in row] for row in before["A1:K20"]
    ]
    assert rules(after) == rules(before)
    assert [(t.name, t.ref, t.column_names) for t in after.tables.values()] == [
        (t.name, t.ref, t.column_names) for t in before.tables.values()
    ]
    assert after.print_title_rows == before.print_title_rows


def test_labels_are_printed_where_the_grid_has_them(tmp_path: Path, office: Office) -> None:
    pdf = office.pdf(written(tmp_path / "labels.xlsx", label_sheet(count=21, skip=0)))
    box = tmp_path / "box.html"
    subprocess.run(["pdftotext", "-bbox", str(pdf), str(box)], check=True)
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>S-2026-', box.read_text())
    corners = [(float(x) / 72 * 25.4, float(y) / 72 * 25.4) for x, y in found]
    first = corners[0]

    assert pages(pdf) == 1
    assert len(corners) == 21
    assert float(GRID.left) < first[0] < float(GRID.left) + 4
    for number, (x, y) in enumerate(corners):
        column, row = number % 3, number // 3
        # Every fifth has no picture, so that its letters may be larger: only where they begin is the same.
        assert x == pytest.approx(first[0] + column * 66.0, abs=0.4)
        assert y == pytest.approx(first[1] + row * 38.1, abs=4 if number % 5 in (4, 0) else 0.4)


def test_expressions_of_every_kind_are_calculated_as_python_says(tmp_path: Path, office: Office) -> None:
    day = date(2026, 2, 28)
    columns = (Column("k", "Key"), Column("n", "N", Holds.DECIMAL), Column("at", "At", Holds.DAY))
    rows = (
        Row(("a*", Decimal("1.5"), day)),
        Row(("ab", Decimal("2.25"), date(2026, 3, 1))),
        Row((">5", 4, None)),
        Row(("~x?", -1, date(2024, 2, 29))),
    )
    n, key, at = (InTable("t", one) for one in ("n", "k", "at"))
    by_key = Table(
        "by_key",
        (Column("k", "Key"), Column("sum", "Sum", Holds.DECIMAL, places=2)),
        tuple(
            Row((one.values[0], Live(one.values[1], Apply(Function.SUM_IF, (n, key, InRow("k"))))))
            for one in rows
        ),
    )
    A, F = Apply, Function  # noqa: N806
    cases: list[tuple[Any, Any]] = [
        (Decimal("6.75"), A(F.SUM, (n,))),
        (4, A(F.COUNT, (n,))),
        (Decimal("3.75"), A(F.SUM_IF, (n, at, A(F.JOIN, (">=", day))))),
        (1, A(F.COUNT_IF, (at, A(F.JOIN, ("<", day))))),
        (-1, A(F.LEAST, (n,))),
        (4, A(F.MOST, (n,))),
        (Decimal("2.3"), A(F.ROUND, (Decimal("2.25"), 1))),
        (1, A(F.ABSOLUTE, (A(F.SUBTRACT, (2, 3)),))),
        (4, A(F.SUBTRACT, (5, A(F.SUBTRACT, (3, 2))))),
        (Decimal("1.5"), A(F.DIVIDE, (6, A(F.TIMES, (2, 2))))),
        (16, A(F.TIMES, (A(F.ADD, (5, -1)), 4))),
        (-3, A(F.SUBTRACT, (A(F.ADD, (1, 2)),))),
        (8, A(F.SUBTRACT, (5, -3))),
        (True, A(F.EQUAL, ("a", "A"))),
        (False, A(F.UNEQUAL, (1, Decimal("1.0")))),
        ("x", A(F.IF, (A(F.AND, (A(F.BELOW, (1, 2)), A(F.NOT, (A(F.ABOVE, (1, 2)),)))), "x", "y"))),
        ("y", A(F.IF, (A(F.OR, (A(F.AT_LEAST, (1, 2)), A(F.AT_MOST, (2, 1)))), "x", "y"))),
        ('He said "no"', A(F.JOIN, ("He said ", '"no"'))),
        (None, A(F.IF, (A(F.IS_NUMBER, (Named("word"),)), Named("word"), ""))),
        (date(2026, 3, 30), A(F.ADD, (day, 30))),
        ("_x0041_ & <b>", "_x0041_ & <b>"),
        ("é" * 600, "é" * 600),
    ]
    facts = [
        Fact(f"Case {number}", Live(value, how), _holds(value), places=2)
        for number, (value, how) in enumerate(cases)
    ]
    page = Sheet("page", "Page", blocks=(Facts((Fact("Word", "text", name="word"), *facts)), by_key), order=1)
    path = written(tmp_path / "s.xlsx", page, Sheet("t", "It's a table", columns, rows))

    office.check(path)


def _holds(value: object) -> Holds:
    return Holds.DAY if isinstance(value, date) else Holds.TEXT if isinstance(value, str) else Holds.DECIMAL


def test_hostile_text_on_a_page_stays_text(tmp_path: Path, office: Office) -> None:
    hostile = ['=HYPERLINK("http://x","y")', "+1+1", "@SUM(A1)", "0012345", "2401E3", "💉 حمض"]
    facts = tuple(Fact(text, text) for text in hostile)
    table = Table("t", (Column("a", "A"),), tuple(Row((text,)) for text in hostile))
    path = written(tmp_path / "s.xlsx", Sheet("p", "P", blocks=(Facts(facts), table)))
    saved = office.saved(path)
    cells = [cell for row in openpyxl.load_workbook(saved).worksheets[0].iter_rows() for cell in row]

    assert errors(saved) == []
    assert [cell for cell in cells if cell.data_type == "f"] == []
    for text in hostile:
        assert sum(cell.value == text for cell in cells) == 3
