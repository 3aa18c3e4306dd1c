"""Small datasets as values: C-FIND and C-MOVE identifiers, and whatever else fits in memory whole (PS3.5 7)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from fileroom.dicom.attributes import BY_TAG
from fileroom.dicom.deflate import deflate, inflate
from fileroom.dicom.dictionary import public_vr
from fileroom.dicom.element import (
    CHARSET_TAG,
    Element,
    Elements,
    charset_of,
    number_element,
    number_of,
    text_element,
    text_of,
)
from fileroom.dicom.layout import DEPTH_MAX, ITEM, ITEM_END, SEQUENCE_END, UNDEFINED_LENGTH, Buffer
from fileroom.dicom.syntax import TransferSyntax
from fileroom.dicom.vr import LONG_VRS, SHORT_VRS
from fileroom.errors import MalformedObject

__all__ = [
    "CHARSET_TAG",
    "ELEMENTS_MAX",
    "SIZE_BYTES_MAX",
    "Element",
    "Elements",
    "charset_of",
    "number_element",
    "number_of",
    "read_elements",
    "text_element",
    "text_of",
    "write_elements",
]

SIZE_BYTES_MAX = 1 << 24  # of what is read here; objects go through `header` and `to_json`
ELEMENTS_MAX = 1 << 17  # elements and items, at all depths

_WIDTHS = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}


def read_elements(buffer: Buffer, syntax: TransferSyntax) -> Elements:
    """Every element of a dataset, in the order sent, the first of any that come twice.

    Group lengths are left out. Raises MalformedObject when the bytes are not such a dataset, or pass one of
    SIZE_BYTES_MAX, ELEMENTS_MAX and DEPTH_MAX.
    """
    if syntax.deflated:
        data = inflate(buffer, SIZE_BYTES_MAX)
    elif len(buffer) > SIZE_BYTES_MAX:
        raise MalformedObject(f"a dataset of more than {SIZE_BYTES_MAX} bytes is not read whole")
    else:
        data = bytes(buffer)
    reader = _Reader(data, ">" if syntax.big_endian else "<")
    try:
        elements, at = reader.dataset(0, len(data), syntax.implicit, 0)
    except struct.error:
        raise MalformedObject("the dataset is cut short inside the header of an element") from None
    if at != len(data):
        raise MalformedObject("a delimiter lies outside of any sequence")
    return elements


def write_elements(elements: Iterable[Element] | Mapping[int, Element], syntax: TransferSyntax) -> bytes:
    """The dataset of these elements, in ascending order of tag, values padded to even length, lengths defined.

    Raises MalformedObject when a value does not fit its VR's length field.
    """
    rows = elements.values() if isinstance(elements, Mapping) else elements
    order = ">" if syntax.big_endian else "<"
    data = _written(rows, order, syntax.implicit)
    return deflate(data) if syntax.deflated else data


def _swapped(value: bytes, vr: str) -> bytes:
    """A value in the other byte order. What is no whole number of units keeps its tail."""
    width = _WIDTHS.get(vr, 1)
    if width == 1:
        return value
    whole = len(value) // width * width
    swapped = bytearray(value)
    for i in range(width):
        swapped[i:whole:width] = value[width - 1 - i : whole : width]
    return bytes(swapped)


def _written(rows: Iterable[Element], order: str, implicit: bool) -> bytes:
    parts: list[bytes] = []
    for element in sorted(rows, key=_tag_of):
        vr, value = element.vr, element.value
        if isinstance(value, tuple):
            value = _written_items(value, order, implicit)
        elif order == ">":
            value = _swapped(value, vr)
        if len(value) & 1:
            value += b"\0" if vr in ("UI", "OB", "UN") else b" "
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if implicit:
            parts.append(struct.pack(order + "HHI", group, number, len(value)))
        elif vr in SHORT_VRS:
            if len(value) > 0xFFFF:
                raise MalformedObject(f"a value of VR {vr} is longer than 65,535 bytes")
            parts.append(struct.pack(order + "HH2sH", group, number, vr.encode("ascii"), len(value)))
        else:
            code = vr.encode("ascii") if vr in LONG_VRS else b"UN"
            parts.append(struct.pack(order + "HH2sHI", group, number, code, 0, len(value)))
        parts.append(value)
    return b"".join(parts)


def _written_items(items: tuple[Elements, ...], order: str, implicit: bool) -> bytes:
    parts: list[bytes] = []
    for item in items:
        data = _written(item.values(), order, implicit)
        parts.append(struct.pack(order + "HHI", ITEM >> 16, ITEM & 0xFFFF, len(data)))
        parts.append(data)
    return b"".join(parts)


def _tag_of(element: Element) -> int:
    return element.tag


class _Reader:
    """Reads nested elements by recursion, at most DEPTH_MAX deep. Raises struct.error at a header cut short."""

    __slots__ = ("data", "header", "left", "order", "short")

    def __init__(self, data: bytes, order: str) -> None:
        self.data = data
        self.order = order
        self.left = ELEMENTS_MAX
        self.header = struct.Struct(order + "HHI").unpack_from
        self.short = struct.Struct(order + "H").unpack_from

    def dataset(self, at: int, end: int, implicit: bool, depth: int) -> tuple[Elements, int]:
        """Elements from `at` up to `end` or to an item or sequence delimiter; where it stopped."""
        elements: Elements = {}
        while at < end:
            group, number, length = self.header(self.data, at)
            if group == 0xFFFE:
                break
            tag = group << 16 | number
            self._count()
            vr, start, length = self._shape(at, tag, length, implicit)
            value: bytes | tuple[Elements, ...]
            if length == UNDEFINED_LENGTH and vr not in ("SQ", "UN"):
                raise MalformedObject("fragments in a small dataset")
            if vr == "SQ" or length == UNDEFINED_LENGTH:
                value, at = self._items(start, end, length, implicit or vr == "UN", depth + 1)
                vr = "SQ"
            else:
                at = start + length
                if at > end:
                    raise MalformedObject("a value ends behind the end of its dataset")
                value = self.data[start:at]
                if self.order == ">":
                    value = _swapped(value, vr)
            if number:
                elements.setdefault(tag, Element(tag, vr, value))
        return elements, at

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise MalformedObject(f"a small dataset has more than {ELEMENTS_MAX} elements")

    def _shape(self, at: int, tag: int, length: int, implicit: bool) -> tuple[str, int, int]:
        """VR, first byte of the value, and its length."""
        code = str(self.data[at + 4 : at + 6], "latin-1")
        if code in SHORT_VRS and not implicit:  # nearly all
            return code, at + 8, self.short(self.data, at + 6)[0]
        if implicit or not (code in LONG_VRS or (code.isascii() and code.isprintable())):
            known = BY_TAG.get(tag)
            vr = known.vr if known is not None else public_vr(tag).replace("XS", "US")
            return "SQ" if vr == "UN" and length == UNDEFINED_LENGTH else vr, at + 8, length
        if code in LONG_VRS:
            return code, at + 12, self.header(self.data, at + 4)[2]
        return code, at + 8, self.short(self.data, at + 6)[0]

    def _items(self, at: int, end: int, length: int, implicit: bool, depth: int) -> tuple[tuple[Elements, ...], int]:
        """The items of a sequence that starts at `at`, and where it ends, behind its delimiter if it has one."""
        if depth > DEPTH_MAX:
            raise MalformedObject(f"sequences lie more than {DEPTH_MAX} deep")
        defined = length != UNDEFINED_LENGTH
        stop = at + length if defined else end
        if stop > end:
            raise MalformedObject("a sequence ends behind the end of its dataset")
        items: list[Elements] = []
        while at < stop:
            group, number, size = self.header(self.data, at)
            tag = group << 16 | number
            at += 8
            if tag == SEQUENCE_END and not defined:
                return tuple(items), at
            if tag != ITEM:
                raise MalformedObject("a sequence holds something that is not an item")
            item_end = stop if size == UNDEFINED_LENGTH else at + size
            if item_end > stop:
                raise MalformedObject("an item ends behind the end of its sequence")
            self._count()
            item, at = self.dataset(at, item_end, implicit, depth)
            items.append(item)
            if size == UNDEFINED_LENGTH:
                group, number, _ = self.header(self.data, at)
                if group << 16 | number != ITEM_END:
                    raise MalformedObject("an item does not end with its delimiter")
                at += 8
            elif at != item_end:
                raise MalformedObject("a delimiter lies inside an item of defined length")
        if not defined:
            raise MalformedObject("a sequence does not end with its delimiter")
        return tuple(items), at
