"""What the index keeps of an object's pixels: their description and the frame table, in one small blob."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from fileroom.dicom.frames import FrameTable, pack_table, unpack_table
from fileroom.dicom.header import Pixels

_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LAYOUT = struct.Struct("<BQqIIHHHHHHI16s")
HEAD_BYTES = _LAYOUT.size  # of a blob: the pixels' description alone, which is read like an image without a frame table


@dataclass(frozen=True, slots=True)
class Image:
    """The pixels of one stored object."""

    pixels: Pixels
    frames: FrameTable | None  # None: pixels that cannot be taken apart without decoding (deflated)


def pack_image(image: Image) -> bytes:
    """The blob for the index; `unpack_image` reverses it."""
    p = image.pixels
    head = _LAYOUT.pack(
        _KEYWORDS.index(p.keyword),
        p.offset,
        p.length,
        p.rows,
        p.columns,
        p.samples,
        p.bits_allocated,
        p.bits_stored,
        p.high_bit,
        p.pixel_representation,
        p.planar,
        p.frames,
        p.photometric.encode("ascii", "replace")[:16],
    )
    return head + (b"" if image.frames is None else pack_table(image.frames))


def unpack_image(blob: bytes) -> Image:
    """The image a blob describes."""
    fields: tuple[Any, ...] = _LAYOUT.unpack_from(blob)
    values: tuple[Any, ...] = (_KEYWORDS[fields[0]], *fields[1:-1], fields[-1].rstrip(b"\0").decode())
    return Image(Pixels(*values), unpack_frames(blob))


def unpack_frames(blob: bytes) -> FrameTable | None:
    """The frame table of the image a blob describes, alone."""
    table = blob[HEAD_BYTES:]
    return unpack_table(table) if table else None
