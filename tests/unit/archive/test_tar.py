"""The pack format: what is written is a tar any tool reads, and what was damaged is found, not believed."""

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom import errors
from fileroom.archive import tar

PACK = 0x1234


def label(n: int, sop_uid: str = "", **other: object) -> tar.Label:
    fields = {
        "study_uid": "1.2.3",
        "series_uid": "1.2.3.4",
        "sop_uid": sop_uid or f"1.2.3.4.{n}",
        "digest": f"{n:064x}",
        "prefix_digest": "0" * 64,
        "prefix_bytes": 4,
        "site": "MAIN",
        "source": "dimse:CT1",
        "arrived_ms": 1_700_000_000_000 + n,
        "sequence": n,
    }
    return tar.Label(**(fields | other))  # type: ignore[arg-type]


def write_pack(path: Path, labels: list[tar.Label], size: int = 700) -> list[int]:
    starts = []
    with path.open("wb") as file:
        for number, one in enumerate(labels):
            starts.append(file.tell())
            file.write(tar.header(one, size, PACK, file.tell()))
            file.write(bytes([number % 251]) * size + tar.padding(size))
        file.write(tar.END)
    return starts


def walk(path: Path) -> list[tar.Member]:
    fd = os.open(path, os.O_RDONLY)
    try:
        return list(tar.walk(fd, PACK, 0, path.stat().st_size))
    finally:
        os.close(fd)


def test_a_pack_is_a_plain_tar_with_the_uids_as_names(tmp_path: Path) -> None:
    write_pack(tmp_path / "p.tar", [label(n) for n in range(5)])
    with tarfile.open(tmp_path / "p.tar") as plain:
        names = plain.getnames()
        assert names == [f"1.2.3/1.2.3.4/1.2.3.4.{n}.dcm" for n in range(5)]
        third = plain.extractfile(names[3])
        assert third is not None
        assert third.read() == b"\x03" * 700
        assert plain.getmember(names[3]).pax_headers["FILEROOM.sha256"] == f"{3:064x}"


def test_walking_a_pack_gives_back_every_label_and_place(tmp_path: Path) -> None:
    labels = [label(n, site="Südspital", conflict=n == 2) for n in range(5)]
    starts = write_pack(tmp_path / "p.tar", labels)
    members = walk(tmp_path / "p.tar")
    assert [m.label for m in members] == labels
    assert [m.start for m in members] == starts
    assert all(m.size_bytes == 700 for m in members)


@pytest.mark.parametrize("marker", ["FILEROOM.crc=1", "FILEROOM.at=0:0", "FILEROOM.sha256=0", "comment="])
def test_a_sender_whose_name_reads_like_a_record_does_not_break_its_objects(marker: str, tmp_path: Path) -> None:
    hostile = [label(0), label(1, source=f"dimse:A {marker}"), label(2, site=f"A {marker}")]
    write_pack(tmp_path / "p.tar", hostile)
    assert [member.label for member in walk(tmp_path / "p.tar")] == hostile


def test_long_uids_keep_their_full_name(tmp_path: Path) -> None:
    long = "1." + "9" * 62
    write_pack(tmp_path / "p.tar", [label(1, study_uid=long, series_uid=long, sop_uid=long)])
    with tarfile.open(tmp_path / "p.tar") as plain:
        assert plain.getnames() == [f"{long}/{long}/{long}.dcm"]


@pytest.mark.parametrize("uid", ["../../etc/passwd", "..", ".", "1/2", "a", "1.2\x7f", "<b>", "…"])
def test_a_uid_that_would_be_an_unsafe_name_is_never_a_file_name(uid: str, tmp_path: Path) -> None:
    write_pack(tmp_path / "p.tar", [label(7, sop_uid=uid)])
    with tarfile.open(tmp_path / "p.tar") as plain:
        assert plain.getnames() == [f"{7:064x}.dcm"]
    assert walk(tmp_path / "p.tar")[0].label.sop_uid == uid


def test_a_conflicting_object_lies_apart(tmp_path: Path) -> None:
    write_pack(tmp_path / "p.tar", [label(9, conflict=True)])
    with tarfile.open(tmp_path / "p.tar") as plain:
        assert plain.getnames() == [f"conflicts/{9:064x}/1.2.3/1.2.3.4/1.2.3.4.9.dcm"]


def test_a_header_written_late_fills_exactly_the_room_kept_for_it(tmp_path: Path) -> None:
    for uid in ("1.2", "1." + "9" * 62):
        one = label(1, study_uid=uid, series_uid=uid, sop_uid=uid)
        head = tar.header(one, 10, PACK, 0, records_bytes=tar.RESERVED_BYTES)
        assert len(head) == tar.RESERVED_BYTES + 2 * tar.BLOCK
        (tmp_path / "p.tar").write_bytes(head + bytes(10) + tar.padding(10) + tar.END)
        assert walk(tmp_path / "p.tar")[0].label == one


def test_damage_is_found_and_the_members_behind_it_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "p.tar"
    starts = write_pack(path, [label(n) for n in range(6)])
    raw = bytearray(path.read_bytes())
    raw[starts[2] + 700] ^= 1  # inside the records of the third member
    path.write_bytes(raw)
    fd = os.open(path, os.O_RDONLY)
    found = []
    with pytest.raises(errors.DamagedPack):
        found.extend(m.label.sequence for m in tar.walk(fd, PACK, 0, len(raw)))
    assert tar.resync(fd, PACK, starts[2], len(raw)) == starts[3]
    os.close(fd)


def test_a_member_hidden_inside_an_object_does_not_pose_as_one(tmp_path: Path) -> None:
    inner = tar.header(label(66), 8, PACK, 0) + bytes(512)
    size = len(inner)
    head = tar.header(label(1), size, PACK, 0)
    path = tmp_path / "p.tar"
    second = len(head) + size
    path.write_bytes(head + inner + tar.header(label(2), 8, PACK, second) + bytes(512) + tar.END)
    fd = os.open(path, os.O_RDONLY)
    assert tar.resync(fd, PACK, 0, path.stat().st_size) == second
    os.close(fd)


@given(cut=st.integers(0, 6000), flip=st.integers(0, 6000))
@settings(max_examples=150, deadline=None)
def test_cut_or_flipped_packs_never_give_a_wrong_member(
    cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pack") / "p.tar"
    labels = [label(n) for n in range(3)]
    write_pack(path, labels, size=60)
    raw = bytearray(path.read_bytes())[: max(cut, 1)]
    raw[flip % len(raw)] ^= 0x10
    path.write_bytes(raw)
    fd = os.open(path, os.O_RDONLY)
    try:
        for member in tar.walk(fd, PACK, 0, len(raw)):
            assert member.label in labels or member.label.sequence > 2
    except errors.DamagedPack:
        pass
    finally:
        os.close(fd)
