"""Whatever is changed behind the stock's back is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Integer, Table, text

from mesoformula.errors import OrderError, Problem
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database import schema
from mesoformula.stock.database.guards import drop_guards, guard_statements
from mesoformula.stock.database.store import Store, open_stock
from mesoformula.stock.ledger.appending import Entry, find_lots
from mesoformula.stock.ledger.chain import GENESIS, LineFacts, MovementFacts, movement_hash
from mesoformula.stock.ledger.moments import from_moment
from mesoformula.stock.ledger.posting import Posting, carry_out
from mesoformula.stock.ledger.verifying import read_anchor, verify, verify_in
from mesoformula.stock.records import Anchor, Delivery, MovementKind, Order, Verification

ANNA = Order("anna")


def fill(store: Store, make_product: Callable[..., Product]) -> list[Anchor]:
    """Write movements that say everything a movement can say; the anchor after each."""
    product, other = make_product(), make_product("other")
    anchors = []
    for n in range(1, 5):
        deliveries = [
            Delivery(product, f"L{n}", n + 3, date(2027, n, 1), supplier="Wholesale", unit_cost=100,
                     currency="EUR", remark=f"remark {n}", device="05060131261973", serial=f"S{n}"),
            Delivery(other, "X", 2, None, location="fridge"),
        ]  # fmt: skip
        anchors.append(receive(store, deliveries, actor="anna", request_id=f"r{n}", reason="why").anchor)

    def write(kind: MovementKind, *entries: Callable[[Any], Entry], **said: Any) -> None:
        def work(posting: Posting) -> None:
            lots = find_lots(posting.connection, [("acme/c-500", 1, "L1"), ("acme/other", 1, "X")])
            given = dict(said)
            if kind is MovementKind.PICK:
                day = timedelta(days=1)
                given["lapses_at"] = from_moment(store.moment(posting.connection) + day)
            posting.post(kind, [one(list(lots.values())) for one in entries], **given)

        anchors.append(carry_out(store, ANNA, {"kind": kind.value}, work).anchor)

    soon = from_moment(store.moment() + timedelta(days=28))
    write(
        MovementKind.OPEN,
        lambda lots: Entry(lots[0], "main", -1),
        lambda lots: Entry(lots[0], "main", opened=1, nanolitres=5_000_000, becomes="open",
                           beyond_use_at=soon, rule="28 days"),
    )  # fmt: skip
    write(MovementKind.PICK, lambda lots: Entry(lots[0], "main", reserved=1), session="S-0001")
    write(
        MovementKind.PICK,
        lambda lots: Entry(lots[0], "main", opened=1, reserved_nanolitres=1_000),
        session="S-0002",
    )
    write(
        MovementKind.USE,
        lambda lots: Entry(lots[0], "main", opened=1, nanolitres=-2_000, deviation="expired"),
        session="S-0002",
        pick=7,
    )
    write(MovementKind.USE, lambda lots: Entry(lots[1], "fridge", -1), session="S-0001")
    write(MovementKind.REVERSAL, lambda lots: Entry(lots[1], "fridge", 1), reverses=9)
    write(MovementKind.QUARANTINE, lambda lots: Entry(lots[0], "main", fact="quarantined", new="yes"))
    write(MovementKind.FACT, lambda lots: Entry(lots[1], fact="expiry", old=None, new="2028-01-01"))
    write(MovementKind.COUNT, lambda lots: Entry(lots[1], "fridge", 0, counted=8))
    write(MovementKind.SETTING, lambda _: Entry(subject="acme/c-500", fact="minimum", new="10"))
    return anchors


@pytest.fixture
def filled(any_store: Store, make_product: Callable[..., Product]) -> list[Anchor]:
    """A stock that says everything a stock can say; the anchor after each movement."""
    return fill(any_store, make_product)


@contextmanager
def opened_to_changes(store: Store) -> Iterator[Connection]:
    """Let a transaction change everything, as somebody may who owns the database; none of it stays."""
    with store.place.alone() as connection:
        drop_guards(connection)
        if store.dialect == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
            checks = connection.execute(
                text(
                    "SELECT conrelid::regclass::text, conname FROM pg_constraint"
                    " WHERE contype = 'c' AND connamespace = current_schema()::regnamespace"
                )
            ).all()
            for table, name in checks:
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        else:
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        yield connection
        connection.rollback()


def made_again(store: Store, connection: Connection) -> None:
    """Put the guards back, so that nothing but the change itself can be found."""
    for statement in guard_statements(store.dialect):
        connection.exec_driver_sql(statement)


def tampered(store: Store, *statements: str, against: Anchor | None = None) -> Verification:
    """Change a stock the way somebody would who knows how: guards taken off, and put back."""
    with opened_to_changes(store) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        made_again(store, connection)
        return verify_in(connection, against=against)


def test_an_untouched_ledger_is_clean(any_store: Store, filled: list[Anchor]) -> None:
    assert verify(any_store) == Verification(14, filled[-1])
    assert tampered(any_store) == Verification(14, filled[-1])


def test_a_stock_that_does_not_exist_is_clean_and_is_not_made(store: Store, path: Any) -> None:
    assert verify(store) == Verification(0, None)
    assert not path.exists()


TABLES = schema.metadata.sorted_tables


def changed_value(table: Table, column: Any, value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(column.type, Integer):
        return 1 if value is None else value + 1000
    if value is None:
        return "2001-01-01"
    return ("a" if value[0] != "a" else "b") + value[1:]


def test_every_column_of_every_row_of_every_table_is_watched(any_store: Store, filled: list[Anchor]) -> None:
    missed = []
    with opened_to_changes(any_store) as connection:
        made_again(any_store, connection)
        for table in TABLES:
            rows = [dict(row._mapping) for row in connection.execute(table.select())]
            assert rows, f"{table} is not tried"
            # One row of those that are alike in what they leave out.
            kinds = {tuple(value is None for value in row.values()): row for row in rows}
            for row in kinds.values():
                for column in table.columns:
                    inner = connection.begin_nested()
                    drop_guards(connection)
                    value = changed_value(table, column, row[column.name])
                    same = [known == row[known.name] for known in table.primary_key.columns]
                    connection.execute(table.update().where(*same).values({column: value}))
                    made_again(any_store, connection)
                    if not verify_in(connection).problems:
                        missed.append(f"{table.name}.{column.name}: {row[column.name]!r} to {value!r}")
                    inner.rollback()
    assert missed == []


def test_every_row_that_is_removed_is_missed_but_for_remarks_which_may_be_erased(
    any_store: Store, filled: list[Anchor]
) -> None:
    missed = set()
    with opened_to_changes(any_store) as connection:
        made_again(any_store, connection)
        for table in TABLES:
            for row in connection.execute(table.select()).all():
                inner = connection.begin_nested()
                drop_guards(connection)
                connection.execute(
                    table.delete().where(
                        *(one == row._mapping[one.name] for one in table.primary_key.columns)
                    )
                )
                made_again(any_store, connection)
                if not verify_in(connection).problems:
                    missed.add(table.name)
                inner.rollback()
    assert missed == {"remark"}


def test_every_row_that_is_added_is_found(any_store: Store, filled: list[Anchor]) -> None:
    missed = []
    with opened_to_changes(any_store) as connection:
        made_again(any_store, connection)
        for table in TABLES:
            row = dict(connection.execute(table.select().limit(1)).one()._mapping)
            key = list(table.primary_key.columns)[-1]
            row[key.name] = 99 if isinstance(key.type, Integer) else f"9{row[key.name][1:]}"
            for name, value in {"name": "cellar", "number": "L9", "request_id": "r99"}.items():
                if name in row and name != key.name:
                    row[name] = value
            inner = connection.begin_nested()
            drop_guards(connection)
            connection.execute(table.insert().values(row))
            made_again(any_store, connection)
            if not verify_in(connection).problems:
                missed.append(table.name)
            inner.rollback()
    assert missed == []


@pytest.mark.parametrize(
    ("changes", "movement"),
    [
        (["UPDATE movement SET actor = 'ben' WHERE seq = 2"], 2),
        (["UPDATE movement SET effective_at = effective_at - 86400000000 WHERE seq = 3"], 3),
        (["UPDATE movement SET session = 'S-0009' WHERE seq = 8"], 8),
        (["UPDATE movement SET cause = 2 WHERE seq = 3"], 3),
        (["UPDATE movement SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE seq = 2"], 2),
        (["UPDATE movement_line SET containers = containers + 1 WHERE movement = 2 AND line = 1"], 2),
        (["UPDATE movement_line SET deviation = NULL WHERE movement = 8"], 8),
        (["UPDATE movement_line SET remark_hash = NULL WHERE movement = 3 AND line = 1"], 3),
        ([
            "UPDATE movement_line SET line = 10 + line WHERE movement = 4",
            "UPDATE movement_line SET line = 13 - line WHERE movement = 4",
        ], 4),
        (["UPDATE movement_line SET line = 9 WHERE movement = 4 AND line = 2"], 4),
        (["UPDATE movement_line SET lot = 1 WHERE movement = 4 AND line = 1"], 4),
        (["UPDATE movement_line SET location = 2 WHERE movement = 4 AND line = 2",
          "UPDATE movement_line SET location = 1 WHERE movement = 4 AND line = 1"], 4),
        (["UPDATE lot SET number = 'L8' WHERE number = 'L3'"], 3),
        (["UPDATE lot SET expiry = '2029-01-01' WHERE number = 'X'"], 1),
        (["UPDATE location SET name = 'cellar' WHERE name = 'fridge'"], 1),
        (["DELETE FROM movement WHERE seq = 1"], 2),
        (["DELETE FROM movement WHERE seq = 2", "UPDATE movement SET seq = -seq WHERE seq > 2",
          "UPDATE movement SET seq = -seq - 1 WHERE seq < 0"], 2),
        (["DELETE FROM movement_line WHERE movement = 2"], 2),
        (["UPDATE movement SET seq = -seq WHERE seq IN (2, 3)",
          "UPDATE movement SET seq = 5 + seq WHERE seq < 0"], 2),
        (["UPDATE movement SET seq = 99 WHERE seq = 4"], 5),
    ],
)  # fmt: skip
def test_the_first_bad_movement_is_named(
    store: Store, make_product: Callable[..., Product], changes: list[str], movement: int
) -> None:
    fill(store, make_product)
    found = tampered(store, *changes)
    assert found.problems[0].code == "chain"
    assert found.problems[0].message.startswith(f"movement {movement}: ")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("UPDATE balance SET containers = containers + 1 WHERE lot = 1", "balance", "is kept as 4"),
        ("DELETE FROM balance WHERE lot = 1", "balance", "nothing is kept"),
        ("UPDATE lot_state SET expiry = '2099-01-01' WHERE lot = 1", "lot-state", "2099-01-01"),
        ("UPDATE opened SET nanolitres = 5000000", "opened", "add up to 4998000"),
        ("UPDATE reservation SET containers = 2", "reservation", "is kept as 2"),
        ("DELETE FROM pack_serial WHERE serial = 'S1'", "serial", "nothing is kept"),
        ("UPDATE standing SET value = '1'", "standing", "is kept as 1"),
        ("UPDATE product_record SET record = replace(record, '500', '600')", "product", "was recorded"),
        (
            "UPDATE remark SET text = 'other' WHERE movement = 2 AND line = 1",
            "remark",
            "movement 2: the remark",
        ),
        (
            "UPDATE remark SET text = 'other' WHERE movement = 2 AND line = 0",
            "remark",
            "movement 2: the reason",
        ),
        ("UPDATE chain_head SET seq = 3", "head", "the last movement is 14"),
        ("UPDATE alembic_version SET version_num = '0001'", "schema", "0001"),
    ],
)
def test_what_does_not_agree_is_named(
    store: Store, make_product: Callable[..., Product], change: str, code: str, said: str
) -> None:
    fill(store, make_product)
    found = tampered(store, change).problems[0]
    assert found.code == code
    assert said in found.message


def test_many_problems_are_listed_up_to_a_hundred_and_then_counted(
    store: Store, make_product: Callable[..., Product]
) -> None:
    deliveries = [Delivery(make_product(), f"L{n}", 1, None) for n in range(130)]
    receive(store, deliveries, actor="anna")
    problems = tampered(store, "UPDATE balance SET containers = 5").problems
    assert len(problems) == 101
    assert problems[-1] == Problem("more", "and 30 more rows that do not agree")


def test_values_of_the_wrong_kind_are_found_even_where_tables_are_lax(
    store: Store, make_product: Callable[..., Product]
) -> None:
    fill(store, make_product)
    store.close()
    with closing(sqlite3.connect(str(store.path), isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA writable_schema = ON;"
            "UPDATE sqlite_master SET sql = replace(replace(sql, ', STRICT', ''), 'STRICT', '')"
        )
    with closing(sqlite3.connect(str(store.path), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER movement_line_guards_update")
        connection.execute("UPDATE movement_line SET containers = 'five' WHERE movement = 3")
    problems = verify(store).problems
    assert problems[0].message.startswith("movement 3: ")
    assert "movement 3: cannot be added up" in problems[1].message


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
    store: Store, make_product: Callable[..., Product], statement: str
) -> None:
    fill(store, make_product)
    store.close()
    with closing(sqlite3.connect(str(store.path))) as connection:
        connection.executescript(statement)
    assert [problem.code for problem in verify(store).problems] == ["guard"]


def test_an_anchor_that_a_write_printed_is_found_again(any_store: Store, filled: list[Anchor]) -> None:
    for anchor in (*filled, Anchor(0, GENESIS)):
        assert verify(any_store, against=anchor).problems == ()
    wrong = Anchor(filled[0].seq, filled[1].hash)
    (problem,) = verify(any_store, against=wrong).problems
    assert problem.code == "anchor"
    assert "movement 1 has another hash" in problem.message


def test_only_an_anchor_finds_a_cut_tail_with_everything_made_to_fit(
    any_store: Store, filled: list[Anchor]
) -> None:
    cut = (
        "DELETE FROM movement_line WHERE movement = 14",
        "DELETE FROM movement WHERE seq = 14",
        f"UPDATE chain_head SET seq = 13, hash = '{filled[12].hash}'",  # noqa: S608
        "DELETE FROM standing",
    )
    assert tampered(any_store, *cut) == Verification(13, filled[12])
    (problem,) = tampered(any_store, *cut, against=filled[13]).problems
    assert "ends with movement 13" in problem.message


def test_only_an_anchor_finds_a_chain_recomputed_as_a_whole(
    any_store: Store, make_product: Callable[..., Product]
) -> None:
    anchor = receive(any_store, [Delivery(make_product(), "L1", 5, None)], actor="anna").anchor
    with any_store.reading() as connection:
        assert connection is not None
        kind, effective, recorded, previous = connection.execute(
            text("SELECT kind, effective_at, recorded_at, previous_hash FROM movement")
        ).one()
        product = connection.execute(text("SELECT hash FROM product_record")).scalar_one()
    line = LineFacts(1, product, "acme/c-500", 1, "L1", None, "main", 5)
    forged = movement_hash(MovementFacts(1, kind, effective, recorded, "mallory", previous, (line,)))
    changes = (
        f"UPDATE movement SET actor = 'mallory', hash = '{forged}'",  # noqa: S608
        f"UPDATE chain_head SET hash = '{forged}'",  # noqa: S608
    )
    assert tampered(any_store, *changes) == Verification(1, Anchor(1, forged))
    assert [one.code for one in tampered(any_store, *changes, against=anchor).problems] == ["anchor"]


def test_progress_is_told(store: Store, make_product: Callable[..., Product]) -> None:
    fill(store, make_product)
    told: list[tuple[int, int]] = []
    verify(store, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 14)]


@pytest.mark.parametrize("written", ["12:{}", " 12:{} ", "anchor 12:{}"])
def test_an_anchor_is_read_as_it_was_printed(written: str) -> None:
    digest = "0123456789abcdef" * 4
    assert read_anchor(written.format(digest)) == Anchor(12, digest)
    assert read_anchor(written.format(digest.upper())) == Anchor(12, digest)


@pytest.mark.parametrize("written", ["", "12", "12:", ":abc", "12:abc", "-1:" + "0" * 64, "x:" + "0" * 64])
def test_what_is_no_anchor_is_refused_with_the_right_form(written: str) -> None:
    with pytest.raises(OrderError, match="64 hexadecimal digits"):
        read_anchor(written)


def test_stores_opened_later_are_verified_too(path: Any, make_product: Callable[..., Product]) -> None:
    with open_stock(path) as store:
        fill(store, make_product)
    with open_stock(path) as store:
        assert verify(store).problems == ()
