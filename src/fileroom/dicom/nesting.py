"""Stepping over what has no length: sequences and fragments up to their delimiters, and VRs nobody knows (PS3.5 7.5).

No recursion: depth, elements and so time are bounded by `layout`. Header bytes alone are read.
"""

from __future__ import annotations

from fileroom.dicom.layout import (
    DEPTH_MAX,
    NESTED_MAX,
    PIXEL_NAMES,
    UNDEFINED_LENGTH,
    Buffer,
    Found,
    Layout,
)
from fileroom.errors import MalformedObject

_UNENDED_ITEM = "an item of a sequence does not end before the next item or the end of the sequence"


def behind_undefined(buffer: Buffer, at: int, tag: int, vr: int, layout: Layout, found: Found) -> int:
    """Where a value of undefined length ends, behind its delimiter: fragments or a sequence."""
    if vr in layout.fragments or layout.wanted.get(tag) in PIXEL_NAMES:
        return _behind_fragments(buffer, at, layout, found)
    return _behind_sequence(buffer, at, vr, layout, found)


def odd_value(buffer: Buffer, at: int, tag: int, vr: int, length: int, layout: Layout, found: Found) -> tuple[int, int]:
    """Start and length of a value whose VR the standard does not know.

    Two capital letters: a VR of the future, whose length has 32 bits behind two zero bytes (PS3.5 6.2), or 16 bits
    when that does not fit. Other printable characters such as "??": 16 bits, as senders of those do. Anything else:
    the header is that of implicit VR, as some senders switch to for private elements.
    """
    if tag in layout.delimiters:
        check_delimiter(tag, layout, found)
    first, second = buffer[at + 4], buffer[at + 5]
    end = len(buffer)
    if 0x41 <= first <= 0x5A and 0x41 <= second <= 0x5A:
        if length == 0 and at + 12 <= end:
            long_length = layout.item(buffer, at + 4)[1]
            if long_length == UNDEFINED_LENGTH or at + 12 + long_length <= end:
                return at + 12, long_length
        return at + 8, length
    if 0x20 <= first <= 0x7E and 0x20 <= second <= 0x7E:
        return at + 8, length
    return at + 8, layout.item(buffer, at)[1]


def check_delimiter(tag: int, layout: Layout, found: Found) -> None:
    if tag == layout.items or tag == layout.item_end:
        raise MalformedObject("an item or its end lies outside of any sequence")
    found.strays += tag == layout.sequence_end


def _behind_fragments(buffer: Buffer, at: int, layout: Layout, found: Found) -> int:
    """Where encapsulated data ends (PS3.5 A.4): items of defined length, then a sequence delimiter."""
    unpack, items = layout.item, layout.items
    for count in range(NESTED_MAX - found.nested):
        tag, length = unpack(buffer, at)
        at += 8
        if tag == items and length != UNDEFINED_LENGTH:
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
                if length == UNDEFINED_LENGTH:
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
                at, length = odd_value(buffer, at, tag, vr, length, layout, found)
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
            if length > end - at and length != UNDEFINED_LENGTH and header(buffer, at - 8)[1] in layout.known:
                explicit = True  # a sender that wrote explicit VR into a UN
                at -= 8
                continue
        if length != UNDEFINED_LENGTH:
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
