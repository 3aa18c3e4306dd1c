"""The fixtures every tier may ask for. `tests/conftest.py` brings them in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import peers, processes
from tests.support.fileroom import FileroomServer
from tests.support.orthanc import Orthanc
from tests.support.postgres import PostgresServer
from tests.support.real_objects import all_files


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Call it for a port on loopback that nobody listens on."""
    return processes.free_port


@pytest.fixture
def dcmtk() -> Callable[[str], str]:
    """Call it with a dcmtk tool's name for its full path; skips, or fails under CI, when it is not installed."""

    def path(name: str) -> str:
        try:
            return peers.dcmtk(name)
        except peers.MissingPeer as error:
            peers.skip_or_fail(error)
            raise

    return path


@pytest.fixture
def dciodvfy() -> str:
    """The full path of the IOD validator."""
    try:
        return peers.dciodvfy()
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
        raise


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One real PostgreSQL for the whole run. Tests that stop or kill it start one of their own instead."""
    try:
        server = PostgresServer()
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
        raise
    yield server
    server.close()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, this test's own."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'index.sqlite'}"
    url = request.getfixturevalue("postgres")
    assert isinstance(url, str)
    return url


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Callable[..., Orthanc]]:
    """Call it for a running Orthanc; keyword arguments are its settings: `orthanc(OverwriteInstances=False)`."""
    started: list[Orthanc] = []

    def run(**settings: Any) -> Orthanc:
        try:
            started.append(Orthanc(tmp_path / f"orthanc-{len(started)}", settings))
        except peers.MissingPeer as error:
            peers.skip_or_fail(error)
        return started[-1]

    yield run
    for server in started:
        server.process.kill()


@pytest.fixture
def start_fileroom(tmp_path: Path) -> Iterator[Callable[..., FileroomServer]]:
    """Call it for a running server: `start_fileroom(FILEROOM_DATABASE_URL=url)`. Several may run at once."""
    started: list[FileroomServer] = []

    def run(home: Path | None = None, **settings: str) -> FileroomServer:
        started.append(FileroomServer(home or tmp_path / f"home-{len(started)}", settings))
        return started[-1]

    yield run
    for server in started:
        server.close()


@pytest.fixture
def fileroom_server(start_fileroom: Callable[..., FileroomServer]) -> FileroomServer:
    """A running server with default settings: SQLite and packs in a temporary home."""
    return start_fileroom()


@pytest.fixture(scope="session")
def real_objects() -> tuple[Path, ...]:
    """Real DICOM files on this disk (`tests.support.real_objects.named` finds one by name)."""
    return all_files()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
