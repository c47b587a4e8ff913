"""Products and substances are found by what people call them, and nothing else is read for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesoformula.catalogue import cache
from mesoformula.formulary import Formulary
from mesoformula.ingredients import Substance
from mesoformula.lookup import find_products, find_substances, names_of_product, names_of_substance
from mesoformula.search import match

TYPED = (
    "vitamin c",
    "ascorbate",
    "Chanel injection",
    "profhilo",
    "Prophilo",
    "PROFHILO h+l",
    "ibsa",
    "50-81-7",
    "hyaluron",
    "hyaluronic acid",
    "hialuronic",
    "solu vit",
    "vit c",
    "nctf 135",
    "amino acid",
    "growth factor",
    "cernévit",
    "fresenius",
    "magnesium sulfate",
    "sulfate magnesium",
    "nithya/nithya-face",
    "collagen",
    "tocoferol",
    "b12",
    "x",
    "zzzzz",
    "!!",
    "",
)


@pytest.mark.parametrize("text", TYPED)
def test_the_index_leads_to_every_product_that_matches(formulary: Formulary, text: str) -> None:
    """What is remembered only saves reading: comparing every product finds the same."""
    found = {one.record.pinned_id: one.match for one in find_products(formulary, text)}
    all_of_them = {
        product.pinned_id: one
        for product in formulary.products()
        if (one := match(text, names_of_product(product, formulary))) is not None
    }

    assert found == all_of_them


@pytest.mark.parametrize("text", TYPED)
def test_the_index_leads_to_every_substance_that_matches(formulary: Formulary, text: str) -> None:
    found = {one.record.id: one.match for one in find_substances(formulary, text)}
    all_of_them = {
        substance.id: one
        for substance in formulary.substances()
        if (one := match(text, names_of_substance(substance, formulary))) is not None
    }

    assert found == all_of_them


@pytest.mark.parametrize(
    ("typed", "id_", "kind"),
    [
        ("profhilo structura", "ibsa/profhilo-structura", "name"),
        ("ibsa/profhilo-2ml", "ibsa/profhilo-2ml", "id"),
        ("soluvit", "fresenius-kabi/soluvit-n", "name"),
    ],
)
def test_the_best_comes_first_and_says_what_matched(
    formulary: Formulary, typed: str, id_: str, kind: str
) -> None:
    first = formulary.find_products(typed)[0]

    assert (first.record.id, first.match.name.kind) == (id_, kind)


@pytest.mark.parametrize("typed", ["vitamin C", "ascorbic", "50-81-7", "ascorbic acid", "vitamín c"])
def test_a_substance_is_found_by_what_it_is_also_called(formulary: Formulary, typed: str) -> None:
    assert formulary.find_substances(typed)[0].record.id == "ascorbic-acid"


CATALOGUE = """
schema = 1
vendor = { id = "acme", name = "Acme", synonyms = ["Apex"] }
[[product]]
sku = "one"
name = "Étoile"
nicknames = ["the star", "Chanel"]
gtin = "05060131261973"
part = [{ container = "vial", form = "gel", composition = [{ substance = "x", undisclosed = true }] }]
source = [{ kind = "IFU", where = "leaflet", read = 2026-01-02 }]
[[product]]
sku = "two"
name = "Two"
nicknames = ["the star"]
part = [{ container = "vial", form = "gel", composition = [{ class = "vitamin", undisclosed = true }] }]
source = [{ kind = "IFU", where = "leaflet", read = 2026-01-02 }]
[[product]]
sku = "broken"
name = "Star of the show"
mixing = "perhaps"
[[product]]
sku = 7
[[product]]
sku = "junk"
name = 7
nicknames = [1, "nick"]
part = [7, { composition = 7 }, { composition = [7, { substance = 7 }] }]
[[substance]]
id = "x"
name = "Xanthan"
synonyms = ["thickener"]
class = "mineral"
[[substance]]
id = 7
"""


@pytest.fixture
def made(tmp_path: Path) -> Formulary:
    path = tmp_path / "acme.toml"
    path.write_text(CATALOGUE, encoding="utf-8")
    formulary = Formulary()
    formulary.add_catalogue(path)
    return formulary


class TestNames:
    @pytest.mark.parametrize(
        ("typed", "ids"),
        [
            ("etoile", ["one"]),
            ("ETOILLE", ["one"]),
            ("the star", ["one", "two"]),
            ("star", ["one", "two"]),
            ("chanel", ["one"]),
            ("05060131261973", ["one"]),
            ("thickener", ["one"]),
            ("xanthan star", ["one"]),
            ("mineral", ["one"]),
            ("vitamin", ["two"]),
            ("vitamni", ["two"]),
            ("apex", ["one", "two"]),
            ("apex two", ["two"]),
            ("apex three", []),
        ],
    )
    def test_all_who_bear_a_name_are_found(self, made: Formulary, typed: str, ids: list[str]) -> None:
        assert sorted(one.record.sku for one in made.find_products(typed)) == ids

    def test_a_broken_product_that_matches_is_left_out_and_reported(self, made: Formulary) -> None:
        before = len(made.problems)
        assert made.find_products("etoile")
        assert len(made.problems) == before
        assert [one.record.sku for one in made.find_products("star of the show")] == []
        assert "word" in {problem.code for problem in made.problems[before:]}

    def test_what_a_plugin_offers_in_code_is_found_too(self, made: Formulary) -> None:
        made.add_record("substance", Substance("y", "Yarrow", ingredient_class="vitamin"), "acme")

        assert [one.record.id for one in made.find_substances("yarrow")] == ["y"]
        assert [one.record.id for one in made.find_substances("vitamin")] == ["y"]


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.cache_folder.cache_clear()
    folder = cache.cache_folder()
    assert folder is not None
    yield folder
    cache.cache_folder.cache_clear()


class TestMemory:
    GOOD = (
        CATALOGUE.partition('[[product]]\nsku = "broken"')[0]
        + """
[[substance]]
id = "x"
name = "Xanthan"
"""
    )

    def write(self, folder: Path, text: str) -> Formulary:
        folder.mkdir(exist_ok=True)
        (folder / "a.toml").write_text(text, encoding="utf-8")
        (folder / "b.toml").write_text(
            'schema = 1\n[[substance]]\nid = "z"\nname = "Zein"\n', encoding="utf-8"
        )
        formulary = Formulary()
        formulary.add_catalogue(folder)
        assert formulary.problems == ()
        return formulary

    def found(self, formulary: Formulary, text: str) -> list[str]:
        return [one.record.sku for one in formulary.find_products(text)]

    def test_only_what_is_found_is_read(
        self, tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.found(self.write(tmp_path / "data", self.GOOD), "etoile")
        read: list[str] = []
        again = self.write(tmp_path / "data", self.GOOD)
        usual = Formulary.read
        monkeypatch.setattr(
            Formulary, "read", lambda self, entry: (read.append(entry.name), usual(self, entry))[1]
        )

        assert self.found(again, "etoile") == ["one"]
        assert set(read) == {"acme/one@1", "x"}

    def test_a_changed_file_is_searched_as_it_is_now(self, tmp_path: Path, cache_folder: Path) -> None:
        before = self.write(tmp_path / "data", self.GOOD)
        assert self.found(before, "etoile") == ["one"]
        after = self.write(tmp_path / "data", self.GOOD.replace("Étoile", "Sun"))

        assert self.found(after, "etoile") == []
        assert self.found(after, "sun") == ["one"]

    @pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b"5", b"{}", b'{"products": 5}', b'{"rest": {}}'])
    def test_a_garbled_memory_is_made_anew(self, tmp_path: Path, cache_folder: Path, garbage: bytes) -> None:
        self.found(self.write(tmp_path / "data", self.GOOD), "etoile")
        kept = list(cache_folder.iterdir())
        assert len(kept) == 4  # two files, their names together, and what they are called
        for path in kept:
            path.write_bytes(garbage)

        again = self.write(tmp_path / "data", self.GOOD)
        assert self.found(again, "etoile") == ["one"]
        assert again.product("acme/two").name == "Two"
        assert again.check() == ()

    def test_a_memory_of_other_records_is_not_believed(self, tmp_path: Path, cache_folder: Path) -> None:
        self.write(tmp_path / "data", self.GOOD)
        for path in cache_folder.iterdir():
            if b'"counts"' in path.read_bytes():
                path.write_bytes(b'{"rest":{"schema":1},"counts":{}}')

        again = self.write(tmp_path / "data", self.GOOD)
        assert again.product("acme/two").name == "Two"

    def test_without_a_memory_it_is_the_same(
        self, tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MESOFORMULA_NO_CACHE", "1")
        cache.cache_folder.cache_clear()

        assert self.found(self.write(tmp_path / "data", self.GOOD), "etoile") == ["one"]
        assert not cache_folder.exists()
