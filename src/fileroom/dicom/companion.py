"""A small object made here about images that are here: what it shares with them, and how it becomes a file.

Patient and study are carried over from an image byte for byte, its character set with them, so that both are of the
same patient and study whatever the bytes are (PS3.3 C.7.1, C.7.2).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from fileroom import __version__
from fileroom.dicom import part10
from fileroom.dicom.charset import UTF_8
from fileroom.dicom.element import CHARSET_TAG, Element, Elements, charset_of, text_element, text_of
from fileroom.dicom.elements import write_elements
from fileroom.dicom.syntax import EXPLICIT_LE, syntax

_TIMEZONE = 0x00080201
_EMPTY_AT_LEAST = {  # type 2 of Patient and General Study
    0x00080020: "DA",
    0x00080030: "TM",
    0x00080050: "SH",
    0x00080090: "PN",
    0x00100010: "PN",
    0x00100020: "LO",
    0x00100030: "DA",
    0x00100040: "CS",
    0x00200010: "SH",
}
_CARRIED = _EMPTY_AT_LEAST | {
    CHARSET_TAG: "CS",
    0x00080051: "SQ",  # Issuer of Accession Number
    _TIMEZONE: "SH",
    0x00081030: "LO",
    0x00081032: "SQ",  # Procedure Code
    0x00100021: "LO",  # Issuer of Patient ID
    0x00100022: "CS",
    0x00100024: "SQ",
    0x00100032: "TM",
    0x00101002: "SQ",  # Other Patient IDs
    0x00101010: "AS",
    0x00101020: "DS",
    0x00101030: "DS",
    0x00120062: "CS",  # Patient Identity Removed
    0x00120063: "LO",
    0x00120064: "SQ",
    0x0020000D: "UI",
}
CARRIED = frozenset(_CARRIED)
"""Tags to read of an image, for `begun`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One object that a made one is about."""

    sop_class_uid: str
    sop_uid: str
    series_uid: str
    frames: tuple[int, ...] = ()  # from 1; (): the whole object

    def sop(self) -> list[Element]:
        """The attributes of SOP Instance Reference Macro, with the frames when there are any (PS3.3 10.8, 10.3)."""
        found = [text_element(0x00081150, "UI", self.sop_class_uid), text_element(0x00081155, "UI", self.sop_uid)]
        if self.frames:
            found.append(text_element(0x00081160, "IS", "\\".join(str(frame) for frame in self.frames)))
        return found


@dataclass(frozen=True, slots=True)
class Making:
    """What is made, and where it will stand."""

    sop_class_uid: str
    sop_uid: str
    modality: str
    series_uid: str
    series_number: int
    series_description: str
    instance_number: int
    moment: datetime  # with its offset from UTC


def begun(image: Elements, making: Making, texts: Iterable[str] = ()) -> tuple[Elements, str, datetime]:
    """Patient, study, series, equipment and SOP Common of the object, the character set to write its texts in, and the
    moment it is made, in the image's time zone where the image says one.

    `image`: an image's elements, at least those of `CARRIED`; `texts`: what of other text the object will hold.
    """
    found = {tag: Element(tag, vr, b"") for tag, vr in _EMPTY_AT_LEAST.items()}
    for tag, vr in _CARRIED.items():
        element = image.get(tag)
        if element is not None and (vr == "SQ") == isinstance(element.value, tuple):
            found[tag] = Element(tag, vr, element.value)
    charset = _charset(found, texts)
    if charset:
        found[CHARSET_TAG] = text_element(CHARSET_TAG, "CS", charset)
    moment = _in_zone(making.moment, text_of(image, _TIMEZONE))
    date, time = date_time(moment)
    own = (
        text_element(0x00080012, "DA", date),
        text_element(0x00080013, "TM", time),
        text_element(0x00080016, "UI", making.sop_class_uid),
        text_element(0x00080018, "UI", making.sop_uid),
        text_element(0x00080060, "CS", making.modality),
        text_element(0x00080070, "LO", "Fileroom"),
        text_element(0x0008103E, "LO", making.series_description),
        text_element(0x00081090, "LO", "Fileroom"),
        text_element(0x00181020, "LO", __version__),
        text_element(0x0020000E, "UI", making.series_uid),
        text_element(0x00200011, "IS", str(making.series_number)),
        text_element(0x00200013, "IS", str(making.instance_number)),
    )
    return found | by_tag(*own), charset, moment


def finished(elements: Elements) -> bytes:
    """The whole file, in Explicit VR Little Endian. Raises MalformedObject when a value cannot be written."""
    names = (text_of(elements, 0x00080016), text_of(elements, 0x00080018))
    return part10.prefix(*names, EXPLICIT_LE, "") + write_elements(elements, syntax(EXPLICIT_LE))


def by_tag(*elements: Element) -> Elements:
    """A dataset or item of these elements."""
    return {element.tag: element for element in elements}


def sequence(tag: int, *items: Elements) -> Element:
    """A sequence of these items."""
    return Element(tag, "SQ", items)


def code(value: str, scheme: str, meaning: str) -> Elements:
    """One item of a code sequence (PS3.3 8.8)."""
    return by_tag(
        text_element(0x00080100, "SH", value),
        text_element(0x00080102, "SH", scheme),
        text_element(0x00080104, "LO", meaning),
    )


def floats(tag: int, numbers: Iterable[float]) -> Element:
    """An element of single-precision numbers (FL)."""
    values = tuple(numbers)
    return Element(tag, "FL", struct.pack(f"<{len(values)}f", *values))


def date_time(moment: datetime) -> tuple[str, str]:
    """As DA and TM write it, to the second."""
    return moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")


def _charset(carried: Elements, texts: Iterable[str]) -> str:
    """The image's character set; Unicode when our texts need it and nothing that was carried over hinders it.

    Else a character that the image's set lacks becomes "?": an object has one character set.
    """
    own = charset_of(carried)
    if all(text.isascii() for text in texts):
        return own
    return UTF_8 if all(_plain(element) for element in carried.values()) else own


def _plain(element: Element) -> bool:
    if isinstance(element.value, tuple):
        return all(_plain(inner) for item in element.value for inner in item.values())
    return element.value.isascii() and b"\x1b" not in element.value


def _in_zone(moment: datetime, zone: str) -> datetime:
    found = re.fullmatch(r"([+-])(\d\d)(\d\d)", zone, re.ASCII)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return moment
    minutes = (int(found[2]) * 60 + int(found[3])) * (-1 if found[1] == "-" else 1)
    return moment.astimezone(timezone(timedelta(minutes=minutes)))
