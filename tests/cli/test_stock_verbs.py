"""What `mesoformula stock` says when things are moved, held, corrected and taken back."""

from __future__ import annotations

import pytest

NCTF = "fillmed/nctf-135ha"
VERBS = ("waste", "return", "move", "adjust", "reverse", "quarantine", "recall", "fact")


@pytest.fixture
def stock(meso):
    """Five vials of lot 4711 at main."""
    meso(
        "stock", "receive", NCTF, "--lot", "4711", "--containers", "5", "--expiry", "05/2099",
        "--cost", "12.50 EUR", "--supplier", "Wholesale",
    )  # fmt: skip

    def call(*words):
        return meso("stock", *words)

    return call


def on_hand(stock):
    return {entry["location"]: entry["containers"] for entry in stock("list", "--json").json["on_hand"]}


def anchor(stock):
    return stock("list", "--json").json["anchor"]


@pytest.mark.parametrize(
    "words",
    [
        ("waste", NCTF, "4711", "--containers", "1", "--reason", "dropped"),
        ("return", NCTF, "4711", "--containers", "2", "--reason", "damaged in transport"),
        ("move", NCTF, "4711", "--containers", "2", "--to", "room 2"),
        ("adjust", NCTF, "4711", "--change", "-1", "--reason", "found broken in its box"),
        ("reverse", "1", "--reason", "wrong lot"),
        ("quarantine", NCTF, "4711", "--reason", "box was torn open"),
        ("quarantine", "--excursion", "--location", "main", "--reason", "12 °C"),
        ("recall", NCTF, "4711", "--reason", "letter of the maker"),
        ("fact", NCTF, "4711", "--expiry", "2028-04", "--reason", "letter of the maker"),
        ("level", "set", NCTF, "10"),
    ],
    ids=lambda words: " ".join(words[:1]),
)
def test_every_write_says_what_it_did_its_number_and_the_anchor(stock, words):
    ran = stock(*words, "--by", "anna", "--request-id", "r1")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("movement 2: ")
    assert ", by anna" in ran.out
    assert f"anchor {anchor(stock)}" in ran.out
    assert max(len(line) for line in ran.out.splitlines() if not line.startswith(("anchor", "stock "))) <= 80
    head = anchor(stock)
    again = stock(*words, "--by", "anna", "--request-id", "r1", "--json")
    assert again.json["repeated"] is True
    assert again.json["movement"] == 2
    assert anchor(stock) == head
    assert stock("verify").code == 0


@pytest.mark.parametrize("verb", [*VERBS, "level set", "level list", "level clear"])
def test_the_help_fits_and_its_example_starts_as_it_is_typed(meso, verb):
    ran = meso("stock", *verb.split(), "-h")
    assert ran.code == 0
    assert f"mesoformula stock {verb}" in ran.out.partition("Example:")[2]
    assert max(map(len, ran.out.splitlines())) <= 80


def test_what_leaves_and_comes_back(stock):
    assert (
        "note: returned to Wholesale"
        in stock("return", NCTF, "4711", "--containers", "2", "--reason", "damaged").out
    )
    stock("move", NCTF, "4711", "--containers", "2", "--to", "room 2")
    stock("adjust", NCTF, "4711", "--change", "+3", "--location", "room 2", "--reason", "found")
    assert on_hand(stock) == {"main": 1, "room 2": 5}
    ran = stock("reverse", "4", "--reason", "they were of another lot")
    assert ran.out.startswith("movement 5: reversal of movement 4, by ")
    assert on_hand(stock) == {"main": 1, "room 2": 2}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("waste", NCTF, "4711", "--reason", "x"), "how many? expected --containers"),
        (("waste", NCTF, "--reason", "x"), "what? expected a product and its lot"),
        (("waste", "--reason", "x"), "what? expected a product and its lot"),
        (("waste", NCTF, "4711", "--opened", "1"), "what? expected a product and its lot"),
        (("waste", NCTF, "4711", "--containers", "1", "--volume", "1 mL"), "are of an opened container"),
        (("waste", "--opened", "1", "--containers", "1"), "are of a lot"),
        (("waste", "--opened", "1", "--volume", "-3 mL"), "--volume"),
        (("waste", "--opened", "1", "--volume", "5,5 mL"), "decimal"),
        (("waste", "--opened", "7", "--reason", "x"), "no opened container has the number 7"),
        (("waste", NCTF, "4711", "--containers", "0"), "a whole number from 1 to 1000000"),
        (("waste", NCTF, "4711", "--containers", "1"), "a reason is missing"),
        (("waste", NCTF, "4712", "--containers", "1", "--reason", "x"), "did you mean '4711'?"),
        (("waste", "fillmed/nctf", "4711", "--containers", "1", "--reason", "x"), f"did you mean '{NCTF}'?"),
        (("move", NCTF, "4711", "--containers", "1"), "--to"),
        (("move", NCTF, "4711", "--containers", "1", "--to", "main"), "is at 'main' already"),
        (("adjust", NCTF, "4711", "--change", "2", "--reason", "x"), "with its sign"),
        (("adjust", NCTF, "4711", "--change", "-0", "--reason", "x"), "with its sign"),
        (("adjust", NCTF, "4711", "--change", "+1.5", "--reason", "x"), "with its sign"),
        (("reverse", "0", "--reason", "x"), "expected a whole number from 1"),
        (("reverse", "9", "--reason", "x"), "there is no movement 9; the latest is 1"),
        (("reverse", "1", "--reason", "x", "--at", "2026-01-01 10:00"), "leave out the moment"),
        (("quarantine", "--reason", "x"), "what? expected a product and its lot"),
        (("quarantine", NCTF, "4711", "--excursion"), "what? expected a product and its lot"),
        (("quarantine", "--excursion", "--reason", "x"), "where was it? expected --location"),
        (("quarantine", NCTF, "4711", "--since", "2026-01-01"), "--since is of an excursion"),
        (("quarantine", "--opened", "1", "--location", "main"), "leave out --location"),
        (("quarantine", NCTF, "4711", "--location", "mian", "--reason", "x"), "was never at 'mian'"),
        (("quarantine", NCTF, "4711"), "a reason is missing"),
        (("recall", NCTF, "4712"), "did you mean '4711'?"),
        (("fact", NCTF, "4711", "--expiry", "2027-05"), "a reason is missing"),
        (("fact", NCTF, "4711", "--expiry", "2027-05", "--no-expiry"), "either --expiry or --no-expiry"),
        (("fact", NCTF, "4711", "--no-expiry", "--remark", "x"), "one fact at a time"),
        (("fact", NCTF, "4711", "--expiry", "1900-01", "--reason", "x"), "expected a day from 2000-01-01"),
        (("fact", NCTF, "4711", "--expiry", "9999-12", "--reason", "x"), "expected a day from 2000-01-01"),
        (("fact", NCTF, "4711", "--assay", "98.5"), "expected a percentage, such as '98.5 %'"),
        (("fact", NCTF, "4711", "--assay", "98.5 %"), "expected --substance"),
        (("fact", NCTF, "4711", "--substance", "retinol"), "give --assay too"),
        (("fact", NCTF, "4711", "--cost", "12,50"), "is no price"),
        (("fact", NCTF, "4711", "--no-expiry", "--on", "2026-01-01"), "--at"),
        (("fact", NCTF, "4711", "--on", "2020-01-01"), "was not in the stock on 2020-01-01"),
        (("level", "set", NCTF, "0"), "a whole number from 1"),
        (("level", "set", "fillmed/nctf", "5"), "did you mean fillmed/nctf-135"),
        (("level", "clear", NCTF), "no least stock is set"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_wrong_usage_in_words_and_changes_nothing(stock, words, said):
    before = anchor(stock)
    ran = stock(*words)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert all(line.startswith("mesoformula") for line in ran.err.splitlines())
    assert anchor(stock) == before


def test_more_than_is_there_is_short_stock(stock):
    ran = stock("waste", NCTF, "4711", "--containers", "6", "--reason", "x")
    assert ran.code == 1
    assert "5 containers are there, 6 asked for" in ran.err


@pytest.mark.parametrize(
    "text", ["a\nb", "\x1b[31m", "x" * 10_000, "'; DROP TABLE lot; --", "=1+1", "\udcff"]
)
def test_hostile_texts_never_reach_the_terminal_or_the_ledger(stock, text):
    before = anchor(stock)
    for words in (
        ("waste", NCTF, text, "--containers", "1", "--reason", "x"),
        ("waste", text, "4711", "--containers", "1", "--reason", "x"),
        ("quarantine", NCTF, text, "--reason", "x"),
        ("recall", text, text),
        ("fact", NCTF, text, "--no-expiry", "--reason", "x"),
        ("level", "set", text, "3"),
        ("reverse", text, "--reason", "x"),
    ):
        ran = stock(*words)
        assert ran.code == 2
        assert "\x1b" not in ran.err
        assert all(len(line) < 300 for line in ran.err.splitlines())
    assert anchor(stock) == before


def test_a_recall_blocks_the_lot_and_lists_where_it_went(stock):
    stock("use", NCTF, "4711", "--containers", "2", "--reference", "S-2026-001")
    ran = stock("recall", NCTF, "4711", "--reason", "letter of the maker")
    assert ran.code == 0
    assert "RECALLED" in ran.out
    assert "S-2026-001" in ran.out
    told = stock("recall", NCTF, "4711", "--json").json
    assert (told["repeated"], told["movement"]) == (True, 3)
    assert told["trace"]["sessions"] == ["S-2026-001"]
    ran = stock("recall", NCTF, "4711")
    assert ran.out.startswith("recalled already, since ")
    assert "S-2026-001" in ran.out
    assert stock("use", NCTF, "4711", "--containers", "1", "--reference", "S-2026-002").code == 1
    assert stock("release", NCTF, "4711", "--reason", "mistake").code == 0
    assert stock("use", NCTF, "4711", "--containers", "1", "--reference", "S-2026-002").code == 0


def test_an_excursion_names_the_sessions_that_used_what_it_touched(stock):
    stock("use", NCTF, "4711", "--containers", "2", "--reference", "S-2026-001")
    ran = stock(
        "quarantine", "--excursion", "--location", "main", "--since", "2026-01-01", "--reason", "12 °C"
    )
    assert ran.code == 0
    assert f"used since: 2 of lot '4711' of {NCTF} for S-2026-001" in ran.said
    assert stock("list", "--quarantined", "--json").json["on_hand"][0]["containers"] == 3


def test_facts_are_shown_with_their_history_and_as_of_a_day(stock):
    stock("fact", NCTF, "4711", "--expiry", "2098-04", "--reason", "letter", "--by", "ben")
    stock("fact", NCTF, "4711", "--cost", "13 EUR", "--reason", "invoice", "--by", "ben")
    stock("fact", NCTF, "4711", "--remark", "box dented", "--by", "ben")
    ran = stock("fact", NCTF, "4711")
    assert ran.code == 0
    for said in ("usable through 2098-04-30", "13.00 EUR a container", "box dented", "ben", "letter"):
        assert said in ran.said
    told = stock("fact", NCTF, "4711", "--json").json
    assert told["expiry"] == "2098-04-30"
    assert told["cost"]["low"] == {"value": "13.00", "unit": "EUR"}
    assert [(one["fact"], one.get("old"), one.get("new")) for one in told["history"]] == [
        ("expiry", "2099-05-31", "2098-04-30"),
        ("cost", "1250..1250 EUR", "1300..1300 EUR"),
        ("remark", None, None),
    ]
    assert stock("fact", NCTF, "4711", "--on", "2099-01-01", "--json").json["expiry"] == "2098-04-30"


def test_an_assay_is_recorded_with_its_basis(stock, meso):
    product = "phoenix-labs/ascorbic-acid-500"
    meso("stock", "receive", product, "--lot", "A1", "--containers", "5", "--no-expiry")
    words = ("fact", product, "A1", "--substance", "ascorbic-acid", "--reason", "certificate")
    ran = stock(*words, "--assay", "98.5 %", "--basis", "as is")
    assert (ran.code, ran.err) == (0, "")
    assert "note" not in ran.out
    assert "98.5 % of ascorbic-acid, as is" in stock("fact", product, "A1").said
    ran = stock(*words, "--assay", "99 %", "--basis", "base", "--as", "nothing")
    assert ran.code == 0
    assert "note: no session can count this assay" in ran.said
    assert stock("fact", product, "A1", "--json").json["assay"]["moiety"] == "nothing"
    assert "needs the water" in stock(*words, "--assay", "99 %", "--basis", "anhydrous").err
    assert stock("fact", product, "A1", "--no-assay", "--reason", "x").code == 0


def test_levels_are_listed_with_what_can_be_used(stock):
    ran = stock("level", "list")
    assert "no least stock is set" in ran.out
    stock("level", "set", NCTF, "10")
    stock("quarantine", NCTF, "4711", "--reason", "x")
    assert stock("level", "list", "--json").json["levels"] == [
        {"product": NCTF, "least": 10, "usable": 0, "reserved": 0, "below": True}
    ]
    assert "BELOW" in stock("level", "list").out
    stock("level", "clear", NCTF)
    assert stock("level", "list", "--json").json["levels"] == []


def test_an_opened_container_is_thrown_away_and_moved_by_its_number(stock):
    stock("open", NCTF, "4711")
    assert "opened container 1" in stock("move", "--opened", "1", "--to", "fridge").out
    ran = stock("waste", "--opened", "1", "--volume", "1 mL", "--reason", "spilt")
    assert "2 mL by the label is left in opened container 1" in ran.said
    assert stock("quarantine", "--opened", "1", "--reason", "x").code == 0
    assert "gone" in stock("waste", "--opened", "1", "--reason", "over").out
    assert stock("verify").code == 0
