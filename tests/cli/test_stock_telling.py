"""What the verbs of the stock tell people: in words, wrapped so that lines that go on can be told apart."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest

VITAMIN = "phoenix-labs/ascorbic-acid-500"
B12 = "hikma/cyanocobalamin-1000-10ml"
EXPIRY = "2099-05-31"


@pytest.fixture
def stock(tmp_path, monkeypatch, meso):
    """Ten ampoules of lot L1, received a month ago; verified in the end."""
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    monkeypatch.setenv("MESOFORMULA_ACTOR", "anna")
    monkeypatch.setenv("MESOFORMULA_TIME_ZONE", "Europe/Paris")
    came = day(30)
    ran = meso(*RECEIVE, "--containers", "10", "--received", f"{came} 10:00", "--cost", "2 EUR")
    assert (ran.code, ran.err) == (0, "")
    yield meso
    assert meso("stock", "verify").code == 0


RECEIVE = ("stock", "receive", VITAMIN, "--lot", "L1", "--expiry", EXPIRY)


def day(ago):
    return (datetime.now().astimezone() - timedelta(days=ago)).date().isoformat()


class TestFacts:
    def test_an_assay_a_cost_and_a_remark_are_told_in_words(self, stock):
        assay = ("--assay", "98 %", "--substance", "ascorbic-acid", "--basis", "as is", "--reason", "CoA")
        ran = stock("stock", "fact", VITAMIN, "L1", *assay)
        assert "assay: none -> 98 % of ascorbic-acid, as is" in ran.said
        ran = stock("stock", "fact", VITAMIN, "L1", "--cost", "12.50 EUR", "--reason", "invoice")
        assert "cost: 2.00 EUR a container -> 12.50 EUR a container" in ran.said
        ran = stock("stock", "fact", VITAMIN, "L1", "--remark", "box is dented")
        assert "remark, (box is dented)" in ran.said
        told = stock("stock", "history").said
        assert "{" not in told
        assert ".." not in told
        assert "none -> none" not in told

    def test_what_a_gtin_stands_for_is_told_in_words(self, stock):
        ran = stock("stock", "scan", "--teach", f"05060131261980={VITAMIN}", "--containers", "10")
        assert f"gtin: none -> pack of 10 containers of {VITAMIN}" in ran.said

    def test_what_a_count_expects_has_no_before(self, stock):
        assert stock("stock", "count", "open").code == 0
        assert stock("stock", "count", "post", "2", "--counted", "1=9", "--reason", "May").code == 0
        told = stock("stock", "history").said
        assert "expected 10" in told
        assert "count 2, posted" in told


def test_lines_that_go_on_are_indented_further(stock):
    ran = stock("stock", "use", VITAMIN, "L1", "--containers", "1", "--reference", "S-2026-001")
    head, *rest = ran.out.splitlines()
    assert head.startswith("movement 2: use")
    lines = rest[: next(n for n, line in enumerate(rest) if line.startswith("stock "))]
    assert lines[0].startswith("  Ascorbic")
    assert len(lines) > 1
    assert all(line.startswith("    ") for line in lines[1:])


class TestCountsStayTrue:
    @pytest.fixture
    def counted(self, stock):
        at = ("--at", f"{day(10)} 12:00")
        assert stock("stock", "count", "open", *at).code == 0
        assert stock("stock", "count", "post", "2", "--counted", "1=8", "--reason", "count").code == 0
        return stock

    def test_a_delivery_from_before_a_count_says_that_it_changes_nothing_now(self, counted):
        late = ("--containers", "5", "--received", f"{day(20)} 10:00")
        ran = counted(*RECEIVE, *late)
        assert f"what was counted {day(10)} 12:00 stays true: movement 5 takes off 5 ampoules" in ran.said
        ran = counted(*RECEIVE, *late, "--json")
        (note,) = ran.json["notes"]
        assert "movement 7 takes off 5 ampoules of lot L1 at main" in note

    def test_so_does_a_use(self, counted):
        late = ("--at", f"{day(20)} 12:00", "--reference", "S-2026-001")
        ran = counted("stock", "use", VITAMIN, "L1", "--containers", "3", *late)
        assert "stays true: movement 4 gives back 3 ampoules of lot L1 at main" in ran.said


def test_a_delivery_of_a_recalled_lot_says_so(stock):
    assert stock("stock", "recall", VITAMIN, "L1", "--reason", "letter").code == 0
    ran = stock(*RECEIVE, "--containers", "1")
    assert f"lot 'L1' of {VITAMIN}@1 is RECALLED: it cannot be picked, reserved or issued" in ran.said
    assert "is RECALLED" in " ".join(stock(*RECEIVE, "--containers", "1", "--json").json["notes"])


def test_only_opened_containers_that_are_kept_apart_are_pointed_to(stock):
    for lot in ("M1", "M2"):
        words = ("--lot", lot, "--containers", "2", "--expiry", EXPIRY)
        assert stock("stock", "receive", B12, *words).code == 0
        assert stock("stock", "open", B12, lot).code == 0
    assert "2 opened containers are there too" in stock("stock", "list").said
    assert stock("stock", "recall", B12, "M1", "--reason", "letter").code == 0
    assert "1 opened container is there too" in stock("stock", "list", "--quarantined").said


def test_nothing_left_is_short_stock(stock):
    words = ("stock", "waste", VITAMIN, "L1", "--reason", "fire")
    assert stock(*words, "--containers", "10").code == 0
    ran = stock(*words, "--containers", "1")
    assert ran.code == 1
    assert "no whole container is left anywhere" in ran.err
    assert "--location" in ran.err


class TestClocks:
    def test_a_time_that_never_was_is_refused(self, stock):
        ran = stock("stock", "waste", VITAMIN, "L1", "--containers", "1", "--at", "2026-03-29 02:30")
        assert ran.code == 2
        assert "there was no such time at the site" in ran.err

    def test_a_time_that_came_twice_is_asked_for(self, stock):
        words = ("stock", "waste", VITAMIN, "L1", "--containers", "1", "--reason", "fell")
        ran = stock(*words, "--at", "2026-10-25 02:30")
        assert ran.code == 2
        assert "'2026-10-25 02:30+02:00' or '2026-10-25 02:30+01:00'" in ran.err
        assert "came twice" not in stock(*words, "--at", "2026-10-25 02:30+01:00").err


@pytest.mark.parametrize("option", ["--lot", "--product", "--by", "--reference"])
@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[31m", b"", b"x" * 10_000])
def test_history_refuses_names_that_nothing_can_bear(stock, option, name):
    ran = stock("stock", "history", option, os.fsdecode(name))
    assert ran.code == 2
    assert "expected" in ran.err
    assert "internal error" not in ran.err
    assert "\x1b" not in ran.err


def test_the_value_of_a_past_day_leaves_out_what_was_wasted_later(stock):
    words = ("stock", "waste", VITAMIN, "L1", "--containers", "1", "--reason", "fell")
    assert stock(*words, "--at", f"{day(20)} 12:00").code == 0
    assert stock(*words, "--at", f"{day(5)} 12:00").code == 0
    (wasted,) = stock("stock", "value", "--on", day(10), "--json").json["wasted"]["lots"]
    assert wasted["containers"] == 1
    ran = stock("stock", "value", "--on", day(25))
    assert f"no whole container was wasted through {day(25)}" in ran.said


def test_a_stock_that_was_not_recorded_yet_is_not_taken_for_a_wrong_path(stock):
    ran = stock("stock", "list", "--known-on", day(60))
    assert f"the stock is empty, as recorded by the end of {day(60)}" in ran.said
    assert "path" not in ran.said


def test_what_nobody_knows_is_not_told_as_nothing_left(stock):
    kit = "alidya/alidya"
    assert stock("stock", "receive", kit, "--lot", "K1", "--containers", "1", "--expiry", EXPIRY).code == 0
    assert stock("stock", "open", kit, "K1").code == 0
    words = ("--volume", "3 mL", "--reference", "S-2026-001")
    assert stock("stock", "use", "--opened", "1", *words).code == 0
    assert "not known" in stock("stock", "list", "--opened").said
    assert "how much is not known" in stock("stock", "history", "--lot", "K1").said


def test_a_quarantine_of_one_place_points_to_what_is_open_there(stock):
    assert stock("stock", "open", VITAMIN, "L1").code == 0
    words = ("stock", "quarantine", VITAMIN, "L1", "--reason", "torn")
    told = stock(*words, "--location", "main").said
    assert "opened container 1 of it at 'main' is not kept apart by that" in told
    assert "is not kept apart" not in stock(*words).said
