"""
The chain that makes a changed ledger show: what is hashed, and in which bytes.

Canonical form 1 is JSON in UTF-8 with sorted keys, no blanks, no escapes beyond those JSON demands, and
nothing in it but objects, lists, text and whole numbers; what is None is left out. A movement's hash is
SHA-256 over the canonical form of all its facts, its lines and lots included, and the hash before it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import attrs

from mesoformula.stock.records import MovementKind

FORM = 1

#: What the first movement names as the hash before it.
GENESIS = "0" * 64


@attrs.frozen
class LineFacts:
    """
    One line of a movement, as it is hashed.

    Attributes:
        line: Its number in the movement, from 1.
        product: Content hash of the product record that the lot keeps.
        product_id: `vendor/sku`.
        revision: Of the product.
        lot: The maker's lot number.
        expiry: As first received, an ISO day; None if none is printed.
        location: Where.
        containers: Containers that came (above zero) or went (below).
        supplier: Who delivered them.
        unit_cost: Of one container, in minor units.
        currency: Of the cost.
        remark: Salted hash of the remark, which may be erased.
    """

    line: int
    product: str
    product_id: str
    revision: int
    lot: str
    expiry: str | None
    location: str
    containers: int
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    remark: str | None = None


@attrs.frozen
class MovementFacts:
    """
    One movement, as it is hashed; moments are microseconds since 1970 in UTC.

    Attributes:
        seq: Its number, without gaps from 1.
        kind: What happened.
        effective_at: When it happened.
        recorded_at: When it was recorded.
        actor: Who recorded it.
        previous: Hash of the movement before it.
        lines: What it moved.
        request: The id that made it idempotent.
        request_content: Hash of what was asked under that id.
    """

    seq: int
    kind: str
    effective_at: int
    recorded_at: int
    actor: str
    previous: str
    lines: tuple[LineFacts, ...]
    request: str | None = None
    request_content: str | None = None


@attrs.frozen
class Remark:
    """
    A remark with the salt that keeps its hash from being guessed once it is erased.

    Attributes:
        salt: Random, in hexadecimal.
        text: The remark.
    """

    salt: str
    text: str


def canonical(value: Any) -> bytes:
    """
    Write plain data in the one byte form that hashes run over.

    Args:
        value: Dictionaries, lists, text, whole numbers and booleans.

    Returns:
        Canonical JSON.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def content_hash(content: bytes) -> str:
    """
    Hash bytes.

    Args:
        content: Canonical bytes.

    Returns:
        SHA-256 in hexadecimal.
    """
    return hashlib.sha256(content).hexdigest()


def movement_bytes(movement: MovementFacts) -> bytes:
    """
    Write a movement in its canonical form.

    Args:
        movement: All its facts.

    Returns:
        The bytes that are hashed.
    """
    facts = _present(movement)
    facts["form"] = FORM
    facts["lines"] = [_present(line) for line in movement.lines]
    return canonical(facts)


def movement_hash(movement: MovementFacts) -> str:
    """
    Hash a movement with everything before it.

    Args:
        movement: All its facts.

    Returns:
        SHA-256 in hexadecimal.
    """
    return content_hash(movement_bytes(movement))


def remark_hash(remark: Remark) -> str:
    """
    Hash a remark with its salt.

    Args:
        remark: The remark.

    Returns:
        SHA-256 in hexadecimal.
    """
    return content_hash(canonical({"salt": remark.salt, "text": remark.text}))


@attrs.frozen
class LotState:
    """
    What movements add up to for one lot.

    Attributes:
        expiry: The last day on which it may be used, an ISO day.
        received_at: When the first of it arrived.
        supplier: Who delivered it, the first recorded.
        unit_cost: Of one container, the first recorded.
        currency: Of that cost.
    """

    expiry: str | None
    received_at: int
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None


def state_after(before: LotState | None, movement: MovementFacts, line: LineFacts) -> LotState:
    """
    Work out a lot's state from what it was and one line of a movement.

    Args:
        before: What it was; None for a new lot.
        movement: What happened.
        line: The line that names the lot.

    Returns:
        What it is now.
    """
    if before is None:
        return LotState(line.expiry, movement.effective_at, line.supplier, line.unit_cost, line.currency)
    if movement.kind != MovementKind.RECEIPT:
        return before
    cost = before if before.unit_cost is not None else line
    return attrs.evolve(
        before,
        received_at=min(before.received_at, movement.effective_at),
        supplier=before.supplier if before.supplier is not None else line.supplier,
        unit_cost=cost.unit_cost,
        currency=cost.currency,
    )


def _present(record: attrs.AttrsInstance) -> dict[str, Any]:
    return {
        field.name: value
        for field in attrs.fields(type(record))
        if (value := getattr(record, field.name)) is not None
    }
