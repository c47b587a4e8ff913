"""Packs scanned one after the other: each code read, questioned, joined and found in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import attrs

from mesoformula.cli.stock.asking import Dialogue
from mesoformula.cli.stock.scanned_packs import (
    NONE_PRINTED,
    LeftOutError,
    Partial,
    ScannedPack,
    expiry_in,
    partial_of,
    refusal,
    teaching,
    whole_in,
)
from mesoformula.cli.stock.telling import containers_text
from mesoformula.errors import CatalogueError, OrderError, Problem, ScanError, UnknownNameError
from mesoformula.stock.arrivals.gtins import (
    KnownGtin,
    Level,
    check_meaning,
    meaning_of,
    read_gtin,
    received_before,
    teach,
)
from mesoformula.stock.arrivals.scanned import Scanned, read_code
from mesoformula.stock.ledger.orders import check_name, containers_objections, expiry_objections
from mesoformula.stock.records import Delivery, Order
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import App
    from mesoformula.products import Product
    from mesoformula.stock.database.store import Store

#: What problems of a pipe name as their file.
STDIN = "standard input"
#: How many problems are gathered before the rest is left unread.
MOST_PROBLEMS = 100
MOST_LINES = 10_000


@attrs.define
class Scanner:
    """
    Takes what a scanner types, and asks where somebody is there to answer.

    Attributes:
        app: Knows the products.
        store: Knows which packs are in the stock already.
        dialogue: Where lines come from.
        known: What the stock was taught; what is learned here is added.
        substitutes: What the scanner types for GS.
        today: At the site.
        order: Who teaches what a GTIN stands for; None records nothing.
        may_repeat: Whether the same packs may have been received before, by the same request.
        packs: That are ready.
        problems: Of a pipe, with their lines.
    """

    app: App
    store: Store
    dialogue: Dialogue
    known: dict[str, KnownGtin]
    substitutes: Sequence[str]
    today: date
    order: Order | None
    may_repeat: bool = False
    packs: list[ScannedPack] = attrs.field(factory=list)
    problems: list[Problem] = attrs.field(factory=list)
    _row: int = 0
    _pending: Partial | None = None

    def run(self) -> None:
        """
        Take lines until the end: of a terminal an empty line, of a pipe the end of the input.

        Raises:
            ScanError: Of a pipe, with every line that cannot be received.
        """
        prompt = "scan a pack (Enter ends): "
        self.dialogue.say("Scan one code after the other. An empty line ends; nothing is recorded before.")
        while (line := self.dialogue.line(prompt)) is not None and len(self.problems) < MOST_PROBLEMS:
            self._row += 1
            if self._row > MOST_LINES:
                self._refuse([Problem("too-many", f"more than {MOST_LINES} lines; scan in parts")])
                break
            if not line.strip():
                if not self.dialogue.is_terminal:
                    continue
                if self._pending is None:
                    break
                self._guard(self._complete_by_hand)
            else:
                self._guard(self._take, line)
            prompt = "scan a pack (Enter ends): " if self._pending is None else "scan the other symbol: "
        if self._pending is not None:
            self._refuse([Problem("incomplete", "the last pack is incomplete, and not received")])
        if self.problems:
            raise ScanError(self.problems)

    def deliveries(self, location: str, supplier: str | None) -> list[tuple[Delivery, int]]:
        """
        Put together what was scanned: packs that bear no serial number and are alike are added up.

        Args:
            location: Where they are put.
            supplier: Who delivered them.

        Returns:
            Deliveries, each with the line in which it was scanned last.
        """
        made: dict[tuple[object, ...], tuple[Delivery, int]] = {}
        for pack in self.packs:
            alike = pack.product.pinned_id, pack.lot, pack.gtin, pack.serial
            before = made[alike][0].containers if alike in made else 0
            delivery = Delivery(
                product=pack.product,
                lot=pack.lot,
                containers=before + pack.containers,
                expiry=pack.expiry,
                location=location,
                supplier=supplier,
                device=pack.gtin,
                serial=pack.serial,
            )
            made[alike] = delivery, pack.row
        return list(made.values())

    # ---- one line --------------------------------------------------------------------------------------

    def _guard(self, work: Callable[..., None], *arguments: str) -> None:
        try:
            work(*arguments)
        except (LeftOutError, ScanError, OrderError) as err:
            self._refuse(err.problems)

    def _refuse(self, problems: Iterable[Problem]) -> None:
        """Say why something is not received: at once to a person, in the end to a pipe."""
        for problem in problems:
            if self.dialogue.is_terminal:
                self.dialogue.say(f"not received: {problem.message}")
            else:
                self.problems.append(Problem(problem.code, problem.message, STDIN, self._row))

    def _take(self, line: str) -> None:
        scanned = read_code(line, substitutes=self.substitutes, today=self.today)
        if scanned.questions and not self.dialogue.is_terminal:
            raise LeftOutError(scanned.questions)
        found = self._answered(scanned) if scanned.questions else self._counted(scanned, partial_of(scanned))
        if self._pending is not None:
            found = self._joined(self._pending, found)
        if not found.missing:
            self._pending = None
            self._add(found)
            return
        missing = " and no ".join(found.missing)
        if not self.dialogue.is_terminal:
            raise refusal(
                "incomplete",
                f"the code gives no {missing}; scan a code that gives all, or receive it by hand: "
                "mesoformula stock receive",
            )
        self._pending = found
        self.dialogue.say(f"no {missing} yet: scan the other symbol of this pack, or press Enter to type it")

    def _counted(self, scanned: Scanned, found: Partial) -> Partial:
        """Take up a number of items that the code gives."""
        count = scanned.count
        if count is None:
            return found
        if count.ai == "37" and count.gtin is not None and scanned.gtin is None:
            return attrs.evolve(found, gtin=count.gtin, units=count.number)
        message = (
            f"the code counts {count.number} items ({count.ai}), which may be anything: receive it by hand: "
            "mesoformula stock receive"
        )
        raise refusal("count", message)

    def _joined(self, before: Partial, found: Partial) -> Partial:
        """Join two symbols of one pack; what contradicts the one before belongs to another pack."""
        for name in ("gtin", "lot", "serial", "expiry"):
            old, new = getattr(before, name), getattr(found, name)
            if old is not None and new is not None and old != new:
                self.dialogue.say(f"another {name}: the pack before is incomplete, and not received")
                return found
        return Partial(
            gtin=found.gtin or before.gtin,
            product=found.product or before.product,
            lot=found.lot or before.lot,
            expiry=found.expiry or before.expiry,
            has_expiry=found.has_expiry or before.has_expiry,
            serial=found.serial or before.serial,
            units=max(found.units, before.units),
        )

    def _answered(self, scanned: Scanned) -> Partial:
        """Ask for everything that a suspicious code gives."""
        for question in scanned.questions:
            self.dialogue.say(f"question: {question.message}")
        self.dialogue.say("Compare with the pack. Enter leaves this pack out.")
        found = partial_of(scanned)
        lot = self._confirmed("lot", scanned.lot)
        expiry = self._confirmed("expiry", scanned.expiry.isoformat() if scanned.expiry else None)
        serial = None
        if scanned.serial is not None:
            serial = self._confirmed("serial number (none if there is none)", scanned.serial)
        day, none_printed = expiry_in(expiry)
        return attrs.evolve(
            found,
            gtin=scanned.gtin or self._gtin(),
            lot=lot,
            expiry=day,
            has_expiry=day is not None or none_printed,
            serial=None if serial == NONE_PRINTED else serial,
            units=self._units(scanned),
        )

    def _confirmed(self, name: str, value: str | None) -> str:
        """Have a value confirmed or corrected."""
        question = f"{name}, as printed" if value is None else f"{name} {shown(value, 100)}? y, or as printed"
        answer = self.dialogue.ask(question)
        if not answer or answer.casefold() in ("n", "no"):
            raise refusal(name.split()[0], f"{name.partition(' (')[0]} is not known")
        return value if value is not None and answer.casefold() in ("y", "yes") else answer

    def _gtin(self) -> str:
        return read_gtin(self._confirmed("GTIN", None))

    def _units(self, scanned: Scanned) -> int:
        if scanned.count is None and not any(one.code == "count" for one in scanned.questions):
            return 1
        return whole_in(self.dialogue.ask("how many of them"))

    def _complete_by_hand(self) -> None:
        """Ask for what no symbol gave."""
        found, self._pending = self._pending or Partial(), None
        product, gtin = found.product, found.gtin
        if gtin is None and product is None:
            product = self._confirmed("product id", None)
        lot = found.lot if found.lot is not None else self._confirmed("lot", None)
        day, none_printed = found.expiry, found.has_expiry
        if not found.has_expiry:
            day, none_printed = expiry_in(self._confirmed("expiry (none if none is printed)", None))
        self._add(
            attrs.evolve(
                found,
                product=product,
                lot=lot,
                expiry=day,
                has_expiry=none_printed or day is not None,
            )
        )

    # ---- one pack --------------------------------------------------------------------------------------

    def _add(self, found: Partial) -> None:
        """Find the product, and keep the pack if nothing stands against it."""
        if found.gtin is not None:
            product, containers = self._by_gtin(found.gtin)
        else:
            product = self._product(found.product or "")
            question = f"how many {containers_text(product, 2).partition(' ')[2]} are there"
            containers = whole_in(self.dialogue.ask(question))
        problems: list[Problem] = []
        pack = ScannedPack(
            row=self._row,
            product=product,
            containers=containers * found.units,
            gtin=found.gtin,
            lot=check_name(problems, "lot", found.lot),
            expiry=found.expiry,
            serial=check_name(problems, "serial", found.serial) if found.serial is not None else None,
        )
        objections = (*expiry_objections(pack.expiry), *containers_objections(pack.containers))
        problems += [Problem(code, message) for code, message in objections]
        problems += self._against(pack)
        if problems:
            raise LeftOutError(problems)
        self.packs.append(pack)
        late = " - EXPIRED: keep it apart" if pack.expiry is not None and pack.expiry < self.today else ""
        self.dialogue.say(f"{pack.text}{late}")

    def _against(self, pack: ScannedPack) -> list[Problem]:
        """Compare a pack with those before it, here and in the stock."""
        for other in self.packs:
            if pack.serial is not None and (other.gtin, other.serial) == (pack.gtin, pack.serial):
                return [
                    Problem("serial", f"pack {shown(pack.serial)} was scanned in line {other.row} already")
                ]
            same_lot = (other.product.id, other.lot) == (pack.product.id, pack.lot)
            if same_lot and other.expiry != pack.expiry:
                message = (
                    f"lot {shown(pack.lot)} has expiry {pack.expiry or NONE_PRINTED} here and "
                    f"{other.expiry or NONE_PRINTED} in line {other.row}; look at the packs"
                )
                return [Problem("expiry", message)]
        if pack.serial is not None and pack.gtin is not None and not self.may_repeat:
            movement = received_before(self.store, pack.gtin, pack.serial)
            if movement is not None:
                message = f"pack {shown(pack.serial)}: movement {movement} received it already"
                return [Problem("serial", message)]
        return []

    def _by_gtin(self, gtin: str) -> tuple[Product, int]:
        """Find what a GTIN stands for; one that is not known is learned, or refused with the way to do it."""
        meaning = meaning_of(self.app.formulary, self.known, gtin)
        if meaning is None:
            if not self.dialogue.is_terminal:
                message = f"GTIN {gtin} is not known; say what it stands for: {teaching(gtin)}"
                raise refusal("gtin", message)
            self.dialogue.say(f"GTIN {gtin} is not known. Without asking again: {teaching(gtin)}")
            answer = self.dialogue.ask("product id (Enter leaves this pack out)")
            if not answer:
                raise refusal("gtin", f"GTIN {gtin} is not known")
            level = self.dialogue.ask("is it the GTIN of a container, a pack or a case [pack]") or "pack"
            if level not in list(Level):
                message = f"{shown(level)}: expected one of {', '.join(Level)}"
                raise refusal("level", message)
            meaning = KnownGtin(gtin, self._product(answer).id, None, Level(level))
        product = self._product(meaning.product)
        if meaning.containers is None:
            meaning = self._learn(product, meaning)
        return product, meaning.containers or 0

    def _learn(self, product: Product, meaning: KnownGtin) -> KnownGtin:
        """Ask how many containers bear a GTIN, and record what it stands for."""
        containers = 1 if meaning.level is Level.CONTAINER else None
        if containers is None:
            if not self.dialogue.is_terminal:
                message = (
                    f"how many containers a pack of {product.id} holds is not stated; count them, and say: "
                    f"{teaching(meaning.gtin, product.id)}"
                )
                raise refusal("containers", message)
            words = containers_text(product, 2).partition(" ")[2]
            containers = whole_in(self.dialogue.ask(f"how many {words} are in this {meaning.level}"))
        meaning = attrs.evolve(meaning, containers=containers)
        problems = check_meaning(self.app.formulary, meaning)
        if problems:
            raise LeftOutError(problems)
        if self.order is not None:
            receipt = teach(
                self.store,
                self.app.formulary,
                meaning.gtin,
                product.id,
                containers=containers,
                level=meaning.level,
                order=self.order,
            )
            self.dialogue.say(f"movement {receipt.movement}: GTIN {meaning.gtin} is known from now on")
        self.known[meaning.gtin] = meaning
        return meaning

    def _product(self, name: str) -> Product:
        try:
            return self.app.formulary.product(name)
        except (UnknownNameError, CatalogueError) as err:
            raise refusal("product", str(err)) from err
