"""Records as plain data, and back."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from mesoformula import parse_strength, quantity
from mesoformula.contents import Auxiliary, Content, LabelEquivalent, Stated
from mesoformula.encoding import from_plain, to_plain
from mesoformula.fields import ClassAttributes, written
from mesoformula.findings import Finding, Severity
from mesoformula.formulas import Formula, Line
from mesoformula.ingredients import CORE_CLASSES, HyaluronicAcid, NucleicAcid, NucleicKind, Range, Vitamin
from mesoformula.products import (
    ContainerKind,
    Form,
    Method,
    Part,
    Permission,
    Product,
    ProductKind,
    Reconstitution,
    Route,
    Status,
    Storage,
    Vendor,
)
from mesoformula.sessions import Amount, AmountKind, Dose
from mesoformula.sources import Source, SourceKind
from mesoformula.units import Strength, known_units, symbol, unit

if TYPE_CHECKING:
    from mesoformula.units import Quantity

READ = date(2025, 1, 31)
SOURCE = Source(SourceKind.IFU, "leaflet", READ)


def small_product() -> Product:
    return Product(
        vendor=Vendor("acme", "Acme"),
        sku="c",
        name="C",
        parts=(
            Part(
                ContainerKind.AMPOULE,
                Form.SOLUTION,
                volume=quantity("5.0", "mL"),
                composition=(
                    Content(substance="sodium-ascorbate", strength=parse_strength("500 mg/5 mL")),
                    Content(ingredient_class="vitamin", undisclosed=True, attributes=Vitamin("B12")),
                ),
            ),
        ),
        sources=(SOURCE,),
    )


SMALL: Any = {
    "vendor": {"id": "acme", "name": "Acme"},
    "sku": "c",
    "name": "C",
    "parts": [
        {
            "container": "ampoule",
            "form": "solution",
            "volume": {"value": "5", "unit": "mL"},
            "composition": [
                {
                    "substance": "sodium-ascorbate",
                    "strength": {
                        "amount": {"value": "500", "unit": "mg"},
                        "per": {"value": "5", "unit": "mL"},
                        "written": "500 mg/5 mL",
                    },
                },
                {
                    "ingredient_class": "vitamin",
                    "undisclosed": True,
                    "attributes": {"class": "vitamin", "vitamin": "B12"},
                },
            ],
        }
    ],
    "sources": [{"kind": "IFU", "where": "leaflet", "read": "2025-01-31"}],
}


def test_a_product_has_one_stored_form_without_what_is_not_said() -> None:
    assert to_plain(small_product()) == SMALL


def test_the_stored_form_is_read_back() -> None:
    assert from_plain(SMALL, Product) == small_product()


def test_the_full_form_keeps_what_is_not_said_and_is_read_back_too() -> None:
    full: Any = to_plain(small_product(), full=True)
    assert set(full) == {field.name for field in attrs.fields(Product)}
    assert full["revision"] == 1
    assert full["gtin"] is None
    assert full["warnings"] == []
    assert full["parts"][0]["composition"][1]["attributes"] == {
        "class": "vitamin",
        "vitamin": "B12",
        "solubility": None,
        "provitamin": None,
    }
    assert from_plain(full, Product) == small_product()


DECIMALS = st.decimals(
    min_value=Decimal("1e-12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=12
) | st.sampled_from([Decimal("0.10"), Decimal("1E+3"), Decimal("100"), Decimal(1) / Decimal(3)])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
IDS = st.sampled_from(["a", "sodium-ascorbate", "x-1"])


def quantities(*spellings: str) -> st.SearchStrategy[Any]:
    return st.builds(quantity, DECIMALS, st.sampled_from(spellings))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def several(strategy: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[Any]:
    return st.lists(strategy, min_size=least, max_size=2).map(tuple)


STRENGTHS = st.sampled_from(
    ["5 mg/mL", "500 mg/5 mL", "20 % w/v", "1:1000 w/v", "15 mg/g", "60 µg per container", "0.9 % w/w"]
).map(parse_strength) | st.builds(
    Strength,
    quantities("mg", "µg", "IU", "mmol", "mEq"),
    maybe(quantities("mL", "g")),
    maybe(st.sampled_from(["w/v", "v/v"])),
    TEXTS,
)  # fmt: skip
RANGES = st.builds(Range, quantities("kDa", "Da"), quantities("kDa"))
ATTRIBUTES = st.one_of(
    st.none(),
    st.builds(HyaluronicAcid, maybe(RANGES), maybe(st.booleans()), maybe(TEXTS)),
    st.builds(NucleicAcid, maybe(st.sampled_from(NucleicKind)), maybe(RANGES), maybe(TEXTS)),
    *(st.just(known.attributes()) for known in CORE_CLASSES),
)
CONTENTS = st.builds(
    Content,
    substance=maybe(IDS),
    ingredient_class=maybe(st.just("vitamin")),
    strength=maybe(STRENGTHS),
    disputed=several(st.builds(Stated, STRENGTHS, maybe(IDS))),
    undisclosed=st.booleans(),
    as_published=maybe(TEXTS),
    attributes=ATTRIBUTES,
    specific_activity=maybe(quantities("IU/mg")),
    equivalents=several(
        st.builds(LabelEquivalent, quantities("mg", "IU"), maybe(IDS), st.booleans(), maybe(TEXTS))
    ),
)
PARTS = st.builds(
    Part,
    container=st.sampled_from(ContainerKind),
    form=st.sampled_from(Form),
    name=maybe(IDS),
    per_kit=st.integers(1, 3),
    volume=maybe(quantities("mL", "µL")),
    mass=maybe(quantities("mg")),
    density=maybe(quantities("g/mL")),
    reconstitution=maybe(
        st.builds(
            Reconstitution,
            quantities("mL"),
            st.sampled_from(Method),
            several(IDS),
            maybe(quantities("mL") | st.just(quantity(0, "mL"))),
        )
    ),
    composition=several(CONTENTS),
    auxiliaries=several(st.builds(Auxiliary, IDS, maybe(STRENGTHS))),
)
PRODUCTS = st.builds(
    Product,
    vendor=st.builds(Vendor, IDS, TEXTS, several(TEXTS)),
    sku=IDS,
    name=TEXTS,
    parts=several(PARTS, 1),
    sources=several(st.builds(Source, st.sampled_from(SourceKind), TEXTS, st.dates(), maybe(IDS)), 1),
    revision=st.integers(1, 3),
    containers_per_pack=maybe(st.integers(1, 10)),
    composition=several(CONTENTS),
    routes=several(st.sampled_from(Route)),
    status=several(st.builds(Status, st.sampled_from(["EU", "FR"]), st.sampled_from(ProductKind))),
    storage=maybe(st.builds(Storage, maybe(quantities("°C")), maybe(quantities("°C")), maybe(st.booleans()))),
    in_use_period=maybe(quantities("d", "h")),
    mixing=st.sampled_from(Permission),
    warnings=several(TEXTS),
    gtin=maybe(st.just("05060131261973")),
)


@settings(max_examples=60, deadline=None)
@given(PRODUCTS, st.booleans())
def test_any_product_survives_the_way_through_json(product: Product, full: bool) -> None:
    text = json.dumps(to_plain(product, full=full))
    back = from_plain(json.loads(text), Product)
    assert back == product
    assert to_plain(back, full=full) == json.loads(text)
    assert to_plain(back) == to_plain(product)


@pytest.mark.parametrize("spelling", sorted(known_units()))
def test_every_unit_of_the_grammar_is_read_back(spelling: str) -> None:
    plain: Any = to_plain(quantity("2.50", spelling))
    assert plain == {"value": "2.5", "unit": symbol(unit(spelling))}
    assert unit(plain["unit"]) == unit(spelling)


@pytest.mark.parametrize(
    ("amount", "plain"),
    [
        (
            Amount(AmountKind.STATED, quantity("5.0", "mg"), quantity("5.0", "mg")),
            {"kind": "stated", "value": "5", "unit": "mg"},
        ),
        (
            Amount(AmountKind.DISPUTED, quantity("900", "µg"), quantity("1.5", "mg")),
            {"kind": "disputed", "low": "900", "high": "1500", "unit": "µg"},
        ),
        (Amount(AmountKind.AT_LEAST, quantity("5", "mg")), {"kind": "at_least", "low": "5", "unit": "mg"}),
        (Amount(AmountKind.UNDISCLOSED), {"kind": "undisclosed"}),
    ],
)
def test_an_amount_says_what_is_known_of_it(amount: Amount, plain: object) -> None:
    assert to_plain(amount, full=True) == plain
    assert to_plain(amount) == plain


def test_answers_have_a_full_form() -> None:
    unknown = Amount(AmountKind.UNDISCLOSED)
    dose = Dose("retinol", "Retinol", "vitamin", False, unknown, unknown, unknown, ("acme/a",))
    assert to_plain((dose, Finding("code", Severity.WARN, "line 1", "text", (SOURCE,))), full=True) == [
        {
            "substance": "retinol",
            "name": "Retinol",
            "ingredient_class": "vitamin",
            "as_moiety": False,
            "dose": {"kind": "undisclosed"},
            "prepared": {"kind": "undisclosed"},
            "concentration": {"kind": "undisclosed"},
            "products": ["acme/a"],
            "note": None,
        },
        {
            "code": "code",
            "severity": "warn",
            "subject": "line 1",
            "message": "text",
            "sources": [{"kind": "IFU", "where": "leaflet", "read": "2025-01-31", "key": None, "note": None}],
            "missing": [],
        },
    ]


def test_moments_decimals_and_mappings_have_a_plain_form() -> None:
    moment = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
    value = {"at": moment, "price": Decimal("1E+2"), "third": Decimal("0.30"), "none": None}
    assert to_plain(value) == {
        "at": "2026-05-04T10:30:00+00:00",
        "price": "100",
        "third": "0.3",
        "none": None,
    }


def test_formulas_are_read_back() -> None:
    formula = Formula(
        "f",
        "F",
        (
            Line("acme/a@2", volume=quantity("2", "mL")),
            Line("acme/b", substance="x", concentration=parse_strength("5 mg/mL")),
        ),
        total=quantity("10", "mL"),
    )
    assert from_plain(to_plain(formula), Formula) == formula


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), Decimal("NaN"), Decimal("Infinity"), {1: 2}, {1, 2}, b"x", object(), Product, len],
)
def test_what_has_no_exact_plain_form_is_refused(value: object) -> None:
    for full in (False, True):
        with pytest.raises(TypeError):
            to_plain([value], full=full)


def changed(change: Callable[[Any], Any]) -> Any:
    copy = json.loads(json.dumps(SMALL))
    change(copy)
    return copy


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda plain: plain.pop("sku"), "Product.sku"),
        (lambda plain: plain.update(sku=5), "Product.sku"),
        (lambda plain: plain.update(revision=True), "Product.revision"),
        (lambda plain: plain.update(revision="1"), "Product.revision"),
        (lambda plain: plain.update(colour="red"), "colour: not known; was it written by a newer version"),
        (lambda plain: plain.update(parts={}), "Product.parts"),
        (lambda plain: plain.update(vendor="acme"), "Product.vendor"),
        (lambda plain: plain.update(vendor=None), "Product.vendor"),
        (lambda plain: plain["parts"][0].update(form="foam"), r"Product.parts\[0\].form"),
        (lambda plain: plain["parts"][0].update(volume="5 mL"), r"parts\[0\].volume"),
        (lambda plain: plain["parts"][0]["volume"].update(value=5), r"parts\[0\].volume"),
        (lambda plain: plain["parts"][0]["volume"].update(value="NaN"), r"parts\[0\].volume"),
        (lambda plain: plain["parts"][0]["volume"].update(value="5,5"), r"parts\[0\].volume"),
        (lambda plain: plain["parts"][0]["volume"].update(unit="U"), r"parts\[0\].volume"),
        (lambda plain: plain["parts"][0]["volume"].update(basis="x"), r"parts\[0\].volume"),
        (lambda plain: plain["sources"][0].update(read="yesterday"), r"sources\[0\].read"),
        (
            lambda plain: plain["parts"][0]["composition"][1]["attributes"].update(letter="C"),
            r"composition\[1\].attributes",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused_with_its_place(change: Callable[[Any], Any], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        from_plain(changed(change), Product)


class Kind(enum.Enum):
    LONG = "long"
    SHORT = "short"


@attrs.frozen
class Peptide:
    """What a plugin's class might hold."""

    sequence: str
    kind: Kind = Kind.LONG
    dose: Quantity | None = None
    note: str | None = attrs.field(default=None)


@attrs.frozen
class Thing:
    """Whatever has attributes of a class."""

    attributes: Any = attrs.field(default=None, metadata=written(ClassAttributes(), "Of its class."))


CLASSES = {"peptide": Peptide}
THING = Thing(Peptide("GHK", Kind.SHORT, quantity("1.5", "mg")))
PLAIN = {
    "attributes": {
        "class": "peptide",
        "sequence": "GHK",
        "kind": "short",
        "dose": {"value": "1.5", "unit": "mg"},
    }
}


def test_attributes_of_a_plugins_class_are_stored_with_its_id_and_read_back() -> None:
    assert to_plain(THING, classes=CLASSES) == PLAIN
    assert from_plain(PLAIN, Thing, classes=CLASSES) == THING


def test_attributes_of_a_class_that_is_gone_stay_as_they_were_recorded() -> None:
    kept = from_plain(PLAIN, Thing)
    assert kept == Thing(PLAIN["attributes"])
    assert to_plain(kept) == PLAIN
    assert from_plain(to_plain(kept), Thing, classes=CLASSES) == THING


def test_attributes_of_a_class_that_has_changed_since_stay_as_they_were_recorded() -> None:
    @attrs.frozen
    class Newer:
        residues: int

    assert from_plain(PLAIN, Thing, classes={"peptide": Newer}) == Thing(PLAIN["attributes"])


def test_attributes_of_no_class_are_not_stored() -> None:
    with pytest.raises(TypeError, match="Peptide belongs to no ingredient class"):
        to_plain(THING)
    with pytest.raises(TypeError, match="dict belongs to no ingredient class"):
        to_plain(Thing({"sequence": "GHK"}))
    assert to_plain(THING, full=True) == {
        "attributes": {
            "sequence": "GHK",
            "kind": "short",
            "dose": {"value": "1.5", "unit": "mg"},
            "note": None,
        }
    }


def test_a_plugin_cannot_rename_a_class_of_the_core() -> None:
    assert to_plain(Thing(Vitamin("C")), classes={"antioxidant": Vitamin}) == {
        "attributes": {"class": "vitamin", "vitamin": "C"}
    }


def test_a_field_added_later_with_a_default_does_not_change_the_stored_form() -> None:
    @attrs.frozen
    class Before:
        name: str

    @attrs.frozen
    class After:
        name: str
        more: str | None = None
        tags: tuple[str, ...] = ()
        kept: bool = False
        made: list[str] = attrs.field(factory=list)

    assert to_plain(After("x")) == to_plain(Before("x")) == {"name": "x"}
    assert to_plain(After("x", kept=True)) == {"name": "x", "kept": True}
