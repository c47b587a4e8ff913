"""Booked sessions against the stock: what runs short and when, what expires unused, and what to order."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate

import attrs
from sqlalchemy import select

from mesoformula.clock import day_end, site_day
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.demand.bookings import Bookings, Status, read_bookings
from mesoformula.stock.demand.rehearsing import Going, Outcome, Rehearsal, Visit
from mesoformula.stock.figures import days_left
from mesoformula.stock.picks.availability import Shelf, Stack, available
from mesoformula.stock.picks.policies import FEFO, LotPolicy
from mesoformula.stock.picks.reservations import Pick, picks
from mesoformula.stock.views.reading import standing

_DAY = timedelta(days=1)


@attrs.frozen
class Terms:
    """
    On which terms new stock is ordered.

    Attributes:
        lead_times: Days from the order to the delivery, by product id or vendor id; what holds for a product
            goes before what holds for its vendor.
        lead_time: The same for all others; None if it is not known.
        safety_containers: Of every booked product, so many containers are to be there at the end of any day.
        safety_days: The same, counted as what the sessions of so many days take.
    """

    lead_times: Mapping[str, int] = attrs.field(factory=dict)
    lead_time: int | None = None
    safety_containers: int = 0
    safety_days: int = 0

    def days_for(self, product: str) -> int | None:
        """
        Tell how long a delivery takes.

        Args:
            product: Id, `vendor/sku`.

        Returns:
            Days; None if that is not known.
        """
        vendor = product.partition("/")[0]
        return self.lead_times.get(product, self.lead_times.get(vendor, self.lead_time))


@attrs.frozen
class Short:
    """
    A product of which there is not enough.

    Attributes:
        product: Its id.
        first_on: The first day on which a session lacks it.
        first_missing: Containers that are missing on that day.
        missing: Containers that are missing until the end.
        sessions: How many sessions lack it.
    """

    product: str
    first_on: date
    first_missing: int
    missing: int
    sessions: int


@attrs.frozen
class Unused:
    """
    Whole containers that no booked session will have taken by the time they expire.

    Attributes:
        product: Its id.
        lot: The maker's lot number.
        location: Where it is.
        containers: How many.
        expiry: Their last day of use.
    """

    product: str
    lot: str
    location: str
    containers: int
    expiry: date


@attrs.frozen
class Purchase:
    """
    What to order so that it is there in time.

    Attributes:
        product: Its id.
        needed_on: The day on which the first of it is needed.
        order_by: The last day to order it; None where nobody says how long a delivery takes.
        containers: How many are needed in the month of that day.
        packs: How many packs to order for that, with what earlier packs leave over counted in; None if it is
            not known how many containers a pack holds.
        late: Whether the last day to order it has passed.
    """

    product: str
    needed_on: date
    order_by: date | None
    containers: int
    packs: int | None
    late: bool


@attrs.frozen
class Forecast:
    """
    What is to come.

    Attributes:
        as_of: Today, at the site.
        until: The last day that is looked at.
        outcomes: The sessions, as they come.
        short: Products that run short, the first to run short first.
        unused: Lots that expire unused, the first to expire first.
        purchases: What to order, what is to be ordered first first.
        whole: Whole containers that the sessions take in all, by product id.
        notes: What to know.
    """

    as_of: date
    until: date
    outcomes: tuple[Outcome, ...] = ()
    short: tuple[Short, ...] = ()
    unused: tuple[Unused, ...] = ()
    purchases: tuple[Purchase, ...] = ()
    whole: Mapping[str, int] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()


def forecast(
    store: Store,
    *,
    rules: Sequence[BeyondUseRule],
    products: Callable[[str], Product | None],
    until: date | None = None,
    terms: Terms | None = None,
    policy: LotPolicy = FEFO,
    minimum_days_left: int = 0,
    sharing_forbidden: bool = False,
) -> Forecast:
    """
    Rehearse the booked sessions on the stock as it is today.

    What is quarantined or recalled does not count. A session that has passed without a recorded use does not
    either, and is told.

    Args:
        store: The stock; one that does not exist yet has nothing booked.
        rules: Of the catalogues, on how long opened containers keep.
        products: Finds the record of a product by its id, with or without a revision; None if nobody has it.
        until: The last day to look at; None for the day of the last booked session.
        terms: On which new stock is ordered.
        policy: Chooses among the lots.
        minimum_days_left: Lots with fewer days from the day of use to their expiry are left alone.
        sharing_forbidden: Whether containers that serve another session are left alone.

    Returns:
        What runs short, what expires unused and what to order.

    Raises:
        LedgerError: If the ledger, or a product record in it, cannot be read.
    """
    terms = terms or Terms()
    with store.reading() as connection:
        moment = store.moment(connection)
        today = site_day(moment, store.zone)
        if connection is None:
            return Forecast(today, until or today)
        booked = read_bookings(store, connection)
        held = connection.execute(select(schema.lot.c.product_id).distinct()).scalars()
        shelf = available(store, connection, {str(one) for one in held}, moment=moment, on=today)
        least = {product: int(number) for product, number in standing(connection, "minimum").items()}
    notes: list[str] = []
    visits = _visits(booked, today, until, notes)
    until = until or max((visit.on for visit in visits), default=today)
    rehearsal = Rehearsal(
        store,
        shelf,
        _lasting(picks(store), visits, store),
        rules=rules,
        products=products,
        policy=policy,
        minimum_days_left=minimum_days_left,
        sharing_forbidden=sharing_forbidden,
    )
    there = tuple(rehearsal.left)
    outcomes = tuple(map(rehearsal.play, visits))
    notes.extend(note for outcome in outcomes for note in outcome.notes)
    notes.extend(_held_apart(shelf, there))
    whole: Counter[str] = Counter()
    for outcome in outcomes:
        whole.update(outcome.whole)
    unused = _unused(rehearsal.left, today, until)
    levels = _Levels(today, until, terms, least, there, rehearsal.going, unused, outcomes)
    packs = {name: _per_pack(products, name, shelf) for name in levels.products}
    return Forecast(
        as_of=today,
        until=until,
        outcomes=outcomes,
        short=_short(outcomes),
        unused=unused,
        purchases=_purchases(levels, terms, packs),
        whole=dict(sorted(whole.items())),
        notes=tuple(dict.fromkeys(notes)),
    )


def _visits(booked: Iterable[Bookings], today: date, until: date | None, notes: list[str]) -> list[Visit]:
    visits = []
    passed = 0
    for of in booked:
        for course in of.courses:
            for one in course.sessions:
                passed += one.status is Status.PASSED
                if one.to_come and one.on >= today and (until is None or one.on <= until):
                    visits.append(Visit(of.reference, one.on, one.wants, course.at, one.pick, one.number))
    if passed:
        sessions = "session has" if passed == 1 else "sessions have"
        notes.append(
            f"{passed} booked {sessions} passed without a recorded use, and count for nothing: record the "
            "use, move or cancel: mesoformula course list"
        )
    return sorted(visits, key=lambda visit: visit.order)


def _lasting(open_picks: Iterable[Pick], visits: Iterable[Visit], store: Store) -> list[Pick]:
    """Let a pick last until the session that it is for."""
    served = {visit.pick: visit for visit in visits if visit.pick is not None}
    found = []
    for pick in open_picks:
        visit = served.get(pick.number)
        if visit is not None:
            pick = attrs.evolve(pick, lapses_at=max(pick.lapses_at, day_end(visit.on, store.zone)))
        elif pick.lapsed:
            continue
        found.append(pick)
    return found


def _held_apart(shelf: Shelf, there: Sequence[Stack]) -> Iterable[str]:
    counted = sum(stack.containers for stack in there)
    apart = sum(stack.containers for stack in shelf.stacks) - counted
    if apart:
        many = "1 container is" if apart == 1 else f"{apart} containers are"
        yield f"{many} quarantined or recalled, and not counted"


def _unused(left: Iterable[Stack], today: date, until: date) -> tuple[Unused, ...]:
    found = [
        Unused(stack.lot.product_id, stack.lot.number, stack.location, stack.containers, stack.expiry)
        for stack in left
        if stack.expiry is not None and today <= stack.expiry <= until
    ]
    return tuple(sorted(found, key=lambda one: (one.expiry, one.product, one.lot, one.location)))


def _short(outcomes: Iterable[Outcome]) -> tuple[Short, ...]:
    found: dict[str, Short] = {}
    for outcome in outcomes:
        for product, missing in outcome.short.items():
            day = outcome.visit.on
            before = found.get(product, Short(product, day, 0, 0, 0))
            first = before.first_missing + (missing if day == before.first_on else 0)
            found[product] = Short(
                product, before.first_on, first, before.missing + missing, before.sessions + 1
            )
    return tuple(sorted(found.values(), key=lambda one: (one.first_on, one.product)))


def _per_pack(products: Callable[[str], Product | None], name: str, shelf: Shelf) -> int | None:
    product = products(name)
    if product is None:
        held = (stack.product for stack in shelf.stacks if stack.lot.product_id == name)
        product = next(held, None)
    return product.containers_per_pack if product is not None else None


# ---- what to order -----------------------------------------------------------------------------------------


class _Levels:
    """How many containers of each product must have arrived by which day."""

    def __init__(
        self,
        today: date,
        until: date,
        terms: Terms,
        least: Mapping[str, int],
        there: Iterable[Stack],
        going: Iterable[Going],
        unused: Iterable[Unused],
        outcomes: Iterable[Outcome],
    ) -> None:
        self.today, self.until = today, until
        self._terms, self._least = terms, least
        self._there: Counter[str] = Counter()
        self._leaving: dict[str, Counter[date]] = defaultdict(Counter)
        self._taken: dict[str, Counter[date]] = defaultdict(Counter)
        self._short: dict[str, Counter[date]] = defaultdict(Counter)
        for stack in there:
            left = days_left(stack.expiry, today)
            if left is None or left >= 0:
                self._there[stack.lot.product_id] += stack.containers
        for one in going:
            self._leaving[one.product][one.on] += one.containers
        for expired in unused:
            self._leaving[expired.product][expired.expiry + _DAY] += expired.containers
        for outcome in outcomes:
            for product, number in outcome.whole.items():
                self._taken[product][outcome.visit.on] += number
            for product, number in outcome.short.items():
                self._short[product][outcome.visit.on] += number
        self.products = sorted({*self._taken, *self._short, *least})

    def required(self, product: str) -> list[tuple[date, int]]:
        """Say how many have to have arrived by the end of each day on which that rises."""
        short, leaving, taken = self._short[product], self._leaving[product], self._taken[product]
        days = {self.today, *short, *leaving, *taken}
        window = timedelta(days=self._terms.safety_days)
        if window:
            days.update(max(self.today, day - window) for day in taken)
        sums = _Sums(taken)
        missing, there, highest = 0, self._there[product], 0
        found = []
        for day in sorted(one for one in days if one <= self.until):
            missing += short[day]
            there -= leaving[day]
            ahead = sums.between(day, day + window) if window else 0
            reserve = self._terms.safety_containers if taken else 0
            least = max(self._least.get(product, 0), reserve, ahead)
            needed = missing + max(0, least - there)
            if needed > highest:
                highest = needed
                found.append((day, needed))
        return found


class _Sums:
    """What is taken between two days, found without adding it all up again."""

    def __init__(self, taken: Mapping[date, int]) -> None:
        self._days = sorted(taken)
        self._upto = [0, *accumulate(taken[day] for day in self._days)]

    def between(self, after: date, last: date) -> int:
        """Add up what is taken after a day, through another."""
        return self._upto[bisect_right(self._days, last)] - self._upto[bisect_right(self._days, after)]


def _purchases(levels: _Levels, terms: Terms, packs: Mapping[str, int | None]) -> tuple[Purchase, ...]:
    found = []
    for product in levels.products:
        per_pack, lead = packs[product], terms.days_for(product)
        ordered = arrived = 0
        months: dict[tuple[int, int], tuple[date, int]] = {}
        for day, needed in levels.required(product):
            first, _needed = months.get((day.year, day.month), (day, 0))
            months[day.year, day.month] = first, needed
        for needed_on, needed in months.values():
            more = None
            if per_pack is not None:
                more = -(-needed // per_pack) - ordered
                ordered += more
            by = needed_on - timedelta(days=lead) if lead is not None else None
            if more is None or more > 0:
                late = by is not None and by < levels.today
                found.append(Purchase(product, needed_on, by, needed - arrived, more, late))
            arrived = needed
    return tuple(sorted(found, key=lambda one: (one.order_by or one.needed_on, one.needed_on, one.product)))


def needed_by(
    store: Store,
    visits: Sequence[Visit],
    *,
    rules: Sequence[BeyondUseRule],
    products: Callable[[str], Product | None],
) -> tuple[Outcome, ...]:
    """
    Work out what sessions take from nothing, opened containers carried on where they may be kept.

    Args:
        store: Knows the site's time zone.
        visits: The sessions.
        rules: Of the catalogues, on how long opened containers keep.
        products: Finds the record of a product by its id.

    Returns:
        An outcome for each session: all that it takes is short.
    """
    rehearsal = Rehearsal(store, rules=rules, products=products)
    return tuple(map(rehearsal.play, sorted(visits, key=lambda visit: visit.order)))


def totals(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """
    Add up the whole containers of sessions.

    Args:
        outcomes: As rehearsed.

    Returns:
        Containers by product id, in the order in which they come first.
    """
    found: Counter[str] = Counter()
    for outcome in outcomes:
        found.update(outcome.whole)
    return dict(found)
