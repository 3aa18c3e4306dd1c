"""Key Object Selection documents: images that a reader marked, and why (PS3.3 A.35.4, C.17.6; PS3.16 TID 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fileroom.dicom.companion import Making, Reference, begun, by_tag, code, date_time, finished, sequence
from fileroom.dicom.element import Elements, charset_of, items_of, text_element, text_of

KEY_OBJECT_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"

TITLES = {  # of CID 7010, those that say what an image is marked for; all in DCM
    "113000": "Of Interest",
    "113002": "For Referring Provider",
    "113003": "For Surgery",
    "113004": "For Teaching",
    "113005": "For Conference",
    "113006": "For Therapy",
    "113007": "For Patient",
    "113008": "For Peer Review",
    "113009": "For Research",
    "113010": "Quality Issue",
    "113018": "For Printing",
    "113020": "For Report Attachment",
    "113021": "For Litigation",
    "128203": "For Tumor Board",
}
REJECTED = "113001"  # Rejected for Quality Reasons
# They take back what they name, as the IHE profile Imaging Object Change Management has it.
_REJECTING = frozenset((REJECTED, "113037", "113038", "113039"))
# Lists of what belongs together or was sent, and groups for display: nobody marked their images.
_NO_MARKS = frozenset(("113022", "113030", "113031", "113032", "113033", "113034", "113035", "113036"))
_CONTENT, _CONCEPT, _EVIDENCE = 0x0040A730, 0x0040A043, 0x0040A375
_SERIES, _SOPS = 0x00081115, 0x00081199
_DESCRIPTION = ("113012", "DCM", "Key Object Description")
_REFERRING = frozenset(("IMAGE", "COMPOSITE", "WAVEFORM"))


@dataclass(frozen=True, slots=True)
class KeyObject:
    """What one document says."""

    title: str  # code value
    meaning: str
    references: tuple[Reference, ...]  # series UID "" when the document does not say it
    marks: bool  # whether it marks images
    rejects: bool  # whether it takes back what it names


def key_object(image: Elements, making: Making, title: str, about: Sequence[Reference], why: str = "") -> bytes:
    """A document with this title about these images, as a file; `image`: the elements of one of them.

    `title` is one of TITLES, or REJECTED for a document that takes back the objects it names. `why` may be empty.
    """
    elements, charset, moment = begun(image, making, (why,))
    date, time = date_time(moment)
    value_type = "COMPOSITE" if title == REJECTED else "IMAGE"
    content = [_referring(value_type, one) for one in about]
    if why:
        content.insert(0, _text(why, charset))
    elements |= by_tag(
        text_element(0x00080023, "DA", date),
        text_element(0x00080033, "TM", time),
        sequence(0x00081111),
        text_element(0x0040A040, "CS", "CONTAINER"),
        sequence(_CONCEPT, code(title, "DCM", TITLES.get(title, "Rejected for Quality Reasons"))),
        text_element(0x0040A050, "CS", "SEPARATE"),
        sequence(_EVIDENCE, _evidence(text_of(image, 0x0020000D), about)),
        sequence(0x0040A504, by_tag(text_element(0x00080105, "CS", "DCMR"), text_element(0x0040DB00, "CS", "2010"))),
        sequence(_CONTENT, *content),
    )
    return finished(elements)


def read_key_object(elements: Elements) -> KeyObject:
    """What a document's dataset says; of what is not as it should be, as much as can be told."""
    title = next(iter(items_of(elements, _CONCEPT)), {})
    standard = text_of(title, 0x00080102) == "DCM"
    value = text_of(title, 0x00080100) if standard else ""
    series = dict(_series_of(elements))
    found = []
    for item in items_of(elements, _CONTENT):
        if text_of(item, 0x0040A040) in _REFERRING:
            for sop in items_of(item, _SOPS):
                uid = text_of(sop, 0x00081155)
                found.append(Reference(text_of(sop, 0x00081150), uid, series.get(uid, ""), _frames(sop)))
    rejects = value in _REJECTING
    meaning = text_of(title, 0x00080104, charset_of(elements))
    return KeyObject(value, meaning, tuple(found), not rejects and value not in _NO_MARKS, rejects)


def _series_of(elements: Elements) -> list[tuple[str, str]]:
    return [
        (text_of(sop, 0x00081155), text_of(series, 0x0020000E))
        for study in items_of(elements, _EVIDENCE)
        for series in items_of(study, _SERIES)
        for sop in items_of(series, _SOPS)
    ]


def _frames(sop: Elements) -> tuple[int, ...]:
    parts = [part.strip() for part in text_of(sop, 0x00081160).split("\\")]
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10)


def _referring(value_type: str, one: Reference) -> Elements:
    return by_tag(
        sequence(_SOPS, by_tag(*one.sop())),
        text_element(0x0040A010, "CS", "CONTAINS"),
        text_element(0x0040A040, "CS", value_type),
    )


def _text(why: str, charset: str) -> Elements:
    return by_tag(
        text_element(0x0040A010, "CS", "CONTAINS"),
        text_element(0x0040A040, "CS", "TEXT"),
        sequence(_CONCEPT, code(*_DESCRIPTION)),
        text_element(0x0040A160, "UT", why, charset),
    )


def _evidence(study_uid: str, about: Sequence[Reference]) -> Elements:
    by_series: dict[str, dict[str, Elements]] = {}
    for one in about:
        whole = Reference(one.sop_class_uid, one.sop_uid, one.series_uid)
        by_series.setdefault(one.series_uid, {})[one.sop_uid] = by_tag(*whole.sop())
    series = [
        by_tag(text_element(0x0020000E, "UI", uid), sequence(_SOPS, *sops.values())) for uid, sops in by_series.items()
    ]
    return by_tag(sequence(_SERIES, *series), text_element(0x0020000D, "UI", study_uid))
