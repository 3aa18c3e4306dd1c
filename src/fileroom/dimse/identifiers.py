"""Query/Retrieve identifiers: read into a question, written from rows (PS3.4 C.4.1.1.3, C.4.2.1.4)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from fileroom.archive.rows import SHAPES, Row
from fileroom.dicom.attributes import BY_TAG, Level, Matching
from fileroom.dicom.charset import TEXT_VRS, UTF_8, decode, encode
from fileroom.dicom.elements import CHARSET_TAG, charset_of, read_elements, text_element, text_of, write_elements
from fileroom.dicom.syntax import TransferSyntax
from fileroom.dicom.vr import LONG_VRS
from fileroom.errors import BadRequest

LEVEL_TAG = 0x00080052  # Query/Retrieve Level
RETRIEVE_AE_TAG = 0x00080054
AVAILABILITY_TAG = 0x00080056
FAILED_TAG = 0x00080058  # Failed SOP Instance UID List
_OURS = frozenset((CHARSET_TAG, LEVEL_TAG, RETRIEVE_AE_TAG, AVAILABILITY_TAG))


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a C-FIND, C-MOVE or C-GET asks."""

    level: Level
    keys: Mapping[str, str]  # keyword to matching value, of the attributes that can be matched at this level
    returned: tuple[tuple[int, str], ...]  # (tag, VR) of every key, in ascending order, level and character set apart
    unsupported: bool  # a key is among them that cannot be matched or returned
    charset: str = field(default="")  # Specific Character Set of the identifier


def read_identifier(data: bytes, syntax: TransferSyntax, patient_root: bool) -> Identifier:
    """Raises MalformedObject when the bytes are not a dataset, BadRequest when it has no level that the model has."""
    elements = read_elements(data, syntax)
    text = text_of(elements, LEVEL_TAG)
    if text not in Level.__members__ or (text == "PATIENT" and not patient_root):
        raise BadRequest("the identifier has no Query/Retrieve Level of this information model")
    level, charset = Level[text], charset_of(elements)
    keys: dict[str, str] = {}
    returned: list[tuple[int, str]] = []
    unsupported = False
    for tag in sorted(elements):
        element = elements[tag]
        attribute = BY_TAG.get(tag)
        if attribute is not None and attribute.level <= level:
            value = text_of(elements, tag, charset)
            if value and attribute.matching is not Matching.NONE:
                keys[attribute.keyword] = value
            elif value:
                unsupported = True
            returned.append((tag, attribute.vr))
        elif tag == AVAILABILITY_TAG:
            returned.append((tag, "CS"))
        elif tag not in _OURS:
            unsupported = True
            returned.append((tag, element.vr))
    return Identifier(level, keys, tuple(returned), unsupported, charset)


def in_words(identifier: Identifier) -> str:
    """What is asked, for the ledger: the level, and what has to match."""
    keys = ", ".join(f"{keyword} {value}" for keyword, value in identifier.keys.items())
    return f"{identifier.level.name.lower()}: {keys or 'everything'}"


@dataclass(frozen=True, slots=True)
class _Column:
    """One element whose value comes from the row."""

    place: int  # in the row's values
    head: bytes  # constant elements before it, its own tag and VR
    empty: bytes  # the same with a zero length
    pad: bytes
    binary: bool  # US: two bytes a number
    charset: str  # "": the default repertoire


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to write a row in one character set."""

    columns: tuple[_Column, ...]
    tail: bytes  # constant elements after the last column


class RowWriter:
    """Writes the identifiers of one C-FIND's responses: the keys that were asked for, and where to get the objects.

    Text beyond ASCII goes out in the character set of the request when that holds it, else in UTF-8 (ISO_IR 192);
    Specific Character Set is there only then.
    """

    def __init__(self, identifier: Identifier, syntax: TransferSyntax, ae_title: str) -> None:
        self._identifier = identifier
        self._ae_title = ae_title
        self._implicit = syntax.implicit
        self._pack = _LENGTH[syntax.implicit]
        self._plain = self._plan("")
        self._plans: dict[str, _Plan] = {}  # by character set

    def write(self, row: Row) -> bytes:
        """One identifier."""
        pack, values = self._pack, row.values
        parts: list[bytes] = []
        for column in self._plain.columns:
            value = values[column.place]
            if value is None or value == "":
                parts.append(column.empty)
                continue
            text = value if type(value) is str else str(value)
            if column.binary:
                data = _shorts(text)
            elif text.isascii():
                data = text.encode()
            else:
                return self._write_beyond_ascii(row)
            if len(data) & 1:
                data += column.pad
            parts += (column.head, pack(len(data)), data)
        parts.append(self._plain.tail)
        return b"".join(parts)

    def _write_beyond_ascii(self, row: Row) -> bytes:
        charset = self._identifier.charset
        texts = [str(row.values[c.place] or "") for c in self._plain.columns if not c.binary]
        if not charset or any(_changed(text, charset) for text in texts if not text.isascii()):
            charset = UTF_8
        plan = self._plans.get(charset) or self._plans.setdefault(charset, self._plan(charset))
        parts: list[bytes] = []
        for column in plan.columns:
            value = row.values[column.place]
            text = "" if value is None else str(value)
            data = _shorts(text) if column.binary else encode(text, column.charset)
            data += column.pad[: len(data) & 1]
            parts += (column.head, self._pack(len(data)), data)
        parts.append(plan.tail)
        return b"".join(parts)

    def _plan(self, charset: str) -> _Plan:
        identifier = self._identifier
        make = _kept_plan if len(identifier.returned) <= _KEPT_KEYS_MAX and not charset else _plan
        return make(identifier.level, identifier.returned, self._implicit, self._ae_title, charset)


def _plan(level: Level, returned: tuple[tuple[int, str], ...], implicit: bool, ae_title: str, charset: str) -> _Plan:
    """How to write rows of a level for these keys."""
    constants = {LEVEL_TAG: ("CS", level.name), RETRIEVE_AE_TAG: ("AE", ae_title)}
    if any(tag == AVAILABILITY_TAG for tag, _ in returned):
        constants[AVAILABILITY_TAG] = ("CS", "ONLINE")  # all that is here lies on disk
    if charset:
        constants[CHARSET_TAG] = ("CS", charset)
    places = SHAPES[level].by_tag
    columns: list[_Column] = []
    before = b""
    for tag, vr in sorted({**dict(returned), **{t: vr for t, (vr, _) in constants.items()}}.items()):
        place = places.get(tag)
        if place is None:
            _, text = constants.get(tag, ("", ""))
            before += _element(tag, vr, text, implicit)
            continue
        head = before + _head(tag, vr, implicit)
        pad = b"\0" if vr == "UI" else b" "
        empty = head + _LENGTH[implicit](0)
        columns.append(_Column(place, head, empty, pad, vr == "US", charset if vr in TEXT_VRS else ""))
        before = b""
    return _Plan(tuple(columns), before)


_KEPT_KEYS_MAX = 64  # plans for more keys are not kept: an asker may name thousands
_kept_plan = lru_cache(maxsize=128)(_plan)  # a worklist asks for the same keys again and again
_LENGTH = {
    True: struct.Struct("<I").pack,
    False: struct.Struct("<H").pack,
}  # of an implicit VR element, an explicit one


def _head(tag: int, vr: str, implicit: bool) -> bytes:
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + (b"" if implicit else vr.encode("ascii"))


def _element(tag: int, vr: str, text: str, implicit: bool) -> bytes:
    if not implicit and vr in LONG_VRS:
        return _head(tag, vr, implicit) + bytes(6)  # always empty: a key that is not known
    data = text.encode("ascii", "replace")
    data += b" "[: len(data) & 1]
    return _head(tag, vr, implicit) + _LENGTH[implicit](len(data)) + data


def _shorts(text: str) -> bytes:
    """Decimal numbers as US; what is none is left out."""
    numbers = [int(part) for part in text.split("\\") if part.isascii() and part.isdecimal()]
    return struct.pack(f"<{len(numbers)}H", *(number & 0xFFFF for number in numbers))


def _changed(text: str, charset: str) -> bool:
    return decode(encode(text, charset), "LO", charset) != text


def failed_list(sop_uids: Sequence[str], syntax: TransferSyntax) -> bytes:
    """The identifier of a C-MOVE's or C-GET's last response: which objects were not delivered (PS3.4 C.4.2.1.4.2).

    As many as one element can hold are named.
    """
    length = 0
    for count, uid in enumerate(sop_uids):
        length += len(uid) + 1
        if length > 0xFFFE:
            sop_uids = sop_uids[:count]
            break
    return write_elements([text_element(FAILED_TAG, "UI", "\\".join(sop_uids))], syntax)
