"""
Every equivalence that a label prints, `113 mg sodium ascorbate = 100 mg vitamin C`, worked out again.

A printed number stands for everything that rounds to it: half a unit of its last digit to either side. An
equivalence holds if the two intervals meet. Those that cannot hold are listed here, each with its reason.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mesoformula.contents import Content, LabelEquivalent
from mesoformula.conversions import convert
from mesoformula.formulary import Formulary
from mesoformula.units import magnitude, registry, symbol

if TYPE_CHECKING:
    from mesoformula.units import Quantity

#: Printed equivalences that contradict themselves: product, substance, what it is counted in.
CONTRADICTIONS = {
    (
        "baxter/cernevit",
        "all-rac-alpha-tocopherol",
        None,
    ): "10.20 mg at 1.1 IU/mg are 11.22 IU; printed 11.20",
    (
        "baxter/cernevit",
        "riboflavin-sodium-phosphate-dihydrate",
        "riboflavin",
    ): "5.67 mg hold 4.145 to 4.153 mg; printed 4.14",
    (
        "fresenius-kabi/addaven",
        "iron-chloride-hexahydrate",
        "iron",
    ): "0.54 mg hold 110.5 to 112.6 µg; printed 110",
    ("fresenius-kabi/addaven", "zinc-chloride", "zinc"): "1.05 mg hold 501 to 506 µg; printed 500",
}


def interval(printed: Decimal) -> tuple[Decimal, Decimal]:
    """Find everything that rounds to a printed number."""
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal(5).scaleb(exponent - 1)
    return printed - half, printed + half


def printed_amount(content: Content) -> Quantity:
    """Take the number of an entry as its label prints it, with every digit."""
    strength = content.strength
    assert strength is not None, "an equivalence belongs to a stated amount"
    match = re.match(r"[0-9.]+", strength.written)
    assert match is not None
    amount = registry().Quantity(Decimal(match[0]), strength.amount.units)
    assert amount == strength.amount
    return amount


def holds(formulary: Formulary, content: Content, equivalent: LabelEquivalent) -> bool:
    """Convert both ends of the printed amount, and see whether they reach the printed equivalent."""
    assert content.substance is not None
    amount = printed_amount(content)
    spelling = symbol(equivalent.amount.units)
    low, high = (
        magnitude(
            convert(
                registry().Quantity(end, amount.units),
                formulary.substance(content.substance),
                spelling,
                formulary.substance,
                equivalent.of,
            ).result,
            spelling,
        )
        for end in interval(amount.magnitude)
    )
    lowest, highest = interval(equivalent.amount.magnitude)
    return low <= highest and lowest <= high


def found(formulary: Formulary) -> list[tuple[str, Content, LabelEquivalent]]:
    return [
        (product.id, content, equivalent)
        for product in formulary.products()
        for _part, content in product.contents()
        for equivalent in content.equivalents
    ]


def test_a_printed_number_stands_for_what_rounds_to_it() -> None:
    assert interval(Decimal("11.20")) == (Decimal("11.195"), Decimal("11.205"))
    assert interval(Decimal("113")) == (Decimal("112.5"), Decimal("113.5"))
    assert interval(Decimal("3.1")) == (Decimal("3.05"), Decimal("3.15"))


def test_at_least_twenty_five_equivalences_are_bundled(formulary: Formulary) -> None:
    assert len(found(formulary)) >= 25


def test_the_equivalences_of_the_best_known_labels_are_among_them(formulary: Formulary) -> None:
    pairs = {(content.substance, equivalent.of) for _id, content, equivalent in found(formulary)}

    assert pairs >= {
        ("sodium-ascorbate", "ascorbic-acid"),
        ("sodium-pantothenate", "pantothenic-acid"),
        ("dexpanthenol", "pantothenic-acid"),
        ("thiamine-nitrate", "thiamine-cation"),
        ("cocarboxylase-tetrahydrate", "thiamine-chloride"),
        ("pyridoxine-hydrochloride", "pyridoxine"),
        ("sodium-selenite-anhydrous", "selenium"),
        ("sodium-selenite-pentahydrate", "selenium"),
        ("selenious-acid", "selenium"),
        ("zinc-chloride", "zinc"),
        ("copper-chloride-dihydrate", "copper"),
        ("magnesium-sulfate-heptahydrate", "magnesium"),
        ("glutathione-sodium", "glutathione"),
        ("colecalciferol", None),
    }


def test_a_printed_equivalence_holds_unless_it_is_known_to_contradict_itself(
    formulary: Formulary, equivalence: tuple[str, int, int]
) -> None:
    name, entry, place = equivalence
    product = formulary.product(name)
    _part, content = product.contents()[entry]
    equivalent = content.equivalents[place]

    assert holds(formulary, content, equivalent) is equivalent.holds


def test_those_that_cannot_hold_are_these_and_each_says_why(formulary: Formulary) -> None:
    broken = [
        (name, content.substance, equivalent)
        for name, content, equivalent in found(formulary)
        if not equivalent.holds
    ]

    assert {(name, substance, equivalent.of) for name, substance, equivalent in broken} == set(CONTRADICTIONS)
    assert all(equivalent.why for _name, _substance, equivalent in broken)


def test_a_wrong_moiety_would_not_hold(formulary: Formulary) -> None:
    """Two labels mean two things by thiamine: the test tells them apart."""
    by_pair = {
        (content.substance, equivalent.of): (content, equivalent)
        for _id, content, equivalent in found(formulary)
    }
    content, equivalent = by_pair["cocarboxylase-tetrahydrate", "thiamine-chloride"]

    assert holds(formulary, content, equivalent)
    assert not holds(formulary, content, LabelEquivalent(equivalent.amount, "thiamine-cation"))


def test_a_wrong_hydrate_would_not_hold(formulary: Formulary) -> None:
    by_pair = {
        (content.substance, equivalent.of): (content, equivalent)
        for _id, content, equivalent in found(formulary)
    }
    content, equivalent = by_pair["sodium-selenite-anhydrous", "selenium"]
    other = Content("sodium-selenite-pentahydrate", strength=content.strength)

    assert not holds(formulary, other, equivalent)
