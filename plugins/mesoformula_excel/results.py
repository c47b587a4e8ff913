"""Results beside formulas, so that a viewer that calculates nothing shows them too."""

from __future__ import annotations

import os
import re
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

#: What a formula comes to, by the cell it stands in.
Results = Mapping[str, Decimal | int | str | None]

# A cell with a formula as openpyxl writes it, which leaves the result out. Texts cannot look like one: their
# angle brackets are escaped.
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"((?: s="[0-9]+")?)>(<f>[^<]*</f>)<v(?:></v>|\s?/>)</c>')


def place(workbook: IO[bytes], results: Sequence[Results], path: Path) -> None:
    """
    Write a finished workbook to its place with the results of its formulas, whole or not at all.

    Args:
        workbook: As openpyxl saved it.
        results: Of each sheet, in order.
        path: Where it goes; what stands there is replaced.

    Raises:
        OSError: If it cannot be written there; what stood there still does.
    """
    # Beside its place, as only there moving is all or nothing.
    beside = path.with_name(f".{secrets.token_hex(8)}.xlsx.part")
    try:
        with beside.open("xb") as target:
            _copy(workbook, results, target)
            target.flush()
            os.fsync(target.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _copy(workbook: IO[bytes], results: Sequence[Results], target: IO[bytes]) -> None:
    of_sheet = {f"xl/worksheets/sheet{number}.xml": cells for number, cells in enumerate(results, start=1)}
    with (
        zipfile.ZipFile(workbook) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in of_sheet:
                content = _with_results(content, of_sheet[entry.filename])
            copy.writestr(entry.filename, content)


def _with_results(xml: bytes, results: Results) -> bytes:
    def with_result(match: re.Match[bytes]) -> bytes:
        cell, style, formula = match.groups()
        result = results[cell.decode("ascii")]
        if result is None or isinstance(result, str):
            kind, text = b' t="str"', escape(result or "")
        else:
            kind, text = b"", str(result)
        return b'<c r="%s"%s%s>%s<v>%s</v></c>' % (cell, style, kind, formula, text.encode("utf-8"))

    return _FORMULA.sub(with_result, xml)
