"""What the checks of a session say, for a person, and the options that they ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mesoformula.cli.common import print_wrapped
from mesoformula.cli.options import WholeType
from mesoformula.findings import Finding, Missing, Override, Severity, decisions, standing
from mesoformula.products import Route
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from mesoformula.app import Answer
    from mesoformula.formulary import Formulary

F = TypeVar("F", bound=Callable[..., Any])

#: What findings of each weight stand under, the heaviest first.
HEADINGS = {
    Severity.BLOCK: "Blocked: no reason overrides it",
    Severity.OVERRIDE: "Needs an override, with a reason and a name",
    Severity.WARN: "Look out",
    Severity.INFO: "Good to know",
}

#: How many codes of what could not be checked are named for one missing fact.
NAMED = 3


def check_options(function: F) -> F:
    """
    Add what the checks ask for, and overrides.

    Args:
        function: The command.

    Returns:
        The command with the options.
    """
    for option in reversed(
        (
            click.option("--route", metavar="ROUTE", default="intradermal", help="Else intradermal."),
            click.option("--region", metavar="REGION", help="Such as FR; else MESOFORMULA_REGION."),
            click.option(
                "--condition", "conditions", multiple=True, metavar="WORD",
                help="That the patient has, such as pregnancy; repeat for more. Never stored.",
            ),
            click.option(
                "--allergy", "allergies", multiple=True, metavar="WORD",
                help="Of the patient, such as fish; repeat for more. Never stored.",
            ),
            click.option("--age", type=WholeType(0, 120), metavar="N", help="Of the patient. Never stored."),
            click.option(
                "--override", "codes", multiple=True, metavar="CODE",
                help="Go on against a finding, or CODE=SUBJECT; needs --reason and --by.",
            ),
            click.option("--reason", metavar="TEXT", help="Why it is overridden; no names of patients."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def route_named(word: str) -> Route:
    """
    Find a route by its word.

    Args:
        word: As typed.

    Returns:
        The route.

    Raises:
        click.UsageError: If there is none; with all that there are.
    """
    known = {route.value: route for route in Route}
    found = known.get(word.strip().lower())
    if found is None:
        raise click.UsageError(f"--route {shown(word)} is not known; expected one of {', '.join(known)}")
    return found


def region_of(word: str | None) -> str | None:
    """
    Choose the region of a session.

    Args:
        word: As given; None asks the settings.

    Returns:
        Two letters; None where nobody has set one.

    Raises:
        click.UsageError: If nothing is known of it.
    """
    if word is None:
        region, where = _region_set(), "MESOFORMULA_REGION"
    else:
        region, where = word.strip().upper(), "--region"
    if region is None:
        return None
    from mesoformula.rules import REGIONS

    if region not in REGIONS:
        near = nearest(region, REGIONS) or ("EU", "FR", "UK", "US", "KR")
        raise click.UsageError(f"{where} {shown(region)} is not known; expected such as {', '.join(near)}")
    return region


def _region_set() -> str | None:
    """Ask the environment first, and the settings only where there are any: reading them takes its time."""
    if os.environ.get("MESOFORMULA_REGION"):
        return os.environ["MESOFORMULA_REGION"].strip().upper()
    if not os.environ.get("MESOFORMULA_SETTINGS"):
        from platformdirs import user_config_path

        if not (user_config_path("mesoformula", appauthor=False) / "settings.toml").exists():
            return None
    from mesoformula.cli.stock.common import settings_of

    return settings_of().region


def conditions_named(words: Sequence[str], formulary: Formulary) -> tuple[str, ...]:
    """
    Find the conditions that words mean.

    Args:
        words: As typed.
        formulary: Where they are.

    Returns:
        Their ids.

    Raises:
        UnknownNameError: If a word means none; with the nearest.
    """
    return tuple(dict.fromkeys(formulary.find_condition(word).id for word in words))


def allergies_named(words: Sequence[str], formulary: Formulary) -> tuple[str, ...]:
    """
    Find the allergens or substances that words mean.

    Args:
        words: As typed.
        formulary: Where they are.

    Returns:
        Their ids.

    Raises:
        UnknownNameError: If a word means none; with the nearest.
    """
    return tuple(dict.fromkeys(formulary.find_allergen(word).id for word in words))


def overrides_given(codes: Sequence[str], reason: str | None, by: str | None) -> tuple[Override, ...]:
    """
    Read the overrides of a command.

    Args:
        codes: `CODE`, or `CODE=SUBJECT`.
        reason: Why, of all of them.
        by: Who decides.

    Returns:
        The overrides.

    Raises:
        click.UsageError: If reason or name is missing, or given for nothing.
    """
    if not codes:
        if reason is not None:
            raise click.UsageError("--reason is that of an override; give --override CODE as well")
        return ()
    if reason is None or by is None:
        missing = " and ".join(
            option for option, value in (("--reason TEXT", reason), ("--by NAME", by)) if value is None
        )
        raise click.UsageError(f"--override: why, and who decides? expected {missing} as well")
    found = []
    for text in codes:
        code, _equals, subject = text.partition("=")
        found.append(Override(code.strip(), reason.strip(), by.strip(), subject.strip() or None))
    return tuple(dict.fromkeys(found))


def print_checks(answer: Answer) -> None:
    """
    Print what speaks for or against a session, what could not be checked, and whether it is ready.

    Args:
        answer: A session, worked out and checked.
    """
    total = None
    for severity, heading in HEADINGS.items():
        found = [one for one in answer.findings if one.severity is severity]
        if severity is Severity.INFO:
            total = next((one for one in found if one.code == "rules-checked"), None)
            found = [one for one in found if one is not total]
        if found:
            click.echo(f"\n{heading}")
            for finding in found:
                print_wrapped(_said(finding), first="  - ", rest="    ")
    _print_unchecked([one for one in answer.findings if one.severity is Severity.UNCHECKED])
    if total is not None:
        click.echo()
        print_wrapped(total.message)
    _print_conclusion(answer)


def _said(finding: Finding) -> str:
    """Write a finding with its code, which `mesoformula rules` explains, and the kinds of its sources."""
    kinds = ", ".join(dict.fromkeys(source.kind.value for source in finding.sources))
    return f"{finding.message} [{finding.code}{f'; {kinds}' if kinds else ''}]"


def _print_unchecked(findings: Sequence[Finding]) -> None:
    """Group what could not be checked by what is missing, so that one fact is one line."""
    if not findings:
        return
    click.echo("\nNot checked, as this is not known")
    by_fact: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for finding in findings:
        for missing in finding.missing:
            products, codes = by_fact.setdefault(missing.fact, ({}, {}))
            if missing.of:
                products[missing.of] = None
            codes[finding.code] = None
    for fact, (products, codes) in sorted(
        by_fact.items(), key=lambda one: (bool(one[1][0]), -len(one[1][1]))
    ):
        named = list(codes)
        listed = ", ".join(named[:NAMED])
        if len(named) > NAMED:
            listed += f" and {len(named) - NAMED} more"
        what = str(Missing(fact, ", ".join(products)))
        print_wrapped(f"{what}: {listed}", first="  - ", rest="    ")
    for finding in findings:
        if not finding.missing:
            print_wrapped(_said(finding), first="  - ", rest="    ")


def _print_conclusion(answer: Answer) -> None:
    click.echo()
    for decision in decisions(answer.overrides):
        print_wrapped(decision, first="OVERRIDDEN: ", rest="  ")
    against = standing(answer.findings, answer.overrides)
    codes = ", ".join(dict.fromkeys(finding.code for finding in against))
    if against:
        print_wrapped(codes, first="NOT READY: ", rest="  ")
        if all(finding.severity is Severity.OVERRIDE for finding in against):
            print_wrapped(
                "Change the session, or go on with --override CODE for each of them, --reason and --by."
            )
    elif any(finding.severity is Severity.UNCHECKED for finding in answer.findings):
        click.echo("Ready as far as it was checked: what is listed as not checked was not.")
    else:
        click.echo("Ready: nothing stands against it.")
