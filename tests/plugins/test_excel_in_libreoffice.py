"""The workbook as LibreOffice opens, recalculates and prints it. A missing LibreOffice is a failure here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import openpyxl
import pytest
from libreoffice import Office, colours, errors, page_size, pages, text_of
from openpyxl.worksheet.worksheet import Worksheet

from mesoformula import SheetRequest
from mesoformula.sheets import Sheet
from mesoformula_excel.stock_sheet import stock_sheet
from mesoformula_excel.writer import write_workbook

pytestmark = pytest.mark.libreoffice

RED, AMBER = bytes.fromhex("FFC7CE"), bytes.fromhex("FFEB9C")


def sheet_at(view: Any, as_of: date) -> Sheet:
    return stock_sheet(SheetRequest("stock", attrs.evolve(view, as_of=as_of)))


def changed(path: Path, change: Callable[[Worksheet], None]) -> Path:
    """Change a workbook as a person would; openpyxl drops all results, so that LibreOffice works them out."""
    workbook = openpyxl.load_workbook(path)
    change(workbook.worksheets[0])
    workbook.save(path)
    return path


def expected_cells(path: Path, sheet: Sheet) -> Iterator[tuple[str, Any]]:
    """Pair every formula's cell with what Python says it comes to."""
    worksheet = openpyxl.load_workbook(path).worksheets[0]
    (table,) = worksheet.tables.values()
    first, last = (int(n) for n in re.findall(r"\d+", table.ref))
    for line in worksheet.iter_rows():
        for cell in line:
            if cell.data_type != "f":
                continue
            column = sheet.columns[cell.column - 1]
            if cell.row > last:
                yield cell.coordinate, sheet.total(column.key)
            else:
                yield cell.coordinate, sheet.rows[cell.row - first - 1].values[cell.column - 1]


def assert_same(path: Path, recalculated: Path, sheet: Sheet) -> None:
    results = openpyxl.load_workbook(recalculated, data_only=True).worksheets[0]
    expected = dict(expected_cells(path, sheet))
    computed = sum(column.computed is not None for column in sheet.columns)
    totals = sum(column.total for column in sheet.columns)

    assert len(expected) == computed * len(sheet.rows) + totals
    for cell, value in expected.items():
        found = results[cell].value
        if isinstance(value, int | Decimal):
            assert Decimal(repr(found)).quantize(Decimal("1e-9")) == value, cell
        else:
            assert (found or None) == value, cell
    assert errors(recalculated) == []


@pytest.mark.parametrize("later", [0, 45, -400])
def test_formulas_come_to_the_figures_of_python_also_when_the_day_is_changed(
    shelf: Any, today: date, tmp_path: Path, office: Office, later: int
) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(shelf, today)], path)
    other_day = today + timedelta(later)

    def change(worksheet: Worksheet) -> None:
        worksheet["B2"].value = datetime(other_day.year, other_day.month, other_day.day)  # noqa: DTZ001

    changed(path, change)

    assert_same(path, office.saved(path), sheet_at(shelf, other_day))


def test_the_file_as_written_opens_with_the_same_figures_and_keeps_its_table(
    shelf: Any, today: date, tmp_path: Path, office: Office
) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(shelf, today)], path)
    saved = office.saved(path)

    assert_same(path, saved, sheet_at(shelf, today))
    (before,) = openpyxl.load_workbook(path).worksheets[0].tables.values()
    (after,) = openpyxl.load_workbook(saved).worksheets[0].tables.values()
    assert (after.name, after.ref, after.autoFilter.ref) == (before.name, before.ref, before.ref)
    assert after.column_names == before.column_names


def test_totals_leave_out_rows_that_are_hidden(
    shelf: Any, today: date, tmp_path: Path, office: Office
) -> None:
    path = tmp_path / "stock.xlsx"
    sheet = sheet_at(shelf, today)
    write_workbook([sheet], path)
    totals = {
        cell: total for cell, total in expected_cells(path, sheet) if total == sheet.total("containers")
    }

    def change(worksheet: Worksheet) -> None:
        (table,) = worksheet.tables.values()
        worksheet.row_dimensions[int(re.findall(r"\d+", table.ref)[0]) + 1].hidden = True

    results = openpyxl.load_workbook(office.saved(changed(path, change)), data_only=True).worksheets[0]
    (cell,) = totals

    assert results[cell].value == totals[cell] - shelf.on_hand[0].containers


def test_hostile_text_is_text_in_libreoffice_too(
    make_view: Any, make_lot: Any, make_product: Any, today: date, tmp_path: Path, office: Office
) -> None:
    texts = ['=HYPERLINK("http://x","y")', "+1+1", "@SUM(A1)", "0012345", "2401E3", "_x0041_", "💉 حمض"]
    path = tmp_path / "stock.xlsx"
    write_workbook(
        [sheet_at(make_view(*(make_lot(make_product(text), lot=text) for text in texts)), today)], path
    )
    worksheet = openpyxl.load_workbook(office.saved(path)).worksheets[0]
    cells = [cell for line in worksheet.iter_rows() for cell in line if cell.value is not None]
    # LibreOffice decodes `_x005F_x0041_`, as Excel does, and its own file has no need to encode it.
    found = [str(cell.value).replace("_x005F_", "_") for cell in cells if cell.data_type == "s"]

    for text in texts:
        assert found.count(text) == 2, text
    assert all(
        str(cell.value).startswith(("=IF(ISNUMBER", "=IF(SUBTOTAL"))
        for cell in cells
        if cell.data_type == "f"
    )


def test_a_small_stock_prints_on_one_landscape_page_with_its_marks(
    shelf: Any, today: date, tmp_path: Path, office: Office
) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(shelf, today)], path)
    pdf = office.pdf(path)
    text = text_of(pdf, 1)

    assert pages(pdf) == 1
    assert page_size(pdf) == (pytest.approx(841.9, abs=0.5), pytest.approx(595.3, abs=0.5))
    assert {RED, AMBER} <= colours(pdf)
    assert "Page 1 of 1" in text
    assert "###" not in text
    assert "2,481.43" in text


def test_the_colours_follow_the_day_in_the_as_of_cell(
    shelf: Any, today: date, tmp_path: Path, office: Office
) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(shelf, today)], path)

    def change(worksheet: Worksheet) -> None:
        worksheet["B2"].value = datetime(2020, 1, 1)  # noqa: DTZ001

    assert not {RED, AMBER} & colours(office.pdf(changed(path, change)))


def test_the_header_row_stands_on_every_page(
    make_view: Any, shelf: Any, today: date, tmp_path: Path, office: Office
) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(make_view(*shelf.on_hand * 8), today)], path)
    pdf = office.pdf(path)
    count = pages(pdf)

    assert count > 1
    for page in range(1, count + 1):
        text = text_of(pdf, page)
        assert "Vendor" in text
        assert "Expiry" in text
        assert f"Page {page} of {count}" in text


def test_an_empty_stock_opens_and_prints(make_view: Any, today: date, tmp_path: Path, office: Office) -> None:
    path = tmp_path / "stock.xlsx"
    write_workbook([sheet_at(make_view(), today)], path)
    pdf = office.pdf(path)

    assert pages(pdf) == 1
    assert "There is no stock on hand." in text_of(pdf, 1)


def test_the_workbook_recalculates_to_the_figures_of_the_command_line(
    tmp_path: Path, office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `stock list --json` says and what LibreOffice works out from the workbook are the same figures."""
    from mesoformula.cli import run

    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    deliveries = [
        ("fillmed/nctf-135ha", "A1", 4, "2027-01-07", "12.50 EUR"),
        ("phoenix-labs/ascorbic-acid-500", "A2", 3, "2026-01-31", "1.10 EUR"),
        ("kyowa-kirin/pabrinex-im", "A3", 2, "2028-02-29", "9.99 EUR"),
        ("baxter/cernevit", "A4", 5, "2027-06-30", "4 EUR"),
    ]
    for product, lot, containers, expiry, cost in deliveries:
        words = ["--lot", lot, "--containers", str(containers), "--expiry", expiry, "--cost", cost]
        assert run(["stock", "receive", product, *words, "--by", "test"]) == 0
    workbook = tmp_path / "stock.xlsx"
    assert run(["sheet", "stock", str(workbook)]) == 0
    capsys.readouterr()
    assert run(["stock", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)

    saved = openpyxl.load_workbook(office.check(workbook), data_only=True)
    (cells,) = (worksheet for worksheet in saved.worksheets if "stock" in worksheet.tables)
    rows = [[cell.value for cell in row] for row in cells.iter_rows()]
    (top,) = [place for place, row in enumerate(rows) if row[0] == "Vendor"]
    (bottom,) = [place for place, row in enumerate(rows) if str(row[0]).startswith("Total of the rows")]
    headings = [str(heading) for heading in rows[top]]
    column = {heading: place for place, heading in enumerate(headings)}
    by_lot = {row[column["Lot"]]: row for row in rows[top + 1 : bottom] if row[column["Lot"]]}

    assert set(by_lot) == {"A1", "A2", "A3", "A4"}
    for entry in listed["on_hand"]:
        row = by_lot[entry["lot"]]
        assert row[column["Containers"]] == entry["containers"]
        assert row[column["Days left"]] == entry["days_left"]
        assert row[column["Expiry"]].date().isoformat() == entry["expiry"]
        for heading, key in (("Total volume (mL)", "volume"), ("Total mass (mg)", "mass")):
            said = None if entry[key] is None else Decimal(entry[key]["value"])
            found = row[column[heading]]
            assert (None if found is None else Decimal(str(found))) == said
    totals = rows[bottom]
    assert totals[column["Containers"]] == listed["totals"]["containers"] == 14
    assert Decimal(str(totals[column["Total volume (mL)"]])) == Decimal(listed["totals"]["volume"]["value"])
    (value,) = [place for heading, place in column.items() if heading.startswith("Value")]
    assert Decimal(str(totals[value])).quantize(Decimal("0.01")) == Decimal(
        listed["totals"]["value"][0]["value"]
    )
