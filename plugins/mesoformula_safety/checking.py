"""All checks of a session, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from mesoformula import CatalogueError, Finding, Missing, Severity
from mesoformula_safety.judging import judge
from mesoformula_safety.labels import check_labels
from mesoformula_safety.situation import Situation

if TYPE_CHECKING:
    from mesoformula import Formulary, Rule, Session, SessionQuantities


def check(
    session: Session, quantities: SessionQuantities, formulary: Formulary, on: date
) -> tuple[Finding, ...]:
    """
    Check a session.

    Args:
        session: What was asked.
        quantities: What was answered.
        formulary: Where rules, products and substances are found.
        on: The day on which rules must be in force.

    Returns:
        Findings, each once, the heaviest first.
    """
    situation = Situation(session, quantities, formulary, on)
    found = set(_all(situation))
    order = list(Severity)
    return tuple(
        sorted(found, key=lambda one: (order.index(one.severity), one.code, one.subject, one.message))
    )


def _all(situation: Situation) -> Iterator[Finding]:
    yield from check_labels(situation)
    yield _patient(situation)
    rules, silent, broken = _rules(situation)
    yield from broken
    allergic = [rule for rule in rules if rule.allergic]
    said: set[str] = set()
    undecided: set[str] = set()
    for rule in rules:
        for finding in judge(rule, situation) if not rule.allergic else ():
            (undecided if finding.severity is Severity.UNCHECKED else said).add(rule.id)
            yield finding
    if situation.session.allergies:
        from mesoformula_safety.allergies import check_allergies  # few sessions need it, and it takes time

        yield from check_allergies(situation, allergic)
    yield _counted(situation, len(rules) + silent, len(said), len(undecided - said))


def _rules(situation: Situation) -> tuple[list[Rule], int, list[Finding]]:
    """Read the rules that may speak; most ask for a patient or a product that is not there."""
    formulary, rules, silent, broken = situation.formulary, [], 0, []
    for name, entry in sorted(formulary.entries("rule").items()):
        if entry.record is None and entry.file is not None:
            table = entry.file.table("rule", entry.number)
            if isinstance(table, dict) and not _may_speak(table, situation):
                silent += 1
                continue
        try:
            rules.append(formulary.rule(name))
        except CatalogueError:
            text = f"the rule {name} cannot be read, so that it is not checked: mend it"
            facts = (Missing(f"rule {name}"),)
            broken.append(Finding("rule-not-read", Severity.UNCHECKED, name, text, (), facts))
    return rules, silent, broken


def _may_speak(table: Mapping[str, Any], situation: Situation) -> bool:
    """Tell from the table of a rule whether reading it is worth while."""
    session = situation.session
    given = (
        ("conditions", set(session.conditions)),
        ("allergies", set(session.allergies)),
        ("products", {product.id for product in situation.products}),
    )
    return all(
        not isinstance(wanted := table.get(key), list) or not wanted or not have.isdisjoint(map(str, wanted))
        for key, have in given
    )


def _patient(situation: Situation) -> Finding:
    """Say what of the patient was not given; what was named is not repeated."""
    session = situation.session
    given = (
        (session.conditions, "conditions of the patient"),
        (session.allergies, "allergies of the patient"),
        (session.age, "age of the patient"),
    )
    absent = [name for value, name in given if value in ((), None)]
    if len(absent) == len(given):
        text = "nothing was given about the patient: conditions, allergies and age were not checked"
    elif absent:
        text = f"only what was given about the patient was checked; not given: {', '.join(absent)}"
    else:
        text = "only the conditions and allergies that were named were checked"
    facts = tuple(map(Missing, absent)) or (Missing("conditions and allergies that were not named"),)
    return Finding("patient-not-asked", Severity.UNCHECKED, situation.subject, text, (), facts)


def _counted(situation: Situation, rules: int, said: int, undecided: int) -> Finding:
    text = (
        f"Checked: {rules} rules, of which {said} speak and {undecided} cannot be decided, as facts are "
        "missing; and for each product labelled route, status and permission to mix"
    )
    if not rules:
        text = "Checked: labelled route, status and permission to mix alone, as no rules are on offer"
    return Finding("rules-checked", Severity.INFO, situation.subject, text)
