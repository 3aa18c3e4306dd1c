"""Objects whose frame tables take megabytes cost a study's list nothing, and render as others do."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy

from fileroom.archive.decode import Decoder
from fileroom.archive.workers import WorkerLimits
from fileroom.dicom.part10 import prefix
from fileroom.dicomweb.rendered import Rendered
from fileroom.web.router import Router
from tests.support.archives import ct, encoded, running_archive
from tests.support.asking import ask

JPEG_LS = "1.2.840.10008.1.2.4.80"
CT = "1.2.840.10008.5.1.4.1.1.2"
FRAGMENTS = 20_000


def _item(value: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def _object(number: int) -> bytes:
    """A real frame and thousands of empty ones."""
    dataset = ct(number)
    frame = bytes(imagecodecs.jpegls_encode(numpy.zeros((16, 16), numpy.uint8)))
    del dataset.PixelData
    dataset.Rows = dataset.Columns = 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.NumberOfFrames = FRAGMENTS
    fragments = _item(b"") + _item(frame + b"\0" * (len(frame) & 1)) + _item(b"") * (FRAGMENTS - 1)
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + fragments
    raw = encoded(dataset) + pixels + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return prefix(CT, dataset.SOPInstanceUID, JPEG_LS, "X") + raw


def test_a_list_of_objects_holds_no_long_frame_table(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        for number in (1, 2, 3):
            archive.store_file(_object(number))
        receipt = archive.store(ct(4))
        listed = archive.retriever.instances(receipt.study_uid)
        assert sum(len(one.image_blob or b"") for one in listed) < 1000
        by_sop = archive.retriever.by_sop_uids([listed[0].sop_uid])[0]
        assert (by_sop.image_blob, by_sop.image is not None) == (listed[0].image_blob, True)
        whole = archive.retriever.instance(listed[0].study_uid, listed[0].series_uid, listed[0].sop_uid)
        assert whole is not None
        assert whole.image is not None
        assert whole.image.frames is not None
        assert whole.image.frames.count == FRAGMENTS
        router, decoder = Router(), Decoder(WorkerLimits(1, 1 << 30, 20.0))
        Rendered(archive.retriever, decoder).add_routes(router)
        try:
            answer = ask(router, f"/dicomweb/studies/{receipt.study_uid}/rendered", accept="multipart/related")
            assert answer.status == 200
            assert answer.body.count(b"Content-Type: image/jpeg") == 4
        finally:
            decoder.close()
