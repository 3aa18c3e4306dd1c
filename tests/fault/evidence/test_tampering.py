"""Whoever rewrites the table of observations makes `not evaluated` of a check, never a pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fileroom import migrations
from fileroom.accountability.registry import find
from fileroom.database import Database
from fileroom.evidence.book import Book
from fileroom.evidence.check import Status
from fileroom.evidence.result import UNVERIFIED, Result
from fileroom.evidence.schema import observation

CHECK = find("unmatched-queue")
OTHER = find("room-left")
GOOD, BAD = {"waiting": 0, "oldest_hours": 0}, {"waiting": 1, "oldest_hours": 90}
_YEAR_MS = 365 * 86_400_000
_C = observation.c


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def rewrite(database: Database, *statements: Any) -> None:
    """As whoever owns the table may: the fence is taken away first."""
    with database.write() as connection:
        if database.is_sqlite:
            for name in ("update", "delete", "replace"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS observation_no_{name}")
        else:
            connection.exec_driver_sql("ALTER TABLE observation DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


def row(database: Database, number: int) -> dict[str, Any]:
    with database.read() as connection:
        return dict(connection.execute(sa.select(observation).where(_C.number == number)).mappings().one())


def judged(book: Book, site: str = "main") -> Result:
    [found] = book.results([CHECK], site)
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"facts": '{"oldest_hours":0,"waiting":0}'},
        {"grade": "probed independently"},
        {"observed_ms": 1},
        {"collected_ms": 1},
        {"signature": ""},
    ],
)
def test_a_changed_row_does_not_verify(database: Database, tmp_path: Path, change: dict[str, Any]) -> None:
    book = Book(database, tmp_path, "archive-1")
    book.record(CHECK.id, "main", BAD)
    assert judged(book).status is Status.FAIL
    rewrite(database, sa.update(observation).values(**change))
    assert (judged(book).status, judged(book).why) == (Status.NOT_EVALUATED, UNVERIFIED)


def test_a_pass_of_last_year_cannot_be_replayed(database: Database, tmp_path: Path) -> None:
    now = [1_790_000_000_000]
    book = Book(database, tmp_path, "archive-1", lambda: now[0])
    book.record(CHECK.id, "main", GOOD)
    now[0] += _YEAR_MS
    book.record(CHECK.id, "main", BAD)
    old = row(database, 1)
    for replayed in ({**old, "number": 3}, {**old, "number": 3, "observed_ms": now[0], "collected_ms": now[0]}):
        rewrite(database, sa.delete(observation).where(_C.number == 3), sa.insert(observation).values(**replayed))
        assert (judged(book).status, judged(book).why) == (Status.NOT_EVALUATED, UNVERIFIED)


def test_a_row_of_another_site_check_or_archive_does_not_verify(database: Database, tmp_path: Path) -> None:
    book = Book(database, tmp_path, "archive-1")
    book.record(CHECK.id, "main", GOOD)
    good = row(database, 1)
    rewrite(
        database,
        sa.insert(observation).values(**{**good, "site": "north"}),
        sa.insert(observation).values(**{**good, "check_id": OTHER.id}),
    )
    assert judged(book, "north").why == UNVERIFIED
    assert [one.why for one in book.results([OTHER], "main")] == [UNVERIFIED]
    assert judged(Book(database, tmp_path, "archive-2")).why == UNVERIFIED
    assert judged(book).status is Status.PASS


def test_a_failure_that_is_taken_out_of_the_middle_is_missed(database: Database, tmp_path: Path) -> None:
    book = Book(database, tmp_path, "archive-1")
    for facts in (GOOD, BAD, GOOD):
        book.record(CHECK.id, "main", facts)
    rewrite(database, sa.delete(observation).where(_C.number == 2))
    assert judged(book).status is Status.NOT_EVALUATED
    assert "missing" in judged(book).why


def test_without_the_key_and_with_a_strangers_nothing_passes(database: Database, tmp_path: Path) -> None:
    book = Book(database, tmp_path, "archive-1")
    book.record(CHECK.id, "main", GOOD)
    (tmp_path / "ledger" / "key.pub").unlink()
    assert judged(book).why == UNVERIFIED
    (tmp_path / "ledger" / "signing-key").unlink()
    book.record(OTHER.id, "main", {"free_bytes": 2, "needed_bytes": 1})  # makes a new key
    assert judged(book).why == UNVERIFIED
