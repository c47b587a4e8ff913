"""A delivery note named by what it says, so that the same note twice is received once."""

from __future__ import annotations

from collections.abc import Iterator

from mesoformula.grids import Cell
from mesoformula.stock.arrivals.delivery_notes import Note
from mesoformula.stock.arrivals.note_headings import Field
from mesoformula.stock.arrivals.note_values import BLANKS
from mesoformula.stock.ledger.chain import canonical, content_hash


def request_of(note: Note, *, opening: bool = False) -> str:
    """
    Name the write of a note by what stands in it.

    What stands above the headings counts, such as the number and the day of the note, so that two notes of
    the same goods are two. Columns that are ignored and remarks do not count: a plain hash of them could be
    guessed.

    Args:
        note: As it was read.
        opening: Whether it is a list of what was there before the ledger.

    Returns:
        A request id, the same however the file was saved.
    """
    plain = {
        "above": [list(_said(row)) for row in note.grid.rows[: note.header.place]],
        "columns": [field.value for field in note.header.columns],
        "rows": list(_lines(note)),
    }
    return f"{'opening' if opening else 'note'}-{content_hash(canonical(plain))[:40]}"


def _said(cells: tuple[Cell, ...]) -> Iterator[str]:
    for cell in cells:
        text = "" if cell.value is None else str(cell.value).strip(BLANKS)
        if text:
            yield text


def _lines(note: Note) -> Iterator[list[str]]:
    columns = [column for field, column in note.header.columns.items() if field is not Field.REMARK]
    for row in note.grid.rows[note.header.place + 1 :]:
        texts = [
            str(row[column - 1].value or "").strip(BLANKS) if column <= len(row) else "" for column in columns
        ]
        if any(texts):
            yield texts
