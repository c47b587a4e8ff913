"""What a rule has to say about a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesoformula import Finding, Severity
from mesoformula_safety.conditions import asks_for_a_product, of_product, of_session
from mesoformula_safety.verdicts import NO, Verdict, every

if TYPE_CHECKING:
    from mesoformula import Product, Rule
    from mesoformula_safety.situation import Situation


def judge(rule: Rule, situation: Situation) -> Iterator[Finding]:
    """
    Let one rule speak.

    Args:
        rule: Any but one on allergies to what products hold.
        situation: The session.

    Yields:
        A finding for each product that meets what the rule asks of one, else one for the session; where it
        cannot be told, an `unchecked` one.
    """
    if not asks_for_a_product(rule):
        yield from _said(rule, of_session(rule, situation), None, situation)
        return
    met = [(product, of_product(rule, product, situation)) for product in situation.products]
    met = [(product, verdict) for product, verdict in met if verdict.holds is not False]
    common = of_session(rule, situation) if met else NO
    for product, verdict in met:
        yield from _said(rule, every((common, verdict)), product, situation)


def _said(rule: Rule, verdict: Verdict, product: Product | None, situation: Situation) -> Iterator[Finding]:
    if verdict.holds is False:
        return
    subject = product.id if product is not None else situation.subject
    names = (product.name,) if product is not None else verdict.about
    unsaid = [name for name in names if name.casefold() not in rule.message.casefold()]
    text = f"{listed(unsaid)}: {rule.message}" if unsaid else rule.message
    if verdict.holds is None:
        yield unchecked(rule.id, subject, text, verdict, rule)
        return
    notes = [*verdict.notes]
    if rule.periods:
        notes.append(f"in force on {situation.on}")
    told = f"{text} ({'; '.join(notes)})" if notes else text
    yield Finding(rule.id, rule.severity, subject, told, rule.sources)


def listed(names: Sequence[str]) -> str:
    """
    Write names one after the other.

    Args:
        names: At least one.

    Returns:
        Text such as `A, B and C`.
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def unchecked(code: str, subject: str, text: str, verdict: Verdict, rule: Rule | None = None) -> Finding:
    """
    Say that something cannot be told, and for want of what.

    Args:
        code: Of what would be said.
        subject: What it would be about.
        text: What would be said.
        verdict: With what is missing.
        rule: That it rests on.

    Returns:
        The finding.
    """
    facts = "; ".join(map(str, verdict.missing))
    return Finding(
        code,
        Severity.UNCHECKED,
        subject,
        f"cannot be told without: {facts}. If it holds: {text}",
        rule.sources if rule is not None else (),
        verdict.missing,
    )
