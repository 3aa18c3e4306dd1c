"""A whole dataset rewritten to a native little-endian transfer syntax, as pieces to be written out (PS3.5 A.1, A.2).

Values are carried over byte for byte (big-endian ones are turned), never decoded and encoded again; lengths, VRs and
delimiters are made anew; compressed pixel data is decoded frame by frame, so memory stays at a frame. Decoding makes
this the work of the decode worker. What lossy compression left behind, and the attributes that say so, stay.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fileroom.dicom.deflate import inflate
from fileroom.dicom.dictionary import private_vr, public_vr
from fileroom.dicom.fragments import FrameRanges, fragment_ranges
from fileroom.dicom.frames import is_video, swapped
from fileroom.dicom.header import Buffer, Pixels
from fileroom.dicom.heads import DEPTH_MAX, ITEM, ITEM_END, SEQUENCE_END, SHORT_VRS, UNDEFINED, Heads
from fileroom.dicom.pixels import NativeFrame, decode_frame, expected_size
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax
from fileroom.errors import MalformedObject, UndecodableImage

VALUE_BYTES_MAX = (1 << 32) - 2  # what an element's length can say

_WORDS = dict.fromkeys(("US", "SS", "OW", "AT"), 2) | dict.fromkeys(("UL", "SL", "FL", "OF", "OL"), 4)
_WORDS |= dict.fromkeys(("FD", "OD", "SV", "UV", "OV"), 8)
_SHORT = frozenset(SHORT_VRS.values())
_PIXEL_DATA = 0x7FE00010
_OFFSET_TABLES = frozenset((0x7FE00001, 0x7FE00002, 0x7FE00003))  # extended ones, and the length they go with
_CHUNK_BYTES = 1 << 20
_PLANAR, _PHOTOMETRIC, _BITS_ALLOCATED, _PIXEL_REPRESENTATION = 0x00280006, 0x00280004, 0x00280100, 0x00280103
_NUMBERS = {
    0x00280002: "samples",
    _PLANAR: "planar",
    0x00280010: "rows",
    0x00280011: "columns",
    _BITS_ALLOCATED: "bits_allocated",
    0x00280101: "bits_stored",
    0x00280102: "high_bit",
    _PIXEL_REPRESENTATION: "pixel_representation",
}


def rewrite(dataset: Buffer, source: TransferSyntax, target_uid: str) -> Iterator[Buffer]:
    """The dataset in Explicit or Implicit VR Little Endian, in pieces; elements keep their order.

    Group lengths and offset tables are left out. Raises UndecodableImage when the pixels cannot be decoded or become
    too large for native pixel data, or the target is another syntax; MalformedObject when the bytes do not parse.
    """
    if target_uid not in (EXPLICIT_LE, IMPLICIT_LE):
        raise UndecodableImage(f"rewriting to {target_uid} is not supported")
    if source.deflated:
        dataset, source = inflate(dataset), syntax(EXPLICIT_LE)
    writer = _Writer(dataset, source, target_uid == IMPLICIT_LE)
    yield from writer.level(_Level(0, len(dataset), source.implicit, 0, delimited=False))


@dataclass(slots=True)
class _Level:
    """One dataset or item being rewritten."""

    start: int
    end: int
    implicit: bool
    depth: int
    delimited: bool  # an item of undefined length
    behind: int = 0  # where it ended, once it has been read
    creators: dict[int, str] = field(default_factory=dict)
    bits_allocated: int = 0


@dataclass(frozen=True, slots=True)
class _Compressed:
    """The compressed pixel data of one level, its first frame decoded to know what a native one declares."""

    ranges: FrameRanges
    declared: Pixels
    first: NativeFrame


class _Writer:
    """Rewrites one dataset."""

    def __init__(self, data: Buffer, source: TransferSyntax, implicit_out: bool) -> None:
        self._heads = Heads(data, source.big_endian)
        self._data, self._source, self._implicit_out = data, source, implicit_out
        self._signed = False

    def level(self, level: _Level) -> Iterator[Buffer]:
        """The elements of one level, rewritten."""
        compressed = self._compressed(level)
        position, needs_planar = level.start, compressed is not None and compressed.declared.samples > 1
        while position < level.end:
            tag, sent, start, length = self._heads.head(position, level.end, level.implicit)
            if (tag == ITEM_END and level.delimited) or (not tag and not level.depth):
                position, level.delimited = start, False
                break
            if needs_planar and tag >= _PLANAR:
                needs_planar = False
                if tag != _PLANAR:
                    yield self._element(_PLANAR, "US", b"\0\0")
            vr = sent or self._named(level, tag, length)
            position = start + length if length != UNDEFINED else -1
            if compressed is not None and tag == _PIXEL_DATA:
                yield from self._frames(compressed)
            elif not tag & 0xFFFF or tag >> 16 == 0xFFFE or (compressed is not None and tag in _OFFSET_TABLES):
                pass
            elif compressed is not None and tag == _PHOTOMETRIC:
                yield self._element(tag, vr, _padded(compressed.first.pixels.photometric.encode("ascii", "replace")))
            elif vr == "SQ":
                yield from self._sequence(level, tag, start, length)
                position = level.behind
            else:
                yield from self._value(level, tag, vr, start, length)
            if position < 0:
                position = self._heads.skip(start, level.end, level.implicit or sent == "UN")
        if level.delimited:
            raise MalformedObject("dataset: an item ends without its delimiter")
        level.behind = position

    def _named(self, level: _Level, tag: int, length: int) -> str:
        if tag & 0x10000:
            vr = private_vr(tag, level.creators.get(tag >> 16 << 16 | (tag >> 8 & 0xFF), ""))
        else:
            vr = public_vr(tag)
        if vr == "XS":
            return "SS" if self._signed else "US"
        return vr if length != UNDEFINED or vr != "UN" else "SQ"

    def _element(self, tag: int, vr: str, value: bytes) -> bytes:
        return self._head(tag, vr, len(value)) + value

    def _head(self, tag: int, vr: str, length: int) -> bytes:
        if self._implicit_out:
            return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, length)
        if vr in _SHORT and length > 0xFFFF:
            vr = "UN"  # what a 16-bit length cannot say (PS3.5 6.2.2)
        if vr in _SHORT:
            return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)

    def _value(self, level: _Level, tag: int, vr: str, start: int, length: int) -> Iterator[Buffer]:
        if length == UNDEFINED:
            # UN holding implicit items stays as it is; other fragments have no place in a native dataset
            if vr != "UN":
                raise UndecodableImage("compressed data in an element that is not pixel data")
            end = self._heads.skip(start, level.end, implicit=True)
            yield self._head(tag, vr, UNDEFINED)
            yield from self._chunks(start, end, 1)
            return
        if tag in _NUMBERS or tag & 0x1FF00 == 0x10000:
            self._note(level, tag, bytes(self._data[start : start + min(length, 64)]))
        word = _WORDS.get(vr, 1) if self._source.big_endian else 1
        if tag == _PIXEL_DATA and word == 2 and level.bits_allocated == 32:
            word = 4
        yield self._head(tag, vr, length)
        yield from self._chunks(start, start + length, word)

    def _note(self, level: _Level, tag: int, raw: bytes) -> None:
        if tag & 0x10000:
            level.creators[tag] = raw.decode("latin-1").strip(" \0")
        elif tag == _PIXEL_REPRESENTATION:
            self._signed = self._number(raw) == 1
        elif tag == _BITS_ALLOCATED:
            level.bits_allocated = self._number(raw)

    def _number(self, raw: bytes) -> int:
        return int.from_bytes(raw[:2], "big" if self._source.big_endian else "little")

    def _chunks(self, start: int, end: int, word: int) -> Iterator[Buffer]:
        for at in range(start, end, _CHUNK_BYTES):
            piece = bytes(self._data[at : min(end, at + _CHUNK_BYTES)])
            yield piece if word == 1 else swapped(piece, word)

    def _sequence(self, level: _Level, tag: int, start: int, length: int) -> Iterator[Buffer]:
        """A sequence and its items, all of undefined length: nothing needs to be measured before it is written."""
        if level.depth >= DEPTH_MAX:
            raise MalformedObject(f"dataset: nested deeper than {DEPTH_MAX}")
        end, position, open_ended = level.end, start, length == UNDEFINED
        if not open_ended:
            end = start + length
        yield self._head(tag, "SQ", UNDEFINED)
        while position < end:
            item, _, position, size = self._heads.head(position, end, level.implicit)
            if item == SEQUENCE_END and open_ended:
                open_ended = False
                break
            if item != ITEM:
                raise MalformedObject("dataset: something other than an item in a sequence")
            yield struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
            item_end = end if size == UNDEFINED else position + size
            inner = _Level(position, item_end, level.implicit, level.depth + 1, size == UNDEFINED)
            yield from self.level(inner)
            yield struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            position = inner.behind
        if open_ended:
            raise MalformedObject("dataset: a sequence ends without its delimiter")
        yield struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        level.behind = position

    def _compressed(self, level: _Level) -> _Compressed | None:
        """The compressed pixel data of this level, its first frame decoded; None when there is none."""
        declared = self._declared(level) if self._source.encapsulated else None
        if declared is None:
            return None
        if is_video(self._source):
            raise UndecodableImage("video is not decoded")
        ranges = fragment_ranges(self._data, declared, video=False)
        if not len(ranges) or len(ranges) != declared.frames:
            raise UndecodableImage(f"{declared.frames} frames are declared, {len(ranges)} can be told apart")
        return _Compressed(ranges, declared, self._decode(ranges, declared, 0))

    def _declared(self, level: _Level) -> Pixels | None:
        numbers = {"samples": 1}
        photometric, frames, position = "", 1, level.start
        while position < level.end:
            tag, sent, start, length = self._heads.head(position, level.end, level.implicit)
            if tag == ITEM_END or (not tag and not level.depth):
                break
            if length == UNDEFINED:
                if tag == _PIXEL_DATA:
                    fields = dict.fromkeys(_NUMBERS.values(), 0) | numbers
                    return Pixels("PixelData", start, -1, frames=frames, photometric=photometric, **fields)
                position = self._heads.skip(start, level.end, level.implicit or sent == "UN")
                continue
            position = start + length
            if tag >> 16 == 0x0028 and length <= 64:
                raw = bytes(self._data[start:position])
                if tag in _NUMBERS and length >= 2:
                    numbers[_NUMBERS[tag]] = self._number(raw)
                elif tag == _PHOTOMETRIC:
                    photometric = raw.decode("latin-1").strip(" \0")
                elif tag == 0x00280008:
                    text = raw.decode("latin-1").strip(" \0")
                    frames = int(text) if text.isascii() and text.isdigit() else 1
        return None

    def _decode(self, ranges: FrameRanges, declared: Pixels, frame: int) -> NativeFrame:
        stream = b"".join(bytes(self._data[offset : offset + length]) for offset, length in ranges[frame])
        return decode_frame(stream, declared, self._source)

    def _frames(self, compressed: _Compressed) -> Iterator[Buffer]:
        native, count = compressed.first.pixels, len(compressed.ranges)
        size = expected_size(native)
        if native.bits_allocated == 1 and native.rows * native.columns % 8 and count > 1:
            raise UndecodableImage("one-bit frames that do not end on a byte are not joined")
        if size * count > VALUE_BYTES_MAX:
            raise UndecodableImage(f"{count} frames of {size} bytes are too large for native pixel data")
        yield self._head(_PIXEL_DATA, "OW" if native.bits_allocated > 8 else "OB", size * count + size * count % 2)
        for frame in range(count):
            decoded = compressed.first if frame == 0 else self._decode(compressed.ranges, compressed.declared, frame)
            if replace(decoded.pixels, offset=0) != replace(native, offset=0) or len(decoded.data) != size:
                raise UndecodableImage("the frames are not alike")
            yield decoded.data
        if size * count % 2:
            yield b"\0"


def _padded(value: bytes) -> bytes:
    return value + b" " if len(value) % 2 else value
