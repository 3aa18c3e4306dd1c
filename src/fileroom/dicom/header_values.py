"""Values of the header scan: what the walk found, as text and numbers (PS3.5 6.2)."""

from __future__ import annotations

import re
import struct

from fileroom.dicom.attributes import ATTRIBUTES
from fileroom.dicom.charset import decode
from fileroom.dicom.layout import Buffer, Span
from fileroom.dicom.uid import check_uid, is_standard
from fileroom.errors import MalformedObject

VALUE_CHARACTERS_MAX = 512  # of one indexed value: longer ones are cut in the index, never in the object
TEXT_REGION_MAX = 1 << 18  # bytes at the start of a dataset that are decoded at one go
PADDING = " \0"
NUMBERS = {  # US elements
    "rows": 0x00280010,
    "columns": 0x00280011,
    "bits_allocated": 0x00280100,
    "samples": 0x00280002,
    "planar": 0x00280006,
    "bits_stored": 0x00280101,
    "high_bit": 0x00280102,
    "pixel_representation": 0x00280103,
}

_VALUE_BYTES_MAX = 4 * VALUE_CHARACTERS_MAX
_VRS = {a.column: a.vr for a in ATTRIBUTES if a.scanned}
_UIDS = ("study_uid", "series_uid", "sop_uid", "sop_class_uid")
_IDENTITIES = ("patient_id", "issuer")
_UNSIGNED = {"<": struct.Struct("<H").unpack_from, ">": struct.Struct(">H").unpack_from}
_BEHIND_NULL = re.compile(r"\0[^\\]*")


def take_numbers(buffer: Buffer, spans: dict[str, Span], order: str, warnings: list[str]) -> dict[str, int]:
    """Remove the US elements from `spans` and read them; the first value of several."""
    numbers: dict[str, int] = {}
    unpack = _UNSIGNED[order]
    for name in NUMBERS:
        span = spans.pop(name, None)
        if span is not None:
            start, stop = span
            if stop - start >= 2:
                (numbers[name],) = unpack(buffer, start)
            elif stop != start:
                warnings.append(f"{name} is not a number of two bytes")
    return numbers


def text_region(buffer: Buffer, spans: dict[str, Span]) -> tuple[str, dict[str, Span]]:
    """One string with every value in it, a character a byte, and where in it each value lies.

    Usually that is the start of the dataset as it is. When a value lies far behind, the values are put side by side,
    each cut to what is needed to know that it is too long.
    """
    _, end = next(reversed(spans.values()), (0, 0))  # the walk goes forward: the last one found lies last
    if end <= TEXT_REGION_MAX:
        return str(buffer[:end], "latin-1"), spans
    pieces: list[bytes] = []
    moved: dict[str, Span] = {}
    at = 0
    for name, (start, stop) in spans.items():
        piece = bytes(buffer[start : min(stop, start + _VALUE_BYTES_MAX + 1)])
        pieces.append(piece)
        moved[name] = (at, at + len(piece))
        at += len(piece)
    return b"".join(pieces).decode("latin-1"), moved


def texts(region: str, spans: dict[str, Span], charset: str, warnings: list[str]) -> dict[str, str]:
    """Every value as text; empty ones left out. What needs care is looked for in all of them at once."""
    values = {name: text for name, (start, stop) in spans.items() if (text := region[start:stop].strip(PADDING))}
    whole = "".join(values.values())
    plain = whole.isascii() and not ("\0" in whole or " \\" in whole or "\\ " in whole or "\x1b" in whole)
    if plain and max(map(len, values.values()), default=0) <= VALUE_CHARACTERS_MAX:
        return values
    return {name: _careful_text(name, text, charset, warnings) for name, text in values.items()}


def _careful_text(name: str, text: str, charset: str, warnings: list[str]) -> str:
    """A value that is not plain: decoded, each of its values trimmed, cut behind a null and at the bound."""
    cut = len(text) > _VALUE_BYTES_MAX
    text = text[:_VALUE_BYTES_MAX]
    if not text.isascii() or "\x1b" in text:
        if not charset:
            warnings.append(f"{name} has bytes outside ASCII and there is no character set; it is read as Latin-1")
        text = decode(text.encode("latin-1"), _VRS.get(name, "CS"), charset)
    if "\0" in text:
        warnings.append(f"{name} has a null inside; what follows it is dropped")
        text = _BEHIND_NULL.sub("", text)
    if "\\" in text:
        text = "\\".join(value.strip(PADDING) for value in text.split("\\"))
    if len(text) <= VALUE_CHARACTERS_MAX and not cut:
        return text
    if name in _IDENTITIES:
        raise MalformedObject(f"{name} is longer than {VALUE_CHARACTERS_MAX} characters")
    if name not in _UIDS:
        warnings.append(f"{name} is cut to {VALUE_CHARACTERS_MAX} characters in the index")
    return text[:VALUE_CHARACTERS_MAX]


def check_uids(values: dict[str, str], warnings: list[str]) -> None:
    for name in _UIDS:
        text = values.get(name)
        if text is None:
            raise MalformedObject(f"{name} is missing")
        if not is_standard(text):
            check_uid(text)
            warnings.append(f"{name} is not a standard UID")
