"""How sheets are printed."""

from __future__ import annotations

from typing import Any

from mesoformula import Sheet, __version__
from mesoformula.languages import Words
from mesoformula_excel.texts import in_header

A4 = 9


def set_up(worksheet: Any, sheet: Sheet, say: Words) -> None:
    """
    Set a sheet up for A4: one page wide, with its title above and page numbers below.

    Args:
        worksheet: Its tab.
        sheet: What it shows.
        say: In its language.
    """
    worksheet.sheet_view.showGridLines = False
    setup = worksheet.page_setup
    setup.orientation = "portrait" if sheet.is_upright else "landscape"
    setup.paperSize = A4
    setup.fitToWidth = 1
    setup.fitToHeight = 1 if sheet.on_one_page else 0
    worksheet.sheet_properties.pageSetUpPr.fitToPage = True
    margins = worksheet.page_margins
    margins.left = margins.right = 0.4
    margins.top = margins.bottom = 0.65
    margins.header = margins.footer = 0.3
    head, foot = worksheet.oddHeader, worksheet.oddFooter
    head.left.text = in_header(sheet.title)
    if sheet.as_of is not None:
        head.right.text = in_header(say("as of {day}", day=sheet.as_of.isoformat()))
    foot.left.text = f"mesoformula {__version__}"
    foot.right.text = say("Page {number} of {count}", number="&P", count="&N")
    for part in (head.left, head.right, foot.left, foot.right):
        part.size = 8
        part.font = "Calibri,Regular"
