"""Pages, live values, cells to fill in and labels, as openpyxl reads them back."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_sheets import DAY, GRID, label_sheet, png, record_sheet, shelf_sheet, summary_sheet

from mesoformula.sheets import (
    Allowed,
    Apply,
    Chart,
    Column,
    Fact,
    Facts,
    Function,
    Holds,
    InRow,
    InTable,
    Label,
    Labels,
    Live,
    Named,
    Picture,
    Row,
    Rows,
    Sheet,
    Table,
    Texts,
)
from mesoformula_excel.label_fit import SMALLEST, size_that_fits
from mesoformula_excel.writer import write_workbook

EVERYTHING = ("shelf", "summary", "record", "labels")


def everything(language: str = "en") -> list[Sheet]:
    shelf = shelf_sheet(language)
    return [shelf, summary_sheet(shelf), record_sheet(language), label_sheet()]


def written(path: Path, *sheets: Sheet, data_only: bool = False) -> Any:
    write_workbook(sheets, path)
    return openpyxl.load_workbook(path, data_only=data_only)


def page(*blocks: Any, **more: Any) -> Sheet:
    return Sheet("page", "Page", blocks=blocks, **more)


def fact_cell(worksheet: Any, word: str) -> Any:
    """Find the cell to the right of a word."""
    (cell,) = (cell for row in worksheet.iter_rows() for cell in row if cell.value == word)
    return next(other for other in worksheet[cell.row][cell.column :] if type(other).__name__ != "MergedCell")


def formulas(workbook: Any) -> dict[str, str]:
    return {
        f"{worksheet.title}!{cell.coordinate}": cell.value
        for worksheet in workbook.worksheets
        for row in worksheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


# ---- live values ------------------------------------------------------------------------------------------


def test_sheets_stand_in_their_order_whatever_the_order_they_come_in(tmp_path: Path) -> None:
    workbook = written(tmp_path / "s.xlsx", *everything())

    assert workbook.sheetnames[:4] == ["Summary", "Shelf", "Compounding record", "Labels"]


def test_a_live_value_is_a_formula_over_cells_of_other_sheets_with_its_result_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.xlsx"
    shelf = shelf_sheet()
    workbook = written(path, shelf, summary_sheet(shelf))
    results = openpyxl.load_workbook(path, data_only=True)
    expired = fact_cell(workbook["Summary"], "Expired")

    assert re.fullmatch(r"=COUNTIFS\('Shelf'!\$F\$\d+:\$F\$\d+,\"<\"&\$[A-Z]+\$\d+\)", expired.value)
    assert results["Summary"][expired.coordinate].value == 1


def test_a_vital_value_stands_once_more_as_plain_text(tmp_path: Path) -> None:
    shelf = shelf_sheet()
    texts = [
        cell.value
        for row in written(tmp_path / "s.xlsx", shelf, summary_sheet(shelf))["Summary"].iter_rows()
        for cell in row
    ]

    assert "when written: 1" in texts


def test_a_column_with_a_vital_value_has_a_plain_one_beside_it(tmp_path: Path) -> None:
    columns = (Column("n", "Number", Holds.WHOLE), Column("twice", "Twice", Holds.WHOLE))
    live = Live(6, Apply(Function.TIMES, (InRow("n"), 2)), is_vital=True)
    sheet = Sheet("s", "S", columns, (Row((3, live)),))
    worksheet = written(tmp_path / "s.xlsx", sheet).worksheets[0]
    (table,) = worksheet.tables.values()
    header, first = worksheet[table.ref]

    assert [cell.value for cell in header] == ["Number", "Twice", "Twice, when written"]
    assert [cell.value for cell in first] == [3, f"=A{first[0].row}*2", 6]


def test_named_cells_are_names_of_the_workbook_and_never_clash_with_tables(tmp_path: Path) -> None:
    columns = (Column("n", "Number", Holds.WHOLE),)
    fact = Fact("Volume", Decimal("1.5"), Holds.DECIMAL, name="stock", is_input=True)
    workbook = written(
        tmp_path / "s.xlsx",
        page(Facts((fact, Fact("Twice", Live(3, Apply(Function.TIMES, (Named("stock"), 2)))))), order=1),
        Sheet("stock", "Stock", columns, (Row((1,)),), order=2),
    )

    assert list(workbook["Stock"].tables) == ["stock"]
    assert list(workbook.defined_names) == ["stock_2"]
    assert fact_cell(workbook["Page"], "Volume").coordinate in str(
        workbook.defined_names["stock_2"].attr_text
    ).replace("$", "")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (Named("nobody"), "'nobody'"),
        (InTable("nowhere", "n"), "'nowhere'"),
        (InRow("n"), "'n'"),
        (Apply(Function.JOIN, ("x" * 9000, "y")), "8192"),
    ],
)
def test_an_expression_that_names_what_is_not_there_is_refused_with_its_cell(
    tmp_path: Path, how: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        write_workbook([page(Facts((Fact("Word", Live(1, how)),)))], tmp_path / "s.xlsx")

    assert "sheet 'Page', cell" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_two_cells_of_one_name_are_refused(tmp_path: Path) -> None:
    facts = Facts((Fact("A", 1, name="x"), Fact("B", 2, name="x")))

    with pytest.raises(ValueError, match="'x'"):
        write_workbook([page(facts)], tmp_path / "s.xlsx")


def test_one_day_rules_the_whole_workbook(tmp_path: Path) -> None:
    shelf = shelf_sheet()
    workbook = written(tmp_path / "s.xlsx", shelf, summary_sheet(shelf))
    later = attrs.evolve(shelf_sheet(day=date(2026, 6, 1)), title="Later")
    other = written(tmp_path / "t.xlsx", shelf, later)

    assert fact_cell(workbook["Shelf"], "As of").value.startswith("='Summary'!$")
    assert fact_cell(workbook["Summary"], "As of").value == datetime(2026, 5, 4)  # noqa: DTZ001
    assert [fact_cell(sheet, "As of").value.date() for sheet in other.worksheets[:2]] == [
        DAY,
        date(2026, 6, 1),
    ]


def test_what_follows_from_an_empty_table_follows_from_an_empty_cell(tmp_path: Path) -> None:
    columns = (Column("n", "Number", Holds.WHOLE),)
    total = Fact("Sum", Live(0, Apply(Function.SUM, (InTable("none", "n"),))))
    workbook = written(
        tmp_path / "s.xlsx", page(Facts((total,)), order=1), Sheet("none", "None", columns, ())
    )
    found = re.fullmatch(r"=SUM\('None'!\$A\$(\d+):\$A\$\1\)", fact_cell(workbook["Page"], "Sum").value)

    assert found is not None
    assert workbook["None"][f"A{found[1]}"].value is None


# ---- numbers ----------------------------------------------------------------------------------------------


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8))
def test_a_number_is_written_with_its_own_digits(number: Decimal) -> None:
    from mesoformula_excel.formulas import number_text

    assert Decimal(number_text(number)) == number


def test_a_number_with_more_digits_than_programs_keep_is_the_nearest_that_they_know(tmp_path: Path) -> None:
    numbers = (Decimal("9.95"), Decimal("0.1"), Decimal("1E+20"), Decimal("12345678901234567890"), 2 * 10**17)
    third = Decimal(1) / 3
    sheet = Sheet("s", "S", (Column("n", "N", Holds.DECIMAL),), tuple(Row((n,)) for n in (*numbers, third)))
    path = tmp_path / "s.xlsx"
    write_workbook([sheet], path)
    xml = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()

    for text in ("9.95", "0.1", "100000000000000000000", "1.2345678901234567e+19", repr(float(third))):
        assert f"<v>{text}</v>" in xml


# ---- entry ------------------------------------------------------------------------------------------------


def test_a_locked_list_opens_only_what_is_to_be_filled_in(tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", shelf_sheet()).worksheets[0]
    (table,) = worksheet.tables.values()
    header, first, *_rest = worksheet[table.ref]
    locked = {name.value: cell.protection.locked for name, cell in zip(header, first, strict=True)}

    assert worksheet.protection.sheet
    assert worksheet.protection.password is None
    assert not worksheet.protection.autoFilter  # not locked
    assert [name for name, is_locked in locked.items() if not is_locked] == ["Counted", "Remark", "State"]
    assert not worksheet["B2"].protection.locked


def test_what_may_be_entered_is_checked_with_a_message_in_the_language_of_the_sheet(tmp_path: Path) -> None:
    workbook = written(tmp_path / "s.xlsx", shelf_sheet("fr"))
    rules = {rule.type: rule for rule in workbook.worksheets[0].data_validations.dataValidation}

    assert set(rules) == {"date", "whole", "textLength", "list"}
    assert (rules["whole"].formula1, rules["whole"].formula2) == ("0", "9999")
    assert rules["whole"].errorTitle == "Compté"
    assert rules["whole"].error == "Un nombre entier de 0 à 9999."
    assert rules["textLength"].formula1 == "100"
    assert all(rule.showErrorMessage and rule.allow_blank for rule in rules.values())


def test_choices_that_a_rule_cannot_hold_stand_on_a_hidden_tab_at_the_end(tmp_path: Path) -> None:
    workbook = written(tmp_path / "s.xlsx", shelf_sheet(), label_sheet())
    (rule,) = (one for one in workbook["Shelf"].data_validations.dataValidation if one.type == "list")

    assert workbook.sheetnames[-1] == "Choices"
    assert workbook["Choices"].sheet_state == "hidden"
    assert rule.formula1 == "'Choices'!$A$1:$A$3"
    assert [row[0].value for row in workbook["Choices"]] == ["whole", "broken, but there", 'as "new"']


def test_a_heading_that_looks_like_an_escape_is_the_same_in_the_cell_and_in_the_table(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    write_workbook([Sheet("s", "S", (Column("a", "_x0041_"),), (Row((1,)),))], path)
    with zipfile.ZipFile(path) as archive:
        cells = archive.read("xl/worksheets/sheet1.xml").decode()
        table = archive.read("xl/tables/table1.xml").decode()

    assert "<t>_x005F_x0041_</t>" in cells
    assert 'name="_x005F_x0041_"' in table


@pytest.mark.parametrize(("across", "is_upright"), [(1, False), (2, True), (3, True), (4, True)])
def test_a_vital_fact_is_never_without_its_plain_text(tmp_path: Path, across: int, is_upright: bool) -> None:
    live = Live(7, Apply(Function.ADD, (3, 4)), is_vital=True)
    facts = tuple(Fact(f"A rather long word that says what it is {n}", live) for n in range(across))
    worksheet = written(
        tmp_path / "s.xlsx", page(Facts(facts, across=across), is_upright=is_upright)
    ).worksheets[0]
    texts = [cell.value for row in worksheet.iter_rows() for cell in row]

    assert texts.count("when written: 7") == texts.count("=3+4") == across


def test_single_cells_of_a_row_can_be_opened(tmp_path: Path) -> None:
    columns = (Column("lot", "Lot"), Column("n", "Counted", Holds.WHOLE, editable=True, allowed=Allowed(0)))
    rows = (Row(("A1", None)), Row((None, None), editable=("lot",)))
    columns = (attrs.evolve(columns[0], allowed=Allowed(longest=20)), columns[1])
    worksheet = written(tmp_path / "s.xlsx", Sheet("s", "S", columns, rows, is_locked=True)).worksheets[0]
    (table,) = worksheet.tables.values()
    _header, first, second = worksheet[table.ref]

    assert [cell.protection.locked for cell in (*first, *second)] == [True, False, False, False]


# ---- pages ------------------------------------------------------------------------------------------------


def test_a_page_fits_what_it_says_and_words_of_the_writer_are_in_its_language(tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", record_sheet("fr")).worksheets[0]

    assert worksheet.page_setup.orientation == "portrait"
    assert (worksheet.page_setup.fitToWidth, worksheet.page_setup.fitToHeight) == (1, 1)
    assert worksheet.oddFooter.right.text == "Page &P sur &N"
    assert worksheet.print_area


def test_tables_of_different_shapes_stand_on_one_page_without_overlapping(tmp_path: Path) -> None:
    shelf = shelf_sheet()
    worksheet = written(tmp_path / "s.xlsx", shelf, summary_sheet(shelf))["Summary"]
    merged = [area.bounds for area in worksheet.merged_cells.ranges]

    for n, (left, top, right, bottom) in enumerate(merged):
        for other_left, other_top, other_right, other_bottom in merged[n + 1 :]:
            assert right < other_left or other_right < left or bottom < other_top or other_bottom < top


def test_charts_refer_to_their_tables_and_one_of_an_empty_table_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    shelf = shelf_sheet()
    write_workbook([shelf, summary_sheet(shelf)], path)
    with zipfile.ZipFile(path) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/chart" in name]

    assert len(charts) == 2
    assert all("'Summary'!$" in chart for chart in charts)
    assert "<v>246</v>" not in charts[0]  # the total is no bar
    assert "<v>56</v>" in charts[0]  # for viewers that look nothing up
    assert "legend" not in charts[0]
    assert "legend" in charts[1]


def test_a_chart_of_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'nowhere'"):
        write_workbook([page(Chart("C", "nowhere", "a", ("b",)))], tmp_path / "s.xlsx")


def test_a_picture_says_what_it_shows_and_needs_no_other_library(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    picture = Picture(png(), "a code & more", Decimal(20), Decimal(10))
    write_workbook([page(picture)], path)
    with zipfile.ZipFile(path) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        assert archive.read("xl/media/image1.png") == png()

    assert 'descr="a code &amp; more"' in drawing
    assert 'cx="720000" cy="360000"' in drawing
    with pytest.raises(ValueError, match="PNG"):
        write_workbook([page(attrs.evolve(picture, png=b"GIF89a"))], path)


def test_hostile_text_on_a_page_is_text_in_cells_and_in_formulas(tmp_path: Path) -> None:
    hostile = '=HYPERLINK("http://x")\x00 _x0041_ "quoted" ' + "x" * 300
    joined = Live(f"{hostile}!".replace("\x00", "�"), Apply(Function.JOIN, (Named("what"), "!")))
    constant = Live(hostile.replace("\x00", "�"), hostile)
    sheet = page(
        Facts((Fact(hostile, hostile, name="what"), Fact("Joined", joined), Fact("Constant", constant))),
        Texts((hostile,), hostile),
        Table("t", (Column("a", hostile),), (Row((hostile,)),), hostile),
    )
    workbook = written(tmp_path / "s.xlsx", sheet)

    assert set(formulas(workbook)) == {
        f"Page!{fact_cell(workbook['Page'], word).coordinate}" for word in ("Joined", "Constant")
    }
    text = fact_cell(workbook["Page"], "Constant").value
    assert '_"&"x0041_' in text
    constants = re.findall(r'"((?:[^"]|"")*)"', text)
    assert max(len(part.replace('""', '"')) for part in constants) == 255


def test_a_text_longer_than_a_row_can_show_goes_on_in_the_next(tmp_path: Path) -> None:
    text = "word " * 5000
    worksheet = written(tmp_path / "s.xlsx", page(Texts((text,)))).worksheets[0]
    found = [
        str(cell.value) for row in worksheet.iter_rows() for cell in row if "word word" in str(cell.value)
    ]

    assert len(found) > 3
    assert " ".join(found).split() == text.split()


def test_long_rows_that_are_read_once_stand_beside_pages(tmp_path: Path) -> None:
    columns = (Column("n", "Number", Holds.WHOLE),)
    rows = Rows(3000, lambda: iter([Row((n,)) for n in range(3000)]))
    total = Live(sum(range(3000)), Apply(Function.SUM, (InTable("long", "n"),)))
    workbook = written(
        tmp_path / "s.xlsx",
        page(Facts((Fact("Sum", total, Holds.WHOLE),)), order=1),
        Sheet("long", "Long", columns, rows, order=2),
    )

    assert workbook["Long"].max_row > 3000
    assert fact_cell(workbook["Page"], "Sum").value.endswith("3002)")


def test_the_workbook_says_where_it_comes_from(tmp_path: Path) -> None:
    shelf = shelf_sheet("fr")
    properties = written(tmp_path / "s.xlsx", shelf, summary_sheet(shelf)).properties

    assert properties.title == "Synthèse"
    assert properties.language == "fr"
    assert "Ledger: 12:abcdef" in properties.description
    assert abs(datetime.now(UTC) - properties.created.replace(tzinfo=UTC)).total_seconds() < 60


def test_a_sheet_in_a_language_that_the_writer_does_not_speak_is_written_all_the_same(tmp_path: Path) -> None:
    workbook = written(tmp_path / "s.xlsx", attrs.evolve(shelf_sheet(), language="xx"))

    assert fact_cell(workbook.worksheets[0], "As of").value is not None


# ---- labels -----------------------------------------------------------------------------------------------


def test_labels_stand_on_their_grid_to_the_millimetre(tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", label_sheet(count=40, skip=0)).worksheets[0]
    widths = [dimension.width * 8 * 25.4 / 96 for dimension in worksheet.column_dimensions.values()]
    heights = [worksheet.row_dimensions[number].height / 72 * 25.4 for number in range(1, 15)]

    # Per label the margin, the text and the picture, then the gap.
    assert sum(widths[:3]) == pytest.approx(63.5, abs=0.2)
    assert sum(widths) == pytest.approx(3 * 63.5 + 2 * 2.5, abs=0.2)
    assert sum(heights[:7]) == pytest.approx(7 * 38.1, abs=0.2)
    assert [one.id for one in worksheet.row_breaks.brk] == [7]
    assert worksheet.page_setup.scale == 100
    assert not worksheet.sheet_properties.pageSetUpPr.fitToPage
    assert worksheet.page_margins.left * 25.4 == pytest.approx(7.2)


def test_labels_are_skipped_and_go_on_to_the_next_page(tmp_path: Path) -> None:
    worksheet = written(tmp_path / "s.xlsx", label_sheet(count=21, skip=2)).worksheets[0]
    found = [
        (cell.row, str(cell.value).split(" ")[0])
        for row in worksheet.iter_rows()
        for cell in row
        if cell.value
    ]

    assert found[0] == (1, "S-2026-0001")
    assert found[1] == (2, "S-2026-0002")
    assert found[-1] == (8, "S-2026-0021")


def test_letters_of_a_label_are_as_large_as_fits_and_what_fits_nowhere_is_told() -> None:
    short, long = Label("A", ("b",)), Label("A", ("b " * 900,))
    word = Label("A", ("x" * 90,))

    assert size_that_fits(short, GRID) == 10
    assert size_that_fits(label_sheet().blocks[0].labels[0], GRID) >= SMALLEST  # type: ignore[union-attr,operator]
    assert size_that_fits(long, GRID) is None
    assert size_that_fits(word, GRID) is None


def test_a_grid_beyond_its_page_is_refused(tmp_path: Path) -> None:
    wide = attrs.evolve(GRID, columns=4)

    with pytest.raises(ValueError, match="beyond the page"):
        write_workbook([page(Labels(wide, (Label("A", ()),)))], tmp_path / "s.xlsx")
