"""`mesoformula stock quarantine` and `recall`."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, print_wrapped, report_problems
from mesoformula.cli.options import WholeType, example
from mesoformula.cli.stock.common import MomentType, open_store, print_receipt, write, write_options

if TYPE_CHECKING:
    from mesoformula.stock.records import Order


@click.command(
    "quarantine",
    epilog=example("mesoformula stock quarantine fillmed/nctf-135ha 4711", "--reason 'box was torn open'"),
)
@click.argument("product", metavar="[ID LOT]", required=False)
@click.argument("lot", metavar="", required=False)
@click.option("--location", metavar="PLACE", help="In this place only; of an excursion: where it was.")
@click.option(
    "--opened",
    type=WholeType(1, 10**18),
    metavar="N",
    help="The number of an opened container or a mixture, instead of a product and a lot.",
)
@click.option("--excursion", is_flag=True, help="All that was in a place that got too warm or too cold.")
@click.option(
    "--since", type=MomentType(), metavar="MOMENT", help="When the excursion began: follows what left since."
)
@write_options
def quarantine(
    product: str | None,
    lot: str | None,
    location: str | None,
    opened: int | None,
    excursion: bool,
    since: datetime | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Keep apart a lot, an opened container, or what an excursion touched. A reason is needed.

    What is quarantined cannot be picked, reserved or issued; it can be wasted, returned, moved and released.
    Without --location a lot is quarantined everywhere, with every revision of its product and all that is
    opened of it. With --excursion every lot and every opened container at --location is, and with --since
    what left it meanwhile: what was moved is quarantined where it is, and every session that used some of it
    is listed.
    """
    from mesoformula.stock.lots import holding

    if sum((product is not None, opened is not None, excursion)) != 1 or (product and lot is None):
        raise click.UsageError(
            "what? expected a product and its lot, such as fillmed/nctf-135ha 4711, or --opened N, or "
            "--excursion --location PLACE"
        )
    if since is not None and not excursion:
        raise click.UsageError("--since is of an excursion; say since when anything else holds with --at")
    if opened is not None:
        if location is not None:
            raise click.UsageError("an opened container is quarantined wherever it is; leave out --location")
        number = opened
        return write(
            stock, as_json, lambda _app, store: holding.quarantine_opened(store, number, order=order)
        )
    if excursion:
        if location is None:
            raise click.UsageError("where was it? expected --location, such as fridge")
        place = location
        return write(
            stock,
            as_json,
            lambda _app, store: holding.quarantine_excursion(store, place, since=since, order=order),
        )
    return write(
        stock,
        as_json,
        lambda _app, store: holding.quarantine(
            store, product or "", lot or "", location=location, order=order
        ),
    )


@click.command(
    "recall",
    epilog=example("mesoformula stock recall fillmed/nctf-135ha 4711", "--reason 'letter of the maker'"),
)
@click.argument("product", metavar="ID")
@click.argument("lot", metavar="LOT")
@write_options
def recall(product: str, lot: str, order: Order, stock: str | None, as_json: bool) -> int:
    """
    Block a recalled lot everywhere, and list every session it went to.

    What is left cannot be picked, reserved or issued any more, nor anything that was opened of it or mixed
    with it. Sessions are listed by reference, day and quantity, also through opened containers and mixtures.
    A lot that is recalled already is listed again.
    """
    from mesoformula.cli.stock.history import print_trace
    from mesoformula.cli.stock.traces import trace_plain
    from mesoformula.stock.lots.holding import recall_lot
    from mesoformula.stock.views.tracing import trace_lot

    app = app_of()
    with closing(open_store(app, stock)) as store:
        receipt = recall_lot(store, product, lot, order=order)
        trace = trace_lot(store, product, lot)
        if as_json:
            print_receipt(store, receipt, True, extra={"trace": trace_plain(trace)})
        else:
            if receipt.repeated:
                for note in receipt.notes or ("nothing changed",):
                    print_wrapped(f"{note}; nothing is recorded anew")
            else:
                print_receipt(store, receipt, False)
            click.echo("")
            print_trace(app, store, trace, False)
    report_problems(app)
    return 0
