"""`kill -9` in the middle of a decision: nothing of it is there afterwards, and it can be taken as if never begun."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from fileroom.archive.conflicts import Conflicts
from tests.support import faulty
from tests.support.archives import ct, encoded
from tests.support.deciding import SERIES, SOP, STUDY, send
from tests.support.fileroom import PROGRAM, FileroomServer
from tests.support.senders import ONE_AS_STORED, dataset_digest, get
from tests.support.truth import disagreements, opened

FIRST, CAME = ct(1), ct(1, pixels=bytes(32))


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileroomServer]:
    """One with a conflict in it."""
    settings = {}
    if request.param == "postgresql":
        settings["FILEROOM_DATABASE_URL"] = request.getfixturevalue("postgres")
    started = FileroomServer(tmp_path / "home", settings)
    send(started, FIRST, CAME)
    yield started
    started.close()


def number_of(server: FileroomServer) -> str:
    database, packs = opened(server)
    try:
        (held,) = Conflicts(database, packs).listed(decided=True)
        return str(held.id)
    finally:
        database.close()


def acts(server: FileroomServer) -> list[str]:
    """What the ledger holds, read from outside."""
    database, packs = opened(server)
    try:
        return [act.verdict for act in Conflicts(database, packs).get(int(number_of(server))).acts]
    finally:
        database.close()


def serves(server: FileroomServer) -> str:
    status, file = get(server, f"/dicomweb/studies/{STUDY}/series/{SERIES}/instances/{SOP}", ONE_AS_STORED)
    assert status == 200
    return dataset_digest(file)


def killed_while(server: FileroomServer, spot: str, *arguments: str) -> None:
    """Run a command of `fileroom conflicts` that kills itself at this spot."""
    done = run(server, faulty.command(f"kill:{spot}:1"), *arguments)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("spot", faulty.DECIDING_SPOTS)
def test_killed_in_the_middle_nothing_is_decided_and_nothing_is_undone(server: FileroomServer, spot: str) -> None:
    number = number_of(server)
    replace = ("--decide", number, "--verdict", "replace")
    killed_while(server, spot, *replace)
    assert (serves(server), acts(server)) == (digest(FIRST), [])
    assert disagreements(server) == []
    assert run(server, [], *replace).returncode == 0
    assert serves(server) == digest(CAME)
    killed_while(server, spot, "--undo", number)
    assert (serves(server), acts(server)) == (digest(CAME), ["replace"])
    server.restart()
    assert run(server, [], "--undo", number).returncode == 0
    assert (serves(server), acts(server)) == (digest(FIRST), ["replace", "undo"])
    assert disagreements(server) == []


def digest(dataset: Dataset) -> str:
    return hashlib.sha256(encoded(dataset)).hexdigest()


def run(server: FileroomServer, prefix: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, PROGRAM, "conflicts", *arguments, "--home", str(server.home)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | server.environment,
        check=False,
    )
