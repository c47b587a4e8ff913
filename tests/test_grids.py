"""Tables from outside: read as they stand, or refused in one clear line."""

from __future__ import annotations

import csv
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mesoformula.errors import GridError
from mesoformula.grids import (
    DELIMITERS,
    LONGEST_CELL,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    Grid,
    chosen,
    read_content,
    read_csv,
)

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "note.csv"


def read(path: Path, content: str | bytes) -> Grid:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (grid,) = read_csv(path)
    return grid


def values(grid: Grid) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in grid.rows]


def refused(path: Path, content: str | bytes) -> tuple[str, int | None]:
    with pytest.raises(GridError) as caught:
        read(path, content)
    (problem,) = caught.value.problems
    assert problem.path == str(path)
    assert "\n" not in str(problem)
    return problem.code, problem.line


# ---- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("windows-1252", "Windows-1252"),
    ],
)
def test_the_encoding_is_told_by_the_file_and_said(path: Path, codec: str, name: str) -> None:
    grid = read(path, "Produit;Qté;Prix\r\nNCTF;5;12 €\r\n".encode(codec))

    assert values(grid) == [["Produit", "Qté", "Prix"], ["NCTF", "5", "12 €"]]
    assert (grid.encoding, grid.delimiter, grid.title) == (name, ";", "note.csv")


def test_utf_16_with_the_other_end_first_is_read_as_well(path: Path) -> None:
    assert values(read(path, b"\xfe\xff" + "a;é".encode("utf-16-be"))) == [["a", "é"]]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b;c\n1,2;3,4;5,6\n", ";"),
        ("a,b,c\n1;2,3,4\n", ","),
        ("a\tb\tc\n1,0\t2\t3\n", "\t"),
        ('"Name, with comma, and more";b;c\n', ";"),
        ('"a ""quoted"", name, here";b;c\n', ";"),
        ("Delivery note, May\n\nlot;name;count\n", ";"),
        ("one column\nonly\n", ","),
        ("sep=;\na,b,c;d\n", ";"),
        ("SEP=\t\r\na,b,c\td\r\n", "\t"),
    ],
)
def test_the_delimiter_is_the_one_of_the_headings(path: Path, text: str, delimiter: str) -> None:
    assert read(path, text).delimiter == delimiter


def test_a_tie_between_delimiters_is_asked_about(path: Path) -> None:
    assert refused(path, "a,b,c;d;e\n") == ("delimiter", None)


def test_a_line_that_names_the_delimiter_counts_as_a_line(path: Path) -> None:
    (row,) = read(path, "sep=;\na;b\n").rows

    assert [cell.row for cell in row] == [2, 2]


def test_places_are_lines_even_where_a_field_holds_line_breaks(path: Path) -> None:
    grid = read(path, 'a,b,c\r\n"one\r\ntwo",2,3\r\n\r\n,,\r\nlast,,x\r\n')

    assert [row[0].row for row in grid.rows] == [1, 2, 6]
    assert values(grid)[1:] == [["one\r\ntwo", "2", "3"], ["last", None, "x"]]


def test_what_looks_like_a_formula_is_text(path: Path) -> None:
    grid = read(path, "lot,x,y\n=cmd|' /C calc'!A0,+1,@SUM(1)\n")

    assert values(grid)[1] == ["=cmd|' /C calc'!A0", "+1", "@SUM(1)"]
    assert not grid.rows[1][0].is_formula


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a;b\x00;c", "binary", None),
        ("lot;expiry;count".encode("utf-16-le"), "binary", None),
        (b"PK\x03\x04 is how a workbook begins", "binary", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "binary", None),
        (b"a;b\n\x81\x8d", "encoding", None),
        (b"\xff\xfea", "encoding", None),
        (b'a,b,c\n1,"2,3\n4,5,6\n', "csv", 2),
        (b'a,b,c\n1,"2"x,3\n', "csv", 2),
        (b"a,b\n" + b"x" * (LONGEST_CELL + 1), "too-large", 2),
        (b"a,b\n" + b"x" * 200_000, "too-large", 2),
        (b"a,b\n" + b'"' + b"x" * 200_000, "too-large", 2),
        (b"," * MOST_COLUMNS + b"x", "too-large", 1),
        (b"1\n" * (MOST_ROWS + 1), "too-large", MOST_ROWS + 1),
        (b"x" * (MOST_BYTES + 1), "too-large", None),
    ],
    ids=range(14),
)
def test_what_is_no_csv_file_is_refused_with_one_line(
    path: Path, content: bytes, code: str, line: int | None
) -> None:
    assert refused(path, content) == (code, line)


def test_blank_columns_at_the_right_do_not_count(path: Path) -> None:
    assert values(read(path, b"a,b" + b"," * 5000)) == [["a", "b"]]


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")

    for name in ("missing.csv", "pipe.csv", "."):
        with pytest.raises(GridError) as caught:
            read_content(tmp_path / name)
        assert [one.code for one in caught.value.problems] == ["file"]


def test_a_device_without_an_end_is_refused() -> None:
    with pytest.raises(GridError, match="no regular file"):
        read_content(Path("/dev/zero"))


@in_one_folder
@given(st.binary(max_size=2000))
@example(b'"')
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe\x00")
@example(b"sep=,\n")
def test_no_bytes_whatever_do_more_than_being_refused(path: Path, content: bytes) -> None:
    with suppress(GridError):
        read(path, content)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
latin = st.text(st.sampled_from("aé€œß \"';,\t\r\n=01"), max_size=12)


@in_one_folder
@given(
    data=st.data(),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    delimiter=st.sampled_from(DELIMITERS),
    # With minimal quotes and "\n" at the end of lines it writes a bare "\r" that it cannot read itself.
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
)
def test_what_the_standard_library_writes_is_read_back(
    path: Path, data: st.DataObject, codec: str, delimiter: str, style: tuple[str, Any]
) -> None:
    cells = latin if codec == "windows-1252" else texts
    written = [["Lot", "Qté €", "Expiry"]]
    written += data.draw(st.lists(st.lists(cells, min_size=1, max_size=5), max_size=8))
    end, quoting = style
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(written)

    grid = read(path, stream.getvalue().encode(codec))

    expected = []
    for row in written:
        while row and not row[-1].strip():
            row.pop()
        expected += [[text or None for text in row]] if row else []
    assert values(grid) == expected
    assert grid.delimiter == delimiter


# ---- grids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_cells_are_called_as_in_a_spreadsheet(column: int, name: str) -> None:
    assert Cell(None, 12, column).place == f"{name}12"


def test_a_problem_names_the_line_of_a_text_and_the_cell_of_a_sheet() -> None:
    cell = Cell("x", 12, 6)
    text = Grid("note.csv", (), "note.csv").problem("lot", "is missing", cell)
    sheet = Grid("Feuil1", (), "note.xlsx", is_sheet=True).problem("lot", "is missing", cell)
    odd = Grid("My\x1b sheet", (), "note.xlsx", is_sheet=True).problem("lot", "is missing", cell)

    assert str(text) == "note.csv:12: [lot] is missing"
    assert str(sheet) == "note.xlsx: [lot] Feuil1!F12: is missing"
    assert sheet.where == ("Feuil1", "F12")
    assert str(odd) == "note.xlsx: [lot] 'My\\x1b sheet'!F12: is missing"


def test_the_only_sheet_that_holds_anything_is_meant() -> None:
    rows = ((Cell("x", 1, 1),),)
    one, other = Grid("Stock", rows, "n.xlsx", is_sheet=True), Grid("Other", rows, "n.xlsx", is_sheet=True)
    blank = Grid("Blank", (), "n.xlsx", is_sheet=True)
    hidden = Grid("Lists", rows, "n.xlsx", is_sheet=True, is_hidden=True)
    path = Path("n.xlsx")

    assert chosen([blank, hidden, one], path) is one
    assert chosen([one, other], path, "other") is other
    assert chosen([one, hidden], path, "Lists") is hidden
    for grids, title, words in (
        ([one, other], None, "2 sheets could be meant; name one with --sheet: 'Stock', 'Other'"),
        ([one, other], "Third", "no sheet is called 'Third'; name one with --sheet: 'Stock', 'Other'"),
        ([blank, hidden], None, "no sheet that is shown holds anything"),
    ):
        with pytest.raises(GridError, match=words):
            chosen(grids, path, title)
