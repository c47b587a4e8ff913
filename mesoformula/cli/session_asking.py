"""What a session is asked for on the command line: options, and the session and answer that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from mesoformula.cli.checked import (
    allergies_named,
    check_options,
    conditions_named,
    overrides_given,
    region_of,
    route_named,
)
from mesoformula.cli.options import DayType, QuantityType, WholeType
from mesoformula.errors import FormulaError, OverrideError, Problem, UnknownNameError
from mesoformula.findings import Override
from mesoformula.products import Product
from mesoformula.sessions import Session
from mesoformula.units import show
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.app import Answer, App
    from mesoformula.sessions import PastDose
    from mesoformula.units import Quantity

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def session_options(function: F) -> F:
    """
    Add what says how a session is: where, how much, with what, and what the checks ask for.

    Args:
        function: The command; takes all of it as keywords, as `Asked` names them.

    Returns:
        The command with the options.
    """
    function = check_options(function)
    for option in reversed(
        (
            click.option("--zone", metavar="ZONE", help="Where, such as face."),
            click.option(
                "--technique", metavar="TECHNIQUE", help="How; may say how much goes into each point."
            ),
            click.option(
                "--volume", type=QuantityType("volume"), metavar="VOLUME",
                help="Injected in all, such as '3 mL'.",
            ),
            click.option(
                "--points", type=WholeType(1, 100_000), metavar="N", help="Number of injection points."
            ),
            click.option(
                "--area", type=QuantityType("area"), metavar="AREA", help="Of the zone, such as '150 cm²'."
            ),
            click.option(
                "--points-per-cm2", type=WholeType(1, 100), metavar="N", help="Instead of the technique's."
            ),
            click.option(
                "--volume-per-point", type=QuantityType("volume"), metavar="VOLUME",
                help="Instead of the technique's.",
            ),
            click.option(
                "--syringe", metavar="SYRINGE", help="Injected with, such as 1-ml; its losses are added."
            ),
            click.option("--needle", metavar="NEEDLE", help="Injected through; its losses are added."),
            click.option("--measure-with", metavar="SYRINGE", help="Measured with, if not the same."),
            click.option("--on", type=DayType(), metavar="DAY", help="The day, such as 2026-11-23."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


@attrs.frozen
class Asked:
    """
    What the options of a session say, as they were given.

    Attributes:
        zone: Id of a zone.
        technique: Id of a technique.
        volume: Injected in all.
        points: Number of injection points.
        area: Of the zone.
        points_per_cm2: Instead of the technique's.
        volume_per_point: Instead of the technique's.
        syringe: Id of what it is injected with.
        needle: Id of what it is injected through.
        measure_with: Id of what it is measured with.
        on: The day.
        route: Word for the way of administration.
        region: Two letters; None asks the settings.
        conditions: Words for what the patient has.
        allergies: Words for what the patient is allergic to.
        age: Of the patient.
        codes: Of findings that are overridden.
        reason: Why they are.
    """

    zone: str | None
    technique: str | None
    volume: Quantity | None
    points: int | None
    area: Quantity | None
    points_per_cm2: int | None
    volume_per_point: Quantity | None
    syringe: str | None
    needle: str | None
    measure_with: str | None
    on: date | None
    route: str
    region: str | None
    conditions: tuple[str, ...]
    allergies: tuple[str, ...]
    age: int | None
    codes: tuple[str, ...]
    reason: str | None

    def overrides(self, by: str | None) -> tuple[Override, ...]:
        """
        Read the overrides.

        Args:
            by: Who decides.

        Returns:
            The overrides.

        Raises:
            click.UsageError: If reason or name is missing, or given for nothing.
        """
        return overrides_given(self.codes, self.reason, by)


def worked_out(
    app: App, formula: str, asked: Asked, *, by: str | None, reference: str | None, stock: str | None
) -> Answer:
    """
    Work out and check the session that a command asks for.

    Args:
        app: Of this run.
        formula: As typed.
        asked: The options.
        by: Who decides on overrides.
        reference: Of the session; what the stock knows of it is counted in limits over a period.
        stock: As given.

    Returns:
        The answer.

    Raises:
        click.UsageError: If an option names nothing, or an override cannot be given.
        FormulaError: If the wish is impossible.
        MesoformulaError: As `App.work_out` says.
    """
    from mesoformula.units import quantity

    overrides = asked.overrides(by)
    known = app.formulary
    per_area = asked.points_per_cm2
    session = Session(
        formula=app.formula(formula),
        zone=_named("--zone", asked.zone, known.zone, known.names("zone")),
        technique=_named("--technique", asked.technique, known.technique, known.names("technique")),
        volume=asked.volume,
        points=asked.points,
        area=asked.area,
        points_per_area=quantity(per_area, "point/cm²") if per_area is not None else None,
        volume_per_point=asked.volume_per_point,
        syringe=_named("--syringe", asked.syringe, known.syringe, known.names("syringe")),
        measuring_syringe=_named("--measure-with", asked.measure_with, known.syringe, known.names("syringe")),
        needle=_named("--needle", asked.needle, known.needle, known.names("needle")),
        on=asked.on,
        route=route_named(asked.route),
        region=region_of(asked.region),
        conditions=conditions_named(asked.conditions, known),
        allergies=allergies_named(asked.allergies, known),
        age=asked.age,
        past=_past(app, reference, stock) if reference is not None else None,
    )
    try:
        return app.work_out(session, overrides)
    except OverrideError as err:
        why = "".join(f" ({plugin})" for plugin in app.missing_plugins())
        messages = "; ".join(problem.message for problem in err.problems)
        raise click.UsageError(f"--override: {messages}{why}") from err
    except FormulaError as err:
        if not known.has_product(formula):
            raise
        raise FormulaError(_of_product(known.product(formula), err.problems)) from err


def _past(app: App, reference: str, stock: str | None) -> tuple[PastDose, ...] | None:
    """Read what earlier sessions of the reference took, for limits over a period."""
    from contextlib import closing

    from mesoformula.cli.stock.common import open_store
    from mesoformula.stock.views.past_doses import past_doses

    with closing(open_store(app, stock)) as store:
        return past_doses(store, reference)


def _named(option: str, name: str | None, find: Callable[[str], T], known: Sequence[str]) -> T | None:
    """Find what an option names; there are few of each, so that all are told."""
    if name is None:
        return None
    try:
        return find(name)
    except UnknownNameError:
        expected = f"expected one of {', '.join(known)}" if known else "no plugin or catalogue offers any"
        raise click.UsageError(f"{option} {shown(name)} is not known; {expected}") from None


def _of_product(product: Product, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Say what stands against a product as a formula of one line, and how a formula could say more."""
    for problem in problems:
        message = problem.message.removeprefix(f"formula {product.id}: line 1 ({product.id}): ")
        yield attrs.evolve(problem, message=f"{product.id}: {message}")
    several = len(product.parts) > 1
    for part in product.parts:
        made = part.reconstitution
        if made is not None or several:
            chosen = f", part {part.name}" if several else ""
            up_to = f" made up to {show(made.volume)}" if made is not None else ""
            line = f"{product.id}{chosen}=1 container{up_to}"
            yield Problem("try", f"write it as a formula: mesoformula formula new my.toml --line '{line}'")
            return
        if part.volume is None:
            message = (
                "if the pack says it, a catalogue of your own can state it as a new revision: --catalogue"
            )
            yield Problem("try", message)
            return
