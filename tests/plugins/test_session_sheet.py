"""The compounding record and the master record: every figure on them is Python's, also after a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import (
    AmountKind,
    Finding,
    Formula,
    FormulaError,
    Formulary,
    Line,
    Missing,
    Override,
    Session,
    SessionQuantities,
    Severity,
    SheetRequest,
    Source,
    SourceKind,
    magnitude,
    parse_quantity,
    quantity,
)
from mesoformula.preparations import KeptUntil, LotTaken, Preparation
from mesoformula.sheets import (
    Allowed,
    Apply,
    Expression,
    Fact,
    Facts,
    Function,
    InRow,
    Live,
    Mark,
    Named,
    Sheet,
    Table,
    Texts,
    plain_value,
)
from mesoformula.stock.records import Anchor, Deviation
from mesoformula_excel.formula_sheet import formula_sheets
from mesoformula_excel.session_sheet import session_sheets
from mesoformula_quantities.answer import work_out

Number = Decimal
KIT = "professional-derma/jalupro-hmw"

#: Every kind of line, kits and repeating fractions among them.
FORMULAS: Mapping[str, Formula] = {
    one.id: one
    for one in (
        Formula(
            "thirds",
            "Thirds",
            (
                Line("phoenix-labs/ascorbic-acid-500", parts=1),
                Line("b-braun/sodium-chloride-0-9-10ml", parts=2),
            ),
        ),
        Formula(
            "dose-and-fill",
            "A dose, and a fill",
            (
                Line("kalceks/magnesium-sulfate-50-2ml", dose=parse_quantity("50 mg"), substance="magnesium"),
                Line("b-braun/sodium-chloride-0-9-10ml", fill_to=parse_quantity("7 mL")),
            ),
        ),
        Formula(
            "sevenths",
            "Sevenths",
            (
                Line("kalceks/magnesium-sulfate-50-2ml", parts=5),
                Line("b-braun/sodium-chloride-0-9-10ml", parts=2),
            ),
        ),
        Formula("kits", "Two kits", (Line(KIT, containers=2),)),
    )
}
BUNDLED = (
    "teaching-all-lines",
    "teaching-parts",
    "teaching-nctf-vitamin-c",
    "plinest-session",
    "cernevit-reconstituted",
)
#: These have no size of their own.
ALL_IN_PARTS = ("thirds", "sevenths")
NAMES = (*FORMULAS, *BUNDLED)


def session_of(formulary: Formulary, name: str, volume: Decimal | None, **given: Any) -> Session:
    formula = FORMULAS.get(name) or formulary.formula(name)
    for key in ("syringe", "needle", "measuring_syringe"):
        if isinstance(given.get(key), str):
            given[key] = formulary.needle(given[key]) if key == "needle" else formulary.syringe(given[key])
    asked = quantity(volume, "mL") if volume is not None else None
    return Session(formula, volume=asked, **given)


def preparation_of(quantities: SessionQuantities, **given: Any) -> Preparation:
    return Preparation(
        quantities, given.pop("findings", ()), given.pop("overrides", ()), given.pop("ready", True), **given
    )


def sheets_of(formulary: Formulary, prepared: Preparation, **given: Any) -> tuple[Sheet, ...]:
    return session_sheets(SheetRequest("session", None, formulary=formulary, preparation=prepared, **given))


class Cells:
    """What a spreadsheet program would show of sheets, once cells are changed."""

    def __init__(self, sheets: tuple[Sheet, ...], **changed: Decimal) -> None:
        self.changed = changed
        self.facts = {fact.name: fact for fact in facts_of(sheets) if fact.name is not None}
        self.lives = {one.name: one for one in lives_of(sheets) if one.name is not None}
        self.tables = tables_of(sheets)

    def named(self, name: str) -> Any:
        if name in self.changed:
            return self.changed[name]
        return self.lives[name].value if name not in self.lives else self.work_out(self.lives[name].how)

    def named_or_given(self, name: str) -> Any:
        if name in self.changed:
            return self.changed[name]
        if name in self.lives:
            return self.work_out(self.lives[name].how)
        return plain_value(self.facts[name].value)

    def table(self, key: str) -> list[dict[str, Any]]:
        table = self.tables[key]
        found = []
        for row in table.rows:
            by_key = dict(zip([column.key for column in table.columns], row.values, strict=True))
            found.append({key: self.value(value, by_key) for key, value in by_key.items()})
        return found

    def value(self, value: Any, row: Mapping[str, Any] | None = None) -> Any:
        return self.work_out(value.how, row) if isinstance(value, Live) else value

    def work_out(self, how: Expression, row: Mapping[str, Any] | None = None) -> Any:
        match how:
            case Named(name):
                return self.named_or_given(name)
            case InRow(column):
                assert row is not None
                return self.value(row[column], row)
            case Apply(Function.IF, (condition, yes, no)):
                return self.work_out(yes if self.work_out(condition, row) else no, row)
            case Apply(function, parts):
                return applied(function, [self.work_out(part, row) for part in parts])
        return how


def applied(function: Function, parts: list[Any]) -> Any:
    """Do what spreadsheet programs do, in binary floats as they do."""
    if function is Function.JOIN:
        return "".join(str(int(part)) if isinstance(part, float) else str(part) for part in parts)
    one, *others = (float(part) for part in parts)
    other = others[0] if others else 0.0
    match function:
        case Function.ADD:
            return one + other
        case Function.SUBTRACT:
            return one - other
        case Function.TIMES:
            return one * other
        case Function.DIVIDE:
            return one / other
        case Function.ABSOLUTE:
            return abs(one)
        case Function.EQUAL:
            return one == other
        case Function.BELOW:
            return one < other
        case Function.AT_MOST:
            return one <= other
        case Function.ABOVE:
            return one > other
        case Function.ROUND | Function.ROUND_UP:
            how = ROUND_HALF_UP if function is Function.ROUND else ROUND_CEILING
            # Without the help that some programs give, which look at 15 digits only.
            return float(Decimal(one).quantize(Decimal(1).scaleb(-int(other)), how))
    raise AssertionError(function)


def facts_of(sheets: tuple[Sheet, ...]) -> Iterator[Fact]:
    for sheet in sheets:
        for block in sheet.blocks:
            if isinstance(block, Facts):
                yield from block.facts


def tables_of(sheets: tuple[Sheet, ...]) -> dict[str, Table]:
    return {block.key: block for sheet in sheets for block in sheet.blocks if isinstance(block, Table)}


def lives_of(sheets: tuple[Sheet, ...]) -> Iterator[Live]:
    for table in tables_of(sheets).values():
        for row in table.rows:
            yield from (value for value in row.values if isinstance(value, Live))
    yield from (fact.value for fact in facts_of(sheets) if isinstance(fact.value, Live))


def fact(sheets: tuple[Sheet, ...], word: str) -> Any:
    (found,) = {one.value for one in facts_of(sheets) if one.word.startswith(word)}
    return plain_value(found)


def texts(sheet: Sheet) -> str:
    return "\n".join(
        text for block in sheet.blocks if isinstance(block, Texts) for text in (block.title, *block.texts)
    )


def same(found: Any, expected: Any) -> bool:
    if expected is None or isinstance(expected, str):
        return (found or None) == (expected or None)
    return abs(float(found) - float(expected)) <= 1e-9 * max(1.0, abs(float(expected)))


def in_ml(value: Any) -> Decimal | None:
    return None if value is None else magnitude(value, "mL")


def assert_figures(cells: Cells, wanted: SessionQuantities) -> None:
    """Hold every live figure of a record against an answer."""
    assert same(cells.named_or_given("session_prepared"), in_ml(wanted.prepared))
    if wanted.syringes is not None:
        assert cells.named_or_given("session_syringes") == wanted.syringes
        assert same(cells.named_or_given("session_lost"), in_ml(wanted.lost))
    for row, line in zip(cells.table("session_lines"), wanted.lines, strict=True):
        assert same(row["exact"], in_ml(line.volume))
        assert row["open"] == line.containers
        assert same(row["left"], in_ml(line.left))
        assert same(row["measured"], in_ml(line.measured))
        assert same(row["error"], in_ml(line.error))
        if line.measured_with is not None:
            assert row["with"].startswith(line.measured_with.name)
        assert (row["rest"] == "nothing left") == (line.keep.value == "nothing left")
    known = [dose for dose in wanted.doses if dose.dose.low is not None]
    for row, dose in zip(cells.table("session_doses"), known, strict=True):
        low = dose.dose.low
        assert low is not None
        assert same(row["amount"], magnitude(low, row["unit"]))
        if dose.dose.kind is AmountKind.DISPUTED:
            assert dose.dose.high is not None
            assert same(row["amount_to"], magnitude(dose.dose.high, row["unit"]))
        else:
            assert row.get("amount_to") is None


volumes = st.decimals(Decimal("0.5"), Decimal(60), places=3)
syringes = st.sampled_from([None, "1-ml", "2-ml", "5-ml", "20-ml"])


@given(st.sampled_from(NAMES), volumes, volumes, syringes, st.booleans())
def test_what_follows_from_another_volume_is_what_python_works_out_for_it(
    formulary: Formulary, name: str, first: Decimal, second: Decimal, syringe: str | None, with_needle: bool
) -> None:
    given = {"syringe": syringe} | ({"needle": "21g"} if with_needle and syringe else {})
    try:
        quantities = work_out(session_of(formulary, name, first, **given), formulary)
        wanted = work_out(session_of(formulary, name, second, **given), formulary)
    except FormulaError:
        return  # too little to measure
    sheets = sheets_of(formulary, preparation_of(quantities))

    assert_figures(Cells(sheets), quantities)
    assert_figures(Cells(sheets, session_injected=second), wanted)


@given(st.sampled_from([name for name in NAMES if name not in ALL_IN_PARTS]), syringes, volumes)
def test_a_formula_as_written_keeps_its_rest_until_the_volume_is_changed(
    formulary: Formulary, name: str, syringe: str | None, second: Decimal
) -> None:
    try:
        quantities = work_out(session_of(formulary, name, None, syringe=syringe), formulary)
        wanted = work_out(session_of(formulary, name, second, syringe=syringe), formulary)
    except FormulaError:
        return
    sheets = sheets_of(formulary, preparation_of(quantities))

    assert_figures(Cells(sheets), quantities)
    assert_figures(Cells(sheets, session_injected=second), wanted)


@pytest.mark.parametrize(("name", "volume"), [("thirds", "15"), ("thirds", "30"), ("sevenths", "19.6")])
def test_a_volume_that_just_fills_containers_opens_none_too_many(
    formulary: Formulary, name: str, volume: str
) -> None:
    first = work_out(session_of(formulary, name, Decimal("0.7")), formulary)
    wanted = work_out(session_of(formulary, name, Decimal(volume)), formulary)
    cells = Cells(sheets_of(formulary, preparation_of(first)), session_injected=Decimal(volume))

    assert_figures(cells, wanted)


def test_the_value_of_a_live_cell_is_what_its_expression_comes_to(formulary: Formulary) -> None:
    quantities = work_out(
        session_of(formulary, "teaching-all-lines", Decimal("3.5"), syringe="1-ml", points=100), formulary
    )
    sheets = sheets_of(formulary, preparation_of(quantities))
    cells = Cells(sheets)
    count = 0

    for table in tables_of(sheets).values():
        keys = [column.key for column in table.columns]
        for row in table.rows:
            by_key = dict(zip(keys, row.values, strict=True))
            for value in row.values:
                if isinstance(value, Live):
                    assert same(cells.value(value, by_key), value.value)
                    count += 1
    for one in facts_of(sheets):
        if isinstance(one.value, Live):
            assert same(cells.value(one.value), one.value.value)
            count += 1
    assert count > 40


def test_too_little_to_measure_is_said_and_never_0_alone(formulary: Formulary) -> None:
    quantities = work_out(session_of(formulary, "teaching-all-lines", Decimal(3), syringe="1-ml"), formulary)
    cells = Cells(sheets_of(formulary, preparation_of(quantities)), session_injected=Decimal("0.01"))

    assert "too little to measure" in {row["with"] for row in cells.table("session_lines")}


def test_once_the_volume_is_changed_the_record_says_that_the_checks_are_for_another(
    formulary: Formulary,
) -> None:
    quantities = work_out(session_of(formulary, "teaching-parts", Decimal("2.5")), formulary)
    sheets = sheets_of(formulary, preparation_of(quantities))
    (asked,) = (one.value for one in facts_of(sheets) if one.word == "Checked for this volume")
    assert isinstance(asked, Live)

    assert Cells(sheets).value(asked) == "yes"
    changed = Cells(sheets, session_injected=Decimal("2.6")).value(asked)
    assert changed == "NO: for 2.5 mL; have it checked again"


# ---- words -------------------------------------------------------------------------------------------------

READ = Source(SourceKind.REG, "https://example.org/law", date(2026, 11, 23))
BLOCK = Finding("cosmetic", Severity.BLOCK, "a/b", "a cosmetic is never injected", (READ,))
OVERRIDE = Finding("route-off-label", Severity.OVERRIDE, "a/b", "not labelled for the skin", (READ,))
WARN = Finding("look-out", Severity.WARN, "a/b", "watch it")
UNCHECKED = Finding("ph", Severity.UNCHECKED, "a/b", "not known", missing=(Missing("pH", "NCTF"),))
DECIDED = Override("route-off-label", "consented", "N. Roux")


@pytest.fixture
def quantities(formulary: Formulary) -> SessionQuantities:
    return work_out(session_of(formulary, "teaching-nctf-vitamin-c", Decimal(3), syringe="1-ml"), formulary)


def record(formulary: Formulary, quantities: SessionQuantities, **given: Any) -> tuple[Sheet, ...]:
    more = {key: given.pop(key) for key in ("zone", "language") if key in given}
    return sheets_of(formulary, preparation_of(quantities, **given), **more)


def test_what_stands_against_it_is_said_first_and_in_big_words(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    first = record(formulary, quantities, findings=(BLOCK, OVERRIDE, WARN), ready=False)[0].blocks[0]

    assert isinstance(first, Texts)
    assert first.title == "NOT READY: do not prepare it"
    assert first.texts == ("Against it stand: cosmetic, route-off-label.",)
    assert first.mark is Mark.EXPIRED


def test_ready_says_no_more_than_was_checked(formulary: Formulary, quantities: SessionQuantities) -> None:
    assert "READY for 3 mL, as far as it was checked" in texts(
        record(formulary, quantities, findings=(UNCHECKED,))[0]
    )
    assert "READY for 3 mL\nNothing stands against it." in texts(record(formulary, quantities)[0])


def test_only_a_volume_can_be_entered_for_the_volume(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    (volume,) = (one for one in facts_of(record(formulary, quantities)) if one.is_input)

    assert volume.allowed == Allowed(low=Decimal("0.001"))


def test_an_override_stands_with_its_reason_and_who_decided(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    sheets = record(formulary, quantities, findings=(OVERRIDE,), overrides=(DECIDED,))
    (row,) = Cells(sheets).table("session_overrides")
    (check,) = Cells(sheets).table("session_checks_short")

    assert row == {"codes": "route-off-label", "reason": "consented", "by": "N. Roux"}
    assert (check["weight"], check["decided"]) == ("OVERRIDDEN", "N. Roux")


def test_many_findings_leave_the_page_one_page_and_none_is_lost(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    many = tuple(attrs.evolve(WARN, code=f"warn-{number}") for number in range(20))
    against = tuple(attrs.evolve(BLOCK, code=f"block-{number}") for number in range(9))
    page, checks, *_rest = record(formulary, quantities, findings=(*against, *many, UNCHECKED), ready=False)
    table = tables_of((page,))["session_checks_short"]

    assert [plain_value(row.values[2]) for row in table.rows] == [one.code for one in against]
    assert "20 more to look out for: warn-0, " in texts(page)
    assert "1 check could NOT be made, for want of: pH\n" in texts(page)
    assert len(checks.rows) == 30
    assert page.on_one_page


def test_amounts_never_stand_without_how_far_they_are_known(formulary: Formulary) -> None:
    disputed = work_out(session_of(formulary, "plinest-session", None), formulary)
    rows = Cells(sheets_of(formulary, preparation_of(disputed))).table("session_doses")
    hidden = work_out(session_of(formulary, "nctf-135ha-microneedling-face", None), formulary)
    page = sheets_of(formulary, preparation_of(hidden))[0]

    assert [row["known"] for row in rows] == ["sources disagree: from … up to"]
    assert rows[0]["amount"] < rows[0]["amount_to"]
    assert "Amount not disclosed, so that no total over it is known: " in texts(page)
    assert tables_of((page,))["session_doses"].rows == ()


# ---- lots and beyond use -----------------------------------------------------------------------------------


def test_where_the_ledger_names_no_lot_there_is_room_to_write_it(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    rows = Cells(record(formulary, quantities)).table("session_lots")

    assert [(row["lot"], row["expiry"], row["taken"]) for row in rows] == [
        (None, None, "write it by hand")
    ] * 2


def test_lots_stand_with_their_line_supplier_expiry_and_what_is_wrong(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    first, second = (line.product for line in quantities.lines)
    used = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    dated = attrs.evolve(quantities, session=attrs.evolve(quantities.session, on=date(2026, 11, 23)))
    lots = (
        LotTaken(first, "N1", date(2027, 5, 31), 1, "main", suppliers=("Medi",), used_at=used),
        LotTaken(first, "N0", date(2026, 11, 22), 1, "main", used_at=used, deviations=(Deviation.EXPIRED,)),
        LotTaken(second, "A1", None, 0, "fridge", opened=7, nanolitres=430_000, is_recalled=True),
    )
    sheets = record(formulary, dated, lots=lots, reference="S-2026-001", zone=ZoneInfo("Europe/Paris"))
    rows = Cells(sheets).table("session_lots")

    assert [row["lines"] for row in rows] == ["1", "1", "2"]
    assert rows[0]["taken"] == "used 2026-11-23 10:05 (Europe/Paris); 1 container"
    assert rows[0]["supplier"] == "Medi"
    assert rows[1]["taken"].startswith("EXPIRED; ")
    assert rows[1]["taken"].endswith("was expired; 1 container")
    assert rows[2]["taken"] == "RECALLED; kept in fridge; 0.43 mL from opened container 7"
    marks = [row.mark for row in tables_of(sheets)["session_lots"].rows]
    assert marks == [Mark.NONE, Mark.EXPIRED, Mark.EXPIRED]


def test_the_moment_of_beyond_use_is_the_sites_and_names_its_rule(
    formulary: Formulary, quantities: SessionQuantities
) -> None:
    until = datetime(2026, 11, 24, 9, tzinfo=UTC)
    limit = KeptUntil("mixture:stated-period", "24 h after preparation", until)
    sheets = record(
        formulary,
        quantities,
        limits=(limit,),
        beyond_use_at=until,
        beyond_use_rule=limit.reason,
        zone=ZoneInfo("Europe/Paris"),
        anchor=Anchor(3, "ab"),
        store="x.sqlite",
    )

    assert fact(sheets, "Use before (Europe/Paris)") == datetime.fromisoformat("2026-11-24T10:00")
    assert fact(sheets, "What governs it") == "24 h after preparation [mixture:stated-period]"
    assert fact(sheets, "Ledger") == "3:ab"


def test_what_is_kept_elsewhere_prints_blank(formulary: Formulary, quantities: SessionQuantities) -> None:
    sheets = record(formulary, quantities)
    blank = {one.word for one in facts_of(sheets) if one.to_fill_in and one.value is None}

    assert {
        "Prepared by, signature",
        "Checked by, signature",
        "Order number",
        "Prescriber, address",
        "Patient (register elsewhere)",
        "Session reference",
    } <= blank


def test_the_working_stands_behind_it_in_full(formulary: Formulary, quantities: SessionQuantities) -> None:
    working = record(formulary, quantities)[-1]
    rows = Cells((working,)).table("session_working_steps")

    assert [(row["subject"], row["step"]) for row in rows] == [
        (step.subject, step.text) for step in quantities.working()
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_names_and_keys_are_unique_and_refer_to_what_is_there(
    formulary: Formulary, name: str, language: str
) -> None:
    quantities = work_out(session_of(formulary, name, Decimal(6), syringe="5-ml"), formulary)
    sheets = record(formulary, quantities, language=language)
    keys = [block.key for sheet in sheets for block in sheet.blocks if isinstance(block, Table)]
    names = [one.name for one in facts_of(sheets) if one.name] + [
        one.name for one in lives_of(sheets) if one.name
    ]

    assert len(set(keys)) == len(keys)
    assert len(set(names)) == len(names)
    assert referred(sheets) <= {*names}


def referred(sheets: tuple[Sheet, ...]) -> set[str]:
    found: set[str] = set()

    def visit(how: Expression) -> None:
        if isinstance(how, Named):
            found.add(how.name)
        if isinstance(how, Apply):
            for part in how.parts:
                visit(part)

    for live in lives_of(sheets):
        visit(live.how)
    return found


def test_french_is_french_and_leaves_data_alone(formulary: Formulary, quantities: SessionQuantities) -> None:
    page = record(formulary, quantities, findings=(OVERRIDE,), ready=False, language="fr")[0]

    assert page.title == "Fiche de préparation : NCTF 135HA with vitamin C"
    assert texts(page).startswith("PAS PRÊT : ne pas préparer\nS'y oppose : route-off-label.")
    assert page.language == "fr"


# ---- the master formulation record -------------------------------------------------------------------------


def master(formulary: Formulary, name: str, **given: Any) -> tuple[Sheet, ...]:
    formula = FORMULAS.get(name) or formulary.formula(name)
    volume = Decimal(30) if name in ALL_IN_PARTS else None
    quantities = work_out(session_of(formulary, name, volume), formulary)
    request = SheetRequest(
        "formula",
        None,
        formulary=formulary,
        preparation=preparation_of(quantities),
        formula=formula,
        **given,
    )
    return formula_sheets(request)


def test_the_master_record_says_what_the_formula_says_and_what_nobody_says(formulary: Formulary) -> None:
    sheets = master(formulary, "teaching-all-lines")
    recipe = Cells(sheets).table("formula_recipe")

    assert [row["asked"] for row in recipe] == [
        "50 mg of magnesium",
        "10 mg/mL of ascorbic-acid in the mixture",
        "1 mL",
        "1 container",
        "fill to 20 mL",
    ]
    assert fact(sheets, "Version") == 1
    assert fact(sheets, "Storage of the mixture") == "not stated"
    assert fact(sheets, "Route").startswith("not stated; ")
    steps = texts(sheets[0]).splitlines()
    assert steps[-2] == "6. Fill up with Sodium Chloride 0.9 % w/v Injection BP, 10 mL to 20 mL."
    assert steps[-1] == "The order of mixing, how long to mix and how to filter are not stated."


@given(st.sampled_from(NAMES), volumes)
def test_a_batch_of_another_size_takes_and_holds_in_proportion(
    formulary: Formulary, name: str, batch: Decimal
) -> None:
    sheets = master(formulary, name)
    try:
        wanted = work_out(session_of(formulary, name, batch), formulary)
    except FormulaError:
        return
    cells = Cells(sheets, formula_batch=batch)

    for row, line in zip(cells.table("formula_lines"), wanted.lines, strict=True):
        assert same(row["exact"], in_ml(line.volume))
        assert same(row["measured"], in_ml(line.measured))
        assert row["open"] == line.containers
    known = [dose for dose in wanted.doses if dose.prepared.low is not None]
    for row, dose in zip(cells.table("formula_doses"), known, strict=True):
        assert dose.prepared.low is not None
        assert same(row["amount"], magnitude(dose.prepared.low, row["unit"]))


def test_a_formula_in_parts_alone_says_for_which_size_it_is_shown(formulary: Formulary) -> None:
    notes = master(formulary, "thirds")[0].notes

    assert "it is shown for 30 mL." in notes[0]
