"""How much is injected, how much is lost on the way, and how much must therefore be prepared."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import Finding, FormulaError, Problem, Severity, magnitude, plain, show

if TYPE_CHECKING:
    from mesoformula import Quantity, Session
    from mesoformula_quantities.plan import Plan

_ZERO = Decimal(0)


class Volumes(NamedTuple):
    """
    The volumes of a session, in mL.

    Attributes:
        injected: Into the skin.
        lost: In syringes and needles, and what is too little to fill another.
        prepared: Both together.
        points: Number of injection points, if known.
        per_point: Injected at each, if known.
        syringes: How many are filled, if the syringe is known.
        exact_points: Area × points per area, before it is rounded up.
        loss_per_syringe: What a syringe and its needle keep back.
        findings: What could not be counted.
    """

    injected: Decimal
    lost: Decimal
    prepared: Decimal
    points: int | None
    per_point: Decimal | None
    syringes: int | None
    exact_points: Decimal | None
    loss_per_syringe: Decimal
    findings: tuple[Finding, ...]


def volumes(session: Session, plan: Plan) -> Volumes:
    """
    Work out the volumes of a session, at the precision of the context.

    Args:
        session: What was asked.
        plan: The solved formula.

    Returns:
        The volumes, exact.

    Raises:
        FormulaError: If the wish says too much, too little, or cannot be.
    """
    points, exact_points = _points(session)
    injected, per_point = _injected(session, points)
    loss, findings = _loss_per_syringe(session)
    capacity = None if session.syringe is None else magnitude(session.syringe.capacity, "mL")
    syringes: int | None = None
    if injected is not None:
        if capacity is not None:
            syringes = int((injected / capacity).to_integral_value(ROUND_CEILING))
        lost = loss * (syringes or 0)
        prepared = injected + lost
    else:
        prepared = _as_written(session, plan)
        injected, lost = prepared, _ZERO
        if capacity is not None:
            syringes, lost = _filled(prepared, capacity, loss)
            injected = prepared - lost
        if injected <= 0:
            raise _refused(
                session,
                f"all of its {plain(prepared)} mL would stay in the syringe and the needle; prepare more",
            )
    return Volumes(injected, lost, prepared, points, per_point, syringes, exact_points, loss, findings)


def _injected(session: Session, points: int | None) -> tuple[Decimal | None, Decimal | None]:
    """Tell how much is injected in all, None for the formula as written, and how much at each point."""
    if session.volume is not None:
        injected = _above_zero(session, "volume", session.volume)
        if points is None:
            return injected, _chosen_per_point(session)
        if session.volume_per_point is not None:
            raise _refused(
                session, "volume, points and volume per point say the same thing twice; leave one out"
            )
        return injected, injected / points
    if points is not None:
        per_point = _chosen_per_point(session)
        if per_point is None:
            per_point = _published_per_point(session)
        return points * per_point, per_point
    if session.volume_per_point is not None:
        raise _refused(session, "a volume per point needs a number of points, or an area")
    if session.area is not None:
        raise _refused(
            session,
            "an area needs the points per area: name a technique that has them, or give --points-per-cm2",
        )
    return None, None


def _as_written(session: Session, plan: Plan) -> Decimal:
    """Take the volume of the formula itself, where nothing else was asked."""
    if not plan.has_size:
        raise _refused(
            session,
            "a formula in parts has no size of its own; say how much is injected, such as --volume '3 mL'",
        )
    return plan.total


def _filled(prepared: Decimal, capacity: Decimal, loss: Decimal) -> tuple[int, Decimal]:
    """
    Fill syringes with a given volume, each to its capacity and what it keeps back beyond.

    A rest that another syringe would keep back whole is not drawn up; it is lost too.
    """
    full = (prepared / (capacity + loss)).to_integral_value(ROUND_FLOOR)
    rest = prepared - full * (capacity + loss)
    if rest > loss:
        return int(full) + 1, (full + 1) * loss
    return int(full), full * loss + rest


def _points(session: Session) -> tuple[int | None, Decimal | None]:
    if session.points is not None:
        if session.area is not None:
            raise _refused(session, "points and area say the same thing twice; leave one out")
        if type(session.points) is not int:
            raise _refused(session, f"points = {session.points!r:.20}; expected a whole number")
        if session.points < 1:
            raise _refused(session, f"{session.points} points; expected at least 1")
    if session.area is None:
        if session.points_per_area is not None:
            raise _refused(session, "points per area need an area")
        return session.points, None
    area = _above_zero(session, "area", session.area, "cm²")
    per_area = session.points_per_area
    if per_area is None and session.technique is not None:
        per_area = session.technique.points_per_area
    if per_area is None:
        return None, None
    exact = area * _above_zero(session, "points per area", per_area, "point/cm²")
    return int(exact.to_integral_value(ROUND_CEILING)), exact


def _chosen_per_point(session: Session) -> Decimal | None:
    if session.volume_per_point is None:
        return None
    return _above_zero(session, "volume per point", session.volume_per_point)


def _published_per_point(session: Session) -> Decimal:
    technique = session.technique
    if technique is None or technique.volume_per_point is None:
        named = f"; {technique.name} publishes none" if technique is not None else ""
        raise _refused(
            session, f"how much goes into each point is missing{named}; give --volume-per-point or --volume"
        )
    published = technique.volume_per_point
    low, high = magnitude(published.low, "mL"), magnitude(published.high, "mL")
    if low != high:
        raise _refused(
            session,
            f"{technique.name} is published with {show(published.low)} to {show(published.high)} per point; "
            "choose one with --volume-per-point",
        )
    return low


def _above_zero(session: Session, what: str, value: Quantity, unit: str = "mL") -> Decimal:
    number = magnitude(value, unit)
    if number <= 0:
        raise _refused(session, f"{what} {show(value)}; expected one above 0")
    return number


def _loss_per_syringe(session: Session) -> tuple[Decimal, tuple[Finding, ...]]:
    """Find what each syringe and its needle keep back."""
    syringe, needle = session.syringe, session.needle
    loss = _ZERO
    missing: list[str] = []
    if syringe is None:
        missing.append("no syringe is named")
    elif syringe.dead_volume is None:
        missing.append(f"the dead volume of {syringe.name} is not stated")
    else:
        loss += magnitude(syringe.dead_volume, "mL")
    if needle is None:
        missing.append("no needle is named")
    elif syringe is not None:
        loss += magnitude(needle.dead_volume, "mL")
    if not missing:
        return loss, ()
    if syringe is None and needle is None:
        missing = ["neither syringe nor needle is named"]
    message = f"{' and '.join(missing)}: what stays behind there is not counted; prepare more, or name them"
    return loss, (Finding("losses-not-counted", Severity.UNCHECKED, session.formula.id, message),)


def _refused(session: Session, reason: str) -> FormulaError:
    return FormulaError([Problem("session", f"session of {session.formula.id}: {reason}")])
