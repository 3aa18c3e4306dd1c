"""How two datasets differ, in words: attribute by attribute, the patient's first; and whether the pixels do."""

from __future__ import annotations

import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import orjson

from fileroom.dicom.attributes import BY_TAG, Level
from fileroom.dicom.bulk import bulk_value
from fileroom.dicom.header import Buffer
from fileroom.dicom.heads import Heads
from fileroom.dicom.syntax import TransferSyntax
from fileroom.dicom.tag_names import tag_name
from fileroom.dicom.to_json import to_json
from fileroom.errors import MalformedObject, NotFound

DIFFERENCES_MAX = 300  # that are told; the rest is counted
TEXT_CHARACTERS_MAX = 200  # of a value; the rest is left out, and the digest of all of it said
DOCUMENT_BYTES_MAX = 4 << 20  # of an object's attributes as JSON: more are not taken apart
_COUNTED_MAX = 10_000
_PIXELS = ("7FE00008", "7FE00009", "7FE00010")
_PIECE_BYTES = 1 << 20
_ABSENT: dict[str, Any] = {}


class Pixels(StrEnum):
    """What the pixel data of two objects has in common."""

    SAME = "same"  # bit for bit
    DIFFERENT = "different"
    STORED_DIFFERENTLY = "stored differently"  # in other transfer syntaxes: only decoding could tell
    ONE_WITHOUT = "only one has any"
    NONE = "neither has any"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One object's dataset, inflated when it was deflated."""

    data: Buffer
    syntax: TransferSyntax


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that the two do not say alike."""

    tag: str  # (0010,0010); inside of a sequence the tags from outside in, with the items' numbers from 1
    name: str  # as the dictionary has it, in the same way
    one: str | None  # None: absent
    other: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two objects do not have in common."""

    differences: tuple[Difference, ...]  # patient, study, series, image, then the others by tag
    more: int  # differences beyond DIFFERENCES_MAX, as far as they were counted
    pixels: Pixels
    trouble: str  # why attributes could not be compared; "" when they could


def compare(one: Dataset, other: Dataset) -> Comparison:
    """Compare two datasets, in memory that does not grow with their pixels. Values are compared whole, then cut."""
    found: list[Difference] = []
    trouble = ""
    try:
        sides = (_Side(one), _Side(other))
        found += islice(_level(*sides, sides[0].elements, sides[1].elements, "", ""), _COUNTED_MAX)
    except MalformedObject as error:
        trouble = str(error)
    found.sort(key=_order)
    return Comparison(
        tuple(found[:DIFFERENCES_MAX]), max(0, len(found) - DIFFERENCES_MAX), _pixels(one, other), trouble
    )


class _Side:
    """One of the two, taken apart."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        document = to_json(dataset.data, dataset.syntax, "")
        if len(document) > DOCUMENT_BYTES_MAX:
            raise MalformedObject("one has more attributes than are compared one by one")
        self.elements: dict[str, dict[str, Any]] = orjson.loads(document)

    def raw(self, element: dict[str, Any]) -> bytes | memoryview:
        """The bytes of a binary value, of one that the document only points at too."""
        if "InlineBinary" in element:
            return binascii.a2b_base64(element["InlineBinary"])
        start, end, _ = _extent(self.dataset, element["BulkDataURI"][1:])
        return memoryview(self.dataset.data)[start:end]


def _extent(dataset: Dataset, path: str) -> tuple[int, int, bool]:
    """Where a bulk value lies, and whether it is fragments. Raises NotFound, MalformedObject."""
    data, how = dataset.data, dataset.syntax
    start, length = bulk_value(data, how, path)
    if length >= 0:
        return start, start + length, False
    return start, Heads(data, how.big_endian).skip(start, len(data), how.implicit), True


def _level(
    one: _Side, other: _Side, first: dict[str, Any], second: dict[str, Any], tag_path: str, name_path: str
) -> Iterator[Difference]:
    for key in sorted(first.keys() | second.keys()):
        if key in _PIXELS and not tag_path:
            continue
        here, there = first.get(key, _ABSENT), second.get(key, _ABSENT)
        tag, name = f"{tag_path}({key[:4].lower()},{key[4:].lower()})", name_path + _name(key, first, second)
        if here.get("vr") == there.get("vr") == "SQ":
            yield from _sequence(one, other, here.get("Value", []), there.get("Value", []), tag, name)
        elif not _equal(one, other, here, there):
            yield Difference(tag, name, _text(one, here), _text(other, there))


def _name(key: str, *levels: dict[str, Any]) -> str:
    """What an element is called, a private one by the creator that reserved its block on the same level."""
    reserved = [level.get(f"{key[:4]}00{key[4:6]}", _ABSENT).get("Value", []) for level in levels]
    creator = next((str(values[0]) for values in reserved if values), "")
    return tag_name(int(key, 16), creator) or "Unknown element"


def _sequence(
    one: _Side, other: _Side, first: list[Any], second: list[Any], tag: str, name: str
) -> Iterator[Difference]:
    if len(first) != len(second):
        yield Difference(tag, name, _items(first), _items(second))
    for number, (here, there) in enumerate(zip(first, second, strict=False), 1):
        yield from _level(one, other, here, there, f"{tag}[{number}] ", f"{name} {number}: ")


def _equal(one: _Side, other: _Side, here: dict[str, Any], there: dict[str, Any]) -> bool:
    if "BulkDataURI" in here and "BulkDataURI" in there:
        return _same(one.raw(here), other.raw(there))
    values = [{name: value for name, value in side.items() if name != "vr"} for side in (here, there)]
    return values[0] == values[1] and bool(here) == bool(there)


def _text(side: _Side, element: dict[str, Any]) -> str | None:
    if not element:
        return None
    if element.get("vr") == "SQ":
        return _items(element.get("Value", []))
    if "BulkDataURI" in element or "InlineBinary" in element:
        raw = side.raw(element)
        return f"{len(raw):,} bytes, digest {hashlib.sha256(raw).hexdigest()[:8]}"
    text = "\\".join(_value(value) for value in element.get("Value", []))
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{text[:TEXT_CHARACTERS_MAX]}… ({len(text):,} characters, digest {digest})"


def _value(value: Any) -> str:
    if isinstance(value, dict):  # a person name
        groups = [str(value.get(group, "")) for group in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(groups).rstrip("=")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _items(items: list[Any]) -> str:
    return f"{len(items)} item" if len(items) == 1 else f"{len(items)} items"


def _order(difference: Difference) -> tuple[int, bool]:
    """Patient, study, series, image, others; in the order found within each."""
    tag = int(difference.tag[1:5] + difference.tag[6:10], 16)
    known = BY_TAG.get(tag)
    if tag >> 16 == 0x0010:
        return Level.PATIENT, known is None
    return (len(Level), False) if known is None else (known.level, False)


def _pixels(one: Dataset, other: Dataset) -> Pixels:
    first, second = _pixel_data(one), _pixel_data(other)
    if first is None or second is None:
        return Pixels.NONE if first is second else Pixels.ONE_WITHOUT
    if first.fragments or second.fragments:
        alike = one.syntax.uid == other.syntax.uid
    else:
        alike = one.syntax.big_endian == other.syntax.big_endian
    if not alike:
        return Pixels.STORED_DIFFERENTLY
    return Pixels.SAME if _same(first.data, second.data) else Pixels.DIFFERENT


class _PixelData(NamedTuple):
    data: memoryview
    fragments: bool


def _pixel_data(dataset: Dataset) -> _PixelData | None:
    """The value of the pixel data element; None without one that can be found."""
    for key in _PIXELS:
        try:
            start, end, fragments = _extent(dataset, key)
        except NotFound:
            continue
        except MalformedObject:
            return None
        return _PixelData(memoryview(dataset.data)[start:end], fragments)
    return None


def _same(one: bytes | memoryview, other: bytes | memoryview) -> bool:
    """Whether these are the same bytes; reads no further than to the first piece that differs."""
    ends = range(0, len(one), _PIECE_BYTES)
    return len(one) == len(other) and all(one[at : at + _PIECE_BYTES] == other[at : at + _PIECE_BYTES] for at in ends)
