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
    Offer the sheets of a topic.

    Args:
        request: The topic, and what is shown.

    Returns:
        Its sheets; none for a topic that is not known here.
    """
    if request.topic in ("stock", "expiry", "movements", "reorder"):
        from mesoformula_excel.stock_book import stock_sheets

        return stock_sheets(request)
    if request.topic == "session":
        from mesoformula_excel.session_sheet import session_sheets

        return session_sheets(request)
    if request.topic == "formula":
        from mesoformula_excel.formula_sheet import formula_sheets

        return formula_sheets(request)
    if request.topic == "count":
        from mesoformula_excel.count_sheet import count_sheets

        return count_sheets(request)
    if request.topic == "labels":
        from mesoformula_excel.label_sheet import label_sheets

        return label_sheets(request)
    return ()


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
