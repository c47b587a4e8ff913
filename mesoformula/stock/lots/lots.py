"""What every use case that is about a lot or an opened container asks of the ledger first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from decimal import localcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from mesoformula.errors import OrderError, Problem, QuantityError
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import in_millionths
from mesoformula.stock.ledger.appending import Lot
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.orders import check_name, check_product
from mesoformula.stock.lots.finding import find_lot
from mesoformula.units import EXACT, magnitude, show
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: The fact that a line states of an opened container that changes its place.
MOVED = "moved"


#: Nanolitres in 1 mL, and nanograms in 1 mg.
_SMALLEST = 1_000_000


def require_stock(store: Store) -> None:
    """
    Refuse to make a stock by a write that needs something in it.

    Args:
        store: The stock.

    Raises:
        OrderError: If there is none yet.
        StockError: If the store cannot be read.
    """
    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", f"the stock is empty: {store}; is the path right?")])


def check_lot(problems: list[Problem], product: Any, number: Any) -> tuple[str, str]:
    """
    Take the blanks from around the names of a product and a lot, and note what is wrong with them.

    Args:
        problems: Added to.
        product: `vendor/sku`, or `vendor/sku@revision`.
        number: The maker's lot number.

    Returns:
        Both names; whether the stock holds them is another question.
    """
    return check_product(problems, product), check_name(problems, "lot", number)


def find_revisions(connection: Connection, product: str, number: str) -> tuple[Lot, ...]:
    """
    Find a lot under every revision of its product, as it is one lot to its maker.

    Args:
        connection: In a transaction.
        product: `vendor/sku`, or `vendor/sku@revision` for that one only.
        number: The maker's lot number.

    Returns:
        At least one lot, by revision.

    Raises:
        OrderError: If there is none, with what comes near.
    """
    table = schema.lot
    rows = connection.execute(
        select(table)
        .where(table.c.product_id == product.strip(" "), table.c.number == number.strip(" "))
        .order_by(table.c.revision)
    ).all()
    if not rows:
        return (find_lot(connection, product, number),)
    return tuple(
        Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry) for row in rows
    )


def lot_text(lot: Lot) -> str:
    """
    Name a lot in a sentence.

    Args:
        lot: The lot.

    Returns:
        Such as `lot '4711' of acme/c-500`.
    """
    return f"lot {shown(lot.number)} of {lot.product_id}"


def containers_there(connection: Connection, lot: int, place: int) -> int:
    """
    Count the whole containers of a lot in one place.

    Args:
        connection: In a transaction.
        lot: Number of the lot.
        place: Number of the place.

    Returns:
        How many there are now.
    """
    table = schema.balance
    found = connection.execute(
        select(table.c.containers).where(table.c.lot == lot, table.c.location == place)
    ).scalar_one_or_none()
    return int(found or 0)


def picks_of(
    connection: Connection, now: int, *, lot: int, place: int | None = None, opened: int | None = None
) -> tuple[str, ...]:
    """
    Name the picks that keep containers of a lot, or some of an opened container.

    Args:
        connection: In a transaction.
        now: Reservations that ended by then keep nothing; in microseconds since 1970.
        lot: Number of the lot; of no weight if an opened container is named.
        place: Number of the place; None for anywhere, what is opened included.
        opened: Number of an opened container.

    Returns:
        Such as `pick 7 for S-2026-001`, in the order of picking.
    """
    table = schema.reservation
    query = (
        select(table.c.movement, func.max(table.c.session).label("session"))
        .where(table.c.lapses_at > now)
        .group_by(table.c.movement)
        .order_by(table.c.movement)
    )
    if opened is not None:
        query = query.where(table.c.opened == opened)
    else:
        query = query.where(table.c.lot == lot)
        if place is not None:
            query = query.where(table.c.location == place, table.c.opened.is_(None))
    return tuple(
        f"pick {row.movement}" + (f" for {row.session}" if row.session is not None else "")
        for row in connection.execute(query)
    )


def short_picks(connection: Connection, now: int, lot: Lot, place: int) -> str | None:
    """
    Say which picks cannot be served any more, as fewer containers are left than they keep.

    Args:
        connection: In a transaction, after the containers went.
        now: Reservations that ended by then keep nothing; in microseconds since 1970.
        lot: The lot.
        place: Number of the place.

    Returns:
        A sentence; None if enough is left.
    """
    table = schema.reservation
    kept = int(
        connection.execute(
            select(func.coalesce(func.sum(table.c.containers), 0)).where(
                table.c.lot == lot.id,
                table.c.location == place,
                table.c.opened.is_(None),
                table.c.lapses_at > now,
            )
        ).scalar_one()
    )
    left = containers_there(connection, lot.id, place)
    if kept <= left:
        return None
    picks = listed(picks_of(connection, now, lot=lot.id, place=place))
    return (
        f"{left} of {lot_text(lot)} {'is' if left == 1 else 'are'} left there and {kept} kept for {picks}: "
        "free what cannot be served, and pick anew"
    )


def listed(parts: Iterable[str], most: int = 8) -> str:
    """
    Join names in a sentence.

    Args:
        parts: The names.
        most: How many are told.

    Returns:
        The names with commas and a last `and`; what is left out is counted.
    """
    names = list(parts)
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def local(microseconds: int, zone: tzinfo) -> str:
    """
    Write a moment in a sentence.

    Args:
        microseconds: Since 1970, in UTC.
        zone: Of the site.

    Returns:
        Such as `2026-11-23 14:30`, in the site's time.
    """
    return f"{to_moment(microseconds).astimezone(zone):%Y-%m-%d %H:%M}"


def in_smallest(problems: list[Problem], amount: Quantity | None, unit: str) -> int | None:
    """
    Bring a volume or a mass to the whole number that the ledger keeps.

    Args:
        problems: Added to, if that is not possible.
        amount: As given; None if none was.
        unit: `mL` for nanolitres, `mg` for nanograms.

    Returns:
        The whole number, above zero; None without one.
    """
    if amount is None:
        return None
    code, smallest = ("volume", "nL") if unit == "mL" else ("mass", "ng")
    try:
        with localcontext(EXACT):
            number = magnitude(amount, unit) * _SMALLEST
    except QuantityError as err:
        problems.append(Problem(code, str(err)))
        return None
    if number != number.to_integral_value() or not 0 < number < 10**15:
        problems.append(
            Problem(
                code,
                f"{code} {show(amount)}: expected above 0, below {10**15 // _SMALLEST // 1000} "
                f"{'L' if unit == 'mL' else 'g'}, and a whole number of {smallest}",
            )
        )
        return None
    return int(number)


def amount_text(nanolitres: int | None, nanograms: int | None) -> str:
    """
    Write what is in an opened container.

    Args:
        nanolitres: By volume; None if it is not measured so.
        nanograms: By mass.

    Returns:
        Such as `2.5 mL`, exactly.
    """
    if nanolitres is None and nanograms is None:
        return "an unknown amount"
    amount, unit = (nanolitres, "mL") if nanolitres is not None else (nanograms, "mg")
    return f"{in_millionths(amount or 0)} {unit}"
