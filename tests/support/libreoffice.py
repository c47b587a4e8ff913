"""
LibreOffice as an oracle for workbooks: it opens, recalculates, saves and prints them.

A missing LibreOffice is a failure of the tests that ask for it. Where `MESOFORMULA_TEST_OUTPUT` names a
folder, the PDF and the pictures of every workbook that is printed are kept there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

# Read before the tests' environment is emptied of the user's settings.
_OUTPUT = os.environ.get("MESOFORMULA_TEST_OUTPUT")

_RESULT = re.compile(rb"(<c [^>]*?)( t=\"(?:str|b|e|n)\")?(>)(<f[^>]*>[^<]*</f>)<v>[^<]*</v>")


class Office:
    """
    LibreOffice with a profile of its own, so that one that is open elsewhere is left alone.

    Attributes:
        folder: Where what it writes goes.
    """

    def __init__(self, profile: Path, folder: Path, name: str) -> None:
        self.folder = folder
        self._profile = profile
        self._name = name

    def saved(self, path: Path) -> Path:
        """Open a workbook as it is and save it."""
        return self._converted(path, "xlsx")

    def recalculated(self, path: Path) -> Path:
        """Open a workbook whose results were taken out, so that all are worked out anew, and save it."""
        return self._converted(without_results(path, self._fresh("without") / path.name), "xlsx")

    def pdf(self, path: Path) -> Path:
        """Print a workbook."""
        made = self._converted(path, "pdf")
        if _OUTPUT:
            shutil.copyfile(made, self._kept(f"{path.stem}.pdf"))
        return made

    def pdfs(self, paths: Sequence[Path]) -> list[Path]:
        """Print workbooks in one run: starting LibreOffice takes longer than most workbooks."""
        target = self._fresh("pdfs")
        self._convert(paths, "pdf", target)
        return [target / f"{path.stem}.pdf" for path in paths]

    def pictures(self, path: Path, dpi: int = 100) -> list[Path]:
        """Print a workbook and draw each page as a PNG."""
        pdf = self.pdf(path)
        target = self._fresh("pages") / path.stem
        subprocess.run(["pdftoppm", "-r", str(dpi), "-png", str(pdf), str(target)], check=True)
        pages = sorted(target.parent.glob("*.png"))
        if _OUTPUT:
            for page in pages:
                shutil.copyfile(page, self._kept(page.name))
        return pages

    def check(self, path: Path) -> Path:
        """
        Recalculate a workbook, and assert that no cell is an error and each formula comes to what it says.

        The figures that stand beside the formulas in the file are those of Python.

        Returns:
            The recalculated copy.
        """
        made = self.recalculated(path)
        assert errors(made) == []
        differing = [
            f"{title}!{cell}: {formula} is {found!r}, expected {expected!r}"
            for title, cell, formula, expected, found in figures(path, made)
            if not same(expected, found)
        ]
        assert differing == []
        return made

    def _converted(self, path: Path, kind: str) -> Path:
        target = self._fresh(kind)
        self._convert([path], kind, target)
        made = target / f"{path.stem}.{kind}"
        assert made.is_file(), f"LibreOffice did not convert {path} to {kind}"
        return made

    def _convert(self, paths: Sequence[Path], kind: str, target: Path) -> None:
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation={self._profile.as_uri()}",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                str(target),
                *map(str, paths),
            ],
            check=True,
            capture_output=True,
            timeout=180,
        )

    def _fresh(self, name: str) -> Path:
        number = 1
        while (folder := self.folder / f"{name}-{number}").exists():
            number += 1
        folder.mkdir(parents=True)
        return folder

    def _kept(self, name: str) -> Path:
        folder = Path(_OUTPUT or "") / re.sub(r"[^\w-]+", "_", self._name)[:100]
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def without_results(path: Path, target: Path) -> Path:
    """Copy a workbook without the results of its formulas."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.startswith("xl/worksheets/sheet"):
                content = _RESULT.sub(rb"\1\3\4", content)
            copy.writestr(entry.filename, content)
    return target


def figures(path: Path, recalculated: Path) -> Iterator[tuple[str, str, str, Any, Any]]:
    """List every formula: sheet, cell, formula, the result in the file, the one in the recalculated copy."""
    formulas = openpyxl.load_workbook(path)
    expected = openpyxl.load_workbook(path, data_only=True)
    found = openpyxl.load_workbook(recalculated, data_only=True)
    for worksheet in formulas.worksheets:
        for row in worksheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    yield (
                        worksheet.title,
                        cell.coordinate,
                        str(cell.value),
                        expected[worksheet.title][cell.coordinate].value,
                        found[worksheet.title][cell.coordinate].value,
                    )


def same(expected: Any, found: Any) -> bool:
    """Compare two results: numbers to 1e-9 of each other, an empty text with nothing."""
    numbers = (int, float, Decimal)
    if isinstance(expected, numbers) and isinstance(found, numbers):
        one, other = (Decimal(repr(int(one) if isinstance(one, bool) else one)) for one in (expected, found))
        return abs(one - other) <= Decimal("1e-9") * max(abs(one), abs(other))
    if isinstance(expected, datetime | date) and isinstance(found, datetime | date):
        return str(expected) == str(found)
    return bool((expected or None) == (found or None))


def errors(path: Path) -> list[str]:
    """List the cells of a workbook that are errors, with what they say."""
    workbook = openpyxl.load_workbook(path, data_only=True)
    return [
        f"{worksheet.title}!{cell.coordinate}: {cell.value}"
        for worksheet in workbook.worksheets
        for row in worksheet.iter_rows()
        for cell in row
        if cell.data_type == "e"
    ]


def pages(pdf: Path) -> int:
    """Count the pages of a PDF."""
    count = re.search(r"Pages:\s+(\d+)", _info(pdf))
    assert count is not None
    return int(count[1])


def page_size(pdf: Path) -> tuple[float, float]:
    """Read the width and height of a PDF's first page, in points."""
    size = re.search(r"Page size:\s+([\d.]+) x ([\d.]+) pts", _info(pdf))
    assert size is not None
    return float(size[1]), float(size[2])


def text_of(pdf: Path, page: int = 1) -> str:
    """Read the text of one page of a PDF, laid out as it stands."""
    command = ["pdftotext", "-layout", "-f", str(page), "-l", str(page), str(pdf), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def colours(pdf: Path, page: int = 1) -> set[bytes]:
    """Draw one page of a PDF, and list the colours of its pixels, three bytes each."""
    command = ["pdftoppm", "-r", "72", "-f", str(page), "-l", str(page), str(pdf)]
    image = subprocess.run(command, check=True, capture_output=True).stdout
    head = re.match(rb"P6\s+\d+\s+\d+\s+255\s", image)
    assert head is not None
    body = image[head.end() :]
    return {body[n : n + 3] for n in range(0, len(body), 3)}


def _info(pdf: Path) -> str:
    return subprocess.run(["pdfinfo", str(pdf)], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def office_profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one profile for all tests: setting one up takes LibreOffice longer than most workbooks."""
    return tmp_path_factory.mktemp("libreoffice")


@pytest.fixture
def office(office_profile: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Office:
    """Offer LibreOffice, which writes below the test's own folder."""
    return Office(office_profile, tmp_path / "office", request.node.name)
