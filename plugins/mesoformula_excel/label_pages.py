"""
Labels, to the millimetre on their grid.

Widths and heights go by pixels, of which there are 96 to an inch; edges are rounded one by one from the edge
of the page, so that errors of half a pixel (0.13 mm) do not add up.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break

from mesoformula import Sheet
from mesoformula.sheets import Label, LabelGrid, Labels
from mesoformula_excel.book import Book
from mesoformula_excel.label_fit import AROUND, LEFT, SMALLEST, size_that_fits
from mesoformula_excel.pictures import draw_picture
from mesoformula_excel.printing import A4
from mesoformula_excel.styles import TALLEST, Look
from mesoformula_excel.texts import clean

_PIXELS = 96 / 25.4
_POINTS_OF_PIXEL = 0.75
_INCH = 25.4
_LETTER = 1
_CELL = Look(beside="left", upright="center", wraps=True, is_open=True)


def write_labels(book: Book, worksheet: Any, sheet: Sheet) -> None:
    """
    Write a sheet of labels.

    Args:
        book: The workbook.
        worksheet: Its tab.
        sheet: Whose only block are labels.

    Raises:
        ValueError: If there are other blocks, or the grid does not fit its page or a worksheet.
    """
    if len(sheet.blocks) != 1 or not isinstance(sheet.blocks[0], Labels):
        raise ValueError(f"sheet {sheet.key!r}: labels stand on a sheet of their own, with no other block")
    labels = sheet.blocks[0]
    _check(labels.grid)
    pictures = [label.picture for label in labels.labels if label.picture is not None]
    picture = max((float(one.width) + 2 * AROUND for one in pictures), default=0.0)
    columns = _columns(book, worksheet, labels.grid, picture)
    places = labels.grid.columns * labels.grid.rows
    last = max(labels.skip + len(labels.labels) - 1, 0)
    rows = _rows(worksheet, labels.grid, last // places + 1)
    for number, label in enumerate(labels.labels, start=labels.skip):
        row = rows[number // labels.grid.columns]
        _label(book, worksheet, label, labels.grid, (columns[number % labels.grid.columns], row))
    _page(worksheet, labels.grid)
    final = get_column_letter(columns[-1] + (2 if picture else 1))
    worksheet.print_area = f"A1:{final}{rows[last // labels.grid.columns]}"


def _check(grid: LabelGrid) -> None:
    across = grid.left + grid.columns * grid.width + (grid.columns - 1) * grid.between_columns
    down = grid.top + grid.rows * grid.height + (grid.rows - 1) * grid.between_rows
    if across > grid.page_width or down > grid.page_height:
        raise ValueError(f"label grid {grid.id!r}: its labels reach beyond the page")
    if float(grid.height) * _PIXELS * _POINTS_OF_PIXEL > TALLEST:
        raise ValueError(f"label grid {grid.id!r}: a label is taller than the row of a worksheet can be")


def _columns(book: Book, worksheet: Any, grid: LabelGrid, picture: float) -> list[int]:
    """Set the widths of columns, and return the column of each label's text."""
    texts: list[int] = []
    edges = [0.0]
    at = 0.0
    for number in range(grid.columns):
        if number and grid.between_columns:
            at += float(grid.between_columns)
            edges.append(at)
        edges.append(at + LEFT)
        texts.append(len(edges))
        right = at + float(grid.width)
        if picture:
            edges.append(right - picture)
        edges.append(right)
        at = right
    pixels = [round(edge * _PIXELS) for edge in edges]
    for number, (left, right_edge) in enumerate(pairwise(pixels), start=1):
        book.widen(worksheet, number, right_edge - left)
    return texts


def _rows(worksheet: Any, grid: LabelGrid, pages: int) -> list[int]:
    """Set the heights of rows and the breaks between pages, and return the row of each row of labels."""
    rows: list[int] = []
    row = 0
    for page in range(pages):
        at = 0.0
        for number in range(grid.rows):
            if number and grid.between_rows:
                row += 1
                at = _tall(worksheet, row, at, float(grid.between_rows))
            row += 1
            at = _tall(worksheet, row, at, float(grid.height))
            rows.append(row)
        if page < pages - 1:
            worksheet.row_breaks.append(Break(id=row))
    return rows


def _tall(worksheet: Any, row: int, top: float, height: float) -> float:
    pixels = round((top + height) * _PIXELS) - round(top * _PIXELS)
    worksheet.row_dimensions[row].height = pixels * _POINTS_OF_PIXEL
    return top + height


def _label(book: Book, worksheet: Any, label: Label, grid: LabelGrid, corner: tuple[int, int]) -> None:
    column, row = corner
    cell = worksheet.cell(row, column)
    size = size_that_fits(label, grid) or SMALLEST
    book.wardrobe.dress(cell, _CELL.but(size=size))
    said = clean("\n".join(label.lines))
    heading = TextBlock(InlineFont(rFont="Calibri", sz=size, b=True), clean(label.heading))
    body = TextBlock(InlineFont(rFont="Calibri", sz=size), f"\n{said}")
    cell.value = CellRichText([heading, body] if said else [heading])
    if label.picture is not None:
        across = float(grid.width) - LEFT - float(label.picture.width) - AROUND
        down = (float(grid.height) - float(label.picture.height)) / 2
        text = float(grid.width) - LEFT - float(label.picture.width) - 2 * AROUND
        draw_picture(worksheet, label.picture, (column + 1, row), (across - text, max(down, 0)))


def _page(worksheet: Any, grid: LabelGrid) -> None:
    setup = worksheet.page_setup
    setup.orientation = "portrait" if grid.page_width <= grid.page_height else "landscape"
    size = sorted((float(grid.page_width), float(grid.page_height)))
    if size == [210.0, 297.0]:
        setup.paperSize = A4
    elif size == [215.9, 279.4]:
        setup.paperSize = _LETTER
    else:
        setup.paperWidth, setup.paperHeight = f"{grid.page_width}mm", f"{grid.page_height}mm"
    # Never scaled: the labels are where they are.
    setup.scale = 100
    worksheet.sheet_properties.pageSetUpPr.fitToPage = False
    margins = worksheet.page_margins
    margins.left, margins.top = float(grid.left) / _INCH, float(grid.top) / _INCH
    margins.right = margins.bottom = margins.header = margins.footer = 0
