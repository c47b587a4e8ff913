"""A sheet that is one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table

from mesoformula import Column, Sheet
from mesoformula.sheets import (
    Computed,
    DaysUntil,
    Holds,
    Live,
    Mark,
    MarkOfDays,
    Named,
    Times,
    Value,
    plain_value,
)
from mesoformula_excel.book import AS_OF, Book, words_of
from mesoformula_excel.bulk import Tail, with_room
from mesoformula_excel.entry import Entry, runs_of
from mesoformula_excel.formulas import Span, is_wild, text_in_formula
from mesoformula_excel.layout import AT_LEAST, INDENT, breadth, column_widths, halves, lines, reach
from mesoformula_excel.printing import set_up
from mesoformula_excel.styles import (
    BODY,
    BOLD,
    CHARACTER,
    COLOURS,
    DAY,
    GAP,
    INPUT_CELL,
    MOMENT,
    QUIET_TEXT,
    TITLE,
    Look,
    body_look,
    head_look,
    height,
    number_format,
)
from mesoformula_excel.texts import clean, heading
from mesoformula_excel.vital import with_written

_HEAD_LINE = 15.0
_THE_DAY = Named(AS_OF)


def write_list(book: Book, worksheet: Any, sheet: Sheet, name: str, tail: Tail | None = None) -> None:
    """
    Write a sheet that is one table.

    Args:
        book: The workbook.
        worksheet: Its tab.
        sheet: What to write.
        name: Of the table.
        tail: All rows, if those of the sheet are a sample that they replace when the workbook is saved.
    """
    _List(book, worksheet, sheet, tail).write(name)


class _List:
    """One table on its way into a worksheet."""

    def __init__(self, book: Book, worksheet: Any, sheet: Sheet, tail: Tail | None) -> None:
        self.say = words_of(sheet)
        columns, rows = with_written(sheet.columns, tuple(sheet.rows), self.say)
        self.book = book
        self.worksheet = worksheet
        self.sheet = sheet = attrs.evolve(sheet, columns=columns, rows=rows)
        self.rows = rows
        self.tail = tail
        widths = column_widths(sheet)
        self.widths = widths if tail is None else with_room(sheet.columns, widths)
        self.letters = {column.key: get_column_letter(n) for n, column in enumerate(sheet.columns, start=1)}
        self.last_letter = get_column_letter(len(sheet.columns))
        self.wild = frozenset(
            column.key
            for place, column in enumerate(sheet.columns)
            if column.holds is Holds.TEXT and any(is_wild(plain_value(row.values[place])) for row in rows)
        )
        self.entry = Entry(book, worksheet, self.say)
        self.as_of: str | None = None
        self.headings: list[str] = []
        self.looks: dict[tuple[str, Mark, bool, bool], Look] = {}
        self.open: dict[str, list[int]] = {column.key: [] for column in sheet.columns}
        self.row = 1

    def write(self, name: str) -> None:
        """Write everything, top to bottom."""
        for number, width in enumerate(self.widths, start=1):
            self.book.widen(self.worksheet, number, width * CHARACTER)
        self._title()
        self._facts()
        header = self._header()
        if self.rows or self.tail is not None:
            self._body()
            if self.tail is not None:
                self.tail.first = header + 1
                self.row += self.tail.more
            self._table(name, header)
            self._marks(header)
            self._totals(header)
        else:
            self._across(self.sheet.empty, 0, len(self.widths) - 1, BODY)
            self.row += 1
            # What expressions find of a table without rows: one row of cells that are empty.
            self._spans(self.row, self.row)
            self._gap()
        self._notes()
        self.worksheet.freeze_panes = f"A{header + 1}"
        self.worksheet.print_title_rows = f"{header}:{header}"
        set_up(self.worksheet, self.sheet, self.say)
        if self.sheet.is_locked:
            self.entry.lock()

    # ---- top to bottom ------------------------------------------------------------------------------------

    def _title(self) -> None:
        self.book.put(self.worksheet.cell(self.row, 1), self.sheet.title, TITLE)
        self.worksheet.row_dimensions[self.row].height = 24
        self.row += 1

    def _facts(self) -> None:
        facts: list[tuple[str, Value]] = list(self.sheet.facts)
        if self.sheet.as_of is not None:
            facts.insert(0, (self.say("As of"), self.sheet.as_of))
        if not facts:
            return
        blocks = halves(self.widths)
        # Each block of facts has the room that its own words need.
        label_widths = [
            max((breadth(label) for label, _value in facts[place :: len(blocks)]), default=0) + 1.0
            for place in range(len(blocks))
        ]
        for start in range(0, len(facts), len(blocks)):
            pairs = zip(facts[start : start + len(blocks)], blocks, label_widths, strict=False)
            tallest = 1
            for (label, value), (first, last), label_width in pairs:
                label_last = min(reach(self.widths, first, label_width), last - 1)
                self._across(label, first, label_last, QUIET_TEXT, grow=False)
                if start == 0 and first == 0 and self.sheet.as_of is not None:
                    self._as_of_cell(label_last + 1)
                else:
                    tallest = max(tallest, self._across(value, label_last + 1, last, BODY, grow=False))
            self.worksheet.row_dimensions[self.row].height = height(tallest)
            self.row += 1
        self._gap()

    def _as_of_cell(self, first: int) -> None:
        day = self.sheet.as_of
        cell = self.worksheet.cell(self.row, first + 1)
        self.as_of = f"${get_column_letter(first + 1)}${self.row}"
        last = reach(self.widths, first, 11)
        if self.book.as_of == day and day is not None:
            # One day for the whole workbook: it is changed where it stands first.
            self.book.wardrobe.dress(cell, BOLD.but(format=DAY))
            self.book.let(cell, Live(day, _THE_DAY))
            self._merge(first, last)
            return
        self.book.put(cell, day, INPUT_CELL.but(format=DAY))
        self._merge(first, last)
        self.entry.day(cell.coordinate)
        if self.book.as_of is None:
            self.book.as_of = day
            self.book.call(AS_OF, self.worksheet, first + 1, self.row)

    def _header(self) -> int:
        for number, column in enumerate(self.sheet.columns, start=1):
            self.headings.append(heading(column.heading, self.headings))
            self.book.put(
                self.worksheet.cell(self.row, number), self.headings[-1], head_look(column).but(upright="top")
            )
        # Headings stand at the top, the filter's buttons at the bottom: a line of its own keeps them apart.
        tallest = max(lines(text, self.widths[n] - INDENT) for n, text in enumerate(self.headings))
        self.worksheet.row_dimensions[self.row].height = max(tallest, 2) * _HEAD_LINE
        self.row += 1
        return self.row - 1

    def _body(self) -> None:
        columns = self.sheet.columns
        for row in self.rows:
            tallest = 1
            cells: Mapping[str, str] = {key: f"{letter}{self.row}" for key, letter in self.letters.items()}
            for number, (column, value) in enumerate(zip(columns, row.values, strict=True), start=1):
                cell = self.worksheet.cell(self.row, number)
                is_open = column.editable or column.key in row.editable
                look = self._look(column, row.mark, is_live=isinstance(value, Live), is_open=is_open)
                self.book.wardrobe.dress(cell, look)
                if is_open:
                    self.open[column.key].append(self.row)
                text = plain_value(value)
                formula = self._formula(column.computed)
                if self.tail is not None:
                    self.book.put(cell, text)
                elif formula is not None:
                    self.book.follow(cell, formula, text)
                else:
                    self.book.let(cell, value, row=cells, wild=self.wild)
                if isinstance(text, str):
                    tallest = max(tallest, lines(text, self.widths[number - 1] - INDENT))
            self.worksheet.row_dimensions[self.row].height = height(tallest)
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
            case MarkOfDays(column, soon, expired_word, soon_word):
                days = self._at(column)
                expired, nearly = text_in_formula(expired_word), text_in_formula(soon_word)
                word = f'IF({days}<0,{expired},IF({days}<={soon},{nearly},""))'
                return f'=IF(ISNUMBER({days}),{word},"")'
        return None

    def _at(self, key: str) -> str:
        return f"{self.letters[key]}{self.row}"

    def _spans(self, first: int, last: int) -> None:
        for place, column in enumerate(self.sheet.columns):
            span = Span(self.worksheet.title, self.letters[column.key], first, last)
            values = [plain_value(row.values[place]) for row in self.rows]
            self.book.span(self.sheet.key, column, span, values)

    def _table(self, name: str, header: int) -> None:
        first, last = header + 1, self.row - 1
        self._spans(first, last)
        table = Table(displayName=name, ref=f"A{header}:{self.last_letter}{last}")
        table._initialise_columns()
        for column, text in zip(table.tableColumns, self.headings, strict=True):
            column.name = clean(text)
        self.worksheet.add_table(table)
        for column in self.sheet.columns:
            if self.open[column.key]:
                letter = self.letters[column.key]
                runs = runs_of(self.open[column.key])
                self.entry.column(column, " ".join(f"{letter}{start}:{letter}{end}" for start, end in runs))

    def _marks(self, header: int) -> None:
        """Let the colours follow the word, also after somebody has changed the day."""
        words = [(c.key, c.computed) for c in self.sheet.columns if isinstance(c.computed, MarkOfDays)]
        if not words or self.as_of is None:
            return
        key, computed = words[-1]
        first = header + 1
        word = f"${self.letters[key]}{first}"
        # Cells to fill in keep the look by which they are known.
        closed = [n for n, column in enumerate(self.sheet.columns, start=1) if not column.editable]
        everywhere = " ".join(
            f"{get_column_letter(start)}{first}:{get_column_letter(end)}{self.row - 1}"
            for start, end in runs_of(closed)
        )
        for mark in (Mark.EXPIRED, Mark.SOON):
            letters, ground = COLOURS[mark]
            said = text_in_formula(computed.word(mark) or mark.value)
            self._rule(
                everywhere, f"{word}={said}", letters, ground, bold=True if mark is Mark.EXPIRED else None
            )
        # The colours that rows bear of themselves, for viewers without rules, must yield to an empty word.
        coloured = " ".join(
            f"A{n}:{self.last_letter}{n}"
            for n, row in enumerate(self.rows, start=first)
            if row.mark in (Mark.EXPIRED, Mark.SOON)
        )
        if coloured:
            word = f"${self.letters[key]}{coloured[1 : coloured.index(':')]}"
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
        for number, column in enumerate(self.sheet.columns, start=1):
            cell = self.worksheet.cell(self.row, number)
            look = BOLD.but(top="thin", bottom="double", upright="center", indent=1)
            if column.total:
                letter = self.letters[column.key]
                cells = f"{letter}{header + 1}:{letter}{last}"
                shown = f'"{AT_LEAST}"' * column.at_least + number_format(column.holds, column.places)
                look = look.but(beside="right", format=shown, indent=0)
                # 102 counts the numbers that are shown: without any there is no sum, not even 0.
                text = f'=IF(SUBTOTAL(102,{cells})=0,"",SUBTOTAL(109,{cells}))'
                self.book.follow(cell, text, self.sheet.total(column.key))
            elif number == 1:
                self.book.put(cell, self.say("Total of the rows shown"))
            self.book.wardrobe.dress(cell, look)
        self.worksheet.row_dimensions[self.row].height = 18
        self.row += 1

    def _notes(self) -> None:
        if not self.sheet.notes:
            return
        self._gap()
        for note in self.sheet.notes:
            self._across(note, 0, len(self.widths) - 1, QUIET_TEXT)
            self.row += 1

    # ---- cells --------------------------------------------------------------------------------------------

    def _gap(self) -> None:
        self.worksheet.row_dimensions[self.row].height = GAP
        self.row += 1

    def _across(self, value: Value, first: int, last: int, look: Look, *, grow: bool = True) -> int:
        """Put a value into columns of the current row, and return how many lines it takes."""
        self.book.put(self.worksheet.cell(self.row, first + 1), value, look.but(format=_format(value)))
        self._merge(first, last)
        taken = lines(value, sum(self.widths[first : last + 1])) if isinstance(value, str) else 1
        if grow:
            self.worksheet.row_dimensions[self.row].height = height(taken)
        return taken

    def _merge(self, first: int, last: int) -> None:
        # Merging spreads the borders of the first cell over all: they must be there before.
        if last > first:
            self.worksheet.merge_cells(
                start_row=self.row, end_row=self.row, start_column=first + 1, end_column=last + 1
            )

    def _look(self, column: Column, mark: Mark, *, is_live: bool, is_open: bool) -> Look:
        key = (column.key, mark, is_live, is_open)
        if key not in self.looks:
            is_formula = is_live or column.computed is not None
            self.looks[key] = body_look(column, mark, is_formula=is_formula, is_open=is_open)
        return self.looks[key]


def _format(value: Value) -> str:
    kind = type(value).__name__
    return {"datetime": MOMENT, "date": DAY}.get(kind, "General")
