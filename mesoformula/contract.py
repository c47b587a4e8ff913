"""
What plugins may answer with, and what they must look like, as far as both can be told without knowing them.

Record types are imported only when there is an answer to look at, so that loading plugins stays cheap.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import Any

import attrs
import pluggy

from mesoformula.contract_version import CONTRACT_ATTRIBUTE, Contract, written
from mesoformula.hookspecs import PROJECT
from mesoformula.words import nearest, shown

#: A hook that answers with more than this is taken to be endless.
MOST_ANSWERS = 100_000

_PREFIX = f"{PROJECT}_"


class WrongAnswerError(Exception):
    """An answer that a hook must not give; the text says how it differs from what is expected."""


@attrs.frozen
class Answers:
    """
    What a hook answers with.

    Attributes:
        what: In words.
        record: Module and name of the type; imported only when there is an answer to look at.
        names: What must be unique, one or several names per answer; None if nothing must.
        texts: Attributes that must hold text.
        expected: The type in words, where its name would not help.
    """

    what: str
    record: str
    names: Callable[[Any], tuple[str, ...]] | None = None
    texts: tuple[str, ...] = ()
    expected: str = ""

    def checked(self, value: object) -> None:
        """
        Refuse an answer of another type, or one without a proper name.

        Args:
            value: One answer.

        Raises:
            WrongAnswerError: If it is refused.
        """
        module, _, name = self.record.partition(":")
        record = getattr(import_module(module), name)
        if not isinstance(value, record):
            raise WrongAnswerError(
                f"answered with {_a(type(value).__name__)}; expected {_a(self.expected or name)}"
            )
        if self.texts:
            _proper(value, name, self.texts)
        for word in self.names(value) if self.names is not None else ():
            if not isinstance(word, str) or not word or not word.isprintable():
                raise WrongAnswerError(f"answered with {_a(name)} whose name is {shown(str(word))}")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOaeio' else 'a'} {noun}"


def _unit_names(definition: str) -> tuple[str, ...]:
    name, *rest = (part.strip() for part in definition.split("="))
    return (name, *(spelling for spelling in rest[1:] if spelling not in ("", "_", name)))


def _id(value: Any) -> tuple[str, ...]:
    return (value.id,)


OFFERS: Mapping[str, Answers] = {
    "mesoformula_unit_definitions": Answers("unit", "builtins:str", _unit_names),
    "mesoformula_ingredient_classes": Answers(
        "ingredient class", "mesoformula.ingredients:IngredientClass", _id
    ),
    "mesoformula_catalogues": Answers(
        "catalogue",
        "importlib.resources.abc:Traversable",
        expected="Path, or what importlib.resources.files returns",
    ),
    "mesoformula_products": Answers(
        "product", "mesoformula.products:Product", lambda product: (product.pinned_id,)
    ),
    "mesoformula_techniques": Answers("technique", "mesoformula.treatments:Technique", _id),
    "mesoformula_zones": Answers("zone", "mesoformula.treatments:Zone", _id),
    "mesoformula_sheets": Answers("sheet", "mesoformula.sheets:Sheet", lambda sheet: (sheet.key,)),
    "mesoformula_exporters": Answers(
        "exporter for", "mesoformula.sheets:Exporter", lambda exporter: (exporter.suffix.lower(),)
    ),
    "mesoformula_importers": Answers(
        "importer of", "mesoformula.grids:Importer", lambda importer: (importer.suffix.lower(),)
    ),
    "mesoformula_lot_policies": Answers(
        "lot policy", "mesoformula.stock.picks.policies:LotPolicy", _id, texts=("name", "description")
    ),
    "mesoformula_commands": Answers("command", "click:Command", lambda command: (command.name,)),
}

#: These offers may build on each other, so that a plugin's own order is kept.
IN_OWN_ORDER = frozenset({"mesoformula_unit_definitions", "mesoformula_catalogues"})

CHECKS: Mapping[str, Answers] = {
    "mesoformula_check_product": Answers("problem", "mesoformula.errors:Problem", texts=("code", "message")),
    "mesoformula_check_session": Answers(
        "finding", "mesoformula.findings:Finding", texts=("code", "subject", "message")
    ),
}

DECISIONS: Mapping[str, Answers] = {
    "mesoformula_work_out_session": Answers("answer", "mesoformula.sessions:SessionQuantities"),
}

#: A wrapper of any other hook could hide what others offer or find.
MAY_BE_WRAPPED = frozenset({"mesoformula_sheets"})

KNOWN_HOOKS = frozenset({*OFFERS, *CHECKS, *DECISIONS})


@attrs.frozen
class Examined:
    """
    What a look at a plugin object has shown.

    Attributes:
        faults: Pairs of code and message; with any, the plugin cannot be used.
        hooks: That it implements.
        outdated: Sentences about what of its use of them is deprecated.
    """

    faults: tuple[tuple[str, str], ...]
    hooks: tuple[str, ...] = ()
    outdated: tuple[Outdated, ...] = ()


@attrs.frozen
class Outdated:
    """
    A use of something that is deprecated.

    Attributes:
        message: What, since when, until when, and what to do.
        function: That uses it.
    """

    message: str
    function: Callable[..., Any]


def examined(manager: pluggy.PluginManager, plugin: object, contract: Contract) -> Examined:
    """
    Look for everything in a plugin that pluggy would pass over or trip over.

    Args:
        manager: That knows the hooks.
        plugin: A module or an instance.
        contract: As it stands.

    Returns:
        All faults at once, the hooks, and what of their use is deprecated.
    """
    if plugin is None:
        return Examined((("register", "is None; let the entry point name a module, a class or an instance"),))
    try:
        hash(plugin)
    except TypeError:
        kind = _a(type(plugin).__name__)
        message = f"is {kind}, which is unhashable; use a module, or @attrs.define(eq=False)"
        return Examined((("register", message),))
    faults: list[tuple[str, str]] = []
    hooks: set[str] = set()
    outdated: list[Outdated] = []
    passed_over = False
    for attribute in list(vars(plugin)) if isinstance(plugin, ModuleType) else dir(plugin):
        if attribute.startswith("__") or attribute == CONTRACT_ATTRIBUTE:
            continue
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is None:
            faults.extend(_unmarked(plugin, attribute, contract))
            continue
        hook = options.get("specname") or attribute
        if hook in KNOWN_HOOKS:
            implementation = pluggy.HookImpl(plugin, "", getattr(plugin, attribute), options)
            arguments = getattr(manager.hook, hook).spec.argnames
            faults.extend(_wrong_signature(hook, attribute, implementation, arguments, contract))
            outdated.extend(
                Outdated(f"{shown(attribute)}: {message}", implementation.function)
                for message in contract.outdated(hook, implementation.argnames)
            )
            hooks.add(hook)
        elif options.get("optionalhook"):
            passed_over = True
        else:
            faults.append(("unknown-hook", f"{shown(attribute)} is no hook{_meant(hook, contract)}"))
    if not (faults or hooks or passed_over):
        faults.append(("no-hook", "implements no hook; let the entry point name the module that does"))
    return Examined(tuple(faults), tuple(sorted(hooks)), tuple(outdated))


def _wrong_signature(
    hook: str,
    attribute: str,
    implementation: pluggy.HookImpl,
    arguments: Sequence[str],
    contract: Contract,
) -> Iterator[tuple[str, str]]:
    for argument in implementation.argnames:
        if argument not in arguments:
            what = contract.removed(hook, argument) or (
                f"{hook} does not have; take only what it has: {', '.join(arguments) or 'nothing'}"
            )
            yield "unknown-argument", f"{shown(attribute)} wants {argument!r}, which {what}"
    for parameter in inspect.signature(implementation.function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            yield (
                "unknown-argument",
                f"{shown(attribute)} wants {parameter.name!r} by keyword, but arguments are handed over by "
                "position; remove the '*'",
            )
    if implementation.hookwrapper or (implementation.wrapper and hook not in MAY_BE_WRAPPED):
        yield (
            "wrapper",
            f"{shown(attribute)} is a wrapper, which could hide what others offer or find; only "
            f"{' and '.join(sorted(MAY_BE_WRAPPED))} may be wrapped, with wrapper=True",
        )


def drained(result: object, into: list[Any] | None = None) -> list[Any]:
    """
    Take everything that a hook answers with; None is nothing.

    Args:
        result: What the implementation returned.
        into: Where to put it, so that what came before a failure is not lost.

    Returns:
        The list it was put into.

    Raises:
        WrongAnswerError: If it is nothing that can be taken one by one, or has no end.
    """
    into = [] if into is None else into
    if result is None:
        return into
    if inspect.iscoroutine(result):
        result.close()
        raise WrongAnswerError("is async; use an ordinary function")
    if isinstance(result, str | bytes | Mapping) or not isinstance(result, Iterable):
        raise WrongAnswerError(
            f"answered with {_a(type(result).__name__)}; expected a list, or any other iterable of its things"
        )
    into.extend(islice(result, MOST_ANSWERS + 1))
    if len(into) > MOST_ANSWERS:
        raise WrongAnswerError(f"answered with more than {MOST_ANSWERS} things")
    return into


def resumed(values: list[Any], run: Any) -> list[Any]:
    """
    Run a wrapper around what was offered.

    Args:
        values: What was offered.
        run: The generator that the wrapper returned.

    Returns:
        What the wrapper made of it.

    Raises:
        WrongAnswerError: If it yields more than once, or returns nothing.
    """
    next(run)
    try:
        run.send(values)
    except StopIteration as stop:
        if stop.value is None:
            raise WrongAnswerError(
                "returned None; a wrapper returns what it was given, or annotated"
            ) from None
        return drained(stop.value)
    run.close()
    raise WrongAnswerError("yields more than once; a wrapper yields once")


def _proper(answer: Any, name: str, texts: Iterable[str]) -> None:
    """Refuse texts that are none, and a severity that is none, as it would count as no objection."""
    from mesoformula.findings import Finding, Severity

    for text in texts:
        if not isinstance(getattr(answer, text), str):
            raise WrongAnswerError(f"answered with {_a(name)} whose {text} is no text")
    if isinstance(answer, Finding) and not isinstance(answer.severity, Severity):
        raise WrongAnswerError(
            f"answered with a finding of severity {shown(str(answer.severity))}; expected a Severity"
        )


def _unmarked(plugin: object, attribute: str, contract: Contract) -> Iterator[tuple[str, str]]:
    """Find what looks like a hook but is none for pluggy."""
    value = inspect.getattr_static(plugin, attribute, None)
    if isinstance(value, ModuleType):
        return
    if isinstance(inspect.getattr_static(value, f"{PROJECT}_impl", None), dict):
        yield (
            "register",
            f"{shown(attribute)} is marked as a hook but is {_a(type(value).__name__)}; "
            "make it an ordinary function",
        )
    elif not attribute.startswith(_PREFIX):
        return
    elif attribute in KNOWN_HOOKS:
        yield "undecorated", f"{shown(attribute)} is not marked as a hook; put @hookimpl above a function"
    elif not isinstance(value, type) and (callable(value) or hasattr(type(value), "__get__")):
        yield (
            "unknown-hook",
            f"{shown(attribute)} is no hook, and '{_PREFIX}…' is kept for hooks{_meant(attribute, contract)}",
        )


def _meant(word: str, contract: Contract) -> str:
    gone = contract.removed(word)
    if gone is not None:
        return f": it {gone}"
    close = nearest(word, sorted(KNOWN_HOOKS), most=1)
    if close:
        return f"; did you mean {close[0]}? Rename it"
    return (
        f" of contract {written(contract.version)}; rename it, or mark it optionalhook=True if it is one of "
        "a newer mesoformula"
    )
