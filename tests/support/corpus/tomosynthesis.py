"""Breast tomosynthesis: 60 frames of 1024 x 1280 x 16 bit with functional groups, 157 MB (PS3.3 A.55)."""

from __future__ import annotations

from functools import cache

from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.mammography import VIEW_CODES, breast, series_elements
from tests.support.corpus.people import Visit, code, visit, visit_elements

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.13.1.3"
ROWS, COLUMNS = 1280, 1024


def tomosynthesis(number: int, *, frames: int = 60) -> Instance:
    """The `number`th tomosynthesis volume, left MLO. 2.6 MB a frame: 172 frames make 450 MB."""
    who = visit("tomosynthesis", number, sex="F")
    sop_uid, series_uid = uid("tomosynthesis", number), uid("tomosynthesis", number, "series")
    elements = (
        visit_elements(who)
        | _series_elements(who, series_uid)
        | _image_elements(who, number, sop_uid, frames)
        | {
            0x00200052: ("UI", uid("tomosynthesis", number, "frame of reference")),
            0x00201040: ("LO", ""),
            0x00209221: ("SQ", [{0x00209164: ("UI", uid("tomosynthesis", number, "dimensions"))}]),
            0x00209222: ("SQ", _dimensions(uid("tomosynthesis", number, "dimensions"))),
            0x52009229: ("SQ", [_shared_groups()]),
            0x52009230: ("SQ", [_frame_groups(who, frame) for frame in range(1, frames + 1)]),
        }
    )
    pixels = _pixels(frames)
    return Instance(SOP_CLASS, sop_uid, who.study_uid, series_uid, encode(elements), pixels, ROWS * COLUMNS * 2)


def _series_elements(who: Visit, series_uid: str) -> Elements:
    elements = series_elements(who, series_uid, 1)
    del elements[0x00080068]  # Presentation Intent Type belongs to the projection images
    return elements


@cache
def _pixels(frames: int) -> memoryview:
    """One image, shifted two rows a frame, so that each frame's bytes are its own."""
    tall = breast(ROWS + 2 * 512, COLUMNS, seed=3).tobytes()
    row = COLUMNS * 2
    starts = (frame % 512 * 2 * row for frame in range(frames))
    return memoryview(b"".join(tall[start : start + ROWS * row] for start in starts))


def _image_elements(who: Visit, number: int, sop_uid: str, frames: int) -> Elements:
    view_code, meaning = VIEW_CODES["MLO"]
    return {
        0x00080008: ("CS", "ORIGINAL\\PRIMARY\\TOMOSYNTHESIS\\NONE"),
        0x00080016: ("UI", SOP_CLASS),
        0x00080018: ("UI", sop_uid),
        0x00080023: ("DA", who.study_date),
        0x00080033: ("TM", who.study_time),
        0x0008103E: ("LO", "L MLO tomosynthesis"),
        0x00089205: ("CS", "MONOCHROME"),
        0x00089206: ("CS", "VOLUME"),
        0x00089207: ("CS", "TOMOSYNTHESIS"),
        0x00189004: ("CS", "PRODUCT"),
        0x00200013: ("IS", str(number + 1)),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280008: ("IS", str(frames)),
        0x00280010: ("US", ROWS),
        0x00280011: ("US", COLUMNS),
        0x00280100: ("US", 16),
        0x00280101: ("US", 12),
        0x00280102: ("US", 11),
        0x00280103: ("US", 0),
        0x00280301: ("CS", "NO"),
        0x00281300: ("CS", "NO"),
        0x00282110: ("CS", "00"),
        0x00400555: ("SQ", []),
        0x00540220: ("SQ", [code(view_code, "SCT", meaning) | {0x00540222: ("SQ", [])}]),
        0x20500020: ("CS", "IDENTITY"),
    }


def _dimensions(organization: str) -> list[Elements]:
    in_stack: Elements = {
        0x00209164: ("UI", organization),
        0x00209165: ("AT", 0x00209057),
        0x00209167: ("AT", 0x00209111),
        0x00209421: ("LO", "Position in the breast"),
    }
    return [in_stack]


def _shared_groups() -> Elements:
    anatomy: Elements = {
        0x00082218: ("SQ", [code("76752008", "SCT", "Breast")]),
        0x00209072: ("CS", "L"),
    }
    return {
        0x00209071: ("SQ", [anatomy]),
        0x00209116: ("SQ", [{0x00200037: ("DS", "0\\-1\\0\\0\\0\\-1")}]),
        0x00289110: ("SQ", [{0x00180050: ("DS", "1"), 0x00280030: ("DS", "0.1\\0.1")}]),
        0x00289132: ("SQ", [{0x00281050: ("DS", "2048"), 0x00281051: ("DS", "4096")}]),
        0x00289145: ("SQ", [{0x00281052: ("DS", "0"), 0x00281053: ("DS", "1"), 0x00281054: ("LO", "US")}]),
    }


def _frame_groups(who: Visit, frame: int) -> Elements:
    content: Elements = {
        0x00189074: ("DT", who.study_date + who.study_time),
        0x00189151: ("DT", who.study_date + who.study_time),
        0x00189220: ("FD", 4000.0),
        0x00209056: ("SH", "1"),
        0x00209057: ("UL", frame),
        0x00209157: ("UL", frame),
    }
    kind: Elements = {
        0x00089007: ("CS", "ORIGINAL\\PRIMARY\\TOMOSYNTHESIS\\NONE"),
        0x00089205: ("CS", "MONOCHROME"),
        0x00089206: ("CS", "VOLUME"),
        0x00089207: ("CS", "TOMOSYNTHESIS"),
    }
    return {
        0x00189504: ("SQ", [kind]),
        0x00209111: ("SQ", [content]),
        0x00209113: ("SQ", [{0x00200032: ("DS", f"{frame - 30}\\-51.2\\64")}]),
    }
