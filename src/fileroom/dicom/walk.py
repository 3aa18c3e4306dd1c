"""Finding elements in a dataset by their headers alone: no value is copied or decoded (PS3.5 7).

This is the hot path of ingest: one loop over the top level, one over what lies in sequences of undefined length.
Tags are compared as they are read, so a little-endian layout holds its tags with the halves swapped.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat

from fileroom.dicom.vr import FRAGMENT_VRS, LONG_VRS, SHORT_VRS
from fileroom.errors import MalformedObject

Buffer = bytes | bytearray | memoryview | mmap.mmap
Span = tuple[int, int]  # first byte of a value and first byte behind it; the second is UNDEFINED for fragments

UNDEFINED = -1
DEPTH_MAX = 64  # sequences of undefined length inside each other
TOP_LEVEL_MAX = 1 << 17  # elements of one dataset, not counting those inside sequences
NESTED_MAX = 1 << 23  # elements, items and fragments walked inside values of undefined length

_UNDEFINED_LENGTH = 0xFFFFFFFF

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}


class Layout:
    """What the loops need to read one byte order: readers, and tags and VRs as these readers return them."""

    __slots__ = (
        "delimiters",
        "fragments",
        "header",
        "item",
        "item_end",
        "items",
        "known",
        "long",
        "sequence_end",
        "short",
        "un",
        "wanted",
    )

    def __init__(self, order: str, wanted: Mapping[int, str]) -> None:
        def vrs(codes: Iterable[str]) -> frozenset[int]:
            return frozenset(struct.unpack(order + "H", code.encode("ascii"))[0] for code in codes)

        self.header = struct.Struct(order + "IHH").unpack_from  # tag, VR, 16-bit length
        self.item = struct.Struct(order + "II").unpack_from  # tag, 32-bit length
        self.long = vrs(LONG_VRS)
        self.short = vrs(SHORT_VRS)
        self.known = self.short | self.long
        self.fragments = vrs(FRAGMENT_VRS)
        (self.un,) = vrs(["UN"])
        self.items = _as_read(ITEM, order)
        self.item_end = _as_read(ITEM_END, order)
        self.sequence_end = _as_read(SEQUENCE_END, order)
        self.delimiters = frozenset({self.items, self.item_end, self.sequence_end})
        self.wanted = {_as_read(tag, order): name for tag, name in wanted.items()}


def _as_read(tag: int, order: str) -> int:
    return tag if order == ">" else (tag & 0xFFFF) << 16 | tag >> 16


@dataclass(slots=True)
class Found:
    """What one walk found; filled as it goes."""

    spans: dict[str, Span]  # by the name the layout gives the tag, in the order of the dataset
    repeated: list[str]  # names that came again: the first one counts
    strays: int = 0  # sequence delimiters outside of any sequence
    nested: int = 0  # elements, items and fragments walked inside values of undefined length


def walk_explicit(buffer: Buffer, at: int, layout: Layout, found: Found) -> int:
    """Walk the top level of an explicit VR dataset from `at`; returns where the last element ends.

    That is behind the buffer's end when the last value is cut short, and before it where an element (0000,0000)
    stands, which is no element: the caller compares. Values inside sequences are never found.
    Raises MalformedObject when a header is cut short or a value of undefined length is not well formed.
    """
    unpack, item, short, long = layout.header, layout.item, layout.short, layout.long
    wanted, spans = layout.wanted, found.spans
    try:
        for _ in repeat(None, TOP_LEVEL_MAX):
            tag, vr, length = unpack(buffer, at)
            if vr in short:
                start = at + 8
                at = stop = start + length
            else:
                if vr in long:
                    start, length = at + 12, item(buffer, at + 4)[1]
                elif tag == 0:
                    return at
                else:
                    start, length = _odd_value(buffer, at, tag, vr, length, layout, found)
                    vr = layout.un
                if length == _UNDEFINED_LENGTH:
                    stop = UNDEFINED if wanted.get(tag) in _PIXEL_NAMES else start
                    at = _behind_undefined(buffer, start, tag, vr, layout, found)
                else:
                    at = stop = start + length
            if tag in wanted:
                name = wanted[tag]
                if name in spans:
                    found.repeated.append(name)
                else:
                    spans[name] = (start, stop)
    except struct.error:
        return _end(buffer, at)
    raise MalformedObject(f"the dataset has more than {TOP_LEVEL_MAX} elements")


def walk_implicit(buffer: Buffer, at: int, layout: Layout, found: Found) -> int:
    """`walk_explicit` for an implicit VR dataset."""
    unpack, wanted, spans = layout.item, layout.wanted, found.spans
    odd = {0, *layout.delimiters}
    try:
        for _ in repeat(None, TOP_LEVEL_MAX):
            tag, length = unpack(buffer, at)
            start = at + 8
            if length == _UNDEFINED_LENGTH:
                stop = UNDEFINED if wanted.get(tag) in _PIXEL_NAMES else start
                at = _behind_undefined(buffer, start, tag, layout.un, layout, found)
            else:
                at = stop = start + length
            if tag in wanted:
                name = wanted[tag]
                if name in spans:
                    found.repeated.append(name)
                else:
                    spans[name] = (start, stop)
            elif tag in odd:
                if tag == 0:
                    return start - 8
                _check_delimiter(tag, layout, found)
    except struct.error:
        return _end(buffer, at)
    raise MalformedObject(f"the dataset has more than {TOP_LEVEL_MAX} elements")


def _end(buffer: Buffer, at: int) -> int:
    """Where the walk ended, when no whole header could be read at `at`."""
    if at < len(buffer):
        raise MalformedObject("the dataset is cut short inside the header of an element")
    return at


def _check_delimiter(tag: int, layout: Layout, found: Found) -> None:
    if tag == layout.items or tag == layout.item_end:
        raise MalformedObject("an item or its end lies outside of any sequence")
    found.strays += tag == layout.sequence_end


_UNENDED_ITEM = "an item of a sequence does not end before the next item or the end of the sequence"
_PIXEL_NAMES = frozenset(PIXEL_TAGS.values())


def _odd_value(
    buffer: Buffer, at: int, tag: int, vr: int, length: int, layout: Layout, found: Found
) -> tuple[int, int]:
    """Start and length of a value whose VR the standard does not know.

    Two capital letters: a VR of the future, whose length has 32 bits behind two zero bytes (PS3.5 6.2), or 16 bits
    when that does not fit. Other printable characters such as "??": 16 bits, as senders of those do. Anything else:
    the header is that of implicit VR, as some senders switch to for private elements.
    """
    if tag in layout.delimiters:
        _check_delimiter(tag, layout, found)
    first, second = buffer[at + 4], buffer[at + 5]
    end = len(buffer)
    if 0x41 <= first <= 0x5A and 0x41 <= second <= 0x5A:
        if length == 0 and at + 12 <= end:
            long_length = layout.item(buffer, at + 4)[1]
            if long_length == _UNDEFINED_LENGTH or at + 12 + long_length <= end:
                return at + 12, long_length
        return at + 8, length
    if 0x20 <= first <= 0x7E and 0x20 <= second <= 0x7E:
        return at + 8, length
    return at + 8, layout.item(buffer, at)[1]


def _behind_undefined(buffer: Buffer, at: int, tag: int, vr: int, layout: Layout, found: Found) -> int:
    """Where a value of undefined length ends, behind its delimiter: fragments or a sequence."""
    if vr in layout.fragments or layout.wanted.get(tag) in _PIXEL_NAMES:
        return _behind_fragments(buffer, at, layout, found)
    return _behind_sequence(buffer, at, vr, layout, found)


def _behind_fragments(buffer: Buffer, at: int, layout: Layout, found: Found) -> int:
    """Where encapsulated data ends (PS3.5 A.4): items of defined length, then a sequence delimiter."""
    unpack, items = layout.item, layout.items
    for count in range(NESTED_MAX - found.nested):
        tag, length = unpack(buffer, at)
        at += 8
        if tag == items and length != _UNDEFINED_LENGTH:
            at += length
        elif tag == layout.sequence_end:
            found.nested += count
            return at
        else:
            raise MalformedObject("fragments are not followed by a sequence delimiter")
    raise MalformedObject(f"more than {NESTED_MAX} elements lie inside values of undefined length")


def _behind_sequence(buffer: Buffer, at: int, vr: int, layout: Layout, found: Found) -> int:
    """Where a sequence of undefined length ends (PS3.5 7.5), without recursion.

    Inside UN the encoding is implicit VR (PS3.5 6.2.2 note 2). `outer` holds, for each sequence around the one being
    read, whether its item is explicit.
    """
    header, item, short, long = layout.header, layout.item, layout.short, layout.long
    explicit = vr != layout.un
    outer: list[bool] = []
    in_item = False
    end = len(buffer)
    for count in range(NESTED_MAX - found.nested):
        if not in_item:
            tag, length = item(buffer, at)
            at += 8
            if tag == layout.items:
                if length == _UNDEFINED_LENGTH:
                    in_item = True
                else:
                    at += length
            elif tag != layout.sequence_end:
                raise MalformedObject("a sequence holds something that is not an item")
            elif not outer:
                found.nested += count
                return at
            else:
                explicit = outer.pop()
                in_item = True
            continue
        if explicit:
            tag, vr, length = header(buffer, at)
            if vr in short:
                at += 8 + length
                continue
            if vr in long:
                length = item(buffer, at + 4)[1]
                at += 12
            elif tag == layout.item_end:
                at += 8
                in_item = False
                continue
            else:
                if tag in layout.delimiters:
                    raise MalformedObject(_UNENDED_ITEM)
                at, length = _odd_value(buffer, at, tag, vr, length, layout, found)
                vr = layout.un
        else:
            tag, length = item(buffer, at)
            at += 8
            vr = layout.un
            if tag in layout.delimiters:
                if tag != layout.item_end:
                    raise MalformedObject(_UNENDED_ITEM)
                in_item = False
                continue
            if length > end - at and length != _UNDEFINED_LENGTH and header(buffer, at - 8)[1] in layout.known:
                explicit = True  # a sender that wrote explicit VR into a UN
                at -= 8
                continue
        if length != _UNDEFINED_LENGTH:
            at += length
        elif vr in layout.fragments:
            at = _behind_fragments(buffer, at, layout, found)
        elif len(outer) + 1 >= DEPTH_MAX:
            raise MalformedObject(f"sequences lie more than {DEPTH_MAX} deep")
        else:
            outer.append(explicit)
            explicit = explicit and vr != layout.un
            in_item = False
    raise MalformedObject(f"more than {NESTED_MAX} elements lie inside values of undefined length")
