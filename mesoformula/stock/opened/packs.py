"""Which pack containers come from, so that a session keeps device identifier, lot and serial number."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlalchemy import Connection, func, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.ledger.appending import Lot
from mesoformula.stock.ledger.tally import RECEIPTS
from mesoformula.stock.lots.lots import listed, lot_text
from mesoformula.words import shown


@attrs.frozen
class Pack:
    """
    What tells a pack from others.

    Attributes:
        device: Device identifier (GTIN); None if none was received with the lot, or several were.
        serial: Serial number; None if it is not known which pack it is.
        note: What to know, in a sentence.
    """

    device: str | None = None
    serial: str | None = None
    note: str | None = None


@attrs.frozen
class _Received:
    device: str | None
    serial: str | None
    place: str


def pack_of(connection: Connection, lot: Lot, place: str, containers: int, serial: str | None) -> Pack:
    """
    Find the pack that containers are taken from.

    A lot that came to a place in one pack, with a serial number, needs nobody to name it.

    Args:
        connection: In a transaction.
        lot: The lot.
        place: Where they are taken.
        containers: How many.
        serial: Of the pack, as named; None if it was left open.

    Returns:
        The pack, as far as it is known.

    Raises:
        OrderError: If no such pack was received, or it holds fewer containers.
    """
    received = _received(connection, lot)
    if serial is not None:
        return _named(connection, lot, containers, serial, received)
    here = [one for one in received if one.place == place] or received
    packs = {(one.device, one.serial) for one in here}
    devices = {one.device for one in here}
    device = next(iter(devices)) if len(devices) == 1 else None
    serials = sorted({one.serial for one in here if one.serial is not None})
    if not serials:
        return Pack(device)
    if len(packs) == 1 and _left(connection, lot, device, serials[0]) >= containers:
        return Pack(device, serials[0])
    return Pack(
        device,
        note=f"{lot_text(lot)} came in packs with serial numbers ({listed(map(shown, serials))}), and none "
        "was named: say which with --serial, where sessions keep them",
    )


def _named(
    connection: Connection, lot: Lot, containers: int, serial: str, received: Sequence[_Received]
) -> Pack:
    devices = sorted({one.device for one in received if one.serial == serial and one.device is not None})
    if not devices:
        known = sorted({one.serial for one in received if one.serial is not None})
        hint = f"; received were {listed(map(shown, known))}" if known else "; none came with a serial number"
        raise OrderError([Problem("serial", f"no pack {shown(serial)} of {lot_text(lot)}{hint}")])
    if len(devices) > 1:
        names = " and ".join(devices)
        raise OrderError(
            [Problem("serial", f"pack {shown(serial)} of {lot_text(lot)} came under several GTINs: {names}")]
        )
    left = _left(connection, lot, devices[0], serial)
    if left < containers:
        raise OrderError(
            [
                Problem(
                    "serial",
                    f"pack {shown(serial)} of {lot_text(lot)}: {left} of its containers left, {containers} "
                    "asked for; look at the pack again",
                )
            ]
        )
    return Pack(devices[0], serial)


def _received(connection: Connection, lot: Lot) -> list[_Received]:
    line, movement, place = schema.movement_line, schema.movement, schema.location
    back = movement.alias("back")
    rows = connection.execute(
        select(line.c.device, line.c.serial, place.c.name)
        .distinct()
        .select_from(line)
        .join(movement, movement.c.seq == line.c.movement)
        .join(place, place.c.id == line.c.location)
        .where(
            line.c.lot == lot.id,
            movement.c.kind.in_(RECEIPTS),
            ~select(back.c.seq).where(back.c.reverses == movement.c.seq).exists(),
        )
    )
    return [_Received(row.device, row.serial, row.name) for row in rows]


def _left(connection: Connection, lot: Lot, device: str | None, serial: str) -> int:
    """Count the containers of a pack that no line names as taken."""
    line = schema.movement_line
    found = connection.execute(
        select(func.sum(line.c.containers)).where(
            line.c.lot == lot.id, line.c.device == device, line.c.serial == serial
        )
    ).scalar_one()
    return int(found or 0)
