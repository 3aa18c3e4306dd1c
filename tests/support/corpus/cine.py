"""A short multi-frame X-ray run, compressed frame by frame (PS3.3 A.14, PS3.5 A.4)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np

from tests.support.corpus.instance import Elements, Instance, encode, uid
from tests.support.corpus.people import visit, visit_elements

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.12.1"
SIDE = 256
_Picture = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def _jpeg2000(picture: _Picture) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(picture, codecformat="j2k", reversible=True))


def _jpeg_ls(picture: _Picture) -> bytes:
    return bytes(imagecodecs.jpegls_encode(picture))


def _jpeg(picture: _Picture) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(picture, level=90))


WAYS: dict[str, tuple[str, Callable[[_Picture], bytes]]] = {
    "JPEG 2000": ("1.2.840.10008.1.2.4.90", _jpeg2000),
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", _jpeg_ls),
    "JPEG": ("1.2.840.10008.1.2.4.50", _jpeg),
}


def run(number: int, way: str, *, frames: int, broken: dict[int, Callable[[bytes], bytes]]) -> Instance:
    """The `number`th run; `broken` says, by frame from 1, what becomes of its compressed bytes."""
    syntax, compress = WAYS[way]
    who = visit("cine", number)
    sop_uid, series_uid = uid("cine", number), uid("cine", number, "series")
    noise = np.random.default_rng(number)
    across = np.mgrid[0:SIDE, 0:SIDE][1] / SIDE
    pieces = []
    for frame in range(1, frames + 1):
        picture = (90 + 20 * frame + 40 * across + noise.normal(0, 6, across.shape)).clip(0, 255).astype(np.uint8)
        pieces.append(broken.get(frame, bytes)(compress(picture)))
    elements: Elements = visit_elements(who) | {
        0x00080008: ("CS", "ORIGINAL\\PRIMARY\\SINGLE PLANE"),
        0x00080016: ("UI", SOP_CLASS),
        0x00080018: ("UI", sop_uid),
        0x00080060: ("CS", "XA"),
        0x0008103E: ("LO", f"RUN {way}"),
        0x00181063: ("DS", "66"),
        0x0020000E: ("UI", series_uid),
        0x00200011: ("IS", "1"),
        0x00200013: ("IS", "1"),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280008: ("IS", str(frames)),
        0x00280009: ("AT", 0x00181063),
        0x00280010: ("US", SIDE),
        0x00280011: ("US", SIDE),
        0x00280100: ("US", 8),
        0x00280101: ("US", 8),
        0x00280102: ("US", 7),
        0x00280103: ("US", 0),
        0x00281050: ("DS", "128"),
        0x00281051: ("DS", "256"),
    }
    items = [b"", *(piece + b"\0" * (len(piece) % 2) for piece in pieces)]
    value = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
    pixels = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + value + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return Instance(SOP_CLASS, sop_uid, who.study_uid, series_uid, encode(elements) + pixels, transfer_syntax=syntax)
