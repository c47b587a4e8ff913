"""What may be known of a lot: checked, and written as the ledger keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from mesoformula.stock.ledger.chain import canonical
from mesoformula.stock.ledger.costs import Cost, write_cost
from mesoformula.stock.ledger.orders import cost_objections, expiry_objections, figure, text_objections
from mesoformula.stock.records import Assay, LotFact

#: What a certificate's figure may count.
AS_IS, ANHYDROUS, BASE = "as is", "anhydrous", "base"
BASES = (AS_IS, ANHYDROUS, BASE)

_PERCENT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def fact_objections(fact: LotFact, value: Any) -> Iterable[tuple[str, str]]:
    """
    Say what is wrong with what is to be known of a lot.

    Args:
        fact: Which fact.
        value: As given.

    Yields:
        Codes and messages.
    """
    match fact:
        case LotFact.EXPIRY:
            yield from expiry_objections(value)
        case LotFact.COST:
            yield from _cost_objections(value)
        case LotFact.REMARK:
            yield from text_objections("remark", value if value is not None else "")
        case LotFact.ASSAY if isinstance(value, Assay):
            yield from _assay_objections(value)
        case _ if value is not None:
            yield fact.value, f"{fact.value} {figure(value)}: expected an assay"


def _cost_objections(value: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(value, Cost) or (value.low is None) != (value.high is None):
        yield "cost", f"cost {figure(value)}: expected the cost of one container"
        return
    yield from cost_objections(value.low, value.currency)
    if type(value.low) is int and (type(value.high) is not int or value.high < value.low):
        yield "cost", f"cost {value.low} to {figure(value.high)}: expected the lower figure first"
    elif value.high is not None:
        yield from (one for one in cost_objections(value.high, value.currency) if one[0] == "cost")


def _assay_objections(assay: Assay) -> Iterable[tuple[str, str]]:
    if not _number(assay.percent) or not Decimal(assay.percent):
        yield (
            "assay",
            f"assay {figure(assay.percent)}: expected percent of what the label says, above 0, such as 98.5",
        )
    if assay.basis not in BASES:
        yield "basis", f"basis {figure(assay.basis)}: expected {', '.join(BASES[:-1])} or {BASES[-1]}"
        return
    if assay.basis == ANHYDROUS:
        if assay.water is None:
            yield "water", "an assay on the anhydrous basis needs the water that the certificate states"
        elif not _number(assay.water) or Decimal(assay.water) >= 100:
            yield "water", f"water {figure(assay.water)}: expected percent, from 0 to less than 100"
    elif assay.water is not None:
        yield "water", f"water counts on the anhydrous basis only, and this assay is {assay.basis}"
    if assay.basis == BASE:
        if assay.moiety is None or not _ID.fullmatch(assay.moiety):
            yield "moiety", "an assay as base needs the id of the base, such as lidocaine"
    elif assay.moiety is not None:
        yield "moiety", f"a base is named on the basis 'base' only, and this assay is {assay.basis}"


def _number(text: Any) -> bool:
    return isinstance(text, str) and _PERCENT.fullmatch(text) is not None


def written_fact(value: Any) -> str | None:
    """
    Write what is known of a lot as the ledger keeps it.

    Args:
        value: A day, an `Assay` or a `Cost`.

    Returns:
        Text; None for anything else.
    """
    match value:
        case date():
            return value.isoformat()
        case Cost():
            return write_cost(value)
        case Assay():
            facts = attrs.asdict(value)
            for name in ("percent", "water"):
                # So that 098.5 is 98.5; how many places the certificate gives stays.
                facts[name] = f"{Decimal(facts[name]):f}" if facts[name] is not None else None
            return canonical({name: one for name, one in facts.items() if one is not None}).decode()
    return None
