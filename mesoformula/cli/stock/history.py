"""`mesoformula stock history`."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.options import DayType, WholeType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.views.history import Asked, Found
    from mesoformula.stock.views.traces import Trace

_MOST = 50
_LARGEST = 2**53


@click.command("history", epilog=example("mesoformula stock history --lot 4711 --product fillmed/nctf-135ha"))
@click.argument("movement", required=False, type=WholeType(1, _LARGEST))
@click.option("--lot", metavar="LOT", help="About this lot, and whatever it went into.")
@click.option("--product", metavar="ID", help="About this product, vendor/sku or vendor/sku@revision.")
@click.option("--reference", metavar="REF", help="For this session.")
@click.option("--by", metavar="NAME", help="Recorded by this person.")
@click.option("--opened", type=WholeType(1, _LARGEST), metavar="N", help="About this opened container.")
@click.option("--since", type=DayType(), metavar="DAY", help="That happened on this day, or later.")
@click.option("--until", type=DayType(), metavar="DAY", help="That happened on this day, or before.")
@click.option(
    "--limit",
    type=WholeType(1, 1_000_000),
    metavar="N",
    help=f"How many of the newest; else {_MOST}, and with --json all.",
)
@stock_option
@json_option
def history(
    movement: int | None,
    lot: str | None,
    product: str | None,
    reference: str | None,
    by: str | None,
    opened: int | None,
    since: date | None,
    until: date | None,
    limit: int | None,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Show what was recorded, newest last; MOVEMENT is the number of one.

    With --lot the way of the lot follows: who delivered it, what is left, and every session that it went to,
    through opened containers and mixtures. With --reference follows everything that went into the session.
    """
    from mesoformula.stock.views.history import find_movements

    if since is not None and until is not None and since > until:
        raise click.UsageError(f"the period from {since} to {until} ends before it begins")
    app = app_of()
    with closing(open_store(app, stock)) as store:
        lots: tuple[int, ...] = ()
        _check_names(lot, product, by)
        if lot is not None:
            product, lots = _lots(store, lot, product)
        asked = _asked(
            store,
            movement=movement,
            lots=lots,
            product=product if lot is None else None,
            reference=reference,
            actor=by,
            opened=opened,
            since=since,
            until=until,
        )
        found = find_movements(store, asked, limit=limit or (None if as_json else _MOST))
        # Together with anything else, what was asked for is the movements themselves.
        alone = all(one is None for one in (movement, by, opened, since, until))
        trace = _trace(store, product, lot, reference) if alone else None
        if as_json:
            _print_json(store, found, trace)
        else:
            _print(app, store, found, trace)
    report_problems(app)
    return 0


def _check_names(lot: str | None, product: str | None, actor: str | None) -> None:
    """Refuse names that nothing can bear."""
    from mesoformula.errors import OrderError, Problem
    from mesoformula.stock.ledger.orders import check_name, check_product

    problems: list[Problem] = []
    if lot is not None:
        check_name(problems, "lot", lot)
    if product is not None:
        check_product(problems, product)
    if actor is not None:
        check_name(problems, "actor", actor)
    if problems:
        raise OrderError(problems)


def print_trace(app: App, store: Store, trace: Trace, as_json: bool) -> None:  # noqa: ARG001
    """
    Print where a lot went, or what a session was made of.

    Args:
        app: Of this run.
        store: Knows the site's time zone.
        trace: As followed.
        as_json: Whether to tell it to a machine.
    """
    from mesoformula.cli.stock.traces import summary, trace_plain, trace_texts, used_rows

    if as_json:
        print_json(trace_plain(trace))
        return
    for text in trace_texts(trace, store.zone):
        print_wrapped(text, rest="  ")
    if trace.reference is None:
        print_wrapped(summary(trace), rest="  ")
    rows = used_rows(trace, store.zone)
    if not rows:
        if trace.reference is not None:
            click.echo("nothing was used in this session so far")
        return
    what = "session" if trace.reference is None else "lot"
    print_table(("when", what, "quantity", "through", "movement", "note"), rows, right=(4,), whole=(0,))


def _asked(
    store: Store, *, since: date | None, until: date | None, reference: str | None, **said: object
) -> Asked:
    from mesoformula.clock import day_end, day_start
    from mesoformula.errors import OrderError, Problem
    from mesoformula.stock.ledger.orders import check_reference
    from mesoformula.stock.views.history import Asked

    problems: list[Problem] = []
    text = check_reference(problems, reference)
    if problems:
        raise OrderError(problems)
    return Asked(
        reference=text,
        since=day_start(since, store.zone) if since is not None else None,
        until=day_end(until, store.zone) if until is not None else None,
        **said,  # type: ignore[arg-type]
    )


def _lots(store: Store, lot: str, product: str | None) -> tuple[str, tuple[int, ...]]:
    """Find a lot by its number, and the product where it is left open and can be only one."""
    from mesoformula.errors import OrderError, Problem
    from mesoformula.stock.lots.lots import find_revisions
    from mesoformula.stock.views.history import products_with

    with store.reading() as connection:
        if connection is None:
            raise OrderError([Problem("empty", f"the stock is empty: {store}; is the path right?")])
        if product is None:
            products, close = products_with(connection, lot.strip(" "))
            if not products:
                hint = f"; did you mean {' or '.join(map(shown, close))}?" if close else ""
                raise OrderError([Problem("lot", f"lot {shown(lot)} is not in the stock{hint}")])
            if len(products) > 1:
                names = " or ".join(products)
                raise OrderError(
                    [
                        Problem(
                            "lot",
                            f"several products have a lot {shown(lot)}; name one with --product: {names}",
                        )
                    ]
                )
            product = products[0]
        return product, tuple(one.id for one in find_revisions(connection, product, lot))


def _trace(store: Store, product: str | None, lot: str | None, reference: str | None) -> Trace | None:
    from mesoformula.stock.views.tracing import trace_lot, trace_session

    if lot is not None and product is not None and reference is None:
        return trace_lot(store, product, lot)
    if reference is not None and lot is None and product is None:
        return trace_session(store, reference)
    return None


def _print(app: App, store: Store, found: Found, trace: Trace | None) -> None:
    from mesoformula.cli.stock.telling import movement_texts

    if found.more:
        click.echo(f"{found.more} older movements are not shown; see them with --limit {found.more + _MOST}")
    for one in found.movements:
        for text in movement_texts(one, store.zone, when=True):
            print_wrapped(text, rest="    ")
    if not found.movements:
        click.echo("no movement matches")
    if trace is not None:
        click.echo("")
        print_trace(app, store, trace, as_json=False)
    click.echo(safe(f"stock {store}"))
    anchor = _anchor(store)
    if anchor is not None:
        click.echo(f"anchor {anchor}")


def _print_json(store: Store, found: Found, trace: Trace | None) -> None:
    from mesoformula.cli.stock.telling import movement_plain
    from mesoformula.cli.stock.traces import trace_plain

    print_json(
        {
            "stock": str(store),
            "anchor": _anchor(store),
            "movements": [movement_plain(one) for one in found.movements],
            "more": found.more,
            "trace": trace_plain(trace) if trace is not None else None,
        }
    )


def _anchor(store: Store) -> str | None:
    from mesoformula.stock.views.reading import head_of

    with store.reading() as connection:
        head = head_of(connection) if connection is not None else None
    return str(head) if head is not None else None
