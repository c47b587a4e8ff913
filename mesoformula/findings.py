"""What a check has to say."""

from __future__ import annotations

import enum

import attrs

from mesoformula.sources import Source


class Severity(enum.StrEnum):
    """How much weight a finding has, heaviest first."""

    BLOCK = "block"
    OVERRIDE = "override"
    WARN = "warn"
    INFO = "info"
    UNCHECKED = "unchecked"


@attrs.frozen
class Finding:
    """
    One thing that a check has to say about a session.

    Attributes:
        code: A stable word, such as `single-dose-left-over`.
        severity: How much weight it has.
        subject: What it is about: a product, a substance, a line.
        message: For a professional, with what to do.
        sources: Who says so.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    sources: tuple[Source, ...] = ()


def ready(findings: tuple[Finding, ...]) -> bool:
    """
    Tell whether nothing stands against a session.

    Args:
        findings: All that was found.

    Returns:
        False while a block, or an override not given, stands. What was not checked is no objection; it
        stands in the findings.
    """
    return not any(finding.severity in (Severity.BLOCK, Severity.OVERRIDE) for finding in findings)
