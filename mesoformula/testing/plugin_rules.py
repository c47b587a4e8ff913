"""What every plugin obeys, whatever it offers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mesoformula.contract import CHECKS, DECISIONS, OFFERS, Answers, WrongAnswerError
from mesoformula.fields import IDENTIFIER
from mesoformula.provenance import PluginInfo, said
from mesoformula.testing.canonical import canonical
from mesoformula.testing.effects import EffectKind
from mesoformula.testing.probing import Probe, digests_of, probe
from mesoformula.testing.rules import Kind, NotApplicableError, rule
from mesoformula.testing.subject import Call, Subject
from mesoformula.words import shown

#: What the names of offers look like, so that they can be typed, written into a file and told apart.
_NAMES: Mapping[str, str] = {
    "mesoformula_ingredient_classes": r"[a-z]+(?:_[a-z]+)*",
    "mesoformula_techniques": IDENTIFIER,
    "mesoformula_zones": IDENTIFIER,
    "mesoformula_lot_policies": IDENTIFIER,
    "mesoformula_commands": IDENTIFIER,
    "mesoformula_exporters": r"\.[a-z0-9]{1,10}(?:\.[a-z0-9]{1,10})?",
    "mesoformula_importers": r"\.[a-z0-9]{1,10}(?:\.[a-z0-9]{1,10})?",
    "mesoformula_products": rf"{IDENTIFIER}/{IDENTIFIER}@[1-9][0-9]*",
}


@rule("hooks", Kind.PLUGIN)
def it_implements_hooks_that_exist_with_arguments_that_they_have(subject: Subject) -> Iterator[str]:
    """It implements hooks that exist, with arguments that they have."""
    subject.manager  # noqa: B018 (registering finds what is wrong)
    if subject.is_registered:
        return
    for problem in subject.manager.problems:
        yield f"[{problem.code}] {problem.message}"


@rule("offers", Kind.PLUGIN)
def what_it_offers_can_be_used(subject: Subject) -> Iterator[str]:
    """What it offers is of the right type, is offered once, and takes no name of the core."""
    _usable(subject)
    manager = subject.manager
    manager.define_units()
    manager.ingredient_classes()
    manager.importers()
    manager.lot_policies()
    for hook in ("catalogues", "products", "techniques", "zones", "exporters"):
        manager.offers(f"mesoformula_{hook}")
    if "mesoformula_commands" in subject.hooks:
        from mesoformula.cli import COMMANDS

        manager.commands(tuple(COMMANDS))
    for problem in manager.problems:
        yield f"[{problem.code}] {problem.message}"


@rule("names", Kind.PLUGIN)
def names_of_what_it_offers_are_well_formed(subject: Subject) -> Iterator[str]:
    """Names of what it offers are short, lower case, and safe to type."""
    _usable(subject)
    for hook, pattern in _NAMES.items():
        names = OFFERS[hook].names
        for one in subject.offered(hook):
            for name in names(one) if names is not None else ():
                if len(name) > 60 or not re.fullmatch(pattern, name):
                    yield f"{hook}: offers {shown(name)}; expected at most 60 characters like {pattern}"


@rule("mutates", Kind.PLUGIN)
def what_is_handed_in_stays_as_it_was(subject: Subject) -> Iterator[str]:
    """What is handed in stays as it was."""
    # The first rule that calls anything: later, what is changed once would already be what it is changed to.
    _usable(subject)
    for call in subject.calls:
        before = [canonical(one) for one in call.arguments]
        call.made()
        for one, was in zip(call.arguments, before, strict=True):
            if canonical(one) != was:
                what = type(one).__name__
                yield f"{call.label}: changed the {what} that it was handed; work on a copy, such as sorted()"


@rule("answers", Kind.PLUGIN)
def every_call_is_answered_as_the_hook_says(subject: Subject) -> Iterator[str]:
    """Every call is answered as the hook says, and none raises what it must not."""
    _usable(subject)
    for call in subject.calls:
        outcome = call.made()
        if outcome.raised is not None and not isinstance(outcome.raised, call.raises):
            yield f"{call.label}: raised {said(outcome.raised)}; answer, or leave it out and say why"
            continue
        for one in _answers(call, outcome.value):
            answers = _kind_of_answer(call)
            try:
                if answers is not None:
                    answers.checked(one)
            except WrongAnswerError as err:
                yield f"{call.label}: {err}"


@rule("prints", Kind.PLUGIN)
def nothing_is_printed(subject: Subject) -> Iterator[str]:
    """Nothing is printed, neither while it is imported nor when it is called."""
    yield from _said(subject, EffectKind.PRINTED, "answer instead; what people read, mesoformula prints")


@rule("writes", Kind.PLUGIN)
def no_file_is_changed(subject: Subject) -> Iterator[str]:
    """No file is made or changed, but by an exporter the one that it is told to write."""
    yield from _said(subject, EffectKind.WROTE, "keep what you need in memory")


@rule("network", Kind.PLUGIN)
def no_connection_is_made(subject: Subject) -> Iterator[str]:
    """No connection is made: a session must not wait for a network, nor tell anybody about itself."""
    yield from _said(subject, EffectKind.CONNECTED, "ship what you need with the plugin")


@rule("programs", Kind.PLUGIN)
def no_program_is_started(subject: Subject) -> Iterator[str]:
    """No other program is started, and the environment stays as it is."""
    yield from _said(subject, EffectKind.STARTED, "do it in Python, and pass on what changes as arguments")


@rule("repeats", Kind.PLUGIN)
def the_same_call_gets_the_same_answer(subject: Subject) -> Iterator[str]:
    """The same call gets the same answer, in the same order, however often it is made."""
    _usable(subject)
    first, second = (digests_of(subject.calls, subject.folder) for _time in range(2))
    for label, answer in first.items():
        if second.get(label) != answer:
            yield f"{label}: the second answer differs; use no chance, no counter and no clock"


@rule("processes", Kind.PLUGIN)
def another_process_gets_the_same_answer(subject: Subject) -> Iterator[str]:
    """Another process, in which names hash differently, gets the same answer in the same order."""
    _usable(subject)
    seen = _probed(subject)
    if seen.failure:
        yield f"{seen.failure}; mend it, or run the kit again where the machine was busy"
        return
    there = dict(seen.digests)
    plain = Subject(
        subject.plugin,
        subject.info,
        subject.new_folder().resolve(),
        needs_bundled=subject.needs_bundled,
    )
    for label, answer in digests_of(plain.calls, plain.folder).items():
        if there.get(label) != answer:
            yield (
                f"{label}: another process got another answer; sort what comes out of a set, and make names "
                "and ids of what the plugin holds, not of chance or time"
            )


# ---- what these rules share -----------------------------------------------------------------------------


def _usable(subject: Subject) -> None:
    if not subject.is_registered:
        raise NotApplicableError("the plugin cannot be used at all; see the rule 'hooks'")


def _kind_of_answer(call: Call) -> Answers | None:
    """Tell what a hook answers with; what an offer is called for, its own rules look at."""
    if not call.label.startswith(call.hook):
        return None
    return OFFERS.get(call.hook) or CHECKS.get(call.hook) or DECISIONS.get(call.hook)


def _answers(call: Call, value: Any) -> list[Any]:
    if value is None:
        return []
    return value if call.takes_all and isinstance(value, list) else [value]


def _said(subject: Subject, kind: EffectKind, advice: str) -> Iterator[str]:
    _usable(subject)
    if subject.reference is not None:
        for text in _probed(subject).imported:
            if text.startswith(kind):
                yield f"importing it {text}; do nothing while being imported"
    for call, effects in subject.effects:
        for detail in dict.fromkeys(one.detail for one in effects if one.kind is kind):
            yield f"{call.label}: {kind} {detail}; {advice}"


def _probed(subject: Subject) -> Probe:
    if subject.reference is None:
        raise NotApplicableError("it was not imported by name, so that another process could not find it")
    return _probe(subject.reference, subject.info, subject.needs_bundled, tuple(sys.path))


@cache
def _probe(reference: str, info: PluginInfo, needs_bundled: bool, _path: tuple[str, ...]) -> Probe:
    """Ask another process once, however many rules want to know."""
    return probe(reference, info, needs_bundled=needs_bundled)
