"""Results beside formulas, so that a viewer that calculates nothing shows them too."""

from __future__ import annotations

import os
import re
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, TypeAlias
from xml.sax.saxutils import escape

from openpyxl.utils.datetime import to_excel

from mesoformula_excel.bulk import LEVEL, Tail, with_rows
from mesoformula_excel.formulas import number_text
from mesoformula_excel.texts import clean

#: What a formula comes to.
Result: TypeAlias = Decimal | int | str | date | datetime | None
#: The same, by the cell it stands in.
Results: TypeAlias = Mapping[str, Result]

# A cell with a formula as openpyxl writes it, which leaves the result out. Texts cannot look like one: their
# angle brackets are escaped.
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"((?: s="[0-9]+")?)>(<f>[^<]*</f>)<v(?:></v>|\s?/>)</c>')


def place(
    workbook: IO[bytes], results: Sequence[Results], path: Path, tails: Sequence[Tail | None] = ()
) -> None:
    """
    Write a finished workbook to its place with the results of its formulas, whole or not at all.

    Args:
        workbook: As openpyxl saved it.
        results: Of each sheet, in order.
        path: Where it goes; what stands there is replaced.
        tails: All rows of each sheet that holds a sample of a long table, in order.

    Raises:
        SheetError: If a long table has more or fewer rows than was said.
        OSError: If it cannot be written there; what stood there still does.
    """
    # Beside its place, as only there moving is all or nothing.
    beside = path.with_name(f".{secrets.token_hex(8)}.xlsx.part")
    try:
        with beside.open("xb") as target:
            _copy(workbook, results, target, tails)
            target.flush()
            os.fsync(target.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _copy(
    workbook: IO[bytes], results: Sequence[Results], target: IO[bytes], tails: Sequence[Tail | None]
) -> None:
    of_sheet = {f"xl/worksheets/sheet{number}.xml": cells for number, cells in enumerate(results, start=1)}
    long = {f"xl/worksheets/sheet{number}.xml": tail for number, tail in enumerate(tails, start=1) if tail}
    with (
        zipfile.ZipFile(workbook) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL if long else None) as copy,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in of_sheet:
                content = _with_results(content, of_sheet[entry.filename])
            tail = long.get(entry.filename)
            if tail is None:
                copy.writestr(entry.filename, content)
                continue
            with copy.open(entry.filename, "w", force_zip64=True) as sheet:
                for piece in with_rows(content, tail):
                    sheet.write(piece)


def _with_results(xml: bytes, results: Results) -> bytes:
    def with_result(match: re.Match[bytes]) -> bytes:
        cell, style, formula = match.groups()
        kind, text = _said(results[cell.decode("ascii")])
        return b'<c r="%s"%s%s>%s<v>%s</v></c>' % (cell, style, kind, formula, text.encode("utf-8"))

    return _FORMULA.sub(with_result, xml)


def _said(result: Result) -> tuple[bytes, str]:
    """Say a result as a file does: its kind as an attribute, and its text."""
    match result:
        case bool():
            return b' t="b"', str(int(result))
        case int() | Decimal():
            return b"", number_text(result)
        case date():
            return b"", f"{to_excel(result):.15g}"
    return b' t="str"', escape(clean(result or ""))
