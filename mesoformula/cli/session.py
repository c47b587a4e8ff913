"""`mesoformula session`."""

from __future__ import annotations

from typing import Any

import click

from mesoformula.cli.common import app_of, print_json, report_problems
from mesoformula.cli.options import example, json_option, stock_option
from mesoformula.cli.session_asking import Asked, session_options, worked_out
from mesoformula.cli.session_telling import print_session, session_plain


@click.command(
    "session",
    epilog=example(
        "mesoformula session teaching-nctf-vitamin-c",
        "--zone face --points 100 --volume '3 mL' --syringe 1-ml",
    ),
)
@click.argument("formula")
@session_options
@click.option("--explain", is_flag=True, help="Show the working.")
@click.option(
    "--pick", "picks", is_flag=True, help="Reserve what it takes from the stock; needs --reference."
)
@click.option(
    "--reference",
    metavar="REF",
    help="Of the session, such as S-2026-001: to pick for, and to know what was given.",
)
@click.option("--location", metavar="PLACE", help="Where to pick; else anywhere.")
@click.option("--by", metavar="NAME", help="Who decides on overrides, or picks; for picking, else you.")
@click.option("--request-id", metavar="ID", help="Of the pick: the same id again changes nothing.")
@stock_option
@json_option
def command(
    formula: str,
    explain: bool,
    picks: bool,
    reference: str | None,
    location: str | None,
    by: str | None,
    request_id: str | None,
    stock: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """
    Work out what a session takes, and check it.

    FORMULA is a formula's id, a product's id (a formula of one line), or a file. Say how much is injected by
    --volume, by --points with --volume-per-point, or by --area with a technique; without any of them the
    formula is prepared as written. With --pick the stock keeps what it takes, all of it or nothing.
    """
    if picks and reference is None:
        raise click.UsageError("--pick: for which session? expected --reference, such as S-2026-001")
    asked = Asked(**given)
    asked.overrides(by)  # what is wrong with them is said before anything is read
    app = app_of()
    answer = worked_out(app, formula, asked, by=by, reference=reference, stock=stock)
    if picks and reference is not None and answer.ready:
        from mesoformula.cli.picked import answer_picked
        from mesoformula.cli.stock.common import actor
        from mesoformula.stock.records import Order

        order = Order(by or actor(), request_id=request_id)
        code = answer_picked(app, answer, order, reference, location, stock, explain=explain, as_json=as_json)
        report_problems(app)
        return code
    if as_json:
        print_json(session_plain(answer, explain=explain) | ({"pick": None} if picks else {}))
    else:
        print_session(answer, explain=explain)
        if picks:
            click.echo("NOT PICKED: the session is not ready.")
    report_problems(app)
    return 0 if answer.ready else 1
