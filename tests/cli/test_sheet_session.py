"""`mesoformula sheet session` and `sheet formula`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

NCTF = "fillmed/nctf-135ha"
VITAMIN = "phoenix-labs/ascorbic-acid-500"
REF = ("--reference", "S-2026-001")
SESSION = ("teaching-nctf-vitamin-c", "--volume", "3 mL", "--syringe", "1-ml")
DECIDED = (
    "--override", "mixing-not-stated", "--override", "route-not-stated",
    "--reason", "consented", "--by", "N. Roux",
)  # fmt: skip
TODAY = datetime.now().astimezone().date()


@pytest.fixture(autouse=True)
def _a_stock_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    monkeypatch.setenv("MESOFORMULA_TIME_ZONE", "Europe/Paris")


@pytest.fixture
def stock(meso):
    for product, lot, supplier in ((NCTF, "N25031", "Medi"), (VITAMIN, "AA77", "Pharma")):
        ran = meso("stock", "receive", product, "--lot", lot, "--containers", "5", "--expiry", "05/2099",
                   "--supplier", supplier)  # fmt: skip
        assert ran.code == 0


def record(meso, *words):
    return meso("sheet", "session", "record.xlsx", *SESSION, *words)


def cells(path="record.xlsx", tab=0):
    worksheet = openpyxl.load_workbook(path, data_only=True).worksheets[tab]
    return [cell.value for row in worksheet.iter_rows() for cell in row if cell.value is not None]


class TestSession:
    def test_it_writes_the_record_and_says_that_the_session_is_not_ready(self, meso):
        ran = record(meso)
        assert (ran.code, ran.err) == (1, "")
        assert ran.out.splitlines()[0] == "written to record.xlsx"
        assert "NOT READY, and the record says so: mixing-not-stated, route-not-stated" in ran.said
        assert "this session only, never kept: " in ran.said
        assert max(map(len, ran.out.splitlines())) <= 80
        assert "NOT READY: do not prepare it" in cells()
        assert cells().count("write it by hand") == 2

    def test_a_session_that_is_decided_on_is_ready_and_names_who_decided(self, meso):
        ran = record(meso, *DECIDED)
        assert ran.code == 0
        assert ran.out.splitlines()[1] == "the session is ready as far as it was checked"
        assert {"consented", "N. Roux", "mixing-not-stated, route-not-stated"} <= set(cells())

    def test_lots_that_were_picked_for_the_reference_stand_on_it(self, meso, stock):
        assert meso("session", *SESSION, *DECIDED, *REF, "--pick").code == 0
        ran = record(meso, *DECIDED, *REF, "--json")
        assert ran.code == 0
        prepared = ran.json["preparation"]
        assert [
            (one["product"], one["lot"], one["containers"], one["suppliers"]) for one in prepared["lots"]
        ] == [
            (f"{NCTF}@1", "N25031", 1, ["Medi"]),
            (f"{VITAMIN}@1", "AA77", 1, ["Pharma"]),
        ]
        assert prepared["anchor"].startswith("3:")
        assert {"N25031", "AA77", prepared["anchor"], prepared["stock"], "S-2026-001"} <= set(cells())

    def test_a_lot_that_was_recalled_since_it_was_picked_leaves_nothing_ready(self, meso, stock):
        assert meso("session", *SESSION, *DECIDED, *REF, "--pick").code == 0
        assert meso("stock", "recall", NCTF, "N25031", "--reason", "letter").code == 0
        ran = record(meso, *DECIDED, *REF)
        assert ran.code == 1
        assert "NOT READY, and the record says so: lot-recalled" in ran.said
        assert "BLOCK NCTF 135HA: lot N25031 is recalled [lot-recalled]" in ran.said
        assert "NOT READY: do not prepare it" in cells()
        labels = meso("sheet", "labels", "labels.xlsx", *SESSION, *DECIDED, *REF)
        assert (labels.code, labels.out) == (1, "")
        assert labels.err.splitlines() == [
            "NOT READY: lot-recalled",
            "NCTF 135HA: lot N25031 is recalled",
            "what may not be used gets no label",
        ]

    def test_more_than_was_picked_is_told(self, meso, stock):
        assert meso("session", *SESSION, *DECIDED, *REF, "--pick").code == 0
        ran = record(meso, *DECIDED, *REF, "--volume", "9 mL", "--json")
        assert ran.code == 0
        assert [one["code"] for one in ran.json["preparation"]["lot_findings"]] == ["fewer-lots"]
        assert cells().count("write it by hand") == 1

    def test_what_the_session_used_stands_with_its_moment(self, meso, stock):
        assert meso("session", *SESSION, *DECIDED, *REF, "--pick").code == 0
        assert meso("stock", "use", "--pick", "3").code == 0
        lots = record(meso, *REF, "--json").json["preparation"]["lots"]
        assert [one["lot"] for one in lots] == ["N25031", "AA77"]
        assert all(one["used_at"] for one in lots)
        tomorrow = str(TODAY + timedelta(days=1))
        other = record(meso, *REF, "--on", tomorrow, "--replace", "--json").json["preparation"]
        assert (other["lots"], other["left_out"]) == ([], 2)
        assert "2 uses under this reference on other days are left out." in cells()

    def test_json_tells_the_session_and_every_figure_unrounded(self, meso):
        words = ("--volume", "3 mL", "--syringe", "1-ml")
        session = meso("session", "teaching-nctf-vitamin-c", *words, "--explain", "--json").json
        told = record(meso, "--json").json
        assert told["session"] == session
        lines = told["sheets"]["session"]["tables"]["session_lines"]["rows"]
        assert [line["exact"] for line in lines] == [line["volume"]["value"] for line in session["lines"]]
        assert told["sheets"]["session"]["cells"]["session_prepared"] == session["prepared"]["value"]
        assert told["preparation"]["session_only"] is True

    def test_a_stated_stability_needs_who_says_so_and_never_lengthens_a_rule(self, meso):
        ran = record(meso, "--keeps", "24 h")
        assert (ran.code, ran.out) == (2, "")
        assert "expected --keeps-says SOURCE as well" in ran.err
        words = ("--keeps", "24 h", "--keeps-says", "Ph. Example", "--prepared-at", "2026-11-24 10:30")
        prepared = record(meso, *words, "--json").json["preparation"]
        assert prepared["session_only"] is True
        assert prepared["prepared_at"] == "2026-11-24T09:30:00+00:00"
        (stated,) = (one for one in prepared["limits"] if one["rule"] == "mixture:stated-period")
        assert stated["until"] == "2026-11-25T09:30:00+00:00"

    def test_moments_are_the_sites(self, meso):
        record(meso, "--prepared-at", "2026-11-24 10:30")
        found = cells()
        place = found.index("Prepared at (Europe/Paris)")
        assert found[place + 1] == datetime.fromisoformat("2026-11-24T10:30")

    def test_it_speaks_french(self, meso):
        assert record(meso, "--lang", "fr").code == 1
        found = cells()
        assert found[0] == "Fiche de préparation : NCTF 135HA with vitamin C"
        assert "PAS PRÊT : ne pas préparer" in found

    def test_a_file_that_is_there_is_left_alone(self, meso):
        Path("record.xlsx").write_text("mine")
        ran = record(meso)
        assert (ran.code, ran.out) == (2, "")
        assert "is there already; choose another name, or give --replace" in ran.err
        assert Path("record.xlsx").read_text() == "mine"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--syringe", "9-ml"), "--syringe '9-ml' is not known"),
            (("--override", "route-not-stated"), "--override: why, and who decides?"),
            (("--reference", "Anna Roux"), "never a name"),
            (("--prepared-at", "noon"), "is no moment"),
            (("--keeps", "3 mL", "--keeps-says", "x"), "--keeps "),
        ],
    )
    def test_wrong_usage_is_one_line_and_writes_nothing(self, meso, words, said):
        ran = record(meso, *words)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err
        assert len(ran.err.splitlines()) == 1
        assert not Path("record.xlsx").exists()

    def test_nothing_is_stored(self, meso, tmp_path):
        record(meso, *DECIDED, *REF)
        assert not (tmp_path / "stock.sqlite").exists()


class TestFormula:
    def test_it_writes_the_master_record(self, meso):
        ran = meso("sheet", "formula", "f.xlsx", "teaching-all-lines")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            "written to f.xlsx",
            "Every kind of line up to a fill: teaching-all-lines, version 1",
        ]
        found = cells("f.xlsx")
        assert "Master formulation record: Every kind of line up to a fill" in found
        assert "50 mg of magnesium" in found
        assert "Approved by, date, signature" in found

    def test_json_tells_the_formula_and_the_figures(self, meso):
        told = meso("sheet", "formula", "f.xlsx", "teaching-parts", "--json").json
        assert told["formula"]["id"] == "teaching-parts"
        assert told["as_written"]["prepared"] == {"value": "6", "unit": "mL"}
        rows = told["sheets"]["formula"]["tables"]["formula_lines"]["rows"]
        assert [row["exact"] for row in rows] == ["1", "2", "3"]

    def test_another_version_than_the_one_that_is_there_is_refused(self, meso):
        assert meso("sheet", "formula", "f.xlsx", "teaching-parts", "--version", "1").code == 0
        ran = meso("sheet", "formula", "g.xlsx", "teaching-parts", "--version", "2")
        assert (ran.code, ran.out) == (2, "")
        assert "--version 2: teaching-parts is version 1 here" in ran.err
        assert not Path("g.xlsx").exists()

    def test_a_formula_all_in_parts_is_shown_for_a_size(self, meso, write):
        write(
            "parts.toml",
            f"""
            schema = 1

            [[formula]]
            id = "halves"
            name = "Halves"
            description = "half and half"

            [[formula.line]]
            product = "{VITAMIN}"
            parts = 1

            [[formula.line]]
            product = "b-braun/sodium-chloride-0-9-10ml"
            parts = 1
            """,
        )
        ran = meso("sheet", "formula", "f.xlsx", "parts.toml", "--lang", "fr")
        assert ran.code == 0
        assert any("elle est montrée pour 20 mL." in str(value) for value in cells("f.xlsx"))
