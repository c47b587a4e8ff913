"""Labels of syringes and opened containers, and the pages that they are printed on."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
import zxingcpp
from libreoffice import Office

from mesoformula import (
    Finding,
    Formula,
    Formulary,
    Line,
    Session,
    Severity,
    SheetError,
    SheetRequest,
    UnknownNameError,
    parse_quantity,
    quantity,
)
from mesoformula.preparations import FEWER_LOTS, KeptUntil, LotTaken, Preparation
from mesoformula.sheets import Label, LabelGrid, Labels, label_grid, label_grids, read_label_grid
from mesoformula.stock.records import Opened
from mesoformula_excel.label_fit import size_that_fits
from mesoformula_excel.label_sheet import label_sheets
from mesoformula_excel.writer import write_workbook
from mesoformula_quantities.answer import work_out

PARIS = ZoneInfo("Europe/Paris")
AT = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
REFERENCE = "S-2026-001"
VITAMIN = "phoenix-labs/ascorbic-acid-500"
SALINE = "b-braun/sodium-chloride-0-9-10ml"
#: A reference of the greatest length.
LONG = "A-Z0-9" * 5 + "AB"


@pytest.fixture
def prepared(formulary: Formulary) -> Preparation:
    lines = (Line(VITAMIN, volume=parse_quantity("0.5 mL")), Line(SALINE, fill_to=parse_quantity("2.5 mL")))
    formula = Formula("c-in-saline", "Vitamin C in saline", lines)
    session = Session(formula, volume=quantity(Decimal("2.5"), "mL"), syringe=formulary.syringe("1-ml"))
    quantities = work_out(session, formulary)
    products = [line.product for line in quantities.lines]
    until = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    return Preparation(
        quantities,
        (),
        (),
        ready=True,
        reference=REFERENCE,
        lots=(
            LotTaken(products[0], "C1", date(2027, 5, 31), 1, "main"),
            LotTaken(products[1], "2401E3", None, 1, "main"),
        ),
        by="Dr Martin",
        prepared_at=AT,
        beyond_use_at=until,
        beyond_use_rule="6 h after opening",
        limits=(KeptUntil("rule", "6 h after opening", until),),
    )


def labels_of(prepared: Preparation | None, **given: Any) -> tuple[Label, ...]:
    (sheet,) = label_sheets(SheetRequest("labels", given.pop("stock", None), preparation=prepared, **given))
    (block,) = sheet.blocks
    assert isinstance(block, Labels)
    return block.labels


def refusal(*asked: Any, **given: Any) -> dict[str, str]:
    with pytest.raises(SheetError) as refused:
        labels_of(*asked, **given)
    return {problem.code: problem.message for problem in refused.value.problems}


def opened(**changes: Any) -> Opened:
    made = Opened(7, None, None, "blend", "fridge", AT, None, None, None, 1_250_000)
    return attrs.evolve(made, **changes)


# ---- what stands on them ----------------------------------------------------------------------------------


def test_each_syringe_has_its_label_with_its_number_and_volume(prepared: Preparation) -> None:
    labels = labels_of(prepared, zone=PARIS)

    assert [label.heading for label in labels] == ["Vitamin C in saline"] * 3
    assert [label.lines[0] for label in labels] == [
        "Syringe 1 of 3: 1 mL to inject · for intradermal use",
        "Syringe 2 of 3: 1 mL to inject · for intradermal use",
        "Syringe 3 of 3: 0.5 mL to inject · for intradermal use",
    ]


def test_a_label_says_route_beyond_use_contents_lots_and_reference(prepared: Preparation) -> None:
    lines = labels_of(prepared, zone=PARIS)[0].lines

    assert lines[0].endswith("for intradermal use")
    assert lines[1] == "Use before 2026-11-23 20:30 (6 h after opening)"
    assert re.fullmatch(r"0\.\d+ mL Ascorbic Acid .* \+ .*; 2\.\d+ mL in all", lines[2])
    assert lines[-2] == f"Lots: C1 (exp. 2027-05-31), 2401E3 · Session {REFERENCE}"
    assert lines[-1] == "Prepared 2026-11-23 14:30, Dr Martin"


def test_without_a_syringe_there_is_one_label_for_all(prepared: Preparation) -> None:
    quantities = attrs.evolve(prepared.quantities, syringes=None)

    (label,) = labels_of(attrs.evolve(prepared, quantities=quantities))
    assert label.lines[0] == "2.5 mL to inject · for intradermal use"


def test_what_is_not_known_is_left_to_write_by_hand(prepared: Preparation) -> None:
    bare = attrs.evolve(
        prepared, lots=prepared.lots[:1], prepared_at=None, beyond_use_at=None, reference=None, by=None
    )

    label = labels_of(bare)[0]
    assert "Lots: C1 (exp. 2027-05-31), ____________" in label.lines
    assert "Prepared ____________" in label.lines
    assert "Use before ____________ (6 h after opening)" in label.lines
    assert label.picture is None


def test_what_is_for_one_session_says_so(prepared: Preparation) -> None:
    limits = (KeptUntil("mixture:not-stated", "not stated", is_session_only=True),)
    bare = attrs.evolve(prepared, beyond_use_at=None, beyond_use_rule="not stated", limits=limits)

    assert "This session only: never kept (not stated)" in labels_of(bare)[0].lines


def test_a_rounded_concentration_says_no_more_than_is_known(formulary: Formulary) -> None:
    session = Session(
        formulary.formula("teaching-nctf-vitamin-c"),
        volume=quantity(3, "mL"),
        syringe=formulary.syringe("1-ml"),
    )
    lines = labels_of(Preparation(work_out(session, formulary), (), (), ready=True))[0].lines

    # 14.28… mg/mL at least: 14.3 would be too much.
    assert "Ascorbic acid ≥ 14.2 mg/mL · 6 substances of undisclosed amount" in lines


def test_many_substances_are_counted_and_left_to_the_record(formulary: Formulary) -> None:
    formula = Formula("soluvit", "Soluvit", (Line("fresenius-kabi/soluvit-n", containers=1),))
    prepared = Preparation(work_out(Session(formula), formulary), (), (), ready=True)

    assert any(
        re.match(r"\d+ substances of known amount: see the record", line)
        for line in labels_of(prepared)[0].lines
    )


def test_french_labels_are_french(prepared: Preparation) -> None:
    lines = labels_of(prepared, zone=PARIS, language="fr")[0].lines

    assert lines[0].startswith("Seringue 1 sur 3 : 1 mL à injecter · ")
    assert lines[1].startswith("À utiliser avant 2026-11-23 20:30")
    assert lines[-2].startswith("Lots : C1 (pér. 2027-05-31), 2401E3")


def test_a_session_that_is_not_ready_gets_no_label(prepared: Preparation) -> None:
    finding = Finding("expired", Severity.BLOCK, "x", "expired")
    refused = refusal(attrs.evolve(prepared, ready=False, findings=(finding,)))

    assert "expired" in refused["not-ready"]


def test_an_opened_container_says_until_when_and_what_is_left(make_view: Any, make_product: Any) -> None:
    one = opened(
        product=make_product(name="Hyaluron"),
        lot="H1",
        name=None,
        expiry=date(2027, 1, 31),
        beyond_use_at=datetime(2026, 11, 24, 13, 30, tzinfo=UTC),
        rule="lot:expiry",
    )
    view = attrs.evolve(make_view(), opened=(one, opened(quarantined=True)), made_at=AT)

    first, second = labels_of(None, stock=view, zone=PARIS)
    assert first.heading == "Hyaluron"
    assert first.lines == (
        "Use before 2026-11-24 14:30 (expiry of the lot)",
        "Opened 2026-11-23 14:30, no. 7",
        "Lot: H1 (exp. 2027-01-31)",
        "Left at 2026-11-23 14:30: 1.25 mL",
    )
    assert second.heading == "mixture blend"
    assert second.lines[0] == "QUARANTINED: do not use"


def test_an_opened_container_for_one_session_has_no_leave_to_be_kept_until_midnight(make_view: Any) -> None:
    one = opened(beyond_use_at=None, rule="ampoule-never-kept")
    (label,) = labels_of(None, stock=attrs.evolve(make_view(), opened=(one,), made_at=AT), zone=PARIS)

    assert label.lines[0].startswith("This session only, never kept; not after 2026-11-24 00:00 (")


def test_an_opened_container_that_is_beyond_its_use_says_so_first(make_view: Any) -> None:
    one = opened(beyond_use_at=AT, rule="lot:expiry")
    (label,) = labels_of(None, stock=attrs.evolve(make_view(), opened=(one,), made_at=AT), zone=PARIS)

    assert label.lines[0] == "BEYOND ITS USE: do not use"


def test_where_the_ledger_names_too_few_lots_there_is_room_to_write_the_rest(prepared: Preparation) -> None:
    line = prepared.quantities.lines[0]
    lot = LotTaken(line.product, "N25031", date(2099, 5, 31), 1, "main")
    short = Finding(FEWER_LOTS, Severity.WARN, line.product.id, "fewer")
    made = attrs.evolve(prepared, lots=(lot,), findings=(short,), lot_findings=(short,))
    said = next(text for text in labels_of(made)[0].lines if text.startswith("Lots: "))

    assert said.startswith("Lots: N25031 (exp. 2099-05-31), ____________")


# ---- the code ---------------------------------------------------------------------------------------------


def dark(png: bytes) -> tuple[list[list[int]], int]:
    """Read a PNG of one bit a pixel as 0 and 255, with its width."""
    width, height, depth = struct.unpack(">IIB", png[16:25])
    assert depth == 1
    data, place = b"", 8
    while place < len(png):
        size, kind = struct.unpack(">I4s", png[place : place + 8])
        data += png[place + 8 : place + 8 + size] if kind == b"IDAT" else b""
        place += size + 12
    raw, stride = zlib.decompress(data), (width + 7) // 8 + 1
    rows, above = [], bytes(stride - 1)
    for number in range(height):
        filtered, *line = raw[number * stride : (number + 1) * stride]
        assert filtered in (0, 2)  # as it is, or the difference to the line above
        above = bytes((byte + filtered // 2 * up) % 256 for byte, up in zip(line, above, strict=True))
        bits = "".join(f"{byte:08b}" for byte in above)[:width]
        rows.append([255 * int(bit) for bit in bits])
    return rows, width


def read_codes(rows: list[list[int]], width: int) -> list[str]:
    pixels = bytes(value for row in rows for value in row)
    return [one.text for one in zxingcpp.read_barcodes(memoryview(pixels).cast("B", (len(rows), width)))]


@pytest.mark.parametrize("reference", [REFERENCE, "AB12", LONG])
def test_an_independent_reader_reads_the_code(prepared: Preparation, reference: str) -> None:
    picture = labels_of(attrs.evolve(prepared, reference=reference))[0].picture
    assert picture is not None

    assert read_codes(*dark(picture.png)) == [reference]


def test_the_code_is_large_enough_and_has_its_quiet_zone(prepared: Preparation) -> None:
    picture = labels_of(attrs.evolve(prepared, reference=LONG))[0].picture
    assert picture is not None
    rows, width = dark(picture.png)

    assert picture.width == picture.height
    assert picture.width >= 8
    module = picture.width / (Decimal(width) / 8)
    assert Decimal("0.254") <= module <= Decimal("0.495")
    margin = rows[: 4 * 8] + rows[-4 * 8 :] + [row[: 4 * 8] + row[-4 * 8 :] for row in rows]
    assert {value for row in margin for value in row} == {255}


# ---- whether they fit -------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_with_larger_pages(prepared: Preparation) -> None:
    long = attrs.evolve(prepared, beyond_use_rule="a rule with very many words " * 5)
    refused = refusal(long, label_grid=label_grid("avery-l7651"))

    assert "more than fits a label of avery-l7651" in refused["does-not-fit"]
    assert "avery-l7161" in refused["does-not-fit"]
    assert labels_of(long, label_grid=label_grid("avery-l7161"))


def test_an_opened_container_fits_the_smallest_labels(make_view: Any) -> None:
    view = attrs.evolve(make_view(), opened=(opened(),))

    assert labels_of(None, stock=view, label_grid=label_grid("avery-l7651"))


def test_nothing_and_a_used_up_page_are_refused(prepared: Preparation, make_view: Any) -> None:
    assert set(refusal(None, stock=make_view())) == {"nothing"}
    assert set(refusal(prepared, skip_labels=21)) == {"skip"}
    assert labels_of(prepared, skip_labels=20)


@pytest.mark.parametrize("grid", label_grids(), ids=lambda grid: grid.id)
def test_every_grid_fits_its_page_and_names_its_source(grid: LabelGrid) -> None:
    across = grid.left + grid.columns * grid.width + (grid.columns - 1) * grid.between_columns
    down = grid.top + grid.rows * grid.height + (grid.rows - 1) * grid.between_rows

    assert across <= grid.page_width
    assert down <= grid.page_height
    # The numbers of the source, in hundredths of a millimetre.
    figures = [Decimal(figure) / 100 for figure in grid.source.split("S;")[1].split(";")]
    assert figures == [
        grid.width + grid.between_columns,
        grid.height + grid.between_rows,
        grid.width,
        grid.height,
        grid.left,
        grid.top,
        Decimal(grid.columns) / 100,
        Decimal(grid.rows) / 100,
        grid.page_width,
        grid.page_height,
    ]


def test_a_grid_is_found_by_its_number() -> None:
    assert label_grid("L7160") is label_grid("avery-l7160")
    with pytest.raises(UnknownNameError, match="avery-l7161"):
        label_grid("avery-l7162")


# ---- grids in files ---------------------------------------------------------------------------------------

OWN = """
schema = 1
[[grid]]
id = "ours"
page_width = 100
page_height = 50
columns = 2
rows = 1
width = 49.5
height = 49
left = 0.5
top = 0.5
"""


def read(tmp_path: Path, text: str) -> LabelGrid:
    (tmp_path / "grid.toml").write_text(text, encoding="utf-8")
    return read_label_grid(tmp_path / "grid.toml")


def test_a_file_may_hold_a_grid_of_ones_own(tmp_path: Path) -> None:
    grid = read(tmp_path, OWN)

    assert (grid.id, grid.name, grid.width, grid.between_rows) == ("ours", "ours", Decimal("49.5"), 0)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("schema = 1", "schema = 2", "schema", 2),
        ("columns = 2", "columns = 0", "count", 7),
        ("columns = 2", "columns = 2.5", "count", 7),
        ("width = 49.5", 'width = "49.5 mm"', "length", 9),
        ("width = 49.5", "width = nan", "length", 9),
        ("width = 49.5", "width = true", "length", 9),
        ("width = 49.5", "width = 50", "too-large", 3),
        ("height = 49\n", "", "missing", 3),
        ("height = 49\n", "height = 49\nheigth = 49\n", "unknown-key", 11),
        ('id = "ours"', 'id = ""', "text", 4),
        ("[[grid]]", "[grid]", "grid", 3),
        ("[[grid]]", "[[grid]", "toml", None),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, line: int | None
) -> None:
    with pytest.raises(SheetError) as refused:
        read(tmp_path, OWN.replace(old, new, 1))

    assert [(one.code, one.line) for one in refused.value.problems] == [(code, line)]
    assert all(one.path == str(tmp_path / "grid.toml") for one in refused.value.problems)


@pytest.mark.parametrize("text", ["schema = 1", f"{OWN}{OWN.replace('schema = 1', '')}"])
def test_a_file_holds_one_grid(tmp_path: Path, text: str) -> None:
    with pytest.raises(SheetError, match="expected one"):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SheetError, match="no text"):
        read_label_grid(tmp_path / "grid.toml")


# ---- printed ----------------------------------------------------------------------------------------------


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", ["avery-l7160", "avery-l7159", "avery-l7161"])
def test_the_printed_page_bears_codes_that_can_be_read(
    tmp_path: Path, office: Office, prepared: Preparation, name: str
) -> None:
    grid = label_grid(name)
    sheets = label_sheets(
        SheetRequest("labels", None, zone=PARIS, preparation=prepared, label_grid=grid, skip_labels=1)
    )
    write_workbook(sheets, tmp_path / "labels.xlsx")
    pdf = office.pdf(tmp_path / "labels.xlsx")
    subprocess.run(["pdftoppm", "-gray", "-r", "300", str(pdf), str(tmp_path / "page")], check=True)
    (page,) = tmp_path.glob("page*.pgm")
    kind, size, _most, pixels = page.read_bytes().split(b"\n", 3)
    assert kind == b"P5"
    width, height = map(int, size.split())

    codes = zxingcpp.read_barcodes(memoryview(pixels).cast("B", (height, width)))
    assert [code.text for code in codes] == [REFERENCE] * 3
    assert {size_that_fits(label, grid) for label in labels_of(prepared, label_grid=grid)} != {None}
    # Each code stands within its label, to the millimetre.
    for code in codes:
        x, y = (
            Decimal(value) * Decimal("25.4") / 300
            for value in (code.position.top_left.x, code.position.top_left.y)
        )
        column = (x - grid.left) // (grid.width + grid.between_columns)
        row = (y - grid.top) // grid.height
        right = grid.left + column * (grid.width + grid.between_columns) + grid.width
        bottom = grid.top + (row + 1) * grid.height
        assert x + 7 <= right
        assert y + 7 <= bottom
