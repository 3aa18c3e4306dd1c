"""Datasets rewritten to native syntaxes: what a walk of the bytes can show without files; hostile bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom.dicom.rewrite import rewrite
from fileroom.dicom.syntax import (
    DEFLATED_FRAMES,
    ENCAPSULATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    JPEG_BASELINE,
    RLE_LOSSLESS,
    syntax,
)
from fileroom.errors import MalformedObject, UndecodableImage

LONG = {"OB", "OW", "SQ", "UN", "UT"}


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<HI", 0, size) if vr in LONG else struct.pack("<H", size)) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


ITEM = implicit(0xFFFEE000, b"", 0xFFFFFFFF)
ITEM_END, SEQUENCE_END = implicit(0xFFFEE00D, b""), implicit(0xFFFEE0DD, b"")


def rewritten(dataset: bytes, source: str, target: str) -> bytes:
    return b"".join(rewrite(dataset, syntax(source), target))


def image(frames: list[bytes], claimed: int, size: int = 4, bits: int = 8) -> bytes:
    """A compressed object of size x size."""
    fragments = [implicit(0xFFFEE000, b"")] + [implicit(0xFFFEE000, frame) for frame in frames]
    us = [(0x00280002, 1), (0x00280010, size), (0x00280011, size), (0x00280100, bits), (0x00280101, bits)]
    numbers = {tag: element(tag, "US", struct.pack("<H", value)) for tag, value in us}
    numbers[0x00280004] = element(0x00280004, "CS", b"MONOCHROME2 ")
    numbers[0x00280008] = element(0x00280008, "IS", b"%02d" % claimed)
    pixel_data = element(0x7FE00010, "OB", b"".join(fragments) + SEQUENCE_END, 0xFFFFFFFF)
    return b"".join(numbers[tag] for tag in sorted(numbers)) + pixel_data


def test_implicit_becomes_explicit_and_back() -> None:
    inner = implicit(0x00080100, b"T1")
    source = implicit(0x00080060, b"CT") + implicit(0x00081140, implicit(0xFFFEE000, inner))
    explicit = rewritten(source, IMPLICIT_LE, EXPLICIT_LE)
    item = ITEM + element(0x00080100, "SH", b"T1") + ITEM_END
    assert explicit == element(0x00080060, "CS", b"CT") + element(0x00081140, "SQ", item + SEQUENCE_END, 0xFFFFFFFF)
    back = rewritten(explicit, EXPLICIT_LE, IMPLICIT_LE)
    nested = implicit(0x00081140, ITEM + inner + ITEM_END + SEQUENCE_END, 0xFFFFFFFF)
    assert back == implicit(0x00080060, b"CT") + nested


def test_big_endian_values_are_turned() -> None:
    source = b"\x00\x28\x00\x10US\x00\x02\x01\x02" + b"\x00\x09\x10\x01FD\x00\x08" + struct.pack(">d", 1.5)
    expected = element(0x00280010, "US", b"\x02\x01") + element(0x00091001, "FD", struct.pack("<d", 1.5))
    assert rewritten(source, EXPLICIT_BE, EXPLICIT_LE) == expected


def test_a_text_too_long_for_its_vr_becomes_un() -> None:
    source = implicit(0x00081030, b"x" * 70000)
    assert rewritten(source, IMPLICIT_LE, EXPLICIT_LE) == element(0x00081030, "UN", b"x" * 70000)


def test_group_lengths_go_and_what_follows_the_pixels_stays() -> None:
    source = element(0x00080000, "UL", bytes(4)) + image([b"0123456789abcdef"], 1) + element(0xFFFCFFFC, "OB", b"\0\0")
    after = rewritten(source, ENCAPSULATED_LE, EXPLICIT_LE)
    assert after.endswith(element(0x7FE00010, "OB", b"0123456789abcdef") + element(0xFFFCFFFC, "OB", b"\0\0"))
    assert b"\x08\x00\x00\x00UL" not in after


def test_frames_follow_each_other_and_end_on_an_even_byte() -> None:
    source = image([b"123456789\0", b"abcdefghi\0", b"ABCDEFGHI\0"], 3, size=3)
    after = rewritten(source, ENCAPSULATED_LE, EXPLICIT_LE)
    assert after.endswith(element(0x7FE00010, "OB", b"123456789abcdefghiABCDEFGHI\0"))


@pytest.mark.parametrize("claimed", [3, 99])
def test_frames_that_are_not_there_are_not_invented(claimed: int) -> None:
    source = image([b"0123456789abcdef"] * 2, claimed)
    with pytest.raises(UndecodableImage, match="frames are declared"):
        rewritten(source, ENCAPSULATED_LE, EXPLICIT_LE)


def test_one_bad_frame_refuses_the_object() -> None:
    with pytest.raises(UndecodableImage):
        rewritten(image([b"0123456789abcdef", b"short!"], 2), ENCAPSULATED_LE, EXPLICIT_LE)


def test_video_is_refused() -> None:
    with pytest.raises(UndecodableImage, match="video"):
        rewritten(image([b"0123"], 1), "1.2.840.10008.1.2.4.102", EXPLICIT_LE)


def test_nesting_deeper_than_64_is_refused() -> None:
    opened = (element(0x00081140, "SQ", b"", 0xFFFFFFFF) + ITEM) * 10_000
    with pytest.raises(MalformedObject):
        rewritten(opened, EXPLICIT_LE, IMPLICIT_LE)


PARTS = st.sampled_from(
    [
        element(0x00081140, "SQ", b"", 0xFFFFFFFF),
        ITEM,
        ITEM_END,
        SEQUENCE_END,
        image([b"0123456789abcdef"], 1),
        image([], 5),
        element(0x7FE00010, "OB", b"", 0xFFFFFFFF),
        element(0x00091001, "UN", b"", 0xFFFFFFFF),
        element(0x00280106, "US", b"\1\0"),
        b"\xff\xff",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.one_of(PARTS, st.binary(max_size=20)), max_size=20).map(b"".join))
def test_hostile_bytes_are_rewritten_or_refused(dataset: bytes) -> None:
    for source in (
        EXPLICIT_LE,
        IMPLICIT_LE,
        EXPLICIT_BE,
        RLE_LOSSLESS,
        DEFLATED_FRAMES,
        JPEG_BASELINE,
        ENCAPSULATED_LE,
    ):
        for target in (EXPLICIT_LE, IMPLICIT_LE):
            try:
                after = rewritten(dataset, source, target)
            except (MalformedObject, UndecodableImage):
                continue
            assert len(after) <= 4 * len(dataset) + 100
