"""Which kind of directory record an object gets, and which of its values stand in it (PS3.3 F.4, F.5)."""

from __future__ import annotations

from dataclasses import dataclass

IMAGE = "IMAGE"
PRIVATE = "PRIVATE"

INSTANCE_NUMBER, CONTENT_DATE, CONTENT_TIME = 0x00200013, 0x00080023, 0x00080033
CONCEPT_NAME, CONTENT, REFERENCED_SERIES = 0x0040A043, 0x0040A730, 0x00081115
VERIFICATION_FLAG, VERIFYING_OBSERVERS, VERIFICATION_TIME = 0x0040A493, 0x0040A073, 0x0040A030


@dataclass(frozen=True, slots=True)
class Key:
    """One value of a record."""

    tag: int
    vr: str
    instead: str | None  # what stands there when the object has none; None: the key is left out


_NUMBER = Key(INSTANCE_NUMBER, "IS", "")  # what "" becomes for numbers and dates is decided where they are written
_DATE, _TIME = Key(CONTENT_DATE, "DA", ""), Key(CONTENT_TIME, "TM", "")
_DESCRIPTION = Key(0x00700081, "LO", "")
_IDENTIFICATION = (_NUMBER, Key(0x00700080, "CS", "UNNAMED"), _DESCRIPTION, Key(0x00700084, "PN", ""))
_DATED = (_NUMBER, _DATE, _TIME)
_DESCRIBED = (*_IDENTIFICATION, _DATE, _TIME)
_TITLED = (Key(CONCEPT_NAME, "SQ", ""), Key(CONTENT, "SQ", None))

KEYS: dict[str, tuple[Key, ...]] = {
    IMAGE: (_NUMBER,),
    "RT DOSE": (_NUMBER, Key(0x3004000A, "CS", "UNKNOWN")),
    "RT STRUCTURE SET": (
        _NUMBER,
        Key(0x30060002, "SH", "UNNAMED"),
        Key(0x30060008, "DA", ""),
        Key(0x30060009, "TM", ""),
    ),
    "RT PLAN": (_NUMBER, Key(0x300A0002, "SH", "UNNAMED"), Key(0x300A0006, "DA", ""), Key(0x300A0007, "TM", "")),
    "RT TREAT RECORD": (_NUMBER, Key(0x30080250, "DA", ""), Key(0x30080251, "TM", "")),
    "PRESENTATION": (
        *_IDENTIFICATION,
        Key(0x00700082, "DA", ""),
        Key(0x00700083, "TM", ""),
        Key(REFERENCED_SERIES, "SQ", None),
        Key(0x00700402, "SQ", None),  # Blending Sequence
    ),
    "WAVEFORM": _DATED,
    "SR DOCUMENT": (
        *_DATED,
        Key(0x0040A491, "CS", "PARTIAL"),
        Key(VERIFICATION_FLAG, "CS", "UNVERIFIED"),
        Key(VERIFICATION_TIME, "DT", None),
        *_TITLED,
    ),
    "KEY OBJECT DOC": (*_DATED, *_TITLED),
    "SPECTROSCOPY": (
        *_DATED,
        Key(0x00080008, "CS", "DERIVED\\SECONDARY"),
        Key(0x00089092, "SQ", None),  # Referenced Image Evidence Sequence
        Key(0x00280008, "IS", "1"),
        Key(0x00280010, "US", "1"),
        Key(0x00280011, "US", "1"),
        Key(0x00289001, "UL", "1"),
        Key(0x00289002, "UL", "1"),
    ),
    "RAW DATA": _DATED,
    "REGISTRATION": _DESCRIBED,
    "FIDUCIAL": _DESCRIBED,
    "ENCAP DOC": (
        *_DATED,
        Key(0x00420010, "ST", ""),
        Key(0x0040E001, "ST", None),  # HL7 Instance Identifier
        Key(CONCEPT_NAME, "SQ", ""),
        Key(0x00420012, "LO", "application/octet-stream"),
    ),
    "VALUE MAP": _DESCRIBED,
    "STEREOMETRIC": (),
    "PLAN": (),
    "MEASUREMENT": _DESCRIBED,
    "SURFACE": _DESCRIBED,
    "SURFACE SCAN": (_DATE, _TIME),
    "TRACT": _DESCRIBED,
    "ASSESSMENT": (_NUMBER, Key(0x00080012, "DA", ""), Key(0x00080013, "TM", "")),
    "RADIOTHERAPY": (
        _NUMBER,
        Key(0x30100033, "SH", None),
        Key(0x30100034, "LO", None),
        _DESCRIPTION,
        Key(0x00700084, "PN", ""),
    ),
    "ANNOTATION": _DESCRIBED,
    PRIVATE: (),
}

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_BY_CLASS = {
    "4.2": "SPECTROSCOPY",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "66.2": "FIDUCIAL",
    "66.3": "REGISTRATION",
    "66.5": "SURFACE",
    "66.6": "TRACT",
    "67": "VALUE MAP",
    "68.1": "SURFACE SCAN",
    "68.2": "SURFACE SCAN",
    "77.1.5.3": "STEREOMETRIC",
    "78.1": "MEASUREMENT",
    "78.2": "MEASUREMENT",
    "78.3": "MEASUREMENT",
    "78.4": "MEASUREMENT",
    "78.5": "MEASUREMENT",
    "78.6": "SR DOCUMENT",
    "78.7": "MEASUREMENT",
    "78.8": "MEASUREMENT",
    "79.1": "SR DOCUMENT",
    "80.1": "MEASUREMENT",
    "88.59": "KEY OBJECT DOC",
    "90.1": "ASSESSMENT",
    "91.1": "ANNOTATION",
    "131": "PRESENTATION",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.4": "RT TREAT RECORD",
    "481.5": "RT PLAN",
    "481.6": "RT TREAT RECORD",
    "481.7": "RT TREAT RECORD",
    "481.8": "RT PLAN",
    "481.9": "RT TREAT RECORD",
    **{f"481.{number}": "RADIOTHERAPY" for number in range(10, 23)},
}
_BY_FAMILY = {"9": "WAVEFORM", "11": "PRESENTATION", "88": "SR DOCUMENT", "104": "ENCAP DOC", "200": "PLAN"}
_NOT_OF_THE_FAMILY = frozenset(("9", "9.1", "11"))  # retired: standalone curves and look-up tables


def record_type(sop_class_uid: str, has_pixels: bool) -> str:
    """The Directory Record Type of an object. What no type is defined for is an IMAGE with pixels, PRIVATE without."""
    if sop_class_uid.startswith(_STORAGE):
        suffix = sop_class_uid.removeprefix(_STORAGE)
        found = _BY_CLASS.get(suffix)
        if found is None and suffix not in _NOT_OF_THE_FAMILY:
            found = _BY_FAMILY.get(suffix.partition(".")[0])
        if found is not None:
            return found
    return IMAGE if has_pixels else PRIVATE
