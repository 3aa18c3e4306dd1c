"""Whatever goes wrong on an object's way in, its memory and descriptors come back and its sender is told."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema, tar
from fileroom.archive.heal import heal
from fileroom.archive.packs import Bytes, PackWriter
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import Outcome, ReceiveLimits
from fileroom.database import Ids
from tests.support.archives import Archive, ct, running_archive

SMALL = ReceiveLimits(buffered_bytes_max=1 << 20, object_bytes_max=8 << 20, memory_bytes_max=4 << 20)


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url, SMALL) as running:
        yield running


def in_time(act: object, seconds: float = 20) -> object:
    """What it returns or raises; fails when it takes for ever."""
    heard: list[object] = []

    def run() -> None:
        try:
            heard.append(act())  # type: ignore[operator]
        except errors.FileroomError as error:
            heard.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert heard, "the sender waits for ever"
    return heard[0]


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [3 << 20, 9 << 20], ids=["no room on the disk", "too large"])
def test_a_large_object_that_fails_gives_everything_back(
    size: int, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = PackWriter.append
    if size < SMALL.object_bytes_max:

        def full(writer: PackWriter, pieces: Sequence[Bytes]) -> None:
            raise errors.StorageFull("full")

        monkeypatch.setattr(PackWriter, "append", full)
    before = open_descriptors()
    for _ in range(20):
        with pytest.raises((errors.StorageFull, errors.ObjectTooLarge)):
            archive.store(ct(1, pixels=bytes(size)))
    assert open_descriptors() - before < 10
    assert not list(archive.packs.folder.glob("*.part"))
    assert archive.receiver._shared.buffers.free_bytes == SMALL.memory_bytes_max, "memory was not given back"
    monkeypatch.setattr(PackWriter, "append", append)
    assert archive.store(ct(1, pixels=bytes(3 << 20))).outcome is Outcome.STORED


def test_a_large_object_whose_header_fails_keeps_nobody_waiting(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = tar.header

    def broken(*_: object) -> bytes:
        raise ValueError("no room for the filler")

    monkeypatch.setattr(tar, "header", broken)
    large = ct(1, pixels=bytes(3 << 20))
    assert isinstance(in_time(lambda: archive.store(large)), errors.StorageFull)
    monkeypatch.setattr(tar, "header", header)
    assert in_time(lambda: archive.store(large).outcome) is Outcome.STORED
    assert not list(archive.packs.folder.glob("*.part"))


def test_a_defect_in_the_index_thread_keeps_nobody_waiting(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one in what is done about another defect."""

    def defect(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(archive.receiver.committer._indexer, "_record", defect)
    for number in (1, 2):
        assert isinstance(in_time(lambda number=number: archive.store(ct(number))), errors.FileroomError)
    monkeypatch.undo()
    assert in_time(lambda: archive.store(ct(3)).outcome) is Outcome.STORED


def test_after_the_end_nobody_waits(archive: Archive) -> None:
    archive.receiver.stop()
    for pixels in (b"", bytes(3 << 20)):
        assert isinstance(in_time(lambda pixels=pixels: archive.store(ct(1, pixels=pixels))), errors.FileroomError)


def once(key: int, then: Callable[[], int]) -> Callable[[], int]:
    keys = [key]
    return lambda: keys.pop() if keys else then()


def test_two_processes_that_made_the_same_row_key_both_store(
    archive: Archive, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second takes another; so do the next start and a rebuild, whatever the packs say."""
    with running_archive(archive.home, database_url, SMALL) as other:
        archive.store(ct(1))
        other.store(ct(2))
        key = archive.receiver.committer._ids.next()
        for which in (archive, other):
            ids = which.receiver.committer._ids
            monkeypatch.setattr(ids, "next", once(key, ids.next))
        assert archive.store(ct(3)).outcome is Outcome.STORED
        assert other.store(ct(4)).outcome is Outcome.STORED
        monkeypatch.undo()
        assert other.store(ct(5)).outcome is Outcome.STORED
    report = rebuild_index(archive.database, archive.packs)
    assert (report.objects, report.findings) == (5, ())
    archive.receiver.stop()
    with archive.database.write() as connection:
        connection.execute(sa.delete(schema.instance))
        connection.execute(sa.update(schema.pack).values(closed=False, size_bytes=0))
    heal(archive.database, archive.packs)
    with archive.database.read() as connection:
        assert len(connection.execute(sa.select(schema.instance.c.id)).all()) == 5


def test_keys_go_on_rising_when_the_clock_went_back(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
        before = max(archive.packs.ids())
    monkeypatch.setattr("fileroom.database.time.time", lambda: 1_600_000_000.0)
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(2))
        assert max(archive.packs.ids()) > before
        with archive.database.read() as connection:
            query = sa.select(schema.instance.c.sop_uid).order_by(schema.instance.c.id)
            assert list(connection.execute(query).scalars()) == ["1.2.9.1.1.1", "1.2.9.1.1.2"]
        first, second = archive.packs.ids()
    assert Ids(after=second).next() > second > first


def test_a_pack_never_takes_the_place_of_another(archive: Archive) -> None:
    writer = archive.packs.create(5)
    with pytest.raises(errors.StorageFull):
        archive.packs.create(5, unfinished=True)
    assert [path.name for path in archive.packs.folder.glob("*5.*")] == [writer.path.name]
    writer.close()


def test_a_folder_that_cannot_be_synced_leaves_no_empty_pack(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_fd: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(errors.StorageFull):
        archive.packs.create(7)
    assert not archive.packs.path(7).exists()


def test_an_object_larger_than_a_tar_header_can_say_is_refused(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size of twelve octal digits would push the header over the object's first byte."""
    assert tar.OBJECT_BYTES_MAX == (8 << 30) - 1
    monkeypatch.setattr(tar, "OBJECT_BYTES_MAX", 2 << 20)
    with (
        running_archive(tmp_path, database_url, ReceiveLimits(buffered_bytes_max=1 << 20)) as archive,
        pytest.raises(errors.ObjectTooLarge),
    ):
        archive.store(ct(1, pixels=bytes(3 << 20)))
