"""Amounts that are a thousand times what other products hold: mostly mg for µg, or a point that was lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import attrs

from mesoformula.catalogue.figures import CONTAINER, UNITS, Figures
from mesoformula.catalogue.wording import Where
from mesoformula.products import Form, Part, Product
from mesoformula.units import EXACT, plain

if TYPE_CHECKING:
    from mesoformula.units import Quantity, Strength

FOLD = 1000
#: Fewer others are no measure.
OTHERS = 3

#: Substance, kind of amount, per what, and kind of what holds it.
_Group: TypeAlias = tuple[str, str, str, str]


@attrs.frozen(eq=False)
class _Amount:
    """One amount: the value is in the fixed unit of its kind, per mL where that can be told."""

    value: Decimal
    product: Product
    where: Where
    strength: Strength


@attrs.frozen
class Outlier:
    """
    One amount far from all others.

    Attributes:
        product: The pinned id of the product that states it.
        where: Its place below the product.
        message: What it is compared with.
    """

    product: str
    where: Where
    message: str


class Outliers:
    """Compares the amounts of one substance over all products."""

    def __init__(self, figures: Figures) -> None:
        """
        Start without any.

        Args:
            figures: Strengths that were worked out before.
        """
        self._figures = figures
        self._groups: dict[_Group, list[_Amount]] = {}

    def add(self, product: Product) -> None:
        """
        Note the amounts of one product.

        Args:
            product: Any that was not added before.
        """
        for number, part in enumerate(product.parts):
            volume = part.usable_volume
            for place, content in enumerate(part.composition):
                where: Where = ("part", number, "composition", place)
                if content.substance is None:
                    continue
                if content.strength is not None:
                    self._add(content.substance, content.strength, part, volume, product, where)
                for one, stated in enumerate(content.disputed):
                    far = (*where, "disputed", one)
                    self._add(content.substance, stated.strength, part, volume, product, far)

    def _add(
        self,
        substance: str,
        strength: Strength,
        part: Part,
        volume: Quantity | None,
        product: Product,
        where: Where,
    ) -> None:
        figure = self._figures.of(strength)
        value, per_kind = figure.value / figure.per, figure.per_kind
        if per_kind == CONTAINER and volume is not None:
            value, per_kind = value / self._figures.number(volume, "mL"), "volume"
        elif per_kind == "mass" and part.density is not None:
            value, per_kind = value * self._figures.number(part.density, "mg/mL"), "volume"
        form = part.form.value if part.form in (Form.POWDER, Form.GEL) else "liquid"
        amounts = self._groups.setdefault((substance, figure.kind, per_kind, form), [])
        amounts.append(_Amount(value, product, where, strength))

    def comparable(self, product: Product) -> bool:
        """
        Tell whether any amount of a product can be compared with enough others.

        Args:
            product: One that was added.

        Returns:
            Whether three other products hold one of its substances, told in the same way.
        """
        for amounts in self._groups.values():
            ids = {one.product.id for one in amounts}
            if product.id in ids and len(ids) > OTHERS:
                return True
        return False

    def found(self) -> Iterator[Outlier]:
        """
        Compare each amount with the median of the other products'.

        Yields:
            Those that are a thousand times as much, or as little.
        """
        for group, amounts in self._groups.items():
            if len(amounts) <= OTHERS:
                continue
            values = [one.value for one in amounts]
            if max(values) < FOLD * min(values):
                continue
            yield from _outliers(sorted(amounts, key=lambda one: one.value), group)


def _outliers(amounts: list[_Amount], group: _Group) -> Iterator[Outlier]:
    places: dict[str, list[int]] = {}
    for place, one in enumerate(amounts):
        places.setdefault(one.product.id, []).append(place)
    if len(places) <= OTHERS:
        return
    for one in amounts:
        own = places[one.product.id]

        def other(number: int, own: list[int] = own) -> Decimal:
            """Return the value of an amount of the others, in order."""
            for place in own:
                number += place <= number
            return amounts[number].value

        # Between two in the middle lies their geometric mean, as tenfold is as far up as down.
        count = len(amounts) - len(own)
        median = (other((count - 1) // 2) * other(count // 2)).sqrt(EXACT)
        if one.value >= FOLD * median or one.value * FOLD <= median:
            names = islice((name for name in places if name != one.product.id), 3)
            yield Outlier(
                one.product.pinned_id, one.where, _message(one, median, list(names), len(places) - 1, group)
            )


def _message(one: _Amount, median: Decimal, names: list[str], count: int, group: _Group) -> str:
    _substance, kind, per_kind, _form = group
    more = one.value >= median
    fold = one.value / median if more else median / one.value
    named = ", ".join(names) + (f" and {count - len(names):,} more" if count > len(names) else "")
    per = {"volume": "mL", "mass": "mg"}.get(per_kind, per_kind)
    unit = f"{UNITS.get(kind, kind)}/{per}"
    return (
        f"{one.strength} is {int(fold):,} times {'above' if more else 'below'} the median of {named}, "
        f"{plain(_short(median))} {unit}; is the unit right?"
    )


def _short(value: Decimal) -> Decimal:
    return _FEW.plus(value)


_FEW = Context(prec=4)
