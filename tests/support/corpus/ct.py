"""CT slices: 512 x 512 x 16 bit, 0.53 MB, with a header of the size that scanners send (PS3.3 A.3)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.people import Visit, code, visit, visit_elements

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.2"
SIDE = 512


@cache
def _pixels() -> memoryview:
    """A body of tissue, bone and noise, two slices tall; each slice is a window of it, so it costs nothing."""
    noise = np.random.default_rng(20_261_124)
    y, x = np.mgrid[0 : 2 * SIDE, 0:SIDE].astype(np.float32)
    radius = np.hypot((x - 256) / 210, (y % SIDE - 256) / 160)
    image = np.where(radius < 1, 1064 + 60 * np.sin(x / 23) * np.cos(y / 31), 0)
    image = np.where(np.abs(radius - 0.93) < 0.03, 1900, image)
    image += noise.normal(0, 14, image.shape) * (radius < 1.1)
    return memoryview(image.clip(0, 4095).astype("<u2").tobytes())


def ct_study(number: int, *, slices: int = 100) -> Iterator[Instance]:
    """The `number`th CT study: one series of `slices`, instance numbers from 1."""
    who = visit("ct", number)
    for instance_number in range(1, slices + 1):
        yield ct_slice(who, number, instance_number)


def ct_slice(who: Visit, number: int, instance_number: int, *, series: int = 1) -> Instance:
    """One slice of that visit."""
    sop_uid, series_uid = uid("ct", number, series, instance_number), uid("ct", number, series)
    elements = visit_elements(who) | _fixed(number, series_uid, series) | _of_slice(sop_uid, who, instance_number)
    first = (number * 37 + instance_number * 5) % SIDE * SIDE * 2
    pixels = _pixels()[first : first + SIDE * SIDE * 2]
    return Instance(SOP_CLASS, sop_uid, who.study_uid, series_uid, encode(elements), pixels, len(pixels))


def _of_slice(sop_uid: str, who: Visit, instance_number: int) -> Elements:
    position = -300 + instance_number * 1.25
    return {
        0x00080018: ("UI", sop_uid),
        0x00080021: ("DA", who.study_date),
        0x00080022: ("DA", who.study_date),
        0x00080023: ("DA", who.study_date),
        0x00080031: ("TM", who.study_time),
        0x00080032: ("TM", f"{who.study_time}.{instance_number:06}"),
        0x00080033: ("TM", f"{who.study_time}.{instance_number:06}"),
        0x00200013: ("IS", str(instance_number)),
        0x00200032: ("DS", f"-180\\-180\\{position:g}"),
        0x00201041: ("DS", f"{position:g}"),
    }


def _fixed(number: int, series_uid: str, series: int) -> Elements:
    procedure: Elements = {
        0x00321060: ("LO", "CT CHEST"),
        0x00400007: ("LO", "CT CHEST"),
        0x00400009: ("SH", f"SPS{number}"),
        0x00401001: ("SH", f"RP{number}"),
    }
    return {
        0x00080008: ("CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        0x00080016: ("UI", SOP_CLASS),
        0x00080060: ("CS", "CT"),
        0x00080070: ("LO", "Fileroom corpus"),
        0x00080080: ("LO", "Riverside Imaging"),
        0x00081010: ("SH", f"CT{number % 4}"),
        0x0008103E: ("LO", "CHEST 1.25 B31"),
        0x00081032: ("SQ", [code("CTCH", "99FILEROOM", "CT chest")]),
        0x00081090: ("LO", "Phantom 64"),
        0x00101010: ("AS", "052Y"),
        0x00101030: ("DS", "71"),
        0x00180015: ("CS", "CHEST"),
        0x00180022: ("CS", "HELICAL MODE"),
        0x00180050: ("DS", "1.25"),
        0x00180060: ("DS", "120"),
        0x00180090: ("DS", "500"),
        0x00181000: ("LO", "000017"),
        0x00181020: ("LO", "1.4.2"),
        0x00181030: ("LO", "Chest routine"),
        0x00181100: ("DS", "360"),
        0x00181110: ("DS", "1040"),
        0x00181111: ("DS", "570"),
        0x00181120: ("DS", "0"),
        0x00181130: ("DS", "144"),
        0x00181140: ("CS", "CW"),
        0x00181150: ("IS", "500"),
        0x00181151: ("IS", "210"),
        0x00181152: ("IS", "105"),
        0x00181160: ("SH", "BODY FILTER"),
        0x00181170: ("IS", "25"),
        0x00181190: ("DS", "0.7"),
        0x00181210: ("SH", "B31"),
        0x00185100: ("CS", "HFS"),
        0x00190010: ("LO", "FILEROOM CORPUS 01"),
        0x00191001: ("LO", "a private element"),
        0x00191002: ("OB", bytes(range(64))),
        0x0020000E: ("UI", series_uid),
        0x00200011: ("IS", str(series)),
        0x00200012: ("IS", "1"),
        0x00200037: ("DS", "1\\0\\0\\0\\1\\0"),
        0x00200052: ("UI", uid("ct", number, "frame of reference")),
        0x00201040: ("LO", ""),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280010: ("US", SIDE),
        0x00280011: ("US", SIDE),
        0x00280030: ("DS", "0.703125\\0.703125"),
        0x00280100: ("US", 16),
        0x00280101: ("US", 12),
        0x00280102: ("US", 11),
        0x00280103: ("US", 0),
        0x00281050: ("DS", "40\\-600"),
        0x00281051: ("DS", "400\\1600"),
        0x00281052: ("DS", "-1024"),
        0x00281053: ("DS", "1"),
        0x00281054: ("LO", "HU"),
        0x00400244: ("DA", "20260301"),
        0x00400253: ("SH", f"PPS{number}"),
        0x00400275: ("SQ", [procedure]),
    }
