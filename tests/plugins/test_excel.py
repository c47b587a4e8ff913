"""The stock sheet, and the workbook as openpyxl reads it back."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

import mesoformula
import mesoformula_excel
from mesoformula import Form, Formulary, SheetRequest, Substance, parse_quantity
from mesoformula.products import ContainerKind, Method, Reconstitution, Storage
from mesoformula.sheets import Column, Holds, Mark, Row, Sheet
from mesoformula_excel.stock_sheet import stock_sheet
from mesoformula_excel.texts import LONGEST, REPLACEMENT, clean, heading, tab_title, table_name
from mesoformula_excel.writer import write_workbook

HOSTILE = [
    '=HYPERLINK("http://example.org","click")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1:A9)",
    "#REF!",
    "TRUE",
    "0012345",
    "2401E3",
    "1/2",
    "<b>&amp;</b>",
    "💉🧪👩🏽‍⚕️",
    "حمض الهيالورونيك",
    "ヒアルロン酸",
]


def sheet_of(view: Any, **more: Any) -> Sheet:
    return stock_sheet(SheetRequest("stock", view, **more))


def values_of(sheet: Sheet, key: str) -> list[Any]:
    place = [column.key for column in sheet.columns].index(key)
    return [row.values[place] for row in sheet.rows]


def written(path: Path, *sheets: Sheet, data_only: bool = False) -> Worksheet:
    write_workbook(sheets, path)
    return openpyxl.load_workbook(path, data_only=data_only).worksheets[0]


def table_of(worksheet: Worksheet) -> tuple[list[str], list[dict[str, Any]]]:
    """Read the table: its headings, and its rows as cells by heading."""
    (table,) = worksheet.tables.values()
    header, *rows = worksheet[table.ref]
    names = [cell.value for cell in header]
    return names, [dict(zip(names, row, strict=True)) for row in rows]


def totals_of(worksheet: Worksheet) -> dict[str, Any]:
    """Read the row of totals: its cells by the heading above."""
    (table,) = worksheet.tables.values()
    names = [cell.value for cell in worksheet[table.ref][0]]
    last = int(re.findall(r"\d+", table.ref)[-1])
    return dict(zip(names, worksheet[last + 2], strict=False))


def all_texts(worksheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in worksheet.iter_rows() for cell in row if cell.value is not None]


# ---- the sheet --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "left", "mark"),
    [(-1, -1, Mark.EXPIRED), (0, 0, Mark.SOON), (60, 60, Mark.SOON), (61, 61, Mark.NONE)],
)
def test_a_lot_may_be_used_through_its_expiry_day(
    make_view: Any, make_lot: Any, days: int, left: int, mark: Mark
) -> None:
    sheet = sheet_of(make_view(make_lot(days=days)))

    assert values_of(sheet, "days_left") == [left]
    assert values_of(sheet, "note") == [mark.value or None]
    assert sheet.rows[0].mark is mark


def test_a_lot_without_expiry_has_no_days_left_and_says_so(make_view: Any, make_lot: Any) -> None:
    sheet = sheet_of(make_view(make_lot(days=None)))

    assert values_of(sheet, "days_left") == values_of(sheet, "note") == [None]
    assert any("without an expiry date" in note for note in sheet.notes)


def test_liquids_count_by_volume_and_powders_by_mass(
    make_view: Any, make_lot: Any, make_product: Any, make_part: Any
) -> None:
    powder = make_product(parts=(make_part("500 mg", Form.POWDER, makes="10 mL"),))
    gel = make_product(parts=(make_part("1 mL", Form.GEL, ContainerKind.SYRINGE),))
    sheet = sheet_of(make_view(make_lot(powder, containers=3), make_lot(gel, containers=4)))

    assert values_of(sheet, "volume") == [None, Decimal(4)]
    assert values_of(sheet, "mass") == [Decimal(1500), None]
    assert values_of(sheet, "container") == ["vial 500 mg powder, makes 10 mL", "syringe 1 mL gel"]


def test_a_kit_counts_as_one_with_the_volume_and_mass_of_all_its_parts(
    make_view: Any, make_lot: Any, make_product: Any, make_part: Any
) -> None:
    kit = make_product(
        parts=(
            make_part("1.5 mL", name="gel"),
            make_part("1 mL", name="solution", per_kit=2),
            make_part("100 mg", Form.POWDER, name="powder", per_kit=2),
        )
    )
    sheet = sheet_of(make_view(make_lot(kit, containers=3)))

    assert values_of(sheet, "containers") == [3]
    assert values_of(sheet, "volume") == [Decimal("10.5")]
    assert values_of(sheet, "mass") == [Decimal(600)]
    assert values_of(sheet, "container") == ["kit: vial 1.5 mL + 2 × vial 1 mL + 2 × vial 100 mg powder"]


def test_an_unknown_volume_is_empty_and_makes_the_total_at_least(
    make_view: Any, make_lot: Any, make_product: Any, make_part: Any, tmp_path: Path
) -> None:
    kit = make_product(parts=(make_part("1 mL", name="known"), make_part(None, name="unknown")))
    sheet = sheet_of(make_view(make_lot(kit), make_lot()))
    totals = totals_of(written(tmp_path / "s.xlsx", sheet, data_only=True))

    assert values_of(sheet, "volume") == [None, Decimal(5)]
    assert any("In 1 row the label does not state" in note for note in sheet.notes)
    assert totals["Total volume (mL)"].value == 5
    assert totals["Total volume (mL)"].number_format == '"≥ "#,##0_)_)'
    assert totals["Containers"].number_format == "#,##0_)_)"


def test_a_total_over_nothing_known_is_empty_and_not_zero(
    make_view: Any, make_lot: Any, make_product: Any, make_part: Any, tmp_path: Path
) -> None:
    sheet = sheet_of(make_view(make_lot(make_product(parts=(make_part(None, Form.POWDER),)))))
    totals = totals_of(written(tmp_path / "s.xlsx", sheet, data_only=True))

    assert sheet.total("mass") is sheet.total("volume") is None
    assert not totals["Total mass (mg)"].value


def test_a_powder_without_displacement_says_what_to_add_and_not_what_it_makes(
    make_view: Any, make_lot: Any, make_product: Any, make_part: Any
) -> None:
    added = Reconstitution(parse_quantity("4 mL", "volume"), Method.ADD)
    powder = make_product(parts=(make_part(None, Form.POWDER, reconstitution=added),))

    assert values_of(sheet_of(make_view(make_lot(powder))), "container") == ["vial of powder, add 4 mL"]


def test_storage_is_said_as_labelled_or_not_stated(make_view: Any, make_lot: Any, make_product: Any) -> None:
    low, high = parse_quantity("2 °C", "temperature"), parse_quantity("8 °C", "temperature")
    storages = [
        None,
        Storage(),
        Storage(low, high, protect_from_light=True, do_not_freeze=True),
        Storage(high=high),
        Storage(low=low, protect_from_light=False),
        Storage(as_published="cool and dry"),
    ]
    sheet = sheet_of(make_view(*(make_lot(make_product(storage=storage)) for storage in storages)))

    assert values_of(sheet, "storage") == [
        "not stated",
        "not stated",
        "2 to 8 °C, protect from light, do not freeze",
        "up to 8 °C",
        "from 2 °C",
        "cool and dry",
    ]


def test_classes_come_from_the_label_and_from_the_formulary(
    make_view: Any, make_lot: Any, make_product: Any
) -> None:
    formulary = Formulary()
    formulary.add_record("substance", Substance("glycine", "glycine", "amino_acid"), "test")
    named = make_product(classes=("nucleic_acid", "hyaluronic_acid", "peptide"))
    contents = (
        *named.composition,
        mesoformula.Content(substance="glycine", undisclosed=True),
        mesoformula.Content(substance="no-longer-offered", undisclosed=True),
    )
    view = make_view(make_lot(attrs.evolve(named, composition=contents)))

    assert values_of(sheet_of(view, formulary=formulary), "classes") == [
        "hyaluronic acid, amino acid, nucleic acid, peptide"
    ]
    assert values_of(sheet_of(view), "classes") == ["hyaluronic acid, nucleic acid, peptide"]


def test_without_any_cost_there_are_no_columns_for_it(make_view: Any, make_lot: Any) -> None:
    headings = [column.heading for column in sheet_of(make_view(make_lot(), make_lot(unit_cost=1))).columns]

    assert not [text for text in headings if "cost" in text or "Value" in text]


def test_each_currency_has_a_total_of_its_own(make_view: Any, make_lot: Any) -> None:
    sheet = sheet_of(
        make_view(
            make_lot(containers=2, unit_cost=150, currency="EUR"),
            make_lot(containers=3, unit_cost=1000, currency="JPY"),
            make_lot(containers=5),
        )
    )

    assert values_of(sheet, "value_EUR") == [Decimal("3.00"), None, None]
    assert (sheet.total("value_EUR"), sheet.total("value_JPY")) == (Decimal(3), Decimal(3000))
    assert [c.places for c in sheet.columns if c.key.startswith("value")] == [2, 0]
    assert any("1 row without a single known cost" in note.lower() for note in sheet.notes)
    assert any("nothing is converted" in note for note in sheet.notes)


def test_a_later_revision_is_told_apart(make_view: Any, make_lot: Any, make_product: Any) -> None:
    sheet = sheet_of(make_view(make_lot(make_product("X")), make_lot(make_product("X", revision=2))))

    assert values_of(sheet, "product") == ["X", "X (revision 2)"]


def test_facts_and_notes_of_the_request_are_passed_on(make_view: Any) -> None:
    sheet = sheet_of(make_view(), facts=(("Data", "fictional"),), notes=("Made up.",))

    assert sheet.facts[-1] == ("Data", "fictional")
    assert sheet.notes == ("Made up.",)


def test_the_plugin_offers_the_stock_sheet_for_its_topic_only(make_view: Any) -> None:
    sheets = mesoformula_excel.mesoformula_sheets(SheetRequest("stock", make_view()))

    assert "stock" in [sheet.key for sheet in sheets]
    assert not mesoformula_excel.mesoformula_sheets(SheetRequest("weather", make_view()))


def test_the_plugin_is_light_until_something_is_written() -> None:
    code = "import sys, mesoformula_excel; print('openpyxl' in sys.modules, 'pint' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


# ---- the workbook -----------------------------------------------------------------------------------------


def test_cells_hold_real_dates_and_numbers_and_the_header_says_the_unit(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    names, rows = table_of(worksheet)

    assert {"Total volume (mL)", "Total mass (mg)", "Unit cost (EUR)"} < set(names)
    assert rows[0]["Expiry"].value == datetime(2026, 4, 14)  # noqa: DTZ001 (a cell has no time zone)
    assert rows[0]["Expiry"].is_date
    assert rows[0]["Expiry"].number_format == "yyyy-mm-dd"
    assert rows[0]["Containers"].value == 2
    assert rows[0]["Unit cost (EUR)"].value == 41.5
    assert rows[0]["Unit cost (EUR)"].number_format == "#,##0.00_)_)"


def test_days_left_and_note_are_formulas_that_count_from_the_as_of_cell(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    first = table_of(worksheet)[1][0]
    expiry, days = first["Expiry"].coordinate, first["Days left"].coordinate

    assert worksheet["B2"].value.date() == shelf.as_of
    assert first["Days left"].value == f'=IF(ISNUMBER({expiry}),{expiry}-$B$2,"")'
    assert first["Note"].value == (
        f'=IF(ISNUMBER({days}),IF({days}<0,"expired",IF({days}<=60,"expires soon","")),"")'
    )
    assert not [text for text in all_texts(worksheet) if "TODAY" in text or "NOW(" in text]


def test_totals_are_formulas_that_follow_the_filter_and_stand_outside_the_table(
    shelf: Any, tmp_path: Path
) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    rows = table_of(worksheet)[1]
    total = totals_of(worksheet)["Containers"]
    first, last = (rows[n]["Containers"].coordinate for n in (0, -1))

    assert total.value == f'=IF(SUBTOTAL(102,{first}:{last})=0,"",SUBTOTAL(109,{first}:{last}))'
    assert total.row == rows[-1]["Containers"].row + 2
    (table,) = worksheet.tables.values()
    assert table.autoFilter.ref == table.ref


def test_every_formula_bears_its_result_for_viewers_that_do_not_calculate(shelf: Any, tmp_path: Path) -> None:
    sheet = sheet_of(shelf)
    path = tmp_path / "s.xlsx"
    formulas = written(path, sheet)
    results = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    cells = [cell for row in formulas.iter_rows() for cell in row if cell.data_type == "f"]
    rows = table_of(results)[1]

    assert len(cells) == len(sheet.rows) * 3 + 4
    assert all(results[cell.coordinate].value for cell in cells if cell.row > 19)
    assert [row["Days left"].value or None for row in rows] == [
        days or None for days in values_of(sheet, "days_left")
    ]
    assert [row["Note"].value or None for row in rows] == values_of(sheet, "note")
    assert Decimal(str(totals_of(results)["Value (EUR)"].value)) == sheet.total("value_EUR")
    assert openpyxl.load_workbook(path).calculation.fullCalcOnLoad


def test_the_header_row_is_frozen_and_repeated_in_print(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    header = table_of(worksheet)[1][0]["Lot"].row - 1

    assert worksheet.freeze_panes == f"A{header + 1}"
    assert worksheet.print_title_rows == f"${header}:${header}"


def test_it_prints_on_a4_landscape_one_page_wide_with_page_numbers(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    setup = worksheet.page_setup

    assert (setup.orientation, int(setup.paperSize)) == ("landscape", 9)
    assert (setup.fitToWidth, setup.fitToHeight) == (1, 0)
    assert worksheet.sheet_properties.pageSetUpPr.fitToPage
    assert worksheet.oddHeader.left.text == "On hand"
    assert worksheet.oddHeader.right.text == "as of 2026-05-04"
    assert worksheet.oddFooter.right.text == "Page &P of &N"


def test_the_workbook_says_what_it_is_and_who_made_it(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    texts = all_texts(worksheet)

    assert worksheet.parent.properties.creator == f"mesoformula {mesoformula.__version__}"
    assert worksheet.parent.properties.title == worksheet.title == "On hand"
    for fact in (
        str(shelf.anchor),
        shelf.store,
        "2026-05-04 07:15:30",
        "2 rows expired, 4 more within 60 days of expiry",
    ):
        assert fact in texts


def test_marked_rows_differ_by_a_word_a_fill_and_a_rule_on_the_word(shelf: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(shelf))
    rows = table_of(worksheet)[1]
    fills = {row["Lot"].value: row["Lot"].fill.fgColor.rgb[-6:] for row in rows}
    rules = [rule.formula[0] for area in worksheet.conditional_formatting for rule in area.rules]
    note, first = rows[0]["Note"].column_letter, rows[0]["Note"].row

    assert (fills["N24117"], fills["N25031"], fills["N25090"]) == ("FFC7CE", "FFEB9C", "000000")
    assert rules == [f'${note}{first}="{word}"' for word in ("expired", "expires soon", "")]


def test_an_empty_stock_is_a_valid_sheet_that_says_so(make_view: Any, tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", sheet_of(make_view()))

    assert "There is no stock on hand." in all_texts(worksheet)
    assert not worksheet.tables
    assert not [text for text in all_texts(worksheet) if text.startswith("=")]
    assert worksheet.freeze_panes is not None


def test_widths_follow_the_content_within_bounds(
    make_view: Any, make_lot: Any, make_product: Any, tmp_path: Path
) -> None:
    view = make_view(make_lot(make_product("An extraordinarily long product name, " * 5), lot="1"))
    worksheet = written(tmp_path / "s.xlsx", sheet_of(view))
    row = table_of(worksheet)[1][0]
    width = {name: worksheet.column_dimensions[cell.column_letter].width for name, cell in row.items()}

    assert width["Lot"] < 8 < 20 < width["Product"] < 30
    assert row["Product"].alignment.wrap_text
    assert worksheet.row_dimensions[row["Product"].row].height > 60


# ---- hostile text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_comes_out_as_the_text_it_was(
    make_view: Any, make_lot: Any, make_product: Any, tmp_path: Path, text: str
) -> None:
    view = make_view(make_lot(make_product(text, vendor=text), lot=text, location=text))
    sheet = sheet_of(view, facts=((text, text),), notes=(text,))
    worksheet = written(tmp_path / "s.xlsx", sheet)
    row = table_of(worksheet)[1][0]

    for name in ("Vendor", "Product", "Lot", "Location"):
        assert row[name].value == text
        assert row[name].data_type == "s"
        assert row[name].quotePrefix
        assert row[name].number_format == "@"
    assert sum(cell.value == text for line in worksheet.iter_rows() for cell in line) == 4 + 3
    assert all(
        cell.value.startswith(("=IF(ISNUMBER", "=IF(SUBTOTAL"))
        for line in worksheet.iter_rows()
        for cell in line
        if cell.data_type == "f"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\t=1+1", "�=1+1"),
        ("a\x00b\x1fc\x7f", "a�b�c�"),
        ("\ud800", "�"),
        ("\u202egpj.exe", "�gpj.exe"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("_x003D_1+1", "_x005F_x003D_1+1"),
    ],
)
def test_what_a_cell_cannot_hold_is_replaced_visibly(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_text_too_long_for_a_cell_is_cut_with_a_mark(
    make_view: Any, make_lot: Any, make_product: Any, tmp_path: Path
) -> None:
    for text in ("x" * 40_000, "💉" * 20_000):
        worksheet = written(tmp_path / "s.xlsx", sheet_of(make_view(make_lot(make_product(text)))))
        kept = table_of(worksheet)[1][0]["Product"].value

        assert kept.endswith("…[cut]")
        assert LONGEST - 1 <= len(kept.encode("utf-16-le")) // 2 <= LONGEST
    assert clean("x" * LONGEST) == "x" * LONGEST


@given(st.text())
def test_any_text_becomes_one_that_a_workbook_can_hold(text: str) -> None:
    kept = clean(text)

    kept.encode("utf-8")
    assert not openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.search(kept)
    assert len(kept.encode("utf-16-le")) <= LONGEST * 2
    assert clean("\x00" + text).startswith(REPLACEMENT)


@given(st.lists(st.text(), max_size=8))
def test_any_titles_and_keys_become_ones_that_excel_accepts(texts: list[str]) -> None:
    titles: list[str] = []
    names: list[str] = []
    headings: list[str] = []
    for text in texts:
        titles.append(tab_title(text, titles))
        names.append(table_name(text, names))
        headings.append(heading(text, headings))

    for title in titles:
        assert 0 < len(title.encode("utf-16-le")) // 2 <= 31
        assert not re.search(r"[\[\]:*?/\\\n\t]|^'|'$|^history$", title, re.IGNORECASE)
    for name in names:
        assert re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
        assert not re.fullmatch(r"[A-Z]{1,3}\d+|R\d*C\d*|[RC]\d*", name, re.IGNORECASE)
    for unique in (titles, names, headings):
        assert len({text.casefold() for text in unique}) == len(texts)


def test_a_plugins_sheet_with_awkward_names_is_written_all_the_same(tmp_path: Path) -> None:
    columns = (Column("a", "=A"), Column("b", "=A"), Column("c", "", Holds.DECIMAL, total=True, places=1))
    sheet = Sheet(
        "R1C1", "Prices: [all]/*every* vendor's & one's?", columns, (Row(("x", 1, Decimal("0.5"))),)
    )
    path = tmp_path / "s.xlsx"
    write_workbook([sheet, sheet], path)
    workbook = openpyxl.load_workbook(path)

    assert len(set(workbook.sheetnames)) == 2
    assert [cell.value for cell in workbook.worksheets[0][2]][:3] == ["=A", "=A (2)", "Column"]
    assert [list(sheet.tables) for sheet in workbook.worksheets] == [["_R1C1"], ["_R1C1_2"]]
    assert workbook.worksheets[0].oddHeader.left.text.endswith("&& one's?")


def test_moments_are_written_in_utc_and_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    moment = datetime.fromisoformat("2026-05-04T12:00:00+02:00")
    columns = (Column("at", "At (UTC)", Holds.MOMENT), Column("n", "Number", Holds.DECIMAL))
    worksheet = written(tmp_path / "s.xlsx", Sheet("s", "S", columns, (Row((moment, 1)),)))

    assert table_of(worksheet)[1][0]["At (UTC)"].value == moment.astimezone(UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="NaN"):
        write_workbook([Sheet("s", "S", columns, (Row((None, Decimal("NaN"))),))], tmp_path / "t.xlsx")


# ---- whole or not at all ----------------------------------------------------------------------------------


def test_what_stood_there_is_replaced_whole(shelf: Any, tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    path.write_text("before")
    write_workbook([sheet_of(shelf)], path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["s.xlsx"]
    assert zipfile.ZipFile(path).testzip() is None
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_failure_leaves_what_stood_there_and_nothing_beside_it(
    shelf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.xlsx"
    path.write_text("before")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_workbook([sheet_of(shelf)], path)

    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.xlsx"]


def test_a_folder_that_does_not_exist_is_an_error_of_the_system(shelf: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_workbook([sheet_of(shelf)], tmp_path / "no" / "s.xlsx")


def test_a_workbook_without_sheets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one sheet"):
        write_workbook([], tmp_path / "s.xlsx")


# ---- properties -------------------------------------------------------------------------------------------


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """Offer a file that one example after another may overwrite."""
    return tmp_path / "s.xlsx"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lots=st.lists(
        st.tuples(
            st.integers(1, 9999),
            st.decimals("0.01", "500", places=2),
            st.none() | st.integers(-4000, 4000),
            st.none() | st.integers(0, 10**7),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_totals_equal_the_sum_of_the_rows(
    lots: list[tuple[int, Decimal, int | None, int | None]],
    make_view: Any,
    make_lot: Any,
    make_product: Any,
    make_part: Any,
    scratch: Path,
) -> None:
    entries = [
        make_lot(
            make_product(parts=(make_part(f"{size} mL"),)), days, containers=n, unit_cost=cost, currency="EUR"
        )
        for n, size, days, cost in lots
    ]
    sheet = sheet_of(make_view(*entries))
    totals = totals_of(written(scratch, sheet, data_only=True))

    expected = {
        "Containers": Decimal(sum(n for n, *_rest in lots)),
        "Total volume (mL)": sum((n * size for n, size, *_rest in lots), Decimal(0)),
    }
    if any(cost is not None for *_rest, cost in lots):
        expected["Value (EUR)"] = Decimal(sum(n * (cost or 0) for n, *_rest, cost in lots)) / 100
    for name, total in expected.items():
        assert Decimal(repr(totals[name].value)) == total
