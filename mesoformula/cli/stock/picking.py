"""`mesoformula stock pick` and `mesoformula stock release`."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import date, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.options import DayType, QuantityType, Type, WholeType, example
from mesoformula.cli.stock.common import open_store, print_receipt, settings_of, write, write_options
from mesoformula.cli.stock.telling import containers_text, volume_plain, volume_text
from mesoformula.units import EXACT, magnitude
from mesoformula.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mesoformula.app import App
    from mesoformula.settings import Settings
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.picks.availability import Skipped
    from mesoformula.stock.picks.picking import Picked
    from mesoformula.stock.picks.reservations import Pick, Taken
    from mesoformula.stock.picks.shortage import Missing, ShortageError, Want
    from mesoformula.stock.records import Order, Receipt

_MOST_CONTAINERS = 1_000_000
_MOST_MINUTES = 366 * 24 * 60


class WantType(Type):
    """What is wanted of one product: `ID=2` containers, or `ID='1.5 mL'`."""

    name = "want"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Read it, or refuse it with the right form."""
        if not isinstance(value, str):
            return value
        product, equals, amount = value.partition("=")
        product, amount = product.strip(), amount.strip()
        if not equals or not product or not amount:
            expected = "expected ID=2 for containers, or ID='1.5 mL' for a volume"
            raise click.UsageError(f"{shown(value)}: {expected}", ctx)
        if re.fullmatch(r"[-+]?[\d.,]+", amount):
            return product, WholeType(1, _MOST_CONTAINERS).convert(amount, None, ctx), None
        volume = EXACT.scaleb(magnitude(QuantityType("volume").convert(amount, None, ctx), "mL"), 6)
        if volume != int(volume):
            raise click.UsageError(f"{shown(value)}: no whole number of nanolitres; round it", ctx)
        return product, None, int(volume)


class LapseType(Type):
    """How long something is kept, in whole minutes."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read `24 h`."""
        if not isinstance(value, str):
            return value
        minutes = magnitude(QuantityType("time").convert(value, param, ctx), "min")
        if minutes != int(minutes) or not 1 <= minutes <= _MOST_MINUTES:
            expected = "expected whole minutes, from '1 min' to '366 d'"
            raise click.UsageError(f"--lapse {shown(value)}: {expected}", ctx)
        return timedelta(minutes=int(minutes))


@click.command(
    "pick",
    epilog=example(
        "mesoformula stock pick fillmed/nctf-135ha=2",
        "phoenix-labs/ascorbic-acid-500='3 mL' --reference S-2026-001",
    ),
)
@click.argument("wants", metavar="ID=AMOUNT...", nargs=-1, type=WantType())
@click.option("--reference", metavar="REF", help="Of the session: 4 to 32 of A-Z, 0-9 and '-', never a name.")
@click.option("--lot", "lots", multiple=True, metavar="LOT", help="Of this lot only; may be given again.")
@click.option("--location", metavar="PLACE", help="From this place only.")
@click.option(
    "--policy", metavar="POLICY", help="How lots are chosen, such as fefo; else as the site has it."
)
@click.option("--days-left", type=WholeType(0, 36_500), metavar="N", help="Days to the expiry, at least.")
@click.option("--lapse", type=LapseType(), metavar="TIME", help="How long it is kept, such as '24 h'.")
@click.option("--on", type=DayType(), metavar="DAY", help="The day of use, if not today.")
@click.option("--list", "listed", is_flag=True, help="List what is kept for whom, and pick nothing.")
@write_options
def pick(
    wants: tuple[tuple[str, int | None, int | None], ...],
    reference: str | None,
    lots: tuple[str, ...],
    location: str | None,
    policy: str | None,
    days_left: int | None,
    lapse: timedelta | None,
    on: date | None,
    listed: bool,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Reserve what a session takes, all of it or nothing.

    ID=2 takes two containers (of a kit: kits). ID='1.5 mL' takes a volume: out of opened multi-dose
    containers first, the rest out of as many whole ones as it takes. Nothing leaves the stock before it is
    used.
    """
    from mesoformula.stock.picks.shortage import ShortageError, Want

    app = app_of()
    with closing(open_store(app, stock)) as store:
        if listed:
            if wants:
                raise click.UsageError("--list picks nothing; leave out what to pick, or --list")
            _print_picks(store, as_json)
            report_problems(app)
            return 0
        if not wants:
            raise click.UsageError("what is to be picked? expected such as fillmed/nctf-135ha=2, or --list")
        if reference is None:
            raise click.UsageError("for which session? expected --reference, such as S-2026-001")
        if lots and len(wants) > 1:
            raise click.UsageError("--lot is for one product; pick the others on their own")
        try:
            picked = app.pick(
                store,
                [Want(product, containers, volume, lots) for product, containers, volume in wants],
                _settings(policy, days_left, lapse),
                order=order,
                reference=reference,
                location=location,
                on=on,
            )
        except ShortageError as err:
            _refuse_unknown(app, store, err.missing)
            print_shortage(store, err, as_json)
            report_problems(app)
            return 1
        if as_json:
            print_receipt(store, picked.receipt, True, extra={"pick": picked_plain(picked)})
        else:
            _print_picked(store, picked)
    report_problems(app)
    return 0


def _settings(policy: str | None, days_left: int | None, lapse: timedelta | None) -> Settings:
    """Put what the command says in the place of what the site has set."""
    site = settings_of()
    return attrs.evolve(
        site,
        lot_policy=policy if policy is not None else site.lot_policy,
        minimum_days_left=days_left if days_left is not None else site.minimum_days_left,
        reservations_lapse_after=lapse if lapse is not None else site.reservations_lapse_after,
    )


def _refuse_unknown(app: App, store: Store, missing: Iterable[Missing]) -> None:
    """Take a product that neither the stock nor a catalogue knows for a misspelt one."""
    from mesoformula.stock.picks.availability import ever_held

    for one in missing:
        product = one.product.partition("@")[0]
        if not app.formulary.has_product(product) and not ever_held(store, product):
            app.formulary.product(product)


# ---- telling -----------------------------------------------------------------------------------------------


def taken_text(one: Taken, zone: tzinfo) -> str:
    """
    Say what a pick keeps of one lot in one place.

    Args:
        one: What.
        zone: Of the site.

    Returns:
        Such as `2 vials of lot 4711 at fridge, usable through 2027-05-31`.
    """
    until = f"usable through {one.expiry}" if one.expiry is not None else "no expiry printed"
    if one.opened is not None and one.nanolitres is not None:
        text = (
            f"{volume_text(one.nanolitres)} of opened container {one.opened}, lot {one.lot} at {one.location}"
        )
        if one.beyond_use_at is not None:
            until = f"use before {one.beyond_use_at.astimezone(zone):%Y-%m-%d %H:%M}"
        return f"{text}, {until}"
    text = f"{containers_text(one.product, one.containers)} of lot {one.lot} at {one.location}, {until}"
    return text if one.nanolitres is None else f"{text}; draw {volume_text(one.nanolitres)}"


def picked_plain(picked: Picked) -> dict[str, Any]:
    """
    Bring a pick to plain data for JSON.

    Args:
        picked: What was picked.

    Returns:
        Its number, until when it is kept, and what was taken and passed over for each want.
    """
    return {
        "pick": picked.receipt.movement,
        "reference": picked.reference,
        "lapses_at": picked.lapses_at.isoformat(),
        "lines": [
            {
                **_want_plain(line.want),
                "taken": [taken_plain(one) for one in line.taken],
                "skipped": [skipped_plain(one) for one in line.skipped],
            }
            for line in picked.lines
        ],
    }


def _want_plain(want: Want) -> dict[str, Any]:
    return {
        "wanted": want.product,
        "containers": want.containers,
        "volume": volume_plain(want.nanolitres),
        "lots": list(want.lots),
    }


def taken_plain(one: Taken) -> dict[str, Any]:
    """
    Bring what a pick keeps of one lot in one place to plain data for JSON.

    Args:
        one: What.

    Returns:
        It.
    """
    return {
        "product": one.product.pinned_id,
        "lot": one.lot,
        "location": one.location,
        "containers": one.containers,
        "volume": volume_plain(one.nanolitres),
        "expiry": one.expiry.isoformat() if one.expiry is not None else None,
        "opened": one.opened,
        "beyond_use_at": one.beyond_use_at.isoformat() if one.beyond_use_at is not None else None,
    }


def skipped_plain(one: Skipped) -> dict[str, Any]:
    """
    Bring what a pick passes over to plain data for JSON.

    Args:
        one: What.

    Returns:
        It, with the reason as a code and in words.
    """
    plain = {
        "product": one.product,
        "lot": one.lot,
        "location": one.location,
        "containers": one.containers,
        "opened": one.opened,
        "volume": volume_plain(one.nanolitres),
        "reason": one.reason.value,
        "why": one.why,
        "pick": one.pick,
        "reference": one.reference,
        "until": one.until.isoformat() if one.until is not None else None,
    }
    return {name: value for name, value in plain.items() if value is not None}


def shortage_plain(missing: Iterable[Missing]) -> list[dict[str, Any]]:
    """
    Bring what is short to plain data for JSON.

    Args:
        missing: By product.

    Returns:
        One for each.
    """
    return [
        {
            "product": one.product,
            "wanted": one.wanted,
            "available": one.available,
            "missing": one.missing,
            "volume": volume_plain(one.wanted_nanolitres),
            "in_opened": volume_plain(one.opened_nanolitres),
            "location": one.location,
            "skipped": [skipped_plain(each) for each in one.skipped],
            "next_lapse": one.next_lapse.isoformat() if one.next_lapse is not None else None,
            "first_expiry": one.first_expiry.isoformat() if one.first_expiry is not None else None,
        }
        for one in missing
    ]


def print_shortage(store: Store, err: ShortageError, as_json: bool) -> None:
    """
    Tell what is short.

    Args:
        store: The stock.
        err: What the pick answered.
        as_json: Whether to tell it to a machine.
    """
    if as_json:
        print_json({"pick": None, "shortage": shortage_plain(err.missing), "stock": str(store)})
        return
    click.echo("NOT PICKED, the stock is short:")
    for problem in err.problems:
        print_wrapped(problem.message, first="  ", rest="    ")
    click.echo(safe(f"stock {store}"))


def _print_picked(store: Store, picked: Picked) -> None:
    receipt = picked.receipt
    if receipt.repeated:
        click.echo(f"nothing changed: movement {receipt.movement} recorded this request before")
    until = f"{picked.lapses_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
    print_wrapped(f"pick {receipt.movement} for {picked.reference}, kept until {until}")
    for line in picked.lines:
        if line.taken:
            product = line.taken[0].product
            print_wrapped(f"{product.name} ({product.pinned_id})")
        print_taken(line.taken, line.skipped, store.zone)
    print_notes(picked)
    click.echo(safe(f"stock {store}"))
    click.echo(f"anchor {receipt.anchor}")


def print_taken(taken: Iterable[Taken], skipped: Iterable[Skipped], zone: tzinfo) -> None:
    """
    Print what was taken for one want, and what was passed over.

    Args:
        taken: What is kept.
        skipped: What is not; what lies elsewhere than asked for is left out.
        zone: Of the site.
    """
    from mesoformula.stock.picks.availability import Why
    from mesoformula.stock.picks.shortage import skipped_text

    for one in taken:
        print_wrapped(taken_text(one, zone), first="  ", rest="    ")
    for each in skipped:
        if each.reason not in (Why.LOCATION, Why.REVISION):
            print_wrapped(f"passed over: {skipped_text(each)}", first="  ", rest="    ")


def print_notes(picked: Picked) -> None:
    """
    Print what there is to know about a pick, and what to do next.

    Args:
        picked: What was picked.
    """
    for note in picked.receipt.notes:
        print_wrapped(f"note: {note}")
    number = picked.receipt.movement
    click.echo(f"next: mesoformula stock use --pick {number}, or stock release {number}")


def _print_picks(store: Store, as_json: bool) -> None:
    from mesoformula.stock.picks.reservations import picks

    found = picks(store)
    if as_json:
        print_json({"picks": [_pick_plain(one) for one in found], "stock": str(store)})
        return
    if not found:
        click.echo(safe(f"nothing is kept for a session in stock {store}"))
        return
    rows = []
    for one in found:
        until = f"{one.lapses_at.astimezone(store.zone):%Y-%m-%d %H:%M}{' LAPSED' if one.lapsed else ''}"
        what = [f"{taken.product.name}: {taken_text(taken, store.zone)}" for taken in one.taken]
        rows.append((one.number, one.reference, until, "\n".join(what)))
    print_table(("pick", "for", "until", "what"), rows, right=(0,), whole=(1,))
    click.echo(safe(f"stock {store}"))


def _pick_plain(one: Pick) -> dict[str, Any]:
    return {
        "pick": one.number,
        "reference": one.reference,
        "by": one.actor,
        "picked_at": one.picked_at.isoformat(),
        "lapses_at": one.lapses_at.isoformat(),
        "lapsed": one.lapsed,
        "taken": [taken_plain(taken) for taken in one.taken],
    }


# ---- release -----------------------------------------------------------------------------------------------


@click.command("release", epilog=example("mesoformula stock release 7"))
@click.argument("what", metavar="PICK | ID LOT", nargs=-1)
@click.option("--location", metavar="PLACE", help="Of a lot: in this place only.")
@click.option("--opened", type=WholeType(1, 2**53), metavar="N", help="An opened container, instead.")
@write_options
def release(
    what: tuple[str, ...],
    location: str | None,
    opened: int | None,
    order: Order,
    stock: str | None,
    as_json: bool,
) -> int:
    """
    Free a pick, or release a lot from quarantine or recall.

    PICK is the number of a pick, whose reservations end. ID and LOT name a lot that was quarantined or
    recalled; say why with --reason.
    """
    if opened is not None:
        if what or location is not None:
            raise click.UsageError("--opened names all that is released; leave out the rest")
        return write(stock, as_json, lambda _app, store: _release_opened(store, opened, order))
    if len(what) == 1 and what[0].strip().isascii() and what[0].strip().isdigit() and len(what[0]) < 20:
        if location is not None:
            raise click.UsageError("--location is for a lot; a pick is freed as a whole")
        number = int(what[0])
        return write(stock, as_json, lambda _app, store: _free(store, number, order))
    if len(what) != 2:
        raise click.UsageError(
            "what is to be released? expected the number of a pick, such as 7, or a product and its lot"
        )
    product, lot = what
    return write(stock, as_json, lambda _app, store: _release_lot(store, product, lot, location, order))


def _free(store: Store, number: int, order: Order) -> Receipt:
    from mesoformula.stock.picks.reservations import free

    return free(store, number, order=order)


def _release_lot(store: Store, product: str, lot: str, location: str | None, order: Order) -> Receipt:
    from mesoformula.stock.lots.holding import release_lot

    return release_lot(store, product, lot, location=location, order=order)


def _release_opened(store: Store, number: int, order: Order) -> Receipt:
    from mesoformula.stock.lots.holding import release_opened

    return release_opened(store, number, order=order)
