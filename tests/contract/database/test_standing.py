"""The connection a thread keeps: whole transactions, errors as everywhere else, a new connection after one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive import schema
from fileroom.database import METADATA, Change, Database, Lookup, Standing, lost_race

_P = schema.pack.c
_NAMES = ("id", "size_bytes", "closed", "created_ms")
_INSERT = Change(sa.insert(schema.pack), _NAMES)
_SIZES = Lookup(sa.select(_P.id, _P.size_bytes).where(_P.id.in_(sa.bindparam("keys", expanding=True))))


def _sizes(database: Database) -> dict[int, int]:
    with database.read() as connection:
        return dict(_SIZES.rows(connection, [1, 2, 3]))


def _insert(standing: Standing, *rows: tuple[object, ...] | None) -> None:
    with standing.write() as connection:
        for row in rows:
            if row is None:
                raise TypeError("a fault of the caller's")
            _INSERT.run(connection, [row])


@pytest.fixture
def database(database_url: str) -> Database:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    return database


def test_what_is_written_is_there_for_everyone_and_an_error_leaves_nothing(database: Database) -> None:
    standing = Standing(database)
    with standing.write() as connection:
        assert _INSERT.run(connection, [(1, 10, False, 0), (2, 20, True, 0)]) == 2
        assert _sizes(database) == {}  # nobody sees half of it
    assert _sizes(database) == {1: 10, 2: 20}
    with pytest.raises(IntegrityError) as refused:
        _insert(standing, (3, 30, False, 0), (1, 11, False, 0))
    assert lost_race(refused.value)
    with pytest.raises(TypeError):
        _insert(standing, (3, 30, False, 0), None)
    assert _sizes(database) == {1: 10, 2: 20}
    with standing.write() as connection:
        assert _INSERT.run(connection, [(3, 33, False, 0)]) == 1
    assert _sizes(database) == {1: 10, 2: 20, 3: 33}
    standing.close()
    database.close()


def test_a_statement_the_database_refuses_says_what_every_refusal_says(database: Database) -> None:
    standing = Standing(database)
    nowhere = Lookup(sa.select(sa.column("x")).select_from(sa.table("nowhere")).where(sa.column("x").in_(_KEYS)))
    with pytest.raises((errors.DatabaseUnavailable, sa.exc.ProgrammingError)), standing.read() as connection:
        nowhere.rows(connection, [1])
    with standing.read() as connection:
        assert _SIZES.rows(connection, [1]) == []
    standing.close()
    database.close()


def test_rows_in_another_order_than_the_statements_are_refused(database: Database) -> None:
    swapped = Change(sa.insert(schema.pack), ("size_bytes", "id", "closed", "created_ms"))
    with pytest.raises(ValueError, match="id, size_bytes"), database.write() as connection:
        swapped.run(connection, [(10, 1, False, 0)])
    database.close()


_KEYS: sa.BindParameter[object] = sa.bindparam("keys", expanding=True)
