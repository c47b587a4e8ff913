"""Free text that is erased is gone from the table, from the file, and from nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from mesoformula.errors import OrderError
from mesoformula.products import Product
from mesoformula.stock.arrivals.receiving import receive
from mesoformula.stock.database.store import Store
from mesoformula.stock.ledger import erasing
from mesoformula.stock.ledger.erasing import erase, texts_of
from mesoformula.stock.ledger.verifying import verify
from mesoformula.stock.records import Anchor, Delivery
from mesoformula.stock.views.history import movements_of

TEXT = "Mrs. Marguerite Example, 12 Rue des Exemples"


@pytest.fixture
def filled(any_store: Store, make_product: Callable[..., Product]) -> Anchor:
    """Two movements with a reason and remarks; the anchor after them."""
    product = make_product()
    for lot in ("L1", "L2"):
        deliveries = [
            Delivery(product, lot, 1, date(2028, 1, 31), remark=f"{TEXT}, {lot}"),
            Delivery(product, f"{lot}-more", 1, None),
        ]
        anchor = receive(any_store, deliveries, actor="anna", reason=f"for {TEXT}").anchor
    return anchor


def test_a_text_is_gone_and_the_ledger_still_verifies(any_store: Store, filled: Anchor) -> None:
    assert texts_of(any_store, 1) == {0: f"for {TEXT}", 1: f"{TEXT}, L1"}
    erased = erase(any_store, 1, 1)
    assert (erased.movement, erased.line, erased.before) == (1, 1, False)
    assert "a backup" in erased.notes[0]
    assert texts_of(any_store, 1) == {0: f"for {TEXT}"}
    erase(any_store, 1)
    first, second = movements_of(any_store, [1, 2])
    assert (first.reason, first.lines[0].remark) == (None, None)
    assert (second.reason, second.lines[0].remark) == (f"for {TEXT}", f"{TEXT}, L2")
    assert verify(any_store, against=filled).problems == ()


def test_no_file_holds_the_text_any_more(
    store: Store, path: Path, make_product: Callable[..., Product]
) -> None:
    for n in range(60):
        deliveries = [Delivery(make_product(), f"L{n}-{m}", 1, None, remark=f"{TEXT} {n}-{m} " + "x" * 200)
                      for m in range(10)]  # fmt: skip
        receive(store, deliveries, actor="anna", reason="why")
    with store.reading():  # a reader that looked at it before
        pass
    for number in range(1, 61, 7):
        for line in range(1, 11, 3):
            erase(store, number, line)
    held = b"".join(one.read_bytes() for one in path.parent.iterdir())
    erased = {f"{TEXT} {n - 1}-{m - 1} ".encode() for n in range(1, 61, 7) for m in range(1, 11, 3)}
    assert [one for one in erased if one in held] == []
    assert f"{TEXT} 0-1 ".encode() in held
    assert verify(store).problems == ()


def test_a_file_that_was_written_without_care_is_cleaned_too(
    store: Store, path: Path, make_product: Callable[..., Product]
) -> None:
    receive(store, [Delivery(make_product(), "L1", 1, None, remark=f"{TEXT} 1")], actor="anna")
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("CREATE TABLE other (text TEXT)")
        raw.executemany("INSERT INTO other VALUES (?)", [(f"{TEXT} 1",)] * 500)
        raw.execute("DROP TABLE other")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.read_bytes().count(TEXT.encode()) > 1
    erase(store, 1, 1)
    assert TEXT.encode() not in b"".join(one.read_bytes() for one in path.parent.iterdir())


def test_while_somebody_reads_it_is_said_that_a_trace_is_left(
    store: Store, make_product: Callable[..., Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(store, [Delivery(make_product(), "L1", 1, None, remark=TEXT)], actor="anna")
    monkeypatch.setattr(erasing, "_PATIENCE", 0.1)
    with closing(sqlite3.connect(str(store.path), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM remark").fetchall()
        erased = erase(store, 1, 1)
        assert "another program is reading" in erased.notes[1]
        reader.execute("COMMIT")
    again = erase(store, 1, 1)
    assert again.before
    assert len(again.notes) == 1
    assert verify(store).problems == ()


def test_postgresql_is_said_to_keep_what_was_deleted_until_it_is_vacuumed(
    any_store: Store, filled: Anchor
) -> None:
    notes = erase(any_store, 1, 1).notes
    assert any("VACUUM FULL remark" in one for one in notes) == (any_store.dialect == "postgresql")


def test_what_was_erased_before_changes_nothing(any_store: Store, filled: Anchor) -> None:
    assert not erase(any_store, 2).before
    assert erase(any_store, 2).before
    assert verify(any_store, against=filled).problems == ()


@pytest.mark.parametrize(
    ("movement", "line", "said"),
    [
        (3, 0, "there is no movement 3"),
        (1, 9, "movement 1 has no line 9; expected 1 to 2, or none at all"),
        (1, 2, "no text was ever recorded with line 2; there is a remark on line 1"),
    ],
)
def test_what_cannot_be_erased_is_refused(
    any_store: Store, filled: Anchor, movement: int, line: int, said: str
) -> None:
    with pytest.raises(OrderError, match=said):
        erase(any_store, movement, line)
    assert len(texts_of(any_store, 1)) == 2


def test_an_empty_stock_has_no_text(store: Store, path: Path) -> None:
    with pytest.raises(OrderError, match="the stock is empty"):
        erase(store, 1)
    assert texts_of(store, 1) == {}
    assert not path.exists()


def test_only_the_text_is_lost(any_store: Store, filled: Anchor) -> None:
    def rows() -> list[list[tuple[object, ...]]]:
        with any_store.reading() as connection:
            assert connection is not None
            return [
                [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]  # noqa: S608
                for table in ("movement", "movement_line", "balance", "lot", "product_record")
            ]

    before = rows()
    erase(any_store, 1, 1)
    assert rows() == before
