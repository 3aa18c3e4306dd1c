"""Rows of a search as the DICOM JSON Model (PS3.18 F), composed by hand: this is what every work list waits for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from fileroom.archive.rows import SHAPES, Row
from fileroom.dicom.attributes import Attribute, Level
from fileroom.dicomweb.links import instance_url, series_url, study_url

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}").fullmatch
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_CHARSET, _AVAILABILITY, _RETRIEVE_URL = 0x00080005, 0x00080056, 0x00081190
_CONSTANTS = {
    _CHARSET: b'"00080005":{"vr":"CS","Value":["ISO_IR 192"]}',
    _AVAILABILITY: b'"00080056":{"vr":"CS","Value":["ONLINE"]}',
}
_dumps = orjson.dumps

Encode = Callable[[Any], bytes]


def _text(value: Any) -> bytes:
    if "\\" in value:
        return _dumps([piece or None for piece in value.split("\\")])[1:-1]
    return _dumps(value)


def _name(value: str) -> bytes:
    if "=" not in value and "\\" not in value:
        return b'{"Alphabetic":' + _dumps(value) + b"}"
    names = [
        {key: group for key, group in zip(_GROUPS, name.split("="), strict=False) if group} or None
        for name in value.split("\\")
    ]
    return _dumps(names)[1:-1]


def _number(value: Any) -> bytes:
    """An IS or US value as a number; text that is none stays text (PS3.18 F.2.3 allows both)."""
    if isinstance(value, int):
        return b"%d" % value
    return b",".join(b"%d" % int(piece) if _INTEGER(piece) else _dumps(piece or None) for piece in value.split("\\"))


_BY_VR: dict[str, Encode] = {"PN": _name, "IS": _number, "US": _number}


class RowWriter:
    """Writes rows of one level with a fixed set of attributes, ordered by tag (PS3.18 F.2.2)."""

    def __init__(self, level: Level, attributes: Iterable[Attribute], base: str) -> None:
        self._base = base
        shape = SHAPES[level]
        self._uids = [shape.by_name[name] for name in ("study_uid", "series_uid", "sop_uid")[:level]]
        self._fields: list[tuple[bytes, bytes, int, Encode]] = []  # with a value, without one, place, encoding
        columns = [(a.tag, a.vr, shape.by_tag[a.tag], _BY_VR.get(a.vr, _text)) for a in attributes]
        columns.append((_RETRIEVE_URL, "UR", -1, _dumps))  # `row` puts it last
        pending = b"{"
        for tag, vr, place, encode in sorted([*columns, *((tag, "", 0, _dumps) for tag in _CONSTANTS)], key=_tag):
            if tag in _CONSTANTS:
                pending += _CONSTANTS[tag] + b","
                continue
            head = pending + b'"%08X":{"vr":"%b"' % (tag, vr.encode())
            self._fields.append((head + b',"Value":[', head + b"}", place, encode))
            pending = b","

    def row(self, row: Row) -> bytes:
        """One match as a JSON object."""
        values = (*row.values, _url(self._base, [row.values[place] for place in self._uids]))
        pieces: list[bytes] = []
        for with_value, without, place, encode in self._fields:
            value = values[place]
            if value is None or value == "":
                pieces.append(without)
            else:
                pieces += (with_value, encode(value), b"]}")
        pieces.append(b"}")
        return b"".join(pieces)

    def document(self, rows: Iterable[Row]) -> Iterator[bytes]:
        """A JSON array of the rows, a piece a row."""
        lead = b"["
        for row in rows:
            yield lead + self.row(row)
            lead = b","
        yield b"]" if lead == b"," else b"[]"


def _tag(column: tuple[int, str, int, Encode]) -> int:
    return column[0]


def _url(base: str, uids: list[str]) -> str:
    """Where a study, series or instance is retrieved from; patients have no address."""
    match uids:
        case [study]:
            return study_url(base, study)
        case [study, series]:
            return series_url(base, study, series)
        case [study, series, sop]:
            return instance_url(base, study, series, sop)
    return ""
