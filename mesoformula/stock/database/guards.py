"""
The triggers by which a stock refuses to have its history changed.

On PostgreSQL they fire under `session_replication_role = replica` too. On both, whoever may drop a trigger
can open the ledger: `verify` finds guards that are missing, switched off or changed, but not that they were
taken away for a while and put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from sqlalchemy import Connection, text

from mesoformula.errors import Problem
from mesoformula.stock.database import schema
from mesoformula.stock.ledger.chain import GENESIS

#: What every refusal of a trigger begins with.
APPEND_ONLY = "the ledger is append-only"

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

# Refusing what is there already, by whatever key, is what stops REPLACE and ON CONFLICT too: on SQLite a row
# that is replaced fires no DELETE trigger unless the connection has asked for recursive triggers, and that is
# the writer's choice. For the same reason no table of the ledger has a hidden row number to be replaced.
_REFUSED_INSERTS = {
    "product_record": "EXISTS (SELECT 1 FROM product_record WHERE hash = NEW.hash)",
    "location": (
        "NEW.id {differs} (SELECT coalesce(max(id), 0) + 1 FROM location)"
        " OR EXISTS (SELECT 1 FROM location WHERE name = NEW.name)"
    ),
    "lot": (
        "NEW.id {differs} (SELECT coalesce(max(id), 0) + 1 FROM lot)"
        " OR EXISTS (SELECT 1 FROM lot WHERE product_id = NEW.product_id AND number = NEW.number"
        " AND revision = NEW.revision)"
    ),
    "movement_line": (
        "EXISTS (SELECT 1 FROM movement WHERE seq >= NEW.movement)"
        " OR EXISTS (SELECT 1 FROM movement_line WHERE movement = NEW.movement AND line = NEW.line)"
    ),
    "movement": (
        "NEW.seq {differs} (SELECT coalesce(max(seq), 0) + 1 FROM movement)"
        " OR NEW.previous_hash {differs} coalesce("
        "(SELECT hash FROM movement ORDER BY seq DESC LIMIT 1), '{genesis}')"
        " OR EXISTS (SELECT 1 FROM movement WHERE request_id = NEW.request_id)"
        " OR EXISTS (SELECT 1 FROM movement WHERE reverses = NEW.reverses)"
    ),
    "remark": (
        "EXISTS (SELECT 1 FROM movement WHERE seq >= NEW.movement)"
        " OR EXISTS (SELECT 1 FROM remark WHERE movement = NEW.movement AND line = NEW.line)"
    ),
}

# The bits of pg_trigger.tgtype.
_EVENT_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_ROW_BIT, _BEFORE_BIT = 1, 2

# Two functions of PostgreSQL that serve every table: one refuses, one makes writers wait for each other, so
# that what an insert is compared with cannot change under it.
_REFUSES = "ledger_refuses"
_QUEUES = "ledger_queues"


@attrs.frozen
class _Guard:
    """
    One trigger of PostgreSQL, as its catalogue describes it.

    Attributes:
        event: What fires it.
        each_row: Whether it fires for every row, not once per statement.
        function: What it calls.
        reason: What that is told.
    """

    event: str
    each_row: bool
    function: str
    reason: str | None = None

    @property
    def type(self) -> int:
        """Its `tgtype`."""
        return _EVENT_BITS[self.event] | _BEFORE_BIT | (_ROW_BIT if self.each_row else 0)


def guard_statements(dialect: str, *, place: str = "public") -> list[str]:
    """
    Write the triggers that refuse to change history.

    Args:
        dialect: `sqlite` or `postgresql`.
        place: The schema of PostgreSQL that the tables are in, quoted where it must be.

    Returns:
        Statements in order.
    """
    if dialect == SQLITE:
        return list(_sqlite_triggers().values())
    result = [
        # Whoever writes may have a search path, or temporary tables, that hide the ledger's.
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {place}, pg_temp"
        f" AS $guard${body}$guard$"
        for name, body in _postgres_functions().items()
    ]
    for (table, name), guard in _postgres_triggers().items():
        each = "ROW" if guard.each_row else "STATEMENT"
        reason = f"'{guard.reason}'" if guard.reason is not None else ""
        result.append(
            f"CREATE TRIGGER {name} BEFORE {guard.event} ON {table}"
            f" FOR EACH {each} EXECUTE FUNCTION {guard.function}({reason})"
        )
        result.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    return result


def drop_guards(connection: Connection) -> None:
    """
    Take the guards away, whatever they are, so that an upgrade can rewrite the tables.

    Args:
        connection: In the transaction that puts them back.
    """
    if connection.dialect.name == SQLITE:
        for name in _sqlite_found(connection):
            connection.exec_driver_sql(f"DROP TRIGGER {_quoted(name)}")
        return
    for table, name in _postgres_found(connection):
        connection.exec_driver_sql(f"DROP TRIGGER {_quoted(name)} ON {_quoted(table)}")
    for name in _functions_found(connection):
        connection.exec_driver_sql(f"DROP FUNCTION {_quoted(name)}()")


def guard_problems(connection: Connection) -> Iterator[Problem]:
    """
    Compare the guards of a stock with what they must be.

    Args:
        connection: In a transaction.

    Yields:
        A problem for each that is missing, switched off, changed, or not ours.
    """
    if connection.dialect.name == SQLITE:
        yield from _compared("trigger", _sqlite_triggers(), _sqlite_found(connection))
        return
    found = _postgres_found(connection)
    off = {key for key, (_, enabled) in found.items() if enabled != "A"}
    expected = {
        key: (guard.type, guard.function, f"{guard.reason}\0" if guard.reason is not None else "", True)
        for key, guard in _postgres_triggers().items()
    }
    for _, name in sorted(off & expected.keys()):
        yield _opened(f"trigger {name}", "is switched off")
    yield from _compared(
        "trigger",
        {f"{name} of {table}": said for (table, name), said in expected.items()},
        {f"{name} of {table}": said for (table, name), (said, _) in found.items()},
    )
    config = f"search_path={place_of(connection)}, pg_temp"
    yield from _compared(
        "function",
        {name: (body, config) for name, body in _postgres_functions().items()},
        _functions_found(connection),
    )
    rules = text(
        "SELECT r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_schema() AND c.relname = ANY(:tables) ORDER BY 1"
    )
    for (name,) in connection.execute(rules, {"tables": list(schema.metadata.tables)}):
        yield _opened(f"rule {name}", "is not ours")


def file_problems(connection: Connection) -> Iterator[Problem]:
    """
    Ask the database whether its own files are sound.

    PostgreSQL is asked only where its extension `amcheck` is installed and this user may call it.

    Args:
        connection: In a transaction.

    Yields:
        What it complains of.
    """
    if connection.dialect.name == SQLITE:
        for (said,) in connection.execute(text("PRAGMA integrity_check(5)")):
            if said != "ok":
                yield Problem("file", f"the database file: {said}")
        return
    check = connection.execute(
        text(
            "SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE p.oid = (SELECT min(oid) FROM pg_proc WHERE proname = 'bt_index_check')"
            " AND has_function_privilege(p.oid, 'EXECUTE')"
        )
    ).scalar()
    if check is None:
        return
    indexes = text(
        "SELECT i.indexrelid, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " WHERE n.nspname = current_schema() AND t.relname = ANY(:tables) ORDER BY 2"
    )
    for oid, name in connection.execute(indexes, {"tables": list(schema.metadata.tables)}).all():
        try:
            with connection.begin_nested():
                connection.execute(
                    text(f"SELECT {_quoted(check)}.bt_index_check(CAST(:oid AS oid))"), {"oid": oid}
                )
        except Exception as err:
            said = str(getattr(err, "orig", err)).partition("\n")[0]
            yield Problem("file", f"index {name}: {said}")


def place_of(connection: Connection) -> str:
    """
    Name the schema of PostgreSQL that the tables are in.

    Args:
        connection: In a transaction.

    Returns:
        The name, quoted where it must be.
    """
    return str(connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one())


def _sqlite_triggers() -> dict[str, str]:
    result = {}
    for table, event, reason in _refusals():
        name = f"{table}_guards_{event.lower()}"
        when = f" WHEN {_refused(table, 'IS NOT')}" if event == "INSERT" else ""
        result[name] = (
            f"CREATE TRIGGER {name} BEFORE {event} ON {table}{when}"
            f" BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}: {reason}'); END"
        )
    return result


def _postgres_triggers() -> dict[tuple[str, str], _Guard]:
    result = {}
    for table, event, reason in _refusals():
        name = f"{table}_guards_{event.lower()}"
        if event == "INSERT":
            result[table, f"{table}_queues_insert"] = _Guard(event, False, _QUEUES)
            result[table, name] = _Guard(event, True, name)
        else:
            result[table, name] = _Guard(event, True, _REFUSES, reason)
    for table in _REFUSED_INSERTS:
        name = f"{table}_guards_truncate"
        result[table, name] = _Guard("TRUNCATE", False, _REFUSES, f"{table} is never emptied")
    return result


def _postgres_functions() -> dict[str, str]:
    """Write the bodies of the trigger functions, by name."""
    raised = "RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE ="
    result = {
        _REFUSES: f"BEGIN {raised} '{APPEND_ONLY}: ' || TG_ARGV[0]; END",
        _QUEUES: "BEGIN PERFORM 1 FROM chain_head FOR UPDATE; RETURN NULL; END",
    }
    for table, event, reason in _refusals():
        if event == "INSERT":
            condition = _refused(table, "IS DISTINCT FROM")
            result[f"{table}_guards_insert"] = (
                f"BEGIN IF {condition} THEN {raised} '{APPEND_ONLY}: {reason}'; END IF; RETURN NEW; END"
            )
    return result


def _refusals() -> Iterator[tuple[str, str, str]]:
    """List table, event and reason of what both databases refuse."""
    for table in _REFUSED_INSERTS:
        yield table, "INSERT", f"{table} takes only what follows and is new"
        yield table, "UPDATE", f"{table} is never changed"
        if table != schema.remark.name:
            yield table, "DELETE", f"{table} is never deleted from"


def _refused(table: str, differs: str) -> str:
    return _REFUSED_INSERTS[table].format(differs=differs, genesis=GENESIS)


def _sqlite_found(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {row.name: row.sql for row in rows}


def _postgres_found(connection: Connection) -> dict[tuple[str, str], tuple[tuple[Any, ...], str]]:
    """List the triggers of our tables: table and name, what they are, and whether they fire."""
    rows = connection.execute(
        text(
            "SELECT c.relname, t.tgname, t.tgtype, p.proname, t.tgargs, t.tgenabled::text AS enabled,"
            " t.tgqual IS NULL AND t.tgattr::text = '' AND p.pronamespace = n.oid AS whole"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND c.relname = ANY(:tables)"
        ),
        {"tables": list(schema.metadata.tables)},
    )
    return {
        (row.relname, row.tgname): (
            (row.tgtype, row.proname, bytes(row.tgargs).decode(errors="replace"), row.whole),
            row.enabled,
        )
        for row in rows
    }


def _functions_found(connection: Connection) -> dict[str, tuple[str, str]]:
    """List our trigger functions: body and settings."""
    rows = connection.execute(
        text(
            "SELECT p.proname, p.prosrc, coalesce(array_to_string(p.proconfig, ';'), '') AS config"
            " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " JOIN pg_language l ON l.oid = p.prolang"
            " WHERE n.nspname = current_schema() AND p.proname = ANY(:names) AND p.pronargs = 0"
            " AND l.lanname = 'plpgsql'"
        ),
        {"names": list(_postgres_functions())},
    )
    return {row.proname: (row.prosrc, row.config) for row in rows}


def _compared(kind: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield _opened(f"{kind} {name}", "is missing")
        elif found[name] != expected.get(name):
            yield _opened(f"{kind} {name}", "is not ours")


def _opened(what: str, said: str) -> Problem:
    return Problem("guard", f"{what} {said}; the ledger may have been opened to changes")


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
