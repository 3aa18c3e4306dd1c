"""Writers that stand in each other's way: nobody's object is refused for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.receive import Outcome
from fileroom.database import Database
from tests.support.archives import ct, running_archive


def wait_until_somebody_waits(database: Database) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with database.read() as connection:
            if connection.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


def test_a_deadlock_between_two_writers_refuses_no_object(tmp_path: Path, database_url: str) -> None:
    """PostgreSQL ends one of the two; run again, its transaction succeeds."""
    with running_archive(tmp_path, database_url) as archive:
        if archive.database.is_sqlite:
            pytest.skip("SQLite has one writer at a time")
        archive.store(ct(1))
        outcomes = []
        sender = threading.Thread(target=lambda: outcomes.append(archive.store(ct(1, study=2, patient="P2")).outcome))
        other = archive.database.engine.connect()
        patient = dict(other.execute(sa.select(schema.patient)).mappings().one())
        study = dict(other.execute(sa.select(schema.study)).mappings().one())
        other.rollback()
        other.execute(sa.insert(schema.study), [study | {"id": 1, "study_uid": "1.2.9.2"}])
        sender.start()
        wait_until_somebody_waits(archive.database)  # the archive holds the patient and wants the study
        try:
            other.execute(sa.insert(schema.patient), [patient | {"id": 1, "identity": "main\x1fP2"}])
        finally:
            other.rollback()
            other.close()
        sender.join(30)
        assert outcomes == [Outcome.STORED]
