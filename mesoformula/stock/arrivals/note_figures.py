"""How many containers a line of a delivery note means, and what one of them costs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from mesoformula.grids import Cell
from mesoformula.products import Product
from mesoformula.stock.arrivals.note_headings import COSTS, COUNTS, Field, Word, vocabulary
from mesoformula.stock.arrivals.note_lines import Line
from mesoformula.stock.arrivals.note_values import (
    WrongValueError,
    currency_in,
    in_minor_units,
    price_in,
    whole_in,
)
from mesoformula.stock.figures import in_major_units


def count_in(line: Line, product: Product | None) -> tuple[int | None, int | None]:
    """
    Read how many arrived.

    Args:
        line: What it says.
        product: That knows how many containers are in a pack; None if it could not be found.

    Returns:
        How many packs, if it is counted in packs, and how many containers; None if that cannot be told.
    """
    found = line.sound(
        lambda: (
            line.value(Field.PACKS, lambda cell: whole_in(cell, "packs")),
            line.value(Field.CONTAINERS, lambda cell: whole_in(cell, "containers")),
            line.value(Field.QUANTITY, lambda cell: whole_in(cell, "quantity")),
            line.text(Field.UNIT),
        )
    )
    if found is None:
        return None, None
    packs, containers, quantity, unit = found
    per_pack = product.containers_per_pack if product is not None else None
    where = line.at(*COUNTS)
    if packs is None and containers is None and quantity is not None:
        if vocabulary().says(Word.PACK, unit):
            packs = quantity
        elif vocabulary().says(Word.CONTAINER, unit) or per_pack == 1:
            containers = quantity
        else:
            line.ask(
                "quantity",
                f"{line.named(Field.QUANTITY)} may count packs or containers; head the column "
                "'Containers' or 'Packs', or have the unit in a column of its own",
                line.at(Field.QUANTITY),
            )
            return None, None
    if packs is None and containers is None:
        line.wrong("containers", "how many is missing; expected a whole number such as 5", where)
    if packs is None:
        return None, containers
    if product is None:
        return packs, containers
    if per_pack is None:
        if containers is None:
            line.wrong(
                "packs",
                f"how many containers a pack of {product.id} holds is not stated; count the containers",
                where,
            )
        return packs, containers
    if containers is not None and containers != packs * per_pack:
        line.wrong(
            "containers",
            f"{packs} packs of {per_pack} are {packs * per_pack} containers, and this line says "
            f"{containers}; correct one",
            where,
        )
    return packs, packs * per_pack


def cost_in(
    line: Line,
    product: Product | None,
    packs: int | None,
    *,
    usual: str | None = None,
    decimal_comma: bool = False,
) -> tuple[int | None, str | None]:
    """
    Read what one container costs.

    Args:
        line: What it says.
        product: That knows how many containers are in a pack; None if it could not be found.
        packs: How many packs arrived, if it is counted in packs.
        usual: The currency of a price that does not say its own.
        decimal_comma: Whether `12,50` is twelve and a half.

    Returns:
        The cost in minor units and the currency; None for both if none is given, or it cannot be told.
    """
    found = line.sound(
        lambda: (
            {
                field: line.value(field, lambda cell: price_in(cell, decimal_comma=decimal_comma))
                for field in COSTS
            },
            line.value(Field.CURRENCY, currency_in),
        )
    )
    if found is None:
        return None, None
    priced, stated = found
    prices = {field: price for field, price in priced.items() if price is not None}
    if not prices:
        return None, None
    field, (amount, currency) = next(iter(prices.items()))
    where = line.at(field)
    names = {one for one in (currency, stated) if one is not None}
    name = min(names, default=usual)
    per_pack = product.containers_per_pack if product is not None else None
    if len(prices) > 1:
        line.wrong("cost", "more than one price; leave one", where)
    elif len(names) > 1:
        line.wrong("currency", f"{' and '.join(sorted(names))} in one line; correct one", where)
    elif name is None:
        line.wrong("currency", f"{amount} has no currency; write such as '{amount} EUR'", where)
    elif field is Field.COST and packs is not None and product is not None and per_pack != 1:
        line.ask(
            "cost",
            f"{line.named(field)} may be of a pack or of a container; say which the column is",
            where,
        )
    elif field is Field.PACK_COST and product is not None and per_pack is None:
        line.wrong(
            "cost",
            f"how many containers a pack of {product.id} holds is not stated; give the price of one",
            where,
        )
    else:
        try:
            minor = in_minor_units(amount, name)
        except WrongValueError as err:
            line.wrong(err.code, f"{line.named(field)}: {err.message}", where)
            return None, None
        if field is Field.PACK_COST and per_pack is not None:
            minor = _shared(line, where, minor, per_pack, name)
        return minor, name
    return None, None


def _shared(line: Line, where: Cell, minor: int, per_pack: int, currency: str) -> int:
    """Share the price of a pack among its containers, half up, and say so if it does not go in."""
    each = int((Decimal(minor) / per_pack).to_integral_value(ROUND_HALF_UP))
    if each * per_pack != minor:
        line.look(
            "cost",
            f"{in_major_units(minor, currency)} {currency} cannot be shared among {per_pack} containers to "
            f"the last unit: {in_major_units(each, currency)} {currency} is recorded for each",
            where,
        )
    return each
