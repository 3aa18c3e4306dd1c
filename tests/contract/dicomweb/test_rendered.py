"""Rendered images and thumbnails: the right frame, size, window and media type."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy
import pydicom
import pytest
from PIL import Image

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
