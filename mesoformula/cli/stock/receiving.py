"""`mesoformula stock receive`."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime

import click

from mesoformula.cli.common import app_of, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import CostType, ExpiryType, MomentType, actor, open_store
from mesoformula.cli.stock.telling import containers_text


@click.command(
    "receive",
    epilog=example(
        "mesoformula stock receive fillmed/nctf-135ha", "--lot 4711 --containers 5 --expiry 05/2028"
    ),
)
@click.argument("product", metavar="ID")
@click.option("--lot", required=True, metavar="LOT", help="The maker's lot number, as printed.")
@click.option("--containers", type=WholeType(1, 1_000_000), metavar="N", help="How many (of a kit: kits).")
@click.option("--packs", type=WholeType(1, 100_000), metavar="N", help="How many packs, instead.")
@click.option("--expiry", type=ExpiryType(), metavar="DAY", help="2027-05-31; 05/2027 means its last day.")
@click.option("--no-expiry", is_flag=True, help="None is printed.")
@click.option("--location", default="main", show_default=True, metavar="PLACE", help="Where it is put.")
@click.option("--supplier", metavar="NAME", help="Who delivered it.")
@click.option("--cost", type=CostType(), metavar="PRICE", help="Of one container, such as '12.50 EUR'.")
@click.option("--received", type=MomentType(), metavar="MOMENT", help="When, if not now.")
@click.option("--by", envvar="MESOFORMULA_ACTOR", metavar="NAME", help="Who records it; else your user name.")
@click.option("--remark", metavar="TEXT", help="Kept apart from the ledger, and erasable.")
@click.option("--request-id", metavar="ID", help="The same id again changes nothing.")
@stock_option
@json_option
def receive_stock(
    product: str,
    lot: str,
    containers: int | None,
    packs: int | None,
    expiry: date | None,
    no_expiry: bool,
    location: str,
    supplier: str | None,
    cost: tuple[int, str] | None,
    received: datetime | None,
    by: str | None,
    remark: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """Record a delivery of one lot of a product."""
    from mesoformula.stock.receiving import receive
    from mesoformula.stock.records import Delivery

    app = app_of()
    item = app.formulary.product(product)
    if (containers is None) == (packs is None):
        raise click.UsageError("how many? expected either --containers, such as 5, or --packs")
    if (expiry is None) != no_expiry:
        raise click.UsageError("expected either --expiry, such as 05/2028, or --no-expiry if none is printed")
    if packs is not None:
        if item.containers_per_pack is None:
            raise click.UsageError(
                f"how many containers a pack of {item.id} holds is not stated; count them, and give "
                "--containers"
            )
        containers = packs * item.containers_per_pack
    assert containers is not None  # noqa: S101 (one of the two is given)
    delivery = Delivery(
        product=item,
        lot=lot,
        containers=containers,
        expiry=expiry,
        location=location,
        supplier=supplier,
        unit_cost=cost[0] if cost is not None else None,
        currency=cost[1] if cost is not None else None,
        received_at=received,
        remark=remark,
    )
    with closing(open_store(app, stock)) as store:
        receipt = receive(store, [delivery], actor=by or actor(), request_id=request_id)
        where = str(store)
    if as_json:
        print_json(
            {
                "movement": receipt.movement,
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "product": item.pinned_id,
                "lot": lot.strip(),
                "containers": containers,
                "expiry": expiry.isoformat() if expiry is not None else None,
                "stock": where,
            }
        )
    elif receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
        click.echo(f"anchor {receipt.anchor}")
    else:
        print_wrapped(f"received {containers_text(item, containers)} of {item.name} ({item.pinned_id})")
        until = f"usable through {expiry}" if expiry is not None else "no expiry"
        print_wrapped(f"lot {lot.strip()}, {until}, at {location}")
        if expiry is not None and expiry < date.today():  # noqa: DTZ011 (the site's own day)
            click.echo("attention: this lot has EXPIRED; keep it apart from what is used")
        click.echo(safe(f"stock {where}"))
        click.echo(f"anchor {receipt.anchor}")
    report_problems(app)
    return 0
