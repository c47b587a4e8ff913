"""Whatever is changed behind the stock's back is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from mesoformula.products import Product
from mesoformula.stock.chain import LineFacts, MovementFacts, movement_hash
from mesoformula.stock.receiving import receive
from mesoformula.stock.records import Anchor, Delivery, Verification
from mesoformula.stock.store import Store, open_stock
from mesoformula.stock.verifying import verify


@pytest.fixture
def filled(store: Store, make_product: Callable[..., Product]) -> list[Anchor]:
    """Four movements; the anchor after each."""
    product = make_product()
    anchors = []
    for n in range(1, 5):
        deliveries = [
            Delivery(
                product,
                f"L{n}",
                n,
                date(2027, n, 1),
                supplier="Wholesale",
                unit_cost=100,
                currency="EUR",
                remark=f"remark {n}",
            ),
            Delivery(make_product("other"), "X", 2, None, location="fridge"),
        ]
        anchors.append(receive(store, deliveries, actor="anna", request_id=f"r{n}").anchor)
    return anchors


def tampered(store: Store, *statements: str) -> Verification:
    """Change a copy the way somebody would who knows how: guards taken off, and put back."""
    store.close()
    copy = store.path.with_name("copy.sqlite")
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        guards = target.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            target.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            target.executescript(statement)
        for _, sql in guards:
            target.execute(sql)
        target.commit()
    with open_stock(copy) as changed:
        return verify(changed)


def test_an_untouched_ledger_is_clean(store: Store, filled: list[Anchor]) -> None:
    assert verify(store) == Verification(4, filled[-1])
    assert tampered(store) == Verification(4, filled[-1])


def test_a_stock_that_does_not_exist_is_clean_and_is_not_made(store: Store, path: Path) -> None:
    assert verify(store) == Verification(0, None)
    assert not path.exists()


@pytest.mark.parametrize(
    ("change", "movement"),
    [
        ("UPDATE movement SET actor = 'ben' WHERE seq = 2", 2),
        ("UPDATE movement SET kind = 'gift' WHERE seq = 2", 2),
        ("UPDATE movement SET effective_at = effective_at - 1 WHERE seq = 3", 3),
        ("UPDATE movement SET recorded_at = recorded_at + 1 WHERE seq = 1", 1),
        ("UPDATE movement SET request_id = 'r9' WHERE seq = 4", 4),
        ("UPDATE movement SET request_content = NULL WHERE seq = 4", 4),
        ("UPDATE movement SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE seq = 2", 2),
        ("UPDATE movement SET previous_hash = hash WHERE seq = 2", 2),
        ("UPDATE movement_line SET containers = containers + 1 WHERE movement = 2 AND line = 1", 2),
        ("UPDATE movement_line SET supplier = NULL WHERE movement = 3 AND line = 1", 3),
        ("UPDATE movement_line SET unit_cost = 99 WHERE movement = 3 AND line = 1", 3),
        ("UPDATE movement_line SET currency = 'USD' WHERE movement = 3 AND line = 1", 3),
        ("UPDATE movement_line SET remark_hash = NULL WHERE movement = 3 AND line = 1", 3),
        ("UPDATE movement_line SET line = 10 + line WHERE movement = 4;"
         "UPDATE movement_line SET line = 13 - line WHERE movement = 4", 4),
        ("UPDATE movement_line SET line = 9 WHERE movement = 4 AND line = 2", 4),
        ("UPDATE movement_line SET lot = 1 WHERE movement = 4 AND line = 1", 4),
        ("UPDATE movement_line SET location = 2 WHERE movement = 4 AND line = 2", 4),
        ("UPDATE lot SET number = 'L8' WHERE number = 'L3'", 3),
        ("UPDATE lot SET expiry = '2029-01-01' WHERE number = 'L3'", 3),
        ("UPDATE lot SET expiry = '2029-01-01' WHERE number = 'X'", 1),
        ("UPDATE lot SET revision = 2 WHERE number = 'L3'", 3),
        ("UPDATE lot SET product_id = 'acme/more' WHERE number = 'L3'", 3),
        (
            "UPDATE lot SET product_hash = (SELECT product_hash FROM lot WHERE number = 'X')"
            " WHERE number = 'L3'",
            3,
        ),
        ("UPDATE location SET name = 'cellar' WHERE name = 'fridge'", 1),
        ("DELETE FROM movement WHERE seq = 1", 2),
        ("DELETE FROM movement WHERE seq = 2", 3),
        ("DELETE FROM movement WHERE seq = 2; UPDATE movement SET seq = seq - 1 WHERE seq > 2", 2),
        ("DELETE FROM movement_line WHERE movement = 2 AND line = 2", 2),
        ("DELETE FROM movement_line WHERE movement = 2", 2),
        ("DELETE FROM lot WHERE number = 'L2'", 2),
        ("DELETE FROM location WHERE name = 'fridge'", 1),
        ("INSERT INTO movement_line SELECT movement, 3, lot, location, 1, NULL, NULL, NULL, NULL"
         " FROM movement_line WHERE movement = 2 AND line = 1", 2),
        ("UPDATE movement SET seq = -seq WHERE seq IN (2, 3);"
         "UPDATE movement SET seq = 5 + seq WHERE seq < 0", 2),
        ("UPDATE movement SET seq = 9 WHERE seq = 4", 9),
    ],
)  # fmt: skip
def test_the_first_bad_movement_is_named(
    store: Store, filled: list[Anchor], change: str, movement: int
) -> None:
    change = "PRAGMA ignore_check_constraints = ON;" + change
    found = tampered(store, change)
    assert found.problems[0].code == "chain"
    assert found.problems[0].message.startswith(f"movement {movement}: ")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE balance SET containers = containers + 1 WHERE lot = 1", "balance"),
        ("DELETE FROM balance WHERE lot = 1", "balance"),
        ("INSERT INTO balance SELECT 99, location, 5 FROM balance LIMIT 1", "balance"),
        ("UPDATE lot_state SET expiry = '2099-01-01' WHERE lot = 1", "lot-state"),
        ("UPDATE lot_state SET received_at = 0 WHERE lot = 1", "lot-state"),
        ("DELETE FROM lot_state WHERE lot = 1", "lot-state"),
        ("UPDATE product_record SET record = replace(record, '500', '600')", "product"),
        ("DELETE FROM product_record", "orphan"),
        ("INSERT INTO product_record VALUES (hex(zeroblob(32)), '{}')", "product"),
        ("INSERT INTO lot SELECT 9, product_hash, product_id, 9, number, expiry FROM lot LIMIT 1", "orphan"),
        ("INSERT INTO location VALUES (9, 'cellar')", "orphan"),
        ("INSERT INTO movement_line SELECT 5, 1, lot, location, 1, NULL, NULL, NULL, NULL"
         " FROM movement_line LIMIT 1", "orphan"),
        ("UPDATE remark SET text = 'other' WHERE movement = 2", "remark"),
        ("INSERT INTO remark VALUES (2, 2, 'salt', 'made up')", "remark"),
        ("UPDATE chain_head SET seq = 3", "head"),
        ("DELETE FROM chain_head", "head"),
        ("DELETE FROM movement_line WHERE movement = 4; DELETE FROM movement WHERE seq = 4", "head"),
        ("INSERT INTO movement SELECT 5, kind, 0, 0, actor, NULL, NULL, hash, hash"
         " FROM movement WHERE seq = 4", "chain"),
    ],
)  # fmt: skip
def test_every_other_change_is_found(store: Store, filled: list[Anchor], change: str, code: str) -> None:
    assert tampered(store, change).problems[0].code == code


def test_values_of_the_wrong_kind_are_found_even_where_tables_are_lax(
    store: Store, filled: list[Anchor]
) -> None:
    lax = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '');"
    tampered(store, lax.replace("'STRICT', ''", "', STRICT', ''") + lax)
    copy = store.path.with_name("copy.sqlite")
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER movement_line_guards_update")
        connection.execute("UPDATE movement_line SET containers = 'five' WHERE movement = 3")
    with open_stock(copy) as changed:
        problems = verify(changed).problems
    assert problems[0].message.startswith("movement 3: ")
    assert "wrong kind" in problems[1].message


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER lot_guards_update",
        "DROP TRIGGER lot_guards_update;"
        "CREATE TRIGGER lot_guards_update BEFORE UPDATE ON lot BEGIN SELECT 1; END",
        "CREATE TRIGGER extra AFTER INSERT ON movement BEGIN UPDATE balance SET containers = 0; END",
    ],
)
def test_a_guard_that_was_taken_off_or_added_is_found(
    store: Store, filled: list[Anchor], statement: str
) -> None:
    store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        connection.executescript(statement)
    assert [problem.code for problem in verify(store).problems] == ["guard"]


def test_an_anchor_that_a_write_printed_is_found_again(store: Store, filled: list[Anchor]) -> None:
    for anchor in filled:
        assert verify(store, against=anchor).problems == ()
    wrong = Anchor(filled[0].seq, filled[1].hash)
    assert [problem.code for problem in verify(store, against=wrong).problems] == ["anchor"]


def test_only_an_anchor_finds_a_cut_tail_with_everything_made_to_fit(
    store: Store, filled: list[Anchor]
) -> None:
    cut = (
        "DELETE FROM remark WHERE movement = 4; DELETE FROM movement_line WHERE movement = 4;"  # noqa: S608
        "DELETE FROM movement WHERE seq = 4;"
        f"UPDATE chain_head SET seq = 3, hash = '{filled[2].hash}';"
        "DELETE FROM balance WHERE lot = (SELECT id FROM lot WHERE number = 'L4');"
        "DELETE FROM lot_state WHERE lot = (SELECT id FROM lot WHERE number = 'L4');"
        "DELETE FROM lot WHERE number = 'L4';"
        "UPDATE balance SET containers = 6 WHERE containers = 8"
    )
    assert tampered(store, cut).problems == ()
    with open_stock(store.path.with_name("copy.sqlite")) as copy:
        assert [problem.code for problem in verify(copy, against=filled[3]).problems] == ["anchor"]


def test_only_an_anchor_finds_a_chain_recomputed_as_a_whole(
    store: Store, make_product: Callable[..., Product]
) -> None:
    anchor = receive(store, [Delivery(make_product(), "L1", 5, None)], actor="anna").anchor
    store.close()
    with closing(sqlite3.connect(store.path)) as connection:
        kind, effective, recorded, previous = connection.execute(
            "SELECT kind, effective_at, recorded_at, previous_hash FROM movement"
        ).fetchone()
        (product,) = connection.execute("SELECT hash FROM product_record").fetchone()
    line = LineFacts(1, product, "acme/c-500", 1, "L1", None, "main", 5)
    forged = movement_hash(MovementFacts(1, kind, effective, recorded, "mallory", previous, (line,)))
    change = (
        f"UPDATE movement SET actor = 'mallory', hash = '{forged}';"  # noqa: S608
        f"UPDATE chain_head SET hash = '{forged}'"
    )
    assert tampered(store, change) == Verification(1, Anchor(1, forged))
    with open_stock(store.path.with_name("copy.sqlite")) as copy:
        assert [problem.code for problem in verify(copy, against=anchor).problems] == ["anchor"]
