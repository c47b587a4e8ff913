"""The compounding record of one session: one page to print and to work in, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mesoformula import Column, Sheet, SheetRequest, __version__
from mesoformula.languages import words
from mesoformula.sheets import (
    Block,
    Fact,
    Facts,
    Holds,
    Mark,
    Row,
    Table,
    Texts,
    Value,
)
from mesoformula_excel.check_tables import checks_sheet, overrides_table, short_checks, status
from mesoformula_excel.live_doses import doses_table, undisclosed
from mesoformula_excel.live_lines import lines_table, scales
from mesoformula_excel.lots_table import lots_table
from mesoformula_excel.session_volumes import INJECTED, PREPARED, volumes
from mesoformula_excel.session_words import route
from mesoformula_excel.stock_words import local, zone_name

if TYPE_CHECKING:
    from mesoformula import Formula, Session, SessionQuantities
    from mesoformula.languages import Words
    from mesoformula.preparations import KeptUntil, Preparation

#: How many rows of doses the record itself shows; more of them stand on a sheet of their own.
MOST_DOSES = 18


def session_sheets(request: SheetRequest) -> tuple[Sheet, ...]:
    """
    Make the compounding record of a session.

    Args:
        request: The preparation; the formulary, for the syringes on offer.

    Returns:
        The record on one page, all findings in full, and the working.

    Raises:
        ValueError: If no preparation is given.
    """
    prepared = request.preparation
    if prepared is None:
        raise ValueError("a record of a session needs its preparation")
    say = words("mesoformula_excel", request.language)
    doses = doses_table(prepared.quantities, "session_doses", INJECTED, say)
    return (
        _record(request, prepared, say),
        *((_doses_sheet(doses, request, say),) if len(doses.rows) > MOST_DOSES else ()),
        checks_sheet(prepared, say),
        working_sheet(prepared, request, say, "session_working"),
    )


def _record(request: SheetRequest, prepared: Preparation, say: Words) -> Sheet:
    quantities = prepared.quantities
    what_for = purpose(quantities.session.formula, say)
    table, besides = short_checks(prepared, "session_checks_short", say)
    blocks: list[Block] = [
        status(prepared, say),
        _about(prepared, say),
        *([Texts((what_for,))] if what_for else []),
        volumes(quantities, say),
        lines_table(quantities, scales(quantities, request.formulary), "session_lines", PREPARED, say),
    ]
    dissolving = dissolved(quantities, say)
    if dissolving:
        blocks.append(Texts(dissolving))
    blocks.append(lots_table(prepared, request.zone, "session_lots", say))
    blocks += _contents(quantities, say)
    blocks += [table, Texts(besides)]
    overrides = overrides_table(prepared, "session_overrides", say)
    if overrides is not None:
        blocks.append(overrides)
    blocks += [*_beyond_use(request, prepared, say), by_hand(prepared, say), _read_from(prepared, say)]
    return Sheet(
        key="session",
        title=say("Compounding record: {name}", name=quantities.session.formula.name),
        blocks=tuple(blocks),
        facts=request.facts,
        notes=(*_notes(prepared, say), *request.notes),
        is_upright=True,
        on_one_page=True,
        order=10,
        language=request.language,
    )


def _about(prepared: Preparation, say: Words) -> Facts:
    session = prepared.quantities.session
    formula = session.formula
    return Facts(
        (
            Fact(say("Formula"), say("{id}, version {version}", id=formula.id, version=formula.version)),
            Fact(say("Session reference"), prepared.reference, to_fill_in=prepared.reference is None),
            Fact(say("Route"), route(session.route, say)),
            Fact(say("Day"), session.on, Holds.DAY, to_fill_in=session.on is None),
            Fact(say("Zone, technique"), ", ".join(_where(session)) or say("not named")),
            Fact(say("Region"), session.region or say("not set: law was not checked")),
            Fact(say("Syringe, needle"), ", ".join(_with(session)) or say("not named")),
            Fact(say("Assays of lots"), say("counted in") if session.assays else say("none counted in")),
        ),
        across=3,
    )


def purpose(formula: Formula, say: Words) -> str:
    """
    Say what a formula is for.

    Args:
        formula: Any formula.
        say: The language.

    Returns:
        What it says itself; nothing if it does not.
    """
    teaching = say("A teaching example: it describes no published mixture.") if formula.teaching else None
    return " ".join(filter(None, (teaching, formula.description)))


def _where(session: Session) -> Iterator[str]:
    for item in (session.zone, session.technique):
        if item is not None:
            yield item.name


def _with(session: Session) -> Iterator[str]:
    for item in (session.syringe, session.needle):
        if item is not None:
            yield item.name


# ---- what is in it, and how it is made ---------------------------------------------------------------------


def dissolved(quantities: SessionQuantities, say: Words) -> tuple[str, ...]:
    """
    Say how powders are dissolved.

    Args:
        quantities: Of the session.
        say: The language.

    Returns:
        A sentence for each line with a powder, the instruction as labelled.
    """
    return tuple(
        say(
            "Line {number}, {product}: each container: {how}.",
            number=line.number,
            product=line.product.name,
            how=line.reconstitution,
        )
        for line in quantities.lines
        if line.reconstitution is not None
    )


def _contents(quantities: SessionQuantities, say: Words) -> Iterator[Block]:
    table = doses_table(quantities, "session_doses", INJECTED, say)
    if len(table.rows) > MOST_DOSES:
        yield doses_table(quantities, "session_doses_short", INJECTED, say, forms_only=True)
        yield Texts((say("What they come to over all forms stands on the sheet Doses."),))
    else:
        yield table
    hidden = undisclosed(quantities, say)
    if hidden is not None:
        yield Texts((hidden,), mark=Mark.ATTENTION)


def _doses_sheet(table: Table, request: SheetRequest, say: Words) -> Sheet:
    return Sheet(
        key="session_all_doses",
        title=say("Doses"),
        blocks=(table,),
        order=15,
        language=request.language,
    )


# ---- beyond use, and what is written by hand ---------------------------------------------------------------


def _beyond_use(request: SheetRequest, prepared: Preparation, say: Words) -> tuple[Facts, Facts]:
    zone = zone_name(request.zone, say)
    moment = prepared.beyond_use_at
    until: Value = None
    if moment is not None:
        until = local(moment, request.zone)
    elif prepared.is_session_only:
        until = say("this session only: never kept")
    when = Facts(
        (
            Fact(
                say("Prepared at ({zone})", zone=zone),
                None if prepared.prepared_at is None else local(prepared.prepared_at, request.zone),
                Holds.MOMENT,
                to_fill_in=prepared.prepared_at is None,
            ),
            Fact(
                say("Use before ({zone})", zone=zone),
                until,
                Holds.MOMENT if moment is not None else Holds.TEXT,
                to_fill_in=until is None,
                mark=Mark.ATTENTION,
            ),
        ),
        title=say("Beyond use"),
    )
    rule = prepared.beyond_use_rule
    if rule is not None and prepared.limits:
        rule = f"{rule} [{prepared.limits[0].rule}]"
    return when, Facts((Fact(say("What governs it"), rule),), across=1)


def _read_from(prepared: Preparation, say: Words) -> Facts:
    """Say which ledger the lots were read from, and where its chain stood."""
    if prepared.store is None:
        return Facts((Fact(say("Store"), say("no stock was read")),), across=1)
    ledger = str(prepared.anchor) if prepared.anchor is not None else say("empty")
    return Facts((Fact(say("Store"), prepared.store), Fact(say("Ledger"), ledger)), across=1)


def by_hand(prepared: Preparation, say: Words) -> Facts:
    """
    Leave room for what a person writes.

    Args:
        prepared: The preparation; may say who prepares it.
        say: The language.

    Returns:
        Words with lines to write on: none of it is stored.
    """
    empty = (
        say("Checked by, signature"),
        say("Date, time"),
        say("Order number"),
        say("Prescriber, address"),
        say("Patient (register elsewhere)"),
        say("Quality control"),
        say("Quantity dispensed"),
        say("Remarks"),
    )
    by = say("Prepared by, signature")
    first = Fact(by, prepared.by, to_fill_in=True)
    rest = (Fact(word, to_fill_in=True) for word in empty)
    return Facts((first, *rest), title=say("By hand"), across=3)


def _notes(prepared: Preparation, say: Words) -> Iterator[str]:
    if prepared.left_out:
        yield say.plural(
            "{count} use under this reference on another day is left out.",
            "{count} uses under this reference on other days are left out.",
            prepared.left_out,
        )
    yield say(
        "Measured volumes are rounded once, half up, to the graduation of the syringe; doses are those of "
        "the exact ones. Containers are rounded up; more may be left in them, as overfill is not known."
    )
    yield say(
        "The software supports a professional's decision and gives no medical advice. Written by mesoformula "
        "{version}.",
        version=__version__,
    )


# ---- the working -------------------------------------------------------------------------------------------


def working_sheet(prepared: Preparation, request: SheetRequest, say: Words, key: str) -> Sheet:
    """
    Show how every figure came about, and all that limits how long the preparation keeps.

    Args:
        prepared: The preparation.
        request: For the zone and the language.
        say: The language.
        key: Of the sheet.

    Returns:
        A page with two tables.
    """
    steps = prepared.quantities.working()
    columns = (Column("subject", say("About"), widest=24), Column("step", say("Step"), widest=110))
    rows = tuple(Row((step.subject, step.text)) for step in steps)
    return Sheet(
        key=key,
        title=say("Working"),
        blocks=(
            Table(f"{key}_steps", columns, rows, title=say("How the figures came about")),
            limits_table(prepared.limits, request, say, f"{key}_limits"),
        ),
        order=30,
        language=request.language,
    )


def limits_table(limits: Sequence[KeptUntil], request: SheetRequest, say: Words, key: str) -> Table:
    """
    List all that limits how long a preparation keeps, the one that governs first.

    Args:
        limits: In that order.
        request: For the zone.
        say: The language.
        key: Of the table.

    Returns:
        A row for each.
    """
    zone = zone_name(request.zone, say)
    has_moments = any(one.until is not None for one in limits)
    moment = Column("until", say("Use before ({zone})", zone=zone), Holds.MOMENT)
    columns = (
        *((moment,) if has_moments else ()),
        Column("how", say("Kept"), widest=18),
        Column("reason", say("Why"), widest=80),
        Column("rule", say("Rule"), widest=28),
        Column("source", say("Source"), widest=44),
    )
    rows = []
    for number, one in enumerate(limits):
        until = local(one.until, request.zone) if one.until is not None else None
        values: tuple[Value, ...] = (_how_long(one, say), one.reason, one.rule, one.source)
        mark = Mark.ATTENTION if number == 0 else Mark.NONE
        rows.append(Row((until, *values) if has_moments else values, mark))
    return Table(key, columns, tuple(rows), title=say("How long it keeps: the first governs"))


def _how_long(limit: KeptUntil, say: Words) -> str:
    if limit.is_session_only:
        return say("this session only")
    if limit.until is None:
        return say("from the moment of preparation")
    return say("until then")
