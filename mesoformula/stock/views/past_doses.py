"""What earlier sessions of one reference injected, for limits that count over a period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesoformula.clock import site_day
from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.sessions import PastDose
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import in_millionths
from mesoformula.stock.ledger.orders import check_reference
from mesoformula.stock.opened.beyond_use import opened_volume
from mesoformula.stock.views.traces import Went
from mesoformula.stock.views.tracing import trace_session
from mesoformula.units import quantity

if TYPE_CHECKING:
    from mesoformula.units import Quantity


def past_doses(store: Store, reference: str) -> tuple[PastDose, ...] | None:
    """
    Read what was injected under a reference, as far as the stock knows: its upper end.

    Of whole containers all that they hold counts, and of a mixture all that was drawn counts for every
    product in it. What was taken back was not injected.

    Args:
        store: The stock.
        reference: Of the sessions.

    Returns:
        Volumes of products by day at the site; empty if nothing was recorded for the reference. None if there
        is no stock to know it, or something was used whose volume nobody knows, so that no sum can be told.

    Raises:
        OrderError: If it is no reference.
        StockError: If the store cannot be read.
    """
    problems: list[Problem] = []
    checked = check_reference(problems, reference)
    if problems or checked is None:
        raise OrderError(problems)
    with store.reading() as connection:
        if connection is None:
            return None
    try:
        trace = trace_session(store, checked)
    except OrderError:
        return ()  # nothing was recorded for it
    products = {one.product.pinned_id: one.product for one in trace.lots}
    found = []
    for went in trace.went:
        if went.reversed_by is not None:
            continue
        volume = _volume(went, products[went.product])
        if volume is None:
            return None
        found.append(PastDose(products[went.product], volume, site_day(went.at, store.zone)))
    return tuple(found)


def _volume(went: Went, product: Product) -> Quantity | None:
    if went.nanolitres is not None and not went.containers:
        return quantity(in_millionths(abs(went.nanolitres)), "mL")
    each = opened_volume(product) if went.containers else None
    return each * went.containers if each is not None else None
