"""What a plugin obeys that works out sessions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import attrs

from mesoformula.errors import MesoformulaError
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line, LineKind
from mesoformula.provenance import said
from mesoformula.sessions import Amount, AmountKind, Dose, LineQuantities, Session, SessionQuantities
from mesoformula.testing.canonical import canonical, is_quantity
from mesoformula.testing.examples import DAY
from mesoformula.testing.rules import Kind, NotApplicableError, rule
from mesoformula.testing.subject import Subject, first_party
from mesoformula.testing.timing import too_slow
from mesoformula.units import EXACT, EXAMPLES, kind_of, quantity, show

if TYPE_CHECKING:
    from mesoformula.units import Quantity

_HOOK = "mesoformula_work_out_session"

#: What no dose is counted in; units of activity of a plugin's own have kinds of their own.
_NO_DOSE = frozenset(EXAMPLES) - {"mass", "amount of substance", "equivalents", "activity", "osmoles"}

_AMOUNTS = ("dose", "prepared", "concentration")

_NOTHING = "it works out none of the kit's sessions; give some of its own in the fixture example_sessions"

#: So many sessions are timed.
_TIMED = 4

#: Fractions are cut off somewhere: two figures agree that differ by no more than this part.
_TOLERANCE = Decimal("1e-18")


@rule("quantities-dimensions", Kind.QUANTITIES)
def every_quantity_has_its_dimension(subject: Subject) -> Iterator[str]:
    """Volumes are lengths cubed, a concentration is what its dose is per volume; none is a binary float."""
    for place, answer in _answered(subject):
        for name, value in _volumes(answer):
            yield from _wrong_number(place, name, value)
            if is_quantity(value) and kind_of(value.units) != "volume":
                yield (
                    f"{place}: {name} is a {kind_of(value.units)}; "
                    "expected a volume, such as quantity(2, 'mL')"
                )
        for dose in answer.doses:
            given = [(one, end) for one in _AMOUNTS for end in _ends(getattr(dose, one))]
            for name, value in given:
                yield from _wrong_number(place, f"{name} of {dose.substance}", value)
            yield from _wrong_dose(place, dose)


@rule("quantities-sums", Kind.QUANTITIES)
def the_figures_of_an_answer_agree(subject: Subject) -> Iterator[str]:
    """The figures agree: what is injected and lost is prepared, a dose is its concentration injected."""
    for place, answer in _answered(subject):
        with localcontext(EXACT):
            together = answer.injected + answer.lost
            if not _same(together, answer.prepared):
                yield (
                    f"{place}: injected and lost are {show(together)}, and {show(answer.prepared)} is "
                    "prepared; expected the same"
                )
            for line in answer.lines:
                yield from _wrong_line(place, line)
            for dose in answer.doses:
                yield from _wrong_sums(place, answer, dose)


@rule("quantities-known", Kind.QUANTITIES)
def what_is_not_known_is_never_a_number(subject: Subject) -> Iterator[str]:
    """An amount says how much is known of it: nothing where it is undisclosed, and never zero instead."""
    for place, answer in _answered(subject):
        for dose in answer.doses:
            for name in _AMOUNTS:
                yield from _wrong_amount(f"{place}: {name} of {dose.substance}", getattr(dose, name))


@rule("quantities-scaling", Kind.QUANTITIES)
def twice_the_volume_takes_twice_of_every_line(subject: Subject) -> Iterator[str]:
    """Twice the volume takes twice of every line and gives twice every dose, at the same concentrations."""
    if not subject.scales_with_volume:
        raise NotApplicableError("it says that its answers do not scale with the volume")
    tried, seen = False, set[str]()
    for session in subject.sessions:
        formula = session.formula
        if formula.id in seen or any(LineKind.CONTAINERS in line.kinds for line in formula.lines):
            continue  # whole containers do not scale
        seen.add(formula.id)
        plain = [Session(formula, volume=quantity(ml, "mL"), on=DAY) for ml in (3, 6)]
        once, twice = (_outcome(subject, one) for one in plain)
        if once is None or twice is None:
            continue
        tried = True
        for name, less, more in _pairs(once, twice):
            if not _same(less * 2, more):
                yield (
                    f"{_HOOK}, formula {formula.id}: for 3 mL {name} is {show(less)}, for 6 mL {show(more)}; "
                    f"expected {show(less * 2)}"
                )
    if not tried:
        raise NotApplicableError(f"{_NOTHING}; formulas of whole containers do not scale")


@rule("quantities-asked", Kind.QUANTITIES)
def an_answer_is_to_the_session_that_was_asked(subject: Subject) -> Iterator[str]:
    """An answer carries the session that was asked, and what is injected is what was asked for."""
    for session, place, answer in _asked(subject):
        if canonical(answer.session) != canonical(session):
            yield f"{place}: the answer carries another session; hand back the one that was asked"
        if session.volume is not None and not _same(answer.injected, session.volume):
            yield f"{place}: {show(answer.injected)} are injected; asked for {show(session.volume)}"
        if {line.number for line in answer.lines} - set(range(1, len(session.formula.lines) + 1)):
            yield f"{place}: a line bears a number that the formula does not have; lines count from 1"
        if canonical(answer.working()) != canonical(answer.working()):
            yield f"{place}: the working differs from one time to the next"


@rule("quantities-impossible", Kind.QUANTITIES)
def an_impossible_wish_is_refused_with_the_reason(subject: Subject) -> Iterator[str]:
    """An impossible wish is refused with a FormulaError that says why, or left to others."""
    for about, session in _impossible(subject):
        outcome = subject.call(_HOOK, session=session, formulary=subject.formulary).made()
        if outcome.raised is not None and not isinstance(outcome.raised, MesoformulaError):
            yield (
                f"{_HOOK}, {about}: raised {said(outcome.raised)}; "
                "raise FormulaError with a Problem that says why"
            )
        elif isinstance(outcome.raised, MesoformulaError) and not str(outcome.raised).strip():
            yield (
                f"{_HOOK}, {about}: refused without a reason; name the line, what was found and what is right"
            )
        elif outcome.value is not None and not isinstance(outcome.value, SessionQuantities):
            yield (
                f"{_HOOK}, {about}: answered with a {type(outcome.value).__name__}; "
                "expected SessionQuantities"
            )
        elif outcome.value is not None and about.startswith("a volume"):
            yield f"{_HOOK}, {about}: was worked out; expected a FormulaError"


@rule("quantities-time", Kind.QUANTITIES)
def it_takes_no_longer_than_the_bundled_plugin(subject: Subject) -> Iterator[str]:
    """It takes about as long as the bundled plugin for the like."""
    sessions = [one.session for _place, one in _answered(subject)][:_TIMED]
    bundled = [Session(one, on=DAY) for one in _bundled_formulas()][:_TIMED]
    subject.needed(bundled, "there is no bundled formula to compare it with")
    formulary = subject.formulary
    yield from too_slow(
        f"{_HOOK}, one session",
        lambda: [subject.call(_HOOK, session=_renamed(one), formulary=formulary).made() for one in sessions],
        "the bundled plugin",
        lambda: [first_party().work_out_session(_renamed(one), formulary) for one in bundled],
        (len(sessions), len(bundled)),
    )


# ---- what is asked --------------------------------------------------------------------------------------


def _outcome(subject: Subject, session: Session) -> SessionQuantities | None:
    """Work out a session; None where it is left to others or refused."""
    answer = subject.call(_HOOK, session=session, formulary=subject.formulary).made().value
    return answer if isinstance(answer, SessionQuantities) else None


def _answered(subject: Subject) -> list[tuple[str, SessionQuantities]]:
    """Work out all examples, each with what it is in words."""
    return [(place, answer) for _session, place, answer in _asked(subject)]


def _asked(subject: Subject) -> list[tuple[Session, str, SessionQuantities]]:
    found = [
        (session, f"{_HOOK}, session {number} of formula {session.formula.id}", answer)
        for number, session in enumerate(subject.sessions, 1)
        if (answer := _outcome(subject, session)) is not None
    ]
    subject.needed(found, _NOTHING)
    return found


@cache
def _bundled_formulas() -> tuple[Formula, ...]:
    formulary = Formulary()
    for one in first_party().catalogues():
        formulary.add_catalogue(one.value)
    return formulary.formulas()


_names = count()


def _renamed(session: Session) -> Session:
    """Ask for a formula that nobody has seen before, so that no answer is remembered."""
    formula = attrs.evolve(session.formula, name=f"{session.formula.name} {next(_names)}")
    return attrs.evolve(session, formula=formula)


def _impossible(subject: Subject) -> Iterator[tuple[str, Session]]:
    """Make up wishes that a file or a program might ask for, and that nobody can carry out."""
    formula = subject.sessions[0].formula
    for number in ("0", "-3", "1e30"):
        yield f"a volume of {number} mL", Session(formula, volume=quantity(Decimal(number), "mL"), on=DAY)
    yield "no points", Session(formula, points=0, volume_per_point=quantity("0.05", "mL"), on=DAY)
    yield "points without a volume", Session(formula, points=10, on=DAY)
    yield "an area without points", Session(formula, area=quantity(100, "cm²"), on=DAY)
    yield "a formula without lines", Session(Formula("kit-nothing", "Nothing", ()), on=DAY)
    for name in ("kit-fictional/not-there", "\N{SUPERSCRIPT THREE}", "=1+1", ""):
        line = Line(name, volume=quantity(1, "mL"))
        yield f"product {name!r}", Session(Formula("kit-unknown", "Unknown", (line,)), on=DAY)
    product = formula.lines[0].product if formula.lines else "kit-fictional/not-there"
    dose = Line(product, dose=quantity(1, "mg"), substance="kit-not-there")
    yield "a dose of what is not in it", Session(Formula("kit-dose", "Dose", (dose,)), on=DAY)
    much = Line(product, volume=quantity(Decimal("1e30"), "mL"))
    yield "a line of 1e30 mL", Session(Formula("kit-much", "Much", (much,)), on=DAY)


# ---- what is answered -----------------------------------------------------------------------------------


def _volumes(answer: SessionQuantities) -> Iterator[tuple[str, Quantity]]:
    for name in ("injected", "lost", "prepared"):
        yield f"what is {name}", getattr(answer, name)
    if answer.volume_per_point is not None:
        yield "the volume per point", answer.volume_per_point
    for line in answer.lines:
        for name in ("volume", "measured", "error", "left"):
            value = getattr(line, name)
            if value is not None or name in ("volume", "left"):
                yield f"{name} of line {line.number}", value


def _ends(amount: Amount) -> list[Quantity]:
    return [end for end in (amount.low, amount.high) if end is not None]


def _wrong_number(place: str, name: str, value: Any) -> Iterator[str]:
    if not is_quantity(value):
        yield f"{place}: {name} is a {type(value).__name__}; expected a quantity"
    elif not isinstance(value.magnitude, Decimal) or not value.magnitude.is_finite():
        kind = type(value.magnitude).__name__
        yield (
            f"{place}: {name} is {value.magnitude!r}, a {kind}; "
            "expected a finite Decimal: no float touches a dose"
        )


def _wrong_dose(place: str, dose: Dose) -> Iterator[str]:
    kinds = {
        str(value.dimensionality)
        for name in ("dose", "prepared")
        for value in _ends(getattr(dose, name))
        if is_quantity(value)
    }
    if len(kinds) > 1:
        yield f"{place}: dose and prepared of {dose.substance} are of different dimensions; expected one"
    for value in _ends(dose.dose):
        if is_quantity(value) and kind_of(value.units) in _NO_DOSE:
            yield (
                f"{place}: the dose of {dose.substance} is a {kind_of(value.units)}; "
                "expected a mass or an activity"
            )
        for per_volume in _ends(dose.concentration):
            if is_quantity(value) and (per_volume * quantity(1, "mL")).dimensionality != value.dimensionality:
                yield (
                    f"{place}: the concentration of {dose.substance} is a {kind_of(per_volume.units)}; "
                    f"expected a {kind_of(value.units)} per volume"
                )


def _wrong_line(place: str, line: LineQuantities) -> Iterator[str]:
    if line.volume.magnitude < 0 or line.left.magnitude < 0:
        yield f"{place}: line {line.number} draws or leaves less than nothing"
    if line.containers < 0 or (line.volume.magnitude > 0 and line.containers < 1):
        yield (
            f"{place}: line {line.number} opens {line.containers} containers; "
            "containers round up to whole ones"
        )
    if line.measured is not None and line.error is not None:
        off = line.measured - line.volume
        if not _same(off, line.error):
            yield (
                f"{place}: line {line.number} is off by {show(off)} as measured, and says "
                f"{show(line.error)}; the error is measured less exact"
            )


def _wrong_sums(place: str, answer: SessionQuantities, dose: Dose) -> Iterator[str]:
    for name, volume in (("dose", answer.injected), ("prepared", answer.prepared)):
        for given, per_volume in zip(_ends(getattr(dose, name)), _ends(dose.concentration), strict=False):
            expected = per_volume * volume
            if expected.dimensionality == given.dimensionality and not _same(expected, given):
                yield (
                    f"{place}: {name} of {dose.substance} is {show(given)}; its concentration times "
                    f"{show(volume)} is {show(expected.to(given.units))}"
                )


def _wrong_amount(place: str, amount: Amount) -> Iterator[str]:
    low, high = amount.low, amount.high
    match amount.kind:
        case AmountKind.UNDISCLOSED:
            right = low is None and high is None
        case AmountKind.AT_LEAST:
            right = low is not None and high is None
        case AmountKind.STATED:
            right = low is not None and high is not None and low == high
        case _:
            right = low is not None and high is not None and low <= high
    if not right:
        ends = " to ".join("nothing" if end is None else show(end) for end in (low, high))
        yield f"{place}: {amount.kind} with {ends}; expected {_EXPECTED[amount.kind]}"


_EXPECTED = {
    AmountKind.UNDISCLOSED: "neither low nor high, and never zero",
    AmountKind.AT_LEAST: "low, and no high",
    AmountKind.STATED: "low and high alike",
    AmountKind.DISPUTED: "low, and high not below it",
}


def _same(one: Quantity, other: Quantity) -> bool:
    """Tell whether two quantities agree but for the last digits of a fraction."""
    with localcontext(EXACT):
        left, right = one.magnitude, other.to(one.units).magnitude
        return bool(abs(left - right) <= _TOLERANCE * max(abs(left), abs(right)))


def _pairs(once: SessionQuantities, twice: SessionQuantities) -> Iterator[tuple[str, Quantity, Quantity]]:
    yield "what is prepared", once.prepared, twice.prepared
    for less, more in zip(once.lines, twice.lines, strict=True):
        yield f"line {less.number}", less.volume, more.volume
    for one, other in zip(once.doses, twice.doses, strict=True):
        for low, high in zip(_ends(one.dose), _ends(other.dose), strict=True):
            yield f"the dose of {one.substance}", low, high
