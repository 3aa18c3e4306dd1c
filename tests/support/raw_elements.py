"""Data elements as bytes, written by hand: what no honest writer would produce can be produced here."""

from __future__ import annotations

import struct

from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax

UNDEFINED = 0xFFFFFFFF
LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})

EXPLICIT = syntax(EXPLICIT_LE)
IMPLICIT = syntax(IMPLICIT_LE)

STUDY, SERIES, SOP, SOP_CLASS = "1.2.3", "1.2.3.4", "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.2"


def element(tag: int, vr: str, value: bytes, *, to: TransferSyntax = EXPLICIT, length: int | None = None) -> bytes:
    """One element; `length` lies about the value's length."""
    order = ">" if to.big_endian else "<"
    size = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if to.implicit:
        return head + struct.pack(order + "I", size) + value
    code = vr.encode("latin-1")
    if vr in LONG:
        return head + code + struct.pack(order + "HI", 0, size) + value
    return head + code + struct.pack(order + "H", size) + value


def item(value: bytes, *, to: TransferSyntax = EXPLICIT, undefined: bool = False) -> bytes:
    """One item of a sequence, or one fragment."""
    if undefined:
        return _delimiter(0xE000, UNDEFINED, to) + value + _delimiter(0xE00D, 0, to)
    return _delimiter(0xE000, len(value), to) + value


def sequence(tag: int, *items: bytes, to: TransferSyntax = EXPLICIT, vr: str = "SQ", undefined: bool = False) -> bytes:
    """A sequence of these items."""
    value = b"".join(items)
    if undefined:
        return element(tag, vr, value, to=to, length=UNDEFINED) + sequence_end(to)
    return element(tag, vr, value, to=to)


def sequence_end(to: TransferSyntax = EXPLICIT) -> bytes:
    return _delimiter(0xE0DD, 0, to)


def identity(to: TransferSyntax = EXPLICIT) -> bytes:
    """The four UIDs that every object needs, in ascending order of tag."""
    return b"".join(
        element(tag, "UI", even(uid.encode()), to=to)
        for tag, uid in ((0x00080016, SOP_CLASS), (0x00080018, SOP), (0x0020000D, STUDY), (0x0020000E, SERIES))
    )


def even(value: bytes) -> bytes:
    return value + b"\0" * (len(value) % 2)


def _delimiter(number: int, length: int, to: TransferSyntax) -> bytes:
    return struct.pack((">" if to.big_endian else "<") + "HHI", 0xFFFE, number, length)
