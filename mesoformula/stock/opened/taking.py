"""
What a session or a mixture takes: each thing judged by what held for it at that moment, refused as a whole.

What is expired, quarantined, recalled, past its beyond-use date, kept for somebody else or opened for another
session is not taken. If it was taken all the same, that is recorded as a deviation, which names the reason
and never allows what cannot be: to take more than there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs
from sqlalchemy import select

from mesoformula.clock import site_day
from mesoformula.errors import OrderError, Problem, ShortStockError
from mesoformula.findings import Finding, Severity
from mesoformula.settings import Sharing
from mesoformula.stock.database import schema
from mesoformula.stock.ledger.appending import Entry, Lot
from mesoformula.stock.ledger.moments import to_moment
from mesoformula.stock.ledger.posting import Posting
from mesoformula.stock.ledger.tally import OpenedSum
from mesoformula.stock.lots.finding import find_opened, lot_by_id, place_id, place_name
from mesoformula.stock.lots.judging import (
    SAID,
    Condition,
    codes_of,
    condition_of,
    condition_of_opened,
    deviations_of,
    since_recalled,
)
from mesoformula.stock.lots.lots import amount_text, containers_there, listed, local, lot_text
from mesoformula.stock.opened.beyond_use import shared
from mesoformula.stock.opened.packs import pack_of
from mesoformula.stock.opened.serving import served_by
from mesoformula.stock.opened.terms import Amount, Terms, said_of_finding
from mesoformula.stock.records import Deviation, MovementKind
from mesoformula.stock.views.reading import read_product
from mesoformula.words import shown

_RECORD_IT = "if it has happened, record it with --deviation 'why'"


class Taking:
    """
    What one write takes.

    Attributes:
        vessels: Opened containers that are drawn from, as they are after that, by number.
    """

    def __init__(self, posting: Posting, terms: Terms) -> None:
        """
        Begin.

        Args:
            posting: The write.
            terms: On which it takes.
        """
        self.vessels: dict[int, OpenedSum] = {}
        self._posting = posting
        self._terms = terms
        self._refused: list[Problem] = []
        self._taken: dict[tuple[int, str], int] = defaultdict(int)

    def containers(self, lot: Lot, place: str, number: int, *, serial: str | None = None) -> Entry:
        """
        Take whole containers of a lot.

        Args:
            lot: The lot.
            place: Where they are.
            number: How many.
            serial: Of the pack they are from.

        Returns:
            The line that says so.

        Raises:
            OrderError: If no such pack was received.
        """
        posting = self._posting
        where = place_id(posting.connection, place)

        def condition(at: int) -> Condition:
            return condition_of(posting.connection, lot.id, where, at)

        what = f"{lot_text(lot)} at {shown(place)}"
        found = self._judged(what, condition(posting.at), condition(posting.recorded_at))
        if where is not None and self._kept_containers(lot, place, where, number):
            found.append(Deviation.RESERVED)
        pack = pack_of(posting.connection, lot, place, number, serial)
        if pack.note is not None:
            self._note(pack.note)
        return Entry(lot, place, -number, device=pack.device, serial=pack.serial, deviation=codes_of(found))

    def drawn(self, number: int, amount: Amount) -> list[Entry]:
        """
        Draw from an opened container or mixture.

        Args:
            number: Of the opened container.
            amount: How much.

        Returns:
            The lines that say so; the container is gone with the last of it.

        Raises:
            OrderError: If it is gone, was not open yet, or is measured otherwise.
        """
        posting = self._posting
        vessel = self._vessel(number, amount)
        wanted, left, by_mass = _measured(number, vessel, amount)
        found = self._judged_opened(number, vessel)
        if self._kept_volume(number, left if amount.discard else wanted, left):
            found.append(Deviation.RESERVED)
        found += self._shared(number)
        lot = lot_by_id(posting.connection, vessel.lot) if vessel.lot is not None else None
        place = place_name(posting.connection, vessel.location)
        device, serial = self._pack_of_opened(number, vessel)

        def entry(change: int | None, **said: str | None) -> Entry:
            volume, mass = (None, change) if by_mass else (change, None)
            return Entry(lot, place, opened=number, nanolitres=volume, nanograms=mass, **said)  # type: ignore[arg-type]

        entries = []
        if wanted is not None and wanted > (left or 0):
            excess = wanted - (left or 0)
            if not amount.overfill and left is not None:
                raise ShortStockError([Problem("short", _too_little(number, left, wanted, by_mass=by_mass))])
            supplied = vessel.supplied_nanograms if by_mass else vessel.supplied_nanolitres
            old = _text(supplied, by_mass=by_mass) if supplied is not None else None
            entries.append(
                entry(
                    excess,
                    becomes="open" if vessel.gone else None,
                    fact="overfill",
                    old=old,
                    new=_text((supplied or 0) + excess, by_mass=by_mass),
                )
            )
            left = wanted
        after = left - wanted if left is not None and wanted is not None else None
        gone = amount.rest or (after == 0 and not _of_unknown_size(vessel))
        entries.append(
            entry(
                -wanted if wanted else None,
                becomes="gone" if gone else None,
                device=device,
                serial=serial,
                deviation=codes_of(found),
            )
        )
        if by_mass:
            vessel.nanograms = after
        else:
            vessel.nanolitres = after
        vessel.gone = int(gone)
        return entries

    def decide(self) -> None:
        """
        Refuse all of it if anything stands against it and it is not recorded as a deviation.

        Raises:
            ShortStockError: With everything that stands against it.
        """
        if self._refused and not self._terms.deviating:
            raise ShortStockError(self._refused)
        if self._terms.deviating and not self._refused:
            self._note("nothing stood against it: no deviation is recorded, the reason is kept")

    # ---- what stands against it ----------------------------------------------------------------------------

    def refuse(self, deviation: Deviation, message: str) -> None:
        """
        Note something that stands against all of it.

        Args:
            deviation: What it is recorded as.
            message: What it is.
        """
        problem = Problem(deviation.value, f"{message}; {_RECORD_IT}")
        if problem not in self._refused:
            self._refused.append(problem)

    def _note(self, text: str) -> None:
        if text not in self._posting.notes:
            self._posting.notes.append(text)

    def _judged(self, what: str, then: Condition, now: Condition) -> list[Deviation]:
        """Judge by what held then; what came to light later is only pointed out."""
        posting = self._posting
        found = list(deviations_of(posting.store, then, posting.at))
        for one in found:
            detail = ""
            if one is Deviation.EXPIRED:
                detail = f" (it was usable through {then.expiry})"
            elif one is Deviation.BEYOND_USE and then.beyond_use_at is not None:
                detail = f" ({local(then.beyond_use_at, posting.store.zone)})"
            self.refuse(one, f"{what} is {SAID[one]}{detail}")
        if posting.late and since_recalled(then, now):
            found.append(Deviation.RECALLED_SINCE)
            self._note(f"{what} was recalled since: look into it")
        return found

    def _judged_opened(self, number: int, vessel: OpenedSum) -> list[Deviation]:
        posting = self._posting
        what = f"opened container {number}"
        then = condition_of_opened(posting.connection, number, posting.at)
        now = condition_of_opened(posting.connection, number, posting.recorded_at) if posting.late else then
        found = self._judged(what, then, now)
        zone = posting.store.zone
        opened_on = site_day(to_moment(vessel.opened_at), zone)
        # A session ends with its day at the latest; nothing says so, and nothing says that it goes on.
        if vessel.beyond_use_at is None and site_day(to_moment(posting.at), zone) != opened_on:
            found.append(Deviation.BEYOND_USE)
            self.refuse(
                Deviation.BEYOND_USE, f"{what} was opened on {opened_on}, and serves one session, never kept"
            )
        return found

    def _kept_containers(self, lot: Lot, place: str, where: int, number: int) -> bool:
        """Tell whether others would go short, who had picked before."""
        self._taken[lot.id, place] += number
        there = containers_there(self._posting.connection, lot.id, where)
        wanted = self._taken[lot.id, place]
        table = schema.reservation
        rows = self._reservations(table.c.lot == lot.id, table.c.location == where, table.c.opened.is_(None))
        kept = sum(row.containers or 0 for row in rows)
        if not kept or wanted > there or wanted <= there - kept:
            return False  # more than is there is refused when it is posted
        what = f"{lot_text(lot)} at {shown(place)}: {there} there, {kept} of them kept for others"
        self.refuse(Deviation.RESERVED, f"{what} ({self._picks(rows)}), {wanted} asked for")
        return True

    def _kept_volume(self, number: int, wanted: int | None, left: int | None) -> bool:
        rows = self._reservations(schema.reservation.c.opened == number)
        kept = sum(row.nanolitres or 0 for row in rows)
        if not kept or (wanted is not None and left is not None and wanted <= left - kept):
            return False
        self.refuse(
            Deviation.RESERVED,
            f"opened container {number}: {amount_text(kept, None)} of it is kept for others "
            f"({self._picks(rows)})",
        )
        return True

    def _reservations(self, *which: object) -> list[_Kept]:
        """Read what is kept for other sessions; of what was picked after a late entry, only point it out."""
        table, movement = schema.reservation, schema.movement
        rows = self._posting.connection.execute(
            select(table, movement.c.effective_at)
            .join(movement, movement.c.seq == table.c.movement)
            .where(table.c.lapses_at > self._posting.at, *which)  # type: ignore[arg-type]
            .order_by(table.c.movement, table.c.line)
        ).all()
        found = []
        for row in rows:
            if row.movement == self._terms.pick:
                continue
            name = f"pick {row.movement}" + (f" for {row.session}" if row.session is not None else "")
            if row.effective_at > self._posting.at:
                self._note(f"{name} was made after this, and may be short now")
            elif row.session is not None and row.session == self._terms.reference:
                self._note(f"{name} still keeps some for this session: use it, or free it")
            else:
                found.append(_Kept(name, row.containers, row.nanolitres, row.lapses_at))
        return found

    def _picks(self, rows: Iterable[_Kept]) -> str:
        zone = self._posting.store.zone
        return listed(f"{row.name} until {local(row.lapses_at, zone)}" for row in rows)

    def _shared(self, number: int) -> list[Deviation]:
        """Judge whether two sessions share the container, or anything that was mixed into it."""
        reference = self._terms.reference
        found: list[Deviation] = []
        if reference is None:
            return found
        for one in served_by(self._posting.connection, number):
            others = [session for session in one.sessions if session != reference]
            if not others:
                continue
            what = f"opened container {one.opened} served {listed(others)}"
            against: str | None = f"{what}, and a container for one session is never shared"
            if not one.session_only:
                findings = self._findings(one.lot)
                against = self._against_sharing(what, findings)
                if against is None:
                    self._notes_on_sharing(what, findings)
            if against is None:
                continue
            found.append(Deviation.SHARED)
            self.refuse(Deviation.SHARED, against)
        return found[:1]

    def _findings(self, lot: int | None) -> tuple[Finding, ...]:
        if lot is None:
            return ()  # what went into the mixture speaks for itself
        product = read_product(
            self._posting.store, self._posting.connection, lot_by_id(self._posting.connection, lot).product
        )
        return shared(product, self._terms.sharing)

    def _against_sharing(self, what: str, findings: Sequence[Finding]) -> str | None:
        heavy = [one for one in findings if one.severity in (Severity.BLOCK, Severity.OVERRIDE)]
        if heavy:
            return f"{what}: {said_of_finding(heavy[0])}"
        if self._terms.share is Sharing.FORBID:
            return f"{what}, and this site forbids that two sessions share one (share_multi_dose = 'forbid')"
        return None

    def _notes_on_sharing(self, what: str, findings: Sequence[Finding]) -> None:
        if not findings:
            self._note(f"{what} before")
        for one in findings:
            self._note(f"{one.severity.value}: {what} before: {said_of_finding(one)}")

    # ---- opened containers ---------------------------------------------------------------------------------

    def _vessel(self, number: int, amount: Amount) -> OpenedSum:
        """Find an opened container, as what is drawn in this write leaves it."""
        posting = self._posting
        vessel = self.vessels.get(number)
        if vessel is None:
            vessel = self.vessels[number] = find_opened(posting.connection, number, gone=True)
        if vessel.gone:
            by = self._gone_with(number)
            if not (amount.overfill and by is not None and by[1] in (MovementKind.USE, MovementKind.MIX)):
                raise OrderError([Problem("opened", _gone(number, by))])
        if posting.at < vessel.opened_at:
            opened_at = local(vessel.opened_at, posting.store.zone)
            raise OrderError(
                [
                    Problem(
                        "opened",
                        f"opened container {number} was opened {opened_at}; nothing can have been drawn from "
                        f"it at {local(posting.at, posting.store.zone)}",
                    )
                ]
            )
        return vessel

    def _gone_with(self, number: int) -> tuple[int, str] | None:
        line, movement = schema.movement_line, schema.movement
        row = self._posting.connection.execute(
            select(movement.c.seq, movement.c.kind)
            .select_from(line)
            .join(movement, movement.c.seq == line.c.movement)
            .where(line.c.opened == number, line.c.becomes == "gone")
            .order_by(movement.c.seq.desc())
            .limit(1)
        ).one_or_none()
        return (row.seq, row.kind) if row is not None else None

    def _pack_of_opened(self, number: int, vessel: OpenedSum) -> tuple[str | None, str | None]:
        """Keep with a use which pack was opened."""
        line = schema.movement_line
        row = self._posting.connection.execute(
            select(line.c.device, line.c.serial)
            .where(line.c.movement == vessel.movement, line.c.opened == number)
            .order_by(line.c.line)
            .limit(1)
        ).one_or_none()
        return (row.device, row.serial) if row is not None else (None, None)


@attrs.frozen
class _Kept:
    name: str
    containers: int | None
    nanolitres: int | None
    lapses_at: int


def _of_unknown_size(vessel: OpenedSum) -> bool:
    return vessel.supplied_nanolitres is None and vessel.supplied_nanograms is None


def _measured(number: int, vessel: OpenedSum, amount: Amount) -> tuple[int | None, int | None, bool]:
    """Tell how much is wanted, how much is left by the label, and whether that is by mass."""
    if _of_unknown_size(vessel):
        by_mass = amount.nanograms is not None
        return (amount.nanograms if by_mass else amount.nanolitres), None, by_mass
    by_mass = vessel.supplied_nanolitres is None
    left = vessel.nanograms if by_mass else vessel.nanolitres
    if amount.rest:
        return left, left, by_mass
    wanted, other = amount.nanolitres, amount.nanograms
    if by_mass:
        wanted, other = other, wanted
    if wanted is None or other is not None:
        how = "mass, such as --mass '50 mg'" if by_mass else "volume, such as --volume '1 mL'"
        raise OrderError([Problem("opened", f"opened container {number} is measured by {how}")])
    return wanted, left, by_mass


def _text(amount: int, *, by_mass: bool) -> str:
    return amount_text(None, amount) if by_mass else amount_text(amount, None)


def _too_little(number: int, left: int, wanted: int, *, by_mass: bool) -> str:
    return (
        f"opened container {number}: {_text(left, by_mass=by_mass)} is left in it by its label, "
        f"{_text(wanted, by_mass=by_mass)} asked for; if more was in it, say so with --overfill"
    )


def _gone(number: int, by: tuple[int, str] | None) -> str:
    if by is None:
        return f"opened container {number}: nothing is left in it"
    seq, kind = by
    return (
        f"opened container {number} is gone with movement {seq} ({kind}); if that is wrong, take it back "
        f"first: stock reverse {seq}"
    )
