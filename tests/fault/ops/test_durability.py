"""Acknowledged means durable: the syscalls of a real server show every byte, name and row synced before the reply.

`kill -9` cannot show this, because the page cache survives it. Each sync taken out makes the same check fail.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import faulty, peers, syscalls
from tests.support.corpus import Instance, ct_slice, tomosynthesis, visit
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, stow

SMALL = ct_slice(visit("ct", 1), 1, 1)
LARGE_FRAMES = 13  # 34 MB: over what is gathered in memory

Traced = Callable[..., list[str]]


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    """Call it with an object, a door and a fault; the promises that were broken."""
    started: list[FileroomServer] = []
    log = tmp_path / "strace.log"

    def run(one: Instance, door: str, fault: str = "") -> list[str]:
        prefix = [_strace(), *syscalls.OPTIONS, "-o", str(log), *(faulty.command(fault) if fault else [])]
        server = FileroomServer(tmp_path / "home", prefix=prefix)
        started.append(server)
        _send(server, one, door)
        server.stop()
        reply = syscalls.c_store_reply(server.dicom) if door != "stow" else syscalls.http_reply(server.web)
        calls = syscalls.read(log.read_text(errors="replace"))
        return syscalls.broken_promises(calls, str(server.home), one.sop_uid, reply)

    yield run
    for server in started:
        server.close()


def _strace() -> str:
    try:
        return peers.program("/usr/bin/strace")
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
        raise


def _send(server: FileroomServer, one: Instance, door: str) -> None:
    if door == "stow":
        assert [said.status for said in stow(server, [one])] == [0]
    elif door == "c-store":
        assert [said.status for said in c_store(server, [one])] == [0]
    else:
        file = one.write(server.home.parent / "object.dcm")
        subprocess.run(
            [peers.dcmtk("storescu"), "-aec", server.aet, "-xe", "127.0.0.1", str(server.dicom), file],
            check=True,
            timeout=60,
        )


@pytest.mark.parametrize("door", ["c-store", "stow", "storescu"])
def test_an_object_is_on_disk_in_the_folder_and_in_the_database_before_its_reply_leaves(
    traced: Traced, door: str
) -> None:
    assert traced(SMALL, door) == []


@pytest.mark.parametrize("door", ["c-store", "stow"])
def test_a_large_object_is_whole_synced_and_named_before_its_reply_leaves(traced: Traced, door: str) -> None:
    assert traced(tomosynthesis(1, frames=LARGE_FRAMES), door) == []


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("no pack sync", ".tar was written and not synced before the database spoke of it"),
        ("no folder sync", "was not synced before the database spoke of it"),
        ("database never synced", "fileroom.sqlite-wal was written and not synced before the reply left"),
        ("database synced at checkpoints only", "fileroom.sqlite-wal was written and not synced before the reply left"),
        ("pack synced after the index", ".tar was written and not synced before the database spoke of it"),
        ("answered before the index", "the reply left before the object was written to the database"),
    ],
)
def test_the_check_fails_without_any_one_of_the_syncs(traced: Traced, fault: str, found: str) -> None:
    assert any(found in finding for finding in traced(SMALL, "c-store", fault))


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("no pack sync", "got its lasting name before its bytes were synced"),
        ("no folder sync after rename", "the folder of"),
    ],
)
def test_the_check_fails_for_a_large_object_too(traced: Traced, fault: str, found: str) -> None:
    assert any(found in finding for finding in traced(tomosynthesis(1, frames=LARGE_FRAMES), "stow", fault))
