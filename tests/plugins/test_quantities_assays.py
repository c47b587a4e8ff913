"""A lot's assay scales what its volume holds. Expected figures are worked by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import (
    Amount,
    AmountKind,
    Dose,
    Formula,
    FormulaError,
    Formulary,
    Line,
    LotAssay,
    Session,
    SessionQuantities,
    Severity,
    parse_quantity,
    parse_strength,
    show,
)
from mesoformula.encoding import from_plain, to_plain
from mesoformula_quantities.answer import work_out

SHELF = Path(__file__).parents[1] / "data" / "fictional-products.toml"
WITHIN = Fraction(1, 10**20)

#: 100 mg/mL of ascorbic acid, taken for 200 mg of it; 113 mg/mL of sodium ascorbate; filled to 10 mL.
BY_DOSE = Line("acme/vitamin-c", dose=parse_quantity("200 mg"), substance="ascorbic-acid")
BY_VOLUME = Line("acme/sodium-c", volume=parse_quantity("1 mL"))
FILL = Line("acme/water", fill_to=parse_quantity("10 mL"))


@pytest.fixture(scope="module")
def shelf() -> Formulary:
    made = Formulary()
    made.add_catalogue(SHELF)
    assert made.check() == ()
    return made


def formula_of(*lines: Line) -> Formula:
    return Formula("made-up", "Made up", lines, teaching=True)


def assay(low: str, high: str | None = None, product: str = "vitamin-c", **more: str) -> LotAssay:
    text = f"lots of {product}"
    substance = more.get("substance", "ascorbic-acid")
    return LotAssay(f"acme/{product}", substance, Decimal(low), Decimal(high or low), text)


def ask(
    shelf: Formulary, *lines: Line, assays: tuple[LotAssay, ...] = (), **session: Any
) -> SessionQuantities:
    return work_out(Session(formula_of(*lines), assays=assays, **session), shelf)


def dose(answer: SessionQuantities, substance: str, *, moiety: bool = False) -> Dose:
    (found,) = (item for item in answer.doses if (item.substance, item.as_moiety) == (substance, moiety))
    return found


def ends(amount: Amount) -> tuple[AmountKind, str | None, str | None]:
    return (
        amount.kind,
        None if amount.low is None else show(amount.low),
        None if amount.high is None else show(amount.high),
    )


def said(answer: SessionQuantities, code: str) -> list[tuple[Severity, str, str]]:
    return [
        (finding.severity, finding.subject, finding.message)
        for finding in answer.findings
        if finding.code == code
    ]


# ---- doses ----------------------------------------------------------------------------------------------


def test_one_lot_scales_dose_and_concentration_exactly(shelf: Formulary) -> None:
    answer = ask(shelf, BY_DOSE, FILL, assays=(assay("0.985"),), volume=parse_quantity("5 mL"))

    found = dose(answer, "ascorbic-acid")
    assert ends(found.prepared) == (AmountKind.STATED, "98.5 mg", "98.5 mg")
    assert ends(found.dose) == (AmountKind.STATED, "98.5 mg", "98.5 mg")
    assert ends(found.concentration) == (AmountKind.STATED, "19.7 mg/mL", "19.7 mg/mL")
    assert found.note is None


def test_volumes_stay_those_of_the_label(shelf: Formulary) -> None:
    concentrated = Line("acme/vitamin-c", concentration=parse_strength("20 mg/mL"), substance="ascorbic-acid")
    for lines in ((BY_DOSE, FILL), (BY_VOLUME, FILL), (concentrated, FILL)):
        by_label = ask(shelf, *lines)
        with_lots = ask(shelf, *lines, assays=(assay("0.8"), assay("0.8", product="sodium-c")))

        assert with_lots.lines == by_label.lines
        assert with_lots.prepared == by_label.prepared


def test_lots_that_differ_make_the_dose_a_range_and_the_note_says_which(shelf: Formulary) -> None:
    answer = ask(shelf, BY_DOSE, FILL, assays=(assay("0.985", "1.02"),))

    found = dose(answer, "ascorbic-acid")
    assert ends(found.dose) == (AmountKind.DISPUTED, "197 mg", "204 mg")
    assert ends(found.concentration) == (AmountKind.DISPUTED, "19.7 mg/mL", "20.4 mg/mL")
    assert found.note == "lots of acme/vitamin-c differ (lots of vitamin-c)"


def test_a_disputed_label_and_lots_that_differ_widen_each_other(shelf: Formulary) -> None:
    line = Line("acme/disputed", volume=parse_quantity("2 mL"))
    # 10 or 25 mg/mL by its sources; × 0.9 to 1.1 × 2 mL
    found = dose(ask(shelf, line, assays=(assay("0.9", "1.1", "disputed"),)), "ascorbic-acid")

    assert ends(found.dose) == (AmountKind.DISPUTED, "18 mg", "55 mg")
    assert found.note is not None
    assert "sources disagree; lots of acme/disputed differ" in found.note


def test_moieties_follow_the_form_that_was_assayed(shelf: Formulary) -> None:
    by_label = ask(shelf, BY_VOLUME, FILL)
    halved = ask(
        shelf, BY_VOLUME, FILL, assays=(assay("0.5", product="sodium-c", substance="sodium-ascorbate"),)
    )

    for substance in ("ascorbic-acid", "sodium"):
        whole = dose(by_label, substance, moiety=True).dose.low
        half = dose(halved, substance, moiety=True).dose.low
        assert whole is not None
        assert half is not None
        assert abs(Fraction(half.magnitude) * 2 / Fraction(whole.magnitude) - 1) < WITHIN


def test_international_units_are_scaled_like_masses(shelf: Formulary) -> None:
    line = Line("acme/units", volume=parse_quantity("1 mL"))
    answer = ask(shelf, line, assays=(assay("0.9", product="units", substance="retinol"),))

    # 1000 IU/mL on the label, of 0.3 µg each
    assert [ends(item.dose)[1] for item in answer.doses if item.substance == "retinol"] == [
        "900 IU",
        "0.27 mg",
    ]


def test_only_the_assayed_product_is_scaled(shelf: Formulary) -> None:
    other = Line("acme/disputed", volume=parse_quantity("1 mL"))
    found = dose(ask(shelf, BY_DOSE, other, FILL, assays=(assay("0.5"),)), "ascorbic-acid")

    # 2 mL × 100 mg/mL × 0.5, and 1 mL of 10 to 25 mg/mL as labelled
    assert ends(found.dose) == (AmountKind.DISPUTED, "110 mg", "125 mg")


def test_an_undisclosed_amount_stays_undisclosed_and_a_sum_with_it_at_least(shelf: Formulary) -> None:
    secret = Line("acme/secret", volume=parse_quantity("1 mL"))
    alone = ask(shelf, secret, assays=(assay("0.9", product="secret"),))
    beside = ask(shelf, BY_DOSE, secret, FILL, assays=(assay("0.9"), assay("0.9", product="secret")))

    assert dose(alone, "ascorbic-acid").dose == Amount(AmountKind.UNDISCLOSED)
    assert said(alone, "lot-assay") == []
    ((severity, subject, message),) = said(alone, "assay-not-counted")
    assert (severity, subject) == (Severity.INFO, "acme/secret")
    assert "states an amount" in message
    assert ends(dose(beside, "ascorbic-acid").dose) == (AmountKind.AT_LEAST, "180 mg", None)
    assert "at least 180 mg injected, not at least 200 mg as labelled" in said(beside, "lot-assay")[0][2]


def test_a_part_that_does_not_hold_the_substance_is_not_scaled(shelf: Formulary) -> None:
    line = Line("acme/pair", part="big", volume=parse_quantity("1 mL"))
    answer = ask(shelf, line, assays=(assay("0.5", product="pair"),))

    assert ends(dose(answer, "biotin").dose) == (AmountKind.STATED, "1.4 mg", "1.4 mg")
    assert len(said(answer, "assay-not-counted")) == 1


# ---- what is said about it ---------------------------------------------------------------------------


def test_a_dose_that_was_asked_for_and_is_not_met_is_told(shelf: Formulary) -> None:
    small = ask(shelf, BY_DOSE, FILL, assays=(assay("0.985"),))
    large = ask(shelf, BY_DOSE, FILL, assays=(assay("0.94"),))

    assert said(small, "lot-assay") == [
        (
            Severity.INFO,
            "ascorbic-acid",
            "Ascorbic acid: 197 mg injected, not 200 mg as labelled: acme/vitamin-c, lots of vitamin-c. "
            "The volume of line 1 is worked out from the label",
        )
    ]
    ((severity, _subject, message),) = said(large, "lot-assay")
    assert severity is Severity.WARN
    assert "188 mg injected, not 200 mg" in message


def test_a_dose_asked_for_in_a_moiety_is_told_too(shelf: Formulary) -> None:
    line = Line("acme/sodium-c", dose=parse_quantity("100 mg"), substance="ascorbic-acid")
    lots = (assay("0.9", product="sodium-c", substance="sodium-ascorbate"),)

    told = [
        (subject, message) for _severity, subject, message in said(ask(shelf, line, assays=lots), "lot-assay")
    ]

    assert [subject for subject, _message in told] == ["sodium-ascorbate", "ascorbic-acid"]
    assert "90 mg injected, not 100 mg as labelled" in told[1][1]
    assert "line 1 is worked out from the label" in told[1][1]


def test_a_lot_that_holds_what_its_label_says_is_not_worth_a_word(shelf: Formulary) -> None:
    answer = ask(shelf, BY_DOSE, FILL, assays=(assay("1"),))

    assert answer.findings == ask(shelf, BY_DOSE, FILL).findings


@pytest.mark.parametrize(
    ("low", "high", "count"), [("0.9", "1.1", 0), ("0.8999", "1", 1), ("1", "1.1001", 1), ("3", "3", 1)]
)
def test_a_figure_far_from_the_label_is_counted_and_asked_about(
    shelf: Formulary, low: str, high: str, count: int
) -> None:
    found = said(ask(shelf, BY_DOSE, FILL, assays=(assay(low, high),)), "unusual-assay")

    assert len(found) == count
    assert all(severity is Severity.WARN for severity, _subject, _message in found)


def test_the_working_tells_factor_and_lots(shelf: Formulary) -> None:
    answer = ask(shelf, BY_DOSE, FILL, assays=(assay("0.985"),))

    steps = [step.text for step in answer.working() if step.subject == "ascorbic-acid"]
    assert steps[0].startswith("line 1: 500 mg/5 mL")
    assert steps[0].endswith("× 0.985 (lots of vitamin-c) = 98.5 mg/mL × 2 mL")
    assert steps[1].endswith("= 197 mg")


@pytest.mark.parametrize(
    "wrong",
    [
        (assay("0"),),
        (assay("-1", "1"),),
        (assay("NaN"),),
        (assay("1", "Infinity"),),
        (assay("1.1", "0.9"),),
        (assay("0.9"), assay("1.1")),
    ],
)
def test_factors_that_are_no_range_above_zero_are_refused(
    shelf: Formulary, wrong: tuple[LotAssay, ...]
) -> None:
    with pytest.raises(FormulaError) as caught:
        ask(shelf, BY_DOSE, FILL, assays=wrong)

    assert [problem.code for problem in caught.value.problems] == ["assay"]


def test_a_session_without_assays_after_one_with_them_counts_the_label_again(shelf: Formulary) -> None:
    formula = formula_of(BY_DOSE, FILL)
    before = work_out(Session(formula), shelf)
    work_out(Session(formula, assays=(assay("0.5"),)), shelf)

    assert work_out(Session(formula), shelf).doses == before.doses


def test_a_session_keeps_its_assays_as_plain_data() -> None:
    session = Session(formula_of(BY_DOSE, FILL), assays=(assay("0.985", "1"),))

    assert from_plain(to_plain(session), Session) == session
    assert "assays" not in to_plain(Session(formula_of(BY_DOSE)))  # type: ignore[operator]


# ---- what holds of every assay -----------------------------------------------------------------------

factors = st.decimals(min_value="0.01", max_value="5", places=4)
takes = st.lists(
    st.sampled_from(
        [
            BY_DOSE,
            BY_VOLUME,
            Line("acme/disputed", volume=parse_quantity("0.7 mL")),
            Line("acme/secret", volume=parse_quantity("0.3 mL")),
            Line("acme/made-up", volume=parse_quantity("0.9 mL")),
        ]
    ),
    min_size=1,
    max_size=4,
)
OF = (
    ("vitamin-c", "ascorbic-acid"),
    ("sodium-c", "sodium-ascorbate"),
    ("disputed", "ascorbic-acid"),
    ("secret", "biotin"),
    ("made-up", "ascorbic-acid"),
)


def of_all(low: Decimal, high: Decimal | None = None) -> tuple[LotAssay, ...]:
    return tuple(
        assay(f"{low:f}", f"{high if high is not None else low:f}", product, substance=substance)
        for product, substance in OF
    )


def numbers(answer: SessionQuantities) -> list[tuple[Fraction, Fraction | None]]:
    """Low and high of every amount that is known; what is only known at least has no high."""
    return [
        (
            Fraction(amount.low.magnitude),
            None if amount.high is None else Fraction(amount.high.magnitude),
        )
        for item in answer.doses
        for amount in (item.dose, item.prepared, item.concentration)
        if amount.low is not None
    ]


@given(lines=takes)
def test_a_factor_of_one_changes_nothing(shelf: Formulary, lines: list[Line]) -> None:
    by_label, with_lots = ask(shelf, *lines, FILL), ask(shelf, *lines, FILL, assays=of_all(Decimal(1)))

    assert with_lots.doses == by_label.doses
    assert with_lots.lines == by_label.lines


@given(lines=takes, factor=factors)
def test_what_comes_from_assayed_lots_alone_is_linear_in_the_factor(
    shelf: Formulary, lines: list[Line], factor: Decimal
) -> None:
    by_label = ask(shelf, *lines, FILL)
    scaled = ask(shelf, *lines, FILL, assays=of_all(factor))

    for (low, high), (label_low, label_high) in zip(numbers(scaled), numbers(by_label), strict=True):
        assert abs(low / (label_low * Fraction(factor)) - 1) < WITHIN
        assert (high is None) == (label_high is None)
        if high is not None and label_high is not None:
            assert abs(high / (label_high * Fraction(factor)) - 1) < WITHIN


@given(lines=takes, several=st.lists(factors, min_size=1, max_size=4))
def test_a_range_holds_the_answer_of_every_single_lot(
    shelf: Formulary, lines: list[Line], several: list[Decimal]
) -> None:
    together = numbers(ask(shelf, *lines, FILL, assays=of_all(min(several), max(several))))

    for factor in several:
        alone = numbers(ask(shelf, *lines, FILL, assays=of_all(factor)))
        for (low, high), (one_low, one_high) in zip(together, alone, strict=True):
            assert low <= one_low * (1 + WITHIN)
            assert (high is None) == (one_high is None)
            if high is not None and one_high is not None:
                assert one_high <= high * (1 + WITHIN)
