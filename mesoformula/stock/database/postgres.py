"""A stock in a PostgreSQL database: reached, made and locked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL

from mesoformula.errors import LedgerError, StockError
from mesoformula.stock.database import guards, making, places, schema

# What becomes of a lost connection is said by our message; of what is logged beside it Python would write the
# warnings to people's terminals, where nobody listens to logs.
for _logger in ("psycopg", "sqlalchemy"):
    logging.getLogger(_logger).addHandler(logging.NullHandler())

_OLDEST = 15
_CONNECT_SECONDS = 10

# Libpq knows more ways of naming a server than a URL has parts; these are no secrets.
_SHOWN = ("host", "port", "dbname", "service")

_AGAIN = "in use by another program; try again"
_LOST = (
    "the connection to the server was lost; whether the last write was kept is not known: repeat it with "
    "the same request id"
)
_DAMAGED = "damaged; restore a backup"
_NOT_LET_IN = "the server does not accept this user or password"
_NO_DATABASE = "the server has no database of that name; make one with createdb"

# Refusals of a connection, which the driver passes on as text without a code.
_CONNECTING: Mapping[str, str] = {
    "password authentication failed": _NOT_LET_IN,
    "no password supplied": "the server asks for a password; put it into ~/.pgpass, PGPASSWORD or the URL",
    "no pg_hba.conf entry": "the server does not let this user in from here, or not to this database",
    "authentication failed": _NOT_LET_IN,
    'role "': _NOT_LET_IN,
    "too many clients": "the server takes no more connections; try again",
    "remaining connection slots": "the server takes no more connections; try again",
    'database "': _NO_DATABASE,
    "starting up": "the server is starting; try again",
    "shutting down": "the server is stopping; try again",
    "could not translate host name": "no host of that name is known",
    "failed to resolve host": "no host of that name is known",
    "refused": "no server answers there; check host and port, and whether it runs",
    "No such file or directory": "no server answers there; check host and port, and whether it runs",
    "timeout expired": "the server does not answer",
    "invalid connection option": "the URL has an option that PostgreSQL does not know",
}

# What the driver says of a connection that broke, by what it was doing then; it has no code for that either.
_BROKEN = (
    "server closed the connection",
    "connection is lost",
    "connection is closed",
    "no connection to the server",
    "could not receive data from server",
    "SSL SYSCALL",
    # Cut in the middle of many rows, it can neither go on nor take them back.
    "exit pipeline mode",
    "not allowed in pipeline mode",
)


class PostgresDatabase(places.Place):
    """
    A database that holds a stock, or will, in the first schema of its search path.

    Attributes:
        url: Where it is, with its secrets.
    """

    dialect = guards.POSTGRESQL
    driver = "psycopg"
    reasons: ClassVar[Mapping[str, tuple[type[StockError], str]]] = {
        "40001": (StockError, _AGAIN),
        "40P01": (StockError, _AGAIN),
        "55P03": (StockError, _AGAIN),
        "57014": (StockError, "took longer than the server allows; nothing was changed"),
        "53100": (StockError, "the server's disk is full; nothing was changed"),
        "53200": (StockError, "the server is out of memory; nothing was changed"),
        "53300": (StockError, "the server takes no more connections; try again"),
        "25006": (StockError, "may not be written to; nothing was changed"),
        "25P03": (StockError, "the server ended a transaction that stood still; nothing was changed"),
        "28": (StockError, _NOT_LET_IN),
        "3D000": (StockError, _NO_DATABASE),
        "57P01": (StockError, _LOST),
        "57P02": (StockError, _LOST),
        "57P03": (StockError, "the server is starting or stopping; try again"),
        "08": (StockError, _LOST),
        "42P01": (LedgerError, "a table is missing; restore a backup"),
        "42703": (LedgerError, "a column is missing; restore a backup"),
        "58030": (StockError, "the server's disk does not answer; nothing was changed"),
        "XX001": (LedgerError, _DAMAGED),
        "XX002": (LedgerError, _DAMAGED),
        "lost": (StockError, _LOST),
    }

    def __init__(self, url: URL) -> None:
        self.url = url.set(drivername="postgresql+psycopg")
        try:
            import psycopg  # noqa: F401
        except ImportError as err:
            raise StockError(
                f"{self}: a stock in PostgreSQL needs a driver; pip install 'mesoformula[postgres]'"
            ) from err
        given = {"connect_timeout": _CONNECT_SECONDS, "application_name": "mesoformula"}
        self._engine = sqlalchemy.create_engine(
            self.url,
            connect_args={name: value for name, value in given.items() if name not in url.query},
            use_native_hstore=False,
        )
        event.listen(self._engine, "connect", self._connected)
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self._engine.execution_options(isolation_level="READ COMMITTED")

    def __str__(self) -> str:
        query = {name: value for name, value in self.url.query.items() if name in _SHOWN}
        shown = self.url.set(drivername="postgresql", query=query)
        # Setting the password to None would keep it.
        bare = URL.create(
            shown.drivername, shown.username, None, shown.host, shown.port, shown.database, shown.query
        )
        return bare.render_as_string().replace("%2F", "/")

    @property
    def name(self) -> str:
        """The name of the database, as far as the URL tells."""
        return self.url.database or str(self.url.query.get("dbname", "")) or "postgresql"

    def version(self) -> int | None:
        """Find out what is there; see `Place`."""
        with self.plain_errors(), self._reader.connect() as connection, connection.begin():
            return self.version_seen(connection)

    def version_seen(self, connection: Connection) -> int | None:
        """Find out the same in a transaction."""
        row = connection.execute(
            text(
                "SELECT n.nspname AS place, current_setting('server_encoding') AS encoding,"
                " CAST(current_setting('server_version_num') AS integer) AS server,"
                " current_setting('server_version') AS called,"
                " (SELECT count(*) FROM pg_class c WHERE c.relnamespace = n.oid"
                "  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
                "  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
                "   AND d.objid = c.oid AND d.deptype = 'e')) AS tables,"
                " (SELECT obj_description(c.oid, 'pg_class') FROM pg_class c"
                "  WHERE c.relnamespace = n.oid AND c.relname = 'chain_head') AS mark"
                " FROM pg_namespace n WHERE n.nspname = current_schema()"
            )
        ).one_or_none()
        if row is None:
            raise StockError(
                f"{self}: no schema of its search path is there; expected `public` or the user's"
            )
        if row.server < _OLDEST * 10_000:
            raise StockError(f"{self}: PostgreSQL {row.called}; expected {_OLDEST} or later")
        if row.mark == making.MARK:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
            return self._numbered(found)
        if row.tables:
            raise self.foreign()
        if row.encoding != "UTF8":
            raise StockError(
                f"{self}: its encoding is {row.encoding}; expected UTF8, as `createdb -E UTF8 -T template0` "
                "makes it"
            )
        return None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment's state and can change nothing."""
        with self.plain_errors(), self._reader.connect() as connection, connection.begin():
            # Asked here, not of the driver, which would let later writes override a server set to read only.
            self._current(connection, ", set_config('transaction_read_only', 'on', true)")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may append, once it has locked the head of the chain."""
        with self.plain_errors(), self._writer.connect() as connection, connection.begin():
            self._current(connection)
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Open a transaction that may make or rewrite tables, while writers and other such ones wait."""
        with self.plain_errors(), self._writer.connect() as connection, connection.begin():
            connection.execute(
                text("SELECT set_config('lock_timeout', :wait, true)"),
                {"wait": str(int(places.UPGRADE_PATIENCE * 1000))},
            )
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.APPLICATION_ID})
            if connection.execute(text("SELECT to_regclass('chain_head')")).scalar() is not None:
                connection.execute(text("LOCK TABLE chain_head IN ACCESS EXCLUSIVE MODE"))
            yield connection

    def make(self) -> None:
        """Make an empty stock, unless another program just did."""
        with self.alone() as connection:
            if self.version_seen(connection) is None:
                making.make(connection)

    def moment(self, connection: Connection | None) -> datetime:
        """Tell the time by the server's clock."""
        asked = text("SELECT clock_timestamp()")
        with self.plain_errors():
            if connection is not None:
                told: datetime = connection.execute(asked).scalar_one()
            else:
                with self._reader.connect() as own, own.begin():
                    told = own.execute(asked).scalar_one()
        return told.astimezone(UTC)

    def close(self) -> None:
        """Let go of the server."""
        self._engine.dispose()

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Say in plain words what the server refuses."""
        import psycopg

        with super().plain_errors():
            try:
                yield
            except psycopg.Error as err:
                raise self.said(err) from err

    def error_name(self, err: BaseException | None) -> str:
        """Name an error by its SQLSTATE."""
        state = getattr(err, "sqlstate", None)
        if state is not None:
            return str(state)
        said = str(err)
        return "lost" if any(sign in said for sign in _BROKEN) else ""

    def error_text(self, err: BaseException | None) -> str:
        """Write what the server says of an error, on one line and without the password."""
        diag = getattr(err, "diag", None)
        said = getattr(diag, "message_primary", None) or str(err)
        if getattr(err, "sqlstate", None) is None:
            for sign, meaning in _CONNECTING.items():
                if sign in said:
                    return meaning
        for secret in (self.url.password, self.url.query.get("password")):
            if secret:
                said = said.replace(str(secret), "…")
        return "".join(char if char.isprintable() else " " for char in said[:300])

    def _connected(self, connection: Any, _record: object) -> None:
        """Set what a session of ours needs, once."""
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, false), CASE"
                " WHEN current_setting('synchronous_commit') IN ('off', 'local')"
                " THEN set_config('synchronous_commit', 'on', false) END",
                (str(int(places.PATIENCE * 1000)),),
            )
        connection.autocommit = False

    def _current(self, connection: Connection, also: str = "") -> None:
        found = connection.exec_driver_sql(f"SELECT version_num{also} FROM alembic_version").scalars().all()  # noqa: S608
        if found != [schema.REVISION]:
            self.current(self._numbered(found))

    def _numbered(self, found: Any) -> int:
        """Read a revision as the number of its schema."""
        one = str(found[0]) if len(found) == 1 else ""
        if not (one.isascii() and one.isdigit()):
            raise LedgerError(
                f"{self}: no stock of mesoformula that can be read (schema {one[:20] or 'unknown'})"
            )
        return self.known(int(one))
