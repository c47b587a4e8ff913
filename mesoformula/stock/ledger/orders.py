"""What is asked of the ledger, cleaned and checked before anything is opened or locked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import attrs

from mesoformula.errors import Problem
from mesoformula.stock.records import Order
from mesoformula.words import shown

LONGEST_NAME = 100
_LONGEST_PRODUCT = 200
LONGEST_REMARK = 2000
MOST_CONTAINERS = 1_000_000
MOST_COST = 10**12
FIRST_EXPIRY = date(2000, 1, 1)
LAST_EXPIRY = date(2100, 12, 31)
#: How far the clocks of two computers may differ.
CLOCK_SKEW = timedelta(minutes=5)

_CURRENCY = re.compile(r"[A-Z]{3}")
_REFERENCE = re.compile(r"[A-Z0-9-]{4,32}")

#: What a name is called where something is wrong with it.
CALLED = {
    "actor": "the name of who records this",
    "request": "request id",
    "lot": "lot number",
    "location": "location",
    "supplier": "supplier",
    "device": "device identifier",
    "serial": "serial number",
}


def check_name(
    problems: list[Problem], code: str, given: Any, *, place: str = "", line: int | None = None
) -> str:
    """
    Take the blanks from around a name, and note what is wrong with it.

    Args:
        problems: Added to.
        code: Which name: a key of `CALLED`.
        given: The name.
        place: What stands before the message, such as `delivery 3: `.
        line: Of the problem.

    Returns:
        The name; empty if it is none.
    """
    called = CALLED[code]
    expected = f"expected 1 to {LONGEST_NAME} characters that print"
    if not isinstance(given, str):
        problems.append(Problem(code, f"{place}{called}: a {type(given).__name__}; {expected}", line=line))
        return ""
    text = given.strip(" ")
    reason = None
    if not text:
        reason = f"{called} is empty; {expected}"
    elif len(text) > LONGEST_NAME:
        reason = f"{called} {shown(text)} has {len(text)} characters; {expected}"
    elif not text.isprintable():
        reason = f"{called} {shown(text)} has characters that do not print; {expected}"
    if reason is not None:
        problems.append(Problem(code, f"{place}{reason}", line=line))
    return text


def check_product(problems: list[Problem], product: Any) -> str:
    """
    Take the blanks from around the name of a product, and note what is wrong with it.

    Args:
        problems: Added to.
        product: `vendor/sku`, or `vendor/sku@revision`.

    Returns:
        The name; whether the stock holds it is another question.
    """
    text = product.strip(" ") if isinstance(product, str) else ""
    if not text or len(text) > _LONGEST_PRODUCT or not text.isprintable():
        problems.append(Problem("product", f"product {figure(product)}: expected such as acme/c-500"))
    return text


def check_number(problems: list[Problem], code: str, number: Any) -> None:
    """
    Note what is wrong with the number of something that the ledger numbers.

    Args:
        problems: Added to.
        code: What it numbers: `opened` or `pick`.
        number: As given.
    """
    if type(number) is not int or not 0 < number < 2**63:
        called = "opened container" if code == "opened" else code
        problems.append(Problem(code, f"{called} {figure(number)}: expected its number, such as 7"))


def check_order(
    problems: list[Problem], order: Order, moment: datetime, *, needs_reason: bool = False
) -> Order:
    """
    Clean who asks, why and when, and note what is wrong with it.

    Args:
        problems: Added to.
        order: As asked.
        moment: Now.
        needs_reason: Whether it is refused without a reason.

    Returns:
        The order, cleaned.
    """
    actor = check_name(problems, "actor", order.actor)
    request = order.request_id
    if request is not None:
        request = check_name(problems, "request", request)
    reason = order.reason.strip() if isinstance(order.reason, str) else order.reason
    if needs_reason and not reason:
        problems.append(Problem("reason", "a reason is missing; say in a few words why"))
    else:
        problems.extend(Problem(code, text) for code, text in text_objections("reason", reason or None))
    problems.extend(Problem(code, text) for code, text in moment_objections("at", order.at, moment))
    return attrs.evolve(order, actor=actor, request_id=request, reason=reason or None)


def check_reference(problems: list[Problem], reference: Any) -> str | None:
    """
    Note what is wrong with the reference of a session.

    Args:
        problems: Added to.
        reference: As given; None if there is none.

    Returns:
        The reference.
    """
    if reference is None:
        return None
    text = reference.strip(" ") if isinstance(reference, str) else ""
    if not _REFERENCE.fullmatch(text):
        problems.append(
            Problem(
                "reference",
                f"session reference {figure(reference)}: expected 4 to 32 of A-Z, 0-9 and '-', never a name",
            )
        )
    return text


def containers_objections(containers: Any, *, least: int = 1) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with a number of containers.

    Args:
        containers: As given.
        least: The least that makes sense.

    Yields:
        Codes and messages.
    """
    if type(containers) is not int or not least <= containers <= MOST_CONTAINERS:
        yield (
            "containers",
            f"containers {figure(containers)}: expected a whole number from {least} to {MOST_CONTAINERS}",
        )


def expiry_objections(expiry: Any) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with an expiry.

    Args:
        expiry: As given; None if none is printed.

    Yields:
        Codes and messages.
    """
    if expiry is not None and (type(expiry) is not date or not FIRST_EXPIRY <= expiry <= LAST_EXPIRY):
        yield "expiry", f"expiry {expiry}: expected a day from {FIRST_EXPIRY} to {LAST_EXPIRY}"


def cost_objections(cost: Any, currency: Any) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with a price.

    Args:
        cost: In minor units.
        currency: ISO 4217 code.

    Yields:
        Codes and messages.
    """
    if (cost is None) != (currency is None):
        yield "cost", "a cost needs its currency, and a currency its cost; give both or neither"
        return
    if cost is None:
        return
    if type(cost) is not int or not 0 <= cost <= MOST_COST:
        yield "cost", f"cost {figure(cost)}: expected whole minor units (cents) from 0 to {MOST_COST}"
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        yield "currency", f"currency {figure(currency)}: expected three capital letters such as EUR"


def moment_objections(code: str, given: Any, moment: datetime) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with when something happened.

    Args:
        code: Of the problem: `at` or `received-at`.
        given: The moment; None means now.
        moment: Now.

    Yields:
        Codes and messages.
    """
    called = code.replace("-", " ")
    if given is None:
        return
    if not isinstance(given, datetime) or given.utcoffset() is None:
        yield code, f"{called} {figure(given)}: expected a moment with its time zone"
    elif given > moment + CLOCK_SKEW:
        yield code, f"{called} {given.isoformat()}: lies in the future; record it when it has happened"
    elif given.year < FIRST_EXPIRY.year:
        yield code, f"{called} {given.isoformat()}: expected {FIRST_EXPIRY.year} or later"


def text_objections(code: str, given: Any) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with free text.

    Args:
        code: Of the problem, and what the text is called.
        given: The text; None if there is none.

    Yields:
        Codes and messages.
    """
    if given is None:
        return
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST_REMARK:
        yield code, f"{code} {figure(given)}: expected 1 to {LONGEST_REMARK} characters, or none at all"
    elif not all(char.isprintable() or char in "\n\t" for char in given):
        yield code, f"{code} {shown(given)} has characters that do not print"


def figure(value: Any) -> str:
    """
    Show whatever was given where a figure was expected.

    Args:
        value: Anything.

    Returns:
        A short text that prints.
    """
    return shown(value if isinstance(value, str) else repr(value))
