"""What a record must obey beyond its fields: checks that need no other record."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from mesoformula.catalogue.reading import Where
from mesoformula.contents import Content
from mesoformula.elements import atoms
from mesoformula.errors import ConversionError
from mesoformula.findings import Severity
from mesoformula.formulas import Formula, Line, LineKind
from mesoformula.ingredients import Substance
from mesoformula.keeping import BeyondUseRule, SharingRule
from mesoformula.products import Doses, Form, Part, Product
from mesoformula.rules import REGIONS, WEAK, Allergen, Cross, Limit, LooksAt, Per, Rule
from mesoformula.sources import Source, SourceKind
from mesoformula.treatments import Syringe, Technique
from mesoformula.units import kind_of
from mesoformula.words import shown

#: Notes a problem: code, message, place below the record.
Report = Callable[[str, str, Where], object]


def check_record(record: Any, report: Report) -> None:
    """
    Check one record as it was read.

    Args:
        record: Any record of a catalogue.
        report: Called for every problem.
    """
    match record:
        case Product():
            _check_product(record, report)
        case Substance():
            _check_substance(record, report)
        case Formula():
            _check_formula(record, report)
        case Syringe():
            if record.graduation > record.capacity:
                report("range", "the graduation is above the capacity", ("graduation",))
        case Technique():
            if not record.published:
                report("missing", "published is empty; expected at least one source", ("published",))
        case BeyondUseRule():
            _check_beyond_use(record, report)
        case SharingRule():
            _check_rule_sources(record, report)
        case Rule():
            _check_rule(record, report)
        case Allergen():
            for number, cross in enumerate(record.crosses):
                _check_weight(cross, report, ("cross", number))
            if not record.selectors and not record.crosses:
                report("missing", "selectors is empty; expected what holds it, or a cross-allergy", ())
        case _:
            pass


def _check_product(product: Product, report: Report) -> None:
    if not product.parts:
        report("missing", "part is missing; expected at least one [[product.part]]", ())
    if not product.sources:
        report("missing", "source is missing; expected at least one [[product.source]]", ())
        return
    keys = [source.key for source in product.sources if source.key is not None]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        report("duplicate", f"two sources have the key {key!r}", ("source",))
    names = [part.name for part in product.parts]
    if len(product.parts) > 1:
        for number, name in enumerate(names):
            if name is None or names.count(name) > 1:
                report(
                    "part",
                    "parts of a kit need names of their own; expected name = 'powder' or such",
                    ("part", number),
                )
    for number, part in enumerate(product.parts):
        _check_part(product, part, report, ("part", number))
    for number, content in enumerate(product.composition):
        _check_content(product, content, report, ("composition", number))
        if len(product.parts) == 1:
            report(
                "composition",
                "a product of one part lists its composition in that part",
                ("composition", number),
            )
    if product.in_use_period is not None and product.doses is Doses.SINGLE:
        report(
            "in-use",
            "an in-use period for a single-dose container; is it stability_after_preparation?",
            ("in_use_period",),
        )
    if product.gtin is not None and not gtin_is_valid(product.gtin):
        report("gtin", f"gtin = {shown(product.gtin)}: the check digit is wrong", ("gtin",))


def _check_part(product: Product, part: Part, report: Report, where: Where) -> None:
    if part.form is Form.POWDER:
        if part.volume is not None:
            report(
                "powder", "a powder has no volume; its container's contents are a mass", (*where, "volume")
            )
    elif part.reconstitution is not None:
        report("powder", f"a {part.form} is not dissolved", (*where, "reconstitution"))
    for number, content in enumerate(part.composition):
        _check_content(product, content, report, (*where, "composition", number))
    for number, auxiliary in enumerate(part.auxiliaries):
        _check_source(product, auxiliary.source, report, (*where, "auxiliaries", number))


def _check_content(product: Product, content: Content, report: Report, where: Where) -> None:
    if (content.substance is None) == (content.ingredient_class is None):
        report("composition", "expected either substance or class", where)
    given = [
        name
        for name, there in (
            ("amount", content.strength is not None),
            ("disputed", bool(content.disputed)),
            ("undisclosed", content.undisclosed),
        )
        if there
    ]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        report("amount", f"{found}; expected exactly one of amount, disputed, undisclosed = true", where)
    if content.ingredient_class is not None and content.strength is not None:
        report("amount", "an amount needs the exact substance, not a class", where)
    if len(content.disputed) == 1:
        report("amount", "disputed lists one amount; expected at least two", (*where, "disputed"))
    if content.strength is not None:
        _check_amount_source(product, content.source, report, where)
    elif content.source is not None:
        _check_source(product, content.source, report, where)
    for number, stated in enumerate(content.disputed):
        _check_amount_source(product, stated.source, report, (*where, "disputed", number))
    for number, equivalent in enumerate(content.equivalents):
        if equivalent.holds == (equivalent.why is not None):
            found = "holds with a reason why not" if equivalent.holds else "does not hold, without why"
            report("equivalent", f"{found}; expected holds = false and why together",
                   (*where, "equivalents", number))  # fmt: skip


def _check_source(product: Product, key: str | None, report: Report, where: Where) -> bool:
    try:
        product.source(key)
    except KeyError:
        known = ", ".join(source.key for source in product.sources if source.key) or "none has a key"
        report("source", f"no source has the key {shown(str(key))}; known: {known}", (*where, "source"))
        return False
    return True


def _check_amount_source(product: Product, key: str | None, report: Report, where: Where) -> None:
    if not _check_source(product, key, report, where):
        return
    kind = product.source(key).kind
    if not kind.may_state_amounts:
        allowed = ", ".join(str(word) for word in SourceKind if word.may_state_amounts)
        report("source", f"an amount from a {kind} source; amounts may come from {allowed}", where)


def _check_substance(substance: Substance, report: Report) -> None:
    if substance.formula is not None and substance.repeat_unit is not None:
        report("formula", "formula and repeat_unit together; a polymer has only a repeat unit", ("formula",))
    for key, text in (("formula", substance.formula), ("repeat_unit", substance.repeat_unit)):
        if text is not None:
            try:
                atoms(text)
            except ConversionError as err:
                report("formula", f"{key} = {err}", (key,))
    if substance.cas is not None and not cas_is_valid(substance.cas):
        report("cas", f"cas = {shown(substance.cas)}: the check digit is wrong", ("cas",))
    if substance.activity is not None:
        per = substance.activity.per
        if kind_of(per.amount.units) != "activity" or per.per is None or kind_of(per.per.units) != "mass":
            report(
                "activity",
                f"per = {shown(per.written)}: expected IU per mass such as '1 IU/0.3 µg'",
                ("activity", "per"),
            )
    if substance.activity is not None and substance.no_activity is not None:
        report("activity", "activity and no_activity contradict each other", ("activity",))


def _check_formula(formula: Formula, report: Report) -> None:
    if not formula.lines:
        report("missing", "line is missing; expected at least one [[formula.line]]", ())
    if not formula.teaching and not formula.sources and formula.description is None:
        report("missing", "description is missing; say what it is for, or cite where it was published", ())
    for number, line in enumerate(formula.lines):
        check_line(line, report, ("line", number))
    fills = [number for number, line in enumerate(formula.lines) if LineKind.FILL_TO in line.kinds]
    for number in fills[1:]:
        report("line", "a second line with fill_to; expected at most one", ("line", number))
    if fills and formula.total is not None:
        report("total", "total and fill_to together; expected one of them", ("total",))


def check_line(line: Line, report: Report, where: Where) -> None:
    """
    Check that a formula line says how much in exactly one way.

    Args:
        line: The line.
        report: Called for every problem.
        where: Its place below the formula.
    """
    kinds = line.kinds
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none of them"
        report("line", f"{found}; expected exactly one of {', '.join(LineKind)}", where)
        return
    needs = kinds[0] in (LineKind.DOSE, LineKind.CONCENTRATION)
    if needs and line.substance is None:
        report("line", f"{kinds[0]} of what? expected substance = 'ascorbic-acid' or such", where)
    if not needs and line.substance is not None:
        report("line", f"substance goes with dose or concentration, not with {kinds[0]}", where)
    if line.concentration is not None and line.concentration.per is None:
        report("line", "a concentration in the mixture is per volume; expected such as '5 mg/mL'", where)


def _check_beyond_use(rule: BeyondUseRule, report: Report) -> None:
    _check_rule_sources(rule, report)
    if rule.session_only == (rule.period is not None):
        found = "period and session_only together" if rule.session_only else "neither period nor session_only"
        report("period", f"{found}; expected one of them, such as period = '28 d'", ())
    if rule.unless_stated and rule.session_only:
        report(
            "period",
            "no in-use period takes the place of session_only; leave unless_stated out",
            ("unless_stated",),
        )


def _check_rule_sources(rule: BeyondUseRule | SharingRule, report: Report) -> None:
    if not rule.sources:
        report("missing", "source is empty; expected at least one source", ("source",))


def _check_rule(rule: Rule, report: Report) -> None:
    _check_weight(rule, report, ())
    for number, presence in enumerate(rule.present):
        where = ("present", number)
        if not presence.any_of:
            report("missing", "any_of is empty; expected at least one selector", (*where, "any_of"))
        strength = presence.concentration_from
        if strength is not None and (strength.per is None or kind_of(strength.per.units) != "volume"):
            message = "concentration_from is not per volume; expected such as '25 mg/mL'"
            report("limit", message, (*where, "concentration_from"))
    if not _has_condition(rule):
        report("missing", "no condition; expected one such as present, products or conditions", ())
    if rule.limit is not None:
        _check_limit(rule.limit, report)
    if rule.region is not None and rule.region not in REGIONS:
        message = f"region = {shown(rule.region)} is not known; expected such as EU, FR, UK, US or KR"
        report("region", message, ("region",))
    if rule.looks_at is LooksAt.LAW:
        for key, value in (("region", rule.region), ("periods", rule.periods)):
            if not value:
                report("law", f"{key} is missing; a rule on law says where and since when it holds", ())
    _check_periods(rule, report)


def _has_condition(rule: Rule) -> bool:
    return any(
        (
            rule.present, rule.ph_below, rule.products, rule.kinds, rule.containers, rule.doses, rule.mixing,
            rule.routes, rule.zones, rule.techniques, rule.conditions, rule.allergies, rule.allergic,
            rule.age_below, rule.limit,
        )
    )  # fmt: skip


def _check_weight(rule: Rule | Cross, report: Report, where: Where) -> None:
    """Check that somebody answers for how heavily a rule speaks."""
    if not rule.sources:
        report("missing", "source is empty; expected at least one source", (*where, "source"))
    elif rule.severity in (Severity.BLOCK, Severity.OVERRIDE) and _all_weak(rule.sources):
        kinds = ", ".join(sorted({str(source.kind) for source in rule.sources}))
        message = (
            f"severity = '{rule.severity}' rests on {kinds} alone, which may at most warn; "
            "cite a label, a regulator or a paper, or lower it to 'warn'"
        )
        report("severity", message, (*where, "severity"))
    if rule.severity is Severity.UNCHECKED:
        message = (
            "severity = 'unchecked' is what a check says where a fact is missing; "
            "expected block, override, warn or info"
        )
        report("severity", message, (*where, "severity"))


def _all_weak(sources: tuple[Source, ...]) -> bool:
    return all(source.kind in WEAK for source in sources)


#: What a limit on a substance is counted in.
_DOSES = ("mass", "activity", "amount of substance", "equivalents")


def _check_limit(limit: Limit, report: Report) -> None:
    where = ("limit",)
    if (limit.per is Per.PERIOD) != (limit.period is not None):
        found = "period without" if limit.period is not None else "no period with"
        report("limit", f"{found} per = 'period'; expected both, such as period = '1 d'", where)
    kind = kind_of(limit.above.units)
    if limit.of and kind not in _DOSES:
        report(
            "limit", f"above is {kind}; expected a dose such as '10 mg' of what is named", (*where, "above")
        )
    elif not limit.of and kind != "volume":
        message = "expected a volume such as '2 mL', or of = ['moiety:glutathione'] or such"
        report("limit", f"above is {kind} of nothing; {message}", (*where, "above"))


def _check_periods(rule: Rule, report: Report) -> None:
    for number, period in enumerate(rule.periods):
        if period.end is not None and period.end <= period.start:
            message = f"the period ends {period.end}, not after its start {period.start}; mend the dates"
            report("period", message, ("periods", number))
    ordered = sorted(enumerate(rule.periods), key=lambda one: one[1].start)
    for (before, first), (number, second) in pairwise(ordered):
        if first.end is None:
            message = (
                f"the period from {first.start} has no end, and another begins {second.start}; join them"
            )
            report("period", message, ("periods", before, "end"))
        elif second.start < first.end:
            message = f"the period from {second.start} overlaps the one from {first.start}; join them"
            report("period", message, ("periods", number))


def cas_is_valid(number: str) -> bool:
    """
    Verify a CAS registry number's check digit.

    Args:
        number: Such as `50-81-7`.

    Returns:
        Whether its last digit follows from the others.
    """
    digits = number.replace("-", "")
    weighted = sum(place * int(digit) for place, digit in enumerate(reversed(digits[:-1]), start=1))
    return weighted % 10 == int(digits[-1])


def gtin_is_valid(number: str) -> bool:
    """
    Verify a GTIN's check digit (GS1 General Specifications, section 7.9).

    Args:
        number: 8, 12, 13 or 14 digits.

    Returns:
        Whether its last digit follows from the others.
    """
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number)))
    return weighted % 10 == 0
