"""Digital mammograms for presentation: 2560 x 3328 x 16 bit, 17 MB, four views an exam (PS3.3 A.27)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.people import Visit, code, visit, visit_elements

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.1.2"
ROWS, COLUMNS = 3328, 2560
VIEWS = (("L", "CC"), ("R", "CC"), ("L", "MLO"), ("R", "MLO"))
# Codes of CID 4014; screening exams name their views by code as well as by word.
VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}


def breast(rows: int, columns: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint16]]:
    """A left breast against the left edge: a smooth shape with texture, 12 bit, black around it."""
    noise = np.random.default_rng(seed).normal(0, 60, (256, 256)).astype(np.float32)
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
    thickness = np.clip(1 - (x / 0.75) ** 2 - (y / 0.85) ** 2, 0, 1)
    image = np.sqrt(thickness) * 2600 + (thickness > 0) * 400
    texture = np.tile(noise, (rows // 256 + 1, columns // 256 + 1))[:rows, :columns]
    pixels: np.ndarray[tuple[int, int], np.dtype[np.uint16]] = (
        (image + texture * (thickness > 0)).clip(0, 4095).astype(np.uint16)
    )
    return pixels


@cache
def _image(laterality: str, view: str, shrink: int) -> memoryview:
    image = breast(ROWS // shrink, COLUMNS // shrink, seed=1 if view == "CC" else 2)
    return memoryview((image if laterality == "L" else image[:, ::-1]).tobytes())


def mammogram_exam(number: int, *, shrink: int = 1) -> Iterator[Instance]:
    """The `number`th screening exam: L CC, R CC, L MLO, R MLO, each a series of its own as many units send them.

    `shrink` divides rows and columns.
    """
    who = visit("mammography", number, sex="F")
    for place, (laterality, view) in enumerate(VIEWS, start=1):
        sop_uid, series_uid = uid("mammography", number, place), uid("mammography", number, place, "series")
        elements = visit_elements(who) | series_elements(who, series_uid, place) | detector_elements()
        elements |= _image_elements(who, sop_uid, laterality, view)
        elements |= {0x00280010: ("US", ROWS // shrink), 0x00280011: ("US", COLUMNS // shrink)}
        elements[0x00200020] = ("CS", _orientation(laterality, view))
        pixels = _image(laterality, view, shrink)
        yield Instance(SOP_CLASS, sop_uid, who.study_uid, series_uid, encode(elements), pixels, len(pixels))


def _orientation(laterality: str, view: str) -> str:
    """Rows run to the nipple of a left breast, to the back of a right one; columns inwards (CC), downwards (MLO)."""
    row = "A" if laterality == "L" else "P"
    inwards = "R" if laterality == "L" else "L"
    return f"{row}\\{inwards}" if view == "CC" else f"{row}\\F{inwards}"


def series_elements(who: Visit, series_uid: str, place: int) -> Elements:
    """General Series, General Equipment (PS3.3 C.7.3.1, C.7.5.1) of a mammography unit."""
    return {
        0x00080021: ("DA", who.study_date),
        0x00080031: ("TM", who.study_time),
        0x00080060: ("CS", "MG"),
        0x00080068: ("CS", "FOR PRESENTATION"),
        0x00080070: ("LO", "Fileroom corpus"),
        0x00080080: ("LO", "Riverside Breast Centre"),
        0x00081010: ("SH", "MG1"),
        0x00081090: ("LO", "Phantom mammography unit"),
        0x00101010: ("AS", "058Y"),
        0x00181000: ("LO", "000042"),
        0x00181020: ("LO", "2.1"),
        0x0020000E: ("UI", series_uid),
        0x00200011: ("IS", str(place)),
    }


def detector_elements() -> Elements:
    """DX Detector and X-Ray acquisition (PS3.3 C.8.11.4, C.8.7.2)."""
    return {
        0x00180060: ("DS", "29"),
        0x00181110: ("DS", "700"),
        0x00181111: ("DS", "660"),
        0x00181114: ("DS", "1.060606"),
        0x00181147: ("CS", "RECTANGLE"),
        0x00181149: ("IS", "240\\300"),
        0x00181150: ("IS", "900"),
        0x00181152: ("IS", "90"),
        0x00181164: ("DS", "0.07\\0.07"),
        0x00181191: ("CS", "TUNGSTEN"),
        0x001811A0: ("DS", "54"),
        0x001811A2: ("DS", "110"),
        0x00187004: ("CS", "DIRECT"),
        0x00187005: ("CS", "AREA"),
        0x0018700A: ("SH", "DETECTOR1"),
        0x00187050: ("CS", "RHODIUM"),
    }


def _image_elements(who: Visit, sop_uid: str, laterality: str, view: str) -> Elements:
    view_code, meaning = VIEW_CODES[view]
    view_item = code(view_code, "SCT", meaning) | {0x00540222: ("SQ", [])}
    return {
        0x00080008: ("CS", "ORIGINAL\\PRIMARY"),
        0x00080016: ("UI", SOP_CLASS),
        0x00080018: ("UI", sop_uid),
        0x00080022: ("DA", who.study_date),
        0x00080023: ("DA", who.study_date),
        0x00080032: ("TM", who.study_time),
        0x00080033: ("TM", who.study_time),
        0x0008103E: ("LO", f"{laterality} {view}"),
        0x00082218: ("SQ", [code("76752008", "SCT", "Breast")]),
        0x00180015: ("CS", "BREAST"),
        0x00181400: ("LO", "Screening"),
        0x00181405: ("IS", "1"),
        0x00181508: ("CS", "MAMMOGRAPHIC"),
        0x00181510: ("DS", "0" if view == "CC" else "45"),
        0x00185101: ("CS", view),
        0x00200013: ("IS", "1"),
        0x00200062: ("CS", laterality),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280100: ("US", 16),
        0x00280101: ("US", 12),
        0x00280102: ("US", 11),
        0x00280103: ("US", 0),
        0x00280301: ("CS", "NO"),
        0x00281040: ("CS", "LOG"),
        0x00281041: ("SS", 1),
        0x00281050: ("DS", "2048"),
        0x00281051: ("DS", "4096"),
        0x00281052: ("DS", "0"),
        0x00281053: ("DS", "1"),
        0x00281054: ("LO", "US"),
        0x00281300: ("CS", "NO"),
        0x00282110: ("CS", "00"),
        0x00400316: ("DS", "0.012"),
        0x00400318: ("CS", "BREAST"),
        0x00400555: ("SQ", []),
        0x00540220: ("SQ", [view_item]),
        0x20500020: ("CS", "IDENTITY"),
    }
