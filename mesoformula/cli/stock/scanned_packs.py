"""What is known of a pack while it is being scanned."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import attrs
import click

from mesoformula.cli.stock.common import ExpiryType
from mesoformula.cli.stock.telling import containers_text
from mesoformula.errors import Problem
from mesoformula.words import shown

if TYPE_CHECKING:
    from mesoformula.products import Product
    from mesoformula.stock.arrivals.scanned import Scanned

#: What somebody types where no expiry, or no serial number, is printed.
NONE_PRINTED = "none"


@attrs.frozen
class Partial:
    """
    What is known of a pack so far.

    Attributes:
        gtin: 14 digits.
        product: Its id, where it was typed.
        lot: The maker's lot number.
        expiry: The last day of use.
        has_expiry: Whether that was said, be it that none is printed.
        serial: Of the pack.
        units: How many of what the GTIN stands for.
    """

    gtin: str | None = None
    product: str | None = None
    lot: str | None = None
    expiry: date | None = None
    has_expiry: bool = False
    serial: str | None = None
    units: int = 1

    @property
    def missing(self) -> list[str]:
        """What must still be said."""
        names = []
        if self.gtin is None and self.product is None:
            names.append("GTIN")
        if self.lot is None:
            names.append("lot")
        if not self.has_expiry:
            names.append("expiry")
        return names


@attrs.frozen
class ScannedPack:
    """
    A pack that is ready to be received.

    Attributes:
        row: The line in which it was scanned last.
        product: What is in it.
        containers: How many.
        gtin: Of the pack; None if it bears none.
        lot: The maker's lot number.
        expiry: The last day of use; None if none is printed.
        serial: Of the pack.
    """

    row: int
    product: Product
    containers: int
    gtin: str | None
    lot: str
    expiry: date | None
    serial: str | None

    @property
    def text(self) -> str:
        """What it is, for people."""
        until = f"usable through {self.expiry}" if self.expiry is not None else "no expiry"
        pack = f", pack {self.serial}" if self.serial is not None else ""
        return (
            f"{containers_text(self.product, self.containers)} of {self.product.name} "
            f"({self.product.pinned_id}) lot {self.lot}, {until}{pack}"
        )


class LeftOutError(Exception):
    """
    A pack that is not received.

    Attributes:
        problems: Why.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)


def refusal(code: str, message: str) -> LeftOutError:
    """
    Make the reason why a pack is not received.

    Args:
        code: A stable word.
        message: What was found, what was expected, and what to do.

    Returns:
        What to raise.
    """
    return LeftOutError([Problem(code, message)])


def partial_of(scanned: Scanned) -> Partial:
    """
    Take up what one code says.

    Args:
        scanned: The code, as read.

    Returns:
        What is known by it.
    """
    return Partial(
        gtin=scanned.gtin,
        lot=scanned.lot,
        expiry=scanned.expiry,
        has_expiry=scanned.expiry is not None,
        serial=scanned.serial,
    )


def expiry_in(text: str) -> tuple[date | None, bool]:
    """
    Read an expiry that somebody typed.

    Args:
        text: A day, a month, or that none is printed.

    Returns:
        The day, and whether none is printed.

    Raises:
        LeftOutError: If it cannot be read.
    """
    if text.casefold() == NONE_PRINTED:
        return None, True
    try:
        return ExpiryType().convert(text, None, None), False
    except click.UsageError as err:
        raise refusal("expiry", err.format_message()) from None


def whole_in(text: str) -> int:
    """
    Read a number that somebody typed.

    Args:
        text: Digits.

    Returns:
        The number.

    Raises:
        LeftOutError: If it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise refusal("containers", f"{shown(text)} is no whole number; expected such as 5")
    return int(text)


def teaching(gtin: str, product: str = "VENDOR/SKU") -> str:
    """
    Write the command that says what a GTIN stands for.

    Args:
        gtin: 14 digits.
        product: Its id, if it is known.

    Returns:
        A line for a shell.
    """
    return shlex.join(
        [
            "mesoformula",
            "stock",
            "scan",
            "--teach",
            f"{gtin}={product}",
            "--containers",
            "N",
            "--level",
            "pack",
        ]
    )
