"""A vendor's own table becomes a catalogue: what can be read in one way is taken, and nothing is invented."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mesoformula.catalogue.cells import (
    Presentation,
    UnreadError,
    composition_in,
    names_of_substances,
    presentation_in,
    routes_in,
    storage_in,
)
from mesoformula.catalogue.columns import Column, How, find_headings, vocabulary
from mesoformula.catalogue.files import CatalogueFile, parse
from mesoformula.catalogue.importing import Draft, import_table, verified
from mesoformula.errors import GridError
from mesoformula.formulary import Formulary
from mesoformula.grids import Cell, Grid
from mesoformula.products import Vendor
from mesoformula.sources import Source, SourceKind

SUBSTANCES = """
schema = 1
[[substance]]
id = "ascorbic-acid"
name = "Ascorbic acid"
class = "vitamin"
synonyms = ["vitamin C", "acide ascorbique"]
[[substance]]
id = "sodium-ascorbate"
name = "Sodium ascorbate"
class = "vitamin"
synonyms = ["vitamin C"]
[[substance]]
id = "zinc-gluconate"
name = "Zinc gluconate"
class = "mineral"
"""
ACME = Vendor("acme", "Acme")
LIST = Source(SourceKind.DIST, "price list", date(2026, 11, 23), note="taken from prices.xlsx")
Row = Sequence[Any]


def formulary_of(*texts: str) -> Formulary:
    formulary = Formulary()
    for number, text in enumerate((SUBSTANCES, *texts)):
        parsed = parse(text.encode(), f"known-{number}.toml")
        assert isinstance(parsed, CatalogueFile)
        formulary.add_file(parsed)
    return formulary


def grid_of(*rows: Row) -> Grid:
    return Grid(
        "Prices",
        tuple(
            tuple(
                value if isinstance(value, Cell) else Cell(value, number, column)
                for column, value in enumerate(row, start=1)
            )
            for number, row in enumerate(rows, start=1)
        ),
        "prices.xlsx",
        is_sheet=True,
    )


def draft_of(
    *rows: Row, mapping: Mapping[str, str] | None = None, source: Source | None = LIST
) -> tuple[Draft, dict[str, Any]]:
    grid, formulary = grid_of(*rows), formulary_of()
    draft = import_table(grid, find_headings(grid, mapping), formulary, ACME, source)
    draft = verified(draft, "acme.toml", formulary)
    return draft, tomllib.loads(draft.text)


def product_of(heading: str, value: Any) -> tuple[dict[str, Any], str]:
    """Import one cell, and return its product and the comments on it."""
    draft, tables = draft_of(("Reference", "Name", heading, "x"), ("A-1", "One", value, "y"))
    comments = "\n".join(line for line in draft.text.splitlines() if line.startswith("# not taken"))
    return tables["product"][0], comments


class TestHeadings:
    def test_english_and_french_headings_are_known(self) -> None:
        for words, expected in (
            (("Reference", "Product name", "EAN", "Pack size", "Route"), "sku name gtin per_pack routes"),
            (("Réf.", "Désignation", "Code EAN", "Conditionnement", "Voie d'administration"),
             "sku name gtin presentation routes"),
        ):  # fmt: skip
            headings = find_headings(grid_of(words))
            assert [str(one.column) for one in headings.all] == expected.split()

    def test_a_price_is_left_out_whatever_follows_it(self) -> None:
        headings = find_headings(grid_of(("Ref", "Nom", "Prix HT 2026 (EUR)", "TVA")))

        assert [one.column for one in headings.all][2:] == [Column.PRICE, Column.PRICE]

    def test_what_is_not_sure_is_asked_about_and_else_not_taken(self) -> None:
        grid = grid_of(("Ref", "Name", "Quantity"))
        asked: list[tuple[str, Column]] = []

        def ask(heading: str, column: Column) -> bool:
            asked.append((heading, column))
            return True

        assert Column.PER_PACK not in find_headings(grid).taken
        assert find_headings(grid).all[2].how is How.UNSURE
        assert Column.PER_PACK in find_headings(grid, ask=ask).taken
        assert asked == [("Quantity", Column.PER_PACK)]

    def test_the_user_has_the_last_word(self) -> None:
        headings = find_headings(grid_of(("Ref", "Name", "Titre")), {"titre": "name", "Name": "nickname"})

        assert [str(one.column) for one in headings.all] == ["sku", "nickname", "name"]

    def test_a_second_column_for_the_same_is_not_taken(self) -> None:
        headings = find_headings(grid_of(("Ref", "Name", "Product name")))

        assert headings.all[2].how is How.SECOND
        assert headings.taken[Column.NAME].text == "Name"

    def test_headings_are_found_below_a_title(self) -> None:
        assert find_headings(grid_of(("Price list 2026",), ("Ref", "Name"), ("A-1", "One"))).place == 1

    def test_no_headings_are_a_problem_that_says_what_is_expected(self) -> None:
        with pytest.raises(GridError, match="no row of headings") as caught:
            find_headings(grid_of(("a", "b"), (1, 2)))
        assert caught.value.problems[0].code == "headings"

    @pytest.mark.parametrize("mapping", [{"Nme": "name"}, {"Name": "nmae"}])
    def test_a_mapping_that_leads_nowhere_names_the_nearest(self, mapping: dict[str, str]) -> None:
        with pytest.raises(GridError, match="did you mean"):
            find_headings(grid_of(("Ref", "Name")), mapping)

    def test_no_heading_is_both_sure_and_unsure(self) -> None:
        known = vocabulary()

        assert not known.headings.keys() & known.unsure.keys()


class TestCells:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("10 ampoules x 5 ml", Presentation(10, "ampoule", "5 ml")),
            ("10 ampoules de 5 mL", Presentation(10, "ampoule", "5 mL")),
            ("Boîte de 5 flacons de 10 ml", Presentation(5, "vial", "10 ml")),
            ("10 x 5 ml", Presentation(10, None, "5 ml")),
            ("5 ml x 10", Presentation(10, None, "5 ml")),
            ("2 x 1.25 mL pre-filled syringes", Presentation(2, "syringe", "1.25 mL")),
            ("1 seringue préremplie de 1 ml", Presentation(1, "syringe", "1 ml")),
            ("5 vials", Presentation(5, "vial")),
            ("10 vials x 500 mg", Presentation(10, "vial", mass="500 mg")),
            ("vial 10 ml", Presentation(None, "vial", "10 ml")),
            ("20 ml", Presentation(volume="20 ml")),
        ],
    )
    def test_a_presentation_is_read_whole(self, text: str, expected: Presentation) -> None:
        assert presentation_in(text) == expected

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("10 amp x 5", "no unit"),
            ("10 ampoules x 5,5 ml", "write '5.5 ml'"),
            ("1,000 ml", "thousands or decimals"),
            ("5 x 2 x 3 ml", "one way"),
            ("kit: 5 vials + 5 ampoules", "one way"),
            ("2 cocktails of 5 ml", "one way"),
            ("5000 vials", "1 to 1000"),
            ("ten vials", "one way"),
        ],
    )
    def test_what_could_be_read_otherwise_is_left(self, text: str, why: str) -> None:
        with pytest.raises(UnreadError, match=why):
            presentation_in(text)

    def test_a_composition_is_read_by_exact_names_and_strict_strengths(self) -> None:
        names = names_of_substances(formulary_of())
        items = composition_in("Acide ascorbique 50 mg/mL; 1 mg/mL zinc gluconate", names)

        assert [(item.substance, item.amount) for item in items] == [
            ("ascorbic-acid", "50 mg/mL"),
            ("zinc-gluconate", "1 mg/mL"),
        ]

    def test_a_name_may_end_in_a_number(self) -> None:
        names = {"vitaminb12": frozenset({"cyanocobalamin"})}
        (item,) = composition_in("Vitamin B12 0.5 mg/mL", names)

        assert (item.substance, item.amount) == ("cyanocobalamin", "0.5 mg/mL")

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("vitamin C 50 mg/mL", "ascorbic-acid or sodium-ascorbate"),
            ("unobtainium 5 mg/mL", "by no substance"),
            ("zinc gluconate 1 mg", "per container"),
            ("zinc gluconate 1 %", "basis"),
            ("zinc gluconate 5,5 mg/mL", "write '5.5 mg/mL'"),
            ("zinc gluconate", "no amount"),
            ("zinc gluconate 1 mg/mL; biotin", "no amount"),
            ("zinc gluconate 1 mg/mL; zinc gluconate 2 mg/mL", "twice"),
        ],
    )
    def test_a_composition_with_one_doubt_is_left_whole(self, text: str, why: str) -> None:
        with pytest.raises(UnreadError, match=why):
            composition_in(text, names_of_substances(formulary_of()))

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2-8 °C", {"low": "2 °C", "high": "8 °C"}),
            ("Store between 2 and 25 °C, protect from light",
             {"low": "2 °C", "high": "25 °C", "protect_from_light": True}),
            ("below 25°C; do not freeze", {"high": "25 °C", "do_not_freeze": True}),
            ("Conserver entre 2°C et 8°C", {"low": "2 °C", "high": "8 °C"}),
        ],
    )  # fmt: skip
    def test_a_storage_is_read_whole(self, text: str, expected: dict[str, Any]) -> None:
        assert storage_in(text) == expected

    @pytest.mark.parametrize(
        "text", ["cool", "2-80 °C", "below 80 °C", "8-2 °C", "2-8", "2-8 °C, in Norway", "-20 °C"]
    )
    def test_a_storage_that_is_not_clear_is_left(self, text: str) -> None:
        with pytest.raises(UnreadError):
            storage_in(text)

    def test_routes_are_read_all_or_none(self) -> None:
        assert routes_in("ID, SC / im") == ["intradermal", "subcutaneous", "intramuscular"]
        with pytest.raises(UnreadError, match="expected one of"):
            routes_in("ID, mesotherapy")


class TestImport:
    def test_a_row_becomes_a_product(self) -> None:
        draft, tables = draft_of(
            ("Référence", "Désignation", "Conditionnement", "Contenance (ml)", "Composition", "Code EAN",
             "Statut", "Prix HT"),
            ("AC-001", "Acme Revive", "10 ampoules x 5 ml", Decimal("5.0"), "acide ascorbique 50 mg/mL",
             "5060131261973", "Dispositif médical", Decimal("45.5")),
        )  # fmt: skip

        assert draft.flags == ()
        assert draft.missing == {}
        assert tables["product"] == [
            {
                "sku": "ac-001",
                "name": "Acme Revive",
                "kind": "device",
                "containers_per_pack": 10,
                "gtin": "05060131261973",
                "part": [
                    {
                        "container": "ampoule",
                        "form": "not stated",
                        "volume": "5 ml",
                        "composition": [
                            {
                                "substance": "ascorbic-acid",
                                "amount": "50 mg/mL",
                                "as_published": "acide ascorbique 50 mg/mL",
                            }
                        ],
                    }
                ],
                "source": [
                    {
                        "kind": "DIST",
                        "where": "price list",
                        "read": date(2026, 11, 23),
                        "note": "taken from prices.xlsx, Prices!A2",
                    }
                ],
            }
        ]
        assert "45.5" not in draft.text
        assert "Prices stand in no catalogue" in draft.text

    def test_what_cannot_be_read_stays_with_its_cell(self) -> None:
        product, comments = product_of("Presentation", "10 amp x 5")

        assert "containers_per_pack" not in product
        assert comments.startswith("# not taken: Prices!C2 'Presentation' '10 amp x 5': its last number")

    @pytest.mark.parametrize(
        ("heading", "value", "said"),
        [
            ("Volume", "5,5 ml", "write '5.5 ml'"),
            ("Volume", 5, "write such as '5 mL'"),
            ("EAN", "5060131261974", "check digit"),
            ("Pack size", "ten", "whole number"),
            ("Pack size", 0, "from 1 to 1000"),
            ("Route", "mesotherapy", "not known"),
            ("Name", date(2026, 1, 1), "format the cell as text"),
            ("Volume", Cell("5 mL", 2, 3, is_formula=True), "formula"),
            ("Volume", Cell("#N/A", 2, 3, is_error=True), "error"),
            ("Volume", Cell(None, 2, 3, is_merged=True), "merged"),
            ("Storage", "2-8 °C\x1b[2J", "do not print"),
        ],
    )
    def test_no_value_is_guessed(self, heading: str, value: Any, said: str) -> None:
        rows = [["Reference", "Name", "Form", "x"], ["A-1", "One", "gel", "y"]]
        if heading == "Name":
            rows[1][1] = value
        else:
            rows[0][2], rows[1][2] = heading, value
        draft, _tables = draft_of(*rows)

        assert said in draft.flags[0].message
        assert draft.flags[0].where[0] == "Prices"

    def test_columns_that_contradict_each_other_are_both_left(self) -> None:
        draft, tables = draft_of(
            ("Ref", "Name", "Presentation", "Volume"), ("A-1", "One", "10 ampoules x 5 ml", "2 mL")
        )

        assert "volume" not in tables["product"][0]["part"][0]
        assert "contradict" in draft.flags[0].code

    def test_a_source_that_may_state_no_amount_states_none(self) -> None:
        clinic = Source(SourceKind.CLINIC, "a clinic", date(2026, 1, 1))
        draft, tables = draft_of(
            ("Ref", "Name", "Composition"), ("A-1", "One", "zinc gluconate 1 mg/mL"), source=clinic
        )

        assert "composition" not in tables["product"][0]["part"][0]
        assert "states no amounts" in draft.flags[0].message

    def test_without_a_source_that_is_all_there_is_to_do(self) -> None:
        draft, tables = draft_of(("Ref", "Name", "Form"), ("A-1", "One", "gel"), source=None)

        assert [problem.code for problem in draft.missing[0]] == ["missing"]
        assert "# to do: [missing] product acme/a-1: source is missing" in draft.text
        assert "source" not in tables["product"][0]
        assert "IFU" not in draft.text

    def test_a_powder_that_does_not_say_how_it_is_dissolved_is_flagged(self) -> None:
        draft, _tables = draft_of(("Ref", "Name", "Form", "Mass"), ("A-1", "One", "powder", "500 mg"))

        assert [problem.code for problem in draft.missing[0]] == ["powder"]

    def test_rows_that_are_no_product_are_kept_as_comments(self) -> None:
        draft, tables = draft_of(
            ("Ref", "Name", "Brand"),
            ("A-1", "One", "ACME"),
            ("A 1", "Double", "Acme"),
            ("B-1", "Stranger", "Belle"),
            (None, "FILLERS", None),
            ("C-1", None, "Acme"),
        )

        assert [product["sku"] for product in tables["product"]] == ["a-1"]
        assert draft.left_out == 4
        for word in ("is that of row 2 already", "another vendor", "nothing else stands", "no name"):
            assert word in draft.text

    def test_a_missing_reference_is_made_of_the_name_and_said(self) -> None:
        draft, tables = draft_of(("Ref", "Name", "Form"), (None, "Acme Gel N° 5", "gel"))

        assert tables["product"][0]["sku"] == "acme-gel-n-5"
        assert "# look at:" in draft.text

    def test_headings_that_are_repeated_make_no_product(self) -> None:
        headings = ("Ref", "Name", "Form")
        draft, tables = draft_of(headings, ("A-1", "One", "gel"), headings, ("A-2", "Two", "gel"))

        assert [product["sku"] for product in tables["product"]] == ["a-1", "a-2"]
        assert [flag.message for flag in draft.flags] == [
            "Prices!A3: repeats the headings: no product was made of it"
        ]

    def test_a_second_table_with_other_headings_is_refused(self) -> None:
        with pytest.raises(GridError, match="Prices!A3: other headings than the first") as caught:
            draft_of(
                ("Ref", "Name", "Volume (mL)"),
                ("A-1", "One", 5),
                ("Reference", "Product", "Mass (mg)"),
                ("B-1", "Two", 500),
            )
        assert [problem.code for problem in caught.value.problems] == ["headings"]

    def test_what_stands_above_the_headings_is_repeated(self) -> None:
        draft, _tables = draft_of(("Z-1", "Forgotten", "gel"), ("Ref", "Name", "Form"), ("A-1", "One", "gel"))

        assert "#   row 1: 'Z-1', 'Forgotten', 'gel'" in draft.text.splitlines()

    def test_a_row_that_is_not_shown_is_to_be_looked_at(self) -> None:
        grid = attrs.evolve(grid_of(("Ref", "Name"), ("A-1", "One"), ("A-2", "Two")), hidden=frozenset({3}))
        draft = import_table(grid, find_headings(grid), formulary_of(), ACME, LIST)

        assert draft.products == 2
        assert [flag.code for flag in draft.flags] == ["made"]
        assert "# look at: Prices!A3: this row is not shown" in draft.text

    @pytest.mark.parametrize(
        ("heading", "value"),
        [
            ("Volume", "1.500 mL"),
            ("Volume (mL)", "1.500"),
            ("Presentation", "2 vials x 1.000 ml"),
            ("Composition", "zinc gluconate 1.500 mg/mL"),
        ],
    )
    def test_a_point_that_may_mark_thousands_is_not_taken_for_decimals(
        self, heading: str, value: str
    ) -> None:
        product, comments = product_of(heading, value)

        assert "may mark thousands or decimals" in comments
        assert product["part"] == [{"container": "not stated", "form": "not stated"}]

    @pytest.mark.parametrize(
        ("value", "expected"), [("0.125 mL", "0.125 mL"), (Decimal("1.125"), "1.125 mL")]
    )
    def test_a_point_that_can_only_mark_decimals_is_taken(self, value: Any, expected: str) -> None:
        product, comments = product_of("Volume (mL)", value)

        assert (product["part"][0]["volume"], comments) == (expected, "")

    @pytest.mark.parametrize("value", [0, 17, "00000000000000", 5060139000000, "5060139000000"])
    def test_a_trade_item_number_that_lost_digits_is_not_taken(self, value: Any) -> None:
        product, comments = product_of("EAN", value)

        assert "gtin" not in product
        assert "GTIN" in comments or "ends in zeros" in comments

    def test_a_reference_that_lost_its_zeros_is_to_be_looked_at(self) -> None:
        draft, _tables = draft_of(("Ref", "Name"), ("001", "One"), (2, "Two"))

        assert [flag.message for flag in draft.flags] == [
            "Prices!A3 'Ref' '2': stands as a number, others begin with 0: has it lost its leading zeros?"
        ]

    def test_a_mass_in_a_presentation_is_taken_of_powders_only(self) -> None:
        draft, tables = draft_of(
            ("Ref", "Name", "Presentation", "Form"),
            ("A-1", "One", "10 vials x 500 mg", "powder"),
            ("A-2", "Two", "10 vials x 500 mg", "solution"),
        )
        powder, solution = (product["part"][0] for product in tables["product"])

        assert powder["mass"] == "500 mg"
        assert "mass" not in solution
        assert [flag.code for flag in draft.flags] == ["mass"]

    def test_a_cell_that_is_not_taken_is_kept_to_its_last_letter(self) -> None:
        value = "; ".join(f"substance {number} {number} mg/mL" for number in range(1, 30))
        draft, _tables = draft_of(("Ref", "Name", "Composition"), ("A-1", "One", value))

        assert f"# in full, 'Composition': '{value}'" in draft.text.splitlines()
        assert f"'{value[:70]}…'" in draft.flags[0].message

    def test_a_blank_cell_is_not_called_none(self) -> None:
        draft, _tables = draft_of(
            ("Ref", "Name", "Form"),
            ("TITLE", Cell(None, 2, 2, is_merged=True), Cell(None, 2, 3, is_formula=True)),
        )

        assert "None" not in draft.text

    def test_no_name_column_is_refused_with_the_headings(self) -> None:
        with pytest.raises(GridError, match="--map"):
            draft_of(("Ref", "Volume"), ("A-1", "5 mL"))

    def test_a_table_without_rows_is_refused(self) -> None:
        with pytest.raises(GridError, match="no row below"):
            draft_of(("Ref", "Name"))


HEADINGS = (
    "Ref",
    "Name",
    "Presentation",
    "Volume (mL)",
    "Composition",
    "EAN",
    "Route",
    "Storage",
    "Form",
    "Price",
)
values = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-3, 2000),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-5, max_value=10**6),
    st.dates(),
    st.sampled_from(
        (
            "10 x 5 ml",
            "zinc gluconate 1 mg/mL",
            "powder",
            "gel",
            "2-8 °C",
            "ID",
            "5060131261973",
            '"""',
            "\\",
            "#",
        )
    ),
)
cells = st.builds(lambda value, kind: (value, kind), values, st.sampled_from(("", "", "", "f", "m", "e")))


@given(st.lists(st.lists(cells, min_size=2, max_size=len(HEADINGS)), min_size=1, max_size=4), st.booleans())
def test_whatever_a_table_holds_the_file_is_a_catalogue_whose_problems_it_says(
    rows: list[list[tuple[Any, str]]], with_source: bool
) -> None:
    made = [
        [
            Cell(value, row, column, is_formula=kind == "f", is_merged=kind == "m", is_error=kind == "e")
            for column, (value, kind) in enumerate(values, start=1)
        ]
        for row, values in enumerate(rows, start=2)
    ]
    try:
        draft, _tables = draft_of(HEADINGS, *made, source=LIST if with_source else None)
    except GridError as err:
        assume(err.problems[0].code != "empty")
        raise
    formulary = formulary_of()
    parsed = parse(draft.text.encode(), "acme.toml")
    assert isinstance(parsed, CatalogueFile)
    formulary.add_file(parsed)
    for problem in formulary.check([parsed]):
        if problem.path == "acme.toml":
            assert f"# to do: [{problem.code}] {problem.message}" in draft.text
