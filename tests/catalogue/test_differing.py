"""What a new catalogue changes is told field by field, and what lots pin needs a new revision."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mesoformula.catalogue.differing import Comparison, Difference, compare, side
from mesoformula.errors import CatalogueError
from mesoformula.formulary import Formulary

BASE = """
schema = 1

[vendor]
id = "acme"
name = "Acme"

[[substance]]
id = "biotin"
name = "Biotin"

[[substance]]
id = "zinc"
name = "Zinc"

[[product]]
sku = "one"
name = "Acme One"
containers_per_pack = 5
routes = ["intradermal"]
source = [{ kind = "IFU", where = "leaflet", read = 2026-01-02 }]

[[product.part]]
container = "vial"
form = "solution"
volume = "5 mL"
composition = [
  { substance = "biotin", amount = "5 mg/mL", as_published = "biotin 5 mg/ml" },
  { substance = "zinc", undisclosed = true },
]

[[product]]
sku = "two"
name = "Acme Two"
part = [{ container = "vial", form = "gel", volume = "1 mL" }]
source = [{ kind = "IFU", where = "leaflet", read = 2026-01-02 }]

[[formula]]
id = "mix"
name = "Mix"
description = "of both"
line = [{ product = "acme/one", volume = "1 mL" }, { product = "acme/two", volume = "1 mL" }]
"""
SECOND = BASE[BASE.index("[[product]]") : BASE.index('[[product]]\nsku = "two"')].replace(
    'sku = "one"', 'sku = "one"\nrevision = 2'
)

Differ = Callable[[str, str], Comparison]


@pytest.fixture
def differ(tmp_path: Path) -> Differ:
    def call(old: str, new: str) -> Comparison:
        sides = []
        for name, text in (("old", old), ("new", new)):
            path = tmp_path / f"{name}.toml"
            path.write_text(text, encoding="utf-8")
            sides.append(side(Formulary(), path))
        return compare(*sides)

    return call


def only(comparison: Comparison, section: str = "product") -> Difference:
    (found,) = [one for one in comparison.differences if one.section == section]
    return found


def test_the_same_is_no_difference(differ: Differ) -> None:
    assert differ(BASE, BASE) == Comparison((), ())


def test_another_order_and_other_spacing_are_no_difference(differ: Differ) -> None:
    lines = BASE.replace("  { substance", "      { substance")
    substances = re.findall(r"\[\[substance\]\]\nid.*\nname.*\n", BASE)
    turned = lines.replace("".join(f"{one}\n" for one in substances), "") + "\n".join(reversed(substances))

    assert differ(BASE, turned) == Comparison((), ())


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('volume = "5 mL"', 'volume = "10 mL"', "part 1: volume"),
        ('amount = "5 mg/mL"', 'amount = "6 mg/mL"', "part 1: composition biotin: amount"),
        ('container = "vial"\nform', 'container = "ampoule"\nform', "part 1: container"),
        ("containers_per_pack = 5", "containers_per_pack = 10", "containers_per_pack"),
        ("undisclosed = true", 'amount = "1 mg/mL"', "part 1: composition zinc: amount"),
        ('  { substance = "zinc", undisclosed = true },\n', "", "part 1: composition zinc: substance"),
        ('volume = "5 mL"\n', 'volume = "5 mL"\nauxiliaries = [{ substance = "zinc" }]\n',
         "part 1: auxiliaries zinc: substance"),
    ],
)  # fmt: skip
def test_other_contents_need_a_new_revision(differ: Differ, old: str, new: str, field: str) -> None:
    comparison = differ(BASE, BASE.replace(old, new, 1))
    found = only(comparison)
    (problem,) = comparison.problems

    assert (found.name, found.what, found.needs) == ("acme/one", "changed", 2)
    assert field in [change.field for change in found.changes if change.makes_another]
    assert problem.code == "needs-revision"
    assert "needs revision 2" in problem.message
    assert (problem.path or "").endswith("new.toml")
    assert problem.line == 16


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('routes = ["intradermal"]', 'routes = ["intradermal", "subcutaneous"]', "routes"),
        ('"Acme One"', '"Acme Number One"', "name"),
        ("biotin 5 mg/ml", "Biotin: 5 mg/ml", "part 1: composition biotin: as_published"),
        ('"5 mg/mL"', '"25 mg/5 mL"', "part 1: composition biotin: amount"),
        ('"5 mL"', '"5.0 mL"', "part 1: volume"),
    ],
)
def test_what_is_only_known_or_worded_otherwise_needs_none(
    differ: Differ, old: str, new: str, field: str
) -> None:
    comparison = differ(BASE, BASE.replace(old, new, 1))

    assert comparison.problems == ()
    if field != "part 1: volume":  # shown alike
        assert [change.field for change in only(comparison).changes] == [field]


def test_a_corrected_typing_error_is_no_change_of_the_product(differ: Differ) -> None:
    new = BASE.replace('volume = "5 mL"', 'volume = "50 mL"').replace(
        'name = "Acme One"', 'name = "Acme One"\ncorrected = "the fill was typed as 5 mL"'
    )
    comparison = differ(BASE, new)

    assert comparison.problems == ()
    assert only(comparison).corrected == "the fill was typed as 5 mL"


def test_an_old_correction_excuses_no_new_change(differ: Differ) -> None:
    old = BASE.replace('name = "Acme One"', 'name = "Acme One"\ncorrected = "the name was wrong"')

    assert [one.code for one in differ(old, old.replace('"5 mL"', '"6 mL"')).problems] == ["needs-revision"]


def test_a_new_revision_beside_the_old_one_is_as_it_should_be(differ: Differ) -> None:
    new = BASE + SECOND.replace('"5 mL"', '"10 mL"')
    comparison = differ(BASE, new)

    assert comparison.problems == ()
    assert (only(comparison).what, only(comparison).revision) == ("revised", 2)
    assert [change.field for change in only(comparison).changes] == ["part 1: volume"]


def test_a_new_revision_in_place_of_the_old_one_leaves_lots_alone(differ: Differ) -> None:
    new = BASE.replace('sku = "one"', 'sku = "one"\nrevision = 2')

    assert [one.code for one in differ(BASE, new).problems] == ["revision-gone"]


def test_a_change_below_a_later_revision_needs_the_one_after_that(differ: Differ) -> None:
    old = BASE + SECOND

    assert only(differ(old, old.replace('"5 mL"', '"6 mL"', 1))).needs == 3


def test_products_added_and_removed_are_named_with_their_formulas(differ: Differ) -> None:
    new = BASE.replace('sku = "two"', 'sku = "three"').replace("acme/two", "acme/three")
    comparison = differ(BASE, new)
    products = {one.name: one for one in comparison.differences if one.section == "product"}

    assert {name: one.what for name, one in products.items()} == {
        "acme/two": "removed",
        "acme/three": "added",
    }
    assert products["acme/two"].formulas == ("mix",)


def test_a_formula_that_changes_needs_a_new_version(differ: Differ) -> None:
    changed = BASE.replace('"acme/two", volume = "1 mL"', '"acme/two", volume = "2 mL"')
    comparison = differ(BASE, changed)

    assert [one.code for one in comparison.problems] == ["version"]
    assert only(comparison, "formula").needs == 2
    versioned = changed.replace('name = "Mix"', 'name = "Mix"\nversion = 2')
    assert differ(BASE, versioned).problems == ()


def test_a_catalogue_that_cannot_be_read_is_not_compared(differ: Differ) -> None:
    with pytest.raises(CatalogueError, match="decimal comma"):
        differ(BASE, BASE.replace('"5 mL"', '"5,5 mL"'))


def test_bundled_catalogues_do_not_differ_from_themselves() -> None:
    bundled = Path(__file__).parents[2] / "catalogues" / "mesoformula_catalogues" / "products"

    assert compare(side(Formulary(), bundled), side(Formulary(), bundled)) == Comparison((), ())
