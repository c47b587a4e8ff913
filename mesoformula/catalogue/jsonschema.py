"""The catalogue format as JSON Schema, made from the records, so that an editor completes and checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from mesoformula import fields, units
from mesoformula.catalogue.index import SCHEMA
from mesoformula.catalogue.reading import written_fields
from mesoformula.contents import Content
from mesoformula.formulary import RECORDS
from mesoformula.formulas import Line, LineKind
from mesoformula.ingredients import CORE_CLASSES, IngredientClass
from mesoformula.keeping import BeyondUseRule
from mesoformula.products import Vendor

_NUMBER = r"(0|[1-9]\d*)(\.\d+)?"
_ABOVE_ZERO = rf"(?=[\d.]*[1-9]){_NUMBER}"
_PER = r"( ?/ ?| per )"


def _one_of(*keys: str) -> dict[str, Any]:
    """Say that one of these keys is filled in, and no more."""
    return {"oneOf": [{"required": [key]} for key in keys]}


#: What holds between the keys of a table.
_TOGETHER: dict[type[Any], list[dict[str, Any]]] = {
    Content: [_one_of("substance", "class"), _one_of("amount", "disputed", "undisclosed")],
    Line: [_one_of(*(kind.value for kind in LineKind))],
    BeyondUseRule: [_one_of("period", "session_only")],
}


def schema_text(schema: dict[str, Any]) -> str:
    """
    Write a schema as it is published.

    Args:
        schema: What `json_schema` returned.

    Returns:
        JSON, with a line end.
    """
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def json_schema(classes: Iterable[IngredientClass] = CORE_CLASSES) -> dict[str, Any]:
    """
    Describe catalogue files.

    Args:
        classes: The ingredient classes whose tables may occur.

    Returns:
        A JSON Schema, draft 2020-12.
    """
    maker = _Maker(tuple(classes))
    properties: dict[str, Any] = {
        "schema": {"const": SCHEMA, "description": "The version of the format."},
        "vendor": maker.record(Vendor),
    }
    for section, record in RECORDS.items():
        properties[section] = {"type": "array", "items": maker.record(record)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mesoformula catalogue",
        "description": "Substances, products, techniques, protocols, formulas, rules. Quantities are text.",
        "type": "object",
        "properties": properties,
        "required": ["schema"],
        "additionalProperties": False,
        "$defs": dict(sorted(maker.definitions.items())),
    }


class _Maker:
    def __init__(self, classes: tuple[IngredientClass, ...]) -> None:
        self.classes = classes
        self.definitions: dict[str, Any] = {}

    def record(self, record: type[Any]) -> dict[str, Any]:
        """Refer to a record, and describe it when it is first met."""
        name = record.__name__
        if name not in self.definitions:
            self.definitions[name] = {}
            properties: dict[str, Any] = {}
            required = []
            for field in written_fields(record):
                if isinstance(field.kind, fields.ClassAttributes):
                    for known in self.classes:
                        properties[known.id] = self.record(known.attributes)
                    continue
                described = self.kind(field.kind)
                properties[field.key] = {**described, "description": field.help}
                if field.required:
                    required.append(field.key)
            text = (record.__doc__ or "").strip().splitlines()
            self.definitions[name] = {
                "type": "object",
                "description": text[0] if text else name,
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            }
            if record in _TOGETHER:
                self.definitions[name]["allOf"] = _TOGETHER[record]
        return {"$ref": f"#/$defs/{name}"}

    def kind(self, kind: fields.Kind) -> dict[str, Any]:
        """Describe one kind of field."""
        match kind:
            case fields.Text():
                described: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": kind.longest}
                if kind.pattern is not None:
                    described["pattern"] = f"^(?:{kind.pattern})$"
                if kind.example:
                    described["examples"] = [kind.example]
                return described
            case fields.Whole():
                return {"type": "integer", "minimum": kind.lowest, "maximum": kind.highest}
            case fields.Flag():
                return {"type": "boolean"}
            case fields.Day():
                return {"type": "string", "format": "date", "examples": ["2026-11-23"]}
            case fields.QuantityOf():
                return quantity_schema(kind.dimension, zero=kind.zero)
            case fields.StrengthText():
                return strength_schema()
            case fields.RangeOf():
                one = quantity_schema(kind.dimension, zero=True)
                both = {
                    "type": "object",
                    "properties": {"low": one, "high": one},
                    "required": ["low", "high"],
                    "additionalProperties": False,
                }
                return {"anyOf": [one, both]}
            case fields.Choice():
                return {"enum": [str(word) for word in kind.words]}
            case fields.ListOf():
                return {"type": "array", "items": self.kind(kind.item), "maxItems": kind.most}
            case fields.RecordOf():
                return self.record(kind.record)
            case _:
                raise TypeError(f"{type(kind).__name__} has no schema")


def quantity_schema(dimension: str | None, *, zero: bool = False) -> dict[str, Any]:
    """
    Describe text that holds a quantity.

    Args:
        dimension: A key of `mesoformula.units.EXAMPLES`; None for any.
        zero: Whether nothing at all is an answer.

    Returns:
        A schema whose pattern lists the units of the dimension; the reader's grammar is stricter.
    """
    number = _NUMBER if zero else _ABOVE_ZERO
    if dimension is None:
        unit = _any_unit()
        per = f"({_PER}({_ABOVE_ZERO} ?)?{unit})?"
        return {"type": "string", "pattern": f"^{number} ?{unit}{per}$", "examples": ["5 mg"]}
    example = units.EXAMPLES[dimension]
    top, _slash, bottom = example.partition(" ")[2].partition("/")
    pattern = f"^{number} ?{_units_like(top)}"
    if bottom:
        pattern += f"{_PER}({_ABOVE_ZERO} ?)?{_units_like(bottom)}"
    return {"type": "string", "pattern": f"{pattern}$", "examples": [example]}


def strength_schema() -> dict[str, Any]:
    """
    Describe text that holds a strength.

    Returns:
        A schema; the reader's grammar is stricter.
    """
    unit = _any_unit()
    return {
        "type": "string",
        "pattern": f"^({_ABOVE_ZERO} ?% ?(w/v|w/w|v/v)|1 ?: ?[1-9]\\d* ?(w/v|w/w|v/v)|"
        f"{_ABOVE_ZERO} ?{unit}{_PER}({_ABOVE_ZERO} ?)?{unit})$",
        "examples": ["5 mg/mL", "500 mg/5 mL", "60 µg per container", "20 % w/v", "1:1000 w/v"],
    }


def _units_like(spelling: str) -> str:
    """List the spellings of the units of one dimension."""
    wanted = units.kind_of(units.unit(spelling))
    return _choice(word for word in units.known_units() if units.kind_of(units.unit(word)) == wanted)


def _any_unit() -> str:
    return _choice(units.known_units())


def _choice(words: Iterable[str]) -> str:
    return f"({'|'.join(re.escape(word) for word in sorted(words))})"
