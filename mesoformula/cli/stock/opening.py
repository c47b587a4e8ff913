"""`mesoformula stock open` and `mesoformula stock mix`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.options import QuantityType, Type, WholeType, example, option_name
from mesoformula.cli.stock.common import settings_of, write, write_options
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.opened.mixing import Input
    from mesoformula.stock.records import Order, Receipt
    from mesoformula.units import Quantity

_OPENED = re.compile(r"opened:\s*(\d{1,18})(?:\s*=\s*(.+))?")
_WHOLE = re.compile(r"([^:]+):(.+)=\s*(\d{1,7})(?:\s*@\s*(.+))?")


class InputType(Type):
    """What goes into a mixture: containers of a lot, or some of an opened container."""

    name = "input"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `VENDOR/SKU:LOT=1`, `VENDOR/SKU:LOT=1@PLACE`, `opened:12=2 mL` or `opened:12`."""
        from mesoformula.stock.opened.mixing import Drawn, Whole

        if not isinstance(value, str):
            return value
        text = value.strip()
        if opened := _OPENED.fullmatch(text):
            volume = opened[2]
            amount = QuantityType("volume").convert(volume, param, ctx) if volume is not None else None
            return Drawn(int(opened[1]), amount)
        whole = _WHOLE.fullmatch(text)
        if whole is None or "/" not in whole[1] or not int(whole[3]):
            raise click.UsageError(
                f"{option_name(param)}{shown(value)}: expected containers of a lot, such as "
                "'acme/c-500:4711=1', or some of an opened container, such as 'opened:12=2 mL'",
                ctx,
            )
        return Whole(whole[1], whole[2], int(whole[3]), whole[4])


@click.command(
    "open",
    epilog=example("mesoformula stock open fillmed/nctf-135ha 4711"),
)
@click.argument("product", metavar="ID")
@click.argument("lot", metavar="LOT")
@click.option(
    "--containers",
    type=WholeType(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="How many; each gets a number.",
)
@click.option(
    "--location", metavar="PLACE", help="Where it is taken; may be left out if the lot is in one place only."
)
@click.option("--prepared", is_flag=True, help="It was dissolved or mixed; a powder always is.")
@click.option("--reference", metavar="REF", help="The session that it is opened for.")
@click.option("--serial", metavar="TEXT", help="Serial number of the pack it is from.")
@click.option(
    "--deviation", metavar="WHY", help="It has happened although it should not: the reason, recorded with it."
)
@write_options
def open_container(
    product: str,
    lot: str,
    containers: int,
    location: str | None,
    prepared: bool,
    reference: str | None,
    serial: str | None,
    deviation: str | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Open a container: from now on its beyond-use clock runs.

    It gets a number, under which the stock keeps what is left in it. How long it may be kept is decided by
    its maker's in-use period, else by the rules of the catalogues, and never goes past the expiry of its lot;
    the rule that governs is named with its source. Opened earlier? Say when with --at.
    """

    def work(app: App, store: Store) -> Receipt:
        from mesoformula.stock.opened import openings

        return openings.open_container(
            store,
            product,
            lot,
            rules=app.formulary.beyond_use_rules(),
            order=order,
            location=location,
            containers=containers,
            prepared=prepared,
            reference=reference,
            serial=serial,
            deviation=deviation,
        )

    return write(stock, as_json, work)


@click.command(
    "mix",
    epilog=example(
        "mesoformula stock mix 'cocktail 3' --from 'fillmed/nctf-135ha:4711=1'",
        "--from 'opened:12=2 mL' --volume '5 mL'",
    ),
)
@click.argument("name", metavar="NAME")
@click.option(
    "--from",
    "inputs",
    type=InputType(),
    multiple=True,
    required=True,
    metavar="WHAT",
    help="'ID:LOT=N', 'ID:LOT=N@PLACE', 'opened:N=2 mL', or 'opened:N' for all that is left; repeat it.",
)
@click.option("--volume", type=QuantityType("volume"), metavar="VOLUME", help="How much it made, if known.")
@click.option(
    "--keep",
    type=QuantityType("time"),
    metavar="TIME",
    help="For how long somebody states that it keeps; name who with --reason. Else: this session only.",
)
@click.option("--location", metavar="PLACE", help="Where the mixture is; else the site's default place.")
@click.option("--reference", metavar="REF", help="The session that it is made for.")
@click.option(
    "--deviation", metavar="WHY", help="It has happened although it should not: the reason, recorded with it."
)
@write_options
def mix(
    name: str,
    inputs: tuple[Input, ...],
    volume: Quantity | None,
    keep: Quantity | None,
    location: str | None,
    reference: str | None,
    deviation: str | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Record a mixture made from containers; it never keeps longer than anything in it.

    It gets a number like an opened container, from which sessions draw: stock use --opened N.
    """

    def work(app: App, store: Store) -> Receipt:
        from mesoformula.stock.opened import mixing

        settings = settings_of()
        return mixing.mix(
            store,
            name,
            inputs,
            rules=app.formulary.beyond_use_rules(),
            location=location or settings.location,
            order=order,
            volume=volume,
            keep=keep,
            reference=reference,
            sharing=app.formulary.sharing_rules(),
            share=settings.share_multi_dose,
            deviation=deviation,
        )

    return write(stock, as_json, work)
