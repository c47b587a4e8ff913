"""What is in a mixture, as a table whose amounts follow from one volume."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from mesoformula import Amount, AmountKind, Column, Dose, Quantity, SessionQuantities, symbol
from mesoformula.sheets import Expression, Function, Holds, InRow, Live, Mark, Named, Row, Table
from mesoformula_excel.live import EXACT, apply
from mesoformula_excel.session_words import kind

if TYPE_CHECKING:
    from mesoformula.languages import Words

#: Significant digits fit here for what lies between 0.1 and 1000.
_PLACES = 3

_SMALLER = {"mg": (("mg", 1), ("µg", 1000), ("ng", 1_000_000))}


class _Unit(NamedTuple):
    """A unit in which a number is handy, and how many of it make one of the base unit."""

    name: str
    factor: int


def doses_table(
    quantities: SessionQuantities,
    key: str,
    volume: str,
    say: Words,
    *,
    of_prepared: bool = False,
    forms_only: bool = False,
) -> Table:
    """
    Tell how much of every substance there is, the amounts following from a volume.

    Args:
        quantities: Of the session.
        key: Of the table.
        volume: Name of the cell with the volume that the amounts are of, in mL.
        say: The language.
        of_prepared: Whether that is the volume that is prepared; else the one that is injected.
        forms_only: Whether sums over several forms are left out.

    Returns:
        A row for each substance of which anything is known, with how much is known.
    """
    amount = say("In the batch") if of_prepared else say("Injected")
    doses = [
        dose for dose in quantities.doses if dose.dose.low is not None and not (forms_only and dose.as_moiety)
    ]
    is_range = any(dose.dose.kind is AmountKind.DISPUTED for dose in doses)
    columns = (
        Column("substance", say("Substance"), widest=40),
        Column("known", say("How far it is known"), widest=20),
        Column("concentration", say("In the mixture"), Holds.DECIMAL, places=_PLACES),
        Column("concentration_to", say("up to"), Holds.DECIMAL, places=_PLACES),
        Column("concentration_unit", say("Unit"), widest=8),
        Column("amount", amount, Holds.DECIMAL, places=_PLACES),
        Column("amount_to", say("up to"), Holds.DECIMAL, places=_PLACES),
        Column("unit", say("Unit"), widest=6),
    )
    # The upper ends take room only where there are any.
    kept = [place for place, one in enumerate(columns) if is_range or not one.key.endswith("_to")]
    rows = tuple(_dose(dose, dose.prepared if of_prepared else dose.dose, volume, say) for dose in doses)
    rows = tuple(Row(tuple(one.values[place] for place in kept), one.mark) for one in rows)
    return Table(
        key,
        tuple(columns[place] for place in kept),
        rows,
        title=say("What is in it"),
        empty=say("No amount of any substance is known."),
    )


def _dose(dose: Dose, amount: Amount, volume: str, say: Words) -> Row:
    name = say("counted over all forms, as {name}", name=dose.name) if dose.as_moiety else dose.name
    low, concentration = amount.low, dose.concentration.low
    if low is None or concentration is None:
        raise ValueError(f"dose of {dose.substance}: nothing is known of it")
    unit, per = _handy(low), _handy(concentration)
    base = symbol(concentration.units)
    # A volume in a volume is counted per litre: mL per mL would be no unit.
    per_ml = 1000 if base == "mL/L" else 1

    def follows(column: str) -> Expression:
        product = apply(Function.TIMES, InRow(column), Named(volume))
        if unit.factor == per.factor * per_ml:
            return product
        if unit.factor > per.factor * per_ml:
            return apply(Function.TIMES, product, unit.factor // (per.factor * per_ml))
        return apply(Function.DIVIDE, product, per.factor * per_ml // unit.factor)

    is_range = amount.kind is AmountKind.DISPUTED
    high = _in(amount.high, unit) if is_range else None
    return Row(
        (
            name,
            kind(amount.kind, say),
            _in(concentration, per),
            _in(dose.concentration.high, per) if is_range else None,
            per.name,
            Live(_in(low, unit), follows("concentration")),
            Live(high, follows("concentration_to")) if high is not None else None,
            unit.name,
        ),
        Mark.NONE if amount.kind is AmountKind.STATED else Mark.ATTENTION,
    )


def _handy(value: Quantity) -> _Unit:
    """Choose a unit in which the number is not below a tenth, if there is one."""
    unit, slash, per = symbol(value.units).partition("/")
    number: Decimal = value.magnitude
    found = _Unit(f"{unit}{slash}{per}", 1)
    for name, factor in _SMALLER.get(unit, ()):
        found = _Unit(f"{name}{slash}{per}", factor)
        if not number or number * factor >= Decimal("0.1"):
            break
    return found


def _in(value: Quantity | None, unit: _Unit) -> Decimal | None:
    if value is None:
        return None
    number: Decimal = value.magnitude
    return EXACT.multiply(number, Decimal(unit.factor))


def undisclosed(quantities: SessionQuantities, say: Words) -> str | None:
    """
    Name the substances of which no amount is known: an empty cell could be taken for none.

    Args:
        quantities: Of the session.
        say: The language.

    Returns:
        One sentence; None if there are none.
    """
    names = {line.product.id: line.product.name for line in quantities.lines}
    by_products: dict[str, dict[str, None]] = {}
    for dose in quantities.doses:
        if dose.dose.low is None:
            of = " + ".join(names.get(one.partition("@")[0], one) for one in dose.products)
            by_products.setdefault(of, {})[dose.name] = None
    if not by_products:
        return None
    listed = "; ".join(f"{', '.join(found)} ({of})" for of, found in by_products.items())
    return say("Amount not disclosed, so that no total over it is known: {listed}.", listed=listed)
