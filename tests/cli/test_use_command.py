"""`mesoformula stock open`, `mix` and `use`."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import open_stock
from mesoformula.stock.ledger.appending import Entry
from mesoformula.stock.ledger.posting import carry_out
from mesoformula.stock.lots.finding import find_lot
from mesoformula.stock.records import Delivery, MovementKind, Order

#: A single-dose device, and a multi-dose medicine of 10 mL that states no in-use period.
NCTF = "fillmed/nctf-135ha"
B12 = "hikma/cyanocobalamin-1000-10ml"
REF = "S-2026-001"
TODAY = datetime.now().astimezone().date()


@pytest.fixture
def path(tmp_path, monkeypatch):
    place = tmp_path / "stock.sqlite"
    monkeypatch.setenv("MESOFORMULA_STOCK", str(place))
    monkeypatch.setenv("MESOFORMULA_ACTOR", "anna")
    return place


@pytest.fixture
def stock(path, formulary):
    """Five containers of each, until 2099."""

    def deliver(product, lot, **more):
        expiry = more.pop("expiry", TODAY + timedelta(days=20_000))
        return Delivery(formulary.product(product), lot, more.pop("containers", 5), expiry, **more)

    with open_stock(path) as store:
        receive(store, [deliver(NCTF, "4711"), deliver(B12, "B1")], actor="anna")
        receive(store, [deliver(NCTF, "OLD", expiry=TODAY - timedelta(days=1))], actor="anna")
        serial = {"device": "05060131261973", "serial": "P1"}
        receive(store, [deliver(NCTF, "PACK", containers=2, **serial)], actor="anna")
    return path


def pick(path, lot, product, containers, nanolitres=None):
    def work(posting):
        until = posting.recorded_at + 3_600_000_000
        entry = Entry(
            find_lot(posting.connection, product, lot),
            "main",
            reserved=containers,
            reserved_nanolitres=nanolitres,
        )
        posting.post(MovementKind.PICK, [entry], session=REF, lapses_at=until)

    with open_stock(path) as store:
        return str(carry_out(store, Order("anna"), {}, work).movement)


def on_hand(meso, lot):
    listed = meso("stock", "list", "--json").json["on_hand"]
    return sum(entry["containers"] for entry in listed if entry["lot"] == lot)


class TestOpen:
    def test_it_names_the_number_the_rule_and_the_anchor(self, stock, meso):
        ran = meso("stock", "open", B12, "B1")
        assert (ran.code, ran.err) == (0, "")
        assert "opened container 1: 10 mL by the label" in ran.said
        assert "by multi-dose-28-days: 28 days after opening" in ran.said
        assert ran.out.splitlines()[-1].startswith("anchor 4:")
        assert on_hand(meso, "B1") == 4

    def test_json_tells_the_same(self, stock, meso):
        answer = meso("stock", "open", B12, "B1", "--containers", "2", "--json").json
        (movement,) = answer["movements"]
        assert movement["kind"] == "open"
        assert [line.get("volume") for line in movement["lines"]] == [
            None,
            {"value": "10", "unit": "mL"},
            {"value": "10", "unit": "mL"},
        ]
        assert answer["movement"] == 4
        assert answer["repeated"] is False

    def test_what_has_expired_is_refused_with_what_to_do(self, stock, meso):
        ran = meso("stock", "open", NCTF, "OLD")
        assert ran.code == 1
        assert "is expired (it was usable through" in ran.err
        assert "--deviation 'why'" in ran.err
        ran = meso("stock", "open", NCTF, "OLD", "--deviation", "nobody looked")
        assert ran.code == 0
        assert "DEVIATION: expired" in ran.said
        assert "(nobody looked)" in ran.said

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((NCTF, "4712"), "did you mean '4711'"),
            (("fillmed/nctf", "4711"), "did you mean 'fillmed/nctf-135ha'"),
            ((NCTF, "4711", "--containers", "0"), "expected a whole number from 1 to 100"),
            ((NCTF, "4711", "--at", "2099-01-01"), "lies in the future"),
            ((NCTF, "4711", "--reference", "Anna Smith"), "never a name"),
            ((NCTF, "x' OR '1'='1"), "is not in the stock"),
            ((NCTF, "a\x1b[31m"), "has characters that do not print"),
            ((NCTF, "9" * 10_000), "has 10000 characters"),
            ((NCTF, "a\udcff"), "which is no character"),
        ],
    )
    def test_what_cannot_be_is_wrong_usage(self, stock, meso, words, said):
        ran = meso("stock", "open", *words)
        assert ran.code == 2
        assert said in ran.err
        assert "\x1b" not in ran.err
        assert len(ran.err) < 400
        assert on_hand(meso, "4711") == 5

    def test_an_empty_stock_is_not_made_by_it(self, path, meso):
        ran = meso("stock", "open", NCTF, "4711")
        assert ran.code == 2
        assert "the stock is empty" in ran.err
        assert not path.exists()


class TestMix:
    def test_it_takes_containers_and_volumes(self, stock, meso):
        meso("stock", "open", B12, "B1")
        ran = meso(
            "stock", "mix", "cocktail 3", "--from", f"{NCTF}:4711=1", "--from", "opened:1=2 mL",
            "--volume", "5 mL",
        )  # fmt: skip
        assert (ran.code, ran.err) == (0, "")
        assert "opened container 2 cocktail 3: 5 mL, this session only" in ran.said
        assert on_hand(meso, "4711") == 4

    def test_a_stated_period_needs_its_source(self, stock, meso):
        meso("stock", "open", B12, "B1")
        words = ("stock", "mix", "m", "--from", "opened:1=2 mL", "--volume", "2 mL", "--keep", "4 h")
        assert "name the source as the reason" in meso(*words).err
        ran = meso(*words, "--reason", "stability study 12")
        assert ran.code == 0
        assert "by mixture:stated-period: 4 h after mixing" in ran.said

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "4711",
            "opened:",
            "opened:x",
            "opened:1=2",
            "opened:1=2 mg",
            NCTF,
            f"{NCTF}:4711",
            f"{NCTF}:4711=0",
        ],
    )
    def test_what_goes_in_has_a_form(self, stock, meso, given):
        ran = meso("stock", "mix", "m", "--from", given)
        assert ran.code == 2
        assert "--from" in ran.err

    def test_a_lot_number_may_hold_any_sign(self, stock, meso, formulary):
        with open_stock(stock) as store:
            lots = ["a=b", "a:b", "a@b", "x=1@y"]
            entries = [Delivery(formulary.product(NCTF), lot, 1, None) for lot in lots]
            receive(store, entries, actor="anna")
        for lot in lots:
            assert meso("stock", "mix", "m", "--from", f"{NCTF}:{lot}=1").code == 0
            assert on_hand(meso, lot) == 0
        ran = meso("stock", "mix", "m", "--from", f"{NCTF}:4711=1@fridge")
        assert ran.code == 1
        assert "at 'fridge': 0 containers are there, 1 asked for" in ran.err

    def test_more_than_went_in_is_refused(self, stock, meso):
        ran = meso("stock", "mix", "m", "--from", f"{NCTF}:4711=1", "--volume", "50 mL")
        assert ran.code == 1
        assert "cannot come from 3 mL" in ran.err


class TestUse:
    def test_whole_containers(self, stock, meso):
        ran = meso("stock", "use", NCTF, "4711", "--containers", "2", "--reference", REF)
        assert (ran.code, ran.err) == (0, "")
        assert f"movement 4: use for {REF}, by anna" in ran.said
        assert "-2 vials" in ran.said
        assert on_hand(meso, "4711") == 3

    def test_an_opened_container(self, stock, meso):
        meso("stock", "open", B12, "B1")
        ran = meso("stock", "use", "--opened", "1", "--volume", "1 mL", "--reference", REF)
        assert ran.code == 0
        assert "at least 9 mL is left by its label; use before" in ran.said
        ran = meso("stock", "use", "--opened", "1", "--volume", "9.5 mL", "--reference", REF)
        assert ran.code == 1
        assert "say so with --overfill" in ran.err
        ran = meso("stock", "use", "--opened", "1", "--volume", "9.5 mL", "--reference", REF, "--overfill")
        assert ran.code == 0
        assert "overfill: 10 mL -> 10.5 mL" in ran.said

    def test_sharing_is_pointed_out_and_may_be_forbidden(self, stock, meso, monkeypatch):
        meso("stock", "open", B12, "B1")
        words = ("stock", "use", "--opened", "1", "--volume", "1 mL", "--reference")
        meso(*words, REF)
        ran = meso(*words, "S-2026-002")
        assert ran.code == 0
        assert "note: warn: opened container 1 served S-2026-001 before" in ran.said
        monkeypatch.setenv("MESOFORMULA_SHARE_MULTI_DOSE", "forbid")
        ran = meso(*words, "S-2026-003")
        assert ran.code == 1
        assert "this site forbids" in ran.err
        ran = meso(*words, "S-2026-003", "--deviation", "it was shared")
        assert ran.code == 0
        assert "DEVIATION" in ran.said

    def test_a_pick_with_its_own_session(self, stock, meso):
        number = pick(stock, "B1", B12, 1, 2_000_000)
        ran = meso("stock", "use", "--pick", number, "--request-id", "r1", "--json")
        assert ran.code == 0
        kinds = [one["kind"] for one in ran.json["movements"]]
        assert kinds == ["open", "use"]
        assert ran.json["movements"][1]["reference"] == REF
        assert ran.json["movement"] == ran.json["movements"][1]["movement"]
        again = meso("stock", "use", "--pick", number, "--request-id", "r1", "--json").json
        assert (again["repeated"], again["movement"]) == (True, ran.json["movement"])
        ran = meso("stock", "use", "--pick", number)
        assert ran.code == 2
        assert "already" in ran.err

    def test_implant_cards_are_printed(self, stock, meso):
        ran = meso("stock", "use", NCTF, "PACK", "--containers", "1", "--reference", REF)
        card = "implant card: NCTF 135HA, Fillmed"
        assert card.lower() in ran.said.lower()
        assert "device 05060131261973, lot PACK, serial P1" in ran.said
        words = ("stock", "use", NCTF, "PACK", "--containers", "1", "--serial", "P1", "--reference", REF)
        (told,) = meso(*words, "--json").json["implant_cards"]
        assert (told["device"], told["lot"], told["serial"]) == ("05060131261973", "PACK", "P1")
        assert told["day"] == TODAY.isoformat()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "expected one of --pick N, --opened N, or ID LOT"),
            (("--pick", "1", "--opened", "1"), "expected one of"),
            ((NCTF, "--containers", "1", "--reference", REF), "which lot?"),
            ((NCTF, "4711", "--reference", REF), "how many?"),
            ((NCTF, "4711", "--containers", "1"), "which session?"),
            ((NCTF, "4711", "--volume", "1 mL", "--reference", REF), "--volume: means nothing with ID LOT"),
            (("--opened", "1", "--reference", REF), "how much was drawn?"),
            (("--opened", "1", "--volume", "1,5 mL", "--reference", REF), "1.5 mL"),
            (("--opened", "1", "--volume", "-3 mL", "--reference", REF), "negative"),
            (("--opened", "1", "--volume", "0 mL", "--reference", REF), "expected more than 0"),
            (("--opened", "1", "--volume", "1 mL", "--reference", "Anna"), "never a name"),
            (
                ("--opened", "99", "--volume", "1 mL", "--reference", REF),
                "no opened container has the number 99",
            ),
            (("--pick", "1"), "is no pick"),
            (("--pick", "999"), "999"),
            (("--pick", "x"), "expected a whole number"),
            ((NCTF, "4711", "--containers", "1.5", "--reference", REF), "expected a whole number"),
        ],
    )
    def test_what_cannot_be_is_wrong_usage(self, stock, meso, words, said):
        before = meso("stock", "list", "--json").json["anchor"]
        ran = meso("stock", "use", *words)
        assert ran.code == 2
        assert said in ran.err
        assert meso("stock", "list", "--json").json["anchor"] == before

    @pytest.mark.parametrize("verb", ["open", "mix", "use"])
    def test_its_help_reads_well(self, meso, verb):
        ran = meso("stock", verb, "-h")
        assert ran.code == 0
        assert "Example" in ran.out
        assert max(map(len, ran.out.splitlines())) <= 80
