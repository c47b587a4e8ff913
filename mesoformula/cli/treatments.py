"""`mesoformula formulas`, `zones`, `techniques`, `protocols` and `syringes`: what a session may name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

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
from mesoformula.search import Name, match
from mesoformula.units import show

if TYPE_CHECKING:
    from mesoformula.ingredients import Range
    from mesoformula.sources import Source
    from mesoformula.treatments import Geometry, Needle, Protocol, Syringe

Names = Callable[[Any], Iterable[str]]


def _by_name(one: Any) -> Iterable[str]:
    return (one.name, one.id, *getattr(one, "synonyms", ()))


def _print(
    noun: str,
    items: Sequence[Any],
    text: str | None,
    as_json: bool,
    show_all: Callable[[Sequence[Any]], None],
    names: Names = _by_name,
) -> None:
    """Print what is on offer, or what of it a text finds, the best first."""
    app = app_of()
    found = list(items)
    if text is not None:
        matches = [
            (one.weight, item.id, item)
            for item in items
            if (one := match(text, [Name(name, "name") for name in names(item)])) is not None
        ]
        found = [item for _weight, _id, item in sorted(matches, key=lambda entry: entry[:2])]
    if as_json:
        print_json([to_plain(item, full=True) for item in found])
    elif found:
        show_all(found)
        click.echo(counted(len(found), noun) if noun != "syringe or needle" else f"{len(found)} in all")
    elif not items:
        print_wrapped(nothing_offered(app, noun))
    else:
        click.echo(f"no {noun} found; list them all with: mesoformula {noun}s")
    report_problems(app)


def _in_table(
    headings: Sequence[str], row: Callable[[Any], Sequence[object]]
) -> Callable[[Sequence[Any]], None]:
    return lambda found: print_table(headings, [row(item) for item in found])


def _in_blocks(facts: Callable[[Any], Iterable[str]]) -> Callable[[Sequence[Any]], None]:
    """Print each with its facts below it, so that an address is never broken."""

    def print_all(found: Sequence[Any]) -> None:
        for item in found:
            print_wrapped(f"{item.name} ({item.id})")
            for fact in facts(item):
                print_wrapped(fact, first="  ")

    return print_all


@click.command("formulas", epilog=example("mesoformula formulas vitamin"))
@click.argument("text", required=False)
@json_option
def formulas(text: str | None, as_json: bool) -> None:
    """List the formulas on offer; TEXT finds names, ids and products."""
    _print(
        "formula",
        app_of().formulary.formulas(),
        text,
        as_json,
        _in_table(
            ("formula", "what it is for"), lambda one: (named(one.name, one.id), one.description or "")
        ),
        lambda one: (*_by_name(one), *(line.product for line in one.lines)),
    )


@click.command("zones", epilog=example("mesoformula zones hand"))
@click.argument("text", required=False)
@json_option
def zones(text: str | None, as_json: bool) -> None:
    """List zones. No source publishes their areas: measure yours, and give it to a session with --area."""
    _print(
        "zone",
        app_of().formulary.zones(),
        text,
        as_json,
        _in_blocks(lambda one: (*filter(None, (one.note,)), *map(_source, one.sources))),
    )


@click.command("techniques", epilog=example("mesoformula techniques nappage"))
@click.argument("text", required=False)
@json_option
def techniques(text: str | None, as_json: bool) -> None:
    """List techniques; where sources disagree they stand below each other, the one followed first."""
    _print(
        "technique",
        app_of().formulary.techniques(),
        text,
        as_json,
        _in_blocks(
            lambda one: (
                *(f"{_geometry(item)} ({_source(item.source)})" for item in one.published),
                *filter(None, (one.reason,)),
            )
        ),
    )


@click.command("protocols", epilog=example("mesoformula protocols profhilo"))
@click.argument("text", required=False)
@json_option
def protocols(text: str | None, as_json: bool) -> None:
    """List schedules of sessions as somebody published them; TEXT finds names, products and zones."""
    _print(
        "protocol",
        app_of().formulary.protocols(),
        text,
        as_json,
        _in_blocks(
            lambda one: (
                schedule(one),
                *([f"for {', '.join(one.products)}"] if one.products else []),
                *([f"on {', '.join(one.zones)}"] if one.zones else []),
                *([f"steps: {'; '.join(one.steps)}"] if one.steps else []),
                *filter(None, (one.as_published, one.note)),
                _source(one.source),
            )
        ),
        lambda one: (*_by_name(one), *one.products, *one.zones),
    )


@click.command("syringes", epilog=example("mesoformula syringes"))
@json_option
def equipment(as_json: bool) -> None:
    """List syringes and needles, with their graduation and what stays behind in them."""
    formulary = app_of().formulary
    items: tuple[Syringe | Needle, ...] = (*formulary.syringes(), *formulary.needles())
    shown = _in_table(("syringe or needle", "graduation", "stays behind"), _equipment)
    _print("syringe or needle", items, None, as_json, shown)


def _equipment(one: Any) -> Sequence[object]:
    graduation = getattr(one, "graduation", None)
    dead = one.dead_volume
    return (
        named(one.name, one.id),
        "" if graduation is None else show(graduation),
        "not stated" if dead is None else show(dead),
    )


def schedule(protocol: Protocol) -> str:
    """
    Say how often and how far apart.

    Args:
        protocol: As published.

    Returns:
        Text such as `4 to 6, every 14 days, then every 1 month`.
    """
    number = str(protocol.sessions)
    if protocol.sessions_at_most is not None:
        number += f" to {protocol.sessions_at_most}"
    said = [f"{number} session{'s' if number != '1' else ''}"]
    if protocol.interval is not None:
        said.append(f"{protocol.interval} apart")
    if protocol.then_every is not None:
        said.append(f"then every {protocol.then_every}")
    if protocol.volume is not None:
        said.append(f"{_range(protocol.volume)} each")
    return ", ".join(said)


def _geometry(one: Geometry) -> str:
    said = []
    if one.depth is not None:
        said.append(f"{_range(one.depth)} deep")
    if one.volume_per_point is not None:
        said.append(f"{_range(one.volume_per_point)} per point")
    if one.spacing is not None:
        said.append(f"{_range(one.spacing)} apart")
    if one.points_per_area is not None:
        said.append(show(one.points_per_area))
    return "; ".join((*said, *filter(None, (one.note,)))) or "nothing in figures"


def _range(one: Range) -> str:
    return show(one.low) if one.low == one.high else f"{show(one.low)} to {show(one.high)}"


def _source(source: Source) -> str:
    return f"{source.kind}: {source.where}"
