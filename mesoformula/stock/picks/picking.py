"""Picks: lots chosen by a policy and kept for a session, all that it wants or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select

from mesoformula.clock import site_day
from mesoformula.errors import LedgerError, OrderError, Problem
from mesoformula.keeping import SharingRule
from mesoformula.products import Doses
from mesoformula.sessions import LineQuantities, SessionQuantities
from mesoformula.settings import LONGEST_LAPSE
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.orders import (
    check_name,
    check_order,
    check_reference,
    containers_objections,
    figure,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.picks.availability import Shelf, available
from mesoformula.stock.picks.choosing import Asked, Chooser, PickedLine, container_volume
from mesoformula.stock.picks.policies import FEFO, LotPolicy
from mesoformula.stock.picks.reservations import Taken, ended_by, taken_by
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.units import EXACT, magnitude

if TYPE_CHECKING:
    from mesoformula.units import Quantity

_MOST_WANTS = 1000
_MOST_NANOLITRES = 10**12
_MOST_REVISION = 9999
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen
class Picked:
    """
    What a pick took.

    Attributes:
        receipt: Of the movement.
        reference: Of the session that it is for.
        lapses_at: When it ends by itself, in UTC.
        lines: One for each want, in their order.
    """

    receipt: Receipt
    reference: str
    lapses_at: datetime
    lines: tuple[PickedLine, ...]


def pick(
    store: Store,
    wants: Sequence[Want],
    *,
    order: Order,
    reference: str,
    policy: LotPolicy = FEFO,
    location: str | None = None,
    minimum_days_left: int = 0,
    lapses_after: timedelta = timedelta(hours=24),
    on: date | None = None,
    sharing_forbidden: bool = False,
    sharing_rules: Sequence[SharingRule] = (),
) -> Picked:
    """
    Keep for a session what it wants, all of it or nothing.

    A lot may be used through its expiry. Where a volume is wanted, opened multi-dose containers go first, the
    one that must be gone earliest before the others.

    Args:
        store: The stock.
        wants: What is wanted; the same product may come several times.
        order: Who picks and why; a pick is made now.
        reference: Of the session.
        policy: Chooses among the lots that may be picked.
        location: Where to take it; None for anywhere.
        minimum_days_left: Lots with fewer days from the day of use to their expiry are left alone.
        lapses_after: How long it is kept.
        on: The day of use, at the site; None means today.
        sharing_forbidden: Whether containers that serve another session are left alone.
        sharing_rules: What is to be said where one serves two.

    Returns:
        What is kept, and what was passed over.

    Raises:
        ShortageError: If there is not enough of something, with all that is missing.
        ChoiceError: If the policy leaves the choice of a lot to the user.
        OrderError: If what is asked makes no sense, with everything that stands against it.
        PluginResultError: If the policy answers with what it must not.
        StockError: If the store cannot be opened or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, order, store.moment())
    wants = tuple(_checked(problems, want) for want in wants)
    cleaned = check_reference(problems, reference)
    if cleaned is None:
        problems.append(Problem("reference", "a pick is for a session; give its reference"))
    place = check_name(problems, "location", location) if location is not None else None
    problems.extend(_objections(wants, order, minimum_days_left, lapses_after))
    if problems:
        raise OrderError(problems)
    asked = Asked(cleaned or "", policy, place, sharing_forbidden, tuple(sharing_rules))
    with store.reading() as connection:
        if connection is None:
            # A stock that does not exist is not made by asking it for what it does not hold.
            Chooser(store, asked, Shelf(), _day_of_use(store, on, store.moment())).choose(wants)
    chosen: list[PickedLine] = []
    ends: list[datetime] = []

    def work(posting: Posting) -> None:
        moment = to_moment(posting.recorded_at)
        day = _day_of_use(store, on, moment)
        shelf = available(
            store,
            posting.connection,
            {want.product_id for want in wants},
            moment=moment,
            on=day,
            minimum_days_left=minimum_days_left,
        )
        _check_lots(posting.connection, wants, shelf)
        chooser = Chooser(store, asked, shelf, day)
        chosen.extend(chooser.choose(wants))
        posting.notes.extend(chooser.notes)
        ends.append(moment + lapses_after)
        if site_day(ends[-1], store.zone) < day:
            posting.notes.append(
                f"it is kept until {site_day(ends[-1], store.zone)} only, before the day of use {day}; "
                "--lapse keeps it longer"
            )
        lapses_at = posting.recorded_at + lapses_after // _MICROSECOND
        posting.post(MovementKind.PICK, chooser.entries, session=cleaned, lapses_at=lapses_at)

    content = {
        "kind": MovementKind.PICK.value,
        "wants": [_plain(want) for want in wants],
        "reference": cleaned,
        "policy": policy.id,
        "location": place,
        "minimum_days_left": minimum_days_left,
        "lapses_after": lapses_after // _MICROSECOND,
        "on": on.isoformat() if on is not None else None,
    }
    receipt = carry_out(store, order, content, work)
    if receipt.repeated:
        return _read_back(store, receipt, wants)
    return Picked(receipt, asked.reference, ends[0], tuple(chosen))


def wants_of(quantities: SessionQuantities) -> tuple[tuple[Want, tuple[int, ...]], ...]:
    """
    Tell what a session takes from the stock.

    Of a multi-dose product the volume to draw is wanted, so that opened containers go first. The parts of a
    kit come out of the same kits, which are picked whole.

    Args:
        quantities: Of the session.

    Returns:
        What is wanted, each with the numbers of the lines that it is for.
    """
    found: list[tuple[Want, tuple[int, ...]]] = []
    parts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    numbers: dict[str, list[int]] = defaultdict(list)
    for line in quantities.lines:
        product = line.product
        if line.part is None:
            drawn = _drawn(line) if product.doses is Doses.MULTI else None
            found.append((Want(product.pinned_id, line.containers, drawn), (line.number,)))
        else:
            parts[product.pinned_id][line.part] += line.containers
            numbers[product.pinned_id].append(line.number)
    found.extend((Want(product, max(of.values())), tuple(numbers[product])) for product, of in parts.items())
    return tuple(sorted(found, key=lambda one: one[1]))


def _drawn(line: LineQuantities) -> int | None:
    """Tell what is drawn, as it is measured, unless that is more than the containers hold."""
    each = container_volume(line.product)
    if each is None:
        return None
    exact = _nanolitres(line.volume)
    measured = _nanolitres(line.measured) if line.measured is not None else exact
    return measured if 0 < measured <= each * line.containers else exact


def _nanolitres(volume: Quantity) -> int:
    return int(EXACT.scaleb(magnitude(volume, "mL"), 6).to_integral_value(ROUND_HALF_UP))


# ---- what is asked -----------------------------------------------------------------------------------------


def _checked(problems: list[Problem], want: Want) -> Want:
    """Clean one want, and note what is wrong with it."""
    text = want.product.strip(" ") if isinstance(want.product, str) else ""
    product, pinned, revision = text.partition("@")
    numbered = revision.isascii() and revision.isdigit() and 0 < int(revision[:9]) <= _MOST_REVISION
    if "/" not in product or not product.isprintable() or len(text) > 200 or (pinned and not numbered):
        expected = "expected vendor/sku, or vendor/sku@revision"
        problems.append(Problem("product", f"product {figure(want.product)}: {expected}"))
        text = ""
    what = f"{text}: " if text else ""
    if want.containers is None and want.nanolitres is None:
        problems.append(Problem("containers", f"{what}how much? expected a number of containers or a volume"))
    if want.containers is not None:
        problems.extend(Problem(code, what + said) for code, said in containers_objections(want.containers))
    volume = want.nanolitres
    if volume is not None and (type(volume) is not int or not 0 < volume <= _MOST_NANOLITRES):
        expected = "expected whole nanolitres, above 0"
        problems.append(Problem("volume", f"{what}volume {figure(volume)}: {expected}"))
    lots = tuple(check_name(problems, "lot", lot, place=what) for lot in want.lots)
    return attrs.evolve(want, product=text, lots=lots)


def _objections(wants: Sequence[Want], order: Order, days: Any, lapses_after: Any) -> Iterator[Problem]:
    if not wants:
        yield Problem("empty", "nothing to pick; name at least one product")
    if len(wants) > _MOST_WANTS:
        yield Problem("wants", f"{len(wants)} lines: expected at most {_MOST_WANTS}")
    if order.at is not None:
        yield Problem("at", "a pick is made now; leave out the moment, and record what was used with its own")
    if type(days) is not int or not 0 <= days <= 36_500:
        yield Problem("days-left", f"days left {figure(days)}: expected a whole number from 0 to 36500")
    if not isinstance(lapses_after, timedelta) or not timedelta(0) < lapses_after <= LONGEST_LAPSE:
        yield Problem(
            "lapse",
            f"kept for {figure(lapses_after)}: expected more than nothing, up to {LONGEST_LAPSE.days} d",
        )


def _day_of_use(store: Store, on: date | None, moment: datetime) -> date:
    today = site_day(moment, store.zone)
    if on is not None and on < today:
        raise OrderError([Problem("on", f"{on} has passed: a pick is for {today} or a later day")])
    return on or today


def _check_lots(connection: Connection, wants: Sequence[Want], shelf: Shelf) -> None:
    """Refuse lots that the ledger has never held, with what comes near; those that are gone are short."""
    there = {(stack.lot.product_id, stack.lot.number) for stack in shelf.stacks}
    there |= {(vessel.lot.product_id, vessel.lot.number) for vessel in shelf.vessels}
    problems: list[Problem] = []
    for want in wants:
        for number in want.lots:
            if (want.product_id, number) in there:
                continue
            try:
                find_lot(connection, want.product, number)
            except OrderError as err:
                problems.extend(err.problems)
    if problems:
        raise OrderError(problems)


def _plain(want: Want) -> dict[str, Any]:
    facts = {"product": want.product, "containers": want.containers, "nanolitres": want.nanolitres}
    plain: dict[str, Any] = {name: value for name, value in facts.items() if value is not None}
    return plain | ({"lots": list(want.lots)} if want.lots else {})


def _read_back(store: Store, receipt: Receipt, wants: Sequence[Want]) -> Picked:
    """Tell what was taken for a request that was carried out before, as the ledger says it."""
    with store.reading() as connection:
        if connection is None:
            raise LedgerError(f"{store}: is gone")
        table = schema.movement
        row = connection.execute(select(table).where(table.c.seq == receipt.movement)).one()
        taken = taken_by(store, connection, [receipt.movement])[receipt.movement]
        ended = ended_by(connection, receipt.movement)
    if ended is not None:
        kind, number = ended
        note = f"nothing is kept for it any more: movement {number} ({kind.value}) ended it"
        receipt = attrs.evolve(receipt, notes=(*receipt.notes, note))
    return Picked(receipt, row.session, to_moment(row.lapses_at), _shared_out(wants, taken))


def _shared_out(wants: Sequence[Want], taken: Sequence[Taken]) -> tuple[PickedLine, ...]:
    """Give each want what was taken for it: the lines of a pick stand in the order of its wants."""
    rest = list(taken)
    lines = []
    for want in wants:
        mine: list[Taken] = []
        while rest and not _served(want, mine):
            mine.append(rest.pop(0))
        lines.append(PickedLine(want, tuple(mine)))
    return tuple(lines)


def _served(want: Want, taken: Sequence[Taken]) -> bool:
    """Tell whether all of a want was taken: by volume, unless no label says what a container holds."""
    if want.nanolitres is not None and all(one.nanolitres is not None for one in taken):
        return sum(one.nanolitres or 0 for one in taken) >= want.nanolitres
    return sum(one.containers for one in taken) >= (want.containers or 0)
