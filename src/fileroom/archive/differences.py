"""How two objects differ, in words: attributes first the patient's, then whether the pixels are the same."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from fileroom.archive.kept import Kept
from fileroom.archive.packs import Packs

_HEAD_BYTES = 8 << 20  # of an object that are read for its attributes
_CHARACTERS_MAX = 120  # of a value that are shown
DIFFERENCES_MAX = 200
_PATIENT = range(0x00100000, 0x00110000)
_UNREADABLE = (InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, EOFError, RecursionError, OSError)


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that the two do not say alike."""

    tag: str  # (0010,0010)
    name: str
    one: str  # "" when absent
    other: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two objects do not have in common."""

    differences: tuple[Difference, ...]  # patient's first; at most DIFFERENCES_MAX
    same_pixels: bool | None  # None: neither has any, or they cannot be told
    trouble: str  # why they could not be compared; "" when they could


def compare(packs: Packs, one: Kept, other: Kept) -> Comparison:
    """Compare two stored objects. Raises DamagedPack when the bytes of one cannot be had."""
    try:
        first, second = _attributes(packs, one), _attributes(packs, other)
    except _UNREADABLE as error:
        return Comparison((), None, f"the attributes of one cannot be read: {type(error).__name__}")
    tags = sorted(first.keys() | second.keys(), key=lambda tag: (tag not in _PATIENT, tag))
    found = [
        Difference(f"({tag >> 16:04x},{tag & 0xFFFF:04x})", (first.get(tag) or second[tag])[0], *values)
        for tag in tags
        if (values := (first.get(tag, ("", ""))[1], second.get(tag, ("", ""))[1]))[0] != values[1]
    ]
    return Comparison(tuple(found[:DIFFERENCES_MAX]), _same_pixels(packs, one, other), "")


def _attributes(packs: Packs, kept: Kept) -> dict[int, tuple[str, str]]:
    """Tag to name and value as text, at the top level."""
    head = packs.range(kept.pack_id, kept.offset, min(kept.size_bytes, _HEAD_BYTES)).read()
    dataset: Any = dcmread(io.BytesIO(head), stop_before_pixels=True, force=True)
    return {int(element.tag): (element.name, _text(element)) for element in dataset}


def _text(element: Any) -> str:
    value = element.value
    if element.VR == "SQ":
        return f"{len(value or ())} items, {_digest(str(value).encode('utf-8', 'replace'))}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes, {_digest(value)}"
    text = "" if value is None else str(value)
    return text if len(text) <= _CHARACTERS_MAX else f"{text[:_CHARACTERS_MAX]}… {_digest(text.encode())}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def _same_pixels(packs: Packs, one: Kept, other: Kept) -> bool | None:
    digests = [_pixel_digest(packs, kept) for kept in (one, other)]
    return None if None in digests else digests[0] == digests[1]


def _pixel_digest(packs: Packs, kept: Kept) -> str | None:
    """SHA-256 of what follows the attributes, in pieces; None when there are no pixels."""
    file = packs.range(kept.pack_id, kept.offset, kept.size_bytes)
    head = io.BytesIO(file.part(0, min(kept.size_bytes, _HEAD_BYTES)).read())
    dataset: Dataset = dcmread(head, stop_before_pixels=True, force=True)
    start = head.tell()
    del dataset
    if start >= kept.size_bytes:
        return None
    sha = hashlib.sha256()
    for at in range(start, kept.size_bytes, 1 << 20):
        sha.update(file.part(at, min(1 << 20, kept.size_bytes - at)).read())
    return sha.hexdigest()
