"""Which sheets a workbook of the stock has, by topic."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mesoformula import Sheet, SheetRequest
from mesoformula_excel.expiry_sheet import expiry_sheet
from mesoformula_excel.movements_sheet import movements_sheet
from mesoformula_excel.notes_sheet import notes_sheet
from mesoformula_excel.opened_sheet import opened_sheet
from mesoformula_excel.reorder_sheet import reorder_sheet
from mesoformula_excel.stock_sheet import stock_sheet
from mesoformula_excel.summary import summary_sheet

_Maker = Callable[[SheetRequest], Sheet]

_SHEETS: Mapping[str, tuple[_Maker, ...]] = {
    "stock": (
        summary_sheet,
        stock_sheet,
        opened_sheet,
        expiry_sheet,
        movements_sheet,
        reorder_sheet,
        notes_sheet,
    ),
    "expiry": (expiry_sheet, notes_sheet),
    "movements": (movements_sheet, notes_sheet),
    "reorder": (reorder_sheet, notes_sheet),
}


def stock_sheets(request: SheetRequest) -> tuple[Sheet, ...]:
    """
    Make the sheets of a topic that is about the stock.

    Args:
        request: The topic, and the stock to show; movements are left out where nothing reads them.

    Returns:
        The sheets, in the order of the tabs.
    """
    makers = _SHEETS[request.topic]
    return tuple(
        make(request) for make in makers if make is not movements_sheet or request.movements is not None
    )
