"""What is in the stock."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, select

from mesoformula.encoding import from_plain
from mesoformula.errors import LedgerError, MesoformulaError
from mesoformula.products import Product
from mesoformula.stock import schema
from mesoformula.stock.chain import content_hash
from mesoformula.stock.records import Anchor, OnHand, StockView
from mesoformula.stock.store import Store, utc_now

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_moment(microseconds: int) -> datetime:
    """
    Read a moment as the ledger keeps it.

    Args:
        microseconds: Since 1970, in UTC.

    Returns:
        The moment in UTC.
    """
    return _EPOCH + microseconds * _MICROSECOND


def from_moment(moment: datetime) -> int:
    """
    Write a moment as the ledger keeps it.

    Args:
        moment: With a time zone.

    Returns:
        Microseconds since 1970, in UTC.
    """
    return (moment - _EPOCH) // _MICROSECOND


def stock_view(store: Store, *, as_of: date, now: Callable[[], datetime] = utc_now) -> StockView:
    """
    Read what is there, as it stands now.

    Args:
        store: The stock; one that does not exist yet is empty, and is not made.
        as_of: The day it is seen from, at the site.
        now: Tells the time.

    Returns:
        Every lot and place that holds a container.

    Raises:
        LedgerError: If the ledger, or a product record in it, cannot be read.
    """
    with store.reading() as connection:
        if connection is None:
            return StockView((), as_of, now().astimezone(UTC), str(store), None)
        made_at = now().astimezone(UTC)
        anchor = _head(connection)
        try:
            on_hand = _on_hand(store, connection)
        except (ValueError, TypeError, OverflowError) as err:
            raise LedgerError(f"{store}: holds a day or moment that is none; run verify") from err
    return StockView(on_hand, as_of, made_at, str(store), anchor)


def read_product(store: Store, connection: Connection, key: str) -> Product:
    """
    Read a product as it was when the stock first saw it.

    Args:
        store: The stock, which remembers what it has read.
        connection: In a transaction.
        key: Content hash of the record.

    Returns:
        The product.

    Raises:
        LedgerError: If the record is missing, was changed, or cannot be understood.
    """
    known = store.products.get(key)
    if known is not None:
        return known
    table = schema.product_record
    record = connection.execute(select(table.c.record).where(table.c.hash == key)).scalar_one_or_none()
    if record is None or content_hash(record.encode()) != key:
        raise LedgerError(f"{store}: product record {key[:12]}… is missing or was changed; run verify")
    try:
        product = from_plain(json.loads(record), Product, classes=store.classes)
    except (ValueError, TypeError, MesoformulaError) as err:
        raise LedgerError(f"{store}: product record {key[:12]}… cannot be read: {err}") from err
    store.products[key] = product
    return product


def _head(connection: Connection) -> Anchor | None:
    row = connection.execute(select(schema.chain_head.c.seq, schema.chain_head.c.hash)).one_or_none()
    return Anchor(row.seq, row.hash) if row is not None and row.seq else None


def _on_hand(store: Store, connection: Connection) -> tuple[OnHand, ...]:
    lot, state, place, balance = schema.lot, schema.lot_state, schema.location, schema.balance
    rows = connection.execute(
        select(
            lot.c.product_hash,
            lot.c.number,
            place.c.name,
            balance.c.containers,
            state.c.expiry,
            state.c.received_at,
            state.c.supplier,
            state.c.unit_cost,
            state.c.currency,
        )
        .select_from(balance)
        .join(lot, lot.c.id == balance.c.lot)
        .join(state, state.c.lot == balance.c.lot)
        .join(place, place.c.id == balance.c.location)
        .where(balance.c.containers > 0)
    )
    found = [
        OnHand(
            product=read_product(store, connection, row.product_hash),
            lot=row.number,
            location=row.name,
            containers=row.containers,
            expiry=date.fromisoformat(row.expiry) if row.expiry is not None else None,
            received_at=to_moment(row.received_at),
            supplier=row.supplier,
            unit_cost=row.unit_cost,
            currency=row.currency,
        )
        for row in rows.all()
    ]
    return tuple(sorted(found, key=_order))


def _order(entry: OnHand) -> tuple[str, int, bool, date, str, str]:
    last = entry.expiry is None
    return (
        entry.product.id,
        entry.product.revision,
        last,
        entry.expiry or date.max,
        entry.lot,
        entry.location,
    )
