"""
Taking back a movement that should not be there: by one that says the opposite of every line, at its moment.

Nothing is rewritten. What a count found stays true, and a sum that would be below zero stands against it, so
that movements are taken back from the latest on wherever one rests on the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.costs import Cost, cost_text, read_cost, write_cost
from mesoformula.stock.ledger.orders import check_order, figure
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import NO, QUARANTINED, RECEIPTS, YES, OpenedSum
from mesoformula.stock.lots.facts import cost_at
from mesoformula.stock.lots.finding import find_opened, lot_by_id, place_id, place_name
from mesoformula.stock.lots.lots import (
    MOVED,
    amount_text,
    containers_there,
    listed,
    lot_text,
    picks_of,
    require_stock,
    short_picks,
)
from mesoformula.stock.records import LotFact, MovementKind, Order, Receipt

#: Movements that cannot be taken back, and what is done instead.
_INSTEAD = {
    MovementKind.PICK: "free it: mesoformula stock release {seq}",
    MovementKind.FREE: "pick again: mesoformula stock pick",
    MovementKind.QUARANTINE: "release what it holds: mesoformula stock release VENDOR/SKU LOT",
    MovementKind.RECALL: "release the lot: mesoformula stock release VENDOR/SKU LOT",
    MovementKind.RELEASE: "quarantine or recall it again: mesoformula stock quarantine, or recall",
    MovementKind.FACT: "say what holds: mesoformula stock fact VENDOR/SKU LOT",
    MovementKind.SETTING: "set it again, as it should be",
    MovementKind.COUNT_OPENED: "it changed nothing: open another count",
    MovementKind.COUNT: "count again: mesoformula stock count open",
    MovementKind.COMPENSATION: "reverse what made it necessary: movement {cause}",
    MovementKind.REVERSAL: "record again what it took back",
}
_TAKES = frozenset({MovementKind.USE.value, MovementKind.WASTE.value, MovementKind.MIX.value})


def reverse(store: Store, number: int, *, order: Order) -> Receipt:
    """
    Take back a movement that should not be there.

    Args:
        store: The stock.
        number: Of a receipt, takeover, opening, mixture, use, waste, return, move or adjustment.
        order: Who asks and why, which is needed; the moment is that of the movement.

    Returns:
        The reversal, with the anchor to keep.

    Raises:
        ShortStockError: If what it brought is not there any more.
        OrderError: If it cannot be taken back, with what to do instead; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment(), needs_reason=True)
    if order.at is not None:
        problems.append(
            Problem("at", "a reversal holds from the moment of what it takes back; leave out the moment")
        )
    if type(number) is not int or not 0 < number < 2**63:
        problems.append(Problem("movement", f"movement {figure(number)}: expected its number, such as 12"))
    if problems:
        raise OrderError(problems)
    require_stock(store)
    return carry_out(
        store,
        order,
        {"kind": "reversal", "movement": number},
        lambda posting: _Reversal(posting, number).post(),
    )


class _Reversal:
    """One reversal in the making."""

    def __init__(self, posting: Posting, number: int) -> None:
        self.posting = posting
        self.connection = posting.connection
        self.number = number
        self.row = _find(posting.connection, number)
        self.kind = MovementKind(self.row.kind)
        self.at = int(self.row.effective_at)
        line = schema.movement_line
        self.lines = list(
            self.connection.execute(select(line).where(line.c.movement == number).order_by(line.c.line))
        )
        self.reopened = self._reopened()

    def post(self) -> None:
        posting, row = self.posting, self.row
        problems: list[Problem] = []
        entries = [entry for one in self.lines for entry in self._entry(problems, one)]
        if problems:
            raise OrderError(list(dict.fromkeys(problems)))
        posting.post(MovementKind.REVERSAL, entries, at=self.at, session=row.session, reverses=self.number)
        received = self.lines if row.kind in RECEIPTS else []
        for lot in sorted({one.lot for one in received}):
            self._put_cost_right(lot_by_id(self.connection, lot))
        posting.notes.extend(self._notes(entries))

    # ---- lines

    def _entry(self, problems: list[Problem], line: Any) -> Iterable[Entry]:
        lot = lot_by_id(self.connection, line.lot) if line.lot is not None else None
        if line.opened is not None:
            yield from self._opened_entry(problems, line, lot)
            return
        place = place_name(self.connection, line.location) if line.location is not None else None
        if line.fact == QUARANTINED:
            yield from self._carried_back(line, lot, place)
            return
        yield Entry(
            lot,
            place,
            -line.containers,
            device=line.device,
            serial=line.serial,
            fact=line.fact,
            old=line.new,
            new=line.old,
        )

    def _carried_back(self, line: Any, lot: Lot | None, place: str | None) -> Iterable[Entry]:
        """End a quarantine that was carried along, once nothing it was carried with is left there."""
        if lot is None or place is None:
            return
        table = schema.movement_line
        came = self.connection.execute(
            select(table.c.containers).where(
                table.c.movement == self.number, table.c.lot == lot.id, table.c.location == line.location
            )
        ).scalars()
        if containers_there(self.connection, lot.id, line.location) > sum(came):
            self.posting.notes.append(
                f"{lot_text(lot)} stays quarantined at {place}, where more of it is: release it there, if "
                "that may be used"
            )
            return
        yield Entry(lot, place, fact=QUARANTINED, old=YES, new=NO)

    def _opened_entry(self, problems: list[Problem], line: Any, lot: Lot | None) -> Iterable[Entry]:
        number = int(line.opened)
        vessel = find_opened(self.connection, number, gone=True)
        here = place_name(self.connection, vessel.location)
        back = attrs.evolve(
            Entry(lot, here, opened=number, subject=vessel.name, device=line.device, serial=line.serial),
            nanolitres=-line.nanolitres if line.nanolitres is not None else None,
            nanograms=-line.nanograms if line.nanograms is not None else None,
            fact=line.fact,
            old=line.new,
            new=line.old,
        )
        if vessel.movement == self.number:
            problems.extend(self._against_closing(number, vessel))
            # Containers on the line go back to where they were taken from.
            place = place_name(self.connection, line.location) if line.containers else here
            yield attrs.evolve(back, location=place, containers=-line.containers, becomes="gone")
        elif line.fact == MOVED:
            if here != line.new:
                said = f"opened container {number} was moved again since: reverse that first"
                problems.append(Problem("opened", said))
            yield attrs.evolve(back, location=line.old)
        elif number in self.reopened:
            # It was gone before, and is gone again once nothing is left in it.
            closes = self.reopened[number] and not vessel.gone
            yield attrs.evolve(back, becomes="gone" if closes else None)
        else:
            becomes = None
            if vessel.gone:
                problems.extend(self._against_filling(number))
                becomes = "open"
            yield attrs.evolve(back, becomes=becomes)

    def _reopened(self) -> dict[int, bool]:
        """Find the opened containers that this opened again, and whether they are empty without it."""
        found = {}
        for number in {one.opened for one in self.lines if one.opened and one.becomes == "open"}:
            vessel = find_opened(self.connection, number, gone=True)
            if vessel.movement != self.number:
                mine = [one for one in self.lines if one.opened == number]
                volume = (vessel.nanolitres or 0) - sum(one.nanolitres or 0 for one in mine)
                mass = (vessel.nanograms or 0) - sum(one.nanograms or 0 for one in mine)
                found[number] = not volume and not mass
        return found

    def _against_closing(self, number: int, vessel: OpenedSum) -> Iterable[Problem]:
        """Say what stands against taking back an opening."""
        taken = [
            f"movement {row.seq} ({row.kind}{f' for {row.session}' if row.session is not None else ''})"
            for row in self._touching(number)
            if row.kind in _TAKES
        ]
        if taken:
            yield Problem(
                "opened",
                f"opened container {number} was drawn from since, by {listed(taken)}: reverse that first",
            )
        elif vessel.nanolitres != vessel.supplied_nanolitres or vessel.nanograms != vessel.supplied_nanograms:
            left = amount_text(vessel.nanolitres, vessel.nanograms)
            yield Problem("opened", f"opened container {number} is not full any more: {left} is left")
        if vessel.quarantined:
            yield Problem(
                "opened",
                f"opened container {number} is quarantined; quarantine its lot where it belongs, if need be, "
                "and release the opened container first",
            )

    def _against_filling(self, number: int) -> Iterable[Problem]:
        """Say what stands against giving something back to an opened container that is gone."""
        last = next((row for row in reversed(self._touching(number)) if row.becomes == "gone"), None)
        if last is not None and last.seq != self.number and last.kind == MovementKind.WASTE.value:
            yield Problem(
                "opened",
                f"opened container {number} was thrown away by movement {last.seq}: reverse that first",
            )

    def _touching(self, number: int) -> list[Any]:
        """List the other movements of an opened container that were not taken back, as recorded."""
        line, movement = schema.movement_line, schema.movement
        back = movement.alias("back")
        return list(
            self.connection.execute(
                select(movement.c.seq, movement.c.kind, movement.c.session, line.c.becomes)
                .select_from(line)
                .join(movement, movement.c.seq == line.c.movement)
                .where(
                    line.c.opened == number,
                    movement.c.seq != self.number,
                    movement.c.kind != MovementKind.REVERSAL.value,
                    ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
                )
                .order_by(movement.c.seq, line.c.line)
            )
        )

    # ---- what follows

    def _put_cost_right(self, lot: Lot) -> None:
        """State the cost of a lot anew, where what was taken back had a part in it."""
        table = schema.lot_state
        row = self.connection.execute(select(table).where(table.c.lot == lot.id)).one()
        old = write_cost(Cost(row.cost_low, row.cost_high, row.currency, bool(row.unpriced)))
        new = cost_at(self.connection, lot, self.posting.recorded_at)
        if new == old:
            return
        at = max(self.at, row.cost_since if row.cost_since is not None else self.at)
        self.posting.post(MovementKind.FACT, [Entry(lot, fact=LotFact.COST.value, old=old, new=new)], at=at)
        self.posting.notes.append(
            f"the cost of {lot_text(lot)} is put right: {cost_text(read_cost(new))} instead of "
            f"{cost_text(read_cost(old))}"
        )

    def _notes(self, entries: Sequence[Entry]) -> Iterable[str]:
        connection, now = self.connection, self.posting.recorded_at
        if self.row.pick is not None:
            yield f"pick {self.row.pick}, which it had used, is not kept again: pick anew if need be"
        others = self._others()
        if others:
            yield (
                f"{listed(others)} came with it and {'still stand' if len(others) > 1 else 'still stands'}: "
                "reverse what did not happen"
            )
        for entry in entries:
            if entry.lot is not None and entry.location is not None and entry.containers < 0:
                place = place_id(connection, entry.location)
                text = None if place is None else short_picks(connection, now, entry.lot, place)
                if text is not None:
                    yield text
            if entry.opened is not None and entry.becomes == "gone":
                picks = picks_of(connection, now, lot=0, opened=entry.opened)
                if picks:
                    yield f"opened container {entry.opened} was kept for {listed(picks)}: pick anew"

    def _others(self) -> list[str]:
        """Name what was recorded in the same write and can be taken back too."""
        table = schema.movement
        back = table.alias("back")
        main = self.row.cause if self.row.cause is not None else self.number
        rows = self.connection.execute(
            select(table.c.seq, table.c.kind)
            .where(
                (table.c.seq == main) | (table.c.cause == main),
                table.c.seq != self.number,
                table.c.kind.not_in([kind.value for kind in _INSTEAD]),
                ~select(back.c.seq).where(back.c.reverses == table.c.seq).exists(),
            )
            .order_by(table.c.seq),
        )
        return [f"movement {row.seq} ({row.kind})" for row in rows]


def _find(connection: Connection, number: int) -> Any:
    """Find a movement that can be taken back, or say what to do instead."""
    table = schema.movement
    row = connection.execute(select(table).where(table.c.seq == number)).one_or_none()
    if row is None:
        head = connection.execute(select(schema.chain_head.c.seq)).scalar_one()
        raise OrderError(
            [Problem("movement", f"there is no movement {number}; the latest is {head}: see stock history")]
        )
    kind = MovementKind(row.kind)
    if kind in _INSTEAD:
        instead = _INSTEAD[kind].format(seq=number, cause=row.cause)
        raise OrderError(
            [Problem("kind", f"movement {number} is a {kind.value} and cannot be reversed; {instead}")]
        )
    by = connection.execute(select(table.c.seq).where(table.c.reverses == number)).scalar_one_or_none()
    if by is not None:
        raise OrderError([Problem("reversed", f"movement {number} is reversed already, by movement {by}")])
    return row
