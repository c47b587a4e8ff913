"""Lots are chosen by a named policy, and no policy's answer is taken unchecked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula import Candidate, Choice, ChoiceError, LotPolicy, Need, Problem, StockError, hookimpl
from mesoformula.app import App
from mesoformula.contract import WrongAnswerError
from mesoformula.errors import PluginConflictError, PluginResultError, UnknownNameError
from mesoformula.plugins import BLOCK_VARIABLE, PluginManager, State, empty_manager
from mesoformula.stock.picks.policies import BUILT_IN, FEFO, STRICT, validated

Choose = Callable[[Need, Sequence[Candidate]], Any]

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def lot(
    name: str,
    containers: int = 3,
    expiry: date | None = date(2027, 5, 31),
    received_at: datetime = MAY,
    location: str = "main",
) -> Candidate:
    return Candidate(f"{name}@{location}", "acme/c-500", name, location, expiry, received_at, containers)


def need(containers: int, *lots: str) -> Need:
    return Need("acme/c-500", containers, lots)


def taken(policy: LotPolicy, wanted: Need, candidates: Sequence[Candidate]) -> list[tuple[str, int]]:
    return [(one.key, one.containers) for one in policy.choose(wanted, candidates)]


# ---- first expired, first out --------------------------------------------------------------------


def test_what_expires_first_is_taken_first_and_no_expiry_last() -> None:
    candidates = [
        lot("never", expiry=None),
        lot("late", expiry=date(9999, 12, 31)),
        lot("soon", expiry=date(2026, 12, 31)),
    ]

    assert taken(FEFO, need(7), candidates) == [("soon@main", 3), ("late@main", 3), ("never@main", 1)]


def test_ties_go_by_receipt_then_lot_number_then_location() -> None:
    candidates = [
        lot("B", received_at=MAY, location="shelf"),
        lot("B", received_at=MAY, location="fridge"),
        lot("A", received_at=MAY, location="shelf"),
        lot("Z", received_at=MAY - timedelta(days=1)),
    ]

    assert [key for key, _ in taken(FEFO, need(12), candidates)] == [
        "Z@main",
        "A@shelf",
        "B@fridge",
        "B@shelf",
    ]


def test_less_than_wanted_is_chosen_if_less_is_there() -> None:
    assert taken(FEFO, need(5), [lot("A")]) == [("A@main", 3)]
    assert taken(FEFO, need(5), []) == []


def test_only_named_lots_are_taken() -> None:
    candidates = [lot("A", expiry=date(2026, 12, 31)), lot("B"), lot("C", expiry=date(2027, 1, 31))]

    assert taken(FEFO, need(5, "B", "C"), candidates) == [("C@main", 3), ("B@main", 2)]
    assert taken(FEFO, need(5, "gone"), candidates) == []


names = st.text("AB1", min_size=1, max_size=3)
candidate = st.builds(
    Candidate,
    key=st.just(""),
    product=st.just("acme/c-500"),
    lot=names,
    location=st.sampled_from(["main", "fridge"]),
    expiry=st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 5)),
    received_at=st.sampled_from([MAY, MAY + timedelta(hours=1)]),
    containers=st.integers(1, 5),
)
stocks = st.lists(candidate, max_size=8, unique_by=lambda one: (one.lot, one.location)).map(
    lambda many: [attrs.evolve(one, key=f"k{number}") for number, one in enumerate(many)]
)
needs = st.builds(
    Need,
    st.just("acme/c-500"),
    st.integers(1, 30),
    st.just(()) | st.lists(names, min_size=1, max_size=3).map(tuple),
)


def expiring(one: Candidate) -> date:
    return one.expiry or date.max


@given(needs, stocks)
def test_no_container_that_expires_earlier_is_skipped(wanted: Need, candidates: list[Candidate]) -> None:
    chosen = {one.key: one.containers for one in FEFO.choose(wanted, candidates)}
    open_to = [one for one in candidates if not wanted.lots or one.lot in wanted.lots]
    left = [one for one in open_to if chosen.get(one.key, 0) < one.containers]
    used = [one for one in open_to if one.key in chosen]

    assert all(expiring(one) <= expiring(other) for one in used for other in left)
    assert sum(chosen.values()) == min(wanted.containers, sum(one.containers for one in open_to))


@given(needs, stocks, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_candidates(
    wanted: Need, candidates: list[Candidate], random: Any
) -> None:
    turned = list(candidates)
    random.shuffle(turned)

    assert list(FEFO.choose(wanted, turned)) == list(FEFO.choose(wanted, candidates))


@given(needs, stocks)
def test_what_the_policies_of_the_core_choose_is_valid(wanted: Need, candidates: list[Candidate]) -> None:
    for policy in BUILT_IN:
        try:
            answer = tuple(policy.choose(wanted, candidates))
        except ChoiceError:
            continue
        assert validated(wanted, candidates, answer) == answer


# ---- strict --------------------------------------------------------------------------------------


def test_strict_leaves_a_choice_to_the_user_and_lists_the_lots() -> None:
    candidates = [lot("B\x1b[2J", expiry=None), lot("A", location="fridge")]

    with pytest.raises(ChoiceError) as caught:
        STRICT.choose(need(5), candidates)

    assert isinstance(caught.value, StockError)
    (problem,) = caught.value.problems
    assert problem.code == "lot-choice"
    assert problem.message == (
        "acme/c-500: 5 containers of which lot? The policy 'strict' leaves that to you; name one or several "
        "of 'A' (3 in 'fridge', expires 2027-05-31); 'B\\x1b[2J' (3 in 'main', no expiry)"
    )
    assert str(caught.value) == f"[lot-choice] {problem.message}"


def test_a_long_list_of_lots_is_cut() -> None:
    with pytest.raises(ChoiceError) as caught:
        STRICT.choose(need(1), [lot(f"L{number:02}") for number in range(20)])

    assert caught.value.problems[0].message.endswith("; and 12 more")
    assert "'L07'" in caught.value.problems[0].message


def test_strict_needs_no_name_where_there_is_no_choice() -> None:
    two_places = [lot("A"), lot("A", location="fridge")]

    assert taken(STRICT, need(1), [lot("A")]) == [("A@main", 1)]
    assert taken(STRICT, need(4), two_places) == [("A@fridge", 3), ("A@main", 1)]
    assert taken(STRICT, need(6), [lot("A"), lot("B")]) == [("A@main", 3), ("B@main", 3)]
    assert taken(STRICT, need(9), [lot("A"), lot("B")]) == [("A@main", 3), ("B@main", 3)]
    assert taken(STRICT, need(9), []) == []


def test_strict_takes_the_named_lots() -> None:
    candidates = [lot("A", expiry=date(2026, 12, 31)), lot("B"), lot("C")]

    assert taken(STRICT, need(2, "B"), candidates) == [("B@main", 2)]
    assert taken(STRICT, need(5, "B"), candidates) == [("B@main", 3)]


# ---- answers -------------------------------------------------------------------------------------

STOCK = [lot("A", 4), lot("B", 5)]
A, B = "A@main", "B@main"


async def _asynchronous(wanted: Need, candidates: Sequence[Candidate]) -> list[Choice]:
    return []


def _endless(wanted: Need, candidates: Sequence[Candidate]) -> Iterator[Choice]:
    while True:
        yield Choice(A, 1)


#: What a lying policy may answer to five of two lots, four and five of each, and what is said to it.
LIES: list[tuple[Any, str]] = [
    (5, "answered with an int"),
    ("AB", "answered with a str"),
    ({A: 5}, "answered with a dict"),
    (Choice(A, 5), "answered with a Choice"),
    ([A], "expected a Choice"),
    ([(A, 5)], "expected a Choice"),
    ([None], "expected a Choice"),
    ([Choice("C", 5)], "'C', which is none of the candidates"),
    ([Choice(cast("str", None), 5)], "'None', which is none of the candidates"),
    ([Choice(cast("str", []), 5)], "'[]', which is none of the candidates"),
    ([Choice(A, 2), Choice(A, 3)], f"chose {A!r} twice"),
    ([Choice(B, 5), Choice(A, 0)], "whole number above 0"),
    ([Choice(B, 5), Choice(A, -1)], "whole number above 0"),
    ([Choice(A, cast("int", 2.5)), Choice(B, cast("int", 2.5))], "whole number above 0"),
    ([Choice(A, True), Choice(B, 4)], "whole number above 0"),
    ([Choice(A, cast("int", "5"))], "whole number above 0"),
    ([Choice(A, 5)], "of which 4 are there"),
    ([Choice(A, 4), Choice(B, 5)], "chose 9 although 5 are wanted"),
    ([Choice(B, 3)], "chose 3 of 5 although 9 are there"),
    ([], "chose 0 of 5 although 9 are there"),
    (None, "chose 0 of 5 although 9 are there"),
]


@pytest.mark.parametrize(("answer", "said"), LIES, ids=range(len(LIES)))
def test_a_wrong_answer_is_refused(answer: Any, said: str) -> None:
    with pytest.raises(WrongAnswerError) as caught:
        validated(need(5), STOCK, answer)

    assert said in str(caught.value)


def test_a_lot_that_was_not_named_is_refused() -> None:
    with pytest.raises(WrongAnswerError, match="chose lot 'A' although 'B' was named"):
        validated(need(5, "B"), STOCK, [Choice(A, 4), Choice(B, 1)])


def test_an_answer_may_be_short_where_no_more_is_there_of_what_was_named() -> None:
    assert validated(need(9, "A"), STOCK, [Choice(A, 4)]) == (Choice(A, 4),)
    assert validated(need(5, "gone"), STOCK, None) == ()


def test_the_order_of_an_answer_is_kept() -> None:
    answer = (Choice(B, 1), Choice(A, 4))

    assert validated(need(5), STOCK, iter(answer)) == answer


# ---- policies of plugins -------------------------------------------------------------------------


def offering(*policies: Any) -> ModuleType:
    module = ModuleType("made_for_a_test")
    module.mesoformula_lot_policies = hookimpl(lambda: policies)  # type: ignore[attr-defined]
    return module


def manager_with(*plugins: ModuleType, strict: bool = False) -> PluginManager:
    manager = empty_manager(strict=strict)
    for number, one in enumerate(plugins, 1):
        manager.register(one, f"p{number}", distribution=f"fake-p{number}", version="1.0")
    return manager


def policy(choose: Choose, name: str = "ours") -> LotPolicy:
    return LotPolicy(name, name, "fictional", choose)


def app_with(choose: Choose) -> App:
    return App(manager=manager_with(offering(policy(choose))))


def largest_first(need: Need, candidates: Sequence[Candidate]) -> Iterable[Choice]:
    left = need.containers
    for one in sorted(candidates, key=lambda one: (-one.containers, one.key)):
        if left and (not need.lots or one.lot in need.lots):
            count = min(left, one.containers)
            left -= count
            yield Choice(one.key, count)


def test_the_policies_of_the_core_are_there_without_any_plugin() -> None:
    app = App(manager=empty_manager())

    assert app.lot_policy("fefo") is FEFO
    assert app.lot_policy("strict") is STRICT


def test_a_plugin_adds_a_policy() -> None:
    app = app_with(largest_first)
    found = app.lot_policy("ours")

    assert (found.id, found.name, found.description) == ("ours", "ours", "fictional")
    assert found.choose(need(6), STOCK) == (Choice(B, 5), Choice(A, 1))
    assert found.choose(need(6, "A"), STOCK) == (Choice(A, 4),)
    assert app.manager.problems == ()


def test_a_name_that_no_policy_has_is_refused_with_those_there_are() -> None:
    app = app_with(largest_first)

    with pytest.raises(UnknownNameError, match=r"did you mean fefo\?"):
        app.lot_policy("fifo")
    with pytest.raises(UnknownNameError, match=r"did you mean fefo or ours or strict\?"):
        app.lot_policy("zzz")


@pytest.mark.parametrize(("answer", "said"), LIES, ids=range(len(LIES)))
def test_a_policy_that_lies_is_named_with_its_plugin(answer: Any, said: str) -> None:
    app = app_with(lambda need, candidates: answer)

    with pytest.raises(PluginResultError) as caught:
        app.lot_policy("ours").choose(need(5), STOCK)

    problem = caught.value.problem
    assert (problem.code, problem.plugin) == ("result", "p1 (fake-p1 1.0)")
    assert problem.message.startswith("lot policy 'ours' ")
    assert said in problem.message
    assert f"{BLOCK_VARIABLE}=p1" in problem.message
    assert app.manager.problems == (problem,)
    assert app.manager.report()[0].state is State.FAILED


@pytest.mark.parametrize("choose", [_asynchronous, _endless])
def test_a_policy_without_a_proper_end_is_named(choose: Choose) -> None:
    with pytest.raises(PluginResultError) as caught:
        app_with(choose).lot_policy("ours").choose(need(5), STOCK)

    assert caught.value.problem.code == "result"


def _raises_late(wanted: Need, candidates: Sequence[Candidate]) -> Iterator[Choice]:
    yield Choice(A, 1)
    raise LookupError("late")


def _ends_the_program(wanted: Need, candidates: Sequence[Candidate]) -> None:
    raise SystemExit(0)


def _refuses_with_junk(wanted: Need, candidates: Sequence[Candidate]) -> None:
    raise ChoiceError(cast("Any", ["no", 5]))


def _refuses_with_nothing(wanted: Need, candidates: Sequence[Candidate]) -> None:
    raise ChoiceError([])


def _tampers(wanted: Need, candidates: Any) -> None:
    candidates.clear()


@pytest.mark.parametrize(
    "choose",
    [
        _raises_late,
        _ends_the_program,
        _refuses_with_junk,
        _refuses_with_nothing,
        _tampers,
        lambda need: [],
        cast("Any", None),
        lambda need, candidates: need.pieces,
    ],
    ids=range(8),
)
def test_a_policy_that_raises_is_named_and_nobody_else_chooses(choose: Choose) -> None:
    app = app_with(choose)

    with pytest.raises(PluginResultError) as caught:
        app.lot_policy("ours").choose(need(5), STOCK)

    assert caught.value.problem.code == "raised"
    assert caught.value.problem.plugin == "p1 (fake-p1 1.0)"
    assert caught.value.__cause__ is not None
    assert app.lot_policy("fefo").choose(need(1), STOCK) == (Choice(A, 1),)


def test_a_policy_may_leave_the_choice_to_the_user() -> None:
    refusal = ChoiceError([Problem("which", "which of them?")])

    def ask(wanted: Need, candidates: Sequence[Candidate]) -> None:
        raise refusal

    app = app_with(ask)
    with pytest.raises(ChoiceError) as caught:
        app.lot_policy("ours").choose(need(5), STOCK)

    assert caught.value is refusal
    assert app.manager.problems == ()


def test_ctrl_c_in_a_policy_always_passes() -> None:
    def interrupted(wanted: Need, candidates: Sequence[Candidate]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app_with(interrupted).lot_policy("ours").choose(need(5), STOCK)


@pytest.mark.parametrize(
    "junk",
    [
        FEFO.choose,
        {"id": "ours"},
        None,
        LotPolicy("", "ours", "fictional", largest_first),
        LotPolicy("a\nb", "ours", "fictional", largest_first),
        LotPolicy(cast("str", 5), "ours", "fictional", largest_first),
        LotPolicy("ours", cast("str", None), "fictional", largest_first),
    ],
    ids=range(7),
)
def test_an_offer_that_is_no_policy_is_set_aside(junk: Any) -> None:
    manager = manager_with(offering(junk), offering(policy(largest_first, "theirs")))

    assert [one.value.id for one in manager.lot_policies()] == ["theirs"]
    assert [(one.code, one.plugin) for one in manager.problems] == [("result", "p1 (fake-p1 1.0)")]


def test_the_names_of_the_core_cannot_be_taken() -> None:
    manager = manager_with(offering(policy(largest_first, "fefo"), policy(largest_first, "ours")))

    assert [one.value.id for one in manager.lot_policies()] == ["ours"]
    assert App(manager=manager).lot_policy("fefo") is FEFO
    (problem,) = manager.problems
    assert problem.code == "conflict"
    assert "lot policy 'fefo' is also offered by the core" in problem.message


def test_a_name_that_two_plugins_offer_is_used_by_neither() -> None:
    manager = manager_with(offering(policy(largest_first)), offering(policy(largest_first)))

    assert manager.lot_policies() == ()
    assert [one.code for one in manager.problems] == ["conflict"]


def test_a_failing_policy_and_a_taken_name_are_fatal_if_strict() -> None:
    with pytest.raises(PluginConflictError):
        manager_with(offering(policy(largest_first, "fefo")), strict=True).lot_policies()

    (offered,) = manager_with(offering(policy(_raises_late)), strict=True).lot_policies()
    with pytest.raises(PluginResultError):
        offered.value.choose(need(5), STOCK)


def test_the_records_of_a_policy_are_loaded_without_anything_heavy() -> None:
    program = (
        "import sys; from mesoformula import Candidate, Choice, LotPolicy, Need;"
        "print(sorted({'pint', 'sqlalchemy', 'click', 'mesoformula.products'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
