"""Lines on their way to the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import migrations
from fileroom.audit import schema
from fileroom.audit.event import read
from fileroom.audit.journal import Journal
from fileroom.audit.outbox import put, sequence, waiting
from fileroom.audit.reading import rows
from fileroom.audit.subjects import of_patient, of_study
from fileroom.audit.verify import verify
from fileroom.database import Database
from tests.support.tampering import view


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def numbers(database: Database) -> list[int]:
    """What the ledger holds, in order. Fails unless it is whole."""
    with database.read() as connection:
        assert verify(lambda: rows(connection)).good
        return [read(line).at_ms - 1_700_000_000_000 for _, line, _ in rows(connection)]


def test_a_line_goes_with_its_act_and_gets_its_place_later(database: Database) -> None:
    with database.write() as connection:
        put(connection, [view(0), view(1)])
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.info["failed"] = 1 // (put(connection, [view(99)]) or 0)
    with database.read() as connection:
        assert waiting(connection) == 2
    assert numbers(database) == []
    assert sequence(database) == 2
    assert numbers(database) == [0, 1]
    with database.read() as connection:
        assert waiting(connection) == 0
    assert sequence(database) == 0


def test_what_a_line_is_about_is_found(database: Database) -> None:
    with database.write() as connection:
        put(connection, [view(number) for number in range(12)])
    sequence(database)
    about = schema.ledger_about
    with database.read() as connection:
        for subject, positions in ((of_patient("DEMO-1"), [1, 6, 11]), (of_study("1.2.3.7"), [7])):
            query = sa.select(about.c.position).where(about.c.subject == subject).order_by(about.c.position)
            assert list(connection.execute(query).scalars()) == positions


def test_many_that_write_and_many_that_sequence_lose_and_double_nothing(database: Database) -> None:
    journal, done = Journal(database), threading.Event()

    def write(first: int) -> None:
        for number in range(first, first + 40):
            journal.record([view(number)])

    def give_places() -> None:
        while not done.is_set():
            sequence(database)

    writers = [threading.Thread(target=write, args=(at * 40,)) for at in range(4)]
    sequencers = [threading.Thread(target=give_places) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    journal.close()
    sequence(database)
    found = numbers(database)
    assert sorted(found) == list(range(160))
    for at in range(4):
        mine = [number for number in found if at * 40 <= number < at * 40 + 40]
        assert mine == sorted(mine)  # the order in which each said it


def test_what_the_database_refuses_is_kept_and_written_once_it_works(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/not-yet.sqlite")  # no tables: every write fails
    journal = Journal(database)
    journal.record([view(1)])
    assert not journal.well
    migrations.upgrade(database)
    journal.record([view(2)])
    assert journal.well
    journal.close()
    sequence(database)
    assert numbers(database) == [1, 2]
    database.close()
