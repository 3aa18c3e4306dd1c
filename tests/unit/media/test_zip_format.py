"""ZIP archives that other programs read, also where numbers outgrow 32 bits."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path

import pytest

from fileroom.media.zip_format import WIDE, Layout, dos_time, filling, layout, slot

MODIFIED = dos_time(2024, 2, 29, 13, 45, 58)


def sparse(path: Path, plan: Layout) -> Path:
    """The archive with zeros for bodies, as a file with holes; its checks are those of nothing."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    at, central = 0, b""
    for one in plan.slots:
        os.pwrite(fd, one.local_head(0, MODIFIED), at)
        central += one.central_head(0, MODIFIED)
        at += one.local_bytes + one.size_bytes
    os.pwrite(fd, central, at)
    os.pwrite(fd, plan.end(len(plan.slots), at, len(central)), at + len(central))
    os.close(fd)
    return path


def test_another_program_reads_what_is_written() -> None:
    members = [("README.TXT", b"what this is"), ("EMPTY", b""), ("DICOM/P0000001/S0000001/I0000001", bytes(5000))]
    plan = layout([(name, len(data)) for name, data in members])
    made, central = b"", b""
    for one, (_, data) in zip(plan.slots, members, strict=True):
        assert one.offset == len(made)
        made += one.local_head(zlib.crc32(data), MODIFIED) + data
        central += one.central_head(zlib.crc32(data), MODIFIED)
    made += central + plan.end(3, len(made), len(central))
    assert len(made) == plan.size_bytes
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert [(info.filename, archive.read(info)) for info in archive.infolist()] == members
        assert archive.infolist()[0].date_time == (2024, 2, 29, 13, 45, 58)


@pytest.mark.parametrize("first", [WIDE - 1, WIDE, WIDE + 1, 3 * WIDE])
def test_sizes_and_offsets_past_32_bits_are_read_back(tmp_path: Path, first: int) -> None:
    plan = layout([("A", first), ("B", 100), ("C", 5)])
    path = sparse(tmp_path / "large.zip", plan)
    assert path.stat().st_size == plan.size_bytes
    with zipfile.ZipFile(path) as archive:
        found = [(info.filename, info.file_size, info.header_offset) for info in archive.infolist()]
        assert found == [(one.name, one.size_bytes, one.offset) for one in plan.slots]
        with archive.open("A") as member:  # its local head is read and compared
            assert member.read(10) == bytes(10)


@pytest.mark.parametrize("short_by", range(0, 140, 7))
def test_an_archive_that_ends_at_the_border_is_read_back(tmp_path: Path, short_by: int) -> None:
    plan = layout([("A", WIDE - short_by)])
    with zipfile.ZipFile(sparse(tmp_path / "border.zip", plan)) as archive:
        assert archive.infolist()[0].file_size == WIDE - short_by


@pytest.mark.parametrize("count", [65534, 65535, 65536, 70000])
def test_more_members_than_16_bits_count_are_read_back(tmp_path: Path, count: int) -> None:
    plan = layout([(f"I{number:07}", 0) for number in range(count)])
    path = sparse(tmp_path / "many.zip", plan)
    assert path.stat().st_size == plan.size_bytes
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == count


@pytest.mark.parametrize("cost", [110, 111, 1000, *range(WIDE + 90, WIDE + 160), 2 * WIDE])
@pytest.mark.parametrize("offset", [0, WIDE - 1, WIDE])
def test_a_filling_member_adds_exactly_what_it_is_told(cost: int, offset: int) -> None:
    made = filling("MISSING.TXT", cost, offset)
    assert made.cost_bytes == cost
    assert len(made.local_head(0, 0)) == made.local_bytes
    assert len(made.central_head(0, 0)) == made.central_bytes


def test_a_filling_member_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 97"):
        filling("MISSING.TXT", 97, 0)


def test_a_member_that_moves_forward_keeps_its_size_in_the_archive() -> None:
    planned = slot("I0000001", 10, WIDE + 5)
    assert planned.moved(100).cost_bytes == planned.cost_bytes


def test_times_before_1980_are_said_as_1980() -> None:
    assert dos_time(1970, 1, 1, 0, 0, 0) == dos_time(1980, 1, 1, 0, 0, 0)
