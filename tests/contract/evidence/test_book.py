"""Observations are kept, signed and numbered, and judged when they are read; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import migrations
from fileroom.accountability.answers import answer, document, observe, open_book
from fileroom.accountability.observing import OBSERVERS, Place
from fileroom.accountability.registry import all_checks, find
from fileroom.archive.binding import bind
from fileroom.archive.packs import Packs
from fileroom.database import Database
from fileroom.evidence.book import Book
from fileroom.evidence.check import Status
from fileroom.evidence.schema import observation
from fileroom.settings import Settings

CHECK = find("unmatched-queue")
GOOD = {"waiting": 0, "oldest_hours": 0}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def test_what_was_seen_is_judged_anew_at_every_reading(database: Database, tmp_path: Path) -> None:
    now = [1_790_000_000_000]
    book = Book(database, tmp_path, "archive-1", lambda: now[0])
    assert [one.status for one in book.results([CHECK], "main")] == [Status.NOT_EVALUATED]
    book.record(CHECK.id, "main", GOOD)
    assert [one.status for one in book.results([CHECK], "main")] == [Status.PASS]
    assert [one.status for one in book.results([CHECK], "north")] == [Status.NOT_EVALUATED]
    now[0] += CHECK.fresh_for_seconds * 1000
    assert [one.status for one in book.results([CHECK], "main")] == [Status.STALE]
    book.record(CHECK.id, "main", {"waiting": 1, "oldest_hours": 80})
    assert [one.status for one in book.results([CHECK], "main")] == [Status.FAIL]
    book.record(CHECK.id, "main", GOOD)
    now[0] -= 1
    assert [one.status for one in book.results([CHECK], "main")] == [Status.NOT_EVALUATED]
    assert [one.number for one in book.history(CHECK.id, "main", 2)] == [3, 2]


def test_writers_at_once_lose_nothing_and_leave_no_gap(database: Database, tmp_path: Path) -> None:
    book = Book(database, tmp_path, "archive-1")
    book.record(CHECK.id, "main", GOOD)
    with ThreadPoolExecutor(4) as pool:
        for written in [pool.submit(book.record, CHECK.id, "main", GOOD) for _ in range(4)]:
            written.result(60)
    assert [one.number for one in book.history(CHECK.id, "main", 9)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "statement", ["UPDATE observation SET grade = 'x'", "DELETE FROM observation", "INSERT OR REPLACE"]
)
def test_the_table_refuses_every_change(database: Database, tmp_path: Path, statement: str) -> None:
    Book(database, tmp_path, "archive-1").record(CHECK.id, "main", GOOD)
    if statement == "INSERT OR REPLACE":
        if not database.is_sqlite:
            return
        statement += " INTO observation SELECT * FROM observation"
    with pytest.raises(sa.exc.DBAPIError, match="never changed"), database.write() as connection:
        connection.exec_driver_sql(statement)


def test_an_archive_looks_at_itself_and_answers(database: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    bind(database, Packs(settings.packs))
    book, place = open_book(database, tmp_path), Place(database, settings)
    for name in OBSERVERS:
        observe(book, find(name), place)
    found = document(answer(book, "main"), None)
    status = {one["id"]: one["status"] for one in found["checks"]}
    assert len(status) == len(all_checks())
    assert (status["software-list"], status["unmatched-queue"]) == ("pass", "pass")
    assert status["index-and-packs"] == status["scrub"] == "not evaluated"  # nothing is here to compare
    assert status["ledger-verifies"] == "fail"  # no line, no checkpoint elsewhere
    assert {one["status"] for question in found["questions"] for one in question["sentences"]} == {
        "proven",
        "not proven",
    }
    assert [set(one) for one in found["checks"]] == [
        {"id", "status", "observed_at", "valid_until", "grade", "owner"}
    ] * len(status)
    with database.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(observation)).scalar_one()
    assert rows == len(OBSERVERS)
