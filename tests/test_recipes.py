"""Lines in one piece, and formulas as TOML: what is written reads back as the same."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula.catalogue.files import CatalogueFile, parse
from mesoformula.errors import CatalogueError, QuantityError
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.recipes import MOST, how_much, parse_line, to_toml, write_line
from mesoformula.units import parse_quantity, parse_strength, show

PRODUCT = "acme/one"

ids = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,3}", fullmatch=True)
products = st.builds(
    lambda vendor, sku, revision: f"{vendor}/{sku}{revision}", ids, ids, st.sampled_from(["", "@1", "@27"])
)
numbers = st.decimals("0.001", "999", places=3).map(lambda number: f"{number:f}")


def quantities(*units: str) -> st.SearchStrategy[Any]:
    return st.builds(lambda number, unit: parse_quantity(f"{number} {unit}"), numbers, st.sampled_from(units))


volumes = quantities("mL", "µL", "L")
strengths = st.builds(
    lambda number, rest: parse_strength(f"{number}{rest}"),
    st.integers(1, 99),
    st.sampled_from([" mg/mL", " µg/5 mL", " % w/v", " mmol/L", " IU/mL", " mg per mL"]),
) | st.integers(2, 9999).map(lambda number: parse_strength(f"1:{number} w/v"))


@st.composite
def lines(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Line:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "volume": volumes,
        "containers": st.integers(1, MOST),
        "dose": quantities("mg", "µg", "g", "IU", "mmol", "mEq"),
        "concentration": strengths,
        "parts": st.integers(1, MOST),
        "fill_to": volumes,
    }
    kind = draw(st.sampled_from(sorted(kinds)))
    given: dict[str, Any] = {kind: draw(kinds[kind])}
    if kind in ("dose", "concentration"):
        given["substance"] = draw(ids)
    return Line(draw(products), part=draw(st.none() | ids), make_up_to=draw(st.none() | volumes), **given)


#: Whatever prints, on any number of lines; the reader takes no other text.
printing = st.text(min_size=1, max_size=60).filter(
    lambda text: bool(text.strip()) and all(char.isprintable() or char in "\n\t" for char in text)
)
hostile = ['a"b', "a'''b", '"""', "back\\slash", "\\u0041", "💉", "a\nb", "a\tb", "é̂", "#", "]]", "= 1"]


def formula_of(total: Any, lines: list[Line], **given: Any) -> Formula:
    """Make a formula that the reader takes: at most one line fills up, and then there is no other total."""
    fills = [line for line in lines if line.fill_to is not None]
    kept = tuple(line for line in lines if line.fill_to is None or line is fills[0])
    return Formula(lines=kept, total=None if fills else total, **given)


formulas = st.builds(
    formula_of,
    id=ids,
    name=printing | st.sampled_from(hostile),
    lines=st.lists(lines(), min_size=1, max_size=4),
    version=st.integers(1, 9999),
    total=st.none() | volumes,
    teaching=st.booleans(),
    description=printing,
)


def read(formula: Formula) -> Formula:
    file = parse(to_toml(formula).encode(), "made.toml")
    assert isinstance(file, CatalogueFile)
    formulary = Formulary()
    formulary.add_file(file)
    assert formulary.problems == ()
    return formulary.formula(formula.id)


@given(lines())
def test_a_line_reads_back_as_it_was_written(line):
    text = write_line(line)
    read_back = parse_line(text)
    assert read_back == line
    assert write_line(read_back) == text
    assert text.endswith(f"={how_much(line)}")


@given(lines(), st.sampled_from(["  ", " "]))
def test_blanks_around_the_equals_sign_do_not_matter(line, blanks):
    assert parse_line(write_line(line).replace("=", f"{blanks}={blanks}", 1)) == line


@settings(max_examples=30)
@given(formulas)
def test_a_formula_reads_back_from_toml_as_it_was_written(formula):
    assert read(formula) == formula


@pytest.mark.parametrize("name", hostile, ids=repr)
def test_a_hostile_name_reads_back_as_it_was_written(name):
    formula = Formula("mine", name, (parse_line(f"{PRODUCT}=1 mL"),), description=name)
    assert read(formula) == formula


@given(st.text(min_size=1))
def test_no_text_ends_its_string_early(text):
    formula = Formula("mine", text, (parse_line(f"{PRODUCT}=1 mL"),), description="of my own")
    table = tomllib.loads(to_toml(formula))
    assert set(table) == {"schema", "formula"}
    (found,) = table["formula"]
    assert found["name"] == text
    assert found["description"] == "of my own"
    assert found["line"] == [{"product": PRODUCT, "volume": "1 mL"}]


@pytest.mark.parametrize(
    "name", ["a\x00b", "\x1b[31m", "\x7f", "a\rb", "\u202e", "\ufeffx", "👩\u200d🔬"], ids=repr
)
def test_what_does_not_print_is_refused_at_the_name_and_nowhere_else(name):
    formula = Formula("mine", name, (parse_line(f"{PRODUCT}=1 mL"),), description="of my own")
    with pytest.raises(CatalogueError) as refused:
        read(formula)
    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("text", 5)
    assert problem.message.isprintable()


def test_a_quantity_is_written_in_full():
    line = Line(PRODUCT, volume=parse_quantity("0.123456789012345 mL"))
    assert write_line(line) == f"{PRODUCT}=0.123456789012345 mL"


def test_a_strength_made_in_code_is_written_so_that_it_reads_back():
    strength = attrs.evolve(parse_strength("500 mg/5 mL"), written="")
    read_back = parse_line(write_line(Line(PRODUCT, concentration=strength, substance="ascorbic-acid")))
    assert read_back.concentration is not None
    assert attrs.evolve(read_back.concentration, written="") == strength


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("1 container", "containers", 1),
        ("2 vials", "containers", 2),
        ("3 ampoules", "containers", 3),
        ("1 kit", "containers", 1),
        ("1000 syringes", "containers", 1000),
        ("1 part", "parts", 1),
        ("20 parts", "parts", 20),
    ],
)
def test_containers_and_parts_are_counted_in_words(text, field, value):
    assert parse_line(f"{PRODUCT}={text}") == Line(PRODUCT, **{field: value})


def test_a_part_of_a_kit_and_a_measured_powder():
    line = parse_line("laboratorio-ct/gluthion-300, part powder=1 container made up to 3 mL")
    assert (line.product, line.part, line.containers) == ("laboratorio-ct/gluthion-300", "powder", 1)
    assert line.make_up_to is not None
    assert show(line.make_up_to) == "3 mL"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "line"),
        ("=", "line"),
        ("acme/one", "line"),
        ("acme/one=", "line"),
        ("acme=1 mL", "line"),
        ("ACME/One=1 mL", "line"),
        ("acme/one, part =1 mL", "line"),
        ("acme/one, part Two=1 mL", "line"),
        ("acme/one=5 mg of", "grammar"),
        ("acme/one=5 mg of Vitamin C", "line"),
        ("acme/one=0 parts", "range"),
        ("acme/one=1001 containers", "range"),
        ("acme/one=99999999999999999999 vials", "range"),
        ("acme/one=0 mL", "zero"),
        ("acme/one=0 mg of x", "zero"),
        ("acme/one=fill to 0 mL", "zero"),
        ("acme/one=1 mL made up to 0 mL", "zero"),
        ("acme/one=5 mg", "dimension"),
        ("acme/one=fill to 5 mg", "dimension"),
        ("acme/one=5,5 mL", "decimal-comma"),
        ("acme/one=-3 mL", "negative"),
        ("acme/one=5 % of x", "basis"),
        ("acme/one=1:1000 of x", "basis"),
    ],
)
def test_what_is_no_line_is_refused_with_the_reason(text, code):
    with pytest.raises(QuantityError) as refused:
        parse_line(text)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


@given(st.text())
def test_any_text_is_a_line_or_refused(text):
    for whole in (text, f"{PRODUCT}={text}", f"{text}=1 mL"):
        try:
            line = parse_line(whole)
        except QuantityError:
            continue
        assert parse_line(write_line(line)) == line
