"""What a session takes: lines, volumes, losses, containers, doses. Expected figures are worked by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Context, Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs
import pytest

from mesoformula import (
    AmountKind,
    Dose,
    Formula,
    FormulaError,
    Formulary,
    Keep,
    Line,
    Product,
    Session,
    SessionQuantities,
    Severity,
    parse_quantity,
    parse_strength,
    quantities_in,
    registry,
    show,
    unit,
)
from mesoformula.catalogue.files import CatalogueFile, parse
from mesoformula_quantities.answer import work_out

#: Fictional throughout, with figures that are easy to follow by hand.
SHELF = Path(__file__).parents[1] / "data" / "fictional-products.toml"


def read(text: str) -> CatalogueFile:
    parsed = parse(dedent(text).encode(), "made-up.toml")
    assert isinstance(parsed, CatalogueFile), parsed
    return parsed


@pytest.fixture(scope="module")
def shelf() -> Formulary:
    made = Formulary()
    made.add_catalogue(SHELF)
    assert made.check() == ()
    for product in made_in_code(made):
        made.add_record("product", product, "made up")
    return made


def made_in_code(shelf: Formulary) -> tuple[Product, ...]:
    """Products that say too little for a catalogue; those that plugins make pass no catalogue's checks."""
    saline, powder = shelf.product("acme/saline"), shelf.product("acme/added")
    return (
        attrs.evolve(saline, sku="endless", in_use_period=None),
        attrs.evolve(powder, sku="bare", parts=(attrs.evolve(powder.parts[0], reconstitution=None),)),
    )


def lines_of(*lines: str, total: str | None = None) -> Formula:
    """Make a formula as a file would say it: `acme/vitamin-c volume=2 mL`."""
    quantities = {"volume", "dose", "fill_to", "make_up_to"}
    made = []
    for text in lines:
        product, *pairs = text.split(" | ")
        given: dict[str, Any] = {}
        for pair in pairs:
            key, _is, value = pair.partition("=")
            if key in quantities:
                given[key] = parse_quantity(value)
            elif key == "concentration":
                given[key] = parse_strength(value)
            else:
                given[key] = int(value) if value.isdigit() else value
        made.append(Line(f"acme/{product}", **given))
    return Formula(
        "made-up",
        "Made up",
        tuple(made),
        total=None if total is None else parse_quantity(total),
        teaching=True,
    )


Ask = Callable[..., SessionQuantities]


@pytest.fixture
def ask(shelf: Formulary) -> Ask:
    def ask(*lines: str, total: str | None = None, **session: Any) -> SessionQuantities:
        for key in ("volume", "area", "points_per_area", "volume_per_point"):
            if isinstance(session.get(key), str):
                session[key] = parse_quantity(session[key])
        for key in ("technique", "syringe", "measuring_syringe", "needle"):
            if isinstance(session.get(key), str):
                finder = "syringe" if key.endswith("syringe") else key
                session[key] = getattr(shelf, finder)(session[key])
        return work_out(Session(lines_of(*lines, total=total), **session), shelf)

    return ask


@pytest.fixture
def refused(ask: Ask) -> Callable[..., list[tuple[str, tuple[str | int, ...]]]]:
    """Ask for what cannot be, and return code and place of every reason."""

    def refused(*lines: str, says: str = "", **session: Any) -> list[tuple[str, tuple[str | int, ...]]]:
        with pytest.raises(FormulaError) as caught:
            ask(*lines, **session)
        assert says in str(caught.value)
        return [(problem.code, problem.where) for problem in caught.value.problems]

    return refused


Refused = Callable[..., list[tuple[str, tuple[str | int, ...]]]]


def volumes(answer: SessionQuantities) -> list[str]:
    return [shown(line.volume) for line in answer.lines]


def shown(value: Any) -> str:
    """Write a quantity to ten digits, so that thirds can be written down too."""
    return show(type(value)(Context(prec=10).plus(value.magnitude), value.units))


def dose(answer: SessionQuantities, substance: str, *, moiety: bool = False, unit: str = "") -> Dose:
    found = [
        item
        for item in answer.doses
        if (item.substance, item.as_moiety) == (substance, moiety)
        and (not unit or (item.dose.low is not None and show(item.dose.low).endswith(f" {unit}")))
    ]
    assert len(found) == 1, [item.substance for item in answer.doses]
    return found[0]


def stated(answer: SessionQuantities, substance: str, **how: Any) -> str:
    """The amount injected, which must be stated and have no range."""
    amount = dose(answer, substance, **how).dose
    assert amount.kind is AmountKind.STATED
    assert amount.low is not None
    assert amount.low is amount.high
    return shown(amount.low)


def text_of(answer: SessionQuantities) -> str:
    return "\n".join(f"{step.subject}: {step.text}" for step in answer.working())


def codes(answer: SessionQuantities) -> list[tuple[str, Severity, str]]:
    return [(finding.code, finding.severity, finding.subject) for finding in answer.findings]


class TestLines:
    def test_a_volume_is_taken_as_it_stands(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=2 mL")

        assert volumes(answer) == ["2 mL"]
        assert stated(answer, "ascorbic-acid") == "200 mg"

    def test_containers_are_taken_whole(self, ask: Ask) -> None:
        answer = ask("vitamin-c | containers=3")

        assert volumes(answer) == ["15 mL"]
        assert stated(answer, "ascorbic-acid") == "1500 mg"

    def test_a_dose_is_drawn_by_the_strength_of_its_product(self, ask: Ask) -> None:
        answer = ask("vitamin-c | dose=250 mg | substance=ascorbic-acid", "saline | volume=7.5 mL")

        assert volumes(answer) == ["2.5 mL", "7.5 mL"]
        assert stated(answer, "ascorbic-acid") == "250 mg"

    def test_a_dose_may_be_of_a_moiety_of_what_the_product_holds(self, ask: Ask) -> None:
        """113 mg/mL sodium ascorbate is 113 × 176.124 ÷ 198.105769 = 100.4615 mg/mL ascorbic acid."""
        answer = ask("sodium-c | dose=100.4615 mg | substance=ascorbic-acid")

        assert abs(answer.lines[0].volume.magnitude - 1) < Decimal("1e-5")

    def test_a_dose_of_a_moiety_counts_every_form_that_the_product_holds(self, ask: Ask) -> None:
        """A tenth of a mmol of sodium ascorbate is 17.6124 mg ascorbic acid: with 82.3876 mg, 100 mg/mL."""
        assert volumes(ask("two-forms | dose=50 mg | substance=ascorbic-acid")) == ["0.5 mL"]

    def test_a_dose_in_mol_goes_through_the_molar_mass(self, ask: Ask) -> None:
        """1 mmol of ascorbic acid, 176.124 g/mol, is 1.76124 mL of 100 mg/mL."""
        assert volumes(ask("vitamin-c | dose=1 mmol | substance=ascorbic-acid")) == ["1.76124 mL"]

    def test_a_diluent_fills_up_to_the_total(self, ask: Ask) -> None:
        assert volumes(ask("vitamin-c | volume=2 mL", "saline | fill_to=10 mL")) == ["2 mL", "8 mL"]

    def test_parts_share_what_the_other_lines_leave_of_the_total(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=1 mL", "saline | parts=2", "water | parts=1", total="10 mL")

        assert volumes(answer) == ["1 mL", "6 mL", "3 mL"]

    def test_a_formula_of_parts_alone_takes_its_size_from_the_session(self, ask: Ask) -> None:
        answer = ask("vitamin-c | parts=2", "saline | parts=1", volume="9 mL")

        assert volumes(answer) == ["6 mL", "3 mL"]

    def test_a_concentration_counts_what_every_line_brings(self, ask: Ask) -> None:
        """Sodium ascorbate counts too: 10 mL at 20 mg/mL need 200 mg, of which 1 mL brings 100.4615…"""
        answer = ask(
            "vitamin-c | concentration=20 mg/mL | substance=ascorbic-acid",
            "sodium-c | volume=1 mL",
            "saline | fill_to=10 mL",
        )

        assert abs(answer.lines[0].volume.magnitude - Decimal("0.995385")) < Decimal("1e-6")
        amount = dose(answer, "ascorbic-acid", moiety=True).concentration
        assert amount.kind is AmountKind.STATED
        assert shown(amount.low) == "20 mg/mL"

    def test_a_concentration_needs_no_total_if_the_rest_has_a_volume(self, ask: Ask) -> None:
        """x mL of 100 mg/mL in 4 mL + x at 20 mg/mL: 100 x = 80 + 20 x, x = 1."""
        answer = ask("vitamin-c | concentration=20 mg/mL | substance=ascorbic-acid", "saline | volume=4 mL")

        assert volumes(answer) == ["1 mL", "4 mL"]

    def test_all_five_kinds_go_together(self, ask: Ask) -> None:
        """Thirds holds 40/3 mg/mL biotin: 1 mg/mL in 25 mL takes 25 ÷ (40/3) = 1.875 mL."""
        answer = ask(
            "vitamin-c | containers=1",
            "sodium-c | volume=1 mL",
            "single | dose=2.5 mg | substance=glycine",
            "thirds | concentration=1 mg/mL | substance=biotin",
            "saline | fill_to=25 mL",
        )

        assert volumes(answer) == ["5 mL", "1 mL", "0.25 mL", "1.875 mL", "16.875 mL"]
        assert stated(answer, "biotin") == "25 mg"
        assert stated(answer, "glycine") == "2.5 mg"

    def test_the_same_product_may_stand_in_two_lines(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=1 mL", "vitamin-c | dose=50 mg | substance=ascorbic-acid")

        assert volumes(answer) == ["1 mL", "0.5 mL"]
        assert stated(answer, "ascorbic-acid") == "150 mg"


class TestRefusedLines:
    def test_a_total_that_the_lines_overrun(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | volume=12 mL",
            "saline | fill_to=10 mL",
            says="line 2 (acme/saline): the other lines take 12 mL of 10 mL",
        )

        assert found == [("total", ("line", 1))]

    def test_a_total_that_leaves_just_nothing_for_the_diluent(self, refused: Refused) -> None:
        assert refused("vitamin-c | volume=10 mL", "saline | fill_to=10 mL") == [("total", ("line", 1))]

    def test_volumes_that_do_not_add_up_to_the_total(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | volume=2 mL", "saline | volume=3 mL", total="6 mL", says="its total of 6 mL"
        )

        assert found == [("total", ("total",))]

    def test_parts_beside_other_lines_without_a_total(self, refused: Refused) -> None:
        found = refused("vitamin-c | volume=2 mL", "saline | parts=3", says="need a total")

        assert found == [("total", ("line", 1))]

    def test_parts_and_fill_to_both_taking_the_rest(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | parts=1", "saline | fill_to=5 mL", says="both take what the other lines leave"
        )

        assert found == [("line", ("line", 0))]

    def test_two_lines_that_fill_up(self, refused: Refused) -> None:
        found = refused("water | fill_to=5 mL", "saline | fill_to=5 mL", says="a second line with fill_to")

        assert found == [("line", ("line", 1))]

    def test_a_total_beside_a_line_that_fills_up(self, refused: Refused) -> None:
        assert refused("vitamin-c | volume=1 mL", "saline | fill_to=5 mL", total="6 mL") == [
            ("total", ("total",))
        ]

    def test_a_formula_without_lines(self, refused: Refused) -> None:
        assert refused() == [("line", ("line",))]

    def test_a_line_that_says_twice_how_much(self, refused: Refused) -> None:
        """A formula made in code has passed no catalogue check."""
        assert refused("vitamin-c | volume=1 mL | containers=2") == [("line", ("line", 0))]

    def test_a_line_that_does_not_say_how_much(self, refused: Refused) -> None:
        assert refused("vitamin-c", "saline | volume=1 mL") == [("line", ("line", 0))]

    def test_a_dose_of_nobody_knows_what(self, refused: Refused) -> None:
        assert refused("vitamin-c | dose=5 mg", says="dose of what?") == [("line", ("line", 0))]

    @pytest.mark.parametrize("wish", ["volume=0 mL", "containers=0", "parts=0", "fill_to=0 mL"])
    def test_a_line_that_takes_nothing(self, refused: Refused, wish: str) -> None:
        found = refused(
            f"vitamin-c | {wish}", "water | volume=1 mL", total=None if "fill" in wish else "1 mL"
        )

        assert ("line", 0) in [where for _code, where in found]

    def test_a_dose_of_an_undisclosed_amount(self, refused: Refused) -> None:
        found = refused(
            "saline | volume=1 mL",
            "secret | dose=5 mg | substance=ascorbic-acid",
            says="line 2 (acme/secret): a dose of ascorbic-acid cannot be drawn from it: "
            "Secret lists it without an amount",
        )

        assert found == [("undisclosed", ("line", 1))]

    def test_a_dose_that_sources_disagree_on(self, refused: Refused) -> None:
        found = refused(
            "disputed | dose=5 mg | substance=ascorbic-acid",
            says="10 mg/mL (IFU: made up leaflet) / 25 mg/mL (DIST: made up shop)",
        )

        assert found == [("disputed", ("line", 0))]

    def test_a_dose_of_what_the_product_does_not_hold(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | dose=5 mg | substance=biotin", says="holds no biotin; it holds ascorbic-acid"
        )

        assert found == [("substance", ("line", 0))]

    def test_a_dose_of_an_unknown_substance(self, refused: Refused) -> None:
        found = refused("vitamin-c | dose=5 mg | substance=ascorbic-acit", says="did you mean ascorbic-acid")

        assert found == [("substance", ("line", 0))]

    def test_a_dose_in_equivalents_without_an_ion(self, refused: Refused) -> None:
        assert refused("vitamin-c | dose=5 mEq | substance=ascorbic-acid") == [("dose", ("line", 0))]

    def test_a_dose_by_mass_of_what_is_only_known_in_units_of_activity(self, refused: Refused) -> None:
        found = refused(
            "units | dose=5 mg | substance=enzyme", says="stated in IU, which cannot be told in mg"
        )

        assert found == [("undisclosed", ("line", 0))]

    @pytest.mark.parametrize("wish", ["100 mg/mL", "101 mg/mL", "12 % w/v"])
    def test_a_concentration_not_below_the_products_own(self, refused: Refused, wish: str) -> None:
        found = refused(
            f"vitamin-c | concentration={wish} | substance=ascorbic-acid",
            "saline | fill_to=10 mL",
            says="is not below the product's own 100 mg/mL",
        )

        assert found == [("concentration", ("line", 0))]

    @pytest.mark.parametrize(("other", "why"), [("secret", "undisclosed"), ("disputed", "disputed")])
    def test_a_concentration_that_another_line_makes_unknown(
        self, refused: Refused, other: str, why: str
    ) -> None:
        found = refused(
            f"{other} | volume=1 mL",
            "vitamin-c | concentration=5 mg/mL | substance=ascorbic-acid",
            "saline | fill_to=10 mL",
            says=f"line 2 (acme/vitamin-c): 5 mg/mL of ascorbic-acid in the mixture cannot be met: "
            f"line 1 (acme/{other}) holds it too",
        )

        assert found == [(why, ("line", 1))]

    def test_a_concentration_that_an_unnamed_vitamin_may_raise(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | concentration=5 mg/mL | substance=ascorbic-acid",
            "vague | volume=1 mL",
            "saline | fill_to=10 mL",
            says="line 2 (acme/vague)",
        )

        assert found == [("undisclosed", ("line", 0))]

    def test_a_concentration_that_another_line_states_in_another_unit(self, refused: Refused) -> None:
        """The enzyme's units have no mass: what they bring cannot be counted, and is not nothing."""
        found = refused(
            "retinol-mg | concentration=0.5 mg/mL | substance=enzyme",
            "units | volume=1 mL",
            "saline | fill_to=10 mL",
        )

        assert found == [("undisclosed", ("line", 0))]

    def test_a_concentration_that_the_other_lines_exceed(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | volume=5 mL",
            "sodium-c | concentration=10 mg/mL | substance=ascorbic-acid",
            "saline | fill_to=10 mL",
        )

        assert found == [("concentration", ("line", 1))]

    def test_two_concentrations_of_one_substance(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | concentration=10 mg/mL | substance=ascorbic-acid",
            "vitamin-c | concentration=20 mg/mL | substance=ascorbic-acid",
            "saline | fill_to=10 mL",
            says="line 1 says already",
        )

        assert found == [("concentration", ("line", 1))]

    def test_a_concentration_per_mass(self, refused: Refused) -> None:
        assert refused(
            "vitamin-c | concentration=10 mg/g | substance=ascorbic-acid", "saline | fill_to=10 mL"
        ) == [("basis", ("line", 0))]

    def test_concentrations_without_any_volume(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | concentration=10 mg/mL | substance=ascorbic-acid",
            "thirds | concentration=1 mg/mL | substance=biotin",
            says="do not settle how much there is",
        )

        assert found == [("total", ())]

    def test_an_unknown_product(self, refused: Refused) -> None:
        found = refused("vitamin-d | volume=1 mL", "saline | volume=1 mL", says="did you mean acme/vitamin-c")

        assert found == [("product", ("line", 0))]

    def test_every_line_that_is_wrong_is_named_at_once(self, refused: Refused) -> None:
        found = refused("nothing | volume=1 mL", "bare | volume=1 mL", "saline | volume=1 mL")

        assert found == [("product", ("line", 0)), ("no-volume", ("line", 1))]

    def test_a_product_of_unknown_size(self, refused: Refused) -> None:
        assert refused("sizeless | volume=1 mL", says="how much it holds is not stated") == [
            ("no-volume", ("line", 0))
        ]

    def test_a_volume_below_half_a_graduation(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | volume=0.004 mL",
            "saline | volume=3 mL",
            says="0.004 mL is less than half a graduation of 1 mL syringe (0.01 mL)",
        )

        assert found == [("unmeasurable", ("line", 0))]


class TestSession:
    def test_the_formula_as_written_when_nothing_is_asked(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=2 mL", "saline | fill_to=10 mL")

        assert (show(answer.injected), show(answer.lost), show(answer.prepared)) == ("10 mL", "0 mL", "10 mL")
        assert (answer.points, answer.volume_per_point, answer.syringes) == (None, None, None)

    def test_a_volume_scales_every_line(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=2 mL", "saline | fill_to=10 mL", volume="25 mL")

        assert volumes(answer) == ["5 mL", "20 mL"]
        assert stated(answer, "ascorbic-acid") == "500 mg"

    def test_area_times_points_per_area_times_volume_per_point(self, ask: Ask) -> None:
        """25 cm² × 2 points/cm² × 0.05 mL = 2.5 mL."""
        answer = ask(
            "vitamin-c | parts=1",
            area="25 cm²",
            points_per_area=parse_quantity("2 point/cm²"),
            volume_per_point="0.05 mL",
        )

        assert (answer.points, show(answer.injected)) == (50, "2.5 mL")
        assert answer.volume_per_point is not None
        assert show(answer.volume_per_point) == "0.05 mL"

    def test_points_are_rounded_up(self, ask: Ask) -> None:
        """The technique's 1.5 points/cm² on 15 cm² are 22.5, so 23 points of 0.02 mL."""
        answer = ask("vitamin-c | parts=1", area="15 cm²", technique="grid")

        assert (answer.points, show(answer.injected)) == (23, "0.46 mL")
        assert "15 cm² × 1.5 point/cm² (Grid; PR: made up) = 22.5, rounded up to 23" in text_of(answer)

    def test_what_is_asked_overrides_the_technique(self, ask: Ask) -> None:
        answer = ask(
            "vitamin-c | parts=1",
            area="10 cm²",
            technique="grid",
            points_per_area="3 point/cm²",
            volume_per_point="0.1 mL",
        )

        assert (answer.points, show(answer.injected)) == (30, "3 mL")

    def test_points_times_volume_per_point(self, ask: Ask) -> None:
        assert show(ask("vitamin-c | parts=1", points=40, volume_per_point="0.1 mL").injected) == "4 mL"

    def test_volume_and_points_give_the_volume_per_point(self, ask: Ask) -> None:
        answer = ask("vitamin-c | parts=1", volume="3 mL", points=40, technique="loose")

        assert answer.volume_per_point is not None
        assert show(answer.volume_per_point) == "0.075 mL"

    def test_volume_and_area_give_the_volume_per_point(self, ask: Ask) -> None:
        answer = ask("vitamin-c | parts=1", volume="3 mL", area="20 cm²", technique="grid")

        assert answer.points == 30
        assert answer.volume_per_point is not None
        assert show(answer.volume_per_point) == "0.1 mL"

    @pytest.mark.parametrize(
        ("wish", "says"),
        [
            ({"points": 10, "area": "5 cm²"}, "points and area say the same thing twice"),
            (
                {"points": 10, "volume": "3 mL", "volume_per_point": "0.1 mL"},
                "volume, points and volume per point say the same thing twice",
            ),
            (
                {"area": "5 cm²", "technique": "grid", "volume": "3 mL", "volume_per_point": "0.1 mL"},
                "volume, points and volume per point say the same thing twice",
            ),
            ({"points": 10, "points_per_area": "1 point/cm²"}, "points per area need an area"),
            ({"points_per_area": "1 point/cm²"}, "points per area need an area"),
            ({"points": 10}, "how much goes into each point is missing; give"),
            ({"area": "5 cm²"}, "an area needs the points per area"),
            ({"area": "5 cm²", "technique": "loose"}, "an area needs the points per area"),
            ({"volume_per_point": "0.1 mL"}, "a volume per point needs a number of points, or an area"),
            ({"points": 0, "volume_per_point": "0.1 mL"}, "0 points; expected at least 1"),
            ({"volume": "0 mL"}, "volume 0 mL; expected one above 0"),
            ({"points": 5, "volume_per_point": "0 mL"}, "volume per point 0 mL; expected one above 0"),
            ({"area": "0 cm²", "technique": "grid"}, "area 0 cm²; expected one above 0"),
        ],
    )
    def test_too_much_or_too_little_said_is_refused(
        self, refused: Refused, wish: dict[str, Any], says: str
    ) -> None:
        assert refused("vitamin-c | volume=1 mL", says=says, **wish) == [("session", ())]

    def test_a_published_range_per_point_is_refused_with_both_ends(self, refused: Refused) -> None:
        found = refused(
            "vitamin-c | parts=1",
            points=10,
            technique="loose",
            says="Loose is published with 0.02 mL to 0.05 mL per point; choose one with --volume-per-point",
        )

        assert found == [("session", ())]

    def test_parts_without_any_size_are_refused(self, refused: Refused) -> None:
        found = refused("vitamin-c | parts=1", "saline | parts=2", says="has no size of its own")

        assert found == [("session", ())]


class TestLosses:
    def test_each_syringe_and_its_needle_keep_something_back(self, ask: Ask) -> None:
        """2.5 mL fill three syringes of 1 mL; each keeps 0.05 + 0.02 mL: 0.21 mL more to prepare."""
        answer = ask("vitamin-c | volume=1 mL", volume="2.5 mL", syringe="one", needle="fine")

        assert answer.syringes == 3
        assert (show(answer.injected), show(answer.lost)) == ("2.5 mL", "0.21 mL")
        assert show(answer.prepared) == "2.71 mL"
        assert stated(answer, "ascorbic-acid") == "250 mg"
        prepared = dose(answer, "ascorbic-acid").prepared.low
        assert shown(prepared) == "271 mg"
        assert answer.findings == ()

    def test_the_formula_as_written_loses_from_what_it_makes(self, ask: Ask) -> None:
        """2.1 mL fill two syringes of 1.05 mL, marks and dead space, to the last drop."""
        answer = ask("vitamin-c | volume=2.1 mL", syringe="one")

        assert (answer.syringes, show(answer.lost), show(answer.injected)) == (2, "0.1 mL", "2 mL")
        assert show(answer.prepared) == "2.1 mL"

    def test_asking_for_what_the_formula_as_written_injects_gives_the_formula(self, ask: Ask) -> None:
        whole = ask("vitamin-c | volume=2.6 mL", syringe="one", needle="fine")
        again = ask("vitamin-c | volume=2.6 mL", syringe="one", needle="fine", volume=whole.injected)

        assert (again.syringes, again.prepared, again.lost) == (whole.syringes, whole.prepared, whole.lost)

    def test_a_rest_that_another_syringe_would_keep_whole_is_lost(self, ask: Ask) -> None:
        """1.08 mL: one syringe takes 1.05, and 0.03 mL would all stay in a second."""
        answer = ask("vitamin-c | volume=1.08 mL", syringe="one")

        assert (answer.syringes, show(answer.injected), show(answer.lost)) == (1, "1 mL", "0.08 mL")
        assert "0.03 mL, too little for another syringe" in text_of(answer)

    def test_a_rest_of_just_what_a_syringe_keeps_fills_none(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=1.1 mL", syringe="one")

        assert (answer.syringes, show(answer.injected), show(answer.lost)) == (1, "1 mL", "0.1 mL")

    def test_a_formula_that_stays_in_the_syringe_whole_is_refused(self, refused: Refused) -> None:
        assert refused("vitamin-c | volume=0.05 mL", syringe="one", says="would stay") == [("session", ())]

    @pytest.mark.parametrize(
        ("named", "says"),
        [
            ({}, "neither syringe nor needle is named"),
            ({"syringe": "one"}, "no needle is named"),
            ({"needle": "fine"}, "no syringe is named"),
            ({"syringe": "five", "needle": "fine"}, "the dead volume of 5 mL syringe is not stated"),
        ],
    )
    def test_losses_that_are_not_known_are_unchecked(
        self, ask: Ask, named: dict[str, str], says: str
    ) -> None:
        answer = ask("vitamin-c | volume=2 mL", volume="2 mL", **named)

        assert codes(answer) == [("losses-not-counted", Severity.UNCHECKED, "made-up")]
        assert says in answer.findings[0].message

    def test_a_needle_on_a_syringe_of_unknown_dead_volume_still_counts(self, ask: Ask) -> None:
        answer = ask("vitamin-c | volume=2 mL", volume="8 mL", syringe="five", needle="fine")

        assert (answer.syringes, show(answer.lost)) == (2, "0.04 mL")


class TestContainersAndSyringes:
    def test_containers_round_up_and_the_rest_is_told(self, ask: Ask) -> None:
        (line,) = ask("vitamin-c | volume=12 mL").lines

        assert (line.containers, show(line.left)) == (3, "3 mL")

    def test_whole_containers_leave_nothing(self, ask: Ask) -> None:
        (line,) = ask("vitamin-c | containers=2").lines

        assert (line.containers, line.left.magnitude, line.keep) == (2, 0, Keep.NOTHING_LEFT)

    def test_a_dose_that_is_a_whole_container_opens_one(self, ask: Ask) -> None:
        """40 mg in 3 mL is 13.333… mg/mL, which no Decimal holds: 40 mg are one vial all the same."""
        (line,) = ask("thirds | dose=40 mg | substance=biotin").lines

        assert (line.containers, shown(line.volume), line.keep) == (1, "3 mL", Keep.NOTHING_LEFT)

    def test_thirds_that_scale_to_whole_containers_open_no_more(self, ask: Ask) -> None:
        """2 of 3 parts of 7.5 mL are one ampoule of 5 mL, and 1 of 6 parts of 54 mL is 9 mL."""
        line = ask("vitamin-c | parts=2", "water | parts=1", volume="7.5 mL").lines[0]
        assert (line.containers, line.left.magnitude) == (1, 0)

        line = ask("thirds | parts=1", "water | parts=5", volume="54 mL").lines[0]
        assert (line.containers, show(line.volume), line.left.magnitude) == (3, "9 mL", 0)

    def test_a_density_that_leaves_no_whole_volume_still_counts_whole_containers(self, ask: Ask) -> None:
        """3 g at 1.2 g/mL are 2.5 mL."""
        (line,) = ask("pair-unsaid | part=gel | containers=3").lines

        assert (line.containers, show(line.volume), line.left.magnitude) == (3, "7.5 mL", 0)

    def test_rounding_up_on_the_syringe_opens_no_further_container(self, ask: Ask) -> None:
        """1.7 mL on a scale of 0.2 mL would read 1.8 mL, more than there is: all of the ampoule is drawn."""
        (line,) = ask("single | containers=1", measuring_syringe="five").lines

        assert (line.measured_with, line.measured, line.error) == (None, None, None)
        assert (show(line.volume), line.containers, line.left.magnitude) == ("1.7 mL", 1, 0)

    def test_a_noticeable_measuring_error_is_pointed_out(self, ask: Ask) -> None:
        """0.006 mL reads 0.01 mL on a scale of 0.01 mL: two thirds more."""
        answer = ask("single | volume=0.006 mL", measuring_syringe="one")
        (finding,) = [one for one in answer.findings if one.code == "measuring-error"]

        assert finding.severity is Severity.WARN
        assert "0.01 mL" in finding.message
        assert "+67 %" in finding.message

    def test_a_small_measuring_error_is_only_shown(self, ask: Ask) -> None:
        answer = ask("single | volume=1.004 mL", measuring_syringe="one")

        assert not [one for one in answer.findings if one.code == "measuring-error"]

    def test_so_many_containers_are_taken_for_a_slip(
        self, refused: Callable[..., list[tuple[str, tuple[str | int, ...]]]]
    ) -> None:
        found = refused("single | containers=1", volume="100000 mL", says="is the volume right?")

        assert found == [("containers", ("line", 0))]

    @pytest.mark.parametrize(
        ("product", "keep", "how_long"),
        [
            ("single", Keep.DISCARD, None),
            ("vitamin-c", Keep.DISCARD, None),  # not stated counts as single
            ("unsaid", Keep.DISCARD, None),  # so it does with a period that may be for something else
            ("endless", Keep.DISCARD, None),  # multi-dose without an in-use period
            ("saline", Keep.MAY_BE_KEPT, "28 d"),
        ],
    )
    def test_only_a_multi_dose_container_with_a_period_may_be_kept(
        self, ask: Ask, product: str, keep: Keep, how_long: str | None
    ) -> None:
        (line,) = ask(f"{product} | volume=1 mL").lines

        assert line.keep is keep
        assert (line.keep_for and show(line.keep_for)) == how_long

    def test_the_smallest_syringe_that_holds_a_volume_measures_it(self, ask: Ask) -> None:
        small, large = ask("vitamin-c | volume=1 mL", "saline | volume=1.004 mL").lines

        assert small.measured_with is not None
        assert large.measured_with is not None
        assert (small.measured_with.id, large.measured_with.id) == ("one", "five")

    def test_the_largest_syringe_measures_what_none_holds(self, ask: Ask) -> None:
        (line,) = ask("saline | volume=7.07 mL").lines

        assert line.measured is not None
        assert line.error is not None
        assert (show(line.measured), show(line.error)) == ("7 mL", "-0.07 mL")

    @pytest.mark.parametrize(
        ("volume", "measured", "error"),
        [
            ("0.125 mL", "0.13 mL", "0.005 mL"),
            ("0.1249 mL", "0.12 mL", "-0.0049 mL"),
            ("0.005 mL", "0.01 mL", "0.005 mL"),
            ("0.13 mL", "0.13 mL", "0 mL"),
        ],
    )
    def test_volumes_are_rounded_half_up_to_a_graduation(
        self, ask: Ask, volume: str, measured: str, error: str
    ) -> None:
        (line,) = ask(f"vitamin-c | volume={volume}").lines

        assert line.measured is not None
        assert line.error is not None
        assert (show(line.volume), show(line.measured), show(line.error)) == (volume, measured, error)

    def test_a_syringe_named_for_measuring_measures(self, ask: Ask) -> None:
        (line,) = ask("vitamin-c | volume=0.5 mL", syringe="one", measuring_syringe="five").lines

        assert line.measured_with is not None
        assert line.measured_with.id == "five"

    def test_without_any_syringe_only_the_exact_volume_is_told(self) -> None:
        without = Formulary()
        text = SHELF.read_text(encoding="utf-8")
        start, end = text.index("[[syringe]]"), text.index("[[needle]]")
        without.add_file(read(text[:start] + text[end:]))

        (line,) = work_out(Session(lines_of("vitamin-c | volume=0.0001 mL")), without).lines

        assert (line.measured_with, line.measured, line.error) == (None, None, None)
        assert show(line.volume) == "0.0001 mL"


class TestPowders:
    def test_adding_makes_more_than_was_added(self, ask: Ask) -> None:
        """5 mL added to a powder that takes up 0.25 mL: 5.25 mL of 420 ÷ 5.25 = 80 mg/mL."""
        answer = ask("added | volume=1 mL")
        (line,) = answer.lines

        assert stated(answer, "ascorbic-acid") == "80 mg"
        assert (line.containers, show(line.left)) == (1, "4.25 mL")
        assert line.reconstitution == "add 5 mL of Sodium chloride; the powder displaces 0.25 mL"

    def test_making_up_to_makes_just_that(self, ask: Ask) -> None:
        """Made up to 5 mL: 420 ÷ 5 = 84 mg/mL, 5 % more than after adding 5 mL."""
        answer = ask("made-up | volume=1 mL")
        (line,) = answer.lines

        assert stated(answer, "ascorbic-acid") == "84 mg"
        assert show(line.left) == "4 mL"
        assert line.reconstitution == "make up to 5 mL with the diluent; the powder displaces 0.25 mL"

    def test_the_volume_that_the_label_counts_is_counted(self, ask: Ask) -> None:
        answer = ask("labelled | containers=1")

        assert volumes(answer) == ["10 mL"]
        assert stated(answer, "ascorbic-acid") == "420 mg"

    def test_an_unknown_displacement_is_refused_and_the_way_out_named(self, refused: Refused) -> None:
        found = refused("silent | volume=1 mL", says="with make_up_to = '4 mL' or more")

        assert found == [("no-volume", ("line", 0))]

    def test_making_it_up_oneself_resolves_that(self, ask: Ask) -> None:
        answer = ask("silent | volume=1 mL | make_up_to=5 mL")

        assert stated(answer, "ascorbic-acid") == "120 mg"
        assert answer.lines[0].reconstitution == "make up to 5 mL with the diluent, measured"

    def test_a_strength_per_ml_is_of_the_solution_as_labelled(self, ask: Ask) -> None:
        """42 mg/mL when dissolved in 10 mL are 420 mg per vial, however much it is made up to."""
        answer = ask("labelled | containers=1 | make_up_to=20 mL")

        assert volumes(answer) == ["20 mL"]
        assert stated(answer, "ascorbic-acid") == "420 mg"

    def test_a_strength_per_ml_of_an_unknown_volume_is_not_known(self, ask: Ask) -> None:
        answer = ask("silent | volume=1 mL | make_up_to=5 mL")

        assert dose(answer, "biotin").dose.kind is AmountKind.UNDISCLOSED
        assert "1 mg/mL is of the solution" in (dose(answer, "biotin").note or "")

    def test_a_strength_per_mass_is_of_the_powder(self, ask: Ask) -> None:
        """5 % of 600 mg are 30 mg, in 5 mL."""
        assert stated(ask("silent | volume=1 mL | make_up_to=5 mL"), "glycine") == "6 mg"

    def test_a_powder_that_nobody_says_how_to_dissolve(self, ask: Ask, refused: Refused) -> None:
        assert refused("bare | containers=1", says="no source says how to dissolve it") == [
            ("no-volume", ("line", 0))
        ]
        assert stated(ask("bare | containers=1 | make_up_to=6 mL"), "ascorbic-acid") == "420 mg"

    def test_a_solution_is_not_made_up(self, refused: Refused) -> None:
        assert refused("vitamin-c | volume=1 mL | make_up_to=6 mL") == [("make-up-to", ("line", 0))]


class TestKits:
    def test_unequal_parts_are_mixed(self, ask: Ask) -> None:
        """5 mL and 2 mL make 7 mL: 3.5 mL hold half of each part's content."""
        answer = ask("pair | volume=3.5 mL")

        assert stated(answer, "biotin") == "3.5 mg"
        assert stated(answer, "ascorbic-acid") == "70 mg"
        assert (answer.lines[0].containers, show(answer.lines[0].left)) == (1, "3.5 mL")

    def test_kits_are_counted_as_wholes(self, ask: Ask) -> None:
        (line,) = ask("pair | containers=2").lines

        assert (show(line.volume), line.containers) == ("14 mL", 2)

    def test_a_kit_not_said_to_be_mixed_is_refused(self, refused: Refused) -> None:
        found = refused("pair-unsaid | volume=1 mL", says="part = 'gel' or 'drops'")

        assert found == [("kit", ("line", 0))]

    def test_one_part_of_it_may_be_named(self, ask: Ask) -> None:
        answer = ask("pair-unsaid | part=drops | volume=3 mL")
        (line,) = answer.lines

        assert (line.part, line.containers, show(line.left)) == ("drops", 2, "1 mL")
        assert stated(answer, "ascorbic-acid") == "30 mg"
        assert [item.substance for item in answer.doses] == ["ascorbic-acid", "glycine"]

    def test_what_may_be_in_either_part_is_not_nothing(self, ask: Ask) -> None:
        """The glycine of the whole kit is in the gel or in the drops; nobody says."""
        answer = ask("pair-unsaid | part=drops | volume=3 mL", "single | volume=1 mL")

        amount = dose(answer, "glycine").dose
        assert (amount.kind, shown(amount.low), amount.high) == (AmountKind.AT_LEAST, "10 mg", None)

    def test_an_unknown_part_is_refused(self, refused: Refused) -> None:
        assert refused("pair | part=middle | volume=1 mL", says="its parts: big, small") == [
            ("part", ("line", 0))
        ]

    def test_a_powder_is_dissolved_in_the_kits_own_liquid(self, ask: Ask) -> None:
        """Not 4.2 mL of solution and 4 mL of solvent: the solvent is in the solution."""
        answer = ask("with-solvent | containers=1")

        assert volumes(answer) == ["4.2 mL"]
        assert stated(answer, "ascorbic-acid") == "420 mg"

    def test_several_powders_share_the_liquid(self, ask: Ask) -> None:
        answer = ask("two-powders | containers=1")

        assert volumes(answer) == ["4.2 mL"]
        assert stated(answer, "ascorbic-acid") == "420 mg"

    def test_more_liquid_than_the_powder_needs_is_not_guessed_at(self, refused: Refused) -> None:
        found = refused(
            "mismatched | volume=1 mL", says="no source says how much of the liquid dissolves the powder"
        )

        assert found == [("kit", ("line", 0))]

    def test_making_up_needs_the_powder_named(self, ask: Ask, refused: Refused) -> None:
        assert refused("with-solvent | volume=1 mL | make_up_to=5 mL", says="part = 'powder'") == [
            ("part", ("line", 0))
        ]
        assert (
            stated(ask("with-solvent | part=powder | volume=1 mL | make_up_to=5 mL"), "ascorbic-acid")
            == "84 mg"
        )

    def test_a_kit_of_one_kind_needs_no_permission_to_mix(self, ask: Ask) -> None:
        answer = ask("two-of-a-kind | volume=1 mL")

        assert (answer.lines[0].containers, show(answer.lines[0].left)) == (1, "1 mL")
        assert stated(answer, "biotin") == "3 mg"


class TestStrengths:
    def test_per_container_and_per_volume(self, ask: Ask) -> None:
        assert stated(ask("sodium-c | volume=1 mL"), "sodium-ascorbate") == "113 mg"
        assert stated(ask("vitamin-c | volume=1 mL"), "ascorbic-acid") == "100 mg"

    def test_percent_weight_in_volume(self, ask: Ask) -> None:
        assert stated(ask("percent | volume=1 mL"), "biotin") == "2 mg"

    def test_per_mass_with_a_density(self, ask: Ask) -> None:
        """2 % of 1.05 g are 21 mg per mL."""
        assert stated(ask("percent | volume=1 mL"), "glycine") == "21 mg"

    def test_per_mass_of_what_is_sold_by_mass(self, ask: Ask) -> None:
        """3 g at 1.2 g/mL are 2.5 mL with 30 mg."""
        answer = ask("pair-unsaid | part=gel | containers=1")

        assert volumes(answer) == ["2.5 mL"]
        assert stated(answer, "biotin") == "30 mg"

    def test_per_mass_without_a_density_is_not_known(self, ask: Ask) -> None:
        answer = ask("gel | volume=1 mL")

        assert dose(answer, "biotin").dose.kind is AmountKind.UNDISCLOSED
        assert dose(answer, "biotin").note == "Gel: 10 mg/g is per mass, and the density is not stated"

    def test_volume_in_volume_stays_a_volume(self, ask: Ask) -> None:
        answer = ask("percent | volume=2 mL")

        assert stated(answer, "glycerol") == "0.1 mL"
        assert shown(dose(answer, "glycerol").concentration.low) == "50 mL/L"

    def test_amount_of_substance_goes_through_the_molar_mass(self, ask: Ask) -> None:
        assert stated(ask("percent | volume=1 mL"), "ascorbic-acid") == "352.248 mg"

    def test_amount_of_what_has_no_molar_mass_is_not_known(self, ask: Ask) -> None:
        answer = ask("percent | volume=1 mL")

        assert dose(answer, "enzyme").dose.low is None
        assert "Enzyme has no molar mass" in (dose(answer, "enzyme").note or "")

    def test_equivalents_without_an_ion_are_not_known(self, ask: Ask) -> None:
        assert "equivalents" in (dose(ask("percent | volume=1 mL"), "retinol").note or "")

    def test_international_units_with_a_factor_are_told_by_mass_too(self, ask: Ask) -> None:
        """1 IU of retinol is 0.3 µg."""
        answer = ask("units | volume=2 mL")

        assert stated(answer, "retinol", unit="IU") == "2000 IU"
        assert stated(answer, "retinol", unit="mg") == "0.6 mg"

    def test_a_mass_is_not_told_in_units_that_nobody_asked_for(self, ask: Ask) -> None:
        answer = ask("retinol-mg | volume=1 mL")

        assert [item.substance for item in answer.doses] == ["retinol", "enzyme"]
        assert stated(answer, "retinol") == "0.6 mg"

    def test_international_units_without_a_factor_stay_what_they_are(self, ask: Ask) -> None:
        assert stated(ask("units | volume=2 mL"), "enzyme") == "1500 IU"

    def test_a_specific_activity_belongs_to_its_product(self, ask: Ask) -> None:
        answer = ask("measured | volume=2 mL")

        assert stated(answer, "enzyme", unit="IU") == "200 IU"
        assert stated(answer, "enzyme", unit="mg") == "4 mg"

    def test_a_dose_may_be_asked_in_the_other_unit(self, ask: Ask) -> None:
        assert volumes(ask("units | dose=0.3 mg | substance=retinol")) == ["1 mL"]
        assert volumes(ask("retinol-mg | dose=2000 IU | substance=retinol")) == ["1 mL"]

    def test_units_and_masses_add_up_where_a_factor_is_known(self, ask: Ask) -> None:
        """1 mL of each: 1000 IU + 0.6 mg = 2000 IU, or 0.9 mg = 3000 IU."""
        answer = ask("units | volume=1 mL", "retinol-mg | volume=1 mL")

        assert stated(answer, "retinol", unit="IU") == "3000 IU"
        assert stated(answer, "retinol", unit="mg") == "0.9 mg"

    def test_units_and_masses_that_cannot_be_added_are_lower_ends_of_each_other(self, ask: Ask) -> None:
        """750 IU of the enzyme, and 2 mg of it: neither is all."""
        answer = ask("units | volume=1 mL", "retinol-mg | volume=1 mL")
        in_units, by_mass = (item.dose for item in answer.doses if item.substance == "enzyme")

        assert (in_units.kind, shown(in_units.low)) == (AmountKind.AT_LEAST, "750 IU")
        assert (by_mass.kind, shown(by_mass.low)) == (AmountKind.AT_LEAST, "2 mg")


class TestWhatIsNotKnown:
    def test_a_disputed_amount_becomes_a_range(self, ask: Ask) -> None:
        answer = ask("disputed | volume=2 mL", volume="4 mL")
        found = dose(answer, "ascorbic-acid")

        assert found.dose.kind is AmountKind.DISPUTED
        assert (shown(found.dose.low), shown(found.dose.high)) == ("40 mg", "100 mg")
        assert (shown(found.concentration.low), shown(found.concentration.high)) == ("10 mg/mL", "25 mg/mL")
        assert found.note == "Disputed: sources disagree"

    def test_a_range_and_a_stated_amount_add_up_to_a_range(self, ask: Ask) -> None:
        amount = dose(ask("disputed | volume=2 mL", "vitamin-c | volume=1 mL"), "ascorbic-acid").dose

        assert (amount.kind, shown(amount.low), shown(amount.high)) == (
            AmountKind.DISPUTED,
            "120 mg",
            "150 mg",
        )

    def test_an_undisclosed_amount_is_no_zero(self, ask: Ask) -> None:
        found = dose(ask("secret | volume=2 mL"), "ascorbic-acid")

        assert found.dose.kind is AmountKind.UNDISCLOSED
        assert (found.dose.low, found.dose.high, found.prepared.low, found.concentration.low) == (None,) * 4
        assert found.note == "Secret lists it without an amount"

    def test_a_sum_over_an_undisclosed_amount_is_a_lower_end(self, ask: Ask) -> None:
        found = dose(ask("secret | volume=2 mL", "vitamin-c | volume=1 mL"), "ascorbic-acid")

        assert (found.dose.kind, shown(found.dose.low), found.dose.high) == (
            AmountKind.AT_LEAST,
            "100 mg",
            None,
        )
        assert found.products == ("acme/secret", "acme/vitamin-c")

    def test_a_range_over_an_undisclosed_amount_is_a_lower_end_too(self, ask: Ask) -> None:
        amount = dose(ask("secret | volume=2 mL", "disputed | volume=1 mL"), "ascorbic-acid").dose

        assert (amount.kind, shown(amount.low), amount.high) == (AmountKind.AT_LEAST, "10 mg", None)

    def test_a_class_without_names_makes_every_sum_of_it_a_lower_end(self, ask: Ask) -> None:
        answer = ask("vague | volume=1 mL", "vitamin-c | volume=1 mL", "single | volume=1 mL")

        found = dose(answer, "ascorbic-acid")
        assert (found.dose.kind, shown(found.dose.low)) == (AmountKind.AT_LEAST, "100 mg")
        assert found.note == "Vague lists the class without naming substances, so that there may be more"
        assert found.products == ("acme/vitamin-c", "acme/vague")
        assert stated(answer, "glycine") == "10 mg"

    def test_the_class_itself_is_listed_without_an_amount(self, ask: Ask) -> None:
        found = dose(ask("vague | volume=1 mL"), "vitamin")

        assert (found.name, found.dose.kind) == ("vitamin (not named)", AmountKind.UNDISCLOSED)


class TestMoieties:
    def test_forms_add_up_in_their_moiety_and_stay_apart_as_themselves(self, ask: Ask) -> None:
        """1 mL each: 100 mg ascorbic acid, and 113 mg sodium ascorbate = 100.46 mg (Soluvit N: 100 mg)."""
        answer = ask("vitamin-c | volume=1 mL", "sodium-c | volume=1 mL")

        assert stated(answer, "ascorbic-acid") == "100 mg"
        assert stated(answer, "sodium-ascorbate") == "113 mg"
        together = dose(answer, "ascorbic-acid", moiety=True)
        assert together.dose.low is not None
        assert together.dose.low.magnitude.quantize(Decimal("0.01")) == Decimal("200.46")
        assert together.products == ("acme/vitamin-c", "acme/sodium-c")

    def test_a_moiety_that_is_only_there_as_itself_has_one_row(self, ask: Ask) -> None:
        assert [item.as_moiety for item in ask("vitamin-c | volume=1 mL").doses] == [False]

    def test_an_undisclosed_form_makes_its_moiety_a_lower_end(self, ask: Ask) -> None:
        found = dose(ask("secret | volume=1 mL", "sodium-c | volume=1 mL"), "ascorbic-acid", moiety=True)

        assert found.dose.kind is AmountKind.AT_LEAST

    def test_an_element_bears_no_class_of_the_form_it_comes_from(self, ask: Ask) -> None:
        assert dose(ask("sodium-c | volume=1 mL"), "sodium", moiety=True).ingredient_class is None

    def test_auxiliaries_count_in_sums_and_get_no_row_of_their_own(self, ask: Ask) -> None:
        """113 mg sodium ascorbate hold 13.11 mg sodium, and 9 mg sodium chloride 3.54 mg more."""
        answer = ask("sodium-c | volume=1 mL", "saline | volume=1 mL")

        assert "sodium-chloride" not in [item.substance for item in answer.doses]
        amount = dose(answer, "sodium", moiety=True).dose
        assert amount.low is not None
        assert amount.low.magnitude.quantize(Decimal("0.01")) == Decimal("16.65")
        assert [item.substance for item in ask("saline | volume=1 mL").doses] == []

    def test_an_auxiliary_of_unknown_amount_makes_the_sum_a_lower_end(self, ask: Ask) -> None:
        """Added is dissolved in as much saline as the preparer takes."""
        amount = dose(ask("sodium-c | volume=1 mL", "added | volume=1 mL"), "sodium", moiety=True).dose

        assert amount.kind is AmountKind.AT_LEAST

    def test_unnamed_substances_may_hold_any_element(self, ask: Ask) -> None:
        """An element is of no class; vitamin C is none of the minerals that are not named."""
        answer = ask("sodium-c | volume=1 mL", "vague-salts | volume=1 mL")

        assert dose(answer, "sodium", moiety=True).dose.kind is AmountKind.AT_LEAST
        assert dose(answer, "ascorbic-acid", moiety=True).dose.kind is AmountKind.STATED


class TestFindings:
    def test_what_is_not_known_is_said(self, ask: Ask) -> None:
        answer = ask("secret | volume=1 mL", "vague | volume=1 mL")

        assert codes(answer)[:2] == [
            ("undisclosed-amount", Severity.INFO, "acme/secret"),
            ("undisclosed-amount", Severity.INFO, "acme/vague"),
        ]

    def test_a_dispute_is_a_warning_with_its_sources(self, ask: Ask) -> None:
        finding = ask("disputed | volume=1 mL").findings[0]

        assert (finding.code, finding.severity) == ("disputed-amount", Severity.WARN)
        assert [source.where for source in finding.sources] == ["made up leaflet", "made up shop"]

    def test_a_distributors_figure_is_a_warning(self, ask: Ask) -> None:
        assert codes(ask("wholesale | volume=1 mL"))[0] == (
            "distributor-figure",
            Severity.WARN,
            "acme/wholesale",
        )

    def test_each_is_said_once_for_a_product_in_two_lines(self, ask: Ask) -> None:
        answer = ask("secret | volume=1 mL", "secret | volume=2 mL")

        assert [code for code, _severity, _subject in codes(answer)].count("undisclosed-amount") == 1


class TestWorking:
    def test_it_shows_inputs_with_sources_every_step_and_the_rounding(self, ask: Ask) -> None:
        answer = ask(
            "vitamin-c | dose=250 mg | substance=ascorbic-acid",
            "saline | fill_to=10 mL",
            points=37,
            technique="grid",
            syringe="one",
            needle="fine",
        )
        text = text_of(answer)

        for said in (
            "session: points: 37 as asked",
            "session: injected: 37 points × 0.02 mL per point (Grid; PR: made up) = 0.74 mL",
            "session: syringes: 0.74 mL in syringes of 1 mL → 1",
            "session: lost: 1 × (0.05 mL at most in the syringe (IFU: made up) "
            "+ 0.02 mL in the needle (IFU: made up)) = 0.07 mL",
            "session: prepared: 0.74 mL injected + 0.07 mL lost = 0.81 mL",
            "formula: as written it makes 10 mL; everything × 0.81 ÷ 10",
            "line 1: Vitamin C: 250 mg of ascorbic-acid → 2.5 mL of 10 mL",
            "line 1: 2.5 mL × 0.81 ÷ 10 = 0.2025 mL",
            "line 1: measured on 1 mL syringe (graduation 0.01 mL, half up): 0.2 mL, error -0.0025 mL",
            "line 1: 0.2025 mL ÷ 5 mL per container (SmPC: made up label), rounded up: "
            "1 to open, 4.7975 mL left",
            "line 2: Saline: fill to 10 mL → 7.5 mL of 10 mL",
            "ascorbic-acid: line 1: 500 mg/5 mL (SmPC: made up label) = 100 mg/mL × 2.5 mL",
            "ascorbic-acid: 250 mg in 10 mL; × 0.74 mL injected ÷ 10 mL = 18.5 mg",
        ):
            assert said in text

    def test_it_says_where_in_a_kit_and_by_which_factor(self, ask: Ask) -> None:
        assert (
            "140 mg per container (SmPC: made up label) in small, mixed to 7 mL = 20 mg/mL × 7 mL"
            in text_of(ask("pair | containers=1"))
        )
        assert "176.124 g/mol Ascorbic acid ÷ " in text_of(ask("sodium-c | volume=1 mL"))

    def test_it_says_what_is_not_known_and_why(self, ask: Ask) -> None:
        text = text_of(ask("secret | volume=1 mL", "disputed | volume=1 mL", "vague | volume=1 mL"))

        assert "ascorbic-acid: line 1: Ascorbic acid, amount not known" in text
        assert "ascorbic-acid: at least 10 mg in 3 mL" in text
        assert "vitamin: not known: Vague lists the class without naming substances" in text
        assert "there may be more" in text

    def test_how_a_powder_is_dissolved_is_part_of_it(self, ask: Ask) -> None:
        assert "add 5 mL of Sodium chloride; the powder displaces 0.25 mL → 5.25 mL" in text_of(
            ask("added | volume=1 mL")
        )


class TestQuantities:
    """An answer makes its quantities in a shorter way than pint does; nobody can tell."""

    @pytest.mark.parametrize("spelling", ["mL", "mg", "IU", "mg/mL", "mL/L"])
    def test_they_are_pints_own_in_every_way(self, spelling: str) -> None:
        ours = quantities_in(spelling)(Decimal("2.50"))
        theirs = registry().Quantity(Decimal("2.50"), unit(spelling))

        assert type(ours) is type(theirs)
        assert vars(ours) == vars(theirs)
        assert (ours == theirs, hash(ours) == hash(theirs)) == (True, True)
        assert ours.magnitude is not None
        assert ours.units == theirs.units
        assert ours.dimensionality == theirs.dimensionality
        assert ours + theirs == 2 * theirs
        assert (ours / theirs).magnitude == 1
        assert str(ours) == str(theirs)
        assert copy.deepcopy(ours) == theirs

    def test_they_convert_as_pints_own_do(self) -> None:
        assert quantities_in("mL")(Decimal("2.5")).to(unit("µL")).magnitude == 2500


class TestPlans:
    def test_a_new_revision_of_a_product_is_seen(self) -> None:
        """A formula names no revision: the latest counts, also for a formula that was worked out before."""
        growing = Formulary()
        growing.add_catalogue(SHELF)
        session = Session(lines_of("vitamin-c | volume=1 mL"))
        assert stated(work_out(session, growing), "ascorbic-acid") == "100 mg"

        growing.add_file(
            read(
                """
                schema = 1
                [vendor]
                id = "acme"
                name = "Acme"
                [[product]]
                sku = "vitamin-c"
                revision = 2
                name = "Vitamin C"
                source = [{ kind = "SmPC", where = "made up label", read = 2026-01-05 }]
                [[product.part]]
                container = "ampoule"
                form = "solution"
                volume = "5 mL"
                composition = [{ substance = "ascorbic-acid", amount = "150 mg/mL" }]
                """
            )
        )

        assert stated(work_out(session, growing), "ascorbic-acid") == "150 mg"


def test_the_bundled_pair_of_unequal_ampoules_is_mixed_as_its_label_says(formulary: Formulary) -> None:
    """Pabrinex: 5 mL with 250 mg thiamine hydrochloride, 2 mL with 500 mg ascorbic acid; the pair is 7 mL."""
    formula = Formula("made-up", "Made up", (Line("kyowa-kirin/pabrinex-im", containers=1),), teaching=True)

    answer = work_out(Session(formula), formulary)

    assert show(answer.prepared) == "7 mL"
    assert stated(answer, "thiamine-hydrochloride") == "250 mg"
    assert stated(answer, "ascorbic-acid") == "500 mg"


def test_the_bundled_vitamin_powder_holds_what_its_label_says(formulary: Formulary) -> None:
    """Soluvit N, one vial: 60 µg biotin, 113 mg sodium ascorbate = 100 mg vitamin C, in 10 mL."""
    formula = Formula("made-up", "Made up", (Line("fresenius-kabi/soluvit-n", containers=1),), teaching=True)

    answer = work_out(Session(formula), formulary)

    assert stated(answer, "biotin") == "0.06 mg"
    vitamin_c = dose(answer, "ascorbic-acid", moiety=True).dose.low
    assert vitamin_c is not None
    assert abs(vitamin_c.magnitude - 100) < 1
