"""Whatever cannot be read, an archive says so, has the size it was announced with, and holds all the rest."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from fileroom import errors
from fileroom.archive.contents import contents
from fileroom.archive.hide import hide
from fileroom.archive.packs import FileRange
from fileroom.archive.receive import ReceiveLimits
from fileroom.media.plan import Plan, plan
from fileroom.media.stream import Stream
from tests.support.archives import Archive, ct, running_archive

LARGE = 3 << 20  # an object that is not read whole, and lies in a pack of its own


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    """Two studies: three small objects and a large one; one small one."""
    with running_archive(tmp_path, database_url, ReceiveLimits(buffered_bytes_max=1 << 20)) as running:
        for number in (1, 2, 3):
            running.store(ct(number))
        running.store(ct(1, series=2, pixels=bytes(LARGE)))
        running.store(ct(1, study=2, patient="P2"))
        yield running


def planned(archive: Archive, *study_uids: str, series_uid: str | None = None) -> Plan:
    return plan(contents(archive.database, study_uids, series_uid), archive.retriever)


def sent(archive: Archive, made: Plan) -> tuple[zipfile.ZipFile, bytes]:
    """The archive as it leaves; its size is the announced one and every check in it right."""
    pieces = [
        os.pread(part.fd, part.length, part.offset) if isinstance(part, FileRange) else part
        for part in Stream(made, archive.retriever).parts()
    ]
    whole = b"".join(pieces)
    assert len(whole) == made.layout.size_bytes
    file = zipfile.ZipFile(io.BytesIO(whole))
    assert file.testzip() is None
    return file, whole


def objects(file: zipfile.ZipFile) -> list[str]:
    """The SOP Instance UIDs of the files, which have to be those in the DICOMDIR."""
    names = [name for name in file.namelist() if name.startswith("DICOM/")]
    found = [str(pydicom.dcmread(io.BytesIO(file.read(name))).SOPInstanceUID) for name in names]
    records = pydicom.dcmread(io.BytesIO(file.read("DICOMDIR"))).DirectoryRecordSequence
    leaves = [one for one in records if "ReferencedFileID" in one]
    listed = {"/".join(one.ReferencedFileID): one.ReferencedSOPInstanceUIDInFile for one in leaves}
    assert listed == dict(zip(names, found, strict=True))
    return found


def rot(archive: Archive, sop_uid: str, study: int = 1) -> None:
    """Turn the last byte of an object round, where it is stored."""
    (stored,) = [one for one in archive.retriever.instances(f"1.2.9.{study}") if one.sop_uid == sop_uid]
    fd = os.open(archive.packs.path(stored.pack_id), os.O_RDWR)
    at = stored.offset + stored.size_bytes - 1
    os.pwrite(fd, bytes([os.pread(fd, 1, at)[0] ^ 0xFF]), at)
    os.close(fd)


def test_nothing_missing_says_nothing_and_comes_out_the_same_twice(archive: Archive) -> None:
    file, whole = sent(archive, planned(archive, "1.2.9.1", "1.2.9.2"))
    assert objects(file) == ["1.2.9.1.1.1", "1.2.9.1.1.2", "1.2.9.1.1.3", "1.2.9.1.2.1", "1.2.9.2.1.1"]
    assert "MISSING.TXT" not in file.namelist()
    assert sent(archive, planned(archive, "1.2.9.1", "1.2.9.2"))[1] == whole


def test_one_series_is_that_series_alone(archive: Archive) -> None:
    file, _ = sent(archive, planned(archive, "1.2.9.1", series_uid="1.2.9.1.2"))
    assert objects(file) == ["1.2.9.1.2.1"]


@pytest.mark.parametrize("rotten", [["1.2.9.1.1.2"], ["1.2.9.1.2.1"], ["1.2.9.1.1.1", "1.2.9.1.1.3", "1.2.9.1.2.1"]])
def test_what_turns_out_to_be_damaged_is_left_out_and_said(archive: Archive, rotten: list[str]) -> None:
    for sop_uid in rotten:
        rot(archive, sop_uid)
    file, _ = sent(archive, planned(archive, "1.2.9.1"))
    assert objects(file) == sorted({"1.2.9.1.1.1", "1.2.9.1.1.2", "1.2.9.1.1.3", "1.2.9.1.2.1"} - set(rotten))
    note = file.read("MISSING.TXT").decode()
    assert f"{len(rotten)} of 4" in note
    assert all(sop_uid in note for sop_uid in rotten)


def test_a_pack_that_is_gone_is_known_before_and_damage_found_on_the_way_is_added(archive: Archive) -> None:
    (large,) = archive.retriever.instances("1.2.9.1", "1.2.9.1.2")
    archive.packs.path(large.pack_id).unlink()
    archive.packs._open.clear()
    made = planned(archive, "1.2.9.1")
    assert [one.sop_uid for one in made.missing] == ["1.2.9.1.2.1"]
    assert objects(sent(archive, made)[0]) == ["1.2.9.1.1.1", "1.2.9.1.1.2", "1.2.9.1.1.3"]
    rot(archive, "1.2.9.1.1.2")
    file, _ = sent(archive, planned(archive, "1.2.9.1"))
    assert objects(file) == ["1.2.9.1.1.1", "1.2.9.1.1.3"]
    note = file.read("MISSING.TXT").decode()
    assert "2 of 4" in note
    assert "1.2.9.1.2.1" in note
    assert "1.2.9.1.1.2" in note


def test_a_pack_that_was_cut_short_is_known_before(archive: Archive) -> None:
    (large,) = archive.retriever.instances("1.2.9.1", "1.2.9.1.2")
    os.truncate(archive.packs.path(large.pack_id), large.offset + 1000)
    made = planned(archive, "1.2.9.1")
    assert [one.sop_uid for one in made.missing] == ["1.2.9.1.2.1"]
    assert "shorter" in sent(archive, made)[0].read("MISSING.TXT").decode()


def test_a_pack_cut_short_after_the_first_byte_left_still_makes_a_whole_archive(archive: Archive) -> None:
    made = planned(archive, "1.2.9.1")
    (large,) = archive.retriever.instances("1.2.9.1", "1.2.9.1.2")
    os.truncate(archive.packs.path(large.pack_id), large.offset + 1000)
    assert len(objects(sent(archive, made)[0])) == 3


def test_everything_rotten_is_an_archive_that_says_so(archive: Archive) -> None:
    rot(archive, "1.2.9.2.1.1", study=2)
    file, _ = sent(archive, planned(archive, "1.2.9.2"))
    assert objects(file) == []
    assert "1 of 1" in file.read("MISSING.TXT").decode()


def test_when_every_pack_is_gone_there_is_no_archive(archive: Archive) -> None:
    for path in archive.packs.folder.glob("*.tar"):
        path.unlink()
    archive.packs._open.clear()
    with pytest.raises(errors.DamagedPack, match="nothing of it"):
        planned(archive, "1.2.9.1")


def test_a_hidden_study_is_not_in_it(archive: Archive) -> None:
    hide(archive.database, "1.2.9.1", "test", "tester")
    assert objects(sent(archive, planned(archive, "1.2.9.1", "1.2.9.2"))[0]) == ["1.2.9.2.1.1"]


def test_the_notes_and_the_names_hold_no_patient_data(archive: Archive) -> None:
    rot(archive, "1.2.9.1.1.2")
    file, _ = sent(archive, planned(archive, "1.2.9.1", "1.2.9.2"))
    texts = file.read("README.TXT") + file.read("MISSING.TXT") + " ".join(file.namelist()).encode()
    assert b"Test" not in texts
    assert b"P1" not in texts.replace(b"P0000001", b"")
