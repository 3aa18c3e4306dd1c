"""Reading connections that are kept: many threads, a server that went away and came back, closing."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.database import METADATA, Database, Prepared
from fileroom.readers import KEPT_MAX
from tests.support import peers
from tests.support.postgres import PostgresServer

_ONE = sa.select(sa.literal(7) + sa.bindparam("more", type_=sa.Integer))


def test_many_threads_read_at_once(database_url: str) -> None:
    database = Database(database_url)
    prepared = Prepared(database, _ONE)
    found: list[int] = []

    def read() -> None:
        for more in range(20):
            found.append(prepared.rows({"more": more})[0][0] - more)

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 800
    assert len(database.readers._kept) <= KEPT_MAX
    database.close()
    assert not database.readers._kept


def test_each_question_sees_what_was_committed_before_it(database_url: str) -> None:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    table = schema.pack
    prepared = Prepared(database, sa.select(table.c.id).order_by(table.c.id))
    for number in range(3):
        with database.write() as connection:
            connection.execute(sa.insert(table).values(id=number, size_bytes=0, closed=False, created_ms=0))
        assert [row[0] for row in prepared.rows({})] == list(range(number + 1))
    database.close()


def test_a_connection_that_ran_a_statement_of_thousands_of_values_is_not_kept(database_url: str) -> None:
    database = Database(database_url)
    values = {f"v{n}": n for n in range(3000)}
    listed = [sa.bindparam(name, type_=sa.Integer) for name in values]
    for statement, kept in ((_ONE, 1), (sa.select(sa.literal(1)).where(sa.literal(7).in_(listed)), 0)):
        assert len(Prepared(database, statement).rows(values | {"more": 1})) == 1
        assert len(database.readers._kept) == kept
    database.close()


def test_an_error_costs_one_question(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(errors.DatabaseUnavailable):
        Prepared(database, sa.select(sa.column("x")).select_from(sa.table("nowhere"))).rows({})
    assert Prepared(database, _ONE).rows({"more": 1}) == [(8,)]
    database.close()


def test_a_server_that_was_restarted_refuses_nobody_and_one_that_is_gone_is_said() -> None:
    try:
        server = PostgresServer()
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
        raise
    try:
        database = Database(server.new_database())
        prepared = Prepared(database, _ONE)
        assert prepared.rows({"more": 1}) == [(8,)]
        server.restart()
        assert prepared.rows({"more": 2}) == [(9,)]
        server.kill()
        with pytest.raises(errors.DatabaseUnavailable):
            prepared.rows({"more": 3})
        server.restart()
        assert prepared.rows({"more": 4}) == [(11,)]
        database.close()
    finally:
        server.close()
