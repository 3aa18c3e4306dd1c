"""The directory records of what is stored: from the index, and from the header of what is no image."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.contents import ObjectValues, SeriesValues
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.element import CHARSET_TAG, Element, Elements, number_element, text_element
from fileroom.media import record_values as values
from fileroom.media.dicomdir import Record, Reference, record, texts
from fileroom.media.header_keys import read_charset, read_keys
from fileroom.media.record_types import IMAGE, INSTANCE_NUMBER, KEYS, PRIVATE, Key, record_type

_VALUE_BYTES_MAX = 1024  # of one text that is taken over from an object
_CHARSET = Key(CHARSET_TAG, "CS", None)


@dataclass(frozen=True, slots=True)
class Row:
    """One directory record, and which file it stands for."""

    record: Record
    file: int  # its place among the files; -1: none


def remaining(rows: Sequence[Row], missing: Collection[int]) -> Iterator[Record]:
    """The records without those of missing files, and without what then has nothing below it."""
    kept: list[Record] = []
    needed = [False] * 5
    for row in reversed(rows):
        level = row.record.level
        keep = row.file not in missing if row.file >= 0 else needed[level + 1]
        needed[level + 1] = False
        if keep:
            needed[level] = True
            kept.append(row.record)
    return reversed(kept)


class Records:
    """Makes records. Reads packs only for what the index does not have."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._nameless = 0  # patients without an ID

    def patient(self, series: SeriesValues, charset: str) -> Record:
        patient_id = values.text(series.patient_id, "LO")
        if not patient_id:
            self._nameless += 1
            patient_id = f"NO-ID-{self._nameless}"
        rows = [
            (0x00100010, "PN", values.text(series.patient_name, "PN")),
            (0x00100020, "LO", patient_id),
            (0x00100030, "DA", _date_or_empty(series.birth_date)),
            (0x00100040, "CS", values.code(series.sex, "")),
        ]
        return record(0, "PATIENT", texts(rows, charset))

    def study(self, series: SeriesValues, number: int, charset: str) -> Record:
        rows = [
            (0x00080020, "DA", values.date(series.study_date, series.series_date)),
            (0x00080030, "TM", values.time(series.study_time)),
            (0x00080050, "SH", values.text(series.accession, "SH")),
            (0x00081030, "LO", values.text(series.study_description, "LO")),
            (0x0020000D, "UI", series.study_uid),
            (0x00200010, "SH", values.text(series.study_id, "SH") or str(number)),
        ]
        return record(1, "STUDY", texts(rows, charset))

    def series(self, series: SeriesValues, number: int, charset: str) -> Record:
        rows = [
            (0x00080060, "CS", values.code(series.modality, "OT")),
            (0x0008103E, "LO", values.text(series.series_description, "LO")),
            (0x0020000E, "UI", series.series_uid),
            (0x00200011, "IS", values.integer(series.series_number, number)),
        ]
        return record(2, "SERIES", texts(rows, charset))

    def file(self, one: ObjectValues, series: SeriesValues, number: int, path: str) -> Record:
        """The record of one object."""
        stored = one.stored
        kind = record_type(stored.sop_class_uid, stored.image_blob is not None)
        reference = Reference(path, stored.sop_class_uid, stored.sop_uid, stored.transfer_syntax)
        if kind == IMAGE:
            instance_number = values.integer(one.instance_number, number)
            return record(3, kind, {INSTANCE_NUMBER: text_element(INSTANCE_NUMBER, "IS", instance_number)}, reference)
        if kind == PRIVATE:
            return record(3, kind, {0x00041432: text_element(0x00041432, "UI", stored.sop_class_uid)}, reference)
        return record(3, kind, self._keys(KEYS[kind], one, series, number), reference)

    def charset(self, stored: StoredInstance, series: SeriesValues) -> str:
        """The character set of an object whose patient, study or series has text outside ASCII; else ""."""
        if all(value is None or value.isascii() for value in series if not isinstance(value, int)):
            return ""
        try:
            return read_charset(*self._retriever.readable(stored))
        except errors.FileroomError:
            return ""

    def _keys(self, keys: Sequence[Key], one: ObjectValues, series: SeriesValues, number: int) -> Elements:
        try:
            found = read_keys(*self._retriever.readable(one.stored), keys)
        except errors.FileroomError:
            found = {}  # the record says what the index knows; whether the object is whole is seen when it is sent
        elements: Elements = {}
        for key in keys:
            element = found.get(key.tag)
            if key.vr == "IS" and key.tag == INSTANCE_NUMBER:
                elements[key.tag] = text_element(key.tag, "IS", values.integer(one.instance_number, number))
            elif element is not None and _fits(element, key):
                elements[key.tag] = Element(key.tag, key.vr, element.value)
            elif key.instead is not None:
                elements[key.tag] = _instead(key, one, series)
        if CHARSET_TAG in found and _fits(found[CHARSET_TAG], _CHARSET):
            elements[CHARSET_TAG] = found[CHARSET_TAG]
        return elements


def _instead(key: Key, one: ObjectValues, series: SeriesValues) -> Element:
    if key.vr == "SQ":
        return Element(key.tag, "SQ", ())
    if key.vr in ("US", "UL"):
        return number_element(key.tag, key.vr, int(key.instead or "0"))
    if key.vr == "DA":
        return text_element(key.tag, "DA", values.date(one.content_date, series.series_date, series.study_date))
    if key.vr == "TM":
        return text_element(key.tag, "TM", values.time(one.content_time, series.study_time))
    return text_element(key.tag, key.vr, key.instead or "")


def _date_or_empty(value: str | None) -> str:
    found = values.date(value)
    return found if found != values.NO_DATE else ""


def _fits(element: Element, key: Key) -> bool:
    """Whether a value found in an object can stand in its record as it is."""
    if isinstance(element.value, tuple):
        return key.vr == "SQ" and bool(element.value)
    return key.vr != "SQ" and 0 < len(element.value) <= _VALUE_BYTES_MAX
