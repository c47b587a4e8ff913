"""What a plugin obeys that offers ingredient classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from mesoformula.encoding import from_plain, to_plain
from mesoformula.fields import Kind as FieldKind
from mesoformula.formulary import Formulary
from mesoformula.ingredients import CORE_CLASSES, IngredientClass, Substance
from mesoformula.provenance import said
from mesoformula.testing.rules import Kind, rule
from mesoformula.testing.subject import Subject
from mesoformula.words import shown

_HOOK = "mesoformula_ingredient_classes"

#: What somebody may write where something else belongs.
_JUNK = ("true", "-1", "1e99", '"\\u00B3"', '"=1+1"', "[]", "{ low = 1 }", "2026-11-23")


@rule("class-attributes", Kind.INGREDIENT_CLASS)
def its_attributes_are_a_frozen_record_that_may_be_empty(subject: Subject) -> Iterator[str]:
    """Its attributes are a frozen attrs record; every field may be left out, and says how it is written."""
    for one in _classes(subject):
        place = f"{_HOOK}, {one.id}"
        if not (isinstance(one.attributes, type) and attrs.has(one.attributes)):
            yield f"{place}: attributes is {shown(repr(one.attributes))}; put @attrs.frozen above a class"
            continue
        for field in attrs.fields(one.attributes):
            if field.default is attrs.NOTHING:
                yield (
                    f"{place}: {field.name} must be given; add default=None: labels leave out what they like"
                )
            if not isinstance(field.metadata.get("kind"), FieldKind):
                yield (
                    f"{place}: {field.name} does not say how it is written; add metadata=written(Text(), '…')"
                )
        yield from _not_frozen(place, one)
        for name in ("name", "role"):
            if not str(getattr(one, name)).strip():
                yield f"{place}: has no {name}; say it in a few words"


@rule("class-catalogue", Kind.INGREDIENT_CLASS)
def a_catalogue_can_use_it(subject: Subject) -> Iterator[str]:
    """A catalogue can use it: a substance of the class is read, and a stock can keep it and read it back."""
    for one in _classes(subject):
        place = f"{_HOOK}, {one.id}"
        formulary = _read(subject, one, f"[substance.{one.id}]\n")
        if formulary.check():
            yield f"{place}: a substance of it is refused: {formulary.check()[0]}"
            continue
        (substance,) = formulary.substances()
        known = {cls.id: cls.attributes for cls in (*CORE_CLASSES, *_classes(subject))}
        try:
            kept = from_plain(to_plain(substance, classes=known), Substance, classes=known)
        except Exception as err:
            yield f"{place}: a stock cannot keep a substance of it ({said(err)}); use fields of known kinds"
            continue
        if kept != substance:
            yield f"{place}: a stock reads back another substance than it kept; use fields of known kinds"


@rule("class-junk", Kind.INGREDIENT_CLASS)
def junk_in_its_attributes_is_a_problem_and_never_raises(subject: Subject) -> Iterator[str]:
    """Junk in its attributes is a problem with its line, and never raises."""
    for one in _classes(subject):
        if not (isinstance(one.attributes, type) and attrs.has(one.attributes)):
            continue
        for field in attrs.fields(one.attributes):
            key = field.metadata.get("key") or field.name
            for value in _JUNK:
                text = f"[substance.{one.id}]\n{key} = {value}\n"
                try:
                    _read(subject, one, text).check()
                except Exception as err:
                    yield (
                        f"{_HOOK}, {one.id}: {key} = {value} in a catalogue raises {said(err)}; let the "
                        "kinds of mesoformula.fields check it, and not a validator or converter"
                    )


def _classes(subject: Subject) -> tuple[IngredientClass, ...]:
    return subject.offered(_HOOK)


def _not_frozen(place: str, one: IngredientClass) -> Iterator[str]:
    fields = attrs.fields(one.attributes)
    if not fields:
        return
    try:
        made: Any = one.attributes()
    except Exception as err:
        yield f"{place}: cannot be made empty ({said(err)}); give every field a default"
        return
    try:
        setattr(made, fields[0].name, "changed")
    except attrs.exceptions.FrozenInstanceError:
        return
    yield f"{place}: its attributes can be changed; use @attrs.frozen"


def _read(subject: Subject, one: IngredientClass, text: str) -> Formulary:
    """Read a catalogue of one substance of the class."""
    subject.manager.define_units()
    formulary = Formulary((*CORE_CLASSES, *_classes(subject)))
    path = subject.new_folder() / "substance.toml"
    path.write_text(
        f'schema = 1\n[[substance]]\nid = "kit-fictional"\nname = "Fictional"\nclass = "{one.id}"\n{text}',
        encoding="utf-8",
    )
    formulary.add_catalogue(path)
    return formulary
