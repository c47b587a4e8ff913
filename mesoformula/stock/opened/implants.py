"""What the implant cards of a session need: product, device identifier, lot and serial number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import attrs
from sqlalchemy import Connection, select

from mesoformula.clock import site_day
from mesoformula.products import Product, ProductKind
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.records import MovementKind
from mesoformula.stock.views.reading import read_product


@attrs.frozen
class ImplantCard:
    """
    A device that a session used.

    Attributes:
        product: As the lot keeps it; its vendor is the maker as far as the catalogue says.
        device: Device identifier (GTIN) received with the lot, else that of the product; None if none is
            known.
        lot: The maker's lot number.
        serial: Serial number of the pack; None if it is not known.
        expiry: The last day on which the lot may be used; None if none is printed.
        day: On which it was used, at the site.
        containers: Whole containers; None where some was drawn from an opened one.
        opened: Number of the opened container or mixture.
        movement: Number of the use.
    """

    product: Product
    device: str | None
    lot: str
    serial: str | None
    expiry: date | None
    day: date
    containers: int | None
    opened: int | None
    movement: int


@attrs.frozen
class _Used:
    lot: int
    device: str | None
    serial: str | None


def implant_cards(store: Store, reference: str) -> tuple[ImplantCard, ...]:
    """
    List the devices that a session used, also through opened containers and mixtures.

    A product counts as a device if the law takes it for one, or if it was received with a device identifier
    and its kind is not stated. Uses that were taken back do not count.

    Args:
        store: The stock.
        reference: Of the session.

    Returns:
        One card for each lot, pack and use, in the order of recording.

    Raises:
        LedgerError: If a product record cannot be read.
    """
    line, movement = schema.movement_line, schema.movement
    back = movement.alias("back")
    found: dict[tuple[object, ...], ImplantCard] = {}
    with store.reading() as connection:
        if connection is None:
            return ()
        rows = connection.execute(
            select(line, movement.c.effective_at)
            .join(movement, movement.c.seq == line.c.movement)
            .where(
                movement.c.session == reference,
                movement.c.kind == MovementKind.USE.value,
                line.c.fact.is_(None),
                ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
            )
            .order_by(line.c.movement, line.c.line)
        ).all()
        for row in rows:
            parts = [_Used(row.lot, row.device, row.serial)] if row.lot is not None else []
            if row.lot is None and row.opened is not None:
                parts = list(_mixed(connection, row.opened, set()))
            for part in parts:
                day = site_day(to_moment(row.effective_at), store.zone)
                card = _card(store, connection, part, day, row.movement, row.opened, row.containers)
                if card is not None:
                    found[row.movement, row.opened, part] = card
    return tuple(found.values())


def _card(
    store: Store,
    connection: Connection,
    part: _Used,
    day: date,
    movement: int,
    opened: int | None,
    containers: int,
) -> ImplantCard | None:
    lot, state = schema.lot, schema.lot_state
    row = connection.execute(
        select(lot.c.product_hash, lot.c.number, state.c.expiry)
        .join(state, state.c.lot == lot.c.id)
        .where(lot.c.id == part.lot)
    ).one()
    product = read_product(store, connection, row.product_hash)
    kinds = {product.kind, *(status.kind for status in product.status)}
    unknown = kinds <= {ProductKind.NOT_STATED}
    if ProductKind.DEVICE not in kinds and not (unknown and part.device is not None):
        return None
    return ImplantCard(
        product=product,
        device=part.device or product.gtin,
        lot=row.number,
        serial=part.serial,
        expiry=date.fromisoformat(row.expiry) if row.expiry is not None else None,
        day=day,
        containers=-containers if opened is None else None,
        opened=opened,
        movement=movement,
    )


def _mixed(connection: Connection, number: int, seen: set[int]) -> Iterator[_Used]:
    """Find the lots in a mixture, with the packs that they were taken from."""
    seen.add(number)
    line, table = schema.movement_line, schema.opened
    rows = connection.execute(
        select(line.c.lot, line.c.opened, line.c.device, line.c.serial)
        .join(table, table.c.movement == line.c.movement)
        .where(table.c.id == number, line.c.fact.is_(None))
        .order_by(line.c.line)
    ).all()
    for row in rows:
        if row.lot is not None:
            yield _Used(row.lot, row.device, row.serial)
        elif row.opened is not None and row.opened not in seen:
            yield from _mixed(connection, row.opened, seen)
