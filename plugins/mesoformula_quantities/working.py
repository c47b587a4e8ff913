"""The working of a session, in words, for whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from mesoformula import AmountKind, LineKind, Step, show
from mesoformula_quantities.precision import SESSION, number

if TYPE_CHECKING:
    from mesoformula import Session, Source
    from mesoformula_quantities.doses import PlannedDose, Term
    from mesoformula_quantities.figures import DoseFigures, Figures, LineFigures
    from mesoformula_quantities.plan import Measure, Plan, PlannedLine
    from mesoformula_quantities.volumes import Volumes


def steps(
    session: Session, planned: Plan, needed: Volumes, figures: Figures, measures: Sequence[Measure]
) -> tuple[Step, ...]:
    """
    Write down how the answer came about.

    Args:
        session: What was asked.
        planned: The solved formula.
        needed: The volumes of the session.
        figures: Every number of it.
        measures: What the numbers were measured with.

    Returns:
        Inputs with their sources, each step, and the rounding.
    """
    with localcontext(SESSION):
        said = [Step("session", text) for text in _session(session, needed)]
        total = f"{number(planned.total)} mL"
        if +needed.prepared != +planned.total:
            scale = f"{number(needed.prepared)} ÷ {number(planned.total)}"
            text = f"as written it makes {total}; everything × {scale}"
            said.append(Step("formula", text))
        for line, figure in zip(planned.lines, figures.lines, strict=True):
            subject = f"line {line.number}"
            said += [Step(subject, text) for text in _line(line, figure, planned, needed, measures)]
        for dose, amounts in zip(planned.doses, figures.doses, strict=True):
            said += [Step(dose.substance, text) for text in _dose(dose, amounts, planned, needed)]
    return tuple(said)


def _session(session: Session, needed: Volumes) -> Iterator[str]:
    """Tell how much is injected, lost and prepared, and why."""
    yield from _points(session, needed)
    injected, prepared = f"{number(needed.injected)} mL", f"{number(needed.prepared)} mL"
    as_written = session.volume is None and needed.points is None
    if session.volume is not None:
        yield f"injected: {show(session.volume)} as asked"
        if needed.per_point is not None and needed.points is not None:
            yield f"per point: {injected} ÷ {needed.points} points = {number(needed.per_point)} mL"
    elif needed.points is not None and needed.per_point is not None:
        where = "as asked" if session.volume_per_point is not None else _technique(session)
        each = f"{number(needed.per_point)} mL per point ({where})"
        yield f"injected: {needed.points} points × {each} = {injected}"
    else:
        yield f"prepared: the formula as written, {prepared}"
    if session.syringe is not None:
        of = prepared if as_written else injected
        yield f"syringes: {of} in syringes of {show(session.syringe.capacity)} → {needed.syringes}"
    if needed.lost:
        kept_back = needed.loss_per_syringe * (needed.syringes or 0)
        text = f"lost: {needed.syringes} × {_losses(session)}"
        if needed.lost != kept_back:
            text += f" + {number(needed.lost - kept_back)} mL, too little for another syringe"
        yield f"{text} = {number(needed.lost)} mL"
    if as_written:
        yield f"injected: {prepared} prepared − {number(needed.lost)} mL lost = {injected}"
    else:
        yield f"prepared: {injected} injected + {number(needed.lost)} mL lost = {prepared}"


def _points(session: Session, needed: Volumes) -> Iterator[str]:
    if session.points is not None:
        yield f"points: {session.points} as asked"
        return
    if session.area is None or needed.exact_points is None:
        return
    per_area, where = session.points_per_area, "as asked"
    if per_area is None and session.technique is not None:
        per_area, where = session.technique.points_per_area, _technique(session)
    if per_area is None:
        return
    text = f"points: {show(session.area)} × {show(per_area)} ({where}) = {number(needed.exact_points)}"
    yield text if needed.exact_points == needed.points else f"{text}, rounded up to {needed.points}"


def _technique(session: Session) -> str:
    technique = session.technique
    return "" if technique is None else f"{technique.name}; {_source(technique.published[0].source)}"


def _source(source: Source) -> str:
    return f"{source.kind}: {source.where}"


def _losses(session: Session) -> str:
    """Tell what a syringe and its needle keep back, and who says so."""
    words = []
    syringe, needle = session.syringe, session.needle
    if syringe is not None and syringe.dead_volume is not None:
        words.append(f"{show(syringe.dead_volume)} at most in the syringe ({_source(syringe.source)})")
    if needle is not None:
        words.append(f"{show(needle.dead_volume)} in the needle ({_source(needle.source)})")
    return f"({' + '.join(words)})"


def _line(
    line: PlannedLine, figure: LineFigures, planned: Plan, needed: Volumes, measures: Sequence[Measure]
) -> Iterator[str]:
    """Tell what one line takes, how it is measured, and what is opened for it."""
    total = number(planned.total)
    volume = f"{number(line.volume)} mL"
    yield f"{line.product.name}: {_asked(line)} → {volume} of {total} mL"
    if line.drawn.reconstitution is not None:
        yield f"{line.drawn.reconstitution} → {number(line.drawn.unit_volume)} mL"
    if +needed.prepared != +planned.total:
        yield f"{volume} × {number(needed.prepared)} ÷ {total} = {number(figure.volume)} mL"
    if figure.scale >= 0 and figure.left:
        syringe = measures[figure.scale].syringe
        yield (
            f"measured on {syringe.name} (graduation {show(syringe.graduation)}, half up): "
            f"{number(figure.measured)} mL, error {number(figure.error)} mL"
        )
    kind = "kit" if line.drawn.is_mixed_kit else "container"
    source = _source(line.product.sources[0])
    each = f"{number(line.drawn.unit_volume)} mL per {kind} ({source})"
    yield (
        f"{number(figure.volume)} mL ÷ {each}, rounded up: {figure.containers} to open, "
        f"{number(figure.left)} mL left"
    )


def _asked(line: PlannedLine) -> str:
    asked = line.line
    if asked.volume is not None:
        return show(asked.volume)
    if asked.containers is not None:
        unit = "kit(s)" if line.drawn.is_mixed_kit else "container(s)"
        return f"{asked.containers} {unit} of {number(line.drawn.unit_volume)} mL"
    if asked.dose is not None:
        return f"{show(asked.dose)} of {asked.substance}"
    if asked.concentration is not None:
        return f"{asked.concentration} of {asked.substance} in the mixture"
    if line.kind is LineKind.PARTS:
        return f"{asked.parts} part(s)"
    return f"fill to {show(asked.fill_to)}" if asked.fill_to is not None else ""


def _dose(dose: PlannedDose, amounts: DoseFigures, planned: Plan, needed: Volumes) -> Iterator[str]:
    """Tell what every line brings of a substance, and what is injected of the sum."""
    for term in dose.terms:
        yield _term(term)
    _made_low, _made_high, given_low, given_high = amounts
    if given_low is None or dose.low is None:
        yield f"not known: {dose.note}"
        return
    high = None if dose.high is None else dose.high * planned.total
    least = "at least " if high is None else ""
    yield (
        f"{least}{_ends(dose.low * planned.total, high)} {dose.unit} in {number(planned.total)} mL; "
        f"× {number(needed.injected)} mL injected ÷ {number(planned.total)} mL = "
        f"{least}{_ends(given_low, given_high)} {dose.unit}"
    )
    if dose.kind is AmountKind.AT_LEAST:
        yield f"there may be more: {dose.note}"


def _term(term: Term) -> str:
    amount = term.amount
    if amount is None:
        return f"line {term.line}: {term.holding.name}, amount not known"
    ends = number(amount.low)
    if amount.high != amount.low:
        ends = f"{ends} to {number(amount.high)}"
    return f"line {term.line}: {amount.written} = {ends} {amount.unit}/mL × {number(term.volume)} mL"


def _ends(low: Decimal, high: Decimal | None) -> str:
    if high is None or high == low:
        return number(low)
    return f"{number(low)} to {number(high)}"
