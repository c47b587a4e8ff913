from datetime import date, datetime
from decimal import Decimal

import mesoformula_open_document
import pytest
from mesoformula_open_document.formulas import letters
from mesoformula_open_document.writing import MOST_ROWS, write
from odfdo import Document
from python_calamine import CalamineWorkbook

from mesoformula import Column, Row, Sheet, SheetError
from mesoformula.sheets import (
    Apply,
    DaysUntil,
    Fact,
    Facts,
    Function,
    Holds,
    InTable,
    Live,
    MarkOfDays,
    Named,
    Rows,
    Table,
    Texts,
    Times,
    row,
)
from mesoformula.testing import ExporterConformance, PluginConformance

DAY = date(2026, 5, 4)


class TestOpenDocument(PluginConformance, ExporterConformance):
    @pytest.fixture
    def plugin(self):
        return mesoformula_open_document


def seen(path, title):
    """Read a tab with another program than the one that wrote it."""
    with CalamineWorkbook.from_path(path) as workbook:
        return [
            [value for value in cells if value != ""]
            for cells in workbook.get_sheet_by_name(title).to_python()
        ]


def formulas(path, title):
    table = Document(path).body.get_table(name=title)
    return {
        f"{letters(cell.x)}{cell.y + 1}": cell.formula
        for cells in table.rows
        for cell in cells.cells
        if cell.formula
    }


COLUMNS = (
    Column("lot", "Lot"),
    Column("containers", "Containers", Holds.WHOLE, total=True),
    Column("volume", "Volume (mL)", Holds.DECIMAL),
    Column("all", "Together (mL)", Holds.DECIMAL, Times("containers", "volume")),
    Column("expiry", "Expiry", Holds.DAY),
    Column("left", "Days left", Holds.WHOLE, DaysUntil("expiry")),
    Column("mark", "Mark", computed=MarkOfDays("left", 60)),
)


def shelf(*given):
    keys = ("lot", "containers", "volume", "expiry")
    rows = tuple(row(COLUMNS, dict(zip(keys, values, strict=True)), DAY) for values in given)
    return Sheet("lots", "Lots", COLUMNS, rows, DAY, notes=("A note.",))


def test_a_table_is_live_and_carries_its_figures(tmp_path):
    path = tmp_path / "lots.ods"
    lots = [("=1+1", 3, Decimal("0.1"), date(2026, 5, 14)), ("4711", 2, None, None)]
    write([shelf(*lots)], path)

    assert seen(path, "Lots") == [
        ["Lots"],
        ["As of", DAY],
        [],
        [column.heading for column in COLUMNS],
        ["=1+1", 3.0, 0.1, 0.3, date(2026, 5, 14), 10.0, "expires soon"],
        ["4711", 2.0],
        ["Total", 5.0],
        ["A note."],
    ]
    found = formulas(path, "Lots")
    assert found["B7"] == "of:=SUM([.B5:.B6])"
    assert found["F5"] == "of:=IF(ISNUMBER([.E5]);[.E5]-[$'Lots'.$B$2];\"\")"
    assert {place[0] for place in found} == {"B", "D", "F", "G"}


def test_a_page_refers_to_its_own_cells_and_to_those_of_other_sheets(tmp_path):
    how = Apply(Function.TIMES, (Named("volume"), Apply(Function.SUM, (InTable("lots", "containers"),))))
    unknown = Live(7, Named("not-there"))
    page = Sheet(
        "page",
        "Page",
        blocks=(
            Facts((Fact("Volume", Decimal("2.5"), Holds.DECIMAL, name="volume"), Fact("All", Live(7, how)))),
            Table("small", (Column("one", "One"),), (Row((unknown,)),), "Small"),
            Texts(("=HYPERLINK(1)", "two\nlines")),
        ),
    )
    path = tmp_path / "page.ods"
    write([page, shelf(("1", 3, None, None))], path)

    assert formulas(path, "Page") == {"B4": "of:=([$'Page'.$B$3]*SUM([$'Lots'.$B$5:.$B$5]))"}
    assert ["=HYPERLINK(1)"] in seen(path, "Page")
    assert ["two\nlines"] in seen(path, "Page")


def test_an_unknown_part_makes_a_sum_at_least(tmp_path):
    columns = (Column("lot", "Lot"), Column("value", "Value", Holds.DECIMAL, total=True, at_least=True))
    path = tmp_path / "sum.ods"
    write([Sheet("sum", "Sum", columns, (Row(("1", Decimal("2.50"))), Row(("2", None))))], path)

    assert seen(path, "Sum")[-1] == ["Total", "at least 2.50"]


def test_moments_lose_their_zone_and_titles_are_unlike_each_other(tmp_path):
    columns = (Column("at", "At", Holds.MOMENT),)
    at = Row((datetime(2026, 5, 4, 7, 15),))  # noqa: DTZ001
    path = tmp_path / "moments.ods"
    write([Sheet("one", "A/B", columns, (at,)), Sheet("two", "A:B", columns, (at,))], path)

    assert seen(path, "A B (2)")[-1] == [datetime(2026, 5, 4, 7, 15)]  # noqa: DTZ001


def test_a_long_title_is_cut_without_a_blank_at_its_end(tmp_path):
    path = tmp_path / "long.ods"
    sheet = Sheet("long", f"{'x' * 30} y", (Column("one", "One"),), (Row(("1",)),))
    write([sheet, sheet], path)

    with CalamineWorkbook.from_path(path) as workbook:
        assert workbook.sheet_names == ["x" * 30, f"{'x' * 26} (2)"]


def test_more_rows_than_programs_read_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("mesoformula_open_document.writing.MOST_ROWS", 10)
    rows = Rows(20, lambda: iter([Row(("1",))] * 20))
    with pytest.raises(SheetError, match=r"an \.ods file holds 10"):
        write([Sheet("long", "Long", (Column("one", "One"),), rows)], tmp_path / "long.ods")
    assert not list(tmp_path.glob("*.ods"))
    assert MOST_ROWS == 2**20
