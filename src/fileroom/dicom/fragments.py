"""Encapsulated pixel data: where its fragments lie and which of them make up a frame (PS3.5 A.4).

Only item headers and, where no offset table helps, the first bytes of a fragment are looked at; pixel bytes are not.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence

from fileroom.dicom.header import Buffer, Pixels
from fileroom.errors import MalformedObject

FRAGMENTS_MAX = 1 << 20  # of one object; a whole-slide level holds about 120,000

_ITEM = struct.Struct("<HHI")
_UNDEFINED = 0xFFFFFFFF
_STARTS = (
    b"\xff\xd8\xff",  # JPEG and JPEG-LS: Start of Image
    b"\xff\x4f\xff\x51",  # JPEG 2000: Start of Codestream
    b"\0\0\0\x0cjP  ",  # JPEG 2000 in its file format
    b"\xff\x0a",  # JPEG XL
    b"\0\0\0\x0cJXL ",  # JPEG XL in its file format
)
_JPEG_END = b"\xff\xd9"  # End of Image, and End of Codestream of JPEG 2000


class FrameRanges:
    """The fragments of each frame, held compactly: `ranges[frame]` is ((offset, length), ...), frames from 0.

    Offsets count from the start of the dataset. At most 16 bytes a fragment, so that a million frames stay small.
    """

    __slots__ = ("_base", "_firsts", "_lengths", "_offsets")

    def __init__(self, offsets: array[int], lengths: array[int], firsts: array[int] | None, base: int = 0) -> None:
        """`firsts[frame]` is the frame's first fragment, with one closing entry; None: one fragment a frame.

        `base` is added to every offset.
        """
        self._offsets, self._lengths, self._firsts, self._base = offsets, lengths, firsts, base

    @property
    def arrays(self) -> tuple[array[int], array[int], array[int] | None, int]:
        """Offsets, lengths, firsts and base as given."""
        return self._offsets, self._lengths, self._firsts, self._base

    def __len__(self) -> int:
        return len(self._offsets) if self._firsts is None else len(self._firsts) - 1

    def __getitem__(self, frame: int) -> tuple[tuple[int, int], ...]:
        if not 0 <= frame < len(self):
            raise IndexError(frame)
        if self._firsts is None:
            return ((self._base + self._offsets[frame], self._lengths[frame]),)
        first, last = self._firsts[frame], self._firsts[frame + 1]
        starts = (self._base + offset for offset in self._offsets[first:last])
        return tuple(zip(starts, self._lengths[first:last], strict=True))

    def __iter__(self) -> Iterator[tuple[tuple[int, int], ...]]:
        return (self[frame] for frame in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameRanges) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def fragment_ranges(dataset: Buffer, pixels: Pixels, video: bool) -> FrameRanges:
    """Sort the fragments of encapsulated pixel data into frames.

    In order: an extended offset table (PS3.3 C.7.6.3.1.8) or a basic one that names true fragment starts and as
    many frames as the dataset claims; else one fragment a frame; else a frame starts where a fragment starts a
    codestream. A table that lies is passed over. `video`: everything is one stream, that is one frame.
    Fewer frames than claimed come back when that is all that can be told apart.
    Raises MalformedObject when the items run past the end, lack their delimiter, or are over `FRAGMENTS_MAX`.
    """
    offsets, lengths, table = _walk(dataset, pixels.offset)
    count = 1 if video else max(pixels.frames, 1)
    if not offsets:
        return FrameRanges(offsets, lengths, None)
    if count == 1:
        return FrameRanges(offsets, lengths, None if len(offsets) == 1 else array("L", (0, len(offsets))))
    extended = _extended_table(dataset, pixels, count)
    if extended is not None:
        firsts = _firsts(extended[0], offsets)
        if firsts is not None:
            return _trimmed(offsets, lengths, firsts, extended[1])
    if len(table) == 4 * count:
        firsts = _firsts(struct.unpack(f"<{count}I", table), offsets)
        if firsts is not None:
            return FrameRanges(offsets, lengths, None if len(offsets) == count else firsts)
    if len(offsets) <= count:
        return FrameRanges(offsets, lengths, None)
    return _by_codestream(dataset, offsets, lengths, count)


def _walk(dataset: Buffer, start: int) -> tuple[array[int], array[int], bytes]:
    """Offset and length of every fragment's value, and the basic offset table's bytes."""
    offsets, lengths = array("Q"), array("Q")
    table: bytes | None = None
    position, end, unpack = start, len(dataset), _ITEM.unpack_from
    while position + 8 <= end:
        group, element, length = unpack(dataset, position)
        position += 8
        if group != 0xFFFE or element not in (0xE000, 0xE0DD):
            raise MalformedObject("pixel data: something other than an item lies between the fragments")
        if element == 0xE0DD:
            return offsets, lengths, table or b""
        if length == _UNDEFINED or length > end - position:
            raise MalformedObject("pixel data: a fragment runs past the end of the object")
        if table is None:
            table = bytes(dataset[position : position + min(length, 4 * FRAGMENTS_MAX)])
        else:
            offsets.append(position)
            lengths.append(length)
            if len(offsets) > FRAGMENTS_MAX:
                raise MalformedObject(f"pixel data: more than {FRAGMENTS_MAX} fragments")
        position += length
    raise MalformedObject("pixel data: the fragments end without a delimiter")


def _extended_table(dataset: Buffer, pixels: Pixels, count: int) -> tuple[Sequence[int], Sequence[int]] | None:
    """(7FE0,0001) and (7FE0,0002), which, when there, stand right before the pixel data element."""
    size = 8 * count
    end = pixels.offset - 12
    if end >= 20 and bytes(dataset[end - 20 : end - 12]) == b"\xe0\x7f\x03\x00UV\0\0":
        end -= 20
    tables: list[Sequence[int]] = []
    for tag in (b"\xe0\x7f\x02\x00OV\0\0", b"\xe0\x7f\x01\x00OV\0\0"):
        begin = end - size - 12
        if begin < 0 or bytes(dataset[begin : end - size]) != tag + struct.pack("<I", size & _UNDEFINED):
            return None
        tables.append(struct.unpack(f"<{count}Q", bytes(dataset[end - size : end])))
        end = begin
    return tables[1], tables[0]


def _firsts(table: Sequence[int], offsets: array[int]) -> array[int] | None:
    """The fragment each frame starts with; None when an entry is no fragment's start or they do not rise."""
    base = offsets[0] - 8
    number = {offset - 8 - base: index for index, offset in enumerate(offsets)}
    firsts = array("L")
    previous = -1
    for entry in table:
        index = number.get(entry)
        if index is None or index <= previous:
            return None
        firsts.append(index)
        previous = index
    if firsts[0] != 0:
        return None
    firsts.append(len(offsets))
    return firsts


def _trimmed(offsets: array[int], lengths: array[int], firsts: array[int], true: Sequence[int]) -> FrameRanges:
    """The extended table's lengths tell the padding byte from the frame's own."""
    for frame, length in enumerate(true):
        first = firsts[frame]
        if firsts[frame + 1] == first + 1 and lengths[first] == length + 1:
            lengths[first] = length
    return FrameRanges(offsets, lengths, None if len(offsets) == len(true) else firsts)


def _by_codestream(dataset: Buffer, offsets: array[int], lengths: array[int], count: int) -> FrameRanges:
    """More fragments than frames and no table to trust: look for where codestreams start, else where they end."""
    starts = array("L", (i for i, at in enumerate(offsets) if bytes(dataset[at : at + 12]).startswith(_STARTS)))
    if len(starts) != count:
        ends = [i + 1 for i in range(len(offsets)) if _ends(dataset, offsets[i], lengths[i])]
        if len(ends) == count and ends[-1] == len(offsets):
            starts = array("L", [0, *ends[:-1]])
    if not starts or starts[0] != 0:
        full = [i for i in range(len(offsets)) if lengths[i]]
        kept = full if len(full) == count else []
        return FrameRanges(array("Q", (offsets[i] for i in kept)), array("Q", (lengths[i] for i in kept)), None)
    starts.append(len(offsets))
    return FrameRanges(offsets, lengths, starts[: count + 1])


def _ends(dataset: Buffer, offset: int, length: int) -> bool:
    return _JPEG_END in bytes(dataset[offset + max(0, length - 10) : offset + length])
