"""Charts that the program draws which opens the workbook."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from openpyxl.chart import BarChart, Reference, Series
from openpyxl.chart.data_source import AxDataSource, NumData, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.drawing.xdr import XDRPositiveSize2D
from openpyxl.utils import column_index_from_string

from mesoformula.sheets import Chart, ChartKind, Value
from mesoformula_excel.book import Book
from mesoformula_excel.formulas import Span, number_text
from mesoformula_excel.layout import shown
from mesoformula_excel.texts import clean

EMU_OF_MILLIMETRE = 36_000
#: Dark, light, middle: far enough apart in grey too.
_FILLS = ("1F3864", "9DC3E6", "7F7F7F", "2E75B6", "D9D9D9")
_LOWEST, _HIGHEST = 62.0, 120.0
_OF_BAR = 7.0
_AROUND_BARS = 26.0
_FEW = 10


def chart_height(chart: Chart, rows: int) -> float:
    """
    Find how tall a chart should be.

    Args:
        chart: Which.
        rows: Of its table.

    Returns:
        Millimetres.
    """
    if chart.kind is ChartKind.COLUMNS:
        return _LOWEST
    bars = rows * (1 + 0.6 * (len(chart.values) - 1))
    return min(max(bars * _OF_BAR + _AROUND_BARS, _LOWEST), _HIGHEST)


def draw_chart(
    book: Book, worksheet: Any, chart: Chart, corner: tuple[int, int], size: tuple[float, float]
) -> None:
    """
    Put a chart on a sheet.

    Args:
        book: Knows where its table stands.
        worksheet: The tab.
        chart: What it shows.
        corner: Column and row of its upper left corner, counted from 1.
        size: Width and height in millimetres.

    Raises:
        ValueError: If its table or one of the columns is not there.
    """
    made = BarChart()
    made.type = "bar" if chart.kind is ChartKind.BARS else "col"
    made.gapWidth = 60
    made.style = None
    made.title = clean(chart.title, 255)
    made.title.tx.rich.p[0].pPr = ParagraphProperties(defRPr=_letters(1100, bold=True))
    for run in made.title.tx.rich.p[0].r:
        run.rPr = _letters(1100, bold=True)
    made.title.overlay = False
    labels = _labels(worksheet, _find(book, chart, chart.labels), book.values(chart.table, chart.labels))
    for number, key in enumerate(chart.values):
        series = Series(_reference(worksheet, _find(book, chart, key)), title=None)
        series.tx = SeriesLabel(v=clean(book.heading(chart.table, key), 255))
        series.cat = labels
        series.val.numRef.numCache = _numbers(book.values(chart.table, key))
        series.graphicalProperties = GraphicalProperties(solidFill=_FILLS[number % len(_FILLS)])
        series.graphicalProperties.line = LineProperties(solidFill="404040", w=6350)
        made.series.append(series)
    made.legend = None if len(chart.values) == 1 else made.legend
    if made.legend is not None:
        made.legend.position = "b"
    made.dataLabels = DataLabelList(
        showVal=True, showSerName=False, showCatName=False, showLegendKey=False, showPercent=False
    )
    made.dataLabels.txPr = _small()
    _axes(made, chart)
    numbers = [value for key in chart.values for value in book.values(chart.table, key)]
    if all(value is None or (isinstance(value, int) and 0 <= value <= _FEW) for value in numbers):
        # Few things are counted one by one, not by halves.
        made.y_axis.majorUnit = 1
    anchor = OneCellAnchor(
        _from=AnchorMarker(col=corner[0] - 1, row=corner[1] - 1),
        ext=XDRPositiveSize2D(*(round(side * EMU_OF_MILLIMETRE) for side in size)),
    )
    worksheet.add_chart(made, anchor)


def _axes(made: BarChart, chart: Chart) -> None:
    across, up = made.x_axis, made.y_axis
    # Without saying so, programs leave the axes out.
    across.delete = up.delete = False
    across.txPr, up.txPr = _small(), _small()
    across.tickLblPos = "low"
    up.number_format = "General"
    up.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9", w=6350))
    up.scaling.min = 0
    if chart.unit:
        up.title = clean(chart.unit, 255)
        for run in up.title.tx.rich.p[0].r:
            run.rPr = _letters(900)
        up.title.overlay = False
    if chart.kind is ChartKind.BARS:
        # The first row stands at the top, as in the table, and the numbers still below.
        across.scaling.orientation = "maxMin"
        up.crosses = "max"


def _find(book: Book, chart: Chart, key: str) -> Span:
    span = book.find(chart.table, key)
    if span is None:
        raise ValueError(
            f"chart {chart.title!r}: the workbook has no column {key!r} in a table {chart.table!r}"
        )
    return span


def _reference(worksheet: Any, span: Span) -> Reference:
    column = column_index_from_string(span.letter)
    return Reference(
        worksheet.parent[span.sheet], min_col=column, max_col=column, min_row=span.first, max_row=span.last
    )


def _labels(worksheet: Any, span: Span, values: Sequence[Value]) -> AxDataSource:
    texts = [StrVal(idx=place, v=clean(shown(value), 255)) for place, value in enumerate(values)]
    cache = StrData(ptCount=len(texts), pt=texts)
    return AxDataSource(strRef=StrRef(f=str(_reference(worksheet, span)), strCache=cache))


def _numbers(values: Sequence[Value]) -> NumData:
    """Keep the numbers in the chart too, for viewers that do not look them up."""
    numbers = [
        NumVal(idx=place, v=number_text(value))
        for place, value in enumerate(values)
        if isinstance(value, int | Decimal)
    ]
    return NumData(formatCode="General", ptCount=len(values), pt=numbers)


def _letters(size: int, *, bold: bool = False) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, solidFill="404040")


def _small() -> RichText:
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=_letters(900)), endParaRPr=_letters(900))
    return RichText(p=[paragraph])
