"""The days of a course: against another implementation, by hand, and whatever comes."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest
from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, rrule
from hypothesis import assume, given
from hypothesis import strategies as st

from mesoformula import Formulary
from mesoformula.course_plans import plan_of
from mesoformula.courses import (
    LAST_DAY,
    MOST_SESSIONS,
    CourseError,
    Interval,
    OpenDays,
    Plan,
    read_closed_days,
    read_interval,
    schedule,
)
from mesoformula.sources import Source, SourceKind
from mesoformula.treatments import Protocol

ALWAYS = OpenDays(weekends=True)
MONTH = Interval(months=1)
FORTNIGHT = Interval(days=14)

days = st.dates(date(2000, 1, 1), date(2090, 12, 31))
intervals = st.one_of(
    st.integers(1, 60).map(lambda n: Interval(days=n)), st.integers(1, 6).map(lambda n: Interval(months=n))
)
closings = st.frozensets(st.integers(0, 400), max_size=60)


def on(sessions):
    return [session.on.isoformat() for session in sessions]


def said(error):
    return [problem.message for problem in error.value.problems]


# ---- intervals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("14d", FORTNIGHT),
        ("14 days", FORTNIGHT),
        ("2 weeks", FORTNIGHT),
        ("2wk", FORTNIGHT),
        ("1 day", Interval(days=1)),
        ("1month", MONTH),
        (" 3 months ", Interval(months=3)),
    ],
)
def test_an_interval_is_read_as_it_is_written(text, interval):
    assert read_interval(text) == interval


@pytest.mark.parametrize(
    "text", ["", "14", "0d", "d", "-3d", "1.5 months", "1,5 d", "fortnight", "1000d", "٣d", "1 m", "2 years"]
)
def test_what_is_no_interval_is_refused_with_the_right_form(text):
    with pytest.raises(CourseError, match="expected 14d, 2 weeks or 1 month"):
        read_interval(text)


def test_every_published_interval_can_be_read(formulary: Formulary):
    texts = [text for one in formulary.protocols() for text in (one.interval, one.then_every) if text]
    assert len(texts) > 20
    for text in texts:
        for end in text.split(" to "):
            assert read_interval(end).after(date(2026, 1, 1)) > date(2026, 1, 1)


@given(days, st.integers(1, 24), st.integers(0, 40))
def test_months_end_where_another_implementation_ends_them(day, months, times):
    assert Interval(months=months).after(day, times) == day + relativedelta(months=months * times)


@given(days, st.integers(1, 60), st.integers(1, 30))
def test_days_fall_where_another_implementation_lets_them_fall(start, every, sessions):
    planned = schedule(start, Plan(sessions, Interval(days=every)), ALWAYS)
    assert [one.on for one in planned] == [
        one.date() for one in rrule(DAILY, interval=every, count=sessions, dtstart=start)
    ]


# ---- days --------------------------------------------------------------------------------------------------


def test_monthly_from_the_31st_never_drifts():
    planned = schedule(date(2026, 1, 31), Plan(5, MONTH), ALWAYS)
    assert on(planned) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_series_is_followed_by_maintenance_counted_from_its_last_session():
    plan = Plan(4, FORTNIGHT, MONTH, date(2027, 5, 31))
    planned = schedule(date(2027, 1, 11), plan)
    assert on(planned) == [
        "2027-01-11",
        "2027-01-25",
        "2027-02-08",
        "2027-02-22",
        "2027-03-22",
        "2027-04-22",
        # 22 May is a Saturday.
        "2027-05-24",
    ]
    assert [one.maintenance for one in planned] == [False] * 4 + [True] * 3
    assert planned[-1].moved == "moved from Saturday 2027-05-22"


def test_a_start_on_a_weekend_moves_the_course_as_a_whole():
    planned = schedule(date(2027, 1, 2), Plan(3, FORTNIGHT))
    assert on(planned) == ["2027-01-04", "2027-01-18", "2027-02-01"]
    assert [one.moved for one in planned] == ["moved from Saturday 2027-01-02", None, None]


def test_a_closed_day_moves_a_session_and_keeps_the_next_at_its_distance():
    closed = OpenDays(frozenset({date(2027, 1, 25)}))
    planned = schedule(date(2027, 1, 11), Plan(3, FORTNIGHT), closed)
    assert on(planned) == ["2027-01-11", "2027-01-26", "2027-02-09"]
    assert [one.moved for one in planned[1:]] == [
        "moved from Monday 2027-01-25, closed",
        "moved from Monday 2027-02-08, 14 days after session 2",
    ]


def test_less_between_two_sessions_is_allowed_when_it_is_asked_for():
    closed = OpenDays(frozenset({date(2027, 1, 25)}))
    planned = schedule(date(2027, 1, 11), Plan(3, FORTNIGHT, at_least=Interval(days=12)), closed)
    assert on(planned) == ["2027-01-11", "2027-01-26", "2027-02-08"]


def test_a_session_moves_to_an_earlier_day_only_if_it_keeps_its_distance():
    closed = OpenDays(frozenset({date(2027, 1, 25)}))
    strict = schedule(date(2027, 1, 11), Plan(2, FORTNIGHT, earlier=True), closed)
    told = schedule(date(2027, 1, 11), Plan(2, FORTNIGHT, earlier=True, at_least=Interval(days=7)), closed)
    assert on(strict) == ["2027-01-11", "2027-01-26"]
    assert on(told) == ["2027-01-11", "2027-01-22"]


@given(days, st.integers(1, 25), intervals, closings, st.booleans())
def test_never_before_the_start_never_closed_never_too_close(start, sessions, every, closed, earlier):
    shut = frozenset(start + timedelta(days=n) for n in closed)
    plan = Plan(sessions, every, earlier=earlier)
    try:
        planned = schedule(start, plan, OpenDays(shut))
    except CourseError:
        assume(False)
    assert len(planned) == sessions
    assert all(one.on >= start and one.on.weekday() < 5 and one.on not in shut for one in planned)
    for before, after in pairwise(planned):
        assert after.on >= every.after(before.on)
    assert all((one.moved is None) == (one.on == one.falls_on) for one in planned)


@given(days, intervals, st.integers(1, 30), intervals, st.integers(0, 800))
def test_maintenance_ends_with_its_last_day(start, every, sessions, then_every, more):
    assume(sessions < 10)
    end = every.after(start, sessions) + timedelta(days=more)
    try:
        planned = schedule(start, Plan(sessions, every, then_every, end), ALWAYS)
    except CourseError:
        assume(False)
    assert [one.maintenance for one in planned] == [n >= sessions for n in range(len(planned))]
    assert planned[-1].on <= end
    # The next one would come too late.
    assert then_every.after(planned[sessions - 1].on, len(planned) - sessions + 1) > end


# ---- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "plan", "message"),
    [
        (date(1999, 12, 31), Plan(1), "start 1999-12-31: expected a day from 2000-01-01 to 2100-12-31"),
        (date(2101, 1, 1), Plan(1), "start 2101-01-01: expected a day from 2000-01-01 to 2100-12-31"),
        (date(2027, 1, 1), Plan(0), "0 sessions: expected 1 to 200"),
        (date(2027, 1, 1), Plan(201, MONTH), "201 sessions: expected 1 to 200"),
        (date(2027, 1, 1), Plan(2), "several sessions: how far apart?"),
        (date(2100, 12, 1), Plan(4, MONTH), "a session would fall on 2101-"),
        (date(2000, 1, 3), Plan(200, Interval(months=999)), "a session would fall on 2166-"),
        (
            date(2027, 1, 4),
            Plan(3, MONTH, MONTH, date(2027, 2, 15)),
            "session 3 would be on 2027-03-04, after 2027-02-15: 3 do not fit",
        ),
        (date(2027, 1, 4), Plan(1, None, MONTH, date(2026, 1, 1)), "lies before the start"),
        (date(2027, 1, 4), Plan(1, None, Interval(days=1), date(2028, 1, 4)), "more than 200 sessions"),
        (
            date(2027, 1, 4),
            Plan(2, FORTNIGHT, at_least=MONTH),
            "at least 1 month between two sessions is longer than every 14 days",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_line(start, plan, message):
    with pytest.raises(CourseError) as error:
        schedule(start, plan, OpenDays())
    assert any(message in one for one in said(error))


def test_a_site_that_never_opens_is_told():
    closed = OpenDays(frozenset(date(2027, 1, 1) + timedelta(days=n) for n in range(800)))
    with pytest.raises(CourseError, match="no day is open from 2027-01-04"):
        schedule(date(2027, 1, 4), Plan(1), closed)


def test_as_many_sessions_as_may_be_can_be_planned():
    planned = schedule(date(2027, 1, 4), Plan(MOST_SESSIONS, Interval(days=7)))
    assert len(planned) == 200
    assert planned[-1].on <= LAST_DAY


# ---- closed days -------------------------------------------------------------------------------------------


def test_closed_days_are_days_and_ranges():
    text = "# holidays\n2026-12-25\n\n2026-12-30 to 2027-01-02  # New Year\n"
    assert sorted(map(str, read_closed_days(text, "closed.txt"))) == [
        "2026-12-25",
        "2026-12-30",
        "2026-12-31",
        "2027-01-01",
        "2027-01-02",
    ]


def test_every_bad_line_of_closed_days_is_told_with_its_place():
    text = "2026-12-25\n25.12.2026\n2026-02-30\n2027-01-03 to 2027-01-01\n1999-01-01\n2026-1-1\nclosed = []\n"
    with pytest.raises(CourseError) as error:
        read_closed_days(text, "closed.txt")
    lines = [str(problem) for problem in error.value.problems]
    assert [line.split(" ", 1)[0] for line in lines] == [f"closed.txt:{n}:" for n in (2, 3, 4, 5, 6, 7)]
    assert "'25.12.2026': expected a day such as 2026-12-25" in lines[0]
    assert "the calendar has no such day" in lines[1]
    assert "ends before it begins" in lines[2]
    assert "expected days from 2000-01-01 to 2100-12-31" in lines[3]


@given(st.text(max_size=200))
def test_junk_is_refused_and_never_trips(text):
    with suppress(CourseError):
        assert all(isinstance(day, date) for day in read_closed_days(text, "closed.txt"))


# ---- protocols ---------------------------------------------------------------------------------------------


def protocol(**facts):
    source = Source(SourceKind.PR, "a paper", date(2026, 1, 1))
    return Protocol("a-protocol", "A protocol", source, **{"sessions": 3, "interval": "14 days", **facts})


def test_a_protocol_without_a_choice_is_followed():
    plan, notes = plan_of(protocol())
    assert (plan.sessions, plan.every, plan.then_every, notes) == (3, FORTNIGHT, None, ())


def test_ranges_are_never_chosen_from_silently():
    with pytest.raises(CourseError) as error:
        plan_of(protocol(sessions=4, sessions_at_most=6, interval="1 week to 2 weeks"))
    assert said(error) == [
        "a-protocol: 4 to 6 sessions are published; choose with --sessions",
        "a-protocol: 1 week to 2 weeks is published; choose with --every",
    ]


def test_an_interval_that_is_not_published_is_asked_for():
    with pytest.raises(CourseError, match="the interval is not published; say how far apart with --every"):
        plan_of(protocol(interval=None))


def test_maintenance_is_planned_only_until_a_day():
    plan, notes = plan_of(protocol(then_every="1 month"))
    assert plan.then_every is None
    assert notes == ("a-protocol goes on every 1 month; to plan that too, say until when with --until",)
    plan, notes = plan_of(protocol(then_every="1 month"), until=date(2027, 6, 30))
    assert (plan.then_every, notes) == (MONTH, ())


def test_what_differs_from_the_protocol_is_told():
    plan, notes = plan_of(protocol(), sessions=5, every=Interval(days=10))
    assert (plan.sessions, plan.every) == (5, Interval(days=10))
    assert notes == (
        "5 sessions are asked for; a-protocol publishes 3",
        "warn: every 10 days is shorter than a-protocol publishes: 14 days",
    )
    assert plan_of(protocol(), every=MONTH)[1] == (
        "every 1 month is longer than a-protocol publishes: 14 days",
    )
    within = protocol(sessions_at_most=4, interval="1 week to 1 month")
    assert plan_of(within, sessions=4, every=FORTNIGHT)[1] == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "how many sessions? expected --sessions, or a --protocol"),
        ({"sessions": 2}, "how far apart? expected --every, such as 14d, 2 weeks or 1 month"),
        ({"sessions": 1, "then_every": MONTH}, "every 1 month until when? expected the last day"),
        ({"sessions": 1, "until": date(2027, 1, 1)}, "expected --then-every with it"),
    ],
)
def test_what_is_left_open_is_asked_for(asked, message):
    with pytest.raises(CourseError) as error:
        plan_of(**asked)
    assert any(message in one for one in said(error))


def test_every_bundled_protocol_can_be_planned_or_says_what_it_leaves_open(formulary: Formulary):
    planned = 0
    for one in formulary.protocols():
        open_ends = one.sessions_at_most is not None or (
            one.sessions > 1 and (one.interval is None or " to " in one.interval)
        )
        if open_ends:
            with pytest.raises(CourseError, match=r"choose with|not published"):
                plan_of(one)
            plan, _notes = plan_of(one, sessions=one.sessions, every=FORTNIGHT)
        else:
            plan, _notes = plan_of(one)
            planned += 1
        assert len(schedule(date(2027, 1, 4), plan)) == one.sessions
    assert planned > 10
