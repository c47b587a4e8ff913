"""`mesoformula stock value`."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.options import DayType, example, json_option, stock_option
from mesoformula.cli.stock.common import open_store
from mesoformula.cli.stock.telling import amount_text, containers_text, mass_plain, money_plain, volume_plain
from mesoformula.sessions import AmountKind
from mesoformula.stock.figures import in_major_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mesoformula.stock.views.worth import LotWorth, OpenedRest, Sum, Worth


@click.command("value", epilog=example("mesoformula stock value --since 2026-01-01"))
@click.option("--on", "day", type=DayType(), metavar="DAY", help="Value the stock at the end of this day.")
@click.option("--since", type=DayType(), metavar="DAY", help="First day for what was wasted.")
@click.option("--until", type=DayType(), metavar="DAY", help="Last day for it; else that of --on.")
@stock_option
@json_option
def value(day: date | None, since: date | None, until: date | None, stock: str | None, as_json: bool) -> int:
    """
    Tell what the stock is worth, and what was wasted, at what each lot actually cost.

    Whole containers count; an opened one counts as spent. Currencies are never added up.
    """
    from mesoformula.stock.views.worth import worth

    app = app_of()
    with closing(open_store(app, stock)) as store:
        # What was thrown away after the day that is looked at is no part of that day's picture.
        found = worth(store, day=day, since=since, until=until if until is not None else day)
        where = str(store)
    if as_json:
        print_json(_worth_plain(found, where))
    else:
        _print(found, where)
    report_problems(app)
    return 0


def _print(found: Worth, where: str) -> None:
    if not found.on_hand:
        click.echo(f"nothing is on hand as of {found.as_of}")
    else:
        click.echo(f"On hand, as of {found.as_of}")
        _print_parts(found.on_hand)
    click.echo("")
    period = _period(found.since, found.until)
    if not found.wasted:
        click.echo(f"no whole container was wasted{period}")
    else:
        click.echo(f"Wasted{period}")
        _print_parts(found.wasted)
    for rest in found.rests:
        print_wrapped(_rest_text(rest), rest="  ")
    print_wrapped("whole containers only: an opened container counts as spent when it is opened")
    click.echo(safe(f"stock {where}"))
    if found.anchor is not None:
        click.echo(f"anchor {found.anchor}")


def _print_parts(parts: Sequence[LotWorth]) -> None:
    from mesoformula.stock.views.worth import total, totals_by

    print_table(
        ("product", "lot", "containers", "value"),
        (
            (
                f"{one.product.name} ({one.product.pinned_id})",
                one.lot,
                containers_text(one.product, one.containers),
                _money_text(one.low, one.high, one.currency),
            )
            for one in parts
        ),
        whole=(2,),
    )
    reasons: dict[str, list[str]] = {}
    for one in parts:
        if one.why is not None:
            reasons.setdefault(one.why, []).append(one.lot)
    for why, lots in reasons.items():
        print_wrapped(f"lot {', '.join(lots)}: {why}", rest="  ")
    vendors = totals_by(parts, lambda one: one.product.vendor.name)
    products = totals_by(parts, lambda one: f"{one.product.name} ({one.product.id})")
    rows = [("product", str(name), _sums_text(sums)) for name, sums in products if len(products) < len(parts)]
    if len(vendors) > 1:
        rows += [("vendor", str(name), _sums_text(sums)) for name, sums in vendors]
    rows.append(("total", "", _sums_text(total(parts))))
    print_table(("by", "", "value"), rows)


def _sums_text(sums: Sequence[Sum]) -> str:
    return "; ".join(_money_text(one.low, one.high, one.currency) for one in sums) or "not known"


def _money_text(low: int | None, high: int | None, currency: str | None) -> str:
    if low is None or currency is None:
        return "not known"
    text = f"{in_major_units(low, currency):f}"
    if high is None:
        return f"at least {text} {currency}"
    return f"{text} {currency}" if low == high else f"{text} to {in_major_units(high, currency):f} {currency}"


def _period(since: date | None, until: date | None) -> str:
    text = f" from {since}" if since is not None else ""
    return text + (f" {'to' if since is not None else 'through'} {until}" if until is not None else "")


def _rest_text(rest: OpenedRest) -> str:
    what = f"{rest.product.name} lot {rest.lot}" if rest.product is not None else f"mixture {rest.name}"
    amount = amount_text(rest.nanolitres, rest.nanograms) or "what was left"
    return f"thrown away: {amount} of opened container {rest.opened} ({what}), without a value"


def _worth_plain(found: Worth, where: str) -> dict[str, Any]:
    return {
        "stock": where,
        "anchor": str(found.anchor) if found.anchor is not None else None,
        "as_of": found.as_of.isoformat(),
        "since": found.since.isoformat() if found.since is not None else None,
        "until": found.until.isoformat() if found.until is not None else None,
        "on_hand": _parts_plain(found.on_hand),
        "wasted": _parts_plain(found.wasted),
        "rests": [
            {
                "movement": one.movement,
                "at": one.at.isoformat(),
                "opened": one.opened,
                "product": one.product.pinned_id if one.product is not None else None,
                "lot": one.lot,
                "mixture": one.name,
                "volume": volume_plain(one.nanolitres),
                "mass": mass_plain(one.nanograms),
            }
            for one in found.rests
        ],
    }


def _parts_plain(parts: Sequence[LotWorth]) -> dict[str, Any]:
    from mesoformula.stock.views.worth import total, totals_by

    return {
        "lots": [
            {
                "product": one.product.pinned_id,
                "name": one.product.name,
                "vendor": one.product.vendor.id,
                "lot": one.lot,
                "containers": one.containers,
                "value": amount_plain(one.low, one.high, one.currency),
                "why": one.why,
            }
            for one in parts
        ],
        "products": [
            {"product": name, "value": [sum_plain(one) for one in sums]}
            for name, sums in totals_by(parts, lambda one: one.product.id)
        ],
        "vendors": [
            {"vendor": name, "value": [sum_plain(one) for one in sums]}
            for name, sums in totals_by(parts, lambda one: one.product.vendor.id)
        ],
        "total": [sum_plain(one) for one in total(parts)],
    }


def sum_plain(one: Sum) -> dict[str, Any]:
    """
    Write a total for JSON.

    Args:
        one: In one currency.

    Returns:
        An amount.
    """
    return amount_plain(one.low, one.high, one.currency)


def amount_plain(low: int | None, high: int | None, currency: str | None) -> dict[str, Any]:
    """
    Write what something cost for JSON, as every amount is written.

    Args:
        low: At least, in minor units; None if nothing is known.
        high: At most; None if that is not known.
        currency: ISO 4217 code.

    Returns:
        Its kind, with a value or with its bounds, and the currency as its unit.
    """
    plain = money_plain(low, currency)
    if plain is None or low is None or currency is None:
        return {"kind": AmountKind.UNDISCLOSED.value}
    if high is None:
        return {"kind": AmountKind.AT_LEAST.value, **plain}
    if low == high:
        return {"kind": AmountKind.STATED.value, **plain}
    return {
        "kind": AmountKind.DISPUTED.value,
        "low": plain["value"],
        "high": f"{in_major_units(high, currency):f}",
        "unit": currency,
    }
