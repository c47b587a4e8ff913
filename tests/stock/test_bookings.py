"""Courses that are booked, moved and called off, and what the ledger says became of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from mesoformula.courses import Interval, OpenDays, Plan, schedule
from mesoformula.errors import LedgerError, OrderError
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import schema
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.demand.booking import book, cancel, move
from mesoformula.stock.demand.bookings import COURSE, BookedCourse, BookedSession, Status, bookings, changes
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.moves.reversing import reverse
from mesoformula.stock.opened.using import use_pick
from mesoformula.stock.picks.picking import pick
from mesoformula.stock.picks.reservations import free
from mesoformula.stock.picks.shortage import Want
from mesoformula.stock.records import Delivery, MovementKind, Order
from mesoformula.stock.views.history import movements_of

PARIS = ZoneInfo("Europe/Paris")
ANNA = Order("anna")
WHY = Order("anna", "the holidays were moved")
REF = "S-2027-001"
WANTS = (Want("acme/c-500@1", containers=1),)


class Clock:
    """Tells the time that it was set to."""

    def __init__(self) -> None:
        self.now = datetime(2027, 1, 4, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stock(place: str, clock: Clock) -> Iterator[Store]:
    """A stock in Paris, on either database, whose time a test sets."""
    with closing(open_stock(place, zone=PARIS, clock=clock)) as store:
        yield store
        assert verify(store).problems == ()


def course(start=date(2027, 1, 11), sessions=3, formula="glow", **more):
    days = schedule(start, Plan(sessions, Interval(days=14)))
    return BookedCourse(
        formula,
        1,
        tuple(BookedSession(day.number, day.on, WANTS) for day in days),
        **{"every": Interval(days=14), **more},
    )


def held(store):
    (found,) = bookings(store, [REF])
    return found


def said(store):
    return [(one.number, one.on.isoformat(), one.status.value) for one in held(store).sessions]


def messages(error):
    return [problem.message for problem in error.value.problems]


def test_what_is_booked_reads_back_as_it_was(stock):
    booked = course(zone="face", technique="meso-lift", protocol="p-1", at=time(10, 30), minutes=45,
                    then_every=Interval(months=1))  # fmt: skip
    receipt = book(stock, REF, booked, order=ANNA)
    found = held(stock)
    assert found.courses == (booked,)
    assert found.movement == receipt.movement == 1
    (movement,) = movements_of(stock, [1])
    assert (movement.kind, movement.lines[0].subject, movement.lines[0].fact) == (
        MovementKind.SETTING,
        REF,
        COURSE,
    )


def test_nothing_is_booked_where_there_is_no_stock(stock):
    assert bookings(stock) == ()
    with pytest.raises(OrderError, match="no course is booked for 'S-2027-001'"):
        bookings(stock, [REF])
    with pytest.raises(OrderError, match="no course is booked"):
        cancel(stock, REF, order=WHY)
    assert bookings(stock) == ()


def test_sessions_that_take_something_else_are_kept_apart(stock):
    other = (Want("acme/c-500@1", containers=2, nanolitres=7_500_000), Want("acme/x@2", containers=1))
    booked = course()
    changed = tuple(
        BookedSession(
            one.number, one.on, other if one.number == 2 else one.wants, maintenance=one.number == 3
        )
        for one in booked.sessions
    )
    book(stock, REF, BookedCourse("glow", 1, changed), order=ANNA)
    assert [one.wants for one in held(stock).sessions] == [WANTS, other, WANTS]
    assert [one.maintenance for one in held(stock).sessions] == [False, False, True]


def test_the_same_request_books_once(stock):
    order = Order("anna", request_id="R-1")
    assert not book(stock, REF, course(), order=order).repeated
    assert book(stock, REF, course(), order=order).repeated
    with pytest.raises(OrderError, match="stands for movement 1"):
        book(stock, REF, course(start=date(2027, 3, 1)), order=order)
    assert len(held(stock).courses) == 1


def test_two_courses_of_one_reference_never_share_a_day_and_both_are_named(stock):
    book(stock, REF, course(), order=ANNA)
    with pytest.raises(OrderError) as error:
        book(stock, REF, course(start=date(2027, 1, 25), formula="hair"), order=ANNA)
    assert messages(error) == [
        "S-2027-001: session 1 of hair falls on 2027-01-25, as does session 2 of glow; move or cancel one of "
        "them first",
        "S-2027-001: session 2 of hair falls on 2027-02-08, as does session 3 of glow; move or cancel one of "
        "them first",
    ]
    book(stock, REF, course(start=date(2027, 1, 12), formula="hair"), order=ANNA)
    assert [one.number for one in held(stock).sessions] == [1, 2, 3, 4, 5, 6]
    book(stock, "S-2027-002", course(), order=ANNA)


def test_a_cancelled_session_makes_room_for_another(stock):
    book(stock, REF, course(), order=ANNA)
    cancel(stock, REF, order=WHY)
    book(stock, REF, course(formula="hair"), order=ANNA)
    assert [status for _n, _on, status in said(stock)] == ["cancelled"] * 3 + ["booked"] * 3


def test_what_makes_no_sense_is_refused_all_at_once(stock):
    empty = BookedCourse(
        "glow", 1, (BookedSession(1, date(2027, 1, 3), ()), BookedSession(2, date(2027, 1, 3), WANTS))
    )
    with pytest.raises(OrderError) as error:
        book(stock, "anna roux", empty, order=Order("anna", at=datetime(2027, 1, 4, tzinfo=UTC)))
    assert [problem.code for problem in error.value.problems] == [
        "at",
        "reference",
        "day",
        "empty",
        "day",
        "day",
    ]
    assert bookings(stock) == ()


def test_a_session_moves_alone_if_it_keeps_its_distance(stock):
    book(stock, REF, course(), order=ANNA)
    with pytest.raises(OrderError) as error:
        move(stock, REF, 2, date(2027, 1, 27), order=ANNA)
    assert messages(error) == [
        "sessions 2 and 3 would be 12 days apart, on 2027-01-27 and 2027-02-08; expected 14 days or more: "
        "shift the rest too (--shift-rest), or say what is enough (--at-least)"
    ]
    receipt = move(stock, REF, 2, date(2027, 1, 27), order=ANNA, at_least=Interval(days=12))
    assert receipt.notes == ("session 2: 2027-01-25 -> Wednesday 2027-01-27",)
    assert [on for _n, on, _status in said(stock)] == ["2027-01-11", "2027-01-27", "2027-02-08"]


def test_the_rest_is_shifted_on_to_open_days(stock):
    book(stock, REF, course(), order=ANNA)
    closed = OpenDays(frozenset({date(2027, 2, 10)}))
    move(stock, REF, 2, date(2027, 1, 27), order=ANNA, shift_rest=True, days=closed)
    assert [on for _n, on, _status in said(stock)] == ["2027-01-11", "2027-01-27", "2027-02-11"]


@pytest.mark.parametrize(
    ("number", "to", "message"),
    [
        (2, date(2027, 1, 25), "session 2 of S-2027-001 is on 2027-01-25 already"),
        (2, date(2027, 1, 3), "2027-01-03 has passed; expected 2027-01-04 or later"),
        (2, date(2101, 1, 1), "expected a day from 2000-01-01 to 2100-12-31"),
        (9, date(2027, 3, 1), "S-2027-001 has no session 9; expected one of 1, 2, 3"),
        (1, date(2027, 3, 1), "session 2 would be on 2027-01-25, not after session 1 on 2027-03-01"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(stock, number, to, message):
    book(stock, REF, course(), order=ANNA)
    with pytest.raises(OrderError) as error:
        move(stock, REF, number, to, order=ANNA)
    assert message in messages(error)[0]
    assert held(stock).movement == 1


def test_a_move_on_to_another_course_is_refused_with_both_named(stock):
    book(stock, REF, course(), order=ANNA)
    book(stock, REF, course(start=date(2027, 3, 1), sessions=1, formula="hair"), order=ANNA)
    with pytest.raises(OrderError) as error:
        move(stock, REF, 3, date(2027, 3, 1), order=ANNA)
    assert messages(error) == [
        "S-2027-001: session 4 of hair would fall on 2027-03-01, as does session 3 of glow"
    ]


def test_cancelling_needs_a_reason_which_stays_out_of_the_chain(stock):
    book(stock, REF, course(), order=ANNA)
    with pytest.raises(OrderError, match="a reason is missing"):
        cancel(stock, REF, order=ANNA)
    receipt = cancel(stock, REF, order=WHY, session=2)
    assert [status for _n, _on, status in said(stock)] == ["booked", "cancelled", "booked"]
    (movement,) = movements_of(stock, [receipt.movement])
    assert movement.reason == "the holidays were moved"
    assert "holidays" not in (movement.lines[0].new or "")
    with pytest.raises(OrderError, match="session 2 of S-2027-001 is cancelled already"):
        move(stock, REF, 2, date(2027, 4, 1), order=ANNA)


def test_a_mistyped_reference_is_answered_with_what_comes_near(stock):
    book(stock, REF, course(), order=ANNA)
    with pytest.raises(OrderError, match="did you mean S-2027-001"):
        bookings(stock, ["S-2027-01"])


def test_a_session_is_picked_then_done_then_to_come_again_if_that_is_taken_back(stock, clock, make_product):
    receive(stock, [Delivery(make_product(), "L1", 5, None)], actor="anna")
    book(stock, REF, course(), order=ANNA)
    clock.now += timedelta(days=7)
    picked = pick(stock, WANTS, order=ANNA, reference=REF)
    number = picked.receipt.movement
    assert [one.status for one in held(stock).sessions] == [Status.PICKED, Status.BOOKED, Status.BOOKED]
    assert held(stock).sessions[0].pick == number
    used = use_pick(stock, number, rules=(), order=ANNA)
    assert said(stock)[0] == (1, "2027-01-11", "done")
    for refused in (lambda: move(stock, REF, 1, date(2027, 1, 12), order=ANNA),
                    lambda: cancel(stock, REF, order=WHY, session=1)):  # fmt: skip
        with pytest.raises(OrderError, match="session 1 of S-2027-001 is done already"):
            refused()
    reverse(stock, used.movement, order=WHY)
    assert said(stock)[0] == (1, "2027-01-11", "booked")
    clock.now += timedelta(days=1)
    assert said(stock)[0] == (1, "2027-01-11", "passed")
    move(stock, REF, 1, date(2027, 1, 12), order=ANNA, at_least=Interval(days=7))
    assert said(stock)[0] == (1, "2027-01-12", "booked")


def test_a_pick_that_was_freed_or_has_lapsed_keeps_nothing(stock, clock, make_product):
    receive(stock, [Delivery(make_product(), "L1", 5, None)], actor="anna")
    book(stock, REF, course(start=date(2027, 1, 5)), order=ANNA)
    picked = pick(stock, WANTS, order=ANNA, reference=REF, lapses_after=timedelta(hours=30))
    assert said(stock)[0][2] == "picked"
    receipt = move(stock, REF, 1, date(2027, 1, 6), order=ANNA, shift_rest=True)
    assert any("free it and pick anew" in note for note in receipt.notes)
    free(stock, picked.receipt.movement, order=ANNA)
    pick(stock, WANTS, order=ANNA, reference=REF, lapses_after=timedelta(hours=1))
    assert said(stock)[0][2] == "booked"


def test_what_a_newer_version_wrote_is_no_traceback(stock):
    book(stock, REF, course(), order=ANNA)
    table = schema.standing
    with stock.reading() as connection:
        value = connection.execute(select(table.c.value)).scalar_one()
    for text, message in (('{"form":2}', "newer version"), ("{}", "cannot be read"), ("[", "cannot be read")):
        with stock.writing() as connection:
            connection.execute(update(table).values(value=text))
        with pytest.raises(LedgerError, match=message):
            bookings(stock)
    with stock.writing() as connection:
        connection.execute(update(table).values(value=value))


def test_a_movement_can_be_told_by_what_it_changed(stock):
    book(stock, REF, course(), order=ANNA)
    move(stock, REF, 2, date(2027, 1, 26), order=ANNA, shift_rest=True)
    cancel(stock, REF, order=WHY, session=3)
    book(stock, REF, course(date(2027, 5, 3), sessions=1, formula="hair"), order=ANNA)
    told = [changes(one.lines[0].old, one.lines[0].new) for one in movements_of(stock, range(1, 5))]
    assert told == [
        ("glow booked, 3 sessions from 2027-01-11 to 2027-02-08",),
        ("session 2: 2027-01-25 -> 2027-01-26", "session 3: 2027-02-08 -> 2027-02-09"),
        ("session 3 on 2027-02-09: cancelled",),
        ("hair booked, on 2027-05-03",),
    ]
    assert changes(None, "[]") == changes("x", None) == ()
