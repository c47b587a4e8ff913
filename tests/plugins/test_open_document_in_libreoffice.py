"""The example of an exporter, as LibreOffice sees what it writes."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from libreoffice import Office, errors

from mesoformula.sheets import (
    Apply,
    Column,
    Expression,
    Fact,
    Facts,
    Function,
    Holds,
    InTable,
    Live,
    Named,
    Row,
    Sheet,
)
from mesoformula.testing.example_sheets import sheets_to_write

PROJECT = Path(__file__).parent / "distributions" / "open_document"

_RESULT = re.compile(r' (?:office:(?:string-|date-)?value|calcext:value-type)="[^"]*"')


@pytest.mark.libreoffice
def test_every_formula_comes_to_what_was_written_beside_it(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROJECT))
    from mesoformula_open_document.layout import Computed, Total, laid_out
    from mesoformula_open_document.writing import write

    def live(value: Decimal | str, function: Function, *parts: Expression) -> Live:
        return Live(value, Apply(function, parts))

    facts = Facts(
        (
            Fact("Volume", Decimal("2.5"), Holds.DECIMAL, name="volume"),
            Fact("Twice", live(Decimal(5), Function.TIMES, Named("volume"), 2), Holds.DECIMAL),
            Fact("Less", live(Decimal("-3.5"), Function.SUBTRACT, Named("volume"), 6), Holds.DECIMAL),
            Fact("All", live(Decimal(6), Function.SUM, InTable("few", "number")), Holds.DECIMAL),
            Fact("Words", live('a "b"2.5', Function.JOIN, 'a "b"', Named("volume"))),
        )
    )
    columns = (Column("number", "Number", Holds.WHOLE, total=True),)
    few = Sheet("few", "Few", columns, tuple(Row((number,)) for number in range(4)), blocks=(facts,))
    sheets = [*sheets_to_write(), few]
    path = tmp_path / "sheets.ods"
    write(sheets, path)
    bare = without_results(path, tmp_path / "bare" / path.name)
    made = office.saved(bare)

    assert errors(made) == []
    workbook = openpyxl.load_workbook(made, data_only=True)
    tried = 0
    for tab in laid_out(sheets).tabs:
        for number, line in enumerate(tab.lines, 1):
            for place, held in enumerate(line.cells, 1):
                if isinstance(held, Live | Computed | Total):
                    found = workbook[tab.title].cell(number, place).value
                    assert same(held.value, found), (tab.title, number, place, held.value, found)
                    tried += 1
    assert tried > 40
    texts = {cell.value for row in workbook["Every kind of value"].iter_rows() for cell in row}
    assert '=HYPERLINK("http://example.invalid","click")' in texts


def without_results(path: Path, target: Path) -> Path:
    """Copy a document without the results of its formulas, so that they are worked out anew."""
    target.parent.mkdir()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "content.xml":
                text = content.decode()
                content = re.sub(
                    r"<table:table-cell[^>]*table:formula=[^>]*>", lambda tag: _RESULT.sub("", tag[0]), text
                ).encode()
            copy.writestr(entry, content)
    return target


def same(expected: object, found: object) -> bool:
    """Compare numbers to 1e-9, days with days, and nothing with an empty text."""
    if isinstance(expected, int | Decimal) and isinstance(found, int | float):
        return abs(Decimal(expected) - Decimal(repr(found))) < Decimal("1e-9")
    if isinstance(expected, date) and isinstance(found, datetime):
        return str(expected) in str(found)
    return (expected or None) == (found or None)
