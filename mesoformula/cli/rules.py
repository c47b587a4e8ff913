"""`mesoformula rules`: what is checked, how heavily it speaks, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import (
    app_of,
    counted,
    named,
    nothing_offered,
    print_json,
    print_table,
    print_wrapped,
    report_problems,
)
from mesoformula.cli.options import example, json_option
from mesoformula.encoding import to_plain
from mesoformula.rules import Allergen, Condition, Rule, Selector, words_of
from mesoformula.search import Name, match
from mesoformula.units import show
from mesoformula.words import folded

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.rules import Limit, Period
    from mesoformula.sources import Source


@click.command("rules", epilog=example("mesoformula rules selenite"))
@click.argument("text", required=False)
@click.option("--conditions", is_flag=True, help="List what a patient may have that rules ask for.")
@click.option("--allergens", is_flag=True, help="List the allergens that have a name of their own.")
@json_option
def command(text: str | None, conditions: bool, allergens: bool, as_json: bool) -> None:
    """List the rules of safety; TEXT finds ids, messages and substances, and an id shows all of one rule."""
    if conditions and allergens:
        raise click.UsageError("--conditions and --allergens are two lists; ask for one of them")
    formulary = app_of().formulary
    if conditions:
        _vocabulary("condition", formulary.conditions(), text, as_json)
    elif allergens:
        _vocabulary("allergen", formulary.allergens(), text, as_json)
    else:
        _rules(formulary, text, as_json)
    report_problems(app_of())


def _rules(formulary: Formulary, text: str | None, as_json: bool) -> None:
    found = list(formulary.rules())
    if text is not None:
        exact = [rule for rule in found if rule.id == text]
        found = exact or [rule for rule in found if _is_meant(rule, text, formulary)]
    if as_json:
        print_json([to_plain(rule, full=True) for rule in found])
    elif len(found) == 1 and text is not None:
        _one(found[0])
    elif found:
        print_table(
            ("rule", "looks at", "message"),
            ((f"{rule.severity}\n  {rule.id}", rule.looks_at, rule.message) for rule in found),
        )
        click.echo(f"{counted(len(found), 'rule')}; sources, region and dates of one: mesoformula rules ID")
    elif not formulary.names("rule"):
        print_wrapped(nothing_offered(app_of(), "rule"))
    else:
        near = formulary.nearest("rule", text or "")
        hint = f"did you mean {' or '.join(near)}?" if near else "list them all with: mesoformula rules"
        print_wrapped(f"no rule found; {hint}")


def _is_meant(rule: Rule, text: str, formulary: Formulary) -> bool:
    """Tell whether a text occurs in a rule's message, or comes near a name in it."""
    wanted = folded(text)
    if not wanted:
        return False
    if wanted in folded(rule.message) or wanted in folded(rule.id):
        return True
    words = [rule.severity.value, rule.looks_at.value, *_words(rule, formulary)]
    return match(text, [Name(word, "name") for word in words]) is not None


def _words(rule: Rule, formulary: Formulary) -> Iterable[str]:
    yield from (rule.region or "", *rule.products, *rule.zones, *rule.techniques)
    for section, ids in (("condition", rule.conditions), ("allergen", rule.allergies)):
        for name in ids:
            record = formulary.entries(section).get(name)
            known = formulary.read(record) if record is not None else None
            yield from words_of(known) if known is not None else (name,)
    for text in rule.selectors:
        name = Selector.of(text).name
        yield name
        entry = formulary.entries("substance").get(name)
        known = formulary.read(entry) if entry is not None else None
        if known is not None:
            yield from (known.name, *known.synonyms)


def _one(rule: Rule) -> None:
    """Print all of one rule."""
    click.echo(f"{rule.id}: {rule.severity}, looks at {rule.looks_at}")
    print_wrapped(rule.message, first="  ")
    for name, said in _conditions(rule):
        print_wrapped(said, first=f"  {name}: ", rest="    ")
    print_wrapped(rule.region or "everywhere", first="  where: ")
    print_wrapped(" and ".join(map(_period, rule.periods)) or "always", first="  in force: ", rest="    ")
    if rule.note is not None:
        print_wrapped(rule.note, first="  ")
    for source in rule.sources:
        print_wrapped(_source(source), first="  - ")


def _conditions(rule: Rule) -> Iterable[tuple[str, str]]:
    """List what must hold for it to speak, in words."""
    for presence in rule.present:
        said = " or ".join(presence.any_of)
        if presence.concentration_from is not None:
            said += f", {presence.concentration_from.written} or more in the mixture"
        yield "holds", said
    if len(rule.present) > 1 and not rule.one_container:
        yield "and", "not all of it from one container, where it is the maker's matter"
    if rule.ph_below is not None:
        yield "pH", f"below {rule.ph_below} in any part of the mixture, as published"
    lists: Sequence[tuple[str, Sequence[str]]] = (
        ("product", rule.products),
        ("kind", rule.kinds),
        ("container", rule.containers),
        ("doses", rule.doses),
        ("mixed although its maker says", rule.mixing),
        ("route", rule.routes),
        ("zone", rule.zones),
        ("technique", rule.techniques),
        ("condition", rule.conditions),
        ("allergy", rule.allergies),
    )
    for name, words in lists:
        if words:
            yield name, " or ".join(words)
    if rule.allergic:
        yield "allergy", "to anything that a product holds"
    if rule.age_below is not None:
        yield "age", f"below {rule.age_below} years"
    if rule.limit is not None:
        yield "amount", _limit(rule.limit)


def _limit(limit: Limit) -> str:
    over = show(limit.period) if limit.period is not None else str(limit.per)
    what = f" of {' or '.join(limit.of)}" if limit.of else ""
    return f"more than {show(limit.above)}{what} per {over}"


def _period(period: Period) -> str:
    return f"from {period.start}" if period.end is None else f"from {period.start} until before {period.end}"


def _source(source: Source) -> str:
    return f"{source.kind}: {source.where}" + (f" ({source.note})" if source.note is not None else "")


def _vocabulary(
    noun: str, known: Sequence[Condition] | Sequence[Allergen], text: str | None, as_json: bool
) -> None:
    """Print the words that lead to conditions or allergens."""
    found = [
        one
        for one in known
        if text is None or match(text, [Name(word, "name") for word in words_of(one)]) is not None
    ]
    if as_json:
        print_json([to_plain(one, full=True) for one in found])
    elif found:
        print_table(
            (noun, "also called"), ((named(one.name, one.id), ", ".join(one.synonyms)) for one in found)
        )
        click.echo(counted(len(found), noun))
        if noun == "allergen":
            click.echo("any substance is an allergen too: mesoformula substances TEXT")
    elif not known:
        print_wrapped(nothing_offered(app_of(), noun))
    else:
        click.echo(f"no {noun} found; list them all with: mesoformula rules --{noun}s")
