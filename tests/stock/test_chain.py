"""The bytes that are hashed, written out by hand."""

from __future__ import annotations

import hashlib
import itertools

import attrs
import pytest

from mesoformula.stock.ledger.chain import (
    GENESIS,
    LineFacts,
    MovementFacts,
    Remark,
    canonical,
    movement_bytes,
    movement_hash,
    remark_hash,
)

FIRST = MovementFacts(
    seq=1,
    kind="receipt",
    effective_at=1_760_000_000_000_000,
    recorded_at=1_760_000_000_000_001,
    actor="Zoë",
    previous=GENESIS,
    lines=(
        LineFacts(
            line=1,
            product="ab" * 32,
            product_id="acme/c-500",
            revision=2,
            lot='L"1\\',
            expiry="2027-03-31",
            location="main",
            containers=10,
            supplier="Großhandel",
            unit_cost=1250,
            currency="EUR",
            remark="cd" * 32,
        ),
        LineFacts(2, "ab" * 32, "acme/c-500", 2, "L2", None, "fridge", 3),
    ),
    request="r-1",
    request_content="ef" * 32,
)
FIRST_BYTES = (
    b'{"actor":"Zo\xc3\xab","effective_at":1760000000000000,"form":1,"kind":"receipt","lines":['
    b'{"containers":10,"currency":"EUR","expiry":"2027-03-31","line":1,"location":"main","lot":"L\\"1\\\\",'
    b'"product":"abababababababababababababababababababababababababababababababab",'
    b'"product_id":"acme/c-500",'
    b'"remark":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",'
    b'"revision":2,"supplier":"Gro\xc3\x9fhandel","unit_cost":1250},'
    b'{"containers":3,"line":2,"location":"fridge","lot":"L2",'
    b'"product":"abababababababababababababababababababababababababababababababab",'
    b'"product_id":"acme/c-500","revision":2}],'
    b'"previous":"0000000000000000000000000000000000000000000000000000000000000000",'
    b'"recorded_at":1760000000000001,"request":"r-1",'
    b'"request_content":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","seq":1}'
)
SECOND = MovementFacts(
    seq=2,
    kind="receipt",
    effective_at=0,
    recorded_at=1,
    actor="a",
    previous=hashlib.sha256(FIRST_BYTES).hexdigest(),
    lines=(),
)


def test_a_movement_has_one_canonical_form() -> None:
    assert movement_bytes(FIRST) == FIRST_BYTES


def test_a_movements_hash_is_sha_256_of_its_canonical_form() -> None:
    assert movement_hash(FIRST) == "9f951c1775c4834ec59f3b5ab16e7214429f1d0a355f28cd276e0677eb8c2a0a"
    assert (
        hashlib.sha256(FIRST_BYTES).hexdigest()
        == "9f951c1775c4834ec59f3b5ab16e7214429f1d0a355f28cd276e0677eb8c2a0a"
    )


def test_a_movement_hashes_the_one_before_it() -> None:
    written = (
        b'{"actor":"a","effective_at":0,"form":1,"kind":"receipt","lines":[],'
        b'"previous":"9f951c1775c4834ec59f3b5ab16e7214429f1d0a355f28cd276e0677eb8c2a0a",'
        b'"recorded_at":1,"seq":2}'
    )
    assert (
        movement_hash(SECOND)
        == hashlib.sha256(written).hexdigest()
        == "2f9754e8ff3346bbe7133335ab7288987cb23ac7664a2945e7d8ead57d8a433d"
    )


def test_a_remark_is_hashed_with_its_salt() -> None:
    assert (
        remark_hash(Remark("00ff", "shelf 2"))
        == hashlib.sha256(b'{"salt":"00ff","text":"shelf 2"}').hexdigest()
    )
    assert remark_hash(Remark("00ff", "shelf 2")) != remark_hash(Remark("01ff", "shelf 2"))


def test_every_fact_changes_the_hash() -> None:
    changed = [
        attrs.evolve(FIRST, **{field.name: ()})
        if field.name == "lines"
        else attrs.evolve(FIRST, **{field.name: 99})
        for field in attrs.fields(MovementFacts)
    ]
    for field in attrs.fields(LineFacts):
        line = attrs.evolve(FIRST.lines[0], **{field.name: 99})
        changed.append(attrs.evolve(FIRST, lines=(line, FIRST.lines[1])))
    changed.append(attrs.evolve(FIRST, lines=FIRST.lines[::-1]))
    hashes = [movement_hash(movement) for movement in (FIRST, *changed)]
    assert all(one != other for one, other in itertools.combinations(hashes, 2))


@pytest.mark.parametrize("value", [float("nan"), b"bytes", {1, 2}, "\ud800"])
def test_what_is_not_plain_is_never_hashed(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical({"value": value})
