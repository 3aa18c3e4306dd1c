"""Frame tables: where each frame of an object lies, found once at ingest so that a frame is a byte range ever after.

Native pixel data is arithmetic (PS3.5 8.1, D); encapsulated pixel data is a table of fragments (PS3.5 A.4).
Frames count from 0 here.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass

from fileroom.dicom.deflate import inflate
from fileroom.dicom.fragments import FrameRanges, fragment_ranges
from fileroom.dicom.header import Buffer, Header, Pixels
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import MalformedObject

_NATIVE = struct.Struct("<BBQQQ")
_FRAGMENTS = struct.Struct("<BBQII")
_KIND_NATIVE, _KIND_WIDE, _KIND_NARROW = 1, 2, 3
_SWAPPED_WORDS = {b"OW": 2, b"OF": 4, b"OL": 4, b"OD": 8, b"OV": 8}


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Where the frames of one object lie. `count` may be less than claimed: only frames that are whole are listed."""

    native: bool  # False: encapsulated
    count: int  # frames that can be served
    stride: int  # bytes of one native frame as served; 0 when encapsulated
    ranges: FrameRanges | None  # encapsulated only: ranges[frame] is ((offset, length), ...) from the dataset's start
    offset: int = 0  # native only: first byte of the first frame, from the dataset's start
    bits: int = 0  # native only: bits from one frame's start to the next (one-bit frames need not end on a byte)
    swap: int = 1  # native only: bytes in a word that must be reversed to be little endian; 1: none

    def fragments(self, frame: int) -> tuple[tuple[int, int], ...]:
        """The byte ranges that hold this frame, from the dataset's start. IndexError outside 0..count-1.

        When `direct`, they are the frame; else their bytes go through `carve`.
        """
        if not 0 <= frame < self.count:
            raise IndexError(frame)
        if self.ranges is not None:
            return self.ranges[frame]
        first, last = frame * self.bits // 8, (frame * self.bits + self.bits + 7) // 8
        first -= first % self.swap
        last += -last % self.swap
        return ((self.offset + first, last - first),)

    @property
    def direct(self) -> bool:
        """True when a frame's byte ranges are served as they are."""
        return not self.native or (self.swap == 1 and self.bits % 8 == 0)

    def carve(self, frame: int, raw: bytes) -> bytes:
        """The frame from the bytes of its range: words turned to little endian, bits moved to start on a byte.

        Bits behind the last pixel of a frame are zero (PS3.5 8.1.1 leaves them open).
        """
        if self.swap != 1:
            raw = swapped(raw, self.swap)
        start = frame * self.bits // 8
        raw = raw[start % self.swap :]
        if self.bits % 8 == 0:
            return raw[: self.stride]
        number = int.from_bytes(raw, "little") >> (frame * self.bits % 8)
        return (number & ((1 << self.bits) - 1)).to_bytes(self.stride, "little")


def swapped(raw: bytes, word: int) -> bytes:
    """`raw` with the bytes of every `word` (2, 4 or 8 bytes) reversed; a part of a word at the end is kept."""
    whole = len(raw) - len(raw) % word
    words = array({2: "H", 4: "I", 8: "Q"}[word], raw[:whole])
    words.byteswap()
    return words.tobytes() + raw[whole:]


def is_video(syntax: TransferSyntax) -> bool:
    """True for MPEG-2, MPEG-4 and HEVC: one stream, not frames (PS3.5 8.2.5 to 8.2.9)."""
    return syntax.media_type.startswith("video/")


def frame_table(dataset: Buffer, header: Header, syntax: TransferSyntax) -> FrameTable | None:
    """The table of a scanned object; None when it has no pixel data.

    Reads item headers and offset tables only; of a deflated object, ranges lie in the inflated dataset.
    Frames that do not lie whole inside the pixel data are not listed, whatever the dataset claims; an object
    that claims no rows or columns has no frames. Raises MalformedObject as `fragment_ranges` does.
    """
    pixels = header.pixels
    if pixels is None:
        return None
    if pixels.length < 0:
        ranges = fragment_ranges(inflate(dataset) if syntax.deflated else dataset, pixels, is_video(syntax))
        return FrameTable(False, len(ranges), 0, ranges)
    return _native(dataset, pixels, syntax)


def frame_bits(pixels: Pixels) -> int:
    """Bits of one native frame (PS3.5 8.1.1). 4:2:2 colour holds two samples a pixel (PS3.3 C.7.6.3.1.2)."""
    bits = pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated
    if pixels.photometric.endswith("_422") and pixels.samples == 3:
        return bits // 3 * 2
    return bits


def _native(dataset: Buffer, pixels: Pixels, syntax: TransferSyntax) -> FrameTable:
    claimed = max(pixels.frames, 1)
    inside = pixels.length if syntax.deflated else len(dataset) - pixels.offset  # inflating, `scan` saw it whole
    length = max(0, min(pixels.length, inside))
    bits = frame_bits(pixels)
    full = pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated
    if bits != full and length * 8 >= full * claimed:
        bits = full  # says 4:2:2, holds 4:4:4: a known fault of writers that decode and forget to say so
    count = min(claimed, length * 8 // bits) if bits > 0 else 0
    swap = 1
    if syntax.big_endian:
        swap = _SWAPPED_WORDS.get(bytes(dataset[pixels.offset - 8 : pixels.offset - 6]), 1)
        if pixels.bits_allocated == 32 and swap == 2:
            swap = 4
        while count and -(-count * bits // (8 * swap)) * swap > length:
            count -= 1  # the last word must be whole, too
    return FrameTable(True, count, (bits + 7) // 8, None, pixels.offset, bits, swap)


def pack_table(table: FrameTable) -> bytes:
    """A compact blob for the index: 26 bytes when native, else 8 bytes a fragment (16 over 4 GiB) and 4 a frame."""
    if table.ranges is None:
        return _NATIVE.pack(_KIND_NATIVE, table.swap, table.offset, table.count, table.bits)
    offsets, lengths, firsts, base = table.ranges.arrays
    first = offsets[0] if offsets else 0
    wide = bool(offsets) and (offsets[-1] - first >> 32 or max(lengths) >> 32)
    code = "Q" if wide else "I"
    head = _FRAGMENTS.pack(
        _KIND_WIDE if wide else _KIND_NARROW, firsts is not None, base + first, len(offsets), len(table.ranges)
    )
    starts = array(code, (offset - first for offset in offsets)).tobytes()
    tail = b"" if firsts is None else array("I", firsts).tobytes()
    return head + starts + array(code, lengths).tobytes() + tail


def unpack_table(blob: bytes) -> FrameTable:
    """What `pack_table` packed. Raises MalformedObject when the blob is not one of its own."""
    try:
        if blob[0] == _KIND_NATIVE:
            _, swap, offset, count, bits = _NATIVE.unpack(blob)
            return FrameTable(True, count, (bits + 7) // 8, None, offset, bits, swap)
        kind, grouped, base, size, count = _FRAGMENTS.unpack_from(blob)
    except (struct.error, IndexError) as error:
        raise MalformedObject("frame table: unreadable") from error
    width = 8 if kind == _KIND_WIDE else 4
    position = _FRAGMENTS.size
    expected = position + 2 * width * size + (4 * (count + 1) if grouped else 0)
    if kind not in (_KIND_WIDE, _KIND_NARROW) or len(blob) != expected or not (grouped or size == count):
        raise MalformedObject("frame table: unreadable")
    code = "Q" if width == 8 else "I"
    starts = array(code, blob[position : position + width * size])
    lengths = array(code, blob[position + width * size : position + 2 * width * size])
    firsts = array("I", blob[position + 2 * width * size :]) if grouped else None
    return FrameTable(False, count, 0, FrameRanges(starts, lengths, firsts, base))
