"""What a patient is allergic to, against what products hold and may hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesoformula import Finding, Selector, SelectorKind, Severity
from mesoformula.rules import origins_of
from mesoformula_safety.conditions import of_session
from mesoformula_safety.judging import unchecked
from mesoformula_safety.verdicts import every, once, unknown

if TYPE_CHECKING:
    from mesoformula import Allergen, Cross, Rule
    from mesoformula_safety.contents import Hit
    from mesoformula_safety.situation import Situation

#: The code of what is said where no rule says how heavily an allergy speaks; and how heavily it then does.
CODE, WEIGHT = "allergy-to-an-ingredient", Severity.BLOCK


def check_allergies(situation: Situation, rules: Sequence[Rule]) -> Iterator[Finding]:
    """
    Look for everything that the patient is allergic to, and for what crosses with it.

    Args:
        situation: The session.
        rules: Those with `allergic`.

    Yields:
        Findings, for each allergy on its own.
    """
    for name in once(situation.session.allergies):
        allergen = situation.formulary.find_allergen(name)
        yield from _direct(allergen, rules, situation)
        for cross in allergen.crosses:
            yield from _crossing(allergen, cross, situation)


def _direct(allergen: Allergen, rules: Sequence[Rule], situation: Situation) -> Iterator[Finding]:
    by_product: dict[str, list[Hit]] = {}
    for hit in situation.hits(allergen.selectors):
        by_product.setdefault(hit.product_id, []).append(hit)
    for product, hits in by_product.items():
        sure = [hit for hit in hits if not hit.missing]
        name = hits[0].product
        if sure:
            held = f"{name} holds {_listed(sure)} (allergy: {allergen.name})"
            if not rules:
                yield Finding(CODE, WEIGHT, product, f"{held}: take another product, or leave it out")
            for rule in rules:
                yield from _with_rule(rule, product, held, situation)
        else:
            text = f"{name} may hold what sets off the allergy to {allergen.name}"
            facts = unknown(*(fact for hit in hits for fact in hit.missing))
            code = rules[0].id if rules else CODE
            yield unchecked(code, product, text, facts, rules[0] if rules else None)


def _with_rule(rule: Rule, product: str, held: str, situation: Situation) -> Iterator[Finding]:
    verdict = of_session(rule, situation)
    text = f"{held}: {rule.message}"
    if verdict.holds:
        yield Finding(rule.id, rule.severity, product, text, rule.sources)
    elif verdict.holds is None:
        yield unchecked(rule.id, product, text, verdict, rule)


def _crossing(allergen: Allergen, cross: Cross, situation: Situation) -> Iterator[Finding]:
    direct = {(hit.place, hit.substance) for hit in situation.hits(allergen.selectors) if not hit.missing}
    by_product: dict[str, list[Hit]] = {}
    for hit in situation.hits(cross.any_of):
        if (hit.place, hit.substance) not in direct and not _comes_from_elsewhere(hit, allergen, situation):
            by_product.setdefault(hit.product_id, []).append(hit)
    for product, hits in by_product.items():
        sure = [hit for hit in hits if not hit.missing]
        text = f"{hits[0].product} holds {_listed(sure or hits)} (allergy: {allergen.name}): {cross.message}"
        if sure:
            yield Finding("cross-allergy", cross.severity, product, text, cross.sources)
        else:
            verdict = every([unknown(*(fact for hit in hits for fact in hit.missing))])
            finding = unchecked("cross-allergy", product, text, verdict)
            yield Finding(
                finding.code,
                finding.severity,
                finding.subject,
                finding.message,
                cross.sources,
                finding.missing,
            )


def _comes_from_elsewhere(hit: Hit, allergen: Allergen, situation: Situation) -> bool:
    """Tell whether a product says where a substance is from, and it is not what the allergy is about."""
    if hit.substance is None:
        return False
    if not any(Selector.of(text).kind is SelectorKind.ORIGIN for text in allergen.selectors):
        return False
    named, _hidden = situation.contents
    return any(
        one.substance is not None and bool(origins_of(one.substance, one.attributes))
        for one in named
        if (one.place, one.id) == (hit.place, hit.substance)
    )


def _listed(hits: Sequence[Hit]) -> str:
    return ", ".join(once(hit.name.lower() for hit in hits))
