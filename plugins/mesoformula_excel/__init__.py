"""Sheets as Excel workbooks: the stock sheet, and the writer for every sheet that a plugin offers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Exporter, Sheet, SheetRequest


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


def _write(sheets: Sequence[Sheet], path: Path) -> None:
    # openpyxl takes a fifth of a second to import: only who writes a workbook waits for it.
    from mesoformula_excel.writer import write_workbook

    write_workbook(sheets, path)
