"""Adding to the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.audit import ledger, schema
from fileroom.audit.event import Event, Kind, read, written
from fileroom.audit.ledger import Ledger
from fileroom.audit.tree import EMPTY_ROOT, Range, leaf_hash
from fileroom.database import Database, Standing


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def event(number: int) -> Event:
    return Event(Kind.VIEW, 1_700_000_000_000 + number, f"reader-{number % 3}", patient_id=f"DEMO-{number % 5}")


def rows(database: Database) -> list[tuple[int, bytes, bytes]]:
    columns = (schema.ledger.c.position, schema.ledger.c.line, schema.ledger.c.node)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(schema.ledger.c.position))]


def test_lines_stand_in_order_without_gaps_whatever_the_batches(database: Database) -> None:
    book, grown, number = Ledger(database), Range(), 0
    for batch in (1, 2, 0, 5, 1, 40):
        assert book.record([event(number + at) for at in range(batch)]) == number
        number += batch
    found = rows(database)
    assert [position for position, _, _ in found] == list(range(number))
    for at, (_, line, node) in enumerate(found):
        assert read(line) == event(at)
        assert node == grown.append(leaf_hash(written(event(at)).data))
    with database.read() as connection:
        assert ledger.size(connection) == number
        assert ledger.range_of(connection, number).root() == grown.root()
        assert ledger.range_of(connection, 0).root() == EMPTY_ROOT


def test_an_event_is_kept_if_and_only_if_its_act_is(database: Database) -> None:
    Ledger(database).record([event(0)])
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.info["failed"] = ledger.append(connection, [event(1), event(2)]) // 0
    standing = Standing(database)
    with standing.write() as connection:
        assert ledger.append(connection, [event(3)]) == 1
    standing.close()
    assert [read(line) for _, line, _ in rows(database)] == [event(0), event(3)]


CHANGES = {
    "sqlite": [
        "UPDATE ledger SET line = 'nothing'",
        "DELETE FROM ledger WHERE position = 1",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger",
        "INSERT INTO ledger SELECT * FROM ledger WHERE true ON CONFLICT (position) DO UPDATE SET line = 'nothing'",
        "UPDATE ledger_checkpoint SET note = ''",
        "DELETE FROM ledger_checkpoint",
    ],
    "postgresql": [
        "UPDATE ledger SET line = 'nothing'",
        "DELETE FROM ledger WHERE position = 1",
        "TRUNCATE ledger",
        "INSERT INTO ledger SELECT * FROM ledger WHERE true ON CONFLICT (position) DO UPDATE SET line = 'nothing'",
        "UPDATE ledger_checkpoint SET note = ''",
        "DELETE FROM ledger_checkpoint",
    ],
}


def test_the_tables_refuse_every_change_but_a_new_row(database: Database) -> None:
    Ledger(database).record([event(0), event(1)])
    with database.write() as connection:
        connection.execute(sa.insert(schema.ledger_checkpoint), [{"size": 2, "note": "a", "made_ms": 1}])
    before = rows(database)
    for change in CHANGES["sqlite" if database.is_sqlite else "postgresql"]:
        with pytest.raises(sa.exc.DatabaseError, match="added, never changed"), database.write() as connection:
            connection.exec_driver_sql(change)
    assert rows(database) == before


def test_nothing_is_added_on_top_of_lines_that_are_gone(database: Database) -> None:
    Ledger(database).record([event(number) for number in range(7)])
    drop = "DROP TRIGGER ledger_no_delete" if database.is_sqlite else "DROP TRIGGER ledger_no_change ON ledger"
    with database.write() as connection:
        connection.exec_driver_sql(drop)
        connection.exec_driver_sql("DELETE FROM ledger WHERE position = 3")
    with pytest.raises(errors.DamagedLedger, match="missing"):
        Ledger(database).record([event(7)])
    assert len(rows(database)) == 6
