"""What of the stock may be picked, and what stands against the rest."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import attrs
from sqlalchemy import BindParameter, Connection, bindparam, literal_column, select

from mesoformula.clock import day_end, site_day
from mesoformula.products import Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import Prepared
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import days_left
from mesoformula.stock.ledger.appending import Lot
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.records import Assay, Opened
from mesoformula.stock.views.reading import read_assay, read_opened, read_product

K = TypeVar("K")

_GIVEN: BindParameter[Any] = bindparam("given", expanding=True)
_lot, _state, _place, _balance = schema.lot, schema.lot_state, schema.location, schema.balance
_opened, _reservation = schema.opened, schema.reservation
# A lot as `Lot` holds it.
_LOT = (_lot.c.id, _lot.c.product_hash, _lot.c.product_id, _lot.c.revision, _lot.c.number, _lot.c.expiry)
_STACKS = Prepared(
    select(
        *_LOT,
        _balance.c.location.label("place"),
        _place.c.name,
        _balance.c.containers,
        _balance.c.quarantined.label("held_here"),
        _state.c.expiry.label("known"),
        _state.c.received_at,
        _state.c.quarantined,
        _state.c.recalled,
        _state.c.assay,
    )
    .select_from(_lot)
    .join(_balance, _balance.c.lot == _lot.c.id)
    .join(_state, _state.c.lot == _lot.c.id)
    .join(_place, _place.c.id == _balance.c.location)
    .where(_lot.c.product_id.in_(_GIVEN), _balance.c.containers > literal_column("0"))
)
_VESSELS = Prepared(
    select(*_LOT, _opened.c.id.label("opened"), _state.c.assay)
    .select_from(_opened)
    .join(_lot, _lot.c.id == _opened.c.lot)
    .join(_state, _state.c.lot == _lot.c.id)
    .where(_opened.c.gone == literal_column("0"), _lot.c.product_id.in_(_GIVEN))
)
_KEPT = Prepared(
    select(
        _reservation.c.movement,
        _reservation.c.lot,
        _reservation.c.location,
        _reservation.c.opened,
        _reservation.c.containers,
        _reservation.c.nanolitres,
        _reservation.c.lapses_at,
        _reservation.c.session,
    )
    .where(_reservation.c.lot.in_(_GIVEN), _reservation.c.lapses_at > bindparam("moment"))
    .order_by(_reservation.c.movement, _reservation.c.line)
)
_EVER = Prepared(select(_lot.c.id).where(_lot.c.product_id == bindparam("given")).limit(literal_column("1")))


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


# Sorts what need not go after everything that must.
_NEVER = datetime.max.replace(tzinfo=UTC)


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
    rows = _STACKS.named_of_many(connection, sorted(products))
    opened = _VESSELS.named_of_many(connection, sorted(products))
    lots = {row.id for row in (*rows, *opened)}
    kept, poured = _reservations(connection, lots, moment)
    day = _Day(store, moment, on, minimum_days_left, site_day(moment, store.zone))
    stacks = []
    for row in rows:
        stack = Stack(
            lot=Lot(*row[:6]),
            product=read_product(store, connection, row.product_hash),
            place=row.place,
            location=row.name,
            containers=row.containers,
            free=row.containers,
            expiry=date.fromisoformat(row.known) if row.known is not None else None,
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
            vessel = Vessel(Lot(*row[:6]), product, one, 0, assay=read_assay(row.assay))
            vessels.append(_judged_opened(vessel, day, poured.get(one.id, ())))
    vessels.sort(key=lambda vessel: (vessel.opened.beyond_use_at or _NEVER, vessel.opened.id))
    return Shelf(tuple(stacks), tuple(vessels))


@attrs.frozen
class _Day:
    """The day of use, and what it asks of a lot."""

    store: Store
    moment: datetime
    on: date
    minimum: int
    today: date

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
            passed = days_left(expiry, self.today)
            gone = passed is not None and passed < 0
            yield Why.EXPIRED, f"expired on {expiry}" if gone else f"expires on {expiry}, before {self.on}"
        elif left < self.minimum:
            many = f"{left} day{'' if left == 1 else 's'}"
            yield Why.DAYS_LEFT, f"{many} left until {expiry}, at least {self.minimum} wanted"

    def still_kept(self, until: datetime) -> bool:
        """Tell whether an opened container may be used now, or on all of a day to come."""
        if self.on <= self.today:
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
        passed_over = _skip(stack, stack.containers, against[0][0], said)
        return attrs.evolve(stack, free=0, skipped=(passed_over,))
    if not kept:
        return stack
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
    kept: dict[tuple[int, int], dict[int, _Kept]] = defaultdict(dict)
    poured: dict[int, dict[int, _Kept]] = defaultdict(dict)
    for pick, lot, place, opened, containers, nanolitres, until, session in _KEPT.of_many(
        connection, sorted(lots), moment=from_moment(moment)
    ):
        side = kept[lot, place] if opened is None else poured[opened]
        amount = (containers if opened is None else nanolitres) or 0
        before = side.get(pick)
        if before is None:
            side[pick] = _Kept(pick, amount, session, to_moment(until))
        else:
            side[pick] = attrs.evolve(before, amount=before.amount + amount)
    return _listed(kept), _listed(poured)


def _listed(kept: Mapping[K, Mapping[int, _Kept]]) -> dict[K, list[_Kept]]:
    return {key: list(of.values()) for key, of in kept.items()}


def ever_held(store: Store, product: str) -> bool:
    """
    Tell whether the stock ever had a product.

    Args:
        store: The stock.
        product: Id `vendor/sku`.

    Returns:
        False as well if there is no stock yet.
    """
    with store.reading() as connection:
        return connection is not None and bool(_EVER.rows(connection, given=product))
