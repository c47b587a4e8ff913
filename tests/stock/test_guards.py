"""Guards that were taken away, switched off or changed are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mesoformula.stock.database.guards import file_problems, guard_problems
from mesoformula.stock.database.store import Store, open_stock


def found(place: str) -> list[str]:
    with open_stock(place) as store, store.reading() as connection:
        assert connection is not None
        return [problem.message for problem in (*guard_problems(connection), *file_problems(connection))]


@pytest.fixture
def raw(any_store: Store, connect_raw: Callable[[], Any]) -> Any:
    """The database of an empty stock, opened without any of our settings."""
    with any_store.writing():
        pass
    any_store.close()
    connection = connect_raw()
    yield connection
    connection.close()


def test_a_new_stock_has_all_of_them(raw: Any, place: str) -> None:
    assert found(place) == []


class TestSqlite:
    @pytest.fixture
    def place(self, path: object) -> str:
        return str(path)

    def test_a_trigger_that_is_missing_changed_or_foreign_is_named(self, raw: Any, place: str) -> None:
        raw.execute("DROP TRIGGER lot_guards_update")
        raw.execute("DROP TRIGGER movement_guards_delete")
        raw.execute(
            "CREATE TRIGGER movement_guards_delete BEFORE DELETE ON movement WHEN false BEGIN SELECT 1; END"
        )
        raw.execute("CREATE TRIGGER odd AFTER INSERT ON balance BEGIN SELECT 1; END")

        said = found(place)

        assert [message.partition(";")[0] for message in said] == [
            "trigger lot_guards_update is missing",
            "trigger movement_guards_delete is not ours",
            "trigger odd is not ours",
        ]

    def test_a_file_that_contradicts_itself_is_found(self, raw: Any, place: str) -> None:
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("DELETE FROM sqlite_master WHERE name = 'movement_session'")
        raw.close()

        assert any("never used" in message for message in found(place))


@pytest.mark.postgres
class TestPostgres:
    @pytest.fixture
    def place(self, postgres_url: str) -> str:
        return postgres_url

    @pytest.mark.parametrize(
        ("tampering", "said"),
        [
            ("DROP TRIGGER lot_guards_update ON lot", "trigger lot_guards_update of lot is missing"),
            ("ALTER TABLE remark DISABLE TRIGGER ALL", "trigger remark_guards_truncate is switched off"),
            (
                "ALTER TABLE lot ENABLE TRIGGER lot_guards_update",
                "trigger lot_guards_update is switched off",
            ),
            (
                "ALTER TABLE lot ENABLE REPLICA TRIGGER lot_guards_update",
                "trigger lot_guards_update is switched off",
            ),
            (
                "CREATE OR REPLACE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql"
                " SET search_path = public, pg_temp AS 'BEGIN RETURN NEW; END'",
                "function ledger_refuses is not ours",
            ),
            (
                "ALTER FUNCTION movement_guards_insert() RESET ALL",
                "function movement_guards_insert is not ours",
            ),
            (
                "CREATE OR REPLACE TRIGGER lot_guards_update BEFORE UPDATE OF expiry ON lot"
                " FOR EACH ROW EXECUTE FUNCTION ledger_refuses('lot is never changed')",
                "trigger lot_guards_update of lot is not ours",
            ),
            (
                "CREATE OR REPLACE TRIGGER lot_guards_update BEFORE UPDATE ON lot"
                " FOR EACH ROW WHEN (false) EXECUTE FUNCTION ledger_refuses('lot is never changed')",
                "trigger lot_guards_update of lot is not ours",
            ),
            (
                "CREATE OR REPLACE TRIGGER lot_guards_update AFTER UPDATE ON lot"
                " FOR EACH ROW EXECUTE FUNCTION ledger_refuses('lot is never changed')",
                "trigger lot_guards_update of lot is not ours",
            ),
            (
                "CREATE TRIGGER odd BEFORE UPDATE ON balance FOR EACH ROW"
                " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                "trigger odd of balance is not ours",
            ),
            ("CREATE RULE odd AS ON INSERT TO lot DO INSTEAD NOTHING", "rule odd is not ours"),
        ],
    )
    def test_whatever_was_done_to_one_is_said(self, raw: Any, place: str, tampering: str, said: str) -> None:
        raw.execute(tampering)

        assert said in [message.partition(";")[0] for message in found(place)]

    def test_indexes_are_checked_where_the_server_can(self, raw: Any, place: str) -> None:
        raw.execute("CREATE EXTENSION amcheck")
        assert found(place) == []
        # Call an index sorted the other way round than it is.
        raw.execute("INSERT INTO location VALUES (1, 'a'), (2, 'b')")
        raw.execute("UPDATE pg_index SET indoption = '1' WHERE indexrelid = 'location_name_key'::regclass")
        (said,) = found(place)
        assert said.startswith("index location_name_key: item order")
