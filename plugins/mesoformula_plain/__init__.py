"""
Sheets as plain files: CSV for one table, JSON for everything.

A format is an `Exporter`: a suffix, a name, and a function that writes sheets to a path, whole or not at all.
This package imports nothing that another plugin could not, and may be read as an example.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesoformula import hookimpl

if TYPE_CHECKING:
    from mesoformula import Exporter, Sheet


@hookimpl
def mesoformula_exporters() -> Iterable[Exporter]:
    """
    Offer CSV and JSON as formats.

    Returns:
        The exporters for `.csv` and `.json`.
    """
    from mesoformula import Exporter

    return (
        Exporter(".csv", "comma-separated values: one table", _write_csv, is_single=True),
        Exporter(".json", "JSON: every sheet, with what its figures follow from", _write_json),
    )


def _write_csv(sheets: Sequence[Sheet], path: Path) -> None:
    from mesoformula_plain.csv_files import write_csv

    write_csv(sheets, path)


def _write_json(sheets: Sequence[Sheet], path: Path) -> None:
    from mesoformula_plain.json_files import write_json

    write_json(sheets, path)
