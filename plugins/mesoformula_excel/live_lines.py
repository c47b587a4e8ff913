"""What to take of each line, as a table whose figures follow from the volume that is prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import Column, Doses, Keep, LineQuantities, SessionQuantities, Syringe, magnitude, plain
from mesoformula.sheets import Expression, Function, Holds, InRow, Live, Named, Row, Table
from mesoformula_excel.live import EXACT, TIDY, apply, less, whole_up
from mesoformula_excel.session_words import rest

if TYPE_CHECKING:
    from mesoformula import Formulary
    from mesoformula.languages import Words


class Scale(NamedTuple):
    """
    A syringe's scale.

    Attributes:
        name: Of the syringe.
        capacity: mL.
        graduation: mL.
    """

    name: str
    capacity: Decimal
    graduation: Decimal


def scales(quantities: SessionQuantities, formulary: Formulary | None) -> tuple[Scale, ...]:
    """
    List what volumes are measured with, as the session chooses: the one that is named, else all.

    Args:
        quantities: Of the session.
        formulary: Offers syringes; None leaves those that measure something.

    Returns:
        The scales, smallest first: the first that holds a volume measures it, the last what none holds.
    """
    session = quantities.session
    named = session.measuring_syringe or session.syringe
    found: Iterable[Syringe]
    if named is not None:
        found = (named,)
    elif formulary is not None:
        found = formulary.syringes()
    else:
        used = [line.measured_with for line in quantities.lines if line.measured_with is not None]
        found = {one.id: one for one in used}.values()
    made = (Scale(one.name, magnitude(one.capacity, "mL"), magnitude(one.graduation, "mL")) for one in found)
    return tuple(sorted(made, key=lambda one: one.capacity))


def _chosen(
    measures: Sequence[Scale], volume: Expression, value: Callable[[Scale], Expression]
) -> Expression:
    """Choose by the volume: the first scale that holds it, else the last."""
    found: Expression = value(measures[-1])
    for one in reversed(measures[:-1]):
        fits = apply(Function.AT_MOST, apply(Function.ROUND, volume, TIDY), one.capacity)
        found = apply(Function.IF, fits, value(one), found)
    return found


def lines_table(
    quantities: SessionQuantities, measures: Sequence[Scale], key: str, prepared: str, say: Words
) -> Table:
    """
    Tell what to take of each line, every figure following from the volume that is prepared.

    Args:
        quantities: Of the session.
        measures: What volumes are measured with, smallest first.
        key: Of the table.
        prepared: Name of the cell with the volume that is prepared, in mL.
        say: The language.

    Returns:
        A row for each line: its share of the mixture, exact and measured volume, containers and rest.
    """
    columns = (
        Column("number", say("#"), Holds.WHOLE),
        Column("product", say("Product"), widest=40),
        Column("share", say("mL in each mL"), Holds.DECIMAL, places=4),
        Column("exact", say("Exact (mL)"), Holds.DECIMAL, places=4),
        Column("measured", say("Measured (mL)"), Holds.DECIMAL, places=_graduation_places(measures)),
        Column("with", say("Measured with"), widest=14),
        Column("error", say("Error (mL)"), Holds.DECIMAL, places=4),
        Column("each", say("Each (mL)"), Holds.DECIMAL, places=2),
        Column("open", say("To open"), Holds.WHOLE),
        Column("left", say("Left (≥ mL)"), Holds.DECIMAL, places=3),
        Column("rest", say("The rest"), widest=12),
    )
    rows = tuple(_line(line, quantities, measures, prepared, say) for line in quantities.lines)
    return Table(key, columns, rows, title=say("What to take"))


def part_of(line: LineQuantities, say: Words) -> str:
    """
    Name the part of a kit that a line takes, to stand behind the name of the product.

    Args:
        line: What is taken.
        say: The language.

    Returns:
        Words; nothing where the whole product is taken.
    """
    return say(", part {part}", part=line.part) if line.part is not None else ""


def _yielded(line: LineQuantities) -> Decimal:
    """Tell how many mL one container of a line yields; of a kit that is mixed, one kit."""
    with localcontext(EXACT):
        held = magnitude(line.volume, "mL") + magnitude(line.left, "mL")
        return _short(held / line.containers)


def _line(
    line: LineQuantities, quantities: SessionQuantities, measures: Sequence[Scale], prepared: str, say: Words
) -> Row:
    volume = magnitude(line.volume, "mL")
    with localcontext(EXACT):
        share = volume / magnitude(quantities.prepared, "mL")
    exact: Expression = InRow("exact")
    opened: Expression = InRow("open")
    all_drawn = apply(Function.EQUAL, InRow("left"), 0)
    values: dict[str, Decimal | int | str | Live | None] = {
        "number": line.number,
        "product": line.product.name
        + (say(", part {part}", part=line.part) if line.part is not None else ""),
        "share": share,
        "exact": Live(volume, apply(Function.TIMES, InRow("share"), Named(prepared))),
        "each": _yielded(line),
        "open": Live(line.containers, whole_up(apply(Function.DIVIDE, exact, InRow("each")))),
        "left": Live(magnitude(line.left, "mL"), less(apply(Function.TIMES, opened, InRow("each")), exact)),
        "rest": Live(
            rest(line.keep, line.keep_for, say),
            apply(Function.IF, all_drawn, say("nothing left"), _rest(line, say)),
        ),
    }
    if measures:
        values |= _measured(line, measures, all_drawn, say)
    order = (
        "number",
        "product",
        "share",
        "exact",
        "measured",
        "with",
        "error",
        "each",
        "open",
        "left",
        "rest",
    )
    return Row(tuple(values.get(name) for name in order))


def _rest(line: LineQuantities, say: Words) -> str:
    """Say what becomes of a rest, of a line that leaves none now too."""
    if line.keep is not Keep.NOTHING_LEFT:
        return rest(line.keep, line.keep_for, say)
    product = line.product
    if product.doses is Doses.MULTI and product.in_use_period is not None:
        return rest(Keep.MAY_BE_KEPT, product.in_use_period, say)
    return say("discard")


def _measured(
    line: LineQuantities, measures: Sequence[Scale], all_drawn: Expression, say: Words
) -> dict[str, Live]:
    """Measure a line as the session does: on the first syringe that holds it, half up."""
    exact, measured = InRow("exact"), InRow("measured")
    graduation = _chosen(measures, exact, lambda one: one.graduation)
    steps = apply(Function.ROUND, apply(Function.DIVIDE, exact, graduation), TIDY)
    read = apply(Function.ROUND, apply(Function.TIMES, apply(Function.ROUND, steps, 0), graduation), TIDY)
    last = measures[-1]
    fills = whole_up(apply(Function.DIVIDE, measured, last.capacity))
    many = apply(Function.JOIN, f"{last.name}, ", fills, " ", say("fills"))
    several = apply(Function.ABOVE, fills, 1)
    # Only the last syringe is filled more than once: a volume that a smaller one does not hold goes on to it.
    on = apply(Function.IF, several, many, _chosen(measures, exact, lambda one: one.name))
    too_little = say("too little to measure")
    amount = None if line.measured is None else magnitude(line.measured, "mL")
    return {
        "measured": Live(amount, apply(Function.IF, all_drawn, "", read)),
        "with": Live(
            _measured_on(line, say),
            apply(
                Function.IF,
                all_drawn,
                say("all of it is drawn"),
                apply(Function.IF, apply(Function.EQUAL, measured, 0), too_little, on),
            ),
        ),
        "error": Live(
            None if line.error is None else magnitude(line.error, "mL"),
            apply(Function.IF, all_drawn, "", less(measured, exact)),
        ),
    }


def _measured_on(line: LineQuantities, say: Words) -> str:
    if line.measured is None or line.measured_with is None:
        return say("all of it is drawn")
    fills = magnitude(line.measured, "mL") / magnitude(line.measured_with.capacity, "mL")
    count = int(fills.to_integral_value(ROUND_CEILING))
    return f"{line.measured_with.name}, {count} {say('fills')}" if count > 1 else line.measured_with.name


def _graduation_places(measures: Sequence[Scale]) -> int:
    return max((places_of(one.graduation) for one in measures), default=2)


def places_of(number: Decimal) -> int:
    """
    Count the decimal places of a number.

    Args:
        number: Any finite number.

    Returns:
        How many it needs.
    """
    return len(plain(number).partition(".")[2])


def _short(number: Decimal) -> Decimal:
    """Cut the digits that a quotient of 40 leaves, where the number was short before."""
    short = Context(prec=30, rounding=ROUND_HALF_EVEN).plus(number).normalize()
    return Decimal(plain(short))
