"""The conditions of a rule, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from mesoformula import ContainerKind, Doses, Missing, ProductKind
from mesoformula.rules import EU_MEMBERS
from mesoformula_safety.contents import ANY_PART
from mesoformula_safety.verdicts import NO, YES, Verdict, every, is_one_of, once, unknown

if TYPE_CHECKING:
    from mesoformula import Presence, Product, Rule, Status
    from mesoformula_safety.contents import Hit, Place
    from mesoformula_safety.situation import Situation

REGION = Missing("region")
AGE = Missing("age of the patient")


def of_session(rule: Rule, situation: Situation) -> Verdict:
    """
    Tell whether all conditions of a rule hold but those on a product.

    Args:
        rule: Any.
        situation: The session.

    Returns:
        The verdict.
    """
    return every(_of_session(rule, situation))


def _of_session(rule: Rule, situation: Situation) -> Iterator[Verdict]:
    session = situation.session
    yield is_one_of(session.route, rule.routes, Missing("route"))
    yield _shared(rule.conditions, session.conditions)
    yield _shared(rule.allergies, session.allergies)
    if rule.region is not None:
        yield unknown(REGION) if session.region is None else Verdict(rule.holds_in(session.region))
    yield Verdict(rule.in_force(situation.on))
    if rule.age_below is not None:
        yield unknown(AGE) if session.age is None else Verdict(session.age < rule.age_below)
    zone, technique = session.zone, session.technique
    yield is_one_of(zone.id if zone is not None else None, rule.zones, Missing("zone"))
    yield is_one_of(technique.id if technique is not None else None, rule.techniques, Missing("technique"))
    if rule.present:
        yield _together(rule, situation)
    if rule.ph_below is not None:
        yield _acidic(Decimal(rule.ph_below), situation)
    if rule.limit is not None:
        from mesoformula_safety.amounts import exceeds

        yield exceeds(rule, rule.limit, situation)


def _shared(wanted: Sequence[str], given: Sequence[str]) -> Verdict:
    """Tell whether a patient has any of what a rule asks for; what was not named is said once for all."""
    return Verdict(not wanted or bool(set(wanted) & set(given)))


def asks_for_a_product(rule: Rule) -> bool:
    """
    Tell whether a rule has conditions that one product must meet.

    Args:
        rule: Any.

    Returns:
        Whether it has.
    """
    return bool(rule.products or rule.kinds or rule.containers or rule.doses or rule.mixing)


def of_product(rule: Rule, product: Product, situation: Situation) -> Verdict:
    """
    Tell whether a product meets all conditions that a rule has on one.

    Args:
        rule: Any.
        product: That the session takes.
        situation: The session.

    Returns:
        The verdict.
    """
    return every(_of_product(rule, product, situation))


def _of_product(rule: Rule, product: Product, situation: Situation) -> Iterator[Verdict]:
    yield Verdict(not rule.products or product.id in rule.products)
    if rule.mixing:
        yield Verdict(situation.is_mixed and product.mixing in rule.mixing)
    yield _kind(rule, product, situation)
    yield _any(
        is_one_of(
            None if part.container is ContainerKind.NOT_STATED else part.container,
            rule.containers,
            Missing("kind of container", product.name),
        )
        for part in situation.parts(product)
    )
    stated = None if product.doses is Doses.NOT_STATED else product.doses
    if Doses.NOT_STATED in rule.doses and stated is None:
        return
    yield is_one_of(stated, rule.doses, Missing("doses per container", product.name))


def _kind(rule: Rule, product: Product, situation: Situation) -> Verdict:
    if not rule.kinds:
        return YES
    kinds = kinds_of(product, situation.session.region)
    if any(kind in rule.kinds for kind in kinds):
        return YES
    if situation.session.region is None and any(one.kind in rule.kinds for one in product.status):
        return unknown(REGION)
    if ProductKind.NOT_STATED in kinds:
        return unknown(Missing("legal status", product.name))
    return NO


def kinds_of(product: Product, region: str | None) -> tuple[ProductKind, ...]:
    """
    List what the law takes a product for.

    Args:
        product: Any.
        region: Where; None for nowhere in particular.

    Returns:
        What it is there, where a source says so, else what it is where sources agree.
    """
    there = tuple(one.kind for one in product.status if region is not None and holds_in(one, region))
    stated = tuple(kind for kind in there if kind is not ProductKind.NOT_STATED)
    return stated or (product.kind,)


def holds_in(status: Status, region: str) -> bool:
    """
    Tell whether a status says what a product is in a region.

    Args:
        status: Of the product.
        region: Where.

    Returns:
        Whether it names the region, or the Union that the region is a member of.
    """
    return status.region == region or (status.region == "EU" and region in EU_MEMBERS)


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    found = list(verdicts)
    for wanted in (True, None):
        for verdict in found:
            if verdict.holds is wanted:
                return verdict
    return NO


def _acidic(below: Decimal, situation: Situation) -> Verdict:
    """Tell whether any part of the mixture is more acidic, by the lower end of what is published."""
    missing = []
    for product in situation.products:
        for part in situation.parts(product):
            if part.ph is None:
                missing.append(Missing("pH", product.name))
            elif Decimal(part.ph.partition(" to ")[0]) < below:
                return Verdict(True, notes=(f"{product.name} has pH {part.ph}",))
    return unknown(*missing) if missing else NO


def _together(rule: Rule, situation: Situation) -> Verdict:
    """Tell whether all that a rule names is there, and not all of it from one container."""
    found = [_present(presence, situation) for presence in rule.present]
    if not all(found):
        return NO
    alone = rule.one_container or len(found) == 1
    sure = [[(hit, one) for hit, one in hits if one.holds] for hits in found]
    if all(sure) and (alone or _apart(hit.place for hits in sure for hit, _one in hits)):
        return Verdict(
            True, (), _names(sure), once(note for hits in sure for _hit, one in hits for note in one.notes)
        )
    if not alone and len({hit.place for hits in found for hit, _one in hits}) == 1:
        return NO
    missing = [
        fact
        for hits, certain in zip(found, sure, strict=True)
        if not certain or all(sure)
        for _hit, one in hits
        for fact in one.missing
    ]
    if all(sure):
        places = {hit.place: hit.product for hits in found for hit, _one in hits}
        missing += [
            Missing("part that holds it", name) for place, name in places.items() if place.part == ANY_PART
        ]
    if not missing:
        return NO
    return unknown(*missing, about=_names(found))


def _present(presence: Presence, situation: Situation) -> list[tuple[Hit, Verdict]]:
    """List what a presence means, or may mean, with a verdict on each."""
    found = []
    for hit in situation.hits(presence.any_of):
        verdict = unknown(*hit.missing) if hit.missing else YES
        if not hit.missing and presence.concentration_from is not None:
            from mesoformula_safety.amounts import concentration

            verdict = concentration(hit, presence.any_of, presence.concentration_from, situation)
        if verdict.holds is not False:
            found.append((hit, verdict))
    return found


def _apart(places: Iterable[Place]) -> bool:
    """Tell whether there are two containers among places, for certain."""
    return any(
        one.product != other.product or (one.part != other.part and ANY_PART not in (one.part, other.part))
        for one, other in combinations(set(places), 2)
    )


def _names(found: Iterable[Iterable[tuple[Hit, Verdict]]]) -> tuple[str, ...]:
    return once(hit.product for hits in found for hit, _verdict in hits)
