"""What is there, told to machines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mesoformula.cli.stock.telling import money_plain
from mesoformula.cli.stock.traces import opened_plain
from mesoformula.cli.stock.valuing import sum_plain
from mesoformula.encoding import to_plain
from mesoformula.presentation import container_text, storage_text
from mesoformula.sessions import Amount, AmountKind
from mesoformula.stock.figures import (
    days_left,
    states_mass,
    states_volume,
    supplied_mass,
    supplied_volume,
)
from mesoformula.stock.views.worth import total, value_of

if TYPE_CHECKING:
    from mesoformula.stock.lots.levels import Below
    from mesoformula.stock.records import OnHand, Opened, StockView
    from mesoformula.units import Quantity


def list_plain(
    view: StockView,
    found: Sequence[OnHand],
    opened: Sequence[Opened],
    short: Sequence[Below],
    past: Collection[int],
) -> dict[str, Any]:
    """
    Bring a list of the stock to plain data for JSON.

    Args:
        view: What was read.
        found: What of it is listed.
        opened: Opened containers and mixtures that are listed.
        short: Products below their least stock.
        past: Numbers of opened containers that must be gone.

    Returns:
        All of it.
    """
    return {
        "as_of": view.as_of.isoformat(),
        "made_at": view.made_at.isoformat(),
        "stock": view.store,
        "anchor": str(view.anchor) if view.anchor is not None else None,
        "on_hand": [_plain(entry, view) for entry in found],
        "opened": [{**opened_plain(one), "past": one.id in past} for one in opened],
        "below": [{"product": one.product, "usable": one.there, "least": one.minimum} for one in short],
        "totals": _totals(found),
    }


def _plain(entry: OnHand, view: StockView) -> dict[str, Any]:
    product = entry.product
    return {
        "product": product.pinned_id,
        "name": product.name,
        "vendor": product.vendor.name,
        "container": container_text(product),
        "lot": entry.lot,
        "location": entry.location,
        "containers": entry.containers,
        "reserved": entry.reserved,
        "quarantined": entry.quarantined,
        "recalled": entry.recalled,
        "volume": to_plain(_all(supplied_volume(product), entry)),
        "mass": to_plain(_all(supplied_mass(product), entry)),
        "expiry": entry.expiry.isoformat() if entry.expiry is not None else None,
        "days_left": days_left(entry.expiry, view.as_of),
        "storage": storage_text(product.storage),
        "received_at": entry.received_at.isoformat(),
        "supplier": entry.supplier,
        "unit_cost": money_plain(entry.unit_cost, entry.currency),
        "cost_range": [money_plain(one, entry.currency) for one in entry.cost_range or ()] or None,
        "partly_priced": entry.partly_priced,
        "value": money_plain(
            entry.unit_cost * entry.containers if entry.unit_cost is not None else None, entry.currency
        ),
        "assay": _assay(entry),
        "remark": entry.remark,
    }


def _assay(entry: OnHand) -> dict[str, str] | None:
    one = entry.assay
    if one is None:
        return None
    plain = {
        "substance": one.substance,
        "percent": one.percent,
        "basis": one.basis,
        "water": one.water,
        "moiety": one.moiety,
    }
    return {name: text for name, text in plain.items() if text is not None}


def _all(each: Quantity | None, entry: OnHand) -> Quantity | None:
    return None if each is None else each * entry.containers


def _totals(found: Sequence[OnHand]) -> dict[str, Any]:
    """Add up what is known; what leaves something out says so by its kind, as every amount does."""
    volumes = [(_all(supplied_volume(one.product), one), states_volume(one.product)) for one in found]
    masses = [(_all(supplied_mass(one.product), one), states_mass(one.product)) for one in found]
    return {
        "containers": sum(one.containers for one in found),
        "volume": to_plain(_total(volumes, "mL")),
        "mass": to_plain(_total(masses, "mg")),
        "value": [sum_plain(one) for one in total(value_of(found))],
    }


def _total(parts: Sequence[tuple[Quantity | None, bool]], unit: str) -> Amount | None:
    from mesoformula.units import magnitude, quantity

    known = [magnitude(part, unit) for part, _all_of_it in parts if part is not None]
    if not known:
        return None
    added = quantity(sum(known, Decimal(0)), unit)
    if all(all_of_it for _part, all_of_it in parts):
        return Amount(AmountKind.STATED, added, added)
    return Amount(AmountKind.AT_LEAST, added)
