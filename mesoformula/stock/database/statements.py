"""
Statements of SQLAlchemy Core that are written out once, and sent to the driver as they are.

What SQLAlchemy does around a statement (finding it in its cache, contexts, results) takes several times as
long as a small query itself. A `Prepared` statement is still made of tables and columns, and its values are
bound as ever; only its text is kept, and rows come as the driver gives them. It is for tables of whole
numbers and texts, which need no conversion on either side.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, Executable, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Below the number of parameters that any SQLite takes in one statement.
_BATCH = 500


@attrs.frozen
class _Text:
    """
    A statement as one database takes it, for so many listed values.

    Attributes:
        text: The statement.
        constants: What is bound without being given, by name.
        lists: By name of what is given as a list: the names of its values.
        in_order: Puts values by name into the order of their marks; None where marks have names.
    """

    text: str
    constants: dict[str, Any]
    lists: dict[str, list[str]]
    in_order: Callable[[dict[str, Any]], tuple[Any, ...]] | None

    def bound(self, given: dict[str, Any]) -> Any:
        """Give every mark its value."""
        values = {**self.constants, **given} if self.constants else given
        for name, marks in self.lists.items():
            listed = values.pop(name)
            values.update(zip(marks, listed, strict=False))
            # The same value again finds nothing else, and so a few texts do for lists of any length.
            values.update(dict.fromkeys(marks[len(listed) :], listed[-1]))
        return values if self.in_order is None else self.in_order(values)


class Prepared:
    """
    A statement with what is given by name.

    Attributes:
        statement: Of SQLAlchemy Core; what is given as a list is an expanding parameter.
    """

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._texts: dict[tuple[str | int, ...], _Text] = {}
        self._row: Callable[[Iterable[Any]], Any] | None = None

    def rows(self, connection: Connection, **given: Any) -> list[Any]:
        """
        Carry it out.

        Args:
            connection: In a transaction.
            **given: Values by name; a list holds at least one value.

        Returns:
            What is found, as plain tuples; nothing of what only writes.
        """
        key: tuple[str | int, ...] = (
            connection.dialect.name,
            *[_rounded(len(one)) for one in given.values() if isinstance(one, list)],
        )
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._written(connection, given)
        return send(connection, text.text, text.bound(given))

    def named(self, connection: Connection, **given: Any) -> list[Any]:
        """
        Carry it out.

        Args:
            connection: In a transaction.
            **given: As of `rows`.

        Returns:
            What is found, as tuples with the names of the columns.
        """
        if self._row is None:
            statement: Any = self.statement
            names = [str(column.key) for column in statement.selected_columns]
            row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024
            self._row = row._make
        return list(map(self._row, self.rows(connection, **given)))

    def first(self, connection: Connection, **given: Any) -> Any:
        """
        Carry it out.

        Args:
            connection: In a transaction.
            **given: As of `rows`.

        Returns:
            The first of what is found, with the names of the columns; None if nothing is.
        """
        found = self.named(connection, **given)
        return found[0] if found else None

    def of_many(self, connection: Connection, values: Iterable[Any], **given: Any) -> list[Any]:
        """
        Carry it out for any number of values, in as many statements as it takes.

        Args:
            connection: In a transaction.
            values: Given as `given`; for none nothing is sent.
            **given: What else is given.

        Returns:
            What is found, as plain tuples.
        """
        found: list[Any] = []
        for batch in batches(values):
            found += self.rows(connection, given=batch, **given)
        return found

    def named_of_many(self, connection: Connection, values: Iterable[Any], **given: Any) -> list[Any]:
        """
        Carry it out for any number of values, in as many statements as it takes.

        Args:
            connection: In a transaction.
            values: As of `of_many`.
            **given: As of `of_many`.

        Returns:
            What is found, as tuples with the names of the columns.
        """
        found: list[Any] = []
        for batch in batches(values):
            found += self.named(connection, given=batch, **given)
        return found

    def _written(self, connection: Connection, given: dict[str, Any]) -> _Text:
        statement: Any = self.statement
        compiled = statement.compile(dialect=connection.dialect)
        example = {
            name: one[:1] * _rounded(len(one)) if isinstance(one, list) else one
            for name, one in given.items()
        }
        state = compiled.construct_expanded_state(example)
        if any(state.processors.values()):
            raise TypeError(f"values that need to be converted: {state.statement}")
        order = state.positiontup
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return _Text(
            state.statement,
            constants,
            dict(state.parameter_expansion),
            None if order is None else _in_order(order),
        )


def _in_order(names: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


def _rounded(count: int) -> int:
    """Round up to a power of two."""
    return 1 << (count - 1).bit_length()


def batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    """
    Cut values into lists short enough for one statement.

    Args:
        values: Any number of them.

    Yields:
        Lists.
    """
    rest = iter(values)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """
    Insert rows.

    Args:
        connection: In a writing transaction.
        table: Where.
        columns: Names of its columns.
        rows: Values in that order; for none nothing is sent.
    """
    if rows:
        text = _insertion(table.name, tuple(columns), _mark(connection))
        many = len(rows) > 1
        send(connection, text, rows if many else rows[0], many=many)


def update_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    keys: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """
    Update rows by their keys.

    Args:
        connection: In a writing transaction.
        table: Where.
        columns: Names of the columns that change.
        keys: Names of the columns that tell which row.
        rows: Values of both in that order; for none nothing is sent.
    """
    if rows:
        text = _update(table.name, tuple(columns), tuple(keys), _mark(connection))
        send(connection, text, rows, many=True)


def delete_rows(
    connection: Connection, table: Table, keys: Sequence[str], rows: Collection[tuple[Any, ...]]
) -> None:
    """
    Delete rows by their keys.

    Args:
        connection: In a writing transaction.
        table: Where.
        keys: Names of the columns that tell which row.
        rows: Their values; for none nothing is sent.
    """
    if rows:
        send(connection, _deletion(table.name, tuple(keys), _mark(connection)), list(rows), many=True)


# Names come from the tables, and values are bound.


@lru_cache
def _insertion(table: str, columns: tuple[str, ...], mark: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join([mark] * len(columns))})'  # noqa: S608


@lru_cache
def _update(table: str, columns: tuple[str, ...], keys: tuple[str, ...], mark: str) -> str:
    said = ", ".join(f'"{name}" = {mark}' for name in columns)
    return f'UPDATE "{table}" SET {said} WHERE {_at(keys, mark)}'  # noqa: S608


@lru_cache
def _deletion(table: str, keys: tuple[str, ...], mark: str) -> str:
    return f'DELETE FROM "{table}" WHERE {_at(keys, mark)}'  # noqa: S608


def _at(keys: Sequence[str], mark: str) -> str:
    return " AND ".join(f'"{key}" = {mark}' for key in keys)


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def send(connection: Connection, text: str, given: Any, *, many: bool = False) -> list[Any]:
    """
    Send a statement to the driver.

    Errors are the driver's own; a store says them in plain words, as it does those that SQLAlchemy wraps.

    Args:
        connection: In a transaction.
        text: The statement, with the driver's marks for what is given.
        given: Values in order or by name, as the driver takes them; with `many`, a list of such.
        many: Whether it is carried out once for each of them.

    Returns:
        What is found.
    """
    pooled = connection.connection
    cursor = pooled.cursor()
    try:
        if many:
            cursor.executemany(text, given)
            return []
        cursor.execute(text, given)
        return list(cursor.fetchall()) if cursor.description is not None else []
    except Exception as err:
        # A connection that was lost must not go back to the pool.
        dialect: Any = connection.dialect
        if isinstance(err, dialect.loaded_dbapi.Error) and dialect.is_disconnect(
            err, pooled.dbapi_connection, cursor
        ):
            connection.invalidate(err)
        raise
    finally:
        cursor.close()
