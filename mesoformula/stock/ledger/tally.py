"""
What movements add up to: one fold, by which the sums are kept and by which `verify` recomputes them.

Movements are added in the order in which they were recorded. What was said of a lot counts by the moment from
which it holds, so that a late entry does not undo a later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mesoformula.stock.ledger.chain import LineFacts, MovementFacts
from mesoformula.stock.ledger.costs import Cost, read_cost
from mesoformula.stock.records import LotFact, MovementKind

RECEIPTS = frozenset({MovementKind.RECEIPT.value, MovementKind.TAKEOVER.value})

#: Facts that keep stock apart; what they say is `yes` or `no`.
QUARANTINED = "quarantined"
RECALLED = "recalled"
YES = "yes"
NO = "no"

_PICK = MovementKind.PICK.value
_REVERSAL = MovementKind.REVERSAL.value


@attrs.define
class BalanceSum:
    """
    Whole containers of one lot in one place.

    Attributes:
        containers: How many.
        quarantined: Whether they are kept apart here, 0 or 1.
        quarantined_since: From when that holds, as far as it was said.
    """

    containers: int = 0
    quarantined: int = 0
    quarantined_since: int | None = None


@attrs.define
class LotSum:
    """
    What is known of one lot.

    Attributes:
        received_at: When the first of it arrived.
        expiry: The last day on which it may be used, an ISO day.
        expiry_since: From when that holds; None as received.
        supplier: Who delivered it, the first recorded.
        cost_low: Lowest cost of one container, in minor units.
        cost_high: Highest.
        cost_since: From when a corrected cost holds; None as received.
        unpriced: Whether some of it came without a cost, 0 or 1.
        currency: Of the cost.
        assay: Canonical JSON of what its certificate says.
        assay_since: From when.
        remark: The movement with the latest remark on it.
        quarantined: Whether it is kept apart everywhere, 0 or 1.
        quarantined_since: From when.
        recalled: Whether it is recalled, 0 or 1.
        recalled_since: From when.
    """

    received_at: int
    expiry: str | None = None
    expiry_since: int | None = None
    supplier: str | None = None
    cost_low: int | None = None
    cost_high: int | None = None
    cost_since: int | None = None
    unpriced: int = 0
    currency: str | None = None
    assay: str | None = None
    assay_since: int | None = None
    remark: int | None = None
    quarantined: int = 0
    quarantined_since: int | None = None
    recalled: int = 0
    recalled_since: int | None = None


@attrs.define
class OpenedSum:
    """
    An opened container or a mixture.

    Attributes:
        lot: Of what was opened; None for a mixture.
        name: Of a mixture.
        location: Where it is.
        movement: The one that opened it.
        opened_at: When.
        beyond_use_at: When it must be gone; None if it is for one session only.
        rule: Which rule says so.
        supplied_nanolitres: What it held by its label.
        supplied_nanograms: The same by mass.
        nanolitres: What is left of that.
        nanograms: The same by mass.
        quarantined: Whether it is kept apart, 0 or 1.
        quarantined_since: From when.
        gone: Whether it is used up or thrown away, 0 or 1.
    """

    lot: int | None
    name: str | None
    location: int
    movement: int
    opened_at: int
    beyond_use_at: int | None
    rule: str | None
    supplied_nanolitres: int | None
    supplied_nanograms: int | None
    nanolitres: int | None
    nanograms: int | None
    quarantined: int = 0
    quarantined_since: int | None = None
    gone: int = 0


@attrs.define
class ReservationSum:
    """
    What a pick keeps.

    Attributes:
        lot: Of the containers, or of the opened one; None for a mixture.
        location: Where.
        opened: The opened container or mixture.
        containers: Whole containers kept; None for an opened one.
        nanolitres: Volume to be drawn.
        lapses_at: When it ends by itself.
        session: Whom it is for.
    """

    lot: int | None
    location: int
    opened: int | None
    containers: int | None
    nanolitres: int | None
    lapses_at: int
    session: str | None


@attrs.define
class SerialSum:
    """
    A pack that bears a serial number.

    Attributes:
        lot: Of the pack.
        movement: The one that received it.
    """

    lot: int
    movement: int


@attrs.define
class StandingSum:
    """
    What holds until it is said otherwise.

    Attributes:
        value: What.
        movement: The one that said so.
    """

    value: str
    movement: int


#: Of each table of sums: the columns of its key, and what its other columns are read into.
TABLES: Mapping[str, tuple[tuple[str, ...], type[Any]]] = {
    "balance": (("lot", "location"), BalanceSum),
    "lot_state": (("lot",), LotSum),
    "opened": (("id",), OpenedSum),
    "reservation": (("movement", "line"), ReservationSum),
    "pack_serial": (("device", "serial"), SerialSum),
    "standing": (("fact", "subject"), StandingSum),
}


class Tally:
    """
    The sums of a ledger, or of as much of it as was loaded.

    Attributes:
        balances: By lot and location.
        lots: By lot.
        opened: By number.
        reservations: By movement and line of the pick.
        serials: By GTIN and serial number.
        standing: By fact and subject.
    """

    def __init__(self) -> None:
        self.balances: dict[tuple[int, int], BalanceSum] = {}
        self.lots: dict[tuple[int], LotSum] = {}
        self.opened: dict[tuple[int], OpenedSum] = {}
        self.reservations: dict[tuple[int, int], ReservationSum] = {}
        self.serials: dict[tuple[str, str], SerialSum] = {}
        self.standing: dict[tuple[str, str], StandingSum] = {}

    def tables(self) -> dict[str, dict[Any, Any]]:
        """
        List the sums by the name of their table.

        Returns:
            Sums by key; what is loaded into them is added to.
        """
        return {
            "balance": self.balances,
            "lot_state": self.lots,
            "opened": self.opened,
            "reservation": self.reservations,
            "pack_serial": self.serials,
            "standing": self.standing,
        }

    def begin(self, movement: MovementFacts) -> None:
        """
        Add what a movement says as a whole.

        Args:
            movement: Before its lines.
        """
        if movement.pick is not None:
            for key in [key for key in self.reservations if key[0] == movement.pick]:
                del self.reservations[key]

    def add(self, movement: MovementFacts, line: LineFacts, lot: int | None, location: int | None) -> None:
        """
        Add one line.

        Args:
            movement: The movement it belongs to.
            line: What it says.
            lot: Number of its lot in this store.
            location: Number of its location in this store.
        """
        if line.reserved is not None or line.reserved_nanolitres is not None:
            self._reserve(movement, line, lot, location)
            return
        if lot is not None:
            self._lot(movement, line, lot)
        balance = None
        if lot is not None and location is not None and line.opened is None:
            balance = self.balances.get((lot, location))
            if balance is None:
                balance = self.balances[lot, location] = BalanceSum()
        if balance is not None:
            balance.containers += line.containers
        vessel = self._opened(movement, line, lot, location) if line.opened is not None else None
        if line.fact is None:
            return
        if line.fact == QUARANTINED:
            state: Any = vessel or balance or (self.lots[(lot,)] if lot is not None else None)
            _hold(state, QUARANTINED, line.new, movement.effective_at)
        elif lot is None and line.subject is not None and vessel is None:
            self._stand(movement, line, line.subject)

    def _reserve(
        self, movement: MovementFacts, line: LineFacts, lot: int | None, location: int | None
    ) -> None:
        if movement.kind != _PICK or location is None or movement.lapses_at is None:
            raise ValueError("only a pick with a place and an end reserves")
        self.reservations[movement.seq, line.line] = ReservationSum(
            lot,
            location,
            line.opened,
            line.reserved,
            line.reserved_nanolitres,
            movement.lapses_at,
            movement.session,
        )

    def _lot(self, movement: MovementFacts, line: LineFacts, lot: int) -> None:
        state = self.lots.get((lot,))
        received = movement.kind in RECEIPTS
        if state is None:
            state = self.lots[(lot,)] = LotSum(movement.effective_at, line.expiry)
            received = True
        if received:
            _receive(state, movement, line)
        if line.serial is not None and line.device is not None:
            if movement.kind in RECEIPTS:
                self.serials[line.device, line.serial] = SerialSum(lot, movement.seq)
            elif movement.kind == _REVERSAL and line.containers < 0:
                self.serials.pop((line.device, line.serial), None)
        if line.fact is not None:
            _learn(state, movement, line)

    def _opened(
        self, movement: MovementFacts, line: LineFacts, lot: int | None, location: int | None
    ) -> OpenedSum:
        number = line.opened
        if number is None or location is None:
            raise ValueError("an opened container needs a number and a place")
        state = self.opened.get((number,))
        if state is None:
            state = self.opened[(number,)] = OpenedSum(
                lot,
                line.subject,
                location,
                movement.seq,
                movement.effective_at,
                line.beyond_use_at,
                line.rule,
                line.nanolitres,
                line.nanograms,
                line.nanolitres,
                line.nanograms,
            )
            return state
        if line.nanolitres is not None:
            state.nanolitres = (state.nanolitres or 0) + line.nanolitres
        if line.nanograms is not None:
            state.nanograms = (state.nanograms or 0) + line.nanograms
        if line.becomes is not None:
            state.gone = int(line.becomes == "gone")
        state.location = location
        return state

    def _stand(self, movement: MovementFacts, line: LineFacts, subject: str) -> None:
        key = line.fact or "", subject
        if line.new is None:
            self.standing.pop(key, None)
        else:
            self.standing[key] = StandingSum(line.new, movement.seq)


def _receive(state: LotSum, movement: MovementFacts, line: LineFacts) -> None:
    state.received_at = min(state.received_at, movement.effective_at)
    if state.supplier is None:
        state.supplier = line.supplier
    if line.unit_cost is None:
        state.unpriced = 1
        return
    state.currency = line.currency
    state.cost_low = line.unit_cost if state.cost_low is None else min(state.cost_low, line.unit_cost)
    state.cost_high = line.unit_cost if state.cost_high is None else max(state.cost_high, line.unit_cost)


def _learn(state: LotSum, movement: MovementFacts, line: LineFacts) -> None:
    """Take up what a line says of its lot, unless something that holds from later on is known."""
    at = movement.effective_at
    match line.fact:
        case LotFact.EXPIRY.value if _newer(state.expiry_since, at):
            state.expiry, state.expiry_since = line.new, at
        case LotFact.ASSAY.value if _newer(state.assay_since, at):
            state.assay, state.assay_since = line.new, at
        case LotFact.COST.value if _newer(state.cost_since, at):
            cost = read_cost(line.new) if line.new is not None else Cost()
            state.cost_low, state.cost_high, state.currency = cost.low, cost.high, cost.currency
            state.unpriced, state.cost_since = int(cost.unpriced), at
        case LotFact.REMARK.value:
            state.remark = movement.seq
        case "recalled":
            _hold(state, RECALLED, line.new, at)


def _hold(state: Any, fact: str, new: str | None, at: int) -> None:
    if state is None or new not in (YES, NO):
        raise ValueError(f"{fact} is yes or no, of something that is there")
    if _newer(getattr(state, f"{fact}_since"), at):
        setattr(state, fact, int(new == YES))
        setattr(state, f"{fact}_since", at)


def _newer(since: int | None, at: int) -> bool:
    return since is None or at >= since
