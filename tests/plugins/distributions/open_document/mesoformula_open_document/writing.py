"""A layout as an OpenDocument file."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from odfdo import Cell, Document, Element, Paragraph, Row, Table

from mesoformula import Problem, Sheet, SheetError, plain
from mesoformula.sheets import Live, Value
from mesoformula_open_document.formulas import (
    NotExpressibleError,
    computed_formula,
    formula_of,
    total_formula,
)
from mesoformula_open_document.layout import Computed, Held, Layout, Line, Tab, Total, laid_out

#: The most rows that spreadsheet programs read.
MOST_ROWS = 1_048_576

# What XML cannot hold, and the overrides of direction with which a text can pass for another one.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_DASH = "<number:text>-</number:text>"
_STYLES = (
    '<style:style style:name="heading" style:family="table-cell">'
    '<style:text-properties fo:font-weight="bold"/></style:style>',
    '<number:date-style style:name="day-format"><number:year number:style="long"/>'
    f'{_DASH}<number:month number:style="long"/>{_DASH}<number:day number:style="long"/>'
    "</number:date-style>",
    '<style:style style:name="day" style:family="table-cell" style:data-style-name="day-format"/>',
)


def write(sheets: Sequence[Sheet], path: Path) -> None:
    """
    Write sheets, whole or not at all.

    Args:
        sheets: Any; pictures come as their texts, and charts as their titles.
        path: Where it goes; what stands there is replaced.

    Raises:
        SheetError: If a sheet has more rows than spreadsheet programs read.
        OSError: If the file cannot be written there; what stood there still does.
    """
    layout = laid_out(sheets)
    document = Document("spreadsheet")
    document.body.clear()
    for style in _STYLES:
        document.content.get_element("//office:automatic-styles").append(Element.from_tag(style))
    for tab in layout.tabs:
        if len(tab.lines) > MOST_ROWS:
            message = f"{tab.title!r} has {len(tab.lines)} rows; an .ods file holds {MOST_ROWS}; take .csv"
            raise SheetError([Problem("too-long", message)])
        document.body.append(_table(tab, layout))
    written = io.BytesIO()
    document.save(written)
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as target:
            target.write(written.getbuffer())
            target.flush()
            os.fsync(target.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _table(tab: Tab, layout: Layout) -> Table:
    table = Table(tab.title)
    width = max((len(line.cells) for line in tab.lines), default=1) or 1
    for number, line in enumerate(tab.lines):
        row = Row()
        for held in line.cells:
            row.append_cell(_cell(held, line, number, tab, layout), clone=False)
        if len(line.cells) < width:
            row.append_cell(Cell(repeated=width - len(line.cells)), clone=False)
        table.append_row(row, clone=False)
    return table


def _cell(held: Held, line: Line, number: int, tab: Tab, layout: Layout) -> Cell:
    formula = None
    with suppress(NotExpressibleError):
        match held:
            case Live(_value, how):
                formula = formula_of(how, layout, line.keys, number)
            case Computed():
                formula = computed_formula(held, tab, line.keys, number)
            case Total():
                formula = total_formula(held)
    value = held.value if isinstance(held, Live | Computed | Total) else held
    return _written(value, formula, is_heading=line.is_heading)


def _written(value: Value, formula: str | None, *, is_heading: bool) -> Cell:
    style = "heading" if is_heading else None
    match value:
        case None if formula is None:
            return Cell()
        case None | str():
            return _text(_UNFIT.sub("\N{REPLACEMENT CHARACTER}", value or ""), formula, style)
        case datetime():
            return Cell(value.replace(tzinfo=None), formula=formula, style=style)
        case date():
            return Cell(value, formula=formula, style="day")
    # All digits are in the file, whatever a program keeps of them.
    digits = plain(value) if isinstance(value, Decimal) else str(value)
    return Cell(value, text=digits, cell_type="float", formula=formula, style=style)


def _text(text: str, formula: str | None, style: str | None) -> Cell:
    """Write a text: its type says that it is one, whatever it looks like."""
    cell = Cell(style=style)
    cell.set_attribute("office:value-type", "string")
    if formula is not None:
        cell.set_attribute("table:formula", formula)
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        cell.append(Paragraph(line))
    return cell
