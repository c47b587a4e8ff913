"""
What the stock is worth and what was wasted, at what each lot actually cost.

Whole containers only: an opened container counts as spent. Currencies are never added up, and what has no
price makes a total "at least".
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Connection, select

from mesoformula.clock import day_end, day_start
from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.records import Anchor, MovementKind, OnHand
from mesoformula.stock.views.past import stock_on
from mesoformula.stock.views.reading import read_product, stock_view


@attrs.frozen
class LotWorth:
    """
    What containers of one lot cost.

    Attributes:
        product: As the stock keeps it.
        lot: The maker's lot number.
        containers: How many.
        low: What they cost at least, in minor units of the currency; None if nothing is known.
        high: What they cost at most; None if that is not known.
        currency: ISO 4217 code; None if nothing is known.
        why: Why it is no single figure; None if it is one.
    """

    product: Product
    lot: str
    containers: int
    low: int | None
    high: int | None
    currency: str | None
    why: str | None = None


@attrs.frozen
class Sum:
    """
    A total in one currency.

    Attributes:
        currency: ISO 4217 code.
        low: At least, in minor units.
        high: At most; None if that is not known, as something has no price.
    """

    currency: str
    low: int
    high: int | None


@attrs.frozen
class OpenedRest:
    """
    What was left in an opened container or a mixture when it was thrown away.

    Attributes:
        movement: Number of the waste.
        at: When, in UTC.
        opened: Number of the opened container or mixture.
        product: What it was; None for a mixture.
        lot: The maker's lot number; None for a mixture.
        name: Of a mixture.
        nanolitres: Volume thrown away, by the label; None if it is not measured so.
        nanograms: The same by mass.
    """

    movement: int
    at: datetime
    opened: int
    product: Product | None
    lot: str | None
    name: str | None
    nanolitres: int | None
    nanograms: int | None


@attrs.frozen
class Worth:
    """
    What is on hand and what was wasted.

    Attributes:
        as_of: The day at whose end the stock is valued, at the site.
        since: First day of the period for what was wasted; None means from the start.
        until: Its last day; None means to the end.
        anchor: Head of the chain; None for an empty ledger.
        on_hand: By product and lot.
        wasted: Whole containers, by product and lot.
        rests: What was thrown away of opened containers, in the order of recording; it has no value.
    """

    as_of: date
    since: date | None
    until: date | None
    anchor: Anchor | None
    on_hand: tuple[LotWorth, ...]
    wasted: tuple[LotWorth, ...]
    rests: tuple[OpenedRest, ...]


def worth(
    store: Store, *, day: date | None = None, since: date | None = None, until: date | None = None
) -> Worth:
    """
    Tell what the stock is worth, and what was wasted in a period.

    Args:
        store: The stock; one that does not exist yet is worth nothing.
        day: At whose end the stock is valued, at the site; None means now.
        since: First day of the period.
        until: Its last day.

    Returns:
        Values by lot; `total` adds them up.

    Raises:
        OrderError: If a day is yet to come, or the period ends before it begins.
        LedgerError: If the ledger cannot be read.
    """
    if since is not None and until is not None and since > until:
        raise OrderError([Problem("since", f"the period from {since} to {until} ends before it begins")])
    view = stock_view(store) if day is None else stock_on(store, day)
    with store.reading() as connection:
        wasted: tuple[LotWorth, ...] = ()
        rests: tuple[OpenedRest, ...] = ()
        if connection is not None:
            rows = _wasted(store, connection, since, until)
            wasted = _whole(store, connection, [row for row in rows if row.opened is None])
            rests = _rests(store, connection, [row for row in rows if row.opened is not None])
    return Worth(view.as_of, since, until, view.anchor, value_of(view.on_hand), wasted, rests)


def value_of(on_hand: Iterable[OnHand]) -> tuple[LotWorth, ...]:
    """
    Tell what whole containers cost.

    Args:
        on_hand: By product, lot and place.

    Returns:
        By product and lot, whatever the place.
    """

    def key(entry: OnHand) -> tuple[str, int, str]:
        return entry.product.id, entry.product.revision, entry.lot

    result = []
    for _key, group in groupby(sorted(on_hand, key=key), key=key):
        entries = list(group)
        one = entries[0]
        low, high = (one.unit_cost, one.unit_cost) if one.cost_range is None else one.cost_range
        containers = sum(entry.containers for entry in entries)
        result.append(
            _lot_worth(one.product, one.lot, containers, low, high, one.currency, one.partly_priced)
        )
    return tuple(result)


def total(parts: Iterable[LotWorth]) -> tuple[Sum, ...]:
    """
    Add up values, each currency on its own.

    What has no price may belong to any currency, so that it opens every total upwards.

    Args:
        parts: Of a view, a product, a vendor.

    Returns:
        One total per currency, by its code.
    """
    given = list(parts)
    open_ended = any(one.high is None for one in given)
    found: dict[str, tuple[int, int]] = {}
    for one in given:
        if one.currency is not None:
            low, high = found.get(one.currency, (0, 0))
            found[one.currency] = low + (one.low or 0), high + (one.high or 0)
    return tuple(
        Sum(currency, low, None if open_ended else high) for currency, (low, high) in sorted(found.items())
    )


def totals_by(parts: Iterable[LotWorth], by: Any) -> tuple[tuple[Hashable, tuple[Sum, ...]], ...]:
    """
    Add up values in groups.

    Args:
        parts: Of a view.
        by: Tells of a part which group it belongs to.

    Returns:
        Groups in order, each with its totals.
    """
    return tuple((key, total(group)) for key, group in groupby(sorted(parts, key=by), key=by))


def _lot_worth(
    product: Product,
    lot: str,
    containers: int,
    low: int | None,
    high: int | None,
    currency: str | None,
    unpriced: bool,
) -> LotWorth:
    if low is None or high is None or currency is None:
        return LotWorth(product, lot, containers, None, None, None, "it came without a price")
    if unpriced:
        # Which containers are left is not known: all of them may be those without a price.
        partly = "some of it came without a price"
        return LotWorth(product, lot, containers, 0, None, currency, partly)
    mixed = "its receipts differ in cost, and which containers are left is not known"
    why = mixed if low != high else None
    return LotWorth(product, lot, containers, low * containers, high * containers, currency, why)


def _wasted(store: Store, connection: Connection, since: date | None, until: date | None) -> list[Any]:
    line, movement = schema.movement_line, schema.movement
    back = movement.alias("back")
    period: list[ColumnElement[bool]] = []
    if since is not None:
        period.append(movement.c.effective_at >= from_moment(day_start(since, store.zone)))
    if until is not None:
        period.append(movement.c.effective_at < from_moment(day_end(until, store.zone)))
    return list(
        connection.execute(
            select(
                line.c.movement,
                movement.c.effective_at,
                line.c.lot,
                line.c.opened,
                line.c.containers,
                line.c.nanolitres,
                line.c.nanograms,
            )
            .select_from(movement)
            .join(line, line.c.movement == movement.c.seq)
            .where(
                movement.c.kind == MovementKind.WASTE.value,
                line.c.fact.is_(None),
                ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
                *period,
            )
            .order_by(line.c.movement, line.c.line)
        )
    )


def _whole(store: Store, connection: Connection, rows: Collection[Any]) -> tuple[LotWorth, ...]:
    containers: dict[int, int] = {}
    for row in rows:
        if row.lot is not None and row.containers < 0:
            containers[row.lot] = containers.get(row.lot, 0) - row.containers
    lot, state = schema.lot, schema.lot_state
    result = []
    for batch in batches(sorted(containers)):
        found = connection.execute(
            select(
                lot.c.id,
                lot.c.product_hash,
                lot.c.number,
                state.c.cost_low,
                state.c.cost_high,
                state.c.unpriced,
                state.c.currency,
            )
            .join(state, state.c.lot == lot.c.id)
            .where(lot.c.id.in_(batch))
        )
        for row in found:
            product = read_product(store, connection, row.product_hash)
            result.append(
                _lot_worth(
                    product,
                    row.number,
                    containers[row.id],
                    row.cost_low,
                    row.cost_high,
                    row.currency,
                    bool(row.unpriced),
                )
            )
    return tuple(sorted(result, key=lambda one: (one.product.id, one.product.revision, one.lot)))


def _rests(store: Store, connection: Connection, rows: Collection[Any]) -> tuple[OpenedRest, ...]:
    table, lot = schema.opened, schema.lot
    known: dict[int, Any] = {}
    for batch in batches(sorted({row.opened for row in rows})):
        found = connection.execute(
            select(table.c.id, table.c.name, lot.c.product_hash, lot.c.number)
            .select_from(table)
            .outerjoin(lot, lot.c.id == table.c.lot)
            .where(table.c.id.in_(batch))
        )
        known.update((one.id, one) for one in found)
    result = []
    for row in rows:
        one = known[row.opened]
        result.append(
            OpenedRest(
                row.movement,
                to_moment(row.effective_at),
                row.opened,
                read_product(store, connection, one.product_hash) if one.product_hash is not None else None,
                one.number,
                one.name,
                -row.nanolitres if row.nanolitres is not None else None,
                -row.nanograms if row.nanograms is not None else None,
            )
        )
    return tuple(result)
