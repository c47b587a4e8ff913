"""Long tables in a workbook, as other programs read them back."""

from __future__ import annotations

import string
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from libreoffice import Office
from python_calamine import CalamineWorkbook

import mesoformula_excel.bulk
import mesoformula_excel.writer
from mesoformula import SheetError
from mesoformula.sheets import Column, Holds, Live, Mark, Row, Rows, Sheet
from mesoformula_excel.texts import REPLACEMENT, clean
from mesoformula_excel.writer import write_workbook

COLUMNS = (
    Column("number", "Number", Holds.WHOLE),
    Column("text", "Text"),
    Column("moment", "Moment", Holds.MOMENT),
    Column("day", "Day", Holds.DAY),
    Column("cost", "Cost (EUR)", Holds.DECIMAL, places=2, total=True),
)
HOSTILE = [
    '=HYPERLINK("http://example.org","click")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1:A9)",
    "#REF!",
    "TRUE",
    "0012345",
    "2401E3",
    "<b>&amp;</b>]]>",
    " kept  apart ",
    "two\nlines",
    "💉🧪👩🏽‍⚕️",
    "حمض الهيالورونيك",
]


@pytest.fixture(autouse=True)
def _small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesoformula_excel.bulk, "SAMPLE", 3)


def naive(*parts: int) -> datetime:
    """Make a moment as cells hold it."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def plain_rows(count: int) -> list[tuple[Any, ...]]:
    start = naive(2026, 1, 1, 8, 30, 7)
    return [
        (
            number,
            f"lot {number % 7}",
            start + timedelta(minutes=number),
            date(2027, 1, 1) + timedelta(days=number),
            Decimal(number) / 10 if number % 3 else None,
        )
        for number in range(count)
    ]


def long_sheet(rows: Sequence[tuple[Any, ...]], count: int | None = None, **more: Any) -> Sheet:
    def read() -> Iterator[Row]:
        return (Row(values) for values in rows)

    given = Rows(len(rows) if count is None else count, read)
    return Sheet("movements", "Movements", COLUMNS, given, facts=(("Store", "fridge"),), **more)


def bodies(path: Path) -> list[list[tuple[Any, ...]]]:
    """Read the values below the headings of every sheet."""
    workbook = openpyxl.load_workbook(path)
    found = []
    for worksheet in workbook.worksheets:
        (table,) = worksheet.tables.values()
        _header, *rows = worksheet[table.ref]
        found.append([tuple(cell.value for cell in row) for row in rows])
    workbook.close()
    return found


def as_read(values: tuple[Any, ...]) -> tuple[Any, ...]:
    number, text, moment, day, cost = values
    return (number, text or None, moment, datetime.combine(day, datetime.min.time()), cost)


# ---- what comes back --------------------------------------------------------------------------------------


def test_every_value_comes_back_with_its_type(tmp_path: Path) -> None:
    rows = plain_rows(50)
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    (body,) = bodies(tmp_path / "long.xlsx")
    assert body == [
        (*as_read(values)[:4], None if values[4] is None else pytest.approx(float(values[4])))
        for values in rows
    ]
    assert [type(value) for value in body[-1]] == [int, str, datetime, datetime, float]


def test_a_second_reader_sees_the_same(tmp_path: Path) -> None:
    rows = plain_rows(20)
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    read = CalamineWorkbook.from_path(tmp_path / "long.xlsx").get_sheet_by_index(0).to_python()
    body = read[-20:]
    assert [row[1] for row in body] == [values[1] for values in rows]
    assert [row[2] for row in body] == [values[2] for values in rows]
    assert [row[3] for row in body] == [values[3] for values in rows]
    assert [row[0] for row in body] == list(range(20))


def test_texts_never_become_formulas_and_stay_to_the_letter(tmp_path: Path) -> None:
    rows = [(1, text, None, None, None) for text in HOSTILE * 2]
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    workbook = openpyxl.load_workbook(tmp_path / "long.xlsx")
    cells = [row[1] for row in workbook.worksheets[0].iter_rows() if row[0].value == 1]
    assert [cell.value for cell in cells] == HOSTILE * 2
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.quotePrefix for cell in cells} == {True}
    workbook.close()
    seen = CalamineWorkbook.from_path(tmp_path / "long.xlsx").get_sheet_by_index(0).to_python()
    assert [row[1] for row in seen if row[0] == 1] == HOSTILE * 2


@pytest.mark.parametrize(
    ("text", "stands"),
    [("a\x07b", f"a{REPLACEMENT}b"), ("\ud800", REPLACEMENT), ("a\u202eb", f"a{REPLACEMENT}b")],
)
def test_what_a_file_cannot_hold_is_replaced_visibly(tmp_path: Path, text: str, stands: str) -> None:
    write_workbook([long_sheet([(1, text, None, None, None)] * 5)], tmp_path / "long.xlsx")

    (body,) = bodies(tmp_path / "long.xlsx")
    assert [row[1] for row in body] == [stands] * 5


def test_an_escape_of_excel_is_no_escape_in_a_text(tmp_path: Path) -> None:
    write_workbook([long_sheet([(1, "_x0041_", None, None, None)] * 5)], tmp_path / "long.xlsx")

    with zipfile.ZipFile(tmp_path / "long.xlsx") as file:
        assert file.read("xl/worksheets/sheet1.xml").count(b"<t>_x005F_x0041_</t>") == 5


def test_a_text_that_is_too_long_is_cut_with_a_mark(tmp_path: Path) -> None:
    text = "y" * 40_000
    write_workbook([long_sheet([(1, text, None, None, None)] * 5)], tmp_path / "long.xlsx")

    (body,) = bodies(tmp_path / "long.xlsx")
    assert body[-1][1] == clean(text)
    assert len(body[-1][1]) == 32_767


VALUES = st.tuples(
    st.integers(-(10**14), 10**14),
    st.text(
        st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from(string.printable[:95]), max_size=30
    ),
    st.datetimes(naive(1900, 3, 1), naive(2999, 12, 31)).map(lambda one: one.replace(microsecond=0)),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    st.none() | st.decimals(-(10**9), 10**9, places=4),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(VALUES, min_size=4, max_size=12))
def test_whatever_is_written_comes_back(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    rows = [(number, clean(text).replace("_x005F_", ""), *rest) for number, text, *rest in rows]
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    (body,) = bodies(tmp_path / "long.xlsx")
    for values, read in zip(rows, body, strict=True):
        assert read[:4] == as_read(values)[:4]
        assert (read[4] is None) == (values[4] is None)
        assert values[4] is None or Decimal(repr(read[4])) == values[4]


def test_a_decimal_is_written_with_its_own_digits(tmp_path: Path) -> None:
    rows = [(1, "x", None, None, Decimal(text)) for text in ("0.1", "9.95", "0.30", "1E-7", "2E+3", "0E-3")]
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    with zipfile.ZipFile(tmp_path / "long.xlsx") as file:
        xml = file.read("xl/worksheets/sheet1.xml")
    for digits in (b"0.1", b"9.95", b"0.3", b"0.0000001", b"2000", b"0"):
        assert b"<v>%s</v>" % digits in xml


def test_a_value_that_follows_from_others_stands_as_what_it_comes_to(tmp_path: Path) -> None:
    rows = [(Live(7, "unused"), "x", None, None, None)] * 5
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    assert [row[0] for row in bodies(tmp_path / "long.xlsx")[0]] == [7] * 5


# ---- how it looks -----------------------------------------------------------------------------------------


def test_streamed_rows_look_like_the_others(tmp_path: Path) -> None:
    write_workbook([long_sheet(plain_rows(10))], tmp_path / "long.xlsx")
    mesoformula_excel.bulk.SAMPLE = 100
    write_workbook([long_sheet(plain_rows(10))], tmp_path / "short.xlsx")

    looks = []
    for name in ("long", "short"):
        workbook = openpyxl.load_workbook(tmp_path / f"{name}.xlsx")
        worksheet = workbook.worksheets[0]
        (table,) = worksheet.tables.values()
        looks.append(
            [
                [
                    (c.number_format, c.font.name, c.font.sz, c.border.bottom.style, c.alignment.wrap_text)
                    for c in row
                ]
                for row in worksheet[table.ref]
            ]
        )
        workbook.close()
    assert looks[0] == looks[1]


def test_a_marked_row_looks_like_a_marked_row_of_the_sample(tmp_path: Path) -> None:
    values = plain_rows(1)[0]
    marks = [Mark.NONE, Mark.EXPIRED, Mark.NONE, Mark.EXPIRED, Mark.NONE, Mark.SOON]
    sheet = Sheet("x", "X", COLUMNS, Rows(6, lambda: (Row(values, mark) for mark in marks)))
    write_workbook([sheet], tmp_path / "long.xlsx")

    workbook = openpyxl.load_workbook(tmp_path / "long.xlsx")
    worksheet = workbook.worksheets[0]
    (table,) = worksheet.tables.values()
    fills = [row[1].fill.fgColor.rgb for row in worksheet[table.ref][1:]]
    assert fills[1] == fills[3] != fills[0]
    # A mark that the sample does not have looks like none: the word stands in its column all the same.
    assert fills[0] == fills[2] == fills[4] == fills[5]
    workbook.close()


def test_table_filter_and_dimension_reach_to_the_last_row(tmp_path: Path) -> None:
    write_workbook([long_sheet(plain_rows(40), notes=("Below all rows.",))], tmp_path / "long.xlsx")

    workbook = openpyxl.load_workbook(tmp_path / "long.xlsx")
    worksheet = workbook.worksheets[0]
    (table,) = worksheet.tables.values()
    header, *body = worksheet[table.ref]
    assert [cell.value for cell in header] == ["Number", "Text", "Moment", "Day", "Cost (EUR)"]
    assert len(body) == 40
    assert table.autoFilter.ref == table.ref
    assert worksheet.freeze_panes == f"A{header[0].row + 1}"
    below = [row for row in worksheet.iter_rows(min_row=body[-1][0].row + 1) if row[0].value]
    assert [row[0].value for row in below] == ["Below all rows."]
    workbook.close()
    lazy = openpyxl.load_workbook(tmp_path / "long.xlsx", read_only=True)
    assert lazy.worksheets[0].max_row >= body[-1][0].row
    lazy.close()


def test_rows_that_a_worksheet_cannot_hold_go_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesoformula_excel.writer, "MOST_ROWS", 10)
    rows = plain_rows(21)
    write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    workbook = openpyxl.load_workbook(tmp_path / "long.xlsx")
    assert workbook.sheetnames == ["Movements", "Movements (2)", "Movements (3)"]
    assert len({name for worksheet in workbook.worksheets for name in worksheet.tables}) == 3
    workbook.close()
    found = bodies(tmp_path / "long.xlsx")
    assert [len(body) for body in found] == [10, 10, 1]
    assert [row[0] for body in found for row in body] == list(range(21))


def test_a_long_table_stands_beside_others(tmp_path: Path) -> None:
    other = Sheet("other", "Other", COLUMNS[:2], (Row((1, "one")),))
    write_workbook([other, long_sheet(plain_rows(12)), other], tmp_path / "long.xlsx")

    assert [len(body) for body in bodies(tmp_path / "long.xlsx")] == [1, 12, 1]


def test_few_rows_are_written_like_any_table_with_its_totals(tmp_path: Path) -> None:
    write_workbook([long_sheet(plain_rows(3))], tmp_path / "short.xlsx")

    workbook = openpyxl.load_workbook(tmp_path / "short.xlsx")
    formulas = [c.value for row in workbook.worksheets[0].iter_rows() for c in row if c.data_type == "f"]
    assert any("SUBTOTAL" in formula for formula in formulas)
    workbook.close()


# ---- whole or not at all ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("there", "said"), [(10, 11), (10, 9), (2, 3), (3, 2), (10, 2), (2, 10)])
def test_rows_that_change_while_they_are_read_are_refused(tmp_path: Path, there: int, said: int) -> None:
    with pytest.raises(SheetError) as refused:
        write_workbook([long_sheet(plain_rows(there), said)], tmp_path / "long.xlsx")

    assert [problem.code for problem in refused.value.problems] == ["rows-changed"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError, ValueError])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, stop: type[BaseException]) -> None:
    closed = []

    def read() -> Iterator[Row]:
        try:
            for number, values in enumerate(plain_rows(100)):
                if number == 50:
                    raise stop
                yield Row(values)
        finally:
            closed.append(True)

    (tmp_path / "long.xlsx").write_bytes(b"as it was")
    with pytest.raises(stop):
        write_workbook([Sheet("x", "X", COLUMNS, Rows(100, read))], tmp_path / "long.xlsx")

    assert closed == [True]
    assert [path.name for path in tmp_path.iterdir()] == ["long.xlsx"]
    assert (tmp_path / "long.xlsx").read_bytes() == b"as it was"


def test_what_is_read_from_is_closed_also_if_the_workbook_fails_earlier(tmp_path: Path) -> None:
    closed = []

    def read() -> Iterator[Row]:
        try:
            yield from (Row(values) for values in plain_rows(10))
        finally:
            closed.append(True)

    broken = Sheet("b", "B", COLUMNS[4:], (Row((Decimal("NaN"),)),))
    with pytest.raises(ValueError, match="no number"):
        write_workbook([Sheet("x", "X", COLUMNS, Rows(10, read)), broken], tmp_path / "long.xlsx")

    assert closed == [True]
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_no_cell_holds_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    rows = plain_rows(10)
    rows[8] = (*rows[8][:4], Decimal("Infinity"))
    with pytest.raises(ValueError, match="no number that a cell can hold"):
        write_workbook([long_sheet(rows)], tmp_path / "long.xlsx")

    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    values = plain_rows(1)[0]
    peaks = []
    write_workbook([long_sheet(plain_rows(10))], tmp_path / "warm.xlsx")
    for count in (2_000, 20_000):
        sheet = Sheet("x", "X", COLUMNS, Rows(count, lambda count=count: (Row(values) for _ in range(count))))
        tracemalloc.start()
        write_workbook([sheet], tmp_path / "long.xlsx")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000


# ---- in LibreOffice ---------------------------------------------------------------------------------------


@pytest.mark.libreoffice
def test_libreoffice_opens_and_saves_a_long_table_with_every_value(tmp_path: Path, office: Office) -> None:
    rows = plain_rows(2_000)
    rows[1_000:1_000] = [(10_000, text, *plain_rows(1)[0][2:]) for text in HOSTILE]
    other = Sheet("other", "Other", COLUMNS[:2], (Row((1, "one")),))
    write_workbook([other, long_sheet(rows, notes=("Below all rows.",))], tmp_path / "long.xlsx")

    saved = CalamineWorkbook.from_path(office.check(tmp_path / "long.xlsx"))
    assert saved.sheet_names == ["Other", "Movements"]
    read = saved.get_sheet_by_name("Movements").to_python()
    body = [row[:5] for row in read if isinstance(row[2], datetime)]
    assert [row[1] for row in body] == [values[1] for values in rows]
    assert [row[2] for row in body] == [values[2] for values in rows]
    assert [row[3] for row in body] == [values[3] for values in rows]
    assert [None if row[4] == "" else Decimal(repr(row[4])) for row in body] == [values[4] for values in rows]
