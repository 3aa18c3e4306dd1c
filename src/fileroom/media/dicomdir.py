"""A DICOMDIR: directory records with their offsets, in Explicit VR Little Endian (PS3.10 8, PS3.3 F)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from fileroom.dicom import part10
from fileroom.dicom.charset import UTF_8, decode, encode, is_known
from fileroom.dicom.element import CHARSET_TAG, Element, Elements, number_element, text_element
from fileroom.dicom.elements import write_elements
from fileroom.dicom.syntax import EXPLICIT_LE, syntax

DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
FILE_SET_ID = "FILEROOM"

_SYNTAX = syntax(EXPLICIT_LE)
_ITEM = struct.Struct("<HHI")
_NEXT, _LOWER = 16, 38  # where a record holds these two offsets, from its item's start: its first and third element
_IN_USE = 0xFFFF
_PADDING_HEAD = struct.pack("<HH2sH", 0xFFFC, 0xFFFC, b"OB", 0)


@dataclass(frozen=True, slots=True)
class Record:
    """One directory record."""

    level: int  # 0 PATIENT, 1 STUDY, 2 SERIES, 3 what lies in a series
    data: bytes  # as written, the offsets still 0


def record(level: int, kind: str, keys: Elements, file: Reference | None = None) -> Record:
    """A record of these keys; `file` is what it stands for."""
    elements = {
        0x00041400: number_element(0x00041400, "UL", 0),
        0x00041410: number_element(0x00041410, "US", _IN_USE),
        0x00041420: number_element(0x00041420, "UL", 0),
        0x00041430: text_element(0x00041430, "CS", kind),
        **({} if file is None else file.elements()),
        **keys,
    }
    return Record(level, write_elements(elements, _SYNTAX))


@dataclass(frozen=True, slots=True)
class Reference:
    """The file behind a record."""

    path: str  # with slashes
    sop_class_uid: str
    sop_uid: str
    transfer_syntax: str

    def elements(self) -> Elements:
        return {
            0x00041500: text_element(0x00041500, "CS", self.path.replace("/", "\\")),
            0x00041510: text_element(0x00041510, "UI", self.sop_class_uid),
            0x00041511: text_element(0x00041511, "UI", self.sop_uid),
            0x00041512: text_element(0x00041512, "UI", self.transfer_syntax),
        }


def directory(records: Iterable[Record], uid: str) -> bytes:
    """The whole file. Records come depth first: each behind the one that it belongs to."""
    prefix = part10.prefix(DIRECTORY_CLASS, uid, EXPLICIT_LE, "")
    start = len(prefix) + len(_opening(0, 0)) + 12
    body = bytearray()
    latest: list[int | None] = [None] * 4  # by level: the last record under the parents there are now
    first = 0
    for one in records:
        at = len(body)
        body += _ITEM.pack(0xFFFE, 0xE000, len(one.data)) + one.data
        before = latest[one.level]
        if before is not None:
            struct.pack_into("<I", body, before + _NEXT, start + at)
        elif one.level == 0:
            first = start + at
        else:
            struct.pack_into("<I", body, _parent(latest, one.level) + _LOWER, start + at)
        latest[one.level] = at
        latest[one.level + 1 :] = [None] * (3 - one.level)
    last = 0 if latest[0] is None else start + latest[0]
    sequence = struct.pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, len(body))
    return b"".join((prefix, _opening(first, last), sequence, body))


def padded(file: bytes, size_bytes: int) -> bytes:
    """The file with Data Set Trailing Padding behind it, so that it has that size (PS3.10 7.2).

    Raises ValueError when that cannot be: it is larger, or fewer than 12 bytes smaller.
    """
    missing = size_bytes - len(file) - len(_PADDING_HEAD) - 4
    if size_bytes == len(file):
        return file
    if missing < 0:
        raise ValueError("there is no room for trailing padding")
    return file + _PADDING_HEAD + struct.pack("<I", missing) + bytes(missing)


def texts(values: Iterable[tuple[int, str, str]], preferred_charset: str = "") -> Elements:
    """Elements of text, each tag, VR and text, with the Specific Character Set they need.

    None for ASCII; the preferred one, which they came in, where it holds them all; else UTF-8.
    """
    rows = list(values)
    charset = _charset_for([(vr, text) for _, vr, text in rows if not text.isascii()], preferred_charset)
    elements: dict[int, Element] = {tag: text_element(tag, vr, text, charset) for tag, vr, text in rows}
    if charset:
        elements[CHARSET_TAG] = text_element(CHARSET_TAG, "CS", charset)
    return elements


def _charset_for(outside_ascii: list[tuple[str, str]], preferred: str) -> str:
    if not outside_ascii:
        return ""
    kept = preferred and is_known(preferred)
    if kept and all(decode(encode(text, preferred), vr, preferred) == text for vr, text in outside_ascii):
        return preferred
    return UTF_8


def _opening(first: int, last: int) -> bytes:
    """What stands before the sequence of records."""
    return write_elements(
        [
            text_element(0x00041130, "CS", FILE_SET_ID),
            number_element(0x00041200, "UL", first),
            number_element(0x00041202, "UL", last),
            number_element(0x00041212, "US", 0),
        ],
        _SYNTAX,
    )


def _parent(latest: list[int | None], level: int) -> int:
    parent = latest[level - 1]
    if parent is None:
        raise ValueError("a directory record without the one above it")
    return parent
