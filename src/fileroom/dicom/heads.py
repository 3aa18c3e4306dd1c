"""Element heads one by one, for whoever reads values too: tag, VR, where the value lies (PS3.5 7.1).

`walk` is the faster sibling that finds a few top-level elements; this one serves the readers of whole datasets. Both
take the same odd bytes the same way.
"""

from __future__ import annotations

import struct

from fileroom.dicom.header import Buffer
from fileroom.errors import MalformedObject

DEPTH_MAX = 64  # sequences within sequences
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_SHORT = b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
_LONG = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
_VRS: dict[bytes, tuple[str, bool]] = {  # the two letters -> name, and whether the length has 32 bits
    **{vr: (vr.decode(), False) for vr in _SHORT},
    **{vr: (vr.decode(), True) for vr in _LONG},
}
SHORT_VRS: dict[bytes, str] = {vr: name for vr, (name, wide) in _VRS.items() if not wide}


class Heads:
    """Reader of the element heads of one dataset. Every position it returns lies inside the dataset."""

    __slots__ = ("_tag_and_length", "data", "explicit", "order")

    def __init__(self, data: Buffer, big_endian: bool) -> None:
        self.data = data
        self.order = ">" if big_endian else "<"
        self.explicit = struct.Struct(self.order + "HH2sH").unpack_from  # for loops that cannot afford `head`
        self._tag_and_length = struct.Struct(self.order + "HHI").unpack_from

    def head(self, position: int, end: int, implicit: bool) -> tuple[int, str, int, int]:
        """Tag, VR ("" when the bytes do not say), value's start, length (UNDEFINED, or the value ends by `end`).

        Raises MalformedObject when the head or the value runs past `end`.
        """
        if position + 8 > end:
            raise MalformedObject("dataset: ends inside an element")
        group, element, letters, length = self.explicit(self.data, position)
        vr, start = "", position + 8
        known = _VRS.get(letters)
        if implicit or group == 0xFFFE:
            length = self._tag_and_length(self.data, position)[2]
        elif known is None:
            vr, start, length = self._odd(letters, length, position, end)
        elif known[1]:
            vr, start = known[0], position + 12
            if start > end:
                raise MalformedObject("dataset: ends inside an element")
            length = self._tag_and_length(self.data, position + 4)[2]
        else:
            vr = known[0]
        if length > end - start and length != UNDEFINED:
            raise MalformedObject("dataset: a length runs past the end")
        return group << 16 | element, vr, start, length

    def _odd(self, letters: bytes, length: int, position: int, end: int) -> tuple[str, int, int]:
        """A VR the standard does not know.

        Two capitals: of a later edition, its length has 32 bits (PS3.5 6.2) or 16 when that does not fit. Other
        printable characters, such as "??": 16 bits. Anything else: implicit VR, as some senders slip into.
        """
        if letters.isalpha() and letters.isupper():
            if length == 0 and position + 12 <= end:
                wide = self._tag_and_length(self.data, position + 4)[2]
                if wide == UNDEFINED or position + 12 + wide <= end:
                    return "UN", position + 12, wide
            return "UN", position + 8, length
        if all(0x20 <= letter <= 0x7E for letter in letters):
            return "UN", position + 8, length
        return "", position + 8, self._tag_and_length(self.data, position)[2]

    def skip(self, start: int, end: int, implicit: bool) -> int:
        """Behind the delimiter of a value of undefined length that starts at `start`: items, fragments or both.

        Iterative, so that depth costs nothing. Raises MalformedObject past DEPTH_MAX or the end.
        """
        position, inside = start, [implicit]  # one entry a sequence or item still open; sequences at even places
        while inside:
            in_item = len(inside) % 2 == 0
            tag, vr, position, length = self.head(position, end, inside[-1])
            if tag == (ITEM_END if in_item else SEQUENCE_END):
                inside.pop()
            elif not in_item and tag != ITEM:
                raise MalformedObject("dataset: something other than an item inside a sequence")
            elif length != UNDEFINED:
                position += length
            elif len(inside) >= 2 * DEPTH_MAX:
                raise MalformedObject(f"dataset: nested deeper than {DEPTH_MAX}")
            else:
                inside.append(inside[-1] or vr == "UN")
        return position
