"""Plain TOML values into records: every problem of a record at once, each with its line."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar, cast

import attrs

from mesoformula import fields, units
from mesoformula.catalogue.files import BARE, CatalogueFile
from mesoformula.errors import Problem, QuantityError
from mesoformula.ingredients import IngredientClass, Range
from mesoformula.words import nearest, shown

T = TypeVar("T")
Where = tuple[str | int, ...]


class _Failed(enum.Enum):
    FAILED = "failed"


FAILED = _Failed.FAILED


@attrs.frozen
class _Field:
    name: str
    key: str
    kind: fields.Kind
    required: bool
    help: str


def written_fields(record: type[Any]) -> tuple[_Field, ...]:
    """
    List how a record's fields are written.

    Args:
        record: An attrs class whose fields carry `written(...)` metadata.

    Returns:
        The fields that a catalogue may hold, in order.
    """
    return _written_fields(cast("Hashable", record))


@cache
def _written_fields(record: Any) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            field.name,
            field.metadata["key"] or field.name,
            field.metadata["kind"],
            field.default is attrs.NOTHING,
            field.metadata["help"],
        )
        for field in attrs.fields(record)
        if "kind" in field.metadata
    )


class Reader:
    """
    Reads the values of one file.

    Attributes:
        problems: What was found so far.
    """

    def __init__(
        self, file: CatalogueFile, classes: Mapping[str, IngredientClass], subject: str = ""
    ) -> None:
        """
        Start reading.

        Args:
            file: Where the values stand.
            classes: Ingredient classes by id: they say which class tables may occur.
            subject: What is being read, for messages, such as `product soluvit-n`.
        """
        self.file = file
        self.classes = classes
        self.subject = subject
        self.problems: list[Problem] = []

    def problem(self, code: str, message: str, where: Where) -> _Failed:
        """
        Note a problem.

        Args:
            code: A stable word.
            message: What was found, what was expected, and what to do.
            where: Keys and indices from the top of the file.

        Returns:
            The mark of a value that could not be read.
        """
        subject = f"{self.subject}: " if self.subject else ""
        self.problems.append(self.file.problem(code, f"{subject}{message}", where))
        return FAILED

    def record(self, record: type[T], table: Any, where: Where, **given: Any) -> T | _Failed:
        """
        Read a table into a record.

        Args:
            record: The attrs class.
            table: What the file holds there.
            where: Its place in the file.
            given: Attributes that do not stand in the table.

        Returns:
            The record, or the mark of failure if anything in it could not be read. A key that is not known
            is a problem, but keeps nothing else from being looked at.
        """
        name = str(where[-1]) if isinstance(where[-1], str) else str(where[-2])
        if not isinstance(table, dict) or BARE in table:
            return self.problem("type", f"{name} = {_said(table)}: expected a table", where)
        values: dict[str, Any] = dict(given)
        failed = False
        known: set[str] = set()
        for field in written_fields(record):
            if isinstance(field.kind, fields.ClassAttributes):
                known.update(self.classes)
                value = self._class_attributes(table, where)
                if value is not None:
                    values[field.name] = value
            else:
                known.add(field.key)
                if field.key not in table:
                    if field.required:
                        self.problem(
                            "missing", f"{field.key} is missing; expected {_expected(field.kind)}", where
                        )
                        failed = True
                    continue
                value = self.value(field.kind, table[field.key], (*where, field.key))
                values[field.name] = value
            failed = failed or value is FAILED
        for key in table:
            if key not in known:
                close = nearest(key, known)
                hint = (
                    f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(known))}"
                )
                self.problem("unknown-key", f"{shown(key)} is not known here; {hint}", (*where, key))
        return FAILED if failed else record(**values)

    def _class_attributes(self, table: Mapping[str, Any], where: Where) -> Any:
        present = [name for name in self.classes if name in table]
        if not present:
            return None
        if len(present) > 1:
            return self.problem(
                "class", f"tables of two classes, {present[0]} and {present[1]}; expected one", where
            )
        name = present[0]
        stated = table.get("class")
        if stated is not None and stated != name:
            return self.problem(
                "class", f"table {name!r} does not go with class = {shown(str(stated))}", (*where, name)
            )
        return self.record(self.classes[name].attributes, table[name], (*where, name))

    def value(self, kind: fields.Kind, value: Any, where: Where) -> Any:
        """
        Read one value.

        Args:
            kind: What is expected.
            value: What the file holds.
            where: Its place in the file.

        Returns:
            The value as records hold it, or the mark of failure.
        """
        return _READERS[type(kind)](self, kind, value, where)

    def _wrong(self, kind: fields.Kind, value: Any, where: Where) -> _Failed:
        return self.problem("type", f"{_key(where)} = {_said(value)}: expected {_expected(kind)}", where)

    def _text(self, kind: fields.Text, value: Any, where: Where) -> str | _Failed:
        if not isinstance(value, str):
            return self._wrong(kind, value, where)
        if not value.strip() or len(value) > kind.longest:
            return self.problem(
                "text", f"{_key(where)} = {_said(value)}: expected 1 to {kind.longest} characters", where
            )
        if any(not char.isprintable() and char not in "\n\t" for char in value):
            return self.problem(
                "text", f"{_key(where)} = {_said(value)}: has characters that do not print", where
            )
        if kind.pattern is not None and re.fullmatch(kind.pattern, value) is None:
            return self.problem(
                "text", f"{_key(where)} = {_said(value)}: expected such as {shown(kind.example)}", where
            )
        return value

    def _whole(self, kind: fields.Whole, value: Any, where: Where) -> int | _Failed:
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(kind, value, where)
        if not kind.lowest <= value <= kind.highest:
            return self.problem(
                "range", f"{_key(where)} = {value:,}: expected {kind.lowest} to {kind.highest}", where
            )
        return value

    def _flag(self, kind: fields.Flag, value: Any, where: Where) -> bool | _Failed:
        return value if isinstance(value, bool) else self._wrong(kind, value, where)

    def _day(self, kind: fields.Day, value: Any, where: Where) -> date | _Failed:
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            return self._wrong(kind, value, where)

    def _quantity(self, kind: fields.QuantityOf, value: Any, where: Where) -> Any:
        if not isinstance(value, str):
            return self._wrong(kind, value, where)
        try:
            quantity = units.parse_quantity(value, kind.dimension)
        except QuantityError as err:
            return self.problem(err.code, f"{_key(where)} = {err}", where)
        if not quantity.magnitude and not kind.zero:
            return self.problem("zero", f"{_key(where)} = {shown(value)}: expected more than 0", where)
        return quantity

    def _strength(self, kind: fields.StrengthText, value: Any, where: Where) -> Any:
        if not isinstance(value, str):
            return self._wrong(kind, value, where)
        try:
            return units.parse_strength(value)
        except QuantityError as err:
            return self.problem(err.code, f"{_key(where)} = {err}", where)

    def _range(self, kind: fields.RangeOf, value: Any, where: Where) -> Range | _Failed:
        one = fields.QuantityOf(kind.dimension, zero=True)
        if isinstance(value, str):
            quantity = self._quantity(one, value, where)
            return FAILED if quantity is FAILED else Range(quantity, quantity)
        if not isinstance(value, dict) or set(value) != {"low", "high"}:
            return self._wrong(kind, value, where)
        low = self._quantity(one, value["low"], (*where, "low"))
        high = self._quantity(one, value["high"], (*where, "high"))
        if isinstance(low, _Failed) or isinstance(high, _Failed):
            return FAILED
        if low > high:
            return self.problem("range", f"{_key(where)}: low is above high", where)
        return Range(low, high)

    def _choice(self, kind: fields.Choice, value: Any, where: Where) -> enum.StrEnum | _Failed:
        words = [str(word) for word in kind.words]
        if not isinstance(value, str) or value not in words:
            close = nearest(value, words) if isinstance(value, str) else ()
            hint = f"did you mean {' or '.join(close)}?" if close else f"expected one of {', '.join(words)}"
            return self.problem("word", f"{_key(where)} = {_said(value)}: {hint}", where)
        return kind.words(value)

    def _list(self, kind: fields.ListOf, value: Any, where: Where) -> tuple[Any, ...] | _Failed:
        if not isinstance(value, list):
            return self._wrong(kind, value, where)
        if len(value) > kind.most:
            return self.problem(
                "range", f"{_key(where)} has {len(value):,} entries; expected at most {kind.most}", where
            )
        items = tuple(self.value(kind.item, item, (*where, number)) for number, item in enumerate(value))
        return FAILED if FAILED in items else items

    def _record(self, kind: fields.RecordOf, value: Any, where: Where) -> Any:
        return self.record(kind.record, value, where)


_READERS: dict[type[fields.Kind], Callable[..., Any]] = {
    fields.Text: Reader._text,
    fields.Whole: Reader._whole,
    fields.Flag: Reader._flag,
    fields.Day: Reader._day,
    fields.QuantityOf: Reader._quantity,
    fields.StrengthText: Reader._strength,
    fields.RangeOf: Reader._range,
    fields.Choice: Reader._choice,
    fields.ListOf: Reader._list,
    fields.RecordOf: Reader._record,
}


def place(where: Where) -> str:
    """
    Name a place below its record.

    Args:
        where: Keys and indices below the record.

    Returns:
        Such as `part 2: volume`.
    """
    words: list[str] = []
    for step in where:
        if isinstance(step, int) and words:
            words[-1] += f" {step + 1}"
        else:
            words.append(str(step))
    return ": ".join(words)


def _key(where: Where) -> str:
    return place(where[2:]) if len(where) > 2 else str(where[-1])


def _said(value: Any) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return f"{shown(str(value[BARE]))[1:-1]} (a bare number)" if BARE in value else "a table"
    if isinstance(value, list):
        return "a list"
    return str(value).lower() if isinstance(value, bool) else f"{value!s:.40} (a bare number)"


def _expected(kind: fields.Kind) -> str:
    match kind:
        case fields.Text():
            return f"text such as '{kind.example}'" if kind.example else "text"
        case fields.Whole():
            return f"a whole number from {kind.lowest} to {kind.highest}"
        case fields.Flag():
            return "true or false"
        case fields.Day():
            return "a day such as 2026-11-23"
        case fields.QuantityOf():
            example = units.EXAMPLES[kind.dimension] if kind.dimension else "5 mg"
            return f"text with a number and its unit such as '{example}'"
        case fields.StrengthText():
            return "text such as '5 mg/mL' or '60 µg per container'"
        case fields.RangeOf():
            example = units.EXAMPLES[kind.dimension]
            return f"text such as '{example}', or a table with low and high"
        case fields.Choice():
            return f"one of {', '.join(str(word) for word in kind.words)}"
        case fields.ListOf():
            return "a list"
        case _:
            return "a table"
