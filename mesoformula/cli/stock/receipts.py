"""Deliveries, told to people and to machines, before and after they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import counted, print_json, print_table, print_wrapped, safe
from mesoformula.cli.stock.telling import containers_text
from mesoformula.clock import site_day
from mesoformula.stock.figures import in_major_units
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Delivery, Receipt

#: How many lines of a delivery are printed; JSON has them all.
MOST_PRINTED = 50


def delivery_plain(delivery: Delivery) -> dict[str, Any]:
    """
    Bring a delivery to plain data for JSON.

    Args:
        delivery: What arrived.

    Returns:
        What it says, what it does not say left out.
    """
    cost = None
    if delivery.unit_cost is not None and delivery.currency is not None:
        value = f"{in_major_units(delivery.unit_cost, delivery.currency):f}"
        cost = {"value": value, "unit": delivery.currency}
    plain: dict[str, Any] = {
        "product": delivery.product.pinned_id,
        "lot": delivery.lot.strip(),
        "containers": delivery.containers,
        "location": delivery.location,
        "supplier": delivery.supplier,
        "unit_cost": cost,
        "device": delivery.device,
        "serial": delivery.serial,
        "remark": delivery.remark,
    }
    kept = {name: value for name, value in plain.items() if value is not None}
    return {**kept, "expiry": delivery.expiry.isoformat() if delivery.expiry is not None else None}


def print_deliveries(deliveries: Sequence[Delivery], rows: Sequence[int] = ()) -> None:
    """
    Print deliveries as a table.

    Args:
        deliveries: What arrived.
        rows: The row of a file that each of them stands in.
    """
    with_serials = any(one.serial is not None for one in deliveries)
    headings = ["product", "lot", "containers", "expiry", "place"]
    table = []
    for number, one in enumerate(deliveries[:MOST_PRINTED]):
        cells: list[object] = [
            f"{one.product.name} ({one.product.vendor.name})",
            one.lot.strip(),
            containers_text(one.product, one.containers),
            one.expiry.isoformat() if one.expiry is not None else "none",
            one.location,
        ]
        if rows:
            cells.insert(0, rows[number])
        if with_serials:
            cells.append(one.serial)
        table.append(cells)
    if rows:
        headings.insert(0, "row")
    if with_serials:
        headings.append("pack")
    first = 1 if rows else 0
    print_table(headings, table, right=(0,) if rows else (), whole=(first + 2, first + 3))
    if len(deliveries) > MOST_PRINTED:
        click.echo(f"and {len(deliveries) - MOST_PRINTED} more lines; --json has them all")


def print_expired(store: Store, deliveries: Sequence[Delivery]) -> None:
    """
    Point out lots that have expired already.

    Args:
        store: Knows the time and the site's zone.
        deliveries: What arrived.
    """
    today = site_day(store.moment(), store.zone)
    expired = {one.lot.strip(): None for one in deliveries if one.expiry is not None and one.expiry < today}
    if not expired:
        return
    if len(deliveries) == 1:
        click.echo("attention: this lot has EXPIRED; keep it apart from what is used")
        return
    names = ", ".join(shown(lot) for lot in list(expired)[:10])
    more = f" and {len(expired) - 10} more" if len(expired) > 10 else ""
    print_wrapped(f"attention: lots that have EXPIRED: {names}{more}; keep them apart from what is used")


def notes_on(store: Store, receipt: Receipt, deliveries: Sequence[Delivery]) -> list[str]:
    """
    Say what to know about deliveries that were recorded.

    Args:
        store: The stock.
        receipt: Of the write.
        deliveries: What arrived.

    Returns:
        Sentences: lots that are kept apart, and counts that a late entry leaves true.
    """
    from mesoformula.cli.stock.telling import compensation_texts
    from mesoformula.stock.lots.held import held_lots
    from mesoformula.stock.views.history import movements_of

    lots = {(one.product.id, one.lot.strip(), one.location.strip()) for one in deliveries}
    others = [seq for seq in receipt.movements if seq != receipt.movement]
    kept = compensation_texts(movements_of(store, others), store.zone) if others else []
    return [*receipt.notes, *held_lots(store, lots), *kept]


def print_planned(
    store: Store,
    deliveries: Sequence[Delivery],
    as_json: bool,
    *,
    rows: Sequence[int] = (),
    extra: dict[str, Any] | None = None,
) -> None:
    """
    Tell what would be received.

    Args:
        store: The stock.
        deliveries: What arrived.
        as_json: Whether to tell it to a machine.
        rows: The row of a file that each of them stands in.
        extra: What JSON says beside.
    """
    if as_json:
        print_json(
            {
                "dry_run": True,
                "deliveries": [delivery_plain(one) for one in deliveries],
                "stock": str(store),
                **(extra or {}),
            }
        )
        return
    print_deliveries(deliveries, rows)
    print_expired(store, deliveries)
    containers = sum(one.containers for one in deliveries)
    click.echo(f"dry run: nothing was recorded; {_sum(deliveries, containers)}")


def print_received(
    store: Store,
    receipt: Receipt,
    deliveries: Sequence[Delivery],
    as_json: bool,
    *,
    rows: Sequence[int] = (),
    extra: dict[str, Any] | None = None,
) -> None:
    """
    Tell what was received.

    Args:
        store: The stock.
        receipt: Of the write.
        deliveries: What arrived.
        as_json: Whether to tell it to a machine.
        rows: The row of a file that each of them stands in.
        extra: What JSON says beside.
    """
    if as_json:
        print_json(
            {
                "movement": receipt.movement,
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "deliveries": [delivery_plain(one) for one in deliveries],
                "notes": notes_on(store, receipt, deliveries),
                "stock": str(store),
                **(extra or {}),
            }
        )
        return
    if receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
    else:
        print_deliveries(deliveries, rows)
        print_expired(store, deliveries)
        containers = sum(one.containers for one in deliveries)
        click.echo(f"movement {receipt.movement}: received {_sum(deliveries, containers)}")
    for note in notes_on(store, receipt, deliveries):
        print_wrapped(f"note: {note}")
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {receipt.anchor}")


def _sum(deliveries: Sequence[Delivery], containers: int) -> str:
    lots = len({(one.product.pinned_id, one.lot) for one in deliveries})
    return f"{counted(containers, 'container')} of {counted(lots, 'lot')}"
