"""`mesoformula course` and `stock forecast`: planned, exported, booked, moved, cancelled, foretold."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

NCTF = "fillmed/nctf-135ha"
AMPOULE = "phoenix-labs/ascorbic-acid-500"
FORMULA = "teaching-nctf-vitamin-c"
OVERRIDES = ("--override", "mixing-not-stated", "--override", "route-not-stated",
             "--reason", "a test", "--by", "anna")  # fmt: skip
PLAN = ("--volume", "3 mL", *OVERRIDES)
SERIES = ("--sessions", "3", "--every", "14d")
REF = "S-2027-001"
TODAY = date.today()  # noqa: DTZ011 (the machine's, as the command takes it)
#: A Monday, some weeks from now.
MONDAY = TODAY + timedelta(days=28 - TODAY.weekday())


@pytest.fixture(autouse=True)
def _a_stock_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    monkeypatch.setenv("MESOFORMULA_TIME_ZONE", "Europe/Paris")


@pytest.fixture
def booked(meso):
    def call(reference=REF, start=MONDAY, *more):
        return meso("course", FORMULA, "--start", str(start), *SERIES, *PLAN, "--book",
                    "--reference", reference, *more)  # fmt: skip

    return call


def sessions(meso, reference=REF):
    (course,) = meso("course", "show", reference, "--json").json["courses"]
    return [(one["session"], one["on"], one["status"]) for one in course["sessions"]]


# ---- planning ----------------------------------------------------------------------------------------------


def test_a_course_is_planned_by_its_formula_alone(meso):
    ran = meso("course", FORMULA, "--start", "2027-01-09", *SERIES, *PLAN)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert "1  Mon 2027-01-11  moved from Saturday 2027-01-09" in lines
    assert "2  Mon 2027-01-25" in [line.rstrip() for line in lines]
    assert "3 vials     1 pack of 5" in ran.out
    assert "Ready as far as it was checked." in lines
    assert max(map(len, lines)) <= 80
    assert meso("course", "list").said.startswith("no course is booked")


def test_the_verb_may_be_named_and_options_may_come_first(meso):
    plain = ("--start", "2027-01-11", *SERIES, *PLAN, "--json")
    named = meso("course", "plan", FORMULA, *plain)
    first = meso("course", *plain, FORMULA)
    assert named.code == first.code == 0
    assert named.json == first.json


def test_json_tells_days_quantities_needs_and_findings(meso):
    plain = meso("course", FORMULA, "--start", "2027-01-11", *SERIES, *PLAN, "--json").json
    assert [(one["on"], one["weekday"]) for one in plain["sessions"]] == [
        ("2027-01-11", "Monday"),
        ("2027-01-25", "Monday"),
        ("2027-02-08", "Monday"),
    ]
    assert plain["sessions"][0]["takes"] == [
        {"product": f"{NCTF}@1", "containers": 1, "volume": None},
        {"product": f"{AMPOULE}@1", "containers": 1, "volume": None},
    ]
    assert [(one["product"], one["containers"], one["packs"], one["cost"]) for one in plain["needs"]] == [
        (f"{NCTF}@1", 3, 1, []),
        (f"{AMPOULE}@1", 3, None, []),
    ]
    assert plain["findings"]["mixing-not-stated"] == 1
    assert (plain["ready"], plain["calendar"], plain["cost"]["at_least"]) == (True, None, True)


def test_the_cost_is_that_of_the_lots_in_stock(meso):
    for lot, cost in (("L1", "20.00 EUR"), ("L2", "22.50 EUR"), ("L3", "25 USD")):
        assert meso("stock", "receive", NCTF, "--lot", lot, "--containers", "5", "--expiry", "2099-01",
                    "--cost", cost).code == 0  # fmt: skip
    plain = meso("course", NCTF, "--start", "2027-01-11", *SERIES, "--volume", "3 mL", "--json").json
    assert plain["needs"][0]["cost"] == [
        {"low": {"value": "60.00", "unit": "EUR"}, "high": {"value": "67.50", "unit": "EUR"}},
        {"low": {"value": "75.00", "unit": "USD"}, "high": {"value": "75.00", "unit": "USD"}},
    ]


def test_what_is_left_in_a_multi_dose_vial_is_carried_on_as_long_as_it_keeps(meso):
    course = ("course", "fresenius-kabi/pyridoxine-100", "--start", "2027-01-11", "--volume", "0.3 mL")
    close = meso(*course, "--sessions", "3", "--every", "7d", "--json").json["needs"][0]
    apart = meso(*course, "--sessions", "3", "--every", "28d", "--json").json["needs"][0]
    assert (close["containers"], close["saved_by_keeping"]) == (1, 2)
    assert (apart["containers"], apart["saved_by_keeping"]) == (3, 0)


def test_a_finding_that_stands_against_it_is_exit_code_1_and_nothing_is_booked(meso):
    ran = meso("course", FORMULA, "--start", str(MONDAY), *SERIES, "--volume", "3 mL", "--book",
               "--reference", REF)  # fmt: skip
    assert ran.code == 1
    assert "NOT READY: mixing-not-stated, route-not-stated (every session)" in ran.said
    assert "NOT BOOKED: the course is not ready." in ran.out
    assert meso("course", "list", "--json").json["bookings"] == []


def test_a_published_protocol_gives_schedule_checklist_and_source(meso):
    ran = meso("course", FORMULA, "--start", "2027-01-11", "--protocol", "clinic-meso-lift",
               "--sessions", "4", "--until", "2027-04-30", *PLAN)  # fmt: skip
    assert ran.code == 0
    assert "CLINIC: Radiance for You" in ran.said
    assert "5  Mon 2027-03-22  maintenance" in ran.out
    assert "Around each session (CLINIC) [ ] remove make-up [ ] cleanse [ ] resurface" in ran.said
    assert "[ ] anaesthetic cream such as Emla, if wished" in ran.said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--protocol", "clinic-meso-lift"), "4 to 6 sessions are published; choose with --sessions"),
        (("--protocol", "clinic-face-series", "--sessions", "3"), "1 week to 1 month is published; choose"),
        (("--protocol", "clinic-meso-lif"), "did you mean clinic-meso-lift"),
        ((), "expected --sessions with --every, or --protocol (published for what it holds:"),
        (("--sessions", "3"), "how far apart? expected --every, such as 14d, 2 weeks or 1 month"),
        (("--sessions", "201", "--every", "7d"), "--sessions '201': expected a whole number from 1 to 200"),
        (("--sessions", "3", "--every", "-3d"), "'-3d' is no interval; expected 14d, 2 weeks or 1 month"),
        (("--sessions", "3", "--every", "600 months"), "expected days up to 2100-12-31"),
        ((*SERIES, "--until", "2027-01-01", "--then-every", "1month"), "lies before the start"),
        ((*SERIES, "--until", "1999-01-01", "--then-every", "1month"), "expected a day from 2000-01-01"),
        ((*SERIES, "--book"), "--book: under which reference?"),
        ((*SERIES, "--duration", "45min"), "--duration is from a time of day on"),
        ((*SERIES, "--time", "25:00"), "--time '25:00' is no time of day; expected such as 10:00"),
        ((*SERIES, "--time", "10:00", "--duration", "0.5 min"), "expected whole minutes"),
        ((*SERIES, "--ics", "no/such/folder.ics"), "is no folder; make it first"),
        ((*SERIES, "--ics", "plan.txt"), "expected a name that ends in .ics"),
        ((*SERIES, "--zone", "nowhere"), "--zone 'nowhere' is not known"),
    ],
)
def test_what_cannot_be_planned_is_one_clear_line(meso, words, message):
    ran = meso("course", FORMULA, "--start", "2027-01-11", *words, *PLAN)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


def test_a_start_out_of_range_or_no_day_is_one_clear_line(meso):
    for start, message in (("1999-12-31", "expected a day from 2000-01-01 to 2100-12-31"),
                           ("2027-02-30", "--start '2027-02-30' is no day")):  # fmt: skip
        ran = meso("course", FORMULA, "--start", start, *SERIES, *PLAN)
        assert (ran.code, message in ran.err) == (2, True)


def test_closed_days_are_kept_off_and_a_bad_file_is_told_by_its_lines(meso, write):
    write("closed.txt", "2027-01-25 to 2027-01-26  # works\n")
    ran = meso("course", FORMULA, "--start", "2027-01-11", *SERIES, *PLAN, "--closed-days", "closed.txt")
    assert "2  Wed 2027-01-27  moved from Monday 2027-01-25, closed" in ran.out
    write("bad.txt", "2027-01-25\n25.1.2027\n2027-02-30\n")
    ran = meso("course", FORMULA, "--start", "2027-01-11", *SERIES, *PLAN, "--closed-days", "bad.txt")
    assert ran.code == 3
    assert [line.split(" ")[0] for line in ran.err.splitlines()] == ["bad.txt:2:", "bad.txt:3:"]
    ran = meso("course", FORMULA, "--start", "2027-01-11", *SERIES, *PLAN, "--closed-days", "none.txt")
    assert (ran.code, ran.err.startswith("none.txt: ")) == (3, True)


# ---- calendars ---------------------------------------------------------------------------------------------


def read(path):
    return Calendar.from_ical(path.read_bytes())


def test_a_calendar_holds_days_at_the_site_and_no_name(meso, tmp_path):
    path = tmp_path / "here" / "plan.ics"
    words = ("course", FORMULA, "--start", "2027-03-22", *SERIES, *PLAN, "--time", "10:00", "--duration",
             "45min", "--ics", str(path))  # fmt: skip
    assert meso(*words).code == 0
    events = read(path).walk("VEVENT")
    paris = ZoneInfo("Europe/Paris")
    assert [event.decoded("dtstart") for event in events] == [
        datetime(2027, 3, 22, 10, tzinfo=paris),
        # Clocks were put forward in between: it is ten o'clock all the same.
        datetime(2027, 4, 5, 10, tzinfo=paris),
        datetime(2027, 4, 19, 10, tzinfo=paris),
    ]
    assert all(event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=45) for event in events)
    assert [str(event["summary"]) for event in events] == [f"session {n} of 3" for n in (1, 2, 3)]
    assert "anna" not in path.read_text()
    uids = [str(event["uid"]) for event in events]
    assert len(set(uids)) == 3
    ran = meso(*words)
    assert (ran.code, "is there already" in ran.err) == (2, True)
    assert meso(*words, "--replace").code == 0
    assert [str(event["uid"]) for event in read(path).walk("VEVENT")] == uids


def test_without_a_time_of_day_the_calendar_holds_whole_days(meso, tmp_path):
    path = tmp_path / "here" / "plan.ics"
    meso("course", FORMULA, "--start", "2027-03-22", *SERIES, *PLAN, "--ics", str(path))
    calendar = read(path)
    (first, *_rest) = calendar.walk("VEVENT")
    assert (first.decoded("dtstart"), first.decoded("dtend")) == (date(2027, 3, 22), date(2027, 3, 23))
    assert calendar.walk("VTIMEZONE") == []


def test_a_booked_session_keeps_its_identifier_when_it_moves(meso, booked, tmp_path):
    path = tmp_path / "here" / "booked.ics"
    assert booked(REF, MONDAY, "--ics", str(path)).code == 0
    before = read(path).walk("VEVENT")
    later = MONDAY + timedelta(days=15)
    meso("course", "move", REF, "2", "--to", str(later), "--shift-rest")
    meso("course", "cancel", REF, "--session", "3", "--reason", "x")
    assert meso("course", "show", REF, "--ics", str(path), "--replace").code == 0
    after = read(path).walk("VEVENT")
    assert [str(event["uid"]) for event in after] == [str(event["uid"]) for event in before]
    assert after[1].decoded("dtstart") == later
    assert [event.get("status") for event in after] == [None, None, "CANCELLED"]
    assert int(after[0]["sequence"]) > int(before[0]["sequence"])
    assert str(after[0]["summary"]) == f"{REF}: session 1 of 3"


# ---- booked ------------------------------------------------------------------------------------------------


def test_a_booked_course_is_listed_shown_moved_and_cancelled(meso, booked):
    ran = booked()
    assert ran.code == 0
    assert f"booked for {REF}: movement 1" in ran.out
    assert REF in meso("course", "list").out
    days = [str(MONDAY + timedelta(days=14 * n)) for n in range(3)]
    assert sessions(meso) == [(n, day, "booked") for n, day in enumerate(days, start=1)]
    to = MONDAY + timedelta(days=16)
    ran = meso("course", "move", REF, "2", "--to", str(to))
    assert (ran.code, "expected 14 days or more" in ran.err) == (2, True)
    ran = meso("course", "move", REF, "2", "--to", str(to), "--shift-rest", "--by", "ben")
    assert ran.code == 0
    assert f"note: session 2: {days[1]} -> Wednesday {to}" in ran.said
    assert sessions(meso)[2][1] == str(to + timedelta(days=14))
    assert meso("course", "cancel", REF).code == 2
    assert meso("course", "cancel", REF, "--reason", "moved away").code == 0
    assert [status for _n, _on, status in sessions(meso)] == ["cancelled"] * 3
    assert meso("course", "list", "--json").json["bookings"] == []
    assert meso("course", "list", "--all", "--json").json["bookings"][0]["reference"] == REF
    assert meso("stock", "verify").code == 0


def test_the_same_request_books_once_and_says_so(meso, booked):
    assert booked(REF, MONDAY, "--request-id", "R-1").code == 0
    ran = booked(REF, MONDAY, "--request-id", "R-1")
    assert (ran.code, "nothing changed: movement 1" in ran.out) == (0, True)


def test_courses_that_overlap_are_refused_with_both_named(meso, booked):
    booked()
    ran = booked()
    assert ran.code == 2
    assert all(f"session {n} of {FORMULA}" in ran.err for n in (1, 2, 3))
    assert "S-2027-01" in meso("course", "show", "S-2027-01").err


def test_overrides_are_kept_as_the_reason_of_the_booking(meso, booked):
    booked()
    (movement,) = meso("stock", "history", "--json").json["movements"]
    assert movement["reason"] == "overridden: mixing-not-stated, route-not-stated by anna: a test"
    assert json.loads(movement["lines"][0]["new"])["courses"][0]["formula"] == FORMULA


def test_a_reference_is_never_a_name(meso, booked):
    ran = booked("Anna Roux")
    assert (ran.code, "never a name" in ran.err) == (2, True)


# ---- the forecast ------------------------------------------------------------------------------------------


def test_the_forecast_tells_what_runs_short_expires_and_is_to_be_ordered(meso, booked):
    expiry = MONDAY + timedelta(days=20)
    meso("stock", "receive", NCTF, "--lot", "L1", "--containers", "4", "--expiry", str(expiry))
    booked()
    ran = meso("stock", "forecast", "--lead-time", "5d", "--lead-time", "fillmed=10d")
    assert (ran.code, ran.err) == (0, "")
    assert "3 booked sessions" in ran.out
    third = MONDAY + timedelta(days=28)
    assert f"{third - timedelta(days=10)}  {third}" in ran.out
    assert "Expires unused" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    plain = meso("stock", "forecast", "--lead-time", "5d", "--lead-time", "fillmed=10d", "--json").json
    assert {one["product"]: (one["first_on"], one["missing"]) for one in plain["short"]} == {
        NCTF: (str(third), 1),
        AMPOULE: (str(MONDAY), 3),
    }
    assert plain["expires_unused"] == [
        {"product": NCTF, "lot": "L1", "location": "main", "containers": 2, "expiry": str(expiry)}
    ]
    assert [(one["product"], one["packs"]) for one in plain["order"] if one["product"] == NCTF] == [(NCTF, 1)]
    assert plain["takes"] == {NCTF: 3, AMPOULE: 3}


def test_the_forecast_ends_where_it_is_told_to(meso, booked):
    booked()
    plain = meso("stock", "forecast", "--until", str(MONDAY), "--json").json
    assert (plain["until"], plain["sessions"]) == (str(MONDAY), 1)


def test_an_empty_stock_has_nothing_to_come(meso):
    ran = meso("stock", "forecast")
    assert (ran.code, "0 booked sessions" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--lead-time", "5"), "'5' is no interval; expected 14d"),
        (("--lead-time", "=5d"), "expected such as 5d, acme=10d or acme/c-500=10d"),
        (("--lead-time", "acme=1 month"), "months differ in length; expected days, such as 30d"),
        (("--safety-stock", "-1"), "'-1' is no interval"),
        (("--safety-stock", "99999999"), "expected up to 1000000 containers"),
        (("--until", "soon"), "'soon' is no day"),
    ],
)
def test_a_forecast_on_bad_terms_is_refused_in_one_line(meso, words, message):
    ran = meso("stock", "forecast", *words)
    assert ran.code == 2
    assert message in ran.err
