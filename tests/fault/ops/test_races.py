"""Senders at the same time through different doors: nothing twice, nothing merged that must not be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from fileroom.archive.held import held_counts
from tests.support.corpus import Instance, ct_study
from tests.support.fileroom import FileroomServer
from tests.support.senders import Said, c_store, dataset_digest, fetch, stow
from tests.support.truth import disagreements, opened, served

COUNT = 25
CONFLICT, HELD = 0x0111, 0xC110

StartFileroom = Callable[..., FileroomServer]


@pytest.fixture
def server(start_fileroom: StartFileroom, database_url: str) -> FileroomServer:
    return start_fileroom(FILEROOM_DATABASE_URL=database_url)


def by_c_store(server: FileroomServer, objects: Sequence[Instance]) -> list[Said]:
    return list(c_store(server, objects))


def by_stow_singly(server: FileroomServer, objects: Sequence[Instance]) -> list[Said]:
    return [said for one in objects for said in stow(server, [one])]


DOORS = (by_c_store, stow, by_c_store, by_stow_singly)


def at_once(server: FileroomServer, loads: Sequence[Sequence[Instance]]) -> list[list[Said]]:
    """Each load by a sender of its own, C-STORE and STOW in turn, all starting together."""
    start = threading.Barrier(len(loads))
    said: list[list[Said]] = [[] for _ in loads]

    def send(number: int, objects: Sequence[Instance]) -> None:
        start.wait(30)
        said[number] = DOORS[number](server, objects)

    threads = [threading.Thread(target=send, args=pair) for pair in enumerate(loads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return said


def held(server: FileroomServer) -> dict[str, int]:
    database, _ = opened(server)
    try:
        return held_counts(database)
    finally:
        database.close()


def test_the_same_objects_through_both_doors_at_once_are_kept_once(server: FileroomServer) -> None:
    objects = list(ct_study(1, slices=COUNT))
    answers = at_once(server, [objects] * 4)
    assert all(one.acknowledged for said in answers for one in said)
    assert served(server) == COUNT
    assert held(server) == {}
    assert disagreements(server) == []
    packed = b"".join(path.read_bytes() for path in (server.home / "packs").glob("*.tar"))
    assert all(packed.count(one.dataset) == 1 for one in objects)


def test_one_uid_with_different_bytes_at_once_serves_one_and_holds_the_others(server: FileroomServer) -> None:
    first = list(ct_study(2, slices=COUNT))
    loads = [[replace(one, pixels=bytes([n]) * len(one.pixels)) for one in first] for n in range(4)]
    answers = at_once(server, loads)
    for number in range(COUNT):
        statuses = [said[number].status for said in answers]
        assert sorted(statuses) == [0, CONFLICT, CONFLICT, CONFLICT]
        winner = loads[statuses.index(0)][number]
        file = fetch(server, winner)
        assert file is not None
        assert dataset_digest(file) == winner.digest
    assert held(server) == {"conflict": 3 * COUNT}
    assert served(server) == COUNT
    assert disagreements(server) == []


def test_one_study_under_two_patients_at_once_is_the_first_ones_and_the_other_is_held(server: FileroomServer) -> None:
    objects = list(ct_study(3, slices=2 * COUNT))
    mine, others = objects[:COUNT], objects[COUNT:]
    assert all(b"CT0000003" in one.header for one in others)
    theirs = [replace(one, header=one.header.replace(b"CT0000003", b"CT9999999")) for one in others]
    answers = at_once(server, [mine, theirs])
    statuses = [{one.status for one in said} for said in answers]
    assert sorted(statuses, key=max) == [{0}, {HELD}]
    assert served(server) == COUNT
    assert held(server) == {"patient": COUNT}
    assert disagreements(server) == []
    served_ones, held_ones = (mine, theirs) if statuses[0] == {0} else (theirs, mine)
    assert all(fetch(server, one) is not None for one in served_ones)
    assert all(fetch(server, one) is None for one in held_ones)
