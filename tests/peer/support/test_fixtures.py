"""The peers the other tests lean on really start, answer and stop."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support.orthanc import Orthanc
from tests.support.postgres import PostgresServer
from tests.support.processes import NotReady, start


def test_postgres_gives_each_test_an_empty_database_with_fsync_on(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        assert connection.execute("show fsync").fetchone() == ("on",)
        assert connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)


def test_postgres_comes_back_with_its_data_after_a_kill() -> None:
    server = PostgresServer()
    try:
        server.execute("create table kept (word text)")
        server.kill()
        assert not server.answers()
        server.restart()
        server.execute("insert into kept values ('still here')")
    finally:
        server.close()


def test_orthanc_answers_through_both_of_its_doors(
    orthanc: Callable[..., Orthanc], dcmtk: Callable[[str], str]
) -> None:
    server = orthanc(Name="under test")
    assert server.get("/system")["Name"] == "under test"
    assert server.get("/dicom-web/studies") == []
    echo = [dcmtk("echoscu"), "-aec", server.aet, "127.0.0.1", str(server.dicom)]
    assert subprocess.run(echo, timeout=30, check=False).returncode == 0


def test_a_server_that_dies_at_once_shows_its_last_words(tmp_path: Path) -> None:
    process = start(["/bin/sh", "-c", "echo no disk left; exit 3"], tmp_path / "log")
    with pytest.raises(NotReady, match="ended with 3\nno disk left"):
        process.wait_until(lambda: False, 10)


def test_real_objects_are_on_this_disk(real_objects: tuple[Path, ...]) -> None:
    assert len(real_objects) > 100
    assert all(path.stat().st_size > 132 for path in real_objects)
