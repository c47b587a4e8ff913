"""What stands in one cell of a vendor's own table: taken only where it can be read in one way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from mesoformula.catalogue.columns import vocabulary
from mesoformula.errors import QuantityError
from mesoformula.grids import Cell
from mesoformula.units import kind_of, parse_quantity, parse_strength
from mesoformula.words import folded, shown

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary


class UnreadError(Exception):
    """A value that is left for a person: what speaks against it, and what would be right."""


@attrs.frozen
class Presentation:
    """
    What a text such as `10 ampoules x 5 mL` says.

    Attributes:
        per_pack: Containers in a pack.
        container: Its kind.
        volume: Of one container, as written.
        mass: Of one container, as written.
    """

    per_pack: int | None = None
    container: str | None = None
    volume: str | None = None
    mass: str | None = None


@attrs.frozen
class Item:
    """
    One ingredient.

    Attributes:
        substance: Its id.
        amount: Its strength, as written.
        as_published: The words of the table.
    """

    substance: str
    amount: str
    as_published: str


def plain_text(value: str) -> str:
    """
    Bring a text to one line with single blanks.

    Args:
        value: As it stands in a cell.

    Returns:
        The same words.
    """
    return " ".join(value.split())


def word_in(text: str, about: str) -> str:
    """
    Read a word that stands alone.

    Args:
        text: Of the cell.
        about: What it is about: `container`, `form`, `kind`, `routes`, `light` or `freezing`.

    Returns:
        The word that a catalogue writes for it.

    Raises:
        UnreadError: If no language knows it; with the words that a catalogue has.
    """
    known = vocabulary().words[about]
    found = known.get(folded(text))
    if found is None:
        raise UnreadError(f"is not known; expected one of {', '.join(dict.fromkeys(known.values()))}")
    return found


def routes_in(text: str) -> list[str]:
    """
    Read a list of routes: all of them, or none.

    Args:
        text: Of the cell, such as `ID, SC`.

    Returns:
        Routes, once each.

    Raises:
        UnreadError: If any of them is not known.
    """
    words = [word for word in re.split(r"[,;/+\n]|\band\b|\bor\b|\bet\b|\bou\b", text) if word.strip()]
    return list(dict.fromkeys(word_in(word, "routes") for word in words))


# ---- quantities ----------------------------------------------------------------------------------------

_COMMA = re.compile(r"\d+,\d+\s*[^\W\d_]+")


def quantity_in(text: str, dimension: str) -> str:
    """
    Read a quantity by the strict grammar.

    Args:
        text: Of the cell.
        dimension: What is expected, such as `volume`.

    Returns:
        The text, as the grammar takes it.

    Raises:
        UnreadError: If the grammar refuses it; with the right form.
    """
    text = plain_text(text)
    try:
        value = parse_quantity(text, dimension)
    except QuantityError as err:
        raise UnreadError(_reason(err, text)) from None
    if not value.magnitude:
        raise UnreadError("expected more than 0")
    return text


def _reason(err: QuantityError, text: str) -> str:
    """Leave the value out of a message that begins with it."""
    return str(err).removeprefix(shown(text)).lstrip(": ")


_NUMBER = r"([1-9]\d{0,3})"
_QUANTITY = r"(\d+(?:\.\d+)?\s*(?:mL|ml|L|l|mg|g|µg))"
_WORD = r"([^\W\d_]+(?:[- ][^\W\d_]+){0,2}?\.?)"
_TIMES = r"(?:\s*[x×*]\s*|\s+(?:of|de|à)\s+|\s+d['’]\s*)"
_BOX = r"(?:(?:an?\s+)?(?:box|pack|carton|boîte|boite|bte)\s+(?:of|de)\s+)?"
#: Forms of a presentation, with what their groups are: n the number, w the container, q the quantity of one.
_PRESENTATIONS = tuple(
    (re.compile(pattern, re.IGNORECASE), groups)
    for pattern, groups in (
        (rf"{_BOX}{_NUMBER}\s*{_WORD}(?:{_TIMES}|\s+){_QUANTITY}", "nwq"),
        (rf"{_BOX}{_NUMBER}{_TIMES}{_QUANTITY}", "nq"),
        (rf"{_BOX}{_NUMBER}{_TIMES}{_WORD}(?:{_TIMES}|\s+){_QUANTITY}", "nwq"),
        (rf"{_BOX}{_NUMBER}{_TIMES}{_QUANTITY}\s+{_WORD}", "nqw"),
        (rf"{_BOX}{_NUMBER}(?:{_TIMES}|\s*){_WORD}", "nw"),
        (rf"{_QUANTITY}\s*[x×*]\s*{_NUMBER}(?:\s+{_WORD})?", "qnw"),
        (rf"{_WORD}(?:{_TIMES}|\s+){_QUANTITY}", "wq"),
        (rf"{_QUANTITY}\s+{_WORD}", "qw"),
        (_QUANTITY, "q"),
    )
)


def presentation_in(text: str) -> Presentation:
    """
    Read a presentation such as `10 ampoules x 5 mL`, whole or not at all.

    Args:
        text: Of the cell.

    Returns:
        What it says.

    Raises:
        UnreadError: If any of it cannot be read, or in two ways; with the right form.
    """
    text = plain_text(text)
    for pattern, groups in _PRESENTATIONS:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        read = {group: found[place] for place, group in enumerate(groups, start=1)}
        word = vocabulary().words["container"].get(folded(read.get("w") or ""))
        if read.get("w") and word is None:
            continue
        return _presented(read.get("n"), word, read.get("q"))
    if (comma := _COMMA.search(text)) is not None:
        try:
            parse_quantity(comma[0])
        except QuantityError as err:
            raise UnreadError(str(err)) from None
    if re.search(r"[x×*]\s*\d+(?:[.,]\d+)?$", text) is not None:
        raise UnreadError("its last number has no unit; expected such as '10 ampoules x 5 mL'")
    raise UnreadError("cannot be read in one way; expected such as '10 ampoules x 5 mL'")


def _presented(number: str | None, container: str | None, quantity: str | None) -> Presentation:
    if number is not None and int(number) > 1000:
        raise UnreadError(f"{number} containers in a pack; expected 1 to 1000")
    per_pack = int(number) if number is not None else None
    if quantity is None:
        return Presentation(per_pack, container)
    try:
        value = parse_quantity(quantity)
    except QuantityError as err:
        raise UnreadError(str(err)) from None
    if not value.magnitude:
        raise UnreadError(f"{shown(quantity)}: expected more than 0")
    if kind_of(value.units) == "mass":
        return Presentation(per_pack, container, mass=quantity)
    return Presentation(per_pack, container, volume=quantity)


# ---- composition ---------------------------------------------------------------------------------------

_SEPARATORS = re.compile(r";|\n|\s\+\s|,(?!\d)")
_STRENGTH_LAST = re.compile(r"(.*?(?:\D|[^\W\d_]\d{1,2}))[\s:(]\s*(\d[^()]*)\)?")
_STRENGTH_FIRST = re.compile(
    r"(\d\S*(?:\s*%\s*w/[vw]|\s[^\W\d_]+/[^\s]+(?:\s(?:mL|ml|g))?))\s+(?:of\s+|de\s+)?(.+)"
)


def names_of_substances(formulary: Formulary) -> Mapping[str, frozenset[str]]:
    """
    List what substances are called.

    Args:
        formulary: Where they are.

    Returns:
        The ids of all that bear a name, by the name folded.
    """
    found: dict[str, set[str]] = {}
    for substance in formulary.substances():
        for name in (substance.id, substance.name, *substance.synonyms):
            found.setdefault(folded(name), set()).add(substance.id)
    return {name: frozenset(ids) for name, ids in found.items()}


def composition_in(text: str, names: Mapping[str, frozenset[str]]) -> list[Item]:
    """
    Read a composition, whole or not at all: with an ingredient less it would be another product.

    Args:
        text: Of the cell, such as `biotin 0.1 mg/mL; zinc gluconate 1 mg/mL`.
        names: What substances are called.

    Returns:
        Its ingredients.

    Raises:
        UnreadError: With what speaks against each of them.
    """
    items: list[Item] = []
    against: list[str] = []
    for written in _SEPARATORS.split(text):
        piece = plain_text(written)
        if not piece:
            continue
        try:
            items.append(_item(piece, names))
        except UnreadError as err:
            against.append(str(err))
    doubled = sorted(_twice(item.substance for item in items))
    against += [f"{substance} stands there twice" for substance in doubled]
    if against:
        raise UnreadError("; ".join(against))
    return items


def _twice(names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def _item(piece: str, names: Mapping[str, frozenset[str]]) -> Item:
    found = _STRENGTH_LAST.fullmatch(piece)
    name, amount = (found[1], found[2]) if found is not None else ("", "")
    if found is None and (found := _STRENGTH_FIRST.fullmatch(piece)) is not None:
        name, amount = found[2], found[1]
    if found is None:
        raise UnreadError(f"{shown(piece, 60)} states no amount that can be told from its name")
    name, amount = name.strip(" :(-"), amount.strip()
    ids = names.get(folded(name), frozenset())
    if len(ids) != 1:
        why = f"may be {' or '.join(sorted(ids))}" if ids else "is called so by no substance"
        raise UnreadError(f"{shown(name, 60)} {why}; name the exact form (mesoformula substances TEXT)")
    try:
        parse_strength(amount)
    except QuantityError as err:
        raise UnreadError(str(err)) from None
    return Item(next(iter(ids)), amount, piece)


# ---- storage -------------------------------------------------------------------------------------------

_KEEP = r"(?:(?:store|keep|stored|conserver|conservation|à conserver|stocker)\s+)?"
_DEGREES = r"(\d{1,2})\s*(?:°\s*C|°|ºC)?"
#: °C; nobody stores anything above 40 °C, and 80 °C is a mistyped 8 °C.
_WARMEST = 40
_BETWEEN = re.compile(
    rf"{_KEEP}(?:(?:between|from|at|entre|de|à)\s+)?\+?{_DEGREES}\s*(?:-|–|to|and|à|et|/)\s*\+?(\d{{1,2}})\s*(?:°\s*C|ºC)",
    re.IGNORECASE,
)
_BELOW = re.compile(
    rf"{_KEEP}(?:(?:at|à)\s+)?(?:below|under|max\.?|up to|not above|≤|<|en dessous de|au-dessous de|"
    r"moins de|une température inférieure à)\s*\+?(\d{1,2})\s*(?:°\s*C|ºC)",
    re.IGNORECASE,
)


def storage_in(text: str) -> dict[str, str | bool]:
    """
    Read how something is kept, whole or not at all.

    Args:
        text: Of the cell, such as `2-8 °C, protect from light`.

    Returns:
        Fields of a storage, as a catalogue writes them.

    Raises:
        UnreadError: If any of it cannot be read; with the right form.
    """
    kept: dict[str, str | bool] = {}
    for written in re.split(r"[;,\n]|\.\s+(?=[A-Z])|\.$", text):
        piece = plain_text(written)
        if not piece:
            continue
        if (found := _BETWEEN.fullmatch(piece)) is not None and int(found[1]) < int(found[2]) <= _WARMEST:
            kept |= {"low": f"{int(found[1])} °C", "high": f"{int(found[2])} °C"}
        elif (found := _BELOW.fullmatch(piece)) is not None and int(found[1]) <= _WARMEST:
            kept["high"] = f"{int(found[1])} °C"
        elif folded(piece) in vocabulary().words["light"]:
            kept["protect_from_light"] = True
        elif folded(piece) in vocabulary().words["freezing"]:
            kept["do_not_freeze"] = True
        else:
            raise UnreadError(f"{shown(piece, 60)} cannot be read; expected such as '2-8 °C'")
    return kept


def number_with(cell: Cell, unit: str | None) -> str | None:
    """
    Put the unit of a heading behind a number that has none.

    Args:
        cell: Where the number stands: as a number, not as text, of which a comma could be read in two ways.
        unit: Of the heading.

    Returns:
        Such as `5.5 mL`; None if the cell holds no number, or the heading names no unit.
    """
    from decimal import Decimal

    value = cell.value
    if unit is None or isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | Decimal):
        from mesoformula.units import plain

        return f"{plain(Decimal(value))} {'mL' if unit == 'ML' else unit}"
    return (
        f"{value.strip()} {unit}"
        if isinstance(value, str) and re.fullmatch(r"\s*\d+(\.\d+)?\s*", value)
        else None
    )
