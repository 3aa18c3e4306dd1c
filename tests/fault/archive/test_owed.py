"""The database goes away while an object is on its way to the index: it is whole in its pack, and owed to the index."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.archive import schema
from fileroom.archive.heal import heal
from fileroom.archive.indexing import Indexer
from fileroom.archive.packs import Packs
from fileroom.archive.receive import Outcome
from fileroom.archive.scrub import scrub
from fileroom.database import Database
from tests.support.archives import Archive, ct, encoded, running_archive


class Gate:
    """The database, closed to writers from the moment a batch comes to the index until it is opened again."""

    def __init__(self, database: Database) -> None:
        self._holder = database.engine.connect()

    def close(self) -> None:
        if self._holder.engine.dialect.name == "sqlite":
            self._holder.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            self._holder.exec_driver_sql("LOCK TABLE instance, study, pack IN EXCLUSIVE MODE")

    def open(self) -> None:
        self._holder.rollback()


@contextmanager
def gated(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Gate]:
    """Closes once, when the next batch comes to the index: its objects were claimed and written by then."""
    database = Database(database_url)
    gate, done = Gate(database), threading.Event()
    index = Indexer._index_all

    def close_then_index(indexer: Indexer, batches: list[Any]) -> None:
        if not done.is_set():
            done.set()
            gate.close()
        index(indexer, batches)

    monkeypatch.setattr(Indexer, "_index_all", close_then_index)
    yield gate
    gate.open()
    database.close()


@contextmanager
def impatient(monkeypatch: pytest.MonkeyPatch, home: Path, database_url: str) -> Iterator[Archive]:
    """An archive whose database gives up after a quarter of a second of waiting for a lock."""
    original = Database.__init__

    def init(self: Database, url: str, **_: float) -> None:
        original(self, url, busy_timeout_seconds=0.25)
        if not self.is_sqlite:
            sa.event.listen(self.engine, "connect", lambda c, _r: (c.execute("SET lock_timeout = '250ms'"), c.commit()))

    migrations.upgrade(Database(database_url))
    monkeypatch.setattr(Database, "__init__", init)
    with running_archive(home, database_url) as archive:
        monkeypatch.setattr(Database, "__init__", original)
        yield archive


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with impatient(monkeypatch, tmp_path, database_url) as running:
        yield running


def test_what_is_owed_is_indexed_by_itself_as_soon_as_the_database_is_back(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    with gated(monkeypatch, database_url) as gate:
        with pytest.raises(errors.DatabaseUnavailable):
            archive.store(ct(1))
        assert not archive.receiver.committer.alive  # and /readyz says so
        gate.open()
        wait_until_well(archive)
        (found,) = archive.retriever.instances("1.2.9.1")
        assert archive.retriever.dataset(found).read() == encoded(ct(1))
        assert archive.store(ct(1)).outcome is Outcome.DUPLICATE
    assert scrub(archive.database, archive.packs).findings == ()


def test_an_owed_object_sent_again_meanwhile_waits_for_the_first_and_is_written_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    with gated(monkeypatch, database_url) as gate:
        with pytest.raises(errors.DatabaseUnavailable):
            archive.store(ct(1))
        heard: list[object] = []

        def again() -> None:
            while not any(isinstance(what, Outcome) for what in heard):
                try:
                    heard.append(archive.store(ct(1)).outcome)
                except errors.DatabaseUnavailable as error:
                    heard.append(error)

        sender = threading.Thread(target=again)
        sender.start()
        gate.open()
        sender.join(30)
        assert not sender.is_alive()
    assert sum(raw.count(encoded(ct(1))) for raw in (p.read_bytes() for p in archive.packs.folder.glob("*.tar"))) == 1
    assert scrub(archive.database, archive.packs).findings == ()


def test_other_bytes_under_an_owed_uid_are_a_conflict(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    with gated(monkeypatch, database_url) as gate:
        with pytest.raises(errors.DatabaseUnavailable):
            archive.store(ct(1))
        gate.open()
        assert archive.store(ct(1, pixels=bytes(32))).outcome is Outcome.CONFLICT
    assert scrub(archive.database, archive.packs).findings == ()


def test_what_is_still_owed_at_the_end_the_next_start_indexes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    with impatient(monkeypatch, tmp_path, database_url) as archive:
        archive.store(ct(2))
        with gated(monkeypatch, database_url) as gate:
            with pytest.raises(errors.DatabaseUnavailable):
                archive.store(ct(1))
            archive.receiver.stop()
            gate.open()
        archive.receiver.start = archive.receiver.stop = lambda: None  # type: ignore[method-assign]
    database, packs = Database(database_url), Packs(tmp_path / "packs")
    with database.read() as connection:
        before = set(connection.execute(sa.select(schema.instance.c.sop_uid)).scalars())
    assert before == {"1.2.9.1.1.2"}
    report = heal(database, packs)
    assert report.objects_indexed == 1
    assert scrub(database, packs).findings == ()
    database.close()


def wait_until_well(archive: Archive) -> None:
    waiting = threading.Event()
    for _ in range(200):
        if archive.receiver.committer.alive:
            return
        waiting.wait(0.05)
    raise AssertionError("what is owed was never indexed")
