"""
The chain that makes a changed ledger show: what is hashed, and in which bytes.

Canonical form 1 is JSON in UTF-8 with sorted keys, no blanks, no escapes beyond those JSON demands, and
nothing in it but objects, lists, text and whole numbers; what is None is left out. A movement's hash is
SHA-256 over the canonical form of all its facts, its lines and lots included, and the hash before it.
"""

from __future__ import annotations

import hashlib
import json
from operator import attrgetter
from typing import Any

import attrs

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
        lot: The maker's lot number; with the three above None where the line is about no lot.
        expiry: As first received, an ISO day; None if none is printed.
        location: Where.
        containers: Whole containers that came (above zero) or went (below).
        supplier: Who delivered them.
        unit_cost: Of one container, in minor units.
        currency: Of the cost.
        remark: Salted hash of the remark, which may be erased.
        opened: Number of an opened container or mixture.
        nanolitres: Volume that came into it (above zero) or went out (below).
        nanograms: The same by mass.
        becomes: Whether it is `open` or `gone` from now on.
        beyond_use_at: When it must be gone.
        rule: Which rule says so.
        reserved: Containers kept for a pick.
        reserved_nanolitres: Volume to be drawn for a pick.
        counted: What a count found.
        device: Device identifier (GTIN) of a pack.
        serial: Its serial number.
        subject: What a fact is about, if no lot.
        fact: Which fact.
        old: What was held before.
        new: What holds from then on.
        deviation: Why this should not have happened, codes with blanks between them.
    """

    line: int
    product: str | None
    product_id: str | None
    revision: int | None
    lot: str | None
    expiry: str | None
    location: str | None
    containers: int
    supplier: str | None = None
    unit_cost: int | None = None
    currency: str | None = None
    remark: str | None = None
    opened: int | None = None
    nanolitres: int | None = None
    nanograms: int | None = None
    becomes: str | None = None
    beyond_use_at: int | None = None
    rule: str | None = None
    reserved: int | None = None
    reserved_nanolitres: int | None = None
    counted: int | None = None
    device: str | None = None
    serial: str | None = None
    subject: str | None = None
    fact: str | None = None
    old: str | None = None
    new: str | None = None
    deviation: str | None = None


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
        lines: What it says.
        request: The id that made it idempotent.
        request_content: Hash of what was asked under that id.
        session: Opaque reference of a session.
        pick: The pick that it uses or frees.
        reverses: The movement that it takes back.
        cause: The movement of the same write that made it necessary.
        lapses_at: Of a pick, when its reservation ends.
        reason: Salted hash of the reason, which may be erased.
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
    session: str | None = None
    pick: int | None = None
    reverses: int | None = None
    cause: int | None = None
    lapses_at: int | None = None
    reason: str | None = None


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


#: Names of the facts of a line, in the order of `LineFacts`.
LINE_FACTS = tuple(field.name for field in attrs.fields(LineFacts))
_MOVEMENT_FACTS = tuple(field.name for field in attrs.fields(MovementFacts))
_values_of = {LineFacts: attrgetter(*LINE_FACTS), MovementFacts: attrgetter(*_MOVEMENT_FACTS)}
_names_of = {LineFacts: LINE_FACTS, MovementFacts: _MOVEMENT_FACTS}


def _present(record: LineFacts | MovementFacts) -> dict[str, Any]:
    kind = type(record)
    pairs = zip(_names_of[kind], _values_of[kind](record), strict=True)
    return {name: value for name, value in pairs if value is not None}
