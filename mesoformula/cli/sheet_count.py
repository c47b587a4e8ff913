"""`mesoformula sheet count` and `mesoformula sheet import`: a count written, filled in, and read back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import WholeType, example
from mesoformula.cli.sheet import LanguageType, check_out, out_argument, sheets_as_json, write
from mesoformula.cli.stock.asking import Dialogue
from mesoformula.cli.stock.common import open_store, print_receipt, settings_of, write_options
from mesoformula.errors import OrderError, Problem

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.sheets import Sheet
    from mesoformula.stock.counts.count_files import CountFile
    from mesoformula.stock.counts.count_sheets import CountSheet
    from mesoformula.stock.counts.counting import Difference
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Movement, Order, Receipt

# ---- count ---------------------------------------------------------------------------------------------


@click.command("count", epilog=example("mesoformula sheet count count.xlsx --location main"))
@out_argument
@click.option("--location", metavar="PLACE", help="Only this place.")
@click.option("--product", metavar="ID", help="Only this product.")
@click.option("--count", "number", type=WholeType(1, 10**15), metavar="N",
              help="Of count N, which is open already.")  # fmt: skip
@click.option("--blind", is_flag=True, help="Do not show what is expected.")
@click.option("--lang", "language", type=LanguageType(), default=lambda: settings_of().language,
              metavar="LANGUAGE",
              help="Of headings and sentences, such as fr; else as the site has set it.")  # fmt: skip
@click.option("--replace", is_flag=True, help="Replace the file if it is there.")
@write_options
def count(
    out: Path,
    location: str | None,
    product: str | None,
    number: int | None,
    blind: bool,
    language: str,
    replace: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Open a count, and write it as a sheet to fill in.

    What should be there now is kept in the ledger. The sheet can be changed only where it is filled in; it
    is read back with 'sheet import'.
    """
    from mesoformula.stock.counts.count_sheets import count_sheet
    from mesoformula.stock.counts.counting import open_count

    if number is not None and (location is not None or product is not None):
        raise click.UsageError("--count is of a count that is open already; expected without --location and "
                               "--product")  # fmt: skip
    app = app_of()
    check_out(app, out, replace)
    with closing(open_store(app, stock)) as store:
        receipt: Receipt | None = None
        if number is None:
            receipt = open_count(store, location=location, product=product, order=order)
            number = receipt.movement
        opened = count_sheet(store, number)
        if opened.posted_by is not None:
            message = f"count {number} was posted already, by movement {opened.posted_by}; open another count"
            raise OrderError([Problem("posted", message)])
        sheets = _written(app, opened, out, store, language, blind=blind)
        _tell_opened(store, opened, receipt, sheets, out, language, as_json=as_json)
    report_problems(app)
    return 0


def _written(
    app: App, opened: CountSheet, out: Path, store: Store, language: str, *, blind: bool
) -> tuple[Sheet, ...]:
    from mesoformula.sheets import SheetRequest

    request = SheetRequest(
        "count",
        None,
        formulary=app.formulary,
        language=language,
        zone=store.zone,
        count=opened,
        is_blind=blind,
    )
    try:
        return write(app, request, out)
    except OSError:
        click.echo(
            f"count {opened.number} is open; write its sheet with 'sheet count OUT.xlsx --count "
            f"{opened.number}'",
            err=True,
        )
        raise


def _tell_opened(
    store: Store,
    opened: CountSheet,
    receipt: Receipt | None,
    sheets: tuple[Sheet, ...],
    out: Path,
    language: str,
    *,
    as_json: bool,
) -> None:
    anchor = receipt.anchor if receipt is not None else opened.anchor
    if as_json:
        print_json(
            {
                "count": opened.number,
                "opened_at": opened.opened_at.isoformat(),
                "repeated": receipt is not None and receipt.repeated,
                "written": str(out),
                "language": language,
                "anchor": str(anchor),
                "stock": str(store),
                "sheets": sheets_as_json(sheets),
            }
        )
        return
    if receipt is not None and receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
    opened_at = f"{opened.opened_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
    click.echo(
        safe(f"count {opened.number}: {counted(len(opened.lines), 'line')}, opened {opened_at} by "
             f"{opened.actor}")
    )  # fmt: skip
    click.echo(f"written to {safe(out)}")
    print_wrapped(f"fill it in, and read it back: mesoformula sheet import {out} --reason TEXT")
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {anchor}")


# ---- import --------------------------------------------------------------------------------------------


@click.command("import", epilog=example("mesoformula sheet import count.xlsx --reason 'May count'"))
@click.argument("file", metavar="COUNT.xlsx", type=click.Path(path_type=Path))
@click.option("--sheet", "title", metavar="TITLE", help="Which sheet of the workbook.")
@click.option("--dry-run", is_flag=True, help="Show the differences, and record nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before it is posted.")
@write_options
def import_(
    file: Path,
    title: str | None,
    dry_run: bool,
    yes: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Read a sheet that 'sheet count' wrote and somebody filled in, and post it.

    The sheet knows its count and its stock. Everything that is wrong with it is said at once, cell by cell,
    and nothing is posted; what was moved since the count was opened is respected. At a terminal the
    differences are shown and confirmed first. The same file twice changes nothing.
    """
    from mesoformula.stock.counts.count_imports import read_back, request_of

    app = app_of()
    grids = app.read_grids(file)
    with closing(open_store(app, stock)) as store:
        opened, read = read_back(store, grids, file, title)
        before = _posted(store, opened, order, request_of(read, opened))
        if before is not None:
            _tell_posted(store, opened, read, before, as_json=as_json)
        else:
            if order.request_id is None:
                order = attrs.evolve(order, request_id=request_of(read, opened))
            try:
                _post(store, opened, read, order, dry_run=dry_run, yes=yes, as_json=as_json)
            except OrderError as err:
                if any(one.line is not None or one.where for one in err.problems):
                    raise read.refusal(err.problems) from err
                raise
    report_problems(app)
    return 0


def _posted(store: Store, opened: CountSheet, order: Order, request: str) -> Movement | None:
    """Find the movement that posted this very table; refuse it if it posted another."""
    from mesoformula.stock.views.history import movements_of

    if opened.posted_by is None or order.request_id is not None:
        return None
    (movement,) = movements_of(store, [opened.posted_by])
    if movement.request_id != request:
        message = (
            f"count {opened.number} was posted already, by movement {movement.seq}, and not with these "
            "figures; open another count"
        )
        raise OrderError([Problem("posted", message)])
    return movement


def _tell_posted(
    store: Store, opened: CountSheet, read: CountFile, movement: Movement, *, as_json: bool
) -> None:
    if as_json:
        print_json(
            {
                "count": opened.number,
                "movement": movement.seq,
                "repeated": True,
                "anchor": str(movement.anchor),
                "hidden_rows": read.hidden,
                "differences": [],
                "stock": str(store),
            }
        )
        return
    click.echo(f"nothing changed: movement {movement.seq} posted this sheet before")
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {movement.anchor}")


def _post(
    store: Store,
    opened: CountSheet,
    read: CountFile,
    order: Order,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from mesoformula.cli.stock.counting import confirmed, difference_plain, print_differences
    from mesoformula.stock.counts.counting import count_differences, post_count

    given: dict[str, Any] = {"found": read.found, "remarks": read.remarks}
    differences = count_differences(store, opened.number, read.counted, order=order, **given)
    extra = {
        "count": opened.number,
        "hidden_rows": read.hidden,
        "blank_lines": sum(figure is None for figure in read.counted.values()),
        "differences": [difference_plain(one) for one in differences],
    }
    if not as_json:
        _tell_read(read, differences, print_differences)
    if dry_run:
        if as_json:
            print_json({"dry_run": True, **extra, "stock": str(store)})
        click.echo("dry run: nothing was recorded", err=as_json)
        return
    dialogue = Dialogue()
    if dialogue.is_terminal and not yes:
        asked = confirmed(order, dialogue)
        if asked is None:
            click.echo("not posted; nothing was recorded")
            return
        order = asked
    receipt = post_count(store, opened.number, read.counted, order=order, **given)
    print_receipt(store, receipt, as_json, extra=extra)


def _tell_read(read: CountFile, differences: tuple[Difference, ...], print_differences: Any) -> None:
    print_differences(differences, err=False)
    blank = sum(figure is None for figure in read.counted.values())
    if blank:
        print_wrapped(f"{counted(blank, 'line')} left blank: nothing changes there")
    if read.hidden:
        shown_not = "was" if read.hidden == 1 else "were"
        print_wrapped(
            f"{counted(read.hidden, 'row')} {shown_not} not shown, by a filter or by hand, and read as well"
        )
