"""`mesoformula convert`."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import click

from mesoformula.cli.common import app_of, print_json, print_wrapped, report_problems, rounded
from mesoformula.cli.options import MINUS, QuantityType, StrengthType, example, json_option
from mesoformula.conversions import convert
from mesoformula.encoding import to_plain
from mesoformula.errors import ConversionError, QuantityError
from mesoformula.units import Strength, kind_of, magnitude, quantity, show, symbol, unit

if TYPE_CHECKING:
    from mesoformula.formulary import Formulary
    from mesoformula.units import Quantity


class _WithQuantity(click.Command):
    """A command whose argument is a quantity: a negative one is no option, and gets our message."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write a minus in place of the hyphen of what can only be a quantity."""
        return super().parse_args(ctx, [_NEGATIVE.sub(MINUS, word, count=1) for word in args])


#: A hyphen before a number, or before words: no option of this command looks so.
_NEGATIVE = re.compile(r"^-(?=\s*[\d.,]|-?[^=]*\s)")


@click.command(
    "convert",
    cls=_WithQuantity,
    epilog=example('mesoformula convert "113 mg" --substance sodium-ascorbate', "--to mg --as ascorbic-acid"),
)
@click.argument("amount", metavar="QUANTITY")
@click.option("--substance", "substance_id", required=True, metavar="ID", help="The exact form.")
@click.option("--to", required=True, metavar="UNIT", help="mg, µg, mmol, mEq, IU …")
@click.option("--as", "as_", metavar="ID", help="What to count it as: a moiety, or the ion for mEq.")
@click.option(
    "--strength", type=StrengthType(), metavar="STRENGTH", help="Of the solution, if QUANTITY is a volume."
)
@json_option
def command(
    amount: str, substance_id: str, to: str, as_: str | None, strength: Strength | None, as_json: bool
) -> None:
    """Convert a quantity of a substance between mass, mol, mEq and IU, or count it as a moiety."""
    app = app_of()
    formulary = app.formulary
    substance = formulary.substance(substance_id)
    known = formulary.classes.get(substance.ingredient_class or "")
    try:
        target = unit(to)
    except QuantityError as err:
        raise click.UsageError(f"--to {err}") from None
    value = QuantityType(picograms=known is not None and known.picograms).convert(amount, None, None)
    first: tuple[str, ...] = ()
    if strength is not None:
        value, first = _contained(value, strength)
    elif kind_of(value.units) == "volume" != kind_of(target):
        raise click.UsageError(
            f"{show(value)} is a volume: how much {substance.name} it holds is missing; give --strength, "
            "such as '5 mg/mL'"
        )
    try:
        converted = convert(value, substance, to, formulary.substance, as_)
    except ConversionError as err:
        ions = [ion.name for ion in substance.ions]
        if as_ is None and ions and "equivalents" in (kind_of(target), kind_of(value.units)):
            raise click.UsageError(f"{err}; such as --as {ions[0]}") from None
        raise
    steps = (*first, *converted.steps)
    if as_json:
        print_json(
            {
                "result": to_plain(converted.result),
                "substance": substance.id,
                "as": as_,
                "of": converted.of,
                "working": list(steps),
            }
        )
    else:
        for step in steps:
            print_wrapped(step, first="  ")
        shown = _two_decimals(converted.result.magnitude)
        click.echo(f"= {shown} {symbol(target)} {_said(converted.of, formulary)}")
    report_problems(app)


def _said(counted: str, formulary: Formulary) -> str:
    """Write an ion as its element is written, where there is one."""
    return formulary.substance(counted).name if formulary.has_substance(counted) else counted


def _contained(volume: Quantity, strength: Strength) -> tuple[Quantity, tuple[str, ...]]:
    """Find what a volume of a solution holds."""
    if strength.per is None:
        raise click.UsageError(
            "a strength per container needs no conversion of a volume; give the amount itself"
        )
    if strength.per.check("[length] ** 3") != volume.check("[length] ** 3"):
        raise click.UsageError(
            f"{show(volume)} and {strength} do not go together; expected a volume, such as '2 mL'"
        )
    per = symbol(strength.per.units)
    share = magnitude(volume, per) / strength.per.magnitude
    held = quantity(strength.amount.magnitude * share, symbol(strength.amount.units))
    return held, (f"{show(volume)} × {strength} = {show(held)}",)


def _two_decimals(value: Decimal) -> str:
    """Write two decimals; more where two would show nothing of a small number."""
    if value and abs(value) < 1:
        return rounded(value, 3)
    return f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
