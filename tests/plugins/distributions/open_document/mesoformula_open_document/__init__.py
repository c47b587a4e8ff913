"""
Sheets as OpenDocument spreadsheets.

What follows from other cells becomes a formula, so that the spreadsheet stays live; texts never become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Exporter, Sheet

mesoformula_contract = "1.2"


@hookimpl
def mesoformula_exporters() -> Iterable[Exporter]:
    from mesoformula import Exporter

    return [Exporter(".ods", "OpenDocument spreadsheet", _write)]


def _write(sheets: Sequence[Sheet], path: Path) -> None:
    # odfdo takes a while to import, and most commands write nothing.
    from mesoformula_open_document.writing import write

    write(sheets, path)
