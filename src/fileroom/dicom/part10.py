"""The DICOM file format: preamble, prefix and File Meta Information (PS3.10 7.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from fileroom.dicom.layout import Buffer
from fileroom.dicom.syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from fileroom.dicom.uid import check_uid
from fileroom.dicom.vr import LONG_VRS, SHORT_VRS
from fileroom.errors import MalformedObject

IMPLEMENTATION_CLASS_UID = "2.25.208154392857104935213507841990273356421"
IMPLEMENTATION_VERSION_NAME = "FILEROOM_1"

_META_BYTES_MAX = 1 << 16  # of group 2
_PREAMBLE = bytes(128) + b"DICM"
_LONG = frozenset(vr.encode("ascii") for vr in LONG_VRS)
_SHORT = frozenset(vr.encode("ascii") for vr in SHORT_VRS)
_TAG_LENGTH = struct.Struct("<HHI").unpack_from
_TAG_VR_LENGTH = struct.Struct("<HH2sH").unpack_from
_UINT32 = struct.Struct("<I").unpack_from


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What File Meta Information says; texts are "" when absent."""

    transfer_syntax: str
    sop_class_uid: str  # Media Storage SOP Class UID
    sop_uid: str  # Media Storage SOP Instance UID
    source_ae: str  # Source Application Entity Title
    dataset_offset: int  # first byte of the dataset, from the start of the file


def read_meta(buffer: Buffer) -> FileMeta:
    """File Meta Information of a Part 10 file. Its UIDs are as written: not checked, and perhaps not the dataset's.

    The end of group 2 is found by reading its elements; a wrong or absent group length does no harm. Raises
    MalformedObject when the prefix "DICM" or the transfer syntax is missing, or group 2 is not well formed.
    """
    if bytes(buffer[128:132]) != b"DICM":
        raise MalformedObject("this is not a DICOM file: the prefix DICM is missing")
    meta = _read_group_2(buffer, 132)
    if not meta.transfer_syntax:
        raise MalformedObject("the file does not say its transfer syntax")
    return meta


def read_file_start(buffer: Buffer) -> FileMeta | None:
    """What an importer needs of a file that may be anything; None when it is not DICOM at all.

    Takes Part 10 files, those without the preamble or without preamble and prefix, and a bare dataset that starts
    with group 8. Where the transfer syntax is not said, it is guessed from the first element. Raises MalformedObject
    when the file says that it is DICOM and its group 2 is not well formed.
    """
    if bytes(buffer[128:132]) == b"DICM":
        start = 132
    elif bytes(buffer[:4]) == b"DICM":
        start = 4
    elif bytes(buffer[:4]) == b"\2\0\0\0" and bytes(buffer[4:6]) == b"UL":
        start = 0
    else:
        guess = _guess_syntax(buffer, 0)
        return FileMeta(guess, "", "", "", 0) if guess else None
    meta = _read_group_2(buffer, start)
    if meta.transfer_syntax:
        return meta
    guess = _guess_syntax(buffer, meta.dataset_offset)
    if not guess:
        raise MalformedObject("the file does not say its transfer syntax, and it cannot be guessed")
    return FileMeta(guess, meta.sop_class_uid, meta.sop_uid, meta.source_ae, meta.dataset_offset)


def prefix(sop_class_uid: str, sop_uid: str, transfer_syntax: str, source_ae: str) -> bytes:
    """All bytes of a Part 10 file before its dataset, for an object received without them.

    `source_ae` is cut to 16 characters; characters outside ASCII become "?"; when it is empty its element is left
    out. Raises InvalidUid.
    """
    sop = check_uid(sop_uid).encode("ascii")
    if len(sop) & 1:
        sop += b"\0"
    before, after, size = _prefix_parts(sop_class_uid, transfer_syntax, source_ae)
    return b"%b%b%b%b%b%b" % (_GROUP_LENGTH, _pack_uint32(size + len(sop)), before, _pack_uint16(len(sop)), sop, after)


_GROUP_LENGTH = _PREAMBLE + b"\2\0\0\0UL\4\0"
_pack_uint32 = struct.Struct("<I").pack
_pack_uint16 = struct.Struct("<H").pack


@lru_cache(maxsize=1024)
def _prefix_parts(sop_class_uid: str, transfer_syntax: str, source_ae: str) -> tuple[bytes, bytes, int]:
    """Group 2 before the length of (0002,0003) and behind its value, and its size without that value."""
    before = (
        b"\2\0\1\0OB\0\0\2\0\0\0\0\1"
        + _element(2, b"UI", check_uid(sop_class_uid).encode("ascii"))
        + struct.pack("<HH2s", 2, 3, b"UI")
    )
    after = (
        _element(0x10, b"UI", check_uid(transfer_syntax).encode("ascii"))
        + _element(0x12, b"UI", IMPLEMENTATION_CLASS_UID.encode("ascii"))
        + _element(0x13, b"SH", IMPLEMENTATION_VERSION_NAME.encode("ascii"))
    )
    title = source_ae.strip().encode("ascii", "replace")[:16]
    if title:
        after += _element(0x16, b"AE", title)
    return before, after, len(before) + 2 + len(after)


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0" if vr == b"UI" else b" "
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value


def _read_group_2(buffer: Buffer, at: int) -> FileMeta:
    """Read elements of group 2 (explicit little endian; implicit, as a few writers do) until another group begins."""
    texts: dict[int, str] = {}
    end, limit = len(buffer), at + _META_BYTES_MAX
    while at + 8 <= end:
        group, number, vr, length = _TAG_VR_LENGTH(buffer, at)
        if group != 2:
            break
        at += 8
        if vr in _LONG and at + 4 <= end:
            (length,) = _UINT32(buffer, at)
            at += 4
        elif vr not in _SHORT:
            _, _, length = _TAG_LENGTH(buffer, at - 8)
        if at + length > end:
            raise MalformedObject("the file is cut short inside its File Meta Information")
        if at + length > limit:
            raise MalformedObject(f"File Meta Information is larger than {_META_BYTES_MAX} bytes")
        if number in (0x02, 0x03, 0x10, 0x16):
            texts.setdefault(number, str(buffer[at : at + length], "latin-1").strip(" \0"))
        at += length
    if at != end and at + 8 > end:
        raise MalformedObject("the file is cut short behind its File Meta Information")
    get = texts.get
    return FileMeta(get(0x10, ""), get(0x02, ""), get(0x03, ""), get(0x16, ""), at)


def _guess_syntax(buffer: Buffer, at: int) -> str:
    """Transfer syntax of a bare dataset that starts with an element of group 8 at `at`; "" when it is not one."""
    if at + 8 > len(buffer):
        return ""
    group, _, vr, _ = _TAG_VR_LENGTH(buffer, at)
    if group == 8:
        if vr in _SHORT or vr in _LONG:
            return EXPLICIT_LE
        _, _, length = _TAG_LENGTH(buffer, at)
        return IMPLICIT_LE if at + 8 + length <= len(buffer) and length <= 1024 else ""
    return EXPLICIT_BE if group == 0x0800 and vr in _SHORT else ""
