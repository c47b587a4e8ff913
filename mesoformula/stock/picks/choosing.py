"""What a request takes off the shelf: opened containers first, then whole ones by a policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

import attrs

from mesoformula.contract import WrongAnswerError
from mesoformula.errors import ChoiceError, OrderError, PluginResultError, Problem
from mesoformula.keeping import SharingRule
from mesoformula.products import Doses, Product
from mesoformula.stock.database.store import Store
from mesoformula.stock.figures import days_left
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.opened.beyond_use import opened_volume, shared
from mesoformula.stock.picks.availability import Shelf, Skipped, Stack, Vessel, Why, local
from mesoformula.stock.picks.policies import Candidate, Choice, LotPolicy, Need, validated
from mesoformula.stock.picks.reservations import Taken
from mesoformula.stock.picks.shortage import (
    Missing,
    ShortageError,
    Want,
    all_of,
    merged,
    millilitres,
    next_lapse,
)
from mesoformula.units import EXACT, magnitude
from mesoformula.words import shown


@attrs.frozen
class PickedLine:
    """
    What was taken for one want.

    Attributes:
        want: What was asked for.
        taken: What is kept for it, in the order in which to take it.
        skipped: What was passed over, and why; not known of a request that was carried out before.
    """

    want: Want
    taken: tuple[Taken, ...]
    skipped: tuple[Skipped, ...] = ()


@attrs.frozen
class Asked:
    """
    What holds for a whole request.

    Attributes:
        reference: Of the session.
        policy: Chooses among the lots that may be picked.
        location: Where to take it; None for anywhere.
        sharing_forbidden: Whether containers that serve another session are left alone.
        sharing_rules: What is to be said where one serves two.
    """

    reference: str
    policy: LotPolicy
    location: str | None = None
    sharing_forbidden: bool = False
    sharing_rules: tuple[SharingRule, ...] = ()


def container_volume(product: Product) -> int | None:
    """
    Tell what one container yields by its label.

    Args:
        product: Any product.

    Returns:
        Whole nanolitres, rounded down; None where nothing says how much it is.
    """
    volume = opened_volume(product)
    if volume is None:
        return None
    return int(EXACT.scaleb(magnitude(volume, "mL"), 6)) or None


class Chooser:
    """
    Chooses what to take off a shelf for a request, want after want.

    Attributes:
        entries: Lines of the pick.
        notes: What to know about it, in sentences.
    """

    def __init__(self, store: Store, asked: Asked, shelf: Shelf, day: date) -> None:
        self.entries: list[Entry] = []
        self.notes: list[str] = []
        self._store = store
        self._asked = asked
        self._shelf = shelf
        self._day = day
        # What the request has taken already, of each stack and out of each opened container.
        self._used: dict[tuple[int, int], int] = defaultdict(int)
        self._drawn: dict[int, int] = defaultdict(int)

    def choose(self, wants: Sequence[Want]) -> list[PickedLine]:
        """Take what is wanted, or raise with all that is missing."""
        missing: list[Missing] = []
        left_open: list[Problem] = []
        lines = []
        for want in wants:
            try:
                line, short = self._one(want)
            except ChoiceError as err:
                left_open.extend(err.problems)
                continue
            lines.append(line)
            if short is not None:
                missing.append(short)
        if missing:
            served = [line for line in lines if line.taken]
            raise ShortageError(
                (_with_the_rest(one, served) for one in merged(missing)),
                lambda moment: local(self._store, moment),
            )
        if left_open:
            raise ChoiceError(left_open)
        self._tell_of_other_picks(lines)
        self.notes = list(dict.fromkeys(self.notes))
        return lines

    def _one(self, want: Want) -> tuple[PickedLine, Missing | None]:
        skipped: list[Skipped] = []
        taken = list(self._pour(want, skipped))
        poured = sum(one.nanolitres or 0 for one in taken)
        stacks = list(self._fitting(want, skipped))
        rest = want.nanolitres - poured if want.nanolitres is not None else None
        needed, each = self._needed(want, rest, stacks)
        short = None
        if needed != 0:
            there = sum(self._left(stack) for stack in stacks)
            if needed is None or there < needed:
                short = self._short(want, needed, there, poured, stacks, skipped)
                taken = []
            else:
                taken.extend(self._take(want, needed, rest if each is not None else None, each, stacks))
        if want.nanolitres is None:
            self._tell_of_opened(want)
        return PickedLine(want, tuple(taken), tuple(skipped)), short

    def _left(self, stack: Stack) -> int:
        return stack.free - self._used[stack.lot.id, stack.place]

    def _concerns(self, want: Want, one: Stack | Vessel) -> bool:
        return one.lot.product_id == want.product_id and (not want.lots or one.lot.number in want.lots)

    def _elsewhere(self, want: Want, one: Stack | Vessel) -> tuple[Why, str] | None:
        """Say why something that may be picked is not what this request is about."""
        if want.revision is not None and one.lot.revision != want.revision:
            return Why.REVISION, f"revision {one.lot.revision} of the product"
        if self._asked.location is not None and one.location != self._asked.location:
            return Why.LOCATION, f"not at {shown(self._asked.location)}"
        return None

    def _fitting(self, want: Want, skipped: list[Skipped]) -> Iterator[Stack]:
        """Find the stacks that a want may take from, and note what is passed over."""
        for stack in self._shelf.stacks:
            if not self._concerns(want, stack):
                continue
            skipped.extend(stack.skipped)
            left = self._left(stack)
            elsewhere = self._elsewhere(want, stack)
            if elsewhere is not None and left:
                reason, why = elsewhere
                skipped.append(Skipped(stack.pinned_id, stack.lot.number, stack.location, left, reason, why))
            elif left > 0:
                yield stack

    def _needed(self, want: Want, rest: int | None, stacks: Sequence[Stack]) -> tuple[int | None, int | None]:
        """Tell how many whole containers it takes, and what each yields; None where nothing says so."""
        if rest is None:
            return want.containers, None
        if rest <= 0:
            return 0, None
        known = stacks or [
            one
            for one in self._shelf.stacks
            if self._concerns(want, one) and want.revision in (None, one.lot.revision)
        ]
        volumes = {container_volume(stack.product) for stack in known}
        if len(volumes) > 1:
            names = " or ".join(sorted({stack.pinned_id for stack in known}))
            raise OrderError(
                [
                    Problem(
                        "revision",
                        f"{want.product}: its revisions hold different volumes; name one: {names}",
                    )
                ]
            )
        each = volumes.pop() if volumes else None
        if each is not None:
            return -(-rest // each), each
        if want.containers is None and known:
            raise OrderError(
                [
                    Problem(
                        "volume",
                        f"{want.product}: no label says what one container holds; ask for a number of "
                        f"containers, such as {want.product}=1",
                    )
                ]
            )
        return want.containers, None

    def _take(
        self, want: Want, needed: int, rest: int | None, each: int | None, stacks: Sequence[Stack]
    ) -> Iterator[Taken]:
        """Let the policy choose among the stacks."""
        by_key = {f"{stack.lot.id}/{stack.place}": stack for stack in stacks}
        candidates = [self._candidate(key, stack) for key, stack in by_key.items()]
        need = Need(want.product_id, needed, want.lots, self._asked.location, self._day)
        revisions = set()
        for choice in self._chosen(need, candidates):
            stack = by_key[choice.key]
            self._used[stack.lot.id, stack.place] += choice.containers
            revisions.add(stack.lot.revision)
            volume = None
            if rest is not None and each is not None:
                volume = min(rest, choice.containers * each)
                rest -= volume
            self.entries.append(
                Entry(
                    lot=stack.lot,
                    location=stack.location,
                    reserved=choice.containers,
                    reserved_nanolitres=volume,
                )
            )
            if stack.expiry is None:
                self.notes.append(
                    f"lot {shown(stack.lot.number)} of {stack.pinned_id} has no expiry: look at the pack"
                )
            yield Taken(
                product=stack.product,
                lot=stack.lot.number,
                location=stack.location,
                containers=choice.containers,
                nanolitres=volume,
                expiry=stack.expiry,
                assay=stack.assay,
            )
        if len(revisions) > 1:
            told = " and ".join(map(str, sorted(revisions)))
            self.notes.append(
                f"lots of revisions {told} of {want.product_id} are taken: what is in them may differ"
            )

    def _candidate(self, key: str, stack: Stack) -> Candidate:
        return Candidate(
            key=key,
            product=stack.lot.product_id,
            lot=stack.lot.number,
            location=stack.location,
            expiry=stack.expiry,
            received_at=stack.received_at,
            containers=self._left(stack),
            days_left=days_left(stack.expiry, self._day),
        )

    def _chosen(self, need: Need, candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
        policy = self._asked.policy
        try:
            return validated(need, candidates, policy.choose(need, candidates))
        except WrongAnswerError as err:
            raise PluginResultError(Problem("result", f"lot policy {shown(policy.id)} {err}")) from err

    def _pour(self, want: Want, skipped: list[Skipped]) -> Iterator[Taken]:
        """Draw a wanted volume out of opened containers, as far as they go."""
        rest = want.nanolitres or 0
        for vessel in self._shelf.vessels:
            if rest <= 0:
                return
            if not self._concerns(want, vessel):
                continue
            skipped.extend(vessel.skipped)
            left = vessel.free - self._drawn[vessel.opened.id]
            against = self._elsewhere(want, vessel) or self._against_sharing(vessel)
            if left <= 0:
                continue
            if against is not None:
                reason, why = against
                skipped.append(
                    Skipped(
                        vessel.pinned_id,
                        vessel.lot.number,
                        vessel.location,
                        0,
                        reason,
                        why,
                        opened=vessel.opened.id,
                        nanolitres=left,
                    )
                )
                continue
            volume = min(rest, left)
            rest -= volume
            self._drawn[vessel.opened.id] += volume
            self.entries.append(
                Entry(
                    lot=vessel.lot,
                    location=vessel.location,
                    opened=vessel.opened.id,
                    reserved_nanolitres=volume,
                )
            )
            self._tell_of_sharing(vessel)
            yield Taken(
                product=vessel.product,
                lot=vessel.lot.number,
                location=vessel.location,
                containers=0,
                nanolitres=volume,
                expiry=vessel.opened.expiry,
                opened=vessel.opened.id,
                beyond_use_at=vessel.opened.beyond_use_at,
                assay=vessel.assay,
            )

    def _others(self, vessel: Vessel) -> str:
        """Name the other sessions that an opened container serves."""
        return ", ".join(one for one in vessel.references if one != self._asked.reference)

    def _against_sharing(self, vessel: Vessel) -> tuple[Why, str] | None:
        others = self._others(vessel)
        if others and vessel.product.doses is not Doses.MULTI:
            return Why.SHARED, f"serves {others}, and is not multi-dose: never shared"
        if others and self._asked.sharing_forbidden:
            return Why.SHARED, f"serves {others}, and this site forbids sharing"
        return None

    def _tell_of_sharing(self, vessel: Vessel) -> None:
        others = self._others(vessel)
        if not others:
            return
        found = shared(vessel.product, self._asked.sharing_rules)
        said = [
            f"{one.message} ({'; '.join(dict.fromkeys(source.where for source in one.sources))})"
            for one in found
        ]
        self.notes.append(
            " ".join([f"warn: opened container {vessel.opened.id} serves {others} too.", *said])
        )

    def _tell_of_opened(self, want: Want) -> None:
        """Point out what is open already where whole containers were asked for."""
        for vessel in self._shelf.vessels:
            left = vessel.free - self._drawn[vessel.opened.id]
            if left > 0 and self._concerns(want, vessel) and self._elsewhere(want, vessel) is None:
                self.notes.append(
                    f"opened container {vessel.opened.id} of {vessel.pinned_id} holds at least "
                    f"{millilitres(left)}; ask for a volume to use it first"
                )

    def _tell_of_other_picks(self, lines: Sequence[PickedLine]) -> None:
        """Point out what is kept for the same session already."""
        for line in lines:
            for one in line.skipped:
                if one.pick is not None and one.reference == self._asked.reference:
                    self.notes.append(
                        f"pick {one.pick} keeps {one.product} for {one.reference} already; if this takes its "
                        f"place, free it: stock release {one.pick}"
                    )

    def _short(
        self,
        want: Want,
        needed: int | None,
        there: int,
        poured: int,
        stacks: Sequence[Stack],
        skipped: Sequence[Skipped],
    ) -> Missing:
        for stack in stacks:
            # What is there is spoken for, so that the same product is not counted twice.
            self._used[stack.lot.id, stack.place] = stack.free
        return Missing(
            product=want.product,
            wanted=needed,
            available=there,
            missing=needed - there if needed is not None else None,
            wanted_nanolitres=want.nanolitres,
            opened_nanolitres=poured,
            skipped=tuple(skipped),
            next_lapse=next_lapse(skipped),
            first_expiry=min((stack.expiry for stack in stacks if stack.expiry is not None), default=None),
            location=self._asked.location,
        )


def _with_the_rest(missing: Missing, served: Sequence[PickedLine]) -> Missing:
    """Count in what other lines of the request would have had of the same product."""
    lines = [line for line in served if line.want.product == missing.product]
    containers = sum(one.containers for line in lines for one in line.taken)
    poured = sum(one.nanolitres or 0 for line in lines for one in line.taken if one.opened is not None)
    return attrs.evolve(
        missing,
        wanted=missing.wanted + containers if missing.wanted is not None else None,
        available=missing.available + containers,
        wanted_nanolitres=all_of(missing.wanted_nanolitres, *(line.want.nanolitres for line in lines)),
        opened_nanolitres=missing.opened_nanolitres + poured,
    )
