"""How much is injected, how much is lost on the way, and how much must therefore be prepared."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

import attrs

from mesoformula import Finding, FormulaError, Problem, Severity, magnitude, show

if TYPE_CHECKING:
    from mesoformula import Session
    from mesoformula_quantities.plan import Plan


@attrs.frozen
class Volumes:
    """
    The volumes of a session, in mL.

    Attributes:
        injected: Into the skin.
        lost: In syringes and needles.
        prepared: Both together.
        points: Number of injection points, if known.
        per_point: Injected at each, if known.
        syringes: How many are filled, if the syringe is known.
        steps: The working, line by line.
        findings: What could not be counted.
    """

    injected: Decimal
    lost: Decimal
    prepared: Decimal
    points: int | None
    per_point: Decimal | None
    syringes: int | None
    steps: tuple[str, ...]
    findings: tuple[Finding, ...]


def volumes(session: Session, plan: Plan) -> Volumes:
    """
    Work out the volumes of a session.

    Args:
        session: What was asked.
        plan: The solved formula.

    Returns:
        The volumes, exact.

    Raises:
        FormulaError: If the wish says too much, too little, or cannot be.
    """
    points, steps = _points(session)
    per_point = _per_point(session)
    injected: Decimal | None = None
    if session.volume is not None:
        if session.volume_per_point is not None and points is not None:
            raise _refused(
                session,
                "volume, points and volume per point say the same thing twice; leave one out",
            )
        injected = magnitude(session.volume, "mL")
        steps.append(f"injected: {show(session.volume)} as asked")
        if points is not None:
            per_point = injected / points
            steps.append(f"per point: {_ml(injected)} ÷ {points} points")
        elif session.volume_per_point is None:
            per_point = None
    elif points is not None:
        if per_point is None:
            raise _refused(session, _no_volume_per_point(session))
        injected = points * per_point
        steps.append(f"injected: {points} points × {_ml(per_point)} per point = {_ml(injected)}")
    elif session.volume_per_point is not None:
        raise _refused(session, "a volume per point needs a number of points, or an area")
    elif session.area is not None:
        raise _refused(
            session,
            "an area needs the points per area: name a technique that publishes them, or give --points-per-cm2",
        )
    else:
        per_point = None
    return _with_losses(session, plan, injected, points, per_point, steps)


def _with_losses(
    session: Session,
    plan: Plan,
    injected: Decimal | None,
    points: int | None,
    per_point: Decimal | None,
    steps: list[str],
) -> Volumes:
    """Add what stays in syringes and needles."""
    each, findings, words = _loss_per_syringe(session)
    if injected is not None:
        syringes = _syringes(session, injected)
        lost = each * (syringes or 0)
        prepared = injected + lost
    else:
        if not plan.has_size:
            raise _refused(
                session,
                "a formula in parts has no size of its own; say how much is injected, such as --volume '3 mL'",
            )
        prepared = plan.total
        # The formula as written is prepared whole: as many syringes as its volume fills.
        syringes = _syringes(session, prepared)
        lost = each * (syringes or 0)
        injected = prepared - lost
        steps.append(f"prepared: the formula as written, {_ml(prepared)}")
        if injected <= 0:
            raise _refused(
                session,
                f"all of its {_ml(prepared)} would stay in {syringes} syringes ({_ml(lost)}); prepare more",
            )
    if syringes is not None and session.syringe is not None:
        steps.append(
            f"syringes: {_ml(injected)} in syringes of {show(session.syringe.capacity)} → {syringes}"
        )
    if lost:
        steps.append(f"lost: {syringes} × {words} = {_ml(lost)}")
    steps.append(f"prepared: {_ml(injected)} injected + {_ml(lost)} lost = {_ml(prepared)}")
    return Volumes(injected, lost, prepared, points, per_point, syringes, tuple(steps), findings)


def _points(session: Session) -> tuple[int | None, list[str]]:
    if session.points is not None:
        if session.area is not None:
            raise _refused(session, "points and area say the same thing twice; leave one out")
        if session.points < 1:
            raise _refused(session, f"{session.points} points; expected at least 1")
        return session.points, [f"points: {session.points} as asked"]
    if session.area is None:
        return None, []
    per_area, where = session.points_per_area, "as asked"
    if per_area is None and session.technique is not None:
        per_area = session.technique.points_per_area
        source = session.technique.published[0].source
        where = f"{session.technique.name}; {source.kind}: {source.where}"
    if per_area is None:
        return None, []
    exact = magnitude(session.area, "cm²") * magnitude(per_area, "point/cm²")
    points = int(exact.to_integral_value(ROUND_CEILING))
    if points < 1:
        raise _refused(session, f"{show(session.area)} holds no point; expected an area above 0")
    return points, [
        f"points: {show(session.area)} × {show(per_area)} ({where}) = {points}"
        + ("" if exact == points else f", rounded up from {exact.normalize():f}")
    ]


def _per_point(session: Session) -> Decimal | None:
    if session.volume_per_point is not None:
        return magnitude(session.volume_per_point, "mL")
    if session.technique is None or session.technique.volume_per_point is None:
        return None
    published = session.technique.volume_per_point
    if published.low != published.high:
        return None
    return magnitude(published.low, "mL")


def _no_volume_per_point(session: Session) -> str:
    technique = session.technique
    if technique is None or technique.volume_per_point is None:
        named = f"; {technique.name} publishes none" if technique is not None else ""
        return f"how much goes into each point is missing{named}; give --volume-per-point or --volume"
    published = technique.volume_per_point
    return (
        f"{technique.name} is published with {show(published.low)} to {show(published.high)} per point; "
        "choose one with --volume-per-point"
    )


def _syringes(session: Session, volume: Decimal) -> int | None:
    if session.syringe is None:
        return None
    return int((volume / magnitude(session.syringe.capacity, "mL")).to_integral_value(ROUND_CEILING))


def _loss_per_syringe(session: Session) -> tuple[Decimal, tuple[Finding, ...], str]:
    """Find what each syringe and its needle keep back."""
    missing: list[str] = []
    loss = Decimal(0)
    words = []
    if session.syringe is None:
        missing.append("no syringe is named")
    elif session.syringe.dead_volume is None:
        missing.append(f"the dead volume of {session.syringe.name} is not stated")
    else:
        loss += magnitude(session.syringe.dead_volume, "mL")
        source = session.syringe.source
        words.append(
            f"{show(session.syringe.dead_volume)} at most in the syringe ({source.kind}: {source.where})"
        )
    if session.needle is None:
        missing.append("no needle is named")
    elif session.syringe is not None:
        loss += magnitude(session.needle.dead_volume, "mL")
        source = session.needle.source
        words.append(f"{show(session.needle.dead_volume)} in the needle ({source.kind}: {source.where})")
    findings = (
        (
            Finding(
                "losses-not-counted",
                Severity.UNCHECKED,
                session.formula.id,
                f"{' and '.join(missing)}: what stays behind there is not counted; prepare more, or name them",
            ),
        )
        if missing
        else ()
    )
    return loss, findings, f"({' + '.join(words)})"


def _refused(session: Session, reason: str) -> FormulaError:
    return FormulaError([Problem("session", f"session of {session.formula.id}: {reason}")])


def _ml(value: Decimal) -> str:
    text = f"{value:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} mL"
