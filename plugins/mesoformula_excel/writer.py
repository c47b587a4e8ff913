"""Sheets written as an Excel workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table

from mesoformula import Column, Sheet, __version__
from mesoformula.sheets import Computed, DaysUntil, Holds, Mark, MarkOfDays, Times, Value
from mesoformula_excel.layout import AT_LEAST, breadth, column_widths, halves, lines, reach
from mesoformula_excel.results import Results, place
from mesoformula_excel.texts import clean, heading, in_header, tab_title, table_name

#: What Excel holds, the header and what stands around the table left aside.
MOST_ROWS = 1_048_576 - 100

_A4 = 9
_LINE = 15.0
_GAP = 5.0
_DAY = "yyyy-mm-dd"
_MOMENT = "yyyy-mm-dd hh:mm"

_HAIR = Side(style="hair", color="A6A6A6")
_FAINT = Side(style="hair", color="D9D9D9")
_THIN = Side(style="thin", color="7F7F7F")
_NO_FILL = PatternFill()
_TITLE_FONT = Font(name="Calibri", size=16, bold=True, color="1F3864")
_BODY_FONT = Font(name="Calibri", size=10)
_BOLD_FONT = Font(name="Calibri", size=10, bold=True)
_HEAD_FONT = Font(name="Calibri", size=10, bold=True, color="1F3864")
_QUIET_FONT = Font(name="Calibri", size=9, color="595959")
_INPUT_FONT = Font(name="Calibri", size=10, bold=True, color="0000FF")
_HEAD_FILL = PatternFill("solid", fgColor="D9E2F3")
#: Colour of letters and of the ground; dark enough and far enough apart to differ on a grey printer too.
_COLOURS: Mapping[Mark, tuple[str, str]] = {
    Mark.EXPIRED: ("9C0006", "FFC7CE"),
    Mark.SOON: ("4D3300", "FFEB9C"),
    Mark.ATTENTION: ("1F3864", "DDEBF7"),
}


def write_workbook(sheets: Sequence[Sheet], path: Path) -> None:
    """
    Write sheets as a workbook, whole or not at all.

    Args:
        sheets: At least one; each becomes a tab.
        path: Where it goes; what stands there is replaced.

    Raises:
        ValueError: If there is no sheet, or one that a workbook cannot hold.
        OSError: If the file cannot be written there.
    """
    if not sheets:
        raise ValueError("a workbook needs at least one sheet")
    workbook = Workbook()
    workbook.remove(workbook.active)
    tabs: list[str] = []
    tables: list[str] = []
    results: list[Results] = []
    for sheet in sheets:
        tabs.append(tab_title(sheet.title, tabs))
        tables.append(table_name(sheet.key, tables))
        results.append(_Page(workbook.create_sheet(tabs[-1]), sheet).write(tables[-1]))
    workbook.properties.title = clean(sheets[0].title, 255)
    workbook.properties.creator = f"mesoformula {__version__}"
    workbook.calculation.fullCalcOnLoad = True
    content = BytesIO()
    workbook.save(content)
    place(content, results, path)


class _Page:
    """One sheet on its way into a worksheet."""

    def __init__(self, worksheet: Any, sheet: Sheet) -> None:
        if len(sheet.rows) > MOST_ROWS:
            raise ValueError(f"sheet {sheet.key!r}: {len(sheet.rows):,} rows; Excel holds {MOST_ROWS:,}")
        self.worksheet = worksheet
        self.sheet = sheet
        self.widths = column_widths(sheet)
        self.letters = {column.key: get_column_letter(n) for n, column in enumerate(sheet.columns, start=1)}
        self.last_letter = get_column_letter(len(sheet.columns))
        self.as_of: str | None = None
        self.results: dict[str, Decimal | int | str | None] = {}
        self.styles: dict[tuple[Any, ...], Any] = {}
        self.row = 1

    def write(self, table: str) -> Results:
        """Write everything, top to bottom, and return what the formulas come to."""
        for number, width in enumerate(self.widths, start=1):
            self.worksheet.column_dimensions[get_column_letter(number)].width = width
        self._title()
        self._facts()
        header = self._header()
        if self.sheet.rows:
            self._body()
            self._table(table, header)
            self._marks(header)
            self._totals(header)
        else:
            self._across(self.sheet.empty, 0, len(self.widths) - 1, _BODY_FONT)
            self.row += 1
        self._notes()
        self._print_settings(header)
        return self.results

    # ---- top to bottom ------------------------------------------------------------------------------------

    def _title(self) -> None:
        self._text(self.row, 1, self.sheet.title, font=_TITLE_FONT)
        self.worksheet.row_dimensions[self.row].height = 24
        self.row += 1

    def _facts(self) -> None:
        facts: list[tuple[str, Value]] = list(self.sheet.facts)
        if self.sheet.as_of is not None:
            facts.insert(0, ("As of", self.sheet.as_of))
        if not facts:
            return
        blocks = halves(self.widths)
        label_width = max(breadth(label) for label, _value in facts) + 1.0
        for start in range(0, len(facts), len(blocks)):
            pairs = zip(facts[start : start + len(blocks)], blocks, strict=False)
            height = 1
            for (label, value), (first, last) in pairs:
                label_last = min(reach(self.widths, first, label_width), last - 1)
                self._across(label, first, label_last, _QUIET_FONT, grow=False)
                if start == 0 and first == 0 and self.sheet.as_of is not None:
                    self._as_of_cell(label_last + 1)
                else:
                    height = max(height, self._across(value, label_last + 1, last, _BODY_FONT, grow=False))
            self.worksheet.row_dimensions[self.row].height = _height(height)
            self.row += 1
        self._gap()

    def _as_of_cell(self, first: int) -> None:
        last = reach(self.widths, first, 11)
        # The border comes first: merging spreads it over all cells.
        self.worksheet.cell(self.row, first + 1).border = Border(_THIN, _THIN, _THIN, _THIN)
        self._across(self.sheet.as_of, first, last, _INPUT_FONT, grow=False)
        self.as_of = f"${get_column_letter(first + 1)}${self.row}"

    def _header(self) -> int:
        headings: list[str] = []
        for number, column in enumerate(self.sheet.columns, start=1):
            headings.append(heading(column.heading, headings))
            self._text(
                self.row,
                number,
                headings[-1],
                font=_HEAD_FONT,
                fill=_HEAD_FILL,
                border=Border(top=_THIN, bottom=_THIN),
                alignment=Alignment(vertical="top", wrap_text=True),
            )
        self.headings = headings
        # Headings stand at the top, the filter's buttons at the bottom: a line of its own keeps them apart.
        tallest = max(lines(text, self.widths[n]) for n, text in enumerate(headings))
        self.worksheet.row_dimensions[self.row].height = max(tallest, 2) * _LINE
        self.row += 1
        return self.row - 1

    def _body(self) -> None:
        for row in self.sheet.rows:
            tallest = 1
            for number, (column, value) in enumerate(
                zip(self.sheet.columns, row.values, strict=True), start=1
            ):
                cell = self.worksheet.cell(self.row, number)
                formula = self._formula(column.computed)
                if formula is None:
                    self._put(cell, value)
                else:
                    cell.value = formula
                    self.results[cell.coordinate] = _result(value)
                self._dress(cell, column, row.mark)
                if isinstance(value, str):
                    tallest = max(tallest, lines(value, self.widths[number - 1]))
            self.worksheet.row_dimensions[self.row].height = _height(tallest)
            self.row += 1

    def _formula(self, computed: Computed | None) -> str | None:
        """Say how a cell of the current row follows from others; None where it does not."""
        match computed:
            case DaysUntil(column) if self.as_of is not None:
                day = self._at(column)
                return f'=IF(ISNUMBER({day}),{day}-{self.as_of},"")'
            case Times(left, right):
                one, other = self._at(left), self._at(right)
                return f'=IF(AND(ISNUMBER({one}),ISNUMBER({other})),{one}*{other},"")'
            case MarkOfDays(column, soon):
                days = self._at(column)
                word = f'IF({days}<0,"{Mark.EXPIRED}",IF({days}<={soon},"{Mark.SOON}",""))'
                return f'=IF(ISNUMBER({days}),{word},"")'
        return None

    def _at(self, key: str) -> str:
        return f"{self.letters[key]}{self.row}"

    def _table(self, name: str, header: int) -> None:
        table = Table(displayName=name, ref=f"A{header}:{self.last_letter}{self.row - 1}")
        table._initialise_columns()
        for column, text in zip(table.tableColumns, self.headings, strict=True):
            column.name = text
        self.worksheet.add_table(table)

    def _marks(self, header: int) -> None:
        """Let the colours follow the word, also after somebody has changed the day."""
        words = [c.key for c in self.sheet.columns if isinstance(c.computed, MarkOfDays)]
        if not words or self.as_of is None:
            return
        first = header + 1
        word = f"${self.letters[words[-1]]}{first}"
        everywhere = f"A{first}:{self.last_letter}{self.row - 1}"
        for mark in (Mark.EXPIRED, Mark.SOON):
            letters, ground = _COLOURS[mark]
            self._rule(
                everywhere, f'{word}="{mark}"', letters, ground, bold=True if mark is Mark.EXPIRED else None
            )
        # The colours that rows bear of themselves, for viewers without rules, must yield to an empty word.
        coloured = " ".join(
            f"A{n}:{self.last_letter}{n}"
            for n, row in enumerate(self.sheet.rows, start=first)
            if row.mark in (Mark.EXPIRED, Mark.SOON)
        )
        if coloured:
            word = f"${self.letters[words[-1]]}{coloured[1 : coloured.index(':')]}"
            self._rule(coloured, f'{word}=""', "000000", "FFFFFF", bold=False)

    def _rule(self, cells: str, formula: str, letters: str, ground: str, *, bold: bool | None) -> None:
        rule = FormulaRule(formula=[formula], stopIfTrue=True)
        rule.dxf = DifferentialStyle(
            font=Font(color=letters, bold=bold), fill=PatternFill("solid", bgColor=ground)
        )
        self.worksheet.conditional_formatting.add(cells, rule)

    def _totals(self, header: int) -> None:
        if not any(column.total for column in self.sheet.columns):
            return
        last = self.row - 1
        # A gap keeps the totals out of the table, however far a program stretches its filter.
        self._gap()
        border = Border(top=_THIN, bottom=Side(style="double", color="7F7F7F"))
        for number, column in enumerate(self.sheet.columns, start=1):
            cell = self.worksheet.cell(self.row, number)
            if column.total:
                letter = self.letters[column.key]
                cells = f"{letter}{header + 1}:{letter}{last}"
                # 102 counts the numbers that are shown: without any there is no sum, not even 0.
                cell.value = f'=IF(SUBTOTAL(102,{cells})=0,"",SUBTOTAL(109,{cells}))'
                cell.number_format = f'"{AT_LEAST}"' * column.at_least + _number_format(column)
                cell.alignment = Alignment(horizontal="right")
                self.results[cell.coordinate] = self.sheet.total(column.key)
            elif number == 1:
                self._put(cell, "Total of the rows shown")
            cell.font = _BOLD_FONT
            cell.border = border
        self.worksheet.row_dimensions[self.row].height = 18
        self.row += 1

    def _notes(self) -> None:
        if not self.sheet.notes:
            return
        self._gap()
        for note in self.sheet.notes:
            self._across(note, 0, len(self.widths) - 1, _QUIET_FONT)
            self.row += 1

    def _print_settings(self, header: int) -> None:
        sheet, worksheet = self.sheet, self.worksheet
        worksheet.freeze_panes = f"A{header + 1}"
        worksheet.sheet_view.showGridLines = False
        worksheet.print_title_rows = f"{header}:{header}"
        worksheet.page_setup.orientation = "landscape"
        worksheet.page_setup.paperSize = _A4
        worksheet.page_setup.fitToWidth = 1
        worksheet.page_setup.fitToHeight = 0
        worksheet.sheet_properties.pageSetUpPr.fitToPage = True
        margins = worksheet.page_margins
        margins.left = margins.right = 0.4
        margins.top = margins.bottom = 0.65
        margins.header = margins.footer = 0.3
        head, foot = worksheet.oddHeader, worksheet.oddFooter
        head.left.text = in_header(sheet.title)
        if sheet.as_of is not None:
            head.right.text = f"as of {sheet.as_of.isoformat()}"
        foot.left.text = f"mesoformula {__version__}"
        foot.right.text = "Page &P of &N"
        for part in (head.left, head.right, foot.left, foot.right):
            part.size = 8

    # ---- cells --------------------------------------------------------------------------------------------

    def _gap(self) -> None:
        self.worksheet.row_dimensions[self.row].height = _GAP
        self.row += 1

    def _across(self, value: Value, first: int, last: int, font: Font, *, grow: bool = True) -> int:
        """Put a value into columns of the current row, and return how many lines it takes."""
        cell = self.worksheet.cell(self.row, first + 1)
        self._put(cell, value)
        if isinstance(value, date):
            cell.number_format = _MOMENT if isinstance(value, datetime) else _DAY
        cell.font = font
        cell.alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
        if last > first:
            self.worksheet.merge_cells(
                start_row=self.row, end_row=self.row, start_column=first + 1, end_column=last + 1
            )
        taken = lines(value, sum(self.widths[first : last + 1])) if isinstance(value, str) else 1
        if grow:
            self.worksheet.row_dimensions[self.row].height = _height(taken)
        return taken

    def _text(self, row: int, number: int, text: str, **style: Any) -> None:
        cell = self.worksheet.cell(row, number)
        self._put(cell, text)
        for name, value in style.items():
            setattr(cell, name, value)

    def _put(self, cell: Any, value: Value) -> None:
        """Put a value into a cell; a text stays a text, whatever it begins with."""
        if value is None or value == "":
            return
        if isinstance(value, str):
            cell.value = clean(value)
            cell.data_type = "s"
            return
        if isinstance(value, Decimal) and not value.is_finite():
            raise ValueError(f"sheet {self.sheet.key!r}: {value} is no number that a cell can hold")
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        cell.value = value

    def _dress(self, cell: Any, column: Column, mark: Mark) -> None:
        key = (column.key, mark)
        style = self.styles.get(key)
        if style is None:
            style = self.styles[key] = self._style(column, mark)
        # One style made once and copied: setting six properties of each cell takes ten times as long.
        cell._style = copy(style)

    def _style(self, column: Column, mark: Mark) -> Any:
        model = Cell(self.worksheet, row=1, column=1)
        letters, ground = _COLOURS.get(mark, ("000000", None))
        is_word = isinstance(column.computed, MarkOfDays)
        model.font = Font(
            name="Calibri", size=10, color=letters, bold=mark is Mark.EXPIRED or (is_word and bool(mark))
        )
        model.fill = PatternFill("solid", fgColor=ground) if ground is not None else _NO_FILL
        model.border = Border(left=_FAINT, right=_FAINT, bottom=_HAIR)
        model.number_format = _number_format(column)
        sides = {Holds.TEXT: "left", Holds.DAY: "center", Holds.MOMENT: "center"}
        model.alignment = Alignment(
            horizontal=sides.get(column.holds, "right"), vertical="top", wrap_text=column.holds is Holds.TEXT
        )
        if column.holds is Holds.TEXT and column.computed is None:
            # Otherwise Excel would read `=…` as a formula, and `2401E3` as a number, once somebody edits it.
            model.quotePrefix = True
        return model._style


def _height(taken: int) -> float:
    """Find the height of a row in points; Excel draws none above 409."""
    return min(taken * 13.0 + 3, 409.0)


def _number_format(column: Column) -> str:
    match column.holds:
        case Holds.WHOLE | Holds.DECIMAL:
            # The room of two brackets keeps numbers off the text to their right; LibreOffice loses indents.
            return f"#,##0.{'0' * column.places}_)_)" if column.places else "#,##0_)_)"
        case Holds.DAY:
            return _DAY
        case Holds.MOMENT:
            return _MOMENT
    return "General" if column.computed is not None else "@"


def _result(value: Value) -> Decimal | int | str | None:
    return value if isinstance(value, int | Decimal | str) else None
