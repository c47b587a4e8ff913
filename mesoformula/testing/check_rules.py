"""What a plugin obeys that checks products or sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs

from mesoformula.contract import CHECKS, WrongAnswerError
from mesoformula.fields import IDENTIFIER
from mesoformula.findings import Finding, Severity
from mesoformula.products import ContainerKind, Form, Part, Product, Vendor
from mesoformula.provenance import said
from mesoformula.sessions import Session, SessionQuantities
from mesoformula.testing.examples import DAY, ODD_TEXTS, fictional_product, own_products
from mesoformula.testing.rules import Kind, NotApplicableError, rule
from mesoformula.testing.subject import Call, Subject, first_party
from mesoformula.testing.timing import too_slow
from mesoformula.units import quantity
from mesoformula.words import shown

_PRODUCT, _SESSION = "mesoformula_check_product", "mesoformula_check_session"

#: So many sessions are timed.
_TIMED = 4


@rule("checks-words", Kind.CHECKS)
def what_it_finds_has_a_stable_code_and_a_sentence(subject: Subject) -> Iterator[str]:
    """What it finds has a code that programs may rely on, and a sentence that names what to do."""
    for call in subject.calls_of(_PRODUCT, _SESSION):
        for one in call.made().value or ():
            code, message = getattr(one, "code", None), getattr(one, "message", None)
            if not isinstance(code, str) or not re.fullmatch(IDENTIFIER, code) or len(code) > 60:
                yield f"{call.label}: the code is {shown(str(code))}; expected a word like 'too-much'"
            if not isinstance(message, str) or not message.strip():
                yield f"{call.label}: {code} says nothing; say what was found, what was expected, what to do"
            if isinstance(one, Finding) and not one.subject.strip():
                yield f"{call.label}: {code} does not say what it is about; name a product, substance or line"


@rule("checks-sources", Kind.CHECKS)
def what_stands_against_a_session_says_who_says_so(subject: Subject) -> Iterator[str]:
    """What blocks a session says who says so, unless the reason is in the products or the session itself."""
    for call in subject.calls_of(_SESSION):
        for one in call.made().value or ():
            for source in getattr(one, "sources", ()):
                if not source.where.strip():
                    yield f"{call.label}: a source of {one.code} is blank; say where it was read"
            if isinstance(one, Finding) and one.severity is Severity.UNCHECKED and not _tells(one):
                yield f"{call.label}: {one.code} is unchecked without a reason; fill in `missing`, or say it"


@rule("checks-junk", Kind.CHECKS)
def junk_is_answered_and_never_raises(subject: Subject) -> Iterator[str]:
    """Junk is answered like anything else: odd texts, unknown names, nothing at all, absurd figures."""
    for call in _junk_calls(subject):
        outcome = call.made()
        if outcome.raised is not None:
            yield f"{call.label}: raised {said(outcome.raised)}; a check answers whatever it is asked"
            continue
        for one in outcome.value:
            try:
                CHECKS[call.hook].checked(one)
            except WrongAnswerError as err:
                yield f"{call.label}: {err}"


@rule("checks-time", Kind.CHECKS)
def a_check_takes_no_longer_than_the_bundled_ones(subject: Subject) -> Iterator[str]:
    """Checking takes about as long as the bundled plugin takes for a session."""
    answers, formulary = subject.answers[:_TIMED], subject.formulary
    subject.needed(answers, "there is no session to check")
    calls = (list(subject.calls_of(_SESSION)) or list(subject.calls_of(_PRODUCT)))[:_TIMED]
    yield from too_slow(
        f"{calls[0].hook}, one call",
        lambda: [call.made() for call in calls],
        "the bundled plugin for a session",
        lambda: [first_party().check_session(one.session, one, formulary) for one in answers],
        (len(calls), len(answers)),
    )


def _tells(finding: Finding) -> bool:
    return bool(finding.missing) or len(finding.message.split()) > 3


def _junk_calls(subject: Subject) -> Iterator[Call]:
    products = list(_odd_products(subject))
    if _PRODUCT in subject.hooks:
        for about, product in products:
            yield subject.call(_PRODUCT, about, product=product)
    if _SESSION not in subject.hooks:
        return
    if not subject.answers:
        raise NotApplicableError("there is no session to check")
    for about, answer in _odd_answers(subject.answers[0], [product for _about, product in products]):
        yield subject.call(
            _SESSION, about, session=answer.session, quantities=answer, formulary=subject.formulary
        )


def _odd_products(subject: Subject) -> Iterator[tuple[str, Product]]:
    for number, text in enumerate(ODD_TEXTS, 1):
        yield (
            f"a product called by odd text {number}",
            fictional_product(text, sku=f"odd-{number}", warnings=(text,), notes=text, nicknames=(text,)),
        )
    yield "a product of a vendor without a name", fictional_product(vendor=Vendor("", ""), sku="")
    yield "a product without sources", fictional_product(sources=())
    for volume in ("0", "1e30"):
        part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity(Decimal(volume), "mL"))
        yield f"a product of {volume} mL", fictional_product(parts=(part,))
    yield "a product of unknown volume", fictional_product(parts=(Part(ContainerKind.VIAL, Form.POWDER),))
    yield from ((f"its own product {one.id}", one) for one in own_products(subject)[:5])


def _odd_answers(
    answer: SessionQuantities, products: list[Product]
) -> Iterator[tuple[str, SessionQuantities]]:
    def changed(about: str, **changes: Any) -> tuple[str, SessionQuantities]:
        session = attrs.evolve(answer.session, **changes)
        return about, attrs.evolve(answer, session=session)

    yield changed("a session that says nothing but the formula", on=None)
    yield changed("a patient of 0 years", age=0)
    yield changed("a patient of 200 years", age=200)
    yield changed("a day in the far future", on=DAY.replace(year=9999))
    yield changed("a day in the far past", on=DAY.replace(year=1))
    yield "an answer without lines and doses", attrs.evolve(answer, lines=(), doses=(), syringes=None)
    nothing, much = quantity(0, "mL"), quantity(Decimal("1e30"), "mL")
    yield "nothing injected", attrs.evolve(answer, injected=nothing, prepared=nothing, lost=nothing)
    yield "1e30 mL injected", attrs.evolve(answer, injected=much, prepared=much, lost=nothing)
    for text in ODD_TEXTS:
        doses = tuple(attrs.evolve(one, substance=text, name=text, note=text) for one in answer.doses)
        formula = attrs.evolve(answer.session.formula, name=text, description=text)
        session: Session = attrs.evolve(answer.session, formula=formula)
        yield f"doses of {shown(text)}", attrs.evolve(answer, session=session, doses=doses)
    for product in products:
        lines = tuple(attrs.evolve(line, product=product) for line in answer.lines)
        yield f"lines of {shown(product.name)}", attrs.evolve(answer, lines=lines)
