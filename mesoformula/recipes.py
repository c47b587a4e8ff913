"""Formula lines as people write them in one piece, and formulas as TOML text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mesoformula.errors import QuantityError
from mesoformula.fields import IDENTIFIER
from mesoformula.formulas import PRODUCT_ID, Formula, Line
from mesoformula.units import parse_quantity, parse_strength, show
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.units import Quantity

FORMS = (
    "'vendor/sku=2 mL', '=1 container', '=50 mg of magnesium', '=5 mg/mL of ascorbic-acid', '=2 parts' or "
    "'=fill to 10 mL'"
)

_COUNTED = re.compile(r"(\d{1,20}) (containers?|kits?|vials?|ampoules?|syringes?|bottles?|parts?)")
_PRODUCT = re.compile(rf"({PRODUCT_ID})(?:,? part ({IDENTIFIER}))?")
_PER = re.compile(r"[/%:]|\bper\b")

#: As many containers or parts as a line may take.
MOST = 1000


def parse_line(text: str) -> Line:
    """
    Read a line of a formula that a person wrote in one piece.

    Args:
        text: `vendor/sku=HOW MUCH`, where HOW MUCH is a volume, `1 container`, `50 mg of magnesium`,
            `5 mg/mL of ascorbic-acid`, `2 parts` or `fill to 10 mL`; ` made up to 5 mL` may follow for a
            powder. One part of a kit is `vendor/sku, part NAME`.

    Returns:
        The line.

    Raises:
        QuantityError: If it cannot be read, with the right form.
    """
    left, equals, asked = (part.strip() for part in text.partition("="))
    product = _PRODUCT.fullmatch(left)
    if not equals or not asked:
        raise QuantityError(f"{shown(text)} is no line; expected such as {FORMS}", "line")
    if product is None:
        raise QuantityError(
            f"{shown(left)} is no product id; expected vendor/sku, as 'mesoformula products' lists them",
            "line",
        )
    given: dict[str, Any] = {"product": product[1], "part": product[2]}
    asked, made, made_up_to = asked.partition(" made up to ")
    if made:
        given["make_up_to"] = _positive(made_up_to)
    if asked.startswith("fill to "):
        given["fill_to"] = _positive(asked.removeprefix("fill to "))
    elif (found := _COUNTED.fullmatch(asked)) is not None:
        number = int(found[1])
        if not 1 <= number <= MOST:
            raise QuantityError(f"{shown(asked)}: expected from 1 to {MOST}", "range")
        given["parts" if found[2].startswith("part") else "containers"] = number
    elif " of " in asked:
        amount, _of, substance = (part.strip() for part in asked.partition(" of "))
        if re.fullmatch(IDENTIFIER, substance) is None:
            raise QuantityError(
                f"{shown(asked)}: of what? expected the id of a substance, such as ascorbic-acid", "line"
            )
        given["substance"] = substance
        if _PER.search(amount):
            given["concentration"] = parse_strength(amount)
        else:
            given["dose"] = _positive(amount, None)
    else:
        given["volume"] = _positive(asked)
    return Line(**given)


def _positive(text: str, dimension: str | None = "volume") -> Quantity:
    value = parse_quantity(text, dimension)
    if not value.magnitude:
        raise QuantityError(f"{shown(text)}: expected more than 0", "zero")
    return value


def write_line(line: Line) -> str:
    """
    Write a line in one piece, so that `parse_line` reads it back.

    Args:
        line: Any line of a formula.

    Returns:
        Text such as `vendor/sku=2 mL`.
    """
    part = f", part {line.part}" if line.part is not None else ""
    return f"{line.product}{part}={how_much(line)}"


def how_much(line: Line) -> str:
    """
    Write how much a line takes.

    Args:
        line: Any line of a formula.

    Returns:
        Text such as `2 mL` or `50 mg of magnesium`.
    """
    if line.volume is not None:
        asked = show(line.volume)
    elif line.containers is not None:
        asked = f"{line.containers} container{'s' if line.containers != 1 else ''}"
    elif line.dose is not None:
        asked = f"{show(line.dose)} of {line.substance}"
    elif line.concentration is not None:
        asked = f"{line.concentration.written or line.concentration} of {line.substance}"
    elif line.parts is not None:
        asked = f"{line.parts} part{'s' if line.parts != 1 else ''}"
    else:
        asked = f"fill to {show(line.fill_to)}" if line.fill_to is not None else ""
    return asked + (f" made up to {show(line.make_up_to)}" if line.make_up_to is not None else "")


def to_toml(formula: Formula) -> str:
    """
    Write a formula as a catalogue file.

    Args:
        formula: Without sources: it is a user's own.

    Returns:
        TOML that the catalogue reader reads back as the same formula.
    """
    lines = ["schema = 1", "", "[[formula]]", f"id = {_text(formula.id)}", f"name = {_text(formula.name)}"]
    if formula.version != 1:
        lines.append(f"version = {formula.version}")
    if formula.teaching:
        lines.append("teaching = true")
    if formula.description is not None:
        lines.append(f"description = {_text(formula.description)}")
    if formula.total is not None:
        lines.append(f"total = {_text(show(formula.total))}")
    for line in formula.lines:
        lines += ["", "[[formula.line]]", f"product = {_text(line.product)}"]
        for key in ("part", "substance"):
            if getattr(line, key) is not None:
                lines.append(f"{key} = {_text(getattr(line, key))}")
        for key in ("volume", "dose", "fill_to", "make_up_to"):
            if getattr(line, key) is not None:
                lines.append(f"{key} = {_text(show(getattr(line, key)))}")
        if line.concentration is not None:
            lines.append(f"concentration = {_text(line.concentration.written or str(line.concentration))}")
        for key in ("containers", "parts"):
            if getattr(line, key) is not None:
                lines.append(f"{key} = {getattr(line, key)}")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """Quote a text for TOML: what does not print is escaped, so that nothing ends the string early."""
    escaped = "".join(
        f"\\{char}" if char in '"\\' else char if char.isprintable() else f"\\U{ord(char):08X}"
        for char in value
    )
    return f'"{escaped}"'
