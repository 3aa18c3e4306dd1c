"""What a tag's value representation is when the bytes do not say: implicit VR, and elements sent as UN (PS3.6)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def public_vr(tag: int) -> str:
    """The VR the data dictionary gives a standard tag, "UN" when it has none.

    Where it gives a choice, the choice of Implicit VR Little Endian (PS3.5 A.1): OW for "OB or OW" and
    "US or OW"; "US or SS" is returned as "XS", because it follows Pixel Representation.
    """
    from pydicom.datadict import dictionary_VR  # the dictionary costs time and memory: only those who need it pay

    if not tag & 0xFFFF:
        return "UL"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    if vr == "US or SS":
        return "XS"
    return vr if len(vr) == 2 else "OW" if "OW" in vr else "UN"


@lru_cache(maxsize=4096)
def private_vr(tag: int, creator: str) -> str:
    """The VR a private element has in pydicom's dictionary of known creators, else "UN".

    A private creator element itself is LO (PS3.5 7.8.1).
    """
    from pydicom.datadict import private_dictionary_VR

    if 0x10 <= tag & 0xFFFF <= 0xFF:
        return "LO"
    if not creator:
        return "UN"
    try:
        vr = private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"
    return vr if len(vr) == 2 else "UN"
