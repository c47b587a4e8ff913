"""
Free text, erased for good: from the table, and from the pages of a file where it stood.

The chain holds a salted hash of a text, so that it verifies without it; with the salt gone too, nobody can
find out what was written by trying.
"""

from __future__ import annotations

from contextlib import closing

import attrs
from sqlalchemy import Connection, delete, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.places import Place
from mesoformula.stock.database.sqlite_file import SqliteFile
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import lock

# Seconds to wait for programs that are reading what is to be overwritten.
_PATIENCE = 10.0


@attrs.frozen
class Erased:
    """
    What erasing did.

    Attributes:
        movement: Whose text.
        line: Of which line; 0 is the reason of the movement as a whole.
        before: True if it had been erased before, so that nothing changed.
        notes: What to know about it, in sentences.
    """

    movement: int
    line: int
    before: bool
    notes: tuple[str, ...] = ()


def erase(store: Store, movement: int, line: int = 0) -> Erased:
    """
    Erase the free text of a movement or of one of its lines; the ledger still verifies.

    Args:
        store: The stock.
        movement: Its number.
        line: Number of the line; 0 means the reason of the movement as a whole.

    Returns:
        What was done, and where the text may still be.

    Raises:
        OrderError: If there is no such movement or line, or it never had a text.
        StockError: If the store cannot be written to.
    """
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", f"the stock is empty: {store}; is the path right?")])
        _object(connection, movement, line)
    with store.writing() as connection:
        # A request id is compared with the texts that stand there: nobody does so meanwhile.
        lock(connection)
        if store.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        table = schema.remark
        done = connection.execute(delete(table).where(table.c.movement == movement, table.c.line == line))
        before = done.rowcount == 0
    notes = ["a backup or a copy of the stock that was made before still holds the text"]
    notes += _overwrite(store.place)
    return Erased(movement, line, before, tuple(notes))


def texts_of(store: Store, movement: int) -> dict[int, str]:
    """
    Read the free texts of a movement that can be erased.

    Args:
        store: The stock.
        movement: Its number.

    Returns:
        Texts by line; 0 is the reason of the movement as a whole.
    """
    table = schema.remark
    with store.reading() as connection:
        if connection is None:
            return {}
        rows = connection.execute(
            select(table.c.line, table.c.text).where(table.c.movement == movement).order_by(table.c.line)
        )
        return {row.line: row.text for row in rows}


def _object(connection: Connection, number: int, line: int) -> None:
    movement, row = schema.movement, schema.movement_line
    reason = connection.execute(
        select(movement.c.seq, movement.c.reason_hash).where(movement.c.seq == number)
    ).one_or_none()
    if reason is None:
        raise OrderError([Problem("movement", f"there is no movement {number}; see: stock history")])
    hashes = {0: reason.reason_hash}
    for one in connection.execute(
        select(row.c.line, row.c.remark_hash).where(row.c.movement == number).order_by(row.c.line)
    ):
        hashes[one.line] = one.remark_hash
    if line not in hashes:
        raise OrderError(
            [
                Problem(
                    "line",
                    f"movement {number} has no line {line}; expected 1 to {len(hashes) - 1}, or none at all "
                    "for its reason",
                )
            ]
        )
    if hashes[line] is None:
        what = f"line {line}" if line else "it"
        with_text = [str(one) for one, known in hashes.items() if one and known is not None]
        hint = f"; there is a remark on line {', '.join(with_text)}: name it with --line" if with_text else ""
        raise OrderError([Problem("line", f"movement {number}: no text was ever recorded with {what}{hint}")])


def _overwrite(place: Place) -> list[str]:
    """See to it that the database keeps no old page with the text; tell what it keeps all the same."""
    if not isinstance(place, SqliteFile):
        return [
            "PostgreSQL keeps what was deleted until its owner runs: VACUUM FULL remark; and for longer in "
            "its write-ahead log and archives"
        ]
    with place.plain_errors(), closing(place.connect()) as raw:
        # Text may have been left over where the pages of the table were split, long before.
        raw.execute("PRAGMA secure_delete = ON")
        raw.execute("VACUUM")
        raw.execute(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")
        (busy, _pages, _moved) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if not busy:
        return []
    return [
        f"another program is reading {place}: until it ends, the text may stand in the file beside it; erase "
        "it again then"
    ]
