"""What of the stock may be picked, and what stands against the rest."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import attrs
from sqlalchemy import Connection, select

from mesoformula.clock import day_end, site_day
from mesoformula.products import Product
from mesoformula.stock import schema
from mesoformula.stock.appending import Lot, batches
from mesoformula.stock.figures import days_left
from mesoformula.stock.moments import from_moment, to_moment
from mesoformula.stock.reading import read_assay, read_opened, read_product
from mesoformula.stock.records import Assay, Opened
from mesoformula.stock.store import Store

K = TypeVar("K")


class Why(enum.StrEnum):
    """Why containers are passed over, the heaviest reason first."""

    RECALLED = "recalled"
    QUARANTINED = "quarantined"
    EXPIRED = "expired"
    DAYS_LEFT = "days-left"
    ONE_SESSION = "one-session"
    BEYOND_USE = "beyond-use"
    UNMEASURED = "unmeasured"
    SHARED = "shared"
    RESERVED = "reserved"
    LOCATION = "location"
    REVISION = "revision"


@attrs.frozen
class Skipped:
    """
    What a pick passes over.

    Attributes:
        product: With its revision.
        lot: The maker's lot number.
        location: Where it is.
        containers: How many whole containers; 0 of an opened one.
        reason: The heaviest of the reasons.
        why: All of them, in words.
        opened: Number of the opened container.
        nanolitres: Of an opened container: how much is passed over; None if it is not measured by volume.
        pick: Whose reservation keeps it.
        reference: Of the session that it is kept for.
        until: When that reservation lapses, in UTC.
    """

    product: str
    lot: str
    location: str
    containers: int
    reason: Why
    why: str
    opened: int | None = None
    nanolitres: int | None = None
    pick: int | None = None
    reference: str | None = None
    until: datetime | None = None


@attrs.frozen
class Stack:
    """
    Whole containers of one lot in one place.

    Attributes:
        lot: The lot.
        product: As it was when the lot was first received.
        place: Number of the place in this store.
        location: Its name.
        containers: How many are there.
        free: How many of them may be picked.
        expiry: The last day on which they may be used; None if none is printed.
        received_at: When the first of the lot arrived, in UTC.
        assay: What the lot's certificate says.
        skipped: What stands against the others.
    """

    lot: Lot
    product: Product
    place: int
    location: str
    containers: int
    free: int
    expiry: date | None
    received_at: datetime
    assay: Assay | None = None
    skipped: tuple[Skipped, ...] = ()

    @property
    def pinned_id(self) -> str:
        """Its product with its revision."""
        return f"{self.lot.product_id}@{self.lot.revision}"


@attrs.frozen
class Vessel:
    """
    An opened container of a product.

    Attributes:
        lot: Its lot.
        product: As it was when the lot was first received.
        opened: As it is kept.
        free: Nanolitres that may be picked.
        references: Sessions that it was used in or is kept for.
        assay: What the lot's certificate says.
        skipped: What stands against the rest.
    """

    lot: Lot
    product: Product
    opened: Opened
    free: int
    references: tuple[str, ...] = ()
    assay: Assay | None = None
    skipped: tuple[Skipped, ...] = ()

    @property
    def location(self) -> str:
        """Where it is."""
        return self.opened.location

    @property
    def pinned_id(self) -> str:
        """Its product with its revision."""
        return f"{self.lot.product_id}@{self.lot.revision}"


@attrs.frozen
class Shelf:
    """
    What is there of some products.

    Attributes:
        stacks: Whole containers, in no particular order.
        vessels: Opened containers, what must go first before the others.
    """

    stacks: tuple[Stack, ...] = ()
    vessels: tuple[Vessel, ...] = ()


def available(
    store: Store,
    connection: Connection,
    products: Collection[str],
    *,
    moment: datetime,
    on: date,
    minimum_days_left: int = 0,
) -> Shelf:
    """
    Tell what of some products may be picked now, for use on a day.

    A lot may be used through its expiry. What is recalled, quarantined, expired by the day of use, short of
    the wanted shelf life or kept for an unlapsed pick may not be picked.

    Args:
        store: The stock.
        connection: In a transaction.
        products: Ids `vendor/sku`, under whichever revision.
        moment: Now: reservations that ended by then keep nothing.
        on: The day of use, at the site.
        minimum_days_left: Lots with fewer days from the day of use to their expiry are left alone.

    Returns:
        Every whole container and every opened one that is there.

    Raises:
        LedgerError: If a product record cannot be read.
    """
    rows = _stacked(connection, products)
    opened = _opened(connection, products)
    lots = {row.id for row in (*rows, *opened)}
    kept, poured = _reservations(connection, lots, moment)
    day = _Day(store, moment, on, minimum_days_left)
    stacks = []
    for row in rows:
        product = read_product(store, connection, row.product_hash)
        expiry = date.fromisoformat(row.known) if row.known is not None else None
        stack = Stack(
            lot=_lot(row),
            product=product,
            place=row.place,
            location=row.name,
            containers=row.containers,
            free=0,
            expiry=expiry,
            received_at=to_moment(row.received_at),
            assay=read_assay(row.assay),
        )
        held = bool(row.quarantined or row.held_here)
        stacks.append(_judged(stack, day, held, bool(row.recalled), kept.get((row.id, row.place), ())))
    vessels = []
    if opened:
        by_number = {row.opened: row for row in opened}
        for one in read_opened(store, connection, moment, numbers=by_number):
            row = by_number[one.id]
            product = read_product(store, connection, row.product_hash)
            vessel = Vessel(_lot(row), product, one, 0, assay=read_assay(row.assay))
            vessels.append(_judged_opened(vessel, day, poured.get(one.id, ())))
    vessels.sort(key=lambda vessel: (_until(vessel.opened), vessel.opened.id))
    return Shelf(tuple(stacks), tuple(vessels))


@attrs.frozen
class _Day:
    """The day of use, and what it asks of a lot."""

    store: Store
    moment: datetime
    on: date
    minimum: int

    def against(self, expiry: date | None, quarantined: bool, recalled: bool) -> Iterator[tuple[Why, str]]:
        """Say what stands against a lot on that day, the heaviest first."""
        if recalled:
            yield Why.RECALLED, "recalled"
        if quarantined:
            yield Why.QUARANTINED, "quarantined"
        left = days_left(expiry, self.on)
        if left is None:
            return
        if left < 0:
            today = site_day(self.moment, self.store.zone)
            passed = days_left(expiry, today)
            gone = passed is not None and passed < 0
            yield Why.EXPIRED, f"expired on {expiry}" if gone else f"expires on {expiry}, before {self.on}"
        elif left < self.minimum:
            many = f"{left} day{'' if left == 1 else 's'}"
            yield Why.DAYS_LEFT, f"{many} left until {expiry}, at least {self.minimum} wanted"

    def still_kept(self, until: datetime) -> bool:
        """Tell whether an opened container may be used now, or on all of a day to come."""
        if self.on <= site_day(self.moment, self.store.zone):
            return until > self.moment
        return until >= day_end(self.on, self.store.zone)

    def said(self, moment: datetime) -> str:
        """Write a moment in the site's time."""
        return local(self.store, moment)


def local(store: Store, moment: datetime) -> str:
    """
    Write a moment in the site's time.

    Args:
        store: Knows the site's time zone.
        moment: With a time zone.

    Returns:
        Such as `2026-11-24 17:30`.
    """
    return f"{moment.astimezone(store.zone):%Y-%m-%d %H:%M}"


def _judged(stack: Stack, day: _Day, quarantined: bool, recalled: bool, kept: Collection[_Kept]) -> Stack:
    against = list(day.against(stack.expiry, quarantined, recalled))
    if against:
        said = ", ".join(words for _why, words in against)
        return attrs.evolve(stack, skipped=(_skip(stack, stack.containers, against[0][0], said),))
    free = max(0, stack.containers - sum(one.amount for one in kept))
    skipped = tuple(
        _skip(
            stack,
            min(one.amount, stack.containers),
            Why.RESERVED,
            one.said(day),
            pick=one.pick,
            reference=one.reference,
            until=one.until,
        )
        for one in kept
    )
    return attrs.evolve(stack, free=free, skipped=skipped)


def _judged_opened(vessel: Vessel, day: _Day, kept: Collection[_Kept]) -> Vessel:
    opened = vessel.opened
    references = dict.fromkeys(opened.sessions)
    references.update((one.reference, None) for one in kept if one.reference is not None)
    against = list(day.against(opened.expiry, opened.quarantined, opened.recalled))
    if opened.beyond_use_at is None:
        against.append((Why.ONE_SESSION, "opened for one session only"))
    elif not day.still_kept(opened.beyond_use_at):
        against.append((Why.BEYOND_USE, f"to be used before {day.said(opened.beyond_use_at)}"))
    if opened.nanolitres is None:
        against.append((Why.UNMEASURED, "what is left in it is not known by volume"))
    left = opened.nanolitres or 0
    if against:
        said = ", ".join(words for _why, words in against)
        skipped = (_skip_opened(vessel, opened.nanolitres, against[0][0], said),)
        return attrs.evolve(vessel, references=tuple(references), skipped=skipped)
    return attrs.evolve(
        vessel,
        free=max(0, left - sum(one.amount for one in kept)),
        references=tuple(references),
        skipped=tuple(
            _skip_opened(
                vessel,
                min(one.amount, left),
                Why.RESERVED,
                one.said(day),
                pick=one.pick,
                reference=one.reference,
                until=one.until,
            )
            for one in kept
        ),
    )


def _skip(stack: Stack, containers: int, reason: Why, why: str, **said: Any) -> Skipped:
    return Skipped(stack.pinned_id, stack.lot.number, stack.location, containers, reason, why, **said)


def _skip_opened(vessel: Vessel, nanolitres: int | None, reason: Why, why: str, **said: Any) -> Skipped:
    return Skipped(
        vessel.pinned_id,
        vessel.lot.number,
        vessel.location,
        0,
        reason,
        why,
        opened=vessel.opened.id,
        nanolitres=nanolitres,
        **said,
    )


@attrs.frozen
class _Kept:
    """What an unlapsed pick keeps of one lot in one place, or of one opened container."""

    pick: int
    amount: int
    reference: str | None
    until: datetime

    def said(self, day: _Day) -> str:
        whom = f" for {self.reference}" if self.reference is not None else ""
        return f"reserved by pick {self.pick}{whom} until {day.said(self.until)}"


def _reservations(
    connection: Connection, lots: Collection[int], moment: datetime
) -> tuple[Mapping[tuple[int, int], list[_Kept]], Mapping[int, list[_Kept]]]:
    """Read what picks keep: containers by lot and place, and nanolitres by opened container."""
    table = schema.reservation
    kept: dict[tuple[int, int], dict[int, _Kept]] = defaultdict(dict)
    poured: dict[int, dict[int, _Kept]] = defaultdict(dict)
    for batch in batches(sorted(lots)):
        rows = connection.execute(
            select(table)
            .where(table.c.lot.in_(batch), table.c.lapses_at > from_moment(moment))
            .order_by(table.c.movement, table.c.line)
        )
        for row in rows:
            whole = row.opened is None
            side = kept[row.lot, row.location] if whole else poured[row.opened]
            amount = (row.containers if whole else row.nanolitres) or 0
            before = side.get(row.movement)
            if before is None:
                side[row.movement] = _Kept(row.movement, amount, row.session, to_moment(row.lapses_at))
            else:
                side[row.movement] = attrs.evolve(before, amount=before.amount + amount)
    return _listed(kept), _listed(poured)


def _listed(kept: Mapping[K, Mapping[int, _Kept]]) -> dict[K, list[_Kept]]:
    return {key: list(of.values()) for key, of in kept.items()}


def _stacked(connection: Connection, products: Collection[str]) -> list[Any]:
    lot, state, place, balance = schema.lot, schema.lot_state, schema.location, schema.balance
    found: list[Any] = []
    for batch in batches(sorted(products)):
        found.extend(
            connection.execute(
                select(
                    lot,
                    balance.c.location.label("place"),
                    balance.c.containers,
                    balance.c.quarantined.label("held_here"),
                    place.c.name,
                    state.c.expiry.label("known"),
                    state.c.received_at,
                    state.c.quarantined,
                    state.c.recalled,
                    state.c.assay,
                )
                .select_from(lot)
                .join(balance, balance.c.lot == lot.c.id)
                .join(state, state.c.lot == lot.c.id)
                .join(place, place.c.id == balance.c.location)
                .where(lot.c.product_id.in_(batch), balance.c.containers > 0)
            )
        )
    return found


def _opened(connection: Connection, products: Collection[str]) -> list[Any]:
    table, lot, state = schema.opened, schema.lot, schema.lot_state
    found: list[Any] = []
    for batch in batches(sorted(products)):
        found.extend(
            connection.execute(
                select(lot, table.c.id.label("opened"), state.c.assay)
                .select_from(table)
                .join(lot, lot.c.id == table.c.lot)
                .join(state, state.c.lot == lot.c.id)
                .where(table.c.gone == 0, lot.c.product_id.in_(batch))
            )
        )
    return found


def _lot(row: Any) -> Lot:
    return Lot(row.id, row.product_hash, row.product_id, row.revision, row.number, row.expiry)


def _until(opened: Opened) -> float:
    """Sort what must go first before the others."""
    return float("inf") if opened.beyond_use_at is None else opened.beyond_use_at.timestamp()


def ever_held(store: Store, product: str) -> bool:
    """
    Tell whether the stock ever had a product.

    Args:
        store: The stock.
        product: Id `vendor/sku`.

    Returns:
        False as well if there is no stock yet.
    """
    table = schema.lot
    with store.reading() as connection:
        if connection is None:
            return False
        return (
            connection.execute(select(table.c.id).where(table.c.product_id == product).limit(1)).first()
            is not None
        )
