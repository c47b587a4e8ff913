"""Whether an amount is too much: what is known at least, and at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from mesoformula import Missing, Per, Selector, SelectorKind, magnitude, show
from mesoformula_safety.sums import NONE, NOTHING, TINY, Sum, counted, unit_of
from mesoformula_safety.verdicts import NO, Verdict, unknown

if TYPE_CHECKING:
    from mesoformula import Dose, Limit, Rule, Strength
    from mesoformula_safety.contents import Hit
    from mesoformula_safety.situation import Situation


def exceeds(rule: Rule, limit: Limit, situation: Situation) -> Verdict:
    """
    Tell whether a session takes more than a rule allows.

    Args:
        rule: Whose products count, where a volume is limited.
        limit: Of the rule.
        situation: The session.

    Returns:
        Yes if what is known is too much already; unknown if what is not known could make it so.
    """
    unit = unit_of(limit.above)
    if unit is None:
        return unknown(Missing(f"dose in the unit of {show(limit.above)}"))
    above = magnitude(limit.above, unit)
    total = _volume(rule, situation) if not limit.of else _dose(limit, unit, situation)
    if limit.per is Per.POINT:
        return _per_point(total, above, situation)
    if limit.per is Per.PERIOD:
        if total.counted <= 0 and not total.missing:
            return NO
        from mesoformula_safety.past import past_doses

        total += past_doses(rule, limit, unit, situation)
    return _compared(total, above)


def _compared(total: Sum, above: Decimal) -> Verdict:
    if total.counted > above * (1 + TINY):
        return Verdict(True, notes=total.notes)
    return unknown(*total.missing, notes=total.notes) if total.missing else NO


def _per_point(total: Sum, above: Decimal, situation: Situation) -> Verdict:
    quantities = situation.quantities
    if quantities.points:
        each = Decimal(quantities.points)
    elif quantities.volume_per_point is not None:
        each = magnitude(quantities.injected, "mL") / magnitude(quantities.volume_per_point, "mL")
    elif total.counted > above * (1 + TINY) or total.missing:
        return unknown(*total.missing, Missing("number of points"), notes=total.notes)
    else:
        return NO  # there is one point at least
    return _compared(total._replace(counted=total.counted / each), above)


def _volume(rule: Rule, situation: Situation) -> Sum:
    """Count the volume of the rule's products that is injected; losses stay in the syringe."""
    quantities = situation.quantities
    injected, prepared = magnitude(quantities.injected, "mL"), magnitude(quantities.prepared, "mL")
    if not rule.products or not prepared:
        return Sum(injected)
    drawn = sum(
        (magnitude(line.volume, "mL") for line in quantities.lines if line.product.id in rule.products),
        NOTHING,
    )
    return Sum(drawn * injected / prepared)


def _dose(limit: Limit, unit: str, situation: Situation) -> Sum:
    """Add up the doses of what a limit names, each once."""
    total = NONE
    rows: dict[int, Dose] = {}
    hits = situation.hits(limit.of)
    for dose in _rows(limit.of, situation):
        rows.setdefault(id(dose), dose)
    told: set[tuple[str, bool]] = set()
    for dose in rows.values():
        if dose.dose.low is not None and unit_of(dose.dose.low) != unit:
            continue
        told.add((dose.substance, dose.as_moiety))
        total += counted(dose.dose, unit, Missing(f"amount of {dose.name.lower()}"))
    for dose in rows.values():
        if (dose.substance, dose.as_moiety) not in told:
            total += Sum(NOTHING, (Missing(f"amount of {dose.name.lower()} in {unit}"),))
    listed = {dose.substance for dose in situation.quantities.doses}
    for hit in hits:
        total += Sum(NOTHING, hit.missing)
        if hit.substance is not None and hit.substance not in listed:
            total += Sum(NOTHING, (Missing(f"amount of {hit.name.lower()}", hit.product),))
    return total


def _rows(selectors: Iterable[str], situation: Situation) -> Iterator[Dose]:
    """List the doses that selectors mean: by moiety where one is named, else by exact form."""
    doses = situation.doses
    wanted = [(text, Selector.of(text)) for text in selectors]
    moieties = {one.name for _text, one in wanted if one.kind is SelectorKind.MOIETY}
    for name in moieties:
        yield from doses.get((name, True)) or doses.get((name, False), ())
    for text, selector in wanted:
        if selector.kind is SelectorKind.MOIETY:
            continue
        for hit in situation.hits([text]):
            if hit.substance is not None and not _yields(hit.substance, moieties, situation):
                yield from doses.get((hit.substance, False), ())
        if selector.kind is SelectorKind.CLASS:
            yield from doses.get((selector.name, False), ())


def _yields(name: str, moieties: set[str], situation: Situation) -> bool:
    """Tell whether a substance is counted in a moiety already."""
    if not moieties or not situation.formulary.has_substance(name):
        return name in moieties
    substance = situation.formulary.substance(name)
    return name in moieties or any(one.substance in moieties for one in substance.moieties)


def concentration(hit: Hit, selectors: Iterable[str], level: Strength, situation: Situation) -> Verdict:
    """
    Tell whether a substance is there in a concentration, or more.

    Args:
        hit: What is there, or may be.
        selectors: That found it: a moiety counts over all its forms.
        level: The concentration, per volume.
        situation: The session.

    Returns:
        The verdict.
    """
    missing = Missing(f"concentration of {hit.name.lower()}", hit.product)
    unit = unit_of(level.amount)
    if unit not in ("mg", "IU") or level.per is None:
        return unknown(missing)
    wanted = magnitude(level.amount, unit) / magnitude(level.per, "mL")
    names = [(hit.substance, False)] if hit.substance is not None else []
    chosen = [Selector.of(text) for text in selectors]
    names += [(one.name, True) for one in chosen if one.kind is SelectorKind.MOIETY]
    verdicts = []
    for row in (row for name in names for row in situation.doses.get(name, ())):
        if row.dose.low is not None and unit_of(row.dose.low) != unit:
            continue
        total = counted(row.concentration, f"{unit}/mL", missing)
        if total.counted >= wanted * (1 - TINY):
            return Verdict(True, notes=total.notes)
        verdicts.append(unknown(missing) if total.missing else NO)
    if not verdicts:
        return unknown(missing)
    return next((one for one in verdicts if one.holds is None), NO)
