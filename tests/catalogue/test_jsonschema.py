"""The published schema is that of the code, and an independent reader of it agrees on what is right."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mesoformula.catalogue.jsonschema import json_schema
from mesoformula.fields import Text, written
from mesoformula.ingredients import CORE_CLASSES, IngredientClass

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "catalogues" / "mesoformula_catalogues"
PUBLISHED = BUNDLED / "catalogue.schema.json"
FILES = sorted(BUNDLED.rglob("*.toml"))
BROKEN = ROOT / "tests" / "data" / "broken"

#: What a schema sees; the others need arithmetic, or other records.
SEEN = (
    "amounts-not-one",
    "bare-numbers",
    "beyond-use",
    "decimal-comma",
    "dimensions",
    "formula-lines",
    "gtin-form",
    "gtin-not-a-number",
    "key-unknown-and-more",
    "keys-unknown",
    "lists",
    "months",
    "quantities-refused",
    "schema-missing",
    "schema-of-the-future",
    "section-no-list",
    "section-unknown",
    "status-and-storage",
    "strengths-refused",
    "vocabulary",
    "zero",
)


def plain(value: Any) -> Any:
    """TOML as JSON has it: days become text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def validator(schema: dict[str, Any] | None = None) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        schema or json_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def complaints(path: Path) -> list[str]:
    tables = plain(tomllib.loads(path.read_text(encoding="utf-8")))
    return [f"{list(error.absolute_path)}: {error.message:.200}" for error in validator().iter_errors(tables)]


def test_the_published_schema_is_that_of_the_code() -> None:
    """In an interpreter of its own: the one registry of this one may know units of other tests' plugins."""
    program = (
        "import sys; from mesoformula.catalogue.jsonschema import json_schema, schema_text;"
        "sys.stdout.buffer.write(schema_text(json_schema()).encode())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert PUBLISHED.read_text(encoding="utf-8") == done.stdout.decode(), (
        f"write it anew with: mesoformula catalogue schema --replace {PUBLISHED.relative_to(ROOT)}"
    )


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_there_are_bundled_files() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_bundled_file_is_valid(path: Path) -> None:
    assert complaints(path) == []


@pytest.mark.parametrize("name", SEEN)
def test_a_broken_file_is_not_valid(name: str) -> None:
    assert complaints(BROKEN / f"{name}.toml")


def test_a_description_tells_what_each_field_is_for() -> None:
    for name, definition in json_schema()["$defs"].items():
        assert definition["description"], name
        for key, described in definition["properties"].items():
            assert described.get("description") or described.get("$ref"), (name, key)


def test_classes_of_plugins_have_their_tables() -> None:
    import attrs

    @attrs.frozen
    class Peptide:
        """What tells one peptide from another."""

        sequence: str = attrs.field(metadata=written(Text(), "Its amino acids."))

    schema = json_schema((*CORE_CLASSES, IngredientClass("peptide", "peptide", "signals", Peptide)))
    substance = {"id": "x", "name": "X", "class": "peptide", "peptide": {"sequence": "GHK"}}

    assert validator(schema).is_valid({"schema": 1, "substance": [substance]})
    assert not validator().is_valid({"schema": 1, "substance": [substance]})


ENTRIES: list[tuple[dict[str, Any], bool]] = [
    ({"substance": "x", "amount": "5 mg/mL"}, True),
    ({"substance": "x", "amount": "0.05 mg/mL"}, True),
    ({"substance": "x", "amount": "0 mg/mL"}, False),
    ({"substance": "x", "amount": "0.00 mg/mL"}, False),
    ({"substance": "x", "amount": "05 mg/mL"}, False),
    ({"substance": "x", "amount": "1:1000 w/v"}, True),
    ({"substance": "x", "amount": "0.9 % w/v"}, True),
    ({"substance": "x", "amount": "0.9 %"}, False),
    ({"substance": "x", "amount": "60 µg per container"}, True),
    ({"substance": "x", "undisclosed": True}, True),
    ({"class": "vitamin", "undisclosed": True}, True),
    ({"substance": "x", "class": "vitamin", "undisclosed": True}, False),
    ({"undisclosed": True}, False),
    ({"substance": "x"}, False),
    ({"substance": "x", "undisclosed": True, "amount": "5 mg/mL"}, False),
    ({"substance": "x", "amount": "5 mg/mL", "specific_activity": "1.1 IU/mg", "total": "5 mg"}, True),
    ({"substance": "x", "amount": "5 mg/mL", "total": "0 mg"}, False),
]


@pytest.mark.parametrize(("entry", "valid"), ENTRIES, ids=str)
def test_an_entry_says_how_much_in_one_way(entry: dict[str, Any], valid: bool) -> None:
    product = {
        "sku": "a",
        "name": "A",
        "part": [{"container": "vial", "form": "solution", "composition": [entry]}],
        "source": [{"kind": "SmPC", "where": "a label", "read": "2026-11-23"}],
    }

    assert validator().is_valid({"schema": 1, "product": [product]}) is valid
