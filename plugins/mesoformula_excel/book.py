"""A workbook on its way: its cells, its names, and the formulas that wait until every cell has its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.workbook.defined_name import DefinedName

from mesoformula import UnknownNameError
from mesoformula.languages import ENGLISH, Words, words
from mesoformula.sheets import Column, Live, Sheet, Value
from mesoformula_excel.formulas import Around, Span, Spot, formula, number_text, quoted
from mesoformula_excel.results import Result
from mesoformula_excel.styles import Look, Wardrobe
from mesoformula_excel.texts import clean, table_name

#: By which expressions refer to the day that days left are counted from.
AS_OF = "as_of"


@attrs.frozen
class _Waiting:
    """A formula to be written once every cell has its place."""

    cell: Any
    live: Live
    row: Mapping[str, str]
    wild: frozenset[str]


# A file gives widths in digits of the workbook's default font: of Calibri in 11 points if nothing is said, of
# which one is 7 pixels for Excel and 7.4 for LibreOffice. Where widths must be exact, the font is one whose
# digits are 8 pixels for both.
_DIGIT, _EXACT_DIGIT = 7, 8
_EXACT_FONT = Font(name="Times New Roman", size=12, family=1)


class Book:
    """
    One workbook.

    Attributes:
        workbook: As openpyxl has it.
        wardrobe: The looks of its cells.
        as_of: The day of the cell that is called `as_of`, if there is one yet.
        sizes: Rows of each table, by key.
    """

    def __init__(self, sizes: Mapping[str, int] | None = None, *, is_exact: bool = False) -> None:
        self.sizes = sizes or {}
        self._headings: dict[tuple[str, str], str] = {}
        self._values: dict[tuple[str, str], Sequence[Value]] = {}
        self._later: list[Callable[[], None]] = []
        self.workbook = Workbook()
        self.workbook.remove(self.workbook.active)
        self._digit = _DIGIT
        if is_exact:
            self._digit = _EXACT_DIGIT
            self.workbook._fonts = IndexedList([_EXACT_FONT])
            self.workbook._named_styles["Normal"].font = _EXACT_FONT
        self.wardrobe = Wardrobe()
        self.as_of: date | None = None
        self._results: dict[str, dict[str, Result]] = {}
        self._spans: dict[tuple[str, str], Span] = {}
        self._spots: dict[str, Spot] = {}
        self._taken: list[str] = []
        self._waiting: list[_Waiting] = []
        self._choices: dict[tuple[str, ...], str] = {}

    def tab(self, title: str) -> Any:
        """
        Add a tab.

        Args:
            title: Unlike any other.

        Returns:
            Its worksheet.
        """
        self._results[title] = {}
        return self.workbook.create_sheet(title)

    @property
    def results(self) -> tuple[dict[str, Result], ...]:
        """What formulas come to, by tab and cell."""
        return tuple(self._results[worksheet.title] for worksheet in self.workbook.worksheets)

    def widen(self, worksheet: Any, column: int, pixels: float) -> None:
        """
        Set the width of a column.

        Args:
            worksheet: The tab.
            column: Counted from 1.
            pixels: Of which there are 96 to an inch.
        """
        worksheet.column_dimensions[get_column_letter(column)].width = pixels / self._digit

    # ---- names --------------------------------------------------------------------------------------------

    def take_name(self, key: str) -> str:
        """
        Take a name for a table or a cell, which share one room.

        Args:
            key: By which sheets call it.

        Returns:
            A name that Excel accepts, unlike any other.
        """
        self._taken.append(table_name(key, self._taken))
        return self._taken[-1]

    def call(self, name: str, worksheet: Any, column: int, row: int) -> None:
        """
        Give a cell a name, by which expressions and people find it.

        Args:
            name: As sheets have it.
            worksheet: Of the cell.
            column: Its column, counted from 1.
            row: Its row.

        Raises:
            ValueError: If another cell has that name.
        """
        if name in self._spots:
            raise ValueError(f"two cells of the workbook are called {name!r}; names are unique")
        spot = self._spots[name] = Spot(worksheet.title, get_column_letter(column), row)
        taken = self.take_name(name)
        address = f"{quoted(spot.sheet)}!${spot.letter}${spot.row}"
        self.workbook.defined_names[taken] = DefinedName(taken, attr_text=address)

    def span(self, table: str, column: Column, span: Span, values: Sequence[Value]) -> None:
        """
        Remember where a column of a table stands.

        Args:
            table: Its key.
            column: Which.
            span: Where.
            values: Of its rows.
        """
        # The first of two tables of one key is the one that is meant.
        if (table, column.key) not in self._spans:
            self._spans[table, column.key] = span
            self._headings[table, column.key] = column.heading
            self._values[table, column.key] = values

    def heading(self, table: str, column: str) -> str:
        """
        Find the heading of a column whose place is known.

        Args:
            table: Key of the table.
            column: Key of the column.

        Returns:
            Its heading.
        """
        return self._headings[table, column]

    def values(self, table: str, column: str) -> Sequence[Value]:
        """
        Find the values of a column whose place is known.

        Args:
            table: Key of the table.
            column: Key of the column.

        Returns:
            What it holds, top to bottom.
        """
        return self._values[table, column]

    def size(self, table: str) -> int:
        """
        Count the rows of a table.

        Args:
            table: Its key.

        Returns:
            How many; 0 of one that is not there.
        """
        return self.sizes.get(table, 0)

    def later(self, task: Callable[[], None]) -> None:
        """
        Leave something for when every cell has its place.

        Args:
            task: What.
        """
        self._later.append(task)

    def find(self, table: str, column: str) -> Span | None:
        """
        Find a column of a table.

        Args:
            table: Its key.
            column: Key of the column.

        Returns:
            Where it stands; None if there is none.
        """
        return self._spans.get((table, column))

    def choices(self, texts: tuple[str, ...]) -> str:
        """
        Put texts to choose from where a list of choices can refer to them.

        Args:
            texts: In order.

        Returns:
            The range, on a hidden tab.
        """
        if texts not in self._choices:
            title = "Choices"
            number = 1
            while not self._choices and title in self._results:
                number += 1
                title = f"Choices ({number})"
            worksheet = next((w for w in self.workbook.worksheets if w.sheet_state == "hidden"), None)
            if worksheet is None:
                worksheet = self.tab(title)
                worksheet.sheet_state = "hidden"
            column = len(self._choices) + 1
            for row, text in enumerate(texts, start=1):
                self.put(worksheet.cell(row, column), text)
            letter = get_column_letter(column)
            self._choices[texts] = f"{quoted(worksheet.title)}!${letter}$1:${letter}${len(texts)}"
        return self._choices[texts]

    # ---- cells --------------------------------------------------------------------------------------------

    def put(self, cell: Any, value: Value, look: Look | None = None) -> None:
        """
        Put a value into a cell; a text stays a text, whatever it begins with.

        Args:
            cell: Where.
            value: What; None leaves it empty.
            look: Of the cell; None leaves it as it is.

        Raises:
            ValueError: If it is a number that no cell holds.
        """
        if look is not None:
            self.wardrobe.dress(cell, look)
        if value is None or value == "":
            return
        if isinstance(value, str):
            cell.value = clean(value)
            cell.data_type = "s"
        elif isinstance(value, int | Decimal):
            if isinstance(value, Decimal) and not value.is_finite():
                raise ValueError(f"sheet {cell.parent.title!r}: {value} is no number that a cell can hold")
            # openpyxl would write the digits of the nearest binary number, 9.949999999999999 for 9.95.
            cell._value = number_text(value)
            cell.data_type = "n"
        else:
            cell.value = _of_the_day(value)

    def let(
        self,
        cell: Any,
        value: Value | Live,
        look: Look | None = None,
        *,
        row: Mapping[str, str] | None = None,
        wild: frozenset[str] = frozenset(),
    ) -> None:
        """
        Put a value into a cell, or what it follows from.

        Args:
            cell: Where.
            value: What.
            look: Of the cell; None leaves it as it is.
            row: The cells of its row by the keys of their columns.
            wild: Keys of columns with texts that a criterion would take for more than letters.
        """
        if not isinstance(value, Live):
            self.put(cell, value, look)
            return
        if look is not None:
            self.wardrobe.dress(cell, look)
        if value.name is not None:
            self.call(value.name, cell.parent, cell.column, cell.row)
        self._waiting.append(_Waiting(cell, value, row or {}, wild))

    def follow(self, cell: Any, text: str, result: Value) -> None:
        """
        Put a formula into a cell.

        Args:
            cell: Where.
            text: The formula with its equals sign.
            result: What it comes to.
        """
        cell.value = text
        cell.data_type = "f"
        if isinstance(result, datetime | date):
            result = _of_the_day(result)
        self._results[cell.parent.title][cell.coordinate] = result

    def finish(self) -> None:
        """
        Write the formulas that waited for cells further on.

        Raises:
            ValueError: If one names what is not there.
        """
        for one in self._waiting:
            title = one.cell.parent.title
            around = Around(title, self._spot, self._span, one.row, one.wild)
            try:
                text = formula(one.live.how, around)
            except ValueError as err:
                raise ValueError(f"sheet {title!r}, cell {one.cell.coordinate}: {err}") from None
            self.follow(one.cell, text, one.live.value)
        self._waiting.clear()
        for task in self._later:
            task()
        self._later.clear()
        for worksheet in self.workbook.worksheets:
            if worksheet.sheet_state == "hidden":
                self.workbook.move_sheet(worksheet, len(self.workbook.worksheets))

    def _spot(self, name: str) -> Spot:
        return self._spots[name]

    def _span(self, table: str, column: str) -> Span:
        return self._spans[table, column]


def _of_the_day(value: date | datetime) -> date | datetime:
    """Drop the time zone, which a cell cannot hold."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def words_of(sheet: Sheet) -> Words:
    """
    Find the words that a sheet is written in.

    Args:
        sheet: Any.

    Returns:
        Those of its language; the English ones if it is a language of a plugin that this one does not speak.
    """
    try:
        return words("mesoformula_excel", sheet.language)
    except UnknownNameError:
        return words("mesoformula_excel", ENGLISH)


def address(column: int, row: int) -> str:
    """
    Write the address of a cell.

    Args:
        column: Counted from 1.
        row: Counted from 1.

    Returns:
        Such as `B2`.
    """
    return f"{get_column_letter(column)}{row}"
