"""
What a label cannot mean: figures that contradict each other, or fit no container.

Every printed number stands for all that rounds to it, so that a label is never blamed for its rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from mesoformula.catalogue.figures import CONTAINER, Figure, Figures, ends, printed
from mesoformula.catalogue.wording import Where
from mesoformula.contents import Auxiliary, Content, LabelEquivalent
from mesoformula.conversions import convert
from mesoformula.errors import CatalogueError, QuantityError, UnknownNameError
from mesoformula.products import Doses, Form, Part, Product
from mesoformula.units import EXACT, kind_of, magnitude, plain, quantity, registry, show, symbol
from mesoformula.units import unit as unit_of

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.units import Quantity, Strength

Found = tuple[str, str, Where]

#: Where no density is stated: a millilitre of what is injected weighs about this much, in mg.
_WATER = Decimal(1000)


def check_plausibility(product: Product, formulary: Formulary, figures: Figures) -> Iterator[Found]:
    """
    Look for figures of one product that contradict each other.

    Args:
        product: Any product.
        formulary: Where its substances are found.
        figures: Strengths that were worked out before.

    Yields:
        Code, message and place of every contradiction.
    """
    yield from _use(product)
    if product.mixed_volume is not None:
        yield from _kit_volume(product, product.mixed_volume)
    for number, part in enumerate(product.parts):
        where: Where = ("part", number, "composition")
        yield from _above_100(part.composition, part.auxiliaries, part, figures, where)
        for place, content in enumerate(part.composition):
            yield from _content(content, part, product, formulary, figures, (*where, place))
    if product.composition:
        yield from _above_100(product.composition, (), None, figures, ("composition",))
        for place, content in enumerate(product.composition):
            yield from _content(content, None, product, formulary, figures, ("composition", place))


def _use(product: Product) -> Iterator[Found]:
    """Whether it can be made ready, and kept once it is open."""
    dissolves = any(part.form is not Form.POWDER for part in product.parts)
    for number, part in enumerate(product.parts):
        if part.form is Form.POWDER and part.reconstitution is None and not dissolves:
            yield (
                "powder",
                "a powder without reconstitution, nor another part that dissolves it; expected one of them",
                ("part", number),
            )
    if product.doses is Doses.MULTI and product.in_use_period is None:
        yield (
            "in-use",
            "a multi-dose container without in_use_period; expected how long it keeps once opened",
            ("doses",),
        )


def _kit_volume(product: Product, mixed: Quantity) -> Iterator[Found]:
    where: Where = ("mixed_volume",)
    if not product.is_kit:
        message = "a mixed_volume without a kit; the volume of one container stands in its part"
        yield ("kit-volume", message, where)
        return
    total, displaced, known = Decimal(0), Decimal(0), True
    for part in product.parts:
        if part.form is not Form.POWDER:
            known = known and part.volume is not None
            if part.volume is not None:
                total += part.per_kit * magnitude(part.volume, "mL")
        elif part.reconstitution is not None and part.reconstitution.displacement is not None:
            displaced += part.per_kit * magnitude(part.reconstitution.displacement, "mL")
    stated = magnitude(mixed, "mL")
    if not known:
        if total > stated:
            message = (
                f"parts of {plain(total)} mL and more of unknown volume; mixed_volume says {show(mixed)}"
            )
            yield ("kit-volume", message, where)
    elif stated not in (total, total + displaced):
        yield (
            "kit-volume",
            f"the parts add up to {plain(total + displaced)} mL, not to {show(mixed)}",
            where,
        )


# ---- more than there is room for --------------------------------------------------------------------------


def _above_100(
    composition: Iterable[Content],
    auxiliaries: Iterable[Auxiliary],
    part: Part | None,
    figures: Figures,
    where: Where,
) -> Iterator[Found]:
    by_mass = by_volume = in_mass = in_volume = Decimal(0)
    for figure in _stated(composition, auxiliaries, figures):
        if figure.kind == "mass":
            if figure.per_kind == "mass":
                by_mass += figure.low / figure.per
            elif figure.per_kind == "volume":
                in_volume += figure.low / figure.per
            else:
                in_mass += figure.low
        elif figure.kind == "volume" and figure.per_kind == "volume":
            by_volume += figure.low / figure.per
    for sum_, what in ((by_mass, "mass"), (by_volume, "volume")):
        if sum_ > 1:
            message = f"amounts per {what} add up to {_percent(sum_)} % of it; expected at most 100 %"
            yield ("above-100", message, where)
    if part is None or not (in_mass or in_volume):
        return
    if part.mass is not None and in_mass > printed(part.mass.magnitude)[1] * _one(part.mass, "mg"):
        message = f"amounts add up to {plain(in_mass)} mg at the least; the container holds {show(part.mass)}"
        yield ("above-100", message, where)
    if part.volume is not None and part.form is not Form.POWDER:
        in_volume += in_mass / figures.number(part.volume, "mL")
    room = figures.number(part.density, "mg/mL") if part.density is not None else _WATER
    if in_volume > room:
        weighs = f"weighs {plain(room)} mg" + (
            "" if part.density is not None else ", no density being stated"
        )
        yield ("above-100", f"amounts add up to {plain(_short(in_volume))} mg/mL; a mL {weighs}", where)


def _stated(
    composition: Iterable[Content], auxiliaries: Iterable[Auxiliary], figures: Figures
) -> Iterator[Figure]:
    for content in composition:
        if content.strength is not None:
            yield figures.of(content.strength)
        elif content.disputed:
            found = [figures.of(stated.strength) for stated in content.disputed]
            if len({(figure.kind, figure.per_kind) for figure in found}) == 1:
                yield min(found, key=lambda figure: figure.low / figure.per)
    for auxiliary in auxiliaries:
        if auxiliary.strength is not None:
            yield figures.of(auxiliary.strength)


def _one(value: Quantity, unit: str) -> Decimal:
    return magnitude(registry().Quantity(Decimal(1), value.units), unit)


def _short(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1")) if value >= 1 else value


def _percent(part: Decimal) -> str:
    return plain((part * 100).quantize(Decimal("0.01")))


# ---- one entry ---------------------------------------------------------------------------------------------


def _content(
    content: Content,
    part: Part | None,
    product: Product,
    formulary: Formulary,
    figures: Figures,
    where: Where,
) -> Iterator[Found]:
    if content.total is not None:
        yield from _total(content, content.total, part, product, formulary, figures, (*where, "total"))
    for number, equivalent in enumerate(content.equivalents):
        problem = _label_equivalent(content, equivalent, formulary, figures)
        if problem is not None:
            yield ("label-equivalent", problem, (*where, "equivalents", number))


def _strengths(content: Content) -> tuple[Strength, ...]:
    if content.strength is not None:
        return (content.strength,)
    return tuple(stated.strength for stated in content.disputed)


def _total(
    content: Content,
    total: Quantity,
    part: Part | None,
    product: Product,
    formulary: Formulary,
    figures: Figures,
    where: Where,
) -> Iterator[Found]:
    strengths = _strengths(content)
    if not strengths:
        yield ("total", f"a total without an amount; write amount = '{show(total)} per container'", where)
        return
    said = ""
    for strength in strengths:
        times = _times(figures.of(strength), part, product, figures)
        if times is None:
            return  # how much a container holds is not known
        try:
            low, high = _span(strength, content, formulary, figures, symbol(total.units), None)
        except QuantityError as err:
            yield ("total", f"cannot be compared with the amount: {err}", where)
            return
        except (CatalogueError, UnknownNameError):
            return  # a problem of that substance
        lowest, highest = printed(total.magnitude)
        with localcontext(EXACT):
            low, high = low * times, high * times
        if low <= highest and lowest <= high:
            return
        said = (
            f"{strength.written or strength} makes {_range(low, high)} {symbol(total.units)} in a container"
        )
    yield ("total", f"{said}, not {show(total)}", where)


def _times(figure: Figure, part: Part | None, product: Product, figures: Figures) -> Decimal | None:
    """Tell how often the amount of a strength is in one container."""
    if figure.per_kind == CONTAINER:
        return Decimal(1)
    if figure.per_kind == "volume":
        volume = part.usable_volume if part is not None else product.mixed_volume
        return None if volume is None else EXACT.divide(figures.number(volume, "mL"), figure.per)
    if part is None:
        return None
    if part.mass is not None:
        return EXACT.divide(figures.number(part.mass, "mg"), figure.per)
    if part.volume is None or part.density is None:
        return None
    mass = figures.number(part.volume, "mL") * figures.number(part.density, "mg/mL")
    return EXACT.divide(mass, figure.per)


def _label_equivalent(
    content: Content, equivalent: LabelEquivalent, formulary: Formulary, figures: Figures
) -> str | None:
    """Say why a printed equivalence is not one; or, where it is said not to hold, that it does."""
    lowest, highest = printed(equivalent.amount.magnitude)
    unit = symbol(equivalent.amount.units)
    strength, fits, low, high = None, False, lowest, highest
    for strength in _strengths(content):
        try:
            low, high = _span(strength, content, formulary, figures, unit, equivalent.of)
        except QuantityError as err:
            return f"cannot be worked out: {err}"
        except (CatalogueError, UnknownNameError):
            return None  # a problem of that substance
        fits = low <= highest and lowest <= high
        if fits:
            break
    if strength is None or fits is equivalent.holds:
        return None
    counted = f" {equivalent.of}" if equivalent.of is not None else ""
    said = f"{show(strength.amount)} {content.substance} are {_range(low, high)} {unit}{counted}"
    written = f"{equivalent.amount.magnitude:f} {unit}"
    return f"{said}, so that {written} does hold; leave out holds" if fits else f"{said}, not {written}"


def _span(
    strength: Strength, content: Content, formulary: Formulary, figures: Figures, unit: str, of: str | None
) -> tuple[Decimal, Decimal]:
    """Convert both ends of what a printed amount may have been."""
    units = strength.amount.units
    own = content.specific_activity
    key = (content.substance, str(own) if own is not None else None, str(units), unit, of)
    rate = figures.rate(
        key, lambda: _converted(registry().Quantity(Decimal(1), units), content, formulary, unit, of)
    )
    low, high = ends(strength)
    return EXACT.multiply(low, rate), EXACT.multiply(high, rate)


def _converted(
    amount: Quantity, content: Content, formulary: Formulary, unit: str, of: str | None
) -> Decimal:
    if content.substance is None:
        return magnitude(amount, unit)
    kinds = (kind_of(amount.units), kind_of(unit_of(unit)))
    if content.specific_activity is not None and of is None and set(kinds) == {"mass", "activity"}:
        per_mg = magnitude(content.specific_activity, "IU/mg")
        if kinds[0] == "mass":
            return magnitude(quantity(EXACT.multiply(magnitude(amount, "mg"), per_mg), "IU"), unit)
        return magnitude(quantity(EXACT.divide(magnitude(amount, "IU"), per_mg), "mg"), unit)
    substance = formulary.substance(content.substance)
    return magnitude(convert(amount, substance, unit, formulary.substance, of).result, unit)


def _range(low: Decimal, high: Decimal) -> str:
    context = Context(prec=6)
    first, last = (plain(context.plus(end)) for end in (low, high))
    return first if first == last else f"{first} to {last}"
