"""The sheet of a count: what it says, what can be changed in it, and what LibreOffice makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

import mesoformula_excel
from mesoformula import Sheet, SheetRequest
from mesoformula.languages import languages
from mesoformula.sheets import plain_value
from mesoformula.stock.counts.count_files import read_count_file
from mesoformula.stock.counts.count_imports import counted_grid, identity_of
from mesoformula.stock.counts.count_sheets import CountLine, CountSheet
from mesoformula.stock.records import Anchor
from mesoformula_excel.count_sheet import LONGEST_REMARK, MOST_CONTAINERS, SPARE_ROWS

Make = Callable[..., Any]


@pytest.fixture
def count(make_product: Make) -> CountSheet:
    """Three lots that spreadsheet programs like to take for something else."""
    product = make_product("Vitamin =C")
    lines = (
        CountLine(1, product, "0012", date(2028, 5, 31), "main", 5),
        CountLine(2, product, "=1+1", None, "main", 1234),
        CountLine(3, product, "2401E3", date(2027, 1, 31), "fridge", 2),
    )
    opened = datetime(2026, 5, 4, 22, 30, tzinfo=UTC)
    return CountSheet(12, opened, "ana", lines, anchor=Anchor(12, "0123456789abcdef" * 4))


def sheet_of(count: CountSheet, **how: Any) -> Sheet:
    request = SheetRequest("count", None, count=count, zone=ZoneInfo("Europe/Paris"), **how)
    (sheet,) = mesoformula_excel.mesoformula_sheets(request)
    return sheet


def written(count: CountSheet, path: Path, **how: Any) -> Path:
    (exporter,) = (one for one in mesoformula_excel.mesoformula_exporters() if one.suffix == ".xlsx")
    exporter.write((sheet_of(count, **how),), path)
    return path


def test_it_says_which_count_of_which_stock_it_is(count: CountSheet) -> None:
    facts = dict(sheet_of(count).facts)

    assert facts["Count"] == 12
    assert facts["Snapshot"] == "mesoformula-count-1 12:0123456789abcdef"
    assert facts["Opened at (Europe/Paris)"] == datetime(2026, 5, 5, 0, 30)  # noqa: DTZ001 (cells know no zones)


def test_each_row_says_its_count_and_line_and_the_last_are_spare(count: CountSheet) -> None:
    sheet = sheet_of(count)
    keys = [column.key for column in sheet.columns]
    rows = [dict(zip(keys, map(plain_value, row.values), strict=True)) for row in sheet.rows]

    assert [(row["count"], row["line"], row["lot"]) for row in rows[:3]] == [
        (12, 1, "0012"),
        (12, 2, "=1+1"),
        (12, 3, "2401E3"),
    ]
    assert all(row["counted"] is None and row["remark"] is None for row in rows)
    assert rows[3:] == [{key: 12 if key == "count" else None for key in keys}] * SPARE_ROWS
    assert [row.editable for row in list(sheet.rows)[2:4]] == [(), ("place", "lot", "product")]


def test_a_blind_sheet_does_not_tell_what_is_expected(count: CountSheet, tmp_path: Path) -> None:
    path = written(count, tmp_path / "count.xlsx", is_blind=True)
    book = openpyxl.load_workbook(path)
    values = [cell.value for row in book.active.iter_rows() for cell in row]
    book.close()

    assert "Expected" not in values
    assert 1234 not in values


@pytest.mark.parametrize("language", languages("mesoformula_excel"))
def test_only_cells_to_fill_in_are_open_and_take_what_the_ledger_takes(
    count: CountSheet, tmp_path: Path, language: str
) -> None:
    check_locked(written(count, tmp_path / "count.xlsx", language=language))


def check_locked(path: Path) -> None:
    """See that a workbook can be changed only where it is filled in, and only to what makes sense."""
    book = openpyxl.load_workbook(path)
    (sheet,) = book.worksheets
    assert sheet.protection.sheet
    head = next(row for row in sheet.iter_rows() if row[0].value in ("Line", "Ligne"))
    place = {str(cell.value): cell.column_letter for cell in head}
    first = head[0].row + 1
    last = first + 3 + SPARE_ROWS - 1
    figures, remarks = (place[one[0]] if one[0] in place else place[one[1]]
                        for one in (("Counted", "Compté"), ("Remark", "Remarque")))  # fmt: skip
    spare = {place[one] for one in place if one in ("Place", "Emplacement", "Lot", "Product", "Produit")}
    open_cells = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    assert open_cells == {
        *(f"{column}{row}" for column in (figures, remarks) for row in range(first, last + 1)),
        *(f"{column}{row}" for column in spare for row in range(first + 3, last + 1)),
    }
    rules = {
        str(cells): rule for rule in sheet.data_validations.dataValidation for cells in rule.sqref.ranges
    }
    whole = next(rule for cells, rule in rules.items() if cells.startswith(f"{figures}{first}:"))
    assert (whole.type, whole.formula1, whole.formula2) == ("whole", "0", str(MOST_CONTAINERS))
    text = next(rule for cells, rule in rules.items() if cells.startswith(f"{remarks}{first}:"))
    assert (text.type, text.formula1) == ("textLength", str(LONGEST_REMARK))
    book.close()


@pytest.mark.libreoffice
@pytest.mark.parametrize("language", languages("mesoformula_excel"))
def test_what_libreoffice_saves_is_locked_as_before_and_read_back(
    count: CountSheet, tmp_path: Path, office: Any, language: str
) -> None:
    path = written(count, tmp_path / "count.xlsx", language=language)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    head = next(row for row in sheet.iter_rows() if row[0].value in ("Line", "Ligne"))
    figures, remarks = (
        next(cell.column for cell in head if cell.value in words)
        for words in (("Counted", "Compté"), ("Remark", "Remarque"))
    )
    for line, figure in ((1, 4), (2, 0), (3, None)):
        sheet.cell(head[0].row + line, figures).value = figure
    sheet.cell(head[0].row + 1, remarks).value = "under the tray"
    sheet.row_dimensions[head[0].row + 2].hidden = True
    book.save(path)
    book.close()

    saved = office.saved(path)

    check_locked(saved)
    (importer,) = (one for one in mesoformula_excel.mesoformula_importers() if one.suffix == ".xlsx")
    grid = counted_grid(importer.read(saved), saved)
    assert (identity_of(grid).count, identity_of(grid).hash) == (12, "0123456789abcdef")
    read = read_count_file(grid, count)
    assert read.counted == {1: 4, 2: 0, 3: None}
    assert read.remarks == {1: "under the tray"}
    assert (read.found, read.hidden) == ((), 1)


@pytest.mark.libreoffice
@pytest.mark.parametrize("language", languages("mesoformula_excel"))
def test_it_is_printed_on_one_page_that_can_be_filled_in_by_hand(
    count: CountSheet, tmp_path: Path, office: Any, language: str
) -> None:
    assert len(office.pictures(written(count, tmp_path / f"count-{language}.xlsx", language=language))) == 1
