"""A sheet that is a page of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break

from mesoformula import Sheet
from mesoformula.sheets import (
    Chart,
    Fact,
    Facts,
    Holds,
    Live,
    Mark,
    Picture,
    Row,
    Table,
    Texts,
    Value,
    plain_value,
    total,
)
from mesoformula_excel.book import AS_OF, Book, words_of
from mesoformula_excel.charts import chart_height, draw_chart
from mesoformula_excel.computing import live
from mesoformula_excel.entry import Entry
from mesoformula_excel.formulas import Span, is_wild
from mesoformula_excel.layout import AT_LEAST, INDENT, lines, pieces, shown
from mesoformula_excel.page_plan import (
    ACROSS,
    POINTS,
    ROOM_ACROSS,
    ROOM_UPRIGHT,
    UNIT,
    UPRIGHT,
    Band,
    Placed,
    fitting,
    plan,
)
from mesoformula_excel.pictures import draw_picture
from mesoformula_excel.printing import set_up
from mesoformula_excel.styles import (
    BODY,
    BOLD,
    CHARACTER,
    COLOURS,
    LINE,
    QUIET_TEXT,
    SUBTITLE,
    TALLEST,
    TITLE,
    Look,
    body_look,
    fact_look,
    head_look,
    height,
    number_format,
)
from mesoformula_excel.vital import with_written

_GAP = 8.0
#: Room to write by hand, in points.
_TO_WRITE = 24.0


def write_page(book: Book, worksheet: Any, sheet: Sheet, sizes: Mapping[str, int]) -> None:
    """
    Write a sheet that is a page of blocks.

    Args:
        book: The workbook.
        worksheet: Its tab.
        sheet: What to write.
        sizes: Rows of each table in the workbook.
    """
    _Page(book, worksheet, sheet, sizes).write()


class _Page:
    """One page on its way into a worksheet."""

    def __init__(self, book: Book, worksheet: Any, sheet: Sheet, sizes: Mapping[str, int]) -> None:
        self.book = book
        self.worksheet = worksheet
        self.sheet = sheet
        self.say = words_of(sheet)
        self.entry = Entry(book, worksheet, self.say)
        upright = fitting(sheet.blocks) if sheet.on_one_page else UPRIGHT
        self.width = upright if sheet.is_upright else ACROSS
        blocks = [self._with_written(block) if isinstance(block, Table) else block for block in sheet.blocks]
        head = self._head()
        bands = plan((*head, *blocks), self.width, sizes)
        edges = {0, self.width, *(edge for band in bands for placed in band.blocks for edge in placed.edges)}
        self.edges = sorted(edges)
        self.number = {edge: number for number, edge in enumerate(self.edges, start=1)}
        self.bands = bands
        self.heights: dict[int, float] = {}
        # What one printed page holds, as far as it is known before a program prints it.
        self.room = (ROOM_UPRIGHT if sheet.is_upright else ROOM_ACROSS) * self.edges[-1] / self.width
        self.used = 0.0
        self.row = 1

    def write(self) -> None:
        """Write everything, top to bottom."""
        for number, (left, right) in enumerate(zip(self.edges, self.edges[1:], strict=False), start=1):
            self.book.widen(self.worksheet, number, (right - left) * CHARACTER)
        self._across(self.sheet.title, 0, self.width, TITLE)
        self._tall(26)
        self.used = self.heights[1]
        for band in self.bands:
            first = self.row
            self._band(band)
            self._break(first)
        if self.sheet.notes:
            self._tall(_GAP)
            for note in self.sheet.notes:
                self._paragraph(note, 0, self.width, QUIET_TEXT)
        set_up(self.worksheet, self.sheet, self.say)
        last = get_column_letter(len(self.edges) - 1)
        self.worksheet.print_area = f"A1:{last}{self.row - 1}"
        if self.sheet.is_locked:
            self.entry.lock()

    def _head(self) -> tuple[Facts, ...]:
        """Bring the facts of the sheet into a block, the day first."""
        facts = [Fact(word, value, _holds(value), _places(value)) for word, value in self.sheet.facts]
        day = self.sheet.as_of
        named = any(
            fact.name == AS_OF
            for block in self.sheet.blocks
            if isinstance(block, Facts)
            for fact in block.facts
        )
        if day is not None and not named:
            if self.book.as_of is None:
                self.book.as_of = day
                facts.insert(0, Fact(self.say("As of"), day, Holds.DAY, name=AS_OF, is_input=True))
            else:
                facts.insert(0, Fact(self.say("As of"), day, Holds.DAY))
        return (Facts(tuple(facts)),) if facts else ()

    def _with_written(self, table: Table) -> Table:
        columns, rows = with_written(table.columns, table.rows, self.say)
        return Table(table.key, columns, rows, table.title, table.empty)

    # ---- bands --------------------------------------------------------------------------------------------

    def _band(self, band: Band) -> None:
        main, *sides = band.blocks
        self._tall(_GAP)
        start = self.row
        if isinstance(main.block, Chart | Picture):
            bottom = max(self._drawn(placed, start) for placed in band.blocks)
        else:
            match main.block:
                case Table():
                    self._table(main.block, main.edges)
                case Facts():
                    self._facts(main.block, main.edges)
                case Texts():
                    self._texts(main.block, main.edges)
            bottom = max((self._drawn(placed, start) for placed in sides), default=0.0)
        taken = sum(self.heights[row] for row in range(start, self.row))
        while bottom - taken > 1:
            self._tall(min(bottom - taken, TALLEST))
            taken += self.heights[self.row - 1]

    def _break(self, first: int) -> None:
        """Begin a new page with a band that one page holds but this one has no room for."""
        taken = sum(self.heights[row] for row in range(first, self.row))
        if self.used + taken <= self.room or self.sheet.on_one_page:
            self.used += taken
        elif taken <= self.room:
            self.worksheet.row_breaks.append(Break(id=first - 1))
            self.used = taken
        else:
            self.used = (self.used + taken) % self.room

    def _drawn(self, placed: Placed, row: int) -> float:
        """Let a chart or picture be drawn from a row on, and return the points that it takes."""
        column = self.number[placed.edges[0]]
        width = (placed.edges[-1] - placed.edges[0]) * UNIT
        match placed.block:
            case Chart():
                block = placed.block
                tall = max(
                    chart_height(block, self.book.size(block.table)),
                    sum(self.heights.get(one, 0) for one in range(row, self.row)) / POINTS,
                )
                self.book.later(
                    lambda: draw_chart(self.book, self.worksheet, block, (column, row), (width, tall))
                )
                return (tall + 2) * POINTS
            case Picture():
                draw_picture(self.worksheet, placed.block, (column, row))
                return (float(placed.block.height) + 2) * POINTS
        return 0.0

    # ---- blocks -------------------------------------------------------------------------------------------

    def _heading(self, title: str, left: int, right: int) -> None:
        if title:
            taken = self._across(title, left, right, SUBTITLE.but(wraps=True))
            self._tall(taken * (LINE + 2) + 4)

    def _table(self, table: Table, edges: tuple[int, ...]) -> None:
        self._heading(table.title, edges[0], edges[-1])
        columns = list(zip(table.columns, edges, edges[1:], strict=False))
        taken = [
            self._across(column.heading, left, right, head_look(column)) for column, left, right in columns
        ]
        self._tall(max(taken, default=1) * LINE + 5)
        first = self.row
        letters = {column.key: get_column_letter(self.number[left]) for column, left, _right in columns}
        wild = frozenset(
            column.key
            for place, column in enumerate(table.columns)
            if any(is_wild(plain_value(row.values[place])) for row in table.rows)
        )
        for row in table.rows:
            self._row(row, columns, letters, wild)
        if not table.rows:
            self._paragraph(table.empty, edges[0], edges[-1], BODY.but(indent=1, bottom="hair"))
            first = self.row
            # What expressions find of a table without rows: cells that are empty.
            self._tall(_GAP)
        for place, column in enumerate(table.columns):
            span = Span(self.worksheet.title, letters[column.key], first, self.row - 1)
            self.book.span(table.key, column, span, [plain_value(row.values[place]) for row in table.rows])
        if table.rows and any(column.total for column in table.columns):
            self._totals(table, columns, letters, first)

    def _row(self, row: Row, columns: Any, letters: Mapping[str, str], wild: frozenset[str]) -> None:
        cells = {key: f"{letter}{self.row}" for key, letter in letters.items()}
        tallest = 1
        for (column, left, right), value in zip(columns, row.values, strict=True):
            given = live(column.computed, value) if column.computed and self.book.as_of else value
            is_open = column.editable or column.key in row.editable
            look = body_look(column, row.mark, is_formula=isinstance(given, Live), is_open=is_open)
            cell = self.worksheet.cell(self.row, self.number[left])
            if is_open:
                self.entry.column(column, cell.coordinate)
            self.book.let(cell, given, look, row=cells, wild=wild)
            self._merge(left, right)
            text = plain_value(value)
            if isinstance(text, str):
                tallest = max(tallest, lines(text, right - left - INDENT))
        self._tall(height(tallest))

    def _totals(self, table: Table, columns: Any, letters: Mapping[str, str], first: int) -> None:
        for place, (column, left, right) in enumerate(columns):
            cell = self.worksheet.cell(self.row, self.number[left])
            look = BOLD.but(top="thin", bottom="double", upright="center", indent=1)
            if column.total:
                cells = f"{letters[column.key]}{first}:{letters[column.key]}{self.row - 1}"
                shown_as = f'"{AT_LEAST}"' * column.at_least + number_format(column.holds, column.places)
                look = look.but(beside="right", format=shown_as, indent=0)
                self.book.follow(
                    cell,
                    f'=IF(COUNT({cells})=0,"",SUM({cells}))',
                    total(table.columns, table.rows, column.key),
                )
            elif place == 0:
                self.book.put(cell, self.say("Total"))
            self.book.wardrobe.dress(cell, look)
            self._merge(left, right)
        self._tall(18)

    def _facts(self, facts: Facts, edges: tuple[int, ...]) -> None:
        self._heading(facts.title, edges[0], edges[-1])
        pairs = [edges[n : n + 4] for n in range(0, len(edges), 4)]
        for start in range(0, len(facts.facts), facts.across):
            beside = facts.facts[start : start + facts.across]
            # A line to write on stands at the bottom, and so do the words beside it.
            upright = "bottom" if any(fact.to_fill_in for fact in beside) else "center"
            tallest = 0.0
            for fact, pair in zip(beside, pairs, strict=False):
                tallest = max(tallest, self._fact(fact, pair, upright))
            self._tall(tallest)

    def _fact(self, fact: Fact, edges: tuple[int, ...], upright: str) -> float:
        """Write a word and its value into the current row, and return the height that they need."""
        word, value, short, end = edges
        taken = self._across(fact.word, word, value, QUIET_TEXT.but(upright=upright))
        given = fact.value
        is_formula = isinstance(given, Live)
        plain = plain_value(given)
        look = fact_look(fact, is_formula=is_formula).but(upright=upright)
        is_vital = isinstance(given, Live) and given.is_vital
        is_short = short < end and (is_vital or (fact.is_input and fact.holds is not Holds.TEXT))
        right = short if is_short else end
        cell = self.worksheet.cell(self.row, self.number[value])
        if fact.name is not None and not (isinstance(given, Live) and given.name == fact.name):
            self.book.call(fact.name, self.worksheet, cell.column, cell.row)
        self.book.let(cell, given, look)
        self._merge(value, right)
        if fact.is_input:
            self._allow(fact, cell.coordinate)
        if isinstance(plain, str):
            taken = max(taken, lines(plain, right - value))
        if is_vital and is_short:
            text = self.say("when written: {value}", value=shown(plain, fact.places) or "–")
            taken = max(taken, self._across(text, short, end, QUIET_TEXT.but(indent=1, upright=upright)))
        return max(height(taken), _TO_WRITE if fact.to_fill_in else 0)

    def _allow(self, fact: Fact, cell: str) -> None:
        if fact.allowed is not None:
            self.entry.allow(fact.allowed, fact.holds, fact.word, cell)
        elif fact.holds is Holds.DAY:
            self.entry.day(cell)

    def _texts(self, texts: Texts, edges: tuple[int, ...]) -> None:
        left, right = edges[0], edges[-1]
        if texts.mark is Mark.NONE:
            self._heading(texts.title, left, right)
            for text in texts.texts:
                self._paragraph(text, left, right, BODY)
            return
        letters, ground = COLOURS[texts.mark]
        # A bar at the left marks the box on a grey printer too; the words say what it is.
        box = BODY.but(ground=ground, colour=letters, left="bar", upright="center", indent=1)
        if texts.title:
            self._paragraph(texts.title, left, right, box.but(bold=True, size=12))
        for text in texts.texts:
            self._paragraph(text, left, right, box)

    # ---- cells --------------------------------------------------------------------------------------------

    def _paragraph(self, text: str, left: int, right: int, look: Look) -> None:
        for piece in pieces(text, right - left):
            taken = self._across(piece, left, right, look)
            self._tall(height(taken) * max(look.size / 10, 1) + (2 if look.ground else 0))

    def _across(self, value: Value, left: int, right: int, look: Look) -> int:
        """Put a value into the current row between two edges, and return how many lines it takes."""
        self.book.put(self.worksheet.cell(self.row, self.number[left]), value, look)
        self._merge(left, right)
        return (
            lines(value, (right - left - INDENT * look.indent) * 10 / look.size)
            if isinstance(value, str)
            else 1
        )

    def _merge(self, left: int, right: int) -> None:
        # Merging spreads the borders of the first cell over all: they must be there before.
        first, last = self.number[left], self.number[right] - 1
        if last > first:
            self.worksheet.merge_cells(
                start_row=self.row, end_row=self.row, start_column=first, end_column=last
            )

    def _tall(self, points: float) -> None:
        """Finish the current row with its height."""
        self.heights[self.row] = self.worksheet.row_dimensions[self.row].height = points
        self.row += 1


def _holds(value: Value) -> Holds:
    match value:
        case datetime():
            return Holds.MOMENT
        case date():
            return Holds.DAY
        case int():
            return Holds.WHOLE
        case Decimal():
            return Holds.DECIMAL
    return Holds.TEXT


def _places(value: Value) -> int:
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return max(-exponent, 0) if isinstance(exponent, int) else 0
