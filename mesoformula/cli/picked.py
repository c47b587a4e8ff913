"""A session whose stock is picked: the answer of `mesoformula session --pick`."""

from __future__ import annotations

from contextlib import closing

import click

from mesoformula.app import Answer, App
from mesoformula.cli.common import print_json, print_wrapped, safe
from mesoformula.cli.session_telling import print_session, session_plain
from mesoformula.cli.stock.common import open_store, settings_of
from mesoformula.cli.stock.picking import (
    picked_plain,
    print_notes,
    print_shortage,
    shortage_plain,
    taken_text,
)
from mesoformula.stock.picks.availability import Why
from mesoformula.stock.picks.picking import wants_of
from mesoformula.stock.picks.shortage import ShortageError, skipped_text
from mesoformula.stock.records import Order


def answer_picked(
    app: App,
    answer: Answer,
    order: Order,
    reference: str,
    location: str | None,
    stock: str | None,
    *,
    explain: bool,
    as_json: bool,
) -> int:
    """
    Pick what a session takes, and print both.

    Args:
        app: Of this run.
        answer: A session, worked out and ready.
        order: Who picks and why.
        reference: Of the session.
        location: Where to pick; None for anywhere.
        stock: As given.
        explain: Whether to add the working.
        as_json: Whether to tell it to a machine.

    Returns:
        The exit code: 1 if the stock is short.
    """
    numbers = [lines for _want, lines in wants_of(answer.quantities)]
    with closing(open_store(app, stock)) as store:
        try:
            answer, picked = app.pick_session(
                store, answer, settings_of(), order=order, reference=reference, location=location
            )
        except ShortageError as err:
            if as_json:
                short = {"pick": None, "shortage": shortage_plain(err.missing), "stock": str(store)}
                print_json(session_plain(answer, explain=explain) | short)
            else:
                print_session(answer, explain=explain)
                click.echo()
                print_shortage(store, err, as_json=False)
            return 1
        receipt = picked.receipt
        if as_json:
            plain = picked_plain(picked)
            for line, of in zip(plain["lines"], numbers, strict=True):
                line["of_lines"] = list(of)
            written = {
                "anchor": str(receipt.anchor),
                "repeated": receipt.repeated,
                "notes": list(receipt.notes),
                "stock": str(store),
            }
            print_json(session_plain(answer, explain=explain) | {"pick": plain | written})
            return 0 if answer.ready else 1
        beside: dict[int, list[str]] = {}
        for line_picked, of in zip(picked.lines, numbers, strict=True):
            for number in of:
                beside[number] = [taken_text(one, store.zone) for one in line_picked.taken]
        print_session(answer, explain=explain, beside=beside)
        click.echo()
        if receipt.repeated:
            click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
        until = f"{picked.lapses_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
        print_wrapped(f"pick {receipt.movement} for {picked.reference}, kept until {until}")
        for line_picked in picked.lines:
            for each in line_picked.skipped:
                if each.reason not in (Why.LOCATION, Why.REVISION):
                    text = f"passed over: {line_picked.want.product}: {skipped_text(each)}"
                    print_wrapped(text, first="  ", rest="    ")
        print_notes(picked)
        click.echo(safe(f"stock {store}"))
        click.echo(f"anchor {receipt.anchor}")
    return 0 if answer.ready else 1
