"""What sessions took: whole containers, some of an opened one, or all that a pick kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import select

from mesoformula.errors import OrderError, Problem
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.settings import Sharing
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.orders import (
    check_name,
    check_number,
    check_order,
    check_reference,
    containers_objections,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.finding import find_lot, find_opened, find_place, lot_by_id, place_name
from mesoformula.stock.lots.lots import amount_text, in_smallest, local, lot_text, require_stock
from mesoformula.stock.opened.openings import Opening, held, keeps
from mesoformula.stock.opened.taking import Taking
from mesoformula.stock.opened.terms import Amount, Terms, check_deviation
from mesoformula.stock.picks.reservations import open_pick
from mesoformula.stock.records import Deviation, MovementKind, Order, Receipt
from mesoformula.stock.views.reading import read_product

if TYPE_CHECKING:
    from mesoformula.units import Quantity

_DISCARDED = "what was left, thrown away after use"


def use(
    store: Store,
    product: str,
    lot: str,
    *,
    containers: int,
    reference: str,
    order: Order,
    location: str | None = None,
    serial: str | None = None,
    deviation: str | None = None,
) -> Receipt:
    """
    Record that a session used up whole containers of a lot.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision`.
        lot: The maker's lot number.
        containers: How many (of a kit: kits).
        reference: Of the session.
        order: Who records it, why and when it happened.
        location: Where they were taken; None where the lot is in one place only.
        serial: Of the pack they are from.
        deviation: Why they were used although that should not be; None if nothing stands against it.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it.
        StockError: If the store cannot be read or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, check_deviation(problems, order, deviation), store.moment())
    reference = _reference(problems, reference)
    problems += (Problem(code, text) for code, text in containers_objections(containers))
    if location is not None:
        location = check_name(problems, "location", location)
    if serial is not None:
        serial = check_name(problems, "serial", serial)
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        found = find_lot(posting.connection, product, lot)
        place = find_place(posting.connection, found, location)
        taking = Taking(posting, Terms(reference, deviating=deviation is not None))
        entry = taking.containers(found, place, containers, serial=serial)
        taking.decide()
        posting.post(MovementKind.USE, [entry], session=reference)

    content = {
        "kind": MovementKind.USE.value,
        "product": product.strip(" "),
        "lot": lot.strip(" "),
        "containers": containers,
        "session": reference,
        "location": location,
        "serial": serial,
        "deviation": _flag(deviation is not None),
    }
    return carry_out(store, order, content, work)


def use_opened(
    store: Store,
    number: int,
    *,
    reference: str,
    order: Order,
    volume: Quantity | None = None,
    mass: Quantity | None = None,
    rest: bool = False,
    discard: bool = False,
    overfill: bool = False,
    sharing: Sequence[SharingRule] = (),
    share: Sharing = Sharing.WARN,
    deviation: str | None = None,
) -> Receipt:
    """
    Record that a session drew from an opened container or a mixture.

    How much is left is counted from the label and is a lower bound, as overfill is not known.

    Args:
        store: The stock.
        number: Of the opened container or mixture.
        reference: Of the session.
        order: Who records it, why and when it happened.
        volume: How much was drawn; [length]**3.
        mass: How much, of what is measured by mass; [mass].
        rest: Whether all that was left was used.
        discard: Whether what is left after that is thrown away.
        overfill: Whether more may be drawn than is left by the label: the excess is recorded as found.
        sharing: Rules of the catalogues on containers that serve two sessions.
        share: What the site does where two sessions share a multi-dose container.
        deviation: Why it was used although that should not be; None if nothing stands against it.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If anything stands against it.
        StockError: If the store cannot be read or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, check_deviation(problems, order, deviation), store.moment())
    reference = _reference(problems, reference)
    if sum((volume is not None, mass is not None, rest)) != 1:
        problems.append(Problem("volume", "how much was drawn? expected a volume, a mass, or the rest"))
    nanolitres, nanograms = in_smallest(problems, volume, "mL"), in_smallest(problems, mass, "mg")
    check_number(problems, "opened", number)
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        terms = Terms(reference, None, deviation is not None, tuple(sharing), share)
        taking = Taking(posting, terms)
        entries = taking.drawn(number, Amount(nanolitres, nanograms, rest, discard, overfill))
        taking.decide()
        rests = _rests(posting, taking, entries[-1:]) if discard else []
        if rests and not rests[0].nanolitres and not rests[0].nanograms:
            # Nobody knows how much that was: it goes with the use.
            entries[-1], rests = attrs.evolve(entries[-1], becomes="gone"), []
        posting.post(MovementKind.USE, entries, session=reference)
        if rests:
            posting.post(MovementKind.WASTE, rests, reason=_DISCARDED)
        elif entries[-1].becomes != "gone":
            posting.notes.append(_left(posting, taking, number))

    content = {
        "kind": MovementKind.USE.value,
        "opened": number,
        "nanolitres": nanolitres,
        "nanograms": nanograms,
        "rest": _flag(rest),
        "discard": _flag(discard),
        "overfill": _flag(overfill),
        "session": reference,
        "deviation": _flag(deviation is not None),
    }
    return carry_out(store, order, content, work)


def use_pick(
    store: Store,
    pick: int,
    *,
    rules: Sequence[BeyondUseRule],
    order: Order,
    reference: str | None = None,
    discard: bool = False,
    sharing: Sequence[SharingRule] = (),
    share: Sharing = Sharing.WARN,
    deviation: str | None = None,
) -> Receipt:
    """
    Record that a session used all that a pick kept for it.

    Volumes are drawn from opened containers. Whole containers are used up, but for the last one of a product
    that may be kept: that is opened in the same write, and keeps what is left.

    Args:
        store: The stock.
        pick: Number of the pick.
        rules: Of the catalogues, on how long opened containers keep.
        order: Who records it, why and when it happened.
        reference: Of the session; None means the one that it was picked for.
        discard: Whether what is left is thrown away.
        sharing: Rules of the catalogues on containers that serve two sessions.
        share: What the site does where two sessions share a multi-dose container.
        deviation: Why it was used although that should not be; None if nothing stands against it.

    Returns:
        The use, with the anchor to keep; an opening that came with it stands among its movements.

    Raises:
        OrderError: If there is no such pick, it was used or freed, or anything stands against it.
        StockError: If the store cannot be read or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, check_deviation(problems, order, deviation), store.moment())
    reference = check_reference(problems, reference)
    check_number(problems, "pick", pick)
    if problems:
        raise OrderError(problems)
    require_stock(store)
    used: list[int] = []

    def work(posting: Posting) -> None:
        found = open_pick(posting.connection, pick)
        session = reference or found.session
        if session is None:
            raise OrderError([Problem("reference", f"pick {pick} names no session; give its reference")])
        terms = Terms(session, pick, deviation is not None, tuple(sharing), share)
        serving = _Serving(posting, terms, rules, discard=discard)
        if found.session is not None and session != found.session:
            serving.taking.refuse(
                Deviation.RESERVED,
                f"pick {pick} keeps this for {found.session}, not for {session}; free it, and pick anew",
            )
            serving.for_another = True
        if found.lapses_at <= posting.recorded_at:
            until = local(found.lapses_at, posting.store.zone)
            posting.notes.append(f"pick {pick} had lapsed at {until}; what it kept is still there")
        for row in _kept(posting, pick):
            serving.serve(row)
        serving.taking.decide()
        used.append(serving.post(pick, session))

    content = {
        "kind": MovementKind.USE.value,
        "pick": pick,
        "session": reference,
        "discard": _flag(discard),
        "deviation": _flag(deviation is not None),
    }
    receipt = carry_out(store, order, content, work)
    return attrs.evolve(receipt, movement=used[0] if used else _use_among(store, receipt, pick))


class _Serving:
    """The lines by which a pick is used."""

    def __init__(
        self, posting: Posting, terms: Terms, rules: Sequence[BeyondUseRule], *, discard: bool
    ) -> None:
        self.taking = Taking(posting, terms)
        self.for_another = False
        self._discard = discard
        self._posting = posting
        self._rules = rules
        self._opening = Opening(posting, rules)
        self._opened: list[Entry] = []
        self._used: list[Entry] = []

    def serve(self, row: Any) -> None:
        """Use what one reservation kept."""
        if row.opened is not None:
            amount = Amount(row.nanolitres, rest=row.nanolitres is None, discard=self._discard)
            self._used += self.taking.drawn(row.opened, amount)
            return
        lot = lot_by_id(self._posting.connection, row.lot)
        place = place_name(self._posting.connection, row.location)
        last = self._drawn_of_last(lot, place, row)
        whole = row.containers - (last is not None)
        if whole:
            self._used.append(self.taking.containers(lot, place, whole))
        if last is None:
            return
        taken = self.taking.containers(lot, place, 1)
        lines = self._opening.lines(lot, place, taken, 1)
        self._opened += [taken, *lines]
        self._used.append(
            Entry(
                lot,
                place,
                opened=lines[0].opened,
                nanolitres=-last,
                device=taken.device,
                serial=taken.serial,
                deviation=taken.deviation,
            )
        )

    def _drawn_of_last(self, lot: Lot, place: str, row: Any) -> int | None:
        """Tell how much is drawn from the last container if it keeps the rest; None if it is used up."""
        posting = self._posting
        product = read_product(posting.store, posting.connection, lot.product)
        each, _mass = held(product)
        if row.nanolitres is None or each is None:
            return None
        left = each * int(row.containers) - int(row.nanolitres)
        if not 0 < left < each:
            return None
        found = keeps(posting, lot, place, product, self._rules)
        if not found.session_only and found.until is not None and found.until > to_moment(posting.at):
            return each - left
        posting.notes.append(
            f"{lot_text(lot)}: {amount_text(left, None)} that was not drawn is thrown away: {found.reason}"
        )
        return None

    def post(self, pick: int, session: str) -> int:
        """Post the opening that is needed, the use, and what is thrown away."""
        posting = self._posting
        if self.for_another:
            self._used = [_also(entry, Deviation.RESERVED) for entry in self._used]
        if self._opened:
            posting.post(MovementKind.OPEN, self._opened, session=session)
        number = posting.post(
            MovementKind.USE, self._used, session=session, pick=pick, reason=posting.order.reason
        )
        drawn = {entry.opened: entry for entry in self._used if entry.opened is not None}
        if self._discard:
            rests = _rests(posting, self.taking, list(drawn.values()))
            if rests:
                posting.post(MovementKind.WASTE, rests, reason=_DISCARDED)
            return number
        for opened, entry in drawn.items():
            if entry.becomes != "gone" and opened in self.taking.vessels:
                posting.notes.append(_left(posting, self.taking, opened))
        return number


def _rests(posting: Posting, taking: Taking, drawn: Sequence[Entry]) -> list[Entry]:
    """Throw away what is left in the opened containers that were drawn from."""
    found = []
    for entry in drawn:
        if entry.opened is None or entry.becomes == "gone":
            continue
        vessel = taking.vessels.get(entry.opened) or find_opened(posting.connection, entry.opened)
        found.append(
            Entry(
                entry.lot,
                entry.location,
                opened=entry.opened,
                nanolitres=-vessel.nanolitres if vessel.nanolitres else None,
                nanograms=-vessel.nanograms if vessel.nanograms else None,
                becomes="gone",
            )
        )
    return found


def _left(posting: Posting, taking: Taking, number: int) -> str:
    vessel = taking.vessels[number]
    what = f"opened container {number}"
    if vessel.supplied_nanolitres is None and vessel.supplied_nanograms is None:
        left = "how much is left is not known"
    else:
        left = f"at least {amount_text(vessel.nanolitres, vessel.nanograms)} is left by its label"
    if vessel.beyond_use_at is None:
        return f"{what}: {left}; it may be used again in this session only"
    return f"{what}: {left}; use before {local(vessel.beyond_use_at, posting.store.zone)}"


def _also(entry: Entry, deviation: Deviation) -> Entry:
    codes = {*(entry.deviation or "").split(), deviation.value}
    return attrs.evolve(entry, deviation=" ".join(sorted(codes)))


def _kept(posting: Posting, pick: int) -> list[Any]:
    table = schema.reservation
    return list(
        posting.connection.execute(select(table).where(table.c.movement == pick).order_by(table.c.line))
    )


def _use_among(store: Store, receipt: Receipt, pick: int) -> int:
    """Find the use among the movements of a request that was carried out before."""
    table = schema.movement
    with store.reading() as connection:
        if connection is None:
            return receipt.movement
        found = connection.execute(
            select(table.c.seq).where(table.c.pick == pick, table.c.seq.in_(list(receipt.movements)))
        ).scalar()
    return receipt.movement if found is None else int(found)


def _reference(problems: list[Problem], reference: str | None) -> str:
    cleaned = check_reference(problems, reference)
    if cleaned is None:
        problems.append(
            Problem("reference", "which session? expected its reference, 4 to 32 of A-Z, 0-9 and '-'")
        )
    return cleaned or ""


def _flag(said: bool) -> bool | None:
    """Leave out of what a request stands for whatever was not asked."""
    return True if said else None
