"""How much of a session is injected, lost and prepared: one cell to change, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

from mesoformula import Quantity, magnitude, plain
from mesoformula.sheets import Allowed, Apply, Expression, Fact, Facts, Function, Holds, Live, Named
from mesoformula_excel.live import EXACT, apply, whole_up

if TYPE_CHECKING:
    from mesoformula import Session, SessionQuantities
    from mesoformula.languages import Words

#: Names of cells that others refer to.
INJECTED, PREPARED, LOST, SYRINGES = (
    "session_injected",
    "session_prepared",
    "session_lost",
    "session_syringes",
)

#: What may be entered for a volume in mL: text, nothing and less than nothing are none.
SOME_VOLUME = Allowed(low=Decimal("0.001"))

#: Two volumes that differ by less are one: a cell keeps about 15 digits.
_SAME = Decimal("0.000000001")


def volumes(quantities: SessionQuantities, say: Words) -> Facts:
    """
    Say how much is injected, lost and prepared.

    Args:
        quantities: Of the session.
        say: The language.

    Returns:
        Facts: what is injected is a cell to change, and the others follow.
    """
    session = quantities.session
    injected, lost = magnitude(quantities.injected, "mL"), magnitude(quantities.lost, "mL")
    prepared = magnitude(quantities.prepared, "mL")
    places = 3
    facts = [
        Fact(
            say("Injected (mL), to change"),
            injected,
            Holds.DECIMAL,
            places,
            name=INJECTED,
            is_input=True,
            allowed=SOME_VOLUME,
        ),
        Fact(say("Checked for this volume"), _same(injected, say)),
    ]
    facts += _points(quantities, injected, say)
    each = _loss_of_each(session)
    if session.syringe is not None and quantities.syringes is not None:
        capacity = magnitude(session.syringe.capacity, "mL")
        fills = whole_up(apply(Function.DIVIDE, Named(INJECTED), capacity))
        facts.append(Fact(say("Syringes to fill"), Live(quantities.syringes, fills, SYRINGES), Holds.WHOLE))
        facts.append(Fact(say("Lost in each (mL)"), each, Holds.DECIMAL, places))
        facts.append(
            Fact(
                say("Lost (mL)"),
                Live(lost, _lost(injected, lost, each, quantities.syringes), LOST),
                Holds.DECIMAL,
                places,
            )
        )
        total: Expression = apply(Function.ADD, Named(INJECTED), Named(LOST))
    else:
        facts.append(Fact(say("Lost (mL)"), say("not counted: no syringe is named")))
        total = Named(INJECTED)
    facts.append(
        Fact(say("Prepare (mL)"), Live(prepared, total, PREPARED, is_vital=True), Holds.DECIMAL, places)
    )
    return Facts(tuple(facts), title=say("How much"))


def _same(injected: Decimal, say: Words) -> Live:
    """Warn once the volume is another than the one that was checked."""
    yes = say("yes")
    no = say("NO: for {volume} mL; have it checked again", volume=_rounded(injected))
    return Live(yes, apply(Function.IF, _is(Named(INJECTED), injected), yes, no), is_vital=True)


def _is(volume: Expression, other: Decimal) -> Apply:
    distance = apply(Function.ABSOLUTE, apply(Function.SUBTRACT, volume, other))
    return apply(Function.BELOW, distance, _SAME)


def told(volume: Quantity) -> str:
    """
    Tell a volume in words, to the nanolitre.

    Args:
        volume: Any.

    Returns:
        Text such as `2.5 mL`; the cells hold it in full.
    """
    return f"{_rounded(magnitude(volume, 'mL'))} mL"


def _rounded(number: Decimal) -> str:
    rounded = number.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return f"{'' if rounded == number else '≈'}{plain(rounded.normalize())}"


def _points(quantities: SessionQuantities, injected: Decimal, say: Words) -> Iterator[Fact]:
    if quantities.points is not None:
        yield Fact(say("Points"), quantities.points, Holds.WHOLE)
        with localcontext(EXACT):
            each = injected / quantities.points
        how = apply(Function.DIVIDE, Named(INJECTED), quantities.points)
        yield Fact(say("At each point (mL)"), Live(each, how), Holds.DECIMAL, 4)
    elif quantities.volume_per_point is not None:
        yield Fact(say("At each point (mL)"), magnitude(quantities.volume_per_point, "mL"), Holds.DECIMAL, 4)


def _loss_of_each(session: Session) -> Decimal:
    """Tell what a syringe and its needle keep back; 0 where it is not stated, of which a finding tells."""
    syringe, needle = session.syringe, session.needle
    kept: list[Quantity] = []
    if syringe is not None:
        kept += [one for one in (syringe.dead_volume,) if one is not None]
        kept += [needle.dead_volume] if needle is not None else []
    return sum((magnitude(one, "mL") for one in kept), Decimal(0))


def _lost(injected: Decimal, lost: Decimal, each: Decimal, syringes: int) -> Expression:
    """Say how what is lost follows; a formula as written may leave a rest that fills no other syringe."""
    kept_back: Expression = apply(Function.TIMES, Named(SYRINGES), each)
    if lost == each * syringes:
        return kept_back
    return apply(Function.IF, _is(Named(INJECTED), injected), lost, kept_back)
