"""Excel workbooks: the stock sheet, a writer for the sheets of all plugins, and a reader of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Exporter, Grid, Importer, Sheet, SheetRequest


@hookimpl
def mesoformula_sheets(request: SheetRequest) -> Iterable[Sheet]:
    """
    Offer the stock sheet.

    Args:
        request: The topic, and the stock to show.

    Returns:
        One sheet for the topic `stock`; none for any other.
    """
    if request.topic != "stock":
        return ()
    from mesoformula_excel.stock_sheet import stock_sheet

    return (stock_sheet(request),)


@hookimpl
def mesoformula_exporters() -> Iterable[Exporter]:
    """
    Offer the Excel workbook as a format.

    Returns:
        The exporter for `.xlsx`.
    """
    from mesoformula import Exporter

    return (Exporter(".xlsx", "Excel workbook", _write),)


@hookimpl
def mesoformula_importers() -> Iterable[Importer]:
    """
    Offer the Excel workbook as a format to read; of its relatives, to say why they are not read.

    Returns:
        The importers for `.xlsx`, `.xlsm` and `.xls`.
    """
    from mesoformula import Importer

    return (
        Importer(".xlsx", "Excel workbook", _read),
        Importer(".xlsm", "Excel workbook with macros: refused", _read),
        Importer(".xls", "Excel 97 to 2003: refused", _read),
    )


def _write(sheets: Sequence[Sheet], path: Path) -> None:
    # openpyxl takes a fifth of a second to import: only who writes a workbook waits for it.
    from mesoformula_excel.writer import write_workbook

    write_workbook(sheets, path)


def _read(path: Path) -> tuple[Grid, ...]:
    from mesoformula_excel.reading import read_workbook

    return read_workbook(path)
