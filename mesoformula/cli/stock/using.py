"""`mesoformula stock use`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, print_wrapped, report_problems
from mesoformula.cli.options import QuantityType, WholeType, example
from mesoformula.cli.stock.common import open_store, print_receipt, settings_of, write_options

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.opened.implants import ImplantCard
    from mesoformula.stock.records import Order, Receipt
    from mesoformula.units import Quantity

_ANY_NUMBER = WholeType(1, 2**63 - 1)

#: For each way of using, the options that say nothing there.
_ELSEWHERE = {
    "--pick": ("containers", "location", "serial", "volume", "mass", "rest", "overfill"),
    "--opened": ("containers", "location", "serial"),
    "ID LOT": ("volume", "mass", "rest", "overfill", "discard"),
}


@click.command(
    "use",
    epilog=example("mesoformula stock use fillmed/nctf-135ha 4711", "--containers 1 --reference S-2026-001"),
)
@click.argument("product", metavar="[ID", required=False)
@click.argument("lot", metavar="LOT]", required=False)
@click.option("--pick", type=_ANY_NUMBER, metavar="N", help="Use all that this pick kept.")
@click.option("--opened", type=_ANY_NUMBER, metavar="N", help="Draw from this opened container or mixture.")
@click.option("--reference", metavar="REF", help="Of the session; a pick knows its own.")
@click.option("--containers", type=WholeType(1, 1_000_000), metavar="N", help="How many whole containers.")
@click.option("--location", metavar="PLACE", help="Where they were taken, if the lot is in several places.")
@click.option("--serial", metavar="TEXT", help="Serial number of the pack, for implant cards.")
@click.option("--volume", type=QuantityType("volume"), metavar="VOLUME", help="How much was drawn.")
@click.option("--mass", type=QuantityType("mass"), metavar="MASS", help="The same, of what goes by mass.")
@click.option("--rest", is_flag=True, help="All that was left was used.")
@click.option("--discard", is_flag=True, help="What is left after this use is thrown away.")
@click.option("--overfill", is_flag=True, help="More was in it than the label says.")
@click.option(
    "--deviation", metavar="WHY", help="It has happened although it should not: the reason, recorded with it."
)
@write_options
def use(order: Order, stock: str | None, as_json: bool, **given: Any) -> int:
    """
    Record what a session took: all of a pick, whole containers of a lot, or some of an opened container.

    \b
      stock use --pick 7
      stock use ID LOT --containers 2 --reference S-2026-001
      stock use --opened 12 --volume '1 mL' --reference S-2026-001

    What is expired, quarantined, recalled, past its beyond-use date, kept for somebody else or opened for
    another session is refused; if it was used all the same, --deviation WHY records it.
    """  # noqa: D301 (click's mark, no backslash)
    way = _way(given)
    app = app_of()
    with closing(open_store(app, stock)) as store:
        receipt = _WAYS[way](app, store, order, given)
        cards = _cards(store, receipt)
        print_receipt(store, receipt, as_json, extra={"implant_cards": [_card_plain(card) for card in cards]})
        if not as_json:
            for card in cards:
                print_wrapped(_card_text(card))
    report_problems(app)
    return 0


def _way(given: dict[str, Any]) -> str:
    """Tell which of the three ways of using is meant, and refuse what belongs to another."""
    ways = [f"--{name}" for name in ("pick", "opened") if given[name] is not None]
    if given["product"] is not None:
        ways.append("ID LOT")
    if len(ways) != 1:
        raise click.UsageError("what was used? expected one of --pick N, --opened N, or ID LOT")
    (way,) = ways
    wrong = [f"--{name}" for name in _ELSEWHERE[way] if given[name]]
    if wrong:
        raise click.UsageError(f"{' and '.join(wrong)}: means nothing with {way}")
    if way == "ID LOT":
        if given["lot"] is None:
            raise click.UsageError("which lot? expected ID LOT, such as fillmed/nctf-135ha 4711")
        if given["containers"] is None:
            raise click.UsageError("how many? expected --containers N; to draw a volume, open one first")
    if way == "--opened" and sum(bool(given[name]) for name in ("volume", "mass", "rest")) != 1:
        raise click.UsageError(
            "how much was drawn? expected one of --volume, such as '1 mL', --mass or --rest"
        )
    if way != "--pick" and given["reference"] is None:
        raise click.UsageError("which session? expected --reference REF, such as S-2026-001")
    return way


def _use_pick(app: App, store: Store, order: Order, given: dict[str, Any]) -> Receipt:
    from mesoformula.stock.opened.using import use_pick

    return use_pick(
        store,
        given["pick"],
        rules=app.formulary.beyond_use_rules(),
        order=order,
        reference=given["reference"],
        discard=given["discard"],
        sharing=app.formulary.sharing_rules(),
        share=settings_of().share_multi_dose,
        deviation=given["deviation"],
    )


def _use_opened(app: App, store: Store, order: Order, given: dict[str, Any]) -> Receipt:
    from mesoformula.stock.opened.using import use_opened

    volume: Quantity | None = given["volume"]
    return use_opened(
        store,
        given["opened"],
        reference=given["reference"],
        order=order,
        volume=volume,
        mass=given["mass"],
        rest=given["rest"],
        discard=given["discard"],
        overfill=given["overfill"],
        sharing=app.formulary.sharing_rules(),
        share=settings_of().share_multi_dose,
        deviation=given["deviation"],
    )


def _use_whole(app: App, store: Store, order: Order, given: dict[str, Any]) -> Receipt:  # noqa: ARG001
    from mesoformula.stock.opened import using

    return using.use(
        store,
        given["product"],
        given["lot"],
        containers=given["containers"],
        reference=given["reference"],
        order=order,
        location=given["location"],
        serial=given["serial"],
        deviation=given["deviation"],
    )


_WAYS = {"--pick": _use_pick, "--opened": _use_opened, "ID LOT": _use_whole}


def _cards(store: Store, receipt: Receipt) -> list[ImplantCard]:
    """Find the implant cards of this use."""
    from mesoformula.stock.opened.implants import implant_cards
    from mesoformula.stock.views.history import movements_of

    (movement,) = movements_of(store, [receipt.movement])
    if movement.session is None:
        return []
    return [card for card in implant_cards(store, movement.session) if card.movement == receipt.movement]


def _card_plain(card: ImplantCard) -> dict[str, Any]:
    return {
        "product": card.product.pinned_id,
        "name": card.product.name,
        "vendor": card.product.vendor.name,
        "device": card.device,
        "lot": card.lot,
        "serial": card.serial,
        "expiry": card.expiry.isoformat() if card.expiry is not None else None,
        "day": card.day.isoformat(),
        "containers": card.containers,
        "opened": card.opened,
        "movement": card.movement,
    }


def _card_text(card: ImplantCard) -> str:
    parts = [
        f"implant card: {card.product.name}, {card.product.vendor.name}",
        f"device {card.device or 'not known'}",
        f"lot {card.lot}",
        f"serial {card.serial or 'not known'}",
        f"expiry {card.expiry or 'none'}",
        f"used on {card.day}",
    ]
    return ", ".join(parts)
