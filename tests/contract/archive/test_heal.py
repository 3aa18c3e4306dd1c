"""What heal and rebuild-index do to packs: nothing that may have been promised is ever cut, or believed before it lies
on the disk; no rot brings an object under another patient."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.archive import schema
from fileroom.archive.heal import heal
from fileroom.archive.index import Index
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.scrub import scrub
from fileroom.database import METADATA, Database
from tests.support.archives import Archive, ct, encoded, running_archive


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()


def uids(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(sa.select(schema.instance.c.sop_uid)).scalars())


def forget_all(database: Database) -> None:
    with database.write() as connection:
        for name in (*schema.SHADOWS, "held"):
            connection.execute(sa.delete(METADATA.tables[name]))


def five_objects(archive: Archive) -> list[tuple[int, int, int]]:
    """Pack, start of the header and start of the object, of five objects in one pack."""
    for number in range(1, 6):
        archive.store(ct(number))
    found = [archive.retriever.instance("1.2.9.1", "1.2.9.1.1", f"1.2.9.1.1.{number}") for number in range(1, 6)]
    starts, at = [], 0
    for one in found:
        assert one is not None
        starts.append((one.pack_id, at, one.offset))
        at = one.offset + one.size_bytes + (-one.size_bytes % 512)
    return starts


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_heal_syncs_a_pack_before_it_believes_in_its_objects(
    tmp_path: Path, database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut behind heal leaves rows without bytes, and the object sent again is taken for a duplicate."""
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
    forget_all(database)
    order: list[str] = []
    sync, record = os.fsync, Index.record

    def synced(fd: int) -> None:
        order.append("synced")
        sync(fd)

    def recorded(index: Index, *args: object, **kwargs: object) -> object:
        order.append("indexed")
        return record(index, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Index, "record", recorded)
    assert heal(database, Packs(tmp_path / "packs")).objects_indexed == 1
    assert order[0] == "synced"


@pytest.mark.parametrize("what", [bytes(4096), b"\xff" * 4096], ids=["zeros", "noise"])
@pytest.mark.parametrize("known", [True, False], ids=["with the old database", "without any database"])
def test_a_destroyed_header_in_a_pack_costs_nothing_behind_it(
    what: bytes, known: bool, tmp_path: Path, database_url: str, database: Database
) -> None:
    packs = Packs(tmp_path / "packs")
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
    pack_id, start, offset = starts[2]
    if not known:
        forget_all(database)
    overwrite(packs.path(pack_id), start, what[: offset - start + 600])
    before = packs.path(pack_id).read_bytes()
    report = rebuild_index(database, packs)
    assert uids(database) == {f"1.2.9.1.1.{number}" for number in (1, 2, 4, 5)}
    assert "damaged" in {finding.kind for finding in report.findings}
    assert {finding.kind for finding in scrub(database, packs).findings} == {"damaged"}
    heal(database, packs)
    assert packs.path(pack_id).read_bytes() == before


@pytest.mark.parametrize("what", [bytes(4096), b"\xff" * 4096], ids=["zeros", "noise"])
def test_a_destroyed_last_header_is_not_taken_for_a_torn_tail_after_a_rebuild(
    what: bytes, tmp_path: Path, database_url: str, database: Database
) -> None:
    packs = Packs(tmp_path / "packs")
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
    pack_id, start, offset = starts[4]
    overwrite(packs.path(pack_id), start, what[: offset - start])
    before = packs.path(pack_id).read_bytes()
    for _ in range(2):
        rebuild_index(database, packs)
        heal(database, packs)
    assert packs.path(pack_id).read_bytes() == before
    assert "damaged" in {finding.kind for finding in scrub(database, packs).findings}


def test_a_rebuild_does_not_forget_that_a_pack_is_gone_or_short(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    packs = Packs(tmp_path / "packs")
    for number in (1, 2):
        with running_archive(tmp_path, database_url) as archive:
            archive.store(ct(number))
    gone, short = packs.ids()
    packs.path(gone).unlink()
    packs.path(short).write_bytes(packs.path(short).read_bytes()[:1024])
    for _ in range(2):
        kinds = {(finding.kind, finding.pack_id) for finding in rebuild_index(database, packs).findings}
        assert {("gone", gone), ("short", short)} <= kinds
        assert {("gone", gone), ("short", short)} <= {(f.kind, f.pack_id) for f in heal(database, packs).findings}


def test_rot_in_an_identity_brings_no_object_under_another_patient(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    """Bytes that no longer fit their digest may still be served, but say nothing of whom they belong to."""
    packs = Packs(tmp_path / "packs")
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 4):
            archive.store(ct(number, patient="P7"))
        archive.store(ct(1, study=2, patient="P8"))
        first = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.1")
    assert first is not None
    path = packs.path(first.pack_id)
    at = path.read_bytes().index(encoded(ct(1, patient="P7")))
    overwrite(path, at + encoded(ct(1, patient="P7")).index(b"LO\x02\x00P7") + 4, b"P8")
    report = rebuild_index(database, packs)
    assert [(f.kind, f.sop_uid) for f in report.findings] == [("rot", "1.2.9.1.1.1")]
    with database.read() as connection:
        query = (
            sa.select(schema.study.c.study_uid, schema.patient.c.patient_id)
            .select_from(schema.study.join(schema.patient))
            .order_by(schema.study.c.study_uid)
        )
        assert [tuple(row) for row in connection.execute(query)] == [("1.2.9.1", "P7"), ("1.2.9.2", "P8")]
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.held)).scalar() == 0
    assert {"1.2.9.1.1.2", "1.2.9.1.1.3", "1.2.9.2.1.1"} <= uids(database)


def test_a_scrub_while_objects_arrive_raises_no_alarm(tmp_path: Path, database_url: str, database: Database) -> None:
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(1))
    with running_archive(tmp_path, database_url) as archive:
        archive.store(ct(2))
        later = iter((3, 4))

        def meanwhile(_done: int, _total: int) -> None:
            for number in later:
                archive.store(ct(number))

        assert scrub(database, archive.packs, meanwhile).findings == ()
        assert len(uids(database)) == 4


@pytest.mark.parametrize("where", ["header", "object", "large object"])
def test_a_sector_that_cannot_be_read_costs_only_its_object(
    where: str, tmp_path: Path, database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = Packs(tmp_path / "packs")
    large = where == "large object"
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 6):
            archive.store(ct(number, pixels=bytes((5 << 20) if large and number == 3 else 8000)))
        bad = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.3")
        assert bad is not None
        sector = bad.offset - 600 if where == "header" else bad.offset + bad.size_bytes - 100
        pread = os.pread

        def failing(fd: int, size: int, offset: int) -> bytes:
            if offset <= sector < offset + size and os.path.realpath(f"/proc/self/fd/{fd}").endswith(".tar"):
                raise OSError(errno.EIO, "Input/output error")
            return pread(fd, size, offset)

        monkeypatch.setattr(os, "pread", failing)
        if where == "object":
            with pytest.raises(errors.DamagedPack):
                archive.retriever.file(bad).read()
        kinds = {finding.kind for finding in scrub(database, packs).findings}
        assert kinds == ({"damaged", "missing"} if where == "header" else {"rot"})
    rebuild_index(database, packs)
    assert uids(database) >= {f"1.2.9.1.1.{number}" for number in (1, 2, 4, 5)}


def test_a_pack_that_cannot_be_finished_does_not_keep_the_archive_shut(
    tmp_path: Path, database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
    forget_all(database)
    packs = Packs(tmp_path / "packs")
    overwrite(packs.path(starts[0][0]), packs.path(starts[0][0]).stat().st_size - 1024, b"half a member")

    def full(fd: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", full)
        assert "open" in {finding.kind for finding in heal(database, packs).findings}
    assert len(uids(database)) == 5
    heal(database, packs)
    assert scrub(database, packs).findings == ()


def test_a_damaged_last_object_of_a_finished_pack_is_not_cut_off_though_no_database_knows_it(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
    forget_all(database)
    packs = Packs(tmp_path / "packs")
    path = packs.path(starts[-1][0])
    overwrite(path, starts[-1][1] + 100, os.urandom(1000))
    before = path.read_bytes()
    assert "damaged" in {finding.kind for finding in heal(database, packs).findings}
    assert path.read_bytes() == before
    assert not list(packs.aside.iterdir())
    assert len(uids(database)) == 4


BLACK = bytes(20_000)  # pixels that cannot be told from an end mark


@pytest.mark.parametrize("torn_bytes", [3000, 8192, 15_000, 19_999])
def test_a_tail_torn_in_black_pixels_is_not_taken_for_a_finished_pack(
    tmp_path: Path, database_url: str, database: Database, torn_bytes: int
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
        archive.store(ct(6, pixels=BLACK))
        path = archive.packs.path(starts[0][0])
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(BLACK) + torn_bytes])
    forget_all(database)
    packs = Packs(tmp_path / "packs")
    assert [finding.kind for finding in heal(database, packs).findings] == ["aside"]
    assert uids(database) == {f"1.2.9.1.1.{number}" for number in range(1, 6)}
    assert scrub(database, packs).findings == ()
    assert heal(database, packs).packs_closed == 0


def test_a_last_object_of_which_only_the_size_reached_the_disk_is_not_taken_for_a_finished_pack(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    """As after power loss: the file is as long as it was to be, the blocks at its end hold zeros."""
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
        archive.store(ct(6, pixels=b"\7" * len(BLACK)))
        path = archive.packs.path(starts[0][0])
    raw = path.read_bytes()[:-1024]
    lost = raw.index(b"\7" * len(BLACK)) + 5000
    path.write_bytes(raw[:lost] + bytes(len(raw) - lost))
    forget_all(database)
    packs = Packs(tmp_path / "packs")
    assert [finding.kind for finding in heal(database, packs).findings] == ["aside"]
    assert scrub(database, packs).findings == ()


def test_a_rotten_last_object_in_black_of_a_finished_pack_is_named_and_not_cut_off(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        starts = five_objects(archive)
        archive.store(ct(6, pixels=BLACK))
        path = archive.packs.path(starts[0][0])
    overwrite(path, path.read_bytes().index(BLACK) + 100, b"\1")
    before = path.read_bytes()
    forget_all(database)
    packs = Packs(tmp_path / "packs")
    assert [(f.kind, f.sop_uid) for f in heal(database, packs).findings] == [("rot", "1.2.9.1.1.6")]
    assert path.read_bytes() == before
