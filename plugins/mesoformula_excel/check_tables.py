"""What the checks of a session say, as tables of a record: the heaviest on one page, all of it on another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mesoformula import Column, Finding, Severity, Source
from mesoformula.sheets import Mark, Row, Sheet, Table
from mesoformula_excel.session_words import weight

if TYPE_CHECKING:
    from mesoformula import Override
    from mesoformula.languages import Words
    from mesoformula.preparations import Preparation

#: How many findings the record itself shows at least; what stands against the session is never left out.
SHOWN = 6

#: The longest message that the record shows whole.
_LONGEST = 150

#: How many facts that are missing are named on the record.
_NAMED = 6


def status(prepared: Preparation, say: Words) -> tuple[str, Mark]:
    """
    Say whether a session is ready, with what stands against it.

    Args:
        prepared: The preparation.
        say: The language.

    Returns:
        One sentence, and how it is marked.
    """
    if not prepared.ready:
        codes = ", ".join(dict.fromkeys(one.code for one in prepared.standing))
        return say("NOT READY: {codes}", codes=codes), Mark.EXPIRED
    if any(one.severity is Severity.UNCHECKED for one in prepared.findings):
        return say("READY AS FAR AS IT WAS CHECKED: see what was not"), Mark.SOON
    return say("READY: nothing stands against it"), Mark.ATTENTION


def short_checks(prepared: Preparation, key: str, say: Words) -> tuple[Table, tuple[str, ...]]:
    """
    Show the heaviest findings in short, and say how many there are besides.

    Args:
        prepared: The preparation.
        key: Of the table.
        say: The language.

    Returns:
        A table, and sentences that stand below it.
    """
    columns = (
        Column("weight", say("Weight"), widest=18),
        Column("finding", say("Finding"), widest=80),
        Column("code", say("Code"), widest=24),
        Column("decided", say("Overridden by"), widest=20),
    )
    weighty = [one for one in prepared.findings if one.severity in _WEIGHTY]
    must = [one for one in weighty if one.severity is not Severity.WARN]
    shown = [*must, *[one for one in weighty if one not in must][: max(SHOWN - len(must), 0)]]
    rows = tuple(
        Row((weight(one.severity, say), _short(one), one.code, _by(one, prepared.overrides)), _mark(one))
        for one in shown
    )
    table = Table(
        key, columns, rows, title=say("Checks"), empty=say("No check has anything to say against it.")
    )
    return table, tuple(_besides(prepared, weighty, shown, say))


_WEIGHTY = (Severity.BLOCK, Severity.OVERRIDE, Severity.WARN)


def _besides(
    prepared: Preparation, weighty: Sequence[Finding], shown: Sequence[Finding], say: Words
) -> Iterable[str]:
    more = len(weighty) - len(shown)
    if more:
        rest = [one.code for one in weighty if one not in shown]
        yield say.plural(
            "{count} more to look out for: {codes}.",
            "{count} more to look out for: {codes}.",
            more,
            codes=", ".join(dict.fromkeys(rest)),
        )
    unchecked = [one for one in prepared.findings if one.severity is Severity.UNCHECKED]
    if unchecked:
        missing = list(dict.fromkeys(fact.fact for one in unchecked for fact in one.missing))
        of_itself = dict.fromkeys(one.code for one in unchecked if not one.missing)
        named = [*missing, *of_itself]
        listed = ", ".join(named[:_NAMED]) + (", …" if len(named) > _NAMED else "")
        yield say.plural(
            "{count} check could NOT be made, for want of: {facts}.",
            "{count} checks could NOT be made, for want of: {facts}.",
            len(unchecked),
            facts=listed,
        )
    yield say("All findings in full, with their sources, stand on the sheet Checks.")


def checks_sheet(prepared: Preparation, say: Words) -> Sheet:
    """
    List all findings in full.

    Args:
        prepared: The preparation.
        say: The language.

    Returns:
        A sheet with a row for each, the heaviest first.
    """
    columns = (
        Column("weight", say("Weight"), widest=18),
        Column("code", say("Code"), widest=26),
        Column("subject", say("About"), widest=26),
        Column("finding", say("Finding"), widest=70),
        Column("missing", say("What is not known"), widest=30),
        Column("decided", say("Overridden by"), widest=22),
        Column("sources", say("Sources"), widest=50),
    )
    rows = tuple(
        Row(
            (
                weight(one.severity, say),
                one.code,
                one.subject,
                one.message,
                "; ".join(dict.fromkeys(map(str, one.missing))) or None,
                _by(one, prepared.overrides),
                "; ".join(dict.fromkeys(map(source_text, one.sources))) or None,
            ),
            _mark(one),
        )
        for one in prepared.findings
    )
    return Sheet(
        key="session_checks",
        title=say("Checks"),
        columns=columns,
        rows=rows,
        notes=(
            say("What is NOT CHECKED is not known to be safe; silence never means safe."),
            say("'mesoformula rules CODE' shows a rule with all that is said of it."),
        ),
        empty=say("No check has anything to say."),
        order=20,
        language=say.language,
    )


def overrides_table(prepared: Preparation, key: str, say: Words) -> Table | None:
    """
    List what a professional has decided against findings.

    Args:
        prepared: The preparation.
        key: Of the table.
        say: The language.

    Returns:
        A row for each person and reason; None if nothing was decided.
    """
    told: dict[tuple[str, str], dict[str, None]] = {}
    for one in prepared.overrides:
        what = one.code if one.subject is None else f"{one.code} ({one.subject})"
        told.setdefault((one.by, one.reason), {})[what] = None
    if not told:
        return None
    columns = (
        Column("codes", say("Overridden"), widest=40),
        Column("reason", say("Reason"), widest=60),
        Column("by", say("Decided by"), widest=24),
    )
    rows = tuple(Row((", ".join(codes), reason, by)) for (by, reason), codes in told.items())
    return Table(key, columns, rows, title=say("Overrides"))


def source_text(source: Source) -> str:
    """
    Write a source.

    Args:
        source: Any.

    Returns:
        Its kind, and where it was read.
    """
    return f"{source.kind.value}: {source.where}"


def _short(finding: Finding) -> str:
    """Write a finding for the record: the start of a long one, and the kinds of its sources."""
    text = finding.message
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " …"
    kinds = ", ".join(dict.fromkeys(source.kind.value for source in finding.sources))
    return f"{text} [{kinds}]" if kinds else text


def _by(finding: Finding, overrides: Sequence[Override]) -> str | None:
    if finding.severity is not Severity.OVERRIDE:
        return None
    return ", ".join(dict.fromkeys(one.by for one in overrides if one.covers(finding))) or None


def _mark(finding: Finding) -> Mark:
    marks = {
        Severity.BLOCK: Mark.EXPIRED,
        Severity.OVERRIDE: Mark.EXPIRED,
        Severity.WARN: Mark.SOON,
        Severity.UNCHECKED: Mark.ATTENTION,
    }
    return marks.get(finding.severity, Mark.NONE)
