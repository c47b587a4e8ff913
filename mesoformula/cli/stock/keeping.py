"""`mesoformula stock backup`, `restore` and `erase`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store, settings_of
from mesoformula.words import shown


@click.command("backup", epilog=example("mesoformula stock backup stock-2026-11-23.sqlite"))
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@stock_option
@json_option
def backup(target: Path, stock: str | None, as_json: bool) -> int:
    """
    Write a backup: one SQLite file, itself a stock, whatever database the stock is in.

    Others may go on writing meanwhile. Nothing is ever written over.
    """
    from mesoformula.stock.database import backup as backups

    app = app_of()
    with closing(open_store(app, stock)) as store:
        made = backups.backup(store, target)
        where = str(store)
    anchor = str(made.anchor) if made.anchor is not None else None
    if as_json:
        print_json({"stock": where, "backup": str(made.path), "movements": made.movements, "anchor": anchor})
    else:
        click.echo(safe(f"written to {made.path}"))
        click.echo(f"{counted(made.movements, 'movement')} of {safe(where)}")
        print_wrapped(f"check it with: mesoformula stock verify --stock {made.path}")
        if anchor is not None:
            click.echo(f"anchor {anchor}")
    report_problems(app)
    return 0


@click.command("restore", epilog=example("mesoformula stock restore kept.sqlite --stock restored.sqlite"))
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@stock_option
@json_option
def restore(source: Path, stock: str | None, as_json: bool) -> int:
    """Make a stock from a backup, where there is none: in a new file, or an empty database."""
    from mesoformula.stock.database import backup as backups

    app = app_of()
    made = backups.restore(source, stock or settings_of().stock)
    anchor = str(made.anchor) if made.anchor is not None else None
    if as_json:
        print_json({"stock": made.store, "movements": made.movements, "anchor": anchor})
    else:
        click.echo(f"restored {counted(made.movements, 'movement')}")
        print_wrapped("check them with: mesoformula stock verify --against and the last anchor that you kept")
        click.echo(safe(f"stock {made.store}"))
        if anchor is not None:
            click.echo(f"anchor {anchor}")
    report_problems(app)
    return 0


@click.command("erase", epilog=example("mesoformula stock erase 12 --line 1 --yes"))
@click.argument("movement", type=WholeType(1, 2**53))
@click.option(
    "--line",
    type=WholeType(0, 1_000_000),
    default=0,
    metavar="N",
    help="The remark of this line; else the reason of the movement as a whole.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@stock_option
@json_option
def erase(movement: int, line: int, yes: bool, stock: str | None, as_json: bool) -> int:
    """
    Erase the free text of a movement for good; everything else stays, and the ledger still verifies.

    Backups keep the text until they are thrown away.
    """
    from mesoformula.stock.ledger import erasing

    app = app_of()
    with closing(open_store(app, stock)) as store:
        text = erasing.texts_of(store, movement).get(line)
        what = (
            f"the remark of line {line} of movement {movement}"
            if line
            else f"the reason of movement {movement}"
        )
        if text is not None and not yes:
            if not sys.stdin.isatty():
                raise click.UsageError(f"erase {what}? it cannot be brought back; expected --yes")
            print_wrapped(f"{what}: {shown(text, 200)}")
            click.confirm("erase it for good?", abort=True)
        erased = erasing.erase(store, movement, line)
        where = str(store)
    if as_json:
        print_json(
            {
                "stock": where,
                "movement": movement,
                "line": line,
                "repeated": erased.before,
                "notes": list(erased.notes),
            }
        )
    else:
        if erased.before:
            print_wrapped(f"nothing changed: {what} was erased before")
        else:
            print_wrapped(f"erased {what}")
        for note in erased.notes:
            print_wrapped(f"note: {note}")
        click.echo(safe(f"stock {where}"))
    report_problems(app)
    return 0
