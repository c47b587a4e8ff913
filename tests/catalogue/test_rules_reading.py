"""Rules are read whole, and every mistake in one is named with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.findings import Severity
from mesoformula.ingredients import Moiety, NucleicAcid, Substance
from mesoformula.rules import EU_MEMBERS, REGIONS, LooksAt, Per, Period, Rule, Selector, SelectorKind
from mesoformula.sources import Source, SourceKind

RULE = """
schema = 1

[[substance]]
id = "ascorbic-acid"
name = "Ascorbic acid"
class = "vitamin"
role = "antioxidant"
origin = "orange"

[[condition]]
id = "pregnancy"
name = "Pregnancy"

[[allergen]]
id = "citrus"
name = "Citrus"
selectors = ["origin:orange"]

[[rule]]
id = "everything"
looks_at = "law"
severity = "block"
message = "it is not allowed: do not do it"
present = [
  { any_of = ["moiety:ascorbic-acid"], concentration_from = "25 mg/mL" },
]
ph_below = "5.0"
one_container = true
kinds = ["device"]
containers = ["vial"]
doses = ["multi"]
mixing = ["no", "not stated"]
routes = ["intradermal"]
conditions = ["pregnancy"]
allergies = ["citrus"]
allergic = true
age_below = 18
limit = { above = "10 mg", per = "period", of = ["ascorbic-acid"], period = "1 d" }
region = "FR"
periods = [
  { start = 2011-04-12, end = 2011-06-17 },
  { start = 2012-02-17 },
]
source = [{ kind = "REG", where = "a fictional law", read = 2026-11-23 }]
"""


def line_of(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.strip("\n").splitlines(), 1) if wanted in line)


def test_a_rule_with_everything_is_read_as_it_is_written(make_catalogue: Callable[..., Any]) -> None:
    made = make_catalogue(RULE)

    assert made.problems == ()
    (rule,) = made.formulary.rules()
    assert rule == made.formulary.rule("everything")
    assert (rule.looks_at, rule.severity) == (LooksAt.LAW, Severity.BLOCK)
    assert rule.selectors == ("moiety:ascorbic-acid", "ascorbic-acid")
    assert rule.present[0].concentration_from.written == "25 mg/mL"
    assert (rule.limit.per, rule.ph_below, rule.age_below) == (Per.PERIOD, "5.0", 18)
    assert [period.start for period in rule.periods] == [date(2011, 4, 12), date(2012, 2, 17)]


MISTAKES = [
    ('severity = "block"', 'severity = "deadly"', "word", 'severity = "deadly"'),
    ('severity = "block"', 'severity = "unchecked"', "severity", 'severity = "unchecked"'),
    ('kind = "REG"', 'kind = "CLINIC"', "severity", 'severity = "block"'),
    ('kind = "REG"', 'kind = "REPO"', "severity", 'severity = "block"'),
    ("end = 2011-06-17", "end = 2011-04-12", "period", "end = 2011-04-12"),
    ("end = 2011-06-17", "end = 2012-02-18", "period", "{ start = 2012-02-17 }"),
    (", end = 2011-06-17", "", "period", "start = 2011-04-12 }"),
    ("start = 2012-02-17", "start = 2011-05-01", "period", "{ start = 2011-05-01 }"),
    ("end = 2011-06-17", 'end = "soon"', "type", 'end = "soon"'),
    ('region = "FR"', 'region = "QQ"', "region", 'region = "QQ"'),
    ('region = "FR"', 'region = "France"', "text", 'region = "France"'),
    ('region = "FR"\n', "", "law", "[[rule]]"),
    ("moiety:ascorbic-acid", "moiety:ascorbik-acid", "unknown-substance", "moiety:ascorbik-acid"),
    ("moiety:ascorbic-acid", "class:vitamines", "unknown-class", "class:vitamines"),
    ("moiety:ascorbic-acid", "role:antioxidants", "unknown-role", "role:antioxidants"),
    ('any_of = ["moiety:ascorbic-acid"]', 'any_of = ["origin:apple"]', "unknown-origin", "origin:apple"),
    ("moiety:ascorbic-acid", "genus:citrus", "text", "genus:citrus"),
    ('["moiety:ascorbic-acid"]', "[]", "missing", "any_of = []"),
    ('"25 mg/mL"', '"25 mg per container"', "limit", "25 mg per container"),
    ('"25 mg/mL"', '"25 mg/g"', "limit", "25 mg/g"),
    ('ph_below = "5.0"', 'ph_below = "acid"', "text", 'ph_below = "acid"'),
    ('["pregnancy"]', '["pregnant"]', "unknown-condition", '["pregnant"]'),
    ('["citrus"]', '["citron"]', "unknown-allergen", '["citron"]'),
    ("age_below = 18", "age_below = 0", "range", "age_below = 0"),
    (', period = "1 d"', "", "limit", "limit ="),
    ('above = "10 mg"', 'above = "10 mL"', "limit", 'above = "10 mL"'),
    (', of = ["ascorbic-acid"]', "", "limit", "limit ="),
    ('["intradermal"]', '["by mouth"]', "word", '["by mouth"]'),
    ("allergic = true", 'zones = ["nose"]', "unknown-zone", '["nose"]'),
    ("allergic = true", 'techniques = ["stab"]', "unknown-technique", '["stab"]'),
    ("allergic = true", 'products = ["acme/x"]', "unknown-product", '["acme/x"]'),
    ("allergic = true", "allergik = true", "unknown-key", "allergik = true"),
    ('name = "Citrus"', 'name = "Citrus"\nsynonyms = ["!"]', None, ""),
]


@pytest.mark.parametrize(("right", "wrong", "code", "place"), MISTAKES, ids=lambda value: str(value)[:30])
def test_each_mistake_is_named_with_its_line(
    make_catalogue: Callable[..., Any], right: str, wrong: str, code: str | None, place: str
) -> None:
    assert right in RULE
    text = RULE.replace(right, wrong, 1)

    found = make_catalogue(text).found

    assert found == ([] if code is None else [(line_of(text, place), code)])


def test_a_word_that_leads_to_two_conditions_is_a_problem(make_catalogue: Callable[..., Any]) -> None:
    text = RULE + '[[condition]]\nid = "other"\nname = "Other"\nsynonyms = ["PREGNANCY"]\n'

    assert make_catalogue(text).found == [(line_of(text, "PREGNANCY"), "duplicate")]


def test_a_rule_that_is_offered_twice_is_a_problem(make_catalogue: Callable[..., Any]) -> None:
    again = RULE.partition("[[rule]]")[2]

    found = make_catalogue(RULE, f"schema = 1\n[[rule]]{again}").found

    assert found == [(2, "duplicate")]


def test_a_heavy_rule_may_also_cite_a_clinic(make_catalogue: Callable[..., Any]) -> None:
    clinic = '{ kind = "CLINIC", where = "a clinic", read = 2026-11-23 }'

    assert make_catalogue(RULE.replace("source = [", f"source = [{clinic}, ")).problems == ()


# ---- records -------------------------------------------------------------------------------------------

LECITHIN = Substance("soy-lecithin", "Soy lecithin", role="emulsifier", origin="soybean")
DNA = Substance("pdrn", "PDRN", ingredient_class="nucleic_acid", attributes=NucleicAcid(origin="Salmon"))
SALT = Substance("sodium-ascorbate", "Sodium ascorbate", "vitamin", moieties=(Moiety("ascorbic-acid"),))


@pytest.mark.parametrize(
    ("text", "kind", "selected"),
    [
        ("soy-lecithin", SelectorKind.SUBSTANCE, {"soy-lecithin"}),
        ("moiety:soy-lecithin", SelectorKind.MOIETY, {"soy-lecithin"}),
        ("moiety:ascorbic-acid", SelectorKind.MOIETY, {"sodium-ascorbate"}),
        ("ascorbic-acid", SelectorKind.SUBSTANCE, set()),
        ("class:vitamin", SelectorKind.CLASS, {"sodium-ascorbate"}),
        ("role:emulsifier", SelectorKind.ROLE, {"soy-lecithin"}),
        ("origin:soybean", SelectorKind.ORIGIN, {"soy-lecithin"}),
        ("origin:salmon", SelectorKind.ORIGIN, {"pdrn"}),
    ],
)
def test_a_selector_selects_by_its_kind(text: str, kind: SelectorKind, selected: set[str]) -> None:
    selector = Selector.of(text)

    assert selector.kind is kind
    assert {one.id for one in (LECITHIN, DNA, SALT) if selector.selects(one)} == selected


def test_where_a_product_takes_a_substance_from_counts_too() -> None:
    bare = Substance("sodium-dna", "Sodium DNA", ingredient_class="nucleic_acid")

    assert not Selector.of("origin:trout").selects(bare)
    assert Selector.of("origin:trout").selects(bare, NucleicAcid(origin="trout"))


def test_a_class_named_alone_is_selected_by_its_class_only() -> None:
    assert Selector.of("class:vitamin").selects_class("vitamin")
    assert not Selector.of("moiety:ascorbic-acid").selects_class("vitamin")


def test_every_member_of_the_union_is_a_region() -> None:
    assert len(EU_MEMBERS) == 27
    assert EU_MEMBERS < REGIONS
    assert {"EU", "UK", "US", "KR"} <= REGIONS


DAYS = st.dates(date(2000, 1, 1), date(2030, 12, 31))
PERIODS = st.builds(
    lambda start, length: Period(start, None if length is None else start + timedelta(days=length)),
    DAYS,
    st.none() | st.integers(1, 5000),
)


@given(st.lists(PERIODS, max_size=4), DAYS)
def test_a_rule_is_in_force_on_the_days_of_its_periods_ends_excluded(
    periods: list[Period], day: date
) -> None:
    source = Source(SourceKind.REG, "a law", date(2026, 11, 23))
    rule = Rule("r", LooksAt.LAW, Severity.WARN, "m", (source,), region="FR", periods=tuple(periods))
    spelled = not periods or any(
        one.start.toordinal() <= day.toordinal() < (one.end or date.max).toordinal() for one in periods
    )

    assert rule.in_force(day) is spelled
