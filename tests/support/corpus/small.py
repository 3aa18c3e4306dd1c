"""Objects without pixels, about 1.3 KB: structured reports, key object notes, presentation states."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.people import Visit, code, visit, visit_elements

# A family name that ten of the first hundred small studies bear, and none of the later ones: a search for it finds
# the same ten in an archive of 100 and of 20,000 studies.
RARE_FAMILY = "Zanderlyn"
_SR = "1.2.840.10008.5.1.4.1.1.88.11"
_KO = "1.2.840.10008.5.1.4.1.1.88.59"
_PR = "1.2.840.10008.5.1.4.1.1.11.1"
_CT = "1.2.840.10008.5.1.4.1.1.2"
SIDE = 512  # rows and columns of the images a presentation state is about


def small_studies(count: int, first: int = 0) -> Iterator[Instance]:
    """Studies `first` up to `first + count`, of one object each."""
    return (small_study(number) for number in range(first, first + count))


def small_visit(number: int) -> Visit:
    """Whose study it is."""
    return visit("small", number, family=RARE_FAMILY if number < 100 and number % 10 == 7 else None)


def small_study(number: int) -> Instance:
    """One report, key object note or presentation state, as the number will have it."""
    who = small_visit(number)
    sop_class, modality, content = (
        (_SR, "SR", _report(who, number)),
        (_KO, "KO", _key_objects(who, number)),
        (_PR, "PR", _presentation(who, number)),
    )[number % 3]
    sop_uid, series_uid = uid("small", number, "object"), uid("small", number, "series")
    elements = (
        visit_elements(who)
        | {
            0x00080016: ("UI", sop_class),
            0x00080018: ("UI", sop_uid),
            0x00080021: ("DA", who.study_date),
            0x00080031: ("TM", who.study_time),
            0x00080060: ("CS", modality),
            0x00080070: ("LO", "Fileroom corpus"),
            0x0008103E: ("LO", f"{modality} of {who.description.lower()}"),
            0x00181020: ("LO", "1.0"),
            0x0020000E: ("UI", series_uid),
            0x00200011: ("IS", "900"),
            0x00200013: ("IS", "1"),
        }
        | content
    )
    return Instance(sop_class, sop_uid, who.study_uid, series_uid, encode(elements))


def _document(who: Visit, title: Elements) -> Elements:
    return {
        0x00080023: ("DA", who.study_date),
        0x00080033: ("TM", who.study_time),
        0x00081111: ("SQ", []),
        0x0040A040: ("CS", "CONTAINER"),
        0x0040A043: ("SQ", [title]),
        0x0040A050: ("CS", "SEPARATE"),
    }


def _report(who: Visit, number: int) -> Elements:
    finding: Elements = {
        0x0040A010: ("CS", "CONTAINS"),
        0x0040A040: ("CS", "TEXT"),
        0x0040A043: ("SQ", [code("121071", "DCM", "Finding")]),
        0x0040A160: ("UT", f"Finding {number}: " + "no change against the earlier study of the same region. " * 7),
    }
    return _document(who, code("18748-4", "LN", "Diagnostic Imaging Report")) | {
        0x0040A372: ("SQ", []),
        0x0040A491: ("CS", "COMPLETE"),
        0x0040A493: ("CS", "UNVERIFIED"),
        0x0040A730: ("SQ", [finding]),
    }


def _referenced(number: int, count: int) -> list[Elements]:
    return [{0x00081150: ("UI", _CT), 0x00081155: ("UI", uid("small", number, "image", n))} for n in range(count)]


def _key_objects(who: Visit, number: int) -> Elements:
    images = _referenced(number, 3)
    series: Elements = {0x00081199: ("SQ", list(images)), 0x0020000E: ("UI", uid("small", number, "images"))}
    evidence: Elements = {0x00081115: ("SQ", [series]), 0x0020000D: ("UI", who.study_uid)}
    chosen: list[Elements] = [
        {0x0040A010: ("CS", "CONTAINS"), 0x0040A040: ("CS", "IMAGE"), 0x00081199: ("SQ", [image])} for image in images
    ]
    template: Elements = {0x00080105: ("CS", "DCMR"), 0x0040DB00: ("CS", "2010")}
    return _document(who, code("113000", "DCM", "Of Interest")) | {
        0x0040A375: ("SQ", [evidence]),
        0x0040A504: ("SQ", [template]),
        0x0040A730: ("SQ", list(chosen)),
    }


def _presentation(who: Visit, number: int) -> Elements:
    images = _referenced(number, 4)
    series: Elements = {0x00081140: ("SQ", list(images)), 0x0020000E: ("UI", uid("small", number, "images"))}
    area: Elements = {
        0x00700052: ("SL", [1, 1]),
        0x00700053: ("SL", [SIDE, SIDE]),
        0x00700100: ("CS", "SCALE TO FIT"),
        0x00700101: ("DS", "1\\1"),
    }
    window: Elements = {0x00281050: ("DS", "40"), 0x00281051: ("DS", "400")}
    return {
        0x00081115: ("SQ", [series]),
        0x00200060: ("CS", ""),
        0x0070005A: ("SQ", [area]),
        0x00700080: ("CS", "SOFT TISSUE"),
        0x00700081: ("LO", "As the reader left it, soft tissue window"),
        0x00700082: ("DA", who.study_date),
        0x00700083: ("TM", who.study_time),
        0x00700084: ("PN", who.referrer),
        0x00283110: ("SQ", [window]),
        0x20500020: ("CS", "IDENTITY"),
    }
