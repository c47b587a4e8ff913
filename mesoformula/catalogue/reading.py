"""Plain TOML values into records: every problem of a record at once, each with its line."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from mesoformula import fields, units
from mesoformula.catalogue.files import BARE, CatalogueFile
from mesoformula.catalogue.wording import Where as Where
from mesoformula.catalogue.wording import expected, key_of, said
from mesoformula.catalogue.wording import place as place
from mesoformula.errors import Problem, QuantityError
from mesoformula.ingredients import IngredientClass, Range
from mesoformula.words import nearest, shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

T = TypeVar("T")


class _Failed(enum.Enum):
    FAILED = "failed"


FAILED = _Failed.FAILED


@attrs.frozen
class WrittenField:
    """
    How one field of a record is written.

    Attributes:
        name: Of the attribute.
        key: In the file.
        kind: What it holds.
        required: Whether it must be there.
        help: One sentence for whoever fills it in.
    """

    name: str
    key: str
    kind: fields.Kind
    required: bool
    help: str


def written_fields(record: type[Any]) -> tuple[WrittenField, ...]:
    """
    List how a record's fields are written.

    Args:
        record: An attrs class whose fields carry `written(...)` metadata.

    Returns:
        The fields that a catalogue may hold, in order.
    """
    return _written_fields(cast("Hashable", record))


@cache
def _written_fields(record: Any) -> tuple[WrittenField, ...]:
    return tuple(
        WrittenField(
            field.name,
            field.metadata["key"] or field.name,
            field.metadata["kind"],
            field.default is attrs.NOTHING,
            field.metadata["help"],
        )
        for field in attrs.fields(record)
        if "kind" in field.metadata
    )


@attrs.frozen
class _Plan:
    """How a record is read: looked up once, for there may be ten thousand of it."""

    steps: dict[str, tuple[str, Callable[..., Any], fields.Kind]]
    required: tuple[WrittenField, ...]
    attributes: str | None


@cache
def _plan(record: Any) -> _Plan:
    plain = [one for one in _written_fields(record) if not isinstance(one.kind, fields.ClassAttributes)]
    named = [one.name for one in _written_fields(record) if isinstance(one.kind, fields.ClassAttributes)]
    return _Plan(
        {one.key: (one.name, _READERS[type(one.kind)], one.kind) for one in plain},
        tuple(one for one in plain if one.required),
        named[0] if named else None,
    )


#: Texts repeat: a catalogue of ten thousand products has some hundred volumes and strengths. What they are
#: read into is never changed.
_MOST_TEXTS = 16_384


@lru_cache(_MOST_TEXTS)
def _parsed_quantity(text: str, dimension: str | None) -> Quantity:
    return units.parse_quantity(text, dimension)


@lru_cache(_MOST_TEXTS)
def _parsed_strength(text: str) -> units.Strength:
    return units.parse_strength(text)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _words(kind: type[enum.StrEnum]) -> dict[str, enum.StrEnum]:
    return {str(word): word for word in kind}


class Reader:
    """
    Reads the values of one file.

    Attributes:
        problems: What was found so far.
        places: Where each of them is.
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
        self.places: list[Where] = []
        self._picograms: list[tuple[Where, str]] = []

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
        self.places.append(where)
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
        if type(table) is not dict or BARE in table:
            name = str(where[-1]) if isinstance(where[-1], str) else str(where[-2])
            return self.problem("type", f"{name} = {said(table)}: expected a table", where)
        plan = _plan(cast("Hashable", record))
        values: dict[str, Any] = given
        failed = False
        strange = []
        for field in plan.required:
            if field.key not in table:
                message = f"{field.key} is missing; expected {expected(field.kind)}"
                self.problem("missing", message, where)
                failed = True
        for key, held in table.items():
            step = plan.steps.get(key)
            if step is None:
                strange.append(key)
                continue
            name, read, kind = step
            value = values[name] = read(self, kind, held, (*where, key))
            failed = failed or value is FAILED
        if plan.attributes is not None:
            attributes = self._class_attributes(table, where)
            if attributes is not None:
                values[plan.attributes] = attributes
                failed = failed or attributes is FAILED
        if strange:
            self._unknown_keys(strange, plan, where)
        return FAILED if failed else record(**values)

    def _unknown_keys(self, strange: list[str], plan: _Plan, where: Where) -> None:
        known = {*plan.steps, *(self.classes if plan.attributes is not None else ())}
        for key in strange:
            if key not in known:
                close = nearest(key, known)
                hint = (
                    f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(known))}"
                )
                self.problem("unknown-key", f"{shown(key)} is not known here; {hint}", (*where, key))

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
        return self.problem("type", f"{key_of(where)} = {said(value)}: expected {expected(kind)}", where)

    def _text(self, kind: fields.Text, value: Any, where: Where) -> str | _Failed:
        if not isinstance(value, str):
            return self._wrong(kind, value, where)
        if not value.strip() or len(value) > kind.longest:
            return self.problem(
                "text", f"{key_of(where)} = {said(value)}: expected 1 to {kind.longest} characters", where
            )
        if not value.isprintable() and any(not char.isprintable() and char not in "\n\t" for char in value):
            return self.problem(
                "text", f"{key_of(where)} = {said(value)}: has characters that do not print", where
            )
        if kind.pattern is not None and _pattern(kind.pattern).fullmatch(value) is None:
            return self.problem(
                "text", f"{key_of(where)} = {said(value)}: expected such as {shown(kind.example)}", where
            )
        return value

    def _whole(self, kind: fields.Whole, value: Any, where: Where) -> int | _Failed:
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(kind, value, where)
        if not kind.lowest <= value <= kind.highest:
            return self.problem(
                "range", f"{key_of(where)} = {value:,}: expected {kind.lowest} to {kind.highest}", where
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
            quantity = _parsed_quantity(value, kind.dimension)
        except QuantityError as err:
            return self._refused(
                err, where, lambda: units.parse_quantity(value, kind.dimension, picograms=True)
            )
        if not quantity.magnitude and not kind.zero:
            return self.problem("zero", f"{key_of(where)} = {shown(value)}: expected more than 0", where)
        return quantity

    def _strength(self, kind: fields.StrengthText, value: Any, where: Where) -> Any:
        if not isinstance(value, str):
            return self._wrong(kind, value, where)
        try:
            return _parsed_strength(value)
        except QuantityError as err:
            return self._refused(err, where, lambda: units.parse_strength(value, picograms=True))

    def _refused(self, err: QuantityError, where: Where, again: Callable[[], Any]) -> Any:
        """Note a refusal; picograms only once it is known of what they are."""
        message = f"{key_of(where)} = {err}"
        if err.code == "picograms":
            with suppress(QuantityError):
                value = again()
                self._picograms.append((where, message))
                return value
        return self.problem(err.code, message, where)

    def settle_picograms(self, table: Any, above: int, believable: Callable[[str, str], bool]) -> None:
        """
        Note picograms as problems, except where the class of the ingredient comes in so little.

        Args:
            table: Of the record that was read.
            above: How many steps of a place lead to that table.
            believable: Tells it of `substance` or `class` and a name.
        """
        for where, message in self._picograms:
            said_so, holder = False, table
            for step in where[above:]:
                if isinstance(holder, dict):
                    for key in ("substance", "class"):
                        if isinstance(holder.get(key), str):
                            said_so = believable(key, holder[key])
                holder = holder[step]
            if not said_so:
                self.problem("picograms", message, where)
        self._picograms.clear()

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
            return self.problem("range", f"{key_of(where)}: low is above high", where)
        return Range(low, high)

    def _choice(self, kind: fields.Choice, value: Any, where: Where) -> enum.StrEnum | _Failed:
        words = _words(kind.words)
        found = words.get(value) if isinstance(value, str) else None
        if found is None:
            close = nearest(value, words) if isinstance(value, str) else ()
            hint = f"did you mean {' or '.join(close)}?" if close else f"expected one of {', '.join(words)}"
            return self.problem("word", f"{key_of(where)} = {said(value)}: {hint}", where)
        return found

    def _list(self, kind: fields.ListOf, value: Any, where: Where) -> tuple[Any, ...] | _Failed:
        if not isinstance(value, list):
            return self._wrong(kind, value, where)
        if len(value) > kind.most:
            return self.problem(
                "range", f"{key_of(where)} has {len(value):,} entries; expected at most {kind.most}", where
            )
        item = kind.item
        read = _READERS[type(item)]
        items: list[Any] = [read(self, item, one, (*where, number)) for number, one in enumerate(value)]
        for one in items:
            if one is FAILED:
                return _Failed.FAILED
        return tuple(items)

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


def pruned(table: Any, places: Iterable[Where]) -> Any:
    """
    Leave out what could not be read, so that the rest of a record can still be looked at.

    Args:
        table: What the file holds; it is not changed.
        places: Of what could not be read, below the table.

    Returns:
        A copy without those keys; where an item of a list could not be read, without the list.
    """
    from copy import deepcopy

    left = deepcopy(table)
    for unread in places:
        path = unread
        while path and not isinstance(path[-1], str):
            path = path[:-1]
        holder = left
        for step in path[:-1]:
            try:
                holder = holder[step]
            except (KeyError, IndexError, TypeError):
                holder = None
        if path and isinstance(holder, dict):
            holder.pop(path[-1], None)
    return left
