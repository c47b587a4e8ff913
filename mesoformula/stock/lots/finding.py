"""Lots, places and opened containers, found by what people call them."""

from __future__ import annotations

import re

from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem, ShortStockError
from mesoformula.stock.database import schema
from mesoformula.stock.ledger.appending import Lot, load
from mesoformula.stock.ledger.orders import check_name, check_product
from mesoformula.stock.ledger.tally import OpenedSum, Tally
from mesoformula.words import nearest, shown

_PINNED = re.compile(r"(.+)@(\d{1,4})")


def find_lot(connection: Connection | None, product: str, number: str) -> Lot:
    """
    Find one lot of the stock.

    Args:
        connection: In a transaction; None for a stock that does not exist yet.
        product: `vendor/sku`, or `vendor/sku@revision` where the same lot came under several.
        number: The maker's lot number.

    Returns:
        The lot.

    Raises:
        OrderError: If there is none, or several, with what comes near.
    """
    problems: list[Problem] = []
    product, number = check_product(problems, product), check_name(problems, "lot", number)
    if problems:
        raise OrderError(problems)
    pinned = _PINNED.fullmatch(product)
    product_id = pinned[1] if pinned is not None else product
    table = schema.lot
    rows = []
    if connection is not None:
        rows = list(
            connection.execute(
                select(table)
                .where(table.c.product_id == product_id, table.c.number == number)
                .order_by(table.c.revision)
            )
        )
    if pinned is not None:
        rows = [row for row in rows if row.revision == int(pinned[2])]
    if len(rows) == 1:
        row = rows[0]
        return Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)
    if rows:
        names = " or ".join(f"{row.product_id}@{row.revision}" for row in rows)
        raise OrderError([Problem("lot", f"lot {shown(number)} came under several revisions; name {names}")])
    raise OrderError([Problem("lot", _unknown(connection, product_id, number))])


def _unknown(connection: Connection | None, product: str, number: str) -> str:
    table = schema.lot
    if connection is None:
        return f"lot {shown(number)} of {shown(product)}: the stock is empty"
    numbers = [
        str(found)
        for found in connection.execute(
            select(table.c.number).where(table.c.product_id == product).distinct()
        ).scalars()
    ]
    if numbers:
        close = nearest(number, sorted(numbers)) or tuple(sorted(numbers)[:3])
        return (
            f"lot {shown(number)} of {shown(product)} is not in the stock; did you mean "
            f"{' or '.join(shown(one) for one in close)}?"
        )
    products = [str(found) for found in connection.execute(select(table.c.product_id).distinct()).scalars()]
    close = nearest(product, sorted(products))
    hint = f"; did you mean {' or '.join(shown(one) for one in close)}?" if close else ""
    return f"product {shown(product)} is not in the stock{hint}"


def places_of(connection: Connection, lot: Lot) -> dict[str, int]:
    """
    Tell where containers of a lot are.

    Args:
        connection: In a transaction.
        lot: The lot.

    Returns:
        Containers by the name of the place, places with none left out.
    """
    balance, place = schema.balance, schema.location
    rows = connection.execute(
        select(place.c.name, balance.c.containers)
        .select_from(balance)
        .join(place, place.c.id == balance.c.location)
        .where(balance.c.lot == lot.id, balance.c.containers > 0)
        .order_by(place.c.name)
    )
    return {row.name: row.containers for row in rows}


def find_place(connection: Connection, lot: Lot, location: str | None) -> str:
    """
    Decide on the place where containers of a lot are taken from.

    Args:
        connection: In a transaction.
        lot: The lot.
        location: As named; None if it was left open.

    Returns:
        The name of a place.

    Raises:
        ShortStockError: If it was left open and there is none.
        OrderError: If it was left open and there are several.
    """
    if location is not None:
        return location.strip(" ")
    places = places_of(connection, lot)
    if len(places) == 1:
        return next(iter(places))
    what = f"lot {shown(lot.number)} of {lot.product_id}"
    if not places:
        raise ShortStockError(
            [
                Problem(
                    "short",
                    f"{what}: no whole container is left anywhere; of an earlier moment, name the place with "
                    "--location",
                )
            ]
        )
    where = ", ".join(f"{count} at {shown(name)}" for name, count in places.items())
    raise OrderError(
        [Problem("location", f"{what} is in several places ({where}); name one with --location")]
    )


def place_id(connection: Connection, name: str) -> int | None:
    """
    Find the number of a place.

    Args:
        connection: In a transaction.
        name: Of the place.

    Returns:
        Its number; None if nothing was ever there.
    """
    table = schema.location
    found = connection.execute(select(table.c.id).where(table.c.name == name)).scalar_one_or_none()
    return None if found is None else int(found)


def place_name(connection: Connection, number: int) -> str:
    """
    Find the name of a place.

    Args:
        connection: In a transaction.
        number: Of the place.

    Returns:
        Its name.
    """
    table = schema.location
    return str(connection.execute(select(table.c.name).where(table.c.id == number)).scalar_one())


def find_opened(connection: Connection | None, number: int, *, gone: bool = False) -> OpenedSum:
    """
    Find an opened container or a mixture.

    Args:
        connection: In a transaction; None for a stock that does not exist yet.
        number: Its number in this stock.
        gone: Whether one that is gone will do.

    Returns:
        What is kept of it.

    Raises:
        OrderError: If there is none, or it is gone.
    """
    tally = Tally()
    if connection is not None:
        load(connection, tally, opened=(number,))
    found = tally.opened.get((number,))
    if found is None:
        raise OrderError(
            [
                Problem(
                    "opened", f"no opened container has the number {number}; list them: stock list --opened"
                )
            ]
        )
    if found.gone and not gone:
        raise OrderError([Problem("opened", f"opened container {number} is gone: used up or thrown away")])
    return found


def lot_by_id(connection: Connection, number: int) -> Lot:
    """
    Read a lot.

    Args:
        connection: In a transaction.
        number: Of the lot in this store.

    Returns:
        The lot.
    """
    table = schema.lot
    row = connection.execute(select(table).where(table.c.id == number)).one()
    return Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)
