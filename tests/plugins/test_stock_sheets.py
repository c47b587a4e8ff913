"""The workbook of the stock: what its sheets say, and that their formulas come to what Python says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from libreoffice import Office, figures, same

from mesoformula import ContainerKind, Form, Part, Product, Sheet, SheetRequest, Source, SourceKind, Vendor
from mesoformula.cli.sheet import sheets_as_json
from mesoformula.sheets import Facts, Live, Mark, Rows, Table, plain_value
from mesoformula.stock.records import (
    Anchor,
    Deviation,
    Movement,
    MovementKind,
    MovementLine,
    OnHand,
    Opened,
    StockView,
)
from mesoformula_excel.expiry_sheet import expiry_sheet
from mesoformula_excel.movements_sheet import movements_sheet
from mesoformula_excel.opened_sheet import hours_left, opened_sheet, seen_at
from mesoformula_excel.reorder_sheet import Need, needs, reorder_sheet
from mesoformula_excel.stock_book import stock_sheets
from mesoformula_excel.stock_sheet import stock_sheet
from mesoformula_excel.summary import summary_sheet
from mesoformula_excel.writer import write_workbook

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 5, 4)
HASH = "0123456789abcdef" * 4
VIEW = StockView((), TODAY, datetime(2026, 5, 4, 7, 15, 30, tzinfo=UTC), "/x", None)
PLAIN = tuple(
    Product(
        Vendor("fictional", "Fictional"),
        f"p{number}",
        f"Product {number}",
        (Part(ContainerKind.VIAL, Form.SOLUTION),),
        (Source(SourceKind.IFU, "made up for a test", TODAY),),
    )
    for number in range(3)
)


def cells(sheet: Sheet | Table) -> list[dict[str, Any]]:
    """Read rows by the keys of their columns, formulas as what they come to."""
    keys = [column.key for column in sheet.columns]
    return [dict(zip(keys, map(plain_value, row.values), strict=True)) for row in sheet.rows]


def table(sheet: Sheet, key: str) -> list[dict[str, Any]]:
    (found,) = (block for block in sheet.blocks if isinstance(block, Table) and block.key == key)
    return cells(found)


def named(sheet: Sheet) -> dict[str, Any]:
    return sheets_as_json([sheet])[sheet.key]["cells"]  # type: ignore[no-any-return]


@pytest.fixture
def of_sku(make_product: Callable[..., Product]) -> Callable[..., Product]:
    """Make products that are not one another."""

    def make(sku: str, *classes: str, **more: Any) -> Product:
        return attrs.evolve(make_product(f"Product {sku}", classes=classes), sku=sku, **more)

    return make


@pytest.fixture
def opened() -> Callable[..., Opened]:
    def make(number: int = 1, product: Product | None = None, **more: Any) -> Opened:
        facts: dict[str, Any] = {
            "id": number,
            "product": product,
            "lot": "L-1" if product is not None else None,
            "name": None if product is not None else "morning mix",
            "location": "main",
            "opened_at": datetime(2026, 5, 4, 6, 0, 30, tzinfo=UTC),
            "beyond_use_at": datetime(2026, 5, 5, 6, 0, tzinfo=UTC),
            "rule": "lot:expiry",
            "supplied_nanolitres": 5_000_000,
            "nanolitres": 2_500_000,
        }
        return Opened(**{**facts, **more})

    return make


@pytest.fixture
def busy(shelf: StockView, of_sku: Any, make_lot: Any, opened: Any) -> StockView:
    """Everything that a stock can show: lots of every state, opened ones, levels with and without a pack."""
    both = of_sku("both", "vitamin", "amino_acid", containers_per_pack=5)
    none = of_sku("none")
    extra = (
        make_lot(
            both, 20, lot="B1", containers=3, reserved=2, unit_cost=150, currency="GBP", supplier="Acme"
        ),
        make_lot(both, 200, lot="B2", containers=4, recalled=True),
        make_lot(none, 5, lot="N1", containers=6, quarantined=True, recalled=True),
        make_lot(none, -3, lot="N2", containers=1),
    )
    held = (
        opened(1, both),
        opened(2, both, beyond_use_at=datetime(2026, 5, 4, 7, 15, tzinfo=UTC)),
        opened(3, None, beyond_use_at=None, rule=None, nanolitres=None, nanograms=1_500_000),
        opened(4, both, expiry=TODAY - timedelta(1), quarantined=True, sessions=("S-1", "S-2")),
    )
    return attrs.evolve(
        shelf,
        on_hand=(*shelf.on_hand, *extra),
        opened=held,
        levels=(("fictional/both", 9), ("fictional/none", 1), ("fictional/sku", 5), ("unknown/x", 2)),
        suppliers=(("unknown/x", "Wholesale"),),
    )


def movement(number: int = 1, *lines: MovementLine, **more: Any) -> Movement:
    facts: dict[str, Any] = {
        "kind": MovementKind.RECEIPT,
        "effective_at": datetime(2026, 5, 3, 22, 30, tzinfo=UTC),
        "recorded_at": datetime(2026, 5, 4, 6, 0, tzinfo=UTC),
        "actor": "anna",
        "anchor": Anchor(number, HASH),
        "lines": lines,
    }
    return Movement(seq=number, **{**facts, **more})


def request_of(view: StockView, topic: str = "stock", *movements: Movement, **more: Any) -> SheetRequest:
    lines = sum(max(1, len(one.lines)) for one in movements)
    return SheetRequest(
        topic,
        view,
        **{
            "zone": PARIS,
            "since": TODAY - timedelta(29),
            "until": TODAY,
            "movements": lambda: iter(movements),
            "movement_lines": lines,
            **more,
        },
    )


# ---- which sheets there are -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "keys"),
    [
        ("stock", ["summary", "stock", "opened", "expiry", "movements", "reorder", "notes"]),
        ("expiry", ["expiry", "notes"]),
        ("movements", ["movements", "notes"]),
        ("reorder", ["reorder", "notes"]),
    ],
)
def test_a_topic_has_its_sheets_in_the_order_of_the_tabs(
    busy: StockView, topic: str, keys: list[str]
) -> None:
    sheets = stock_sheets(request_of(busy, topic))

    assert [sheet.key for sheet in sheets] == keys
    assert sorted(sheets, key=lambda sheet: sheet.order) == list(sheets)
    assert all(sheet.language == "en" for sheet in sheets)


def test_without_a_reader_of_movements_there_is_no_such_sheet(busy: StockView) -> None:
    assert "movements" not in [sheet.key for sheet in stock_sheets(request_of(busy, movements=None))]


# ---- on hand ----------------------------------------------------------------------------------------------


def test_what_keeps_a_lot_from_use_stands_in_words_and_not_in_its_colour_alone(busy: StockView) -> None:
    found = {row["lot"]: row for row in cells(stock_sheet(request_of(busy)))}
    marks = {row.values[3]: row.mark for row in stock_sheet(request_of(busy)).rows}

    assert [found[lot]["state"] for lot in ("B1", "B2", "N1")] == [None, "recalled", "recalled, quarantined"]
    assert (found["B1"]["reserved"], found["B2"]["reserved"]) == (2, None)
    assert (marks["B2"], marks["N1"]) == (Mark.ATTENTION, Mark.SOON)


# ---- summary ----------------------------------------------------------------------------------------------


def test_a_product_of_two_classes_counts_in_each_and_one_of_none_is_said_to_have_none(
    of_sku: Any, make_lot: Any, make_view: Any
) -> None:
    view = make_view(
        make_lot(of_sku("a", "vitamin", "amino_acid"), containers=3),
        make_lot(of_sku("b", "vitamin"), containers=4),
        make_lot(of_sku("c"), containers=5),
    )

    assert table(summary_sheet(request_of(view)), "by_class") == [
        {"class": "vitamin", "lots": 2, "containers": 7},
        {"class": "amino acid", "lots": 1, "containers": 3},
        {"class": "no class known", "lots": 1, "containers": 5},
    ]


def test_the_figures_that_need_somebody_are_those_of_the_stock(busy: StockView) -> None:
    page = summary_sheet(request_of(busy))
    said = named(page)

    assert said["expired"] == sum(
        one.containers for one in busy.on_hand if one.expiry is not None and one.expiry < TODAY
    )
    assert (said["recalled"], said["quarantined"], said["past_use"]) == (10, 6, 2)
    assert said["short"] == 3
    assert (said["value_EUR"], said["value_GBP"]) == ("2481.43", "4.5")
    vital = [
        fact
        for block in page.blocks
        if isinstance(block, Facts)
        for fact in block.facts
        if isinstance(fact.value, Live) and fact.value.is_vital
    ]
    assert {fact.value.name for fact in vital if isinstance(fact.value, Live)} == {
        "expired",
        "recalled",
        "quarantined",
        "past_use",
        "short",
    }


def test_periods_of_expiry_begin_today_and_hold_one_another(
    make_lot: Any, make_view: Any, make_product: Any
) -> None:
    days = (-1, 0, 30, 31, 60, 61, 90, 91, None)
    view = make_view(*(make_lot(make_product(), day, lot=str(day)) for day in days))

    found = table(summary_sheet(request_of(view)), "expiring")

    assert [row["containers"] for row in found] == [2, 4, 6]
    assert [row["until"] for row in found] == [TODAY + timedelta(n) for n in (30, 60, 90)]


def test_a_lot_whose_receipts_differ_in_cost_is_not_said_to_have_none(make_lot: Any, make_view: Any) -> None:
    view = make_view(
        make_lot(containers=5, lot="A", currency="EUR", cost_range=(1000, 1200)),
        make_lot(containers=4, lot="B", unit_cost=500, currency="EUR"),
    )
    facts = {
        fact["word"]: fact["value"]
        for fact in sheets_as_json([summary_sheet(request_of(view))])["summary"]["facts"]
    }
    (note,) = (one for one in stock_sheet(request_of(view)).notes if "known cost" in one)

    assert facts["Stock value, at least (EUR)"] == "20"
    assert facts["Rows without a single known cost"] == 1
    assert "receipts that differ" in note


def test_value_is_at_least_what_it_says_where_a_cost_is_missing(make_lot: Any, make_view: Any) -> None:
    priced = make_lot(unit_cost=100, currency="EUR", containers=2)
    words = [
        [fact.word for block in page.blocks if isinstance(block, Facts) for fact in block.facts]
        for page in (
            summary_sheet(request_of(make_view(priced))),
            summary_sheet(request_of(make_view(priced, make_lot(lot="free")))),
        )
    ]

    assert "Stock value (EUR)" in words[0]
    assert "Stock value, at least (EUR)" in words[1]


# ---- opened -----------------------------------------------------------------------------------------------


def test_opened_ones_stand_by_the_moment_at_which_their_use_ends(busy: StockView) -> None:
    rows = cells(opened_sheet(request_of(busy)))

    assert [row["id"] for row in rows] == [4, 2, 3, 1]
    assert [row["use_before"] for row in rows] == [
        datetime(2026, 5, 4, 0, 0),  # noqa: DTZ001 (a cell holds the site's wall clock)
        datetime(2026, 5, 4, 9, 15),  # noqa: DTZ001
        datetime(2026, 5, 5, 0, 0),  # noqa: DTZ001
        datetime(2026, 5, 5, 8, 0),  # noqa: DTZ001
    ]
    assert [row["hours_left"] for row in rows] == [
        Decimal("-9.25"),
        Decimal("0.00"),
        Decimal("14.75"),
        Decimal("22.75"),
    ]
    assert [row["note"] for row in rows] == ["beyond use", "beyond use", "within a day", "within a day"]
    assert [row["rule"] for row in rows] == [
        "expiry of the lot",
        "expiry of the lot",
        "for one session only",
        "expiry of the lot",
    ]
    assert rows[0]["state"] == "quarantined"
    assert rows[0]["sessions"] == "S-1, S-2"
    assert (rows[2]["what"], rows[2]["left_volume"], rows[2]["left_mass"]) == (
        "mixture morning mix",
        None,
        Decimal("1.500000"),
    )


def test_a_past_day_is_counted_from_its_end(busy: StockView) -> None:
    view = attrs.evolve(busy, as_of=TODAY - timedelta(1))

    assert dict(opened_sheet(request_of(view)).facts)["Counted from"] == datetime(2026, 5, 3, 23, 59)  # noqa: DTZ001


@given(minutes=st.integers(-10_000_000, 10_000_000))
def test_hours_are_rounded_as_a_workbook_does(minutes: int) -> None:
    seen = datetime(2026, 5, 4, 9, 15)  # noqa: DTZ001

    found = hours_left(seen + timedelta(minutes=minutes), seen)

    assert abs(found * 60 - minutes) <= Decimal("0.3")
    # No tie: a binary number that is off by a hair rounds to the same hundredth.
    assert abs(abs(Decimal(minutes) / 60 - found) - Decimal("0.005")) > Decimal("0.001")
    assert (found <= 0) == (minutes <= 0)


# ---- expiry -----------------------------------------------------------------------------------------------


@given(
    lots=st.lists(
        st.tuples(st.integers(0, 2), st.none() | st.integers(-900, 900), st.integers(1, 99)), max_size=12
    )
)
def test_every_container_stands_in_one_month_and_in_the_total(
    lots: list[tuple[int, int | None, int]],
) -> None:
    on_hand = tuple(
        OnHand(
            PLAIN[sku],
            str(number),
            "main",
            containers,
            TODAY + timedelta(days) if days is not None else None,
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        for number, (sku, days, containers) in enumerate(lots)
    )
    sheet = expiry_sheet(request_of(attrs.evolve(VIEW, on_hand=on_hand), "expiry"))
    rows = cells(sheet)

    assert len(rows) == len({one.product.id for one in on_hand})
    for row in rows:
        assert row["total"] == sum(
            value or 0 for key, value in row.items() if key not in ("vendor", "product", "total")
        )
    assert (sheet.total("total") or 0) == sum(one.containers for one in on_hand)


def test_the_month_that_runs_counts_from_today_and_the_thirteenth_is_later(
    make_lot: Any, make_view: Any
) -> None:
    days = [date(2026, 5, 3), TODAY, date(2026, 5, 31), date(2027, 4, 30), date(2027, 5, 1), None]
    lots = (attrs.evolve(make_lot(lot=str(n)), expiry=day, containers=10**n) for n, day in enumerate(days))
    (row,) = cells(expiry_sheet(request_of(make_view(*lots), "expiry")))

    assert (row["expired"], row["2026-05"], row["2027-04"]) == (1, 110, 1000)
    assert (row["later"], row["none"], row["total"]) == (10_000, 100_000, 111_111)
    assert row["2026-06"] is None


# ---- movements --------------------------------------------------------------------------------------------


def test_a_movement_has_a_row_for_each_line_and_one_if_it_has_none(make_product: Any) -> None:
    product = make_product()
    lines = [MovementLine(n, product, f"L{n}", "main", 5 - n) for n in (1, 2)]
    told = [
        movement(1, *lines, reason="ordered"),
        movement(2, kind=MovementKind.FREE, pick=1, session="S-1"),
    ]
    sheet = movements_sheet(request_of(VIEW, "movements", *told))
    rows = cells(sheet)

    assert isinstance(sheet.rows, Rows)
    assert len(sheet.rows) == len(rows) == 3
    assert [row["number"] for row in rows] == [1, 1, 2]
    assert [row["lot"] for row in rows] == ["L1", "L2", None]
    assert rows[0]["effective_at"] == datetime(2026, 5, 4, 0, 30)  # noqa: DTZ001
    assert (rows[0]["kind"], rows[0]["reason"]) == ("receipt", "ordered")
    assert (rows[2]["kind"], rows[2]["session"], rows[2]["detail"]) == ("pick freed", "S-1", "of pick 1")


def test_a_deviation_is_said_in_words_and_the_row_is_marked() -> None:
    line = MovementLine(1, None, None, "main", -1, deviations=(Deviation.EXPIRED, Deviation.RECALLED_SINCE))
    sheet = movements_sheet(request_of(VIEW, "movements", movement(1, line, kind=MovementKind.USE)))
    (row,) = sheet.rows

    assert cells(sheet)[0]["deviation"] == "was expired, was recalled later"
    assert row.mark is Mark.ATTENTION


def test_what_a_fact_was_and_is_stands_in_the_words_of_the_reader() -> None:
    facts = (
        ("recalled", "no", "yes", "recalled: no → yes", "rappelé : non → oui"),
        ("minimum", None, "5", "least stock: – → 5", "stock minimum : – → 5"),
        (
            "cost",
            "1250..1250 EUR",
            "1..2 JPY",
            "cost: 12.50 EUR → 1 to 2 JPY",
            "coût : 12.50 EUR → 1 à 2 JPY",
        ),
        ("assay", "{}", "{}", "assay", "dosage"),
    )
    lines = [
        MovementLine(n, None, None, None, 0, subject="a/b", fact=fact, old=old, new=new)
        for n, (fact, old, new, *_said) in enumerate(facts, start=1)
    ]
    for place, language in ((3, "en"), (4, "fr")):
        request = request_of(
            VIEW, "movements", movement(1, *lines, kind=MovementKind.FACT), language=language
        )

        assert [row["detail"] for row in cells(movements_sheet(request))] == [one[place] for one in facts]


def test_movements_are_read_only_when_their_rows_are() -> None:
    def read() -> Iterator[Movement]:
        raise AssertionError("nobody asked for rows")

    sheet = movements_sheet(request_of(VIEW, "movements", movements=read, movement_lines=7))

    assert len(sheet.rows) == 7


@pytest.mark.parametrize("kind", MovementKind)
def test_every_kind_of_movement_has_a_word_in_every_language(kind: MovementKind) -> None:
    said = [
        cells(movements_sheet(request_of(VIEW, "movements", movement(1, kind=kind), language=language)))
        for language in ("en", "fr")
    ]

    assert said[0][0]["kind"]
    assert said[1][0]["kind"]


# ---- reorder ----------------------------------------------------------------------------------------------


@given(minimum=st.integers(1, 10**6), usable=st.integers(0, 10**6), pack=st.integers(1, 1000))
def test_packs_are_as_few_whole_ones_as_make_up_what_is_missing(minimum: int, usable: int, pack: int) -> None:
    need = Need("a/b", "B", None, minimum, usable, 0, pack, None)

    assert need.packs is not None
    assert need.packs * pack >= minimum - usable
    assert need.packs == 0 or (need.packs - 1) * pack < need.missing


def test_what_is_short_stands_first_with_packs_and_the_last_supplier(busy: StockView) -> None:
    rows = cells(reorder_sheet(request_of(busy, "reorder")))

    assert [(row["id"], row["minimum"], row["usable"], row["missing"]) for row in rows][:3] == [
        ("fictional/both", 9, 3, 6),
        ("fictional/none", 1, 0, 1),
        ("unknown/x", 2, 0, 2),
    ]
    assert [(row["packs"], row["supplier"]) for row in rows][:3] == [
        (2, "Acme"),
        (None, None),
        (None, "Wholesale"),
    ]
    assert [row["note"] for row in rows] == ["too few", "too few", "too few", None]
    assert rows[3]["missing"] == 0
    assert {need.id for need in needs(request_of(busy))} == {name for name, _least in busy.levels}


def test_a_site_without_levels_is_told_how_to_set_one(shelf: StockView) -> None:
    sheet = reorder_sheet(request_of(shelf, "reorder"))

    assert not sheet.rows
    assert "mesoformula stock level set" in sheet.empty


# ---- what a machine reads ---------------------------------------------------------------------------------


def test_figures_are_exact_and_found_by_sheet_and_name(busy: StockView) -> None:
    found = sheets_as_json(stock_sheets(request_of(busy, "stock", movement(7))))

    assert found["summary"]["cells"]["value_GBP"] == "4.5"
    assert found["summary"]["tables"]["expiring"]["rows"][0]["until"] == "2026-06-03"
    assert found["stock"]["totals"]["containers"] == {"kind": "stated", "value": 145}
    assert found["stock"]["totals"]["mass"]["kind"] == "at_least"
    assert found["movements"]["rows"][0]["effective_at"] == "2026-05-04T00:30:00"
    assert found["reorder"]["columns"]["missing"] == "Missing (containers)"


# ---- LibreOffice ------------------------------------------------------------------------------------------


def book(view: StockView, path: Path, language: str = "en") -> Path:
    lines = [MovementLine(1, view.on_hand[0].product, "L1", "main", 5, deviations=(Deviation.EXPIRED,))]
    request = request_of(view, "stock", movement(1, *lines), language=language)
    write_workbook(stock_sheets(request), path)
    return path


@pytest.mark.libreoffice
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_formula_comes_to_what_python_says(
    busy: StockView, tmp_path: Path, office: Office, language: str
) -> None:
    office.check(book(busy, tmp_path / f"stock-{language}.xlsx", language))
    office.pictures(tmp_path / f"stock-{language}.xlsx")


@pytest.mark.libreoffice
@pytest.mark.parametrize("days", [33, -20])
def test_another_day_and_moment_in_their_cells_change_every_figure_that_hangs_on_them(
    busy: StockView, tmp_path: Path, office: Office, days: int
) -> None:
    # What can be used is read from the stock on its day, and does not follow.
    view = attrs.evolve(busy, levels=())
    then = attrs.evolve(view, as_of=view.as_of + timedelta(days), made_at=view.made_at + timedelta(days))
    path, other = book(view, tmp_path / "stock.xlsx"), book(then, tmp_path / "then.xlsx")
    workbook = openpyxl.load_workbook(path)
    for name, value in (("as_of", then.as_of), ("as_of_moment", seen_at(request_of(then)))):
        title, _, cell = workbook.defined_names[name].attr_text.replace("$", "").rpartition("!")
        workbook[title.strip("'")][cell].value = value
    workbook.save(path)
    follows = ("Summary", "On hand", "Opened")
    expected = {
        (title, cell): value
        for title, cell, _formula, value, _again in figures(other, other)
        if title in follows
    }
    found = {
        (title, cell): value
        for title, cell, _formula, _none, value in figures(path, office.saved(path))
        if title in follows
    }

    assert found.keys() == expected.keys()
    assert [place for place in expected if not same(expected[place], found[place])] == []


@pytest.mark.libreoffice
def test_an_empty_stock_is_a_workbook_too(make_view: Any, tmp_path: Path, office: Office) -> None:
    path = tmp_path / "empty.xlsx"
    write_workbook(stock_sheets(request_of(make_view())), path)

    office.check(path)


@pytest.mark.libreoffice
def test_names_that_a_criterion_would_take_for_more_than_letters_are_counted_exactly(
    make_product: Any, make_lot: Any, make_view: Any, tmp_path: Path, office: Office
) -> None:
    names = [
        ">5",
        "=1+1",
        "*",
        "A*",
        "AB",
        "ab",
        "1234",
        "TRUE",
        "<>",
        '"',
        "a, b",
        "2026-05-04",
        "\x07",
        "~",
    ]
    lots = [
        make_lot(make_product(vendor=name, classes=("vitamin", "x" * number)), lot=name, containers=2**number)
        for number, name in enumerate(names, start=1)
    ]
    path = tmp_path / "names.xlsx"
    sheets = stock_sheets(request_of(make_view(*lots)))
    write_workbook(sheets, path)

    assert {row["containers"] for row in table(sheets[0], "by_vendor")} == {
        2**number for number in range(1, len(names) + 1) if number not in (5, 6)
    } | {2**5 + 2**6}
    office.check(path)
