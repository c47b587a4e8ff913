"""Sheets written as an Excel workbook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

from mesoformula import Sheet, __version__
from mesoformula.sheets import Facts, Labels, Table, plain_value
from mesoformula_excel.book import AS_OF, Book
from mesoformula_excel.bulk import parts
from mesoformula_excel.label_pages import write_labels
from mesoformula_excel.list_sheets import write_list
from mesoformula_excel.pages import write_page
from mesoformula_excel.results import place
from mesoformula_excel.texts import clean, tab_title

#: What Excel holds, the header and what stands around the table left aside.
MOST_ROWS = 1_048_576 - 100


def write_workbook(sheets: Sequence[Sheet], path: Path) -> None:
    """
    Write sheets as a workbook, whole or not at all.

    Args:
        sheets: At least one; each becomes a tab, in their order and then as they are given.
        path: Where it goes; what stands there is replaced.

    Raises:
        ValueError: If there is no sheet, or one that a workbook cannot hold.
        OSError: If the file cannot be written there.
    """
    if not sheets:
        raise ValueError("a workbook needs at least one sheet")
    ordered = sorted(sheets, key=lambda sheet: sheet.order)
    has_labels = any(isinstance(block, Labels) for sheet in ordered for block in sheet.blocks)
    book = Book(_sizes(ordered), is_exact=has_labels)
    _find_day(book, ordered)
    with parts(ordered, MOST_ROWS) as divided:
        for sheet, _tail in divided:
            if len(sheet.rows) > MOST_ROWS:
                raise ValueError(f"sheet {sheet.key!r}: {len(sheet.rows):,} rows; Excel holds {MOST_ROWS:,}")
        # Names of tables come before those of cells, which may be numbered without anybody noticing.
        names = [None if sheet.blocks else book.take_name(sheet.key) for sheet, _tail in divided]
        tabs: list[str] = []
        for (sheet, tail), name in zip(divided, names, strict=True):
            tabs.append(tab_title(sheet.title, tabs))
            worksheet = book.tab(tabs[-1])
            if name is not None:
                write_list(book, worksheet, sheet, name, tail)
            elif any(isinstance(block, Labels) for block in sheet.blocks):
                write_labels(book, worksheet, sheet)
            else:
                write_page(book, worksheet, sheet, book.sizes)
        book.finish()
        _describe(book, ordered[0])
        content = BytesIO()
        book.workbook.save(content)
        place(content, book.results, path, [tail for _sheet, tail in divided])


def _sizes(sheets: Sequence[Sheet]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for sheet in sheets:
        tables = [(sheet.key, len(sheet.rows))] if not sheet.blocks else []
        tables += [(block.key, len(block.rows)) for block in sheet.blocks if isinstance(block, Table)]
        for key, count in tables:
            sizes.setdefault(key, count)
    return sizes


def _find_day(book: Book, sheets: Sequence[Sheet]) -> None:
    """Let the day that a page offers to change be that of all sheets, also of those before it."""
    for sheet in sheets:
        for block in sheet.blocks:
            for fact in block.facts if isinstance(block, Facts) else ():
                if fact.name == AS_OF:
                    day = plain_value(fact.value)
                    book.as_of = day if isinstance(day, date) else None
                    return


def _describe(book: Book, sheet: Sheet) -> None:
    workbook = book.workbook
    properties = workbook.properties
    properties.title = clean(sheet.title, 255)
    properties.creator = f"mesoformula {__version__}"
    properties.lastModifiedBy = properties.creator
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    properties.language = sheet.language
    facts = "\n".join(f"{word}: {value}" for word, value in sheet.facts if value is not None)
    properties.description = clean(facts, 2000) or None
    workbook.calculation.fullCalcOnLoad = True
