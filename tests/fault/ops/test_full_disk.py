"""Full, read-only and broken disks: the right status through both doors, nothing lost, recovery without a hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import faulty, peers
from tests.support.corpus import ct_slice, tomosynthesis, visit
from tests.support.disks import SmallDisk, small_disk
from tests.support.fileroom import FileroomServer
from tests.support.ingest import Ledger, lost_or_broken, send_again
from tests.support.senders import Said, c_store, get, stow
from tests.support.truth import disagreements, served

OUT_OF_STORAGE = 0xA700
ROOM = {"FILEROOM_FREE_BYTES_MIN": str(2 << 20)}
LARGE = tomosynthesis(77, frames=13)
OBJECTS = [ct_slice(visit("ct", study), study, number) for study in range(12) for number in range(1, 11)]

MakeDisk = Callable[[Path, int], SmallDisk]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """Call it with a folder and a size in MB for a file system there."""
    with ExitStack() as stack:

        def make(folder: Path, size_mb: int) -> SmallDisk:
            try:
                return stack.enter_context(small_disk(tmp_path / f"{folder.name}.img", folder, size_mb))
            except peers.MissingPeer as error:
                peers.skip_or_fail(error)
                raise

        yield make


@pytest.fixture
def serve(disk: MakeDisk) -> Iterator[Callable[..., FileroomServer]]:
    """Servers, ended before the disks are."""
    started: list[FileroomServer] = []

    def run(home: Path, **keywords: list[str]) -> FileroomServer:
        started.append(FileroomServer(home, ROOM, log=home.parent / "server.log", **keywords))  # type: ignore[arg-type]
        return started[-1]

    yield run
    for server in started:
        server.close()


def readiness(server: FileroomServer) -> tuple[int, dict[str, str]]:
    status, body = get(server, "/readyz", "application/json")
    return status, json.loads(body)["checks"]


def send_until_refused(server: FileroomServer, ledger: Ledger) -> Said:
    """C-STORE and STOW in turn until both doors refused one; the last word of each must be out of storage."""
    refused: dict[str, Said] = {}
    for number, one in enumerate(OBJECTS):
        door = "stow" if number % 2 else "c-store"
        ledger.sending([one])
        (said,) = stow(server, [one]) if door == "stow" else c_store(server, [one])
        ledger.heard(said.sop_uid, said.status)
        if not said.acknowledged:
            refused[door] = said
        if len(refused) == 2:
            break
    assert {said.status for said in refused.values()} == {OUT_OF_STORAGE}
    assert refused["stow"].http == 507
    return refused["c-store"]


def recovered(server: FileroomServer, ledger: Ledger) -> None:
    """Ready again, takes what it refused, serves it all, and packs and index agree."""
    assert server.running.alive()
    server.running.wait_until(server.ready, 15)
    send_again(server, ledger)
    assert lost_or_broken(server, ledger) == []
    assert disagreements(server) == []
    assert served(server) == len(ledger.sent) == len(ledger.acknowledged)


def test_a_full_disk_is_said_and_recovered_from_without_a_hand(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    small = disk(tmp_path / "home", 64)
    server, ledger = serve(tmp_path / "home"), Ledger()
    small.fill(leave=6 << 20)
    send_until_refused(server, ledger)
    assert ledger.acknowledged
    status, checks = readiness(server)
    assert status == 503
    assert "free" in checks["packs"] or "cannot be written" in checks["packs"]
    assert lost_or_broken(server, ledger) == []  # what is there is still served
    small.make_room()
    recovered(server, ledger)
    server.restart()
    assert lost_or_broken(server, ledger) == []


def test_a_large_object_that_finds_no_room_leaves_none_of_it_behind(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    small = disk(tmp_path / "home", 72)
    server, ledger = serve(tmp_path / "home"), Ledger()
    small.fill(leave=20 << 20)
    ledger.sending([LARGE])
    free = small.free
    (said,) = c_store(server, [LARGE])
    assert said.status == OUT_OF_STORAGE
    (said,) = stow(server, [LARGE])
    assert (said.status, said.http) == (OUT_OF_STORAGE, 507)
    assert not list((server.home / "packs").glob("*.part"))
    assert small.free > free - (2 << 20)
    for one in OBJECTS[:4]:  # small ones still go in
        ledger.sending([one])
        (said,) = c_store(server, [one])
        ledger.heard(said.sop_uid, said.status)
    assert len(ledger.acknowledged) == 4
    small.make_room()
    recovered(server, ledger)


def test_a_full_database_disk_is_said_and_recovered_from(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    home = disk(tmp_path / "home", 24)
    disk(tmp_path / "home" / "packs", 96)
    server, ledger = serve(tmp_path / "home"), Ledger()
    home.fill()
    send_until_refused(server, ledger)
    status, checks = readiness(server)
    assert (status, checks["packs"]) == (503, "ok")
    assert checks["archive"] != "ok"
    home.make_room()
    recovered(server, ledger)


def test_full_packs_beside_a_database_with_room_are_said_and_recovered_from(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    disk(tmp_path / "home", 24)
    packs = disk(tmp_path / "home" / "packs", 64)
    server, ledger = serve(tmp_path / "home"), Ledger()
    packs.fill()
    send_until_refused(server, ledger)
    assert readiness(server)[0] == 503
    packs.make_room()
    recovered(server, ledger)


def test_a_read_only_disk_is_said_and_recovered_from(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    packs = disk(tmp_path / "home" / "packs", 64)
    server, ledger = serve(tmp_path / "home"), Ledger()
    packs.read_only(True)
    send_until_refused(server, ledger)
    status, checks = readiness(server)
    assert status == 503
    assert "Read-only" in checks["packs"]
    packs.read_only(False)
    recovered(server, ledger)


def test_a_disk_that_breaks_down_under_open_files_costs_nothing_acknowledged(
    tmp_path: Path, disk: MakeDisk, serve: Callable[..., FileroomServer]
) -> None:
    broken = disk(tmp_path / "home", 64)
    server, ledger = serve(tmp_path / "home"), Ledger()
    ledger.sending(OBJECTS[:10])
    for said in c_store(server, OBJECTS[:10]):
        ledger.heard(said.sop_uid, said.status)
    assert len(ledger.acknowledged) == 10
    broken.break_down()
    send_until_refused(server, ledger)
    assert readiness(server)[0] == 503
    server.kill()
    broken.repair()
    server.start()
    recovered(server, ledger)


def test_where_nothing_can_be_mounted_a_disk_that_says_full_halfway_is_recovered_from(
    tmp_path: Path, serve: Callable[..., FileroomServer]
) -> None:
    full = tmp_path / "full"
    server, ledger = serve(tmp_path / "home", prefix=faulty.command(f"full:{full}")), Ledger()
    ledger.sending(OBJECTS[:5])
    for said in c_store(server, OBJECTS[:5]):
        ledger.heard(said.sop_uid, said.status)
    full.touch()
    send_until_refused(server, ledger)
    ledger.sending([LARGE])
    (said,) = stow(server, [LARGE])
    assert said.http == 507
    full.unlink()
    recovered(server, ledger)
    server.kill()
    server.start()
    recovered(server, ledger)
