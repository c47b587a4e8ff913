"""What a plugin obeys that writes sheets to files, or reads tables from them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from mesoformula.errors import GridError, MesoformulaError
from mesoformula.grids import CORE_IMPORTERS, Cell, Grid, Importer
from mesoformula.provenance import said
from mesoformula.sheets import Column, Exporter, Row, Rows, Sheet
from mesoformula.testing.example_sheets import sheets_to_write
from mesoformula.testing.examples import ODD_TEXTS
from mesoformula.testing.rules import Kind, NotApplicableError, rule
from mesoformula.testing.subject import Call, Outcome, Subject, first_party
from mesoformula.testing.timing import too_slow
from mesoformula.words import shown

_EXPORTERS, _IMPORTERS = "mesoformula_exporters", "mesoformula_importers"

#: What a cell of a spreadsheet holds at most; what is longer may be cut with a mark.
_LONGEST = 30_000


@rule("export-file", Kind.EXPORTER)
def it_writes_the_file_that_it_is_told_to_and_no_other(subject: Subject) -> Iterator[str]:
    """It writes the file that it is told to and no other, and replaces what stands there."""
    for exporter in _exporters(subject):
        path = _path(subject, exporter)
        sheets = _taken(subject, exporter)
        for about in ("a new file", "a file that is there"):
            before = path.read_bytes() if path.exists() else None
            outcome = _written(exporter, sheets, path)
            if outcome.raised is not None:
                yield f"{_place(exporter)}, {about}: raised {said(outcome.raised)}; write the sheets"
                break
            beside = sorted(one.name for one in path.parent.iterdir() if one != path)
            if beside:
                yield (
                    f"{_place(exporter)}, {about}: left {shown(beside[0])} beside it; "
                    "clean up, also after a failure"
                )
            if not path.exists() or not path.stat().st_size:
                yield f"{_place(exporter)}, {about}: wrote nothing; write to the path as it is given"
                break
            if before == b"old":
                continue
            path.write_bytes(b"old")
        outcome = _written(exporter, [_long_sheet()], _path(subject, exporter))
        if outcome.raised is not None:
            yield (
                f"{_place(exporter)}, a text of 40,000 characters: raised {said(outcome.raised)}; cut it "
                "with a visible mark where the format does not hold it"
            )
        if path.exists() and path.read_bytes() == b"old":
            yield f"{_place(exporter)}: a file that was there is still the old one; replace it"


@rule("export-whole", Kind.EXPORTER)
def it_writes_whole_or_not_at_all(subject: Subject) -> Iterator[str]:
    """It writes whole or not at all: after a failure what was there is still there, and nothing else."""
    for exporter in _exporters(subject):
        path = _path(subject, exporter)
        path.write_bytes(b"old")
        read: list[bool] = []
        outcome = _written(exporter, [_breaking_sheet(read)], path)
        if not read:
            path.write_bytes(b"old")  # a format without rows has no use for them
        elif outcome.raised is None:
            yield (
                f"{_place(exporter)}: passed over a sheet whose rows cannot be read; let what is raised pass"
            )
        if path.read_bytes() != b"old":
            yield (
                f"{_place(exporter)}: a failure half-way destroyed the file that was there; write to another "
                "name beside it, and rename that at the end"
            )
        beside = sorted(one.name for one in path.parent.iterdir() if one != path)
        if beside:
            yield f"{_place(exporter)}: a failure half-way left {shown(beside[0])} behind; remove it"
        nowhere = path.parent / "not-there" / path.name
        outcome = _written(exporter, _taken(subject, exporter), nowhere)
        if not isinstance(outcome.raised, OSError | MesoformulaError):
            raised = "nothing" if outcome.raised is None else said(outcome.raised)
            yield (
                f"{_place(exporter)}: into a folder that is not there it raised {raised}; expected an OSError"
            )


@rule("export-texts", Kind.EXPORTER)
def texts_come_out_as_texts(subject: Subject) -> Iterator[str]:
    """Texts come out as texts, whatever they look like: read back, none is a formula, and none is lost."""
    tried = False
    for exporter in _exporters(subject):
        importer = _reader(subject, exporter.suffix.lower())
        if importer is None:
            continue
        tried = True
        path = _path(subject, exporter)
        outcome = _written(exporter, _taken(subject, exporter), path)
        if outcome.raised is not None:
            yield f"{_place(exporter)}: raised {said(outcome.raised)}; write the sheets"
            continue
        cells = list(_cells(importer.read(path)))
        for cell in cells:
            if cell.is_formula and isinstance(cell.value, str) and cell.value in ODD_TEXTS:
                yield (
                    f"{_place(exporter)}, {cell.place}: the text {shown(cell.value)} became a formula; "
                    "write it as text"
                )
        texts = {str(cell.value) for cell in cells if not cell.is_formula and cell.value is not None}
        for text in ("Vitamin C", "Solution µg/mL ²", "0012345", *ODD_TEXTS):
            if len(text) < _LONGEST and not any(_like(text, one) for one in texts):
                yield (
                    f"{_place(exporter)}: the text {shown(text)} is not there when read back; "
                    "write texts as they are"
                )
    if not tried:
        raise NotApplicableError("nobody reads that format, so that what it writes cannot be read back")


@rule("export-time", Kind.EXPORTER)
def it_takes_no_longer_than_a_workbook(subject: Subject) -> Iterator[str]:
    """Writing takes about as long as the bundled plugin takes for a workbook."""
    standard = next((one.value for one in first_party().exporters() if one.value.suffix == ".xlsx"), None)
    if standard is None:
        raise NotApplicableError("there is no bundled exporter to compare it with")
    for exporter in _exporters(subject):
        sheets = _taken(subject, exporter)
        path, other = _path(subject, exporter), _path(subject, standard)
        yield from too_slow(
            _place(exporter),
            lambda exporter=exporter, path=path, sheets=sheets: exporter.write(sheets, path),  # type: ignore[misc]
            "a workbook of the bundled plugin",
            lambda other=other, sheets=sheets: standard.write(sheets, other),  # type: ignore[misc]
        )


@rule("import-junk", Kind.IMPORTER)
def junk_is_refused_with_the_reason(subject: Subject) -> Iterator[str]:
    """What cannot be read is refused with a GridError that names the file; nothing else is raised."""
    for importer in subject.offered(_IMPORTERS):
        folder = subject.new_folder()
        for about, path in _junk(folder, importer.suffix):
            outcome = Call(_IMPORTERS, importer.suffix, importer.read, (path,)).made()
            place = f"{_IMPORTERS}, {importer.suffix}, {about}"
            if isinstance(outcome.raised, GridError):
                if not outcome.raised.problems or not all(one.message for one in outcome.raised.problems):
                    yield f"{place}: refused without a reason; say what was found and what is right"
            elif outcome.raised is not None:
                yield (
                    f"{place}: raised {said(outcome.raised)}; "
                    "raise GridError with a Problem that names the file"
                )
            else:
                yield from _wrong_grids(place, outcome.value)


@rule("import-grids", Kind.IMPORTER)
def what_it_reads_is_a_table_of_plain_values(subject: Subject) -> Iterator[str]:
    """What it reads is a table of plain values, in which every cell knows its place."""
    writers = {one.suffix.lower() for one in (*_exporters(subject), *_first_party_exporters())}
    readable = [one for one in subject.offered(_IMPORTERS) if one.suffix.lower() in writers]
    subject.needed(readable, "nobody writes that format, so that there is nothing to read")
    known = {one.suffix.lower(): one for one in (*_first_party_exporters(), *_exporters(subject))}
    for importer in readable:
        exporter = known[importer.suffix.lower()]
        path = _path(subject, exporter)
        exporter.write(_taken(subject, exporter), path)
        outcome = Call(_IMPORTERS, importer.suffix, importer.read, (path,)).made()
        place = f"{_IMPORTERS}, {importer.suffix}"
        if outcome.raised is not None:
            yield f"{place}: raised {said(outcome.raised)} at a sound file; read it"
            continue
        yield from _wrong_grids(place, outcome.value)
        if not any(cell.value == "Vitamin C" for cell in _cells(outcome.value)):
            yield f"{place}: a text of the file is not in what was read; hand over all cells"


# ---- writing --------------------------------------------------------------------------------------------


def _exporters(subject: Subject) -> tuple[Exporter, ...]:
    return subject.offered(_EXPORTERS)


def _first_party_exporters() -> tuple[Exporter, ...]:
    return tuple(one.value for one in first_party().exporters())


def _place(exporter: Exporter) -> str:
    return f"{_EXPORTERS}, {exporter.suffix}"


def _path(subject: Subject, exporter: Exporter) -> Path:
    return subject.new_folder() / f"written{exporter.suffix}"


def _taken(subject: Subject, exporter: Exporter) -> list[Sheet]:
    """List the sheets that a format takes together."""
    return list(subject.base_sheets[: 1 if exporter.is_single else None])


def _written(exporter: Exporter, sheets: Sequence[Sheet], path: Path) -> Outcome:
    arguments = (list(sheets), path)
    return Call(_EXPORTERS, _place(exporter), exporter.write, arguments, takes_all=False).made()


def _long_sheet() -> Sheet:
    """Make a sheet of which one text is longer than any spreadsheet program takes."""
    return Sheet("kit-long", "Long text", (Column("text", "Text"),), (Row(("x" * 40_000,)),))


class _BrokenRowsError(Exception):
    """What rows raise that cannot be read to the end."""


def _breaking_sheet(was_read: list[bool]) -> Sheet:
    """Make a sheet whose rows break off, as those of a database that is gone, and note that they did."""
    sheet = sheets_to_write()[0]
    kept = tuple(sheet.rows)

    def read() -> Iterator[Row]:
        yield from kept[:2]
        was_read.append(True)
        raise _BrokenRowsError("the kit broke these rows off")

    return attrs.evolve(sheet, rows=Rows(len(kept), read))


# ---- reading --------------------------------------------------------------------------------------------


def _reader(subject: Subject, suffix: str) -> Importer | None:
    known = [
        *subject.offered(_IMPORTERS),
        *CORE_IMPORTERS,
        *(one.value for one in first_party().importers()),
    ]
    return next((one for one in known if one.suffix.lower() == suffix), None)


def _cells(grids: Any) -> Iterator[Cell]:
    return (cell for grid in grids for cells in grid.rows for cell in cells)


def _like(text: str, read: str) -> bool:
    """Compare letters and digits: formats guard texts with signs of their own, and hold not every sign."""
    return _bare(text) in _bare(read)


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _junk(folder: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    contents = {
        "an empty file": b"",
        "no such file as its name says": b"%PDF-1.7\nno table",
        "zeros": bytes(1000),
        "half an archive": b"PK\x03\x04" + bytes(range(256)),
        "odd text": "\n".join(ODD_TEXTS).encode(),
        "chance": secrets.token_bytes(1000),
    }
    for number, (about, content) in enumerate(contents.items(), 1):
        path = folder / f"junk-{number}{suffix}"
        path.write_bytes(content)
        yield about, path
    yield "a file that is not there", folder / f"not-there{suffix}"
    a_folder = folder / f"folder{suffix}"
    a_folder.mkdir()
    yield "a folder", a_folder


def _wrong_grids(place: str, grids: Any) -> Iterator[str]:
    for grid in grids or ():
        if not isinstance(grid, Grid):
            yield f"{place}: answered with a {type(grid).__name__}; expected a Grid"
            continue
        last = (0, 0)
        for cells in grid.rows:
            for cell in cells:
                if (cell.row, cell.column) <= last:
                    yield (
                        f"{place}: cell {cell.place} comes after row {last[0]}, column {last[1]}; "
                        "go top to bottom"
                    )
                last = (cell.row, cell.column)
