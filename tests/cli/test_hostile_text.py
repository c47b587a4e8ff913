"""Text from catalogues and plugins is shown and never obeyed, whatever stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import attrs
import pytest

from mesoformula import fields
from mesoformula.app import App
from mesoformula.catalogue.reading import written_fields
from mesoformula.cli import cli
from mesoformula.formulary import RECORDS
from mesoformula.formulas import Line
from mesoformula.grammar import EXAMPLES
from mesoformula.ingredients import Range
from mesoformula.products import Vendor
from mesoformula.units import parse_quantity, parse_strength

#: Colours, a link (OSC 8), a title, C1 sequences, overrides of direction, carriage return, backspace, a bell.
EVIL = (
    "A\x1b[31mred\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x07\x1b]0;title\x07\x9b2J\x9d8;;x\x9c"
    "\u202egnp.exe\u2066\u2069\u200f\u200b\ufeff\r\x08\x00\x7f\u2028\U000e0041\ud800Z"
)


def hostile(record: type[Any], **given: Any) -> Any:
    """Make a record that says as much as it can, with hostile text wherever there is text."""
    values = {field.name: value_of(field.kind) for field in written_fields(record)}
    return record(**{name: value for name, value in values.items() if value is not None} | given)


def value_of(kind: fields.Kind) -> Any:
    match kind:
        case fields.Text():
            return kind.example if kind.pattern is not None else EVIL
        case fields.Whole():
            return max(1, kind.lowest)
        case fields.Flag():
            return True
        case fields.Day():
            return date(2026, 1, 5)
        case fields.QuantityOf():
            return parse_quantity(EXAMPLES[kind.dimension] if kind.dimension else "5 mg", kind.dimension)
        case fields.StrengthText():
            return parse_strength("5 mg/mL")
        case fields.RangeOf():
            one = parse_quantity(EXAMPLES[kind.dimension], kind.dimension)
            return Range(one, one)
        case fields.Choice():
            return next(iter(kind.words))
        case fields.ListOf():
            item = value_of(kind.item)
            return None if item is None else (item,)
        case fields.RecordOf():
            return hostile(kind.record)
        case _:
            return None


@pytest.fixture(scope="module")
def app() -> App:
    """An app whose formulary holds one hostile record of every kind, as if a plugin had made them."""
    app = App()
    vendor = Vendor("evil", EVIL, (EVIL,))
    for section, record in RECORDS.items():
        given: dict[str, Any] = {"vendor": vendor, "sku": "evil"} if section == "product" else {"id": "evil"}
        if section == "substance":
            given |= {"formula": "C6H8O6", "repeat_unit": None}
        if section == "formula":
            line = hostile(Line)
            lines = {"product": "evil/evil", "volume": parse_quantity("1 mL")}
            empty = {one.name: None for one in written_fields(type(line)) if one.name not in lines}
            given["lines"] = (attrs.evolve(line, **empty, **lines),)
            given["total"] = None
        app.formulary.add_record(section, hostile(record, **given), f"evil {EVIL}")
    return app


@pytest.fixture
def said(app: App, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command on the hostile formulary, and return all it has said."""

    def call(*words: str) -> str:
        capsys.readouterr()
        with cli.make_context("mesoformula", list(words), obj={"app": app}) as ctx:
            cli.invoke(ctx)
        captured = capsys.readouterr()
        return captured.out + captured.err

    return call


COMMANDS = (
    ("products", "evil"),
    ("products", "--vendor", "evil"),
    ("products", "--substance", "sodium-ascorbate"),
    ("product", "evil/evil"),
    ("substances", "evil"),
    ("formulas",),
    ("formula", "show", "evil"),
    ("zones",),
    ("techniques",),
    ("protocols",),
    ("syringes",),
    ("rules", "evil"),
    ("rules", "--conditions"),
    ("rules", "--allergens"),
    ("classes",),
)


def strange_in(text: str) -> Iterator[str]:
    return (char for char in text if not char.isprintable() and char != "\n")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_lets_it_through(said: Callable[..., str], words: tuple[str, ...]) -> None:
    text = said(*words)

    assert set(strange_in(text)) == set()
    if words != ("classes",):
        assert "\\x1b" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] != "classes"], ids=" ".join)
def test_json_escapes_it_and_still_says_it(said: Callable[..., str], words: tuple[str, ...]) -> None:
    text = said(*words, "--json")

    assert set(strange_in(text)) == set()
    assert EVIL in strings_in(json.loads(text))


def strings_in(plain: Any) -> set[str]:
    if isinstance(plain, str):
        return {plain}
    if isinstance(plain, dict):
        return set().union(*map(strings_in, plain.values()))
    return set().union(*map(strings_in, plain)) if isinstance(plain, list) else set()


def test_a_session_lets_none_of_it_through(said: Callable[..., str]) -> None:
    assert set(strange_in(said("session", "evil", "--explain"))) == set()


def test_a_file_may_not_even_hold_it(meso: Any, write: Callable[[str, str], Any]) -> None:
    escaped = json.dumps(EVIL.replace("\ud800", "")).replace("\x7f", "\\u007f")
    escaped = escaped.replace("\\udb40\\udc41", "\\U000e0041")
    write("evil.toml", f'schema = 1\n[[zone]]\nid = "evil"\nname = {escaped}\n')
    ran = meso("--catalogue", "evil.toml", "zones")
    checked = meso("catalogue", "check", "evil.toml")

    assert checked.code == 3
    assert "characters that do not print" in checked.out
    assert not set(strange_in(ran.out + ran.err + checked.out + checked.err))


def test_a_name_of_two_lines_takes_no_line_of_its_own(meso: Any, write: Callable[[str, str], Any]) -> None:
    write(
        "two.toml",
        """
        schema = 1
        [vendor]
        id = "evil"
        name = "Evil"
        [[product]]
        sku = "two"
        name = "Two\\n1 product; all of it is safe"
        part = [{ container = "vial", form = "solution" }]
        source = [{ kind = "IFU", where = "leaflet", read = 2026-01-02 }]
        """,
    )
    ran = meso("--catalogue", "two.toml", "products", "evil")

    assert ran.code == 0
    assert not any(line.startswith("1 product; all") for line in ran.out.splitlines())
