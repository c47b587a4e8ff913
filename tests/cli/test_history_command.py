"""`mesoformula stock history`."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

NCTF = "fillmed/nctf-135ha"
JALUPRO = "professional-derma/jalupro-hmw"


@pytest.fixture
def stock(meso):
    """Run a verb of the stock that must succeed."""

    def call(*words: str):
        ran = meso("stock", *words)
        assert ran.code == 0, ran.err
        return ran

    return call


@pytest.fixture
def kept(stock):
    """A lot that went to two sessions, one of them through a mixture."""
    stock("receive", NCTF, "--lot", "L1", "--containers", "5", "--expiry", "05/2099", "--supplier", "Acme",
          "--by", "ben")  # fmt: skip
    stock("receive", JALUPRO, "--lot", "J1", "--containers", "5", "--no-expiry", "--by", "ben")
    stock("use", NCTF, "L1", "--containers", "1", "--reference", "S-0001", "--by", "anna")
    stock("mix", "cocktail", "--from", f"{NCTF}:L1=1", "--from", f"{JALUPRO}:J1=1", "--volume", "4 mL",
          "--reference", "S-0002", "--by", "anna")  # fmt: skip
    stock("use", "--opened", "1", "--volume", "2.5 mL", "--reference", "S-0002", "--by", "anna")


def seqs(ran) -> list[int]:
    return [one["movement"] for one in ran.json["movements"]]


@pytest.mark.usefixtures("kept")
def test_everything_is_listed_newest_last(stock):
    ran = stock("history")
    lines = [line for line in ran.out.splitlines() if line.startswith("movement ")]
    assert [line.split(":")[0] for line in lines] == [f"movement {n}" for n in range(1, 6)]
    assert ran.out.splitlines()[-1].startswith("anchor 5:")
    shown = stock("history", "--limit", "2")
    assert shown.out.startswith("3 older movements are not shown")
    assert "movement 3" not in shown.out
    assert seqs(stock("history", "--json")) == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("kept")
def test_movements_are_found_by_everything_that_they_say(stock):
    today = datetime.now().astimezone().date()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    for words, found in (
        (["--by", "ben"], [1, 2]),
        (["--product", JALUPRO], [2, 4]),
        (["--product", f"{JALUPRO}@2"], []),
        (["--lot", "L1"], [1, 3, 4, 5]),
        (["--lot", "L1", "--by", "anna"], [3, 4, 5]),
        (["--reference", "S-0002"], [4, 5]),
        (["--opened", "1"], [4, 5]),
        (["3"], [3]),
        (["99"], []),
        (["--since", str(today)], [1, 2, 3, 4, 5]),
        (["--since", str(tomorrow)], []),
        (["--until", str(yesterday)], []),
        (["--limit", "1"], [5]),
    ):
        assert seqs(stock("history", *words, "--json")) == found, words
    assert "no movement matches" in stock("history", "99").out


@pytest.mark.usefixtures("kept")
def test_a_lot_is_followed_to_its_sessions(stock):
    said = stock("history", "--lot", "L1").said
    assert "came: 5 vials on" in said
    assert "from Acme (movement 1)" in said
    assert "left: 3 vials at main" in said
    assert "used in 2 sessions: S-0001, S-0002" in said
    assert "mixture 1" in said
    trace = stock("history", "--lot", "L1", "--product", NCTF, "--json").json["trace"]
    assert trace["sessions"] == ["S-0001", "S-0002"]
    assert [(one["reference"], one["containers"], one["volume"], one["via"]) for one in trace["went"]] == [
        ("S-0001", 1, None, []),
        ("S-0002", None, {"value": "2.5", "unit": "mL"}, [{"opened": 1, "mixture": "cocktail"}]),
    ]
    assert trace["opened"][0]["left"] == {"kind": "at_least", "value": "1.5", "unit": "mL"}


@pytest.mark.usefixtures("kept")
def test_a_session_is_followed_back(stock):
    said = stock("history", "--reference", "S-0002").said
    for text in (
        "lot L1 of NCTF 135HA (fillmed/nctf-135ha@1), usable through 2099-05-31",
        "lot J1 of",
        "no expiry",
        "from Acme",
        "supplier not recorded",
    ):
        assert text in said
    trace = stock("history", "--reference", "S-0002", "--json").json["trace"]
    assert {(one["product"], one["lot"]) for one in trace["went"]} == {
        (f"{NCTF}@1", "L1"),
        (f"{JALUPRO}@1", "J1"),
    }


@pytest.mark.usefixtures("kept")
def test_a_use_that_was_taken_back_is_said_to_be(stock):
    stock("reverse", "3", "--reason", "wrong session")
    said = stock("history", "--lot", "L1").said
    assert "REVERSED by movement 6" in said
    assert "used in 1 session: S-0002" in said


@pytest.mark.usefixtures("kept")
def test_a_recall_lists_every_session(meso):
    ran = meso("stock", "recall", NCTF, "L1", "--reason", "letter of the maker")
    assert ran.code == 0
    assert "RECALLED, blocked everywhere" in ran.said
    assert "used in 2 sessions: S-0001, S-0002" in ran.said
    assert "left: 3 vials at main: blocked" in ran.said


@pytest.mark.usefixtures("kept")
def test_what_is_not_there_is_answered_with_what_comes_near(meso, stock):
    stock("receive", JALUPRO, "--lot", "L1", "--containers", "1", "--no-expiry")
    for words, said in (
        (["--lot", "L2"], "lot 'L2' is not in the stock; did you mean"),
        (["--lot", "L1"], "several products have a lot 'L1'; name one with --product"),
        (["--lot", "L1", "--product", "fillmed/nctf"], f"did you mean '{NCTF}'"),
        (["--reference", "S-0003"], "nothing was recorded for 'S-0003'; did you mean"),
        (["--reference", "Mrs. Smith"], "expected 4 to 32"),
        (["--since", "2026-02-01", "--until", "2026-01-01"], "ends before it begins"),
        (["first"], "expected a whole number"),
    ):
        ran = meso("stock", "history", *words)
        assert ran.code == 2, words
        assert said in " ".join(ran.err.split())
        assert ran.err.count("\n") == 1


def test_an_empty_stock_has_no_history(meso):
    ran = meso("stock", "history")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "no movement matches")
    assert meso("stock", "history", "--json").json["movements"] == []
    assert meso("stock", "history", "--lot", "L1").code == 2
