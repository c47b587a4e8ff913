"""`mesoformula stock verify`."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import example, json_option, stock_option
from mesoformula.cli.stock.common import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Anchor, Verification


@click.command("verify", epilog=example("mesoformula stock verify"))
@click.option("--against", metavar="SEQ:HASH", help="An anchor that was kept; it must be in the ledger.")
@stock_option
@json_option
def verify(against: str | None, stock: str | None, as_json: bool) -> int:
    """
    Check that the ledger still says what was recorded.

    The chain of hashes, all sums, product records, remarks and the database's own guards are gone through.
    Only an anchor that was kept elsewhere, given with --against, finds an end that was cut off, or a ledger
    that was rewritten as a whole.
    """
    from mesoformula.stock.ledger import verifying

    anchor = verifying.read_anchor(against) if against is not None else None
    app = app_of()
    with closing(open_store(app, stock)) as store:
        found = verifying.verify(store, against=anchor, progress=_progress())
        if as_json:
            _print_json(store, found, anchor)
        else:
            _print(store, found, anchor)
    report_problems(app)
    return 3 if found.problems else 0


def _progress() -> Callable[[int, int], None] | None:
    """Show on a terminal how far a long check is; say nothing in a pipe."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if done:
            # Over itself, and gone when the answer is printed.
            click.echo(f"\r\x1b[Kchecked {done} of {total} movements", err=True, nl=False)
        if total - done <= 2_000 < total:
            click.echo("\r\x1b[K", err=True, nl=False)

    return show


def _print(store: Store, found: Verification, against: Anchor | None) -> None:
    for problem in found.problems:
        print_wrapped(str(problem), rest="  ")
    if found.problems:
        print_wrapped(
            f"{counted(len(found.problems), 'problem')}: this ledger does not say what was recorded. Copy it "
            "as it is before anything else, and compare it with a backup"
        )
    elif not found.movements:
        click.echo("nothing was ever recorded there; is the path right?")
    else:
        movements = "1 movement says" if found.movements == 1 else f"{found.movements} movements say"
        print_wrapped(f"{movements} what was recorded, and everything kept adds up to them")
        if against is not None:
            click.echo(f"anchor {against.seq}:{against.hash[:12]}… is in it")
        else:
            print_wrapped(
                "an end that was cut off, or a ledger rewritten as a whole, is found with an anchor only: "
                "stock verify --against SEQ:HASH"
            )
    click.echo(safe(f"stock {store}"))
    if found.anchor is not None:
        click.echo(f"anchor {found.anchor}")


def _print_json(store: Store, found: Verification, against: Anchor | None) -> None:
    print_json(
        {
            "stock": str(store),
            "movements": found.movements,
            "anchor": str(found.anchor) if found.anchor is not None else None,
            "against": str(against) if against is not None else None,
            "sound": not found.problems,
            "problems": [{"code": one.code, "message": one.message} for one in found.problems],
        }
    )
