"""`catalogue new`, `import` and `diff`: from nothing, or from a table, to a catalogue that can be checked."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

TABLE = """\
Acme price list 2026
Référence;Désignation;Conditionnement;Quantité;Prix HT
AC-1;Acme Revive;10 ampoules x 5 ml;3;45,50
AC-2;Acme Zinc;10 amp x 5;1;12,00
"""
SOURCE = ("--source", "DIST", "--where", "price list 2026", "--read", "2026-11-23")


class TestNew:
    def test_what_it_says_to_type_next_works(self, meso: Any) -> None:
        ran = meso("catalogue", "new", "acme", "--name", "Acme Aesthetics")
        assert ran.code == 0
        commands = [line.partition(": ")[2].split() for line in ran.out.splitlines() if ": " in line]
        check, listing = [words[1:] for words in commands if words[0] == "mesoformula"]

        assert meso(*check).out == "1 file, 1 product, 0 problems\n"
        assert "acme/example" in meso(*listing).out

    def test_an_id_is_made_of_a_name(self, meso: Any) -> None:
        assert meso("catalogue", "new", "Société Générale d'Acme").code == 0
        vendor = tomllib.loads(Path("societe-generale-d-acme.toml").read_text("utf-8"))["vendor"]

        assert vendor == {"id": "societe-generale-d-acme", "name": "Société Générale d'Acme"}

    def test_nothing_is_replaced_unasked(self, meso: Any) -> None:
        Path("acme.toml").write_text("mine")
        ran = meso("catalogue", "new", "acme")

        assert ran.code == 2
        assert "--replace" in ran.err
        assert Path("acme.toml").read_text() == "mine"
        assert meso("catalogue", "new", "acme", "--replace").code == 0

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
    def test_a_pipe_is_not_written_to(self, meso: Any) -> None:
        os.mkfifo("acme.toml")
        for words in (
            ("catalogue", "new", "acme", "--replace"),
            ("catalogue", "schema", "acme.toml", "--replace"),
        ):
            ran = meso(*words)
            assert (ran.code, "no regular file" in ran.err) == (2, True)

    def test_a_known_vendor_keeps_its_name(self, meso: Any) -> None:
        assert meso("catalogue", "new", "teoxane").code == 0
        assert meso("catalogue", "check", "teoxane.toml").code == 0
        assert meso("catalogue", "new", "teoxane", "--name", "Other", "--replace").code == 2

    @pytest.mark.parametrize(
        "words",
        [
            ("***",),
            ("acme", "--to", "acme.txt"),
            ("acme", "--to", "none/acme.toml"),
            ("acme", "--name", "a\nb"),
        ],
    )
    def test_what_cannot_be_written_is_wrong_usage(self, meso: Any, words: tuple[str, ...]) -> None:
        assert meso("catalogue", "new", *words).code == 2


@pytest.fixture
def table(write: Callable[[str, str], Path]) -> Path:
    return write("prices.csv", TABLE)


class TestImport:
    def test_a_table_becomes_a_catalogue_that_passes_the_check(self, meso: Any, table: Path) -> None:
        ran = meso("catalogue", "import", str(table), "--vendor", "acme", "--name", "Acme", *SOURCE)

        assert ran.code == 0
        assert "'10 amp x 5': its last number has no unit" in ran.said
        assert "may be per_pack; if it is: --map 'Quantité=per_pack'" in ran.said
        assert "written to acme.toml" in ran.out
        assert meso("catalogue", "check", "acme.toml").out == "1 file, 2 products, 0 problems\n"
        assert "acme/ac-1" in meso("--catalogue", "acme.toml", "products", "acme").out

    def test_without_a_source_the_check_says_what_is_to_do(self, meso: Any, table: Path) -> None:
        ran = meso("catalogue", "import", str(table), "--vendor", "acme")
        checked = meso("catalogue", "check", "acme.toml", "--json")

        assert "to do [missing], 2 times" in ran.said
        assert {problem["code"] for problem in checked.json["problems"]} == {"missing"}
        text = Path("acme.toml").read_text("utf-8")
        for problem in checked.json["problems"]:
            assert f"# to do: [missing] {problem['message']}" in text

    def test_it_says_what_letters_a_text_file_was_read_in(self, meso: Any) -> None:
        Path("old.csv").write_bytes(TABLE.encode("windows-1252"))
        ran = meso("catalogue", "import", "old.csv", "--vendor", "acme")

        assert "old.csv, read as Windows-1252 with ';' between fields" in ran.out
        assert "read as Windows-1252" in Path("acme.toml").read_text("utf-8").splitlines()[0]

    def test_texts_that_a_program_marked_as_text_are_read(self, meso: Any, write: Any) -> None:
        write("marked.csv", 'Ref;Name;Packaging\n="001";="One";="10 x 5 ml"\n')
        assert meso("catalogue", "import", "marked.csv", "--vendor", "acme", *SOURCE).code == 0
        (product,) = tomllib.loads(Path("acme.toml").read_text("utf-8"))["product"]

        assert (product["sku"], product["containers_per_pack"]) == ("001", 10)

    def test_a_dry_run_writes_nothing(self, meso: Any, table: Path) -> None:
        ran = meso("catalogue", "import", str(table), "--vendor", "acme", "--dry-run")

        assert ran.code == 0
        assert "nothing was written" in ran.out
        assert not Path("acme.toml").exists()

    def test_the_mapping_can_be_corrected(self, meso: Any, table: Path) -> None:
        words = ("--map", "Quantité=per_pack", "--map", "Conditionnement=ignored")
        assert meso("catalogue", "import", str(table), "--vendor", "acme", *words).code == 0
        products = tomllib.loads(Path("acme.toml").read_text("utf-8"))["product"]

        assert [product["containers_per_pack"] for product in products] == [3, 1]

    def test_a_second_import_replaces_itself_even_where_it_is_read_already(
        self, meso: Any, table: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ("catalogue", "import", str(table), "--vendor", "acme", *SOURCE)
        assert meso(*words).code == 0
        assert meso(*words).code == 2
        monkeypatch.setenv("MESOFORMULA_CATALOGUES", str(Path("acme.toml").absolute()))
        ran = meso(*words, "--replace", "--name", "Acme Ltd")

        assert ran.code == 0
        assert "duplicate" not in ran.out
        assert meso("catalogue", "check", "acme.toml").code == 0

    def test_a_workbook_is_read_with_its_cells(self, meso: Any) -> None:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Prices"
        for row in (
            ("Reference", "Product name", "Packaging", "Volume (mL)", "Composition", "EAN"),
            ("A-1", "One", "5 vials", 5.5, "Biotin 0.1 mg/mL", 5060131261973),
            ("A-2", "Two", "10 amp x 5", "5,5 ml", "=1+1", "5060131261974"),
        ):
            sheet.append(row)
        book.save("prices.xlsx")
        book.close()
        ran = meso("catalogue", "import", "prices.xlsx", "--vendor", "acme", *SOURCE)
        text = Path("acme.toml").read_text("utf-8")
        one, two = tomllib.loads(text)["product"]

        assert ran.code == 0
        assert one["part"][0]["volume"] == "5.5 mL"
        assert one["part"][0]["composition"][0]["substance"] == "biotin"
        assert two["part"] == [{"container": "not stated", "form": "not stated"}]
        for place, why in (
            ("C3", "no unit"),
            ("D3", "write '5.5 ml'"),
            ("E3", "formula"),
            ("F3", "check digit"),
        ):
            (line,) = [line for line in text.splitlines() if f"Prices!{place} " in line]
            assert line.startswith("# not taken: ")
            assert why in line
        assert meso("catalogue", "check", "acme.toml").code == 0

    def test_hostile_cells_stay_comments_of_one_line(self, meso: Any, write: Any) -> None:
        write("evil.csv", 'Ref;Name;Packaging\nA;"One\n[[product]]";"x\n\x1b[2Jsku = 1 # "\n')
        ran = meso("catalogue", "import", "evil.csv", "--vendor", "acme", *SOURCE)

        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert len(tomllib.loads(Path("acme.toml").read_text("utf-8"))["product"]) == 1

    @pytest.mark.parametrize(
        "words",
        [
            ("--source", "DIST"),
            ("--source", "IFU", "--where", "x"),
            ("--source", "WIKI", "--where", "x", "--read", "2026-01-01"),
            ("--source", "DIST", "--where", "x", "--read", "soon"),
            ("--map", "name"),
        ],
    )
    def test_half_a_source_or_mapping_is_wrong_usage(self, meso: Any, table: Path, words: Any) -> None:
        assert meso("catalogue", "import", str(table), "--vendor", "acme", *words).code == 2
        assert not Path("acme.toml").exists()

    @pytest.mark.parametrize(
        "words", [("--map", "Nom=name"), ("--map", "Désignation=nmae"), ("--sheet", "x")]
    )
    def test_a_mapping_or_sheet_that_leads_nowhere_is_bad_data(
        self, meso: Any, table: Path, words: Any
    ) -> None:
        ran = meso("catalogue", "import", str(table), "--vendor", "acme", *words)

        assert ran.code == 3
        assert ran.err.count("\n") == 1

    @pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals")
    def test_at_a_terminal_it_asks_about_what_is_not_sure(
        self, table: Path, process: Any, meso: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = os.openpty()
        with os.fdopen(theirs, "r") as stream:
            monkeypatch.setattr("sys.stdin", stream)
            os.write(ours, b"y\n")
            ran = meso("catalogue", "import", str(table), "--vendor", "acme", *SOURCE)
        os.close(ours)

        assert "Is column 'Quantité' of prices.csv the per_pack? [y/N]" in ran.err
        assert "Quantité         per_pack, as you say" in ran.out


class TestDiff:
    @pytest.fixture
    def old(self, meso: Any, table: Path) -> str:
        meso("catalogue", "import", str(table), "--vendor", "acme", "--to", "old.toml", *SOURCE)
        return Path("old.toml").read_text("utf-8")

    def test_it_says_what_changed_and_what_that_needs(self, meso: Any, old: str) -> None:
        Path("new.toml").write_text(old.replace('"5 ml"', '"6 ml"'), encoding="utf-8")
        ran = meso("catalogue", "diff", "old.toml", "new.toml")

        assert ran.code == 3
        assert ran.out.startswith("changed: product acme/ac-1: needs revision 2\n")
        assert "part 1: volume: 5 ml → 6 ml" in ran.out.replace("mL", "ml")
        assert "new.toml:" in ran.out
        assert ran.out.endswith("1 changed; 1 problem\n")

    def test_formulas_that_are_known_are_named(self, meso: Any, write: Any) -> None:
        bundled = Path(__file__).parents[2] / "catalogues" / "mesoformula_catalogues" / "products"
        text = (bundled / "fillmed.toml").read_text("utf-8")
        Path("new.toml").write_text(text.replace('volume = "3 mL"', 'volume = "4 mL"'), encoding="utf-8")
        ran = meso("catalogue", "diff", str(bundled / "fillmed.toml"), "new.toml", "--json")
        found = next(one for one in ran.json["differences"] if one["name"] == "fillmed/nctf-135ha")

        assert ran.code == 3
        assert "teaching-nctf-vitamin-c" in found["formulas"]
        assert found["needs"] == 2
        assert {"field": "part 1: volume", "old": "3 mL", "new": "4 mL", "makes_another": True} in found[
            "changes"
        ]

    def test_no_difference_is_said(self, meso: Any, old: str) -> None:
        ran = meso("catalogue", "diff", "old.toml", "old.toml")

        assert (ran.code, ran.out) == (0, "no difference; 0 problems\n")

    def test_what_cannot_be_read_is_bad_data(self, meso: Any, old: str) -> None:
        Path("new.toml").write_text(old.replace('"5 ml"', '"5,5 ml"'), encoding="utf-8")
        for words in (("old.toml", "new.toml"), ("old.toml", "none.toml")):
            ran = meso("catalogue", "diff", *words)
            assert ran.code == 3
            assert ran.out == ""
