"""Workbooks from outside: read as they stand, or refused in one clear line whatever they hold."""

from __future__ import annotations

import io
import random
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

import mesoformula_excel
from mesoformula import Cell, Grid, GridError
from mesoformula.grids import LONGEST_CELL, MOST_COLUMNS
from mesoformula_excel import reading
from mesoformula_excel.reading import read_workbook

MOMENT = datetime(2028, 5, 31, 14, 30)  # noqa: DTZ001 (Excel knows no time zones)
HEADINGS = ["Product", "Lot", "Containers", "Expiry", "Price"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "note.xlsx"


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def make(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in (HEADINGS, *rows):
        book.active.append(row)
    return saved(book)


GOOD = make(["acme/c-500", "L1", 5, date(2028, 5, 31), 12.5])


def read(path: Path, content: bytes) -> Grid:
    path.write_bytes(content)
    (grid,) = read_workbook(path)
    return grid


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(GridError) as caught:
        read_workbook(path)
    (problem,) = caught.value.problems
    assert problem.path == str(path)
    assert "\n" not in str(problem)
    return problem.code


def changed(content: bytes, change: Callable[[str, bytes], bytes | None], **more: bytes) -> bytes:
    """Write an archive again, its parts changed, left out (None), or added."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            data = change(name, before.read(name))
            if data is not None:
                after.writestr(name, data)
        for name, data in more.items():
            after.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


def with_sheet(xml: str) -> bytes:
    """Put other XML in place of the rows of the only sheet."""
    return changed(
        GOOD,
        lambda name, data: (
            re.sub(rb"<sheetData>.*</sheetData>", xml.encode(), data, flags=re.DOTALL)
            if name == "xl/worksheets/sheet1.xml"
            else data
        ),
    )


def with_shared_strings(content: bytes) -> bytes:
    """Keep texts in a part of their own, as Excel does and openpyxl does not."""
    texts: list[bytes] = []

    def shared(found: re.Match[bytes]) -> bytes:
        texts.append(found[1])
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    def change(name: str, data: bytes) -> bytes:
        if name == "xl/worksheets/sheet1.xml":
            return re.sub(rb't="inlineStr"><is>(.*?)</is></c>', shared, data)
        if name == "[Content_Types].xml":
            kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
            part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
            return data.replace(b"</Types>", part)
        return data

    changed_content = changed(content, change)
    parts = b"".join(b"<si>%s</si>" % text for text in texts)
    sst = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>' % parts
    stream = io.BytesIO(changed_content)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", sst)
    return stream.getvalue()


# ---- what stands there ---------------------------------------------------------------------------


def test_values_are_exact_and_plain(path: Path) -> None:
    grid = read(
        path,
        make(
            ["text", 5, 12.3, date(2028, 5, 31), MOMENT],
            [0.1, 5.0, True, time(8, 15), 5060131261973],
            [1e22, -2.5, "a\nb", None, "x"],
        ),
    )

    assert [[cell.value for cell in row] for row in grid.rows[1:]] == [
        ["text", 5, Decimal("12.3"), date(2028, 5, 31), MOMENT],
        [Decimal("0.1"), 5, "TRUE", "08:15:00", 5060131261973],
        [Decimal("1E+22"), Decimal("-2.5"), "a\nb", None, "x"],
    ]
    assert {type(cell.value) for row in grid.rows for cell in row} <= {
        str,
        int,
        Decimal,
        date,
        datetime,
        type(None),
    }


def test_texts_may_stand_in_a_part_of_their_own(path: Path) -> None:
    assert read(path, with_shared_strings(GOOD)).rows == read(path, GOOD).rows


def test_every_cell_knows_its_place(path: Path) -> None:
    book = Workbook()
    book.active["B3"] = "x"
    book.active["D7"] = "y"

    grid = read(path, saved(book))

    assert [row[-1].place for row in grid.rows] == ["B3", "D7"]
    assert [cell.place for cell in grid.rows[1]] == ["A7", "B7", "C7", "D7"]


def test_formulas_merged_cells_and_errors_are_marked(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet["A1"], sheet["B1"], sheet["C1"], sheet["D1"] = "=1+1", "#N/A", "merged", "plain"
    sheet.merge_cells("C1:C3")
    sheet["A2"] = "x"

    grid = read(path, saved(book))

    first, second = grid.rows[0], grid.rows[1]
    assert first[0] == Cell(None, 1, 1, is_formula=True)
    assert first[1] == Cell("#N/A", 1, 2, is_error=True)
    assert first[2] == Cell("merged", 1, 3, is_merged=True)
    assert first[3] == Cell("plain", 1, 4)
    assert second[2] == Cell(None, 2, 3, is_merged=True)


def test_the_last_result_of_a_formula_is_kept(path: Path) -> None:
    xml = '<sheetData><row r="1"><c r="A1"><f>2+3</f><v>5</v></c></row></sheetData>'

    assert read(path, with_sheet(xml)).rows == ((Cell(5, 1, 1, is_formula=True),),)


@pytest.mark.parametrize(
    ("number_format", "is_month"),
    [
        ("mm/yyyy", True),
        ("mmm-yy", True),
        ("mmmm yyyy", True),
        ('[$-40C]mmm"-"yy;@', True),
        ("yyyy-mm-dd", False),
        ("dd/mm/yyyy", False),
        ("mm-dd-yy", False),
        ("yyyy-mm-dd h:mm", False),
        ("yyyy", False),
    ],
)
def test_a_day_that_is_shown_as_a_month_says_so(path: Path, number_format: str, is_month: bool) -> None:
    book = Workbook()
    book.active["A1"] = date(2028, 5, 1)
    book.active["A1"].number_format = number_format

    assert read(path, saved(book)).rows[0][0] == Cell(date(2028, 5, 1), 1, 1, is_month=is_month)


def test_every_sheet_is_a_grid_and_hidden_ones_say_so(path: Path) -> None:
    book = Workbook()
    book.active.title = "Stock"
    book.create_sheet("Lists").sheet_state = "hidden"
    path.write_bytes(saved(book))

    grids = read_workbook(path)

    assert [(grid.title, grid.is_sheet, grid.is_hidden) for grid in grids] == [
        ("Stock", True, False),
        ("Lists", True, True),
    ]


def test_what_a_sheet_says_of_its_own_size_is_not_believed(path: Path) -> None:
    for size in (b"A1", b"A1:XFD1048576"):
        content = changed(
            GOOD, lambda _name, data, size=size: re.sub(rb'ref="A1:E2"', b'ref="' + size + b'"', data)
        )
        assert [len(row) for row in read(path, content).rows] == [5, 5]


def test_a_lone_value_far_down_is_read(path: Path) -> None:
    xml = '<sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'

    assert read(path, with_sheet(xml)).rows == ((Cell(1, 1_048_576, 1),),)


def test_a_million_empty_rows_between_two_values_change_nothing(path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(2, 60_000))
    xml = (
        f'<sheetData><row r="1"><c r="A1"><v>1</v></c></row>{rows}'
        '<row r="60000" hidden="1"><c r="A60000" s="0"/><c r="C60000"><v>2</v></c></row><row r="60001"/>'
        "</sheetData>"
    )

    grid = read(path, with_sheet(xml))

    assert [[cell.value for cell in row] for row in grid.rows] == [[1], [None, None, 2]]
    assert (grid.rows[1][2].place, grid.hidden) == ("C60000", frozenset({60_000}))


def test_an_underscore_that_begins_the_code_of_a_character_is_read_as_it_was_typed(path: Path) -> None:
    xml = (
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a_x005F_x0041_b_x005F_</t></is></c></row>'
        "</sheetData>"
    )

    assert read(path, with_sheet(xml)).rows[0][0].value == "a_x0041_b_x005F_"


def test_rows_that_are_not_shown_are_named(path: Path) -> None:
    book = Workbook()
    for n in range(1, 5):
        book.active.append([n])
    for row in (2, 4, 9):
        book.active.row_dimensions[row].hidden = True

    assert read(path, saved(book)).hidden == {2, 4}


def test_control_characters_come_through_for_others_to_refuse(path: Path) -> None:
    content = changed(GOOD, lambda _name, data: data.replace(b"<t>L1</t>", b"<t>L&#9;1&#x85;</t>"))

    assert read(path, content).rows[1][1].value == "L\t1\x85"


def test_the_plugin_offers_the_reader(path: Path) -> None:
    path.write_bytes(GOOD)
    importers = {one.suffix: one for one in mesoformula_excel.mesoformula_importers()}

    assert importers.keys() == {".xlsx", ".xlsm", ".xls"}
    (grid,) = importers[".xlsx"].read(path)
    assert [cell.value for cell in grid.rows[0]] == HEADINGS


# ---- what is refused -----------------------------------------------------------------------------

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500


def keep(_name: str, data: bytes) -> bytes:
    return data


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no-workbook"),
        (b"lot;expiry", "no-workbook"),
        (OLE, "old-format"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "locked"),
        (
            changed(GOOD, keep, xl__vbaProject__bin=b"x").replace(b"vbaProject/bin", b"vbaProject.bin"),
            "macros",
        ),
        (changed(GOOD, keep, mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "no-workbook"),
        (changed(GOOD, lambda name, data: None if name.startswith("xl/") else data), "no-workbook"),
        (changed(GOOD, lambda name, data: None if name == "xl/workbook.xml" else data), "damaged"),
        (changed(GOOD, lambda name, data: None if "sheet1" in name else data), "no-workbook"),
        (GOOD[: len(GOOD) // 2], "no-workbook"),
    ],
    ids=["empty", "text", "old", "encrypted", "macros", "ods", "other archive", "torso", "no sheet", "half"],
)
def test_what_is_no_workbook_is_refused_by_name(path: Path, content: bytes, code: str) -> None:
    assert refused(path, content) == code


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]>', "entities"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "entities"),
        ('<!DOCTYPE x SYSTEM "http://example.com/x.dtd">', "entities"),
    ],
)
@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "[Content_Types].xml"]
)
def test_document_types_and_entities_are_refused_in_every_part(
    path: Path, part: str, xml: str, code: str
) -> None:
    def change(name: str, data: bytes) -> bytes:
        return xml.encode() + re.sub(rb"^<\?xml.*?\?>", b"", data) if name == part else data

    assert refused(path, changed(with_shared_strings(GOOD), change)) == code


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-7", "cp037"])
def test_encodings_in_which_an_entity_could_hide_are_refused(path: Path, codec: str) -> None:
    text = f'<?xml version="1.0" encoding="{codec}"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'
    content = changed(
        GOOD, lambda name, data: text.encode(codec) if name == "xl/worksheets/sheet1.xml" else data
    )

    assert refused(path, content) in ("xml", "entities")


def test_an_entity_in_a_picture_harms_nobody(path: Path) -> None:
    content = changed(GOOD, keep, xl__media__a=b"<!DOCTYPE svg><svg/>")

    assert len(read(path, content).rows) == 2


def test_a_bomb_is_refused_before_it_is_unpacked(path: Path) -> None:
    for size in (50_000_000, 200_000_000):
        content = changed(GOOD, keep, xl__bomb=b"\0" * size)
        path.write_bytes(content)
        tracemalloc.start()
        try:
            assert refused(path, content) == "bomb"
            assert tracemalloc.get_traced_memory()[1] < 15_000_000
        finally:
            tracemalloc.stop()


def test_a_bomb_that_lies_about_its_size_is_refused(path: Path) -> None:
    content = bytearray(
        changed(
            GOOD,
            lambda name, data: data + b" " * 20_000_000 if name == "xl/worksheets/sheet1.xml" else data,
        )
    )
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    for place in [
        one.start() for one in re.finditer(re.escape(info.file_size.to_bytes(4, "little")), content)
    ]:
        content[place : place + 4] = (500).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    tracemalloc.start()
    try:
        assert refused(path, bytes(content)) in ("bomb", "damaged")
        assert tracemalloc.get_traced_memory()[1] < 15_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<sheetData><row r="3"/><row r="2"><c r="A2"><v>1</v></c></row></sheetData>', "damaged"),
        ('<sheetData><row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row></sheetData>', "damaged"),
        ('<sheetData><row r="2"><c r="A9"><v>1</v></c></row></sheetData>', "damaged"),
        ('<sheetData><row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row></sheetData>', "damaged"),
        ('<sheetData><row r="9999999"/></sheetData>', "damaged"),
        ('<sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData>', "too-large"),
        (
            f'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * (LONGEST_CELL + 1)}</t></is></c>'
            "</row></sheetData>",
            "too-large",
        ),
        ("<a>" * 100 + "</a>" * 100, "damaged"),
        ("<sheetData><row>", "damaged"),
        ('<sheetData><row r="1"><c r="A1" t="s"><v>999</v></c></row></sheetData>', "damaged"),
    ],
    ids=range(10),
)
def test_a_sheet_that_would_be_read_in_part_is_refused(path: Path, xml: str, code: str) -> None:
    assert refused(path, with_sheet(xml)) == code


def test_more_columns_rows_or_tags_than_a_table_has_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(path, make(list(range(MOST_COLUMNS + 1)))) == "too-large"
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    assert refused(path, make(["a"], ["b"], ["c"])) == "too-large"
    monkeypatch.setattr(reading, "MOST_TAGS", 100)
    assert refused(path, GOOD) == "too-large"


def test_merged_cells_cannot_be_used_to_fill_the_memory(path: Path) -> None:
    merges = '<mergeCell ref="A1:XFD1048576"/>' * 1000
    xml = (
        '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="9999"><c r="A9999"><v>1</v></c></row>'
        f'</sheetData><mergeCells count="1000">{merges}</mergeCells>'
    )

    assert refused(path, with_sheet(xml)) == "too-large"


def test_what_a_number_cannot_be_is_an_error(path: Path) -> None:
    xml = '<sheetData><row r="1"><c r="A1"><v>1E999</v></c></row></sheetData>'

    assert read(path, with_sheet(xml)).rows == ((Cell("#NUM!", 1, 1, is_error=True),),)


# ---- anything at all -----------------------------------------------------------------------------

RICH = with_shared_strings(
    make(["acme/c-500", "L1", 5, date(2028, 5, 31), 12.5], ["acme/c-500", "L2", "=C2*2", "#N/A", True])
)


def try_reading(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(GridError):
        read_workbook(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_a_workbook_whose_bytes_are_damaged_is_read_or_refused(path: Path, chance: random.Random) -> None:
    content = bytearray(RICH)
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)

    try_reading(path, bytes(content))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_a_workbook_whose_parts_are_damaged_is_read_or_refused(path: Path, chance: random.Random) -> None:
    """The archive is sound, so that what is damaged reaches the parser."""

    def damage(_name: str, data: bytes) -> bytes:
        if chance.random() < 0.6:
            return data
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(damaged))
            piece = chance.choice([b"", b"<", b">", b'"', b"&#0;", b"-1", b"99999999999", b"x", b"e", b"/"])
            damaged[place : place + chance.randint(0, 4)] = piece
        return bytes(damaged)

    try_reading(path, changed(RICH, damage))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_more_than_being_refused(path: Path, content: bytes) -> None:
    try_reading(path, content)
    try_reading(path, b"PK\x03\x04" + content)
