"""What a compressed frame says about itself in its first bytes: read before anything is decoded or allocated.

JPEG (ITU-T T.81 B.2.2), JPEG-LS (T.87 C.2.2), JPEG 2000 and HTJ2K (T.800 A.5.1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fileroom.errors import UndecodableImage

_FRAME_HEADERS = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}  # SOFn and JPEG-LS's SOF55
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_SEGMENTS_MAX = 10_000  # before the frame header; a real stream has a dozen


@dataclass(frozen=True, slots=True)
class Codestream:
    """The claims of one compressed frame."""

    rows: int
    columns: int
    samples: int
    precision: int  # bits of a sample; the largest when components differ
    signed: bool  # JPEG 2000 only
    adobe: int  # JPEG: the colour transform of an Adobe marker (0 none, 1 YCbCr, 2 YCCK); -1 without one
    identifiers: tuple[int, ...]  # JPEG: component identifiers
    frame_marker: int = -1  # JPEG: second byte of its frame header's marker, which names the process (T.81 table B.1)


def jpeg(stream: bytes) -> Codestream:
    """Of JPEG and JPEG-LS. Raises UndecodableImage when there is no frame header."""
    position, adobe = stream.find(b"\xff\xd8") + 2, -1
    if position == 1:
        raise UndecodableImage("JPEG: no start of image")
    try:
        for _ in range(_SEGMENTS_MAX):
            while stream[position] != 0xFF or stream[position + 1] in (0x00, 0xFF):
                position += 1
            marker = stream[position + 1]
            position += 2
            if marker in _ALONE:
                continue
            (length,) = struct.unpack_from(">H", stream, position)
            if marker in _FRAME_HEADERS:
                precision, rows, columns, samples = struct.unpack_from(">BHHB", stream, position + 2)
                identifiers = tuple(stream[position + 8 : position + 8 + 3 * samples : 3])
                return Codestream(rows, columns, samples, precision, False, adobe, identifiers, marker)
            if marker == 0xEE and stream[position + 2 : position + 7] == b"Adobe" and length >= 14:
                adobe = stream[position + 13]
            position += max(length, 2)
    except (IndexError, struct.error):
        raise UndecodableImage("JPEG: ends before its frame header") from None
    raise UndecodableImage("JPEG: no frame header")


def jpeg_2000(stream: bytes) -> Codestream:
    """Of JPEG 2000 and HTJ2K, bare or in a JP2 file. Raises UndecodableImage when there is no size marker."""
    start = 0 if stream.startswith(b"\xff\x4f\xff\x51") else stream.find(b"\xff\x4f\xff\x51")
    try:
        right, bottom, left, top = struct.unpack_from(">4I", stream, start + 8)
        tile_width, tile_height, tile_left, tile_top, samples = struct.unpack_from(">4IH", stream, start + 24)
        depths = stream[start + 42 : start + 42 + 3 * samples : 3]
    except struct.error:
        raise UndecodableImage("JPEG 2000: ends inside its size marker") from None
    if start < 0 or len(depths) != samples or not samples or left >= right or top >= bottom:
        raise UndecodableImage("JPEG 2000: no readable size marker")
    if not tile_width or not tile_height:
        raise UndecodableImage("JPEG 2000: tiles without a size")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > 65535:
        raise UndecodableImage("JPEG 2000: more tiles than the standard allows")
    precision = max(depth & 0x7F for depth in depths) + 1
    return Codestream(bottom - top, right - left, samples, precision, bool(depths[0] & 0x80), -1, ())
