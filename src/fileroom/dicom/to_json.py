"""A dataset as the DICOM JSON Model, the metadata of WADO-RS (PS3.18 F), and where its bulk values lie."""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from fileroom.dicom.deflate import inflate
from fileroom.dicom.dictionary import private_vr, public_vr
from fileroom.dicom.frames import swapped
from fileroom.dicom.header import Buffer
from fileroom.dicom.heads import DEPTH_MAX, ITEM, ITEM_END, SEQUENCE_END, SHORT_VRS, UNDEFINED, Heads
from fileroom.dicom.json_values import TEXT_READERS, Value, numbers
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import MalformedObject

INLINE_MAX = 1024  # bytes of a binary value that stands in the document itself
VALUE_MAX = 65536  # bytes of any other value
LEVEL_ELEMENTS_MAX = 65536  # elements of one dataset or item
ITEMS_MAX = 1 << 21  # items of all sequences of one object
DOCUMENT_MAX = 64 << 20  # value bytes of one object, behind which all but short values become bulk data

_BINARY = frozenset(("OB", "OW", "OF", "OD", "OL", "OV", "UN"))
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_CHARSET, _PIXEL_REPRESENTATION = 0x00080005, 0x00280103

_NOTHING: list[Value] = []
_SHORTENED = (0, 0, b"", 0)

Element = dict[str, object]
Path = tuple["Path", int, int] | None  # the item a value lies in: its own path, its sequence's tag, its number from 1


def to_json(dataset: Buffer, syntax: TransferSyntax, bulk_uri: str, pixels_inline: bool = False) -> bytes:
    """One object's metadata as JSON bytes; group 2 and group lengths are left out (PS3.18 F.2.2).

    Binary values over `INLINE_MAX` bytes, other values over `VALUE_MAX`, and pixel data whatever its size become
    `bulk_uri` + "/" + path, where the path is the tag, or for a nested value tag/item number/tag, items from 1.
    `pixels_inline` treats native pixel data like any other value.
    A standard tag sent as UN takes the dictionary's VR, as a receiver that knows the tag reads it (PS3.5 6.2.2).
    A deflated dataset is inflated first. Raises MalformedObject on bytes that do not parse, and past the bounds on
    depth (64), elements a level and items.
    """
    if syntax.deflated:
        dataset = inflate(dataset)
    document = _Document(dataset, syntax.big_endian, bulk_uri, pixels_inline)
    elements, _ = document.level(_Level(len(dataset), syntax.implicit, "", None, 0, delimited=False), 0)
    return orjson.dumps(elements)


@lru_cache(maxsize=4096)
def _key(tag: int) -> str:
    return f"{tag:08X}"


@dataclass(slots=True)
class _Level:
    """One dataset or item while it is being read."""

    end: int
    implicit: bool
    charset: str
    path: Path
    depth: int
    delimited: bool  # an item of undefined length: ends at its delimiter
    creators: dict[int, str] = field(default_factory=dict)  # (gggg,00bb) -> private creator


class _Document:
    """One dataset on its way to JSON."""

    __slots__ = ("_bulk_uri", "_data", "_heads", "_items", "_pixels_inline", "_room", "_signed")

    def __init__(self, data: Buffer, big_endian: bool, bulk_uri: str, pixels_inline: bool) -> None:
        self._heads, self._data = Heads(data, big_endian), data
        self._bulk_uri, self._pixels_inline = bulk_uri, pixels_inline
        self._signed, self._items, self._room = False, 0, DOCUMENT_MAX

    def level(self, level: _Level, position: int) -> tuple[dict[str, Element], int]:
        """The elements of a dataset or item from `position` on, by tag, and where they end."""
        head, explicit, data, readers = self._heads.head, self._heads.explicit, self._data, TEXT_READERS
        end, short = level.end, {} if level.implicit else SHORT_VRS
        found: dict[str, Element] = {}
        previous, rising = -1, True
        while position < end:
            group, number, letters, length = explicit(data, position) if position + 8 <= end else _SHORTENED
            vr = short.get(letters, "")
            start = position + 8
            if vr and length <= end - start:  # nearly all elements
                tag, sent = group << 16 | number, vr
            else:
                tag, sent, start, length = head(position, end, level.implicit)
                if tag == ITEM_END and level.delimited:
                    position, level.delimited = start, False
                    break
                if not tag and level.path is None:
                    break  # zeros behind the last element
                vr = sent if sent and sent != "UN" else self._named(level, tag, sent, length)
            reader = readers.get(vr)
            if reader is not None and length <= VALUE_MAX and self._room > 0:
                position = start + length
                values = reader(bytes(data[start:position]), vr, level.charset) if length else _NOTHING
                element: Element = {"vr": vr, "Value": values} if values else {"vr": vr}
                self._room -= length
                if tag & 0x10000 or tag == _CHARSET:
                    _note(level, tag, values)
            else:
                element, position = self._other(level, tag, sent, vr, start, length)
            if tag & 0xFFFF and tag >> 16 not in (2, 0xFFFE):
                found.setdefault(_key(tag), element)
                rising, previous = rising and tag > previous, tag
        if level.delimited:
            raise MalformedObject("dataset: an item ends without its delimiter")
        if len(found) > LEVEL_ELEMENTS_MAX:
            raise MalformedObject(f"dataset: more than {LEVEL_ELEMENTS_MAX} elements in one level")
        return found if rising else dict(sorted(found.items())), position

    def _named(self, level: _Level, tag: int, sent: str, length: int) -> str:
        """The VR of an element that does not name one, or says UN."""
        if tag & 0x10000:
            vr = private_vr(tag, level.creators.get(tag >> 16 << 16 | (tag >> 8 & 0xFF), ""))
        else:
            vr = public_vr(tag)
        if length == UNDEFINED and "UN" in (sent, vr):
            return "SQ"  # PS3.5 6.2.2: what else has no length
        return vr if vr != "XS" else "SS" if self._signed else "US"

    def _other(self, level: _Level, tag: int, sent: str, vr: str, start: int, length: int) -> tuple[Element, int]:
        """A sequence, a binary value, or one too large for the document; and where it ends."""
        if vr == "SQ":
            return self._sequence(level, tag, level.implicit or sent == "UN", start, length)
        if length == UNDEFINED:
            found = self._bulk(level, tag, vr if sent else "OB")  # fragments are OB (PS3.5 A.4)
            return found, self._heads.skip(start, level.end, level.implicit)
        return self._binary(level, tag, vr, start, length), start + length

    def _binary(self, level: _Level, tag: int, vr: str, start: int, length: int) -> Element:
        if not length:
            return {"vr": vr}
        pixels = tag in _PIXELS and level.path is None
        bound = INLINE_MAX if vr in _BINARY or self._room <= 0 else VALUE_MAX
        if (length > bound or pixels) and not (pixels and self._pixels_inline):
            return self._bulk(level, tag, vr)
        self._room -= length
        raw = bytes(self._data[start : start + length])
        if vr in TEXT_READERS:
            values = TEXT_READERS[vr](raw, vr, level.charset)
        elif vr in _BINARY:
            if self._heads.order == ">" and vr in _WORDS:
                raw = swapped(raw, _WORDS[vr])
            return {"vr": vr, "InlineBinary": binascii.b2a_base64(raw, newline=False).decode("ascii")}
        else:
            values = numbers(raw, vr, self._heads.order)
            if tag == _PIXEL_REPRESENTATION:
                self._signed = values == [1]
        return {"vr": vr, "Value": values} if values else {"vr": vr}

    def _bulk(self, level: _Level, tag: int, vr: str) -> Element:
        steps, path = [f"{tag:08X}"], level.path
        while path is not None:
            path, sequence, number = path
            steps += [str(number), f"{sequence:08X}"]
        return {"vr": vr, "BulkDataURI": f"{self._bulk_uri}/{'/'.join(reversed(steps))}"}

    def _sequence(self, level: _Level, tag: int, implicit: bool, start: int, length: int) -> tuple[Element, int]:
        if level.depth >= DEPTH_MAX:
            raise MalformedObject(f"dataset: nested deeper than {DEPTH_MAX}")
        end = level.end if length == UNDEFINED else start + length
        items: list[orjson.Fragment] = []
        position, open_ended = start, length == UNDEFINED
        while position < end:
            item, _, position, size = self._heads.head(position, end, implicit)
            if item == SEQUENCE_END and open_ended:
                open_ended = False
                break
            self._items += 1
            if item != ITEM or self._items > ITEMS_MAX:
                raise MalformedObject("dataset: something other than an item in a sequence, or too many items")
            item_end = end if size == UNDEFINED else position + size
            path = (level.path, tag, len(items) + 1)
            inner = _Level(item_end, implicit, level.charset, path, level.depth + 1, size == UNDEFINED)
            found, position = self.level(inner, position)
            items.append(orjson.Fragment(orjson.dumps(found)))  # text at once: a tree of dicts is ten times larger
        if open_ended:
            raise MalformedObject("dataset: a sequence ends without its delimiter")
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}, position


def _note(level: _Level, tag: int, values: list[Value]) -> None:
    """Remember what later elements of this level are read by: the character set and private creators."""
    if tag == _CHARSET:
        level.charset = "\\".join(str(value or "") for value in values)
    elif tag & 0xFF00 == 0:
        level.creators[tag] = str(values[0]) if values else ""
