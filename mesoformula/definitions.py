"""Definitions of units, made for pint without its parser."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_PLAIN = re.compile(r"(?:([\d.]+) \* )?(\[?\w+\]?)")


def ready_made(definition: str) -> Any:
    """
    Make pint's own record of a definition that is plain: a number times a unit, or a dimension.

    pint's parser of definitions takes ten times as long, at every start of the program.

    Args:
        definition: One line in the form of units.txt.

    Returns:
        The record; None for what is not plain, which pint has to parse.
    """
    from pint.facets.plain import ScaleConverter, UnitDefinition
    from pint.util import UnitsContainer

    name, value, *spellings = (part.strip() for part in definition.split("="))
    match = _PLAIN.fullmatch(value)
    if match is None or not name.isidentifier() or not spellings:
        return None
    scale = Decimal(match[1] or 1)
    # As pint's own registry does it, or the Decimal would meet an int and a float in its arithmetic.
    reference = UnitsContainer({match[2]: Decimal(1)}, non_int_type=Decimal)
    # pint knows a unit by its name already, and would log a second mention as a redefinition.
    sign = spellings[0] if spellings[0] != name else None
    aliases = tuple(spelling for spelling in spellings[1:] if spelling != name)
    return UnitDefinition(name, sign, aliases, ScaleConverter(scale), reference)  # type: ignore[arg-type]
