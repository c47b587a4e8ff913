"""The figures of sheets as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from mesoformula.sheets import (
    Chart,
    Column,
    Fact,
    Facts,
    Labels,
    Live,
    Row,
    Rows,
    Sheet,
    Table,
    Texts,
    plain_value,
    total,
)
from mesoformula.sheets import Value as CellValue
from mesoformula.units import plain


def plain_sheet(sheet: Sheet) -> dict[str, Any]:
    """
    Bring every figure of one sheet to plain data, unrounded.

    Args:
        sheet: A table or a page.

    Returns:
        Its title, day, facts, rows with totals or blocks, notes, and by its name every cell that has one.
    """
    found: dict[str, Any] = {"title": sheet.title}
    if sheet.as_of is not None:
        found["as_of"] = sheet.as_of.isoformat()
    found["facts"] = [{"word": word, "value": plain_cell(value)} for word, value in sheet.facts]
    if sheet.columns:
        found |= _plain_table(sheet.columns, sheet.rows)
    for block in sheet.blocks:
        match block:
            case Table():
                found.setdefault("tables", {})[block.key] = {
                    "title": block.title,
                    **_plain_table(block.columns, block.rows),
                }
            case Facts():
                found["facts"] += [_plain_fact(fact) for fact in block.facts]
            case Texts():
                found.setdefault("texts", []).extend(block.texts)
            case Chart():
                found.setdefault("charts", []).append({"title": block.title, "table": block.table})
            case Labels():
                found["labels"] = [
                    {"heading": label.heading, "lines": list(label.lines)} for label in block.labels
                ]
    found["cells"] = {live.name: plain_cell(live.value) for live in _lives(sheet) if live.name is not None}
    found["cells"] |= {fact.name: plain_cell(fact.value) for fact in _facts(sheet) if fact.name is not None}
    if sheet.notes:
        found["notes"] = list(sheet.notes)
    return found


def plain_cell(value: CellValue | Live) -> str | int | None:
    """
    Bring what a cell holds to plain data.

    Args:
        value: Of a row or a fact.

    Returns:
        A decimal number as a decimal string, a day or moment as ISO 8601 says; else the value itself.
    """
    value = plain_value(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _plain_table(columns: Sequence[Column], rows: Sequence[Row] | Rows) -> dict[str, Any]:
    keys = [column.key for column in columns]
    found: dict[str, Any] = {
        "columns": {column.key: column.heading for column in columns},
        "rows": [
            {key: plain_cell(value) for key, value in zip(keys, row.values, strict=True)} for row in rows
        ],
    }
    summed = [column for column in columns if column.total]
    if summed:
        found["totals"] = {
            column.key: {
                "kind": "at_least" if column.at_least else "stated",
                "value": plain_cell(total(columns, rows, column.key)),
            }
            for column in summed
        }
    return found


def _plain_fact(fact: Fact) -> dict[str, Any]:
    found: dict[str, Any] = {"word": fact.word, "value": plain_cell(fact.value)}
    if fact.name is not None:
        found["name"] = fact.name
    return found


def _facts(sheet: Sheet) -> Iterator[Fact]:
    for block in sheet.blocks:
        if isinstance(block, Facts):
            yield from block.facts


def _lives(sheet: Sheet) -> Iterator[Live]:
    """Find every value of a page or a table in memory that follows from others."""
    tables: list[Iterable[Row]] = [block.rows for block in sheet.blocks if isinstance(block, Table)]
    if not isinstance(sheet.rows, Rows):
        tables.append(sheet.rows)
    for rows in tables:
        for row in rows:
            yield from (value for value in row.values if isinstance(value, Live))
    yield from (fact.value for fact in _facts(sheet) if isinstance(fact.value, Live))
