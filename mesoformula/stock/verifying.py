"""Whether the ledger still says what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import attrs
from sqlalchemy import Connection, Select, select

from mesoformula.errors import Problem
from mesoformula.stock import schema
from mesoformula.stock.chain import (
    GENESIS,
    LINE_FACTS,
    LineFacts,
    MovementFacts,
    Remark,
    content_hash,
    movement_hash,
    remark_hash,
)
from mesoformula.stock.guards import file_problems, guard_problems
from mesoformula.stock.records import Anchor, Verification
from mesoformula.stock.store import Store
from mesoformula.stock.tally import TABLES, Tally

# A ledger that was tampered with may be wrong in every row; whoever reads this needs the first ones.
_ENOUGH = 20


def verify(store: Store, *, against: Anchor | None = None) -> Verification:
    """
    Recompute the chain, the balances and everything else that the ledger adds up to.

    Without an anchor kept elsewhere, a cut tail with everything recomputed to fit it cannot be told from a
    ledger that never was longer, nor a wholly rewritten ledger from a true one.

    Args:
        store: The stock.
        against: A `seq:hash` that a write or a sheet once printed.

    Returns:
        What was found, the first bad movement first.

    Raises:
        StockError: If the store cannot be read at all.
    """
    walk = _Walk(against)
    with store.reading() as connection:
        if connection is not None:
            try:
                walk.movements(connection)
                walk.problems.extend(_odd_rows(connection))
                walk.problems.extend(walk.sums(connection))
            except (TypeError, ValueError, AttributeError) as err:
                # Only where SQLite has no strict tables, or somebody made them lax.
                walk.problems.append(Problem("file", f"holds a value of the wrong kind: {err}"))
            walk.problems.extend(guard_problems(connection))
            walk.problems.extend(file_problems(connection))
    if against is not None and not walk.met:
        walk.problems.append(
            Problem("anchor", f"movement {against.seq} with hash {against.hash} is not in this ledger")
        )
    anchor = Anchor(walk.count, walk.previous) if walk.count else None
    return Verification(walk.count, anchor, tuple(walk.problems[:_ENOUGH]))


class _Walk:
    """One pass over the movements in order, adding up what they say."""

    def __init__(self, against: Anchor | None) -> None:
        self.against = against
        self.met = against is not None and (against.seq, against.hash) == (0, GENESIS)
        self.problems: list[Problem] = []
        self.count = 0
        self.previous = GENESIS
        self.tally = Tally()

    def movements(self, connection: Connection) -> None:
        """Recompute the chain, and name the first movement at which it breaks."""
        lines = _lines(connection)
        pending = next(lines, None)
        for row in connection.execute(select(schema.movement).order_by(schema.movement.c.seq)):
            while pending is not None and pending[0] < row.seq:
                pending = next(lines, None)
            mine: list[Any] = []
            if pending is not None and pending[0] == row.seq:
                mine, pending = pending[1], next(lines, None)
            self._movement(row, mine)
        head = connection.execute(select(schema.chain_head.c.seq, schema.chain_head.c.hash)).all()
        if not self.problems and [tuple(one) for one in head] != [(self.count, self.previous)]:
            said = f"{head[0].seq}:{head[0].hash}" if head else "nothing"
            self.problems.append(
                Problem("head", f"the head of the chain says {said}, the last movement is {self.count}")
            )

    def _movement(self, row: Any, lines: list[Any]) -> None:
        facts = tuple(_line_facts(line) for line in lines)
        movement = MovementFacts(
            seq=row.seq,
            kind=row.kind,
            effective_at=row.effective_at,
            recorded_at=row.recorded_at,
            actor=row.actor,
            previous=row.previous_hash,
            lines=facts,
            request=row.request_id,
            request_content=row.request_content,
            session=row.session,
            pick=row.pick,
            reverses=row.reverses,
            cause=row.cause,
            lapses_at=row.lapses_at,
            reason=row.reason_hash,
        )
        if not self.problems:
            reason = self._wrong(movement, row.hash)
            if reason is not None:
                self.problems.append(Problem("chain", f"movement {row.seq}: {reason}"))
        self.count = row.seq
        self.previous = row.hash
        if self.against is not None and (self.against.seq, self.against.hash) == (row.seq, row.hash):
            self.met = True
        try:
            self.tally.begin(movement)
            for line, said in zip(lines, facts, strict=True):
                self.tally.add(movement, said, line.lot, line.location)
        except (ValueError, TypeError, KeyError) as err:
            self.problems.append(Problem("movement", f"movement {row.seq}: cannot be added up: {err}"))

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
            kept = {
                tuple(row[: len(keys)]): tuple(row[len(keys) :])
                for row in connection.execute(select(*columns))
            }
            values_of = attrgetter(*fields)
            expected = {key: values_of(one) for key, one in added.items()}
            for key in sorted(kept.keys() | expected.keys(), key=str):
                said, true = kept.get(key), expected.get(key)
                if said != true:
                    yield Problem(_CODES.get(name, name), _difference(name, keys, fields, key, said, true))


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


def _lines(connection: Connection) -> Iterator[tuple[int, list[Any]]]:
    line, lot, place = schema.movement_line, schema.lot, schema.location
    rows = connection.execute(
        select(
            line,
            lot.c.product_hash,
            lot.c.product_id,
            lot.c.revision,
            lot.c.number,
            lot.c.expiry,
            place.c.name,
        )
        .select_from(line)
        .outerjoin(lot, lot.c.id == line.c.lot)
        .outerjoin(place, place.c.id == line.c.location)
        .order_by(line.c.movement, line.c.line)
    )
    for seq, group in groupby(rows, key=lambda row: int(row.movement)):
        yield seq, list(group)


def _line_facts(row: Any) -> LineFacts:
    return LineFacts(
        line=row.line,
        product=row.product_hash,
        product_id=row.product_id,
        revision=row.revision,
        lot=row.number,
        expiry=row.expiry,
        location=row.name,
        containers=row.containers,
        remark=row.remark_hash,
        **{name: getattr(row, name) for name in _PLAIN},
    )


# Facts of a line that stand in its row under the same name.
_PLAIN = tuple(
    name for name in LINE_FACTS[LINE_FACTS.index("containers") + 1 :] if name in schema.movement_line.c
)


def _odd_rows(connection: Connection) -> Iterator[Problem]:
    """Name product records that were changed, and rows that belong to nothing."""
    record, lot, line = schema.product_record, schema.lot, schema.movement_line
    for row in connection.execute(select(record).order_by(record.c.hash)):
        if content_hash(row.record.encode()) != row.hash:
            yield Problem("product", f"product record {row.hash[:12]}… is not what was recorded")
    remark = schema.remark
    remarks = connection.execute(
        select(remark, line.c.remark_hash, schema.movement.c.reason_hash)
        .select_from(remark)
        .outerjoin(schema.movement, schema.movement.c.seq == remark.c.movement)
        .outerjoin(line, (line.c.movement == remark.c.movement) & (line.c.line == remark.c.line))
        .order_by(remark.c.movement, remark.c.line)
    )
    for row in remarks:
        expected = row.remark_hash if row.line else row.reason_hash
        if remark_hash(Remark(row.salt, row.text)) != expected:
            which = f"the remark of line {row.line}" if row.line else "the reason"
            yield Problem("remark", f"movement {row.movement}: {which} was changed")
    used = select(line.c.lot).where(line.c.lot.is_not(None))
    orphans: list[tuple[str, Select[Any]]] = [
        (
            "movement_line of movement",
            select(line.c.movement).where(line.c.movement.not_in(select(schema.movement.c.seq))),
        ),
        ("lot", select(lot.c.id).where(lot.c.id.not_in(used))),
        ("product_record", select(record.c.hash).where(record.c.hash.not_in(select(lot.c.product_hash)))),
        (
            "lot without product record",
            select(lot.c.id).where(lot.c.product_hash.not_in(select(record.c.hash))),
        ),
        (
            "location",
            select(schema.location.c.id).where(
                schema.location.c.id.not_in(select(line.c.location).where(line.c.location.is_not(None)))
            ),
        ),
    ]
    for called, query in orphans:
        for (key,) in connection.execute(query):
            yield Problem("orphan", f"{called} {str(key)[:12]}: no movement put it there")
