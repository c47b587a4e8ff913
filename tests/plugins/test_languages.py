"""Sheets speak every language whole: no text is left out, left over, or translated into something else."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mesoformula_excel
from mesoformula.cli import run
from mesoformula.errors import UnknownNameError
from mesoformula.languages import languages, spoken, words
from mesoformula_excel.stock_words import CLASSES

PACKAGE = "mesoformula_excel"
FOLDER = Path(mesoformula_excel.__file__).parent
TRANSLATED = [name for name in languages(PACKAGE) if name != "en"]
#: How texts are marked in the code.
KEYWORDS = {"say": None, "plural": (1, 2), "later": None}

Key = str | tuple[str, str]


def texts_of_ours() -> dict[Key, str]:
    """Collect every text that sheets say, with a place where it stands."""
    found = extract_from_dir(FOLDER, [("**.py", "python")], keywords=KEYWORDS)
    return {key: f"{file}:{line}" for file, line, key, _comments, _context in found}


def catalogue(language: str) -> Catalog:
    with (FOLDER / "languages" / f"{language}.po").open("rb") as file:
        return read_po(file, abort_invalid=True)


def messages(language: str) -> dict[Key, Message]:
    return {
        tuple(one.id) if isinstance(one.id, list | tuple) else one.id: one
        for one in catalogue(language)
        if one.id
    }


def placeholders(text: str) -> list[str]:
    return sorted(set(re.findall(r"{(\w*)}", text)))


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_french_is_spoken() -> None:
    assert languages(PACKAGE) == ("en", "fr")


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    ours, theirs = texts_of_ours(), messages(language)

    assert {ours[key]: key for key in ours.keys() - theirs.keys()} == {}
    assert sorted(map(str, theirs.keys() - ours.keys())) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_with_the_same_blanks_to_fill_in(language: str) -> None:
    found = catalogue(language)
    for key, message in messages(language).items():
        said = forms(message)
        english = [key] if isinstance(key, str) else list(key)

        assert all(said), key
        assert "fuzzy" not in message.flags, key
        assert len(said) == (1 if isinstance(key, str) else found.num_plurals), key
        for text in said:
            assert placeholders(text) == placeholders(english[-1]), text
            assert text == text.strip(), text


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_translated_twice(language: str) -> None:
    lines = (FOLDER / "languages" / f"{language}.po").read_text(encoding="utf-8").splitlines()
    keys = [line for line in lines if line.startswith("msgid ") and line != 'msgid ""']

    assert sorted({key for key in keys if keys.count(key) > 1}) == []


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in KEYWORDS:
                    yield path, node


def test_texts_are_literals_so_that_tools_can_collect_them() -> None:
    built = [
        f"{path.name}:{node.lineno}"
        for path, node in calls()
        if node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]

    assert built == []
    assert len(texts_of_ours()) > 100


# ---- sheets as they are written ---------------------------------------------------------------------------


@pytest.fixture
def meso(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESOFORMULA_STOCK", str(tmp_path / "stock.sqlite"))
    monkeypatch.setenv("MESOFORMULA_ACTOR", "anna")

    def call(*given: str) -> None:
        assert run(list(given)) in (0, 1)

    return call


SESSION = ("teaching-nctf-vitamin-c", "--volume", "3 mL")
WRITTEN = {
    "stock": (),
    "expiry": (),
    "movements": (),
    "reorder": (),
    "session": SESSION,
    "formula": SESSION[:1],
    "count": (),
    "labels": ("--opened", "all"),
}


@pytest.mark.parametrize("verb", WRITTEN)
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_sheet_in_another_language_holds_no_english_text_of_ours(
    meso: Callable[..., None], verb: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    meso(
        "stock", "receive", "fillmed/nctf-135ha", "--lot", "A1", "--containers", "5", "--expiry", "2027-05",
        "--cost", "12.50 EUR", "--supplier", "Wholesale",
    )  # fmt: skip
    meso("stock", "receive", "baxter/cernevit", "--lot", "B1", "--containers", "2", "--expiry", "2020-05")
    meso("stock", "level", "set", "fillmed/nctf-135ha", "10")
    meso("stock", "open", "fillmed/nctf-135ha", "A1")
    meso("stock", "quarantine", "baxter/cernevit", "B1", "--reason", "fridge alarm")
    out = Path(f"{verb}.xlsx")
    meso("sheet", verb, str(out), *WRITTEN[verb], "--lang", language)
    english = {
        text
        for key, message in messages(language).items()
        for text, said in zip([key] if isinstance(key, str) else key, forms(message), strict=False)
        if text != said and not placeholders(text)
    }
    if verb in ("session", "formula"):
        # Steps of the working name a class in the words of whoever worked it out.
        english -= set(CLASSES.values())
    workbook = openpyxl.load_workbook(out)
    found = {
        str(cell.value)
        for worksheet in workbook.worksheets
        for row in worksheet.iter_rows()
        for cell in row
        if cell.value is not None
    } | set(workbook.sheetnames)
    quoted = {part for text in found if text.startswith("=") for part in re.findall(r'"([^"]*)"', text)}

    assert sorted((found | quoted) & english) == []
    assert sorted(found & {said for one in messages(language).values() for said in forms(one)}) != []


def test_a_new_language_is_one_file(tmp_path: Path) -> None:
    copy = tmp_path / PACKAGE
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    entries = ['msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=UTF-8\\n"', '"Language: xx\\n"',
               '"Plural-Forms: nplurals=1; plural=0;\\n"', ""]  # fmt: skip
    for key in texts_of_ours():
        first, *more = [key] if isinstance(key, str) else key
        entries += [f"msgid {json.dumps(first)}"]
        entries += [f"msgid_plural {json.dumps(text)}" for text in more]
        said = json.dumps(f"xx {first}", ensure_ascii=False)
        entries += [f"msgstr[0] {said}" if more else f"msgstr {said}", ""]
    (copy / "languages" / "xx.po").write_text("\n".join(entries), encoding="utf-8")
    code = """
import json
from datetime import UTC, date, datetime
import mesoformula_excel
from mesoformula import SheetRequest
from mesoformula.languages import languages
from mesoformula.stock.records import StockView

view = StockView((), date(2026, 5, 4), datetime(2026, 5, 4, tzinfo=UTC), "/x", None)
request = SheetRequest("stock", view, language="xx", movements=lambda: iter(()))
sheets = mesoformula_excel.mesoformula_sheets(request)
headings = [column.heading for sheet in sheets for column in sheet.columns]
print(json.dumps([languages("mesoformula_excel"), [sheet.title for sheet in sheets], headings]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )
    known, titles, headings = json.loads(done.stdout)

    assert known == ["en", "fr", "xx"]
    assert all(text.startswith("xx ") for text in titles)
    # Months are numbers in every language.
    assert all(text.startswith("xx ") for text in headings if not re.fullmatch(r"\d{4}-\d\d", text))


# ---- finding a language -----------------------------------------------------------------------------------


def test_a_country_takes_the_language_where_it_has_no_file_of_its_own() -> None:
    assert words(PACKAGE, "fr-CA").language == "fr"
    assert spoken(PACKAGE, "fr-CA") == "fr"
    assert spoken(PACKAGE, "en-GB") == "en"
    assert spoken(PACKAGE, "de") is None


def test_a_language_that_is_not_spoken_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownNameError) as refused:
        words(PACKAGE, "xx")

    assert tuple(refused.value.nearest) == ("en", "fr")


def test_english_needs_no_file_and_counts_as_english_does() -> None:
    say = words(PACKAGE, "en")

    assert [say.plural("{count} row", "{count} rows", n) for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert say("up to {high}", high="8 °C") == "up to 8 °C"


def test_french_counts_as_french_does() -> None:
    say: Any = words(PACKAGE, "fr")

    assert [say.plural("{count} row", "{count} rows", n) for n in (0, 1, 2)] == [
        "0 ligne",
        "1 ligne",
        "2 lignes",
    ]
