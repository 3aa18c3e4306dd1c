"""A segmentation of the archive is seen over the images it is of, under the policy of the viewer's page."""

from __future__ import annotations

import io

import highdicom as hd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from PIL import Image
from playwright.sync_api import Page
from pydicom import dcmread
from pydicom.sr.codedict import codes

from fileroom.viewer.links import viewer_path
from tests.peer.viewer.conftest import Archive
from tests.support import corpus
from tests.support.corpus import Instance
from tests.support.senders import BOUNDARY, post, stow
from tests.support.viewing import IMAGE_SECONDS, PANES, images_are_seen, until


def test_a_segmentation_shows_over_its_images(archive: Archive, page: Page) -> None:
    images = list(corpus.ct_study(12, slices=3))
    stow(archive.server, images)
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    status, _ = post(archive.server, [head, _segmentation(images), f"\r\n--{BOUNDARY}--\r\n".encode()], kind)
    assert status == 200
    page.goto(archive.server.url + viewer_path([images[0].study_uid], ["CT"]))
    images_are_seen(page, 1)
    assert _red(page) == 0
    page.get_by_text("Box of nobody").first.dblclick()
    page.get_by_text("Yes", exact=True).click(timeout=IMAGE_SECONDS * 1000)
    until(lambda: _red(page) > 1000, "the segmentation does not show")
    images_are_seen(page, 1)


def _red(page: Page) -> int:
    """How many pixels of the pane are red, as the first segment is."""
    shot = page.locator(PANES).screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=np.int16)
    return int((seen[..., 0] > seen[..., 1:].max(axis=2) + 40).sum())


def _segmentation(images: list[Instance]) -> bytes:
    mask = np.zeros((len(images), 512, 512), np.uint8)
    mask[:, 200:300, 200:320] = 1
    liver = SegmentDescription(1, "Box", codes.SCT.Organ, codes.SCT.Liver, SegmentAlgorithmTypeValues.MANUAL)
    made = Segmentation(
        [dcmread(io.BytesIO(image.part10)) for image in images],
        mask,
        SegmentationTypeValues.BINARY,
        [liver],
        hd.UID(),
        50,
        hd.UID(),
        1,
        "Fileroom corpus",
        "Phantom 64",
        "1",
        "17",
        series_description="Box of nobody",
    )
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()
