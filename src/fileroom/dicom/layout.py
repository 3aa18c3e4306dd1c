"""How a dataset's bytes are read for the walk: byte orders, tags, bounds, and what a walk finds (PS3.5 7).

Tags are compared as they are read, so a little-endian layout holds its tags with the halves swapped.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fileroom.dicom.vr import FRAGMENT_VRS, LONG_VRS, SHORT_VRS

Buffer = bytes | bytearray | memoryview | mmap.mmap
Span = tuple[int, int]  # first byte of a value and first byte behind it; the second is UNDEFINED for fragments

UNDEFINED = -1
UNDEFINED_LENGTH = 0xFFFFFFFF  # as a length field says it
DEPTH_MAX = 64  # sequences inside each other
TOP_LEVEL_MAX = 1 << 17  # elements of one dataset, not counting those inside sequences
NESTED_MAX = 1 << 23  # elements, items and fragments walked inside values of undefined length

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
PIXEL_NAMES = frozenset(PIXEL_TAGS.values())


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
