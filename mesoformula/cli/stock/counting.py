"""`mesoformula stock count`."""

from __future__ import annotations

from contextlib import closing
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
from mesoformula.cli.options import NounGroup, Type, WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store, print_receipt, write_options
from mesoformula.errors import OrderError
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.cli.stock.asking import Dialogue
    from mesoformula.stock.counts.count_figures import Found
    from mesoformula.stock.counts.count_files import CountFile
    from mesoformula.stock.counts.count_sheets import CountLine, CountSheet
    from mesoformula.stock.counts.counting import Difference
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.records import Order

_NUMBER = WholeType(1, 10**15)


class FigureType(Type):
    """What was counted of one line."""

    name = "figure"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read `3=12`."""
        if isinstance(value, tuple):
            return value
        line, sign, figure = str(value).partition("=")
        if not sign:
            raise click.UsageError(
                f"--counted {shown(value)}: expected LINE=CONTAINERS, such as 3=12; a line left out stays as "
                "it is",
                ctx,
            )
        whole = WholeType(0, 1_000_000)
        return _NUMBER.convert(line, param, ctx), whole.convert(figure, param, ctx)


@click.group("count", cls=NounGroup, epilog=example("mesoformula stock count open --location main"))
def count() -> None:
    """
    Count the shelf, and post what differs.

    A count is opened, which keeps what should be there; it is filled in on paper, in a table or at the
    terminal; and it is posted, with a reason. What is moved meanwhile is respected. Whole containers are
    counted; of an opened one what is left can be corrected with 'stock waste'.
    """


# ---- open ----------------------------------------------------------------------------------------------


@count.command("open", epilog=example("mesoformula stock count open --location main --to count.csv"))
@click.option("--location", metavar="PLACE", help="Only this place.")
@click.option("--product", metavar="ID", help="Only this product.")
@click.option("--to", "out", type=click.Path(path_type=Path), metavar="FILE.csv",
              help="Write a table to fill in.")  # fmt: skip
@click.option("--blind", is_flag=True, help="Do not show what is expected.")
@write_options
def open_(
    location: str | None,
    product: str | None,
    out: Path | None,
    blind: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """Open a count: keep what should be there now, and list it."""
    from mesoformula.stock.counts.count_files import count_csv
    from mesoformula.stock.counts.count_sheets import count_sheet
    from mesoformula.stock.counts.counting import open_count

    if out is not None:
        _check_out(out)
    app = app_of()
    with closing(open_store(app, stock)) as store:
        receipt = open_count(store, location=location, product=product, order=order)
        sheet = count_sheet(store, receipt.movement)
        if out is not None:
            with out.open("x", encoding="utf-8-sig", newline="") as stream:
                stream.write(count_csv(sheet, blind=blind))
        if as_json:
            extra = {
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "file": str(out) if out is not None else None,
                "stock": str(store),
            }
            print_json({**_plain(sheet, blind=blind), **extra})
        else:
            if receipt.repeated:
                click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
            _print_sheet(sheet, store, blind=blind)
            if out is not None:
                click.echo(f"written to {safe(out)}")
                click.echo(
                    f"fill in 'counted' and post it: mesoformula stock count post {sheet.number} --from "
                    f"{safe(out)} --reason TEXT"
                )
            else:
                click.echo(f"post it: mesoformula stock count post {sheet.number} --reason TEXT")
            click.echo(safe(f"stock {store}"))
            click.echo(f"anchor {receipt.anchor}")
    report_problems(app)
    return 0


def _check_out(out: Path) -> None:
    if out.suffix.lower() != ".csv":
        raise click.UsageError(f"{safe(out)}: expected a name that ends in .csv")
    if out.exists():
        raise click.UsageError(f"{safe(out)} is there already; choose another name")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"{safe(out.parent)} is no folder; make it first")


def _plain(sheet: CountSheet, *, blind: bool) -> dict[str, Any]:
    lines = []
    for line in sheet.lines:
        plain: dict[str, Any] = {
            "line": line.line,
            "product": line.product.pinned_id,
            "name": line.product.name,
            "lot": line.lot,
            "expiry": line.expiry.isoformat() if line.expiry is not None else None,
            "location": line.location,
        }
        if not blind:
            plain |= {"expected": line.expected, "moved": line.moved, "movements": list(line.movements)}
        lines.append(plain)
    return {
        "count": sheet.number,
        "opened_at": sheet.opened_at.isoformat(),
        "by": sheet.actor,
        "posted_by": sheet.posted_by,
        "lines": lines,
    }


def _print_sheet(sheet: CountSheet, store: Store, *, blind: bool) -> None:
    headings = ["line", "product", "lot", "expiry", "place", "expected", "counted"]
    rows: list[list[object]] = [
        [
            line.line,
            f"{line.product.name} ({line.product.vendor.name})",
            line.lot,
            line.expiry.isoformat() if line.expiry is not None else "none",
            line.location,
            line.expected,
            "",
        ]
        for line in sheet.lines
    ]
    moved = any(line.movements for line in sheet.lines) and not blind
    if moved:
        headings[-1] = "moved since"
        for row, line in zip(rows, sheet.lines, strict=True):
            row[-1] = _moved(line)
    if blind:
        headings.remove("expected")
        for row in rows:
            del row[5]
    print_table(headings, rows, right=(0,) if blind else (0, 5), whole=(2, 3))
    opened = f"{sheet.opened_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
    click.echo(
        safe(f"count {sheet.number}: {counted(len(sheet.lines), 'line')}, opened {opened} by {sheet.actor}")
    )
    if sheet.posted_by is not None:
        click.echo(f"posted by movement {sheet.posted_by}")


def _moved(line: CountLine) -> str:
    if not line.movements:
        return ""
    numbers = ", ".join(map(str, line.movements[:5])) + (", …" if len(line.movements) > 5 else "")
    return f"{line.moved:+d} (movement {numbers})"


# ---- show ----------------------------------------------------------------------------------------------


@count.command("show", epilog=example("mesoformula stock count show"))
@click.argument("number", type=_NUMBER, required=False, metavar="[N]")
@click.option("--blind", is_flag=True, help="Do not show what is expected.")
@stock_option
@json_option
def show(number: int | None, blind: bool, stock: str | None, as_json: bool) -> int:
    """Show count N, or the one opened last, with what has moved since."""
    from mesoformula.stock.counts.count_sheets import count_sheet

    app = app_of()
    with closing(open_store(app, stock)) as store:
        sheet = count_sheet(store, number)
        if as_json:
            print_json({**_plain(sheet, blind=blind), "stock": str(store)})
        else:
            _print_sheet(sheet, store, blind=blind)
    report_problems(app)
    return 0


# ---- post ----------------------------------------------------------------------------------------------


@count.command(
    "post", epilog=example("mesoformula stock count post 12 --counted 1=5 --counted 2=0 --reason 'May count'")
)
@click.argument("number", type=_NUMBER, metavar="N")
@click.option("--from", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="The table that was filled in (.csv, .xlsx).")  # fmt: skip
@click.option("--sheet", metavar="TITLE", help="Which sheet of the workbook.")
@click.option("--counted", "figures", type=FigureType(), multiple=True, metavar="LINE=N",
              help="What was counted of a line; may be given again. 0 empties it.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show the differences, and record nothing.")
@write_options
def post(
    number: int,
    file: Path | None,
    sheet: str | None,
    figures: tuple[tuple[int, int], ...],
    dry_run: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Post what was counted in count N: what differs from the ledger is corrected.

    A line that is left blank stays as it is, and zero empties it. The figures are those of the moment in
    which the count was opened; give --at if they were counted later. At a terminal, without --from and
    --counted, each line is asked for.
    """
    from mesoformula.cli.stock.asking import Dialogue
    from mesoformula.stock.counts.count_sheets import count_sheet
    from mesoformula.stock.counts.counting import count_differences, post_count

    if file is not None and figures:
        raise click.UsageError("expected either --from or --counted")
    if sheet is not None and file is None:
        raise click.UsageError("--sheet is of a workbook; expected with --from")
    dialogue = Dialogue()
    if file is None and not figures and not dialogue.is_terminal:
        raise click.UsageError(
            "no figures, and nobody to ask; expected --from FILE or --counted LINE=N", None
        )
    app = app_of()
    with closing(open_store(app, stock)) as store:
        opened = count_sheet(store, number)
        read: CountFile | None = None
        given: dict[int, int | None] = {}
        found: tuple[Found, ...] = ()
        remarks: dict[int, str] = {}
        if file is not None:
            read = _read(opened, file, sheet)
            given, found, remarks = dict(read.counted), read.found, dict(read.remarks)
        elif figures:
            given = _from_options(figures)
        else:
            given = _ask(opened, dialogue)
            if not given:
                click.echo("nothing was counted; nothing was recorded")
                return 0
        asked: dict[str, Any] = {"found": found, "remarks": remarks}
        try:
            if dry_run or (file is None and not figures):
                differences = count_differences(store, number, given, order=order, **asked)
                if dry_run and as_json:
                    print_json(
                        {"dry_run": True, "differences": [difference_plain(one) for one in differences]}
                    )
                else:
                    print_differences(differences, err=not dry_run)
                if dry_run:
                    click.echo("dry run: nothing was recorded", err=as_json)
                    return 0
                asked_for = confirmed(order, dialogue)
                if asked_for is None:
                    click.echo("not posted; nothing was recorded")
                    return 0
                order = asked_for
            receipt = post_count(store, number, given, order=order, **asked)
        except OrderError as err:
            if read is not None and any(one.line is not None or one.where for one in err.problems):
                raise read.refusal(err.problems) from err
            raise
        print_receipt(store, receipt, as_json, extra={"count": number})
    report_problems(app)
    return 0


def _read(opened: CountSheet, file: Path, title: str | None) -> CountFile:
    from mesoformula.stock.counts.count_files import read_count_file
    from mesoformula.stock.counts.count_imports import counted_grid

    return read_count_file(counted_grid(app_of().read_grids(file), file, title), opened)


def _from_options(figures: tuple[tuple[int, int], ...]) -> dict[int, int | None]:
    given: dict[int, int | None] = {}
    for line, figure in figures:
        if line in given:
            raise click.UsageError(f"--counted {line}={figure}: line {line} is given already")
        given[line] = figure
    return given


def _ask(opened: CountSheet, dialogue: Dialogue) -> dict[int, int | None]:
    """Ask for every line; a blank leaves it as it is."""
    given: dict[int, int | None] = {}
    dialogue.say("How many are there? Enter leaves a line as it is; 0 empties it.")
    for line in opened.lines:
        until = f", {line.expiry}" if line.expiry is not None else ""
        question = f"{line.line}: {line.product.name}, lot {line.lot}{until}, at {line.location}"
        while answer := dialogue.ask(question):
            try:
                given[line.line] = WholeType(0, 1_000_000).convert(answer, None, None)
                break
            except click.UsageError as err:
                dialogue.say(err.format_message())
    return given


def confirmed(order: Order, dialogue: Dialogue) -> Order | None:
    """
    Have differences confirmed, and ask for the reason.

    Args:
        order: As given; its reason is asked for if it has none.
        dialogue: With whoever sits at the terminal.

    Returns:
        The order with its reason; None if it was not confirmed.
    """
    reason = order.reason or dialogue.ask("reason")
    if dialogue.ask("post these differences? y or n").casefold() not in ("y", "yes"):
        return None
    return attrs.evolve(order, reason=reason)


def difference_plain(one: Difference) -> dict[str, Any]:
    """
    Bring a difference to plain data for JSON.

    Args:
        one: What was counted of one line.

    Returns:
        All that it says.
    """
    return {
        "line": one.line,
        "product": one.product,
        "lot": one.lot,
        "location": one.location,
        "there": one.there,
        "counted": one.counted,
        "difference": one.containers,
        "now": one.now,
    }


def print_differences(differences: tuple[Difference, ...], *, err: bool) -> None:
    """
    Print what posting a count changes, and how many lines are as the ledger says.

    Args:
        differences: Of all lines that were counted.
        err: Whether it is only for whoever sits at the terminal.
    """
    changed = [one for one in differences if one.containers]
    if err:
        for one in changed:
            click.echo(safe(f"{one.product} lot {one.lot} at {one.location}: {one.containers:+d}"), err=True)
        return
    if changed:
        print_table(
            ("line", "product", "lot", "place", "ledger", "counted", "difference", "then"),
            (
                (
                    one.line if one.line is not None else "found",
                    one.product,
                    one.lot,
                    one.location,
                    one.there,
                    one.counted,
                    f"{one.containers:+d}",
                    one.now,
                )
                for one in changed
            ),
            right=(0, 4, 5, 6, 7),
            whole=(2,),
        )
    as_expected = len(differences) - len(changed)
    print_wrapped(f"{counted(len(changed), 'difference')}; {as_expected} counted as the ledger says")
