"""Values that safety hangs on, once more as plain text, for previews that show no results of formulas."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from mesoformula.languages import Words
from mesoformula.sheets import Column, Live, Row, Value, plain_value

#: Of the keys of columns that are added here.
WRITTEN = "when written"


def with_written(
    columns: Sequence[Column], rows: Sequence[Row], say: Words
) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """
    Add a column of plain values to the right of each that holds a vital live value.

    Args:
        columns: Of a table.
        rows: Of the same.
        say: In the language of the sheet.

    Returns:
        Columns and rows; the given ones where no value is vital.
    """
    vital = {
        place
        for row in rows
        for place, value in enumerate(row.values)
        if isinstance(value, Live) and value.is_vital
    }
    if not vital:
        return tuple(columns), tuple(rows)
    wider: list[Column] = []
    for place, column in enumerate(columns):
        wider.append(column)
        if place in vital:
            wider.append(
                attrs.evolve(
                    column,
                    key=f"{column.key} {WRITTEN}",
                    heading=say("{heading}, when written", heading=column.heading),
                    computed=None,
                    total=False,
                    editable=False,
                    allowed=None,
                )
            )
    return tuple(wider), tuple(attrs.evolve(row, values=_wider(row, vital)) for row in rows)


def _wider(row: Row, vital: set[int]) -> tuple[Value | Live, ...]:
    values: list[Value | Live] = []
    for place, value in enumerate(row.values):
        values.append(value)
        if place in vital:
            values.append(plain_value(value))
    return tuple(values)
