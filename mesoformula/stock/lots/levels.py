"""The least number of containers to keep of a product, and which products are below it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from mesoformula.errors import OrderError, Problem
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import Below, Usable, below, usable
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.orders import check_order, check_product, containers_objections
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.words import nearest, shown

__all__ = ["MINIMUM", "Below", "Usable", "below", "clear_level", "set_level", "usable"]

#: The fact that is held of a product.
MINIMUM = "minimum"


def set_level(
    store: Store, product: str, least: int, *, order: Order, known: Collection[str] = ()
) -> Receipt:
    """
    Set the least number of containers to keep of a product.

    Args:
        store: The stock; made if it does not exist yet.
        product: Its id, `vendor/sku`; whatever its revision.
        least: How many (of a kit: kits).
        order: Who asks, when and why.
        known: Ids that the catalogues know, besides those that the ledger holds.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If nobody knows the product, it is what is set already, or anything else stands against
            it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    problems.extend(Problem(code, text) for code, text in containers_objections(least))
    product = check_product(problems, product)
    if not problems and product not in known:
        problems.extend(_unknown(store, product, known))
    if problems:
        raise OrderError(problems)

    def work(posting: Posting) -> None:
        old = _level(posting.connection, product)
        if old == str(least):
            raise OrderError([Problem("unchanged", f"the least stock of {product} is {least} already")])
        _post(posting, product, old, str(least))

    return carry_out(store, order, {"kind": "level", "product": product, "least": least}, work)


def clear_level(store: Store, product: str, *, order: Order) -> Receipt:
    """
    Set no least number of containers for a product any more.

    Args:
        store: The stock.
        product: Its id, `vendor/sku`.
        order: Who asks, when and why.

    Returns:
        The movement, with the anchor to keep.

    Raises:
        OrderError: If none is set, or anything else stands against it; nothing is written.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    product = check_product(problems, product)
    with store.reading() as connection:
        if connection is None:
            problems.append(Problem("product", f"no least stock is set of {shown(product)}"))
    if problems:
        raise OrderError(problems)

    def work(posting: Posting) -> None:
        old = _level(posting.connection, product)
        if old is None:
            raise OrderError([Problem("product", f"no least stock is set of {shown(product)}")])
        _post(posting, product, old, None)

    return carry_out(store, order, {"kind": "level", "product": product}, work)


def _post(posting: Posting, product: str, old: str | None, new: str | None) -> None:
    if posting.late:
        raise OrderError([Problem("at", "a least stock counts from now on; leave out the moment")])
    posting.post(MovementKind.SETTING, [Entry(subject=product, fact=MINIMUM, old=old, new=new)])


def _level(connection: Connection, product: str) -> str | None:
    table = schema.standing
    found = connection.execute(
        select(table.c.value).where(table.c.fact == MINIMUM, table.c.subject == product)
    ).scalar_one_or_none()
    return None if found is None else str(found)


def _unknown(store: Store, product: str, known: Collection[str]) -> list[Problem]:
    """Refuse a product that neither the catalogues nor the ledger know."""
    table = schema.lot
    with store.reading() as connection:
        held: list[str] = []
        if connection is not None:
            held = [str(one) for one in connection.execute(select(table.c.product_id).distinct()).scalars()]
    if product in held:
        return []
    close = nearest(product, sorted({*known, *held}))
    hint = f"did you mean {' or '.join(close)}?" if close else "expected vendor/sku, such as acme/c-500"
    return [Problem("product", f"no product {shown(product)} is in the catalogues or the stock; {hint}")]
