"""What the rules of the kit have in common, whichever kind of plugin they are about."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from mesoformula.errors import Problem
from mesoformula.provenance import said

if TYPE_CHECKING:
    from mesoformula.testing.subject import Subject

#: A rule that is broken more often says so; nobody reads ten thousand lines.
MOST_PROBLEMS = 20


class Kind(enum.StrEnum):
    """What a plugin may be, by what it offers."""

    PLUGIN = "plugin"
    CATALOGUE = "catalogue"
    QUANTITIES = "quantities"
    CHECKS = "checks"
    SHEETS = "sheets"
    EXPORTER = "exporter"
    IMPORTER = "importer"
    INGREDIENT_CLASS = "ingredient class"
    LOT_POLICY = "lot choice"


#: The hooks that make a plugin one of a kind.
HOOKS_OF = {
    Kind.PLUGIN: (),
    Kind.CATALOGUE: (
        "mesoformula_catalogues",
        "mesoformula_products",
        "mesoformula_techniques",
        "mesoformula_zones",
    ),
    Kind.QUANTITIES: ("mesoformula_work_out_session",),
    Kind.CHECKS: ("mesoformula_check_product", "mesoformula_check_session"),
    Kind.SHEETS: ("mesoformula_sheets",),
    Kind.EXPORTER: ("mesoformula_exporters",),
    Kind.IMPORTER: ("mesoformula_importers",),
    Kind.INGREDIENT_CLASS: ("mesoformula_ingredient_classes",),
    Kind.LOT_POLICY: ("mesoformula_lot_policies",),
}


class NotApplicableError(Exception):
    """A rule that says nothing of this plugin; the text says why."""


class State(enum.StrEnum):
    """What has become of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@attrs.frozen
class Rule:
    """
    One thing that every plugin of a kind must obey.

    Attributes:
        code: A stable word, such as `linear`.
        kind: Of plugin.
        sentence: What the rule is.
        test: Name of the test in the conformance class.
        breaches: Finds what breaks it, each as the hook, what was found and what to do.
    """

    code: str
    kind: Kind
    sentence: str
    test: str
    breaches: Callable[[Subject], Iterable[str]]


@attrs.frozen
class Verdict:
    """
    What has become of one rule for one plugin.

    Attributes:
        rule: Which.
        state: Passed, failed or not applicable.
        problems: Why it failed.
        reason: Why it is not applicable.
    """

    rule: Rule
    state: State
    problems: tuple[Problem, ...] = ()
    reason: str = ""


RULES: dict[str, Rule] = {}


def rule(code: str, kind: Kind) -> Callable[[Callable[[Subject], Iterator[str]]], Rule]:
    """
    Make a rule of a function that finds what breaks it; its docstring is what the rule says.

    Args:
        code: A stable word, unique.
        kind: Of plugins that it is for.

    Returns:
        The decorator.
    """

    def make(function: Callable[[Subject], Iterator[str]]) -> Rule:
        sentence = " ".join((function.__doc__ or "").split()).rstrip(".")
        made = Rule(code, kind, sentence, f"test_{function.__name__}", function)
        if RULES.setdefault(code, made) is not made:
            raise ValueError(f"two rules are called {code!r}")
        return made

    return make


def judged(one: Rule, subject: Subject) -> Verdict:
    """
    Try one rule on one plugin.

    Args:
        one: The rule.
        subject: The plugin, and what to try it with.

    Returns:
        The verdict; whatever the plugin raises where the rule did not expect it counts against it.
    """
    hooks = HOOKS_OF[one.kind]
    if hooks and not set(hooks) & set(subject.hooks):
        return Verdict(one, State.NOT_APPLICABLE, reason=f"it does not implement {' or '.join(hooks)}")
    texts: list[str] = []
    try:
        texts.extend(islice(one.breaches(subject), MOST_PROBLEMS + 1))
    except NotApplicableError as err:
        if not texts:
            return Verdict(one, State.NOT_APPLICABLE, reason=str(err))
    except KeyboardInterrupt:
        raise
    except BaseException as err:
        texts.append(f"trying the rule ended with {said(err)}; mend what raises it")
    if len(texts) > MOST_PROBLEMS:
        texts[MOST_PROBLEMS:] = ["and more of the same"]
    problems = tuple(Problem(one.code, text, plugin=str(subject.info)) for text in texts)
    return Verdict(one, State.FAILED if problems else State.PASSED, problems)
