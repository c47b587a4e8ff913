"""Mixtures made from containers, which never keep longer than anything that went into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from mesoformula.clock import day_end
from mesoformula.errors import OrderError, Problem, QuantityError, ShortStockError
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.settings import Sharing
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import (
    LONGEST_NAME,
    check_name,
    check_order,
    check_reference,
    containers_objections,
    figure,
)
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.finding import find_lot, find_place, lot_by_id
from mesoformula.stock.lots.judging import condition_of_opened
from mesoformula.stock.lots.lots import amount_text, in_smallest, local, lot_text, require_stock
from mesoformula.stock.opened.beyond_use import EXPIRY, STABILITY, Bound, end_of_period
from mesoformula.stock.opened.openings import governing, held, keeps, next_number
from mesoformula.stock.opened.taking import Taking
from mesoformula.stock.opened.terms import Amount, Terms, check_deviation
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.stock.views.reading import read_product
from mesoformula.units import magnitude, show

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: What a mixture is kept by, where it is no bound of what went into it.
STATED = "mixture:stated-period"
NOT_STATED = "mixture:not-stated"


@attrs.frozen
class Whole:
    """
    Whole containers of a lot that go into a mixture.

    Attributes:
        product: `vendor/sku`, or `vendor/sku@revision`.
        lot: The maker's lot number.
        containers: How many.
        location: Where they are taken; None where the lot is in one place only.
    """

    product: str
    lot: str
    containers: int = 1
    location: str | None = None


@attrs.frozen
class Drawn:
    """
    Some of an opened container, or of another mixture, that goes into a mixture.

    Attributes:
        opened: Its number.
        volume: How much; None means all that is left.
    """

    opened: int
    volume: Quantity | None = None


#: What a mixture is made from.
Input: TypeAlias = Whole | Drawn


def mix(
    store: Store,
    name: str,
    inputs: Sequence[Input],
    *,
    rules: Sequence[BeyondUseRule],
    location: str,
    order: Order,
    volume: Quantity | None,
    keep: Quantity | None = None,
    reference: str | None = None,
    sharing: Sequence[SharingRule] = (),
    share: Sharing = Sharing.WARN,
    deviation: str | None = None,
) -> Receipt:
    """
    Record a mixture: what went into it, how much it made, and how long it may be kept.

    Args:
        store: The stock.
        name: Of the mixture, for people.
        inputs: What it is made from.
        rules: Of the catalogues, on how long opened containers keep.
        location: Where the mixture is.
        order: Who makes it, why and when.
        volume: How much it made; [length]**3; None if that is not known.
        keep: For how long somebody states that it keeps; [time]; the reason of the order says who. None means
            for this session only.
        reference: Of the session it is for; None leaves that open.
        sharing: Rules of the catalogues on containers that serve two sessions.
        share: What the site does where two sessions share a multi-dose container.
        deviation: Why it was made although that should not be; None if nothing stands against it.

    Returns:
        The movement; its notes name the number of the mixture and its beyond-use date.

    Raises:
        OrderError: If anything stands against it.
        StockError: If the store cannot be read or written to.
    """
    problems: list[Problem] = []
    moment = store.moment()
    order = check_order(problems, check_deviation(problems, order, deviation), moment)
    name, location = _name(problems, name), check_name(problems, "location", location)
    reference = check_reference(problems, reference)
    made = in_smallest(problems, volume, "mL")
    asked = _asked(problems, inputs)
    _check_period(problems, keep, order)
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        terms = Terms(reference, deviating=deviation is not None, sharing=tuple(sharing), share=share)
        mixing = _Mixing(posting, terms, rules)
        for one, drawn in asked:
            if isinstance(one, Whole):
                mixing.whole(one)
            else:
                mixing.part(one.opened, drawn)
        mixing.taking.decide()
        number = next_number(posting)
        bound = mixing.bound(keep)
        until = None if bound.until is None else from_moment(bound.until)
        mixing.check_volume(made)
        entry = Entry(
            location=location,
            opened=number,
            subject=name,
            nanolitres=made,
            becomes="open",
            beyond_use_at=until,
            rule=bound.rule,
        )
        zone = posting.store.zone
        when = f"use before {local(until, zone)}" if until is not None else "this session only, never kept"
        posting.notes.append(
            f"opened container {number} {name}: {amount_text(made, None)}, {when}, by {bound.rule}: "
            f"{bound.reason}"
        )
        if until is not None and until <= posting.recorded_at:
            posting.notes.append(f"opened container {number}: past its beyond-use date already")
        posting.post(MovementKind.MIX, [*mixing.entries, entry], session=reference)

    content: dict[str, Any] = {
        "kind": MovementKind.MIX.value,
        "name": name,
        "inputs": [_content(one, drawn) for one, drawn in asked],
        "location": location,
        "nanolitres": made,
        "keep": show(keep) if keep is not None else None,
        "session": reference,
        "deviation": True if deviation is not None else None,
    }
    return carry_out(store, order, content, work)


class _Mixing:
    """What goes into a mixture, with what each of it allows."""

    def __init__(self, posting: Posting, terms: Terms, rules: Sequence[BeyondUseRule]) -> None:
        self.taking = Taking(posting, terms)
        self.entries: list[Entry] = []
        self._posting = posting
        self._rules = rules
        self._bounds: list[Bound] = []
        # Nanolitres that went in; None once some of it is not known.
        self._volume: int | None = 0

    def whole(self, one: Whole) -> None:
        """Add whole containers of a lot."""
        posting = self._posting
        lot = find_lot(posting.connection, one.product, one.lot)
        place = find_place(posting.connection, lot, one.location)
        self.entries.append(self.taking.containers(lot, place, one.containers))
        product = read_product(posting.store, posting.connection, lot.product)
        found = keeps(posting, lot, place, product, self._rules)
        first = governing(found)
        what = lot_text(lot)
        self._bounds.append(attrs.evolve(first, reason=f"{what}: {first.reason}"))
        # Where it serves one session and has expired, the session governs, and the expiry still counts.
        self._bounds += (
            attrs.evolve(other, reason=f"{what}: {other.reason}")
            for other in found.others
            if other.applies and other.rule == EXPIRY
        )
        if product.stability_after_preparation is not None:
            until = end_of_period(
                product.stability_after_preparation, to_moment(posting.at), posting.store.zone
            )
            stated = show(product.stability_after_preparation)
            self._bounds.append(Bound(STABILITY, until, f"{what}: {stated} after preparation"))
        volume, _mass = held(product)
        self._add(volume * one.containers if volume is not None else None)

    def part(self, number: int, nanolitres: int | None) -> None:
        """Add some of an opened container, or all that is left."""
        posting = self._posting
        entries = self.taking.drawn(number, Amount(nanolitres, rest=nanolitres is None))
        self.entries += entries
        vessel = self.taking.vessels[number]
        what = f"opened container {number}"
        until = to_moment(vessel.beyond_use_at) if vessel.beyond_use_at is not None else None
        kept = f"until {local(vessel.beyond_use_at, posting.store.zone)}" if vessel.beyond_use_at else None
        self._bounds.append(
            Bound(
                vessel.rule or NOT_STATED,
                until,
                f"{what} keeps {kept}" if kept else f"{what} serves one session",
            )
        )
        expiry = condition_of_opened(posting.connection, number, posting.recorded_at).expiry
        if expiry is not None:
            end = day_end(expiry, posting.store.zone)
            self._bounds.append(Bound(EXPIRY, end, f"{what}: its lot may be used through {expiry}"))
        if vessel.lot is not None:
            lot = lot_by_id(posting.connection, vessel.lot)
            product = read_product(posting.store, posting.connection, lot.product)
            if product.stability_after_preparation is not None:
                period = product.stability_after_preparation
                end = end_of_period(period, to_moment(posting.at), posting.store.zone)
                self._bounds.append(Bound(STABILITY, end, f"{what}: {show(period)} after preparation"))
        taken = -sum(entry.nanolitres or 0 for entry in entries[-1:])
        self._add(taken or None)

    def _add(self, volume: int | None) -> None:
        self._volume = self._volume + volume if self._volume is not None and volume is not None else None

    def bound(self, keep: Quantity | None) -> Bound:
        """Choose what the mixture is kept by: this session, or the earliest of all."""
        posting = self._posting
        session = [one for one in self._bounds if one.until is None]
        if keep is None:
            reason = "how long it keeps is not stated"
            return session[0] if session else Bound(NOT_STATED, None, reason)
        if session:
            posting.notes.append(f"{show(keep)} was stated, and does not count: {session[0].reason}")
            return session[0]
        until = end_of_period(keep, to_moment(posting.at), posting.store.zone)
        stated = Bound(STATED, until, f"{show(keep)} after mixing, as stated with the movement")
        return min(
            (stated, *self._bounds), key=lambda one: from_moment(one.until) if one.until is not None else 0
        )

    def check_volume(self, made: int | None) -> None:
        """Refuse a mixture that holds more than went into it."""
        if made is not None and self._volume is not None and made > self._volume:
            raise ShortStockError(
                [
                    Problem(
                        "volume",
                        f"{amount_text(made, None)} of mixture cannot come from "
                        f"{amount_text(self._volume, None)}; name everything that went into it",
                    )
                ]
            )


def _name(problems: list[Problem], name: str) -> str:
    text = name.strip(" ")
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        problems.append(
            Problem(
                "name",
                f"name of a mixture {figure(name)}: expected 1 to {LONGEST_NAME} characters that print",
            )
        )
    return text


def _asked(problems: list[Problem], inputs: Sequence[Input]) -> list[tuple[Input, int | None]]:
    if not inputs:
        problems.append(Problem("empty", "a mixture is made from something; name at least one input"))
    found: list[tuple[Input, int | None]] = []
    for one in inputs:
        if isinstance(one, Whole):
            problems += (Problem(code, text) for code, text in containers_objections(one.containers))
            if one.location is not None:
                check_name(problems, "location", one.location)
            found.append((one, None))
        else:
            found.append((one, in_smallest(problems, one.volume, "mL")))
    return found


def _check_period(problems: list[Problem], keep: Quantity | None, order: Order) -> None:
    if keep is None:
        return
    try:
        seconds = magnitude(keep, "s")
    except QuantityError as err:
        problems.append(Problem("keep", str(err)))
        return
    if seconds < 60:
        problems.append(Problem("keep", f"{show(keep)}: expected at least 1 min"))
    if order.reason is None:
        problems.append(
            Problem("reason", f"who says that it keeps {show(keep)}? name the source as the reason")
        )


def _content(one: Input, nanolitres: int | None) -> dict[str, Any]:
    if isinstance(one, Whole):
        said: dict[str, Any] = {
            "product": one.product.strip(" "),
            "lot": one.lot.strip(" "),
            "containers": one.containers,
            "location": one.location,
        }
    else:
        said = {"opened": one.opened, "nanolitres": nanolitres}
    return {key: value for key, value in said.items() if value is not None}
