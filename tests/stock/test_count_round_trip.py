"""A count written as a workbook, filled in, and read back: exactly what was filled in, or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mesoformula_excel
from mesoformula.errors import GridError, OrderError
from mesoformula.languages import languages
from mesoformula.products import Product
from mesoformula.sheets import SheetRequest
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.counts.count_files import CountFile
from mesoformula.stock.counts.count_headings import FIELDS, headings
from mesoformula.stock.counts.count_imports import read_back, request_of
from mesoformula.stock.counts.count_sheets import CountSheet, count_sheet
from mesoformula.stock.counts.counting import count_differences, open_count, post_count
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.records import Delivery, Order, Receipt
from mesoformula.stock.views.history import movements_of
from mesoformula.stock.views.reading import stock_view
from mesoformula.words import folded

WHY = Order("ana", "yearly count")
#: Is received, and counted away again before the count that is tested.
GHOST = "used up"


def export(count: CountSheet, path: Path, **how: Any) -> None:
    """Write the sheet of a count as the command does."""
    request = SheetRequest("count", None, count=count, zone=ZoneInfo("Europe/Paris"), **how)
    (exporter,) = (one for one in mesoformula_excel.mesoformula_exporters() if one.suffix == ".xlsx")
    exporter.write(tuple(mesoformula_excel.mesoformula_sheets(request)), path)


def read(store: Store, path: Path) -> tuple[CountSheet, CountFile]:
    (importer,) = (one for one in mesoformula_excel.mesoformula_importers() if one.suffix == ".xlsx")
    return read_back(store, importer.read(path), path)


def post(store: Store, path: Path) -> Receipt:
    """Read a sheet back and post it as the command does."""
    count, filled = read(store, path)
    order = attrs.evolve(WHY, request_id=request_of(filled, count))
    return post_count(store, count.number, filled.counted, order=order, found=filled.found,
                      remarks=filled.remarks)  # fmt: skip


def there(store: Store) -> dict[tuple[str, str], int]:
    return {(one.lot, one.location): one.containers for one in stock_view(store).on_hand}


class Workbook:
    """A workbook in the hands of somebody with a spreadsheet program."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path)
        (self.sheet,) = self.book.worksheets
        known = headings()
        for row in self.sheet.iter_rows():
            columns = {known.get(folded(str(cell.value))): cell.column for cell in row if cell.value}
            if {"line", "count", "counted"} <= columns.keys():
                self.head, self.columns = row[0].row, {key: n for key, n in columns.items() if key}
                break
        self.last = self.head
        while isinstance(self.at("count", self.last + 1).value, int):
            self.last += 1

    @property
    def rows(self) -> range:
        return range(self.head + 1, self.last + 1)

    @property
    def spare(self) -> list[int]:
        return [row for row in self.rows if self.at("line", row).value is None]

    def at(self, column: str, row: int) -> Any:
        return self.sheet.cell(row, self.columns[column])

    def put(self, column: str, row: int, value: Any, *, live: bool = False) -> str:
        """Put something into a cell, a text as it stands unless it is live, and say where it is."""
        cell = self.at(column, row)
        cell.value = value
        if isinstance(value, str) and not live:
            cell.data_type = "s"
        return str(cell.coordinate)

    def line(self, number: int) -> int:
        return next(row for row in self.rows if self.at("line", row).value == number)

    def rearrange(self, order: Sequence[int]) -> None:
        """Put rows in another order."""
        contents = {row: {key: self.at(key, row).value for key in self.columns} for row in self.rows}
        for row, source in zip(self.rows, order, strict=True):
            for key, value in contents[source].items():
                self.put(key, row, value)

    def swap(self, one: str, other: str) -> None:
        """Let two columns change places, headings and all."""
        for row in (self.head, *self.rows):
            left, right = self.at(one, row), self.at(other, row)
            left.number_format, right.number_format = right.number_format, left.number_format
            was = left.value
            self.put(one, row, right.value)
            self.put(other, row, was)
        self.columns[one], self.columns[other] = self.columns[other], self.columns[one]

    def clear(self, row: int) -> None:
        for key in self.columns:
            self.at(key, row).value = None

    def save(self) -> None:
        self.book.save(self.path)
        self.book.close()


# ---- stocks --------------------------------------------------------------------------------------------

printable = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")
names = st.text(printable, min_size=1, max_size=20).map(lambda text: text.strip(" ")).filter(bool)
awkward = st.sampled_from(['=x"y', "0012", "12", "1E5", "2028-05-31", "_x0041_", "+cmd|' /C calc'!A0", "@SUM",
                           "TRUE", "#N/A", "é", "A  B", "none", "'5", "5,5", "Lot"])  # fmt: skip
lots = (names | awkward).filter(lambda name: name != GHOST)
places = st.sampled_from(["main", "fridge 1", "=here"])
stocks = st.dictionaries(
    lots,
    st.tuples(st.none() | st.dates(date(2000, 1, 1), date(2100, 12, 31)),
              st.dictionaries(places, st.integers(1, 1000), min_size=1)),
    min_size=1,
    max_size=4,
)  # fmt: skip


@contextmanager
def counted(product: Product, stock: Mapping[str, Any], **how: Any) -> Iterator[tuple[Store, Path]]:
    """Fill a stock, open a count of it, and write its sheet."""
    with tempfile.TemporaryDirectory() as folder, open_stock(Path(folder) / "stock.sqlite") as store:
        deliveries = [
            Delivery(product, lot, containers, expiry, place)
            for lot, (expiry, spots) in {**stock, GHOST: (None, {"main": 1})}.items()
            for place, containers in spots.items()
        ]
        receive(store, deliveries, actor="ana")
        first = count_sheet(store, open_count(store, order=WHY).movement)
        ghost = next(line.line for line in first.lines if line.lot == GHOST)
        post_count(store, first.number, {ghost: 0}, order=WHY)
        path = Path(folder) / "count.xlsx"
        export(count_sheet(store, open_count(store, order=WHY).movement), path, **how)
        yield store, path


hows = st.fixed_dictionaries(
    {"language": st.sampled_from(languages("mesoformula_excel")), "is_blind": st.booleans()}
)
remarks = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=30)
quick = settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
thorough = settings(quick, max_examples=60)


# ---- legal edits ---------------------------------------------------------------------------------------


def fill_in(book: Workbook, data: st.DataObject) -> tuple[dict[int, int], dict[int, str]]:
    """Fill in figures in every way in which they may stand, and remarks."""
    figures: dict[int, int] = {}
    said: dict[int, str] = {}
    for row in [row for row in book.rows if row not in book.spare]:
        line = book.at("line", row).value
        figure = data.draw(st.none() | st.integers(0, 2000), label=f"line {line}")
        if figure is not None:
            figures[line] = figure
            forms = (figure, float(figure), str(figure), f" {figure} ")
            book.put("counted", row, data.draw(st.sampled_from(forms), label="form"))
        remark = data.draw(st.none() | remarks, label="remark")
        if remark is not None:
            said[line] = remark
            book.put("remark", row, remark)
    return figures, said


def tidy(book: Workbook, data: st.DataObject) -> int:
    """Do to the sheet what nobody minds, and tell how many rows that say something are hidden."""
    if data.draw(st.booleans(), label="sort"):
        book.rearrange(data.draw(st.permutations(book.rows), label="order"))
    sheet = book.sheet
    if data.draw(st.booleans(), label="swap"):
        book.swap(*data.draw(st.permutations(sorted(book.columns)), label="columns")[:2])
    if data.draw(st.booleans(), label="notes"):
        sheet.cell(book.head + 1, len(book.columns) + 2).value = "under the tray?"
        sheet.cell(book.head, len(book.columns) + 3).value = "=1+1"
        sheet.cell(sheet.max_row + 3, 1).value = "Counted by Ana and Ben"
    if data.draw(st.booleans(), label="rename"):
        sheet.title = "May, 2nd floor"
    if data.draw(st.booleans(), label="tab"):
        book.book.create_sheet("Sums", 0).append(["line", 5])
    hidden = data.draw(st.sets(st.sampled_from(list(book.rows))), label="hidden")
    for row in hidden:
        sheet.row_dimensions[row].hidden = True
    return sum(1 for row in hidden if book.at("line", row).value is not None)


@quick
@given(stock=stocks, how=hows, data=st.data())
def test_what_is_filled_in_is_adjusted_and_nothing_else(
    make_product: Any, stock: Any, how: Any, data: Any
) -> None:
    figures_are_adjusted(make_product, stock, how, data)


@pytest.mark.slow
@thorough
@given(stock=stocks, how=hows, data=st.data())
def test_what_is_filled_in_is_adjusted_and_nothing_else_in_many_more_cases(
    make_product: Any, stock: Any, how: Any, data: Any
) -> None:
    figures_are_adjusted(make_product, stock, how, data)


def figures_are_adjusted(make_product: Any, stock: Any, how: Any, data: Any) -> None:
    with counted(make_product(), stock, **how) as (store, path):
        book = Workbook(path)
        before = there(store)
        lines = {line.line: (line.lot, line.location) for line in count_sheet(store).lines}
        assert {lines[number] for number in lines} == before.keys()
        figures, said = fill_in(book, data)
        ghosts = data.draw(st.none() | st.integers(1, 9), label="found")
        if ghosts is not None:
            row = book.spare[0]
            for column, value in (
                ("product", "acme/c-500"),
                ("lot", GHOST),
                ("place", "main"),
                ("counted", ghosts),
            ):
                book.put(column, row, value)
        hidden = tidy(book, data)
        book.save()
        if not figures and ghosts is None:
            return

        count, filled = read(store, path)
        assert {line: figure for line, figure in filled.counted.items() if figure is not None} == figures
        assert filled.remarks == said
        assert filled.counted.keys() == lines.keys()
        assert hidden <= filled.hidden <= hidden + 1
        differences = count_differences(store, count.number, filled.counted, order=WHY, found=filled.found)
        assert {(one.lot, one.location): one.containers for one in differences} == {
            **{lines[line]: figure - before[lines[line]] for line, figure in figures.items()},
            **({(GHOST, "main"): ghosts} if ghosts is not None else {}),
        }
        receipt = post(store, path)
        after = before | {lines[line]: figure for line, figure in figures.items()}
        after |= {(GHOST, "main"): ghosts} if ghosts is not None else {}
        assert there(store) == {spot: number for spot, number in after.items() if number}
        (movement,) = movements_of(store, [receipt.movement])
        adjusted = {(line.lot, line.location): line.containers for line in movement.lines if line.lot}
        assert {spot: change for spot, change in adjusted.items() if change} == {
            spot: after[spot] - before.get(spot, 0) for spot in after if after[spot] != before.get(spot, 0)
        }
        again = post(store, path)
        assert (again.repeated, again.anchor) == (True, receipt.anchor)


# ---- illegal edits -------------------------------------------------------------------------------------

#: What somebody may do to the row of a line, and the problems that it must come to: code and column.
Wrong = Callable[[Workbook, int], set[tuple[str, str]]]


def typed(value: Any, code: str = "counted") -> Wrong:
    def wrong(book: Workbook, row: int) -> set[tuple[str, str]]:
        return {(code, book.put("counted", row, value))}

    return wrong


def edited(column: str, value: Any) -> Wrong:
    def wrong(book: Workbook, row: int) -> set[tuple[str, str]]:
        if column not in book.columns:
            return set()
        return {("edited", book.put(column, row, value))}

    return wrong


def merged(book: Workbook, row: int) -> set[tuple[str, str]]:
    first, second = book.at("counted", row), book.at("remark", row)
    first.value, second.value = 1, None
    book.sheet.merge_cells(f"{first.coordinate}:{second.coordinate}")
    return {("counted", first.coordinate), ("remark", second.coordinate)}


def removed(book: Workbook, row: int) -> set[tuple[str, str]]:
    book.clear(row)
    return {("missing", "")}


def repeated(book: Workbook, row: int) -> set[tuple[str, str]]:
    book.last += 1
    for key in book.columns:
        book.put(key, book.last, book.at(key, row).value)
    return {("line", str(book.at("line", book.last).coordinate))}


def renumbered(book: Workbook, row: int) -> set[tuple[str, str]]:
    return {("line", book.put("line", row, 999)), ("missing", "")}


WRONG: dict[str, Wrong] = {
    "text": typed("12 boxes"),
    "words": typed("many"),
    "decimal": typed(1.5),
    "decimal comma": typed("1,5"),
    "negative": typed(-1, "containers"),
    "negative text": typed("-1", "containers"),
    "too many": typed(1_000_001, "containers"),
    "endless": typed("9" * 40),
    "formula": typed("=1+1"),
    "error": typed("#N/A"),
    "day": typed(date(2028, 5, 31)),
    "truth": typed(True),
    "product": edited("product", "acme/c-999@1"),
    "name": edited("name", "Vitamin D"),
    "lot": edited("lot", "no such lot"),
    "lot as a formula": edited("lot", "=1+1"),
    "expiry": edited("expiry", date(1999, 1, 1)),
    "place": edited("place", "elsewhere"),
    "expected": edited("expected", 123_456),
    "count": edited("count", 1),
    "merged": merged,
    "removed": removed,
    "repeated": repeated,
    "renumbered": renumbered,
}


@quick
@given(stock=stocks, how=hows, data=st.data())
def test_every_wrong_cell_is_named_and_nothing_is_posted(
    make_product: Any, stock: Any, how: Any, data: Any
) -> None:
    wrong_cells_are_named(make_product, stock, how, data)


@pytest.mark.slow
@thorough
@given(stock=stocks, how=hows, data=st.data())
def test_every_wrong_cell_is_named_and_nothing_is_posted_in_many_more_cases(
    make_product: Any, stock: Any, how: Any, data: Any
) -> None:
    wrong_cells_are_named(make_product, stock, how, data)


def wrong_cells_are_named(make_product: Any, stock: Any, how: Any, data: Any) -> None:
    with counted(make_product(), stock, **how) as (store, path):
        anchor = stock_view(store).anchor
        book = Workbook(path)
        title = book.sheet.title
        fill_in(book, data)
        # What is put below the table would stand over the notes.
        book.sheet.delete_rows(book.last + 1, 50)
        wanted: list[tuple[str, str]] = []
        for row in [row for row in book.rows if row not in book.spare]:
            kind = data.draw(st.none() | st.sampled_from(sorted(WRONG)), label=f"row {row}")
            if kind is not None:
                wanted += WRONG[kind](book, row)
        book.save()
        if not wanted:
            return

        with pytest.raises(GridError) as caught:
            post(store, path)

        found = caught.value.problems
        assert sorted((one.code, "".join(map(str, one.where[1:]))) for one in found) == sorted(wanted)
        assert all(one.message.startswith((f"{title}!", f"sheet {title}:")) for one in found)
        assert stock_view(store).anchor == anchor


# ---- one by one ----------------------------------------------------------------------------------------


@pytest.fixture
def made(make_product: Any) -> Iterator[tuple[Store, Path, Workbook]]:
    """A count of two lots, and its sheet, of which nothing is filled in yet."""
    stock = {"A": (date(2028, 5, 31), {"main": 5}), "B": (None, {"main": 3})}
    with counted(make_product(), stock) as (store, path):
        yield store, path, Workbook(path)


def problems(store: Store, path: Path) -> list[str]:
    with pytest.raises(GridError) as caught:
        post(store, path)
    return [one.message for one in caught.value.problems]


def test_a_spare_row_that_says_too_little_is_refused_cell_by_cell(made: Any) -> None:
    store, path, book = made
    first, second, third, fourth = book.spare[:4]
    where = [book.put("counted", first, 2), book.put("lot", second, "C"), book.put("remark", third, "??")]
    book.put("lot", fourth, date(2028, 5, 31))
    book.put("product", fourth, "acme/c-500")
    book.put("counted", fourth, 1)
    book.save()

    found = problems(store, path)

    def cell(column: str, row: int) -> str:
        return f"Count!{book.at(column, row).coordinate}"

    assert [one.split(":")[0] for one in found] == [
        cell("product", first),
        cell("lot", first),
        cell("product", second),
        cell("counted", second),
        cell("product", third),
        cell("lot", third),
        cell("counted", third),
        cell("lot", fourth),
    ]
    assert len(where) == 3
    assert "stands as the day 2028-05-31" in found[-1]


def test_what_the_ledger_refuses_of_a_spare_row_is_said_with_its_cell(made: Any) -> None:
    store, path, book = made
    row = book.spare[-1]
    for column, value in (("product", "acme/c-500"), ("lot", "A"), ("place", "main"), ("counted", 2)):
        book.put(column, row, value)
    book.save()
    _count, filled = read(store, path)

    with pytest.raises(OrderError) as caught:
        post(store, path)

    (problem,) = filled.refusal(caught.value.problems).problems
    assert problem.message.startswith(f"Count!{book.at('counted', row).coordinate}: lot 'A' is line 1")


def test_a_sheet_of_another_stock_is_refused(made: Any, make_product: Any) -> None:
    _store, path, book = made
    book.put("counted", book.line(1), 1)
    book.save()
    with counted(make_product(), {"A": (None, {"main": 5})}) as (other, _path):
        (found,) = problems(other, path)
    assert "is of count 4 of another stock" in found
    with tempfile.TemporaryDirectory() as folder, open_stock(Path(folder) / "empty.sqlite") as empty:
        (found,) = problems(empty, path)
    assert "count 4 is not in this one" in found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("count-1", "count-2"), "is of form 2"),
        (lambda text: text[:-3], "was changed"),
        (lambda text: text[-16:], "no snapshot is named"),
        (lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), "of another stock"),
    ],
)
def test_a_sheet_whose_identity_was_changed_is_refused(made: Any, change: Any, said: str) -> None:
    store, path, book = made
    for row in book.sheet.iter_rows(max_row=book.head):
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("mesoformula-count"):
                cell.value = change(cell.value)
    book.put("counted", book.line(1), 1)
    book.save()

    (found,) = problems(store, path)

    assert said in found


def test_a_copied_tab_is_not_chosen_by_chance(made: Any) -> None:
    store, path, book = made
    book.book.copy_worksheet(book.sheet)
    book.save()

    (found,) = problems(store, path)

    assert "2 sheets could be meant" in found


def test_a_hidden_row_is_read_and_counted(made: Any) -> None:
    store, path, book = made
    book.put("counted", book.line(1), 1)
    book.sheet.row_dimensions[book.line(1)].hidden = True
    book.save()

    _count, filled = read(store, path)

    assert (filled.hidden, filled.counted) == (1, {1: 1, 2: None})


def test_headings_are_known_in_every_language_in_which_a_sheet_is_written() -> None:
    nothing = CountSheet(1, datetime(2026, 5, 4, tzinfo=UTC), "ana", ())
    for language in languages("mesoformula_excel"):
        request = SheetRequest("count", None, count=nothing, language=language)
        (sheet,) = mesoformula_excel.mesoformula_sheets(request)
        known = {headings()[folded(column.heading)]: column.key for column in sheet.columns}
        assert known == {field: field for field in FIELDS}
