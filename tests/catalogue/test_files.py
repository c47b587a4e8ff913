"""Catalogue files: whatever lies at a path, it is read or it is a problem, and reading again is cheap."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from zipfile import Path as ZipPath
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesoformula.catalogue import cache
from mesoformula.catalogue.files import BARE, MAX_BYTES, CatalogueFile, find, parse, read_bytes
from mesoformula.errors import Problem
from mesoformula.formulary import Formulary


def problem_of(content: bytes) -> Problem:
    problem = parse(content, "junk.toml", "acme (mesoformula-acme 1.0)")
    assert isinstance(problem, Problem), problem
    assert problem.path == "junk.toml"
    assert problem.plugin == "acme (mesoformula-acme 1.0)"
    return problem


class TestFinding:
    def test_toml_files_are_found_in_folders_and_sorted(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        for name in ("b/one.toml", "a.toml", "z.toml", "notes.txt", ".hidden.toml", "README.md"):
            (tmp_path / name).write_text("")

        names = [Path(shown).relative_to(tmp_path).as_posix() for shown, _path in find(tmp_path)]

        assert names == ["a.toml", "b/one.toml", "z.toml"]

    def test_hidden_and_generated_folders_are_left_out(self, tmp_path: Path) -> None:
        for folder in (".git", "__pycache__"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.toml").write_text("")

        assert list(find(tmp_path)) == []

    def test_a_folder_that_holds_itself_comes_to_an_end(self, tmp_path: Path) -> None:
        (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "a.toml").write_text("schema = 1")

        assert 1 <= len(list(find(tmp_path))) < 20

    def test_a_file_inside_a_zip_is_read_like_any(self, tmp_path: Path) -> None:
        with ZipFile(tmp_path / "plugin.zip", "w") as archive:
            archive.writestr("data/a.toml", "schema = 1")
        root: Traversable = ZipPath(tmp_path / "plugin.zip", "data/")

        formulary = Formulary()
        added = formulary.add_catalogue(root)

        assert [file.tables for file in added] == [{"schema": 1}]
        assert formulary.problems == ()


class TestJunk:
    """What is no catalogue is one problem, and never an exception."""

    @pytest.mark.parametrize(
        ("content", "code", "line"),
        [
            (b"schema = 1\nname = \xff\xfe", "encoding", 2),
            (b"\x00\x01\x02", "toml", 1),
            ("schema = 1".encode("utf-16"), "encoding", 1),
            (b"\x89PNG\r\n\x1a\n", "encoding", 1),
            (b"schema = 1\nschema = 2\n", "toml", 2),
            (b"[a]\nx = 1\n[b]\n[a]\n", "toml", 4),
            (b"a = 1\na.b = 2\n", "toml", 2),
            (b"[[a]]\n[a]\n", "toml", 2),
            (b"x = \n", "toml", 1),
            (b"x = 'open\n", "toml", 1),
            (b'x = """\nopen\n\n', "toml", 2),
            (b"x = [1,\n2,\n", "toml", 2),
            (b"{}", "toml", 1),
            (b"<html>\n</html>", "toml", 1),
            (b"x = 1\ry = 2", "toml", 1),
            (b"x = " + b"[" * 100_000, "toml", None),
            (b"x = " + b"{a=" * 50_000, "toml", None),
            (b"a" + b".a" * 3_000 + b" = 1", "toml", 1),
            (b"x = " + b"9" * 10_000, "toml", None),
            (b"x = 0x" + b"f" * 10_000, "toml", None),
            (b"x = 9223372036854775808", "toml", None),
            (b"when = 2026-99-99", "toml", 1),
        ],
        ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
    )
    def test_bytes_that_are_no_toml_are_a_problem_with_its_line(
        self, content: bytes, code: str, line: int | None
    ) -> None:
        problem = problem_of(content)

        assert (problem.code, problem.line) == (code, line)
        assert str(problem).isprintable()

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_file_or_a_problem(self, content: bytes) -> None:
        parsed = parse(content, "junk.toml")

        assert isinstance(parsed, CatalogueFile | Problem)
        if isinstance(parsed, CatalogueFile):
            Formulary().add_file(parsed)

    def test_a_path_where_nothing_is_is_a_problem(self, tmp_path: Path) -> None:
        problem = read_bytes(tmp_path / "none.toml", "none.toml")

        assert isinstance(problem, Problem)
        assert problem.code == "file"

    def test_a_folder_named_like_a_file_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "folder.toml").mkdir()

        formulary = Formulary()
        formulary.add_catalogue(tmp_path)

        assert [(problem.code, problem.path) for problem in formulary.problems] == [
            ("file", str(tmp_path / "folder.toml"))
        ]

    def test_a_folder_without_any_file_is_a_problem(self, tmp_path: Path) -> None:
        formulary = Formulary()
        formulary.add_catalogue(tmp_path, "acme")

        assert [(problem.code, problem.plugin) for problem in formulary.problems] == [("file", "acme")]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_a_pipe_that_nobody_writes_to_is_a_problem_and_not_a_wait(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.toml")

        problem = read_bytes(tmp_path / "pipe.toml", "pipe.toml")

        assert isinstance(problem, Problem)
        assert problem.code == "file"

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
    def test_a_device_that_never_ends_is_a_problem(self) -> None:
        problem = read_bytes(Path("/dev/zero"), "/dev/zero")

        assert isinstance(problem, Problem)
        assert problem.code == "file"

    def test_a_file_too_large_is_a_problem_and_is_not_read_to_its_end(self, tmp_path: Path) -> None:
        large = tmp_path / "large.toml"
        with large.open("wb") as stream:
            stream.truncate(6_000_000)

        problem = read_bytes(large, "large.toml")

        assert MAX_BYTES < 6_000_000
        assert isinstance(problem, Problem)
        assert problem.code == "file"
        assert "5 MB" in problem.message

    def test_a_link_that_leads_nowhere_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "link.toml").symlink_to(tmp_path / "gone")

        formulary = Formulary()
        formulary.add_catalogue(tmp_path)

        assert [problem.code for problem in formulary.problems] == ["file"]

    def test_a_path_that_no_system_has_is_a_problem(self) -> None:
        assert isinstance(read_bytes(Path("a\0b"), "a b"), Problem)

    def test_one_file_that_is_junk_keeps_no_other_from_being_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_bytes(b"\xff")
        (tmp_path / "b.toml").write_text('schema = 1\n[[substance]]\nid = "s"\nname = "S"\n')

        formulary = Formulary()
        formulary.add_catalogue(tmp_path)

        assert [problem.code for problem in formulary.problems] == ["encoding"]
        assert formulary.substance("s").name == "S"

    def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(self) -> None:
        plain = parse(b"schema = 1\nx = '''a\nb'''\n", "a.toml")
        windows = parse(b"\xef\xbb\xbfschema = 1\r\nx = '''a\r\nb'''\r\n", "b.toml")

        assert isinstance(plain, CatalogueFile)
        assert isinstance(windows, CatalogueFile)
        assert plain.tables == windows.tables
        assert windows.problem("x", "x", ("x",)).line == 2


class TestValues:
    def test_a_number_with_a_fraction_is_marked_and_never_becomes_a_float(self) -> None:
        parsed = parse(b"x = 0.1\ny = [1.5, nan, inf, 1e5]\nz = 3\n", "a.toml")

        assert isinstance(parsed, CatalogueFile)
        assert parsed.tables == {
            "x": {BARE: "0.1"},
            "y": [{BARE: t} for t in ("1.5", "nan", "inf", "1e5")],
            "z": 3,
        }

    def test_days_become_text(self) -> None:
        parsed = parse(b"x = 2026-11-23\ny = 10:00:00\n", "a.toml")

        assert isinstance(parsed, CatalogueFile)
        assert parsed.tables == {"x": "2026-11-23", "y": "10:00:00"}


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.cache_folder.cache_clear()
    folder = cache.cache_folder()
    assert folder is not None
    yield folder
    cache.cache_folder.cache_clear()


class TestCache:
    CONTENT = b'schema = 1\nwhen = 2026-11-23\nfraction = 0.5\n[[product]]\nsku = "a"\nn = 3\nyes = true\n'

    def tables(self, content: bytes = CONTENT) -> Any:
        parsed = parse(content, "a.toml")
        assert isinstance(parsed, CatalogueFile)
        return parsed.tables

    def test_the_same_bytes_are_parsed_once(
        self, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = self.tables()
        monkeypatch.setattr(tomllib, "loads", lambda *_, **__: pytest.fail("parsed again"))

        assert self.tables() == first
        assert len(list(cache_folder.iterdir())) == 1

    def test_changed_bytes_are_parsed_anew(self, cache_folder: Path) -> None:
        before = self.tables()
        after = self.tables(self.CONTENT.replace(b"n = 3", b"n = 4"))

        assert before["product"][0]["n"] == 3
        assert after["product"][0]["n"] == 4

    def test_a_problem_found_in_what_was_remembered_still_has_its_line(self, cache_folder: Path) -> None:
        self.tables()
        again = parse(self.CONTENT, "a.toml")

        assert isinstance(again, CatalogueFile)
        assert again.problem("x", "x", ("product", 0, "n")).line == 6

    @pytest.mark.parametrize(
        "garbage",
        [b"", b"{", b"[]", b"null", b"\xff\xff", b"[" * 100_000, b'{"schema": 1', b"5"],
        ids=lambda garbage: repr(garbage[:8]),
    )
    def test_a_garbled_memory_is_parsed_anew(self, cache_folder: Path, garbage: bytes) -> None:
        first = self.tables()
        (remembered,) = cache_folder.iterdir()
        remembered.write_bytes(garbage)

        assert self.tables() == first

    def test_a_deleted_memory_is_parsed_anew(self, cache_folder: Path) -> None:
        first = self.tables()
        (remembered,) = cache_folder.iterdir()
        remembered.unlink()

        assert self.tables() == first

    def test_a_cache_that_cannot_be_written_costs_nothing_but_time(self, cache_folder: Path) -> None:
        cache_folder.parent.mkdir(parents=True)
        cache_folder.write_text("a file where the folder should be")

        assert self.tables()["schema"] == 1

    def test_the_cache_can_be_switched_off(self, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MESOFORMULA_NO_CACHE", "1")
        cache.cache_folder.cache_clear()

        assert self.tables()["schema"] == 1
        assert not cache_folder.exists()

    def test_what_is_no_toml_is_not_remembered(self, cache_folder: Path) -> None:
        for junk in (b"x = ", b"x = 0x" + b"f" * 10_000):
            assert isinstance(parse(junk, "a.toml"), Problem)

        assert not cache_folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        "a." * 2_000_000 + "b = 1",
        "x = {" + "a." * 40 + "b = 1}",
        "[" + '"a" . ' * 40 + "b]",
        "'a'." * 40 + "b = 1",
    ],
)
def test_a_dotted_key_of_countless_parts_is_refused_before_it_is_parsed(text: str) -> None:
    found = parse(f"schema = 1\n{text}\n".encode(), "x.toml")
    assert isinstance(found, Problem)
    assert (found.code, found.line) == ("toml", 2)
    assert "too deeply" in found.message


def test_a_text_full_of_points_is_no_dotted_key() -> None:
    text = 'note = "' + "see p. 3, " * 40 + "... 1.2.3.4" + "." * 40 + '"'
    assert isinstance(parse(f"schema = 1\n{text}\n".encode(), "x.toml"), CatalogueFile)


def test_a_number_of_countless_digits_is_said_without_the_words_of_python() -> None:
    found = parse(b"schema = " + b"9" * 5000, "x.toml")
    assert isinstance(found, Problem)
    assert found.message == "a whole number beyond 64 bits; TOML has none so large"
