"""CSV and JSON files of sheets, as other readers see them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mesoformula_plain
from mesoformula import Exporter, SheetError
from mesoformula.cli.sheet import sheets_as_json
from mesoformula.grids import read_csv
from mesoformula.sheets import (
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
    LabelGrid,
    Labels,
    Live,
    Named,
    Row,
    Rows,
    Sheet,
    Table,
    Texts,
)

COLUMNS = (
    Column("lot", "Lot, as printed; all of it"),
    Column("count", "Containers", Holds.WHOLE, total=True),
    Column("cost", "Cost (EUR)", Holds.DECIMAL, total=True, at_least=True),
    Column("expiry", "Expiry", Holds.DAY),
    Column("at", "Opened at (Europe/Paris)", Holds.MOMENT),
)
AT = datetime.fromisoformat("2026-11-23T08:05:00")
ROW = Row(("A-1", 3, Decimal("0.10"), date(2027, 2, 28), AT))
DANGEROUS = [
    '=HYPERLINK("http://example.org","click")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    " =1+1",
    "＝1+1",
    "0012345",
    "2401E3",
    "1/2",
    "MAR-26",
    "Sept12",
    "févr. 2027",
    "sept 1",
    "TRUE",
    "'quoted",
    '"=1"',
]
HARMLESS = ["Lot 12", "été", "Jalupro HMW", "a,b;c", 'says "so"', "two\nlines", "حمض", "market 5"]


def exporter(suffix: str) -> Exporter:
    return {one.suffix: one for one in mesoformula_plain.mesoformula_exporters()}[suffix]


def sheet(*rows: Row, **more: Any) -> Sheet:
    return Sheet("stock", "Stock", COLUMNS, rows, **more)


def of_texts(*texts: str) -> Sheet:
    return Sheet("texts", "Texts", (Column("a", "A"), Column("b", "B")), tuple(Row((t, "x")) for t in texts))


def in_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def in_json(path: Path, *sheets: Sheet) -> dict[str, Any]:
    exporter(".json").write(sheets, path)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found["sheets"]


def unmarked(text: str | None) -> str:
    """Take off the mark of a text that is kept to the letter."""
    text = text or ""
    return text[2:-1].replace('""', '"') if text.startswith('="') else text


# ---- CSV --------------------------------------------------------------------------------------------------


def test_a_csv_file_holds_headings_and_exact_values(tmp_path: Path) -> None:
    exporter(".csv").write([sheet(ROW, Row((None,) * 5))], tmp_path / "stock.csv")

    assert (tmp_path / "stock.csv").read_bytes().startswith("\ufeff".encode())
    assert in_csv(tmp_path / "stock.csv") == [
        [column.heading for column in COLUMNS],
        ["A-1", "3", "0.1", "2027-02-28", "2026-11-23T08:05:00"],
        ["", "", "", "", ""],
    ]


def test_our_own_reader_reads_it(tmp_path: Path) -> None:
    exporter(".csv").write([sheet(ROW)], tmp_path / "stock.csv")

    (grid,) = read_csv(tmp_path / "stock.csv")
    assert (grid.encoding, grid.delimiter) == ("UTF-8", ",")
    assert [cell.value for cell in grid.rows[0]] == [column.heading for column in COLUMNS]
    assert [cell.value for cell in grid.rows[1]][:3] == ["A-1", "3", "0.1"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_text_that_a_program_would_take_for_more_is_kept_as_text(tmp_path: Path, text: str) -> None:
    exporter(".csv").write([of_texts(text)], tmp_path / "texts.csv")

    field = in_csv(tmp_path / "texts.csv")[1][0]
    assert field.startswith('="')
    assert field.endswith('"')
    assert unmarked(field) == text
    (grid,) = read_csv(tmp_path / "texts.csv")
    assert unmarked(str(grid.rows[1][0].value)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_stands_as_it_is(tmp_path: Path, text: str) -> None:
    exporter(".csv").write([of_texts(text)], tmp_path / "texts.csv")

    assert in_csv(tmp_path / "texts.csv")[1][0] == text


def test_a_long_dangerous_text_is_kept_with_an_apostrophe(tmp_path: Path) -> None:
    text = "=" + "x" * 300
    exporter(".csv").write([of_texts(text)], tmp_path / "texts.csv")

    assert in_csv(tmp_path / "texts.csv")[1][0] == f"'{text}"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50)
    | st.text(st.sampled_from("=+-@'\"1,;\n \tA"), max_size=20)
)
def test_every_text_comes_back(tmp_path: Path, text: str) -> None:
    exporter(".csv").write([of_texts(text)], tmp_path / "texts.csv")

    field = in_csv(tmp_path / "texts.csv")[1][0]
    assert unmarked(field) == text
    assert field == "" or field.startswith('="') or (field[0].isalnum() and not field[0].isdecimal())


def test_what_no_text_file_holds_is_replaced_visibly(tmp_path: Path) -> None:
    exporter(".csv").write([of_texts("a\x00b\x07c\ud800d\re")], tmp_path / "texts.csv")

    assert in_csv(tmp_path / "texts.csv")[1][0] == "a�b�c�d\ne"
    assert read_csv(tmp_path / "texts.csv")


def test_a_csv_file_holds_one_table_and_says_so(tmp_path: Path) -> None:
    page = Sheet("page", "Page", blocks=(Texts(("a",)),))
    for sheets in ([sheet(), sheet()], [page]):
        with pytest.raises(SheetError, match=r"a \.csv file holds one table"):
            exporter(".csv").write(sheets, tmp_path / "stock.csv")
    assert list(tmp_path.iterdir()) == []


def test_of_several_sheets_the_one_that_is_called_like_the_topic_is_held() -> None:
    page = Sheet("summary", "Summary", blocks=(Texts(("a",)),))
    other = of_texts("x")
    single, every = exporter(".csv"), exporter(".json")

    assert single.held([page, other, sheet()], "stock") == (sheet(),)
    assert single.held([page, other], "stock") == (page, other)
    assert single.held([page, other], "summary") == (page, other)
    assert single.held([page], "stock") == (page,)
    assert every.held([page, other, sheet()], "stock") == (page, other, sheet())


# ---- JSON -------------------------------------------------------------------------------------------------


def a_page() -> Sheet:
    grid = LabelGrid("g", "G", *(Decimal(n) for n in (210, 297)), 1, 1, *(Decimal(n) for n in (50, 20, 5, 5)))
    dose = Live(Decimal("1.50"), Apply(Function.TIMES, (Named("volume"), Decimal("0.5"))), "dose", True)
    total = Live(7, Apply(Function.SUM, (InTable("lots", "count"),)))
    rows = (Row(("A", Live(7, Apply(Function.ADD, (InRow("count"), 1)), "in_row"), None, None, None)),)
    return Sheet(
        "record",
        "Record",
        facts=(("Store", "here"),),
        notes=("A note.",),
        blocks=(
            Facts(
                (Fact("Volume (mL)", Decimal("3.0"), Holds.DECIMAL, 1, "volume", True), Fact("Dose", dose))
            ),
            Facts((Fact("Total", total),)),
            Table("lots", COLUMNS, rows, "Lots"),
            Texts(("One.", "Two."), "Read this"),
            Chart("How many", "lots", "lot", ("count",)),
            Labels(grid, (Label("Head", ("line",)),)),
        ),
    )


def test_a_json_file_says_what_the_command_line_says(tmp_path: Path) -> None:
    sheets = (sheet(ROW, as_of=date(2026, 11, 23), facts=(("Read at", AT),)), a_page())

    found = in_json(tmp_path / "all.json", *sheets)
    for one in found.values():
        one.pop("follows", None)
    assert found == sheets_as_json(sheets)


def test_a_json_file_says_what_a_figure_follows_from(tmp_path: Path) -> None:
    found = in_json(tmp_path / "all.json", a_page())["record"]

    assert found["cells"] == {"volume": "3", "dose": "1.5", "in_row": 7}
    assert found["follows"] == {"dose": "(volume * 0.5)", "in_row": "((row).count + 1)"}


def test_a_json_file_streams_rows(tmp_path: Path) -> None:
    read = []

    def rows() -> Iterator[Row]:
        read.append(True)
        yield from [ROW] * 3

    found = in_json(tmp_path / "all.json", Sheet("stock", "Stock", COLUMNS, Rows(3, rows)))
    assert read == [True]
    assert len(found["stock"]["rows"]) == 3
    assert found["stock"]["rows"][0]["cost"] == "0.1"


def test_any_text_stands_in_a_json_file(tmp_path: Path) -> None:
    texts = [*DANGEROUS, *HARMLESS, "\ud800", "a\x00b", ""]
    found = in_json(tmp_path / "all.json", of_texts(*texts))

    assert [row["a"] for row in found["texts"]["rows"]] == texts


def test_a_json_file_of_nothing_is_one(tmp_path: Path) -> None:
    assert in_json(tmp_path / "none.json") == {}
    assert in_json(tmp_path / "none.json", Sheet("s", "S"))["s"]["title"] == "S"


# ---- both -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_what_was_there(
    tmp_path: Path, suffix: str, stop: type[BaseException]
) -> None:
    def rows() -> Iterator[Row]:
        yield ROW
        raise stop

    path = tmp_path / f"stock{suffix}"
    path.write_bytes(b"as it was")
    with pytest.raises(stop):
        exporter(suffix).write([Sheet("stock", "Stock", COLUMNS, Rows(2, rows))], path)

    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"as it was"


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("one", "two"):
        exporter(suffix).write([sheet(ROW)], tmp_path / f"{name}{suffix}")
        written.append((tmp_path / f"{name}{suffix}").read_bytes())
    assert written[0] == written[1]
