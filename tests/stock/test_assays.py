"""What certificates say, as factors of what labels state. Expected figures are from outside, or by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import FormulaError, Formulary, LotAssay, Product, QuantityError, Substance
from mesoformula.ingredients import Moiety
from mesoformula.stock.lots.assays import assays_of, factor_of
from mesoformula.stock.records import Assay

SUBSTANCES = (
    Substance("ascorbic-acid", "Ascorbic acid", formula="C6H8O6"),
    Substance("water", "Water", formula="H2O"),
    Substance("growth-factor", "Growth factor"),
    Substance("lidocaine", "Lidocaine", formula="C14H22N2O"),
    Substance(
        "lidocaine-hydrochloride",
        "Lidocaine hydrochloride",
        formula="C14H23ClN2O",
        moieties=(Moiety("lidocaine"),),
    ),
    Substance(
        "lidocaine-hydrochloride-monohydrate",
        "Lidocaine hydrochloride monohydrate",
        formula="C14H23ClN2O.H2O",
        moieties=(Moiety("lidocaine"),),
    ),
    Substance("magnesium-sulfate-heptahydrate", "Magnesium sulfate heptahydrate", formula="MgSO4.7H2O"),
    Substance(
        "sodium-hyaluronate",
        "Sodium hyaluronate",
        repeat_unit="C14H20NNaO11",
    ),
)

FIGURES = st.decimals(min_value="0.01", max_value="300", places=2)


@pytest.fixture(scope="module")
def known() -> Formulary:
    made = Formulary()
    for substance in SUBSTANCES:
        made.add_record("substance", substance, "made up")
    return made


Factor = Callable[[Assay], Decimal]


@pytest.fixture(scope="module")
def factor(known: Formulary) -> Factor:
    return lambda assay: factor_of(assay, known.substance)


def rounded(value: Decimal, digits: int) -> Decimal:
    return Context(prec=digits).plus(value)


def test_a_figure_as_is_counts_what_the_label_counts(factor: Factor) -> None:
    assert factor(Assay("ascorbic-acid", "98.5", "as is")) == Decimal("0.985")


def test_what_is_as_is_needs_no_facts_about_the_substance(factor: Factor) -> None:
    assert factor(Assay("growth-factor", "131.25", "as is")) == Decimal("1.3125")
    assert factor(Assay("not-in-any-catalogue", "99", "as is")) == Decimal("0.99")


def test_a_figure_without_water_is_brought_to_what_is_in_the_vial(factor: Factor) -> None:
    """99.4 % with 2 % water is 97.4 % as is: https://v5ultimate.com/glossary/as-is-vs-anhydrous-basis."""
    found = factor(Assay("ascorbic-acid", "99.4", "anhydrous", water="2"))

    assert found == Decimal("0.97412")
    assert rounded(found, 3) == Decimal("0.974")


def test_a_label_that_counts_crystal_water_is_met_by_the_water_of_the_certificate(factor: Factor) -> None:
    """
    Pure crystals hold as much water as their formula says, and all that the label says of them.

    288.81 g/mol, 18 of them water, as a compounding pharmacist counts lidocaine hydrochloride monohydrate
    (https://www.scribd.com/document/665692853/Pharma-calc): 6.24 % water.
    """
    water = 100 * Fraction("18.015") / Fraction("288.81")
    found = factor(
        Assay("lidocaine-hydrochloride-monohydrate", "100", "anhydrous", water=f"{float(water):.6f}")
    )

    assert abs(found - 1) < Decimal("0.00002")
    # 99.5 × (1 − 0.063) × 288.816 ÷ 270.801 = 99.434
    moist = factor(Assay("lidocaine-hydrochloride-monohydrate", "99.5", "anhydrous", water="6.3"))
    assert rounded(moist, 5) == Decimal("0.99434")


def test_the_same_water_is_a_lack_where_the_label_counts_none(factor: Factor) -> None:
    # 99.5 × (1 − 0.063) = 93.2315
    found = factor(Assay("lidocaine-hydrochloride", "99.5", "anhydrous", water="6.3"))

    assert found == Decimal("0.932315")


def test_the_heptahydrate_is_half_water(factor: Factor) -> None:
    # 246.466 ÷ 120.361 = 2.04772; × 0.49 × 0.995 = 0.99837
    found = factor(Assay("magnesium-sulfate-heptahydrate", "99.5", "anhydrous", water="51"))

    assert rounded(found, 5) == Decimal("0.99837")


def test_a_polymer_is_judged_by_its_repeat_unit(factor: Factor) -> None:
    assert factor(Assay("sodium-hyaluronate", "95", "anhydrous", water="10")) == Decimal("0.855")


def test_a_figure_as_base_is_brought_to_the_salt_on_the_label(factor: Factor) -> None:
    """USP 29, lidocaine: salt = base × 270.80 ÷ 234.34 (uspbpep.com/v29240/usp29nf24s0_m45170.html)."""
    found = factor(Assay("lidocaine-hydrochloride", "86.6", "base", moiety="lidocaine"))

    by_the_pharmacopoeia = Fraction("0.866") * Fraction("270.80") / Fraction("234.34")
    assert abs(Fraction(found) / by_the_pharmacopoeia - 1) < Fraction(1, 10_000)
    assert rounded(found, 5) == Decimal("1.0007")


def test_a_label_that_counts_the_base_itself_is_met_by_its_figure(factor: Factor) -> None:
    assert factor(Assay("lidocaine", "98", "base", moiety="lidocaine")) == Decimal("0.98")


@pytest.mark.parametrize(
    ("assay", "says"),
    [
        (Assay("ascorbic-acid", "99", "anhydrous"), "how much water"),
        (Assay("growth-factor", "99", "anhydrous", water="5"), "Growth factor has no formula"),
        (Assay("water", "99", "anhydrous", water="5"), "nothing but water"),
        (Assay("ascorbic-acid", "99", "anhydrous", water="100"), "less than 100 %"),
        (Assay("ascorbic-acid", "99", "anhydrous", water="-1"), "plain number"),
        (Assay("lidocaine-hydrochloride", "86", "base"), "which one is not recorded"),
        (Assay("ascorbic-acid", "86", "base", moiety="lidocaine"), "not counted as Lidocaine"),
        (Assay("growth-factor", "99", "dried"), "expected 'as is', 'anhydrous' or 'base'"),
        (Assay("ascorbic-acid", "0.00", "as is"), "above zero"),
        (Assay("ascorbic-acid", "98,5", "as is"), "'98,5'; expected a plain number such as 98.5"),
        (Assay("ascorbic-acid", "nan", "as is"), "plain number"),
        (Assay("ascorbic-acid", "1e9", "as is"), "plain number"),
    ],
)
def test_what_is_missing_is_named_and_never_guessed(factor: Factor, assay: Assay, says: str) -> None:
    with pytest.raises(QuantityError) as caught:
        factor(assay)

    assert says in str(caught.value)


@given(percent=FIGURES, water=st.decimals(min_value="0", max_value="99.9", places=1))
def test_water_only_ever_lowers_what_a_form_without_crystal_water_holds(
    factor: Factor, percent: Decimal, water: Decimal
) -> None:
    dry = factor(Assay("ascorbic-acid", f"{percent:f}", "anhydrous", water=f"{water:f}"))
    as_is = factor(Assay("ascorbic-acid", f"{percent:f}", "as is"))

    assert Fraction(dry) == Fraction(as_is) * (1 - Fraction(water) / 100)


@given(percent=FIGURES)
def test_twice_the_base_is_twice_the_salt(factor: Factor, percent: Decimal) -> None:
    once, twice = (
        factor(Assay("lidocaine-hydrochloride", f"{times * percent:f}", "base", moiety="lidocaine"))
        for times in (1, 2)
    )

    assert abs(twice / once - 2) < Decimal("1e-40")


# ---- lots taken together --------------------------------------------------------------------------------

MakeProduct = Callable[..., Product]


def as_is(percent: str, substance: str = "ascorbic-acid") -> Assay:
    return Assay(substance, percent, "as is")


def test_one_lot_gives_one_factor_and_names_its_certificate(
    known: Formulary, make_product: MakeProduct
) -> None:
    product = make_product()

    assert assays_of([(product, "L1", as_is("98.5"))], known) == (
        LotAssay(
            product.id,
            "ascorbic-acid",
            Decimal("0.985"),
            Decimal("0.985"),
            "lot 'L1': 98.5 % of label (certificate, as is)",
        ),
    )


def test_lots_that_differ_give_a_range_and_one_without_assay_counts_as_labelled(
    known: Formulary, make_product: MakeProduct
) -> None:
    product = make_product()
    taken = [
        (product, "L1", as_is("98.5")),
        (product, "L2", None),
        (product, "L3", as_is("97.5")),
        (product, "L4", as_is("98.5")),
        (product, "L1", as_is("98.5")),
    ]

    (found,) = assays_of(taken, known)

    assert (found.low, found.high) == (Decimal("0.975"), Decimal(1))
    assert found.text == (
        "lots 'L1', 'L4': 98.5 % of label (certificate, as is); "
        "lot 'L2': no assay of it recorded, counted as labelled; "
        "lot 'L3': 97.5 % of label (certificate, as is)"
    )


def test_lots_without_any_assay_say_nothing(known: Formulary, make_product: MakeProduct) -> None:
    assert assays_of([(make_product(), "L1", None), (make_product(), "L2", None)], known) == ()
    assert assays_of([], known) == ()


def test_an_assay_of_another_substance_or_product_is_none_of_this_one(
    known: Formulary, make_product: MakeProduct
) -> None:
    one, other = make_product("one"), make_product("other")
    taken = [
        (one, "L1", as_is("98.5")),
        (one, "L2", as_is("90", "lidocaine")),
        (other, "L1", as_is("80")),
    ]

    found = {(item.product, item.substance): (item.low, item.high) for item in assays_of(taken, known)}

    assert found == {
        (one.id, "ascorbic-acid"): (Decimal("0.985"), Decimal(1)),
        (one.id, "lidocaine"): (Decimal("0.9"), Decimal(1)),
        (other.id, "ascorbic-acid"): (Decimal("0.8"), Decimal("0.8")),
    }


def test_the_working_of_another_basis_is_told(known: Formulary, make_product: MakeProduct) -> None:
    product = make_product()
    taken = [
        (product, "A", Assay("lidocaine-hydrochloride", "86.6", "base", moiety="lidocaine")),
        (product, "B", Assay("lidocaine-hydrochloride", "99.5", "anhydrous", water="0.5")),
    ]

    (found,) = assays_of(taken, known)

    assert found.text == (
        "lot 'A': 86.6 % as Lidocaine ÷ ≈0.86537 Lidocaine per Lidocaine hydrochloride "
        "= ≈100.073 % of label (certificate, base); "
        "lot 'B': 99.5 % × (1 − 0.5 % water) = 99.0025 % of label (certificate, anhydrous)"
    )


def test_every_lot_that_cannot_be_counted_is_named(known: Formulary, make_product: MakeProduct) -> None:
    product = make_product()
    taken = [
        (product, "L1", Assay("ascorbic-acid", "99", "anhydrous")),
        (product, "L2\x1b[2J", as_is("99")),
        (product, "L3\x1b[2J", Assay("made-up", "99", "base", moiety="lidocaine")),
    ]

    with pytest.raises(FormulaError) as caught:
        assays_of(taken, known)

    assert [problem.code for problem in caught.value.problems] == ["assay", "assay"]
    first, second = (problem.message for problem in caught.value.problems)
    assert first.startswith(f"lot 'L1' of {product.id}: its assay of 'ascorbic-acid' cannot be counted")
    assert "'L3\\x1b[2J'" in second
    assert "no substance is called 'made-up'" in second
