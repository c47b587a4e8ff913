"""Overrides: which may be given, and what is wrong with those that may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesoformula.errors import OverrideError, Problem
from mesoformula.findings import Finding, Override, Severity
from mesoformula.words import shown

#: How long a reason or a name may be.
LONGEST = 300


def check_overrides(overrides: Sequence[Override], findings: Sequence[Finding]) -> None:
    """
    Refuse overrides that cannot be given.

    Args:
        overrides: What a professional has decided.
        findings: All that was found.

    Raises:
        OverrideError: If one is of a block, of nothing that stands, or lacks a reason or a name; with all
            that is wrong.
    """
    problems = [problem for override in overrides for problem in _objections(override, findings)]
    if problems:
        raise OverrideError(dict.fromkeys(problems))


def _objections(override: Override, findings: Sequence[Finding]) -> Iterator[Problem]:
    for what, text in (("reason", override.reason), ("name of who decides", override.by)):
        if not text.strip() or len(text) > LONGEST or not text.isprintable():
            found = shown(text) if text.strip() else "nothing"
            message = f"override of {shown(override.code)}: {found} is no {what}"
            yield Problem("override", f"{message}; expected 1 to {LONGEST} characters that print")
    covered = [finding for finding in findings if override.covers(finding)]
    if any(finding.severity is Severity.BLOCK for finding in covered):
        message = f"{override.code} is a block, and no block can be overridden: change the session"
        yield Problem("block", message)
    elif not any(finding.severity is Severity.OVERRIDE for finding in covered):
        yield Problem("override", _nothing(override, findings, covered))


def _nothing(override: Override, findings: Sequence[Finding], covered: Sequence[Finding]) -> str:
    codes = dict.fromkeys(one.code for one in findings if one.severity is Severity.OVERRIDE)
    asked = ", ".join(codes) or "nothing"
    if covered:
        weight = covered[0].severity
        return f"{override.code} is of severity {weight} and needs no override; what needs one: {asked}"
    what = shown(override.code)
    if override.subject is not None:
        what += f" of {shown(override.subject)}"
    return f"no finding is called {what}; what needs an override: {asked}"
