"""
Everything that sheets say, as a JSON file for programs.

Sheets stand by their keys, columns and rows by the keys of columns, as `mesoformula sheet … --json` prints
them. A number that is not whole is a string of all its digits; a day or a moment is written as ISO 8601 says.
What follows from other cells is a value like any other, and stands among `follows` with the expression.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from mesoformula import Column, Row, Sheet, __version__, plain
from mesoformula.sheets import (
    Apply,
    Chart,
    Expression,
    Fact,
    Facts,
    InRow,
    InTable,
    Labels,
    Live,
    Named,
    Rows,
    Table,
    Texts,
    Value,
    plain_value,
    total,
)
from mesoformula_plain.placing import placed


def write_json(sheets: Sequence[Sheet], path: Path) -> None:
    """
    Write sheets as a JSON file, whole or not at all.

    Args:
        sheets: Any.
        path: Where it goes; what stands there is replaced.

    Raises:
        OSError: If the file cannot be written there.
    """
    with placed(path, "utf-8") as target:
        target.write(f'{{"written_by": {_said(f"mesoformula {__version__}")}, "sheets": {{')
        for number, sheet in enumerate(sheets):
            target.write(f"{',' * bool(number)}\n{_said(sheet.key)}: ")
            _write_sheet(sheet, target)
        target.write("\n}}\n")


def _said(value: object) -> str:
    # Halves of characters, which UTF-8 cannot hold, come out escaped; everything else as it is read.
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or not _has_halves(text) else json.dumps(value)


def _has_halves(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _write_sheet(sheet: Sheet, target: TextIO) -> None:
    """Write what is short at once, and the rows, which may be very many, one by one."""
    found: dict[str, Any] = {"title": sheet.title}
    if sheet.as_of is not None:
        found["as_of"] = sheet.as_of.isoformat()
    found["facts"] = [{"word": word, "value": _plain(value)} for word, value in sheet.facts]
    found |= _blocks(sheet, found["facts"])
    if sheet.notes:
        found["notes"] = list(sheet.notes)
    if sheet.columns:
        found["columns"] = _headings(sheet.columns)
        if not isinstance(sheet.rows, Rows):
            found |= _totals(sheet.columns, sheet.rows)
    target.write(_said(found)[:-1])
    if sheet.columns:
        keys = [column.key for column in sheet.columns]
        target.write(', "rows": [')
        for number, row in enumerate(sheet.rows):
            target.write(f"{',' * bool(number)}\n{_said(_cells(keys, row))}")
        target.write("]")
    target.write("}")


def _blocks(sheet: Sheet, facts: list[dict[str, Any]]) -> dict[str, Any]:
    """Bring the parts of a page to plain data; its facts join those that stand above it."""
    found: dict[str, Any] = {}
    for block in sheet.blocks:
        match block:
            case Table():
                keys = [column.key for column in block.columns]
                found.setdefault("tables", {})[block.key] = {
                    "title": block.title,
                    "columns": _headings(block.columns),
                    "rows": [_cells(keys, row) for row in block.rows],
                    **_totals(block.columns, block.rows),
                }
            case Facts():
                facts.extend(_fact(fact) for fact in block.facts)
            case Texts():
                found.setdefault("texts", []).extend(block.texts)
            case Chart():
                found.setdefault("charts", []).append({"title": block.title, "table": block.table})
            case Labels():
                found["labels"] = [
                    {"heading": label.heading, "lines": list(label.lines)} for label in block.labels
                ]
    names: dict[str, Any] = {}
    follows: dict[str, str] = {}
    for name, value in _named(sheet):
        names[name] = _plain(value)
        if isinstance(value, Live):
            follows[name] = _expression(value.how)
    found["cells"] = names
    if follows:
        found["follows"] = follows
    return found


def _named(sheet: Sheet) -> Iterator[tuple[str, Value | Live]]:
    """Find every cell of a sheet in memory that has a name."""
    tables = [block.rows for block in sheet.blocks if isinstance(block, Table)]
    if not isinstance(sheet.rows, Rows):
        tables.append(sheet.rows)
    for rows in tables:
        for row in rows:
            for value in row.values:
                if isinstance(value, Live) and value.name is not None:
                    yield value.name, value
    for block in sheet.blocks:
        if isinstance(block, Facts):
            for fact in block.facts:
                name = fact.value.name if isinstance(fact.value, Live) else None
                for known in dict.fromkeys((fact.name, name)):
                    if known is not None:
                        yield known, fact.value


def _headings(columns: Sequence[Column]) -> dict[str, str]:
    return {column.key: column.heading for column in columns}


def _cells(keys: Sequence[str], row: Row) -> dict[str, Any]:
    return {key: _plain(value) for key, value in zip(keys, row.values, strict=True)}


def _totals(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, Any]:
    totals = {
        column.key: {
            "kind": "at_least" if column.at_least else "stated",
            "value": _plain(total(columns, rows, column.key)),
        }
        for column in columns
        if column.total
    }
    return {"totals": totals} if totals else {}


def _fact(fact: Fact) -> dict[str, Any]:
    found: dict[str, Any] = {"word": fact.word, "value": _plain(fact.value)}
    return found if fact.name is None else found | {"name": fact.name}


def _plain(value: Value | Live) -> str | int | None:
    value = plain_value(value)
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def _expression(how: Expression) -> str:
    """Write an expression as one reads it: `ROUND(volume * (row).strength, 2)`."""
    match how:
        case Named(name):
            return name
        case InRow(column):
            return f"(row).{column}"
        case InTable(table, column):
            return f"{table}.{column}"
        case Apply(function, parts):
            said = [_expression(part) for part in parts]
            if function.value.isalpha():
                return f"{function.value}({', '.join(said)})"
            return f"({f' {function.value} '.join(said)})"
        case str():
            return json.dumps(how, ensure_ascii=False)
    return str(_plain(how))
