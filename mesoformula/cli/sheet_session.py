"""`mesoformula sheet session`: the compounding record."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, counted, print_json, print_wrapped, report_problems, safe
from mesoformula.cli.options import QuantityType, example, stock_option
from mesoformula.cli.session_asking import Asked, session_options, worked_out
from mesoformula.cli.sheet import check_out, out_argument, sheet_options, sheets_as_json, write
from mesoformula.cli.stock.common import MomentType, open_store, settings_of
from mesoformula.encoding import to_plain
from mesoformula.preparing import Stability, preparation
from mesoformula.sheets import SheetRequest

if TYPE_CHECKING:
    from mesoformula.app import Answer, App
    from mesoformula.preparations import LotTaken, Preparation
    from mesoformula.units import Quantity


@click.command(
    "session",
    epilog=example(
        "mesoformula sheet session record.xlsx teaching-nctf-vitamin-c",
        "--volume '3 mL' --syringe 1-ml --reference S-2026-001",
    ),
)
@out_argument
@click.argument("formula")
@session_options
@click.option(
    "--reference", metavar="REF", help="Of the session: names the lots that were picked or used for it."
)
@click.option("--by", metavar="NAME", help="Who prepares it, and decides on overrides.")
@click.option(
    "--prepared-at", type=MomentType(), metavar="MOMENT", help="When, such as '2026-11-23 14:30'; else blank."
)
@click.option(
    "--keeps", type=QuantityType("time"), metavar="PERIOD",
    help="How long the mixture is stable, such as '24 h'; needs --keeps-says.",
)  # fmt: skip
@click.option("--keeps-says", metavar="SOURCE", help="Who says how long it is stable.")
@stock_option
@sheet_options
def session(
    out: Path,
    formula: str,
    reference: str | None,
    by: str | None,
    prepared_at: datetime | None,
    keeps: Quantity | None,
    keeps_says: str | None,
    stock: str | None,
    language: str,
    replace: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """
    Write the compounding record of one session: one page, with all checks and the working behind it.

    FORMULA and the options are those of 'mesoformula session'. The injected volume is a cell: change it, and
    volumes, containers and doses follow; the checks are for the volume given here. With --reference the lots
    come from the stock; else there is room to write them. Nothing is stored.
    """
    stability = stability_of(keeps, keeps_says)
    asked = Asked(**given)
    asked.overrides(by)  # what is wrong with them is said before anything is read
    app = app_of()
    check_out(app, out, replace)
    answer = worked_out(app, formula, asked, by=by, reference=reference, stock=stock)
    zone = settings_of().zone()
    prepared = prepared_for(
        app,
        answer,
        zone,
        reference=reference,
        by=by,
        prepared_at=prepared_at,
        keeps=stability,
        stock=stock,
    )
    request = SheetRequest(
        "session", None, formulary=app.formulary, language=language, zone=zone, preparation=prepared
    )
    sheets = write(app, request, out)
    if as_json:
        from mesoformula.cli.session_telling import session_plain

        print_json(
            {
                "written": str(out),
                "language": language,
                "session": session_plain(answer, explain=True),
                "preparation": preparation_plain(prepared),
                "sheets": sheets_as_json(sheets),
            }
        )
    else:
        click.echo(f"written to {safe(out)}")
        _tell(prepared, zone)
    report_problems(app)
    return 0 if prepared.ready else 1


def stability_of(keeps: Quantity | None, says: str | None) -> Stability | None:
    """
    Read how long a mixture is said to keep.

    Args:
        keeps: The period.
        says: Who says so.

    Returns:
        Both; None if neither is given.

    Raises:
        click.UsageError: If only one of them is given.
    """
    if keeps is None and says is None:
        return None
    if keeps is None or says is None:
        missing = "--keeps-says SOURCE" if says is None else "--keeps PERIOD"
        raise click.UsageError(f"how long it keeps, and who says so? expected {missing} as well")
    return Stability(keeps, says)


def prepared_for(
    app: App,
    answer: Answer,
    zone: tzinfo,
    *,
    reference: str | None = None,
    by: str | None = None,
    prepared_at: datetime | None = None,
    keeps: Stability | None = None,
    stock: str | None = None,
) -> Preparation:
    """
    Say how a session is prepared, with the lots that the stock knows for it.

    Args:
        app: Of this run.
        answer: The session, worked out and checked.
        zone: Of the site.
        reference: Of the session; without one no stock is read.
        by: Who prepares it.
        prepared_at: When.
        keeps: How long somebody says that it keeps.
        stock: As given.

    Returns:
        The preparation.

    Raises:
        OrderError: If the reference is none, or the period is too short.
        StockError: If the stock cannot be read.
    """
    with ExitStack() as stack:
        store = None if reference is None else stack.enter_context(closing(open_store(app, stock)))
        return preparation(
            answer,
            app.formulary.beyond_use_rules(),
            zone=zone,
            store=store,
            reference=reference,
            by=by,
            prepared_at=prepared_at,
            keeps=keeps,
        )


def _tell(prepared: Preparation, zone: tzinfo) -> None:
    if prepared.ready:
        click.echo("the session is ready as far as it was checked")
    else:
        codes = ", ".join(dict.fromkeys(one.code for one in prepared.standing))
        print_wrapped(codes, first="NOT READY, and the record says so: ", rest="  ")
    if prepared.reference is not None:
        lots = counted(len(prepared.lots), "lot")
        click.echo(safe(f"{lots} from {prepared.store} for {prepared.reference}"))
    if prepared.left_out:
        uses = counted(prepared.left_out, "use")
        print_wrapped(f"{uses} under it on other days left out; --on DAY tells the day of the session")
    for one in prepared.lot_findings:
        print_wrapped(f"{one.severity.value.upper()} {one.message} [{one.code}]", rest="  ")
    if prepared.beyond_use_at is not None:
        until = f"use before {prepared.beyond_use_at.astimezone(zone):%Y-%m-%d %H:%M}"
    elif prepared.is_session_only:
        until = "this session only, never kept"
    else:
        until = "beyond use: from the moment of preparation, which --prepared-at tells"
    print_wrapped(f"{until}: {prepared.beyond_use_rule}")
    if prepared.anchor is not None:
        click.echo(f"anchor {prepared.anchor}")


def preparation_plain(prepared: Preparation) -> dict[str, Any]:
    """
    Bring what a preparation adds to its session to plain data.

    Args:
        prepared: The preparation.

    Returns:
        Lots, beyond use and where it was read; products by id, moments in UTC.
    """
    return {
        "reference": prepared.reference,
        "by": prepared.by,
        "prepared_at": to_plain(prepared.prepared_at),
        "ready": prepared.ready,
        "lots": [_lot_plain(lot) for lot in prepared.lots],
        "left_out": prepared.left_out,
        "lot_findings": to_plain(prepared.lot_findings, full=True),
        "beyond_use_at": to_plain(prepared.beyond_use_at),
        "session_only": prepared.is_session_only,
        "beyond_use_rule": prepared.beyond_use_rule,
        "limits": to_plain(prepared.limits, full=True),
        "stock": prepared.store,
        "anchor": str(prepared.anchor) if prepared.anchor is not None else None,
    }


def _lot_plain(lot: LotTaken) -> dict[str, Any]:
    from decimal import Decimal

    from mesoformula.units import plain

    drawn = None
    if lot.nanolitres is not None:
        drawn = {"value": plain(Decimal(lot.nanolitres).scaleb(-6)), "unit": "mL"}
    return {
        "product": lot.product.pinned_id,
        "lot": lot.lot,
        "expiry": to_plain(lot.expiry),
        "suppliers": list(lot.suppliers),
        "containers": lot.containers,
        "location": lot.location,
        "opened": lot.opened,
        "volume": drawn,
        "used_at": to_plain(lot.used_at),
        "lapsed": lot.has_lapsed,
        "recalled": lot.is_recalled,
        "quarantined": lot.is_quarantined,
        "deviations": [one.value for one in lot.deviations],
        "beyond_use_at": to_plain(lot.beyond_use_at),
        "rule": lot.rule,
    }
