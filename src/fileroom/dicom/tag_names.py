"""What a tag is called (PS3.6, and what is known of private ones)."""

from __future__ import annotations

from functools import lru_cache


def tag_text(tag: int) -> str:
    """(0010,0020)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=8192)
def tag_name(tag: int, creator: str = "") -> str:
    """The name of an element; of a private one with its creator in front. "" when nobody knows it."""
    from pydicom.datadict import dictionary_description, private_dictionary_description

    if not tag & 0xFFFF:
        return "Group Length"
    if tag & 0x10000:
        if 0x10 <= tag & 0xFFFF <= 0xFF:
            return "Private Creator"
        if not creator:
            return "Private, creator not named"
        try:
            return f"{creator}: {private_dictionary_description(tag, creator)}"
        except KeyError:
            return f"Private to {creator}"
    try:
        return dictionary_description(tag)
    except KeyError:
        return ""


@lru_cache(maxsize=2048)
def uid_name(uid: str) -> str:
    """What the standard calls a UID; "" when it does not list it (PS3.6 A)."""
    from pydicom._uid_dict import UID_dictionary

    known = UID_dictionary.get(uid)
    return known[0] if known else ""
