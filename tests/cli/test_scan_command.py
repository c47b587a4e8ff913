"""`mesoformula stock scan`: what a scanner types, in a pipe and at a terminal."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import pytest

from mesoformula.stock.arrivals.element_strings import GS

#: GS1's own numbers for examples, and the one product of the catalogues that bears a GTIN.
FREE = "09506000134352"
OTHER = "09506000134369"
MAGNESIUM = "torbay/magnesium-sulfate-50-10ml"
BEARS = "05060131261973"
NCTF = "fillmed/nctf-135ha"
#: A day far enough from any on which this runs, and near enough for the century rule of GS1.
YEAR = datetime.now(UTC).year + 10
YY = f"{YEAR % 100:02d}"
DAY = f"{YY}0531"
SOONER = f"{(YEAR - 1) % 100:02d}0531"


class Typed(io.StringIO):
    """A terminal at which somebody has typed already."""

    def isatty(self):
        return True


def code(gtin=FREE, lot="12AB", expiry=DAY, serial=None, mark="]d2"):
    tail = f"{GS}21{serial}" if serial is not None else ""
    return f"{mark}01{gtin}17{expiry}10{lot}{tail}"


@pytest.fixture
def pipe(meso, monkeypatch):
    def call(text, *words):
        lines = text if isinstance(text, str) else "\n".join(text) + "\n"
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        return meso("stock", "scan", *words)

    return call


@pytest.fixture
def terminal(meso, monkeypatch):
    def call(*lines, words=()):
        monkeypatch.setattr(sys, "stdin", Typed("".join(f"{line}\n" for line in lines)))
        return meso("stock", "scan", *words)

    return call


@pytest.fixture
def taught(meso):
    """A stock that knows a pack of five; movement 1."""
    ran = meso("stock", "scan", "--teach", f"{FREE}={NCTF}", "--containers", "5")
    assert (ran.code, ran.err) == (0, "")
    assert "movement 1: setting" in ran.out


def listed(meso):
    return meso("stock", "list", "--json").json


def there(meso):
    found = listed(meso)["on_hand"]
    return {(one["product"].partition("@")[0], one["lot"]): one["containers"] for one in found}


# ---- teaching ------------------------------------------------------------------------------------------


def test_what_a_gtin_stands_for_is_taught_by_a_movement_of_its_own(meso, taught):
    ran = meso(
        "stock", "scan", "--teach", f"{FREE}={NCTF}", "--containers", "50", "--level", "case", "--json"
    )
    (line,) = ran.json["movements"][0]["lines"]
    assert (line["fact"], line["subject"]) == ("gtin", FREE)
    assert line["new"] == '{"containers":50,"level":"case","product":"fillmed/nctf-135ha"}'
    assert line["old"] == '{"containers":5,"level":"pack","product":"fillmed/nctf-135ha"}'


def test_a_stated_pack_and_a_single_container_need_no_number(meso):
    ran = meso("stock", "scan", "--teach", f"{FREE}={NCTF}", "--json")
    assert '"containers":5,' in ran.json["movements"][0]["lines"][0]["new"]
    ran = meso("stock", "scan", "--teach", f"{OTHER}={NCTF}", "--level", "container", "--json")
    assert '"containers":1,' in ran.json["movements"][0]["lines"][0]["new"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--teach", FREE], "expected a GTIN and a product's id"),
        (["--teach", f"{FREE}="], "expected a GTIN and a product's id"),
        (["--teach", f"{FREE[:-1]}3={NCTF}"], "the check digit is wrong"),
        (["--teach", f"x={NCTF}"], "'x' is no GTIN"),
        (["--teach", f"{FREE}=fillmed/nctf"], "no product is called 'fillmed/nctf'"),
        (["--teach", f"{FREE}={NCTF}", "--level", "case"], "how many containers are in this case?"),
        (["--teach", f"{FREE}={MAGNESIUM}"], "how many containers are in this pack?"),
        (["--teach", f"{FREE}={NCTF}", "--containers", "0"], "expected a whole number from 1"),
        (["--teach", f"{FREE}={NCTF}", "--containers", "1.5"], "expected a whole number from 1"),
        (["--teach", f"{FREE}={NCTF}", "--level", "container", "--containers", "2"], "a single container"),
        (["--teach", f"{BEARS}={NCTF}"], f"the catalogue says that it is that of {MAGNESIUM}, not of {NCTF}"),
        (["--containers", "2"], "--containers is of --teach"),
    ],
)
def test_wrong_teaching_is_refused(meso, words, said):
    ran = meso("stock", "scan", *words)
    assert ran.code == 2
    assert said in ran.err
    assert listed(meso)["anchor"] is None


# ---- in a pipe -----------------------------------------------------------------------------------------


def test_scanned_packs_are_received_as_one_movement(meso, pipe, taught):
    ran = pipe([code(serial="S1"), code(serial="S2"), code(lot="13"), code(lot="13"), "", code(lot="14")])
    assert (ran.code, ran.err) == (0, "")
    assert there(meso) == {(NCTF, "12AB"): 10, (NCTF, "13"): 10, (NCTF, "14"): 5}
    assert "movement 2: received 25 containers of 3 lots" in ran.out
    assert ran.out.splitlines()[-1].startswith("anchor 2:")


def test_serial_numbers_and_gtins_are_kept_with_their_packs(pipe, taught):
    ran = pipe([code(serial="S1"), code(serial="S2"), code(lot="13")], "--json", "--location", "fridge")
    assert [(one["device"], one.get("serial"), one["containers"]) for one in ran.json["deliveries"]] == [
        (FREE, "S1", 5),
        (FREE, "S2", 5),
        (FREE, None, 5),
    ]
    assert {one["location"] for one in ran.json["deliveries"]} == {"fridge"}


def test_a_dry_run_records_nothing(meso, pipe, taught):
    ran = pipe([code()], "--dry-run")
    assert ran.code == 0
    assert "dry run: nothing was recorded; 5 containers of 1 lot" in ran.out
    assert pipe([code()], "--dry-run", "--json").json["dry_run"] is True
    assert listed(meso)["anchor"].startswith("1:")


def test_the_same_request_may_be_made_twice(meso, pipe, taught):
    first = pipe([code(serial="S1")], "--request-id", "r", "--json")
    again = pipe([code(serial="S1")], "--request-id", "r", "--json")
    assert (first.json["repeated"], again.json["repeated"]) == (False, True)
    assert there(meso) == {(NCTF, "12AB"): 5}


def test_a_separator_that_the_site_has_set_is_read(meso, pipe, taught, monkeypatch):
    monkeypatch.setenv("MESOFORMULA_SCANNER_SEPARATORS", "|")
    assert pipe([code(serial="S1").replace(GS, "|")]).code == 0
    assert there(meso) == {(NCTF, "12AB"): 5}


def test_day_00_is_the_last_of_the_month(meso, pipe, taught):
    assert pipe([code(expiry="280200")]).code == 0
    assert listed(meso)["on_hand"][0]["expiry"] == "2028-02-29"


def test_a_case_counts_its_containers_and_an_outer_box_what_it_says(meso, pipe, taught):
    meso("stock", "scan", "--teach", f"{OTHER}={NCTF}", "--containers", "50", "--level", "case")
    assert pipe([code(OTHER), f"]C102{FREE}17{DAY}10X{GS}373"]).code == 0
    assert there(meso) == {(NCTF, "12AB"): 50, (NCTF, "X"): 15}


@pytest.mark.parametrize(
    ("line", "problem", "said"),
    [
        (
            code(OTHER),
            "gtin",
            f"mesoformula stock scan --teach {OTHER}=VENDOR/SKU --containers N --level pack",
        ),
        (code(BEARS), "containers", f"a pack of {MAGNESIUM} holds is not stated; count them, and say: "),
        (code("09506000134353"), "checksum", "wrong check digit"),
        (FREE, "incomplete", "the code gives no lot and no expiry"),
        (f"]d201{FREE}1012AB", "incomplete", "the code gives no expiry"),
        (f"]d217{DAY}1012AB{GS}", "incomplete", "the code gives no GTIN"),
        (f"]d201{FREE}17{DAY}10471117270531", "separator", "is a separator missing?"),
        (f"]d201{FREE}17{YY}0231104711", "expiry", "is no date; expected YYMMDD"),
        (f"]d201{FREE}17{DAY}10A{GS}305", "count", "receive it by hand"),
        ("+A123BJC5D6E71", "hibc", "is an HIBC code"),
        ("9N110375286414", "ppn", "is a PPN code"),
        ("'; DROP TABLE movement; --", "not-gs1", "nothing says that"),
        ("=1+1", "not-gs1", "nothing says that"),
        (f"]d201{FREE}17{DAY}10" + "9" * 10_000, "too-long", "characters long"),
        (f"]d201{FREE}17{DAY}10A\x1b[31m", "not-gs1", "holds '\\x1b'"),
        (code(lot="\\xff"), "separator", "which no GS1 value holds"),
        (code(serial="S1"), "serial", "was scanned in line 1 already"),
        (code(expiry=SOONER), "expiry", f"has expiry {YEAR - 1}-05-31 here and {YEAR}-05-31 in line 1"),
    ],
)
def test_what_cannot_be_received_refuses_all_with_its_line(meso, pipe, taught, line, problem, said):
    ran = pipe([code(serial="S1"), line])
    assert ran.code == 3
    assert ran.out == ""
    (message,) = ran.err.splitlines()
    assert message.startswith(f"standard input:2: [{problem}] ")
    assert said in message
    assert message.isprintable()
    assert len(message) < 500
    assert listed(meso)["anchor"].startswith("1:")


def test_every_line_is_named_not_the_first_only(pipe, taught):
    ran = pipe([code(), "foo", code(), "bar"])
    assert [line.partition("]")[0] for line in ran.err.splitlines()] == [
        "standard input:2: [not-gs1",
        "standard input:4: [not-gs1",
    ]


def test_a_pack_that_the_stock_has_received_before_is_refused(meso, pipe, taught):
    assert pipe([code(serial="S1")]).code == 0
    ran = pipe([code(serial="S2"), code(serial="S1")])
    assert ran.code == 3
    assert ran.err == "standard input:2: [serial] pack 'S1': movement 2 received it already\n"
    assert there(meso) == {(NCTF, "12AB"): 5}


def test_what_the_ledger_refuses_is_said_with_its_line(meso, pipe, taught):
    meso("stock", "receive", NCTF, "--lot", "12AB", "--containers", "1", "--expiry", f"06/{YEAR}")
    ran = pipe([code(lot="13"), code()])
    assert ran.code == 3
    assert ran.err.startswith("standard input:2: [expiry] lot '12AB' of fillmed/nctf-135ha@1 is in the stock")


def test_an_endless_pipe_is_left_after_enough_problems(pipe, taught):
    ran = pipe("y\n" * 100_000)
    assert ran.code == 3
    assert ran.err.count("\n") == 100


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_pipe_in_which_nothing_comes_is_bad_data(pipe, text):
    ran = pipe(text)
    assert ran.code == 3
    assert ran.err == "standard input: [empty] no code came; expected one a line\n"


def test_bytes_that_are_no_text_are_one_clear_line(meso, taught, monkeypatch):
    content = io.BytesIO(code().encode() + b"\xff\xfe\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content, encoding="utf-8"))
    ran = meso("stock", "scan")
    assert ran.code == 3
    assert ran.err.startswith("standard input:1: [separator]")


# ---- at a terminal -------------------------------------------------------------------------------------


def test_at_a_terminal_every_pack_is_shown_and_an_empty_line_ends(meso, terminal, taught):
    ran = terminal(code(serial="S1"), code(lot="old", expiry="200131"), "", "never read")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "5 vials of NCTF 135HA (fillmed/nctf-135ha@1) lot 12AB, usable through" in said
    assert "pack S1" in said
    assert "EXPIRED: keep it apart" in said
    assert there(meso) == {(NCTF, "12AB"): 5, (NCTF, "old"): 5}


def test_a_bad_code_is_said_at_once_and_the_others_are_received(meso, terminal, taught):
    ran = terminal("foo", code(serial="S1"), code(serial="S1"), code(lot="13"), "")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "not received: nothing says that 'foo' is a GS1 code" in said
    assert "not received: pack 'S1' was scanned in line 2 already" in said
    assert there(meso) == {(NCTF, "12AB"): 5, (NCTF, "13"): 5}


@pytest.mark.parametrize(
    "symbols",
    [
        (FREE, f"]C117{DAY}10XY"),
        (f"]C117{DAY}10XY", FREE),
        (f"]d201{FREE}", "]C110XY", f"]C117{DAY}"),
    ],
)
def test_symbols_of_one_pack_are_joined(meso, terminal, taught, symbols):
    ran = terminal(*symbols, "")
    assert ran.code == 0
    assert "scan the other symbol" in ran.err
    assert there(meso) == {(NCTF, "XY"): 5}


def test_what_no_symbol_gives_is_typed(meso, terminal, taught):
    assert terminal(FREE, "", "L-1", "none", "").code == 0
    assert terminal(f"]d201{FREE}10L-2", "", f"05/{YEAR}", "").code == 0
    assert terminal(f"]C117{DAY}" + "10L-3", "", NCTF, "3", "").code == 0
    assert there(meso) == {(NCTF, "L-1"): 5, (NCTF, "L-2"): 5, (NCTF, "L-3"): 3}


def test_an_incomplete_pack_is_left_out_and_says_so(meso, terminal, taught):
    ran = terminal(FREE, OTHER, "", "", code(), "")
    said = " ".join(ran.err.split())
    assert "another gtin: the pack before is incomplete, and not received" in said
    assert "not received: lot is not known" in said
    assert there(meso) == {(NCTF, "12AB"): 5}
    ran = terminal(FREE)
    assert "the last pack is incomplete, and not received" in ran.err
    assert "nothing was recorded" in ran.out


def test_a_suspicious_lot_is_asked_never_stored(meso, terminal, taught):
    swallowed = f"]d201{FREE}17{DAY}104711" + "17270531"
    ran = terminal(
        swallowed, "", swallowed, "4711", "y", swallowed, "y", "y", swallowed, "4712", "31.5.99", ""
    )
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "question: lot '471117270531' ends in what looks like" in said
    assert "not received: lot is not known" in said
    assert "'31.5.99' is no expiry" in said
    assert there(meso) == {(NCTF, "4711"): 5, (NCTF, "471117270531"): 5}


def test_an_unknown_gtin_is_learned_by_asking(meso, terminal):
    ran = terminal(code(), NCTF, "", "5", code(lot="13"), "")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert f"mesoformula stock scan --teach {FREE}=VENDOR/SKU --containers N --level pack" in said
    assert "how many vials are in this pack: " in said
    assert f"movement 1: GTIN {FREE} is known from now on" in said
    assert there(meso) == {(NCTF, "12AB"): 5, (NCTF, "13"): 5}


def test_how_many_are_in_a_pack_is_asked_where_the_catalogue_does_not_say(meso, terminal):
    assert terminal(code(BEARS), "ten", code(BEARS), "10", "").code == 0
    assert there(meso) == {(MAGNESIUM, "12AB"): 10}


@pytest.mark.parametrize(
    "answers", [("",), ("fillmed/nctf",), (NCTF, "box"), (NCTF, "pack", "0"), (NCTF, "case", "x")]
)
def test_an_answer_that_is_none_leaves_the_pack_out_and_teaches_nothing(meso, terminal, answers):
    ran = terminal(code(), *answers, "")
    assert ran.code == 0
    assert "not received: " in ran.err
    assert "nothing to receive; nothing was recorded" in ran.out
    assert listed(meso)["anchor"] is None


def test_a_dry_run_teaches_nothing(meso, terminal):
    ran = terminal(code(), NCTF, "", "5", code(lot="13"), "", words=["--dry-run"])
    assert "10 containers of 2 lots" in ran.out
    assert listed(meso)["anchor"] is None


@pytest.mark.parametrize(("answer", "received"), [("y", True), ("n", False), ("", False)])
def test_what_the_ledger_refuses_does_not_cost_the_other_packs(meso, terminal, taught, answer, received):
    meso("stock", "receive", NCTF, "--lot", "12AB", "--containers", "1", "--expiry", f"06/{YEAR}")
    ran = terminal(code(lot="13"), code(), "", answer)
    assert ran.code == 0
    assert "refused: " in ran.err
    assert there(meso) == {(NCTF, "12AB"): 1, **({(NCTF, "13"): 5} if received else {})}
