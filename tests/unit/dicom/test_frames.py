"""Where each frame lies: native, one-bit, encapsulated with every kind of offset table, and tables that lie."""

from __future__ import annotations

import mmap
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom.dicom.frames import FrameTable, frame_table, pack_table, unpack_table
from fileroom.dicom.header import Header, Pixels
from fileroom.dicom.syntax import (
    ENCAPSULATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    JPEG_2000,
    JPEG_BASELINE,
    RLE_LOSSLESS,
    syntax,
)
from fileroom.errors import MalformedObject

SOI = b"\xff\xd8\xff\xe0"
LEAD = b"\x08\x00\x60\x00CS\x02\x00CT"


def header(offset: int, length: int, **changes: object) -> Header:
    fields: dict[str, object] = {
        "keyword": "PixelData",
        "offset": offset,
        "length": length,
        "rows": 4,
        "columns": 6,
        "samples": 1,
        "bits_allocated": 16,
        "bits_stored": 12,
        "high_bit": 11,
        "pixel_representation": 0,
        "planar": 0,
        "frames": 1,
        "photometric": "MONOCHROME2",
    }
    return Header({}, "", Pixels(**(fields | changes)), ())  # type: ignore[arg-type]


def item(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value) if length is None else length) + value


def encapsulated(
    fragments: list[bytes], table: bytes = b"", before: bytes = b"", end: bytes = b"\xfe\xff\xdd\xe0\0\0\0\0"
) -> tuple[bytes, int]:
    head = LEAD + before + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    return head + item(table) + b"".join(map(item, fragments)) + end, len(head)


def starts(groups: list[list[bytes]]) -> list[int]:
    at, result = 0, []
    for group in groups:
        result.append(at)
        at += sum(len(fragment) + 8 for fragment in group)
    return result


def read(dataset: bytes, table: FrameTable) -> list[bytes]:
    return [b"".join(dataset[o : o + n] for o, n in table.fragments(f)) for f in range(table.count)]


def test_native_frames_follow_each_other() -> None:
    data = bytes(range(144))
    dataset = LEAD + b"\xe0\x7f\x10\x00OW\0\0\x90\0\0\0" + data
    table = frame_table(dataset, header(22, 144, frames=3), syntax(EXPLICIT_LE))
    assert table == FrameTable(True, 3, 48, None, 22, 384)
    assert table.direct
    assert read(dataset, table) == [data[:48], data[48:96], data[96:]]


def test_a_frame_that_is_not_whole_is_not_listed() -> None:
    dataset = LEAD + bytes(12) + bytes(100)
    table = frame_table(dataset, header(22, 144, frames=3), syntax(EXPLICIT_LE))
    assert table is not None
    assert table.count == 2


def test_frame_numbers_outside_the_table_are_refused() -> None:
    table = frame_table(bytes(200), header(22, 144, frames=3), syntax(EXPLICIT_LE))
    assert table is not None
    for frame in (-1, 3):
        with pytest.raises(IndexError):
            table.fragments(frame)


def test_an_object_without_pixels_has_no_table() -> None:
    assert frame_table(LEAD, Header({}, "", None, ()), syntax(EXPLICIT_LE)) is None


def test_no_rows_means_no_frames() -> None:
    table = frame_table(bytes(100), header(22, 48, rows=0), syntax(EXPLICIT_LE))
    assert table is not None
    assert table.count == 0


def test_native_422_holds_two_samples_a_pixel_unless_the_data_says_otherwise() -> None:
    colour = {"samples": 3, "bits_allocated": 8, "photometric": "YBR_FULL_422"}
    short = frame_table(bytes(70), header(22, 48, **colour), syntax(EXPLICIT_LE))
    full = frame_table(bytes(94), header(22, 72, **colour), syntax(EXPLICIT_LE))
    assert short is not None
    assert full is not None
    assert (short.stride, full.stride) == (48, 72)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.data())
def test_one_bit_frames_come_back_starting_on_a_byte(rows: int, columns: int, frames: int, data: st.DataObject) -> None:
    size = rows * columns
    bits = data.draw(st.lists(st.booleans(), min_size=size * frames, max_size=size * frames))
    packed = sum(bit << i for i, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    dataset = bytes(22) + packed
    head = header(22, len(packed), rows=rows, columns=columns, frames=frames, bits_allocated=1, bits_stored=1)
    table = frame_table(dataset, head, syntax(EXPLICIT_LE))
    assert table is not None
    assert table.count == frames
    for frame, raw in enumerate(read(dataset, table)):
        expected = sum(bit << i for i, bit in enumerate(bits[frame * size : (frame + 1) * size]))
        assert table.carve(frame, raw) == expected.to_bytes((size + 7) // 8, "little")


def test_big_endian_words_are_turned() -> None:
    dataset = b"\x7f\xe0\x00\x10OW\0\0\0\0\0\x60" + bytes(range(96))
    table = frame_table(dataset, header(12, 96, frames=2), syntax(EXPLICIT_BE))
    assert table is not None
    assert not table.direct
    assert table.carve(1, read(dataset, table)[1])[:4] == bytes((49, 48, 51, 50))


def test_big_endian_words_of_odd_8_bit_frames_are_turned_before_they_are_cut() -> None:
    little = bytes(range(1, 19))
    big = bytes(little[i ^ 1] for i in range(18))
    dataset = b"\x7f\xe0\x00\x10OW\0\0\0\0\0\x12" + big
    head = header(12, 18, rows=3, columns=3, frames=2, bits_allocated=8)
    table = frame_table(dataset, head, syntax(EXPLICIT_BE))
    assert table is not None
    assert [table.carve(f, raw) for f, raw in enumerate(read(dataset, table))] == [little[:9], little[9:]]


GROUPS = [[SOI + b"a1", b"a2"], [SOI + b"b1"], [SOI + b"c1", b"c2", b"c3"]]
FRAMES = [b"".join(group) for group in GROUPS]
FLAT = [fragment for group in GROUPS for fragment in group]


def test_a_basic_offset_table_groups_fragments() -> None:
    groups = [[b"a1", b"a2"], [b"b1"], [b"c1", b"c2", b"c3"]]
    table_bytes = struct.pack("<3I", *starts(groups))
    dataset, at = encapsulated([f for g in groups for f in g], table_bytes)
    table = frame_table(dataset, header(at, -1, frames=3), syntax("1.2.3.4"))
    assert table is not None
    assert read(dataset, table) == [b"a1a2", b"b1", b"c1c2c3"]


@pytest.mark.parametrize("between", [b"", b"\xe0\x7f\x03\x00UV\0\0\x08\0\0\0" + bytes(8)])
def test_an_extended_offset_table_groups_fragments_and_trims_padding(between: bytes) -> None:
    fragments = [b"a1a2", b"b1b\0", b"c1c2"]
    offsets, lengths = struct.pack("<3Q", 0, 12, 24), struct.pack("<3Q", 4, 3, 4)
    before = b"\xe0\x7f\x01\x00OV\0\0\x18\0\0\0" + offsets + b"\xe0\x7f\x02\x00OV\0\0\x18\0\0\0" + lengths + between
    dataset, at = encapsulated(fragments, b"", before)
    table = frame_table(dataset, header(at, -1, frames=3), syntax(JPEG_BASELINE))
    assert table is not None
    assert read(dataset, table) == [b"a1a2", b"b1b", b"c1c2"]


def test_without_a_table_frames_start_where_codestreams_start() -> None:
    for start in (SOI, b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "):
        dataset, at = encapsulated([f.replace(SOI, start) for f in FLAT])
        table = frame_table(dataset, header(at, -1, frames=3), syntax(JPEG_2000))
        assert table is not None
        assert read(dataset, table) == [f.replace(SOI, start) for f in FRAMES]


def test_without_a_table_one_fragment_is_one_frame() -> None:
    dataset, at = encapsulated([b"11", b"22", b"33"])
    table = frame_table(dataset, header(at, -1, frames=3), syntax(RLE_LOSSLESS))
    assert table is not None
    assert read(dataset, table) == [b"11", b"22", b"33"]


def test_one_frame_may_lie_in_many_fragments() -> None:
    dataset, at = encapsulated([b"11", b"22", b"33"])
    table = frame_table(dataset, header(at, -1), syntax(JPEG_BASELINE))
    assert table is not None
    assert read(dataset, table) == [b"112233"]


def test_video_is_one_stream_whatever_number_of_frames_it_claims() -> None:
    dataset, at = encapsulated([b"11", b"22", b"33"])
    table = frame_table(dataset, header(at, -1, frames=3), syntax("1.2.840.10008.1.2.4.102"))
    assert table is not None
    assert read(dataset, table) == [b"112233"]


@pytest.mark.parametrize(
    "lie",
    [
        struct.pack("<3I", 0, 4, 8),
        struct.pack("<3I", 0, 0, 0),
        struct.pack("<3I", 8, 16, 24),
        struct.pack("<3I", 0, 0xFFFFFFFF, 0xFFFFFFF0),
        struct.pack("<2I", 0, 10),
        b"\x00",
        b"\xff" * 4000,
    ],
)
def test_a_table_that_lies_is_passed_over(lie: bytes) -> None:
    dataset, at = encapsulated(FLAT, lie)
    table = frame_table(dataset, header(at, -1, frames=3), syntax(JPEG_BASELINE))
    assert table is not None
    assert read(dataset, table) == FRAMES


def test_frames_that_cannot_be_told_apart_are_not_guessed() -> None:
    dataset, at = encapsulated([b"11", b"22", b"33", b"44"])
    table = frame_table(dataset, header(at, -1, frames=2), syntax(ENCAPSULATED_LE))
    assert table is not None
    assert table.count == 0


def test_claiming_a_billion_frames_lists_the_fragments_there_are() -> None:
    dataset, at = encapsulated([SOI + b"11", SOI + b"22"])
    table = frame_table(dataset, header(at, -1, frames=2**31 - 1), syntax(JPEG_BASELINE))
    assert table is not None
    assert table.count == 2


@pytest.mark.parametrize(
    "broken",
    [
        encapsulated([b"11"], end=b"")[0],
        encapsulated([b"11"], end=b"\xfe\xff\xdd\xe0\0\0")[0],
        encapsulated([], end=item(b"11", 0xFFFFFFFF))[0],
        encapsulated([], end=item(b"11", 0xFFFFFFF0))[0],
        encapsulated([b"11"], end=b"\xe0\x7f\x11\x00OB\0\0")[0],
    ],
)
def test_broken_items_are_refused(broken: bytes) -> None:
    with pytest.raises(MalformedObject):
        frame_table(broken, header(len(LEAD) + 12, -1), syntax(JPEG_BASELINE))


def test_more_fragments_than_the_bound_are_refused_in_bounded_time() -> None:
    dataset = LEAD + bytes(12) + item(b"") * ((1 << 20) + 2)
    begin = time.process_time()
    with pytest.raises(MalformedObject, match="more than"):
        frame_table(dataset, header(22, -1, frames=5), syntax(JPEG_BASELINE))
    assert time.process_time() - begin < 5


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(-1, 300), st.integers(0, 2**31 - 1), st.sampled_from([1, 8, 12, 16, 32]))
def test_hostile_bytes_never_give_a_range_outside_the_object(tail: bytes, length: int, frames: int, bits: int) -> None:
    dataset = LEAD + bytes(12) + item(b"") + tail
    for uid in (JPEG_BASELINE, EXPLICIT_LE, EXPLICIT_BE):
        try:
            table = frame_table(dataset, header(22, length, frames=frames, bits_allocated=bits), syntax(uid))
        except MalformedObject:
            continue
        assert table is not None
        for frame in range(min(table.count, 50)):
            for offset, size in table.fragments(frame):
                assert 22 <= offset <= offset + size <= len(dataset)


@given(st.lists(st.lists(st.binary(max_size=6), min_size=1, max_size=3), min_size=1, max_size=6), st.booleans())
def test_a_packed_table_comes_back_equal(groups: list[list[bytes]], grouped: bool) -> None:
    flat = [f for g in groups for f in g]
    dataset, at = encapsulated(flat, struct.pack(f"<{len(groups)}I", *starts(groups)) if grouped else b"")
    count = len(groups) if grouped else len(flat)
    table = frame_table(dataset, header(at, -1, frames=count), syntax("1.2.3"))
    assert table is not None
    again = unpack_table(pack_table(table))
    assert again == table
    assert read(dataset, again) == read(dataset, table)
    assert table.count == count


def test_a_packed_native_table_is_a_few_bytes() -> None:
    table = FrameTable(True, 60, 5_000_000, None, 1234, 40_000_000)
    blob = pack_table(table)
    assert len(blob) < 32
    assert unpack_table(blob) == table


@given(st.binary(max_size=60))
def test_a_blob_that_is_no_table_is_refused(blob: bytes) -> None:
    try:
        table = unpack_table(blob)
    except MalformedObject:
        return
    assert table.count == (len(table.ranges) if table.ranges is not None else table.count)
    assert unpack_table(pack_table(table)) == table


def test_offsets_over_4_gib_survive_packing() -> None:
    from array import array

    from fileroom.dicom.fragments import FrameRanges

    ranges = FrameRanges(array("Q", (100, 2**33)), array("Q", (2**33 - 108, 7)), None)
    table = FrameTable(False, 2, 0, ranges)
    assert unpack_table(pack_table(table)).fragments(1) == ((2**33, 7),)


def test_a_mapping_reads_as_bytes_do() -> None:
    dataset, at = encapsulated(FLAT)
    with mmap.mmap(-1, len(dataset)) as mapped:
        mapped.write(dataset)
        table = frame_table(mapped, header(at, -1, frames=3), syntax(JPEG_BASELINE))
    assert table == frame_table(dataset, header(at, -1, frames=3), syntax(JPEG_BASELINE))
