"""Overrides: which may be given, what they cover, and how records keep them."""

from __future__ import annotations

import pytest

from mesoformula import Finding, Override, Session, Severity
from mesoformula.app import App
from mesoformula.errors import OverrideError, UnknownNameError
from mesoformula.findings import decisions, ready, standing
from mesoformula.overriding import check_overrides

NEEDED = Finding("needed", Severity.OVERRIDE, "acme/a", "said")
OTHER = Finding("needed", Severity.OVERRIDE, "acme/b", "said")
BLOCK = Finding("never", Severity.BLOCK, "acme/a", "said")
TOLD = Finding("told", Severity.WARN, "acme/a", "said")
ALL = (BLOCK, NEEDED, OTHER, TOLD)


def override(code: str = "needed", subject: str | None = None, **given: str) -> Override:
    return Override(code, given.get("reason", "as agreed"), given.get("by", "N. Roux"), subject)


def test_an_override_lets_go_on_against_what_needs_one_and_nothing_else():
    assert standing((NEEDED, OTHER, TOLD)) == (NEEDED, OTHER)
    assert standing((NEEDED, OTHER, TOLD), (override(),)) == ()
    assert standing((NEEDED, OTHER), (override(subject="acme/a"),)) == (OTHER,)
    assert ready((NEEDED,), (override(),))
    assert not ready((NEEDED,), (override("other"),))


def test_a_block_stands_whatever_is_decided():
    assert standing(ALL, (override(), override("never"))) == (BLOCK,)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (override("never"), "is a block, and no block can be overridden"),
        (override("told"), "is of severity warn and needs no override; what needs one: needed"),
        (override("nedeed"), "no finding is called 'nedeed'; what needs an override: needed"),
        (override(subject="acme/c"), "no finding is called 'needed' of 'acme/c'"),
        (override(reason=" "), "nothing is no reason"),
        (override(reason="x" * 301), "is no reason; expected 1 to 300 characters"),
        (override(by="a\nb"), "is no name of who decides"),
    ],
)
def test_what_cannot_be_overridden_is_refused_with_the_reason(given, said):
    with pytest.raises(OverrideError) as refused:
        check_overrides((given,), ALL)
    assert said in str(refused.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(OverrideError) as refused:
        check_overrides((override("never"), override("nothing", reason="")), ALL)
    assert len(refused.value.problems) == 3


def test_decisions_of_one_person_and_reason_are_written_together():
    told = decisions((override(), override("other", "acme/a"), override("third", by="A. Blanc")))
    assert told == ("needed, other of acme/a by N. Roux: as agreed", "third by A. Blanc: as agreed")


def test_the_answer_keeps_overrides_and_their_findings():
    app = App()
    session = Session(app.formula("b-braun/sodium-chloride-0-9-10ml"))
    assert not app.work_out(session).ready
    answer = app.work_out(session, (override("route-off-label"),))
    assert answer.ready
    assert answer.overrides == (override("route-off-label"),)
    assert "route-off-label" in [finding.code for finding in answer.findings]
    with pytest.raises(OverrideError):
        app.work_out(session, (override("route-external-only"),))


@pytest.mark.parametrize(
    "asked", [{"conditions": ("pregnant",)}, {"allergies": ("no such thing",)}, {"region": "ZZ"}], ids=str
)
def test_a_word_that_no_check_understands_is_refused(asked):
    app = App()
    with pytest.raises(UnknownNameError):
        app.work_out(Session(app.formula("b-braun/sodium-chloride-0-9-10ml"), **asked))
