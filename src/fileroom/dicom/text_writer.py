"""Many datasets of the same text elements, written quickly: the identifiers of a C-FIND's responses (PS3.4 C.4.1)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from fileroom.dicom.charset import TEXT_VRS, UTF_8, encode
from fileroom.dicom.deflate import deflate
from fileroom.dicom.syntax import TransferSyntax


class TextWriter:
    """Writes many datasets of the same text elements quickly: the identifiers of a C-FIND's responses."""

    __slots__ = ("_charset", "_columns", "_deflated", "_heads", "_pack")

    def __init__(self, columns: Sequence[tuple[int, str]], syntax: TransferSyntax, charset: str = UTF_8) -> None:
        """`columns`: (tag, VR of text with a 16-bit length) in ascending order of tag."""
        order = ">" if syntax.big_endian else "<"
        self._charset = charset
        self._deflated = syntax.deflated
        self._pack = struct.Struct(order + ("I" if syntax.implicit else "H")).pack
        self._heads = [
            (
                struct.pack(order + "HH", tag >> 16, tag & 0xFFFF) + (b"" if syntax.implicit else vr.encode("ascii")),
                b"\0" if vr == "UI" else b" ",
                charset if vr in TEXT_VRS else "",
            )
            for tag, vr in columns
        ]

    def write(self, texts: Sequence[str]) -> bytes:
        """One dataset: a text for each column, "" for an empty element. A text over 65,534 bytes is cut."""
        pack = self._pack
        parts: list[bytes] = []
        for (head, pad, charset), text in zip(self._heads, texts, strict=True):
            value = text.encode("ascii") if text.isascii() else encode(text, charset)
            size = len(value)
            if size & 1:
                value += pad
                size += 1
            if size > 0xFFFE:
                value = value[:0xFFFE]
                size = 0xFFFE
            parts += (head, pack(size), value)
        data = b"".join(parts)
        return deflate(data) if self._deflated else data
