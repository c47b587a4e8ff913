"""What the checks of a session say, as tables of a record: the heaviest on one page, all of it on another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mesoformula import Column, Finding, Severity, Source
from mesoformula.sheets import Mark, Row, Sheet, Table, Texts
from mesoformula_excel.session_volumes import told
from mesoformula_excel.session_words import weight

if TYPE_CHECKING:
    from mesoformula import Override
    from mesoformula.languages import Words
    from mesoformula.preparations import Preparation

#: How many findings the record itself shows at least; what stands against the session is never left out.
SHOWN = 6

#: The longest message that the record shows whole.
_LONGEST = 170

#: How many facts that are missing are named on the record.
_NAMED = 6


def status(prepared: Preparation, say: Words) -> Texts:
    """
    Say whether a session is ready, with what stands against it.

    Args:
        prepared: The preparation.
        say: The language.

    Returns:
        Big words, marked, and what they mean.
    """
    if not prepared.ready:
        codes = ", ".join(dict.fromkeys(one.code for one in prepared.standing))
        against = say("Against it stand: {codes}.", codes=codes)
        return Texts((against,), title=say("NOT READY: do not prepare it"), mark=Mark.EXPIRED)
    # The volume is a cell to change: what was checked is this one.
    volume = told(prepared.quantities.injected)
    if any(one.severity is Severity.UNCHECKED for one in prepared.findings):
        what = say("Nothing that was checked stands against it; what could not be checked stands below.")
        return Texts(
            (what,), title=say("READY for {volume}, as far as it was checked", volume=volume), mark=Mark.SOON
        )
    return Texts(
        (say("Nothing stands against it."),),
        title=say("READY for {volume}", volume=volume),
        mark=Mark.ATTENTION,
    )


def short_checks(prepared: Preparation, key: str, say: Words) -> tuple[Table, tuple[str, ...]]:
    """
    Show the heaviest findings in short, and say how many there are besides.

    Args:
        prepared: The preparation.
        key: Of the table.
        say: The language.

    Returns:
        A table with a row for each code, and sentences that stand below it.
    """
    columns = (
        Column("weight", say("Weight"), widest=18),
        Column("finding", say("Finding, or what it is about"), widest=90),
        Column("code", say("Code"), widest=24),
        Column("decided", say("Overridden by"), widest=20),
    )
    weighty = [one for one in prepared.findings if one.severity in _WEIGHTY]
    groups: dict[tuple[Severity, str, str | None], list[Finding]] = {}
    for one in weighty:
        groups.setdefault((one.severity, one.code, _by(one, prepared.overrides)), []).append(one)
    must = [key for key in groups if key[0] is not Severity.WARN]
    shown = [*must, *[key for key in groups if key not in must][: max(SHOWN - len(must), 0)]]
    rows = tuple(
        Row((_weight(key[0], key[2], say), _short(groups[key], prepared), key[1], key[2]), _mark(*key[::2]))
        for key in shown
    )
    left_out = [one for key, found in groups.items() if key not in shown for one in found]
    table = Table(
        key, columns, rows, title=say("Checks"), empty=say("No check has anything to say against it.")
    )
    return table, tuple(_besides(prepared, left_out, say))


_WEIGHTY = (Severity.BLOCK, Severity.OVERRIDE, Severity.WARN)


def _besides(prepared: Preparation, left_out: Sequence[Finding], say: Words) -> Iterable[str]:
    if left_out:
        yield say.plural(
            "{count} more to look out for: {codes}.",
            "{count} more to look out for: {codes}.",
            len(left_out),
            codes=", ".join(dict.fromkeys(one.code for one in left_out)),
        )
    unchecked = [one for one in prepared.findings if one.severity is Severity.UNCHECKED]
    if unchecked:
        missing = list(dict.fromkeys(fact.fact.rstrip(",") for one in unchecked for fact in one.missing))
        of_itself = dict.fromkeys(one.code for one in unchecked if not one.missing)
        named = [*missing, *of_itself]
        listed = "; ".join(named[:_NAMED]) + ("; …" if len(named) > _NAMED else "")
        yield say.plural(
            "{count} check could NOT be made, for want of: {facts}",
            "{count} checks could NOT be made, for want of: {facts}",
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
                _weight(one.severity, _by(one, prepared.overrides), say),
                one.code,
                one.subject,
                one.message,
                "; ".join(dict.fromkeys(map(str, one.missing))) or None,
                _by(one, prepared.overrides),
                "; ".join(dict.fromkeys(map(source_text, one.sources))) or None,
            ),
            _mark(one.severity, _by(one, prepared.overrides)),
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


def _short(findings: Sequence[Finding], prepared: Preparation) -> str:
    """Write findings of one code for the record: one in its own words, several by what they are about."""
    kinds = ", ".join(dict.fromkeys(source.kind.value for one in findings for source in one.sources))
    names = {line.product.id: line.product.name for line in prepared.quantities.lines}
    text = findings[0].message
    if len(findings) > 1:
        text = "; ".join(dict.fromkeys(names.get(one.subject, one.subject) for one in findings))
    elif len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " …"
    return f"{text} [{kinds}]" if kinds else text


def _by(finding: Finding, overrides: Sequence[Override]) -> str | None:
    if finding.severity is not Severity.OVERRIDE:
        return None
    return ", ".join(dict.fromkeys(one.by for one in overrides if one.covers(finding))) or None


def _weight(severity: Severity, by: str | None, say: Words) -> str:
    return weight(severity, say) if by is None else say("OVERRIDDEN")


def _mark(severity: Severity, by: str | None) -> Mark:
    marks = {
        Severity.BLOCK: Mark.EXPIRED,
        Severity.OVERRIDE: Mark.EXPIRED if by is None else Mark.SOON,
        Severity.WARN: Mark.SOON,
        Severity.UNCHECKED: Mark.ATTENTION,
    }
    return marks.get(severity, Mark.NONE)
