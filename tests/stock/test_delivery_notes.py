"""Delivery notes: read as a person would check them, all lines or none, every problem with its row."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesoformula.errors import GridError, Problem
from mesoformula.formulary import Formulary
from mesoformula.grids import Cell, Grid, read_csv
from mesoformula.products import Product, Vendor
from mesoformula.sheets import Value
from mesoformula.stock.arrivals.delivery_notes import Field, Note, read_mapping, read_note, write_mapping
from mesoformula.stock.arrivals.note_headings import Word, vocabulary
from mesoformula.words import folded

GTIN = "05060131261973"
MOMENT = datetime(2028, 5, 31, 14, 30)  # noqa: DTZ001 (Excel knows no time zones)

Make = Callable[..., Product]


@pytest.fixture
def shelf(make_product: Make) -> Formulary:
    """A few products that are easily mistaken for each other."""
    formulary = Formulary()
    other = Vendor("belle", "Belle SARL", ("Laboratoires Belle",))
    for product in (
        make_product("c-500", name="Vitamin C 500 mg/5 mL", nicknames=("C fort",), containers_per_pack=10),
        make_product(
            "c-1000", name="Vitamin C 1000 mg", nicknames=("C fort",), gtin=GTIN, containers_per_pack=1
        ),
        make_product("c-15", name="Vitamin C 1.5 mL"),
        make_product("c-500", name="Vitamin C 500 mg/5 mL", vendor=other),
        make_product("c-1000", name="Vitamin C 1000 mg", revision=2, gtin=GTIN, containers_per_pack=1),
    ):
        formulary.add_record("product", product, "test (test 1.0)")
    return formulary


@pytest.fixture
def read(shelf: Formulary, tmp_path: Path) -> Callable[..., Note]:
    """Reads a note from the text of a CSV file."""

    def reading(text: str, **how: Any) -> Note:
        path = tmp_path / "note.csv"
        path.write_text(text, encoding="utf-8")
        (grid,) = read_csv(path)
        return read_note(grid, shelf, **how)

    return reading


@pytest.fixture
def line(shelf: Formulary) -> Callable[..., Note]:
    """Reads a sheet of one line; keyword arguments replace what it says, by field."""

    def reading(how: dict[str, Any] | None = None, **said: Value | Cell) -> Note:
        given = {"product": "acme/c-500", "lot": "L1", "containers": 5, "expiry": date(2028, 5, 31), **said}
        shown = {field: value for field, value in given.items() if value != "-"}
        heads = tuple(Cell(field, 1, place) for place, field in enumerate(shown, start=1))
        cells = tuple(
            Cell(value.value, 2, place, value.is_formula, value.is_merged, value.is_error, value.is_month)
            if isinstance(value, Cell)
            else Cell(value, 2, place)
            for place, value in enumerate(shown.values(), start=1)
        )
        grid = Grid("Note", (heads, cells), "note.xlsx", is_sheet=True)
        return read_note(grid, shelf, mapping={field: field for field in shown}, **(how or {}))

    return reading


def problems(reading: Callable[..., Note], *arguments: Any, **more: Any) -> list[Problem]:
    with pytest.raises(GridError) as caught:
        reading(*arguments, **more)
    assert all("\n" not in str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def codes(reading: Callable[..., Note], *arguments: Any, **more: Any) -> list[str]:
    return [one.code for one in problems(reading, *arguments, **more)]


# ---- headings ------------------------------------------------------------------------------------


def test_an_english_note_is_read(read: Callable[..., Note]) -> None:
    note = read(
        "Delivery note 4711\n\n"
        "Product,Batch No.,Vials,Exp. date,Unit cost (EUR),Supplier,Storage place,Remarks,Rep\n"
        "acme/c-500,L1,5,2028-05-31,1.25,Pharma Ltd,fridge 1,cold,AB\n"
        "acme/c-1000,L2,2,05/2029,,,,,\n"
    )

    first, second = note.deliveries
    assert (first.product.pinned_id, first.lot, first.containers) == ("acme/c-500@1", "L1", 5)
    assert (first.expiry, first.unit_cost, first.currency) == (date(2028, 5, 31), 125, "EUR")
    assert (first.supplier, first.location, first.remark) == ("Pharma Ltd", "fridge 1", "cold")
    assert second.product.revision == 2
    assert (second.expiry, second.unit_cost, second.location) == (date(2029, 5, 31), None, "main")
    assert note.rows == (4, 5)
    assert note.mapping["Batch No."] == Field.LOT
    assert note.mapping["Rep"] == Field.IGNORED
    assert note.attention == ()


def test_a_french_note_is_read(read: Callable[..., Note]) -> None:
    note = read(
        "Désignation;N° de lot;Nb flacons;Date de péremption;Prix par flacon;Fournisseur;Emplacement\n"
        "vitamin c 1000 MG;007;3;31/05/2028;12,50 €;Pharma SA;frigo\n;;;;;;\n",
        decimal_comma=True,
    )

    (found,) = note.deliveries
    assert (found.product.id, found.lot, found.expiry) == ("acme/c-1000", "007", date(2028, 5, 31))
    assert (found.unit_cost, found.currency, found.location) == (1250, "EUR", "frigo")


def test_no_heading_means_two_things_and_every_field_is_known() -> None:
    folder = files("mesoformula.stock.arrivals").joinpath("headings")
    languages = {path.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}

    assert {"en.toml", "fr.toml"} <= languages.keys()
    meant: dict[str, set[str]] = {}
    for language in languages.values():
        assert {Field(field) for field in language["headings"]} == {*Field} - {Field.IGNORED}
        assert {Word(word) for word in language["words"]} == {*Word}
        for field, headings in language["headings"].items():
            for heading in headings:
                meant.setdefault(folded(heading), set()).add(field)
    assert [heading for heading, fields in meant.items() if len(fields) > 1] == []
    assert "" not in meant
    assert not vocabulary().words["yes"] & vocabulary().words["no"]


def test_headings_are_named_where_they_are_missing(read: Callable[..., Note]) -> None:
    assert codes(read, "a;b;c\n1;2;3\n") == ["headings"]
    assert codes(read, "") == ["headings"]
    found = problems(read, "\nProduct;Supplier;Remark\nx;y;z\n")
    assert [(one.code, one.line) for one in found] == [("lot", 2), ("containers", 2), ("expiry", 2)]


def test_two_columns_of_one_kind_are_asked_about(read: Callable[..., Note]) -> None:
    text = "Product,Lot,Batch,Containers,Expiry\nacme/c-500,L1,B1,5,05/2028\n"

    (found,) = problems(read, text)
    assert found.code == "headings"
    assert "'Lot' and 'Batch' could both be lot" in found.message
    assert read(text, mapping={"Batch": "lot"}).deliveries[0].lot == "B1"
    assert read(text, mapping={"Batch": "ignored"}).deliveries[0].lot == "L1"
    assert read(text, mapping={"batch": "lot"}).mapping["Lot"] == Field.IGNORED


def test_a_mapping_names_columns_that_nobody_could_guess(read: Callable[..., Note]) -> None:
    note = read(
        "What;Ref. fab.;Menge;Verfall\nacme/c-500;L1;2;05/2028\n",
        mapping={"What": "product", "Ref. fab.": "lot", "Menge": "packs", "Verfall": "expiry"},
    )

    assert note.deliveries[0].containers == 20


def test_a_mapping_that_does_not_fit_is_refused_with_what_comes_near(read: Callable[..., Note]) -> None:
    text = "Product,Batch ref,Containers,Expiry\n"

    (wrong,) = problems(read, text, mapping={"Batch ref": "lott"})
    (missing,) = problems(read, text, mapping={"Batch reff": "lot"})
    assert (wrong.code, missing.code) == ("mapping", "mapping")
    assert "did you mean lot?" in wrong.message
    assert "did you mean 'Batch ref'?" in missing.message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.sampled_from(Field), min_size=1
    )
)
def test_a_saved_mapping_is_read_back(tmp_path: Path, mapping: dict[str, Field]) -> None:
    path = tmp_path / "mapping.toml"
    write_mapping(path, mapping)

    assert read_mapping(path) == mapping


def test_a_saved_mapping_reads_the_same_note_again(read: Callable[..., Note], tmp_path: Path) -> None:
    text = "Product,Batch ref,Containers,Expiry,Rep\nacme/c-500,L1,5,none,\n"
    note = read(text, mapping={"Batch ref": "lot"})
    write_mapping(tmp_path / "m.toml", note.mapping)
    saved = read_mapping(tmp_path / "m.toml")

    assert read(text, mapping=saved).deliveries == note.deliveries
    assert read(text.replace(",Rep", ""), mapping=saved).deliveries == note.deliveries


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("schema = 1\n[columns]\n'Batch' = 'lott'\n", [("mapping", 3)]),
        ("schema = 2\n[columns]\nA = 'lot'\n", [("mapping", 1)]),
        ("schema = 1\n", [("mapping", None)]),
        ("schema = 1\ncolumns = 5\nother = 1\n", [("mapping", 3), ("mapping", 2)]),
        ("schema = 1\n[columns]\nA = 5\nB = ['lot']\n", [("mapping", 3), ("mapping", 4)]),
        ("no toml", [("toml", None)]),
    ],
)
def test_a_mapping_file_with_mistakes_names_their_lines(
    tmp_path: Path, text: str, found: list[tuple[str, int | None]]
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GridError) as caught:
        read_mapping(path)

    assert [(one.code, one.line) for one in caught.value.problems] == found


# ---- products ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        ({"product": "acme/c-500"}, "acme/c-500@1"),
        ({"product": "acme/c-1000@1"}, "acme/c-1000@1"),
        ({"product": "Vitamin C 1000 mg"}, "acme/c-1000@2"),
        ({"product": "  vitamin c\u00a01000 MG "}, "acme/c-1000@2"),
        ({"product": GTIN}, "acme/c-1000@2"),
        ({"product": GTIN[1:]}, "acme/c-1000@2"),
        ({"gtin": int(GTIN)}, "acme/c-1000@2"),
        ({"gtin": GTIN, "name": "C fort"}, "acme/c-1000@2"),
        ({"gtin": GTIN, "name": "their own words for it"}, "acme/c-1000@2"),
        ({"name": "Vitamin C 500 mg/5 mL", "vendor": "Laboratoires Belle"}, "belle/c-500@1"),
        ({"sku": "c-500", "vendor": "BELLE"}, "belle/c-500@1"),
        ({"sku": "C-1000"}, "acme/c-1000@2"),
        ({"sku": "acme/c-15"}, "acme/c-15@1"),
        ({"gtin": "4006381333931", "product": "acme/c-15"}, "acme/c-15@1"),
    ],
)
def test_a_product_is_known_by_what_fits_exactly(
    line: Callable[..., Note], said: dict[str, Value], id_: str
) -> None:
    note = line(**{"product": "-", **said})

    assert note.deliveries[0].product.pinned_id == id_


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"product": "C fort"}, "product-ambiguous", "acme/c-1000 or acme/c-500"),
        ({"product": "Vitamin C 500 mg/5 mL"}, "product-ambiguous", "acme/c-500 or belle/c-500"),
        ({"product": "Vitamin C 15 mL"}, "product", "did you mean"),
        ({"product": "vitamin"}, "product", "did you mean"),
        ({"product": "acme/c-50"}, "product", "acme/c-500"),
        ({"product": "quite something else"}, "product", "mesoformula products"),
        ({"product": "acme/c-500", "name": "Vitamin C 1000 mg"}, "product", "two products in one line"),
        ({"product": "acme/c-500", "gtin": GTIN}, "product", "two products in one line"),
        ({"product": "acme/c-1000", "gtin": "4006381333931"}, "gtin", "is not the GTIN of acme/c-1000"),
        ({"product": "-", "gtin": "4006381333931"}, "gtin", "no product bears"),
        ({"product": "-", "gtin": "4006381333930"}, "gtin", "check digit"),
        ({"product": "-", "gtin": "5,06013E+12"}, "gtin", "shortened"),
        ({"product": "-", "gtin": "٤٠٠٦٣٨١٣٣٣٩٣١"}, "gtin", "no GTIN"),
        ({"product": "-", "gtin": 0}, "gtin", "'0': is too short for a GTIN; expected 8, 12, 13 or 14"),
        ({"product": "-", "gtin": 17}, "gtin", "'17': is too short for a GTIN"),
        ({"product": "-", "gtin": "00000000000000"}, "gtin", "is too short for a GTIN"),
        ({"product": "acme/c-500", "gtin": 17}, "gtin", "is too short for a GTIN"),
        ({"product": "-", "gtin": 5060139000000}, "gtin", "as if a program had rounded it"),
        ({"product": "-", "gtin": "5060139000000"}, "gtin", "as if a program had rounded it"),
        ({"product": None}, "product", "no product is named"),
        ({"product": "Vitamin C 1000 mg", "vendor": "Nobody"}, "product", "by 'Nobody'"),
        ({"product": "acme/c-500", "vendor": "Belle SARL"}, "product", "sold by Acme Laboratories"),
        ({"product": "x" * 10_000}, "product", "10000 characters"),
        ({"product": 12.5}, "product", "format the cell as text"),
    ],
)  # fmt: skip
def test_a_product_that_is_not_clear_is_never_guessed(
    line: Callable[..., Note], said: dict[str, Any], code: str, words: str
) -> None:
    if said["product"] == 12.5:
        said = {"product": Decimal("12.5")}
    (found,) = problems(line, **said)

    assert found.code == code
    assert words in found.message


# ---- lots, counts, expiries ----------------------------------------------------------------------


def test_packs_are_counted_in_containers(line: Callable[..., Note]) -> None:
    assert line(containers="-", packs=2).deliveries[0].containers == 20
    assert line(containers=20, packs=2).deliveries[0].containers == 20
    assert codes(line, containers=5, packs=2) == ["containers"]
    assert codes(line, product="acme/c-15", containers="-", packs=2) == ["packs"]
    assert line(product="acme/c-15", containers=6, packs=2).deliveries[0].containers == 6


def test_a_quantity_is_asked_about_once_unless_its_unit_is_clear(
    line: Callable[..., Note], read: Callable[..., Note]
) -> None:
    text = "Product,Lot,Qty,Expiry\n" + "acme/c-500,L1,5,none\n" * 3

    assert codes(read, text) == ["quantity"]
    assert read(text, mapping={"Qty": "packs"}).deliveries[0].containers == 50
    assert line(containers="-", quantity=2, unit="boîte").deliveries[0].containers == 20
    assert line(containers="-", quantity=2, unit="Vials").deliveries[0].containers == 2
    assert line(product="acme/c-1000", containers="-", quantity=2).deliveries[0].containers == 2
    assert codes(line, containers="-", quantity=2, unit="dozen") == ["quantity"]


@pytest.mark.parametrize(
    "count",
    [
        *(0, -1, 1_000_001, "0", "-3", "2.5", "2,5", "five", "1 000", "٣", "³", "1e3", "9" * 30),
        *(None, Decimal("2.5"), date(2028, 5, 31)),
    ],
)
def test_a_count_that_is_none_is_refused(line: Callable[..., Note], count: Value) -> None:
    assert codes(line, containers=count) == ["containers"]


@pytest.mark.parametrize(
    "lot",
    ["x" * 101, "x" * 10_000, "a\x07b", "a\nb", "a\u202eb", None, " ", date(2028, 1, 2), Decimal("1E+22")],
)
def test_a_lot_number_that_cannot_be_printed_as_it_is_is_refused(
    line: Callable[..., Note], lot: Value
) -> None:
    (found,) = problems(line, lot=lot)

    assert found.code == "lot"
    assert str(found).isprintable()


@pytest.mark.parametrize("lot", ["=cmd|' /C calc'!A0", "'; DROP TABLE lot; --", "007", "<b>", "Ⅻ"])
def test_a_lot_number_that_only_looks_dangerous_is_text(line: Callable[..., Note], lot: str) -> None:
    assert line(lot=lot).deliveries[0].lot == lot


def test_a_number_that_a_csv_file_marks_as_text_keeps_its_zeros(line: Callable[..., Note]) -> None:
    assert line(lot='="0012345"').deliveries[0].lot == "0012345"


def test_a_lot_number_that_stands_as_a_number_is_pointed_out(line: Callable[..., Note]) -> None:
    note = line(lot=12345)

    assert note.deliveries[0].lot == "12345"
    assert [(one.code, one.where) for one in note.attention] == [("lot", ("Note", "B2"))]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        (date(2028, 5, 31), date(2028, 5, 31)),
        (Cell(date(2028, 5, 1), 2, 4, is_month=True), date(2028, 5, 31)),
        ("2028-05-31", date(2028, 5, 31)),
        ("2028-05-31 00:00:00", date(2028, 5, 31)),
        ("2028/05/31", date(2028, 5, 31)),
        ("2028-02", date(2028, 2, 29)),
        ("05/2028", date(2028, 5, 31)),
        ("5.2028", date(2028, 5, 31)),
        ("31/05/2028", date(2028, 5, 31)),
        ("13.5.2028", date(2028, 5, 13)),
        ("05/05/2028", date(2028, 5, 5)),
        ("none", None),
        ("Sans péremption", None),
    ],
)
def test_an_expiry_is_read_as_it_is_printed(
    line: Callable[..., Note], said: Value | Cell, day: date | None
) -> None:
    assert line(expiry=said).deliveries[0].expiry == day


@pytest.mark.parametrize(
    "said",
    [
        *("05/28", "31/05/28", "28-05-31", "05/31/2028", "31/02/2028", "13/2028", "2028-13", "2028-00"),
        *(
            "0000-05",
            "1900-01-01",
            "9999-12-31",
            "soon",
            "٣١/٠٥/٢٠٢٨",
            "20280531",
            "2028-W05-1",
            "31/05-2028",
        ),
        *("2028-05-31T12:00", "-", 46904, Decimal("1.5"), MOMENT, None, date(1999, 12, 31), date(2101, 1, 1)),
    ],
)
def test_an_expiry_that_is_none_is_refused(line: Callable[..., Note], said: Value) -> None:
    assert codes(line, expiry=said) == ["expiry"]


def test_a_day_that_can_be_read_in_two_ways_is_asked_about(line: Callable[..., Note]) -> None:
    (found,) = problems(line, expiry="03/04/2028")

    assert found.code == "expiry-ambiguous"
    assert "2028-04-03 or 2028-03-04" in found.message
    assert line({"day_first": True}, expiry="03/04/2028").deliveries[0].expiry == date(2028, 4, 3)
    assert codes(line, {"day_first": True}, expiry="05/31/2028") == ["expiry"]


def test_that_none_is_printed_may_stand_in_a_column_of_its_own(line: Callable[..., Note]) -> None:
    assert line(expiry=None, no_expiry="x").deliveries[0].expiry is None
    assert line(expiry="-", no_expiry="oui").deliveries[0].expiry is None
    assert codes(line, expiry=None, no_expiry="no") == ["expiry"]
    assert codes(line, no_expiry="yes") == ["expiry"]
    assert codes(line, expiry=None, no_expiry="perhaps") == ["expiry"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (Cell("L1", 2, 2, is_formula=True), "formula"),
        (Cell(None, 2, 2, is_formula=True), "formula"),
        (Cell("L1", 2, 2, is_merged=True), "merged"),
        (Cell(None, 2, 2, is_merged=True), "merged"),
        (Cell("#N/A", 2, 2, is_error=True), "#N/A"),
    ],
)
@pytest.mark.parametrize("field", ["product", "lot", "containers", "expiry"])
def test_a_cell_whose_value_nobody_typed_is_refused(
    line: Callable[..., Note], field: str, cell: Cell, words: str
) -> None:
    (found,) = problems(line, **{field: cell})

    assert words in found.message
    assert found.code == field


# ---- money, serials ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "minor", "currency"),
    [
        ({"unit_cost": "12.50 EUR"}, 1250, "EUR"),
        ({"unit_cost": "EUR 12.5"}, 1250, "EUR"),
        ({"unit_cost": "12.50\u202f€"}, 1250, "EUR"),
        ({"unit_cost": Decimal("12.5"), "currency": "chf"}, 1250, "CHF"),
        ({"unit_cost": 1200, "currency": "JPY"}, 1200, "JPY"),
        ({"unit_cost": "0.125 TND"}, 125, "TND"),
        ({"pack_cost": "62.50 EUR", "containers": "-", "packs": 1}, 625, "EUR"),
        ({"cost": "6.25 EUR"}, 625, "EUR"),
        ({"unit_cost": None, "currency": "EUR"}, None, None),
    ],
)
def test_a_price_is_that_of_one_container(
    line: Callable[..., Note], said: dict[str, Value], minor: int | None, currency: str | None
) -> None:
    note = line(**said)

    assert (note.deliveries[0].unit_cost, note.deliveries[0].currency) == (minor, currency)
    assert note.attention == ()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"unit_cost": "12.50"}, "currency"),
        ({"unit_cost": "12,50 EUR"}, "decimal-comma"),
        ({"unit_cost": "1,250 EUR"}, "decimal-comma"),
        ({"unit_cost": "1 250.00 EUR"}, "cost"),
        ({"unit_cost": "12.505 EUR"}, "cost"),
        ({"unit_cost": "-1 EUR"}, "cost"),
        ({"unit_cost": "12.50 $"}, "cost"),
        ({"unit_cost": "EUR 1 EUR"}, "cost"),
        ({"unit_cost": "1 EUR", "currency": "CHF"}, "currency"),
        ({"unit_cost": "1", "currency": "euros"}, "currency"),
        ({"unit_cost": "1 EUR", "pack_cost": "10 EUR"}, "cost"),
        ({"cost": "10 EUR", "containers": "-", "packs": 1}, "cost"),
        ({"pack_cost": "10 EUR", "product": "acme/c-15"}, "cost"),
        ({"unit_cost": "99999999999999 EUR"}, "cost"),
        ({"unit_cost": "999999999999 EUR"}, "cost"),
    ],
)
def test_a_price_that_is_not_clear_is_refused(
    line: Callable[..., Note], said: dict[str, Value], code: str
) -> None:
    assert codes(line, **said) == [code]


def test_decimal_commas_are_read_where_somebody_says_so(line: Callable[..., Note]) -> None:
    how = {"decimal_comma": True, "currency": "EUR"}

    assert line(how, unit_cost="12,50 €").deliveries[0].unit_cost == 1250
    assert codes(line, how, unit_cost="12.50") == ["decimal-point"]
    assert codes(line, how, unit_cost="1.250,00") == ["cost"]
    assert line(how, unit_cost=Decimal("12.5")).deliveries[0].unit_cost == 1250


def test_a_pack_price_that_cannot_be_shared_is_rounded_and_said(line: Callable[..., Note]) -> None:
    note = line(containers="-", packs=1, pack_cost="10.05 EUR")

    assert note.deliveries[0].unit_cost == 101
    assert [one.code for one in note.attention] == ["cost"]
    assert "1.01 EUR is recorded for each" in note.attention[0].message


def test_a_currency_may_stand_in_the_heading(read: Callable[..., Note]) -> None:
    text = "Product,Lot,Containers,Expiry,{}\nacme/c-500,L1,5,none,1.50\n"

    assert read(text.format("Unit cost (CHF)")).deliveries[0].currency == "CHF"
    assert read(text.format("Unit price €")).deliveries[0].currency == "EUR"
    assert read(text.format("Unit price TTC")).deliveries[0].unit_cost is None


def test_a_serial_number_belongs_to_one_pack_with_its_gtin(
    line: Callable[..., Note], read: Callable[..., Note]
) -> None:
    found = line(product="acme/c-1000", containers=1, serial="S1").deliveries[0]

    assert (found.device, found.serial) == (GTIN, "S1")
    assert codes(line, serial="S1") == ["serial"]
    assert codes(line, product="acme/c-1000", containers="-", packs=2, serial="S1") == ["serial"]
    head = "Product,Lot,Containers,Expiry,Serial\n"
    (twice,) = problems(read, head + "acme/c-1000,L1,1,none,S1\n" * 2)
    assert (twice.code, twice.line) == ("serial", 3)


# ---- the whole -----------------------------------------------------------------------------------


def test_every_problem_of_every_line_is_told_with_its_row(read: Callable[..., Note]) -> None:
    found = problems(
        read,
        "Product,Lot,Containers,Expiry,Unit cost\n"
        "nothing,,0,1900-01-01,5\n"
        '"acme/c-500","L\n1",1,none,\n'
        "acme/c-500,L2,2.5,05/28,\n",
    )

    assert [(one.line, one.code) for one in found] == [
        (2, "product"),
        (2, "lot"),
        (2, "currency"),
        (2, "containers"),
        (2, "expiry"),
        (3, "lot"),
        (5, "containers"),
        (5, "expiry"),
    ]


def test_problems_of_a_sheet_name_its_cells(line: Callable[..., Note]) -> None:
    (found,) = problems(line, expiry="soon")

    assert str(found).startswith("note.xlsx: [expiry] Note!D2: 'expiry': 'soon' is no expiry")
    assert found.where == ("Note", "D2")


def test_totals_and_blank_lines_are_left_out_but_words_are_not(read: Callable[..., Note]) -> None:
    head = "Product,Lot,Containers,Expiry\nacme/c-500,L1,5,none\n\n"

    assert len(read(head + "Total:,,5,\nSous-total,,5,\n").deliveries) == 1
    assert codes(read, head + "With kind regards,,,\n") == ["line"]
    assert codes(read, "Product,Lot,Containers,Expiry\n") == ["empty"]


def test_one_lot_has_one_expiry(read: Callable[..., Note]) -> None:
    head = "Product,Lot,Containers,Expiry\nacme/c-500,L1,5,05/2028\n"

    assert codes(read, head + "acme/c-500,L1,5,06/2028\n") == ["expiry"]
    assert len(read(head + "acme/c-1000,L1,5,06/2028\n").deliveries) == 2


def test_a_line_that_stands_there_twice_is_pointed_out(read: Callable[..., Note]) -> None:
    note = read("Product,Lot,Containers,Expiry\n" + "acme/c-500,L1,5,05/2028\n" * 2)

    assert len(note.deliveries) == 2
    assert [(one.code, one.line) for one in note.attention] == [("repeated", 3)]


def test_problems_of_the_ledger_are_told_with_their_rows(read: Callable[..., Note]) -> None:
    note = read("Product,Lot,Containers,Expiry\n\nacme/c-500,L1,5,05/2028\nacme/c-500,L2,5,05/2028\n")
    found = note.refusal(
        [Problem("expiry", "delivery 2: another expiry is known", line=2), Problem("actor", "who?")]
    ).problems

    assert [(one.line, one.message) for one in found] == [(4, "another expiry is known"), (None, "who?")]


def test_an_opening_list_skips_what_is_not_there(read: Callable[..., Note]) -> None:
    text = "Product,Lot,On hand,Expiry,Place\nacme/c-1000,L1,5,05/2028,fridge\nacme/c-15,,0,,\nother,,,,\n"
    note = read(text, opening=True)

    assert [one.lot for one in note.deliveries] == ["L1"]
    assert note.skipped == 2
    assert codes(read, text) == ["quantity", "lot", "expiry", "line"]


def test_an_opening_list_without_lots_needs_a_word_for_them(read: Callable[..., Note]) -> None:
    text = "Product,Containers,Expiry\nacme/c-1000,5,05/2028\n"
    blank = "Product,Lot,Containers,Expiry\nacme/c-1000,,5,05/2028\n"

    assert codes(read, text, opening=True) == ["lot"]
    assert codes(read, blank, opening=True) == ["lot"]
    for each in (text, blank):
        note = read(each, opening=True, unknown_lot="UNKNOWN")
        assert note.deliveries[0].lot == "UNKNOWN"
        assert codes(read, each, unknown_lot="UNKNOWN") == ["lot"]
    assert codes(read, blank.replace("05/2028", ""), opening=True, unknown_lot="X") == ["expiry"]


def test_what_the_command_says_fills_in_what_lines_leave_blank(read: Callable[..., Note]) -> None:
    text = "Product,Lot,Containers,Expiry,Supplier\nacme/c-500,L1,5,none,\nacme/c-500,L2,5,none,Other\n"
    note = read(text, location="fridge", supplier="Pharma")

    assert [(one.location, one.supplier) for one in note.deliveries] == [
        ("fridge", "Pharma"),
        ("fridge", "Other"),
    ]


cells = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["acme/c-500", "C fort", "5", "05/2028", "12,50 €", "none", "x", "Total", GTIN, "EUR"]),
    st.integers(-5, 10**15),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.just(MOMENT),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(cells, min_size=len(Field) - 1, max_size=len(Field) - 1), max_size=4),
    flags=st.tuples(*[st.booleans()] * 4),
    opening=st.booleans(),
)
def test_whatever_stands_in_the_cells_is_read_or_refused(
    shelf: Formulary, rows: list[list[Value]], flags: tuple[bool, ...], opening: bool
) -> None:
    heads = [field.value for field in Field if field is not Field.IGNORED]
    lines = [
        tuple(
            Cell(value, row, column, *(flags if row == 3 else ()))
            for column, value in enumerate(values, start=1)
        )
        for row, values in enumerate([heads, *rows], start=1)
    ]
    grid = Grid("Note", tuple(lines), "note.xlsx", is_sheet=True)
    try:
        note = read_note(grid, shelf, mapping={head: head for head in heads}, opening=opening)
    except GridError as err:
        found = err.problems
    else:
        assert len(note.deliveries) == len(note.rows) > 0
        assert all(one.containers > 0 for one in note.deliveries)
        found = note.attention
    assert all(str(problem).isprintable() for problem in found)
