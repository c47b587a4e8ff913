"""
Sessions to come, rehearsed on a copy of the shelf: what each would pick and use, were it picked on its day.

The lots are chosen by what picks choose by, and opened containers keep by what openings keep by. What is
short is counted and taken as delivered in time, so that the sessions after it find what they would find.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time

import attrs

from mesoformula.clock import day_end
from mesoformula.errors import ChoiceError, OrderError
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import Form, Product
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import days_left
from mesoformula.stock.ledger.appending import Lot
from mesoformula.stock.opened.beyond_use import beyond_use
from mesoformula.stock.opened.openings import governing
from mesoformula.stock.picks.availability import Shelf, Stack, Vessel, Why
from mesoformula.stock.picks.choosing import Asked, Chooser, container_volume
from mesoformula.stock.picks.policies import FEFO, LotPolicy
from mesoformula.stock.picks.reservations import Pick, Taken
from mesoformula.stock.picks.shortage import Missing, ShortageError, Want
from mesoformula.stock.records import Opened

#: What a session without a time of day is taken to begin at.
NOON = time(12)

_LATEST = datetime.max.replace(tzinfo=UTC)
_TO_COME = "to be delivered"

#: Product with its revision, lot number and location: one stack.
_Key = tuple[str, str, str]


@attrs.frozen
class Visit:
    """
    A session to come.

    Attributes:
        reference: Of the session.
        on: The day, at the site.
        wants: What it takes.
        at: Time of day; None counts as noon, and draws only on what keeps through the day.
        pick: The pick that keeps stock for it already.
        number: Of the session under its reference.
    """

    reference: str
    on: date
    wants: tuple[Want, ...]
    at: time | None = None
    pick: int | None = None
    number: int = 1

    @property
    def order(self) -> tuple[date, time, str, int]:
        """Sorts sessions as they come."""
        return self.on, self.at or NOON, self.reference, self.number


@attrs.frozen
class Outcome:
    """
    What a rehearsed session took.

    Attributes:
        visit: The session.
        whole: Whole containers that it took, with those that were short, by product id.
        short: Containers that were short, by product id.
        notes: What to know.
    """

    visit: Visit
    whole: dict[str, int]
    short: dict[str, int]
    notes: tuple[str, ...] = ()


@attrs.frozen
class Going:
    """
    Whole containers that leave what is there today.

    Attributes:
        product: Its id.
        on: The day on which a session takes them.
        containers: How many.
    """

    product: str
    on: date
    containers: int


@attrs.define
class _Found:
    """What choosing for one session has to say, gathered on the way."""

    short: Counter[str] = attrs.field(factory=Counter)
    unknown: Counter[str] = attrs.field(factory=Counter)
    notes: list[str] = attrs.field(factory=list)


class Rehearsal:
    """
    A copy of the shelf, on which sessions are rehearsed in the order of their days.

    Attributes:
        going: Whole containers that sessions took of what is there today.
    """

    def __init__(
        self,
        store: Store,
        shelf: Shelf | None = None,
        picks: Iterable[Pick] = (),
        *,
        rules: Sequence[BeyondUseRule] = (),
        products: Callable[[str], Product | None] = lambda _name: None,
        policy: LotPolicy = FEFO,
        minimum_days_left: int = 0,
        sharing_forbidden: bool = False,
    ) -> None:
        """
        Copy a shelf.

        Args:
            store: Knows the site's time zone.
            shelf: What is there today; None for nothing.
            picks: Those that are open, and keep some of it until they lapse or are used.
            rules: Of the catalogues, on how long opened containers keep.
            products: Finds the record of a product by `vendor/sku@revision`, for what is to be delivered.
            policy: Chooses among the lots.
            minimum_days_left: Lots with fewer days from the day of use to their expiry are left alone.
            sharing_forbidden: Whether containers that serve another session are left alone.
        """
        self.going: list[Going] = []
        self._store = store
        self._rules = rules
        self._products = products
        self._policy = policy
        self._minimum = minimum_days_left
        self._sharing_forbidden = sharing_forbidden
        self._picks = {pick.number: pick for pick in picks}
        self._stacks: dict[str, dict[_Key, Stack]] = defaultdict(dict)
        self._passed: list[Stack] = []
        self._vessels: dict[str, dict[int, Vessel]] = defaultdict(dict)
        self._records: dict[str, Product] = {}
        self._numbers: dict[str, int] = {}
        shelf = shelf or Shelf()
        for stack in shelf.stacks:
            self._records.setdefault(stack.pinned_id, stack.product)
            if not _held(stack):
                self._stacks[stack.lot.product_id][_key(stack)] = stack
        for vessel in shelf.vessels:
            if not (vessel.opened.quarantined or vessel.opened.recalled):
                self._vessels[vessel.lot.product_id][vessel.opened.id] = vessel
        self._next = max((vessel.opened.id for vessel in shelf.vessels), default=0) + 1

    @property
    def left(self) -> Iterator[Stack]:
        """What is there today and no session took so far, expired or not."""
        for stacks in (self._passed, *(one.values() for one in self._stacks.values())):
            yield from (stack for stack in stacks if stack.containers and stack.lot.id > 0)

    def play(self, visit: Visit) -> Outcome:
        """
        Rehearse a session.

        Args:
            visit: None before one that was rehearsed already.

        Returns:
            What it took, and what was short of it.

        Raises:
            PluginResultError: If the policy answers with what it must not.
        """
        at = datetime.combine(visit.on, visit.at or NOON, self._store.zone).astimezone(UTC)
        self._picks = {number: pick for number, pick in self._picks.items() if pick.lapses_at > at}
        pick = self._picks.pop(visit.pick, None) if visit.pick is not None else None
        found = _Found()
        served = pick is not None and all(map(self._is_there, pick.taken))
        taken = list(pick.taken) if pick is not None and served else self._chosen(visit, at, found)
        whole = found.unknown.copy()
        for one in taken:
            whole[one.product.id] += one.containers
            self._use(one, visit, at)
        return Outcome(visit, dict(+whole), dict(found.short), tuple(found.notes))

    def _is_there(self, one: Taken) -> bool:
        """Tell whether what a pick keeps can still be used."""
        if one.opened is not None:
            return one.opened in self._vessels[one.product.id]
        stack = self._stacks[one.product.id].get((one.product.pinned_id, one.lot, one.location))
        return stack is not None and stack.containers >= one.containers

    # ---- choosing ------------------------------------------------------------------------------------------

    def _chosen(self, visit: Visit, at: datetime, found: _Found) -> list[Taken]:
        """Choose as a pick does; what is short is delivered, and chosen from again."""
        wants = visit.wants
        policy = self._policy
        for _attempt in range(3):
            shelf = self._shelf(wants, visit, at)
            asked = Asked(visit.reference, policy, None, self._sharing_forbidden)
            try:
                lines = Chooser(self._store, asked, shelf, visit.on).choose(wants)
            except ShortageError as err:
                wants = self._supplied(wants, err.missing, found)
            except ChoiceError:
                found.notes.append(
                    f"lot policy {policy.id} leaves a choice to you; here what expires first is taken"
                )
                policy = FEFO
            except OrderError as err:
                found.notes.extend(f"not counted: {problem.message}" for problem in err.problems)
                return []
            else:
                return [one for line in lines for one in line.taken]
        return []

    def _supplied(
        self, wants: tuple[Want, ...], missing: Iterable[Missing], found: _Found
    ) -> tuple[Want, ...]:
        """Put on the shelf what is missing, and leave out what nobody knows the record of."""
        unknown = set()
        for one in missing:
            number = one.missing
            if number is None:
                number = sum(want.containers or 1 for want in wants if want.product == one.product)
            name = one.product.partition("@")[0]
            found.short[name] += number
            product = self._record(one.product)
            if product is None:
                unknown.add(one.product)
                found.unknown[name] += number
                found.notes.append(f"{one.product}: no catalogue knows it; counted by containers alone")
                continue
            stack = self._to_come(product)
            before = self._stacks[name].get(_key(stack), stack)
            self._stacks[name][_key(stack)] = attrs.evolve(before, containers=before.containers + number)
        return tuple(want for want in wants if want.product not in unknown)

    def _record(self, name: str) -> Product | None:
        """Find the record of a product, in the stock or among those that are on offer."""
        if name not in self._records:
            found = self._products(name)
            if found is None:
                return None
            self._records[name] = found
        return self._records[name]

    def _to_come(self, product: Product) -> Stack:
        """Stand in for what will be delivered; no lot of the stock has a number below zero."""
        number = -1 - self._numbers.setdefault(product.pinned_id, len(self._numbers))
        lot = Lot(number, "", product.id, product.revision, _TO_COME, None)
        return Stack(lot, product, 0, "", 0, 0, None, _LATEST)

    def _shelf(self, wants: Iterable[Want], visit: Visit, at: datetime) -> Shelf:
        """Tell what may be picked at a moment."""
        kept, poured = self._reserved()
        stacks, vessels = [], []
        for name in {want.product: None for want in wants}:
            record = self._record(name)
            if record is not None:
                # What a container holds is known where none is left, too.
                stacks.append(self._to_come(record))
        for product in {want.product_id: None for want in wants}:
            for key, stack in list(self._stacks[product].items()):
                left = days_left(stack.expiry, visit.on)
                if not stack.containers or (left is not None and left < 0):
                    # Nothing comes back: later sessions need not look at it.
                    self._passed.append(self._stacks[product].pop(key))
                elif left is None or left >= self._minimum:
                    free = max(0, stack.containers - kept[key])
                    stacks.append(attrs.evolve(stack, free=free, skipped=()))
            for number, vessel in list(self._vessels[product].items()):
                if self._is_over(vessel, visit, at):
                    del self._vessels[product][number]
                elif self._is_good(vessel, visit, at):
                    there = (vessel.opened.nanolitres or 0) - poured[number]
                    references = dict.fromkeys((*vessel.opened.sessions, *vessel.references))
                    vessels.append(
                        attrs.evolve(vessel, free=max(0, there), references=tuple(references), skipped=())
                    )
        vessels.sort(key=lambda one: (one.opened.beyond_use_at or _LATEST, one.opened.id))
        return Shelf(tuple(stacks), tuple(vessels))

    def _reserved(self) -> tuple[Counter[_Key], Counter[int]]:
        kept: Counter[_Key] = Counter()
        poured: Counter[int] = Counter()
        for pick in self._picks.values():
            for one in pick.taken:
                if one.opened is not None:
                    poured[one.opened] += one.nanolitres or 0
                else:
                    kept[one.product.pinned_id, one.lot, one.location] += one.containers
        return kept, poured

    def _is_over(self, vessel: Vessel, visit: Visit, at: datetime) -> bool:
        opened = vessel.opened
        left = days_left(opened.expiry, visit.on)
        passed = opened.beyond_use_at is None or opened.beyond_use_at <= at
        return passed or not opened.nanolitres or (left is not None and left < 0)

    def _is_good(self, vessel: Vessel, visit: Visit, at: datetime) -> bool:
        opened = vessel.opened
        left = days_left(opened.expiry, visit.on)
        if opened.beyond_use_at is None or (left is not None and left < self._minimum):
            return False
        # Without a time of day, what does not keep through the day may be gone by then.
        return opened.beyond_use_at > at if visit.at is not None else self._through(visit.on, opened)

    def _through(self, day: date, opened: Opened) -> bool:
        return opened.beyond_use_at is not None and opened.beyond_use_at >= day_end(day, self._store.zone)

    # ---- using ---------------------------------------------------------------------------------------------

    def _use(self, one: Taken, visit: Visit, at: datetime) -> None:
        """Take it off the shelf; the last container of what keeps stays there, opened."""
        name = one.product.id
        if one.opened is not None:
            vessel = self._vessels[name].get(one.opened)
            if vessel is not None:
                opened = vessel.opened
                left = (opened.nanolitres or 0) - (one.nanolitres or 0)
                sessions = tuple(dict.fromkeys((*opened.sessions, visit.reference)))
                opened = attrs.evolve(opened, nanolitres=left, sessions=sessions)
                self._vessels[name][one.opened] = attrs.evolve(vessel, opened=opened)
            return
        stack = self._stacks[name].get((one.product.pinned_id, one.lot, one.location))
        if stack is None:
            return
        self._stacks[name][_key(stack)] = attrs.evolve(stack, containers=stack.containers - one.containers)
        if stack.lot.id > 0:
            self.going.append(Going(name, visit.on, one.containers))
        each = container_volume(one.product)
        if one.nanolitres is None or each is None:
            return
        left = each * one.containers - one.nanolitres
        if 0 < left < each:
            self._open(stack, visit, at, each, left)

    def _open(self, stack: Stack, visit: Visit, at: datetime, each: int, left: int) -> None:
        """Keep the rest of an opened container, if it may be kept."""
        product = stack.product
        prepared = any(part.form is Form.POWDER for part in product.parts)
        found = beyond_use(product, at, stack.expiry, self._store.zone, self._rules, prepared=prepared)
        if found.session_only or found.until is None or found.until <= at:
            return
        bound = governing(found)
        opened = Opened(
            self._next,
            product,
            stack.lot.number,
            None,
            stack.location,
            at,
            bound.until,
            bound.rule,
            each,
            left,
            expiry=stack.expiry,
            sessions=(visit.reference,),
        )
        self._vessels[product.id][self._next] = Vessel(stack.lot, product, opened, 0, assay=stack.assay)
        self._next += 1


def _held(stack: Stack) -> bool:
    return bool(stack.skipped) and stack.skipped[0].reason in (Why.RECALLED, Why.QUARANTINED)


def _key(stack: Stack) -> _Key:
    return stack.pinned_id, stack.lot.number, stack.location
