"""Deliveries: checked as a whole, then recorded as one movement or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.encoding import to_plain
from mesoformula.errors import MesoformulaError, Problem, ReceiptError
from mesoformula.stock import schema
from mesoformula.stock.appending import (
    Entry,
    Heading,
    Lot,
    LotKey,
    add_lots,
    append,
    batches,
    find_lots,
    keep_products,
    lock,
)
from mesoformula.stock.chain import Remark, canonical, content_hash, remark_hash
from mesoformula.stock.reading import from_moment
from mesoformula.stock.records import Anchor, Delivery, MovementKind, Receipt
from mesoformula.stock.store import Store, utc_now
from mesoformula.words import shown

LONGEST_NAME = 100
LONGEST_REMARK = 2000
MOST_CONTAINERS = 1_000_000
MOST_COST = 10**12
FIRST_EXPIRY = date(2000, 1, 1)
LAST_EXPIRY = date(2100, 12, 31)
#: How far the clocks of two computers may differ.
CLOCK_SKEW = timedelta(minutes=5)

_CURRENCY = re.compile(r"[A-Z]{3}")


@attrs.frozen
class _Asked:
    """A delivery that has passed every check that needs no ledger."""

    number: int
    delivery: Delivery
    record: str
    product: str

    @property
    def key(self) -> LotKey:
        return self.delivery.product.id, self.delivery.product.revision, self.delivery.lot

    @property
    def expiry(self) -> str | None:
        return self.delivery.expiry.isoformat() if self.delivery.expiry is not None else None


def receive(
    store: Store,
    deliveries: Sequence[Delivery],
    *,
    actor: str,
    request_id: str | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Receipt:
    """
    Record deliveries as one movement, all of them or none.

    Args:
        store: The stock; made if it does not exist yet.
        deliveries: What arrived, at one moment.
        actor: Who records it.
        request_id: Makes the write idempotent: the same id with the same content changes nothing.
        now: Tells the time, with a time zone.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ReceiptError: If anything stands against it, with everything that does; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    actor, request_id, asked = _checked(store, deliveries, actor, request_id, now())
    with store.writing() as connection:
        head = lock(connection)
        content = content_hash(canonical(_content(actor, asked)))
        if request_id is not None:
            before = _repeated(connection, asked, request_id, content)
            if before is not None:
                return before
        recorded = from_moment(now())
        received = asked[0].delivery.received_at
        anchor = append(
            connection,
            head,
            Heading(
                kind=MovementKind.RECEIPT.value,
                effective_at=from_moment(received) if received is not None else recorded,
                recorded_at=recorded,
                actor=actor,
                request=request_id,
                request_content=content if request_id is not None else None,
            ),
            _entries(connection, asked),
        )
    return Receipt(anchor.seq, anchor)


def _entries(connection: Connection, asked: Sequence[_Asked]) -> list[Entry]:
    lots = find_lots(connection, {one.key for one in asked})
    expiries = _expiries(connection, lots)
    problems = [
        _problem(asked, one.number, "expiry", _other_expiry(one, expiries[one.key], "is in the stock"))
        for one in asked
        if one.key in lots and one.expiry != expiries[one.key]
    ]
    if problems:
        raise ReceiptError(problems)
    new: dict[LotKey, _Asked] = {}
    for one in asked:
        if one.key not in lots:
            new.setdefault(one.key, one)
    keep_products(connection, {one.product: one.record for one in new.values()})
    lots |= add_lots(connection, [Lot(0, one.product, *one.key, one.expiry) for one in new.values()])
    return [
        Entry(
            lot=lots[one.key],
            location=one.delivery.location,
            containers=one.delivery.containers,
            supplier=one.delivery.supplier,
            unit_cost=one.delivery.unit_cost,
            currency=one.delivery.currency,
            remark=one.delivery.remark,
        )
        for one in asked
    ]


def _expiries(connection: Connection, lots: Mapping[LotKey, Lot]) -> dict[LotKey, str | None]:
    """Read the expiry of each lot as it is known now."""
    table = schema.lot_state
    by_id: dict[int, str | None] = {}
    for batch in batches(lot.id for lot in lots.values()):
        rows = connection.execute(select(table.c.lot, table.c.expiry).where(table.c.lot.in_(batch)))
        by_id.update((row.lot, row.expiry) for row in rows)
    return {key: by_id.get(lot.id) for key, lot in lots.items()}


def _other_expiry(one: _Asked, known: str | None, where: str) -> str:
    product_id, revision, number = one.key
    return (
        f"lot {shown(number)} of {product_id}@{revision} {where} with {_day(known)}, and this delivery says "
        f"{_day(one.expiry)}; look at the pack again: the expiry of a lot is not changed by receiving it"
    )


def _day(expiry: str | None) -> str:
    return f"expiry {expiry}" if expiry is not None else "no expiry"


def _content(actor: str, asked: Sequence[_Asked]) -> dict[str, Any]:
    """Put together what a request id stands for; remarks apart, as a plain hash of them could be guessed."""
    deliveries = []
    for one in asked:
        delivery = one.delivery
        facts = {
            "product": delivery.product.pinned_id,
            "lot": delivery.lot,
            "containers": delivery.containers,
            "expiry": one.expiry,
            "location": delivery.location,
            "supplier": delivery.supplier,
            "unit_cost": delivery.unit_cost,
            "currency": delivery.currency,
            "received_at": from_moment(delivery.received_at) if delivery.received_at is not None else None,
        }
        deliveries.append({name: value for name, value in facts.items() if value is not None})
    return {"kind": MovementKind.RECEIPT.value, "actor": actor, "deliveries": deliveries}


def _repeated(
    connection: Connection, asked: Sequence[_Asked], request_id: str, content: str
) -> Receipt | None:
    """Find what the same request did before; refuse the id if it was another request."""
    table = schema.movement
    row = connection.execute(
        select(table.c.seq, table.c.hash, table.c.request_content).where(table.c.request_id == request_id)
    ).one_or_none()
    if row is None:
        return None
    if row.request_content != content or not _same_remarks(connection, asked, row.seq):
        raise ReceiptError(
            [
                Problem(
                    "request",
                    f"request id {shown(request_id)} stands for movement {row.seq}, which says something "
                    f"else; give a new write an id of its own",
                )
            ]
        )
    return Receipt(row.seq, Anchor(row.seq, row.hash), repeated=True)


def _same_remarks(connection: Connection, asked: Sequence[_Asked], seq: int) -> bool:
    line, remark = schema.movement_line, schema.remark
    rows = connection.execute(
        select(line.c.line, line.c.remark_hash, remark.c.salt)
        .select_from(line)
        .outerjoin(remark, (remark.c.movement == line.c.movement) & (remark.c.line == line.c.line))
        .where(line.c.movement == seq)
    )
    kept = {row.line: (row.remark_hash, row.salt) for row in rows}
    for one in asked:
        known, salt = kept.get(one.number, (None, None))
        text = one.delivery.remark
        if (known is None) != (text is None):
            return False
        # Without its salt a remark is erased, and nobody can tell any more.
        if text is not None and salt is not None and remark_hash(Remark(salt, text)) != known:
            return False
    return True


def _checked(
    store: Store, deliveries: Sequence[Delivery], actor: str, request_id: str | None, moment: datetime
) -> tuple[str, str | None, list[_Asked]]:
    """Clean what was asked, and refuse it with everything that can be said without the ledger."""
    problems: list[Problem] = []
    actor = _name(problems, deliveries, None, "actor", actor)
    if request_id is not None:
        request_id = _name(problems, deliveries, None, "request", request_id)
    if not deliveries:
        problems.append(Problem("empty", "nothing to receive; name at least one product with its lot"))
    asked: list[_Asked] = []
    encoded: dict[int, str] = {}
    for number, delivery in enumerate(deliveries, start=1):
        cleaned = _cleaned(problems, deliveries, number, delivery)
        problems.extend(
            _problem(deliveries, number, code, message) for code, message in _objections(cleaned, moment)
        )
        record = encoded.get(id(delivery.product))
        if record is None:
            try:
                record = canonical(to_plain(delivery.product, classes=store.classes)).decode()
            except (TypeError, ValueError, MesoformulaError) as err:
                problems.append(
                    _problem(deliveries, number, "product", f"the product cannot be stored: {err}")
                )
                continue
            encoded[id(delivery.product)] = record
        asked.append(_Asked(number, cleaned, record, content_hash(record.encode())))
    if not problems:
        problems.extend(_contradictions(asked))
    if problems:
        raise ReceiptError(problems)
    return actor, request_id, asked


def _contradictions(asked: Sequence[_Asked]) -> Iterator[Problem]:
    first: dict[LotKey, _Asked] = {}
    for one in asked:
        before = first.setdefault(one.key, one)
        if before.expiry != one.expiry:
            where = f"stands in delivery {before.number}"
            yield _problem(asked, one.number, "expiry", _other_expiry(one, before.expiry, where))
        if one.delivery.received_at != asked[0].delivery.received_at:
            yield _problem(
                asked,
                one.number,
                "received-at",
                "arrived at another moment than the first delivery; receive it on its own",
            )


def _cleaned(
    problems: list[Problem], deliveries: Sequence[Delivery], number: int, delivery: Delivery
) -> Delivery:
    supplier = delivery.supplier
    return attrs.evolve(
        delivery,
        lot=_name(problems, deliveries, number, "lot", delivery.lot),
        location=_name(problems, deliveries, number, "location", delivery.location),
        supplier=_name(problems, deliveries, number, "supplier", supplier) if supplier is not None else None,
    )


_CALLED = {
    "actor": "the name of who records this",
    "request": "request id",
    "lot": "lot number",
    "location": "location",
    "supplier": "supplier",
}


def _name(
    problems: list[Problem], deliveries: Sequence[Delivery], number: int | None, code: str, given: Any
) -> str:
    """Take the blanks from around a name, and note what is wrong with it."""
    called = _CALLED[code]
    expected = f"expected 1 to {LONGEST_NAME} characters that print"
    if not isinstance(given, str):
        problems.append(_problem(deliveries, number, code, f"{called}: a {type(given).__name__}; {expected}"))
        return ""
    text = given.strip(" ")
    reason = None
    if not text:
        reason = f"{called} is empty; {expected}"
    elif len(text) > LONGEST_NAME:
        reason = f"{called} {shown(text)} has {len(text)} characters; {expected}"
    elif not text.isprintable():
        reason = f"{called} {shown(text)} has characters that do not print; {expected}"
    if reason is not None:
        problems.append(_problem(deliveries, number, code, reason))
    return text


def _objections(delivery: Delivery, moment: datetime) -> Iterator[tuple[str, str]]:
    """Say what is wrong with the figures, days and free text of one delivery."""
    if type(delivery.containers) is not int or not 1 <= delivery.containers <= MOST_CONTAINERS:
        yield (
            "containers",
            f"containers {_figure(delivery.containers)}: expected a whole number from 1 to {MOST_CONTAINERS}",
        )
    expiry: Any = delivery.expiry
    if expiry is not None and (type(expiry) is not date or not FIRST_EXPIRY <= expiry <= LAST_EXPIRY):
        yield "expiry", f"expiry {expiry}: expected a day from {FIRST_EXPIRY} to {LAST_EXPIRY}"
    yield from _cost_objections(delivery.unit_cost, delivery.currency)
    yield from _moment_objections(delivery.received_at, moment)
    yield from _remark_objections(delivery.remark)


def _cost_objections(cost: Any, currency: Any) -> Iterator[tuple[str, str]]:
    if (cost is None) != (currency is None):
        yield "cost", "a cost needs its currency, and a currency its cost; give both or neither"
        return
    if cost is None:
        return
    if type(cost) is not int or not 0 <= cost <= MOST_COST:
        yield "cost", f"cost {_figure(cost)}: expected whole minor units (cents) from 0 to {MOST_COST}"
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        yield "currency", f"currency {_figure(currency)}: expected three capital letters such as EUR"


def _moment_objections(received_at: Any, moment: datetime) -> Iterator[tuple[str, str]]:
    if received_at is None:
        return
    if not isinstance(received_at, datetime) or received_at.utcoffset() is None:
        yield "received-at", f"received at {_figure(received_at)}: expected a moment with its time zone"
    elif received_at > moment + CLOCK_SKEW:
        yield "received-at", f"received at {received_at.isoformat()}: lies in the future"
    elif received_at.year < FIRST_EXPIRY.year:
        yield "received-at", f"received at {received_at.isoformat()}: expected {FIRST_EXPIRY.year} or later"


def _remark_objections(remark: Any) -> Iterator[tuple[str, str]]:
    if remark is None:
        return
    if not isinstance(remark, str) or not 1 <= len(remark) <= LONGEST_REMARK:
        yield "remark", f"remark {_figure(remark)}: expected 1 to {LONGEST_REMARK} characters, or none at all"
    elif not all(char.isprintable() or char in "\n\t" for char in remark):
        yield "remark", f"remark {shown(remark)} has characters that do not print"


def _figure(value: Any) -> str:
    return shown(value if isinstance(value, str) else repr(value))


def _problem(among: Sequence[Any], number: int | None, code: str, message: str) -> Problem:
    place = f"delivery {number}: " if number is not None and len(among) > 1 else ""
    return Problem(code, f"{place}{message}", line=number)
