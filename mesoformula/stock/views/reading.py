"""What is in the stock now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from mesoformula.clock import site_day
from mesoformula.encoding import from_plain
from mesoformula.errors import LedgerError, MesoformulaError
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import batches
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.chain import content_hash
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.records import Anchor, Assay, MovementKind, OnHand, Opened, StockView
from mesoformula.stock.views import reading_queries as queries
from mesoformula.stock.views.lineage import lots_in


def stock_view(store: Store, *, as_of: date | None = None) -> StockView:
    """
    Read what is there, as it stands now.

    Args:
        store: The stock; one that does not exist yet is empty, and is not made.
        as_of: The day it is seen from, at the site; None means today.

    Returns:
        Every lot and place that holds a container, and every opened container.

    Raises:
        LedgerError: If the ledger, or a product record in it, cannot be read.
    """
    with store.reading() as connection:
        made_at = store.moment(connection).astimezone(UTC)
        as_of = as_of if as_of is not None else site_day(made_at, store.zone)
        if connection is None:
            return StockView((), as_of, made_at, str(store), None)
        try:
            kept = reserved(connection, made_at)
            return StockView(
                read_on_hand(store, connection, made_at, kept=kept[0]),
                as_of,
                made_at,
                str(store),
                head_of(connection),
                read_opened(store, connection, made_at, kept=kept[1]),
                tuple(
                    sorted(
                        (product, int(least)) for product, least in standing(connection, "minimum").items()
                    )
                ),
            )
        except (ValueError, TypeError, OverflowError) as err:
            raise LedgerError(f"{store}: holds a day or moment that is none; run verify") from err


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
    found = queries.RECORD.first(connection, given=key)
    record = found.record if found is not None else None
    if record is None or content_hash(record.encode()) != key:
        raise LedgerError(f"{store}: product record {key[:12]}… is missing or was changed; run verify")
    try:
        product = from_plain(json.loads(record), Product, classes=store.classes)
    except (ValueError, TypeError, MesoformulaError) as err:
        raise LedgerError(f"{store}: product record {key[:12]}… cannot be read: {err}") from err
    store.products[key] = product
    return product


def head_of(connection: Connection) -> Anchor | None:
    """
    Read the head of the chain.

    Args:
        connection: In a transaction.

    Returns:
        The latest movement; None for an empty ledger.
    """
    row = queries.HEAD.first(connection)
    return Anchor(row.seq, row.hash) if row is not None and row.seq else None


def standing(connection: Connection, fact: str) -> dict[str, str]:
    """
    Read what holds until it is said otherwise.

    Args:
        connection: In a transaction.
        fact: Such as `minimum`.

    Returns:
        Values by subject.
    """
    return dict(queries.STANDING.rows(connection, given=fact))


def reserved(
    connection: Connection, moment: datetime, *, but: int | None = None
) -> tuple[dict[tuple[int, int], int], dict[int, int]]:
    """
    Add up what picks keep.

    Args:
        connection: In a transaction.
        moment: Reservations that ended by then keep nothing.
        but: A pick that is left out.

    Returns:
        Containers by lot and location, and nanolitres by opened container.
    """
    containers: dict[tuple[int, int], int] = defaultdict(int)
    volumes: dict[int, int] = defaultdict(int)
    for movement, lot, place, opened, number, volume in queries.RESERVED.rows(
        connection, moment=from_moment(moment)
    ):
        if movement == but:
            continue
        if opened is not None:
            volumes[opened] += volume or 0
        else:
            containers[lot, place] += number or 0
    return dict(containers), dict(volumes)


def read_opened(
    store: Store,
    connection: Connection,
    moment: datetime,
    *,
    numbers: Collection[int] | None = None,
    kept: Mapping[int, int] | None = None,
) -> tuple[Opened, ...]:
    """
    Read opened containers and mixtures.

    Args:
        store: The stock.
        connection: In a transaction.
        moment: Reservations that ended by then keep nothing.
        numbers: Which ones, gone ones included; None means all that are there.
        kept: What picks keep by number, in nanolitres, as far as it was read before.

    Returns:
        The opened containers, by number.
    """
    if numbers is None:
        rows = queries.VESSELS.named(connection)
    else:
        rows = [
            row
            for batch in batches(sorted(numbers))
            for row in queries.VESSELS_OF.named(connection, given=batch)
        ]
    if not rows:
        return ()
    if kept is None:
        _containers, kept = reserved(connection, moment)
    sessions = sessions_of(connection, [row.id for row in rows])
    mixed = _held_mixtures(connection, [row.id for row in rows if row.lot is None])
    result = []
    for row in rows:
        expiry, quarantined, recalled = mixed.get(
            row.id, (row.expiry, bool(row.lot_quarantined), bool(row.recalled))
        )
        result.append(
            Opened(
                id=row.id,
                product=read_product(store, connection, row.product_hash) if row.lot is not None else None,
                lot=row.number,
                name=row.name,
                location=row.place,
                opened_at=to_moment(row.opened_at),
                beyond_use_at=to_moment(row.beyond_use_at) if row.beyond_use_at is not None else None,
                rule=row.rule,
                supplied_nanolitres=row.supplied_nanolitres,
                nanolitres=row.nanolitres,
                supplied_nanograms=row.supplied_nanograms,
                nanograms=row.nanograms,
                expiry=date.fromisoformat(expiry) if expiry is not None else None,
                reserved_nanolitres=kept.get(row.id, 0),
                quarantined=bool(row.quarantined) or quarantined,
                recalled=recalled,
                sessions=sessions.get(row.id, ()),
            )
        )
    return tuple(result)


def sessions_of(
    connection: Connection, numbers: Iterable[int], *, until: int | None = None, known: int | None = None
) -> dict[int, tuple[str, ...]]:
    """
    Find the sessions that opened containers were used in.

    Args:
        connection: In a transaction.
        numbers: Of opened containers.
        until: What happened from then on does not count; microseconds since 1970.
        known: What was recorded from then on does not count; the same.

    Returns:
        Session references by number, in the order of use; a use that was taken back does not count.
    """
    line, movement = schema.movement_line, schema.movement
    back = movement.alias("back")
    taken_back = select(back.c.seq).where(back.c.reverses == movement.c.seq)
    counts = []
    if until is not None:
        counts.append(movement.c.effective_at < until)
    if known is not None:
        counts.append(movement.c.recorded_at < known)
        taken_back = taken_back.where(back.c.recorded_at < known)
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for batch in batches(numbers):
        rows = connection.execute(
            select(line.c.opened, movement.c.session)
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .where(
                line.c.opened.in_(batch),
                movement.c.kind == MovementKind.USE.value,
                movement.c.session.is_not(None),
                ~taken_back.exists(),
                *counts,
            )
            .order_by(movement.c.effective_at, movement.c.seq)
        )
        for row in rows:
            found[row.opened][row.session] = None
    return {number: tuple(sessions) for number, sessions in found.items()}


def _held_mixtures(
    connection: Connection, numbers: Iterable[int]
) -> dict[int, tuple[str | None, bool, bool]]:
    """Tell of mixtures the earliest expiry of what is in them, and whether any of it is kept apart."""
    table = schema.lot_state
    inside = lots_in(connection, numbers)
    states: dict[int, Any] = {}
    for batch in batches(sorted({lot for lots in inside.values() for lot in lots})):
        rows = connection.execute(
            select(table.c.lot, table.c.expiry, table.c.quarantined, table.c.recalled).where(
                table.c.lot.in_(batch)
            )
        )
        states.update((row.lot, row) for row in rows)
    result = {}
    for number, lots in inside.items():
        inside_it = [states[lot] for lot in lots if lot in states]
        result[number] = (
            min((row.expiry for row in inside_it if row.expiry is not None), default=None),
            any(row.quarantined for row in inside_it),
            any(row.recalled for row in inside_it),
        )
    return result


def read_on_hand(
    store: Store,
    connection: Connection,
    moment: datetime,
    *,
    lots: Collection[int] | None = None,
    kept: Mapping[tuple[int, int], int] | None = None,
) -> tuple[OnHand, ...]:
    """
    Read whole containers.

    Args:
        store: The stock.
        connection: In a transaction.
        moment: Reservations that ended by then keep nothing.
        lots: Numbers of the lots that are wanted; None means all.
        kept: What picks keep by lot and place, as far as it was read before.

    Returns:
        One entry per lot and place where there is a container, in the order of a view.
    """
    if lots is None:
        rows = queries.ON_HAND.rows(connection)
    else:
        rows = [row for lot in lots for row in queries.ON_HAND_OF.rows(connection, given=lot)]
    if kept is None:
        kept, _volumes = reserved(connection, moment)
    rows.sort(key=_in_order)
    remarks = read_remarks(connection, {row[17] for row in rows if row[17] is not None})
    days = {text: date.fromisoformat(text) for text in {row[9] for row in rows} if text is not None}
    products = store.products
    # In the order of the attributes: to make a thousand with their names takes a third longer.
    return tuple(
        [
            OnHand(
                products.get(product) or read_product(store, connection, product),
                number,
                place,
                containers,
                days.get(expiry),
                to_moment(received_at),
                supplier,
                low if low == high and not unpriced else None,
                currency,
                kept.get((lot_id, place_id), 0),
                bool(here or everywhere),
                bool(recalled),
                (low, high) if low is not None and (low != high or unpriced) else None,
                None if assay is None else read_assay(assay),
                None if remark is None else remarks.get(remark),
                bool(unpriced and low is not None),
            )
            for (
                lot_id,
                place_id,
                product,
                number,
                place,
                containers,
                here,
                everywhere,
                recalled,
                expiry,
                received_at,
                supplier,
                low,
                high,
                unpriced,
                currency,
                assay,
                remark,
                _product_id,
                _revision,
                _by_expiry,
            ) in rows
        ]
    )


def read_assay(text: str | None) -> Assay | None:
    """
    Read what a lot's certificate says, as the ledger keeps it.

    Args:
        text: Canonical JSON.

    Returns:
        The assay.

    Raises:
        ValueError: If it is none.
    """
    return None if text is None else Assay(**json.loads(text))


def read_remarks(connection: Connection, movements: Collection[int]) -> Mapping[int | None, str]:
    """
    Read the remarks on lots.

    Args:
        connection: In a transaction.
        movements: That they came with.

    Returns:
        Texts by movement; those that were erased are left out.
    """
    return dict(queries.REMARKS.of_many(connection, sorted(movements)))


# By product, expiry, lot and place.
_in_order = itemgetter(18, 19, 20, 3, 4)
