"""
What is known of a lot, changed by a movement of its own, and told as it was on any day.

Facts hold from the moment given. Of two, the later moment counts, whichever was recorded first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import attrs
from sqlalchemy import Connection, or_, select

from mesoformula.clock import day_end
from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.chain import LineFacts, MovementFacts
from mesoformula.stock.ledger.costs import Cost, write_cost
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import (
    check_order,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.tally import QUARANTINED, RECALLED, RECEIPTS, LotSum, Tally
from mesoformula.stock.lots.fact_values import fact_objections, written_fact
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.lots.lots import check_lot, listed, local, lot_text, picks_of, require_stock
from mesoformula.stock.records import Assay, LotFact, MovementKind, Order, Receipt
from mesoformula.stock.views.lineage import lots_in
from mesoformula.stock.views.reading import read_assay, read_opened, read_product
from mesoformula.words import nearest, shown

_FACTS = (*(fact.value for fact in LotFact), RECALLED)


@attrs.frozen
class LotFacts:
    """
    What held for a lot at a moment.

    Attributes:
        expiry: The last day on which it may be used; None if none is printed.
        assay: What its certificate says.
        cost: What one container costs.
        remark: The latest remark on it; None if there is none or it was erased.
        quarantined: Whether it was kept apart everywhere.
        recalled: Whether it was recalled.
    """

    expiry: date | None
    assay: Assay | None
    cost: Cost
    remark: str | None
    quarantined: bool
    recalled: bool


def set_fact(
    store: Store,
    product: str,
    lot: str,
    fact: LotFact,
    value: date | Assay | Cost | str | None,
    *,
    order: Order,
) -> Receipt:
    """
    Change what is known of a lot: who, when, why, old and new are kept.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        fact: Which fact.
        value: Of an expiry the day, or None; an `Assay`, or None; a `Cost`; of a remark its text.
        order: Who asks, from when on and why; a reason is needed, but for a remark.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If it is what is known already, or anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    remark = fact is LotFact.REMARK
    order = check_order(problems, order, store.moment(), needs_reason=not remark)
    name, number = check_lot(problems, product, lot)
    if isinstance(value, str):
        value = value.strip()
    problems.extend(Problem(code, text) for code, text in fact_objections(fact, value))
    if problems:
        raise OrderError(problems)
    require_stock(store)
    text = str(value) if remark else None
    new = None if remark else written_fact(value)

    def work(posting: Posting) -> None:
        connection = posting.connection
        found = find_lot(connection, name, number)
        if isinstance(value, Assay):
            _check_substance(read_product(store, connection, found.product), value)
        then = _sum_at(connection, found, posting.at)
        if remark:
            posting.post(MovementKind.FACT, [Entry(found, fact=fact.value, remark=text)])
            return
        old = _held(then, fact)
        if old == new:
            raise OrderError(
                [Problem("unchanged", f"{fact.value} of {lot_text(found)} is {_told(new)} already")]
            )
        _note_if_superseded(posting, found, fact)
        posting.post(MovementKind.FACT, [Entry(found, fact=fact.value, old=old, new=new)])
        if fact is LotFact.EXPIRY:
            posting.notes.extend(_expiry_notes(posting, found))

    content = {"kind": "fact", "product": name, "lot": number, "fact": fact.value, "new": new}
    return carry_out(store, order, content, work, texts={1: text} if text is not None else None)


def facts_on(
    store: Store,
    product: str,
    lot: str,
    moment: datetime | None = None,
    *,
    recorded_until: datetime | None = None,
) -> LotFacts:
    """
    Tell what held for a lot at a moment.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision` where the lot came under several.
        lot: The maker's lot number.
        moment: Counts what holds from then or before; None means now.
        recorded_until: Counts only what was recorded by then; None means all that is known today.

    Returns:
        The facts.

    Raises:
        OrderError: If there is no such lot, or there was none yet.
        StockError: If the store cannot be read.
    """
    problems: list[Problem] = []
    name, number = check_lot(problems, product, lot)
    if problems:
        raise OrderError(problems)
    with store.reading() as connection:
        found = find_lot(connection, name, number)
        if connection is None:  # find_lot has refused that
            raise OrderError([Problem("empty", "the stock is empty")])
        at = from_moment(moment if moment is not None else store.moment(connection))
        until = from_moment(recorded_until) if recorded_until is not None else None
        state = _sum_at(connection, found, at, recorded_until=until)
        if state is None:
            known = "" if until is None else f", as far as was recorded by {local(until, store.zone)}"
            raise OrderError(
                [Problem("on", f"{lot_text(found)} was not in the stock on {local(at, store.zone)}{known}")]
            )
        return LotFacts(
            expiry=date.fromisoformat(state.expiry) if state.expiry is not None else None,
            assay=read_assay(state.assay),
            cost=_cost_of(state),
            remark=_remark(connection, found, state.remark),
            quarantined=bool(state.quarantined),
            recalled=bool(state.recalled),
        )


def _check_substance(product: Product, assay: Assay) -> None:
    held = sorted({one.substance for _part, one in product.contents() if one.substance is not None})
    if assay.substance in held:
        return
    close = nearest(assay.substance, held) or tuple(held[:3])
    hint = f"; did you mean {' or '.join(close)}?" if close else "; its composition is not known"
    raise OrderError(
        [Problem("substance", f"{product.pinned_id} does not hold {shown(assay.substance)}{hint}")]
    )


def _held(state: LotSum | None, fact: LotFact) -> str | None:
    if state is None:
        return None
    match fact:
        case LotFact.EXPIRY:
            return state.expiry
        case LotFact.ASSAY:
            return state.assay
        case _:
            return write_cost(_cost_of(state))


def _cost_of(state: LotSum) -> Cost:
    return Cost(state.cost_low, state.cost_high, state.currency, bool(state.unpriced))


def _told(new: str | None) -> str:
    return "unknown" if new is None else shown(new, 80)


def _sum_at(
    connection: Connection,
    lot: Lot,
    at: int,
    *,
    recorded_until: int | None = None,
    from_receipts: bool = False,
) -> LotSum | None:
    """Add up what was said of a lot by a moment, just as the sums are kept."""
    line, movement = schema.movement_line, schema.movement
    back = movement.alias("back")
    everywhere = line.c.location.is_(None) & (line.c.fact == QUARANTINED)
    known = movement.c.effective_at <= at
    if from_receipts:
        # A cost that a reversal put right rests on receipts, which may have been taken back since.
        known &= or_(line.c.fact.is_(None), line.c.fact != LotFact.COST.value, movement.c.cause.is_(None))
    taken_back = back.c.reverses == movement.c.seq
    if recorded_until is not None:
        known &= movement.c.recorded_at <= recorded_until
        taken_back &= back.c.recorded_at <= recorded_until
    rows = connection.execute(
        select(
            movement.c.seq,
            movement.c.kind,
            movement.c.effective_at,
            line.c.line,
            line.c.supplier,
            line.c.unit_cost,
            line.c.currency,
            line.c.fact,
            line.c.old,
            line.c.new,
        )
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(
            line.c.lot == lot.id,
            line.c.opened.is_(None),
            known,
            or_(movement.c.kind.in_(RECEIPTS), line.c.fact.in_(_FACTS), everywhere),
            ~select(back.c.seq).where(taken_back).exists(),
        )
        .order_by(movement.c.seq, line.c.line)
    )
    tally = Tally()
    tally.lots[(lot.id,)] = state = LotSum(0, lot.expiry)
    found = False
    for row in rows:
        found = True
        head = MovementFacts(row.seq, row.kind, row.effective_at, 0, "", "", ())
        said = LineFacts(
            line=row.line,
            product=lot.product,
            product_id=lot.product_id,
            revision=lot.revision,
            lot=lot.number,
            expiry=lot.expiry,
            location=None,
            containers=0,
            supplier=row.supplier,
            unit_cost=row.unit_cost,
            currency=row.currency,
            fact=row.fact,
            old=row.old,
            new=row.new,
        )
        tally.add(head, said, lot.id, None)
    return state if found else None


def _remark(connection: Connection, lot: Lot, seq: int | None) -> str | None:
    if seq is None:
        return None
    line, remark = schema.movement_line, schema.remark
    return connection.execute(
        select(remark.c.text)
        .select_from(remark)
        .join(line, (line.c.movement == remark.c.movement) & (line.c.line == remark.c.line))
        .where(remark.c.movement == seq, line.c.lot == lot.id, line.c.fact == LotFact.REMARK.value)
        .order_by(remark.c.line.desc())
        .limit(1)
    ).scalar_one_or_none()


def _note_if_superseded(posting: Posting, lot: Lot, fact: LotFact) -> None:
    """Say so where something that holds from later on is known already."""
    line, movement = schema.movement_line, schema.movement
    row = posting.connection.execute(
        select(movement.c.seq, movement.c.effective_at, line.c.new)
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .where(line.c.lot == lot.id, line.c.fact == fact.value, movement.c.effective_at > posting.at)
        .order_by(movement.c.effective_at, movement.c.seq)
        .limit(1)
    ).one_or_none()
    if row is not None:
        posting.notes.append(
            f"this held until {local(row.effective_at, posting.store.zone)} only: from then on it is "
            f"{_told(row.new)} (movement {row.seq})"
        )


def _expiry_notes(posting: Posting, lot: Lot) -> Iterable[str]:
    """Say what a changed expiry means for what is open and for what is kept for picks."""
    connection, store = posting.connection, posting.store
    state = _sum_at(connection, lot, posting.recorded_at)
    if state is None or state.expiry is None:
        return
    expiry = date.fromisoformat(state.expiry)
    end = day_end(expiry, store.zone)
    now = to_moment(posting.recorded_at)
    if now >= end:
        yield f"{lot_text(lot)} is EXPIRED by that: it cannot be picked, reserved or issued"
        picks = picks_of(connection, posting.recorded_at, lot=lot.id)
        if picks:
            yield f"some of it is kept for {listed(picks)}: free it, and pick anew"
    opened = read_opened(store, connection, now)
    inside = lots_in(connection, [one.id for one in opened])
    bound = [
        f"{one.id} ({one.beyond_use_at.astimezone(store.zone):%Y-%m-%d %H:%M})"
        for one in opened
        if lot.id in inside.get(one.id, ()) and one.beyond_use_at is not None and end < one.beyond_use_at
    ]
    if bound:
        many = len(bound) > 1
        yield (
            f"opened container{'s' if many else ''} {listed(bound)} may be used through {expiry} at most, "
            f"whatever {'their' if many else 'its'} beyond-use date says"
        )


def cost_at(connection: Connection, lot: Lot, at: int) -> str:
    """
    Work out what containers of a lot cost, receipts that were taken back left out.

    Args:
        connection: In a transaction.
        lot: The lot.
        at: Counts what holds from then or before, in microseconds since 1970.

    Returns:
        As the ledger keeps it; empty if nothing of the lot is left that was received.
    """
    state = _sum_at(connection, lot, at, from_receipts=True)
    return write_cost(_cost_of(state) if state is not None else Cost(unpriced=False))
