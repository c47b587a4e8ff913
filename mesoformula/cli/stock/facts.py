"""`mesoformula stock fact`."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs
import click

from mesoformula.cli.common import app_of, print_json, print_table, print_wrapped, report_problems, safe
from mesoformula.cli.options import DayType, Type, example, option_name
from mesoformula.cli.stock.common import CostType, ExpiryType, open_store, write, write_options
from mesoformula.cli.stock.telling import assay_text, fact_text, money_plain
from mesoformula.stock.ledger.costs import cost_text
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.lots.fact_changes import FactChange
    from mesoformula.stock.lots.facts import LotFacts
    from mesoformula.stock.records import Assay, LotFact, Order, Receipt


class PercentType(Type):
    """A percentage on the command line, kept as it was written."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read `98.5 %`."""
        text = value.strip()
        if not text.endswith("%"):
            raise click.UsageError(
                f"{option_name(param)}{shown(value)}: expected a percentage, such as '98.5 %'", ctx
            )
        number: str = text[:-1].strip()
        return number


@click.command(
    "fact",
    epilog=example(
        "mesoformula stock fact fillmed/nctf-135ha 4711", "--expiry 2028-04 --reason 'letter of the maker'"
    ),
)
@click.argument("product", metavar="ID")
@click.argument("lot", metavar="LOT")
@click.option("--expiry", type=ExpiryType(), metavar="DAY", help="2027-05-31; 2027-05 means its last day.")
@click.option("--no-expiry", is_flag=True, help="None is printed.")
@click.option("--assay", type=PercentType(), metavar="PERCENT", help="Of what the label says: '98.5 %'.")
@click.option("--no-assay", is_flag=True, help="None holds any more.")
@click.option("--substance", metavar="ID", help="Of the assay: which substance.")
@click.option("--basis", metavar="BASIS", help="Of the assay: 'as is', anhydrous or base.")
@click.option("--water", type=PercentType(), metavar="PERCENT", help="Of an anhydrous assay: '1.2 %'.")
@click.option("--as", "moiety", metavar="ID", help="Of an assay as base: which base.")
@click.option("--cost", type=CostType(), metavar="PRICE", help="Of one container, such as '12.50 EUR'.")
@click.option("--remark", metavar="TEXT", help="Kept apart from the ledger, and erasable.")
@click.option("--on", type=DayType(), metavar="DAY", help="Show what held at the end of that day.")
@write_options
def fact(
    product: str,
    lot: str,
    order: Order,
    stock: str | None,
    as_json: bool,
    on: date | None,
    **given: Any,
) -> int:
    """
    Change what is known of a lot, or show it with its history where nothing is to be changed.

    Each change is a movement of its own: who, when, why, old and new are kept, and what held on any day can
    be told. All but a remark need a reason. --at says from when on it holds, if not from now.
    """
    changes = _changes(**given)
    if len(changes) > 1:
        raise click.UsageError("one fact at a time, each with its reason: expected one of " + _CHANGES)
    if changes:
        if on is not None:
            raise click.UsageError("--on shows what held on a day; say from when a change holds with --at")
        from mesoformula.stock.lots.facts import set_fact

        ((changed, value),) = changes.items()

        def work(app: App, store: Store) -> Receipt:
            receipt = set_fact(store, product, lot, changed, value, order=order)
            text = _uncounted(app, value)
            return receipt if text is None else attrs.evolve(receipt, notes=(*receipt.notes, text))

        return write(stock, as_json, work)
    app = app_of()
    with closing(open_store(app, stock)) as store:
        _show(store, product, lot, on, as_json)
    report_problems(app)
    return 0


_CHANGES = "--expiry, --no-expiry, --assay, --no-assay, --cost, --remark"


def _changes(
    *,
    expiry: date | None,
    no_expiry: bool,
    assay: str | None,
    no_assay: bool,
    substance: str | None,
    basis: str | None,
    water: str | None,
    moiety: str | None,
    cost: tuple[int, str] | None,
    remark: str | None,
) -> dict[LotFact, Any]:
    """Sort out what is to be changed."""
    from mesoformula.stock.ledger.costs import Cost
    from mesoformula.stock.records import LotFact

    found: dict[LotFact, Any] = {}
    if expiry is not None and no_expiry:
        raise click.UsageError("expected either --expiry or --no-expiry")
    if expiry is not None or no_expiry:
        found[LotFact.EXPIRY] = expiry
    if assay is not None and no_assay:
        raise click.UsageError("expected either --assay or --no-assay")
    if assay is not None or no_assay:
        found[LotFact.ASSAY] = _assay(assay, substance, basis, water, moiety) if assay is not None else None
    elif any(one is not None for one in (substance, basis, water, moiety)):
        raise click.UsageError("--substance, --basis, --water and --as are of an assay; give --assay too")
    if cost is not None:
        found[LotFact.COST] = Cost(cost[0], cost[0], cost[1], unpriced=False)
    if remark is not None:
        found[LotFact.REMARK] = remark
    return found


def _assay(
    percent: str, substance: str | None, basis: str | None, water: str | None, moiety: str | None
) -> Assay:
    from mesoformula.stock.records import Assay

    if substance is None or basis is None:
        raise click.UsageError(
            "an assay is of one substance, on a basis: expected --substance, such as ascorbic-acid, and "
            "--basis 'as is', anhydrous or base"
        )
    return Assay(substance.strip(), percent, basis.strip().replace("-", " "), water, moiety)


def _uncounted(app: App, value: Any) -> str | None:
    """Say why no session can count an assay: nobody knows the base, or a fact is missing."""
    from mesoformula.errors import CatalogueError, QuantityError, UnknownNameError
    from mesoformula.stock.lots.assays import factor_of
    from mesoformula.stock.records import Assay

    if not isinstance(value, Assay):
        return None
    try:
        factor_of(value, app.formulary.substance)
    except (QuantityError, UnknownNameError, CatalogueError) as err:
        return f"no session can count this assay, and this lot is refused there until it can: {err}"
    return None


def _show(store: Store, product: str, lot: str, on: date | None, as_json: bool) -> None:
    from mesoformula.clock import day_end
    from mesoformula.stock.lots.fact_changes import fact_history
    from mesoformula.stock.lots.facts import facts_on

    moment = None
    if on is not None:
        from datetime import timedelta

        moment = min(day_end(on, store.zone) - timedelta(microseconds=1), store.moment())
    facts = facts_on(store, product, lot, moment)
    history = fact_history(store, product, lot)
    if as_json:
        print_json(
            {
                "product": product,
                "lot": lot,
                "on": on.isoformat() if on is not None else None,
                **_facts_plain(facts),
                "history": [_change_plain(one) for one in history],
                "stock": str(store),
            }
        )
        return
    day = f" on {on}" if on is not None else ""
    print_wrapped(f"lot {shown(lot.strip())} of {product.strip()}{day}")
    for name, text in _texts(facts):
        print_wrapped(text, first=f"  {name:8}")
    if history:
        print_table(
            ("movement", "from", "fact", "before", "after", "who", "why"),
            (_row(one, store) for one in history),
            right=(0,),
            whole=(1,),
        )
    else:
        click.echo("nothing of it was ever changed")
    click.echo(safe(f"stock {store}"))


def _texts(facts: LotFacts) -> list[tuple[str, str]]:
    texts = [("expiry", f"usable through {facts.expiry}" if facts.expiry is not None else "none printed")]
    texts.append(("assay", assay_text(facts.assay) if facts.assay is not None else "none recorded"))
    texts.append(("cost", cost_text(facts.cost)))
    if facts.remark is not None:
        texts.append(("remark", facts.remark))
    held = [name for name in ("quarantined", "recalled") if getattr(facts, name)]
    if held:
        texts.append(("state", " and ".join(held).upper()))
    return texts


def _row(one: FactChange, store: Store) -> tuple[object, ...]:
    what = one.fact
    if one.opened is not None:
        what += f" (opened {one.opened})"
    elif one.location is not None:
        what += f" at {one.location}"
    after = fact_text(one.fact, one.new)
    if one.fact == "remark":
        after = one.remark if one.remark is not None else "(erased)"
    why = one.reason or (f"with movement {one.cause}" if one.cause is not None else "")
    moment = f"{one.effective_at.astimezone(store.zone):%Y-%m-%d %H:%M}"
    return one.movement, moment, what, fact_text(one.fact, one.old), after, one.actor, why


def _facts_plain(facts: LotFacts) -> dict[str, Any]:
    cost = facts.cost
    known = cost.currency is not None
    return {
        "expiry": facts.expiry.isoformat() if facts.expiry is not None else None,
        "assay": attrs.asdict(facts.assay) if facts.assay is not None else None,
        "cost": {
            "low": money_plain(cost.low, cost.currency),
            "high": money_plain(cost.high, cost.currency),
            "unpriced": cost.unpriced,
        }
        if known
        else None,
        "remark": facts.remark,
        "quarantined": facts.quarantined,
        "recalled": facts.recalled,
    }


def _change_plain(one: FactChange) -> dict[str, Any]:
    plain = attrs.asdict(one)
    plain["effective_at"] = one.effective_at.isoformat()
    plain["recorded_at"] = one.recorded_at.isoformat()
    plain["by"] = plain.pop("actor")
    return {name: value for name, value in plain.items() if value is not None}
