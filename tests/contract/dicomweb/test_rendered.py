"""Rendered images and thumbnails: the right frame, size, window and media type."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import generate_uid

from tests.contract.dicomweb.conftest import Door, address
from tests.support.asking import Answer
from tests.support.multipart_answer import parts

Real = Callable[[str], pydicom.Dataset]


def _picture(answer: Answer) -> numpy.ndarray:
    assert answer.status == 200, answer.body
    return numpy.asarray(Image.open(BytesIO(answer.body)))


def test_a_picture_is_a_jpeg_of_the_whole_image_unless_asked_otherwise(door: Door, real: Real) -> None:
    answer = door.get(address(real("CT_small.dcm")) + "/rendered")
    assert answer.header("content-type") == "image/jpeg"
    assert _picture(answer).shape == (128, 128)


def test_a_window_makes_the_grey_that_the_standard_says(door: Door, real: Real) -> None:
    dataset = real("CT_small.dcm")
    answer = door.get(address(dataset) + "/rendered?window=40,400,linear", accept="image/png")
    values = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    expected = numpy.clip(((values - (40 - 0.5)) / (400 - 1) + 0.5) * 255, 0, 255)
    assert abs(_picture(answer).astype(float) - expected).max() <= 1


def test_a_viewport_bounds_the_picture(door: Door, real: Real) -> None:
    answer = door.get(address(real("CT_small.dcm")) + "/rendered?viewport=64,32&quality=50")
    assert _picture(answer).shape == (32, 32)


def test_a_frame_is_shown_by_its_number(door: Door, real: Real) -> None:
    dataset = real("emri_small.dcm")
    pictures = {n: door.get(f"{address(dataset)}/frames/{n}/rendered", accept="image/png").body for n in (1, 5)}
    assert pictures[1] != pictures[5]
    assert door.get(f"{address(dataset)}/rendered", accept="image/png").body == pictures[1]
    assert door.get(f"{address(dataset)}/frames/11/rendered").status == 404
    assert door.get(f"{address(dataset)}/frames/1,2/rendered").status == 406


def test_a_thumbnail_is_small_at_every_level(door: Door, real: Real) -> None:
    url = address(real("SC_rgb_rle_2frame.dcm"))
    for above in (url, url + "/frames/1", url.partition("/instances")[0], url.partition("/series")[0]):
        answer = door.get(above + "/thumbnail")
        assert max(_picture(answer).shape[:2]) <= 256
        assert answer.header("content-type") == "image/jpeg"


def _with_damage(dataset: pydicom.Dataset, frames: set[int]) -> str:
    """Give the object UIDs of its own, fill these of its frames (from 0) with what is no picture; where it will be."""
    pieces = list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames)))
    dataset.PixelData = encapsulate([bytes(200) if n in frames else piece for n, piece in enumerate(pieces)])
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return address(dataset)


def _stored(door: Door, dataset: pydicom.Dataset) -> None:
    file = BytesIO()
    dataset.save_as(file)
    door.archive.store_file(file.getvalue())


def test_the_thumbnail_is_of_a_whole_frame_when_the_one_in_the_middle_is_damaged(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    url = _with_damage(dataset, {5, 6})
    _stored(door, dataset)
    assert door.get(f"{url}/frames/6/rendered").status == 500
    whole = door.get(f"{url}/frames/3/thumbnail")
    for above in (url, url.partition("/instances")[0], url.partition("/series")[0]):
        answer = door.get(above + "/thumbnail")
        assert (answer.status, answer.body) == (200, whole.body)
        assert door.get(above + "/thumbnail", if_none_match=answer.header("etag")).status == 304


def test_when_an_object_cannot_be_shown_its_series_has_a_thumbnail_of_another(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    dataset.InstanceNumber = 1
    url = _with_damage(dataset, set())
    _stored(door, dataset)
    whole = door.get(f"{url}/thumbnail")
    for number in (2, 3):
        _with_damage(dataset, set(range(10)))
        dataset.InstanceNumber = number
        _, _, dataset.StudyInstanceUID, _, dataset.SeriesInstanceUID, *_ = url.split("/")
        _stored(door, dataset)
    assert door.get(url.partition("/instances")[0] + "/thumbnail").body == whole.body
    assert door.get(url.partition("/series")[0] + "/thumbnail").body == whole.body


def test_that_there_is_no_thumbnail_is_said(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    url = _with_damage(dataset, set(range(10)))
    _stored(door, dataset)
    for address_ in (url, url + "/frames/4", url.partition("/instances")[0], url.partition("/series")[0]):
        answer = door.get(address_ + "/thumbnail")
        assert answer.status == 404
        assert b"nothing that can be shown" in answer.body


def test_a_series_is_shown_object_by_object_or_by_the_one_in_the_middle(door: Door) -> None:
    url = "/studies/1.2.9.1/series/1.2.9.1.1"
    answer = door.get(url + "/rendered", accept='multipart/related; type="image/png"')
    assert [part.media_type for part in parts(answer)] == ["image/png"] * 3
    assert len({part.body for part in parts(answer)}) >= 1
    one = door.get(url + "/rendered", accept="image/png")
    assert one.body == door.get(url + "/instances/1.2.9.1.1.2/rendered", accept="image/png").body


def test_what_is_ignored_is_said(door: Door, real: Real) -> None:
    answer = door.get(address(real("CT_small.dcm")) + "/rendered?annotation=patient&iccprofile=no")
    assert answer.status == 200
    assert answer.header("warning").count("299 fileroom") == 2


@pytest.mark.parametrize(
    "query", ["window=1", "window=a,b,linear", "window=1,0,linear", "viewport=0,0", "quality=0", "quality=x"]
)
def test_malformed_arguments_are_refused(door: Door, real: Real, query: str) -> None:
    assert door.get(f"{address(real('CT_small.dcm'))}/rendered?{query}").status == 400


def test_what_cannot_be_shown_is_refused(door: Door, real: Real) -> None:
    assert door.get(address(real("rtplan.dcm")) + "/rendered").status == 404
    assert door.get(f"/studies/{real('rtplan.dcm').StudyInstanceUID}/thumbnail").status == 404
    assert door.get(address(real("CT_small.dcm")) + "/rendered", accept="image/gif").status == 406


def test_an_asker_that_has_a_picture_is_told_so_without_rendering(door: Door, real: Real) -> None:
    url = address(real("CT_small.dcm")) + "/rendered?window=40,400,linear"
    first = door.get(url)
    assert door.get(url, if_none_match=first.header("etag")).status == 304
    assert door.get(url.replace("400", "500"), if_none_match=first.header("etag")).status == 200
    in_multipart = door.get(url, accept='multipart/related; type="image/jpeg"', if_none_match=first.header("etag"))
    assert parts(in_multipart)[0].body == first.body
