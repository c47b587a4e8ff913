"""What is asked of a session, and what is answered."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from mesoformula.findings import Finding
from mesoformula.formulas import Formula, LineKind
from mesoformula.products import Product, Route
from mesoformula.treatments import Needle, Syringe, Technique, Zone

if TYPE_CHECKING:
    from mesoformula.units import Quantity


@attrs.frozen
class LotAssay:
    """
    How much of one substance the lots of one product hold, as a factor of what its label states.

    Attributes:
        product: Its id, without a revision.
        substance: The exact form as the label names it, a substance id.
        low: The factor, or the lowest where lots differ; 1 is what the label states.
        high: The factor, or the highest.
        text: Which lots, what their certificates say and on which basis.
    """

    product: str
    substance: str
    low: Decimal
    high: Decimal
    text: str


@attrs.frozen
class PastDose:
    """
    What an earlier session injected, for limits over a period.

    Attributes:
        product: Of which.
        volume: How much of it; [length]**3.
        day: When.
    """

    product: Product
    volume: Quantity
    day: date


@attrs.frozen
class Session:
    """
    One treatment, as asked for: at most one way of saying how much is injected.

    What is said of the patient serves the checks and is never stored.

    Attributes:
        formula: What is injected.
        zone: Where.
        technique: How; may give points per area and volume per point.
        volume: Injected in all; [length]**3.
        points: Number of injection points.
        area: Of the zone; [length]**2.
        points_per_area: Overrides the technique's; points/[length]**2.
        volume_per_point: Overrides the technique's; [length]**3.
        syringe: What it is injected with; its losses are added.
        measuring_syringe: What each line is measured with; the injecting one if None.
        needle: What it is injected through; its losses are added for each syringe.
        on: The day.
        assays: Of the lots that are taken. Doses and concentrations count them; volumes are worked out from
            the labels, as lots are picked for a volume.
        route: The intended way of administration.
        region: Where it takes place, such as `FR`; None leaves rules of law unchecked.
        conditions: Ids of conditions that the patient has.
        allergies: Ids of allergens or substances that the patient is allergic to.
        age: Of the patient, whole years.
        past: What earlier sessions of the same patient injected, all of it; None where nobody knows.
    """

    formula: Formula
    zone: Zone | None = None
    technique: Technique | None = None
    volume: Quantity | None = None
    points: int | None = None
    area: Quantity | None = None
    points_per_area: Quantity | None = None
    volume_per_point: Quantity | None = None
    syringe: Syringe | None = None
    measuring_syringe: Syringe | None = None
    needle: Needle | None = None
    on: date | None = None
    assays: tuple[LotAssay, ...] = ()
    route: Route = Route.INTRADERMAL
    region: str | None = None
    conditions: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    age: int | None = None
    past: tuple[PastDose, ...] | None = None


class AmountKind(enum.StrEnum):
    """How much is known of an amount."""

    STATED = "stated"
    DISPUTED = "disputed"
    AT_LEAST = "at_least"
    UNDISCLOSED = "undisclosed"


@attrs.frozen
class Amount:
    """
    An amount with what is known of it; an undisclosed one is never zero.

    Attributes:
        kind: How much is known.
        low: The value if stated, the lower end if disputed, what is known if at least; None if undisclosed.
        high: The value if stated, the upper end if disputed; else None.
    """

    kind: AmountKind
    low: Quantity | None = None
    high: Quantity | None = None


class Keep(enum.StrEnum):
    """What becomes of the rest of an opened container."""

    NOTHING_LEFT = "nothing left"
    DISCARD = "discard"
    MAY_BE_KEPT = "may be kept"


@attrs.frozen
class LineQuantities:
    """
    What to take of one line.

    Attributes:
        number: Of the line in the formula, from 1.
        product: What is taken.
        part: Name of the kit's part, where only one is taken.
        kind: How the formula says how much.
        volume: To draw, exact.
        measured_with: The syringe that measures it; None if none is known, or all of the containers is drawn.
        measured: To draw, as that syringe measures it.
        error: Measured less exact.
        containers: Containers (of a kit: kits) to open.
        left: Volume left in them, at least: overfill is unknown.
        keep: What becomes of it.
        keep_for: How long it may be kept after opening, where it may.
        reconstitution: How to dissolve each container, in words; None for liquids.
    """

    number: int
    product: Product
    part: str | None
    kind: LineKind
    volume: Quantity
    measured_with: Syringe | None
    measured: Quantity | None
    error: Quantity | None
    containers: int
    left: Quantity
    keep: Keep
    keep_for: Quantity | None
    reconstitution: str | None


@attrs.frozen
class Dose:
    """
    How much of one substance is injected.

    Attributes:
        substance: Its id; an ingredient class where no substance is named.
        name: For people.
        ingredient_class: None for elements and moieties of no class.
        as_moiety: True if summed over all forms in the mixture that yield it; False for one exact form.
        dose: Injected, losses excluded.
        prepared: In the whole mixture.
        concentration: In the finished mixture, per volume.
        products: Where it comes from, product ids in formula order.
        note: Why it is not known better, in words.
    """

    substance: str
    name: str
    ingredient_class: str | None
    as_moiety: bool
    dose: Amount
    prepared: Amount
    concentration: Amount
    products: tuple[str, ...]
    note: str | None = None


@attrs.frozen
class Step:
    """
    One step of the working.

    Attributes:
        subject: What it is about, such as `line 2` or `ascorbic-acid`.
        text: Inputs, operation and result, in words.
    """

    subject: str
    text: str


def no_steps() -> tuple[Step, ...]:
    """
    Answer for whoever keeps no working.

    Returns:
        Nothing.
    """
    return ()


@attrs.frozen
class SessionQuantities:
    """
    The answer to a session.

    Attributes:
        session: What was asked.
        lines: What to take, in formula order.
        injected: Volume injected.
        lost: Volume that stays in syringes and needles, and a rest too small to fill another syringe.
        prepared: Injected and lost together, exact.
        points: Number of injection points, if asked by points or area.
        volume_per_point: Injected at each, if known.
        syringes: How many are filled.
        doses: Every substance, exact forms first, then moieties.
        findings: What the working out itself has to say.
        working: Makes the steps when somebody asks to see them: inputs with sources, each step, rounding.
    """

    session: Session
    lines: tuple[LineQuantities, ...]
    injected: Quantity
    lost: Quantity
    prepared: Quantity
    points: int | None
    volume_per_point: Quantity | None
    syringes: int | None
    doses: tuple[Dose, ...]
    findings: tuple[Finding, ...] = ()
    working: Callable[[], tuple[Step, ...]] = attrs.field(default=no_steps, eq=False, repr=False)
