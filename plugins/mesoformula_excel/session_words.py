"""What the records of sessions and formulas call things, in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesoformula import Form, Line, Permission, Quantity, Route, Severity, show
from mesoformula.languages import later

if TYPE_CHECKING:
    from mesoformula import AmountKind, Keep
    from mesoformula.languages import Words

WEIGHTS: Mapping[str, str] = {
    Severity.BLOCK.value: later("BLOCKED"),
    Severity.OVERRIDE.value: later("NEEDS AN OVERRIDE"),
    Severity.WARN.value: later("LOOK OUT"),
    Severity.INFO.value: later("good to know"),
    Severity.UNCHECKED.value: later("NOT CHECKED"),
}

KINDS: Mapping[str, str] = {
    "stated": later("stated"),
    "disputed": later("sources disagree: from … up to"),
    "at_least": later("at least"),
    "undisclosed": later("not disclosed"),
}

ROUTES: Mapping[str, str] = {
    Route.INTRADERMAL.value: later("intradermal"),
    Route.SUBCUTANEOUS.value: later("subcutaneous"),
    Route.INTRAMUSCULAR.value: later("intramuscular"),
    Route.INTRAVENOUS.value: later("intravenous"),
    Route.EXTERNAL.value: later("external"),
    Route.ORAL.value: later("oral"),
}

FORMS: Mapping[str, str] = {
    Form.SOLUTION.value: later("solution"),
    Form.GEL.value: later("gel"),
    Form.POWDER.value: later("powder"),
    Form.SUSPENSION.value: later("suspension"),
    Form.EMULSION.value: later("emulsion"),
    Form.NOT_STATED.value: later("form not stated"),
}

PERMISSIONS: Mapping[str, str] = {
    Permission.YES.value: later("yes"),
    Permission.NO.value: later("no"),
    Permission.NOT_STATED.value: later("not stated"),
}

_KEEPS: Mapping[str, str] = {
    "nothing left": later("nothing left"),
    "discard": later("discard"),
    "may be kept": later("may be kept"),
}


def weight(severity: Severity, say: Words) -> str:
    """
    Say how much weight a finding has.

    Args:
        severity: Of it.
        say: The language.

    Returns:
        A word or two.
    """
    return say(WEIGHTS[severity.value])


def kind(of: AmountKind, say: Words) -> str:
    """
    Say how much is known of an amount.

    Args:
        of: The kind.
        say: The language.

    Returns:
        A word or two.
    """
    return say(KINDS[of.value])


def route(of: Route, say: Words) -> str:
    """
    Say a route of administration.

    Args:
        of: The route.
        say: The language.

    Returns:
        A word.
    """
    return say(ROUTES[of.value])


def rest(keep: Keep, keep_for: Quantity | None, say: Words) -> str:
    """
    Say what becomes of the rest of an opened container.

    Args:
        keep: What becomes of it.
        keep_for: How long it may be kept.
        say: The language.

    Returns:
        Words.
    """
    if keep_for is not None:
        return say("may be kept {period}", period=show(keep_for))
    return say(_KEEPS[keep.value])


def asked(line: Line, say: Words) -> str:
    """
    Say how much a line of a formula takes.

    Args:
        line: Any line of a formula.
        say: The language.

    Returns:
        Words such as `2 mL` or `50 mg of magnesium`.
    """
    if line.volume is not None:
        text = show(line.volume)
    elif line.containers is not None:
        text = say.plural("{count} container", "{count} containers", line.containers)
    elif line.dose is not None:
        text = say("{amount} of {substance}", amount=show(line.dose), substance=line.substance)
    elif line.concentration is not None:
        amount = line.concentration.written or str(line.concentration)
        text = say("{amount} of {substance} in the mixture", amount=amount, substance=line.substance)
    elif line.parts is not None:
        text = say.plural("{count} part", "{count} parts", line.parts)
    else:
        text = say("fill to {volume}", volume=show(line.fill_to)) if line.fill_to is not None else ""
    if line.make_up_to is not None:
        text = say("{amount}, made up to {volume}", amount=text, volume=show(line.make_up_to))
    return text
