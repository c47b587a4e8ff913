"""Picks keep what a session takes: the right lots, all of it or nothing, and never more than there is."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoformula import Candidate, Choice, ChoiceError, LotPolicy, Need, Override, Product, hookimpl, quantity
from mesoformula.app import App
from mesoformula.errors import OrderError, PluginResultError, ShortStockError, UnknownNameError
from mesoformula.findings import Severity
from mesoformula.formulary import Formulary
from mesoformula.formulas import Formula, Line
from mesoformula.keeping import SharingRule
from mesoformula.plugins import empty_manager
from mesoformula.products import ContainerKind, Doses, Form, Part, Vendor
from mesoformula.sessions import Session
from mesoformula.settings import Settings, Sharing
from mesoformula.sources import Source, SourceKind
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.picks.availability import Why, available, ever_held
from mesoformula.stock.picks.picking import Picked, pick, wants_of
from mesoformula.stock.picks.policies import STRICT
from mesoformula.stock.picks.reservations import free, picks
from mesoformula.stock.picks.shortage import ShortageError, Want
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.reading import reserved, stock_view

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
ME = Order("anna")
REF = "S-2026-001"
C = "acme/c-500"
MULTI = "acme/multi"
#: 14 hours ahead of UTC: its day begins while UTC's is the day before.
FAR = timezone(timedelta(hours=14))


@attrs.define
class Clock:
    """A clock that a test may set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def after(self, **of: float) -> None:
        self.now += timedelta(**of)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(path: Path, clock: Clock) -> Iterator[Store]:
    with open_stock(path, zone=UTC, clock=clock) as opened:
        yield opened


@pytest.fixture
def c_500(make_product: Callable[..., Product]) -> Product:
    return make_product()


def multi(**changes: Any) -> Product:
    facts: dict[str, Any] = {
        "vendor": Vendor("acme", "Acme Laboratories"),
        "sku": "multi",
        "name": "Multi-dose saline",
        "parts": (Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("10", "mL")),),
        "sources": (Source(SourceKind.IFU, "leaflet", date(2025, 1, 31)),),
        "doses": Doses.MULTI,
    }
    return Product(**{**facts, **changes})


def put(
    store: Store,
    product: Product,
    lot: str,
    containers: int,
    expiry: date | None = date(2028, 5, 31),
    location: str = "main",
) -> None:
    receive(store, [Delivery(product, lot, containers, expiry, location)], actor="anna")


def post(store: Store, kind: MovementKind, *entries: Entry, **said: Any) -> int:
    def work(posting: Posting) -> None:
        posting.post(kind, entries, **said)

    return carry_out(store, ME, {"kind": kind.value}, work).movement


def lot_of(store: Store, product: str, number: str) -> Any:
    with store.reading() as connection:
        return find_lot(connection, product, number)


def say(store: Store, fact: str, product: str, number: str, location: str | None = None) -> None:
    entry = Entry(lot_of(store, product, number), location, fact=fact, old="no", new="yes")
    post(store, MovementKind.QUARANTINE, entry)


def opened(
    store: Store,
    number: int,
    *,
    until: datetime | None = NOW + timedelta(days=20),
    millilitres: int = 10,
    lot: str = "M1",
    location: str = "main",
) -> None:
    what = lot_of(store, MULTI, lot)
    entry = Entry(
        what,
        location,
        opened=number,
        nanolitres=millilitres * 10**6,
        becomes="open",
        beyond_use_at=from_moment(until) if until is not None else None,
        rule="no-rule",
    )
    post(store, MovementKind.OPEN, Entry(what, location, containers=-1), entry)


def used(store: Store, number: int, millilitres: int, reference: str, lot: str = "M1") -> int:
    entry = Entry(lot_of(store, MULTI, lot), "main", opened=number, nanolitres=-millilitres * 10**6)
    return post(store, MovementKind.USE, entry, session=reference)


def mL(number: float) -> int:  # noqa: N802
    return int(number * 10**6)


def kept(picked: Picked) -> list[tuple[str, str, int]]:
    return [(one.lot, one.location, one.containers) for line in picked.lines for one in line.taken]


def skips(picked: Picked) -> list[tuple[str, Why]]:
    return [(one.lot, one.reason) for line in picked.lines for one in line.skipped]


def clean(store: Store) -> bool:
    return verify(store).problems == ()


# ---- which lots --------------------------------------------------------------------------------------------


def test_what_expires_first_is_kept_first_over_all_places(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "late", 5, date(2028, 1, 31))
    put(stock, c_500, "soon", 2, date(2027, 1, 31), "fridge")
    put(stock, c_500, "never", 5, None)
    picked = pick(stock, [Want(C, 3)], order=ME, reference=REF)
    assert kept(picked) == [("soon", "fridge", 2), ("late", "main", 1)]
    assert picked.lapses_at == NOW + timedelta(hours=24)
    assert picked.reference == REF
    view = stock_view(stock)
    assert [(one.lot, one.containers, one.reserved) for one in view.on_hand] == [
        ("soon", 2, 2),
        ("late", 5, 1),
        ("never", 5, 0),
    ]
    assert clean(stock)


def test_a_lot_without_expiry_comes_last_and_is_pointed_out(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "never", 5, None)
    put(stock, c_500, "late", 1)
    picked = pick(stock, [Want(C, 2)], order=ME, reference=REF)
    assert kept(picked) == [("late", "main", 1), ("never", "main", 1)]
    assert picked.receipt.notes == ("lot 'never' of acme/c-500@1 has no expiry: look at the pack",)


def test_a_lot_is_used_through_its_expiry_day_at_the_site(path: Path, clock: Clock, c_500: Product) -> None:
    with open_stock(path, zone=FAR, clock=clock) as store:
        clock.now = datetime(2026, 11, 23, 9, 59, tzinfo=UTC)
        put(store, c_500, "A", 5, date(2026, 11, 23))
        assert kept(pick(store, [Want(C, 1)], order=ME, reference=REF)) == [("A", "main", 1)]
        clock.now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
        with pytest.raises(ShortageError) as caught:
            pick(store, [Want(C, 1)], order=ME, reference=REF)
    (skipped, *_rest) = caught.value.missing[0].skipped
    assert (skipped.reason, skipped.why) == (Why.EXPIRED, "expired on 2026-11-23")


def test_what_may_not_be_used_is_passed_over_and_it_is_said_why(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "expired", 1, TODAY - timedelta(days=1))
    put(stock, c_500, "soon", 1, TODAY + timedelta(days=29))
    for lot in ("held", "here", "recalled", "kept"):
        put(stock, c_500, lot, 2)
    say(stock, "quarantined", C, "held")
    say(stock, "quarantined", C, "here", "main")
    say(stock, "recalled", C, "recalled")
    first = pick(stock, [Want(C, 2, lots=("kept",))], order=ME, reference="OTHER-1")
    put(stock, c_500, "good", 1)
    picked = pick(stock, [Want(C, 1)], order=ME, reference=REF, minimum_days_left=30)
    assert kept(picked) == [("good", "main", 1)]
    assert dict(skips(picked)) == {
        "expired": Why.EXPIRED,
        "soon": Why.DAYS_LEFT,
        "held": Why.QUARANTINED,
        "here": Why.QUARANTINED,
        "recalled": Why.RECALLED,
        "kept": Why.RESERVED,
    }
    said = {one.lot: one for one in picked.lines[0].skipped}
    assert said["soon"].why == f"29 days left until {TODAY + timedelta(days=29)}, at least 30 wanted"
    assert said["kept"].why == f"reserved by pick {first.receipt.movement} for OTHER-1 until 2026-11-24 09:00"
    assert (said["kept"].containers, said["kept"].until) == (2, NOW + timedelta(days=1))
    assert clean(stock)


def test_everything_against_a_lot_is_said(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 1, TODAY - timedelta(days=1))
    say(stock, "recalled", C, "A")
    say(stock, "quarantined", C, "A")
    with pytest.raises(ShortageError) as caught:
        pick(stock, [Want(C, 1)], order=ME, reference=REF)
    (skipped,) = caught.value.missing[0].skipped
    assert (skipped.reason, skipped.why) == (Why.RECALLED, "recalled, quarantined, expired on 2026-11-22")


def test_a_quarantine_in_one_place_leaves_the_other_places_alone(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 2)
    put(stock, c_500, "A", 2, location="fridge")
    say(stock, "quarantined", C, "A", "fridge")
    assert kept(pick(stock, [Want(C, 2)], order=ME, reference=REF)) == [("A", "main", 2)]


def test_the_day_of_use_counts_not_the_day_of_picking(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 1, TODAY + timedelta(days=5))
    put(stock, c_500, "B", 1, TODAY + timedelta(days=6))
    picked = pick(stock, [Want(C, 1)], order=ME, reference=REF, on=TODAY + timedelta(days=6))
    assert kept(picked) == [("B", "main", 1)]
    assert picked.lines[0].skipped[0].why == "expires on 2026-11-28, before 2026-11-29"


def test_only_the_place_that_was_named_is_taken_from(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 1, date(2027, 1, 31), "fridge")
    put(stock, c_500, "B", 1)
    picked = pick(stock, [Want(C, 1)], order=ME, reference=REF, location=" main ")
    assert kept(picked) == [("B", "main", 1)]
    assert skips(picked) == [("A", Why.LOCATION)]


def test_a_pinned_product_is_taken_from_lots_of_that_revision_only(
    stock: Store, make_product: Callable[..., Product]
) -> None:
    put(stock, make_product(revision=1), "A", 1)
    put(stock, make_product(revision=2), "B", 1)
    picked = pick(stock, [Want(f"{C}@2", 1)], order=ME, reference=REF)
    assert (kept(picked), skips(picked)) == ([("B", "main", 1)], [("A", Why.REVISION)])
    free(stock, picked.receipt.movement, order=ME)
    picked = pick(stock, [Want(C, 2)], order=ME, reference=REF)
    assert "lots of revisions 1 and 2 of acme/c-500 are taken" in picked.receipt.notes[0]


# ---- policies ----------------------------------------------------------------------------------------------


def test_strict_wants_a_lot_named_unless_there_is_no_choice(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 2)
    put(stock, c_500, "B", 2)
    with pytest.raises(ChoiceError) as caught:
        pick(stock, [Want(C, 1)], order=ME, reference=REF, policy=STRICT)
    assert "'A' (2 in 'main', expires 2028-05-31); 'B'" in str(caught.value)
    named = pick(stock, [Want(C, 1, lots=("B",))], order=ME, reference=REF, policy=STRICT)
    assert kept(named) == [("B", "main", 1)]
    everything = pick(stock, [Want(C, 3)], order=ME, reference=REF, policy=STRICT)
    assert sorted(kept(everything)) == [("A", "main", 2), ("B", "main", 1)]
    assert clean(stock)


def test_a_lot_that_was_never_there_is_refused_and_one_that_is_gone_is_short(
    stock: Store, c_500: Product
) -> None:
    put(stock, c_500, "4711", 1)
    put(stock, c_500, "4712", 1)
    with pytest.raises(OrderError, match=r"lot '4713' of 'acme/c-500' is not in the stock; did you mean"):
        pick(stock, [Want(C, 1, lots=("4713",))], order=ME, reference=REF)
    post(stock, MovementKind.WASTE, Entry(lot_of(stock, C, "4711"), "main", containers=-1))
    with pytest.raises(ShortageError) as caught:
        pick(stock, [Want(C, 1, lots=("4711",))], order=ME, reference=REF)
    assert (caught.value.missing[0].missing, caught.value.missing[0].skipped) == (1, ())


def last_first(need: Need, candidates: Any) -> Iterator[Choice]:
    left = need.containers
    for one in sorted(candidates, key=lambda one: one.lot, reverse=True):
        if left:
            yield Choice(one.key, min(left, one.containers))
            left -= min(left, one.containers)


def app_with(choose: Callable[[Need, Sequence[Candidate]], Any]) -> App:
    module = ModuleType("made_for_a_test")
    policy = LotPolicy("last", "last", "the last lot first", choose)
    module.mesoformula_lot_policies = hookimpl(lambda: [policy])  # type: ignore[attr-defined]
    manager = empty_manager()
    manager.register(module, "p1", distribution="fake-p1", version="1.0")
    return App(manager=manager)


def test_the_policy_of_a_plugin_chooses(stock: Store, c_500: Product) -> None:
    for lot in ("A", "B", "C"):
        put(stock, c_500, lot, 2)
    site = Settings(lot_policy="last")
    picked = app_with(last_first).pick(stock, [Want(C, 3)], site, order=ME, reference=REF)
    assert kept(picked) == [("C", "main", 2), ("B", "main", 1)]


def test_a_policy_sees_only_what_may_be_picked(stock: Store, c_500: Product) -> None:
    seen: list[Candidate] = []

    def look(need: Need, candidates: Sequence[Candidate]) -> Iterator[Choice]:
        seen.extend(candidates)
        return last_first(need, candidates)

    put(stock, c_500, "expired", 1, TODAY - timedelta(days=1))
    put(stock, c_500, "A", 3, TODAY + timedelta(days=10))
    pick(stock, [Want(C, 1)], order=ME, reference=REF)
    app_with(look).pick(stock, [Want(C, 1)], Settings(lot_policy="last"), order=ME, reference=REF)
    assert [(one.lot, one.containers, one.days_left) for one in seen] == [("A", 2, 10)]


@pytest.mark.parametrize("wrong", [None, [], [Choice("x", 1)], "AB"])
def test_a_policy_that_chooses_what_it_must_not_writes_nothing(
    stock: Store, c_500: Product, wrong: Any
) -> None:
    put(stock, c_500, "A", 3)
    for policy in (app_with(lambda need, candidates: wrong).lot_policy("last"),
                   LotPolicy("mine", "mine", "not of a plugin", lambda need, candidates: wrong)):  # fmt: skip
        with pytest.raises(PluginResultError, match=r"lot policy '(last|mine)'"):
            pick(stock, [Want(C, 1)], order=ME, reference=REF, policy=policy)
    assert picks(stock) == ()
    assert verify(stock).movements == 1


def test_a_policy_that_nobody_offers_is_refused_with_those_there_are(stock: Store) -> None:
    with pytest.raises(UnknownNameError, match="did you mean fefo"):
        App(manager=empty_manager()).pick(stock, [Want(C, 1)], Settings(lot_policy="fifo"), order=ME,
                                          reference=REF)  # fmt: skip


# ---- shortage ----------------------------------------------------------------------------------------------


def test_a_pick_is_all_or_nothing_and_says_all_that_is_missing(
    stock: Store, c_500: Product, make_product: Callable[..., Product]
) -> None:
    put(stock, c_500, "A", 2, date(2027, 1, 31))
    put(stock, c_500, "B", 4, TODAY - timedelta(days=1))
    put(stock, make_product("other"), "X", 1)
    pick(stock, [Want(C, 1)], order=ME, reference="OTHER-1", lapses_after=timedelta(hours=2))
    before = verify(stock).anchor
    with pytest.raises(ShortageError) as caught:
        pick(stock, [Want(C, 5), Want("acme/other", 1), Want("acme/unknown", 2)], order=ME, reference=REF)
    assert isinstance(caught.value, ShortStockError)
    first, second = caught.value.missing
    assert (first.product, first.wanted, first.available, first.missing) == (C, 5, 1, 4)
    assert first.next_lapse == NOW + timedelta(hours=2)
    assert first.first_expiry == date(2027, 1, 31)
    assert {one.reason for one in first.skipped} == {Why.RESERVED, Why.EXPIRED}
    assert (second.product, second.missing, second.skipped) == ("acme/unknown", 2, ())
    assert [one.code for one in caught.value.problems] == ["short", "short"]
    assert str(caught.value.problems[0].message) == (
        "acme/c-500: 5 containers wanted, 1 may be picked, 4 missing; passed over: 1 of lot 'A' at 'main' "
        "(reserved by pick 4 for OTHER-1 until 2026-11-23 11:00), 4 of lot 'B' at 'main' (expired on "
        "2026-11-22); the next reservation lapses on 2026-11-23 11:00; the first of what may be picked "
        "expires on 2027-01-31"
    )
    assert verify(stock).anchor == before
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert again.missing == caught.value.missing


def test_the_same_product_twice_never_reserves_more_than_there_is(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 3)
    with pytest.raises(ShortageError) as caught:
        pick(stock, [Want(C, 2), Want(C, 2)], order=ME, reference=REF)
    (missing,) = caught.value.missing
    assert (missing.wanted, missing.available, missing.missing) == (4, 3, 1)
    picked = pick(stock, [Want(C, 2), Want(C, 1)], order=ME, reference=REF)
    assert [[one.containers for one in line.taken] for line in picked.lines] == [[2], [1]]
    assert stock_view(stock).on_hand[0].reserved == 3


def test_asking_a_stock_that_does_not_exist_is_a_shortage_and_makes_none(stock: Store, path: Path) -> None:
    with pytest.raises(ShortageError, match="the stock holds none of it"):
        pick(stock, [Want(C, 1), Want(MULTI, nanolitres=5)], order=ME, reference=REF)
    with pytest.raises(OrderError, match="the stock is empty"):
        free(stock, 1, order=ME)
    assert picks(stock) == ()
    assert not ever_held(stock, C)
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"wants": []}, "empty"),
        ({"wants": [Want("c-500", 1)]}, "product"),
        ({"wants": [Want("acme/c@0", 1)]}, "product"),
        ({"wants": [Want("acme/\x1b[31m", 1)]}, "product"),
        ({"wants": [Want("acme/c'; DROP TABLE lot;--" * 100, 1)]}, "product"),
        ({"wants": [Want(C)]}, "containers"),
        ({"wants": [Want(C, 0)]}, "containers"),
        ({"wants": [Want(C, -1)]}, "containers"),
        ({"wants": [Want(C, 1.5)]}, "containers"),  # type: ignore[arg-type]
        ({"wants": [Want(C, nanolitres=0)]}, "volume"),
        ({"wants": [Want(C, nanolitres=10**15)]}, "volume"),
        ({"wants": [Want(C, 1, lots=("x\n",))]}, "lot"),
        ({"reference": "Anna Smith"}, "reference"),
        ({"reference": None}, "reference"),
        ({"location": ""}, "location"),
        ({"minimum_days_left": -1}, "days-left"),
        ({"lapses_after": timedelta(0)}, "lapse"),
        ({"lapses_after": timedelta(days=367)}, "lapse"),
        ({"on": TODAY - timedelta(days=1)}, "on"),
        ({"order": Order("anna", at=NOW - timedelta(days=1))}, "at"),
        ({"order": Order("")}, "actor"),
    ],
)
def test_what_makes_no_sense_is_refused(stock: Store, c_500: Product, changes: Any, code: str) -> None:
    put(stock, c_500, "A", 3)
    with pytest.raises(OrderError) as caught:
        pick(stock, **{"wants": [Want(C, 1)], "order": ME, "reference": REF, **changes})
    assert [one.code for one in caught.value.problems] == [code]
    assert len(str(caught.value)) < 400
    assert verify(stock).movements == 1


# ---- opened containers -------------------------------------------------------------------------------------


@pytest.fixture
def shelf(stock: Store) -> Store:
    """Three vials of 10 mL, one of them open and 4 mL left in it."""
    put(stock, multi(), "M1", 3)
    opened(stock, 1)
    used(stock, 1, 6, "OLD-1")
    return stock


def test_an_opened_container_goes_first_while_it_may_be_used(shelf: Store) -> None:
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(3))], order=ME, reference="OLD-1")
    (taken,) = picked.lines[0].taken
    assert (taken.opened, taken.nanolitres, taken.containers) == (1, mL(3), 0)
    assert taken.beyond_use_at == NOW + timedelta(days=20)
    assert stock_view(shelf).opened[0].reserved_nanolitres == mL(3)
    assert clean(shelf)


def test_whole_containers_yield_what_the_opened_one_does_not(shelf: Store) -> None:
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(14.5))], order=ME, reference=REF)
    assert [(one.opened, one.containers, one.nanolitres) for one in picked.lines[0].taken] == [
        (1, 0, mL(4)),
        (None, 2, mL(10.5)),
    ]
    with pytest.raises(ShortageError) as caught:
        pick(shelf, [Want(MULTI, nanolitres=mL(1))], order=ME, reference=REF)
    (missing,) = caught.value.missing
    assert (missing.wanted, missing.missing, missing.wanted_nanolitres) == (1, 1, mL(1))
    assert {(one.opened, one.nanolitres, one.containers) for one in missing.skipped} == {
        (1, mL(4), 0),
        (None, None, 2),
    }
    assert clean(shelf)


def test_what_must_be_gone_earliest_goes_first(shelf: Store) -> None:
    opened(shelf, 2, until=NOW + timedelta(days=3))
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(12))], order=ME, reference=REF)
    assert [(one.opened, one.nanolitres) for one in picked.lines[0].taken] == [(2, mL(10)), (1, mL(2))]


def test_an_opened_container_past_its_date_or_for_one_session_is_passed_over(
    shelf: Store, clock: Clock
) -> None:
    opened(shelf, 2, until=None)
    clock.after(days=20)
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(2))], order=ME, reference=REF)
    assert [(one.opened, one.containers) for one in picked.lines[0].taken] == [(None, 1)]
    assert {one.opened: (one.reason, one.why) for one in picked.lines[0].skipped} == {
        1: (Why.BEYOND_USE, "to be used before 2026-12-13 09:00"),
        2: (Why.ONE_SESSION, "opened for one session only"),
    }


def test_for_a_later_day_it_must_keep_to_the_end_of_that_day(shelf: Store) -> None:
    last = date(2026, 12, 12)
    for on, number in ((last, 1), (last + timedelta(days=1), None)):
        picked = pick(shelf, [Want(MULTI, nanolitres=mL(2))], order=ME, reference="OLD-1", on=on)
        assert picked.lines[0].taken[0].opened == number
        free(shelf, picked.receipt.movement, order=ME)


@pytest.mark.parametrize(("fact", "reason"), [("quarantined", Why.QUARANTINED), ("recalled", Why.RECALLED)])
def test_an_opened_container_of_a_held_lot_is_left_alone(shelf: Store, fact: str, reason: Why) -> None:
    put(shelf, multi(), "M2", 1)
    say(shelf, fact, MULTI, "M1")
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(2))], order=ME, reference=REF)
    assert kept(picked) == [("M2", "main", 1)]
    assert {one.reason for one in picked.lines[0].skipped} == {reason}


def test_one_that_is_held_by_itself_is_left_alone(shelf: Store) -> None:
    entry = Entry(lot_of(shelf, MULTI, "M1"), "main", opened=1, fact="quarantined", old="no", new="yes")
    post(shelf, MovementKind.QUARANTINE, entry)
    picked = pick(shelf, [Want(MULTI, nanolitres=mL(2))], order=ME, reference=REF)
    assert [(one.lot, one.opened) for one in picked.lines[0].taken] == [("M1", None)]


def test_two_lines_do_not_draw_the_same_volume_twice(shelf: Store) -> None:
    wants = [Want(MULTI, nanolitres=mL(3)), Want(MULTI, nanolitres=mL(3))]
    picked = pick(shelf, wants, order=ME, reference=REF)
    assert [[(one.opened, one.nanolitres) for one in line.taken] for line in picked.lines] == [
        [(1, mL(3))],
        [(1, mL(1)), (None, mL(2))],
    ]


RULE = SharingRule(
    "multi-dose-shared",
    Severity.WARN,
    "One container, one patient.",
    (Source(SourceKind.REG, "an agency, page 4", date(2025, 1, 31)),),
)


def test_sharing_between_two_sessions_is_warned_of_with_its_sources(shelf: Store) -> None:
    want = [Want(MULTI, nanolitres=mL(1))]
    same = pick(shelf, want, order=ME, reference="OLD-1", sharing_rules=[RULE])
    assert same.receipt.notes == ()
    other = pick(shelf, want, order=ME, reference=REF, sharing_rules=[RULE])
    assert other.receipt.notes == (
        "warn: opened container 1 serves OLD-1 too. One container, one patient. (an agency, page 4)",
    )
    third = pick(shelf, want, order=ME, reference="OLD-1", sharing_rules=[RULE])
    assert f"opened container 1 serves {REF} too" in third.receipt.notes[0]


def test_a_site_may_forbid_sharing(shelf: Store) -> None:
    site = Settings(share_multi_dose=Sharing.FORBID)
    app = App(manager=empty_manager())
    picked = app.pick(shelf, [Want(MULTI, nanolitres=mL(1))], site, order=ME, reference=REF)
    assert picked.lines[0].taken[0].opened is None
    (skipped,) = picked.lines[0].skipped
    assert (skipped.reason, skipped.why) == (Why.SHARED, "serves OLD-1, and this site forbids sharing")
    own = app.pick(shelf, [Want(MULTI, nanolitres=mL(1))], site, order=ME, reference="OLD-1")
    assert own.lines[0].taken[0].opened == 1


def test_a_single_dose_container_is_never_shared(stock: Store) -> None:
    put(stock, multi(doses=Doses.SINGLE), "M1", 2)
    opened(stock, 1)
    used(stock, 1, 6, "OLD-1")
    picked = pick(stock, [Want(MULTI, nanolitres=mL(1))], order=ME, reference=REF)
    assert [(one.opened, one.containers) for one in picked.lines[0].taken] == [(None, 1)]
    assert picked.lines[0].skipped[0].reason is Why.SHARED


def test_who_asks_for_whole_containers_is_told_what_is_open(shelf: Store) -> None:
    picked = pick(shelf, [Want(MULTI, 1)], order=ME, reference=REF)
    assert kept(picked) == [("M1", "main", 1)]
    assert picked.receipt.notes == (
        "opened container 1 of acme/multi@1 holds at least 4 mL; ask for a volume to use it first",
    )


def test_without_a_labelled_volume_a_number_is_asked_for(stock: Store) -> None:
    unknown = multi(parts=(Part(ContainerKind.VIAL, Form.SOLUTION),))
    put(stock, unknown, "M1", 3)
    with pytest.raises(OrderError, match="no label says what one container holds; ask for a number"):
        pick(stock, [Want(MULTI, nanolitres=5)], order=ME, reference=REF)
    picked = pick(stock, [Want(MULTI, 2, nanolitres=5)], order=ME, reference=REF)
    assert kept(picked) == [("M1", "main", 2)]


def test_revisions_of_different_volume_must_be_told_apart(stock: Store) -> None:
    put(stock, multi(), "M1", 3)
    part = Part(ContainerKind.VIAL, Form.SOLUTION, volume=quantity("5", "mL"))
    put(stock, multi(revision=2, parts=(part,)), "M2", 3)
    with pytest.raises(OrderError, match=r"name one: acme/multi@1 or acme/multi@2"):
        pick(stock, [Want(MULTI, nanolitres=mL(6))], order=ME, reference=REF)
    assert kept(pick(stock, [Want(f"{MULTI}@2", nanolitres=mL(6))], order=ME, reference=REF)) == [
        ("M2", "main", 2)
    ]


# ---- lapsing, freeing, repeating ---------------------------------------------------------------------------


def test_a_reservation_lapses_by_the_clock_of_the_stock(stock: Store, c_500: Product, clock: Clock) -> None:
    put(stock, c_500, "A", 1)
    pick(stock, [Want(C, 1)], order=ME, reference="OTHER-1", lapses_after=timedelta(hours=1))
    clock.after(minutes=59, seconds=59)
    with pytest.raises(ShortageError):
        pick(stock, [Want(C, 1)], order=ME, reference=REF)
    clock.after(seconds=1)
    assert kept(pick(stock, [Want(C, 1)], order=ME, reference=REF)) == [("A", "main", 1)]
    assert [(one.reference, one.lapsed) for one in picks(stock)] == [("OTHER-1", True), (REF, False)]
    assert clean(stock)


def test_open_picks_are_listed_with_what_they_keep(shelf: Store) -> None:
    number = pick(shelf, [Want(MULTI, nanolitres=mL(5))], order=ME, reference=REF).receipt.movement
    (one,) = picks(shelf)
    assert (one.number, one.reference, one.actor, one.picked_at) == (number, REF, "anna", NOW)
    assert [(taken.opened, taken.containers, taken.nanolitres) for taken in one.taken] == [
        (1, 0, mL(4)),
        (None, 1, mL(1)),
    ]


def test_what_is_freed_may_be_picked_again(shelf: Store) -> None:
    want = [Want(MULTI, nanolitres=mL(24))]
    picked = pick(shelf, want, order=ME, reference=REF)
    receipt = free(shelf, picked.receipt.movement, order=Order("bert", "no show"))
    assert picks(shelf) == ()
    assert receipt.notes == ()
    assert kept(pick(shelf, want, order=ME, reference="OTHER-1")) == kept(picked)
    assert clean(shelf)


def test_a_pick_is_freed_once(stock: Store, c_500: Product, clock: Clock) -> None:
    put(stock, c_500, "A", 2)
    number = pick(stock, [Want(C, 1)], order=ME, reference=REF).receipt.movement
    clock.after(days=2)
    freed = free(stock, number, order=Order("anna", request_id="f"))
    assert freed.notes == ("it had lapsed on 2026-11-24 09:00 already",)
    with pytest.raises(OrderError, match=f"pick {number} was freed by movement {freed.movement} already"):
        free(stock, number, order=ME)
    assert free(stock, number, order=Order("anna", request_id="f")).repeated
    other = pick(stock, [Want(C, 1)], order=ME, reference=REF).receipt.movement
    use = post(
        stock, MovementKind.USE, Entry(lot_of(stock, C, "A"), "main", containers=-1), session=REF, pick=other
    )
    with pytest.raises(OrderError, match=f"pick {other} was used by movement {use} already"):
        free(stock, other, order=ME)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "is no pick but says 'receipt'"),
        (99, "is not there"),
        (0, "expected the number"),
        ("x", "expected"),
    ],
)
def test_what_is_no_pick_is_not_freed(stock: Store, c_500: Product, number: Any, said: str) -> None:
    put(stock, c_500, "A", 2)
    with pytest.raises(OrderError, match=said):
        free(stock, number, order=ME)


def test_the_same_request_twice_keeps_nothing_twice(shelf: Store, c_500: Product) -> None:
    put(shelf, c_500, "A", 1)
    put(shelf, c_500, "B", 5)
    wants = [Want(C, 2), Want(MULTI, nanolitres=mL(5)), Want(MULTI, 1), Want(C, 1)]
    order = Order("anna", request_id="r-1")
    first = pick(shelf, wants, order=order, reference=REF)
    again = pick(shelf, wants, order=order, reference=REF)
    assert (first.receipt.repeated, again.receipt.repeated) == (False, True)
    assert [line.taken for line in again.lines] == [line.taken for line in first.lines]
    assert (again.lapses_at, again.receipt.anchor) == (first.lapses_at, first.receipt.anchor)
    with pytest.raises(OrderError, match="says something else"):
        pick(shelf, [*wants[1:], wants[0]], order=order, reference=REF)
    freed = free(shelf, first.receipt.movement, order=ME)
    later = pick(shelf, wants, order=order, reference=REF)
    assert later.receipt.notes == (
        f"nothing is kept for it any more: movement {freed.movement} (free) ended it",
    )


def test_a_second_pick_for_the_same_session_points_to_the_first(stock: Store, c_500: Product) -> None:
    put(stock, c_500, "A", 5)
    number = pick(stock, [Want(C, 1)], order=ME, reference=REF).receipt.movement
    (note,) = pick(stock, [Want(C, 1)], order=ME, reference=REF).receipt.notes
    assert note.startswith(f"pick {number} keeps acme/c-500@1 for {REF} already")


def test_a_pick_works_on_either_database(any_store: Store, c_500: Product) -> None:
    put(any_store, c_500, "A", 2)
    put(any_store, multi(), "M1", 2)
    opened(any_store, 1, until=datetime.now(UTC) + timedelta(days=5))
    wants = [Want(C, 2), Want(MULTI, nanolitres=mL(12))]
    picked = pick(any_store, wants, order=Order("anna", request_id="a"), reference=REF)
    assert kept(picked) == [("A", "main", 2), ("M1", "main", 0), ("M1", "main", 1)]
    assert pick(any_store, wants, order=Order("anna", request_id="a"), reference=REF).receipt.repeated
    with pytest.raises(ShortageError):
        pick(any_store, [Want(C, 1)], order=ME, reference="OTHER-1")
    assert [one.lapsed for one in picks(any_store)] == [False]
    free(any_store, picked.receipt.movement, order=ME)
    assert picks(any_store) == ()
    assert clean(any_store)


def test_many_at_once_never_get_more_than_there_is(place: str, c_500: Product) -> None:
    def try_it(number: int) -> str:
        with open_stock(place) as store:
            try:
                picked = pick(store, [Want(C, 1), Want(C, 1)], order=ME, reference=f"S-{number:03}")
            except ShortageError:
                return "short"
            return ",".join(lot for lot, _place, containers in kept(picked) for _ in range(containers))

    with open_stock(place) as store:
        put(store, c_500, "A", 3)
        put(store, c_500, "B", 6)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(try_it, range(8)))
        assert sorted(answers) == ["A,A", "A,B", "B,B", "B,B", "short", "short", "short", "short"]
        assert sum(one.reserved for one in stock_view(store).on_hand) == 8
        assert clean(store)


# ---- sessions ----------------------------------------------------------------------------------------------


def session_of(*lines: Line) -> Session:
    return Session(Formula("mine", "Mine", lines, description="of a test"))


def test_a_session_wants_containers_and_of_multi_dose_products_the_volume(formulary: Formulary) -> None:
    many = "fresenius-kabi/pyridoxine-100"
    assert formulary.product(many).doses is Doses.MULTI
    lines = (
        Line(many, volume=quantity("1.25", "mL")),
        Line("phoenix-labs/ascorbic-acid-500", containers=2),
    )
    answer = App().work_out(session_of(*lines))
    # What is drawn is what the syringe measures: of 1.25 mL, 1.3 mL.
    assert wants_of(answer.quantities) == (
        (Want(f"{many}@1", 2, mL(1.3)), (1,)),
        (Want("phoenix-labs/ascorbic-acid-500@1", 2), (2,)),
    )


def test_parts_of_a_kit_come_out_of_the_same_kits() -> None:
    kit = "professional-derma/jalupro-hmw"
    lines = (
        Line(kit, part="1-5-ml", volume=quantity("2.5", "mL")),
        Line("phoenix-labs/ascorbic-acid-500", containers=1),
        Line(kit, part="1-ml", volume=quantity("0.5", "mL")),
    )
    answer = App().work_out(session_of(*lines))
    # Of the one part two are opened, of the other one: both come out of two kits.
    assert wants_of(answer.quantities) == (
        (Want(f"{kit}@1", 2), (1, 3)),
        (Want("phoenix-labs/ascorbic-acid-500@1", 1), (2,)),
    )


def test_a_session_is_picked_and_counts_the_assay_of_its_lot(stock: Store) -> None:
    app = App()
    product = app.formulary.product("phoenix-labs/ascorbic-acid-500")
    put(stock, product, "A", 2)
    overrides = (Override("route-not-stated", "as prescribed", "anna"),)
    session = Session(app.formula("phoenix-labs/ascorbic-acid-500"))
    answer = app.work_out(session, overrides)
    plain, first = app.pick_session(stock, answer, Settings(), order=ME, reference=REF)
    assert kept(first) == [("A", "main", 1)]
    substance = product.parts[0].composition[0].substance
    assay = f'{{"basis":"as is","percent":"98","substance":"{substance}"}}'
    post(stock, MovementKind.FACT, Entry(lot_of(stock, product.id, "A"), fact="assay", new=assay))
    counted, second = app.pick_session(stock, answer, Settings(), order=ME, reference=REF)
    assert second.lines[0].taken[0].assay is not None
    before = next(dose for dose in plain.quantities.doses if dose.substance == substance)
    after = next(dose for dose in counted.quantities.doses if dose.substance == substance)
    assert before.dose.low is not None
    assert after.dose.low is not None
    assert after.dose.low.magnitude * 100 == before.dose.low.magnitude * 98


# ---- properties --------------------------------------------------------------------------------------------

LOTS = ("A", "B", "C")
STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(LOTS), st.integers(1, 4), st.sampled_from(["main", "fridge"])),
    st.tuples(st.just("pick"), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 40)),
    st.tuples(st.just("free"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.integers(1, 30)),
)
EXPIRY = {"A": date(2027, 3, 31), "B": date(2027, 1, 31), "C": None}


@given(st.lists(STEPS, min_size=3, max_size=14))
@settings(max_examples=40)
def test_never_more_is_reserved_than_there_is_and_always_what_expires_first(steps: list[Any]) -> None:
    clock = Clock()
    product = multi(doses=Doses.SINGLE)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stock(Path(folder) / "s.sqlite", zone=UTC, clock=clock) as store,
    ):
        put(store, product, "A", 1, EXPIRY["A"])
        for step in steps:
            match step:
                case "put", lot, containers, place:
                    put(store, product, lot, containers, EXPIRY[lot], place)
                case "pick", amounts, hours:
                    _pick_and_check(store, amounts, hours)
                case "free", which:
                    still = picks(store)
                    if still:
                        free(store, still[which % len(still)].number, order=ME)
                case "wait", hours:
                    clock.after(hours=hours)
            view = stock_view(store)
            assert all(one.reserved <= one.containers for one in view.on_hand)
            unlapsed = sum(taken.containers for one in picks(store) if not one.lapsed for taken in one.taken)
            assert sum(one.reserved for one in view.on_hand) == unlapsed
        assert clean(store)


def _pick_and_check(store: Store, amounts: list[int], hours: int) -> None:
    def rank(lot: str) -> date:
        return EXPIRY[lot] or date.max

    there = {(one.lot, one.location): one.containers - one.reserved for one in stock_view(store).on_hand}
    wants = [Want(MULTI, amount) for amount in amounts]
    missing = sum(amounts) - sum(there.values())
    if missing > 0:
        with pytest.raises(ShortageError) as caught:
            pick(store, wants, order=ME, reference=REF)
        assert [one.missing for one in caught.value.missing] == [missing]
        return
    picked = pick(store, wants, order=ME, reference=REF, lapses_after=timedelta(hours=hours))
    assert [sum(one.containers for one in line.taken) for line in picked.lines] == amounts
    taken = [(lot, place) for lot, place, _containers in kept(picked)]
    assert [rank(lot) for lot, _place in taken] == sorted(rank(lot) for lot, _place in taken)
    for lot, place, containers in kept(picked):
        there[lot, place] -= containers
    assert all(left >= 0 for left in there.values())
    last = rank(taken[-1][0])
    assert all(left == 0 for (lot, _place), left in there.items() if rank(lot) < last)


@given(st.integers(1, 30 * 10**6), st.integers(0, 10), st.integers(1, 4))
@settings(max_examples=25)
def test_a_volume_is_shared_out_exactly(volume: int, left: int, vials: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stock(Path(folder) / "s.sqlite", zone=UTC, clock=Clock()) as store,
    ):
        put(store, multi(), "M1", vials + 1)
        opened(store, 1)
        if left < 10:
            used(store, 1, 10 - left, "OLD-1")
        there = mL(left) + vials * mL(10)
        if volume > there:
            with pytest.raises(ShortageError):
                pick(store, [Want(MULTI, nanolitres=volume)], order=ME, reference=REF)
            return
        picked = pick(store, [Want(MULTI, nanolitres=volume)], order=ME, reference=REF)
        taken = picked.lines[0].taken
        assert sum(one.nanolitres or 0 for one in taken) == volume
        rest = max(0, volume - mL(left))
        assert sum(one.containers for one in taken) == -(-rest // mL(10))
        with store.reading() as connection:
            assert connection is not None
            whole, poured = reserved(connection, store.moment(connection))
            shelf = available(store, connection, {MULTI}, moment=NOW, on=TODAY)
        assert sum(poured.values()) == min(volume, mL(left))
        assert sum(stack.free for stack in shelf.stacks) == vials - sum(whole.values())
