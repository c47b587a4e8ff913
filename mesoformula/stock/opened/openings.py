"""Containers that are opened: from then on each has a number, what is left in it, and a beyond-use date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_FLOOR, localcontext

from sqlalchemy import func, select

from mesoformula.errors import OrderError, Problem
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import Form, Product
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.moments import from_moment, to_moment
from mesoformula.stock.ledger.orders import check_name, check_order, check_reference, containers_objections
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.lots.finding import find_lot, find_place, place_id
from mesoformula.stock.lots.judging import condition_of
from mesoformula.stock.lots.lots import amount_text, local, require_stock
from mesoformula.stock.opened.beyond_use import BeyondUse, Bound, beyond_use, opened_mass, opened_volume
from mesoformula.stock.opened.taking import Taking
from mesoformula.stock.opened.terms import Terms, check_deviation
from mesoformula.stock.records import MovementKind, Order, Receipt
from mesoformula.stock.views.reading import read_product
from mesoformula.units import EXACT, magnitude

#: One write opens no more; each is a line of its own.
MOST_OPENED = 100


def open_container(
    store: Store,
    product: str,
    lot: str,
    *,
    rules: Sequence[BeyondUseRule],
    order: Order,
    location: str | None = None,
    containers: int = 1,
    prepared: bool = False,
    reference: str | None = None,
    serial: str | None = None,
    deviation: str | None = None,
) -> Receipt:
    """
    Open containers of a lot: their beyond-use clock starts at the moment of opening.

    Args:
        store: The stock.
        product: `vendor/sku`, or `vendor/sku@revision`.
        lot: The maker's lot number.
        rules: Of the catalogues, on how long opened containers keep.
        order: Who opens it, why and when.
        location: Where it is taken; None where the lot is in one place only.
        containers: How many; each gets a number of its own.
        prepared: Whether it was dissolved or mixed; a product with a powder always is.
        reference: Of the session it is opened for; None leaves that open.
        serial: Of the pack it is from.
        deviation: Why it was opened although that should not be; None if nothing stands against it.

    Returns:
        The movement; its notes name the numbers, the beyond-use dates and the rule that governs.

    Raises:
        OrderError: If anything stands against it.
        StockError: If the store cannot be read or written to.
    """
    problems: list[Problem] = []
    order = check_order(problems, check_deviation(problems, order, deviation), store.moment())
    reference = check_reference(problems, reference)
    problems += (Problem(code, text) for code, text in containers_objections(containers))
    if not problems and containers > MOST_OPENED:
        problems.append(Problem("containers", f"containers {containers}: at most {MOST_OPENED} at a time"))
    if location is not None:
        location = check_name(problems, "location", location)
    if serial is not None:
        serial = check_name(problems, "serial", serial)
    if problems:
        raise OrderError(problems)
    require_stock(store)

    def work(posting: Posting) -> None:
        found = find_lot(posting.connection, product, lot)
        place = find_place(posting.connection, found, location)
        taking = Taking(posting, Terms(reference=reference, deviating=deviation is not None))
        taken = taking.containers(found, place, containers, serial=serial)
        taking.decide()
        opening = Opening(posting, rules, prepared=prepared)
        lines = opening.lines(found, place, taken, containers)
        posting.post(MovementKind.OPEN, [taken, *lines], session=reference)

    content = {
        "kind": MovementKind.OPEN.value,
        "product": product.strip(" "),
        "lot": lot.strip(" "),
        "location": location,
        "containers": containers,
        "prepared": prepared or None,
        "session": reference,
        "serial": serial,
        "deviation": True if deviation is not None else None,
    }
    return carry_out(store, order, content, work)


class Opening:
    """The containers that one write opens."""

    def __init__(self, posting: Posting, rules: Sequence[BeyondUseRule], *, prepared: bool = False) -> None:
        """
        Begin.

        Args:
            posting: The write.
            rules: Of the catalogues, on how long opened containers keep.
            prepared: Whether they were dissolved or mixed.
        """
        self._posting = posting
        self._rules = rules
        self._prepared = prepared
        self._next = next_number(posting)

    def lines(self, lot: Lot, place: str, taken: Entry, containers: int) -> list[Entry]:
        """
        Give opened containers of a lot their numbers, what they hold and their beyond-use date.

        Args:
            lot: The lot.
            place: Where they are.
            taken: The line by which they leave the whole ones.
            containers: How many.

        Returns:
            A line for each.
        """
        posting = self._posting
        product = read_product(posting.store, posting.connection, lot.product)
        found = keeps(posting, lot, place, product, self._rules, prepared=self._prepared)
        volume, mass = held(product)
        lines = []
        for _ in range(containers):
            lines.append(
                Entry(
                    lot,
                    place,
                    opened=self._next,
                    nanolitres=volume,
                    nanograms=mass,
                    becomes="open",
                    beyond_use_at=stored_until(found),
                    rule=governing(found).rule,
                    device=taken.device,
                    serial=taken.serial,
                )
            )
            self._next += 1
        numbers = [line.opened for line in lines]
        called = (
            f"opened container {numbers[0]}"
            if containers == 1
            else f"opened containers {numbers[0]} to {numbers[-1]}"
        )
        amount = amount_text(volume, mass)
        posting.notes.append(f"{called}: {amount} by the label, how much more is in it is not known")
        posting.notes += said_of_beyond_use(called, found, posting)
        return lines


def keeps(
    posting: Posting,
    lot: Lot,
    place: str,
    product: Product,
    rules: Sequence[BeyondUseRule],
    *,
    prepared: bool = False,
) -> BeyondUse:
    """
    Tell when a container of a lot must be gone if it is opened at the moment of a write.

    Args:
        posting: The write.
        lot: The lot.
        place: Where it is.
        product: As the lot keeps it.
        rules: Of the catalogues.
        prepared: Whether it was dissolved or mixed; a product with a powder always is.

    Returns:
        The earliest of all that limits it. Of an expiry that was changed, the shorter counts.
    """
    where = place_id(posting.connection, place)
    expiries = [
        condition_of(posting.connection, lot.id, where, at).expiry for at in (posting.at, posting.recorded_at)
    ]
    expiry: date | None = min((day for day in expiries if day is not None), default=None)
    # A powder is of no use before it is dissolved, and what is dissolved never keeps longer.
    prepared = prepared or any(part.form is Form.POWDER for part in product.parts)
    return beyond_use(product, to_moment(posting.at), expiry, posting.store.zone, rules, prepared=prepared)


def held(product: Product) -> tuple[int | None, int | None]:
    """
    Tell how much one opened container holds by its label.

    Args:
        product: Any product.

    Returns:
        Nanolitres, or else nanograms; None where it is not stated so.
    """
    volume, mass = opened_volume(product), opened_mass(product)
    with localcontext(EXACT):
        # What is less than the smallest unit is left out: the figure is a lower bound anyway.
        if volume is not None:
            return int((magnitude(volume, "mL") * 1_000_000).to_integral_value(ROUND_FLOOR)), None
        if mass is not None:
            return None, int((magnitude(mass, "mg") * 1_000_000).to_integral_value(ROUND_FLOOR))
    return None, None


def governing(found: BeyondUse) -> Bound:
    """
    Tell which bound an opened container is kept by.

    Args:
        found: All bounds.

    Returns:
        The session where it serves one session only, even if its lot had expired; else the earliest.
    """
    first = Bound(found.rule, found.until, found.reason, found.source)
    if not found.session_only:
        return first
    return next(one for one in (first, *found.others) if one.until is None and one.applies)


def stored_until(found: BeyondUse) -> int | None:
    """
    Tell the moment that the ledger keeps with an opened container.

    Args:
        found: All bounds.

    Returns:
        Microseconds since 1970; None for this session only.
    """
    until = governing(found).until
    return None if until is None else from_moment(until)


def said_of_beyond_use(called: str, found: BeyondUse, posting: Posting) -> list[str]:
    """
    Say when an opened container must be gone, who says so, and what was considered besides.

    Args:
        called: What it is called.
        found: All bounds.
        posting: The write.

    Returns:
        Sentences.
    """
    zone = posting.store.zone
    first = governing(found)
    source = f" ({first.source.kind.value}: {first.source.where})" if first.source is not None else ""
    when = "this session only, never kept"
    if first.until is not None:
        when = f"use before {local(from_moment(first.until), zone)}"
    notes = [f"{called}: {when}, by {first.rule}: {first.reason}{source}"]
    others = []
    for one in (Bound(found.rule, found.until, found.reason, found.source), *found.others):
        if one == first:
            continue
        until = f"until {local(from_moment(one.until), zone)}" if one.until is not None else "this session"
        others.append(f"{one.rule} ({until}{'' if one.applies else ', does not count'}): {one.reason}")
    if others:
        notes.append(f"considered besides: {'; '.join(others)}")
    if first.until is not None and first.until <= to_moment(posting.recorded_at):
        notes.append(f"{called}: past its beyond-use date already; throw it away")
    return notes


def next_number(posting: Posting) -> int:
    """
    Find the number of the next opened container.

    Args:
        posting: The write, which holds the lock.

    Returns:
        One above the highest.
    """
    table = schema.opened
    last = posting.connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    return int(last) + 1
