"""The records as LibreOffice opens, recalculates and prints them, also after the volume is changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from libreoffice import Office, errors, pages, text_of

from mesoformula import (
    Formula,
    Formulary,
    Line,
    Session,
    SessionQuantities,
    SheetRequest,
    magnitude,
    parse_quantity,
    quantity,
)
from mesoformula.app import App
from mesoformula.cli.sheet import sheets_as_json
from mesoformula.preparations import Preparation
from mesoformula.sheets import Sheet
from mesoformula_excel.formula_sheet import formula_sheets
from mesoformula_excel.session_sheet import session_sheets
from mesoformula_excel.writer import write_workbook
from mesoformula_quantities.answer import work_out

pytestmark = pytest.mark.libreoffice

SALINE = "b-braun/sodium-chloride-0-9-10ml"
SEVENTHS = Formula(
    "sevenths",
    "Sevenths",
    (Line("kalceks/magnesium-sulfate-50-2ml", parts=5), Line(SALINE, parts=2)),
)
DOSE = Formula(
    "dose",
    "A dose, a concentration and a fill",
    (
        Line("kalceks/magnesium-sulfate-50-2ml", dose=parse_quantity("50 mg"), substance="magnesium"),
        Line("fresenius-kabi/pyridoxine-100", volume=parse_quantity("0.35 mL")),
        Line(SALINE, fill_to=parse_quantity("7 mL")),
    ),
)


def session_of(formulary: Formulary, formula: Formula | str, volume: str, **given: Any) -> Session:
    for key in ("syringe", "needle"):
        if key in given:
            given[key] = getattr(formulary, key)(given[key])
    found = formulary.formula(formula) if isinstance(formula, str) else formula
    return Session(found, volume=quantity(Decimal(volume), "mL"), **given)


def sheets_of(formulary: Formulary, quantities: SessionQuantities, **given: Any) -> tuple[Sheet, ...]:
    prepared = Preparation(quantities, given.pop("findings", ()), (), given.pop("ready", True))
    return session_sheets(SheetRequest("session", None, formulary=formulary, preparation=prepared, **given))


def column_of(worksheet: Any, heading: str, count: int) -> list[Any]:
    """Read what stands below a heading."""
    (head,) = (cell for row in worksheet.iter_rows() for cell in row if cell.value == heading)
    return [worksheet.cell(head.row + place, head.column).value for place in range(1, count + 1)]


def numbers(values: list[Any]) -> list[Decimal | None]:
    return [Decimal(repr(value)) if isinstance(value, int | float) else None for value in values]


def in_ml(value: Any) -> Decimal | None:
    return None if value is None else magnitude(value, "mL")


def near(found: Decimal | None, expected: Decimal | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= Decimal("1e-9") * max(abs(expected), Decimal(1))


@pytest.mark.parametrize(
    ("formula", "volume", "other", "given"),
    [
        ("teaching-all-lines", "3.5", "41.3", {"syringe": "5-ml", "needle": "21g"}),
        ("teaching-parts", "6", "2.35", {}),
        ("plinest-session", "2", "1.2", {"syringe": "1-ml"}),
        (SEVENTHS, "3", "19.6", {}),
        (DOSE, "7", "0.9", {"syringe": "1-ml", "points": 30}),
    ],
)
def test_a_changed_volume_comes_to_what_python_works_out_for_it(
    formulary: Formulary,
    office: Office,
    tmp_path: Path,
    formula: Formula | str,
    volume: str,
    other: str,
    given: dict[str, Any],
) -> None:
    path, changed = tmp_path / "record.xlsx", tmp_path / "changed.xlsx"
    quantities = work_out(session_of(formulary, formula, volume, **given), formulary)
    wanted = work_out(session_of(formulary, formula, other, **given), formulary)
    write_workbook(sheets_of(formulary, quantities), path)
    office.check(path)

    workbook = openpyxl.load_workbook(path)
    title, cell = next(iter(workbook.defined_names["session_injected"].destinations))
    workbook[title][cell].value = Decimal(other)
    workbook.save(changed)
    made = office.saved(changed)

    assert errors(made) == []
    result = openpyxl.load_workbook(made, data_only=True)
    page = result.worksheets[0]
    count = len(wanted.lines)
    columns: dict[str, list[Decimal | None]] = {
        "Exact (mL)": [magnitude(line.volume, "mL") for line in wanted.lines],
        "To open": [Decimal(line.containers) for line in wanted.lines],
        "Left (≥ mL)": [magnitude(line.left, "mL") for line in wanted.lines],
        "Measured (mL)": [in_ml(line.measured) for line in wanted.lines],
        "Error (mL)": [in_ml(line.error) for line in wanted.lines],
    }
    for heading, expected in columns.items():
        found = numbers(column_of(page, heading, count))
        assert [near(*pair) for pair in zip(found, expected, strict=True)] == [True] * count, heading
    title, cell = next(iter(workbook.defined_names["session_prepared"].destinations))
    assert near(Decimal(repr(result[title][cell].value)), magnitude(wanted.prepared, "mL"))
    known = [dose for dose in wanted.doses if dose.dose.low is not None]
    tab = next(
        one for one in result.worksheets if one.title in ("Doses", page.title) and has(one, len(known))
    )
    (amounts, units) = (column_of(tab, "Injected", len(known)), units_of(tab, len(known)))
    for dose, amount, unit in zip(known, numbers(amounts), units, strict=True):
        assert dose.dose.low is not None
        assert near(amount, magnitude(dose.dose.low, unit)), dose.name
    assert any("NO: for " in str(one.value) for row in page.iter_rows() for one in row)


def has(worksheet: Any, count: int) -> bool:
    """Tell whether a tab has the table of all doses."""
    heads = [cell for row in worksheet.iter_rows() for cell in row if cell.value == "Injected"]
    return len(heads) == 1 and all(numbers(column_of(worksheet, "Injected", count)))


def units_of(worksheet: Any, count: int) -> list[str]:
    (head,) = (cell for row in worksheet.iter_rows() for cell in row if cell.value == "Injected")
    heads = [cell for cell in worksheet[head.row] if cell.value == "Unit"]
    return [worksheet.cell(head.row + place, heads[-1].column).value for place in range(1, count + 1)]


@pytest.fixture(scope="module")
def app() -> App:
    return App()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("formula", "volume"),
    [("teaching-nctf-vitamin-c", "3"), ("teaching-all-lines", "12.5"), ("cernevit-reconstituted", "5")],
)
def test_the_record_is_one_page_however_much_there_is_to_say(
    app: App, office: Office, tmp_path: Path, formula: str, volume: str, language: str
) -> None:
    session = session_of(app.formulary, formula, volume, syringe="5-ml", needle="21g", points=100)
    answer = app.work_out(session)
    sheets = sheets_of(
        app.formulary, answer.quantities, findings=answer.findings, ready=answer.ready, language=language
    )
    path = tmp_path / f"{formula}-{language}.xlsx"
    write_workbook(sheets, path)
    office.check(path)
    alone = tmp_path / f"{formula}-{language}-page.xlsx"
    # The record refers to no cell of another sheet.
    write_workbook(sheets[:1], alone)
    pdf = office.pdf(alone)
    office.pictures(path)

    assert pages(pdf) == 1
    text = text_of(pdf)
    assert ("NOT READY" if language == "en" else "PAS PRÊT") in text
    for line in answer.quantities.lines:
        assert line.product.name.split()[0] in text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_master_record_comes_to_what_python_says(
    app: App, office: Office, tmp_path: Path, language: str
) -> None:
    formula = app.formulary.formula("teaching-all-lines")
    prepared = Preparation(work_out(Session(formula), app.formulary), (), (), True)
    request = SheetRequest(
        "formula", None, formulary=app.formulary, preparation=prepared, formula=formula, language=language
    )
    path = tmp_path / f"formula-{language}.xlsx"
    write_workbook(formula_sheets(request), path)

    office.check(path)
    office.pictures(path)


def test_the_record_of_every_bundled_formula_is_one_page_and_equals_its_json(
    app: App, office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    names = app.formulary.names("formula")
    for name in names:
        session = Session(
            app.formulary.formula(name),
            volume=quantity(3, "mL"),
            points=40,
            syringe=app.formulary.syringe("1-ml"),
        )
        answer = app.work_out(session)
        sheets = sheets_of(
            app.formulary, answer.quantities, findings=answer.findings, ready=answer.ready, language="fr"
        )
        write_workbook(sheets[:1], folder / f"{name}.xlsx")
        told = sheets_as_json(sheets[:1])["session"]
        workbook = openpyxl.load_workbook(folder / f"{name}.xlsx", data_only=True)
        for cell_name, value in told["cells"].items():
            title, cell = next(iter(workbook.defined_names[cell_name].destinations))
            assert near(Decimal(repr(workbook[title][cell].value)), Decimal(value)), (name, cell_name)
    assert len(names) > 10
    counts = {path.stem: pages(path) for path in office.pdfs(sorted(folder.glob("*.xlsx")))}
    assert counts == dict.fromkeys(names, 1)
