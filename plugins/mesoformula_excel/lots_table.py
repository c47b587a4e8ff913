"""From which lots a session is prepared, or room to write them down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING

from mesoformula import Column, Product, plain
from mesoformula.preparations import FEWER_LOTS
from mesoformula.sheets import Holds, Mark, Row, Table, Value
from mesoformula_excel.stock_words import DEVIATIONS, local, zone_name

if TYPE_CHECKING:
    from mesoformula.languages import Words
    from mesoformula.preparations import LotTaken, Preparation


def lots_table(prepared: Preparation, zone: tzinfo | None, key: str, say: Words) -> Table:
    """
    List the lots of a preparation, with an empty row for every product of which the ledger names none.

    Args:
        prepared: The preparation.
        zone: Of the site; None for UTC.
        key: Of the table.
        say: The language.

    Returns:
        A row for each lot, in the order of the lines; lots of other products last.
    """
    columns = (
        Column("lines", say("Line"), widest=6),
        Column("product", say("Product"), widest=60),
        Column("maker", say("Maker"), widest=16),
        Column("lot", say("Lot, as printed"), widest=20),
        Column("expiry", say("Expiry"), Holds.DAY),
        Column("supplier", say("Supplier"), widest=16),
        Column("taken", say("Taken"), widest=40),
    )
    return Table(key, columns, tuple(_rows(prepared, zone, say)), title=say("From which lots"))


def _rows(prepared: Preparation, zone: tzinfo | None, say: Words) -> Iterator[Row]:
    of_products: dict[str, list[int]] = {}
    for line in prepared.quantities.lines:
        of_products.setdefault(line.product.id, []).append(line.number)
    products = {line.product.id: line.product for line in prepared.quantities.lines}
    day = _day(prepared, zone)
    for name, numbers in of_products.items():
        lines = ", ".join(map(str, numbers))
        lots = [one for one in prepared.lots if one.product.id == name]
        for lot in lots:
            wanted = products[name].revision
            yield _lot(lot, lines, zone, day, say, None if lot.product.revision == wanted else wanted)
        if not lots or has_fewer_lots(prepared, name):
            product = products[name]
            blank = (lines, _called(product), product.vendor.name, None, None, None, say("write it by hand"))
            yield Row(blank, Mark.ATTENTION, editable=("lot", "expiry", "supplier"))
    for lot in prepared.lots:
        if lot.product.id not in of_products:
            yield _lot(lot, "", zone, day, say, None)


def has_fewer_lots(prepared: Preparation, product: str) -> bool:
    """
    Tell whether the ledger names less of a product than the session takes.

    Args:
        prepared: The preparation.
        product: Its id.

    Returns:
        Whether more is to be written by hand, some of it being named.
    """
    return any(one.code == FEWER_LOTS and one.subject == product for one in prepared.lot_findings)


def _day(prepared: Preparation, zone: tzinfo | None) -> date | None:
    """Tell the day on which a lot must not have expired."""
    if prepared.day is not None:
        return prepared.day
    if prepared.quantities.session.on is not None:
        return prepared.quantities.session.on
    return None if prepared.prepared_at is None else local(prepared.prepared_at, zone).date()


def _lot(
    lot: LotTaken, lines: str, zone: tzinfo | None, day: date | None, say: Words, wanted: int | None
) -> Row:
    remarks = list(_remarks(lot, lines, zone, day, say))
    if wanted is not None:
        remarks.append(
            say(
                "revision {found}, not {wanted} as worked out: compare the labels",
                found=lot.product.revision,
                wanted=wanted,
            )
        )
    is_blocked = lot.is_recalled or lot.is_quarantined
    against = lot.deviations or lot.has_lapsed or wanted is not None or not lines
    is_expired = lot.expiry is not None and day is not None and lot.expiry < day
    values: tuple[Value, ...] = (
        lines or say("none"),
        _called(lot.product),
        lot.product.vendor.name,
        lot.lot,
        lot.expiry,
        ", ".join(lot.suppliers) or None,
        "; ".join((*remarks, _taken(lot, say))),
    )
    return Row(values, Mark.EXPIRED if is_expired or is_blocked else Mark.SOON if against else Mark.NONE)


def _called(product: Product) -> str:
    return f"{product.name} ({product.pinned_id})"


def _taken(lot: LotTaken, say: Words) -> str:
    if lot.opened is None:
        return say.plural("{count} container", "{count} containers", lot.containers)
    if lot.nanolitres is None:
        return say("from opened container {number}", number=lot.opened)
    volume = plain(Decimal(lot.nanolitres).scaleb(-6))
    return say("{volume} mL from opened container {number}", volume=volume, number=lot.opened)


def _remarks(lot: LotTaken, lines: str, zone: tzinfo | None, day: date | None, say: Words) -> Iterator[str]:
    if lot.expiry is not None and day is not None and lot.expiry < day:
        yield say("EXPIRED")
    if lot.is_recalled:
        yield say("RECALLED")
    if lot.is_quarantined:
        yield say("IN QUARANTINE")
    if not lines:
        yield say("in no line of the formula")
    if lot.used_at is not None:
        yield say(
            "used {moment} ({zone})",
            moment=f"{local(lot.used_at, zone):%Y-%m-%d %H:%M}",
            zone=zone_name(zone, say),
        )
    elif lot.has_lapsed:
        yield say("was kept, and is no longer: pick it again")
    else:
        yield say("kept in {place}", place=lot.location)
    for one in lot.deviations:
        yield say(DEVIATIONS[one])
    if lot.beyond_use_at is not None:
        yield say("opened: use before {moment}", moment=f"{local(lot.beyond_use_at, zone):%Y-%m-%d %H:%M}")
