"""Deliveries: checked as a whole, then recorded as one movement or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.encoding import to_plain
from mesoformula.errors import MesoformulaError, OrderError, Problem, ReceiptError
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import (
    Entry,
    Lot,
    LotKey,
    add_lots,
    find_lots,
    keep_products,
)
from mesoformula.stock.ledger.chain import canonical, content_hash
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.ledger.orders import (
    check_name,
    check_order,
    containers_objections,
    cost_objections,
    expiry_objections,
    moment_objections,
    text_objections,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.held import hold_new
from mesoformula.stock.records import Delivery, MovementKind, Order, Receipt
from mesoformula.words import shown


@attrs.frozen
class _Asked:
    """A delivery that has passed every check that needs no ledger."""

    number: int
    delivery: Delivery
    key: LotKey
    expiry: str | None
    record: str
    product: str


def receive(
    store: Store,
    deliveries: Sequence[Delivery],
    *,
    actor: str,
    request_id: str | None = None,
    reason: str | None = None,
    takeover: bool = False,
) -> Receipt:
    """
    Record deliveries as one movement, all of them or none.

    Args:
        store: The stock; made if it does not exist yet.
        deliveries: What arrived, at one moment.
        actor: Who records it.
        request_id: Makes the write idempotent: the same id with the same content changes nothing.
        reason: Why, where there is something to say of all of them.
        takeover: Whether this is stock that was there before the ledger.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        ReceiptError: If anything stands against it, with everything that does; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    kind = MovementKind.TAKEOVER if takeover else MovementKind.RECEIPT
    order, asked = _checked(store, deliveries, Order(actor, reason, None, request_id))

    def work(posting: Posting) -> None:
        entries = _entries(posting.connection, asked)
        posting.post(kind, entries)
        # What is recalled or kept apart everywhere is so under a revision that comes later, too.
        hold_new(posting, [entry.lot for entry in entries if entry.lot is not None])

    try:
        return carry_out(
            store,
            order,
            lambda: {"kind": kind.value, "deliveries": [_content(one) for one in asked]},
            work,
            texts={one.number: one.delivery.remark for one in asked if one.delivery.remark is not None},
        )
    except ReceiptError:
        raise
    except OrderError as err:
        raise ReceiptError(err.problems) from err


def _entries(connection: Connection, asked: Sequence[_Asked]) -> list[Entry]:
    lots = find_lots(connection, {one.key for one in asked})
    known = _known(connection, lots)
    problems = [
        _problem(asked, one.number, "expiry", _other_expiry(one, known[one.key][0], "is in the stock"))
        for one in asked
        if one.key in lots and one.expiry != known[one.key][0]
    ]
    problems.extend(_other_currencies(asked, known))
    problems.extend(_taken_serials(connection, asked))
    if problems:
        raise ReceiptError(problems)
    new: dict[LotKey, _Asked] = {}
    for one in asked:
        if one.key not in lots:
            new.setdefault(one.key, one)
    keep_products(connection, {one.product: one.record for one in new.values()})
    lots |= add_lots(connection, [(one.product, *one.key, one.expiry) for one in new.values()])
    return [
        Entry(
            lot=lots[one.key],
            location=one.delivery.location,
            containers=one.delivery.containers,
            supplier=one.delivery.supplier,
            unit_cost=one.delivery.unit_cost,
            currency=one.delivery.currency,
            remark=one.delivery.remark,
            device=one.delivery.device,
            serial=one.delivery.serial,
        )
        for one in asked
    ]


def _known(connection: Connection, lots: Mapping[LotKey, Lot]) -> dict[LotKey, tuple[str | None, str | None]]:
    """Read expiry and currency of each lot as they are known now."""
    table = schema.lot_state
    by_id: dict[int, tuple[str | None, str | None]] = {}
    for batch in batches(lot.id for lot in lots.values()):
        rows = connection.execute(
            select(table.c.lot, table.c.expiry, table.c.currency).where(table.c.lot.in_(batch))
        )
        by_id.update((row.lot, (row.expiry, row.currency)) for row in rows)
    return {key: by_id.get(lot.id, (None, None)) for key, lot in lots.items()}


def _other_currencies(
    asked: Sequence[_Asked], known: Mapping[LotKey, tuple[str | None, str | None]]
) -> Iterator[Problem]:
    """Refuse two currencies for one lot: what it is worth could not be told."""
    currencies = {key: currency for key, (_expiry, currency) in known.items()}
    for one in asked:
        mine = one.delivery.currency
        before = currencies.get(one.key)
        if mine is None:
            continue
        if before is not None and before != mine:
            yield _problem(
                asked,
                one.number,
                "currency",
                f"lot {shown(one.delivery.lot)} is priced in {before}, and this delivery in {mine}; give its "
                f"cost in {before}, or leave it out",
            )
        currencies[one.key] = before or mine


def _taken_serials(connection: Connection, asked: Sequence[_Asked]) -> Iterator[Problem]:
    """Refuse a pack that was received before, by its serial number."""
    table = schema.pack_serial
    serials = {one.delivery.serial for one in asked if one.delivery.serial is not None}
    taken: dict[tuple[str, str], str] = {}
    for batch in batches(sorted(serials)):
        rows = connection.execute(select(table).where(table.c.serial.in_(batch)))
        taken.update(((row.device, row.serial), f"movement {row.movement} received it") for row in rows)
    for one in asked:
        device, serial = one.delivery.device, one.delivery.serial
        if device is None or serial is None:
            continue
        if (device, serial) in taken:
            yield _problem(
                asked,
                one.number,
                "serial",
                f"pack {shown(serial)} of GTIN {device}: {taken[device, serial]}; the same pack cannot "
                "arrive twice",
            )
        taken.setdefault((device, serial), f"it stands in delivery {one.number}")


def _other_expiry(one: _Asked, known: str | None, where: str) -> str:
    product_id, revision, number = one.key
    return (
        f"lot {shown(number)} of {product_id}@{revision} {where} with {_day(known)}, and this delivery says "
        f"{_day(one.expiry)}; look at the pack again: the expiry of a lot is not changed by receiving it, "
        "but with 'stock fact'"
    )


def _day(expiry: str | None) -> str:
    return f"expiry {expiry}" if expiry is not None else "no expiry"


def _content(one: _Asked) -> dict[str, Any]:
    """Put together what a request id stands for; remarks apart, as a plain hash of them could be guessed."""
    delivery = one.delivery
    facts = {
        "product": f"{one.key[0]}@{one.key[1]}",
        "lot": delivery.lot,
        "containers": delivery.containers,
        "expiry": one.expiry,
        "location": delivery.location,
        "supplier": delivery.supplier,
        "unit_cost": delivery.unit_cost,
        "currency": delivery.currency,
        "received_at": from_moment(delivery.received_at) if delivery.received_at is not None else None,
        "device": delivery.device,
        "serial": delivery.serial,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _checked(store: Store, deliveries: Sequence[Delivery], order: Order) -> tuple[Order, list[_Asked]]:
    """Clean what was asked, and refuse it with everything that can be said without the ledger."""
    problems: list[Problem] = []
    moment = store.moment()
    order = check_order(problems, order, moment)
    if not deliveries:
        problems.append(Problem("empty", "nothing to receive; name at least one product with its lot"))
    asked: list[_Asked] = []
    encoded: dict[int, tuple[str, str, str, int]] = {}
    for number, delivery in enumerate(deliveries, start=1):
        cleaned = _cleaned(problems, deliveries, number, delivery)
        problems.extend(
            _problem(deliveries, number, code, message) for code, message in _objections(cleaned, moment)
        )
        product = delivery.product
        known = encoded.get(id(product))
        if known is None:
            try:
                record = canonical(to_plain(product, classes=store.classes)).decode()
            except (TypeError, ValueError, MesoformulaError) as err:
                problems.append(
                    _problem(deliveries, number, "product", f"the product cannot be stored: {err}")
                )
                continue
            known = encoded[id(product)] = record, content_hash(record.encode()), product.id, product.revision
        written, digest, product_id, revision = known
        expiry = cleaned.expiry.isoformat() if isinstance(cleaned.expiry, date) else None
        key = product_id, revision, cleaned.lot
        asked.append(_Asked(number, cleaned, key, expiry, written, digest))
    if not problems:
        problems.extend(_contradictions(asked))
    if problems:
        raise ReceiptError(problems)
    return attrs.evolve(order, at=asked[0].delivery.received_at), asked


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
    place = _place(deliveries, number)
    changed: dict[str, Any] = {}
    for code in ("lot", "location", "supplier", "device", "serial"):
        given = getattr(delivery, code)
        if given is None and code not in ("lot", "location"):
            continue
        text = check_name(problems, code, given, place=place, line=number)
        if text != given:
            changed[code] = text
    return attrs.evolve(delivery, **changed) if changed else delivery


def _objections(delivery: Delivery, moment: datetime) -> Iterator[tuple[str, str]]:
    """Say what is wrong with the figures, days and free text of one delivery."""
    yield from containers_objections(delivery.containers)
    yield from expiry_objections(delivery.expiry)
    yield from cost_objections(delivery.unit_cost, delivery.currency)
    yield from moment_objections("received-at", delivery.received_at, moment)
    yield from text_objections("remark", delivery.remark)
    if delivery.serial is not None and delivery.device is None:
        yield "serial", "a serial number is unique only with its GTIN; give both, or neither"


def _place(among: Sequence[Any], number: int) -> str:
    return f"delivery {number}: " if len(among) > 1 else ""


def _problem(among: Sequence[Any], number: int, code: str, message: str) -> Problem:
    return Problem(code, f"{_place(among, number)}{message}", line=number)
