"""
The description of the format is true: its example checks, its tables are those of the code.

Run as a program, it writes the tables anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mesoformula import fields
from mesoformula.catalogue.index import SECTIONS
from mesoformula.catalogue.reading import written_fields
from mesoformula.catalogue.wording import expected
from mesoformula.errors import QuantityError
from mesoformula.formulary import RECORDS, Formulary
from mesoformula.ingredients import CORE_CLASSES
from mesoformula.products import CheckCode, Vendor
from mesoformula.sources import SourceKind
from mesoformula.units import EXAMPLES, parse_quantity, parse_strength

PATH = Path(__file__).parents[2] / "catalogues" / "README.md"
BUNDLED = PATH.parent / "mesoformula_catalogues"
START, END = "<!-- fields -->\n", "<!-- end -->\n"


# ---- tables ----------------------------------------------------------------------------------------------


def said(kind: fields.Kind) -> str:
    """What a field holds, for one cell of a table."""
    match kind:
        case fields.ListOf():
            return f"list of {said(kind.item)}"
        case fields.RecordOf():
            return f"[{kind.record.__name__}](#{kind.record.__name__.lower()})"
        case fields.Choice():
            return ", ".join(f"`{word}`" for word in kind.words)
        case fields.QuantityOf(dimension=dimension):
            return f"quantity such as '{EXAMPLES[dimension] if dimension else '5 mg'}'"
        case _:
            return expected(kind).replace("|", "\\|")


def table(title: str, record: type[Any]) -> str:
    """The fields of one record."""
    summary = next(line for line in (record.__doc__ or "").splitlines() if line.strip()).strip()
    lines = [f"### {title}", "", summary, "", "| Field | What for | Holds |", "|---|---|---|"]
    for field in written_fields(record):
        if isinstance(field.kind, fields.ClassAttributes):
            classes = ", ".join(f"`{one.id}`" for one in CORE_CLASSES)
            lines.append(f"| {classes} | What is particular to the class. | a table, see below |")
            continue
        key = f"**`{field.key}`**" if field.required else f"`{field.key}`"
        lines.append(f"| {key} | {field.help} | {said(field.kind)} |")
    return "\n".join(lines) + "\n"


def records() -> Iterator[tuple[str, type[Any]]]:
    """Every record that a file may hold, each once, those within it after it."""
    seen: set[type[Any]] = set()

    def walk(title: str, record: type[Any]) -> Iterator[tuple[str, type[Any]]]:
        if record in seen:
            return
        seen.add(record)
        yield title, record
        for field in written_fields(record):
            kind = field.kind.item if isinstance(field.kind, fields.ListOf) else field.kind
            if isinstance(kind, fields.RecordOf):
                yield from walk(kind.record.__name__, kind.record)

    yield from walk("Vendor", Vendor)
    for section in ("product", "substance", *SECTIONS):
        yield from walk(f"{RECORDS[section].__name__}", RECORDS[section])
    for known in CORE_CLASSES:
        yield from walk(f"{known.attributes.__name__}", known.attributes)


def tables() -> str:
    """All of them."""
    sections = ", ".join(f"`[[{name}]]`" for name in SECTIONS)
    first = f"At the top of a file stand `schema = 1`, `[vendor]` where there are products, and {sections}.\n"
    return "\n".join([first, *(table(title, record) for title, record in records())])


def test_every_section_and_field_is_described_as_the_code_has_it() -> None:
    text = PATH.read_text(encoding="utf-8")
    written = text.partition(START)[2].partition(END)[0]

    assert written == tables(), "write it anew with: python tests/catalogue/test_readme.py"
    assert len(re.findall("^### ", written, re.MULTILINE)) >= 30


# ---- prose -----------------------------------------------------------------------------------------------


def test_the_example_has_no_problem_and_is_a_powder_with_all_kinds_of_amounts(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", PATH.read_text(encoding="utf-8"), re.M | re.S)
    path = tmp_path / "acme.toml"
    path.write_text(example, encoding="utf-8")
    formulary = Formulary()
    formulary.add_catalogue(BUNDLED)
    formulary.add_catalogue(path)

    assert formulary.check() == ()
    contents = [content for _part, content in formulary.product("acme/revive-500").contents()]
    assert [bool(c.strength) for c in contents] == [True, False, False]
    assert [bool(c.disputed) for c in contents] == [False, True, False]
    assert [c.undisclosed for c in contents] == [False, False, True]


def test_the_grammar_takes_and_refuses_what_the_page_says() -> None:
    text = PATH.read_text(encoding="utf-8")
    taken, refused = text.split("These are refused", 1)
    for written in re.findall(r'`"([^"]+)"`', taken):
        assert any(reads(reader, written) for reader in (parse_quantity, parse_strength)), written
    found = re.findall(r'`"([^"]+)"`', refused.partition("## A complete file")[0])
    assert len(found) >= 8
    for written in found:
        assert not any(reads(reader, written) for reader in (parse_quantity, parse_strength)), written


def reads(reader: Callable[[str], object], text: str) -> bool:
    try:
        reader(text)
    except QuantityError:
        return False
    return True


@pytest.mark.parametrize("kind", SourceKind)
def test_every_kind_of_source_is_described(kind: SourceKind) -> None:
    may = "yes" if kind.may_state_amounts else "no"

    assert re.search(rf"^\| `{kind}` \| .* \| {may} \|$", PATH.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("code", CheckCode)
def test_every_check_that_can_be_excepted_is_described(code: CheckCode) -> None:
    assert f"`{code}`" in PATH.read_text(encoding="utf-8").partition("## Sources")[0]


if __name__ == "__main__":
    before, _start, rest = PATH.read_text(encoding="utf-8").partition(START)
    PATH.write_text(before + START + tables() + END + rest.partition(END)[2], encoding="utf-8")
