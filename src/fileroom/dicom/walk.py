"""Finding elements in a dataset by their headers alone: no value is copied or decoded (PS3.5 7).

This is the hot path of ingest: one loop over the top level, tuned by measuring; `nesting` steps over the rest.
"""

from __future__ import annotations

import struct
from itertools import repeat

from fileroom.dicom.layout import PIXEL_NAMES, TOP_LEVEL_MAX, UNDEFINED, UNDEFINED_LENGTH, Buffer, Found, Layout
from fileroom.dicom.nesting import behind_undefined, check_delimiter, odd_value
from fileroom.errors import MalformedObject


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
                    start, length = odd_value(buffer, at, tag, vr, length, layout, found)
                    vr = layout.un
                if length == UNDEFINED_LENGTH:
                    stop = UNDEFINED if wanted.get(tag) in PIXEL_NAMES else start
                    at = behind_undefined(buffer, start, tag, vr, layout, found)
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
            if length == UNDEFINED_LENGTH:
                stop = UNDEFINED if wanted.get(tag) in PIXEL_NAMES else start
                at = behind_undefined(buffer, start, tag, layout.un, layout, found)
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
                check_delimiter(tag, layout, found)
    except struct.error:
        return _end(buffer, at)
    raise MalformedObject(f"the dataset has more than {TOP_LEVEL_MAX} elements")


def _end(buffer: Buffer, at: int) -> int:
    """Where the walk ended, when no whole header could be read at `at`."""
    if at < len(buffer):
        raise MalformedObject("the dataset is cut short inside the header of an element")
    return at
