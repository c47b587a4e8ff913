"""A course, worked out: every session checked on its day, and all that it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import TYPE_CHECKING

import attrs

from mesoformula.errors import CatalogueError, UnknownNameError
from mesoformula.stock.demand.bookings import BookedCourse, BookedSession
from mesoformula.stock.demand.forecasting import needed_by, totals
from mesoformula.stock.demand.rehearsing import Visit
from mesoformula.stock.picks.picking import wants_of

if TYPE_CHECKING:
    from mesoformula.app import Answer, App
    from mesoformula.courses import Plan, PlannedSession
    from mesoformula.formulas import Formula
    from mesoformula.products import Product
    from mesoformula.stock.database.store import Store
    from mesoformula.stock.picks.shortage import Want
    from mesoformula.stock.records import StockView
    from mesoformula.treatments import Protocol


@attrs.frozen
class Cost:
    """
    What one container costs, or several, in one currency.

    Attributes:
        currency: ISO 4217 code.
        low: The lowest, in minor units.
        high: The highest.
    """

    currency: str
    low: int
    high: int


@attrs.frozen
class Need:
    """
    What a course takes of one product in all.

    Attributes:
        product: The product.
        containers: Whole containers, opened ones carried on where they may be kept.
        saved: How many fewer that is than if each session opened its own.
        costs: What they cost by the lots in stock, by currency; empty where that is not known.
    """

    product: Product
    containers: int
    saved: int = 0
    costs: tuple[Cost, ...] = ()

    @property
    def packs(self) -> int | None:
        """Whole packs; None where it is not known how many containers one holds."""
        each = self.product.containers_per_pack
        return None if each is None else -(-self.containers // each)


@attrs.frozen
class Worked:
    """
    A course, worked out.

    Attributes:
        formula: What is injected.
        protocol: As published; None for what was asked alone.
        plan: How often and how far apart.
        days: When.
        answers: Of each session.
        wants: What each takes from the stock.
        at: Time of day.
        minutes: How long each takes.
        notes: What to know.
        needs: What it takes in all.
    """

    formula: Formula
    protocol: Protocol | None
    plan: Plan
    days: tuple[PlannedSession, ...]
    answers: tuple[Answer, ...]
    wants: tuple[tuple[Want, ...], ...]
    at: time | None = None
    minutes: int | None = None
    notes: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing stands against any session."""
        return all(answer.ready for answer in self.answers)

    def booked(self) -> BookedCourse:
        """
        Bring it to the form in which it is booked.

        Returns:
            The course, its sessions numbered from 1.
        """
        session = self.answers[0].quantities.session
        return BookedCourse(
            formula=self.formula.id,
            version=self.formula.version,
            sessions=tuple(
                BookedSession(day.number, day.on, wants, maintenance=day.maintenance)
                for day, wants in zip(self.days, self.wants, strict=True)
            ),
            every=self.plan.at_least or self.plan.every,
            then_every=self.plan.at_least or self.plan.then_every,
            protocol=self.protocol.id if self.protocol is not None else None,
            zone=session.zone.id if session.zone is not None else None,
            technique=session.technique.id if session.technique is not None else None,
            at=self.at,
            minutes=self.minutes,
        )


def wanted(answer: Answer) -> tuple[Want, ...]:
    """
    Tell what a session takes from the stock.

    Args:
        answer: Worked out.

    Returns:
        What it wants, in the order of its lines.
    """
    return tuple(want for want, _lines in wants_of(answer.quantities))


def counted(worked: Worked, app: App, store: Store, view: StockView) -> Worked:
    """
    Add up what a course takes, and what that costs.

    Args:
        worked: The course.
        app: Knows products and rules.
        store: Knows the site's time zone.
        view: The stock, whose lots tell costs.

    Returns:
        The course with its needs.
    """
    visits = [
        Visit("COURSE", day.on, wants, worked.at, number=day.number)
        for day, wants in zip(worked.days, worked.wants, strict=True)
    ]
    find = product_finder(app)
    rules = app.formulary.beyond_use_rules()
    together = totals(needed_by(store, visits, rules=rules, products=find))
    # Each session on a shelf of its own: nothing is carried on.
    apart: Counter[str] = Counter()
    for visit in visits:
        apart.update(totals(needed_by(store, [visit], rules=rules, products=find)))
    pinned = {want.product_id: want.product for wants in worked.wants for want in wants}
    needs = []
    for name, containers in together.items():
        product = find(pinned[name])
        if product is not None:
            costs = tuple(_costs(view, name, containers))
            needs.append(Need(product, containers, apart[name] - containers, costs))
    return attrs.evolve(worked, needs=tuple(needs))


def product_finder(app: App) -> Callable[[str], Product | None]:
    """
    Make what finds products in the catalogues.

    Args:
        app: Of this run.

    Returns:
        A function from an id, with or without a revision, to the product; None if nobody has it.
    """

    def find(name: str) -> Product | None:
        try:
            return app.formulary.product(name)
        except (UnknownNameError, CatalogueError):
            return None

    return find


def _costs(view: StockView, product: str, containers: int) -> Iterable[Cost]:
    """Find what containers cost by the lots in stock that have a cost."""
    found: dict[str, Cost] = {}
    for one in view.on_hand:
        if one.product.id != product or one.currency is None:
            continue
        ends = one.cost_range or ((one.unit_cost, one.unit_cost) if one.unit_cost is not None else None)
        if ends is None:
            continue
        low, high = ends
        before = found.get(one.currency, Cost(one.currency, low, high))
        found[one.currency] = Cost(one.currency, min(low, before.low), max(high, before.high))
    for cost in sorted(found.values(), key=lambda one: one.currency):
        yield Cost(cost.currency, cost.low * containers, cost.high * containers)


def all_costs(needs: Iterable[Need]) -> tuple[Mapping[str, Cost], bool]:
    """
    Add up what a course costs, by currency.

    Args:
        needs: Of the course.

    Returns:
        Costs by currency, and whether they are all that it costs: False where a product has no known cost or
        costs in several currencies.
    """
    found: dict[str, Cost] = {}
    whole = True
    for need in needs:
        whole = whole and len(need.costs) == 1
        if len(need.costs) == 1:
            cost = need.costs[0]
            before = found.get(cost.currency, Cost(cost.currency, 0, 0))
            found[cost.currency] = Cost(cost.currency, before.low + cost.low, before.high + cost.high)
    return found, whole
