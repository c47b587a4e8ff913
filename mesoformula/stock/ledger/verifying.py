"""Whether the ledger still says what was recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import attrs
from sqlalchemy import Connection, Select, func, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.guards import file_problems, guard_problems
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.chain import (
    GENESIS,
    MovementFacts,
    Remark,
    content_hash,
    movement_hash,
    remark_hash,
)
from mesoformula.stock.ledger.replaying import grouped, line_facts, lines_query, movement_facts, streamed
from mesoformula.stock.ledger.tally import TABLES, Tally
from mesoformula.stock.records import Anchor, Verification
from mesoformula.words import shown

# A ledger that was tampered with may be wrong in every row; whoever reads this needs the first ones.
_ENOUGH = 100
# Movements between two reports of how far it is.
_STEP = 2_000

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def read_anchor(text: str) -> Anchor:
    """
    Read an anchor as it was printed.

    Args:
        text: Such as `12:` and 64 hexadecimal digits.

    Returns:
        The anchor.

    Raises:
        OrderError: If it is none.
    """
    match = _ANCHOR.fullmatch(text.strip().removeprefix("anchor ").lower())
    if match is None:
        raise OrderError(
            [
                Problem(
                    "anchor",
                    f"{shown(text)} is no anchor; expected the number of a movement, a colon and 64 "
                    "hexadecimal digits, as every write prints them after the word 'anchor'",
                )
            ]
        )
    return Anchor(int(match[1]), match[2])


def verify(
    store: Store, *, against: Anchor | None = None, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """
    Recompute the chain, the balances and everything else that the ledger adds up to.

    Without an anchor kept elsewhere, a cut tail with everything recomputed to fit it cannot be told from a
    ledger that never was longer, nor a wholly rewritten ledger from a true one.

    Args:
        store: The stock.
        against: A `seq:hash` that a write or a sheet once printed.
        progress: Is told now and then how many movements were read, and how many there are.

    Returns:
        What was found, the first bad movement first.

    Raises:
        StockError: If the store cannot be read at all.
    """
    with store.reading() as connection:
        return verify_in(connection, against=against, progress=progress)


def verify_in(
    connection: Connection | None,
    *,
    against: Anchor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """
    Do the same in a transaction.

    Args:
        connection: Of the stock; None if there is none yet.
        against: As `verify` takes it.
        progress: As `verify` takes it.

    Returns:
        What was found.
    """
    walk = _Walk(against, progress)
    if connection is not None:
        try:
            walk.movements(connection)
            walk.note(_odd_rows(connection))
            walk.note(walk.sums(connection))
        except (TypeError, ValueError, AttributeError) as err:
            # Only where SQLite has no strict tables, or somebody made them lax.
            walk.note([Problem("file", f"holds a value of the wrong kind: {err}")])
        walk.note(guard_problems(connection))
        walk.note(file_problems(connection))
    if against is not None and not walk.met:
        walk.note([_not_met(against, walk)])
    anchor = Anchor(walk.count, walk.previous) if walk.count else None
    return Verification(walk.count, anchor, tuple(walk.listed()))


def _not_met(against: Anchor, walk: _Walk) -> Problem:
    said = f"anchor {against.seq}:{against.hash[:12]}…"
    if against.seq > walk.count:
        return Problem(
            "anchor",
            f"{said} is not in this ledger, which ends with movement {walk.count}: its end was cut off",
        )
    return Problem(
        "anchor",
        f"{said} is not in this ledger: movement {against.seq} has another hash, so that it or something "
        "before it was rewritten",
    )


class _Walk:
    """One pass over the movements in order, adding up what they say."""

    def __init__(self, against: Anchor | None, progress: Callable[[int, int], None] | None) -> None:
        self.against = against
        self.progress = progress
        self.met = against is not None and (against.seq, against.hash) == (0, GENESIS)
        self.problems: list[Problem] = []
        self.more = 0
        self.count = 0
        self.previous = GENESIS
        self.tally = Tally()

    def note(self, problems: Iterable[Problem]) -> None:
        """Keep the first problems, and count the others."""
        for problem in problems:
            if len(self.problems) < _ENOUGH:
                self.problems.append(problem)
            else:
                self.more += 1

    def listed(self) -> Iterator[Problem]:
        """List the problems, and say how many there are beside."""
        yield from self.problems
        if self.more:
            yield Problem("more", f"and {self.more} more rows that do not agree")

    def movements(self, connection: Connection) -> None:
        """Recompute the chain, and name the first movement at which it breaks."""
        table = schema.movement
        total = 0
        if self.progress is not None:
            total = connection.execute(select(func.count()).select_from(table)).scalar_one()
        lines = grouped(streamed(connection, lines_query()))
        pending = next(lines, None)
        for done, row in enumerate(streamed(connection, select(table).order_by(table.c.seq))):
            while pending is not None and pending[0] < row.seq:
                pending = next(lines, None)
            mine: list[Any] = []
            if pending is not None and pending[0] == row.seq:
                mine, pending = pending[1], next(lines, None)
            self._movement(row, mine)
            if self.progress is not None and done % _STEP == 0:
                self.progress(done, total)
        head = [tuple(row) for row in connection.execute(select(schema.chain_head))]
        if not self.problems and head != [(1, self.count, self.previous)]:
            said = f"{head[0][1]}:{head[0][2]}" if head else "nothing"
            self.note(
                [Problem("head", f"the head of the chain says {said}, the last movement is {self.count}")]
            )

    def _movement(self, row: Any, lines: list[Any]) -> None:
        facts = tuple([line_facts(line) for line in lines])
        movement = movement_facts(row, facts)
        if not self.problems:
            reason = self._wrong(movement, row.hash)
            if reason is not None:
                self.note([Problem("chain", f"movement {row.seq}: {reason}")])
        self.count = movement.seq
        self.previous = row.hash
        if self.against is not None and (self.against.seq, self.against.hash) == (row.seq, row.hash):
            self.met = True
        try:
            self.tally.begin(movement)
            for line, said in zip(lines, facts, strict=True):
                self.tally.add(movement, said, line.lot, line.location)
        except (ValueError, TypeError, KeyError) as err:
            self.note([Problem("movement", f"movement {row.seq}: cannot be added up: {err}")])

    def _wrong(self, movement: MovementFacts, said: str) -> str | None:
        if movement.seq != self.count + 1:
            return f"follows {self.count}; what stood between is missing"
        if movement.previous != self.previous:
            return "does not follow the movement before it"
        try:
            found = movement_hash(movement)
        except (TypeError, ValueError):
            found = ""
        return None if found == said else "is not what was recorded; it or its lots were changed"

    def sums(self, connection: Connection) -> Iterator[Problem]:
        """Compare what the movements add up to with what is kept."""
        for name, added in self.tally.tables().items():
            keys, kind = TABLES[name]
            table = schema.metadata.tables[name]
            fields = [field.name for field in attrs.fields(kind)]
            columns = [table.c[key] for key in (*keys, *fields)]
            values_of, at = attrgetter(*fields), len(keys)
            differing: dict[tuple[Any, ...], tuple[Any, ...] | None] = {}
            met = 0
            for row in streamed(connection, select(*columns)):
                key, said = tuple(row[:at]), tuple(row[at:])
                one = added.get(key)
                met += one is not None
                if one is None or values_of(one) != said:
                    differing[key] = said
            if met < len(added):
                differing.update(self._not_kept(connection, table, keys, added))
            for key in sorted(differing, key=str):
                one = added.get(key)
                true = values_of(one) if one is not None else None
                yield Problem(
                    _CODES.get(name, name), _difference(name, keys, fields, key, differing[key], true)
                )

    @staticmethod
    def _not_kept(
        connection: Connection, table: Any, keys: Sequence[str], added: dict[Any, Any]
    ) -> dict[tuple[Any, ...], None]:
        kept = {tuple(row) for row in connection.execute(select(*(table.c[key] for key in keys)))}
        return dict.fromkeys(added.keys() - kept)


_CODES = {"lot_state": "lot-state", "pack_serial": "serial"}


def _difference(
    name: str,
    keys: Sequence[str],
    fields: Sequence[str],
    key: tuple[Any, ...],
    said: tuple[Any, ...] | None,
    true: tuple[Any, ...] | None,
) -> str:
    subject = ", ".join(f"{one} {part}" for one, part in zip(keys, key, strict=True))
    if said is None or true is None:
        what = "nothing is kept" if said is None else "no movement accounts for what is kept"
        return f"{name} ({subject}): {what}"
    differing = [
        f"{field} is kept as {one}, the movements add up to {other}"
        for field, one, other in zip(fields, said, true, strict=True)
        if one != other
    ]
    return f"{name} ({subject}): {'; '.join(differing)}"


def _odd_rows(connection: Connection) -> Iterator[Problem]:
    """Name product records that were changed, and rows that belong to nothing."""
    record, lot, line = schema.product_record, schema.lot, schema.movement_line
    for row in streamed(connection, select(record).order_by(record.c.hash)):
        if content_hash(row.record.encode()) != row.hash:
            yield Problem("product", f"product record {row.hash[:12]}… is not what was recorded")
    remark = schema.remark
    remarks = (
        select(remark, line.c.remark_hash, schema.movement.c.reason_hash)
        .select_from(remark)
        .outerjoin(schema.movement, schema.movement.c.seq == remark.c.movement)
        .outerjoin(line, (line.c.movement == remark.c.movement) & (line.c.line == remark.c.line))
        .order_by(remark.c.movement, remark.c.line)
    )
    for row in streamed(connection, remarks):
        expected = row.remark_hash if row.line else row.reason_hash
        if remark_hash(Remark(row.salt, row.text)) != expected:
            which = f"the remark of line {row.line}" if row.line else "the reason"
            yield Problem("remark", f"movement {row.movement}: {which} was changed")
    orphans: list[tuple[str, Select[Any]]] = [
        (
            "movement_line of movement",
            select(line.c.movement).where(
                ~select(schema.movement.c.seq).where(schema.movement.c.seq == line.c.movement).exists()
            ),
        ),
        ("lot", select(lot.c.id).where(~select(line.c.lot).where(line.c.lot == lot.c.id).exists())),
        ("product_record", select(record.c.hash).where(record.c.hash.not_in(select(lot.c.product_hash)))),
        (
            "lot without product record",
            select(lot.c.id).where(lot.c.product_hash.not_in(select(record.c.hash))),
        ),
        (
            "location",
            select(schema.location.c.id).where(
                schema.location.c.id.not_in(
                    select(line.c.location).where(line.c.location.is_not(None)).distinct()
                )
            ),
        ),
    ]
    for called, query in orphans:
        for (key,) in connection.execute(query):
            yield Problem("orphan", f"{called} {str(key)[:12]}: no movement put it there")
    revisions = [row[0] for row in connection.execute(select(schema.alembic_version))]
    if revisions != [schema.REVISION]:
        said = ", ".join(map(str, revisions)) or "none"
        yield Problem("schema", f"revision {said} of the tables is noted, expected {schema.REVISION}")
