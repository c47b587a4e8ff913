"""What goes into the ledger, and what can be read out of it."""

from __future__ import annotations

import enum
from datetime import date, datetime

import attrs

from mesoformula.errors import Problem
from mesoformula.products import Product


class MovementKind(enum.StrEnum):
    """What happened."""

    RECEIPT = "receipt"
    TAKEOVER = "takeover"
    PICK = "pick"
    FREE = "free"
    OPEN = "open"
    MIX = "mix"
    USE = "use"
    WASTE = "waste"
    RETURN = "return"
    MOVE = "move"
    ADJUST = "adjust"
    QUARANTINE = "quarantine"
    RELEASE = "release"
    RECALL = "recall"
    FACT = "fact"
    COUNT_OPENED = "count opened"
    COUNT = "count"
    COMPENSATION = "compensation"
    REVERSAL = "reversal"
    SETTING = "setting"


class LotFact(enum.StrEnum):
    """What is known of a lot, and may turn out otherwise."""

    EXPIRY = "expiry"
    ASSAY = "assay"
    COST = "cost"
    REMARK = "remark"


class Deviation(enum.StrEnum):
    """Why a use should not have happened, or what came to light after it."""

    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    RECALLED = "recalled"
    BEYOND_USE = "beyond-use"
    RESERVED = "reserved"
    SHARED = "shared"
    RECALLED_SINCE = "recalled-since"


@attrs.frozen
class Order:
    """
    Who asks the ledger to record something, when it happened and why.

    Attributes:
        actor: Who records it.
        reason: Why; free text, kept erasable and apart from the chain.
        at: When it happened, with a time zone; None means now.
        request_id: Makes the write idempotent: the same id with the same content changes nothing.
    """

    actor: str
    reason: str | None = None
    at: datetime | None = None
    request_id: str | None = None


@attrs.frozen
class Delivery:
    """
    Containers of one lot, arriving at one place.

    Attributes:
        product: The product with its revision; its whole record is kept with the lot.
        lot: The maker's lot number, exactly as printed.
        containers: How many containers (of a kit: kits) arrived; above zero.
        expiry: The last day on which it may be used; None if none is printed.
        location: Where it is put.
        supplier: Who delivered it.
        unit_cost: Cost of one container in minor units of the currency (cents).
        currency: ISO 4217 code, such as `EUR`.
        received_at: When it arrived, with a time zone; None means now.
        remark: Free text, kept erasable and apart from the chain.
        device: Device identifier or trade item number (GTIN, 14 digits) of the pack.
        serial: Serial number of the pack, unique with its GTIN.
    """

    product: Product
    lot: str
    containers: int
    expiry: date | None
    location: str = "main"
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    received_at: datetime | None = None
    remark: str | None = None
    device: str | None = None
    serial: str | None = None


@attrs.frozen
class Anchor:
    """
    The head of the chain of movements, printed with every write: `seq:hash`.

    Attributes:
        seq: Number of the movement.
        hash: SHA-256 over it and everything before it, in hexadecimal.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@attrs.frozen
class Receipt:
    """
    What a write did.

    Attributes:
        movement: Number of the movement that was asked for.
        anchor: Head of the chain after it and all that came with it.
        repeated: True if the same request had been carried out before, so that nothing changed.
        first: Number of the first movement that came with it; None means its own.
        last: Number of the last one; None means its own.
        notes: What to know about it, in sentences.
    """

    movement: int
    anchor: Anchor
    repeated: bool = False
    first: int | None = None
    last: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def movements(self) -> range:
        """Numbers of all its movements."""
        return range(self.first or self.movement, (self.last or self.movement) + 1)


@attrs.frozen
class Assay:
    """
    What a lot's certificate says of one substance.

    Attributes:
        substance: Its id.
        percent: What was found, per hundred of what the label states; a decimal string such as `98.5`.
        basis: What the figure counts: `as is`, `anhydrous` or `base`.
        water: On the anhydrous basis, percent of water; a decimal string.
        moiety: On the base basis, the id of the base.
    """

    substance: str
    percent: str
    basis: str
    water: str | None = None
    moiety: str | None = None


@attrs.frozen
class OnHand:
    """
    What is there of one lot in one place.

    Attributes:
        product: As it was when the lot was first received.
        lot: The maker's lot number.
        location: Where it is.
        containers: How many whole containers (of a kit: kits).
        expiry: The last day on which it may be used; None if none is printed.
        received_at: When the first of them arrived, in UTC.
        supplier: Who delivered them first.
        unit_cost: Cost of one container in minor units of the currency; None if it is not known of all of
            them, or not one figure.
        currency: ISO 4217 code.
        reserved: How many of them are kept for picks.
        quarantined: Whether they are kept apart, here or everywhere.
        recalled: Whether the lot is recalled.
        cost_range: Lowest and highest cost of one container, where its receipts differ.
        assay: What its certificate says.
        remark: The latest remark on the lot.
        partly_priced: Whether some of the lot came without a cost, and some with one.
    """

    product: Product
    lot: str
    location: str
    containers: int
    expiry: date | None
    received_at: datetime
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    reserved: int = 0
    quarantined: bool = False
    recalled: bool = False
    cost_range: tuple[int, int] | None = None
    assay: Assay | None = None
    remark: str | None = None
    partly_priced: bool = False


@attrs.frozen
class Opened:
    """
    An opened container, or a mixture, that is still there.

    Attributes:
        id: Its number in this stock.
        product: What was opened; None for a mixture.
        lot: The maker's lot number; None for a mixture.
        name: Of a mixture.
        location: Where it is.
        opened_at: When, in UTC.
        beyond_use_at: When it must be gone, in UTC; None if it is for one session only.
        rule: Which rule says so.
        supplied_nanolitres: What it held by its label; None if that is not known in volume.
        nanolitres: What is left of that: at least, as overfill is unknown.
        supplied_nanograms: The same by mass.
        nanograms: The same by mass.
        expiry: Of the lot.
        reserved_nanolitres: What is kept for picks.
        quarantined: Whether it is kept apart.
        recalled: Whether its lot, or any lot in it, is recalled.
        sessions: References of the sessions it was used in.
    """

    id: int
    product: Product | None
    lot: str | None
    name: str | None
    location: str
    opened_at: datetime
    beyond_use_at: datetime | None
    rule: str | None
    supplied_nanolitres: int | None
    nanolitres: int | None
    supplied_nanograms: int | None = None
    nanograms: int | None = None
    expiry: date | None = None
    reserved_nanolitres: int = 0
    quarantined: bool = False
    recalled: bool = False
    sessions: tuple[str, ...] = ()


@attrs.frozen
class StockView:
    """
    The stock as it stands at one moment, for checks and sheets.

    Attributes:
        on_hand: One entry per product, lot and location, sorted by product, expiry (none last), lot, place.
        as_of: The day it is seen from, at the site.
        made_at: The moment at which it was read, in UTC.
        store: The place it was read from, without secrets.
        anchor: Head of the chain then; None for an empty ledger.
        opened: Opened containers and mixtures that are there, by number.
        levels: The least number of containers to keep, by product id.
        suppliers: Who delivered a product last, by product id, as far as whoever reads the stock asks.
    """

    on_hand: tuple[OnHand, ...]
    as_of: date
    made_at: datetime
    store: str
    anchor: Anchor | None
    opened: tuple[Opened, ...] = ()
    levels: tuple[tuple[str, int], ...] = ()
    suppliers: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class MovementLine:
    """
    One line of a movement, as read back.

    Attributes:
        line: Its number, from 1.
        product: As the stock keeps it; None where the line is about no lot.
        lot: The maker's lot number.
        location: Where.
        containers: Whole containers that came (above zero) or went (below).
        opened: Number of an opened container or mixture.
        nanolitres: Volume that came into it or went out.
        nanograms: Mass that came into it or went out.
        becomes: `open` or `gone`.
        beyond_use_at: When it must be gone, in UTC.
        rule: Which rule says so.
        reserved: Containers kept for a pick.
        reserved_nanolitres: Volume to be drawn for a pick.
        counted: What a count found.
        device: Device identifier (GTIN) of the pack.
        serial: Its serial number.
        supplier: Who delivered it.
        unit_cost: Of one container, in minor units.
        currency: Of the cost.
        subject: What a fact is about, if no lot.
        fact: Which fact.
        old: What was held before.
        new: What holds from then on.
        deviations: Why this should not have happened.
        remark: Free text; None if there is none or it was erased.
    """

    line: int
    product: Product | None
    lot: str | None
    location: str | None
    containers: int
    opened: int | None = None
    nanolitres: int | None = None
    nanograms: int | None = None
    becomes: str | None = None
    beyond_use_at: datetime | None = None
    rule: str | None = None
    reserved: int | None = None
    reserved_nanolitres: int | None = None
    counted: int | None = None
    device: str | None = None
    serial: str | None = None
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    subject: str | None = None
    fact: str | None = None
    old: str | None = None
    new: str | None = None
    deviations: tuple[Deviation, ...] = ()
    remark: str | None = None


@attrs.frozen
class Movement:
    """
    One movement, as read back.

    Attributes:
        seq: Its number.
        kind: What happened.
        effective_at: When it happened, in UTC.
        recorded_at: When it was recorded, in UTC.
        actor: Who recorded it.
        anchor: The chain after it.
        lines: What it says.
        session: Reference of the session.
        pick: The pick that it uses or frees.
        reverses: The movement that it takes back.
        cause: The movement of the same write that made it necessary.
        lapses_at: Of a pick, when its reservation ends, in UTC.
        reason: Why; None if none was given or it was erased.
        request_id: The id that made it idempotent.
        reversed_by: The movement that takes it back.
    """

    seq: int
    kind: MovementKind
    effective_at: datetime
    recorded_at: datetime
    actor: str
    anchor: Anchor
    lines: tuple[MovementLine, ...]
    session: str | None = None
    pick: int | None = None
    reverses: int | None = None
    cause: int | None = None
    lapses_at: datetime | None = None
    reason: str | None = None
    request_id: str | None = None
    reversed_by: int | None = None


@attrs.frozen
class Verification:
    """
    What recomputing a ledger found.

    Attributes:
        movements: How many movements were read.
        anchor: Head of the chain as recomputed; None for an empty ledger.
        problems: What does not agree, the first bad movement first; empty if all does.
    """

    movements: int
    anchor: Anchor | None
    problems: tuple[Problem, ...] = ()
