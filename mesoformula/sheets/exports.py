"""Sheets, what they are asked for, and the formats they are written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from mesoformula.sheets.blocks import Block, LabelGrid
from mesoformula.sheets.expressions import Value
from mesoformula.sheets.tables import Column, Row, Rows, total

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.formulas import Formula
    from mesoformula.preparations import Preparation
    from mesoformula.stock.counts.count_sheets import CountSheet
    from mesoformula.stock.records import Movement, StockView


@attrs.frozen
class Sheet:
    """
    One sheet of an export: one table, or a page of blocks.

    Attributes:
        key: Such as `stock`; of a table also its name for expressions and charts.
        title: For the tab and the head of the page.
        columns: What the table holds, left to right; none if the sheet is a page.
        rows: Top to bottom.
        as_of: The day that days left are counted from. Expressions find it by the name `as_of`: the fact of
            that name if there is one, else the day of the first sheet; other sheets of that day follow it.
        facts: Pairs of word and value that stand above the table: store, moment, version.
        notes: Sentences that stand below it.
        empty: What stands in place of rows where there are none.
        blocks: Of a page, top to bottom; charts and pictures stand beside what precedes them where there is
            room.
        is_locked: Whether only editable cells and inputs can be changed.
        is_upright: Whether it is printed in portrait.
        on_one_page: Whether it is made to fit one printed page.
        order: Where it stands in the workbook: those with smaller numbers come first, then by key.
        language: Of its texts, for the few words that a format adds itself.
    """

    key: str
    title: str
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] | Rows = ()
    as_of: date | None = None
    facts: tuple[tuple[str, Value], ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = "Nothing to show."
    blocks: tuple[Block, ...] = ()
    is_locked: bool = False
    is_upright: bool = False
    on_one_page: bool = False
    order: int = 100
    language: str = "en"

    def total(self, key: str) -> Decimal | int | None:
        """
        Add up one column of the table.

        Args:
            key: Of a column that holds numbers.

        Returns:
            The sum over all rows, empty cells left out; None if all are empty, which is not the same as 0.
        """
        return total(self.columns, self.rows, key)


@attrs.frozen
class SheetRequest:
    """
    What a sheet is asked for.

    Attributes:
        topic: What it is about: `stock`, `expiry`, `movements`, `reorder`, `session`, `formula`, `labels` or
            `count`.
        stock: The stock to show; None for a topic that needs none.
        warn_days: Up to how many days left count as expiring soon.
        formulary: Everything that plugins offer; None leaves out what only it knows, such as the class of a
            substance.
        facts: Pairs of word and value for every sheet to show, such as that the data are fictional.
        notes: Sentences for every sheet to show.
        language: Of headings, labels and sentences, such as `fr`; names and lots stay as they are.
        zone: The site's, in which moments are shown; None for UTC.
        since: The first day of the period, if the topic has one.
        until: The last day of the period.
        movements: Reads the movements of the period from the first, as often as called; for `stock` and
            `movements`.
        movement_lines: How many lines they have together.
        preparation: For `session` and `labels`; for `formula`, of the formula as written.
        formula: For `formula`, the master formulation record.
        count: For `count`.
        label_grid: For `labels`.
        skip_labels: How many places of the first page of labels are used up already.
        is_blind: Whether a count leaves out what is expected.
    """

    topic: str
    stock: StockView | None
    warn_days: int = 60
    formulary: Formulary | None = None
    facts: tuple[tuple[str, Value], ...] = ()
    notes: tuple[str, ...] = ()
    language: str = "en"
    zone: tzinfo | None = None
    since: date | None = None
    until: date | None = None
    movements: Callable[[], Iterator[Movement]] | None = None
    movement_lines: int = 0
    preparation: Preparation | None = None
    formula: Formula | None = None
    count: CountSheet | None = None
    label_grid: LabelGrid | None = None
    skip_labels: int = 0
    is_blind: bool = False


@attrs.frozen
class Exporter:
    """
    A format that sheets can be written in.

    Attributes:
        suffix: Of the file, such as `.xlsx`; unique.
        name: For people.
        write: Writes the sheets to a path, whole or not at all; what stands there is replaced, so that asking
            first is up to the caller. Rows that are `Rows` are best read only once.
        is_single: Whether a file of it holds one table; then only the main one is written.
    """

    suffix: str
    name: str
    write: Callable[[Sequence[Sheet], Path], None]
    is_single: bool = False

    def held(self, sheets: Sequence[Sheet], topic: str) -> tuple[Sheet, ...]:
        """
        Choose the sheets that a file of this format holds.

        Args:
            sheets: All of an export.
            topic: That they are about.

        Returns:
            All; for a format that holds one table the one that is called like the topic. Where that is no
            table, all are left to the writer to refuse.
        """
        named = tuple(sheet for sheet in sheets if sheet.key == topic and sheet.columns)
        return named if self.is_single and named else tuple(sheets)
