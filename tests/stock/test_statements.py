"""Statements that are written out once find and bind what SQLAlchemy would."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BindParameter, bindparam, insert, literal, select

from mesoformula.errors import StockError
from mesoformula.stock.database import schema
from mesoformula.stock.database.statements import Prepared, insert_rows
from mesoformula.stock.database.store import Store

_GIVEN: BindParameter[object] = bindparam("given", expanding=True)
_PLACES = schema.location
NAMED = Prepared(
    select(_PLACES.c.name, _PLACES.c.id).where(_PLACES.c.name.in_(_GIVEN), _PLACES.c.id > bindparam("after"))
)


@pytest.fixture
def places(any_store: Store) -> Store:
    """A stock with the places `p1` to `p1200`."""
    with any_store.writing() as connection:
        insert_rows(connection, _PLACES, ("id", "name"), [(n, f"p{n}") for n in range(1, 1201)])
    return any_store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(1, 1400), max_size=40), after=st.integers(0, 1400))
def test_a_list_of_any_length_finds_what_sqlalchemy_finds(
    places: Store, numbers: list[int], after: int
) -> None:
    names = [f"p{n}" for n in numbers]
    with places.reading() as connection:
        assert connection is not None
        found = NAMED.of_many(connection, names, after=after)
        known = connection.execute(
            select(_PLACES.c.name, _PLACES.c.id).where(_PLACES.c.name.in_(names), _PLACES.c.id > after)
        )
        assert sorted(found) == sorted(tuple(row) for row in known)


def test_more_values_than_one_statement_takes_are_all_looked_for(places: Store) -> None:
    with places.reading() as connection:
        assert connection is not None
        found = NAMED.of_many(connection, [f"p{n}" for n in range(1, 1301)], after=0)
    assert sorted(number for _name, number in found) == list(range(1, 1201))


@pytest.mark.parametrize(
    "name", ["p1' OR '1'='1", 'p1"; DROP TABLE location; --', "100 %s", "%(given)s", "?"]
)
def test_what_is_given_is_bound_and_never_read_as_sql(any_store: Store, name: str) -> None:
    with any_store.writing() as connection:
        insert_rows(connection, _PLACES, ("id", "name"), [(1, "p1")])
        assert NAMED.rows(connection, given=[name], after=0) == []
        insert_rows(connection, _PLACES, ("id", "name"), [(2, name), (3, name + "!")])
        assert NAMED.rows(connection, given=[name], after=0) == [(name, 2)]


def test_rows_have_names_where_they_are_asked_for(places: Store) -> None:
    with places.reading() as connection:
        assert connection is not None
        row = NAMED.first(connection, given=["p7"], after=0)
        assert (row.name, row.id) == ("p7", 7)
        assert NAMED.first(connection, given=["p7"], after=7) is None


def test_what_is_written_into_a_statement_needs_not_be_given(places: Store) -> None:
    fixed = Prepared(select(_PLACES.c.id, literal("here")).where(_PLACES.c.name == "p5"))
    with places.reading() as connection:
        assert connection is not None
        assert fixed.rows(connection) == [(5, "here")]


def test_what_the_database_refuses_is_said_in_plain_words(places: Store) -> None:
    again = Prepared(insert(_PLACES).values(id=bindparam("number"), name=bindparam("called")))
    with pytest.raises(StockError, match="append-only"), places.writing() as connection:
        again.rows(connection, number=5000, called="p1")
    with places.reading() as connection:
        assert connection is not None
        assert NAMED.rows(connection, given=["p1"], after=0) == [("p1", 1)]
