"""
When an opened container must be gone, by which rule, and what it yields.

A bound is the moment from which on nothing of it may be used. Of all that apply, the earliest governs.

- A period of hours or minutes runs from the moment of opening; seconds are cut off.
- A period of whole days ends with the last minute of its last day at the site, the day of opening being the
  first: what is opened on 1 November keeps 28 days through 28 November. It is never longer than as many times
  24 hours from the opening, not even where the clocks are put back meanwhile.
- A lot may be used through its expiry date at the site.
- What serves one session has no moment: it is never kept. An ampoule is always so, whatever is said of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import attrs

from mesoformula.clock import day_end
from mesoformula.findings import Finding
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.products import ContainerKind, Doses, Form, Method, Part, Permission, Product
from mesoformula.sources import Source
from mesoformula.units import EXACT, magnitude, quantity, show, symbol

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: What governs where it is no rule of a catalogue.
IN_USE_PERIOD = "product:in-use-period"
STABILITY = "product:stability"
EXPIRY = "lot:expiry"
NO_RULE = "no-rule"

_DAYS = ("d", "wk")
_LAST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@attrs.frozen
class Bound:
    """
    One thing that limits how long an opened container keeps.

    Attributes:
        rule: The id of a rule of a catalogue, or one of the constants of this module.
        until: The moment, in UTC, from which on nothing of it may be used; None for this session only.
        reason: For people.
        source: Who says so; None where it is printed on the lot, or nobody says anything.
        applies: False where something else takes its place.
    """

    rule: str
    until: datetime | None
    reason: str
    source: Source | None = None
    applies: bool = True


@attrs.frozen
class BeyondUse:
    """
    When an opened container must be gone.

    Attributes:
        until: The moment, in UTC, from which on nothing of it may be used, which is before the opening if
            the lot had expired; None for this session only.
        session_only: Whether it serves one session and is never kept.
        rule: What governs: the id of a rule of a catalogue, or one of the constants of this module.
        reason: Why, for people.
        source: Who says so; None where it is printed on the lot, or nobody says anything.
        others: What was considered besides, the earliest first, those that do not apply last.
    """

    until: datetime | None
    session_only: bool
    rule: str
    reason: str
    source: Source | None = None
    others: tuple[Bound, ...] = ()


def beyond_use(
    product: Product,
    opened_at: datetime,
    expiry: date | None,
    zone: tzinfo,
    rules: Sequence[BeyondUseRule],
    *,
    prepared: bool = False,
) -> BeyondUse:
    """
    Tell when an opened container must be gone, and by which rule.

    Only a multi-dose container is kept: for the in-use period that its product states, else for the period of
    a rule, and once prepared no longer than the stability that its product states. Where none of them is
    stated, it serves this session only.

    Args:
        product: What was opened.
        opened_at: When, with a time zone; of a powder or kit, when it was prepared.
        expiry: The last day on which the lot may be used; None if none is printed.
        zone: Of the site, which tells when a day ends.
        rules: Of the catalogues; those that do not fit the product are passed over.
        prepared: Whether it was dissolved or mixed.

    Returns:
        The earliest of all that limits it, with the others.

    Raises:
        ValueError: If `opened_at` has no time zone.
        QuantityError: If a period of the product is no time.
    """
    if opened_at.utcoffset() is None:
        raise ValueError("opened_at has no time zone; expected a moment such as 2026-11-23T10:00+01:00")
    kinds = _kinds(product, prepared=prepared)
    fitting = [rule for rule in rules if _fits(rule, product, kinds, prepared=prepared)]
    bounds = [*_of_product(product, opened_at, zone, kinds, prepared=prepared)]
    stated = any(bound.rule == IN_USE_PERIOD and bound.applies for bound in bounds)
    bounds += _of_rules(fitting, opened_at, zone, stated=stated)
    bounds += _of_session(fitting, bounds, product, kinds, prepared=prepared)
    session_only = any(bound.until is None for bound in bounds)
    if expiry is not None:
        end = day_end(expiry, zone)
        reason = f"its lot may be used through {expiry}"
        if end <= opened_at:
            reason = f"its lot expired with {expiry}, before it was opened"
        bounds.append(Bound(EXPIRY, end, reason))
    first, *others = sorted(bounds, key=lambda bound: _order(bound, opened_at))
    return BeyondUse(first.until, session_only, first.rule, first.reason, first.source, tuple(others))


def end_of_period(period: Quantity, opened_at: datetime, zone: tzinfo) -> datetime:
    """
    Find the moment with which a period after an opening ends.

    Args:
        period: A time; one in days or weeks, if it is whole days, ends with a day.
        opened_at: When it begins, with a time zone.
        zone: Of the site.

    Returns:
        A whole minute, in UTC, never later than the period after the opening.

    Raises:
        QuantityError: If the period is no time.
    """
    opened_at = opened_at.astimezone(UTC)
    seconds = magnitude(period, "s")
    days = magnitude(period, "d")
    try:
        end = opened_at + timedelta(microseconds=int(EXACT.scaleb(seconds, 6)))
        if symbol(period.units) in _DAYS and days == int(days):
            last = opened_at.astimezone(zone).date() + timedelta(days=int(days) - 1)
            # Where the clocks are put back, the last day ends later than the period.
            end = min(end, day_end(last, zone))
    except OverflowError:
        return _LAST
    return end.replace(second=0, microsecond=0)


def shared(product: Product, rules: Iterable[SharingRule]) -> tuple[Finding, ...]:
    """
    Tell what there is to say when one container serves two sessions.

    Args:
        product: What the container holds.
        rules: Of the catalogues.

    Returns:
        One finding for each rule that is for such a container.
    """
    return tuple(
        Finding(rule.id, rule.severity, product.id, rule.message, rule.sources)
        for rule in rules
        if not rule.doses or product.doses in rule.doses
    )


# ---- bounds ------------------------------------------------------------------------------------------------


def _order(bound: Bound, opened_at: datetime) -> tuple[bool, bool, datetime]:
    """Put first what governs: an expiry that had passed, then the session, then the earliest moment."""
    if bound.until is None:
        return (not bound.applies, True, datetime.min.replace(tzinfo=UTC))
    passed = bound.rule == EXPIRY and bound.until <= opened_at
    return (not bound.applies, not passed, bound.until)


def _of_product(
    product: Product, opened_at: datetime, zone: tzinfo, kinds: frozenset[ContainerKind], *, prepared: bool
) -> Iterator[Bound]:
    """Bound it by what its maker states."""
    source = product.sources[0] if product.sources else None
    if product.in_use_period is not None:
        until = end_of_period(product.in_use_period, opened_at, zone)
        reason = f"{show(product.in_use_period)} after first opening, as the maker states"
        keeps = _may_be_kept(product, kinds)
        if not keeps:
            reason += ", which counts only for a multi-dose container that is no ampoule"
        yield Bound(IN_USE_PERIOD, until, reason, source, applies=keeps)
    if prepared and product.stability_after_preparation is not None:
        until = end_of_period(product.stability_after_preparation, opened_at, zone)
        reason = f"{show(product.stability_after_preparation)} after preparation, as the maker states"
        yield Bound(STABILITY, until, reason, source)


def _of_rules(
    fitting: Iterable[BeyondUseRule], opened_at: datetime, zone: tzinfo, *, stated: bool
) -> Iterator[Bound]:
    """Bound it by periods for containers of its kind."""
    for rule in fitting:
        if rule.period is None:
            continue
        replaced = rule.unless_stated and stated
        reason = rule.message
        if rule.unless_stated:
            reason += (
                ", but the maker states an in-use period"
                if replaced
                else ", as the maker states no in-use period"
            )
        until = end_of_period(rule.period, opened_at, zone)
        yield Bound(rule.id, until, reason, rule.sources[0] if rule.sources else None, applies=not replaced)


def _of_session(
    fitting: Iterable[BeyondUseRule],
    bounds: Iterable[Bound],
    product: Product,
    kinds: frozenset[ContainerKind],
    *,
    prepared: bool,
) -> list[Bound]:
    """Bound it to the session: by rules, or because nothing says that it keeps."""
    rules = sorted((rule for rule in fitting if rule.period is None), key=lambda rule: not rule.containers)
    found = [Bound(rule.id, None, rule.message, rule.sources[0] if rule.sources else None) for rule in rules]
    applying = {bound.rule for bound in bounds if bound.applies}
    if prepared and not found and not applying & {IN_USE_PERIOD, STABILITY}:
        reason = "how long it keeps once prepared is not stated: this session only"
        found.append(Bound(STABILITY, None, reason))
    elif not found and (not applying - {STABILITY} or not _may_be_kept(product, kinds)):
        found.append(Bound(NO_RULE, None, "nothing says that it may be kept: this session only"))
    return found


def _may_be_kept(product: Product, kinds: frozenset[ContainerKind]) -> bool:
    """Tell whether an in-use period can be of it."""
    return product.doses is Doses.MULTI and ContainerKind.AMPOULE not in kinds


def _fits(rule: BeyondUseRule, product: Product, kinds: frozenset[ContainerKind], *, prepared: bool) -> bool:
    return (
        (not rule.doses or product.doses in rule.doses)
        and (not rule.containers or not kinds.isdisjoint(rule.containers))
        and rule.prepared in (None, prepared)
    )


def _kinds(product: Product, *, prepared: bool) -> frozenset[ContainerKind]:
    """List what is open: all that the product holds; of a powder once dissolved, what the powder came in."""
    parts = product.parts
    if prepared:
        parts = tuple(part for part in parts if part.form is Form.POWDER) or parts
    return frozenset(part.container for part in parts)


# ---- what it yields ----------------------------------------------------------------------------------------


def opened_volume(product: Product) -> Quantity | None:
    """
    Tell how much liquid or gel one container yields once opened, and dissolved if it is a powder.

    Args:
        product: Any product.

    Returns:
        The labelled volume, overfill being unknown; of a kit that is mixed before use, of the mixture. None
        where no source says how much it is, where it is measured by mass, and for a kit whose parts are
        opened one by one or do not make up one known volume.
    """
    if not product.is_kit:
        return product.parts[0].usable_volume
    if product.kit_is_mixed is not Permission.YES:
        return None
    if product.mixed_volume is not None:
        return product.mixed_volume
    powders = [part for part in product.parts if part.form is Form.POWDER]
    liquids = [part for part in product.parts if part.form is not Form.POWDER]
    if powders and liquids and not _dissolve(powders, liquids):
        return None
    return _sum(((part.usable_volume, part.per_kit) for part in powders or liquids), "mL")


def opened_mass(product: Product) -> Quantity | None:
    """
    Tell how much one container holds that is measured by mass once opened.

    Args:
        product: Any product.

    Returns:
        The labelled mass of a gel sold by mass, or of a powder of which no source says what volume it makes;
        of a kit that is mixed before use, of all parts. None where it is not stated, and where
        `opened_volume` tells how much there is.
    """
    if opened_volume(product) is not None:
        return None
    if not product.is_kit:
        return product.parts[0].mass
    if product.kit_is_mixed is not Permission.YES:
        return None
    return _sum(((part.mass, part.per_kit) for part in product.parts), "mg")


def _dissolve(powders: Sequence[Part], liquids: Sequence[Part]) -> bool:
    """Tell whether the liquids of a kit are just what its powders are dissolved in."""
    held = {content.substance for part in liquids for content in part.composition}
    needed = []
    for part in powders:
        made = part.reconstitution
        if (
            made is None
            or made.method is Method.MAKE_UP_TO
            or (made.diluents and not held <= {*made.diluents})
        ):
            return False
        needed.append((made.volume, part.per_kit))
    there = _sum(((part.volume, part.per_kit) for part in liquids), "mL")
    wanted = _sum(needed, "mL")
    return there is not None and wanted is not None and there == wanted


def _sum(amounts: Iterable[tuple[Quantity | None, int]], spelling: str) -> Quantity | None:
    with localcontext(EXACT):
        total = Decimal(0)
        for amount, times in amounts:
            if amount is None:
                return None
            total += magnitude(amount, spelling) * times
        return quantity(total, spelling)
