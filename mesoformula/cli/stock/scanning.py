"""`mesoformula stock scan`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import app_of, report_problems
from mesoformula.cli.options import WholeType, example
from mesoformula.cli.stock.asking import Dialogue
from mesoformula.cli.stock.common import open_store, settings_of, write, write_options
from mesoformula.cli.stock.receipts import print_planned, print_received
from mesoformula.clock import site_day
from mesoformula.errors import Problem, ReceiptError, ScanError
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.cli.stock.scanner import Scanner
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Delivery, Order, Receipt


@click.command(
    "scan",
    epilog=example(
        "mesoformula stock scan",
        "--teach 05060131261973=torbay/magnesium-sulfate-50-10ml",
        "--containers 10 --level pack",
    ),
)
@click.option("--teach", metavar="GTIN=ID", help="Record what a GTIN stands for, and scan nothing.")
@click.option("--containers", type=WholeType(1, 1_000_000), metavar="N",
              help="With --teach: how many containers bear it.")  # fmt: skip
@click.option("--level", type=click.Choice(["container", "pack", "case"]), default="pack",
              show_default=True, help="With --teach: what it is printed on.")  # fmt: skip
@click.option("--location", metavar="PLACE", help="Where the packs are put; else as set, else main.")
@click.option("--supplier", metavar="NAME", help="Who delivered them.")
@click.option("--dry-run", is_flag=True, help="Show what would be received, and record nothing.")
@write_options
def scan(
    teach: str | None,
    containers: int | None,
    level: str,
    location: str | None,
    supplier: str | None,
    dry_run: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Receive packs by scanning their codes, one a line, all of them or none.

    A scanner types like a keyboard: GS1 DataMatrix, GS1-128 and EAN codes are read. At a terminal what is
    suspicious is asked, and an empty line ends; in a pipe it is refused with its line.
    """
    if teach is not None:
        return _teach(teach, containers, level, order, stock, as_json)
    if containers is not None:
        raise click.UsageError("--containers is of --teach: scanned packs are counted by their GTIN")
    app = app_of()
    with closing(open_store(app, stock)) as store:
        scanner = _scanner(store, None if dry_run else _teacher(order), order.request_id is not None)
        scanner.run()
        where = location if location is not None else settings_of().location
        made = scanner.deliveries(where, supplier)
        if not made:
            return _nothing(scanner)
        if dry_run:
            print_planned(store, [one for one, _row in made], as_json)
        else:
            receipt, received = _receive(store, scanner, made, order)
            if receipt is None:
                return _nothing(scanner)
            print_received(store, receipt, received, as_json)
    report_problems(app)
    return 0


def _scanner(store: Store, teacher: Order | None, may_repeat: bool) -> Scanner:
    from mesoformula.cli.stock.scanner import Scanner
    from mesoformula.stock.arrivals.gtins import known_gtins

    return Scanner(
        app=app_of(),
        store=store,
        dialogue=Dialogue(),
        known=known_gtins(store),
        substitutes=settings_of().scanner_separators,
        today=site_day(store.moment(), store.zone),
        order=teacher,
        may_repeat=may_repeat,
    )


def _teacher(order: Order) -> Order:
    """Say who teaches what a GTIN stands for: a write of its own, at the moment it is said."""
    return attrs.evolve(order, at=None, request_id=None, reason=None)


def _nothing(scanner: Scanner) -> int:
    if not scanner.dialogue.is_terminal:
        from mesoformula.cli.stock.scanner import STDIN

        raise ScanError([Problem("empty", "no code came; expected one a line", STDIN)])
    click.echo("nothing to receive; nothing was recorded")
    return 0


def _receive(
    store: Store, scanner: Scanner, made: list[tuple[Delivery, int]], order: Order
) -> tuple[Receipt | None, list[Delivery]]:
    """Record what was scanned; what the ledger refuses can be left out by whoever is there."""
    from mesoformula.cli.stock.scanner import STDIN
    from mesoformula.stock.arrivals.receiving import receive

    who: dict[str, Any] = {"actor": order.actor, "request_id": order.request_id, "reason": order.reason}
    while made:
        deliveries = [attrs.evolve(one, received_at=order.at) for one, _row in made]
        try:
            return receive(store, deliveries, **who), deliveries
        except ReceiptError as err:
            refused = {problem.line for problem in err.problems}
            if None in refused or not scanner.dialogue.is_terminal:
                raise ScanError([_placed(one, made, STDIN) for one in err.problems]) from err
            for problem in err.problems:
                scanner.dialogue.say(f"refused: {problem.message}")
            made = [one for number, one in enumerate(made, start=1) if number not in refused]
            if not made or scanner.dialogue.ask("receive the others? y or n").casefold() not in ("y", "yes"):
                break
    return None, []


def _placed(problem: Problem, made: list[tuple[Delivery, int]], path: str) -> Problem:
    if problem.line is None:
        return problem
    message = problem.message.removeprefix(f"delivery {problem.line}: ")
    return Problem(problem.code, message, path, made[problem.line - 1][1])


def _teach(
    text: str, containers: int | None, level: str, order: Order, stock: str | None, as_json: bool
) -> int:
    from mesoformula.stock.arrivals.gtins import Level, teach

    gtin, sign, product = text.partition("=")
    if not sign or not product.strip():
        raise click.UsageError(
            f"--teach {shown(text)}: expected a GTIN and a product's id, as GTIN=VENDOR/SKU"
        )
    item = app_of().formulary.product(product.strip())
    if containers is None:
        if level != Level.CONTAINER and (level != Level.PACK or item.containers_per_pack is None):
            raise click.UsageError(f"how many containers are in this {level}? expected --containers N")
        containers = item.containers_per_pack if level == Level.PACK else 1
    number = containers or 1
    return write(
        stock,
        as_json,
        lambda app, store: teach(
            store, app.formulary, gtin, item.id, containers=number, level=Level(level), order=order
        ),
    )
