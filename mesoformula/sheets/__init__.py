"""
What an export says, not how it is written.

A sheet is plain data: one table, or a page of blocks. A table has columns that each hold one kind of value,
and rows of plain values. What follows from other cells is data too (`Live`), so that a workbook can carry it
as a formula and a text format as its value.
"""

from mesoformula.sheets.blocks import (
    Block,
    Chart,
    ChartKind,
    Fact,
    Facts,
    Label,
    LabelGrid,
    Labels,
    Picture,
    Table,
    Texts,
)
from mesoformula.sheets.exports import (
    Exporter,
    Sheet,
    SheetRequest,
)
from mesoformula.sheets.expressions import (
    Apply,
    Expression,
    Function,
    InRow,
    InTable,
    Live,
    Named,
    Value,
    plain_value,
)
from mesoformula.sheets.known_grids import (
    USUAL_GRID,
    label_grid,
    label_grids,
    read_label_grid,
)
from mesoformula.sheets.tables import (
    Allowed,
    Column,
    Computed,
    DaysUntil,
    Holds,
    Mark,
    MarkOfDays,
    Row,
    Rows,
    Times,
    row,
    total,
)

__all__ = [
    "USUAL_GRID",
    "Allowed",
    "Apply",
    "Block",
    "Chart",
    "ChartKind",
    "Column",
    "Computed",
    "DaysUntil",
    "Exporter",
    "Expression",
    "Fact",
    "Facts",
    "Function",
    "Holds",
    "InRow",
    "InTable",
    "Label",
    "LabelGrid",
    "Labels",
    "Live",
    "Mark",
    "MarkOfDays",
    "Named",
    "Picture",
    "Row",
    "Rows",
    "Sheet",
    "SheetRequest",
    "Table",
    "Texts",
    "Times",
    "Value",
    "label_grid",
    "label_grids",
    "plain_value",
    "read_label_grid",
    "row",
    "total",
]
