"""Plain TOML values into records: every problem of a record at once."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import fields
from mesoformula.catalogue.files import CatalogueFile, parse
from mesoformula.catalogue.reading import FAILED, Reader, place, written_fields
from mesoformula.fields import written
from mesoformula.formulary import RECORDS
from mesoformula.ingredients import CORE_CLASSES, HyaluronicAcid, Range
from mesoformula.units import EXAMPLES, parse_quantity, parse_strength

CLASSES = {item.id: item for item in CORE_CLASSES}


class Taste(enum.StrEnum):
    SWEET = "sweet"
    BITTER_SWEET = "bitter-sweet"


@attrs.frozen
class Inner:
    size: Any = attrs.field(metadata=written(fields.QuantityOf("volume"), "Size."))


@attrs.frozen
class Thing:
    """One field of every kind that a catalogue knows."""

    text: str = attrs.field(metadata=written(fields.Text(r"[a-z]+", "abc"), "Text."))
    whole: int = attrs.field(default=1, metadata=written(fields.Whole(1, 5), "Whole."))
    flag: bool = attrs.field(default=False, metadata=written(fields.Flag(), "Flag."))
    day: date | None = attrs.field(default=None, metadata=written(fields.Day(), "Day."))
    mass: Any = attrs.field(default=None, metadata=written(fields.QuantityOf("mass"), "Mass."))
    any: Any = attrs.field(default=None, metadata=written(fields.QuantityOf(None, zero=True), "Any."))
    strength: Any = attrs.field(
        default=None, metadata=written(fields.StrengthText(), "Strength.", key="amount")
    )
    depth: Any = attrs.field(default=None, metadata=written(fields.RangeOf("length"), "Depth."))
    taste: Any = attrs.field(default=None, metadata=written(fields.Choice(Taste), "Taste."))
    many: tuple[Any, ...] = attrs.field(
        default=(), metadata=written(fields.ListOf(fields.Text(), most=3), "Many.")
    )
    inner: Any = attrs.field(default=None, metadata=written(fields.RecordOf(Inner), "Inner."))
    inners: Any = attrs.field(default=(), metadata=written(fields.ListOf(fields.RecordOf(Inner)), "Inners."))
    attributes: Any = attrs.field(default=None, metadata=written(fields.ClassAttributes(), "Class."))


def read(text: str, record: type[Any] = Thing) -> tuple[Any, list[tuple[int | None, str]]]:
    """Read the table `[thing]` of a text; its first line is that header."""
    file = parse(f"[thing]\n{text}\n".encode(), "thing.toml")
    assert isinstance(file, CatalogueFile), file
    reader = Reader(file, CLASSES, "thing x")
    found = reader.record(record, file.tables["thing"], ("thing",))
    for problem in reader.problems:
        assert str(problem).isprintable()
        assert problem.path == "thing.toml"
        assert problem.message.startswith("thing x: ")
    return found, [(problem.line, problem.code) for problem in reader.problems]


def test_every_kind_of_value_is_read() -> None:
    thing, problems = read("""
        text = "abc"
        whole = 3
        flag = true
        day = 2026-11-23
        mass = "5.50 mg"
        any = "0 mL"
        amount = "500 mg/5 mL"
        depth = { low = "1 mm", high = "0.4 cm" }
        taste = "bitter-sweet"
        many = ["x", "y"]
        inner = { size = "1 mL" }
        inners = [{ size = "2 mL" }, { size = "3 mL" }]
        hyaluronic_acid = { molecular_weight = "50 kDa", cross_linked = false }
    """)

    assert problems == []
    assert thing == Thing(
        "abc",
        3,
        True,
        date(2026, 11, 23),
        parse_quantity("5.50 mg"),
        parse_quantity("0 mL"),
        parse_strength("500 mg/5 mL"),
        Range(parse_quantity("1 mm"), parse_quantity("0.4 cm")),
        Taste.BITTER_SWEET,
        ("x", "y"),
        Inner(parse_quantity("1 mL")),
        (Inner(parse_quantity("2 mL")), Inner(parse_quantity("3 mL"))),
        HyaluronicAcid(Range(parse_quantity("50 kDa"), parse_quantity("50 kDa")), False),
    )
    assert type(thing.mass.magnitude) is Decimal


def test_what_may_be_left_out_may_be_left_out() -> None:
    assert read('text = "abc"') == (Thing("abc"), [])


def test_all_problems_are_found_at_once_each_in_its_line() -> None:
    found, problems = read(
        """whole = 6
        flag = "yes"
        day = "tomorrow"
        mass = "5 mL"
        any = "5"
        amount = "20 %"
        depth = { low = "4 mm", high = "1 mm" }
        taste = "swet"
        many = [
          "x",
          5,
        ]
        inner = { size = "0 mL" }
        inners = [{ size = "2 mL" },
          { sise = "3 mL" },
        ]
        vitamin = 5"""
    )

    assert found is FAILED
    assert problems == [
        (1, "missing"),  # text
        (2, "range"),
        (3, "type"),
        (4, "type"),
        (5, "dimension"),
        (6, "bare"),
        (7, "basis"),
        (8, "range"),
        (9, "word"),
        (12, "type"),
        (14, "zero"),
        (16, "missing"),
        (16, "unknown-key"),
        (18, "type"),
    ]


@pytest.mark.parametrize(
    "value",
    ["5", "5.5", "1e3", "-1", "inf", "nan", "0x10", "true", "2026-11-23", '["5 mg"]', '{ value = "5 mg" }'],
)
@pytest.mark.parametrize("key", ["mass", "any", "amount", "depth"])
def test_a_figure_without_its_unit_is_refused(key: str, value: str) -> None:
    found, problems = read(f'text = "abc"\n{key} = {value}')

    assert found is FAILED
    expected = {"bare", "grammar"} if value == "2026-11-23" else {"type"}  # a day is text once it is read
    assert [line for line, _code in problems] == [3]
    assert {code for _line, code in problems} <= expected | {"type"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("whole = 0", "range"),
        ("whole = 6", "range"),
        ("whole = 2.0", "type"),
        ("whole = true", "type"),
        ('whole = "2"', "type"),
        ("flag = 1", "type"),
        ('flag = "true"', "type"),
        ('day = "23.11.2026"', "type"),
        ("day = 2026-11-23T10:00:00", "type"),
        ("day = 20261123", "type"),
        ("taste = 5", "word"),
        ('taste = "SWEET"', "word"),
        ('taste = ""', "word"),
        ('many = "x"', "type"),
        ('many = ["a", "b", "c", "d"]', "range"),
        ('many = [["a"]]', "type"),
        ("many = [{}]", "type"),
        ('many = [""]', "text"),
        ('many = ["  "]', "text"),
        ('many = ["a\\u0007"]', "text"),
        ('many = ["a\\u202Eb"]', "text"),
        ("inner = 5", "type"),
        ("inner = 5.5", "type"),
        ("inner = []", "type"),
        ('inner = "x"', "type"),
        ("inners = {}", "type"),
        ("inners = [5]", "type"),
        ('depth = { low = "1 mm" }', "type"),
        ('depth = { low = "1 mm", high = "2 mm", mean = "1 mm" }', "type"),
        ('depth = { low = "1 mm", high = "2 mL" }', "dimension"),
        ('depth = "1 to 2 mm"', "grammar"),
        ("vitamin = {}\nmineral = {}", "class"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(line: str, code: str) -> None:
    found, problems = read(f'text = "abc"\n{line}')

    assert found is FAILED
    assert [found_code for _line, found_code in problems] == [code]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('mas = "5 mg"', "mass"),
        ('amout = "5 mg/mL"', "amount"),
        ('strength = "5 mg/mL"', "known:"),
        ("vitamine = {}", "vitamin"),
    ],
)
def test_a_key_that_is_not_known_is_refused_with_the_nearest(line: str, hint: str) -> None:
    file = parse(f'[thing]\ntext = "abc"\n{line}\n'.encode(), "thing.toml")
    assert isinstance(file, CatalogueFile)
    reader = Reader(file, CLASSES)
    reader.record(Thing, file.tables["thing"], ("thing",))

    (problem,) = reader.problems
    assert (problem.code, problem.line) == ("unknown-key", 3)
    assert hint in problem.message


def test_a_word_that_is_not_known_is_refused_with_the_nearest() -> None:
    file = parse(b'[thing]\ntext = "abc"\ntaste = "bittersweet"\n', "thing.toml")
    assert isinstance(file, CatalogueFile)
    reader = Reader(file, CLASSES)
    reader.record(Thing, file.tables["thing"], ("thing",))

    assert "did you mean bitter-sweet or sweet?" in reader.problems[0].message


def test_a_text_may_have_several_lines() -> None:
    thing, problems = read('text = "abc"\nmany = ["""one\n\ttwo"""]')

    assert problems == []
    assert thing.many == ("one\n\ttwo",)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "mass", "amount", "low", "high", "vitamin", "size", "\x00bare", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
).filter(lambda value: value is not None)


@given(st.sampled_from(sorted(RECORDS)), st.data())
def test_junk_of_any_shape_is_problems_and_never_an_exception(section: str, data: st.DataObject) -> None:
    keys = [field.key for field in written_fields(RECORDS[section])]
    table = data.draw(
        st.dictionaries(st.sampled_from([*keys, "vitamin", "unknown"]), _JUNK, max_size=6) | _JUNK
    )
    reader = Reader(CatalogueFile("junk.toml", {section: [table]}, None, b""), CLASSES)

    found = reader.record(
        RECORDS[section], table, (section, 0), **({"vendor": None} if section == "product" else {})
    )

    assert found is not FAILED or reader.problems
    for problem in reader.problems:
        assert str(problem).isprintable()
        assert len(problem.message) < 1000


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_every_field_says_what_it_is_for_and_gives_an_example_that_it_takes(record: type[Any]) -> None:
    reader = Reader(CatalogueFile("x.toml", {}, None, b""), CLASSES)
    seen: set[type[Any]] = set()

    def walk(kind: fields.Kind) -> None:
        match kind:
            case fields.Text(pattern=pattern, example=example) if pattern is not None:
                assert reader.value(kind, example, ("x", 0, "key")) == example
            case fields.QuantityOf(dimension=dimension) | fields.RangeOf(dimension=dimension):
                assert dimension is None or dimension in EXAMPLES
            case fields.ListOf(item=item):
                walk(item)
            case fields.RecordOf(record=inner) if inner not in seen:
                seen.add(inner)
                look(inner)
            case _:
                pass

    def look(of: type[Any]) -> None:
        for field in attrs.fields(of):
            if "kind" in field.metadata:
                assert field.metadata["help"]
                walk(field.metadata["kind"])

    look(record)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (("part", 1, "volume"), "part 2: volume"),
        (("composition", 0), "composition 1"),
        ((), ""),
        (("a", "b"), "a: b"),
    ],
)
def test_a_place_is_named_as_people_count(where: tuple[str | int, ...], words: str) -> None:
    assert place(where) == words


def test_a_message_says_where_it_is_what_was_found_and_what_is_right(
    make_catalogue: Callable[..., Any],
) -> None:
    """The one golden text of a catalogue's problems."""
    made = make_catalogue("""
        schema = 1
        vendor = { id = "acme", name = "Acme" }
        [[product]]
        sku = "ha-2"
        name = "HA"
        [[product.part]]
        container = "vial"
        form = "gel"
        volume = "2 mg"
        [[product.source]]
        kind = "IFU"
        where = "a fictional leaflet"
        read = 2026-11-23
    """)

    (problem,) = made.problems
    assert str(problem) == (
        f"{problem.path}:9: [dimension] product acme/ha-2: part 1: volume = '2 mg' is a mass; "
        "expected a volume such as '2 mL'"
    )
