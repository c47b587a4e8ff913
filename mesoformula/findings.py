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
class Missing:
    """
    A fact for want of which a check could not be made.

    Attributes:
        fact: Which one, such as `pH`.
        of: The product that it is missing of, for people; empty where it is the session's or the patient's.
    """

    fact: str
    of: str = ""

    def __str__(self) -> str:
        """Write it as part of a sentence."""
        return f"{self.fact} of {self.of}" if self.of else self.fact


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
        missing: What is not known, where it is unchecked.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    sources: tuple[Source, ...] = ()
    missing: tuple[Missing, ...] = ()


@attrs.frozen
class Override:
    """
    A professional's decision to go on against a finding of severity `override`.

    Attributes:
        code: Of the finding.
        reason: Why; nothing that tells who the patient is.
        by: Who decides.
        subject: Of the finding; None for all that bear the code.
    """

    code: str
    reason: str
    by: str
    subject: str | None = None

    def covers(self, finding: Finding) -> bool:
        """
        Tell whether it is about a finding.

        Args:
            finding: Any.

        Returns:
            Whether code and subject are those of the finding, whatever its severity.
        """
        return self.code == finding.code and self.subject in (None, finding.subject)


def decisions(overrides: tuple[Override, ...]) -> tuple[str, ...]:
    """
    Write overrides as records keep them, those of one person and reason together.

    Args:
        overrides: What a professional has decided.

    Returns:
        Texts such as `route-off-label, mixing-not-stated by N. Roux: consented, as in the literature`.
    """
    told: dict[tuple[str, str], list[str]] = {}
    for one in overrides:
        what = one.code if one.subject is None else f"{one.code} of {one.subject}"
        told.setdefault((one.by, one.reason), []).append(what)
    return tuple(
        f"{', '.join(dict.fromkeys(codes))} by {by}: {reason}" for (by, reason), codes in told.items()
    )


def standing(findings: tuple[Finding, ...], overrides: tuple[Override, ...] = ()) -> tuple[Finding, ...]:
    """
    List what stands against a session.

    Args:
        findings: All that was found.
        overrides: What a professional has decided; a block is never overridden.

    Returns:
        Every block, and every override that is not given.
    """
    return tuple(
        finding
        for finding in findings
        if finding.severity is Severity.BLOCK
        or (
            finding.severity is Severity.OVERRIDE
            and not any(override.covers(finding) for override in overrides)
        )
    )


def ready(findings: tuple[Finding, ...], overrides: tuple[Override, ...] = ()) -> bool:
    """
    Tell whether nothing stands against a session.

    Args:
        findings: All that was found.
        overrides: What a professional has decided.

    Returns:
        False while a block, or an override not given, stands. What was not checked is no objection; it
        stands in the findings.
    """
    return not standing(findings, overrides)
