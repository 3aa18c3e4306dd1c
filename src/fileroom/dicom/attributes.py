"""The attributes Fileroom indexes, matches and returns: one table that every door, the index and the docs read.

Source: PS3.4 C.6.1 (Patient Root), C.6.2 (Study Root); PS3.18 10.6.3 (QIDO-RS).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """Query/Retrieve level, outermost first (PS3.4 C.3)."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


class Matching(StrEnum):
    """How a key of this attribute is matched (PS3.4 C.2.2.2)."""

    UID = "uid"  # single value or list of UID
    TEXT = "text"  # single value and wildcard, case-sensitive
    NAME = "name"  # person name: single value and wildcard, case-insensitive
    DATE = "date"  # single value and range
    TIME = "time"  # single value and range
    NUMBER = "number"  # single value, compared as a number where it is one
    ANY = "any"  # several values: matches when one of them does (ModalitiesInStudy)
    NONE = "none"  # returned, never matched


@dataclass(frozen=True, slots=True)
class Attribute:
    """One indexed attribute."""

    tag: int  # 0xGGGGEEEE
    keyword: str  # PS3.6 keyword
    vr: str  # PS3.6 value representation
    level: Level  # the level whose row holds it
    column: str  # the column in that level's table; also the field name in a Header
    matching: Matching
    scanned: bool = True  # read from the object; False: derived by the index


def _a(
    tag: int, keyword: str, vr: str, level: Level, column: str, matching: Matching, scanned: bool = True
) -> Attribute:
    return Attribute(tag, keyword, vr, level, column, matching, scanned)


_P, _S, _E, _I = Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE
_M = Matching

ATTRIBUTES: tuple[Attribute, ...] = (
    _a(0x00100010, "PatientName", "PN", _P, "patient_name", _M.NAME),
    _a(0x00100020, "PatientID", "LO", _P, "patient_id", _M.TEXT),
    _a(0x00100021, "IssuerOfPatientID", "LO", _P, "issuer", _M.TEXT),
    _a(0x00100030, "PatientBirthDate", "DA", _P, "birth_date", _M.DATE),
    _a(0x00100040, "PatientSex", "CS", _P, "sex", _M.TEXT),
    _a(0x0020000D, "StudyInstanceUID", "UI", _S, "study_uid", _M.UID),
    _a(0x00080020, "StudyDate", "DA", _S, "study_date", _M.DATE),
    _a(0x00080030, "StudyTime", "TM", _S, "study_time", _M.TIME),
    _a(0x00080050, "AccessionNumber", "SH", _S, "accession", _M.TEXT),
    _a(0x00200010, "StudyID", "SH", _S, "study_id", _M.TEXT),
    _a(0x00081030, "StudyDescription", "LO", _S, "study_description", _M.TEXT),
    _a(0x00080090, "ReferringPhysicianName", "PN", _S, "referring_name", _M.NAME),
    _a(0x00081060, "NameOfPhysiciansReadingStudy", "PN", _S, "reading_name", _M.NAME),
    _a(0x00101010, "PatientAge", "AS", _S, "patient_age", _M.TEXT),
    _a(0x00080201, "TimezoneOffsetFromUTC", "SH", _S, "timezone_offset", _M.NONE),
    _a(0x00080061, "ModalitiesInStudy", "CS", _S, "modalities", _M.ANY, False),
    _a(0x00201206, "NumberOfStudyRelatedSeries", "IS", _S, "series_count", _M.NONE, False),
    _a(0x00201208, "NumberOfStudyRelatedInstances", "IS", _S, "instance_count", _M.NONE, False),
    _a(0x0020000E, "SeriesInstanceUID", "UI", _E, "series_uid", _M.UID),
    _a(0x00080060, "Modality", "CS", _E, "modality", _M.TEXT),
    _a(0x00200011, "SeriesNumber", "IS", _E, "series_number", _M.NUMBER),
    _a(0x0008103E, "SeriesDescription", "LO", _E, "series_description", _M.TEXT),
    _a(0x00080021, "SeriesDate", "DA", _E, "series_date", _M.DATE),
    _a(0x00080031, "SeriesTime", "TM", _E, "series_time", _M.TIME),
    _a(0x00180015, "BodyPartExamined", "CS", _E, "body_part", _M.TEXT),
    _a(0x00200060, "Laterality", "CS", _E, "laterality", _M.TEXT),
    _a(0x00181030, "ProtocolName", "LO", _E, "protocol_name", _M.TEXT),
    _a(0x00080070, "Manufacturer", "LO", _E, "manufacturer", _M.TEXT),
    _a(0x00081010, "StationName", "SH", _E, "station_name", _M.TEXT),
    _a(0x00080080, "InstitutionName", "LO", _E, "institution_name", _M.TEXT),
    _a(0x00400244, "PerformedProcedureStepStartDate", "DA", _E, "step_start_date", _M.DATE),
    _a(0x00400245, "PerformedProcedureStepStartTime", "TM", _E, "step_start_time", _M.TIME),
    _a(0x00201209, "NumberOfSeriesRelatedInstances", "IS", _E, "instance_count", _M.NONE, False),
    _a(0x00080016, "SOPClassUID", "UI", _I, "sop_class_uid", _M.UID),
    _a(0x00080018, "SOPInstanceUID", "UI", _I, "sop_uid", _M.UID),
    _a(0x00200013, "InstanceNumber", "IS", _I, "instance_number", _M.NUMBER),
    _a(0x00080008, "ImageType", "CS", _I, "image_type", _M.ANY),
    _a(0x00080023, "ContentDate", "DA", _I, "content_date", _M.DATE),
    _a(0x00080033, "ContentTime", "TM", _I, "content_time", _M.TIME),
    _a(0x00185101, "ViewPosition", "CS", _I, "view_position", _M.TEXT),
    _a(0x00200062, "ImageLaterality", "CS", _I, "image_laterality", _M.TEXT),
    _a(0x00280010, "Rows", "US", _I, "rows", _M.NUMBER),
    _a(0x00280011, "Columns", "US", _I, "columns", _M.NUMBER),
    _a(0x00280100, "BitsAllocated", "US", _I, "bits_allocated", _M.NUMBER),
    _a(0x00280008, "NumberOfFrames", "IS", _I, "frame_count", _M.NUMBER),
)

BY_TAG: dict[int, Attribute] = {a.tag: a for a in ATTRIBUTES}
BY_KEYWORD: dict[str, Attribute] = {a.keyword: a for a in ATTRIBUTES}


def at_level(level: Level) -> tuple[Attribute, ...]:
    """The attributes whose value lives in this level's row, in table order."""
    return tuple(a for a in ATTRIBUTES if a.level is level)
