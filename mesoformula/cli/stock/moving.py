"""`mesoformula stock waste`, `return`, `move`, `adjust` and `reverse`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.options import QuantityType, Type, WholeType, example, option_name
from mesoformula.cli.stock.common import write, write_options
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.stock.records import Order
    from mesoformula.units import Quantity

_MOST = 1_000_000
_LARGEST_NUMBER = 10**18

_containers = click.option("--containers", type=WholeType(1, _MOST), metavar="N", help="How many whole ones.")
_from = click.option("--location", metavar="PLACE", help="Where; needed if the lot is in several places.")
_opened = click.option(
    "--opened",
    type=WholeType(1, _LARGEST_NUMBER),
    metavar="N",
    help="The number of an opened container or a mixture, instead of a product and a lot.",
)


class ChangeType(Type):
    """A signed number of containers on the command line."""

    name = "change"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read `-1` or `+2`."""
        if isinstance(value, int):
            return value
        # Where a sign is forgotten nobody knows which way it was meant.
        match = re.fullmatch(r"([-+\N{MINUS SIGN}])([0-9]{1,7})", value.strip())
        if match is None or not 1 <= int(match[2]) <= _MOST:
            raise click.UsageError(
                f"{option_name(param)}{shown(value)}: expected a whole number with its sign, such as -1",
                ctx,
            )
        return int(match[2]) if match[1] == "+" else -int(match[2])


def one_of(product: str | None, lot: str | None, opened: int | None) -> None:
    """
    Refuse a command that names neither a lot nor an opened container, or both.

    Args:
        product: As given.
        lot: As given.
        opened: As given.
    """
    if (product is None) == (opened is None) or (product is not None and lot is None):
        raise click.UsageError(
            "what? expected a product and its lot, such as fillmed/nctf-135ha 4711, or --opened N"
        )


@click.command(
    "waste",
    epilog=example("mesoformula stock waste fillmed/nctf-135ha 4711", "--containers 1 --reason 'dropped'"),
)
@click.argument("product", metavar="[ID LOT]", required=False)
@click.argument("lot", metavar="", required=False)
@_containers
@_opened
@click.option(
    "--volume", type=QuantityType("volume"), metavar="VOLUME", help="Of it, if not all that is left."
)
@click.option(
    "--mass", type=QuantityType("mass"), metavar="MASS", help="The same, if it is measured by mass."
)
@_from
@write_options
def waste(
    product: str | None,
    lot: str | None,
    containers: int | None,
    opened: int | None,
    volume: Quantity | None,
    mass: Quantity | None,
    location: str | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Record what was thrown away: whole containers of a lot, or what is left of an opened one.

    Expired, quarantined and recalled stock may be thrown away too. A reason is needed.
    """
    from mesoformula.stock.moves import moving, moving_opened

    one_of(product, lot, opened)
    if opened is not None:
        if containers is not None or location is not None:
            raise click.UsageError("--containers and --location are of a lot, and --opened names a container")
        number = opened
        return write(
            stock,
            as_json,
            lambda _app, store: moving_opened.waste_opened(
                store, number, volume=volume, mass=mass, order=order
            ),
        )
    if volume is not None or mass is not None:
        raise click.UsageError("--volume and --mass are of an opened container; name it with --opened")
    many = how_many(containers)
    return write(
        stock,
        as_json,
        lambda _app, store: moving.waste(
            store, product or "", lot or "", many, location=location, order=order
        ),
    )


@click.command(
    "return",
    epilog=example(
        "mesoformula stock return fillmed/nctf-135ha 4711",
        "--containers 2 --reason 'damaged in transport'",
    ),
)
@click.argument("product", metavar="ID")
@click.argument("lot", metavar="LOT")
@_containers
@_from
@click.option("--supplier", metavar="NAME", help="Who gets it, if not who delivered it.")
@write_options
def return_stock(
    product: str,
    lot: str,
    containers: int | None,
    location: str | None,
    supplier: str | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """Record whole containers that went back to their supplier. A reason is needed."""
    from mesoformula.stock.moves import moving

    many = how_many(containers)
    return write(
        stock,
        as_json,
        lambda _app, store: moving.return_stock(
            store, product, lot, many, location=location, supplier=supplier, order=order
        ),
    )


@click.command(
    "move",
    epilog=example("mesoformula stock move fillmed/nctf-135ha 4711", "--containers 2 --to 'room 2'"),
)
@click.argument("product", metavar="[ID LOT]", required=False)
@click.argument("lot", metavar="", required=False)
@_containers
@_opened
@_from
@click.option("--to", required=True, metavar="PLACE", help="Where it is now.")
@write_options
def move(
    product: str | None,
    lot: str | None,
    containers: int | None,
    opened: int | None,
    location: str | None,
    to: str,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Move containers of a lot, or an opened container, from one place to another.

    What is quarantined in the one place stays so in the other.
    """
    from mesoformula.stock.moves import moving, moving_opened

    one_of(product, lot, opened)
    if opened is not None:
        if containers is not None or location is not None:
            raise click.UsageError("--containers and --location are of a lot, and --opened names a container")
        number = opened
        return write(
            stock,
            as_json,
            lambda _app, store: moving_opened.move_opened(store, number, to=to, order=order),
        )
    many = how_many(containers)
    return write(
        stock,
        as_json,
        lambda _app, store: moving.move(
            store, product or "", lot or "", many, to=to, location=location, order=order
        ),
    )


@click.command(
    "adjust",
    epilog=example(
        "mesoformula stock adjust fillmed/nctf-135ha 4711", "--change -1 --reason 'found broken in its box'"
    ),
)
@click.argument("product", metavar="ID")
@click.argument("lot", metavar="LOT")
@click.option("--change", type=ChangeType(), required=True, metavar="N", help="With its sign: -1 or +2.")
@_from
@write_options
def adjust(
    product: str,
    lot: str,
    change: int,
    location: str | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Correct a number of containers that is known to be wrong. A reason is needed.

    A whole shelf is corrected by counting it: mesoformula stock count. A movement that should not be there
    is taken back: mesoformula stock reverse.
    """
    from mesoformula.stock.moves import moving

    return write(
        stock,
        as_json,
        lambda _app, store: moving.adjust(store, product, lot, change, location=location, order=order),
    )


@click.command("reverse", epilog=example("mesoformula stock reverse 2 --reason 'wrong lot'"))
@click.argument("movement", metavar="MOVEMENT", type=WholeType(1, _LARGEST_NUMBER))
@write_options
def reverse(movement: int, order: Order, stock: str | None, as_json: bool) -> int:
    """
    Take back a movement that should not be there; MOVEMENT is its number. A reason is needed.

    Nothing is rewritten: a reversal says the opposite, at the moment of what it takes back. What a count
    found stays true. Receipts, openings, mixtures, uses, wastes, returns, moves and adjustments can be taken
    back; of anything else the answer says what to do instead.
    """
    from mesoformula.stock.moves import reversing

    return write(stock, as_json, lambda _app, store: reversing.reverse(store, movement, order=order))


def how_many(containers: int | None) -> int:
    """
    Refuse a command that leaves open how many containers it is about.

    Args:
        containers: As given.

    Returns:
        How many.
    """
    if containers is None:
        raise click.UsageError("how many? expected --containers, such as 2")
    return containers
