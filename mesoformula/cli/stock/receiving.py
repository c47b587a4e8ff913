"""`mesoformula stock receive`."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import (
    app_of,
    counted,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
    safe,
)
from mesoformula.cli.options import WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import CostType, ExpiryType, MomentType, actor, open_store, settings_of
from mesoformula.cli.stock.receipts import notes_on, print_expired, print_planned, print_received
from mesoformula.cli.stock.telling import containers_text
from mesoformula.errors import OrderError, ReceiptError
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.products import Product
    from mesoformula.stock.arrivals.delivery_notes import Note
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Delivery, Receipt

#: What only a table can say, and what only a single delivery can.
_OF_TABLES = (
    "mapping",
    "save_mapping",
    "sheet",
    "currency",
    "day_first",
    "decimal_comma",
    "unknown_lot",
    "again",
)
_OF_ONE = ("lot", "containers", "packs", "expiry", "no_expiry", "cost", "remark", "serial", "device")


@click.command(
    "receive",
    epilog=example(
        "mesoformula stock receive fillmed/nctf-135ha", "--lot 4711 --containers 5 --expiry 05/2028"
    ),
)
@click.argument("product", metavar="[ID]", required=False)
@click.option("--lot", metavar="LOT", help="The maker's lot number, as printed.")
@click.option("--containers", type=WholeType(1, 1_000_000), metavar="N", help="How many (of a kit: kits).")
@click.option("--packs", type=WholeType(1, 100_000), metavar="N", help="How many packs, instead.")
@click.option("--expiry", type=ExpiryType(), metavar="DAY", help="2027-05-31; 05/2027 means its last day.")
@click.option("--no-expiry", is_flag=True, help="None is printed.")
@click.option("--serial", metavar="TEXT", help="Serial number of the one pack that it is.")
@click.option("--device", metavar="GTIN", help="Of the pack; else that of the catalogue.")
@click.option("--from", "note", type=click.Path(path_type=Path), metavar="FILE",
              help="A delivery note (.csv, .xlsx), all lines or none.")  # fmt: skip
@click.option("--opening", type=click.Path(path_type=Path), metavar="FILE",
              help="A list of what was there before this ledger.")  # fmt: skip
@click.option("--unknown-lot", metavar="TEXT", help="With --opening: stands for lot numbers left blank.")
@click.option("--mapping", type=click.Path(path_type=Path), metavar="FILE.toml",
              help="What the headings of the file stand for.")  # fmt: skip
@click.option("--save-mapping", type=click.Path(path_type=Path), metavar="FILE.toml",
              help="Keep what they were taken for.")  # fmt: skip
@click.option("--sheet", metavar="TITLE", help="Which sheet of the workbook.")
@click.option("--currency", metavar="CODE", help="Of prices in the file that do not say theirs.")
@click.option("--day-first", is_flag=True, help="In the file, 03/04/2028 is 3 April.")
@click.option("--decimal-comma", is_flag=True, help="In the file, 12,50 is twelve and a half.")
@click.option("--again", is_flag=True, help="Receive a file that was received before once more.")
@click.option("--dry-run", is_flag=True, help="Show what would be received, and record nothing.")
@click.option("--location", metavar="PLACE", help="Where it is put; else as set, else main.")
@click.option("--supplier", metavar="NAME", help="Who delivered it.")
@click.option("--cost", type=CostType(), metavar="PRICE", help="Of one container, such as '12.50 EUR'.")
@click.option("--received", type=MomentType(), metavar="MOMENT", help="When, if not now.")
@click.option("--by", metavar="NAME", help="Who records it; else MESOFORMULA_ACTOR, or your user name.")
@click.option("--reason", metavar="TEXT", help="Why; kept apart from the ledger, and erasable.")
@click.option("--remark", metavar="TEXT", help="On the lot; kept apart from the ledger, and erasable.")
@click.option("--request-id", metavar="ID", help="The same id again changes nothing.")
@stock_option
@json_option
def receive_stock(
    product: str | None,
    note: Path | None,
    opening: Path | None,
    by: str | None,
    reason: str | None,
    request_id: str | None,
    received: datetime | None,
    location: str | None,
    dry_run: bool,
    stock: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """
    Record a delivery of one lot, a delivery note, or what was there before the ledger.

    A delivery note or an opening list is read from a table: its headings tell the columns, and everything
    that is wrong with it is said at once, row by row. The same file twice changes nothing. A pack is counted
    by its containers: a box of 2 syringes is 2 containers.
    """
    app = app_of()
    location = location if location is not None else settings_of().location
    who: dict[str, Any] = {"actor": by or actor(), "request_id": request_id, "reason": reason}
    path = note or opening
    _fitting(product, note, opening, given)
    if path is not None:
        table = _note(app, path, location, given, opening=opening is not None)
        deliveries = [attrs.evolve(one, received_at=received) for one in table.deliveries]
        table = attrs.evolve(table, deliveries=tuple(deliveries))
        _receive_table(
            app,
            table,
            stock,
            as_json,
            who,
            dry_run=dry_run,
            opening=opening is not None,
            again=given["again"],
        )
    else:
        delivery, packs = _delivery(app, str(product), location, received, given)
        _receive_one(app, delivery, packs, stock, as_json, who, dry_run=dry_run)
    report_problems(app)
    return 0


def _fitting(product: str | None, note: Path | None, opening: Path | None, given: dict[str, Any]) -> None:
    """Refuse options that do not fit what is received."""
    if note is not None and opening is not None:
        raise click.UsageError("expected either --from or --opening: a file is a delivery, or what was there")
    if note is None and opening is None:
        if product is None:
            raise click.UsageError(
                "what is received? expected a product's id with --lot, or a file with --from or --opening"
            )
        _refuse(_OF_TABLES, given, "is of a file; expected with --from or --opening")
        if given["lot"] is None:
            raise click.UsageError("which lot? expected --lot LOT, as printed")
        return
    if product is not None:
        raise click.UsageError(f"{shown(product)}: products stand in the file; leave it out")
    _refuse(_OF_ONE, given, "is of a single delivery; it stands in the file")
    if given["unknown_lot"] is not None and opening is None:
        raise click.UsageError("--unknown-lot is of an opening list: the lot of what arrives can be read")


def _refuse(names: tuple[str, ...], given: dict[str, Any], why: str) -> None:
    for name in names:
        if given[name] not in (None, False):
            raise click.UsageError(f"--{name.replace('_', '-')} {why}")


# ---- one delivery --------------------------------------------------------------------------------------


def _delivery(
    app: App, product: str, location: str, received: datetime | None, given: dict[str, Any]
) -> tuple[Delivery, int | None]:
    """Put together a delivery of one lot, and say how many packs it was counted in."""
    from mesoformula.stock.records import Delivery

    item = app.formulary.product(product)
    containers, packs, expiry = given["containers"], given["packs"], given["expiry"]
    if (containers is None) == (packs is None):
        raise click.UsageError("how many? expected either --containers, such as 5, or --packs")
    if (expiry is None) != given["no_expiry"]:
        raise click.UsageError("expected either --expiry, such as 05/2028, or --no-expiry if none is printed")
    if packs is not None:
        if item.containers_per_pack is None:
            raise click.UsageError(
                f"how many containers a pack of {item.id} holds is not stated; count them, and give "
                "--containers"
            )
        containers = packs * item.containers_per_pack
    device = _device(item, given["device"], given["serial"], packs)
    cost = given["cost"]
    delivery = Delivery(
        product=item,
        lot=given["lot"],
        containers=containers,
        expiry=expiry,
        location=location,
        supplier=given["supplier"],
        unit_cost=cost[0] if cost is not None else None,
        currency=cost[1] if cost is not None else None,
        received_at=received,
        remark=given["remark"],
        device=device,
        serial=given["serial"],
    )
    return delivery, packs


def _device(item: Product, device: str | None, serial: str | None, packs: int | None) -> str | None:
    """Find the GTIN of the pack, without which a serial number is not unique."""
    from mesoformula.stock.arrivals.gtins import read_gtin

    if serial is not None and packs is not None and packs > 1:
        raise click.UsageError(f"--serial is of one pack, not of {packs}; receive them one by one")
    if device is not None:
        try:
            return read_gtin(device)
        except OrderError as err:
            raise click.UsageError(f"--device: {err.problems[0].message}") from None
    if serial is None:
        return None
    if item.gtin is None:
        raise click.UsageError(
            f"--serial is unique only with the GTIN of the pack, which the catalogue does not state for "
            f"{item.id}; give --device GTIN"
        )
    return item.gtin.zfill(14)


def _receive_one(
    app: App,
    delivery: Delivery,
    packs: int | None,
    stock: str | None,
    as_json: bool,
    who: dict[str, Any],
    *,
    dry_run: bool,
) -> None:
    from mesoformula.stock.arrivals.receiving import receive

    with closing(open_store(app, stock)) as store:
        if dry_run:
            print_planned(store, [delivery], as_json)
            return
        receipt = receive(store, [delivery], **who)
        item, lot = delivery.product, delivery.lot.strip()
        if as_json:
            print_json(
                {
                    "movement": receipt.movement,
                    "anchor": str(receipt.anchor),
                    "repeated": receipt.repeated,
                    "product": item.pinned_id,
                    "lot": lot,
                    "containers": delivery.containers,
                    "expiry": delivery.expiry.isoformat() if delivery.expiry is not None else None,
                    "location": delivery.location,
                    "device": delivery.device,
                    "serial": delivery.serial,
                    "notes": notes_on(store, receipt, [delivery]),
                    "stock": str(store),
                }
            )
            return
        if receipt.repeated:
            click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
        else:
            per_pack = (
                f" ({counted(packs, 'pack')} of {item.containers_per_pack})" if packs is not None else ""
            )
            print_wrapped(
                f"received {containers_text(item, delivery.containers)}{per_pack} of {item.name} "
                f"({item.pinned_id})"
            )
            expiry = delivery.expiry
            until = f"usable through {expiry}" if expiry is not None else "no expiry"
            pack = f", pack {delivery.serial}" if delivery.serial is not None else ""
            print_wrapped(f"lot {lot}, {until}, at {delivery.location}{pack}")
            print_expired(store, [delivery])
            click.echo(f"movement {receipt.movement}")
        for text in notes_on(store, receipt, [delivery]):
            print_wrapped(f"note: {text}")
        click.echo(safe(f"stock {store}"))
        click.echo(f"anchor {receipt.anchor}")


# ---- tables --------------------------------------------------------------------------------------------


def _note(app: App, path: Path, location: str, given: dict[str, Any], *, opening: bool) -> Note:
    """Read a table, and keep what its headings were taken for."""
    from mesoformula.grids import chosen
    from mesoformula.stock.arrivals.delivery_notes import read_mapping, read_note, write_mapping

    kept = given["save_mapping"]
    if kept is not None:
        if kept.exists():
            raise click.UsageError(f"{safe(kept)} is there already; choose another name")
        if not kept.absolute().parent.is_dir():
            raise click.UsageError(f"{safe(kept.parent)} is no folder; make it first")
    mapping = read_mapping(given["mapping"]) if given["mapping"] is not None else None
    note = read_note(
        chosen(app.read_grids(path), path, given["sheet"]),
        app.formulary,
        mapping=mapping,
        opening=opening,
        unknown_lot=given["unknown_lot"],
        location=location,
        supplier=given["supplier"],
        currency=given["currency"],
        day_first=given["day_first"],
        decimal_comma=given["decimal_comma"],
    )
    if kept is not None:
        write_mapping(kept, {heading: str(field) for heading, field in note.mapping.items()})
    return note


def _receive_table(
    app: App,
    note: Note,
    stock: str | None,
    as_json: bool,
    who: dict[str, Any],
    *,
    dry_run: bool,
    opening: bool,
    again: bool,
) -> None:
    from mesoformula.stock.arrivals.note_requests import request_of
    from mesoformula.stock.arrivals.receiving import receive
    from mesoformula.stock.ledger.requests import recorded

    extra: dict[str, Any] = {
        "mapping": {heading: str(field) for heading, field in note.mapping.items()},
        "rows": list(note.rows),
        "skipped": note.skipped,
        "hidden_rows": note.hidden,
        "attention": [str(problem) for problem in note.attention],
    }
    with closing(open_store(app, stock)) as store:
        before = None
        if who["request_id"] is None and not again:
            request = who["request_id"] = request_of(note, opening=opening)
            before = recorded(store, request)
            extra["received_by"] = before.movement if before is not None else None
        receipt = before if not dry_run else None
        if before is None and not dry_run:
            try:
                receipt = receive(store, note.deliveries, takeover=opening, **who)
            except ReceiptError as err:
                if all(problem.line is None for problem in err.problems):
                    raise  # about how it was asked, and not about the file
                raise note.refusal(err.problems) from err
        if not as_json:
            _tell_note(note, extra["mapping"])
        if before is not None and not as_json:
            _tell_before(store, before)
        elif receipt is None:
            print_planned(store, note.deliveries, as_json, rows=note.rows, extra=extra)
        else:
            print_received(store, receipt, note.deliveries, as_json, rows=note.rows, extra=extra)


def _tell_note(note: Note, mapping: dict[str, str]) -> None:
    """Tell what the headings were taken for, and what to look at."""
    print_table(("column", "taken for"), mapping.items())
    for problem in note.attention:
        print_wrapped(f"look at {problem}")
    if note.skipped:
        click.echo(f"{counted(note.skipped, 'row')} left out, as nothing is there")
    if note.hidden:
        were = "was" if note.hidden == 1 else "were"
        print_wrapped(
            f"{counted(note.hidden, 'row')} {were} not shown, by a filter or by hand, and read as well"
        )


def _tell_before(store: Store, before: Receipt) -> None:
    """Tell that the same file was received before, and what became of that."""
    from mesoformula.stock.views.history import movements_of

    (movement,) = movements_of(store, [before.movement])
    when = f"{movement.recorded_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
    taken_back = f", and movement {movement.reversed_by} took it back" if movement.reversed_by else ""
    print_wrapped(
        f"nothing changed: movement {before.movement} received this file before ({when}, by "
        f"{movement.actor}){taken_back}; --again receives it once more"
    )
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {before.anchor}")
